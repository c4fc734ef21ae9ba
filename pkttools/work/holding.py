"""Lets delayed packets go when their time has come: by the clock where they come from an interface now, by each other elsewhere."""

from __future__ import annotations

import time
from itertools import chain

from ..batch import TIME, Batch, Packet, gathered
from ..command_line import signals
from ..command_line.signals import Interrupted
from ..formats.files import Sink
from .ordering import Ordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..formats.files import Output
    from .ordering import Queue

RECENT = 10_000_000_000  # nanoseconds: who receives a packet now has had it for less


def just_now(batch: Batch) -> bool:
    """Whether the first packet was captured just now, so that others may not be there yet."""
    return abs(time.time_ns() - batch.columns()[TIME]) < RECENT


class Departure:
    """When packets go that may be delayed.

    spread: by how many nanoseconds their delays differ. longest: the longest delay. live: whether the clock rules: it could,
    as packets come through a pipe or from an interface, and go to one; and the first one was captured just now.
    """

    def __init__(self, spread: int, longest: int) -> None:
        self.spread, self.longest = spread, longest
        self.ordered = Ordered(spread)
        self.able = self.live = False

    @property
    def behind(self) -> int:
        """How many packets went behind one that had come later."""
        return self.ordered.queue.behind

    def look(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """A stage in front of what delays: finds out whether packets come as they are captured."""
        for batch in stream:
            if self.able and len(batch):
                self.live = just_now(batch)
                self.able = False
            yield batch

    def order(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """A stage behind it: puts packets in order, where the clock does not."""
        first = next(stream, None)
        if first is not None:
            stream = chain([first], stream)
            yield from self.ordered(stream) if self.spread and not self.live else stream

    def sink(self, sink: Sink, flows: bool) -> Sink:
        """The sink, or one in front of it that holds packets back. flows: whether a pipe or an interface brings them."""
        if not (flows and self.longest) or (sink.output is not None and sink.output.overlaps):
            return sink
        self.able = True
        return Holding(sink, self.ordered.queue, self.longest, lambda: self.live)


class Holding(Sink):
    """A sink in front of another one. It holds each packet until its TIME, never for longer than `longest` nanoseconds.

    live: whether it does; else it hands batches on.
    """

    def __init__(self, sink: Sink, queue: Queue, longest: int, live: Callable[[], bool]) -> None:
        self.inner, self.queue, self.longest, self.live = sink, queue, longest, live
        self.needs: Sequence[int] | None = sink.needs
        self.origin, self.begin = sink.origin, sink.begin  # type: ignore[method-assign]  # whatever it learns
        self.without_packets = sink.without_packets  # type: ignore[method-assign]  # the same
        self.writing = False

    @property
    def output(self) -> Output | None:  # type: ignore[override]  # the same
        """What the other one writes to now."""
        return self.inner.output

    @property
    def stopped(self) -> str | None:  # type: ignore[override]  # nobody sets it
        """What is held is written when a signal ends it."""
        return "" if self.inner.stopped is None and self.queue.heap else self.inner.stopped

    @property
    def failed(self) -> bool:
        """Whether something did not reach its end as it should."""
        return self.inner.failed

    def write(self, batch: Batch) -> None:
        """Takes a batch: writes what is due, and keeps the others."""
        if not self.live():
            self.inner.write(batch)
            return
        real, now = time.time_ns(), time.monotonic_ns()
        for i in range(len(batch)):
            packet = batch.packet(i)
            self.queue.add(packet, now + min(packet.time - real, self.longest))
        self.release()

    def release(self) -> None:
        """Writes what is due, and comes back when more is."""
        if self.writing:  # it waits for room, and comes back by itself
            return
        self.writing = True
        try:
            while out := list(self.queue.until(time.monotonic_ns())):
                self.hand_on(out)
        finally:
            self.writing = False
        if self.queue.heap:
            signals.at(self.queue.heap[0][0] / 1e9, self.release)

    def hand_on(self, packets: list[Packet]) -> None:
        """Writes packets."""
        self.inner.write(gathered(packets))

    def close(self) -> list[str]:
        """Writes what is held, each packet when it is due; at once when a signal comes. Ends."""
        try:
            while self.queue.heap and not self.hurried:
                signals.wait([], max(0, self.queue.heap[0][0] - time.monotonic_ns()) / 1e9)
                self.release()
        except Interrupted:
            pass
        if self.queue.heap:
            self.hand_on([self.queue.take() for _ in range(len(self.queue.heap))])
        return self.inner.close()
