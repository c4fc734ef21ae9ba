"""Sorts all packets of a stream, by time or by what they hold, in so much memory: what it does not hold waits in a temporary file.

Packets gather in memory. When it is full they are sorted and written to the file, as a run; in the end the runs are merged.
Where it is known how early packets are that are still to come, those go on at once that are as early: then what is nearly in
order takes little of it, and no file.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from mmap import mmap

from .. import codec
from ..batch import COLUMNS, ROW_BYTES, TIME, Batch
from ..errors import counted, need
from ..formats.merged import merged
from ..formats.spilled import PIECE, Run, Spilled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = 64 << 20  # bytes
LEAST = 2 << 20  # bytes, below which more of them would be taken than packets get
ROW_COST = ROW_BYTES + ROW_BYTES // 8 + 32  # bytes of a packet besides its own: its row, room to grow, what sorting takes
RUN_COST = 2 * PIECE  # bytes of a run that is merged: a piece of it, with rows
MANY = 8192  # packets of a batch for whose rows there is room; should it have more, they take a little of what the process has
PART = 512 << 10  # bytes of packets that are given at once


class Sorted:
    """A stage of a flow. It gives nothing before the stream has ended, then all packets, equal ones in the order they came in.

    memory: bytes that packets may take. columns: what they are sorted by, for codec.key_rows; empty: by time. floor: a time, such
    that no packet is earlier that comes from now on; None: not known. ahead: the same, behind the batch that comes next. spilled:
    bytes that were written to temporary files. late: packets that came nevertheless when later ones had been given.
    """

    TALLIES = ("late", "spilled")  # see flow/tallies.py

    def __init__(self, memory: int = MEMORY, columns: bytes = b"") -> None:
        self.memory, self.columns, self.keyed = max(memory, LEAST), columns, bool(columns)
        self.floor: int | None = None
        self.ahead: int | None = None
        self.given: int | None = None  # time of the latest packet that was given before the end
        self.came = self.spilled = self.late = 0
        self.file: Spilled | None = None
        self.runs: list[Run] = []  # in the order in which their packets came
        self.last: int | None = None  # time of the last packet of the last run
        self.rows, self.used = bytearray(), 0  # what is in memory
        self.spare: mmap | None = None  # as much again, for a little of it
        self.enough = 2 * PART  # bytes from which it pays to look whether some can go

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets. Raises PktError where a temporary file fails."""
        self.held = mmap(-1, self.memory)  # it is only taken as it is written to
        for batch in stream:
            if self.floor is not None and self.used >= self.enough and not self.runs:
                yield from self.early(self.floor)
            if self.ahead is not None and not self.rows and not self.runs and self.in_place(batch, self.ahead):
                yield batch
                continue
            for some in self.with_keys(batch) if self.keyed else [batch]:
                self.take(some)
        rest = self.in_memory()
        streams = [run.batches() for run in self.runs] + [parts(rest, self.used)]
        yield from merged(streams, keyed=self.keyed) if self.runs else streams[0]

    def in_place(self, batch: Batch, ahead: int) -> bool:
        """Whether these packets stand where they belong, and can go as they are: in order, and between those before and behind."""
        if not len(batch) or not codec.sort_rows(batch.data, batch.rows, False):
            return False
        first, last = batch.columns()[TIME], batch.columns()[TIME - COLUMNS]
        if last > ahead or (self.given is not None and first < self.given):
            return False
        self.given = last
        return True

    def with_keys(self, batch: Batch) -> Iterator[Batch]:
        """The same packets with what they are sorted by."""
        first = 0
        while first < len(batch):
            data, rows, stop = codec.key_rows(batch.data, batch.rows, first, self.came + 1, self.columns)
            self.came += stop - first
            yield Batch(data, rows)
            first = stop

    def take(self, batch: Batch) -> None:
        """Takes packets into memory. When it is full, what is there goes to the file first."""
        first = 0
        while first < len(batch):
            with memoryview(self.held)[: self.room(len(batch) - first)] as out:
                stop, self.used, rows = codec.gather_rows(batch.data, batch.rows, first, out, self.used, self.keyed)
            self.rows += rows
            first = stop
            if first < len(batch) and self.rows:
                self.spill()
            elif first < len(batch):  # a packet for which all of it is too little
                self.memory *= 2
                self.held = mmap(-1, self.memory)

    def room(self, more: int) -> int:
        """Up to where memory may be filled when so many packets come: rows take some of it, and in the end runs do."""
        count = len(self.rows) // ROW_BYTES + min(more, MANY)
        return max(self.used, self.memory - RUN_COST * (len(self.runs) + 1) - ROW_COST * count)

    def in_memory(self) -> Batch:
        """The packets that are in memory, in order."""
        codec.sort_rows(self.held, self.rows, self.keyed)
        batch = Batch(self.held, self.rows)
        if self.given is not None:
            self.late += bisect_left(batch.columns()[TIME::COLUMNS], self.given)
        return batch

    def early(self, floor: int) -> Iterator[Batch]:
        """Gives those that are in memory and no later than a time; the others stay."""
        batch = self.in_memory()
        count = bisect_right(batch.columns()[TIME::COLUMNS], floor)
        if count:
            self.given = batch.columns()[(count - 1) * COLUMNS + TIME]
            yield from parts(batch.part(0, count), self.used)
            self.held, self.spare = self.spare or mmap(-1, self.memory), self.held
            _, self.used, self.rows = codec.gather_rows(batch.data, batch.rows, count, self.held, 0)
        self.enough = 2 * PART + 2 * self.used

    def spill(self) -> None:
        """Writes what is in memory to the file."""
        batch = self.in_memory()
        self.file = self.file or Spilled()
        before = self.file.end
        first, last = batch.columns()[TIME], batch.columns()[TIME - COLUMNS]
        if self.last is None or self.last > first or self.keyed:
            self.runs.append(self.file.run())
        self.file.write(self.runs[-1], batch, self.keyed)
        self.last, self.spilled = last, self.spilled + self.file.end - before
        self.rows, self.used = bytearray(), 0
        if RUN_COST * len(self.runs) > self.memory // 2:
            self.join()

    def join(self) -> None:
        """Makes one run of all of them, in another file."""
        file = Spilled()
        run = file.run()
        for batch in merged([run.batches() for run in self.runs], keyed=self.keyed):
            file.write(run, batch, self.keyed)
        self.file, self.runs, self.spilled = file, [run], self.spilled + file.end

    def said(self, verbose: bool) -> list[str]:
        """What there is to say in the end."""
        said = [f"{counted(self.late, 'packet')} out of order: the input changed while it was read"] if self.late else []
        return said + ([f"{self.spilled} bytes went to temporary files"] if verbose and self.spilled else [])


def parts(batch: Batch, size: int) -> Iterator[Batch]:
    """The packets of a batch, which take so many bytes, in smaller ones."""
    step = max(1, len(batch) * PART // max(size, 1))
    for first in range(0, len(batch), step):
        yield batch.part(first, first + step)


def columns_of_keys(text: str) -> bytes:
    """What --by says, for codec.key_rows: fields as --fields has them, `-` in front of those whose largest come first.

    Raises UsageError.
    """
    from ..views.fields import columns_of  # late: most sort by time

    parts = [part.strip() for part in text.split(",") if part.strip()]
    columns = columns_of(",".join(part.removeprefix("-") for part in parts), "--by")
    for column in columns:
        need(not column.is_list, f"--by: {column.name}: sorts by one of them, [1] is the first")
    return b"".join(column.first().code(part.startswith("-")) for part, column in zip(parts, columns, strict=True))
