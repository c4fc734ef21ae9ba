/* Where messages end, and the sums of their pseudo-headers; what they are says exceptions.c. Twin of ../python/message.py. */
#include "words.h"

/* Where what the header at `index` lies in ended on the wire: the datagram of an IP header before it, what says its own end or has
 * a trailer, or else the whole packet. */
size_t wire_end(const struct packet_view *p, size_t index)
{
    for (size_t i = index; i-- > 0;) {
        const struct header *h = &p->walk.header[i];
        if (h->end <= p->walk.header[index].start)
            continue;                           /* it stands beside it, as the frames of an A-MSDU do */
        size_t size = carries_message(h) ? datagram_said(&p->frame, h) : 0;
        if (size != 0)                          /* 0 is segmentation offload, see ip.protocol, ipv6.protocol */
            return h->start + size;
        if (!carries_message(h) && h->end < p->frame.size)
            return h->end;
    }
    return p->original > (int64_t)p->frame.size ? (size_t)p->original : p->frame.size;
}

/* What a packet is when something is missing: truncated, unless it says that nothing was. */
enum outcome missing(const struct packet_view *p)
{
    return p->original > (int64_t)p->frame.size ? TRUNCATED : MALFORMED;
}

/* The words of the pseudo-header: RFC 9293 3.1, RFC 8200 8.1. */
uint64_t pseudo_words(const struct frame *f, const struct message *m)
{
    if (!m->pseudo)
        return 0;
    uint64_t total = words_of(m->length + m->protocol);
    if (!m->v6 && m->destination == m->source + 4 && frame_has(f, m->source, 8))     /* unless it has a route */
        return total + halves(word64(frame_range(f, m->source, 8)));
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
