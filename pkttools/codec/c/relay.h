/* Text through a filter, checksums and assignments, to text, in one step. */
#ifndef RELAY_H
#define RELAY_H

#include "codec.h"

struct relay {
    const struct program *keep, *guard, *assignments;   /* what passes; where something is assigned; NULL: all, and nothing */
    struct text_style style;
    int64_t linktype, said;     /* what holds in the text that comes; in what was written so far, -1: nothing was */
    int64_t number;             /* of the next packet that is written */
    int64_t lines, came, passed, met;   /* what went through; met: packets that the guard accepts */
    int64_t wrong;              /* packets in which a checksum was */
    int corrects;               /* what is corrected, an enum correction; -1: nothing */
    size_t *placed;             /* packets in which each assignment was done, behind them those that were cut; and room for the same */
    struct bytes out;           /* what the last step made */
};

/* Whether a text goes through, packets as they are mostly written, and nothing has to be said about any; else nothing changes. */
bool relay_step(struct relay *r, const uint8_t *text, size_t size, int64_t now);

#endif
