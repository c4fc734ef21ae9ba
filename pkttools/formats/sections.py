"""What sections of pcapng say beside their packets, on its way from what is read to what is written.

A reader puts down what a section says, in its order; each sink writes it, from where it has got to. So what stands in front of a
packet is in front of it again, as far as no stage holds packets back, and a file that is begun in the middle, as each of a split
is, begins with all that holds there: interfaces, names, secrets. Which interface a packet was read from is said by a line of
its notes that only the writer of pcapng reads; only where both ends are pcapng there are such lines.
"""

from __future__ import annotations

NAMES, STATISTICS, JOURNAL, SECRETS, CUSTOM, COMMENT = 4, 5, 9, 10, 0xBAD, 1  # kinds of blocks beside packets; an option
LEAST_STATISTICS = 24  # bytes of such a block
MAX_KNOWN = 1 << 18  # interfaces that are known at a time: packets that were held back for so long are of no section
LASTING = (NAMES, SECRETS)  # blocks that hold for all packets behind them, in whichever file
PASSING = (JOURNAL, CUSTOM)  # those that speak of nothing that could change

MAX_WAITING = 1 << 20  # bytes of blocks that wait for a packet to be written

Options = list[tuple[int, bytes]]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def nothing() -> None:
    """Does nothing."""


class Interface:
    """An interface of a section.

    number: among all that are known. link: see batch.link_of. resolution: if_tsresol. offset: if_tsoffset, in seconds.
    line: the line IFACE of its packets. options: those of its description but resolution and offset of times.
    """

    __slots__ = ("line", "link", "number", "offset", "options", "resolution", "section", "snaplen")

    def __init__(self, section: Section, number: int, link: int, snaplen: int, resolution: int, offset: int, line: bytes,
                 options: Options) -> None:  # fmt: skip
        self.section, self.number, self.link, self.snaplen = section, number, link, snaplen
        self.resolution, self.offset, self.line, self.options = resolution, offset, line, options

    @property
    def tag(self) -> bytes:
        """The line of ours that says that a packet is of it."""
        return b"\0I%x\n" % self.number


class Block:
    """A block beside packets.

    octets: all of it. came: packets in front of it. interface: of which it speaks, if of one. order: of its integers, `<` or `>`.
    """

    __slots__ = ("came", "interface", "kind", "octets", "order")

    def __init__(self, kind: int, octets: bytes, came: int, interface: Interface | None, order: str) -> None:
        self.kind, self.octets, self.came, self.interface, self.order = kind, octets, came, interface, order


class Section:
    """A section, as far as it was read.

    order: of its integers. options: of its header. interfaces: by their numbers there. lasting: interfaces, and blocks that hold
    from there on. passing: other blocks, each with the number of lasting ones in front of it, until a sink takes it.
    next: the one behind it, once it has begun.
    """

    def __init__(self, order: str, options: Options) -> None:
        self.order, self.options = order, options
        self.interfaces: list[Interface] = []
        self.lasting: list[Interface | Block] = []
        self.passing: list[tuple[int, Block]] = []
        self.next: Section | None = None


class Sections:
    """What several sections say, one after the other; of one input, or of several.

    one: all become one section, since packets of one may come behind those of another. form: what the first input has to be,
    for anything to be put down; None: that is asked by nobody. passes: whether all packets are passed on as they are: only then
    that holds of which nobody knows what it says. forward: lets a sink write what has come. latest: the section that began
    last; at first one of which nothing is written. came: packets that were read. unsaid: comments of sections that came too
    late. names: what interfaces without a name are called, by the input that they are read from. settle: what is done before
    anything is put down: whoever has packets in hand, which stand in front of it, writes them.
    """

    def __init__(self, *, one: bool = False, form: str | None = None) -> None:
        self.one, self.form = one, form
        self.passes = False
        self.forward: Callable[[], None] | None = None
        self.waiting = 0  # bytes of blocks since then
        self.came = self.count = self.unsaid = 0
        self.known: dict[int, Interface] = {}
        self.names: dict[str, bytes] = {}
        self.latest = Section("", [])
        self.begun = False  # whether a sink has written its header
        self.settle: Callable[[], None] = nothing

    def begin(self, order: str, options: Options) -> Section:
        """Puts down that a section begins; what it says is put down with it."""
        self.settle()
        section = Section(order, options)
        if self.one and self.latest.order:
            comments = [option for option in options if option[0] == COMMENT]
            self.unsaid += len(comments) * self.begun
            nothing_said = not (self.begun or self.latest.options or self.latest.lasting or self.latest.passing)
            self.latest.options += options if nothing_said else comments
            section.lasting, section.passing = self.latest.lasting, self.latest.passing
        else:
            self.latest.next = section
            self.latest = section
            self.begun = False
        return section

    def describe(self, section: Section, link: int, snaplen: int, resolution: int, offset: int, line: bytes,
                 options: Options) -> Interface:  # fmt: skip
        """Puts down an interface. See `Interface`."""
        self.settle()
        interface = Interface(section, self.count, link, snaplen, resolution, offset, line, options)
        self.known[self.count] = interface
        self.known.pop(self.count - MAX_KNOWN, None)
        self.count += 1
        section.interfaces.append(interface)
        section.lasting.append(interface)
        return interface

    def pass_on(self, section: Section, kind: int, octets: bytes) -> None:
        """Puts down another block."""
        self.settle()
        interface = None
        if kind == STATISTICS and len(octets) >= LEAST_STATISTICS:
            number = int.from_bytes(octets[8:12], "big" if section.order == ">" else "little")
            interface = section.interfaces[number] if number < len(section.interfaces) else None
        block = Block(kind, octets, self.came, interface, section.order)
        if kind in LASTING:
            section.lasting.append(block)
        else:
            section.passing.append((len(section.lasting), block))
            self.waiting += len(octets)
            if self.waiting > MAX_WAITING and self.forward:  # no packet is written, or they are far between
                self.waiting = 0
                self.forward()

    def interface_of(self, notes: bytes) -> Interface | None:
        """The interface that a packet with these notes was read from; None: of none that is known."""
        at = 0 if notes.startswith(b"\0I") else notes.find(b"\n\0I") + 1
        if not notes.startswith(b"\0I", at):
            return None
        try:
            return self.known.get(int(notes[at + 2 : notes.find(b"\n", at)], 16))
        except ValueError:
            return None
