/* Whether packets are sound: lengths that fit, headers that are whole, checksums that are right. Twin of ../python/soundness.py. */
#include "protocols.h"

/* What is quoted was left out of the walk: it says nothing of this packet. */
void verify(const struct packet_view *p, enum verdict verdicts[MAX_HEADERS])
{
    const struct header *h = p->walk.header;
    size_t count = p->walk.count;
    for (size_t i = 0; i < count; i++)
        verdicts[i] = sum_said(p, i) ? UNCERTAIN : NONE;
    struct checksum left = {0};
    struct message m;
    for (size_t i = count; i-- > 0;) {  /* the innermost first: outer sums cover inner ones */
        enum verdict verdict;
        if (!has_sum(p, i))
            continue;
        struct checksum c = header_checksum(p, i);
        if (c.size > 0)
            verdicts[i] = judged(&p->frame, &c);
        if (sum_verdict(p, i, &m, &left, &verdict) != CORRECTED || !m.summed)
            continue;
        for (size_t k = i; k < count && h[k].start <= m.at; k++)
            if (h[k].start == m.at)
                verdicts[k] = verdict;
    }
}

enum { IP_LEAST_MTU = 576, IPV6_LEAST_MTU = 1280 };     /* RFC 791 section 3.1, RFC 8200 section 5 */

/* A size of 0 in an IP header is how segmentation offload shows what is too long to say, or what it has yet to cut: more than
 * the least size that every link carries. In IPv6 it may also be a jumbogram that says its size (RFC 2675), or nothing.
 */
static bool zero_sound(const struct frame *f, const struct header *h)
{
    size_t size = h->end - h->start;
    if (h->kind == IP)
        return size > IP_LEAST_MTU;
    size_t jumbo = jumbo_place(f, h->start);
    if (jumbo != 0)
        return get32(f, jumbo) == size - IPV6_SIZE;
    return size > IPV6_LEAST_MTU || ipv6_next(f, h->start) == PROTO_IPV6_NONXT;
}

static bool header_sound(const struct packet_view *p, const struct header *h)
{
    const struct frame *f = &p->frame;
    if (h->kind == IP)
        return ip_version(f, h->start) == 4 && (ip_total(f, h->start) != 0 || zero_sound(f, h));
    if (h->kind == IPV6)
        return ip_version(f, h->start) == 6 && (ipv6_payload(f, h->start) != 0 || zero_sound(f, h));
    size_t size = tcp_header_size(f, h->start);
    return h->kind != TCP || (size >= TCP_SIZE && size <= h->end - h->start);
}

enum outcome check(const struct frame *f, int64_t original, int64_t linktype, uint64_t *beyond)
{
    struct packet_view p;
    p.frame = *f;
    p.original = original;
    walk_own(&p.walk, f, linktype);
    *beyond = p.walk.beyond;
    if (original > (int64_t)f->size)
        return TRUNCATED;
    const struct header *last = &p.walk.header[p.walk.count - 1];
    if (p.walk.partial || (last->kind == UNKNOWN && known_link(linktype)) || link_announces(f, last))
        return MALFORMED;
    bool wrong = false, unfinished = false, obscure = false;
    struct checksum left = {0};
    for (size_t i = p.walk.count; i-- > 0;) {
        if (!header_sound(&p, &p.walk.header[i]))
            return MALFORMED;
        struct message m;
        enum verdict verdict;
        if (!has_sum(&p, i))
            continue;
        struct checksum c = header_checksum(&p, i);
        enum outcome outcome = sum_verdict(&p, i, &m, &left, &verdict);
        if (outcome == TRUNCATED || outcome == MALFORMED || !within(&p, m.at, m.size))
            return MALFORMED;
        wrong |= verdict == BAD || judged(f, &c) == BAD;
        unfinished |= verdict == LEFT;
        obscure |= outcome == OBSCURE;
    }
    return wrong ? WRONG : unfinished ? UNFINISHED : obscure ? OBSCURE : CORRECTED;
}
