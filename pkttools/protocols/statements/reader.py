"""Reads descriptions, statement by statement: what the one in hand is said of, and what is known of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import PktError
from ..model import OURS, Data, Descriptions, Entry, Field, Header, Item, Line, List, Names, Space
from .words import FORMS, MOST_NUMBER, MOST_VALUE, Text, Words, value_name, words_of

OF_ITEMS = ("field", "part", "flag", "data", "order", "signature", "line")  # statements that are said of items, too
STATEMENTS: dict[str, Callable[[Reader, Line, Words], None]] = {}


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


def statement(form: str) -> Callable[[Callable[[Reader, Line, Words], None]], Callable[[Reader, Line, Words], None]]:
    """Makes a function the one that reads the statement of that form."""

    def known(function: Callable[[Reader, Line, Words], None]) -> Callable[[Reader, Line, Words], None]:
        name = form.split()[0]
        FORMS[name], STATEMENTS[name] = form, function
        return function

    return known


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
