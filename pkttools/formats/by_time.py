"""A part by time of sorted pcap files: where it begins is found by bisection, and behind its end nothing is read."""

from __future__ import annotations

import os
from itertools import pairwise

from .. import codec
from ..batch import COLUMNS, MAX_FRAME, TIME, Batch
from ..errors import PktError, counted
from . import FOREIGN, MAGICS, PCAPNG, captures, compression_in
from .files import BUFFER, Input
from .pcap import HEADER, number_at, records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..language.part import Part

WINDOW = 512 << 10  # bytes that are looked at to find where a record begins; the longest one ends in the first half
GUESSED = 16 << 10  # the same where it need not be certain: most records end in the first half
NEAR = 4  # windows that are read instead of being divided once more
PROBES = (0, -1, 1)  # windows beside a place that are tried where it is not certain


class ByTime:
    """Reads a part of files that are sorted.

    backwards: how many of the packets that were read have a time before that of the one in front of them. where: says of the first.
    """

    TALLIES = ("backwards", "where")  # see flow/tallies.py

    def __init__(self, part: Part) -> None:
        self.part = part
        self.backwards, self.where = 0, ""

    def packets(self, source: Input) -> Iterator[Batch]:
        """Batches with all packets of the part, and some in front of it or behind it. Raises PktError where it is no such file."""
        if not source.is_file:
            raise PktError(f"{source.name}: --sorted is for files: what comes from elsewhere is read from its beginning on")
        begin = os.lseek(source.fd, 0, os.SEEK_CUR)
        buffer = bytearray(BUFFER)
        used = source.fill(buffer, 0)
        head = bytes(buffer[: min(used, HEADER)])
        if head[:4] not in MAGICS or len(head) < HEADER:
            raise PktError(f"{source.name}: --sorted is for files of pcap: {other(head)}")
        if records_of(buffer, used, source.name) != records_of(head, HEADER, source.name):
            raise PktError(f"{source.name}: --sorted is for files of pcap: the records of this one are of another kind")
        at = self.start(source, head, begin + HEADER)
        os.lseek(source.fd, at, os.SEEK_SET)
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
        """Where a record begins in front of which none is of the part. first: where the first one of the file does.

        Guesses lead there; then that one record is made certain. Where that fails, only what is certain is gone by.
        """
        file = _File(source.fd, head, source.name)
        earliest = file.time(first)
        if earliest is None:
            return first
        if self.part.origin is None:
            self.part.origin = earliest
        since = self.part.moments()[0]
        low, high = file.divide(first, earliest, since, (GUESSED, WINDOW))
        low = low if low - first > WINDOW else first
        if (low == first or file.border(low - WINDOW, WINDOW, earliest) == low) and file.leads(low, high):
            return low
        return file.divide(first, earliest, since, (WINDOW,))[0]

    def tell(self, name: str, times: list[int]) -> None:
        """Counts times that go backwards."""
        from ..language.times import show_moment  # late: seldom

        found = [(now, then) for then, now in pairwise(times) if now < then]
        self.where = self.where or f"{name}: {show_moment(found[0][0])} behind {show_moment(found[0][1])}"
        self.backwards += len(found)

    def said(self) -> list[str]:
        """What there is to say in the end."""
        if not self.backwards:
            return []
        what = f"--sorted: {counted(self.backwards, 'packet')} before the one in front, the first in {self.where}"
        return [f"{what}: without --sorted all of the file is read"]


class _File:
    """A pcap file that is read here and there."""

    def __init__(self, fd: int, head: bytes, name: str) -> None:
        self.fd, self.name, self.size = fd, name, os.fstat(fd).st_size
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
        seconds, fraction = number_at(octets, 0, self.big_endian), number_at(octets, 4, self.big_endian)
        return seconds * 1_000_000_000 + fraction * (1 if self.nano else 1000)

    def border(self, at: int, window: int, since: int) -> int | None:
        """Where a record begins, in the bytes behind a place or soon after these; None: that is not certain.

        With less than WINDOW it is a guess: a packet may be longer.
        """
        octets = self.read(at, window)
        most = self.header + min(MAX_FRAME, window // 2)
        found = codec.pcap_border(octets, 0, len(octets), self.big_endian, self.nano, self.header, self.lengths, most, since)
        return None if found < 0 else at + found

    def leads(self, low: int, high: int) -> bool:
        """Whether records follow each other from one place to another, which is not far, or the end."""
        if high == self.size or high - low > (NEAR + 1) * WINDOW:
            return high == self.size
        octets = bytearray(self.read(low, high - low))
        order = self.big_endian, self.nano, self.header, self.lengths
        return codec.pcap_decode(octets, 0, len(octets), False, *order, self.link)[0] == high - low

    def divide(self, first: int, earliest: int, since: int, windows: tuple[int, ...]) -> tuple[int, int]:
        """Where two records begin, near each other: one before a time, or the first of the file, and one not, or its end.

        windows: those that are looked at in each place until one tells where a record begins. If none does, they are not so near.
        """
        low, time, high = first, earliest, self.size

        def borders() -> Iterator[int | None]:
            for window in windows:
                for place in PROBES if high - low > NEAR * window else ():
                    yield self.border((low + high - window) // 2 + place * window, window, time)

        while (found := next((border for border in borders() if border is not None), None)) is not None:
            then = self.time(found)
            if then is None:
                break
            if then >= since:
                high = found
            else:
                low, time = found, then
        return low, high


def other(head: bytes) -> str:
    """What else a file is that begins so, and why no part of it can be found without what is in front."""
    if head.startswith(PCAPNG):
        return "what pcapng says of interfaces and sections may stand anywhere"
    if compression_in(head) or head.startswith(tuple(FOREIGN)):
        return "what is compressed is read from its beginning on"
    return "this is none"
