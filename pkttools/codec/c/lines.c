/* Fields of packets as lines, `NAME: value`, by the table of all fields: names are bytes of it. Twin of ../python/lines.py, where the
 * order is told.
 */
#include "table.h"

/* The line of a field that is there; the room for it is, too. */
static uint8_t *put_line(uint8_t *out, const struct row *r, const struct frame *f, const struct place *at, bool decimal)
{
    out = put_short(out, field_rows.labels + r->label, r->label_size);
    if (r->form == TEXT)
        out = put_characters(out, frame_range(f, at->bit / 8, at->size), text_size(f, at));
    else if (decimal && r->form < TEXT)
        out = put_decimal(out, number_of(f, at));
    else
        out = put_number(out, f, at, r->form);
    *out++ = '\n';
    return out;
}

/* Lines of DATA: 16 bytes each, a wider gap before every 4th, which is how they stand in a row. number: of several; 0 of one. */
static bool add_data(struct lines *l, const struct row *r, const struct frame *f, const struct place *at, size_t number)
{
    struct bytes *text = &l->text;
    uint8_t label[MOST_LABEL + BEYOND];
    size_t label_size = put_label(label, field_rows.labels + r->label, r->name_size, number), count = (at->size + 15) / 16;
    if (!bytes_need(text, count * (label_size + LABELLED) + BEYOND))
        return false;
    uint8_t *end = labelled_write(text->at + text->size, label, label_size, frame_range(f, at->bit / 8, at->size), at->size);
    text->size = (size_t)(end - text->at);
    l->count += count;
    return true;
}

/* Any other line. */
static bool add_line(struct lines *l, const struct row *r, const struct frame *f, const struct place *at)
{
    struct bytes *text = &l->text;
    if (!bytes_need(text, MOST_LABEL + MOST_NUMBER + 4 * at->size + SLACK))
        return false;
    text->size = (size_t)(put_line(text->at + text->size, r, f, at, l->decimal) - text->at);
    l->count++;
    return true;
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

/* The number that the data of a header have among those of the same name, from 1 on; 0 where there are no others. */
static size_t which_of_many(const struct walk *w, size_t count, size_t index, uint32_t name)
{
    size_t total = 0, number = 0;
    for (size_t i = 0; i < count; i++) {
        const struct run *run = run_of(&w->header[i]);
        for (uint32_t k = run->first; k < run->stop && w->header[i].data < w->header[i].end; k++)
            if (field_rows.rows[k].name == name) {
                total++;
                number = i == index ? total : number;
                break;
            }
    }
    return total > 1 ? number : 0;
}

/* Lines of plain fields, which most are, from a row on up to the first one that is not plain. */
static const struct row *put_plain(uint8_t **text, size_t *count, const struct row *r, const struct row *stop, const struct frame *f,
                                   const struct header *h, unsigned left_out)
{
    const struct frame from = {frame_range(f, h->start, f->size - h->start), f->size - h->start};
    const uint8_t *labels = field_rows.labels;
    const size_t size = h->end - h->start, eights = from.size - least(from.size, 7);    /* so many bytes have seven behind them */
    uint8_t *out = *text;
    size_t lines = 0;
    for (; r < stop && r->plain; r++) {
        if (r->stop > size || (r->holds & left_out) != 0)
            continue;
        uint64_t raw = (r->byte < eights ? eight_at(frame_range(&from, r->byte, 8)) : read_eight(&from, r->byte)) << r->up >> r->down;
        memcpy(out, labels + r->label, SHORT_LABEL);
        out += r->label_size;
        if (r->form == NUMBER)
            out = put_hex_digits(out + PREFIX, ((uint32_t)raw + (uint32_t)r->field.bias) * (uint32_t)r->field.scale);
        else
            out = r->form == MAC ? put_mac(out, raw) : put_ipv4(out, raw);
        *out++ = '\n';
        lines++;
    }
    *text = out;
    *count += lines;
    return r;
}

static bool add_fields(struct lines *l, const struct frame *f, const struct walk *w, size_t count, size_t index, bool all)
{
    const struct header *h = &w->header[index];
    const struct run *run = run_of(h);
    const unsigned left_out = all ? 0 : IS_NEW;
    struct bytes *text = &l->text;
    struct place at;
    if (!bytes_need(text, run->room + SLACK))
        return false;
    uint8_t *out = text->at + text->size;
    for (const struct row *r = field_rows.rows + run->first, *stop = field_rows.rows + run->stop; r < stop; r++) {
        if (!l->decimal && (r = put_plain(&out, &l->count, r, stop, f, h, left_out)) == stop)
            break;
        if ((r->holds & left_out) != 0 || (r->form == DATA && (r->holds & IS_IN_PLACE) == 0) || !place_of(&r->field, h, &at))
            continue;
        if (r->form != DATA && r->form != TEXT) {
            out = put_line(out, r, f, &at, l->decimal);
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
    for (const struct row *r = field_rows.rows + run->data; r < field_rows.rows + run->data_stop; r++)
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
        for (const struct row *r = field_rows.rows + run->first; r < field_rows.rows + run->stop; r++) {
            struct found found = {r, item};
            if (place_of(&r->field, &item, &at) && !bytes_add(&l->items, &found, sizeof found))
                return false;
        }
    }
    if (l->items.size == 0)
        return true;
    if (l->counts.at == NULL) {
        if (!bytes_need(&l->counts, field_rows.count * sizeof *counts))
            return false;
        memset(l->counts.at, 0, field_rows.count * sizeof *counts);
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
