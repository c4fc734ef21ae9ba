/* Mends checksums, and lengths when asked. Twin of ../python/mend.py. */
#include "codec.h"

/* Bytes of the datagram at `index` as it was on the wire: what there is up to the end of what holds it. What follows the
 * datagram in a frame of Ethernet's least size is padding when it is all zero; `declared` is then right as it is.
 */
static size_t wire_size(const struct packet_view *p, size_t index, size_t declared, size_t least)
{
    const struct header *h = &p->walk.header[index];
    size_t end = wire_end(p, index), outer = index;
    if (end < h->start)
        return 0;
    while (outer > 0 && p->walk.header[outer - 1].kind == VLAN)
        outer--;
    const struct header *link = outer > 0 ? &p->walk.header[outer - 1] : NULL;
    if (link != NULL && link->kind == ETHERNET && end - link->start <= 60 && declared >= least && declared <= end - h->start) {
        size_t i = h->start + declared;
        while (i < end && get8(&p->frame, i) == 0)
            i++;
        if (i >= end)
            return declared;
    }
    return end - h->start;
}

/* Bytes that an IPv6 header at `at` declares, itself included; 0: it says nothing. A payload of 0 is segmentation offload, see
 * headers.c, unless there is no next header (RFC 8200 section 4.7).
 */
static size_t declared_ipv6(const struct frame *f, size_t at)
{
    size_t payload = get16(f, at + 4);
    return payload != 0 || get8(f, at + 6) == 59 ? 40 + payload : 0;
}

/* Sets the length in the header at `index`, if it has one. False: it cannot say that much. */
static bool set_length(const struct packet_view *p, size_t index)
{
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    if (h->kind == IP) {
        size_t header_size = (get8(f, h->start) & 15) * 4;
        if (header_size < 20 || !within(p, h->start, header_size))
            return true;                        /* what is wrong with it shows when its checksum is computed */
        size_t size = wire_size(p, index, get16(f, h->start + 2), header_size);
        if (size > 0xFFFF)
            return false;
        put16(f, h->start + 2, (unsigned)size);
    } else if (h->kind == IPV6) {
        size_t size = wire_size(p, index, declared_ipv6(f, h->start), 40);
        if (size < 40 || size - 40 > 0xFFFF)
            return false;
        put16(f, h->start + 4, (unsigned)size - 40);
    } else if (h->kind == UDP) {
        size_t end = wire_end(p, index), size = end > h->start ? end - h->start : 0;
        if (size >= 8 && size <= 0xFFFF)
            put16(f, h->start + 4, (unsigned)size);
    }
    return true;
}

static enum outcome correct_ip(const struct packet_view *p, size_t index, enum correction what)
{
    struct checksum c = header_checksum(p, index);
    if (what != TRANSPORT)
        checksum_write(&p->frame, &c);
    struct message m;
    enum outcome outcome = message_checksum(p, index, &m, &c);
    checksum_write(&p->frame, &c);
    return outcome;
}

enum outcome correct(const struct frame *f, int64_t original, int64_t linktype, enum correction what)
{
    struct packet_view p;                       /* not cleared: half a kilobyte a packet, of which `walk` fills what there is */
    p.frame = *f;
    p.original = original;
    walk(&p.walk, f, linktype);
    for (size_t i = 0; what == LENGTHS && i < p.walk.count; i++) {      /* the outermost first: inner ones go by outer ones */
        if (!set_length(&p, i))
            return MALFORMED;
        walk(&p.walk, f, linktype);             /* with the right length there may be more to see */
    }
    enum outcome worst = p.walk.partial ? missing(&p) : CORRECTED;
    for (size_t i = p.walk.count; i-- > 0;) {   /* the innermost first: outer sums cover inner ones */
        enum header_kind kind = p.walk.header[i].kind;
        enum outcome outcome = kind == IP || kind == IPV6 ? correct_ip(&p, i, what) : CORRECTED;
        if (outcome != CORRECTED)
            worst = outcome;
    }
    return worst;
}
