"""What is said of packets that differ: to people, as JSON, and as a text that patch(1) takes."""

from __future__ import annotations

from .. import codec
from ..batch import COLUMNS, LINKTYPE, WIDTH, Batch, gathered
from ..command_line.colour import paint
from ..errors import visible
from ..protocols.fields import FIELDS, TABLE
from ..protocols.names import link_lines
from .differences import Difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..batch import Packet
    from .pairing import Found

    Write = Callable[[bytes], None]
OURS, THEIRS, TITLE = "31", "32", "1"  # colours of diff(1), and of a packet's line
CONTEXT = 3  # lines around a change, as far as the packet has them


def line_of(packet: Packet) -> str:
    """A packet as pkt-analyze --line has it."""
    from ..views.line import ABSOLUTE, STATE_SIZE, ahead

    batch = gathered((packet,))
    text, _ = codec.line_encode(batch.data, bytes(batch.rows), 0, bytearray(STATE_SIZE), ABSOLUTE, (), ahead, None)
    return bytes(text).decode().rstrip("\n").partition(" ")[2]  # without its number, which is 1 here


def word_of(one: Difference, value: int | bytes | None) -> str:
    """The name of a number, in parentheses, where its field has names."""
    names = TABLE[FIELDS[one.field][0]].names if isinstance(value, int) and one.field in FIELDS else None
    word = names.get(value) if names and isinstance(value, int) else None
    return f" ({word})" if word else ""


class People:
    """Lines for people."""

    def __init__(self, write: Write, names: tuple[str, str], colours: bool) -> None:
        self.write = write
        self.paint = paint if colours else lambda text, _: text
        self.head = f"{self.paint(f'--- A: {visible(names[0])}', OURS)}\n{self.paint(f'+++ B: {visible(names[1])}', THEIRS)}\n"

    def tell(self, found: Found) -> None:
        """Says what differs."""
        lines = [self.title(found), *(line for one in found.differences for line in self.lines(one))]
        self.write((self.head + "".join(f"{line}\n" for line in lines)).encode(errors="backslashreplace"))
        self.head = ""

    def title(self, found: Found) -> str:
        """The line above what differs, or of a packet that is only on one side."""
        packet = found.a or found.b
        line = line_of(packet) if packet else ""
        if found.b is None or found.a is None:
            side, number, colour = ("A", found.number_a, OURS) if found.a else ("B", found.number_b, THEIRS)
            again = f", again: as packet {found.again}" if found.again else ""
            return self.paint(f"packet {number} only in {side}{again}: {line}", colour)
        if found.number_a == found.number_b and not found.moved:
            return self.paint(f"packet {found.number_a}: {line}", TITLE)
        moved = ", in another order" if found.moved else ""
        return self.paint(f"packet {found.number_a} of A is packet {found.number_b} of B{moved}: {line}", TITLE)

    def lines(self, one: Difference) -> list[str]:
        """What a difference is, on a line where that is short."""
        name = f"  {one.name:<22} "
        place = f"  ({one.place})" if one.place else ""
        if one.a is None or one.b is None:
            side, value, colour = ("B", one.b, THEIRS) if one.a is None else ("A", one.a, OURS)
            return [f"{name}only in {side}: {self.paint(value or '', colour)}{place}"]
        a, b = (self.paint((text or "nothing") + word_of(one, value), colour)
                for text, value, colour in ((one.a, one.values[0], OURS), (one.b, one.values[1], THEIRS)))  # fmt: skip
        if len(one.a) + len(one.b) > 48:
            return [f"{name}{a}{place}", f"{'':25}{b}"]
        return [f"{name}{a} -> {b}{place}"]


class Json:
    """A line of JSON for each packet that differs."""

    def __init__(self, write: Write) -> None:
        self.write = write

    def tell(self, found: Found) -> None:
        """Says what differs."""
        from json import dumps, loads  # late: only here

        said: dict[str, object] = {"a": found.number_a, "b": found.number_b}
        if found.moved:
            said["moved"] = True
        if found.again:
            said["again"] = found.again
        only = found.a if found.b is None else found.b if found.a is None else None
        if only:
            batch = gathered((only,))
            text, _ = codec.json_encode(batch.data, bytes(batch.rows), 0, found.number_a or found.number_b or 1)
            said["packet"] = loads(bytes(text))
        else:
            said["differences"] = [self.one(difference) for difference in found.differences]
        self.write(dumps(said, separators=(",", ":")).encode() + b"\n")

    def one(self, one: Difference) -> dict[str, object]:
        """A difference: numbers as numbers, octets in hexadecimal, all of them."""
        said: dict[str, object] = {"field": one.field or None, "header": one.header or None, "occurrence": one.index}
        for side, text, value in (("a", one.a, one.values[0]), ("b", one.b, one.values[1])):
            number = isinstance(value, int) and text in (str(value), f"{value:#x}")
            said[side] = value if number else value.hex() if isinstance(value, bytes) and one.place else text
        if one.place:
            said["place"] = one.place
        return said


class Unified:
    """The edits that make the text of the first stream that of the second, as pkt-pcap2txt and all our commands write it.

    names: what stands in its head. The numbers of packets are those of the first one; where LINKTYPE changes for a packet of the
    second, it changes back behind it.
    """

    def __init__(self, write: Write, names: tuple[str, str]) -> None:
        self.write = write
        self.head = f"--- {visible(names[0])}\n+++ {visible(names[1])}\n".encode(errors="backslashreplace")
        self.line, self.behind = 0, 0  # lines of the first text so far; by how many more the second one has
        self.link: int | None = None  # what its last LINKTYPE line said

    def passed(self, batch: Batch, first: int, count: int) -> None:
        """Goes over packets of the first stream that are the same."""
        part = batch.part(first, first + count)
        links, stop = part.columns()[LINKTYPE::COLUMNS], 0
        while stop < count:
            self.change_link(links[stop])
            text, stop = codec.text_encode(part.data, part.rows, stop, 1, WIDTH, False, 0)
            self.line += bytes(text).count(b"\n")

    def change_link(self, link: int) -> None:
        """Goes over the line that says a link type, where there is one."""
        if link != self.link:
            self.line += len(link_lines(link))
            self.link = link

    def tell(self, found: Found) -> None:
        """Writes what becomes of a packet."""
        number = found.number_a or found.number_b or 1
        if found.a:
            self.change_link(found.a.linktype)
        old = self.text(found.a, number) if found.a else []
        new = self.text(found.b, number) if found.b else []
        if found.b and found.b.linktype != self.link:
            new = [*self.links(found.b.linktype), *new, *(self.links(self.link) if self.link is not None else [])]
        front = next((i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))
        most = min(len(old), len(new)) - front
        back = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
        around = min(CONTEXT, front, back)
        first, removed, added = front - around, len(old) - front - back + 2 * around, len(new) - front - back + 2 * around
        start, start_new = (self.line + first + bool(size) + by for size, by in ((removed, 0), (added, self.behind)))
        lines = [b" " + line for line in old[first:front]]
        lines += [b"-" + line for line in old[front : len(old) - back]] + [b"+" + line for line in new[front : len(new) - back]]
        lines += [b" " + line for line in old[len(old) - back :][:around]]
        self.write(self.head + f"@@ -{start},{removed} +{start_new},{added} @@\n".encode() + b"".join(lines))
        self.head = b""
        self.line += len(old)
        self.behind += len(new) - len(old)

    @staticmethod
    def text(packet: Packet, number: int) -> list[bytes]:
        """The lines of a packet."""
        batch = gathered((packet,))
        return bytes(codec.text_encode(batch.data, batch.rows, 0, number, WIDTH, False, 0)[0]).splitlines(keepends=True)

    @staticmethod
    def links(link: int) -> list[bytes]:
        """The lines that say a link type."""
        return [f"{line}\n".encode() for line in link_lines(link)]
