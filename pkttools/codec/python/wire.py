"""Numbers of protocols, and what headers say, by name, for exceptions.py; twin of ../c/wire.h, which a test compares it with.

All accessors take a frame and the place where their header starts. Past the end of the frame they give 0.
"""

from __future__ import annotations

from struct import Struct

# IANA "Protocol Numbers"
PROTO_HOPOPT, PROTO_IPV6_NONXT, PROTO_IPV6_OPTS = 0, 59, 60

# IANA "IEEE 802 Numbers"
ETHERTYPE_IP, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ1, ETHERTYPE_QINQ2 = 0x8100, 0x88A8, 0x9100, 0x9200
TAGS = {ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_QINQ1, ETHERTYPE_QINQ2}

# Bytes of headers; of IPv4's at least
TAG_SIZE, IP_SIZE, IPV6_SIZE, EXTENSION_SIZE = 4, 20, 40, 8

# Where fields stand that are written, or compared in place: RFC 791 section 3.1, RFC 8200 section 3
IP_TOTAL_AT, IP_FRAGMENT_AT, IP_PROTOCOL_AT, IP_CHECKSUM_AT, IP_SOURCE_AT, IP_DESTINATION_AT = 2, 6, 9, 10, 12, 16
IP_FRAGMENTED = 0x3FFF  # of the 16 bits there: an offset, or more to come
IP_SAYS = Struct(">BxHxxHxBH")  # its size beside the version, total, fragment, protocol and checksum
IPV6_PAYLOAD_AT, IPV6_NEXT_AT, IPV6_SOURCE_AT, IPV6_DESTINATION_AT = 4, 6, 8, 24
IPV6_SAYS = Struct(">xxxxHB")  # payload and what is next


Frame = bytes | bytearray


def get8(frame: Frame, at: int) -> int:
    """A byte; past the end of the frame it is 0."""
    return frame[at] if at < len(frame) else 0


def get16(frame: Frame, at: int) -> int:
    """Two bytes as a number; past the end of the frame it is 0."""
    return frame[at] << 8 | frame[at + 1] if at + 2 <= len(frame) else 0


def get32(frame: Frame, at: int) -> int:
    """Four bytes as a number; two of them that are past the end of the frame are 0."""
    return get16(frame, at) << 16 | get16(frame, at + 2)


# ---- IEEE 802.1Q clause 9.6 ----


def tag_type(frame: Frame, at: int) -> int:
    """The EtherType behind a tag."""
    return get16(frame, at + 2)


# ---- IPv4, RFC 791 section 3.1 ----


def ip_version(frame: Frame, at: int) -> int:
    """The version; of IPv6, too."""
    return get8(frame, at) >> 4


def ip_header_size(frame: Frame, at: int) -> int:
    """Bytes of the header, by its own field."""
    return (get8(frame, at) & 0x0F) * 4


def ip_total(frame: Frame, at: int) -> int:
    """Bytes of the datagram."""
    return get16(frame, at + IP_TOTAL_AT)


def ip_offset(frame: Frame, at: int) -> int:
    """Where in its datagram a fragment stands, in units of 8 bytes."""
    return get16(frame, at + IP_FRAGMENT_AT) & 0x1FFF


def ip_is_fragment(frame: Frame, at: int) -> bool:
    """Whether more fragments follow, or one came before."""
    return get16(frame, at + IP_FRAGMENT_AT) & IP_FRAGMENTED != 0


def ip_protocol(frame: Frame, at: int) -> int:
    """What the datagram carries."""
    return get8(frame, at + IP_PROTOCOL_AT)


# ---- IPv6, RFC 8200 sections 3 and 4 ----


def ipv6_payload(frame: Frame, at: int) -> int:
    """Bytes behind the header."""
    return get16(frame, at + IPV6_PAYLOAD_AT)


def ipv6_next(frame: Frame, at: int) -> int:
    """The protocol of what follows."""
    return get8(frame, at + IPV6_NEXT_AT)


def extension_length(frame: Frame, at: int) -> int:
    """The length of an extension header, in units of its own."""
    return get8(frame, at + 1)


def route_type(frame: Frame, at: int) -> int:
    """The type of a routing header."""
    return get8(frame, at + 2)


def route_left(frame: Frame, at: int) -> int:
    """Segments that a routing header has left."""
    return get8(frame, at + 3)


def ipv6_offset(frame: Frame, at: int) -> int:
    """Where in its datagram the fragment of a fragment header stands, in bytes."""
    return get16(frame, at + 2) & 0xFFF8


def ipv6_is_fragment(frame: Frame, at: int) -> bool:
    """The same as of IPv4, by a fragment header. An atomic fragment, a whole datagram, is none (RFC 6946)."""
    return get16(frame, at + 2) & 0xFFF9 != 0
