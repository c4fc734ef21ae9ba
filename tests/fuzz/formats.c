/* Decoders and encoders: what is read in pieces is what is read at once, and what is written is read again as it was. */
#include "codec.h"
#include "fuzz.h"

#include <stdio.h>

enum { NOW = 1700000000 };      /* seconds, for packets without TIME */
#define MAX_WRITTEN (64 << 10)  /* bytes of packets that are written as text: more would only be slow */

/* A buffer that is somewhere even while it is empty, as buffers of Python are. */
static struct bytes empty(void)
{
    struct bytes b = {0};
    EXPECT(bytes_need(&b, 1));
    return b;
}

bool equal_bytes(const struct bytes *a, const struct bytes *b)
{
    return a->size == b->size && equal(a->at, b->at, a->size);
}

size_t count_of(const struct bytes *packets)
{
    return packets->size / sizeof(struct packet);
}

void expect_sound(const struct bytes *packets, size_t size, int64_t most_seconds)
{
    const struct packet *p = (const struct packet *)packets->at;
    EXPECT(packets->size % sizeof *p == 0);
    for (size_t left = count_of(packets); left > 0; left--, p++) {
        EXPECT(p->captured >= 0 && p->captured <= MAX_FRAME);
        EXPECT(p->offset >= 0 && (uint64_t)p->offset <= size && (uint64_t)p->captured <= size - (uint64_t)p->offset);
        EXPECT(p->notes >= 0 && (uint64_t)p->notes <= size);
        EXPECT(p->notes_size >= 0 && (uint64_t)p->notes_size <= size - (uint64_t)p->notes);
        EXPECT(p->original >= 0 && p->original <= UINT32_MAX);
        EXPECT(p->time >= 0 && p->time / 1000000000 <= most_seconds);
        int64_t fcs = p->linktype >> 32 & 0xFF, count = p->linktype >> 40;
        EXPECT(p->linktype >= 0 && fcs <= MAX_FCS + 1 && count <= MAX_COUNT + 1 && (fcs > 0 || count == 0));
        struct packet bare;
        const struct packet *q = without_fcs(p, &bare);
        EXPECT(q->linktype == (p->linktype & UINT32_MAX) && q->captured >= 0 && p->captured - q->captured <= MAX_FCS);
        EXPECT(q->captured <= p->captured && q->original >= 0 && q->original <= p->original);
    }
}

/* ---- text ---- */

static void free_text(struct text_decoder *d)
{
    bytes_free(&d->data);
    bytes_free(&d->packets);
}

/* Reads a piece of a text that begins at `from`, and adds what it brought to `all`, as the caller of module.c does. */
static void read_piece(struct text_decoder *all, const uint8_t *text, size_t from, size_t to, bool final)
{
    struct text_decoder d = {.linktype = all->linktype, .line = all->line, .now = all->now};
    uint8_t *piece = exact(text + from, to - from);
    text_decode(&d, piece, to - from, final);
    release(piece, to - from);
    EXPECT(d.error != NO_MEMORY && d.consumed <= to - from);
    expect_sound(&d.packets, d.data.size, INT64_MAX / 1000000000);
    struct packet *p = (struct packet *)d.packets.at;
    for (size_t i = 0; i < count_of(&d.packets); i++) {
        p[i].offset += (int64_t)all->data.size;
        p[i].notes += (int64_t)all->data.size;
    }
    EXPECT(bytes_add(&all->data, d.data.at, d.data.size) && bytes_add(&all->packets, d.packets.at, d.packets.size));
    all->linktype = d.linktype;
    all->line = d.line;
    all->stray += d.stray;
    all->shortened += d.shortened;
    all->filled += d.filled;
    all->unplaced += d.unplaced;
    all->cut += d.cut;
    all->consumed = from + d.consumed;
    all->error = d.error;
    all->error_line = d.error_line;
    all->word = d.error == NOT_ENDED ? d.word : d.word_size > 0 ? from + d.word : 0;
    all->word_size = d.word_size;
    EXPECT(d.word_size == 0 || d.word + d.word_size <= to - from);
    free_text(&d);
}

/* Reads a text to its end or its first error, in two pieces if `cut` lies within it. */
static struct text_decoder read_text(const uint8_t *text, size_t size, size_t cut)
{
    struct text_decoder all = {.linktype = 1, .now = NOW * INT64_C(1000000000), .data = empty()};
    if (cut < size)
        read_piece(&all, text, 0, cut, false);
    while (all.error == NO_ERROR && all.consumed < size) {      /* a decoder stops when it has a batch */
        size_t before = all.consumed;
        read_piece(&all, text, before, size, true);
        EXPECT(all.error != NO_ERROR || all.consumed > before);
    }
    return all;
}

static void expect_equal_text(const struct text_decoder *a, const struct text_decoder *b)
{
    EXPECT(equal_bytes(&a->data, &b->data) && equal_bytes(&a->packets, &b->packets));
    EXPECT(a->linktype == b->linktype && a->stray == b->stray && a->shortened == b->shortened && a->filled == b->filled
           && a->unplaced == b->unplaced && a->cut == b->cut);
    EXPECT(a->error == b->error && (a->error != NO_ERROR || (a->consumed == b->consumed && a->line == b->line)));
    EXPECT(a->error == NO_ERROR || (a->error_line == b->error_line && a->word == b->word && a->word_size == b->word_size));
}

/* Writes all packets as a sink does, each into just the room that text_room says it needs. */
static struct bytes write_text(const struct text_decoder *from, const struct text_style *style, const struct extra *extra)
{
    struct bytes out = empty();
    const struct packet *p = (const struct packet *)from->packets.at;
    for (size_t i = 0; i < count_of(&from->packets); i++) {
        if (!style->data_only && (i == 0 || p[i].linktype != p[i - 1].linktype)) {
            char line[80];
            int fcs = (int)(p[i].linktype >> 32 & 0xFF), count = (int)(p[i].linktype >> 40);
            int size = snprintf(line, sizeof line, "LINKTYPE: %u (Any)\n", (unsigned)(p[i].linktype & UINT32_MAX));
            if (fcs > 0)
                size += snprintf(line + size, sizeof line - (size_t)size, "TRAILER: %d", fcs - 1);
            if (count > 0)
                size += snprintf(line + size, sizeof line - (size_t)size, "/%d", count - 1);
            EXPECT(bytes_add(&out, line, (size_t)size) && bytes_add(&out, "\n", 1));
        }
        size_t room = text_room(&p[i], style, extra->size);
        uint8_t *text = exact(NULL, room);
        size_t size = text_encode(text, from->data.at, &p[i], (int64_t)i + 1, style, extra);
        EXPECT(size <= room && bytes_add(&out, text, size));
        release(text, room);
    }
    return out;
}

/* What was written is read again: with -do the bytes alone, otherwise everything; the field lines that were added have no place. */
static void expect_read_again(const struct text_decoder *from, const struct bytes *text, const struct text_style *style,
                              size_t fields)
{
    struct text_decoder again = read_text(text->at, text->size, text->size);
    const struct packet *p = (const struct packet *)from->packets.at, *q = (const struct packet *)again.packets.at;
    EXPECT(again.error == NO_ERROR && again.stray == 0 && again.shortened == 0 && again.filled == 0);
    EXPECT(again.packets.size == from->packets.size);
    EXPECT(again.unplaced == (int64_t)(fields * count_of(&from->packets)));
    for (size_t left = count_of(&from->packets); left > 0; left--, p++, q++) {
        EXPECT(p->captured == q->captured);
        EXPECT(equal(from->data.at + p->offset, again.data.at + q->offset, (size_t)p->captured));
        if (style->data_only)
            continue;
        EXPECT(p->original == q->original && p->time == q->time && p->linktype == q->linktype);
        EXPECT(p->notes_size == q->notes_size);
        EXPECT(equal(from->data.at + p->notes, again.data.at + q->notes, (size_t)p->notes_size));
    }
    free_text(&again);
}

/* Two bytes: where the text is cut; one: how wide a row is; one: odd for the bytes alone. Then a text. */
void fuzz_text(struct input *in)
{
    size_t cut = take16(in), width = 1 + take8(in);
    const struct text_style canonical = {16, false}, style = {width, (take8(in) & 1) != 0};
    const struct extra none = {NULL, 0}, field = {(const uint8_t *)"IP.TTL[99]:\t64\n", 15};
    struct text_decoder whole = read_text(in->at, in->size, in->size), pieces = read_text(in->at, in->size, cut);
    expect_equal_text(&whole, &pieces);
    free_text(&pieces);
    for (enum row_code code = PORTABLE; code < WIDEST; code++) {
        rows_use(code);
        struct text_decoder other = read_text(in->at, in->size, in->size);
        expect_equal_text(&whole, &other);
        free_text(&other);
    }
    rows_use(WIDEST);
    if (whole.data.size <= MAX_WRITTEN) {
        struct bytes text = write_text(&whole, &canonical, &none), other = write_text(&whole, &style, &field);
        expect_read_again(&whole, &text, &canonical, 0);
        expect_read_again(&whole, &other, &style, 1);
        bytes_free(&other);
        for (enum row_code code = PORTABLE; code < WIDEST; code++) {
            rows_use(code);
            other = write_text(&whole, &canonical, &none);
            EXPECT(equal_bytes(&text, &other));
            bytes_free(&other);
        }
        rows_use(WIDEST);
        bytes_free(&text);
    }
    free_text(&whole);
}

/* One byte: how many rows the packet has less than 4 more than there may be, up to 15. Then a text that goes on from there. */
void fuzz_long(struct input *in)
{
    static const char row[] = "000000: 00 11 22 33  44 55 66 77  88 99 AA BB  CC DD EE FF : ........ ........\n";
    size_t fewer = take8(in), rows = MAX_FRAME / 16 + 4 - fewer;
    if (fewer > 15)             /* nothing new is there, and it takes long */
        return;
    struct bytes text = {0};
    EXPECT(bytes_need(&text, rows * ROW + in->size + 8) && bytes_add(&text, "-- 1 --\n", 8));
    while (rows-- > 0)
        EXPECT(bytes_add(&text, row, ROW));
    EXPECT(bytes_add(&text, in->at, in->size));
    struct text_decoder whole = read_text(text.at, text.size, text.size);
    free_text(&whole);
    bytes_free(&text);
}

/* One byte: how many rows to read at most. Then rows. */
void fuzz_rows(struct input *in)
{
    size_t limit = take8(in), size = (limit + 1) * 16;
    uint8_t *text = exact(in->at, in->size), *out = exact(NULL, size), *other = exact(NULL, size);
    size_t bytes, same, read = rows_read(text, in->size, out, limit, &bytes);
    EXPECT(read <= limit && bytes <= read * 16 && bytes + 16 > read * 16);
    for (enum row_code code = PORTABLE; code < WIDEST; code++) {
        rows_use(code);
        EXPECT(rows_read(text, in->size, other, limit, &same) == read && same == bytes && equal(out, other, bytes));
    }
    rows_use(WIDEST);
    release(text, in->size);
    release(out, size);
    release(other, size);
}

/* ---- pcap ---- */

/* Reads the records from `all->consumed` up to `to`, and adds them to `all`. */
static void read_records(struct pcap_decoder *all, const uint8_t *in, size_t to, bool final, const struct pcap_format *format,
                         int64_t linktype)
{
    struct pcap_decoder d = {0};
    size_t from = all->consumed;
    uint8_t *piece = exact(in + from, to - from);
    pcap_decode(&d, piece, to - from, final, format, linktype);
    release(piece, to - from);
    EXPECT(d.error != NO_MEMORY && d.consumed <= to - from && (!final || d.error != NO_ERROR || d.consumed == to - from));
    expect_sound(&d.packets, d.consumed, UINT32_MAX + INT64_C(4294));   /* as many microseconds behind a last second */
    struct packet *p = (struct packet *)d.packets.at;
    for (size_t i = 0; i < count_of(&d.packets); i++) {
        EXPECT(p[i].linktype == linktype && p[i].notes_size == 0);
        p[i].offset += (int64_t)from;
    }
    EXPECT(bytes_add(&all->packets, p, d.packets.size));
    all->consumed += d.consumed;
    all->error = d.error;
    all->have = d.have;
    all->want = d.want;
    bytes_free(&d.packets);
}

/* Writes the packets that fit into a file, and reads them again; without `nano` their times lose what is below 1 us. */
static void expect_same_records(const struct pcap_decoder *from, const uint8_t *in, const struct pcap_format *format)
{
    struct bytes out = empty();
    struct pcap_decoder again = {0};
    struct pcap_format written = {.big_endian = format->big_endian, .nano = format->nano, .header = 16};
    const struct packet *p = (const struct packet *)from->packets.at;
    size_t count = count_of(&from->packets), fitting = 0;
    for (size_t i = 0; i < count; i++)
        if (pcap_fits(&p[i])) {
            size_t room = 16 + (size_t)p[i].captured;
            uint8_t *record = exact(NULL, room);
            EXPECT(pcap_encode(record, in, &p[i], &written) == room);
            struct packet there = p[i];
            there.offset = RECORD;
            /* what a record has no place for is in none that stands */
            EXPECT(pcap_stands(record, &there, &written) == (written.nano || p[i].time % 1000 == 0));
            there.original ^= 1;
            EXPECT(!pcap_stands(record, &there, &written));
            bool taken_for_file = begins_pcap(record);
            EXPECT(taken_for_file || bytes_add(&out, record, room));
            release(record, room);
            if (taken_for_file)                 /* as rare as it is: nothing more can be read behind it */
                goto done;
            fitting++;
        }
    read_records(&again, out.at, out.size, true, &written, 1);
    EXPECT(again.error == NO_ERROR && count_of(&again.packets) == fitting);
    const struct packet *q = (const struct packet *)again.packets.at;
    for (size_t i = 0; i < count; i++)
        if (pcap_fits(&p[i])) {
            EXPECT(p[i].captured == q->captured && p[i].original == q->original);
            EXPECT(q->time == (format->nano ? p[i].time : p[i].time / 1000 * 1000));
            EXPECT(equal(in + p[i].offset, out.at + q->offset, (size_t)p[i].captured));
            q++;
        }
done:
    bytes_free(&again.packets);
    bytes_free(&out);
}

/* What is found in the middle of records that are sorted, if they all are whole, is the beginning of one, or the end. */
static void expect_border(const struct pcap_decoder *whole, const uint8_t *in, size_t size, size_t from, const struct pcap_format *format)
{
    const struct packet *p = (const struct packet *)whole->packets.at;
    size_t count = count_of(&whole->packets), most = format->header;
    bool sorted = whole->error == NO_ERROR;
    for (size_t i = 0; i < count; i++) {
        most = most > format->header + (size_t)p[i].captured ? most : format->header + (size_t)p[i].captured;
        sorted = sorted && (i == 0 || p[i].time >= p[i - 1].time);
    }
    uint8_t *piece = exact(in + from, size - from);
    size_t found = pcap_border(piece, size - from, format, most, count > 0 ? p[0].time : 0);
    release(piece, size - from);
    bool there = found == SIZE_MAX || !sorted || found + from == size;
    for (size_t i = 0; i < count && !there; i++)
        there = (size_t)p[i].offset - format->header == found + from;
    EXPECT(there);
}

/* One byte: byte order, fractions, Kuznetzov's header, order of lengths; one: the link type; two: where the records are cut. Then records. */
void fuzz_pcap(struct input *in)
{
    unsigned choice = take8(in);
    const struct pcap_format format = {
        (choice & 1) != 0, (choice & 2) != 0, (choice & 4) != 0 ? 24 : 16, (enum lengths)((choice >> 3 & 3) % 3),
    };
    const struct pcap_format other = {.big_endian = !format.big_endian, .nano = !format.nano, .header = 16};
    int64_t linktype = take_linktype(in);
    size_t cut = take16(in);
    struct pcap_decoder whole = {0}, pieces = {0};
    read_records(&whole, in->at, in->size, true, &format, linktype);
    if (cut < in->size)
        read_records(&pieces, in->at, cut, false, &format, linktype);
    if (pieces.error == NO_ERROR)
        read_records(&pieces, in->at, in->size, true, &format, linktype);
    expect_border(&whole, in->at, in->size, cut < in->size ? cut : in->size, &format);
    EXPECT(equal_bytes(&whole.packets, &pieces.packets) && whole.consumed == pieces.consumed);
    EXPECT(whole.error == pieces.error && whole.have == pieces.have && whole.want == pieces.want);
    expect_same_records(&whole, in->at, &format);
    expect_same_records(&whole, in->at, &other);
    bytes_free(&whole.packets);
    bytes_free(&pieces.packets);
}

/* ---- lane ---- */

/* Reads rows and packets, each in memory of its own; gives how many are sound. */
static size_t read_lane(uint8_t *rows, size_t count, const uint8_t *data, size_t start, size_t size, int64_t linktype)
{
    int64_t lines = 0;
    struct packet *p = (struct packet *)rows;
    size_t sound = lane_decode(p, count, data, start, size, linktype, &lines), at = start;
    EXPECT(sound <= count && lines >= 4 * (int64_t)sound);
    const struct bytes read = {.at = rows, .size = sound * sizeof *p, .room = sound * sizeof *p, .held = true};
    expect_sound(&read, size, MAX_SECONDS);
    for (size_t i = 0; i < sound; i++) {
        at += RECORD;
        EXPECT(p[i].offset == (int64_t)at && p[i].notes == p[i].offset + p[i].captured && p[i].linktype == linktype);
        at += (size_t)(p[i].captured + p[i].notes_size);
    }
    return sound;
}

void fuzz_lane(struct input *in)
{
    int64_t linktype = take_linktype(in);
    size_t count = take8(in) % 16, start = take8(in) % 4;
    if (count > in->size / sizeof(struct packet))
        count = in->size / sizeof(struct packet);
    size_t rows_size = count * sizeof(struct packet), size = in->size - rows_size;
    if (start > size)
        start = size;
    uint8_t *rows = exact(in->at, rows_size), *data = exact(in->at + rows_size, size);
    size_t sound = read_lane(rows, count, data, start, size, linktype), written, again;
    const struct packet *p = (const struct packet *)rows;
    EXPECT(lane_count(data, p, sound, &written) == sound && written <= MAX_LANE);
    uint8_t *out = exact(NULL, written);
    lane_encode(out, data, p, sound);
    size_t packets = written - sound * sizeof *p;
    for (size_t i = 0; i < sound; i++)
        EXPECT(equal(out + sound * sizeof *p + p[i].offset - (int64_t)start, data + p[i].offset, (size_t)(p[i].captured + p[i].notes_size)));
    uint8_t *other = exact(out, sound * sizeof *p);
    again = read_lane(other, sound, data, start, start + packets, linktype);
    EXPECT(again == sound && equal(other, rows, sound * sizeof *p));
    EXPECT(sound == 0 || lane_stands(p, sound, 0) == (start >= sound * sizeof *p));
    release(other, sound * sizeof *p);
    release(out, written);
    release(data, size);
    release(rows, rows_size);
}
