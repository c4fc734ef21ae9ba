"""Who carries a checksum, and what it covers, on both codecs: values computed here by other means; tshark is the second judge."""

from __future__ import annotations

import shutil
import struct
import subprocess
from types import ModuleType
from typing import NamedTuple

import pytest
from samples import ethernet, extension, gre, ipv4, ipv6, row_of, tcp, udp, vxlan

from pkttools.codec import ALL, CORRECTED, OBSCURE, TRANSPORT, UNCERTAIN, UNFINISHED, WRONG
from pkttools.language import assigning
from pkttools.language.arguments import split_assignment

DESTINATION6 = ipv6(59, b"")[24:40]
FAR, FAR6 = bytes([203, 0, 113, 9]), bytes.fromhex("20010db8000000000000000000000099")
HOME6 = bytes.fromhex("20010db800aa" + "77" * 10)
EDITS = ["IP.SRC_ADDR=198.51.100.7", "IP.DST_ADDR=198.51.100.8", "IPV6.SRC_ADDR=fe80::7", "IPV6.DST_ADDR=2001:db8::123:4567"]


class Case(NamedTuple):
    """A datagram, where its checksum stands, and the bytes of which it is the sum, the checksum itself as 0.

    `pseudo`: those of the pseudo-header, without addresses; `ends`: its addresses, each None where it is the header's own.
    """

    frame: bytes
    place: int
    covered: bytes
    pseudo: bytes = b""
    ends: tuple[bytes | None, bytes | None] = (None, None)


def internet(data: bytes) -> int:
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def over4(protocol: int, message: bytes, place: int, covered: bytes | None = None, length: int | None = -1, options: bytes = b"",
          end: bytes | None = None) -> Case:  # fmt: skip
    """In IPv4; length: of the pseudo-header, None for none, -1 for the message's own."""
    pseudo = b"" if length is None else struct.pack("!BBH", 0, protocol, len(message) if length < 0 else length)
    covered = message if covered is None else covered
    return Case(ipv4(protocol, message, options), 20 + len(options) + place, covered, pseudo, (None, end))


def over6(protocol: int, message: bytes, place: int, covered: bytes | None = None, length: int | None = -1,
          chain: bytes = b"", first: int | None = None,
          ends: tuple[bytes | None, bytes | None] = (None, None)) -> Case:  # fmt: skip
    pseudo = b"" if length is None else struct.pack("!II", len(message) if length < 0 else length, protocol)
    covered = message if covered is None else covered
    return Case(ipv6(protocol if first is None else first, chain + message), 40 + len(chain) + place, covered, pseudo, ends)


def route4(kind: int, pointer: int, *hops: bytes) -> bytes:
    size = 3 + 4 * len(hops)
    return b"\1" * (-size % 4) + bytes([kind, size, pointer]) + b"".join(hops)


def routing(following: int, kind: int, left: int, data: bytes) -> bytes:
    return bytes([following, (len(data) + 4) // 8 - 1, kind, left]) + data


HOP, HOP6 = bytes([198, 51, 100, 1]), bytes.fromhex("20010db8000000000000000000000055")
HOME = extension(17, b"\1\2\0\0" + b"\xc9\x10" + HOME6)
DCCP = bytes.fromhex("03e813890500 0000 05000001 00000000 0000002a") + b"some application data"
OSPF3 = bytes.fromhex("03010024c000020100000000000000000000000100 00000a002800000000000000000000") + bytes(1)
OSPF2 = bytes.fromhex("0201002cc0000201000000000000000061626364 65666768ffffff00000a000100000028c000020100000000")
LITE = bytes.fromhex("03e807d000080000") + b"lite data"
MOBILITY = bytes.fromhex("3b0101000000") + bytes.fromhex("00010002000300040005")
HIP = bytes.fromhex("3b0401110000000000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
# In both a datagram with nothing in it, right in itself.
NOTHING = ipv4(59, b"")
REGISTER = bytes.fromhex("2100000000000000") + NOTHING[:10] + internet(NOTHING).to_bytes(2, "big") + NOTHING[12:]
REGISTER6 = bytes.fromhex("2100000000000000") + ipv6(59, b"nothing")

CASES = {
    "loose route, udp": over4(17, udp(), 6, options=route4(131, 4, HOP, FAR), end=FAR),
    "strict route, tcp": over4(6, tcp(), 16, options=route4(137, 8, HOP, HOP, FAR), end=FAR),
    "used-up route, udp": over4(17, udp(), 6, options=route4(131, 12, HOP, FAR)),
    "route behind other options": over4(17, udp(), 6, options=b"\x07\x07\x04" + bytes(4) + b"\1" + route4(131, 4, FAR), end=FAR),
    "end of options before a route": over4(17, udp(), 6, options=b"\0\0\0\0" + route4(131, 4, FAR)),
    "recorded route": over4(17, udp(), 6, options=route4(7, 4, HOP, FAR)),
    "home address": over6(17, udp(), 6, chain=HOME, first=60, ends=(HOME6, None)),
    "home address, icmpv6": over6(58, bytes([128]) + bytes(11), 2, chain=extension(58, b"\1\2\0\0" + b"\xc9\x10" + HOME6), first=60,
                                  ends=(HOME6, None)),
    "home address in hop-by-hop options is none": over6(17, udp(), 6, chain=HOME, first=0),
    "home address and type 2": over6(6, tcp(), 16, chain=extension(43, HOME[2:]) + routing(6, 2, 1, bytes(4) + FAR6), first=60,
                                     ends=(HOME6, FAR6)),
    "type 0": over6(17, udp(), 6, chain=routing(17, 0, 1, bytes(4) + HOP6 + FAR6), first=43, ends=(None, FAR6)),
    "rpl, all the same but two bytes": over6(17, udp(), 6, first=43, ends=(None, DESTINATION6[:14] + b"\x00\x99"),
                                             chain=routing(17, 3, 2, bytes.fromhex("ee400000") + b"\0\x55" + b"\0\x99" + bytes(4))),
    "rpl, an odd number in common": over6(6, tcp(), 16, first=43, ends=(None, DESTINATION6[:13] + b"\xaa\xbb\xcc"),
                                          chain=routing(6, 3, 1, bytes.fromhex("0d500000") + HOP6 + b"\xaa\xbb\xcc" + bytes(5))),
    "rpl, nothing in common": over6(17, udp(), 6, chain=routing(17, 3, 1, bytes(4) + FAR6), first=43, ends=(None, FAR6)),
    "rpl, arrived": over6(17, udp(), 6, chain=routing(17, 3, 0, bytes(4) + FAR6), first=43),
    "srv6": over6(6, tcp(), 16, chain=routing(6, 4, 1, bytes([1, 0, 0, 0]) + FAR6 + HOP6), first=43, ends=(None, FAR6)),
    "srv6, reduced": over6(6, tcp(), 16, chain=routing(6, 4, 1, bytes([0, 0, 0, 0]) + FAR6), first=43, ends=(None, FAR6)),
    "srv6, arrived": over6(6, tcp(), 16, chain=routing(6, 4, 0, bytes([1, 0, 0, 0]) + FAR6 + HOP6), first=43),
    "unknown type, arrived": over6(17, udp(), 6, chain=routing(17, 77, 0, bytes(4) + FAR6), first=43),
    "udp-lite": over4(136, LITE, 6, LITE[:8]),
    "udp-lite, all": over6(136, LITE[:4] + bytes(2) + LITE[6:], 6),
    "udp-lite, a part": over6(136, LITE[:4] + b"\0\x0b" + LITE[6:], 6, LITE[:4] + b"\0\x0b" + LITE[6:11]),
    "dccp": over4(33, DCCP, 6),
    "dccp, header alone": over6(33, DCCP[:5] + b"\1" + DCCP[6:], 6, DCCP[:5] + b"\1" + DCCP[6:20]),
    "dccp, 8 bytes of data": over6(33, DCCP[:5] + b"\3" + DCCP[6:], 6, DCCP[:5] + b"\3" + DCCP[6:28]),
    "ospfv2, behind it a block of its own": over4(89, OSPF2 + b"\xff\xf6\0\3\0\1\0\4\0\0\0\1", 12, OSPF2[:16] + OSPF2[24:], None),
    "ospfv3": over6(89, OSPF3, 12, length=36),
    "ospfv3, behind it a block of its own": over6(89, OSPF3 + b"\xff\xf6\0\3\0\1\0\4\0\0\0\1", 12, OSPF3, 36),
    "pim hello": over4(103, bytes.fromhex("2000000000010002 0069"), 2, length=None),
    "pim hello, ipv6": over6(103, bytes.fromhex("2000000000010002 0069"), 2),
    "pim register": over4(103, REGISTER, 2, REGISTER[:8], None),
    "pim register, ipv6": over6(103, REGISTER6, 2, REGISTER6[:8], 8),
    "vrrpv2": over4(112, bytes.fromhex("2101640100010000c0000209") + b"password", 6, length=None),
    "vrrpv3": over4(112, bytes.fromhex("3101640000640000c0000209"), 6, length=None),
    "vrrpv3, ipv6": over6(112, bytes.fromhex("3101640000640000") + FAR6, 6),
    "mobility header": over6(135, MOBILITY, 4),
    "mobility header, home address": over6(135, MOBILITY, 4, chain=extension(135, HOME[2:]), first=60, ends=(HOME6, None)),
    "hip": over6(139, HIP, 4),
    "hip, ipv4": over4(139, HIP, 4),
    "rsvp": over4(46, bytes.fromhex("1101000140000010 0008000100000000"), 2,
                  bytes.fromhex("1101000040000010 0008000100000000"), None),
    "vrrpv2, ipv6": over6(112, bytes.fromhex("2101640100010000c0000209") + b"password", 6, length=None),  # as tshark has it
    "carp, ipv6": over6(112, bytes.fromhex("2101000700010000") + bytes(28), 6, length=None),  # OpenBSD, carp_cksum
    "ospfv3, ipv4": over4(89, OSPF3, 12, length=36),  # RFC 7949
    "shim6": over6(140, bytes.fromhex("3b01010000000000123456789abcdef0"), 4, length=None),
    "pgm": over4(113, bytes.fromhex("1234750004000001010203040506000400000002") + b"data", 6,
                 bytes.fromhex("1234750004000000010203040506000400000002") + b"data", None),
    "eigrp": over6(88, bytes.fromhex("0205000000000000 00000000 00000000 00000064"), 2, length=None),
}  # fmt: skip


def completed(case: Case, other: bytes | None = None) -> bytes:
    """The datagram with its right checksum, computed here; its addresses are the header's as they are in `other`."""
    frame = bytearray(case.frame if other is None else other)
    v6 = frame[0] >> 4 == 6
    own = (frame[8:24], frame[24:40]) if v6 else (frame[12:16], frame[16:20])
    source, destination = (end or bytes(mine) for end, mine in zip(case.ends, own, strict=True))
    if v6 and frame[6] == 43 and frame[42] == 3 and frame[43]:  # RPL: what the route has in common with the header's destination
        shared = frame[44] & 15
        destination = bytes(own[1][:shared]) + destination[shared:]
    ends = source + destination if case.pseudo else b""
    value = internet(case.pseudo + ends + case.covered)
    if value == 0 and (frame[6] if v6 else frame[9]) in (17, 136):
        value = 0xFFFF
    frame[case.place : case.place + 2] = value.to_bytes(2, "big")
    if not v6:
        size = (frame[0] & 15) * 4
        frame[10:12] = bytes(2)
        frame[10:12] = internet(bytes(frame[:size])).to_bytes(2, "big")
    return bytes(frame)


def row(frame: bytes, linktype: int = 101, original: int | None = None) -> bytes:
    return row_of(frame, linktype, original)


def corrected(codec: ModuleType, frame: bytes, linktype: int = 101, what: int = ALL) -> tuple[bytes, tuple[int, ...]]:
    data = bytearray(frame)
    counts = codec.correct(data, row(frame, linktype), what)[: UNFINISHED + 1]
    return bytes(data), counts


def checked(codec: ModuleType, frame: bytes, linktype: int = 101) -> int:
    return codec.check(bytearray(frame), row(frame, linktype))[0]


def edited(codec: ModuleType, frame: bytes, *edits: str, follow: bool = True, linktype: int = 101) -> tuple[bytes, tuple[int, ...]]:
    """The frame after an edit, and what was said of it."""
    data = bytearray(frame)
    program = assigning.assignments([split_assignment(text) for text in edits])
    *_, stale, unknown = codec.assign(data, row(frame, linktype), program, None, follow)
    return bytes(data), (stale, unknown)


def spoiled(frame: bytes, place: int) -> bytes:
    return frame[:place] + bytes([frame[place] ^ 0x15]) + frame[place + 1 :]


@pytest.mark.parametrize("name", CASES)
def test_mended_and_checked(codec, name):
    case = CASES[name]
    right = completed(case)
    assert corrected(codec, right) == (right, (1, 0, 0, 0, 0, 0, 0))
    assert checked(codec, right) == CORRECTED
    wrong = spoiled(right, case.place)
    assert checked(codec, wrong) == WRONG
    assert corrected(codec, wrong) == (right, (1, 0, 0, 0, 0, 1, 0))
    assert checked(codec, spoiled(right, len(right) - 1)) in (CORRECTED, WRONG)


@pytest.mark.parametrize("name", CASES)
def test_followed(codec, name):
    """As right after an edit of the addresses as before; and as wrong."""
    case = CASES[name]
    right = completed(case)
    for edit in EDITS:
        plain, _ = edited(codec, case.frame, edit, follow=False)
        assert edited(codec, right, edit) == (completed(case, plain), (0, 0)), edit
        got, said = edited(codec, spoiled(right, case.place), edit)
        assert (checked(codec, got), said) == (WRONG, (0, 0)), edit


@pytest.mark.parametrize(
    "name", [name for name in CASES if name.startswith(("loose", "udp-lite", "ospf", "home", "rpl", "vrrp", "mob"))]
)
def test_inside_of_tunnels(codec, name):
    case = CASES[name]
    right, kind = completed(case), 0x0800 if case.frame[0] >> 4 == 4 else 0x86DD
    wrong = spoiled(right, case.place)
    for outer in (lambda frame: ipv4(4 if kind == 0x0800 else 41, frame), lambda frame: ipv6(47, gre(kind, frame, 0x8000)),
                  lambda frame: ipv6(17, vxlan(ethernet(kind, frame)))):  # fmt: skip
        whole, _ = corrected(codec, outer(right))
        assert right in whole
        assert corrected(codec, outer(wrong))[0] == whole
        assert checked(codec, whole) == CORRECTED
        if kind == 0x0800:
            got, said = edited(codec, whole, "IP.SRC_ADDR[-1]=198.51.100.9")
        else:
            got, said = edited(codec, whole, "IPV6.SRC_ADDR[-1]=fe80::9")
        assert (checked(codec, got), said) == (CORRECTED, (0, 0))


@pytest.mark.parametrize("name", CASES)
def test_what_was_cut_may_be_right(codec, name):
    """A message with a checksum that was not captured to its end is neither valid nor without one."""
    right = completed(CASES[name])
    cut = bytearray(right[:-1])
    of = row(cut, original=len(right))
    found = [
        verdict
        for header, verdict in zip(codec.walk(cut, of), codec.verify(cut, of), strict=True)
        if header[1] == message_at(right)
    ]
    assert found in ([], [UNCERTAIN])  # none: not all of its header was captured


def message_at(frame: bytes) -> int:
    """Where the message of a datagram begins."""
    if frame[0] >> 4 == 4:
        return (frame[0] & 15) * 4
    at, following = 40, frame[6]
    while following in (0, 43, 60):
        at, following = at + (frame[at + 1] + 1) * 8, frame[at]
    return at


def test_a_change_that_is_not_covered(codec):
    """Bytes behind the coverage of UDP-Lite and DCCP, the header's source behind a home address, its destination before a route."""
    for name, edit in (("udp-lite", "IP.DATA=" + (LITE[:6]).hex()), ("home address", "IPV6.SRC_ADDR=fe80::9"),
                       ("srv6", "IPV6.DST_ADDR=fe80::9"), ("loose route, udp", "IP.DST_ADDR=9.9.9.9")):  # fmt: skip
        right = completed(CASES[name])
        got, said = edited(codec, right, edit)
        at = CASES[name].place
        assert (got[at : at + 2], said) == (right[at : at + 2], (0, 0)), name


def test_what_some_compute_otherwise(codec):
    """PIM registers over the whole message are accepted, and mended to the first 8 bytes; both of VRRPv3's over IPv4 stay."""
    whole = CASES["pim register"]._replace(covered=REGISTER)
    right = completed(whole)
    assert checked(codec, right) == CORRECTED
    assert corrected(codec, right)[0] == completed(CASES["pim register"])
    whole = CASES["pim register, ipv6"]._replace(covered=REGISTER6, pseudo=struct.pack("!II", len(REGISTER6), 103))
    right = completed(whole)
    assert checked(codec, right) == CORRECTED
    plain, _ = edited(codec, whole.frame, EDITS[2], follow=False)
    assert edited(codec, right, EDITS[2]) == (completed(whole, plain), (0, 0))
    vrrp = CASES["vrrpv3"]._replace(pseudo=struct.pack("!BBH", 0, 112, 12))
    right = completed(vrrp)
    assert right != completed(CASES["vrrpv3"])
    assert corrected(codec, right) == (right, (1, 0, 0, 0, 0, 0, 0))
    plain, _ = edited(codec, vrrp.frame, EDITS[0], follow=False)
    assert edited(codec, right, EDITS[0]) == (completed(vrrp, plain), (0, 0))


@pytest.mark.parametrize(
    ("protocol", "message", "place"),
    [(89, OSPF2[:14] + b"\0\2" + OSPF2[16:], 12), (46, bytes.fromhex("1101000040000008 0008000100000000"), 2), (59, b"nothing", 0),
     (113, bytes(24), 6)],
)  # fmt: skip
def test_those_that_say_that_they_have_none(codec, protocol, message, place):
    frame = ipv4(protocol, message)
    frame, counts = corrected(codec, frame)
    assert (frame[20:], counts[0]) == (message, 1)
    assert edited(codec, frame, EDITS[0])[0][20:] == message
    assert edited(codec, frame, EDITS[0])[1] == (0, 0)


@pytest.mark.parametrize(
    "frame",
    [ipv4(136, LITE[:4] + b"\0\7" + LITE[6:]), ipv4(136, LITE[:4] + b"\0\x12" + LITE[6:]), ipv4(33, DCCP[:4] + b"\2" + DCCP[5:]),
     ipv4(33, DCCP[:4] + b"\x50" + DCCP[5:]), ipv4(33, DCCP[:5] + b"\x0f" + DCCP[6:]), ipv4(33, DCCP[:11]), ipv6(89, OSPF3[:20]),
     ipv4(89, OSPF2[:3] + b"\x10" + OSPF2[4:]), ipv6(135, MOBILITY[:1] + b"\5" + MOBILITY[2:]), ipv4(139, HIP[:16]),
     ipv4(112, bytes.fromhex("31016400"))],
    ids=range(11),
)  # fmt: skip
def test_sizes_that_contradict_each_other(codec, frame):
    got, counts = corrected(codec, frame)
    assert (got[20:], counts[3]) == (frame[20:], 1)
    assert checked(codec, got) == 3


# ---- what is not known ----


@pytest.mark.parametrize("kind", [1, 5, 200])
def test_unknown_routes(codec, kind):
    """Well-formed, and the end of the route is not known: nothing is mended, and an edit of what may name it is counted."""
    frame = ipv6(43, routing(17, kind, 1, bytes(4) + FAR6) + udp()[:6] + b"\x12\x34" + udp()[8:])
    assert corrected(codec, frame) == (frame, (0, 0, 0, 0, 1, 0, 0))
    assert checked(codec, frame) == OBSCURE
    assert codec.verify(bytearray(frame), row(frame)) == [0, 0, 3]
    for edit, said in ((EDITS[3], (0, 1)), ("IPV6.EXT_DATA=6301", (0, 1)), ("IPV6.HOP_LIMIT=3", (0, 0))):
        assert edited(codec, frame, edit)[1] == said, edit
    got, said = edited(codec, frame, "IPV6.SRC_ADDR=2001:db8::1:0:1", "UDP.SRC_PORT-=1")  # these add up to what was there
    assert (got[-7:], said) == (frame[-7:], (0, 0))
    got, said = edited(codec, frame, "UDP.SRC_PORT+=1")
    assert (got[-7:-5], said) == (b"\x12\x33", (0, 0))


@pytest.mark.parametrize(
    "frame",
    [
        ipv4(50, bytes(40)), ipv4(51, bytes(40)), ipv4(253, b"experiment"), ipv6(50, bytes(40)), ipv4(89, b"\4" + OSPF2[1:]),
        ipv4(103, b"\x10" + bytes(9)),
    ],
)  # fmt: skip
def test_checksums_that_are_not_known(codec, frame):
    """What is covered there nobody can say: an edit of addresses or contents is counted."""
    frame, counts = corrected(codec, frame)
    assert counts[:5] == (1, 0, 0, 0, 0)
    v6 = frame[0] >> 4 == 6
    assert edited(codec, frame, EDITS[2 if v6 else 0])[1] == (0, 1)
    assert edited(codec, frame, "IPV6.HOP_LIMIT=9" if v6 else "IP.TTL=9")[1] == (0, 0)
    assert edited(codec, frame, "IPV6.DATA=ff" if v6 else "IP.DATA=ff")[1] == (0, 1)


def test_what_authenticates_does_not_follow(codec):
    frame, _ = corrected(codec, ipv6(51, bytes([17, 4]) + bytes(22) + udp()))
    got, said = edited(codec, frame, EDITS[2])
    assert (checked(codec, got), said) == (CORRECTED, (0, 1))  # the sum inside does
    assert edited(codec, frame, "IPV6.HOP_LIMIT=9")[1] == (0, 0)


# ---- UDP without a checksum ----


@pytest.mark.parametrize("port", [4789, 6081, 2152, 4341, 8472, 4754, 6635])
def test_zero_over_ipv6_under_tunnels(codec, port):
    """RFC 6935: it is none, passes, and stays, also when the addresses change."""
    frame = ipv6(17, struct.pack("!HHHH", 50000, port, 24, 0) + bytes(16))
    assert corrected(codec, frame) == (frame, (1, 0, 0, 0, 0, 0, 0))
    assert checked(codec, frame) == CORRECTED
    assert edited(codec, frame, EDITS[2])[0][40:] == frame[40:]
    inside = corrected(codec, ipv4(41, frame))[0]
    assert (inside[20:], checked(codec, inside)) == (frame, CORRECTED)


def test_zero_of_plain_udp_over_ipv6_is_wrong(codec):
    for frame in (ipv6(17, udp()), ipv6(17, struct.pack("!HHHH", 4789, 53, 8, 0))):
        assert checked(codec, frame) == WRONG
        assert corrected(codec, frame)[1] == (1, 0, 0, 0, 0, 1, 0)
        assert edited(codec, frame, EDITS[2])[0][40:] == frame[40:]


# ---- left to the network card ----

PARTIAL = {
    name: CASES[name] for name in CASES if name.startswith(("home", "type", "srv6", "rpl, an odd", "loose", "strict", "used"))
}
PARTIAL |= {"udp": over4(17, udp(), 6), "tcp": over4(6, tcp(), 16), "udp6": over6(17, udp(), 6), "tcp6": over6(6, tcp(), 16)}


def seeded(codec: ModuleType, case: Case) -> tuple[bytes, bytes]:
    """A datagram as it is right, and as the kernel leaves it to the card."""
    right = completed(case)
    total = internet(case.covered) ^ 0xFFFF
    seed = (0xFFFF - int.from_bytes(right[case.place : case.place + 2], "big") - total) % 0xFFFF
    return right, right[: case.place] + seed.to_bytes(2, "big") + right[case.place + 2 :]


@pytest.mark.parametrize("name", PARTIAL)
def test_unfinished(codec, name):
    """Neither right nor wrong; mended and finished alike, and still unfinished after an edit that follows."""
    right, left = seeded(codec, PARTIAL[name])
    assert checked(codec, left) == UNFINISHED
    assert 4 in codec.verify(bytearray(left), row(left))
    assert corrected(codec, left) == (right, (1, 0, 0, 0, 0, 0, 1))
    assert corrected(codec, left, what=TRANSPORT) == (right, (1, 0, 0, 0, 0, 0, 1))
    for edit in [*EDITS, "UDP.SRC_PORT+=9", "TCP.WINDOW=1"]:
        got, said = edited(codec, left, edit)
        assert (checked(codec, got), said) == (UNFINISHED, (0, 0)), edit
        assert corrected(codec, got)[0] == edited(codec, right, edit)[0], edit


@pytest.mark.parametrize("name", ["tcp", "tcp6", "strict route, tcp"])
def test_segments_that_a_card_of_windows_is_to_cut(codec, name):
    """What they hold is the sum of the pseudo-header without the length."""
    case = PARTIAL[name]
    right = completed(case)
    _, left = seeded(codec, case)
    size = struct.unpack("!I" if right[0] >> 4 == 6 else "!xxH", case.pseudo[:4])[0]
    seed = int.from_bytes(left[case.place : case.place + 2], "big")
    left = left[: case.place] + ((seed - size) % 0xFFFF).to_bytes(2, "big") + left[case.place + 2 :]
    assert checked(codec, left) == UNFINISHED
    assert corrected(codec, left) == (right, (1, 0, 0, 0, 0, 0, 1)) == corrected(codec, left, what=TRANSPORT)
    for edit in [*EDITS, "TCP.WINDOW=1"]:
        got, said = edited(codec, left, edit)
        assert (checked(codec, got), said) == (UNFINISHED, (0, 0)), edit
        assert corrected(codec, got)[0] == edited(codec, right, edit)[0], edit


def test_unfinished_inside_of_tunnels(codec):
    """The innermost one is what was left, and an outer one too where its field says so."""
    right, left = seeded(codec, PARTIAL["tcp"])
    for outer in (lambda frame: ipv4(4, frame), lambda frame: ipv4(47, gre(0x0800, frame)),
                  lambda frame: ipv4(17, vxlan(ethernet(0x0800, frame))),
                  lambda frame: ipv6(47, gre(0x0800, frame, 0x8000))):  # fmt: skip
        whole = corrected(codec, outer(right))[0]
        at = whole.index(right)
        got, counts = corrected(codec, whole[:at] + left + whole[at + len(left) :], what=TRANSPORT)
        assert (got, counts[0], counts[6]) == (whole, 1, 1)
        # Outer sums are computed as if that were done: they are right, and follow so.
        unfinished = whole[:at] + left + whole[at + len(left) :]
        assert checked(codec, unfinished) == UNFINISHED
        assert set(codec.verify(bytearray(unfinished), row(unfinished))) <= {0, 1, 4}
        assert checked(codec, unfinished[:-1] + b"!") == UNFINISHED  # what is behind is not known to be right before it is finished
        for edit in ("IP.SRC_ADDR[-1]=198.51.100.7", "TCP.SEQ_NUMBER=77", "IP.SRC_ADDR=198.51.100.6", "IPV6.DST_ADDR=::5"):
            got, said = edited(codec, unfinished, edit)
            assert (checked(codec, got), said) == (UNFINISHED, (0, 0)), edit
            assert corrected(codec, got, what=TRANSPORT)[0] == edited(codec, whole, edit)[0], edit
    both = over6(17, (inner := vxlan(ethernet(0x0800, right)))[:6] + bytes(2) + inner[8:], 6)
    whole, outside = seeded(codec, both)
    at = whole.index(right)
    assert corrected(codec, outside[:at] + left + outside[at + len(left) :], what=TRANSPORT)[0] == whole
    inside = whole[:at] + left + whole[at + len(left) :]
    assert codec.verify(bytearray(inside), row(inside)) == [0, 1, 0, 0, 1, 4]
    assert codec.verify(bytearray(outside), row(outside))[1] == 4
    assert checked(codec, spoiled(inside, 46)) == WRONG
    got, said = edited(codec, inside, "IP.SRC_ADDR=198.51.100.7", "UDP.SRC_PORT=9", "IPV6.SRC_ADDR=fe80::7", "TCP.URGENT=5")
    assert codec.verify(bytearray(got), row(got)) == [0, 1, 0, 0, 1, 4]
    assert said == (0, 0)


def test_a_sum_of_zero_is_finished_as_ffff(codec):
    """In UDP; in TCP it is 0."""
    for protocol, message, place, wanted in ((17, udp(bytes(2)), 6, b"\xff\xff"), (6, tcp(bytes(2), b""), 16, b"\0\0")):
        right = completed(over4(protocol, message, place))
        balance = right[20 + place : 22 + place]  # with it as payload the sum is 0
        case = over4(protocol, message[:-2] + balance, place)
        assert completed(case)[20 + place : 22 + place] == wanted
        whole, left = seeded(codec, case)
        assert corrected(codec, left, what=TRANSPORT)[0] == whole


# ---- more than 65,535 bytes ----


def big(protocol: int, v6: bool, jumbo: int | None = None, size: int = 70_000) -> Case:
    """A super-segment whose IP header says 0, with or without the option of a jumbogram."""
    message = tcp(b"\xfe" * size, b"") if protocol == 6 else struct.pack("!HHHH", 5, 6, 0, 0) + b"\xfd" * size
    place = 16 if protocol == 6 else 6
    if not v6:
        head = bytearray(ipv4(protocol, b""))
        head[2:4] = bytes(2)
        pseudo = struct.pack("!BBI", 0, protocol, len(message))
        return Case(bytes(head) + message, 20 + place, message, pseudo)
    chain = bytes([protocol, 0, 0xC2, 4]) + struct.pack("!I", jumbo + len(message) + 8) if jumbo is not None else b""
    head = bytearray(ipv6(0 if chain else protocol, b""))
    head[4:6] = bytes(2)
    return Case(bytes(head) + chain + message, 40 + len(chain) + place, message, struct.pack("!II", len(message), protocol))


@pytest.mark.parametrize(
    ("protocol", "v6", "jumbo"),
    [(6, False, None), (6, True, None), (6, True, 0), (17, True, 0), (17, True, None), (17, False, None)],
)
def test_super_segments(codec, protocol, v6, jumbo):
    case = big(protocol, v6, jumbo)
    right = completed(case)
    assert corrected(codec, right) == (right, (1, 0, 0, 0, 0, 0, 0))
    assert checked(codec, right) == CORRECTED
    assert corrected(codec, spoiled(right, case.place))[0] == right
    assert checked(codec, spoiled(right, case.place)) == WRONG
    edit = EDITS[2 if v6 else 0]
    plain, _ = edited(codec, case.frame, edit, follow=False)
    assert edited(codec, right, edit) == (completed(case, plain), (0, 0))
    whole, left = seeded(codec, case)
    assert checked(codec, left) == UNFINISHED
    assert corrected(codec, left, what=TRANSPORT)[0] == whole
    assert 1 in codec.verify(bytearray(right), row(right))[-1:]


def test_segments_that_say_zero(codec):
    """Larger than the least size that every link carries: to be cut by a card. Smaller ones, and padded ones, are malformed."""
    for v6, sound, short in ((False, 600, 400), (True, 1300, 1000)):
        for size, outcome in ((sound, CORRECTED), (short, 3)):
            case = big(6, v6, size=size)
            assert checked(codec, completed(case)) == outcome
            assert corrected(codec, case.frame)[0] == completed(case)
    wrong = completed(big(6, True, -1))  # the option says one byte less than there is
    assert checked(codec, wrong) == 3


# ---- tshark as judge ----

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
# tshark 4.0 has a pseudo-header for VRRPv3 over IPv4, as RFC 5798 was read, and takes home addresses in any options.
NOT_JUDGED = {"vrrpv3", "home address in hop-by-hop options is none"}


@needs_tshark
def test_tshark_finds_them_right(tmp_path):
    records = b""
    for case in CASES.values():
        frame = completed(case)
        records += struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame
    (tmp_path / "cases.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + records)
    options = ["-oudp.check_checksum:TRUE", "-otcp.check_checksum:TRUE", "-odccp.check_checksum:TRUE"]
    done = subprocess.run(["tshark", "-nr", tmp_path / "cases.pcap", *options, "-V"], capture_output=True, text=True, timeout=60,
                          check=True)  # fmt: skip
    packets = done.stdout.split("\nFrame ")
    assert len(packets) == len(CASES)
    bad = {name for name, said in zip(CASES, packets, strict=True) if "Bad checksum" in said}
    assert bad == NOT_JUDGED
    assert done.stdout.count("[correct]") > len(CASES) // 2
