/* Who speaks to whom: a table of conversations, and of those that have connections what was seen of these. Which fields say so, and
 * which tell networks apart, the caller brings; see ../../protocols/ends.py.
 */
#ifndef PKTTOOLS_CONVERSATIONS_H
#define PKTTOOLS_CONVERSATIONS_H

#include "codec.h"

enum level { BY_LINK = 1, BY_NETWORK, BY_PORTS };       /* between whom a conversation is */

struct ends {                   /* a kind of header that says between whom it goes; its group: the first kind of those that say it alike */
    int64_t header, level, group, source, destination, width;   /* the first bits, and the width of each */
};

struct keeping_apart {          /* a field by which networks are told apart; a value below `least` says nothing */
    int64_t header, group, bit, width, least, oneway;   /* oneway: each direction has its own */
};

/* connections.c: what is said of a segment */

enum said_of {
    SEGMENT = 1,                /* there is one */
    FROM_SYN = 2,               /* its numbers count from the first one, which was seen; */
    ACK_FROM_SYN = 4,           /* the same of those of the other side */
    NEW_CONNECTION = 8,         /* numbers begin anew */
    REPEATED = 16,              /* it has octets that were seen before, */
    FILLS = 32,                 /* octets that were missing, */
    GAP = 64,                   /* and octets in front of it were not seen */
    UNSEEN = 128,               /* it acknowledges octets that were not seen */
    KEEP_ALIVE = 256,
    PROBE = 512,                /* of a window of zero */
    D_SACK = 1024,              /* it tells of octets that came twice */
    DUPLICATE_ACK = 2048,
    EARLIER = 4096,             /* octets from before those that are known of */
    OUTSIDE = 8192,             /* of any window: it is not followed */
    FAST_OPEN = 16384,          /* data in front of a handshake */
    SIMULTANEOUS = 32768,       /* both sides opened */
    SCALED = 65536              /* the window is in octets */
};

struct segment {                /* all 0: there is none */
    uint32_t what, base, ack_base;      /* enum said_of; what relative numbers count from, modulo 2^32 */
    uint32_t octets, repeated, filled, gap, unseen;     /* of payload, on the wire; of these; in front of it; acknowledged */
    uint64_t window;
};

struct hole { uint64_t start, end; };   /* octets that were not seen */

struct way {                    /* what one side sends; numbers of octets go on behind 2^32 */
    uint64_t base, floor, next; /* of its SYN; from where on, and up to where it is known what was seen */
    uint64_t acked;             /* how far the other side has acknowledged */
    uint64_t stray;             /* behind the last segment outside of any window */
    struct hole *holes;         /* in order */
    uint32_t holes_count, holes_room;
    uint32_t window, flags;     /* as it stood in its last segment; enum in connections.c */
    int32_t shift;              /* of its windows; -1: it has offered none */
    /* What came of all its connections: segments, and octets. */
    uint32_t repeated, filled, gaps, needless, duplicates, kept_alive, probes;
    uint64_t repeated_octets, filled_octets, missing, unseen;
};

struct connection {
    struct way way[2];
    int64_t first, last;        /* times of the first SYN, and of the last one of the same side */
    int64_t least, most;        /* the times of all handshakes are between these, if any is timed */
    uint32_t count, resets;     /* connections, with the same ends */
    uint8_t opener;             /* whose SYN was first; 2: there was none */
    bool open, timed;           /* the handshake is over; any was timed */
};

struct arrival {                /* a segment that comes */
    const struct frame *frame;
    size_t at, size;            /* where it begins, and its bytes, on the wire */
    int64_t time;
};

struct budget { uint64_t memory, held; };       /* bytes: what may be taken, and what is */

static inline bool affords(const struct budget *b, uint64_t more)
{
    return more <= b->memory && b->held <= b->memory - more;
}

void connection_begin(struct connection *c);
void connection_end(struct connection *c, struct budget *budget);
/* Takes a segment of side `who`; gives what is to be said of it. False: no memory. */
bool connection_follow(struct connection *c, unsigned who, const struct arrival *a, struct segment *said, struct budget *budget);
uint64_t way_missing(const struct way *w);
uint32_t connection_state(const struct connection *c);

/* conversations.c */

struct key {                    /* the lower end is the first */
    uint8_t low[16], high[16];
    uint32_t around, oneway;    /* see struct conversation; the latter of those alone that are too many */
    int32_t number, group;      /* what announces what is spoken, -1: nothing; of the header with the addresses */
    uint16_t low_port, high_port, ports, kept;  /* whether there are ports; always 0 */
};

struct conversation {
    struct key key;
    uint32_t oneway[2];         /* what is around each of the ways and not the same in both; UINT32_MAX: none came */
    uint64_t packets[2], octets[2];     /* those there, of who was first; and those back */
    int64_t first, last;        /* the earliest and the latest time */
    int64_t number;             /* how many were before it */
    uint32_t older, newer, connection;  /* places, and one more; 0: there is none */
    uint8_t turned;             /* whether the first packet came from the higher end */
    bool connects;              /* it has a connection; else that is one of a row before it */
};

struct conversation_rules {
    enum level level;
    uint64_t most, memory;      /* conversations; bytes */
    bool forget;                /* the one that was quiet for longest gives way; else further ones are not told from each other */
    uint64_t seed;              /* not known to who sends packets */
    const struct ends *ends;
    const struct keeping_apart *apart;
    size_t ends_count, apart_count;
};

enum { HASH_WORDS = 8, PIECES = 1024 };

struct told {                   /* whose a packet is: the number of its conversation, -1: no one's; 0: it goes there, 1: back */
    int64_t conversation;
    unsigned way;
    struct segment segment;
};

enum order { AS_THEY_CAME, BY_PACKETS, BY_OCTETS, BY_DURATION, BY_HANDSHAKE, ORDERS };        /* the most first */

struct tallied { uint64_t packets, octets; };

struct conversations {
    struct conversation_rules rules;
    struct by_kind { uint16_t ends, apart, count; } *by_kind;   /* which of them; one more, 0: none */
    size_t kinds;
    uint64_t secret[2 * HASH_WORDS + 2];
    struct found_at { uint32_t hash, place; } *found;           /* by hash; place: one more, 0: it is free */
    unsigned bits;              /* there are 2^bits of these */
    void **rows, **connections; /* PIECES of them in each */
    uint64_t count, connected, rooms, connection_rooms;
    int64_t numbered;           /* how many there were, with those that were forgotten */
    uint32_t oldest, newest;
    struct around_names {       /* what is around conversations, each once; its number is one more than its place */
        struct bytes text, ends;        /* where each ends in the text, in 64 bits */
        uint32_t *found;
        unsigned bits;
        uint32_t last;          /* what was looked for last */
    } around;
    struct bytes both, oneway;  /* of the packet in hand */
    struct pending *pending;    /* datagrams whose fragments come; NULL: none came yet */
    uint64_t pending_numbered;
    struct budget budget;
    struct tallied others, without;     /* packets beyond what is kept; of no addresses */
    uint64_t forgotten;
};

bool conversations_begin(struct conversations *t, const struct conversation_rules *rules);      /* false: no memory, as of the others */
void conversations_end(struct conversations *t);
/* follow: segments of its connection are followed, and fragments wait for their first one; else only whose the packet is is found out. */
bool converse(struct conversations *t, const struct packet_view *p, const struct packet *row, bool follow, struct told *told);
bool conversations_settle(struct conversations *t);     /* counts what waits for the first fragment of its datagram */
/* The places of up to so many conversations in an order; the caller frees them. */
bool conversations_order(const struct conversations *t, enum order order, size_t most, uint32_t **places, size_t *count);
struct conversation *conversation_at(const struct conversations *t, uint64_t place);
struct connection *connection_of(const struct conversations *t, const struct conversation *c);  /* NULL: it has none */
const uint8_t *around_name(const struct conversations *t, uint32_t number, size_t *size);

#endif
