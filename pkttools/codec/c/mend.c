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

/* Writes a checksum, if it is another one; and remembers what was there. */
static void mend(const struct frame *f, const struct message *m, const struct checksum *c, struct mended *mended)
{
    if (c->size == 0 || checksum_read(f, c) == c->value)
        return;
    if (m != NULL && message_judged(f, m, c) == LEFT)
        mended->unfinished = true;
    else
        mended->wrong = true;
    checksum_write(f, c);
}

/* Finishes what the kernel left to the card: of the messages of a packet, the innermost first, those whose fields hold what it
 * leaves there; and if there is none such, what the innermost one holds is taken for it: the kernel knows better than the packet
 * what is in the sum (RFC 791: an IPv4 route). `left` is that one, until one is finished.
 */
static enum outcome finish(const struct packet_view *p, size_t index, struct checksum *left, struct mended *mended)
{
    const struct frame *f = &p->frame;
    struct message m;
    struct checksum c;
    enum outcome outcome = message_checksum(p, index, &m, &c);
    bool known = outcome == CORRECTED && c.size > 0;
    if (outcome == OBSCURE)
        c = (struct checksum){.at = m.at + m.place, .size = 2};
    else if (!known)
        return outcome;
    enum verdict verdict = known ? message_judged(f, &m, &c) : BAD;
    uint32_t stored = checksum_read(f, &c);
    if (verdict == LEFT || (verdict == BAD && (m.protocol == 132 || (m.protocol == 47 && stored == 0)))) {
        checksum_write(f, &c);
        mended->unfinished = true;
    } else if (verdict == BAD && (m.protocol == 6 || (m.protocol == 17 && stored != 0)) && left->size == 0)
        *left = (struct checksum){.at = c.at, .size = 2, .value = card_value(f, &m)};
    return CORRECTED;
}

static enum outcome correct_ip(const struct packet_view *p, size_t index, struct mended *mended)
{
    struct checksum c = header_checksum(p, index);
    mend(&p->frame, NULL, &c, mended);
    struct message m;
    enum outcome outcome = message_checksum(p, index, &m, &c);
    mend(&p->frame, &m, &c, mended);
    return outcome;
}

enum outcome correct(const struct frame *f, int64_t original, int64_t linktype, enum correction what, struct mended *mended)
{
    struct packet_view p;                       /* not cleared: half a kilobyte a packet, of which `walk` fills what there is */
    p.frame = *f;
    p.original = original;
    *mended = (struct mended){false, false};
    walk(&p.walk, f, linktype);
    for (size_t i = 0; what == LENGTHS && i < p.walk.count; i++) {      /* the outermost first: inner ones go by outer ones */
        if (!set_length(&p, i))
            return MALFORMED;
        walk(&p.walk, f, linktype);             /* with the right length there may be more to see */
    }
    struct checksum left = {0};
    enum outcome worst = p.walk.partial ? missing(&p) : CORRECTED;
    for (size_t i = p.walk.count; i-- > 0;) {   /* the innermost first: outer sums cover inner ones */
        enum header_kind kind = p.walk.header[i].kind;
        if (kind != IP && kind != IPV6)
            continue;
        enum outcome outcome = what == TRANSPORT ? finish(&p, i, &left, mended) : correct_ip(&p, i, mended);
        if (outcome != CORRECTED)
            worst = outcome;
    }
    if (left.size > 0 && !mended->unfinished) {
        checksum_write(f, &left);
        mended->unfinished = true;
    }
    return worst;
}
