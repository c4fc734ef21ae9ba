/* Who has a checksum, and what it covers, by the descriptions: headers, and messages of IP, which may be fragments, cut, or too deep
 * for the walk. Twin of ../python/sums.py.
 */
#include "protocols.h"

/* The kind of header that leads to it, where one is a way; NULL: none does. */
static const struct kind *way_of(const struct kind *k, const struct frame *f, size_t at)
{
    for (int ways = 0; k != NULL && (k->flags & HIDDEN) != 0; ways++) {
        const struct rule *r = k->rules, *end = r + k->rules_count;
        while (r < end && !(r->how == TO_KIND && hold(&r->only, f, at, at)))
            r++;
        k = r < end && ways < MAX_HIDDEN ? r->kind : NULL;
    }
    return k;
}

/* The kind of header that a message of IP begins with, by its protocol and what it says; NULL: nothing is known of it. */
static const struct kind *kind_of(const struct frame *f, const struct message *m)
{
    const struct entry *e = protocols->carried[m->v6][m->protocol].entry;
    while (e != NULL && !hold(&e->only, f, m->at, m->at))
        e = e->more ? e + 1 : NULL;
    return e == NULL ? NULL : way_of(e->kind, f, m->at);
}

/* How many bytes a checksum covers that is not over the whole message; fewer than there have to be, or more than there are: the message contradicts itself. */
static int64_t covered_by(const struct sum_rule *r, const struct frame *f, const struct message *m)
{
    int64_t head = r->over == SAID ? 0 : header_size(r->kind, f, m->at);
    if (r->over != SAID && head < r->kind->fixed)
        return -1;
    if (r->over == HEADER_ALONE)
        return head;
    uint32_t said = read_number(&r->read, f, m->at, m->at);
    if (said == 0 && (r->nothing == ALL_FOR_0 || (r->nothing == JUMBO_FOR_0 && (m->v6 || m->size > 0xFFFF))))
        return head <= (int64_t)m->size ? (int64_t)m->size : head;
    return head + said * r->scale + r->bias;
}

/* Whether a checksum stands there, as far as that is known. */
static bool stands(const struct sum_rule *r, const struct frame *f, size_t at)
{
    return r->bytes > 0 && hold(&r->only, f, at, at)
        && ((r->zero != NO_SUM && r->zero != NEVER) || !frame_has(f, at + r->place, 2) || get16(f, at + r->place) != 0);
}

/* Fills in what the checksum of a message covers. False: its own sizes contradict each other; it is filled in all the same. */
static inline bool cover(const struct sum_rule *r, const struct frame *f, struct message *m)
{
    m->rule = r;
    m->summed = r->always || stands(r, f, m->at);
    m->place = r->place;
    m->bytes = r->bytes;
    m->covered = m->length = m->size;
    m->pseudo = r->pseudo >> m->v6 & 1;
    m->other = r->also == ALSO_MESSAGE || (r->also >> m->v6 & 1) != 0;
    if (r->over == MESSAGE)
        return m->size >= r->least;
    int64_t size = covered_by(r, f, m), least_size = r->gap > 0 ? r->gap_at + r->gap : r->place + r->bytes;
    if (size < least_size)
        return false;
    m->covered = (size_t)size;
    if (!r->whole)
        m->length = m->covered;
    return m->covered <= m->size && m->size >= r->least;
}

/* The same where the kind of header that a message begins with has to be looked for. */
static bool covering_sought(const struct frame *f, struct message *m)
{
    const struct kind *k = kind_of(f, m);
    const struct sum_rule *r = k == NULL || k->exception >= DATAGRAM_4 ? NULL : k->sum;
    if (r != NULL && r->bytes > 0)
        return cover(r, f, m);
    m->unknown = !is_nothing(m) && (k == NULL || r != NULL || (k->flags & (UNFOLLOWED | EXTENSION)) != 0);
    return true;
}

/* Finds the rule for a message of IP, and fills in what its checksum covers. False: its own sizes contradict each other. */
bool covering(const struct frame *f, struct message *m)
{
    const struct sum_rule *r = protocols->carried[m->v6][m->protocol].rule;
    return r != NULL ? cover(r, f, m) : covering_sought(f, m);
}

/* Whether a header says that it has a checksum, or begins a message that has one. */
bool sum_said(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = protocols->kinds[h->kind].sum;
    return r != NULL && stands(r, &p->frame, h->start);
}

/* Whether a header, of a kind with a checksum, is none of the messages that IP carries, and says that it has one. */
bool has_own(const struct packet_view *p, size_t index)
{
    size_t first = index;
    while (first > 0 && extends(p->walk.header[first - 1].kind))
        first--;
    return (first == 0 || !carries_message(&p->walk.header[first - 1])) && sum_said(p, index);
}

/* Whether 0 stays, which means that there is no checksum (RFC 768): in UDP that carries a tunnel, over IPv6 too (RFC 6935), and
 * over IPv4 in a tunnel, where nobody needs two.
 */
static bool zero_stays(const struct packet_view *p, size_t index, const struct message *m)
{
    for (size_t i = 0; i < index && !m->v6; i++)
        if (carries_message(&p->walk.header[i]) && p->walk.header[i].end > p->walk.header[index].start)
            return true;
    return leads_to_tunnel(m->rule->kind, &p->frame, m->at);
}

/* The message behind the IP header at `index` and the checksum it should carry. */
enum outcome message_checksum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    const struct frame *f = &p->frame;
    if (plain_message(p, index, m)) {
        message_value(f, m, c);
        return CORRECTED;
    }
    *c = (struct checksum){0};
    enum outcome outcome = message_of(p, index, m);
    if (outcome != CORRECTED && outcome != FRAGMENT)
        return outcome;
    bool sound = covering(f, m);
    if (!m->summed)
        return CORRECTED;
    if (outcome == FRAGMENT)
        return FRAGMENT;
    if (!within(p, m->at, m->size))
        return missing(p);
    if (!sound)
        return MALFORMED;
    if (m->rule->zero == MISSING && get16(f, m->at + m->place) == 0 && zero_stays(p, index, m))
        return CORRECTED;
    if (m->obscure && m->pseudo)
        return OBSCURE;
    message_value(f, m, c);
    return CORRECTED;
}

/* What the header at `index` covers, and the checksum that it should have. */
static enum outcome header_sum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = protocols->kinds[h->kind].sum;
    enum outcome outcome = CORRECTED;
    size_t carrier = index;
    *c = (struct checksum){0};
    *m = (struct message){0};
    while (carrier-- > 0 && !carries_message(&p->walk.header[carrier]))
        ;
    bool carried = carrier < index, known = true;       /* by IP: it says how much was sent, and between whom */
    if (carried) {
        outcome = message_of(p, carrier, m);
        known = outcome == CORRECTED;
        if (known && !within(p, m->at, m->size))
            outcome = missing(p);
    } else if (p->original > (int64_t)f->size && h->end == f->size)
        outcome = TRUNCATED;
    m->at = h->start;
    m->size = h->end - h->start;
    bool sound = cover(r, f, m);
    m->pseudo &= carried;
    m->other &= carried || r->also == ALSO_MESSAGE;
    if (!known)
        m->covered = 0;
    if (outcome == CORRECTED && !sound)
        outcome = MALFORMED;
    if (outcome == CORRECTED && m->obscure && m->pseudo)
        outcome = OBSCURE;
    if (outcome == CORRECTED)
        message_value(f, m, c);
    return outcome;
}

/* The message that is covered, at the header at `index`, and the checksum that it should have; of size 0 where it has none, or where that cannot be known:
 * because not all of it was captured, or it contradicts itself. `m` is filled in as far as it can be.
 */
enum outcome sum_of(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    return carries_message(&p->walk.header[index]) ? message_checksum(p, index, m, c) : header_sum(p, index, m, c);
}

/* What is to be said of it; `left`: of those inside, the checksum that was left to the card, from here on this one if it was. */
enum outcome sum_verdict(const struct packet_view *p, size_t index, struct message *m, struct checksum *left, enum verdict *verdict)
{
    struct checksum c;
    enum outcome outcome = sum_of(p, index, m, &c);
    uint64_t more = c.size == 2 ? finishing_sum(&p->frame, m, left) : 0;
    if (more != 0)
        c.value = c.also = fold((~c.value & 0xFFFF) + more);
    *verdict = message_judged(&p->frame, m, &c);
    if (*verdict == LEFT)
        *left = c;
    return outcome;
}
