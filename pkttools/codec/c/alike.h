/* What may differ between packets that are compared; alike.c. */
#ifndef PKTTOOLS_ALIKE_H
#define PKTTOOLS_ALIKE_H

#include "codec.h"

struct leeway {                  /* bits of a kind of header, from its start on */
    int64_t bit, width;
    int64_t follows;            /* they are a checksum, and may differ where it is right on either side, or left to the card */
};

struct tolerance {
    int64_t within;             /* nanoseconds between times; below 0: any */
    bool sizes, notes;          /* sizes on the wire, and lines of notes, have to be the same */
    const int64_t *first;       /* of each kind of header its first place; one more: how many there are */
    size_t kinds;
    const struct leeway *places; /* of a kind, those of checksums stand behind the others */
    size_t count;
};

bool tolerance_sound(const struct tolerance *t);

/* Whether two packets have headers of the same kinds at the same places. */
bool same_headers(const struct walk *a, const struct walk *b);

/* Whether two packets are the same but for what may differ. false: they are not, or it takes more to tell. */
bool alike(const struct tolerance *t, const uint8_t *data, const struct packet *p, const uint8_t *other_data, const struct packet *other);
/* Makes zeros of the bits that may differ. */
void blank(const struct tolerance *t, const struct writable_frame *f, int64_t linktype);
/* Leaves of the octets of a packet those that have to be the same, and gives how many: packets are the same but for what may differ if
 * these are. padding: what is behind all headers may differ, too. follow: of each checksum that is left out as it follows from others,
 * two bits of what was to be said of it.
 */
size_t reduce(const struct tolerance *t, bool padding, const struct writable_frame *f, int64_t original, int64_t linktype, uint64_t *follow);

#endif
