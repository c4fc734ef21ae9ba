"""Changes the link layer of packets: what --unwrap and --to-ethernet of pkt-change have in common."""

from __future__ import annotations

from .. import codec
from ..batch import Batch, Packet, gathered
from ..errors import counted
from ..protocols.fields import FIELDS, TABLE
from ..protocols.shown import read_field
from ..protocols.values import Header
from .splicing import chosen_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..language.filters import Filter

    Step = Callable[[Packet, list[Header]], Packet | None]


class Converter:
    """Takes each packet through some steps; a stage of a flow.

    guard: only packets that it accepts, as they come; they are told apart for the assignments, which may find no more of what
    it went by. steps: each gives a packet for a packet and its headers, or None where
    it cannot, and the packet goes on as it is; by what is to be said of these packets. failed: how many they were.
    """

    TALLIES = ("failed",)  # see flow/tallies.py

    def __init__(self, guard: Filter | None, steps: dict[str, Step]) -> None:
        self.guard, self.steps = guard, steps
        self.failed = dict.fromkeys(steps, 0)

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, converted or not: in batches that the guard accepts, or does not."""
        for batch in stream:
            for part, chosen in chosen_parts(batch, self.guard):
                made = gathered((self.converted if chosen else Batch.packet)(part, i) for i in range(len(part)))
                made.chosen = part.chosen
                yield made

    def said(self) -> list[str]:
        """What there is to say at the end."""
        return [f"{counted(count, 'packet')} {what}" for what, count in self.failed.items() if count]

    def converted(self, batch: Batch, i: int) -> Packet:
        """What becomes of packet `i`."""
        row, packet = batch.part(i, i + 1).rows, batch.packet(i)
        headers = codec.walk(batch.data, row)
        for what, step in self.steps.items():
            made = step(packet, headers)
            if made is None:
                self.failed[what] += 1
            elif made is not packet:
                packet = made
                one = gathered([packet])
                headers = codec.walk(one.data, one.rows)
        return packet


def field(frame: bytes, header: Header, name: str) -> int:
    """The number in a field of a header that was captured in full."""
    kind, *places = header
    row = next(TABLE[i] for i in FIELDS[name] if TABLE[i].header == kind)
    return read_field(row, frame, *places)  # type: ignore[return-value]  # numbers only are asked for
