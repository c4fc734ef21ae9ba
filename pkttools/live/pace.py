"""When to send: deadlines for packets, and how late they were met. All times in nanoseconds."""

from __future__ import annotations

import time

from ..command_line.signals import wait
from .histogram import Histogram

SPIN = 150_000  # the last part of a wait is spent looking at the clock: sleep(2) wakes up some 60 us late


class Pace:
    """Deadlines, each counted from the start, so that errors do not add up.

    speed: of the original timing. pps, mbps: a rate instead. fast: no waiting. after_previous: the original gap, but
    from when the packet before was really sent. wait: nanoseconds more between any two packets.
    """

    def __init__(self, *, speed: float = 1, pps: float = 0, mbps: float = 0, fast: bool = False,
                 after_previous: bool = False, wait: int = 0) -> None:  # fmt: skip
        self.speed, self.pps, self.mbps, self.fast, self.after_previous, self.wait = speed, pps, mbps, fast, after_previous, wait
        self.begun = False
        self.origin: int | None = None  # the time of the first packet of a round that was read, if that is known
        self.pause = 0  # before a round

    @property
    def paced(self) -> bool:
        """Whether there are deadlines at all."""
        return not self.fast or self.wait > 0

    def restart(self) -> None:
        """Lets the next packet be the first one of a new round: a rate goes on, the original timing starts again."""
        self.begun = self.begun and not self.original
        self.origin = None

    @property
    def original(self) -> bool:
        """Whether the packets' own times count."""
        return not (self.pps or self.mbps or self.fast)

    def begin(self, now: int) -> None:
        """Lets the time of a round run, where it counts from a packet that was read and is not sent."""
        if not self.begun and self.original and self.origin is not None:
            self.start_at(now, self.origin)

    def start_at(self, now: int, stamp: int) -> None:
        """Starts a round, on the clock of `now`; stamp: the time of packets that belongs to it."""
        self.begun, self.start, self.first, self.count, self.bits = True, now + self.pause, stamp, 0, 0
        self.last_bits, self.last_due = 0, self.start
        self.last_sent, self.last_stamp, self.pause = self.start, stamp, self.wait

    def deadline(self, stamp: int, size: int, now: int) -> int:
        """When to send the next packet, on the clock of `now`; stamp: its own time, size: its bytes."""
        if not self.begun:
            self.start_at(now, self.origin if self.original and self.origin is not None else stamp)
        # From the first packet of the round that was read, or with after_previous from the one before.
        steps, bits, since = self.count, self.bits, self.first
        if self.after_previous:
            steps, bits, since = min(steps, 1), self.last_bits, min(stamp, self.last_stamp)
        if self.pps:
            gap = steps * 1_000_000_000 / self.pps
        elif self.mbps:
            gap = bits * 1000 / self.mbps
        else:
            gap = 0 if self.fast else (stamp - since) / self.speed
        due = (self.last_sent if self.after_previous else self.start) + round(gap) + steps * self.wait
        self.last_due = due = max(due, self.last_due)  # a time that goes back is not late, it is due at once
        self.count += 1
        self.last_bits = size * 8
        self.bits += self.last_bits
        self.last_stamp = stamp
        return due

    def sent(self, now: int) -> None:
        """Notes when a packet was sent."""
        self.last_sent = now


def wait_until(due: int) -> int:
    """Waits; gives the time when it is over. Raises Interrupted when a signal comes."""
    while True:
        now = time.monotonic_ns()
        left = due - now
        if left <= 0:
            return now
        if left > SPIN:
            wait([], min((left - SPIN) / 1e9, 3600))


class Lateness(Histogram):
    """How late packets were."""

    def __str__(self) -> str:
        return f"late by {_shown(self.quantile(0.5))} (median), {_shown(self.quantile(0.99))} (99 %), {_shown(self.worst)} (worst)"


def _shown(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:.0f} us" if nanoseconds < 10_000_000 else f"{nanoseconds / 1e6:.1f} ms"
