"""What a packet carries that the walk does not follow; twin of ../c/unfollowed.c.

What may have further headers in it, or is not known at all. What is known to carry nothing, or nothing that can be read, is no
such thing: routing protocols, ESP, LLDP.
"""

from __future__ import annotations

from . import wire

ETHERTYPE, PROTOCOL, PORT, LLC, LINK, GRE_VERSION = range(1, 7)  # `enum space` in ../c/codec.h

# IP, ARP and RARP; wake-on-LAN, loopback, PPPoE discovery; what bridges say; EAPOL; PTP; tags ...
LEAF_TYPES = {
    0x0800, 0x0806, 0x86DD, 0x8035, 0x0842, 0x9000, 0x8863, 0x88CC, 0x8809, 0x888E, 0x88F5, 0x88F6, 0x88F7, 0x8902, 0x88E1,
    0x8892, 0x88A4, 0x88B8, 0x88B9, 0x88BA, 0x22EA, 0x22F0, 0x6002, 0x6003, 0x8100, 0x88A8, 0x9100, 0x9200, 0x8808, 0x88FB,
    0x88B5, 0x88B6, 0x88B7,  # for experiments: who writes these knows what they are
}  # fmt: skip
LEAF_PROTOCOLS = {
    wire.PROTO_ICMP, wire.PROTO_IGMP, wire.PROTO_GGP, wire.PROTO_IPV4, wire.PROTO_TCP, wire.PROTO_EGP, wire.PROTO_IGP,
    wire.PROTO_UDP, wire.PROTO_DCCP, wire.PROTO_IPV6, wire.PROTO_RSVP, wire.PROTO_GRE, wire.PROTO_ESP, wire.PROTO_IPV6_ICMP,
    wire.PROTO_IPV6_NONXT, wire.PROTO_EIGRP, wire.PROTO_OSPF, wire.PROTO_IPCOMP, wire.PROTO_VRRP, wire.PROTO_PGM, wire.PROTO_SCTP,
    wire.PROTO_FC, wire.PROTO_MOBILITY, wire.PROTO_UDPLITE, wire.PROTO_HIP, wire.PROTO_SHIM6, wire.PROTO_WESP, wire.PROTO_HOMA,
}  # fmt: skip
LEAF_LINKS = {
    186, 187, 189, 190, 191, 195, 201, 209, 215, 220, 227, 230, 249, 251, 253, 254, 255, 256, 264, 270, 271, 272, 278, 283, 288,
}  # fmt: skip
PIM_REGISTER = 1


def _code(space: int, number: int) -> int:
    return space << 32 | (number & 0xFFFFFFFF)


def llc(frame: bytes, at: int) -> int:
    """IEEE 802.2 behind a length, or behind what cooked captures have there: IP, and SNAP with an EtherType or a frame in it."""
    saps, organization = frame[at : at + 2], int.from_bytes(frame[at + 3 : at + 6], "big")
    if saps == b"\xaa\xaa" and frame[at + 2 : at + 3] == b"\3":
        return _code(LLC, 0xAAAA) if len(frame) >= at + 6 and organization in (0, 0xF8, 0x80C2) else 0
    return _code(LLC, 0x0606) if saps == b"\6\6" else 0


def ethertype(kind: int) -> int:
    """What an EtherType announces that is not followed."""
    return 0 if kind < wire.LEAST_ETHERTYPE or kind in LEAF_TYPES else _code(ETHERTYPE, kind)


def gre(flags: int) -> int:
    """GRE of another version, or with a route."""
    return _code(GRE_VERSION, flags & wire.GRE_VERSION_BITS)


def protocol(frame: bytes, number: int, at: int) -> int:
    """PIM has a datagram in it where it registers a source, RFC 7761 section 4.9.3."""
    if number == wire.PROTO_PIM:
        return _code(PROTOCOL, number) if frame[at] & 15 == PIM_REGISTER else 0
    return 0 if number in LEAF_PROTOCOLS else _code(PROTOCOL, number)


def _tunnel(frame: bytes, port: int, at: int, end: int) -> bool:
    """Tunnels over UDP, by their port and by what their first bytes have to be: any number is somebody's port, too."""
    size = end - at
    if size < 4:
        return False
    first, second = frame[at], frame[at + 1]
    match port:
        case wire.PORT_L2TP:  # data, RFC 2661 section 3.1
            return size >= 6 and not first & 0x80 and second & 15 in (2, 3)
        case wire.PORT_GTP_U:  # 3GPP TS 29.281 section 5.1
            return size >= 8 and first >> 4 == 3 and second == 255
        case wire.PORT_TEREDO:  # RFC 4380 section 5.1.1
            return size >= 40 and (first >> 4 == 6 or (first == 0 and second <= 1))
        case wire.PORT_LISP:  # RFC 9300
            return size >= 28 and frame[at + 8] >> 4 in (4, 6)
        case wire.PORT_VXLAN_GPE:
            return size >= 8 and bool(first & 8)
        case wire.PORT_CAPWAP:  # data, RFC 5415 section 4.3
            return size >= 8 and first == 0
        case wire.PORT_GUE:
            return first >> 6 <= 1
        case wire.PORT_GENEVE:  # RFC 8926
            return size >= 8 and first >> 6 == 0 and frame[at + 7] == 0 and size >= 8 + (first & 63) * 4
        case wire.PORT_MPLS:  # RFC 7510
            return True
        case wire.PORT_OTV:  # VXLAN, as Linux numbers it
            return size >= 8 and first == 8 and frame[at + 7] == 0
        case wire.PORT_SCTP:  # RFC 6951
            return size >= 12
        case wire.PORT_TZSP:
            return size >= 5 and first == 1
    return False


def udp(frame: bytes, at: int, end: int) -> int:
    """What UDP carries that is not followed."""
    source, destination = wire.udp_source(frame, at), wire.udp_destination(frame, at)
    if source < 1024 and destination < 1024:
        return 0
    if _tunnel(frame, destination, at + wire.UDP_SIZE, end):
        return _code(PORT, destination)
    both = source in (wire.PORT_L2TP, wire.PORT_TEREDO, wire.PORT_SCTP)  # its answers come from there
    return _code(PORT, source) if both and _tunnel(frame, source, at + wire.UDP_SIZE, end) else 0


def link(linktype: int) -> int:
    """Link types whose headers are not found; not those that carry no packets of a network: buses, radio, management."""
    return 0 if linktype in LEAF_LINKS else _code(LINK, linktype)
