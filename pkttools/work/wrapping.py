"""Puts headers in front of others, and takes them off, by the names of the descriptions.

What is done to a packet follows from the first of its headers: so it is found out once, as a shape, and done by the codec to all
packets that begin so. A number that announces a header is looked for in the tables of protocols, see
announcing.py; whether a packet that is made is what was meant, the walk says.
"""

from __future__ import annotations

from itertools import groupby, islice
from struct import pack

from .. import codec
from ..batch import LINKTYPE, Batch, linktype_of
from ..errors import UsageError, checksum_left, counted, need
from ..protocols import _meanings
from ..protocols.fields import BY_HEADER, HEADERS, Row
from ..protocols.kinds import carries_message, column, remembered
from ..protocols.values import Header, occurring, unknown_name
from ..protocols.walking import BY_SPACE, DATAGRAM_6, EXTENSION, FROM_BEHIND, LINK_LAYER, PADDED, TAG, TUNNEL
from . import announcing
from .announcing import LENGTH, Bits, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..language.filters import Filter

    Planner = Callable[["Sample"], Iterator["Shape"]]

# The codec's numbers, see wrapping.h.
MOVE, SET, COUNT, FLOW, ECN_LOWERED, ECN_JOINED, SIZE = range(7)
WRAPPED, NO_HEADER, NO_WAY, CUT_OFF, IN_FRAGMENT, TOO_LONG, UNSOUND, CONGESTED, NOT_SUMMED = range(9)
REASONS = {
    NO_HEADER: "without such a header",
    NO_WAY: "nothing announces it there",
    CUT_OFF: "truncated or malformed",
    IN_FRAGMENT: "of a fragment, whose lengths are others'",
    TOO_LONG: "too long",
    UNSOUND: "with a wrong checksum around it",
}
RAW_IP = 101  # the link type

# Who carries a header, where not what is in front of it does; and what may have to be between a header and what it carries.
CARRIERS = ("UDP", "GRE", "LLC")
INSIDE = ("ETHERNET", "PPP_BARE", "LLC", "SNAP")
# Headers that are called by other names: of which kind, the number that announces it, and what is in it: all from where on.
ALIASES = {"QINQ": ("VLAN", 0x88A8, ""), "GTPU": ("GTP", 0, ""), "GRETAP": ("GRE", 0, "ETHERNET")}
DETOURS = {"ERSPAN_III": "GRE"}  # what could be announced without it, and is not: draft-foschiano-erspan-03 section 4.3
PACKETS = ("GRE",)  # of tunnels that could carry frames, too: by default they carry packets
FLOWS = (
    "VXLAN",
    "VXLAN_GPE",
    "GENEVE",
    "MPLS",
)  # behind UDP: the source port tells flows apart, RFC 7348 section 5, RFC 8926 section 3.3
DEFAULTS = {"IP.TTL": 64, "IPV6.HOP_LIMIT": 64, "MPLS.TTL": 64, "ETHERNET.VLAN_ID": 1}  # as the kernel has it for tunnels
ADDRESSES = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}  # RFC 5737, RFC 3849
NAMES = {4: "IP", 6: "IPV6"}
CANDIDATES = 24  # ways that are tried, if the walk does not see them so
LEAST, MOST_MOVED = 8, 64


Number = tuple[bool, int, int]  # where one stands in a header: whether counted from where that ends, bit, and width


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


# ---- a header's default octets ----


@remembered
def constants(kind: int) -> list[tuple[Row, int]]:
    """Fields of a kind that have a value in every such header, and what we write in others."""
    rows = BY_HEADER[kind]
    said = zip(rows, _meanings.MEANINGS.get(kind, ()), strict=False)
    found = [(row, int(meaning)) for row, meaning in said if meaning.isdigit()]
    return found + [(row, DEFAULTS[row.name]) for row in rows if row.name in DEFAULTS]


def put(octets: bytearray, bit: int, width: int, mask: int, value: int) -> None:
    """Writes the bits of a mask; of what lies outside of the octets nothing."""
    first, stop = bit // 8, (bit + width + 7) // 8
    if bit < 0 or stop > len(octets):
        return
    shift = 8 * stop - bit - width
    around = int.from_bytes(octets[first:stop], "big") & ~(mask << shift)
    octets[first:stop] = (around | (value & mask) << shift).to_bytes(stop - first, "big")


def number(octets: bytes | bytearray, read: int) -> int:
    """A number in a header."""
    _, bit, width, order = announcing.table("reads")[read]
    stop = (bit + width + 7) // 8
    value = int.from_bytes(octets[bit // 8 : stop], "big") >> 8 * stop - bit - width & (1 << width) - 1
    return int.from_bytes(value.to_bytes(width // 8, "big"), "little") if order else value


class New:
    """A header that is put in: its octets, and the bits of it that the user has set."""

    def __init__(self, kind: int, own: Iterable[Bits]) -> None:
        self.kind, self.name = kind, HEADERS[kind]
        self.octets = bytearray(column(kind, "fixed"))
        self.set: list[tuple[int, int]] = []
        for row, value in constants(kind):
            self.put(row, value // row.scale - row.bias)
        self.want(own)

    def put(self, row: Row, value: int) -> None:
        """Writes a field, as it stands in packets."""
        put(self.octets, row.bit, row.width, (1 << row.width) - 1, value)

    def want(self, bits: Iterable[Bits]) -> None:
        """Writes what has to stand there, and makes it as long as it says then."""
        for one in bits:
            put(self.octets, one.bit + 8 * len(self.octets) * one.behind, one.width, one.mask, one.value)
        self.fit()

    def fit(self) -> None:
        """Makes it as long as it says; where that is too short, it says how long it is."""
        first, count = column(self.kind, "term"), column(self.kind, "terms")
        terms = [term for term in announcing.table("terms")[first : first + count] if self.holds(term[3], term[4])]
        if not terms:
            return
        size = sum(bias + (scale * number(self.octets, read) if read >= 0 else 0) for read, scale, bias, *_ in terms)
        fixed = column(self.kind, "fixed")
        said = next(((read, scale) for read, scale, *_ in terms if read >= 0 and scale), None)
        if size < fixed and said:
            one = announcing.bits_of(said[0], 0xFFFFFFFF, number(self.octets, said[0]) - (size - fixed) // said[1])
            put(self.octets, one.bit, one.width, one.mask, one.value)
        self.octets += bytes(max(0, size - len(self.octets)))

    def holds(self, first: int, count: int) -> bool:
        """Whether tests hold of it."""
        tests = announcing.table("tests")[first : first + count]
        return all((low <= number(self.octets, read) & mask <= high) != bool(how) for read, mask, low, high, how in tests)

    def assign(self, row: Row, value: int) -> None:
        """Writes what the user has set."""
        self.put(row, value)
        self.set.append((row.bit, row.bit + row.width))

    def free(self, bit: int, width: int) -> bool:
        """Whether the user has not set these bits."""
        return all(stop <= bit or bit + width <= start for start, stop in self.set)


def ecn_bit(kind: int) -> int:
    """Where in an IP header the bits are that say whether a router is congested."""
    return 10 if column(kind, "exception") == DATAGRAM_6 else 14


# ---- numbers that announce ----


def announcer(kind: int, space: int) -> Number | None:
    """Where a header has the number that announces by a space: whether counted from behind it, bit and width."""
    first, count = column(kind, "rule"), column(kind, "rules")
    for how, what, read, *_ in announcing.table("rules")[first : first + count]:
        if how == BY_SPACE and what == space:
            base, bit, width, _ = announcing.table("reads")[read]
            return base == FROM_BEHIND, bit, width
    return None


def spaces(kind: int) -> list[int]:
    """The spaces by which a header announces what follows."""
    first, count = column(kind, "rule"), column(kind, "rules")
    return [what for how, what, *_ in announcing.table("rules")[first : first + count] if how == BY_SPACE]


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


# ---- what is wanted ----


def kinds_of(name: str) -> list[int]:
    """The kinds of headers of a name: several where some have optional fields."""
    return [kind for kind, known in enumerate(HEADERS) if known == name and kind]


def named(text: str) -> tuple[str, int | None]:
    """The header that is meant, and which of several. Raises UsageError."""
    name, occurrence = occurring(text)
    if name in ALIASES or name == "IPIP" or kinds_of(name):
        return name, occurrence
    raise UsageError(unknown_name(name, [*HEADERS[1:], *ALIASES, "IPIP"], "header").replace(" (-k lists the fields)", ""))


def called(kind: int, name: str) -> bool:
    """Whether a header has a name: tunnels that are told apart by what follows have that of their fields, as NVGRE has GRE."""
    return HEADERS[kind] == name or (has(kind, TUNNEL) and any(row.name.startswith(f"{name}.") for row in BY_HEADER[kind]))


def found(kinds: Sequence[int], name: str, occurrence: int | None) -> int | None:
    """Which of the headers it is; a tunnel's parts are one."""
    own = [called(kind, name) for kind in kinds]
    places = [i for i, kind in enumerate(kinds) if own[i] and not (i and own[i - 1] and has(kind, TUNNEL))]
    place = (occurrence or 1) - 1 if (occurrence or 1) > 0 else len(places) + (occurrence or 1)
    return places[place] if 0 <= place < len(places) else None


def has(kind: int, flags: int) -> bool:
    """Whether it is any of these."""
    return bool(column(kind, "flags") & flags)


def has_sum(kind: int) -> bool:
    """Whether it has a checksum, of its own or of the message that it begins; or carries one that has."""
    return carries_message(kind) or any(row[0] == kind for row in announcing.table("sums"))


@remembered
def flow_ports() -> bytes:
    """The kinds of headers that begin with the ports of a flow, as the codec wants them."""
    ports = [kind for kind in range(1, len(HEADERS)) for row in BY_HEADER[kind][:1] if row.name.endswith(".SRC_PORT")]
    return pack(f"={len(ports)}q", *ports)


def inner_ip(sample: Sample, first: int) -> int | None:
    """The first IP header from one on."""
    return next((i for i in range(first, len(sample.kinds)) if carries_message(sample.kinds[i])), None)


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

    @property
    def own(self) -> set[str]:
        """Names of fields of the header itself."""
        return {row.name for kind in self.kinds for row in BY_HEADER[kind]}

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
        number = next((one for one in chain[0].front if one.space >= 0), None)
        same = None
        if number and front is not None and len(chain) == 1 and not whole:
            same = announcer(chain[0].kind, number.space)
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
        if same and front is not None:
            announced = next(one for one in chain[0].front if one.space >= 0)
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
        new = [New(way.kind, way.own) for way in (*chain, *rest[:-1])]
        for one, way in zip(new, (*chain[1:], *rest), strict=False):
            one.want(way.front)
        for one in new:
            for row in BY_HEADER[one.kind]:
                if carries_message(one.kind) and row.name.endswith((".SRC_ADDR", ".DST_ADDR")):
                    one.put(row, self.ends[row.name.endswith(".DST_ADDR")])
            for name, value in self.values:
                for row in BY_HEADER[one.kind]:
                    if row.name == name:
                        one.assign(row, value)
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
        nested = [i for i, kind in enumerate(kinds) if carries_message(kind) and self.beyond(kinds, i) < len(kinds)
                  and carries_message(kinds[self.beyond(kinds, i)])]  # fmt: skip
        place = (self.occurrence or 1) - 1 if (self.occurrence or 1) > 0 else len(nested) + (self.occurrence or 1)
        return nested[place] if 0 <= place < len(nested) else None

    def beyond(self, kinds: Sequence[int], index: int) -> int:
        """Behind a header and what belongs to it."""
        index += 1
        while index < len(kinds) and has(kinds[index], EXTENSION):
            index += 1
        return index

    def __call__(self, sample: Sample) -> Iterator[Shape]:
        """Shapes for packets like this one, the most likely first."""
        index, kinds = self.place(sample), sample.kinds
        if index is None:
            yield Shape(sample, len(kinds), NO_HEADER)
            return
        first, stop = index, self.beyond(kinds, index)
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


class Wrapper:
    """Puts headers into packets, or takes them off; a stage of a flow.

    planner: finds shapes. guard: only packets that it accepts. keep: what is around stays as it is. again: as often as it can be
    done to a packet. Counts packets that were left, by reason.
    """

    def __init__(self, planner: Planner, guard: Filter | None = None, keep: bool = False, again: bool = False) -> None:
        self.planner, self.guard, self.keep, self.again = planner, guard, keep, again
        self.shapes, self.octets, self.number = bytearray(), bytearray(), 1
        self.left: dict[int, int] = {}
        self.ports = b""  # see flow_ports: until a shape asks for them

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, changed or not: in batches that the guard accepts, or does not."""
        for batch in stream:
            if self.guard is None:
                yield from self.changed(batch)
                continue
            start = 0
            for accepted, run in groupby(self.guard.verdicts(batch)):
                stop = start + sum(1 for _ in run)
                part, start = batch.part(start, stop), stop
                for made in self.changed(part) if accepted else (part,):
                    made.chosen = bool(accepted)
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
            if shape.why == WRAPPED and tried < CANDIDATES * 4 and not self.right(shape, sample):
                tried += 1
                continue
            self.add(shape)
            return

    def add(self, shape: Shape) -> None:
        """Adds a shape."""
        self.shapes += shape.packed(len(self.octets))
        self.octets += shape.octets
        if any(what == FLOW for what, *_ in shape.steps):
            self.ports = flow_ports()

    def right(self, shape: Shape, sample: Sample) -> bool:
        """Whether what is made of a packet has the headers that it should have, as far as can be told."""
        one, ports = sample.batch, flow_ports() if any(what == FLOW for what, *_ in shape.steps) else b""
        _, data, rows, (_, counts, _) = codec.wrap(one.data, one.rows, 0, shape.packed(0), bytes(shape.octets), ports, 0, True)
        if not counts[WRAPPED]:
            return True
        seen = codec.walk(data, rows)
        if len(seen) < len(shape.expected):
            return False
        return all(start == at and kind in (-1, of) for (kind, at), (of, start, _, _) in zip(shape.expected, seen, strict=False))

    def said(self) -> list[str]:
        """What there is to say at the end."""
        left = {why: count for why, count in self.left.items() if why in REASONS}
        reasons = ", ".join(f"{count} {REASONS[why]}" for why, count in sorted(left.items()))
        said = [f"{counted(sum(left.values()), 'packet')} passed as they came: {reasons}"] if left else []
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


def ends_of(source: str | None, destination: str | None, usual: int = 4) -> tuple[int, tuple[int, int]]:
    """The version of new IP headers, and their addresses; the usual ones where none are given. Raises UsageError."""
    from ..protocols.values import parse_ipv4, parse_ipv6  # late: only where they are given

    found: list[tuple[int, int] | None] = []
    for what, text in (("--src", source), ("--dst", destination)):
        if text is None:
            found.append(None)
            continue
        four, six = parse_ipv4(text), parse_ipv6(text)
        need(four is not None or six is not None, f"{what} '{text}': that is no IP address")
        found.append((4, four) if four is not None else (6, six or 0))
    versions = {one[0] for one in found if one}
    need(len(versions) < 2, "--src and --dst are of different versions of IP")
    version = versions.pop() if versions else usual
    parse = parse_ipv4 if version == 4 else parse_ipv6
    first, second = (one[1] if one else parse(own) or 0 for one, own in zip(found, ADDRESSES[version], strict=True))
    return version, (first, second)
