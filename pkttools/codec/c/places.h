/* Which places of an array hold what has a tag, found by it; places.c. */
#ifndef PKTTOOLS_PLACES_H
#define PKTTOOLS_PLACES_H

#include "codec.h"

enum { IN_LINE = 8 };
/* The number of a slot, four for each place, fits in 32 bits; and where a size has no more, so do the bytes of all. */
#define MOST_PLACES (UINT64_C(1) << (sizeof(size_t) > 4 ? 29 : 24))

struct line_of_places {         /* slots that one look at memory brings */
    _Alignas(CACHE_LINE) uint64_t marks;        /* of each slot a byte of the tag, 0: it is free */
    uint32_t place[IN_LINE];
};

struct places {                 /* all zero at first */
    struct line_of_places *lines;
    uint32_t *slots, *tags;     /* of each place: one more than its slot, 0: it has none; its tag */
    size_t mask;                /* one less than how many lines there are, a power of two */
};

/* A table of none of so many places, a power of two, MOST_PLACES at most. False: no memory. */
bool places_begin(struct places *p, size_t count);
/* Gives a place that has none a slot by its tag; takes it away. */
void places_take(struct places *p, uint32_t place);
void places_free(struct places *p, uint32_t place);
void places_end(struct places *p);

static inline size_t line_of(const struct places *p, uint32_t tag)
{
    return tag & p->mask;
}

static inline uint64_t mark_of(uint32_t tag)
{
    return tag >> 24 != 0 ? tag >> 24 : 1;
}

/* The highest bit of each byte that is the same as a mark, for all slots of a line at once: which one it is no branch can foresee. */
static inline uint64_t marked(uint64_t marks, uint64_t mark)
{
    const uint64_t ones = UINT64_MAX / 0xFF, low = ones * 0x7F;
    uint64_t other = marks ^ ones * mark;
    return ~((((other & low) + low) | other) | low);
}

/* The slot of a line that the lowest of these bits is of. */
static inline unsigned slot_told_by(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits) / 8;
}

static inline bool is_full(const struct places *p, size_t line)
{
    return marked(p->lines[line].marks, 0) == 0;
}

/* Lets come from memory what will be asked for. */
static inline void places_prefetch(const struct places *p, uint32_t tag)
{
    __builtin_prefetch(&p->lines[line_of(p, tag)], 1);
}

#endif
