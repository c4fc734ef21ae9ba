"""Records of pcap files (draft-ietf-opsawg-pcap); twin of ../c/pcap.c."""

from __future__ import annotations

import struct
from array import array

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, MAX_FRAME, OFFSET, ORIGINAL, TIME
from ...errors import ANOTHER_CAPTURE, HEADER_CUT, RECORD_CUT, RECORD_TOO_LONG
from .. import IN_ORDER, IN_ORDER_OR_SWAPPED, SWAPPED
from .rows import checked

BEGINNING = 16  # bytes that tell the beginning of a capture from anything else
RECORD = 16  # bytes in front of those of a packet, as we write them
MAGICS = {magic.to_bytes(4, order): order for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34) for order in ("big", "little")}
PCAPNG, ORDER_MAGICS = b"\n\r\r\n", (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
QUARTER, DAY, ACCURACY = 900, 86400, 9


def begins_pcap(head: bytes) -> bool:
    """Whether BEGINNING bytes are those of a pcap file.

    A record has seconds, fraction and lengths in their place: it would be one of the second 0xA1B2C3D4 (in 2055) or a like
    one, without any bytes, of a packet of at most 9. Versions are the reader's matter.
    """
    order = MAGICS.get(head[:4])
    if order is None:
        return False
    zone: int
    accuracy: int
    zone, accuracy = struct.unpack_from(">iI" if order == "big" else "<iI", head, 8)
    return zone % QUARTER == 0 and -DAY <= zone <= DAY and accuracy <= ACCURACY


def _begins_capture(head: bytes) -> bool:
    """Whether BEGINNING bytes are those of a capture in any format."""
    return begins_pcap(head) or (head[:4] == PCAPNG and head[8:12] in ORDER_MAGICS)


def pcap_decode(buffer: bytearray, start: int, stop: int, final: bool, big_endian: bool, nano: bool, header: int, lengths: int,
                linktype: int) -> tuple[int, bytearray, tuple[int, int, int] | None]:  # fmt: skip
    """Reads the complete records in buffer[start:stop].

    final: nothing comes behind; a rest is then an error. header: bytes of a record's header, 16, or 24 in Kuznetzov's
    variant. lengths: IN_ORDER, SWAPPED, or IN_ORDER_OR_SWAPPED: so where more is captured than there was. Returns where it
    stopped, the rows (offsets into `buffer`), and an error: kind, bytes there, bytes wanted; ANOTHER_CAPTURE where the header
    of another file stands.
    """
    if not 16 <= header <= 64 or not IN_ORDER <= lengths <= SWAPPED:
        raise ValueError("record header or order of lengths out of range")
    if not 0 <= start <= stop <= len(buffer):
        raise ValueError("range lies outside of the buffer")
    unpack = struct.Struct(">IIII" if big_endian else "<IIII").unpack_from
    unit = 1 if nano else 1000
    rows = array("q")
    error = None
    at = start
    while at < stop:
        if stop - at >= BEGINNING and _begins_capture(bytes(buffer[at : at + BEGINNING])):
            error = (ANOTHER_CAPTURE, 0, 0)
            break
        if stop - at < header:
            if final:
                error = (HEADER_CUT, stop - at, header)
            break
        seconds, fraction, captured, original = unpack(buffer, at)
        if lengths == SWAPPED or (lengths == IN_ORDER_OR_SWAPPED and captured > original):
            captured, original = original, captured
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


def pcap_encode(data: bytearray, rows: bytes, first: int, big_endian: bool, nano: bool) -> tuple[bytes | memoryview, int, int]:
    """Writes records from row `first` on, up to another link type, a packet that pcap cannot hold, or some megabytes.

    Returns the records, the row it stopped before, and how many times lost digits below a microsecond. Records that stand in
    `data` already, one behind the other, are not made anew: what is given then shows them there.
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
    start = values[first * COLUMNS + OFFSET] - RECORD if stop > first else -1
    standing = memoryview(data)[max(start, 0) :][: len(out)]
    return (standing if start >= 0 and standing == out else bytes(out)), stop, lost
