/* Which code reads and writes rows: the widest vectors that the processor has, or what runs everywhere. */
#include "row.h"

size_t (*rows_read)(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes) = rows_read_portable;
uint8_t *(*rows_write)(uint8_t *out, const uint8_t *data, size_t size) = rows_write_portable;
uint8_t *(*labelled_write)(uint8_t *out, const uint8_t *label, size_t label_size, const uint8_t *data, size_t size) = labelled_write_by_rows;

void rows_prepare(void)
{
    row_tables_prepare();
    rows_use(WIDEST);
}

enum row_code rows_use(enum row_code wanted)
{
    rows_read = rows_read_portable;
    rows_write = rows_write_portable;
    labelled_write = labelled_write_by_rows;
    return wanted == PORTABLE ? PORTABLE : rows_use_vectors(wanted);
}
