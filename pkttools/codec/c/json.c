/* Packets as JSON, a line each. Twin of ../python/json.py, where the order is told.
 *
 * Fields are gathered first, by the object they belong to: a header's keys stand together, and a field that comes several times in
 * them is a list.
 */
#include "table.h"

enum { NOBODY = -1 };
enum { PLAIN = 80 };            /* bytes of a number, an address and what is around it */

struct entry {                  /* a field in a packet */
    const struct row *row;
    struct place at;
    int32_t next, again;        /* the next one of the object; the next one of the same name in it */
    bool repeats;               /* one of the same name was there before */
};

struct object {                 /* what is told of one or more headers under one name */
    uint32_t prefix, kind;      /* of its first header */
    int32_t first, last;        /* its fields */
    int32_t next;               /* the next one of that name */
    bool follows;               /* one of that name was there before */
};

struct slot {                   /* where something was seen last, if its stamp is today's */
    uint32_t stamp;
    int32_t at;
};

/* ---- text ---- */

uint8_t *put_bytes(uint8_t *out, const uint8_t *data, size_t size)
{
    static const char digits[] = HEX_DIGITS;
    for (size_t i = 0; i < size; i++) {
        *out++ = (uint8_t)digits[data[i] >> 4];
        *out++ = (uint8_t)digits[data[i] & 15];
    }
    return out;
}

/* A string that gives back every byte: what is no plain character is `\x` and two digits, and its backslash is one of JSON's, too. */
uint8_t *put_json_string(uint8_t *out, const uint8_t *text, size_t size)
{
    *out++ = '"';
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (c >= 0x20 && c <= 0x7E && c != '"' && c != '\\')
            *out++ = c;
        else {
            memcpy(out, "\\\\x", 3);
            out = put_bytes(out + 3, &c, 1);
        }
    }
    *out++ = '"';
    return out;
}

static uint8_t *put_word(uint8_t *out, const char *word)
{
    size_t size = strlen(word);         /* a constant wherever this stands */
    memcpy(out, word, size);
    return out + size;
}

uint8_t *put_utc(uint8_t *out, int64_t time)
{
    int64_t seconds = floored(time, 1000000000), day = floored(seconds, DAY);
    out = put_date(out, day);
    *out++ = 'T';
    out = put_fraction(put_clock(out, seconds - day * DAY), (uint64_t)remainder_of(time, 1000000000));
    *out++ = 'Z';
    return out;
}

uint8_t *put_json_value(uint8_t *out, const struct row *r, const struct frame *f, const struct place *at)
{
    switch (r->form) {
    case DATA:
        *out++ = '"';
        out = put_bytes(out, frame_range(f, at->bit / 8, at->size), at->size);
        *out++ = '"';
        return out;
    case TEXT:
        return put_json_string(out, frame_range(f, at->bit / 8, at->size), text_size(f, at));
    case MAC: case IPV4: case IPV6_ADDRESS:
        *out++ = '"';
        out = put_number(out, f, at, r->form);
        *out++ = '"';
        return out;
    default:
        return put_decimal(out, number_of(f, at));
    }
}

size_t json_value_room(const struct row *r, const struct place *at)
{
    return PLAIN + (r->form == DATA || r->form == TEXT ? MOST_TEXT * at->size : 0);
}

/* ---- the check value ---- */

/* CRC-32 as zlib has it, which begins with the link type: what is said of fields holds of one link type only. */
static uint32_t check_value(const uint8_t *data, size_t size, uint32_t linktype)
{
    static uint32_t table[8][256];
    if (table[0][1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
            table[0][i] = crc;
        }
    if (table[7][1] == 0)
        for (int k = 1; k < 8; k++)
            for (uint32_t i = 0; i < 256; i++)
                table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xFF];
    uint32_t crc = ~linktype;
    for (; size >= 8; size -= 8, data += 8) {
        uint32_t a = crc ^ read32(data, false), b = read32(data + 4, false);
        crc = table[7][a & 0xFF] ^ table[6][a >> 8 & 0xFF] ^ table[5][a >> 16 & 0xFF] ^ table[4][a >> 24]
            ^ table[3][b & 0xFF] ^ table[2][b >> 8 & 0xFF] ^ table[1][b >> 16 & 0xFF] ^ table[0][b >> 24];
    }
    for (; size > 0; size--)
        crc = crc >> 8 ^ table[0][(crc ^ *data++) & 0xFF];
    return ~crc;
}

/* ---- fields by objects ---- */

static struct entry *entry_at(const struct json *j, int32_t index)
{
    return (struct entry *)(void *)j->entries.at + index;
}

static struct object *object_at(const struct json *j, int32_t index)
{
    return (struct object *)(void *)j->objects.at + index;
}

/* Slots for names and for what they begin with; all of no day. */
static bool prepare(struct json *j)
{
    size_t size = field_rows.count * 2 * sizeof(struct slot);
    if (j->slots.size == 0 && bytes_need(&j->slots, size))
        memset(j->slots.at, 0, j->slots.size = size);
    return j->slots.size > 0;
}

static struct slot *slot_of_name(const struct json *j, const struct row *r)
{
    return (struct slot *)(void *)j->slots.at + r->name;
}

static struct slot *slot_of_prefix(const struct json *j, const struct row *r)
{
    return (struct slot *)(void *)j->slots.at + field_rows.count + r->prefix;
}

/* The object that a field of a header goes into: the last one of its name, or a new one where this header is another one of that kind.
 * What only goes on with a header, a tag or an extension, has no object of its own. NOBODY: no memory. */
static int32_t object_of(struct json *j, const struct row *r, const struct header *of, bool item)
{
    struct slot *slot = slot_of_prefix(j, r);
    bool known = slot->stamp == j->packet;
    if (known && slot->at >= j->header_begin)
        return slot->at;
    if (known && (item || ((extends(of->kind) || is_tag_header(of->kind)) && object_at(j, slot->at)->kind != of->kind)))
        return slot->at;
    struct object new = {r->prefix, of->kind, NOBODY, NOBODY, NOBODY, known};
    int32_t index = (int32_t)(j->objects.size / sizeof new);
    if (!bytes_add(&j->objects, &new, sizeof new))
        return NOBODY;
    if (known)
        object_at(j, slot->at)->next = index;
    *slot = (struct slot){j->packet, index};
    return index;
}

static bool collect(struct json *j, const struct row *r, const struct place *at, const struct header *of, bool item)
{
    int32_t into = object_of(j, r, of, item), index = (int32_t)(j->entries.size / sizeof(struct entry));
    struct entry new = {r, *at, NOBODY, NOBODY, false};
    if (into == NOBODY || !bytes_add(&j->entries, &new, sizeof new))
        return false;
    struct object *o = object_at(j, into);
    if (o->first == NOBODY)
        o->first = index;
    else
        entry_at(j, o->last)->next = index;
    o->last = index;
    return true;
}

static bool collect_all(struct json *j, const struct frame *f, const struct walk *w)
{
    struct items items = items_of(f, w);
    struct header item;
    struct place at;
    bool more = next_item(&items, &item);
    for (size_t i = 0; i < w->count; i++) {
        const struct header *h = &w->header[i];
        const struct run *run = run_of(h);
        j->header_begin = (int32_t)(j->objects.size / sizeof(struct object));
        for (const struct row *r = field_rows.rows + run->first; r < field_rows.rows + run->stop; r++)
            if (place_of(&r->field, h, &at) && !(r->form == DATA && is_covered(w, w->count, i)) && !collect(j, r, &at, h, false))
                return false;
        for (; more && items.index == i; more = next_item(&items, &item)) {
            run = run_of(&item);
            for (const struct row *r = field_rows.rows + run->first; r < field_rows.rows + run->stop; r++)
                if (place_of(&r->field, &item, &at) && !collect(j, r, &at, h, true))
                    return false;
        }
    }
    return true;
}

/* ---- writing ---- */

static uint8_t *put_key(uint8_t *out, const uint8_t *name, size_t size)
{
    *out++ = '"';
    out = put_short(out, name, size);
    *out++ = '"';
    *out++ = ':';
    return out;
}

static bool add_value(struct json *j, const struct frame *f, const struct entry *e, uint8_t before)
{
    size_t point = e->row->prefix_size + (size_t)(e->row->prefix_size < e->row->name_size);
    if (!bytes_need(&j->text, MOST_LABEL + SLACK + json_value_room(e->row, &e->at)))
        return false;
    uint8_t *out = j->text.at + j->text.size;
    *out++ = before;
    if (!e->repeats)
        out = put_key(out, field_rows.labels + e->row->label + point, e->row->name_size - point);
    if (!e->repeats && e->again != NOBODY)
        *out++ = '[';
    out = put_json_value(out, e->row, f, &e->at);
    if (e->repeats && e->again == NOBODY)
        *out++ = ']';
    j->text.size = (size_t)(out - j->text.at);
    return true;
}

static bool add_object(struct json *j, const struct frame *f, const struct object *o)
{
    j->stamp++;
    for (int32_t i = o->first; i != NOBODY; i = entry_at(j, i)->next) {
        struct slot *slot = slot_of_name(j, entry_at(j, i)->row);
        if (slot->stamp == j->stamp) {
            entry_at(j, slot->at)->again = i;
            entry_at(j, i)->repeats = true;
        }
        *slot = (struct slot){j->stamp, i};
    }
    uint8_t before = '{';
    for (int32_t i = o->first; i != NOBODY; i = entry_at(j, i)->next) {
        if (entry_at(j, i)->repeats)
            continue;
        for (int32_t k = i; k != NOBODY; k = entry_at(j, k)->again, before = ',')
            if (!add_value(j, f, entry_at(j, k), before))
                return false;
    }
    return bytes_add(&j->text, "}", 1);
}

static bool add_objects(struct json *j, const struct frame *f)
{
    int32_t count = (int32_t)(j->objects.size / sizeof(struct object));
    for (int32_t i = 0; i < count; i++) {
        const struct object *o = object_at(j, i);
        if (o->follows)
            continue;
        const struct row *r = entry_at(j, o->first)->row;
        if (!bytes_need(&j->text, MOST_LABEL + SLACK))
            return false;
        uint8_t *out = j->text.at + j->text.size;
        *out++ = ',';
        out = put_key(out, field_rows.labels + r->label, r->prefix_size);
        j->text.size = (size_t)(out - j->text.at);
        for (int32_t k = i; k != NOBODY; k = object_at(j, k)->next)
            if ((o->next != NOBODY && !bytes_add(&j->text, k == i ? "[" : ",", 1)) || !add_object(j, f, object_at(j, k)))
                return false;
        if (o->next != NOBODY && !bytes_add(&j->text, "]", 1))
            return false;
    }
    return true;
}

/* Extension lines, without their ends. */
static uint8_t *put_notes(uint8_t *out, const uint8_t *notes, size_t size)
{
    out = put_word(out, ",\"notes\":");
    uint8_t before = '[';
    for (const uint8_t *end = notes + size; notes < end; before = ',') {
        const uint8_t *stop = memchr(notes, '\n', (size_t)(end - notes));
        stop = stop != NULL ? stop : end;
        *out++ = before;
        out = put_json_string(out, notes, (size_t)(stop - notes));
        notes = stop + 1;
    }
    *out++ = ']';
    return out;
}

/* What is told of a packet besides its fields. */
static bool add_head(struct json *j, const uint8_t *data, const struct packet *p, int64_t number)
{
    enum { KEYS = 512 };        /* bytes of all keys and numbers */
    uint32_t linktype = (uint32_t)(p->linktype & UINT32_MAX);
    int64_t fcs = (p->linktype >> 32 & 0xFF) - 1, count = (p->linktype >> 40) - 1;
    size_t captured = (size_t)p->captured, notes = (size_t)p->notes_size;
    if (!bytes_need(&j->text, KEYS + 2 * captured + (MOST_TEXT + 3) * notes))
        return false;
    uint8_t *out = j->text.at + j->text.size;
    out = put_int(put_word(out, "{\"number\":"), number);
    out = put_int(put_word(out, ",\"time\":"), p->time);
    out = put_utc(put_word(out, ",\"time_utc\":\""), p->time);
    out = put_int(put_word(out, "\",\"captured\":"), p->captured);
    out = put_int(put_word(out, ",\"original\":"), p->original);
    out = put_int(put_word(out, ",\"linktype\":"), linktype);
    if (fcs >= 0)
        out = put_int(put_word(out, ",\"fcs\":"), fcs);
    if (count >= 0)
        out = put_int(put_word(out, ",\"fcs_count\":"), count);
    if (notes > 0)
        out = put_notes(out, data + p->notes, notes);
    out = put_bytes(put_word(out, ",\"frame\":\""), data + p->offset, captured);
    uint32_t check = check_value(data + p->offset, captured, linktype);
    uint8_t four[4];
    write32(four, check, true);
    out = put_bytes(put_word(out, "\",\"check\":\""), four, 4);
    *out++ = '"';
    j->text.size = (size_t)(out - j->text.at);
    return true;
}

bool json_add(struct json *j, const uint8_t *data, const struct packet *p, int64_t number)
{
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame f = {data + bare->offset, (size_t)bare->captured};
    struct walk w;
    if (!prepare(j) || !add_head(j, data, p, number))
        return false;
    walk(&w, &f, bare->linktype);
    j->packet = ++j->stamp;
    j->entries.size = j->objects.size = 0;
    return collect_all(j, &f, &w) && add_objects(j, &f) && bytes_add(&j->text, "}\n", 2);
}

void json_free(struct json *j)
{
    bytes_free(&j->text);
    bytes_free(&j->entries);
    bytes_free(&j->objects);
    bytes_free(&j->slots);
}
