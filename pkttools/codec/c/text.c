/* The text format: packets to text and back. Twin of ../python/text.py; the grammar stands there in words. */
#include "fields.h"

/* ---- reading ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return hex_value[c] != NOT_HEX;
}

struct line {
    const uint8_t *at;
    size_t size;
};

static inline bool starts(const struct line *l, const char *with)
{
    size_t n = strlen(with);    /* a constant wherever this stands */
    return l->size >= n && l->at[0] == (uint8_t)with[0] && memcmp(l->at, with, n) == 0;
}

/* Whether it is an extension line, which goes along with its packet. */
static inline bool is_note(const struct line *l)
{
    return starts(l, "IFACE:") || starts(l, "WAY:") || starts(l, "NOTE:") || starts(l, "LOST:");
}

/* The next line from `at`, without its end; false when it is not complete yet. */
static bool next_line(const uint8_t *text, size_t size, bool final, size_t *at, struct line *l)
{
    const uint8_t *start = text + *at, *end = memchr(start, '\n', size - *at);
    if (end == NULL && (!final || *at == size))
        return false;
    l->at = start;
    l->size = (size_t)((end != NULL ? end : text + size) - start);
    *at += l->size + (end != NULL);
    return true;
}

/* A word of a line: from `from`, past blanks, to the next blank. */
static inline struct line word_of(const struct line *l, size_t from)
{
    while (from < l->size && is_blank(l->at[from]))
        from++;
    size_t end = from;
    while (end < l->size && !is_blank(l->at[end]))
        end++;
    return (struct line){l->at + from, end - from};
}

/* Digits at the start of a word; gives how many. A number beyond `limit` is given as limit + 1. */
static size_t read_number(const struct line *w, size_t from, int64_t limit, int64_t *value)
{
    size_t at = from;
    *value = 0;
    for (; at < w->size && is_digit(w->at[at]); at++)
        if (*value <= limit)
            *value = *value * 10 + (w->at[at] - '0');
    if (*value > limit)
        *value = limit + 1;
    return at - from;
}

static bool read_time(const struct line *w, int64_t *time)
{
    int64_t seconds, nanoseconds = 0, unit = 100000000;
    size_t at = read_number(w, 0, MAX_SECONDS, &seconds), digits = at;
    if (at < w->size && w->at[at] == '.')
        for (at++; at < w->size && is_digit(w->at[at]); at++, digits++, unit /= 10)
            nanoseconds += (w->at[at] - '0') * unit;    /* digits below a nanosecond add 0 */
    if (digits == 0 || at < w->size || seconds > MAX_SECONDS)
        return false;
    *time = seconds * 1000000000 + nanoseconds;
    return true;
}

static bool read_size(const struct line *w, int64_t *captured, int64_t *original)
{
    size_t at = read_number(w, 0, MAX_FRAME, captured);
    if (at == 0 || *captured > MAX_FRAME)
        return false;
    *original = *captured;
    if (at < w->size && w->at[at] == '/')
        at += 1 + read_number(w, at + 1, UINT32_MAX, original);
    return at == w->size && *original <= UINT32_MAX;
}

/* The octets of a frame check sequence, and what a pcap header says of them where that is not half as much. */
static bool read_trailer(const struct line *w, int64_t *octets, int64_t *count)
{
    size_t at = read_number(w, 0, MAX_FCS, octets), digits = at;
    *count = *octets / 2;
    if (*octets % 2 != 0)
        *count = -1;
    if (at > 0 && at < w->size && w->at[at] == '/') {
        digits = read_number(w, at + 1, MAX_COUNT, count);
        at += 1 + digits;
    }
    return at == w->size && digits > 0 && *octets <= MAX_FCS && *count <= MAX_COUNT;
}

/* NAME.FIELD: or NAME.FIELD[k]: at the start of a line; gives the bytes before the colon, or 0. */
static size_t field_name(const struct line *l)
{
    size_t at = 0, dot;
    while (at < l->size && (is_word(l->at[at])))
        at++;
    if (at == 0 || at == l->size || is_digit(l->at[0]) || l->at[at] != '.')
        return 0;
    for (dot = at++; at < l->size && is_word(l->at[at]);)
        at++;
    if (at == dot + 1)
        return 0;
    if (at < l->size && l->at[at] == '[') {
        at++;
        if (at < l->size && l->at[at] == '-')
            at++;
        size_t digits = at;
        while (at < l->size && is_digit(l->at[at]))
            at++;
        if (at == digits || at == l->size || l->at[at] != ']')
            return 0;
        at++;
    }
    return at < l->size && l->at[at] == ':' ? at : 0;
}

static size_t skip_blanks(const struct line *l, size_t at)
{
    while (at < l->size && is_blank(l->at[at]))
        at++;
    return at;
}

/* The line's size without the blanks at its end. */
static size_t without_blanks(const struct line *l)
{
    size_t end = l->size;
    while (end > 0 && is_blank(l->at[end - 1]))
        end--;
    return end;
}

static size_t skip_digits(const struct line *l, size_t at)
{
    while (at < l->size && hex_value[l->at[at]] < 16)
        at++;
    return at;
}

/* Whether hex digits stand at `at`, and nothing directly behind them. */
static bool is_group(const struct line *l, size_t at)
{
    size_t end = skip_digits(l, at);
    return end > at && (end == l->size || is_blank(l->at[end]));
}

/* Whether a line that begins with a blank goes on as data: an offset and bytes, or two groups of digits. */
static bool is_indented(const struct line *l)
{
    size_t at = skip_blanks(l, 0), digits = at;
    if (at + 1 < l->size && l->at[at] == '0' && (l->at[at + 1] == 'x' || l->at[at + 1] == 'X'))
        digits += 2;            /* as tcpdump writes offsets */
    size_t end = skip_digits(l, digits);
    if (end > digits && end < l->size && l->at[end] == ':')
        return is_group(l, skip_blanks(l, end + 1));
    return is_group(l, at) && is_group(l, skip_blanks(l, skip_digits(l, at)));
}

/* The digits of an offset without its colon, as other programs write it: four to eight, two blanks behind them, and their
 * number is that of the bytes that the packet `has`; 0: there is none. */
static size_t bare_offset(const struct line *l, size_t has)
{
    size_t digits = skip_digits(l, 0), end = l->size - (l->size > 0 && l->at[l->size - 1] == '\r');
    uint32_t value = 0;
    if (digits < 4 || digits > 8 || digits + 2 > end || !is_blank(l->at[digits]) || !is_blank(l->at[digits + 1]))
        return 0;
    for (size_t i = 0; i < digits; i++)
        value = value << 4 | hex_value[l->at[i]];
    return value == has ? digits : 0;
}

struct slip {                   /* what is wrong with a data line, and the word that is */
    enum error_kind kind;
    struct line word;
};

/* Bytes of a data line of a packet that `has` some already. False: no memory. */
static bool read_data(const struct line *l, size_t has, struct bytes *out, struct slip *slip)
{
    size_t at = skip_digits(l, 0), bare = bare_offset(l, has);
    if (bare > 0) {
        *slip = (struct slip){NO_COLON, {l->at, bare}};
        return true;
    }
    at = at < l->size && l->at[at] == ':' ? at + 1 : 0;     /* the offset, if there is one */
    if (!bytes_need(out, l->size / 2 + 1))
        return false;
    for (;;) {
        size_t start = skip_blanks(l, at);
        at = skip_digits(l, start);
        size_t digits = at - start;
        if (at < l->size && hex_value[l->at[at]] == WORD) {
            while (at < l->size && is_word(l->at[at]))
                at++;
            *slip = (struct slip){BAD_HEX, {l->at + start, at - start}};
            return true;
        }
        if (digits > 0 && at < l->size && !is_blank(l->at[at])) {
            *slip = (struct slip){NO_BLANK, word_of(l, start)};
            return true;
        }
        if (digits == 0)        /* the end, or a comment */
            return true;
        if (digits > 1 && digits % 2 != 0) {
            *slip = (struct slip){ODD_HEX, word_of(l, start)};
            return true;
        }
        if (digits == 1)
            out->at[out->size++] = hex_value[l->at[start]];
        else
            for (size_t i = start; i < at; i += 2)
                out->at[out->size++] = (uint8_t)(hex_value[l->at[i]] << 4 | hex_value[l->at[i + 1]]);
    }
}

/* What a packet under construction knows besides its bytes. */
struct draft {
    size_t data;                /* where its bytes begin */
    int64_t line, captured, original, time;
    struct bytes *notes;
};

static void fail(struct text_decoder *d, enum error_kind error, int64_t line, size_t word, size_t size)
{
    d->error = error;
    d->error_line = line;
    d->word = word;
    d->word_size = size;
}

/* Sets what the field lines of a packet say; d->error where one says nothing. */
static void set_fields(struct text_decoder *d, const uint8_t *text, const struct packet *row)
{
    struct packet own;
    const struct packet *bare = without_fcs(row, &own);
    const struct writable_frame f = writable(d->data.at + bare->offset, (size_t)bare->captured);
    const struct field_line *wrong;
    if (!names_known() && d->names_ready != NULL)
        d->names_ready();
    switch (settings_apply(&d->settings, &f, bare->linktype, text, &wrong, &d->unplaced, &d->cut)) {
    case WRONG_LINE: fail(d, BAD_FIELD, wrong->line, wrong->name, wrong->value + wrong->value_size - wrong->name); break;
    case WITHOUT_ROOM: fail(d, NO_MEMORY, d->line, 0, 0); break;
    default: break;
    }
}

/* Closes a packet: the declared size, what its field lines say, then its notes behind its bytes. False: d->error says why. */
static bool finish(struct text_decoder *d, const uint8_t *text, const struct draft *p)
{
    int64_t given = (int64_t)(d->data.size - p->data);
    int64_t captured = p->captured >= 0 ? p->captured : given;
    d->shortened += captured < given;
    d->filled += given > 0 && captured > given;     /* without any they are meant: fields follow */
    if (!bytes_need(&d->data, captured > given ? (size_t)(captured - given) : 1)) {
        fail(d, NO_MEMORY, d->line, 0, 0);
        return false;
    }
    if (captured > given)
        memset(d->data.at + d->data.size, 0, (size_t)(captured - given));
    d->data.size = p->data + (size_t)captured;
    struct packet row = {
        .offset = (int64_t)p->data, .captured = captured, .original = p->captured >= 0 ? p->original : given,
        .time = p->time, .linktype = d->linktype, .notes = (int64_t)d->data.size, .notes_size = (int64_t)p->notes->size,
    };
    if (d->settings.lines.size > 0)
        set_fields(d, text, &row);
    if (d->error == NO_ERROR && !(bytes_add(&d->data, p->notes->at, p->notes->size) && bytes_add(&d->packets, &row, sizeof row)))
        fail(d, NO_MEMORY, d->line, 0, 0);
    return d->error == NO_ERROR;
}

/* One line inside a packet. False when reading ends here, with or without an error. */
static bool read_line(struct text_decoder *d, const uint8_t *text, const struct line *l, struct draft *p)
{
    uint8_t first = l->size > 0 ? l->at[0] : ' ';
    size_t name;
    if (first == 'T' && starts(l, "TIME:")) {
        struct line w = word_of(l, 5);
        if (!read_time(&w, &p->time)) {
            fail(d, BAD_TIME, d->line, (size_t)(w.at - text), w.size);
            return false;
        }
    } else if (first == 'S' && starts(l, "SIZE:")) {
        struct line w = word_of(l, 5);
        if (!read_size(&w, &p->captured, &p->original)) {
            fail(d, BAD_SIZE, d->line, (size_t)(w.at - text), w.size);
            return false;
        }
    } else if (is_note(l)) {
        size_t size = l->size;
        while (size > 0 && l->at[size - 1] == '\r')
            size--;
        if (!bytes_add(p->notes, l->at, size) || !bytes_add(p->notes, "\n", 1))
            d->error = NO_MEMORY;
    } else if (!is_digit(first) && (name = field_name(l)) > 0) {
        size_t value = skip_blanks(l, name + 1), end = without_blanks(l);
        if (end < value)
            end = value;
        size_t start = (size_t)(l->at - text);
        struct field_line f = {start, name, start + value, end - value, d->line, -1};
        if (!bytes_add(&d->settings.lines, &f, sizeof f))
            d->error = NO_MEMORY;
    } else if (hex_value[first] < 16) {
        struct slip slip = {NO_ERROR, {NULL, 0}};
        if (!read_data(l, d->data.size - p->data, &d->data, &slip))
            d->error = NO_MEMORY;
        else if (slip.kind != NO_ERROR)
            fail(d, slip.kind, d->line, (size_t)(slip.word.at - text), slip.word.size);
        else if (d->data.size - p->data > MAX_FRAME)
            fail(d, TOO_LONG, d->line, 0, 0);
    } else if ((first == ' ' || first == '\t') && is_indented(l)) {
        size_t start = skip_blanks(l, 0);
        fail(d, INDENTED, d->line, (size_t)(l->at - text) + start, without_blanks(l) - start);
    }
    return d->error == NO_ERROR;
}

/* A run of digits in usual form, at most 18 of them; gives how many. */
static inline size_t digits(const uint8_t *at, int64_t *value)
{
    size_t n = 0;
    int64_t v = 0;
    for (; n < 18 && is_digit(at[n]); n++)
        v = v * 10 + (at[n] - '0');
    *value = v;
    return n;
}

/* The lines TIME and SIZE as our own writer writes them, which is how nearly all packets begin. Returns the bytes of both;
 * 0, and nothing is changed, where they are not just so: read_line says then what they are. */
static size_t read_head(const uint8_t *text, size_t size, struct draft *p)
{
    enum { LONGEST = 128 };     /* more than both lines together */
    int64_t seconds, fraction, captured, original;
    if (size < LONGEST || memcmp(text, "TIME: ", 6) != 0)
        return 0;
    const uint8_t *at = text + 6;
    size_t n = digits(at, &seconds);
    if (n == 0 || n > 10 || seconds > MAX_SECONDS || at[n] != '.')
        return 0;
    at += n + 1;
    n = digits(at, &fraction);
    if ((n != 6 && n != 9) || at[n] != ' ')
        return 0;
    fraction *= n == 6 ? 1000 : 1;
    at += n;
    enum { DATE = 25 };         /* a blank, and a date up to the year 9999 */
    if (memchr(at, '\n', DATE) != NULL || memcmp(at + DATE, "\nSIZE: ", 7) != 0)
        return 0;
    at += DATE + 7;
    n = digits(at, &captured);
    if (n == 0 || n > 6 || captured > MAX_FRAME || at[n] != '/')
        return 0;
    at += n + 1;
    n = digits(at, &original);
    if (n == 0 || n > 10 || original > UINT32_MAX || at[n] != '\n')
        return 0;
    p->time = seconds * 1000000000 + fraction;
    p->captured = captured;
    p->original = original;
    return (size_t)(at + n + 1 - text);
}

/* The bytes of field lines, from the first one of a packet to its end, that say what its bytes say already: just those that our own
 * writer adds. 0: they are not such, and have to be looked at one by one. */
static size_t redundant(struct text_decoder *d, const uint8_t *text, size_t size, const struct draft *p)
{
    size_t have = d->data.size - p->data;
    struct line first = {text, size};
    bool like_the_last = d->lines.text.size >= 8 && size >= 8 && memcmp(d->lines.text.at, text, 8) == 0;
    if (d->settings.lines.size > 0 || have == 0 || (p->captured >= 0 && (size_t)p->captured != have)
        || !(like_the_last || field_name(&first) > 0) || !(fields_known() || (d->ready != NULL && d->ready())))
        return 0;
    struct packet own, row = {.captured = (int64_t)have, .linktype = d->linktype};
    row.original = p->captured >= 0 ? p->original : row.captured;
    const struct packet *bare = without_fcs(&row, &own);
    const struct frame f = {d->data.at + p->data, (size_t)bare->captured};
    enum which_fields which = d->which == FIELDS_OF_1_16 ? FIELDS_OF_1_16 : ALL_FIELDS;
    for (int tries = 0; tries < 2; tries++, which = which == ALL_FIELDS ? FIELDS_OF_1_16 : ALL_FIELDS) {
        struct bytes *lines = &d->lines.text;
        lines->size = d->lines.count = 0;
        if (!lines_add(&d->lines, &f, bare->linktype, which)) {
            d->error = NO_MEMORY;
            return 0;
        }
        if (lines->size > 0 && lines->size + 2 <= size && memcmp(lines->at, text, lines->size) == 0
            && memcmp(text + lines->size, "==", 2) == 0) {
            d->which = which;
            return lines->size;
        }
    }
    return 0;
}

/* Reads the packet whose first line was just read. True when it is complete; `at` is then behind it. */
static bool read_packet(struct text_decoder *d, const uint8_t *text, size_t size, bool final, size_t *at,
                        struct draft *p)
{
    size_t head = read_head(text + *at, size - *at, p);
    *at += head;
    d->line += head > 0 ? 2 : 0;
    for (;;) {
        size_t have = d->data.size - p->data, limit = (MAX_FRAME - have) / 16 + 1;
        if (limit > (size - *at) / ROW)
            limit = (size - *at) / ROW;
        if (limit > 0 && bytes_need(&d->data, (limit + 1) * 16)) {
            size_t bytes, rows = rows_read(text + *at, size - *at, d->data.at + d->data.size, limit, &bytes);
            d->data.size += bytes;
            d->line += (int64_t)rows;
            *at += rows * ROW;
            if (d->data.size - p->data > MAX_FRAME) {
                fail(d, TOO_LONG, d->line, 0, 0);
                return false;
            }
        }
        if (*at < size && text[*at] >= 'A' && text[*at] <= 'Z') {
            size_t lines = redundant(d, text + *at, size - *at, p);
            *at += lines;
            d->line += lines > 0 ? (int64_t)d->lines.count : 0;
        }
        struct line l;
        if (!next_line(text, size, final, at, &l)) {
            if (final)
                fail(d, NO_END, p->line, 0, 0);
            return false;
        }
        d->line++;
        if (starts(&l, "=="))
            return finish(d, text, p);
        if (starts(&l, "--") || is_lane_mark(l.at, l.size)) {
            fail(d, NOT_ENDED, d->line, (size_t)p->line, 0);
            return false;
        }
        if (!read_line(d, text, &l, p))
            return false;
    }
}

void text_decode(struct text_decoder *d, const uint8_t *text, size_t size, bool final)
{
    struct bytes notes = {0};
    struct line l;
    size_t at = 0;
    while (d->data.size < MAX_BATCH && d->packets.size < MAX_BATCH && next_line(text, size, final, &at, &l)) {
        d->line++;
        if (starts(&l, "--")) {
            struct draft p = {
                .data = d->data.size, .line = d->line, .captured = -1, .time = d->now, .notes = &notes,
            };
            notes.size = d->settings.lines.size = 0;
            if (!read_packet(d, text, size, final, &at, &p)) {     /* give the piece back: it comes again */
                d->data.size = p.data;
                if (d->error == NO_ERROR)
                    d->line = p.line - 1;
                break;
            }
        } else if (starts(&l, "LINKTYPE:")) {
            struct line w = word_of(&l, 9);
            int64_t linktype;
            size_t digits = read_number(&w, 0, UINT32_MAX, &linktype);
            if (digits == 0 || (digits < w.size && w.at[digits] != '(') || linktype > UINT32_MAX) {
                fail(d, BAD_LINKTYPE, d->line, (size_t)(w.at - text), w.size);
                break;
            }
            d->linktype = linktype;
        } else if (starts(&l, "TRAILER:")) {
            struct line w = word_of(&l, 8);
            int64_t octets, count;
            if (!read_trailer(&w, &octets, &count)) {
                fail(d, BAD_TRAILER, d->line, (size_t)(w.at - text), w.size);
                break;
            }
            d->linktype = link_of(d->linktype, octets, count);
        } else if (starts(&l, "==") || starts(&l, "TIME:") || starts(&l, "SIZE:") || is_note(&l))
            d->stray++;
        else if (l.size > 0 && memchr(l.at, 0, l.size) != NULL) {      /* such as a capture behind text: no comment */
            fail(d, NOT_TEXT, d->line, 0, 0);
            break;
        }
        d->consumed = at;
    }
    bytes_free(&notes);
    lines_free(&d->lines);
    settings_free(&d->settings);
}

/* ---- writing ---- */

static inline uint8_t *put_text(uint8_t *out, const char *text)
{
    size_t n = strlen(text);    /* a constant wherever this stands */
    memcpy(out, text, n);
    return out + n;
}

static uint8_t *put_figures(uint8_t *out, int64_t value)
{
    return put_decimal(out, (struct value){0, (uint64_t)value});
}

enum { TIME_FRONT = 32, TIME_BACK = 64, FIGURES = 20 };  /* bytes; and figures of an int64_t, with its sign, at most */
enum { HEAD = 3 + FIGURES + 4, SIZES = FIGURES + 1 + FIGURES + 1, TAIL = 3 };  /* "-- N --", behind "SIZE: " and "==", with line ends */
enum { AROUND = HEAD + TIME_FRONT + 9 + TIME_BACK + SIZES + TAIL };     /* all of a packet's text but rows, notes and extra lines */

/* What is the same in the TIME lines of all packets of one second: the second in front of the point, the date behind. */
struct second {
    int64_t number;
    size_t front_size, back_size;
    uint8_t front[TIME_FRONT], back[TIME_BACK]; /* copied as a whole: behind them there is room for the rest of a packet's head */
};

/* The second's texts; the date in C's ctime form, local time. */
static void describe(struct second *s, int64_t number)
{
    s->front_size = (size_t)(put_figures(put_text(s->front, "TIME: "), number) - s->front);
    s->back[0] = ' ';
    s->back_size = (size_t)(put_text(put_local(s->back + 1, number), "\nSIZE: ") - s->back);
    s->number = number;
}

static uint8_t *put_time(uint8_t *out, int64_t time)
{
    static _Thread_local struct second second = {.number = -1};
    int64_t nanoseconds = time % 1000000000;
    if (time / 1000000000 != second.number)
        describe(&second, time / 1000000000);
    memcpy(out, second.front, sizeof second.front);
    out += second.front_size;
    out = put_fraction(out, (uint64_t)nanoseconds);
    memcpy(out, second.back, sizeof second.back);
    return out + second.back_size;
}

static inline uint8_t *put_byte(uint8_t *out, uint8_t byte)
{
    out[0] = (uint8_t)hex_digits[byte >> 4];
    out[1] = (uint8_t)hex_digits[byte & 15];
    out[2] = ' ';
    return out + 3;
}

static uint8_t *put_offset(uint8_t *out, size_t offset)
{
    for (int shift = 20; shift >= 0; shift -= 4)
        *out++ = (uint8_t)hex_digits[offset >> shift & 15];
    *out++ = ':';
    return out;
}

/* A row of `width` places of which the first `size` are filled. */
static uint8_t *put_row(uint8_t *out, size_t offset, const uint8_t *data, size_t size, const struct text_style *style)
{
    if (!style->data_only)
        out = put_offset(out, offset);
    for (size_t i = 0; i < style->width; i++) {
        if (!style->data_only && i % 4 == 0)
            *out++ = ' ';
        out = i < size ? put_byte(out, data[i]) : put_text(out, "   ");
    }
    if (!style->data_only) {
        *out++ = ':';
        for (size_t i = 0; i < style->width; i++) {
            if (i % 8 == 0)
                *out++ = ' ';
            *out++ = i < size ? shown(data[i]) : ' ';
        }
    }
    *out++ = '\n';
    return out;
}

uint64_t text_room(const struct packet *p, const struct text_style *style, size_t extra)
{
    uint64_t width = style->width, rows = ((uint64_t)p->captured + width - 1) / width;
    return AROUND + rows * (10 + width * 3 + width / 4 + 1 + width + width / 8 + 2) + (uint64_t)p->notes_size + extra;
}

size_t text_encode(uint8_t *out, const uint8_t *data, const struct packet *p, int64_t number,
                   const struct text_style *style, const struct extra *extra)
{
    uint8_t *start = out;
    out = put_text(out, "-- ");
    out = put_figures(out, number);
    out = put_text(out, " --\n");
    if (!style->data_only) {
        out = put_time(out, p->time);
        out = put_figures(out, p->captured);
        *out++ = '/';
        out = put_figures(out, p->original);
        *out++ = '\n';
        if (p->notes_size > 0) {
            memcpy(out, data + p->notes, (size_t)p->notes_size);
            out += p->notes_size;
        }
    }
    const uint8_t *frame = data + p->offset;
    size_t size = (size_t)p->captured, at = 0;
    if (style->width == 16 && !style->data_only) {
        out = rows_write(out, frame, size);
        at = size;
    }
    for (; at < size; at += style->width)
        out = put_row(out, at, frame + at, size - at < style->width ? size - at : style->width, style);
    if (extra->size > 0) {
        memcpy(out, extra->at, extra->size);
        out += extra->size;
    }
    out = put_text(out, "==\n");
    return (size_t)(out - start);
}
