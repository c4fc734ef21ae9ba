"""A table of conversations: of each, packets and octets both ways, and times; twin of ../c/conversations.c.

A packet is of one conversation: of its innermost header that has addresses, not of what an error message quotes. What is around
that header, such as tags and the names and ends of tunnels, belongs to the key. Both ways are one conversation; of tunnels that
have another name each way (`oneway`), the first packet back is of the oldest conversation that has none yet, and of more than eight
conversations that differ in nothing else each way is by itself. Later fragments of a datagram have no ports: they go where the
first one goes, if that came within 30 seconds of packet time; up to 1024 datagrams are known of.

Bounded: where as many conversations are known as may be, or as much memory is taken, packets of further ones are counted
together; or, to tell of packets one by one, the one that was quiet for longest is forgotten: it is new when it comes again.
"""

from __future__ import annotations

from collections import OrderedDict
from sys import byteorder

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, ORIGINAL, TIME
from ...protocols.walking import BY_SPACE, DATAGRAM_6, EXTENSION, SEGMENTS, TAG
from .. import CORRECTED, FRAGMENT
from .checksum import View
from .connections import Connection, Segment
from .datagram import TIMEOUT, Datagram
from .exceptions import message_of
from .fragments import packet_of
from .headers import Header, is_tag
from .protocols import Kind, carries_message, exception, known
from .rows import checked, without_fcs

LINK, NETWORK, PORTS = 1, 2, 3  # between whom a conversation is
AS_THEY_CAME, BY_PACKETS, BY_OCTETS, BY_DURATION, BY_HANDSHAKE, ORDERS = range(6)  # the most first
MOST_ALIKE, WAITING = 8, 1024
NONE_CAME = None  # of what is around one way: nothing came that way
ROW, CONNECTION, NAME = 160, 400, 16  # bytes that the like of these counts for, besides names

Ends = tuple[int, int, int, int, int]  # level, group, source, destination, width
Apart = tuple[int, int, int, int, int]  # group, bit, width, least, oneway
Endpoint = tuple[bytes, int]
Key = tuple[object, ...]


class Name:
    """Of a packet's conversation, as it was sent."""

    __slots__ = ("around", "destination", "group", "number", "oneway", "ports", "source")

    def __init__(self, group: int, source: bytes, destination: bytes, around: bytes, oneway: bytes) -> None:
        self.group, self.number, self.around, self.oneway = group, -1, around, oneway
        self.source, self.destination = source, destination
        self.ports: tuple[int, int] | None = None

    def bare(self) -> Key:
        """Without ports: fragments of one datagram have it in common."""
        return self.group, self.number, self.around, self.oneway, self.source, self.destination

    def key(self) -> tuple[Key, bool]:
        """What is the same both ways, and whether this one is the way down."""
        ports = self.ports or (0, 0)
        one, other = (self.source, ports[0]), (self.destination, ports[1])
        return (self.group, self.number, self.around, self.ports is not None, min(one, other), max(one, other)), one > other


class Conversation:
    """A row. number: how many were before it. oneway: what is around each of the ways, up and down, and not the same in both."""

    def __init__(self, number: int, key: Key, down: bool, name: Name, connects: bool) -> None:
        self.number, self.key, self.turned, self.name = number, key, down, name
        self.oneway: list[bytes | None] = [NONE_CAME, NONE_CAME] if name.oneway else [b"", b""]
        self.oneway[down] = name.oneway
        self.packets, self.octets = [0, 0], [0, 0]
        self.first, self.last = (1 << 63) - 1, -1 << 63
        self.connection = Connection() if connects else None

    def count(self, way: int, packets: int, octets: int, first: int, last: int) -> None:
        """Counts packets of a way."""
        self.packets[way] += packets
        self.octets[way] += octets
        self.first, self.last = min(self.first, first), max(self.last, last)

    @property
    def shaken(self) -> int:
        """How long the longest handshake took, and one more; 0: none was timed."""
        took = self.connection.handshake if self.connection else None
        return max(took[1], 0) + 1 if took else 0

    def numbers(self) -> tuple[object, ...]:
        """As `conversation_rows` tells of it."""
        name = self.name
        return (self.number, name.group, name.number, name.source, name.destination, *(name.ports or (-1, -1)), name.around,
                self.oneway[self.turned] or b"", self.oneway[not self.turned] or b"", *self.packets, *self.octets, self.first,
                self.last, self.connection and self.connection.numbers())  # fmt: skip


class Pending:
    """A datagram whose fragments come.

    number: how many were before it. known: the first one has come. first, last: times of those that wait for it.
    """

    def __init__(self, number: int, name: Name, time: int) -> None:
        self.number, self.name, self.time, self.known = number, name, time, False
        self.packets = self.octets = self.first = self.last = 0


class Told:
    """Whose a packet is: the number of its conversation, -1: no one's; the way, 0 or 1: as its first packet went, or back."""

    __slots__ = ("conversation", "segment", "way")

    def __init__(self) -> None:
        self.conversation, self.way, self.segment = -1, 0, Segment()


class Conversations:
    """The table: see `conversation_table`."""

    def __init__(
        self, level: int, most: int, memory: int, forget: bool, ends: dict[int, Ends], apart: dict[int, list[Apart]]
    ) -> None:
        self.level, self.most, self.memory, self.forget, self.ends, self.apart = level, most, memory, forget, ends, apart
        self.found: dict[Key, list[Conversation]] = {}
        self.rows: OrderedDict[int, Conversation] = OrderedDict()  # by number; those that may be forgotten first are first
        self.names: set[bytes] = set()
        self.pending: OrderedDict[Key, Pending] = OrderedDict()
        self.numbered = self.pended = self.held = self.forgotten = 0
        self.others, self.without = [0, 0], [0, 0]  # packets and octets

    # ---- what is around ----

    def ends_of(self, header: Header) -> Ends | None:
        """Where a header says between whom it goes, if that is there."""
        found = self.ends.get(header.kind)
        return found if found and header.start + (max(found[2:4]) + found[4]) // 8 <= header.end else None

    def around(self, view: View, carrier: int, last: int) -> tuple[bytes, bytes]:
        """What is around the header at `carrier`, and tags behind it up to `last`: the same both ways, and of this way alone."""
        both, oneway = list[int | bytes](), list[int | bytes]()
        for i, header in enumerate(view.headers[: last + 1]):
            if i >= carrier and not is_tag(header.kind):
                continue
            ends = self.ends_of(header)
            if ends and ends[0] == NETWORK:
                both += [ends[1], number_asked(view, header), *sorted(address(view, header, bit, ends[4]) for bit in ends[2:4])]
            for group, bit, width, least, each in self.apart.get(header.kind, ()):
                value = bits(view, header.start * 8 + bit, width) if header.start * 8 + bit + width <= header.end * 8 else -1
                if value >= least:
                    (oneway if each else both).extend((group, value))
        return packed(both), packed(oneway)

    # ---- conversations ----

    def afford(self, more: int) -> bool:
        """Whether there is so much memory more."""
        return self.held + more <= self.memory

    def known_names(self, name: Name) -> bool:
        """Whether there is room for what is around a packet."""
        for one in (name.around, name.oneway):
            if one and one not in self.names:
                if not self.afford(len(one) + NAME):
                    return False
                self.names.add(one)
                self.held += len(one) + NAME
        return True

    def row(self, name: Name, connects: bool) -> tuple[Conversation | None, int]:
        """The conversation of a name, which is a new one if there is none, and the way of the packet; None: there is no room."""
        key, down = name.key()
        rows = self.found.get(key, [])
        row = self.matching(rows, name, down)
        if not row and len(rows) == MOST_ALIKE:  # tunnels of this name, so many that each way is by itself
            key = *key, name.oneway
            rows = self.found.get(key, [])
            row = self.matching(rows, name, down)
        if row:
            if self.forget:
                self.rows.move_to_end(row.number)
            return row, down ^ row.turned
        more = ROW + CONNECTION * connects
        if len(self.rows) < self.most and self.afford(more):
            self.held += more
        elif self.forget and self.rows:
            _, oldest = self.rows.popitem(last=False)
            self.found[oldest.key].remove(oldest)
            if not self.found[oldest.key]:
                del self.found[oldest.key]
            self.forgotten += 1
        else:
            return None, 0
        row = self.rows[self.numbered] = Conversation(self.numbered, key, down, name, connects)
        self.found.setdefault(key, []).append(row)
        self.numbered += 1
        return row, 0

    @staticmethod
    def matching(rows: list[Conversation], name: Name, down: bool) -> Conversation | None:
        """The one with what is around this way, or else the oldest where nothing came that way yet."""
        for row in rows:
            if row.oneway[down] == name.oneway:
                return row
        for row in rows:
            if row.oneway[down] is NONE_CAME:
                row.oneway[down] = name.oneway
                return row
        return None

    # ---- fragments ----

    def settle(self, pending: Pending) -> None:
        """Counts what waited for the first fragment. Where that did not come, the ports stay unknown."""
        if not pending.packets:
            return
        row, way = self.row(pending.name, False)
        if row:
            row.count(way, pending.packets, pending.octets, pending.first, pending.last)
        else:
            self.others = [self.others[0] + pending.packets, self.others[1] + pending.octets]
        pending.packets = pending.octets = 0

    def settle_all(self) -> None:
        """The same of all."""
        for pending in sorted(self.pending.values(), key=lambda pending: pending.number):
            self.settle(pending)

    def fragment(self, name: Name, number: int, is_first: bool, octets: int, time: int, waits: bool) -> Name | None:
        """The name of a fragment, with the ports of the first one; None: it waits for that. Otherwise it has none so long."""
        key = *name.bare(), number
        pending = self.pending.get(key)
        if pending is None or abs(time - pending.time) > TIMEOUT:
            if pending:
                self.settle(pending)
            elif len(self.pending) == WAITING:
                self.settle(self.pending.popitem(last=False)[1])
            pending = self.pending[key] = Pending(self.pended, name, time)
            self.pended += 1
        pending.time = time
        self.pending.move_to_end(key)
        if is_first:
            pending.name, pending.known = name, True
            self.settle(pending)
        elif waits and not pending.known:
            pending.first = min(pending.first, time) if pending.packets else time
            pending.last = max(pending.last, time) if pending.packets else time
            pending.packets, pending.octets = pending.packets + 1, pending.octets + octets
            return None
        return pending.name

    # ---- packets ----

    def carrier(self, view: View) -> int | None:
        """The innermost header with addresses, of those that conversations are told by."""
        for index in reversed(range(len(view.headers))):
            ends = self.ends_of(view.headers[index])
            if ends and ends[0] != PORTS and ends[0] <= self.level:
                return index
        return None

    def read_ports(self, view: View, kind: Kind | None, at: int, name: Name) -> None:
        """Ports of a header of a kind, which may be cut."""
        ends = self.ends.get(kind.number) if kind else None
        if ends and ends[0] == PORTS and view.within(at, (max(ends[2:4]) + ends[4]) // 8):
            name.ports = bits(view, at * 8 + ends[2], ends[4]), bits(view, at * 8 + ends[3], ends[4])

    def converse(self, view: View, wire: int, time: int, follow: bool = True) -> Told:
        """A packet comes. What it quotes is not counted: that did not travel here.

        wire: its bytes there, no fewer than were captured. follow: segments of its connection are followed, and fragments wait for
        their first one; else only whose the packet is is found out.
        """
        told, octets, headers = Told(), wire, view.headers
        carrier = self.carrier(view)
        if carrier is None:
            self.without = [self.without[0] + 1, self.without[1] + octets]
            return told
        header = headers[carrier]
        level, group, source, destination, width = self.ends[header.kind]
        last = carrier
        while last + 1 < len(headers) and known().kinds[headers[last + 1].kind].flags & (TAG | EXTENSION):
            last += 1
        both, oneway = self.around(view, carrier, last)
        name = Name(group, address(view, header, source, width), address(view, header, destination, width), both, oneway)
        full, connects, followed, message = not self.known_names(name), False, False, None
        following = headers[last + 1] if last + 1 < len(headers) else None
        if self.level == PORTS or (self.level == NETWORK and level == LINK):
            name.number = number_asked(view, headers[last])
        if self.level == PORTS and carries_message(header.kind):
            ways = known().carried[exception(header.kind) == DATAGRAM_6].get(name.number & 0xFF) if name.number >= 0 else None
            carried = known().kinds[following.kind] if following else ways[0][0] if ways else None
            connects = carried is not None and carried.exception == SEGMENTS
            outcome, message = message_of(view, carrier) if not following or connects else (CORRECTED, None)
            if following:
                self.read_ports(view, carried, following.start, name)
            elif outcome == FRAGMENT and (d := datagram_of(view, carrier)).is_fragment and not full:
                if d.offset == 0:
                    self.read_ports(view, carried, d.payload, name)
                kept = self.fragment(name, d.id, d.offset == 0, octets, time, follow)
                if kept is None:
                    return told
                name = kept
            elif outcome == CORRECTED and message:
                self.read_ports(view, carried, message.at, name)
            connects = follow and connects and name.ports is not None
            followed = bool(connects and following and outcome == CORRECTED and message and message.at == following.start)
        row, way = (None, 0) if full else self.row(name, connects)
        if row is None:
            self.others = [self.others[0] + 1, self.others[1] + octets]
            return told
        row.count(way, 1, octets, time, time)
        told.conversation, told.way = row.number, way
        if row.connection and followed and message:
            size = max(0, min(message.at + message.size, view.wire_end(carrier)) - message.at)
            told.segment = row.connection.follow(way, view.frame, message.at, size, time)
        return told


def datagram_of(view: View, index: int) -> Datagram:
    """What a header of IP says of a datagram, even where sizes contradict each other."""
    d = Datagram.__new__(Datagram)
    try:
        d.__init__(view, index)  # type: ignore[misc]  # what it says is there, when this raises an error
    except ValueError:
        pass
    return d


def bits(view: View, bit: int, width: int) -> int:
    """A number of a packet."""
    first, last = bit // 8, -(-(bit + width) // 8)
    return int.from_bytes(view.frame[first:last], "big") >> last * 8 - bit - width & (1 << width) - 1


def address(view: View, header: Header, bit: int, width: int) -> bytes:
    """An address of a header, in 16 bytes."""
    at = header.start + bit // 8
    return bytes(view.frame[at : at + width // 8]).ljust(16, b"\0")


def number_asked(view: View, header: Header) -> int:
    """The number that a header asks first, such as a protocol, if that can announce something; -1: none."""
    for how, _, space, read, *_ in known().kinds[header.kind].rules:
        if how == BY_SPACE and space and read:
            value = view.number(read, header.end if read[4] else header.start)
            return value if value < 1 << 31 and (value >= space.counted or value in space.entries) else -1
    return -1


def packed(parts: list[int | bytes]) -> bytes:
    """Integers of 64 bits as they stand in this machine, and bytes."""
    return b"".join(part if isinstance(part, bytes) else part.to_bytes(8, byteorder, signed=True) for part in parts)


def rows_of(packed_rows: bytes) -> list[tuple[int, ...]]:
    """Rows of six integers."""
    if len(packed_rows) % 48:
        raise ValueError("fields are not sound")
    numbers = memoryview(packed_rows).cast("B").cast("q").tolist()
    return [tuple(numbers[i : i + 6]) for i in range(0, len(numbers), 6)]


def conversation_table(level: int, most: int, memory: int, forget: bool, seed: int, ends: bytes, apart: bytes) -> Conversations:
    """A table of conversations, for `follow`.

    level: LINK, NETWORK or PORTS: between whom they are; where a packet has no such addresses, by those that it has of a lower one.
    most: conversations; memory: bytes; both bound what is kept. forget: the one that was quiet for longest gives way, otherwise
    packets of further ones are counted together. seed: for what nobody should know who sends packets; here there is nothing of the
    kind. ends, apart: from protocols/ends.py.
    """
    if not LINK <= level <= PORTS or most < 1 or memory < 0:
        raise ValueError("level, most or memory out of range")
    kinds, whole = len(known().kinds), 8 * MAX_FRAME
    fields, keeping = rows_of(ends), rows_of(apart)
    for header, at, group, source, destination, width in fields:
        aligned = width <= 16 if at == PORTS else not (source % 8 or destination % 8 or width % 8)
        places = 0 <= source <= whole and 0 <= destination <= whole and 1 <= width <= 128
        if not (0 <= header < kinds and 0 <= group < kinds and LINK <= at <= PORTS and aligned and places):
            raise ValueError("fields are not sound")
    for header, group, bit, width, least, _ in keeping:
        if not (0 <= header < kinds <= group and 0 <= bit <= whole and 1 <= width <= 63 and least >= 0):
            raise ValueError("fields are not sound")
    headers, others = [row[0] for row in fields], [row[0] for row in keeping]
    if headers != sorted(set(headers)) or others != sorted(others):
        raise ValueError("fields are not sound")
    by_kind: dict[int, list[Apart]] = {}
    for header, *rest in keeping:
        by_kind.setdefault(header, []).append(tuple(rest))  # type: ignore[arg-type]  # they are of five
    return Conversations(level, most, memory, forget, {row[0]: row[1:] for row in fields}, by_kind)  # type: ignore[misc]  # of five


def need_table(table: object) -> Conversations:
    """Raises TypeError where it is none."""
    if not isinstance(table, Conversations):
        raise TypeError("no table of conversations")
    return table


def follow(table: object, data: bytearray, rows: bytes, tell: bool) -> list[tuple[int, ...]] | None:
    """Counts packets in their conversations.

    tell: returns of each packet the number of its conversation, -1: none; its way; and of a segment of TCP what is to be said of
    it: what, base, base of acknowledgements, octets, repeated, filled, gap, unseen, window; see `struct segment` of
    ../c/conversations.h. Otherwise None. The octets of a packet are those of its frame on the wire.
    """
    known_table, packed_rows = need_table(table), checked(data, rows)
    wire = list(map(max, packed_rows[CAPTURED::COLUMNS], packed_rows[ORIGINAL::COLUMNS]))
    values, told = without_fcs(packed_rows), list[tuple[int, ...]]()
    for i in range(0, len(values), COLUMNS):
        packet = packet_of(data, values[i : i + COLUMNS])
        view = View(packet.frame, packet.original, values[i + LINKTYPE])
        one = known_table.converse(view, wire[i // COLUMNS], values[i + TIME])
        if tell:
            told.append((one.conversation, one.way, *one.segment.numbers()))
    return told if tell else None


def conversation_numbers(table: object, data: bytearray, rows: bytes) -> bytearray:
    """Counts packets in their conversations, as `follow` does; returns of each the number of its conversation, 8 bytes, -1: none.

    Each is told at once: a fragment that comes before the first one of its datagram is of the conversation without ports. What
    segments of connections say is not followed.
    """
    known_table, packed_rows = need_table(table), checked(data, rows)
    wire = list(map(max, packed_rows[CAPTURED::COLUMNS], packed_rows[ORIGINAL::COLUMNS]))
    values, numbers = without_fcs(packed_rows), bytearray()
    for i in range(0, len(values), COLUMNS):
        packet = packet_of(data, values[i : i + COLUMNS])
        view = View(packet.frame, packet.original, values[i + LINKTYPE])
        told = known_table.converse(view, wire[i // COLUMNS], values[i + TIME], follow=False)
        numbers += told.conversation.to_bytes(8, byteorder, signed=True)
    return numbers


def conversation_rows(table: object, order: int, most: int) -> list[tuple[object, ...]]:
    """Up to so many conversations: AS_THEY_CAME, or the most first, BY_PACKETS, BY_OCTETS, BY_DURATION or BY_HANDSHAKE.

    Of each: number; group of the header with the addresses; number that announces what is spoken, -1: none; addresses of who was
    first and of the other one, in 16 bytes; their ports, or -1; what is around, both ways, there, and back; packets there and back;
    octets there and back; earliest and latest time; and of a connection: how many there were, least and most time of a
    handshake or None, resets, state, and what is said of each way: see `struct way` of ../c/conversations.h.
    """
    known_table = need_table(table)
    if not 0 <= order < ORDERS or most < 0:
        raise ValueError("order out of range")
    known_table.settle_all()
    rank = (
        lambda row: 0,
        lambda row: -sum(row.packets),
        lambda row: -sum(row.octets),
        lambda row: row.first - row.last,
        lambda row: -row.shaken,
    )[order]
    rows = sorted(known_table.rows.values(), key=lambda row: (rank(row), row.number))
    return [row.numbers() for row in rows[:most]]


def conversation_totals(table: object) -> tuple[int, ...]:
    """How many conversations there are; packets, octets beyond them; the same of no addresses; how many were forgotten; bytes."""
    known_table = need_table(table)
    known_table.settle_all()
    return len(known_table.rows), *known_table.others, *known_table.without, known_table.forgotten, known_table.held
