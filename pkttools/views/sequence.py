"""Packets as messages between hosts, for the ladder: who says what to whom, and when."""

from __future__ import annotations

from array import array
from time import ctime

from .. import codec
from ..batch import NOTES, NOTES_SIZE, OFFSET, TIME, Batch
from ..protocols.fields import BY_HEADER, IPV4, IPV6, MAC, Row
from ..protocols.layouts import LAYOUT, LINK
from ..protocols.shown import format_value, read_field

MOST = 1000  # packets that are drawn where -l does not say how many
ENDS = (("SRC_ADDR", "DST_ADDR"), ("SENDER_IPADDR", "TARGET_IPADDR"), ("SRC_PORT", "DST_PORT"))
NOWHERE = {MAC: (0,), IPV4: (0,), IPV6: (0,)}  # addresses of those who have none yet
NOBODY = "(no address)"

Place = tuple[int, int, int, int]  # a header: its kind, where it starts, where its data begin, where they end


def is_group(row: Row, value: int) -> bool:
    """Whether an address is of more than one host: RFC 1112 section 4, RFC 919, RFC 4291 section 2.7, IEEE 802."""
    if row.kind == MAC:
        return bool(value >> 40 & 1)
    return value >> 120 == 0xFF if row.kind == IPV6 else value >> 28 == 0xE or value == 0xFFFFFFFF


class Message:
    """A packet between hosts.

    number: of the packet. time: nanoseconds since 1970. source, target: names of hosts; no target: nobody is named. to_all: it is
    for a group, whose address is `target`. layer: of the innermost header. label: what it is, and says.
    """

    __slots__ = ("label", "layer", "number", "source", "target", "time", "to_all")

    def __init__(self, number: int, frame: memoryview, row: bytes) -> None:
        """row: of the frame, which begins at 0. Its time is in it."""
        self.number = number
        self.time = array("q", row)[TIME]
        places = codec.walk(frame, row, True)
        self.source, self.target, self.to_all = between(frame, places)
        self.layer, self.label = said(frame, places)
        if self.to_all:
            self.label += f" to {self.target}"


def field(frame: memoryview, place: Place, name: str) -> tuple[Row, int] | None:
    """A field of a header by its short name, if it is there and a number."""
    kind, start, data, end = place
    row = next((row for row in BY_HEADER[kind] if row.name.partition(".")[2] == name), None)
    value = read_field(row, frame, start, data, end) if row else None  # type: ignore[arg-type]  # a view is as good
    return (row, value) if row and isinstance(value, int) else None


def between(frame: memoryview, places: list[Place]) -> tuple[str, str, bool]:
    """Whom a packet goes between: outermost network addresses, else those of the link; and whether it is for a group."""
    found: list[tuple[str, str]] = []
    to_all = False
    for place in places:
        pair = next((ends for names in ENDS[:2] if any(ends := [field(frame, place, name) for name in names])), None)
        if not pair:
            continue
        names = ["" if not end or end[1] in NOWHERE.get(end[0].kind, ()) else format_value(*end) for end in pair]
        to = pair[1]
        to_all = to_all or (to is not None and is_group(*to))
        found.insert(0, (names[0], names[1]))
        if LAYOUT[place[0]].layer > LINK:
            break
    source = next((source for source, _ in found if source), NOBODY)
    target = next((target for _, target in found if target), "")
    return source, target, to_all


def said(frame: memoryview, places: list[Place]) -> tuple[int, str]:
    """The layer of the innermost header, and what it is: its protocol, ports, flags, the name of its type."""
    titled = [place for place in places if LAYOUT[place[0]].title]
    if not titled:
        return 1, f"{len(frame)} bytes"
    place = titled[-1]
    layout = LAYOUT[place[0]]
    words = [layout.title]
    ports = next((ports for at in reversed(titled) if all(ports := [field(frame, at, name) for name in ENDS[2]])), None)
    if ports:
        words.append(">".join(str(port[1]) for port in ports if port))
    words += [flag for flag in layout.flags if (found := field(frame, place, flag)) and found[1]]
    for name in ("TYPE", "OPERATION"):
        found = field(frame, place, name)
        if found and found[0].names and layout.layer > LINK:
            words.append(found[0].names.get(found[1], str(found[1])))
    return layout.layer, " ".join(words)


def seconds(time: int, digits: int = 0) -> str:
    """Nanoseconds as seconds, with so many digits behind the point; else with six, or nine where it needs them."""
    digits = digits or (9 if time % 1000 else 6)
    return f"{'-' * (time < 0)}{abs(time) // 10**9}.{abs(time) % 10**9 // 10 ** (9 - digits):0{digits}}"


class Sequence:
    """Messages in their order, the first MOST, or as many as are asked for; and how many more there were.

    hosts: names, in order of appearance.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.more = most, 0
        self.messages: list[Message] = []
        self.hosts: list[str] = []

    def add(self, batch: Batch) -> None:
        """Takes the packets of a batch."""
        drawn = min(len(batch), self.most - len(self.messages))
        self.more += len(batch) - drawn
        for i in range(drawn):
            columns = array("q", batch.part(i, i + 1).rows)
            columns[OFFSET] = columns[NOTES] = columns[NOTES_SIZE] = 0
            message = Message(len(self.messages) + 1, batch.frame(i), columns.tobytes())
            self.messages.append(message)
            for name in (message.source, "" if message.to_all else message.target):
                if name and name not in self.hosts:
                    self.hosts.append(name)

    def times(self) -> list[str]:
        """The times of the messages: seconds since the first one, with nine digits behind the point where one needs them."""
        first = self.messages[0].time if self.messages else 0
        since = [message.time - first for message in self.messages]
        digits = 9 if any(time % 1000 for time in since) else 6
        return [seconds(time, digits) for time in since]

    def begins(self) -> str:
        """When the first message was, as the text format has it."""
        if not self.messages:
            return "no packets"
        seconds, rest = divmod(self.messages[0].time, 10**9)
        return f"seconds since {seconds}.{f'{rest:09}' if rest % 1000 else f'{rest // 1000:06}'} {ctime(seconds)}"

    def undrawn(self) -> list[str]:
        """What there is to say of packets that are not drawn."""
        drawn = len(self.messages)
        return [f"{self.more} more packets are not drawn: {drawn} are, -l says how many"] if self.more else []
