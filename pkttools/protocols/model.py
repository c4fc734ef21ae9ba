"""What descriptions say, as plain objects: headers, with fields, sizes and what follows; names of values; spaces of numbers."""

from __future__ import annotations

from ..errors import PktError


class Line:
    """A statement: its words, and where it stands."""

    def __init__(self, words: list[str], place: str) -> None:
        self.words, self.place = words, place

    def wrong(self, message: str) -> PktError:
        """The error that says what is wrong with it."""
        return PktError(f"{self.place}: {message}")


class Field:
    """A field of a header.

    bit, width: place and size in bits, from the header's start. form: how its value is written: one of WIDTHS, `int`, `little`
    (a little-endian integer), `text`. Its value is (the bits + bias) * scale. names: the table of names of its values. old:
    1.16 printed it. within: the field that it is a part of.
    """

    def __init__(self, name: str, bit: int, width: int, line: Line) -> None:
        self.name, self.bit, self.width, self.line = name, bit, width, line
        self.form, self.bias, self.scale, self.names, self.old, self.meaning = "int", 0, 1, "", False, ""
        self.within: Field | None = None

    @property
    def end(self) -> int:
        """The bit behind it."""
        return self.bit + self.width


class Data:
    """The data of a header, as a field: `bit` is where they begin by the description; they go to the header's end."""

    def __init__(self, name: str, bit: int, line: Line) -> None:
        self.name, self.bit, self.line, self.old = name, bit, line, False
        self.at: int | str | None = None  # bytes from the header's start where it is said: also `end`


class Test:
    """FIELD [& MASK] COMPARISON VALUE; of the value of the field, in its own unit."""

    def __init__(self, field: str, mask: int, comparison: str, value: int) -> None:
        self.field, self.mask, self.comparison, self.value = field, mask, comparison, value


class Size:
    """A size in bytes: a number, and the value of a field times `unit`, if all of `tests` hold."""

    def __init__(self, line: Line) -> None:
        self.line, self.number, self.field, self.unit = line, 0, "", 1
        self.tests: list[Test] = []


class Next:
    """What comes behind a header: what `space` has for the value of `field`, or the header `header`; if all of `tests` hold."""

    def __init__(self, line: Line) -> None:
        self.line, self.space, self.field, self.header = line, "", "", ""
        self.tests: list[Test] = []


class Checksum:
    """The checksum of a header or of the message that it begins.

    field: where it stands. kind: `internet` (RFC 1071) or `crc32c`. over: `header`, `message`, or the field that says how many
    bytes it covers. pseudo: of which IP versions it covers a pseudo-header. zero: what 0 says: `sum` (a sum like others), `none`
    (there is no checksum), `ffff` (none; and a sum of 0 is written as 0xFFFF).
    """

    def __init__(self, field: str, kind: str, line: Line) -> None:
        self.field, self.kind, self.line = field, kind, line
        self.over, self.zero = "message", "sum"
        self.pseudo: tuple[int, ...] = ()
        self.tests: list[Test] = []


class After:
    """What announces a header: a number of a space, with a name for filters and a title for people, or "" for either."""

    def __init__(self, space: str, number: int, word: str, title: str, line: Line) -> None:
        self.space, self.number, self.word, self.title, self.line = space, number, word, title, line


class Header:
    """A kind of header: what a description says of it."""

    def __init__(self, name: str, protocol: str, title: str, line: Line) -> None:
        self.name, self.protocol, self.title, self.line = name, protocol, title, line
        self.category = ""
        self.like = ""  # the header whose statements these are, in another byte order
        self.little = False  # its integers are little-endian
        self.layer = ""  # a name of its own, by which filters ask for it
        self.rows: list[Field | Data] = []  # what has a name, in the order of the file
        self.bits = 0  # how far the fields go
        self.after: list[After] = []
        self.fixed: tuple[int, Line] | None = None  # bytes that have to be there
        self.size: list[Size] = []  # its terms; none: the fixed part is all
        self.end: Size | None = None  # where it ends with its data; None: where what encloses it does
        self.whole: tuple[list[Test], Line] | None = None  # otherwise what is behind it is a piece
        self.next: list[Next] = []
        self.checksum: Checksum | None = None
        self.show: list[tuple[str, str, Line]] = []  # label, "" for none, and template
        self.brief: tuple[str, str, Line] | None = None
        self.flags: tuple[tuple[str, ...], Line] | None = None  # those that `{flags}` names
        self.statements: list[Line] = []

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((row for row in self.rows if row.name == name and isinstance(row, Field)), None)

    @property
    def fixed_size(self) -> int:
        """Bytes that have to be there."""
        return self.fixed[0] if self.fixed else self.bits // 8


class Names:
    """Names of values."""

    def __init__(self, name: str, line: Line) -> None:
        self.name, self.line = name, line
        self.values: dict[int, str] = {}


class Entry:
    """What a space says of a number: its word in filters, a title for people; the header that it announces, if that is described.

    leaf: nothing that could be followed is in it. tunnel: a packet is.
    """

    def __init__(self, word: str, title: str, leaf: bool, tunnel: bool, line: Line, header: str = "") -> None:
        self.word, self.title, self.leaf, self.tunnel, self.line, self.header = word, title, leaf, tunnel, line, header


class Space:
    """Numbers that announce headers, such as EtherTypes. form: how one without a name is shown. of: the space it is part of."""

    def __init__(self, name: str, form: str, of: str, line: Line) -> None:
        self.name, self.form, self.of, self.line = name, form, of, line
        self.entries: dict[int, Entry] = {}


class Descriptions:
    """All that the files say: headers, names of values and spaces, in their order."""

    def __init__(self) -> None:
        self.headers: dict[str, Header] = {}
        self.names: dict[str, Names] = {}
        self.spaces: dict[str, Space] = {}
        self.rows: list[tuple[Header, Field | Data]] = []  # of all headers, in the order of the files
