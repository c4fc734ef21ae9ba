"""Where packets are counted, and figures written: at the end, and at intervals; a sink."""

from __future__ import annotations

import time

from ..batch import Batch
from ..command_line import signals
from ..formats.files import Output, Sink
from .figures import Figures, Interval, Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Report(Sink):
    """Counts, and writes what `text` makes of the figures.

    every: seconds after which it does so, again and again; in the end it does anyway.
    """

    output: Output
    stopped = ""  # what came until then is reported

    def __init__(self, output: Output, figures: Figures, text: Callable[[Snapshot], bytes], every: float | None) -> None:
        self.output, self.figures, self.text, self.every = output, figures, text, every
        self.before, self.packets, self.bytes = time.monotonic_ns(), 0, 0  # at the last time
        if every is not None:
            signals.every(every, self.tell)

    def write(self, batch: Batch) -> None:
        """Counts a batch."""
        self.figures.add(batch)
        if self.every is not None:
            signals.due()

    def tell(self) -> None:
        """Writes the figures by now."""
        found = self.figures.read()
        if self.every is not None:
            now = time.monotonic_ns()
            found.interval = Interval(time.time_ns(), now - self.before, found.packets - self.packets, found.bytes - self.bytes)
            self.before, self.packets, self.bytes = now, found.packets, found.bytes
        self.output.write(self.text(found))

    def close(self) -> list[str]:
        """Writes the last ones."""
        self.tell()
        self.output.close()
        return []
