/* A table that counts packets by a key, however many keys there are: its memory is bounded. Twin of ../python/groups.py. */
#include "statistics.h"

#include <stddef.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64, UNIT = 8 };             /* slots; bytes */
#define MOST_ROWS (UINT64_C(8) * UINT32_MAX)    /* bytes: what slots can say; groups count for more than they take */

static struct group *group_at(const struct groups *g, size_t at)
{
    HOLDS(at + sizeof(struct group) <= g->rows.size);
    return (struct group *)(void *)(g->rows.at + at);
}

static size_t bytes_of(size_t size)
{
    size_t all = offsetof(struct group, key) + size;
    return (all > sizeof(struct group) ? all + UNIT - 1 : sizeof(struct group)) / UNIT * UNIT;
}

static bool is_key(const struct group *group, const void *key, size_t size)
{
    return group->size == size && (size == 0 || memcmp(group->key, key, size) == 0);
}

static size_t first_slot(const struct groups *g, uint64_t hash)
{
    return (size_t)(hash ^ hash >> 32) & (g->room - 1);
}

/* The slot of a key: that of its group, or a free one. */
static size_t slot_for(const struct groups *g, uint64_t hash, const void *key, size_t size)
{
    size_t i = first_slot(g, hash);
    for (; g->slots[i] != 0; i = (i + 1) & (g->room - 1)) {
        const struct group *group = group_at(g, (size_t)(g->slots[i] - 1) * UNIT);
        if (group->hash == hash && is_key(group, key, size))
            break;
    }
    return i;
}

static bool widen(struct groups *g)
{
    size_t room = g->room > 0 ? g->room * 2 : FIRST_ROOM;
    uint32_t *slots = calloc(room, sizeof *slots);
    if (slots == NULL)
        return false;
    free(g->slots);
    g->slots = slots;
    g->room = room;
    for (size_t at = 0; at < g->rows.size; at += bytes_of(group_at(g, at)->size)) {
        uint64_t hash = group_at(g, at)->hash;
        size_t i = first_slot(g, hash);
        while (slots[i] != 0)
            i = (i + 1) & (room - 1);
        slots[i] = (uint32_t)(at / UNIT) + 1;
    }
    return true;
}

/* What is counted of a key: of its group, or of all others where there is no room for one more; NULL: no memory. */
static int64_t *counts_of(struct groups *g, uint64_t hash, const void *key, size_t size)
{
    if (g->count * 2 >= g->room && !widen(g))
        return NULL;
    size_t slot = slot_for(g, hash, key, size), at = g->rows.size, all = bytes_of(size);
    if (g->slots[slot] != 0) {
        g->last = (size_t)(g->slots[slot] - 1) * UNIT;
        return group_at(g, g->last)->counts;
    }
    if (g->held + GROUP_COST + size > g->memory || g->held > MOST_ROWS)
        return g->others;
    if (!bytes_need(&g->rows, all))
        return NULL;
    memset(g->rows.at + at, 0, all);
    g->rows.size += all;
    struct group *group = group_at(g, at);
    group->hash = hash;
    group->size = (uint32_t)size;
    if (size > 0)
        memcpy(group->key, key, size);
    g->slots[slot] = (uint32_t)(at / UNIT) + 1;
    g->held += GROUP_COST + size;
    g->count++;
    g->last = at;
    return group->counts;
}

static bool add(int64_t *counts, int64_t size, int packets)
{
    if (counts == NULL)
        return false;
    counts[packets]++;
    counts[packets + 1] += size;
    return true;
}

bool group_add(struct groups *g, const void *key, size_t key_size, int64_t size, int packets)
{
    if (g->count > 0 && is_key(group_at(g, g->last), key, key_size))    /* often it comes again */
        return add(group_at(g, g->last)->counts, size, packets);
    return add(counts_of(g, hash_of(g, key, key_size), key, key_size), size, packets);
}

/* ---- many keys: memory is asked for what they need before they are counted ---- */

static bool add_oldest(struct groups *g)
{
    const struct waiting *w = &g->waiting[g->counted++ % LATER];
    return add(counts_of(g, w->hash, w->key, w->key_size), w->size, w->packets);
}

bool group_add_later(struct groups *g, const void *key, size_t key_size, int64_t size, int packets)
{
    HOLDS(key_size <= LATER_KEY);
    if (g->come - g->counted == LATER && !add_oldest(g))
        return false;
    struct waiting *w = &g->waiting[g->come++ % LATER];
    w->hash = hash_of(g, key, key_size);
    w->size = size;
    w->packets = packets;
    w->key_size = (uint8_t)key_size;
    memcpy(w->key, key, key_size);
    if (g->room == 0)
        return true;
    __builtin_prefetch(&g->slots[first_slot(g, w->hash)]);
    uint32_t slot = g->slots[first_slot(g, g->waiting[(g->come + LATER / 2) % LATER].hash)];    /* that has come by now */
    if (slot != 0)
        __builtin_prefetch(g->rows.at + (size_t)(slot - 1) * UNIT, 1);
    return true;
}

bool groups_add_waiting(struct groups *g)
{
    while (g->come != g->counted)
        if (!add_oldest(g))
            return false;
    return true;
}

/* ---- the largest ---- */

static int in_order(const void *a, const void *b, int from, int to)
{
    const struct group *one, *other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    int64_t first = one->counts[from] + one->counts[to], second = other->counts[from] + other->counts[to];
    if (first != second)
        return first > second ? -1 : 1;
    int order = memcmp(one->key, other->key, least(one->size, other->size));
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

static int by_packets(const void *a, const void *b)
{
    return in_order(a, b, PACKETS_FROM, PACKETS_TO);
}

static int by_bytes(const void *a, const void *b)
{
    return in_order(a, b, BYTES_FROM, BYTES_TO);
}

bool groups_sorted(const struct groups *g, size_t most, bool bytes, struct bytes *out)
{
    int (*order)(const void *, const void *) = bytes ? by_bytes : by_packets;
    most = most == 0 || most > g->count ? g->count : most;
    const struct group *group;
    for (size_t at = 0; at < g->rows.size; at += bytes_of(group->size)) {
        group = group_at(g, at);
        size_t count = out->size / sizeof group;
        if (count == 2 * most) {                /* those that are left over were not among the first ones */
            qsort(out->at, count, sizeof group, order);
            count = most;
            out->size = most * sizeof group;
        }
        if (!bytes_add(out, &group, sizeof group))
            return false;
    }
    if (out->size > 0)
        qsort(out->at, out->size / sizeof group, sizeof group, order);
    out->size = least(out->size, most * sizeof group);
    return true;
}

void groups_free(struct groups *g)
{
    bytes_free(&g->rows);
    free(g->slots);
}
