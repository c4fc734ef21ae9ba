"""Packets for people, header by header: what pkt-analyze prints where no other view is asked for. How headers look is in layouts.

A value is read when a template asks for it and not before, so that a low level costs little.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from itertools import dropwhile
from time import ctime

from .. import codec
from ..batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Batch, fcs_of, linktype_of
from ..formats.files import Output, Sink
from ..protocols import names
from ..protocols.fields import BY_HEADER, DATA, FAMILY, HEADERS, INT, LITTLE, TEXT, Row
from ..protocols.layouts import APPLICATION, CAPTURE, LAYOUT, LINK, TRANSPORT, aligned
from ..protocols.shown import format_value, read_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values

NAMES, BRIEF, FULL, SOME_DATA, ALL_DATA = range(1, 6)  # levels: what is printed of a packet; each adds to the one before
EXCERPT = 32  # bytes that SOME_DATA prints of a payload
RUN = 256  # packets that are written at once
VERDICTS = {codec.NONE: "None", codec.RIGHT: "Valid", codec.UNCERTAIN: "Unchecked"}

# Next headers that are shown with a name, in 1.16's words.
EXTENSIONS = {0: "HOPOPTS", 43: "ROUTING", 44: "FRAGMENT", 51: "AH", 60: "DSTOPTS"}

ETHERNET, VLAN = map(HEADERS.index, ("ETHERNET", "VLAN"))


class Rows(dict[int, dict[str, Row]]):
    """Kind of header to its rows, by the names of the fields in it."""

    def __missing__(self, kind: int) -> dict[str, Row]:
        self[kind] = {row.name.partition(".")[2]: row for row in BY_HEADER[kind]}
        return self[kind]


ROWS = Rows()


# ---- packets ----


def printed(row: Row, value: int | bytes) -> int | str:
    """A field's value for templates: a number as it is, all else as text."""
    return value if isinstance(value, int) and row.kind in (INT, FAMILY, LITTLE) else format_value(row, value)


class Header:
    """A header of a packet; `header["TTL"]` is a field, and `header["size"]` an attribute, for templates."""

    def __init__(self, packet: Packet, index: int, place: tuple[int, int, int, int]) -> None:
        self.packet, self.index = packet, index  # index: in what `walk` gave
        self.kind, self.start, self.data, self.end = place
        self.layout = LAYOUT[self.kind]
        self.following: list[Header] = []  # the tags behind an Ethernet header

    def __getitem__(self, name: str) -> int | str:
        """The value of a field as it is printed. Raises KeyError when it is not there."""
        if name.islower():
            attribute: int | str = getattr(self, name)
            return attribute
        return printed(*self.read(name))

    def read(self, name: str) -> tuple[Row, int | bytes]:
        """A field, or the first of that name in its lists, with its value. Raises KeyError when it is not there."""
        row = ROWS[self.kind].get(name)
        places = [(row, (self.start, self.data, self.end))] if row else self.packet.in_items(self.index, name)
        for of, place in places:
            value = read_field(of, self.packet.frame, *place)
            if value is not None:
                return of, value
        raise KeyError(name)

    @property
    def size(self) -> int:
        """Bytes of the header and what it carries, as far as they were captured."""
        return self.end - self.start

    @property
    def tags(self) -> str:
        """The tags behind an Ethernet header."""
        return "".join("(VLAN tag: {VLAN_TAG:#06x}) ".format_map(tag) for tag in self.following)

    @property
    def type(self) -> int | str:
        """What an Ethernet header and its tags announce."""
        return (self.following or [self])[-1]["TYPE"]

    @property
    def flags(self) -> str:
        """The names of the flags that are set."""
        return "".join(f"{flag} " for flag in self.layout.flags if self[flag])

    @property
    def named(self) -> Named:
        """The fields by the names of their values."""
        return Named(self)

    @property
    def extension(self) -> str:
        """The name of the extension header that follows, if it is one."""
        name = EXTENSIONS.get(self["NEXT_HEADER"])  # type: ignore[arg-type]  # a number
        return f" ({name})" if name else ""

    @property
    def verdict(self) -> str:
        """What there is to say about the checksum: of a wrong or unfinished one, what pkt-correct would make of it."""
        verdict = self.packet.verdicts[self.index]
        if verdict == codec.NONE and (self.kind, self.start, self.data, self.end) not in self.packet.own:
            return "Quoted"  # by an error message: it was so when the packet was sent that is quoted, or is cut since
        if verdict in VERDICTS:
            return VERDICTS[verdict]
        self.packet.shown[verdict] += 1
        row = ROWS[self.kind][self.layout.checksum]
        right = read_field(row, self.packet.corrected, self.start, self.data, self.end)
        value = f"{right:#0{2 + row.width // 4}x}"  # type: ignore[str-bytes-safe]  # a number
        return f"Unfinished, {value}" if verdict == codec.LEFT and self.packet.told else value

    @property
    def payload(self) -> bytes:
        """What no deeper header claims; of a header without DATA, what lies behind its last field.

        A header without a title is a part of the one before, and so are its data.
        """
        if not self.layout.title:
            return b""
        if any(
            self.data <= header.start < self.end for header in self.packet.headers if header is not self
        ):  # a tunnel: shown as headers
            return b""
        rows = ROWS[self.kind].values()
        row = ROWS[self.kind].get("DATA")
        if row and row.kind == DATA:
            return bytes(self.packet.frame[self.data : self.end])
        if any(row.kind in (DATA, TEXT) and row.width == 0 for row in rows):  # an extension header: data of its own, but no payload
            return b""
        return bytes(self.packet.frame[self.start + max(row.bit + row.width for row in rows) // 8 : self.end])


class Named:
    """`named["SVC"]` is the name of a field's value, or the value itself where it has none."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def __getitem__(self, name: str) -> int | str:
        """Raises KeyError when the field is not there."""
        row, read = self.header.read(name)
        value, words = printed(row, read), row.names or {}
        return words.get(value, value) if isinstance(value, int) else value


class Packet:
    """A packet of a batch, with its headers.

    shown: how many checksums were shown as BAD, and as LEFT to the card. told: whether the latter are called unfinished there,
    too, which 1.16 did not.
    """

    def __init__(self, batch: Batch, i: int, shown: dict[int, int] | None = None, told: bool = False) -> None:
        self.shown, self.told = {codec.BAD: 0, codec.LEFT: 0} if shown is None else shown, told
        self.frame = bytearray(batch.frame(i))
        columns = array("q", batch.part(i, i + 1).rows)
        notes, size = columns[NOTES], columns[NOTES_SIZE]
        self.notes = bytes(batch.data[notes : notes + size])
        self.captured, self.original, self.time, self.linktype = (columns[c] for c in (CAPTURED, ORIGINAL, TIME, LINKTYPE))
        columns[OFFSET] = columns[NOTES] = columns[NOTES_SIZE] = 0
        self.row = columns.tobytes()
        self.headers: list[Header] = []
        for index, place in enumerate(codec.walk(self.frame, self.row)):
            header = Header(self, index, place)
            if header.kind == VLAN and self.headers and self.headers[-1].kind == ETHERNET:
                self.headers[-1].following.append(header)
            else:
                self.headers.append(header)

    @cached_property
    def verdicts(self) -> list[int]:
        """What is to be thought of the checksum of each header of `walk`."""
        return codec.verify(self.frame, self.row)

    @cached_property
    def items(self) -> list[tuple[int, int, int, int, int]]:
        """The items of lists, such as options."""
        return codec.items(self.frame, self.row)

    def in_items(self, index: int, name: str) -> list[tuple[Row, tuple[int, int, int]]]:
        """Where fields of a name may be in the lists of a header: row, start, data and end of the item."""
        return [(ROWS[kind][name], (start, data, end)) for of, kind, start, data, end in self.items
                if of == index and name in ROWS[kind]]  # fmt: skip

    @cached_property
    def own(self) -> set[tuple[int, int, int, int]]:
        """Where the headers are that are none of a packet that is quoted in this one."""
        return set(codec.walk(self.frame, self.row, True))

    @cached_property
    def corrected(self) -> bytearray:
        """The bytes with all checksums as they should be."""
        copy = bytearray(self.frame)
        codec.correct(copy, self.row, codec.ALL)
        return copy


# ---- text ----


def header_lines(header: Header, templates: tuple[str, ...]) -> list[str]:
    """The lines of a header, its title before the first. A line is left out when one of its fields is not there."""
    lines = []
    for template in templates:
        try:
            lines.append(template.format_map(header))
        except KeyError:
            continue
    if lines:
        lines[0] = header.layout.title + lines[0]
    return lines


PRINTABLE = bytes(c if 0x20 <= c <= 0x7E else ord(".") for c in range(256))


def data_lines(title: str, data: bytes, most: int | None) -> list[str]:
    """A payload as bytes and characters, eight a line; of more than `most` bytes only so many."""
    lines = []
    head = f"DATA\t{aligned(title)}: "
    excerpt = data[:most]
    digits, characters = excerpt.hex(" ").upper(), excerpt.translate(PRINTABLE).decode("ascii")
    for at in range(0, len(excerpt), 8):
        left, right = digits[3 * at : 3 * at + 11], digits[3 * at + 12 : 3 * at + 23]
        lines.append(f"{head}{left:<11}  {right:<11} : {characters[at : at + 4]:<4} {characters[at + 4 : at + 8]:<4}")
        head = "\t\t\t: "
    if len(excerpt) < len(data):
        lines.append(head + "...")
    return lines


ETHERNET_FCS = 4  # octets, IEEE 802.3 clause 3.2.9
EDGE = "+--------+-------------------------+-------------------------+--------+--------+"


def box_lines(frame: bytes | bytearray) -> list[str]:
    """A frame as bytes and characters in a box of 80 columns, 16 bytes a line; none for one without bytes.

    In ASCII, which every terminal and every pipe takes.
    """
    lines = []
    for at in range(0, len(frame), 16):
        left, right = frame[at : at + 8], frame[at + 8 : at + 16]
        digits = f"{left.hex(' ').upper():<23} | {right.hex(' ').upper():<23}"
        characters = "|".join(f"{half.translate(PRINTABLE).decode('ascii'):<8}" for half in (left, right))
        lines.append(f"| {at:06X} | {digits} |{characters}|")
    return [EDGE, *lines, EDGE] if lines else []


def printable(text: bytes) -> str:
    """Text from the input, made safe for a terminal: what is not to be printed as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text.decode(errors="replace"))


def capture_lines(packet: Packet) -> list[str]:
    """What the capture says of a packet: bytes, time, and extension lines."""
    seconds, nanoseconds = divmod(packet.time, 1_000_000_000)
    fraction = f"{nanoseconds:09}" if nanoseconds % 1000 else f"{nanoseconds // 1000:06}"
    size = f"{packet.captured}" if packet.captured == packet.original else f"{packet.captured}/{packet.original}"
    received = f"received: {size} bytes    {seconds}.{fraction} {ctime(seconds)}"
    return [received, *trailer_lines(packet), *(printable(note) for note in packet.notes.splitlines())]


def trailer_lines(packet: Packet) -> list[str]:
    """The frame check sequence of a packet that has one, as far as it was captured; of Ethernet also whether it is right."""
    octets = fcs_of(packet.linktype)
    if not octets:
        return []
    end = max(max(packet.captured, packet.original) - octets, 0)
    there = bytes(packet.frame[end:])
    if len(there) < octets:
        return [f"FCS: {there.hex(' ').upper()}{' ' if there else ''}({'truncated' if there else 'not captured'})"]
    verdict = ""
    if linktype_of(packet.linktype) == 1 and octets == ETHERNET_FCS:
        from zlib import crc32  # late: few captures have one

        right = crc32(packet.frame[:end]).to_bytes(ETHERNET_FCS, "little") == there
        verdict = " (right)" if right else " (wrong)"
    return [f"FCS: {there.hex(' ').upper()}{verdict}"]


class ListingSink(Sink):
    """Writes packets for people to read.

    level: NAMES to ALL_DATA, 0 is ALL_DATA. lowest, highest: the layers that are shown, 0 is no bound, but applications are
    shown only where one of the two says so: 1.16 knew none. dump: whether the bytes of the frame follow. told: whether checksums
    left to the network card are called so where they stand.
    """

    output: Output

    def __init__(self, output: Output, level: int, lowest: int, highest: int, dump: bool = False, told: bool = False) -> None:
        self.output, self.level, self.dump, self.told = output, level or ALL_DATA, dump, told
        self.checksums = {codec.BAD: 0, codec.LEFT: 0}  # how many were shown
        self.lowest, self.highest = lowest, highest or max(lowest, TRANSPORT)
        self.count = 0
        self.linktype: int | None = None

    def write(self, batch: Batch) -> None:
        """Writes a batch at once."""
        for first in range(0, len(batch), RUN):
            run = (Packet(batch, i, self.checksums, self.told) for i in range(first, min(first + RUN, len(batch))))
            self.output.write("".join(line + "\n" for packet in run for line in self.lines(packet)).encode())

    def lines(self, packet: Packet) -> list[str]:
        """The lines of the next packet. A LINKTYPE line comes first, and again whenever the type, or the FCS, changes."""
        self.count += 1
        if self.highest < APPLICATION:  # what they carry is data
            packet.headers = [header for header in packet.headers if header.layout.layer < APPLICATION]
        mark = f"-- {self.count} --"
        box = box_lines(packet.frame) if self.dump else []
        if self.level == NAMES:
            return [f"{mark} " + "".join(f"{h.layout.title}:" for h in self.inner(packet) if h.layout.title), *box]
        lines = [mark]
        if packet.linktype != self.linktype:
            self.linktype = packet.linktype
            lines[:0] = names.link_lines(packet.linktype)
        if self.level == BRIEF:
            for header in self.inner(packet):
                if header.layout.title and header.layout.brief:
                    lines += header_lines(header, (header.layout.brief,))
            return [*lines, *box]
        if self.lowest <= CAPTURE:
            lines += capture_lines(packet)
        shown = self.shown(packet.headers)
        for header in shown:
            lines += header_lines(header, header.layout.lines)
        if self.level >= SOME_DATA:
            for header in reversed(shown):  # the innermost first: what is behind it in the packet belongs to outer ones
                lines += data_lines(header.layout.title, header.payload, EXCERPT if self.level == SOME_DATA else None)
        return [*lines, *box, "=="]

    def shown(self, headers: list[Header]) -> list[Header]:
        """Those headers whose layer is to be shown."""
        return [header for header in headers if self.lowest <= header.layout.layer <= self.highest]

    def inner(self, packet: Packet) -> list[Header]:
        """The same, without those of the link that the packet was captured on: what NAMES and BRIEF show."""
        return self.shown(list(dropwhile(lambda header: header.layout.layer == LINK, packet.headers)))

    def close(self) -> list[str]:
        """Ends the stream; gives what there is to say of checksums that look wrong, and are not."""
        self.output.close()
        wrong, unfinished = self.checksums.values()
        return [f"checksums shown: {wrong} wrong, {unfinished} unfinished (checksum offload)"] if unfinished else []


def view(values: Values, output: Output) -> Sink:
    """The listing that the options ask for."""
    return ListingSink(output, values.level, values.lowest_layer, values.highest_layer, bool(values.hex_dump), bool(values.verbose))
