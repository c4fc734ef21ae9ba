"""When packets are due: at a rate, or at one that rises or falls evenly."""

from __future__ import annotations

from math import ceil, sqrt

SECOND = 1_000_000_000  # nanoseconds


class Schedule:
    """The times of packets, in nanoseconds from the first one on.

    first, last: packets a second at the start, and from `ramp` seconds on; in between it changes evenly.
    """

    def __init__(self, first: float, last: float | None = None, ramp: float = 0) -> None:
        self.first, self.last, self.ramp = first, first if last is None else last, ramp
        self.steep = (self.last - self.first) / ramp if ramp and self.last != self.first else 0.0
        self.within = (self.first + self.last) / 2 * ramp if self.steep else 0.0  # packets of the ramp

    def times(self, begin: int, count: int) -> list[int]:
        """When packets are due, from number `begin` on."""
        if not self.steep:
            rate = self.first
            return [round(n * SECOND / rate) for n in range(begin, begin + count)]
        return [round(self.at(n) * SECOND) for n in range(begin, begin + count)]

    def at(self, n: int) -> float:
        """When packet `n` is due, in seconds: `first * t + steep * t * t / 2` packets come before t."""
        if n >= self.within:
            return self.ramp + (n - self.within) / self.last
        return 2 * n / (self.first + sqrt(max(0.0, self.first * self.first + 2 * self.steep * n)))

    def before(self, seconds: float) -> int:
        """How many packets are due before so many seconds are over."""
        if not self.steep:
            packets = self.first * seconds
        elif seconds <= self.ramp:
            packets = self.first * seconds + self.steep * seconds * seconds / 2
        else:
            packets = self.within + (seconds - self.ramp) * self.last
        return max(0, ceil(packets - 1e-6))
