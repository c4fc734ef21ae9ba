"""Puts headers in front of others, by the names of the descriptions.

What is done to a packet follows from the first of its headers, and is found out once, as a shape. A number that announces a
header is looked for in the tables of protocols, see announcing.py; whether a packet that is made is what was meant, the walk
says, see wrapper.py.
"""

from __future__ import annotations

from itertools import islice

from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.kinds import carries_message, has
from ..protocols.walking import LINK_LAYER, TAG, TUNNEL
from . import announcing
from .announcing import Number, Way
from .naming import ALIASES, found, kinds_of
from .new_headers import New
from .shapes import (
    COUNT,
    ECN_LOWERED,
    FLOW,
    MOVE,
    NO_HEADER,
    NO_WAY,
    SET,
    Sample,
    Shape,
    ecn_bit,
    inner_ip,
    patch,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RAW_IP = 101  # the link type

# Who carries a header, where not what is in front of it does; and what may have to be between a header and what it carries.
CARRIERS = ("UDP", "GRE", "LLC")
INSIDE = ("ETHERNET", "PPP_BARE", "LLC", "SNAP")
DETOURS = {"ERSPAN_III": "GRE"}  # what could be announced without it, and is not: draft-foschiano-erspan-03 section 4.3
PACKETS = ("GRE",)  # of tunnels that could carry frames, too: by default they carry packets
# Behind UDP: the source port tells flows apart, RFC 7348 section 5, RFC 8926 section 3.3
FLOWS = ("VXLAN", "VXLAN_GPE", "GENEVE", "MPLS")
NAMES = {4: "IP", 6: "IPV6"}
CANDIDATES = 24  # ways that are tried, if the walk does not see them so


class Wrap:
    """What to put in: a planner of shapes.

    name: of the header. at: in front of which header, and which of several; None: where it belongs. version, ends: of new IP
    headers, and their addresses. values: fields of the new headers, and what is to stand there. ecn: copy, kernel or 0.
    """

    def __init__(self, name: str, at: tuple[str, int | None] | None, version: int, ends: tuple[int, int], ecn: str) -> None:
        self.name, self.number, self.carried = ALIASES.get(name, (name, 0, ""))
        self.at, self.version, self.ends, self.ecn = at, version, ends, ecn
        if name == "IPIP":
            self.name = NAMES[version]
        self.values: list[tuple[str, int]] = []
        self.kinds = kinds_of(self.name)
        self.own = {row.name for kind in self.kinds for row in BY_HEADER[kind]}  # names of its fields
        carriers = (*CARRIERS, NAMES[version]) if not has(self.kinds[0], LINK_LAYER | TAG) else ("LLC",)
        self.through = {kind for one in carriers for kind in kinds_of(one)}
        self.inside = {kind for one in INSIDE for kind in kinds_of(one)}
        tunnel = has(self.kinds[0], TUNNEL) and self.name not in PACKETS
        self.frame = self.carried == "ETHERNET" or (tunnel and self.may_carry(kinds_of("ETHERNET")[0]))

    def may_carry(self, inner: int) -> bool:
        """Whether it may announce such a header."""
        return any(way.kind == inner for kind in self.kinds for way in announcing.ways(kind))

    def names(self) -> set[str]:
        """Of the headers that are put in, with those that it takes to carry them."""
        ethernet = kinds_of("ETHERNET")[0]
        chain = next(self.carriers(announcing.ways(ethernet)), ())
        return {self.name, *(HEADERS[way.kind] for way in chain)}

    def known(self) -> set[int]:
        """Kinds of the same names."""
        return {kind for name in self.names() for kind in kinds_of(name)}

    def carriers(self, start: Iterable[Way]) -> Iterator[tuple[Way, ...]]:
        """Ways from a header to what is put in."""
        wanted = [name for name, _ in self.values]
        goal = [
            kind
            for kind in self.kinds
            if all(any(row.name == name for row in BY_HEADER[kind]) or name not in self.own for name in wanted)
        ]
        goal = goal or self.kinds
        chains = announcing.chains(start, set(goal), self.through)
        detour = DETOURS.get(self.name)
        for chain in chains:
            if detour and not any(HEADERS[way.kind] == detour for way in chain):
                continue
            if self.number and not any(
                one.space >= 0 and one.value == self.number for one in chain[-1 if len(chain) > 1 else 0].front
            ):
                continue
            yield chain

    def place(self, sample: Sample) -> int | None:
        """In front of which header it goes; None: that is not there."""
        kinds = sample.kinds
        if self.at:
            return found(kinds, *self.at)
        if has(self.kinds[0], TAG):
            return 1
        if self.frame and self.may_carry(kinds[0]):
            return 0
        if not any(announcing.ways(kind) for kind in self.kinds):  # it says nothing of what follows: behind who announces it
            announced = (i for i, kind in enumerate(kinds) if any(way.kind in self.kinds for way in announcing.ways(kind)))
            return max(announced, default=len(kinds) - 1) + 1
        return next((i for i, kind in enumerate(kinds) if not has(kind, LINK_LAYER | TAG)), len(kinds))

    def __call__(self, sample: Sample) -> Iterator[Shape]:
        """Shapes for packets like this one, the most likely first."""
        index = self.place(sample)
        if index is None:
            yield Shape(sample, len(sample.kinds), NO_HEADER)
            return
        whole = index == 0 and has(sample.kinds[0], LINK_LAYER)
        for start, front, made in self.starts(sample, index, whole):
            for chain in islice(self.carriers(start), CANDIDATES):
                yield from self.shapes(sample, index, whole, front, made, chain)
        yield Shape(sample, len(sample.kinds), NO_WAY)

    def starts(self, sample: Sample, index: int, whole: bool) -> Iterator[tuple[Iterable[Way], int | None, int]]:
        """What may be announced, by which header, and the link type then."""
        if whole or index > 0:
            front = max(index - 1, 0)
            yield announcing.ways(sample.kinds[front]), front, sample.linktype
            return
        for linktype in dict.fromkeys(
            (sample.linktype, RAW_IP, *(one for kind in self.kinds for one in announcing.links().get(kind, [])))
        ):
            yield announcing.linked(linktype), None, linktype

    def shapes(
        self, sample: Sample, index: int, whole: bool, front: int | None, made: int, chain: tuple[Way, ...]
    ) -> Iterator[Shape]:
        """Shapes with these headers in front."""
        inner = sample.kinds[0] if whole else sample.kinds[index] if index < len(sample.kinds) else None
        number, same = chain[0].number, None
        if number and front is not None and len(chain) == 1 and not whole:
            same = announcing.announcer(chain[0].kind, number.space)
        if same and number and same[2] == number.width:
            yield self.shape(sample, index, whole, front, made, chain, (), same)
        elif inner is None or not announcing.ways(chain[-1].kind):
            yield self.shape(sample, index, whole, front, made, chain, (), None)
        else:
            for rest in islice(announcing.chains(announcing.ways(chain[-1].kind), {inner}, self.inside), CANDIDATES):
                if not announcing.contradict((*chain[-1].own, *rest[0].front)):
                    yield self.shape(sample, index, whole, front, made, chain, rest, None)

    def shape(self, sample: Sample, index: int, whole: bool, front: int | None, made: int, chain: tuple[Way, ...],
              rest: tuple[Way, ...], same: Number | None) -> Shape:  # fmt: skip
        """One shape. same: where the last header has the number that announced what was there."""
        ip = inner_ip(sample, index)
        outer = any(carries_message(way.kind) for way in chain) and self.ecn != "0"
        seen = len(sample.kinds) if outer and ip is None else max(index + 1, (ip or 0) + 1 if outer else 0)
        shape = Shape(sample, seen)
        shape.made = made
        new = self.headers(chain, rest)
        if front is not None:
            patch(shape, front, chain[0].front, more=sum(len(one.octets) for one in new))
        copied = b""
        if whole:
            copied = bytes(sample.place(1) - sample.place(0))
            at = shape.piece(0, len(copied), 0, len(copied), b"".join(one.octets for one in new) + copied)
        else:
            at = shape.piece(index, 0, index, 0, b"".join(one.octets for one in new))
        start = sample.place(1) if whole else sample.place(index)
        shape.expected = [(kind, sample.place(i)) for i, kind in enumerate(sample.kinds[: 1 if whole else index])]
        for one, behind in zip(new, [*new[1:], None], strict=True):
            shape.expected.append((-1, start))
            self.dynamic(shape, one, behind, at, ip, index)
            at += 8 * len(one.octets)
            start += len(one.octets)
        if same and (announced := chain[0].number) and front is not None:
            last = new[-1]
            if last.free(same[1], same[2]):
                place = at - 8 * len(last.octets) * (not same[0])
                shape.step(MOVE, front, announced.bit, announced.width, place + same[1])
        if whole:
            shape.step(MOVE, 0, 0, 8 * len(copied), at)
            shape.expected.append((sample.kinds[0], start))
        elif index < len(sample.kinds):
            shape.expected.append((sample.kinds[index], start))
            shape.around(index, index, [one.kind for one in new])
        return shape

    def headers(self, chain: tuple[Way, ...], rest: tuple[Way, ...]) -> list[New]:
        """The new headers, as far as they are the same in all packets."""
        new = [New(way.kind, way.own, self.values) for way in (*chain, *rest[:-1])]
        for one, way in zip(new, (*chain[1:], *rest), strict=False):
            one.want(way.front)
        for one in new:
            for row in BY_HEADER[one.kind]:
                if carries_message(one.kind) and row.name.endswith((".SRC_ADDR", ".DST_ADDR")):
                    one.put(row, self.ends[row.name.endswith(".DST_ADDR")])
            one.assign(self.values)
            one.fit()
        return new

    def dynamic(self, shape: Shape, one: New, behind: New | None, at: int, ip: int | None, index: int) -> None:
        """What is another one in each packet: identification, congestion, the port of a flow."""
        if carries_message(one.kind):
            bit = ecn_bit(one.kind)
            if ip is not None and self.ecn != "0" and one.free(bit, 2):
                what = ECN_LOWERED if self.ecn == "kernel" else MOVE
                shape.step(what, ip, ecn_bit(shape.kinds[ip]), 2, at + bit)
            row = next((row for row in BY_HEADER[one.kind] if row.name == "IP.ID"), None)
            if row and one.free(row.bit, row.width):
                shape.step(COUNT, 0, 0, row.width, at + row.bit)
        if one.name == "UDP" and behind is not None:
            ports = [row for row in BY_HEADER[one.kind] if row.name.endswith("_PORT")]
            source, destination = sorted(ports, key=lambda row: row.bit)
            if one.free(source.bit, source.width):
                if behind.name in FLOWS:
                    shape.step(FLOW, index, 0, source.width, at + source.bit)
                else:
                    put_port = int.from_bytes(one.octets[destination.bit // 8 : destination.bit // 8 + 2], "big")
                    shape.steps.append((SET, 0, put_port, source.width, at + source.bit))
