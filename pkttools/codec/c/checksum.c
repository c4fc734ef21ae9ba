/* The Internet checksum (RFC 1071) and who carries one: the rules, once. Twin of ../python/checksum.py. */
#include "codec.h"

/* The 16-bit one's complement sum of big-endian words, an odd last byte padded with zero. */
static uint32_t sum(const uint8_t *at, size_t size)
{
    uint64_t total = 0;
    uint32_t word;
    for (; size >= 4; at += 4, size -= 4) {     /* in the machine's byte order: the sum does not mind, RFC 1071 2(B) */
        memcpy(&word, at, 4);
        total += word;
    }
    word = 0;
    if (size > 0)
        memcpy(&word, at, size);
    total += word;
    while (total >> 16 != 0)
        total = (total & 0xFFFF) + (total >> 16);
    const uint16_t probe = 1;
    bool little_endian = *(const uint8_t *)&probe == 1;
    return (uint32_t)(little_endian ? (total >> 8 | (total & 0xFF) << 8) : total);
}

static unsigned finished(uint64_t total)
{
    while (total >> 16 != 0)
        total = (total & 0xFFFF) + (total >> 16);
    return ~(unsigned)total & 0xFFFF;
}

/* What one IP header says of the message behind it. */
struct message {
    unsigned protocol;
    bool v6;
    size_t at, size;            /* size by the IP header; it may go past the captured bytes */
    size_t destination;         /* where the pseudo-header's destination address stands */
    size_t source;
};

static size_t checksum_place(const struct message *m)
{
    switch (m->protocol) {
    case 1: return m->v6 ? 0 : 2;       /* ICMP, RFC 792 */
    case 2: return m->v6 ? 0 : 2;       /* IGMP, RFC 2236 section 2.3: the whole message */
    case 6: return 16;                  /* TCP, RFC 9293 section 3.1 */
    case 17: return 6;                  /* UDP, RFC 768 */
    case 58: return m->v6 ? 2 : 0;      /* ICMPv6, RFC 4443 section 2.3 */
    default: return 0;
    }
}

static size_t least_size(unsigned protocol)
{
    return protocol == 6 ? 20 : protocol == 17 || protocol == 2 ? 8 : 4;
}

static enum outcome correct_message(const struct frame *f, struct message m)
{
    size_t place = checksum_place(&m);
    if (place == 0)
        return CORRECTED;
    if (m.size < least_size(m.protocol))
        return MALFORMED;
    if (m.protocol == 17) {
        size_t length = get16(f, m.at + 4);
        if (length == 0 && m.v6)                /* a jumbogram, RFC 2675 section 4 */
            length = m.size;
        if (length < 8 || length > m.size)
            return MALFORMED;
        m.size = length;
    }
    uint64_t total = 0;
    if (m.protocol == 6 || m.protocol == 17 || m.v6) {     /* the pseudo-header: RFC 9293 3.1, RFC 8200 8.1 */
        size_t address = m.v6 ? 16 : 4;
        total += sum(f->at + m.source, address) + sum(f->at + m.destination, address);
        total += m.protocol + (m.size >> 16) + (m.size & 0xFFFF);
    }
    put16(f, m.at + place, 0);
    unsigned value = finished(total + sum(f->at + m.at, m.size));
    if (value == 0 && m.protocol == 17)         /* 0 says that there is none: RFC 768 */
        value = 0xFFFF;
    put16(f, m.at + place, value);
    return CORRECTED;
}

/* Whether `declared` bytes from `at` were captured; if not, whose fault it is. */
static enum outcome captured(const struct frame *f, size_t at, size_t declared, int64_t original)
{
    if (frame_has(f, at, declared))
        return CORRECTED;
    return original > (int64_t)f->size ? CUT_SHORT : MALFORMED;
}

/* Bytes from `at` to the end of the frame as it was on the wire. What follows the datagram in a frame of Ethernet's
 * least size is padding when it is all zero; `declared` is then right as it is.
 */
static size_t wire_size(const struct frame *f, size_t at, size_t declared, size_t least, int64_t original, int64_t linktype)
{
    size_t end = original > (int64_t)f->size ? (size_t)original : f->size;
    if (linktype == 1 && end <= 60 && declared >= least && declared <= end - at) {
        size_t i = at + declared;
        while (i < f->size && get8(f, i) == 0)
            i++;
        if (i >= f->size)
            return declared;
    }
    return end - at;
}

static void set_udp_size(const struct frame *f, const struct message *m, enum correction what)
{
    if (what == LENGTHS && m->protocol == 17 && m->size >= 8 && m->size <= 0xFFFF)
        put16(f, m->at + 4, (unsigned)m->size);
}

static enum outcome correct_ip(const struct frame *f, size_t at, int64_t original, int64_t linktype, enum correction what)
{
    size_t header_size = (get8(f, at) & 15) * 4, total = get16(f, at + 2);
    if (header_size < 20)
        return MALFORMED;
    enum outcome outcome = captured(f, at, header_size, original);
    if (outcome != CORRECTED)
        return outcome;
    if (what == LENGTHS) {
        total = wire_size(f, at, total, header_size, original, linktype);
        if (total > 0xFFFF)
            return MALFORMED;
        put16(f, at + 2, (unsigned)total);
    }
    if (what != TRANSPORT) {
        put16(f, at + 10, 0);
        put16(f, at + 10, finished(sum(f->at + at, header_size)));
    }
    if (total == 0)                             /* segmentation offload, see headers.c */
        total = original > (int64_t)f->size ? (size_t)original - at : f->size - at;
    if (total < header_size || total > 0xFFFF)
        return MALFORMED;
    struct message m = {get8(f, at + 9), false, at + header_size, total - header_size, at + 16, at + 12};
    if (checksum_place(&m) == 0)
        return CORRECTED;
    if ((get16(f, at + 6) & 0x3FFF) != 0)
        return FRAGMENT;
    set_udp_size(f, &m, what);
    outcome = captured(f, m.at, m.size, original);
    return outcome == CORRECTED ? correct_message(f, m) : outcome;
}

/* With segments left, the pseudo-header has the last address of the route (RFC 8200 section 8.1): of type 0 the last
 * one of the list (RFC 2460 4.4), of type 2 the only one (RFC 6275 6.4), of type 4 the first one (RFC 8754 section 2).
 */
static bool route_end(const struct frame *f, const struct header *h, size_t *destination)
{
    unsigned type = get8(f, h->start + 2), addresses = get8(f, h->start + 1) / 2;
    if (get8(f, h->start + 3) == 0)
        return true;
    if (addresses == 0 || (type != 0 && type != 2 && type != 4))
        return false;
    *destination = h->start + 8 + (type == 0 ? 16 * (addresses - 1) : 0);
    return *destination + 16 <= h->end;
}

static enum outcome correct_ipv6(const struct frame *f, struct walk *w, size_t i, int64_t original,
                                 int64_t linktype, enum correction what)
{
    size_t at = w->header[i].start, payload = get16(f, at + 4);
    if (what == LENGTHS) {
        payload = wire_size(f, at, payload + 40, 40, original, linktype) - 40;
        if (payload > 0xFFFF)
            return MALFORMED;
        put16(f, at + 4, (unsigned)payload);
        walk(w, f, linktype);                   /* with the right length there may be more to see */
    }
    if (payload == 0)                           /* a jumbogram, or segmentation offload */
        payload = (original > (int64_t)f->size ? (size_t)original : f->size) - at - 40;
    size_t end = at + 40 + payload;
    struct message m = {get8(f, at + 6), true, at + 40, 0, at + 24, at + 8};
    for (i++; i < w->count && w->header[i].kind >= IPV6_OPTIONS && w->header[i].kind <= IPV6_AH; i++) {
        const struct header *h = &w->header[i];
        if (h->kind == IPV6_ROUTING && !route_end(f, h, &m.destination))
            return MALFORMED;
        if (h->kind == IPV6_FRAGMENT && (get16(f, h->start + 2) & 0xFFF9) != 0)
            return FRAGMENT;
        m.protocol = get8(f, h->start);
        m.at = h->end;
    }
    if (m.at > end || extension(m.protocol) != UNKNOWN)   /* it goes past the end, or deeper than the walk */
        return original > (int64_t)f->size ? CUT_SHORT : MALFORMED;
    m.size = end - m.at;
    if (checksum_place(&m) == 0)
        return CORRECTED;
    set_udp_size(f, &m, what);
    enum outcome outcome = captured(f, m.at, m.size, original);
    return outcome == CORRECTED ? correct_message(f, m) : outcome;
}

enum outcome correct(const struct frame *f, int64_t original, int64_t linktype, enum correction what)
{
    struct walk w;
    walk(&w, f, linktype);
    /* A tag as the last header that the walk follows: what lies behind it was not looked at. */
    enum outcome worst = w.count == MAX_HEADERS && w.header[w.count - 1].kind == VLAN ? MALFORMED : CORRECTED;
    for (size_t i = w.count; i-- > 0;) {        /* the innermost first: outer sums cover inner ones */
        enum outcome outcome = CORRECTED;
        if (w.header[i].kind == IP)
            outcome = correct_ip(f, w.header[i].start, original, linktype, what);
        else if (w.header[i].kind == IPV6)
            outcome = correct_ipv6(f, &w, i, original, linktype, what);
        if (outcome != CORRECTED)
            worst = outcome;
    }
    enum header_kind last = w.header[w.count - 1].kind;
    if ((w.type == 0x0800 || w.type == 0x86DD) && (last == UNKNOWN || last <= VLAN))   /* announced, but not in full */
        return original > (int64_t)f->size ? CUT_SHORT : MALFORMED;
    return worst;
}
