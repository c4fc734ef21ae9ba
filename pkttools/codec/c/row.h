/* Canonical rows: where things stand in one, row_tables.c; row.c goes by these; row_vectors.c by both; rows.c chooses of the two. */
#ifndef PKTTOOLS_ROW_H
#define PKTTOOLS_ROW_H

#include "codec.h"

enum { PREFIX = 60 };                           /* bytes of a row up to its second colon, and the blank behind it */
enum { PAIR = 0x100 };

extern uint16_t pair_value[65536];              /* two hex digits, as they lie in memory, to a byte and PAIR; others to 0 */
extern uint8_t fixed_mask[64], fixed_text[64];  /* the places of a row's prefix that are always the same */
extern uint8_t empty_row[ROW];

static inline size_t byte_at(size_t i)
{
    return 8 + 3 * i + i / 4;
}

/* Bytes of the text of so many bytes, 1 to 16, in a row. */
static inline size_t text_of(size_t count)
{
    return byte_at(count - 1) + 2 - byte_at(0);
}

static inline size_t char_at(size_t i)
{
    return PREFIX + 1 + i + i / 8;
}

static inline unsigned pair(const uint8_t *at)
{
    uint16_t index;
    memcpy(&index, at, 2);
    return pair_value[index];
}

static inline void row_put_offset(uint8_t *out, size_t offset)
{
    for (size_t i = 0; i < 3; i++)
        memcpy(out + 2 * i, pair_text[offset >> (16 - 8 * i) & 0xFF], 2);
}

/* row_tables.c */

void row_tables_prepare(void);

/* row.c */

/* The last row of a packet has blanks where bytes are missing. Returns how many bytes it has; 0: it is not such a row. */
size_t row_read_last(const uint8_t *row, uint8_t *out);
/* Writes the row of the bytes at `at`, of which there are `count`, 1 to 16; gives the place behind it. */
uint8_t *row_write(uint8_t *out, const uint8_t *data, size_t at, size_t count);

/* See rows_read and rows_write in codec.h. */
size_t rows_read_portable(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes);
uint8_t *rows_write_portable(uint8_t *out, const uint8_t *data, size_t size);
/* See labelled_write there: it goes by the rows that are chosen. */
uint8_t *labelled_write_by_rows(uint8_t *out, const uint8_t *label, size_t label_size, const uint8_t *data, size_t size);

/* row_vectors.c */

/* Lets rows_read and rows_write use vectors, the widest that are wanted and that the processor has; gives which. */
enum row_code rows_use_vectors(enum row_code wanted);

#endif
