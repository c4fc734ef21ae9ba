"""Takes headers off, by the names of the descriptions: shapes as those of wrapping.py."""

from __future__ import annotations

from ..protocols.kinds import carries_message, has
from ..protocols.walking import EXTENSION, LINK_LAYER, TAG, TUNNEL
from . import announcing
from .announcing import Bits, Number, announcer, spaces
from .naming import ALIASES, found, which
from .shapes import ECN_JOINED, MOVE, NO_HEADER, NO_WAY, Sample, Shape, ecn_bit, inner_ip, patch
from .wrapping import RAW_IP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Unwrap:
    """What to take off: a planner of shapes. ecn: whether what is inside is marked as what was outside."""

    def __init__(self, name: str, occurrence: int | None, ecn: bool) -> None:
        self.asked = name
        self.name, *_ = ALIASES.get(name, (name, 0, ""))
        self.occurrence, self.ecn = occurrence, ecn

    def place(self, sample: Sample) -> int | None:
        """Which header it is; None: it is not there."""
        if self.asked != "IPIP":
            return found(sample.kinds, self.name, self.occurrence)
        kinds = sample.kinds
        ips = [i for i, kind in enumerate(kinds) if carries_message(kind)]
        nested = [i for i in ips if beyond(kinds, i) in ips]
        return which(nested, self.occurrence)

    def __call__(self, sample: Sample) -> Iterator[Shape]:
        """Shapes for packets like this one, the most likely first."""
        index, kinds = self.place(sample), sample.kinds
        if index is None:
            yield Shape(sample, len(kinds), NO_HEADER)
            return
        first, stop = index, beyond(kinds, index)
        tunnel = has(kinds[index], TUNNEL)
        if tunnel:
            outer = index
            while outer > 0 and not carries_message(kinds[outer]) and not has(kinds[outer], LINK_LAYER):
                outer -= 1
            first = outer if carries_message(kinds[outer]) else index
        last = stop
        while last < len(kinds) and has(kinds[last], LINK_LAYER | TAG | EXTENSION | TUNNEL):
            last += 1
        stops = [*range(stop, last + 1)]
        if has(kinds[index], LINK_LAYER):  # what is between it and the packet goes with it: PPP of PPPoE, LLC of SNAP
            stops.reverse()
            while first > 1 and has(kinds[first - 1], LINK_LAYER):
                first -= 1
        for start in range(first, index + 1):
            for stop in stops:
                yield from self.shapes(sample, start, stop, tunnel)
        yield Shape(sample, len(kinds), NO_WAY)

    def shapes(self, sample: Sample, first: int, stop: int, tunnel: bool) -> Iterator[Shape]:
        """Shapes that take off some headers."""
        kinds = sample.kinds
        inner = kinds[stop] if stop < len(kinds) else None
        if tunnel and inner is not None and has(inner, LINK_LAYER) and inner in announcing.links():
            first = 0
        if first == 0:
            for linktype in sorted(announcing.links().get(inner, []) if inner else [], key=lambda one: one != RAW_IP):
                yield self.shape(sample, 0, stop, linktype, (), None, tunnel)
            return
        front, last = kinds[first - 1], kinds[stop - 1]
        for space in spaces(front):
            to, of = announcer(front, space), announcer(last, space)
            if to and of and to[2] == of[2] and not of[0]:
                bits = (Bits(to[0], to[1], to[2], (1 << to[2]) - 1, 0, space),)
                yield self.shape(sample, first, stop, sample.linktype, bits, (stop - 1, of), tunnel)
        for way in announcing.ways(front):
            if way.kind == inner:
                yield self.shape(sample, first, stop, sample.linktype, way.front, None, tunnel)

    def shape(self, sample: Sample, first: int, stop: int, made: int, bits: tuple[Bits, ...],
              moved: tuple[int, Number] | None, tunnel: bool) -> Shape:  # fmt: skip
        """One shape."""
        kinds = sample.kinds
        outer = next((i for i in reversed(range(first, stop)) if carries_message(kinds[i])), None)
        inner = inner_ip(sample, stop) if outer is not None and self.ecn else None
        seen = len(kinds) if outer is not None and self.ecn and inner is None else max(stop + 1, (inner or 0) + 1)
        shape = Shape(sample, seen)
        shape.made = made
        shape.judged = (first, stop) if tunnel else (0, 0)
        if bits:
            patch(shape, first - 1, bits, moved)
        shape.piece(first, 0, stop, 0, b"")
        if inner is not None and outer is not None:
            to = shape.piece(inner, 1, inner, 2, b"\0")
            shape.step(MOVE, inner, 8, 8, to)
            shape.step(ECN_JOINED, outer, ecn_bit(kinds[outer]), 2, to + ecn_bit(kinds[inner]) - 8)
        gone = sample.place(stop) - sample.place(first)
        shape.expected = [(kind, sample.place(i)) for i, kind in enumerate(kinds[:first])]
        if stop < len(kinds):
            shape.expected.append((kinds[stop], sample.place(stop) - gone))
            shape.around(first, stop, kinds[first:stop])
        return shape


def beyond(kinds: Sequence[int], index: int) -> int:
    """Behind a header and what belongs to it."""
    index += 1
    while index < len(kinds) and has(kinds[index], EXTENSION):
        index += 1
    return index
