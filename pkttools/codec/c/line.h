/* A packet as one line, see line.c. */
#ifndef PKTTOOLS_LINE_H
#define PKTTOOLS_LINE_H

#include "codec.h"
#include "templates.h"

/* What is painted: by layer, as command_line/colour.py has it, and what is wrong. */
enum line_colour { NO_COLOUR, CAPTURE_COLOUR, LINK_COLOUR, NETWORK_COLOUR, TRANSPORT_COLOUR, APPLICATION_COLOUR, WRONG_COLOUR,
                   UNFINISHED_COLOUR, COLOURS };
enum line_time { ABSOLUTE_TIME, SINCE_FIRST, SINCE_BEFORE, LINE_TIMES };
enum line_end { LINE_DONE, LINE_NO_MEMORY, LINE_ERROR };        /* the last one: of style->offset, which has said it */

enum { LINE_TABLES = 4 };       /* of headers, of items, lines, tests: ../../protocols/lining.py */

struct line_style {
    enum line_time time;
    const char *colour[COLOURS];        /* parameters of SGR; NULL: none */
    bool (*offset)(void *of, int64_t seconds, int64_t *offset); /* seconds that local time is ahead at a time; NULL: it is UTC */
    void *of;
    struct conversations *conversations;        /* of which packets are; NULL: none are followed */
};

struct line_state {             /* from one packet to the next; all zero at first. Times in nanoseconds, `day` and `quarter` of seconds */
    uint64_t number;
    int64_t begun, first, before, day, quarter, offset;
};

bool line_known(void);          /* whether there are tables; without, the other may not be called */
bool line_set(const struct protocol_table tables[LINE_TABLES], bool *sound);  /* false: they are not sound, or there is no memory */
/* Adds the line of a packet, f: without its frame check sequence. told, whole: for many packets; there are templates, too. */
enum line_end line_add(struct bytes *out, struct telling *told, struct bytes *whole, const struct frame *f, const struct packet *p,
                       const struct line_style *style, struct line_state *s);

#endif
