"""Templates of descriptions, `show` and `brief`, as flat programs. What their tables mean is said in showing.py."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from struct import pack
from typing import Any

from . import HEX, showing
from .model import OURS, Data, Descriptions, Header, Item, Line
from .walking import FIRST_ITEM

NUMBERS = ("int", "little", "family")  # forms whose value is a number
FORMAT = re.compile(r"(#?)(0?)([0-9]{0,2})([dx]?)")
# What is shown in the line of a header, where it stands behind it: as 1.16 did, and where more is to be said.
TAGS = {
    "ETHERNET": ("VLAN", "(VLAN tag: {VLAN_TAG:#06x}) ", "(VLAN tag: {VLAN_TAG:#06x}, VLAN {VLAN_ID}, priority {VLAN_PRIORITY}) "),
}
# Next headers that are shown with a name, in 1.16's words.
EXTENSIONS = {0: "HOPOPTS", 43: "ROUTING", 44: "FRAGMENT", 51: "AH", 60: "DSTOPTS"}
ATTRIBUTES = (
    "size",
    "tags",
    "type",
    "flags",
    "named",
    "extension",
    "verdict",
    "letters",
    "range",
    "acked",
)  # what templates know besides fields

OF_FIELDS = ("named", "range", "acked")  # what is asked of a field

Row = tuple[Any, ...]  # as row_of in compile.py gives it: name, kind, bit, width, form...
Piece = tuple[int, int, int, int, int, int, int]


def aligned(label: str) -> str:
    """A label with tabs behind it, so that what follows stands 16 columns on."""
    return label + "\t" * max(1, 2 - len(label) // 8)


def parts(template: str, line: Line) -> Iterator[tuple[str, str, str, str]]:
    """The parts of a template: what stands in front, name, what it is asked for, format. Raises PktError, at `line`."""
    try:
        found = [*string.Formatter().parse(template)]
    except ValueError as error:
        raise line.wrong(f"'{template}': {error}") from None
    for text, name, form, conversion in found:
        name, bracket, inner = (name or "").partition("[")
        if bool(bracket) != (name in OF_FIELDS) or bool(bracket) != inner.endswith("]"):
            raise line.wrong(f"'{template}': it is {{FIELD}}, {{FIELD:format}} or {{named[FIELD]}}")
        if conversion or (form and not FORMAT.fullmatch(form)):
            raise line.wrong(f"'{template}': a format is such as 02, x, #x or #06x, not {'!' + conversion if conversion else form}")
        if number_form(form or "")[1] > showing.MOST_WIDTH:
            raise line.wrong(f"'{template}': a number has at most {showing.MOST_WIDTH} figures, not {form}")
        yield text, name, inner[:-1], form or ""


def number_form(form: str) -> tuple[int, int]:
    """The columns form and width of a format."""
    match = FORMAT.fullmatch(form)
    if not form or not match:
        return showing.PLAIN, 0
    prefix, zeros, width, kind = match.groups()
    made = showing.HEXADECIMAL if kind == "x" else showing.DECIMAL
    return made | (showing.PREFIX if prefix and kind == "x" else 0) | (showing.ZEROS if zeros else 0), int(width or 0)


class Templates:
    """The tables, while they are made."""

    def __init__(self, found: Descriptions, rows: Iterable[Row], words: dict[str, dict[int, str]]) -> None:
        self.found, self.fields = found, [*rows]
        self.rows: dict[str, list[int]] = {name: [] for name in showing.NAMES}
        self.text = bytearray()
        self.texts: dict[str, tuple[int, int]] = {}
        self.of_kind: dict[int, dict[str, int]] = {}  # kind to its fields, by name
        for index, row in enumerate(self.fields):
            self.of_kind.setdefault(row[1], {})[row[0].partition(".")[2]] = index
        self.of_list: dict[str, list[int]] = {}  # name of a list to the kinds of its items
        self.items: dict[Header, int] = {item: number for number, item in enumerate(found.items, FIRST_ITEM)}
        for item in found.items:
            self.of_list.setdefault(item.list.name, []).append(self.items[item])
        self.tags: dict[str, tuple[int, int]] = {}  # the templates of what is shown in the line of a header
        self.words = len(words)  # the table of words that comes next
        for known in (*words.values(), {number: f" ({name})" for number, name in EXTENSIONS.items()}):
            self.rows["words"] += (self.count("numbers"), len(known))
            for number, word in sorted(known.items()):
                self.rows["numbers"] += (number, *self.put(word))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.rows[table]) // showing.COLUMNS[showing.NAMES.index(table)]

    def put(self, text: str) -> tuple[int, int]:
        """Where a text is."""
        if text not in self.texts:
            encoded = text.encode()
            self.texts[text] = len(self.text), len(encoded)
            self.text += encoded
        return self.texts[text]

    def places(self, kinds: Iterable[int], name: str) -> tuple[int, int]:
        """A run of places: the fields of a name in some kinds."""
        first = self.count("places")
        self.rows["places"] += [self.of_kind[kind][name] for kind in kinds if name in self.of_kind.get(kind, {})]
        return first, self.count("places") - first

    def field(self, header: Header, kind: int, name: str) -> tuple[int, int]:
        """The same for a field of a header, or of the items of its lists."""
        if name in self.of_kind.get(kind, {}):
            return self.places([kind], name)
        return self.places((item for rule in header.holds for item in self.of_list.get(rule.list, ())), name)

    def numbers_only(self, places: tuple[int, int], line: Line | None, what: str) -> None:
        """Raises PktError where a place is no number, which `what` is asked of."""
        first, count = places
        for index in self.rows["places"][first : first + count]:
            if self.fields[index][4] not in NUMBERS and line:
                raise line.wrong(f"{what}: {self.fields[index][0]} is no number")

    def pieces(self, header: Header, kinds: dict[str, int], template: str, line: Line) -> Iterator[Piece]:
        """The pieces of a template, of a header or an item."""
        kind = self.items[header] if isinstance(header, Item) else kinds[header.name]
        for text, name, inner, form in parts(template, line):
            if text:
                yield showing.LITERAL, 0, 0, 0, 0, *self.put(text)
            if not name:
                continue
            if name == "size":
                yield showing.SIZE, 0, 0, *number_form(form), 0, 0
            elif name == "flags":
                for flag in header.flags[0] if header.flags else ():
                    yield showing.FLAG, *self.field(header, kind, flag), 0, 0, *self.put(f"{flag} ")
            elif name == "letters":
                for flag, letter in header.letters[0] if header.letters else ():
                    yield showing.FLAG, *self.field(header, kind, flag), 0, 0, *self.put(letter)
            elif name == "verdict":
                yield showing.VERDICT, *self.places([kind], checksum_of(header)), 0, 0, 0, 0
            elif name == "tags" and header.name in TAGS:
                yield showing.TAGS, *self.tags[header.name], 0, 0, 0, 0
            elif name == "type":
                tags = [kinds[TAGS[header.name][0]]] if header.name in TAGS else []
                places = self.places([kind, *tags], "TYPE")
                self.numbers_only(places, line if form else None, template)
                yield showing.FIELD | showing.OF_TAG, *places, *number_form(form), 0, 0
            elif name == "extension":
                yield showing.ALSO, *self.field(header, kind, "NEXT_HEADER"), self.words, 0, 0, 0
            elif name in ("range", "acked"):
                places = self.field(header, kind, inner)
                self.numbers_only(places, line, template)
                yield showing.RANGE if name == "range" else showing.ACKED, *places, 0, 0, 0, 0
            elif name == "named":
                yield showing.NAMED, *self.field(header, kind, inner), 0, 0, 0, 0
            elif name != "tags":
                places = self.field(header, kind, name)
                self.numbers_only(places, line if form else None, template)
                yield showing.FIELD, *places, *number_form(form), 0, 0

    def template(self, header: Header, kinds: dict[str, int], label: str, template: str, line: Line) -> int:
        """The number of a template, which it gets; what stands in front of it is none of it."""
        pieces = [*self.pieces(header, kinds, template, line)]
        if label:
            pieces.insert(0, (showing.LITERAL, 0, 0, 0, 0, *self.put(label)))
        first = self.count("pieces")
        for piece in pieces:
            self.rows["pieces"] += piece
        self.rows["templates"] += (first, len(pieces))
        return self.count("templates") - 1

    def shown(self, header: Header, kinds: dict[str, int]) -> None:
        """A row of shown, with its templates."""
        kind = kinds[header.name]
        if header.name in TAGS:
            kind_of_tag, shown, more = TAGS[header.name]
            of = self.found.headers[kind_of_tag]
            self.tags[header.name] = self.template(of, kinds, "", shown, of.line), self.template(of, kinds, "", more, of.line)
        lines = header.show or [*self.all_fields(header, kind)]
        first = self.count("templates")
        for label, template, line in lines:
            self.template(header, kinds, labelled(label), template, line)
        brief = first if lines else -1
        if header.brief:
            label, template, line = header.brief
            brief = self.template(header, kinds, labelled(label), template, line)
        told = self.told(header, kinds)
        tag = kinds[TAGS[header.name][0]] if header.name in TAGS else -1
        layer = showing.LAYERS.get(category_of(header), showing.TRANSPORT)
        self.rows["shown"] += (
            *self.put(header.title), layer, tag, first, len(lines), brief, *told,
            *self.put(f"DATA\t{aligned(header.title)}: "), *self.payload(header),
        )  # fmt: skip

    def told(self, header: Header, kinds: dict[str, int]) -> tuple[int, int]:
        """The templates of what a header, or an item, says in a line; an empty one where it is not by a template."""
        first = self.count("templates")
        for said in header.lines:
            self.template(header, kinds, "", said.template, said.line)
        return first, len(header.lines)

    def payload(self, header: Header) -> tuple[int, int]:
        """Where what a header carries is."""
        if not header.title:  # a part of the one before, and so are its data
            return showing.NO_PAYLOAD, 0
        rows = [row for row in header.rows if row.name]
        data = [row for row in rows if isinstance(row, Data)]
        if any(not row.text and row.name == "DATA" for row in data):
            return showing.DATA_ALONE, 0
        if data:  # an extension header: data of its own, but no payload
            return showing.NO_PAYLOAD, 0
        return showing.BEHIND, max((row.end for row in rows if not isinstance(row, Data)), default=0) // 8

    def all_fields(self, header: Header, kind: int) -> Iterator[tuple[str, str, Line]]:
        """A line for each field of a header, data aside; with the verdict on its checksum."""
        for name, index in self.of_kind.get(kind, {}).items():
            _, _, _, width, form, _, _, _, holds, _ = self.fields[index]
            value = f"{{{name}:#0{2 + (width + 3) // 4}x}}" if holds & HEX and form in NUMBERS else f"{{{name}}}"
            if form != "data":
                yield name.lower().replace("_", " "), value + (" ({verdict})" if name == checksum_of(header) else ""), header.line


def category_of(header: Header) -> str:
    """By which a header is shown."""
    hidden = header.rank == OURS and (
        header.quiet or header.category == "application"
    )  # who brings its description wants to see it
    return "application" if hidden else "" if header.category == "application" else header.category


def checksum_of(header: Header) -> str:
    """The field that `{verdict}` is about."""
    return header.checksum.field if header.checksum else "CHECKSUM"  # by rules of the codec, which the language cannot say


def labelled(label: str) -> str:
    """What stands in front of the values of a line."""
    return f"\t{aligned(label)}: " if label else "\t"


def tables(found: Descriptions, names: list[str], rows: Iterable[Row], words: dict[str, dict[int, str]]) -> tuple[bytes, ...]:
    """The tables, as the codec takes them. names: the kinds of headers, in order; rows: of all fields; words: names of values.

    Raises PktError, with file and line, for a template that is wrong.
    """
    made = Templates(found, rows, words)
    kinds = {name: number for number, name in enumerate(names)}
    for name in names:
        made.shown(found.headers[name], kinds)
    for item in made.items:
        made.rows["items"] += made.told(item, kinds)
    return *(pack(f"{len(made.rows[table])}q", *made.rows[table]) for table in showing.NAMES), bytes(made.text)
