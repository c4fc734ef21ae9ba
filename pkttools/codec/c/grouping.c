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

size_t gather_rows(const uint8_t *data, size_t size, const struct packet *rows, size_t first, size_t count, bool keyed, struct gathered *g)
{
    const struct pcap_format usual = {.big_endian = false, .nano = false, .header = RECORD};
    for (; first < count; first++) {
        const struct packet *p = &rows[first];
        const struct sort_key key = keyed ? sort_key_of(data, size, p) : (struct sort_key){data, 0};
        const size_t captured = RECORD + (size_t)p->captured, behind = (size_t)p->notes_size + (keyed ? KEY_HEAD + key.size : 0);
        bool big_endian;
        if (g->data.room - g->data.size < captured + behind)
            break;
        struct packet copy = *p;
        copy.offset = (int64_t)g->data.size + RECORD;
        copy.notes = copy.offset + copy.captured;
        if (!gather_row(g, &copy))
            break;
        uint8_t *to = g->data.at + g->data.size;
        if (is_record(data, p, &big_endian))
            memcpy(to, data + p->offset - RECORD, captured);
        else
            pcap_encode(to, data, p, &usual);
        g->data.size += captured;
        if (behind > 0 && (!bytes_add(&g->data, data + p->notes, (size_t)p->notes_size) || (keyed && !bytes_add_key(&g->data, key))))
            break;
    }
    return first;
}
