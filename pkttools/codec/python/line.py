"""Packets as lines; twin of ../c/line.c.

    NUMBER TIME SOURCE > DESTINATION PROTOCOL SIZE ...

A packet that carries another one is a line of several parts, `outer > inner`; what an error message quotes stands in brackets,
what is to be said beside in parentheses. Time is that of the day; the first line, and one whose day or zone is another than before,
has the date and the zone as well. Sizes are on the wire: of a transport with ports what it carries, of any other message all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack_into, unpack, unpack_from
from time import gmtime

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL, TIME
from ...protocols import _lines
from ...protocols.lining import APPLICATION, EXTENSION, KINDS, LINK, NETWORK, TAG
from ...protocols.shown import format_ipv6
from .. import BAD, LEFT
from .checksum import View
from .exceptions import datagram_said
from .headers import Header, Walk
from .protocols import carries_message, known
from .rows import checked, without_fcs
from .soundness import verdicts_of

ABSOLUTE, SINCE_FIRST, SINCE_BEFORE = range(3)
(CAPTURE_COLOUR, LINK_COLOUR, NETWORK_COLOUR, TRANSPORT_COLOUR, APPLICATION_COLOUR, WRONG_COLOUR, UNFINISHED_COLOUR) = range(1, 8)
COLOURS = {LINK: LINK_COLOUR, TAG: LINK_COLOUR, NETWORK: NETWORK_COLOUR, EXTENSION: NETWORK_COLOUR, APPLICATION: APPLICATION_COLOUR}
STATE = "7q"  # number, begun, first, before, day, quarter, offset
SECOND, DAY, QUARTER = 1_000_000_000, 86400, 900
MOST_TEXT = 1 << 20
End = tuple[int, int, int]  # bit, width, form


class Kind:
    """What is known of a kind of header."""

    def __init__(self, row: tuple[int, ...], titles: bytes) -> None:
        self.category = row[0]
        self.ends: tuple[End, End] = (row[1:4], row[4:7])  # type: ignore[assignment]  # three each
        self.title = titles[row[7] : row[7] + row[8]].decode()

    @property
    def has_ends(self) -> bool:
        """Whether it says between whom it goes."""
        return self.ends[0][1] > 0


class Kinds(dict[int, Kind]):
    """What is known of kinds of headers, by number."""

    def __missing__(self, number: int) -> Kind:
        rows, _, _, titles = _lines.LINES
        self[number] = Kind(unpack_from(f"{len(KINDS)}q", rows, number * len(KINDS) * 8), titles)
        return self[number]


KNOWN = Kinds()


def put_fraction(nanoseconds: int) -> str:
    """Microseconds, or nanoseconds where there are some."""
    return f".{nanoseconds:09}" if nanoseconds % 1000 else f".{nanoseconds // 1000:06}"


def difference(start: int, time: int) -> str:
    """The time from one to another, in seconds."""
    seconds, rest = divmod(abs(time - start), SECOND)
    return f"{'-' if time < start else ''}{seconds}{put_fraction(rest)}"


class Clock:
    """Writes times, one after the other."""

    def __init__(self, how: int, state: list[int], offset: Callable[[int], int] | None) -> None:
        self.how, self.local = how, offset
        self.begun, self.first, self.before, self.day, self.quarter, self.offset = state

    def text(self, time: int) -> str:
        """A time as it is written behind those before."""
        if not self.begun:
            self.first = self.before = time
        text = (
            self.absolute(time)
            if self.how == ABSOLUTE
            else difference(self.first if self.how == SINCE_FIRST else self.before, time)
        )
        self.begun, self.before = 1, time
        return text

    def absolute(self, time: int) -> str:
        """The time of the day; with the date and the zone, where these are other ones."""
        seconds, nanoseconds = divmod(time, SECOND)
        was = self.offset
        if self.local and (not self.begun or seconds // QUARTER != self.quarter):
            self.offset, self.quarter = self.local(seconds), seconds // QUARTER
        local = seconds + self.offset
        dated = not self.begun or local // DAY != self.day or self.offset != was
        self.day = local // DAY
        of = gmtime(local)
        text = f"{of.tm_hour:02}:{of.tm_min:02}:{of.tm_sec:02}{put_fraction(nanoseconds)}"
        if not dated:
            return text
        minutes = abs(self.offset) // 60
        zone = f"{'-' if self.offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}" if self.local else "Z"
        return f"{of.tm_year:04}-{of.tm_mon:02}-{of.tm_mday:02}T{text}{zone}"


class Level:
    """Headers that go from one to another together: those of a link, a network, a transport, an application.

    net, link, ports: the headers that say between whom; None: there is none.
    """

    def __init__(self, telling: Telling, start: int, stop: int) -> None:
        """The one that begins with a header: behind its network's header the next of a link or a network begins another one."""
        self.start, self.stop = start, stop
        self.net: int | None = None
        self.link: int | None = None
        self.ports: int | None = None
        for i in telling.seen(start, stop):
            kind = telling.kinds[i]
            if self.net is not None and kind.category in (LINK, NETWORK):
                self.stop = i
                break
            if not kind.has_ends:
                continue
            if kind.category == NETWORK:
                self.net = i
            elif kind.category == LINK:
                self.link = i
            elif self.net is not None and self.ports is None:
                self.ports = i


class Telling:
    """A packet that is being told."""

    def __init__(self, frame: bytes, original: int, linktype: int, colours: tuple[bytes, ...]) -> None:
        walk = Walk(frame, linktype)
        self.view = View(frame, original, linktype)
        self.verdicts = verdicts_of(View(frame, original, linktype, True))
        self.view.headers = walk.headers
        self.frame, self.headers = frame, walk.headers
        self.kinds = [KNOWN[header.kind] for header in self.headers]
        self.quote, self.resumed = walk.quoted, walk.resumed
        self.colours = colours

    def paint(self, text: str, colour: int) -> str:
        """Text in a colour, if it has one."""
        sgr = self.colours[colour].decode() if colour < len(self.colours) else ""
        return f"\033[{sgr}m{text}\033[m" if sgr else text

    def colour(self, i: int) -> int:
        """That of a header's layer."""
        return COLOURS.get(self.kinds[i].category, TRANSPORT_COLOUR)

    def quoted(self, i: int) -> bool:
        """Whether a header is of a packet that is quoted."""
        return self.quote <= i < self.resumed

    def seen(self, start: int, stop: int) -> list[int]:
        """Headers without those of a packet that is quoted in them."""
        inside = self.quoted(start)
        return [i for i in range(start, stop) if inside or not self.quoted(i)]

    def end(self, end: End, header: Header) -> str:
        """An address, or the number of a port."""
        bit, width, _ = end
        at = header.start + bit // 8
        octets = self.frame[at : at + width // 8]
        if not width or at + width // 8 > header.end:
            return ""
        if width == 48:
            return octets.hex(":")
        if width == 128:
            return format_ipv6(int.from_bytes(octets, "big"))
        return ".".join(map(str, octets)) if width == 32 else f".{int.from_bytes(octets, 'big')}"

    def ends(self, level: Level) -> str:
        """Between whom it goes."""
        of = level.link if level.net is None else level.net
        if of is None:
            return ""
        parts = [self.end(end, self.headers[of]) for end in self.kinds[of].ends]
        if level.net is not None and level.ports is not None:
            ports = self.kinds[level.ports].ends
            parts = [part + self.end(end, self.headers[level.ports]) for part, end in zip(parts, ports, strict=True)]
        return self.paint(" > ".join(parts), self.colour(of)) + " "

    def size(self, level: Level, spoken: int) -> int:
        """Bytes on the wire."""
        header = self.headers[spoken]
        if level.ports is not None:
            of = self.headers[level.ports]
            start = of.start + max(self.view.size(known().kinds[of.kind], of.start), 0)
            stop = of.end if of.end < len(self.frame) else self.view.wire_end(level.ports)
        elif spoken != level.net or not carries_message(header.kind):
            start = header.data if self.kinds[spoken].category in (LINK, TAG) else header.start
            stop = self.view.wire_end(spoken)
        else:
            last = spoken
            while last + 1 < level.stop and self.kinds[last + 1].category == EXTENSION:
                last += 1
            said = datagram_said(self.frame, header)
            start, stop = self.headers[last].data, header.start + said if said else self.view.wire_end(spoken)
        return max(stop - start, 0)

    def title(self, i: int) -> str:
        """What people call a header; of a part the one that it is of."""
        return next((self.kinds[k].title for k in range(i, -1, -1) if self.kinds[k].title), "")

    def speaks(self, level: Level, i: int) -> bool:
        """Whether a header speaks for its level: it lies behind what says where that goes."""
        kind = self.kinds[i]
        return bool(kind.title) and kind.category not in (LINK, TAG, EXTENSION) and (level.net is None or i > level.net)

    def speaker(self, level: Level) -> int:
        """The first header that speaks: a transport that has no more to say than its ports leaves that to what it carries."""
        found = [i for i in self.seen(level.start, level.stop) if self.speaks(level, i)]
        for i in found:
            if i != level.ports:
                return i
        if found:
            return found[-1]
        if level.net is not None:
            return level.net
        return next((i for i in range(level.stop - 1, level.start, -1) if self.kinds[i].title), level.start)

    def level(self, level: Level) -> str:
        """What there is to say of a level."""
        spoken = self.speaker(level)
        parts = [self.ends(level), self.paint(f"{self.title(spoken)} {self.size(level, spoken)}", self.colour(spoken))]
        if not self.quoted(level.start) and level.start <= self.quote < level.stop:
            parts.append(f" [{self.levels(self.quote, min(self.resumed, len(self.headers)))}]")
        for i in range(level.start, level.stop):
            if self.verdicts[i] == BAD:
                parts.append(" " + self.paint(f"(wrong {self.title(i)} checksum)", WRONG_COLOUR))
            elif self.verdicts[i] == LEFT:
                parts.append(" " + self.paint(f"(unfinished {self.title(i)} checksum)", UNFINISHED_COLOUR))
        return "".join(parts)

    def levels(self, start: int, stop: int) -> str:
        """What there is to say of headers: of each level, the outermost first."""
        text = ""
        while start < stop:
            level = Level(self, start, stop)
            text += self.level(level)
            start = level.stop
            if start < stop:
                beside = level.net is not None and self.headers[start].start >= self.headers[level.net].end
                text += " | " if beside else " > "
        return text


def line_encode(data: bytearray, rows: bytes, first: int, state: bytearray, time: int, colours: tuple[bytes, ...],
                offset: Callable[[int], int] | None) -> tuple[bytearray, int]:  # fmt: skip
    """Lines of packets from `first` on, up to a megabyte or so; and the packet behind the last one.

    state: STATE, zero at first, what follows from one packet to the next. time: ABSOLUTE, SINCE_FIRST or SINCE_BEFORE. colours:
    parameters of SGR, by COLOURS; none: without. offset: by how many seconds local time is ahead at a time; None: it is UTC. Raises
    ValueError.
    """
    values = checked(data, rows)
    if not (0 <= first <= len(values) // COLUMNS and ABSOLUTE <= time <= SINCE_BEFORE and len(state) == 56 and len(colours) <= 8):
        raise ValueError("first packet, state, time or colours out of range")
    number, *rest = unpack(STATE, state)
    clock = Clock(time, rest, offset)
    out = bytearray()
    stop = first
    for stop in range(first, len(values) // COLUMNS):
        if len(out) >= MOST_TEXT:
            break
        columns = without_fcs(values[stop * COLUMNS : (stop + 1) * COLUMNS])
        frame = bytes(data[columns[OFFSET] : columns[OFFSET] + columns[CAPTURED]])
        telling = Telling(frame, columns[ORIGINAL], columns[LINKTYPE], colours)
        number += 1
        line = telling.paint(f"{number} {clock.text(columns[TIME])}", CAPTURE_COLOUR)
        line += " " + telling.levels(0, len(telling.headers))
        if columns[ORIGINAL] > len(frame):
            line += f" ({len(frame)} of {columns[ORIGINAL]} captured)"
        out += line.encode() + b"\n"
    else:
        stop = len(values) // COLUMNS
    pack_into(STATE, state, 0, number, clock.begun, clock.first, clock.before, clock.day, clock.quarter, clock.offset)
    return out, stop
