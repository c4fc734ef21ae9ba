/* A packet as one line: number, time, and of each packet in it whom it goes between, the protocol, its size and what it says. What is
 * known of kinds of headers are tables of integers, see ../../protocols/lining.py, which names their columns. Twin of
 * ../python/line.py, where the form is told.
 */
#include "line.h"
#include "fields.h"
#include "protocols.h"

#include <stdlib.h>

enum category { NO_CATEGORY, A_LINK, A_TAG, A_NETWORK, AN_EXTENSION, A_TRANSPORT, A_TUNNEL, AN_APPLICATION, CATEGORIES };
enum comparison { EQUAL, UNEQUAL, BELOW, FROM, COMPARISONS };
enum { MOST_TIME = 64, MOST_COMPARED = 48, NO_HEADER = MAX_HEADERS };

struct kind_row {               /* a kind of header, or of item */
    int64_t category;
    struct { int64_t bit, width, form; } end[2];        /* the two that it goes between; width 0: it says none */
    int64_t listed, line, lines;
};
struct line_row { int64_t aside, reader, test, tests; };
struct test_row { int64_t bit, width, mask, comparison, value, other; };

struct known_test {             /* whether a header says something: whether a number of it lies between others, or does not */
    uint32_t bit, width, octets;        /* octets of the header up to the last of these bits */
    int32_t other;              /* where the bits are that it is compared with, or from which on it lies; -1: with values */
    bool outside;
    uint64_t mask, low, span;
};

struct known_line {             /* what it says then */
    bool aside;
    int8_t reader;              /* -1: its template says it */
    const struct known_test *tests, *stop;
};

struct known_kind {             /* a kind of header, or of item */
    struct { uint32_t at; uint8_t octets, form; } end[2];       /* octets 0: it says none */
    uint8_t category, colour;
    bool listed;                /* items of its lists say something, too */
    bool reads, asides;         /* some of its lines are by a reader, or said aside */
    uint16_t count;
    const struct known_line *lines;
};

static struct known {
    struct known_kind *kinds, *items;
    struct known_line *lines;
    struct known_test *tests;
    size_t kinds_count, items_count;
} known;

static const struct known_kind nothing = {.colour = TRANSPORT_COLOUR};

bool line_known(void)
{
    return known.kinds != NULL;
}

/* ---- tables ---- */

struct given {
    const struct kind_row *kinds[2];    /* of headers, of items */
    const struct line_row *lines;
    const struct test_row *tests;
    size_t count[LINE_TABLES];
};

enum { LINES = 2, TESTS };

static bool kind_sound(const struct given *g, const struct kind_row *r)
{
    for (int i = 0; i < 2; i++) {
        int64_t bit = r->end[i].bit, width = r->end[i].width, form = r->end[i].form;
        int64_t usual = form == MAC ? 48 : form == IPV4 ? 32 : form == IPV6_ADDRESS ? 128 : form == NUMBER ? 16 : -1;
        if (width != 0 && (bit < 0 || bit % 8 != 0 || bit >= 8 * MAX_READ || width != usual))
            return false;
    }
    return r->category >= 0 && r->category < CATEGORIES && r->lines <= UINT16_MAX && run_sound(r->line, r->lines, g->count[LINES]);
}

static bool test_sound(const struct test_row *t)
{
    return t->bit >= 0 && t->bit < 8 * MAX_READ && t->width > 0 && t->width <= MOST_COMPARED && t->comparison >= 0
        && t->comparison < COMPARISONS && t->other >= -1 && t->other < 8 * MAX_READ;
}

static bool given_sound(const struct given *g)
{
    for (size_t table = 0; table < 2; table++)
        for (size_t i = 0; i < g->count[table]; i++)
            if (!kind_sound(g, &g->kinds[table][i]))
                return false;
    for (size_t i = 0; i < g->count[LINES]; i++)
        if (g->lines[i].reader < -1 || g->lines[i].reader >= READERS || !run_sound(g->lines[i].test, g->lines[i].tests, g->count[TESTS]))
            return false;
    for (size_t i = 0; i < g->count[TESTS]; i++)
        if (!test_sound(&g->tests[i]))
            return false;
    return true;
}

/* The layer in which a header is painted. */
static enum line_colour colour_by(int64_t category)
{
    switch (category) {
    case A_LINK: case A_TAG: return LINK_COLOUR;
    case A_NETWORK: case AN_EXTENSION: return NETWORK_COLOUR;
    case AN_APPLICATION: return APPLICATION_COLOUR;
    default: return TRANSPORT_COLOUR;
    }
}

static void lay_kinds(struct known_kind *kinds, const struct kind_row *rows, size_t count, const struct known_line *lines)
{
    for (size_t i = 0; i < count; i++) {
        const struct kind_row *r = &rows[i];
        struct known_kind *k = &kinds[i];
        *k = (struct known_kind){.category = (uint8_t)r->category, .colour = (uint8_t)colour_by(r->category), .listed = r->listed != 0,
                                 .count = (uint16_t)r->lines, .lines = lines + r->line};
        for (int end = 0; end < 2; end++) {
            k->end[end].at = (uint32_t)r->end[end].bit / 8;
            k->end[end].octets = (uint8_t)(r->end[end].width / 8);
            k->end[end].form = (uint8_t)r->end[end].form;
        }
        for (const struct known_line *line = k->lines; line < k->lines + k->count; line++) {
            k->reads |= line->reader >= 0;
            k->asides |= line->aside;
        }
    }
}

static struct known_test laid_test(const struct test_row *r)
{
    uint64_t value = r->other >= 0 ? 0 : (uint64_t)r->value;
    bool one = r->comparison == EQUAL || r->comparison == UNEQUAL;
    int64_t last = (r->other > r->bit ? r->other : r->bit) + r->width;
    return (struct known_test){
        .bit = (uint32_t)r->bit, .width = (uint32_t)r->width, .octets = (uint32_t)(last + 7) / 8, .other = (int32_t)r->other,
        .outside = r->comparison == UNEQUAL || r->comparison == BELOW, .mask = (uint64_t)r->mask, .low = value,
        .span = one ? 0 : UINT64_MAX - value,
    };
}

static void lay(struct known *k, const struct given *g)
{
    for (size_t i = 0; i < g->count[TESTS]; i++)
        k->tests[i] = laid_test(&g->tests[i]);
    for (size_t i = 0; i < g->count[LINES]; i++) {
        const struct line_row *r = &g->lines[i];
        k->lines[i] = (struct known_line){r->aside != 0, (int8_t)r->reader, k->tests + r->test, k->tests + r->test + r->tests};
    }
    lay_kinds(k->kinds, g->kinds[0], g->count[0], k->lines);
    lay_kinds(k->items, g->kinds[1], g->count[1], k->lines);
    k->kinds_count = g->count[0];
    k->items_count = g->count[1];
}

static void forget(struct known *k)
{
    free(k->kinds);
    free(k->items);
    free(k->lines);
    free(k->tests);
}

bool line_set(const struct protocol_table tables[LINE_TABLES], bool *sound)
{
    static const size_t sizes[LINE_TABLES] = {
        sizeof(struct kind_row), sizeof(struct kind_row), sizeof(struct line_row), sizeof(struct test_row),
    };
    struct given g = {
        .kinds = {(const void *)tables[0].at, (const void *)tables[1].at},
        .lines = (const void *)tables[LINES].at, .tests = (const void *)tables[TESTS].at,
    };
    *sound = true;
    for (size_t i = 0; i < LINE_TABLES; i++) {
        g.count[i] = tables[i].count * sizeof(int64_t) / sizes[i];
        *sound &= g.count[i] * sizes[i] == tables[i].count * sizeof(int64_t);
    }
    if (!*sound || !(*sound = given_sound(&g)))
        return false;
    struct known fresh = {
        .kinds = calloc(g.count[0] + 1, sizeof *fresh.kinds), .items = calloc(g.count[1] + 1, sizeof *fresh.items),
        .lines = calloc(g.count[LINES] + 1, sizeof *fresh.lines), .tests = calloc(g.count[TESTS] + 1, sizeof *fresh.tests),
    };
    if (!fresh.kinds || !fresh.items || !fresh.lines || !fresh.tests) {
        forget(&fresh);
        return false;
    }
    lay(&fresh, &g);
    forget(&known);
    known = fresh;
    return true;
}

/* ---- pieces ---- */

struct teller {                 /* a packet that is being told */
    struct telling *told;
    const struct walk *walk;    /* its headers, */
    const struct known_kind *kind[MAX_HEADERS];         /* and what is known of each */
    const struct line_style *style;
    struct bytes *out;
    const struct segment *segment;      /* what was seen of its connection: that of the innermost level; NULL: nothing was */
};

static const struct known_kind *kind_of(const struct teller *t, size_t i)
{
    return t->kind[i];
}

static const struct known_kind *item_of(const struct header *item)
{
    size_t kind = (size_t)item->kind - FIRST_ITEM;
    return kind < known.items_count ? &known.items[kind] : &nothing;
}

static void add(struct teller *t, const void *from, size_t size)
{
    t->told->no_memory |= !bytes_add(t->out, from, size);
}

/* Words of ours: the compiler copies them in place. */
#define SAY(t, words) do { \
        struct bytes *to = (t)->out; \
        if (bytes_need(to, sizeof words)) { \
            memcpy(to->at + to->size, words, sizeof words); \
            to->size += sizeof words - 1; \
        } else \
            (t)->told->no_memory = true; \
    } while (0)

static void add_number(struct teller *t, uint64_t value)
{
    if (bytes_need(t->out, MOST_NUMBER))
        t->out->size = (size_t)(put_number64(t->out->at + t->out->size, value) - t->out->at);
    else
        t->told->no_memory = true;
}

static void begin(struct teller *t, enum line_colour colour)
{
    const char *sgr = t->style->colour[colour];
    if (sgr == NULL)
        return;
    SAY(t, "\033[");
    add(t, sgr, strlen(sgr));
    SAY(t, "m");
}

static void end(struct teller *t, enum line_colour colour)
{
    if (t->style->colour[colour] != NULL)
        SAY(t, "\033[m");
}

/* That of a header's layer. */
static enum line_colour colour_of(const struct teller *t, size_t i)
{
    return (enum line_colour)kind_of(t, i)->colour;
}

/* ---- time ---- */

enum { QUARTER = 900 };         /* seconds; a zone changes its offset at quarters of hours only */

static uint8_t *put_zone(uint8_t *out, int64_t offset)
{
    uint64_t minutes = (uint64_t)(offset < 0 ? -offset : offset) / 60;
    *out++ = offset < 0 ? '-' : '+';
    out = put_digits(out, minutes / 60, 2);
    *out++ = ':';
    return put_digits(out, minutes % 60, 2);
}

/* False: the offset of its zone is not known; then there is an exception. */
static bool put_absolute(uint8_t **to, const struct line_style *style, struct line_state *s, int64_t time)
{
    uint8_t *out = *to;
    int64_t seconds = floored(time, 1000000000), quarter = floored(seconds, QUARTER), was = s->offset;
    bool utc = style->offset == NULL;
    if (!utc && (!s->begun || quarter != s->quarter)) {
        if (!style->offset(style->of, seconds, &s->offset))
            return false;
        s->quarter = quarter;
    }
    int64_t local = seconds + s->offset, day = floored(local, DAY);
    bool dated = !s->begun || day != s->day || was != s->offset;
    if (dated) {
        out = put_date(out, day);
        *out++ = 'T';
    }
    s->day = day;
    out = put_fraction(put_clock(out, local - day * DAY), (uint64_t)remainder_of(time, 1000000000));
    if (dated && utc)
        *out++ = 'Z';
    else if (dated)
        out = put_zone(out, s->offset);
    *to = out;
    return true;
}

/* The time from one to another, in 64 bits without a sign. */
static uint8_t *put_difference(uint8_t *out, int64_t from, int64_t to)
{
    uint64_t size = to >= from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    if (to < from)
        *out++ = '-';
    return put_fraction(put_number64(out, size / 1000000000), size % 1000000000);
}

/* Number and time of a packet, with a blank behind. */
static bool add_front(struct teller *t, struct line_state *s, int64_t time)
{
    begin(t, CAPTURE_COLOUR);
    if (!bytes_need(t->out, MOST_NUMBER + MOST_TIME)) {
        t->told->no_memory = true;
        return true;
    }
    uint8_t *out = put_number64(t->out->at + t->out->size, s->number + 1);
    *out++ = ' ';
    if (!s->begun)
        s->first = s->before = time;
    if (t->style->time != ABSOLUTE_TIME)
        out = put_difference(out, t->style->time == SINCE_FIRST ? s->first : s->before, time);
    else if (!put_absolute(&out, t->style, s, time))
        return false;
    t->out->size = (size_t)(out - t->out->at);
    end(t, CAPTURE_COLOUR);
    SAY(t, " ");
    s->number++;
    s->begun = 1;
    s->before = time;
    return true;
}

/* ---- packets in packets ---- */

static bool has_ends(const struct known_kind *k)
{
    return k->end[0].octets > 0;
}

struct stage {                  /* headers that go from one to another together: those of a link, a network, a transport, an application */
    size_t from, stop;
    size_t net, link, ports;    /* the headers that say between whom; NO_HEADER: there is none */
};

/* The level that begins with a header: behind its network's header the next of a link or a network begins another one. */
static struct stage level_of(const struct teller *t, size_t from, size_t stop)
{
    struct stage l = {from, stop, NO_HEADER, NO_HEADER, NO_HEADER};
    const struct walk *w = t->walk;
    bool quoting = is_quoted(w, from);
    for (size_t i = from; i < stop; i++) {
        if (!quoting && is_quoted(w, i))
            continue;
        const struct known_kind *k = kind_of(t, i);
        if (l.net != NO_HEADER && (k->category == A_LINK || k->category == A_NETWORK)) {
            l.stop = i;
            break;
        }
        if (!has_ends(k))
            continue;
        if (k->category == A_NETWORK)
            l.net = i;
        else if (k->category == A_LINK)
            l.link = i;
        else if (l.net != NO_HEADER && l.ports == NO_HEADER)
            l.ports = i;
    }
    return l;
}

/* One of the two that a header of a kind goes between. */
static void add_end(struct teller *t, const struct known_kind *k, int which, const struct header *h)
{
    const struct frame *f = &t->told->view.frame;
    size_t at = h->start + (size_t)k->end[which].at, octets = k->end[which].octets;
    if (octets == 0 || at + octets > h->end)
        return;
    if (!bytes_need(t->out, MOST_NUMBER)) {
        t->told->no_memory = true;
        return;
    }
    uint8_t *out = t->out->at + t->out->size;
    switch (k->end[which].form) {
    case MAC: out = put_mac(out, read_bits(f, at * 8, 48)); break;
    case IPV4: out = put_ipv4(out, get32(f, at)); break;
    case IPV6_ADDRESS: out = put_ipv6(out, (struct value){read_bits(f, at * 8, 64), read_bits(f, at * 8 + 64, 64)}); break;
    default:                                    /* a port */
        *out++ = '.';
        out = put_decimal_short(out, get16(f, at));
    }
    t->out->size = (size_t)(out - t->out->at);
}

static void add_ends(struct teller *t, const struct stage *l)
{
    size_t of = l->net != NO_HEADER ? l->net : l->link;
    if (of == NO_HEADER)
        return;
    const struct known_kind *k = kind_of(t, of);
    enum line_colour colour = colour_of(t, of);
    begin(t, colour);
    for (int i = 0; i < 2; i++) {
        add_end(t, k, i, &t->walk->header[of]);
        if (l->net != NO_HEADER && l->ports != NO_HEADER)
            add_end(t, kind_of(t, l->ports), i, &t->walk->header[l->ports]);
        if (i == 0)
            SAY(t, " > ");
    }
    end(t, colour);
    SAY(t, " ");
}

/* Where what a transport with ports carries begins, and where it ends on the wire. */
static size_t payload_of(const struct teller *t, size_t ports, size_t *ends)
{
    const struct packet_view *p = &t->told->view;
    const struct header *h = &p->walk.header[ports];
    int64_t head = header_size(&protocols->kinds[h->kind], &p->frame, h->start);
    *ends = h->end < p->frame.size ? h->end : wire_end(p, ports);
    return h->start + (size_t)(head > 0 ? head : 0);
}

/* The last extension header of a datagram, which says what it carries; without any, its header. */
static size_t last_extension(const struct teller *t, const struct stage *l, size_t i)
{
    while (i + 1 < l->stop && kind_of(t, i + 1)->category == AN_EXTENSION)
        i++;
    return i;
}

/* Bytes on the wire: of a transport with ports what it carries, of any other message all of it. */
static uint64_t size_of(const struct teller *t, const struct stage *l, size_t spoken)
{
    const struct packet_view *p = &t->told->view;
    const struct header *h = p->walk.header;
    size_t begins, ends;
    if (l->ports != NO_HEADER)
        begins = payload_of(t, l->ports, &ends);
    else if (spoken != l->net || !carries_message(&h[spoken])) {
        bool behind = kind_of(t, spoken)->category == A_LINK || kind_of(t, spoken)->category == A_TAG;
        begins = behind ? h[spoken].data : h[spoken].start;
        ends = wire_end(p, spoken);
    } else {
        size_t last = last_extension(t, l, spoken), said = datagram_said(&p->frame, &h[spoken]);
        begins = last == spoken ? h[spoken].data : h[last].end;
        ends = said != 0 ? h[spoken].start + said : wire_end(p, spoken);
    }
    return ends > begins ? ends - begins : 0;
}

/* What people call a header; of a part the one that it is of. */
static struct name title_of(const struct teller *t, size_t i)
{
    while (i > 0 && shown_of(t->walk->header[i].kind)->title.size == 0)
        i--;
    return shown_of(t->walk->header[i].kind)->title;
}

static bool is_titled(const struct teller *t, size_t i)
{
    return shown_of(t->walk->header[i].kind)->title.size > 0;
}

/* ---- what headers say ---- */

static bool holds(const struct teller *t, const struct header *h, const struct known_line *line)
{
    const struct frame *f = &t->told->view.frame;
    size_t at = (size_t)h->start * 8;
    for (const struct known_test *test = line->tests; test < line->stop; test++) {
        uint64_t low = test->low, span = test->span;
        if (test->octets > h->end - h->start)
            return false;
        if (test->other >= 0) {
            low = read_bits(f, at + (size_t)test->other, test->width);
            span = span > 0 ? span - low : 0;
        }
        if (((read_bits(f, at + test->bit, test->width) & test->mask) - low <= span) == test->outside)
            return false;
    }
    return true;
}

/* What is read of a message: of a transport's own what it carries, where no header was found in that. */
static size_t add_read(struct teller *t, const struct stage *l, size_t i, enum reader reader)
{
    const struct frame *f = &t->told->view.frame;
    size_t at = t->walk->header[i].start, end = f->size;
    if (l->ports != NO_HEADER) {
        size_t payload = payload_of(t, l->ports, &end);
        end = least(end, f->size);
        if (i == l->ports) {
            if (i + 1 < l->stop)
                return 0;
            at = payload;
        }
    }
    if (at >= end)
        return 0;
    if (!bytes_need(t->out, MOST_TOLD)) {
        t->told->no_memory = true;
        return 0;
    }
    uint8_t *text = t->out->at + t->out->size;
    struct name title = title_of(t, i);
    size_t size = tell(reader, f, at, end, text), known_by = title.size + 1;
    if (size > known_by && memcmp(text, title.at, title.size) == 0 && text[title.size] == ' ') {
        size -= known_by;                       /* which stands in front already */
        memmove(text, text + known_by, size);
    }
    t->out->size += size;
    return size;
}

enum said { NOTHING_SAID, SOME_SAID, ALL_SAID };     /* the last one: of what is behind it, too */

/* Adds what the items of a header's lists say. */
static bool add_items(struct teller *t, size_t i, bool before)
{
    struct items items = items_of(&t->told->view.frame, t->walk);
    struct header item;
    for (items.index = i; next_item(&items, &item) && items.index == i;) {
        const struct known_kind *k = item_of(&item);
        for (size_t n = 0; n < k->count; n++) {
            const struct known_line *line = &k->lines[n];
            size_t size = t->out->size;
            if (line->aside || !holds(t, &item, line))
                continue;
            add(t, before ? ", " : " ", before ? 2 : 1);
            if (template_tell_of(t->told, &item, shown_of(item.kind)->first_line + n, t->out))
                before = true;
            else
                t->out->size = size;
        }
    }
    return before;
}

/* Adds what a header says, with commas between. before: whether something was said already. */
static enum said add_said(struct teller *t, const struct stage *l, size_t i, bool before)
{
    const struct known_kind *k = kind_of(t, i);
    const struct header *h = &t->walk->header[i];
    uint32_t first = shown_of(h->kind)->first_line;
    enum said said = NOTHING_SAID;
    bool listed = k->listed;
    for (size_t n = 0; n < k->count; n++) {
        const struct known_line *line = &k->lines[n];
        if (line->reader >= 0 && listed && add_items(t, i, before || said != NOTHING_SAID))
            said = SOME_SAID;
        listed &= line->reader < 0;             /* items come in front of what is read */
        size_t size = t->out->size;
        if (line->aside || (line->tests < line->stop && !holds(t, h, line)))
            continue;
        bool more = before || said != NOTHING_SAID;
        if (line->reader >= 0) {
            if (more && i == l->ports)
                SAY(t, ": ");
            else
                add(t, more ? ", " : " ", more ? 2 : 1);
            if (add_read(t, l, i, (enum reader)line->reader) > 0)
                return ALL_SAID;
            t->out->size = size;
            continue;
        }
        add(t, more ? ", " : " ", more ? 2 : 1);
        if (template_tell(t->told, i, first + n, t->out))
            said = SOME_SAID;
        else
            t->out->size = size;
    }
    if (listed && add_items(t, i, before || said != NOTHING_SAID))
        said = SOME_SAID;
    return said;
}

/* The same in parentheses, each for itself: what is said aside, */
static void add_asides(struct teller *t, size_t i)
{
    const struct known_kind *k = kind_of(t, i);
    const struct header *h = &t->walk->header[i];
    uint32_t first = shown_of(h->kind)->first_line;
    for (size_t n = 0; n < k->count; n++) {
        const struct known_line *line = &k->lines[n];
        size_t size = t->out->size;
        if (!line->aside || !holds(t, h, line))
            continue;
        SAY(t, " ");
        begin(t, colour_of(t, i));
        SAY(t, "(");
        bool told = template_tell(t->told, i, first + n, t->out);
        SAY(t, ")");
        end(t, colour_of(t, i));
        if (!told)
            t->out->size = size;
    }
}

/* and of a checksum. */
static void add_verdict(struct teller *t, size_t i)
{
    enum verdict verdict = telling_verdict(t->told, i);
    if (verdict != BAD && verdict != LEFT)
        return;
    enum line_colour colour = verdict == BAD ? WRONG_COLOUR : UNFINISHED_COLOUR;
    struct name title = title_of(t, i);
    SAY(t, " ");
    begin(t, colour);
    if (verdict == BAD)
        SAY(t, "(wrong ");
    else
        SAY(t, "(unfinished ");
    add(t, title.at, title.size);
    SAY(t, " checksum)");
    end(t, colour);
}

/* What was seen of the connection, in parentheses. */
static void add_seen(struct teller *t, const struct segment *s)
{
    static const struct {
        uint32_t what;
        const char *words;
        size_t octets;          /* where their number stands in a segment; 0: none does */
    } seen[] = {
        {SIMULTANEOUS, "simultaneous open", 0}, {FAST_OPEN, "fast open", 0}, {KEEP_ALIVE, "keep-alive", 0}, {PROBE, "window probe", 0},
        {DUPLICATE_ACK, "duplicate ack", 0}, {D_SACK, "octets arrived twice", 0}, {OUTSIDE, "outside of any window", 0},
        {EARLIER, "earlier than what was seen", 0}, {REPEATED, "seen before: ", offsetof(struct segment, repeated)},
        {FILLS, "fills a gap: ", offsetof(struct segment, filled)}, {GAP, "not seen before it: ", offsetof(struct segment, gap)},
        {UNSEEN, "acknowledged, not seen: ", offsetof(struct segment, unseen)},
    };
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        uint32_t octets;
        if ((s->what & seen[i].what) == 0)
            continue;
        SAY(t, " ");
        begin(t, TRANSPORT_COLOUR);
        SAY(t, "(");
        add(t, seen[i].words, strlen(seen[i].words));
        if (seen[i].octets != 0) {
            memcpy(&octets, (const uint8_t *)s + seen[i].octets, sizeof octets);
            add_number(t, octets);
        }
        SAY(t, ")");
        end(t, TRANSPORT_COLOUR);
    }
}

/* ---- levels ---- */

/* Whether a header begins a piece of what is said: the others are parts of the one in front, or go on with it under its title. */
static bool begins(const struct teller *t, size_t i, struct name before)
{
    struct name title = shown_of(t->walk->header[i].kind)->title;
    if (title.size > 0 && title.size == before.size && memcmp(title.at, before.at, title.size) == 0)
        return false;
    return kind_of(t, i)->reads || title.size > 0;
}

/* Whether a header speaks for its level: it lies behind what says where that goes, or nothing else does. */
static bool speaks(const struct teller *t, const struct stage *l, size_t i)
{
    int64_t category = kind_of(t, i)->category;
    return category != A_LINK && category != A_TAG && category != AN_EXTENSION && (l->net == NO_HEADER || i > l->net);
}

static size_t after(const struct teller *t, const struct stage *l, size_t i)
{
    i++;
    return i == t->walk->quoted && i < l->stop ? least(t->walk->resumed, l->stop) : i;
}

/* Title, size and what it says of a header, and of its parts behind it; gives the next one. heads: whether it is the first. */
static size_t add_header(struct teller *t, const struct stage *l, size_t i, bool heads, bool *said, bool *all)
{
    enum line_colour colour = colour_of(t, i);
    struct name title = shown_of(t->walk->header[i].kind)->title;
    for (size_t k = i; title.size == 0 && k + 1 < l->stop; k++)         /* a part in front of what it is of */
        title = shown_of(t->walk->header[k + 1].kind)->title;
    if (!heads)
        SAY(t, ": ");
    begin(t, colour);
    add(t, title.at, title.size);
    if (heads) {
        SAY(t, " ");
        add_number(t, size_of(t, l, i));
    }
    end(t, colour);
    *said = false;
    do {
        size_t by = i == l->net ? last_extension(t, l, i) : i;
        enum said what = add_said(t, l, by, *said);
        if (what == NOTHING_SAID && by != i)
            what = add_said(t, l, i, *said);
        *said |= what != NOTHING_SAID;
        *all |= what == ALL_SAID;
        i = after(t, l, i);
    } while (!*all && i < l->stop && !begins(t, i, title) && speaks(t, l, i));
    return i;
}

static void add_levels(struct teller *t, size_t from, size_t stop);

static void add_level(struct teller *t, const struct stage *l)
{
    const struct walk *w = t->walk;
    bool quoting = is_quoted(w, l->from), told = false, said = false, all = false;
    bool innermost = !quoting && (l->stop == w->count || (w->quoted < l->stop && least(w->resumed, w->count) == w->count));
    t->told->segment = innermost ? t->segment : NULL;
    add_ends(t, l);
    for (size_t i = l->from; i < l->stop && !all;) {
        size_t size = t->out->size, of = i;
        if (!speaks(t, l, i)) {
            i = after(t, l, i);
            continue;
        }
        i = add_header(t, l, i, !told, &said, &all);
        bool more = false;
        for (size_t k = i; k < l->stop && !more; k = after(t, l, k))
            more = speaks(t, l, k);
        if (of == l->ports && !said && more)    /* no more than its ports: what it carries speaks */
            t->out->size = size;
        else
            told = true;
    }
    if (!told) {
        size_t last = l->net != NO_HEADER ? l->net : l->stop - 1;
        while (last > l->from && !is_titled(t, last))
            last--;
        add_header(t, l, last, true, &said, &all);
    }
    if (!quoting && w->quoted >= l->from && w->quoted < l->stop) {
        SAY(t, " [");
        add_levels(t, w->quoted, least(w->resumed, w->count));
        SAY(t, "]");
    }
    for (size_t i = l->from; i < l->stop; i = after(t, l, i)) {
        if (kind_of(t, i)->asides)
            add_asides(t, i);
        add_verdict(t, i);
    }
    if (innermost && t->segment != NULL)
        add_seen(t, t->segment);
}

static void add_levels(struct teller *t, size_t from, size_t stop)
{
    const struct header *h = t->walk->header;
    while (from < stop) {
        struct stage l = level_of(t, from, stop);
        add_level(t, &l);
        from = l.stop;
        if (from < stop && l.net != NO_HEADER && h[from].start >= h[l.net].end)
            SAY(t, " | ");                      /* beside it: frames of an A-MSDU */
        else if (from < stop)
            SAY(t, " > ");
    }
}

/* ---- lines ---- */

/* The first fragment of a datagram begins as that does: its headers are found as if it was all of it. `whole`: room for a copy. */
static void walk_fragment(struct telling *told, struct bytes *whole)
{
    struct packet_view *p = &told->view;
    size_t i = p->walk.count - 1;
    const struct header *last = &p->walk.header[i];
    const struct kind *k = &protocols->kinds[last->kind];
    if ((last->exception != DATAGRAM_4 && last->exception != FRAGMENT_HEADER) || hold(&k->whole_only, &p->frame, last->start, last->start))
        return;
    while (i > 0 && !carries_message(&p->walk.header[i]))
        i--;
    if (is_quoted(&p->walk, i) || fragment_offset(p, i) != 0)
        return;
    telling_verdict(told, 0);   /* judges all: checksums are told of the fragment as it is */
    for (size_t behind = p->walk.count; behind < MAX_HEADERS; behind++)
        told->verdicts[behind] = NONE;
    size_t at = last->start + (last->exception == DATAGRAM_4 ? 6 : 2);
    whole->size = 0;
    if (!bytes_add(whole, p->frame.at, p->frame.size)) {
        told->no_memory = true;
        return;
    }
    struct writable_frame copy = writable(whole->at, whole->size);
    put16(&copy, at, 0);
    walk(&p->walk, &copy.view, told->linktype);
}

/* Whether it has a segment that is not quoted: of others nothing is to be said of their conversation. */
static bool has_segment(const struct walk *w)
{
    bool found = false;
    for (size_t i = 0; i < w->count; i++)
        found |= w->header[i].exception == SEGMENTS && !is_quoted(w, i);
    return found;
}

enum line_end line_add(struct bytes *out, struct telling *told, struct bytes *whole, const struct frame *f, const struct packet *p,
                       const struct line_style *style, struct line_state *s)
{
    struct told whose;
    telling_begin(told, f, p->original, p->linktype);
    bool follows = style->conversations != NULL && has_segment(&told->view.walk);
    if (follows && !converse(style->conversations, &told->view, p, true, &whose))
        return LINE_NO_MEMORY;
    follows = follows && (whose.segment.what & SEGMENT) != 0;
    walk_fragment(told, whole);
    struct teller t;
    t.told = told;
    t.walk = &told->view.walk;
    t.style = style;
    t.out = out;
    t.segment = follows ? &whose.segment : NULL;
    for (size_t i = 0; i < t.walk->count; i++) {
        size_t kind = t.walk->header[i].kind;
        t.kind[i] = kind < known.kinds_count ? &known.kinds[kind] : &nothing;
    }
    if (!add_front(&t, s, p->time))
        return LINE_ERROR;
    add_levels(&t, 0, t.walk->count);
    if (p->original > (int64_t)f->size) {
        SAY(&t, " (");
        add_number(&t, f->size);
        SAY(&t, " of ");
        add_number(&t, (uint64_t)p->original);
        SAY(&t, " captured)");
    }
    SAY(&t, "\n");
    return told->no_memory ? LINE_NO_MEMORY : LINE_DONE;
}
