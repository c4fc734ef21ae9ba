/* Addresses, and other numbers that say who speaks to whom, wherever they stand in a packet, replaced by a table of rules. Which fields
 * hold them the caller brings; see ../../protocols/places.py.
 */
#ifndef PKTTOOLS_ADDRESSES_H
#define PKTTOOLS_ADDRESSES_H

#include "fields.h"

enum { MOST_SORTS = 8 };        /* of numbers: each sort has a width */
enum side { AS_SOURCE = 1, AS_DESTINATION = 2, AS_NEITHER = 4, ANYWHERE = 7 };
enum treatment { REPLACE, ASK, REFUSE, TREATMENTS, ASKED = TREATMENTS };

enum written { AS_WHOLE, INVERTED, IN_PART };    /* all bits of a number, their inverse; its first ones, as many as the header has */

struct address_place {          /* a field of a kind of header, or item. Of no width: one that is only counted, by `side` */
    int64_t header, sort, side, bit, width, how;    /* enum written */
};

struct address_rule {           /* for numbers of a sort that begin with these bits: the number becomes to | number & keep */
    int64_t sort, sides, length, treatment;
    struct value number, to, keep;
};

struct question {                  /* a number that the caller is asked for */
    int64_t sort;
    struct value number;
};

struct addresses {
    struct address_place *places;       /* by kinds, then by kinds of items */
    uint32_t *first;            /* of each of these the first place, and one more */
    bool *asked_of;             /* kinds, and items, with places that there are rules for */
    uint32_t *itemised;         /* kinds of headers in whose items there are places: bytes of a header without any; 0: none has places */
    size_t kinds, items, counts;
    uint8_t width[MOST_SORTS];  /* bits */
    struct levels {             /* lengths of rules of a sort, the longest first, and which sides they are for */
        struct reach { uint8_t length, sides; uint32_t only, count; } *level;   /* how many rules there are, and the place of one */
        size_t count;
    } levels[MOST_SORTS];
    struct bytes rules;         /* struct address_rule */
    uint32_t *slots;            /* by hash: one more than the place of a rule, 0: it is free */
    unsigned bits;              /* there are 2^bits of these */
    struct bytes found, before; /* of the packet in hand */
    struct bytes asked;         /* struct question: each once */
    int64_t *counted;           /* headers that are only counted */
};

struct left {                   /* checksums that could not follow, or are not known; and what is not followed */
    struct followed sums;
    struct untold untold;
};

enum mapping { NOT_FOUND, MAPPED, REFUSED, WAITING, WITHOUT_MEMORY };

bool addresses_begin(struct addresses *a, const struct address_place *places, size_t count, bool *sound);   /* false: not sound, or no memory */
void addresses_end(struct addresses *a);
bool addresses_rule_sound(const struct addresses *a, const struct address_rule *rule);
bool addresses_add(struct addresses *a, const struct address_rule *rule);        /* in place of the one for the same numbers; false: no memory */
/* Replaces what the rules say in a packet; what has to be asked for first waits, and what cannot be mapped stays as it is. whole: with
 * its frame check sequence. follow: checksums do; `left` says what does not. */
enum mapping addresses_map(struct addresses *a, const struct writable_frame *whole, const struct packet *row, bool follow, struct left *left);

struct address_ends {           /* between whom a packet goes: the first numbers of some sorts in it; sort: -1, there are none */
    int64_t sort, sides;        /* which of them are there */
    struct value source, destination;
};

void addresses_between(const struct addresses *a, const struct frame *f, int64_t linktype, unsigned sorts, struct address_ends *ends);

#endif
