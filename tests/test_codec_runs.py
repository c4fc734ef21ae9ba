"""Runs of packets merged by time: both codecs, and what is made of streams by them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from types import ModuleType

import pytest
from backends import on_both
from conftest import load

from pkttools.batch import Batch, Packet, gathered
from pkttools.formats.merged import ROOM, merged

pytest_generate_tests, chosen = on_both("run_table", "feed", "merge_runs")

Said = list[tuple[int, int, int]]


def packet(time: int, frame: bytes = b"x", notes: bytes = b"") -> Packet:
    return Packet(frame, len(frame) + 1, time, 1, notes)


def streams_of(*runs: list[Packet], size: int = 3) -> list[Iterator[Batch]]:
    """A stream a run, in batches of so many packets; what a batch was made of is gone when the next one comes."""

    def stream(run: list[Packet]) -> Iterator[Batch]:
        for i in range(0, len(run), size):
            batch = gathered(run[i : i + size])
            yield batch
            batch.data[:] = bytes(len(batch.data))
            yield Batch(bytearray(), bytearray())  # as stages give them that drop all

    return [stream(run) for run in runs]


def packets(stream: Iterator[Batch]) -> list[tuple[int, bytes, bytes, int]]:
    return [(p.time, p.frame, p.notes, p.original) for batch in stream for p in map(batch.packet, range(len(batch)))]


def test_order() -> None:
    """By time, at equal times by the order of the streams, and within each by its own: also where it goes backwards."""
    chance = random.Random(5)
    runs = []
    for r in range(9):
        times = sorted(chance.randrange(40) for _ in range(chance.randrange(60)))
        runs.append([packet(time, b"%d-%d" % (r, i)) for i, time in enumerate(times)])
    every = [(p.time, r, i, p.frame) for r, run in enumerate(runs) for i, p in enumerate(run)]
    for size in (1, 4, 100):
        found = packets(merged(streams_of(*runs, size=size)))
        assert [frame for _, frame, _, _ in found] == [frame for *_, frame in sorted(every)]
    said: Said = []
    out = packets(merged(streams_of([packet(t) for t in (5, 3, 9, 1, 8)], [packet(4)]), backwards=lambda *told: said.append(told)))
    assert [time for time, *_ in out] == [4, 5, 3, 9, 1, 8]
    assert said == [(0, 2, 1), (0, 4, 1)]
    assert packets(merged([])) == packets(merged(streams_of([], []))) == []


def test_what_a_packet_has_stays() -> None:
    """Sizes and lines; a line IFACE where there is none, once in a batch for all that have no other lines."""
    run = [packet(1, b"a", b"NOTE: 1\n"), packet(2, b"b"), packet(3, b"c", b"IFACE: eth0\nWAY: in\n")]
    run += [packet(4, b""), packet(5, b"e")]
    lines = [b"IFACE: file\n", b""]
    streams = streams_of(run, [packet(2, b"other", b"LOST: 1\n")])
    batches = [(batch.column(5), packets(iter([batch]))) for batch in merged(streams, lines)]
    assert [found for _, some in batches for found in some] == [
        (1, b"a", b"IFACE: file\nNOTE: 1\n", 2), (2, b"b", b"IFACE: file\n", 2), (2, b"other", b"LOST: 1\n", 6),
        (3, b"c", b"IFACE: eth0\nWAY: in\n", 2), (4, b"", b"IFACE: file\n", 1), (5, b"e", b"IFACE: file\n", 2),
    ]  # fmt: skip
    [(places, _)] = batches
    assert places[1] == places[4] == places[5]


def test_by_keys() -> None:
    """Which go along, so that what is merged can be merged again."""

    def keyed(*keys: bytes) -> Iterator[Batch]:
        batch = gathered([packet(9, key, b"NOTE: k\n" + struct.pack("=I", len(key)) + key) for key in keys])
        batch.columns()[6::7] = memoryview(struct.pack(f"={len(keys)}q", *[8] * len(keys))).cast("q")
        return iter([batch])

    once = merged([keyed(b"b", b"ba", b"c"), keyed(b"", b"b", b"bab")], keyed=True)
    again = packets(merged([once, keyed(b"a", b"ba")], keyed=True))
    assert [(frame, notes) for _, frame, notes, _ in again] == [
        (key, b"NOTE: k\n") for key in (b"", b"a", b"b", b"b", b"ba", b"ba", b"bab", b"c")
    ]


def test_more_than_a_batch_holds() -> None:
    """Batches are of a size; one grows where a single packet does not fit."""
    runs = [[packet(i, bytes([i]) * 200_000) for i in range(r, 40, 2)] for r in range(2)]
    batches = [(len(batch.data), packets(iter([batch]))) for batch in merged(streams_of(*runs))]
    assert [found[0] for _, some in batches for found in some] == list(range(40))
    assert {size for size, _ in batches} == {ROOM}
    large = packet(1, b"x" * 9, b"NOTE: " + b"n" * 3 * ROOM + b"\n")
    assert packets(merged(streams_of([large, packet(2)]), [b"IFACE: f\n"])) == [
        (1, large.frame, b"IFACE: f\n" + large.notes, 10), (2, b"x", b"IFACE: f\n", 2)
    ]  # fmt: skip


def test_prompt() -> None:
    """What is there is handed on before a stream is waited for that another program writes."""
    asked: list[int] = []

    def slow() -> Iterator[Batch]:
        for i in range(3):
            asked.append(i)
            yield gathered([packet(i)])

    stream = merged([slow(), slow()], prompt=True)
    next(stream)
    assert asked == [0, 0]
    next(stream)
    assert asked == [0, 0, 1]


def test_nothing_of_others_goes_along(codec: ModuleType) -> None:
    """What stands in front of a packet is copied where it is its record; whoever is handed the copy learns no octets of others."""
    frame = b"a frame"
    for order, lengths, record in (("<", (7, 9), True), (">", (7, 9), True), ("<", (9, 7), False), (">", (7, 8), False)):
        front = b"secret!!" + struct.pack(order + "II", *lengths)
        data, row = bytearray(front + frame), struct.pack("=7q", 16, 7, 9, 1, 1, 23, 0)
        table, out = codec.run_table([b""]), bytearray(99)
        codec.feed(table, 0, data, row)
        rows, used, _ = codec.merge_runs(table, out, 0)
        assert out == ((front if record else b"") + frame).ljust(99, b"\0")
        assert struct.unpack("=7q", rows) == (used - 7, 7, 9, 1, 1, used, 0)


@pytest.mark.parametrize("front", [0, 15, 16, 40])
def test_both_are_the_same(front: int) -> None:
    """Also the bytes in front of packets, which are a record where the next one wants them."""
    codecs = [load("c"), load("python")]
    notes = [b"NOTE: x\n" * (i % 3 == 0) + b"IFACE: y\n" * (i % 5 == 0) for i in range(60)]
    given = gathered([packet(i // 2, bytes([i]) * (i % 7), notes[i]) for i in range(60)])
    given.data[:0] = bytes(range(front))
    columns = given.columns()
    for i in range(0, len(columns), 7):
        columns[i] += front
        columns[i + 5] += front
    for room in (0, 9, 33, 100, 4000):
        results = []
        for codec in codecs:
            table, out, told = codec.run_table([b"IFACE: a\n", b"", b"IFACE: b\n"]), bytearray(room), []
            told += [codec.feed(table, 0, given.data, given.rows[: 56 * 20]), codec.feed(table, 1, b"", b"")]
            told.append(codec.feed(table, 2, given.data, given.rows[56 * 20 :]))
            used, waits = 0, -2
            for _ in range(80):
                rows, used, waits = codec.merge_runs(table, out, used)
                told.append((bytes(rows), used, waits, bytes(out)))
                used = 0 if waits == -2 else used
                if waits >= 0:
                    told.append(codec.feed(table, waits, given.data, given.rows if waits == 0 and len(told) < 9 else b""))
            results.append(told)
        assert results[0] == results[1]


def test_errors(codec: ModuleType) -> None:
    one = gathered([packet(1)])
    table = codec.run_table([b"", b""])
    for wrong in ([1], b"", None, ("",)):
        with pytest.raises(TypeError, match="lines are a list of bytes"):
            codec.run_table(wrong)
    with pytest.raises(TypeError, match="no table of runs"):
        codec.feed(None, 0, one.data, one.rows)
    with pytest.raises(TypeError, match="no table of runs"):
        codec.merge_runs(codec, bytearray(9), 0)
    assert codec.feed(table, 0, one.data, one.rows) == (0, 0)
    with pytest.raises(ValueError, match="a run waits"):
        codec.merge_runs(table, bytearray(9), 0)
    for which in (0, 2, -1):
        with pytest.raises(ValueError, match="no such run waits"):
            codec.feed(table, which, one.data, one.rows)
    with pytest.raises(ValueError, match="packet 0 lies outside of its batch"):
        codec.feed(table, 1, b"", one.rows)
    with pytest.raises(ValueError, match="rows are not whole packets"):
        codec.feed(table, 1, one.data, b"1")
    codec.feed(table, 1, b"", b"")
    for used in (-1, 10):
        with pytest.raises(ValueError, match="range lies outside of the buffer"):
            codec.merge_runs(table, bytearray(9), used)
    assert codec.merge_runs(table, bytearray(9), 0)[1:] == (1, 0)
    codec.feed(table, 0, b"", b"")
    assert codec.merge_runs(table, bytearray(9), 3) == (bytearray(), 3, -1)
    with pytest.raises(ValueError, match="no such run waits"):
        codec.feed(table, 0, one.data, one.rows)


def test_batches_are_let_go() -> None:
    """What a run was fed is held as long as it has packets left, and not longer: it may grow then."""
    codec = load("c")
    one, more = gathered([packet(1)]), gathered([packet(2)])
    table = codec.run_table([b"", b""])
    codec.feed(table, 0, one.data, one.rows)
    codec.feed(table, 1, more.data, more.rows)
    with pytest.raises(BufferError):
        one.data.extend(b"x")
    assert codec.merge_runs(table, bytearray(9), 0)[2] == 0
    one.data.extend(b"x")
    with pytest.raises(BufferError):
        more.data.extend(b"x")
    del table
    more.data.extend(b"x")
