"""Records of pcap files (draft-ietf-opsawg-pcap); twin of ../c/pcap.c."""

from __future__ import annotations

import struct
from array import array

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, MAX_FRAME, OFFSET, ORIGINAL, TIME
from ...errors import HEADER_CUT, RECORD_CUT, RECORD_TOO_LONG
from .rows import checked


def pcap_decode(buffer: bytearray, start: int, stop: int, final: bool, big_endian: bool, nano: bool, header: int,
                linktype: int) -> tuple[int, bytearray, tuple[int, int, int] | None]:  # fmt: skip
    """Reads the complete records in buffer[start:stop].

    final: nothing comes behind; a rest is then an error. header: bytes of a record's header, 16, or 24 in Kuznetzov's
    variant. Gives where it stopped, the rows (offsets into `buffer`), and an error: kind, bytes there, bytes wanted.
    """
    if not 16 <= header <= 64:
        raise ValueError("record header out of range")
    if not 0 <= start <= stop <= len(buffer):
        raise ValueError("range lies outside of the buffer")
    unpack = struct.Struct(">IIII" if big_endian else "<IIII").unpack_from
    unit = 1 if nano else 1000
    rows = array("q")
    error = None
    at = start
    while at < stop:
        if stop - at < header:
            if final:
                error = (HEADER_CUT, stop - at, header)
            break
        seconds, fraction, captured, original = unpack(buffer, at)
        if captured > MAX_FRAME:  # before any of it is waited for: a length is not to be trusted
            error = (RECORD_TOO_LONG, captured, MAX_FRAME)
            break
        have = stop - at - header
        if have < captured:
            if final:
                error = (RECORD_CUT, have, captured)
            break
        rows.extend((at + header, captured, original, seconds * 1_000_000_000 + fraction * unit, linktype, 0, 0))
        at += header + captured
    return at, bytearray(rows.tobytes()), error


def pcap_encode(data: bytearray, rows: bytes, first: int, big_endian: bool, nano: bool) -> tuple[bytes, int, int]:
    """Writes records from row `first` on, up to another link type, a packet that pcap cannot hold, or some megabytes.

    Gives the records, the row it stopped before, and how many times lost digits below a microsecond.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count:
        raise ValueError("first packet out of range")
    pack = struct.Struct(">IIII" if big_endian else "<IIII").pack
    out = bytearray()
    lost = 0
    stop = first
    while stop < count and len(out) < 2 * MAX_BATCH:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        time, captured, original = row[TIME], row[CAPTURED], row[ORIGINAL]
        if row[LINKTYPE] != values[first * COLUMNS + LINKTYPE] or not (0 <= time < 1 << 62 and 0 <= original < 1 << 32):
            break
        seconds, fraction = divmod(time, 1_000_000_000)
        if seconds >= 1 << 32:
            break
        if not nano:
            fraction, rest = divmod(fraction, 1000)
            lost += rest != 0
        out += pack(seconds, fraction, captured, original)
        out += memoryview(data)[row[OFFSET] : row[OFFSET] + captured]
        stop += 1
    return bytes(out), stop, lost
