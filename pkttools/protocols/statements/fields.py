"""The fields of a header: where they lie, what they are, and which of them are there."""

from __future__ import annotations

from ..model import MOST_BYTES, MOST_FRAME, Data, Field, Header, Line
from .reader import Reader, statement
from .words import MOST_BITS, Text, Words

MOST_UNIT = 48  # of one that counts units
WIDTHS = {"mac": 48, "ipv4": 32, "ipv6": 128, "family": 32}  # of those forms that have one of their own


@statement("order big|little")
def _order(reader: Reader, line: Line, words: Words) -> None:
    """The byte order of its integers."""
    header, word = reader.current(line), words.take()
    if word not in ("big", "little"):
        raise words.wanted()
    words.done()
    header.little = word == "little"


def _field_of(reader: Reader, line: Line, words: Words) -> tuple[Header, str, int]:
    header = reader.current(line)
    full = line.words[0] == "field"  # parts are of the protocol that their field is of
    name = "-" if words.took("-") else words.full_name() if full else words.name("a field")
    width = words.number(MOST_BYTES * 8, "width")
    if name != "-" and any(row.name == name.rpartition(".")[2] for row in header.rows):
        raise line.wrong(f"{header.name} has two fields {name}")
    return header, name, width


def _described(field: Field, words: Words, little: bool) -> None:
    """Form, unit, names and meaning of a field."""
    line = field.line
    if words.left and not isinstance(words.left[0], Text) and words.left[0] in ("int", "little", "text", *WIDTHS):
        field.form = words.take()
    elif little and field.width and field.width % 8 == 0:
        field.form = "little"
    if words.took("+"):
        field.bias = words.number(MOST_BYTES)
    if words.took("*"):
        field.scale = words.number(MOST_BYTES)
    if words.took("names"):
        field.names = words.take()
    field.was = words.name("a field") if words.took("was") else ""
    field.old = words.took("old")
    field.apart = words.took("apart")
    field.oneway = field.apart and words.took("oneway")
    field.last = words.took("last")
    field.mutable = words.took("mutable")
    field.meaning = words.text()
    words.done()
    wanted = WIDTHS.get(field.form, field.width)
    if field.width != wanted:
        raise line.wrong(f"{field.name} has {field.width} bits, but {field.form} has {wanted}")
    if field.form in ("int", "little") and field.bit % 8 + field.width > MOST_BITS:
        raise line.wrong(f"{field.name} has {field.width} bits: a number has at most {MOST_BITS - field.bit % 8} there")
    if field.width > MOST_UNIT and (field.bias or field.scale != 1):
        raise line.wrong(f"{field.name} has {field.width} bits: one with a unit has at most {MOST_UNIT}")
    if field.form != "int" and (field.width % 8 or field.bit % 8):
        raise line.wrong(f"{field.name}: {field.form} is of whole bytes")
    if field.form != "int" and (field.bias or field.scale != 1):
        raise line.wrong(f"{field.name}: {field.form} has no unit")
    if field.width == 0 and not field.bias:
        raise line.wrong(f"{field.name} has no bits")
    if field.scale == 0:
        raise line.wrong(f"{field.name} is 0 times something")


@statement(
    "field [PROTOCOL.]NAME|- BITS [at BIT] [int|mac|ipv4|ipv6|text|little|family] [+ N] [* N] [names NAMES] "
    '[was NAME] [old] [apart [oneway]] [last] [mutable] ["MEANING"]'
)
def _field(reader: Reader, line: Line, words: Words) -> None:
    """The next bits of the header; its value is (the bits + N) * N. Without a name they say nothing; `was`: its old one.

    `apart`: packets where it differs are of different networks, so that no datagram has fragments in both; `oneway`: each direction
    has its own. `last`: it is printed behind the other fields of its header. `mutable`: it may change on the way, so that no
    signature behind it covers it.
    """
    header, name, width = _field_of(reader, line, words)
    at = words.number(MOST_BYTES * 8) if words.took("at") else header.bits
    header.bits, reader.parts = at + width, None
    if header.bits > MOST_BYTES * 8:
        raise line.wrong(f"{header.name} has more than {MOST_BYTES} bytes")
    if name == "-":
        words.text()
        words.done()
        return
    field = Field(name.rpartition(".")[2], at, width, line)
    field.protocol = name.rpartition(".")[0]
    other = next((row for row in header.rows if isinstance(row, Field) and row.bit < field.end and at < row.end), None)
    if other and width:
        raise line.wrong(f"{name} lies where {other.name} does ({other.line.place}); `part` is what lies in another field")
    _described(field, words, header.little)
    reader.add_row(header, field)
    reader.parts = at


def _within(reader: Reader, header: Header, line: Line) -> Field:
    """The field that a part is of: the last one that is no part itself."""
    whole = next((row for row in reversed(header.rows) if isinstance(row, Field) and row.within is None), None)
    if whole is None or reader.parts is None:
        raise line.wrong(f"`{line.words[0]}` belongs below a field with a name")
    return whole


@statement("front NAME BITS [before BITS]")
def _front(reader: Reader, line: Line, words: Words) -> None:
    """The last bits of what is in front of it, or those in front of these: for what is no header itself."""
    header, name, width = _field_of(reader, line, words)
    before = words.number(MOST_BYTES * 8) if words.took("before") else 0
    words.done()
    if not header.hidden:
        raise line.wrong(f"{header.name} is a header: `front` is for `hidden` ones")
    reader.add_row(header, Field(name, -width - before, width, line))


@statement("optional if TEST [and TEST]...")
def _optional(reader: Reader, line: Line, words: Words) -> None:
    """The fields below, up to the next statement that is not one, are there where the tests hold; other fields move up."""
    header = reader.current(line)
    if not words.left or words.left[0] != "if":
        raise words.wanted()
    if not header.optional:
        header.sure = header.bits
    header.optional.append(words.tests())
    words.done()


@statement("always")
def _always(reader: Reader, line: Line, words: Words) -> None:
    """Ends an optional part: fields below are always there."""
    reader.current(line)
    words.done()


@statement('part NAME|- BITS [FORM] [+ N] [* N] [names NAMES] [was NAME] [old] [apart [oneway]] [last] [mutable] ["MEANING"]')
def _part(reader: Reader, line: Line, words: Words) -> None:
    """The next bits of the field before, which have a name of their own."""
    header, name, width = _field_of(reader, line, words)
    whole = _within(reader, header, line)
    assert reader.parts is not None
    at, reader.parts = reader.parts, reader.parts + width
    if reader.parts > whole.end:
        raise line.wrong(f"parts of {whole.name} go beyond its {whole.width} bits")
    if name == "-":
        words.done()
        return
    field = Field(name, at, width, line)
    field.within = whole
    _described(field, words, False)
    reader.add_row(header, field)


@statement('flag NAME NUMBER [old] ["MEANING"]')
def _flag(reader: Reader, line: Line, words: Words) -> None:
    """A bit of the field before, counted from its least significant."""
    header, name, number = _field_of(reader, line, words)
    whole = _within(reader, header, line)
    if number >= whole.width:
        raise line.wrong(f"{whole.name} has {whole.width} bits: no bit {number}")
    place = number ^ 7 if whole.form == "little" else whole.width - 1 - number
    field = Field(name, whole.bit + place, 1, line)
    field.within = whole
    field.old, field.meaning = words.took("old"), words.text()
    words.done()
    if any(isinstance(row, Field) and row.within is whole and row.width and row.bit <= field.bit < row.end for row in header.rows):
        raise line.wrong(f"bit {number} of {whole.name} has a name already")
    reader.add_row(header, field)


@statement('data [NAME|-] [at BYTES|end] [text] [rest] [old] [inplace] ["MEANING"]')
def _data(reader: Reader, line: Line, words: Words) -> None:
    """What it carries, as a field: behind its size, or as many bytes on from its start, or at its end, which is nothing.

    `text`: they are characters. `rest`: without what is claimed by headers behind it that 1.16 knew: a payload, or the padding
    behind one. `inplace`: they are printed with the fields of their header, and not behind those of all.
    """
    header = reader.current(line)
    unnamed = not words.left or isinstance(words.left[0], Text) or words.left[0] in ("at", "text", "rest", "old", "inplace")
    name = "-" if words.took("-") else "DATA" if unnamed else words.name("data")
    data = Data(name, header.bits, line)
    if words.took("at"):
        data.at = MOST_FRAME if words.took("end") else words.number(MOST_BYTES)
        data.bit = data.at * 8
    data.text = words.took("text")
    data.rest = words.took("rest")
    data.old = words.took("old")
    data.in_place = words.took("inplace")
    data.meaning = words.text() or "what it carries"
    words.done()
    if any(row.name == name for row in header.rows):
        raise line.wrong(f"{header.name} has two fields {name}")
    if header.data:
        raise line.wrong(f"{header.name} has data already ({header.data.line.place})")
    header.data = data
    if name != "-":
        reader.add_row(header, data)
