/* Packets for people to read, header by header: what pkt-analyze prints. */
#ifndef PKTTOOLS_LISTING_H
#define PKTTOOLS_LISTING_H

#include "templates.h"

enum listing_level { NAMES_ALONE = 1, BRIEFLY, IN_FULL, SOME_DATA, ALL_DATA };  /* what is printed of a packet; each adds to the one before */

struct listing {                /* all zero at first, but for what is asked for */
    enum listing_level level;
    int lowest, highest;        /* layers */
    bool dump;                  /* the bytes of the frame follow */
    bool coloured;
    struct name colours[APPLICATION_NAMES + 1];         /* SGR parameters, ECMA-48 section 8.3.117, of each layer */
    bool (*printable)(const uint8_t *text, size_t size, struct bytes *out);     /* adds what is not ASCII, made safe; false: it failed */
    struct telling telling;
    struct bytes text;
    int64_t second;             /* the last one whose date was asked for, and that */
    uint8_t date[MOST_LOCAL];
    size_t date_size;
};

/* Adds the lines of a packet, the `number`th. False: there is no memory, or `printable` failed. */
bool listing_add(struct listing *l, const uint8_t *data, const struct packet *p, int64_t number);
void listing_free(struct listing *l);

#endif
