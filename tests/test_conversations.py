"""Conversations: whose a packet is, both ways in one row, what is around it in the key; on both codecs."""

from __future__ import annotations

import random
from array import array
from struct import pack
from types import ModuleType
from typing import Any

import pytest
from backends import use
from conftest import load
from samples import ethernet, vxlan
from segments import MS, A, B, batch_of, framed, in_gtp, ip, pieces, segment, table, udp

from pkttools.batch import Packet, gathered
from pkttools.protocols.ends import LINK, NETWORK, PORTS
from pkttools.statistics.conversations import AS_THEY_CAME, Conversations

A6, B6 = ("2001:db8::1", 1000), ("2001:db8::2", 80)


def followed(codec: ModuleType, frames: list[bytes], linktype: int = 1, **of: Any) -> tuple[list[tuple[Any, ...]], tuple[int, ...]]:
    """Rows and totals of frames, a millisecond apart."""
    batch, made = batch_of([*enumerate(frames)], linktype), table(of=codec, **of)
    codec.follow(made, batch.data, bytes(batch.rows), False)
    return codec.conversation_rows(made, 0, 1000), codec.conversation_totals(made)


def packets(codec: ModuleType, frames: list[bytes], **of: Any) -> list[tuple[int, int]]:
    """How many there are each way, of each conversation."""
    return [row[10:12] for row in followed(codec, frames, **of)[0]]


def vlan(number: int, frame: bytes, kind: int = 0x8100) -> bytes:
    """The frame with a tag more."""
    return frame[:12] + pack("!HH", kind, number) + frame[12:]


@pytest.mark.parametrize(("one", "other"), [(A, B), (A6, B6), (B, A), (("10.0.0.1", 5), ("10.0.0.1", 5))])
@pytest.mark.parametrize("make", [udp, lambda one, other: segment(one, other, ".", 1, 1)], ids=["udp", "tcp"])
def test_both_ways_are_one_row(codec, make, one, other):
    (row,), totals = followed(codec, [framed(make(one, other)), framed(make(other, one)), framed(make(one, other))])
    assert row[10:12] == ((3, 0) if one == other else (2, 1))
    assert sum(row[12:14]) == 3 * len(framed(make(one, other)))
    assert row[5:7] == (one[1], other[1]) and row[14:16] == (0, 2 * MS)
    assert totals[:6] == (1, 0, 0, 0, 0, 0)


def test_ports_and_protocols_are_told_apart(codec):
    frames = [framed(udp(A, B)), framed(segment(A, B, "S", 1)), framed(udp((A[0], 7), B)), framed(ip(A[0], B[0], 1, bytes(8)))]
    rows, _ = followed(codec, frames)
    assert [(row[2], *row[5:7]) for row in rows] == [(17, 1000, 80), (6, 1000, 80), (17, 7, 80), (1, -1, -1)]
    assert packets(codec, frames, level=NETWORK) == [(4, 0)]
    assert packets(codec, frames, level=LINK) == [(4, 0)]


def test_a_vlan_belongs_to_it(codec):
    """tshark and tcpdump mix them. Priority, the kind of tag alone, and VLAN 0, which is none, do not."""
    plain = framed(udp(A, B))
    assert packets(codec, [vlan(1, plain), vlan(2, plain), plain, vlan(0, plain), vlan(0xE001, plain)]) == [(2, 0), (1, 0), (2, 0)]
    assert packets(codec, [vlan(1, vlan(2, plain)), vlan(2, vlan(1, plain)), vlan(1, vlan(2, plain), 0x88A8)]) == [(2, 0), (1, 0)]
    assert packets(codec, [vlan(1, plain), vlan(2, plain)], level=LINK) == [(1, 0), (1, 0)]
    assert packets(codec, [vlan(1, plain), vlan(2, plain)], level=NETWORK) == [(1, 0), (1, 0)]


@pytest.mark.parametrize(
    "around",
    [
        lambda n, d: framed(ip("192.0.2.1", f"192.0.2.{n}", 4, d)),
        lambda n, d: framed(ip("192.0.2.1", "192.0.2.2", 47, pack("!HHI", 0x2000, 0x0800, n) + d)),
        lambda n, d: framed(ip("192.0.2.1", "192.0.2.2", 47, pack("!HHI", 0x2000, 0x6558, n) + framed(d))),
        lambda n, d: framed(ip("192.0.2.1", "192.0.2.2", 47, pack("!HHI", 0x2000, 0x6558, 0xFFFFA + n) + framed(d))),
        lambda n, d: framed(ip("192.0.2.1", "192.0.2.2", 47, pack("!HHI", 0x2000, 0x6558, 0x100000 + n * 256) + framed(d))),
        lambda n, d: framed(ip("192.0.2.1", "192.0.2.2", 17, vxlan(framed(d), n))),
        lambda n, d: vlan(n, framed(d)),
        lambda n, d: ethernet(0x8864, pack("!BBHHH", 0x11, 0, n, len(d) + 2, 0x21) + d),
        lambda n, d: ethernet(0x8847, pack("!I", n << 12 | 0x140) + d),
        lambda n, d: in_gtp(n, d),
    ],
    ids=["IPIP", "GRE", "gretap", "gretap and NVGRE", "NVGRE", "VXLAN", "VLAN", "PPPoE", "MPLS", "GTP"],
)
def test_what_is_around_belongs_to_it(codec, around):
    """Of two networks with the same addresses each has its own; a packet counts once, in the innermost."""
    frames = [around(5, udp(A, B)), around(6, udp(A, B)), around(5, udp(B, A)), around(6, udp(B, A)), around(5, udp(A, B))]
    assert packets(codec, frames) == [(2, 1), (1, 1)]


def test_flows_of_one_network_are_told_apart_by_what_is_in_them(codec):
    """The last byte of NVGRE's key is a flow (RFC 7637 3.2), which is none of the network's name."""
    frames = [
        framed(ip("192.0.2.1", "192.0.2.2", 47, pack("!HHI", 0x2000, 0x6558, 0x123400 + n) + framed(udp(A, B)))) for n in (1, 2)
    ]
    assert packets(codec, frames) == [(2, 0)]


def test_outer_addresses_the_other_way_round(codec):
    there, back = (
        framed(ip(*ends, 4, inner))
        for ends, inner in ((("192.0.2.1", "192.0.2.2"), udp(A, B)), (("192.0.2.2", "192.0.2.1"), udp(B, A)))
    )
    assert packets(codec, [there, back]) == [(1, 1)]


@pytest.mark.parametrize("sequence", [False, True])
def test_tunnels_with_another_name_each_way(codec, sequence):
    """TEIDs are those of who receives: both ways are one conversation; two tunnels are two, also where headers have more parts."""
    there = [in_gtp(n, udp(A, B)) for n in (1, 2)]
    back = [in_gtp(n, udp(B, A), "192.0.2.2", "192.0.2.1", sequence) for n in (11, 12)]
    assert packets(codec, [there[0], back[0], there[1], back[1], *there, *back]) == [(2, 2), (2, 2)]
    rows, _ = followed(codec, [there[0], back[0]])
    assert rows[0][8][-8:] != rows[0][9][-8:]


def test_very_many_tunnels_of_the_same_ends(codec):
    """More than eight are by themselves each way: nobody makes the search long."""
    frames = [in_gtp(n, udp(A, B)) for n in range(100)] + [in_gtp(1000 + n, udp(B, A)) for n in range(100)]
    found = packets(codec, frames * 2)
    assert len(found) == 8 + 92 + 92 and sum(map(sum, found)) == 400


def quoting(datagram: bytes) -> bytes:
    """An error of ICMP."""
    return framed(ip("10.0.0.9", A[0], 1, pack("!BBHI", 3, 1, 0, 0) + datagram))


@pytest.mark.parametrize("cut", [None, 28, 24, 21])
def test_what_an_error_quotes_is_not_counted(codec, cut):
    rows, _ = followed(codec, [framed(udp(A, B)), quoting(udp(A, B)[:cut]), quoting(segment(A, B, "S", 1)[:cut])])
    assert [(row[2], row[10], row[16]) for row in rows] == [(17, 1, None), (1, 2, None)]


def pieces6() -> list[bytes]:
    """The same of IPv6."""
    whole = pack("!HHHH", 1000, 80, 40, 0) + bytes(32)
    return [framed(ip(A6[0], B6[0], 44, pack("!BBHI", 17, 0, at | (at < 32), 7) + whole[at : at + 16])) for at in (0, 16, 32)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("make", [pieces, pieces6])
def test_later_fragments_belong_to_it(codec, make, order):
    """In any order; tshark counts one frame of three."""
    (row,), _ = followed(codec, [make()[i] for i in order] + [framed(udp(*((A, B) if make is pieces else (A6, B6))))])
    assert row[10] == 4 and row[5:7] == (1000, 80) and row[14:16] == (0, 3 * MS)


def test_fragments_without_their_first_one(codec):
    """Are counted; their ports are not known. Those of another datagram, or of one 31 seconds later, are others."""
    rows, _ = followed(codec, [*pieces(7)[1:], *pieces(8)])
    assert sorted((row[5], row[10]) for row in rows) == [(-1, 2), (1000, 3)]
    late = gathered([Packet(frame, len(frame), time * 1000 * MS, 1) for time, frame in zip((0, 31, 31), pieces(), strict=True)])
    made = table(of=codec)
    codec.follow(made, late.data, bytes(late.rows), False)
    assert sorted((row[5], row[10]) for row in codec.conversation_rows(made, 0, 9)) == [(-1, 2), (1000, 1)]


def test_fragments_of_two_vlans_are_not_joined(codec):
    """tshark and tcpdump do."""
    rows, _ = followed(codec, [vlan(1, pieces()[0]), vlan(2, pieces()[1])])
    assert sorted((row[5], row[10]) for row in rows) == [(-1, 1), (1000, 1)]


def test_ports_of_what_was_cut(codec):
    """They are there before the rest of their header."""
    frame = framed(segment(A, B, "S", 1))
    cut = gathered([Packet(frame[:38], len(frame), 0, 1), Packet(frame[:36], len(frame), 0, 1), Packet(frame, len(frame), 0, 1)])
    made = table(of=codec)
    codec.follow(made, cut.data, bytes(cut.rows), False)
    assert [(row[5], row[10], row[12]) for row in codec.conversation_rows(made, 0, 9)] == [
        (1000, 2, 2 * len(frame)),
        (-1, 1, len(frame)),
    ]


def test_octets_beyond_what_was_captured(codec):
    """A cut segment has the octets that its header says, as far as they were on the wire."""
    frame = framed(segment(A, B, ".", 101, 1, 500))
    cut = gathered([Packet(frame[:54], len(frame), 0, 1), Packet(framed(segment(A, B, ".", 601, 1, 5)), 59, 0, 1)])
    told = codec.follow(table(of=codec), cut.data, bytes(cut.rows), True)
    assert [one[5] for one in told] == [500, 5] and told[1][2] & ~1 == 0


def test_without_a_network(codec):
    """Conversations of the link layer; of frames without any address it is said how many there were."""
    arp = pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, bytes(6), bytes(4), bytes(6), bytes(4))
    frames = [
        ethernet(0x0806, arp),
        ethernet(0x88CC, bytes(20)),
        ethernet(0x0806, arp),
        ethernet(40, bytes(40)),
        ethernet(30, bytes(30)),
    ]
    rows, _ = followed(codec, frames)
    assert [(row[2], row[10]) for row in rows] == [(0x0806, 2), (0x88CC, 1), (-1, 2)]
    _, totals = followed(codec, [b"\xff\x03\xc0\x21abcdef", b""], linktype=9)
    assert totals[:5] == (0, 0, 0, 2, 10)


def test_times_of_unsorted_packets(codec):
    """First and last are the earliest and the latest, before 1970 too."""
    frame = framed(udp(A, B))
    batch = batch_of([(5, frame), (-9, frame), (70, frame), (3, frame)])
    made = table(of=codec)
    codec.follow(made, batch.data, bytes(batch.rows), False)
    assert codec.conversation_rows(made, 0, 9)[0][14:16] == (-9 * MS, 70 * MS)


def test_orders(codec):
    frames = [framed(udp((A[0], n), B, bytes(100 * (n == 2)))) for n in (1, 2, 3, 3, 1)]
    made, batch = table(of=codec), batch_of([*enumerate(frames)])
    codec.follow(made, batch.data, bytes(batch.rows), False)
    assert [[row[5] for row in codec.conversation_rows(made, order, 2)] for order in range(4)] == [[1, 2], [1, 3], [2, 1], [1, 3]]


def test_no_more_than_may_be(codec):
    """Further ones are counted together; or, to tell of packets one by one, the quietest is forgotten: its numbers begin anew."""
    frames = [framed(segment((A[0], n), B, ".", 100 * k, 7, 5)) for k, n in enumerate((1, 2, 1, 3, 2, 1))]
    rows, totals = followed(codec, frames, most=2)
    assert [(row[5], row[10]) for row in rows] == [(1, 3), (2, 2)] and totals[:3] == (2, 1, len(frames[0]))
    rows, totals = followed(codec, frames, most=2, forget=True)
    assert sorted((row[5], row[10]) for row in rows) == [(1, 1), (2, 1)] and totals[:3] == (2, 0, 0) and totals[5] == 3
    batch = batch_of([*enumerate(frames)])
    told = codec.follow(table(of=codec, most=2, forget=True), batch.data, bytes(batch.rows), True)
    assert [one[0] for one in told] == [0, 1, 0, 2, 3, 4] and told[-1][3] == 499
    assert followed(codec, frames, memory=100)[1][:2] == (0, 6)


def test_memory_is_bounded(codec):
    """Whatever comes: conversations, connections, names of tunnels; gaps of connections are few."""
    frames = [in_gtp(n, segment((A[0], n), B, "S", n)) for n in range(3000)]
    _, totals = followed(codec, frames, memory=600_000)
    assert 100 < totals[0] < 3000 and totals[0] + totals[1] == 3000 and totals[6] <= 700_000


def test_memory_of_gaps_is_bounded(codec):
    """Where none is left, what is missing is counted, and not known any more by where it is."""
    ends, gaps, memory = [(A[0], 1 + n) for n in range(600)], 18, 1_000_000
    frames = [framed(segment(end, B, ".", 100 * k, 7, 50)) for k in range(gaps + 1) for end in ends]
    rows, totals = followed(codec, frames, memory=memory)
    assert totals[0] == len(ends) and totals[6] <= memory
    assert {row[16][4][-2] for row in rows} == {50 * gaps}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ((0, 1, 1, False, 1, b"", b""), "level, most or memory"),
        ((4, 1, 1, False, 1, b"", b""), "level, most or memory"),
        ((1, 0, 1, False, 1, b"", b""), "level, most or memory"),
        ((1, 1, -1, False, 1, b"", b""), "level, most or memory"),
        ((1, 1, 1, False, 1, b"x", b""), "not sound"),
        ((1, 1, 1, False, 1, pack("6q", 7, 1, 7, 48, 4, 48), b""), "not sound"),
        ((1, 1, 1, False, 1, pack("6q", 70000, 1, 7, 48, 0, 48), b""), "not sound"),
        ((1, 1, 1, False, 1, pack("6q", 7, 3, 7, 48, 0, 48), b""), "not sound"),
        ((1, 1, 1, False, 1, 2 * pack("6q", 7, 1, 7, 48, 0, 48), b""), "not sound"),
        ((1, 1, 1, False, 1, b"", pack("6q", 7, 7, 1, 1, 0, 0)), "not sound"),
        ((1, 1, 1, False, 1, b"", pack("6q", 7, 70000, 1, 64, 0, 0)), "not sound"),
        ((1, 1, 1, False, 1, b"", pack("12q", 8, 70000, 1, 1, 0, 0, 7, 70000, 1, 1, 0, 0)), "not sound"),
    ],
)
def test_wrong_tables(codec, wrong, says):
    with pytest.raises(ValueError, match=says):
        codec.conversation_table(*wrong)


def test_numbers_are_told_at_once(codec):
    """Of each packet which conversation it is of; a fragment that comes before the first of its datagram has no ports."""
    first, second, third = pieces()
    frames = [
        framed(udp(A, B)),
        framed(segment(B, A, "S", 1)),
        bytes(9),
        framed(udp(B, A)),
        second,
        first,
        third,
        quoting(udp(A, B)),
    ]
    batch, made = batch_of([*enumerate(frames)]), table(of=codec)
    numbers = array("q", bytes(codec.conversation_numbers(made, batch.data, bytes(batch.rows)))).tolist()
    assert numbers == [0, 1, -1, 0, 2, 0, 0, 3]
    assert [(row[0], row[5], row[10:12], row[16]) for row in codec.conversation_rows(made, 0, 9)][:3] == [
        (0, 1000, (3, 1), None), (1, 80, (1, 0), None), (2, -1, (1, 0), None)]  # fmt: skip
    assert codec.conversation_totals(made)[:5] == (4, 0, 0, 1, 9)


def test_numbers_beyond_what_is_kept(codec):
    frames = [framed(udp((A[0], port), B)) for port in (1, 2, 3, 1)]
    batch, made = batch_of([*enumerate(frames)]), table(of=codec, most=2)
    assert array("q", bytes(codec.conversation_numbers(made, batch.data, bytes(batch.rows)))).tolist() == [0, 1, -1, 0]
    assert codec.conversation_totals(made)[1] == 1


def test_wrong_calls(codec):
    for call in (
        lambda: codec.follow(None, bytearray(), b"", False),
        lambda: codec.conversation_numbers(None, bytearray(), b""),
        lambda: codec.conversation_rows(None, 0, 1),
        lambda: codec.conversation_totals(None),
    ):
        with pytest.raises(TypeError, match="no table of conversations"):
            call()
    for order, most in ((5, 1), (-1, 1), (0, -1)):
        with pytest.raises(ValueError, match="out of range"):
            codec.conversation_rows(table(of=codec), order, most)


def any_frame(dice: random.Random) -> bytes:
    """Few addresses, ports and ids, so that they meet."""
    ends = [("10.0.0.1", 1), ("10.0.0.2", 1), ("10.0.0.1", 2), A6, B6]
    one = dice.choice(ends)
    other = dice.choice([end for end in ends if len(end[0]) == len(one[0]) or ":" not in end[0] + one[0]])
    inner = dice.choice(
        [
            udp(one, other),
            segment(one, other, dice.choice(["S", ".", "S."]), dice.randrange(9), dice.randrange(9), dice.randrange(3)),
        ]
    )
    if ":" not in one[0] and dice.random() < 0.5:
        return dice.choice(pieces(dice.randrange(3), one[0], other[0]))
    if ":" not in one[0] and dice.random() < 0.5:
        return in_gtp(dice.randrange(12), inner, sequence=dice.random() < 0.5)
    frame = framed(inner)
    return vlan(dice.randrange(3), frame) if dice.random() < 0.3 else quoting(inner) if dice.random() < 0.2 else frame


@pytest.mark.parametrize(("most", "forget"), [(1000, False), (5, False), (5, True)])
def test_any_packets_give_the_same_on_both_codecs(most, forget):
    dice = random.Random(most + forget)
    batch = gathered(
        Packet(frame[: dice.choice([None, None, 40])], len(frame), 900 * i * MS, 1)
        for i, frame in enumerate(any_frame(dice) for _ in range(1500))
    )
    for level in (LINK, NETWORK, PORTS):
        found = []
        for name in ("c", "python"):
            codec = load(name)
            made = table(level, most, forget=forget, of=codec)
            told = codec.follow(made, batch.data, bytes(batch.rows), True)
            rows = [codec.conversation_rows(made, order, 7) for order in range(4)]
            alone = table(level, most, forget=forget, of=codec)
            rows += [codec.conversation_numbers(alone, batch.data, bytes(batch.rows)), *codec.conversation_rows(alone, 0, 1000)]
            found.append((told, rows, sorted(codec.conversation_rows(made, 1, 1000)), codec.conversation_totals(made)[:6]))
        assert found[0] == found[1]


def test_in_words(codec, monkeypatch):
    """As pkt-stat has them: addresses, names of protocols, what is around, and connections."""
    use(codec, monkeypatch, "conversation_table", "follow", "conversation_rows", "conversation_totals")
    made = Conversations()
    tunnel = [in_gtp(5, udp(A6, B6)), in_gtp(9, udp(B6, A6), "192.0.2.2", "192.0.2.1")]
    labelled = framed(ip("192.0.2.1", "192.0.2.2", 17, vxlan(vlan(7, framed(segment(A, B, "S", 1))), 42)))
    made.add(batch_of([*enumerate([*tunnel, labelled, ethernet(0x88CC, bytes(9))])]))
    first, second, third = made.read(AS_THEY_CAME)
    assert first.values()[1:8] == ("2001:db8::1", 1000, "2001:db8::2", 80, "udp", "192.0.2.1<>192.0.2.2, GTP TEID 5<>9", (1, 1))
    assert second.values()[1:7] == ("10.0.0.1", 1000, "10.0.0.2", 80, "tcp", "192.0.2.1<>192.0.2.2, VXLAN VNI 42, VLAN 7")
    assert second.connection and second.connection.connections == 1 and second.connection.begun == (True, False)
    assert third.values()[1:7] == ("02:00:00:00:00:01", None, "02:00:00:00:00:02", None, "lldp", "")
    assert made.totals().values()[:5] == (3, 0, 0, 0, 0) and first.first == 0 and first.last == MS
