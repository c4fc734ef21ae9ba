"""Conversations: who spoke to whom, both ways, and what was seen of connections of TCP."""

from __future__ import annotations

import os
from struct import iter_unpack, unpack_from
from sys import byteorder

from .. import codec
from ..batch import Batch
from ..protocols.ends import FIRST_GROUP, LINK, NETWORK, PORTS, ends, keeping_apart
from ..protocols.fields import TABLE
from ..protocols.shown import format_address

MOST = 2_000_000  # conversations
MEMORY = 1 << 30  # bytes: about 150 for a conversation, 350 more for one of TCP, and twice that where few are known
LEVELS = {"link": LINK, "network": NETWORK, "ports": PORTS}
AS_THEY_CAME, PACKETS, OCTETS, DURATION, HANDSHAKE = range(5)  # orders, the most first
NAMES = {LINK: "ETHERTYPE", NETWORK: "PROTOCOL"}  # of what announces what is spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Pair = tuple[int, int]  # there, as the first packet went, and back


class Record:
    """Values by the names in `__slots__`, in their order."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, *values: object) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)

    def values(self) -> tuple[Any, ...]:
        """All of them, in this order."""
        return tuple(getattr(self, name) for name in self.__slots__)


class Connection(Record):
    """What was seen of the connections of a conversation; pairs are of who sends: there, and back.

    connections: how many there were. handshake: nanoseconds from the first SYN on, of the shortest and the longest; one is
    between two where a SYN came again, since it is not known which one was answered; None: none was seen. repeated: segments with
    octets that were seen before; filled: with octets that were missing; gaps: segments with octets missing in front of them.
    missing: octets that never came; unseen: octets that were acknowledged, but not seen, whether or not they came later.
    needless: how often the other side told of octets that came twice. open: the last handshake was completed. begun, ended: a
    SYN, a FIN was seen.
    """

    __slots__ = (
        "connections", "handshake", "resets", "open", "begun", "ended", "repeated", "filled", "gaps", "needless",
        "duplicates", "kept_alive", "probes", "repeated_octets", "filled_octets", "missing", "unseen",
    )  # fmt: skip
    connections: int
    handshake: Pair | None
    resets: int
    open: bool
    begun: tuple[bool, bool]
    ended: tuple[bool, bool]
    repeated: Pair
    filled: Pair
    gaps: Pair
    needless: Pair
    duplicates: Pair
    kept_alive: Pair
    probes: Pair
    repeated_octets: Pair
    filled_octets: Pair
    missing: Pair
    unseen: Pair


class Conversation(Record):
    """A conversation. source, destination: addresses as text, of who was first, and of the other one; ports: None: it has none.

    protocol: its name, or number; "" where nothing says it. around: tags and tunnels that it is in, outermost first. packets and
    octets, of frames on the wire: there, and back. first, last: the earliest and the latest time, in nanoseconds since 1970.
    """

    __slots__ = (
        "number", "source", "source_port", "destination", "destination_port", "protocol", "around", "packets", "octets",
        "first", "last", "connection",
    )  # fmt: skip
    number: int
    source: str
    source_port: int | None
    destination: str
    destination_port: int | None
    protocol: str
    around: str
    packets: Pair
    octets: Pair
    first: int
    last: int
    connection: Connection | None


class Totals(Record):
    """How many conversations there are; packets and octets of those beyond, and of frames that have no addresses."""

    __slots__ = ("conversations", "other_packets", "other_octets", "without_packets", "without_octets", "forgotten", "memory")
    conversations: int
    other_packets: int
    other_octets: int
    without_packets: int
    without_octets: int
    forgotten: int
    memory: int


class Conversations:
    """Those of all packets that are added.

    level: between whom they are: LINK, NETWORK or PORTS. most, memory: how many, and bytes; what is beyond is counted as others.
    """

    def __init__(self, level: int = PORTS, most: int = MOST, memory: int = MEMORY) -> None:
        packed = ends()
        self.ends = {group: (at, width) for _, at, group, _, _, width in iter_unpack("6q", packed)}
        seed = int.from_bytes(os.urandom(8), byteorder)  # so that nobody makes the search long by what is sent
        self.table = codec.conversation_table(level, most, memory, False, seed, packed, keeping_apart())

    def add(self, batch: Batch) -> None:
        """Counts a batch."""
        codec.follow(self.table, batch.data, batch.rows, False)

    def numbers(self, batch: Batch) -> bytearray:
        """Counts a batch; gives of each packet which conversation it is of, 8 bytes, -1: of none. Of TCP nothing else is seen."""
        return codec.conversation_numbers(self.table, batch.data, batch.rows)

    def totals(self) -> Totals:
        """What there is up to now."""
        return Totals(*codec.conversation_totals(self.table))

    def read(self, order: int = OCTETS, most: int = MOST) -> list[Conversation]:
        """Up to so many of them: AS_THEY_CAME, or the most first, by PACKETS, OCTETS or DURATION."""
        return [self._made(*row) for row in codec.conversation_rows(self.table, order, most)]

    def _made(self, number: int, group: int, announced: int, source: bytes, destination: bytes, source_port: int,
              destination_port: int, around: bytes, there: bytes, back: bytes, packets: int, packets_back: int, octets: int,
              octets_back: int, first: int, last: int, connection: tuple[Any, ...] | None) -> Conversation:  # fmt: skip
        return Conversation(
            number, self._address(group, source), port(source_port), self._address(group, destination), port(destination_port),
            self._protocol(group, announced), self._around(around, there, back), (packets, packets_back), (octets, octets_back),
            first, last, None if connection is None else made_connection(*connection),
        )  # fmt: skip

    def _address(self, group: int, octets: bytes) -> str:
        level, width = self.ends[group]
        if level == LINK:
            return octets[: width // 8].hex(":")
        return format_address(octets[: width // 8])

    def _protocol(self, group: int, number: int) -> str:
        if number < 0:
            return ""
        from ..protocols import _words  # late: not all tables have such rows

        level, _ = self.ends[group]
        name: str = _words.NAMES.get(NAMES[level], {}).get(number, "")
        return name or (str(number) if level == NETWORK else f"{number:#06x}")

    def _around(self, both: bytes, there: bytes, back: bytes) -> str:
        """What is said in codec/python/conversations.py: numbers of fields with their values, and pairs of addresses."""
        found, at = list[str](), 0
        while at < len(both):
            group, value = unpack_from("2q", both, at)
            at += 16
            if group < FIRST_GROUP:
                found.append(f"{self._address(group, both[at : at + 16])}<>{self._address(group, both[at + 16 : at + 32])}")
                at += 32
            else:
                found.append(f"{field(group)} {value}")
        ways = [list(iter_unpack("2q", way)) for way in (there, back)]
        for i, (group, value) in enumerate(ways[0]):
            same = [other for known, other in ways[1][i : i + 1] if known == group]
            found.append(f"{field(group)} {value}" + (f"<>{same[0]}" if same and same[0] != value else ""))
        return ", ".join(found)


def field(group: int) -> str:
    """The field that tells networks apart, for people."""
    protocol, _, name = TABLE[group - FIRST_GROUP].name.partition(".")
    return name.removesuffix("_ID") if name.endswith("_ID") else f"{protocol} {name}"


def port(number: int) -> int | None:
    """A port; None: there is none."""
    return None if number < 0 else number


def made_connection(count: int, handshake: Pair | None, resets: int, state: int, there: tuple[int, ...],
                    back: tuple[int, ...]) -> Connection:  # fmt: skip
    """What `codec.conversation_rows` says of a connection."""
    seen = [bool(state >> bit & 1) for bit in range(5)]
    return Connection(count, handshake, resets, seen[4], (seen[0], seen[2]), (seen[1], seen[3]), *zip(there, back, strict=True))
