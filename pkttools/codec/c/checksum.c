/* The Internet checksum (RFC 1071), the CRC of SCTP, and who carries one: the rules, once. Twin of ../python/checksum.py. */
#include "codec.h"

static uint32_t crc_table[256];

void checksum_prepare(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82F63B78 : crc >> 1;   /* CRC32c, its bits reversed: RFC 9260 appendix A */
        crc_table[i] = crc;
    }
}

static uint32_t crc32c(uint32_t crc, const uint8_t *at, size_t size)
{
    for (; size > 0; at++, size--)
        crc = crc >> 8 ^ crc_table[(crc ^ *at) & 0xFF];
    return crc;
}

static inline bool little_endian(void)
{
    const uint16_t probe = 1;
    return *(const uint8_t *)&probe == 1;
}

static inline uint64_t word16(const uint8_t *at)
{
    uint16_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t word64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t halves(uint64_t word)
{
    return (word & UINT32_MAX) + (word >> 32);
}

/* All words added up, in the machine's byte order: the sum does not mind, RFC 1071 2(B). An odd last byte is padded with zero.
 * By eight bytes; what is left of them is cut out of the last eight, so that no branch goes by it.
 */
static inline uint64_t words(const uint8_t *at, size_t size)
{
    uint64_t total = 0;
    if (size < 8) {
        uint8_t padded[8] = {0};
        for (size_t i = 0; i < size; i++)
            padded[i] = at[i];
        return halves(word64(padded));
    }
    size_t whole = size / 8 * 8, cut = 8 * (7 - size % 8);
    for (size_t i = 0; i < whole; i += 8)
        total += halves(word64(at + i));
    uint64_t last = word64(at + size - 8);
    return total + halves(little_endian() ? last >> cut >> 8 : last << cut << 8);
}

/* What two bytes at an even place are of that. Shifted, not put together in memory: to read what was just written in parts has
 * to wait for it.
 */
static inline uint64_t words_part(const uint8_t *at, size_t place)
{
    return word16(at + place) << ((place % 4 != 0) == little_endian() ? 16 : 0);
}

/* A one's complement sum of words, as one of 16 bits. No branches: how many carries there are cannot be foreseen. */
static inline unsigned one_word(uint64_t total)
{
    total += total << 32 | total >> 32;
    uint32_t half = (uint32_t)(total >> 32);
    half += half << 16 | half >> 16;
    return half >> 16;
}

/* The 16 bits that words add up to, in the order of the network. */
static uint32_t in_order(uint64_t total)
{
    unsigned word = one_word(total);
    return little_endian() ? word >> 8 | (word & 0xFF) << 8 : word;
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

/* What a checksum covers, if it is not the whole message; FLAGGED and CONTROL: whether there is one at all. */
enum extent { WHOLE, FLAGGED, CONTROL, UDP_LENGTH, LITE_COVERAGE, DCCP_COVERAGE, OSPF_LENGTH, PIM_HEADER, VRRP_VERSION, OWN_LENGTH };
enum { V4 = 1, V6 = 2, BOTH = 3 };

/* Where in a message a checksum stands, its bytes, and the message's least size, which it lies in. */
#define LIES(place, bytes, least) (place), (bytes), (least) + 0 * sizeof(struct { \
        char none; _Static_assert((place) + (bytes) <= (least), "the least message has its checksum"); })

/* Who carries a checksum: protocol, in which versions of IP, where it lies, in which versions there is a pseudo-header, what 0 says,
 * and what is covered. The most frequent ones first.
 */
static const struct rule {
    unsigned char protocol, versions, place, bytes, least, pseudo, zero, extent;
} rules[] = {
    {PROTO_TCP, BOTH, LIES(16, 2, 20), BOTH, A_SUM, WHOLE},             /* RFC 9293 section 3.1 */
    {PROTO_UDP, BOTH, LIES(6, 2, 8), BOTH, NEVER, UDP_LENGTH},          /* RFC 768 */
    {PROTO_ICMP, V4, LIES(2, 2, 4), 0, A_SUM, WHOLE},                   /* RFC 792 */
    {PROTO_IPV6_ICMP, V6, LIES(2, 2, 4), V6, A_SUM, WHOLE},             /* RFC 4443 section 2.3 */
    {PROTO_IGMP, V4, LIES(2, 2, 8), 0, A_SUM, WHOLE},                   /* RFC 3376 section 4.1.2: the whole payload of IP */
    {PROTO_SCTP, BOTH, LIES(8, 4, 12), 0, A_SUM, WHOLE},                /* RFC 9260 section 6.8: a CRC */
    {PROTO_GRE, BOTH, LIES(4, 2, 8), 0, A_SUM, FLAGGED},                /* RFC 2784 section 2.3: where a flag says so */
    {PROTO_OSPF, BOTH, LIES(12, 2, 16), V6, A_SUM, OSPF_LENGTH},        /* RFC 2328 section D.4, RFC 5340 section A.3.1, RFC 7949 */
    {PROTO_PIM, BOTH, LIES(2, 2, 4), V6, A_SUM, PIM_HEADER},            /* RFC 7761 section 4.9 */
    {PROTO_VRRP, BOTH, LIES(6, 2, 8), V6, A_SUM, VRRP_VERSION},         /* RFC 9568 section 5.2.8, RFC 3768 section 5.3.8 */
    {PROTO_UDPLITE, BOTH, LIES(6, 2, 8), BOTH, NEVER, LITE_COVERAGE},   /* RFC 3828 section 3.1 */
    {PROTO_DCCP, BOTH, LIES(6, 2, 12), BOTH, A_SUM, DCCP_COVERAGE},     /* RFC 4340 section 9 */
    {PROTO_MOBILITY, V6, LIES(4, 2, 8), V6, A_SUM, OWN_LENGTH},         /* RFC 6275 section 6.1.1 */
    {PROTO_HIP, BOTH, LIES(4, 2, 8), BOTH, A_SUM, OWN_LENGTH},          /* RFC 7401 section 5.1 */
    {PROTO_SHIM6, V6, LIES(4, 2, 8), 0, A_SUM, CONTROL},                /* RFC 5533 section 5.3 */
    {PROTO_EIGRP, BOTH, LIES(2, 2, 20), 0, A_SUM, WHOLE},               /* RFC 7868 section 6.2 */
    {PROTO_RSVP, BOTH, LIES(2, 2, 8), 0, NO_SUM, WHOLE},                /* RFC 2205 section 3.1.1 */
    {PROTO_PGM, BOTH, LIES(6, 2, 16), 0, NO_SUM, WHOLE},                /* RFC 3208 section 8 */
};

/* Those that carry none of their own: IP in IP, IPv6, no next header, KA9Q's IP in IP, Ethernet, L2TPv3, MPLS. Of all others it
 * is not known: ESP, AH, what is encrypted, what we have not heard of.
 */
static bool none_of_its_own(unsigned protocol)
{
    return protocol == PROTO_IPV4 || protocol == PROTO_IPV6 || protocol == PROTO_IPV6_NONXT || protocol == PROTO_IPIP
        || protocol == PROTO_ETHERIP || protocol == PROTO_L2TP || protocol == PROTO_MPLS;
}

/* What a checksum covers that does not cover the whole message. False: the sizes in it contradict each other. */
static bool covering_part(const struct frame *f, struct message *m, enum extent extent)
{
    unsigned first = get8(f, m->at), own = get16(f, m->at + 2);
    size_t length = m->size, least = 0;
    bool sound = true, none = false;
    switch (extent) {
    case WHOLE:
        break;
    case FLAGGED:
        none = !gre_has_checksum(f, m->at);
        break;
    case CONTROL:
        none = (own & 0x8000) != 0;             /* it carries a payload instead */
        m->covered = ((size_t)get8(f, m->at + 1) + 1) * 8;
        break;
    case OWN_LENGTH:
        m->covered = m->length = ((size_t)get8(f, m->at + 1) + 1) * 8;
        break;
    case UDP_LENGTH:
        length = udp_length(f, m->at);
        if (length == 0 && (m->v6 || m->size > 0xFFFF))     /* a jumbogram, RFC 2675 section 4 */
            length = m->size;
        if (length >= UDP_SIZE)
            m->covered = m->length = length;
        sound = length >= UDP_SIZE;
        break;
    case LITE_COVERAGE:
        length = udp_length(f, m->at);          /* it stands where UDP has that */
        if (length >= UDP_SIZE)
            m->covered = length;
        sound = length == 0 || length >= UDP_SIZE;
        break;
    case DCCP_COVERAGE:
        length = (size_t)get8(f, m->at + 4) * 4;
        sound = length >= 12 && length <= m->size;
        if (sound && (get8(f, m->at + 5) & 15) != 0)
            m->covered = length + ((get8(f, m->at + 5) & 15) - 1) * 4;
        break;
    case OSPF_LENGTH:
        m->unknown = first != 3 && (first != 2 || m->v6);
        none = m->unknown || (first == 2 && get16(f, m->at + 14) == 2);     /* cryptographic authentication has no sum */
        m->gap = first == 2 ? 8 : 0;            /* its authentication is left out */
        m->pseudo = first == 3;
        m->covered = m->length = own;
        least = first == 2 ? 24 : 16;
        sound = own >= least;
        break;
    case PIM_HEADER:
        none = m->unknown = first >> 4 != 2;
        m->other = (first & 15) == 1;           /* Register; some senders have the whole message */
        if (m->other)
            least = m->covered = m->length = 8;
        break;
    case VRRP_VERSION:
        none = m->unknown = first >> 4 != 3 && (first >> 4 != 2 || m->v6);
        m->other = m->kept = first >> 4 == 3 && !m->v6;     /* RFC 5798: older senders have a pseudo-header in IPv4, too */
        break;
    }
    if (none)
        m->place = 0;
    return sound && m->size >= least && m->covered <= m->size;
}

/* Finds the rule for a message, and fills in what its checksum covers; `place` is 0 where it has none. False: its own sizes
 * contradict each other; it is filled in all the same, as far as it can be.
 */
bool covering(const struct frame *f, struct message *m)
{
    const struct rule *r = rules, *end = rules + sizeof rules / sizeof *rules;
    while (r < end && (r->protocol != m->protocol || (r->versions >> m->v6 & 1) == 0))
        r++;
    if (r == end) {
        m->unknown = !none_of_its_own(m->protocol);
        return true;
    }
    m->place = r->place;
    m->bytes = r->bytes;
    m->covered = m->length = m->size;
    m->pseudo = r->pseudo >> m->v6 & 1;
    m->never_zero = r->zero == NEVER;
    if (r->zero == NO_SUM && get16(f, m->at + r->place) == 0)
        m->place = 0;
    bool sound = r->extent == WHOLE || covering_part(f, m, (enum extent)r->extent);
    return sound && m->size >= r->least;
}

/* The other way in which a checksum is computed by some, where `other` is set. */
void other_reading(struct message *m)
{
    if (m->kept)
        m->pseudo = !m->pseudo;
    else
        m->covered = m->length = m->size;
}

/* The words that a checksum covers without itself and the pseudo-header, as far as they were captured. */
uint64_t covered_sum(const struct frame *f, const struct message *m)
{
    size_t size = least(m->covered, f->size - m->at), gap_end = 16u + m->gap;
    const uint8_t *at = frame_range(f, m->at, size);
    HOLDS(m->place + 2u <= size);
    uint64_t total = words(at, m->gap == 0 ? size : least(size, 16)) - words_part(at, m->place);
    if (m->gap != 0 && size > gap_end)
        total += words(at + gap_end, size - gap_end);
    return in_order(total);
}

/* The checksum of the IPv4 header at `index`; none when it was not captured in full, or is none. */
struct checksum header_checksum(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    size_t size = ip_header_size(&p->frame, h->start);
    if (h->kind != IP || size < IP_SIZE || !within(p, h->start, size))
        return (struct checksum){0};
    const uint8_t *at = frame_range(&p->frame, h->start, size);
    uint64_t total = size == IP_SIZE ? words(at, IP_SIZE) : words(at, size);     /* nearly all are: no loop */
    unsigned value = fold(in_order(total - words_part(at, IP_CHECKSUM_AT)));
    return (struct checksum){h->start + IP_CHECKSUM_AT, 2, value, value};
}

/* Whether 0 means that there is no checksum (RFC 768), and stays: in UDP that carries a tunnel, over IPv6 too (RFC 6935), and
 * over IPv4 in a tunnel, where nobody needs two.
 */
bool zero_stays(const struct packet_view *p, size_t index, const struct message *m)
{
    if (m->protocol != PROTO_UDP || udp_checksum(&p->frame, m->at) != 0)
        return false;
    for (size_t i = 0; i < index && !m->v6; i++)
        if (p->walk.header[i].kind == IP || p->walk.header[i].kind == IPV6)
            return true;
    return is_tunnel_port(udp_destination(&p->frame, m->at));
}

static uint32_t crc_of(const struct frame *f, const struct message *m)
{
    static const uint8_t zeros[4];
    const uint8_t *at = frame_range(f, m->at, m->covered);
    uint32_t crc = crc32c(crc32c(0xFFFFFFFF, at, m->place), zeros, 4);
    return reversed(~crc32c(crc, at + m->place + 4, m->covered - m->place - 4));    /* little-endian in the packet */
}

/* All that the Internet checksum of a message covers, but itself, as far as it was captured. */
uint64_t message_sum(const struct frame *f, const struct message *m)
{
    return pseudo_sum(f, m) + covered_sum(f, m);
}

static inline unsigned value_of(const struct frame *f, const struct message *m)
{
    unsigned value = fold(message_sum(f, m));
    return value == 0 && m->never_zero ? 0xFFFF : value;
}

static inline struct checksum checksum_of(const struct frame *f, const struct message *m)
{
    uint32_t value = m->bytes == 4 ? crc_of(f, m) : value_of(f, m);
    return (struct checksum){m->at + m->place, m->bytes, value, value};
}

/* Where the checksum of a message stands that was captured, and what it should be. */
void message_value(const struct frame *f, const struct message *m, struct checksum *c)
{
    *c = checksum_of(f, m);
}

/* The message behind the IP header at `index` and the checksum it should carry. */
enum outcome message_checksum(const struct packet_view *p, size_t index, struct message *m, struct checksum *c)
{
    const struct frame *f = &p->frame;
    *c = (struct checksum){0};
    enum outcome outcome = message_of(p, index, m);
    if (outcome != CORRECTED && outcome != FRAGMENT)
        return outcome;
    bool sound = covering(f, m);
    if (m->place == 0)
        return CORRECTED;
    if (outcome == FRAGMENT)
        return FRAGMENT;
    if (!within(p, m->at, m->size))
        return missing(p);
    if (!sound)
        return MALFORMED;
    if (zero_stays(p, index, m))
        return CORRECTED;
    if (m->obscure && m->pseudo)
        return OBSCURE;
    *c = checksum_of(f, m);
    if (m->other) {
        struct message o = *m;
        other_reading(&o);
        c->also = value_of(f, &o);
        if (m->kept && checksum_read(f, c) == c->also)
            c->value = c->also;
    }
    return CORRECTED;
}

/* What the field of a checksum holds that was left to the network card: the sum of the pseudo-header, not inverted. */
unsigned card_seed(const struct frame *f, const struct message *m)
{
    return ~fold(pseudo_sum(f, m)) & 0xFFFF;
}

/* Whether a checksum was left to the card. Windows leaves out the length where the card is to cut a segment (large send offload). */
bool left_to_card(const struct frame *f, const struct message *m)
{
    struct message uncut = *m;
    unsigned stored = get16(f, m->at + m->place);
    uncut.length = 0;
    return m->pseudo && (stored == card_seed(f, m) || (m->protocol == PROTO_TCP && stored == card_seed(f, &uncut)));
}

/* What the card would make of a seed: it adds what it was given from the start of the message on. */
unsigned card_value(const struct frame *f, const struct message *m)
{
    unsigned value = fold(covered_sum(f, m) + get16(f, m->at + m->place));
    return value == 0 && m->never_zero ? 0xFFFF : value;
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

/* What is to be said of a checksum. In one's complement 0 and 0xFFFF are the same number: receivers that add everything up
 * accept both.
 */
enum verdict judged(const struct frame *f, const struct checksum *c)
{
    uint32_t stored = checksum_read(f, c);
    if (c->size == 0)
        return NONE;
    if (stored == c->value || stored == c->also || (c->size == 2 && stored % 0xFFFF == 0 && c->value % 0xFFFF == 0))
        return RIGHT;
    return BAD;
}

/* The same for a message; UDP over IPv4 may say that it has none, over IPv6 it must not (RFC 768, RFC 8200 section 8.1), and
 * UDP-Lite never does (RFC 3828 section 3.1).
 */
enum verdict message_judged(const struct frame *f, const struct message *m, const struct checksum *c)
{
    uint32_t stored = checksum_read(f, c);
    if (c->size > 0 && m->never_zero && stored == 0)
        return m->v6 || m->protocol != PROTO_UDP ? BAD : NONE;
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
