"""Rows of a batch as integers, checked."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, MAX_FRAME, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES


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
