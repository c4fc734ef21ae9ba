/* Blocks of pcapng files that hold packets (draft-ietf-opsawg-pcapng); the others are ../../formats/pcapng.py's. */
#include "codec.h"

enum { SECTION = 0x0A0D0D0A, INTERFACE = 1, OBSOLETE = 2, SIMPLE = 3, ENHANCED = 6 };   /* types of blocks */
enum { END = 0, COMMENT = 1, FLAGS = 2, HASH = 3, DROPS = 4, IDENTITY = 5, QUEUE = 6, VERDICT = 7 };    /* options of packets */
enum { CUSTOM = 0xBAC, OPAQUE = 0xBAD, ONLY_HERE = 0x4000 };  /* of somebody's own, text or octets; not for another file */
enum { WAY_IN = 1, WAY_OUT = 2, WAY_BITS = 3, FCS_BITS = 0x1E0, FCS_SHIFT = 5 };         /* in FLAGS; FCS in octets */

#define MAX_BLOCK (16u << 20)
#define MAX_OPTION 0xFFFFu
#define SECOND 1000000000
#define MAX_TIME (MAX_SECONDS * SECOND + SECOND - 1)

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

static uint64_t read64(const uint8_t *at, bool big_endian)
{
    uint64_t first = read32(at, big_endian), second = read32(at + 4, big_endian);
    return big_endian ? first << 32 | second : second << 32 | first;
}

static void write64(uint8_t *at, uint64_t value, bool big_endian)
{
    write32(at + (big_endian ? 4 : 0), (uint32_t)value, big_endian);
    write32(at + (big_endian ? 0 : 4), (uint32_t)(value >> 32), big_endian);
}

/* ---- reading ---- */

static bool fail(struct pcapng_decoder *d, enum error_kind error, uint64_t have, uint64_t want)
{
    d->error = error;
    d->have = have;
    d->want = want;
    return false;
}

static uint32_t least_block(uint32_t type)
{
    return type == INTERFACE ? 20 : type == SIMPLE ? 16 : type == OBSOLETE || type == ENHANCED ? 32 : 12;
}

/* Whether a block's lengths are right, as far as it is there. */
static bool framed(struct pcapng_decoder *d, const uint8_t *block, size_t have, uint32_t type, uint32_t size, bool big_endian)
{
    if (size < least_block(type))
        return fail(d, BLOCK_SHORT, size, least_block(type));
    if (size % 4 != 0)
        return fail(d, BLOCK_UNALIGNED, size, 4);
    if (size > MAX_BLOCK)
        return fail(d, BLOCK_LONG, size, MAX_BLOCK);
    if (have >= size && read32(block + size - 4, big_endian) != size)
        return fail(d, BLOCK_TRAILER, read32(block + size - 4, big_endian), size);
    return true;
}

struct option {
    unsigned code;
    const uint8_t *at, *next;   /* its value; where the next one begins */
    size_t size;
};

/* The option at `next`. False when there is none: `code` is END then, unless the option runs past the end. */
static bool next_option(struct option *o, const uint8_t *end, bool big_endian)
{
    o->code = END;
    if (end - o->next < 4)
        return false;
    o->code = read16(o->next, big_endian);
    o->size = read16(o->next + 2, big_endian);
    o->at = o->next + 4;
    if (o->code == END || o->size > (size_t)(end - o->at))
        return false;
    o->next = o->at + padded(o->size);
    return true;
}

static int lower_hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether more than zeros stands behind the end of options that `o` has come to. */
static bool goes_on(const struct option *o, const uint8_t *end)
{
    if (o->code != END || end - o->next < 4)
        return false;
    for (const uint8_t *at = o->next + 4; at < end; at++)
        if (*at != 0)
            return true;
    return false;
}

/* Whether an option tells of the octets of its packet, as far as anybody knows. */
static bool of_octets(unsigned code)
{
    unsigned custom = code & ~(unsigned)ONLY_HERE;
    return code != FLAGS && code != IDENTITY && code != QUEUE && code != VERDICT && custom != CUSTOM && custom != OPAQUE;
}

/* A number that is another one when the octets of a packet are: FNV-1a of 64 bits. */
static uint64_t digest(const uint8_t *at, size_t size)
{
    uint64_t value = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < size; i++)
        value = (value ^ at[i]) * UINT64_C(0x100000001B3);
    return value;
}

static bool is_tail(uint8_t c)
{
    return c >= 0x80 && c <= 0xBF;
}

/* Bytes of the character of UTF-8 (RFC 3629) at the start of a text, of those beyond ASCII; 0: there is none. */
static size_t character(const uint8_t *at, size_t size)
{
    size_t count = at[0] >= 0xC2 && at[0] <= 0xDF ? 2 : at[0] >= 0xE0 && at[0] <= 0xEF ? 3 : at[0] >= 0xF0 && at[0] <= 0xF4 ? 4 : 0;
    if (count == 0 || size < count || !is_tail(at[1]) || (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)
        || (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F))
        return 0;
    for (size_t i = 2; i < count; i++)
        if (!is_tail(at[i]))
            return 0;
    return count;
}

/* The last two digits of U+202A to U+202E and U+2066 to U+2069, which turn the direction of text around; 0: none of them. */
static unsigned turns(const uint8_t *at)
{
    if (at[0] != 0xE2 || (at[1] != 0x80 && at[1] != 0x81))
        return 0;
    unsigned low = (at[1] & 1u) << 6 | (at[2] & 0x3Fu);
    return (low >= 0x2A && low <= 0x2E) || (low >= 0x66 && low <= 0x69) ? low : 0;
}

static bool is_c1(uint8_t c)
{
    return c >= 0x80 && c <= 0x9F;
}

/* Bytes of what stands as itself at the start of a text; 0 where it must not reach a terminal. */
static size_t harmless(const uint8_t *at, size_t size)
{
    uint8_t c = at[0];
    if (c < 0x80)
        return c >= 0x20 && c != 0x7F;
    size_t count = character(at, size);
    if (count == 0)
        return !is_c1(c);
    return (c == 0xC2 && is_c1(at[1])) || (count == 3 && turns(at) != 0) ? 0 : count;
}

static bool is_hex_byte(const uint8_t *at, size_t size, uint8_t *value)
{
    if (size < 3 || at[0] != 'x' || lower_hex(at[1]) < 0 || lower_hex(at[2]) < 0)
        return false;
    *value = (uint8_t)(lower_hex(at[1]) << 4 | lower_hex(at[2]));
    return true;
}

struct form {                   /* of what must not reach a terminal */
    size_t size, count;         /* bytes behind the backslash, 0: it is none; what it stands for */
    uint8_t bytes[3];
};

/* What stands behind the backslash of a form: `n`, `r`, `xNN`, `xc2\xNN`, `u202a` to `u202e` or `u2066` to `u2069`. */
static struct form suffix(const uint8_t *at, size_t size)
{
    uint8_t c, second;
    if (size >= 1 && (at[0] == 'n' || at[0] == 'r'))
        return (struct form){1, 1, {at[0] == 'n' ? '\n' : '\r'}};
    if (is_hex_byte(at, size, &c)) {
        if (c != 0xC2)
            return (struct form){c != '\n' && c != '\r' && harmless(&c, 1) == 0 ? 3 : 0, 1, {c}};
        if (size >= 7 && at[3] == '\\' && is_hex_byte(at + 4, size - 4, &second) && is_c1(second))
            return (struct form){7, 2, {c, second}};
    }
    if (size >= 5 && memcmp(at, "u20", 3) == 0 && lower_hex(at[3]) >= 0 && lower_hex(at[4]) >= 0) {
        unsigned low = (unsigned)(lower_hex(at[3]) << 4 | lower_hex(at[4]));
        struct form f = {5, 3, {0xE2, (uint8_t)(0x80 | low >> 6), (uint8_t)(0x80 | (low & 0x3F))}};
        f.size = turns(f.bytes) != 0 ? 5 : 0;
        return f;
    }
    return (struct form){0};
}

/* Whether a text would be taken for a form when it is written behind a backslash. */
static bool like_form(const uint8_t *at, size_t size)
{
    if (size >= 4 && memcmp(at, "xc2", 3) == 0)
        return is_c1(at[3]);    /* what becomes a form of its own behind it */
    return suffix(at, size).size > 0;
}

static size_t backslashes(const uint8_t *at, size_t size)
{
    size_t count = 0;
    while (count < size && at[count] == '\\')
        count++;
    return count;
}

static uint8_t *put_hex(uint8_t *out, const char *prefix, unsigned byte)
{
    static const char hex[] = HEX_DIGITS;
    size_t size = strlen(prefix);
    memcpy(out, prefix, size);
    out[size] = (uint8_t)hex[byte >> 4];
    out[size + 1] = (uint8_t)hex[byte & 15];
    return out + size + 2;
}

/* Writes the form of what stands at `at` and is not harmless; gives the place behind it, and how many bytes it was. */
static uint8_t *put_form(uint8_t *out, const uint8_t *at, size_t size, size_t *taken)
{
    unsigned low = size >= 3 ? turns(at) : 0;
    *taken = low != 0 ? 3 : at[0] == 0xC2 ? 2 : 1;
    if (low != 0)
        return put_hex(out, "\\u20", low);
    if (at[0] == '\n' || at[0] == '\r') {
        memcpy(out, at[0] == '\n' ? "\\n" : "\\r", 2);
        return out + 2;
    }
    for (size_t i = 0; i < *taken; i++)
        out = put_hex(out, "\\x", at[i]);
    return out;
}

/* A comment as a line; what must not reach a terminal as `\n`, `\r`, `\xNN`, `\u20NN`. Backslashes in front of these, or of
 * what would be taken for one, are doubled; all others stand for themselves. So each comment has its text, and each text its
 * comment.
 */
static bool add_comment(struct bytes *b, const uint8_t *text, size_t size)
{
    if (!bytes_need(b, 4 * size + 7))
        return false;
    uint8_t *out = b->at + b->size;
    memcpy(out, "NOTE: ", 6);
    out += size > 0 ? 6 : 5;
    for (size_t i = 0; i < size;) {
        size_t count = backslashes(text + i, size - i);
        i += count;
        size_t same = i < size ? harmless(text + i, size - i) : 0, taken;
        if (i < size && (same == 0 || like_form(text + i, size - i)))
            count *= 2;
        memset(out, '\\', count);
        out += count;
        if (i == size)
            break;
        if (same > 0) {
            memcpy(out, text + i, same);
            out += same;
            i += same;
        } else {
            out = put_form(out, text + i, size - i, &taken);
            i += taken;
        }
    }
    *out++ = '\n';
    b->size = (size_t)(out - b->at);
    return true;
}

static bool add_lost(struct bytes *b, uint64_t value)
{
    uint8_t line[27];           /* LOST:, a blank, 20 digits, the end */
    size_t at = sizeof line;
    line[--at] = '\n';
    do
        line[--at] = (uint8_t)('0' + value % 10);
    while ((value /= 10) > 0);
    at -= 6;
    memcpy(line + at, "LOST: ", 6);
    return bytes_add(b, line + at, sizeof line - at);
}

static uint8_t *put_octets(uint8_t *out, const uint8_t *at, size_t size)
{
    static const char hex[] = HEX_DIGITS;
    for (size_t i = 0; i < size; i++) {
        *out++ = (uint8_t)hex[at[i] >> 4];
        *out++ = (uint8_t)hex[at[i] & 15];
    }
    return out;
}

struct known {                  /* of a packet */
    const uint8_t *frame;
    const struct packet *packet;
    const struct interface *interface;
    const uint8_t *options, *end;
    bool enhanced, counted;     /* whether options may say what was lost; whether `lost` is known */
    uint64_t lost;
};

static bool is_line(unsigned code)      /* or several */
{
    return code == FLAGS || code == DROPS || code == COMMENT;
}

/* The options that are no lines of text, and what flags say besides, as one that only the writer of pcapng reads:
 * NUL, O, a digest of the octets that they tell of or 0, the packet's time, and each option, all in hexadecimal. Numbers are
 * big-endian, but for those in options that are no flags.
 */
static bool add_options(struct pcapng_decoder *d, const struct pcapng_section *s, const struct known *k, uint32_t flags)
{
    struct option o = {.next = k->options};
    size_t size = flags != 0 ? 8 : 0;
    bool told = false;
    while (next_option(&o, k->end, s->big_endian))
        if (!is_line(o.code)) {
            size += 4 + o.size;
            told = told || of_octets(o.code);
        }
    if (size == 0)
        return true;
    if (!bytes_need(&d->data, 2 + 32 + 2 * size + 1))
        return false;
    uint8_t *out = d->data.at + d->data.size, number[8];
    *out++ = 0;
    *out++ = 'O';
    write64(number, told ? digest(k->frame, (size_t)k->packet->captured) : 0, true);
    out = put_octets(out, number, 8);
    write64(number, (uint64_t)k->packet->time, true);
    out = put_octets(out, number, 8);
    if (flags != 0) {
        write16(number, FLAGS, true);
        write16(number + 2, 4, true);
        write32(number + 4, flags, true);
        out = put_octets(out, number, 8);
    }
    o.next = k->options;
    while (next_option(&o, k->end, s->big_endian))
        if (!is_line(o.code)) {
            write16(number, o.code, true);
            write16(number + 2, (unsigned)o.size, true);
            out = put_octets(put_octets(out, number, 4), o.at, o.size);
        }
    *out++ = '\n';
    d->data.size = (size_t)(out - d->data.at);
    return true;
}

/* The lines of a packet, behind its bytes; and its frame check sequence, where its options say that it has another one. */
static bool add_notes(struct pcapng_decoder *d, const struct pcapng_section *s, struct known k, int64_t *linktype)
{
    struct option o = {.next = k.options};
    bool flagged = false;
    uint32_t flags = 0;
    int64_t others = 0;
    uint64_t lost = k.lost;
    bool counted = k.counted;
    while (next_option(&o, k.end, s->big_endian))
        if (o.code == FLAGS && o.size == 4 && !flagged) {
            flagged = true;
            flags = read32(o.at, s->big_endian);
            others += !s->keep && (flags & ~(uint32_t)FCS_BITS) > WAY_OUT;     /* it says more than these, or another way */
        } else if (o.code == DROPS && o.size == 8 && k.enhanced && !counted) {
            counted = true;
            lost = read64(o.at, s->big_endian);
        } else
            others += o.code != COMMENT && !(s->keep && !is_line(o.code));
    bool sound = o.code == END;
    if (sound)
        d->options += others + goes_on(&o, k.end);
    else {                      /* nothing of them is known then */
        d->damaged++;
        flags = 0;
        counted = k.counted;
        lost = k.lost;
    }
    if ((flags & FCS_BITS) != 0)
        *linktype = link_of(*linktype, (flags & FCS_BITS) >> FCS_SHIFT, -1);
    const char *way = (flags & WAY_BITS) == WAY_IN ? "WAY: in\n" : (flags & WAY_BITS) == WAY_OUT ? "WAY: out\n" : "";
    bool added = bytes_add(&d->data, s->names + k.interface->name, (size_t)k.interface->name_size)
        && bytes_add(&d->data, way, strlen(way)) && (!counted || add_lost(&d->data, lost));
    o.next = k.options;
    while (added && sound && next_option(&o, k.end, s->big_endian))
        if (o.code == COMMENT)
            added = add_comment(&d->data, o.at, o.size);
    if ((flags & WAY_BITS) != WAY_BITS)
        flags &= ~(uint32_t)WAY_BITS;
    return added && (!sound || !s->keep || add_options(d, s, &k, flags & ~(uint32_t)FCS_BITS));
}

/* A fraction of a second in ticks of 2^-power, in nanoseconds; gives in `exact` whether it is that. */
static uint64_t binary_fraction(uint64_t ticks, unsigned power, bool *exact)
{
    /* The product has up to 94 bits: high and low. */
    uint64_t upper = (ticks >> 32) * SECOND, low = (ticks & UINT32_MAX) * SECOND, high = upper >> 32;
    low += upper << 32;
    high += low < upper << 32;
    if (power == 0)
        return 0;
    if (power >= 64) {
        unsigned rest = power - 64;
        *exact = low == 0 && (high & ((UINT64_C(1) << rest) - 1)) == 0;
        return high >> rest;
    }
    *exact = (low & ((UINT64_C(1) << power) - 1)) == 0;
    return high << (64 - power) | low >> power;
}

/* Nanoseconds since 1970; what does not fit is put to the nearest end of what does. */
static int64_t nanoseconds(struct pcapng_decoder *d, uint64_t ticks, const struct interface *interface)
{
    static const uint64_t powers[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, UINT64_C(10000000000),
        UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000),
        UINT64_C(1000000000000000), UINT64_C(10000000000000000), UINT64_C(100000000000000000),
        UINT64_C(1000000000000000000), UINT64_C(10000000000000000000),
    };
    enum { POWERS = sizeof powers / sizeof *powers };
    unsigned power = interface->resolution & 0x7F;
    uint64_t seconds = 0, fraction = 0;
    bool exact = true;
    if ((interface->resolution & 0x80) != 0) {
        seconds = power < 64 ? ticks >> power : 0;
        fraction = binary_fraction(power < 64 ? ticks - (seconds << power) : ticks, power, &exact);
    } else {
        uint64_t rest = ticks;
        if (power < POWERS) {
            seconds = ticks / powers[power];
            rest = ticks % powers[power];
        }
        if (power <= 9)
            fraction = rest * powers[9 - power];
        else if (power - 9 < POWERS) {
            fraction = rest / powers[power - 9];
            exact = rest % powers[power - 9] == 0;
        } else                  /* 64 bits of such ticks are no nanosecond */
            exact = rest == 0;
    }
    int64_t offset = interface->time_offset;
    uint64_t before = offset < 0 ? 0 - (uint64_t)offset : 0, behind = offset > 0 ? (uint64_t)offset : 0;
    uint64_t last = MAX_SECONDS, since = seconds - before;
    bool early = seconds < before, late = !early && (since > last || behind > last - since);
    if (early || late) {
        d->capped++;
        return early ? 0 : MAX_TIME;
    }
    d->rounded += !exact;
    return (int64_t)((since + behind) * SECOND + fraction);
}

/* One packet; `block` is there in full. */
static bool add_packet(struct pcapng_decoder *d, const struct pcapng_section *s, const uint8_t *block, uint32_t type, size_t size)
{
    bool big_endian = s->big_endian;
    size_t head = type == SIMPLE ? 12 : 28;     /* bytes before the packet's own; behind them come options and the length */
    uint32_t number = type == SIMPLE ? 0 : type == OBSOLETE ? read16(block + 8, big_endian) : read32(block + 8, big_endian);
    if (number >= s->count)
        return fail(d, NO_INTERFACE, number, s->count);
    const struct interface *interface = &s->interfaces[number];
    if (interface->name < 0 || interface->name_size < 0 || (uint64_t)interface->name > s->names_size
        || (uint64_t)interface->name_size > s->names_size - (uint64_t)interface->name)
        return fail(d, BAD_INTERFACE, number, 0);
    uint32_t original = read32(block + head - 4, big_endian);
    uint32_t captured = type == SIMPLE ? original : read32(block + 20, big_endian);
    if (type == SIMPLE && interface->snaplen != 0 && interface->snaplen < captured)
        captured = (uint32_t)interface->snaplen;
    if (captured > size - head - 4)
        return fail(d, PAST_BLOCK, captured, size - head - 4);
    if (captured > MAX_FRAME)
        return fail(d, RECORD_TOO_LONG, captured, MAX_FRAME);
    struct packet p = {
        .offset = (int64_t)d->data.size, .captured = captured, .original = original, .linktype = interface->linktype,
    };
    if (type == SIMPLE)
        d->timeless++;
    else {
        uint64_t high = read32(block + 12, big_endian), low = read32(block + 16, big_endian);
        p.time = nanoseconds(d, high << 32 | low, interface);
    }
    const uint8_t *end = block + size - 4, *options = type == SIMPLE ? end : block + head + padded(captured);
    struct known k = {
        .frame = block + head, .packet = &p, .interface = interface, .options = options, .end = end, .enhanced = type == ENHANCED,
    };
    if (type == OBSOLETE) {
        k.lost = read16(block + 10, big_endian);
        k.counted = k.lost != 0 && k.lost != 0xFFFF;
    }
    if (!bytes_add(&d->data, block + head, captured))
        return fail(d, NO_MEMORY, 0, 0);
    p.notes = (int64_t)d->data.size;
    if (!add_notes(d, s, k, &p.linktype) || (type == SIMPLE && s->keep && !bytes_add(&d->data, "\0S\n", 3)))
        return fail(d, NO_MEMORY, 0, 0);
    p.notes_size = (int64_t)d->data.size - p.notes;
    return bytes_add(&d->packets, &p, sizeof p) || fail(d, NO_MEMORY, 0, 0);
}

void pcapng_decode(struct pcapng_decoder *d, const uint8_t *in, size_t size, const struct pcapng_section *section)
{
    size_t at = 0;
    while (d->data.size < MAX_BATCH && d->packets.size < MAX_BATCH && size - at >= 8) {
        const uint8_t *block = in + at;
        uint32_t type = read32(block, section->big_endian), length = read32(block + 4, section->big_endian);
        bool other;
        if (pcap_magic(block, &other) && (size - at < BEGINNING || begins_pcap(block))) {       /* or a type for private use */
            if (size - at >= BEGINNING)
                fail(d, ANOTHER_CAPTURE, 0, 0);
            break;
        }
        if (type == SECTION || !framed(d, block, size - at, type, length, section->big_endian) || length > size - at)
            break;
        if (type != OBSOLETE && type != SIMPLE && type != ENHANCED)
            break;
        if (!add_packet(d, section, block, type, length))
            break;
        at += length;
    }
    d->consumed = at;
}

/* ---- writing ---- */

struct note {                   /* a line of a packet's notes */
    enum { IFACE, WAY, LOST, NOTE, OTHER, OWN } word;   /* OWN: NUL in front, not of text */
    const uint8_t *at, *next;   /* its value; where the next line begins */
    size_t size;
};

/* The line at `next`; false when there is none. */
static bool next_note(struct note *n, const uint8_t *end)
{
    static const char *const words[] = {"IFACE:", "WAY:", "LOST:", "NOTE:"};
    const uint8_t *line = n->next;
    if (line == end)
        return false;
    const uint8_t *stop = memchr(line, '\n', (size_t)(end - line));
    n->next = stop != NULL ? stop + 1 : end;
    n->at = line;
    n->size = (size_t)((stop != NULL ? stop : end) - line);
    if (n->size > 0 && line[0] == 0) {
        n->word = OWN;
        return true;
    }
    for (n->word = IFACE; n->word < OTHER; n->word++) {
        size_t size = strlen(words[n->word]);
        if (n->size >= size && memcmp(line, words[n->word], size) == 0) {
            size += n->size > size && line[size] == ' ';
            n->at += size;
            n->size -= size;
            break;
        }
    }
    return true;
}

/* The bytes that a line's value stands for; gives how many. `out` may be NULL. */
static size_t plain(uint8_t *out, const struct note *n)
{
    size_t count = 0;
    for (size_t at = 0; at < n->size;) {
        size_t run = backslashes(n->at + at, n->size - at);
        struct form form = {0};
        if (run > 0)
            form = suffix(n->at + at + run, n->size - at - run);
        size_t kept = form.size > 0 ? run / 2 : run;
        if (out != NULL)
            memset(out + count, '\\', kept);
        count += kept;
        at += run;
        if (at == n->size)
            break;
        bool formed = form.size > 0 && run % 2 == 1;
        size_t bytes = formed ? form.count : 1;
        if (out != NULL)
            memcpy(out + count, formed ? form.bytes : n->at + at, bytes);
        count += bytes;
        at += formed ? form.size : 1;
    }
    return count;
}

/* A value without the blanks around it. */
static struct note trimmed(struct note n)
{
    while (n.size > 0 && (n.at[0] == ' ' || n.at[0] == '\t')) {
        n.at++;
        n.size--;
    }
    while (n.size > 0 && (n.at[n.size - 1] == ' ' || n.at[n.size - 1] == '\t'))
        n.size--;
    return n;
}

static uint32_t way_of(const struct note *n)
{
    struct note word = trimmed(*n);
    if (word.size == 2 && memcmp(word.at, "in", 2) == 0)
        return WAY_IN;
    return word.size == 3 && memcmp(word.at, "out", 3) == 0 ? WAY_OUT : 0;
}

static bool read_count(const struct note *n, uint64_t *value)
{
    struct note word = trimmed(*n);
    *value = 0;
    for (size_t i = 0; i < word.size; i++) {
        unsigned digit = (unsigned)(word.at[i] - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return word.size > 0;
}

static uint8_t *put_option(uint8_t *out, unsigned code, size_t size, bool big_endian)
{
    write16(out, code, big_endian);
    write16(out + 2, (unsigned)size, big_endian);
    return out + 4;
}

static int hex_octet(const uint8_t *at)
{
    int high = lower_hex(at[0]), low = lower_hex(at[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The octets that a line has in hexadecimal from `at` on; false where it has not so many. */
static bool octets_of(uint8_t *out, const struct note *n, size_t at, size_t size)
{
    if (at > n->size || size > (n->size - at) / 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int value = hex_octet(n->at + at + 2 * i);
        if (value < 0)
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

struct own {                    /* options that were read with a packet, and stand in a line of ours; see add_options */
    struct note line;
    size_t next;                /* where the next one begins */
    bool same, now;             /* whether the octets that they tell of are the same, and the time */
    unsigned code;
    size_t at, size;            /* of its value: in the line; octets */
};

/* Begins to read such a line; false where it is none. */
static bool begin_own(struct own *o, const struct note *n, const uint8_t *data, const struct packet *p, bool told)
{
    uint8_t head[16];
    *o = (struct own){.line = *n, .next = 34};
    if (n->size < 2 || n->at[1] != 'O' || !octets_of(head, n, 2, sizeof head))
        return false;
    o->same = told && read64(head, true) == digest(data + p->offset, (size_t)p->captured);
    o->now = read64(head + 8, true) == (uint64_t)p->time;
    return true;
}

/* The next option of such a line; false where there is none. */
static bool next_own(struct own *o)
{
    uint8_t head[4];
    if (!octets_of(head, &o->line, o->next, sizeof head))
        return false;
    o->code = read16(head, true);
    o->size = read16(head + 2, true);
    o->at = o->next + 8;
    o->next = o->at + 2 * o->size;
    return o->next <= o->line.size;
}

/* Whether an option still holds, and may stand in what is written. */
static bool holds(const struct own *o, const struct pcapng_format *f)
{
    unsigned custom = o->code & ~(unsigned)ONLY_HERE;
    if (custom == CUSTOM || custom == OPAQUE)
        return custom == o->code || f->keeps == KEEPS_ALL;
    return !of_octets(o->code) || (o->same && (o->code == HASH || o->now));
}

/* Brings a value that was read in the other byte order into this one; false where it is not known what it holds. Of a verdict the
 * first octet says what it is: numbers of 64 bits are those of Linux's eBPF (draft-ietf-opsawg-pcapng section 4.3).
 */
static bool turned(uint8_t *value, unsigned code, size_t size)
{
    enum { BY_HARDWARE = 0, BY_XDP = 2 };
    size_t from = code == VERDICT, octets = 0;
    if (code == IDENTITY || (code == VERDICT && size > 0 && value[0] > BY_HARDWARE && value[0] <= BY_XDP))
        octets = 8;
    else if (code == QUEUE || code == CUSTOM)
        octets = 4;
    if (code == HASH)           /* octets, behind what made it */
        return size > 0;
    if (octets == 0 || (code == CUSTOM ? size < octets : size != from + octets))
        return false;
    for (uint8_t *low = value + from, *high = low + octets - 1; low < high; low++, high--) {
        uint8_t one = *low;
        *low = *high;
        *high = one;
    }
    return true;
}

/* Whether a line of ours says that its packet has no time. */
static bool is_timeless(const struct note *n)
{
    return n->word == OWN && n->size == 2 && n->at[1] == 'S';
}

/* Whether a packet was read without a time, and has got none since. */
static bool timeless(const uint8_t *data, const struct packet *p)
{
    struct note n = {.next = data + p->notes};
    while (p->time == 0 && next_note(&n, data + p->notes + p->notes_size))
        if (is_timeless(&n))
            return true;
    return false;
}

/* Whether a simple packet block says all of a packet but its time: it is of the first interface, which tells how much of it was
 * captured, and has no options.
 */
static bool is_simple(const uint8_t *data, const struct packet *p, const struct pcapng_format *f)
{
    bool cut = f->snaplen < MAX_FRAME && (uint64_t)p->captured == f->snaplen && p->original > p->captured;
    if (f->interface != 0 || f->flags != 0 || (p->captured != p->original && !cut))
        return false;
    struct note n = {.next = data + p->notes};
    for (bool named = false; next_note(&n, data + p->notes + p->notes_size);) {
        bool names = n.word == IFACE && !named && n.size <= MAX_OPTION;
        named = named || names;
        if (!names && !is_timeless(&n) && !(n.word == OWN && n.size > 1 && n.at[1] == 'I'))
            return false;
    }
    return true;
}

/* The options that notes stand for, at most `room` bytes. Counts the lines that stand for none, and options that hold no more. */
static uint8_t *put_options(uint8_t *out, size_t room, const uint8_t *data, const struct packet *p, const struct pcapng_format *f,
                            struct pcapng_counts *counts)
{
    const uint8_t *notes = data + p->notes, *end = notes + p->notes_size, *begin = out;
    bool named = false, counted = false, told = false, noted = false, owned = false;
    uint32_t way = 0, flags = f->flags;
    uint64_t drops = 0;
    struct own own;
    struct note n = {.next = notes};
    while (next_note(&n, end))
        if (n.word == IFACE && !named) {        /* it is in the interface's description, where it fits */
            named = true;
            counts->lost += plain(NULL, &n) > MAX_OPTION;
        } else if (n.word == WAY && way == 0 && way_of(&n) != 0)
            way = way_of(&n);
        else if (n.word == LOST && !counted && read_count(&n, &drops))
            counted = true;
        else if (n.word == NOTE)
            noted = true;
        else if (n.word == OWN && !is_timeless(&n) && (n.size < 2 || n.at[1] != 'I')) {
            bool ours = begin_own(&own, &n, data, p, false);
            counts->lost += !ours;
            owned = owned || ours;
            while (ours && next_own(&own)) {
                uint8_t value[4];
                told = told || of_octets(own.code);
                if (own.code == FLAGS && own.size == 4 && octets_of(value, &n, own.at, 4))
                    flags |= read32(value, true) & ~(uint32_t)FCS_BITS;
                else if (own.code == FLAGS)
                    counts->outdated++;
            }
        } else
            counts->lost += n.word != OWN;
    if (way != 0)
        flags = (flags & ~(uint32_t)WAY_BITS) | way;
    if (flags != 0) {
        out = put_option(out, FLAGS, 4, f->big_endian);
        write32(out, flags, f->big_endian);
        out += 4;
    }
    if (counted) {
        out = put_option(out, DROPS, 8, f->big_endian);
        write64(out, drops, f->big_endian);
        out += 8;
    }
    n.next = notes;
    while (noted && next_note(&n, end)) {
        if (n.word != NOTE)
            continue;
        size_t bytes = plain(NULL, &n);
        if (bytes > MAX_OPTION || 4 + padded(bytes) + 4 > room - (size_t)(out - begin)) {
            counts->lost++;
            continue;
        }
        out = put_option(out, COMMENT, bytes, f->big_endian);
        plain(out, &n);
        memset(out + bytes, 0, padded(bytes) - bytes);
        out += padded(bytes);
    }
    n.next = notes;
    while (owned && next_note(&n, end)) {
        if (n.word != OWN || !begin_own(&own, &n, data, p, told))
            continue;
        while (next_own(&own)) {
            if (own.code == FLAGS)
                continue;
            if (f->keeps == KEEPS_NONE || !holds(&own, f) || 4 + padded(own.size) + 4 > room - (size_t)(out - begin)
                || !octets_of(out + 4, &n, own.at, own.size)
                || (f->keeps == KEEPS_TURNED && !turned(out + 4, own.code, own.size))) {
                counts->outdated++;
                continue;
            }
            out = put_option(out, own.code, own.size, f->big_endian);
            memset(out + own.size, 0, padded(own.size) - own.size);
            out += padded(own.size);
        }
    }
    return out > begin ? put_option(out, END, 0, f->big_endian) : out;
}

/* The first line of notes of a kind, or of ours, which says from where a packet was read; `word` is OTHER where there is none. */
static struct note line_of(const uint8_t *notes, size_t size, int word)
{
    struct note n = {.next = notes};
    while (next_note(&n, notes + size))
        if ((int)n.word == word && (word != OWN || (n.size > 1 && n.at[1] == 'I')))
            return n;
    return (struct note){.word = OTHER};
}

/* Whether this is the same line as the first one of its kind there. */
static bool same_line(const struct note *n, const struct pcapng_known *k, int word)
{
    struct note other = line_of(k->notes, k->notes_size, word);
    return n->word == other.word && n->size == other.size && (n->size == 0 || memcmp(n->at, other.at, n->size) == 0);
}

static bool fits(const struct packet *p, const struct pcapng_format *f)
{
    return p->time >= 0 && (f->nano || p->time % 1000 == 0) && p->original >= 0 && p->original <= UINT32_MAX
        && (uint64_t)p->captured <= f->snaplen;
}

/* Mostly packets of an interface have all lines in common, and often they are where those of the one in front are. */
const struct pcapng_known *pcapng_known_of(const uint8_t *data, const struct packet *p, const struct pcapng_known *known, size_t count)
{
    const struct pcapng_known *found = NULL;
    const uint8_t *notes = data + p->notes;
    size_t size = (size_t)p->notes_size;
    for (const struct pcapng_known *k = known; found == NULL && k < known + count; k++)
        if (k->linktype == p->linktype && k->notes_size == size && (size == 0 || memcmp(k->notes, notes, size) == 0))
            found = k;
    if (found == NULL) {
        struct note name = line_of(notes, size, IFACE), own = line_of(notes, size, OWN);
        for (const struct pcapng_known *k = known; found == NULL && k < known + count; k++)
            if (k->linktype == p->linktype && same_line(&name, k, IFACE) && same_line(&own, k, OWN))
                found = k;
    }
    return found != NULL && fits(p, &found->format) ? found : NULL;
}

uint64_t pcapng_room(const struct packet *p)
{
    return 44 + padded((size_t)p->captured) + 2 * (uint64_t)p->notes_size;    /* flags; no option has twice the bytes of its line */
}

size_t pcapng_encode(uint8_t *out, const uint8_t *data, const struct packet *p, const struct pcapng_format *f,
                     struct pcapng_counts *counts)
{
    size_t captured = (size_t)p->captured;
    uint64_t ticks = (uint64_t)(f->nano ? p->time : p->time / 1000);
    bool unknown = timeless(data, p), simple = unknown && is_simple(data, p, f);
    uint8_t *end = out + (simple ? 12 : 28);
    write32(out, simple ? SIMPLE : ENHANCED, f->big_endian);
    if (!simple) {
        write32(out + 8, f->interface, f->big_endian);
        write32(out + 12, (uint32_t)(ticks >> 32), f->big_endian);
        write32(out + 16, (uint32_t)ticks, f->big_endian);
        write32(out + 20, (uint32_t)captured, f->big_endian);
    }
    write32(end - 4, (uint32_t)p->original, f->big_endian);
    counts->timed += unknown && !simple;
    if (captured > 0)
        memcpy(end, data + p->offset, captured);
    memset(end + captured, 0, padded(captured) - captured);
    end += padded(captured);
    if (!simple && (p->notes_size > 0 || f->flags != 0))
        end = put_options(end, MAX_BLOCK - 32 - padded(captured), data, p, f, counts);
    size_t length = (size_t)(end + 4 - out);
    write32(out + 4, (uint32_t)length, f->big_endian);
    write32(end, (uint32_t)length, f->big_endian);
    return length;
}
