/* Templates of descriptions: what they say of a header of a packet, as text. The tables are those of ../../protocols/showing.py. */
#ifndef PKTTOOLS_TEMPLATES_H
#define PKTTOOLS_TEMPLATES_H

#include "conversations.h"
#include "fields.h"

enum { TEMPLATE_TABLES = 7 };   /* shown, templates, pieces, places, items, words, numbers */
enum shown_layer { CAPTURE_LAYER = 1, LINK_NAMES, NETWORK_NAMES, TRANSPORT_NAMES, APPLICATION_NAMES };
enum payload { NO_PAYLOAD, DATA_ALONE, BEHIND };        /* what a header carries: nothing of its own, its DATA, what is behind its fields */

struct name {                   /* text in the tables */
    const uint8_t *at;
    size_t size;
};

struct shown {                  /* a kind of header */
    struct name title, data;    /* data: what stands in front of its payload */
    enum shown_layer layer;
    int32_t tag;                /* the kind of what is shown in its line, where it stands behind it; -1: none */
    int32_t brief;              /* a template; -1: none */
    uint32_t first, count;      /* templates: of its lines, */
    uint32_t first_line;        /* and of what it says in a line for the whole packet */
    enum payload payload;
    uint32_t behind;
};

struct telling {                /* a packet of which templates tell; all zero at first, one for many packets */
    struct packet_view view;
    int64_t linktype;
    const struct segment *segment;      /* what was seen of its connection; NULL: that is not known */
    bool more;                  /* what 1.16 did not: checksums left to the card are called unfinished, names of values stand beside them */
    bool no_memory;             /* it came to an end; nothing else of it is of use then */
    bool judged, corrected;     /* of this packet, as far as it was asked for */
    enum verdict verdicts[MAX_HEADERS];
    struct bytes right;         /* its bytes with all checksums as they should be */
    uint64_t wrong, unfinished; /* checksums that were told of, of all packets */
};

bool templates_known(void);     /* whether there are tables; without, nothing else of these may be called */
/* False: a table is not sound, or there is no memory. text: behind the last table. */
bool templates_set(const struct field_table *fields, const struct protocol_table tables[TEMPLATE_TABLES], struct name text, bool *sound);
const struct shown *shown_of(unsigned kind);     /* of an item: what it says in a line alone */

/* Begins the next packet: walks, and nothing else yet. f: without its frame check sequence. */
void telling_begin(struct telling *t, const struct frame *f, int64_t original, int64_t linktype);
void telling_free(struct telling *t);
enum verdict telling_verdict(struct telling *t, size_t index);  /* of the checksum of a header; of what is quoted NONE */
/* How many headers behind one are shown in its line. */
size_t tags_behind(const struct walk *w, size_t index);
/* Adds what a template says of a header. False, and nothing is added: it asks for a field that is not there; or there is no memory. */
bool template_tell(struct telling *t, size_t index, size_t template, struct bytes *out);
/* The same of an item. */
bool template_tell_of(struct telling *t, const struct header *item, size_t template, struct bytes *out);

#endif
