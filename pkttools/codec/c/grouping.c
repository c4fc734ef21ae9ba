/* Rows of packets that belong together, one group behind the other; packets of many batches in one place. Twin of ../python/grouping.py. */
#include "codec.h"

#include <stdlib.h>

enum { DIGIT = 8, DIGITS = 64 / DIGIT };

struct numbered {
    uint64_t number;            /* as it orders: of what is negative the highest bit is not set */
    uint32_t row;
};

static struct numbered *sorted_by(struct numbered *from, struct numbered *to, size_t count, unsigned shift)
{
    size_t begin[1 << DIGIT] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        begin[from[i].number >> shift & ((1 << DIGIT) - 1)]++;
    for (size_t i = 0; i < 1 << DIGIT; i++) {
        size_t size = begin[i];
        begin[i] = sum;
        sum += size;
    }
    for (size_t i = 0; i < count; i++)
        to[begin[from[i].number >> shift & ((1 << DIGIT) - 1)]++] = from[i];
    return to;
}

/* By digits, the lowest first; those in which all are alike change nothing. */
bool group_rows(const struct packet *rows, const int64_t *numbers, size_t count, struct packet *out, struct bytes *groups)
{
    struct numbered *pairs = malloc((2 * count + 1) * sizeof *pairs), *in_order = pairs;
    if (pairs == NULL)
        return false;
    uint64_t differs = 0;
    for (size_t i = 0; i < count; i++) {
        pairs[i] = (struct numbered){(uint64_t)numbers[i] ^ UINT64_C(1) << 63, (uint32_t)i};
        differs |= pairs[i].number ^ pairs[0].number;
    }
    for (unsigned shift = 0; shift < DIGITS * DIGIT; shift += DIGIT)
        if ((differs >> shift & ((1 << DIGIT) - 1)) != 0)
            in_order = sorted_by(in_order, in_order == pairs ? pairs + count : pairs, count, shift);
    bool done = true;
    for (size_t i = 0, first = 0; done && i < count; i++) {
        out[i] = rows[in_order[i].row];
        if (i + 1 == count || in_order[i + 1].number != in_order[i].number) {
            int64_t group[2] = {numbers[in_order[i].row], (int64_t)(i + 1 - first)};
            first = i + 1;
            done = bytes_add(groups, group, sizeof group);
        }
    }
    free(pairs);
    return done;
}

size_t gather_rows(const uint8_t *data, const struct packet *rows, size_t first, size_t count, struct gathered *g)
{
    for (; first < count; first++) {
        struct packet copy = rows[first];
        copy.offset = (int64_t)g->data.size;
        copy.notes = copy.offset + copy.captured;
        if (g->data.room - g->data.size < (size_t)copy.captured + (size_t)copy.notes_size
            || !bytes_add(&g->data, data + rows[first].offset, (size_t)copy.captured)
            || !bytes_add(&g->data, data + rows[first].notes, (size_t)copy.notes_size) || !gather_row(g, &copy))
            break;
    }
    return first;
}
