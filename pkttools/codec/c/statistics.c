/* What there is to count in a stream of packets; twin of ../python/statistics.py, where all of it is told. */
#include "statistics.h"

#include <stdlib.h>

#include "protocols.h"

enum { FIRST_WIDTH = 1000, WIDER = 10 };        /* nanoseconds of a bin at first, and by what it grows */
enum { ABSENT, SHORT_NUMBER, LONG_NUMBER, OCTETS };     /* what stands in a key of a field */

bool grouping_sound(struct program *p)
{
    const struct grouping *c = (const void *)p->code;
    size_t count = p->code_count / 2;
    if (p->code_count % 2 != 0 || !(p->known || fields_sound(p->fields, p->field_count)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!(note_word(c[i].field) != NULL || (c[i].field >= 0 && (uint64_t)c[i].field < p->field_count)) || c[i].occurrence == 0)
            return false;
    p->all = true;
    return true;
}

bool statistics_begin(struct statistics *s, uint64_t memory)
{
    s->paths.memory = s->talkers.memory = s->fields.memory = memory;
    s->sizes = calloc(SIZES + 1, sizeof *s->sizes);
    s->series.bin = calloc(BINS, sizeof *s->series.bin);
    s->series.width = FIRST_WIDTH;
    return s->sizes != NULL && s->series.bin != NULL;
}

void statistics_end(struct statistics *s)
{
    free(s->sizes);
    free(s->series.bin);
    groups_free(&s->paths);
    groups_free(&s->talkers);
    groups_free(&s->fields);
    bytes_free(&s->key);
}

/* ---- time ---- */

/* Makes bins wider, until there is one for each that is needed. */
static bool make_wider(struct series *s, int64_t lowest, int64_t highest)
{
    while (highest - lowest >= BINS) {
        int64_t (*bin)[2] = calloc(BINS, sizeof *bin);
        if (bin == NULL)
            return false;
        for (int64_t i = s->lowest; i <= s->highest; i++)
            for (int what = 0; what < 2; what++)
                bin[(uint64_t)floored(i, WIDER) % BINS][what] += s->bin[(uint64_t)i % BINS][what];
        free(s->bin);
        s->bin = bin;
        s->width *= WIDER;
        s->lowest = floored(s->lowest, WIDER);
        s->highest = floored(s->highest, WIDER);
        lowest = floored(lowest, WIDER);
        highest = floored(highest, WIDER);
    }
    s->lowest = lowest;
    s->highest = highest;
    return true;
}

static bool series_add(struct series *s, int64_t time, int64_t size, bool first)
{
    if (first || time < s->from || time >= s->behind) {
        int64_t number = floored(time, s->width);
        int64_t lowest = first || number < s->lowest ? number : s->lowest, highest = first || number > s->highest ? number : s->highest;
        if (!make_wider(s, lowest, highest))
            return false;
        number = floored(time, s->width);
        s->in_hand = (size_t)((uint64_t)number % BINS);
        int64_t rest = time % s->width + (time % s->width < 0 ? s->width : 0);
        s->from = __builtin_sub_overflow(time, rest, &s->from) ? INT64_MIN : time - rest;
        s->behind = __builtin_add_overflow(time, s->width - rest, &s->behind) ? INT64_MAX : time + (s->width - rest);
    }
    s->bin[s->in_hand][0]++;
    s->bin[s->in_hand][1] += size;
    return true;
}

static bool count_packet(struct statistics *s, const struct packet *p, int64_t size)
{
    int64_t *t = s->totals;
    bool first = t[PACKETS] == 0;
    t[PACKETS]++;
    t[BYTES] += size;
    t[CAPTURED] += p->captured;
    t[CUT_SHORT] += p->captured < size;
    t[SHORTEST] = first || size < t[SHORTEST] ? size : t[SHORTEST];
    t[LONGEST] = first || size > t[LONGEST] ? size : t[LONGEST];
    t[EARLIEST] = first || p->time < t[EARLIEST] ? p->time : t[EARLIEST];
    t[LATEST] = first || p->time > t[LATEST] ? p->time : t[LATEST];
    if (!first) {
        int64_t gap = elapsed(t[PREVIOUS], p->time);
        t[BACKWARDS] += gap < 0;
        durations_add(&s->gaps, &gap, 1);
    }
    t[PREVIOUS] = p->time;
    s->sizes[size < SIZES ? size : SIZES]++;
    return series_add(&s->series, p->time, size, first);
}

/* ---- groups ---- */

/* Whether what follows a header stands beside it, and not in it: records of which there are several. */
static bool stands_alone(const struct header *h)
{
    unsigned flags = protocols->kinds[h->kind].flags;
    return (flags & OWN_END) != 0 && (flags & (TAG | EXTENSION)) == 0;
}

/* The headers of a packet: link type, what is not followed, and of each header its kind and how deep it lies. */
static bool count_path(struct statistics *s, const struct walk *w, int64_t linktype, uint64_t beyond, int64_t size)
{
    struct {
        int64_t linktype;
        uint64_t beyond;
        struct { uint16_t kind, depth; } header[MAX_HEADERS];
    } key;
    size_t around[MAX_HEADERS], depth = 0;      /* the headers that the one in hand lies in */
    key.linktype = linktype;
    key.beyond = beyond;
    for (size_t i = 0; i < w->count; i++) {
        const struct header *h = &w->header[i];
        while (depth > 0 && stands_alone(&w->header[around[depth - 1]]) && h->start >= w->header[around[depth - 1]].end)
            depth--;
        key.header[i].kind = h->kind;
        key.header[i].depth = (uint16_t)depth;
        around[depth++] = i;
    }
    return group_add(&s->paths, &key, 16 + 4 * w->count, size, PACKETS_FROM);
}

enum { LONGEST_ADDRESS = 16 };

/* Both ends of each IP header: how many are around it, and the address. */
static bool count_talkers(struct statistics *s, const struct walk *w, const struct frame *f, int64_t size)
{
    uint8_t level = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (!carries_message(&w->header[i]))
            continue;
        size_t at = named_by(&w->header[i]).ends, each = w->header[i].exception == DATAGRAM_4 ? 4 : LONGEST_ADDRESS;
        uint8_t key[1 + LONGEST_ADDRESS] = {level++};
        for (int end = 0; end < 2 && frame_has(f, at, 2 * each); end++) {
            memcpy(key + 1, frame_range(f, at + (size_t)end * each, each), each);
            if (!group_add_later(&s->talkers, key, 1 + each, size, end == 0 ? PACKETS_FROM : PACKETS_TO))
                return false;
        }
    }
    return true;
}

static void put_big(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static bool add_octets(struct bytes *key, const uint8_t *at, size_t size)
{
    uint8_t head[9] = {OCTETS};
    put_big(head + 1, size);
    return bytes_add(key, head, sizeof head) && bytes_add(key, at, size);
}

/* The value of a field, as it stands in a key: what it is, and a number of 64 or 128 bits, or how many bytes and these. */
static bool add_value(struct bytes *key, const struct frame *f, const struct place *at)
{
    uint8_t head[17] = {ABSENT};
    if (at == NULL)
        return bytes_add(key, head, 1);
    if (at->field->kind == DATA || at->field->kind == TEXT) {
        size_t size = at->field->kind == TEXT ? text_size(f, at) : at->size;
        return add_octets(key, frame_range(f, at->bit / 8, size), size);
    }
    struct value v = number_of(f, at);
    head[0] = v.high != 0 ? LONG_NUMBER : SHORT_NUMBER;
    put_big(head + 1, v.high != 0 ? v.high : v.low);
    put_big(head + 9, v.low);
    return bytes_add(key, head, v.high != 0 ? 17 : 9);
}

static bool count_fields(struct statistics *s, const struct walk *w, const struct frame *f, const struct frame *notes, int64_t size)
{
    const struct grouping *c = (const void *)s->program.code, *behind = c + s->program.code_count / 2;
    s->key.size = 0;
    for (; c < behind; c++) {
        struct place at;
        struct frame said;
        const char *word = note_word(c->field);
        bool there = word != NULL ? note_at(notes, word, c->occurrence, &said)
            : locate(&s->program, c->field, c->occurrence, true, f, w, &at);
        if (!(there && word != NULL ? add_octets(&s->key, said.at, said.size) : add_value(&s->key, f, there ? &at : NULL)))
            return false;
    }
    return group_add(&s->fields, s->key.at, s->key.size, size, PACKETS_FROM);
}

bool statistics_add(struct statistics *s, const struct packet *p, const struct packet *bare, const struct frame *f,
                    const struct frame *notes)
{
    int64_t size = p->original > p->captured ? p->original : p->captured;
    if (!count_packet(s, p, size))
        return false;
    if (s->wanted == 0)
        return true;
    struct walk w;
    if ((s->wanted & (PATHS | BY_FIELDS)) != 0)
        walk(&w, f, bare->linktype);
    else
        walk_busy(&w, f, bare->linktype);
    uint64_t beyond = w.quoted == MAX_HEADERS ? w.beyond : 0;
    leave_out_quoted(&w);                       /* that packet did not come this way */
    return ((s->wanted & PATHS) == 0 || count_path(s, &w, bare->linktype, beyond, size))
        && ((s->wanted & TALKERS) == 0 || count_talkers(s, &w, f, size))
        && ((s->wanted & BY_FIELDS) == 0 || count_fields(s, &w, f, notes, size));
}
