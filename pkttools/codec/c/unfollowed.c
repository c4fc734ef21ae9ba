/* What a packet carries that the walk does not follow: what may have further headers in it, or none that we know. What is known to
 * carry nothing, or nothing that can be read, is no such thing: routing protocols, ESP, LLDP. Twin of ../python/unfollowed.py.
 */
#include "codec.h"

static uint64_t code(enum space space, uint64_t number)
{
    return (uint64_t)space << 32 | (number & 0xFFFFFFFF);
}

static bool among(const uint16_t *numbers, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* IEEE 802.2 behind a length, or behind what cooked captures have there: IP, and SNAP with an EtherType or a whole frame in it. */
uint64_t beyond_llc(const struct frame *f, size_t at)
{
    unsigned saps = get16(f, at), organization = get16(f, at + 3) << 8 | get8(f, at + 5);
    if (saps == 0xAAAA && get8(f, at + 2) == 3)
        return !frame_has(f, at, 6) ? 0 : organization == 0 || organization == 0xF8 || organization == 0x80C2 ? code(LLC, saps) : 0;
    return saps == 0x0606 ? code(LLC, saps) : 0;
}

uint64_t beyond_type(unsigned type)
{
    static const uint16_t leaves[] = {          /* what is followed, RARP, wake-on-LAN, what bridges say, ... */
        0x0800, 0x0806, 0x86DD, 0x8035, 0x0842, 0x9000, 0x8863, 0x88CC, 0x8809, 0x888E, 0x88F5, 0x88F6, 0x88F7, 0x8902, 0x88E1,
        0x8892, 0x88A4, 0x88B8, 0x88B9, 0x88BA, 0x22EA, 0x22F0, 0x6002, 0x6003, 0x8100, 0x88A8, 0x9100, 0x9200, 0x8808, 0x88FB,
        0x88B5, 0x88B6, 0x88B7,                 /* for experiments: who writes these knows what they are */
    };
    return type < LEAST_ETHERTYPE || among(leaves, sizeof leaves / sizeof *leaves, type) ? 0 : code(ETHERTYPE, type);
}

uint64_t beyond_gre(unsigned flags)
{
    return code(GRE_VERSION, flags & GRE_VERSION_BITS);
}

enum { PIM_REGISTER = 1 };

/* PIM has a datagram in it where it registers a source, RFC 7761 section 4.9.3. */
uint64_t beyond_protocol(const struct frame *f, unsigned protocol, size_t at)
{
    static const uint16_t leaves[] = {
        PROTO_ICMP, PROTO_IGMP, PROTO_GGP, PROTO_IPV4, PROTO_TCP, PROTO_EGP, PROTO_IGP, PROTO_UDP, PROTO_DCCP, PROTO_IPV6,
        PROTO_RSVP, PROTO_GRE, PROTO_ESP, PROTO_IPV6_ICMP, PROTO_IPV6_NONXT, PROTO_EIGRP, PROTO_OSPF, PROTO_IPCOMP, PROTO_VRRP,
        PROTO_PGM, PROTO_SCTP, PROTO_FC, PROTO_MOBILITY, PROTO_UDPLITE, PROTO_HIP, PROTO_SHIM6, PROTO_WESP, PROTO_HOMA,
    };
    if (protocol == PROTO_PIM)
        return (get8(f, at) & 15) == PIM_REGISTER ? code(PROTOCOL, protocol) : 0;
    return among(leaves, sizeof leaves / sizeof *leaves, protocol) ? 0 : code(PROTOCOL, protocol);
}

/* Tunnels over UDP, by their port and by what their first bytes have to be: any number is somebody's port, too. */
static bool tunnel(const struct frame *f, unsigned port, size_t at, size_t end)
{
    unsigned first = get8(f, at), second = get8(f, at + 1);
    size_t size = end - at;
    switch (port) {
    case PORT_L2TP: return size >= 6 && (first & 0x80) == 0 && (second & 14) == 2;   /* data, RFC 2661 section 3.1 */
    case PORT_GTP_U: return size >= 8 && first >> 4 == 3 && second == 255;   /* 3GPP TS 29.281 section 5.1 */
    case PORT_TEREDO: return size >= 40 && (first >> 4 == 6 || get16(f, at) <= 1);   /* RFC 4380 section 5.1.1 */
    case PORT_LISP: return size >= 28 && (get8(f, at + 8) >> 4 == 4 || get8(f, at + 8) >> 4 == 6);   /* RFC 9300 */
    case PORT_VXLAN_GPE: return size >= 8 && (first & 8) != 0;
    case PORT_CAPWAP: return size >= 8 && first == 0;   /* data, RFC 5415 section 4.3 */
    case PORT_GUE: return size >= 4 && first >> 6 <= 1;
    case PORT_GENEVE: return size >= 8 && first >> 6 == 0 && get8(f, at + 7) == 0 && size >= 8 + (first & 63) * 4u;   /* RFC 8926 */
    case PORT_MPLS: return size >= 4;   /* RFC 7510 */
    case PORT_OTV: return size >= 8 && first == 8 && get8(f, at + 7) == 0;   /* VXLAN, as Linux numbers it */
    case PORT_SCTP: return size >= 12;   /* RFC 6951 */
    case PORT_TZSP: return size >= 5 && first == 1;
    default: return false;
    }
}

uint64_t beyond_udp(const struct frame *f, size_t at, size_t end)
{
    unsigned source = udp_source(f, at), destination = udp_destination(f, at);
    if (source < 1024 && destination < 1024)
        return 0;
    if (tunnel(f, destination, at + UDP_SIZE, end))
        return code(PORT, destination);
    bool both = source == PORT_L2TP || source == PORT_TEREDO || source == PORT_SCTP;    /* its answers come from there */
    return both && tunnel(f, source, at + UDP_SIZE, end) ? code(PORT, source) : 0;
}

/* Link types that carry no packets of a network: buses, radio, management. */
uint64_t beyond_link(int64_t linktype)
{
    static const uint16_t leaves[] = {
        186, 187, 189, 190, 191, 195, 201, 209, 215, 220, 227, 230, 249, 251, 253, 254, 255, 256, 264, 270, 271, 272, 278, 283, 288,
    };
    bool leaf = linktype >= 0 && linktype <= 0xFFFF && among(leaves, sizeof leaves / sizeof *leaves, (unsigned)linktype);
    return leaf || known_link(linktype) ? 0 : code(LINK, (uint64_t)linktype);
}
