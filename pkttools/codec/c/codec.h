/* The C backend: everything here has a twin of the same name under ../python.
 *
 * No I/O, no Python objects (only module/ knows Python), no field names: programs bring their own table of fields.
 * Packet bytes are read through the checked readers below, never by bare indexing; a read past the end gives 0.
 */
#ifndef PKTTOOLS_CODEC_H
#define PKTTOOLS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MAX_FRAME 262144        /* bytes of one packet: libpcap's largest snap length */
#define MAX_SECONDS INT64_C(9223372035) /* the last whole second that int64 nanoseconds hold */
#define MAX_BATCH (2 << 20)     /* bytes a decoder gathers before it hands the batch on */
#define MAX_TEXT (8 << 20)      /* bytes of text that an encoder gathers: with usual rows it stops by MAX_BATCH long before */
#define MAX_LANE ((960 << 10) - 64)     /* bytes of rows and packets that are handed on at once: with a header, a piece that is lent */
#define MAX_HEADERS 32          /* headers the walk follows; what lies deeper is payload */

/* One packet of a batch; the columns of pkttools/batch.py. Times in nanoseconds, sizes in bytes. The link type is in the low 32
 * bits; above them, in eight, is one more than the octets of the frame check sequence that the packet ends in, 0 where they are
 * not known; in five above these one more than what a pcap header counts, where that is not half of the octets.
 */
struct packet {
    int64_t offset, captured, original, time, linktype, notes, notes_size;
};

enum { MAX_FCS = 31, MAX_COUNT = 15 };  /* octets: what captures have room for; and what four bits of a pcap header count */

static inline int64_t link_of(int64_t linktype, int64_t fcs, int64_t count)
{
    return (linktype & UINT32_MAX) | (fcs + 1) << 32 | (2 * count == fcs ? 0 : count + 1) << 40;
}

/* A packet as far as its frame check sequence, which ends what was on the wire: itself where it has none, else `bare`. */
static inline const struct packet *without_fcs(const struct packet *p, struct packet *bare)
{
    if (p->linktype <= UINT32_MAX)
        return p;
    int64_t fcs = (p->linktype >> 32 & 0xFF) - 1, wire = p->original > p->captured ? p->original : p->captured;
    if (fcs > 0)
        wire = wire > fcs ? wire - fcs : 0;
    *bare = *p;
    bare->captured = p->captured < wire ? p->captured : wire;
    bare->original = p->original < wire ? p->original : wire;
    bare->linktype = p->linktype & UINT32_MAX;
    return bare;
}

struct bytes {                  /* a growing buffer */
    uint8_t *at;
    size_t size, room;
    bool held;                  /* memory that belongs to somebody else: it does not grow, and is not given back here */
};

bool bytes_grow(struct bytes *b, size_t more);
void bytes_free(struct bytes *b);
enum { CACHE_LINE = 64 };       /* bytes */
/* As malloc, for what may become large: it begins with a line of the cache, and takes large pages where there are. */
void *memory_for(size_t size);
/* Of a key in a table. Where the table lies is not known to who sends packets: nor is which of them come to the same slot. */
uint64_t hash_of(const void *table, const uint8_t *key, size_t size);

/* Makes room for so many bytes more; whether there is. */
static inline bool bytes_need(struct bytes *b, size_t more)
{
    return more <= b->room - b->size || bytes_grow(b, more);
}

/* Copies octets, one at least, that are mostly few: a number, a word; without a call. */
static inline void copy_few(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {                     /* two that overlap */
        uint64_t first, last;
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + size - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + size - sizeof last, &last, sizeof last);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, from, sizeof first);
        memcpy(&last, from + size - sizeof last, sizeof last);
        memcpy(to, &first, sizeof first);
        memcpy(to + size - sizeof last, &last, sizeof last);
    } else {
        to[0] = from[0];
        to[size / 2] = from[size / 2];
        to[size - 1] = from[size - 1];
    }
}

static inline bool bytes_add(struct bytes *b, const void *from, size_t size)
{
    if (!bytes_need(b, size))
        return false;
    if (size > 0)                               /* or a buffer without memory may be there, which no pointer points into */
        copy_few(b->at + b->size, from, size);
    b->size += size;
    return true;
}

/* What holds by what the code around it says; looked at where sanitizers watch, which define PKTTOOLS_ASSERT. */
#ifdef PKTTOOLS_ASSERT
#define HOLDS(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define HOLDS(condition) ((void)0)
#endif

struct frame {                  /* the captured bytes of one packet, to be read */
    const uint8_t *at;
    size_t size;
};

struct writable_frame {         /* the same, to be written: only correct, update, assign and what they call take one */
    struct frame view;
    uint8_t *at;                /* where the view's bytes are */
};

static inline struct writable_frame writable(uint8_t *at, size_t size)
{
    return (struct writable_frame){{at, size}, at};
}

static inline bool frame_has(const struct frame *f, size_t at, size_t size)
{
    return at <= f->size && size <= f->size - at;
}

/* Bytes that are there, as the caller knows. */
static inline const uint8_t *frame_range(const struct frame *f, size_t at, size_t size)
{
    HOLDS(frame_has(f, at, size));
    (void)size;
    return f->at + at;
}

static inline uint8_t *writable_range(const struct writable_frame *f, size_t at, size_t size)
{
    HOLDS(frame_has(&f->view, at, size));
    (void)size;
    return f->at + at;
}

static inline unsigned get8(const struct frame *f, size_t at)
{
    return frame_has(f, at, 1) ? f->at[at] : 0;
}

static inline unsigned get16(const struct frame *f, size_t at)
{
    return frame_has(f, at, 2) ? (unsigned)f->at[at] << 8 | f->at[at + 1] : 0;
}

static inline uint32_t get32(const struct frame *f, size_t at)
{
    return (uint32_t)get16(f, at) << 16 | get16(f, at + 2);
}

static inline void put8(const struct writable_frame *f, size_t at, unsigned value)
{
    if (frame_has(&f->view, at, 1))
        f->at[at] = (uint8_t)value;
}

static inline void put16(const struct writable_frame *f, size_t at, unsigned value)
{
    if (frame_has(&f->view, at, 2)) {
        f->at[at] = (uint8_t)(value >> 8);
        f->at[at + 1] = (uint8_t)value;
    }
}

/* Divided, towards what is less. */
static inline int64_t floored(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What is left then. */
static inline int64_t remainder_of(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* From one time to another, as far as 64 bits can say it. */
static inline int64_t elapsed(int64_t then, int64_t now)
{
    int64_t passed;
    return __builtin_sub_overflow(now, then, &passed) ? (now > then ? INT64_MAX : INT64_MIN) : passed;
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline uint32_t reversed(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xFF00) | (v & 0xFF00) << 8 | v << 24;
}

/* Integers of capture files, in either byte order. */
static inline unsigned read16(const uint8_t *at, bool big_endian)
{
    return big_endian ? (unsigned)at[0] << 8 | at[1] : (unsigned)at[1] << 8 | at[0];
}

static inline uint32_t read32(const uint8_t *at, bool big_endian)
{
    return big_endian ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
                      : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static inline void write16(uint8_t *at, unsigned value, bool big_endian)
{
    at[big_endian ? 1 : 0] = (uint8_t)value;
    at[big_endian ? 0 : 1] = (uint8_t)(value >> 8);
}

static inline void write32(uint8_t *at, uint32_t value, bool big_endian)
{
    for (int i = 0; i < 4; i++)
        at[big_endian ? 3 - i : i] = (uint8_t)(value >> (8 * i));
}

/* row_tables.c, rows.c */

enum { ROW = 79 };              /* bytes of a canonical row */
enum { NOT_HEX = 0x80, WORD = 0x81 };

extern const char hex_digits[];
extern uint8_t pair_text[256][2];       /* a byte in hex */
extern const uint8_t hex_value[256];    /* of a hex digit; WORD: the letters g to z and _, a slip where data should stand */

/* Reads canonical rows up to the first that is not one, behind one that is not full, at `limit`, or at the end of the text.
 * Returns how many, and in `bytes` how many bytes of `out` they are. `out` has room for 16 bytes a row, and one row more. */
extern size_t (*rows_read)(const uint8_t *text, size_t size, uint8_t *out, size_t limit, size_t *bytes);
/* Writes canonical rows for `size` bytes; gives the place behind them. */
extern uint8_t *(*rows_write)(uint8_t *out, const uint8_t *data, size_t size);
/* Writes lines of 16 bytes as they stand in a row, each behind a label; gives the place behind them. BEYOND bytes behind that may be
 * written to, and as many behind the label read. */
extern uint8_t *(*labelled_write)(uint8_t *out, const uint8_t *label, size_t label_size, const uint8_t *data, size_t size);

enum { LABELLED = 51, BEYOND = 64 };    /* bytes of such a line behind its label */

void rows_prepare(void);        /* once, before anything else of rows and text */

enum row_code { PORTABLE, SSSE3, AVX512, WIDEST = AVX512 };     /* which code reads and writes rows */

enum row_code rows_use(enum row_code wanted);   /* for tests of all ways; gives what is used: what the processor has */

#define HEX_DIGITS "0123456789abcdef"

static inline uint8_t shown(uint8_t c)
{
    return c >= 0x20 && c <= 0x7E ? c : '.';
}

/* The table of fields */

struct field {                  /* a field in one kind of header, of the field table; see pkttools/protocols/__init__.py */
    uint16_t header, bit, width, bias, scale, kind, shapes, next;
};

struct field_table {            /* what there is of all fields, see pkttools/protocols/__init__.py */
    const struct field *fields;
    size_t count;
    const struct trait { uint8_t form, holds; uint16_t names; } *traits;    /* one a field */
    const char *names;          /* a line each, in the same order; an empty one is the first */
    size_t names_size;
};

/* table.c */

bool fields_known(void);        /* whether there is a table; without, nothing of lines.c, json.c and columns.c may be called */
bool fields_set(const struct field_table *table, bool *sound);  /* false: it is not sound, or there is no memory */

/* lines.c */

enum which_fields { NO_FIELDS, FIELDS_OF_1_16, ALL_FIELDS };
enum { DECIMAL = 4 };           /* with either of them */

struct lines {                  /* the lines of the packets of a batch, and what is needed in between; all zero at first */
    struct bytes text, items, counts;
    size_t count;               /* of lines */
    bool decimal;               /* numbers are, and not hexadecimal */
};

bool lines_add(struct lines *l, const struct frame *f, int64_t linktype, enum which_fields which);     /* false: no memory */
void lines_free(struct lines *l);

/* json.c */

struct json {                   /* the lines of the packets of a batch, and what is needed in between; all zero at first */
    struct bytes text, entries, objects, slots;
    uint32_t packet, stamp;     /* of the packet in hand; the last one given */
    int32_t header_begin;       /* the first object of the header in hand */
};

bool json_add(struct json *j, const uint8_t *data, const struct packet *p, int64_t number);     /* false: no memory */
void json_free(struct json *j);

/* columns.c */

enum cells { CELLS_PLAIN, CELLS_CSV, CELLS_JSON };      /* how cells are written */

struct columns {
    const struct column { int64_t what, occurrence, list; } *columns;   /* a field, by the first row of its name, or a fact of the packet; */
    size_t count;               /* of columns.            which of several, 0: all; whether those are always a list, in JSON */
    const uint8_t *before;      /* what stands before each cell, and behind the last one, each with a zero at its end */
    size_t before_size;
    enum cells style;
    struct bytes text;          /* the lines; what follows is needed in between. All zero at first */
    struct bytes found, slots, wanted, kinds, names, of_column;
    bool items, all;            /* options are asked for; headers that say nothing of what follows are, too */
};

bool columns_known(const struct columns *c);    /* whether there is what they ask for; and whether they can be written, too */
bool columns_sound(const struct columns *c);
bool columns_begin(struct columns *c);          /* once, of sound ones; these give false where there is no memory */
bool columns_add(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number);
/* The key of a packet, as `text`: octets that compare as its values do, the first column's first; `list` of a column turns it round. */
bool columns_key(struct columns *c, const uint8_t *data, const struct packet *p, int64_t number);
void columns_free(struct columns *c);

/* order.c: a key is a packet's by standing behind its notes: 32 bits that say its size, and so many octets */

enum { KEY_HEAD = 4 };          /* bytes of what says the size */

struct sort_key {
    const uint8_t *at;
    size_t size;
};

struct sort_key sort_key_of(const uint8_t *data, size_t size, const struct packet *p);    /* one that is not wholly there is empty */
int sort_key_order(struct sort_key a, struct sort_key b);      /* below zero: the first one is less */
bool bytes_add_key(struct bytes *b, struct sort_key key);    /* in front of it its size */
/* Sorts rows, equal ones staying as they were; sorted: whether they were in order. False: no memory. */
bool sort_rows(struct packet *p, size_t count, const uint8_t *data, size_t size, bool keyed, bool *sorted);

/* settings.c: field lines that say something else than the packet's bytes */

struct field_line {             /* NAME.FIELD: value, in a packet; offsets into the text */
    size_t name, name_size, value, value_size;
    int64_t line, row;          /* row: of its field; not known at first */
};

struct settings {               /* the lines of a packet, and what is needed in between; all zero at first */
    struct bytes lines, values, seen;   /* struct field_line; bytes; how often each field came, in this packet */
};

bool names_known(void);         /* whether there are names of fields; without, no line says anything */
/* Fields by name. renamed: how many old names will be told. named: the number that a word is, of so many-th names of values; NULL: there
 * are no words. False: the table is not sound, or there is no memory. */
bool names_set(const struct field_table *table, size_t renamed, bool (*named)(unsigned names, const uint8_t *word, size_t size, uint64_t *number),
               bool *sound);
void name_add(const char *was, size_t was_size, const char *now, size_t now_size);
enum set { ALL_SET, WRONG_LINE, WITHOUT_ROOM };
/* Sets what the lines say, in their order. wrong: the first one that nothing can be set by; what others set is of no use then. */
enum set settings_apply(struct settings *s, const struct writable_frame *f, int64_t linktype, const uint8_t *text,
                        const struct field_line **wrong, int64_t *unplaced, int64_t *cut);
void settings_free(struct settings *s);

/* text.c */

enum error_kind {               /* the words are in ../../errors.py, for both backends */
    NO_ERROR, NO_MEMORY, BAD_HEX, BAD_TIME, BAD_SIZE, BAD_LINKTYPE, TOO_LONG, NOT_ENDED, NO_END,
    NO_BLANK, ODD_HEX, NO_COLON, INDENTED,
    RECORD_TOO_LONG, RECORD_CUT, HEADER_CUT, BLOCK_SHORT, BLOCK_UNALIGNED, BLOCK_LONG, BLOCK_TRAILER, PAST_BLOCK,
    NO_INTERFACE, BAD_TRAILER, NOT_TEXT,
    ANOTHER_CAPTURE,            /* no error: here begins another file's header */
    BAD_INTERFACE,              /* of the caller: never reported */
    BAD_FIELD
};

struct text_decoder {
    int64_t linktype, line, now;        /* in and out */
    bool (*ready)(void);        /* asks for the table of fields where there is none yet; NULL: then there is none */
    bool (*names_ready)(void);  /* the same for their names */
    struct bytes data, packets; /* out: bytes, struct packet */
    size_t consumed;
    int64_t stray, shortened, filled;   /* lines of packets outside of packets; packets with more bytes than SIZE says; with fewer */
    int64_t unplaced, cut;              /* field lines without a place in their packet; values longer than their field */
    enum error_kind error;
    int64_t error_line;
    size_t word, word_size;             /* what the error is about, in the text; or a number in `word` */
    struct lines lines;                 /* those of a packet's fields, to compare with */
    enum which_fields which;            /* which ones were there last */
    struct settings settings;           /* what other field lines say */
};

void text_decode(struct text_decoder *d, const uint8_t *text, size_t size, bool final);

struct text_style {
    size_t width;               /* bytes a line */
    bool data_only;
};

struct extra {                  /* lines to add to one packet, after its bytes */
    const uint8_t *at;
    size_t size;
};

/* Bytes that a packet's text has at most, with `extra` bytes of lines. In 64 bits: notes may have all that a size_t can say. */
uint64_t text_room(const struct packet *p, const struct text_style *style, size_t extra);
size_t text_encode(uint8_t *out, const uint8_t *data, const struct packet *p, int64_t number,
                   const struct text_style *style, const struct extra *extra);

/* lane.c */

#define LANE_MARK "\0packet batches\n" /* what stands in front of packets that are handed on; no line of text begins with its first byte */

static inline bool is_lane_mark(const uint8_t *line, size_t size)
{
    return size == sizeof LANE_MARK - 2 && line[0] == 0 && memcmp(line, LANE_MARK, size) == 0;
}

/* How many packets are handed on together, from the first on: of one link type, such as text can say, up to MAX_LANE; and the bytes
 * that takes. */
size_t lane_count(const uint8_t *data, const struct packet *p, size_t count, size_t *size);
/* Whether they lie one behind the other, RECORD bytes apart, with room for their rows in front of them, and `front` bytes more. */
bool lane_stands(const struct packet *p, size_t count, size_t front);
void lane_encode_rows(uint8_t *out, const struct packet *p, size_t count);
void lane_encode(uint8_t *out, const uint8_t *data, const struct packet *p, size_t count);      /* rows and packets */
/* Where the packets lie in what was read of them, from `start` up to `stop`, goes into their rows, and their link type. Returns how
 * many are sound, up to the first that is not; adds the lines that they would be as text. */
size_t lane_decode(struct packet *p, size_t count, const uint8_t *data, size_t start, size_t stop, int64_t linktype, int64_t *lines);

/* pcap.c */

enum lengths { IN_ORDER, IN_ORDER_OR_SWAPPED, SWAPPED };        /* captured, then original: before version 2.3 the other way */

struct pcap_format {
    bool big_endian, nano;
    size_t header;              /* bytes of a record's header: 16, or 24 in Kuznetzov's variant */
    enum lengths lengths;
};

enum { BEGINNING = 16 };        /* bytes that tell the beginning of a capture from anything else */
enum { RECORD = 16 };           /* bytes in front of those of a packet, as we write them */

bool pcap_magic(const uint8_t *at, bool *big_endian);
bool begins_pcap(const uint8_t *at);

struct pcap_decoder {
    struct bytes packets;       /* out; offsets are into the input */
    size_t consumed;            /* bytes of that; what is in front of it is not looked at */
    enum error_kind error;
    uint64_t have, want;        /* what the error is about */
};

void pcap_decode(struct pcap_decoder *d, const uint8_t *in, size_t size, bool final,
                 const struct pcap_format *format, int64_t linktype);
size_t pcap_border(const uint8_t *in, size_t size, const struct pcap_format *format, size_t most, int64_t since);
bool pcap_fits(const struct packet *p);
bool pcap_stands(const uint8_t *data, const struct packet *p, const struct pcap_format *format);
size_t pcap_encode(uint8_t *out, const uint8_t *data, const struct packet *p, const struct pcap_format *format);

/* pcapng.c */

struct interface {              /* see INTERFACE_COLUMNS in pkttools/blocks.py */
    int64_t linktype, snaplen, resolution, time_offset, name, name_size;
};

struct pcapng_section {         /* what the packets of a section refer to */
    bool big_endian;
    const struct interface *interfaces;
    size_t count;
    const uint8_t *names;       /* their lines `IFACE: name` */
    size_t names_size;
    bool keep;                  /* whether what text has no place for becomes lines of ours: options, and that there is no time */
};

struct pcapng_decoder {
    struct bytes data, packets; /* out */
    size_t consumed;
    int64_t capped, rounded, timeless;  /* times out of range; with digits below a nanosecond; missing */
    int64_t damaged, options;   /* lists of options that run past their block; options that text has no place for */
    enum error_kind error;
    uint64_t have, want;        /* what the error is about */
};

void pcapng_decode(struct pcapng_decoder *d, const uint8_t *in, size_t size, const struct pcapng_section *section);

/* Options as they were read: those too that are not for another file; or only those that are known, from the other byte order. */
enum keeps { KEEPS_NONE, KEEPS_SOME, KEEPS_ALL, KEEPS_TURNED };

struct pcapng_format {
    bool big_endian, nano;
    uint32_t interface;
    uint64_t snaplen;           /* bytes that a packet of the interface has at most */
    uint32_t flags;             /* that each packet has besides its own */
    enum keeps keeps;
};

struct pcapng_counts {
    int64_t lost, outdated;     /* lines that could not be written; options that hold no more */
    int64_t timed;              /* packets without a time that had to get one: 0 */
};

struct pcapng_known {           /* an interface that is described */
    const uint8_t *notes;       /* of one of its packets */
    size_t notes_size;
    int64_t linktype;
    struct pcapng_format format;
};

/* The one of some interfaces that a packet belongs to, if it can be written there; else NULL. */
const struct pcapng_known *pcapng_known_of(const uint8_t *data, const struct packet *p, const struct pcapng_known *known, size_t count);
uint64_t pcapng_room(const struct packet *p);  /* bytes of its block, at most */
size_t pcapng_encode(uint8_t *out, const uint8_t *data, const struct packet *p, const struct pcapng_format *format,
                     struct pcapng_counts *counts);

/* headers.c */

enum { UNKNOWN };               /* the kind of header that a frame is of which nothing is known; the tables number all others */

enum exception {                /* what tables cannot say of a header, see exceptions.c; of pkttools/protocols/walking.py */
    NO_EXCEPTION, COOKED_TAGS, PADDED, ROUTE, FRAGMENT_HEADER, SEAL, SEGMENTS, DATAGRAM_4, DATAGRAM_6, EXCEPTIONS
};

/* start <= data <= end <= frame.size, and each header starts behind the start of the one before: `walk` sees to it. */
struct header {
    uint16_t kind, exception;   /* by the tables, or of items; enum exception */
    uint32_t start;             /* offset in the frame */
    uint32_t data;              /* where bytes that no deeper header claims begin */
    uint32_t end;               /* where this header's own bytes and its data end */
};

struct walk {
    struct header header[MAX_HEADERS];
    size_t count;
    size_t quoted, resumed;     /* the first header of a packet that an error message quotes, MAX_HEADERS: there is none; the first
                                 * one behind it, that is no part of that packet */
    size_t quote_end;           /* where what is quoted ends in the frame */
    bool partial;               /* an IP header or an inner frame was announced, but not captured, or lies too deep */
    uint64_t beyond;            /* what is not followed: a number, behind 32 bits what numbers; of none: a limit; 0: nothing */
};

bool extends(unsigned kind);
bool is_extension(unsigned protocol);
bool is_idle(int64_t kind);
bool is_tunnel(unsigned kind);
bool is_tag_header(unsigned kind);
bool link_announces(const struct frame *f, const struct header *h);
bool has_rule(unsigned kind);
bool known_link(int64_t linktype);
void walk(struct walk *w, const struct frame *f, int64_t linktype);
void walk_busy(struct walk *w, const struct frame *f, int64_t linktype);
void walk_front(struct walk *w, const struct frame *f, int64_t linktype, size_t most);
bool leads_surely(const struct walk *w, const struct frame *f, int64_t linktype, size_t last);
bool stands_there(const struct header *last, const struct frame *f);
void leave_out_quoted(struct walk *w);

static inline bool is_quoted(const struct walk *w, size_t index)
{
    return index >= w->quoted && index < w->resumed;
}
void walk_own(struct walk *w, const struct frame *f, int64_t linktype);

/* lists.c */

enum { FIRST_ITEM = 16384 };    /* kinds of items of lists, such as options: from here on; the walk finds none */
enum { MAX_INSIDE = 4 };        /* items in items that are looked into; what lies deeper is the value of its item */

struct list;

struct items {                  /* where one is in the items of a packet */
    const struct frame *frame;
    const struct walk *walk;
    size_t index, hold;         /* in which header; the next of what kinds hold */
    const struct list *list, *following;        /* of the item in hand, and of the next one; NULL: none is begun */
    size_t at, end, next, limit;        /* of the item in hand; where the next one begins, and the list ends */
    size_t row, stop, piece, passed, pieces;    /* which comes next of what it may be, and where that ends; of that one, pieces */
    uint32_t type;
    bool last, other;           /* nothing is read behind it; it has no kind by its type */
    struct { const struct list *list; size_t next, limit; } outer[MAX_INSIDE];   /* of those that what is in hand lies in */
    size_t depth;
};

/* Before the first one. Most packets have none: what is known of a list is set where one begins. */
static inline struct items items_of(const struct frame *f, const struct walk *w)
{
    struct items s;
    s.frame = f;
    s.walk = w;
    s.index = s.hold = 0;
    s.list = NULL;
    return s;
}

bool next_item(struct items *items, struct header *found);

/* signatures.c */

struct untold {                 /* what a command that acts has to say of a packet, as codes; 0: nothing */
    uint64_t beyond, signature; /* what is not followed, see struct walk; what authenticates it, and does not follow */
};

struct changed {                /* what was changed in a packet: the byte behind it; of what may change on the way, too, such as checksums */
    size_t end, mutable_end;
    size_t cut;                 /* values of which only what the field has room for was set */
    size_t unfit;               /* those that it cannot hold, and that were left alone */
};

uint64_t signature_of(const struct frame *f, const struct walk *w, const struct changed *c);

/* protocols.c */

enum { TABLES = 12 };           /* reads, tests, terms, kinds, rules, spaces, entries, sums, lists, items, holds, signatures: ...protocols/walking.py */

struct protocol_table {         /* rows of int64s, one behind the other */
    const int64_t *at;
    size_t count;               /* of int64s */
};

struct fault {                  /* what is wrong with tables: row -1 is the whole one, table -1 nothing, or memory */
    int64_t table, row, column;
};

size_t protocols_kinds(void);   /* how many kinds of headers there are */
bool protocols_known(void);     /* whether there are tables; without, nothing that walks may be called */

/* Whether rows from `first` on, so many, are rows of a table. */
static inline bool run_sound(int64_t first, int64_t count, size_t rows)
{
    return first >= 0 && count >= 0 && (uint64_t)first <= rows && (uint64_t)count <= rows - (uint64_t)first;
}

bool protocols_set(const struct protocol_table tables[TABLES], struct fault *fault);
void protocols_reset(void);
void protocols_slow(void);

/* program.c */

struct test {
    int64_t field, occurrence, compare, high, low, mask_high, mask_low, constant, size, other, other_occurrence, yes, no;
};

struct assignment {
    int64_t operation, field, occurrence, exact, high, low, constant, size, other, other_occurrence;
};

struct program {
    const struct field *fields;
    size_t field_count;
    const int64_t *code;
    size_t code_count;          /* in int64s */
    const uint8_t *constants;
    size_t constants_size;
    bool all;                   /* it asks for idle headers, or for items, which may lie in such; of one that is sound */
    bool known;                 /* its fields were found sound before */
};

enum { OF_TIME = -8, OF_SIZE, OF_CAPTURED, OF_NUMBER, OF_IFACE, OF_WAY, OF_NOTE };   /* asked in the place of a field */

const char *note_word(int64_t fact);            /* what lines of notes begin with that say a fact; NULL: it is none that they say */
bool note_said(const struct frame *notes, size_t *at, const char *word, struct frame *found);
/* The same of the k-th such line, or from the end when negative; whether it is there. */
bool note_at(const struct frame *notes, const char *word, int64_t occurrence, struct frame *found);
bool fields_sound(const struct field *fields, size_t count);
bool tests_sound(struct program *program);
bool assignments_sound(struct program *program);
bool matches(const struct program *tests, const struct frame *f, const struct packet *p, const struct packet *whole,
             const uint8_t *data, int64_t number, const struct walk *busy);
size_t assignment_count(const struct program *assignments);
size_t series_count(const struct program *assignments);
struct value;
struct untold assign(const struct program *assignments, const struct writable_frame *f, int64_t linktype, size_t *placed, size_t *cut,
                     const struct value *series, size_t most);
bool assign_field(const struct program *assignments, const struct assignment *a, const struct writable_frame *f, int64_t linktype,
                  struct walk *w, bool more, struct changed *changed);
bool place_value(const struct writable_frame *f, size_t bit, size_t width, uint64_t value);

/* bpf.c */

bool bpf_sound(const uint8_t *program, size_t size);
uint32_t bpf_run(const uint8_t *program, const struct frame *f, uint32_t wire);

/* message.c */

enum outcome { CORRECTED, TRUNCATED, FRAGMENT, MALFORMED, OBSCURE, WRONG, UNFINISHED, OUTCOMES };

struct packet_view {            /* a packet and its headers */
    struct frame frame;
    int64_t original;           /* its size on the wire */
    struct walk walk;
};

struct packet_edit {            /* a packet that is changed: what it is by now, and where to write */
    struct packet_view view;
    bool resized;               /* a length is another one */
    struct writable_frame frame;
    int64_t linktype;
};

struct message {                /* what an IP header carries; small, since one is made of every packet */
    size_t at, size;            /* size by the IP header; it may go past the captured bytes */
    uint32_t source, destination;   /* where the addresses of the pseudo-header stand */
    uint32_t head;              /* where the first `shared` bytes of the destination stand instead, RFC 6554 */
    uint8_t shared, protocol;
    bool v6;
    bool obscure;               /* the last address of its route is not known */
    bool sealed;                /* it is authenticated, with what covers the addresses */
    /* By the rules of descriptions, see sums.c: */
    bool unknown;               /* whether it has a checksum */
    bool summed, pseudo, other; /* it has one; the sum has a pseudo-header; some compute it otherwise */
    uint8_t place, bytes;       /* where in the message the checksum stands; its bytes, 2 or 4 of a CRC */
    size_t covered, length;     /* bytes of the message that it covers; what the pseudo-header says */
    const struct sum_rule *rule;
};

size_t wire_end(const struct packet_view *p, size_t index);
enum outcome missing(const struct packet_view *p);
static inline bool within(const struct packet_view *p, size_t at, size_t size)
{
    return frame_has(&p->frame, at, size);
}

/* Whether a header carries a message that may have a checksum. */
static inline bool carries_message(const struct header *h)
{
    return h->exception >= DATAGRAM_4;
}

uint64_t pseudo_words(const struct frame *f, const struct message *m);

/* exceptions.c */

struct named {                  /* where an IP header says what it carries; and where the names of its ends begin */
    size_t carried, ends;
};

enum outcome message_of(const struct packet_view *p, size_t index, struct message *m);
struct plain_sums {             /* of a datagram and its message: which are right beyond doubt; all that a wrong message covers, 0: not known */
    bool header, message;
    uint64_t rest;
};

bool right_plainly(const struct packet_view *p, size_t index, struct plain_sums *sums);
bool plain_message(const struct packet_view *p, size_t index, struct message *m);
bool is_nothing(const struct message *m);
unsigned extension_next(const struct frame *f, const struct header *h);
unsigned fragment_offset(const struct packet_view *p, size_t index);
struct named named_by(const struct header *h);
size_t datagram_head(const struct frame *f, const struct header *h);
size_t datagram_said(const struct frame *f, const struct header *h);
size_t datagram_size(const struct frame *f, const struct header *h);
bool datagram_sound(const struct frame *f, const struct header *h);
void set_jumbo(const struct packet_edit *e, const struct header *h, size_t size);
size_t oversize_header(const struct frame *f, const struct header *h);
size_t leave_oversize(const struct writable_frame *head, const struct header *h);
size_t size_apart(const struct frame *f, const struct header *h);       /* of a datagram, by an option; 0: there is none */
bool size_apart_legal(size_t size);

/* words.c */

bool words_use(bool widest);    /* vectors for sums of many bytes, for tests of all ways; gives whether the widest are used */

/* checksum.c */

enum verdict { NONE, RIGHT, BAD, UNCERTAIN, LEFT };  /* of a header's checksum */

struct checksum {
    size_t at, size;            /* where it stands, and its bytes: 2, or 4 of a CRC; size 0: there is none */
    uint32_t value;             /* what should stand there */
    uint32_t also;              /* what some write, which is taken for right */
};

void checksum_prepare(void);    /* once, before anything else of these */
uint32_t sum(const uint8_t *at, size_t size);
unsigned fold(uint64_t total);
uint32_t message_sum(const struct frame *f, const struct message *m);
struct checksum header_checksum(const struct packet_view *p, size_t index);
void message_value(const struct frame *f, const struct message *m, struct checksum *c);
unsigned card_seed(const struct frame *f, const struct message *m);
bool left_to_card(const struct frame *f, const struct message *m);
unsigned card_value(const struct frame *f, const struct message *m);
uint64_t finishing_sum(const struct frame *f, const struct message *m, const struct checksum *left);
enum verdict judged(const struct frame *f, const struct checksum *c);
enum verdict message_judged(const struct frame *f, const struct message *m, const struct checksum *c);
bool made_otherwise(const struct packet_view *p, const struct message *m);
void other_reading(struct message *m);
bool is_missing(const struct frame *f, const struct message *m);
bool was_not_sent(const struct frame *f, const struct message *m);
unsigned written(const struct message *m, unsigned value);
static inline uint32_t checksum_read(const struct frame *f, const struct checksum *c)
{
    return c->size == 4 ? get32(f, c->at) : get16(f, c->at);
}
void checksum_write(const struct writable_frame *f, const struct checksum *c);

/* sums.c: who has a checksum, and what it covers; correction.c, soundness.c and update.c go by it */

bool covering(const struct frame *f, struct message *m);
bool sum_said(const struct packet_view *p, size_t index);
enum outcome message_checksum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c);
enum outcome sum_of(const struct packet_view *p, size_t index, struct message *m, struct checksum *c);
enum outcome sum_verdict(const struct packet_view *p, size_t index, struct message *m, struct checksum *left, enum verdict *verdict);

/* lengths.c */

enum { FCS = 4 };               /* octets of a frame check sequence: IEEE 802.3 clause 3.2.9 */

uint32_t frame_crc(const uint8_t *at, size_t size);  /* CRC-32 of IEEE 802.3 clause 3.2.9, sent least significant byte first */

bool has_fcs(const struct frame *f, size_t start, size_t end, size_t head);

enum doubt { SURE, SHORTER, LONGER };           /* whether bytes behind a datagram, not known to be any, were taken for payload */

bool correct_lengths(struct packet_edit *e, enum doubt *doubt);

/* correction.c */

enum correction { ALL, LENGTHS, TRANSPORT };    /* checksums; lengths too; only what the kernel leaves to the card */

struct corrected {                 /* what was found in a packet, and corrected */
    bool wrong, unfinished;
    enum doubt doubt;
    struct untold untold;
};

enum outcome correct(const struct writable_frame *f, int64_t original, int64_t linktype, enum correction what, size_t outer,
                     struct corrected *corrected);

/* soundness.c */

/* Copies the packets whose outcome has a 1 in `passes`; gives how many. There is room for all of them. */
size_t pick(const struct packet *packets, const uint8_t *outcomes, size_t count, const uint8_t passes[256], struct packet *picked);
enum outcome check(const struct frame *f, int64_t original, int64_t linktype, uint64_t *beyond);
enum outcome check_view(const struct packet_view *p, int64_t linktype);
void verify(const struct packet_view *p, enum verdict verdicts[MAX_HEADERS]);

/* update.c */

struct followed {               /* whether a checksum could not follow: it needs bytes that are not there; it is not known */
    bool stale, unknown;
};

struct followed update(const struct frame *before, const struct writable_frame *after, int64_t original, int64_t linktype);

/* gather.c */

struct gathered {               /* packets that are made: their bytes, each with its lines behind it, and rows */
    struct bytes data, rows;
};

struct gathered_record {        /* what a capture has in front of a packet, where it stands among those bytes */
    size_t at;
    bool big_endian;
};

bool gather_row(struct gathered *g, const struct packet *p);    /* of a packet whose bytes are there; these report want of memory */
bool gather(struct gathered *g, const uint8_t *data, const struct packet *p);
bool gather_lines(struct gathered *g, const uint8_t *notes, size_t size, bool first, struct packet *made);
bool is_record(const uint8_t *data, const struct packet *p, bool *big_endian);
bool gather_record(struct gathered *g, const uint8_t *data, const struct packet *p, struct gathered_record *record);
void gather_lengths(struct gathered *g, const struct gathered_record *record, const struct packet *p);
void gathered_free(struct gathered *g);

/* grouping.c */

/* Rows in the order of their numbers, and of each number: itself, and how many rows have it, in 64 bits each. False: no memory. */
bool group_rows(const struct packet *rows, const int64_t *numbers, size_t count, struct packet *out, struct bytes *groups);
/* Copies packets, each with its lines behind it, and its key where they are `keyed`, and in front of it a record of pcap, into memory
 * that does not grow; gives the first one that there was no room for. */
size_t gather_rows(const uint8_t *data, size_t size, const struct packet *rows, size_t first, size_t count, bool keyed, struct gathered *g);

/* datagram.c: what fragmentation has to know of datagrams, and tables cannot say */

#define TIMEOUT UINT64_C(30000000000)   /* nanoseconds of packet time between fragments, as in Linux (net.ipv4.ipfrag_time) */

struct layer {                  /* a kind of header, and its occurrence in a packet: 1 is the first, -1 the last; UNKNOWN: the outermost datagram */
    int64_t kind, occurrence;
};

struct datagram {
    size_t index;               /* of its header among those of the packet */
    size_t start, head;         /* where its header begins, and where what all fragments share of it ends */
    size_t payload, end;        /* what can be divided */
    size_t before;              /* the place of the number that announces the fragment header, or would */
    size_t offset;              /* of the payload, in bytes */
    uint32_t id;                /* of the fragment */
    uint8_t protocol;           /* of the payload */
    bool v6, is_fragment, more, dont;   /* more: others follow; dont: it must not be divided */
};

enum { FRAGMENT_SIZE = 8 };     /* bytes by which the header of a fragment may be longer than that of the whole */
enum { LENGTH_END = 4 };        /* where what follows another length may end: a signature in front of it that covers it does not follow */

bool layer_sound(const struct layer *layer);
bool chosen(const struct walk *w, const struct layer *layer, size_t *index);
bool outermost(const struct walk *w, size_t *index);
bool has_fragment(const struct packet_view *p);
bool datagram_of(const struct packet_view *p, size_t index, struct datagram *d);
size_t datagram_names(const struct packet_view *p, const struct datagram *d, uint8_t out[48]);
unsigned datagram_id(const struct frame *f, const struct header *h);
void renumber(const struct writable_frame *f, const struct header *h, size_t by);
size_t fragment_room(const struct datagram *d, size_t mtu);
size_t fragment_head(uint8_t *out, const struct packet_view *p, const struct datagram *d, size_t at, size_t size, bool more, uint32_t id);
size_t whole_head(uint8_t *out, const struct packet_view *p, const struct datagram *d, size_t size);

/* around.c */

struct kind;

struct around {                 /* what is around the datagram of a frame */
    size_t count;               /* headers in front of it */
    bool plain;                 /* no checksums are there */
    size_t lengths;
    struct around_length {      /* of a kind of header that says where it ends: where it begins, and that end */
        const struct kind *kind;
        size_t start;
        int64_t end;
    } length[MAX_HEADERS];
    size_t tail_at;             /* a trailer stands here, up to the end of the frame; else that is here */
};

void around_of(const struct packet_view *p, size_t index, struct around *a);
bool around_lengths(const struct around *a, const struct writable_frame *made, size_t end);
bool around_fit(const struct around *a, const struct writable_frame *made, size_t end, int64_t linktype);

/* fragments.c */

enum left_whole { UNUSABLE, NO_SUCH_HEADER, MUST_NOT, NO_ROOM, LEFT_WHOLE };    /* why a packet above the MTU was not divided */

struct fragmentation {
    size_t mtu4, mtu6;          /* bytes of a packet of IPv4, of IPv6 */
    bool force;                 /* divides what says that it must not be, too */
    uint32_t id;                /* of the next datagram of IPv6 that is divided; in and out */
    struct layer layer;
    size_t left[LEFT_WHOLE];    /* out: packets */
};

bool divisible(struct fragmentation *how, const struct packet_view *p, struct datagram *d);
bool divide(struct fragmentation *how, const struct packet_view *p, const struct datagram *d, const uint8_t *data,
            const struct packet *row, struct gathered *out);

/* reassembly.c */

enum left_apart { INCOMPLETE, FULL_MEMORY, OVERLAPPING, BAD_FRAGMENT, ELSEWHERE_APART, LEFT_APART };    /* why fragments were left as they came */

struct apart {                  /* a field by which networks are told apart; a value below `least` says nothing */
    int64_t header, bit, width, least;
};

struct datagrams {              /* those of which some fragments have come, and what became of the others */
    uint64_t memory, held;      /* bytes: what may be held, and what is */
    struct layer layer;
    struct apart *apart;
    size_t apart_count;
    int64_t clock;              /* the latest time of a packet */
    struct open **buckets, *oldest, *newest;
    size_t room, count;         /* of buckets; of datagrams */
    struct bytes key;           /* of the one in hand */
    uint64_t reassembled, repeated, left[LEFT_APART];   /* datagrams; fragments */
    uint64_t signature;         /* of the last packet: of what was made of it, if one does not follow */
};

bool reassembly_begin(struct datagrams *t, const struct apart *apart, size_t count);   /* false: no memory, as of the others */
void reassembly_end(struct datagrams *t);
/* Whether a packet passes, and nothing else does before it. Then its time is noted, and nothing else is to be done. */
bool reassembly_idle(struct datagrams *t, const struct packet_view *p, int64_t time);
bool reassemble(struct datagrams *t, const struct packet_view *p, const uint8_t *data, const struct packet *row, struct gathered *out);
bool reassemble_rest(struct datagrams *t, struct gathered *out);        /* gives up the one that has waited longest */

/* answers.c */

struct edit {                   /* bits of the first header of a kind: what those of another one hold, at the bit `value`, or, from -1, that */
    int64_t kind, bit, width, from, value;
};

struct answer_rule {            /* for requests whose message is a header of a kind */
    int64_t kind;
    struct program tests;       /* hold of the request */
    const struct edit *edits, *unlike;  /* made in the answer; of these no two are the same */
    size_t edits_count, unlike_count;
    int64_t end;                /* bytes from the start of the message on; 0: as many as the request has */
};

struct answering {
    struct answer_rule *rules;
    size_t count;
};

bool edits_sound(const struct edit *edits, size_t count);
bool answer(const struct answering *a, const struct packet_view *p, const struct walk *busy, const uint8_t *data, const struct packet *row,
            struct gathered *out);

/* bridge.c */

enum learning { KNOWN, LEARNT, MOVED, FULL, FAILED };   /* whether a station is new, at another port, or has no room */
enum { TO_NOBODY = -1, TO_ALL = -2, TO_ERROR = -3 };    /* where a frame goes, if not to one port */
enum { FORWARD_FLOODED, FORWARD_FILTERED, FORWARD_RESERVED, FORWARD_SHORT, FORWARD_MOVED, FORWARD_FULL, FORWARD_COUNTS };

struct stations {               /* who is where: `of` is what the functions are told */
    void *of;
    int (*find)(void *of, const uint8_t *mac);                  /* a port, TO_ALL or TO_ERROR */
    enum learning (*learn)(void *of, const uint8_t *mac);       /* that it is at the port where frames come from */
};

/* Learns the sources of frames that came from a port, and finds where each of them goes. False: a function failed. */
bool forward(const uint8_t *data, const struct packet *packets, size_t count, int source, const struct stations *stations,
             int *out, int64_t counts[FORWARD_COUNTS]);

/* messages.c: what messages of applications say, in a line */

enum reader {                   /* those of READERS in ../../protocols/model.py, in that order */
    READ_DNS, READ_DNS_TCP, READ_DHCP, READ_DHCPV6, READ_TLS, READ_QUIC, READ_HTTP, READ_SIP, READ_NTP, READ_MEDIA, READ_STREAM, READ_ARP,
    READERS
};
enum { MOST_TOLD = 1024 };      /* bytes */

/* Writes what the message at `at` says, which ends at `end` with what carries it: printable ASCII, at most MOST_TOLD bytes, for which
 * there is room. Gives how many; 0: it does not look like such a message. */
size_t tell(enum reader which, const struct frame *f, size_t at, size_t end, uint8_t *out);

/* stamps.c */

struct arrivals {               /* different numbers that came, late ones, those that came again, too late to tell; numbers */
    int64_t came, late, again, beyond, first, highest;
};

/* Finds the stamps in packets, a mark and three numbers: the first of each, and by how much a packet came later than the time that
 * the others are, in nanoseconds. last: where the last one stood in its packet, as a guess. Gives how many there are. */
size_t stamps_find(const uint8_t *data, const struct packet *packets, size_t count, uint32_t mark, size_t *last, uint32_t *numbers,
                   int64_t *delays);
/* Follows the numbers of packets as they come in. seen: which of the last `window` came. */
void arrivals_add(struct arrivals *a, uint8_t *seen, size_t window, const uint32_t *numbers, size_t count);

/* runs.c */

struct sequence {               /* packets in the order in which they are to stay, as they came up to now */
    const uint8_t *data;
    size_t data_size;
    const struct packet *packets;
    size_t size, at;            /* how many of these, and which of them is next */
    int64_t last;               /* time of the last one that came, if `begun` */
    bool begun, ended;
    struct bytes line;          /* the line IFACE that packets without one are given; empty: none is */
    uint64_t line_round;        /* of the output in which that line stands, at `line_at` */
    size_t line_at;
};

struct runs {                   /* runs that are merged by time, at equal times in their order */
    struct sequence *run;
    size_t count, waiting, live;        /* how many there are; wait for their next packets; have some */
    size_t *heap;               /* those that have some: the first one is next, two others stand behind each */
    uint64_t round;             /* how many outputs were begun */
    bool keyed;                 /* they are merged by keys instead, which go along */
};

enum merged { MERGED_EMPTY, MERGED_ENDED, MERGED_FULL, MERGED_NO_MEMORY };

bool runs_begin(struct runs *r, size_t count);  /* reports want of memory */
void runs_end(struct runs *r);
/* Gives a run that waits its next packets; without any it has ended. How many of them are earlier than the one before, and which is
 * the first of these. */
size_t runs_feed(struct runs *r, size_t which, const uint8_t *data, size_t size, const struct packet *packets, size_t count, size_t *first);
/* Copies packets into an output of a fixed size, and makes their rows, until a run waits: `empty`. */
enum merged runs_merge(struct runs *r, struct bytes *out, struct bytes *rows, size_t *empty);

/* durations.c */

enum { DURATION_STEPS = 1024 };

struct durations {              /* those of zero and more, and those below, each by how long they are */
    int64_t steps[2][DURATION_STEPS], count[2], least, worst, last;
    double jitter;              /* RFC 3550 section 6.4.1, as if they were delays of packets */
};

void durations_add(struct durations *d, const int64_t *values, size_t count);

#endif
