"""Packets as trees: every field with its name, its value and the name of that, what is wrong, and data in part."""

from __future__ import annotations

from time import ctime

from .. import codec
from ..batch import Batch
from ..command_line.colour import BY_LAYER, CAPTURE, UNFINISHED, WRONG, coloured, paint
from ..formats.files import Output, Sink
from ..protocols import names
from ..protocols.shown import format_fraction
from . import checksums_shown
from .parts import Field, Header, Packet, Problem, wrapped
from .problems import examined
from .records import all_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..command_line.options import Values

COLUMNS = 80
VALUE_AT = 30  # the column where values begin
MOST_DEPTH = 4  # packets in packets that are set in
EXCERPT = 32  # bytes of data that are shown
DATA_AT = 6  # the column where lines of data begin at the latest
SHORT = 8  # bytes without a name that stand in the line of a field
PRINTABLE = bytes(c if 0x20 <= c <= 0x7E else ord(".") for c in range(256))


class PartsSink(Sink):
    """Writes packets part by part; how, says `lines`. Escapes of colours are all that a terminal adds."""

    output: Output

    def __init__(self, output: Output, colours: bool) -> None:
        self.output, self.colours = output, colours
        self.count = self.wrong = self.unfinished = 0  # packets, and checksums that were shown
        self.linktype: int | None = None

    def write(self, batch: Batch) -> None:
        """Writes a batch, packet by packet: each may be long."""
        for i in range(len(batch)):
            self.count += 1
            packet = examined(batch, i)
            self.wrong += packet.checksums(codec.BAD)
            self.unfinished += packet.checksums(codec.LEFT)
            self.output.write("".join(line + "\n" for line in self.packet_lines(packet)).encode(), 1, all_of)

    def packet_lines(self, packet: Packet) -> Iterator[str]:
        """The lines of the next packet; a LINKTYPE line comes first, and again whenever the type changes."""
        if packet.linktype != self.linktype:
            self.linktype = packet.linktype
            yield from names.link_lines(packet.linktype)
        yield f"-- {self.count} --"
        for line in capture_lines(packet):
            yield self.paint(line, CAPTURE)
        for problem in packet.problems:
            yield from self.problem_lines(problem, 0)
        yield from self.lines(packet)
        yield "=="

    def lines(self, packet: Packet) -> Iterator[str]:
        """What the view shows of a packet."""
        raise NotImplementedError

    def paint(self, text: str, colour: str) -> str:
        """Text in a colour, on terminals."""
        return paint(text, colour) if self.colours else text

    def title_lines(self, header: Header) -> Iterator[str]:
        """What a header is, and by which document."""
        title, *more = wrapped(header.cited, COLUMNS)
        yield self.paint(title, f"1;{BY_LAYER[header.layer]}")
        yield from more

    def problem_lines(self, problem: Problem, margin: int) -> Iterator[str]:
        """A problem, marked with `!` where something is wrong, else with `?`."""
        mark, colour = ("!", WRONG) if problem.wrong else ("?", UNFINISHED)
        for line in wrapped(problem.text, COLUMNS - margin - 2):
            yield " " * margin + self.paint(f"{mark} {line}", colour)
            mark = " "

    def close(self) -> list[str]:
        """Ends the stream; gives what there is to say of checksums."""
        self.output.close()
        return checksums_shown(self.wrong, self.unfinished)


def capture_lines(packet: Packet) -> list[str]:
    """What the capture says of a packet: time, bytes, and extension lines."""
    seconds, nanoseconds = divmod(packet.time, 1_000_000_000)
    size = f"{packet.captured}" if packet.captured == packet.original else f"{packet.captured}/{packet.original}"
    notes = [line for note in packet.notes for line in wrapped(note, COLUMNS)]
    return [f"{seconds}{format_fraction(nanoseconds)} {ctime(seconds)}, {size} bytes", *notes]


def data_lines(data: bytes, at: int, margin: int) -> list[str]:
    """The beginning of data, 16 bytes a line, with their places in the frame."""
    lines, margin = [], min(margin, DATA_AT)
    for start in range(0, min(len(data), EXCERPT), 16):
        row = data[start : min(start + 16, EXCERPT)]
        lines.append(f"{'':{margin}}{at + start:06X}: {row.hex(' ').upper():<47} : {row.translate(PRINTABLE).decode('ascii')}")
    if len(data) > EXCERPT:
        lines.append(f"{'':{margin}}... {len(data) - EXCERPT} bytes more")
    return lines


class TreeSink(PartsSink):
    """Writes packets as trees."""

    def lines(self, packet: Packet) -> Iterator[str]:
        """Header by header; those of a packet in another one are set in."""
        for header in packet.headers:
            yield from self.header_lines(header, 2 * min(header.depth, MOST_DEPTH))

    def header_lines(self, header: Header, margin: int) -> Iterator[str]:
        """A header, or an item, with its fields and its items."""
        colour = BY_LAYER[header.layer] if not header.item else ""
        if not header.item:
            yield " " * margin + self.paint(header.heading, f"1;{colour}")
        elif header.title:
            yield f"{'':{margin}}{header.title}"
        yield from (" " * (margin + 2) + line for line in says_lines(header, margin + 2))
        for part in header.in_order():
            if isinstance(part, Field):
                yield from self.field_lines(part, margin + 2, colour)
            else:
                yield from self.header_lines(part, margin + 2)
        for problem in header.problems:
            if problem.field is None:
                yield from self.problem_lines(problem, margin + 2)

    def field_lines(self, field: Field, margin: int, colour: str) -> Iterator[str]:
        """A field, with what is wrong about it, and its parts."""
        name = field.name or "-"
        at = max(VALUE_AT, margin + len(name) + 1)
        first, *more = wrapped(value_of(field), COLUMNS - at)
        yield f"{'':{margin}}{self.paint(name, colour)}{'':{at - margin - len(name)}}{first}".rstrip()
        yield from (" " * at + line for line in more)
        if field.is_data and not is_short(field):
            yield from data_lines(field.value, field.spans[0][0] // 8, margin + 2)  # type: ignore[arg-type]  # bytes
        for problem in field.problems:
            yield from self.problem_lines(problem, margin + 2)
        for part in field.parts:
            yield from self.field_lines(part, margin + 2, colour)


def says_lines(header: Header, margin: int) -> list[str]:
    """What a message says, in lines that have room behind a margin."""
    return wrapped(f"says: {header.says}", COLUMNS - margin) if header.says else []


def is_short(field: Field) -> bool:
    """Whether bytes stand beside their name, and not below it: few that have none."""
    return field.row is None and isinstance(field.value, bytes) and len(field.value) <= SHORT


def value_of(field: Field) -> str:
    """A value with its name; of data how many there are."""
    if field.is_data and not is_short(field):
        return f"{len(field.value)} bytes"  # type: ignore[arg-type]  # bytes
    shown = field.shown + (f" ({field.word})" if field.word else "")
    return shown + ("  (read anew below)" if field.overlaid else "")


def view(values: Values, output: Output) -> Sink:
    """The tree."""
    return TreeSink(output, coloured(values.color, output.fd))
