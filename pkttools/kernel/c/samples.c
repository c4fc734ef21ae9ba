/* Frames that an XDP program has handed over, in a BPF ring buffer or a perf buffer. What stands in the memory is checked
 * like any input. */
#include "kernel.h"

#include <errno.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

struct sample {                 /* in front of a frame in the ring buffer, as our program writes it */
    uint64_t time, original;
};

struct perf_sample {            /* behind a perf record's header, up to the frame */
    uint64_t time;
    uint32_t raw;               /* bytes of what follows, with padding */
    uint16_t cookie, original;
};

enum { COOKIE = 0xDEAD, PERF_HEADER = sizeof(struct perf_event_header), PERF_HEAD = PERF_HEADER + sizeof(struct perf_sample) };

_Static_assert(sizeof(struct sample) + BPF_RINGBUF_HDR_SZ >= SAMPLE_LEAST && (int)PERF_HEAD >= (int)SAMPLE_LEAST, "room for rows");
_Static_assert(offsetof(struct perf_event_mmap_page, data_tail) + 8 <= PERF_PAGE, "its positions are in the page");

static int bad(void)
{
    errno = EBADMSG;
    return -1;
}

/* A row for the frame whose bytes stand at found->data. */
static void add_row(struct samples *found, size_t captured, uint64_t original, uint64_t time, const struct sample_rules *rules)
{
    int64_t at = (int64_t)(time + (uint64_t)rules->clock), digits = at % 1000;
    found->rows[found->count++] = (struct packet){
        .offset = (int64_t)found->used, .captured = (int64_t)captured,
        .original = (int64_t)original > (int64_t)captured ? (int64_t)original : (int64_t)captured,
        .time = rules->nano ? at : (int64_t)((uint64_t)at - (uint64_t)(digits < 0 ? digits + 1000 : digits)),
        .linktype = rules->linktype, .notes = 0, .notes_size = rules->notes_size,
    };
    found->used += captured;
}

int ringbuf_read(unsigned long *consumer, const unsigned long *producer, const uint8_t *ring, size_t size,
                 const struct sample_rules *rules, struct samples *found)
{
    unsigned long at = *consumer;       /* only we write it */
    /* Acquire: the headers of the records before it are seen. */
    unsigned long end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);
    size_t room = found->room;
    if (at % 8 || end - at > size)
        return bad();
    while (at != end) {
        const uint8_t *record = ring + (at & (size - 1));       /* the ring is there twice: none is cut */
        /* Acquire: the record is seen once it is no longer busy. */
        uint32_t length = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
        if (length & BPF_RINGBUF_BUSY_BIT)
            break;
        size_t whole = length & ~(uint32_t)BPF_RINGBUF_DISCARD_BIT, total = (whole + BPF_RINGBUF_HDR_SZ + 7) & ~(size_t)7;
        if (total > end - at)
            return bad();
        if (!(length & BPF_RINGBUF_DISCARD_BIT)) {
            if (whole < sizeof(struct sample) || (total > room && found->count == 0))
                return bad();
            if (total > room)
                break;
            room -= total;
            struct sample head;
            memcpy(&head, record + BPF_RINGBUF_HDR_SZ, sizeof head);
            size_t captured = whole - sizeof head;
            memcpy(found->data + found->used, record + BPF_RINGBUF_HDR_SZ + sizeof head, captured);
            add_row(found, captured, head.original, head.time, rules);
        }
        at += total;
    }
    __atomic_store_n(consumer, at, __ATOMIC_RELEASE);   /* what was read may be written again */
    return 0;
}

/* Copies bytes of a ring that may begin again in the middle of them. */
static void copy_around(void *to, const uint8_t *ring, size_t size, uint64_t at, size_t count)
{
    size_t start = (size_t)(at & (size - 1)), first = count < size - start ? count : size - start;
    memcpy(to, ring + start, first);
    memcpy((uint8_t *)to + first, ring, count - first);
}

int perf_read(uint8_t *page, const uint8_t *ring, size_t size, size_t limit, const struct sample_rules *rules,
              struct samples *found)
{
    const uint64_t *head_at = (const uint64_t *)(const void *)(page + offsetof(struct perf_event_mmap_page, data_head));
    uint64_t *tail_at = (uint64_t *)(void *)(page + offsetof(struct perf_event_mmap_page, data_tail));
    uint64_t at = *tail_at, end = __atomic_load_n(head_at, __ATOMIC_ACQUIRE);
    size_t room = found->room;
    if (at % 8 || end - at > size)
        return bad();
    while (at != end) {
        struct perf_event_header record;
        copy_around(&record, ring, size, at, sizeof record);
        size_t total = record.size;
        if (total < PERF_HEADER || total % 8 || total > end - at)
            return bad();
        if (record.type == PERF_RECORD_SAMPLE) {
            struct perf_sample head;
            if (total < PERF_HEAD || (total > room && found->count == 0))
                return bad();
            if (total > room)
                break;
            room -= total;
            copy_around(&head, ring, size, at + PERF_HEADER, sizeof head);
            if (head.cookie != COOKIE || head.raw < 4 || head.raw - 4 > total - PERF_HEAD)
                return bad();
            size_t captured = head.raw - 4 < head.original ? head.raw - 4 : head.original;
            if (captured > limit)
                captured = limit;
            copy_around(found->data + found->used, ring, size, at + PERF_HEAD, captured);
            add_row(found, captured, head.original, head.time, rules);
        }
        at += total;
    }
    __atomic_store_n(tail_at, at, __ATOMIC_RELEASE);
    return 0;
}
