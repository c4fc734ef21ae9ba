"""The parts of a packet, for views that show few packets, and each to its last bit: headers, their fields, items of lists.

Each bit that was captured belongs to one part of the packet, the innermost one that reads it; what has no name is a part without
one. So a view may link bytes and fields both ways.
"""

from __future__ import annotations

from array import array
from struct import unpack_from

from .. import codec
from ..batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Batch, fcs_of, linktype_of
from ..protocols import _lines, _meanings, _words
from ..protocols.fields import BY_HEADER, DATA, FAMILY, HEADERS, INT, LITTLE, TEXT, Row
from ..protocols.kinds import carries_message
from ..protocols.layouts import LAYOUT
from ..protocols.lining import KINDS, LINES
from ..protocols.showing import APPLICATION, LINK
from ..protocols.shown import format_value, printable, read_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Span = tuple[int, int]  # bits of the frame: the first one, and behind the last
STEP = 76  # columns of a line that explains
TRAILER = -1  # instead of a kind: what stands behind all headers


def safe(text: str) -> str:
    """Text that is fit for a terminal, and for a page: what is not to be printed as `?`."""
    return text if text.isascii() and text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most so many columns, broken at blanks where there are some."""
    lines = []
    while len(text) > width:
        at = text.rfind(" ", 1, width + 1)
        lines.append(text[: at if at > 0 else width])
        text = text[at + 1 if at > 0 else width :]
    return [*lines, text]


class Problem:
    """Something that is to be known of a packet: a sentence, the field that it is about, or None, and how it can be followed.

    wrong: it is wrong, and not only so that something cannot be known, or is yet to be done.
    """

    def __init__(
        self, text: str, field: Field | None = None, wrong: bool = True, steps: Callable[[], list[str]] | None = None
    ) -> None:
        self.text, self.field, self.wrong, self._steps = safe(text), field, wrong, steps

    def __str__(self) -> str:
        return self.text

    def steps(self) -> list[str]:
        """Lines that lead to it step by step, of 76 columns at most, such as the words of a sum; they may be none."""
        return [safe(line) for step in (self._steps() if self._steps else []) for line in wrapped(step, STEP)]


class Field:
    """A field, or bits that have no name.

    row: of the table, None of bits without a name. value: a number, or bytes. bit, width: where it lies in the frame, in bits.
    spans: those of its bits that no part of it, and nothing inside of its header, reads. parts: the fields in it. overlaid: all of
    its bits are read by a header inside of its own, which says what they mean. note: of a length what it was compared with, of a
    checksum that is right or cannot be judged that it is so.
    """

    __slots__ = ("bit", "meaning", "note", "overlaid", "parts", "problems", "row", "spans", "value", "width")

    def __init__(self, row: Row | None, value: int | bytes, bit: int, width: int, meaning: str = "") -> None:
        self.row, self.value, self.bit, self.width, self.meaning = row, value, bit, width, meaning
        self.spans: list[Span] = []
        self.parts: list[Field] = []
        self.problems: list[Problem] = []
        self.overlaid, self.note = False, ""

    @property
    def name(self) -> str:
        """As the text format has it: `IP.TTL`; empty of bits without a name."""
        return self.row.name if self.row else ""

    @property
    def first(self) -> int:
        """The first bit that it has for itself, or would have."""
        return self.spans[0][0] if self.is_data and self.spans else self.bit

    @property
    def all_spans(self) -> list[Span]:
        """The bits that it and its parts have."""
        return sorted(self.spans + [span for part in self.parts for span in part.spans])

    @property
    def wrong(self) -> bool:
        """Whether something is wrong about it."""
        return any(problem.wrong for problem in self.problems)

    @property
    def short(self) -> str:
        """The name without its protocol: `TTL`."""
        return self.name.partition(".")[2]

    @property
    def is_number(self) -> bool:
        """Whether people read it as a number, and not as an address or characters."""
        return isinstance(self.value, int) and self.row is not None and self.row.kind in (INT, FAMILY, LITTLE)

    @property
    def text(self) -> str:
        """The value as the text format has it; bytes in hexadecimal, all of them."""
        if self.is_data or self.row is None:
            return self.value.hex(" ").upper() if isinstance(self.value, bytes) else f"{self.value:#x}"
        return format_value(self.row, self.value)

    @property
    def is_data(self) -> bool:
        """Whether it is bytes, and neither a number nor characters."""
        return isinstance(self.value, bytes) and (self.row is None or self.row.kind == DATA)

    @property
    def shown(self) -> str:
        """The value as people read it: numbers decimal, those with bits of their own in hexadecimal, nameless bits as bits."""
        if self.row is None and isinstance(self.value, int):
            return f"{self.value:0{self.width}b}"
        if self.is_number and not (self.row and self.row.hex):
            return str(self.value)
        if self.is_number and self.row and isinstance(self.value, int):
            return f"{self.value:#0{2 + (self.row.width + 3) // 4}x}"
        return self.text

    @property
    def word(self) -> str:
        """The name of the value; empty where it has none."""
        names = self.row.names if self.row and isinstance(self.value, int) else None
        return names.get(self.value, "") if names else ""  # type: ignore[arg-type]  # a number


class Header:
    """A header, or an item of a list in one.

    kind: by the tables; TRAILER of what stands behind all headers. start, data, end: in the frame, in bytes, see codec.walk.
    fields: in the order of their bits. items: those of its lists. depth: how many packets are around. quoted: it is of a packet
    that an error message quotes, which did not travel here. verdict: what codec.verify says of it.
    """

    def __init__(self, kind: int, start: int, data: int, end: int) -> None:
        self.kind, self.start, self.data, self.end = kind, start, data, end
        self.fields: list[Field] = []
        self.items: list[Header] = []
        self.problems: list[Problem] = []
        self.depth, self.quoted, self.verdict = 0, False, codec.NONE
        self.titled = "trailer"  # of TRAILER
        self.says = ""  # what the message says that begins with it, in a line
        self.item = kind >= len(HEADERS)

    @property
    def name(self) -> str:
        """`IP`, `ICMP_UNREACHABLE`."""
        return "" if self.item else "TRAILER" if self.kind == TRAILER else HEADERS[self.kind]

    @property
    def protocol(self) -> str:
        """The protocol that its fields are named by."""
        rows = BY_HEADER[self.kind] if self.kind >= 0 else []
        return rows[0].name.partition(".")[0] if rows else self.name

    @property
    def title(self) -> str:
        """What people call it; an item by its type."""
        if self.item:
            first = next((field for field in self.fields if field.row and field.row.names), None)
            return first.word or first.shown if first else ""
        return self.titled if self.kind == TRAILER else safe(LAYOUT[self.kind].title) or self.name

    @property
    def layer(self) -> int:
        """Of protocols/showing.py."""
        return LINK if self.kind == TRAILER else LAYOUT[self.kind].layer

    @property
    def source(self) -> str:
        """Where it is specified: `RFC 791 section 3.1`."""
        return safe(_meanings.SOURCES.get(self.kind, ""))

    @property
    def heading(self) -> str:
        """The title, and whether it is quoted."""
        return self.title + (" (quoted)" if self.quoted else "")

    @property
    def cited(self) -> str:
        """The same, and where it is specified."""
        return ", ".join(filter(None, (self.heading, self.source)))

    def __iter__(self) -> Iterator[Field]:
        """Its fields, each in front of its parts."""
        for field in self.fields:
            yield field
            yield from field.parts

    def in_order(self) -> list[Field | Header]:
        """Its fields, without their parts, and its items, as they stand in the packet."""
        parts: list[Field | Header] = [*self.fields, *self.items]
        return sorted(parts, key=lambda part: part.start * 8 if isinstance(part, Header) else part.first)

    def field(self, name: str) -> Field | None:
        """The field of a name without its protocol; None: it is not there."""
        return next((field for field in self if field.short == name), None)


class Packet:
    """A packet of a batch, in parts.

    frame: its captured bytes. captured, original: bytes; time: nanoseconds since 1970. row: as a batch of its own. notes: its
    extension lines. headers: the outermost first; behind them what no header has, such as a frame check sequence. problems: what is
    wrong with it as a whole; there are none of them, and of its parts, before problems.py has examined it.
    """

    def __init__(self, batch: Batch, i: int) -> None:
        self.frame = bytearray(batch.frame(i))
        columns = array("q", batch.part(i, i + 1).rows)
        notes, size = columns[NOTES], columns[NOTES_SIZE]
        self.notes = [printable(line) for line in bytes(batch.data[notes : notes + size]).splitlines()]
        self.captured, self.original, self.time = columns[CAPTURED], columns[ORIGINAL], columns[TIME]
        self.linktype, self.fcs = linktype_of(columns[LINKTYPE]), fcs_of(columns[LINKTYPE])
        columns[OFFSET] = columns[NOTES] = columns[NOTES_SIZE] = 0
        self.row = columns.tobytes()
        self.problems: list[Problem] = []
        self.headers = [Header(*place) for place in codec.walk(self.frame, self.row)]
        own = set(codec.walk(self.frame, self.row, True))
        for header, verdict in zip(self.headers, codec.verify(self.frame, self.row), strict=True):
            header.verdict = verdict
            header.quoted = (header.kind, header.start, header.data, header.end) not in own
        _set_depths(self.headers)
        _read_messages(self)
        _Owners(self)

    def leaves(self) -> Iterator[tuple[Header, Field, Span]]:
        """Whom the bits of the frame belong to, in their order: each captured bit is in one span."""
        spans = [(span, header, field) for header in self.everything() for field in header for span in field.spans]
        yield from ((header, field, span) for span, header, field in sorted(spans, key=lambda one: one[0]))

    def checksums(self, verdict: int) -> int:
        """How many checksums are such."""
        return sum(header.verdict == verdict for header in self.headers)

    def everything(self) -> Iterator[Header]:
        """The headers, each with its items behind it, and theirs."""
        for header in self.headers:
            yield header
            yield from items_of(header)


def items_of(header: Header) -> Iterator[Header]:
    """The items in a header or an item, each in front of those in it."""
    for item in header.items:
        yield item
        yield from items_of(item)


def _reader_of(kind: int) -> int:
    """What reads messages that begin with a header of a kind: of an application, whatever they say; -1: nothing does."""
    if LAYOUT[kind].layer != APPLICATION:
        return -1
    kinds, _, lines, _ = _lines.LINES
    columns = unpack_from(f"={len(KINDS)}q", kinds, 8 * len(KINDS) * kind)
    first, count = columns[KINDS.index("line")], columns[KINDS.index("lines")]
    rows = [unpack_from(f"={len(LINES)}q", lines, 8 * len(LINES) * row) for row in range(first, first + count)]
    return next((reader for _, reader, _, tests in rows if tests == 0), -1)


def _read_messages(packet: Packet) -> None:
    """What the messages of applications say, up to the end of what carries them."""
    end = len(packet.frame)
    for header in packet.headers:
        if LAYOUT[header.kind].layer < APPLICATION:
            end = header.end
        elif (reader := _reader_of(header.kind)) >= 0:
            header.says = safe((codec.tell(reader, packet.frame, header.start, max(end, header.end)) or b"").decode("ascii"))


def _set_depths(headers: list[Header]) -> None:
    """How many packets are around each header: a link or a datagram begins another one, where a datagram is in front of it."""
    around: list[int] = []  # where the packets around end
    within = False  # of a datagram of the packet in hand
    for header in headers:
        datagram = carries_message(header.kind)
        while around and header.start >= around[-1]:
            around.pop()
        if within and (datagram or _words.LAYOUTS[header.kind][1] == "link"):
            around.append(header.end)
            within = False
        within |= datagram
        header.depth = len(around)


class _Owners:
    """Gives each bit of a packet to one part of it: what is inside comes first."""

    def __init__(self, packet: Packet) -> None:
        self.frame = packet.frame
        self.taken: list[Span] = []  # in order, none beside another
        items: dict[int, list[Header]] = {}
        for index, *place in codec.items(packet.frame, packet.row):
            items.setdefault(index, []).append(Header(*place))
        for index in reversed(range(len(packet.headers))):
            header = packet.headers[index]
            self.add_items(header, items.get(index, []))
            self.add(header, [header])
        if rest := self.take((0, len(self.frame) * 8)):
            first = rest[0][0] // 8
            trailer = Header(TRAILER, first, first, len(self.frame))
            trailer.fields = [self.nameless(span) for span in rest]
            packet.headers.append(trailer)

    def take(self, span: Span) -> list[Span]:
        """Takes some bits, and gives those of them that were free."""
        at, last = low, high = span
        if at >= last:
            return []
        free: list[Span] = []
        others: list[Span] = []
        for begin, end in self.taken:
            if end < span[0] or begin > last:
                others.append((begin, end))
                continue
            if begin > at:
                free.append((at, begin))
            at, low, high = max(at, end), min(low, begin), max(high, end)
        if at < last:
            free.append((at, last))
        self.taken = sorted([*others, (low, high)])
        return free

    def add(self, whole: Header, same: list[Header]) -> None:
        """The fields of a header; or of an item, which several kinds of items may read: numbers first, then data, then the rest."""
        plain: list[Field] = []
        behind: list[Field] = []
        for of in same:
            for row, meaning in zip(BY_HEADER[of.kind], _meanings.MEANINGS.get(of.kind, ()), strict=True):
                value = read_field(row, self.frame, of.start, of.data, of.end)
                if value is None:
                    continue
                if row.kind == DATA or (row.kind == TEXT and row.width == 0):
                    size = of.end - of.data if row.kind == DATA else len(value)  # type: ignore[arg-type]  # bytes
                    behind.append(Field(row, value, of.data * 8, size * 8, safe(meaning)))
                else:
                    plain.append(Field(row, value, of.start * 8 + row.bit, row.width, safe(meaning)))
        whole.fields = nested(plain)
        for field in whole.fields:
            self.own(field)
        for field in behind:
            field.spans = self.take((field.bit, field.bit + field.width))
            if field.is_data:
                field.value = b"".join(bytes(self.frame[first // 8 : -(-last // 8)]) for first, last in field.spans)
            if field.spans or not field.is_data:
                whole.fields.append(field)
        whole.fields += [self.nameless(span) for span in self.take((whole.start * 8, whole.end * 8))]
        whole.fields.sort(key=lambda field: field.first)

    def own(self, field: Field) -> None:
        """Takes the bits of a field for its parts, and for itself those that no part has."""
        for part in field.parts:
            part.spans = self.take((part.bit, part.bit + part.width))
            part.overlaid = not part.spans and part.width > 0
        rest = self.take((field.bit, field.bit + field.width))
        if any(part.spans for part in field.parts):
            field.parts += [self.nameless(span) for span in rest]
            field.parts.sort(key=lambda part: part.bit)
        else:
            field.spans = rest
        field.overlaid = field.width > 0 and not field.spans and all(part.overlaid for part in field.parts)

    def nameless(self, span: Span) -> Field:
        """Bits that have no name."""
        first, last = span
        octets = bytes(self.frame[first // 8 : -(-last // 8)])
        number = int.from_bytes(octets, "big") >> -last % 8 & (1 << last - first) - 1
        field = Field(None, number if first % 8 or last % 8 else octets, first, last - first)
        field.spans = [span]
        return field

    def add_items(self, header: Header, places: list[Header]) -> None:
        """The items of a header's lists: what is found of the same bytes is one, and what is inside of one is in it."""
        found: list[list[Header]] = []
        for one in places:
            if found and (found[-1][0].start, found[-1][0].end) == (one.start, one.end):
                found[-1].append(one)
            else:
                found.append([one])
        around: list[Header] = []
        for same in found:
            whole = same[-1]  # the most exact one
            while around and not around[-1].start <= whole.start < whole.end <= around[-1].end:
                around.pop()
            (around[-1] if around else header).items.append(whole)
            around.append(whole)
            whole.depth, whole.quoted = header.depth, header.quoted
        for same in reversed(found):
            self.add(same[-1], same)


def nested(fields: list[Field]) -> list[Field]:
    """Fields, those that are parts of others in these; a field stands in front of its parts."""
    whole: list[Field] = []
    for field in fields:
        of = next((one for one in whole if one.bit <= field.bit and field.bit + field.width <= one.bit + one.width), None)
        if of is None or field.width == 0:
            whole.append(field)
        else:
            of.parts.append(field)
    return whole
