/* pcapng: what is read in pieces is what is read at once, and what is written is read again as it was. */
#include "codec.h"
#include "fuzz.h"

#define MAX_TICKS 9223372035999999999   /* nanoseconds, the last that a packet's time can be */

/* Reads blocks of a section from `all->consumed` up to `to`, and adds their packets to `all`. */
static void read_blocks(struct pcapng_decoder *all, const uint8_t *in, size_t to, const struct pcapng_section *section)
{
    struct pcapng_decoder d = {0};
    size_t from = all->consumed;
    uint8_t *piece = exact(in + from, to - from);
    pcapng_decode(&d, piece, to - from, section);
    release(piece, to - from);
    EXPECT(d.error != NO_MEMORY && d.consumed <= to - from && d.consumed % 4 == 0);
    expect_sound(&d.packets, d.data.size, MAX_TICKS / 1000000000);
    struct packet *p = (struct packet *)d.packets.at;
    for (size_t i = 0; i < count_of(&d.packets); i++) {
        p[i].offset += (int64_t)all->data.size;
        p[i].notes += (int64_t)all->data.size;
    }
    EXPECT(bytes_add(&all->data, d.data.at, d.data.size) && bytes_add(&all->packets, p, d.packets.size));
    all->consumed += d.consumed;
    all->capped += d.capped;
    all->rounded += d.rounded;
    all->timeless += d.timeless;
    all->damaged += d.damaged;
    all->options += d.options;
    all->error = d.error;
    all->have = d.have;
    all->want = d.want;
    bytes_free(&d.data);
    bytes_free(&d.packets);
}

static void free_blocks(struct pcapng_decoder *d)
{
    bytes_free(&d->data);
    bytes_free(&d->packets);
}

/* The first line of a packet's notes, if it names the interface. */
static size_t iface_line(const uint8_t *notes, size_t size)
{
    const uint8_t *end = size >= 6 && memcmp(notes, "IFACE:", 6) == 0 ? memchr(notes, '\n', size) : NULL;
    return end != NULL ? (size_t)(end + 1 - notes) : 0;
}

/* Writes one packet to an interface of its own, and reads it again. `canonical`: its notes are as the reader writes them; `keep`:
 * lines of ours among them.
 */
static void expect_same_block(const uint8_t *data, const struct packet *p, bool big_endian, bool nano, bool canonical, bool keep)
{
    const struct pcapng_format format = {big_endian, nano, 0, MAX_FRAME, 0, KEEPS_ALL};
    if (data == NULL)           /* of empty packets alone; Python's buffers are never at NULL */
        data = (const uint8_t *)"";
    const struct pcapng_known known = {data + p->notes, (size_t)p->notes_size, p->linktype, format};
    if (pcapng_known_of(data, p, &known, 1) == NULL)
        return;
    struct pcapng_counts counts = {0};
    size_t room = pcapng_room(p);
    uint8_t *block = exact(NULL, room);
    struct pcapng_format other = format;
    other.keeps = KEEPS_TURNED;
    EXPECT(pcapng_encode(block, data, p, &other, &counts) <= room);
    counts = (struct pcapng_counts){0};
    size_t size = pcapng_encode(block, data, p, &format, &counts);
    EXPECT(size <= room && size % 4 == 0 && counts.lost >= 0 && counts.outdated >= 0 && (counts.timed == 0 || p->time == 0));
    const uint8_t *notes = data + p->notes;
    size_t line = iface_line(notes, (size_t)p->notes_size);
    const struct interface interface = {p->linktype, 0, nano ? 9 : 6, 0, 0, (int64_t)line};
    const struct pcapng_section section = {big_endian, &interface, 1, notes, line, keep};
    struct pcapng_decoder again = {0};
    read_blocks(&again, block, size, &section);
    const struct packet *q = (const struct packet *)again.packets.at;
    EXPECT(again.error == NO_ERROR && again.consumed == size && count_of(&again.packets) == 1);
    EXPECT(again.timeless == (read32(block, big_endian) == 3) && again.timeless + counts.timed <= (p->time == 0));
    EXPECT(again.capped + again.rounded + again.damaged == 0 && (again.options == 0 || !canonical));
    EXPECT(p->captured == q->captured && p->original == q->original && p->time == q->time && p->linktype == q->linktype);
    EXPECT(p->captured == 0 || equal(data + p->offset, again.data.at + q->offset, (size_t)p->captured));
    if (canonical && counts.lost + counts.outdated + counts.timed == 0) {
        EXPECT(p->notes_size == q->notes_size);
        EXPECT(p->notes_size == 0 || equal(notes, again.data.at + q->notes, (size_t)p->notes_size));
    }
    release(block, room);
    free_blocks(&again);
}

/* One byte: byte order, and whether options become lines of ours; one: how many interfaces, each with a link type, a resolution, an
 * offset, a limit of bytes, and whether it has a name; two: where the blocks are cut. Then blocks.
 */
void fuzz_blocks(struct input *in)
{
    static const int64_t offsets[] = {0, 1, -1, 1700000000, -1700000000, INT64_MAX, INT64_MIN, 9223372035};
    static const char names[] = "IFACE: eth0\nIFACE:\n";
    struct interface interfaces[4];
    unsigned choice = take8(in);
    bool big_endian = (choice & 1) != 0, keep = (choice & 2) != 0;
    size_t count = take8(in) % (sizeof interfaces / sizeof *interfaces + 1);
    for (size_t i = 0; i < count; i++) {
        int64_t linktype = take_linktype(in), resolution = take8(in), offset = offsets[take8(in) % 8], snaplen = take8(in);
        bool named = (take8(in) & 1) != 0;
        interfaces[i] = (struct interface){linktype, snaplen, resolution, offset, named ? 0 : 12, named ? 12 : i == 3 ? 7 : 0};
    }
    struct pcapng_section section = {big_endian, interfaces, count, (const uint8_t *)names, sizeof names - 1, keep};
    size_t cut = take16(in);
    struct pcapng_decoder whole = {0}, pieces = {0};
    read_blocks(&whole, in->at, in->size, &section);
    if (cut < in->size)
        read_blocks(&pieces, in->at, cut, &section);
    if (pieces.error == NO_ERROR)
        read_blocks(&pieces, in->at, in->size, &section);
    EXPECT(equal_bytes(&whole.packets, &pieces.packets) && equal_bytes(&whole.data, &pieces.data));
    EXPECT(whole.consumed == pieces.consumed && whole.error == pieces.error);
    EXPECT(whole.have == pieces.have && whole.want == pieces.want);
    const struct packet *p = (const struct packet *)whole.packets.at;
    for (size_t i = 0; i < count_of(&whole.packets); i++)
        for (unsigned way = 0; way < 4; way++)
            expect_same_block(whole.data.at, &p[i], (way & 1) != 0, (way & 2) != 0, true, keep);
    free_blocks(&whole);
    free_blocks(&pieces);
}

/* One byte: byte order and resolution; one: bytes of the packet; two: of the notes of a second one. Then the bytes, and
 * notes of any kind, such as a text may have; what cannot be written is counted, and the rest is read again.
 */
void fuzz_notes(struct input *in)
{
    unsigned choice = take8(in);
    size_t captured = take8(in), second = take16(in);
    captured = least(captured, in->size);
    second = least(second, in->size - captured);
    uint8_t *data = exact(in->at, in->size);
    struct packet p[2] = {{
        .captured = (int64_t)captured, .original = (int64_t)captured, .time = 1700000000000000000, .linktype = 1,
        .notes = (int64_t)captured, .notes_size = (int64_t)(in->size - captured),
    }};
    p[1] = p[0];
    p[1].notes_size = (int64_t)second;
    const struct pcapng_format format = {.nano = (choice & 2) != 0, .snaplen = MAX_FRAME};
    const struct pcapng_known known[] = {{data, 0, 1, format}, {data + captured, in->size - captured, 1, format}};
    EXPECT(pcapng_known_of(data, &p[0], known, 2) == &known[captured < in->size]);
    (void)pcapng_known_of(data, &p[1], known, 2);
    expect_same_block(data, &p[0], (choice & 1) != 0, (choice & 2) != 0, false, (choice & 4) != 0);
    expect_same_block(data, &p[1], (choice & 1) == 0, (choice & 2) != 0, false, (choice & 4) != 0);
    release(data, in->size);
}
