/* Checksums that follow an edit without being computed anew (RFC 1624): what was right stays right, what was wrong stays
 * wrong, also where the packet was truncated or is a fragment. Twin of ../python/update.py.
 */
#include "codec.h"

struct sides {                  /* the packet before and after the edit */
    struct packet_view before, after;
    struct writable_frame edited;   /* the bytes of `after` */
    struct checksum left, kept; /* what was left to the card in it, before and after */
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
    size_t at = s->before.walk.header[index].start;
    size_t size = ip_header_size(old, at), later = ip_header_size(new, at), place = at + IP_CHECKSUM_AT;
    if (!same(s, place, 2))                     /* the user has set it */
        return true;
    if (size < IP_SIZE || later < IP_SIZE || !within(&s->before, at, size) || !within(&s->after, at, later))
        return same(s, at, IP_SIZE);
    uint32_t was = sum(frame_range(old, at, size), size), is = sum(frame_range(new, at, later), later);
    if (was != is)
        put16(&s->edited, place, followed(get16(old, place), was, is));
    return true;
}

/* Where in its datagram a fragment stands, in the units of its header; 0: it is the first one. */
static unsigned fragment_offset(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    if (h->kind == IP)
        return ip_offset(&p->frame, h->start);
    while (h < &p->walk.header[p->walk.count - 1] && h->kind != IPV6_FRAGMENT)
        h++;
    return h->kind == IPV6_FRAGMENT ? ipv6_offset(&p->frame, h->start) : 0;
}

/* Which of two readings of its checksum a message was made by, if not the first one. */
static bool made_otherwise(const struct packet_view *p, const struct message *m)
{
    struct message o = *m;
    if (!m->other || !within(p, m->at, m->size))
        return false;
    other_reading(&o);
    unsigned stored = get16(&p->frame, m->at + m->place);
    return stored != fold(message_sum(&p->frame, m)) && stored == fold(message_sum(&p->frame, &o));
}

static bool follow_crc(const struct sides *s, size_t index)
{
    struct message m;
    struct checksum before, after;
    bool whole = message_checksum(&s->before, index, &m, &before) == CORRECTED
        && message_checksum(&s->after, index, &m, &after) == CORRECTED && before.size == 4 && after.size == 4;
    if (whole && checksum_read(&s->before.frame, &before) == before.value)
        checksum_write(&s->edited, &after);
    return whole;
}

/* Whether anything of a message differs, or of what names its ends: addresses, options, routes. */
static bool touched(const struct sides *s, size_t index)
{
    const struct header *h = &s->before.walk.header[index];
    if (h->kind == UDP)
        return !same(s, h->start, h->end - h->start);
    size_t names = h->start + (h->kind == IP ? IP_SOURCE_AT : IPV6_SOURCE_AT);
    return !same(s, h->start + (h->kind == IP ? IP_PROTOCOL_AT : IPV6_NEXT_AT), 1) || (names < h->end && !same(s, names, h->end - names));
}

/* Whether a description says what the checksum of a message is. */
static bool described(const struct sides *s, size_t index, const struct message *m)
{
    size_t next = index + 1;
    while (next < s->before.walk.count && s->before.walk.header[next].start < m->at)
        next++;
    return next < s->before.walk.count && s->before.walk.header[next].start == m->at && has_sum(&s->before, next);
}

static void follow_message(struct sides *s, size_t index, struct followed *left)
{
    struct message before, after;
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    enum outcome outcome = message_of(&s->before, index, &before), later = message_of(&s->after, index, &after);
    if (outcome != CORRECTED && outcome != FRAGMENT) {
        left->unknown |= touched(s, index);     /* nobody could say what its checksum is */
        return;
    }
    covering(old, &before);
    covering(new, &after);
    left->unknown |= ((before.unknown && !described(s, index, &before)) || before.sealed) && touched(s, index);
    if (before.place == 0)
        return;
    size_t place = before.place, rest = before.at < old->size ? least(before.size, old->size - before.at) : 0;
    if (outcome == FRAGMENT && fragment_offset(&s->before, index) > 0) {
        left->stale |= !same(s, before.at, rest);           /* it stands in another packet, and follows there */
        return;
    }
    if (!frame_has(old, before.at + place, before.bytes)) { /* it was not captured */
        unsigned was = fold(pseudo_sum(old, &before)), is = fold(pseudo_sum(new, &after));
        left->stale |= !same(s, before.at, rest) || outcome != later || was != is;
        return;
    }
    if (!same(s, before.at + place, before.bytes))          /* the user has set it */
        return;
    if (outcome != later || before.protocol != after.protocol || before.at != after.at || place != after.place) {
        left->stale = true;
        return;
    }
    if (before.bytes == 4) {
        left->stale |= !same(s, before.at, rest) && !follow_crc(s, index);
        return;
    }
    if (before.covered < place + 2 || after.covered < place + 2) {
        left->stale |= !same(s, before.at, rest);
        return;
    }
    unsigned stored = get16(old, before.at + place);
    if (before.protocol == PROTO_UDP && stored == 0)               /* it has none */
        return;
    if ((before.obscure || after.obscure) && before.pseudo) {
        size_t start = s->before.walk.header[index].start + IPV6_DESTINATION_AT;
        if (!same(s, start, before.at - start)) {           /* the last address of its route may be among these */
            left->unknown = true;
            return;
        }
    }
    if (made_otherwise(&s->before, &before)) {
        other_reading(&before);
        other_reading(&after);
    }
    uint64_t was = message_sum(old, &before), is = message_sum(new, &after);
    if (left_to_card(old, &before) && stored != fold(was)) {
        if (stored != card_seed(old, &before))
            before.length = after.length = 0;
        put16(&s->edited, before.at + place, card_seed(new, &after));      /* left to the card, before and after */
        s->left = (struct checksum){before.at + place, 2, card_value(old, &before), 0};
        s->kept = (struct checksum){before.at + place, 2, card_value(new, &after), 0};
        return;
    }
    was += finishing_sum(old, &before, &s->left);
    is += finishing_sum(new, &after, &s->kept);
    if (fold(was) == fold(is))
        return;
    unsigned value = followed(stored, was, is);
    put16(&s->edited, before.at + place, value == 0 && before.never_zero ? 0xFFFF : value);
}

/* The same for the checksum of a header by its description, see sums.c. */
static void follow_described(struct sides *s, size_t index, struct followed *left)
{
    struct message before, after;
    struct checksum was, is;
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    enum outcome outcome = header_sum(&s->before, index, &before, &was), later = header_sum(&s->after, index, &after, &is);
    size_t place = before.at + before.place;
    bool touched = !same(s, before.at, before.size);
    if (!same(s, place, before.bytes))          /* the user has set it */
        return;
    if (outcome != later || before.covered == 0 || after.covered == 0 || outcome == OBSCURE || after.bytes == 0) {
        left->stale |= touched;
        return;
    }
    if (before.bytes == 4) {
        if (was.size > 0 && checksum_read(old, &was) == was.value)
            checksum_write(&s->edited, &is);
        left->stale |= was.size == 0 && touched;
        return;
    }
    uint64_t all = message_sum(old, &before) + finishing_sum(old, &before, &s->left);
    uint64_t now = message_sum(new, &after) + finishing_sum(new, &after, &s->kept);
    if (fold(all) == fold(now))
        return;
    unsigned value = followed(get16(old, place), all, now);
    put16(&s->edited, place, value == 0 && before.never_zero ? 0xFFFF : value);
}

/* Lets the checksums of a packet follow what was changed in it. */
struct followed update(const struct frame *before, const struct writable_frame *after, int64_t original, int64_t linktype)
{
    struct sides s = {
        .before = {.frame = *before, .original = original}, .after = {.frame = after->view, .original = original}, .edited = *after,
    };
    struct followed left = {false, false};
    bool sums = sums_known();
    walk_own(&s.before.walk, before, linktype);
    walk_own(&s.after.walk, &after->view, linktype);
    for (size_t i = s.before.walk.count; i-- > 0;) {    /* the innermost first: outer sums cover inner ones */
        const struct header *h = &s.before.walk.header[i], *now = &s.after.walk.header[i];
        bool summed = sums && has_sum(&s.before, i), carries = carries_message(&s.before, i);
        if (!carries && !summed)
            continue;
        if (i >= s.after.walk.count || h->kind != now->kind || h->start != now->start) {
            left.stale |= !same(&s, h->start, h->end - h->start);   /* nobody looks there any more; it is as it was */
            continue;
        }
        if (summed)
            follow_described(&s, i, &left);
        if (carries) {
            follow_message(&s, i, &left);
            left.stale |= h->kind == IP && !follow_header(&s, i);
        }
    }
    return left;
}
