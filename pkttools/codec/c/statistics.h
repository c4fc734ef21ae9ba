/* What packets are counted by: a stream as a whole, and groups of packets in a table whose memory is bounded. */
#ifndef PKTTOOLS_STATISTICS_H
#define PKTTOOLS_STATISTICS_H

#include "fields.h"

/* groups.c */

enum { PACKETS_FROM, BYTES_FROM, PACKETS_TO, BYTES_TO, GROUP_COUNTS };  /* of a group that has no sides the first two */
enum { GROUP_COST = 88 };       /* bytes that a group counts for besides those of its key: no less than it takes */

struct group {
    int64_t counts[GROUP_COUNTS];
    uint64_t hash;
    uint32_t size;
    uint8_t key[];
};

enum { LATER = 16, LATER_KEY = 24 };      /* keys that wait to be counted; bytes of one */

struct waiting {                /* what is to be counted of a key */
    uint64_t hash;
    int64_t size;
    int packets;
    uint8_t key_size, key[LATER_KEY];
};

struct groups {                 /* all zero at first, but for `memory` */
    uint64_t memory, held;      /* bytes: what groups may count for, and what they do */
    struct bytes rows;          /* groups, each from a multiple of eight bytes on */
    uint32_t *slots;            /* by hash: where in the rows, in eight bytes, and one more; 0 is free */
    size_t room, count;         /* of slots, a power of two; of groups */
    size_t last;                /* where the group is that was found last */
    int64_t others[GROUP_COUNTS];       /* of packets whose group had no room any more */
    struct waiting waiting[LATER];    /* by number, modulo LATER */
    size_t come, counted;
};

/* Counts a packet of so many bytes for the group of a key, or for all others where there is no room for one more. packets: which of
 * its counts. False: no memory. */
bool group_add(struct groups *g, const void *key, size_t key_size, int64_t size, int packets);
/* The same, a few keys later, or when those that wait are asked for: the table is larger than what is near the processor, and
 * lookups need not wait for memory one after the other. Of keys of at most LATER_KEY bytes. */
bool group_add_later(struct groups *g, const void *key, size_t key_size, int64_t size, int packets);
bool groups_add_waiting(struct groups *g);
/* The `most` groups with the most packets, or bytes, both ways, the first ones first, equal ones in order of their keys; 0: all. They
 * are put into `out` as pointers to groups, which hold until the next one is found. False: no memory. */
bool groups_sorted(const struct groups *g, size_t most, bool by_bytes, struct bytes *out);
void groups_free(struct groups *g);

/* statistics.c */

enum { PATHS = 1, TALKERS = 2, BY_FIELDS = 4 }; /* what groups are wanted */
enum total { PACKETS, BYTES, CAPTURED, EARLIEST, LATEST, PREVIOUS, BACKWARDS, CUT_SHORT, SHORTEST, LONGEST, TOTALS };
enum { SIZES = 65536 };         /* sizes are counted each by itself up to here, larger ones together */
enum { BINS = 4096 };           /* of time; a power of two */

struct grouping {                /* of what fields groups are made */
    int64_t field, occurrence;
};

struct series {                 /* packets and bytes over time, in bins of one width in nanoseconds, which grows as it has to */
    int64_t width, lowest, highest;     /* numbers of bins: time / width */
    int64_t from, behind;       /* the time that is in the bin in hand */
    int64_t (*bin)[2];          /* by number, modulo BINS */
    size_t in_hand;
};

struct statistics {
    unsigned wanted;
    int64_t totals[TOTALS];
    int64_t *sizes;             /* packets of each size on the wire; the last one: of larger ones */
    struct durations gaps;      /* from one packet to the next */
    struct series series;
    struct groups paths, talkers, fields;
    struct program program;     /* the table of fields, and in its code columns */
    struct bytes key;
};

bool grouping_sound(struct program *program);
bool statistics_begin(struct statistics *s, uint64_t memory);   /* these are false where there is no memory */
/* Talkers may still wait, see groups_add_waiting. */
bool statistics_add(struct statistics *s, const struct packet *p, const struct packet *bare, const struct frame *f,
                    const struct frame *notes);
void statistics_end(struct statistics *s);

#endif
