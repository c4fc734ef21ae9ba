"""The packets that everything begins with, one a protocol: plain, valid, and with addresses from documentation ranges."""

from __future__ import annotations

from struct import pack

PROTOCOLS = ("arp", "icmp", "icmp6", "udp", "tcp")
ETHERNET, TAG = 14, 4  # bytes of the header, and of a VLAN tag
LARGEST = 65_535 + ETHERNET + TAG + 40  # bytes of a frame: IPv6's largest packet, RFC 8200 section 3
LEAST = 60  # bytes of an Ethernet frame, IEEE 802.3 clause 3.2.8, without the FCS
HEADERS = {"arp": 28, "icmp": 8, "icmp6": 8, "udp": 8, "tcp": 20}  # bytes behind Ethernet or IP
NUMBERS = {"icmp": 1, "icmp6": 58, "udp": 17, "tcp": 6}  # IANA "Protocol Numbers"
SOURCE_MAC, EVERYBODY = bytes.fromhex("020000000001"), b"\xff" * 6
IPV4 = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))  # RFC 5737
IPV6 = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")  # RFC 3849
PORTS = 9, 9  # discard, RFC 863


def headers_size(protocol: str, v6: bool, tagged: bool) -> int:
    """Bytes of all headers of a packet."""
    network = 0 if protocol == "arp" else 40 if v6 else 20
    return ETHERNET + TAG * tagged + network + HEADERS[protocol]


def largest_size(protocol: str, v6: bool, tagged: bool) -> int:
    """Bytes of the longest frame: its lengths have 16 bits; that of IPv6 counts what is behind its header."""
    return LARGEST if protocol == "arp" else ETHERNET + TAG * tagged + 40 * v6 + 65_535


def build(protocol: str, v6: bool, tagged: bool, payload: bytes, size: int) -> bytes:
    """A frame of `size` bytes: zeros behind the payload fill it up. Its checksums are not computed yet.

    tagged: with a VLAN tag, of ID 1. The size is at least that of the headers and the payload.
    """
    kind = 0x0806 if protocol == "arp" else 0x86DD if v6 else 0x0800
    tag = pack(">HH", 0x8100, 1) if tagged else b""
    payload = payload.ljust(size - headers_size(protocol, v6, tagged), b"\0")
    return EVERYBODY + SOURCE_MAC + tag + pack(">H", kind) + network(protocol, v6, payload)


def network(protocol: str, v6: bool, payload: bytes) -> bytes:
    """What an Ethernet header stands in front of."""
    if protocol == "arp":  # RFC 826: who has the second address? tell the first
        return pack(">HHBBH", 1, 0x0800, 6, 4, 1) + SOURCE_MAC + IPV4[0] + bytes(6) + IPV4[1] + payload
    message = transport(protocol, payload)
    if v6:  # RFC 8200 section 3
        return pack(">IHBB", 6 << 28, len(message), NUMBERS[protocol], 64) + IPV6[0] + IPV6[1] + message
    # RFC 791 section 3.1; atomic, so that the identification says nothing: RFC 6864 section 4
    return pack(">BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0x4000, 64, NUMBERS[protocol], 0) + IPV4[0] + IPV4[1] + message


def transport(protocol: str, payload: bytes) -> bytes:
    """What an IP header stands in front of."""
    if protocol == "udp":  # RFC 768; a checksum of zero would say that there is none
        return pack(">HHHH", *PORTS, 8 + len(payload), 0xFFFF) + payload
    if protocol == "tcp":  # RFC 9293 section 3.1: SYN
        return pack(">HHIIBBHHH", *PORTS, 0, 0, 5 << 4, 2, 65535, 0, 0) + payload
    return pack(">BBHHH", 8 if protocol == "icmp" else 128, 0, 0, 1, 1) + payload  # echo request: RFC 792, RFC 4443 section 4.1


def lengths(v6: bool, tagged: bool, protocol: str) -> list[tuple[int, int, int]]:
    """Where a packet says its size: bit in the frame, width, and how many bytes less than the frame it is."""
    if protocol == "arp":
        return []
    at = ETHERNET + TAG * tagged
    found = [((at + 4) * 8, 16, at + 40)] if v6 else [((at + 2) * 8, 16, at)]
    behind = at + (40 if v6 else 20)
    return [*found, ((behind + 4) * 8, 16, behind)] if protocol == "udp" else found
