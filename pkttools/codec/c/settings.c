/* Field lines of text, `NAME.FIELD: value`, that are set in their packet, in their order. Twin of ../python/settings.py.
 *
 * A name that comes several times is that of its first, second... occurrence; lines of DATA that follow each other continue each other.
 * What is wrong with a line is said by who knows the words, see ../../protocols/values.py; here it is only found.
 */
#include "fields.h"

#include <stdlib.h>

enum { MOST_NAME = 128 };

struct name {                   /* of a field; of row 0 in front of the table where the place is free */
    const uint8_t *at;
    size_t size;
    uint32_t row;               /* the first one of that name, from 1 on */
};

static struct {
    struct field *fields;
    struct trait *traits;
    uint8_t *text;
    struct name *names;         /* by what they spread to, or behind that */
    size_t count, mask;
    bool (*named)(unsigned names, const uint8_t *word, size_t size, uint64_t *number);
} table;

/* ---- names ---- */

bool names_known(void)
{
    return table.names != NULL;
}

static uint32_t spread_of(const uint8_t *name, size_t size)
{
    uint32_t hash = 2166136261u;        /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ name[i]) * 16777619u;
    return hash ^ hash >> 15;
}

/* Where a name, in capitals, is or would be. */
static struct name *place_of_name(const uint8_t *name, size_t size)
{
    size_t at = spread_of(name, size);
    for (;; at++) {
        struct name *n = &table.names[at & table.mask];
        if (n->row == 0 || (n->size == size && memcmp(n->at, name, size) == 0))
            return n;
    }
}

static bool sound(const struct field_table *from)
{
    if (from->count == 0 || from->count >= UINT32_MAX / 4 || !fields_sound(from->fields, from->count))
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (from->traits[i].form >= FORMS)
            return false;
    return from->names_size > 0 && from->names[0] == '\n' && from->names[from->names_size - 1] == '\n';
}

static void release(void)
{
    free(table.fields);
    free(table.traits);
    free(table.text);
    free(table.names);
    memset(&table, 0, sizeof table);
}

bool names_set(const struct field_table *from, size_t renamed, bool (*named)(unsigned names, const uint8_t *word, size_t size, uint64_t *number),
               bool *is_sound)
{
    *is_sound = sound(from) && renamed < UINT32_MAX / 4;
    if (!*is_sound)
        return false;
    release();
    size_t places = 2;
    while (places < 2 * (from->count + renamed))
        places *= 2;
    table.count = from->count;
    table.mask = places - 1;
    table.named = named;
    table.fields = malloc(from->count * sizeof *table.fields);
    table.traits = malloc(from->count * sizeof *table.traits);
    table.text = malloc(from->names_size);
    table.names = calloc(places, sizeof *table.names);
    if (table.fields == NULL || table.traits == NULL || table.text == NULL || table.names == NULL) {
        release();
        return false;
    }
    memcpy(table.fields, from->fields, from->count * sizeof *table.fields);
    memcpy(table.traits, from->traits, from->count * sizeof *table.traits);
    memcpy(table.text, from->names, from->names_size);
    const uint8_t *at = table.text + 1, *end = table.text + from->names_size;
    uint32_t row = 0;
    for (; at < end && row < from->count; row++) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        struct name *n = place_of_name(at, (size_t)(stop - at));
        if (n->row == 0)
            *n = (struct name){at, (size_t)(stop - at), row + 1};
        at = stop + 1;
    }
    *is_sound = at == end && row == from->count;
    if (!*is_sound)
        release();
    return *is_sound;
}

/* A name that a field had. The texts stay where they are, as long as the names are known. */
void name_add(const char *was, size_t was_size, const char *now, size_t now_size)
{
    const struct name *known = place_of_name((const uint8_t *)now, now_size);
    struct name *n = place_of_name((const uint8_t *)was, was_size);
    if (known->row > 0 && n->row == 0)
        *n = (struct name){(const uint8_t *)was, was_size, known->row};
}

/* ---- lines ---- */

/* What a line is about: the row of its field, and which occurrence, 0: as they come. Whether there is such a field. */
static bool read_name(const uint8_t *text, size_t size, int64_t *row, int64_t *occurrence)
{
    uint8_t name[MOST_NAME];
    size_t at = 0;
    for (; at < size && text[at] != '['; at++) {
        if (at == MOST_NAME)
            return false;
        name[at] = text[at] >= 'a' && text[at] <= 'z' ? (uint8_t)(text[at] - 'a' + 'A') : text[at];
    }
    const struct name *n = place_of_name(name, at);
    *row = (int64_t)n->row - 1;
    *occurrence = 0;
    if (at < size) {            /* digits, maybe with a sign, and the bracket */
        bool last = text[++at] == '-';
        size_t begin = at + last, figures = 0;
        bool zero = true;
        for (size_t i = begin; i < size - 1; i++, figures++) {
            zero &= figures >= 9 || text[i] == '0';
            if (figures < (last ? 9u : 10u))
                *occurrence = *occurrence * 10 + (text[i] - '0');
        }
        if (zero)
            return false;
        *occurrence = last ? -*occurrence : *occurrence;
    }
    return *row >= 0;
}

static bool fits_somewhere(int64_t row, struct value v)
{
    for (; row >= 0; row = next_row(table.fields, row))
        if (value_fits(&table.fields[row], v))
            return true;
    return false;
}

/* A value for the field of a row goes into an assignment, bytes behind the others. Whether it is one. */
static bool read_value(struct settings *s, const uint8_t *text, size_t size, struct assignment *a)
{
    const struct field *f = &table.fields[a->field];
    const struct trait *t = &table.traits[a->field];
    struct value v;
    if (f->kind == DATA || f->kind == TEXT) {
        size_t before = s->values.size, room = f->width >= 8 ? (size_t)f->width / 8 : MAX_FRAME;
        bool done = f->kind == DATA ? parse_data(text, size, &s->values) : parse_text(text, size, room, &s->values);
        a->size += (int64_t)(s->values.size - before);
        return done;
    }
    bool address = t->form > TEXT;
    if (!(address ? parse_address(text, size, t->form, &v) : parse_number(text, size, &v))) {
        v.high = 0;
        if (t->names == 0 || table.named == NULL || !table.named(t->names, text, size, &v.low))
            return false;
    }
    a->high = (int64_t)v.high;
    a->low = (int64_t)v.low;
    return fits_somewhere(a->field, v);
}

/* The same of a line. */
static bool read_line(struct settings *s, const uint8_t *text, const struct field_line *l, struct assignment *a)
{
    const uint8_t *value = text + l->value;
    size_t size = l->value_size;
    while (size > 0 && is_space(*value)) {
        value++;
        size--;
    }
    while (size > 0 && is_space(value[size - 1]))
        size--;
    return read_value(s, value, size, a);
}

/* Whether a line goes on with the data of the one before. */
static bool continues(const uint8_t *text, const struct field_line *l)
{
    const struct field_line *before = l - 1;
    return table.fields[before->row].kind == DATA && l->name_size == before->name_size
        && memcmp(text + l->name, text + before->name, l->name_size) == 0;
}

/* Makes room for all that lines say, and for counting them. */
static bool prepare(struct settings *s, const struct field_line *l, const struct field_line *end)
{
    size_t most = 1;
    for (; l < end; l++)
        most += l->value_size;
    s->values.size = 0;
    if (!bytes_need(&s->values, most))
        return false;
    size_t counts = table.count * sizeof(uint32_t);
    if (s->seen.size == 0 && bytes_need(&s->seen, counts))
        memset(s->seen.at, 0, s->seen.size = counts);
    return s->seen.size > 0;
}

enum set settings_apply(struct settings *s, const struct writable_frame *f, int64_t linktype, const uint8_t *text,
                        const struct field_line **wrong, int64_t *unplaced, int64_t *cut)
{
    struct field_line *const first = (struct field_line *)(void *)s->lines.at, *l = first, *end = l + s->lines.size / sizeof *l;
    *wrong = first;
    if (!names_known())
        return WRONG_LINE;
    if (!prepare(s, first, end))
        return WITHOUT_ROOM;
    uint32_t *seen = (uint32_t *)(void *)s->seen.at;
    int64_t missed = 0;
    struct walk w;
    struct changed changed = {0};
    walk(&w, &f->view, linktype);
    while (l < end) {
        struct assignment a = {.operation = 0};         /* to set */
        int64_t occurrence;
        s->values.size = 0;
        if (!read_name(text + l->name, l->name_size, &l->row, &occurrence))
            return *wrong = l, WRONG_LINE;
        a.field = l->row;
        do {
            if (!read_line(s, text, l, &a))
                return *wrong = l, WRONG_LINE;
            if (++l < end)
                l->row = a.field;
        } while (l < end && continues(text, l));
        a.exact = occurrence != 0;
        a.occurrence = a.exact ? occurrence : ++seen[a.field];
        seen[a.field] += a.exact != 0;
        const struct program p = {.fields = table.fields, .field_count = table.count, .constants = s->values.at, .all = true};
        missed += !assign_field(&p, &a, f, linktype, &w, l < end, &changed);
    }
    for (l = first; l < end; l++)
        seen[l->row] = 0;
    *unplaced += missed;
    *cut += (int64_t)changed.cut;
    return ALL_SET;
}

void settings_free(struct settings *s)
{
    bytes_free(&s->lines);
    bytes_free(&s->values);
    bytes_free(&s->seen);
}
