"""Packets from several interfaces in one order, that of their times: each has a ring of its own, which is read as before."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator

from ... import codec
from ...batch import COLUMNS, NOTES, OFFSET, ROW_BYTES, TIME, Batch
from ...command_line.signals import Interrupted, end_at, wait
from ...errors import PktError, counted, warn
from .link import AGAIN
from .receive import Receiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..capture import CaptureOptions

# Seconds that the kernel may take to hand over the block in which an older packet of another interface lies, beyond the time
# that it was asked for: kernels before 6.18 round that up to their timer's tick, and a processor may be busy.
TICK = 0.015
DAY = 86400
OLD, YOUNG = b"\1" + bytes(255), b"\0\1" + bytes(254)  # which of both codec.pick takes


class Together:
    """Several interfaces to receive from.

    A packet waits until the blocks that other interfaces filled when it came are read, too: what is older is in front of it.
    """

    def __init__(self, interfaces: Sequence[str], options: CaptureOptions) -> None:
        """Receives all from here on. Raises UsageError, PktError."""
        self.receivers = [Receiver(interface, options) for interface in interfaces]
        self.name = ", ".join(interfaces)
        self.linktype = self.receivers[0].linktype
        self.seconds = options.seconds
        self.pending: list[tuple[float, Batch]] = []  # when they were read, and what is not passed on of them
        self.behind = 0  # packets passed on behind younger ones: they came too late
        self.last = 0  # time of the youngest that was passed on
        self.patience = TICK + self.receivers[0].retire / 1000
        for each in self.receivers:
            each.lends = False  # what waits here would be in the kernel's way

    def __iter__(self) -> Iterator[Batch]:
        """Batches as they come, until the time is over or a signal comes; then what the kernel still holds."""
        deadline = None if self.seconds is None else time.monotonic() + self.seconds
        if deadline is not None:
            end_at(deadline)
        for each in self.receivers:
            each.keep_beside()
        try:
            while (there := self.there()) and (deadline is None or time.monotonic() < deadline):
                wait([each.sock.fileno() for each in there], self.wait(there, deadline))
                for each in there:
                    each.waiting = False
                now = time.monotonic()
                for each in there:
                    self.pending += [(now, batch) for batch in drained(each)]
                yield from self.passed(now - self.patience)
        except Interrupted:
            pass
        for each in self.there():
            self.pending += [(0.0, batch) for batch in each.rest()]
        yield from self.passed(time.monotonic())
        gone = [each.name for each in self.receivers if each.gone]
        if gone:
            raise PktError(f"{', '.join(gone)}: interface is gone")

    def there(self) -> list[Receiver]:
        """Those that are not gone."""
        return [each for each in self.receivers if not each.gone]

    def wait(self, there: Sequence[Receiver], deadline: float | None) -> float:
        """Seconds to wait for a packet: until what waits here is due, or something has to be looked at again."""
        most = float(DAY)
        for each in there:
            with each.lock:
                each.waiting = not each.kept
            most = 0.0 if not each.waiting else most if each.watch.up else min(most, AGAIN)
        now = time.monotonic()
        if self.pending:
            most = min(most, self.pending[0][0] + self.patience - now)
        if deadline is not None:
            most = min(most, deadline - now)
        return max(most, 0)

    def passed(self, read: float) -> Iterator[Batch]:
        """The packets that were read by then, and all that are older than one of these, in the order of their times."""
        ripe = [max(batch.column(TIME)) for when, batch in self.pending if when <= read]
        if not ripe:
            return
        until = max(ripe)
        pieces, self.pending = parted(self.pending, until)
        self.behind += sum(stamp < self.last for piece in pieces for stamp in piece.column(TIME)) if self.early(pieces) else 0
        self.last = max(self.last, until)
        yield merged(pieces)

    def early(self, pieces: Sequence[Batch]) -> bool:
        """Whether any of these packets is older than one that was passed on."""
        return any(min(piece.column(TIME)) < self.last for piece in pieces)

    def ahead(self, passing: Callable[[Batch], int]) -> Iterator[int | None]:
        """How many of the packets that wait behind those which nobody reads are passed on; None: no more yet."""
        looks = [each.ahead(passing) for each in self.receivers]
        for _, batch in self.pending:
            yield passing(batch)
        while True:
            for look in looks:
                while (count := next(look)) is not None:
                    yield count
            yield None

    def close(self) -> list[str]:
        """Ends the capture; gives what there is to say of each interface."""
        said = [line for each in self.receivers for line in each.close()]
        if self.behind:
            said.append(f"{counted(self.behind, 'packet')} came too late for their place in the order, and stand behind it")
        return said


def drained(each: Receiver) -> Iterator[Batch]:
    """All that the kernel has handed over by now. Raises PktError."""
    for _ in range(len(each.ring) // each.block + len(each.kept)):
        try:
            block = each.oldest()
            yield from each.batch(block, 0, len(block))
        except BlockingIOError:
            each.check()
            if each.gone:
                warn(f"{each.name}: interface is gone")
            return
        except OSError as error:
            raise PktError(f"{each.name}: {error.strerror}") from None


def parted(pending: Sequence[tuple[float, Batch]], until: int) -> tuple[list[Batch], list[tuple[float, Batch]]]:
    """The packets up to a time, and those that are younger; both as they came."""
    pieces, left = [], []
    for when, batch in pending:
        stamps = batch.column(TIME)
        if max(stamps) <= until:
            pieces.append(batch)
            continue
        young = bytes(stamp > until for stamp in stamps)
        left.append((when, Batch(batch.data, codec.pick(batch.rows, young, YOUNG))))
        if not all(young):
            pieces.append(Batch(batch.data, codec.pick(batch.rows, young, OLD)))
    return pieces, left


def merged(pieces: Sequence[Batch]) -> Batch:
    """One batch of several, in the order of times; what has the same time stays as it came."""
    data, rows = bytearray(), array("q")
    for piece in pieces:
        own = array("q", bytes(piece.rows))
        for column in (OFFSET, NOTES):
            own[column::COLUMNS] = array("q", [at + len(data) for at in own[column::COLUMNS]])
        rows += own
        data += piece.data
    stamps, all_rows = rows[TIME::COLUMNS].tolist(), bytearray(rows.tobytes())
    if all(map(int.__le__, stamps, stamps[1:])):
        return Batch(data, all_rows)
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    return Batch(data, bytearray().join(all_rows[i * ROW_BYTES : (i + 1) * ROW_BYTES] for i in order))
