/* Numbers of protocols, and what headers say, by name, for exceptions.c. Twin of ../python/wire.py.
 *
 * All accessors take the place where their header starts. As the readers that they go by, they give 0 past the end of the frame.
 */
#ifndef PKTTOOLS_WIRE_H
#define PKTTOOLS_WIRE_H

#include "codec.h"

enum ip_protocol {              /* IANA "Protocol Numbers" */
    PROTO_HOPOPT = 0, PROTO_IPV6_NONXT = 59, PROTO_IPV6_OPTS = 60,
};

enum ethertype {                /* IANA "IEEE 802 Numbers" */
    ETHERTYPE_IP = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_IPV6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88A8, ETHERTYPE_QINQ1 = 0x9100, ETHERTYPE_QINQ2 = 0x9200,
};

enum {                          /* bytes of headers; of IPv4's at least */
    TAG_SIZE = 4, IP_SIZE = 20, IPV6_SIZE = 40, EXTENSION_SIZE = 8,
};

enum {                          /* where fields stand that are written, or compared in place */
    IP_TOTAL_AT = 2, IP_FRAGMENT_AT = 6, IP_PROTOCOL_AT = 9, IP_CHECKSUM_AT = 10,   /* RFC 791 section 3.1 */
    IP_SOURCE_AT = 12, IP_DESTINATION_AT = 16,
    IPV6_PAYLOAD_AT = 4, IPV6_NEXT_AT = 6, IPV6_SOURCE_AT = 8, IPV6_DESTINATION_AT = 24,    /* RFC 8200 section 3 */
};

enum { IP_FRAGMENTED = 0x3FFF };                /* of the 16 bits there: an offset, or more to come */

/* IEEE 802.1Q clause 9.6 */

static inline unsigned tag_type(const struct frame *f, size_t at) { return get16(f, at + 2); }

static inline bool is_tag(unsigned type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ1 || type == ETHERTYPE_QINQ2;
}

/* IPv4, RFC 791 section 3.1 */

static inline unsigned ip_version(const struct frame *f, size_t at) { return get8(f, at) >> 4; }    /* of IPv6, too */
static inline size_t ip_header_size(const struct frame *f, size_t at) { return (get8(f, at) & 0x0F) * 4; }
static inline unsigned ip_total(const struct frame *f, size_t at) { return get16(f, at + IP_TOTAL_AT); }
static inline unsigned ip_offset(const struct frame *f, size_t at) { return get16(f, at + IP_FRAGMENT_AT) & 0x1FFF; }    /* of 8 bytes */
static inline bool ip_is_fragment(const struct frame *f, size_t at) { return (get16(f, at + IP_FRAGMENT_AT) & IP_FRAGMENTED) != 0; }
static inline unsigned ip_protocol(const struct frame *f, size_t at) { return get8(f, at + IP_PROTOCOL_AT); }

/* IPv6, RFC 8200 sections 3 and 4 */

static inline unsigned ipv6_payload(const struct frame *f, size_t at) { return get16(f, at + IPV6_PAYLOAD_AT); }
static inline unsigned ipv6_next(const struct frame *f, size_t at) { return get8(f, at + IPV6_NEXT_AT); }
static inline unsigned extension_length(const struct frame *f, size_t at) { return get8(f, at + 1); }       /* in units of its own */
static inline unsigned route_type(const struct frame *f, size_t at) { return get8(f, at + 2); }
static inline unsigned route_left(const struct frame *f, size_t at) { return get8(f, at + 3); }

/* Of a fragment header. An atomic fragment, a whole datagram, is none (RFC 6946). */
static inline unsigned ipv6_offset(const struct frame *f, size_t at) { return get16(f, at + 2) & 0xFFF8; }
static inline bool ipv6_is_fragment(const struct frame *f, size_t at) { return (get16(f, at + 2) & 0xFFF9) != 0; }

#endif
