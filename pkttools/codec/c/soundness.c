/* Whether packets are sound: lengths that fit, headers that are whole, checksums that are right. Twin of ../python/soundness.py. */
#include "codec.h"

/* In one's complement 0 and 0xFFFF are the same number: receivers that add everything up accept both. */
static enum verdict judged(const struct frame *f, const struct checksum *c)
{
    uint32_t stored = checksum_read(f, c);
    if (c->size == 0)
        return NONE;
    return stored == c->value || (c->size == 2 && stored % 0xFFFF == 0 && c->value % 0xFFFF == 0) ? RIGHT : BAD;
}

/* The same for a message; UDP over IPv4 may say that it has none, over IPv6 it must not (RFC 768, RFC 8200 section 8.1). */
static enum verdict message_judged(const struct frame *f, const struct message *m, const struct checksum *c)
{
    if (m->protocol == 17 && c->size > 0 && checksum_read(f, c) == 0)
        return m->v6 ? BAD : NONE;
    return judged(f, c);
}

void verify(const struct packet_view *p, enum verdict verdicts[MAX_HEADERS])
{
    const struct header *h = p->walk.header;
    memset(verdicts, 0, MAX_HEADERS * sizeof *verdicts);
    for (size_t i = 0; i < p->walk.count; i++) {
        if (h[i].kind != IP && h[i].kind != IPV6)
            continue;
        struct message m;
        struct checksum c = header_checksum(p, i);
        verdicts[i] = c.size > 0 ? judged(&p->frame, &c) : h[i].kind == IP ? UNCERTAIN : NONE;
        enum outcome outcome = message_checksum(p, i, &m, &c);
        size_t k = i + 1;
        while (k < p->walk.count && h[k].kind >= IPV6_OPTIONS && h[k].kind <= IPV6_AH)
            k++;
        if (k == p->walk.count || h[k].start != m.at || outcome == FRAGMENT)
            continue;
        if (outcome == CORRECTED)
            verdicts[k] = message_judged(&p->frame, &m, &c);
        else if (checksum_place(&p->frame, &m) > 0)
            verdicts[k] = UNCERTAIN;
    }
}

/* What the last header of a link layer announces behind it. */
static unsigned announced(const struct frame *f, const struct header *h)
{
    switch (h->kind) {
    case ETHERNET: return get16(f, h->start + 12);
    case VLAN: return get16(f, h->start + 2);
    case SLL: return get16(f, h->start + 14);
    case SLL2: return get16(f, h->start);
    default: return 0;
    }
}

static bool header_sound(const struct packet_view *p, const struct header *h)
{
    unsigned first = get8(&p->frame, h->start) >> 4, offset = (get8(&p->frame, h->start + 12) >> 4) * 4u;
    if (h->kind == IP)                          /* a total of 0 is how segmentation offload shows what the wire never has */
        return first == 4 && get16(&p->frame, h->start + 2) != 0;
    if (h->kind == IPV6) {                      /* 0 may only be a jumbogram, which has options (RFC 2675), or nothing */
        unsigned next = get8(&p->frame, h->start + 6);
        return first == 6 && (get16(&p->frame, h->start + 4) != 0 || next == 0 || next == 59);
    }
    return h->kind != TCP || (offset >= 20 && offset <= h->end - h->start);
}

enum outcome check(const struct frame *f, int64_t original, int64_t linktype)
{
    struct packet_view p;
    p.frame = *f;
    p.original = original;
    if (original > (int64_t)f->size)
        return CUT_SHORT;
    walk(&p.walk, f, linktype);
    const struct header *last = &p.walk.header[p.walk.count - 1];
    unsigned type = announced(f, last);
    if (p.walk.partial || (last->kind == UNKNOWN && known_link(linktype))
        || type == 0x0806 || type == 0x8100 || type == 0x88A8 || type == 0x9100 || type == 0x9200)
        return MALFORMED;
    enum outcome worst = CORRECTED;
    for (size_t i = 0; i < p.walk.count; i++) {
        const struct header *h = &p.walk.header[i];
        if (!header_sound(&p, h))
            return MALFORMED;
        if (h->kind != IP && h->kind != IPV6)
            continue;
        struct message m;
        struct checksum c = header_checksum(&p, i);
        if (judged(f, &c) == BAD)
            worst = WRONG;
        enum outcome outcome = message_checksum(&p, i, &m, &c);
        if (outcome == CUT_SHORT || outcome == MALFORMED || !within(&p, m.at, m.size))
            return MALFORMED;
        if (message_judged(f, &m, &c) == BAD)
            worst = WRONG;
    }
    return worst;
}
