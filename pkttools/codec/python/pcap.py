"""Records of pcap files (draft-ietf-opsawg-pcap); twin of ../c/pcap.c."""

from __future__ import annotations

import struct
from array import array

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, MAX_FRAME, OFFSET, ORIGINAL, TIME
from ...errors import ANOTHER_CAPTURE, HEADER_CUT, RECORD_CUT, RECORD_TOO_LONG
from .. import IN_ORDER, IN_ORDER_OR_SWAPPED, SWAPPED
from .rows import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNING = 16  # bytes that tell the beginning of a capture from anything else
PATIENCE = 16  # records that are looked at to find where one begins, for each byte
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
    heads = {int.from_bytes(head, "big" if big_endian else "little") for head in (*MAGICS, PCAPNG)}
    unit = 1 if nano else 1000
    values: list[int] = []
    error = None
    at = start
    while at < stop:
        seconds, fraction, captured, original = unpack(buffer, at) if stop - at >= BEGINNING else (0, 0, 0, 0)
        if seconds in heads and _begins_capture(bytes(buffer[at : at + BEGINNING])):
            error = (ANOTHER_CAPTURE, 0, 0)
            break
        if stop - at < header:
            if final:
                error = (HEADER_CUT, stop - at, header)
            break
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
        values += (at + header, captured, original, seconds * 1_000_000_000 + fraction * unit, linktype, 0, 0)
        at += header + captured
    return at, bytearray(array("q", values).tobytes()), error


def _finds(buffer: bytes | bytearray, wanted: list[bytes], start: int, stop: int) -> Iterator[int]:
    """Where one of some byte strings begins."""
    for octets in wanted:
        at = buffer.find(octets, start)
        while 0 <= at < stop:
            yield at
            at = buffer.find(octets, at + 1)


def pcap_border(buffer: bytearray, start: int, stop: int, big_endian: bool, nano: bool, header: int, lengths: int, most: int,
                since: int) -> int:  # fmt: skip
    """Finds where a record begins in the middle of a file, which is in buffer[start:stop], whose times are in order.

    most: bytes of a record, header and packet, so that in as many first places one begins. since: a time in nanoseconds that none
    of the records is before. If all places from which records may follow each other to the end lead to the same one there, in the
    last few bytes or behind them, one begins there, too: the right place is among them. Gives that, or -1 where it is not certain,
    or takes long to find out. header, lengths: see pcap_decode.
    """
    if not 16 <= header <= 64 or not IN_ORDER <= lengths <= SWAPPED or most < 0:
        raise ValueError("record header, order of lengths or size out of range")
    if not 0 <= start <= stop <= len(buffer):
        raise ValueError("range lies outside of the buffer")
    unpack = struct.Struct(">IIII" if big_endian else "<IIII").unpack_from
    unit = 1 if nano else 1000
    last = stop - header
    if most < header or start + most > last:
        return -1
    capture = False

    def behind(at: int, since: int) -> tuple[int, int]:
        """Where the record ends that may begin here, and its time; -1: none may."""
        nonlocal capture
        if _begins_capture(bytes(buffer[at : at + BEGINNING])):
            capture = True
            return -1, since
        seconds, fraction, captured, original = unpack(buffer, at)
        if lengths == SWAPPED or (lengths == IN_ORDER_OR_SWAPPED and captured > original):
            captured = original
        time = seconds * 1_000_000_000 + fraction * unit
        return (-1, since) if header + captured > most or time < since else (at + header + captured, time)

    top = 8 if big_endian else 11  # the upper byte of the first length: nearly all places are out by it alone
    quick = lengths == IN_ORDER and most <= 1 << 24
    heads = set(_finds(buffer, [*MAGICS, PCAPNG], start, start + most)) if quick else set()
    patience = PATIENCE * (stop - start)
    found = known = -1  # known: the next one that is on the way there
    for at in range(start, start + most):
        if quick and buffer[at + top] and at not in heads:
            continue
        second, time = behind(at, since)
        if second >= 0 and at == known:
            known = second
            continue
        end = second
        while 0 <= end <= last and patience > 0:
            end, time = behind(end, time)
            patience -= 1
        if patience == 0 or capture or (end >= 0 and found not in (-1, end)):
            return -1
        if end >= 0:
            found, known = end, second
    return found


def pcap_encode(data: bytearray, rows: bytes, first: int, big_endian: bool, nano: bool) -> tuple[bytes | memoryview, int, int]:
    """Writes records from row `first` on, up to another link type, a packet that pcap cannot hold, or some megabytes.

    Returns the records, the row it stopped before, and how many times lost digits below a microsecond. Records that stand in
    `data` already, one behind the other, are not made anew: what is given then shows them there.
    """
    values = checked(data, rows)
    if not 0 <= first <= len(values) // COLUMNS:
        raise ValueError("first packet out of range")
    pack = struct.Struct(">IIII" if big_endian else "<IIII").pack
    out = bytearray()
    lost = 0
    stop = first
    octets = memoryview(data)
    columns = [values[first * COLUMNS + column :: COLUMNS] for column in (OFFSET, CAPTURED, ORIGINAL, TIME, LINKTYPE)]
    for offset, captured, original, time, linktype in zip(*columns, strict=True):
        if linktype != columns[-1][0] or not (0 <= time < 1 << 62 and 0 <= original < 1 << 32) or len(out) >= 2 * MAX_BATCH:
            break
        seconds, fraction = divmod(time, 1_000_000_000)
        if seconds >= 1 << 32:
            break
        if not nano:
            fraction, rest = divmod(fraction, 1000)
            lost += rest != 0
        out += pack(seconds, fraction, captured, original)
        out += octets[offset : offset + captured]
        stop += 1
    start = values[first * COLUMNS + OFFSET] - RECORD if stop > first else -1
    standing = octets[max(start, 0) :][: len(out)]
    return (standing if start >= 0 and standing == out else bytes(out)), stop, lost
