"""Where good guesses about protocols are wrong, on both codecs: what the RFC has instead. Each rule was tried with tshark, too.

Checksums are in test_codec_rules.py; what is here is where headers begin and end, and what comes next.
"""

from __future__ import annotations

import struct

import pytest
from samples import ethernet, extension, gre, ipv4, ipv6, over_udp, row_of, tags, tcp, udp

from pkttools.codec import ALL, CORRECTED, LENGTHS, WRONG
from pkttools.protocols.fields import HEADERS

INNER, INNER6 = ipv4(17, udp(b"hello", 13)), ipv6(6, tcp())
FRAME = ethernet(0x0800, INNER)
DATAGRAM, DATAGRAM6 = ["IP", "UDP"], ["IPV6", "TCP"]
FRAMED = ["ETHERNET", *DATAGRAM]


def over(port: int, payload: bytes, source: int = 50000) -> bytes:
    """In UDP."""
    return ipv4(17, over_udp(port, payload, source))


def label(bottom: int = 1, number: int = 16) -> bytes:
    return struct.pack("!I", number << 12 | bottom << 8 | 64)


def llc(oui: str, kind: int, payload: bytes) -> bytes:
    return b"\xaa\xaa\3" + bytes.fromhex(oui) + struct.pack("!H", kind) + payload


def sized(payload: bytes, behind: bytes = b"") -> bytes:
    """A frame of 802.3, which says its length."""
    return ethernet(len(payload), payload + behind)


def gtp(flags: int, kind: int, payload: bytes) -> bytes:
    return over(2152, struct.pack("!BBHI", flags, kind, len(payload), 7) + payload)


def wlan(control: int, flags: int, more: bytes, payload: bytes) -> bytes:
    """A frame of IEEE 802.11: data, of quality of service if 0x88; more: what is behind its first 24 bytes."""
    return bytes([control, flags]) + bytes(22) + more + payload


def radiotap(flags: int, frame: bytes) -> bytes:
    """With a flags field, which is behind a time stamp of 8 bytes, aligned."""
    return struct.pack("<BBHIQB", 0, 0, 17, 3, 5, flags) + frame


def radiotap2(flags: int, frame: bytes) -> bytes:
    """The same where a second word of what is present follows: the time stamp is aligned from the header's start."""
    return struct.pack("<BBHIIxxxxQB", 0, 0, 25, 0x80000003, 0, 5, flags) + frame


def nflog(order: str, family: int, packet: bytes, prefix: bytes = b"abc\0x") -> bytes:
    """A prefix of five bytes, whose padding is not counted, and the packet."""
    before = struct.pack(f"{order}HH", 4 + len(prefix), 10) + prefix + bytes(-len(prefix) % 4)
    return struct.pack("!BBH", family, 0, 5) + before + struct.pack(f"{order}HH", 4 + len(packet), 9) + packet


DATA_LLC = llc("000000", 0x0800, INNER)


def amsdu(packet: bytes) -> bytes:
    """A packet of an A-MSDU."""
    return bytes(12) + struct.pack("!H", len(packet)) + packet


A_MSDU = amsdu(DATA_LLC)


def sll(hardware: int, protocol: int, frame: bytes) -> bytes:
    return struct.pack("!HHHQH", 0, hardware, 0, 0, protocol) + frame


def sll2(hardware: int, protocol: int, frame: bytes) -> bytes:
    return struct.pack("!HHIHBBQ", protocol, 0, 1, hardware, 0, 0, 0) + frame


# What a kind of interface (ARPHRD_ of Linux) has behind the header of a cooked socket: its type, the protocol, what it is.
DEVICES = {
    "radiotap, whatever the protocol is (libpcap)": (
        803, 4, radiotap(0, wlan(0x08, 1, b"", DATA_LLC)), ["RADIOTAP", "WLAN", "LLC", "SNAP", *DATAGRAM]),
    "the same with a number that nobody knows": (
        803, 0x19, radiotap(0, wlan(0x08, 1, b"", DATA_LLC)), ["RADIOTAP", "WLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11": (801, 4, wlan(0x08, 1, b"", DATA_LLC), ["WLAN", "LLC", "SNAP", *DATAGRAM]),
    "what has an EtherType there": (801, 0x0800, INNER, DATAGRAM),
    "prism": (802, 4, bytes(144) + wlan(0x08, 1, b"", DATA_LLC), []),
    "frame relay": (770, 0x0800, b"\x18\x41\3\xcc" + INNER, ["FRAME_RELAY", *DATAGRAM]),
    "netlink": (824, 0, struct.pack("<IHHII", 16, 16, 0, 1, 2), ["NETLINK_MESSAGE"]),
    "GRE": (778, 0x0800, INNER, DATAGRAM),
    "GRE with frames": (778, 0x6558, FRAME, FRAMED),
    "frames": (1, 3, FRAME, FRAMED),
    "LLC": (1, 4, DATA_LLC, ["LLC", "SNAP", *DATAGRAM]),
}  # fmt: skip

ARP = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20)
PAD = b"\xa5\x5a\x96"


def like_ethernet(at_12: bytes) -> bytes:
    """An IPv6 packet with these bytes where an EtherType would stand."""
    return INNER6[:12] + at_12 + INNER6[12 + len(at_12) :]


def ospf(options: int, lls: bytes, auth: int = 0, digest: bytes = b"") -> bytes:
    """A hello of version 2, and what stands behind it."""
    head = struct.pack("!BBH4s4sHHHBBI", 2, 1, 44, b"\xc0\0\2\1", bytes(4), 0, auth, 0, 1, len(digest), 7)
    return ipv4(89, head + struct.pack("!4sHBBI8x", b"\xff\xff\xff\0", 10, options, 1, 40) + digest + lls)


def ospf3(kind: int, options: int, lls: bytes) -> bytes:
    """A hello or a description of version 3."""
    said = struct.pack("!IBBBB", 5, 1, 0, options, 0x13) if kind == 1 else struct.pack("!BBBBI", 0, 0, options, 0x13, 7)
    return ipv6(89, struct.pack("!BBH4s4sHBB", 3, kind, 24, b"\xc0\0\2\1", bytes(4), 0, 0, 0) + said + lls)


LLS = struct.pack("!HHHHI", 0, 3, 1, 4, 1)
RULES = {
    # the rule: (link type, frame, the headers behind the first one or two)
    "GRE: each flag adds its word (RFC 2890 2)": (101, ipv4(47, gre(0x0800, INNER, 0xB000)), ["IP", "GRE", *DATAGRAM]),
    "GRE: ERSPAN without a sequence number has no header of its own": (
        101, ipv4(47, gre(0x88BE, FRAME)), ["IP", "GRE", *FRAMED]),
    "ERSPAN II: 8 bytes": (101, ipv4(47, gre(0x88BE, b"\x10" + bytes(7) + FRAME, 0x1000)), ["IP", "GRE", "ERSPAN", *FRAMED]),
    "ERSPAN III: 12 bytes": (101, ipv4(47, gre(0x22EB, b"\x20" + bytes(11) + FRAME, 0x1000)), ["IP", "GRE", "ERSPAN_III", *FRAMED]),
    "ERSPAN III: 20 with the O bit": (
        101, ipv4(47, gre(0x22EB, b"\x20" + bytes(10) + b"\1" + bytes(8) + FRAME, 0x1000)), ["IP", "GRE", "ERSPAN_III", *FRAMED]),
    "GTP-U: 8 bytes (TS 29.281 5.1)": (101, gtp(0x30, 255, INNER), ["IP", "UDP", "GTP", *DATAGRAM]),
    "GTP-U: S adds four bytes, and its type of an extension does not count": (
        101, gtp(0x32, 255, b"\0\1\0\x85" + INNER), ["IP", "UDP", "GTP", *DATAGRAM]),
    "GTP-U: PN adds four bytes": (101, gtp(0x31, 255, b"\0\0\1\x85" + INNER6), ["IP", "UDP", "GTP", *DATAGRAM6]),
    "GTP-U: with E the chain goes on to type 0 (5.2.1)": (
        101, gtp(0x34, 255, b"\0\0\0\x85" + b"\1\0\0\x85" + b"\2\0\0\0\0\0\0\0" + INNER),
        ["IP", "UDP", "GTP", "GTP_SESSION", "GTP_SESSION", *DATAGRAM]),
    "GTP-U: in other messages, too (5.1: E)": (
        101, gtp(0x34, 26, b"\0\0\0\x40" + b"\1\x08\x68\x85" + b"\1\x10\5\0" + b"\x10\0\0\0\7"),
        ["IP", "UDP", "GTP", "GTP_PORT_BEFORE", "GTP_BEFORE"]),
    "GTP-C of version 1: the same (TS 29.060 6)": (
        101, over(2123, b"\x36\x32\0\x08\0\0\0\7" + b"\0\1\0\xc0" + b"\1\0\7\0"), ["IP", "UDP", "GTP", "GTP_PDCP_BEFORE"]),
    "GTP-U: only message 255 carries a packet": (101, gtp(0x32, 1, b"\0\1\0\0" + INNER), ["IP", "UDP", "GTP"]),
    "AH: its length is in words of four bytes less two (RFC 4302 2.2)": (
        101, ipv4(51, b"\x11\4" + bytes(22) + udp()), ["IP", "AH", "UDP"]),
    "AH: over IPv6 too": (101, ipv6(51, b"\6\5" + bytes(26) + tcp()), ["IPV6", "IPV6_AH", "TCP"]),
    "MPLS: below the bottom 4 is IPv4 (RFC 3032)": (
        1, ethernet(0x8847, label(0) + label() + INNER), ["ETHERNET", "MPLS", "MPLS", *DATAGRAM]),
    "MPLS: and 6 IPv6": (1, ethernet(0x8847, label() + INNER6), ["ETHERNET", "MPLS", *DATAGRAM6]),
    "MPLS: 0x8848 is the same (RFC 5332)": (1, ethernet(0x8848, label() + INNER), ["ETHERNET", "MPLS", *DATAGRAM]),
    "MPLS: 0 is a control word and Ethernet (RFC 4385, 4448)": (
        1, ethernet(0x8847, label() + bytes(4) + FRAME), ["ETHERNET", "MPLS", "MPLS_WORD", *FRAMED]),
    "MPLS: a frame without control word whose first address begins with 0": (
        1, ethernet(0x8847, label() + b"\0" + FRAME[1:]), ["ETHERNET", "MPLS", *FRAMED]),
    "MPLS: with 4": (1, ethernet(0x8847, label() + b"\x4a" + FRAME[1:]), ["ETHERNET", "MPLS", *FRAMED]),
    "MPLS: a frame whose first address begins like IPv6, and in which the length of that would fit": (
        1, ethernet(0x8847, label() + b"\x62" + FRAME[1:4] + b"\0\1" + FRAME[6:] + PAD), ["ETHERNET", "MPLS", *FRAMED]),
    "MPLS: or like IPv4, whose length would fit": (
        1, ethernet(0x8847, label() + b"\x45\0\0\x1e" + FRAME[4:] + PAD), ["ETHERNET", "MPLS", *FRAMED]),
    "MPLS: an IPv6 packet in which an EtherType of IPv4 and its first byte can be read": (
        1, ethernet(0x8847, label() + like_ethernet(b"\x08\0\x45")), ["ETHERNET", "MPLS", *DATAGRAM6]),
    "MPLS: of IPv6": (1, ethernet(0x8847, label() + like_ethernet(b"\x86\xdd\x60")), ["ETHERNET", "MPLS", *DATAGRAM6]),
    "MPLS: behind it is padding": (
        1, ethernet(0x8847, label() + like_ethernet(b"\x08\0\x45") + PAD), ["ETHERNET", "MPLS", *DATAGRAM6]),
    "MPLS: of what was cut only a part of it": (
        1, ethernet(0x8847, label() + like_ethernet(b"\x08\0\x45")[:-4]), ["ETHERNET", "MPLS", *DATAGRAM6]),
    "MPLS: an IPv4 packet in which it can be read": (
        1, ethernet(0x8847, label() + INNER[:12] + b"\x08\0\x45\0" + INNER[16:]), ["ETHERNET", "MPLS", *DATAGRAM]),
    "MPLS: the same with addresses that would be a frame's length": (
        1, ethernet(0x8847, label() + INNER[:12] + b"\x08\0\x45\0\0\x14" + INNER[18:]), ["ETHERNET", "MPLS", *DATAGRAM]),
    "MPLS: a frame that was cut, with an address like IPv6": (
        1, ethernet(0x8847, label() + b"\x62" + FRAME[1:-4]), ["ETHERNET", "MPLS", *FRAMED]),
    "MPLS: a frame of ARP": (
        1, ethernet(0x8847, label() + b"\x60" + ethernet(0x0806, ARP)[1:]), ["ETHERNET", "MPLS", "ETHERNET", "ARP"]),
    "MPLS: a tagged one": (
        1, ethernet(0x8847, label() + b"\x4a" + ethernet(0x8100, tags([0x8100], 0x0800, INNER))[1:]),
        ["ETHERNET", "MPLS", "ETHERNET", "VLAN", *DATAGRAM]),
    "MPLS: a frame of 2048 bytes of IPv4, in which a control word's type can be read": (
        1, ethernet(0x8847, label() + b"\0" + ethernet(0x0800, ipv4(17, udp(bytes(2020))))[1:]),
        ["ETHERNET", "MPLS", *FRAMED, "DNS"]),
    "MPLS: a control word and an address in which a frame can be read": (
        1, ethernet(0x8847, label() + bytes(4) + FRAME[:8] + b"\x08\0\x45\0" + FRAME[12:]),
        ["ETHERNET", "MPLS", "MPLS_WORD", *FRAMED]),
    "MPLS: in an IP datagram its end counts, not the frame's": (
        1, ethernet(0x0800, ipv4(137, label() + like_ethernet(b"\x08\0\x45\0\0\x2e"))) + bytes(60),
        ["ETHERNET", "IP", "MPLS", *DATAGRAM6]),
    "MPLS: what fits nothing is not gone into": (1, ethernet(0x8847, label() + b"\x9a" + bytes(40)), ["ETHERNET", "MPLS"]),
    "L2TP: without any option (RFC 2661 3.1)": (
        101, over(1701, struct.pack("!HHH", 2, 1, 2) + b"\xff\3\0\x21" + INNER), ["IP", "UDP", "L2TP", "PPP", *DATAGRAM]),
    "L2TP: L, S and O move the payload": (
        101, over(1701, struct.pack("!HHHHHHH", 0x4A02, 18 + len(INNER), 1, 2, 3, 4, 0) + b"\xff\3\0\x21" + INNER),
        ["IP", "UDP", "L2TP", "PPP", *DATAGRAM]),
    "L2TP: an offset of 3": (
        101, over(1701, struct.pack("!HHHH", 0x0202, 1, 2, 3) + b"pad" + b"\xff\3\0\x21" + INNER),
        ["IP", "UDP", "L2TP", "PPP", *DATAGRAM]),
    "L2TP: T is control, which carries nothing": (
        101, over(1701, struct.pack("!HHHHHH", 0xC802, 12 + len(INNER), 1, 2, 3, 4) + INNER), ["IP", "UDP", "L2TP"]),
    "PPP: FF 03 may be missing (RFC 1661 6.6)": (9, b"\0\x21" + INNER, ["PPP_BARE", *DATAGRAM]),
    "PPP: an odd first byte is a protocol of one (6.5)": (9, b"\x21" + INNER, ["PPP_SHORT", *DATAGRAM]),
    "PPP: behind FF 03, too": (9, b"\xff\3\x57" + INNER6, ["PPP_FRAMED_SHORT", *DATAGRAM6]),
    "SNAP: OUI 0 means an EtherType (RFC 1042)": (1, sized(DATA_LLC), ["ETHERNET", "LLC", "SNAP", *DATAGRAM]),
    "SNAP: and 0000F8 (802.1H)": (1, sized(llc("0000f8", 0x0800, INNER)), ["ETHERNET", "LLC", "SNAP", *DATAGRAM]),
    "SNAP: others mean what is theirs": (1, sized(llc("00000c", 0x0800, INNER)), ["ETHERNET", "LLC", "SNAP"]),
    "SNAP: a bridged frame behind two bytes of padding (RFC 2684 5.2)": (
        1, sized(llc("0080c2", 7, bytes(2) + FRAME)), ["ETHERNET", "LLC", "SNAP", *FRAMED]),
    "SNAP: with its check sequence": (1, sized(llc("0080c2", 1, bytes(2) + FRAME + PAD)), ["ETHERNET", "LLC", "SNAP", *FRAMED]),
    "SNAP: in 802.11, too": (105, wlan(0x08, 1, b"", llc("0080c2", 7, bytes(2) + FRAME)), ["WLAN", "LLC", "SNAP", *FRAMED]),
    "SNAP: in AAL5": (100, llc("0080c2", 7, bytes(2) + FRAME), ["LLC", "SNAP", *FRAMED]),
    "SNAP: in Frame Relay without padding (RFC 2427 4.2)": (
        107, b"\x18\x41\3\0\x80\0\x80\xc2\0\7" + FRAME, ["FRAME_RELAY_PADDED", "SNAP_CLOSE", *FRAMED]),
    "ARCNET: in an exception frame the type comes again (RFC 1201 2.1)": (
        7, b"\1\2\xd4\xff\xff\xff\xd4\1\0\7" + INNER, ["ARCNET_EXCEPTION", *DATAGRAM]),
    "ARCNET: diagnostics and BACnet have no flag": (7, b"\1\2\xcd\1\xff\x82" + INNER, ["ARCNET_1051"]),
    "SNAP: a spanning tree's message": (100, llc("0080c2", 14, b"\0\0\0\x80"), ["LLC", "SNAP", "STP"]),
    "AAL5: an EtherType": (100, DATA_LLC, ["LLC", "SNAP", *DATAGRAM]),
    "OSPF: LLS stands behind a hello that says so (RFC 5613 2)": (101, ospf(0x12, LLS), ["IP", "OSPF_LLS", "LLS"]),
    "OSPF: behind others nothing does": (101, ospf(2, LLS), ["IP", "OSPF"]),
    "OSPF: first the digest": (101, ospf(0x12, LLS, 2, b"D" * 20), ["IP", "OSPF_LLS_20", "LLS_CRYPTO"]),
    "OSPF: whose size must be known": (101, ospf(0x12, LLS, 2, b"D" * 9), ["IP", "OSPF_LLS_BEHIND"]),
    **{f"OSPF: a digest of {size} bytes (RFC 5709 3)": (
        101, ospf(0x12, LLS, 2, b"D" * size), ["IP", f"OSPF_LLS_{size}", "LLS_CRYPTO"]) for size in (16, 20, 32, 48, 64)},
    "OSPFv3: behind a hello": (101, ospf3(1, 2, LLS), ["IPV6", "OSPF3_LLS", "LLS"]),
    "OSPFv3: and a description": (101, ospf3(2, 2, LLS), ["IPV6", "OSPF3_LLS", "LLS"]),
    "OSPFv3: in front of what authenticates both (RFC 7166 2.2)": (
        101, ospf3(2, 6, LLS + bytes(36)), ["IPV6", "OSPF3_SEALED_LLS", "LLS_CRYPTO"]),
    "OSPFv3: which is there without LLS, too": (101, ospf3(1, 4, bytes(36)), ["IPV6", "OSPF3_SEALED"]),
    "OSPFv3: behind another one": (101, ospf3(1, 0, LLS), ["IPV6", "OSPF3"]),
    "LLC: 06 06 03 is IPv4": (1, sized(b"\6\6\3" + INNER), ["ETHERNET", "LLC", *DATAGRAM]),
    "LLC: behind tags, too": (1, ethernet(0x8100, tags([0x8100], len(DATA_LLC), DATA_LLC)),
                              ["ETHERNET", "VLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11: three addresses": (105, wlan(0x08, 1, b"", DATA_LLC), ["WLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11: four": (105, wlan(0x08, 3, bytes(6), DATA_LLC), ["WLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11: +HTC adds four bytes to frames of quality of service": (
        105, wlan(0x88, 0x81, bytes(6), DATA_LLC), ["WLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11: and to no others": (105, wlan(0x08, 0x81, b"", DATA_LLC), ["WLAN", "LLC", "SNAP", *DATAGRAM]),
    "802.11: packets of an A-MSDU": (
        105, wlan(0x88, 1, b"\x80\0", A_MSDU + bytes(-len(A_MSDU) % 4) + A_MSDU),
        ["WLAN", "WLAN_PACKET_1", "LLC", "SNAP", *DATAGRAM, "WLAN_PACKET_1", "LLC", "SNAP", *DATAGRAM]),
    "802.11: but the last one is not filled up, and a check sequence may stand behind it": (
        105, wlan(0x88, 1, b"\x80\0", A_MSDU + bytes(4)), ["WLAN", "WLAN_PACKET_1", "LLC", "SNAP", *DATAGRAM]),
    **{f"802.11: {pad} bytes behind a packet of an A-MSDU": (
        105, wlan(0x88, 1, b"\x80\0", amsdu(bytes(14 - pad)) + bytes(pad) + A_MSDU),
        ["WLAN", f"WLAN_PACKET{['', '_1', '_2', '_3'][pad]}", "LLC", "WLAN_PACKET_1", "LLC", "SNAP", *DATAGRAM])
       for pad in range(4)},
    "radiotap: 0x20 pads the header of the frame to four": (
        127, radiotap(0x20, wlan(0x88, 1, b"\0\0\0\0", DATA_LLC)), ["RADIOTAP", "WLAN_PADDED", "LLC", "SNAP", *DATAGRAM]),
    "radiotap: fields follow the last word of what is present, aligned from the start": (
        127, radiotap2(0x20, wlan(0x88, 1, b"\0\0\0\0", DATA_LLC)), ["RADIOTAP_2", "WLAN_PADDED", "LLC", "SNAP", *DATAGRAM]),
    "NFLOG: lengths of a little-endian machine, without their padding": (
        239, nflog("<", 2, INNER), ["NFLOG", "NFLOG_ATTRIBUTE", "NFLOG_PACKET", *DATAGRAM]),
    "NFLOG: of a big-endian one": (
        239, nflog(">", 10, INNER6), ["NFLOG", "NFLOG_ATTRIBUTE_BIG", "NFLOG_PACKET_BIG", *DATAGRAM6]),
    "NFLOG: the family says what the packet is": (
        239, nflog("<", 7, FRAME), ["NFLOG", "NFLOG_ATTRIBUTE", "NFLOG_PACKET"]),
    "VXLAN: bits that GPE has do not count at port 4789": (
        101, over(4789, b"\x0c\0\0\1" + bytes(4) + FRAME), ["IP", "UDP", "VXLAN", *FRAMED]),
    "VXLAN-GPE: without P it is Ethernet": (101, over(4790, b"\x08\0\0\1" + bytes(4) + FRAME), ["IP", "UDP", "VXLAN_GPE", *FRAMED]),
    "VXLAN-GPE: with P it says what it is": (
        101, over(4790, b"\x0c\0\0\1" + bytes(4) + INNER), ["IP", "UDP", "VXLAN_GPE", *DATAGRAM]),
    "BFD: its source ports are any": (101, over(3784, bytes(24), 53), ["IP", "UDP", "BFD"]),
    "SCTP in UDP: port 9899 (RFC 6951)": (
        101, over(9899, struct.pack("!HHII", 5000, 5001, 1, 0)), ["IP", "UDP", "SCTP"]),
    **{f"cooked, version {version}: {what}": (link, cooked(hardware, protocol, frame), [name, *headers])
       for version, (link, name, cooked) in {1: (113, "SLL", sll), 2: (276, "SLL2", sll2)}.items()
       for what, (hardware, protocol, frame, headers) in DEVICES.items()},
    "L2TPv3: nothing follows that nobody said": (101, ipv4(115, b"\0\0\0\7" + FRAME), ["IP", "L2TPV3"]),
    "GRE: a virtual network of NVGRE (RFC 7637 3.2)": (
        101, ipv4(47, struct.pack("!HHI", 0x2000, 0x6558, 0x100000) + FRAME), ["IP", "NVGRE", *FRAMED]),
    "GRE: those below 0x1000 are reserved": (
        101, ipv4(47, struct.pack("!HHI", 0x2000, 0x6558, 0xFFFFF) + FRAME), ["IP", "GRE", *FRAMED]),
    "GRE: the key of frames may be cut off": (101, ipv4(47, struct.pack("!HHI", 0x2000, 0x6558, 1 << 20)[:7]), ["IP", "GRE"]),
    "GRE: frames with a checksum are none": (101, ipv4(47, gre(0x6558, FRAME, 0xA000)), ["IP", "GRE", *FRAMED]),
    "GRE: nor are those without a key": (101, ipv4(47, gre(0x6558, FRAME)), ["IP", "GRE", *FRAMED]),
    "an extension header of IPv6 is none of IPv4": (101, ipv4(60, extension(17, bytes(6)) + udp()), ["IP"]),
}  # fmt: skip


def walked(codec, linktype: int, frame: bytes) -> list[tuple[str, int, int, int]]:
    return [(HEADERS[kind], *places) for kind, *places in codec.walk(bytearray(frame), row_of(frame, linktype))]


@pytest.mark.parametrize("rule", RULES)
def test_what_comes_next(codec, rule):
    linktype, frame, headers = RULES[rule]
    assert [name for name, *_ in walked(codec, linktype, frame)] == headers


PADDED = FRAME[14:] + bytes(9)


def macsec(length: int, payload: bytes, channel: bytes = b"") -> bytes:
    """IPv4 behind it; with the channel if one is given."""
    return ethernet(0x88E5, bytes([0x20 if channel else 0, length]) + bytes(4) + channel + b"\x08\0" + payload)


def pptp(flags: int, more: bytes) -> bytes:
    return struct.pack("!HHHHI", flags, 0x880B, 4 + len(INNER), 7, 1) + more + b"\xff\3\0\x21" + INNER


# the rule: (link type, frame, bytes at its end that are none of the datagram)
ENDS = {
    "802.3: the length ends the data, behind it is padding": (1, sized(DATA_LLC, PAD), 3),
    "IPv4's length, not the frame's": (1, FRAME + PAD, 3),
    "radiotap: 0x10 puts a check sequence at the end": (127, radiotap(0x10, wlan(0x08, 1, b"", DATA_LLC) + bytes(4)), 4),
    "NFLOG: padding of the packet is none of it": (239, nflog("<", 2, INNER) + bytes(3), 3),
    "L2TP: L ends the packet": (
        101, over(1701, struct.pack("!HHHH", 0x4002, 12 + len(INNER), 1, 2) + b"\xff\3\0\x21" + INNER + PAD), 3),
    "SNAP: the check sequence of a bridged frame is none of it": (
        1, sized(llc("0080c2", 1, bytes(2) + FRAME + PAD + b"FCS.")), 3 + 4),
    "SNAP: so it is in Frame Relay": (107, b"\x18\x41\3\0\x80\0\x80\xc2\0\1" + FRAME + PAD + b"FCS.", 3 + 4),
    "MACsec: a short frame ends by its length, behind it are check value and padding (IEEE 802.1AE 9.7)": (
        1, macsec(2 + 33, INNER + b"I" * 16 + PAD), 16 + 3),
    "MACsec: with a channel": (1, macsec(2 + 33, INNER + b"I" * 16 + PAD, bytes(8)), 16 + 3),
    "MACsec: what has no length goes to the end": (1, macsec(0, PADDED + b"I" * 16), 9 + 16),
    "MACsec: 48 is none": (1, macsec(48, PADDED + b"I" * 16), 9 + 16),
    "MACsec: a length beyond the end": (1, macsec(47, INNER + b"I" * 16), 16),
    "PPTP: its length ends the packet (RFC 2637 4.1)": (101, ipv4(47, pptp(0x3001, b"") + PAD), 3),
    "PPTP: with an acknowledgement": (101, ipv4(47, pptp(0x3081, bytes(4)) + PAD), 3),
    "GTP-U: its length ends the packet": (
        101, over(2152, struct.pack("!BBHI", 0x30, 255, len(INNER), 7) + INNER + PAD), 3),
}  # fmt: skip


@pytest.mark.parametrize("rule", ENDS)
def test_where_it_ends(codec, rule):
    linktype, frame, behind = ENDS[rule]
    *_, (name, _, _, end) = walked(codec, linktype, frame)
    assert (name, end) == ("UDP", len(frame) - behind)


SCTP = struct.pack("!HHII", 5000, 5001, 7, 0) + b"\0\3\0\x11\0\0\0\1\0\0\0\0\0\0\0\0x" + bytes(3)
# the rule: the datagram
SUMS = {
    "IGMP: the whole payload of IP, with what is behind its records (RFC 3376 4.1.2)": ipv4(2, b"\x22\0\0\0\0\0\0\0more of it"),
    "GRE: header and payload, to the end by IP's length (RFC 2784 2.4)": ipv4(47, gre(0x0800, INNER, 0xB000)),
    "EIGRP: no pseudo-header in IPv4 (RFC 7868 6)": ipv4(88, b"\2\5" + bytes(17) + b"\x64"),
    "OSPF: its own and that of LLS (RFC 5613 2.2)": ospf(0x12, LLS),
    "OSPFv3: the same": ospf3(1, 2, LLS),
    "SCTP: with the padding of its chunks (RFC 9260 6.8)": ipv4(132, SCTP),
    "SCTP: in UDP, too (RFC 6951)": over(9899, SCTP),
    "AH: the sum is of the protocol behind it, and of its length": ipv6(51, b"\x11\4" + bytes(22) + udp()),
}


@pytest.mark.parametrize("rule", SUMS)
def test_padding_of_the_frame_is_in_no_checksum(codec, rule):
    """And the last byte of the packet is in it."""
    frame = bytearray(ethernet(0x86DD if SUMS[rule][0] >> 4 == 6 else 0x0800, SUMS[rule]))
    codec.correct(frame, row_of(frame, 1), ALL)
    padded = bytes(frame) + PAD
    assert codec.check(bytearray(padded), row_of(padded, 1)) == bytes([CORRECTED])
    frame[-1] ^= 0x40
    assert codec.check(frame, row_of(frame, 1)) == bytes([WRONG])


def test_frames_beside_each_other(codec):
    """The second packet of an A-MSDU is in no tunnel: it needs a checksum, and its lengths end where its frame does."""
    second = llc("000000", 0x0800, INNER[:2] + b"\0\1" + INNER[4:])
    frame = bytearray(wlan(0x88, 1, b"\x80\0", A_MSDU + bytes(-len(A_MSDU) % 4) + amsdu(second)))
    codec.correct(frame, row_of(frame, 105), LENGTHS)
    both = [bytes(frame[start:end]) for name, start, _, end in walked(codec, 105, bytes(frame)) if name == "IP"]
    assert both[0] == both[1]
    assert both[0][26:28] != bytes(2)
    assert codec.check(frame, row_of(frame, 105)) == bytes([CORRECTED])
    frame[-1] ^= 1
    assert codec.check(frame, row_of(frame, 105)) == bytes([WRONG])


def test_lls_has_no_checksum_where_a_digest_is(codec):
    """RFC 5613 2.2: then it is 0, which stays."""
    frame = bytearray(ospf(0x12, LLS, 2, b"D" * 16))
    codec.correct(frame, row_of(frame, 101), ALL)
    assert frame.endswith(LLS)
    assert codec.check(frame, row_of(frame, 101)) == bytes([CORRECTED])


def test_ospfv3_has_no_checksum_where_a_trailer_authenticates_it(codec):
    """RFC 7166 section 4.2: none is computed, nor verified; routers are met that compute one over the trailer, too."""
    frame = bytearray(ospf3(1, 4, bytes(36)))
    frame[52:54] = b"\x07\xd2"
    data = bytearray(frame)
    codec.correct(data, row_of(frame, 101), ALL)
    assert data == frame
    assert WRONG not in codec.check(data, row_of(frame, 101))
    frame[62] ^= 4  # the bit that says so, RFC 7166 section 2.1
    assert codec.check(frame, row_of(frame, 101)) == bytes([WRONG])


def test_udp_lite_has_always_a_checksum(codec):
    """RFC 3828 3.1: a field of 0 is never right."""
    frame = bytearray(ipv4(136, struct.pack("!HHHH", 1000, 2000, 0, 0) + b"lite"))
    codec.correct(frame, row_of(frame, 101), ALL)
    assert codec.check(frame, row_of(frame, 101)) == bytes([CORRECTED])
    frame[26:28] = bytes(2)
    assert codec.check(frame, row_of(frame, 101)) == bytes([WRONG])
