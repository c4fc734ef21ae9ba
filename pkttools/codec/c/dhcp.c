/* Messages of DHCP, BOOTP and DHCPv6, in a line. Twin of ../python/dhcp.py.
 *
 * RFC 2131 section 2, RFC 2132; an option in pieces: RFC 2131 section 4.1, RFC 3396. RFC 8415 sections 8, 9 and 21.
 */
#include "messages.h"

enum { SNAME = 44, BOOT_FILE = 108, COOKIE = 236, OPTIONS = 240, MOST_JOINED = 1024 };
enum { PAD = 0, HOST = 12, REQUESTED = 50, LEASE = 51, OVERLOAD = 52, MESSAGE_TYPE = 53, SERVER = 54, WHY = 56, CLIENT_ID = 61, FQDN = 81,
       SEARCH = 119, ROUTES = 121, LAST_OPTION = 255 };

static const struct known operations[] = {{1, "Request"}, {2, "Reply"}, {0, NULL}};

static const struct known kinds[] = {
    {1, "Discover"}, {2, "Offer"}, {3, "Request"}, {4, "Decline"}, {5, "ACK"}, {6, "NAK"}, {7, "Release"}, {8, "Inform"}, {9, "ForceRenew"},
    {10, "LeaseQuery"}, {11, "LeaseUnassigned"}, {12, "LeaseUnknown"}, {13, "LeaseActive"}, {14, "BulkLeaseQuery"}, {15, "LeaseQueryDone"},
    {16, "ActiveLeaseQuery"}, {17, "LeaseQueryStatus"}, {18, "TLS"}, {0, NULL},
};

/* ---- options in pieces ---- */

struct area {                   /* where options stand, in their order */
    size_t at, end;
};

struct joined {                 /* an option, its pieces put together */
    uint8_t at[MOST_JOINED];
    size_t size;
    bool there, cut;            /* cut: there are more bytes than are there, or than are kept */
};

static void join_area(struct joined *j, const struct frame *m, struct area of, unsigned code)
{
    for (size_t at = of.at, size; at < of.end; at += size) {
        unsigned found = get8(m, at++);
        size = 0;
        if (found == LAST_OPTION)
            return;
        if (found == PAD)
            continue;
        if (at == of.end) {
            j->cut |= found == code;
            return;
        }
        size = get8(m, at++);
        if (found != code)
            continue;
        size_t kept = least(least(size, of.end - at), MOST_JOINED - j->size);
        if (kept > 0)
            memcpy(j->at + j->size, frame_range(m, at, kept), kept);
        j->size += kept;
        j->there = true;
        j->cut |= kept < size;
    }
}

/* All pieces of an option, in the order of its areas: RFC 3396 section 7. */
static struct frame join(struct joined *j, const struct frame *m, const struct area *areas, unsigned code)
{
    j->size = 0;
    j->there = j->cut = false;
    for (size_t i = 0; i < 3; i++)
        join_area(j, m, areas[i], code);
    return (struct frame){j->at, j->size};
}

/* ---- values ---- */

/* An address, unless it is 0.0.0.0. */
static void say_present(struct sentence *t, const char *word, const struct frame *m, size_t at)
{
    if (get32(m, at) == 0)
        return;
    say(t, word);
    say_address(t, m, at, 4);
}

/* Text, without what fills it up: RFC 2132 section 2. */
static void say_text(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    while (size > 0 && get8(m, at + size - 1) == 0)
        size--;
    say_quoted(t, m, at, size);
}

/* A name in labels, which may have no end: RFC 4702 section 2.3.1, RFC 4704 section 4.2. */
static void say_partial(struct sentence *t, const struct frame *m, size_t at, size_t end)
{
    for (size_t first = at, size; at < end; at += size + 1) {
        size = get8(m, at);
        if (size == 0) {
            say(t, ".");
            return;
        }
        if (size > 63 || size > end - at - 1) {
            say_mark(t, size > 63 ? BAD_LABEL : BAD_LENGTH);
            return;
        }
        say(t, at > first ? "." : "");
        say_label(t, m, at + 1, size);
    }
}

static void say_fqdn(struct sentence *t, const struct frame *o)
{
    if (o->size < 3)
        say_mark(t, BAD_LENGTH);
    else if ((get8(o, 0) & 4) != 0)
        say_partial(t, o, 3, o->size);
    else
        say_text(t, o, 3, o->size - 3);
}

/* RFC 2132 section 9.14, RFC 4361 section 6.1. */
static void say_client(struct sentence *t, const struct frame *o)
{
    unsigned type = get8(o, 0);
    if (o->size < 2)
        say_mark(t, BAD_LENGTH);
    else if (type == 0)
        say_text(t, o, 1, o->size - 1);
    else if (type == 255 && o->size > 5) {
        say(t, "iaid ");
        say_dump(t, o, 1, 4, "");
        say(t, " duid ");
        say_dump(t, o, 5, o->size - 5, "");
    } else {
        say_count(t, type);
        say(t, "/");
        say_dump(t, o, 1, o->size - 1, ":");
    }
}

/* Whether a client is known by its hardware address, which is told already. */
static bool is_hardware(const struct frame *o, const struct frame *m, size_t message)
{
    unsigned size = get8(m, message + 2);
    if (o->size != size + 1 || size > 16 || get8(o, 0) != get8(m, message + 1))
        return false;
    return memcmp(frame_range(o, 1, size), frame_range(m, message + 28, size), size) == 0;
}

/* RFC 3397 section 2: pointers count from where the option begins, with all of its pieces. */
static void say_search(struct sentence *t, const struct frame *o)
{
    for (size_t at = 0; at < o->size && !t->full;) {
        say(t, " ");
        size_t behind = behind_name(o, at);
        if (!say_name_of(t, o, 0, 0, at) && behind == 0)
            return;
        at = behind;
    }
}

/* RFC 3442: a prefix, as many bytes of it as say something, and a router. */
static void say_routes(struct sentence *t, const struct frame *o)
{
    for (size_t at = 0; at < o->size && !t->full;) {
        unsigned length = get8(o, at++);
        size_t size = (length + 7) / 8;
        uint8_t prefix[4] = {0};
        if (length > 32 || !frame_has(o, at, size + 4)) {
            say_mark(t, BAD_LENGTH);
            return;
        }
        memcpy(prefix, frame_range(o, at, size), size);
        say(t, " ");
        say_address(t, &(struct frame){prefix, 4}, 0, 4);
        say(t, "/");
        say_count(t, length);
        say(t, " via ");
        say_address(t, o, at + size, 4);
        at += size + 4;
    }
}

static void say_lease(struct sentence *t, uint32_t seconds)
{
    if (seconds == UINT32_MAX) {
        say(t, "infinite");
        return;
    }
    say_count(t, seconds);
    say(t, " s");
}

static const struct known words[] = {           /* in the order in which they are told */
    {REQUESTED, " requested "}, {SERVER, " server "}, {LEASE, " lease "}, {HOST, " host "}, {FQDN, " fqdn "}, {CLIENT_ID, " id "},
    {SEARCH, " search"}, {ROUTES, " routes"}, {WHY, " "}, {0, NULL},
};

static void say_option(struct sentence *t, const struct frame *m, size_t message, const struct known *which, const struct joined *j)
{
    const struct frame option = {j->at, j->size}, *o = &option;
    if (which->number == CLIENT_ID && is_hardware(o, m, message))
        return;
    say(t, which->text);
    switch (which->number) {
    case REQUESTED: case SERVER:
        if (j->size == 4)
            say_address(t, o, 0, 4);
        else
            say_mark(t, BAD_LENGTH);
        break;
    case LEASE:
        if (j->size == 4)
            say_lease(t, get32(o, 0));
        else
            say_mark(t, BAD_LENGTH);
        break;
    case FQDN: say_fqdn(t, o); break;
    case CLIENT_ID: say_client(t, o); break;
    case SEARCH: say_search(t, o); break;
    case ROUTES: say_routes(t, o); break;
    default: say_text(t, o, 0, j->size);
    }
    if (j->cut)
        say_cut(t);
}

/* Without a cookie, or a type of message, it is BOOTP: RFC 1534. */
void tell_dhcp(struct sentence *t, const struct frame *m, size_t at)
{
    if (!frame_has(m, at, SNAME))
        return;
    struct area areas[3] = {{0, 0}, {0, 0}, {0, 0}};
    struct joined j;
    if (get32(m, at + COOKIE) == 0x63825363)
        areas[0] = (struct area){at + OPTIONS, m->size};
    struct frame o = join(&j, m, areas, OVERLOAD);
    unsigned overload = get8(&o, 0);
    if (overload & 1)
        areas[1] = (struct area){at + BOOT_FILE, least(at + COOKIE, m->size)};
    if (overload & 2)
        areas[2] = (struct area){at + SNAME, least(at + BOOT_FILE, m->size)};
    o = join(&j, m, areas, MESSAGE_TYPE);
    unsigned operation = get8(m, at), size = get8(m, at + 2);
    if (j.size > 0)
        say_word(t, kinds, get8(&o, 0), "type ");
    else {
        say(t, "BOOTP ");
        say_word(t, operations, operation, "op ");
    }
    if (size > 0) {
        say(t, operation == 2 ? " to " : " from ");
        say_dump(t, m, at + 28, least(size, 16), ":");
        if (size > 16)
            say_mark(t, BAD_LENGTH);
    }
    say_present(t, " client ", m, at + 12);
    say_present(t, " your ", m, at + 16);
    say_present(t, " next ", m, at + 20);
    say_present(t, " relay ", m, at + 24);
    if ((overload & 1) == 0 && get8(m, at + BOOT_FILE) != 0) {
        size_t end = at + BOOT_FILE;
        while (end < least(at + COOKIE, m->size) && get8(m, end) != 0)
            end++;
        say(t, " file ");
        say_quoted(t, m, at + BOOT_FILE, end - at - BOOT_FILE);
    }
    for (const struct known *which = words; which->text != NULL; which++) {
        join(&j, m, areas, which->number);
        if (j.there)
            say_option(t, m, at, which, &j);
    }
    if (!frame_has(m, at, COOKIE))
        say_cut(t);
}

/* ---- DHCPv6 ---- */

enum { IA_NA = 3, IA_TA = 4, IA_ADDRESS = 5, RELAYED = 9, STATUS = 13, IA_PD = 25, IA_PREFIX = 26, FQDN6 = 39, MOST_RELAYS = 32, RELAY = 34 };

static const struct known kinds6[] = {
    {1, "Solicit"}, {2, "Advertise"}, {3, "Request"}, {4, "Confirm"}, {5, "Renew"}, {6, "Rebind"}, {7, "Reply"}, {8, "Release"}, {9, "Decline"},
    {10, "Reconfigure"}, {11, "Information-request"}, {12, "Relay-forward"}, {13, "Relay-reply"}, {14, "Leasequery"}, {15, "Leasequery-reply"},
    {16, "Leasequery-done"}, {17, "Leasequery-data"}, {18, "Reconfigure-request"}, {19, "Reconfigure-reply"}, {20, "DHCPv4-query"},
    {21, "DHCPv4-response"}, {0, NULL},
};

static const struct known statuses[] = {
    {0, "Success"}, {1, "UnspecFail"}, {2, "NoAddrsAvail"}, {3, "NoBinding"}, {4, "NotOnLink"}, {5, "UseMulticast"}, {6, "NoPrefixAvail"}, {0, NULL},
};

/* Addresses, prefixes and how it went; those of an IA stand in it. */
static void say_options6(struct sentence *t, const struct frame *m, size_t at, size_t end, int depth)
{
    for (size_t size; at + 4 <= end && !t->full; at += size) {
        unsigned code = get16(m, at);
        size = get16(m, at + 2);
        at += 4;
        if (size > end - at) {
            say_cut(t);
            return;
        }
        size_t inside = code == IA_NA || code == IA_PD ? 12 : code == IA_TA ? 4 : code == IA_ADDRESS ? 24 : code == IA_PREFIX ? 25 : 0;
        if (inside > size) {
            say_mark(t, BAD_LENGTH);
            continue;
        }
        if (code == IA_ADDRESS) {
            say(t, " ");
            say_address(t, m, at, 16);
        } else if (code == IA_PREFIX) {
            say(t, " ");
            say_address(t, m, at + 9, 16);
            say(t, "/");
            say_count(t, get8(m, at + 8));
        } else if (code == STATUS && size >= 2) {
            say(t, " ");
            say_word(t, statuses, get16(m, at), "status ");
            if (size > 2) {
                say(t, " ");
                say_text(t, m, at + 2, size - 2);
            }
        } else if (code == FQDN6 && size > 1) {
            say(t, " fqdn ");
            say_partial(t, m, at + 1, at + size);
        }
        if (inside > 0 && depth < 3)
            say_options6(t, m, at + inside, at + size, depth + 1);
    }
}

/* Relays, the outermost with what it says of its link, and the innermost message: RFC 8415 section 9. */
void tell_dhcpv6(struct sentence *t, const struct frame *m, size_t at)
{
    size_t end = m->size;
    if (!frame_has(m, at, 4))
        return;
    for (int relays = 0; get8(m, at) == 12 || get8(m, at) == 13; relays++) {
        if (relays == MOST_RELAYS) {
            say(t, "...");
            return;
        }
        say_word(t, kinds6, get8(m, at), "type ");
        if (end - at < RELAY) {
            say_cut(t);
            return;
        }
        if (relays == 0) {
            say(t, " link ");
            say_address(t, m, at + 2, 16);
            say(t, " peer ");
            say_address(t, m, at + 18, 16);
        }
        size_t next = at + RELAY;
        while (next + 4 <= end && get16(m, next) != RELAYED)
            next += 4 + get16(m, next + 2);
        if (next + 4 > end)
            return;
        size_t size = get16(m, next + 2);
        bool cut = size > end - next - 4;
        at = next + 4;
        end = cut ? end : at + size;
        if (at == end) {
            say_mark(t, cut ? CUT_OFF : BAD_LENGTH);
            return;
        }
        say(t, " > ");
    }
    say_word(t, kinds6, get8(m, at), "type ");
    if (end - at < 4)
        say_cut(t);
    else
        say_options6(t, m, at + 4, end, 0);
}
