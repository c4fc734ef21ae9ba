/* Super-frames, which a card cuts: into segments of TCP, and datagrams of UDP; and what is merged into such. See segments.c. */
#ifndef PKTTOOLS_SEGMENTS_H
#define PKTTOOLS_SEGMENTS_H

#include "protocols.h"
#include "splice.h"

enum { SEQUENCE_AT = 4, FLAGS_AT = 13 };        /* RFC 9293 section 3.1 */
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };
enum { KEY_SIZE = 40 };         /* bytes: addresses, ports, and which IP */

struct handshake;

struct handshakes {             /* what hosts said of the largest segment that they take, of many connections */
    uint32_t *buckets;
    struct handshake *entries;
    uint32_t count, room, oldest;
};

/* Why a packet that should have been cut was not */
enum left_uncut { UNUSABLE_FRAME, A_FRAGMENT, OTHER_MESSAGE, NO_ROOM_FOR_DATA, WITHOUT_SUM, LEFT_UNCUT };

struct segmentation {
    size_t mtu, size;           /* bytes of the outermost packet of IP; of data; 0: not said */
    bool same_ids, keep;        /* IDs do not count up; lengths and checksums stay those of the super-frame */
    bool apart;                 /* datagrams of UDP become fragments */
    uint32_t id;                /* of the next datagram of IPv6 that does; in and out */
    struct handshakes *seen;
    size_t left[LEFT_UNCUT], urgent;    /* out: packets; of those that were cut, such with an urgent pointer, which each piece has */
};

struct super {                  /* a super-frame */
    size_t index, transport;    /* of its headers: that of the datagram, and of the message in it */
    size_t payload, end, size;  /* what is cut, and bytes of it in each piece */
    size_t dropped, options;      /* bytes of an extension that pieces do not have; of options of IP and extensions, which they have */
    bool numbered;              /* segments of TCP */
    struct around around;
};

bool handshakes_begin(struct handshakes *t);    /* false: no memory */
void handshakes_end(struct handshakes *t);
bool is_super(struct segmentation *how, const struct packet_view *p, bool chosen, struct super *s, bool *memory);
bool cut(struct segmentation *how, const struct packet_view *p, struct super *s, const uint8_t *data, const struct packet *row,
         struct gathered *out);


/* What merging goes by, too: the innermost header of a datagram; the header that its message begins with, NULL: none is known;
 * whether that is of UDP, which carries no tunnel; who sends to whom, or the other way; and where a header ends, if
 * it says that in whole bytes.
 */
bool innermost(const struct walk *w, size_t *index);
const struct header *beginning(const struct walk *w, size_t index, const struct message *m);
bool is_datagram(const struct frame *f, const struct header *h);
void flow_key(const struct frame *f, const struct message *m, bool back, uint8_t key[KEY_SIZE]);
void declare_end(const struct writable_frame *f, const struct header *h, size_t end);

/* merging.c */

/* Merges packets, of which `chosen` says which may be; NULL: all. gone: how many stood right in front of each that were merged
 * before; NULL: none. datagrams: those of UDP, too. Adds what comes to an end; `rest` has the numbers of what is open then, and of
 * what came behind it, unless this is the end of all. merged: how many became parts of others. False: no memory.
 */
bool merge(const uint8_t *data, const struct packet *packets, size_t count, const uint8_t *chosen, const uint8_t *gone, bool datagrams, bool final,
           struct gathered *out, struct bytes *rest, size_t *merged);

#endif
