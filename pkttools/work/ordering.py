"""Puts packets in the order of their times, where they are out of it by no more than a window."""

from __future__ import annotations

from heapq import heappop, heappush

from ..batch import Batch, Packet, gathered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Queue:
    """Packets by times; those of the same time in the order in which they came."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Packet]] = []  # time, number, packet
        self.put = 0  # how many came
        self.highest = -1  # number of the last one, of those that are out
        self.behind = 0  # how many came out behind one that had come later

    def add(self, packet: Packet, time: int) -> None:
        """Takes a packet, with bytes of its own, and when it is to go."""
        heappush(self.heap, (time, self.put, packet))
        self.put += 1

    def take(self) -> Packet:
        """The earliest one."""
        _, number, packet = heappop(self.heap)
        if number < self.highest:
            self.behind += 1
        else:
            self.highest = number
        return packet

    def until(self, time: int) -> Iterator[Packet]:
        """Those that are no later than a time, in order."""
        while self.heap and self.heap[0][0] <= time:
            yield self.take()


class Ordered:
    """A stage of a flow. It holds a packet until one has come whose time is later by `window` nanoseconds, or no more comes.

    late: packets that came too late for it: they are out of order still.
    """

    TALLIES = ("late",)  # see flow/tallies.py

    def __init__(self, window: int) -> None:
        self.window, self.queue = window, Queue()
        self.newest = self.given = -1
        self.late = 0

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets."""
        queue = self.queue
        for batch in stream:
            out: list[Packet] = []
            for i in range(len(batch)):
                packet = batch.packet(i)
                self.newest = max(self.newest, packet.time)
                self.late += packet.time < self.given
                queue.add(packet, packet.time)
                for one in queue.until(self.newest - self.window):
                    self.given = max(self.given, one.time)
                    out.append(one)
            if out:
                yield gathered(out)
        rest = list(queue.until(self.newest))
        if rest:
            yield gathered(rest)
