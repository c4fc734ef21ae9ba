/* What is known of rows before the first one is read or written: digits, and the places that are always the same. */
#include "row.h"

#define X NOT_HEX
#define W WORD
#define X16 X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
const uint8_t hex_value[256] = {
    X16, X16, X16,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, X, X, X, X, X, X,
    X, 10, 11, 12, 13, 14, 15, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, X, X, X, X, W,
    X, 10, 11, 12, 13, 14, 15, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, X, X, X, X, X,
    X16, X16, X16, X16, X16, X16, X16, X16,
};
#undef X
#undef W
#undef X16

const char hex_digits[] = "0123456789ABCDEF";

uint16_t pair_value[65536];
uint8_t fixed_mask[64], fixed_text[64], pair_text[256][2], empty_row[ROW];

/* Most of pair_value is never written to, so that it takes no memory. */
void row_tables_prepare(void)
{
    for (unsigned high = '0'; high <= 'f'; high++)
        for (unsigned low = '0'; low <= 'f'; low++)
            if (hex_value[high] < 16 && hex_value[low] < 16) {
                const uint8_t pair[2] = {(uint8_t)high, (uint8_t)low};
                uint16_t index;
                memcpy(&index, pair, 2);
                pair_value[index] = (uint16_t)(PAIR | hex_value[high] << 4 | hex_value[low]);
            }
    for (unsigned i = 0; i < 256; i++) {
        pair_text[i][0] = (uint8_t)hex_digits[i >> 4];
        pair_text[i][1] = (uint8_t)hex_digits[i & 15];
    }
    memset(empty_row, ' ', ROW);
    empty_row[6] = empty_row[PREFIX - 1] = ':';
    empty_row[ROW - 1] = '\n';
    for (size_t i = 6; i < PREFIX; i++) {
        fixed_mask[i] = 0xFF;
        fixed_text[i] = i == 6 || i == PREFIX - 1 ? ':' : ' ';
    }
    for (size_t i = 0; i < 16; i++)
        fixed_mask[byte_at(i)] = fixed_mask[byte_at(i) + 1] = fixed_text[byte_at(i)] = fixed_text[byte_at(i) + 1] = 0;
}
