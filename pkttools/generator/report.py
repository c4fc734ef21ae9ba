"""What became of stamped packets on their way: lost, out of order, twice, late. All of them are one stream."""

from __future__ import annotations

from struct import unpack_from

from ..batch import CAPTURED, COLUMNS, OFFSET, TIME, Batch
from ..errors import counted
from ..formats.files import Output, Sink
from ..live.histogram import Histogram
from .schedule import SECOND
from .stream import MAGIC, STAMP

WINDOW = 1 << 20  # numbers below the highest of which it is known whether they came
TURN = 1 << 32  # sequence numbers, then they start over
MARK = MAGIC.to_bytes(4, "big")


class Sequence:
    """The numbers of packets as they come in, 32 bits each.

    came: different ones. late: those with a number below the highest so far, RFC 4737 section 3.3. again: those that had come
    already. beyond: late ones, too late to tell whether they had come; they count as `late`.
    """

    def __init__(self) -> None:
        self.seen = bytearray(WINDOW)
        self.came = self.late = self.again = self.beyond = 0
        self.first = self.highest = 0

    def add(self, number: int) -> None:
        """Takes a number in."""
        if not self.came:
            self.first = self.highest = number
            self.seen[number % WINDOW] = 1
            self.came = 1
            return
        step = (number - self.highest + TURN // 2) % TURN - TURN // 2  # the shorter way round
        if step > 0:
            self.forget(step)
            self.highest += step
            self.seen[self.highest % WINDOW] = 1
            self.came += 1
            return
        at = (self.highest + step) % WINDOW
        if -step >= WINDOW:
            self.beyond += 1
        elif self.seen[at]:
            self.again += 1
            return
        else:
            self.seen[at] = 1
        self.came += 1
        self.late += 1
        self.first = min(self.first, self.highest + step)

    def forget(self, step: int) -> None:
        """Makes room for the next `step` numbers."""
        if step >= WINDOW:
            self.seen = bytearray(WINDOW)
        elif step > 1:
            begin = (self.highest + 1) % WINDOW
            behind = min(WINDOW - begin, step)
            self.seen[begin : begin + behind] = bytes(behind)
            self.seen[: step - behind] = bytes(step - behind)
        else:
            self.seen[(self.highest + 1) % WINDOW] = 0

    def lost(self, expected: int | None) -> int:
        """How many did not come: of so many, or of those between the first and the highest."""
        wanted = expected if expected is not None else self.highest - self.first + 1 if self.came else 0
        return max(0, wanted - self.came)


class Delays:
    """Delays in nanoseconds, below zero too: clocks that differ. least, worst: the shortest and the longest."""

    def __init__(self) -> None:
        self.above, self.below = Histogram(), Histogram()
        self.least = self.worst = self.last = 0
        self.jitter = 0.0

    @property
    def count(self) -> int:
        """How many there are."""
        return self.above.count + self.below.count

    def add(self, delay: int) -> None:
        """Takes one in."""
        if self.count:
            self.least, self.worst = min(self.least, delay), max(self.worst, delay)
            self.jitter += (abs(delay - self.last) - self.jitter) / 16  # RFC 3550 section 6.4.1
        else:
            self.least = self.worst = delay
        self.last = delay
        if delay < 0:
            self.below.add(-delay)
        else:
            self.above.add(delay)

    def quantile(self, part: float) -> int:
        """Below this were `part` of all, to one sixteenth."""
        rank = part * self.count
        if rank > self.below.count:
            found = self.above.quantile((rank - self.below.count) / self.above.count)
        else:
            found = -self.below.quantile(1 - rank / self.below.count) if self.below.count else self.least
        return min(max(found, self.least), self.worst)  # a step begins before the least that is in it


class Report(Sink):
    """Reads stamps, and says in the end what became of the packets; a sink."""

    output: Output
    stopped = ""  # what came until then is reported
    needs = ()

    def __init__(self, output: Output, expected: int | None) -> None:
        """expected: how many packets were sent, if that is known."""
        self.output, self.expected = output, expected
        self.sequence, self.delays = Sequence(), Delays()
        self.unmarked = 0
        self.at = 0  # where the last stamp was

    def write(self, batch: Batch) -> None:
        """Reads the stamps of a batch."""
        columns, data = batch.columns().tolist(), batch.data
        find = data.find
        for i in range(0, len(columns), COLUMNS):
            offset, captured = columns[i + OFFSET], columns[i + CAPTURED]
            at, end = offset + self.at, offset + captured
            if at + STAMP > end or data[at : at + 4] != MARK:
                at = find(MARK, offset, end)  # wherever it is: other headers, or what carries the packet
                if at < 0 or at + STAMP > end:
                    self.unmarked += 1
                    continue
                self.at = at - offset
            number, seconds, micros = unpack_from(">III", data, at + 4)
            self.sequence.add(number)
            self.delays.add(columns[i + TIME] - seconds * SECOND - micros * 1000)

    @property
    def failed(self) -> bool:
        """Whether any packet was lost, out of order or there twice, or none was found."""
        s = self.sequence
        return bool(not s.came or s.late or s.again or s.lost(self.expected))

    def close(self) -> list[str]:
        """Writes the report."""
        s, d = self.sequence, self.delays
        lines = [
            f"packets: {d.count} with a stamp, {self.unmarked} without",
            f"lost: {s.lost(self.expected)} of {self.expected if self.expected is not None else s.came + s.lost(None)}",
            f"out of order: {s.late}",
            f"duplicates: {s.again}",
        ]
        if d.count:
            parts = [
                ("min", d.least),
                ("median", d.quantile(0.5)),
                *((f"{p} %", d.quantile(p / 100)) for p in (90, 99, 99.9)),
                ("max", d.worst),
            ]
            lines.append("delay: " + ", ".join(f"{name} {microseconds(value)}" for name, value in parts))
            lines.append(f"jitter: {microseconds(d.jitter)}")
        self.output.write("".join(f"{line}\n" for line in lines).encode())
        self.output.close()
        said = []
        if d.below.count:
            said.append(f"{counted(d.below.count, 'packet')} came before it was sent: the clocks differ")
        if s.beyond:
            said.append(f"{counted(s.beyond, 'packet')} more than {WINDOW} numbers late: taken for the first of its number")
        return said


def microseconds(nanoseconds: float) -> str:
    """A duration for people."""
    return f"{nanoseconds / 1000:.1f} us"
