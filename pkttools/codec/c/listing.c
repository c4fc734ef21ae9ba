/* Packets as lines for people; twin of ../python/listing.py. */
#include "listing.h"

enum { EXCERPT = 32 };          /* bytes of a payload that SOME_DATA prints */
enum { LINK_OF_CRC = 1, CRC_OCTETS = 4 };       /* the link type whose frame check sequence is one of 32 bits, IEEE 802.3 clause 3.2.9 */
enum { BILLION = 1000000000 };

static const char upper[] = "0123456789ABCDEF";

static bool add(struct listing *l, const void *from, size_t size)
{
    return bytes_add(&l->text, from, size);
}

static bool add_words(struct listing *l, const char *words)
{
    return add(l, words, strlen(words));
}

static bool add_number(struct listing *l, int64_t value)
{
    uint8_t figures[MOST_NUMBER];
    return add(l, figures, (size_t)(put_int(figures, value) - figures));
}

/* Begins, or with an empty one ends, what is in the colour of a layer. */
static bool add_colour(struct listing *l, struct name colour)
{
    return !l->coloured || (add_words(l, "\033[") && add(l, colour.at, colour.size) && add(l, "m", 1));
}

static bool end_colour(struct listing *l)
{
    return add_colour(l, (struct name){NULL, 0});
}

/* ---- what the capture says ---- */

/* A second as C has it, in local time. */
static bool add_date(struct listing *l, int64_t second)
{
    if (second != l->second || l->date_size == 0) {
        l->second = second;
        l->date_size = (size_t)(put_local(l->date, second) - l->date);
    }
    return add(l, l->date, l->date_size);
}

static bool add_time(struct listing *l, int64_t time)
{
    int64_t second = floored(time, BILLION);
    uint8_t fraction[10];
    size_t size = (size_t)(put_fraction(fraction, (uint64_t)(time - second * BILLION)) - fraction);
    return add_number(l, second) && add(l, fraction, size) && add(l, " ", 1) && add_date(l, second);
}

static bool add_hex(struct listing *l, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {upper[at[i] >> 4], upper[at[i] & 15], ' '};
        if (!add(l, digits, i + 1 < size ? 3 : 2))
            return false;
    }
    return true;
}

/* The frame check sequence of a packet that has one, as far as it was captured; of Ethernet also whether it is right. */
static bool add_trailer(struct listing *l, const uint8_t *frame, const struct packet *p)
{
    struct packet bare;
    size_t octets = p->linktype > UINT32_MAX ? (size_t)(p->linktype >> 32 & 0xFF) : 0;
    if (octets < 2)             /* one more than there are */
        return true;
    octets--;
    size_t end = (size_t)without_fcs(p, &bare)->captured, there = (size_t)p->captured - end;
    const char *said = "";
    if (there < octets)
        said = there > 0 ? " (truncated)" : "(not captured)";
    else if ((p->linktype & UINT32_MAX) == LINK_OF_CRC && octets == CRC_OCTETS)
        said = frame_crc(frame, end) == read32(frame + end, false) ? " (right)" : " (wrong)";
    return add_words(l, "FCS: ") && add_hex(l, frame + end, there) && add_words(l, said) && add(l, "\n", 1);
}

/* A line of what came with a packet, made safe for a terminal. */
static bool add_note(struct listing *l, const uint8_t *text, size_t size)
{
    bool ascii = true;
    for (size_t i = 0; ascii && i < size; i++)
        ascii = text[i] < 0x80;
    if (!ascii)
        return l->printable(text, size, &l->text) && add(l, "\n", 1);
    if (!add(l, text, size))
        return false;
    for (uint8_t *c = l->text.at + l->text.size - size; size > 0; size--, c++)
        if (*c < 0x20 || *c == 0x7F)
            *c = '?';
    return add(l, "\n", 1);
}

static bool add_notes(struct listing *l, const uint8_t *notes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        size_t begin = at;
        while (at < size && notes[at] != '\n' && notes[at] != '\r')
            at++;
        if (!add_note(l, notes + begin, at - begin))
            return false;
        if (at + 1 < size && notes[at] == '\r' && notes[at + 1] == '\n')
            at++;
    }
    return true;
}

static bool add_capture(struct listing *l, const uint8_t *data, const struct packet *p)
{
    bool done = add_colour(l, l->colours[CAPTURE_LAYER]) && add_words(l, "received: ") && add_number(l, p->captured);
    if (p->captured != p->original)
        done = done && add(l, "/", 1) && add_number(l, p->original);
    return done && add_words(l, " bytes    ") && add_time(l, p->time) && end_colour(l) && add(l, "\n", 1)
        && add_trailer(l, data + p->offset, p) && add_notes(l, data + p->notes, (size_t)p->notes_size);
}

/* ---- bytes ---- */

static char *put_row(char *out, const uint8_t *at, size_t size, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        if (i > 0)
            *out++ = ' ';
        *out++ = i < size ? upper[at[i] >> 4] : ' ';
        *out++ = i < size ? upper[at[i] & 15] : ' ';
    }
    return out;
}

static char *put_shown(char *out, const uint8_t *at, size_t size, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        *out++ = (char)(i < size ? shown(at[i]) : ' ');
    return out;
}

static char *put_words(char *out, const char *words)
{
    size_t size = strlen(words);
    memcpy(out, words, size);
    return out + size;
}

static size_t behind(size_t at, size_t size)
{
    return size > at ? size - at : 0;
}

/* A payload as bytes and characters, eight a line. */
static bool add_payload(struct listing *l, const struct shown *s, const uint8_t *at, size_t size)
{
    size_t most = l->level == SOME_DATA ? least(size, EXCERPT) : size;
    struct name head = s->data, further = {(const uint8_t *)"\t\t\t: ", 5};
    for (size_t i = 0; i < most; i += 8, head = further) {
        char line[64], *out = line;
        size_t left = least(most - i, 8);
        out = put_words(put_row(out, at + i, left, 4), "  ");
        out = put_words(put_row(out, at + i + least(left, 4), behind(4, left), 4), " : ");
        out = put_words(put_shown(out, at + i, left, 4), " ");
        out = put_words(put_shown(out, at + i + least(left, 4), behind(4, left), 4), "\n");
        if (!add(l, head.at, head.size) || !add(l, line, (size_t)(out - line)))
            return false;
    }
    return most == size || (add(l, head.at, head.size) && add_words(l, "...\n"));
}

/* A frame as bytes and characters in a box of 80 columns, 16 bytes a line; nothing of one without bytes. */
static bool add_box(struct listing *l, const uint8_t *at, size_t size)
{
    static const char edge[] = "+--------+-------------------------+-------------------------+--------+--------+\n";
    if (!l->dump || size == 0)
        return true;
    if (!add_words(l, edge))
        return false;
    for (size_t i = 0; i < size; i += 16) {
        char line[96], *out = put_words(line, "| ");
        size_t left = least(size - i, 16), right = behind(8, left);
        const uint8_t *half = at + i + least(left, 8);
        for (int shift = 20; shift >= 0; shift -= 4)
            *out++ = upper[i >> shift & 15];
        out = put_words(put_row(put_words(out, " | "), at + i, left, 8), " | ");
        out = put_words(put_row(out, half, right, 8), " |");
        out = put_words(put_shown(out, at + i, left, 8), "|");
        out = put_words(put_shown(out, half, right, 8), "|\n");
        if (!add(l, line, (size_t)(out - line)))
            return false;
    }
    return add_words(l, edge);
}

/* ---- headers ---- */

struct seen {                   /* the headers of a packet that are shown, without what is shown in the line of another one */
    size_t index[MAX_HEADERS], count;
    bool all[MAX_HEADERS];      /* whether headers are there for what is around them, shown or not */
};

static void choose(const struct listing *l, struct seen *seen)
{
    const struct walk *w = &l->telling.view.walk;
    bool inner = l->level <= BRIEFLY, link = inner;     /* of these the link that the packet was captured on is left out */
    seen->count = 0;
    for (size_t i = 0, tags; i < w->count; i += 1 + tags) {
        enum shown_layer layer = shown_of(w->header[i].kind)->layer;
        tags = tags_behind(w, i);
        seen->all[i] = l->highest >= APPLICATION_NAMES || layer < APPLICATION_NAMES;   /* what applications carry is data */
        for (size_t k = 1; k <= tags; k++)
            seen->all[i + k] = false;
        if (!seen->all[i])
            continue;
        link &= layer == LINK_NAMES;
        if (!link && (int)layer >= l->lowest && (int)layer <= l->highest)
            seen->index[seen->count++] = i;
    }
}

/* The lines of a header, its title in front of the first. A line is left out where one of its fields is not there. */
static bool add_lines(struct listing *l, size_t index, const struct shown *s, size_t template, size_t count)
{
    struct telling *t = &l->telling;
    size_t before = l->text.size, titled = before;
    for (size_t i = 0; i < count; i++) {
        if (l->text.size == before) {
            if ((s->title.size > 0 && (!add_colour(l, l->colours[s->layer]) || !add(l, s->title.at, s->title.size) || !end_colour(l))))
                return false;
            titled = l->text.size;
        }
        if (template_tell(t, index, template + i, &l->text)) {
            if (!add(l, "\n", 1))
                return false;
        } else if (l->text.size == titled)
            l->text.size = before;
        if (t->no_memory)
            return false;
    }
    return true;
}

static bool carries_shown(const struct listing *l, const struct seen *seen, size_t index)
{
    const struct walk *w = &l->telling.view.walk;
    const struct header *h = &w->header[index];
    for (size_t i = 0; i < w->count; i++)
        if (i != index && seen->all[i] && w->header[i].start >= h->data && w->header[i].start < h->end)
            return true;
    return false;
}

/* What no deeper header claims; of a header without DATA, what lies behind its last field. */
static bool add_carried(struct listing *l, const struct seen *seen, size_t index)
{
    const struct header *h = &l->telling.view.walk.header[index];
    const struct shown *s = shown_of(h->kind);
    size_t at = s->payload == DATA_ALONE ? h->data : (size_t)h->start + s->behind;
    if (s->payload == NO_PAYLOAD || at >= h->end || carries_shown(l, seen, index))
        return true;
    return add_payload(l, s, frame_range(&l->telling.view.frame, at, h->end - at), h->end - at);
}

static bool add_mark(struct listing *l, int64_t number)
{
    return add_words(l, "-- ") && add_number(l, number) && add_words(l, " --");
}

static bool add_titles(struct listing *l, const struct seen *seen)
{
    bool done = add(l, " ", 1);
    for (size_t i = 0; done && i < seen->count; i++) {
        const struct shown *s = shown_of(l->telling.view.walk.header[seen->index[i]].kind);
        if (s->title.size > 0)
            done = add_colour(l, l->colours[s->layer]) && add(l, s->title.at, s->title.size) && end_colour(l) && add(l, ":", 1);
    }
    return done && add(l, "\n", 1);
}

bool listing_add(struct listing *l, const uint8_t *data, const struct packet *p, int64_t number)
{
    struct packet own;
    const struct packet *bare = without_fcs(p, &own);
    const struct frame frame = {data + p->offset, (size_t)bare->captured};
    struct seen seen;
    telling_begin(&l->telling, &frame, bare->original, bare->linktype);
    choose(l, &seen);
    const struct header *h = l->telling.view.walk.header;
    bool done = add_mark(l, number);
    if (l->level == NAMES_ALONE)
        return done && add_titles(l, &seen) && add_box(l, data + p->offset, (size_t)p->captured);
    done = done && add(l, "\n", 1);
    for (size_t i = 0; done && l->level == BRIEFLY && i < seen.count; i++) {
        const struct shown *s = shown_of(h[seen.index[i]].kind);
        done = s->title.size == 0 || s->brief < 0 || add_lines(l, seen.index[i], s, (size_t)s->brief, 1);
    }
    if (l->level == BRIEFLY)
        return done && add_box(l, data + p->offset, (size_t)p->captured);
    done = done && (l->lowest > CAPTURE_LAYER || add_capture(l, data, p));
    for (size_t i = 0; done && i < seen.count; i++) {
        const struct shown *s = shown_of(h[seen.index[i]].kind);
        done = add_lines(l, seen.index[i], s, s->first, s->count);
    }
    for (size_t i = seen.count; done && l->level >= SOME_DATA && i-- > 0;)      /* the innermost first: what is behind it belongs to outer ones */
        done = add_carried(l, &seen, seen.index[i]);
    return done && add_box(l, data + p->offset, (size_t)p->captured) && add_words(l, "==\n");
}

void listing_free(struct listing *l)
{
    telling_free(&l->telling);
    bytes_free(&l->text);
}
