"""Rows in groups by a number, and packets of many batches in one place: both codecs."""

from __future__ import annotations

import random
from array import array
from itertools import chain, groupby

import pytest

from pkttools.batch import ROW_BYTES, Batch, Packet, gathered

NUMBERS = (-(1 << 63), -1, 0, 3, 255, 256, 70_000, 1 << 40, (1 << 63) - 1)


def any_batch(count: int) -> Batch:
    dice = random.Random(count)
    return gathered(Packet(dice.randbytes(dice.randrange(40)), 60, i, 1, b"NOTE: x\n" * dice.randrange(3)) for i in range(count))


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize("choices", [NUMBERS, NUMBERS[3:4], range(400)], ids=["far", "one", "many"])
def test_groups_are_in_order_and_stable(codec, count, choices):
    dice = random.Random(count)
    rows = array("q", range(7 * count)).tobytes()
    numbers = array("q", (dice.choice(choices) for _ in range(count)))
    grouped, groups = codec.group_rows(rows, numbers.tobytes())
    order = sorted(range(count), key=numbers.__getitem__)
    assert bytes(grouped) == b"".join(rows[i * ROW_BYTES : (i + 1) * ROW_BYTES] for i in order)
    counted = [(number, len([*of])) for number, of in groupby(sorted(numbers))]
    assert array("q", bytes(groups)).tolist() == [*chain(*counted)]


def test_wrong_rows_and_numbers(codec):
    with pytest.raises(ValueError, match="not whole packets"):
        codec.group_rows(bytes(55), bytes(8))
    for size in (0, 7, 16):
        with pytest.raises(ValueError, match="one number a packet"):
            codec.group_rows(bytes(56), bytes(size))


def test_packets_are_gathered_while_there_is_room(codec):
    """Bytes and lines stay, whatever stood around them."""
    batch, room, used, rows, rounds = any_batch(300), bytearray(2000), 5, bytearray(), 0
    stop = 0
    while stop < len(batch):
        first, found = stop, bytearray()
        stop, used, found = codec.gather_rows(batch.data, batch.rows, first, room, used)
        gathered_again = Batch(bytearray(room[:used]), found)
        assert stop > first and len(gathered_again) == stop - first
        for i in range(stop - first):
            one, other = gathered_again.packet(i), batch.packet(first + i)
            assert (one.frame, one.notes, one.time, one.original) == (other.frame, other.notes, other.time, other.original)
        rows, used, rounds = rows + found, 0, rounds + 1
    assert rounds > 3 and len(rows) == len(batch.rows)


def test_nothing_is_gathered_without_room(codec):
    batch = gathered([Packet(bytes(10), 10, 0, 1, b"NOTE: x\n")])
    assert codec.gather_rows(batch.data, batch.rows, 0, bytearray(33), 0) == (0, 0, bytearray())
    assert codec.gather_rows(batch.data, batch.rows, 1, bytearray(), 0) == (1, 0, bytearray())
    assert codec.gather_rows(batch.data, batch.rows, 0, bytearray(34), 0)[:2] == (1, 34)
    for first, used in ((2, 0), (-1, 0), (0, -1), (0, 31)):
        with pytest.raises(ValueError, match="out of range"):
            codec.gather_rows(batch.data, batch.rows, first, bytearray(30), used)
    with pytest.raises(ValueError, match="outside of its batch"):
        codec.gather_rows(batch.data[:9], batch.rows, 0, bytearray(30), 0)


def test_both_gather_alike(both):
    batch, rooms = any_batch(500), (bytearray(9000), bytearray(9000))
    found = [of.gather_rows(batch.data, bytes(batch.rows), 3, room, 9) for of, room in zip(both, rooms, strict=True)]
    assert found[0] == found[1] and rooms[0] == rooms[1]
