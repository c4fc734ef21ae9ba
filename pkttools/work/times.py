"""Gives packets other times: moved, started at another one, stretched, at a fixed distance, none before the one in front of it."""

from __future__ import annotations

from array import array

from ..batch import COLUMNS, TIME, Batch
from ..errors import passed
from ..language.times import MOST_TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Retimer:
    """A stage of a flow. Times are counted from the first packet that is changed; all numbers are nanoseconds.

    shift: what is added. start: what the first one gets; None: its own. scale: of distances to the first, above and below a
    fraction's line; what is no whole nanosecond is rounded down. every: the distance of each to the one before; None: its own. gap:
    the least of these; None: times may also go back. chosen: says which packets of a batch are changed; None: all.
    early, late: how many passed as they came, since their times would be before 1970, or later than times go.
    """

    TALLIES = ("count", "early", "late")  # see flow/tallies.py

    def __init__(self, *, shift: int = 0, start: int | None = None, scale: tuple[int, int] = (1, 1), every: int | None = None,
                 gap: int | None = None, chosen: Callable[[Batch], Sequence[int]] | None = None) -> None:  # fmt: skip
        self.shift, self.start, self.scale, self.every, self.gap, self.chosen = shift, start, scale, every, gap, chosen
        self.origin: int | None = None  # the first one's time, as it came
        self.count = 0  # of packets that were changed
        self.last: int | None = None  # the time that the one before got
        self.early = self.late = 0

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets."""
        for batch in stream:
            times = batch.column(TIME)
            which = None if self.chosen is None else self.chosen(batch)
            if which is None or all(which):
                times = self.changed(times)
            elif any(which):
                places = [i for i, one in enumerate(which) if one]
                for i, made in zip(places, self.changed([times[i] for i in places]), strict=True):
                    times[i] = made
            set_times(batch, times)
            yield batch

    def changed(self, times: list[int]) -> list[int]:
        """The times that packets get which came with these."""
        if not times:
            return times
        if self.origin is None:
            self.origin = times[0]
        origin, (above, below) = self.origin, self.scale
        first = origin + self.shift if self.start is None else self.start
        if self.every is not None:
            made = [first + n * self.every for n in range(self.count, self.count + len(times))]
        elif above != below:
            made = [first + (t - origin) * above // below for t in times]
        else:
            moved = first - origin
            made = [t + moved for t in times]
        self.count += len(times)
        if self.gap is not None:
            made = self.apart(made, self.gap)
        if min(made) < 0 or max(made) > MOST_TIME:
            self.early += sum(t < 0 for t in made)
            self.late += sum(t > MOST_TIME for t in made)
            made = [new if 0 <= new <= MOST_TIME else old for old, new in zip(times, made, strict=True)]
        return made

    def apart(self, times: list[int], gap: int) -> list[int]:
        """The same times, each by so much later than the one before, at least."""
        last = self.last
        for i, t in enumerate(times):
            if last is not None and t < last + gap:
                times[i] = t = last + gap
            last = t
        self.last = last
        return times

    def said(self) -> list[str]:
        """What there is to say at the end."""
        counts = ((self.early, "before 1970"), (self.late, f"later than {MOST_TIME // 1_000_000_000} s after 1970"))
        return [passed(n, f"their times would be {when}") for n, when in counts if n]


def set_times(batch: Batch, times: list[int]) -> None:
    """Gives all packets of a batch a time, in nanoseconds since 1970."""
    batch.columns()[TIME::COLUMNS] = memoryview(array("q", times))
