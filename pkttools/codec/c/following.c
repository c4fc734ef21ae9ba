/* Checksums that are in a packet what they were in the one that it was made of: right, or wrong by as much, or left to the card
 * (RFC 1624, for packets whose bytes moved). What they cover and nobody sees, in other fragments or not captured, is what is left when
 * all that is seen was taken away: that goes on as it was. Twin of ../python/following.py.
 */
#include "splice.h"
#include "protocols.h"

/* What is missing in a sum to what stands there, in one's complement; 0: nothing. */
static uint16_t missing_in(unsigned stored, uint64_t total)
{
    unsigned off = ~fold((~stored & 0xFFFFu) + (uint64_t)fold(total)) & 0xFFFF;
    return off == 0xFFFF ? 0 : (uint16_t)off;
}

static void judge_own(const struct packet_view *p, size_t index, struct judged_sum *j)
{
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = protocols->kinds[h->kind].sum;
    size_t size = datagram_head(f, h);
    if (r == NULL || r->bytes != 2 || size < r->least || !within(p, h->start, size))
        return;
    unsigned stored = get16(f, h->start + r->place);
    j->how = BY_DIFFERENCE;
    j->off = missing_in(stored, (uint64_t)sum(frame_range(f, h->start, size), size) + (~stored & 0xFFFF));
}

/* The message with a checksum at a header; false: there is none, or it cannot be told. */
static bool summed_message(const struct packet_view *p, size_t index, struct message *m, bool *fragment)
{
    struct checksum c;
    *fragment = false;
    if (!carries_message(&p->walk.header[index])) {
        sum_of(p, index, m, &c);
        return m->summed;
    }
    enum outcome outcome = message_of(p, index, m);
    *fragment = outcome == FRAGMENT;
    if ((outcome != CORRECTED && outcome != FRAGMENT) || (*fragment && fragment_offset(p, index) > 0))
        return false;                           /* it stands in another packet */
    covering(&p->frame, m);
    return m->summed;
}

static void judge_message(const struct packet_view *p, size_t index, struct checksum *left, struct judged_sum *j, const void **rule)
{
    const struct frame *f = &p->frame;
    struct message m;
    bool fragment;
    if (!summed_message(p, index, &m, &fragment))
        return;
    size_t place = m.at + m.place;
    *rule = m.rule;
    if (!frame_has(f, place, m.bytes) || m.covered < m.place + (size_t)m.bytes)
        return;
    if (m.bytes == 4) {
        struct checksum c;
        bool right = sum_of(p, index, &m, &c) == CORRECTED && c.size == 4 && checksum_read(f, &c) == c.value;
        j->how = right ? BY_CRC : LET_BE;
        return;
    }
    unsigned stored = get16(f, place);
    if (m.rule->zero == MISSING && stored == 0)
        return;
    j->unseen = fragment || m.at + m.covered > f->size;
    j->other = made_otherwise(p, &m);
    if (j->other)
        other_reading(&m);
    uint64_t total = message_sum(f, &m);
    if (left_to_card(f, &m) && stored != fold(total)) {
        j->how = FOR_CARD;
        if (stored != card_seed(f, &m)) {
            j->how = FOR_CARD_UNCUT;
            m.length = 0;
        }
        *left = (struct checksum){place, 2, card_value(f, &m), 0};
        return;
    }
    j->how = BY_DIFFERENCE;
    j->off = missing_in(stored, total + finishing_sum(f, &m, left));
}

/* A part of a packet that has checksums of its own: what it quotes, or all else. */
struct part {
    struct packet_view view;
    size_t first, gap_at, gap;  /* where its headers are among those of the whole: from `first` on, without so many */
};

static size_t whole_index(const struct part *part, size_t i)
{
    return part->first + i + (i >= part->gap_at ? part->gap : 0);
}

static void quoted_part(const struct packet_view *p, struct part *part)
{
    const struct walk *w = &p->walk;
    part->view.frame = (struct frame){p->frame.at, w->quote_end};
    part->view.original = p->original;
    part->view.walk = *w;
    part->view.walk.count = w->resumed - w->quoted;
    memmove(part->view.walk.header, &w->header[w->quoted], part->view.walk.count * sizeof *w->header);
    part->view.walk.quoted = part->view.walk.resumed = MAX_HEADERS;
    part->first = w->quoted;
    part->gap_at = MAX_HEADERS;
    part->gap = 0;
}

static void own_part(const struct packet_view *p, struct part *part)
{
    part->view = *p;
    part->first = 0;
    part->gap_at = p->walk.quoted;
    part->gap = p->walk.resumed - p->walk.quoted;
    leave_out_quoted(&part->view.walk);
}

static void judge_part(const struct part *part, struct judged *j)
{
    const struct packet_view *p = &part->view;
    struct checksum left = {0};
    for (size_t i = p->walk.count; i-- > 0;) {          /* the innermost first: outer sums cover inner ones */
        size_t at = whole_index(part, i);
        if (!has_sum(p, i))
            continue;
        if (carries_message(&p->walk.header[i]))
            judge_own(p, i, &j->sums[at].own);
        judge_message(p, i, &left, &j->sums[at].message, &j->sums[at].rule);
    }
}

void judge(const struct packet_view *p, struct judged *j)
{
    struct part part;
    memset(j, 0, sizeof *j);
    if (p->walk.quoted < MAX_HEADERS) {
        quoted_part(p, &part);
        judge_part(&part, j);
    }
    own_part(p, &part);
    judge_part(&part, j);
}

/* Those of a super-frame, up to that of what the header at `index` carries. What was left to the card is right in each piece, and in
 * IPv4 a 0 says that it was. False: one cannot be told.
 */
bool judge_whole(const struct packet_view *p, size_t index, struct judged *j)
{
    struct checksum left = {0}, c;
    memset(j->sums, 0, (index + 1) * sizeof *j->sums);
    for (size_t i = index + 1; i-- > 0;) {
        struct judged_sum *own = &j->sums[i].own, *message = &j->sums[i].message;
        struct message m;
        if (!has_sum(p, i))
            continue;
        if (carries_message(&p->walk.header[i])) {
            if (message_of(p, i, &m) != CORRECTED || !frame_has(&p->frame, m.at, m.size))
                return false;
            judge_own(p, i, own);
        }
        if (own->off != 0 && (get16(&p->frame, p->walk.header[i].start + protocols->kinds[p->walk.header[i].kind].sum->place) == 0
                              || datagram_said(&p->frame, &p->walk.header[i]) == 0))
            own->off = 0;
        judge_message(p, i, &left, message, &j->sums[i].rule);
        if (message->unseen || (message->how == LET_BE && sum_of(p, i, &m, &c) != CORRECTED))
            return false;
        if (message->how == FOR_CARD || message->how == FOR_CARD_UNCUT)
            *message = (struct judged_sum){.how = BY_DIFFERENCE};
    }
    return true;
}

static bool settle_own(const struct packet_view *p, const struct writable_frame *f, size_t index, const struct judged_sum *j)
{
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = protocols->kinds[h->kind].sum;
    if (j->how != BY_DIFFERENCE)
        return true;
    size_t size = datagram_head(&p->frame, h);
    if (r == NULL || size < r->least || !within(p, h->start, size))
        return false;
    uint64_t total = (uint64_t)sum(frame_range(&p->frame, h->start, size), size) + (~get16(&p->frame, h->start + r->place) & 0xFFFF);
    put16(f, h->start + r->place, fold(total + j->off));
    return true;
}

static bool settle_message(const struct packet_view *p, const struct writable_frame *f, size_t index, const struct judged_sum *j, const void *rule,
                           bool odd, struct checksum *kept)
{
    struct message m;
    struct checksum c;
    bool fragment;
    if (j->how == LET_BE)
        return true;
    if (!summed_message(p, index, &m, &fragment) || m.rule != rule || !frame_has(&p->frame, m.at + m.place, m.bytes)
        || m.covered < m.place + (size_t)m.bytes)
        return false;
    if (j->how == BY_CRC) {
        if (sum_of(p, index, &m, &c) != CORRECTED || c.size != 4)
            return false;
        checksum_write(f, &c);
        return true;
    }
    size_t place = m.at + m.place;
    if (j->other)
        other_reading(&m);
    if (j->how != BY_DIFFERENCE) {
        if (j->how == FOR_CARD_UNCUT)
            m.length = 0;
        put16(f, place, card_seed(&p->frame, &m));
        *kept = (struct checksum){place, 2, card_value(&p->frame, &m), 0};
        return true;
    }
    unsigned off = j->unseen && odd ? (j->off >> 8 | j->off << 8) & 0xFFFF : j->off;
    put16(f, place, written(&m, fold(message_sum(&p->frame, &m) + finishing_sum(&p->frame, &m, kept) + off)));
    return true;
}

/* Sets those of a piece of it, or of what it is a piece of. */
void settle_piece(const struct packet_view *p, const struct writable_frame *f, size_t index, const struct judged *j)
{
    struct checksum kept = {0};
    for (size_t i = index + 1; i-- > 0;) {
        if (!has_sum(p, i))
            continue;
        settle_message(p, f, i, &j->sums[i].message, j->sums[i].rule, false, &kept);
        settle_own(p, f, i, &j->sums[i].own);
    }
}

/* Whether what a header carries begins with one that was none before. */
static bool begins_anew(const struct part *part, size_t index, const struct origin *origins)
{
    const struct walk *w = &part->view.walk;
    struct message m;
    if (!carries_message(&w->header[index]))
        return origins[whole_index(part, index)].index == MADE;
    message_of(&part->view, index, &m);
    for (size_t i = index + 1; i < w->count && w->header[i].start <= m.at; i++)
        if (w->header[i].start == m.at)
            return origins[whole_index(part, i)].index == MADE;
    return false;
}

/* The checksum of a message, and the place of one that says that there is none, which has yet to be computed. */
static enum outcome computed_sum(const struct packet_view *p, const struct writable_frame *f, size_t index, struct checksum *c)
{
    struct message m;
    enum outcome outcome = sum_of(p, index, &m, c);
    if (outcome != CORRECTED || c->size > 0 || m.rule == NULL || m.rule->zero != MISSING || !frame_has(&p->frame, m.at + m.place, 2))
        return outcome;
    put16(f, m.at + m.place, 0xFFFF);
    outcome = sum_of(p, index, &m, c);
    if (outcome != CORRECTED || c->size == 0)
        put16(f, m.at + m.place, 0);
    return outcome;
}

static void compute(const struct packet_view *p, const struct writable_frame *f, size_t index, bool own, bool message)
{
    struct checksum c = header_checksum(p, index);
    if (own)
        checksum_write(f, &c);
    if (message && computed_sum(p, f, index, &c) == CORRECTED)
        checksum_write(f, &c);
}

static bool settle_part(const struct part *part, const struct writable_frame *f, const struct judged *j, const struct origin *origins, bool anew)
{
    const struct packet_view *p = &part->view;
    struct checksum kept = {0};
    bool followed = true;
    for (size_t i = p->walk.count; i-- > 0;) {
        size_t at = whole_index(part, i), was = origins != NULL ? origins[at].index : at;
        bool odd = origins != NULL && origins[at].odd, made = origins != NULL && begins_anew(part, i, origins);
        if (!has_sum(p, i))
            continue;
        if (anew && (was == MADE || made))
            compute(p, f, i, was == MADE, made);
        if (was >= MAX_HEADERS)
            continue;
        if (!made)
            followed &= settle_message(p, f, i, &j->sums[was].message, j->sums[was].rule, odd, &kept);
        followed &= settle_own(p, f, i, &j->sums[was].own);
    }
    return followed;
}

bool settle(const struct packet_edit *e, const struct judged *j, const struct origin *origins, bool anew)
{
    struct part part;
    bool followed = true;
    if (e->view.walk.quoted < MAX_HEADERS) {
        quoted_part(&e->view, &part);
        followed = settle_part(&part, &e->frame, j, origins, anew);
    }
    own_part(&e->view, &part);
    return settle_part(&part, &e->frame, j, origins, anew) && followed;
}
