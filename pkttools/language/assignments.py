"""What a command assigns to packets, and in how many of them."""

from __future__ import annotations

from .. import codec
from ..batch import Batch, Program
from ..errors import counted
from .expression import assignments


class Assignments:
    """Assignments of a command line, and what became of them.

    guard: they are only for packets that it accepts. follow: checksums follow. stale, unknown: packets with a checksum that could
    not, and with one that is not known.
    """

    def __init__(self, items: list[tuple[str, str, str]], swapped: tuple[tuple[str, str], ...] = (),
                 guard: Program | None = None, follow: bool = False) -> None:  # fmt: skip
        """items: field, operator, value. swapped: pairs of fields to exchange first. Raises UsageError."""
        self.program = assignments(items, swapped)
        self.items, self.swaps = items, len(swapped)
        self.guard, self.follow = guard, follow
        self.met = self.stale = self.unknown = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.placed = [0] * (len(swapped) + len(items))  # packets in which each was done

    def run(self, batch: Batch) -> None:
        """Changes the packets of a batch."""
        if batch.chosen is False:
            return
        guard = None if batch.chosen else self.guard
        met, placed, stale, unknown = codec.assign(batch.data, batch.rows, self.program, guard, self.follow, self.beyond)
        self.met += met
        self.stale += stale
        self.unknown += unknown
        self.placed = [before + more for before, more in zip(self.placed, placed, strict=True)]

    def said(self, slip: bool, noun: str = "packet") -> list[str]:
        """What there is to say at the end. slip: whether who assigns here may have meant to compare. noun: of what is changed."""
        said = []
        if self.stale:
            said.append(f"{counted(self.stale, noun)} with a checksum that could not follow: it needs bytes that are not there")
        if self.unknown:
            said.append(f"{counted(self.unknown, noun)} with a checksum that may have to follow and is not known")
        if not self.met:
            return said
        among = f"of {self.met}{' that --if accepts' if self.guard else ''}"
        if self.swaps and not any(self.placed[: self.swaps]):
            said.append(f"--swap met no {noun} with a source and a destination, {among}")
        for (name, operator, value), placed in zip(self.items, self.placed[self.swaps :], strict=True):
            if not placed:
                said.append(f"{name}{operator}{value} met no {noun} with that field, {among}")
            elif slip and operator == "=":
                said.append(f"{name}={value} was assigned in {counted(placed, noun)}; == compares")
        return said
