/* What looks into frames and changes them: the walk, checksums, filters and assignments. */
#include "addresses.h"
#include "alike.h"
#include "codec.h"
#include "conversations.h"
#include "cryptopan.h"
#include "doubles.h"
#include "line.h"
#include "fuzz.h"
#include "listing.h"
#include "payloads.h"
#include "segments.h"
#include "programs.h"           /* written by seeds.py */
#include "relay.h"
#include "spans.h"
#include "splice.h"
#include "statistics.h"
#include "wrapping.h"

#include <stdlib.h>

#define JUMBO (68 << 10)        /* zeros behind a frame: more than lengths of 16 bits can say */

/* A frame in memory of its own, and what its row says of it. */
struct sample {
    struct writable_frame whole;
    struct frame frame;         /* the same, to be read */
    int64_t original, linktype;
};

/* One byte: the link type; two: the size on the wire, 0 for that of the frame, 0xFFFF for the largest; one: zeros behind the
 * frame, 255 for very many. Then a frame. */
static struct sample take_sample(struct input *in)
{
    struct sample s = {.linktype = take_linktype(in)};
    unsigned original = take16(in), zeros = take8(in);
    size_t size = in->size + (zeros == 255 ? JUMBO : zeros);
    s.whole = writable(exact(NULL, size), size);
    s.frame = s.whole.view;
    memset(s.whole.at, 0, size);
    if (in->size > 0)
        memcpy(s.whole.at, in->at, in->size);
    s.original = original == 0 ? (int64_t)s.frame.size : original == 0xFFFF ? UINT32_MAX : original;
    return s;
}

static struct writable_frame copied(const struct frame *f)
{
    return writable(exact(f->at, f->size), f->size);
}

static void discard(struct writable_frame *f)
{
    release(f->at, f->view.size);
}

static bool same_bytes(const struct frame *a, const struct frame *b)
{
    return equal(a->at, b->at, a->size);
}

/* Bugs for tests/test_fuzz.py to find, one for each judge: who sees nothing here would see nothing elsewhere. */
static void planted(const struct sample *s)
{
#ifdef PLANTED
    static volatile int64_t number = INT64_MAX;
    switch (s->linktype == 147 ? s->frame.size : 0) {
    case 1: number = s->frame.at[s->frame.size]; break;
    case 2: number += (int64_t)s->frame.size; break;
    case 3: EXPECT(s->frame.size < 3); break;
    case 4: while (number > 0); break;
    default: break;
    }
#endif
    (void)s;
}

/* ---- walk, check, correct, update ---- */

/* Headers lie within the frame, each behind the start of the one before, its data within it. */
static struct packet_view walked(const struct frame *f, const struct sample *s)
{
    struct packet_view view = {.frame = *f, .original = s->original};
    walk(&view.walk, f, s->linktype);
    EXPECT(view.walk.count > 0 && view.walk.count <= MAX_HEADERS);
    for (size_t i = 0; i < view.walk.count; i++) {
        const struct header *h = &view.walk.header[i];
        EXPECT((unsigned)h->kind < OUR_KINDS);
        EXPECT(h->start <= h->data && h->data <= h->end && h->end <= f->size);
        EXPECT(i == 0 || h->start > h[-1].start);
    }
    struct walk busy;
    walk_busy(&busy, f, s->linktype);
    size_t count = 0;
    for (size_t i = 0; i < view.walk.count && view.walk.count < MAX_HEADERS; i++) {
        const struct header *h = &view.walk.header[i], *g = &busy.header[count];
        if (is_idle((int64_t)h->kind))
            continue;
        EXPECT(count++ < busy.count && g->kind == h->kind && g->start == h->start && g->data == h->data && g->end == h->end);
    }
    bool deep = view.walk.beyond == MAX_HEADERS;    /* idle ones may have been */
    EXPECT(view.walk.count == MAX_HEADERS || (count == busy.count && busy.partial == view.walk.partial));
    EXPECT(deep || busy.beyond == view.walk.beyond);
    leave_out_quoted(&view.walk);               /* as those do that judge and change packets */
    return view;
}

static bool same_walk(const struct walk *a, const struct walk *b)
{
    bool same = a->count == b->count && a->partial == b->partial && a->beyond == b->beyond;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct header *h = &a->header[i], *g = &b->header[i];
        same = h->kind == g->kind && h->start == g->start && h->data == g->data && h->end == g->end;
    }
    return same;
}

static bool has_verdict(const struct packet_view *view, enum verdict which)
{
    enum verdict verdicts[MAX_HEADERS];
    verify(view, verdicts);
    for (size_t i = 0; i < view->walk.count; i++)
        if (verdicts[i] == which)
            return true;
    return false;
}

/* Corrected once is corrected; and what was corrected in full is right. */
static void try_correct(const struct sample *s, enum correction what)
{
    struct writable_frame once = copied(&s->frame);
    struct corrected corrected;
    enum outcome outcome = correct(&once, s->original, s->linktype, what, MAX_HEADERS, &corrected);
    struct writable_frame twice = copied(&once.view);
    EXPECT(outcome < WRONG && (corrected.wrong || corrected.unfinished || what == LENGTHS || same_bytes(&once.view, &s->frame)));
    if (what != TRANSPORT) {                    /* what is left to the card is taken for what is there, once */
        bool doubt = corrected.doubt != SURE;      /* what was in doubt may look otherwise, corrected */
        bool same = correct(&twice, s->original, s->linktype, what, MAX_HEADERS, &corrected) == outcome;
        EXPECT((same && same_bytes(&once.view, &twice.view)) || doubt);
        EXPECT((!corrected.wrong && !corrected.unfinished) || doubt);
    }
    if (outcome == CORRECTED && what != TRANSPORT) {
        struct packet_view view = walked(&once.view, s);
        enum outcome found = check(&once.view, s->original, s->linktype, &(uint64_t){0});
        EXPECT(found != WRONG && found != UNFINISHED && !has_verdict(&view, BAD) && !has_verdict(&view, LEFT));
    }
    discard(&once);
    discard(&twice);
}

static bool same_checksum(const struct packet_view *before, const struct checksum *c, const struct packet_view *after,
                          const struct checksum *d)
{
    return c->at == d->at && c->size == d->size && equal(before->frame.at + c->at, after->frame.at + d->at, c->size);
}

/* Whether an edit left the headers and all checksums where they were and as they were: the contents alone differ. */
static bool only_contents(const struct packet_view *before, const struct packet_view *after)
{
    bool same = same_walk(&before->walk, &after->walk);
    for (size_t i = 0; same && i < before->walk.count; i++) {
        if (!carries_message(&before->walk.header[i]))
            continue;
        struct message m;
        struct checksum head = header_checksum(before, i), later = header_checksum(after, i), c, d;
        message_checksum(before, i, &m, &c);
        message_checksum(after, i, &m, &d);
        same = same_checksum(before, &head, after, &later) && same_checksum(before, &c, after, &d);
    }
    return same;
}

/* After an edit, checksums follow: without one nothing changes, and what was right is not wrong if its contents were edited. */
static void try_update(const struct sample *s, const struct frame *edited)
{
    struct writable_frame after = copied(edited);
    struct packet_view before = walked(&s->frame, s), now = walked(edited, s);
    bool contents = only_contents(&before, &now);
    struct followed left = update(&s->frame, &after, s->original, s->linktype);
    bool done = !left.stale && !left.unknown;
    if (same_bytes(&s->frame, edited))
        EXPECT(done && same_bytes(&after.view, edited));
    if (done && contents && check(&s->frame, s->original, s->linktype, &(uint64_t){0}) == CORRECTED)
        EXPECT(check(&after.view, s->original, s->linktype, &(uint64_t){0}) != WRONG);
    discard(&after);
}

/* The sum of words, each by itself. */
static uint32_t plain_sum(const uint8_t *at, size_t size)
{
    uint64_t total = 0;
    for (size_t i = 0; i < size; i++)
        total += i % 2 == 0 ? (uint64_t)at[i] << 8 : at[i];
    while (total >> 16 != 0)
        total = (total & 0xFFFF) + (total >> 16);
    return (uint32_t)total;
}

/* Vectors, wide or not, give the same; from every place on, odd ones too. */
static void try_sum(const struct frame *f)
{
    for (size_t at = 0; at <= least(f->size, 40); at++) {
        uint32_t expected = plain_sum(f->at + at, f->size - at);
        EXPECT(sum(f->at + at, f->size - at) == expected);
        words_use(false);
        EXPECT(sum(f->at + at, f->size - at) == expected);
        words_use(true);
    }
}

/* What a frame carries becomes zeros, and checksums follow: then there is nothing more. */
static void try_wipe(const struct sample *s)
{
    int32_t headers[512], items[256];
    for (size_t i = 0; i < 512; i++)
        headers[i] = i % 5 == 4 ? -1 : (int32_t)(i % 64);
    for (size_t i = 0; i < 256; i++)
        items[i] = (int32_t)(i % 8) - 1;
    struct kept kept = {headers, items, 512, 256};
    struct writable_frame after = copied(&s->frame), again = copied(&s->frame);
    struct wiped found = wipe(&s->frame, s->linktype, &kept, &after);
    EXPECT(found.any != same_bytes(&s->frame, &after.view));
    for (size_t i = 0; i < s->frame.size; i++)
        EXPECT(after.at[i] == s->frame.at[i] || after.at[i] == 0);
    update(&s->frame, &after, s->original, s->linktype);
    if (s->frame.size > 0)
        memcpy(again.at, after.at, s->frame.size);
    wipe(&after.view, s->linktype, &kept, &again);
    discard(&after);
    discard(&again);
}

/* What came before is found again, whatever little room there is; else it is said that it may have been there. */
static void try_doubles(const struct tolerance *t, const struct sample *s, const struct frame *other)
{
    struct doubles d = {.window = 2, .within = -1, .memory = (int64_t)(s->frame.size % 3 * 300), .tolerance = *t, .padding = true};
    const struct frame *frames[] = {&s->frame, other, &s->frame, other, other};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct packet p = {.captured = (int64_t)frames[i]->size, .original = s->original, .linktype = s->linktype};
        uint8_t found;
        EXPECT(doubles_find(&d, frames[i]->at, &p, 1, &found));
        EXPECT(i < 2 || found == A_DOUBLE || found == FORGOTTEN);
    }
    doubles_end(&d);
}

/* A packet is the same as itself, and another one the same whichever comes first; of each kind of header some bits may differ. */
static void try_alike(const struct sample *s, const struct frame *other)
{
    enum { KINDS = 512 };
    int64_t first[KINDS + 1];
    struct leeway places[2 * KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        first[i] = (int64_t)(2 * i);
        places[2 * i] = (struct leeway){(int64_t)(i * 7 % 160), (int64_t)(i % 40), 0};
        places[2 * i + 1] = (struct leeway){80, 16, 1};
    }
    first[KINDS] = 2 * KINDS;
    struct tolerance t = {.within = -1, .first = first, .kinds = KINDS, .places = places, .count = 2 * KINDS};
    EXPECT(tolerance_sound(&t));
    struct packet p = {.captured = (int64_t)s->frame.size, .original = s->original, .linktype = s->linktype}, q = p;
    q.captured = (int64_t)other->size;
    EXPECT(alike(&t, s->frame.at, &p, s->frame.at, &p));
    bool same = alike(&t, s->frame.at, &p, other->at, &q);
    EXPECT(same == alike(&t, other->at, &q, s->frame.at, &p));
    EXPECT(same || !same_bytes(&s->frame, other));
    struct writable_frame blanked = copied(&s->frame);
    blank(&t, &blanked, s->linktype);
    for (size_t i = 0; i < s->frame.size; i++)
        EXPECT((blanked.at[i] & ~s->frame.at[i]) == 0);
    discard(&blanked);
    struct writable_frame left = copied(&s->frame), again = copied(&s->frame);
    uint64_t follow, follow_again;
    size_t size = reduce(&t, true, &left, s->original, s->linktype, &follow);
    EXPECT(size <= s->frame.size && size == reduce(&t, true, &again, s->original, s->linktype, &follow_again));
    EXPECT(follow == follow_again && equal(left.at, again.at, size));
    discard(&again);
    discard(&left);
    try_doubles(&t, s, other);
}

/* Octets at places, of which some are behind the frame's end: as many as are said, those that stand there, each with its neighbours;
 * the same in another frame if those are, one by one. */
static void try_spans(const struct sample *s, const struct frame *other)
{
    const struct frame *f = &s->frame;
    const int64_t size = (int64_t)f->size, places[] = {0, 6, 12, size / 2, size, size + 9, INT64_MAX};
    enum { PLACES = sizeof places / sizeof *places };
    struct span spans[PLACES];
    for (size_t i = 0; i < PLACES; i++)
        spans[i] = (struct span){least((size_t)places[i], (size_t)places[(i + 1) % PLACES]), places[(i + 1) % PLACES]};
    struct spans of = {spans, PLACES}, none = {NULL, 0}, turned = {&(struct span){2, 1}, 1}, before = {&(struct span){-1, 1}, 1};
    EXPECT(spans_sound(&of) && spans_sound(&none) && !spans_sound(&turned) && !spans_sound(&before));
    const size_t all = spans_size(&of, f->size);
    uint8_t *octets = malloc(all > 0 ? all : 1);
    EXPECT(octets != NULL);
    spans_copy(octets, &of, f);
    size_t at = 0;
    bool same = other->size == f->size;
    for (size_t i = 0; i < PLACES; i++)
        for (int64_t k = spans[i].begin; k < spans[i].end && k < size; k++, at++) {
            EXPECT(octets[at] == f->at[k]);
            same = same && other->at[k] == f->at[k];
        }
    EXPECT(at == all);
    EXPECT(spans_same(&of, f, f) && spans_same(&none, f, f));
    EXPECT(other->size != f->size || same == spans_same(&of, f, other));
    free(octets);
}

/* One byte: how many edits, up to 7; three for each: a place and a value. Then a sample. */
void fuzz_checksums(struct input *in)
{
    struct input edits = *in;
    for (unsigned left = take8(in) % 8 * 3; left > 0; left--)
        take8(in);
    struct sample s = take_sample(in);
    planted(&s);
    try_sum(&s.frame);
    try_wipe(&s);
    struct packet_view view = walked(&s.frame, &s);
    struct writable_frame before = copied(&s.frame), edited = copied(&s.frame);
    enum outcome outcome = check(&s.frame, s.original, s.linktype, &(uint64_t){0});
    EXPECT(outcome < OUTCOMES && !(has_verdict(&view, BAD) && outcome == CORRECTED));
    EXPECT(same_bytes(&before.view, &s.frame)); /* looking changes nothing */
    try_update(&s, &edited.view);
    for (unsigned left = take8(&edits) % 8; left > 0; left--) {
        size_t at = take16(&edits);
        put8(&edited, at, take8(&edits));
    }
    try_update(&s, &edited.view);
    try_alike(&s, &edited.view);
    try_spans(&s, &edited.view);
    try_correct(&s, ALL);
    try_correct(&s, LENGTHS);
    try_correct(&s, TRANSPORT);
    struct corrected corrected;
    correct(&s.whole, s.original, s.linktype, ALL, MAX_HEADERS, &corrected);    /* edits of packets that are right, too */
    for (size_t i = 0; i < s.frame.size; i++)
        edited.at[i] = edited.at[i] != before.at[i] ? edited.at[i] : s.frame.at[i];
    try_update(&s, &edited.view);
    discard(&before);
    discard(&edited);
    discard(&s.whole);
}

/* ---- filters and assignments ---- */

static void try_matches(const struct sample *s, const struct program *p)
{
    struct writable_frame before = copied(&s->frame);
    struct packet packet = {.captured = (int64_t)s->frame.size, .original = s->original, .linktype = s->linktype};
    packet.notes_size = packet.captured;          /* what lies there may be any: lines, too */
    struct walk busy;
    walk_busy(&busy, &s->frame, s->linktype);
    bool alone = matches(p, &s->frame, &packet, &packet, s->frame.at, 1, NULL);
    EXPECT(matches(p, &s->frame, &packet, &packet, s->frame.at, 1, &busy) == alone);
    EXPECT(same_bytes(&before.view, &s->frame));
    discard(&before);
}

static void try_assign(const struct sample *s, const struct program *p)
{
    struct writable_frame edited = copied(&s->frame);
    size_t count = assignment_count(p);
    size_t *placed = (size_t *)(void *)exact(NULL, count * sizeof *placed);
    size_t *cut = (size_t *)(void *)exact(NULL, count * sizeof *cut);
    memset(placed, 0, count * sizeof *placed);
    memset(cut, 0, count * sizeof *cut);
    size_t columns = series_count(p);
    struct value *series = (struct value *)(void *)exact(NULL, columns * sizeof *series);
    for (size_t i = 0; i < columns; i++)
        series[i] = (struct value){i % 2, (uint64_t)s->original * (i + 1)};
    assign(p, &edited, s->linktype, placed, cut, series, 1);
    release((uint8_t *)series, columns * sizeof *series);
    for (size_t i = 0; i < count; i++)
        EXPECT(placed[i] <= 1 && cut[i] <= 1);
    release((uint8_t *)placed, count * sizeof *placed);
    release((uint8_t *)cut, count * sizeof *cut);
    try_update(s, &edited.view);
    discard(&edited);
}

/* A sample meets each program of seeds.py. */
void fuzz_table(struct input *in)
{
    struct sample s = take_sample(in);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        EXPECT(tests_sound(&filters[i]));
        try_matches(&s, &filters[i]);
    }
    for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++) {
        EXPECT(assignments_sound(&assignments[i]));
        try_assign(&s, &assignments[i]);
    }
    discard(&s.whole);
}

/* Three bytes: which filter, which assignments, what is corrected; beyond those that there are: none. Then a text. */
void fuzz_relay(struct input *in)
{
    size_t keep = take8(in), change = take8(in), corrects = take8(in);
    bool filters_it = keep < sizeof filters / sizeof *filters, sound = change < sizeof assignments / sizeof *assignments;
    bool changes_it = sound && series_count(&assignments[change]) == 0;
    size_t all = changes_it ? assignment_count(&assignments[change]) : 0;
    struct relay r = {
        .keep = filters_it ? &filters[keep] : NULL, .assignments = changes_it ? &assignments[change] : NULL, .style = {16, false},
        .corrects = corrects <= TRANSPORT ? (int)corrects : -1, .linktype = 1, .said = 1, .number = 1,
        .placed = calloc(4 * all + 1, sizeof *r.placed),
    };
    EXPECT(r.placed != NULL);
    uint8_t *text = exact(in->at, in->size);
    for (int step = 0; step < 2; step++) {      /* counts go on */
        struct relay before = r;
        bool done = relay_step(&r, text, in->size, 0);
        struct text_decoder again = {.linktype = 1};
        if (done && r.out.size > 0)
            text_decode(&again, r.out.at, r.out.size, true);
        EXPECT(again.error == NO_ERROR);
        EXPECT(again.consumed < r.out.size || !done || (int64_t)count_of(&again.packets) == r.passed - before.passed);
        EXPECT(done ? r.came > before.came && r.number - before.number == r.passed - before.passed
                    : r.came == before.came && r.passed == before.passed && r.met == before.met && r.lines == before.lines);
        bytes_free(&again.data);
        bytes_free(&again.packets);
    }
    release(text, in->size);
    bytes_free(&r.out);
    free(r.placed);
}

/* A column of a program in few bytes: one for -14 to 239, and two or eight behind a 254 or 255. Twin of `column` in seeds.py. */
static int64_t take_column(struct input *in)
{
    unsigned first = take8(in);
    if (first < 240)
        return first;
    if (first < 254)
        return (int64_t)first - 254;
    uint64_t value = 0;
    for (unsigned left = first == 254 ? 2 : 8; left > 0; left--)
        value = value << 8 | take8(in);
    return (int64_t)value;
}

/* One byte: how many columns; then they. */
static int64_t *take_columns(struct input *in, size_t *count)
{
    *count = take8(in);
    int64_t *columns = (int64_t *)(void *)exact(NULL, *count * sizeof *columns);
    for (size_t i = 0; i < *count; i++)
        columns[i] = take_column(in);
    return columns;
}

/* One byte: 1 for assignments, 2 for fields of its own. Then those fields; the code; one byte: how many constants; they; a sample. */
void fuzz_program(struct input *in)
{
    unsigned choice = take8(in);
    size_t columns = 0;
    uint16_t *fields = NULL;
    struct program p = {.fields = field_table, .field_count = sizeof field_table / sizeof *field_table};
    if ((choice & 2) != 0) {
        columns = take8(in);
        fields = (uint16_t *)(void *)exact(NULL, columns * sizeof *fields);
        for (size_t i = 0; i < columns; i++)
            fields[i] = (uint16_t)take_column(in);
        p.fields = (const struct field *)fields;
        p.field_count = columns * sizeof *fields / sizeof *p.fields;
    }
    int64_t *code = take_columns(in, &p.code_count);
    p.code = code;
    p.constants_size = take8(in);
    p.constants_size = least(p.constants_size, in->size);
    uint8_t *constants = exact(in->at, p.constants_size);
    p.constants = constants;
    in->at += p.constants_size;
    in->size -= p.constants_size;
    struct sample s = take_sample(in);
    if ((choice & 1) == 0 && tests_sound(&p))
        try_matches(&s, &p);
    if ((choice & 1) != 0 && assignments_sound(&p))
        try_assign(&s, &p);
    discard(&s.whole);
    release(constants, p.constants_size);
    release((uint8_t *)code, p.code_count * sizeof *code);
    if (fields != NULL)
        release((uint8_t *)fields, columns * sizeof *fields);
}

/* One byte: how many instructions. Each is its code's lower byte, jt, jf, and k as a column; then a sample. */
void fuzz_bpf(struct input *in)
{
    size_t size = take8(in) * sizeof(uint64_t);
    uint8_t *program = exact(NULL, size);
    for (size_t at = 0; at < size; at += 8) {
        uint16_t code = (uint16_t)take8(in);
        uint8_t jumps[2] = {(uint8_t)take8(in), (uint8_t)take8(in)};
        uint32_t k = (uint32_t)take_column(in);
        memcpy(program + at, &code, sizeof code);
        memcpy(program + at + 2, jumps, sizeof jumps);
        memcpy(program + at + 4, &k, sizeof k);
    }
    struct sample s = take_sample(in);
    if (bpf_sound(program, size)) {
        struct writable_frame before = copied(&s.frame);
        uint32_t result = bpf_run(program, &s.frame, (uint32_t)s.original);
        EXPECT(bpf_run(program, &s.frame, (uint32_t)s.original) == result);
        EXPECT(same_bytes(&before.view, &s.frame));
        discard(&before);
    }
    discard(&s.whole);
    release(program, size);
}

/* Where a few stations are; `source` is the port that frames come from. */
struct few {
    size_t count;
    int source;
    struct {
        uint8_t mac[6];
        int port;
    } at[3];
};

static int few_find(void *of, const uint8_t *mac)
{
    struct few *few = of;
    for (size_t i = 0; i < few->count; i++)
        if (memcmp(few->at[i].mac, mac, 6) == 0)
            return few->at[i].port;
    return TO_ALL;
}

static enum learning few_learn(void *of, const uint8_t *mac)
{
    struct few *few = of;
    for (size_t i = 0; i < few->count; i++)
        if (memcmp(few->at[i].mac, mac, 6) == 0) {
            bool moved = few->at[i].port != few->source;
            few->at[i].port = few->source;
            return moved ? MOVED : KNOWN;
        }
    if (few->count == sizeof few->at / sizeof *few->at)
        return FULL;
    memcpy(few->at[few->count].mac, mac, 6);
    few->at[few->count++].port = few->source;
    return LEARNT;
}

/* One byte: the port that frames come from. Each frame is a byte, its size, and its bytes. The first is of another port. */
void fuzz_bridge(struct input *in)
{
    enum { MOST = 64 };
    struct few few = {.source = (int)(take8(in) & 3)}, alone;
    size_t size = in->size, at = 0, count = 0;
    uint8_t *data = exact(in->at, size);
    struct packet *packets = (struct packet *)exact(NULL, MOST * sizeof *packets);
    for (; at < size && count < MOST; count++) {
        size_t whole = data[at] < size - at - 1 ? data[at] : size - at - 1;
        packets[count] = (struct packet){.offset = (int64_t)at + 1, .captured = (int64_t)whole, .original = (int64_t)whole, .linktype = 1};
        at += 1 + whole;
    }
    if (count > 0 && packets[0].captured >= 12) {
        memcpy(few.at[0].mac, data + packets[0].offset + 6, 6);
        few.at[0].port = few.source ^ 1;
        few.count = 1;
    }
    alone = few;
    int *out = (int *)exact(NULL, MOST * sizeof *out);
    int64_t counts[FORWARD_COUNTS] = {0};
    struct stations together = {&few, few_find, few_learn}, each = {&alone, few_find, few_learn};
    EXPECT(forward(data, packets, count, few.source, &together, out, counts));
    int64_t sums[FORWARD_COUNTS] = {0};
    for (size_t i = 0; i < count; i++) {
        int one;
        EXPECT(forward(data, packets + i, 1, alone.source, &each, &one, sums));
        EXPECT(out[i] == one);
        EXPECT(one == TO_NOBODY || one == TO_ALL || (one >= 0 && one < 4 && one != few.source));
    }
    EXPECT(counts[FORWARD_FULL] <= sums[FORWARD_FULL]);         /* once for frames of one station that follow each other */
    counts[FORWARD_FULL] = sums[FORWARD_FULL];
    EXPECT(equal(counts, sums, sizeof counts) && few.count == alone.count);
    for (size_t i = 0; i < few.count; i++)
        EXPECT(equal(few.at[i].mac, alone.at[i].mac, 6) && few.at[i].port == alone.at[i].port);
    release((uint8_t *)out, MOST * sizeof *out);
    release((uint8_t *)packets, MOST * sizeof *packets);
    release(data, size);
}

/* ---- tables of protocols ---- */

void packets_prepare(void)
{
    const struct field_table fields = {
        field_table, sizeof field_table / sizeof *field_table, field_traits, field_names, sizeof field_names - 1,
    };
    struct fault fault;
    EXPECT(protocols_set(OUR_PROTOCOLS, &fault));
    bool sound;
    EXPECT(fields_set(&fields, &sound) && sound && names_set(&fields, 0, NULL, &sound) && sound);
    EXPECT(templates_set(&fields, our_templates, (struct name){our_template_text, sizeof our_template_text}, &sound) && sound);
    EXPECT(line_set(our_lines, &sound) && sound);
}

/* A packet as a line, twice: printable, and one line each. */
static void try_line(const struct sample *s)
{
    struct bytes out = {0}, whole = {0};
    struct telling told = {0};
    struct line_state state = {0};
    const struct conversation_rules rules = {
        .level = BY_PORTS, .most = 10, .memory = 1 << 20, .forget = true, .seed = 1, .ends = our_ends, .apart = our_apart,
        .ends_count = sizeof our_ends / sizeof *our_ends, .apart_count = sizeof our_apart / sizeof *our_apart,
    };
    struct conversations t = {0};
    EXPECT(conversations_begin(&t, &rules));
    const struct line_style style = {.time = ABSOLUTE_TIME, .conversations = &t};
    const struct packet p = {.captured = (int64_t)s->frame.size, .original = s->original, .linktype = s->linktype};
    for (int i = 0; i < 2; i++)
        EXPECT(line_add(&out, &told, &whole, &s->frame, &p, &style, &state) == LINE_DONE);
    size_t lines = 0;
    for (size_t i = 0; i < out.size; i++) {
        lines += out.at[i] == '\n';
        EXPECT(out.at[i] == '\n' || (out.at[i] >= 0x20 && out.at[i] <= 0x7E));
    }
    EXPECT(lines == 2);
    telling_free(&told);
    bytes_free(&out);
    bytes_free(&whole);
    conversations_end(&t);
}

/* Fields as lines: each is a name, a colon, tabs, and a value of characters. */
static void try_lines(const struct sample *s)
{
    for (int which = FIELDS_OF_1_16; which <= ALL_FIELDS; which++) {
        struct lines lines = {.decimal = s->frame.size % 2 == 1};
        EXPECT(lines_add(&lines, &s->frame, s->linktype, (enum which_fields)which));
        const uint8_t *at = lines.text.at, *end = at + lines.text.size;
        size_t count = 0;
        for (; at < end; count++) {
            const uint8_t *stop = memchr(at, '\n', (size_t)(end - at)), *colon = memchr(at, ':', (size_t)(end - at));
            EXPECT(stop != NULL && colon != NULL && colon > at && colon + 2 < stop && colon[1] == '\t');
            for (const uint8_t *c = at; c < stop; c++)
                EXPECT(*c == '\t' || (*c >= 0x20 && *c <= 0x7E));
            at = stop + 1;
        }
        EXPECT(count == lines.count);
        for (enum row_code code = PORTABLE; code < WIDEST; code++) {
            struct lines other = {.decimal = lines.decimal};
            rows_use(code);
            EXPECT(lines_add(&other, &s->frame, s->linktype, (enum which_fields)which) && equal_bytes(&lines.text, &other.text));
            lines_free(&other);
        }
        rows_use(WIDEST);
        lines_free(&lines);
    }
}

/* Packets as JSON: a line each, of characters, with as many brackets that open as that close. */
static void try_json(const struct sample *s)
{
    struct json json = {0};
    struct packet p = {.captured = (int64_t)s->frame.size, .original = (int64_t)s->frame.size, .linktype = s->linktype};
    for (int64_t number = 1; number < 3; number++) {
        json.text.size = 0;
        EXPECT(json_add(&json, s->frame.at, &p, number));
        long depth = 0;
        bool string = false;
        for (size_t i = 0; i < json.text.size - 1; i++) {
            uint8_t c = json.text.at[i];
            EXPECT(c >= 0x20 && c <= 0x7E);
            string ^= c == '"';         /* none is escaped: in a text it is `\\x22` */
            depth += string ? 0 : (c == '{' || c == '[') - (c == '}' || c == ']');
        }
        EXPECT(depth == 0 && !string);
        EXPECT(json.text.at[json.text.size - 1] == '\n');
    }
    json_free(&json);
}

/* The packet counted, again and again at other times, with room for all groups and for few: nothing is lost. */
static void try_statistics(const struct sample *s)
{
    enum { COUNT = 9 };
    static const struct grouping by[] = {{0, 1}, {1, -1}, {40, 2}, {200, 1}, {600, 1}, {900, -3}, {OF_IFACE, 1}, {OF_NOTE, -2}};
    static const int64_t times[COUNT] = {0, -1, 5000, INT64_MAX, INT64_MIN, 1, 1 << 30, -(1 << 30), 7};
    for (uint64_t memory = 0; memory < 1000; memory += 333) {
        struct statistics c = {.wanted = PATHS | TALKERS | BY_FIELDS};
        c.program = (struct program){.fields = field_table, .field_count = sizeof field_table / sizeof *field_table,
                                     .code = (const int64_t *)by, .code_count = 2 * sizeof by / sizeof *by};
        EXPECT(grouping_sound(&c.program) && statistics_begin(&c, memory));
        for (int i = 0; i < COUNT; i++) {
            struct packet p = {.captured = (int64_t)s->frame.size, .original = s->original, .time = times[i], .linktype = s->linktype};
            EXPECT(statistics_add(&c, &p, &p, &s->frame, &s->frame));
        }
        EXPECT(groups_add_waiting(&c.talkers) && c.talkers.come == c.talkers.counted && c.talkers.held <= memory);
        int64_t bins = 0, sizes = 0;
        for (size_t i = 0; i < BINS; i++)
            bins += c.series.bin[i][0];
        for (size_t i = 0; i <= SIZES; i++)
            sizes += c.sizes[i];
        EXPECT(bins == COUNT && sizes == COUNT && c.totals[PACKETS] == COUNT);
        struct bytes sorted = {0};
        EXPECT(groups_sorted(&c.fields, 0, true, &sorted) && sorted.size / sizeof(struct group *) == c.fields.count);
        int64_t counted = c.fields.others[PACKETS_FROM];
        for (size_t i = 0; i < c.fields.count; i++)
            counted += ((struct group **)(void *)sorted.at)[i]->counts[PACKETS_FROM];
        EXPECT(counted == COUNT && c.fields.held <= memory);
        bytes_free(&sorted);
        statistics_end(&c);
    }
}

/* Packets in order, copied into room that is enough and that is not: octets and keys go along. */
static void try_gathering(const struct packet *p, size_t count, const uint8_t *data, size_t size)
{
    for (size_t room = size / 2, enough = size + count * RECORD; room <= enough; room += enough - size / 2) {
        struct gathered g = {.data = {.at = exact(NULL, room), .room = room, .held = true}};
        size_t stop = gather_rows(data, size, p, 0, count, true, &g);
        const struct packet *q = (const struct packet *)(const void *)g.rows.at;
        EXPECT(stop == count_of(&g.rows) && (stop == count || room < enough));
        for (size_t i = 0; i < stop; i++) {
            EXPECT(equal(data + p[i].offset, g.data.at + q[i].offset, (size_t)p[i].captured));
            EXPECT(sort_key_order(sort_key_of(data, size, &p[i]), sort_key_of(g.data.at, g.data.size, &q[i])) == 0);
        }
        release(g.data.at, room);
        bytes_free(&g.rows);
    }
}

/* Packets in order, merged with themselves: there are two of each key. */
static void try_merging(const struct packet *p, size_t count, const uint8_t *data, size_t size)
{
    size_t room = 2 * (size + count * RECORD), first, empty;
    struct bytes out = {.at = exact(NULL, room), .room = room, .held = true}, made = {0};
    struct runs r;
    EXPECT(runs_begin(&r, 2));
    r.keyed = true;
    (void)runs_feed(&r, 0, data, size, p, count, &first);
    (void)runs_feed(&r, 1, data, size, p, count, &first);
    enum merged merged;
    while ((merged = runs_merge(&r, &out, &made, &empty)) == MERGED_EMPTY)
        (void)runs_feed(&r, empty, NULL, 0, NULL, 0, &first);
    EXPECT(merged == MERGED_ENDED && count_of(&made) == 2 * count);
    const struct packet *q = (const struct packet *)(const void *)made.at;
    for (size_t i = 0; i < 2 * count; i++)
        EXPECT(sort_key_order(sort_key_of(data, size, &p[i / 2]), sort_key_of(out.at, out.size, &q[i])) == 0);
    runs_end(&r);
    release(out.at, room);
    bytes_free(&made);
}

/* Keys that packets are sorted by: of one, cut and whole, they stand apart and nobody reads behind them. */
static void try_keys(const struct sample *s, const struct column *asked, size_t count, const struct packet *whole)
{
    enum { PACKETS = 20 };
    struct columns c = {.columns = asked, .count = count};
    struct gathered g = {0};
    EXPECT(columns_known(&c) && columns_begin(&c));
    for (int64_t i = 0; i < PACKETS; i++) {
        struct packet p = *whole;
        p.captured = p.captured * (i % 7) / 6;
        p.time = i * 5 % PACKETS;
        EXPECT(gather(&g, s->frame.at, &p) && columns_key(&c, s->frame.at, &p, 1));
        EXPECT(bytes_add_key(&g.data, (struct sort_key){c.text.at, c.text.size}));
    }
    size_t size = g.data.size;
    uint8_t *data = exact(g.data.at, size);
    struct packet *rows = (struct packet *)(void *)g.rows.at;
    bool sorted;
    EXPECT(sort_rows(rows, PACKETS, data, size, true, &sorted));
    for (size_t i = 1; i < PACKETS; i++) {
        int order = sort_key_order(sort_key_of(data, size, &rows[i - 1]), sort_key_of(data, size, &rows[i]));
        EXPECT(order < 0 || (order == 0 && rows[i - 1].offset < rows[i].offset));
    }
    try_gathering(rows, PACKETS, data, size);
    try_merging(rows, PACKETS, data, size);
    rows[0].notes = (int64_t)size - 2;          /* where there is none */
    rows[0].notes_size = 0;
    EXPECT(sort_key_of(data, size, &rows[0]).size == 0);
    EXPECT(sort_rows(rows, PACKETS, data, size, false, &sorted));
    for (size_t i = 1; i < PACKETS; i++)
        EXPECT(rows[i - 1].time <= rows[i].time);
    release(data, size);
    columns_free(&c);
    gathered_free(&g);
}

/* Packets as rows of a table: whatever is in them, a cell a column. */
static void try_columns(const struct sample *s)
{
    static const struct column asked[] = {{0, 0, 0}, {-1, 0, 0}, {-3, 0, 0}, {40, 2, 0}, {9, -1, 1}, {200, 0, 1}, {600, 0, 0}, {900, 1, 0}, {-7, 0, 0},
                                           {-8, 0, 0}, {-9, 1, 0}, {-10, -2, 1}};
    enum { COUNT = sizeof asked / sizeof *asked };
    static const uint8_t before[] = "\0\t\0\t\0\t\0\t\0\t\0\t\0\t\0\t\0\t\0\t\0\t\0\n";
    struct packet p = {.captured = (int64_t)s->frame.size, .original = (int64_t)s->frame.size, .linktype = s->linktype,
                       .notes_size = (int64_t)s->frame.size};       /* lines of notes, as far as there are such in it */
    for (int style = CELLS_PLAIN; style <= CELLS_JSON; style++) {
        struct columns c = {.columns = asked, .count = COUNT, .before = before, .before_size = sizeof before, .style = (enum cells)style};
        EXPECT(columns_sound(&c) && columns_begin(&c));
        EXPECT(columns_add(&c, s->frame.at, &p, 1) && columns_add(&c, s->frame.at, &p, 2));
        size_t tabs = 0, ends = 0;
        for (size_t i = 0; i < c.text.size; i++) {
            tabs += c.text.at[i] == '\t';
            ends += c.text.at[i] == '\n';
            EXPECT(c.text.at[i] == '\t' || c.text.at[i] == '\n' || (c.text.at[i] >= 0x20 && c.text.at[i] <= 0x7E));
        }
        EXPECT(tabs == 2 * (COUNT - 1) && ends == 2);
        columns_free(&c);
    }
    try_keys(s, asked, COUNT, &p);
}

/* A walk by any tables that were not refused. Twice, the second time without what is quick about it: nothing may differ. */
static void try_protocols(const struct frame *f, const struct sample *s)
{
    struct walk quick, full, busy, busy_full;
    walk(&quick, f, s->linktype);
    walk_busy(&busy, f, s->linktype);
    EXPECT(quick.count > 0 && quick.count <= MAX_HEADERS);
    for (size_t i = 0; i < quick.count; i++) {
        const struct header *h = &quick.header[i];
        EXPECT(h->start <= h->data && h->data <= h->end && h->end <= f->size && (i == 0 || h->start > h[-1].start));
    }
    struct header item;
    size_t count = 0;
    for (struct items items = items_of(f, &quick); count < MAX_FRAME && next_item(&items, &item); count++)
        EXPECT(quick.header[items.index].start <= item.start && item.start <= item.data && item.data <= item.end
               && item.end <= quick.header[items.index].end && (int64_t)item.kind >= FIRST_ITEM);
    try_lines(s);
    try_line(s);
    try_json(s);
    try_columns(s);
    try_statistics(s);
    protocols_slow();
    walk(&full, f, s->linktype);
    EXPECT(same_walk(&quick, &full) && quick.quoted == full.quoted);
    walk_busy(&busy_full, f, s->linktype);
    EXPECT(same_walk(&busy, &busy_full) && busy.quoted == busy_full.quoted);
}

/* One byte: how many numbers of our tables are changed. Each: a byte, the table; two, the place; two, a number. Then a sample. */
void fuzz_protocols(struct input *in)
{
    struct protocol_table tables[TABLES];
    int64_t *copies[TABLES];
    for (size_t i = 0; i < TABLES; i++) {
        copies[i] = (int64_t *)exact((const uint8_t *)OUR_PROTOCOLS[i].at, OUR_PROTOCOLS[i].count * sizeof(int64_t));
        tables[i] = (struct protocol_table){copies[i], OUR_PROTOCOLS[i].count};
    }
    for (unsigned changes = take8(in) % 32; changes > 0; changes--) {
        unsigned table = take8(in), place = take16(in), number = take16(in);
        struct protocol_table *t = &tables[table % TABLES];
        if (table >= 128)                       /* fewer rows */
            t->count = place % (t->count + 1);
        else if (t->count > 0)
            copies[table % TABLES][place % t->count] = number == 0x7FFF ? (int64_t)UINT32_MAX : (int16_t)number;
    }
    struct fault fault = {0, 0, 0};
    struct sample s = take_sample(in);
    if (protocols_set(tables, &fault)) {
        try_protocols(&s.frame, &s);
        protocols_reset();
    } else
        EXPECT(fault.table >= 0 && fault.table < TABLES && fault.row < (int64_t)tables[fault.table].count);
    discard(&s.whole);
    for (size_t i = 0; i < TABLES; i++)
        release((uint8_t *)copies[i], OUR_PROTOCOLS[i].count * sizeof(int64_t));
}

/* ---- numbers ---- */

static unsigned bit_of(const struct frame *f, size_t bit)
{
    return f->at[bit / 8] >> (7 - bit % 8) & 1;
}

/* Two bytes: the first bit; one: how many; eight: the number. Only those bits change, and say the number; or none does. */
void fuzz_place(struct input *in)
{
    size_t bit = take16(in), width = take8(in) % 65;
    uint64_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 16 | take16(in);
    struct frame before = {in->at, in->size};
    struct writable_frame f = copied(&before);
    bool fits = place_value(&f, bit, width, value);
    EXPECT(fits == (bit + width <= before.size * 8));
    for (size_t i = 0; i < before.size * 8; i++)
        if (fits && i >= bit && i < bit + width)
            EXPECT(bit_of(&f.view, i) == (value >> (bit + width - 1 - i) & 1));
        else
            EXPECT(bit_of(&f.view, i) == bit_of(&before, i));
    discard(&f);
}

/* One byte: where a stamp is likely to stand. Then a mark, and the frames of one packet each: a byte says how long. */
void fuzz_stamps(struct input *in)
{
    enum { MOST = 64, WINDOW = 37 };
    size_t last = take8(in), before = last, size = in->size, at = 0, count = 0;
    uint32_t mark = in->size < 4 ? 0 : (uint32_t)in->at[0] << 24 | (uint32_t)in->at[1] << 16 | (uint32_t)in->at[2] << 8 | in->at[3];
    uint8_t *data = exact(in->at, size), *seen = exact(NULL, WINDOW);
    struct packet *packets = (struct packet *)exact(NULL, MOST * sizeof *packets);
    for (; at < size && count < MOST; count++) {
        size_t whole = data[at] < size - at - 1 ? data[at] : size - at - 1;
        packets[count] = (struct packet){.offset = (int64_t)at + 1, .captured = (int64_t)whole, .time = whole & 1 ? INT64_MIN : INT64_MAX};
        at += 1 + whole;
    }
    uint32_t *numbers = (uint32_t *)exact(NULL, count * sizeof *numbers);
    int64_t *delays = (int64_t *)exact(NULL, count * sizeof *delays);
    size_t found = stamps_find(data, packets, count, mark, &last, numbers, delays);
    EXPECT(found <= count && (found > 0 || last == before));
    struct arrivals arrivals = {0};
    memset(seen, 0, WINDOW);
    arrivals_add(&arrivals, seen, WINDOW, numbers, found);
    EXPECT((size_t)(arrivals.came + arrivals.again) == found && arrivals.late + arrivals.came <= 2 * (int64_t)found);
    EXPECT(arrivals.first <= arrivals.highest && arrivals.beyond <= arrivals.late);
    struct durations *durations = (struct durations *)exact(NULL, sizeof *durations);
    memset(durations, 0, sizeof *durations);
    durations_add(durations, delays, found);
    EXPECT((size_t)(durations->count[0] + durations->count[1]) == found && durations->least <= durations->worst);
    release((uint8_t *)durations, sizeof *durations);
    release((uint8_t *)delays, count * sizeof *delays);
    release((uint8_t *)numbers, count * sizeof *numbers);
    release((uint8_t *)packets, MOST * sizeof *packets);
    release(seen, WINDOW);
    release(data, size);
}

/* ---- fragments ---- */

/* Rows lie within the data, and no frame is too long for a batch. */
static void expect_gathered(const struct gathered *g)
{
    expect_sound(&g->rows, g->data.size, INT64_MAX / 1000000000);
}

static struct packet_view view_of(const struct gathered *g, const struct packet *p)
{
    struct packet_view view = {.frame = {g->data.at + p->offset, (size_t)p->captured}, .original = p->original};
    walk_own(&view.walk, &view.frame, p->linktype);
    return view;
}

/* The fragments of all packets, or themselves. */
static struct gathered all_divided(struct fragmentation *how, const struct gathered *from)
{
    struct gathered out = {0};
    struct datagram d = {0};
    for (size_t i = 0; i < count_of(&from->rows); i++) {
        const struct packet *p = (const struct packet *)(const void *)from->rows.at + i;
        struct packet_view view = view_of(from, p);
        bool divided = divisible(how, &view, &d);
        size_t before = count_of(&out.rows);
        EXPECT(divided ? divide(how, &view, &d, from->data.at, p, &out) : gather(&out, from->data.at, p));
        size_t more = count_of(&out.rows) - before, mtu = d.v6 ? how->mtu6 : how->mtu4;
        for (size_t k = before; divided && more > 1 && k < before + more; k++) {
            struct packet_view part = view_of(&out, (const struct packet *)(const void *)out.rows.at + k);
            struct datagram of;
            size_t index;
            EXPECT(chosen(&part.walk, &how->layer, &index) && datagram_of(&part, index, &of) && of.is_fragment && of.end - of.start <= mtu);
        }
    }
    expect_gathered(&out);
    return out;
}

/* All of them meet a table, which then gives up the rest: nothing is lost that is not part of something else. */
static void try_reassembly(const struct gathered *from, uint64_t memory, struct layer layer)
{
    struct packet_view one = view_of(from, (const struct packet *)(const void *)from->rows.at);
    const struct header *h = one.walk.header;
    const struct apart fields[] = {{h->kind, 96, 16, 0x600}, {h[one.walk.count - 1].kind, 4, 128, 0}};
    struct datagrams t = {.memory = memory, .layer = layer};
    struct gathered out = {0};
    EXPECT(reassembly_begin(&t, fields, sizeof fields / sizeof *fields));
    for (size_t i = 0; i < count_of(&from->rows); i++) {
        const struct packet *p = (const struct packet *)(const void *)from->rows.at + i;
        struct packet_view view = view_of(from, p);
        EXPECT(reassembly_idle(&t, &view, p->time) ? gather(&out, from->data.at, p) : reassemble(&t, &view, from->data.at, p, &out));
        EXPECT(t.held <= t.memory || t.count == 0);
    }
    while (t.count > 0)
        EXPECT(reassemble_rest(&t, &out));
    EXPECT(t.held == 0 && t.oldest == NULL && t.newest == NULL);
    uint64_t left = 0;
    for (size_t i = 0; i < LEFT_APART; i++)
        left += t.left[i];
    EXPECT(count_of(&out.rows) <= count_of(&from->rows) && left + t.reassembled <= count_of(&out.rows));
    EXPECT(t.reassembled > 0 || count_of(&out.rows) == count_of(&from->rows));
    expect_gathered(&out);
    gathered_free(&out);
    reassembly_end(&t);
}

/* One byte: whether it is the outermost datagram that is looked at, whether what says Don't Fragment is divided, and how much memory there is; two: the MTU; one: how many edits of
 * the fragments, up to 15; four for each: a fragment, a place, a value. Then a sample. What is made of it is divided again, changed,
 * and put together.
 */
void fuzz_fragments(struct input *in)
{
    static const int64_t occurrences[] = {1, 2, -1, 0};
    static const char lines[] = "IFACE: x\nLOST: 3\nNOTE: y\n";
    unsigned choice = take8(in), mtu = take16(in) % 4096 + 1, edits = take8(in) % 16;
    struct input given = *in;
    for (unsigned left = edits * 4; left > 0; left--)
        take8(in);
    struct fragmentation how = {.mtu4 = mtu, .mtu6 = mtu, .force = (choice & 8) != 0, .id = UINT32_MAX};
    struct sample s = take_sample(in);
    struct gathered whole = {0};
    struct packet p = {.captured = (int64_t)s.frame.size, .original = s.original, .time = 5, .linktype = s.linktype,
                       .notes = (int64_t)s.frame.size, .notes_size = sizeof lines - 1};
    EXPECT(bytes_add(&whole.data, s.frame.at, s.frame.size) && bytes_add(&whole.data, lines, sizeof lines - 1) && gather_row(&whole, &p));
    struct packet_view view = view_of(&whole, &p);
    for (size_t i = 0; i < view.walk.count; i++)
        if (choice % 8 != 0 && carries_message(&view.walk.header[i]))   /* the kind of the innermost one */
            how.layer = (struct layer){view.walk.header[i].kind, occurrences[choice % 4]};
    struct gathered once = all_divided(&how, &whole);
    how.mtu4 = how.mtu6 = mtu / 2 + 1;
    struct gathered parts = all_divided(&how, &once);
    try_reassembly(&parts, UINT32_MAX, how.layer);
    for (; edits > 0; edits--) {
        struct packet *row = (struct packet *)(void *)parts.rows.at + take8(&given) % count_of(&parts.rows);
        size_t at = take16(&given);
        if (at == 0xFFFF)
            row->time += (int64_t)take8(&given) << 28;
        else if (at % 256 < (size_t)row->captured)
            parts.data.at[(size_t)row->offset + at % 256] = (uint8_t)take8(&given);
    }
    try_reassembly(&parts, (choice & 16) != 0 ? 2000 : UINT32_MAX, how.layer);
    gathered_free(&parts);
    gathered_free(&once);
    gathered_free(&whole);
    discard(&s.whole);
}

/* ---- super-frames ---- */

/* One byte: how; two: bytes of a packet; one: of data, 0 for none. Then a sample: each of its pieces is no longer, and cut no more. */
/* Headers are put in and taken off, by a shape of the input's own for the frame: what is not sound is refused. */
void fuzz_wrapping(struct input *in)
{
    enum { PIECES = 3, STEPS_OF_IT = 4, ALL_OF_IT = 13 + MAX_HEADERS + 5 * (PIECES + STEPS_OF_IT) };
    static const uint8_t octets[64] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17};
    static const char lines[] = "IFACE: x\nLOST: 3\n";
    int64_t row[ALL_OF_IT] = {0};
    unsigned choice = take8(in), pieces = take8(in) % (PIECES + 1), steps = take8(in) % (STEPS_OF_IT + 1);
    int64_t given[5 * (PIECES + STEPS_OF_IT)];
    for (unsigned i = 0; i < 5 * (pieces + steps); i++)
        given[i] = (int8_t)take8(in);
    struct sample s = take_sample(in);
    struct gathered whole = {0}, out = {0};
    struct packet p = {.offset = RECORD, .captured = (int64_t)s.frame.size, .original = s.original, .time = 5, .linktype = s.linktype,
                       .notes = RECORD + (int64_t)s.frame.size, .notes_size = sizeof lines - 1};
    uint8_t record[RECORD] = {0};
    write32(record + 8, (uint32_t)p.captured, (choice & 2) != 0);
    write32(record + 12, (uint32_t)p.original, (choice & 2) != 0);
    EXPECT(bytes_add(&whole.data, record, RECORD) && bytes_add(&whole.data, s.frame.at, s.frame.size)
           && bytes_add(&whole.data, lines, sizeof lines - 1) && gather_row(&whole, &p));
    struct packet_view view = view_of(&whole, &p);
    walk(&view.walk, &view.frame, p.linktype);
    size_t count = least(view.walk.count, view.walk.quoted), at = 13;
    row[1] = p.linktype, row[2] = (int64_t)count, row[3] = choice & 1, row[4] = 0, row[5] = (choice & 2) != 0 ? p.linktype : 101;
    row[6] = 0, row[7] = (choice & 4) != 0 ? (int64_t)count : 0, row[8] = pieces, row[9] = steps, row[10] = 0, row[12] = choice >> 4 & 1;
    for (size_t i = 0; i < count; i++)
        row[at++] = view.walk.header[i].kind;
    for (unsigned i = 0; i < pieces; i++) {
        memcpy(&row[at], &given[5 * i], 5 * sizeof *row);
        row[11] += row[at + 4];
        at += 5;
    }
    memcpy(&row[at], &given[5 * pieces], 5 * steps * sizeof *row);
    row[0] = (int64_t)(at + 5 * steps);
    struct wrapping how = {.shapes = row, .size = (size_t)row[0], .octets = octets, .octets_size = sizeof octets, .keep = (choice & 8) != 0};
    if (shapes_sound(&how)) {
        const struct reshape *shape = shape_of(&how, &view, p.linktype);
        EXPECT(shape != NULL && wrap(&how, shape, &view, whole.data.at, &p, &out));
        bool memory = true;
        for (int again = 0; again < 2; again++) {       /* the second begins as the first did */
            wrap_plainly(&how, &view, whole.data.at, &p, &out, &memory);
            EXPECT(memory);
            wrap_surely(&how, &view.frame, whole.data.at, &p, &out, &memory);
            EXPECT(memory);
            walk_front(&view.walk, &view.frame, p.linktype, (size_t)shape->count);
        }
        expect_gathered(&out);
    }
    gathered_free(&out);
    gathered_free(&whole);
    discard(&s.whole);
}

void fuzz_segments(struct input *in)
{
    static const char lines[] = "IFACE: x\nLOST: 3\n";
    unsigned choice = take8(in), mtu = take16(in) % 4096, size = take8(in);
    struct handshakes seen;
    struct sample s = take_sample(in);
    struct gathered whole = {0}, out = {0}, again = {0};
    struct packet p = {.captured = (int64_t)s.frame.size, .original = s.original, .time = 5, .linktype = s.linktype,
                       .notes = (int64_t)s.frame.size, .notes_size = sizeof lines - 1};
    EXPECT(handshakes_begin(&seen));
    struct segmentation how = {.mtu = mtu, .size = size, .same_ids = (choice & 1) != 0, .keep = (choice & 2) != 0,
                               .apart = (choice & 4) != 0, .id = UINT32_MAX, .seen = &seen};
    EXPECT(bytes_add(&whole.data, s.frame.at, s.frame.size) && bytes_add(&whole.data, lines, sizeof lines - 1) && gather_row(&whole, &p));
    struct packet_view view = view_of(&whole, &p);
    struct super of;
    bool memory = true;
    is_super(&how, &view, false, &of, &memory);         /* what it says of its sender goes for itself */
    if (is_super(&how, &view, true, &of, &memory)) {
        EXPECT(of.size > 0 && of.payload < of.end && of.end <= s.frame.size);
        EXPECT(cut(&how, &view, &of, whole.data.at, &p, &out));
        bool done = count_of(&out.rows) > 1 && !how.keep && !how.apart;
        for (size_t i = 0; i < count_of(&out.rows); i++) {
            const struct packet *row = (const struct packet *)(const void *)out.rows.at + i;
            struct packet_view piece = view_of(&out, row);
            EXPECT(!done || row->captured <= (int64_t)(of.payload + of.size + s.frame.size - of.around.tail_at));
            struct super more;
            if (is_super(&how, &piece, true, &more, &memory))
                EXPECT(cut(&how, &piece, &more, out.data.at, row, &again));
        }
        expect_gathered(&out);
        expect_gathered(&again);
        struct gathered back = {0};
        struct bytes rest = {0};
        size_t merged;
        EXPECT(merge(out.data.at, (const struct packet *)(const void *)out.rows.at, count_of(&out.rows), NULL, NULL, (choice & 16) != 0, (choice & 8) != 0,
                     &back, &rest, &merged));
        EXPECT(count_of(&back.rows) + rest.size / sizeof(uint32_t) + merged == count_of(&out.rows));
        expect_gathered(&back);
        bytes_free(&rest);
        gathered_free(&back);
    }
    EXPECT(memory);
    handshakes_end(&seen);
    gathered_free(&again);
    gathered_free(&out);
    gathered_free(&whole);
    discard(&s.whole);
}

/* ---- answers ---- */

/* One byte: which header is the message; two: where it ends; one: how many columns edits have; they. Then a sample, which is mended. */
/* What becomes of a frame by some pieces; with nothing that follows it is known. */
static void try_splice(const struct sample *s, const struct packet_view *view, const struct splice *how)
{
    struct bytes out = {0};
    struct spliced made;
    EXPECT(splice_frame(&out, view, s->linktype, how, &made));
    EXPECT(made.why == SPLICED ? made.size == out.size && made.size <= MAX_FRAME : out.size == 0);
    if (made.why == SPLICED && how->keep && !how->anew) {
        size_t to = 0, at = 0;
        for (const struct piece *p = how->pieces; p < how->pieces + how->count; p++) {
            EXPECT(equal(out.at + to, s->frame.at + at, p->at - at));
            to += p->at - at;
            EXPECT(equal(out.at + to, p->octets, p->size));
            to += p->size;
            at = p->at + p->removed;
        }
        EXPECT(out.size == to + s->frame.size - at && equal(out.at + to, s->frame.at + at, s->frame.size - at));
    }
    if (made.why == SPLICED && how->count == 0)
        EXPECT(out.size == s->frame.size && equal(out.at, s->frame.at, out.size));
    bytes_free(&out);
}

/* One byte: how, and two bits of how many pieces; of each four: how far behind the one before, how many out, how many in. */
void fuzz_splice(struct input *in)
{
    static const uint8_t octets[256] = {0x45, 0, 0, 28, [9] = 17, [12] = 192, 0, 2, 1, 192, 0, 2, 2, [22] = 18, 181};
    struct piece pieces[3];
    unsigned choice = take8(in);
    size_t at = 0;
    struct splice how = {.pieces = pieces, .count = choice % 4, .keep = (choice & 4) != 0, .anew = (choice & 8) != 0};
    for (size_t i = 0; i < how.count; i++) {
        at += take16(in) % 512;
        pieces[i] = (struct piece){at, take8(in) % 64, take8(in), octets};
        at += pieces[i].removed;
    }
    struct sample s = take_sample(in);
    struct packet_view view = {.frame = s.frame, .original = s.original};
    walk(&view.walk, &s.frame, s.linktype);
    how.linktype = (choice & 16) != 0 ? 101 : s.linktype;
    try_splice(&s, &view, &how);
    EXPECT(packet_end(&view) <= (s.original > (int64_t)s.frame.size ? (size_t)s.original : s.frame.size));
    for (size_t i = 0; i <= view.walk.count; i++) {
        struct layer layer = {i == 0 ? UNKNOWN : view.walk.header[i - 1].kind, (choice & 32) != 0 ? -1 : 1};
        struct carried_octets c = carried_octets(&view, s.linktype, &layer);
        EXPECT(c.start >= 0 && c.at <= c.end && (c.at < 0 || c.start <= c.at) && c.end <= (int64_t)s.frame.size && c.data <= c.end);
    }
    discard(&s.whole);
}

void fuzz_answer(struct input *in)
{
    unsigned which = take8(in), end = take16(in) % 2048;
    size_t columns, most = 64 << 10;
    int64_t *edits = take_columns(in, &columns);
    size_t count = columns * sizeof *edits / sizeof(struct edit);
    struct sample s = take_sample(in);
    struct corrected corrected;
    correct(&s.whole, s.original, s.linktype, ALL, MAX_HEADERS, &corrected);
    struct packet_view view = walked(&s.frame, &s);
    struct answer_rule rule = {
        .kind = view.walk.header[which % view.walk.count].kind, .tests = filters[which % (sizeof filters / sizeof *filters)],
        .edits = (const struct edit *)edits, .unlike = (const struct edit *)edits, .edits_count = count, .unlike_count = which & 1,
        .end = end,
    };
    struct answering answering = {&rule, 1};
    struct packet p = {.captured = (int64_t)s.frame.size, .original = s.original, .time = 5, .linktype = s.linktype};
    struct gathered out = {0};
    EXPECT(tests_sound(&rule.tests));
    if (edits_sound(rule.edits, count) && count > 0 && s.frame.size <= most) {
        EXPECT(answer(&answering, &view, NULL, s.frame.at, &p, &out) && count_of(&out.rows) <= 1);
        expect_gathered(&out);
        if (count_of(&out.rows) > 0)
            view = view_of(&out, (const struct packet *)(const void *)out.rows.at);
    }
    gathered_free(&out);
    release((uint8_t *)edits, columns * sizeof *edits);
    discard(&s.whole);
}

/* ---- addresses ---- */

/* How many rules; each of four bytes: sort and sides, bits, treatment, and what each byte of the number becomes. Then a sample. What is
 * right stays right, and what waits or is refused as it is. */
void fuzz_addresses(struct input *in)
{
    static const uint8_t widths[] = {32, 128, 48, 16, 12};
    struct addresses a;
    bool sound;
    EXPECT(addresses_begin(&a, our_places, sizeof our_places / sizeof *our_places, &sound));
    for (unsigned count = take8(in) % 16; count > 0; count--) {
        unsigned of = take8(in), length = take8(in), treatment = take8(in) % 4, byte = take8(in), width = widths[of % 8 % 5];
        struct value all = {width == 128 ? UINT64_MAX : 0, width == 128 ? UINT64_MAX : (UINT64_C(1) << width) - 1};
        struct value to = {byte * UINT64_C(0x0101010101010101) & all.high, byte * UINT64_C(0x0101010101010101) & all.low};
        struct address_rule rule = {.sort = of % 8 % 5, .sides = of >> 3 & 15, .length = length, .treatment = treatment, .to = to,
                                    .keep = {all.high & ~to.high, all.low & ~to.low}};
        if (addresses_rule_sound(&a, &rule))
            EXPECT(addresses_add(&a, &rule));
    }
    struct sample s = take_sample(in);
    struct packet row = {.captured = (int64_t)s.frame.size, .original = s.original, .linktype = s.linktype};
    struct left left = {0};
    uint8_t *before = exact(s.frame.at, s.frame.size);
    enum mapping mapping = addresses_map(&a, &s.whole, &row, true, &left);
    EXPECT(mapping != WITHOUT_MEMORY);
    EXPECT(mapping == MAPPED || s.frame.size == 0 || memcmp(before, s.frame.at, s.frame.size) == 0);
    EXPECT((mapping == WAITING) == (a.asked.size > 0));
    release(before, s.frame.size);
    addresses_end(&a);
    discard(&s.whole);
}

/* ---- messages ---- */

/* What is told fits, and is seen; of less than there is, too. */
void fuzz_message(struct input *in)
{
    enum reader which = (enum reader)(take8(in) % READERS);
    size_t at = least(take8(in), in->size), end = in->size - least(take8(in), in->size - at);
    uint8_t *message = exact(in->at, in->size), *out = exact(NULL, MOST_TOLD);
    const struct frame f = {message, in->size};
    size_t size = tell(which, &f, at, end, out);
    EXPECT(size <= MOST_TOLD);
    for (size_t i = 0; i < size; i++)
        EXPECT(out[i] >= 0x20 && out[i] <= 0x7E);
    release(message, in->size);
    release(out, MOST_TOLD);
}

/* ---- listing ---- */

static bool no_text(const uint8_t *text, size_t size, struct bytes *out)
{
    return bytes_add(out, text, size);
}

/* One byte: how many changes of the tables, of five bytes each; one: the level. Then a frame. Tables that were changed are refused,
 * or safe for it. */
void fuzz_listing(struct input *in)
{
    const struct field_table fields = {
        field_table, sizeof field_table / sizeof *field_table, field_traits, field_names, sizeof field_names - 1,
    };
    struct protocol_table tables[TEMPLATE_TABLES];
    int64_t *copies[TEMPLATE_TABLES];
    for (size_t i = 0; i < TEMPLATE_TABLES; i++) {
        copies[i] = (int64_t *)exact((const uint8_t *)our_templates[i].at, our_templates[i].count * sizeof(int64_t));
        tables[i] = (struct protocol_table){copies[i], our_templates[i].count};
    }
    unsigned changes = take8(in) % 32, level = take8(in);
    for (unsigned k = 0; k < changes; k++) {
        unsigned which = take8(in), place = take16(in), number = take16(in);
        struct protocol_table *t = &tables[which % TEMPLATE_TABLES];
        if (which >= 128)                       /* fewer rows */
            t->count = place % (t->count + 1);
        else if (t->count > 0)
            copies[which % TEMPLATE_TABLES][place % t->count] = (int16_t)number;
    }
    struct sample s = take_sample(in);
    struct packet p = {0, (int64_t)s.frame.size, s.original, 0, s.linktype, 0, 0};
    bool sound;
    if (s.frame.size <= MAX_FRAME && templates_set(&fields, tables, (struct name){our_template_text, sizeof our_template_text}, &sound)) {
        struct listing l = {.level = (enum listing_level)(1 + level % 5), .highest = APPLICATION_NAMES, .printable = no_text};
        l.dump = (level & 8) != 0;
        l.telling.more = (level & 16) != 0;
        EXPECT(listing_add(&l, s.frame.at, &p, 1) && l.text.size > 0);
        listing_free(&l);
    } else
        EXPECT(changes > 0 || s.frame.size > MAX_FRAME);
    discard(&s.whole);
    for (size_t i = 0; i < TEMPLATE_TABLES; i++)
        release((uint8_t *)copies[i], our_templates[i].count * sizeof(int64_t));
    EXPECT(templates_set(&fields, our_templates, (struct name){our_template_text, sizeof our_template_text}, &sound) && sound);
}

/* ---- conversations ---- */

static struct conversation_rules rules_of(unsigned how)
{
    return (struct conversation_rules){
        .level = (enum level)(1 + how % 3), .most = how & 4 ? 3 : 100, .memory = how & 8 ? 20000 : 1 << 24, .forget = (how & 16) != 0,
        .seed = how, .ends = our_ends, .apart = our_apart, .ends_count = sizeof our_ends / sizeof *our_ends,
        .apart_count = sizeof our_apart / sizeof *our_apart,
    };
}

/* Two bytes: the rules, and a link type. Then frames: a byte says how long each is, and one how it differs from the one before, in a byte
 * of it, and in time. Every packet is counted once, and what is told of a segment is within what it has. */
void fuzz_conversations(struct input *in)
{
    enum { MOST = 128 };
    struct conversation_rules rules = rules_of(take8(in));
    int64_t linktype = take_linktype(in);
    struct conversations t;
    uint64_t packets = 0, counted = 0;
    EXPECT(conversations_begin(&t, &rules));
    for (; in->size > 2 && packets < MOST; packets++) {
        size_t size = take8(in), change = take8(in);
        size = size < in->size ? size : in->size;
        uint8_t *data = exact(in->at, size);
        if (size > 0)
            data[change % size] ^= (uint8_t)change;
        struct packet row = {.captured = (int64_t)size, .original = (int64_t)(size + change % 7), .time = (int64_t)((uint64_t)change << (change % 57)), .linktype = linktype};
        struct packet_view view = {.frame = {data, size}, .original = row.original};
        struct told told;
        if (change & 1)
            walk(&view.walk, &view.frame, linktype);
        else
            walk_own(&view.walk, &view.frame, linktype);
        EXPECT(converse(&t, &view, &row, change % 8 != 6, &told));
        const struct segment *s = &told.segment;
        EXPECT(told.conversation < t.numbered && told.way < 2 && (s->what == 0 || s->octets < MAX_FRAME));
        EXPECT(s->repeated + s->filled <= s->octets + 2);
        release(data, size);
        if (change % 4 != 0) {                  /* otherwise it comes again */
            in->at += size;
            in->size -= size;
        }
    }
    EXPECT(conversations_settle(&t));
    for (uint64_t i = 0; i < t.count; i++) {
        const struct conversation *c = conversation_at(&t, i);
        const struct connection *connection = connection_of(&t, c);
        counted += c->packets[0] + c->packets[1];
        EXPECT(c->packets[0] > 0 && c->first <= c->last);
        for (int way = 0; connection != NULL && way < 2; way++)
            EXPECT(connection->way[way].holes_count <= 64 && connection->way[way].floor <= connection->way[way].next);
    }
    EXPECT(t.count <= rules.most && (rules.forget || counted + t.others.packets + t.without.packets == packets));
    conversations_end(&t);
}

/* ---- addresses that keep their prefixes ---- */

/* An exception of some bits, then numbers: with blocks of zeros or ones what must stay does, and rules are sound. */
void fuzz_cryptopan(struct input *in)
{
    struct cryptopan_sort sorts[3] = {{32, {1}}, {take8(in) % 130, {2}}, {48, {3}}};
    struct cryptopan_exception exception = {take8(in) % 4, take8(in) % 3, {0, take16(in)}, {0, take16(in)}, {take8(in), take16(in)}, {take8(in), 0}};
    struct cryptopan by = {sorts, &exception, 3, 1};
    if (!cryptopan_sound(&by))
        return;
    while (in->size >= 6) {
        struct question q = {take8(in) % 4, {take8(in), (uint64_t)take16(in) << 16 | take16(in)}};
        size_t count = cryptopan_count(&by, &q);
        EXPECT(count <= 8 * CIPHER_BLOCK && (count > 0) == (q.sort < 3 && sorts[q.sort].width > 0));
        if (count == 0)
            continue;
        uint8_t *blocks = exact(NULL, count * CIPHER_BLOCK);
        cryptopan_blocks(&by, &q, blocks);
        bool met;
        memset(blocks, 0, count * CIPHER_BLOCK);
        struct address_rule same = cryptopan_rule(&by, &q, blocks, &met);
        EXPECT(same.to.high == q.number.high && same.to.low == q.number.low && same.length == sorts[q.sort].width);
        memset(blocks, 0xFF, count * CIPHER_BLOCK);
        struct address_rule turned = cryptopan_rule(&by, &q, blocks, &met);
        if (exception.sort == q.sort && (q.number.low & exception.mask.low) == exception.number.low)
            EXPECT(((turned.to.low ^ q.number.low) & exception.stay.low) == 0 && ((turned.to.high ^ q.number.high) & exception.stay.high) == 0);
        release(blocks, count * CIPHER_BLOCK);
    }
}
