"""Views of a line a packet, for programs: what is the same of all."""

from __future__ import annotations

from itertools import accumulate

from ..formats.files import Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

    from ..batch import Batch


def ends(text: bytes | bytearray) -> list[int]:
    """Where lines end in what was written."""
    return list(accumulate(map(len, bytes(text).splitlines(keepends=True))))


def all_of(text: bytes) -> list[int]:
    """The same of a packet that is written by itself."""
    return [len(text)]


class RecordSink(Sink):
    """Writes a line a packet."""

    output: Output
    STATE = ("count",)

    def __init__(self, output: Output) -> None:
        self.output = output
        self.count = 0

    def encode(self, batch: Batch, first: int, number: int | array[int]) -> tuple[bytes | bytearray, int]:
        """The lines of packets from `first` on, and the packet before which they stop. number: of the first one, or of each."""
        raise NotImplementedError

    def write(self, batch: Batch) -> None:
        """Writes a batch at once."""
        first, numbers = 0, batch.counted_as()
        while first < len(batch):
            text, stop = self.encode(batch, first, self.count + 1 if numbers is None else numbers)
            self.output.write(text, stop - first, ends)
            self.count += stop - first
            first = stop

    def close(self) -> list[str]:
        """Ends the stream."""
        self.output.close()
        return []
