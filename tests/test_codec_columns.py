"""A column of values, written into all packets of a batch: on both codecs."""

from __future__ import annotations

import random
from array import array
from types import ModuleType

import pytest
from conftest import BACKENDS, load
from samples import batch

FRAMES = [bytes(range(20)), b"\xff" * 20, bytes(20), b"\xa5" * 6]


def written(codec: ModuleType, first: int, step: int, bit: int, width: int, values: list[int]) -> tuple[int, list[bytes]]:
    """What `spread` gives, and the frames behind it."""
    made = batch([(1, frame) for frame in FRAMES])
    unplaced = codec.spread(made.data, made.rows, first, step, bit, width, array("Q", values))
    return unplaced, [bytes(made.frame(i)) for i in range(len(FRAMES))]


@pytest.mark.parametrize(("bit", "width", "value", "hexed"), [
    (0, 8, 0x12, "12"), (4, 8, 0xAB, "0ab1"), (0, 16, 0x1234, "1234"), (3, 1, 1, "10"),
    (0, 64, 0x0102030405060708, "0102030405060708"),
    (1, 64, (1 << 64) - 1, "7fffffffffffffff88"), (8, 48, 0x020000000001, "00020000000001"), (0, 0, 5, "00"), (0, 4, 0x1F, "f0"),
])  # fmt: skip
def test_bits_of_any_width_anywhere(codec: ModuleType, bit: int, width: int, value: int, hexed: str) -> None:
    _, frames = written(codec, 0, len(FRAMES), bit, width, [value] * 4)
    new = bytes.fromhex(hexed)
    assert frames[0] == new + FRAMES[0][len(new) :]
    assert frames[1:] == FRAMES[1:]


def test_every_packet_has_its_own_value(codec: ModuleType) -> None:
    assert [frame[0] for frame in written(codec, 0, 1, 0, 8, [1, 2, 3, 4])[1]] == [1, 2, 3, 4]
    assert [frame[0] for frame in written(codec, 1, 2, 0, 8, [1, 2, 3, 4])[1]] == [0, 2, 0, 4]
    assert written(codec, 9, 1, 0, 8, [1, 2, 3, 4]) == (0, FRAMES)
    assert [frame[0] for frame in written(codec, 2, (1 << 63) - 1, 0, 8, [1, 2, 3, 4])[1]] == [0, 0xFF, 3, 0xA5]


def test_what_is_too_short_stays_as_it_is(codec: ModuleType) -> None:
    unplaced, frames = written(codec, 0, 1, 41, 8, [0] * 4)
    assert unplaced == 1
    assert frames[3] == FRAMES[3]
    assert written(codec, 0, 1, 8 * 262144, 64, [0] * 4) == (4, FRAMES)
    assert written(codec, 0, 1, 40, 8, [0] * 4)[0] == 0


@pytest.mark.parametrize(("first", "step", "bit", "width", "values"), [
    (-1, 1, 0, 8, 4), (0, 0, 0, 8, 4), (0, -1, 0, 8, 4), (0, 1, -1, 8, 4), (0, 1, 8 * 262144 + 1, 8, 4), (0, 1, 0, 65, 4),
    (0, 1, 0, -1, 4), (0, 1, 0, 8, 3), (0, 1, 0, 8, 5),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(codec: ModuleType, first: int, step: int, bit: int, width: int, values: int) -> None:
    with pytest.raises(ValueError, match=r"out of range|not one a packet"):
        written(codec, first, step, bit, width, [0] * values)


def test_rows_outside_of_their_batch_are_refused(codec: ModuleType) -> None:
    made = batch([(1, FRAMES[0])])
    with pytest.raises(ValueError, match="lies outside"):
        codec.spread(made.data[:-1], made.rows, 0, 1, 0, 8, array("Q", [0]))
    with pytest.raises(ValueError, match="not whole"):
        codec.spread(made.data, made.rows[:-1], 0, 1, 0, 8, array("Q", [0]))


def test_both_codecs_write_the_same() -> None:
    chance = random.Random(5)
    for _ in range(300):
        bit, width = chance.randrange(200), chance.randrange(65)
        call = chance.randrange(4), chance.randrange(1, 5), bit, width, [chance.getrandbits(64) for _ in FRAMES]
        assert written(load(BACKENDS[0]), *call) == written(load(BACKENDS[1]), *call), call


@pytest.mark.parametrize("wanted", ["", "1", "0", "0000", "1111", "0110", "1001", "1010", "0101", "1101", "0213"])
def test_only_some_packets(codec: ModuleType, wanted: str) -> None:
    """Those whose outcome passes: here 1 and 3."""
    made = batch([(1, bytes([i])) for i in range(len(wanted))])
    passes = bytes(outcome in (1, 3) for outcome in range(256))
    rows = codec.pick(made.rows, bytes(map(int, wanted)), passes)
    assert [made.data[row] for row in array("Q", bytes(rows))[::7]] == [i for i, c in enumerate(wanted) if c in "13"]


@pytest.mark.parametrize("sizes", [(57, 1, 256), (56, 2, 256), (0, 1, 256), (56, 1, 255)])
def test_outcomes_of_other_packets(codec: ModuleType, sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="outcomes are not one a packet, or passes not 256"):
        codec.pick(*map(bytes, sizes))
