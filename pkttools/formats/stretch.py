"""Packets in a file, so plain that pieces of them can be read apart: by several processes, see flow/ring.py."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch


class Stretch:
    """What a reader knows where they begin, and that holds as long as they are plain.

    counts: what it has counted of them: it takes that over where it goes on itself.
    """

    TALLIES = ("counts",)  # see flow/tallies.py

    def __init__(self, counts: int = 0) -> None:
        """counts: how many."""
        self.counts = [0] * counts

    def cut(self, buffer: bytearray, used: int) -> int:
        """How many of the first `used` bytes are a piece: whole packets. 0: what comes next is for the reader itself."""
        raise NotImplementedError

    def batches(self, buffer: bytearray, stop: int) -> Iterator[Batch]:
        """The packets of the piece that was cut last. Raises PktError where it is for the reader itself."""
        raise NotImplementedError
