"""Frames for tests, one of each kind that the codec knows, built header by header; checksums are left 0."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

from pkttools.batch import Batch


def row_of(frame: bytes | bytearray, linktype: int = 1, original: int | None = None, offset: int = 0) -> bytes:
    """The row of a packet that is a batch alone; `original` is its size on the wire, if that is not its own."""
    return struct.pack("=7q", offset, len(frame), len(frame) if original is None else original, 0, linktype, 0, 0)


def ethernet(kind: int, payload: bytes) -> bytes:
    return bytes.fromhex("020000000002 020000000001") + struct.pack("!H", kind) + payload


def tags(kinds: list[int], inner: int, payload: bytes) -> bytes:
    """Tags with ids 1, 2, ... of the given EtherTypes in front of `inner`."""
    following = [*kinds[1:], inner]
    return b"".join(struct.pack("!HH", i + 1, kind) for i, kind in enumerate(following)) + payload


def ipv4(protocol: int, payload: bytes, options: bytes = b"", fragment: int = 0) -> bytes:
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0, size + len(payload), 7, fragment, 64, protocol, 0)
    return head + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + options + payload


def ipv6(following: int, payload: bytes) -> bytes:
    head = struct.pack("!IHBB", 0x60012345, len(payload), following, 64)
    return head + bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002") + payload


def udp(payload: bytes = b"hello", size: int | None = None) -> bytes:
    return struct.pack("!HHHH", 1024, 53, 8 + len(payload) if size is None else size, 0) + payload


def over_udp(port: int, payload: bytes, source: int = 50000, checksum: int = 0) -> bytes:
    return struct.pack("!HHHH", source, port, 8 + len(payload), checksum) + payload


def tcp(payload: bytes = b"bytes", options: bytes = b"\x02\x04\x05\xb4") -> bytes:
    return struct.pack("!HHIIBBHHH", 40000, 80, 1, 2, (20 + len(options)) // 4 << 4, 0x12, 512, 0, 0) + options + payload


def icmp(kind: int = 0, data: bytes = bytes(range(48))) -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, 77, 1) + data


def sctp(payload: bytes = b"\x0e\0\0\4") -> bytes:
    return struct.pack("!HHII", 2905, 2906, 0x01020304, 0) + payload


def gre(kind: int, payload: bytes, flags: int = 0) -> bytes:
    """With a word of zeros for each of checksum, key and sequence number that the flags announce."""
    return struct.pack("!HH", flags, kind) + bytes(4 * (flags & 0xB000).bit_count()) + payload


def vxlan(payload: bytes, vni: int = 42) -> bytes:
    """VXLAN in UDP."""
    size = 8 + 8 + len(payload)
    return struct.pack("!HHHH", 50000, 4789, size, 0) + b"\x08\0\0\0" + struct.pack("!I", vni << 8) + payload


def pktap(link: int, frame: bytes, order: str = "<", size: int = 156, **other: object) -> bytes:
    """A frame behind a PKTAP header: struct pktap_header of xnu, of 108 bytes as it was first, or 156.

    link: the DLT of the frame. order: of the integers. other: values of other fields, and `length` where it lies.
    """
    value = {"next": 1, "ifname": b"en0", "flags": 2, "family": 2, "pre": 14, "post": 0, "pid": 512, "comm": b"Google Chrome",
             "svc": 700, "iftype": 6, "ifunit": 0, "epid": -1, "ecomm": b"", "length": size} | other  # fmt: skip
    head = struct.pack(
        order + "III24sIIIIi17s3xIHHi17s3x", value["length"], value["next"], link, value["ifname"], value["flags"], value["family"],
        value["pre"], value["post"], value["pid"], value["comm"], value["svc"], value["iftype"], value["ifunit"], value["epid"],
        value["ecomm"],
    )  # fmt: skip
    later = struct.pack(order + "IIii16s16s", 0x1234, 17, 1_700_000_000, 5, b"\xaa" * 16, b"\xbb" * 16)
    return head + later[: size - 108] + frame


IGMP = bytes.fromhex("16000000 e0000009")
ARP = bytes.fromhex("0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202")


def extension(following: int, data: bytes) -> bytes:
    """An extension header; the size comes from the data, six bytes or six and a multiple of eight."""
    return bytes([following, (len(data) - 6) // 8]) + data


def tunnels() -> list[bytes]:
    """IPv4 datagrams that carry others, one of each kind."""
    inner4, inner6, tagged = ipv4(17, udp()), ipv6(6, tcp()), ethernet(0x8100, tags([0x8100], 0x0800, ipv4(1, icmp())))
    return [
        ipv4(4, inner4), ipv4(41, inner6), ipv4(47, gre(0x0800, inner4)), ipv4(47, gre(0x86DD, inner6, 0xB000)),
        ipv4(47, gre(0x6558, tagged, 0x8000)), ipv4(17, vxlan(ethernet(0x0800, inner4))), ipv4(17, vxlan(tagged)),
        ipv4(4, ipv4(47, gre(0x0800, ipv4(17, vxlan(ethernet(0x86DD, inner6)))))), ipv4(4, ipv4(132, sctp())),
        ipv4(47, gre(0x880B, b"ppp" * 9, 1)),
    ]  # fmt: skip


def frames() -> list[tuple[int, bytes]]:
    """(link type, frame) of every kind."""
    v4 = [ipv4(1, icmp()), ipv4(2, IGMP), ipv4(6, tcp()), ipv4(17, udp()), ipv4(17, udp(), b"\x07\x07\x04" + bytes(5)),
          ipv4(17, udp(), fragment=0x2000),
          ipv4(17, b"x" * 20, fragment=0x0003), ipv4(89, b"ospf" * 8), ipv4(1, icmp(8, b""))]  # fmt: skip
    route = bytes([0, 1]) + bytes(4) + bytes.fromhex("20010db8000000000000000000000009")
    v6 = [ipv6(58, icmp(128)), ipv6(17, udp()), ipv6(6, tcp()),
          ipv6(0, extension(17, bytes([1, 4, 0, 0, 0, 0])) + udp()),
          ipv6(43, extension(17, route) + udp()), ipv6(43, extension(58, bytes([4, 1]) + route[2:]) + icmp(129)),
          ipv6(60, extension(44, bytes(6)) + extension(6, bytes(6)) + tcp()),  # an atomic fragment
          ipv6(44, extension(17, bytes([0, 1, 0, 0, 0, 5])) + udp()),  # a first fragment
          ipv6(51, bytes([17, 4]) + bytes(22) + udp())]  # fmt: skip
    found = [(1, ethernet(0x0800, p)) for p in v4] + [(1, ethernet(0x86DD, p)) for p in v6]
    found += [(1, ethernet(0x0800, ipv4(132, sctp()))), (1, ethernet(0x86DD, ipv6(132, sctp(bytes(7)))))]
    found += [(1, ethernet(0x0800, p)) for p in tunnels()] + [(1, ethernet(0x86DD, ipv6(4, tunnels()[0])))]
    found += [(1, ethernet(0x0806, ARP + bytes(18))), (1, ethernet(0x88F7, b"time" * 5)), (1, ethernet(0x0800, v4[3]) + bytes(9))]
    found += [(1, ethernet(0x8100, tags([0x8100], 0x0800, v4[3]))), (1, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x86DD, v6[1]))),
              (1, ethernet(0x8100, tags([0x8100] * 36, 0x0800, v4[0])))]  # fmt: skip
    for p in (v4[3], v6[1]):
        family = 2 if p[0] >> 4 == 4 else 30
        kind = 0x0800 if family == 2 else 0x86DD
        found += [(0, struct.pack("<I", family) + p), (0, struct.pack(">I", family) + p), (108, struct.pack(">I", family) + p),
                  (101, p), (12, p), (228 if family == 2 else 229, p),
                  (113, struct.pack("!HHH8sH", 0, 1, 6, b"\x02" * 8, kind) + p),
                  (276, struct.pack("!HHIHBB8s", kind, 0, 3, 1, 4, 6, b"\x02" * 8) + p)]  # fmt: skip
    found += [(258, pktap(1, ethernet(0x0800, v4[3]), size=108)), (149, pktap(12, v6[1], ">"))]
    found += [(258, pktap(0, b"\2\0\0\0" + v4[0]))]
    return [*found, (147, b"user0 link type"), (1, b""), (101, b"")]


def batch(packets: list[tuple[int, bytes]], original: int | None = None) -> Batch:
    """A batch of frames, each a microsecond after the one before; `original` is their size on the wire if not their own."""
    data, rows = bytearray(), bytearray()
    for i, (linktype, frame) in enumerate(packets):
        size = len(frame) if original is None else original
        rows += struct.pack("=7q", len(data), len(frame), size, 1_700_000_000_000_000_000 + i * 1000, linktype, 0, 0)
        data += frame
    return Batch(data, rows)


# A text with everything that a reader knows.
TEXT = b"""LINKTYPE: 113 (Linux SLL)
a comment
-- 1 --
TIME: 1400167480.561500 Thu May 15 15:24:40 2014
SIZE: 18/98
IFACE: eth0
000000: 00 11 22 33  44 55 00 AA  BB CC DD EE  08 00 45 00 : .."3DU.. ......E.
000010: 00 54                                              : .T              \x20
IP.TTL:\t\t\t0x40
ETHERNET.DATA:\t\t00 01
==
-- 2 --\r
TIME: .123456789\r
0000: 0 1 FF 45 # x\r
NOTE: two words\r
WAY: in\r
==\r
LINKTYPE: 1
-- 3 --
SIZE: 4/
LOST: 9
IPV6.NEXT_HEADER[-1]: 6
==
"""


def packets_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Link type and bytes of the packets of a text as our commands write it."""
    linktype, frame = 1, b""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("LINKTYPE: "):
            linktype = int(line.split()[1])
        elif match := re.match(r"[0-9A-F]{6}: ([0-9A-F ]+) :", line):
            frame += bytes.fromhex(match[1])
        elif line.startswith("=="):
            yield linktype, frame
            frame = b""
