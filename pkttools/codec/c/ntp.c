/* Messages of NTP, in a line. Twin of ../python/ntp.py.
 *
 * RFC 5905 section 7.3; times: RFC 4330 section 3; mode 6: RFC 9327 section 2; mode 7: ntp_request.h of the reference implementation.
 */
#include "messages.h"

enum { HEADER = 48, CONTROL = 6, PRIVATE = 7 };
#define FROM_1970 INT64_C(2208988800)  /* seconds from 1900 to 1970 */

static const struct known modes[] = {{0, "Reserved"}, {1, "Active"}, {2, "Passive"}, {3, "Client"}, {4, "Server"}, {5, "Broadcast"},
                                     {CONTROL, "Control"}, {PRIVATE, "Private"}, {0, NULL}};

static const struct known opcodes[] = {
    {1, "read-status"}, {2, "read-variables"}, {3, "write-variables"}, {4, "read-clock"}, {5, "write-clock"}, {6, "set-trap"}, {7, "trap"},
    {8, "configure"}, {9, "save-configuration"}, {10, "read-mru"}, {11, "read-ordered-list"}, {12, "request-nonce"}, {31, "unset-trap"}, {0, NULL},
};

/* A time, unless it is 0: none. From 1968 on, or where the first bit is 0, from 2036 on. Fractions are cut, not rounded. */
static void say_time(struct sentence *t, const char *word, const struct frame *m, size_t at)
{
    uint64_t seconds = get32(m, at), fraction = get32(m, at + 4);
    if (!frame_has(m, at, 8) || (seconds == 0 && fraction == 0))
        return;
    seconds += seconds < UINT64_C(1) << 31 ? UINT64_C(1) << 32 : 0;
    say(t, word);
    say_moment(t, (int64_t)seconds - FROM_1970, false);
    say(t, ".");
    say_fixed(t, fraction * 1000000000 >> 32, 9);
    say(t, "Z");
}

/* Of a stratum of 0 or 1 four characters, else an address of IPv4, or what is left of one of IPv6: RFC 5905 section 7.3. */
static void say_reference(struct sentence *t, const struct frame *m, size_t at, unsigned stratum)
{
    size_t size = 4;
    if (get32(m, at) == 0 || !frame_has(m, at, 4))
        return;
    say(t, stratum == 0 ? " kiss " : " ref ");
    if (stratum > 1) {
        say_address(t, m, at, 4);
        return;
    }
    while (size > 0 && get8(m, at + size - 1) == 0)
        size--;
    say_octets(t, m, at, size);
}

static void say_control(struct sentence *t, const struct frame *m, size_t at)
{
    unsigned how = get8(m, at + 1);
    if (!frame_has(m, at, 12)) {
        say_cut(t);
        return;
    }
    say(t, " ");
    say_word(t, opcodes, how & 31, "opcode ");
    say(t, how & 0x80 ? how & 0x40 ? " error" : " response" : " request");
    say(t, " seq ");
    say_count(t, get16(m, at + 2));
    if (get16(m, at + 4) != 0) {
        say(t, " status 0x");
        say_figures(t, get16(m, at + 4), 4);
    }
    say(t, " assoc ");
    say_count(t, get16(m, at + 6));
    if (get16(m, at + 8) != 0) {
        say(t, " offset ");
        say_count(t, get16(m, at + 8));
    }
    say(t, " size ");
    say_count(t, get16(m, at + 10));
    say(t, how & 0x20 ? " more" : "");
}

static void say_private(struct sentence *t, const struct frame *m, size_t at)
{
    if (!frame_has(m, at, 8)) {
        say_cut(t);
        return;
    }
    bool response = (get8(m, at) & 0x80) != 0;
    say(t, response ? " response" : " request");
    say(t, " implementation ");
    say_count(t, get8(m, at + 2));
    say(t, " code ");
    say_count(t, get8(m, at + 3));
    if (response) {
        say(t, " error ");
        say_count(t, get8(m, at + 4) >> 4);
    }
    say(t, " items ");
    say_count(t, get16(m, at + 4) & 0xFFF);
    say(t, " x ");
    say_count(t, get16(m, at + 6) & 0xFFF);
    say(t, response && get8(m, at) & 0x40 ? " more" : "");
}

void tell_ntp(struct sentence *t, const struct frame *m, size_t at)
{
    static const struct known leaps[] = {{0, ""}, {1, " leap+1s"}, {2, " leap-1s"}, {3, " unsynchronized"}, {0, NULL}};
    unsigned first = get8(m, at), mode = first & 7, stratum = get8(m, at + 1);
    say(t, "v");
    say_count(t, first >> 3 & 7);
    say(t, " ");
    say_word(t, modes, mode, "");
    if (mode == CONTROL) {
        say_control(t, m, at);
        return;
    }
    if (mode == PRIVATE) {
        say_private(t, m, at);
        return;
    }
    say_word(t, leaps, first >> 6, "");
    if (stratum > 0) {
        say(t, " stratum ");
        say_count(t, stratum);
    }
    say_reference(t, m, at + 12, stratum);
    say_time(t, " org ", m, at + 24);
    say_time(t, " rec ", m, at + 32);
    say_time(t, " xmt ", m, at + 40);
    if (!frame_has(m, at, HEADER))
        say_cut(t);
}
