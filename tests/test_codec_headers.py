"""Where headers are found, on both codecs. What is expected is written out by hand: kind, start, data, end."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from samples import ARP, IGMP, ethernet, extension, gre, icmp, ipv4, ipv6, row_of, sctp, tags, tcp, udp, vxlan

from pkttools.protocols.fields import HEADERS

ROUTE = bytes([0, 1, 0, 0, 0, 0]) + bytes(15) + b"\x09"  # type 0, one segment left, ::9
FRAGMENT = "!BBHI"


def found(codec: ModuleType, linktype: int, frame: bytes) -> list[tuple[str, int, int, int]]:
    headers = codec.walk(bytearray(b"##" + frame + b"##"), row_of(frame, linktype, offset=2))
    return [(HEADERS[kind], *places) for kind, *places in headers]


def eth4(payload: bytes) -> bytes:
    return ethernet(0x0800, payload)


def eth6(payload: bytes) -> bytes:
    return ethernet(0x86DD, payload)


KINDS = {
    # name: (link type, frame, headers)
    "icmp": (1, eth4(ipv4(1, icmp())), [("ETHERNET", 0, 90, 90), ("IP", 14, 90, 90), ("ICMP", 34, 62, 90)]),
    "icmp without data": (1, eth4(ipv4(1, icmp(8, b""))), [("ETHERNET", 0, 42, 42), ("IP", 14, 42, 42), ("ICMP", 34, 42, 42)]),
    "icmp of 27 bytes": (1, eth4(ipv4(1, icmp(8, bytes(19)))), [("ETHERNET", 0, 61, 61), ("IP", 14, 61, 61), ("ICMP", 34, 61, 61)]),
    "icmp of 7 bytes": (1, eth4(ipv4(1, bytes(7))), [("ETHERNET", 0, 41, 41), ("IP", 14, 41, 41), ("ICMP", 34, 41, 41)]),
    "icmp of 3 bytes": (1, eth4(ipv4(1, bytes(3))), [("ETHERNET", 0, 37, 37), ("IP", 14, 34, 37)]),
    "igmp": (1, eth4(ipv4(2, IGMP)), [("ETHERNET", 0, 42, 42), ("IP", 14, 42, 42), ("IGMP", 34, 42, 42)]),
    "igmp of 7 bytes": (1, eth4(ipv4(2, IGMP[:7])), [("ETHERNET", 0, 41, 41), ("IP", 14, 34, 41)]),
    "tcp with options": (1, eth4(ipv4(6, tcp())), [("ETHERNET", 0, 63, 63), ("IP", 14, 63, 63), ("TCP", 34, 54, 63)]),
    "tcp of 19 bytes": (1, eth4(ipv4(6, tcp()[:19])), [("ETHERNET", 0, 53, 53), ("IP", 14, 34, 53)]),
    "udp": (1, eth4(ipv4(17, udp())), [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
    "udp behind options": (1, eth4(ipv4(17, udp(), bytes(8))), [("ETHERNET", 0, 55, 55), ("IP", 14, 55, 55), ("UDP", 42, 50, 55)]),
    "other protocol": (1, eth4(ipv4(89, b"ospf" * 8)), [("ETHERNET", 0, 66, 66), ("IP", 14, 34, 66)]),
    # What 1.16 did not know is data of the IP header, and found all the same.
    "sctp": (1, eth4(ipv4(132, sctp())), [("ETHERNET", 0, 50, 50), ("IP", 14, 34, 50), ("SCTP", 34, 46, 50)]),
    "sctp of 11 bytes": (1, eth4(ipv4(132, sctp()[:11])), [("ETHERNET", 0, 45, 45), ("IP", 14, 34, 45)]),
    "sctp6": (101, ipv6(132, sctp()), [("IPV6", 0, 40, 56), ("SCTP", 40, 52, 56)]),
    "ip in ip": (101, ipv4(4, ipv4(17, udp())), [("IP", 0, 20, 53), ("IP", 20, 53, 53), ("UDP", 40, 48, 53)]),
    "ip in ip, half": (101, ipv4(4, ipv4(17, b"")[:19]), [("IP", 0, 20, 39)]),
    "6in4": (101, ipv4(41, ipv6(17, udp())), [("IP", 0, 20, 73), ("IPV6", 20, 73, 73), ("UDP", 60, 68, 73)]),
    "ip in ipv6, with an option": (
        101, ipv6(60, extension(4, bytes(6)) + ipv4(17, udp())),
        [("IPV6", 0, 48, 81), ("IPV6_OPTIONS", 40, 42, 48), ("IP", 48, 81, 81), ("UDP", 68, 76, 81)],
    ),
    "6in6": (101, ipv6(41, ipv6(59, b"")), [("IPV6", 0, 40, 80), ("IPV6", 40, 80, 80)]),
    "gre": (101, ipv4(47, gre(0x0800, ipv4(17, udp()))),
        [("IP", 0, 20, 57), ("GRE", 20, 24, 57), ("IP", 24, 57, 57), ("UDP", 44, 52, 57)]),
    "gre with checksum, key and sequence": (101, ipv4(47, gre(0x86DD, ipv6(59, b""), 0xB000)),
        [("IP", 0, 20, 76), ("GRE", 20, 36, 76), ("IPV6", 36, 76, 76)]),
    "gre with a key": (101, ipv4(47, gre(0x88BE, b"erspan", 0x2000)), [("IP", 0, 20, 34), ("GRE", 20, 28, 34)]),
    "gre, key cut": (101, ipv4(47, gre(0x0800, b"", 0x2000)[:7]), [("IP", 0, 20, 27), ("GRE", 20, 24, 27)]),
    "gre of 3 bytes": (101, ipv4(47, b"\0\0\x08"), [("IP", 0, 20, 23)]),
    "gre, version 1": (101, ipv4(47, gre(0x880B, bytes(4), 1)), [("IP", 0, 20, 28), ("GRE_PPTP", 20, 28, 28)]),
    "gre, version 2": (101, ipv4(47, gre(0x0800, ipv4(17, udp()), 2)), [("IP", 0, 20, 57), ("GRE_OTHER", 20, 24, 57)]),
    "gre with a source route": (101, ipv4(47, gre(0x0800, ipv4(17, udp()), 0x4000)),
        [("IP", 0, 20, 57), ("GRE_OTHER", 20, 24, 57)]),
    "ethernet in gre": (101, ipv4(47, gre(0x6558, ethernet(0x8100, tags([0x8100], 0x0806, ARP)) + b"\0\0")),
        [("IP", 0, 20, 72), ("GRE", 20, 24, 72), ("ETHERNET", 24, 70, 72), ("VLAN", 38, 42, 42), ("ARP", 42, 70, 70)]),
    "vxlan": (101, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, udp())))),
        [("IP", 0, 83, 83), ("UDP", 20, 28, 83), ("VXLAN", 28, 36, 83), ("ETHERNET", 36, 83, 83), ("IP", 50, 83, 83),
         ("UDP", 70, 78, 83)]),
    "vxlan without its flag": (101, ipv4(17, vxlan(b"")[:8] + bytes(30)),
        [("IP", 0, 36, 58), ("UDP", 20, 28, 36), ("VXLAN", 28, 36, 36)]),
    "vxlan, half a frame": (101, ipv4(17, vxlan(bytes(13))), [("IP", 0, 49, 49), ("UDP", 20, 28, 49), ("VXLAN", 28, 36, 49)]),
    "icmpv6 in ipv4": (1, eth4(ipv4(58, icmp())), [("ETHERNET", 0, 90, 90), ("IP", 14, 34, 90)]),
    "first fragment": (1, eth4(ipv4(17, udp(), fragment=0x2000)), [("ETHERNET", 0, 47, 47), ("IP", 14, 34, 47)]),
    "last fragment": (1, eth4(ipv4(17, udp(), fragment=0x0003)), [("ETHERNET", 0, 47, 47), ("IP", 14, 34, 47)]),
    "do not fragment": (1, eth4(ipv4(17, udp(), fragment=0x4000)),
        [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
    "padding": (1, eth4(ipv4(17, udp())) + bytes(9), [("ETHERNET", 0, 47, 56), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
    "arp with padding": (1, ethernet(0x0806, ARP + bytes(18)), [("ETHERNET", 0, 42, 60), ("ARP", 14, 42, 42)]),
    "arp of 27 bytes": (1, ethernet(0x0806, ARP[:27]), [("ETHERNET", 0, 14, 41)]),
    "unknown type": (1, ethernet(0x88F7, b"time" * 5), [("ETHERNET", 0, 14, 34)]),
    "802.3": (1, ethernet(46, b"x" * 46), [("ETHERNET", 0, 14, 60), ("LLC", 14, 18, 60)]),
    "802.3, padded": (1, ethernet(3, b"\x42\x42\3" + bytes(43)), [("ETHERNET", 0, 14, 60), ("LLC", 14, 17, 17)]),
    "802.3, padded, behind a tag": (1, ethernet(0x8100, tags([0x8100], 3, b"\x42\x42\3" + bytes(39))),
        [("ETHERNET", 0, 18, 60), ("VLAN", 14, 18, 18), ("LLC", 18, 21, 21)]),
    "802.3 of Novell": (1, ethernet(46, b"\xff" * 46), [("ETHERNET", 0, 14, 60)]),
    "ethernet alone": (1, ethernet(0x0800, b""), [("ETHERNET", 0, 14, 14)]),
    "half of ethernet": (1, ethernet(0x0800, b"")[:13], [("UNKNOWN", 0, 0, 13)]),
    "nothing": (1, b"", [("UNKNOWN", 0, 0, 0)]),
    "nothing, raw": (101, b"", [("UNKNOWN", 0, 0, 0)]),
    "half of ip": (1, eth4(ipv4(17, b"")[:19]), [("ETHERNET", 0, 14, 33)]),
    "udp6": (1, eth6(ipv6(17, udp())), [("ETHERNET", 0, 67, 67), ("IPV6", 14, 67, 67), ("UDP", 54, 62, 67)]),
    "tcp6": (1, eth6(ipv6(6, tcp())), [("ETHERNET", 0, 83, 83), ("IPV6", 14, 83, 83), ("TCP", 54, 74, 83)]),
    "icmpv6": (1, eth6(ipv6(58, icmp(128))), [("ETHERNET", 0, 110, 110), ("IPV6", 14, 110, 110), ("ICMPV6", 54, 110, 110)]),
    "icmp in ipv6": (1, eth6(ipv6(1, icmp())), [("ETHERNET", 0, 110, 110), ("IPV6", 14, 54, 110)]),
    "half of ipv6": (1, eth6(ipv6(17, b"")[:39]), [("ETHERNET", 0, 14, 53)]),
    "no next header": (1, eth6(ipv6(59, b"rest")), [("ETHERNET", 0, 58, 58), ("IPV6", 14, 54, 58)]),
    "hop-by-hop": (
        1, eth6(ipv6(0, extension(17, bytes(6)) + udp())),
        [("ETHERNET", 0, 75, 75), ("IPV6", 14, 75, 75), ("IPV6_OPTIONS", 54, 56, 62), ("UDP", 62, 70, 75)],
    ),
    "routing": (
        1, eth6(ipv6(43, extension(17, ROUTE) + udp())),
        [("ETHERNET", 0, 91, 91), ("IPV6", 14, 91, 91), ("IPV6_ROUTING", 54, 56, 78), ("UDP", 78, 86, 91)],
    ),
    "atomic fragment": (
        1, eth6(ipv6(60, extension(44, bytes(6)) + extension(6, bytes(6)) + tcp())),
        [("ETHERNET", 0, 99, 99), ("IPV6", 14, 99, 99), ("IPV6_OPTIONS", 54, 56, 62), ("IPV6_FRAGMENT", 62, 64, 70),
         ("TCP", 70, 90, 99)],
    ),
    "first fragment6": (
        1, eth6(ipv6(44, struct.pack(FRAGMENT, 17, 0, 1, 5) + udp())),
        [("ETHERNET", 0, 75, 75), ("IPV6", 14, 62, 75), ("IPV6_FRAGMENT", 54, 56, 62)],
    ),
    "later fragment6": (
        1, eth6(ipv6(44, struct.pack(FRAGMENT, 17, 0, 8, 5) + udp())),
        [("ETHERNET", 0, 75, 75), ("IPV6", 14, 62, 75), ("IPV6_FRAGMENT", 54, 56, 62)],
    ),
    # RFC 4302: the size counts words of four bytes, less two
    "authentication": (
        1, eth6(ipv6(51, bytes([17, 4]) + bytes(22) + udp())),
        [("ETHERNET", 0, 91, 91), ("IPV6", 14, 91, 91), ("IPV6_AH", 54, 56, 78), ("UDP", 78, 86, 91)],
    ),
    "fragment header of a wrong size": (  # RFC 8200 section 4.5: that byte is reserved
        1, eth6(ipv6(44, struct.pack(FRAGMENT, 17, 9, 0, 5) + udp())),
        [("ETHERNET", 0, 75, 75), ("IPV6", 14, 75, 75), ("IPV6_FRAGMENT", 54, 56, 62), ("UDP", 62, 70, 75)],
    ),
    "chain past the end": (1, eth6(ipv6(0, b"\x11\x01" + bytes(13))), [("ETHERNET", 0, 69, 69), ("IPV6", 14, 54, 69)]),
    "chain without a byte": (1, eth6(ipv6(0, b"")), [("ETHERNET", 0, 54, 54), ("IPV6", 14, 54, 54)]),
    "second one past the end": (
        1, eth6(ipv6(0, extension(60, bytes(6)) + b"\x11\xff" + bytes(6))),
        [("ETHERNET", 0, 70, 70), ("IPV6", 14, 62, 70), ("IPV6_OPTIONS", 54, 56, 62)],
    ),
    "vlan": (
        1, ethernet(0x8100, tags([0x8100, 0x8100], 0x0800, ipv4(17, udp()))),
        [("ETHERNET", 0, 55, 55), ("VLAN", 14, 18, 18), ("VLAN", 18, 22, 22), ("IP", 22, 55, 55), ("UDP", 42, 50, 55)],
    ),
    "qinq": (
        1, ethernet(0x88A8, tags([0x88A8, 0x8100, 0x8100], 0x86DD, ipv6(17, udp()))),
        [("ETHERNET", 0, 79, 79), ("VLAN", 14, 18, 18), ("VLAN", 18, 22, 22), ("VLAN", 22, 26, 26), ("IPV6", 26, 79, 79),
         ("UDP", 66, 74, 79)],
    ),
    "half of a tag": (1, ethernet(0x8100, b"\0\1\x08"), [("ETHERNET", 0, 14, 17)]),
    "loopback": (0, b"\2\0\0\0" + ipv4(17, udp()), [("LOOPBACK", 0, 37, 37), ("IP", 4, 37, 37), ("UDP", 24, 32, 37)]),
    "loopback, other order": (0, b"\0\0\0\2" + ipv4(17, udp()), [("LOOPBACK", 0, 37, 37), ("IP", 4, 37, 37), ("UDP", 24, 32, 37)]),
    "loopback 6": (0, b"\x1e\0\0\0" + ipv6(17, udp()), [("LOOPBACK", 0, 57, 57), ("IPV6", 4, 57, 57), ("UDP", 44, 52, 57)]),
    "loopback, other family": (0, b"\0\0\0\7" + ipv4(17, udp()), [("LOOPBACK", 0, 4, 37)]),
    "half of loopback": (0, b"\2\0\0", [("UNKNOWN", 0, 0, 3)]),
    "loop": (108, b"\0\0\0\2" + ipv4(17, udp()), [("LOOP", 0, 37, 37), ("IP", 4, 37, 37), ("UDP", 24, 32, 37)]),
    "raw": (101, ipv4(17, udp()), [("IP", 0, 33, 33), ("UDP", 20, 28, 33)]),
    "raw 6": (101, ipv6(17, udp()), [("IPV6", 0, 53, 53), ("UDP", 40, 48, 53)]),
    "raw, other version": (101, b"\x50" + bytes(50), [("UNKNOWN", 0, 0, 51)]),
    "raw as 12": (12, ipv4(17, udp()), [("IP", 0, 33, 33), ("UDP", 20, 28, 33)]),
    "raw as 14": (14, ipv6(17, udp()), [("IPV6", 0, 53, 53), ("UDP", 40, 48, 53)]),
    "raw ipv4": (228, ipv4(17, udp()), [("IP", 0, 33, 33), ("UDP", 20, 28, 33)]),
    "raw ipv6": (229, ipv6(17, udp()), [("IPV6", 0, 53, 53), ("UDP", 40, 48, 53)]),
    "sll": (113, bytes(14) + b"\x08\0" + ipv4(17, udp()), [("SLL", 0, 49, 49), ("IP", 16, 49, 49), ("UDP", 36, 44, 49)]),
    "sll2": (276, b"\x86\xdd" + bytes(18) + ipv6(17, udp()), [("SLL2", 0, 73, 73), ("IPV6", 20, 73, 73), ("UDP", 60, 68, 73)]),
    "unknown link type": (147, b"user0 link type", [("UNKNOWN", 0, 0, 15)]),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_headers(codec, name):
    linktype, frame, headers = KINDS[name]
    assert found(codec, linktype, frame) == headers


@pytest.mark.parametrize(
    ("at", "value", "headers"),
    [
        # first byte of IP: version and header size
        (14, 0x44, [("ETHERNET", 0, 47, 47), ("IP", 14, 34, 47)]),  # 16 bytes: nonsense
        (14, 0x40, [("ETHERNET", 0, 47, 47), ("IP", 14, 34, 47)]),
        (14, 0x48, [("ETHERNET", 0, 47, 47), ("IP", 14, 46, 47)]),  # 32 bytes: one byte is left, too little for UDP
        (14, 0x4F, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47)]),  # 60 bytes: past the end
        # low byte of the total size, 33
        (17, 0, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),  # 0: segmentation offload
        (17, 1, [("ETHERNET", 0, 34, 47), ("IP", 14, 34, 34)]),  # less than the header
        (17, 19, [("ETHERNET", 0, 34, 47), ("IP", 14, 34, 34)]),
        (17, 20, [("ETHERNET", 0, 34, 47), ("IP", 14, 34, 34)]),
        (17, 27, [("ETHERNET", 0, 41, 47), ("IP", 14, 34, 41)]),  # 7 bytes of UDP
        (17, 28, [("ETHERNET", 0, 42, 47), ("IP", 14, 42, 42), ("UDP", 34, 42, 42)]),
        (17, 255, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),  # more than was captured
        # low byte of the UDP size, 13
        (39, 0, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
        (39, 1, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
        (39, 7, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
        (39, 8, [("ETHERNET", 0, 47, 47), ("IP", 14, 42, 47), ("UDP", 34, 42, 42)]),
        (39, 12, [("ETHERNET", 0, 47, 47), ("IP", 14, 46, 47), ("UDP", 34, 42, 46)]),
        (39, 14, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),  # more than there is
        (39, 255, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
        # version 6 inside IPv4's EtherType: reading never judges
        (14, 0x65, [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
    ],
)
def test_sizes_that_lie(codec, at, value, headers):
    frame = bytearray(eth4(ipv4(17, udp())))
    frame[at] = value
    assert found(codec, 1, bytes(frame)) == headers


@pytest.mark.parametrize(
    ("payload", "headers"),
    [
        (0, [("ETHERNET", 0, 67, 67), ("IPV6", 14, 67, 67), ("UDP", 54, 62, 67)]),  # a jumbogram, or segmentation offload
        (7, [("ETHERNET", 0, 61, 67), ("IPV6", 14, 54, 61)]),
        (8, [("ETHERNET", 0, 62, 67), ("IPV6", 14, 62, 62), ("UDP", 54, 62, 62)]),
        (255, [("ETHERNET", 0, 67, 67), ("IPV6", 14, 67, 67), ("UDP", 54, 62, 67)]),
    ],
)
def test_ipv6_payload_sizes_that_lie(codec, payload, headers):
    frame = bytearray(eth6(ipv6(17, udp())))
    frame[19] = payload
    assert found(codec, 1, bytes(frame)) == headers


@pytest.mark.parametrize("outer", [0x8100, 0x88A8, 0x9100, 0x9200, 0x9300])
@pytest.mark.parametrize("inner", [0x8100, 0x88A8, 0x9100, 0x9200, 0x9300])
@pytest.mark.parametrize(("kind", "datagram"), [(0x0800, ipv4(17, udp())), (0x86DD, ipv6(17, udp()))], ids=["IPv4", "IPv6"])
def test_the_types_of_tags(codec, outer, inner, kind, datagram):
    """IEEE 802.1Q, 802.1ad, and what was used for its outer tags before: 0x9100 and 0x9200; the next one is none."""
    seen = found(codec, 1, ethernet(outer, tags([outer, inner], kind, datagram)))
    wanted = 0 if outer == 0x9300 else 1 if inner == 0x9300 else 2
    assert [name for name, *_ in seen].count("VLAN") == wanted
    assert (seen[-1][0] == "UDP") == (wanted == 2)


def test_thirty_two_headers_are_followed(codec):
    """What lies deeper is payload; 1.16 crashed on 1,000 tags."""
    for count in (13, 29, 30, 31, 32, 1000):
        headers = found(codec, 1, ethernet(0x8100, tags([0x8100] * count, 0x0800, ipv4(17, udp()))))
        kinds = [header[0] for header in headers]
        assert kinds == (["ETHERNET"] + ["VLAN"] * count + ["IP", "UDP"])[:32], count
        assert headers[0][2] == max(header[3] for header in headers[1:])


def test_a_chain_of_extensions_ends_after_thirty_two_headers(codec):
    chain = b"".join(extension(60, bytes(6)) for _ in range(40)) + extension(17, bytes(6)) + udp()
    headers = found(codec, 1, eth6(ipv6(60, chain)))
    assert [header[0] for header in headers] == ["ETHERNET", "IPV6"] + ["IPV6_OPTIONS"] * 30
    assert headers[1] == ("IPV6", 14, 54 + 30 * 8, 54 + len(chain))


def test_one_row_at_a_time(codec):
    row = struct.pack("=7q", 0, 0, 0, 0, 1, 0, 0)
    for rows in (b"", row * 2):
        with pytest.raises(ValueError, match="one row is walked at a time"):
            codec.walk(bytearray(), rows)
