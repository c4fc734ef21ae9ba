"""The language of protocols: one statement a line, `#` begins a comment; text stands in double quotes.

    protocol  VXLAN  "VXLAN"
    is        tunnel
    after     udp 4789
    field     FLAGS  8   "bit 3: the VNI counts"
    field     -     24
    field     VNI   24   "the virtual network"
    field     -      8
    next      ETHERNET if FLAGS & 0x08
    show      "VNI" "{VNI}"

A description is read and never executed. Here each statement is checked by itself; what they say of each other, over all files,
is checked in checks.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..errors import PktError
from .model import (
    EXCEPTIONS,
    FITTING,
    MOST_BYTES,
    MOST_FRAME,
    MOST_TESTED,
    OURS,
    PARTIAL,
    READERS,
    After,
    Answers,
    Checksum,
    Data,
    Descriptions,
    Entry,
    Field,
    Header,
    Holds,
    Item,
    Line,
    List,
    Names,
    Next,
    Said,
    Signature,
    Size,
    Space,
    Test,
)

VALUE_FORM = 'NUMBER NAME|- ["TITLE"] [leaf] [tunnel]'  # title and what is behind it: of a space only
FORMS: dict[str, str] = {}  # what each statement takes, as its error message says it
STATEMENTS: dict[str, Callable[[Reader, Line, Words], None]] = {}
WORD = re.compile(r'\s*(?:#.*|("(?:[^"\\]|\\.)*")(?=\s|$)|(?:(?!")\S)+|(.+))')
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
VALUE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NUMBER = re.compile(r"0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,20}")
ANSWERED_BY = re.compile(r"([A-Z][A-Z0-9_]*)(?:=([A-Z][A-Z0-9_]*)(?:\+([0-9]{1,5}))?(\+data)?)?")
RESERVED = {"and", "or", "not", "in"}  # words of filters, which a value's name would hide
CATEGORIES = ("link", "tag", "network", "extension", "transport", "tunnel", "application")
WIDTHS = {"mac": 48, "ipv4": 32, "ipv6": 128, "family": 32}  # of those forms that have one of their own
MOST_BITS = 64  # of a number, with the bits in front of it in its first byte
MOST_UNIT = 48  # of one that counts units
MOST_NUMBER, MOST_VALUE = (1 << MOST_TESTED) - 1, (1 << MOST_BITS) - 1
MOST_STOPS = 4  # bytes that end a header
COMPARISONS = ("==", "!=", "<", ">=")
SPECIFIED = ("protocol", "header", "hidden", "unfollowed", "list", "item")  # statements below which a source is theirs
OF_ITEMS = ("field", "part", "flag", "data", "order", "signature", "line")  # statements that are said of items, too


class Text(str):
    """A word that stood in quotes."""

    __slots__ = ()


class Words:
    """The words of a statement, behind the first, taken one by one."""

    def __init__(self, line: Line) -> None:
        self.line, self.left = line, line.words[1:]

    def wanted(self) -> PktError:
        """The error that says what the statement takes."""
        return self.line.wrong(f"wanted: {FORMS.get(self.line.words[0], VALUE_FORM)}")

    def take(self) -> str:
        """The next word; an error if there is none."""
        if not self.left:
            raise self.wanted()
        return self.left.pop(0)

    def took(self, word: str) -> bool:
        """Whether the next word is this one; then it is taken."""
        if self.left and self.left[0] == word and not isinstance(self.left[0], Text):
            del self.left[0]
            return True
        return False

    def name(self, what: str) -> str:
        """The next word, a name of the kind `what`."""
        word = self.take()
        if isinstance(word, Text) or not NAME.fullmatch(word):
            raise self.line.wrong(f"'{word}' is no name of {what}: capital letters, digits and underscores")
        return word

    def full_name(self) -> str:
        """The next word, a name of a field, maybe with the protocol that it is of in front and a dot."""
        word = self.take()
        protocol, dot, name = word.rpartition(".")
        if isinstance(word, Text) or not NAME.fullmatch(name) or (dot and not NAME.fullmatch(protocol)):
            raise self.line.wrong(f"'{word}' is no name of a field: capital letters, digits and underscores")
        return word

    def number(self, most: int = MOST_VALUE, what: str = "number") -> int:
        """The next word, a number up to `most`."""
        return self.number_of(self.take(), most, what)

    def number_of(self, word: str, most: int = MOST_VALUE, what: str = "number") -> int:
        """The number that a word is."""
        if isinstance(word, Text) or not NUMBER.fullmatch(word):
            raise self.line.wrong(f"bad {what} '{word}': decimal, or hexadecimal with 0x")
        value = int(word, 0) if word[:2] in ("0x", "0X") else int(word)
        if value > most:
            raise self.line.wrong(f"bad {what} '{word}': at most {most}")
        return value

    def numeric(self) -> bool:
        """Whether the next word is a number."""
        return bool(self.left) and not isinstance(self.left[0], Text) and self.left[0][:1].isdigit()

    def text(self) -> str:
        """The next word, which is in quotes; "" if there is none."""
        if self.left and isinstance(self.left[0], Text):
            return self.left.pop(0)
        return ""

    def done(self) -> None:
        """Raises the error of a word that is too many."""
        if self.left:
            raise self.line.wrong(f"'{self.left[0]}' is too much here; wanted: {FORMS.get(self.line.words[0], VALUE_FORM)}")

    def tests(self, fields: bool = False, word: str = "if") -> list[Test]:
        """`if TEST and TEST...`, if it is there; with `fields`, they may be compared with each other. word: instead of `if`."""
        found = []
        if self.took(word):
            found.append(self.test(fields))
            while self.took("and"):
                found.append(self.test(fields))
        return found

    def test(self, fields: bool = False) -> Test:
        """FIELD, FIELD & MASK, FIELD == VALUE, FIELD & MASK == VALUE, FIELD fits, FIELD fills; FIELD == FIELD."""
        field = self.name("a field")
        for fitting in FITTING:
            if self.took(fitting):
                return Test(field, -1, fitting, 0, self.line)
        mask = self.number(MOST_NUMBER) if self.took("&") else -1
        for comparison in COMPARISONS:
            if self.took(comparison):
                if fields and self.left and NAME.fullmatch(self.left[0]):
                    return Test(field, mask, comparison, 0, self.line, self.name("a field"))
                return Test(field, mask, comparison, self.number(), self.line)
        return Test(field, mask, "!=", 0, self.line)


class Reader:
    """Reads descriptions, file by file."""

    def __init__(self) -> None:
        self.found = Descriptions()
        self.rank = OURS  # of what is read
        self.protocol = ""  # what the file in hand describes
        self.header: Header | None = None  # what statements are said of
        self.list: List | None = None  # what items belong to
        self.values: Names | Space | None = None  # what lines with a number first belong to
        self.parts: int | None = None  # where the next part of the field before lies, in bits of the header
        self.before = ""  # the statement before

    def read(self, text: str, name: str) -> None:
        """Reads the description that is in `text`, which comes from the file `name`."""
        self.protocol, self.header, self.list, self.values, self.before = "", None, None, None, ""
        for number, row in enumerate(text.splitlines(), 1):
            line = Line([], f"{name}:{number}")
            line.words = words_of(row, line)
            if line.words:
                self.statement(line)

    def statement(self, line: Line) -> None:
        """One statement, or a value of names."""
        word = line.words[0]
        if word[:1].isdigit() and not isinstance(word, Text):
            self.value(line)
            return
        if word not in STATEMENTS or isinstance(word, Text):
            raise line.wrong(f"no statement '{word}'; there are {', '.join(FORMS)}")
        if word != "source":
            self.values = None
        STATEMENTS[word](self, line, Words(line))
        self.before = word

    def value(self, line: Line) -> None:
        """NUMBER WORD of names; NUMBER WORD|- ["TITLE"] [leaf] [tunnel] of a space."""
        words = Words(line)
        number = words.number_of(line.words[0], MOST_NUMBER if isinstance(self.values, Space) else MOST_VALUE)
        if self.values is None:
            raise line.wrong("a value belongs below `names` or `space`")
        word = value_name(words.take(), line)
        title, leaf, tunnel = words.text(), False, False
        if isinstance(self.values, Space):
            leaf, tunnel = words.took("leaf"), words.took("tunnel")
        words.done()
        if isinstance(self.values, Names):
            known: dict[int, str] = self.values.values
            if number in known:
                raise line.wrong(f"{number} has a name already: {known[number]}")
            if word in known.values():
                raise line.wrong(f"'{word}' is the name of two values")
            known[number] = word
            return
        add_entry(self.values, number, Entry(word, title, leaf, tunnel, line))

    def current(self, line: Line) -> Header:
        """The header that a statement is said of."""
        if self.header is None:
            raise line.wrong(f"`{line.words[0]}` belongs below `{'item' if self.list else 'protocol'}`")
        if isinstance(self.header, Item) and line.words[0] not in OF_ITEMS:
            raise line.wrong(f"`{line.words[0]}` is not said of an item; what is said of its header stands above `list`")
        self.header.statements.append(line)
        return self.header

    def add_row(self, header: Header, row: Field | Data) -> None:
        """A further row of a header."""
        header.rows.append(row)
        if not (header.hidden or header.unfollowed):
            self.found.rows.append((header, row))

    def add_header(self, header: Header) -> None:
        """A new header, of which statements are said from here on."""
        known = self.found.headers.get(header.name)
        if known:
            raise header.line.wrong(f"there is a header {header.name} already ({known.line.place})")
        self.found.headers[header.name] = self.header = header
        self.list = None
        header.rank = self.rank


def add_entry(space: Space, number: int, entry: Entry) -> None:
    """Adds what a space says of a number. Raises the error of one that is there, or whose name is, of the same rank."""
    known = space.entries.setdefault(number, [])
    for other in known:
        if not other.tests and not entry.tests and other.rank == entry.rank:
            raise entry.line.wrong(f"{space.name} {number} is there already ({other.line.place})")
    for value, entries in space.entries.items():
        for other in entries:
            if entry.word and other.word == entry.word and value != number:
                raise entry.line.wrong(f"'{entry.word}' is the name of two numbers of {space.name} ({other.line.place})")
    known.append(entry)
    known.sort(key=lambda one: (-one.rank, not one.tests))  # what is always so is the last


def value_name(word: str, line: Line) -> str:
    """A name of a value, as filters take it; `-` for none."""
    if word == "-":
        return ""
    if isinstance(word, Text) or not VALUE_NAME.fullmatch(word) or word in RESERVED:
        raise line.wrong(f"'{word}' is no name of a value: small letters, digits, dashes and underscores")
    return word


def words_of(row: str, line: Line) -> list[str]:
    """The words of a line, without its comment."""
    words = row.split()
    if words[:1] == ["source"]:  # for people, in their own words
        return words
    words = []
    for match in WORD.finditer(row.rstrip()):
        quoted, rest = match[1], match[2]
        if rest:
            raise line.wrong(f"a quote is missing: {rest[:40]}")
        if quoted:
            words.append(Text(re.sub(r"\\(.)", lambda one: "\t" if one[1] == "t" else one[1], quoted[1:-1])))
        elif (word := match[0].strip()) and not word.startswith("#"):
            words.append(word)
        else:
            break
    return words


def statement(form: str) -> Callable[[Callable[[Reader, Line, Words], None]], Callable[[Reader, Line, Words], None]]:
    """Makes a function the one that reads the statement of that form."""

    def known(function: Callable[[Reader, Line, Words], None]) -> Callable[[Reader, Line, Words], None]:
        name = form.split()[0]
        FORMS[name], STATEMENTS[name] = form, function
        return function

    return known


# ---- what is described ----


@statement('protocol NAME ["TITLE"]')
def _protocol(reader: Reader, line: Line, words: Words) -> None:
    """Begins a protocol, with the header of its name."""
    name = words.name("a protocol")
    title = words.left[0] if words.left and isinstance(words.left[0], Text) else name  # "": it goes on under what is in front of it
    words.text()
    words.done()
    reader.protocol = name
    reader.add_header(Header(name, name, title, line))


@statement("hidden NAME")
def _hidden(reader: Reader, line: Line, words: Words) -> None:
    """What is no header, but a way to one: its fields are for its rules."""
    name = words.name("a header")
    words.done()
    header = Header(name, reader.protocol or name, name, line)
    header.hidden = True
    reader.add_header(header)


@statement('unfollowed NAME "TITLE"')
def _unfollowed(reader: Reader, line: Line, words: Words) -> None:
    """What is known and not followed: where it is, it is counted, by its title."""
    name, title = words.name("a header"), words.text()
    if not title:
        raise words.wanted()
    words.done()
    header = Header(name, name, title, line)
    header.unfollowed = True
    reader.add_header(header)


@statement('header NAME ["TITLE"] [like HEADER [big|little]]')
def _header(reader: Reader, line: Line, words: Words) -> None:
    """A further header of the protocol, whose fields have its name too; or goes on with one."""
    name = words.name("a header")
    if not reader.protocol:
        raise line.wrong("`header` belongs below `protocol`")
    known = reader.found.headers.get(name)
    if known and known.protocol == reader.protocol and len(words.left) == 0:
        reader.header, reader.list = known, None
        return
    title = words.left[0] if words.left and isinstance(words.left[0], Text) else name
    words.text()
    header = Header(name, reader.protocol, title, line)
    if not words.took("like"):
        words.done()
        reader.add_header(header)
        return
    like = words.name("a header")
    order = words.take() if words.left else ""
    if order not in ("", "big", "little"):
        raise words.wanted()
    words.done()
    model = reader.found.headers.get(like)
    if model is None or model.protocol != reader.protocol:
        raise line.wrong(f"no header {like} of {reader.protocol} stands above")
    header.title, header.little = model.title, order == "little" if order else model.little
    reader.add_header(header)
    for said in model.statements:
        if said.words[0] not in ("order", "after"):
            STATEMENTS[said.words[0]](reader, said, Words(said))


@statement("source WORDS...")
def _source(reader: Reader, line: Line, words: Words) -> None:
    """Where it is specified; for people. Of a header, a list or an item where it stands right below it."""
    words.take()
    if reader.before in SPECIFIED:
        of = reader.list if reader.before == "list" else reader.header
        assert of is not None
        of.source = " ".join(line.words[1:])


@statement("names NAME")
def _names(reader: Reader, line: Line, words: Words) -> None:
    """Names of values follow, a line each: NUMBER WORD."""
    name = words.name("names")
    words.done()
    if name in reader.found.names:
        raise line.wrong(f"there are names {name} already ({reader.found.names[name].line.place})")
    reader.found.names[name] = reader.values = Names(name, line)


@statement('space NAME ["FORM"] [from NUMBER] [swapped] [of SPACE] [as SPACE]')
def _space(reader: Reader, line: Line, words: Words) -> None:
    """Numbers that announce headers; those without a description follow, a line each: NUMBER WORD|- ["TITLE"] [leaf] [tunnel].

    `from`: those from there on of which nothing is said are counted as not followed. `swapped`: those that do not fit in 16 bits
    are in the other byte order. `of`: what the other space has is in this one, too. `as`: they are counted as its numbers.
    """
    name = words.take()
    if isinstance(name, Text) or not VALUE_NAME.fullmatch(name):
        raise line.wrong(f"'{name}' is no name of a space: small letters and digits")
    form = words.text()
    least = words.number() if words.took("from") else None
    swapped = words.took("swapped")
    of = words.take() if words.took("of") else ""
    counted_as = words.take() if words.took("as") else ""
    words.done()
    if name in reader.found.spaces:
        raise line.wrong(f"there is a space {name} already ({reader.found.spaces[name].line.place})")
    space = reader.found.spaces[name] = reader.values = Space(name, form, of, line)
    space.least, space.swapped = least, swapped
    space.counted_as = counted_as or space.counted_as


@statement(f"is {'|'.join(CATEGORIES)}")
def _is(reader: Reader, line: Line, words: Words) -> None:
    """What it is to those who carry it."""
    header, word = reader.current(line), words.take()
    words.done()
    if word not in CATEGORIES:
        raise line.wrong(f"no '{word}'; there are {', '.join(CATEGORIES)}")
    header.category = word


@statement('after SPACE NUMBER... [NAME] ["TITLE"] [if TEST [and TEST]...]')
def _after(reader: Reader, line: Line, words: Words) -> None:
    """What announces it: numbers of a space; one may have a name, and a title. Tests are of its own fields."""
    header, space = reader.current(line), words.take()
    values = [words.number(MOST_NUMBER)]
    while words.numeric():
        values.append(words.number(MOST_NUMBER))
    unnamed = not words.left or isinstance(words.left[0], Text) or words.left[0] == "if"
    word = "" if unnamed else value_name(words.take(), line)
    title = words.text()
    tests = words.tests()
    words.done()
    if (word or title) and len(values) > 1:
        raise line.wrong("a name is that of one number")
    header.after += [After(space, value, word, title, tests, line) for value in values]


@statement("decoded")
def _decoded(reader: Reader, line: Line, words: Words) -> None:
    """Nothing in a packet announces it: --decode does, or a user's own description."""
    reader.current(line).decoded = True
    words.done()


@statement("layer NAME")
def _layer(reader: Reader, line: Line, words: Words) -> None:
    """A name of its own, by which filters ask whether it is there."""
    reader.current(line).layer = words.name("a layer")
    words.done()


# ---- fields ----


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


# ---- how long it is, and what comes next ----


@statement("fixed BYTES")
def _fixed(reader: Reader, line: Line, words: Words) -> None:
    """Bytes that have to be there; without the statement what the fields make."""
    reader.current(line).fixed = words.number(MOST_BYTES)
    words.done()


@statement("align BYTES")
def _align(reader: Reader, line: Line, words: Words) -> None:
    """Its size is a multiple of so many bytes."""
    header = reader.current(line)
    header.align = words.number(64)
    if header.align == 0:
        raise line.wrong("bad number '0': at least 1")
    words.done()


@statement("until BYTE...")
def _until(reader: Reader, line: Line, words: Words) -> None:
    """Its size goes on up to the first of these bytes, at most four, which is none of it; or to the end of what it lies in."""
    header, stops = reader.current(line), [words.number(0xFF)]
    while words.left:
        stops.append(words.number(0xFF))
    if len(stops) > MOST_STOPS:
        raise line.wrong(f"at most {MOST_STOPS} bytes")
    header.until = bytes(stops)


@statement("trailer BYTES")
def _trailer(reader: Reader, line: Line, words: Words) -> None:
    """Bytes at its end that are no data, such as a checksum."""
    reader.current(line).trailer = words.number(256)
    words.done()


def _size_of(line: Line, words: Words) -> Size:
    """NUMBER | FIELD [* UNIT] [+ NUMBER] [if TEST...]."""
    size = Size(line)
    if words.numeric():
        size.number = words.number(MOST_BYTES)
    else:
        size.field = words.name("a field")
        if words.took("*"):
            size.unit = words.number(MOST_BYTES)
        if words.took("+"):
            size.number = words.number(MOST_BYTES)
        elif words.took("-"):
            size.number = -words.number(MOST_BYTES)
    if line.words[0] == "size" and words.took("or"):
        if not words.took("all"):
            raise words.wanted()
        size.or_all = True
    size.tests = words.tests()
    words.done()
    return size


@statement("size BYTES | FIELD [* N] [+|- N] [or all]")
def _size(reader: Reader, line: Line, words: Words) -> None:
    """How long the whole header is; without the statement its fixed part.

    Where that is more than there is, what is behind the fixed part are its data, or, with `or all`, nothing is.
    """
    header = reader.current(line)
    if header.size:
        raise line.wrong(f"{header.name} has a size already ({header.size[0].line.place}); `more` adds to it")
    header.size.append(_size_of(line, words))
    if header.size[0].tests:
        raise line.wrong("a size is always so; `more` adds to it under a condition")


@statement("more BYTES | FIELD [* N] [+|- N] [if TEST [and TEST]...]")
def _more(reader: Reader, line: Line, words: Words) -> None:
    """What else belongs to the header, behind its fixed part."""
    header = reader.current(line)
    if not header.size:
        header.size.append(Size(line))
        header.size[0].fixed = True
    header.size.append(_size_of(line, words))


@statement("end size | [inside] [here] BYTES | FIELD [* N] [+|- N] [if TEST [and TEST]...]")
def _end(reader: Reader, line: Line, words: Words) -> None:
    """Where the header and its data end, from its start on, never beyond what encloses it.

    `size`: it has no data. `inside`: what is in it ends there; it goes on, with padding, to the end of what encloses it. `here`:
    what is counted begins behind the fields above, those that are there.
    """
    header = reader.current(line)
    if header.end or header.own_end:
        raise line.wrong(f"{header.name} has two ends")
    if words.took("size"):
        words.done()
        header.own_end = True
        return
    header.inside = words.took("inside")
    here = header.bits // 8 if words.took("here") else 0
    header.end = _size_of(line, words)
    header.end.number += here


@statement("then HEADER")
def _then(reader: Reader, line: Line, words: Words) -> None:
    """What stands behind its end, in what encloses it; what is in front of that end comes first."""
    header = reader.current(line)
    header.then, header.then_line = words.name("a header"), line
    words.done()


@statement("whole if TEST [and TEST]...")
def _whole(reader: Reader, line: Line, words: Words) -> None:
    """Only then headers follow; else what is behind it is a piece."""
    header = reader.current(line)
    if not words.left or words.left[0] != "if":
        raise words.wanted()
    header.whole = words.tests()
    words.done()


@statement(f"partial {'|'.join(PARTIAL)}...")
def _partial(reader: Reader, line: Line, words: Words) -> None:
    """Where a packet is partial because of it.

    cut: it is announced, and not there as far as it has to be. inside: the same, if it is not the first one. deep: too many
    headers are in front of it. size: its size is impossible.
    """
    header = reader.current(line)
    while True:
        word = words.take()
        if word not in PARTIAL:
            raise words.wanted()
        header.partial.append(word)
        if not words.left:
            return


@statement(f"exception {'|'.join(EXCEPTIONS)}")
def _exception(reader: Reader, line: Line, words: Words) -> None:
    """What is done that no statement can say."""
    header, word = reader.current(line), words.take()
    if word not in EXCEPTIONS:
        raise words.wanted()
    words.done()
    header.exception = word


@statement("next HEADER | SPACE FIELD | SPACE behind BITS | SPACE last BITS [promised] [quoted] [if TEST [and TEST]...]")
def _next(reader: Reader, line: Line, words: Words) -> None:
    """What comes behind it; of several the first that holds, and finds something.

    A test may also be `FIELD fits`: there are as many bytes as it says, from the header's start on in what that lies in; or `FIELD
    fills`: and no more.
    """
    header, rule, word = reader.current(line), Next(line), words.take()
    if NAME.fullmatch(word):
        rule.header = word
    else:
        rule.space = word
        if words.took("behind"):
            rule.behind = words.number(MOST_TESTED)
        elif words.took("last"):
            rule.last = words.number(MOST_TESTED)
        else:
            rule.field = words.name("a field")
    rule.promised, rule.quoted = words.took("promised"), words.took("quoted")
    rule.tests = words.tests()
    words.done()
    header.next.append(rule)


CHECKSUM = (
    "checksum unknown | FIELD internet|crc32c [over header [or message] | over [header +] FIELD [* N] [+|- N] [or all|jumbo]] "
    "[without BYTES at BYTE] [pseudo [4|6] [or 4|6] [whole]] [zero none|ffff|missing|wrong] [card [cut]] [if TEST [and TEST]...]"
)


@statement(CHECKSUM)
def _checksum(reader: Reader, line: Line, words: Words) -> None:
    """Its checksum: over the whole message, if nothing else is said; `unknown`: whether it has one cannot be told."""
    header = reader.current(line)
    if header.checksum:
        raise line.wrong(f"{header.name} has a checksum already ({header.checksum.line.place})")
    if words.took("unknown"):
        words.done()
        header.checksum = Checksum("", "unknown", line)
        return
    field, kind = words.name("a field"), words.take()
    if kind not in ("internet", "crc32c"):
        raise words.wanted()
    rule = Checksum(field, kind, line)
    if words.took("over"):
        _over(rule, words)
    if words.took("without"):
        size = words.number(MOST_BYTES)
        if not words.took("at"):
            raise words.wanted()
        rule.without = size, words.number(MOST_BYTES)
    if words.took("pseudo"):
        rule.pseudo = _versions(words) or (4, 6)
        if words.took("or"):
            rule.pseudo_also = _versions(words)
            if not rule.pseudo_also or set(rule.pseudo_also) & set(rule.pseudo):
                raise words.wanted()
        rule.whole = words.took("whole")
    if words.took("zero"):
        rule.zero = words.take()
        if rule.zero not in ("none", "ffff", "missing", "wrong"):
            raise words.wanted()
    if words.took("card"):
        rule.card, rule.cut = True, words.took("cut")
    rule.tests = words.tests()
    words.done()
    header.checksum = rule


def _versions(words: Words) -> tuple[int, ...]:
    """4, 6 or neither."""
    return (4,) if words.took("4") else (6,) if words.took("6") else ()


def _over(rule: Checksum, words: Words) -> None:
    """header [or message] | [header +] FIELD [* N] [+|- N] [or all|jumbo]."""
    if words.took("header"):
        rule.over = "header"
        if words.took("or"):
            rule.also = words.take()
            if rule.also != "message":
                raise words.wanted()
        if not words.took("+"):
            return
        rule.over = "behind"
    else:
        rule.over = "said"
    rule.said = words.name("a field")
    if words.took("*"):
        rule.unit = words.number(MOST_BYTES)
    if words.took("+"):
        rule.number = words.number(MOST_BYTES)
    elif words.took("-"):
        rule.number = -words.number(MOST_BYTES)
    if words.took("or"):
        rule.nothing = words.take()
        if rule.nothing not in ("all", "jumbo"):
            raise words.wanted()


@statement('signature "TITLE" [behind] [if TEST [and TEST]...]')
def _signature(reader: Reader, line: Line, words: Words) -> None:
    """It has, or is, what authenticates more than itself and cannot follow a change, which takes a key: that is said, by its title.

    What is behind it is covered, and what carries it, unless it is an application; of that, and of its own, mutable fields are not.
    `behind`: only itself, and what is behind it.
    """
    header, title = reader.current(line), words.text()
    if not title:
        raise words.wanted()
    if header.signature:
        raise line.wrong(f"{header.name} has a signature already ({header.signature.line.place})")
    header.signature = Signature(title, line)
    header.signature.behind = words.took("behind")
    header.signature.tests = words.tests()
    words.done()


# ---- lists ----


def _numbers(words: Words, most: int) -> list[int]:
    """One number or more."""
    found = [words.number(most)]
    while words.numeric():
        found.append(words.number(most))
    return found


@statement("list NAME each BYTES | type BITS [at BIT] length BITS [at BIT] [* N] [+ N] [align BYTES] [end TYPE...] [pad TYPE...]")
def _list(reader: Reader, line: Line, words: Words) -> None:
    """Items follow that have a type and a length, such as options. An item has length * N + N bytes, with these two.

    `end`, `pad`: types without a length; behind the first ones there is no item. `each`: they have neither, and so many bytes.
    """
    name = words.name("a list")
    known = reader.found.lists.get(name)
    if known:
        raise line.wrong(f"there is a list {name} already ({known.line.place})")
    if not reader.protocol:
        raise line.wrong("`list` belongs below `protocol`")
    found = reader.found.lists[name] = reader.list = List(name, reader.protocol, line)
    reader.header = None
    if words.took("each"):
        found.type = found.length = Field("each", 0, 8, line)
        found.unit, found.bias = 0, words.number(256)
        words.done()
        if found.bias == 0:
            raise line.wrong("bad number '0': at least 1")
        return
    if not words.took("type"):
        raise words.wanted()
    width = words.number(MOST_TESTED)
    found.type = Field("type", words.number(256) if words.took("at") else 0, width, line)
    if not words.took("length"):
        raise words.wanted()
    width = words.number(MOST_TESTED)
    at = words.number(256) if words.took("at") else found.type.end
    found.length = Field("length", at, width, line)
    found.unit = words.number(256) if words.took("*") else 1
    found.bias = words.number(256) if words.took("+") else 0
    found.align = words.number(64) if words.took("align") else 1
    most = (1 << found.type.width) - 1
    found.ends = _numbers(words, most) if words.took("end") else []
    found.pads = _numbers(words, most) if words.took("pad") else []
    words.done()
    if not (found.type.width and width and found.unit and found.align):
        raise line.wrong("bad number '0': at least 1")
    if at < found.type.end and found.type.bit < at + width:
        raise line.wrong(f"the length lies in the type, which has {found.type.width} bits")


@statement(
    "item TYPE...|any|other [each BYTES [at BYTE] [behind FIELD] [count FIELD]] [inside BYTE [of LIST]] "
    '["MEANING"] [if TEST [and TEST]...]'
)
def _item(reader: Reader, line: Line, words: Words) -> None:
    """Items of these types, or all, or those of no other `item`; fields of their values follow, of any those of the whole item.

    `each`: the value, from that byte of the item on, is a row of pieces of so many bytes, and the fields are of each; `behind`
    so many others, and `count` of them, as fields of another `item` say. `inside`: from that byte on it has items, of the same
    list or another one. Tests are of the fields of another `item`, of the item as a whole.
    """
    of = reader.list
    if of is None:
        raise line.wrong("`item` belongs below `list`")
    every, other = words.took("any"), words.took("other")
    if of.unit == 0 and not every:
        raise line.wrong(f"the values of {of.name} have no types: `item any`")
    item = Item(of, [] if every or other else _numbers(words, (1 << of.type.width) - 1), line)
    item.rank, item.other, item.bits = reader.rank, other, 0 if every else 8 * of.head
    if words.took("each"):
        item.each, item.at, item.bits = words.number(MOST_BYTES), of.head, 0
        if item.each == 0:
            raise line.wrong("bad number '0': at least 1")
        if words.took("at"):
            item.at = words.number(MOST_BYTES)
        item.passed = words.name("a field") if words.took("behind") else ""
        item.pieces = words.name("a field") if words.took("count") else ""
    if words.took("inside"):
        item.nested = words.number(MOST_BYTES)
        if item.nested < of.head:
            raise line.wrong(f"byte {item.nested} lies in its type and length, which have {of.head} bytes")
        item.inner = words.name("a list") if words.took("of") else ""
    words.text()
    item.only = words.tests()
    words.done()
    reader.header, reader.parts = item, None
    of.items.append(item)


@statement("holds LIST at BYTE [to end | to BYTE | to FIELD [* N] [+ N]] [if TEST [and TEST]...]")
def _holds(reader: Reader, line: Line, words: Words) -> None:
    """Where a list lies in the header: from that byte on up to its size, the end of its data, or as many bytes as a field says.

    Tests are of the header, or of an item that has to be in a list of the header.
    """
    header, rule = reader.current(line), Holds(words.name("a list"), line)
    if not words.took("at"):
        raise words.wanted()
    rule.first = words.number(MOST_BYTES)
    rule.to_end = words.took("to")
    if rule.to_end and not words.took("end"):
        rule.to_end = False
        if words.numeric():
            rule.number = words.number(MOST_BYTES)
            if rule.number <= rule.first:
                raise line.wrong(f"the list ends at byte {rule.number}, where it has not begun")
        else:
            rule.field = words.name("a field")
    if rule.field:
        rule.unit = words.number(MOST_BYTES) if words.took("*") else 1
        rule.number = words.number(MOST_BYTES) if words.took("+") else 0
    rule.tests = words.tests()
    words.done()
    header.holds.append(rule)


# ---- how it is shown ----


@statement('show ["LABEL"] "TEMPLATE"')
def _show(reader: Reader, line: Line, words: Words) -> None:
    """A line of what pkt-analyze prints; without any all fields are."""
    header, first, second = reader.current(line), words.text(), words.text()
    if not first:
        raise words.wanted()
    words.done()
    header.show.append((first, second, line) if second else ("", first, line))


@statement('brief "LABEL" ["TEMPLATE"]')
def _brief(reader: Reader, line: Line, words: Words) -> None:
    """The line that stands for all of them; one of those above, by its label, or another one."""
    header, label, template = reader.current(line), words.text(), words.text()
    if not label:
        raise words.wanted()
    words.done()
    if not template:
        template = next((shown for known, shown, _ in header.show if known == label), "")
        if not template:
            raise line.wrong(f"no line '{label}' is shown of {header.name}")
    header.brief = label, template, line


@statement("between FIELD FIELD")
def _between(reader: Reader, line: Line, words: Words) -> None:
    """Whom it goes between, first from whom and then to whom: addresses, or ports. A line of a packet begins with these."""
    header = reader.current(line)
    if header.between:
        raise line.wrong(f"{header.name} is between others already ({header.between[2].place})")
    header.between = words.name("a field"), words.name("a field"), line
    words.done()


@statement("letters FIELD LETTER [FIELD LETTER]...")
def _letters(reader: Reader, line: Line, words: Words) -> None:
    """The bits that `{letters}` stands for in a template, a letter each, in that order."""
    header = reader.current(line)
    found: list[tuple[str, str]] = []
    while words.left or not found:
        found.append((words.name("a field"), words.take()))
    header.letters = tuple(found), line


@statement("answers HEADER [if TEST [and TEST]...] [to TEST [and TEST]...] [by FIELD[=FIELD[+N][+data]]...]")
def _answers(reader: Reader, line: Line, words: Words) -> None:
    """It answers such a header, where `if` holds of it, and `to` of that one; between the same two, the other way round.

    `by`: fields which both have the same of, or it the one and the header that asks the other; a number may be added to that one,
    and the bytes that it carries.
    """
    header, found = reader.current(line), Answers(words.name("a header"), line)
    found.tests, found.asked = words.tests(), words.tests(word="to")
    if words.took("by"):
        if not words.left:
            raise words.wanted()
        while words.left:
            match = ANSWERED_BY.fullmatch(words.take())
            if not match:
                raise words.wanted()
            found.by.append((match[1], match[2] or match[1], int(match[3] or 0), bool(match[4])))
    words.done()
    header.answers.append(found)


@statement('line [aside] "TEMPLATE" | reader NAME [if TEST [and TEST]...]')
def _line(reader: Reader, line: Line, words: Words) -> None:
    """What it says where a packet is a line, `pkt-analyze --line`: of several all that hold, with commas between.

    `aside`: in parentheses, behind all that is said of what it lies in. A test may also compare a field with another one. `reader`:
    what the codec reads of a message that no template can tell of; where it does, that is all there is to say of it.
    """
    header, said = reader.current(line), Said(line)
    said.aside = words.took("aside")
    if words.took("reader"):
        said.reader = words.take()
        if said.reader not in READERS or said.aside:
            raise line.wrong(f"no reader {said.reader}; there are {', '.join(READERS)}, and none is said aside")
    else:
        said.template = words.text()
        if not said.template:
            raise words.wanted()
    said.tests = words.tests(fields=True)
    words.done()
    header.lines.append(said)


@statement("quiet")
def _quiet(reader: Reader, line: Line, words: Words) -> None:
    """It is shown where applications are: 1.16 had what it begins as data."""
    reader.current(line).quiet = True
    words.done()


@statement("flags FIELD...")
def _flags(reader: Reader, line: Line, words: Words) -> None:
    """The bits that `{flags}` names in a template, in that order."""
    header, names = reader.current(line), [words.name("a field")]
    while words.left:
        names.append(words.name("a field"))
    header.flags = tuple(names), line


def read_file(reader: Reader, path: Path) -> None:
    """Reads a file. Raises PktError for one that cannot be read, or has something wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PktError(f"{path}: {error.strerror}") from None
    read_content(reader, str(path), content)


def read_content(reader: Reader, name: str, content: bytes) -> None:
    """The same for what was read of a file."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise PktError(f"{name}: it is no text") from None
    reader.read(text, name)
