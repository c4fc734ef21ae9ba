/* Checksums that follow an edit without being computed anew (RFC 1624): what was right stays right, what was wrong stays
 * wrong, also where the packet was cut short or is a fragment. Twin of ../python/update.py.
 */
#include "codec.h"

struct sides {                  /* the packet before and after the edit */
    struct packet_view before, after;
};

static bool same(const struct sides *s, size_t at, size_t size)
{
    return frame_has(&s->before.frame, at, size) && memcmp(s->before.frame.at + at, s->after.frame.at + at, size) == 0;
}

/* RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for all words m at once. */
static unsigned followed(unsigned stored, uint64_t before, uint64_t after)
{
    return finished((uint64_t)(~stored & 0xFFFF) + finished(before) + (~finished(after) & 0xFFFF));
}

static bool follow_header(const struct sides *s, size_t index)
{
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    size_t at = s->before.walk.header[index].start;
    size_t size = (get8(old, at) & 15) * 4, later = (get8(new, at) & 15) * 4;
    if (!same(s, at + 10, 2))                   /* the user has set it */
        return true;
    if (size < 20 || later < 20 || !within(&s->before, at, size) || !within(&s->after, at, later))
        return same(s, at, 20);
    uint32_t was = sum(old->at + at, size), is = sum(new->at + at, later);
    if (was != is)
        put16(new, at + 10, followed(get16(old, at + 10), was, is));
    return true;
}

/* Where in its datagram a fragment stands, in the units of its header; 0: it is the first one. */
static unsigned piece_offset(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    if (h->kind == IP)
        return get16(&p->frame, h->start + 6) & 0x1FFF;
    while (h < &p->walk.header[p->walk.count - 1] && h->kind != IPV6_FRAGMENT)
        h++;
    return h->kind == IPV6_FRAGMENT ? get16(&p->frame, h->start + 2) & 0xFFF8 : 0;
}

/* The words that a message's checksum covers, as far as they were captured, without the checksum itself. */
static uint64_t covered(const struct packet_view *p, const struct message *m, size_t place)
{
    size_t size = least(m->size, p->frame.size - m->at);
    const uint8_t *at = p->frame.at + m->at;
    return pseudo_sum(&p->frame, m) + sum(at, place) + sum(at + place + 2, size - place - 2);
}

/* What UDP says of its own length is what its pseudo-header has, RFC 768. */
static void own_length(const struct packet_view *p, struct message *m)
{
    size_t length = get16(&p->frame, m->at + 4);
    if (m->protocol == 17 && length >= 8)
        m->size = length;
}

static bool follow_crc(const struct sides *s, size_t index)
{
    struct message m;
    struct checksum before, after;
    bool whole = message_checksum(&s->before, index, &m, &before) == CORRECTED
        && message_checksum(&s->after, index, &m, &after) == CORRECTED && before.size == 4 && after.size == 4;
    if (whole && checksum_read(&s->before.frame, &before) == before.value)
        checksum_write(&s->after.frame, &after);
    return whole;
}

static bool follow_message(const struct sides *s, size_t index)
{
    struct message before, after;
    const struct frame *old = &s->before.frame, *new = &s->after.frame;
    enum outcome outcome = message_of(&s->before, index, &before), later = message_of(&s->after, index, &after);
    if (outcome != CORRECTED && outcome != FRAGMENT)
        return true;                            /* nobody could say what its checksum is */
    size_t rest = before.at < old->size ? least(before.size, old->size - before.at) : 0;
    size_t place = checksum_place(old, &before);
    bool later_piece = outcome == FRAGMENT && piece_offset(&s->before, index) > 0;
    if (place == 0 || later_piece)
        return place == 0 || same(s, before.at, rest);      /* it stands in another packet, and follows there */
    if (!frame_has(old, before.at + place, before.protocol == 132 ? 4 : 2))     /* it was not captured */
        return same(s, before.at, rest) && outcome == later && pseudo_sum(old, &before) == pseudo_sum(new, &after);
    if (!same(s, before.at + place, before.protocol == 132 ? 4 : 2))
        return true;                            /* the user has set it */
    if (outcome != later || before.protocol != after.protocol || before.at != after.at || place != checksum_place(new, &after))
        return false;
    if (before.protocol == 132)
        return same(s, before.at, rest) || follow_crc(s, index);
    own_length(&s->before, &before);
    own_length(&s->after, &after);
    if (before.size < place + 2 || after.size < place + 2)
        return same(s, before.at, rest);
    unsigned stored = get16(old, before.at + place);
    if (before.protocol == 17 && !before.v6 && stored == 0)
        return true;                            /* it has none */
    uint64_t was = covered(&s->before, &before, place), is = covered(&s->after, &after, place);
    if (finished(was) == finished(is))
        return true;
    unsigned value = followed(stored, was, is);
    put16(new, before.at + place, value == 0 && before.protocol == 17 ? 0xFFFF : value);
    return true;
}

/* Lets the checksums of a packet follow what was changed in it. False: one of them could not. */
bool update(const struct frame *before, const struct frame *after, int64_t original, int64_t linktype)
{
    struct sides s = {.before = {.frame = *before, .original = original}, .after = {.frame = *after, .original = original}};
    bool all = true;
    walk(&s.before.walk, before, linktype);
    walk(&s.after.walk, after, linktype);
    for (size_t i = s.before.walk.count; i-- > 0;) {    /* the innermost first: outer sums cover inner ones */
        const struct header *h = &s.before.walk.header[i], *now = &s.after.walk.header[i];
        if (h->kind != IP && h->kind != IPV6)
            continue;
        if (i >= s.after.walk.count || h->kind != now->kind || h->start != now->start)
            all &= same(&s, h->start, h->end - h->start);   /* nobody looks there any more; it is as it was */
        else {
            all &= follow_message(&s, i);
            all &= h->kind != IP || follow_header(&s, i);
        }
    }
    return all;
}
