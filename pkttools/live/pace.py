"""When to send: deadlines for packets, and how late they were met. All times in nanoseconds."""

from __future__ import annotations

import sys

from ..batch import COLUMNS, TIME
from ..kernel import deadlines
from .histogram import Histogram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..batch import Batch

BUSY = 100_000  # before each packet it is the clock that is looked at: what sleeps wakes up some 10 us late, and more in Python
STATE = 7  # numbers: see `struct pace` of kernel/c/kernel.h


class Pace:
    """Deadlines, each counted from the start, so that errors do not add up.

    speed: of the original timing. pps, mbps: a rate instead. fast: no waiting. after_previous: the original gap, but
    from when the packet before was really sent. wait: nanoseconds more between any two packets. between: between two rounds. busy:
    how long before each packet it is not slept any more.
    """

    def __init__(self, *, speed: float = 1, pps: float = 0, mbps: float = 0, fast: bool = False,
                 after_previous: bool = False, wait: int = 0, between: int = 0, busy: int = BUSY) -> None:  # fmt: skip
        self.rules = (float(speed), float(pps), float(mbps), fast, after_previous, wait)
        self.original = not (pps or mbps or fast)  # whether the packets' own times count
        self.paced = not fast or wait > 0 or between > 0  # whether there are deadlines at all
        self.apart = self.original or between > 0  # whether each round begins anew
        self.after_previous, self.wait, self.between, self.busy = after_previous, wait, between, busy
        self.begun = False
        self.origin: int | None = None  # the time of the first packet of a round that was read, if that is known
        self.pause = 0  # before a round
        self.state = bytearray(8 * STATE)
        self.last_sent = 0  # when the packet before was sent

    def restart(self) -> None:
        """Lets the next packet be the first one of a new round: a rate goes on, the original timing starts again."""
        self.begun = self.begun and not self.apart
        self.origin = None

    def begin(self, now: int) -> None:
        """Lets the time of a round run, where it counts from a packet that was read and is not sent."""
        if not self.begun and self.original and self.origin is not None:
            self.start_at(now, self.origin)

    def start_at(self, now: int, stamp: int) -> None:
        """Starts a round, on the clock of `now`; stamp: the time of packets that belongs to it."""
        self.begun, self.last_sent, self.pause = True, now + self.pause, self.wait + self.between
        for i, value in enumerate((self.last_sent, stamp, 0, 0, 0, stamp, self.last_sent)):
            self.state[8 * i : 8 * i + 8] = value.to_bytes(8, sys.byteorder, signed=True)

    def due(self, batch: Batch, first: int, count: int, now: int) -> memoryview:
        """When to send the next packets, on the clock of `now`; with after_previous how long behind the one before each."""
        if not self.begun:
            stamp = batch.columns()[first * COLUMNS + TIME]
            self.start_at(now, self.origin if self.original and self.origin is not None else stamp)
        return memoryview(deadlines(batch.rows, first, count, self.rules, self.state)).cast("q")


class Lateness(Histogram):
    """How late packets were."""

    def __str__(self) -> str:
        return f"late by {_shown(self.quantile(0.5))} (median), {_shown(self.quantile(0.99))} (99 %), {_shown(self.worst)} (worst)"

    def facts(self) -> dict[str, float] | None:
        """The same for programs, in seconds; None: nothing was timed."""
        parts = {"median": self.quantile(0.5), "99%": self.quantile(0.99), "worst": self.worst} if self.count else {}
        return {name: part / 1e9 for name, part in parts.items()} or None


def _shown(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:.0f} us" if nanoseconds < 10_000_000 else f"{nanoseconds / 1e6:.1f} ms"
