/* Octets of frames at places that a table says; spans.c. */
#ifndef PKTTOOLS_SPANS_H
#define PKTTOOLS_SPANS_H

#include "codec.h"

struct span {                   /* where octets begin, and where they end, as far as they were captured */
    int64_t begin, end;
};

struct spans {
    const struct span *spans;
    size_t count;
};

bool spans_sound(const struct spans *s);
/* How many octets there are of so many captured ones. */
size_t spans_size(const struct spans *s, size_t captured);
/* Copies them, so many. */
void spans_copy(uint8_t *to, const struct spans *s, const struct frame *f);
/* Whether they are the same, in frames of one size. */
bool spans_same(const struct spans *s, const struct frame *a, const struct frame *b);

#endif
