"""What became of stamped packets on their way: lost, out of order, twice, late. All of them are one stream."""

from __future__ import annotations

from .. import codec
from ..batch import Batch
from ..errors import counted
from ..formats.files import Output, Sink
from ..live.histogram import Histogram
from .stream import MAGIC

WINDOW = 1 << 20  # numbers below the highest of which it is known whether they came


class Sequence:
    """The numbers of packets as they come in, 32 bits each.

    came: different ones. late: those with a number below the highest so far, RFC 4737 section 3.3. again: those that had come
    already. beyond: late ones, too late to tell whether they had come; they count as `late`.
    """

    def __init__(self) -> None:
        self.seen, self.state = bytearray(WINDOW), bytearray(48)
        self.came = self.late = self.again = self.beyond = self.first = self.highest = 0

    def add(self, numbers: bytearray) -> None:
        """Takes some in."""
        codec.follow_numbers(numbers, self.seen, self.state)
        self.came, self.late, self.again, self.beyond, self.first, self.highest = memoryview(self.state).cast("q")

    def lost(self, expected: int | None) -> int:
        """How many did not come: of so many, or of those between the first and the highest."""
        wanted = expected if expected is not None else self.highest - self.first + 1 if self.came else 0
        return max(0, wanted - self.came)


class Report(Sink):
    """Reads stamps, and says in the end what became of the packets; a sink."""

    output: Output
    stopped = ""  # what came until then is reported
    needs = ()

    def __init__(self, output: Output, expected: int | None, as_json: bool = False) -> None:
        """expected: how many packets were sent, if that is known. as_json: it is for programs."""
        self.output, self.expected, self.as_json = output, expected, as_json
        self.sequence, self.delays = Sequence(), Histogram()
        self.unmarked = 0
        self.at = 0  # where the last stamp was

    def write(self, batch: Batch) -> None:
        """Reads the stamps of a batch."""
        numbers, delays, self.at = codec.read_stamps(batch.data, batch.rows, MAGIC, self.at)
        self.sequence.add(numbers)
        self.delays.add(memoryview(delays).cast("q"))
        self.unmarked += len(batch) - len(numbers) // 4

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
        if self.as_json:
            lines = [self.json()]
        self.output.write("".join(f"{line}\n" for line in lines).encode())
        self.output.close()
        said = []
        if d.below:
            said.append(f"{counted(d.below, 'packet')} came before it was sent: the clocks differ")
        if s.beyond:
            said.append(f"{counted(s.beyond, 'packet')} more than {WINDOW} numbers late: taken for the first of its number")
        return said

    def json(self) -> str:
        """The report as an object; durations in seconds."""
        import json

        s, d = self.sequence, self.delays
        found = {"command": "pkt-gen check", "stamped": d.count, "unstamped": self.unmarked, "lost": s.lost(self.expected),
                 "late": s.late, "duplicates": s.again}  # fmt: skip
        if d.count:
            parts = {f"{p}%": d.quantile(p / 100) / 1e9 for p in (50, 90, 99, 99.9)}
            found |= {"delay": {"least": d.least / 1e9, **parts, "worst": d.worst / 1e9}, "jitter": d.jitter / 1e9}
        return json.dumps(found)


def microseconds(nanoseconds: float) -> str:
    """A duration for people."""
    return f"{nanoseconds / 1000:.1f} us"
