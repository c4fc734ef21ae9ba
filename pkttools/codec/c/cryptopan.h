/* Addresses that keep their prefixes; cryptopan.c. */
#ifndef PKTTOOLS_CRYPTOPAN_H
#define PKTTOOLS_CRYPTOPAN_H

#include "addresses.h"

enum { CIPHER_BLOCK = 16 };     /* bytes */

struct cryptopan_sort {         /* of numbers: their bits, and what stands behind the first ones of them in a block of the cipher */
    int64_t width;
    uint8_t padding[CIPHER_BLOCK];
};

struct cryptopan_exception {    /* numbers of a sort that have these bits where `mask` does: some bits stay as they are; they may be */
    int64_t sort, as;           /* taken as numbers of another sort, with other bits in place of these */
    struct value number, mask, stay, with;
};

struct cryptopan {
    const struct cryptopan_sort *sorts;
    const struct cryptopan_exception *exceptions;
    size_t sorts_count, exceptions_count;
};

bool cryptopan_sound(const struct cryptopan *c);
size_t cryptopan_count(const struct cryptopan *c, const struct question *q);    /* blocks for it; 0: it is of no sort that is known */
void cryptopan_blocks(const struct cryptopan *c, const struct question *q, uint8_t *out);
/* The rule by which a number becomes what these blocks, encrypted, say; and whether that is an exception, and it was none. */
struct address_rule cryptopan_rule(const struct cryptopan *c, const struct question *q, const uint8_t *encrypted, bool *met);

#endif
