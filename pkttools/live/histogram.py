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
        """`part` of all are no longer than this, by at most one sixteenth more than it takes: the end of a step, or the longest."""
        rank = -(-self.count * round(part * 1000) // 1000)  # in whole thousandths: 99.9 / 100 is more than 0.999
        if rank > self.below:
            found = reach(self.numbers[:STEPS], rank - self.below)[1]
        else:
            found = -reach(self.numbers[STEPS : 2 * STEPS], self.below - rank + 1)[0] if self.below else self.least
        return min(max(found, self.least), self.worst)  # the longest of a step may be short of its end


def reach(steps: memoryview, rank: int) -> tuple[int, int]:
    """The least and the most of the step in which that rank is; of the last one, where it is beyond."""
    found = 0, 0
    for i, n in enumerate(steps.tolist()):
        rank -= n
        if n:
            bits, step = divmod(i, 16)
            least = (16 + step) << bits - 1 >> 4
            found = least, least + max(1, 1 << bits - 1 >> 4) - 1
            if rank <= 0:
                break
    return found
