/* Runs templates of descriptions; twin of ../python/templates.py. */
#include "templates.h"

#include <stdlib.h>

enum what { LITERAL, FIELD, NAMED, ALSO, FLAG, VERDICT, SIZE, TAGS, RANGE, ACKED, KNOWN_PIECES, OF_TAG = 32 };
enum { PLAIN, IN_DECIMAL, IN_HEXADECIMAL, KNOWN_FORMS, PREFIX = 4, ZEROS = 8 };
enum { MOST_WIDTH = 64, MOST_ROWS = 1 << 24 };

struct shown_row {
    int64_t title, title_size, layer, tag, first, count, brief, lines, lines_count, data, data_size, payload, behind;
};
struct run_row { int64_t first, count; };       /* of templates, and of words */
struct piece_row { int64_t what, first, count, form, width, text, size; };
struct number_row { int64_t number, text, size; };

struct spot {                   /* a place */
    struct field field;
    uint8_t form;
    uint16_t names;
};

struct piece {
    uint8_t what, width;
    bool of_tag;
    bool bit;                   /* a FLAG that is one bit of the header itself, of one place */
    uint16_t form;              /* of ALSO: a table of words */
    uint32_t first, count;      /* places */
    struct name text;
};

struct template {
    const struct piece *first, *stop;
    size_t room;                /* bytes that it has at most, but for texts from the packet */
};

struct number {
    uint64_t number;
    struct name word;
};

static struct {
    struct shown *shown;        /* of headers, and behind them of items */
    struct template *templates;
    struct piece *pieces;
    struct spot *spots;
    struct words { const struct number *first; size_t count; } *words;
    struct number *numbers;
    uint8_t *text;
    size_t kinds, items, templates_count, words_count;
} table;

static const struct shown nothing = {.tag = -1, .brief = -1, .layer = LINK_NAMES};

bool templates_known(void)
{
    return table.shown != NULL;
}

const struct shown *shown_of(unsigned kind)
{
    if (kind >= FIRST_ITEM)
        return kind - FIRST_ITEM < table.items ? &table.shown[table.kinds + kind - FIRST_ITEM] : &nothing;
    return kind < table.kinds ? &table.shown[kind] : &nothing;
}

/* ---- tables ---- */

struct given {
    const struct shown_row *shown;
    const struct run_row *templates;
    const struct piece_row *pieces;
    const int64_t *places;
    const struct run_row *items;
    const struct run_row *words;
    const struct number_row *numbers;
    size_t count[TEMPLATE_TABLES];
    const struct field_table *fields;
    struct name text;
};

enum { SHOWN, TEMPLATES, PIECES_IN, PLACES, ITEMS_SHOWN, WORDS, NUMBERS };

static bool in_range(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

static bool shown_sound(const struct given *g, const struct shown_row *r)
{
    return run_sound(r->title, r->title_size, g->text.size) && run_sound(r->data, r->data_size, g->text.size)
        && in_range(r->layer, LINK_NAMES, APPLICATION_NAMES) && in_range(r->tag, -1, FIRST_ITEM - 1)
        && run_sound(r->first, r->count, g->count[TEMPLATES]) && run_sound(r->lines, r->lines_count, g->count[TEMPLATES])
        && in_range(r->brief, -1, (int64_t)g->count[TEMPLATES] - 1) && in_range(r->payload, NO_PAYLOAD, BEHIND)
        && in_range(r->behind, 0, MAX_FRAME);
}

/* Whether a place is a number of those that are shown as such. */
static bool is_number(const struct given *g, int64_t place)
{
    unsigned form = g->fields->traits[g->places[place]].form;
    return form == NUMBER || form == FAMILY || form == LITTLE;
}

/* template: the one that it is in; tags are told of by one in front of it: no circles. */
static bool piece_sound(const struct given *g, const struct piece_row *r, int64_t template)
{
    int64_t what = r->what & ~(int64_t)OF_TAG, form = r->form & ~(int64_t)(PREFIX | ZEROS);
    if (!in_range(what, LITERAL, KNOWN_PIECES - 1) || !run_sound(r->text, r->size, g->text.size) || !in_range(r->width, 0, MOST_WIDTH))
        return false;
    if (what == TAGS)
        return in_range(r->first, 0, template - 1) && in_range(r->count, 0, template - 1);
    if (!run_sound(r->first, r->count, g->count[PLACES]))
        return false;
    if (what == ALSO)
        return in_range(r->form, 0, (int64_t)g->count[WORDS] - 1) && r->form <= UINT16_MAX;
    if (!in_range(form, PLAIN, KNOWN_FORMS - 1) || r->form < 0)
        return false;
    bool numbers = (what == FIELD && form != PLAIN) || what == VERDICT || what == RANGE || what == ACKED;
    for (int64_t i = r->first; numbers && i < r->first + r->count; i++)
        if (!is_number(g, i))
            return false;
    return true;
}

static bool tables_sound(const struct given *g)
{
    for (size_t t = 0; t < TEMPLATE_TABLES; t++)
        if (g->count[t] > MOST_ROWS)
            return false;
    for (size_t i = 0; i < g->count[SHOWN]; i++)
        if (!shown_sound(g, &g->shown[i]))
            return false;
    for (size_t i = 0; i < g->count[ITEMS_SHOWN]; i++)
        if (!run_sound(g->items[i].first, g->items[i].count, g->count[TEMPLATES]))
            return false;
    for (size_t i = 0; i < g->count[PLACES]; i++)
        if (!in_range(g->places[i], 0, (int64_t)g->fields->count - 1) || g->fields->traits[g->places[i]].form >= FORMS)
            return false;
    size_t words = g->count[WORDS];
    for (size_t i = 0; i < g->fields->count; i++)
        if (g->fields->traits[i].names > words)
            return false;
    for (size_t i = 0; i < words; i++)
        if (!run_sound(g->words[i].first, g->words[i].count, g->count[NUMBERS]))
            return false;
    for (size_t i = 0; i < g->count[NUMBERS]; i++)
        if (!run_sound(g->numbers[i].text, g->numbers[i].size, g->text.size))
            return false;
    int64_t next = 0;           /* each piece is in one template */
    for (size_t i = 0; i < g->count[TEMPLATES]; i++) {
        const struct run_row *r = &g->templates[i];
        if (r->first != next || !run_sound(r->first, r->count, g->count[PIECES_IN]))
            return false;
        next += r->count;
        for (int64_t k = r->first; k < next; k++)
            if (!piece_sound(g, &g->pieces[k], (int64_t)i))
                return false;
    }
    return g->count[SHOWN] > 0;
}

static struct name name_in(int64_t at, int64_t size)
{
    return (struct name){table.text + at, (size_t)size};
}

static bool is_bit(const struct piece_row *r)
{
    if (r->what != FLAG || r->count != 1)
        return false;
    const struct spot *s = &table.spots[r->first];
    return s->form == NUMBER && s->field.kind == NUMBER && s->field.width == 1 && s->field.scale == 1 && s->field.bias == 0;
}

static void lay_pieces(const struct given *g)
{
    for (size_t i = 0; i < g->count[PIECES_IN]; i++) {
        const struct piece_row *r = &g->pieces[i];
        table.pieces[i] = (struct piece){
            (uint8_t)(r->what & ~(int64_t)OF_TAG), (uint8_t)r->width, (r->what & OF_TAG) != 0, is_bit(r), (uint16_t)r->form, (uint32_t)r->first,
            (uint32_t)r->count, name_in(r->text, r->size),
        };
    }
    for (size_t i = 0; i < g->count[TEMPLATES]; i++) {
        struct template *t = &table.templates[i];
        *t = (struct template){table.pieces + g->templates[i].first, table.pieces + g->templates[i].first + g->templates[i].count, 0};
        for (const struct piece *p = t->first; p < t->stop; p++)
            t->room += p->text.size + MOST_NUMBER + MOST_WIDTH;
    }
}

static void lay(const struct given *g)
{
    if (g->text.size > 0)
        memcpy(table.text, g->text.at, g->text.size);
    for (size_t i = 0; i < g->count[SHOWN]; i++) {
        const struct shown_row *r = &g->shown[i];
        table.shown[i] = (struct shown){
            name_in(r->title, r->title_size), name_in(r->data, r->data_size), (enum shown_layer)r->layer, (int32_t)r->tag, (int32_t)r->brief,
            (uint32_t)r->first, (uint32_t)r->count, (uint32_t)r->lines, (enum payload)r->payload, (uint32_t)r->behind,
        };
    }
    for (size_t i = 0; i < g->count[ITEMS_SHOWN]; i++) {
        struct shown *item = &table.shown[g->count[SHOWN] + i];
        *item = nothing;
        item->first_line = (uint32_t)g->items[i].first;
    }
    for (size_t i = 0; i < g->count[PLACES]; i++) {
        const struct trait *trait = &g->fields->traits[g->places[i]];
        table.spots[i] = (struct spot){g->fields->fields[g->places[i]], trait->form, trait->names};
    }
    for (size_t i = 0; i < g->count[NUMBERS]; i++)
        table.numbers[i] = (struct number){(uint64_t)g->numbers[i].number, name_in(g->numbers[i].text, g->numbers[i].size)};
    for (size_t i = 0; i < g->count[WORDS]; i++)
        table.words[i] = (struct words){table.numbers + g->words[i].first, (size_t)g->words[i].count};
    lay_pieces(g);
    table.kinds = g->count[SHOWN];
    table.items = g->count[ITEMS_SHOWN];
    table.words_count = g->count[WORDS];
    table.templates_count = g->count[TEMPLATES];
}

static void forget(void)
{
    free(table.shown);
    free(table.templates);
    free(table.pieces);
    free(table.spots);
    free(table.words);
    free(table.numbers);
    free(table.text);
    memset(&table, 0, sizeof table);
}

static void *room_for(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

bool templates_set(const struct field_table *fields, const struct protocol_table tables[TEMPLATE_TABLES], struct name text, bool *sound)
{
    static const size_t sizes[TEMPLATE_TABLES] = {
        sizeof(struct shown_row), sizeof(struct run_row), sizeof(struct piece_row), sizeof(int64_t), sizeof(struct run_row),
        sizeof(struct run_row), sizeof(struct number_row),
    };
    struct given g = {
        (const void *)tables[SHOWN].at, (const void *)tables[TEMPLATES].at, (const void *)tables[PIECES_IN].at, tables[PLACES].at,
        (const void *)tables[ITEMS_SHOWN].at, (const void *)tables[WORDS].at, (const void *)tables[NUMBERS].at, {0}, fields, text,
    };
    *sound = fields_sound(fields->fields, fields->count);
    for (size_t i = 0; *sound && i < TEMPLATE_TABLES; i++) {
        g.count[i] = tables[i].count * sizeof(int64_t) / sizes[i];
        *sound = g.count[i] * sizes[i] == tables[i].count * sizeof(int64_t);
    }
    if (!*sound || !(*sound = tables_sound(&g)))
        return false;
    forget();
    table.shown = room_for(g.count[SHOWN] + g.count[ITEMS_SHOWN], sizeof *table.shown);
    table.templates = room_for(g.count[TEMPLATES], sizeof *table.templates);
    table.pieces = room_for(g.count[PIECES_IN], sizeof *table.pieces);
    table.spots = room_for(g.count[PLACES], sizeof *table.spots);
    table.words = room_for(g.count[WORDS], sizeof *table.words);
    table.numbers = room_for(g.count[NUMBERS], sizeof *table.numbers);
    table.text = room_for(text.size, 1);
    if (!table.shown || !table.templates || !table.pieces || !table.spots || !table.words || !table.numbers || !table.text) {
        forget();
        return false;
    }
    lay(&g);
    return true;
}

/* The name of a value, by so many-th names of values from 1 on, as fields say it; size 0: it has none. */
static struct name word_of(unsigned names, uint64_t number)
{
    if (names == 0 || names > table.words_count)
        return (struct name){NULL, 0};
    const struct number *low = table.words[names - 1].first, *stop = low + table.words[names - 1].count, *high = stop;
    while (low < high) {
        const struct number *middle = low + (high - low) / 2;
        if (middle->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < stop && low->number == number ? low->word : (struct name){NULL, 0};
}

/* ---- packets ---- */

void telling_begin(struct telling *t, const struct frame *f, int64_t original, int64_t linktype)
{
    t->view.frame = *f;
    t->view.original = original;
    t->linktype = linktype;
    t->judged = t->corrected = false;
    t->segment = NULL;
    walk(&t->view.walk, f, linktype);
}

void telling_free(struct telling *t)
{
    bytes_free(&t->right);
}

static void judge(struct telling *t)
{
    enum verdict own[MAX_HEADERS];
    const struct walk *w = &t->view.walk;
    if (w->quoted < w->count) { /* what is quoted says nothing of this packet */
        struct packet_view view = t->view;
        leave_out_quoted(&view.walk);
        verify(&view, own);
    } else
        verify(&t->view, own);
    for (size_t i = 0, k = 0; i < w->count; i++)
        t->verdicts[i] = is_quoted(w, i) ? NONE : own[k++];
    t->judged = true;
}

enum verdict telling_verdict(struct telling *t, size_t index)
{
    if (!t->judged)
        judge(t);
    return t->verdicts[index];
}

size_t tags_behind(const struct walk *w, size_t index)
{
    int32_t tag = shown_of(w->header[index].kind)->tag;
    size_t count = 0;
    while (tag >= 0 && index + count + 1 < w->count && w->header[index + count + 1].kind == tag)
        count++;
    return count;
}

/* What a template is told of: a header, the index of which is known, or an item. */
struct subject {
    const struct header *header;
    size_t index;               /* MAX_HEADERS: it is an item */
};

/* Where a field of the items of a header's lists is, and what is known of it. NULL: it is not there. */
static const struct spot *find_item(struct telling *t, size_t index, const struct spot *first, const struct spot *stop, struct place *at)
{
    struct items items = items_of(&t->view.frame, &t->view.walk);
    struct header item;
    for (items.index = index; next_item(&items, &item) && items.index == index;)
        for (const struct spot *s = first; s < stop; s++)
            if (s->field.header == item.kind && place_of(&s->field, &item, at))
                return s;
    return NULL;
}

/* The same of a piece's field. */
static const struct spot *find(struct telling *t, struct subject of, const struct piece *p, struct place *at)
{
    const struct spot *first = table.spots + p->first, *stop = first + p->count;
    const struct header *h = of.header;
    if (p->of_tag && of.index < MAX_HEADERS)
        h += tags_behind(&t->view.walk, of.index);
    for (const struct spot *s = first; s < stop; s++)
        if (s->field.header == h->kind)
            return place_of(&s->field, h, at) ? s : NULL;
    if (first == stop || first->field.header < FIRST_ITEM || of.index == MAX_HEADERS)
        return NULL;
    return find_item(t, of.index, first, stop, at);
}

/* ---- values ---- */

static bool no_memory(struct telling *t)
{
    t->no_memory = true;
    return false;
}

static bool put(struct telling *t, struct bytes *out, const void *from, size_t size)
{
    return bytes_add(out, from, size) || no_memory(t);
}

/* A number as Python's formats write it. There is room. */
static uint8_t *put_formatted(uint8_t *out, struct value v, unsigned form, size_t width)
{
    uint8_t figures[MOST_NUMBER];
    if (form == PLAIN && width == 0)            /* most are */
        return put_decimal(out, v);
    bool decimal = (form & 3) != IN_HEXADECIMAL;
    uint8_t *end = decimal ? put_decimal(figures, v) : put_hex(figures, v), *digits = decimal ? figures : figures + 2;
    size_t size = (size_t)(end - digits), prefix = (form & PREFIX) != 0 ? 2 : 0, fill = width > size + prefix ? width - size - prefix : 0;
    if ((form & ZEROS) == 0)
        for (; fill > 0; fill--)
            *out++ = ' ';
    if (prefix > 0) {
        memcpy(out, "0x", 2);
        out += 2;
    }
    for (; fill > 0; fill--)
        *out++ = '0';
    memcpy(out, digits, size);
    return out + size;
}

static bool is_text(unsigned form)
{
    return form == TEXT || form == DATA;
}

/* Characters of text, or of data. */
static struct name characters(const struct telling *t, const struct place *at, unsigned form)
{
    return (struct name){frame_range(&t->view.frame, at->bit / 8, at->size), form == TEXT ? text_size(&t->view.frame, at) : at->size};
}

static bool tell_formatted(struct telling *t, const struct place *at, unsigned of, unsigned form, size_t width, struct bytes *out)
{
    if (is_text(of)) {
        struct name text = characters(t, at, of);
        if (!bytes_need(out, 4 * text.size + 2))
            return no_memory(t);
        out->size = (size_t)(put_characters(out->at + out->size, text.at, text.size) - out->at);
        return true;
    }
    if (!bytes_need(out, MOST_NUMBER + MOST_WIDTH))
        return no_memory(t);
    uint8_t *to = out->at + out->size;
    bool number = of == NUMBER || of == FAMILY || of == LITTLE;
    to = number ? put_formatted(to, number_of(&t->view.frame, at), form, width) : put_number(to, &t->view.frame, at, of);
    out->size = (size_t)(to - out->at);
    return true;
}

/* The number that a value is, if it is one of those that have names. */
static bool numbered(const struct telling *t, const struct spot *s, const struct place *at, uint64_t *number)
{
    if (s->form != NUMBER && s->form != FAMILY && s->form != LITTLE)
        return false;
    struct value v = number_of(&t->view.frame, at);
    *number = v.low;
    return v.high == 0;
}

static bool is_set(const struct telling *t, const struct spot *s, const struct place *at)
{
    if (is_text(s->form))
        return true;            /* what is empty is shown in quotes, even so */
    struct value v = number_of(&t->view.frame, at);
    return (v.high | v.low) != 0 || (s->form != NUMBER && s->form != FAMILY && s->form != LITTLE);
}

/* What there is to say of a checksum: of a wrong or unfinished one, what pkt-correct would make of it. */
static bool tell_verdict(struct telling *t, struct subject of, const struct piece *p, struct bytes *out)
{
    static const char *const words[] = {[NONE] = "None", [RIGHT] = "Valid", [UNCERTAIN] = "Unchecked"};
    enum verdict verdict = of.index < MAX_HEADERS ? telling_verdict(t, of.index) : NONE;
    if (verdict == NONE && is_quoted(&t->view.walk, of.index))     /* it was so when the packet was sent that is quoted, or is cut since */
        return put(t, out, "Quoted", 6);
    if (verdict != BAD && verdict != LEFT)
        return put(t, out, words[verdict], strlen(words[verdict]));
    *(verdict == BAD ? &t->wrong : &t->unfinished) += 1;
    struct place at;
    const struct spot *s = find(t, of, p, &at);
    if (s == NULL)
        return false;
    const struct frame *f = &t->view.frame;
    if (!t->corrected) {
        struct corrected corrected;
        t->right.size = 0;
        if (!put(t, &t->right, f->at, f->size))
            return false;
        struct writable_frame right = writable(t->right.at, f->size);
        correct(&right, t->view.original, t->linktype, ALL, MAX_HEADERS, &corrected);
        t->corrected = true;
    }
    if (verdict == LEFT && t->more && !put(t, out, "Unfinished, ", 12))
        return false;
    const struct frame right = {t->right.at, f->size};
    if (!bytes_need(out, MOST_NUMBER + MOST_WIDTH))
        return no_memory(t);
    size_t width = least(2 + (size_t)s->field.width / 4, MOST_WIDTH);
    out->size = (size_t)(put_formatted(out->at + out->size, number_of(&right, &at), IN_HEXADECIMAL | PREFIX | ZEROS, width) - out->at);
    return true;
}

/* A value, and where more is told its name behind it. */
static bool tell_value(struct telling *t, const struct spot *s, const struct place *at, unsigned form, size_t width, struct bytes *out)
{
    uint64_t number;
    if (!tell_formatted(t, at, s->form, form, width, out))
        return false;
    if (!t->more || s->names == 0 || !numbered(t, s, at, &number))
        return true;
    struct name word = word_of(s->names, number);
    return word.size == 0 || (put(t, out, " (", 2) && put(t, out, word.at, word.size) && put(t, out, ")", 1));
}

static bool tell_size(struct telling *t, const struct header *h, const struct piece *p, struct bytes *out)
{
    uint8_t figures[MOST_NUMBER + MOST_WIDTH];
    return put(t, out, figures, (size_t)(put_formatted(figures, (struct value){0, h->end - h->start}, p->form, p->width) - figures));
}

static bool tell_tags(struct telling *t, size_t index, const struct piece *p, struct bytes *out)
{
    for (size_t i = 1, count = index < MAX_HEADERS ? tags_behind(&t->view.walk, index) : 0; i <= count; i++)
        if (!template_tell(t, index + i, t->more ? p->count : p->first, out))
            return false;
    return true;
}

/* A number of octets, from where its connection began. */
static bool tell_octets(struct telling *t, const struct place *at, bool acked, struct bytes *out)
{
    const struct segment *s = t->segment;
    uint32_t number = (uint32_t)number_of(&t->view.frame, at).low;
    if (!bytes_need(out, 2 * MOST_NUMBER + 4))
        return no_memory(t);
    uint8_t *to = out->at + out->size;
    if (s != NULL) {
        number -= acked ? s->ack_base : s->base;
        if ((s->what & (acked ? ACK_FROM_SYN : FROM_SYN)) == 0)
            *to++ = '~';
    }
    to = put_number64(to, number);
    if (s != NULL && !acked && s->octets > 0) {
        *to++ = ':';
        to = put_number64(to, (uint32_t)(number + s->octets));
    }
    out->size = (size_t)(to - out->at);
    return true;
}

/* A flag that is one bit. False: it is not there. */
static bool tell_bit(struct telling *t, const struct header *h, const struct piece *p, struct bytes *out)
{
    size_t bit = (size_t)h->start * 8 + (size_t)table.spots[p->first].field.bit;
    if (bit >= (size_t)h->end * 8)
        return false;
    return (get8(&t->view.frame, bit / 8) >> (7 - bit % 8) & 1) == 0 || put(t, out, p->text.at, p->text.size);
}

/* The name of a value; else, unless it is said elsewhere, the value. */
static bool tell_named(struct telling *t, const struct spot *s, const struct place *at, const struct piece *p, struct bytes *out)
{
    uint64_t number;
    struct name word = {NULL, 0};
    if (numbered(t, s, at, &number))
        word = word_of(p->what == NAMED ? s->names : p->form + 1U, number);
    if (p->what == ALSO || (word.size > 0 && !t->more))
        return put(t, out, word.at, word.size);
    return tell_value(t, s, at, PLAIN, 0, out);
}

static bool tell_piece(struct telling *t, struct subject of, const struct piece *p, struct bytes *out)
{
    struct place at;
    const struct spot *s;
    switch (p->what) {
    case LITERAL: return put(t, out, p->text.at, p->text.size);
    case VERDICT: return tell_verdict(t, of, p, out);
    case SIZE: return tell_size(t, of.header, p, out);
    case TAGS: return tell_tags(t, of.index, p, out);
    case FLAG:
        if (p->bit && table.spots[p->first].field.header == of.header->kind)
            return tell_bit(t, of.header, p, out);
        s = find(t, of, p, &at);
        return s != NULL && (!is_set(t, s, &at) || put(t, out, p->text.at, p->text.size));
    case RANGE: return find(t, of, p, &at) != NULL && tell_octets(t, &at, false, out);
    case ACKED: return find(t, of, p, &at) != NULL && tell_octets(t, &at, true, out);
    case NAMED:
    case ALSO:
        s = find(t, of, p, &at);
        return s != NULL && tell_named(t, s, &at, p, out);
    default:
        s = find(t, of, p, &at);
        return s != NULL && tell_value(t, s, &at, p->form, p->width, out);
    }
}

static bool tell_template(struct telling *t, struct subject of, size_t template, struct bytes *out)
{
    size_t before = out->size;
    const struct template *to = &table.templates[template];
    HOLDS(template < table.templates_count);
    if (!bytes_need(out, to->room))
        return no_memory(t);
    for (const struct piece *p = to->first; p < to->stop; p++)
        if (!tell_piece(t, of, p, out)) {
            out->size = before;
            return false;
        }
    return true;
}

bool template_tell(struct telling *t, size_t index, size_t template, struct bytes *out)
{
    return tell_template(t, (struct subject){&t->view.walk.header[index], index}, template, out);
}

bool template_tell_of(struct telling *t, const struct header *item, size_t template, struct bytes *out)
{
    return tell_template(t, (struct subject){item, MAX_HEADERS}, template, out);
}
