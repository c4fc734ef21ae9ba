"""What differs between two packets, by field: headers that belong to each other, then their fields, then what has no name.

Of bits that several fields read the narrowest ones are told, of fields inside of others these. A checksum that is right on
either side differs because of what it covers, which is told already, or may differ.
"""

from __future__ import annotations

from array import array
from itertools import zip_longest

from .. import codec
from ..batch import CAPTURED, LINKTYPE, ORIGINAL, TIME, linktype_of
from ..protocols.fields import BY_HEADER, DATA, FAMILY, HEADERS, INT, LITTLE, TEXT, Row
from ..protocols.kinds import column, has
from ..protocols.shown import format_seconds, format_text, format_value, read_field
from ..protocols.walking import OWN_END
from .frame import Frame, Part, data_name, data_row, pairs_of, rows_of
from .ignoring import FACTS, Ignored, checksums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .frame import Octets, Pair

    Value = int | bytes | None
MOST = 24  # octets of data that are told on either side, from the first one that differs
COUNTED = (INT, LITTLE, FAMILY)


class Difference:
    """Something that differs.

    header: its protocol, `IP`; empty of a fact of the packet. index: of several headers of that name which one, from 1 on.
    field: `IP.TTL`, or a fact of FACTS in ignoring.py; empty: the header itself, which only one of them has, or bits of it that
    have no name. a, b: the values as filters take them, octets in hexadecimal; None: it is not there. place: which bits have no
    name, or of octets where the first one differs and how many there are. values: numbers or octets, as they are in the packets.
    """

    __slots__ = ("a", "b", "field", "header", "index", "place", "values")

    def __init__(self, header: str, index: int, field: str, a: str | None, b: str | None, place: str = "",
                 values: tuple[Value, Value] = (None, None)) -> None:  # fmt: skip
        self.header, self.index, self.field, self.a, self.b, self.place, self.values = header, index, field, a, b, place, values

    @property
    def name(self) -> str:
        """What it is called: `IP.TTL`, `IP.TTL[2]`, `VLAN`, `TIME`."""
        name = self.field or self.header
        return f"{name}[{self.index}]" if self.index > 1 else name

    def __str__(self) -> str:
        """`IP.TTL: 64, 63`."""
        place = f" ({self.place})" if self.place else ""
        if self.a is None or self.b is None:
            return f"{self.name}: only in {'B' if self.a is None else 'A'}: {self.b if self.a is None else self.a}{place}"
        return f"{self.name}: {self.a}, {self.b}{place}"

    def __repr__(self) -> str:
        return f"<{self}>"


def differences(data_a: Octets, row_a: bytes, data_b: Octets, row_b: bytes, ignore: Ignored | None = None) -> list[Difference]:
    """What differs between two packets, each a row of a batch and the bytes that it is of, see batch.py; in the order of headers.

    Facts of the packets come first: link type, time, sizes. ignore: what may differ; None: lines of notes.
    """
    ignore = Ignored() if ignore is None else ignore
    most = None
    if "CAPTURED" in ignore.facts:
        both = array("q", row_a), array("q", row_b)
        if any(row[CAPTURED] < row[ORIGINAL] for row in both):
            most = min(row[CAPTURED] for row in both)
    a, b = Frame(data_a, row_a, most, ignore.kinds), Frame(data_b, row_b, most, ignore.kinds)
    found = list(_facts(a, b, ignore))
    if a.octets != b.octets:
        found += _Comparison(a, b, ignore).found()
    return found


def _facts(a: Frame, b: Frame, ignore: Ignored) -> Iterator[Difference]:
    """What differs of the packets themselves."""
    for fact, which in zip(FACTS, (LINKTYPE, TIME, CAPTURED, ORIGINAL), strict=False):
        x, y = a.columns[which], b.columns[which]
        if fact in ignore.facts or x == y:
            continue
        if fact == "TIME":
            if abs(x - y) > ignore.within and ignore.unsaid not in (x, y):
                yield Difference("", 1, fact, format_seconds(x), format_seconds(y), f"{format_seconds(y - x)} s", (x, y))
        elif fact != "LINKTYPE":
            yield Difference("", 1, fact, str(x), str(y), values=(x, y))
        elif linktype_of(x) != linktype_of(y):
            yield Difference("", 1, fact, str(linktype_of(x)), str(linktype_of(y)), values=(linktype_of(x), linktype_of(y)))
    if "NOTES" not in ignore.facts and a.notes != b.notes:
        yield from _notes(*(frame.notes.decode(errors="replace").splitlines() for frame in (a, b)))


def _notes(a: list[str], b: list[str]) -> Iterator[Difference]:
    """The lines of either packet that the other one does not have, those of one name beside each other."""
    ours, theirs = ([line for line in lines if line not in others] for lines, others in ((a, b), (b, a)))
    for name in dict.fromkeys(line.partition(":")[0] for line in (*ours, *theirs)):
        own, other = ([line.partition(":") for line in lines if line.startswith(f"{name}:")] for lines in (ours, theirs))
        for one, another in zip_longest(own, other):
            yield Difference("", 1, name, one and one[2].strip(), another and another[2].strip())


class _Comparison:
    """Two packets whose bytes differ."""

    def __init__(self, a: Frame, b: Frame, ignore: Ignored) -> None:
        self.a, self.b, self.ignore = a, b, ignore
        a.find_headers()
        b.find_headers()

    def found(self) -> Iterator[Difference]:
        """What differs, in the order of the headers."""
        for a, b, pieces in _with_pieces(pairs_of(self.a.parts, self.b.parts)):
            if a and b:
                if a.kind not in self.ignore.kinds:
                    yield from self.headers(a, b)
            elif counting := [one for one in pieces if one.kind not in self.ignore.kinds]:
                size = f"{sum(map(_size, counting))} bytes"
                one, frame = counting[0], self.a if a else self.b
                yield Difference(HEADERS[one.kind], frame.index(one), "", size if a else None, size if b else None)
        if "PADDING" not in self.ignore.facts:
            yield from _octets("", 1, "PADDING", self.a.between(), self.b.between())
        if "FCS" not in self.ignore.facts and not (self.a.fcs_is_right and self.b.fcs_is_right):
            yield from _octets("", 1, "FCS", *(bytes(frame.octets[frame.wire :]) for frame in (self.a, self.b)))

    def headers(self, a: Part, b: Part) -> Iterator[Difference]:
        """What differs between two headers, and in what stands behind them, or behind what is in them."""
        front = a.kind != b.kind or self.a.octets[a.start : a.body] != self.b.octets[b.start : b.body]
        behind = self.a.octets[a.inner : a.end] != self.b.octets[b.inner : b.end]
        if front or behind:  # where the data of a header begin, so may lists
            self.a.find_items()
            self.b.find_items()
            if unnamed := self.unnamed(a, b):
                for part in (a, b):
                    part.body = part.inner = part.start + unnamed
                behind = True
            yield from self.fields(a, b)
            yield from self.items(a, b)
        inside = a.inner > a.body or b.inner > b.body
        if behind and not (inside and "PADDING" in self.ignore.facts):
            both = [_without(frame.octets, part, part.inner) for frame, part in ((self.a, a), (self.b, b))]
            yield from self.data(a, b, *both)

    def unnamed(self, a: Part, b: Part) -> int:
        """Octets in front of what stands behind all fields of two headers, and counts as their data; 0: nothing there differs.

        So data of an ICMP echo begin behind ID and SEQ, though the field is what stands behind BSD's struct icmp.
        """
        inside = a.inner > a.body or b.inner > b.body
        if a.kinds != b.kinds or inside or a.items or b.items or not data_name(a.kinds).endswith(".DATA"):
            return 0
        size = min(a.body - a.start, b.body - b.start)
        named = max((-(-end // 8) for _, end in rows_of(a.kinds) if end <= size * 8), default=size)
        ours, theirs = (frame.octets[part.start + named : part.end] for frame, part in ((self.a, a), (self.b, b)))
        return named if named < size and ours != theirs else 0

    def items(self, a: Part, b: Part) -> Iterator[Difference]:
        """What differs between the items of two headers, or in two items."""
        for one, other in pairs_of(a.items, b.items):
            if one is None or other is None:
                yield from self.item(one, other)
            elif self.a.octets[one.start : one.end] != self.b.octets[other.start : other.end]:
                yield from self.fields(one, other)
                yield from self.items(one, other)

    def item(self, a: Part | None, b: Part | None) -> Iterator[Difference]:
        """An item that only one packet has: its most telling field."""
        one, frame = (a, self.a) if a else (b, self.b)
        rows = [row for kind in reversed(one.kinds) for row in BY_HEADER[kind]] if one else []
        if one is None or not rows or any(row.name in self.ignore.fields for row in rows):
            return
        values = ((row, read_field(row, frame.octets, one.start, one.data, one.end)) for row in rows)
        row, text = next(((row, text_of(row, value)) for row, value in values if value is not None), (rows[0], ""))
        yield Difference(one.name, frame.index(one, row.name), row.name, text if a else None, text if b else None)

    def fields(self, a: Part, b: Part) -> Iterator[Difference]:
        """The fields of two headers in front of what they carry, or of two items, and the bits that have no name."""
        told = list(self.told(a, b))
        yield from (one for _, one in sorted(told, key=lambda pair: pair[0]) if one)

    def told(self, a: Part, b: Part) -> Iterator[tuple[int, Difference | None]]:
        """The same, each with the bit where it begins; None: it may differ."""
        ours, theirs = self.a.octets[a.start : a.body], self.b.octets[b.start : b.body]
        size = min(len(ours), len(theirs))
        bits = size * 8
        differ = int.from_bytes(ours[:size], "big") ^ int.from_bytes(theirs[:size], "big")
        for part in (a, b):
            for item in part.items:
                differ &= ~_mask(bits, (item.start - part.start) * 8, (item.end - item.start) * 8)
        for kind in a.kinds:
            for first, width in self.ignore.places(kind):
                differ &= ~_mask(bits, first, width)
        others = {row.name: row for row, _ in rows_of(b.kinds)} if a.kinds != b.kinds else None
        for row, end in rows_of(a.kinds):
            other = row if others is None else others.pop(row.name, None)
            mask = _mask(bits, row.bit, row.width)
            if other is row and (not differ & mask if end <= bits else end > (a.end - a.start) * 8 and end > (b.end - b.start) * 8):
                continue
            x = read_field(row, self.a.octets, a.start, a.data, a.end)
            y = read_field(other, self.b.octets, b.start, b.data, b.end) if other else None
            if x != y:
                yield row.bit, self.field(a, b, row, x, y)
                differ &= ~mask
        for row in (others or {}).values():
            y = read_field(row, self.b.octets, b.start, b.data, b.end)
            mask = _mask(bits, row.bit, row.width)
            if y is not None and (differ & mask or row.bit >= bits):
                yield row.bit, self.field(a, b, row, None, y)
                differ &= ~mask
        if a.is_item and data_row(a.kinds):
            value = _mask(bits, (a.data - a.start) * 8, bits)
            if differ & value or len(ours) != len(theirs):
                both = [_without(frame.octets, part, part.data) for frame, part in ((self.a, a), (self.b, b))]
                yield from (((a.data - a.start) * 8, one) for one in self.data(a, b, *both))
            differ &= ~value
        elif len(ours) != len(theirs) and not (a.items or b.items):
            yield from ((bits, one) for one in self.data(a, b, bytes(ours[size:]), bytes(theirs[size:])))
        if differ:
            first, last = bits - differ.bit_length(), bits - (differ & -differ).bit_length() + 1
            x, y = (int.from_bytes(octets[:size], "big") >> bits - last & (1 << last - first) - 1 for octets in (ours, theirs))
            place = f"bits {first}-{last - 1}, which have no name" if last - first > 1 else f"bit {first}, which has no name"
            yield first, Difference(a.name, self.a.index(a), "", f"{x:#x}", f"{y:#x}", place, (x, y))

    def field(self, a: Part, b: Part, row: Row, x: Value, y: Value) -> Difference | None:
        """A field that differs; None: it may, or it is a checksum that follows."""
        if row.name in self.ignore.fields:
            return None
        if row.name in checksums() and not a.is_item:
            verdicts = self.a.verdict(a), self.b.verdict(b)
            if verdicts in ((codec.RIGHT, codec.RIGHT), (codec.LEFT, codec.LEFT)):
                return None
        one, other = (None if value is None else text_of(row, value) for value in (x, y))
        return Difference(a.name, self.a.index(a, row.name), row.name, one, other, values=(x, y))

    def data(self, a: Part, b: Part, x: bytes, y: bytes) -> Iterator[Difference]:
        """Octets of two parts that have one field, or none."""
        row, name = data_row(a.kinds) or data_row(b.kinds), data_name(a.kinds) or data_name(b.kinds)
        if x == y or name in self.ignore.fields:
            return
        index = self.a.index(a, name)
        if row and row.kind == TEXT and x and y:
            yield Difference(a.name, index, row.name, format_text(x), format_text(y), values=(x, y))
        else:
            yield from _octets(a.name, index, name, x, y)


def _with_pieces(pairs: Iterator[Pair]) -> Iterator[tuple[Part | None, Part | None, list[Part]]]:
    """Pairs of headers, and the pieces of a line that only one packet has, as the first one of HTTP is: it is told once."""
    sides: Pair = None, None
    pieces: list[Part] = []
    for a, b in pairs:
        one = a or b
        if one is None:
            continue
        alone = not (a and b)
        if pieces and alone and bool(a) == bool(sides[0]) and _goes_on(pieces[-1], one):
            pieces.append(one)
            continue
        if pieces:
            yield *sides, pieces
        sides, pieces = (a, b), [one] if alone else []
        if not alone:
            yield a, b, pieces
    if pieces:
        yield *sides, pieces


def _goes_on(last: Part, one: Part) -> bool:
    """Whether a header is a piece of the line of the one in front of it.

    That is up to some byte, and what is behind it has no title of its own. Without such a byte that is a header nevertheless: an
    option of a neighbour, an extension header, a tag.
    """
    from ..protocols.layouts import LAYOUT  # late: few packets differ in their headers

    return _is_word(last) and one.name == last.name and not LAYOUT[one.kind].title


def _is_word(part: Part) -> bool:
    """Whether a header goes on up to some byte, as the words of a line do."""
    return column(part.kind, "until") >= 0


def _size(part: Part) -> int:
    """Bytes of a header in front of what it carries; a word of a line is in it."""
    return (part.end if _is_word(part) and has(part.kind, OWN_END) else part.body) - part.start


def _without(octets: bytearray, part: Part, first: int) -> bytes:
    """The octets of a part from one on, without those of its items."""
    whole = bytearray(octets[first : part.end])
    for item in reversed(part.items):
        del whole[max(item.start - first, 0) : max(item.end - first, 0)]
    return bytes(whole)


def _octets(header: str, index: int, field: str, x: bytes, y: bytes) -> Iterator[Difference]:
    """Octets that differ: from the first one on that does."""
    if x == y:
        return
    first = next((i for i, (one, other) in enumerate(zip(x, y, strict=False)) if one != other), min(len(x), len(y)))
    sizes = f"{len(x)} bytes" if len(x) == len(y) else f"{len(x)} and {len(y)} bytes"
    one, other = (_hex(octets[first:]) if octets else None for octets in (x, y))
    yield Difference(header, index, field, one, other, f"from byte {first} on, of {sizes}", (x, y))


def _hex(octets: bytes) -> str:
    """Octets in hexadecimal, as many as are told."""
    return octets[:MOST].hex(" ").upper() + (" ..." if len(octets) > MOST else "")


def _mask(bits: int, first: int, width: int) -> int:
    """Bits of a number that has so many, counted from its first one."""
    last = min(first + width, bits)
    return (1 << last - first) - 1 << bits - last if last > first >= 0 else 0


def text_of(row: Row, value: int | bytes) -> str:
    """A value as filters take it: numbers decimal, those of bits that mean something by themselves in hexadecimal."""
    if isinstance(value, bytes) and row.kind == DATA:
        return _hex(value)
    return str(value) if row.kind in COUNTED and not row.hex else format_value(row, value)
