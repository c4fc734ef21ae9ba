"""Text that is read in pieces: of packets that lie one behind the other, as they are written."""

from __future__ import annotations

import time

from .. import codec
from ..batch import Batch
from ..errors import PktError
from .stretch import Stretch
from .text import PASSED_OVER, complete, together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Lines(Stretch):
    """Packets of one link type. counts: what was passed over, and lines. now: the time of packets that say none, all of them."""

    def __init__(self, linktype: int, now: int | None) -> None:
        super().__init__(PASSED_OVER + 1)
        self.linktype, self.now = linktype, now or time.time_ns() // 1000 * 1000

    def cut(self, buffer: bytearray, used: int) -> int:
        """How many bytes are the lines of whole packets."""
        return complete(buffer, 0, used)

    def batches(self, buffer: bytearray, stop: int) -> Iterator[Batch]:
        """Their packets. Raises PktError where they are not sound, or their link type changes."""
        start = line = 0
        while start < stop:
            consumed, data, rows, linktype, line, error, passed_over = codec.text_decode(
                buffer, start, stop, False, self.linktype, line, self.now
            )
            if error or consumed == start or linktype != self.linktype:
                raise PktError("for the reader")
            self.counts = together(self.counts, (*passed_over, 0))
            start = consumed
            if rows:
                yield Batch(data, rows)
        self.counts[-1] += line
