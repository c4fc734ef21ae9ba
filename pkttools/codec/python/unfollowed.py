"""What a packet carries that the walk does not follow; twin of ../c/unfollowed.c.

What may have further headers in it, or is not known at all. What is known to carry nothing, or nothing that can be read, is no
such thing: routing protocols, ESP, LLDP.
"""

from __future__ import annotations

ETHERTYPE, PROTOCOL, PORT, LLC, LINK, GRE_VERSION = range(1, 7)  # `enum space` in ../c/codec.h

# IP, ARP and RARP; wake-on-LAN, loopback, PPPoE discovery; what bridges say; EAPOL; PTP; tags ...
LEAF_TYPES = {
    0x0800, 0x0806, 0x86DD, 0x8035, 0x0842, 0x9000, 0x8863, 0x88CC, 0x8809, 0x888E, 0x88F5, 0x88F6, 0x88F7, 0x8902, 0x88E1,
    0x8892, 0x88A4, 0x88B8, 0x88B9, 0x88BA, 0x22EA, 0x22F0, 0x6002, 0x6003, 0x8100, 0x88A8, 0x9100, 0x9200, 0x8808, 0x88FB,
    0x88B5, 0x88B6, 0x88B7,  # for experiments: who writes these knows what they are
}  # fmt: skip
LEAF_PROTOCOLS = {
    1, 2, 3, 4, 6, 8, 9, 17, 33, 41, 46, 47, 50, 58, 59, 88, 89, 108, 112, 113, 132, 133, 135, 136, 139, 140, 141, 146,
}  # fmt: skip
LEAF_LINKS = {
    186, 187, 189, 190, 191, 195, 201, 209, 215, 220, 227, 230, 249, 251, 253, 254, 255, 256, 264, 270, 271, 272, 278, 283, 288,
}  # fmt: skip
PIM, REGISTER = 103, 1


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
    return 0 if kind < 0x600 or kind in LEAF_TYPES else _code(ETHERTYPE, kind)


def gre(flags: int) -> int:
    """GRE of another version, or with a route."""
    return _code(GRE_VERSION, flags & 7)


def protocol(frame: bytes, number: int, at: int) -> int:
    """PIM has a datagram in it where it registers a source, RFC 7761 section 4.9.3."""
    if number == PIM:
        return _code(PROTOCOL, PIM) if frame[at] & 15 == REGISTER else 0
    return 0 if number in LEAF_PROTOCOLS else _code(PROTOCOL, number)


def _tunnel(frame: bytes, port: int, at: int, end: int) -> bool:
    """Tunnels over UDP, by their port and by what their first bytes have to be: any number is somebody's port, too."""
    size = end - at
    if size < 4:
        return False
    first, second = frame[at], frame[at + 1]
    match port:
        case 1701:  # L2TP data, RFC 2661 section 3.1
            return size >= 6 and not first & 0x80 and second & 15 in (2, 3)
        case 2152:  # GTP-U, 3GPP TS 29.281 section 5.1
            return size >= 8 and first >> 4 == 3 and second == 255
        case 3544:  # Teredo, RFC 4380 section 5.1.1
            return size >= 40 and (first >> 4 == 6 or (first == 0 and second <= 1))
        case 4341:  # LISP, RFC 9300
            return size >= 28 and frame[at + 8] >> 4 in (4, 6)
        case 4790:  # VXLAN-GPE
            return size >= 8 and bool(first & 8)
        case 5247:  # CAPWAP data, RFC 5415 section 4.3
            return size >= 8 and first == 0
        case 6080:  # GUE
            return first >> 6 <= 1
        case 6081:  # Geneve, RFC 8926
            return size >= 8 and first >> 6 == 0 and frame[at + 7] == 0 and size >= 8 + (first & 63) * 4
        case 6635:  # MPLS, RFC 7510
            return True
        case 8472:  # VXLAN, as Linux numbers it
            return size >= 8 and first == 8 and frame[at + 7] == 0
        case 9899:  # SCTP, RFC 6951
            return size >= 12
        case 37008:  # TZSP
            return size >= 5 and first == 1
    return False


def udp(frame: bytes, at: int, end: int) -> int:
    """What UDP carries that is not followed."""
    source, destination = int.from_bytes(frame[at : at + 2], "big"), int.from_bytes(frame[at + 2 : at + 4], "big")
    if source < 1024 and destination < 1024:
        return 0
    if _tunnel(frame, destination, at + 8, end):
        return _code(PORT, destination)
    return _code(PORT, source) if source in (1701, 3544, 9899) and _tunnel(frame, source, at + 8, end) else 0


def link(linktype: int) -> int:
    """Link types whose headers are not found; not those that carry no packets of a network: buses, radio, management."""
    return 0 if linktype in LEAF_LINKS else _code(LINK, linktype)
