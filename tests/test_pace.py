"""When packets are to be sent, and how late they were: on a clock of our own, without waiting."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator

import pytest

import pkttools.codec.python as python_codec
import pkttools.kernel.python as python_kernel
from pkttools import codec, kernel
from pkttools.batch import CAPTURED, COLUMNS, Batch, Packet, gathered
from pkttools.kernel.python import pace as module
from pkttools.kernel.python.pace import wait_until
from pkttools.live import pace as live_pace
from pkttools.live.histogram import Histogram
from pkttools.live.pace import Lateness, Pace
from pkttools.live.sending import Sender

MS = 1_000_000
START = 7_000 * MS


@pytest.fixture(autouse=True, params=["c", "python"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Deadlines and lateness by both backends, one after the other."""
    if request.param == "python":
        monkeypatch.setattr(live_pace, "deadlines", python_kernel.deadlines)
        monkeypatch.setattr(codec, "count_durations", python_codec.count_durations)
    elif kernel.BACKEND != "c":
        pytest.skip("the C functions were not built")
    yield request.param


def due_of(pace: Pace, stamp: int, size: int, now: int) -> int:
    """When the next packet is due."""
    [due] = pace.due(gathered([Packet(bytes(size), size, stamp, 1)]), 0, 1, now)
    return pace.last_sent + due if pace.after_previous else due


def deadlines(pace: Pace, stamps: list[int], late: int = 0, size: int = 125) -> list[int]:
    """Milliseconds after the start at which packets are due; stamps in milliseconds, each packet sent `late` too late."""
    now, found = START, []
    for stamp in stamps:
        due = due_of(pace, stamp * MS, size, now)
        found.append((due - START) / MS)
        now = max(now, due) + late * MS
        pace.last_sent = now
    return [int(due) if due == int(due) else due for due in found]


STAMPS = [1000, 1010, 1010, 1050]


@pytest.mark.parametrize("late", [0, 3])
@pytest.mark.parametrize(
    ("pace", "due"),
    [
        (Pace(), [0, 10, 10, 50]),
        (Pace(speed=2), [0, 5, 5, 25]),
        (Pace(speed=0.5), [0, 20, 20, 100]),
        (Pace(pps=100), [0, 10, 20, 30]),
        (Pace(pps=3), [0, 333.333333, 666.666667, 1000]),
        (Pace(mbps=1), [0, 1, 2, 3]),  # 125 bytes are 1000 bits
        (Pace(mbps=0.5), [0, 2, 4, 6]),
        (Pace(fast=True), [0, 0, 0, 0]),
        (Pace(fast=True, wait=5 * MS), [0, 5, 10, 15]),
        (Pace(wait=5 * MS), [0, 15, 20, 65]),
        (Pace(pps=100, wait=1 * MS), [0, 11, 22, 33]),
    ],
    ids=["original", "twice", "half", "pps", "thirds", "mbps", "half mbps", "fast", "fast, wait", "wait", "pps, wait"],
)
def test_deadlines_do_not_shift_when_packets_are_late(pace, due, late):
    pace.begun = False  # the same one comes twice
    pace.pause = 0
    assert deadlines(pace, STAMPS, late) == due


@pytest.mark.parametrize(("pace", "due"), [
    (Pace(), [1000, 1010, 1010, 1050]), (Pace(speed=2), [500, 505, 505, 525]),
    (Pace(after_previous=True), [1000, 1010, 1010, 1050]),
    (Pace(wait=5 * MS), [1000, 1015, 1020, 1065]), (Pace(pps=100), [0, 10, 20, 30]), (Pace(mbps=1), [0, 1, 2, 3]),
    (Pace(fast=True), [0, 0, 0, 0]),
], ids=["original", "twice", "just before", "wait", "pps", "mbps", "fast"])  # fmt: skip
def test_time_counts_from_a_packet_that_was_only_read(pace, due):
    """In every round; at a rate packets come one after the other, whatever is left out."""
    pace.begun, pace.pause, pace.origin = False, 0, 0
    assert deadlines(pace, STAMPS) == due
    if pace.original:
        pace.restart()
        pace.origin = 500 * MS
        pace.pause = 0
        assert deadlines(pace, STAMPS)[0] == due[0] - 500 / pace.rules[0]


def test_time_runs_from_when_the_first_packets_were_read():
    """A second goes by before anything comes that is to be sent: it is due so much earlier."""
    pace = Pace()
    pace.origin = 0
    pace.begin(START - 1000 * MS)
    pace.begin(START)  # too late
    assert deadlines(pace, STAMPS) == [0, 10, 10, 50]
    rate = Pace(pps=100)
    rate.origin = 0
    rate.begin(START - 1000 * MS)
    assert deadlines(rate, STAMPS) == [0, 10, 20, 30]


def test_just_before():
    """Each gap from when the packet before was really sent: being late adds up."""
    assert deadlines(Pace(after_previous=True), STAMPS) == [0, 10, 10, 50]
    assert deadlines(Pace(after_previous=True), STAMPS, late=3) == [0, 13, 16, 59]
    assert deadlines(Pace(after_previous=True, speed=2), STAMPS) == [0, 5, 5, 25]
    assert deadlines(Pace(after_previous=True, wait=MS), STAMPS) == [0, 11, 12, 53]


def test_times_that_run_backwards():
    """They are in the past: sent at once, and what follows keeps its own time."""
    assert deadlines(Pace(), [1000, 990, 1010]) == [0, 0, 10]
    assert deadlines(Pace(after_previous=True), [1000, 990, 1010]) == [0, 0, 20]


@pytest.mark.parametrize(
    ("pace", "rounds"),
    [
        (Pace(), [[0, 10], [10, 20]]),  # the original timing starts again
        (Pace(pps=100), [[0, 10], [20, 30]]),  # a rate goes on
        (Pace(mbps=1), [[0, 1], [2, 3]]),
        (Pace(fast=True), [[0, 0], [0, 0]]),
        (Pace(wait=5 * MS), [[0, 15], [20, 35]]),  # the wait stands between rounds too
        (Pace(fast=True, wait=5 * MS), [[0, 5], [10, 15]]),
    ],
    ids=["original", "pps", "mbps", "fast", "wait", "fast, wait"],
)
def test_rounds(pace, rounds):
    pace.begun, pace.pause, now = False, 0, START
    for number, due in enumerate(rounds):
        if number:
            pace.restart()
        for stamp, wanted in zip((1000, 1010), due, strict=True):
            got = due_of(pace, stamp * MS, 125, now)
            assert (got - START) / MS == wanted
            now = max(now, got)
            pace.last_sent = now


@pytest.mark.parametrize(
    ("pace", "paced"), [(Pace(), True), (Pace(fast=True), False), (Pace(fast=True, wait=1), True), (Pace(pps=1), True)]
)
def test_paced(pace, paced):
    assert pace.paced is paced


def test_many_packets_keep_the_rate():
    pace, batch = Pace(pps=7), gathered([Packet(bytes(60), 60, 0, 1)] * 1000)
    for _ in range(100):
        due = pace.due(batch, 0, 1000, START)
    assert due[999] == START + round(99_999 * 1_000_000_000 / 7)


# ---- waiting ----


class Clock:
    """Time that goes on when slept, and a little with each look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.slept = START, []
        monkeypatch.setattr(module.time, "monotonic_ns", self.look)
        monkeypatch.setattr(module.select, "select", lambda *words: self.sleep(words[3]))

    def look(self) -> int:
        self.now += 1000
        return self.now

    def sleep(self, seconds: float) -> tuple[list[int], list[int], list[int]]:
        self.slept.append(seconds)
        self.now += round(seconds * 1e9) + 60_000  # it wakes up late
        return [], [], []


@pytest.mark.parametrize("busy", [0, 150_000, 20 * MS])
def test_the_last_part_of_a_wait_is_not_slept(monkeypatch, busy):
    clock = Clock(monkeypatch)
    assert START + 50 * MS <= wait_until(START + 50 * MS, 0, busy) < START + 50 * MS + (10_000 if busy else 70_000)
    assert len(clock.slept) == 1
    assert 0.049 - busy / 1e9 < clock.slept[0] <= 0.05 - busy / 1e9


def test_what_is_due_is_not_waited_for(monkeypatch):
    clock = Clock(monkeypatch)
    wait_until(START - MS, 0, 0)
    wait_until(START, 0, 0)
    assert clock.slept == []


def test_a_wait_of_days_is_slept_in_pieces(monkeypatch):
    clock = Clock(monkeypatch)
    wait_until(START + 3 * 86_400 * 1_000_000_000, 0, 150_000)
    assert max(clock.slept) <= 3600
    assert sum(clock.slept) == pytest.approx(3 * 86_400, abs=1)


# ---- lateness ----


@pytest.mark.parametrize("values", ["constant", "line", "powers", "long tail", "small"])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.9, 0.99, 1])
def test_quantiles_are_right_to_a_sixteenth(values, part):
    dice = random.Random(1)
    late = {
        "constant": [123_456] * 100, "line": list(range(1, 20_000, 7)), "powers": [1 << i for i in range(50)],
        "long tail": [round(dice.lognormvariate(10, 3)) + 16 for _ in range(5000)], "small": list(range(17)) * 10,
    }[values]  # fmt: skip
    lateness = Lateness()
    lateness.add(array("q", late))
    exact = sorted(late)[max(0, -(-len(late) * part // 1).__int__() - 1)]
    got = lateness.quantile(part)
    assert exact <= got <= max(1, exact * 17 / 16), (exact, got)  # "99 % up to" it: never short of that
    assert (lateness.count, lateness.worst) == (len(late), max(late))


def test_a_rank_is_no_more_than_it_has_to_be():
    """99.9 / 100 is more than 0.999 in binary, and of a thousand the 999th is asked for."""
    delays = Histogram()
    delays.add(array("q", [1000] * 999 + [1_000_000_000]))
    assert delays.quantile(99.9 / 100) == delays.quantile(0.999) < 1100
    assert delays.quantile(0.9991) < delays.quantile(1) == 1_000_000_000


@pytest.mark.parametrize(("part", "exact"), [(0.25, -1000), (0.5, -999), (0.75, 0), (1, 1000)])
def test_quantiles_of_what_is_below_zero(part, exact):
    """The nearest rank, and up to a sixteenth of it nearer to zero."""
    delays = Histogram()
    delays.add(array("q", [1000, -1000, 0, -999]))
    assert exact <= delays.quantile(part) <= max(1, exact + abs(exact) / 16)


def test_lateness_without_packets():
    assert Lateness().quantile(0.5) == 0


def test_very_late_packets_are_counted():
    lateness = Lateness()
    lateness.add(array("q", [1 << 62, 0]))
    assert lateness.worst == 1 << 62
    assert "late by " in str(lateness)


def test_lateness_in_words():
    lateness = Lateness()
    lateness.add(array("q", [1_000, 2_000_000, 30_000_000]))
    assert str(lateness).endswith("30.0 ms (worst)")
    assert " us (median), " in str(lateness)


def test_just_before_with_a_time_that_goes_back_is_not_late():
    """It is due at once, counted from the packet before, and so is not early either."""
    assert deadlines(Pace(after_previous=True), [1000, 1050, 1040, 1060], late=3) == [0, 53, 56, 79]


class Paced(Sender):
    """A sender to nowhere, whose packets all go at once."""

    def __init__(self, pace: Pace) -> None:
        super().__init__("nowhere", 1, pace)

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        return count, sum(batch.columns()[CAPTURED::COLUMNS][first : first + count]), 0


@pytest.mark.parametrize("pace", [{"pps": 1e6}, {}, {"after_previous": True}], ids=str)
@pytest.mark.parametrize("sizes", [(1,), (4,), (1, 3), (40, 1)])
def test_the_first_packet_is_never_late(pace, sizes):
    """The others' times count from it: of n packets, n - 1 can be late, however they come."""
    sender, number = Paced(Pace(**pace)), 0
    for size in sizes:
        sender.write(gathered([Packet(bytes(60), 60, (number + i) * 1000, 1) for i in range(size)]))
        number += size
    assert (sender.sent, sender.lateness.count) == (number, number - 1)
    [said] = sender.close()
    assert said.startswith(f"nowhere: {number} attempted = {number} sent + 0 failed; {60 * number} bytes in ")


@pytest.mark.parametrize(("originals", "cut"), [((60, 60), 0), ((61, 60), 1), ((0, 59), 0), ((0, 61), 1), ((1500, 1500), 2)])
def test_what_is_counted_as_cut_short(originals, cut):
    """Less than there was on the wire; SIZE may also say that there was less than was captured, or nothing."""
    sender = Paced(Pace(pps=1e6))
    sender.write(gathered([Packet(bytes(60), original, 0, 1) for original in originals]))
    assert sender.cut == cut
    assert ("truncated" in sender.close()[0]) == bool(cut)
