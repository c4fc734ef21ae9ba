/* The Internet checksum (RFC 1071), the CRC of SCTP, and who carries one: the rules, once. Twin of ../python/checksum.py. */
#include "codec.h"

static uint32_t crc_table[256];

void checksum_prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;   /* CRC32c, its bits reversed: RFC 9260 appendix A */
        crc_table[i] = crc;
    }
}

static uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t size)
{
    for (; size > 0; at++, size--)
        crc = crc >> 8 ^ crc_table[(crc ^ *at) & 0xFF];
    return crc;
}

/* The 16-bit one's complement sum of big-endian words, an odd last byte padded with zero. */
uint32_t sum(const uint8_t *at, size_t size)
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

unsigned finished(uint64_t total)
{
    while (total >> 16 != 0)
        total = (total & 0xFFFF) + (total >> 16);
    return ~(unsigned)total & 0xFFFF;
}

/* Where the datagram of the IP header before `index`, or else the whole packet, ended on the wire. */
size_t wire_end(const struct packet_view *p, size_t index)
{
    for (size_t i = index; i-- > 0;) {
        const struct header *h = &p->walk.header[i];
        unsigned size = h->kind == IP ? get16(&p->frame, h->start + 2) : h->kind == IPV6 ? get16(&p->frame, h->start + 4) : 0;
        if (size != 0)                          /* 0 is segmentation offload, see headers.c */
            return h->start + size + (h->kind == IPV6 ? 40 : 0);
    }
    return p->original > (int64_t)p->frame.size ? (size_t)p->original : p->frame.size;
}

/* What a packet is when something is missing: cut short, unless it says that nothing was. */
enum outcome missing(const struct packet_view *p)
{
    return p->original > (int64_t)p->frame.size ? CUT_SHORT : MALFORMED;
}

bool within(const struct packet_view *p, size_t at, size_t size)
{
    return frame_has(&p->frame, at, size);
}

/* Where in a message its checksum stands; 0: it has none. */
size_t checksum_place(const struct frame *f, const struct message *m)
{
    switch (m->protocol) {
    case 1: return m->v6 ? 0 : 2;       /* ICMP, RFC 792 */
    case 2: return m->v6 ? 0 : 2;       /* IGMP, RFC 2236 section 2.3: the whole message */
    case 6: return 16;                  /* TCP, RFC 9293 section 3.1 */
    case 17: return 6;                  /* UDP, RFC 768 */
    case 47: return (get16(f, m->at) & 0xC007) == 0x8000 ? 4 : 0;   /* GRE, RFC 2784 section 2.3: where a flag says so */
    case 58: return m->v6 ? 2 : 0;      /* ICMPv6, RFC 4443 section 2.3 */
    case 132: return 8;                 /* SCTP, RFC 9260 section 3.1 */
    default: return 0;
    }
}

static size_t least_size(unsigned protocol)
{
    return protocol == 6 ? 20 : protocol == 132 ? 12 : protocol == 17 || protocol == 2 || protocol == 47 ? 8 : 4;
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

static enum outcome message_of_ip(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, header_size = (get8(f, at) & 15) * 4, total = get16(f, at + 2);
    if (header_size < 20)
        return MALFORMED;
    if (!within(p, at, header_size))
        return missing(p);
    if (total == 0)                             /* segmentation offload, see headers.c */
        total = wire_end(p, index) - at;
    if (total < header_size || total > 0xFFFF)
        return MALFORMED;
    *m = (struct message){get8(f, at + 9), false, at + header_size, total - header_size, at + 12, at + 16};
    return (get16(f, at + 6) & 0x3FFF) != 0 ? FRAGMENT : CORRECTED;
}

static enum outcome message_of_ipv6(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, payload = get16(f, at + 4);
    size_t end = payload == 0 ? wire_end(p, index) : at + 40 + payload;     /* 0: a jumbogram, or segmentation offload */
    bool piece = false;
    *m = (struct message){get8(f, at + 6), true, at + 40, 0, at + 8, at + 24};
    for (size_t i = index + 1; i < p->walk.count; i++) {
        const struct header *h = &p->walk.header[i];
        if (h->kind < IPV6_OPTIONS || h->kind > IPV6_AH)
            break;
        if (h->kind == IPV6_ROUTING && !route_end(f, h, &m->destination))
            return MALFORMED;
        piece |= h->kind == IPV6_FRAGMENT && (get16(f, h->start + 2) & 0xFFF9) != 0;
        m->protocol = get8(f, h->start);
        m->at = h->end;
    }
    if (m->at > end || (extension(m->protocol) != UNKNOWN && !piece))   /* it goes past the end, or deeper than the walk */
        return missing(p);
    m->size = end - m->at;
    return piece ? FRAGMENT : CORRECTED;
}

/* What the IP header at `index` carries. `m` is filled in for fragments too: what a first one begins with. */
enum outcome message_of(const struct packet_view *p, size_t index, struct message *m)
{
    *m = (struct message){0};
    return p->walk.header[index].kind == IP ? message_of_ip(p, index, m) : message_of_ipv6(p, index, m);
}

/* The pseudo-header's part of a sum: RFC 9293 3.1, RFC 8200 8.1. */
uint64_t pseudo_sum(const struct frame *f, const struct message *m)
{
    size_t address = m->v6 ? 16 : 4;
    if (m->protocol != 6 && m->protocol != 17 && !(m->v6 && m->protocol == 58))
        return 0;
    if (!frame_has(f, m->source, address) || !frame_has(f, m->destination, address))
        return 0;
    return (uint64_t)sum(f->at + m->source, address) + sum(f->at + m->destination, address)
        + m->protocol + (m->size >> 16) + (m->size & 0xFFFF);
}

/* The checksum of the IPv4 header at `index`; none when it was not captured in full, or is none. */
struct checksum header_checksum(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    size_t size = (get8(&p->frame, h->start) & 15) * 4;
    if (h->kind != IP || size < 20 || !within(p, h->start, size))
        return (struct checksum){0};
    const uint8_t *at = p->frame.at + h->start;
    return (struct checksum){h->start + 10, 2, finished((uint64_t)sum(at, 10) + sum(at + 12, size - 12))};
}

/* Whether 0 means that there is no checksum (RFC 768) and stays: in tunnels, where nobody needs two. */
static bool zero_stays(const struct packet_view *p, size_t index, const struct message *m)
{
    if (m->protocol != 17 || m->v6 || get16(&p->frame, m->at + 6) != 0)
        return false;
    for (size_t i = 0; i < index; i++)
        if (p->walk.header[i].kind == IP || p->walk.header[i].kind == IPV6)
            return true;
    return index + 2 < p->walk.count && p->walk.header[index + 2].kind == VXLAN;
}

/* The message behind the IP header at `index` and the checksum it should carry. */
enum outcome message_checksum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    const struct frame *f = &p->frame;
    *c = (struct checksum){0};
    enum outcome outcome = message_of(p, index, m);
    if (outcome != CORRECTED && outcome != FRAGMENT)
        return outcome;
    size_t place = checksum_place(f, m);
    if (place == 0)
        return CORRECTED;
    if (outcome == FRAGMENT)
        return FRAGMENT;
    if (!within(p, m->at, m->size))
        return missing(p);
    if (m->size < least_size(m->protocol))
        return MALFORMED;
    if (m->protocol == 17) {
        size_t length = get16(f, m->at + 4);
        if (length == 0 && m->v6)               /* a jumbogram, RFC 2675 section 4 */
            length = m->size;
        if (length < 8 || length > m->size)
            return MALFORMED;
        m->size = length;
    }
    if (zero_stays(p, index, m))
        return CORRECTED;
    const uint8_t *at = f->at + m->at;
    if (m->protocol == 132) {
        static const uint8_t zeros[4];
        uint32_t crc = crc32c(crc32c(0xFFFFFFFF, at, 8), zeros, 4);
        *c = (struct checksum){m->at + 8, 4, reversed(~crc32c(crc, at + 12, m->size - 12))};   /* little-endian in the packet */
        return CORRECTED;
    }
    unsigned value = finished(pseudo_sum(f, m) + sum(at, place) + sum(at + place + 2, m->size - place - 2));
    if (value == 0 && m->protocol == 17)        /* 0 says that there is none: RFC 768 */
        value = 0xFFFF;
    *c = (struct checksum){m->at + place, 2, value};
    return CORRECTED;
}

uint32_t checksum_read(const struct frame *f, const struct checksum *c)
{
    return c->size == 4 ? get32(f, c->at) : get16(f, c->at);
}

void checksum_write(const struct frame *f, const struct checksum *c)
{
    if (c->size == 4)
        put16(f, c->at, c->value >> 16);
    if (c->size > 0)
        put16(f, c->at + c->size - 2, c->value & 0xFFFF);
}
