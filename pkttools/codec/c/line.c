/* A packet as one line: number, time, and of each packet in it whom it goes between, the protocol, its size and what it says. What is
 * known of kinds of headers are tables of integers, see ../../protocols/lining.py, which names their columns. Twin of
 * ../python/line.py, where the form is told.
 */
#include "line.h"
#include "fields.h"
#include "protocols.h"

#include <stdlib.h>

enum category { NO_CATEGORY, OF_LINK, OF_TAG, OF_NETWORK, OF_EXTENSION, OF_TRANSPORT, OF_TUNNEL, OF_APPLICATION, CATEGORIES };
enum { MOST_TIME = 64, MOST_ENDS = 128, NO_HEADER = MAX_HEADERS };
enum { MOST_LINE = 65536 };     /* bytes of a line, by which it is told that memory is wanted at once */

struct ending {                 /* one of the two that a header goes between */
    int64_t bit, width, form;   /* width 0: it says none */
};

struct known_kind {             /* a row of the first table */
    int64_t category;
    struct ending end[2];
    int64_t title, title_size, line, lines;
};

static struct known {
    struct known_kind *kinds;
    size_t count;
    char *titles;
} known;

static const struct known_kind nothing;

bool line_known(void)
{
    return known.kinds != NULL;
}

static bool end_sound(const struct ending *e)
{
    int64_t width = e->form == MAC ? 48 : e->form == IPV4 ? 32 : e->form == IPV6_ADDRESS ? 128 : e->form == NUMBER ? 16 : -1;
    return e->width == 0 || (e->bit >= 0 && e->bit % 8 == 0 && e->bit < 8 * MAX_READ && e->width == width);
}

bool line_set(const struct line_tables *t, bool *sound)
{
    size_t count = t->kinds_count / (sizeof(struct known_kind) / sizeof(int64_t));
    struct known fresh = {malloc(count * sizeof(struct known_kind) + 1), count, malloc(t->titles_size + 1)};
    *sound = t->kinds_count % (sizeof(struct known_kind) / sizeof(int64_t)) == 0;
    for (size_t i = 0; *sound && fresh.kinds != NULL && i < count; i++) {
        struct known_kind *k = &fresh.kinds[i];
        memcpy(k, t->kinds + i * (sizeof *k / sizeof(int64_t)), sizeof *k);
        *sound = k->category >= 0 && k->category < CATEGORIES && end_sound(&k->end[0]) && end_sound(&k->end[1])
            && k->title >= 0 && k->title_size >= 0 && (uint64_t)k->title <= t->titles_size
            && (uint64_t)k->title_size <= t->titles_size - (uint64_t)k->title;
    }
    if (!*sound || fresh.kinds == NULL || fresh.titles == NULL) {
        free(fresh.kinds);
        free(fresh.titles);
        return false;
    }
    memcpy(fresh.titles, t->titles, t->titles_size);
    free(known.kinds);
    free(known.titles);
    known = fresh;
    return true;
}

/* ---- pieces ---- */

struct telling {                /* a packet that is being told */
    struct packet_view view;
    enum verdict verdict[MAX_HEADERS];
    const struct line_style *style;
    struct bytes *out;
    bool failed;                /* there is no memory */
};

static const struct known_kind *kind_of(const struct telling *t, size_t i)
{
    size_t kind = t->view.walk.header[i].kind;
    return kind < known.count ? &known.kinds[kind] : &nothing;
}

static void add(struct telling *t, const void *from, size_t size)
{
    t->failed |= !bytes_add(t->out, from, size);
}

#define SAY(t, words) add(t, words, sizeof words - 1)

static void add_number(struct telling *t, uint64_t value)
{
    uint8_t digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (uint8_t)('0' + value % 10);
    while ((value /= 10) > 0);
    add(t, digits + n, sizeof digits - n);
}

static void begin(struct telling *t, enum line_colour colour)
{
    const char *sgr = t->style->colour[colour];
    if (sgr == NULL)
        return;
    SAY(t, "\033[");
    add(t, sgr, strlen(sgr));
    SAY(t, "m");
}

static void end(struct telling *t, enum line_colour colour)
{
    if (t->style->colour[colour] != NULL)
        SAY(t, "\033[m");
}

static enum line_colour colour_of(enum category category)
{
    switch (category) {
    case OF_LINK: case OF_TAG: return LINK_COLOUR;
    case OF_NETWORK: case OF_EXTENSION: return NETWORK_COLOUR;
    case OF_APPLICATION: return APPLICATION_COLOUR;
    default: return TRANSPORT_COLOUR;
    }
}

/* ---- time ---- */

enum { DAY = 86400, QUARTER = 900 };    /* seconds; a zone changes its offset at quarters of hours only */

static int64_t floored(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static uint8_t *put_digits(uint8_t *out, uint64_t value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (uint8_t)('0' + value % 10);
    return out + digits;
}

/* Microseconds, or nanoseconds where there are some. */
static uint8_t *put_fraction(uint8_t *out, uint64_t nanoseconds)
{
    *out++ = '.';
    return nanoseconds % 1000 != 0 ? put_digits(out, nanoseconds, 9) : put_digits(out, nanoseconds / 1000, 6);
}

/* Year, month and day of a day since 1970: in years that begin with March a day more or less comes last. */
static uint8_t *put_date(uint8_t *out, int64_t day)
{
    int64_t shifted = day + 719468, era = floored(shifted, 146097), of_era = shifted - era * 146097;    /* days from 0000-03-01 on */
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    out = put_digits(out, (uint64_t)(era * 400 + year + (month >= 10)), 4);
    *out++ = '-';
    out = put_digits(out, (uint64_t)(month < 10 ? month + 3 : month - 9), 2);
    *out++ = '-';
    return put_digits(out, (uint64_t)(of_year - (153 * month + 2) / 5 + 1), 2);
}

static uint8_t *put_clock(uint8_t *out, int64_t of_day)
{
    out = put_digits(out, (uint64_t)(of_day / 3600), 2);
    *out++ = ':';
    out = put_digits(out, (uint64_t)(of_day / 60 % 60), 2);
    *out++ = ':';
    return put_digits(out, (uint64_t)(of_day % 60), 2);
}

static uint8_t *put_zone(uint8_t *out, int64_t offset)
{
    uint64_t minutes = (uint64_t)(offset < 0 ? -offset : offset) / 60;
    *out++ = offset < 0 ? '-' : '+';
    out = put_digits(out, minutes / 60, 2);
    *out++ = ':';
    return put_digits(out, minutes % 60, 2);
}

/* False: the offset of its zone is not known; then there is an exception. */
static bool add_absolute(struct telling *t, struct line_state *s, int64_t time)
{
    uint8_t text[MOST_TIME], *out = text;
    int64_t seconds = floored(time, 1000000000), quarter = floored(seconds, QUARTER), was = s->offset;
    bool utc = t->style->offset == NULL;
    if (!utc && (!s->begun || quarter != s->quarter)) {
        if (!t->style->offset(t->style->of, seconds, &s->offset))
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
    out = put_fraction(put_clock(out, local - day * DAY), (uint64_t)(time - seconds * 1000000000));
    if (dated && utc)
        *out++ = 'Z';
    else if (dated)
        out = put_zone(out, s->offset);
    add(t, text, (size_t)(out - text));
    return true;
}

/* The time from one to another, in 64 bits without a sign. */
static void add_difference(struct telling *t, int64_t from, int64_t to)
{
    uint8_t text[MOST_TIME];
    uint64_t size = to >= from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    if (to < from)
        SAY(t, "-");
    add_number(t, size / 1000000000);
    add(t, text, (size_t)(put_fraction(text, size % 1000000000) - text));
}

/* ---- packets in packets ---- */

static bool has_ends(const struct known_kind *k)
{
    return k->end[0].width > 0;
}

static bool is_quoted(const struct walk *w, size_t i)
{
    return i >= w->quoted && i < w->resumed;
}

struct level {                  /* headers that go from one to another together: those of a link, a network, a transport, an application */
    size_t from, stop;
    size_t net, link, ports;    /* the headers that say between whom; NO_HEADER: there is none */
};

/* The level that begins with a header: behind its network's header the next of a link or a network begins another one. */
static struct level level_of(const struct telling *t, size_t from, size_t stop)
{
    struct level l = {from, stop, NO_HEADER, NO_HEADER, NO_HEADER};
    const struct walk *w = &t->view.walk;
    bool quoting = is_quoted(w, from);
    for (size_t i = from; i < stop; i++) {
        if (!quoting && is_quoted(w, i))
            continue;
        const struct known_kind *k = kind_of(t, i);
        if (l.net != NO_HEADER && (k->category == OF_LINK || k->category == OF_NETWORK)) {
            l.stop = i;
            break;
        }
        if (!has_ends(k))
            continue;
        if (k->category == OF_NETWORK)
            l.net = i;
        else if (k->category == OF_LINK)
            l.link = i;
        else if (l.net != NO_HEADER && l.ports == NO_HEADER)
            l.ports = i;
    }
    return l;
}

static void add_end(struct telling *t, const struct ending *e, const struct header *h, bool port)
{
    uint8_t text[64], *out = text;
    struct field field = {.bit = e->bit, .width = e->width, .scale = 1};
    struct place at;
    if (e->width == 0 || !place_of(&field, h, &at))
        return;
    struct value v = read_raw(&t->view.frame, &at);
    if (port) {
        SAY(t, ".");
        add_number(t, v.low);
        return;
    }
    out = e->form == MAC ? put_mac(out, v.low) : e->form == IPV4 ? put_ipv4(out, v.low) : put_ipv6(out, v);
    add(t, text, (size_t)(out - text));
}

static void add_ends(struct telling *t, const struct level *l)
{
    size_t of = l->net != NO_HEADER ? l->net : l->link;
    if (of == NO_HEADER)
        return;
    const struct known_kind *k = kind_of(t, of);
    enum line_colour colour = colour_of((enum category)k->category);
    begin(t, colour);
    for (int i = 0; i < 2; i++) {
        add_end(t, &k->end[i], &t->view.walk.header[of], false);
        if (l->net != NO_HEADER && l->ports != NO_HEADER)
            add_end(t, &kind_of(t, l->ports)->end[i], &t->view.walk.header[l->ports], true);
        if (i == 0)
            SAY(t, " > ");
    }
    end(t, colour);
    SAY(t, " ");
}

/* Bytes on the wire: of a transport with ports what it carries, of any other message all of it. */
static uint64_t size_of(const struct telling *t, const struct level *l, size_t spoken)
{
    const struct packet_view *p = &t->view;
    const struct header *h = p->walk.header;
    if (l->ports != NO_HEADER) {
        const struct header *of = &h[l->ports];
        int64_t head = header_size(&protocols->kinds[of->kind], &p->frame, of->start);
        size_t begins = of->start + (size_t)(head > 0 ? head : 0), ends = of->end < p->frame.size ? of->end : wire_end(p, l->ports);
        return ends > begins ? ends - begins : 0;
    }
    if (spoken != l->net || !carries_message(&h[spoken])) {
        bool own = kind_of(t, spoken)->category == OF_LINK || kind_of(t, spoken)->category == OF_TAG;
        size_t begins = own ? h[spoken].data : h[spoken].start, ends = wire_end(p, spoken);
        return ends > begins ? ends - begins : 0;
    }
    size_t last = spoken;
    while (last + 1 < l->stop && kind_of(t, last + 1)->category == OF_EXTENSION)
        last++;
    size_t said = datagram_said(&p->frame, &h[spoken]);
    size_t ends = said != 0 ? h[spoken].start + said : wire_end(p, spoken), begins = h[last].data;
    return ends > begins ? ends - begins : 0;
}

static void add_title(struct telling *t, size_t i)
{
    while (i > 0 && kind_of(t, i)->title_size == 0)
        i--;
    add(t, known.titles + kind_of(t, i)->title, (size_t)kind_of(t, i)->title_size);
}

/* Whether a header speaks for its level: it lies behind what says where that goes. */
static bool speaks(const struct telling *t, const struct level *l, size_t i)
{
    const struct known_kind *k = kind_of(t, i);
    return k->title_size > 0 && k->category != OF_LINK && k->category != OF_TAG && k->category != OF_EXTENSION
        && (l->net == NO_HEADER || i > l->net);
}

/* The first header that speaks: a transport that has no more to say than its ports leaves that to what it carries. */
static size_t speaker(const struct telling *t, const struct level *l)
{
    const struct walk *w = &t->view.walk;
    bool quoting = is_quoted(w, l->from);
    size_t found = NO_HEADER;
    for (size_t i = l->from; i < l->stop; i++)
        if (speaks(t, l, i) && (quoting || !is_quoted(w, i))) {
            if (i != l->ports)
                return i;
            found = i;
        }
    if (found != NO_HEADER)
        return found;
    if (l->net != NO_HEADER)
        return l->net;
    size_t last = l->stop - 1;
    while (last > l->from && kind_of(t, last)->title_size == 0)
        last--;
    return last;
}

static void add_aside(struct telling *t, const char *words, size_t i, enum line_colour colour)
{
    SAY(t, " ");
    begin(t, colour);
    SAY(t, "(");
    add(t, words, strlen(words));
    add_title(t, i);
    SAY(t, " checksum)");
    end(t, colour);
}

static void add_levels(struct telling *t, size_t from, size_t stop);

static void add_level(struct telling *t, const struct level *l)
{
    const struct walk *w = &t->view.walk;
    bool quoting = is_quoted(w, l->from);
    size_t spoken = speaker(t, l);
    enum line_colour colour = colour_of((enum category)kind_of(t, spoken)->category);
    add_ends(t, l);
    begin(t, colour);
    add_title(t, spoken);
    SAY(t, " ");
    add_number(t, size_of(t, l, spoken));
    end(t, colour);
    if (!quoting && w->quoted >= l->from && w->quoted < l->stop) {
        SAY(t, " [");
        add_levels(t, w->quoted, least(w->resumed, w->count));
        SAY(t, "]");
    }
    for (size_t i = l->from; i < l->stop; i++)
        if (t->verdict[i] == BAD)
            add_aside(t, "wrong ", i, WRONG_COLOUR);
        else if (t->verdict[i] == LEFT)
            add_aside(t, "unfinished ", i, UNFINISHED_COLOUR);
}

static void add_levels(struct telling *t, size_t from, size_t stop)
{
    const struct header *h = t->view.walk.header;
    while (from < stop) {
        struct level l = level_of(t, from, stop);
        add_level(t, &l);
        from = l.stop;
        if (from < stop && l.net != NO_HEADER && h[from].start >= h[l.net].end)
            SAY(t, " | ");                      /* beside it: frames of an A-MSDU */
        else if (from < stop)
            SAY(t, " > ");
    }
}

/* ---- lines ---- */

static void judge(struct telling *t)
{
    struct packet_view own = t->view;
    size_t quoted = own.walk.quoted, resumed = own.walk.resumed, count = own.walk.count;
    enum verdict verdicts[MAX_HEADERS];
    if (quoted < MAX_HEADERS)
        leave_out_quoted(&own.walk);
    verify(&own, verdicts);
    for (size_t i = 0, k = 0; i < count; i++)
        t->verdict[i] = i >= quoted && i < resumed ? NONE : verdicts[k++];
}

enum line_end line_add(struct bytes *out, const struct frame *f, const struct packet *p, const struct line_style *style, struct line_state *s)
{
    struct telling t = {.view = {.frame = *f, .original = p->original}, .style = style, .out = out};
    walk(&t.view.walk, f, p->linktype);
    judge(&t);
    begin(&t, CAPTURE_COLOUR);
    add_number(&t, (uint64_t)s->number + 1);
    SAY(&t, " ");
    if (!s->begun)
        s->first = s->before = p->time;
    if (style->time == ABSOLUTE_TIME) {
        if (!add_absolute(&t, s, p->time))
            return LINE_ERROR;
    } else
        add_difference(&t, style->time == SINCE_FIRST ? s->first : s->before, p->time);
    end(&t, CAPTURE_COLOUR);
    SAY(&t, " ");
    s->number++;
    s->begun = 1;
    s->before = p->time;
    add_levels(&t, 0, t.view.walk.count);
    if (p->original > (int64_t)f->size) {
        SAY(&t, " (");
        add_number(&t, f->size);
        SAY(&t, " of ");
        add_number(&t, (uint64_t)p->original);
        SAY(&t, " captured)");
    }
    SAY(&t, "\n");
    return t.failed ? LINE_NO_MEMORY : LINE_DONE;
}
