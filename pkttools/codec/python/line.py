"""Packets as lines; twin of ../c/line.c.

    NUMBER TIME SOURCE > DESTINATION PROTOCOL SIZE ...

A packet that carries another one is a line of several parts, `outer > inner`; what an error message quotes stands in brackets,
what is to be said beside in parentheses. Time is that of the day; the first line, and one whose day or zone is another than before,
has the date and the zone as well. Sizes are on the wire: of a transport with ports what it carries, of any other message all of it.
"""

from __future__ import annotations

from functools import cache
from struct import iter_unpack, pack_into, unpack
from time import gmtime

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL, TIME
from ...protocols import _lines
from ...protocols.lining import APPLICATION, EXTENSION, KINDS, LINES, LINK, NETWORK, TAG, TESTS
from ...protocols.shown import format_address, format_fraction, format_seconds
from ...protocols.walking import DATAGRAM_4, FIRST_ITEM, FRAGMENT_HEADER, SEGMENTS
from .. import BAD, LEFT, NONE
from .checksum import View
from .connections import (
    D_SACK,
    DUPLICATE_ACK,
    EARLIER,
    FAST_OPEN,
    FILLS,
    GAP,
    KEEP_ALIVE,
    OUTSIDE,
    PROBE,
    REPEATED,
    SEGMENT,
    SIMULTANEOUS,
    UNSEEN,
    Segment,
)
from .conversations import Conversations
from .exceptions import datagram_said, fragment_offset
from .headers import MAX_HEADERS, Header, Walk
from .messages import tell
from .protocols import carries_message, exception, known
from .rows import checked, numbering, without_fcs
from .templates import Telling, shown_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .rows import Buffer

ABSOLUTE, SINCE_FIRST, SINCE_BEFORE = range(3)
(CAPTURE_COLOUR, LINK_COLOUR, NETWORK_COLOUR, TRANSPORT_COLOUR, APPLICATION_COLOUR, WRONG_COLOUR, UNFINISHED_COLOUR) = range(1, 8)
COLOURS = {LINK: LINK_COLOUR, TAG: LINK_COLOUR, NETWORK: NETWORK_COLOUR, EXTENSION: NETWORK_COLOUR, APPLICATION: APPLICATION_COLOUR}
STATE = "Q6q"  # number, begun, first, before, day, quarter, offset
SECOND, DAY, QUARTER = 1_000_000_000, 86400, 900
MOST_TEXT = 1 << 20
SEEN = (  # of a connection: words, and what counts octets
    (SIMULTANEOUS, "simultaneous open", ""),
    (FAST_OPEN, "fast open", ""),
    (KEEP_ALIVE, "keep-alive", ""),
    (PROBE, "window probe", ""),
    (DUPLICATE_ACK, "duplicate ack", ""),
    (D_SACK, "octets arrived twice", ""),
    (OUTSIDE, "outside of any window", ""),
    (EARLIER, "earlier than what was seen", ""),
    (REPEATED, "seen before: ", "repeated"),
    (FILLS, "fills a gap: ", "filled"),
    (GAP, "not seen before it: ", "gap"),
    (UNSEEN, "acknowledged, not seen: ", "unseen"),
)
Ints = tuple[int, ...]


class Kind:
    """What is known of a kind of header."""

    def __init__(self, row: Ints, lines: list[Ints], tests: list[Ints]) -> None:
        self.category = row[0]
        self.ends: tuple[Ints, Ints] = row[1:4], row[4:7]  # bit, width, form
        self.listed = bool(row[7])  # whether items of its lists say something, too
        # aside, reader, and tests, of what it says
        self.lines = [(aside, reader, tests[test : test + count]) for aside, reader, test, count in lines[row[8] : row[8] + row[9]]]

    @property
    def has_ends(self) -> bool:
        """Whether it says between whom it goes."""
        return self.ends[0][1] > 0


@cache
def known_kinds() -> tuple[list[Kind], list[Kind]]:
    """What is known of all of them, and of items."""
    tables = zip((KINDS, KINDS, LINES, TESTS), _lines.LINES, strict=True)
    headers, items, lines, tests = ([*iter_unpack(f"{len(columns)}q", table)] for columns, table in tables)
    return [Kind(row, lines, tests) for row in headers], [Kind(row, lines, tests) for row in items]


def difference(start: int, time: int) -> str:
    """The time from one to another, in seconds."""
    return format_seconds(time - start)


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
        text = f"{of.tm_hour:02}:{of.tm_min:02}:{of.tm_sec:02}{format_fraction(nanoseconds)}"
        if not dated:
            return text
        minutes = abs(self.offset) // 60
        zone = f"{'-' if self.offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}" if self.local else "Z"
        return f"{of.tm_year:04}-{of.tm_mon:02}-{of.tm_mday:02}T{text}{zone}"


class Level:
    """Headers that go from one to another together: those of a link, a network, a transport, an application.

    net, link, ports: the headers that say between whom; None: there is none.
    """

    def __init__(self, teller: Teller, start: int, stop: int) -> None:
        """The one that begins with a header: behind its network's header the next of a link or a network begins another one."""
        self.start, self.stop = start, stop
        self.net: int | None = None
        self.link: int | None = None
        self.ports: int | None = None
        for i in teller.seen(start, stop):
            kind = teller.kinds[i]
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


class Teller:
    """A packet that is being told."""

    def __init__(
        self, frame: bytes, original: int, linktype: int, time: int, colours: tuple[bytes, ...], table: Conversations | None
    ) -> None:
        self.frame = frame
        self.told = Telling(frame, original, linktype, False, {})
        self.view = View(frame, original, linktype, True)
        walk = self.told.walk
        follows = any(exception(header.kind) == SEGMENTS for header in walk.own())  # of others nothing is to be said
        segment = table.converse(self.view, original, time).segment if table and follows else None
        self.segment = segment if segment and segment.what & SEGMENT else None
        self.view.headers = walk.headers
        if whole := self.whole(walk):
            self.told.verdicts += [NONE] * MAX_HEADERS  # those of the fragment as it is
            self.told.walk = walk = Walk(whole, linktype)
            self.view.headers = self.told.headers = walk.headers
        self.headers, self.colours = self.told.headers, colours
        self.kinds = [known_kinds()[0][header.kind] for header in self.headers]
        self.titles = [shown_of(header.kind).title for header in self.headers]
        self.quote, self.resumed = walk.quoted, walk.resumed

    def whole(self, walk: Walk) -> bytes | None:
        """The first fragment of a datagram as if it was all of it: it begins as that does. None: it is none."""
        last = walk.headers[-1]
        kind, number = exception(last.kind), len(walk.headers) - 1
        whole = known().kinds[last.kind].whole
        if kind not in (DATAGRAM_4, FRAGMENT_HEADER) or self.view.hold(whole, last.start, last.start):
            return None
        i = next((i for i in range(number, -1, -1) if carries_message(walk.headers[i].kind)), 0)
        if walk.quoted <= i < walk.resumed or fragment_offset(self.view, i):
            return None
        at = last.start + (6 if kind == DATAGRAM_4 else 2)
        return self.frame[:at] + bytes(2) + self.frame[at + 2 :]

    def paint(self, text: str, colour: int) -> str:
        """Text in a colour, if it has one."""
        sgr = self.colours[colour].decode() if colour < len(self.colours) else ""
        return f"\033[{sgr}m{text}\033[m" if sgr else text

    def colour(self, i: int) -> int:
        """That of a header's layer."""
        return COLOURS.get(self.kinds[i].category, TRANSPORT_COLOUR)

    def title(self, i: int) -> str:
        """What people call a header; of a part the one that it is of."""
        return next((self.titles[k] for k in range(i, -1, -1) if self.titles[k]), "")

    def quoted(self, i: int) -> bool:
        """Whether a header is of a packet that is quoted."""
        return self.quote <= i < self.resumed

    def seen(self, start: int, stop: int) -> list[int]:
        """Headers without those of a packet that is quoted in them."""
        inside = self.quoted(start)
        return [i for i in range(start, stop) if inside or not self.quoted(i)]

    # ---- addresses and sizes ----

    def end(self, end: Ints, header: Header) -> str:
        """An address, or the number of a port."""
        bit, width, _ = end
        at = header.start + bit // 8
        octets = self.frame[at : at + width // 8]
        if not width or at + width // 8 > header.end:
            return ""
        if width == 48:
            return octets.hex(":")
        return format_address(octets) if width in (32, 128) else f".{int.from_bytes(octets, 'big')}"

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

    def payload(self, ports: int) -> tuple[int, int]:
        """Where what a transport with ports carries begins, and where it ends on the wire."""
        header = self.headers[ports]
        size = self.view.size(known().kinds[header.kind], header.start)
        return header.start + max(size, 0), header.end if header.end < len(self.frame) else self.view.wire_end(ports)

    def size(self, level: Level, spoken: int) -> int:
        """Bytes on the wire: of a transport with ports what it carries, of any other message all of it."""
        header = self.headers[spoken]
        if level.ports is not None:
            start, stop = self.payload(level.ports)
        elif spoken != level.net or not carries_message(header.kind):
            start = header.data if self.kinds[spoken].category in (LINK, TAG) else header.start
            stop = self.view.wire_end(spoken)
        else:
            last = self.last_extension(level, spoken)
            said = datagram_said(self.frame, header)
            start = header.data if last == spoken else self.headers[last].end
            stop = header.start + said if said else self.view.wire_end(spoken)
        return max(stop - start, 0)

    def last_extension(self, level: Level, i: int) -> int:
        """The last extension header of a datagram, which says what it carries; without any, its header."""
        while i + 1 < level.stop and self.kinds[i + 1].category == EXTENSION:
            i += 1
        return i

    # ---- what headers say ----

    def holds(self, header: Header, tests: list[Ints]) -> bool:
        """Whether all tests of a line hold."""
        for bit, width, mask, comparison, value, other in tests:
            if header.start * 8 + max(bit, other) + width > header.end * 8:
                return False
            found = self.bits(header, bit, width) & mask
            wanted = self.bits(header, other, width) if other >= 0 else value
            if not (found == wanted, found != wanted, found < wanted, found >= wanted)[comparison]:
                return False
        return True

    def bits(self, header: Header, bit: int, width: int) -> int:
        """A number in a header."""
        last = bit + width
        octets = self.frame[header.start + bit // 8 : header.start + (last + 7) // 8]
        return int.from_bytes(octets, "big") >> -last % 8 & (1 << width) - 1

    def read(self, level: Level, i: int, reader: int) -> str:
        """What is read of a message: of a transport's own what it carries, where no header was found in that."""
        at, end = self.headers[i].start, len(self.frame)
        if level.ports is not None:
            payload, end = self.payload(level.ports)
            end = min(end, len(self.frame))
            if i == level.ports:
                if i + 1 < level.stop:
                    return ""
                at = payload
        text = (tell(reader, bytearray(self.frame), at, end) or b"").decode("ascii") if at < end else ""
        return text.removeprefix(f"{self.title(i)} ")  # which stands in front already

    def said(self, level: Level, i: int, before: bool) -> tuple[str, bool]:
        """What a header says, with commas between, and whether that is of all behind it, too. before: something was said."""
        text, listed = "", self.kinds[i].listed
        first = shown_of(self.headers[i].kind).first_line
        for number, (aside, reader, tests) in enumerate(self.kinds[i].lines):
            if reader >= 0 and listed:  # items come in front of what is read
                text += self.items(i, before or bool(text))
                listed = False
            if aside or not self.holds(self.headers[i], tests):
                continue
            more = before or bool(text)
            if reader >= 0:
                found = self.read(level, i, reader)
                if found:
                    return f"{text}{(': ' if i == level.ports else ', ') if more else ' '}{found}", True
                continue
            told = self.told.tell(i, first + number)
            if told is not None:
                text += (", " if more else " ") + told
        if listed:
            text += self.items(i, before or bool(text))
        return text, False

    def items(self, i: int, before: bool) -> str:
        """What the items of a header's lists say."""
        text = ""
        for of, item in self.told.items:
            if of != i:
                continue
            first = shown_of(item.kind).first_line
            for number, (aside, _, tests) in enumerate(known_kinds()[1][item.kind - FIRST_ITEM].lines):
                told = self.told.tell(i, first + number, item) if not aside and self.holds(item, tests) else None
                if told is not None:
                    text += (", " if before or text else " ") + told
        return text

    def asides(self, i: int) -> str:
        """The same in parentheses, each for itself: what is said aside, and of checksums."""
        text = ""
        first = shown_of(self.headers[i].kind).first_line
        for number, (aside, _, tests) in enumerate(self.kinds[i].lines):
            told = self.told.tell(i, first + number) if aside and self.holds(self.headers[i], tests) else None
            if told is not None:
                text += " " + self.paint(f"({told})", self.colour(i))
        title = self.title(i)
        if self.told.verdicts[i] == BAD:
            text += " " + self.paint(f"(wrong {title} checksum)", WRONG_COLOUR)
        elif self.told.verdicts[i] == LEFT:
            text += " " + self.paint(f"(unfinished {title} checksum)", UNFINISHED_COLOUR)
        return text

    # ---- levels ----

    def begins(self, i: int, title: str) -> bool:
        """Whether a header begins a piece of what is said: others are parts of the one in front, or go on under its title."""
        if self.titles[i] and self.titles[i] == title:
            return False
        return bool(self.titles[i]) or any(reader >= 0 for _, reader, _ in self.kinds[i].lines)

    def speaks(self, level: Level, i: int) -> bool:
        """Whether a header speaks for its level: it lies behind what says where that goes, or nothing else does."""
        return self.kinds[i].category not in (LINK, TAG, EXTENSION) and (level.net is None or i > level.net)

    def header(self, level: Level, order: list[int], heads: bool) -> tuple[str, bool, bool]:
        """Title, size and what it says of the first header of `order`, and of its parts, which are taken out of that.

        heads: whether it is the first of the level. Gives the text, whether it says anything, and whether that is of all behind it.
        """
        i = order[0]
        titles = (self.titles[k] for k in range(i, level.stop) if self.titles[k])  # a part may be in front of what it is of
        title = next(titles, "")
        text = title + (f" {self.size(level, i)}" if heads else "")
        said, everything = "", False
        while order and not everything and (order[0] == i or (not self.begins(order[0], title) and self.speaks(level, order[0]))):
            which = order.pop(0)
            by = self.last_extension(level, which) if which == level.net else which
            more, everything = self.said(level, by, bool(said))
            if not more and by != which:
                more, everything = self.said(level, which, bool(said))
            said += more
        return ("" if heads else ": ") + self.paint(text, self.colour(i)) + said, bool(said), everything

    def level(self, level: Level) -> str:
        """What there is to say of a level."""
        seen = self.seen(level.start, level.stop)
        count = len(self.headers)
        ends = level.stop == count or (self.quote < level.stop and min(self.resumed, count) == count)
        innermost = ends and not self.quoted(level.start)
        self.told.segment = self.segment if innermost else None
        text, everything = "", False
        order = [*seen]
        while order and not everything:
            i = order[0]
            if not self.speaks(level, i):
                del order[0]
                continue
            part, said, everything = self.header(level, order, not text)
            if i != level.ports or said or not any(self.speaks(level, k) for k in order):  # else what it carries speaks
                text += part
        if not text:
            last = next((k for k in range(level.stop - 1, level.start, -1) if self.titles[k]), level.start)
            text = self.header(level, [last if level.net is None else level.net], True)[0]
        text = self.ends(level) + text
        if not self.quoted(level.start) and level.start <= self.quote < level.stop:
            text += f" [{self.levels(self.quote, min(self.resumed, len(self.headers)))}]"
        text += "".join(map(self.asides, seen))
        return text + self.connection(self.segment) if innermost and self.segment else text

    def connection(self, segment: Segment) -> str:
        """What was seen of the connection, in parentheses."""
        words = (word + (str(getattr(segment, octets)) if octets else "") for what, word, octets in SEEN if segment.what & what)
        return "".join(" " + self.paint(f"({word})", TRANSPORT_COLOUR) for word in words)

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
                offset: Callable[[int], int] | None, table: object | None,
                numbers: Buffer | None = None) -> tuple[bytearray, int]:  # fmt: skip
    """Lines of packets from `first` on, up to a megabyte or so; and the packet behind the last one.

    state: STATE, zero at first, what follows from one packet to the next. time: ABSOLUTE, SINCE_FIRST or SINCE_BEFORE. colours:
    parameters of SGR, by COLOURS; none: without. offset: by how many seconds local time is ahead at a time; None: it is UTC. table:
    of conversations, for numbers that count from where a connection began; None: they are as they stand. numbers: of all packets of
    the batch, 8 bytes each; None: they go on from one to the next. Raises ValueError.
    """
    values = checked(data, rows)
    if table is not None and not isinstance(table, Conversations):
        raise TypeError("no table of conversations")
    if not (0 <= first <= len(values) // COLUMNS and ABSOLUTE <= time <= SINCE_BEFORE and len(state) == 56 and len(colours) <= 8):
        raise ValueError("first packet, state, time or colours out of range")
    each = None if numbers is None else numbering(numbers, first, len(values) // COLUMNS)
    number, *rest = unpack(STATE, state)
    clock = Clock(time, rest, offset)
    out = bytearray()
    stop = first
    for stop in range(first, len(values) // COLUMNS):
        if len(out) >= MOST_TEXT:
            break
        columns = without_fcs(values[stop * COLUMNS : (stop + 1) * COLUMNS])
        frame = bytes(data[columns[OFFSET] : columns[OFFSET] + columns[CAPTURED]])
        teller = Teller(frame, columns[ORIGINAL], columns[LINKTYPE], columns[TIME], colours, table)
        number = (number + 1 if each is None else each[stop]) % (1 << 64)
        line = teller.paint(f"{number} {clock.text(columns[TIME])}", CAPTURE_COLOUR)
        line += " " + teller.levels(0, len(teller.headers))
        if columns[ORIGINAL] > len(frame):
            line += f" ({len(frame)} of {columns[ORIGINAL]} captured)"
        out += line.encode() + b"\n"
    else:
        stop = len(values) // COLUMNS
    pack_into(STATE, state, 0, number, clock.begun, clock.first, clock.before, clock.day, clock.quarter, clock.offset)
    return out, stop
