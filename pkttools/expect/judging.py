"""Counts what matches expectations, until the outcome is known or nothing more comes.

Without an order each packet counts for all that it matches. In order an expectation is looked for once those before it are met;
`none` between two of them is for the time between; a packet counts for one, the first that it can.
"""

from __future__ import annotations

from ..batch import TIME, Batch, Packet
from .expectation import Count, Expectation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 500  # packets that are kept: the first ones, and as many of the last ones
SHOWN = 5  # of those that match nothing


class Judge:
    """What has come, and what of it was expected.

    seen: packets. others: those that match nothing. kept: some of all; instead: the first others; each with its number.
    """

    def __init__(self, expectations: list[Expectation], *, ordered: bool = False, only: bool = False,
                 within: int | None = None) -> None:  # fmt: skip
        """only: nothing else may come. within: nanoseconds after the first packet by the packets' own times; None: no matter."""
        self.expectations = expectations if ordered else list(merged(expectations))
        self.ordered, self.only, self.within = ordered, only, within
        self.seen = self.others = self.at = 0
        self.first_time: int | None = None
        self.over = False  # whether the time is
        self.kept: list[tuple[int, Packet, bool]] = []  # and whether something was matched
        self.instead: list[tuple[int, Packet]] = []

    def watch(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Looks at packets until the outcome is known."""
        for batch in stream:
            if not self.settled:
                self.look(batch)
            yield batch
            if self.settled or self.over:
                return

    def look(self, batch: Batch) -> None:
        """Looks at a batch, packet by packet where several expectations wait for each other."""
        batch = self.in_time(batch)
        marks = [one.marks(batch) for one in self.expectations]
        last = len(batch) - MOST
        for i in range(len(batch)):
            self.seen += 1
            matching = [index for index, mark in enumerate(marks) if mark[i]]
            if self.seen <= MOST or i >= last:
                self.keep(batch.packet(i), bool(matching))
            if not matching:
                self.others += 1
                if self.others <= SHOWN:
                    self.instead.append((self.seen, batch.packet(i)))
            elif self.ordered:
                self.in_order(matching)
            else:
                for index in matching:
                    self.expectations[index].meet(self.seen)
            if self.settled:
                return

    def keep(self, packet: Packet, matches: bool) -> None:
        """Keeps the packet that was seen last."""
        if len(self.kept) == 2 * MOST:
            del self.kept[MOST]
        self.kept.append((self.seen, packet, matches))

    def in_time(self, batch: Batch) -> Batch:
        """The packets of a batch that come in time."""
        if self.within is None or not len(batch):
            return batch
        times = batch.column(TIME)
        self.first_time = times[0] if self.first_time is None else self.first_time
        late = next((i for i, time in enumerate(times) if time - self.first_time > self.within), None)
        if late is None:
            return batch
        self.over = True
        return batch.part(0, late)

    def in_order(self, matching: list[int]) -> None:
        """Counts a packet for the first that it can be."""
        waited = ""
        for index in range(self.at, len(self.expectations)):
            one = self.expectations[index]
            if index in matching and (not one.count.highest or one.matched < one.count.highest):
                one.meet(self.seen)
                if one.count.highest != 0:
                    self.at = index
                for later in (self.expectations[other] for other in matching if other > index and one.count.highest is None):
                    later.taken = later.taken or (self.seen, one.name)
                return
            if not one.enough:
                waited = one.name
                break
        for index in matching:
            one = self.expectations[index]
            if index > self.at and not one.early:
                one.early = self.seen, waited
            elif index <= self.at and one.matched == one.count.highest:
                one.meet(self.seen)  # one too many

    @property
    def settled(self) -> bool:
        """Whether the outcome is known, whatever comes."""
        if any(one.exceeded for one in self.expectations) or (self.only and self.others):
            return True
        return not self.only and all(one.enough and one.count.highest is None for one in self.expectations)

    @property
    def passed(self) -> bool:
        """Whether all is as it was expected, if nothing more comes."""
        return all(one.passed for one in self.expectations) and not (self.only and self.others)


def merged(expectations: list[Expectation]) -> Iterator[Expectation]:
    """Packets of files that are the same are one, which is to come as often as all of them: one that is to come twice is written
    twice. Expressions count each for itself."""
    known: dict[object, Expectation] = {}
    for one in expectations:
        first = known.setdefault(one.key, one) if one.packet else one
        if first is one or 0 in (first.count.highest, one.count.highest):
            yield one
        else:
            count, other = first.count, one.count
            highest = None if count.highest is None or other.highest is None else count.highest + other.highest
            first.count = Count(count.lowest + other.lowest, highest)
