"""Durations counted in little memory, however many they are."""

from __future__ import annotations


class Histogram:
    """Durations in nanoseconds, none below zero: 16 steps to each doubling."""

    def __init__(self) -> None:
        self.steps = [0] * 1024
        self.count = self.worst = 0

    def add(self, duration: int) -> None:
        """Counts one."""
        self.count += 1
        self.worst = max(self.worst, duration)
        bits = max(duration, 1).bit_length()
        self.steps[min(bits * 16 + (duration << 4 >> bits - 1 & 15), 1023)] += 1

    def quantile(self, part: float) -> int:
        """Below this were `part` of all, to one sixteenth."""
        left = self.count * part
        for i, n in enumerate(self.steps):
            left -= n
            if n and left <= 0:
                bits, step = divmod(i, 16)
                return min((16 + step) << bits - 1 >> 4, self.worst)
        return self.worst
