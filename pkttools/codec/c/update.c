/* Checksums that follow an edit without being computed anew (RFC 1624): what was right stays right, what was wrong stays
 * wrong, also where the packet was truncated or is a fragment. Twin of ../python/update.py.
 */
#include "protocols.h"

struct sides {                  /* the packet before and after the edit */
    struct packet_view before, after;
    struct writable_frame edited;   /* the bytes of `after` */
    struct checksum left, kept; /* what was left to the card in it, before and after */
    bool quoted;                /* it is one that an error message quotes: what was cut off is nobody's */
};

static bool same(const struct sides *s, size_t at, size_t size)
{
    return frame_has(&s->before.frame, at, size) && memcmp(frame_range(&s->before.frame, at, size), frame_range(&s->after.frame, at, size), size) == 0;
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for all words m at once. */
static unsigned followed(unsigned stored, uint64_t before, uint64_t after)
{
    return fold((uint64_t)(~stored & 0xFFFF) + fold(before) + (~fold(after) & 0xFFFF));
}

static bool follow_header(const struct sides *s, size_t index)
{
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    const struct header *h = &s->before.walk.header[index];
    const struct sum_rule *rule = protocols->kinds[h->kind].sum;
    size_t at = h->start, place = at + (rule != NULL ? rule->place : 0);
    if (rule == NULL || rule->bytes != 2 || !same(s, place, 2))     /* it has none; or the user has set it */
        return true;
    size_t size = datagram_head(old, h), later = datagram_head(new, h), fixed = rule->least;
    if (size < fixed || later < fixed || !within(&s->before, at, size) || !within(&s->after, at, later))
        return same(s, at, s->quoted ? least(fixed, old->size - at) : fixed);
    uint32_t was = sum(frame_range(old, at, size), size), is = sum(frame_range(new, at, later), later);
    if (was != is)
        put16(&s->edited, place, followed(get16(old, place), was, is));
    return true;
}

/* Computes a CRC anew, of what was right before. False: not all of it is there. */
static bool follow_crc(const struct sides *s, size_t index)
{
    struct message m;
    struct checksum before, after;
    bool whole = sum_of(&s->before, index, &m, &before) == CORRECTED
        && sum_of(&s->after, index, &m, &after) == CORRECTED && before.size == 4 && after.size == 4;
    if (whole && checksum_read(&s->before.frame, &before) == before.value)
        checksum_write(&s->edited, &after);
    return whole;
}

/* Whether anything of a message differs, or of what names its ends: addresses, options, routes. */
static bool touched(const struct sides *s, size_t index)
{
    const struct header *h = &s->before.walk.header[index];
    struct named by = named_by(h);
    return !same(s, by.carried, 1) || (by.ends < h->end && !same(s, by.ends, h->end - by.ends));
}

/* Lets a checksum follow, before and after; `same_kind`: whether they can be told of both in the same way. */
static void follow(struct sides *s, size_t index, struct message *before, struct message *after, bool same_kind, struct followed *left)
{
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    size_t place = before->at + before->place, rest = before->at < old->size ? least(before->size, old->size - before->at) : 0;
    bool edited = !same(s, before->at, rest);
    if (!frame_has(old, place, before->bytes)) {            /* it was not captured */
        left->stale |= !s->quoted && (edited || !same_kind || card_seed(old, before) != card_seed(new, after));
        return;
    }
    if (!same(s, place, before->bytes))                     /* the user has set it */
        return;
    if (!same_kind || before->protocol != after->protocol || before->at != after->at || before->rule != after->rule || !after->summed) {
        left->stale = true;
        return;
    }
    if (before->bytes == 4) {
        left->stale |= edited && !follow_crc(s, index);
        return;
    }
    if (before->covered < before->place + 2u || after->covered < after->place + 2u) {
        left->stale |= edited;
        return;
    }
    unsigned stored = get16(old, place);
    if (before->rule->zero == MISSING && stored == 0)       /* it has none */
        return;
    if ((before->obscure || after->obscure) && before->pseudo && !same(s, before->head, before->at - before->head)) {
        left->unknown = true;                               /* the last address of its route may be among these */
        return;
    }
    if (made_otherwise(&s->before, before)) {
        other_reading(before);
        other_reading(after);
    }
    uint64_t was = message_sum(old, before), is = message_sum(new, after);
    if (left_to_card(old, before) && stored != fold(was)) {
        if (stored != card_seed(old, before))
            before->length = after->length = 0;
        put16(&s->edited, place, card_seed(new, after));    /* left to the card, before and after */
        s->left = (struct checksum){place, 2, card_value(old, before), 0};
        s->kept = (struct checksum){place, 2, card_value(new, after), 0};
        return;
    }
    was += finishing_sum(old, before, &s->left);
    is += finishing_sum(new, after, &s->kept);
    if (fold(was) != fold(is)) {
        unsigned value = followed(stored, was, is);
        put16(&s->edited, place, written(before, value == 0 && is == 0 ? 0xFFFF : value));   /* of zeros alone; eq. 3 says its other zero */
    }
}

/* The same for the message that the IP header at `index` carries. */
static void follow_message(struct sides *s, size_t index, struct followed *left)
{
    struct message before, after;
    enum outcome outcome = message_of(&s->before, index, &before), later = message_of(&s->after, index, &after);
    if (outcome != CORRECTED && outcome != FRAGMENT) {
        const struct header *h = &s->before.walk.header[index];     /* nobody could say what its checksum is, if one is there */
        left->unknown |= (!s->quoted || within(&s->before, h->start, protocols->kinds[h->kind].fixed)) && touched(s, index);
        return;
    }
    covering(&s->before.frame, &before);
    covering(&s->after.frame, &after);
    left->unknown |= (before.unknown || before.sealed) && touched(s, index);
    if (!before.summed)
        return;
    if (outcome == FRAGMENT && fragment_offset(&s->before, index) > 0) {    /* it stands in another packet, and follows there */
        size_t size = s->before.frame.size;
        left->stale |= !s->quoted && !same(s, before.at, before.at < size ? least(before.size, size - before.at) : 0);
        return;
    }
    follow(s, index, &before, &after, outcome == later, left);
}

/* The same for what a header has of its own. */
static void follow_own(struct sides *s, size_t index, struct followed *left)
{
    struct message before, after;
    struct checksum c;
    enum outcome outcome = sum_of(&s->before, index, &before, &c), later = sum_of(&s->after, index, &after, &c);
    follow(s, index, &before, &after, outcome == later, left);
}

/* Lets the checksums of all headers follow. */
static void follow_all(struct sides *s, struct followed *left)
{
    for (size_t i = s->before.walk.count; i-- > 0;) {   /* the innermost first: outer sums cover inner ones */
        const struct header *h = &s->before.walk.header[i], *now = &s->after.walk.header[i];
        if (!has_sum(&s->before, i))
            continue;
        if (i >= s->after.walk.count || h->kind != now->kind || h->start != now->start) {
            left->stale |= !same(s, h->start, h->end - h->start);   /* nobody looks there any more; it is as it was */
            continue;
        }
        if (!carries_message(h)) {
            follow_own(s, i, left);
            continue;
        }
        follow_message(s, i, left);
        left->stale |= !follow_header(s, i);
    }
}

/* Makes the packet that is quoted the packet itself. */
static void leave_quoted(struct packet_view *p)
{
    struct walk *w = &p->walk;
    memmove(w->header, &w->header[w->quoted], (w->resumed - w->quoted) * sizeof *w->header);
    w->count = w->resumed - w->quoted;
    w->quoted = w->resumed = MAX_HEADERS;
    p->frame.size = w->quote_end;
}

/* The same of a packet that is quoted, if it is the same one. */
static __attribute__((noinline)) void follow_quoted(const struct sides *of, struct followed *left)
{
    if (of->after.walk.quoted == MAX_HEADERS || of->before.walk.quote_end != of->after.walk.quote_end)
        return;
    struct sides s = *of;
    s.quoted = true;
    leave_quoted(&s.before);
    leave_quoted(&s.after);
    follow_all(&s, left);
}

/* Lets the checksums of a packet follow what was changed in it; first those of what it quotes, which its own cover. */
struct followed update(const struct frame *before, const struct writable_frame *after, int64_t original, int64_t linktype)
{
    struct sides s = {
        .before = {.frame = *before, .original = original}, .after = {.frame = after->view, .original = original}, .edited = *after,
    };
    struct followed left = {false, false};
    walk_busy(&s.before.walk, before, linktype);
    walk_busy(&s.after.walk, &after->view, linktype);
    if (s.before.walk.quoted < MAX_HEADERS)
        follow_quoted(&s, &left);
    leave_out_quoted(&s.before.walk);
    leave_out_quoted(&s.after.walk);
    follow_all(&s, &left);
    return left;
}
