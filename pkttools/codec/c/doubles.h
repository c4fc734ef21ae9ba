/* Which packets came before, within a window; doubles.c. */
#ifndef PKTTOOLS_DOUBLES_H
#define PKTTOOLS_DOUBLES_H

#include "alike.h"
#include "places.h"

#define MOST_WITHIN (INT64_C(1) << 61)  /* nanoseconds: twice as many, and the distance of any two times cut to 64 bits, can be compared */

struct seen;

struct doubles {                /* packets that came last; all zero at first, but for what is asked for */
    int64_t window, within, memory;     /* packets before each, below 0: any number; nanoseconds, below 0: any; bytes they may count for */
    struct tolerance tolerance;
    bool padding, interfaces;   /* what is behind all headers may differ; those of several interfaces are no doubles */
    struct seen *seen;          /* a ring of `room`, a power of two: from number `first` up to `next`, and on to `ahead`, which only grow */
    struct places latest;       /* of `seen`, by their tags: of those that are the same the latest one */
    uint64_t first, next, ahead, room, held;    /* ahead: what is prepared; held: bytes of what is known */
    uint8_t *octets;            /* a ring of what is compared of them, each in one piece */
    size_t octets_room, octets_end, octets_kept;        /* kept: what it may grow to where it is */
    /* The latest that are not known any more, the times of the first and the last of all, and why: what came next had no room, or was
     * later or earlier by too much. */
    struct gone { int64_t number, since, time; bool any; } short_of_memory, too_far, too_early;
};

enum found { NO_DOUBLE, A_DOUBLE, FORGOTTEN, OUT_OF_ORDER };

/* What is found of each packet. False: no memory; then nothing more is found. */
bool doubles_find(struct doubles *d, const uint8_t *data, const struct packet *packets, size_t count, uint8_t *found);
void doubles_end(struct doubles *d);

#endif
