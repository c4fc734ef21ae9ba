"""Cuts super-frames into what a card would have sent, and merges what it sent. How it is done is the codec's."""

from __future__ import annotations

from itertools import pairwise

from .. import codec
from ..batch import COLUMNS, NOTES, OFFSET, Batch, gathered
from .fragments import count
from .holding import just_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..language.filters import Filter

REASONS = (
    "truncated or malformed",
    "fragments",
    "neither TCP nor UDP",
    "headers too large for the MTU",
    "UDP without checksum",
)  # in the codec's order

POLL = 64  # packets that Linux takes from a card at a time (NAPI); where there were fewer, it waits for no more


class Segmenter:
    """Cuts super-frames; a stage of a flow.

    mtu: bytes of the outermost IP packet, size: of data in each piece; 0: not said, then the largest segment that hosts agreed
    upon counts, or else an MTU of 1500. same_ids: IDs of IPv4 do not count up. keep: lengths and checksums stay as they are. apart:
    datagrams of UDP become fragments. guard: only packets that it accepts.
    Counts what should have been cut and was not, by reason; urgent: what was cut with an urgent pointer.
    """

    TALLIES = ("passed", "urgent")  # see flow/tallies.py

    def __init__(self, mtu: int = 0, size: int = 0, *, same_ids: bool = False, keep: bool = False, apart: bool = False,
                 guard: Filter | None = None) -> None:  # fmt: skip
        self.how, self.id, self.guard = (mtu, size, same_ids, keep, apart), 1, guard
        self.passed: dict[str, int] = {}
        self.urgent = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.table: object = None

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes packets that are no super-frames, and the pieces of those that are."""
        self.table = self.table or codec.handshakes()
        for batch in stream:
            stop, chosen = 0, self.guard.verdicts(batch) if self.guard else None
            while stop < len(batch):
                first = stop
                stop, data, rows, (self.id, urgent, left) = codec.segment(
                    self.table, batch.data, batch.rows, first, self.how, self.id, chosen, self.beyond
                )
                self.urgent += urgent
                count(self.passed, REASONS, left)
                yield batch.made(first, stop, data, rows)


class Merger:
    """Merges segments of TCP, as Linux does what it receives; a stage of a flow.

    guard: only packets that it accepts. datagrams: those of UDP, too. able: whether packets may come as they are captured, and so
    cannot be waited for; else what becomes of them does not depend on how many are read at a time. merged: how many became parts
    of others.
    """

    def __init__(self, guard: Filter | None = None, datagrams: bool = False) -> None:
        self.guard, self.datagrams, self.merged = guard, datagrams, 0
        self.able = True
        self.rest: Batch | None = None  # what waits for what comes behind it
        self.accepted = bytearray()  # which of these may be merged
        self.gone = bytearray(1)  # how many stood in front of each that were merged, and behind the last one

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes super-frames, each in place of its first segment. What may grow waits for what comes behind it."""
        live = False
        for batch in stream:
            if self.able and len(batch):
                live, self.able = just_now(batch), False
            chosen = self.accepted + bytearray(self.guard.verdicts(batch)) if self.guard else None
            whole = behind(self.rest, batch) if self.rest else batch
            merged = self.merge(whole, live and len(whole) < POLL, chosen)
            if len(merged):
                yield merged
        if self.rest:
            yield self.merge(self.rest, True, self.accepted if self.guard else None)

    def merge(self, batch: Batch, final: bool, chosen: bytearray | None) -> Batch:
        """What became of packets; those that may still grow wait, with what stands behind them."""
        count = len(batch)
        gone = (self.gone + bytes(count))[:count]
        data, rows, left, merged = codec.merge(batch.data, batch.rows, final, chosen, gone, self.datagrams)
        numbers = memoryview(left).cast("I").tolist()
        self.merged += merged
        self.rest = gathered(map(batch.packet, numbers)) if numbers else None
        self.accepted = bytearray(chosen[i] for i in numbers) if chosen else bytearray()
        self.gone = gaps(gone, numbers)
        return Batch(data, rows)


def gaps(gone: bytearray, numbers: list[int]) -> bytearray:
    """How many are not there any more in front of each of some packets, and behind the last one. gone: of all, in front of each."""
    if not numbers:
        return bytearray(1)
    found = bytearray(1)
    for first, second in pairwise([*numbers, len(gone)]):
        found.append(min(second - first - 1 + sum(gone[first + 1 : second + 1]), POLL))  # further apart they have nothing in common
    return found


def behind(first: Batch, second: Batch) -> Batch:
    """One batch of two."""
    size, rows = len(first.data), bytearray(second.rows)
    columns = memoryview(rows).cast("q")
    for i in range(0, len(columns), COLUMNS):
        columns[i + OFFSET] += size
        columns[i + NOTES] += size
    columns.release()
    return Batch(bytearray(first.data) + memoryview(second.data), first.rows + rows)
