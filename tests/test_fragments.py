"""Cutting and putting together, with both codecs: by hand, both ways, and by what the captures have."""

from __future__ import annotations

import random
import struct

import pytest
from backends import on_both
from conftest import ROOT, shell
from peak import measured
from samples import ethernet, extension, frames, gre, ipv4, ipv6, tags, udp

from pkttools import codec
from pkttools.batch import Batch, Packet, gathered
from pkttools.codec.python.reassembly import TIMEOUT
from pkttools.formats.pcap import MAGICS
from pkttools.work.fragments import Fragmenter
from pkttools.work.reassembly import MEMORY, Reassembler

SECOND = 10**9


pytest_generate_tests, chosen = on_both("fragment", "datagrams", "reassemble", "reassemble_rest")


def mended(frame: bytes, linktype: int = 101) -> bytes:
    batch = gathered([Packet(frame, len(frame), 0, linktype)])
    codec.correct(batch.data, bytes(batch.rows), codec.ALL)
    return bytes(batch.data)


def through(stage, packets: list[Packet], size: int = 3) -> list[Packet]:
    """What comes out of a stage, fed with batches of a few packets."""
    source = (gathered(packets[i : i + size]) for i in range(0, len(packets), size))
    return [batch.packet(i) for batch in stage(source) for i in range(len(batch))]


def packet(frame: bytes, time: int = 0, linktype: int = 101, notes: bytes = b"") -> Packet:
    return Packet(frame, len(frame), time, linktype, notes)


def cut(frame: bytes, mtu: int | None, linktype: int = 101, force: bool = False) -> list[bytes]:
    return [p.frame for p in through(Fragmenter(mtu, force, 1), [packet(frame, linktype=linktype)])]


def joined(frames_: list[bytes], linktype: int = 101) -> list[bytes]:
    return [p.frame for p in through(Reassembler(), [packet(f, linktype=linktype) for f in frames_])]


PAYLOAD = bytes(range(256)) * 12


# ---- cutting ----


def test_pieces_of_ipv4():
    """By hand: RFC 791 section 3.2."""
    whole = mended(ipv4(17, udp(PAYLOAD[:92])))  # 100 bytes behind the header
    pieces = cut(whole, 68)  # 48 bytes each
    assert [struct.unpack_from("!HHH", p, 2) for p in pieces] == [(68, 7, 0x2000), (68, 7, 0x2006), (24, 7, 0x000C)]
    assert b"".join(p[20:] for p in pieces) == whole[20:]
    assert all(mended(p) == p for p in pieces)
    assert all(p[8:10] + p[12:20] == whole[8:10] + whole[12:20] for p in pieces)


@pytest.mark.parametrize(("mtu", "count"), [(120, 1), (119, 2), (68, 3), (67, 3), (60, 3), (28, 13), (None, 1)])
def test_as_large_as_the_mtu_allows(mtu, count):
    pieces = cut(mended(ipv4(17, udp(PAYLOAD[:92]))), mtu)
    assert len(pieces) == count
    assert all(len(p) <= (mtu or 1500) for p in pieces)


def test_usual_mtus():
    assert [len(p) for p in cut(mended(ipv4(17, udp(PAYLOAD[:1480]))), None)] == [1500, 28]
    assert [len(p) for p in cut(ipv6(17, udp(PAYLOAD[:1240])), None)] == [1280, 64]
    assert len(cut(ipv6(17, udp(PAYLOAD[:1232])), None)) == 1


def test_pieces_of_ipv6():
    """By hand: RFC 8200 section 4.5; options for those on the way stay in front of the fragment header."""
    hop, dst = extension(60, bytes([5, 2, 0, 0, 1, 0])), extension(17, bytes([1, 4, 0, 0, 0, 0]))
    whole = ipv6(0, hop + dst + udp(PAYLOAD[:100]))
    pieces = cut(whole, 40 + 8 + 8 + 60)
    assert [p[40:48] for p in pieces] == [bytes([44]) + hop[1:]] * 2
    assert [struct.unpack_from("!BBHI", p, 48) for p in pieces] == [(60, 0, 0x0001, 1), (60, 0, 0x0038, 1)]
    assert [struct.unpack_from("!H", p, 4)[0] + 40 for p in pieces] == [len(p) for p in pieces]
    assert b"".join(p[56:] for p in pieces) == dst + udp(PAYLOAD[:100])


def test_a_route_is_in_every_piece():
    route = extension(17, bytes([0, 1]) + bytes(20))
    whole = ipv6(60, extension(43, bytes(6)) + route + udp(PAYLOAD[:300]))
    for p in cut(whole, 200):
        assert p[6] == 60
        assert p[40] == 43
        assert p[48] == 44
        assert p[49:72] == route[1:]
        assert p[72] == 17


def test_ids_of_ipv6_count():
    fragmenter = Fragmenter(200, False, 0xFFFFFFFF)
    pieces = through(fragmenter, [packet(ipv6(17, udp(PAYLOAD[:300]))) for _ in range(3)])
    ids = [struct.unpack_from("!I", p.frame, 44)[0] for p in pieces]
    assert sorted(set(ids), key=ids.index) == [0xFFFFFFFF, 0, 1]


@pytest.mark.parametrize("whole", [mended(ipv4(17, udp(PAYLOAD))), ipv6(17, udp(PAYLOAD))], ids=["4", "6"])
def test_pieces_are_cut_again(whole):
    """The same as cut at once, where both cuts fall on the same places; More Fragments and id are kept."""
    once = cut(whole, 40 + 8 + 480 if whole[0] >> 4 == 6 else 20 + 480)
    twice = [p for piece in cut(whole, 40 + 8 + 960 if whole[0] >> 4 == 6 else 20 + 960) for p in cut(piece, len(once[0]))]
    assert twice == once


def test_options_in_later_pieces():
    """RFC 791 section 3.1: those with the copied flag; a security option, and a record route that is not copied."""
    security, route = bytes([0x82, 4, 1, 2]), bytes([7, 7, 4, 0, 0, 0, 0])
    whole = mended(ipv4(17, udp(PAYLOAD[:100]), route + b"\1" + security))
    first, *later = cut(whole, 80)
    assert first[20:32] == route + b"\1" + security
    for p in later:
        assert p[0] == 0x46
        assert p[20:24] == security
        assert mended(p) == p
    assert first[32:] + b"".join(p[24:] for p in later) == whole[32:]


@pytest.mark.parametrize("options", [b"\x82\x01\0\0", b"\x82\xff\0\0", b"\x82\0\0\0", b"\1\1\1\x82"])
def test_options_that_lie(options):
    whole = mended(ipv4(17, udp(PAYLOAD[:100]), options))
    assert all(len(p) <= 80 and mended(p) == p for p in cut(whole, 80))


def test_do_not_fragment():
    """Such a packet passes as it is, or loses that flag."""
    whole = mended(ipv4(17, udp(PAYLOAD[:92]), fragment=0x4000))
    fragmenter = Fragmenter(68, False, 1)
    assert [p.frame for p in through(fragmenter, [packet(whole)])] == [whole]
    assert fragmenter.passed == {"Don't Fragment": 1}
    assert [p[6] >> 5 for p in cut(whole, 68, force=True)] == [1, 1, 0]


@pytest.mark.parametrize(
    "frame",
    [
        ipv4(17, udp(PAYLOAD[:200]))[:150], b"\x44" + ipv4(17, udp(PAYLOAD[:200]))[1:], ipv4(17, PAYLOAD[:200], fragment=0x1FFF),
        ipv6(17, udp(PAYLOAD[:200]))[:150], ipv4(17, PAYLOAD[:200])[:2] + b"\0\0" + ipv4(17, PAYLOAD[:200])[4:],
    ],
    ids=range(5),
)  # fmt: skip
def test_what_cannot_be_cut_passes(frame):
    fragmenter = Fragmenter(100, True, 1)
    assert [p.frame for p in through(fragmenter, [packet(frame)])] == [frame]
    assert fragmenter.passed == {"truncated or malformed": 1}


def test_headers_that_leave_no_room():
    fragmenter = Fragmenter(48, True, 1)
    assert len(through(fragmenter, [packet(ipv6(17, udp(PAYLOAD[:200])))])) == 1
    assert fragmenter.passed == {"header too large for the MTU": 1}


def test_what_is_no_ip_passes():
    fragmenter = Fragmenter(100, True, 1)
    assert len(through(fragmenter, [packet(bytes(300), linktype=147), packet(ethernet(0x88CC, bytes(300)), linktype=1)])) == 2
    assert not fragmenter.passed


def test_tags_stay_and_padding_goes():
    whole = ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, mended(ipv4(17, udp(PAYLOAD[:92])))))
    for p in cut(whole + b"padding", 68, linktype=1):
        assert p[:22] == whole[:22]
        assert len(p) == 22 + struct.unpack_from("!H", p, 24)[0]


def test_time_link_type_and_notes_stay():
    """All but the count of lost packets, which is counted once."""
    one = Packet(mended(ipv4(17, udp(PAYLOAD[:92]))), 120, 123456789, 101, b"IFACE: eth0\nLOST: 3\nNOTE: x\n")
    pieces = through(Fragmenter(68, False, 1), [one])
    assert {(p.time, p.linktype) for p in pieces} == {(123456789, 101)}
    assert [p.notes for p in pieces] == [one.notes, b"IFACE: eth0\nNOTE: x\n", b"IFACE: eth0\nNOTE: x\n"]
    assert all(p.original == len(p.frame) for p in pieces)


# ---- putting together ----

WHOLES = {
    "ipv4": (101, mended(ipv4(17, udp(PAYLOAD)))),
    "ipv6": (101, ipv6(17, udp(PAYLOAD))),
    "options": (101, mended(ipv4(17, udp(PAYLOAD), bytes([0x82, 4, 1, 2]) + bytes(4)))),
    "extensions": (
        101,
        ipv6(0, extension(60, bytes([1, 4, 0, 0, 0, 0])) + extension(17, bytes([1, 4, 0, 0, 0, 0])) + udp(PAYLOAD)),
    ),
    "route": (101, ipv6(43, extension(17, bytes([0, 0]) + bytes(20)) + udp(PAYLOAD))),
    "tags": (1, ethernet(0x8100, tags([0x8100], 0x0800, mended(ipv4(17, udp(PAYLOAD)))))),
    "sll": (113, struct.pack("!HHH8sH", 0, 1, 6, b"\2" * 8, 0x0800) + mended(ipv4(17, udp(PAYLOAD)))),
    "largest": (101, mended(ipv4(17, udp(bytes(65507))))),
    "largest6": (101, ipv6(17, udp(bytes(65527)))),
}


@pytest.mark.parametrize("name", WHOLES)
@pytest.mark.parametrize("mtu", [100, 576, 1400])
def test_any_order(name, mtu):
    linktype, whole = WHOLES[name]
    if "largest" in name and mtu == 100:
        mtu = 300
    pieces = cut(whole, mtu, linktype)
    assert len(pieces) > 1
    for seed in range(3):
        random.Random(seed).shuffle(pieces)
        assert joined(pieces, linktype) == [whole], seed
    assert joined(pieces[::-1], linktype) == [whole]


@pytest.mark.parametrize("name", WHOLES)
def test_more_than_one_datagram_at_a_time(name):
    """Their fragments between each other, of other packets, and of themselves."""
    linktype, whole = WHOLES[name]
    at = whole.index(PAYLOAD[:8]) if PAYLOAD[:8] in whole else 60
    others = []
    for i in range(4):
        other = bytearray(whole)
        start = {1: 18, 113: 16}.get(linktype, 0)
        other[start + (19 if whole[start] >> 4 == 4 else 39)] = i + 10  # the last byte of the destination
        other[at] = i
        others.append(mended(bytes(other), linktype))
    pieces = [piece for other in others for piece in cut(other, 700, linktype)]
    random.Random(1).shuffle(pieces)
    plain = [frame for kind, frame in frames()[:4] if kind == 1] if linktype == 1 else []
    got = joined([*plain, *pieces, *plain], linktype)
    assert sorted(got) == sorted([*plain, *others, *plain])


def test_the_rebuilt_datagram_is_the_first_fragments():
    whole = mended(ipv4(17, udp(PAYLOAD[:92])))
    first, *later = [packet(frame, 100 + i, notes=b"NOTE: %d\n" % i) for i, frame in enumerate(cut(whole, 68))]
    [got] = through(Reassembler(), [*later, first])
    assert (got.frame, got.time, got.notes, got.original) == (whole, 100, b"NOTE: 0\n", len(whole))


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("source", lambda f: f[:12] + b"\x0a\0\0\1" + f[16:]), ("destination", lambda f: f[:16] + b"\x0a\0\0\1" + f[20:]),
        ("id", lambda f: f[:4] + b"\1\1" + f[6:]), ("protocol", lambda f: f[:9] + b"\6" + f[10:]),
    ],
)  # fmt: skip
def test_what_keeps_datagrams_apart(key, other):
    """1.16 looked at the id alone, and mixed hosts."""
    head, tail = cut(mended(ipv4(17, udp(PAYLOAD[:60]))), 60)
    reassembler = Reassembler()
    got = through(reassembler, [packet(head), packet(other(tail))])
    assert [p.frame for p in got] == [head, other(tail)]
    assert (reassembler.reassembled, reassembler.passed) == (0, {"incomplete": 2})


def test_vlan_tags_and_families_keep_datagrams_apart():
    head, tail = cut(mended(ipv4(17, udp(PAYLOAD[:60]))), 60)
    tagged = [ethernet(0x8100, struct.pack("!HH", i, 0x0800) + piece) for i, piece in enumerate((head, tail))]
    assert joined(tagged, 1) == tagged
    same = [ethernet(0x8100, struct.pack("!HH", 5, 0x0800) + piece) for piece in (head, tail)]
    assert len(joined(same, 1)) == 1


LINKS = {
    "Ethernet": (1, bytes(12), b""), "SLL": (113, struct.pack("!HHH8s", 0, 1, 6, b"\2" * 8), b""),
    "SLL2": (276, b"", struct.pack("!HIHBB8s", 0, 3, 1, 4, 6, b"\2" * 8)),
}  # fmt: skip


def under(link: str, tci: list[int], kind: int, datagram: bytes) -> bytes:
    """A datagram under the tags 802.1ad, 802.1Q or 802.1Q alone, with these control informations."""
    _, front, behind = LINKS[link]
    types = [0x88A8, 0x8100][-len(tci) :]
    return (
        front + struct.pack("!H", types[0]) + behind
        + b"".join(struct.pack("!HH", word, following) for word, following in zip(tci, [*types[1:], kind], strict=True))
        + datagram
    )  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("tci", [[0x0005], [0x0064, 0x0005]], ids=["802.1Q", "QinQ"])
@pytest.mark.parametrize(("kind", "whole"), [(0x0800, mended(ipv4(17, udp(PAYLOAD)))), (0x86DD, ipv6(17, udp(PAYLOAD)))], ids="46")
def test_priorities_of_tags_keep_nothing_apart(link, tci, kind, whole):
    """PCP and DEI, of any tag, may differ in every piece; ids may not. The first fragment's stay."""
    linktype = LINKS[link][0]
    words = [[word | (7 * i + k) % 16 << 12 for k, word in enumerate(tci)] for i in range(4)]
    pieces = cut(whole, 900)
    frames_ = [under(link, words[i], kind, piece) for i, piece in enumerate(pieces)]
    assert joined(frames_[::-1], linktype) == [under(link, words[0], kind, whole)]
    for k in range(len(tci)):
        other = [word ^ (k == n) for n, word in enumerate(tci)]
        apart = [*frames_[:3], under(link, other, kind, pieces[3])]
        assert joined(apart, linktype) == apart


def test_the_protocol_of_ipv6_is_the_first_fragments():
    """RFC 8200 section 4.5: the next headers of the others do not matter."""
    whole = ipv6(17, udp(PAYLOAD[:300]))
    head, *rest = cut(whole, 200)
    assert joined([head, *(p[:40] + b"\x3b" + p[41:] for p in rest)]) == [whole]


def test_an_atomic_fragment_is_a_whole_datagram():
    """RFC 6946: whatever else with its id is on the way."""
    assert joined([ipv6(44, struct.pack("!BBHI", 17, 0, 0, 5) + udp())]) == [ipv6(17, udp())]


def pieces3() -> list[bytes]:
    return cut(mended(ipv4(17, udp(PAYLOAD[:92]))), 68)


def test_a_fragment_that_comes_twice_counts_once():
    """1.16 crashed when the first one did."""
    first, middle, last = pieces3()
    for order in ([first, first, middle, last], [last, middle, last, middle, first], [middle] * 5 + [first, last]):
        reassembler = Reassembler()
        got = through(reassembler, [packet(f) for f in order])
        assert [p.frame for p in got] == [mended(ipv4(17, udp(PAYLOAD[:92])))]
        assert reassembler.repeated == len(order) - 3


def piece(begin: int, end: int, total: int, v6: bool, payload: bytes = PAYLOAD) -> bytes:
    """Bytes `begin` to `end` of a payload of `total` as a fragment."""
    more = int(end < total)
    if v6:
        return ipv6(44, struct.pack("!BBHI", 17, 0, begin | more, 5) + payload[begin:end])
    return mended(ipv4(17, payload[begin:end], fragment=begin // 8 | more << 13))


@pytest.mark.parametrize("v6", [False, True], ids=["4", "6"])
@pytest.mark.parametrize(
    ("order", "again"),
    [
        ([(0, 80), (16, 40), (80, 160)], 1),  # within one
        ([(0, 80), (0, 40), (40, 80), (80, 160)], 2),  # its first half, and its second
        ([(80, 160), (96, 160), (0, 80)], 1),  # the end of the last one
        ([(0, 40), (40, 80), (16, 64), (80, 160)], 1),  # within two that are one behind the other
        ([(80, 160), (0, 80), (0, 80)], 0),  # whole before it comes again: that one is another datagram's
        ([(0, 80), (0, 80), (8, 16), (80, 160)], 2),
    ],
)  # fmt: skip
def test_a_fragment_within_what_is_there_counts_once(order, again, v6):
    """As Linux does (inet_frag_queue_insert): with other bytes there is no datagram."""
    reassembler = Reassembler()
    got = through(reassembler, [packet(piece(*ends, 160, v6)) for ends in order], size=1)
    assert (len(got[0].frame), reassembler.reassembled, reassembler.repeated) == (200 if v6 else 180, 1, again)
    assert got[0].frame[-160:] == PAYLOAD[:160]
    if again:
        k = next(k for k, ends in enumerate(order) if any(a <= ends[0] and ends[1] <= b for a, b in order[:k]) or ends == (16, 64))
        other = piece(*order[k], 160, v6, PAYLOAD[:20] + b"!" + PAYLOAD[21:100] + b"!" + PAYLOAD[101:])
        if other != piece(*order[k], 160, v6):
            frames_ = [other if i == k else piece(*ends, 160, v6) for i, ends in enumerate(order)]
            assert joined(frames_) == frames_


@pytest.mark.parametrize("v6", [False, True], ids=["4", "6"])
@pytest.mark.parametrize(
    "order",
    [
        [(16, 40), (0, 80), (80, 160)],  # around one that is there
        [(0, 40), (32, 80), (80, 160)],  # over its end
        [(40, 80), (0, 48), (80, 160)],  # over the beginning of one
        [(0, 40), (80, 120), (32, 88), (120, 160)],  # over a hole
    ],
)
def test_other_overlaps_make_no_datagram(order, v6):
    """Also with the same bytes; Linux drops such datagrams (RFC 5722)."""
    frames_ = [piece(*ends, 160, v6) for ends in order]
    reassembler = Reassembler()
    assert [p.frame for p in through(reassembler, [packet(f) for f in frames_])] == frames_
    assert (reassembler.reassembled, reassembler.passed) == (0, {"overlapping": len(order)})


@pytest.mark.parametrize(
    "change",
    [
        lambda first, middle, last: [first, middle[:20] + b"!" + middle[21:], middle, last],  # other bytes in the same place
        lambda first, middle, last: [first, middle[:7] + b"\5" + middle[8:], last],  # one byte over the other
        lambda first, middle, last: [first, last, middle[:6] + b"\0\6" + middle[8:]],  # two ends
        lambda first, middle, last: [first, last, middle[:6] + b"\x20\x0d" + middle[8:]],  # behind the end
    ],
    ids=["other bytes", "overlap", "two ends", "behind the end"],
)  # fmt: skip
def test_overlaps_make_no_datagram(change):
    """RFC 5722: all of it passes as it came, and what still comes of it passes at once."""
    order = change(*pieces3())
    reassembler = Reassembler()
    got = through(reassembler, [packet(f) for f in [*order, order[1]]])
    assert [p.frame for p in got] == [*order, order[1]]
    assert (reassembler.reassembled, reassembler.passed) == (0, {"overlapping": len(order) + 1})


def test_a_hole_is_not_filled_by_an_overlap():
    """As many bytes as the whole has are there, but not everywhere."""
    first, _, last = pieces3()
    again = first[:6] + b"\x20\5" + first[8:]  # from byte 40 on, 48 bytes: byte 88 on is missing
    assert joined([first, again, last]) == [first, again, last]


@pytest.mark.parametrize(
    "frame",
    [
        ipv4(17, b"x" * 13, fragment=0x2000), ipv4(17, b"", fragment=0x2001), ipv4(17, b"x" * 16, fragment=0x1FFF),
        ipv4(17, b"x" * 16, fragment=0x2000)[:30], b"\x44" + ipv4(17, b"x" * 16, fragment=0x2000)[1:],
        ipv4(17, b"x" * 16, fragment=0x2000)[:2] + b"\0\x0a" + ipv4(17, b"x" * 16, fragment=0x2000)[4:],
        ipv6(44, struct.pack("!BBHI", 17, 0, 9, 5) + b"x" * 13), ipv6(44, struct.pack("!BBHI", 17, 0, 0xFFF8, 5) + b"x" * 13),
    ],
    ids=["no multiple of 8", "empty", "past 65535", "cut", "header of 16", "negative", "no multiple of 8, 6", "past 65535, 6"],
)  # fmt: skip
def test_malformed_fragments_pass_at_once(frame):
    reassembler = Reassembler()
    got = through(reassembler, [packet(frame), packet(ipv4(17, udp()))])
    assert [p.frame for p in got] == [frame, ipv4(17, udp())]
    assert reassembler.passed == {"malformed": 1}


def test_a_datagram_longer_than_its_header_can_say():
    """Options in the first fragment make the total 65,536 and more: they pass as they came."""
    payload = bytes(65496)
    first = mended(ipv4(17, payload[:800], bytes(40), fragment=0x2000))
    rest = [ipv4(17, payload[at : at + 800], fragment=at // 8 | (0x2000 if at + 800 < len(payload) else 0))
            for at in range(800, len(payload), 800)]  # fmt: skip
    assert len(joined([first, *rest])) == 1 + len(rest)


def test_incomplete_datagrams_pass_after_30_seconds_of_packet_time():
    first, middle, last = pieces3()
    other = packet(ipv4(1, b"\x08" + bytes(7)), TIMEOUT + 1)
    reassembler = Reassembler()
    got = through(reassembler, [packet(first), packet(middle, SECOND), other, packet(last, TIMEOUT + 2)], size=1)
    assert [p.frame for p in got] == [first, middle, other.frame, last]
    assert reassembler.passed == {"incomplete": 3}
    waits = through(Reassembler(), [packet(first), packet(middle, SECOND), packet(last, TIMEOUT)], size=1)
    assert len(waits) == 1


def test_times_that_go_back_expire_nothing():
    first, middle, last = pieces3()
    got = through(Reassembler(), [packet(first, 10**15), packet(middle, 0), packet(last, 10**15)], size=1)
    assert len(got) == 1


def test_memory_is_bounded():
    """Those that have waited longest pass first; what was held is never more than was allowed."""
    reassembler = Reassembler(10_000)
    bomb = [packet(ipv4(17, bytes(16), fragment=0x2000)[:4] + struct.pack("!H", i) + ipv4(17, bytes(16), fragment=0x2000)[6:])
            for i in range(1000)]  # fmt: skip
    seen = []
    for batch in reassembler(gathered([p]) for p in bomb):
        seen += [batch.packet(i).frame for i in range(len(batch))]
        assert reassembler.held <= 10_000
    assert seen == [p.frame for p in bomb]
    assert reassembler.held == 0
    assert reassembler.passed["without memory to wait for the rest"] > 900
    assert MEMORY == 4 << 20


def test_only_the_outermost_datagram_is_looked_at():
    inner = ipv4(17, b"x" * 16, fragment=0x2000)
    frame = mended(ipv4(4, inner))
    assert joined([frame]) == [frame]


def test_every_byte_is_there_afterwards(shared):
    """No bytes are lost or made: of each capture what is not reassembled passes as it was."""
    for path in sorted((shared / "captures").glob("*/pcap/*frag*.pcap")) + sorted(
        (shared / "captures/tcpdump").glob("*frag*.pcap")
    ):
        raw = bytearray(path.read_bytes())
        if bytes(raw[:4]) not in MAGICS:
            continue
        big_endian, _ = MAGICS[bytes(raw[:4])]
        linktype = int.from_bytes(raw[20:24], "big" if big_endian else "little")
        _, rows, _ = codec.pcap_decode(raw, 24, len(raw), True, big_endian, False, 16, 0, linktype)
        whole = Batch(raw, rows)
        came = [whole.packet(i) for i in range(len(whole))]
        reassembler = Reassembler()
        got = through(reassembler, came)
        made = {p.frame for p in got} - {p.frame for p in came}
        assert len(made) <= reassembler.reassembled
        if not reassembler.reassembled:
            assert sorted(p.frame for p in got) == sorted(p.frame for p in came), path.name


# ---- as commands ----

PING = """LINKTYPE: 228
-- 1 --
SIZE: 1028
IP.VERSION: 4
IP.HEADER_SIZE: 20
IP.TOTAL_SIZE: 1028
IP.ID: 5
IP.PROTOCOL: icmp
ICMP.TYPE: 8
==
"""


def test_commands(backend):
    """Every backend does the same; counts are on standard error."""
    made = shell("pkt-txt2txt | pkt-correct", PING.encode(), backend=backend).stdout
    assert made.count(b"\n==") == 1
    cut_ = shell("pkt-fragment --mtu 100", made, backend=backend)
    assert (cut_.returncode, cut_.stderr, cut_.stdout.count(b"\n==")) == (0, b"", 13)
    again = shell("tac -s '==\n' | pkt-defragment -lt 228 -v", cut_.stdout, backend=backend)
    assert again.returncode == 0, again.stderr
    assert b"1 datagram reassembled" in again.stderr
    limited = shell("pkt-fragment -fm 100 -l 5", made, backend=backend)
    assert limited.stdout.count(b"\n==") == 5
    lost = shell("pkt-filter 'IP.OFFSET>0' | pkt-defragment", cut_.stdout, backend=backend)
    assert lost.stderr == b"pkt-defragment: 12 fragments passed as they came: 12 incomplete\n"
    assert lost.stdout.count(b"\n==") == 12


def test_fragments_before_a_broken_place_pass(backend):
    """A stream that breaks off: what was kept back is written all the same."""
    made = shell("pkt-txt2txt | pkt-correct | pkt-fragment -fm 500", PING.encode(), backend=backend).stdout
    done = shell("pkt-defragment", made.rpartition(b"-- 3 --")[0] + b"-- 3 --\nzz\n", backend=backend)
    assert (done.returncode, done.stdout.count(b"\n==")) == (1, 2)


def test_a_bomb(shared, backend, monkeypatch, tmp_path):
    """20,000 open ids in less than 64 MiB; nothing is lost. 1.16 needed 643 MB for 4,000."""
    path = shared / "captures/handmade/pcap/ip_frag_bomb_20k.pcap"
    monkeypatch.setenv("PKTTOOLS_CODEC", backend)
    with path.open("rb") as bomb, (tmp_path / "out").open("wb") as out:
        memory, said = measured([ROOT / "bin/pkt-defragment", "-do"], bomb, out)
    assert (tmp_path / "out").read_bytes() == shell("pkt-txt2txt -do", path.read_bytes(), backend=backend).stdout
    assert len(said) == 1 and said[0].startswith("pkt-defragment: 20000 fragments passed as they came: ")
    assert memory < 64 << 20


@pytest.mark.parametrize("fragment", [0x4000, 0])
def test_dont_fragment_of_the_fragments_is_kept(fragment):
    """As the first one has it: some senders cut what must not be cut on the way (RFC 6864 section 4.1)."""
    payload = udp(PAYLOAD[:92])
    pieces = [mended(ipv4(17, payload[:48], fragment=0x2000 | fragment)), mended(ipv4(17, payload[48:], fragment=6 | fragment))]
    (whole,) = joined(pieces)
    assert struct.unpack_from("!H", whole, 6)[0] == fragment
    assert whole[20:] == payload and header_checksum_right(whole)


def header_checksum_right(datagram: bytes) -> bool:
    words = struct.unpack("!10H", datagram[:20])
    return sum(words) % 0xFFFF == 0


def test_old_packets_do_not_turn_the_clock_back():
    """A datagram of old times is given up when the next packet comes, however old that one is."""
    first, last = cut(mended(ipv4(17, udp(PAYLOAD[:92]))), 100)
    stage = Reassembler()
    old, late = 10 * SECOND, 11 * SECOND + TIMEOUT
    times = [(first, late), (last, late), (first, old), (last, old + 1)]
    through(stage, [packet(frame, time) for frame, time in times], size=1)
    assert stage.reassembled == 1 and stage.passed == {"incomplete": 2}


@pytest.mark.parametrize(("size", "good"), [(7, True), (8, False)])
@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
def test_the_longest_payload(v6, size, good):
    """65,535 bytes are as far as an offset reaches; whether the header can say so is another matter."""
    stage = Reassembler()
    data, offset = bytes(size), 65528
    piece = ipv6(44, struct.pack("!BBHI", 17, 0, offset, 1) + data) if v6 else mended(ipv4(17, data, fragment=offset // 8))
    assert through(stage, [packet(piece)]) and stage.passed == {"incomplete" if good else "malformed": 1}


def test_an_option_shorter_than_its_own_head_ends_the_options():
    """RFC 791 section 3.1: an option that is no single byte has two at least."""
    whole = mended(ipv4(17, udp(PAYLOAD[:92]), options=bytes([0x83, 1, 0x83, 4, 4, 0, 1, 0])))
    first, second = cut(whole, 108)
    assert first[20:28] == whole[20:28]
    assert second[0] == 0x45


@pytest.mark.parametrize("force", [False, True])
def test_what_is_as_large_as_the_mtu_is_not_cut_and_not_counted(force):
    for frame in (mended(ipv4(17, udp(PAYLOAD[:92]), fragment=0x4000)), ipv6(17, udp(PAYLOAD[:72]))):
        stage = Fragmenter(len(frame), force, 1)
        framed = ethernet(0x86DD if frame[0] >> 4 == 6 else 0x0800, frame)  # longer than the MTU by what the link adds
        assert [p.frame for p in through(stage, [packet(framed, linktype=1)])] == [framed]
        assert stage.passed == {}


def test_fragments_inside_of_tunnels_are_counted():
    """Only the outermost datagram is reassembled; what is left as it is inside is not left silently."""
    inner4 = mended(ipv4(17, udp(PAYLOAD[:24])[:24], fragment=0x2000))
    inner6 = ipv6(44, struct.pack("!BBHI", 17, 0, 1, 1) + udp(PAYLOAD[:16])[:24])
    tunnels = [
        mended(ipv4(4, inner4)),
        mended(ipv4(41, inner6)),
        ipv6(4, inner4),
        ipv6(41, inner6),
        mended(ipv4(47, gre(0x0800, inner4))),
    ]
    stage = Reassembler()
    packets = [packet(frame) for frame in tunnels]
    assert [p.frame for p in through(stage, packets)] == tunnels
    assert stage.passed == {"inside tunnels": len(tunnels)}
    whole = [mended(ipv4(4, mended(ipv4(17, udp(b"x"))))), ipv6(41, ipv6(17, udp(b"x")))]
    assert [p.frame for p in through(stage, [packet(frame) for frame in whole])] == whole
    assert stage.passed == {"inside tunnels": len(tunnels)}
