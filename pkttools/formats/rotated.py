"""One file after another: a new one when one is large enough, or its time is over; only the last ones are kept."""

from __future__ import annotations

import os
import re

from ..batch import CAPTURED, COLUMNS, NOTES_SIZE, TIME, Batch
from ..errors import OutputError, PktError, UsageError, counted
from ..language.times import UNITS
from . import sink_of
from .files import Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values

SIZES = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # bytes
TIMES = ("s", "min", "h", "d")
LONGEST, NARROW = 5, 20  # bytes of a file that one of a packet takes, at most: of text; of such with few in a line
AROUND = 300  # bytes that a packet takes besides; its fields take any number


def limits(text: str) -> tuple[int | None, int | None]:
    """Bytes of a file, or nanoseconds for which it is written: `100M`, `10min`. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,12})([a-zA-Z]*)", text)
    amount = int(found[1]) if found else 0
    if found and amount and found[2] in SIZES:
        return amount * SIZES[found[2]], None
    if found and amount and found[2] in TIMES:
        return None, amount * UNITS[found[2]]
    raise UsageError(f"--rotate '{text[:40]}': wanted is a size, such as 100M (k, M, G), or a time, such as 10min (s, min, h, d)")


class Measured(Output):
    """A file of which it is known how much was written."""

    written = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes all of it. Raises OutputError."""
        self.written += memoryview(data).nbytes
        super().write(data)


class Rotated(Sink):
    """Writes NAME-00001.ENDING, NAME-00002.ENDING and so on, each of them whole; a sink.

    A file ends with the packet with which it has its size, or in front of the first one that is its time younger than its first.
    """

    output: Output

    def __init__(self, values: Values, form: str, linktype: int) -> None:
        """form: in which it is written. linktype: of a stream without packets. Raises UsageError, PktError."""
        self.size, self.time = limits(values.rotate)
        self.values, self.form, self.linktype, self.keep = values, form, linktype, values.keep
        folder, slash, name = values.output.rpartition("/")
        self.folder = folder + slash
        dot = name.rfind(".") if "." in name[1:] else len(name)
        self.name, self.ending = name[:dot], name[dot:]
        self.single = form == "text" and (values.fields or values.all_fields)  # whether packets are written one by one
        self.longest = LONGEST if values.width >= 16 else NARROW
        self.number = self.removed = 0
        self.until: int | None = None  # the time at which the file is over
        self.said: list[str] = []
        self.lost = False
        self.begin_file()

    def path(self, number: int) -> str:
        """The name of a file."""
        return f"{self.folder}{self.name}-{number:05}{self.ending}"

    def begin_file(self) -> None:
        """Opens the next file. Raises PktError."""
        self.number += 1
        self.output = self.measured = Measured(self.path(self.number), None)
        self.sink = sink_of(self.values, self.output, self.form, self.linktype)

    def end_file(self) -> None:
        """Ends the file, and takes the oldest one away where there are too many. Raises OutputError."""
        self.said += self.sink.close()
        self.lost = self.lost or self.sink.failed
        old = self.number + 1 - (self.keep or 0)
        if self.keep and old > 0:
            try:
                os.unlink(self.path(old))  # noqa: PTH108  pathlib is slow to import
                self.removed += 1
            except FileNotFoundError:
                pass  # somebody else did it
            except OSError as error:
                raise OutputError(f"{self.path(old)}: cannot be taken away: {error.strerror}") from None

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.lost or self.sink.failed

    def without_packets(self, link: int) -> None:
        """Learns of what link type the stream is that was read, for when it gets no packet."""
        self.sink.without_packets(link)

    def write(self, batch: Batch) -> None:
        """Writes a batch, into as many files as it takes. Raises PktError, OutputError."""
        if self.until is None:
            if not os.access(self.folder or ".", os.W_OK | os.X_OK):
                raise PktError(f"{self.folder or '.'}: the user that goes on may make no files there: -Z says who does")
            self.until = batch.columns()[TIME] + (self.time or 0)
        while len(batch):
            count = self.fitting(batch) if self.time is None else self.before(batch)
            if not count:
                self.end_file()
                self.begin_file()
                continue
            self.sink.write(batch.part(0, count))
            batch = batch.part(count, len(batch))

    def fitting(self, batch: Batch) -> int:
        """How many packets go into the file: all of them, or as many as surely leave room; at least one, unless it is full."""
        room = self.size - self.measured.written  # type: ignore[operator]  # there is a size where there is no time
        if room <= 0:
            return 0
        if self.single:
            return 1
        columns = batch.columns()
        for i in range(len(batch)):
            row = i * COLUMNS
            room -= self.longest * columns[row + CAPTURED] + columns[row + NOTES_SIZE] + AROUND
            if room <= 0:
                return max(i, 1)
        return len(batch)

    def before(self, batch: Batch) -> int:
        """How many packets are of the file's time; where none is, the next one's begins."""
        times = batch.column(TIME)
        count = next((i for i, time in enumerate(times) if time >= self.until), len(times))  # type: ignore[operator]  # it is known
        if not count:
            self.until += self.time * ((times[0] - self.until) // self.time + 1)  # type: ignore[operator]  # so is this
        return count

    def close(self) -> list[str]:
        """Ends the last file; gives what there is to say."""
        said = self.said + self.sink.close()
        kept = self.number - self.removed
        line = f"{counted(self.number, 'file')} written, the last one {self.path(self.number)}"
        return [*said, f"{line}; {kept} kept" if self.removed else line]
