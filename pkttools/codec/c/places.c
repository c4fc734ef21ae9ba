/* Which places of an array hold what has a tag: open addressing (linear probing), eight slots at a time. Whatever is in a line further on
 * than its own has only full ones before it, so that a search ends at one that is not full; few are.
 */
#include "places.h"

#include <stdlib.h>

enum { SPARSE = 4 };            /* slots for each place */

bool places_begin(struct places *p, size_t count)
{
    size_t lines = (count * SPARSE + IN_LINE - 1) / IN_LINE, all = lines * sizeof *p->lines;
    p->lines = memory_for(all + count * (sizeof *p->slots + sizeof *p->tags));
    if (p->lines == NULL)
        return false;
    p->slots = (uint32_t *)(p->lines + lines);
    p->tags = p->slots + count;
    p->mask = lines - 1;
    memset(p->lines, 0, all + count * sizeof *p->slots);
    return true;
}

static void put(struct places *p, size_t line, unsigned slot, uint32_t place)
{
    p->lines[line].marks |= mark_of(p->tags[place]) << 8 * slot;
    p->lines[line].place[slot] = place;
    p->slots[place] = (uint32_t)(line * IN_LINE + slot) + 1;
}

static void clear(struct places *p, size_t line, unsigned slot)
{
    p->lines[line].marks &= ~(UINT64_C(0xFF) << 8 * slot);
}

void places_take(struct places *p, uint32_t place)
{
    size_t line = line_of(p, p->tags[place]);
    while (is_full(p, line))
        line = (line + 1) & p->mask;
    put(p, line, slot_told_by(marked(p->lines[line].marks, 0)), place);
}

/* A slot of a line that may move up to another one, where it belongs or nearer to that. False: none. */
static bool movable(const struct places *p, size_t line, size_t to, unsigned *slot)
{
    for (*slot = 0; *slot < IN_LINE; ++*slot) {
        if ((p->lines[line].marks >> 8 * *slot & 0xFF) == 0)
            continue;
        size_t own = line_of(p, p->tags[p->lines[line].place[*slot]]);
        if (((line - own) & p->mask) >= ((line - to) & p->mask))
            return true;
    }
    return false;
}

void places_free(struct places *p, uint32_t place)
{
    size_t line = (p->slots[place] - 1) / IN_LINE;
    unsigned slot = (p->slots[place] - 1) % IN_LINE;
    bool full = is_full(p, line);
    p->slots[place] = 0;
    clear(p, line, slot);
    while (full) {              /* what had no room in it moves up */
        size_t next = line;
        unsigned other;
        bool found;
        do {
            next = (next + 1) & p->mask;
            full = is_full(p, next);
            found = movable(p, next, line, &other);
        } while (full && !found);
        if (!found)
            return;
        put(p, line, slot, p->lines[next].place[other]);
        clear(p, next, other);
        line = next;
        slot = other;
    }
}

void places_end(struct places *p)
{
    free(p->lines);             /* and all behind them */
    *p = (struct places){0};
}
