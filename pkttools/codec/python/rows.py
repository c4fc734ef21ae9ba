"""Rows of a batch as integers, checked."""

from __future__ import annotations

from operator import add

from ...batch import (
    CAPTURED,
    COLUMNS,
    LINKTYPE,
    MAX_FRAME,
    MAX_LINKTYPE,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    ROW_BYTES,
    fcs_of,
    linktype_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    Buffer = bytes | bytearray | memoryview | array[int]


def checked(data: bytearray, rows: bytes) -> list[int]:
    """All columns of all rows in one list. Raises ValueError when a packet lies outside of its data."""
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    values = memoryview(rows).cast("B").cast("q").tolist()
    size = len(data)
    columns = [values[column::COLUMNS] for column in (OFFSET, CAPTURED, NOTES, NOTES_SIZE)]
    places, sizes, notes, notes_sizes = columns
    ends = *map(add, places, sizes), *map(add, notes, notes_sizes)
    if values and (min(map(min, columns)) < 0 or max(sizes) > MAX_FRAME or max(ends) > size):
        sound = (
            min(row) >= 0 and row[1] <= MAX_FRAME and row[0] + row[1] <= size and row[2] + row[3] <= size
            for row in zip(*columns, strict=True)
        )
        raise ValueError(f"packet {[*sound].index(False)} lies outside of its batch")
    return values


def numbering(number: int | Buffer, first: int, count: int) -> Sequence[int]:
    """What each packet of a batch is counted as. number: of packet `first`, from which they go on; or of each, 8 bytes each.

    Raises ValueError where these are not as many as there are packets.
    """
    if isinstance(number, int):
        return range(number - first, number - first + count)
    octets = memoryview(number).cast("B")
    if len(octets) != 8 * count:
        raise ValueError("not a number a packet")
    return octets.cast("q")


def without_fcs(values: list[int]) -> list[int]:
    """The same list, the packets in it without their frame check sequences, which end what was on the wire."""
    if max(values[LINKTYPE::COLUMNS], default=0) <= MAX_LINKTYPE:
        return values
    for i in range(0, len(values), COLUMNS):
        if (fcs := fcs_of(values[i + LINKTYPE])) is not None:
            wire = max(0, max(values[i + CAPTURED], values[i + ORIGINAL]) - fcs)
            values[i + CAPTURED], values[i + ORIGINAL] = min(values[i + CAPTURED], wire), min(values[i + ORIGINAL], wire)
            values[i + LINKTYPE] = linktype_of(values[i + LINKTYPE])
    return values
