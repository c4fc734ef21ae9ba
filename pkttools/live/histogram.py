"""Durations counted in little memory, however many they are."""

from __future__ import annotations

from .. import codec
from ..codec import ABOVE, BELOW, JITTER, LEAST, STEPS, WORST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array


class Histogram:
    """Durations in nanoseconds, 16 steps to each doubling; delays may be below zero, where clocks differ.

    count: how many there are. below: how many of them are below zero. least, worst: the shortest and the longest.
    """

    def __init__(self) -> None:
        self.state = bytearray(8 * (JITTER + 1))
        self.numbers = memoryview(self.state).cast("q")

    def add(self, durations: array[int] | memoryview) -> None:
        """Counts some, 64 bits each."""
        codec.count_durations(durations, self.state)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.numbers[ABOVE] + self.numbers[BELOW]

    @property
    def below(self) -> int:
        """How many are below zero."""
        return self.numbers[BELOW]

    @property
    def least(self) -> int:
        """The shortest."""
        return self.numbers[LEAST]

    @property
    def worst(self) -> int:
        """The longest."""
        return self.numbers[WORST]

    @property
    def jitter(self) -> float:
        """How much they vary from one to the next, RFC 3550 section 6.4.1, in nanoseconds."""
        return memoryview(self.state).cast("d")[JITTER]

    def quantile(self, part: float) -> int:
        """Below this were `part` of all, to one sixteenth."""
        rank = part * self.count
        if rank > self.below:
            found = reach(self.numbers[:STEPS], rank - self.below)
        else:
            found = -reach(self.numbers[STEPS : 2 * STEPS], self.below - rank) if self.below else self.least
        return min(max(found, self.least), self.worst)  # a step begins before the least that is in it


def reach(steps: memoryview, rank: float) -> int:
    """The end of the step in which that rank is; the end of the last one, where it is beyond."""
    end = 0
    for i, n in enumerate(steps.tolist()):
        rank -= n
        if n:
            bits, step = divmod(i, 16)
            end = (16 + step) << bits - 1 >> 4
            if rank <= 0:
                break
    return end
