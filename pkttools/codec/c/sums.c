/* Checksums of headers by their descriptions: of what IP does not carry, or of protocols that are none of ours. What messages of IP
 * have by their protocol is in checksum.c. Twin of ../python/sums.py.
 */
#include "protocols.h"

bool sums_known(void)
{
    return protocols->sums;
}

static const struct sum_rule *rule_of(const struct packet_view *p, size_t index)
{
    return protocols->kinds[p->walk.header[index].kind].sum;
}

/* Whether a header has a checksum, by what it says. */
bool has_sum(const struct packet_view *p, size_t index)
{
    const struct sum_rule *r = rule_of(p, index);
    size_t at = p->walk.header[index].start;
    return r != NULL && hold(&r->only, &p->frame, at, at) && (r->zero == A_SUM || get16(&p->frame, at + r->place) != 0);
}

/* How many bytes a checksum covers; 0: the header contradicts itself. */
static size_t covered_by(const struct sum_rule *r, const struct frame *f, const struct header *h)
{
    int64_t size = h->end - h->start;
    if (r->over == HEADER_ALONE)
        size = header_size(&protocols->kinds[h->kind], f, h->start);
    else if (r->over == SAID)
        size = read_number(&r->read, f, h->start, h->start) * r->scale + r->bias;
    return size >= r->place + r->bytes && size <= (int64_t)(h->end - h->start) ? (size_t)size : 0;
}

/* The message that the header at `index` begins, and the checksum that it should have; of size 0 where it has none, or where that
 * cannot be known: because not all of it was captured, or it contradicts itself. `m` is filled in as far as it can be; place 0 does
 * not say here that there is none.
 */
enum outcome header_sum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = rule_of(p, index);
    enum outcome outcome = CORRECTED;
    size_t carrier = index;
    *c = (struct checksum){0};
    *m = (struct message){0};
    if (!has_sum(p, index))
        return CORRECTED;
    while (carrier-- > 0 && p->walk.header[carrier].kind != IP && p->walk.header[carrier].kind != IPV6)
        ;
    bool carried = carrier < index, known = true;       /* by IP: it says how much was sent, and between whom */
    if (carried) {
        outcome = message_of(p, carrier, m);
        known = outcome == CORRECTED;
        if (known && !within(p, m->at, m->size))
            outcome = missing(p);
    } else if (p->original > (int64_t)f->size && h->end == f->size)
        outcome = TRUNCATED;
    m->pseudo = carried && (r->pseudo & (m->v6 ? FOR_6 : FOR_4)) != 0;
    m->never_zero = r->zero == NEVER;
    m->at = h->start;
    m->size = h->end - h->start;
    m->place = r->place;
    m->bytes = r->bytes;
    m->covered = m->length = known ? covered_by(r, f, h) : 0;
    if (outcome == CORRECTED && m->covered == 0)
        outcome = MALFORMED;
    if (outcome == CORRECTED && m->obscure && m->pseudo)
        outcome = OBSCURE;
    if (outcome == CORRECTED)
        message_value(f, m, c);
    return outcome;
}

/* What is to be said of the checksum of a header; `left`: of those inside of it, the one that was left to the card. */
enum outcome sum_verdict(const struct packet_view *p, size_t index, const struct checksum *left, enum verdict *verdict)
{
    struct message m;
    struct checksum c;
    enum outcome outcome = header_sum(p, index, &m, &c);
    uint64_t more = c.size == 2 ? finishing_sum(&p->frame, &m, left) : 0;
    if (more != 0)
        c.value = c.also = fold((~c.value & 0xFFFF) + more);
    *verdict = c.size > 0 ? judged(&p->frame, &c) : NONE;
    return outcome;
}
