"""What descriptions say, as plain objects: headers, with fields, sizes and what follows; names of values; spaces of numbers."""

from __future__ import annotations

from ..errors import PktError

MOST_BYTES = 65535  # of a header
LAST_BIT = 65535  # of a header: fields lie in front of it
MOST_FIELDS = 65535  # of all headers
MOST_KINDS = 16384  # of headers, and of items; rows of each table of the walk: `MAX_ROWS` of codec/c/protocols.h
MOST_TESTED = 32  # bits of a number that the walk goes by
MOST_FRAME = 262144  # bytes of a packet, as the text format has it
# What the codec does by name, since no statement can say it: codec/c/exceptions.c.
EXCEPTIONS = ("COOKED_TAGS", "PADDED", "ROUTE", "FRAGMENT_HEADER", "SEAL", "SEGMENTS", "DATAGRAM_4", "DATAGRAM_6")
READERS = (
    "dns",
    "dns_tcp",
    "dhcp",
    "dhcpv6",
    "tls",
    "quic",
    "http",
    "sip",
    "ntp",
    "media",
    "stream",
    "arp",
)  # of messages: `enum reader`
PARTIAL = ("cut", "inside", "deep", "size")
FITTING = ("fits", "fills")  # tests of a number of bytes: whether so many are there, and whether no more are
OURS, OWN, ASKED = range(3)  # who says it: we; a user's own file; the command line. Later ones come first


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
    1.16 printed it. apart: packets where it differs are of different networks. oneway: each direction has its own. last: it is
    printed behind the other fields of its header. mutable: it may change on the way, so that no signature behind it covers it. was:
    a name that it had, and is still read by. within: the field that it is a part of.
    """

    def __init__(self, name: str, bit: int, width: int, line: Line) -> None:
        self.name, self.bit, self.width, self.line = name, bit, width, line
        self.form, self.bias, self.scale, self.names, self.old, self.meaning = "int", 0, 1, "", False, ""
        self.within: Field | None = None
        self.was = ""
        self.apart = self.oneway = self.last = self.mutable = False
        self.protocol = ""  # that it is of; "": that of its header

    @property
    def end(self) -> int:
        """The bit behind it."""
        return self.bit + self.width


class Data:
    """The data of a header, as a field: `bit` is where they begin by the description; they go to the header's end.

    at: bytes from the header's start where they begin, MOST_FRAME for its end; None: behind its size. text: they are characters.
    rest: what headers behind it claim is none of them. in_place: they are printed where the fields of their header are, and not
    behind those of all.
    """

    def __init__(self, name: str, bit: int, line: Line) -> None:
        self.name, self.bit, self.line, self.old, self.rest, self.text = name, bit, line, False, False, False
        self.in_place = False
        self.at: int | None = None
        self.meaning = ""


class Test:
    """FIELD [& MASK] COMPARISON VALUE; the value is in the unit of the field, a mask is of its bits. Or FIELD, one of FITTING.

    other: the field whose value it is compared with, instead.
    """

    def __init__(self, field: str, mask: int, comparison: str, value: int, line: Line, other: str = "") -> None:
        self.field, self.mask, self.comparison, self.value, self.line = field, mask, comparison, value, line
        self.other = other


class Rule:
    """What is so where all of `tests` hold; of the value of a field, or "" for none."""

    def __init__(self, line: Line) -> None:
        self.line, self.field = line, ""
        self.tests: list[Test] = []


class Size(Rule):
    """A size in bytes: a number, and the value of a field times `unit`, if all of `tests` hold."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.number, self.unit = 0, 1
        self.fixed = False  # it is the fixed part of its header, instead
        self.or_all = False  # where it is more than what there is, all of that is header


class Next(Rule):
    """What comes behind a header: what `space` has for a number, or the header `header`; if all of `tests` hold.

    The number is the value of `field`, or the first so many bits that are `behind` the header, or the `last` ones that are in it.
    promised: of a frame that has to be there; quoted: of one that is quoted in a message.
    """

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.space = self.header = ""
        self.behind = self.last = 0
        self.promised = self.quoted = False


class Checksum:
    """The checksum of a header or of the message that it begins.

    field: where it stands. kind: `internet` (RFC 1071) or `crc32c`; `unknown`: whether there is one nobody can say. over: how many
    bytes it covers: `message`; `header`, its size; `said`, what the field `said` says, times `unit`, plus `number`; `behind`, so
    many more than the header has. nothing: what a field of 0 says: `` (0 bytes), `all` (the whole message), `jumbo` (the same, of
    what is too long for it to say). also: `message`: some have it over the whole message. without: bytes that are left out, and
    from which one on. pseudo: of which IP versions it covers a pseudo-header; pseudo_also: of which in what some send;
    whole: that one has the size of the whole message, whatever is covered. zero: what 0 says: `sum` (a sum like others), `none`
    (there is no checksum), `ffff` (none; and a sum of 0 is written as 0xFFFF), `missing` (the same, but only IPv4 and what carries
    a tunnel may be without), `wrong` (a sum of 0 is written as 0xFFFF). card: kernels leave it to the network card; cut: and
    messages for the card to cut.
    """

    def __init__(self, field: str, kind: str, line: Line) -> None:
        self.field, self.kind, self.line = field, kind, line
        self.over, self.said, self.unit, self.number, self.nothing = "message", "", 1, 0, ""
        self.also, self.zero = "", "sum"
        self.without = 0, 0
        self.pseudo: tuple[int, ...] = ()
        self.pseudo_also: tuple[int, ...] = ()
        self.whole = self.card = self.cut = False
        self.tests: list[Test] = []


class Signature(Rule):
    """What authenticates more than itself, such as a digest, where all of `tests` hold. title: what people call it.

    behind: itself and what is behind it; else also what it is in.
    """

    def __init__(self, title: str, line: Line) -> None:
        super().__init__(line)
        self.title, self.behind = title, False

    @property
    def code(self) -> str:
        """By which it is counted."""
        return f'"{self.title}"'


class After(Rule):
    """What announces a header: a number of a space, with a name for filters and a title for people, or "" for either.

    tests: what has to hold of the header's own fields.
    """

    def __init__(self, space: str, number: int, word: str, title: str, tests: list[Test], line: Line) -> None:
        super().__init__(line)
        self.space, self.number, self.word, self.title, self.tests = space, number, word, title, tests


class Answers(Rule):
    """What answers what: a header of its kind, of which `tests` hold, one of the kind `header` of which `asked` do.

    by: fields of which the one that answers has what the one that asks has in the other: the field here, the one there, a number
    that is added, and whether the bytes that it carries are.
    """

    def __init__(self, header: str, line: Line) -> None:
        super().__init__(line)
        self.header = header
        self.asked: list[Test] = []
        self.by: list[tuple[str, str, int, bool]] = []


class Said(Rule):
    """What a header says in a line, where all of `tests` hold: a template, or what `reader` reads of it.

    aside: in parentheses, behind all that is said of what it lies in.
    """

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.template = self.reader = ""
        self.aside = False


class Header:
    """A kind of header: what a description says of it.

    hidden: it is no header, but a way to one; unfollowed: it is not followed, but counted. rank: who describes it.
    """

    def __init__(self, name: str, protocol: str, title: str, line: Line) -> None:
        self.name, self.protocol, self.title, self.line = name, protocol, title, line
        self.rank = OURS
        self.hidden = self.unfollowed = False
        self.source = ""  # where it is specified; "": where what it is of is
        self.category = ""
        self.little = False  # its integers are little-endian
        self.layer = ""  # a name of its own, by which filters ask for it
        self.rows: list[Field | Data] = []  # what has a name, in the order of the file
        self.bits = 0  # how far the fields go
        self.optional: list[list[Test]] = []  # where each of its optional parts is there
        self.sure = 0  # bits in front of these
        self.kind_of = ""  # the header that it is a kind of, of those with optional parts
        self.after: list[After] = []
        self.decoded = False  # nothing in a packet announces it
        self.fixed: int | None = None  # bytes that have to be there; None: what the fields make
        self.data: Data | None = None
        self.size: list[Size] = []  # its terms; none: the fixed part is all
        self.align = 1  # its size is a multiple of so many bytes
        self.until = b""  # its size goes on up to one of these
        self.end: Size | None = None  # where it ends with its data; None: where what encloses it does
        self.own_end = False  # it ends with itself
        self.inside = False  # it is what is in it that ends there
        self.then, self.then_line = "", line  # the header that stands behind its end, and where that is said
        self.trailer = 0  # bytes at its end that are no data
        self.whole: list[Test] = []  # otherwise what is behind it is a piece
        self.partial: list[str] = []  # where a packet is partial because of it: some of PARTIAL
        self.exception = ""  # what is done that a description cannot say
        self.next: list[Next] = []
        self.checksum: Checksum | None = None
        self.signature: Signature | None = None
        self.holds: list[Holds] = []
        self.show: list[tuple[str, str, Line]] = []  # label, "" for none, and template
        self.brief: tuple[str, str, Line] | None = None
        self.lines: list[Said] = []  # what it says where a packet is a line
        self.between: tuple[str, str, Line] | None = None  # the fields that say between whom it goes
        self.letters: tuple[tuple[tuple[str, str], ...], Line] | None = None  # flags, with that of `{letters}`
        self.answers: list[Answers] = []
        self.quiet = False  # it is shown only where applications are
        self.flags: tuple[tuple[str, ...], Line] | None = None  # those that `{flags}` names
        self.statements: list[Line] = []

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((row for row in self.rows if row.name == name and isinstance(row, Field)), None)

    @property
    def fixed_size(self) -> int:
        """Bytes that have to be there."""
        return self.bits // 8 if self.fixed is None else self.fixed

    def sizes(self) -> list[Size]:
        """The terms of its size, and its end."""
        return [*self.size, *([self.end] if self.end else [])]

    def tests(self) -> list[Test]:
        """All that the walk asks of its fields."""
        return [test for rule in self.next for test in rule.tests] + self.own_tests()

    def own_tests(self) -> list[Test]:
        """The same, but not what is asked of what comes next."""
        rules = [*self.after, *self.sizes(), *(rule for rule in self.holds if rule.by is None)]
        return [test for rule in rules for test in rule.tests] + self.whole


class Item(Header):
    """What is known of items of a list: its fields are at the same places in each.

    types: those that it is known by; empty: all, or if `other` those that are not known by their type. each: it is a row of
    pieces of so many bytes from byte `at` of the item on, and the fields are of each; 0: of the item as a whole. passed, pieces:
    the fields, of another `item`, that say how many of them are passed over, and how many there are; "": none, and all. nested:
    items lie in it, from that byte on; 0: none do. inner: the list that they are of; "": the same. only: what has to hold, of the
    fields of another `item`.
    """

    def __init__(self, of: List, types: list[int], line: Line) -> None:
        super().__init__(f"an item of {of.name}", of.protocol, "", line)
        self.list, self.types = of, types
        self.each = self.at = self.nested = 0
        self.passed = self.pieces = self.inner = ""
        self.other = False
        self.only: list[Test] = []


class List:
    """Items that lie one behind the other, each with its type and its length, such as options.

    type, length: from the start of an item; the length counts `unit` bytes, and `bias` more are in the item. align: items begin
    at multiples of so many bytes. ends, pads: types without a length; behind the first ones nothing is read.
    """

    def __init__(self, name: str, protocol: str, line: Line) -> None:
        self.name, self.protocol, self.line, self.source = name, protocol, line, ""
        self.type = self.length = Field("", 0, 0, line)
        self.unit, self.bias, self.align = 1, 0, 1
        self.ends: list[int] = []
        self.pads: list[int] = []
        self.items: list[Item] = []

    @property
    def head(self) -> int:
        """Bytes of an item with its type and its length."""
        return (max(self.type.end, self.length.end) + 7) // 8

    def item(self, field: str) -> Item | None:
        """The first of its items as a whole that have such a field."""
        return next((item for item in self.items if item.each == 0 and item.field(field)), None)

    def counting(self, name: str) -> Field | None:
        """The field of one of its items as a whole that counts pieces; None: there is none."""
        item = self.item(name)
        return item.field(name) if item else None


class Holds(Rule):
    """Where a list lies in a header: from a byte of it on, up to where its size ends, the end of its data, or as a field says.

    by: the item that its tests are of, which has to be in another list of the header; None: they are of the header.
    """

    def __init__(self, name: str, line: Line) -> None:
        super().__init__(line)
        self.list, self.first, self.to_end = name, 0, False
        self.unit, self.number = 1, 0  # without a field and `to_end`: up to that byte, or 0
        self.by: Item | None = None


class Names:
    """Names of values."""

    def __init__(self, name: str, line: Line) -> None:
        self.name, self.line = name, line
        self.values: dict[int, str] = {}


class Entry:
    """What a space says of a number: its word in filters, a title for people; and the header that it announces, if `tests` hold.

    leaf: nothing that could be followed is in it. tunnel: a packet is. rank: who says it.
    """

    def __init__(self, word: str, title: str, leaf: bool, tunnel: bool, line: Line, header: str = "",
                 tests: tuple[Test, ...] = (), rank: int = OURS) -> None:  # fmt: skip
        self.tests, self.rank = tests, rank
        self.word, self.title, self.leaf, self.tunnel, self.line, self.header = word, title, leaf, tunnel, line, header


class Space:
    """Numbers that announce headers, such as EtherTypes.

    form: how one without a name is shown. of: the space that it is part of: what that one has is here, too. counted_as: the space
    as whose numbers they are counted where they are not followed. least: numbers from
    here on of which nothing is known are counted; None: none is. swapped: those above 16 bits are in the other byte order.
    """

    def __init__(self, name: str, form: str, of: str, line: Line) -> None:
        self.name, self.form, self.of, self.counted_as, self.line = name, form, of, of or name, line
        self.least: int | None = None
        self.swapped = False
        self.entries: dict[int, list[Entry]] = {}  # of several of a number the first one whose tests hold


class Descriptions:
    """All that the files say: headers, names of values and spaces, in their order."""

    def __init__(self) -> None:
        self.headers: dict[str, Header] = {}
        self.names: dict[str, Names] = {}
        self.spaces: dict[str, Space] = {}
        self.lists: dict[str, List] = {}
        self.ways: dict[str, str] = {}  # headers that are several kinds, and what leads to the right one
        self.rows: list[tuple[Header, Field | Data]] = []  # of all headers, in the order of the files

    @property
    def items(self) -> list[Item]:
        """The kinds of items of all lists, in the order of their numbers."""
        return [item for one in self.lists.values() for item in one.items]
