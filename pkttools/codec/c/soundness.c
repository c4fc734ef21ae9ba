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
        enum outcome outcome = sum_verdict(p, i, &m, &left, &verdict);
        if (!m.summed || (outcome != CORRECTED && !was_not_sent(&p->frame, &m)))
            continue;
        for (size_t k = i; k < count && h[k].start <= m.at; k++)
            if (h[k].start == m.at)
                verdicts[k] = verdict;
    }
}

/* Whether a header says what can be: of IP; and the size of one that has a checksum. */
static bool header_sound(const struct packet_view *p, const struct header *h)
{
    if (carries_message(h))
        return datagram_sound(&p->frame, h);
    const struct kind *k = &protocols->kinds[h->kind];
    int64_t size = header_size(k, &p->frame, h->start);
    return k->terms_count == 0 || k->sum == NULL || (size >= k->fixed && size <= (int64_t)(h->end - h->start));
}

/* The same of one whose headers are known, without those that it quotes. */
enum outcome check_view(const struct packet_view *p, int64_t linktype)
{
    const struct frame *f = &p->frame;
    if (p->original > (int64_t)f->size)
        return TRUNCATED;
    const struct header *last = &p->walk.header[p->walk.count - 1];
    if (p->walk.partial || (last->kind == UNKNOWN && known_link(linktype)) || link_announces(f, last))
        return MALFORMED;
    bool wrong = false, unfinished = false, obscure = false;
    struct checksum left = {0};
    struct plain_sums sums;
    for (size_t i = p->walk.count; i-- > 0;) {
        if (!header_sound(p, &p->walk.header[i]))
            return MALFORMED;
        struct message m;
        enum verdict verdict;
        if (!has_sum(p, i) || (left.size == 0 && carries_message(&p->walk.header[i]) && right_plainly(p, i, &sums)))
            continue;
        struct checksum c = header_checksum(p, i);
        enum outcome outcome = sum_verdict(p, i, &m, &left, &verdict);
        if (outcome == TRUNCATED || outcome == MALFORMED || !within(p, m.at, m.size))
            return MALFORMED;
        wrong |= verdict == BAD || judged(f, &c) == BAD;
        unfinished |= verdict == LEFT;
        obscure |= outcome == OBSCURE;
    }
    return wrong ? WRONG : unfinished ? UNFINISHED : obscure ? OBSCURE : CORRECTED;
}

enum outcome check(const struct frame *f, int64_t original, int64_t linktype, uint64_t *beyond)
{
    struct packet_view p;
    p.frame = *f;
    p.original = original;
    walk_own(&p.walk, f, linktype);
    *beyond = p.walk.beyond;
    return check_view(&p, linktype);
}

size_t pick(const struct packet *packets, const uint8_t *outcomes, size_t count, const uint8_t passes[256], struct packet *picked)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        picked[n] = packets[i];         /* written over by the next one, unless it passes */
        n += passes[outcomes[i]] == 1;
    }
    return n;
}
