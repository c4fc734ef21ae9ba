"""Packets as messages between hosts, for the ladder: who says what to whom, and when. What a packet says is what --line prints."""

from __future__ import annotations

import re
from struct import unpack_from
from time import ctime

from .. import codec
from ..batch import TIME, Batch
from ..protocols import _lines
from ..protocols.lining import KINDS, LINK, NETWORK
from ..protocols.shown import format_address, format_seconds
from .line import SINCE_FIRST, LineSink

MOST = 1000  # packets that are drawn where -l does not say how many
NOBODY = "(no address)"
PORT = 16  # bits; ends of more are addresses
PIECES = tuple(b"%d" % number for number in range(8))  # instead of colours, to tell the pieces of a line apart
MARKED = re.compile(r"\x1b\[(?P<colour>[0-9])m(?P<text>[^\x1b]*)\x1b\[m")

Place = tuple[int, int, int, int]  # a header: its kind, where it starts, where its data begin, where they end


class Kept:
    """Takes what a sink writes to its output, and keeps it."""

    def __init__(self) -> None:
        self.text = bytearray()

    def write(self, data: bytes | bytearray, *_: object) -> None:
        """Takes some of it."""
        self.text += data


class Message:
    """A packet between hosts.

    number: of the packet. time: nanoseconds since 1970. source, target: names of hosts; no target: nobody is named. to_all: it is
    for a group, whose address is `target`. layer: of what it says, by protocols/showing.py. label: what it is, and says, in short;
    says: all of it.
    """

    __slots__ = ("label", "layer", "number", "says", "source", "target", "time", "to_all")

    def __init__(self, number: int, packet: Batch, line: str) -> None:
        """packet: a batch of it alone. line: the same as a line, its pieces marked."""
        self.number = number
        self.time = packet.columns()[TIME]
        ends = Ends(bytes(packet.frame(0)), codec.walk(packet.data, packet.rows, True))
        self.source, self.target, self.to_all = ends.source, ends.target, ends.to_all
        self.layer, self.label, self.says = said(line, ends.ports)


class Ends:
    """Whom a packet goes between: outermost network addresses, else those of the link; whether it is for a group; and ports."""

    def __init__(self, frame: bytes, places: list[Place]) -> None:
        self.source = self.target = self.ports = ""
        self.to_all = network = False
        for kind, start, _, end in places:
            category, *columns = unpack_from("7q", _lines.LINES[0], kind * 8 * len(KINDS))
            ends = [(columns[at], columns[at + 1]) for at in (0, 3) if columns[at + 1]]  # bit and width
            if network and category in (LINK, NETWORK):  # another packet
                break
            if not ends:
                continue
            octets = [frame[start + bit // 8 : min(start + (bit + width) // 8, end)] for bit, width in ends]
            whole = [part if 8 * len(part) == width else b"" for part, (_, width) in zip(octets, ends, strict=True)]
            if ends[0][1] > PORT:
                self.source = address(whole[0]) or self.source
                self.target = address(b"".join(whole[1:])) or self.target
                self.to_all = self.to_all or is_group(b"".join(whole[1:]))
                network = category == NETWORK
            elif network and not self.ports and all(whole):
                self.ports = ">".join(str(int.from_bytes(port, "big")) for port in whole)
        self.source = self.source or NOBODY


def is_group(address: bytes) -> bool:
    """Whether an address is of more than one host: RFC 1112 section 4, RFC 919, RFC 4291 section 2.7, IEEE 802."""
    if len(address) == 4:
        return 224 <= address[0] < 240 or address == b"\xff" * 4
    return bool(address) and (address[0] == 0xFF if len(address) == 16 else bool(address[0] & 1))


def address(octets: bytes) -> str:
    """An address as text; of those who have none yet, empty."""
    if not any(octets):
        return ""
    return format_address(octets) if len(octets) in (4, 16) else octets.hex(":")


def said(line: str, ports: str) -> tuple[int, str, str]:
    """Of what a line says without number, time and addresses: the layer, that in short, and all.

    The size is only said where nothing else is. In short, an application that speaks leaves out what carries it, and what is in a
    tunnel between whom it goes.
    """
    pieces = list(MARKED.finditer(line))
    at = 2 if len(pieces) > 2 and " > " in pieces[1]["text"] else 1
    what = pieces[at]
    layer, name = int(what["colour"]), titled(what) + (f" {ports}" if ports else "")
    if not line[what.end() :]:
        sized = f"{name} {what['text'].rpartition(' ')[2]} bytes"
        return layer, sized, sized
    short, begun, end, skipped = name, 0, what.end(), False  # begun: where in `short` the innermost packet begins
    for piece in pieces[at + 1 :]:
        before, end = line[end : piece.start()], piece.end()
        if skipped:  # the blank behind addresses
            short, skipped = short + titled(piece), False
        elif before.endswith(" > "):
            short += before
            begun, skipped = len(short), " > " in piece["text"]
            short += "" if skipped else titled(piece)
        elif before.endswith(": ") and not piece["text"].startswith("("):  # no address that ends with a colon, and an aside
            short = short[:begun] + piece["text"] + (f" {ports}" if ports and not begun else "")
            layer = layer if begun else int(piece["colour"])
        else:
            short += before + piece["text"]
    return layer, short + line[end:], name + plain(line[what.end() :])


def titled(piece: re.Match[str]) -> str:
    """The title in a piece, without the size."""
    return piece["text"].rpartition(" ")[0]


def plain(text: str) -> str:
    """Text without its marks."""
    return MARKED.sub(r"\g<text>", text)


class Sequence:
    """Messages in their order, the first MOST, or as many as are asked for; and how many more there were.

    hosts: names, in order of appearance.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.more = most, 0
        self.messages: list[Message] = []
        self.hosts: list[str] = []
        self.lines = Kept()
        self.sink = LineSink(self.lines, SINCE_FIRST, True, PIECES)  # type: ignore[arg-type]  # as good as an output

    def add(self, batch: Batch) -> None:
        """Takes the packets of a batch."""
        drawn = min(len(batch), self.most - len(self.messages))
        self.more += len(batch) - drawn
        self.sink.write(batch.part(0, drawn))
        lines = self.lines.text.decode().split("\n")  # what protocols of one's own say may be any text
        self.lines.text.clear()
        for i in range(drawn):
            number = len(self.messages) + 1 if batch.numbers is None else batch.numbers[i]
            message = Message(number, batch.part(i, i + 1), lines[i])
            self.messages.append(message)
            for name in (message.source, "" if message.to_all else message.target):
                if name and name not in self.hosts:
                    self.hosts.append(name)

    def times(self) -> list[str]:
        """The times of the messages: seconds since the first one, with nine digits behind the point where one needs them."""
        first = self.messages[0].time if self.messages else 0
        since = [message.time - first for message in self.messages]
        digits = 9 if any(time % 1000 for time in since) else 6
        return [format_seconds(time, digits) for time in since]

    def begins(self) -> str:
        """When the first message was, as the text format has it."""
        if not self.messages:
            return "no packets"
        first = self.messages[0].time
        return f"seconds since {format_seconds(first)} {ctime(first // 10**9)}"

    def undrawn(self) -> list[str]:
        """What there is to say of packets that are not drawn."""
        drawn = len(self.messages)
        return [f"{self.more} more packets are not drawn: {drawn} are, -l says how many"] if self.more else []
