/* Octets of a packet that become others, and what is around them follows: splicing.c. How right its checksums were, and the same again in
 * another packet: following.c. What headers carry: contents.c.
 */
#ifndef PKTTOOLS_SPLICE_H
#define PKTTOOLS_SPLICE_H

#include "codec.h"

/* following.c */

enum judgement { LET_BE, BY_DIFFERENCE, FOR_CARD, FOR_CARD_UNCUT, BY_CRC };     /* what a checksum needs, to be what it was */

struct judged_sum {
    uint8_t how;                /* enum judgement */
    bool unseen;                /* it covers bytes that are in other packets, or were not captured */
    bool other;                 /* it was made by the other reading of what it covers */
    uint16_t off;               /* by how much it is wrong, in one's complement: with what was not seen */
};

struct judged {                 /* the checksums of the headers of a walk: its own of each, and that of the message that it carries */
    struct { struct judged_sum own, message; const void *rule; } sums[MAX_HEADERS];
};

enum { STRANGE = 254, MADE = 255 };     /* a header that was none before: it was there, or was put in */

struct origin {                 /* of a header: which it was */
    uint8_t index;              /* or STRANGE, or MADE */
    bool odd;                   /* what comes behind it in the packet moved by an odd number of bytes */
};

/* p: all headers were walked, those that are quoted and idle ones, too; of both. */
void judge(const struct packet_view *p, struct judged *j);
/* Sets the checksums of a packet that was made of another one, whose lengths are set. origins: of each of its headers; NULL: they are the
 * same. anew: those of headers that were none before are computed. False: one could not follow. */
bool settle(const struct packet_edit *e, const struct judged *j, const struct origin *origins, bool anew);

/* The same of super-frames, and of their pieces. */
bool judge_whole(const struct packet_view *p, size_t index, struct judged *j);
void settle_piece(const struct packet_view *p, const struct writable_frame *f, size_t index, const struct judged *j);

/* splicing.c */

enum { LEAST_FRAME = 60 };                      /* IEEE 802.3 clause 3.2.7: without its check sequence */
enum { SPLICE_FILLS = LEAST_FRAME + FCS };      /* bytes that a frame gets at most besides those of the pieces */

struct piece {                  /* bytes of a frame, and what they become */
    size_t at, removed, size;
    const uint8_t *octets;
};

struct splice {
    const struct piece *pieces; /* in order, none in another */
    size_t count;
    int64_t linktype;           /* of what is made */
    bool keep;                  /* nothing follows */
    bool anew;                  /* lengths and checksums of headers that were put in are computed */
};

/* Why a packet was left as it is; NOT_FOLLOWED: it was not, but a checksum could not follow. */
enum left_unspliced { SPLICED, NOT_THERE, OF_FRAGMENT, NO_LENGTH, NOT_FOLLOWED, LEFT_UNSPLICED };

struct spliced {
    enum left_unspliced why;
    bool stale;                 /* a checksum could not follow */
    size_t size;                /* bytes */
    int64_t original;           /* the same on the wire */
};

/* Adds what becomes of a packet to `out`; nothing where it is left as it is. False: no memory. */
bool splice_frame(struct bytes *out, const struct packet_view *p, int64_t linktype, const struct splice *s, struct spliced *made);
/* The same of a packet that lies in `data`, with its record and its lines. */
bool splice_packet(struct gathered *out, const uint8_t *data, const struct packet_view *p, const struct packet *row, const struct splice *s,
                   struct spliced *made);

size_t packet_end(const struct packet_view *p);         /* where the packet in a frame ends, on the wire, as far as it says so */

/* contents.c */

struct carried_octets {         /* the kind of a header; where it, its data, and what it carries begin, and end. -1: there is none */
    int64_t kind, start, data, at, end;
};

/* layer: the kind of the header, and its occurrence; UNKNOWN: the innermost one that is not of an application. */
struct carried_octets carried_octets(const struct packet_view *p, int64_t linktype, const struct layer *layer);

#endif
