/* Replaces addresses, and other numbers that say who speaks to whom, in all headers, their items, and the packets that errors quote.
 * Checksums follow by the difference. Twin of ../python/addresses.py.
 */
#include "addresses.h"
#include "protocols.h"

#include <stdlib.h>

enum { FIRST_BITS = 6, MOST_PLACES = 65536, MOST_COUNTS = 4096, WORD_BITS = 16 };

struct found {                  /* a number that becomes another one; in the bytes of the packet */
    size_t bit, width;
    struct value was, now;
};

/* ---- the table ---- */

static size_t slot_number(const struct addresses *a, int64_t header)
{
    return header < FIRST_ITEM ? (size_t)header : a->kinds + (size_t)(header - FIRST_ITEM);
}

static bool place_sound(struct addresses *a, const struct address_place *p)
{
    bool item = p->header >= FIRST_ITEM;
    if (p->header < 0 || (!item && (size_t)p->header >= a->kinds) || p->header >= 2 * FIRST_ITEM || p->sort < 0 || p->sort >= MOST_SORTS)
        return false;
    if (p->width == 0)
        return !item && p->side >= 0 && p->side < MOST_COUNTS;
    bool known = a->width[p->sort] == 0 || a->width[p->sort] == p->width;
    a->width[p->sort] = (uint8_t)p->width;
    return known && p->bit >= 0 && p->bit <= 8 * MAX_FRAME && ((p->width >= 1 && p->width <= 57) || p->width == 128)
        && (p->side == AS_SOURCE || p->side == AS_DESTINATION || p->side == AS_NEITHER)
        && p->how >= AS_WHOLE && p->how <= (p->width == 128 ? IN_PART : INVERTED);
}

static int by_header(const void *one, const void *other)
{
    const struct address_place *a = one, *b = other;
    return a->header != b->header ? (a->header > b->header) - (a->header < b->header) : (a->bit > b->bit) - (a->bit < b->bit);
}

/* Whether there are places in items of a list, or of one inside. */
static bool in_list(const struct addresses *a, const struct list *l, unsigned depth)
{
    for (const struct item *i = l->items; i < l->items + l->count; i++) {
        size_t number = i->kind >= 0 ? slot_number(a, i->kind) : 0;
        if (i->kind >= 0 && number < a->kinds + a->items && a->first[number] < a->first[number + 1])
            return true;
        if (i->inner != NULL && depth > 0 && in_list(a, i->inner, depth - 1))
            return true;
    }
    return false;
}

bool addresses_begin(struct addresses *a, const struct address_place *places, size_t count, bool *sound)
{
    *a = (struct addresses){.kinds = protocols_kinds()};
    *sound = count <= MOST_PLACES;
    for (size_t i = 0; *sound && i < count; i++) {
        const struct address_place *p = &places[i];
        *sound = place_sound(a, p);
        if (p->header >= FIRST_ITEM && (size_t)(p->header - FIRST_ITEM) >= a->items)
            a->items = (size_t)(p->header - FIRST_ITEM) + 1;
        if (p->width == 0 && (size_t)p->side >= a->counts)
            a->counts = (size_t)p->side + 1;
    }
    if (!*sound)
        return false;
    size_t all = a->kinds + a->items;
    a->places = malloc((count + 1) * sizeof *a->places);
    a->first = calloc(all + 1, sizeof *a->first);
    a->itemised = calloc(a->kinds + 1, sizeof *a->itemised);
    a->asked_of = calloc(all + 1, sizeof *a->asked_of);
    a->counted = calloc(a->counts + 1, sizeof *a->counted);
    a->bits = FIRST_BITS;
    a->slots = calloc((size_t)1 << a->bits, sizeof *a->slots);
    if (a->places == NULL || a->first == NULL || a->itemised == NULL || a->asked_of == NULL || a->counted == NULL || a->slots == NULL)
        return false;
    if (count > 0)
        memcpy(a->places, places, count * sizeof *places);
    qsort(a->places, count, sizeof *a->places, by_header);
    for (size_t i = 0; i < count; i++)
        a->first[slot_number(a, places[i].header) + 1]++;
    for (size_t i = 0; i < all; i++)
        a->first[i + 1] += a->first[i];
    for (size_t k = 0; k < a->kinds; k++)
        for (size_t i = 0; i < protocols->kinds[k].holds_count; i++) {
            const struct hold *h = &protocols->kinds[k].holds[i];
            uint32_t without = h->to == TO_SIZE && h->first > 0 ? h->first : 1;    /* 1: that is not known */
            if (in_list(a, h->list, MAX_INSIDE))
                a->itemised[k] = a->itemised[k] == 0 || without < a->itemised[k] ? without : a->itemised[k];
        }
    return true;
}

void addresses_end(struct addresses *a)
{
    for (size_t i = 0; i < MOST_SORTS; i++)
        free(a->levels[i].level);
    free(a->places);
    free(a->first);
    free(a->itemised);
    free(a->asked_of);
    free(a->counted);
    free(a->slots);
    bytes_free(&a->rules);
    bytes_free(&a->found);
    bytes_free(&a->before);
    bytes_free(&a->asked);
    *a = (struct addresses){0};
}

/* A number's first `length` bits, of `width`; the others are 0. */
static struct value beginning(struct value v, unsigned width, unsigned length)
{
    unsigned off = width - length;
    if (off >= 64)
        return (struct value){off >= 128 ? 0 : v.high >> (off - 64) << (off - 64), 0};
    return (struct value){v.high, v.low >> off << off};
}

static bool alike(struct value one, struct value other)
{
    return one.high == other.high && one.low == other.low;
}

/* Where the rule for these numbers is, or is to be. */
static uint32_t *slot_for(const struct addresses *a, unsigned sort, unsigned length, unsigned sides, struct value number)
{
    const uint64_t key[3] = {number.high, number.low, sort << 16 | length << 8 | sides};
    size_t mask = ((size_t)1 << a->bits) - 1, at = (size_t)hash_of(a, (const uint8_t *)key, sizeof key) & mask;
    const struct address_rule *rules = (const struct address_rule *)(const void *)a->rules.at;
    for (; a->slots[at] != 0; at = (at + 1) & mask) {
        const struct address_rule *r = &rules[a->slots[at] - 1];
        if (r->sort == sort && r->length == length && r->sides == sides && alike(r->number, number))
            break;
    }
    return &a->slots[at];
}

/* The rule for a number that stands on a side: the one for the most of its first bits; NULL: none is. */
static const struct address_rule *rule_for(const struct addresses *a, unsigned sort, unsigned side, struct value number)
{
    const struct levels *levels = &a->levels[sort];
    for (const struct reach *l = levels->level; l < levels->level + levels->count; l++)
        if ((l->sides & side) != 0) {
            struct value begins = beginning(number, a->width[sort], l->length);
            const struct address_rule *rules = (const struct address_rule *)(const void *)a->rules.at;
            uint32_t found = l->count > 1 ? *slot_for(a, sort, l->length, l->sides, begins)
                : alike(rules[l->only].number, begins) ? l->only + 1 : 0;
            if (found != 0)
                return &rules[found - 1];
        }
    return NULL;
}

bool addresses_rule_sound(const struct addresses *a, const struct address_rule *r)
{
    if (r->sort < 0 || r->sort >= MOST_SORTS || a->width[r->sort] == 0 || r->sides < 1 || r->sides > ANYWHERE || r->treatment < 0
        || r->treatment >= TREATMENTS || (r->treatment == ASK && r->sides != ANYWHERE))
        return false;
    unsigned width = a->width[r->sort];
    if (r->length < 0 || r->length > width || !alike(r->number, beginning(r->number, width, (unsigned)r->length)))
        return false;
    struct value all = {width == 128 ? UINT64_MAX : 0, width == 128 ? UINT64_MAX : (UINT64_C(1) << width) - 1};
    return (r->number.high & ~all.high) == 0 && (r->number.low & ~all.low) == 0 && (r->to.high & ~all.high) == 0 && (r->to.low & ~all.low) == 0;
}

/* The length of a rule, among those: the longest first, and of these those that are for fewer sides. NULL: no memory. */
static struct reach *level_of(struct levels *levels, unsigned length, unsigned sides)
{
    size_t at = 0;
    for (; at < levels->count; at++) {
        struct reach *l = &levels->level[at];
        if (l->length == length && l->sides == sides)
            return l;
        if (l->length < length || (l->length == length && __builtin_popcount(l->sides) > __builtin_popcount(sides)))
            break;
    }
    struct reach *more = realloc(levels->level, (levels->count + 1) * sizeof *more);
    if (more == NULL)
        return NULL;
    levels->level = more;
    memmove(&more[at + 1], &more[at], (levels->count - at) * sizeof *more);
    more[at] = (struct reach){.length = (uint8_t)length, .sides = (uint8_t)sides};
    levels->count++;
    return &more[at];
}

/* Finds out in which kinds there are places for numbers of which there are rules. */
static void ask_kinds(struct addresses *a)
{
    for (size_t slot = 0; slot < a->kinds + a->items; slot++) {
        a->asked_of[slot] = false;
        for (const struct address_place *p = a->places + a->first[slot]; p < a->places + a->first[slot + 1]; p++)
            a->asked_of[slot] |= p->width == 0 || a->levels[p->sort].count > 0;
    }
}

static bool grow_slots(struct addresses *a)
{
    size_t count = a->rules.size / sizeof(struct address_rule);
    if (count < (size_t)1 << (a->bits - 1))
        return true;
    uint32_t *more = count < UINT32_MAX / 4 ? calloc((size_t)2 << a->bits, sizeof *more) : NULL;
    if (more == NULL)
        return false;
    free(a->slots);
    a->slots = more;
    a->bits++;
    const struct address_rule *rules = (const struct address_rule *)(const void *)a->rules.at;
    for (size_t i = 0; i < count; i++)
        *slot_for(a, (unsigned)rules[i].sort, (unsigned)rules[i].length, (unsigned)rules[i].sides, rules[i].number) = (uint32_t)i + 1;
    return true;
}

bool addresses_add(struct addresses *a, const struct address_rule *r)
{
    struct levels *levels = &a->levels[r->sort];
    struct reach *level = NULL;
    bool first = levels->count == 0;
    if (grow_slots(a) && bytes_need(&a->rules, sizeof *r))
        level = level_of(levels, (unsigned)r->length, (unsigned)r->sides);
    if (level == NULL)
        return false;
    uint32_t *slot = slot_for(a, (unsigned)r->sort, (unsigned)r->length, (unsigned)r->sides, r->number);
    if (*slot == 0) {
        bytes_add(&a->rules, r, sizeof *r);
        *slot = (uint32_t)(a->rules.size / sizeof *r);
        level->only = *slot - 1;
        level->count++;
    } else
        ((struct address_rule *)(void *)a->rules.at)[*slot - 1] = *r;
    if (first)
        ask_kinds(a);
    return true;
}

/* ---- a packet ---- */

struct search {                 /* what is found in a packet */
    struct addresses *a;
    const struct frame *frame;
    enum mapping mapping;
    size_t end;                 /* the byte behind what is replaced */
};

static struct value number_at(const struct frame *f, size_t bit, size_t width)
{
    return width == 128 ? (struct value){read_bits(f, bit, 64), read_bits(f, bit + 64, 64)} : (struct value){0, read_bits(f, bit, width)};
}

/* The first bits of a number of 128, the others are 0: as many as there are whole words up to `end`, in bits. */
static struct value beginning_at(const struct frame *f, size_t bit, size_t end, size_t *width)
{
    struct value v = {0, 0};
    for (*width = 0; *width < 128 && bit + *width + WORD_BITS <= end; *width += WORD_BITS)
        *(*width < 64 ? &v.high : &v.low) |= read_bits(f, bit + *width, WORD_BITS) << (48 - *width % 64);
    return v;
}

static struct value inverse(struct value v, size_t width)
{
    return width == 128 ? (struct value){~v.high, ~v.low} : (struct value){0, ~v.low & ((UINT64_C(1) << width) - 1)};
}

/* Takes down a number that is asked for; it is asked once. */
static bool ask(struct addresses *a, const struct address_rule *by, struct value number)
{
    struct address_rule waits = *by;
    waits.length = a->width[by->sort];
    waits.treatment = ASKED;
    waits.number = number;
    struct question one = {by->sort, number};
    return addresses_add(a, &waits) && bytes_add(&a->asked, &one, sizeof one);
}

static bool take(struct addresses *a, size_t bit, size_t width, struct value was, struct value now)
{
    struct found found = {bit, width, was, now};
    return bytes_add(&a->found, &found, sizeof found);
}

/* The same of the first bits of a number of 128, word by word. */
static bool take_words(struct addresses *a, size_t bit, size_t width, struct value was, struct value now)
{
    for (size_t i = 0; i < width; i += WORD_BITS) {
        struct value old = {0, (i < 64 ? was.high : was.low) >> (48 - i % 64) & 0xFFFF};
        struct value new = {0, (i < 64 ? now.high : now.low) >> (48 - i % 64) & 0xFFFF};
        if (!take(a, bit + i, WORD_BITS, old, new))
            return false;
    }
    return true;
}

/* Looks at the places of a header, or of an item. */
static void search_in(struct search *s, size_t slot, const struct header *h, bool quoted)
{
    struct addresses *a = s->a;
    if (!a->asked_of[slot])
        return;
    for (const struct address_place *p = a->places + a->first[slot], *last = a->places + a->first[slot + 1]; p < last; p++) {
        size_t bit = (size_t)h->start * 8 + (size_t)p->bit, width = (size_t)p->width;
        bool begins = p->how == IN_PART;
        if (width == 0 || a->levels[p->sort].count == 0 || bit + (begins ? WORD_BITS : width) > (size_t)h->end * 8)
            continue;
        struct value was = begins ? beginning_at(s->frame, bit, (size_t)h->end * 8, &width) : number_at(s->frame, bit, width);
        if (p->how == INVERTED)
            was = inverse(was, width);
        unsigned side = (unsigned)p->side;
        if (quoted && side != AS_NEITHER)       /* what is quoted went the other way */
            side ^= AS_SOURCE | AS_DESTINATION;
        const struct address_rule *r = rule_for(a, (unsigned)p->sort, side, was);
        if (r == NULL)
            continue;
        if (r->treatment != REPLACE) {
            enum mapping mapping = r->treatment == REFUSE ? REFUSED : WAITING;
            if (r->treatment == ASK && !ask(a, r, was))
                mapping = WITHOUT_MEMORY;
            s->mapping = mapping > s->mapping ? mapping : s->mapping;
            continue;
        }
        struct value now = {r->to.high | (was.high & r->keep.high), r->to.low | (was.low & r->keep.low)};
        if (begins)
            now = beginning(now, 128, (unsigned)width);
        if (alike(was, now))
            continue;
        if (p->how == INVERTED) {
            was = inverse(was, width);
            now = inverse(now, width);
        }
        s->mapping = s->mapping == NOT_FOUND ? MAPPED : s->mapping;
        s->end = s->end > (bit + width + 7) / 8 ? s->end : (bit + width + 7) / 8;
        if (!(begins ? take_words(a, bit, width, was, now) : take(a, bit, width, was, now)))
            s->mapping = WITHOUT_MEMORY;
    }
}

/* Headers whose contents are only counted. */
static void count_in(struct addresses *a, const struct header *h)
{
    for (const struct address_place *p = a->places + a->first[h->kind], *last = a->places + a->first[h->kind + 1]; p < last; p++)
        if (p->width == 0)
            a->counted[p->side]++;
}

/* A first fragment: the walk goes into none, but the header of what was divided is there, with its ports. */
static void search_fragment(struct search *s, const struct packet_view *p, size_t index)
{
    const struct walk *w = &p->walk;
    const struct header *h = &w->header[index];
    size_t inner = index + 1;
    while (inner < w->count && extends(w->header[inner].kind))
        inner++;
    struct message m;
    if ((inner < w->count && w->header[inner].start < h->end) || message_of(p, index, &m) != FRAGMENT || fragment_offset(p, index) > 0)
        return;
    covering(&p->frame, &m);
    if (m.rule == NULL || m.at >= p->frame.size)
        return;
    uint32_t start = (uint32_t)m.at, end = (uint32_t)(m.at + least(m.size, p->frame.size - m.at));
    struct header first = {m.rule->kind->number, NO_EXCEPTION, start, start, end};
    search_in(s, first.kind, &first, is_quoted(w, index));
}

static void search_all(struct search *s, const struct packet_view *p)
{
    const struct walk *w = &p->walk;
    struct addresses *a = s->a;
    bool itemised = false;
    for (size_t i = 0; i < w->count; i++) {
        const struct header *h = &w->header[i];
        if (h->kind >= a->kinds)
            continue;
        search_in(s, h->kind, h, is_quoted(w, i));
        uint32_t without = a->itemised[h->kind];
        itemised |= without > 0 && (without == 1 || header_size(&protocols->kinds[h->kind], s->frame, h->start) > without);
        if (carries_message(h))
            search_fragment(s, p, i);
    }
    struct items items = items_of(s->frame, w);
    struct header item;
    while (itemised && next_item(&items, &item))
        if (slot_number(a, item.kind) < a->kinds + a->items)
            search_in(s, slot_number(a, item.kind), &item, is_quoted(w, items.index));
    for (size_t i = 0; i < w->count && s->mapping < WAITING; i++)
        if (w->header[i].kind < a->kinds)
            count_in(a, &w->header[i]);
}

static void write_all(const struct addresses *a, const struct writable_frame *f)
{
    const struct found *found = (const struct found *)(const void *)a->found.at;
    for (const struct found *one = found; one < found + a->found.size / sizeof *one; one++)
        if (one->width == 32 && one->bit % 8 == 0)
            write32(writable_range(f, one->bit / 8, 4), (uint32_t)one->now.low, true);
        else if (one->width == 128) {
            place_value(f, one->bit, 64, one->now.high);
            place_value(f, one->bit + 64, 64, one->now.low);
        } else
            place_value(f, one->bit, one->width, one->now.low);
}

/* ---- checksums of packets with one IP header and one message behind it: nearly all ---- */

struct plain {
    struct message message;
    size_t header, header_end, header_place;    /* of the IP header; its place is 0 where it has no checksum */
};

/* Whether a packet is one, with checksums that follow simply. */
static bool is_plain(const struct packet_view *p, struct plain *plain)
{
    const struct walk *w = &p->walk;
    size_t carrier = 0;
    if (w->quoted < MAX_HEADERS)
        return false;
    while (carrier < w->count && !carries_message(&w->header[carrier]))
        carrier++;
    if (carrier == w->count)
        return false;
    for (size_t i = 0; i < w->count; i++)
        if (i != carrier && ((i != carrier + 1 && protocols->kinds[w->header[i].kind].sum != NULL) || carries_message(&w->header[i])))
            return false;
    struct message *m = &plain->message;
    if (!plain_message(p, carrier, m) || m->bytes != 2 || m->other || !m->summed || left_to_card(&p->frame, m))
        return false;
    const struct header *h = &w->header[carrier];
    const struct sum_rule *rule = protocols->kinds[h->kind].sum;
    plain->header = h->start;
    plain->header_end = h->start + datagram_head(&p->frame, h);
    plain->header_place = rule != NULL ? h->start + rule->place : 0;
    return rule == NULL || rule->bytes == 2;
}

/* The sum of a number of whole bytes, as those of words from an even place on. */
static uint64_t sum_of_number(struct value v, size_t place)
{
    uint64_t total = (v.high >> 32) + (v.high & UINT32_MAX) + (v.low >> 32) + (v.low & UINT32_MAX);
    return place % 2 == 0 ? total : ((total >> 32) + (total & UINT32_MAX)) << 8;
}

struct replaced { uint64_t was, is; };  /* sums of what is replaced, before and after */

/* Those in a range of bytes that a sum is over. False: a number is not of whole bytes, or in it in part. */
static bool replaced_sums(const struct addresses *a, size_t start, size_t end, struct replaced *sums)
{
    const struct found *found = (const struct found *)(const void *)a->found.at;
    for (const struct found *one = found; one < found + a->found.size / sizeof *one; one++) {
        size_t at = one->bit / 8, behind = (one->bit + one->width + 7) / 8;
        if (behind <= start || at >= end)
            continue;
        if (one->bit % 8 != 0 || one->width % 16 != 0 || at < start || behind > end)
            return false;
        sums->was += sum_of_number(one->was, at - start);
        sums->is += sum_of_number(one->now, at - start);
    }
    return true;
}

/* RFC 1624 equation 3; what differs by nothing stays as it was written. */
static void follow_sum(const struct writable_frame *f, size_t place, struct replaced sums, const struct message *m)
{
    unsigned was = fold(sums.was), is = fold(sums.is);
    if (was == is || ((was ^ is) == 0xFFFF && was % 0xFFFF == 0))
        return;
    unsigned value = fold((uint64_t)(~get16(&f->view, place) & 0xFFFF) + was + (~is & 0xFFFF));
    put16(f, place, m != NULL ? written(m, value) : value);
}

/* ---- the check sequence of a frame ---- */

/* Where a packet has its frame check sequence, if it is right: known to be there, or behind a datagram of Ethernet; 0: it has none. */
static size_t right_fcs(const struct frame *whole, const struct packet *row, const struct packet_view *p)
{
    size_t at = p->frame.size;
    if (row->linktype <= UINT32_MAX) {
        const struct header *h = p->walk.header, *end = h + p->walk.count;
        if (row->original > row->captured || h->exception != PADDED || at < FCS)
            return 0;
        at -= FCS;
        for (h++; h < end && is_tag_header(h->kind); h++)
            ;
        if (h == end || h->end > at)
            return 0;
    }
    bool there = at > 0 && whole->size == at + FCS && row->original <= (int64_t)whole->size;
    return there && frame_crc(frame_range(whole, 0, at), at) == reversed(get32(whole, at)) ? at : 0;
}

static void write_fcs(const struct writable_frame *whole, size_t at)
{
    uint32_t crc = reversed(frame_crc(frame_range(&whole->view, 0, at), at));
    put16(whole, at, crc >> 16);
    put16(whole, at + 2, crc & 0xFFFF);
}

/* Writes what was found, and lets checksums follow. False: no memory. */
static bool replace(struct addresses *a, const struct packet_view *view, const struct writable_frame *f, int64_t linktype, struct left *left)
{
    struct plain plain;
    struct replaced header = {0, 0}, message = {0, 0};
    const struct message *m = &plain.message;
    if (is_plain(view, &plain) && replaced_sums(a, plain.header, plain.header_end, &header)
            && (!m->pseudo || replaced_sums(a, m->source, plain.header_end, &message)) && replaced_sums(a, m->at, m->at + m->covered, &message)) {
        write_all(a, f);
        if (plain.header_place != 0)
            follow_sum(f, plain.header_place, header, NULL);
        follow_sum(f, m->at + m->place, message, m);
        return true;
    }
    a->before.size = 0;
    if (!bytes_add(&a->before, f->view.at, f->view.size))
        return false;
    write_all(a, f);
    struct frame before = {a->before.at, f->view.size};
    left->sums = update(&before, f, view->original, linktype);
    return true;
}

enum mapping addresses_map(struct addresses *a, const struct writable_frame *whole, const struct packet *row, bool follow, struct left *left)
{
    struct packet own;
    const struct packet *p = without_fcs(row, &own);
    struct writable_frame frame = writable(whole->at, (size_t)p->captured), *f = &frame;
    struct packet_view view;
    view.frame = f->view;
    view.original = p->original;
    struct search s = {a, &f->view, NOT_FOUND, 0};
    a->found.size = 0;
    walk(&view.walk, &f->view, p->linktype);
    search_all(&s, &view);
    if (s.mapping != WAITING)
        left->untold.beyond = view.walk.beyond;
    if (s.mapping != MAPPED)
        return s.mapping;
    left->untold.signature = signature_of(&f->view, &view.walk, &(struct changed){.end = s.end});
    if (!follow) {
        write_all(a, f);
        return MAPPED;
    }
    size_t fcs = right_fcs(&whole->view, row, &view);
    if (!replace(a, &view, f, p->linktype, left))
        return WITHOUT_MEMORY;
    if (fcs != 0)
        write_fcs(whole, fcs);
    return MAPPED;
}

/* Finds the outermost header with numbers of these sorts (bits) on a side. What is quoted is no part of that. */
void addresses_between(const struct addresses *a, const struct frame *f, int64_t linktype, unsigned sorts, struct address_ends *ends)
{
    struct walk w;
    walk_own(&w, f, linktype);
    *ends = (struct address_ends){.sort = -1};
    for (const struct header *h = w.header; h < w.header + w.count && ends->sort < 0; h++) {
        if (h->kind >= a->kinds)
            continue;
        for (const struct address_place *p = a->places + a->first[h->kind], *last = a->places + a->first[h->kind + 1]; p < last; p++) {
            size_t bit = (size_t)h->start * 8 + (size_t)p->bit, width = (size_t)p->width;
            bool other = (sorts >> p->sort & 1) == 0 || (ends->sort >= 0 && ends->sort != p->sort) || (ends->sides & p->side) != 0;
            if (width == 0 || p->side == AS_NEITHER || other || bit + width > (size_t)h->end * 8)
                continue;
            ends->sort = p->sort;
            ends->sides |= p->side;
            *(p->side == AS_SOURCE ? &ends->source : &ends->destination) = number_at(f, bit, width);
        }
    }
}
