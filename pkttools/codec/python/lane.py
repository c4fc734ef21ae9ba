"""Packets as one of our commands hands them to the next: rows, then for each RECORD bytes, its own and its notes.

Twin of ../c/lane.c. What the RECORD bytes say means nothing; it saves a copy where it is what a pcap file has in front of a packet.
Where things lie follows from the sizes, and is not told: columns that say it, and the link type, are 0 on the way.
"""

from __future__ import annotations

import re
import struct
from array import array

from ...batch import (
    CAPTURED,
    COLUMNS,
    LINKTYPE,
    MAX_FRAME,
    MAX_LANE,
    MAX_SECONDS,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    ROW_BYTES,
    TIME,
    WIDTH,
)
from .pcap import RECORD
from .rows import checked

_NOTES = re.compile(rb"(?:(?:IFACE|WAY|NOTE|LOST):[^\n]*(?<!\r)\n)*")
_AROUND = 4  # the lines around data lines


def sayable(original: int, time: int, notes: bytes) -> bool:
    """Whether a packet is one that text can say, and its notes are lines as text has them."""
    return 0 <= original < 1 << 32 and 0 <= time < (MAX_SECONDS + 1) * 1_000_000_000 and bool(_NOTES.fullmatch(notes))


def lane_encode(data: bytearray, rows: bytes, first: int, out: bytearray, front: int) -> tuple[int, int, int]:
    """Puts packets from row `first` on into `out`, up to another link type, one that text cannot say, or MAX_LANE bytes.

    front: bytes that are left free in front of them. out: where they go; if it is `data` itself they stay where they are, and none
    goes where they do not lie one behind the other with room in front. Returns where it begins there, how many bytes it is with
    those left free, and the row it stopped before; no bytes where no packet goes.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count or not 0 <= front <= MAX_FRAME or len(out) < front + MAX_LANE:
        raise ValueError("first packet or room out of range")
    table, parts, size, stop, lie = array("q"), [], 0, first, []
    while stop < count:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        more = ROW_BYTES + RECORD + row[CAPTURED] + row[NOTES_SIZE]
        if row[LINKTYPE] != values[first * COLUMNS + LINKTYPE] or size + more > MAX_LANE:
            break
        notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
        if not sayable(row[ORIGINAL], row[TIME], notes):
            break
        table.extend((0, row[CAPTURED], row[ORIGINAL], row[TIME], 0, 0, row[NOTES_SIZE]))
        seconds, fraction = divmod(row[TIME], 1_000_000_000)
        record = struct.pack("<IIII", seconds & 0xFFFFFFFF, fraction // 1000, row[CAPTURED], row[ORIGINAL])
        parts += [record, bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]), notes]
        lie += [row[OFFSET] - RECORD, row[OFFSET], row[NOTES] if notes else row[OFFSET] + row[CAPTURED]]
        size += more
        stop += 1
    start = 0
    if out is data and stop > first:
        start, at = lie[0] - (stop - first) * ROW_BYTES - front, lie[0]
        for place, part in zip(lie, parts, strict=True):
            if place != at or start < 0:
                return 0, 0, first
            at += len(part)
        out[start + front : start + front + len(table) * 8] = table.tobytes()
    elif stop > first:
        out[front : front + size] = table.tobytes() + b"".join(parts)
    return start, front + size if stop > first else 0, stop


def lane_decode(data: bytearray, start: int, stop: int, rows: bytearray, linktype: int) -> tuple[int, int]:
    """Says in `rows`, as they were read, where the packets lie that were read into data[start:stop], and their link type.

    Returns how many are sound, up to the first that is not, and the lines that these would be as text.
    """
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    if not 0 <= start <= stop <= len(data):
        raise ValueError("range lies outside of the buffer")
    columns, at, lines = memoryview(rows).cast("q"), start, 0
    for i in range(0, len(columns), COLUMNS):
        if stop - at < RECORD:
            return i // COLUMNS, lines
        at += RECORD
        captured, original, time, notes_size = (columns[i + which] for which in (CAPTURED, ORIGINAL, TIME, NOTES_SIZE))
        if not 0 <= captured <= min(MAX_FRAME, stop - at) or not 0 <= notes_size <= stop - at - captured:
            return i // COLUMNS, lines
        notes = bytes(data[at + captured : at + captured + notes_size])
        if not sayable(original, time, notes):
            return i // COLUMNS, lines
        columns[i + OFFSET], columns[i + NOTES], columns[i + LINKTYPE] = at, at + captured, linktype
        at += captured + notes_size
        lines += _AROUND + (captured + WIDTH - 1) // WIDTH + notes.count(b"\n")
    return len(columns) // COLUMNS, lines
