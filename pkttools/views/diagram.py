"""Headers as RFCs draw them, 32 bits a row, with their values: as text, or as a picture.

A row is cut into cells, a field or a part of one each; a field that goes over rows has a cell in each of them, and its name and
value in the widest. Data, and what else is long, is one row that says how much it is.
"""

from __future__ import annotations

from ..batch import Batch
from ..command_line.colour import BY_LAYER, WRONG, coloured
from ..errors import counted
from ..formats.files import Output, Sink
from .parts import Field, Header, Packet, wrapped
from .problems import examined
from .svg import COLUMN, LAYER, ROW, Picture, fitted
from .tree import COLUMNS, PartsSink, capture_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..command_line.options import Values

BITS = 32  # of a row
MARGIN = 6  # columns in front of a row: the place of its first byte in the frame
LONG = 128  # bits of data, or of text, that are drawn as they are
NAME_LINES = 4  # that a name may take
BETWEEN = "... behind what it carries:"
MOST_PACKETS = 100  # in a picture
RULER = [" " + " ".join(str(bit // 10) if bit % 10 == 0 else " " for bit in range(BITS)).rstrip(),
         " " + " ".join(str(bit % 10) for bit in range(BITS))]  # fmt: skip


class Cell:
    """A piece of a field in a row.

    at, width: bits of the row. names, value: its text, lines of `columns` at most. octets: its bytes. long: it stands for more
    than is drawn.
    """

    def __init__(self, field: Field, at: int, width: int) -> None:
        self.field, self.at, self.width = field, at, width
        self.names: list[str] = []
        self.value = ""
        self.octets = b""
        self.long = False

    @property
    def columns(self) -> int:
        """Those between its borders."""
        return 2 * self.width - 1


class Row:
    """Cells beside each other, from the first bit on. start: their first byte in the frame."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.cells: list[Cell] = []

    @property
    def bits(self) -> int:
        """Bits that are drawn of it."""
        return sum(cell.width for cell in self.cells)

    @property
    def height(self) -> int:
        """Lines of text."""
        return max(max(len(cell.names) + bool(cell.value) for cell in self.cells), 1)

    def owner(self, bit: int) -> Field | None:
        """The field that has a bit; None: it has none."""
        return next((cell.field for cell in self.cells if cell.at <= bit < cell.at + cell.width), None)


class Drawing:
    """A header in rows, and what had no room in them. A run of its bits that something else interrupts begins a new block."""

    def __init__(self, header: Header, frame: bytearray) -> None:
        self.header, self.frame = header, frame
        self.blocks: list[list[Row]] = []
        self.legend: list[str] = []
        end = -1
        for field, (first, last) in leaves_of(header):
            if first != end or not self.blocks:
                self.blocks.append([])
            self.add(field, first, last)
            end = last
        for block in self.blocks:
            self.fill(block)

    def add(self, field: Field, first: int, last: int) -> None:
        """The cells of a field, behind those that are there."""
        rows = self.blocks[-1]
        long = (field.is_data or field.row is None or not field.row.width) and last - first > LONG
        while first < last:
            if not rows or rows[-1].bits >= BITS or rows[-1].cells[-1].long:
                rows.append(Row(first // 8))
            row = rows[-1]
            cell = Cell(field, row.bits, min(BITS - row.bits, last - first))
            cell.octets = bytes(self.frame[first // 8 : (first + cell.width) // 8])
            cell.long = long and row.bits == 0
            row.cells.append(cell)
            first = last if cell.long else first + cell.width

    def fill(self, rows: list[Row]) -> None:
        """Gives the widest cell of each field its text."""
        cells: dict[int, list[Cell]] = {}
        for row in rows:
            for cell in row.cells:
                cells.setdefault(id(cell.field), []).append(cell)
        for of in cells.values():
            widest = max(of, key=lambda cell: (cell.long, cell.width))
            self.write(widest)
            if widest.field.is_data and not widest.long:
                for cell in of:  # each has its own bytes
                    cell.value = cell.octets.hex(" ").upper()

    def write(self, cell: Cell) -> None:
        """The text of a cell; a name that has no room stands below the drawing, by a number."""
        field, columns = cell.field, cell.columns
        name = field.short or "-"
        cell.names = cut(name, columns)
        size = len(field.value) if isinstance(field.value, bytes) else -(-field.width // 8)
        shown = counted(size, "byte") if cell.long else cell.octets.hex(" ").upper() if field.is_data else field.shown
        mark = " !" if field.wrong else ""
        number = str(field.value) if isinstance(field.value, int) else ""
        values = [f"{shown} ({field.word}){mark}" if field.word else "", f"{shown}{mark}", shown, number]
        cell.value = next((value for value in values if value and len(value) <= columns), "")
        if not cell.names or not cell.value:
            key = str(len(self.legend) + 1)
            self.legend.append(f"{key}: {name} {values[0] or shown}")
            cell.names = cell.names or [fitted(key, columns)]
            cell.value = cell.value or fitted(shown, columns)


def cut(name: str, columns: int) -> list[str]:
    """A name in lines of so many columns, cut behind `_` where that can be; none where it takes too many."""
    lines: list[str] = []
    while name:
        at = len(name) if len(name) <= columns else name.rfind("_", 0, columns) + 1 or columns
        lines.append(name[:at])
        name = name[at:]
    return lines if len(lines) <= NAME_LINES else []


def leaves_of(header: Header) -> list[tuple[Field, tuple[int, int]]]:
    """The fields of a header and its items that have bits of their own, with these, in their order."""
    found = [(field, span) for field in header for span in field.spans]
    for item in header.items:
        found += leaves_of(item)
    return sorted(found, key=lambda one: one[1])


def joints(above: Row | None, below: Row | None) -> list[bool]:
    """For each bit, whether a line is between two rows there: not inside of a field that goes over both."""
    lines = []
    for bit in range(max(above.bits if above else 0, below.bits if below else 0)):
        over, under = above.owner(bit) if above else None, below.owner(bit) if below else None
        lines.append(over is not under or over is None)
    return lines


def headers_of(packet: Packet) -> list[Drawing]:
    """The drawings of a packet."""
    drawings = [Drawing(header, packet.frame) for header in packet.headers]
    return [drawing for drawing in drawings if drawing.blocks]


class DiagramSink(PartsSink):
    """Writes diagrams as text."""

    def lines(self, packet: Packet) -> Iterator[str]:
        """Header by header."""
        for drawing in headers_of(packet):
            header = drawing.header
            yield ""
            yield from self.title_lines(header)
            yield from (f"{'':{MARGIN}}{line}" for line in RULER)
            for number, block in enumerate(drawing.blocks):
                if number:
                    yield " " * MARGIN + BETWEEN
                for above, below in zip([None, *block], [*block, None], strict=True):
                    yield self.border(above, below)
                    if below:
                        yield from self.row_lines(below, BY_LAYER[header.layer])
            yield from (f"{'':{MARGIN}}{row}" for line in drawing.legend for row in wrapped(line, COLUMNS - MARGIN))
            for problem in header.problems:
                yield from self.problem_lines(problem, MARGIN)

    def border(self, above: Row | None, below: Row | None) -> str:
        """The line between two rows."""
        lines = joints(above, below)
        return " " * MARGIN + "".join(
            ("+" if bit in (0, len(lines)) or lines[bit - 1] or lines[bit] else " ")
            + ("" if bit == len(lines) else "-" if lines[bit] else " ")
            for bit in range(len(lines) + 1)
        )

    def row_lines(self, row: Row, colour: str) -> Iterator[str]:
        """The lines of a row: names above, values below."""
        height = row.height
        for number in range(height):
            line = f"{row.start if number == 0 else '':>{MARGIN - 1}} "
            for cell in row.cells:
                text, of = text_at(cell, number, height)
                shade = WRONG if of == "value" and cell.field.wrong else colour if of == "value" else ""
                left = (cell.columns - len(text)) // 2
                line += f"{'/' if cell.long else '|'}{'':{left}}{self.paint(text, shade)}{'':{cell.columns - len(text) - left}}"
            yield line + ("/" if row.cells[-1].long else "|")


def text_at(cell: Cell, number: int, height: int) -> tuple[str, str]:
    """What stands in a line of a cell, and whether that is of its name or its value."""
    if cell.value and number == height - 1:
        return cell.value, "value"
    return (cell.names[number], "name") if number < len(cell.names) else ("", "")


class PictureSink(Sink):
    """Draws all in one picture, when all is there."""

    output: Output

    def __init__(self, output: Output) -> None:
        self.output, self.count = output, 0
        self.picture = Picture(COLUMN * COLUMNS, 0, "")
        self.y = ROW

    def write(self, batch: Batch) -> None:
        """Draws a batch, as far as there is room."""
        for i in range(len(batch)):
            self.count += 1
            if self.count <= MOST_PACKETS:
                self.packet(examined(batch, i))

    def packet(self, packet: Packet) -> None:
        """Draws a packet below those that are there."""
        self.text(0, f"-- {self.count} --", COLUMNS, "strong")
        for line in capture_lines(packet):
            self.text(0, line, COLUMNS, "faint")
        for drawing in headers_of(packet):
            self.y += ROW // 2
            layer = LAYER[drawing.header.layer]
            for line in wrapped(drawing.header.cited, COLUMNS):
                self.text(0, line, COLUMNS, f"strong {layer}")
            for line in RULER:
                self.picture.text(COLUMN * MARGIN, self.y, line, COLUMNS - MARGIN, "faint")
                self.y += ROW
            for number, block in enumerate(drawing.blocks):
                if number:
                    self.text(MARGIN, BETWEEN, COLUMNS - MARGIN, "faint")
                for above, below in zip([None, *block], [*block, None], strict=True):
                    self.border(above, below)
                    if below:
                        self.row(below, layer)
                self.y += ROW
            for line in drawing.legend:
                for row in wrapped(line, COLUMNS - MARGIN):
                    self.text(MARGIN, row, COLUMNS - MARGIN, "")
            for problem in drawing.header.problems:
                for row in wrapped(("! " if problem.wrong else "? ") + problem.text, COLUMNS - MARGIN):
                    self.text(MARGIN, row, COLUMNS - MARGIN, "wrong" if problem.wrong else "unfinished")
        self.y += ROW

    def text(self, column: int, text: str, columns: int, style: str) -> None:
        """A line of text, below what is there."""
        self.picture.text(COLUMN * column, self.y, text, columns, style)
        self.y += ROW

    def border(self, above: Row | None, below: Row | None) -> None:
        """The lines between two rows, those beside each other in one."""
        lines, y = [*joints(above, below), False], self.y - ROW // 2
        start = None
        for bit, there in enumerate(lines):
            if there and start is None:
                start = bit
            elif not there and start is not None:
                self.picture.line([(place(start), y), (place(bit), y)])
                start = None

    def row(self, row: Row, layer: str) -> None:
        """The borders of a row's cells, and their text."""
        top, height = self.y - ROW // 2, row.height
        for cell in row.cells:
            bottom = top + ROW * height
            for bit in (cell.at, cell.at + cell.width)[: 1 + (cell is row.cells[-1])]:
                self.picture.line([(place(bit), top), (place(bit), bottom)], dashed=cell.long)
            for number in range(height):
                text, of = text_at(cell, number, height)
                style = ("wrong" if cell.field.wrong else layer) if of == "value" else ""
                middle = (place(cell.at) + place(cell.at + cell.width)) / 2
                self.picture.text(middle, self.y + ROW * number, text, cell.columns, style, "middle")
        self.picture.text(COLUMN * (MARGIN - 1), self.y, str(row.start), MARGIN - 1, "faint", "end")
        self.y += ROW * height

    def close(self) -> list[str]:
        """Writes the picture."""
        drawn = min(self.count, MOST_PACKETS)
        self.picture.height, self.picture.title = self.y, f"the headers of {counted(drawn, 'packet')}"
        self.output.write(self.picture.document())
        self.output.close()
        return [f"drawn: the first {drawn} of {self.count} packets"] if drawn < self.count else []


def place(bit: int) -> float:
    """Where the left border of a bit is in a picture."""
    return COLUMN * (MARGIN + 0.5 + 2 * bit)


def view(values: Values, output: Output) -> Sink:
    """The diagram, as text or as a picture."""
    return PictureSink(output) if values.svg else DiagramSink(output, coloured(values.color, output.fd))
