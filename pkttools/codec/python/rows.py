"""Rows of a batch as integers, checked."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, ROW_BYTES, fcs_of, linktype_of


def checked(data: bytearray, rows: bytes) -> list[int]:
    """All columns of all rows in one list. Raises ValueError when a packet lies outside of its data."""
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    values = memoryview(rows).cast("B").cast("q").tolist()
    size = len(data)
    for i in range(0, len(values), COLUMNS):
        offset, captured, notes, notes_size = values[i + OFFSET], values[i + CAPTURED], values[i + NOTES], values[i + NOTES_SIZE]
        if (offset < 0 or not 0 <= captured <= MAX_FRAME or offset + captured > size or notes < 0 or notes_size < 0
                or notes + notes_size > size):  # fmt: skip
            raise ValueError(f"packet {i // COLUMNS} lies outside of its batch")
    return values


def without_fcs(values: list[int]) -> list[int]:
    """The same list, the packets in it without their frame check sequences, which end what was on the wire."""
    for i in range(0, len(values), COLUMNS):
        if (fcs := fcs_of(values[i + LINKTYPE])) is not None:
            wire = max(0, max(values[i + CAPTURED], values[i + ORIGINAL]) - fcs)
            values[i + CAPTURED], values[i + ORIGINAL] = min(values[i + CAPTURED], wire), min(values[i + ORIGINAL], wire)
            values[i + LINKTYPE] = linktype_of(values[i + LINKTYPE])
    return values
