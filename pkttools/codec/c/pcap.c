/* Records of pcap files (draft-ietf-opsawg-pcap); the file header is ../../formats/pcap.py's. */
#include "codec.h"

/* Whether four bytes are those that a pcap file begins with, in the byte order that they tell. */
bool pcap_magic(const uint8_t *at, bool *big_endian)
{
    *big_endian = at[0] == 0xA1;
    uint32_t magic = read32(at, *big_endian);
    return magic == 0xA1B2C3D4 || magic == 0xA1B23C4D || magic == 0xA1B2CD34;
}

/* Whether BEGINNING bytes are those of a pcap file. A record has seconds, fraction and lengths in their place: it would be one of
 * the second 0xA1B2C3D4 (in 2055) or a like one, without any bytes, of a packet of at most 9. Versions are the reader's matter.
 */
bool begins_pcap(const uint8_t *at)
{
    enum { QUARTER = 900, DAY = 86400, ACCURACY = 9 };
    bool big_endian;
    if (!pcap_magic(at, &big_endian))
        return false;
    int64_t zone = (int32_t)read32(at + 8, big_endian);         /* seconds */
    return zone % QUARTER == 0 && -DAY <= zone && zone <= DAY && read32(at + 12, big_endian) <= ACCURACY;
}

/* The same of pcapng's section header. */
static bool begins_pcapng(const uint8_t *at)
{
    uint32_t order = read32(at + 8, true);
    return read32(at, true) == 0x0A0D0D0A && (order == 0x1A2B3C4D || order == 0x4D3C2B1A);
}

/* Whether they may be: nearly all records show it by two of their bytes. */
static inline bool may_begin(const uint8_t *at)
{
    return at[0] == 0xA1 || at[3] == 0xA1 || at[0] == 0x0A;
}

/* Whether another capture begins at in[at], where a record was expected. */
static inline bool capture_at(const uint8_t *in, size_t size, size_t at)
{
    return size - at >= BEGINNING && may_begin(in + at) && (begins_pcap(in + at) || begins_pcapng(in + at));
}

/* ---- where a record begins, in the middle of a file ---- */

enum { PATIENCE = 16 };                         /* records that are looked at, for each byte */
enum border { NO_RECORD, MAY_BE_RECORD, MAY_BE_CAPTURE };

/* Whether a record of at most `most` bytes may begin at in[at], with a time not before `since`, which becomes its own; next: where
 * the one behind it would. */
static inline enum border border_at(const uint8_t *in, size_t size, size_t at, const struct pcap_format *format, size_t most,
                                    int64_t *since, size_t *next)
{
    if (capture_at(in, size, at))
        return MAY_BE_CAPTURE;
    uint32_t captured = read32(in + at + 8, format->big_endian), original = read32(in + at + 12, format->big_endian);
    if (format->lengths == SWAPPED || (format->lengths == IN_ORDER_OR_SWAPPED && captured > original))
        captured = original;
    if (captured > most - format->header)
        return NO_RECORD;
    int64_t seconds = read32(in + at, format->big_endian), fraction = read32(in + at + 4, format->big_endian);
    int64_t time = seconds * 1000000000 + fraction * (format->nano ? 1 : 1000);
    if (time < *since)
        return NO_RECORD;
    *since = time;
    *next = at + format->header + captured;
    return MAY_BE_RECORD;
}

/* The same of all that follow; at: of the first one, then where they lead to, in the last few bytes or behind them. patience: how
 * many more are looked at. */
static enum border border_behind(const uint8_t *in, size_t size, size_t *at, const struct pcap_format *format, size_t most,
                                 int64_t since, size_t *patience)
{
    enum border border = MAY_BE_RECORD;
    for (; border == MAY_BE_RECORD && *at <= size - format->header && *patience > 0; --*patience)
        border = border_at(in, size, *at, format, most, &since, at);
    return border;
}

/* Of records with at most `most` bytes one begins in as many first places, where times are in order and not before `since`. If all
 * places from which records may follow each other to the end lead to the same one there, one begins there, too: the right place is
 * among them. Gives it, or size_t's last value where that is not certain, or takes long to find out.
 */
size_t pcap_border(const uint8_t *in, size_t size, const struct pcap_format *format, size_t most, int64_t since)
{
    size_t found = SIZE_MAX, known = SIZE_MAX;  /* known: the next one that is on the way there */
    size_t patience = PATIENCE * size;
    if (most < format->header || size < format->header || most > size - format->header)
        return SIZE_MAX;
    for (size_t at = 0; at < most; at++) {
        int64_t time = since;
        size_t next = at;
        enum border border = border_at(in, size, at, format, most, &time, &next);
        if (border == MAY_BE_RECORD && at == known) {
            known = next;
            continue;
        }
        size_t end = next;
        if (border == MAY_BE_RECORD)
            border = border_behind(in, size, &end, format, most, time, &patience);
        if (patience == 0 || border == MAY_BE_CAPTURE || (border == MAY_BE_RECORD && found != SIZE_MAX && found != end))
            return SIZE_MAX;
        if (border == MAY_BE_RECORD) {
            found = end;
            known = next;
        }
    }
    return found;
}

/* Goes on where it was, also where there was no memory for more. */
void pcap_decode(struct pcap_decoder *d, const uint8_t *in, size_t size, bool final,
                 const struct pcap_format *format, int64_t linktype)
{
    size_t at = d->consumed;
    d->error = NO_ERROR;
    while (at < size) {
        if (capture_at(in, size, at)) {
            d->error = ANOTHER_CAPTURE;
            break;
        }
        if (size - at < format->header) {
            if (final) {
                d->error = HEADER_CUT;
                d->have = size - at;
                d->want = format->header;
            }
            break;
        }
        uint32_t captured = read32(in + at + 8, format->big_endian), original = read32(in + at + 12, format->big_endian);
        if (format->lengths == SWAPPED || (format->lengths == IN_ORDER_OR_SWAPPED && captured > original)) {
            uint32_t second = original;
            original = captured;
            captured = second;
        }
        if (captured > MAX_FRAME) {     /* before any of it is waited for: a length is not to be trusted */
            d->error = RECORD_TOO_LONG;
            d->have = captured;
            d->want = MAX_FRAME;
            break;
        }
        size_t have = size - at - format->header;
        if (have < captured) {
            if (final) {
                d->error = RECORD_CUT;
                d->have = have;
                d->want = captured;
            }
            break;
        }
        int64_t seconds = read32(in + at, format->big_endian), fraction = read32(in + at + 4, format->big_endian);
        if (!bytes_need(&d->packets, sizeof(struct packet))) {
            d->error = NO_MEMORY;
            break;
        }
        /* Written where it stays: to copy as a whole what was just written in parts has to wait for that. */
        *(struct packet *)(d->packets.at + d->packets.size) = (struct packet){
            .offset = (int64_t)(at + format->header), .captured = captured,
            .original = original,
            .time = seconds * 1000000000 + fraction * (format->nano ? 1 : 1000), .linktype = linktype,
        };
        d->packets.size += sizeof(struct packet);
        at += format->header + captured;
    }
    d->consumed = at;
}

bool pcap_fits(const struct packet *p)
{
    return p->time >= 0 && p->time / 1000000000 <= UINT32_MAX && p->original >= 0 && p->original <= UINT32_MAX;
}

/* What stands in front of a packet's bytes: seconds, their fraction, and two lengths. */
struct record {
    uint32_t word[4];
};

static inline struct record record_of(const struct packet *p, const struct pcap_format *format)
{
    int64_t fraction = p->time % 1000000000;
    return (struct record){{
        (uint32_t)(p->time / 1000000000), (uint32_t)(format->nano ? fraction : fraction / 1000), (uint32_t)p->captured,
        (uint32_t)p->original,
    }};
}

/* Whether a packet's record stands in the data already, as it was read, so that it need not be made; then it fits, and its time is
 * not rounded. By multiplying what stands there: to divide a time takes longer.
 */
bool pcap_stands(const uint8_t *data, const struct packet *p, const struct pcap_format *format)
{
    if (p->offset < RECORD)
        return false;
    const uint8_t *at = data + p->offset - RECORD;
    int64_t seconds = read32(at, format->big_endian), fraction = read32(at + 4, format->big_endian), unit = format->nano ? 1 : 1000;
    return fraction * unit < 1000000000 && seconds * 1000000000 + fraction * unit == p->time
        && read32(at + 8, format->big_endian) == p->captured && read32(at + 12, format->big_endian) == p->original;
}

size_t pcap_encode(uint8_t *out, const uint8_t *data, const struct packet *p, const struct pcap_format *format)
{
    struct record r = record_of(p, format);
    for (int i = 0; i < 4; i++)
        write32(out + 4 * i, r.word[i], format->big_endian);
    if (p->captured > 0)
        memcpy(out + RECORD, data + p->offset, (size_t)p->captured);
    return RECORD + (size_t)p->captured;
}
