/* Packets as rows of a table, a line each: what was asked for of them, in columns. Twin of ../python/columns.py, where the rules are told. */
#include "table.h"

enum { NUMBER_OF = -1, TIME_OF = -2, UTC_OF = -3, CAPTURED_OF = -4, ORIGINAL_OF = -5, LINK_OF = -6, FRAME_OF = -7, IFACE_OF = -8, WAY_OF = -9, NOTE_OF = -10 };     /* besides fields */
enum { LINES = IFACE_OF - NOTE_OF + 1, NOBODY = -1 };

struct wanted {                 /* a field that columns ask for, in a kind of header */
    const struct row *row;
    int32_t slot;               /* of its name */
};

struct slot {                   /* what was found of a name, or of lines, in the packet in hand */
    int32_t first, last, count;
};

struct found {
    const struct row *row;      /* NULL: it is what a line says */
    union {
        struct place at;
        struct frame said;
    };
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

/* Where the slot stands of what a column asks for: of fields by their numbers, behind them those of lines; NULL: of a fact there is none. */
static int32_t *slot_of(const struct columns *c, int64_t what)
{
    int32_t *slots = (int32_t *)(void *)c->names.at;
    return what >= 0 ? &slots[what] : what <= IFACE_OF ? &slots[(int64_t)field_rows.count + IFACE_OF - what] : NULL;
}

/* Finds out which fields are asked for, and in which headers. */
bool columns_begin(struct columns *c)
{
    size_t kinds = field_rows.headers + field_rows.items;
    c->slots.size = c->wanted.size = c->kinds.size = c->of_column.size = 0;
    if (!bytes_need(&c->names, (field_rows.count + LINES) * sizeof(int32_t)) || !bytes_need(&c->kinds, (kinds + 1) * sizeof(uint32_t)))
        return false;
    int32_t slots = 0;
    uint32_t *begin = (uint32_t *)(void *)c->kinds.at;
    for (size_t i = 0; i < field_rows.count + LINES; i++)
        *slot_of(c, (int64_t)i) = NOBODY;
    for (size_t i = 0; i < c->count; i++) {
        int32_t *of = slot_of(c, c->columns[i].what), none = NOBODY;
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
            struct wanted new = {r, *slot_of(c, r->name)};
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

static bool keep(struct columns *c, int32_t slot_index, const struct found *new)
{
    struct slot *slot = slot_at(c, slot_index);
    int32_t index = (int32_t)(c->found.size / sizeof *new);
    if (c->found.size / sizeof *new >= INT32_MAX || !bytes_add(&c->found, new, sizeof *new))
        return false;
    if (slot->count++ == 0)
        slot->first = index;
    else
        found_at(c, slot->last)->next = index;
    slot->last = index;
    return true;
}

/* Keeps what a header, or an item, has of what is wanted. */
static bool look(struct columns *c, const struct header *h)
{
    size_t kind = h->kind < FIRST_ITEM ? h->kind : field_rows.headers + h->kind - FIRST_ITEM;
    if (h->kind < FIRST_ITEM ? kind >= field_rows.headers : kind >= field_rows.headers + field_rows.items)
        return true;
    const uint32_t *begin = (const uint32_t *)(const void *)c->kinds.at + kind;
    const struct wanted *from = (const struct wanted *)(const void *)c->wanted.at;
    for (const struct wanted *w = from + begin[0]; w < from + begin[1]; w++) {
        struct found new = {.row = w->row, .next = NOBODY};
        if (place_of(&w->row->field, h, &new.at) && !keep(c, w->slot, &new))
            return false;
    }
    return true;
}

/* The same of lines that the packet came with. */
static bool look_in_lines(struct columns *c, const struct frame *notes)
{
    static const int64_t facts[LINES] = {OF_IFACE, OF_WAY, OF_NOTE};
    for (int k = 0; k < LINES; k++) {
        struct found new = {.row = NULL, .next = NOBODY};
        int32_t slot = *slot_of(c, IFACE_OF - k);
        for (size_t at = 0; slot != NOBODY && note_said(notes, &at, note_word(facts[k]), &new.said);)
            if (!keep(c, slot, &new))
                return false;
    }
    return true;
}

static bool find(struct columns *c, const struct frame *f, int64_t linktype, const struct frame *notes)
{
    struct walk w;
    struct header item;
    c->found.size = 0;
    for (size_t i = 0; i < c->slots.size / sizeof(struct slot); i++)
        *slot_at(c, (int32_t)i) = (struct slot){NOBODY, NOBODY, 0};
    if (!look_in_lines(c, notes))
        return false;
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

static bool is_text(const struct found *of)
{
    return of->row == NULL || of->row->form == TEXT;
}

/* The characters, or the octets, that were found. */
static struct frame octets_of(const struct frame *f, const struct found *of)
{
    if (of->row == NULL)
        return of->said;
    return (struct frame){frame_range(f, of->at.bit / 8, of->at.size), is_text(of) ? text_size(f, &of->at) : of->at.size};
}

static bool add_one(struct columns *c, const struct frame *f, const struct found *of, bool several)
{
    const struct row *r = of->row;
    if (!bytes_need(&c->text, r == NULL ? MOST_TEXT * of->said.size + 2 : json_value_room(r, &of->at)))
        return false;
    uint8_t *out = c->text.at + c->text.size;
    const struct frame octets = octets_of(f, of);
    if (c->style == CELLS_JSON)
        out = r == NULL ? put_json_string(out, octets.at, octets.size) : put_json_value(out, r, f, &of->at);
    else if (is_text(of))
        out = put_plain(out, octets.at, octets.size, several);
    else if (r->form == DATA)
        out = put_bytes(out, octets.at, octets.size);
    else
        out = r->form > TEXT ? put_number(out, f, &of->at, r->form) : put_decimal(out, number_of(f, &of->at));
    c->text.size = (size_t)(out - c->text.at);
    return true;
}

/* The first one of what a column has of a name, all occurrences or one of them; NOBODY: it is not there. */
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

/* What a column has of a name. */
static bool add_found(struct columns *c, const struct column *column, int32_t slot_index, const struct frame *f)
{
    const struct slot *slot = slot_at(c, slot_index);
    bool all = column->occurrence == 0, json = c->style == CELLS_JSON;
    int32_t index = first_of(c, column, slot);
    if (index == NOBODY)
        return !json || bytes_add(&c->text, "null", 4);
    bool list = json && all && (slot->count > 1 || column->list);
    bool quoted = c->style == CELLS_CSV && (is_text(found_at(c, index)) || (all && slot->count > 1));
    if ((list || quoted) && !bytes_add(&c->text, list ? "[" : "\"", 1))
        return false;
    for (; index != NOBODY; index = all ? found_at(c, index)->next : NOBODY)
        if ((all && index != slot->first && !bytes_add(&c->text, ",", 1)) || !add_one(c, f, found_at(c, index), all))
            return false;
    return !(list || quoted) || bytes_add(&c->text, list ? "]" : "\"", 1);
}

/* What it has of the packet else. */
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

bool columns_add(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number)
{
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame f = {data + bare->offset, (size_t)bare->captured}, notes = {data + p->notes, (size_t)p->notes_size};
    if (!find(c, &f, bare->linktype, &notes))
        return false;
    const uint8_t *before = c->before;
    const int32_t *slot = (const int32_t *)(const void *)c->of_column.at;
    for (const struct column *column = c->columns; column < c->columns + c->count; column++, slot++) {
        size_t size = strlen((const char *)before);
        if (!bytes_add(&c->text, before, size)
            || !(*slot == NOBODY ? add_fact(c, column->what, data, p, number) : add_found(c, column, *slot, &f)))
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

static uint8_t *put_found_key(uint8_t *out, const struct frame *f, const struct found *of)
{
    if (!is_text(of) && of->row->form != DATA)
        return put_number_key(out, number_of(f, &of->at));
    const struct frame octets = octets_of(f, of);
    return put_octets_key(out, octets.at, octets.size);
}

bool columns_key(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number)
{
    enum { SMALL = 32 };        /* bytes of a number, and what is around values */
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame f = {data + bare->offset, (size_t)bare->captured}, notes = {data + p->notes, (size_t)p->notes_size};
    c->text.size = 0;
    if (!find(c, &f, bare->linktype, &notes))
        return false;
    for (size_t i = 0; i < c->count; i++) {
        int32_t slot = ((const int32_t *)(const void *)c->of_column.at)[i];
        int32_t index = slot == NOBODY ? NOBODY : first_of(c, &c->columns[i], slot_at(c, slot));
        if (!bytes_need(&c->text, SMALL + 2 * (size_t)(p->captured + p->notes_size)))
            return false;
        uint8_t *begin = c->text.at + c->text.size, *out = begin;
        *out++ = slot != NOBODY && index == NOBODY;             /* what is not there comes last */
        if (slot == NOBODY)
            out = put_fact_key(out, c->columns[i].what, data, p, number);
        else if (index != NOBODY)
            out = put_found_key(out, &f, found_at(c, index));
        for (uint8_t *at = begin + 1; at < out && c->columns[i].list != 0; at++)
            *at = (uint8_t)~*at;
        c->text.size = (size_t)(out - c->text.at);
    }
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
