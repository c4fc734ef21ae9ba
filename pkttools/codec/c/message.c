/* What an IP header carries: how much of it, and between whom: what a pseudo-header says. Twin of ../python/message.py. */
#include "words.h"

/* Where what the header at `index` lies in ended on the wire: the datagram of an IP header before it, what says its own end or has
 * a trailer, or else the whole packet. */
size_t wire_end(const struct packet_view *p, size_t index)
{
    for (size_t i = index; i-- > 0;) {
        const struct header *h = &p->walk.header[i];
        unsigned size = h->kind == IP ? ip_total(&p->frame, h->start) : h->kind == IPV6 ? ipv6_payload(&p->frame, h->start) : 0;
        if (size != 0)                          /* 0 is segmentation offload, see ip.protocol, ipv6.protocol */
            return h->start + size + (h->kind == IPV6 ? IPV6_SIZE : 0);
        if (h->kind != IP && h->kind != IPV6 && h->end < p->frame.size && h->end > p->walk.header[index].start)
            return h->end;
    }
    return p->original > (int64_t)p->frame.size ? (size_t)p->original : p->frame.size;
}

/* What a packet is when something is missing: truncated, unless it says that nothing was. */
enum outcome missing(const struct packet_view *p)
{
    return p->original > (int64_t)p->frame.size ? TRUNCATED : MALFORMED;
}

enum { END_OF_OPTIONS = 0, NO_OPERATION = 1, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };   /* RFC 791 section 3.1 */
enum { PAD1 = 0, JUMBO_PAYLOAD = 0xC2, HOME_ADDRESS = 0xC9 };   /* RFC 8200 section 4.2, RFC 2675 section 2, RFC 6275 section 6.3 */

/* Source routes (RFC 791 section 3.1, RFC 1122 section 3.2.1.8): while one is not used up, its last address is the destination. */
static void source_route(const struct frame *f, size_t at, size_t end, struct message *m)
{
    while (at < end && get8(f, at) != END_OF_OPTIONS) {
        unsigned type = get8(f, at);
        size_t size = type == NO_OPERATION ? 1 : get8(f, at + 1);
        if (size > end - at || (size < 2 && type != NO_OPERATION))
            return;
        if (type == LOOSE_ROUTE || type == STRICT_ROUTE) {
            if (size >= 7 && get8(f, at + 2) <= size)
                m->destination = (uint32_t)(at + 3 + ((size - 3) / 4 - 1) * 4);
            return;
        }
        at += size;
    }
}

/* Where the data of an IPv6 option of `size` bytes stand, in the extension header from `at` to `end` (RFC 8200 section 4.2). */
static size_t option_data(const struct frame *f, size_t at, size_t end, unsigned wanted, size_t size)
{
    for (at += 2; at + 2 <= end;) {
        unsigned type = get8(f, at);
        if (type == wanted && get8(f, at + 1) == size && size <= end - at - 2)
            return at + 2;
        at += type == PAD1 ? 1 : 2 + get8(f, at + 1);
    }
    return 0;
}

/* Where the IPv6 header at `at` has the payload size of a jumbogram, in four bytes (RFC 2675 section 2); 0: it has none. */
size_t jumbo_place(const struct frame *f, size_t at)
{
    if (ipv6_payload(f, at) != 0 || ipv6_next(f, at) != PROTO_HOPOPT)
        return 0;
    size_t start = at + IPV6_SIZE, end = start + ((size_t)extension_length(f, start) + 1) * 8;
    return end <= f->size ? option_data(f, start, end, JUMBO_PAYLOAD, 4) : 0;
}

enum { SOURCE_ROUTE = 0, HOME_ROUTE = 2, RPL_ROUTE = 3, SEGMENT_ROUTE = 4 };   /* IANA "IPv6 Routing Types" */

/* With segments left, the pseudo-header has the last address of the route (RFC 8200 section 8.1): of type 0 the last one of the
 * list (RFC 2460 4.4), of type 2 the only one (RFC 6275 6.4), of type 3 the last one, which leaves out what it has in common
 * with the header's destination (RFC 6554 section 3), of type 4 the first one (RFC 8754 section 2). False: there is none.
 */
static bool route_end(const struct frame *f, const struct header *h, struct message *m)
{
    unsigned type = route_type(f, h->start), left = route_left(f, h->start);
    size_t size = (size_t)extension_length(f, h->start) * 8, list = h->start + EXTENSION_SIZE, shared = 0, tail = 0;
    if (left == 0)                              /* whatever its type: RFC 8200 section 4.4 */
        return true;
    m->obscure = type != SOURCE_ROUTE && type != HOME_ROUTE && type != RPL_ROUTE && type != SEGMENT_ROUTE;
    if (m->obscure)
        return true;
    if (type == RPL_ROUTE) {
        shared = get8(f, h->start + 4) & 15;
        tail = get8(f, h->start + 5) >> 4;
    } else if (type == SOURCE_ROUTE)
        tail = size % 16;
    if (size < tail + 16 - shared || list + size > h->end)
        return false;
    m->shared = (uint8_t)shared;
    m->destination = (uint32_t)(type == HOME_ROUTE || type == SEGMENT_ROUTE ? list : list + size - tail - (16 - shared));
    return true;
}

static enum outcome message_of_ip(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, header_size = ip_header_size(f, at), total = ip_total(f, at);
    if (header_size < IP_SIZE)
        return MALFORMED;
    if (!within(p, at, header_size))
        return missing(p);
    if (total == 0)                             /* segmentation offload, see ip.protocol */
        total = wire_end(p, index) - at;
    if (total < header_size)
        return MALFORMED;
    m->protocol = (uint8_t)ip_protocol(f, at);
    m->at = at + header_size;
    m->size = total - header_size;
    m->source = (uint32_t)at + IP_SOURCE_AT;
    m->destination = (uint32_t)at + IP_DESTINATION_AT;
    if (header_size > IP_SIZE)
        source_route(f, at + IP_SIZE, at + header_size, m);
    for (size_t i = index + 1; i < p->walk.count; i++) {    /* AH: RFC 4302 section 3.1 */
        const struct header *h = &p->walk.header[i];
        if (h->start != m->at || h->end > at + total || !extends(h->kind))
            break;
        m->protocol = (uint8_t)extension_next(f, h);
        m->size -= h->end - m->at;
        m->at = h->end;
        m->sealed = true;
    }
    return ip_is_fragment(f, at) ? FRAGMENT : CORRECTED;
}

static enum outcome message_of_ipv6(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, payload = ipv6_payload(f, at);
    size_t end = payload == 0 ? wire_end(p, index) : at + IPV6_SIZE + payload;      /* 0: a jumbogram, or segmentation offload */
    bool fragment = false, last = false;
    m->protocol = (uint8_t)ipv6_next(f, at);
    m->v6 = true;
    m->at = at + IPV6_SIZE;
    m->source = (uint32_t)at + IPV6_SOURCE_AT;
    m->destination = m->head = (uint32_t)at + IPV6_DESTINATION_AT;
    size_t i = index + 1;
    for (; i < p->walk.count && !last; i++) {
        const struct header *h = &p->walk.header[i];
        if (!extends(h->kind))
            break;
        if (h->kind == IPV6_ROUTING && !route_end(f, h, m))
            return MALFORMED;
        size_t home = m->protocol == PROTO_IPV6_OPTS ? option_data(f, h->start, h->end, HOME_ADDRESS, 16) : 0;
        if (home != 0)
            m->source = (uint32_t)home;
        fragment |= h->kind == IPV6_FRAGMENT && ipv6_is_fragment(f, h->start);
        m->sealed |= h->kind == IPV6_AH;
        last = has_rule(h->kind) && extension_next(f, h) == PROTO_IPV6_NONXT;     /* with a checksum it is a message itself */
        if (!last) {
            m->protocol = (uint8_t)extension_next(f, h);
            m->at = h->end;
        }
    }
    bool deeper = i == p->walk.count && !fragment && !last && is_extension(m->protocol);    /* than the walk, which ended there */
    if (m->at > end || deeper)
        return missing(p);
    m->size = end - m->at;
    return fragment ? FRAGMENT : CORRECTED;
}

/* What the IP header at `index` carries. `m` is filled in for fragments too: what a first one begins with. */
enum outcome message_of(const struct packet_view *p, size_t index, struct message *m)
{
    *m = (struct message){0};
    return p->walk.header[index].kind == IP ? message_of_ip(p, index, m) : message_of_ipv6(p, index, m);
}

/* The words of the pseudo-header: RFC 9293 3.1, RFC 8200 8.1. */
uint64_t pseudo_words(const struct frame *f, const struct message *m)
{
    if (!m->pseudo)
        return 0;
    uint64_t total = words_of(m->length + m->protocol);
    if (!m->v6)
        return total + words_of(get32(f, m->source)) + words_of(get32(f, m->destination));
    if (!frame_has(f, m->source, 16) || !frame_has(f, m->destination, 16 - m->shared))
        return 0;
    total += words(frame_range(f, m->source, 16), 16);
    if (m->shared == 0)
        return total + words(frame_range(f, m->destination, 16), 16);
    uint8_t address[16];
    memcpy(address, frame_range(f, m->head, m->shared), m->shared);
    memcpy(address + m->shared, frame_range(f, m->destination, 16u - m->shared), 16 - m->shared);
    return total + words(address, 16);
}
