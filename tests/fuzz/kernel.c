/* What reads memory that the kernel shares with us, as it is mapped: blocks, slots, ring buffers, perf buffers of any bytes. */
#include "fuzz.h"
#include "../../pkttools/kernel/c/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST = 4096, LIMIT = 500 };     /* where a block stands in its ring; bytes of a frame that are wanted */

/* Rows as module.c makes room for them. */
static struct packet *room_for(size_t count)
{
    return (struct packet *)(void *)exact(NULL, count * sizeof(struct packet));
}

static void give_back(struct packet *rows, size_t count)
{
    release((uint8_t *)rows, count * sizeof(struct packet));
}

/* Packets lie within the memory from `offset` on, with numbers that a row can have. */
static void expect_within(const struct packet *rows, size_t count, size_t offset, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const struct packet *p = &rows[i];
        EXPECT(p->captured >= 0 && p->original >= p->captured);
        EXPECT(p->offset >= (int64_t)offset && p->captured <= (int64_t)(offset + size) - p->offset);
    }
}

/* One byte: what is wanted. Then a block: all of the memory. */
void fuzz_ring(struct input *in)
{
    unsigned choice = take8(in);
    size_t size = in->size;
    if (size <= RING_HEAD)                      /* module.c lets none such pass */
        return;
    uint8_t *block = exact(in->at, size);
    ssize_t used = ring_used(block, size), count = ring_count(block, size);
    EXPECT(used <= (ssize_t)size && (used > RING_HEAD || (used == -1 && (errno == EAGAIN || errno == EBADMSG))));
    if (count >= 0) {
        const struct ring_rules rules = {
            .wanted = {choice & 1, choice & 2}, .nano = choice & 4, .cooked = choice & 16, .linktype = 1, .limit = choice & 8 ? LIMIT : 262144,
            .notes = {FIRST + 48, FIRST + 50}, .notes_size = {2, 3},
        };
        struct ring_rows found = {.rows = room_for((size_t)count), .unfinished = room_for((size_t)count)};
        if (ring_read(block, size, FIRST, (size_t)count, &rules, &found))
            EXPECT(errno == EBADMSG);
        EXPECT(found.count <= (size_t)count && found.unfinished_count <= found.count);
        expect_within(found.rows, found.count, FIRST, size);
        expect_within(found.unfinished, found.unfinished_count, FIRST, size);
        give_back(found.rows, (size_t)count);
        give_back(found.unfinished, (size_t)count);
    }
    ring_give(block);
    EXPECT(ring_count(block, size) == -1 && errno == EAGAIN);
    release(block, size);
}

/* Slots filled with some bytes, several times, as they come out of a socket's queue. */
static void try_filling(const uint8_t *bytes, size_t taken, size_t size)
{
    enum { SENT = 3, VIRTIO = 10 };
    static int queue[2];
    if (queue[1] == 0)
        EXPECT(socketpair(AF_UNIX, SOCK_DGRAM, 0, queue) == 0);
    for (int i = 0; i < SENT; i++)
        EXPECT(send(queue[0], bytes, taken, 0) == (ssize_t)taken);
    uint8_t *ring = exact(NULL, SENT * size);
    struct slots found = {.rows = room_for(SENT)};
    EXPECT(slots_fill(queue[1], ring, size, SENT) == SENT && slots_fill(queue[1], ring, size, 0) == 0);
    EXPECT(slots_read(ring, size, 0, SENT, 1, &found) == 0 && found.met == SENT && (found.count == SENT || found.cut == SENT));
    for (size_t i = 0; i < found.count; i++) {
        const struct packet *p = &found.rows[i];
        EXPECT((size_t)p->offset == i * size + SLOT_FRAME && (size_t)p->captured == (taken > VIRTIO ? taken - VIRTIO : 0));
        EXPECT(memcmp(ring + p->offset - VIRTIO, bytes, taken) == 0);
    }
    EXPECT(slots_fill(queue[1], ring, size, SENT) == 0);
    give_back(found.rows, SENT);
    release(ring, SENT * size);
}

/* One byte: the size of a slot; one: the first slot, and how many are asked for. Then slots. */
void fuzz_slots(struct input *in)
{
    size_t size = 64 + 16 * (take8(in) % 16), numbers = take8(in), there = in->size / size;
    size_t first = numbers % 4, most = numbers / 4;
    if (first > there)                          /* nor these */
        return;
    most = most < there - first ? most : there - first;
    uint8_t *ring = exact(in->at, there * size);
    struct slots found = {.rows = room_for(most)};
    if (slots_read(ring, size, first, most, 1, &found))
        EXPECT(errno == EBADMSG);
    EXPECT(found.met <= most && found.count + found.cut <= found.met);
    for (size_t i = 0; i < found.count; i++) {
        const struct packet *p = &found.rows[i];
        EXPECT(p->offset > 0 && p->captured >= 0);
        size_t at = (size_t)(p->offset - 1) / size * size;      /* its slot: a frame of no bytes may stand at the end */
        EXPECT((size_t)(p->offset + p->captured) <= at + size && at >= first * size && at + size <= there * size);
    }
    slots_give(ring, size, first, most);
    struct slots none = {.rows = NULL};
    EXPECT(slots_read(ring, size, first, most, 1, &none) == 0 && none.met == 0);
    if (size > SLOT_FRAME)
        try_filling(in->at, in->size, size);
    give_back(found.rows, most);
    release(ring, there * size);
}

/* What both kinds of buffer are: a ring of a power of two, from where to where it is full, and how much is wanted of it. */
struct buffer {
    uint64_t from, to;
    size_t size, room, limit;
    struct sample_rules rules;
};

/* One byte: the size of the ring and where positions begin; one: the room; two each: positions, which may be anything. */
static struct buffer take_buffer(struct input *in)
{
    unsigned choice = take8(in), room = take8(in);
    struct buffer b = {.size = (size_t)64 << choice % 8 % 6, .room = room < 255 ? 8 * room : 1 << 20, .limit = choice & 64 ? LIMIT : 262144};
    uint64_t base = choice & 128 ? UINT64_MAX - 63 : 0;         /* positions wrap around at the end of their 64 bits, too */
    b.from = base + take16(in);
    b.to = b.from + take16(in);
    b.rules = (struct sample_rules){.linktype = 1, .clock = choice & 8 ? INT64_MIN + 5 : 1000, .nano = choice & 16, .notes_size = 3};
    return b;
}

/* Reads it as often as there is something, as a receiver does; `read` is one of the two below. */
static void try_buffer(const struct buffer *b, uint8_t *pages, const uint8_t *ring,
                       int (*read)(const struct buffer *b, uint8_t *pages, const uint8_t *ring, struct samples *found),
                       uint64_t (*position)(const uint8_t *pages))
{
    size_t most = b->room < b->size ? b->room : b->size, rows = most / SAMPLE_LEAST, notes = (size_t)b->rules.notes_size;
    for (;;) {
        uint64_t before = position(pages);
        struct samples found = {.data = exact(NULL, notes + most), .rows = room_for(rows), .used = notes, .room = b->room};
        bool bad = read(b, pages, ring, &found) != 0;
        uint64_t now = position(pages);
        EXPECT(bad ? errno == EBADMSG && now == before : now - before <= b->size && now - before <= b->to - before);
        EXPECT(found.used <= notes + most && found.count <= rows);
        expect_within(found.rows, found.count, notes, most);
        release(found.data, notes + most);
        give_back(found.rows, rows);
        if (bad || now == before)
            break;
    }
}

enum { PAGE = PERF_PAGE };      /* bytes of what stands before a ring */

static uint64_t number_at(const uint8_t *at)
{
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

static void put_number(uint8_t *at, uint64_t number)
{
    memcpy(at, &number, sizeof number);
}

/* As much of the ring as the input has; the rest is zero. */
static void fill(uint8_t *ring, size_t size, const struct input *in)
{
    memset(ring, 0, size);
    if (in->size > 0)
        memcpy(ring, in->at, in->size < size ? in->size : size);
}

static int read_ringbuf(const struct buffer *b, uint8_t *pages, const uint8_t *ring, struct samples *found)
{
    return ringbuf_read((unsigned long *)(void *)pages, (const unsigned long *)(const void *)(pages + PAGE), ring, b->size,
                        &b->rules, found);
}

static uint64_t consumed(const uint8_t *pages)
{
    return number_at(pages);
}

/* A BPF ring buffer, whose ring is there twice. */
void fuzz_ringbuf(struct input *in)
{
    struct buffer b = take_buffer(in);
    uint8_t *pages = exact(NULL, 2 * PAGE), *ring = exact(NULL, 2 * b.size);
    put_number(pages, b.from);
    put_number(pages + PAGE, b.to);
    fill(ring, b.size, in);
    memcpy(ring + b.size, ring, b.size);
    try_buffer(&b, pages, ring, read_ringbuf, consumed);
    release(pages, 2 * PAGE);
    release(ring, 2 * b.size);
}

enum { HEAD_AT = 1024, TAIL_AT = 1032 };        /* of struct perf_event_mmap_page */

static int read_perf(const struct buffer *b, uint8_t *pages, const uint8_t *ring, struct samples *found)
{
    return perf_read(pages, ring, b->size, b->limit, &b->rules, found);
}

static uint64_t tail(const uint8_t *pages)
{
    return number_at(pages + TAIL_AT);
}

void fuzz_perf(struct input *in)
{
    struct buffer b = take_buffer(in);
    uint8_t *page = exact(NULL, PAGE), *ring = exact(NULL, b.size);
    put_number(page + HEAD_AT, b.to);
    put_number(page + TAIL_AT, b.from);
    fill(ring, b.size, in);
    try_buffer(&b, page, ring, read_perf, tail);
    release(page, PAGE);
    release(ring, b.size);
}

/* Times at which such rows are to be sent do not go back, and gaps are none below zero; whatever way they are counted. */
static void expect_deadlines(const uint8_t *rows, size_t first, size_t count, unsigned way)
{
    const struct pace_rules rules = {
        .speed = way & 8 ? 1e-6 : 3, .pps = way % 4 == 1 ? 7 : 0, .mbps = way % 4 == 2 ? 1e-6 : 0, .fast = way % 4 == 3,
        .after_previous = (way & 4) != 0, .wait = way & 16 ? INT64_MAX / 2 : way,
    };
    struct pace pace = {.start = 5, .last_due = 5};
    count = sizes_sound(rows, first, count);
    int64_t *due = (int64_t *)exact(NULL, count * sizeof *due);
    deadlines(&rules, &pace, rows, first, count, due);
    for (size_t i = 0; i < count; i++)
        EXPECT(due[i] >= (rules.after_previous ? 0 : i > 0 ? due[i - 1] : pace.start));
    EXPECT(pace.count == (int64_t)count);
    release((uint8_t *)due, count * sizeof *due);
}

/* One byte each: bytes of headroom, rows that are left out. Then bytes of data and, of what is left, rows. */
void fuzz_burst(struct input *in)
{
    size_t headroom = take8(in) % 32, first = take8(in) % 4, size = take16(in), all = in->size / sizeof(struct packet);
    if (first > all)
        return;
    uint8_t *rows = exact(in->at, all * sizeof(struct packet));
    size_t fit = rows_within(rows, first, all - first, size, headroom);
    EXPECT(fit <= all - first);
    for (size_t i = first; i < first + fit; i++) {
        struct packet p;
        memcpy(&p, rows + i * sizeof p, sizeof p);
        EXPECT(p.offset >= (int64_t)headroom && p.captured >= 0 && p.offset <= (int64_t)size && p.captured <= (int64_t)size - p.offset);
    }
    expect_deadlines(rows, first, all - first, (unsigned)headroom);
    release(rows, all * sizeof(struct packet));
}
