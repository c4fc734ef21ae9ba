/* Messages of DNS, of multicast DNS and LLMNR too, in a line. Twin of ../python/dns.py.
 *
 * RFC 1035 section 4, RFC 6891 (EDNS), RFC 6762 sections 5.4 and 10.2, RFC 4795 section 2.1.1; values as the RFCs of their types write
 * them, those of other types as RFC 3597 section 5.
 */
#include "messages.h"

enum { HEADER = 12, MOST_NAME = 255, MOST_DATA = 64 };
enum { QR = 0x8000, AA = 0x400, TC = 0x200, RD = 0x100, RA = 0x80, AD = 0x20, CD = 0x10 };
enum { UPDATE = 5, LLMNR = 5355 };
enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, DNAME = 39, OPT = 41, DS = 43, RRSIG = 46, CDS = 59,
       SVCB = 64, HTTPS = 65, SPF = 99, CAA = 257 };
enum { MANDATORY, ALPN, NO_ALPN, PORT, HINT4, HINT6 = 6 };     /* keys of SVCB */

static const char BAD_POINTER[] = "[bad pointer]", LONG_NAME[] = "[long name]";

static const struct known opcodes[] = {{0, ""}, {1, " iquery"}, {2, " status"}, {4, " notify"}, {5, " update"}, {6, " dso"}, {0, NULL}};

static const struct known codes[] = {           /* IANA "DNS RCODEs" */
    {0, ""}, {1, " FormErr"}, {2, " ServFail"}, {3, " NXDomain"}, {4, " NotImp"}, {5, " Refused"}, {6, " YXDomain"}, {7, " YXRRSet"},
    {8, " NXRRSet"}, {9, " NotAuth"}, {10, " NotZone"}, {11, " DSOTypeNI"}, {16, " BADVERS"}, {17, " BADKEY"}, {18, " BADTIME"},
    {19, " BADMODE"}, {20, " BADNAME"}, {21, " BADALG"}, {22, " BADTRUNC"}, {23, " BADCOOKIE"}, {0, NULL},
};

static const struct known types[] = {           /* IANA "DNS Resource Record (RR) TYPEs" */
    {A, "A"}, {AAAA, "AAAA"}, {CNAME, "CNAME"}, {PTR, "PTR"}, {HTTPS, "HTTPS"}, {NS, "NS"}, {SOA, "SOA"}, {MX, "MX"}, {TXT, "TXT"}, {SRV, "SRV"},
    {DS, "DS"}, {RRSIG, "RRSIG"}, {OPT, "OPT"}, {255, "ANY"}, {CAA, "CAA"}, {SVCB, "SVCB"}, {DNAME, "DNAME"}, {13, "HINFO"}, {35, "NAPTR"},
    {47, "NSEC"}, {48, "DNSKEY"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"}, {44, "SSHFP"}, {250, "TSIG"}, {249, "TKEY"}, {251, "IXFR"},
    {252, "AXFR"}, {CDS, "CDS"}, {60, "CDNSKEY"}, {SPF, "SPF"}, {3, "MD"}, {4, "MF"}, {7, "MB"}, {8, "MG"}, {9, "MR"}, {10, "NULL"}, {11, "WKS"},
    {14, "MINFO"}, {17, "RP"}, {18, "AFSDB"}, {24, "SIG"}, {25, "KEY"}, {29, "LOC"}, {36, "KX"}, {37, "CERT"}, {42, "APL"}, {45, "IPSECKEY"},
    {49, "DHCID"}, {53, "SMIMEA"}, {55, "HIP"}, {61, "OPENPGPKEY"}, {62, "CSYNC"}, {63, "ZONEMD"}, {108, "EUI48"}, {109, "EUI64"}, {253, "MAILB"},
    {254, "MAILA"}, {256, "URI"}, {0, NULL},
};

static const struct known classes[] = {{3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}, {0, NULL}};

static const struct known keys[] = {            /* RFC 9460 section 14.3.2 */
    {MANDATORY, "mandatory"}, {ALPN, "alpn"}, {NO_ALPN, "no-default-alpn"}, {PORT, "port"}, {HINT4, "ipv4hint"}, {5, "ech"},
    {HINT6, "ipv6hint"}, {0, NULL},
};

/* ---- names ---- */

size_t behind_name(const struct frame *m, size_t at)
{
    for (unsigned size; frame_has(m, at, 1); at += size + 1) {
        size = get8(m, at);
        if (size == 0)
            return at + 1;
        if (size >= 0xC0)
            return frame_has(m, at, 2) ? at + 2 : 0;
        if (size >= 0x40)
            return 0;
    }
    return 0;
}

/* A label; what would end it, and what is not seen, with a `\` in front: RFC 1035 section 5.1. */
void say_label(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    for (size_t i = at; i < at + size && !t->full; i++) {
        uint8_t c = (uint8_t)get8(m, i);
        if (c == '.' || c == '\\')
            say_together(t, (const uint8_t[]){'\\', c}, 2);
        else if (c > 0x20 && c < 0x7F)
            say_together(t, &c, 1);
        else
            say_together(t, (const uint8_t[]){'\\', (uint8_t)('0' + c / 100), (uint8_t)('0' + c / 10 % 10), (uint8_t)('0' + c % 10)}, 4);
    }
}

/* A pointer leads to what stands in front of the labels that it ends, and not into the header, of `first` bytes (RFC 1035 section 4.1.4):
 * so each of them leads further back. What is wrong with a name; NULL: nothing. */
static const char *spell(struct sentence *t, const struct frame *m, size_t message, size_t first, size_t at)
{
    size_t begin = at, total = 1;
    for (;;) {
        if (!frame_has(m, at, 1))
            return CUT_OFF;
        unsigned size = get8(m, at);
        if (size >= 0xC0) {
            if (!frame_has(m, at, 2))
                return CUT_OFF;
            size_t to = message + (get16(m, at) & 0x3FFF);
            if (to >= begin || to < message + first)
                return BAD_POINTER;
            begin = at = to;
            continue;
        }
        if (size >= 0x40)
            return BAD_LABEL;
        if (size == 0) {
            say(t, total == 1 ? "." : "");
            return NULL;
        }
        if (!frame_has(m, at, size + 1))
            return CUT_OFF;
        total += size + 1;
        if (total > MOST_NAME)
            return LONG_NAME;
        say_label(t, m, at + 1, size);
        say(t, ".");
        at += size + 1;
    }
}

bool say_name_of(struct sentence *t, const struct frame *m, size_t message, size_t first, size_t at)
{
    const char *wrong = spell(t, m, message, first, at);
    if (wrong != NULL)
        say_mark(t, wrong);
    return wrong == NULL;
}

static bool say_name(struct sentence *t, const struct frame *m, size_t message, size_t at)
{
    return say_name_of(t, m, message, HEADER, at);
}

/* ---- values ---- */

struct record {
    unsigned type, class;
    size_t data, end;
};

static void say_type(struct sentence *t, unsigned type)
{
    say_word(t, types, type, "TYPE");
}

static void say_class(struct sentence *t, unsigned class)
{
    if (class != 1) {
        say_word(t, classes, class, "CLASS");
        say(t, " ");
    }
}

/* Bytes, not all where they are many. */
static void say_data(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    say_dump(t, m, at, least(size, MOST_DATA), "");
    say(t, size > MOST_DATA ? "..." : "");
}

/* RFC 3597 section 5. */
static void say_unknown(struct sentence *t, const struct frame *m, size_t at, size_t size)
{
    say(t, "\\# ");
    say_count(t, size);
    say(t, size > 0 ? " " : "");
    say_data(t, m, at, size);
}

/* Strings, each with its borders: RFC 1035 section 3.3.14. Whether the last one ends where they do. */
static bool say_strings(struct sentence *t, const struct frame *m, size_t at, size_t end)
{
    for (size_t first = at, size; at < end && !t->full; at += size + 1) {
        size = get8(m, at);
        say(t, at > first ? " " : "");
        say_quoted(t, m, at + 1, least(size, end - at - 1));
        if (size > end - at - 1)
            return false;
    }
    return true;
}

/* RFC 4034 section 3.2. */
static void say_time(struct sentence *t, uint32_t seconds)
{
    say_moment(t, seconds, true);
}

/* A parameter of SVCB: RFC 9460 sections 7 and 8. Whether its value has the form that its key asks for. */
static bool say_parameter(struct sentence *t, const struct frame *m, unsigned key, size_t at, size_t size)
{
    size_t first = at, end = at + size, each = key == HINT4 ? 4 : key == HINT6 ? 16 : 2;
    say_word(t, keys, key, "key");
    say(t, size > 0 ? "=" : "");
    switch (key) {
    case ALPN:
        for (size_t one; at < end && !t->full; at += one + 1) {
            one = get8(m, at);
            if (one > end - at - 1)
                return false;
            say(t, at > first ? "," : "");
            for (size_t i = 1; i <= one; i++)
                say_octet(t, (uint8_t)get8(m, at + i), ',');
        }
        return true;
    case MANDATORY: case PORT: case HINT4: case HINT6:
        for (; at + each <= end && !t->full; at += each) {
            say(t, at > first ? "," : "");
            if (key == MANDATORY)
                say_word(t, keys, get16(m, at), "key");
            else if (key == PORT)
                say_count(t, get16(m, at));
            else
                say_address(t, m, at, each);
        }
        return size > 0 && size % each == 0 && (key != PORT || size == 2);
    default:
        say_data(t, m, at, size);
        return key != NO_ALPN || size == 0;
    }
}

static bool say_parameters(struct sentence *t, const struct frame *m, size_t at, size_t end)
{
    while (at < end && !t->full) {
        size_t size = get16(m, at + 2);
        if (end - at < 4 || size > end - at - 4)
            return false;
        say(t, " ");
        if (!say_parameter(t, m, get16(m, at), at + 4, size))
            return false;
        at += size + 4;
    }
    return at == end || t->full;
}

/* Numbers, of as many bytes each as the figures say, with a blank behind each. Gives where they end. */
static size_t say_numbers(struct sentence *t, const struct frame *m, size_t at, const char *sizes)
{
    for (; *sizes != '\0'; sizes++) {
        say_count(t, *sizes == '1' ? get8(m, at) : *sizes == '2' ? get16(m, at) : get32(m, at));
        say(t, " ");
        at += (size_t)(*sizes - '0');
    }
    return at;
}

/* A name that is to end where the data do; whether it does. One that is wrong has said so. */
static bool say_last(struct sentence *t, const struct frame *m, size_t message, size_t at, size_t end)
{
    return !say_name(t, m, message, at) || behind_name(m, at) == end;
}

static bool say_soa(struct sentence *t, const struct frame *m, size_t message, size_t at, size_t end)
{
    for (int name = 0; name < 2; name++) {
        if (!say_name(t, m, message, at))
            return true;
        say(t, " ");
        at = behind_name(m, at);
    }
    if (at + 20 != end)
        return false;
    say_count(t, get32(m, say_numbers(t, m, at, "4444")));
    return true;
}

/* The value of a record, as a file of records has it. Whether its data are as long as they should be. */
static bool say_value(struct sentence *t, const struct frame *m, size_t message, const struct record *r)
{
    size_t at = r->data, end = r->end, size = end - at;
    switch (r->type) {
    case A: case AAAA:
        if (size == (r->type == A ? 4 : 16))
            say_address(t, m, at, size);
        return size == (r->type == A ? 4 : 16);
    case NS: case CNAME: case PTR: case DNAME:
        return say_last(t, m, message, at, end);
    case MX:
        return size > 2 && say_last(t, m, message, say_numbers(t, m, at, "2"), end);
    case SRV:
        return size > 6 && say_last(t, m, message, say_numbers(t, m, at, "222"), end);
    case SOA:
        return say_soa(t, m, message, at, end);
    case TXT: case SPF:
        return say_strings(t, m, at, end);
    case CAA:                   /* RFC 8659 section 4.1.1 */
        if (size < 2 || get8(m, at + 1) > size - 2)
            return false;
        at = say_numbers(t, m, at, "1") + 1;
        say_octets(t, m, at, get8(m, at - 1));
        say(t, " ");
        at += get8(m, at - 1);
        say_quoted(t, m, at, end - at);
        return true;
    case DS: case CDS:          /* RFC 4034 section 5.3 */
        if (size < 4)
            return false;
        at = say_numbers(t, m, at, "211");
        say_data(t, m, at, end - at);
        return true;
    case RRSIG:                 /* RFC 4034 section 3.2; the signature is left out */
        if (size < 18)
            return false;
        say_type(t, get16(m, at));
        say(t, " ");
        at = say_numbers(t, m, at + 2, "114");
        say_time(t, get32(m, at));
        say(t, " ");
        say_time(t, get32(m, at + 4));
        say(t, " ");
        at = say_numbers(t, m, at + 8, "2");
        return !say_name(t, m, message, at) || behind_name(m, at) <= end;
    case SVCB: case HTTPS:      /* RFC 9460 section 2.1 */
        if (size < 3)
            return false;
        at = say_numbers(t, m, at, "2");
        return !say_name(t, m, message, at) || say_parameters(t, m, behind_name(m, at), end);
    default:
        say_unknown(t, m, at, size);
        return true;
    }
}

/* ---- messages ---- */

/* The record at `at`; where the next one stands; 0: it is not all there. */
static size_t record_at(const struct frame *m, size_t at, struct record *r)
{
    size_t behind = behind_name(m, at);
    if (behind == 0 || !frame_has(m, behind, 10))
        return 0;
    r->type = get16(m, behind);
    r->class = get16(m, behind + 2);
    r->data = behind + 10;
    r->end = r->data + get16(m, behind + 8);
    return r->end <= m->size ? r->end : 0;
}

/* The upper bits of the response code, in a record that may stand anywhere among the additional ones: RFC 6891 section 6.1.3. */
static unsigned extended_code(const struct frame *m, size_t message)
{
    unsigned questions = get16(m, message + 4), others = get16(m, message + 6) + get16(m, message + 8), more = get16(m, message + 10);
    size_t at = message + HEADER;
    for (; questions > 0; questions--) {
        at = behind_name(m, at);
        if (at == 0)
            return 0;
        at += 4;
    }
    struct record r;
    for (unsigned i = 0; i < others + more; i++) {
        at = record_at(m, at, &r);
        if (at == 0)
            return 0;
        if (i >= others && r.type == OPT)
            return get8(m, r.data - 6) << 4;
    }
    return 0;
}

/* The name that was told last, by which the owner of the next record is left out. */
struct last {
    uint8_t text[MOST_TOLD];
    size_t size;
};

static bool is_last(const struct last *a, const struct last *b)
{
    bool same = a->size == b->size;
    for (size_t i = 0; same && i < a->size; i++)
        same = lower(a->text[i]) == lower(b->text[i]);
    return same;
}

static void keep_name(struct last *last, const struct frame *m, size_t message, size_t at)
{
    struct sentence name = {.at = last->text};
    spell(&name, m, message, HEADER, at);
    last->size = name.size;
}

/* The top bit of a class is another thing in multicast DNS (RFC 6762 sections 5.4, 10.2); there are no such classes elsewhere. */
static unsigned without_top(unsigned class, bool *top)
{
    *top = class >= 0x8000 && class < 0xFF00;
    return *top ? class & 0x7FFF : class;
}

/* A question; where the next one stands; 0: nothing can be told of what follows. */
static size_t say_question(struct sentence *t, const struct frame *m, size_t message, size_t at)
{
    size_t behind = behind_name(m, at);
    if (behind == 0 || !frame_has(m, behind, 4)) {
        if (say_name(t, m, message, at))
            say_cut(t);
        return 0;
    }
    bool unicast;
    say_class(t, without_top(get16(m, behind + 2), &unicast));
    say_type(t, get16(m, behind));
    say(t, unicast ? " (QU)? " : "? ");
    say_name(t, m, message, at);
    return behind + 4;
}

/* A record, the same. */
static size_t say_record(struct sentence *t, const struct frame *m, size_t message, size_t at, struct last *last)
{
    struct record r;
    struct last owner;
    size_t next = record_at(m, at, &r), behind = behind_name(m, at);
    keep_name(&owner, m, message, at);
    if (next == 0 || !is_last(&owner, last)) {
        say_name(t, m, message, at);
        *last = owner;
        say(t, behind != 0 && frame_has(m, behind, 10) ? " " : "");
    }
    if (behind == 0 || !frame_has(m, behind, 10)) {
        if (behind != 0)
            say_cut(t);
        return 0;
    }
    bool flush;
    unsigned class = without_top(r.class, &flush);
    if (r.type != OPT) {
        say(t, flush ? "(flush) " : "");
        say_class(t, class);
    }
    say_type(t, r.type);
    if (next == 0) {
        say_cut(t);
        return 0;
    }
    if (r.type == CNAME || r.type == DNAME)
        keep_name(last, m, message, r.data);
    if (r.data < r.end) {       /* there are none in an update: RFC 2136 section 2.5.2 */
        say(t, " ");
        if (!say_value(t, m, message, &r))
            say_mark(t, BAD_LENGTH);
    }
    return next;
}

static void say_amount(struct sentence *t, unsigned count, const char *of)
{
    if (count == 0)
        return;
    say(t, " [");
    say_count(t, count);
    say(t, of);
    say(t, "]");
}

/* Flags as tcpdump has them: `*` authoritative, `-` no recursion, `|` truncated, `$` authentic, `+` recursion desired, `%` unchecked. */
static void say_flags(struct sentence *t, unsigned flags, bool answers, bool link_local)
{
    if (link_local) {           /* RFC 4795 section 2.1.1 */
        say(t, flags & AA ? " conflict" : "");
        say(t, flags & RD ? " tentative" : "");
        say(t, flags & TC ? "|" : "");
        return;
    }
    say(t, !answers && flags & RD ? "+" : "");
    say(t, flags & AA ? "*" : "");
    say(t, answers && (flags & RA) == 0 ? "-" : "");
    say(t, flags & TC ? "|" : "");
    say(t, flags & AD ? "$" : "");
    say(t, !answers && flags & CD ? "%" : "");
}

static void say_message(struct sentence *t, const struct frame *m, size_t message, bool link_local)
{
    unsigned flags = get16(m, message + 2), opcode = flags >> 11 & 15, counts[4];
    for (size_t i = 0; i < 4; i++)
        counts[i] = get16(m, message + 4 + 2 * i);
    bool answers = (flags & QR) != 0;
    say_count(t, get16(m, message));
    say_word(t, opcodes, opcode, " op");
    say_word(t, codes, (flags & 15) | extended_code(m, message), " rcode");
    say_flags(t, flags, answers, link_local);
    if (!answers) {
        say_amount(t, counts[1], "a");
        say_amount(t, counts[2], "n");
        say_amount(t, counts[3], "au");
    }
    struct last last = {.size = 0};
    size_t at = message + HEADER;
    for (unsigned i = 0; i < counts[0] && at != 0 && !t->full; i++) {
        say(t, i > 0 ? ", " : " ");
        if (i == 0)
            keep_name(&last, m, message, at);
        at = say_question(t, m, message, at);
    }
    if (answers) {
        say(t, " ");
        say_count(t, counts[1]);
        say(t, "/");
        say_count(t, counts[2]);
        say(t, "/");
        say_count(t, counts[3]);
    }
    unsigned told = answers ? counts[1] : opcode == UPDATE ? counts[1] + counts[2] : 0;
    for (unsigned i = 0; i < told && at != 0 && !t->full; i++) {
        say(t, i > 0 ? ", " : " ");
        at = say_record(t, m, message, at, &last);
    }
}

/* The message of a datagram, whose ports stand in front of it. */
void tell_dns(struct sentence *t, const struct frame *m, size_t at)
{
    bool link_local = at >= 8 && (get16(m, at - 8) == LLMNR || get16(m, at - 6) == LLMNR);
    if (frame_has(m, at, HEADER))
        say_message(t, m, at, link_local);
}

/* The messages of a segment, each behind its length: RFC 1035 section 4.2.2, RFC 7766 section 8. */
void tell_dns_tcp(struct sentence *t, const struct frame *m, size_t at)
{
    for (size_t first = at, size; at < m->size && !t->full; at += size + 2) {
        size = get16(m, at);
        if (at == first && (!frame_has(m, at, HEADER + 2) || size < HEADER))
            return;
        say(t, at > first ? "; " : "");
        if (frame_has(m, at, 2) && size < HEADER) {
            say_mark(t, BAD_LENGTH);
            return;
        }
        const struct frame one = {m->at, least(at + 2 + size, m->size)};
        if (frame_has(&one, at, HEADER + 2))
            say_message(t, &one, at + 2, false);
        if (!frame_has(m, at, size + 2) || !frame_has(m, at, 2))
            say_cut(t);
    }
}
