"""What is done to packets that begin with the same headers, as the codec wants it, see ../codec/c/wrapping.h."""

from __future__ import annotations

from itertools import groupby
from struct import pack

from .. import codec
from ..batch import LINKTYPE, Batch, linktype_of
from ..protocols.kinds import carries_message, column, has
from ..protocols.values import Header
from ..protocols.walking import DATAGRAM_6, PADDED, TAG
from .announcing import LENGTH, Bits, Number, has_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# The codec's numbers, see wrapping.h.
MOVE, SET, COUNT, FLOW, ECN_LOWERED, ECN_JOINED, SIZE = range(7)
WRAPPED, NO_HEADER, NO_WAY, CUT_OFF, IN_FRAGMENT, TOO_LONG, UNSOUND, CONGESTED, NOT_SUMMED = range(9)
MOST_MOVED = 64  # bits


class Sample:
    """A packet to find out a shape by: its link type, its bytes, and its own headers."""

    def __init__(self, batch: Batch, i: int, count: int) -> None:
        """count: how many headers are its own, and no quoted packet's."""
        self.batch = batch.part(i, i + 1)
        self.linktype = linktype_of(self.batch.columns()[LINKTYPE])
        self.headers: list[Header] = codec.walk(self.batch.data, self.batch.rows)[:count]
        self.kinds = [header[0] for header in self.headers]

    def place(self, index: int) -> int:
        """Where a header begins; behind all of them, bytes that are of none."""
        return self.headers[index][1] if index < len(self.headers) else self.headers[-1][2]


class Shape:
    """What is done to packets that begin with the same headers, see wrapping.h."""

    def __init__(self, sample: Sample, count: int, why: int = WRAPPED) -> None:
        """count: of the headers that it follows from."""
        self.whole = count >= len(sample.kinds)
        self.linktype = self.made = sample.linktype
        self.kinds, self.why, self.judged = sample.kinds[:count], why, (0, 0)
        self.pieces: list[tuple[int, int, int, int, int]] = []
        self.steps: list[tuple[int, int, int, int, int]] = []
        self.octets = bytearray()
        self.plain = 0  # see wrapping.h
        self.expected: list[tuple[int, int]] = []  # kinds of headers, or -1, and where they begin

    @property
    def flows(self) -> bool:
        """Whether a step asks for the port of a flow."""
        return any(what == FLOW for what, *_ in self.steps)

    def piece(self, header: int, start: int, to_header: int, stop: int, octets: bytes) -> int:
        """Bytes from one place up to another become some octets; where these stand, in bits of all."""
        self.pieces.append((header, start, to_header, stop, len(octets)))
        self.octets += octets
        return 8 * (len(self.octets) - len(octets))

    def step(self, what: int, header: int, bit: int, width: int, to: int) -> None:
        """What is written into the octets; of many bits in several steps."""
        for done in range(0, width, MOST_MOVED):
            self.steps.append((what, header, bit + done, min(width - done, MOST_MOVED), to + done))

    def around(self, index: int, inner: int, others: Iterable[int]) -> None:
        """Notes whether no length or checksum is around, and none in the others: kinds that are put in, or taken off.

        index: in front of which header that is. inner: of the packet behind it, which has to say where it ends.
        """
        tags = all(has(kind, TAG) for kind in self.kinds[1:index]) and column(self.kinds[0], "exception") == PADDED
        none = all(column(kind, "end") < 0 and not has_sum(kind) for kind in others)
        if index and tags and none and not self.whole and carries_message(self.kinds[inner]) and self.made == self.linktype:
            self.plain = inner if all(what in (MOVE, SET) for what, *_ in self.steps) else 0

    def packed(self, at: int) -> bytes:
        """As the codec wants it. at: where its octets are among all."""
        rest = [*self.kinds, *(n for piece in self.pieces for n in piece), *(n for step in self.steps for n in step)]
        head = (13 + len(rest), self.linktype, len(self.kinds), self.whole, self.why, self.made, *self.judged, len(self.pieces),
                len(self.steps), at, len(self.octets), self.plain)  # fmt: skip
        return pack(f"={len(head) + len(rest)}q", *head, *rest)


def patch(shape: Shape, index: int, bits: Sequence[Bits], moved: tuple[int, Number] | None = None, more: int = 0) -> None:
    """What has to stand in header `index`. moved: the number of another header, which announces there what announced here.

    more: bytes that are put in behind it.
    """
    fixed = 0 if column(shape.kinds[index], "terms") else column(shape.kinds[index], "fixed")
    if fixed:  # then where it ends is known, and all that is asked of some bits comes together
        bits = [Bits(False, one.bit + 8 * fixed * one.behind, one.width, one.mask, one.value, one.space) for one in bits]
    for behind in (False, True):
        wanted = [one for one in bits if one.behind == behind]
        if not wanted:
            continue
        base = index + behind
        first, stop = min(one.bit for one in wanted) // 8, max(one.bit + one.width + 7 for one in wanted) // 8
        to = shape.piece(base, first, base, stop, bytes(stop - first))
        shape.step(MOVE, base, 8 * first, 8 * (stop - first), to)
        for one in wanted:
            at = to + one.bit - 8 * first
            if moved and one.space >= 0:
                header, (_, bit, width) = moved
                shape.step(MOVE, header, bit, width, at)
                continue
            if one.space == LENGTH:
                shape.steps.append((SIZE, base, more - one.value, one.width, at))
                continue
            for start, width in runs(one.mask, one.width):
                value = one.value >> one.width - start - width & (1 << width) - 1
                shape.steps.append((SET, 0, value, width, at + start))


def runs(mask: int, width: int) -> Iterator[tuple[int, int]]:
    """Where bits of a mask stand together: from the first of `width` bits on."""
    for wanted, bits in groupby(range(width), lambda i: mask >> width - 1 - i & 1):
        if wanted:
            found = [*bits]
            yield found[0], len(found)


def inner_ip(sample: Sample, first: int) -> int | None:
    """The first IP header from one on."""
    return next((i for i in range(first, len(sample.kinds)) if carries_message(sample.kinds[i])), None)


def ecn_bit(kind: int) -> int:
    """Where in an IP header the bits are that say whether a router is congested."""
    return 10 if column(kind, "exception") == DATAGRAM_6 else 14
