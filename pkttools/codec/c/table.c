/* The table of all fields, as what prints them goes by it: rows of each kind of header, in the order in which they are written. */
#include "table.h"

#include <stdlib.h>

enum { IS_LAST = 4 };           /* see pkttools/protocols/__init__.py */

struct table field_rows;

bool fields_known(void)
{
    return field_rows.rows != NULL;
}

static bool form_sound(const struct field *f, unsigned form)
{
    if (form >= FORMS || f->kind != (form <= TEXT ? (int64_t)form : NUMBER))
        return false;
    int64_t width = form == MAC ? 48 : form == IPV4 ? 32 : form == IPV6_ADDRESS ? 128 : f->width;
    bool plain = f->bias == 0 && f->scale == 1;
    return f->width == width && (plain || (form <= LITTLE && f->width < 128));
}

static size_t slot_of_kind(const struct table *t, int64_t kind)
{
    return kind < FIRST_ITEM ? (size_t)kind : t->headers + (size_t)(kind - FIRST_ITEM);
}

/* Bytes of a name up to its point. */
static uint16_t prefix_size(const uint8_t *name, size_t size)
{
    const uint8_t *point = memchr(name, '.', size);
    return (uint16_t)(point != NULL ? (size_t)(point - name) : size);
}

/* Numbers the beginnings of names: by the first row that has it. Rows of a protocol stand together. */
static void number_prefixes(const struct field_table *from, const size_t *begin, uint32_t *prefix)
{
    for (size_t i = 0; i < from->count; i++) {
        const uint8_t *name = (const uint8_t *)from->names + begin[i];
        uint16_t size = prefix_size(name, begin[i + 1] - begin[i] - 1);
        size_t k = i > 0 ? prefix[i - 1] : 0;
        for (size_t tries = 0; tries <= i; tries++, k = tries - 1) {
            if (k < i && prefix[k] != k)
                continue;                                       /* it begins as one before it */
            const uint8_t *other = (const uint8_t *)from->names + begin[k];
            if (prefix_size(other, begin[k + 1] - begin[k] - 1) == size && memcmp(other, name, size) == 0)
                break;
        }
        prefix[i] = (uint32_t)k;
    }
}

static bool is_plain(const struct field *f, unsigned form, size_t label)
{
    if (label > SHORT_LABEL)
        return false;
    if (form == MAC || form == IPV4)
        return true;
    if (form != NUMBER || f->width == 0 || f->width > 32)
        return false;
    uint64_t most = (UINT64_C(1) << f->width) - 1;
    return (most + (uint64_t)f->bias) * (uint64_t)f->scale <= UINT32_MAX;
}

/* Lays out the rows by kind, in the order in which they are written. */
static void lay(struct table *t, const struct field_table *from, const size_t *begin, const uint32_t *name, const uint32_t *prefix)
{
    struct run *run = t->runs;
    for (size_t i = 0; i < from->count; i++)
        run[slot_of_kind(t, from->fields[i].header)].stop++;    /* counted, so far */
    uint32_t first = 0;
    for (size_t k = 0; k < t->headers + t->items; k++) {
        uint32_t count = run[k].stop;
        run[k].first = run[k].stop = first;
        first += count;
    }
    size_t at = 0;
    for (int last = 0; last < 2; last++)
        for (size_t i = 0; i < from->count; i++) {
            const struct field *f = &from->fields[i];
            unsigned holds = from->traits[i].holds;
            if (((holds & IS_LAST) != 0) != last)
                continue;
            struct run *r = &run[slot_of_kind(t, f->header)];
            const uint8_t *text = (const uint8_t *)from->names + begin[i];
            size_t size = begin[i + 1] - begin[i] - 1, label = put_label(t->labels + at, text, size, 0);
            memcpy(t->labels + at + label, "0x", PREFIX);
            t->rows[r->stop++] = (struct row){
                *f, (uint32_t)at, (uint16_t)size, (uint16_t)label, from->traits[i].form, (uint8_t)holds, name[i], prefix[i],
                prefix_size(text, size), is_plain(f, from->traits[i].form, label + PREFIX), (uint16_t)(f->bit / 8),
                (uint16_t)((f->bit + f->width + 7) / 8), f->bit % 8, (uint8_t)(64 - f->width),
            };
            at += label + PREFIX;
            r->room += label + MOST_NUMBER;
            r->old |= (holds & IS_NEW) == 0;
            r->line |= f->kind == TEXT && f->width == 0;
        }
    for (size_t k = 0; k < t->headers + t->items; k++) {
        struct run *r = &run[k];
        for (r->data = r->first; r->data < r->stop; r->data++)
            if (t->rows[r->data].form == DATA && (t->rows[r->data].holds & IS_IN_PLACE) == 0)
                break;
        for (r->data_stop = r->stop; r->data_stop > r->data && t->rows[r->data_stop - 1].form != DATA;)
            r->data_stop--;
    }
}

static void release(struct table *t)
{
    free(t->rows);
    free(t->runs);
    free(t->labels);
    *t = (struct table){0};
}

/* Where each name begins, and one more; whether there is one for each field. */
static bool cut_names(const struct field_table *from, size_t *begin)
{
    size_t count = 0;
    if (from->names_size == 0 || from->names[0] != '\n')
        return false;
    begin[0] = 1;
    for (size_t at = 1; at < from->names_size; at++)
        if (from->names[at] == '\n') {
            size_t size = at - begin[count];
            if (count == from->count || size == 0 || size > MOST_NAME)
                return false;
            begin[++count] = at + 1;
        }
    return count == from->count && begin[count] == from->names_size;
}

bool fields_set(const struct field_table *from, bool *sound)
{
    struct table t = {.count = from->count};
    *sound = from->count > 0 && from->count < UINT32_MAX / MOST_LABEL && fields_sound(from->fields, from->count);
    for (size_t i = 0; *sound && i < from->count; i++) {
        const struct field *f = &from->fields[i];
        *sound = f->header < 2 * FIRST_ITEM && form_sound(f, from->traits[i].form);
        size_t *most = f->header < FIRST_ITEM ? &t.headers : &t.items;
        size_t kind = (size_t)(f->header % FIRST_ITEM) + 1;
        *most = kind > *most ? kind : *most;
    }
    if (!*sound)
        return false;
    size_t *begin = malloc((from->count + 1) * sizeof *begin);
    uint32_t *name = malloc(from->count * sizeof *name), *prefix = malloc(from->count * sizeof *prefix);
    t.rows = calloc(from->count, sizeof *t.rows);
    t.runs = calloc(t.headers + t.items, sizeof *t.runs);
    t.labels = malloc(from->count * MOST_LABEL + SLACK);
    bool done = begin != NULL && name != NULL && prefix != NULL && t.rows != NULL && t.runs != NULL && t.labels != NULL;
    if (done)
        done = *sound = cut_names(from, begin);
    if (done) {
        for (size_t i = 0; i < from->count; i++)
            name[i] = (uint32_t)i;
        for (size_t i = 0; i < from->count; i++)
            if (from->fields[i].next > 0)
                name[from->fields[i].next] = name[i];
        number_prefixes(from, begin, prefix);
        lay(&t, from, begin, name, prefix);
        release(&field_rows);
        field_rows = t;
    } else
        release(&t);
    free(begin);
    free(name);
    free(prefix);
    return done;
}

/* A field's name with the colon and tabs behind it: values line up at column 24. Gives its size. */
size_t put_label(uint8_t *out, const uint8_t *name, size_t size, size_t number)
{
    uint8_t *p = out;
    memcpy(p, name, size);
    p += size;
    if (number > 0) {
        *p++ = '[';
        p = put_number64(p, number);
        *p++ = ']';
    }
    size_t size_of_all = (size_t)(p - out) + 1, tabs = size_of_all < 16 ? 3 - size_of_all / 8 : 1;
    *p++ = ':';
    for (; tabs > 0; tabs--)
        *p++ = '\t';
    return (size_t)(p - out);
}

/* Whether headers inside show the data of one. The words of those that have a line of text do not: it is they by which it is found. */
bool is_covered(const struct walk *w, size_t count, size_t index)
{
    const struct header *h = &w->header[index];
    for (size_t i = index + 1; i < count; i++)
        if (w->header[i].start >= h->data && w->header[i].start < h->end)
            return !run_of(&w->header[i])->line;
    return false;
}
