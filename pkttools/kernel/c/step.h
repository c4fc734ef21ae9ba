/* What becomes of a piece that was read, to be written: a function of whoever knows what is in it. */
#ifndef PKTTOOLS_STEP_H
#define PKTTOOLS_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEP "pkttools.step"    /* the name of capsules that hold one */

struct step {
    /* What is to be written, good until the next step; nothing where all was dropped. now: nanoseconds since 1970. False: it is not for
     * this function, and nothing has changed. */
    bool (*take)(void *whose, const uint8_t *piece, size_t size, int64_t now, const uint8_t **out, size_t *out_size);
    void *whose;
};

#endif
