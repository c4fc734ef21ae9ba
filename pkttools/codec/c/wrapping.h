/* Headers that are put in front of others, or taken off: wrapping.c. */
#ifndef PKTTOOLS_WRAPPING_H
#define PKTTOOLS_WRAPPING_H

#include "splice.h"

/* What becomes of packets that begin with the same headers: rows of int64s, one behind the other, which ../../work/wrapping.py makes. */
struct reshape {
    int64_t size;               /* int64s of all of it */
    int64_t linktype;           /* of the packets */
    int64_t count, whole;       /* headers that they begin with; whether these are all */
    int64_t why;                /* enum left_unwrapped: they are left as they are */
    int64_t made;               /* the link type of what is made */
    int64_t first, behind;      /* headers whose checksums must not be wrong */
    int64_t pieces, steps;
    int64_t at, octets;         /* what the pieces become: where in the octets, and how many */
    int64_t plain;              /* whether no length or checksum is around it; then the header whose end is that of the packet, else 0 */
    int64_t kinds[];            /* of these headers; then pieces, and steps */
};

struct shape_piece {            /* bytes from one place up to another: a header, and bytes from its start */
    int64_t header, bytes, to_header, to_bytes;
    int64_t size;               /* octets that they become, behind those of the piece before */
};

enum step_kind {                /* what is written into the octets of a packet */
    MOVE,                       /* bits of a header */
    SET,                        /* a number */
    COUNT,                      /* the next number */
    FLOW,                       /* a number of what is inside, from a header on: the same for all packets of a flow */
    ECN_LOWERED,                /* as MOVE, but 3 becomes 2: RFC 3168 section 9.1.1 */
    ECN_JOINED,                 /* what was written, with bits of a header that goes away: RFC 6040 section 4.2 */
    SIZE,                       /* bytes from a header up to where what it begins ends, and a number more */
    STEPS
};

struct step {
    int64_t what, header;
    int64_t bit;                /* in the header; of SET and SIZE: the number */
    int64_t width, to;          /* bits; where in the octets */
};

enum left_unwrapped { WRAPPED, NO_HEADER, NO_WAY, CUT_OFF, IN_FRAGMENT, TOO_LONG_FOR_IT, UNSOUND, CONGESTED, NOT_SUMMED, LEFT_UNWRAPPED };

enum { MOST_OCTETS = 1024, MOST_FRONT = 256 };

struct front {                  /* what a packet began with, and what that became: those that begin so become the same */
    const struct reshape *of;   /* NULL: that is not so */
    size_t from, to;            /* bytes of both */
    uint32_t starts[MAX_HEADERS];       /* of its headers */
    bool sure;                  /* no walk is needed to see that a packet is like it */
    struct header datagram;     /* then, the one whose end is that of the packet */
    uint8_t was[MOST_FRONT], is[MOST_FRONT + MOST_OCTETS];
};

struct wrapping {
    const int64_t *shapes;
    size_t size;                /* int64s */
    const uint8_t *octets;
    size_t octets_size;
    const int64_t *ports;       /* kinds of headers that begin with the two ports of a flow */
    size_t ports_count;
    bool keep;                  /* what is around stays as it is */
    uint16_t number;            /* of the next packet that has one; in and out */
    const struct reshape *last;
    struct front front;
    size_t most;                /* octets that a packet gets; see shapes_sound */
    size_t counts[LEFT_UNWRAPPED];
};

bool shapes_sound(struct wrapping *w);
size_t wrap_room(const struct wrapping *w, const struct packet *p, size_t count, size_t *room);
/* What a packet is like; NULL: like none. */
const struct reshape *shape_of(struct wrapping *w, const struct packet_view *p, int64_t linktype);
/* What becomes of a packet that begins with the same bytes as the last one, where that is enough to know. False: its headers are to be
 * walked. */
bool wrap_surely(struct wrapping *w, const struct frame *f, const uint8_t *data, const struct packet *row, struct gathered *out, bool *memory);
/* The same of one that begins as the last one did, whose headers were walked without idle ones, and where nothing follows what is put in
 * or taken off: what it is made of is there. False: it takes more. */
bool wrap_plainly(struct wrapping *w, const struct packet_view *p, const uint8_t *data, const struct packet *row, struct gathered *out,
                  bool *memory);
/* Adds what becomes of a packet, itself where it is left; one that is dropped is not there. False: no memory. */
bool wrap(struct wrapping *w, const struct reshape *shape, const struct packet_view *p, const uint8_t *data, const struct packet *row,
          struct gathered *out);

#endif
