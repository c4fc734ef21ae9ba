/* Runs filters and assignments: flat programs over the fields of a table, compiled by
 * ../../language/program.py and ../../language/expression.py. */
#include "fields.h"

enum { EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, PRESENT, LAYER, BPF, WITHIN, CONTAINS, EVERY, SAMPLE };
enum { SET, ADD, SUBTRACT, SWAP, COPY, NEXT };
enum { NOTHING = -1 };                          /* in the place of what a test compares with: a constant is */
enum { ANY = 0 };                               /* in the place of an occurrence: one of them is enough */
enum { ACCEPT = -1, REJECT = -2 };
enum { MOST_BITS = 64 };                        /* of a number, with the bits in front of it in its first byte */

/* ---- soundness: a program is data from outside; it is checked once and then trusted ---- */

static bool field_sound(const struct program *p, int64_t field)
{
    return field >= 0 && (uint64_t)field < p->field_count;
}

/* The same, or a fact of the packet. */
static bool operand_sound(const struct program *p, int64_t field)
{
    return field_sound(p, field) || (field >= OF_TIME && field < NOTHING);
}

static bool width_sound(const struct field *f)
{
    bool whole = f->width % 8 == 0 && f->bit % 8 == 0;
    switch (f->kind) {
    case FAMILY: return f->width == 32;
    case LITTLE: return f->width <= MOST_BITS && whole;
    case TEXT: return whole;
    default: return f->width <= MOST_BITS - f->bit % 8 || (f->width == 128 && f->bit % 8 == 0);
    }
}

bool fields_sound(const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        bool next = f->next == 0 || (f->next > i && f->next < count);   /* forward: no circles */
        if (!next || f->scale < 1 || !width_sound(f))
            return false;
    }
    return true;
}

static bool constant_sound(const struct program *p, int64_t at, int64_t size)
{
    return at >= 0 && size >= 0 && (uint64_t)at <= p->constants_size && (uint64_t)size <= p->constants_size - (uint64_t)at;
}

/* Whether a field is one of idle headers, or of items. */
static bool asks_all(const struct program *p, int64_t field)
{
    for (; field >= 0; field = next_row(p->fields, field))
        if (p->fields[field].header >= FIRST_ITEM || is_idle(p->fields[field].header))
            return true;
    return false;
}

/* The same of a set of kinds of headers, a bit each. */
static bool asks_kinds(const uint8_t *kinds, int64_t size)
{
    for (int64_t kind = 0; kind < size * 8; kind++)
        if ((kinds[kind / 8] >> kind % 8 & 1) != 0 && is_idle(kind))
            return true;
    return false;
}

#define TEST_SIZE (sizeof(struct test) / sizeof(int64_t))
#define ASSIGNMENT_SIZE (sizeof(struct assignment) / sizeof(int64_t))

bool tests_sound(struct program *p)
{
    int64_t count = (int64_t)(p->code_count / TEST_SIZE);
    if (p->code_count % TEST_SIZE != 0 || count == 0 || !(p->known || fields_sound(p->fields, p->field_count)))
        return false;
    const struct test *tests = (const struct test *)p->code;
    for (int64_t i = 0; i < count; i++) {
        const struct test *t = &tests[i];
        bool jumps = (t->yes == ACCEPT || t->yes == REJECT || (t->yes > i && t->yes < count))
            && (t->no == ACCEPT || t->no == REJECT || (t->no > i && t->no < count));
        bool of_field = t->compare != LAYER && t->compare != BPF;
        bool other = t->other == NOTHING || (of_field && operand_sound(p, t->other) && t->other_occurrence != ANY);
        if (!jumps || !other || (of_field && !operand_sound(p, t->field)) || !constant_sound(p, t->constant, t->size))
            return false;
        if ((t->compare == BPF && !bpf_sound(p->constants + t->constant, (size_t)t->size))
            || (t->compare == WITHIN && t->size != sizeof(struct value)) || (t->compare == SAMPLE && t->size != sizeof(uint64_t)))
            return false;
        p->all |= of_field ? asks_all(p, t->field) || asks_all(p, t->other)
                           : t->compare == LAYER && asks_kinds(p->constants + t->constant, t->size);
    }
    return true;
}

bool assignments_sound(struct program *p)
{
    if (p->code_count % ASSIGNMENT_SIZE != 0 || !(p->known || fields_sound(p->fields, p->field_count)))
        return false;
    const struct assignment *a = (const struct assignment *)p->code, *end = a + p->code_count / ASSIGNMENT_SIZE;
    for (; a < end; a++) {
        bool two = a->operation == SWAP || a->operation == COPY;
        if (!field_sound(p, a->field) || (two && !field_sound(p, a->other)) || !constant_sound(p, a->constant, a->size))
            return false;
        p->all |= asks_all(p, a->field) || (two && asks_all(p, a->other));
    }
    return true;
}

/* ---- fields ---- */

static bool place_in(const struct program *p, int64_t field, const struct header *h, struct place *at)
{
    for (; field >= 0; field = next_row(p->fields, field)) {
        const struct field *f = &p->fields[field];
        if (f->header == h->kind)
            return place_of(f, h, at);
    }
    return false;
}

/* The same as `locate`, of a field of items. */
static bool locate_in_items(const struct program *p, int64_t field, int64_t occurrence, bool exact, const struct frame *f,
                            const struct walk *w, struct place *at)
{
    struct place next;
    struct header item;
    if (occurrence < 0) {                       /* counted once to know which one that is */
        int64_t count = 0;
        for (struct items items = items_of(f, w); next_item(&items, &item);)
            count += place_in(p, field, &item, &next);
        if (occurrence < -count)
            return false;
        occurrence += count + 1;
    }
    bool any = false;
    for (struct items items = items_of(f, w); next_item(&items, &item);)
        if (place_in(p, field, &item, &next)) {
            *at = next;
            any = true;
            if (--occurrence == 0)
                return true;
        }
    return any && !exact;
}

/* The same as `locate`, whichever field and occurrence it is. */
__attribute__((noinline)) static bool locate_in_full(const struct program *p, int64_t field, int64_t occurrence, bool exact,
                                                     const struct frame *f, const struct walk *w, struct place *at)
{
    if (p->fields[field].header >= FIRST_ITEM)
        return locate_in_items(p, field, occurrence, exact, f, w, at);
    struct place next;
    if (occurrence < 0) {
        for (size_t i = w->count; i-- > 0;)
            if (place_in(p, field, &w->header[i], &next) && ++occurrence == 0) {
                *at = next;
                return true;
            }
        return false;
    }
    bool any = false;
    for (size_t i = 0; i < w->count; i++)
        if (place_in(p, field, &w->header[i], &next)) {
            *at = next;
            any = true;
            if (--occurrence == 0)
                return true;
        }
    return any && !exact;
}

/* The k-th occurrence, or from the end when negative. Where fewer come, `exact` finds none, otherwise the last. Nearly all that is asked
 * for is of one kind of header, and the first.
 */
bool locate(const struct program *p, int64_t field, int64_t occurrence, bool exact, const struct frame *f, const struct walk *w,
            struct place *at)
{
    const struct field *known = &p->fields[field];
    if (occurrence != 1 || known->next > 0 || known->header >= FIRST_ITEM)
        return locate_in_full(p, field, occurrence, exact, f, w, at);
    for (const struct header *h = w->header; h < w->header + w->count; h++)
        if (h->kind == known->header && place_of(known, h, at))
            return true;
    return false;
}

static void write_bits(const struct writable_frame *f, size_t bit, size_t width, uint64_t value)
{
    if ((bit | width) % 8 == 0) {               /* nearly all are whole bytes */
        for (uint8_t *at = writable_range(f, bit / 8, width / 8); width > 0; at++) {
            width -= 8;
            *at = (uint8_t)(value >> width);
        }
        return;
    }
    while (width > 0) {                         /* from the last bits on, a byte or a part of one at a time */
        size_t end = bit + width, here = end % 8 != 0 ? end % 8 : 8, n = here < width ? here : width;
        unsigned shift = (unsigned)(8 - here), mask = ((1u << n) - 1) << shift;
        size_t at = (end - 1) / 8;
        put8(f, at, (get8(&f->view, at) & ~mask) | ((unsigned)value << shift & mask));
        value >>= n;
        width -= n;
    }
}

/* Writes a number of up to 64 bits anywhere in a frame, if it fits there; whether it does. */
bool place_value(const struct writable_frame *f, size_t bit, size_t width, uint64_t value)
{
    if (bit + width > f->view.size * 8)
        return false;
    write_bits(f, bit, width, value);
    return true;
}

static void write_raw(const struct writable_frame *f, const struct place *at, struct value v)
{
    if (at->field->width == 128) {
        write_bits(f, at->bit, 64, v.high);
        write_bits(f, at->bit + 64, 64, v.low);
        return;
    }
    if (at->field->kind == FAMILY) {
        uint64_t old = read_bits(&f->view, at->bit, 32);
        if (old == 0 || old > 0xFFFF)
            v.low = reversed((uint32_t)v.low);
    } else if (at->field->kind == LITTLE)
        v.low = turned(v.low, (size_t)at->field->width);
    write_bits(f, at->bit, (size_t)at->field->width, v.low);
}

static int compare_values(struct value a, struct value b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static int compare_data(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t size = a_size < b_size ? a_size : b_size;
    int c = size > 0 ? memcmp(a, b, size) : 0;
    return c != 0 ? c : a_size < b_size ? -1 : a_size > b_size;
}

/* ---- what is compared, and assigned ---- */

struct operand {                                /* a number, or octets */
    bool octets;
    struct value number;
    const uint8_t *at;
    size_t size;
};

/* What a field holds. In parts: to copy as a whole what was just written in parts has to wait for that. */
static inline void operand_at(const struct frame *f, const struct place *at, struct operand *found)
{
    found->octets = at->field->kind == DATA || at->field->kind == TEXT;
    if (found->octets) {
        found->size = at->field->kind == TEXT ? text_size(f, at) : at->size;
        found->at = frame_range(f, at->bit / 8, found->size);
        return;
    }
    struct value v = read_raw(f, at);
    found->number.high = v.high;
    found->number.low = (v.low + (uint64_t)at->field->bias) * (uint64_t)at->field->scale;
}

/* ---- facts of a packet ---- */

struct subject {                                /* what a test is asked of */
    const struct frame *f;
    const struct walk *w;
    const struct packet *packet;
    struct frame notes;
    int64_t number;
};

static bool is_blank(unsigned c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* What the next line of a packet's notes says behind a word, from `at` on, which goes behind it; without blanks around it. */
bool note_said(const struct frame *notes, size_t *at, const char *word, struct frame *found)
{
    size_t size = strlen(word);
    while (*at < notes->size) {
        size_t begin = *at, end = begin;
        while (end < notes->size && get8(notes, end) != '\n')
            end++;
        *at = end + 1;
        if (end - begin < size || memcmp(frame_range(notes, begin, size), word, size) != 0)
            continue;
        for (begin += size; begin < end && is_blank(get8(notes, begin));)
            begin++;
        while (end > begin && is_blank(get8(notes, end - 1)))
            end--;
        *found = (struct frame){frame_range(notes, begin, end - begin), end - begin};
        return true;
    }
    return false;
}

bool note_at(const struct frame *notes, const char *word, int64_t occurrence, struct frame *found)
{
    if (occurrence < 0) {
        int64_t count = 0;
        for (size_t at = 0; note_said(notes, &at, word, found);)
            count++;
        if (occurrence < -count)
            return false;
        occurrence += count + 1;
    }
    for (size_t at = 0; note_said(notes, &at, word, found);)
        if (--occurrence == 0)
            return true;
    return false;
}

static bool next_note(const struct frame *notes, size_t *at, const char *word, struct operand *found)
{
    struct frame said;
    if (!note_said(notes, at, word, &said))
        return false;
    *found = (struct operand){.octets = true, .at = said.at, .size = said.size};
    return true;
}

const char *note_word(int64_t fact)
{
    return fact == OF_IFACE ? "IFACE:" : fact == OF_WAY ? "WAY:" : fact == OF_NOTE ? "NOTE:" : NULL;
}

static struct operand number_of_packet(const struct subject *s, int64_t fact)
{
    int64_t number = fact == OF_TIME ? s->packet->time : fact == OF_SIZE ? s->packet->original
        : fact == OF_CAPTURED ? s->packet->captured : s->number;
    return (struct operand){.number = {0, (uint64_t)number}};
}

/* A fact of a packet: of lines the k-th, or from the end when negative; whether it is there. */
static bool fact_of(const struct subject *s, int64_t fact, int64_t occurrence, struct operand *found)
{
    const char *word = note_word(fact);
    if (word == NULL) {
        *found = number_of_packet(s, fact);
        return occurrence == 1 || occurrence == -1;
    }
    struct frame said;
    if (!note_at(&s->notes, word, occurrence, &said))
        return false;
    *found = (struct operand){.octets = true, .at = said.at, .size = said.size};
    return true;
}

/* ---- filters ---- */

static bool contains(const struct operand *a, const struct operand *b)
{
    if (b->size == 0)
        return true;
    for (const uint8_t *at = a->at, *end = a->at + a->size; (size_t)(end - at) >= b->size; at++) {
        at = memchr(at, b->at[0], (size_t)(end - at) - b->size + 1);
        if (at == NULL)
            return false;
        if (memcmp(at, b->at, b->size) == 0)
            return true;
    }
    return false;
}

/* What is drawn for a number, the same for the same seed: its place in a SplitMix64 sequence (Steele, Lea, Flood 2014). */
static uint64_t drawn(uint64_t seed, uint64_t number)
{
    uint64_t x = seed + number * UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Whether a test holds for what was found. b: what it is compared with. */
static inline bool passes(const struct program *p, const struct test *t, const struct operand *a, const struct operand *b)
{
    if (t->compare == PRESENT)
        return true;
    if (a->octets != b->octets)
        return false;
    int c;
    if (a->octets) {
        if (t->compare == CONTAINS)
            return contains(a, b);
        c = compare_data(a->at, a->size, b->at, b->size);
    } else {
        const struct value number = {a->number.high & (uint64_t)t->mask_high, a->number.low & (uint64_t)t->mask_low};
        c = compare_values(number, b->number);
        if (t->compare == WITHIN) {
            struct value last;
            memcpy(&last, p->constants + t->constant, sizeof last);
            return c >= 0 && compare_values(number, last) <= 0;
        }
        if (t->compare == EVERY)
            return b->number.low != 0 && number.low % b->number.low == 0;
        if (t->compare == SAMPLE) {
            uint64_t seed;
            memcpy(&seed, p->constants + t->constant, sizeof seed);
            return compare_values((struct value){0, drawn(seed, number.low)}, b->number) < 0;
        }
    }
    switch (t->compare) {
    case EQUAL: return c == 0;
    case UNEQUAL: return c != 0;
    case LESS: return c < 0;
    case AT_MOST: return c <= 0;
    case MORE: return c > 0;
    case AT_LEAST: return c >= 0;
    default: return false;                      /* of a range, octets; of a number, what it contains */
    }
}

static bool operand_of(const struct program *p, int64_t field, int64_t occurrence, const struct subject *s, struct operand *found)
{
    if (field < 0)
        return fact_of(s, field, occurrence, found);
    struct place at;
    if (!locate(p, field, occurrence, true, s->f, s->w, &at))
        return false;
    operand_at(s->f, &at, found);
    return true;
}

/* Whether a test holds for any occurrence. b: what they are compared with; of a constant, both of what it can be. */
static bool holds_for_any(const struct program *p, const struct test *t, const struct subject *s, struct operand *b)
{
    bool constant = t->other == NOTHING;
    struct operand a;
    struct place at;
    if (t->field < 0) {
        const char *word = note_word(t->field);
        b->octets = constant ? word != NULL : b->octets;
        if (word == NULL) {
            a = number_of_packet(s, t->field);
            return passes(p, t, &a, b);
        }
        for (size_t next = 0; next_note(&s->notes, &next, word, &a);)
            if (passes(p, t, &a, b))
                return true;
        return false;
    }
    if (p->fields[t->field].header >= FIRST_ITEM) {
        struct header item;
        for (struct items items = items_of(s->f, s->w); next_item(&items, &item);)
            if (place_in(p, t->field, &item, &at)) {
                operand_at(s->f, &at, &a);
                b->octets = constant ? a.octets : b->octets;
                if (passes(p, t, &a, b))
                    return true;
            }
        return false;
    }
    for (size_t i = 0; i < s->w->count; i++)
        if (place_in(p, t->field, &s->w->header[i], &at)) {
            operand_at(s->f, &at, &a);
            b->octets = constant ? a.octets : b->octets;
            if (passes(p, t, &a, b))
                return true;
        }
    return false;
}

static bool holds(const struct program *p, const struct test *t, const struct subject *s)
{
    if (t->compare == LAYER) {                  /* the constant is a set of kinds of headers, a bit each */
        const uint8_t *kinds = p->constants + t->constant;
        for (size_t i = 0; i < s->w->count; i++) {
            size_t kind = (size_t)s->w->header[i].kind;
            if (kind / 8 < (size_t)t->size && (kinds[kind / 8] >> kind % 8 & 1) != 0)
                return true;
        }
        return false;
    }
    struct operand a, b = {false, {(uint64_t)t->high, (uint64_t)t->low}, p->constants + t->constant, (size_t)t->size};
    if (t->other != NOTHING && !operand_of(p, t->other, t->other_occurrence, s, &b))
        return false;
    if (t->occurrence == ANY)
        return holds_for_any(p, t, s, &b);
    if (!operand_of(p, t->field, t->occurrence, s, &a))
        return false;
    if (t->other == NOTHING)
        b.octets = a.octets;                    /* a constant is either */
    return passes(p, t, &a, &b);
}

/* f, packet: without its frame check sequence; BPF sees the whole one, as tcpdump does. data: where its notes lie; NULL: it has none.
 * number: which one of all it is. busy: what walk_busy finds; NULL: that is not known. */
bool matches(const struct program *p, const struct frame *f, const struct packet *packet, const struct packet *whole,
             const uint8_t *data, int64_t number, const struct walk *busy)
{
    struct frame all = {f->at, (size_t)whole->captured};
    const struct test *tests = (const struct test *)p->code;
    struct walk w;
    struct subject s = {.f = f, .w = busy != NULL && !p->all ? busy : &w, .packet = whole, .number = number};
    if (data != NULL && whole->notes_size > 0)
        s.notes = (struct frame){data + whole->notes, (size_t)whole->notes_size};
    bool walked = s.w != &w;
    int64_t next = 0;
    while (next >= 0) {
        const struct test *t = &tests[next];
        bool held;
        if (t->compare == BPF)                  /* knows no headers: none are looked for in vain */
            held = bpf_run(p->constants + t->constant, &all, (uint32_t)whole->original) != 0;
        else {
            if (!walked && (t->field >= 0 || t->other >= 0 || t->compare == LAYER)) {
                (p->all ? walk : walk_busy)(&w, f, packet->linktype);
                walked = true;
            }
            held = holds(p, t, &s);
        }
        next = held ? t->yes : t->no;
    }
    return next == ACCEPT;
}

/* ---- assignments ---- */

static struct value add(struct value a, struct value b)
{
    uint64_t low = a.low + b.low;
    return (struct value){a.high + b.high + (low < a.low), low};
}

static struct value negative(struct value a)
{
    return add((struct value){~a.high, ~a.low}, (struct value){0, 1});
}

enum done { LEFT_ALONE, THERE_ALREADY, CHANGED };

/* A text that is there already stays with what stands behind its end; behind another one all is zero. It may come from this frame. */
static enum done write_text(const struct writable_frame *f, const struct place *at, const uint8_t *text, size_t size)
{
    size = least(size, at->size);
    uint8_t *to = writable_range(f, at->bit / 8, at->size);
    if (compare_data(to, text_size(&f->view, at), text, size) == 0)
        return THERE_ALREADY;
    if (size > 0)
        memmove(to, text, size);
    memset(to + size, 0, at->size - size);
    return CHANGED;
}

/* What becomes of an assignment of a value: one that this field cannot hold is left alone. */
static enum done change(int64_t operation, const struct writable_frame *f, const struct place *at, const struct operand *from)
{
    if (at->field->kind == TEXT && at->field->width == 0 && from->size != at->size)
        return LEFT_ALONE;                      /* its header says how long it is */
    if (at->field->kind == TEXT)
        return write_text(f, at, from->at, from->size);
    if (at->field->kind == DATA) {
        size_t size = least(from->size, at->size);
        uint8_t *to = writable_range(f, at->bit / 8, size);
        if (size == 0 || memcmp(to, from->at, size) == 0)
            return THERE_ALREADY;
        memmove(to, from->at, size);
        return CHANGED;
    }
    struct value v = from->number;
    if (at->field->width < 128 && v.high != 0)
        return LEFT_ALONE;
    uint64_t scale = (uint64_t)at->field->scale, bias = (uint64_t)at->field->bias;
    if (at->field->width < 128) {
        uint64_t whole = scale == 1 ? v.low : v.low / scale;    /* nearly all are 1, and to divide takes longer than all the rest */
        if (operation != ADD && operation != SUBTRACT) {
            bool fits = at->field->width == 64 || (whole - bias) >> at->field->width == 0;
            if (whole * scale != v.low || whole < bias || !fits)
                return LEFT_ALONE;
            v.low = whole - bias;
        } else
            v.low = whole;
    }
    struct value old = read_raw(&f->view, at);
    if (operation == ADD)
        v = add(old, v);
    else if (operation == SUBTRACT)
        v = add(old, negative(v));
    else if (old.low == v.low && old.high == v.high)
        return THERE_ALREADY;
    write_raw(f, at, v);                        /* what does not fit is cut: arithmetic wraps around */
    return CHANGED;
}

/* The headers in front of what a tunnel carries, without the transport that carries it: there is who talks to whom. */
static struct walk outer_headers(const struct walk *w)
{
    struct walk outer = *w;
    size_t network = 0;                         /* headers up to the last one of IP in front of it */
    for (size_t i = 0; i < w->count; i++) {
        unsigned kind = w->header[i].kind;
        bool carrier = carries_message(&w->header[i]);
        if (is_tunnel(kind) || (network > 0 && carrier)) {
            outer.count = network > 0 ? network : i;
            break;
        }
        if (carrier || extends(kind))
            network = i + 1;
    }
    return outer;
}

/* Remembers that a field was changed. */
static void note(struct changed *c, const struct place *at)
{
    size_t end = at->bit / 8 + (at->size > 0 ? at->size : (at->bit % 8 + (size_t)at->field->width + 7) / 8);
    size_t *last = (at->field->shapes & MUTABLE) != 0 ? &c->mutable_end : &c->end;
    *last = end > *last ? end : *last;
}

/* Exchanges two fields of outer headers; whether both are there. */
static bool swap(const struct program *p, const struct assignment *a, const struct writable_frame *f, const struct walk *w, struct changed *c)
{
    struct place at, other;
    struct walk outer = outer_headers(w);
    if (!locate(p, a->field, a->occurrence, a->exact, &f->view, &outer, &at)
        || !locate(p, a->other, a->occurrence, a->exact, &f->view, &outer, &other)
        || at.field->kind == TEXT || other.field->kind == TEXT || other.field->width != at.field->width)
        return false;
    struct value v = read_raw(&f->view, &at);
    write_raw(f, &at, read_raw(&f->view, &other));
    write_raw(f, &other, v);
    note(c, &at);
    note(c, &other);
    return true;
}

/* Whether an assignment to a field has a place, which is noted. Where it changes what the headers depend on, and more is to come, they are looked for
 * anew: later assignments meet them as they are now. */
bool assign_field(const struct program *p, const struct assignment *a, const struct writable_frame *f, int64_t linktype,
                  struct walk *w, bool more, struct changed *changed)
{
    struct place at, other;
    if (!locate(p, a->field, a->occurrence, a->exact, &f->view, w, &at))
        return false;
    struct operand from = {false, {(uint64_t)a->high, (uint64_t)a->low}, p->constants + a->constant, (size_t)a->size};
    bool octets = at.field->kind == DATA || at.field->kind == TEXT;
    from.octets = octets && a->operation != NEXT;       /* a constant is either */
    if (a->operation == COPY) {
        if (!locate(p, a->other, a->other_occurrence, true, &f->view, w, &other))
            return false;
        operand_at(&f->view, &other, &from);
    }
    if (from.octets != octets)
        return false;
    enum done done = change(a->operation, f, &at, &from);
    if (done == LEFT_ALONE) {
        changed->unfit++;
        return false;
    }
    note(changed, &at);
    changed->cut += octets && from.size > at.size;
    if (done == CHANGED && (at.field->shapes & SHAPES) != 0 && more)
        (p->all ? walk : walk_busy)(w, &f->view, linktype);
    return true;
}

size_t assignment_count(const struct program *p)
{
    return p->code_count / ASSIGNMENT_SIZE;
}

/* How many of them take another value in each packet. */
size_t series_count(const struct program *p)
{
    size_t count = 0;
    const struct assignment *a = (const struct assignment *)p->code, *end = a + assignment_count(p);
    for (; a < end; a++)
        count += a->operation == NEXT;
    return count;
}

/* placed: a counter an assignment, of the packets in which it was done. cut: of those whose field has no room for all
 * of it: of octets what fits was set, all else was left alone. series:
 * of each that takes another value in each packet, a column of `most` values; packet after packet in which it is done takes the next
 * one. */
struct untold assign(const struct program *p, const struct writable_frame *f, int64_t linktype, size_t *placed,
                     size_t *cut, const struct value *series, size_t most)
{
    const struct assignment *a = (const struct assignment *)p->code, *end = a + assignment_count(p);
    struct walk w;
    (p->all ? walk : walk_busy)(&w, &f->view, linktype);
    struct untold untold = {.beyond = w.beyond};
    struct changed changed = {0};
    for (; a < end; a++, placed++, cut++) {
        if (a->operation == SWAP) {
            *placed += swap(p, a, f, &w, &changed);
            continue;
        }
        struct assignment taken;
        const struct assignment *now = a;
        if (a->operation == NEXT) {
            taken = *a;
            taken.high = (int64_t)series[*placed].high;
            taken.low = (int64_t)series[*placed].low;
            series += most;
            now = &taken;
        }
        size_t before = changed.cut + changed.unfit;
        *placed += assign_field(p, now, f, linktype, &w, a + 1 < end, &changed);
        *cut += changed.cut + changed.unfit - before;
    }
    if (changed.end > 0 || changed.mutable_end > 0)
        untold.signature = signature_of(&f->view, &w, &changed);
    return untold;
}
