/* Messages of ARP, with addresses of any size, in a line: what the lines of ../../protocols/arp.protocol say where sizes are the usual ones.
 * Twin of ../python/arp.py.
 *
 * RFC 826, RFC 903 (reverse), RFC 2390 (inverse); what sender and target say together: RFC 5227 sections 1.1, 2.1.1 and 3.
 */
#include "messages.h"

enum { FIXED = 8, REQUEST = 1, REPLY, REVERSE_REQUEST, REVERSE_REPLY, INVERSE_REQUEST = 8, INVERSE_REPLY };

struct parties {                /* where addresses stand: of the hardware and of the protocol */
    size_t hardware, protocol;
    size_t sender, sender_protocol, target, target_protocol;
};

static void say_hardware(struct sentence *t, const char *word, const struct frame *m, size_t at, size_t size)
{
    say(t, word);
    say_dump(t, m, at, size, ":");
}

static void say_protocol(struct sentence *t, const char *word, const struct frame *m, size_t at, size_t size)
{
    say(t, word);
    say_address(t, m, at, size);
}

/* What the target's hardware address of a request is has no meaning. */
static void say_parties(struct sentence *t, const struct frame *m, const struct parties *p, unsigned operation)
{
    bool none = true, same = p->protocol > 0;
    for (size_t i = 0; i < p->protocol; i++) {
        none &= get8(m, p->sender_protocol + i) == 0;
        same &= get8(m, p->sender_protocol + i) == get8(m, p->target_protocol + i);
    }
    switch (operation) {
    case REQUEST:
        if (same && !none) {
            say_protocol(t, "announcement ", m, p->sender_protocol, p->protocol);
            say_hardware(t, " is-at ", m, p->sender, p->hardware);
            return;
        }
        say_protocol(t, none ? "probe who-has " : "who-has ", m, p->target_protocol, p->protocol);
        if (none)
            say_hardware(t, " tell ", m, p->sender, p->hardware);
        else
            say_protocol(t, " tell ", m, p->sender_protocol, p->protocol);
        return;
    case REPLY:
        say_protocol(t, "", m, p->sender_protocol, p->protocol);
        say_hardware(t, " is-at ", m, p->sender, p->hardware);
        say(t, same ? ", gratuitous" : "");
        return;
    case REVERSE_REQUEST: case INVERSE_REQUEST:
        say_hardware(t, "who-is ", m, p->target, p->hardware);
        say_hardware(t, " tell ", m, p->sender, p->hardware);
        return;
    case REVERSE_REPLY:
        say_hardware(t, "", m, p->target, p->hardware);
        say_protocol(t, " at ", m, p->target_protocol, p->protocol);
        return;
    default:                    /* INVERSE_REPLY */
        say_hardware(t, "", m, p->sender, p->hardware);
        say_protocol(t, " at ", m, p->sender_protocol, p->protocol);
    }
}

void tell_arp(struct sentence *t, const struct frame *m, size_t at)
{
    unsigned operation = get16(m, at + 6);
    struct parties p = {.hardware = get8(m, at + 4), .protocol = get8(m, at + 5), .sender = at + FIXED};
    p.sender_protocol = p.sender + p.hardware;
    p.target = p.sender_protocol + p.protocol;
    p.target_protocol = p.target + p.hardware;
    if (!frame_has(m, at, FIXED))
        return;
    bool known = (operation >= REQUEST && operation <= REVERSE_REPLY) || operation == INVERSE_REQUEST || operation == INVERSE_REPLY;
    if (known && frame_has(m, p.target_protocol, p.protocol)) {
        say_parties(t, m, &p, operation);
        return;
    }
    say(t, "operation ");
    say_count(t, operation);
    if (!frame_has(m, p.target_protocol, p.protocol))
        say_cut(t);
}
