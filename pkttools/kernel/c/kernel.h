/* What the kernel offers beyond Python's os and socket modules; twins of the same names under ../python.
 *
 * Only module.c knows Python. The functions give a count, or -1 with errno set, as system calls do.
 */
#ifndef PKTTOOLS_KERNEL_H
#define PKTTOOLS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "step.h"

/* pipe.c */

/* Puts pages into a pipe without copying them, vmsplice(2): they must stay as they are until they have been read. */
ssize_t pipe_lend(int fd, const void *at, size_t size);

struct packet {                 /* a row of a batch; the columns of pkttools/batch.py */
    int64_t offset, captured, original, time, linktype, notes, notes_size;
};

static inline struct packet packet_at(const uint8_t *rows, size_t i)
{
    struct packet p;            /* copied: rows need not be aligned */
    memcpy(&p, rows + i * sizeof p, sizeof p);
    return p;
}

/* turns.c */

struct turns_between {          /* descriptors; wake: can be read when it is time to stop, -1: none; now: the time, 0: the clock's */
    int reading, writing, wake;
    int64_t lock, now;          /* lock: of the output, the place that is locked while it is written, 0: none; still, behind a part */
};

struct turns {                  /* bytes that were read and are not for the step; bytes written, and those that are still to be */
    size_t used, written, rest_size;
    const uint8_t *rest;
};

/* Reads, lets the step make what is to be written, and writes it, again and again: until the input ends, or there is something that is
 * not for the step, more than `most` bytes at once among it; until the output takes less; until a signal comes, or `wake` can be read.
 * What is wrong with an end shows when it is read or written again. */
struct turns take_turns(const struct turns_between *b, const struct step *step, uint8_t *buffer, size_t size, size_t most);

/* privileges.c */

struct capabilities {           /* those of the thread that calls, a bit each: capabilities(7) */
    uint64_t effective, permitted, inheritable;
};

int process_control(int option, unsigned long second, unsigned long third);     /* prctl(2) */
int death_signal(void);         /* the signal that comes when the parent ends; 0: none, or the system does not say */
int capabilities(struct capabilities *found);
int keep_capabilities(uint64_t kept);                   /* these stay, effective and permitted, and no others */

/* ring.c */

enum { RING_HEAD = 48 };        /* bytes that every block begins with: a block is larger */

struct ring_rules {             /* the pairs: of packets that came in, of those that went out */
    bool wanted[2], cooked, nano;                       /* cooked: the socket takes link headers off, see ring_read */
    int64_t linktype, limit, notes[2], notes_size[2];   /* notes: offsets in the block */
};

struct ring_rows {              /* room for as many rows as the block has packets, twice */
    struct packet *rows, *unfinished;
    size_t count, unfinished_count, by_card;            /* by_card: rows with the time of the card */
};

/* How many packets a block has; EAGAIN: the kernel has not handed it over, EBADMSG: more than fit in it. */
ssize_t ring_count(const uint8_t *block, size_t size);
/* How many bytes of a block are used, its head and all packets; EAGAIN as above, EBADMSG: that cannot be. */
ssize_t ring_used(const uint8_t *block, size_t size);
/* The rows of a block that stands at `offset` in the ring, and once more those whose checksum was left to the card. Tags
 * that the kernel kept apart are put back; packets of a cooked socket get a header of LINKTYPE_LINUX_SLL, of what the kernel
 * says of them. EBADMSG: a packet lies outside of the block. */
int ring_read(uint8_t *block, size_t size, int64_t offset, size_t count, const struct ring_rules *rules,
              struct ring_rows *found);
void ring_give(uint8_t *block); /* back to the kernel */

/* slots.c */

enum {
    SLOT_HEAD = 52,             /* bytes that every slot begins with: a slot is larger */
    SLOT_FRAME = 80,            /* where the frame begins in a slot that is filled */
    SLOT_MOST = 128,            /* slots that are filled at once: what that takes fits on the stack */
};

struct slots {                  /* room for a row a slot */
    struct packet *rows;
    size_t count, met, cut;     /* rows, slots met, frames larger than their slot that are nowhere else */
    bool aside;                 /* whether the last row's frame is larger than its slot, and waits in the socket's queue */
};

/* The rows of frames in up to `most` slots of `size` bytes, behind their virtio headers; stops at one that is the kernel's.
 * Tags that the kernel kept apart are put back. EBADMSG: a frame lies outside of its slot. */
int slots_read(uint8_t *ring, size_t size, size_t first, size_t most, int64_t linktype, struct slots *found);
void slots_give(uint8_t *ring, size_t size, size_t first, size_t count);        /* back to the kernel */
/* Fills slots of more than SLOT_FRAME bytes, the first `count` but no more than SLOT_MOST, with what waits in the queue of a socket
 * without a ring, as the kernel fills those of a ring: recvmmsg(2). Never waits. Where PACKET_AUXDATA or SO_TIMESTAMPING are not
 * set, there is no tag, or no time. Of a packet that no virtio header can tell of, which the kernel throws away (EINVAL of
 * packet_recvmsg), nothing is there: a slot that was cut. How many; -1 and errno where there was none, but for want of packets. */
ssize_t slots_fill(int fd, uint8_t *ring, size_t size, size_t count);

/* samples.c */

enum {
    SAMPLE_LEAST = 24,          /* bytes that every sample takes in a buffer, at least */
    PERF_PAGE = 1040,           /* bytes that stand before a perf buffer's ring, at least: its positions are the last ones */
};

struct sample_rules {
    int64_t linktype, clock, notes_size;        /* clock: what is added to times */
    bool nano;
};

struct samples {                /* bytes, those of the notes first, and rows; room for `room` bytes of records */
    uint8_t *data;
    struct packet *rows;
    size_t used, count, room;
};

/* Copies frames out of a BPF ring buffer, whose ring of `size` bytes is there twice, and gives it back to the kernel.
 * EBADMSG: something in it cannot be. */
int ringbuf_read(unsigned long *consumer, const unsigned long *producer, const uint8_t *ring, size_t size,
                 const struct sample_rules *rules, struct samples *found);
/* The same out of a perf buffer, up to `limit` bytes of each frame. page: what stands before its ring. */
int perf_read(uint8_t *page, const uint8_t *ring, size_t size, size_t limit, const struct sample_rules *rules,
              struct samples *found);

/* burst.c */

struct burst {                  /* frames sent, their bytes, and the errno of the one behind them, or 0 */
    size_t sent, bytes;
    int error;
};

/* How many rows from `first` on, up to `count`, lie within `size` bytes of data before one that does not; with `headroom`
 * bytes in front of each. */
size_t rows_within(const uint8_t *rows, size_t first, size_t count, size_t size, size_t headroom);
/* Sends the packets of rows that were found to lie within the data, sendmmsg(2), up to the first that fails; each with the
 * `headroom` bytes in front of it, which are not counted. Never waits. */
struct burst send_burst(int fd, const uint8_t *data, const uint8_t *rows, size_t first, size_t count, size_t headroom);

/* pace.c */

struct pace_rules {             /* when to send: a rate in packets or megabits a second, or neither; see live/pace.py */
    double speed, pps, mbps;
    bool fast, after_previous;
    int64_t wait;               /* nanoseconds more between any two */
};

struct pace {                   /* where it stands: times in nanoseconds, of packets sent so far their number and bits */
    int64_t start, first, count, bits, last_bits, last_stamp, last_due;
};

/* How many rows from `first` on, up to `count`, have sizes that a packet can have, before one that has not. */
size_t sizes_sound(const uint8_t *rows, size_t first, size_t count);
/* When such packets are due; with after_previous how long behind the one before. What does not fit into 64 bits is the last time there is. */
void deadlines(const struct pace_rules *r, struct pace *p, const uint8_t *rows, size_t first, size_t count, int64_t *due);

struct paced_to {               /* sockets; by which of them each packet goes; busy: nanoseconds before each that are not slept */
    const int *fds;             /* -1: what goes there is not sent, and is done when it is due */
    const uint8_t *ways;        /* NULL: all by the first one */
    int wake;
    int64_t busy;
};

struct paced_by {               /* frames that went by a socket, and their bytes */
    int64_t sent, bytes;
};

struct paced {                  /* frames sent, those tried; when the last was tried; errno of the one behind, or 0 */
    size_t sent, tried;
    int64_t last;
    int error;
};

/* Sends packets of rows that were found to lie within the data, each when it is due, at least one: up to the first that fails,
 * until `wake` can be read, or for a slice of time. previous: when the packet before was sent, and `due` are gaps; -1: they are
 * times of the monotonic clock. late: by how much each that was tried was. by: what went by each socket is added. */
struct paced send_paced(const struct paced_to *to, const uint8_t *data, const uint8_t *rows, size_t first, size_t count,
                        const int64_t *due, int64_t previous, int64_t *late, struct paced_by *by);

#endif
