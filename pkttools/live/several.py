"""Several interfaces to send to, on one clock: each packet leaves by the one that its filter says."""

from __future__ import annotations

import struct
import time
from itertools import compress

from .. import codec
from ..batch import Batch
from ..command_line.signals import check, wait, waker
from ..formats.files import Sink
from ..kernel import send_paced
from .sending import GONE, STOPPED, Sender, fits, refuse_misfits, shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..language.filters import Filter
    from .pace import Pace
    from .sending import Due


class Ways:
    """Which interface each packet leaves by. filters: of all but the first one, which takes what no other does."""

    def __init__(self, filters: Sequence[Filter] = ()) -> None:
        self.filters = filters
        self.count = 1 + len(filters)

    def of(self, batch: Batch) -> bytearray:
        """The number of its interface for each packet: of the first one whose filter lets it through; 0: none does."""
        ways = bytearray(len(batch))
        for number in range(self.count - 1, 0, -1):
            passing = self.filters[number - 1].verdicts(batch)
            ways = bytearray(number if passes else way for passes, way in zip(passing, ways, strict=True)) if any(ways) else \
                passing.translate(bytes([0, number]) + bytes(254))  # fmt: skip
        return ways

    def parts(self, batch: Batch, ways: bytearray) -> list[Batch]:
        """The packets of each interface, as batches that share the bytes."""
        return [Batch(batch.data, codec.pick(batch.rows, ways, only(number))) for number in range(self.count)]


class Several(Sink):
    """Interfaces to send to; a sink. The pace is of all packets together, and so is their order; each has an account of its own."""

    stopped: str | None = STOPPED

    def __init__(self, ends: Sequence[Sender], ways: Ways, pace: Pace) -> None:
        self.ends, self.ways, self.pace = ends, ways, pace
        self.needs = [capability for end in ends for capability in end.needs or ()]
        self.change: list[Callable[[Batch], Batch] | None] = [None] * len(ends)  # what is done to the packets of each
        self.fds = struct.pack(f"{len(ends) + 1}i", *(end.fd for end in ends), -1) if all(end.plain for end in ends) else b""

    @property
    def failed(self) -> bool:
        """Whether any packet was not sent."""
        return any(end.failed for end in self.ends)

    @property
    def gone(self) -> bool:  # type: ignore[override]  # nobody sets it
        """Whether no interface is there any more."""
        return all(end.gone for end in self.ends)

    def origin(self, stamp: int) -> None:
        """Lets the original timing count from a packet of that time, whether it is sent or not."""
        self.pace.origin = stamp

    def begin(self) -> None:
        """Lets the time run: the first packets were not to be sent."""
        self.pace.begin(time.monotonic_ns())

    def write(self, batch: Batch) -> None:
        """Sends a batch, each packet at its time and without its FCS. Raises Interrupted when a signal comes."""
        ways = self.ways.of(batch.without_fcs())
        parts, before = self.ways.parts(batch, ways), [end.attempted for end in self.ends]
        for end, part, change in zip(self.ends, parts, self.change, strict=True):
            if len(part) and not end.attempted:
                refuse_misfits(part, end.name, end.linktype)
                end.warn_without_carrier()
            if change:
                change(part)
        try:
            self.on_time(batch, ways, self.able(batch, ways))
        finally:
            now = time.monotonic_ns()
            for end, part, attempted in zip(self.ends, parts, before, strict=True):
                end.ended = now
                end.cut += shortened(part.columns(), end.attempted - attempted)

    def able(self, batch: Batch, ways: bytearray) -> bytearray:
        """The ways, but of packets that their interface does not take: theirs is one more, which leads nowhere."""
        nowhere = len(self.ends)
        for start, stop, linktype in batch.runs():
            misfits = [number for number, end in enumerate(self.ends) if not fits(linktype, end.linktype)]
            if misfits:
                table = bytearray(range(256))
                for number in misfits:
                    table[number] = nowhere
                ways = ways[:start] + ways[start:stop].translate(table) + ways[stop:]
        return ways

    def on_time(self, batch: Batch, ways: bytearray, able: bytearray) -> None:
        """Sends packets, each when it is due, and counts how late they were."""
        pace, first, stop = self.pace, 0, len(batch)
        opening = not pace.begun  # the first packet is never late: the others' times count from it
        due = pace.due(batch, 0, stop, time.monotonic_ns())
        while first < stop and not self.gone:
            check()
            previous = pace.last_sent if pace.after_previous else -1
            sent, went, error, late, pace.last_sent = self.send_due(batch, first, due[first:], previous, able[first:])
            tried = ways[first : first + len(late) // 8]
            counts = memoryview(went).cast("q").tolist()
            for number, end in enumerate(self.ends):
                end.handed(counts[2 * number], counts[2 * number + 1], error if error and tried[-1] == number else 0)
                if pace.paced:
                    mine = tried.translate(only(number))
                    mine[:opening] = bytes(min(opening, len(mine)))
                    end.lateness.add(memoryview(b"".join(compress(pieces(late), mine))).cast("q"))
            opening = opening and not tried
            self.fail(batch, ways, able, first, first + sent)
            first += sent
            if error:
                self.ends[ways[first]].send(batch, first, first + 1)
                first += 1
            elif first < stop:
                wait([], 0)  # what woke it is read
        if first < stop:
            self.fail(batch, ways, able, first, stop)
            for number, end in enumerate(self.ends):
                if lost := able[first:].count(number):
                    end.fail(GONE, lost)

    def fail(self, batch: Batch, ways: bytearray, able: bytearray, first: int, stop: int) -> None:
        """Counts those of the packets that did not fit their interfaces."""
        if able is ways:
            return
        for start, end, linktype in batch.part(first, stop).runs():
            for i in range(first + start, first + end):
                if able[i] != ways[i]:
                    self.ends[ways[i]].fail(f"link type {linktype} does not fit the interface")

    def send_due(self, batch: Batch, first: int, due: memoryview, previous: int, able: bytearray) -> Due:
        """Sends packets of a batch when they are due, up to the first that fails, or to a signal; see kernel.send_paced."""
        if self.fds:
            return send_paced(self.fds, able, waker(), self.pace.busy, batch.data, batch.rows, first, due, previous)
        from ..kernel.python.pace import paced  # late: Linux has its own

        def by(end: Sender) -> Callable[[int, int], tuple[int, int, int]]:
            return lambda at, count: end.some(batch, first + at, count)

        return paced(waker(), self.pace.busy, due, previous, [*map(by, self.ends), lambda _, count: (count, 0, 0)], able)

    def close(self) -> list[str]:
        """Ends; gives the accounts."""
        return [line for end in self.ends for line in end.close()]


def only(number: int) -> bytes:
    """A table of 256 bytes in which this one alone is 1."""
    return bytes(number) + b"\1" + bytes(255 - number)


def pieces(numbers: bytearray) -> list[bytes]:
    """Numbers of eight bytes each, one by one."""
    return [bytes(numbers[i : i + 8]) for i in range(0, len(numbers), 8)]
