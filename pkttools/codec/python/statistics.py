"""What there is to count in a stream of packets; twin of ../c/statistics.c.

Bytes are those of frames on the wire, with a frame check sequence where the capture has it. The packet that an error message
quotes did not come this way: its headers, addresses and fields are not counted.
"""

from __future__ import annotations

import struct

from ...batch import CAPTURED, COLUMNS, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Program
from ...protocols.walking import DATAGRAM_4, EXTENSION, OWN_END, TAG
from .. import (
    ABSENT,
    BACKWARDS,
    BY_FIELDS,
    BYTES,
    CUT_SHORT,
    EARLIEST,
    JITTER,
    LATEST,
    LONG_NUMBER,
    LONGEST,
    OCTETS,
    PACKETS,
    PATHS,
    PREVIOUS,
    SHORT_NUMBER,
    SHORTEST,
    SIZES,
    TALKERS,
)
from .. import CAPTURED as CAPTURED_BYTES
from ..program import DATA, OF_IFACE, OF_NOTE, OF_WAY, TEXT, said_by
from .durations import count_durations
from .exceptions import named_by
from .groups import Groups
from .headers import Header, Walk
from .program import _cut, _fields, _locate, _read_bytes, _read_raw
from .protocols import carries_message, exception, known
from .rows import checked, without_fcs

TOTALS = LONGEST + 1
BINS, FIRST_WIDTH, WIDER = 4096, 1000, 10  # of time; nanoseconds of a bin at first, and by what it grows
MOST, LEAST = (1 << 63) - 1, -(1 << 63)
LINES = (OF_IFACE, OF_WAY, OF_NOTE)  # asked in the place of a field: what lines say that a packet comes with


class Series:
    """Packets and bytes over time, in bins of one width, which grows as it has to."""

    def __init__(self) -> None:
        self.width = FIRST_WIDTH
        self.bins: dict[int, list[int]] = {}

    def add(self, time: int, size: int) -> None:
        """Counts a packet."""
        number = time // self.width
        new = number not in self.bins
        found = self.bins.setdefault(number, [0, 0])
        found[0] += 1
        found[1] += size
        while new and max(self.bins) - min(self.bins) >= BINS:
            self.widen()

    def widen(self) -> None:
        """Makes bins wider."""
        self.width *= WIDER
        wider: dict[int, list[int]] = {}
        for number, (packets, size) in self.bins.items():
            found = wider.setdefault(number // WIDER, [0, 0])
            found[0] += packets
            found[1] += size
        self.bins = wider


class Statistics:
    """What is counted. columns: the fields that groups are made of, with their occurrences."""

    def __init__(self, wanted: int, columns: Program | None, memory: int) -> None:
        """Raises ValueError."""
        if not 0 <= wanted <= PATHS | TALKERS | BY_FIELDS or memory < 0 or bool(wanted & BY_FIELDS) != (columns is not None):
            raise ValueError("what is wanted, or memory, out of range")
        self.wanted = wanted
        self.totals = [0] * TOTALS
        self.sizes: dict[int, int] = {}
        self.gaps = bytearray(8 * (JITTER + 1))
        self.series = Series()
        self.groups = {which: Groups(memory) for which in (PATHS, TALKERS, BY_FIELDS)}
        self.fields, sound = _fields(columns[0]) if columns else ([], True)
        self.columns = _cut(columns[1], "2q") if columns else []
        known = all((0 <= i < len(self.fields) or i in LINES) and k for i, k in self.columns)
        if columns and (len(columns[1]) % 16 or not sound or not known):
            raise ValueError("program is not valid")

    def add(self, row: list[int], bare: list[int], data: bytearray) -> None:
        """Counts a packet; bare: the same without its frame check sequence."""
        size = max(row[ORIGINAL], row[CAPTURED])
        self.packet(row, size)
        if not self.wanted:
            return
        frame = bytes(data[bare[OFFSET] : bare[OFFSET] + bare[CAPTURED]])
        walk = Walk(frame, bare[LINKTYPE])
        headers = walk.headers[: walk.quoted] + walk.headers[walk.resumed :] if walk.quoted < walk.resumed else walk.headers
        if self.wanted & PATHS:
            self.groups[PATHS].add(path_of(headers, bare[LINKTYPE], 0 if headers is not walk.headers else walk.beyond), size)
        if self.wanted & TALKERS:
            self.talkers(headers, frame, size)
        if self.wanted & BY_FIELDS:
            notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
            self.groups[BY_FIELDS].add(b"".join(self.values(headers, frame, notes)), size)

    def packet(self, row: list[int], size: int) -> None:
        """Counts what is known without its headers."""
        t, time = self.totals, row[TIME]
        first = not t[PACKETS]
        t[PACKETS] += 1
        t[BYTES] += size
        t[CAPTURED_BYTES] += row[CAPTURED]
        t[CUT_SHORT] += row[CAPTURED] < size
        t[SHORTEST] = size if first else min(size, t[SHORTEST])
        t[LONGEST] = size if first else max(size, t[LONGEST])
        t[EARLIEST] = time if first else min(time, t[EARLIEST])
        t[LATEST] = time if first else max(time, t[LATEST])
        if not first:
            gap = min(max(time - t[PREVIOUS], LEAST), MOST)
            t[BACKWARDS] += gap < 0
            count_durations(struct.pack("q", gap), self.gaps)
        t[PREVIOUS] = time
        step = min(size, SIZES)
        self.sizes[step] = self.sizes.get(step, 0) + 1
        self.series.add(time, size)

    def talkers(self, headers: list[Header], frame: bytes, size: int) -> None:
        """Both ends of each IP header: how many are around it, and the address."""
        for level, header in enumerate(header for header in headers if carries_message(header.kind)):
            _, at = named_by(header)
            each = 4 if exception(header.kind) == DATAGRAM_4 else 16
            if at + 2 * each <= len(frame):
                for end in range(2):
                    address = frame[at + end * each : at + (end + 1) * each]
                    self.groups[TALKERS].add(bytes((level,)) + address, size, 2 * end)

    def values(self, headers: list[Header], frame: bytes, notes: bytes) -> list[bytes]:
        """The values of fields as they stand in a key: what it is, and a number of 64 or 128 bits, or how many bytes and these."""
        values = []
        for index, occurrence in self.columns:
            if index in LINES:
                said = said_by(notes, index)
                text = said[occurrence - (occurrence > 0)] if -len(said) <= occurrence <= len(said) else None
                values.append(bytes((ABSENT,)) if text is None else struct.pack(">BQ", OCTETS, len(text)) + text)
                continue
            place = _locate(self.fields, index, occurrence, True, frame, headers)
            if place is None:
                values.append(bytes((ABSENT,)))
            elif place.field.kind in (DATA, TEXT):
                text = _read_bytes(frame, place)
                values.append(struct.pack(">BQ", OCTETS, len(text)) + text)
            else:
                number = (_read_raw(frame, place) + place.field.bias) * place.field.scale
                kind, octets = (LONG_NUMBER, 16) if number >> 64 else (SHORT_NUMBER, 8)
                values.append(bytes((kind,)) + number.to_bytes(octets, "big"))
        return values


def stands_alone(header: Header) -> bool:
    """Whether what follows a header stands beside it, and not in it: records of which there are several."""
    flags = known().kinds[header.kind].flags
    return bool(flags & OWN_END) and not flags & (TAG | EXTENSION)


def path_of(headers: list[Header], linktype: int, beyond: int) -> bytes:
    """The headers of a packet as a key: link type, what is not followed, and of each header its kind and how deep it lies."""
    around: list[Header] = []
    path = struct.pack("qQ", linktype, beyond)
    for header in headers:
        while around and stands_alone(around[-1]) and header.start >= around[-1].end:
            around.pop()
        path += struct.pack("HH", header.kind, len(around))
        around.append(header)
    return path


def counters(wanted: int, columns: Program | None, memory: int) -> Statistics:
    """Begins to count. wanted: PATHS, TALKERS, BY_FIELDS, added up. columns: a program of pairs, a field and its occurrence, for
    BY_FIELDS. memory: bytes that each of these groups may take; what comes then is counted together. Raises ValueError."""
    return Statistics(wanted, columns, memory)


def _of(table: object) -> Statistics:
    if not isinstance(table, Statistics):
        raise TypeError("no counters")
    return table


def count(counters: object, data: bytearray, rows: bytes) -> None:
    """Counts the packets of a batch. Raises ValueError."""
    s, values = _of(counters), checked(data, rows)
    bare = without_fcs(list(values))
    for i in range(0, len(values), COLUMNS):
        s.add(values[i : i + COLUMNS], bare[i : i + COLUMNS], data)


def figures(counters: object) -> tuple[bytes, bytes, bytes, tuple[int, int, bytes]]:
    """The totals; packets of each size from 0 on; the gaps from one packet to the next, see count_durations; and packets and bytes
    over time: nanoseconds a bin, the number of the first one (its time by that width), and both numbers of each. 64 bits each."""
    s = _of(counters)
    bins, top = s.series.bins, max(s.sizes, default=-1) + 1
    numbers = range(min(bins, default=0), max(bins, default=-1) + 1)
    pairs = [n for number in numbers for n in bins.get(number, (0, 0))]
    return (struct.pack(f"{TOTALS}q", *s.totals), struct.pack(f"{top}q", *(s.sizes.get(i, 0) for i in range(top))), bytes(s.gaps),
            (s.series.width, numbers.start, struct.pack(f"{len(pairs)}q", *pairs)))  # fmt: skip


def largest(counters: object, which: int, most: int, by_bytes: bool) -> tuple[
        list[tuple[bytes, int, int, int, int]], int, tuple[int, int, int, int]]:  # fmt: skip
    """The `most` groups with the most packets, or bytes, both ways; 0: all. Then how many there are, and the counts of what had no
    room. A group is a key, packets and bytes, and of TALKERS both that went to it. Raises ValueError."""
    s = _of(counters)
    if which not in s.groups or most < 0:
        raise ValueError("no such groups")
    found = s.groups[which]
    return found.sorted(most, by_bytes), len(found.known), tuple(found.others)  # type: ignore[return-value]  # four
