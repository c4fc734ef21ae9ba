"""Datagrams of IP as fragmentation sees them: IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5); twin of ../c/datagram.c.

That is the headers DATAGRAM_4, DATAGRAM_6, ROUTE and FRAGMENT_HEADER, see exceptions.py. What is around them is around.py's.
"""

from __future__ import annotations

from struct import Struct, pack_into

from ...protocols.walking import DATAGRAM_4, DATAGRAM_6, FRAGMENT_HEADER, ROUTE
from . import wire
from .checksum import View
from .headers import UNKNOWN, Header
from .protocols import carries_message, exception, extends, known

Layer = tuple[int, int]  # a kind of header, and its occurrence in a packet: 1 is the first, -1 the last; UNKNOWN: the outermost

EXTENSION = Struct("!BBHI")  # next header, reserved, offset with More, id
FRAGMENT_PROTOCOL = 44
LENGTH_END = 4  # where what follows another length may end: a signature in front of it that covers it does not follow
MORE, DONT, OF_THE_WHOLE = 0x2000, 0x4000, 0xC000  # of IPv4's word of flags and offset; OF_THE_WHOLE: those that stay
IP_ID_AT, IP_WORD_AT, MORE6 = 4, 6, 1
COPIED, END_OF_OPTIONS, NO_OPERATION = 0x80, 0, 1  # RFC 791 section 3.1
TIMEOUT = 30_000_000_000  # nanoseconds of packet time between fragments, as in Linux (net.ipv4.ipfrag_time)


class Datagram:
    """An IP datagram of a frame.

    index: of its header among those of the packet. v6: whether it is IPv6. start: where its header begins, head: where what all
    fragments share of it ends. payload: what can be divided, up to `end`. is_fragment: whether it is one. offset: of the payload,
    in bytes. more: whether others follow; dont: whether it must not be divided. id: of the fragment. protocol: of the payload.
    before: the place of the number that announces the fragment header, or would.
    """

    __slots__ = ("before", "dont", "end", "head", "id", "index", "is_fragment", "more", "offset", "payload", "protocol", "start",
                 "v6")  # fmt: skip

    def __init__(self, view: View, index: int) -> None:
        """The datagram of the IP header at `index`. Raises ValueError where sizes contradict each other, or bytes are missing."""
        header = view.headers[index]
        self.index, self.start, self.v6 = index, header.start, exception(header.kind) == DATAGRAM_6
        if self.v6:
            self._read6(view)
        else:
            self._read4(view)
        short = not self.v6 and self.head - self.start < wire.IP_SIZE
        if short or self.payload > self.end or self.end > header.end:  # that is where what it lies in ends
            raise ValueError("sizes contradict each other")

    def _read4(self, view: View) -> None:
        at, word = self.start, view.get(self.start + IP_WORD_AT, 2)
        self.head = self.payload = at + wire.ip_header_size(view.frame, at)
        self.end = at + wire.ip_total(view.frame, at)
        self.id = view.get(at + IP_ID_AT, 2)
        self.protocol, self.before = wire.ip_protocol(view.frame, at), at + wire.IP_PROTOCOL_AT
        self.offset, self.more, self.dont = (word & 0x1FFF) * 8, bool(word & MORE), bool(word & DONT)
        self.is_fragment = self.more or self.offset > 0

    def _read6(self, view: View) -> None:
        at = self.start
        self.end = at + wire.IPV6_SIZE + wire.ipv6_payload(view.frame, at)
        self.before, self.head, self.protocol = at + wire.IPV6_NEXT_AT, at + wire.IPV6_SIZE, wire.ipv6_next(view.frame, at)
        self.offset, self.more, self.id, self.dont, self.is_fragment = 0, False, 0, False, False
        before, protocol = self.before, self.protocol
        for header in view.headers[self.index + 1 :]:
            if exception(header.kind) == FRAGMENT_HEADER:  # all before it is in every fragment already
                self.protocol, _, word, self.id = EXTENSION.unpack_from(view.frame, header.start)
                self.offset, self.more, self.is_fragment = word & 0xFFF8, bool(word & MORE6), True
                self.before, self.head, self.payload = before, header.start, header.end
                return
            options = extends(header.kind) and protocol in (wire.PROTO_HOPOPT, wire.PROTO_IPV6_OPTS)
            route = exception(header.kind) == ROUTE
            if not options and not route:
                break
            way = route or protocol == wire.PROTO_HOPOPT  # routes and such options are for those on the way
            before, protocol = header.start, view.get(header.start, 1)
            if way:
                self.before, self.head, self.protocol = before, header.end, protocol
        self.payload = self.head

    def names(self, view: View) -> tuple[object, ...]:
        """What fragments of one datagram have in common; in IPv6 the protocol is the first one's (RFC 8200 section 4.5)."""
        first, size = (wire.IPV6_SOURCE_AT, 32) if self.v6 else (wire.IP_SOURCE_AT, 8)
        addresses = bytes(view.frame[self.start + first : self.start + first + size])
        return self.v6, addresses, self.id, 0 if self.v6 else self.protocol

    def room(self, mtu: int) -> int:
        """Bytes of payload that a fragment may have: all but the last a multiple of eight; 0: none."""
        room = mtu - (self.head - self.start + (EXTENSION.size if self.v6 else 0))
        return room if room >= 8 else 0

    def fragment_head(self, view: View, at: int, size: int, more: bool, number: int) -> bytearray:
        """All that is in front of the payload of a fragment, which is `size` bytes of the frame from `at` on."""
        offset, head = self.offset + at - self.payload, bytearray(view.frame[: self.head])
        if self.v6:
            head[self.before] = FRAGMENT_PROTOCOL
            total = self.head - self.start - wire.IPV6_SIZE + EXTENSION.size + size
            pack_into("!H", head, self.start + wire.IPV6_PAYLOAD_AT, total)
            return head + EXTENSION.pack(self.protocol, 0, offset | MORE6 * more, number)
        if at > self.payload and self.head - self.start > wire.IP_SIZE:
            head[self.start + wire.IP_SIZE :] = later_options(head[self.start + wire.IP_SIZE :])
            head[self.start] = head[self.start] & 0xF0 | (len(head) - self.start) // 4
        return self.finished4(view, head, size, offset // 8 | MORE * more)

    def whole_head(self, view: View, size: int) -> bytearray | None:
        """The same of the whole datagram, whose first fragment it is; None: `size` bytes of payload are more than it can say."""
        total = self.head - self.start + size - (wire.IPV6_SIZE if self.v6 else 0)
        if total > 0xFFFF:
            return None
        head = bytearray(view.frame[: self.head])
        if not self.v6:
            return self.finished4(view, head, size, view.get(self.start + IP_WORD_AT, 2) & OF_THE_WHOLE)
        head[self.before] = self.protocol
        pack_into("!H", head, self.start + wire.IPV6_PAYLOAD_AT, total)
        return head

    def finished4(self, view: View, head: bytearray, size: int, word: int) -> bytearray:
        """An IPv4 header that was made, with its total, its word of flags and offset, and its checksum."""
        pack_into("!H", head, self.start + wire.IP_TOTAL_AT, len(head) - self.start + size)
        pack_into("!H", head, self.start + IP_WORD_AT, word)
        view = view.other(head)
        if checksum := view.header_checksum(self.index):
            view.write(checksum)
        return head


def later_options(options: bytes | bytearray) -> bytes:
    """The options that all fragments carry: those whose copied flag is set (RFC 791 section 3.1), filled up to words."""
    kept, at = b"", 0
    while at < len(options) and options[at] != END_OF_OPTIONS:
        size = 1 if options[at] == NO_OPERATION else options[at + 1] if at + 1 < len(options) else 0
        if size < 1 or (options[at] != NO_OPERATION and size < 2):
            break
        if options[at] & COPIED:
            kept += options[at : at + size]
        at += size
    return kept + bytes(-len(kept) % 4)


def layer_sound(layer: Layer) -> bool:
    """Whether it is of datagrams, or the outermost one."""
    return layer[0] == UNKNOWN or (0 < layer[0] < len(known().kinds) and carries_message(layer[0]))


def outermost(view: View) -> int | None:
    """Which of the headers is the outermost of IP; None: there is none."""
    return next((i for i, header in enumerate(view.headers) if carries_message(header.kind)), None)


def chosen(view: View, layer: Layer) -> int | None:
    """Which of the headers is that of the datagram: the outermost of IP, or what is asked for; None: there is none."""
    kind, occurrence = layer
    if kind == UNKNOWN:
        return outermost(view)
    places = [i for i, header in enumerate(view.headers) if header.kind == kind]
    place = occurrence - 1 if occurrence > 0 else len(places) + occurrence
    return places[place] if 0 <= place < len(places) else None


def datagram_id(frame: bytes | bytearray, header: Header) -> int:
    """The ID of an IP header; 0: it has none."""
    at = header.start + IP_ID_AT
    there = exception(header.kind) == DATAGRAM_4 and at + 2 <= len(frame)
    return int.from_bytes(frame[at : at + 2], "big") if there else 0


def renumber(frame: bytearray, header: Header, by: int) -> None:
    """Counts the ID of an IP header up, if it has one."""
    at = header.start + IP_ID_AT
    if exception(header.kind) == DATAGRAM_4 and at + 2 <= len(frame):
        frame[at : at + 2] = (int.from_bytes(frame[at : at + 2], "big") + by & 0xFFFF).to_bytes(2, "big")


def has_fragment(view: View) -> bool:
    """Whether one of the headers is that of a fragment."""
    kinds = [(exception(header.kind), header.start) for header in view.headers]
    return any(of == FRAGMENT_HEADER or (of == DATAGRAM_4 and wire.ip_is_fragment(view.frame, at)) for of, at in kinds)
