"""Packets explained, for whoever learns how they are made: bytes and fields side by side, what fields mean, and where that is said.

Bytes and fields are linked by a mark, a letter, and on terminals by a colour. What is wrong can be followed with pen and paper.
"""

from __future__ import annotations

from string import ascii_letters

from ..command_line.colour import BY_FIELD, coloured
from ..formats.files import Output, Sink
from .parts import Field, Header, Packet, Span, wrapped
from .tree import COLUMNS, PartsSink, says_lines, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..command_line.options import Values

ROW = 16  # bytes that stand in a row
MOST = 2 * ROW  # bytes of a field that are shown
NAME_AT, VALUE_AT = 23, 40  # columns of the table of fields
BYTES = 6  # that fit in front of a name


class Marked:
    """A field with its mark and its colour."""

    def __init__(self, field: Field, number: int) -> None:
        self.field, self.mark = field, ascii_letters[number % len(ascii_letters)]
        self.colour = BY_FIELD[number % len(BY_FIELD)]


class ExplainSink(PartsSink):
    """Writes packets and what there is to know of them."""

    def lines(self, packet: Packet) -> Iterator[str]:
        """Header by header."""
        for header in packet.headers:
            yield ""
            yield from self.header_lines(packet, header)

    def header_lines(self, packet: Packet, header: Header) -> Iterator[str]:
        """The bytes of a header and its items, marked; its fields; and what is wrong."""
        yield from self.title_lines(header)
        yield from ("  " + line for line in says_lines(header, 2))
        fields = fields_of(header)
        marked = [Marked(field, number) for number, field in enumerate(field for field in fields if field.all_spans)]
        yield from self.dump_lines(packet, marked)
        known = {id(one.field): one for one in marked}
        yield from self.table_lines(packet, header, known)
        for problem in header.problems:
            yield from self.problem_lines(problem, 2)
            yield from (f"    {line}" for line in problem.steps())

    def dump_lines(self, packet: Packet, marked: list[Marked]) -> Iterator[str]:
        """The bytes, 16 a row, and below each the marks of the fields that it is of."""
        owners: dict[int, list[tuple[Span, Marked]]] = {}  # by byte
        left_out: dict[int, int] = {}  # bytes behind one that is shown
        for one in marked:
            for first, last in one.field.all_spans:
                start, stop = first // 8, -(-last // 8)
                for at in range(start, min(stop, start + MOST)):
                    owners.setdefault(at, []).append(((first, last), one))
                if stop > start + MOST:
                    left_out[start + MOST - 1] = stop - start - MOST
        for row in rows_of(sorted(owners)):
            cells, marks = [], []
            for at in row:
                of = sorted(owners[at], key=lambda pair: pair[0])
                cells.append(self.cell(packet.frame[at], at, of))
                letters = "".join(dict.fromkeys(one.mark for _, one in of))
                marks.append(letters if len(letters) < 3 else letters[0] + "+")
            yield f"{row[0]:6}  {' '.join(cells)}"
            yield f"        {''.join(f'{mark:<3}' for mark in marks).rstrip()}"
            if row[-1] in left_out:
                yield f"        ... {left_out[row[-1]]} bytes more"

    def cell(self, byte: int, at: int, owners: list[tuple[Span, Marked]]) -> str:
        """A byte, its digits in the colours of the fields that they are of."""
        digits = f"{byte:02X}"
        if len(owners) == 1:
            return self.paint(digits, owners[0][1].colour)
        parts = []
        for half in (0, 1):
            begin = at * 8 + 4 * half
            of = max(owners, key=lambda pair: min(pair[0][1], begin + 4) - max(pair[0][0], begin))
            parts.append(self.paint(digits[half], of[1].colour))
        return "".join(parts)

    def table_lines(self, packet: Packet, header: Header, marked: dict[int, Marked]) -> Iterator[str]:
        """The fields, each with its mark, its bytes, its value and what it means; then the items."""
        for part in header.in_order():
            if isinstance(part, Field):
                yield from self.marked_lines(packet, part, marked.get(id(part)))
                continue
            title = ", ".join(filter(None, (part.title, part.source if part.source != header.source else "")))
            if title:
                yield f"  {self.paint(title[: COLUMNS - 2], '1')}"
            yield from self.table_lines(packet, part, marked)

    def marked_lines(self, packet: Packet, field: Field, one: Marked | None) -> Iterator[str]:
        """A field with its mark, and its parts."""
        mark, colour = (one.mark, one.colour) if one else ("", "")
        for part, margin in ((field, 0), *((part, 2) for part in field.parts)):
            if not part.overlaid:
                yield from self.field_lines(packet, part, "" if margin else mark, colour, margin)

    def field_lines(self, packet: Packet, field: Field, mark: str, colour: str, margin: int) -> Iterator[str]:
        """A field, or a part of one: its meaning stands behind its value, or below."""
        octets = bits_of(packet, field) if margin or field.width % 8 or field.bit % 8 else bytes_of(packet, field)
        head = f"{self.paint(f'{mark:<2}', colour)} {self.paint(f'{octets:<{NAME_AT - 4}}', colour)} "
        name = " " * margin + (field.short or "(no name)" if field.width else field.short)
        at = max(VALUE_AT, NAME_AT + len(name) + 1)
        value, *more = wrapped(value_of(field), COLUMNS - at)
        said = "; ".join(filter(None, (field.meaning, field.note)))
        line = f"{name:<{at - NAME_AT}}{value}"
        if said and not more and len(line) + 2 + len(said) <= COLUMNS - NAME_AT:
            yield f"{head}{line}  {said}"
            return
        yield head + line.rstrip()
        yield from (" " * at + text for text in more)
        indent = NAME_AT + margin + 2
        yield from (" " * indent + text for text in (wrapped(said, COLUMNS - indent) if said else ()))


def fields_of(header: Header) -> list[Field]:
    """The fields of a header and its items that have bits of their own, in the order of the table."""
    found: list[Field] = []
    for part in header.in_order():
        found += [part] * (not part.overlaid) if isinstance(part, Field) else fields_of(part)
    return found


def rows_of(places: list[int]) -> Iterator[list[int]]:
    """Bytes in rows: of those that follow each other, 16."""
    row: list[int] = []
    for at in places:
        if row and (at != row[-1] + 1 or len(row) == ROW):
            yield row
            row = []
        row.append(at)
    if row:
        yield row


def bytes_of(packet: Packet, field: Field) -> str:
    """The first bytes of a field."""
    spans = field.all_spans or [(field.bit, field.bit)]
    data = packet.frame[spans[0][0] // 8 : spans[-1][1] // 8]
    return data.hex(" ").upper() if len(data) <= BYTES else data[: BYTES - 1].hex(" ").upper() + " .."


def bits_of(packet: Packet, field: Field) -> str:
    """The bits of a field, dots in place of others; of more than two bytes, its digits."""
    first, last = field.bit // 8, -(-(field.bit + field.width) // 8)
    data = packet.frame[first:last]
    own = range(field.bit - first * 8, field.bit - first * 8 + field.width)
    if len(data) <= 2:
        bits = "".join(f"{byte:08b}" for byte in data)
        shown = "".join(bit if at in own else "." for at, bit in enumerate(bits))
        return " ".join(shown[at : at + 8] for at in range(0, len(shown), 8))
    digits = data[:BYTES].hex().upper()
    shown = "".join(digit if set(own) & set(range(4 * at, 4 * at + 4)) else "." for at, digit in enumerate(digits))
    return " ".join(shown[at : at + 2] for at in range(0, len(shown), 2))


def view(values: Values, output: Output) -> Sink:
    """The explanation."""
    return ExplainSink(output, coloured(values.color, output.fd))
