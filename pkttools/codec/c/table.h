/* The table of all fields, by kinds of headers: lines.c, json.c and columns.c print by it. */
#ifndef PKTTOOLS_TABLE_H
#define PKTTOOLS_TABLE_H

#include "fields.h"

enum { IS_NEW = 1, IS_IN_PLACE = 8 };   /* what holds of a field; see pkttools/protocols/__init__.py */
enum { MOST_NAME = 128, MOST_LABEL = MOST_NAME + 24 };  /* bytes; a label has a number, a colon and tabs */
enum { PREFIX = 2 };            /* bytes behind a label: "0x" */
enum { SHORT_LABEL = 32 };      /* bytes of a label and these: it is copied as a whole */
enum { SLACK = 64 };            /* bytes of room behind what is written: short things are copied as a whole */

struct row {                    /* a field of a kind of header */
    struct field field;
    uint32_t label;             /* where its label begins: NAME, a colon, and tabs; behind it stands "0x" */
    uint16_t name_size, label_size;
    uint8_t form, holds;
    uint32_t name;              /* a number that rows of the same name have: where the first of them stands in the table that was given */
    uint32_t prefix;            /* the same of those whose names begin alike, up to the point: IP of IP.TTL */
    uint16_t prefix_size;
    bool plain;                 /* a number of at most 32 bits, with bias and scale, too; a MAC or IPv4 address; its label is short */
    uint16_t byte, stop;        /* where such a one is: in eight bytes from this one of its header on; where it ends */
    uint8_t up, down;           /* in these: by how many bits they are to be shifted */
};

struct run {                    /* the rows of a kind of header, as they are written */
    uint32_t first, stop;
    uint32_t data, data_stop;   /* the first one of DATA that come behind, and what is behind the last one; both stop: there is none */
    bool old;                   /* 1.16 knew one of them */
    bool line;                  /* it has a line of text */
    size_t room;                /* bytes of all their lines, but those of DATA and TEXT */
};

struct table {
    struct row *rows;
    struct run *runs;           /* of kinds of headers, then of items */
    size_t count, headers, items;
    uint8_t *labels;
};

extern struct table field_rows;

/* The rows of a kind of header, or of item. */
static inline const struct run *run_of(const struct header *h)
{
    static const struct run nothing;
    size_t kind = (size_t)h->kind;
    if (kind < FIRST_ITEM)
        return kind < field_rows.headers ? &field_rows.runs[kind] : &nothing;
    return kind - FIRST_ITEM < field_rows.items ? &field_rows.runs[field_rows.headers + kind - FIRST_ITEM] : &nothing;
}

static inline uint8_t *put_short(uint8_t *out, const uint8_t *from, size_t size)
{
    if (size <= 32)
        memcpy(out, from, 32);  /* there is room, and something to read */
    else
        memcpy(out, from, size);
    return out + size;
}

size_t put_label(uint8_t *out, const uint8_t *name, size_t size, size_t number);
bool is_covered(const struct walk *w, size_t count, size_t index);

/* json.c: values that columns.c writes, too */

uint8_t *put_bytes(uint8_t *out, const uint8_t *data, size_t size);     /* in hex */
uint8_t *put_utc(uint8_t *out, int64_t time);
enum { MOST_TEXT = 5 };         /* bytes of a byte of text */

uint8_t *put_json_string(uint8_t *out, const uint8_t *text, size_t size);      /* and quotes */
uint8_t *put_json_value(uint8_t *out, const struct row *r, const struct frame *f, const struct place *at);
size_t json_value_room(const struct row *r, const struct place *at);

#endif
