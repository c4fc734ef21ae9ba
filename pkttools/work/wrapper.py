"""Does to packets what shapes say, and has a shape made for the first that begins otherwise: a stage of a flow."""

from __future__ import annotations

from struct import pack

from .. import codec
from ..batch import Batch
from ..errors import checksum_left, counted, passed_by_reason
from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.kinds import remembered
from .shapes import (
    CONGESTED,
    CUT_OFF,
    IN_FRAGMENT,
    NO_HEADER,
    NO_WAY,
    NOT_SUMMED,
    TOO_LONG,
    UNSOUND,
    WRAPPED,
    Sample,
    Shape,
)
from .splicing import chosen_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..language.filters import Filter

    Planner = Callable[[Sample], Iterator[Shape]]

REASONS = {
    NO_HEADER: "without such a header",
    NO_WAY: "nothing announces it there",
    CUT_OFF: "truncated or malformed",
    IN_FRAGMENT: "of a fragment, whose lengths are others'",
    TOO_LONG: "too long",
    UNSOUND: "with a wrong checksum around it",
}
CANDIDATES = 96  # shapes that are tried, if the walk does not see what they make as it should be


@remembered
def flow_ports() -> bytes:
    """The kinds of headers that begin with the ports of a flow, as the codec wants them."""
    ports = [kind for kind in range(1, len(HEADERS)) for row in BY_HEADER[kind][:1] if row.name.endswith(".SRC_PORT")]
    return pack(f"={len(ports)}q", *ports)


class Wrapper:
    """Puts headers into packets, or takes them off; a stage of a flow.

    planner: finds shapes. guard: only packets that it accepts. keep: what is around stays as it is. again: as often as it can be
    done to a packet. Counts packets that were left, by reason.
    """

    TALLIES = ("left",)  # see flow/tallies.py

    def __init__(self, planner: Planner, guard: Filter | None = None, keep: bool = False, again: bool = False) -> None:
        self.planner, self.guard, self.keep, self.again = planner, guard, keep, again
        self.shapes, self.octets, self.number = bytearray(), bytearray(), 1
        self.left: dict[int, int] = {}
        self.ports = b""  # see flow_ports: until a shape asks for them

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, changed or not: in batches that the guard accepts, or does not."""
        for batch in stream:
            for part, accepted in chosen_parts(batch, self.guard):
                for made in self.changed(part) if accepted else (part,):
                    made.chosen = part.chosen
                    yield made

    def changed(self, batch: Batch) -> Iterator[Batch]:
        """What becomes of the packets of a batch."""
        for made, changed in self.once(batch, True):
            while self.again and changed:
                parts = [*self.once(made, False)]
                changed = sum(count for _, count in parts)
                if changed:
                    made = parts[0][0] if len(parts) == 1 else joined(part for part, _ in parts)
            yield made

    def once(self, batch: Batch, tell: bool) -> Iterator[tuple[Batch, int]]:
        """The packets, and how many were changed. tell: whether to count those that were not."""
        stop = 0
        while stop < len(batch):
            stop, data, rows, (self.number, counts, unknown) = codec.wrap(
                batch.data, batch.rows, stop, bytes(self.shapes), bytes(self.octets), self.ports, self.number, self.keep
            )
            if rows or not unknown:
                yield Batch(data, rows), counts[WRAPPED]
            for why, count in enumerate(counts):
                if why != WRAPPED and count and (tell or why != NO_HEADER):
                    self.left[why] = self.left.get(why, 0) + count
            if unknown:
                self.learn(Sample(batch, stop, unknown))

    def learn(self, sample: Sample) -> None:
        """Adds the shape of packets like this one."""
        tried = 0
        for shape in self.planner(sample):
            if shape.why == WRAPPED and tried < CANDIDATES and not self.right(shape, sample):
                tried += 1
                continue
            self.add(shape)
            return

    def add(self, shape: Shape) -> None:
        """Adds a shape."""
        self.shapes += shape.packed(len(self.octets))
        self.octets += shape.octets
        if shape.flows:
            self.ports = flow_ports()

    def right(self, shape: Shape, sample: Sample) -> bool:
        """Whether what is made of a packet has the headers that it should have, as far as can be told."""
        one, ports = sample.batch, flow_ports() if shape.flows else b""
        _, data, rows, (_, counts, _) = codec.wrap(one.data, one.rows, 0, shape.packed(0), bytes(shape.octets), ports, 0, True)
        if not counts[WRAPPED]:
            return True
        seen = codec.walk(data, rows)
        if len(seen) < len(shape.expected):
            return False
        return all(start == at and kind in (-1, of) for (kind, at), (of, start, _, _) in zip(shape.expected, seen, strict=False))

    def said(self) -> list[str]:
        """What there is to say at the end."""
        said = passed_by_reason({reason: self.left.get(why, 0) for why, reason in REASONS.items()})
        if dropped := self.left.get(CONGESTED):
            said.append(
                f"{counted(dropped, 'packet')} dropped: marked for congestion outside, and inside not capable of that (RFC 6040)"
            )
        if stale := self.left.get(NOT_SUMMED):
            said.append(checksum_left(stale))
        return said


def joined(batches: Iterable[Batch]) -> Batch:
    """Several batches as one."""
    from ..batch import gathered  # late: seldom

    return gathered(batch.packet(i) for batch in batches for i in range(len(batch)))
