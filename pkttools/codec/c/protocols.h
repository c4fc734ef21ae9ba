/* Protocols as tables of integers: what a header is, how long, and what comes next. The columns are those of
 * ../../protocols/walking.py, which says what they mean; protocols.c checks them, headers.c runs them, exceptions.c has what they
 * cannot say.
 */
#ifndef PKTTOOLS_PROTOCOLS_H
#define PKTTOOLS_PROTOCOLS_H

#include "codec.h"

enum flag {
    HIDDEN = 1,                 /* no header, only a way to one */
    UNFOLLOWED = 2,             /* not followed: where it stands it is counted */
    PASSES = 4,                 /* a tag or an extension: belongs to the header in front of it */
    OWN_END = 8,                /* it ends with itself; what follows goes on in what it lies in */
    NEEDS_SIZE = 16,            /* it is there only where all of it is */
    LONG_DATA = 32,             /* where it is longer than what there is, its data are at the end */
    CUT = 64,                   /* the walk is partial where it was not captured, */
    CUT_INSIDE = 128,           /* the same, but not where it is the first header */
    DEEP = 256,                 /* where it lies too deep, */
    MISSIZED = 512,             /* where its size is impossible */
    END_BEHIND = 1024,          /* its end is that of what follows, not its own */
    TUNNEL = 2048, LINK_LAYER = 4096, TAG = 8192, EXTENSION = 16384,
    IDLE = 32768,               /* who does not ask for its fields goes without it, and all that is behind it */
    FLAGS = 65536 - 1
};

enum { FROM_START, FROM_BEHIND };               /* of a header: where a read counts from */
enum { BIG_ENDIAN_READ, LITTLE_ENDIAN_READ };
enum { TO_KIND, BY_SPACE, COUNTED };            /* what a rule does */
enum { QUOTED = 1, PROMISED = 2, RULE_FLAGS = 3 };
enum asked { IS, IS_NOT, LEAVES };              /* what a test asks of a number; LEAVES: of how many more bytes there are than it says */
enum { MESSAGE, HEADER_ALONE, SAID, HEADER_AND };    /* what a sum covers */
enum { AS_SAID, ALL_FOR_0, JUMBO_FOR_0 };       /* what a number of 0 says of that */
enum { FOR_4 = 1, FOR_6 = 2, ALSO_MESSAGE = 4 };        /* of which versions of IP there is a pseudo-header */
enum { A_SUM, NO_SUM, NEVER, MISSING, FORBIDDEN };      /* what a sum of 0 says */
enum { CARD = 1, CARD_CUTS = 2 };               /* whether it is left to the network card; and messages for it to cut */
enum { TUNNEL_LEAF = -2, LEAF = -1 };           /* in place of a kind: nothing to be followed; of a tunnel */
enum { MAX_READ = 65536, MAX_ROWS = 16384, MAX_LIKELY = 4, MOST_CLAIMS = 9, MOST_PLACE = 252, MAX_RUN = 32, MAX_HIDDEN = 64 };


/* A number in a header. */
struct read {
    int32_t at;                 /* its first byte, from where it counts from */
    uint32_t mask;
    uint8_t shift, bytes;
    bool behind, little;
};

struct condition {              /* whether a number is in a range, or what it leaves */
    struct read read;
    uint32_t low, span;
    uint8_t how;                /* enum asked */
};

struct conditions {             /* all of them hold */
    const struct condition *first;
    uint32_t count;
};

struct term {                   /* a part of a header's size */
    struct conditions only;
    struct read read;
    int64_t scale, bias;
};

struct entry {
    uint32_t value;
    bool more;                  /* the next entry is of the same value */
    bool tunnel;                /* a packet is in it */
    const struct kind *kind;    /* NULL: a leaf */
    struct conditions only;
};

struct slot {                   /* of a value, found by what it spreads to */
    uint32_t value;
    uint16_t kind;              /* its number; 0: its entries have to be looked at */
    uint16_t entry;             /* the first one, from 1 on; 0: the slot is free */
};

struct space {
    uint64_t code;              /* of what is not followed, above 32 bits */
    uint64_t counted;           /* the least value that is counted where it has no entry */
    const struct entry *entries;
    size_t count;
    const struct kind *kinds;   /* all of them */
    const struct slot *slots;   /* NULL: values could not be spread so that each has a slot of its own */
    uint32_t factor, shift;
};

struct rule {
    struct conditions only;
    struct read read;
    uint8_t how, flags;
    union {                     /* of how it goes on */
        const struct kind *kind;
        const struct space *space;
        uint64_t code;
    };
};

enum how { SIZED, ALONE, LAST };                /* an item: by its length; of a type alone; the same, and nothing comes behind it */
enum to { TO_SIZE, TO_END, TO_SAID };           /* where a list ends */
enum { OTHER_TYPE = -2, ANY_TYPE = -1, MOST_UNITS = 256, MOST_ITEMS = 4096, TYPES_APART = 64 };

struct item {                   /* what is known of items of a type, or of all */
    int64_t type;               /* OTHER_TYPE: those that have no kind by their type */
    int32_t kind;               /* in place of a header's; -1: none */
    enum how how;
    uint32_t at, data, each;
    uint32_t inside;            /* where further items lie in it; 0: none do */
    const struct list *inner;   /* of which they are */
    struct read passed, pieces; /* in it: how many are passed over, and how many there are; of no bytes: none, and all */
    struct conditions only;     /* of the item */
};

struct list {
    struct read type, length;
    int64_t scale, bias;
    uint32_t align, head, alone;        /* bytes with type and length; with the type */
    const struct item *items;
    size_t count;
    const uint16_t *rows;       /* which of these an item of a type may be, in their order: by the low bits of the type, and from where on */
    uint32_t first[TYPES_APART + 1];
};

struct hold {                   /* where a list lies in a kind of header */
    struct conditions only;
    int32_t by;                 /* the kind of an item that these are of; -1: of the header */
    const struct kind *kind;
    const struct list *list;
    struct read read;
    int64_t scale, bias;
    uint32_t first;
    enum to to;
};

enum covers { OF_HEADER, OF_CARRIER, OF_ITSELF };       /* from where on a signature covers: what it is in, what carries that, itself */

struct signature {              /* what authenticates more than itself: a header of a kind, or an item */
    struct conditions only;
    uint64_t code;
    uint16_t kind;
    enum covers covers;
};

/* A number in the fixed part of a header: in four bytes, which are there. */
struct near {
    uint32_t mask;
    uint16_t at;
    uint8_t shift;
};

struct sum_rule {               /* the checksum of a header, or of the message that it begins */
    const struct kind *kind;
    struct conditions only;
    struct read read;
    int64_t scale, bias;
    uint8_t place, bytes;       /* of 0 bytes: whether there is one cannot be told */
    uint8_t over, nothing, gap_at, gap, pseudo, also, zero, card;
    bool whole;
    bool always;                /* it stands there whatever the header says, */
    bool plain;                 /* and is all there is to it, where a message lies behind its IP header and is whole */
    struct near covered;        /* of one that covers what a number says, no more and no less: that one; of mask 0: it does not */
    uint32_t least;             /* bytes of the message: the fixed ones, and its own */
};

/* A rule that looks up such a number, whatever else holds. The likely values are compared with one after the other: the processor
 * guesses that, and goes on with the next header, where it had to wait for what stands in a slot. */
struct quick {
    struct near read;
    uint32_t likely[MAX_LIKELY];
    const struct kind *kind[MAX_LIKELY];        /* NULL: no further ones */
    const struct space *space;
};

enum { SAYS_SIZE = 1, SAYS_END = 2, SAYS_WHOLE = 4, SAYS_DATA = 8, LOOKS_UP = 16, RULES_LEFT = 32, LIKELY = 64 };

/* Which of them the numbers are that a plain kind has: the usual ones have code of their own. */
enum shape { NOT_PLAIN, TAIL, TAIL_WITH_DATA, LINK, NETWORK, NETWORK6, TRANSPORT_WITH_END, CONTROL, TRANSPORT_WITH_SIZE, ANY_SHAPE,
             SKIPPED };

/* A kind of header: all that is known of it, by its rows, and before that what the walk needs of one that is plain. */
struct kind {
    uint32_t fixed;
    uint16_t number, exception, flags;  /* enum exception; enum flag */
    uint8_t shapes[2];          /* enum shape; the second one where idle headers are asked for; if it is plain, all there is to it is below */
    uint8_t numbers;            /* what is said by numbers in it; whether some of its rules are quick, and some not */
    uint8_t claims, gives;      /* gives: 255 where nothing is given */
    uint8_t quick_count, rules_count;
    bool may_sign;              /* it has a signature, or `signs` */
    struct near size_read, end_read, whole_read;
    uint32_t size_bias, end_least;
    int32_t end_bias;
    uint32_t whole_low, whole_span;
    uint32_t data;              /* UINT32_MAX: behind it */
    uint32_t trailer;
    struct quick first;         /* those of its rules that are quick */
    const struct quick *others;

    const struct term *terms;
    const struct rule *rules;
    const struct sum_rule *sum; /* NULL: it has none */
    const struct hold *holds;   /* lists that may lie in it */
    const struct kind *then;    /* what stands behind its end, within what it lies in; NULL: nothing */
    const struct signature *signature;  /* NULL: it has none */
    struct conditions end_only, whole_only;
    struct read end_number;
    int32_t end_scale;
    uint32_t until;
    uint16_t terms_count, holds_count;
    uint16_t length_at;         /* where it says in 16 bits of whole bytes, which may be corrected, where it ends; counting `end_bias` bytes less: */
    bool has_length;            /* if it does */
    uint8_t align;
    bool goes_on;               /* up to one of the bytes of `until` */
    bool signs;                 /* an item of its lists may have a signature */
};

struct protocols {
    struct protocols *before;   /* what was set before: kept, a walk without the interpreter's lock may be in it */
    struct block *memory;       /* all of this */
    struct kind *kinds;         /* the first is what a frame is of which nothing is known */
    size_t count;
    struct quick links;         /* by link type */
    const struct signature *signatures;
    size_t signatures_count;
    struct carried {            /* of IPv4, and of IPv6: what a protocol announces; NULL: nothing, or it has to be looked for */
        const struct entry *entry;
        const struct sum_rule *rule;
    } carried[2][256];
};

extern struct protocols *protocols;     /* what the walk goes by; NULL until protocols_set */

uint32_t read_number(const struct read *r, const struct frame *f, size_t at, size_t behind);
bool hold_within(const struct conditions *c, const struct frame *f, size_t at, size_t behind, size_t limit);
const struct entry *entry_of(const struct space *s, uint64_t value);

static inline bool hold(const struct conditions *c, const struct frame *f, size_t at, size_t behind)
{
    return c->count == 0 || hold_within(c, f, at, behind, f->size);
}

static inline uint32_t read_near(const struct near *n, const struct frame *f, size_t at)
{
    const uint8_t *b = frame_range(f, at + n->at, 4);
    return ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) >> n->shift & n->mask;
}

static inline const struct slot *slot_of(const struct space *s, uint32_t value)
{
    return &s->slots[value * s->factor >> s->shift];
}

static inline const struct entry *entry_in(const struct space *s, const struct slot *slot)
{
    return slot->entry > 0 ? &s->entries[slot->entry - 1] : NULL;
}

/* headers.c */

int64_t header_size(const struct kind *k, const struct frame *f, size_t at);
size_t header_behind(const struct kind *k, const struct frame *f, size_t at, size_t end);
bool leads_to_tunnel(const struct kind *k, const struct frame *f, size_t at);

/* sums.c */

bool has_own(const struct packet_view *p, size_t index);

/* Whether there is a checksum to be looked at at a header: of the message that it carries, if it is of IP, known or not; or its own,
 * if it is none of these.
 */
static inline bool has_sum(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    if (carries_message(h))
        return true;
    return protocols->kinds[h->kind].sum != NULL && (index == 0 || !carries_message(&h[-1])) && has_own(p, index);
}

/* around.c */

bool is_short(const struct read *r);
bool says_end(const struct kind *k, const struct frame *f, size_t start, int64_t given, int64_t *end);
bool write_number(const struct writable_frame *f, const struct read *r, size_t at, uint32_t value);

/* exceptions.c */

const struct entry *cooked_tag(const struct space *types, const struct frame *f, unsigned type, size_t at, size_t limit);

#endif
