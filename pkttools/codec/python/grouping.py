"""Rows of packets that belong together, in groups; packets of many batches in one place; twin of ../c/grouping.c."""

from __future__ import annotations

from itertools import groupby
from struct import pack

from ...batch import CAPTURED, COLUMNS, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES
from .order import key_of, record_of, standing, told
from .pcap import RECORD
from .rows import checked


def group_rows(rows: bytes, numbers: bytes) -> tuple[bytearray, bytearray]:
    """The rows in the order of their numbers, 8 bytes each; those of the same number in the order in which they are.

    With them, of each number that there is: the number, and how many rows have it, in this order, 8 bytes each.
    """
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    count = len(rows) // ROW_BYTES
    if len(numbers) != 8 * count:
        raise ValueError("not one number a packet")
    of = memoryview(numbers).cast("B").cast("q").tolist()
    order = sorted(range(count), key=of.__getitem__)
    groups = bytearray()
    for number, members in groupby(order, key=of.__getitem__):
        groups += pack("=2q", number, sum(1 for _ in members))
    packed = memoryview(rows).cast("B")
    return bytearray().join(packed[i * ROW_BYTES : (i + 1) * ROW_BYTES] for i in order), groups


def gather_rows(
    data: bytearray, rows: bytes, first: int, room: bytearray, used: int, keyed: bool = False
) -> tuple[int, int, bytearray]:
    """Copies packets from row `first` on into `room`, of which `used` bytes are used: as many as it holds, each with its lines.

    keyed: with its key behind these, too; see order.py. In front of each is a record of pcap: that which was in front of it, if
    there was one by its lengths, or another.

    Returns the row it stopped before, the bytes that are used, and rows of the copies.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not (0 <= first <= count and 0 <= used <= len(room)):
        raise ValueError("first packet, or room, out of range")
    out, stop = bytearray(), first
    while stop < count:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        packed = (standing(data, row) or record_of(row)) + bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
        behind = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]) + (told(key_of(data, row)) if keyed else b"")
        if len(room) - used < len(packed) + len(behind):
            break
        row[OFFSET], row[NOTES] = used + RECORD, used + len(packed)
        used, end = used + len(packed) + len(behind), used
        room[end:used] = packed + behind
        out += pack(f"={COLUMNS}q", *row)
        stop += 1
    return stop, used, out
