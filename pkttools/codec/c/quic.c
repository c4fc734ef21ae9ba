/* Long headers of QUIC, in a line. What they protect is not read: without keys there is no telling what it is. Twin of ../python/quic.py.
 *
 * RFC 8999 section 5.1, RFC 9000 sections 12.2 and 17.2, RFC 9369 section 3.2.
 */
#include "messages.h"

enum { LONG = 0x80, FIXED = 0x40, INITIAL = 0, RETRY = 3, MOST_ID = 20 };
#define VERSION_2 UINT32_C(0x6B3343CF)

static const char *const types[] = {"Initial", "0-RTT", "Handshake", "Retry"};

static bool is_draft(uint32_t version)
{
    return version >> 8 == 0xFF0000;
}

/* One whose headers are not yet those of RFC 8999, where the sizes of both IDs share an octet: drafts before 22, those of Google. */
static bool is_older(uint32_t version)
{
    return (is_draft(version) && (version & 0xFF) < 22) || ((version >> 24 == 'Q' || version >> 24 == 'T') && (version >> 16 & 0xFF) == '0');
}

static void say_version(struct sentence *t, uint32_t version)
{
    if (is_draft(version)) {
        say(t, "draft-");
        say_count(t, version & 0xFF);
    } else if (version == 1 || version == VERSION_2)
        say(t, version == 1 ? "v1" : "v2");
    else if (is_older(version))
        for (int shift = 24; shift >= 0; shift -= 8)
            say_octet(t, (uint8_t)(version >> shift), '\\');
    else {
        say(t, "0x");
        say_figures(t, version, 8);
    }
}

/* A connection ID behind its size; where what follows stands; 0: it is not all there. */
static size_t say_id(struct sentence *t, const char *word, const struct frame *m, size_t at)
{
    size_t size = get8(m, at), there = frame_has(m, at, 1) ? least(size, m->size - at - 1) : 0;
    say(t, word);
    say(t, frame_has(m, at, 1) && size == 0 ? "-" : "");
    say_dump(t, m, at + 1, there, "");
    if (frame_has(m, at, 1) && there == size)
        return at + 1 + size;
    say_cut(t);
    return 0;
}

/* A number whose first two bits are its size: RFC 9000 section 16. Where what follows stands; 0: it is not there. */
static size_t number_at(const struct frame *m, size_t at, uint64_t *number)
{
    size_t size = (size_t)1 << (get8(m, at) >> 6);
    if (!frame_has(m, at, size))
        return 0;
    *number = get8(m, at) & 0x3F;
    for (size_t i = 1; i < size; i++)
        *number = *number << 8 | get8(m, at + i);
    return at + size;
}

/* Where a packet ends that begins at `at`, its numbers at `behind`; 0: it is not all there. */
static size_t packet_end(const struct frame *m, size_t behind, unsigned type)
{
    uint64_t number = 0;
    if (type == RETRY)
        return m->size;
    if (type == INITIAL) {      /* a token */
        behind = number_at(m, behind, &number);
        if (behind == 0 || number > m->size - behind)
            return 0;
        behind += (size_t)number;
    }
    behind = number_at(m, behind, &number);
    return behind == 0 || number > m->size - behind ? 0 : behind + (size_t)number;
}

/* The packets of a datagram: RFC 9000 section 12.2. */
void tell_quic(struct sentence *t, const struct frame *m, size_t at)
{
    uint32_t version = get32(m, at + 1);
    if ((get8(m, at) & LONG) == 0 || !frame_has(m, at, 6))
        return;
    if (is_older(version)) {
        say(t, "version ");
        say_version(t, version);
        return;
    }
    for (const char *between = ""; at < m->size && !t->full; between = ", ") {
        unsigned first = get8(m, at), type = first >> 4 & 3;
        if ((first & LONG) == 0 || get32(m, at + 1) != version) {
            say(t, (first & (LONG | FIXED)) == FIXED ? ", 1-RTT" : "");     /* else it is no packet of this connection */
            return;
        }
        bool known = version == 1 || version == VERSION_2 || is_draft(version);
        type = version == VERSION_2 ? (type + 3) % 4 : type;
        say(t, between);
        say(t, version == 0 ? "Version Negotiation" : known ? types[type] : "version");
        say(t, version == 0 ? "" : " ");
        if (version != 0)
            say_version(t, version);
        size_t id = at + 5, behind = say_id(t, " dcid ", m, id);
        bool long_id = get8(m, id) > MOST_ID;
        id = behind;
        behind = behind != 0 ? say_id(t, " scid ", m, behind) : 0;
        if (behind == 0)
            return;
        if (version == 0) {     /* the versions that there are: RFC 8999 section 6 */
            for (const char *comma = " of "; frame_has(m, behind, 4) && !t->full; comma = ",", behind += 4) {
                say(t, comma);
                say_version(t, get32(m, behind));
            }
            return;
        }
        if (!known)
            return;
        if (long_id || get8(m, id) > MOST_ID) {
            say_mark(t, BAD_LENGTH);
            return;
        }
        at = packet_end(m, behind, type);
        if (at == 0) {
            say_cut(t);
            return;
        }
    }
}
