"""Runs templates of descriptions, which say of a header what people read; twin of ../c/templates.c.

What the tables mean is said in ...protocols.showing.
"""

from __future__ import annotations

from functools import cached_property
from struct import iter_unpack
from typing import NamedTuple

from ...protocols import _templates
from ...protocols.fields import FAMILY, INT, LITTLE, TABLE, Row
from ...protocols.showing import (
    ACKED,
    ALSO,
    COLUMNS,
    FIELD,
    FLAG,
    HEXADECIMAL,
    LINK,
    LITERAL,
    NAMED,
    NO_PAYLOAD,
    OF_TAG,
    PREFIX,
    RANGE,
    SIZE,
    TAGS,
    VERDICT,
    ZEROS,
)
from ...protocols.shown import format_value, read_field
from ...protocols.walking import FIRST_ITEM
from .. import ALL, LEFT, NONE, RIGHT, UNCERTAIN
from .connections import ACK_FROM_SYN, FROM_SYN, Segment
from .headers import Header, Walk
from .lists import Items

NUMBERS = (INT, FAMILY, LITTLE)  # kinds of fields that are shown as numbers
VERDICTS = {NONE: "None", RIGHT: "Valid", UNCERTAIN: "Unchecked"}


class Shown(NamedTuple):
    """How a kind of header is shown: a row of `shown`, with its text."""

    title: str
    layer: int
    tag: int
    first: int
    templates: int  # how many
    brief: int
    first_line: int
    lines: int
    data: str
    payload: int
    behind: int


class Piece(NamedTuple):
    """A row of `pieces`, with its text."""

    what: int
    places: tuple[Row, ...]
    first: int
    more: int  # of TAGS: the template in place of `first` where more is to be said
    form: str | int
    text: str


class Tables:
    """The tables, laid out when they are asked for."""

    def __init__(self) -> None:
        *tables, self.text = _templates.TEMPLATES
        self.shown, self.templates, self.pieces, self.places, self.items, self.words, self.numbers = (
            [*iter_unpack(f"{columns}q", table)] for columns, table in zip(COLUMNS, tables, strict=True)
        )
        self.known: dict[int, Shown] = {}
        self.made: dict[int, list[Piece]] = {}
        self.named: dict[int, dict[int, str]] = {}

    def put(self, at: int, size: int) -> str:
        """A text."""
        return self.text[at : at + size].decode()

    def of_kind(self, kind: int) -> Shown:
        """How a kind of header is shown."""
        if kind >= FIRST_ITEM:
            return Shown(
                "", LINK, -1, 0, 0, -1, self.items[kind - FIRST_ITEM][0], self.items[kind - FIRST_ITEM][1], "", NO_PAYLOAD, 0
            )
        if kind not in self.known:
            title, size, layer, tag, first, count, brief, lines, told, data, data_size, payload, behind = self.shown[kind]
            text = self.put(title, size), self.put(data, data_size)
            self.known[kind] = Shown(text[0], layer, tag, first, count, brief, lines, told, text[1], payload, behind)
        return self.known[kind]

    def template(self, number: int) -> list[Piece]:
        """The pieces of a template."""
        if number not in self.made:
            first, count = self.templates[number]
            self.made[number] = [self.piece(*row) for row in self.pieces[first : first + count]]
        return self.made[number]

    def piece(self, what: int, first: int, count: int, form: int, width: int, text: int, size: int) -> Piece:
        """A piece of its row."""
        places = () if what == TAGS else tuple(TABLE[index] for (index,) in self.places[first : first + count])
        return Piece(what, places, first, count, form if what == ALSO else format_of(form, width), self.put(text, size))

    def word(self, names: int, number: int) -> str:
        """The name of a value, by so many-th names of values from 1 on, as fields say it; "": it has none."""
        if names not in self.named:
            first, count = self.words[names - 1]
            rows = self.numbers[first : first + count]
            self.named[names] = {value: self.put(*text) for value, *text in rows}
        return self.named[names].get(number, "")


def format_of(form: int, width: int) -> str:
    """The format of a number, as Python has it."""
    kind = "x" if form & 3 == HEXADECIMAL else "d"
    return f"{'#' if form & PREFIX else ''}{'0' if form & ZEROS else ''}{width or ''}{kind}"


_tables: Tables | None = None


def known() -> Tables:
    """The tables."""
    global _tables
    if _tables is None:
        _tables = Tables()
    return _tables


def shown_of(kind: int) -> Shown:
    """How a kind of header is shown; of an item: what it says in a line alone."""
    return known().of_kind(kind)


class Telling:
    """A packet of which templates tell; its frame without a frame check sequence.

    counts: how many checksums were told of as BAD, and as LEFT to the card. more: what 1.16 did not: the latter are called
    unfinished, and names of values stand beside them.
    """

    def __init__(self, frame: bytes, original: int, linktype: int, more: bool, counts: dict[int, int]) -> None:
        self.frame, self.original, self.linktype, self.more, self.counts = frame, original, linktype, more, counts
        self.walk = Walk(frame, linktype)
        self.headers = self.walk.headers
        self.segment: Segment | None = None  # what was seen of its connection; None: that is not known

    @cached_property
    def verdicts(self) -> list[int]:
        """What is to be thought of the checksum of each header; NONE of what is quoted."""
        from .checksum import View
        from .soundness import verdicts_of

        return verdicts_of(View(self.frame, self.original, self.linktype, True))

    @cached_property
    def right(self) -> bytearray:
        """The bytes with all checksums as they should be."""
        from array import array

        from .correction import correct

        copy = bytearray(self.frame)
        correct(copy, array("q", (0, len(copy), self.original, 0, self.linktype, 0, 0)).tobytes(), ALL)
        return copy

    @cached_property
    def items(self) -> list[tuple[int, Header]]:
        """The items of lists, such as options, with the indexes of the headers that they are in."""
        return [*Items(self.frame, self.headers).all()]

    def is_quoted(self, index: int) -> bool:
        """Whether an error message quotes a header."""
        return self.walk.quoted <= index < self.walk.resumed

    def tags_behind(self, index: int) -> int:
        """How many headers behind one are shown in its line."""
        tag, count = shown_of(self.headers[index].kind).tag, 0
        while tag >= 0 and index + count + 1 < len(self.headers) and self.headers[index + count + 1].kind == tag:
            count += 1
        return count

    def find(self, index: int, piece: Piece, item: Header | None) -> tuple[Row, Header, int | bytes] | None:
        """A piece's field: its row, the header or the item that it is in, and its value. None: it is not there."""
        header = item or self.headers[index + self.tags_behind(index) if piece.what & OF_TAG else index]
        places = [(row, header) for row in piece.places if row.header == header.kind][:1]
        if not places and not item and piece.places and piece.places[0].header >= FIRST_ITEM:
            places = [(row, one) for of, one in self.items if of == index for row in piece.places if row.header == one.kind]
        for row, of in places:
            value = read_field(row, self.frame, of.start, of.data, of.end)
            if value is not None:
                return row, of, value
        return None

    def octets(self, number: int | bytes, acked: bool) -> str:
        """A number of octets, from where its connection began."""
        of = self.segment
        if of is None or not isinstance(number, int):
            return str(number)
        since = (number - (of.ack_base if acked else of.base)) % (1 << 32)
        text = f"{'' if of.what & (ACK_FROM_SYN if acked else FROM_SYN) else '~'}{since}"
        return text if acked or not of.octets else f"{text}:{(since + of.octets) % (1 << 32)}"

    def verdict(self, index: int, piece: Piece, item: Header | None) -> str | None:
        """What there is to say of a checksum: of a wrong or unfinished one, what pkt-correct would make of it."""
        verdict = NONE if item else self.verdicts[index]
        if verdict == NONE and not item and self.is_quoted(index):
            return "Quoted"  # it was so when the packet was sent that is quoted, or is cut since
        if verdict in VERDICTS:
            return VERDICTS[verdict]
        self.counts[verdict] += 1
        if not (found := self.find(index, piece, None)):
            return None
        row, of, _ = found
        right = read_field(row, self.right, of.start, of.data, of.end)
        value = f"{right:#0{min(2 + row.width // 4, 64)}x}"  # type: ignore[str-bytes-safe]  # a number
        return f"Unfinished, {value}" if verdict == LEFT and self.more else value

    def tell(self, index: int, template: int, item: Header | None = None) -> str | None:
        """What a template says of a header, or of an item; None: it asks for a field that is not there."""
        told = []
        for piece in known().template(template):
            text = self.tell_piece(index, piece, item)
            if text is None:
                return None
            told.append(text)
        return "".join(told)

    def tell_piece(self, index: int, piece: Piece, item: Header | None) -> str | None:
        """The same for a piece."""
        what = piece.what & ~OF_TAG
        if what == LITERAL:
            return piece.text
        if what == VERDICT:
            return self.verdict(index, piece, item)
        if what == SIZE:
            header = item or self.headers[index]
            return format(header.end - header.start, str(piece.form))
        if what == TAGS:
            tags, template = 0 if item else self.tags_behind(index), piece.more if self.more else piece.first
            told = [self.tell(index + i, template) for i in range(1, tags + 1)]
            return None if None in told else "".join(filter(None, told))
        found = self.find(index, piece, item)
        if not found:
            return None
        row, _, value = found
        number = value if isinstance(value, int) and row.kind in NUMBERS else None
        if what in (RANGE, ACKED):
            return self.octets(value, what == ACKED)
        if what == FLAG:
            return "" if number == 0 else piece.text
        if what in (NAMED, ALSO):
            names = row.words if what == NAMED else int(piece.form) + 1
            word = known().word(names, number) if names and number is not None else ""
            if what == ALSO or (word and not self.more):
                return word
        text = format_value(row, value) if number is None else format(number, str(piece.form) if what == FIELD else "d")
        beside = known().word(row.words, number) if self.more and row.words and number is not None else ""
        return f"{text} ({beside})" if beside else text
