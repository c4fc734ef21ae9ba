"""Pieces of packets that become others: put together for a batch, and what is to be said of those that cannot."""

from __future__ import annotations

from array import array

from .. import codec
from ..batch import Batch
from ..errors import checksum_left, passed_by_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..language.filters import Filter

REASONS = ("not captured", "a fragment, whose size says where the others belong", "too long for a length around it")  # of the codec
NOT_FOLLOWED = 4


class Pieces:
    """What becomes of the packets of a batch: pieces in order."""

    def __init__(self) -> None:
        self.rows, self.octets = array("q"), bytearray()

    def add(self, packet: int, at: int, removed: int, put_in: bytes) -> None:
        """From an octet on so many become others."""
        self.rows.extend((packet, at, removed, len(self.octets), len(put_in)))
        self.octets += put_in


class Passed:
    """Packets that passed as they came, by reason."""

    TALLIES = ("counts", "stale")  # see flow/tallies.py

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.stale = 0  # packets that did not, with a checksum that could not follow

    def add(self, reason: str, more: int = 1) -> None:
        """Counts some."""
        if more:
            self.counts[reason] = self.counts.get(reason, 0) + more

    def said(self) -> list[str]:
        """What there is to say at the end."""
        said = passed_by_reason(self.counts)
        return [*said, checksum_left(self.stale)] if self.stale else said


def chosen_parts(batch: Batch, guard: Filter | None) -> Iterator[tuple[Batch, bool]]:
    """The packets of a batch in runs that a guard accepts, or does not; without one, and where it was asked, all of them."""
    if guard is None or batch.chosen is not None:
        yield batch, batch.chosen is not False
        return
    verdicts, stop = guard.verdicts(batch), 0
    while stop < len(verdicts):
        start, chosen = stop, bool(verdicts[stop])
        other = verdicts.find(not chosen, start)
        stop = other if other >= 0 else len(verdicts)
        part = batch.part(start, stop)
        part.chosen = chosen
        yield part, chosen


def spliced(batch: Batch, pieces: Pieces, keep: bool, beyond: dict[int, int], passed: Passed) -> Iterator[Batch]:
    """What becomes of a batch. keep: lengths and checksums stay. beyond: counts signatures that do not follow."""
    if not pieces.rows:
        yield batch
        return
    stop, rows = 0, pieces.rows.tobytes()
    while stop < len(batch):
        stop, data, made, outcomes = codec.splice(batch.data, batch.rows, stop, rows, pieces.octets, -1, keep, False, beyond)
        for why, reason in enumerate(REASONS, 1):
            passed.add(reason, outcomes.count(why))
        passed.stale += outcomes.count(NOT_FOLLOWED)
        yield Batch(data, made, batch.chosen)
