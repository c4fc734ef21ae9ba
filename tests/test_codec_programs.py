"""Filters and assignments over packets, on both codecs."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from samples import (
    ARP,
    IGMP,
    batch,
    ethernet,
    extension,
    frames,
    gre,
    icmp,
    ipv4,
    ipv6,
    over_udp,
    packets_of,
    pktap,
    row_of,
    sctp,
    tags,
    tcp,
    udp,
    vxlan,
)

from pkttools.codec import python
from pkttools.codec.program import ACCEPT, LAYER, REJECT
from pkttools.language import assigning, expression, program
from pkttools.language.arguments import split_assignment
from pkttools.language.filters import Filter
from pkttools.protocols.fields import BY_HEADER, DATA, FAMILY, FIELDS, HEADERS, IPV4, IPV6, LITTLE, MAC, TABLE, TEXT, Row
from pkttools.protocols.shown import format_value, read_field
from pkttools.protocols.walking import FIRST_ITEM

Packets = list[tuple[int, bytes]]

TAGGED = ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, ipv4(17, udp())))
CHAIN = ethernet(
    0x86DD,
    ipv6(0, extension(60, bytes([1, 4, 0, 0, 0, 0])) + extension(43, bytes([1, 4, 1, 1, 1, 1])) + extension(17, bytes(6)) + udp()),
)
# One packet for each kind of header.
SAMPLES: dict[str, tuple[int, bytes]] = {
    "UNKNOWN": (147, b"user0 link type"), "LOOPBACK": (0, b"\2\0\0\0" + ipv4(17, udp())),
    "LOOP": (108, b"\0\0\0\2" + ipv4(17, udp())),
    "SLL": (113, struct.pack("!HHH8sH", 0, 1, 6, b"\2" * 8, 0x0800) + ipv4(17, udp())),
    "SLL2": (276, struct.pack("!HHIHBB8s", 0x86DD, 0, 3, 1, 4, 6, b"\2" * 8) + ipv6(17, udp())),
    "PKTAP": (258, pktap(1, ethernet(0x0800, ipv4(17, udp())))), "PKTAP_BE": (149, pktap(12, ipv4(17, udp()), ">", 108)),
    "ETHERNET": (1, ethernet(0x88F7, b"time" * 5)), "VLAN": (1, TAGGED), "ARP": (1, ethernet(0x0806, ARP + bytes(18))),
    "IP": (1, ethernet(0x0800, ipv4(89, b"ospf" * 8))), "IPV6": (1, ethernet(0x86DD, ipv6(59, b"data"))),
    "IPV6_OPTIONS": (101, ipv6(0, extension(17, bytes(6)) + udp())),
    "IPV6_ROUTING": (101, ipv6(43, extension(17, bytes(22)) + udp())),
    "IPV6_FRAGMENT": (101, ipv6(44, extension(17, bytes(6)) + udp())),
    "IPV6_AH": (101, ipv6(51, bytes([17, 4]) + bytes(22) + udp())),
    "ICMP": (101, ipv4(1, icmp(8))), "IGMP": (101, ipv4(2, IGMP + b"more")), "TCP": (101, ipv4(6, tcp())),
    "UDP": (101, ipv4(17, udp())), "ICMPV6": (101, ipv6(58, icmp(128))), "SCTP": (101, ipv4(132, sctp())),
    "GRE": (101, ipv4(47, gre(0x0800, ipv4(17, udp())))), "VXLAN": (101, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, udp()))))),
}  # fmt: skip
# A hello that says that signals follow, with a digest of a size that nobody knows.
OSPF_HELLO = (
    struct.pack("!BBH8xHHHBBI", 2, 1, 44, 0, 2, 0, 1, 9, 7) + struct.pack("!IHBBI8x", 0xFFFFFF00, 10, 0x12, 1, 40) + bytes(9 + 12)
)
# Further ones of which tshark has none to judge.
OTHERS = [
    (101, ipv4(47, gre(0x0800, ipv4(17, udp()), 0x4000))), (101, ipv4(47, gre(0x880B, bytes(4), 1))),
    (101, ipv4(17, over_udp(2123, b"\x36\x32\0\x08\0\0\0\7" + b"\0\1\0\xc0" + b"\1\0\7\0"))),
    (101, ipv4(89, OSPF_HELLO)),
    (239, b"\2\0\0\3\0\7\0\x0ain\0\0\0\x31\0\x09" + ipv4(17, udp())),
    (253, bytes(16) + struct.pack("!IHHII", 16, 18, 1, 7, 0)),
    (127, struct.pack("<BBHIII", 0, 0, 16, 0x80000000, 0x80000000, 0) + bytes.fromhex("d4000000020000000001")),
]  # fmt: skip
KINDS = {HEADERS.index(name): packet for name, packet in SAMPLES.items()}
# Of a kind without one: the first of the packets that tshark judges which has it.
for path in sorted((Path(__file__).parent / "data/protocols").glob("*.txt")):
    OTHERS += packets_of(path)
for linktype, frame in OTHERS:
    for kind, *_ in python.walk(frame, row_of(frame, linktype)):
        KINDS.setdefault(kind, (linktype, frame))
# Of kinds of one header, which differ in what is there, a field wherever it stands.
PLACES = {(row.name, HEADERS[row.header], row.bit): row for row in TABLE if row.header in KINDS}


def every_row(kinds: Callable[[Row], bool]) -> pytest.MarkDecorator:
    """A test of each row of those kinds."""
    chosen = {place: row for place, row in PLACES.items() if kinds(row)}
    return pytest.mark.parametrize("row", chosen.values(), ids=[f"{name}-{header}-{bit}" for name, header, bit in chosen])


def assigned(codec: ModuleType, packet: tuple[int, bytes], *texts: str, guard: str | None = None) -> bytes:
    """The packet after assignments; what lies around it in the batch stays as it is."""
    items = [split_assignment(text) for text in texts]
    program = assigning.assignments(items)
    linktype, frame = packet
    data = bytearray(b"\xa5" * 3 + frame + b"\xa5" * 3)
    rows = row_of(frame, linktype, offset=3)
    if guard:
        rows = codec.select(data, rows, expression.compiled(expression.any_of([guard])))
    codec.assign(data, rows, program, None, False)
    assert (data[:3], data[3 + len(frame) :]) == (b"\xa5" * 3, b"\xa5" * 3)
    return bytes(data[3 : 3 + len(frame)])


def passes(codec: ModuleType, packets: Packets, text: str) -> list[int]:
    """The numbers of the packets for which an expression holds."""
    b = batch(packets)
    kept = codec.select(b.data, bytes(b.rows), expression.compiled(expression.any_of([text])))
    times = [row[3] for row in struct.iter_unpack("=7q", kept)]
    return [(time - 1_700_000_000_000_000_000) // 1000 for time in times]


def holds(codec: ModuleType, packet: tuple[int, bytes], text: str) -> bool:
    return passes(codec, [packet], text) == [0]


def walked(codec: ModuleType, packet: tuple[int, bytes]) -> list[tuple[int, int, int, int]]:
    linktype, frame = packet
    return codec.walk(bytearray(frame), row_of(frame, linktype))


def header_of(codec: ModuleType, row: Row) -> tuple[tuple[int, bytes], tuple[int, int, int, int]]:
    """A packet with the row's header, and that header."""
    packet = KINDS[row.header]
    return packet, next(header for header in walked(codec, packet) if header[0] == row.header)


def occurrence(codec: ModuleType, row: Row, packet: tuple[int, bytes]) -> int:
    """Which occurrence of its name the row is in the packet, where several headers have that field."""
    kinds = {TABLE[i].header for i in FIELDS[row.name]}
    order = [kind for kind, *_ in walked(codec, packet) if kind in kinds]
    return order.index(row.header) + 1


# ---- every field ----


def test_every_header_has_a_packet():
    """But for those that a setting says, see test_l2tpv3.py and test_own_protocols.py."""
    absent = set(HEADERS) - {HEADERS[kind] for kind in KINDS}
    assert {name for name in absent if not name.startswith(("L2TPV3_COOKIE", "L2TPV3_SUBLAYER", "SCTP_ZERO"))} == set()


@every_row(lambda row: row.kind not in (DATA, TEXT) and row.width > 0)
def test_every_field_is_set_and_read_back(codec, row):
    """The header's bytes are poisoned, so that a bit too much or too little shows; all others are unchanged."""
    for poison in (0x00, 0xFF, 0xA5):
        set_and_read_back(codec, row, poison)


def set_and_read_back(codec: ModuleType, row: Row, poison: int) -> None:
    """The same, of one poison."""
    (linktype, frame), header = header_of(codec, row)
    _, start, data, end = header
    fields = [r for r in BY_HEADER[row.header] if r.kind != DATA]
    named, shaping = (
        {start + (r.bit + i) // 8 for r in fields if r.shapes or not shapes for i in range(r.width)} for shapes in (False, True)
    )
    before = bytearray(frame)
    for i in range(start, start + max(r.bit + r.width for r in fields) // 8):
        if i not in shaping:  # where the walk depends on a byte, it has to stay
            before[i] = poison
        if i not in named and header not in walked(codec, (linktype, bytes(before))):  # of those that are no field's, too
            before[i] = frame[i]
    at = start * 8 + row.bit
    number = occurrence(codec, row, (linktype, frame))
    for value in (0, 1, (1 << row.width) - 1, 0xA5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5 >> (128 - row.width)):
        shown = format_value(row, (value + row.bias) * row.scale)
        after = assigned(codec, (linktype, bytes(before)), f"{row.name}[{number}]={shown}")
        bits = int.from_bytes(before, "big")
        shift = len(before) * 8 - at - row.width
        mask = ((1 << row.width) - 1) << shift
        raw = value
        if row.kind == FAMILY:  # in the byte order that is there: little-endian, unless it says a small big-endian number
            old = bits >> shift & 0xFFFFFFFF
            raw = value if 0 < old <= 0xFFFF else int.from_bytes(value.to_bytes(4, "big"), "little")
        elif row.kind == LITTLE:
            raw = int.from_bytes(value.to_bytes(row.width // 8, "big"), "little")
        assert int.from_bytes(after, "big") == bits & ~mask | raw << shift
        if row.kind != FAMILY:
            assert read_field(row, after, start, data, end) == (value + row.bias) * row.scale


@every_row(lambda row: True)
def test_every_field_is_compared(codec, row):
    packet, (_, start, data, end) = header_of(codec, row)
    value = read_field(row, packet[1], start, data, end)
    name = f"{row.name}[{occurrence(codec, row, packet)}]"
    if row.kind == DATA:
        if value is None:  # a deeper header has it all
            assert not holds(codec, packet, row.name)
            return
        shown = value.hex()
        assert holds(codec, packet, f"{name}=={shown}")
        assert not holds(codec, packet, f"{name}=={shown}00")
        assert not holds(codec, packet, f"{name}!={shown}")
        assert holds(codec, packet, f"{name}<{shown}00")
        assert holds(codec, packet, name)
        return
    shown = format_value(row, value)
    for operator, verdict in (("==", 1), ("!=", 0), ("<", 0), ("<=", 1), (">", 0), (">=", 1)):
        assert holds(codec, packet, f"{name}{operator}{shown}") == verdict, operator
    assert holds(codec, packet, name)
    assert holds(codec, packet, row.name.partition(".")[0])
    if row.kind not in (MAC, IPV4, IPV6, TEXT) and row.width > 1:
        top = ((1 << row.width) - 1 + row.bias) * row.scale
        assert holds(codec, packet, f"{name}<={top}")
        assert holds(codec, packet, f"{name} in 0-{top}")


@every_row(lambda row: row.kind == DATA)
def test_every_data_field(codec, row):
    """What is longer than its room is cut, what is shorter leaves the rest; nothing grows."""
    (linktype, frame), (_, _, data, end) = header_of(codec, row)
    name = f"{row.name}[{occurrence(codec, row, (linktype, frame))}]"
    room = end - data
    assert assigned(codec, (linktype, frame), f"{name}={'ab' * (room + 50)}") == frame[:data] + b"\xab" * room + frame[end:]
    if room:
        assert assigned(codec, (linktype, frame), f"{name}=cd") == frame[:data] + b"\xcd" + frame[data + 1 :]
        assert assigned(codec, (linktype, frame), f"{name}=") == frame


@pytest.mark.parametrize("number", range(len(frames())))
def test_a_packet_from_field_lines_alone(codec, number):
    """Zero bytes and the lines of `-aa` give the packet again, where every byte is covered by a field."""
    linktype, frame = frames()[number]
    headers = walked(codec, (linktype, frame))
    if len(headers) == 32:
        pytest.skip("its fields are not all reached")
    b = batch([(linktype, frame)])
    text = bytes(codec.text_encode(b.data, bytes(b.rows), 0, 1, 16, False, 2)[0]).decode()
    lines = [line for line in text.splitlines() if "." in line.partition(":")[0] and line[:1].isalpha()]
    lines = [line for line in lines if TABLE[FIELDS[line.partition(":")[0].partition("[")[0]][0]].header < FIRST_ITEM]
    items: list[tuple[str, str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if items and items[-1][0] == name and "DATA" in name:
            value = items.pop()[2] + " " + value
        items.append((name, "=", value.strip()))
    zeros = bytearray(len(frame))
    if linktype in (101, 12):
        zeros[:1] = bytes([frame[0] & 0xF0]) if frame else b""  # in raw IP it is the version that makes it IP
    if linktype == 0 and frame[0] == 0:
        zeros[3] = 1  # the family goes in the byte order that is there; without any, little-endian
    if linktype == 149:
        zeros[3], zeros[156] = 1, 0x60  # and so does the length of PKTAP; what it holds is raw
    codec.assign(zeros, row_of(frame, linktype), assigning.assignments(items), None, False)
    expected = bytearray(frame)
    for kind, start, data, _ in headers:
        if HEADERS[kind] == "IP":
            options = start + 20, start + (frame[start] & 15) * 4  # no field has them
            expected[options[0] : options[1]] = bytes(options[1] - options[0])
        if HEADERS[kind] == "IPV6_FRAGMENT":
            expected[start + 1] = 0  # reserved
        if HEADERS[kind] == "ICMP" and data > start + 8:
            expected[start + 8 : data] = bytes(data - start - 8)  # 1.16's ICMP.DATA begins behind 28 bytes
        if HEADERS[kind] == "ICMPV6":
            expected[start + 8 :] = bytes(len(frame) - start - 8)  # its DATA is one word
        if HEADERS[kind] in ("PKTAP", "PKTAP_BE"):
            expected[start + 108 : data] = bytes(data - start - 108)  # what later headers have more has no fields
        if HEADERS[kind] == "SLL":
            expected[start + 12 : start + 14] = bytes(2)  # two unused bytes of the address
        if HEADERS[kind] == "SLL2":
            expected[start + 2 : start + 4] = bytes(2)
            expected[start + 18 : start + 20] = bytes(2)
    assert zeros == expected


# ---- occurrences ----


def tag(frame: bytes) -> tuple[int, ...]:
    """Of both tags: id, type, id, type."""
    return struct.unpack("!HHHH", frame[14:22])


def test_the_kth_value_goes_to_the_kth_occurrence(codec):
    assert tag(TAGGED) == (1, 0x8100, 2, 0x0800)
    packet = (1, TAGGED)
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_TAG=7")) == (7, 0x8100, 2, 0x0800)
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_TAG=7", "ETHERNET.VLAN_TAG=8")) == (7, 0x8100, 8, 0x0800)
    further = [f"ETHERNET.VLAN_TAG={i}" for i in (7, 8, 9, 10)]
    assert tag(assigned(codec, packet, *further)) == (7, 0x8100, 10, 0x0800)  # further ones to the last
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_TAG[2]=7")) == (1, 0x8100, 7, 0x0800)
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_TAG[-1]=7")) == (1, 0x8100, 7, 0x0800)
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_TAG[-2]=7")) == (7, 0x8100, 2, 0x0800)
    assert tag(assigned(codec, packet, "ETHERNET.VLAN_ID[2]=4095")) == (1, 0x8100, 4095, 0x0800)
    for missing in ("ETHERNET.VLAN_TAG[3]=7", "ETHERNET.VLAN_TAG[-3]=7", "ETHERNET.VLAN_TAG[3]+=7", "ARP.OPERATION=7"):
        assert assigned(codec, packet, missing) == TAGGED
    assert tag(assigned(codec, packet, "ETHERNET.TYPE[3]=0x9999")) == (1, 0x8100, 2, 0x9999)  # the first is ETHERNET's own


def test_for_other_fields_the_last_value_wins(codec):
    assert assigned(codec, (101, ipv4(17, udp())), "IP.TTL=5", "IP.TTL=6")[8] == 6


def test_a_filter_asks_the_first_occurrence(codec):
    packet = (1, TAGGED)
    assert holds(codec, packet, "ETHERNET.VLAN_TAG==1")
    assert not holds(codec, packet, "ETHERNET.VLAN_TAG==2")
    assert holds(codec, packet, "ETHERNET.VLAN_TAG[2]==2")
    assert holds(codec, packet, "ETHERNET.VLAN_TAG[-1]==2 and ETHERNET.VLAN_TAG[-2]==1")
    for text in ("ETHERNET.VLAN_TAG[3]", "ETHERNET.VLAN_TAG[-3]", "ETHERNET.VLAN_TAG[3]!=0", "ETHERNET.VLAN_TAG[3]<9"):
        assert not holds(codec, packet, text)
    assert holds(codec, packet, "ETHERNET.TYPE==0x88a8 and ETHERNET.TYPE[2]==0x8100 and ETHERNET.TYPE[3]==0x800")


def test_the_chain_of_ipv6(codec):
    packet = (1, CHAIN)
    assert holds(codec, packet, "IPV6.NEXT_HEADER==0 and IPV6.NEXT_HEADER[2]==60 and IPV6.NEXT_HEADER[-1]==udp")
    assert holds(codec, packet, "IPV6.EXT_SIZE==8 and IPV6.EXT_SIZE[3]==8 and not IPV6.EXT_SIZE[4]")
    assert holds(codec, packet, "IPV6.EXT_DATA[2]==010401010101")
    values = ["IPV6.EXT_DATA=aa", "IPV6.EXT_DATA=bb", "IPV6.EXT_DATA=cc"]
    after = assigned(codec, packet, *values)
    assert [after[at + 2] for at in (54, 62, 70)] == [0xAA, 0xBB, 0xCC]


# ---- the walk follows the changes ----


def test_later_assignments_meet_the_headers_as_they_are_now(codec):
    frame = ethernet(0x88CC, bytes(40))
    after = assigned(
        codec, (1, frame), "IP.TTL=1", "ETHERNET.TYPE=ip", "IP.TTL=64", "IP.HEADER_SIZE=20", "IP.PROTOCOL=17", "UDP.DST_PORT=53"
    )
    assert (after[12:14], after[22], after[36:38]) == (b"\x08\0", 64, b"\0\x35")
    udp_size = assigned(codec, (101, ipv4(17, udp())), "UDP.SIZE=9", "UDP.DATA=ffff")
    assert udp_size[28:] == b"\xffello"


def test_data_can_shape_too(codec):
    """The bytes of an unknown protocol become a header's."""
    after = assigned(codec, (1, ethernet(0x0800, bytes(10))), "ETHERNET.DATA=ff", "IP.TTL=9")
    assert after == ethernet(0x0800, b"\xff" + bytes(9))  # too short for a header: it stays data
    after = assigned(codec, (0, bytes(40)), "LOOPBACK.DATA=45", "LOOPBACK.FAMILY=2", "IP.TTL=9")
    assert (after[:4], after[4], after[12]) == (b"\2\0\0\0", 0x45, 9)


# ---- arithmetic ----


@pytest.mark.parametrize(
    ("text", "at", "after"),
    [
        ("IP.TTL+=1", 8, "41"), ("IP.TTL-=1", 8, "3f"), ("IP.TTL+=255", 8, "3f"), ("IP.TTL-=65", 8, "ff"), ("IP.TTL+=192", 8, "00"),
        ("IP.ID-=8", 4, "ffff"), ("IP.SRC_ADDR+=255", 12, "c0000300"), ("IP.SRC_ADDR-=0xc0000202", 12, "ffffffff"),
        ("IP.HEADER_SIZE+=4", 0, "46"), ("IP.HEADER_SIZE-=24", 0, "4f"), ("IP.OFFSET+=16", 6, "0002"), ("IP.OFFSET-=8", 6, "1fff"),
        ("UDP.DST_PORT+=65535", 22, "0034"), ("UDP.DST_PORT-=54", 22, "ffff"), ("IP.DSCP-=1", 1, "fc"), ("IP.ECN+=3", 1, "03"),
        ("IP.VERSION+=12", 0, "05"),
    ],
)  # fmt: skip
def test_arithmetic_wraps_around(codec, text, at, after):
    frame = ipv4(17, udp())
    new = bytes.fromhex(after)
    assert assigned(codec, (101, frame), text) == frame[:at] + new + frame[at + len(new) :]


def test_arithmetic_of_128_bits(codec):
    frame = ipv6(17, udp())
    after = assigned(codec, (101, frame), "IPV6.SRC_ADDR-=2", "IPV6.DST_ADDR+=0xfffffffffffffffffffffffffffffffe")
    assert after[8:40].hex() == "20010db7ffffffffffffffffffffffff" + "20010db8000000000000000000000000"


def test_family_keeps_its_byte_order(codec):
    for frame, after in (
        (b"\2\0\0\0", "1e000000"),
        (b"\0\0\0\2", "0000001e"),
        (bytes(4), "1e000000"),
        (b"\xff\xff\xff\xff", "1e000000"),
    ):
        assert assigned(codec, (0, frame), "LOOPBACK.FAMILY=30").hex() == after
    assert assigned(codec, (108, b"\2\0\0\0"), "LOOPBACK.FAMILY=30").hex() == "0000001e"  # always big-endian
    assert holds(codec, (0, b"\2\0\0\0"), "LOOPBACK.FAMILY==2")
    assert holds(codec, (0, b"\0\0\0\2"), "LOOPBACK.FAMILY==2")
    assert not holds(codec, (108, b"\2\0\0\0"), "LOOPBACK.FAMILY==2")


def test_a_value_that_a_header_cannot_hold_is_left_alone(codec):
    """`IPV6.EXT_SIZE` counts 8 bytes in most headers, 4 in the authentication header, and is no field of a fragment's."""
    frame = ipv6(0, extension(17, bytes(6)) + udp())
    assert assigned(codec, (101, frame), "IPV6.EXT_SIZE=12") == frame
    assert assigned(codec, (101, frame), "IPV6.EXT_SIZE=16")[41] == 1
    frame = ipv6(51, bytes([17, 4]) + bytes(22) + udp())
    assert assigned(codec, (101, frame), "IPV6.EXT_SIZE=12")[41] == 1
    frame = ipv6(44, extension(17, bytes(6)) + udp())
    assert assigned(codec, (101, frame), "IPV6.EXT_SIZE=16") == frame


def test_swap(codec):
    pairs = (("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"), ("IP.SRC_ADDR", "IP.DST_ADDR"), ("UDP.SRC_PORT", "UDP.DST_PORT"),
             ("IPV6.SRC_ADDR", "IPV6.DST_ADDR"), ("TCP.SRC_PORT", "TCP.DST_PORT"))  # fmt: skip
    program = assigning.assignments([("UDP.DST_PORT", "=", "99")], pairs)  # assignments come behind the exchange
    v4, v6 = ethernet(0x0800, ipv4(17, udp())), ethernet(0x86DD, ipv6(6, tcp()))
    b = batch([(1, v4), (1, v6), (1, ethernet(0x0806, ARP)), (9, b"none of it")])
    codec.assign(b.data, bytes(b.rows), program, None, False)
    got = [bytes(b.frame(i)) for i in range(4)]
    assert got[0] == v4[6:12] + v4[:6] + v4[12:26] + v4[30:34] + v4[26:30] + v4[36:38] + b"\0\x63" + v4[38:]
    assert got[1] == v6[6:12] + v6[:6] + v6[12:22] + v6[38:54] + v6[22:38] + v6[56:58] + v6[54:56] + v6[58:]
    assert got[2][:14] == ethernet(0x0806, b"")[6:12] + ethernet(0x0806, b"")[:6] + b"\x08\x06"
    assert got[3] == b"none of it"


def test_guard(codec):
    b = batch([(101, ipv4(17, udp())), (101, ipv4(6, tcp())), (101, ipv6(17, udp()))])
    program = assigning.assignments([("UDP.DST_PORT", "=", "9"), ("TCP.DST_PORT", "=", "9"), ("IP.PROTOCOL", "=", "6")])
    rows = codec.select(b.data, bytes(b.rows), expression.compiled(expression.any_of(["IP.PROTOCOL==17"])))
    codec.assign(b.data, rows, program, None, False)
    assert [bytes(b.frame(i)) == frame for i, frame in enumerate([b"", ipv4(6, tcp()), ipv6(17, udp())])] == [False, True, True]
    assert bytes(b.frame(0))[20:24] == struct.pack("!HH", 1024, 9)


# ---- filters ----

# Numbers of packets: 0 UDP to 53, 1 TCP, 2 UDP in IPv6, 3 ARP, 4 from 10.0.0.1, 5 from 192.168.0.0
FEW: Packets = [
    (1, ethernet(0x0800, ipv4(17, udp()))), (1, ethernet(0x0800, ipv4(6, tcp()))), (1, ethernet(0x86DD, ipv6(17, udp(b"abc")))),
    (1, ethernet(0x0806, ARP)), (101, ipv4(1, icmp())[:12] + bytes([10, 0, 0, 1]) + ipv4(1, icmp())[16:]),
    (101, ipv4(1, icmp(8))[:12] + bytes([192, 168, 0, 0]) + ipv4(1, icmp(8))[16:]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("UDP", [0, 2]), ("IP", [0, 1, 4, 5]), ("ARP or TCP", [1, 3]), ("not IP", [2, 3]), ("IP and UDP", [0]), ("VLAN", []),
        ("UDP TCP", [0, 1, 2]), ("UDP.DST_PORT==53 ARP", [0, 2, 3]), ("not UDP TCP", [1, 3, 4, 5]), ("not (UDP TCP)", [3, 4, 5]),
        ("ARP or IP and UDP", [0, 3]), ("(ARP or IP) and UDP", [0]), ("IP and not UDP and not TCP", [4, 5]), ("not not ARP", [3]),
        ("!ARP && IP || ARP", [0, 1, 3, 4, 5]), ("not ARP and IPV6", [2]),
        # without the field no operator matches
        ("UDP.DST_PORT!=53", []), ("not UDP.DST_PORT==53", [1, 3, 4, 5]), ("UDP.DST_PORT>=0", [0, 2]), ("UDP.DST_PORT", [0, 2]),
        # unsigned, unlike 1.16
        ("IP.SRC_ADDR>192.0.2.1", [5]), ("IP.SRC_ADDR<192.0.2.1", [4]), ("IP.SRC_ADDR>10.0.0.1", [0, 1, 5]),
        ("IP.SRC_ADDR in 10.0.0.0-10.0.0.255,192.0.2.1", [0, 1, 4]), ("IP.SRC_ADDR==192.0.0.0/8", [0, 1, 5]),
        ("IP.SRC_ADDR!=192.0.0.0/8", [4]), ("IP.SRC_ADDR==0.0.0.0/0", [0, 1, 4, 5]), ("IP.SRC_ADDR==10.9.9.9/8", [4]),
        ("IP.SRC_ADDR in 10.0.0.0/8,192.168.0.0/16", [4, 5]), ("IP.SRC_ADDR==192.0.2.1/32", [0, 1]),
        ("IPV6.SRC_ADDR==2001:db8::/32", [2]), ("IPV6.SRC_ADDR==2001:db9::/32", []), ("IPV6.SRC_ADDR==2001:db8::2/126", [2]),
        ("IPV6.SRC_ADDR==2001:db8::2/127", []), ("IPV6.SRC_ADDR>=2001:db8::1", [2]), ("IPV6.SRC_ADDR==::/0", [2]),
        ("UDP.DST_PORT in 1-52,54-99", []), ("UDP.DST_PORT in 50-53", [0, 2]),
        ("UDP.DST_PORT in 53", [0, 2]), ("UDP.DST_PORT in 1, 53 ,99", [0, 2]), ("udp.dst_port IN 53 AND ip", [0]),
        ("IP.PROTOCOL==udp", [0]), ("IP.PROTOCOL in tcp,icmp", [1, 4, 5]), ("ARP.OPERATION==request", [3]),
        ("ICMP.TYPE==echo-request", [5]),
        ("ICMP.TYPE in echo-request,echo-reply", [4, 5]), ("IP.PROTOCOL in 1-6", [1, 4, 5]), ("ICMP.TYPE==ECHO-reply", [4]),
        ("UDP.DATA==68656c6c6f", [0]), ("UDP.DATA==68 65 6c 6c 6f", [0]), ("UDP.DATA==68 65 6c 6c 6f and ARP", []),
        ("UDP.DATA>61 62 63", [0]), ("UDP.DATA<62", [2]), ("UDP.DATA==61 62 63 or ARP", [2, 3]), ("UDP.DATA", [0, 2]),
        ("ETHERNET.SRC_ADDR==02:00:00:00:00:01", [0, 1, 2, 3]), ("ETHERNET.SRC_ADDR==2-0-0-0-0-1", [0, 1, 2, 3]),
        ("TCP.SYN==1", [1]), ("TCP.FLAGS==0x12", [1]), ("IP.HEADER_SIZE==20 and TCP.OFFSET==24", [1]),
    ],
)  # fmt: skip
def test_filters(codec, text, numbers):
    assert passes(codec, FEW, text) == numbers


def test_broadcast_and_groups(codec):
    """-nb drops the broadcast address, -nm other groups; what is no Ethernet has neither."""
    frame = ethernet(0x0806, ARP)
    packets = [(1, frame), (1, b"\xff" * 6 + frame[6:]), (1, b"\x01\0\x5e\0\0\1" + frame[6:]), (1, b"\x33\x33\0\0\0\1" + frame[6:]),
               (101, ipv4(17, udp()))]  # fmt: skip

    def kept(texts: list[str], reverse: bool, no_broadcast: bool, no_multicast: bool) -> list[int]:
        b = batch(packets)
        chosen = Filter(texts, reverse=reverse, no_broadcast=no_broadcast, no_multicast=no_multicast)
        rows = codec.select(b.data, bytes(b.rows), chosen.program(1))
        return [(row[3] - 1_700_000_000_000_000_000) // 1000 for row in struct.iter_unpack("=7q", rows)]

    assert kept([], False, True, False) == [0, 2, 3, 4]
    assert kept([], False, False, True) == [0, 1, 4]
    assert kept([], False, True, True) == [0, 4]
    assert kept(["ARP"], False, True, True) == [0]
    assert kept(["ARP"], True, True, True) == [4]  # -r turns the expressions around, and them alone
    assert kept(["UDP", "ARP"], False, False, False) == [0, 1, 2, 3, 4]


def test_a_long_program(codec):
    """10,000 items: no recursion, nowhere."""
    text = "UDP.DST_PORT in " + ",".join(str(i) for i in range(100, 10_100))
    assert passes(codec, FEW, text) == []
    assert passes(codec, FEW, text + ",53") == [0, 2]
    assert passes(codec, FEW, " or ".join(f"UDP.DST_PORT=={i}" for i in range(1, 5000))) == [0, 2]
    assert passes(codec, FEW, " and ".join(f"UDP.DST_PORT!={i}" for i in range(100, 5000))) == [0, 2]


@pytest.mark.parametrize(
    ("step", "plus", "minus"),
    [(0, "ffffffffffffffff8000000000000001", "ffffffffffffffff8000000000000001"),
     (1 << 64, "00000000000000008000000000000001", "fffffffffffffffe8000000000000001"),
     (5 << 64, "00000000000000048000000000000001", "fffffffffffffffa8000000000000001"),
     (0x7FFFFFFFFFFFFFFF, "00000000000000000000000000000000", "ffffffffffffffff0000000000000002"),
     (0x8000000000000001, "00000000000000000000000000000002", "ffffffffffffffff0000000000000000"),
     (0x8000000000000002, "00000000000000000000000000000003", "fffffffffffffffeffffffffffffffff"),
     ((1 << 128) - 1, "ffffffffffffffff8000000000000000", "ffffffffffffffff8000000000000002")],
)  # fmt: skip
def test_the_carry_between_the_halves_of_128_bits(codec, step, plus, minus):
    """A step whose lower half is 0 carries nothing; one that just fills the lower half does not, one more does."""
    frame = assigned(codec, (101, ipv6(17, udp())), "IPV6.DST_ADDR=ffff:ffff:ffff:ffff:8000::1")
    assert assigned(codec, (101, frame), f"IPV6.DST_ADDR+={step:#x}")[24:40].hex() == plus
    assert assigned(codec, (101, frame), f"IPV6.DST_ADDR-={step:#x}")[24:40].hex() == minus


# ---- programs that are none ----

COLUMNS = ["header", "bit", "width", "bias", "scale", "kind", "shapes", "next"]  # of `struct field` in codec.h


def refused(codec: ModuleType, **changed: int) -> list[bool]:
    """Whether a filter and an assignment are, with these columns changed in the first of their two fields, both IP.TTL's."""
    rows, test, _ = expression.compiled(expression.any_of(["IP.TTL==64"]))
    _, assignment, _ = assigning.assignments([("IP.TTL", "=", "9")])
    test, assignment = array("q", test), array("q", assignment)
    words = array("H", bytes(rows)[16 * test[0] :][:16] * 2)
    words[7] = words[15] = 0
    for name, value in changed.items():
        words[COLUMNS.index(name)] = value
    test[0] = assignment[1] = 0
    b = batch([(101, ipv4(17, udp()))])
    calls = [lambda: codec.select(b.data, bytes(b.rows), (words.tobytes(), test.tobytes(), b"")),
             lambda: codec.assign(b.data, bytes(b.rows), (words.tobytes(), assignment.tobytes(), b""), None, False)]  # fmt: skip
    found = []
    for call in calls:
        try:
            call()
            found.append(False)
        except ValueError as error:
            assert str(error) == "program is not valid"
            found.append(True)
    return found


@pytest.mark.parametrize(
    ("column", "value", "sound"),
    [("next", 0, True), ("next", 1, True), ("next", 2, False), ("next", 2**16 - 1, False), ("bit", 2**16 - 8, True),
     ("scale", 0, False), ("width", 57, True), ("width", 64, True), ("width", 65, False), ("width", 128, True),
     ("width", 129, False), ("width", 127, False), ("width", 2**16 - 1, False)],
)  # fmt: skip
def test_fields_that_are_not_sound(codec, column, value, sound):
    """They are refused before any packet is looked at; `next` leads to later fields only, so that none is met twice."""
    assert refused(codec, **{column: value}) == [not sound] * 2


@pytest.mark.parametrize(("kind", "beyond"), [(2, 40), (3, 72), (4, 2**16 - 7)], ids=["FAMILY", "LITTLE", "TEXT"])
def test_widths_that_are_not_of_whole_bytes(codec, kind, beyond):
    assert refused(codec, kind=kind, width=32, bit=64) == [False] * 2
    for width, bit in ((12, 64), (beyond, 64), (16 if kind == 2 else 32, 65)):
        assert refused(codec, kind=kind, width=width, bit=bit) == [True] * 2, (width, bit)


@pytest.mark.parametrize(
    ("others", "holds"), [((), True), ((200,), True), ((), False), ((64,), False), ((HEADERS.index("UDP") + 64,), False)]
)
def test_a_set_of_kinds_may_have_any(codec, others, holds):
    """More of them than an integer has bits."""
    tests = expression.Tests()
    kinds = [*others, *([HEADERS.index("UDP")] if holds else [])]
    tests.add(0, 1, LAYER, program.kinds_set(kinds), program.ALL_BITS, ACCEPT, REJECT)
    b = batch([SAMPLES["UDP"]])
    assert len(codec.select(b.data, bytes(b.rows), tests.program())) == (len(bytes(b.rows)) if holds else 0)


def test_fields_that_may_change_are_looked_at_again():
    """Bytes that were found sound are known; what can be written to, and other bytes, are not."""
    codec = pytest.importorskip("pkttools.codec._c", reason="the C codec was not built")
    rows, test, constants = expression.compiled(expression.any_of(["IP.TTL==64"]))
    b = batch([(101, ipv4(17, udp()))])
    fields = bytearray(rows)
    for table in (bytes(rows), bytes(rows), fields, fields):
        assert len(codec.select(b.data, bytes(b.rows), (table, bytes(test), constants))) == 56
    fields[2 * COLUMNS.index("scale") : 2 * COLUMNS.index("scale") + 2] = bytes(2)
    for table in (fields, bytes(fields)):
        with pytest.raises(ValueError, match="not valid"):
            codec.select(b.data, bytes(b.rows), (table, bytes(test), constants))
