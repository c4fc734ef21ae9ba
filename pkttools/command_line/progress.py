"""How far long work has come, for someone who waits at a terminal."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from ..formats.files import Input


class Progress:
    """A line on standard error, if that is a terminal: from the third second on, once a second."""

    def __init__(self) -> None:
        visible = sys.stderr is not None and sys.stderr.isatty()
        self.next = time.monotonic() + 2 if visible else float("inf")
        self.shown = False

    @property
    def due(self) -> bool:
        """Whether the line should be renewed."""
        return time.monotonic() >= self.next

    def show(self, text: str) -> None:
        """Renews the line."""
        self.next = time.monotonic() + 1
        self.shown = True
        sys.stderr.write(f"\r{text}\033[K")
        sys.stderr.flush()

    def clear(self) -> None:
        """Takes the line away."""
        if self.shown:
            self.shown = False
            clear_line()


def clear_line() -> None:
    """Takes the last line away, on a terminal: somebody else's, too."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()


def reading(source: Iterator[Batch], file: Input, output: int) -> Iterator[Batch]:
    """The batches of `source`; shows how much of regular files was read, unless what is written shows on the terminal."""
    if os.isatty(output):
        yield from source
        return
    progress, count = Progress(), 0

    def show(more: int) -> None:
        nonlocal count
        count += more
        if progress.due:
            progress.show(f"{count} packets, {file.percent} %")

    file.shown = show
    try:
        for batch in source:
            yield batch
            show(len(batch))
    finally:
        progress.clear()
