"""Captures in files that are read twice, the first time for their times alone, so that a sort need not wait for their end."""

from __future__ import annotations

import os
from bisect import bisect_right
from itertools import accumulate

from ..batch import COLUMNS, TIME
from ..errors import PktError
from ..formats import capture_format, joined, packets
from .stage import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from ..command_line.options import Values
    from ..formats.files import Input, Output
    from ..work.sorting import Sorted

LEAST = 4 << 20  # bytes of files, below which it does not pay
SHARE = 8  # of the memory of a sort: packets that are further out of their place than that part of it need all of it


class Foreseen(Source):
    """The usual source, which tells a sort by time what is still to come, where that can be known: its `floor`, and `ahead`."""

    def __init__(self, values: Values, ordered: Sorted) -> None:
        """Raises PktError."""
        super().__init__(values)
        self.ordered = ordered

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """The packets."""
        file: Input = self.file  # type: ignore[assignment]  # it has one
        floors: list[int] = []
        if not self.ordered.keyed and can_be_read_twice(file):
            sections, file.sections = file.sections, None  # what goes along with packets goes once
            floors = earliest_to_come(self.watched(joined(file, packets), output), self.ordered.memory // SHARE)
            file.said, file.sections = [], sections
            file.rewind()
        for stream in super().streams(output):
            yield self.telling(stream, floors)

    def telling(self, stream: Iterator[Batch], floors: list[int]) -> Iterator[Batch]:
        """The batches; the sort knows when one is there, and all before it are through."""
        for i, batch in enumerate(stream):
            self.ordered.floor, self.ordered.ahead = (floors[j] if j < len(floors) else None for j in (i, i + 1))
            yield batch


def can_be_read_twice(file: Input) -> bool:
    """Whether these are captures in files, and large enough."""
    if not file.are_files or sum(found.st_size for found in file.found) < LEAST:
        return False
    return bool(capture_format(os.pread(file.fd, 4, os.lseek(file.fd, 0, os.SEEK_CUR)), 4))  # standard input stands anywhere


def earliest_to_come(stream: Iterator[Batch], most: int) -> list[int]:
    """For each batch of a stream the earliest time in it and in all behind it; nothing where packets are further out of order.

    most: bytes of packets between one that is too late and the first one that is later.
    """
    earliest: list[int] = []
    latest: list[int] = []  # of all up to there
    ends = [0]  # bytes of packets up to there
    try:
        for batch in stream:
            times = batch.columns()[TIME::COLUMNS].tolist()
            first, last = min(times), max(times)
            if latest and first < latest[-1] and ends[-1] - ends[bisect_right(latest, first)] > most:
                return []
            earliest.append(first)
            latest.append(max(last, latest[-1]) if latest else last)
            ends.append(ends[-1] + len(batch.data))
    except PktError:
        pass  # the second time it will be said
    return list(accumulate(reversed(earliest), min))[::-1]
