/* Which packets came before, within a window of packets or of time: whatever it holds, a packet takes the same time. What is compared of
 * packets lies in a ring, and the latest of each is found by its hash (places.c). Twin of ../python/doubles.py, which says what counts.
 */
#include "doubles.h"

#include <stdlib.h>

enum {
    COST = 80,
    FIRST_ROOM = 64, FASTER = 8,        /* packets; how many times as fast their room grows where the window is known to be larger */
    FIRST_OCTETS = 1 << 16, LARGE = 1 << 18,    /* more of them than LARGE grow where they are */
    AHEAD = 8,                  /* packets that are prepared before they are looked for: memory takes as long */
    NEARLY = 2048,              /* octets from the latest ones to those that are let come to be written to */
};
#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)  /* 2^64 divided by the golden ratio: spreads what it is multiplied with */

struct seen {
    size_t at, size;
    int64_t time, last;         /* last: the last time of those that were the same */
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
    return (uint32_t)(number & (d->room - 1));
}

static bool widen(struct doubles *d)
{
    uint64_t room = d->room > 0 ? d->room * 2 : FIRST_ROOM, most = room * FASTER;
    while (room < most && d->window >= 0 && room < (uint64_t)d->window + AHEAD)
        room *= 2;
    struct seen *seen = room <= MOST_PLACES ? memory_for((size_t)room * sizeof *seen) : NULL;
    struct places latest;
    if (seen == NULL || !places_begin(&latest, (size_t)room)) {
        free(seen);
        return false;
    }
    for (uint64_t n = d->first; n < d->ahead; n++) {
        uint32_t place = (uint32_t)(n & (room - 1));
        seen[place] = *seen_at(d, n);
        latest.tags[place] = d->latest.tags[place_of(d, n)];
        if (d->latest.slots[place_of(d, n)] != 0)
            places_take(&latest, place);
    }
    free(d->seen);
    places_end(&d->latest);
    d->seen = seen;
    d->latest = latest;
    d->room = room;
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

/* Memory for so many of them, and where they are to grow for all that there may be, which takes none before it is written to. */
static bool move_octets(struct doubles *d, size_t room)
{
    uint64_t most = (uint64_t)d->memory;
    size_t kept = room > LARGE && most > room && most <= SIZE_MAX / 2 ? (size_t)most : room;
    uint8_t *octets = memory_for(kept);
    if (octets == NULL)
        octets = memory_for(kept = room);
    if (octets == NULL)
        return false;
    if (d->octets_room > 0)
        memcpy(octets, d->octets, d->octets_room);
    free(d->octets);
    d->octets = octets;
    d->octets_kept = kept;
    return true;
}

static bool more_octets(struct doubles *d, size_t size)
{
    size_t before = d->octets_room, more = before > LARGE ? before / 8 : before > 0 ? before : FIRST_OCTETS;
    if (more <= size)
        more = size + 1;
    if (before + more > d->octets_kept && !move_octets(d, before + more))
        return false;
    d->octets_room += more;
    size_t oldest = d->first < d->ahead ? seen_at(d, d->first)->at : 0;
    if (d->first == d->ahead || oldest < d->octets_end)
        return true;            /* it did not go round: no octet has to be moved */
    memmove(d->octets + oldest + more, d->octets + oldest, before - oldest);
    for (uint64_t n = d->first; n < d->ahead && seen_at(d, n)->at >= oldest; n++)
        seen_at(d, n)->at += more;
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
    if (d->latest.slots[place_of(d, d->first)] != 0)
        places_free(&d->latest, place_of(d, d->first));
    if (d->first + AHEAD < d->next)
        places_prefetch(&d->latest, d->latest.tags[place_of(d, d->first + AHEAD)]);
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

/* What is compared of a packet, written to where there is room for all of it; gives how much, and its hash. */
static size_t compared(const struct doubles *d, const uint8_t *data, const struct packet *p, uint8_t *out, uint64_t *hash)
{
    const struct tolerance *t = &d->tolerance;
    bool reduced = t->count > 0 || d->padding;
    struct packet bare;
    const struct packet *q = reduced ? without_fcs(p, &bare) : p;
    struct front front = {.linktype = q->linktype, .original = t->sizes ? q->original : 0, .size = (uint64_t)q->captured};
    uint8_t *octets = out + sizeof front;
    size_t size = sizeof front + (size_t)q->captured, at = 0;
    if (q->captured > 0)
        memcpy(octets, data + q->offset, (size_t)q->captured);
    if (!reduced && !d->interfaces) {   /* all octets as they are, hashed where they come from: to read what was just written takes longer */
        memcpy(out, &front, sizeof front);
        *hash = hash_of(d, data + p->offset, (size_t)p->captured) + ((uint64_t)front.original ^ (uint64_t)front.linktype << 32) * GOLDEN;
        return size;
    }
    if (reduced) {
        struct writable_frame f = writable(octets, (size_t)q->captured);
        front.size = reduce(t, d->padding, &f, q->original, q->linktype, &front.follow);
        size = sizeof front + (size_t)front.size;
    }
    memcpy(out, &front, sizeof front);
    struct frame notes = {data + p->notes, (size_t)p->notes_size}, said;
    if (d->interfaces && note_said(&notes, &at, "IFACE:", &said) && said.size > 0) {
        memcpy(out + size, said.at, said.size);
        size += said.size;
    }
    *hash = hash_of(d, out, size);
    return size;
}

/* The latest packet that is the same as the next one. NULL: none. */
static struct seen *find(const struct doubles *d)
{
    const struct places *p = &d->latest;
    const struct seen *other = seen_at(d, d->next);
    uint32_t tag = p->tags[place_of(d, d->next)];
    size_t line = line_of(p, tag);
    for (;; line = (line + 1) & p->mask) {
        for (uint64_t found = marked(p->lines[line].marks, mark_of(tag)); found != 0; found &= found - 1) {
            uint32_t place = p->lines[line].place[slot_told_by(found)];
            struct seen *s = &d->seen[place];
            if (p->tags[place] == tag && s->size == other->size && memcmp(d->octets + s->at, d->octets + other->at, s->size) == 0)
                return s;
        }
        if (!is_full(p, line))
            return NULL;
    }
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
    uint64_t hash;
    size_t size = compared(d, data, p, d->octets + at, &hash);
    *seen_at(d, d->ahead) = (struct seen){at, size, p->time, p->time};
    uint32_t tag = d->latest.tags[place_of(d, d->ahead)] = (uint32_t)(hash >> 16);
    d->ahead++;
    d->octets_end = at + size;
    places_prefetch(&d->latest, tag);
    for (size_t next = d->octets_end + NEARLY, end = next + size; next < end && next < d->octets_room; next += CACHE_LINE)
        __builtin_prefetch(d->octets + next, 1);
    return true;
}

/* What is found of the next packet that was prepared, which is known from now on. */
static enum found judge(struct doubles *d)
{
    struct seen *s = seen_at(d, d->next);
    go_on(d, s->time);
    while (d->first < d->next && d->held + s->size + COST > (uint64_t)d->memory)
        forget(d, &d->short_of_memory);
    struct seen *before = find(d);
    bool found = false, later = false;
    if (before != NULL) {
        found = is_within(d, before->time, s->time);
        later = before->last >= s->time || is_within(d, before->last, s->time);
        s->last = before->last > s->time ? before->last : s->time;
        places_free(&d->latest, (uint32_t)(before - d->seen));
    }
    bool doubtful = later || missed(d, &d->too_far, s->time) || missed(d, &d->too_early, s->time);
    enum found result = found ? A_DOUBLE : missed(d, &d->short_of_memory, s->time) ? FORGOTTEN : doubtful ? OUT_OF_ORDER : NO_DOUBLE;
    places_take(&d->latest, place_of(d, d->next));
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
    places_end(&d->latest);
    free(d->octets);
}
