/* The tables of protocols, checked when they are given: refused, or safe for any packet. Then they are laid out for the walk, each
 * row with what it refers to, numbers with the place where they are loaded. Twin of ../python/protocols.py.
 */
#include "protocols.h"

#include <stdlib.h>

/* Copies of functions that GCC makes for some callers stand behind all other code, and so where nothing else is that most commands
 * run: the system would load what lies around them, too. */
#if defined(__GNUC__) && !defined(__clang__)
#define NO_COPY __attribute__((noclone))
#else
#define NO_COPY
#endif

struct protocols *protocols;

/* Rows, as they are given. */
struct read_row { int64_t base, bit, width, order; };
struct test_row { int64_t read, mask, low, high, how; };
struct term_row { int64_t read, scale, bias, test, tests; };
struct kind_row {
    int64_t fixed, flags, data, claims, gives, term, terms, align, end, end_scale, end_bias, end_least, end_test, end_tests, trailer,
        whole_test, whole_tests, rule, rules, exception, then, until;
};
struct rule_row { int64_t how, what, read, flags, test, tests; };
struct space_row { int64_t number, counted, entry, entries; };
struct entry_row { int64_t value, kind, test, tests; };
struct sum_row {
    int64_t kind, at, bytes, over, read, scale, bias, nothing, gap_at, gap, pseudo, also, whole, zero, card, test, tests;
};

struct list_row { int64_t type, length, scale, bias, align, head, item, items; };
struct item_row { int64_t type, kind, how, at, data, each, inside, list, passed, pieces, test, tests; };
struct hold_row { int64_t kind, list, from, to, read, scale, bias, by, test, tests; };
struct signature_row { int64_t kind, code, covers, test, tests; };

struct given {                  /* the same, as arrays */
    const struct read_row *reads;
    const struct test_row *tests;
    const struct term_row *terms;
    const struct kind_row *kinds;
    const struct rule_row *rules;
    const struct space_row *spaces;
    const struct entry_row *entries;
    const struct sum_row *sums;
    const struct list_row *lists;
    const struct item_row *items;
    const struct hold_row *holds;
    const struct signature_row *signatures;
    size_t count[TABLES];
};

enum { READS, TESTS, TERMS, KINDS, RULES, SPACES, ENTRIES, SUMS, LISTS, ITEMS, HOLDS, SIGNATURES };

static const size_t row_sizes[TABLES] = {
    sizeof(struct read_row), sizeof(struct test_row), sizeof(struct term_row), sizeof(struct kind_row), sizeof(struct rule_row),
    sizeof(struct space_row), sizeof(struct entry_row), sizeof(struct sum_row), sizeof(struct list_row), sizeof(struct item_row),
    sizeof(struct hold_row), sizeof(struct signature_row),
};

/* ---- soundness ---- */

#define IN(value, low, high) ((value) >= (low) && (value) <= (high))
/* Checks a column of a row; what does not hold is said. */
#define CHECK(table, number, row, column, holds) do { \
        if (!(holds)) \
            return (struct fault){table, (int64_t)(number), (int64_t)(offsetof(struct row, column) / sizeof(int64_t))}; \
    } while (0)
#define SOUND (struct fault){-1, 0, 0}

/* Whether a number may be read where a header of `fixed` bytes is known. */
static bool read_sound(const struct given *g, int64_t read, int64_t fixed, bool behind)
{
    if (!IN(read, 0, (int64_t)g->count[READS] - 1))
        return false;
    const struct read_row *r = &g->reads[read];
    return r->base == FROM_START ? true : behind && r->bit >= -8 * fixed;
}

NO_COPY static bool tests_sound_of(const struct given *g, int64_t first, int64_t count, int64_t fixed, bool behind)
{
    if (!run_sound(first, count, g->count[TESTS]) || count > MAX_RUN)
        return false;
    for (int64_t i = first; i < first + count; i++)
        if (!read_sound(g, g->tests[i].read, fixed, behind) || (g->tests[i].how == LEAVES && !behind))
            return false;
    return true;
}

static struct fault numbers_sound(const struct given *g)
{
    for (size_t i = 0; i < g->count[READS]; i++) {
        const struct read_row *r = &g->reads[i];
        CHECK(READS, i, read_row, base, IN(r->base, FROM_START, FROM_BEHIND));
        CHECK(READS, i, read_row, bit, IN(r->bit, -8 * MAX_READ, 8 * MAX_READ));
        CHECK(READS, i, read_row, width, IN(r->width, 1, 32));
        CHECK(READS, i, read_row, order, r->order == BIG_ENDIAN_READ
              || (r->order == LITTLE_ENDIAN_READ && r->bit % 8 == 0 && r->width % 8 == 0));
    }
    for (size_t i = 0; i < g->count[TESTS]; i++) {
        const struct test_row *t = &g->tests[i];
        CHECK(TESTS, i, test_row, read, IN(t->read, 0, (int64_t)g->count[READS] - 1));
        CHECK(TESTS, i, test_row, mask, IN(t->mask, 1, UINT32_MAX));
        CHECK(TESTS, i, test_row, low, IN(t->low, 0, UINT32_MAX));
        CHECK(TESTS, i, test_row, high, IN(t->high, t->low, UINT32_MAX));
        CHECK(TESTS, i, test_row, how, IN(t->how, IS, LEAVES));
    }
    return SOUND;
}

/* Runs of terms, rules and entries stand in the order of what they are of: none is used twice. */
static struct fault kinds_sound(const struct given *g)
{
    int64_t terms = 0, rules = 0;
    for (size_t i = 0; i < g->count[KINDS]; i++) {
        const struct kind_row *k = &g->kinds[i];
        bool shown = (k->flags & (HIDDEN | UNFOLLOWED)) == 0;
        CHECK(KINDS, i, kind_row, fixed, IN(k->fixed, shown && i > 0 ? 1 : 0, MAX_READ));
        CHECK(KINDS, i, kind_row, flags, IN(k->flags, 0, FLAGS) && (k->flags & (HIDDEN | UNFOLLOWED)) != (HIDDEN | UNFOLLOWED)
              && (i > 0 || shown));
        CHECK(KINDS, i, kind_row, data, IN(k->data, -1, MAX_FRAME));
        CHECK(KINDS, i, kind_row, claims, IN(k->claims, 0, MOST_CLAIMS));
        CHECK(KINDS, i, kind_row, gives, IN(k->gives, 0, MOST_CLAIMS));
        CHECK(KINDS, i, kind_row, term, k->term == terms && run_sound(k->term, k->terms, g->count[TERMS]));
        CHECK(KINDS, i, kind_row, terms, k->terms <= MAX_RUN);
        terms += k->terms;
        for (int64_t t = k->term; t < k->term + k->terms; t++) {
            const struct term_row *r = &g->terms[t];
            CHECK(TERMS, t, term_row, read, r->read == -1 || read_sound(g, r->read, k->fixed, false));
            CHECK(TERMS, t, term_row, scale, IN(r->scale, 0, MAX_READ));
            CHECK(TERMS, t, term_row, bias, IN(r->bias, -MAX_READ, MAX_READ));
            CHECK(TERMS, t, term_row, test, tests_sound_of(g, r->test, r->tests, k->fixed, false));
        }
        CHECK(KINDS, i, kind_row, align, IN(k->align, 1, 64));
        CHECK(KINDS, i, kind_row, end, k->end == -1 || read_sound(g, k->end, k->fixed, false));
        CHECK(KINDS, i, kind_row, end_scale, IN(k->end_scale, 0, MAX_READ));
        CHECK(KINDS, i, kind_row, end_bias, IN(k->end_bias, -MAX_READ, MAX_READ));
        CHECK(KINDS, i, kind_row, end_least, IN(k->end_least, 0, UINT32_MAX));
        CHECK(KINDS, i, kind_row, end_test, tests_sound_of(g, k->end_test, k->end_tests, k->fixed, false));
        CHECK(KINDS, i, kind_row, trailer, IN(k->trailer, 0, MAX_READ));
        CHECK(KINDS, i, kind_row, whole_test, tests_sound_of(g, k->whole_test, k->whole_tests, k->fixed, false));
        CHECK(KINDS, i, kind_row, rule, k->rule == rules && run_sound(k->rule, k->rules, g->count[RULES]));
        CHECK(KINDS, i, kind_row, rules, k->rules <= MAX_RUN);
        rules += k->rules;
        for (int64_t n = k->rule; n < k->rule + k->rules; n++) {
            const struct rule_row *r = &g->rules[n];
            CHECK(RULES, n, rule_row, how, IN(r->how, TO_KIND, COUNTED));
            int64_t most = r->how == TO_KIND ? (int64_t)g->count[KINDS] - 1 : r->how == BY_SPACE ? (int64_t)g->count[SPACES] - 1 : 255;
            CHECK(RULES, n, rule_row, what, IN(r->what, r->how == BY_SPACE ? 0 : 1, most)
                  && (r->how != TO_KIND || (g->kinds[r->what].flags & UNFOLLOWED) == 0));
            CHECK(RULES, n, rule_row, read, r->how != BY_SPACE ? r->read == -1 : read_sound(g, r->read, k->fixed, true));
            CHECK(RULES, n, rule_row, flags, IN(r->flags, 0, RULE_FLAGS));
            CHECK(RULES, n, rule_row, test, tests_sound_of(g, r->test, r->tests, k->fixed, true));
        }
        CHECK(KINDS, i, kind_row, exception, IN(k->exception, 0, EXCEPTIONS - 1));
        CHECK(KINDS, i, kind_row, then, k->then == -1 || (IN(k->then, 1, (int64_t)g->count[KINDS] - 1)
              && (g->kinds[k->then].flags & UNFOLLOWED) == 0));
        CHECK(KINDS, i, kind_row, until, IN(k->until, -1, UINT32_MAX));
    }
    return SOUND;
}

static struct fault spaces_sound(const struct given *g)
{
    int64_t entries = 0;
    for (size_t i = 0; i < g->count[SPACES]; i++) {
        const struct space_row *s = &g->spaces[i];
        CHECK(SPACES, i, space_row, number, IN(s->number, 0, 255));
        CHECK(SPACES, i, space_row, counted, IN(s->counted, -1, UINT32_MAX) && (s->counted < 0 || s->number > 0));
        CHECK(SPACES, i, space_row, entry, s->entry == entries && run_sound(s->entry, s->entries, g->count[ENTRIES]));
        entries += s->entries;
        for (int64_t n = s->entry; n < s->entry + s->entries; n++) {
            const struct entry_row *e = &g->entries[n];
            CHECK(ENTRIES, n, entry_row, value, IN(e->value, n > s->entry ? e[-1].value : 0, UINT32_MAX));
            CHECK(ENTRIES, n, entry_row, kind, e->kind == LEAF || e->kind == TUNNEL_LEAF || (IN(e->kind, 1, (int64_t)g->count[KINDS] - 1)
                  && ((g->kinds[e->kind].flags & UNFOLLOWED) == 0 || s->number > 0)));
            CHECK(ENTRIES, n, entry_row, test, tests_sound_of(g, e->test, e->tests, 0, false));
        }
    }
    return SOUND;
}

static struct fault sums_sound(const struct given *g)
{
    for (size_t i = 0; i < g->count[SUMS]; i++) {
        const struct sum_row *s = &g->sums[i];
        CHECK(SUMS, i, sum_row, kind, IN(s->kind, i > 0 ? s[-1].kind + 1 : 1, (int64_t)g->count[KINDS] - 1)
              && (g->kinds[s->kind].flags & (HIDDEN | UNFOLLOWED)) == 0);
        int64_t fixed = g->kinds[s->kind].fixed;
        bool words = s->bytes == 2, counts = s->over == SAID || s->over == HEADER_AND;
        CHECK(SUMS, i, sum_row, bytes, s->bytes == 0 || words || s->bytes == 4);
        CHECK(SUMS, i, sum_row, at, IN(s->at, 0, MOST_PLACE) && (!words || s->at % 2 == 0));
        CHECK(SUMS, i, sum_row, over, IN(s->over, MESSAGE, HEADER_AND));
        CHECK(SUMS, i, sum_row, read, counts ? read_sound(g, s->read, fixed, false) : s->read == -1);
        CHECK(SUMS, i, sum_row, scale, IN(s->scale, 0, MAX_READ));
        CHECK(SUMS, i, sum_row, bias, IN(s->bias, -MAX_READ, MAX_READ));
        CHECK(SUMS, i, sum_row, nothing, IN(s->nothing, AS_SAID, counts ? JUMBO_FOR_0 : AS_SAID));
        CHECK(SUMS, i, sum_row, gap, IN(s->gap, 0, words ? MOST_PLACE : 0) && s->gap % 2 == 0);
        CHECK(SUMS, i, sum_row, gap_at, IN(s->gap_at, s->gap > 0 ? s->at + 2 : 0, s->gap > 0 ? MOST_PLACE : 0) && s->gap_at % 2 == 0);
        CHECK(SUMS, i, sum_row, pseudo, IN(s->pseudo, 0, words ? FOR_4 | FOR_6 : 0));
        CHECK(SUMS, i, sum_row, also, s->also == (words ? ALSO_MESSAGE : 0) || (IN(s->also, 0, words ? FOR_4 | FOR_6 : 0) && (s->also & s->pseudo) == 0));
        CHECK(SUMS, i, sum_row, whole, IN(s->whole, 0, 1));
        CHECK(SUMS, i, sum_row, zero, IN(s->zero, A_SUM, words ? FORBIDDEN : A_SUM));
        CHECK(SUMS, i, sum_row, card, IN(s->card, 0, CARD | CARD_CUTS));
        CHECK(SUMS, i, sum_row, test, tests_sound_of(g, s->test, s->tests, fixed, false));
    }
    return SOUND;
}

/* Whether a number lies in the first bytes of what it is of. */
static bool read_within(const struct given *g, int64_t read, int64_t bytes)
{
    return read_sound(g, read, 0, false) && g->reads[read].bit >= 0 && g->reads[read].bit + g->reads[read].width <= 8 * bytes;
}

static struct fault lists_sound(const struct given *g)
{
    int64_t items = 0;
    for (size_t i = 0; i < g->count[LISTS]; i++) {
        const struct list_row *l = &g->lists[i];
        CHECK(LISTS, i, list_row, head, IN(l->head, 1, MAX_READ));
        CHECK(LISTS, i, list_row, type, read_within(g, l->type, l->head));
        CHECK(LISTS, i, list_row, length, read_within(g, l->length, l->head));
        CHECK(LISTS, i, list_row, scale, IN(l->scale, 0, MOST_UNITS));
        CHECK(LISTS, i, list_row, bias, IN(l->bias, l->scale == 0 ? l->head : 0, MOST_UNITS));
        CHECK(LISTS, i, list_row, align, IN(l->align, 1, 64));
        CHECK(LISTS, i, list_row, item, l->item == items && run_sound(l->item, l->items, g->count[ITEMS]));
        CHECK(LISTS, i, list_row, items, l->items <= MOST_ITEMS);
        items += l->items;
    }
    for (size_t i = 0; i < g->count[ITEMS]; i++) {
        const struct item_row *item = &g->items[i];
        CHECK(ITEMS, i, item_row, type, IN(item->type, OTHER_TYPE, UINT32_MAX));
        CHECK(ITEMS, i, item_row, kind, item->kind == -1 || IN(item->kind, FIRST_ITEM, FIRST_ITEM + MAX_ROWS));
        CHECK(ITEMS, i, item_row, how, IN(item->how, SIZED, LAST));
        CHECK(ITEMS, i, item_row, at, IN(item->at, 0, MAX_READ));
        CHECK(ITEMS, i, item_row, data, IN(item->data, 0, MAX_READ));
        CHECK(ITEMS, i, item_row, each, IN(item->each, 0, MAX_READ));
        CHECK(ITEMS, i, item_row, inside, IN(item->inside, 0, MAX_READ));
        CHECK(ITEMS, i, item_row, list, IN(item->list, -1, (int64_t)g->count[LISTS] - 1));
        CHECK(ITEMS, i, item_row, passed, item->passed == -1 || read_within(g, item->passed, MAX_READ));
        CHECK(ITEMS, i, item_row, pieces, item->pieces == -1 || read_within(g, item->pieces, MAX_READ));
        CHECK(ITEMS, i, item_row, test, tests_sound_of(g, item->test, item->tests, 0, false));
    }
    for (size_t i = 0; i < g->count[HOLDS]; i++) {
        const struct hold_row *h = &g->holds[i];
        CHECK(HOLDS, i, hold_row, kind, IN(h->kind, i > 0 ? h[-1].kind : 0, (int64_t)g->count[KINDS] - 1)
              && (g->kinds[h->kind].flags & (HIDDEN | UNFOLLOWED)) == 0);
        int64_t fixed = g->kinds[h->kind].fixed;
        CHECK(HOLDS, i, hold_row, list, IN(h->list, 0, (int64_t)g->count[LISTS] - 1));
        CHECK(HOLDS, i, hold_row, from, IN(h->from, 0, fixed));
        CHECK(HOLDS, i, hold_row, to, IN(h->to, TO_SIZE, TO_SAID));
        CHECK(HOLDS, i, hold_row, read, h->to == TO_SAID ? read_sound(g, h->read, fixed, false) : h->read == -1);
        CHECK(HOLDS, i, hold_row, scale, IN(h->scale, 0, MAX_READ));
        CHECK(HOLDS, i, hold_row, bias, IN(h->bias, -MAX_READ, MAX_READ));
        CHECK(HOLDS, i, hold_row, by, h->by == -1 || IN(h->by, FIRST_ITEM, FIRST_ITEM + MAX_ROWS));
        CHECK(HOLDS, i, hold_row, test, tests_sound_of(g, h->test, h->tests, fixed, false));
    }
    return SOUND;
}

static struct fault signatures_sound(const struct given *g)
{
    for (size_t i = 0; i < g->count[SIGNATURES]; i++) {
        const struct signature_row *s = &g->signatures[i];
        bool item = s->kind >= FIRST_ITEM;
        CHECK(SIGNATURES, i, signature_row, kind, IN(s->kind, i > 0 ? s[-1].kind + 1 : 0, FIRST_ITEM + MAX_ROWS)
              && (item || (s->kind < (int64_t)g->count[KINDS] && (g->kinds[s->kind].flags & (HIDDEN | UNFOLLOWED)) == 0)));
        CHECK(SIGNATURES, i, signature_row, code, IN(s->code, 1, 255));
        CHECK(SIGNATURES, i, signature_row, covers, IN(s->covers, OF_HEADER, OF_ITSELF));
        CHECK(SIGNATURES, i, signature_row, test, tests_sound_of(g, s->test, s->tests, item ? 0 : g->kinds[s->kind].fixed, false));
    }
    return SOUND;
}

static struct fault sound(const struct given *g)
{
    for (size_t i = 0; i < TABLES; i++)
        if (g->count[i] > MAX_ROWS || (g->count[i] == 0 && (i == KINDS || i == SPACES)))
            return (struct fault){(int64_t)i, -1, 0};
    struct fault f = numbers_sound(g);
    if (f.table < 0)
        f = kinds_sound(g);
    if (f.table < 0)
        f = spaces_sound(g);
    if (f.table < 0)
        f = sums_sound(g);
    if (f.table < 0)
        f = lists_sound(g);
    return f.table < 0 ? signatures_sound(g) : f;
}

/* ---- laid out ---- */

enum { BLOCK = 1 << 14 };

/* Memory that is given out piece by piece, and freed as a whole. */
struct block {
    struct block *before;
    _Alignas(16) uint8_t bytes[];
};

struct arena {
    struct block *last;
    size_t used, size;          /* of the last one */
    bool failed;                /* there was no memory once: what was laid out then is not whole */
    const struct condition *tests;      /* all of them, laid out, for what runs of them are of */
};

static void *take(struct arena *a, size_t size)
{
    size = (size + 15) / 16 * 16;
    if (size > a->size - a->used) {
        struct block *block = malloc(sizeof *block + (size > BLOCK ? size : BLOCK));
        if (block == NULL) {
            a->failed = true;
            return NULL;
        }
        block->before = a->last;
        a->last = block;
        a->used = 0;
        a->size = size > BLOCK ? size : BLOCK;
    }
    a->used += size;
    return a->last->bytes + a->used - size;
}

static void free_blocks(struct block *last)
{
    while (last != NULL) {
        struct block *before = last->before;
        free(last);
        last = before;
    }
}

static struct read laid_read(const struct given *g, int64_t read)
{
    if (read < 0)
        return (struct read){0};
    const struct read_row *row = &g->reads[read];
    int64_t first = row->bit >= 0 ? row->bit / 8 : -((-row->bit + 7) / 8), last = (row->bit + row->width - 1 - first * 8) / 8 + first;
    bool little = row->order == LITTLE_ENDIAN_READ;
    return (struct read){
        .at = (int32_t)first, .bytes = (uint8_t)(last - first + 1), .mask = (uint32_t)((UINT64_C(1) << row->width) - 1),
        .shift = (uint8_t)(little ? 0 : (last + 1) * 8 - row->bit - row->width), .behind = row->base == FROM_BEHIND, .little = little,
    };
}

static void lay_tests(struct arena *a, const struct given *g)
{
    struct condition *to = take(a, g->count[TESTS] * sizeof *to);
    for (size_t i = 0; to != NULL && i < g->count[TESTS]; i++) {
        const struct test_row *t = &g->tests[i];
        to[i] = (struct condition){laid_read(g, t->read), (uint32_t)t->low, (uint32_t)(t->high - t->low), (uint8_t)t->how};
        to[i].read.mask &= (uint32_t)t->mask;
    }
    a->tests = to;
}

/* A run of them; many rows have the same. */
static struct conditions laid_tests(const struct arena *a, int64_t first, int64_t count)
{
    if (count == 0 || a->tests == NULL)
        return (struct conditions){NULL, 0};
    return (struct conditions){a->tests + first, (uint32_t)count};
}

/* The same number in four bytes of a header's fixed part: those that end with its last one, or the first four. */
static bool near_of(const struct read *r, uint32_t fixed, struct near *n)
{
    int32_t end = r->at + r->bytes, from = end > 4 ? end - 4 : 0;
    if (r->behind || r->little || from > r->at || (uint32_t)from + 4 > fixed)
        return false;
    *n = (struct near){r->mask, (uint16_t)from, (uint8_t)(r->shift + 8 * (from + 4 - end))};
    return true;
}

/* Spreads the values of a space over slots, so that each has one of its own. */
static void lay_slots(struct arena *a, const struct given *g, struct space *s, const struct entry_row *rows, size_t count)
{
    uint32_t bits = 3;
    while (bits < 16 && (size_t)1 << bits < 4 * count)
        bits++;
    struct slot *slots = take(a, sizeof *slots << bits);
    if (slots != NULL)
        memset(slots, 0, sizeof *slots << bits);
    uint32_t factor = 2654435769u;              /* 2^32 over the golden ratio, and odd numbers that follow from it */
    for (int tries = 0; slots != NULL && tries < 256; tries++, factor = factor * 5 + 4) {
        size_t i = 0;
        for (; i < count; i++) {
            struct slot *slot = &slots[(uint32_t)rows[i].value * factor >> (32 - bits)];
            bool again = i > 0 && rows[i].value == rows[i - 1].value;
            if (slot->entry != 0 && !again)
                break;
            bool only = rows[i].tests == 0 && rows[i].kind >= 0 && (g->kinds[rows[i].kind].flags & UNFOLLOWED) == 0;
            if (!again)
                *slot = (struct slot){(uint32_t)rows[i].value, only ? (uint16_t)rows[i].kind : 0, (uint16_t)(i + 1)};
        }
        if (i == count) {
            s->slots = slots;
            s->factor = factor;
            s->shift = 32 - bits;
            return;
        }
        while (i-- > 0)
            slots[(uint32_t)rows[i].value * factor >> (32 - bits)] = (struct slot){0};
    }
}

static void lay_space(struct arena *a, const struct given *g, int64_t number, struct space *s, const struct kind *kinds)
{
    const struct space_row *row = &g->spaces[number];
    const struct entry_row *from = g->entries + row->entry;
    size_t count = (size_t)row->entries;
    struct entry *entries = take(a, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        struct conditions only = laid_tests(a, from[i].test, from[i].tests);
        if (entries != NULL)
            entries[i] = (struct entry){
                .value = (uint32_t)from[i].value, .more = i + 1 < count && from[i + 1].value == from[i].value,
                .tunnel = from[i].kind == TUNNEL_LEAF || (from[i].kind >= 0 && (g->kinds[from[i].kind].flags & TUNNEL) != 0),
                .kind = from[i].kind < 0 ? NULL : &kinds[from[i].kind], .only = only,
            };
    }
    *s = (struct space){
        .code = (uint64_t)row->number << 32, .counted = row->counted < 0 ? UINT64_MAX : (uint64_t)row->counted,
        .entries = entries, .count = count, .kinds = kinds,
    };
    if (!a->failed)
        lay_slots(a, g, s, from, count);
}

/* Lets a number be read times a power of two; whether that is possible, and gives no more than sums have room for. */
static bool scaled(struct near *n, int64_t scale)
{
    for (; scale > 1 && scale % 2 == 0 && n->shift > 0 && n->mask < MAX_FRAME; scale /= 2) {
        n->shift--;
        n->mask *= 2;
    }
    return scale == 1 && n->mask < 2 * MAX_FRAME;
}

/* Whether all there is to a kind is plain: one number each at most says its size, its end, and whether it goes on. */
static bool lay_plainly(struct kind *k)
{
    if ((k->numbers & SAYS_SIZE) != 0) {
        const struct term *t = &k->terms[0];
        if (k->terms_count > 1 || t->only.count > 0 || k->align > 1 || !near_of(&t->read, k->fixed, &k->size_read)
            || !scaled(&k->size_read, t->scale) || t->bias < 0)
            return false;
        k->size_bias = (uint32_t)t->bias;
    }
    if ((k->numbers & SAYS_END) != 0 && (k->end_scale != 1 || k->end_only.count > 0 || !near_of(&k->end_number, k->fixed, &k->end_read)))
        return false;
    if ((k->numbers & SAYS_WHOLE) != 0) {
        const struct condition *c = &k->whole_only.first[0];
        if (k->whole_only.count > 1 || c->how != IS || !near_of(&c->read, k->fixed, &k->whole_read))
            return false;
        k->whole_low = c->low;
        k->whole_span = c->span;
    }
    return k->trailer == 0 && k->exception != COOKED_TAGS && k->then == NULL && !k->goes_on
        && (k->flags & (HIDDEN | UNFOLLOWED | PASSES | OWN_END | END_BEHIND)) == 0;
}

/* What is looked up in a space before its slots: kinds that 1.16 knew, which most packets have, transports first. */
static struct quick laid_quick(const struct space *space, struct near read)
{
    struct quick q = {.read = read, .space = space};
    size_t count = 0;
    for (size_t i = 0; space->slots != NULL && i < space->count; i++) {
        const struct slot *slot = slot_of(space, space->entries[i].value);
        const struct kind *kind = &space->kinds[slot->kind];
        if (slot->kind == 0 || (kind->claims == 0 && kind->gives == UINT8_MAX))
            continue;
        size_t place = count;
        while (place > 0 && q.kind[place - 1]->claims < kind->claims)
            place--;
        if (place == MAX_LIKELY)
            continue;
        count += count < MAX_LIKELY;
        for (size_t k = count - 1; k > place; k--) {
            q.likely[k] = q.likely[k - 1];
            q.kind[k] = q.kind[k - 1];
        }
        q.likely[place] = slot->value;
        q.kind[place] = kind;
    }
    for (; count < MAX_LIKELY; count++)         /* with a kind of NULL: none of them */
        q.likely[count] = UINT32_MAX;
    return q;
}

/* Whether a header says where it ends in a number that can be corrected; then it is known where that stands. */
NO_COPY static bool says_length(const struct given *g, int64_t number, struct kind *k)
{
    const struct kind_row *row = &g->kinds[number];
    const struct read_row *read = row->end >= 0 ? &g->reads[row->end] : NULL;
    if (read == NULL || read->base != FROM_START || read->order != BIG_ENDIAN_READ || read->width != 16 || read->bit % 8 != 0
        || !IN(read->bit / 8, 0, row->fixed - 2) || row->end_scale != 1 || !IN(row->end_bias, 0, row->fixed))
        return false;
    k->length_at = (uint16_t)(read->bit / 8);
    return true;
}

static void lay_kind(struct arena *a, const struct given *g, size_t number, struct kind *k, const struct space *spaces,
                     const struct kind *kinds)
{
    const struct kind_row *row = &g->kinds[number];
    struct term *terms = take(a, (size_t)row->terms * sizeof *terms);
    for (int64_t i = 0; i < row->terms; i++) {
        const struct term_row *t = &g->terms[row->term + i];
        struct conditions only = laid_tests(a, t->test, t->tests);
        if (terms != NULL)
            terms[i] = (struct term){only, laid_read(g, t->read), t->read < 0 ? 0 : t->scale, t->bias};
    }
    struct rule *rules = take(a, (size_t)row->rules * sizeof *rules);
    for (int64_t i = 0; i < row->rules; i++) {
        const struct rule_row *r = &g->rules[row->rule + i];
        struct conditions only = laid_tests(a, r->test, r->tests);
        if (rules == NULL)
            continue;
        rules[i] = (struct rule){.only = only, .read = laid_read(g, r->read), .how = (uint8_t)r->how, .flags = (uint8_t)r->flags};
        switch (r->how) {
        case TO_KIND: rules[i].kind = &kinds[r->what]; break;
        case BY_SPACE: rules[i].space = &spaces[r->what]; break;
        default: rules[i].code = (uint64_t)r->what << 32;
        }
    }
    struct conditions whole = laid_tests(a, row->whole_test, row->whole_tests);
    struct conditions end_only = laid_tests(a, row->end_test, row->end_tests);
    if (a->failed)
        return;
    *k = (struct kind){
        .fixed = (uint32_t)row->fixed, .number = (uint16_t)number, .flags = (uint16_t)row->flags, .claims = (uint8_t)row->claims,
        .gives = row->gives == 0 ? UINT8_MAX : (uint8_t)row->gives, .rules_count = (uint8_t)row->rules,
        .end_least = (uint32_t)row->end_least, .end_bias = (int32_t)row->end_bias,
        .data = row->data < 0 ? UINT32_MAX : (uint32_t)row->data, .terms = terms, .rules = rules,
        .terms_count = (uint16_t)row->terms, .align = (uint8_t)row->align,
        .trailer = (uint32_t)row->trailer, .exception = (uint16_t)row->exception,
        .goes_on = row->until >= 0, .until = (uint32_t)row->until,
        .numbers = (uint8_t)((row->terms > 0 ? SAYS_SIZE : 0) | (row->end >= 0 ? SAYS_END : 0) | (whole.count > 0 ? SAYS_WHOLE : 0)
                             | (row->data >= 0 ? SAYS_DATA : 0)),
        .end_number = laid_read(g, row->end), .end_scale = (int32_t)row->end_scale, .end_only = end_only, .whole_only = whole,
        .then = row->then < 0 ? NULL : &kinds[row->then],
    };
    k->has_length = k->exception >= DATAGRAM_4 && says_length(g, (int64_t)number, k);
    k->shapes[1] = lay_plainly(k) ? ANY_SHAPE : NOT_PLAIN;
}

static void lay_sums(struct arena *a, const struct given *g, struct kind *kinds)
{
    struct sum_rule *sums = take(a, g->count[SUMS] * sizeof *sums);
    for (size_t i = 0; i < g->count[SUMS]; i++) {
        const struct sum_row *s = &g->sums[i];
        struct conditions only = laid_tests(a, s->test, s->tests);
        if (sums == NULL)
            continue;
        sums[i] = (struct sum_rule){
            .kind = &kinds[s->kind], .only = only, .read = laid_read(g, s->read), .scale = s->scale, .bias = s->bias,
            .place = (uint8_t)s->at, .bytes = (uint8_t)s->bytes, .over = (uint8_t)s->over, .nothing = (uint8_t)s->nothing,
            .gap_at = (uint8_t)s->gap_at, .gap = (uint8_t)s->gap, .pseudo = (uint8_t)s->pseudo, .also = (uint8_t)s->also,
            .zero = (uint8_t)s->zero, .card = (uint8_t)s->card, .whole = s->whole != 0,
            .always = s->bytes > 0 && only.count == 0 && s->zero != NO_SUM && s->zero != NEVER,
            .least = (uint32_t)(s->at + s->bytes > g->kinds[s->kind].fixed ? s->at + s->bytes : g->kinds[s->kind].fixed),
        };
        struct kind *k = &kinds[s->kind];
        k->sum = &sums[i];
        k->has_length |= s->over == SAID && s->read == g->kinds[s->kind].end && s->bias == 0 && says_length(g, s->kind, k);
        struct near *covered = &sums[i].covered;
        if (s->over != SAID || s->scale != 1 || s->bias != 0 || s->gap > 0 || !near_of(&sums[i].read, (uint32_t)g->kinds[s->kind].fixed, covered))
            covered->mask = 0;
        sums[i].plain = sums[i].always && (k->flags & EXTENSION) == 0 && (s->over == MESSAGE || covered->mask != 0);
    }
}

/* Whether an item with such low bits of its type may be what is known of a type, or of any. */
static bool may_be(const struct item *known, uint32_t low)
{
    return known->type < 0 || known->type % TYPES_APART == low;
}

static void lay_rows(struct arena *a, struct list *l)
{
    uint32_t count = 0;
    for (size_t i = 0; i < l->count; i++)
        count += l->items[i].type < 0 ? TYPES_APART : 1;
    uint16_t *rows = take(a, count * sizeof *rows);
    l->rows = rows;
    for (uint32_t low = 0; rows != NULL && low < TYPES_APART; low++) {
        l->first[low + 1] = l->first[low];
        for (size_t i = 0; i < l->count; i++)
            if (may_be(&l->items[i], low))
                rows[l->first[low + 1]++] = (uint16_t)i;
    }
}

static void lay_holds(struct arena *a, const struct given *g, struct kind *kinds)
{
    struct list *lists = take(a, g->count[LISTS] * sizeof *lists);
    struct item *items = take(a, g->count[ITEMS] * sizeof *items);
    struct hold *holds = take(a, g->count[HOLDS] * sizeof *holds);
    for (size_t i = 0; i < g->count[ITEMS]; i++) {
        const struct item_row *row = &g->items[i];
        struct conditions only = laid_tests(a, row->test, row->tests);
        if (items != NULL && lists != NULL)
            items[i] = (struct item){row->type, (int32_t)row->kind, (enum how)row->how, (uint32_t)row->at, (uint32_t)row->data,
                                     (uint32_t)row->each, (uint32_t)row->inside, row->list < 0 ? NULL : &lists[row->list],
                                     laid_read(g, row->passed), laid_read(g, row->pieces), only};
    }
    for (size_t i = 0; !a->failed && i < g->count[LISTS]; i++) {
        const struct list_row *row = &g->lists[i];
        struct read type = laid_read(g, row->type);
        lists[i] = (struct list){
            .type = type, .length = laid_read(g, row->length), .scale = row->scale, .bias = row->bias, .align = (uint32_t)row->align,
            .head = (uint32_t)row->head, .alone = (uint32_t)type.at + type.bytes, .items = items + row->item, .count = (size_t)row->items,
        };
        lay_rows(a, &lists[i]);
    }
    for (size_t i = 0; i < g->count[HOLDS]; i++) {
        const struct hold_row *row = &g->holds[i];
        struct conditions only = laid_tests(a, row->test, row->tests);
        if (a->failed)
            continue;
        struct kind *k = &kinds[row->kind];     /* in their order: those of a kind lie one behind the other */
        holds[i] = (struct hold){only, (int32_t)row->by, k, &lists[row->list], laid_read(g, row->read), row->scale, row->bias,
                                 (uint32_t)row->from, (enum to)row->to};
        k->holds = k->holds_count == 0 ? &holds[i] : k->holds;
        k->holds_count++;
    }
}

/* Those of headers are found by their kinds, which also know whether an item of theirs may have one. */
static const struct signature *laid_signatures(struct arena *a, const struct given *g, struct kind *kinds)
{
    struct signature *signatures = take(a, g->count[SIGNATURES] * sizeof *signatures);
    for (size_t i = 0; i < g->count[SIGNATURES]; i++) {
        const struct signature_row *row = &g->signatures[i];
        struct conditions only = laid_tests(a, row->test, row->tests);
        if (signatures == NULL)
            continue;
        signatures[i] = (struct signature){only, (uint64_t)row->code << 32, (uint16_t)row->kind, (enum covers)row->covers};
        if (row->kind < FIRST_ITEM)
            kinds[row->kind].signature = &signatures[i];
    }
    for (size_t i = 0; signatures != NULL && i < g->count[HOLDS]; i++) {
        const struct list_row *list = &g->lists[g->holds[i].list];
        for (int64_t item = list->item; item < list->item + list->items; item++)
            for (size_t n = 0; n < g->count[SIGNATURES]; n++)
                kinds[g->holds[i].kind].signs |= g->signatures[n].kind == g->items[item].kind;
    }
    for (size_t i = 0; i < g->count[KINDS]; i++)
        kinds[i].may_sign = kinds[i].signature != NULL || kinds[i].signs;
    return signatures;
}

static enum shape shape_of(unsigned numbers)
{
    switch (numbers) {
    case 0: return TAIL;
    case SAYS_DATA: return TAIL_WITH_DATA;
    case LOOKS_UP | RULES_LEFT | LIKELY: return LINK;
    case SAYS_END | SAYS_SIZE | SAYS_WHOLE | LOOKS_UP | LIKELY: return NETWORK;
    case SAYS_END | LOOKS_UP | LIKELY: return NETWORK6;
    case SAYS_END | LOOKS_UP: return TRANSPORT_WITH_END;
    case SAYS_DATA | LOOKS_UP: return CONTROL;
    case SAYS_SIZE | SAYS_DATA | LOOKS_UP: return TRANSPORT_WITH_SIZE;
    default: return ANY_SHAPE;
    }
}

static bool idle(const struct kind *k)
{
    return (k->flags & (IDLE | UNFOLLOWED)) == IDLE;
}

/* Whether only idle headers may be behind a kind, and nothing that is counted. */
static bool leads_to_idle(const struct kind *k)
{
    for (const struct rule *r = k->rules; r < k->rules + k->rules_count; r++) {
        if (r->flags != 0 || r->how == COUNTED || (r->how == BY_SPACE && r->space->counted <= UINT32_MAX)
            || (r->how == TO_KIND && !idle(r->kind)))
            return false;
        for (size_t i = 0; r->how == BY_SPACE && i < r->space->count; i++)
            if (r->space->entries[i].kind != NULL && !idle(r->space->entries[i].kind))
                return false;
    }
    return true;
}

/* The shape of a plain kind behind which nothing is looked for: its size matters no more, where its data are found without it. */
static uint8_t shape_alone(const struct kind *k)
{
    unsigned numbers = k->numbers & ~(unsigned)(LOOKS_UP | RULES_LEFT | LIKELY | SAYS_WHOLE);
    if ((numbers & SAYS_DATA) != 0 && (k->flags & MISSIZED) == 0)
        numbers &= ~(unsigned)SAYS_SIZE;
    enum shape shape = shape_of(numbers);
    return shape != ANY_SHAPE ? (uint8_t)shape : k->shapes[1];
}

/* When all kinds and spaces are there: their quick rules, and the shape that follows from all. */
static void lay_quick(struct arena *a, struct kind *k)
{
    struct near read[MAX_RUN];
    for (; k->quick_count < k->rules_count; k->quick_count++) {
        const struct rule *r = &k->rules[k->quick_count];
        if (r->how != BY_SPACE || r->only.count > 0 || r->flags != 0 || r->space->slots == NULL
            || !near_of(&r->read, k->fixed, &read[k->quick_count]))
            break;
    }
    struct quick *others = k->quick_count > 1 ? take(a, (size_t)(k->quick_count - 1) * sizeof *others) : NULL;
    if (a->failed)
        return;
    for (unsigned i = 0; i < k->quick_count; i++)
        *(i == 0 ? &k->first : &others[i - 1]) = laid_quick(k->rules[i].space, read[i]);
    k->others = others != NULL ? others : &k->first;    /* never nothing: the walk has its eye on one more than there are */
    k->numbers |= (uint8_t)((k->quick_count > 0 ? LOOKS_UP : 0) | (k->quick_count < k->rules_count ? RULES_LEFT : 0)
                            | (k->first.kind[0] != NULL ? LIKELY : 0));
    if (k->shapes[1] != NOT_PLAIN)
        k->shapes[1] = (uint8_t)shape_of(k->numbers);
    k->shapes[0] = (k->flags & IDLE) != 0 ? SKIPPED : k->shapes[1] != NOT_PLAIN && leads_to_idle(k) ? shape_alone(k) : k->shapes[1];
}

/* What each protocol of a version of IP announces: what a space says that the first rule of that header asks. */
NO_COPY static void lay_carried(struct protocols *p, enum exception exception, struct carried carried[256])
{
    const struct rule *r = NULL;
    for (const struct kind *k = p->kinds; k < p->kinds + p->count; k++)
        if (k->exception == exception)
            r = k->rules_count > 0 ? k->rules : NULL;
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        const struct entry *e = r != NULL && r->how == BY_SPACE ? entry_of(r->space, protocol) : NULL;
        bool sure = e != NULL && e->kind != NULL && e->only.count == 0 && (e->kind->flags & HIDDEN) == 0;
        bool own = sure && e->kind->exception < DATAGRAM_4 && e->kind->sum != NULL && e->kind->sum->bytes > 0;
        carried[protocol] = (struct carried){e, own ? e->kind->sum : NULL};
    }
}

/* NULL where there is no memory for all of it. */
static struct protocols *lay(struct arena *a, const struct given *g)
{
    struct protocols *p = take(a, sizeof *p);
    struct kind *kinds = take(a, g->count[KINDS] * sizeof *kinds);
    struct space *spaces = take(a, g->count[SPACES] * sizeof *spaces);
    lay_tests(a, g);
    if (a->failed)
        return NULL;
    for (size_t i = 0; i < g->count[SPACES]; i++)
        lay_space(a, g, (int64_t)i, &spaces[i], kinds);
    for (size_t i = 0; i < g->count[KINDS]; i++)
        lay_kind(a, g, i, &kinds[i], spaces, kinds);
    lay_sums(a, g, kinds);
    lay_holds(a, g, kinds);
    const struct signature *signatures = laid_signatures(a, g, kinds);
    if (a->failed)
        return NULL;
    for (size_t i = 0; i < g->count[KINDS]; i++)
        lay_quick(a, &kinds[i]);
    if (a->failed)
        return NULL;
    *p = (struct protocols){.kinds = kinds, .count = g->count[KINDS], .links = laid_quick(&spaces[0], (struct near){0}),
                            .signatures = signatures, .signatures_count = g->count[SIGNATURES]};
    lay_carried(p, DATAGRAM_4, p->carried[0]);
    lay_carried(p, DATAGRAM_6, p->carried[1]);
    return p;
}

size_t protocols_kinds(void)
{
    return protocols->count;
}

bool protocols_known(void)
{
    return protocols != NULL;
}

/* Tables that the walk goes by from now on. False: they are not sound, `fault` says where, or there is no memory (table -1). */
bool protocols_set(const struct protocol_table tables[TABLES], struct fault *fault)
{
    struct given g = {
        (const void *)tables[READS].at, (const void *)tables[TESTS].at, (const void *)tables[TERMS].at,
        (const void *)tables[KINDS].at, (const void *)tables[RULES].at, (const void *)tables[SPACES].at,
        (const void *)tables[ENTRIES].at, (const void *)tables[SUMS].at,
        (const void *)tables[LISTS].at, (const void *)tables[ITEMS].at, (const void *)tables[HOLDS].at,
        (const void *)tables[SIGNATURES].at, {0},
    };
    for (size_t i = 0; i < TABLES; i++) {
        g.count[i] = tables[i].count * sizeof(int64_t) / row_sizes[i];
        *fault = (struct fault){(int64_t)i, -1, 0};
        if (g.count[i] * row_sizes[i] != tables[i].count * sizeof(int64_t))
            return false;
    }
    *fault = sound(&g);
    if (fault->table >= 0)
        return false;
    struct arena a = {NULL, 0, 0, false, NULL};
    struct protocols *p = lay(&a, &g);
    if (p == NULL) {
        free_blocks(a.last);
        return false;
    }
    p->memory = a.last;
    p->before = protocols;
    protocols = p;
    return true;
}

/* Back to what was set before, for tests; nobody may be in a walk. */
void protocols_reset(void)
{
    struct protocols *last = protocols;
    protocols = last->before;
    free_blocks(last->memory);
}

/* Lets the walk go by these tables without what is quick about it, for tests: it must find the same. */
void protocols_slow(void)
{
    for (size_t i = 0; i < protocols->count; i++)
        protocols->kinds[i].shapes[0] = protocols->kinds[i].shapes[1] = NOT_PLAIN;
    memset(protocols->links.kind, 0, sizeof protocols->links.kind);
}

/* ---- read ---- */

/* A number of a header that begins at `at` and ends at `behind`; 0 where not all of its bytes are there. */
uint32_t read_number(const struct read *r, const struct frame *f, size_t at, size_t behind)
{
    at = r->behind ? behind : at;
    if (r->at < 0 && at < (size_t)-r->at)
        return 0;
    at += (size_t)(ptrdiff_t)r->at;
    if (!frame_has(f, at, r->bytes))
        return 0;
    uint64_t value = 0;
    const uint8_t *from = frame_range(f, at, r->bytes);
    if (r->bytes == 1)
        value = from[0];
    else if (r->bytes == 2 && !r->little)
        value = (uint64_t)from[0] << 8 | from[1];
    else
        for (unsigned i = 0; i < r->bytes; i++)
            value = value << 8 | from[r->little ? r->bytes - 1 - i : i];
    return (uint32_t)(value >> r->shift) & r->mask;
}

/* Whether conditions hold of a header that begins at a place, ends at another, and lies in what ends at `limit`. */
NO_COPY bool hold_within(const struct conditions *c, const struct frame *f, size_t at, size_t behind, size_t limit)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct condition *one = &c->first[i];
        uint32_t number = read_number(&one->read, f, at, behind);
        if (one->how == LEAVES && number > limit - at)
            return false;
        if (one->how == LEAVES)
            number = (uint32_t)(limit - at) - number;
        if ((number - one->low <= one->span) == (one->how == IS_NOT))
            return false;
    }
    return true;
}

/* The first entry of a value; NULL: there is none. */
const struct entry *entry_of(const struct space *s, uint64_t value)
{
    if (s->slots != NULL) {
        const struct slot *slot = slot_of(s, (uint32_t)value);
        return slot->value == value ? entry_in(s, slot) : NULL;
    }
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->entries[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && s->entries[low].value == value ? &s->entries[low] : NULL;
}
