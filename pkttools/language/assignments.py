"""What a command assigns to packets, and in how many of them."""

from __future__ import annotations

import os

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..errors import checksum_left, checksum_unknown, counted
from ..protocols.fields import DATA, TEXT
from ..protocols.values import field, rows_of
from .assigning import varied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .filters import Filter


class Assignments:
    """Assignments of a command line, and what became of them.

    guard: they are only for packets that it accepts. follow: checksums follow. seed: of values that are drawn; None: any.
    stale, unknown: packets with a checksum that could not, and with one that is not known.
    """

    TALLIES = ("met", "stale", "unknown", "beyond", "placed", "cut")  # see flow/tallies.py

    def __init__(self, items: list[tuple[str, str, str]], swapped: tuple[tuple[str, str], ...] = (),
                 guard: Filter | None = None, follow: bool = False, seed: int | None = None) -> None:  # fmt: skip
        """items: field, operator, value. swapped: pairs of fields to exchange first. Raises UsageError."""
        self.seed = seed
        self.program, self.series = varied(items, swapped, self.seed_of)
        self.items, self.swaps = items, len(swapped)
        self.guard, self.follow = guard, follow
        self.met = self.stale = self.unknown = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.placed = [0] * (len(swapped) + len(items))  # packets in which each was done
        self.cut = [0] * len(self.placed)  # those that had no room for all of it: octets were cut, all else was left alone

    def run(self, batch: Batch) -> None:
        """Changes the packets of a batch."""
        if batch.chosen is False:
            return
        rows = batch.rows if batch.chosen or self.guard is None else self.guard.select(batch)
        values = b"".join([series.next(len(rows) // ROW_BYTES) for _, series in self.series]) if self.series else b""
        met, placed, cut, stale, unknown = codec.assign(batch.data, rows, self.program, values, self.follow, self.beyond)
        for which, series in self.series:
            series.take(placed[which])
        self.stale += stale
        self.unknown += unknown
        self.add(met, placed, cut)

    def add(self, met: int, placed: Sequence[int], cut: Sequence[int]) -> None:
        """Counts packets that were met, and those in which each was done, and had no room."""
        self.met += met
        self.placed = list(map(int.__add__, self.placed, placed))
        self.cut = list(map(int.__add__, self.cut, cut))

    def seed_of(self, name: str) -> int:
        """A seed for a field: others that come and go change nothing about it."""
        if self.seed is None:
            self.seed = int.from_bytes(os.urandom(4), "big")
        from .series import seed_for  # late: seldom

        return seed_for(self.seed, name)

    @property
    def drawn(self) -> bool:
        """Whether the seed means something."""
        return any(series.drawn for _, series in self.series)

    def said(self, slip: bool, noun: str = "packet") -> list[str]:
        """What there is to say at the end. slip: whether who assigns here may have meant to compare. noun: of what is changed."""
        said = []
        if self.stale:
            said.append(checksum_left(self.stale, noun))
        if self.unknown:
            said.append(checksum_unknown(self.unknown, noun))
        if not self.met:
            return said
        among = f"of {self.met}{' that --if accepts' if self.guard else ''}"
        if self.swaps and not any(self.placed[: self.swaps]):
            said.append(f"--swap met no {noun} with a source and a destination, {among}")
        for (name, operator, value), placed, cut in zip(self.items, self.placed[self.swaps :], self.cut[self.swaps :], strict=True):
            if cut and is_cut(name):
                longer = f"{name}{operator}{value} is longer than the field"
                said.append(f"{longer} in {counted(cut, noun)}: only what fits was assigned")
            elif cut:
                said.append(f"{name}{operator}{value} does not fit into the field in {counted(cut, noun)}: left as it was")
            if not placed and not cut:
                said.append(f"{name}{operator}{value} met no {noun} with that field, {among}")
            elif slip and operator == "=":
                said.append(f"{name}={value} was assigned in {counted(placed, noun)}; == compares")
        return said


def is_cut(name: str) -> bool:
    """Whether of what is too long for a field as much is set as fits; else it stays as it was."""
    _, indexes, _ = field(name)
    return any(row.kind == DATA or (row.kind == TEXT and row.width) for row in rows_of(indexes))
