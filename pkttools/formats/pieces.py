"""Where a stream is cut into files, one after the other: after so many packets, bytes, or so much time.

What cuts learns when a file begins, and says how many packets from the front of a batch still go into it; 0: it is full.
"""

from __future__ import annotations

import re

from ..batch import CAPTURED, COLUMNS, NOTES_SIZE, TIME, Batch
from ..command_line.options import SIZES
from ..errors import UsageError
from ..language.times import UNITS
from .files import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ..command_line.options import Values

    class Cut(Protocol):
        """What cuts a stream."""

        def begin(self, output: Measured) -> None:
            """Learns of a file that begins."""

        def fitting(self, batch: Batch) -> int:
            """How many packets go into it; 0: none does any more."""


TIMES = ("s", "min", "h", "d")
SIZE, SPAN = "a size, such as 100M (k, M, G)", "a time, such as 10min (s, min, h, d)"
LONGEST, NARROW = 5, 20  # bytes of a file that one of a packet takes, at most: of text; of such with few in a line
AROUND = 300  # bytes that a packet takes besides; its fields take any number


def amount(text: str, units: dict[str, int]) -> int | None:
    """A whole number, not 0, with one of these units behind it; None: it is nothing of the kind."""
    found = re.fullmatch(r"([0-9]{1,12})([a-zA-Z]*)", text)
    return int(found[1]) * units[found[2]] or None if found and found[2] in units else None


def size_or_span(option: str, text: str, values: Values, form: str) -> Cut:
    """What cuts by a size, or by a time: the text says which. Raises UsageError."""
    if size := amount(text, SIZES):
        return BySize(size, values, form)
    if span := amount(text, {unit: UNITS[unit] for unit in TIMES}):
        return BySpan(span)
    raise UsageError(f"{option} '{text[:40]}': wanted is {SIZE}, or {SPAN}")


class Measured(Output):
    """A file of which it is known how much was written, before that is compressed."""

    written = 0

    def write(self, data: bytes | bytearray | memoryview, count: int = 0, ends: Callable[[Any], list[int]] | None = None) -> None:
        """Writes all of it. Raises OutputError."""
        self.written += memoryview(data).nbytes
        super().write(data, count, ends)


class ByCount:
    """So many packets a file."""

    def __init__(self, count: int) -> None:
        self.count = self.left = count

    def begin(self, output: Measured) -> None:
        """A file begins."""
        self.left = self.count

    def fitting(self, batch: Batch) -> int:
        """As many as are missing."""
        fits = min(self.left, len(batch))
        self.left -= fits
        return fits


class BySize:
    """A file ends with the packet with which it has its size."""

    def __init__(self, size: int, values: Values, form: str) -> None:
        """values: how packets are written in this form."""
        self.size = size
        self.single = form == "text" and (values.fields or values.all_fields)  # whether packets are written one by one
        self.longest = LONGEST if values.width >= 16 else NARROW

    def begin(self, output: Measured) -> None:
        """A file begins."""
        self.output = output

    def fitting(self, batch: Batch) -> int:
        """All of them, or as many as surely leave room; at least one, unless it is full."""
        room = self.size - self.output.written
        if room <= 0:
            return 0
        if self.single:
            return 1
        columns, count = batch.columns(), len(batch)
        captured, notes = (columns[column::COLUMNS].tolist() for column in (CAPTURED, NOTES_SIZE))
        if self.longest * sum(captured) + sum(notes) + AROUND * count < room:
            return count
        for i in range(count):
            room -= self.longest * captured[i] + notes[i] + AROUND
            if room <= 0:
                return max(i, 1)
        return count


class BySpan:
    """A file ends in front of the first packet that is so much younger than the file's first.

    Spans follow each other from the stream's first packet on; one without packets has no file.
    """

    def __init__(self, span: int) -> None:
        """span: in nanoseconds."""
        self.span = span
        self.until: int | None = None  # the time at which the file is over

    def begin(self, output: Measured) -> None:
        """A file begins."""

    def fitting(self, batch: Batch) -> int:
        """Those in front of the first one that is too young; where it is the first of all, the next span begins."""
        times = batch.column(TIME)
        if self.until is None:
            self.until = times[0] + self.span
        until = self.until
        if max(times) < until:
            return len(times)
        count = next(i for i, time in enumerate(times) if time >= until)
        if not count:
            self.until += self.span * ((times[0] - until) // self.span + 1)
        return count
