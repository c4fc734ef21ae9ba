/* Fields of headers: where one lies, and what it holds. program.c, lines.c and others go by it. */
#ifndef PKTTOOLS_FIELDS_H
#define PKTTOOLS_FIELDS_H

#include "codec.h"

enum { NUMBER, DATA, FAMILY, LITTLE, TEXT };    /* kinds of fields */
enum { MAC = TEXT + 1, IPV4, IPV6_ADDRESS, FORMS };     /* how values are written: a kind of field, or one of these */
enum { SHAPES = 1, MUTABLE = 2 };               /* the walk depends on it; no signature behind it covers it */

struct value {                  /* 128 bits, unsigned */
    uint64_t high, low;
};

struct place {                  /* an occurrence of a field in a frame */
    const struct field *field;
    size_t bit, size;           /* first bit in the frame; bytes, of DATA and TEXT */
};

/* The next row of the field of a row; -1: there is none. */
static inline int64_t next_row(const struct field *fields, int64_t row)
{
    return fields[row].next > 0 ? fields[row].next : -1;
}

/* A field of a header of its kind; whether it is there. */
static inline bool place_of(const struct field *f, const struct header *h, struct place *at)
{
    if (f->kind == DATA || (f->kind == TEXT && f->width == 0)) {
        *at = (struct place){f, (size_t)h->data * 8, h->end - h->data};
        return h->data < h->end;
    }
    *at = (struct place){f, (size_t)h->start * 8 + (size_t)f->bit, f->kind == TEXT ? (size_t)f->width / 8 : 0};
    return at->bit + (size_t)f->width <= (size_t)h->end * 8;
}

/* Eight bytes, the first of them highest. */
static inline uint64_t eight_at(const uint8_t *b)
{
    return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 | (uint64_t)b[4] << 24
        | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
}

/* The same of a frame, with zeros behind its end. */
static inline uint64_t read_eight(const struct frame *f, size_t at)
{
    if (frame_has(f, at, 8))
        return eight_at(frame_range(f, at, 8));
    uint64_t value = 0;
    for (size_t i = at; i < at + 8; i++)
        value = value << 8 | get8(f, i);
    return value;
}

static inline uint64_t read_bits(const struct frame *f, size_t bit, size_t width)
{
    if (width == 0)
        return 0;
    if (bit % 8 + width <= 64 && frame_has(f, bit / 8, 8))
        return eight_at(frame_range(f, bit / 8, 8)) << bit % 8 >> (64 - width);
    uint64_t value = 0;
    size_t last = (bit + width - 1) / 8;
    for (size_t at = bit / 8; at <= last; at++)
        value = value << 8 | get8(f, at);
    value >>= (last + 1) * 8 - (bit + width);
    return width < 64 ? value & ((UINT64_C(1) << width) - 1) : value;
}

/* A number of `width` bits, its bytes the other way round. */
static inline uint64_t turned(uint64_t value, size_t width)
{
    uint64_t out = 0;
    for (; width > 0; width -= 8, value >>= 8)
        out = out << 8 | (value & 0xFF);
    return out;
}

/* Bytes of the text in a field: it ends at the first zero, or with the field. */
static inline size_t text_size(const struct frame *f, const struct place *at)
{
    const uint8_t *text = frame_range(f, at->bit / 8, at->size), *zero = at->size > 0 ? memchr(text, 0, at->size) : NULL;
    return zero != NULL ? (size_t)(zero - text) : at->size;
}

/* The number as it stands in the packet, before bias and scale. */
static inline struct value read_raw(const struct frame *f, const struct place *at)
{
    if (at->field->width == 128)
        return (struct value){read_bits(f, at->bit, 64), read_bits(f, at->bit + 64, 64)};
    uint64_t raw = read_bits(f, at->bit, (size_t)at->field->width);
    if (at->field->kind == FAMILY && raw > 0xFFFF)    /* in the byte order of the machine that wrote it */
        raw = reversed((uint32_t)raw);
    else if (at->field->kind == LITTLE)
        raw = turned(raw, (size_t)at->field->width);
    return (struct value){0, raw};
}

/* A number with bias and scale, which may have more than 64 bits then. */
static inline struct value scaled(uint64_t raw, uint64_t bias, uint64_t scale)
{
    uint64_t sum = raw + bias, carry = sum < bias, low = (sum & UINT32_MAX) * scale, high = (sum >> 32) * scale + (low >> 32);
    return (struct value){(high >> 32) + carry * scale, high << 32 | (low & UINT32_MAX)};
}

/* Characters that are blanks to Python, up to 255. */
static inline bool is_space(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31) || c == 0x85 || c == 0xA0;
}

/* program.c: the k-th occurrence of a field, or from the end when negative; whether it is there */

bool locate(const struct program *p, int64_t field, int64_t occurrence, bool exact, const struct frame *f, const struct walk *w,
            struct place *at);

/* values.c: values as people write them */

bool parse_number(const uint8_t *text, size_t size, struct value *v);
bool parse_address(const uint8_t *text, size_t size, unsigned form, struct value *v);  /* of MAC, IPV4 or IPV6_ADDRESS */
/* Bytes in hex, and characters, up to `room` of them, are added to `out`, which has room for as many as the text has. */
bool parse_data(const uint8_t *text, size_t size, struct bytes *out);
bool parse_text(const uint8_t *text, size_t size, size_t room, struct bytes *out);
bool value_fits(const struct field *f, struct value v);

/* Eight characters, the first of them highest. */
static inline void put_eight(uint8_t *out, uint64_t text)
{
    uint8_t bytes[8] = {(uint8_t)(text >> 56), (uint8_t)(text >> 48), (uint8_t)(text >> 40), (uint8_t)(text >> 32), (uint8_t)(text >> 24),
                        (uint8_t)(text >> 16), (uint8_t)(text >> 8), (uint8_t)text};
    memcpy(out, bytes, sizeof bytes);
}

#define ZEROS_IN_TEXT UINT64_C(0x3030303030303030)

/* A byte in two small hex digits. */
static inline void put_pair(uint8_t *out, size_t byte)
{
    enum { SMALL = 0x2020 };                    /* of two capital letters; figures have it */
    uint16_t digits;
    memcpy(&digits, pair_text[byte], 2);
    digits |= SMALL;
    memcpy(out, &digits, 2);
}

/* Four of them. */
static inline void put_four(uint8_t *out, uint32_t text)
{
    uint8_t bytes[4] = {(uint8_t)(text >> 24), (uint8_t)(text >> 16), (uint8_t)(text >> 8), (uint8_t)text};
    memcpy(out, bytes, sizeof bytes);
}

/* Hex digits, a digit a byte, as text. */
static inline uint64_t hex_text(uint64_t digits)
{
    enum { LETTERS = 'a' - '0' - 10 };
    uint64_t above = (digits + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);       /* nine */
    return digits + ZEROS_IN_TEXT + above * LETTERS;
}

/* A number of 32 bits in hex digits; eight bytes are written at most. How many digits are left out in front is not guessed. */
static inline uint8_t *put_hex_digits(uint8_t *out, uint32_t value)
{
    unsigned digits = 1;
    if (value < 0x10)                           /* flags, and most of what is small */
        out[0] = (uint8_t)HEX_DIGITS[value];
    else if (value <= 0xFFFF) {
        digits = 4 - (unsigned)(value < 0x1000) - (unsigned)(value < 0x100);
        uint32_t d = value << (16 - 4 * digits);                /* the first digit stands first */
        d = (d << 8 | d) & 0x00FF00FF;                          /* a digit a byte, in two steps */
        d = (d << 4 | d) & 0x0F0F0F0F;
        put_four(out, (uint32_t)hex_text(d));
    } else {
        digits = (unsigned)(35 - __builtin_clz(value)) / 4;
        uint64_t d = (uint64_t)value << (32 - 4 * digits);
        d = (d << 16 | d) & UINT64_C(0x0000FFFF0000FFFF);
        d = (d << 8 | d) & UINT64_C(0x00FF00FF00FF00FF);
        d = (d << 4 | d) & UINT64_C(0x0F0F0F0F0F0F0F0F);
        put_eight(out, hex_text(d));
    }
    return out + digits;
}

enum { FIGURES_AT_ONCE = 8, BELOW_THESE = 100000000 };

/* The figures of a number below 10^8, a figure a byte, the first one highest: in three steps, of which each halves all parts. */
static inline uint64_t figures_of(uint32_t value)
{
    uint64_t parts = (uint64_t)(value / 10000) << 32 | value % 10000;
    uint64_t above = parts * 10486 >> 20 & UINT64_C(0x0000007F0000007F);        /* the hundreds: divided by 100, up to 9999 */
    parts += above * (65536 - 100);
    above = parts * 103 >> 10 & UINT64_C(0x000F000F000F000F);                   /* the tens: divided by 10, up to 99 */
    return parts + above * (256 - 10);
}

/* The same number in decimal; eight bytes are written. */
static inline uint8_t *put_decimal_short(uint8_t *out, uint32_t value)
{
    uint64_t figures = figures_of(value);
    unsigned zeros = (unsigned)__builtin_clzll(figures | 1) / 8;                /* in front; of 0 the last one stays */
    put_eight(out, (figures | ZEROS_IN_TEXT) << 8 * zeros);
    return out + FIGURES_AT_ONCE - zeros;
}

static inline uint8_t *put_digits(uint8_t *out, uint64_t value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (uint8_t)('0' + value % 10);
    return out + digits;
}

/* Microseconds with the point in front, or nanoseconds where there are some; eight bytes are written at least. */
static inline uint8_t *put_fraction(uint8_t *out, uint64_t nanoseconds)
{
    uint32_t microseconds = (uint32_t)nanoseconds / 1000, rest = (uint32_t)nanoseconds % 1000;
    put_eight(out, (uint64_t)'.' << 56 | (figures_of(microseconds) | ZEROS_IN_TEXT) << 16 >> 8);
    return rest != 0 ? put_digits(out + 7, rest, 3) : out + 7;
}

/* shown.c: values as they are printed; these give where what they wrote ends */

enum { MOST_NUMBER = 48 };      /* bytes of a number or an address */
enum { MOST_LOCAL = 40 };       /* of put_local */
enum { DAY = 86400 };           /* seconds */

struct value number_of(const struct frame *f, const struct place *at);
uint8_t *put_hex(uint8_t *out, struct value v);
uint8_t *put_decimal(uint8_t *out, struct value v);
/* The same of 64 bits; most are short. */
static inline uint8_t *put_number64(uint8_t *out, uint64_t value)
{
    return value < BELOW_THESE ? put_decimal_short(out, (uint32_t)value) : put_decimal(out, (struct value){0, value});
}

static inline uint8_t *put_int(uint8_t *out, int64_t value)
{
    if (value < 0)
        *out++ = '-';
    return put_number64(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

uint8_t *put_date(uint8_t *out, int64_t day);           /* from 1970 on */
uint8_t *put_clock(uint8_t *out, int64_t of_day);       /* seconds */
uint8_t *put_local(uint8_t *out, int64_t second);       /* as C's ctime does; nothing where the system does not know it */
uint8_t *put_mac(uint8_t *out, uint64_t address);
uint8_t *put_ipv4(uint8_t *out, uint64_t address);
uint8_t *put_ipv6(uint8_t *out, struct value v);
uint8_t *put_characters(uint8_t *out, const uint8_t *text, size_t size);        /* at most four bytes each, and quotes */
uint8_t *put_number(uint8_t *out, const struct frame *f, const struct place *at, unsigned form);

#endif
