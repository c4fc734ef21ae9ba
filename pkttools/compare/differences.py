"""What differs between two packets, by field: headers that belong to each other, then their fields, then what has no name.

Of bits that several fields read the narrowest ones are told, of fields inside of others these. A checksum that is right on
either side differs because of what it covers, which is told already, or may differ.
"""

from __future__ import annotations

from array import array
from functools import cache

from .. import codec
from ..batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, linktype_of
from ..protocols.fields import BY_HEADER, DATA, HEADERS, TEXT, Row
from ..protocols.kinds import column
from ..protocols.shown import format_seconds, format_value, read_field
from ..protocols.walking import EXTENSION, FIRST_ITEM, TAG
from .ignoring import FACTS, Ignored, checksums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from mmap import mmap

    Octets = bytes | bytearray | memoryview | mmap
    Pair = tuple["Part | None", "Part | None"]
    Value = int | bytes | None
MOST = 24  # octets of data that are told on either side, from the first one that differs


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


class Part:
    """A header, or an item of a list in one. body: where something else in it begins, its data or the next header."""

    __slots__ = ("body", "data", "end", "inner", "items", "kind", "number", "start")

    def __init__(self, number: int, kind: int, start: int, data: int, end: int) -> None:
        self.number, self.kind, self.start, self.data, self.end = number, kind, start, data, end
        self.body = self.inner = end
        self.items: list[Part] = []


class Frame:
    """A packet that is compared, its bytes copied."""

    def __init__(self, data: Octets, row: bytes, most: int | None = None) -> None:
        """most: bytes of it that count; None: all."""
        self.columns = array("q", row)
        at, size = self.columns[OFFSET], self.columns[CAPTURED]
        self.octets = bytearray(memoryview(data)[at : at + (size if most is None else min(size, most))])
        at, size = self.columns[NOTES], self.columns[NOTES_SIZE]
        self.notes = bytes(memoryview(data)[at : at + size])
        self.columns[OFFSET] = self.columns[NOTES] = self.columns[NOTES_SIZE] = 0
        self.columns[CAPTURED] = len(self.octets)
        self.row = self.columns.tobytes()
        self._verdicts: list[int] | None = None

    def headers(self) -> list[Part]:
        """The headers: of those with something inside, `body` is where that begins, and `inner` where it ends."""
        found = [Part(number, *place) for number, place in enumerate(codec.walk(self.octets, self.row))]
        for i, part in enumerate(found):
            part.body = part.end
            if i + 1 < len(found) and part.start <= found[i + 1].start < part.end:
                part.body, part.inner = found[i + 1].start, max(min(other.end, part.end) for other in found[i + 1 :])
            elif _data_row(part.kind):
                part.body = part.inner = min(max(part.data, part.start), part.end)
        return found

    def verdict(self, part: Part) -> int:
        """What is to be said of the checksum of a header."""
        if self._verdicts is None:
            self._verdicts = codec.verify(self.octets, self.row)
        return self._verdicts[part.number]


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
    a, b = Frame(data_a, row_a, most), Frame(data_b, row_b, most)
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
        ours, theirs = (set(frame.notes.splitlines()) for frame in (a, b))
        for line in sorted(ours ^ theirs):
            name, _, text = line.decode(errors="replace").partition(":")
            said = (text.strip(), None) if line in ours else (None, text.strip())
            yield Difference("", 1, name, *said)


@cache
def _rows(kind: int) -> tuple[tuple[Row, int], ...]:
    """The fields of a header that have a place, the narrowest first: each with its bits, counted from the header's end on."""
    rows = [row for row in BY_HEADER[kind] if row.width]
    return tuple((row, row.bit + row.width) for row in sorted(rows, key=lambda row: row.width))


@cache
def _data_row(kind: int) -> Row | None:
    """The field that is what stands behind a header."""
    return next((row for row in BY_HEADER[kind] if row.width == 0 and row.kind in (DATA, TEXT)), None)


@cache
def _name(kind: int) -> str:
    """What a header is called: the protocol that its fields are named by, so that all its kinds are one; a tag by its own name."""
    rows = BY_HEADER[kind]
    if kind < FIRST_ITEM and (not rows or column(kind, "flags") & (TAG | EXTENSION)):
        return HEADERS[kind]
    return rows[0].name.partition(".")[0] if rows else ""


@cache
def _has(kind: int, field: str) -> bool:
    """Whether headers of a kind have a field."""
    return any(row.name == field for row in BY_HEADER[kind])


def pairs_of(a: Sequence[Part], b: Sequence[Part]) -> Iterator[Pair]:
    """The parts that belong to each other, and those that only one has, in their order."""
    ours, theirs = [part.kind for part in a], [part.kind for part in b]
    if ours == theirs:
        yield from zip(a, b, strict=True)
        return
    from difflib import SequenceMatcher  # late: seldom

    keys, others = ([str(kind) if kind >= FIRST_ITEM else _name(kind) for kind in kinds] for kinds in (ours, theirs))
    for how, i, i_end, j, j_end in SequenceMatcher(None, keys, others, autojunk=False).get_opcodes():
        if how == "equal":
            yield from zip(a[i:i_end], b[j:j_end], strict=True)
        else:
            yield from ((part, None) for part in a[i:i_end])
            yield from ((None, part) for part in b[j:j_end])


def between(octets: bytearray, parts: list[Part]) -> bytes:
    """What is of no header, nor its data: it stands behind all of them, or between those in one."""
    rest, at = bytearray(), 0
    for first, last in sorted([(part.start, part.body) for part in parts] + [(part.inner, part.end) for part in parts]):
        rest += octets[at:first]
        at = max(at, last)
    return bytes(rest + octets[at:])


class _Comparison:
    """Two packets whose bytes differ."""

    def __init__(self, a: Frame, b: Frame, ignore: Ignored) -> None:
        self.a, self.b, self.ignore = a, b, ignore
        self.parts_a, self.parts_b = a.headers(), b.headers()
        self.with_items = False

    def found(self) -> list[Difference]:
        """What differs, in the order of the headers."""
        found: list[Difference] = []
        for a, b in pairs_of(self.parts_a, self.parts_b):
            one = a or b
            if one is None or one.kind in self.ignore.kinds:
                continue
            if a is None or b is None:
                size = f"{one.body - one.start} bytes"
                found.append(Difference(HEADERS[one.kind], self.index(one), "", *((size, None) if a else (None, size))))
            else:
                found += self.compared(a, b)
        if "PADDING" not in self.ignore.facts:
            rest = (between(frame.octets, parts) for frame, parts in ((self.a, self.parts_a), (self.b, self.parts_b)))
            found += self.octets("", 1, "PADDING", *rest)
        return found

    def index(self, part: Part, field: str = "") -> int:
        """Which one of its name a header is, or that of a field, in its packet: as filters count, from 1 on."""
        parts = self.parts_a if any(part is one for header in self.parts_a for one in (header, *header.items)) else self.parts_b
        count = 0
        for header in parts:
            for one in (header, *header.items):
                count += _has(one.kind, field) if field else one.kind < FIRST_ITEM and _name(one.kind) == _name(part.kind)
                if one is part:
                    return count or 1
        return 1

    def compared(self, a: Part, b: Part) -> Iterator[Difference]:
        """What differs between two headers, or items."""
        ours, theirs = self.a.octets[a.start : a.body], self.b.octets[b.start : b.body]
        if ours != theirs or (a.kind != b.kind):
            self.add_items()
            yield from self.fields(a, b)
            for one, other in pairs_of(a.items, b.items):
                yield from self.items(one, other)
        if a.end > a.inner or b.end > b.inner:
            yield from self.data(a, b)

    def add_items(self) -> None:
        """Finds the items of lists, once: where bytes of several kinds are the same, the last one is the most exact."""
        if self.with_items:
            return
        self.with_items = True
        for frame, parts in ((self.a, self.parts_a), (self.b, self.parts_b)):
            for index, *place in codec.items(frame.octets, frame.row):
                item, items = Part(index, *place), parts[index].items
                item.body = item.end
                items.append(item)

    def fields(self, a: Part, b: Part) -> Iterator[Difference]:
        """The fields of two headers in front of what they carry, and the bits that have no name."""
        ours, theirs = self.a.octets[a.start : a.body], self.b.octets[b.start : b.body]
        size = min(len(ours), len(theirs))
        bits = size * 8
        differ = int.from_bytes(ours[:size], "big") ^ int.from_bytes(theirs[:size], "big")
        for part in (a, b):
            for item in part.items:
                differ &= ~_mask(bits, (item.start - part.start) * 8, (item.end - item.start) * 8)
        for first, width in self.ignore.places(a.kind):
            differ &= ~_mask(bits, first, width)
        told: list[tuple[int, Difference | None]] = []
        name = _name(a.kind)
        others = {row.name: row for row, _ in _rows(b.kind)} if a.kind != b.kind else None
        for row, end in _rows(a.kind):
            other = row if others is None else others.pop(row.name, None)
            mask = _mask(bits, row.bit, row.width)
            if other is row and (not differ & mask if end <= bits else end > (a.end - a.start) * 8 and end > (b.end - b.start) * 8):
                continue
            x = read_field(row, self.a.octets, a.start, a.data, a.end)
            y = read_field(other, self.b.octets, b.start, b.data, b.end) if other else None
            if x == y:
                continue
            told.append((row.bit, self.field(name, a, b, row, x, y)))
            differ &= ~mask
        for row in (others or {}).values():
            y = read_field(row, self.b.octets, b.start, b.data, b.end)
            mask = _mask(bits, row.bit, row.width)
            if y is not None and (differ & mask or row.bit >= bits):
                told.append((row.bit, self.field(name, a, b, row, None, y)))
            differ &= ~mask
        if differ:
            first, last = bits - differ.bit_length(), bits - (differ & -differ).bit_length() + 1
            x, y = (int.from_bytes(octets[:size], "big") >> bits - last & (1 << last - first) - 1 for octets in (ours, theirs))
            place = f"bits {first}-{last - 1}, which have no name" if last - first > 1 else f"bit {first}, which has no name"
            told.append((first, Difference(name, self.index(a), "", f"{x:#x}", f"{y:#x}", place, (x, y))))
        yield from (one for _, one in sorted(told, key=lambda pair: pair[0]) if one)
        if len(ours) != len(theirs) and not (a.items or b.items or told):
            yield from self.octets(name, self.index(a), "", bytes(ours), bytes(theirs))

    def field(self, header: str, a: Part, b: Part, row: Row, x: Value, y: Value) -> Difference | None:
        """A field that differs; None: it may, or it is a checksum that follows."""
        if row.name in self.ignore.fields:
            return None
        if row.name in checksums() and a.kind < FIRST_ITEM:
            verdicts = self.a.verdict(a), self.b.verdict(b)
            if verdicts in ((codec.RIGHT, codec.RIGHT), (codec.LEFT, codec.LEFT)):
                return None
        one, other = (None if value is None else text_of(row, value) for value in (x, y))
        return Difference(header, self.index(a, row.name), row.name, one, other, values=(x, y))

    def items(self, a: Part | None, b: Part | None) -> Iterator[Difference]:
        """What differs between two items."""
        if a and b:
            if self.a.octets[a.start : a.end] != self.b.octets[b.start : b.end]:
                yield from self.fields(a, b)
                if a.data < a.end or b.data < b.end:
                    yield from self.data(a, b)
            return
        one, frame = (a, self.a) if a else (b, self.b)
        if one is None:
            return
        rows = [row for row in BY_HEADER[one.kind] if row.name not in self.ignore.fields]
        if not rows:
            return
        value = read_field(rows[0], frame.octets, one.start, one.data, one.end)
        text = text_of(rows[0], value) if value is not None else f"{one.end - one.start} bytes"
        header = rows[0].name.partition(".")[0]
        yield Difference(header, self.index(one, rows[0].name), rows[0].name, *((text, None) if a else (None, text)))

    def data(self, a: Part, b: Part) -> Iterator[Difference]:
        """What stands behind two headers, or behind what is in them."""
        row = _data_row(a.kind) or _data_row(b.kind)
        name = _name(a.kind)
        behind = a.inner > a.body or b.inner > b.body
        if (row and row.name in self.ignore.fields) or (behind and "PADDING" in self.ignore.facts):
            return
        both = []
        for frame, part in ((self.a, a), (self.b, b)):
            first = part.data if part.kind >= FIRST_ITEM else part.inner
            whole = bytearray(frame.octets[first : part.end])
            for item in part.items:
                del whole[max(item.start - first, 0) : max(item.end - first, 0)]
            both.append(bytes(whole))
        yield from self.octets(name, self.index(a, row.name if row else ""), row.name if row else "", *both)

    def octets(self, header: str, index: int, field: str, x: bytes, y: bytes) -> Iterator[Difference]:
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
    if isinstance(value, int) and row.kind not in ("mac", "ipv4", "ipv6") and not row.hex:
        return str(value)
    return format_value(row, value)
