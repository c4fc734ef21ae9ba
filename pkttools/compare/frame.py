"""A packet as it is compared: its headers, the items of their lists, and what else there is, each part with its bytes."""

from __future__ import annotations

from array import array
from functools import cache

from .. import codec
from ..batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, crc_of, fcs_of
from ..protocols.fields import BY_HEADER, DATA, HEADERS, TEXT, Row
from ..protocols.kinds import has
from ..protocols.walking import EXTENSION, FIRST_ITEM, TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from mmap import mmap

    Octets = bytes | bytearray | memoryview | mmap
    Pair = tuple["Part | None", "Part | None"]


class Part:
    """A header, or an item of a list in one.

    kinds: by the tables; of an item several, where several read the same bytes, the most exact one behind. start, data, end: see
    codec.walk. body: where something else in it begins, its data or the next header; inner: where that header, and all others in
    it, end. items: of its lists, or in it. number: of the header that it is, or is in.
    """

    __slots__ = ("body", "data", "end", "inner", "items", "kinds", "number", "start")

    def __init__(self, number: int, kind: int, start: int, data: int, end: int) -> None:
        self.kinds: tuple[int, ...] = (kind,)
        self.number, self.start, self.data, self.end = number, start, data, end
        self.body = self.inner = end
        self.items: list[Part] = []

    @property
    def kind(self) -> int:
        """The most exact one."""
        return self.kinds[-1]

    @property
    def is_item(self) -> bool:
        """Whether it is no header."""
        return self.kinds[0] >= FIRST_ITEM

    @property
    def name(self) -> str:
        """What a header is called: the protocol that its fields are named by, as all its kinds are; a tag by its own name."""
        return name_of(self.kind)

    def has(self, field: str) -> bool:
        """Whether it may have a field."""
        return any(field in names_of(kind) for kind in self.kinds)

    def everything(self) -> Iterator[Part]:
        """Itself and the items in it."""
        yield self
        for item in self.items:
            yield from item.everything()


class Frame:
    """A packet that is compared, its bytes copied. parts: its headers, the outermost first."""

    def __init__(self, data: Octets, row: bytes, most: int | None = None, without: Collection[int] = ()) -> None:
        """most: bytes of it that count; None: all. without: kinds of headers that may be missing; tags of these are taken off."""
        self.columns = array("q", row)
        at, size = self.columns[OFFSET], self.columns[CAPTURED]
        self.octets = bytearray(memoryview(data)[at : at + (size if most is None else min(size, most))])
        at, size = self.columns[NOTES], self.columns[NOTES_SIZE]
        self.notes = bytes(memoryview(data)[at : at + size])
        self.columns[OFFSET] = self.columns[NOTES] = self.columns[NOTES_SIZE] = 0
        self.columns[CAPTURED] = len(self.octets)
        self.row = self.columns.tobytes()
        if without:
            self._take_off(without)
        self.parts: list[Part] = []
        self._verdicts: list[int] | None = None
        self._itemised = False

    def _take_off(self, kinds: Collection[int]) -> None:
        """Takes tags off: each with the number that announces it, and without the one that it has."""
        for kind, start, _, end in reversed(codec.walk(self.octets, self.row)):
            if kind in kinds and has(kind, TAG) and start >= 2:
                del self.octets[start - 2 : end - 2]
        self.columns[ORIGINAL] -= self.columns[CAPTURED] - len(self.octets)
        self.columns[CAPTURED] = len(self.octets)
        self.row = self.columns.tobytes()

    def find_headers(self) -> None:
        """Finds the headers."""
        self.parts = found = [Part(number, *place) for number, place in enumerate(codec.walk(self.octets, self.row))]
        for i, part in enumerate(found):
            if i + 1 < len(found) and part.start <= found[i + 1].start < part.end:
                part.body, part.inner = found[i + 1].start, max(min(other.end, part.end) for other in found[i + 1 :])
            elif data_row(part.kinds):
                part.body = part.inner = min(max(part.data, part.start), part.end)

    def find_items(self) -> None:
        """Finds the items of lists, once: of the same bytes they are one, and what lies in one is of it."""
        if self._itemised:
            return
        self._itemised = True
        around: list[Part] = []
        for index, *place in codec.items(self.octets, self.row):
            item, header = Part(index, *place), self.parts[index]
            while around and not (around[-1].number == index and around[-1].start <= item.start < item.end <= around[-1].end):
                around.pop()
            if around and (around[-1].start, around[-1].end) == (item.start, item.end):
                around[-1].kinds += item.kinds
                around[-1].data = max(around[-1].data, item.data)
                continue
            (around[-1] if around else header).items.append(item)
            around.append(item)

    def verdict(self, part: Part) -> int:
        """What is to be said of the checksum of a header."""
        if self._verdicts is None:
            self._verdicts = codec.verify(self.octets, self.row)
        return self._verdicts[part.number]

    def index(self, part: Part, field: str = "") -> int:
        """Which one of its name a header is, or that of a field, in its packet: as filters count, from 1 on."""
        count = 0
        for header in self.parts[: part.number + 1]:
            for one in header.everything() if field else (header,):
                count += one.has(field) if field else one.name == part.name
                if one is part:
                    break
        return max(count, 1)

    @property
    def wire(self) -> int:
        """Where its frame check sequence begins, in bytes, whether that was captured or not; without one, where it ends."""
        whole = max(self.columns[CAPTURED], self.columns[ORIGINAL])
        return max(whole - (fcs_of(self.columns[LINKTYPE]) or 0), 0)

    @property
    def fcs_is_right(self) -> bool:
        """Whether it ends in a frame check sequence that is known to be right."""
        return crc_of(self.octets[: self.wire], self.columns[LINKTYPE]) == bytes(self.octets[self.wire :])

    def between(self) -> bytes:
        """What is of no header, nor its data, nor a frame check sequence: it stands behind all of them, or between those in one."""
        rest, at = bytearray(), 0
        parts = self.parts
        for first, last in sorted([(part.start, part.body) for part in parts] + [(part.inner, part.end) for part in parts]):
            rest += self.octets[at:first]
            at = max(at, last)
        return bytes(rest + self.octets[at : self.wire])


@cache
def name_of(kind: int) -> str:
    """What a header of a kind is called, see `Part.name`; an item by its protocol."""
    rows = BY_HEADER[kind]
    if kind < FIRST_ITEM and (not rows or has(kind, TAG | EXTENSION)):
        return HEADERS[kind]
    return rows[0].name.partition(".")[0] if rows else ""


@cache
def names_of(kind: int) -> frozenset[str]:
    """The fields of a kind."""
    return frozenset(row.name for row in BY_HEADER[kind])


@cache
def rows_of(kinds: tuple[int, ...]) -> tuple[tuple[Row, int], ...]:
    """The fields that have a place, the narrowest first: each with where it ends, in bits from the start."""
    rows = [row for kind in kinds for row in BY_HEADER[kind] if row.width]
    return tuple((row, row.bit + row.width) for row in sorted(rows, key=lambda row: row.width))


@cache
def data_row(kinds: tuple[int, ...]) -> Row | None:
    """The field that is what stands behind a header, or the value of an item."""
    return next((row for kind in kinds for row in BY_HEADER[kind] if row.width == 0 and row.kind in (DATA, TEXT)), None)


@cache
def data_name(kinds: tuple[int, ...]) -> str:
    """What that is called; without it, DATA of the protocol, where that is another field, as ICMPv6's number is. Empty: nothing."""
    row = data_row(kinds)
    name = f"{name_of(kinds[-1])}.DATA"
    return row.name if row else name if any(name in names_of(kind) for kind in kinds) else ""


def pairs_of(a: Sequence[Part], b: Sequence[Part]) -> Iterator[Pair]:
    """The parts that belong to each other, and those that only one has, in their order."""
    if [part.kinds for part in a] == [part.kinds for part in b]:
        yield from zip(a, b, strict=True)
        return
    from difflib import SequenceMatcher  # late: seldom

    ours, theirs = ([str(part.kind) if part.is_item else part.name for part in parts] for parts in (a, b))
    for how, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if how == "equal":
            yield from zip(a[i:i_end], b[j:j_end], strict=True)
        else:
            yield from ((part, None) for part in a[i:i_end])
            yield from ((None, part) for part in b[j:j_end])
