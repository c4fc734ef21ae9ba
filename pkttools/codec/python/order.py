"""Packets in another order, by time or by keys; twin of ../c/order.c.

A key is a packet's by standing behind its notes: 32 bits that say its size, and so many octets.
"""

from __future__ import annotations

import struct
from array import array
from struct import iter_unpack

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, linktype_of
from ...protocols.fields import TABLE
from .columns import CAPTURED_OF, FRAME_OF, LINK_OF, MOST, NOTE_OF, NUMBER_OF, ORIGINAL_OF, TIME_OF, UTC_OF, chosen, found_of
from .pcap import RECORD
from .rows import checked, without_fcs

HEAD = struct.Struct("=I")
USUAL = struct.Struct("<IIII")  # a record of pcap, in microseconds
SIGN = 1 << 63


def key_of(data: bytearray, row: list[int]) -> bytes:
    """The key of a packet; empty where it is not wholly there."""
    at = row[NOTES] + row[NOTES_SIZE]
    if len(data) - at < HEAD.size:
        return b""
    (size,) = HEAD.unpack_from(data, at)
    at += HEAD.size
    return bytes(data[at : at + size]) if size <= len(data) - at else b""


def told(key: bytes) -> bytes:
    """A key as it stands behind a packet."""
    return HEAD.pack(len(key)) + key


def sort_rows(data: bytearray, rows: bytearray, keyed: bool) -> bool:
    """Sorts rows where they are, by TIME or by keys; equal ones stay as they were. Gives whether they were in order."""
    values = checked(data, bytes(rows))
    lines = [values[i : i + COLUMNS] for i in range(0, len(values), COLUMNS)]
    keys = [key_of(data, row) for row in lines] if keyed else [row[TIME] for row in lines]
    order = sorted(range(len(lines)), key=keys.__getitem__)
    with memoryview(rows) as view, view.cast("q") as columns:
        for to, came in enumerate(order):
            columns[to * COLUMNS : (to + 1) * COLUMNS] = array("q", lines[came])
    return order == list(range(len(lines)))


def standing(data: bytearray, row: list[int]) -> bytes:
    """What stands in front of a packet, if that is a record of a capture by its lengths; else nothing."""
    before = bytes(data[max(0, row[OFFSET] - RECORD) : row[OFFSET]])
    lengths = row[CAPTURED], row[ORIGINAL]
    return before if len(before) == RECORD and lengths in (struct.unpack("<8xII", before), struct.unpack(">8xII", before)) else b""


def record_of(row: list[int]) -> bytes:
    """A record of pcap for a packet, whether one can say its time or not."""
    seconds, rest = divmod(abs(row[TIME]), 1_000_000_000)
    sign = 1 if row[TIME] > 0 else -1
    words = sign * seconds, sign * (rest // 1000), row[CAPTURED], row[ORIGINAL]
    return USUAL.pack(*(word & 0xFFFFFFFF for word in words))


def key_rows(data: bytearray, rows: bytes, first: int, number: int, columns: bytes) -> tuple[bytearray, bytearray, int]:
    """Copies packets from row `first` on, some megabytes, each with its key: octets that compare as its values do.

    number: what the first one is counted as. columns: three integers each, the first one decides first: what it is and which
    occurrence, as columns_encode has them; and whether the largest come first. What is not there comes last. Returns the packets,
    their rows, and the row it stopped before.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count:
        raise ValueError("first packet out of range")
    asked = list(iter_unpack("=3q", columns)) if len(columns) % 24 == 0 else [(NOTE_OF - 1, 0, 0)]
    if len(asked) >= MOST or any(not NOTE_OF <= what < len(TABLE) for what, _, _ in asked):
        raise ValueError("columns are not sound")
    out, made, stop = bytearray(), array("q"), first
    while stop < count and len(out) < MAX_BATCH:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        key = b"".join(keys_of(data, row, number + stop - first, asked))
        out += standing(data, row)
        at = len(out)
        out += data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]
        notes = len(out)
        out += data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]] + told(key)
        made.extend((at, row[CAPTURED], row[ORIGINAL], row[TIME], row[LINKTYPE], notes, row[NOTES_SIZE]))
        stop += 1
    return out, bytearray(made.tobytes()), stop


def keys_of(data: bytearray, row: list[int], number: int, columns: list[tuple[int, int, int]]) -> list[bytes]:
    """What each column puts into the key of a packet."""
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    bare = without_fcs(list(row))
    notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
    found = found_of(frame[: bare[CAPTURED]], bare[LINKTYPE], notes, {what for what, _, _ in columns})
    facts = {
        NUMBER_OF: number,
        TIME_OF: row[TIME],
        UTC_OF: row[TIME],
        CAPTURED_OF: row[CAPTURED],
        ORIGINAL_OF: row[ORIGINAL],
        LINK_OF: linktype_of(row[LINKTYPE]),
    }
    keys = []
    for what, occurrence, backwards in columns:
        if what == FRAME_OF:
            key = octets_key(frame)
        elif what in facts:
            key = number_key((facts[what] + SIGN) % (2 * SIGN))
        else:
            first = chosen(found[what], occurrence)[:1]
            if not first:
                keys.append(b"\1")
                continue
            value = first[0][1]
            key = octets_key(value) if isinstance(value, bytes) else number_key(value)
        keys.append(b"\0" + (bytes(c ^ 0xFF for c in key) if backwards else key))
    return keys


def number_key(value: int) -> bytes:
    """Octets that compare as the number does: how many it has, then they."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def octets_key(value: bytes) -> bytes:
    """Octets that compare as others do, and end where none of them can go on."""
    return value.replace(b"\0", b"\0\1") + b"\0\0"
