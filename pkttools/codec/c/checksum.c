/* The Internet checksum (RFC 1071), the CRC of SCTP, and what is to be said of one. Twin of ../python/checksum.py. */
#include "protocols.h"
#include "words.h"

static uint32_t crc_table[256];

void checksum_prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;   /* CRC32c, its bits reversed: RFC 9260 appendix A */
        crc_table[i] = crc;
    }
    words_use(true);
}

static uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t size)
{
    for (; size > 0; at++, size--)
        crc = crc >> 8 ^ crc_table[(crc ^ *at) & 0xFF];
    return crc;
}

/* The 16-bit one's complement sum of big-endian words, an odd last byte padded with zero. */
uint32_t sum(const uint8_t *at, size_t size)
{
    return in_order(words(at, size));
}

unsigned fold(uint64_t total)
{
    return ~one_word(total) & 0xFFFF;
}

/* The other way in which a checksum is computed by some, where `other` is set. */
void other_reading(struct message *m)
{
    if (m->rule->also == ALSO_MESSAGE)
        m->covered = m->length = m->size;
    else
        m->pseudo = !m->pseudo;
}

/* The words that a checksum covers without itself and the pseudo-header, as far as they were captured. */
static inline uint64_t covered_words(const struct frame *f, const struct message *m)
{
    size_t size = least(m->covered, f->size - m->at), gap_at = m->rule->gap_at, gap_end = gap_at + m->rule->gap;
    const uint8_t *at = frame_range(f, m->at, size);
    HOLDS(m->place + 2u <= size);
    uint64_t total = words(at, gap_end == 0 ? size : least(size, gap_at)) - words_part(at, m->place);
    if (gap_end != 0 && size > gap_end)
        total += words(at + gap_end, size - gap_end);
    return total;
}

enum { USUAL_HEADER = 20 };     /* bytes */

/* The checksum that the header at `index` has beside that of what it carries: of IPv4; none when it was not captured in full. */
struct checksum header_checksum(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    const struct sum_rule *r = carries_message(h) ? protocols->kinds[h->kind].sum : NULL;
    if (r == NULL)
        return (struct checksum){0};
    size_t size = datagram_head(&p->frame, h);
    if (r->bytes != 2 || size < r->least || !within(p, h->start, size))
        return (struct checksum){0};
    const uint8_t *at = frame_range(&p->frame, h->start, size);
    uint64_t total = size == USUAL_HEADER ? words(at, USUAL_HEADER) : words(at, size);     /* nearly all are: no loop */
    unsigned value = complement(in_order(total - words_part(at, r->place)));
    return (struct checksum){h->start + r->place, 2, value, value};
}

static uint32_t crc_of(const struct frame *f, const struct message *m)
{
    static const uint8_t zeros[4];
    const uint8_t *at = frame_range(f, m->at, m->covered);
    uint32_t crc = crc32c(crc32c(0xFFFFFFFF, at, m->place), zeros, 4);
    return reversed(~crc32c(crc, at + m->place + 4, m->covered - m->place - 4));    /* little-endian in the packet */
}

/* All that the Internet checksum of a message covers, but itself, as far as it was captured. */
uint32_t message_sum(const struct frame *f, const struct message *m)
{
    return in_order(pseudo_words(f, m) + covered_words(f, m));
}

/* The sum as it is written: where 0 would say that there is none, 0xFFFF stands for it. */
unsigned written(const struct message *m, unsigned value)
{
    return value == 0 && m->rule->zero >= NEVER ? 0xFFFF : value;
}

/* What some write; who leaves out a pseudo-header, or has one, may go on. */
static void read_otherwise(const struct frame *f, const struct message *m, struct checksum *c)
{
    struct message o = *m;
    other_reading(&o);
    c->also = written(&o, complement(message_sum(f, &o)));
    if (m->rule->also != ALSO_MESSAGE && checksum_read(f, c) == c->also)
        c->value = c->also;
}

/* Where the checksum of a message stands that was captured, and what it should be. */
void message_value(const struct frame *f, const struct message *m, struct checksum *c)
{
    uint32_t value = m->bytes == 4 ? crc_of(f, m) : written(m, complement(message_sum(f, m)));
    *c = (struct checksum){m->at + m->place, m->bytes, value, value};
    if (m->other)
        read_otherwise(f, m, c);
}

/* Whether a message was made by the other reading of its checksum. */
bool made_otherwise(const struct packet_view *p, const struct message *m)
{
    struct message o = *m;
    if (!m->other || !within(p, m->at, m->size))
        return false;
    other_reading(&o);
    unsigned stored = get16(&p->frame, m->at + m->place);
    return stored != complement(message_sum(&p->frame, m)) && stored == complement(message_sum(&p->frame, &o));
}

/* What the field of a checksum holds that was left to the network card: the sum of the pseudo-header, not inverted. */
unsigned card_seed(const struct frame *f, const struct message *m)
{
    return in_order(pseudo_words(f, m));
}

/* Whether a checksum was left to the card. Windows leaves out the length where the card is to cut a segment (large send offload). */
bool left_to_card(const struct frame *f, const struct message *m)
{
    struct message uncut = *m;
    unsigned stored = get16(f, m->at + m->place);
    uncut.length = 0;
    return m->pseudo && (stored == card_seed(f, m) || ((m->rule->card & CARD_CUTS) != 0 && stored == card_seed(f, &uncut)));
}

/* What the card would make of a seed: it adds what it was given from the start of the message on. */
unsigned card_value(const struct frame *f, const struct message *m)
{
    return written(m, fold(in_order(covered_words(f, m)) + get16(f, m->at + m->place)));
}

/* What has to be added to the sum over a message, so that it is that over the same message with a checksum inside finished that
 * was left to the card: outer sums are computed as if that were done (Linux calls it local checksum offload).
 */
uint64_t finishing_sum(const struct frame *f, const struct message *m, const struct checksum *left)
{
    if (left->size == 0 || left->at < m->at || left->at - m->at >= m->covered)
        return 0;
    uint64_t total = (~get16(f, left->at) & 0xFFFF) + left->value;
    return (left->at - m->at) % 2 == 0 ? total : total << 8;
}

/* What is to be said of a checksum. In one's complement 0 and 0xFFFF are the same number: receivers that add everything up accept
 * 0xFFFF for 0; not 0 for 0xFFFF, which is computed of zeros alone: their sum is 0 then.
 */
enum verdict judged(const struct frame *f, const struct checksum *c)
{
    uint32_t stored = checksum_read(f, c);
    if (c->size == 0)
        return NONE;
    if (stored == c->value || stored == c->also || (c->size == 2 && stored == 0xFFFF && c->value == 0))
        return RIGHT;
    return BAD;
}

/* Whether a message says that it has no checksum, where it should have one. */
bool is_missing(const struct frame *f, const struct message *m)
{
    return m->rule->zero >= MISSING && get16(f, m->at + m->place) == 0;
}

/* Whether it has none, and may have none, whatever its length says, and however much of it was captured: UDP over IPv4. Over IPv6 it must have one
 * (RFC 768, RFC 8200 section 8.1), and UDP-Lite must, too (RFC 3828 section 3.1).
 */
bool was_not_sent(const struct frame *f, const struct message *m)
{
    return m->rule != NULL && m->rule->zero == MISSING && !m->v6 && frame_has(f, m->at + m->place, 2) && is_missing(f, m);
}

/* What is to be said of the checksum of a message. */
enum verdict message_judged(const struct frame *f, const struct message *m, const struct checksum *c)
{
    if (c->size == 0)
        return NONE;
    if (is_missing(f, m))
        return was_not_sent(f, m) ? NONE : BAD;
    enum verdict verdict = judged(f, c);
    return verdict == BAD && left_to_card(f, m) ? LEFT : verdict;
}

void checksum_write(const struct writable_frame *f, const struct checksum *c)
{
    if (c->size == 4)
        put16(f, c->at, c->value >> 16);
    if (c->size > 0)
        put16(f, c->at + c->size - 2, c->value & 0xFFFF);
}
