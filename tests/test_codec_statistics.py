"""What is counted of packets: both codecs count the same, in memory that is bounded."""

from __future__ import annotations

import random
import struct
from types import ModuleType

import pytest
from conftest import load
from samples import ethernet, frames, ipv4, tunnels
from segments import framed
from segments import udp as datagram

from pkttools.batch import Batch, Packet, gathered
from pkttools.codec import (
    BACKWARDS,
    BY_FIELDS,
    BYTES,
    CAPTURED,
    CUT_SHORT,
    EARLIEST,
    LATEST,
    LONGEST,
    PACKETS,
    PATHS,
    SHORTEST,
    SIZES,
    TALKERS,
)
from pkttools.language.program import ROWS
from pkttools.protocols.values import field

ALL = PATHS | TALKERS | BY_FIELDS
MEMORY = 1 << 20
PLACES = range(10)
FAR = (1 << 63) - 1


def columns(*names: str) -> tuple[bytes, bytes, bytes]:
    """A program of fields."""
    found = [field(name) for name in names]
    return ROWS, b"".join(struct.pack("2q", rows[0], occurrence or 1) for _, rows, occurrence in found), b""


def udp(source: str, port: int, size: int = 0) -> bytes:
    """A frame of Ethernet, IP and UDP."""
    return framed(datagram((source, 1000), ("10.0.0.1", port), bytes(size)))


def one(frame: bytes, time: int = 0, original: int | None = None) -> Packet:
    return Packet(frame, len(frame) if original is None else original, time, 1)


def counted(codec: ModuleType, batch: Batch, wanted: int = 0, by: tuple[bytes, bytes, bytes] | None = None,
            memory: int = MEMORY) -> object:  # fmt: skip
    counters = codec.counters(wanted, by, memory)
    codec.count(counters, batch.data, batch.rows)
    return counters


def totals(codec: ModuleType, counters: object) -> list[int]:
    return memoryview(codec.figures(counters)[0]).cast("q").tolist()


def series(codec: ModuleType, counters: object) -> tuple[int, int, list[tuple[int, int]]]:
    width, lowest, bins = codec.figures(counters)[3]
    numbers = memoryview(bins).cast("q").tolist()
    return width, lowest, list(zip(numbers[::2], numbers[1::2], strict=True))


def test_totals(codec):
    """Bytes are those on the wire, and no fewer than were captured; a file need not be in order, nor after 1970."""
    frames = [one(bytes(60), -9_500_000_000), one(bytes(100), 5, 1500), one(bytes(50), -20_000_000_000, 10)]
    found = totals(codec, counted(codec, gathered(frames)))
    assert [found[i] for i in (PACKETS, BYTES, CAPTURED, CUT_SHORT, SHORTEST, LONGEST)] == [3, 1610, 210, 1, 50, 1500]
    assert [found[i] for i in (EARLIEST, LATEST, BACKWARDS)] == [-20_000_000_000, 5, 1]


def test_nothing_was_counted(codec):
    counters = codec.counters(ALL, columns("IP.TTL"), MEMORY)
    assert totals(codec, counters) == [0] * 10
    assert codec.figures(counters)[1] == b""
    assert series(codec, counters)[2] == []
    assert codec.largest(counters, PATHS, 0, False) == ([], 0, (0, 0, 0, 0))


def test_sizes_are_told_apart_up_to_a_bound(codec):
    frames = [one(bytes(60)), one(bytes(60)), one(b"", 0, SIZES), one(b"", 0, SIZES + 9), one(b"", 0, SIZES - 1)]
    sizes = memoryview(codec.figures(counted(codec, gathered(frames)))[1]).cast("q").tolist()
    assert {size: count for size, count in enumerate(sizes) if count} == {60: 2, SIZES - 1: 1, SIZES: 2}


@pytest.mark.parametrize("times", [(0, 1, 4_095_999, 4_096_000), (-1, -FAR - 1, FAR), (5, 5), (FAR, -FAR - 1), (-3_000_000_000, 0)])
def test_bins_of_time_become_wider_and_nothing_is_lost(codec, times):
    width, lowest, bins = series(codec, counted(codec, gathered([one(bytes(60), time) for time in times])))
    assert len(bins) <= 4096
    assert (sum(packets for packets, _ in bins), sum(size for _, size in bins)) == (len(times), 60 * len(times))
    for time in times:
        assert bins[time // width - lowest][0] == sum(other // width == time // width for other in times)


def test_talkers_of_a_tunnel_are_told_apart_by_level(codec):
    counters = counted(codec, gathered([one(ethernet(0x0800, tunnels()[0]))]), TALKERS)
    rows, count, _ = codec.largest(counters, TALKERS, 0, False)
    assert count == 4
    assert sorted((key[0], packets, back) for key, packets, _, back, _ in rows) == [(0, 0, 1), (0, 1, 0), (1, 0, 1), (1, 1, 0)]


def test_those_with_the_most_come_first_and_equal_ones_by_key(codec):
    frames = [udp("10.0.0.2", 7)] * 3 + [udp("10.0.0.3", 9, 1000)] + [udp("10.0.0.4", 7)] + [udp("10.0.0.5", 8)]
    counters = counted(codec, gathered([one(frame) for frame in frames]), BY_FIELDS, columns("UDP.DST_PORT"))
    ports = [key[-1] for key, *_ in codec.largest(counters, BY_FIELDS, 0, False)[0]]
    assert ports == [7, 8, 9]
    assert [key[-1] for key, *_ in codec.largest(counters, BY_FIELDS, 2, True)[0]] == [9, 7]
    assert codec.largest(counters, BY_FIELDS, 1, True)[1:] == (3, (0, 0, 0, 0))


def test_memory_is_bounded_and_the_rest_is_counted_together(codec):
    frames = [one(udp(f"10.1.{i // 200}.{i % 200}", 7)) for i in range(1000)]
    counters = counted(codec, gathered(frames + frames), TALKERS, None, 10 * (88 + 5))
    rows, count, others = codec.largest(counters, TALKERS, 0, False)
    assert count == len(rows) == 10
    assert sum(row[1] for row in rows) + others[0] == sum(row[3] for row in rows) + others[2] == 2000
    assert others[0] == 2000 - 2 * 9  # nine senders, and whom all send to


def test_what_an_error_quotes_is_not_counted(codec):
    frame = ethernet(0x0800, ipv4(1, b"\x03\x03\0\0" + bytes(4) + udp("10.9.9.9", 53)[14:]))
    counters = counted(codec, gathered([one(frame)]), ALL, columns("UDP.DST_PORT", "IP.SRC_ADDR[2]"))
    assert [key for key, *_ in codec.largest(counters, BY_FIELDS, 0, False)[0]] == [b"\0\0"]
    assert {key for key, *_ in codec.largest(counters, TALKERS, 0, False)[0]} == {b"\0\xc0\0\2\1", b"\0\xc0\0\2\2"}
    ((path, *_),) = codec.largest(counters, PATHS, 0, False)[0]
    assert len(path) == 16 + 4 * len(codec.walk(bytearray(frame), bytes(gathered([one(frame)]).rows), True))


def test_both_count_the_same():
    """Frames of all kinds, whole, cut and changed, by fields of every form."""
    c, python = load("c"), load("python")
    luck = random.Random(15)
    samples = frames()
    packets = []
    for i in range(400):
        linktype, original = luck.choice(samples)
        frame = bytearray(original)
        for _ in range(luck.randrange(3) if frame else 0):
            frame[luck.randrange(len(frame))] = luck.randrange(256)
        frame = frame[: luck.choice((len(frame), luck.randrange(len(frame) + 1)))]
        packets.append(Packet(bytes(frame), luck.randrange(2000), i * 1000 + luck.randrange(10**9), linktype))
    batch = gathered(packets)
    by = columns("IP.SRC_ADDR[2]", "UDP.DST_PORT[-1]", "ETHERNET.SRC_ADDR", "IP.DATA", "IP.OPT_TYPE", "ETHERNET.VLAN_ID")
    for memory in (MEMORY, 4000):
        first, second = (counted(backend, batch, ALL, by, memory) for backend in (c, python))
        assert c.figures(first) == python.figures(second)
        for which in (PATHS, TALKERS, BY_FIELDS):
            for most, by_bytes in ((0, False), (3, True)):
                assert c.largest(first, which, most, by_bytes) == python.largest(second, which, most, by_bytes)


def test_what_is_not_sound_is_refused(codec):
    for wanted, program, memory in ((8, None, 1), (-1, None, 1), (0, None, -1), (BY_FIELDS, None, 1), (0, columns("IP.TTL"), 1)):
        with pytest.raises(ValueError, match="out of range"):
            codec.counters(wanted, program, memory)
    for code in (struct.pack("2q", 1 << 40, 1), struct.pack("2q", 0, 0), struct.pack("q", 0)):
        with pytest.raises(ValueError, match="not valid"):
            codec.counters(BY_FIELDS, (ROWS, code, b""), 1)
    counters = codec.counters(0, None, 1)
    with pytest.raises(ValueError, match="no such groups"):
        codec.largest(counters, 3, 0, False)
    with pytest.raises(ValueError, match="lies outside"):
        codec.count(counters, bytearray(), bytes(gathered([one(bytes(60))]).rows))
    with pytest.raises(TypeError, match="no counters"):
        codec.figures(object())
