/* Packets as rows of a table, a line each: what was asked for of them, in columns. Twin of ../python/columns.py, where the rules are told. */
#include "table.h"

enum { NUMBER_OF = -1, TIME_OF = -2, UTC_OF = -3, CAPTURED_OF = -4, ORIGINAL_OF = -5, LINK_OF = -6, FRAME_OF = -7, IFACE_OF = -8, WAY_OF = -9, NOTE_OF = -10 };     /* besides fields */
enum { NOBODY = -1 };

struct wanted {                 /* a field that columns ask for, in a kind of header */
    const struct row *row;
    int32_t slot;               /* of its name */
};

struct slot {                   /* what was found of a name, in the packet in hand */
    int32_t first, last, count;
};

struct found {
    const struct row *row;
    struct place at;
    int32_t next;               /* of the same name */
};

bool columns_known(const struct columns *c)
{
    bool known = c->count < INT16_MAX;
    for (size_t i = 0; known && i < c->count; i++)
        known = c->columns[i].what >= NOTE_OF && c->columns[i].what < (int64_t)field_rows.count;
    return known;
}

bool columns_sound(const struct columns *c)
{
    size_t marks = 0;
    for (size_t i = 0; i < c->before_size; i++)
        marks += c->before[i] == 0;
    return marks == c->count + 1 && c->before[c->before_size - 1] == 0 && c->style <= CELLS_JSON && columns_known(c);
}

/* What lines begin with that a column asks for; NULL: it does not. */
static const char *line_of(int64_t what)
{
    return note_word(what == IFACE_OF ? OF_IFACE : what == WAY_OF ? OF_WAY : what == NOTE_OF ? OF_NOTE : 0);
}

/* Finds out which fields are asked for, and in which headers. */
bool columns_begin(struct columns *c)
{
    size_t kinds = field_rows.headers + field_rows.items;
    c->slots.size = c->wanted.size = c->kinds.size = c->of_column.size = 0;
    if (!bytes_need(&c->names, field_rows.count * sizeof(int32_t)) || !bytes_need(&c->kinds, (kinds + 1) * sizeof(uint32_t)))
        return false;
    int32_t *slot_of = (int32_t *)(void *)c->names.at, slots = 0;
    uint32_t *begin = (uint32_t *)(void *)c->kinds.at;
    for (size_t i = 0; i < field_rows.count; i++)
        slot_of[i] = NOBODY;
    for (size_t i = 0; i < c->count; i++) {
        int32_t *of = c->columns[i].what >= 0 ? &slot_of[c->columns[i].what] : NULL, none = NOBODY;
        struct slot empty = {NOBODY, NOBODY, 0};
        if (of != NULL && *of == NOBODY) {
            *of = slots++;
            if (!bytes_add(&c->slots, &empty, sizeof empty))
                return false;
        }
        if (!bytes_add(&c->of_column, of != NULL ? of : &none, sizeof none))
            return false;
    }
    c->items = c->all = false;
    for (size_t k = 0; k < kinds; k++) {
        begin[k] = (uint32_t)(c->wanted.size / sizeof(struct wanted));
        const struct run *run = &field_rows.runs[k];
        for (const struct row *r = field_rows.rows + run->first; r < field_rows.rows + run->stop; r++) {
            struct wanted new = {r, slot_of[r->name]};
            if (new.slot == NOBODY)
                continue;
            if (!bytes_add(&c->wanted, &new, sizeof new))
                return false;
            c->items |= k >= field_rows.headers;
            c->all |= k >= field_rows.headers || is_idle((int64_t)k);
        }
    }
    begin[kinds] = (uint32_t)(c->wanted.size / sizeof(struct wanted));
    return true;
}

static struct slot *slot_at(const struct columns *c, int32_t slot)
{
    return (struct slot *)(void *)c->slots.at + slot;
}

static struct found *found_at(const struct columns *c, int32_t index)
{
    return (struct found *)(void *)c->found.at + index;
}

/* Notes what a header, or an item, has of what is wanted. */
static bool look(struct columns *c, const struct header *h)
{
    size_t kind = h->kind < FIRST_ITEM ? h->kind : field_rows.headers + h->kind - FIRST_ITEM;
    if (h->kind < FIRST_ITEM ? kind >= field_rows.headers : kind >= field_rows.headers + field_rows.items)
        return true;
    const uint32_t *begin = (const uint32_t *)(const void *)c->kinds.at + kind;
    const struct wanted *from = (const struct wanted *)(const void *)c->wanted.at;
    for (const struct wanted *w = from + begin[0]; w < from + begin[1]; w++) {
        struct found new = {w->row, {0}, NOBODY};
        struct slot *slot = slot_at(c, w->slot);
        int32_t index = (int32_t)(c->found.size / sizeof new);
        if (!place_of(&w->row->field, h, &new.at))
            continue;
        if (!bytes_add(&c->found, &new, sizeof new))
            return false;
        if (slot->count++ == 0)
            slot->first = index;
        else
            found_at(c, slot->last)->next = index;
        slot->last = index;
    }
    return true;
}

static bool find(struct columns *c, const struct frame *f, int64_t linktype)
{
    struct walk w;
    struct header item;
    c->found.size = 0;
    for (size_t i = 0; i < c->slots.size / sizeof(struct slot); i++)
        *slot_at(c, (int32_t)i) = (struct slot){NOBODY, NOBODY, 0};
    if (c->wanted.size == 0)
        return true;
    (c->all ? walk : walk_busy)(&w, f, linktype);
    for (size_t i = 0; i < w.count; i++)
        if (!look(c, &w.header[i]))
            return false;
    if (c->items)
        for (struct items items = items_of(f, &w); next_item(&items, &item);)
            if (!look(c, &item))
                return false;
    return true;
}

/* ---- cells ---- */

/* Characters without quotes around them; a comma as `\x2c` where it would stand between values. */
static uint8_t *put_plain(uint8_t *out, const uint8_t *text, size_t size, bool several)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (c >= 0x20 && c <= 0x7E && c != '"' && c != '\\' && !(several && c == ','))
            *out++ = c;
        else {
            memcpy(out, "\\x", 2);
            out = put_bytes(out + 2, &c, 1);
        }
    }
    return out;
}

static bool add_one(struct columns *c, const struct frame *f, const struct found *of, bool several)
{
    const struct row *r = of->row;
    if (!bytes_need(&c->text, json_value_room(r, &of->at)))
        return false;
    uint8_t *out = c->text.at + c->text.size;
    const uint8_t *data = frame_range(f, of->at.bit / 8, of->at.size);
    if (c->style == CELLS_JSON)
        out = put_json_value(out, r, f, &of->at);
    else if (r->form == DATA)
        out = put_bytes(out, data, of->at.size);
    else if (r->form == TEXT)
        out = put_plain(out, data, text_size(f, &of->at), several);
    else
        out = r->form > TEXT ? put_number(out, f, &of->at, r->form) : put_decimal(out, number_of(f, &of->at));
    c->text.size = (size_t)(out - c->text.at);
    return true;
}

/* The first one of what a column has of a field, all occurrences or one of them; NOBODY: it is not there. */
static int32_t first_of(const struct columns *c, const struct column *column, const struct slot *slot)
{
    int64_t which = column->occurrence < 0 ? column->occurrence + slot->count + 1 : column->occurrence;
    if (slot->count == 0 || (column->occurrence != 0 && (which < 1 || which > slot->count)))
        return NOBODY;
    int32_t index = slot->first;
    for (int64_t i = 1; i < which; i++)
        index = found_at(c, index)->next;
    return index;
}

static bool add_field(struct columns *c, const struct column *column, int32_t slot_index, const struct frame *f)
{
    const struct slot *slot = slot_at(c, slot_index);
    bool all = column->occurrence == 0, json = c->style == CELLS_JSON;
    int32_t index = first_of(c, column, slot);
    if (index == NOBODY)
        return !json || bytes_add(&c->text, "null", 4);
    bool list = json && all && (slot->count > 1 || column->list);
    bool quoted = c->style == CELLS_CSV && (found_at(c, index)->row->form == TEXT || (all && slot->count > 1));
    if ((list || quoted) && !bytes_add(&c->text, list ? "[" : "\"", 1))
        return false;
    for (; index != NOBODY; index = all ? found_at(c, index)->next : NOBODY)
        if ((all && index != slot->first && !bytes_add(&c->text, ",", 1)) || !add_one(c, f, found_at(c, index), all))
            return false;
    return !(list || quoted) || bytes_add(&c->text, list ? "]" : "\"", 1);
}

/* What a column has of the packet besides its fields. */
static bool add_fact(struct columns *c, int64_t what, const uint8_t *data, const struct packet *p, int64_t number)
{
    if (!bytes_need(&c->text, 64 + (what == FRAME_OF ? 2 * (size_t)p->captured : 0)))
        return false;
    uint8_t *out = c->text.at + c->text.size;
    bool quoted = c->style == CELLS_JSON && (what == UTC_OF || what == FRAME_OF);
    if (quoted)
        *out++ = '"';
    switch (what) {
    case NUMBER_OF: out = put_int(out, number); break;
    case TIME_OF: out = put_int(out, p->time); break;
    case UTC_OF: out = put_utc(out, p->time); break;
    case CAPTURED_OF: out = put_int(out, p->captured); break;
    case ORIGINAL_OF: out = put_int(out, p->original); break;
    case LINK_OF: out = put_int(out, p->linktype & UINT32_MAX); break;
    default: out = put_bytes(out, data + p->offset, (size_t)p->captured);
    }
    if (quoted)
        *out++ = '"';
    c->text.size = (size_t)(out - c->text.at);
    return true;
}

static bool add_said(struct columns *c, const struct frame *said, bool several)
{
    if (!bytes_need(&c->text, MOST_TEXT * said->size + 2))
        return false;
    uint8_t *out = c->text.at + c->text.size;
    out = c->style == CELLS_JSON ? put_json_string(out, said->at, said->size) : put_plain(out, said->at, said->size, several);
    c->text.size = (size_t)(out - c->text.at);
    return true;
}

/* What a column has of lines that the packet came with, all of a word or one of them. */
static bool add_lines(struct columns *c, const struct column *column, const struct frame *notes)
{
    const char *word = line_of(column->what);
    bool all = column->occurrence == 0, json = c->style == CELLS_JSON;
    struct frame said;
    if (!note_at(notes, word, all ? 1 : column->occurrence, &said))
        return !json || bytes_add(&c->text, "null", 4);
    bool list = json && all && (column->list != 0 || note_at(notes, word, 2, &(struct frame){0}));
    bool quoted = c->style == CELLS_CSV;
    if ((list || quoted) && !bytes_add(&c->text, list ? "[" : "\"", 1))
        return false;
    size_t at = 0;
    if (!all && !add_said(c, &said, false))
        return false;
    for (bool first = true; all && note_said(notes, &at, word, &said); first = false)
        if ((!first && !bytes_add(&c->text, ",", 1)) || !add_said(c, &said, true))
            return false;
    return !(list || quoted) || bytes_add(&c->text, list ? "]" : "\"", 1);
}

static bool add_cell(struct columns *c, const struct column *column, int32_t slot, const uint8_t *data, const struct packet *p,
                     const struct frame *f, int64_t number)
{
    if (slot != NOBODY)
        return add_field(c, column, slot, f);
    if (column->what <= IFACE_OF)
        return add_lines(c, column, &(struct frame){data + p->notes, (size_t)p->notes_size});
    return add_fact(c, column->what, data, p, number);
}

bool columns_add(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number)
{
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame f = {data + bare->offset, (size_t)bare->captured};
    if (!find(c, &f, bare->linktype))
        return false;
    const uint8_t *before = c->before;
    const int32_t *slot = (const int32_t *)(const void *)c->of_column.at;
    for (const struct column *column = c->columns; column < c->columns + c->count; column++, slot++) {
        size_t size = strlen((const char *)before);
        if (!bytes_add(&c->text, before, size) || !add_cell(c, column, *slot, data, p, &f, number))
            return false;
        before += size + 1;
    }
    return bytes_add(&c->text, before, strlen((const char *)before));
}

/* ---- keys ---- */

/* Octets that compare as the number does: how many it has, then they. */
static uint8_t *put_number_key(uint8_t *out, struct value v)
{
    uint8_t *size = out++;
    for (int i = 15; i >= 0; i--) {
        uint64_t from_here = i < 8 ? v.low >> 8 * i : v.high >> 8 * (i - 8);
        if (from_here != 0 || (i < 8 && v.high != 0))
            *out++ = (uint8_t)from_here;
    }
    *size = (uint8_t)(out - size - 1);
    return out;
}

/* Octets that compare as others do, and end where none of them can go on. */
static uint8_t *put_octets_key(uint8_t *out, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *out++ = at[i];
        if (at[i] == 0)
            *out++ = 1;
    }
    memset(out, 0, 2);
    return out + 2;
}

static uint8_t *put_fact_key(uint8_t *out, int64_t what, const uint8_t *data, const struct packet *p, int64_t number)
{
    int64_t value = number;
    switch (what) {
    case FRAME_OF: return put_octets_key(out, data + p->offset, (size_t)p->captured);
    case TIME_OF: case UTC_OF: value = p->time; break;
    case CAPTURED_OF: value = p->captured; break;
    case ORIGINAL_OF: value = p->original; break;
    case LINK_OF: value = p->linktype & UINT32_MAX; break;
    default: break;
    }
    return put_number_key(out, (struct value){0, (uint64_t)value ^ UINT64_C(1) << 63});   /* what is below zero is less */
}

static uint8_t *put_field_key(uint8_t *out, const struct frame *f, const struct found *of)
{
    const uint8_t *data = frame_range(f, of->at.bit / 8, of->at.size);
    if (of->row->form == DATA || of->row->form == TEXT)
        return put_octets_key(out, data, of->row->form == DATA ? of->at.size : text_size(f, &of->at));
    return put_number_key(out, number_of(f, &of->at));
}

/* The key of one column; where it is not there it is the last. False: no memory. */
static bool add_key(struct columns *c, const struct column *column, int32_t slot, const uint8_t *data, const struct packet *p,
                    const struct frame *f, int64_t number)
{
    enum { SMALL = 32 };        /* bytes of a number, and what is around values */
    const char *word = line_of(column->what);
    const struct frame notes = {data + p->notes, (size_t)p->notes_size};
    struct frame said = {data, 0};
    int32_t index = slot == NOBODY ? NOBODY : first_of(c, column, slot_at(c, slot));
    bool there = word != NULL ? note_at(&notes, word, column->occurrence == 0 ? 1 : column->occurrence, &said)
        : slot == NOBODY || index != NOBODY;
    if (!bytes_need(&c->text, SMALL + 2 * ((size_t)p->captured + said.size)))
        return false;
    uint8_t *begin = c->text.at + c->text.size, *out = begin;
    *out++ = !there;
    if (there && word != NULL)
        out = put_octets_key(out, said.at, said.size);
    else if (there && slot == NOBODY)
        out = put_fact_key(out, column->what, data, p, number);
    else if (there)
        out = put_field_key(out, f, found_at(c, index));
    for (uint8_t *at = begin + 1; at < out && column->list != 0; at++)
        *at = (uint8_t)~*at;
    c->text.size = (size_t)(out - c->text.at);
    return true;
}

bool columns_key(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number)
{
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame f = {data + bare->offset, (size_t)bare->captured};
    c->text.size = 0;
    if (!find(c, &f, bare->linktype))
        return false;
    for (size_t i = 0; i < c->count; i++)
        if (!add_key(c, &c->columns[i], ((const int32_t *)(const void *)c->of_column.at)[i], data, p, &f, number))
            return false;
    return true;
}

void columns_free(struct columns *c)
{
    bytes_free(&c->text);
    bytes_free(&c->found);
    bytes_free(&c->slots);
    bytes_free(&c->wanted);
    bytes_free(&c->kinds);
    bytes_free(&c->names);
    bytes_free(&c->of_column);
}
