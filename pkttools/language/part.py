"""Which part of a stream is wanted: packets by number, by time, every so many of them, or a sample."""

from __future__ import annotations

import os

from ..codec import program
from ..errors import UsageError, need
from .expression import joined
from .program import ALL_BITS
from .times import MOST_TIME, duration, moment, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values
    from .expression import Tree

MOST_NUMBER = (1 << 63) - 1
FEW = 8  # ranges that are asked one after the other


class Part:
    """What --numbers, --every, --sample, --from and --until ask for.

    last: the number of the last packet that can be of it; None: any. seed: of a sample; None: nothing is drawn. origin: the time
    of the first packet, once it is known.
    """

    origin: int | None = None

    def __init__(self, values: Values) -> None:
        """Raises UsageError."""
        self.ranges = None if values.numbers is None else ranges_of(values.numbers)
        self.last = self.ranges[-1][1] if self.ranges and self.ranges[-1][1] < MOST_NUMBER and not values.reverse else None
        self.step = values.interval
        self.share, self.seed = None, None
        if values.sample is not None:
            self.share = share("--sample", values.sample)
            self.seed = int.from_bytes(os.urandom(4), "big") if values.seed is None else values.seed
        self.times = [(name, compare, text) for name, compare, text in (
            ("--from", program.AT_LEAST, values.since), ("--until", program.LESS, values.until),
        ) if text is not None]  # fmt: skip
        kinds = [relative(text) for _, _, text in self.times]
        said = [(duration if after else moment)(name, text) for after, (name, _, text) in zip(kinds, self.times, strict=True)]
        if kinds in ([False, False], [True, True]):  # otherwise it is not known before there is a packet
            need(said[0] <= said[1], f"--from {values.since} --until {values.until}: the range is empty")

    def __bool__(self) -> bool:
        """Whether they ask for anything."""
        return bool(self.counts or self.times)

    @property
    def counts(self) -> bool:
        """Whether it goes by the numbers of packets."""
        return bool(self.ranges or self.step or self.share)

    @property
    def waits(self) -> bool:
        """Whether it is not known before there is a first packet."""
        return self.origin is None and any(relative(text) for _, _, text in self.times)

    def moments(self) -> tuple[int, int]:
        """From when it is, and until when, in nanoseconds since 1970; times beyond those that packets have where nothing says so.

        Raises UsageError.
        """
        found = {compare: self.moment(name, text) for name, compare, text in self.times}
        return found.get(program.AT_LEAST, 0), found.get(program.LESS, MOST_TIME + 1)

    def moment(self, name: str, text: str) -> int:
        """A time that is said, which may be so much after the first packet. Raises UsageError."""
        if not relative(text):
            return moment(name, text)
        if self.origin is None:
            raise UsageError(f"{name} {text}: that is after the first packet, which comes later")
        return self.origin + duration(name, text)

    def trees(self) -> list[Tree]:
        """What has to hold of its packets, in this order. Raises UsageError where `waits`."""
        numbers = program.OF_NUMBER
        trees: list[Tree] = []
        if self.ranges:
            trees.append(within(self.ranges))
        if self.step:
            trees.append(("test", numbers, 1, program.EVERY, self.step, ALL_BITS))
        if self.share:
            trees.append(("test", numbers, 1, program.SAMPLE, ((self.share[0] << 64) // self.share[1], self.seed), ALL_BITS))
        for name, compare, text in self.times:
            trees.append(("test", program.OF_TIME, 1, compare, max(self.moment(name, text), 0), ALL_BITS))
        return trees


def relative(text: str) -> bool:
    """Whether a time is after the first packet."""
    return text.startswith("+")


def ranges_of(text: str) -> list[tuple[int, int]]:
    """The packets that --numbers names, `1-9,20,30-`: ranges in ascending order that do not touch. Raises UsageError."""
    found = []
    for item in text.split(","):
        low, dash, high = item.strip().partition("-")
        if not low.isdecimal() or not (high.isdecimal() or (dash and not high) or not dash) or len(item) > 40:
            raise UsageError(f"--numbers: '{item[:40]}' is no packet's number and no range, such as 20, 1-9 or 30-")
        first = int(low)
        last = int(high) if high else MOST_NUMBER if dash else first
        need(first > 0, "--numbers: packets are counted from 1")
        need(first <= last, f"--numbers: {item.strip()}: the range is empty")
        found.append((min(first, MOST_NUMBER), min(last, MOST_NUMBER)))
    merged: list[tuple[int, int]] = []
    for first, last in sorted(found):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return merged


def within(ranges: list[tuple[int, int]]) -> Tree:
    """That the number of a packet is in one of some ranges. Of many, not all are asked: a number halves them first."""
    if len(ranges) > FEW:
        half = len(ranges) // 2
        below: Tree = ("test", program.OF_NUMBER, 1, program.LESS, ranges[half][0], ALL_BITS)
        return ("or", [("and", [below, within(ranges[:half])]), ("and", [("not", below), within(ranges[half:])])])
    return joined("or", [
        ("test", program.OF_NUMBER, 1, program.EQUAL, first, ALL_BITS) if first == last
        else ("test", program.OF_NUMBER, 1, program.AT_LEAST, first, ALL_BITS) if last == MOST_NUMBER
        else ("test", program.OF_NUMBER, 1, program.WITHIN, (first, last), ALL_BITS)
        for first, last in ranges
    ])  # fmt: skip
