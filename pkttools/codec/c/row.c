/* The canonical row, 16 bytes of a packet in 79 characters: what our own writer writes, and nearly all that is read.
 *
 * 000000: 00 11 22 33  44 55 66 77  88 99 AA BB  CC DD EE FF : ........ ........   and the end of the line
 */
#include "row.h"

static inline uint64_t load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, 8);
    return v;
}

/* Not zero when one of eight bytes is a line's end. */
static inline uint64_t line_ends(uint64_t v)
{
    v ^= UINT64_C(0x0A0A0A0A0A0A0A0A);
    return (v - UINT64_C(0x0101010101010101)) & ~v & UINT64_C(0x8080808080808080);
}

static bool read_row(const uint8_t *row, uint8_t *out)
{
    uint64_t wrong = 0;
    for (int i = 0; i < 64; i += 8)
        wrong |= (load64(row + i) & load64(fixed_mask + i)) ^ load64(fixed_text + i);
    unsigned pairs = pair(row) & pair(row + 2) & pair(row + 4);
    for (size_t i = 0; i < 16; i++) {
        unsigned value = pair(row + byte_at(i));
        pairs &= value;
        out[i] = (uint8_t)value;
    }
    uint64_t ends = line_ends(load64(row + 60)) | line_ends(load64(row + 68)) | line_ends(load64(row + 70));
    return wrong == 0 && (pairs & PAIR) != 0 && ends == 0 && row[ROW - 1] == '\n';
}

size_t row_read_last(const uint8_t *row, uint8_t *out)
{
    uint8_t full[ROW];
    size_t count = 0;
    memcpy(full, row, ROW);
    while (count < 16 && (row[byte_at(count)] != ' ' || row[byte_at(count) + 1] != ' '))
        count++;
    for (size_t i = count; i < 16; i++) {
        if (row[byte_at(i)] != ' ' || row[byte_at(i) + 1] != ' ')
            return 0;
        memset(full + byte_at(i), '0', 2);
    }
    return read_row(full, out) ? count : 0;
}

size_t rows_read_portable(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes)
{
    size_t n = 0, last = 0;
    while (n < limit && size - n * ROW >= ROW && read_row(text + n * ROW, out + n * 16))
        n++;
    if (n < limit && size - n * ROW >= ROW)
        last = row_read_last(text + n * ROW, out + n * 16);
    *bytes = n * 16 + last;
    return n + (last > 0);
}

uint8_t *row_write(uint8_t *out, const uint8_t *data, size_t at, size_t count)
{
    memcpy(out, empty_row, ROW);
    row_put_offset(out, at);
    for (size_t i = 0; i < count; i++) {
        memcpy(out + byte_at(i), pair_text[data[at + i]], 2);
        out[char_at(i)] = shown(data[at + i]);
    }
    return out + ROW;
}

uint8_t *rows_write_portable(uint8_t *out, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at += 16)
        out = row_write(out, data, at, least(size - at, 16));
    return out;
}

uint8_t *labelled_write_by_rows(uint8_t *out, const uint8_t *label, size_t label_size, const uint8_t *data, size_t size)
{
    enum { AT_ONCE = 32 };      /* rows */
    uint8_t rows[AT_ONCE * ROW];
    for (size_t at = 0; at < size; at += 16) {
        size_t row = at / 16 % AT_ONCE, text = text_of(least(size - at, 16));
        if (row == 0)
            rows_write(rows, data + at, least(size - at, AT_ONCE * 16));
        memcpy(out, label, label_size);
        memcpy(out + label_size, rows + row * ROW + byte_at(0), 64);
        out += label_size + text;
        *out++ = '\n';
    }
    return out;
}
