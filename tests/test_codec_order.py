"""Packets in another order: sorted, packed, and what keys are made of them; on both codecs."""

from __future__ import annotations

import random
import struct
from types import ModuleType

import pytest
from samples import batch, ethernet, ipv4, ipv6, over_udp, tcp, udp

from pkttools.batch import CAPTURED, COLUMNS, ORIGINAL, TIME, Batch, Packet, gathered
from pkttools.views.fields import columns_of

EARLY, LATE = -(1 << 62), 1 << 62


def timed(times: list[int]) -> Batch:
    """Packets of these times, each with its number as its bytes."""
    notes = [b"NOTE: %d\n" % i if i % 3 == 0 else b"" for i in range(len(times))]
    return gathered(Packet(struct.pack(">I", i), 4, time, 1, notes[i]) for i, time in enumerate(times))


def numbers(made: Batch) -> list[int]:
    """Which packets these are."""
    return [struct.unpack(">I", made.frame(i))[0] for i in range(len(made))]


def in_order(codec: ModuleType, times: list[int]) -> list[int]:
    """How sort_rows puts packets of these times; it says the truth about it."""
    made = timed(times)
    was = bytes(made.rows)
    assert codec.sort_rows(made.data, made.rows, False) == (bytes(made.rows) == was)
    return numbers(made)


CHANCE = random.Random(5)
NEARLY = list(range(1000))
for at in range(0, 990, 10):
    NEARLY[at], NEARLY[at + 7] = NEARLY[at + 7], NEARLY[at]
TIMES = {
    "none": [], "one": [5], "two": [2, 1], "equal": [7] * 40, "sorted": list(range(100)), "nearly sorted": NEARLY,
    "backwards": list(range(700, 0, -1)), "few times": [CHANCE.randrange(3) for _ in range(500)],
    "shuffled": CHANCE.sample(range(100_000), 3000), "ends": [LATE, 0, EARLY, -1, 1, LATE, EARLY],
    "odd runs": [*range(17), *range(16), *range(33, 0, -1)], "late one": [*range(1, 200), 0], "early one": [200, *range(200)],
}  # fmt: skip


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_rows_are_sorted_as_python_sorts(codec: ModuleType, times: list[int]) -> None:
    assert in_order(codec, times) == sorted(range(len(times)), key=times.__getitem__)


def test_any_size_is_sorted(codec: ModuleType) -> None:
    for size in range(2, 100):
        times = [CHANCE.randrange(size) for _ in range(size)]
        assert in_order(codec, times) == sorted(range(size), key=times.__getitem__)


def test_packets_are_packed_with_all_that_is_theirs(codec: ModuleType) -> None:
    made = timed([3_000_000_007, -5_000_001, LATE, 1])
    out = bytearray(b"\xee" * 130)
    stop, end, rows = codec.gather_rows(made.data, made.rows, 1, out, 10, False)
    packed = Batch(out, rows)
    assert (stop, numbers(packed)) == (4, [1, 2, 3])
    assert [packed.packet(i).notes for i in range(3)] == [b"", b"", b"NOTE: 3\n"]
    assert end == 10 + 3 * (16 + 4) + 8
    assert out[end:] == b"\xee" * (130 - end)
    assert packed.column(TIME) == [-5_000_001, LATE, 1]
    assert struct.unpack("<iiII", out[10:26]) == (0, -5000, 4, 4)
    # A second time: records stand there.
    again = bytearray(130)
    _, end, rows = codec.gather_rows(out, rows, 0, again, 10, False)
    assert again[10:end] == out[10:end]


def test_as_many_are_packed_as_have_room(codec: ModuleType) -> None:
    made = timed([1, 2])
    for room in range(60):
        stop, end, rows = codec.gather_rows(made.data, made.rows, 0, bytearray(room), 0, False)
        assert (stop, end) == ((0, 0) if room < 28 else (1, 28) if room < 48 else (2, 48))
        assert len(rows) == 56 * stop


def test_a_record_of_a_capture_stays(codec: ModuleType) -> None:
    for order in "<>":
        record = struct.pack(order + "4I", 1, 999_999_999, 3, 60)
        data = bytearray(record + b"abc")
        rows = struct.pack("=7q", 16, 3, 60, 1_999_999_999, 1, 0, 0)
        out = bytearray(19)
        assert codec.gather_rows(data, rows, 0, out, 0, False)[:2] == (1, 19)
        assert out == data
        data[8 if order == "<" else 11] += 1
        codec.gather_rows(data, rows, 0, out, 0, False)
        assert out == struct.pack("<4I", 1, 999_999, 3, 60) + b"abc"


FRAMES = [
    (1, ethernet(0x0800, ipv4(17, udp(b"b\0")))),
    (1, ethernet(0x0800, ipv4(6, tcp(b"")))),
    (1, ethernet(0x86DD, ipv6(17, udp(b"b")))),
    (101, ipv4(17, over_udp(99, b"b\0\1"))),
    (1, b""),
    (1, ethernet(0x0800, ipv4(17, over_udp(300, b"b\0\0")))),
    (1, ethernet(0x0800, ipv4(4, ipv4(17, over_udp(70, b""))))),
]


def by(codec: ModuleType, names: str, frames: list[tuple[int, bytes]]) -> list[int]:
    """Numbers of packets as they are sorted by fields; `-` in front of one: the largest first. Packed once in between."""
    columns = b""
    for name in names.split(","):
        column = columns_of(name.removeprefix("-"))[0].first()
        columns += column.code(name.startswith("-"))
    made = batch(frames)
    made.columns()[ORIGINAL::COLUMNS] = memoryview(struct.pack(f"={len(frames)}q", *range(len(frames)))).cast("q")
    made.columns()[TIME::COLUMNS] = memoryview(struct.pack(f"={len(frames)}q", *(-i for i in range(len(frames))))).cast("q")
    data, rows, stop = codec.key_rows(made.data, bytes(made.rows), 0, 1, columns)
    assert stop == len(frames)
    assert [bytes(Batch(data, rows).frame(i)) for i in range(stop)] == [frame for _, frame in frames]
    out = bytearray(1 << 16)
    stop, _, rows = codec.gather_rows(data, rows, 0, out, 0, True)
    codec.sort_rows(out, rows, True)
    return Batch(out, rows).column(ORIGINAL)


@pytest.mark.parametrize(("names", "order"), [
    ("TIME", [6, 5, 4, 3, 2, 1, 0]), ("-TIME_UTC", [0, 1, 2, 3, 4, 5, 6]), ("-NUMBER", [6, 5, 4, 3, 2, 1, 0]),
    ("LINKTYPE,-NUMBER", [6, 5, 4, 2, 1, 0, 3]),
    ("CAPTURED", sorted(range(7), key=lambda i: len(FRAMES[i][1]))), ("-ORIGINAL", [6, 5, 4, 3, 2, 1, 0]),
    ("FRAME", sorted(range(7), key=lambda i: FRAMES[i][1])), ("-FRAME", sorted(range(7), key=lambda i: FRAMES[i][1], reverse=True)),
    ("UDP.DST_PORT", [0, 2, 6, 3, 5, 1, 4]), ("-UDP.DST_PORT", [5, 3, 6, 0, 2, 1, 4]),
    ("IP.PROTOCOL,-UDP.DST_PORT", [6, 1, 5, 3, 0, 2, 4]),
    ("UDP.DATA", [2, 0, 5, 3, 1, 4, 6]), ("-UDP.DATA", [3, 5, 0, 2, 1, 4, 6]), ("IP.PROTOCOL[2]", [6, 0, 1, 2, 3, 4, 5]),
    ("IP.PROTOCOL[-1],NUMBER", [1, 0, 3, 5, 6, 2, 4]), ("IPV6.SRC_ADDR", [2, 0, 1, 3, 4, 5, 6]),
])  # fmt: skip
def test_packets_are_sorted_by_what_they_hold(codec: ModuleType, names: str, order: list[int]) -> None:
    assert by(codec, names, FRAMES) == order


def test_packets_are_sorted_by_what_they_came_with(codec: ModuleType) -> None:
    lines = [b"IFACE: b\n", b"WAY: in\n", b"IFACE: a\nIFACE: c\n", b"IFACE: b\0\n", b"IFACE:\n", b"IFACE: bb\n"]
    for name, order in (("IFACE", [4, 2, 0, 3, 5, 1]), ("-IFACE", [5, 3, 0, 2, 4, 1]), ("IFACE[2]", [2, 0, 1, 3, 4, 5])):
        made = gathered(Packet(b"", i, 0, 1, line) for i, line in enumerate(lines))
        column = columns_of(name.removeprefix("-"))[0].first().code(name.startswith("-"))
        data, rows, _ = codec.key_rows(made.data, bytes(made.rows), 0, 1, column)
        codec.sort_rows(data, rows, True)
        assert Batch(data, rows).column(ORIGINAL) == order


def test_keys_that_are_not_whole_are_empty(codec: ModuleType) -> None:
    data = bytearray(b"ab" + struct.pack("=I", 9) + b"key")
    rows = bytearray(struct.pack("=14q", 0, 1, 1, 5, 1, 0, 2, 1, 1, 1, 4, 1, len(data) - 1, 1))
    out = bytearray(100)
    _, end, packed = codec.gather_rows(data, bytes(rows), 0, out, 0, True)
    assert end == 2 * (16 + 1 + 4) + 3
    assert out[19:23] == bytes(4)
    assert codec.sort_rows(data, rows, True)
    assert Batch(out, packed).column(CAPTURED) == [1, 1]


def test_what_makes_no_sense_is_refused(codec: ModuleType) -> None:
    made = timed([1, 2])
    rows, out = bytes(made.rows), bytearray(100)
    for call in (
        lambda: codec.sort_rows(made.data, bytearray(rows[1:]), False),
        lambda: codec.sort_rows(bytearray(3), bytearray(rows), False),
        lambda: codec.gather_rows(made.data, rows, 3, out, 0, False),
        lambda: codec.gather_rows(made.data, rows, 0, out, 101, False),
        lambda: codec.key_rows(made.data, rows, -1, 1, b""),
        lambda: codec.key_rows(made.data, rows, 0, 1, bytes(23)),
        lambda: codec.key_rows(made.data, rows, 0, 1, struct.pack("=3q", 1 << 40, 0, 0)),
    ):
        with pytest.raises(ValueError, match=r"rows are not whole|lies outside|out of range|not sound"):
            call()
