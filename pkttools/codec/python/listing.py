"""Packets as lines for people, header by header; twin of ../c/listing.c. What headers say is said by templates."""

from __future__ import annotations

from time import ctime

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, crc_of, fcs_of
from ...protocols.showing import APPLICATION, CAPTURE, DATA_ALONE, LINK, NO_PAYLOAD
from ...protocols.shown import format_fraction, printable
from .. import BAD, LEFT
from .rows import checked, without_fcs
from .templates import Telling, shown_of

NAMES_ALONE, BRIEFLY, IN_FULL, SOME_DATA, ALL_DATA = range(1, 6)  # levels: what is printed of a packet; each adds to the one before
EXCERPT = 32  # bytes of a payload that SOME_DATA prints
PRINTABLE = bytes(c if 0x20 <= c <= 0x7E else ord(".") for c in range(256))
EDGE = "+--------+-------------------------+-------------------------+--------+--------+"


def data_lines(head: str, data: bytes, most: int | None) -> list[str]:
    """A payload as bytes and characters, eight a line; of more than `most` bytes only so many. head: in front of the first."""
    lines = []
    excerpt = data[:most]
    digits, characters = excerpt.hex(" ").upper(), excerpt.translate(PRINTABLE).decode("ascii")
    for at in range(0, len(excerpt), 8):
        left, right = digits[3 * at : 3 * at + 11], digits[3 * at + 12 : 3 * at + 23]
        lines.append(f"{head}{left:<11}  {right:<11} : {characters[at : at + 4]:<4} {characters[at + 4 : at + 8]:<4}")
        head = "\t\t\t: "
    if len(excerpt) < len(data):
        lines.append(head + "...")
    return lines


def box_lines(frame: bytes) -> list[str]:
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


def date_of(second: int) -> str:
    """A second as C has it, in local time; "" where the system knows none."""
    try:
        return ctime(second)
    except (OverflowError, OSError, ValueError):
        return ""


def trailer_lines(frame: bytes, original: int, link: int) -> list[str]:
    """The frame check sequence of a packet that has one, as far as it was captured; of Ethernet also whether it is right."""
    octets = fcs_of(link)
    if not octets:
        return []
    end = max(max(len(frame), original) - octets, 0)
    there = frame[end:]
    if len(there) < octets:
        return [f"FCS: {there.hex(' ').upper()}{' ' if there else ''}({'truncated' if there else 'not captured'})"]
    right = crc_of(frame[:end], link)
    verdict = "" if right is None else " (right)" if right == there else " (wrong)"
    return [f"FCS: {there.hex(' ').upper()}{verdict}"]


class Listing:
    """What is asked for; lines of packets."""

    def __init__(self, level: int, lowest: int, highest: int, dump: bool, more: bool, colours: tuple[str, ...] | None) -> None:
        self.level, self.lowest, self.highest, self.dump, self.more, self.colours = level, lowest, highest, dump, more, colours
        self.counts = {BAD: 0, LEFT: 0}  # checksums that were told of

    def paint(self, text: str, layer: int) -> str:
        """Text in the colour of a layer."""
        return f"\033[{self.colours[layer - 1]}m{text}\033[m" if self.colours else text

    def choose(self, packet: Telling) -> tuple[list[int], list[int]]:
        """The indexes of the headers that are there, without what is shown in the line of another one; and of those shown."""
        there: list[int] = []
        shown: list[int] = []
        link, at = self.level <= BRIEFLY, 0  # of these levels the link that the packet was captured on is left out
        while at < len(packet.headers):
            layer = shown_of(packet.headers[at].kind).layer
            if self.highest >= APPLICATION or layer < APPLICATION:  # what applications carry is data
                there.append(at)
                link = link and layer == LINK
                if not link and self.lowest <= layer <= self.highest:
                    shown.append(at)
            at += 1 + packet.tags_behind(at)
        return there, shown

    def header_lines(self, packet: Telling, index: int, first: int, count: int) -> list[str]:
        """Lines of a header, its title in front of the first. A line is left out where one of its fields is not there."""
        kind = shown_of(packet.headers[index].kind)
        told = (packet.tell(index, template) for template in range(first, first + count))
        lines = [line for line in told if line is not None]
        if lines and kind.title:
            lines[0] = self.paint(kind.title, kind.layer) + lines[0]
        return lines

    def payload(self, packet: Telling, index: int, there: list[int]) -> bytes:
        """What no deeper header claims; of a header without DATA, what lies behind its last field."""
        header = packet.headers[index]
        kind = shown_of(header.kind)
        inner = (packet.headers[other] for other in there if other != index)
        if kind.payload == NO_PAYLOAD or any(header.data <= other.start < header.end for other in inner):
            return b""
        return packet.frame[header.data if kind.payload == DATA_ALONE else header.start + kind.behind : header.end]

    def capture_lines(self, frame: bytes, original: int, time: int, link: int, notes: bytes) -> list[str]:
        """What the capture says of a packet: bytes, time, and extension lines."""
        seconds, nanoseconds = divmod(time, 1_000_000_000)
        size = f"{len(frame)}" if len(frame) == original else f"{len(frame)}/{original}"
        received = self.paint(f"received: {size} bytes    {seconds}{format_fraction(nanoseconds)} {date_of(seconds)}", CAPTURE)
        return [received, *trailer_lines(frame, original, link), *(printable(note) for note in notes.splitlines())]

    def lines(self, frame: bytes, packet: Telling, number: int, time: int, link: int, original: int, notes: bytes) -> list[str]:
        """The lines of a packet. frame: all of it; packet: without its frame check sequence."""
        there, shown = self.choose(packet)
        kinds = {index: shown_of(packet.headers[index].kind) for index in shown}
        mark, box = f"-- {number} --", box_lines(frame) if self.dump else []
        if self.level == NAMES_ALONE:
            titles = (f"{self.paint(kind.title, kind.layer)}:" for kind in kinds.values() if kind.title)
            return [f"{mark} {''.join(titles)}", *box]
        lines = [mark]
        if self.level == BRIEFLY:
            for index, kind in kinds.items():
                if kind.title and kind.brief >= 0:
                    lines += self.header_lines(packet, index, kind.brief, 1)
            return [*lines, *box]
        if self.lowest <= CAPTURE:
            lines += self.capture_lines(frame, original, time, link, notes)
        for index, kind in kinds.items():
            lines += self.header_lines(packet, index, kind.first, kind.templates)
        if self.level >= SOME_DATA:
            for index in reversed(shown):  # the innermost first: what is behind it in the packet belongs to outer ones
                carried = self.payload(packet, index, there)
                lines += data_lines(kinds[index].data, carried, EXCERPT if self.level == SOME_DATA else None)
        return [*lines, *box, "=="]


def listing_encode(
    data: bytearray,
    rows: bytes,
    first: int,
    number: int,
    level: int,
    lowest: int,
    highest: int,
    dump: bool,
    more: bool,
    colours: tuple[str, ...] | None,
) -> tuple[bytes, int, int, int]:
    """Packets for people to read, from `first` on, which is the `number`th; up to the first of another link type.

    level: NAMES_ALONE to ALL_DATA. lowest, highest: the layers that are shown, see ...protocols.showing; below APPLICATION what
    applications say is data. dump: whether the bytes of each frame follow. more: whether checksums left to the network card are
    called so where they stand. colours: SGR parameters, one a layer; None: there are none. Returns the text, up to where it goes,
    and how many checksums were shown that are wrong, and that are unfinished. Raises ValueError.
    """
    whole = checked(data, rows)
    count = len(whole) // COLUMNS
    if not 0 <= first <= count or not NAMES_ALONE <= level <= ALL_DATA:
        raise ValueError("first packet or level out of range")
    if colours is not None and not (isinstance(colours, tuple) and len(colours) == APPLICATION):
        raise TypeError("colours are a tuple of texts, one a layer")
    listing, bare = Listing(level, lowest, highest, dump, more, colours), without_fcs([*whole])
    text, stop = bytearray(), first
    while stop < count and whole[stop * COLUMNS + LINKTYPE] == whole[first * COLUMNS + LINKTYPE] and len(text) < MAX_BATCH:
        row, own = whole[stop * COLUMNS : (stop + 1) * COLUMNS], bare[stop * COLUMNS : (stop + 1) * COLUMNS]
        frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
        notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
        packet = Telling(frame[: own[CAPTURED]], own[ORIGINAL], own[LINKTYPE], more, listing.counts)
        lines = listing.lines(frame, packet, number, row[TIME], row[LINKTYPE], row[ORIGINAL], notes)
        text += "".join(f"{line}\n" for line in lines).encode()
        stop, number = stop + 1, number + 1
    return bytes(text), stop, listing.counts[BAD], listing.counts[LEFT]
