"""Stamps in packets, the order they come in, and how late they are: both codecs."""

from __future__ import annotations

import random
import struct
from array import array
from types import ModuleType

import pytest

import pkttools.codec.python as python_codec
from pkttools.batch import Batch, Packet, gathered
from pkttools.codec import ABOVE, BELOW, JITTER, LAST, LEAST, STEPS, WORST
from pkttools.generator.stream import MAGIC

MARK = MAGIC.to_bytes(4, "big")
SECOND = 1_000_000_000
FAR = (1 << 63) - 1


@pytest.fixture(params=["c", "python"])
def codec(request: pytest.FixtureRequest) -> ModuleType:
    """Both backends, one after the other."""
    if request.param == "python":
        return python_codec
    return pytest.importorskip("pkttools.codec._c", reason="the C functions were not built")


def stamp(number: int, seconds: int = 0, micros: int = 0) -> bytes:
    return MARK + struct.pack(">III", number, seconds, micros)


def batch(*frames: bytes, time: int = 0) -> Batch:
    return gathered(Packet(frame, len(frame), time, 1, b"NOTE: x\n") for frame in frames)


def found(codec: ModuleType, b: Batch, at: int = 0) -> tuple[list[int], list[int], int]:
    numbers, delays, at = codec.read_stamps(b.data, b.rows, MAGIC, at)
    return array("I", bytes(numbers)).tolist(), array("q", bytes(delays)).tolist(), at


@pytest.mark.parametrize("guess", [0, 1, 42, 58, 1 << 40])
def test_a_stamp_is_found_wherever_it_stands(codec, guess):
    b = batch(bytes(42) + stamp(1), stamp(2), bytes(3) + MARK[:3] + stamp(3) + b"x", b"", bytes(90))
    assert found(codec, b, guess) == ([1, 2, 3], [0, 0, 0], 6)


def test_one_that_is_cut_off_is_none_and_the_first_one_counts(codec):
    whole = bytes(5) + stamp(7)
    assert found(codec, batch(whole[:-1], MARK[:2], whole + stamp(8), MARK[1:] + stamp(9))) == ([7, 9], [0, 0], 3)
    assert found(codec, batch(MARK + bytes(3) + MARK + bytes(4))) == ([], [], 0)  # the first mark has no room behind it


def test_what_lies_between_packets_is_no_part_of_them(codec):
    b = gathered([Packet(MARK[:2], 2, 0, 1, MARK[2:] + stamp(1)), Packet(b"", 0, 0, 1, stamp(2))])
    assert found(codec, b) == ([], [], 0)


@pytest.mark.parametrize(("time", "sent", "delay"), [
    (10 * SECOND, (10, 0), 0), (10 * SECOND + 5, (9, 999_999), 1005),
    (0, (4_294_967_295, 4_294_967_295), -4_294_967_295 * (SECOND + 1000)),
    (FAR, (0, 0), FAR), (-FAR - 1, (1, 0), -FAR - 1),
])  # fmt: skip
def test_delays(codec, time, sent, delay):
    assert found(codec, batch(stamp(1, *sent), time=time))[1] == [delay]


@pytest.mark.parametrize(("mark", "at"), [(-1, 0), (1 << 32, 0), (MAGIC, -1)])
def test_no_mark_or_place(codec, mark, at):
    with pytest.raises((ValueError, OverflowError)):
        codec.read_stamps(bytearray(20), bytearray(), mark, at)


def test_a_packet_outside_of_its_batch(codec):
    with pytest.raises(ValueError, match="packet 0 lies outside of its batch"):
        codec.read_stamps(bytearray(20), bytearray(array("q", [10, 11, 11, 0, 1, 0, 0]).tobytes()), MAGIC, 0)


def follow(codec: ModuleType, numbers: list[int], window: int = 8) -> tuple[list[int], bytes]:
    seen, state = bytearray(window), bytearray(48)
    for part in (numbers[:3], numbers[3:]):  # in two steps: it goes on where it was
        codec.follow_numbers(array("I", part), seen, state)
    return array("q", bytes(state)).tolist(), bytes(seen)


@pytest.mark.parametrize(("numbers", "state"), [
    ([], [0, 0, 0, 0, 0, 0]), ([5], [1, 0, 0, 0, 5, 5]), ([1, 2, 3], [3, 0, 0, 0, 1, 3]), ([3, 1, 2], [3, 2, 0, 0, 1, 3]),
    ([1, 1, 1], [1, 0, 2, 0, 1, 1]), ([1, 9, 1], [3, 1, 0, 1, 1, 9]), ([1, 8, 1], [2, 0, 1, 0, 1, 8]),
    ([(1 << 32) - 1, 0, 1], [3, 0, 0, 0, (1 << 32) - 1, (1 << 32) + 1]), ([0, (1 << 32) - 1], [2, 1, 0, 0, -1, 0]),
    ([5, 100, 99, 101, 99, 93, 92], [6, 3, 1, 2, 5, 101]),
])  # fmt: skip
def test_numbers_in_any_order(codec, numbers, state):
    assert follow(codec, numbers)[0] == state


@pytest.mark.parametrize("sizes", [(3, 8, 48), (4, 0, 48), (4, 8, 47), (4, 8, 56)])
def test_states_of_another_size(codec, sizes):
    numbers, seen, state = sizes
    with pytest.raises(ValueError, match="numbers, window or state of another size"):
        codec.follow_numbers(bytes(numbers), bytearray(seen), bytearray(state))


def test_durations(codec):
    state = bytearray(8 * (JITTER + 1))
    for some in ([], [5, -3], [1 << 62, 0, -FAR - 1, 1]):
        codec.count_durations(array("q", some), state)
    numbers = array("q", bytes(state))
    assert [numbers[i] for i in (ABOVE, BELOW, LEAST, WORST, LAST)] == [4, 2, -FAR - 1, 1 << 62, 1]
    assert sum(numbers[: 2 * STEPS]) == 6
    assert numbers[2 * STEPS - 1] == 1  # as long as there are any
    for wrong in ((bytes(7), state), (bytes(8), state[1:])):
        with pytest.raises(ValueError, match="durations or state of another size"):
            codec.count_durations(*wrong)


def test_backends_do_the_same():
    c_codec = pytest.importorskip("pkttools.codec._c", reason="the C functions were not built")
    dice = random.Random(3)
    ways: set[int] = set()
    for _ in range(300):
        at = dice.choice([0, 6, 42])
        frames = []
        for _ in range(dice.randrange(40)):
            frame = bytes(at if dice.random() < 0.9 else dice.randrange(60)) + stamp(*(dice.getrandbits(32) for _ in range(3)))
            frames.append(frame[: dice.choice([200] * 9 + [dice.randrange(60)])] if dice.random() < 0.9 else dice.randbytes(30))
        b = batch(*frames, time=dice.choice([0, FAR, -FAR - 1, dice.getrandbits(62)]))
        both = [each.read_stamps(b.data, b.rows, MAGIC, at) for each in (c_codec, python_codec)]
        assert both[0] == both[1]
        numbers = [dice.choice([0, 1 << 31, (1 << 32) - 20]) + dice.randrange(40) & 0xFFFFFFFF for _ in range(dice.randrange(60))]
        window = dice.choice([1, 7, 8, 64])
        states = [follow(each, numbers, window) for each in (c_codec, python_codec)]
        assert states[0] == states[1]
        ways.update(i for i, n in enumerate(states[0][0][:4]) if n)
        counted = []
        values = array("q", [dice.choice([-1, 1]) * dice.getrandbits(dice.randrange(64)) for _ in range(dice.randrange(50))])
        for each in (c_codec, python_codec):
            state = bytearray(8 * (JITTER + 1))
            each.count_durations(values, state)
            each.count_durations(values, state)
            counted.append(state)
        assert counted[0] == counted[1]
    assert ways == {0, 1, 2, 3}
