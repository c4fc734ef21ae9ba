"""Sinks in front of the one that sends: what is sent again is kept, what somebody asks for one by one is held back."""

from __future__ import annotations

from ..batch import Batch
from ..command_line.signals import ALARM, Interrupted
from ..formats.files import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.keys import Keys

KEPT = 32 << 20  # bytes of packets that are kept in memory from one round to the next
ROUNDS_AT_ONCE = 4096  # packets: shorter rounds are joined up to it, but for the original timing


class Relay(Sink):
    """Hands all on to another sink."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.output, self.stopped, self.needs = sink.output, sink.stopped, sink.needs

    def origin(self, stamp: int) -> None:
        """Learns the time of the first packet of a round."""
        self.sink.origin(stamp)

    def begin(self) -> None:
        """Learns that the first batch is through."""
        self.sink.begin()

    def write(self, batch: Batch) -> None:
        """Takes a batch, at once."""
        self.sink.write(batch)

    def close(self) -> list[str]:
        """Ends; gives what the sink says."""
        return self.sink.close()

    @property
    def gone(self) -> bool:  # type: ignore[override]  # nobody sets it
        """Whether what sends is no longer there."""
        return self.sink.gone

    @property
    def failed(self) -> bool:
        """Whether something did not reach its end as it should."""
        return self.sink.failed


class Kept(Relay):
    """Keeps copies of all batches, filtered and changed as they are: as long as they are few, or first of all.

    batches: the copies; None once they were too many.
    """

    def __init__(self, sink: Sink, first: bool = False) -> None:
        """first: nothing is handed on before all is there, however much that is."""
        super().__init__(sink)
        self.first, self.room = first, KEPT
        self.batches: list[Batch] | None = []
        self.stamp: int | None = None  # of the first packet that was read

    def origin(self, stamp: int) -> None:
        """Learns the time of the first packet of a round."""
        self.stamp = stamp
        if not self.first:
            super().origin(stamp)

    def begin(self) -> None:
        """Learns that the first batch is through."""
        if not self.first:
            super().begin()

    def write(self, batch: Batch) -> None:
        """Takes a batch, at once."""
        self.room -= len(batch.data) + len(batch.rows)
        if self.room < 0 and not self.first:
            self.batches = None
        if self.batches is not None:
            self.batches.append(Batch(bytearray(batch.data), bytearray(batch.rows)))  # its buffer serves the next one too
        if not self.first:
            super().write(batch)

    def again(self, most: int) -> int:
        """Hands on all that was kept; gives how often, at most so many times: short rounds are joined."""
        kept = self.batches or []
        times = min(most, max(1, ROUNDS_AT_ONCE // max(1, len(kept[0])))) if len(kept) == 1 else 1
        self.sink.origin(self.stamp)  # type: ignore[arg-type]  # there was a first packet
        for batch in kept:
            self.sink.write(batch if times == 1 else Batch(batch.data, batch.rows * times))
        return times


class OneAtATime(Relay):
    """Hands on a packet whenever a key is pressed, and shows it before; ends where the key says so."""

    def __init__(self, sink: Sink, keys: Keys, shown: Sink) -> None:
        super().__init__(sink)
        self.keys, self.shown = keys, shown

    def write(self, batch: Batch) -> None:
        """Takes a batch. Raises Interrupted where it is to end."""
        for i in range(len(batch)):
            self.shown.write(batch.part(i, i + 1))
            if self.keys.pressed() in (b"q", b"Q", b"\x04", b""):
                raise Interrupted(ALARM)
            self.sink.write(batch.part(i, i + 1))
