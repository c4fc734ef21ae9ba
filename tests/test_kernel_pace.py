"""When packets are due, and the loop that sends each at its time: the C functions and their twins."""

from __future__ import annotations

import errno
import os
import random
import socket
import threading
import time
from array import array
from itertools import pairwise
from types import ModuleType

import pytest
from test_kernel_burst import TOO_LONG, arrived, batch, numbered
from test_kernel_burst import wire as _wire

import pkttools.kernel.python as python_kernel
from pkttools.batch import Packet, gathered

wire = _wire

MS = 1_000_000
FAR = (1 << 63) - 1
RULES = (1.0, 0.0, 0.0, False, False, 0)
BUSY = 20_000


def state(start: int = 0, first: int = 0) -> bytearray:
    """A pace that begins."""
    return bytearray(array("q", [start, first, 0, 0, 0, first, start]).tobytes())


def due(kernel: ModuleType, stamps: list[int], rules: tuple, start: int = 0, first: int = 0) -> list[int]:
    rows = gathered(Packet(bytes(125), 125, stamp, 1) for stamp in stamps).rows
    return array("q", bytes(kernel.deadlines(rows, 0, len(stamps), rules, state(start, first)))).tolist()


@pytest.mark.parametrize(("rules", "times"), [
    (RULES, [7, 17, 17, 37]),
    ((2.0, 0.0, 0.0, False, False, 0), [7, 12, 12, 22]), ((1.0, 1e9, 0.0, False, False, 0), [7, 8, 9, 10]),
    ((1.0, 4e8, 0.0, False, False, 0), [7, 9, 12, 15]),  # 2.5 is 2, 7.5 is 8: as Python rounds
    ((1.0, 0.0, 1e6, False, False, 0), [7, 8, 9, 10]), ((1.0, 0.0, 0.0, True, False, 3), [7, 10, 13, 16]),
    ((1.0, 0.0, 0.0, False, True, 0), [0, 10, 0, 25]), ((1.0, 1e9, 0.0, False, True, 2), [0, 3, 3, 3]),
    ((1e-300, 0.0, 0.0, False, False, 0), [7, FAR, FAR, FAR]), ((1.0, 1e-300, 0.0, False, False, 0), [7, FAR, FAR, FAR]),
    ((1.0, 0.0, 0.0, True, False, FAR), [7, FAR, FAR, FAR]),
])  # fmt: skip
def test_deadlines(kernel, rules, times):
    """Of packets with the times 100, 110, 105 (which goes back) and 130, of a round that begins at 7."""
    assert due(kernel, [100, 110, 105, 130], rules, 7, 100) == times


@pytest.mark.parametrize(("stamps", "first", "times"), [([FAR], -FAR - 1, [FAR]), ([-FAR - 1, 5], FAR, [0, 0])])
def test_times_as_far_apart_as_they_can_be(kernel, stamps, first, times):
    assert due(kernel, stamps, RULES, 0, first) == times


@pytest.mark.parametrize(("words", "said"), [
    ((bytes(57), 0, 1, RULES, state()), "rows are not whole packets"),
    ((bytes(56), 0, 2, RULES, state()), "first packet or count out of range"),
    ((bytes(56), -1, 1, RULES, state()), "first packet or count out of range"),
    ((bytes(56), 0, 1, RULES, bytearray(48)), "no such pace"),
    ((bytes(56), 0, 1, (0.0, *RULES[1:]), state()), "no such pace"), ((bytes(56), 0, 1, (*RULES[:5], -1), state()), "no such pace"),
    ((bytes(56), 0, 1, (1.0, -1.0, *RULES[2:]), state()), "no such pace"),
    ((array("q", [0, -1, 0, 0, 0, 0, 0]).tobytes(), 0, 1, RULES, state()), "packet 0 lies outside of its batch"),
    ((bytes(56) + array("q", [0, FAR, 0, 0, 0, 0, 0]).tobytes(), 1, 1, RULES, state()), "packet 1 lies outside of its batch"),
])  # fmt: skip
def test_no_such_pace(kernel, words, said):
    with pytest.raises(ValueError, match=said):
        kernel.deadlines(*words)


def test_backends_have_the_same_deadlines():
    c_kernel = pytest.importorskip("pkttools.kernel._c", reason="the C functions were not built")
    dice = random.Random(5)
    for _ in range(400):
        kind = dice.randrange(4)
        rate = 10 ** dice.uniform(-7, 10)
        rules = (10 ** dice.uniform(-6, 6), rate if kind == 1 else 0.0, rate if kind == 2 else 0.0, kind == 3, dice.random() < 0.4,
                 dice.choice([0, 1000, dice.getrandbits(60)]))  # fmt: skip
        stamps = [dice.choice([10**18, -(10**18), FAR, 10**9]) + dice.randrange(10**9) * dice.choice([0, 1]) for _ in range(20)]
        rows = gathered(Packet(bytes(dice.randrange(99)), 0, min(stamp, FAR), 1) for stamp in stamps).rows
        begun = dice.randrange(10**15)
        states = [state(begun, min(stamps[0], FAR)) for _ in range(2)]
        for first, count in ((0, 7), (7, 13)):
            found = [
                each.deadlines(rows, first, count, rules, s) for each, s in zip((c_kernel, python_kernel), states, strict=True)
            ]
            assert (found[0], states[0]) == (found[1], states[1]), rules


# ---- the loop ----


def send(kernel: ModuleType, fd: int, frames: list[bytes], times: list[int], *, first: int = 0, wake: int = -1, busy: int = BUSY,
         previous: int = -1) -> tuple[int, int, int, list[int], int]:  # fmt: skip
    b = batch(frames)
    fds, due = array("i", [fd]), array("q", times)
    sent, went, error, late, last = kernel.send_paced(fds, b"", wake, busy, b.data, b.rows, first, due, previous)
    assert array("q", bytes(went))[0] == sent
    return sent, array("q", bytes(went))[1], error, array("q", bytes(late)).tolist(), last


def all_sent(kernel: ModuleType, fd: int, frames: list[bytes], times: list[int], **words: int) -> list[int]:
    """Sends in as many calls as it takes; gives how late each was."""
    done, late = 0, []
    while done < len(frames):
        sent, size, error, more, _ = send(kernel, fd, frames, times[done:], first=done, **words)
        assert (error, size, len(more)) == (0, sum(map(len, frames[done : done + sent])), sent)
        assert sent > 0
        done, late = done + sent, late + more
    return late


@pytest.mark.parametrize("busy", [0, BUSY, 10 * MS])
def test_each_is_sent_at_its_time(kernel, wire, busy):
    sender, receiver = wire
    frames, begun = numbered(40), time.monotonic_ns()
    times = [begun + i // 2 * MS for i in range(40)]
    late = all_sent(kernel, sender.fileno(), frames, times, busy=busy)
    assert time.monotonic_ns() >= times[-1]
    assert min(late) >= 0
    assert arrived(receiver) == frames


def test_what_is_late_goes_together(kernel, wire):
    sender, receiver = wire
    frames, begun = numbered(100), time.monotonic_ns()
    late = all_sent(kernel, sender.fileno(), frames, [begun - 100 + i for i in range(100)])
    assert arrived(receiver) == frames
    assert late[0] - late[15] == 15  # after one look at the clock
    assert min(late) > 0


@pytest.mark.parametrize(("held", "gap", "apart"), [(1, 100_000, 10_000), (1, 10_000, 5_000), (100, 10_000, 0)])
def test_what_is_a_little_late_goes_one_by_one(kernel, wire, held, gap, apart):
    """Behind the one before at least half of the gap; who is very late makes up for it as fast as it goes."""
    sender, receiver = wire
    frames, begun = numbered(32), time.monotonic_ns()
    times = [begun - held * MS + i * gap for i in range(32)]
    late = all_sent(kernel, sender.fileno(), frames, times)
    went = [due + after for due, after in zip(times, late, strict=True)]
    shortest = sorted(after - before for before, after in pairwise(went))
    assert shortest[1] >= apart  # but where a slice is over
    assert apart or went[0] == went[15]
    assert arrived(receiver) == frames


def test_gaps(kernel, wire):
    """Each counts from when the one before was sent."""
    sender, receiver = wire
    begun = time.monotonic_ns()
    sent, _, error, late, last = send(kernel, sender.fileno(), numbered(3), [0, 5 * MS, 30 * MS], previous=begun)
    assert (sent, error) == (3, 0) or last >= begun + 20 * MS  # a slice may be over before the last
    assert last >= begun + sum([0, 5 * MS, 30 * MS][:sent])
    assert min(late) >= 0
    assert len(arrived(receiver)) == len(late) == sent
    assert send(kernel, sender.fileno(), [b"x"], [FAR], previous=FAR, wake=ready_pipe())[0] == 0


@pytest.mark.parametrize("gaps", [False, True])
def test_each_goes_by_its_socket(kernel, wire, gaps):
    """What goes nowhere is done when it is due, and keeps its place in time."""
    sender, receiver = wire
    frames, begun = numbered(60), time.monotonic_ns()
    ways, other = bytes([0, 1, 2, 2, 1] * 12), sender.dup()
    times = [MS // 10 if gaps else begun + i * MS // 10 for i in range(60)]
    b, done, totals, last = batch(frames), 0, [0] * 6, begun if gaps else -1
    fds = array("i", [sender.fileno(), other.fileno(), -1])
    while done < 60:
        due = array("q", times[done:])
        sent, went, error, late, last = kernel.send_paced(fds, ways[done:], -1, 0, b.data, b.rows, done, due, last)
        assert (error, len(late)) == (0, 8 * sent)
        assert min(array("q", bytes(late))) >= 0
        totals = [a + n for a, n in zip(totals, array("q", bytes(went)), strict=True)]
        done += sent
    other.close()
    sizes = [sum(len(frame) for frame, way in zip(frames, ways, strict=True) if way == by) for by in range(2)]
    assert totals == [12, sizes[0], 24, sizes[1], 24, 0]
    assert arrived(receiver) == [frame for frame, way in zip(frames, ways, strict=True) if way < 2]
    assert time.monotonic_ns() >= begun + 59 * MS // 10


def test_what_fails_by_one_of_them(kernel, wire):
    sender, receiver = wire
    frames, ways = numbered(9), bytes([0, 1] * 4 + [0])
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as unbound:
        b, fds = batch(frames), array("i", [sender.fileno(), unbound.fileno()])
        sent, went, error, late, _ = kernel.send_paced(fds, ways, -1, 0, b.data, b.rows, 0, array("q", [0] * 9), -1)
    assert (sent, error, len(late)) == (1, errno.ENXIO, 16)
    assert array("q", bytes(went)).tolist() == [1, len(frames[0]), 0, 0]
    assert arrived(receiver) == frames[:1]


def ready_pipe() -> int:
    """What can be read at once."""
    reading, writing = os.pipe()
    os.write(writing, b"x")
    return reading


def test_something_wakes_it(kernel, wire):
    sender, receiver = wire
    now, frames, wake = time.monotonic_ns(), numbered(3), ready_pipe()
    assert send(kernel, sender.fileno(), frames, [now, now, now + 3600_000 * MS], wake=wake)[:3] == (
        2,
        sum(map(len, frames[:2])),
        0,
    )
    assert send(kernel, sender.fileno(), frames, [FAR] * 3, wake=wake) == (0, 0, 0, [], -1)
    assert arrived(receiver) == frames[:2]
    os.close(wake)


def test_something_wakes_it_while_it_sleeps(kernel, wire):
    reading, writing = os.pipe()
    timer = threading.Timer(0.05, os.write, (writing, b"x"))
    timer.start()
    begun = time.monotonic()
    assert send(kernel, wire[0].fileno(), [b"x"], [time.monotonic_ns() + 3600_000 * MS], wake=reading)[0] == 0
    assert 0.04 < time.monotonic() - begun < 60
    timer.join()
    os.close(reading)
    os.close(writing)


def test_a_call_ends_when_its_slice_is_over(kernel, wire):
    """Behind what it has sent: else it would wait an hour for the next one."""
    now = time.monotonic_ns()
    assert send(kernel, wire[0].fileno(), numbered(3), [now, now + 30 * MS, now + 3600_000 * MS])[0] == 2


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("bad", [0, 1, 20, 39])
def test_it_stops_at_the_first_that_fails(kernel, wire, bad, gaps):
    """That one was tried, and as late as it was."""
    sender, receiver = wire
    frames, now = numbered(40), time.monotonic_ns()
    frames[bad] = TOO_LONG
    due, previous, sent, octets, tried, error = [0 if gaps else now] * 40, now, 0, 0, 0, 0
    while not error:  # on a busy machine a slice is over before
        more, size, error, late, previous = send(
            kernel, sender.fileno(), frames, due[sent:], first=sent, previous=previous if gaps else -1
        )
        assert more or error
        sent, octets, tried = sent + more, octets + size, tried + len(late)
    assert (sent, octets, error, tried) == (bad, sum(map(len, frames[:bad])), errno.EMSGSIZE, bad + 1)
    assert arrived(receiver) == frames[:bad]


@pytest.mark.parametrize(("change", "said"), [
    ({"fds": array("i", [-2])}, "descriptor or time out of range"), ({"fds": b""}, "descriptor or time out of range"),
    ({"fds": bytes(5)}, "descriptor or time out of range"), ({"fds": bytes(8)}, "descriptor or time out of range"),
    ({"ways": bytes(1)}, "descriptor or time out of range"), ({"ways": bytes([0, 1])}, "descriptor or time out of range"),
    ({"wake": -2}, "descriptor or time out of range"),
    ({"busy": -1}, "descriptor or time out of range"), ({"previous": -2}, "descriptor or time out of range"),
    ({"due": b""}, "times are not one a packet"), ({"due": bytes(7)}, "times are not one a packet"),
    ({"due": bytes(24)}, "first packet or count out of range"), ({"first": -1}, "first packet or count out of range"),
    ({"rows": bytes(9)}, "rows are not whole packets"), ({"data": bytes(3)}, "packet 1 lies outside of its batch"),
])  # fmt: skip
def test_wrong_numbers(kernel, wire, change, said):
    rows = array("q", [0, 3, 3, 0, 1, 0, 0, 3, 3, 3, 0, 1, 0, 0]).tobytes()
    words = {
        "fds": array("i", [wire[0].fileno()]),
        "ways": b"",
        "wake": -1,
        "busy": 0,
        "data": bytes(9),
        "rows": rows,
        "first": 0,
        "due": bytes(16),
        "previous": -1,
    }
    with pytest.raises(ValueError, match=said):
        kernel.send_paced(*{**words, **change}.values())
    assert arrived(wire[1]) == []
