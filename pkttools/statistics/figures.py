"""The figures of a stream: what the codec has counted, in words.

Bytes are those of frames on the wire, with a frame check sequence where the capture has it. Times are in nanoseconds since 1970.
What an error message quotes did not come this way, and is not counted.
"""

from __future__ import annotations

import struct

from .. import codec
from ..batch import Batch
from ..codec import BY_FIELDS, PATHS, TALKERS
from ..errors import UsageError, need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..live.histogram import Histogram
    from ..protocols.fields import Row
    from .conversations import Conversation, Conversations
    from .conversations import Totals as Spoken

SECTIONS = ("totals", "sizes", "protocols", "talkers", "conversations")
GROUPS = {"protocols": PATHS, "talkers": TALKERS, "fields": BY_FIELDS}
MEMORY = 2 << 30  # bytes: half of them are enough for the two million conversations
TOP = 10  # rows
SECOND = 1_000_000_000
CLASSES = (0, 64, 128, 256, 512, 1024, 1519, 2048, 4096, 8192, 16384, 32768, codec.SIZES)  # where sizes that go together begin

Value = int | bytes | None  # of a field: a number, octets, or it is not there


class Counts:
    """Packets and bytes."""

    __slots__ = ("bytes", "packets")

    def __init__(self, packets: int, bytes: int) -> None:
        self.packets, self.bytes = packets, bytes


class Protocol(Counts):
    """A header where it stands in packets. path: the names of headers, outermost first."""

    __slots__ = ("path",)

    def __init__(self, path: tuple[str, ...], packets: int, bytes: int) -> None:
        super().__init__(packets, bytes)
        self.path = path


class Talker:
    """An address of IP. level: how many IP headers are around it. sent, received: what came from it, and went to it."""

    __slots__ = ("address", "level", "received", "sent")

    def __init__(self, key: bytes, sent: Counts, received: Counts) -> None:
        from ..protocols.shown import format_address

        self.level, self.address, self.sent, self.received = key[0], format_address(key[1:]), sent, received


class Group(Counts):
    """Packets that have the same values of fields."""

    __slots__ = ("values",)

    def __init__(self, values: list[Value], packets: int, bytes: int) -> None:
        super().__init__(packets, bytes)
        self.values = values


class Interval(Counts):
    """What came since figures were written last. end: now. duration: in nanoseconds."""

    __slots__ = ("duration", "end")

    def __init__(self, end: int, duration: int, packets: int, bytes: int) -> None:
        super().__init__(packets, bytes)
        self.end, self.duration = end, duration


class Column:
    """A field that groups are made of, or IFACE, WAY, NOTE.

    name: as it is asked for, with an occurrence. row: of a field, in the table; None: it is what a line says.
    """

    def __init__(self, text: str) -> None:
        """Raises UsageError."""
        from ..language.program import NOTES
        from ..protocols.fields import TABLE
        from ..protocols.values import field, occurring

        name, occurrence = occurring(text)
        self.row: Row | None = None
        if name in NOTES:
            self.index = NOTES[name]
        else:
            name, indexes, occurrence = field(text)
            self.index = indexes[0]
            self.row = TABLE[self.index]
        self.name = name if occurrence is None else f"{name}[{occurrence}]"
        self.occurrence = occurrence or 1


class Figures:
    """Counts packets, and gives the figures.

    wanted: of SECTIONS. by: fields, with occurrences, that groups are made of. memory: bytes that all groups together may take;
    conversations, where they are wanted, get half of it. sort: what comes first, what has the most packets or bytes, or of
    conversations what has the longest handshake.
    between: of whom conversations are, see conversations.LEVELS.
    """

    def __init__(self, wanted: set[str], by: str | None = None, memory: int = MEMORY, sort: str = "packets",
                 between: str = "ports") -> None:  # fmt: skip
        """Raises UsageError."""
        self.columns = [Column(text.strip()) for text in by.split(",")] if by is not None else []
        need(len({column.name for column in self.columns}) == len(self.columns), f"--by {by}: a field is there twice")
        asked = [which for name, which in GROUPS.items() if name in wanted or (name == "fields" and self.columns)]
        program = None
        if self.columns:
            from ..language.program import ROWS

            pairs = [number for column in self.columns for number in (column.index, column.occurrence)]
            program = ROWS, struct.pack(f"{len(pairs)}q", *pairs), b""
        self.sort, self.by_bytes = sort, sort == "bytes"
        self.conversations: Conversations | None = None
        if "conversations" in wanted:
            from .conversations import LEVELS, Conversations

            self.conversations = Conversations(LEVELS[between], memory=memory if not asked else memory // 2)
            memory -= memory // 2
        self.counters = codec.counters(sum(asked), program, memory // max(1, len(asked)))

    def add(self, batch: Batch) -> None:
        """Counts the packets of a batch."""
        codec.count(self.counters, batch.data, batch.rows)
        if self.conversations:
            self.conversations.add(batch)

    def read(self) -> Snapshot:
        """The figures by now."""
        return Snapshot(self)


class Snapshot:
    """What was counted up to a moment.

    packets, bytes, captured: of captured bytes. cut: packets of which not all was captured. earliest, latest: times. backwards: how
    often a packet has an earlier time than the one before. shortest, longest: bytes of a packet. gaps: nanoseconds from one packet
    to the next, in their order. width, first, bins: packets and bytes over time, nanoseconds a bin, the time of the first one.
    interval: of figures that are written again and again.
    """

    interval: Interval | None = None

    def __init__(self, figures: Figures) -> None:
        from ..live.histogram import Histogram

        totals, sizes, gaps, (width, lowest, bins) = codec.figures(figures.counters)
        (self.packets, self.bytes, self.captured, self.earliest, self.latest, _, self.backwards, self.cut, self.shortest,
         self.longest) = memoryview(totals).cast("q")  # fmt: skip
        self.sizes: list[int] = memoryview(sizes).cast("q").tolist()
        self.gaps: Histogram = Histogram()
        self.gaps.state[:] = gaps
        self.width, self.first = width, lowest * width
        numbers = memoryview(bins).cast("q").tolist()
        self.bins = list(zip(numbers[::2], numbers[1::2], strict=True))
        self.figures = figures

    @property
    def duration(self) -> int:
        """From the earliest to the latest packet, in nanoseconds."""
        return self.latest - self.earliest

    def rate(self, count: int) -> tuple[int, int] | None:
        """How often something came in a second, and thousandths; None: in no time at all there is no rate."""
        return rate_of(count, self.duration)

    def size(self, part: int, of: int) -> int:
        """The size in bytes up to which `part` packets of so many are; codec.SIZES: a larger one than is told apart."""
        rank = -(-self.packets * part // of)
        for size, count in enumerate(self.sizes):
            rank -= count
            if rank <= 0:
                return size
        return codec.SIZES

    def classes(self) -> list[tuple[int, int, int]]:
        """Packets by size: the least and the most bytes, and how many there are; without empty ones in front and behind."""
        found = []
        for first, behind in zip(CLASSES, (*CLASSES[1:], None), strict=True):
            last = max(self.longest, codec.SIZES) if behind is None else behind - 1
            found.append((first, last, sum(self.sizes[first:behind])))
        while found and not found[0][2]:
            found.pop(0)
        while found and not found[-1][2]:
            found.pop()
        return found

    def protocols(self) -> list[Protocol]:
        """The headers as a tree, each behind the one it is in; beside each other those with the most packets come first."""
        rows, _, others = codec.largest(self.figures.counters, PATHS, 0, False)
        tree: dict[tuple[str, ...], list[int]] = {}
        for key, packets, size, _, _ in rows:
            for path in paths_of(key):
                counts = tree.setdefault(path, [0, 0])
                counts[0] += packets
                counts[1] += size
        if others[0]:
            tree[("others",)] = list(others[:2])
        which = int(self.figures.by_bytes)

        def rank(path: tuple[str, ...]) -> list[tuple[int, str]]:
            return [(-tree[path[: i + 1]][which], path[i]) for i in range(len(path))]

        return [Protocol(path, *tree[path]) for path in sorted(tree, key=rank)]

    def talkers(self, most: int) -> tuple[list[Talker], int, tuple[int, int, int, int]]:
        """Those with the most packets both ways; how many there are; and packets and bytes from others, and to them: they had no
        room. most: 0 is all."""
        rows, count, others = codec.largest(self.figures.counters, TALKERS, most, self.figures.by_bytes)
        return [Talker(key, Counts(*counts[:2]), Counts(*counts[2:])) for key, *counts in rows], count, others

    def conversations(self, most: int) -> tuple[list[Conversation], Spoken]:
        """Those with the most of what they are sorted by; and how many there are, with what had no room. most: 0 is all."""
        from .conversations import HANDSHAKE, MOST, OCTETS, PACKETS

        found = self.figures.conversations
        if found is None:
            raise ValueError("conversations were not asked for")
        order = {"packets": PACKETS, "bytes": OCTETS, "handshake": HANDSHAKE}[self.figures.sort]
        return found.read(order, most or MOST), found.totals()

    def groups(self, most: int) -> tuple[list[Group], int, Counts]:
        """The same of groups by fields."""
        rows, count, others = codec.largest(self.figures.counters, BY_FIELDS, most, self.figures.by_bytes)
        return [Group(values_of(key), packets, size) for key, packets, size, _, _ in rows], count, Counts(*others[:2])


def rate_of(count: int, duration: int) -> tuple[int, int] | None:
    """How often something comes in a second, and thousandths, rounded; None: in no time there is no rate. duration: nanoseconds."""
    return divmod((count * 1000 * SECOND + duration // 2) // duration, 1000) if duration > 0 else None


def values_of(key: bytes) -> list[Value]:
    """The values of fields that stand in the key of a group."""
    values: list[Value] = []
    at = 0
    while at < len(key):
        what, at = key[at], at + 1
        if what == codec.ABSENT:
            values.append(None)
        elif what == codec.OCTETS:
            size, at = int.from_bytes(key[at : at + 8], "big"), at + 8
            values.append(key[at : at + size])
            at += size
        else:
            size = 16 if what == codec.LONG_NUMBER else 8
            values.append(int.from_bytes(key[at : at + size], "big"))
            at += size
    return values


def paths_of(key: bytes) -> set[tuple[str, ...]]:
    """All paths in the tree of protocols that packets of a key lie on, without those of headers that are parts of others."""
    from ..protocols import _rows, _words
    from ..protocols.names import beyond_name, linktype_name

    linktype, beyond = struct.unpack_from("qQ", key)
    path: list[tuple[int, str]] = []
    paths: set[tuple[str, ...]] = set()
    for kind, depth in struct.iter_unpack("HH", key[16:]):
        title, category, *_ = _words.LAYOUTS[kind]
        if not title and category != "extension":
            continue
        while path and path[-1][0] >= depth:
            path.pop()
        path.append((depth, _rows.HEADERS[kind] if kind else f"LINKTYPE {linktype} ({linktype_name(linktype)})"))
        paths.add(tuple(name for _, name in path))
    if beyond:
        paths.add((*(name for _, name in path), f"({beyond_name(beyond)})"))
    return paths


def sections(text: str | None, by: str | None) -> set[str]:
    """What --show asks for; without it all, or with --by nothing else. Raises UsageError."""
    if text is None:
        return set() if by is not None else set(SECTIONS)
    asked = {word.strip() for word in text.split(",")}
    if unknown := sorted(asked.difference(SECTIONS)):
        raise UsageError(f"--show {text}: '{unknown[0]}' is not one of {', '.join(SECTIONS)}")
    return asked
