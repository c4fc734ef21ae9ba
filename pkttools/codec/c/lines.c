/* Fields of packets as lines, `NAME: value`, by the table of all fields: names are bytes of it. Twin of ../python/lines.py, where the
 * order is told.
 */
#include "fields.h"

#include <stdlib.h>

enum { IS_NEW = 1, IS_LAST = 4, IS_IN_PLACE = 8 };      /* what holds of a field; see pkttools/protocols/__init__.py */
enum { MOST_NAME = 128, MOST_LABEL = MOST_NAME + 24 };  /* bytes; a label has a number, a colon and tabs */
enum { SLACK = 64 };            /* bytes of room behind what is written: short things are copied as a whole */
enum { MOST_SCALE = 65535 };

struct row {                    /* a field of a kind of header */
    struct field field;
    size_t label;               /* where its label begins: NAME, a colon, and tabs */
    uint16_t name_size, label_size;
    uint8_t form, holds;
    uint32_t name;              /* a number that rows of the same name have */
};

struct run {                    /* the rows of a kind of header, as they are written */
    uint32_t first, stop;
    uint32_t data;              /* the first one of DATA that come behind; stop: there is none */
    bool old;                   /* 1.16 knew one of them */
    bool line;                  /* it has a line of text */
    size_t room;                /* bytes of all their lines, but those of DATA and TEXT */
};

static struct table {
    struct row *rows;
    struct run *runs;           /* of kinds of headers, then of items */
    size_t count, headers, items;
    uint8_t *labels;
} table;

static const struct run nothing;

bool lines_known(void)
{
    return table.rows != NULL;
}

/* ---- the table ---- */

static bool form_sound(const struct field *f, unsigned form)
{
    if (form >= FORMS || f->kind != (form <= TEXT ? (int64_t)form : NUMBER))
        return false;
    int64_t width = form == MAC ? 48 : form == IPV4 ? 32 : form == IPV6_ADDRESS ? 128 : f->width;
    bool plain = f->bias == 0 && f->scale == 1;
    return f->width == width && f->bias >= 0 && f->bias <= MOST_SCALE && f->scale <= MOST_SCALE
        && (plain || (form <= LITTLE && f->width < 128));
}

/* A field's name with the colon and tabs behind it: values line up at column 24. Gives its size. */
static size_t put_label(uint8_t *out, const uint8_t *name, size_t size, size_t number)
{
    uint8_t *p = out, figures[20];
    memcpy(p, name, size);
    p += size;
    if (number > 0) {
        int n = 0;
        for (; number > 0; number /= 10)
            figures[n++] = (uint8_t)('0' + number % 10);
        *p++ = '[';
        while (n > 0)
            *p++ = figures[--n];
        *p++ = ']';
    }
    size_t size_of_all = (size_t)(p - out) + 1, tabs = size_of_all < 16 ? 3 - size_of_all / 8 : 1;
    *p++ = ':';
    for (; tabs > 0; tabs--)
        *p++ = '\t';
    return (size_t)(p - out);
}

static size_t slot_of_kind(const struct table *t, int64_t kind)
{
    return kind < FIRST_ITEM ? (size_t)kind : t->headers + (size_t)(kind - FIRST_ITEM);
}

/* Lays out the rows by kind, in the order in which they are written. */
static void lay(struct table *t, const struct field_table *from, const size_t *begin, const uint32_t *name)
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
            size_t size = begin[i + 1] - begin[i] - 1, label = put_label(t->labels + at, (const uint8_t *)from->names + begin[i], size, 0);
            t->rows[r->stop++] = (struct row){*f, at, (uint16_t)size, (uint16_t)label, from->traits[i].form, (uint8_t)holds, name[i]};
            at += label;
            r->room += label + MOST_NUMBER;
            r->old |= (holds & IS_NEW) == 0;
            r->line |= f->kind == TEXT && f->width == 0;
        }
    for (size_t k = 0; k < t->headers + t->items; k++)
        for (run[k].data = run[k].first; run[k].data < run[k].stop; run[k].data++)
            if (t->rows[run[k].data].form == DATA && (t->rows[run[k].data].holds & IS_IN_PLACE) == 0)
                break;
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

bool lines_set(const struct field_table *from, bool *sound)
{
    struct table t = {.count = from->count};
    *sound = from->count > 0 && from->count < UINT32_MAX / MOST_LABEL && fields_sound(from->fields, from->count);
    for (size_t i = 0; *sound && i < from->count; i++) {
        const struct field *f = &from->fields[i];
        *sound = f->header >= 0 && f->header < 2 * FIRST_ITEM && form_sound(f, from->traits[i].form);
        size_t *most = f->header < FIRST_ITEM ? &t.headers : &t.items;
        size_t kind = (size_t)(f->header % FIRST_ITEM) + 1;
        *most = kind > *most ? kind : *most;
    }
    if (!*sound)
        return false;
    size_t *begin = malloc((from->count + 1) * sizeof *begin);
    uint32_t *name = malloc(from->count * sizeof *name);
    t.rows = calloc(from->count, sizeof *t.rows);
    t.runs = calloc(t.headers + t.items, sizeof *t.runs);
    t.labels = malloc(from->count * MOST_LABEL + SLACK);
    bool done = begin != NULL && name != NULL && t.rows != NULL && t.runs != NULL && t.labels != NULL;
    if (done)
        done = *sound = cut_names(from, begin);
    if (done) {
        for (size_t i = 0; i < from->count; i++)
            name[i] = (uint32_t)i;
        for (size_t i = 0; i < from->count; i++)
            if (from->fields[i].next >= 0)
                name[from->fields[i].next] = name[i];
        lay(&t, from, begin, name);
        release(&table);
        table = t;
    } else
        release(&t);
    free(begin);
    free(name);
    return done;
}

/* ---- lines ---- */

static inline uint8_t *put_short(uint8_t *out, const uint8_t *from, size_t size)
{
    if (size <= 32)
        memcpy(out, from, 32);  /* there is room, and something to read */
    else
        memcpy(out, from, size);
    return out + size;
}

/* The line of a field that is there; the room for it is, too. */
static uint8_t *put_line(uint8_t *out, const struct row *r, const struct frame *f, const struct place *at)
{
    out = put_short(out, table.labels + r->label, r->label_size);
    out = r->form == TEXT ? put_characters(out, frame_range(f, at->bit / 8, at->size), text_size(f, at)) : put_number(out, f, at, r->form);
    *out++ = '\n';
    return out;
}

/* Lines of DATA: 16 bytes each, a wider gap before every 4th, which is how they stand in a row. number: of several; 0 of one. */
static bool add_data(struct lines *l, const struct row *r, const struct frame *f, const struct place *at, size_t number)
{
    enum { AT_ONCE = 32, BEGIN = 8, FULL = 50 };        /* rows; in a row, where its bytes begin, and what they take */
    struct bytes *text = &l->text;
    uint8_t label[MOST_LABEL + SLACK], rows[AT_ONCE * ROW + SLACK];
    const uint8_t *data = frame_range(f, at->bit / 8, at->size);
    size_t label_size = put_label(label, table.labels + r->label, r->name_size, number), left = at->size;
    if (!bytes_need(text, (left + 15) / 16 * (label_size + FULL + 1) + SLACK))
        return false;
    uint8_t *out = text->at + text->size;
    l->count += (left + 15) / 16;
    while (left > 0) {
        size_t size = least(left, AT_ONCE * 16);
        rows_write(rows, data, size);
        data += size;
        left -= size;
        for (const uint8_t *row = rows + BEGIN; size > 0; row += ROW) {
            size_t bytes = least(size, 16);
            size -= bytes;
            out = put_short(out, label, label_size);
            memcpy(out, row, 64);
            out += bytes * 3 - 1 + (bytes - 1) / 4;
            *out++ = '\n';
        }
    }
    text->size = (size_t)(out - text->at);
    return true;
}

/* Any other line. */
static bool add_line(struct lines *l, const struct row *r, const struct frame *f, const struct place *at)
{
    struct bytes *text = &l->text;
    if (!bytes_need(text, MOST_LABEL + MOST_NUMBER + 4 * at->size + SLACK))
        return false;
    text->size = (size_t)(put_line(text->at + text->size, r, f, at) - text->at);
    l->count++;
    return true;
}

static const struct run *run_of(const struct header *h)
{
    size_t kind = (size_t)h->kind;
    if (kind < FIRST_ITEM)
        return kind < table.headers ? &table.runs[kind] : &nothing;
    return kind - FIRST_ITEM < table.items ? &table.runs[table.headers + kind - FIRST_ITEM] : &nothing;
}

/* How many headers 1.16 knew: up to one of its own kind, or what a tunnel carries. */
static size_t known_to_1_16(const struct walk *w)
{
    bool carried = false;
    for (size_t i = 0; i < w->count; i++) {
        const struct header *h = &w->header[i];
        if ((carried && (h->exception == PADDED || carries_message(h))) || (i > 0 && !run_of(h)->old))
            return i;
        carried |= carries_message(h);
    }
    return w->count;
}

/* Whether headers inside show the data of one. The words of those that have a line of text do not: it is they by which it is found. */
static bool is_covered(const struct walk *w, size_t count, size_t index)
{
    const struct header *h = &w->header[index];
    for (size_t i = index + 1; i < count; i++)
        if (w->header[i].start >= h->data && w->header[i].start < h->end)
            return !run_of(&w->header[i])->line;
    return false;
}

/* The number that the data of a header have among those of the same name, from 1 on; 0 where there are no others. */
static size_t which_of_many(const struct walk *w, size_t count, size_t index, uint32_t name)
{
    size_t total = 0, number = 0;
    for (size_t i = 0; i < count; i++) {
        const struct run *run = run_of(&w->header[i]);
        for (uint32_t k = run->first; k < run->stop && w->header[i].data < w->header[i].end; k++)
            if (table.rows[k].name == name) {
                total++;
                number = i == index ? total : number;
                break;
            }
    }
    return total > 1 ? number : 0;
}

static bool add_fields(struct lines *l, const struct frame *f, const struct walk *w, size_t count, size_t index, bool all)
{
    const struct header *h = &w->header[index];
    const struct run *run = run_of(h);
    struct bytes *text = &l->text;
    struct place at;
    if (!bytes_need(text, run->room + SLACK))
        return false;
    uint8_t *out = text->at + text->size;
    for (const struct row *r = table.rows + run->first; r < table.rows + run->stop; r++) {
        if (!(all || (r->holds & IS_NEW) == 0) || (r->form == DATA && (r->holds & IS_IN_PLACE) == 0) || !place_of(&r->field, h, &at))
            continue;
        if (r->form != DATA && r->form != TEXT) {
            out = put_line(out, r, f, &at);
            l->count++;
            continue;
        }
        text->size = (size_t)(out - text->at);
        if (r->form == DATA) {
            if (!is_covered(w, count, index) && !add_data(l, r, f, &at, 0))
                return false;
        } else if (!add_line(l, r, f, &at))
            return false;
        if (!bytes_need(text, run->room + SLACK))       /* more than the rest needs */
            return false;
        out = text->at + text->size;
    }
    text->size = (size_t)(out - text->at);
    return true;
}

static bool add_data_behind(struct lines *l, const struct frame *f, const struct walk *w, size_t count, size_t index, bool all)
{
    const struct header *h = &w->header[index];
    const struct run *run = run_of(h);
    struct place at;
    for (const struct row *r = table.rows + run->data; r < table.rows + run->stop; r++)
        if (r->form == DATA && (r->holds & IS_IN_PLACE) == 0 && (all || (r->holds & IS_NEW) == 0) && place_of(&r->field, h, &at)
            && !is_covered(w, count, index) && !add_data(l, r, f, &at, which_of_many(w, count, index, r->name)))
            return false;
    return true;
}

struct found {                  /* a field of an item */
    const struct row *row;
    struct header item;
};

/* Lines of a field of items. */
static bool add_item(struct lines *l, const struct found *of, const struct frame *f, size_t number)
{
    struct place at;
    if (!place_of(&of->row->field, &of->item, &at))
        return true;
    return of->row->form == DATA ? add_data(l, of->row, f, &at, number) : add_line(l, of->row, f, &at);
}

/* Items of lists, in the order of the packet; DATA of the same name are numbered. */
static bool add_items(struct lines *l, const struct frame *f, const struct walk *w)
{
    struct header item;
    struct place at;
    struct { uint32_t all, seen; } *counts;
    l->items.size = 0;
    for (struct items items = items_of(f, w); next_item(&items, &item);) {
        const struct run *run = run_of(&item);
        for (const struct row *r = table.rows + run->first; r < table.rows + run->stop; r++) {
            struct found found = {r, item};
            if (place_of(&r->field, &item, &at) && !bytes_add(&l->items, &found, sizeof found))
                return false;
        }
    }
    if (l->items.size == 0)
        return true;
    if (l->counts.at == NULL) {
        if (!bytes_need(&l->counts, table.count * sizeof *counts))
            return false;
        memset(l->counts.at, 0, table.count * sizeof *counts);
    }
    counts = (void *)l->counts.at;
    const struct found *from = (const void *)l->items.at, *stop = from + l->items.size / sizeof *from;
    bool done = true;
    for (const struct found *one = from; one < stop; one++)
        counts[one->row->name].all++;
    for (const struct found *one = from; done && one < stop; one++) {
        uint32_t number = ++counts[one->row->name].seen;
        done = add_item(l, one, f, counts[one->row->name].all > 1 ? number : 0);
    }
    for (const struct found *one = from; one < stop; one++)
        counts[one->row->name].all = counts[one->row->name].seen = 0;
    return done;
}

/* f: without its frame check sequence. */
bool lines_add(struct lines *l, const struct frame *f, int64_t linktype, enum which_fields which)
{
    struct walk w;
    walk(&w, f, linktype);
    bool all = which == ALL_FIELDS;
    size_t count = all ? w.count : known_to_1_16(&w);
    for (size_t i = 0; i < count; i++)
        if (!add_fields(l, f, &w, count, i, all))
            return false;
    for (size_t i = count; i-- > 0;)
        if (!add_data_behind(l, f, &w, count, i, all))
            return false;
    return !all || add_items(l, f, &w);
}

void lines_free(struct lines *l)
{
    bytes_free(&l->text);
    bytes_free(&l->items);
    bytes_free(&l->counts);
}
