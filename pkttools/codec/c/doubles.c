/* Which packets came before, within a window of packets or of time: whatever it holds, a packet takes the same time. What is compared of
 * packets lies in a ring, and the latest of each is found by its hash. Twin of ../python/doubles.py, which says what counts.
 */
#include "doubles.h"

#include <stdlib.h>

/* SPARSE: slots for each packet. Few of them meet in one: each that does is a branch that the processor guesses wrong. */
enum { COST = 80, FIRST_ROOM = 64, FIRST_OCTETS = 1 << 16, AHEAD = 8, SPARSE = 4 };
#define MOST_ROOM (UINT64_C(1) << 30)

struct seen {
    size_t at, size;
    int64_t time, last;         /* last: the last time of those that were the same */
    uint32_t tag;
    bool latest;                /* a slot has it */
};

struct front {                  /* what is compared in front of the octets */
    int64_t linktype, original;
    uint64_t size, follow;
};

static struct seen *seen_at(const struct doubles *d, uint64_t number)
{
    return &d->seen[number & (d->room - 1)];
}

static uint32_t place_of(const struct doubles *d, uint64_t number)
{
    return (uint32_t)(number & (d->room - 1)) + 1;
}

/* ---- the slots ---- */

static size_t mask_of(const struct doubles *d)
{
    return (size_t)d->room * SPARSE - 1;
}

static void take_slot(struct doubles *d, uint64_t number)
{
    size_t i = seen_at(d, number)->tag & mask_of(d);
    while (d->slots[i].place != 0)
        i = (i + 1) & mask_of(d);
    d->slots[i] = (struct slot_of_seen){seen_at(d, number)->tag, place_of(d, number)};
}

/* Frees the slot of a packet; those behind it that it was in the way of move up. */
static void free_slot(struct doubles *d, uint64_t number)
{
    size_t mask = mask_of(d), i = seen_at(d, number)->tag & mask;
    while (d->slots[i].place != place_of(d, number))
        i = (i + 1) & mask;
    for (size_t k = (i + 1) & mask; d->slots[k].place != 0; k = (k + 1) & mask) {
        size_t home = d->slots[k].tag & mask;
        if (((k - home) & mask) >= ((k - i) & mask)) {
            d->slots[i] = d->slots[k];
            i = k;
        }
    }
    d->slots[i].place = 0;
}

static bool widen(struct doubles *d)
{
    uint64_t room = d->room > 0 ? d->room * 2 : FIRST_ROOM;
    struct seen *seen = room <= MOST_ROOM ? malloc(room * sizeof *seen) : NULL;
    struct slot_of_seen *slots = seen != NULL ? calloc(room * SPARSE, sizeof *slots) : NULL;
    if (slots == NULL) {
        free(seen);
        return false;
    }
    for (uint64_t n = d->first; n < d->ahead; n++)
        seen[n & (room - 1)] = *seen_at(d, n);
    free(d->seen);
    free(d->slots);
    d->seen = seen;
    d->slots = slots;
    d->room = room;
    for (uint64_t n = d->first; n < d->ahead; n++)
        if (seen_at(d, n)->latest)
            take_slot(d, n);
    return true;
}

/* ---- the octets ---- */

/* Where so many octets have room in one piece, behind the latest ones. False: nowhere. */
static bool find_room(struct doubles *d, size_t size, size_t *at)
{
    if (d->first == d->ahead)
        d->octets_end = 0;
    size_t oldest = d->first == d->ahead ? d->octets_room : seen_at(d, d->first)->at;
    *at = d->octets_end;
    if (d->first != d->ahead && oldest >= d->octets_end)         /* it went round */
        return oldest - d->octets_end > size;
    if (d->octets_room - d->octets_end >= size)
        return true;
    *at = 0;
    return d->first != d->ahead && oldest > size;
}

static bool more_octets(struct doubles *d, size_t size)
{
    size_t room = d->octets_room > 0 ? d->octets_room * 2 : FIRST_OCTETS;
    if (room / 2 < size)
        room = size * 2;
    bool round = d->first < d->ahead && seen_at(d, d->first)->at >= d->octets_end;
    uint8_t *octets = round ? malloc(room) : realloc(d->octets, room);
    if (octets == NULL)
        return false;
    d->octets_room = room;
    if (!round) {               /* while the window fills for the first time no octet has to be copied */
        d->octets = octets;
        return true;
    }
    d->octets_end = 0;
    for (uint64_t n = d->first; n < d->ahead; n++) {
        struct seen *s = seen_at(d, n);
        memcpy(octets + d->octets_end, d->octets + s->at, s->size);
        s->at = d->octets_end;
        d->octets_end += s->size;
    }
    free(d->octets);
    d->octets = octets;
    return true;
}

/* ---- the window ---- */

static void forget(struct doubles *d, struct gone *why)
{
    struct seen *s = seen_at(d, d->first);
    if (why != NULL) {
        why->number = (int64_t)d->first;
        if (!why->any || s->time > why->time)
            why->time = s->time;
        if (!why->any || s->time < why->since)
            why->since = s->time;
        why->any = true;
    }
    if (s->latest)
        free_slot(d, d->first);
    if (d->first + AHEAD < d->next)
        __builtin_prefetch(&d->slots[seen_at(d, d->first + AHEAD)->tag & mask_of(d)]);
    d->held -= s->size + COST;
    d->first++;
}

static bool is_within(const struct doubles *d, int64_t then, int64_t now)
{
    if (d->within < 0)
        return true;
    int64_t passed = then < now ? elapsed(then, now) : elapsed(now, then);
    return passed <= d->within;
}

/* Forgets what is too far from a packet to be of use, for it or for those that come out of order by no more than the window. */
static void go_on(struct doubles *d, int64_t time)
{
    while (d->window >= 0 && d->next - d->first > (uint64_t)d->window)
        forget(d, NULL);
    for (; d->within >= 0 && d->first < d->next; forget(d, seen_at(d, d->first)->time < time ? &d->too_far : &d->too_early)) {
        int64_t then = seen_at(d, d->first)->time, passed = then < time ? elapsed(then, time) : elapsed(time, then);
        if (passed / 2 < d->within || (passed / 2 == d->within && passed % 2 == 0))
            break;
    }
}

/* Whether what is not known any more may have been the same as a packet of this time. */
static bool missed(const struct doubles *d, const struct gone *g, int64_t time)
{
    return g->any && (d->window < 0 || (int64_t)d->next - g->number <= d->window)
        && (d->within < 0 || ((g->since <= time || is_within(d, g->since, time)) && (g->time >= time || is_within(d, g->time, time))));
}

/* What is compared of a packet, written to where there is room for all of it; gives how much. */
static size_t compared(const struct doubles *d, const uint8_t *data, const struct packet *p, uint8_t *out)
{
    const struct tolerance *t = &d->tolerance;
    struct packet bare;
    const struct packet *q = t->count > 0 || d->padding ? without_fcs(p, &bare) : p;
    struct front front = {.linktype = q->linktype, .original = t->sizes ? q->original : 0, .size = (uint64_t)q->captured};
    uint8_t *octets = out + sizeof front;
    if (q->captured > 0)
        memcpy(octets, data + q->offset, (size_t)q->captured);
    if (t->count > 0 || d->padding) {
        struct writable_frame f = writable(octets, (size_t)q->captured);
        front.size = reduce(t, d->padding, &f, q->original, q->linktype, &front.follow);
    }
    memcpy(out, &front, sizeof front);
    size_t size = sizeof front + (size_t)front.size, at = 0;
    struct frame notes = {data + p->notes, (size_t)p->notes_size}, said;
    if (d->interfaces && note_said(&notes, &at, "IFACE:", &said) && said.size > 0) {
        memcpy(out + size, said.at, said.size);
        size += said.size;
    }
    return size;
}

/* The number of the latest packet that is the same as another one; whether there is one. */
static bool find(const struct doubles *d, const struct seen *other, uint64_t *number)
{
    for (size_t i = other->tag & mask_of(d); d->slots[i].place != 0; i = (i + 1) & mask_of(d)) {
        if (d->slots[i].tag != other->tag)
            continue;
        const struct seen *s = &d->seen[d->slots[i].place - 1];
        if (s->size == other->size && memcmp(d->octets + s->at, d->octets + other->at, s->size) == 0) {
            *number = d->first + ((d->slots[i].place - 1 - d->first) & (d->room - 1));
            return true;
        }
    }
    return false;
}

/* Writes what is compared of a packet behind all others, and lets the slot come where it will be looked for. False: no memory. */
static bool prepare(struct doubles *d, const uint8_t *data, const struct packet *p)
{
    size_t most = sizeof(struct front) + (size_t)p->captured + (d->interfaces ? (size_t)p->notes_size : 0), at;
    if (d->ahead - d->first == d->room && !widen(d))
        return false;
    while (!find_room(d, most, &at))
        if (!more_octets(d, most))
            return false;
    size_t size = compared(d, data, p, d->octets + at);
    uint32_t tag = (uint32_t)(hash_of(d, d->octets + at, size) >> 16);
    *seen_at(d, d->ahead) = (struct seen){at, size, p->time, p->time, tag, false};
    d->ahead++;
    d->octets_end = at + size;
    __builtin_prefetch(&d->slots[tag & mask_of(d)]);
    return true;
}

/* What is found of the next packet that was prepared, which is known from now on. */
static enum found judge(struct doubles *d)
{
    struct seen *s = seen_at(d, d->next);
    go_on(d, s->time);
    while (d->first < d->next && d->held + s->size + COST > (uint64_t)d->memory)
        forget(d, &d->short_of_memory);
    uint64_t number;
    bool found = false, later = false;
    if (find(d, s, &number)) {
        struct seen *before = seen_at(d, number);
        found = is_within(d, before->time, s->time);
        later = before->last >= s->time || is_within(d, before->last, s->time);
        s->last = before->last > s->time ? before->last : s->time;
        free_slot(d, number);
        before->latest = false;
    }
    bool doubtful = later || missed(d, &d->too_far, s->time) || missed(d, &d->too_early, s->time);
    enum found result = found ? A_DOUBLE : missed(d, &d->short_of_memory, s->time) ? FORGOTTEN : doubtful ? OUT_OF_ORDER : NO_DOUBLE;
    s->latest = true;
    take_slot(d, d->next);
    d->next++;
    d->held += s->size + COST;
    return result;
}

bool doubles_find(struct doubles *d, const uint8_t *data, const struct packet *packets, size_t count, uint8_t *found)
{
    size_t prepared = 0;
    for (size_t i = 0; i < count; i++) {
        for (; prepared < count && prepared < i + AHEAD; prepared++)
            if (!prepare(d, data, &packets[prepared]))
                return false;
        found[i] = (uint8_t)judge(d);
    }
    return true;
}

void doubles_end(struct doubles *d)
{
    free(d->seen);
    free(d->slots);
    free(d->octets);
}
