"""A part by time of sorted pcap files: where it begins is found by bisection, and behind its end nothing is read."""

from __future__ import annotations

import os
import struct
from itertools import pairwise

from .. import codec
from ..batch import COLUMNS, MAX_FRAME, TIME, Batch
from ..errors import PktError, counted
from . import FOREIGN, MAGICS, PCAPNG, captures, compression_in
from .files import BUFFER, Input
from .pcap import HEADER, records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..language.part import Part

WINDOW = 512 << 10  # bytes that are looked at to find where a record begins; the longest one ends in the first half
NEAR = 4 * WINDOW  # what is read instead of being divided once more
PROBES = (0, -1, 1)  # windows beside a place that are tried where it is not certain


class ByTime:
    """Reads a part of files that are sorted.

    backwards: how many of the packets that were read have a time before that of the one in front of them. first: says of the first.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.backwards, self.first = 0, ""

    def packets(self, source: Input) -> Iterator[Batch]:
        """Batches with all packets of the part, and some in front of it or behind it. Raises PktError where it is no such file."""
        if not source.is_file:
            raise PktError(f"{source.name}: --sorted is for files: what comes from elsewhere is read from its beginning on")
        begin = os.lseek(source.fd, 0, os.SEEK_CUR)
        head = os.pread(source.fd, HEADER, begin)
        if head[:4] not in MAGICS or len(head) < HEADER:
            raise PktError(f"{source.name}: --sorted is for files of pcap: {other(head)}")
        some = os.pread(source.fd, BUFFER, begin)
        if records_of(some, len(some), source.name) != records_of(head, HEADER, source.name):
            raise PktError(f"{source.name}: --sorted is for files of pcap: the records of this one are of another kind")
        at = self.start(source, head, begin + HEADER)
        os.lseek(source.fd, at, os.SEEK_SET)
        buffer = bytearray(BUFFER)
        buffer[:HEADER] = head
        before = 0  # the time of the last packet
        for batch in captures(source, buffer, HEADER, at - HEADER):
            columns = batch.columns()
            if columns[TIME] < before or not codec.sort_rows(batch.data, bytearray(batch.rows), False):
                self.tell(source.name, [before, *columns[TIME::COLUMNS].tolist()])
            before = columns[TIME - COLUMNS]
            yield batch
            if before >= self.part.moments()[1]:
                return

    def start(self, source: Input, head: bytes, first: int) -> int:
        """Where a record begins in front of which none is of the part. first: where the first one of the file does."""
        file = _File(source.fd, head, source.name)
        earliest = file.time(first)
        if earliest is None:
            return first
        if self.part.origin is None:
            self.part.origin = earliest
        since = self.part.moments()[0]
        low, low_time, high = first, earliest, os.fstat(source.fd).st_size
        while high - low > NEAR:
            middle = (low + high - WINDOW) // 2
            found = next((at for place in PROBES if (at := file.border(middle + place * WINDOW, low_time)) is not None), None)
            time = None if found is None else file.time(found)
            if found is None or time is None:
                break  # from what is known for certain
            if time >= since:
                high = middle
            else:
                low, low_time = found, time
        return low

    def tell(self, name: str, times: list[int]) -> None:
        """Counts times that go backwards."""
        from ..language.times import show_moment  # late: seldom

        found = [(now, then) for then, now in pairwise(times) if now < then]
        self.first = self.first or f"{name}: {show_moment(found[0][0])} behind {show_moment(found[0][1])}"
        self.backwards += len(found)

    def said(self) -> list[str]:
        """What there is to say in the end."""
        if not self.backwards:
            return []
        what = f"--sorted: {counted(self.backwards, 'packet')} before the one in front, the first in {self.first}"
        return [f"{what}: without --sorted all of the file is read"]


class _File:
    """A pcap file that is read here and there."""

    def __init__(self, fd: int, head: bytes, name: str) -> None:
        self.fd, self.name = fd, name
        self.big_endian, self.nano, self.header, self.lengths, self.link = records_of(head, len(head), name)

    def read(self, at: int, size: int) -> bytes:
        """Bytes from one place on, fewer at the end. Raises PktError."""
        try:
            return os.pread(self.fd, size, at)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None

    def time(self, at: int) -> int | None:
        """The time of the packet whose record begins here; None: there is none."""
        octets = self.read(at, self.header)
        if len(octets) < self.header:
            return None
        seconds: int
        fraction: int
        seconds, fraction = struct.unpack_from(">II" if self.big_endian else "<II", octets)
        return seconds * 1_000_000_000 + fraction * (1 if self.nano else 1000)

    def border(self, at: int, since: int) -> int | None:
        """Where a record begins, in the bytes behind a place or soon after these; None: that is not certain."""
        octets = self.read(at, WINDOW)
        most = self.header + MAX_FRAME
        found = codec.pcap_border(octets, 0, len(octets), self.big_endian, self.nano, self.header, self.lengths, most, since)
        return None if found < 0 else at + found


def other(head: bytes) -> str:
    """What else a file is that begins so, and why no part of it can be found without what is in front."""
    if head.startswith(PCAPNG):
        return "what pcapng says of interfaces and sections may stand anywhere"
    if compression_in(head) or head.startswith(tuple(FOREIGN)):
        return "what is compressed is read from its beginning on"
    return "this is none"
