"""Packets that are the same but for what may differ, on both codecs."""

from __future__ import annotations

import random
from array import array

import dpkt
import pytest
from conftest import ROOT
from samples import batch, ethernet, ipv4, row_of, udp

from pkttools.batch import ROW_BYTES, Batch
from pkttools.compare.differences import differences
from pkttools.compare.ignoring import Ignored

EXACT = Ignored().told()


def test_pairs_of_two_batches(codec):
    a = batch([(1, ethernet(0x800, ipv4(17, udp(bytes([i]))))) for i in range(9)])
    b = batch([(1, ethernet(0x800, ipv4(17, udp(bytes([i % 7]))))) for i in range(3, 12)])
    assert codec.unlike(a.data, bytes(a.rows), 3, b.data, bytes(b.rows), 0, 6, Ignored.of("TIME").told()) == [4, 5]
    assert codec.unlike(a.data, bytes(a.rows), 9, b.data, bytes(b.rows), 0, 0, EXACT) == []


@pytest.mark.parametrize(("column", "by", "ignore", "alike"), [
    (3, 5, Ignored(), False), (3, 5, Ignored(within=4), False), (3, 5, Ignored(within=5), True), (3, -5, Ignored(within=5), True),
    (3, 5, Ignored.of("TIME"), True), (2, 5, Ignored(), False), (2, 5, Ignored.of("SIZE"), True), (4, 1, Ignored.of("TIME"), False),
])  # fmt: skip
def test_what_else_is_compared(codec, column, by, ignore, alike):
    a = batch([(1, ethernet(0x800, ipv4(17, udp())))])
    rows = array("q", a.rows)
    rows[column] += by
    assert codec.unlike(a.data, bytes(a.rows), 0, a.data, rows.tobytes(), 0, 1, ignore.told()) == ([] if alike else [0])


def test_what_is_no_table_or_no_packet(codec):
    a = batch([(1, ethernet(0x800, ipv4(17, udp())))])
    for told in ((0, True, True, b"", b""), (0, True, True, bytes(8), bytes(8)),
                 (0, True, True, array("q", (0, 2)).tobytes(), bytes(24)),
                 (0, True, True, array("q", (0, 1)).tobytes(), array("q", (-1, 1, 0)).tobytes())):  # fmt: skip
        with pytest.raises(ValueError, match="what may differ is no table of places"):
            codec.unlike(a.data, bytes(a.rows), 0, a.data, bytes(a.rows), 0, 1, told)
    for first, count in ((0, 2), (1, 1), (-1, 1)):
        with pytest.raises(ValueError, match="no such packets in both batches"):
            codec.unlike(a.data, bytes(a.rows), first, a.data, bytes(a.rows), 0, count, EXACT)
    with pytest.raises(ValueError, match="lies outside of its batch"):
        codec.unlike(a.data, row_of(bytes(99999)), 0, a.data, bytes(a.rows), 0, 1, EXACT)


def test_both_codecs_and_the_comparison_agree(both):
    """Whatever byte of a packet is another one: the codecs say the same, and what they take for the same has no differences."""
    c, python = both
    draw = random.Random(2)
    ignored = [
        Ignored.of(text)
        for text in ("routing", "nat", "checksums,IP.TTL,DATA", "udp,ip,tcp.flags", "IP.TTL,UDP.SRC_PORT,TCP.SEQ_NUMBER")
    ]
    counts = [0, 0]
    for path in sorted((ROOT / "tests/data/protocols").glob("*.txt")):
        text = bytearray(path.read_bytes())
        _, data, rows, *_ = c.text_decode(text, 0, len(text), True, 1, 0, 0)
        packets = Batch(data, rows)
        for i in range(len(packets)):
            row = bytes(rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])
            at, size = packets.columns()[i * 7 : i * 7 + 2]
            for ignore in ignored:
                other = bytearray(data)
                for _ in range(draw.choice((1, 1, 2))):
                    place = at + min(draw.choice((draw.randrange(64), draw.randrange(size))), size - 1)
                    other[place] ^= draw.randrange(1, 256)
                told = ignore.told()
                found = c.unlike(data, row, 0, other, row, 0, 1, told)
                assert found == python.unlike(data, row, 0, other, row, 0, 1, told), (path.name, i)
                said = differences(data, row, other, row, ignore)
                assert found or not said, (path.name, i, said)
                counts[not said] += 1
                blanks = [bytearray(data), bytearray(data)]
                c.blank(blanks[0], row, told)
                python.blank(blanks[1], row, told)
                assert blanks[0] == blanks[1], (path.name, i)
    assert min(counts) > 50


def test_checksums_that_follow(codec):
    """They may differ where they are right, and say nothing else; where one is wrong they differ."""
    ends = {"src": b"\xc0\0\2\1", "dst": b"\xc0\0\2\2"}
    frames = []
    for ttl, port in ((64, 5), (9, 5), (9, 7)):
        datagram = dpkt.udp.UDP(sport=port, dport=9, ulen=8)
        frames.append(ethernet(0x800, bytes(dpkt.ip.IP(p=17, ttl=ttl, data=datagram, **ends))))
    frames.insert(2, frames[1][:24] + b"\0\1" + frames[1][26:])  # its checksum is 1
    packets = batch([(1, frame) for frame in frames])
    data, rows = packets.data, bytes(packets.rows)
    told = Ignored.of("IP.TTL,TIME").told()
    first = bytes(rows[:ROW_BYTES]) * 4
    assert codec.unlike(data, first, 0, data, bytes(rows), 0, 4, told) == [2, 3]
