"""What an IP header carries; twin of ../c/message.c.

How much of it, and between whom: what a pseudo-header says.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import CORRECTED, FRAGMENT, MALFORMED, TRUNCATED
from . import wire
from .headers import (
    IP,
    IPV6,
    IPV6_AH,
    IPV6_FRAGMENT,
    IPV6_ROUTING,
    ByTables,
    Header,
    Walk,
    extends,
    has_rule,
    is_extension,
)
from .protocols import Sum

END_OF_OPTIONS, NO_OPERATION, LOOSE_ROUTE, STRICT_ROUTE = 0, 1, 131, 137  # RFC 791 section 3.1
PAD1, JUMBO_PAYLOAD, HOME_ADDRESS = 0, 0xC2, 0xC9  # RFC 8200 section 4.2, RFC 2675 section 2, RFC 6275 section 6.3
SOURCE_ROUTE, HOME_ROUTE, RPL_ROUTE, SEGMENT_ROUTE = 0, 2, 3, 4  # IANA "IPv6 Routing Types"


@dataclass(slots=True)
class Message:
    """What an IP header carries: its size by the IP header, places of the pseudo-header's addresses."""

    protocol: int
    v6: bool
    at: int
    size: int
    source: int
    destination: int
    head: int = 0  # where the first `shared` bytes of the destination stand instead, RFC 6554
    shared: int = 0
    obscure: bool = False  # the last address of its route is not known
    sealed: bool = False  # it is authenticated, with what covers the addresses
    # What its checksum covers, by the rules of descriptions, see sums.py:
    unknown: bool = False  # whether it has a checksum
    summed: bool = False  # whether it has one
    pseudo: bool = False  # whether the sum has a pseudo-header
    other: bool = False  # whether some compute it otherwise
    sound: bool = True  # whether its own sizes fit each other
    place: int = 0  # where in the message the checksum stands
    bytes: int = 0  # its bytes: 2, or 4 of a CRC
    covered: int = 0  # bytes of the message that it covers
    length: int = 0  # what the pseudo-header says
    rule: Sum | None = None


class Packet(ByTables):
    """A packet and its headers; idle ones only if all of them are asked for."""

    def __init__(self, frame: bytes | bytearray, original: int, linktype: int, all_of_them: bool = False) -> None:
        self.frame, self.linktype, self.all = frame, linktype, all_of_them
        self.wire = max(original, len(frame))  # bytes on the wire
        self.walk()

    def walk(self) -> None:
        """Finds the headers, anew."""
        found = Walk(bytes(self.frame), self.linktype, self.all)
        self.headers, self.partial, self.beyond = found.own(), found.partial, found.beyond
        self.quoted = len(found.headers) - len(self.headers)  # how many headers a packet has that is quoted in it
        self.quote = found.quoted  # and in front of which of these it stands

    def get(self, at: int, size: int) -> int:
        """A number in the packet; past its end it is 0."""
        return int.from_bytes(self.frame[at : at + size], "big") if at + size <= len(self.frame) else 0

    def put(self, at: int, size: int, value: int) -> None:
        """Writes a number, if it lies in the packet."""
        if at + size <= len(self.frame):
            self.frame[at : at + size] = value.to_bytes(size, "big")  # type: ignore[index]  # who writes has a bytearray

    def within(self, at: int, size: int) -> bool:
        """Whether it was captured."""
        return at + size <= len(self.frame)

    def missing(self) -> int:
        """What a packet is when something is missing: truncated, unless it says that nothing was."""
        return TRUNCATED if self.wire > len(self.frame) else MALFORMED

    def wire_end(self, index: int) -> int:
        """Where what the header at `index` lies in ended on the wire.

        The datagram of an IP header before it, what says its own end or has a trailer, or else the whole packet.
        """
        frame = self.frame
        for header in reversed(self.headers[:index]):
            kind, start = header.kind, header.start
            size = wire.ip_total(frame, start) if kind == IP else wire.ipv6_payload(frame, start) if kind == IPV6 else 0
            if size:  # 0 is segmentation offload, see ip.protocol, ipv6.protocol
                return start + size + (wire.IPV6_SIZE if kind == IPV6 else 0)
            if kind not in (IP, IPV6) and self.headers[index].start < header.end < len(frame):
                return header.end
        return self.wire

    def message(self, index: int) -> tuple[int, Message | None]:
        """What the IP header at `index` carries; of fragments too: what a first one begins with."""
        return self._message_of_ip(index) if self.headers[index].kind == IP else self._message_of_ip6(index)

    def _message_of_ip(self, index: int) -> tuple[int, Message | None]:
        frame, at = self.frame, self.headers[index].start
        header_size, total = wire.ip_header_size(frame, at), wire.ip_total(frame, at)
        if header_size < wire.IP_SIZE:
            return MALFORMED, None
        if not self.within(at, header_size):
            return self.missing(), None
        if total == 0:  # segmentation offload, see ip.protocol
            total = self.wire_end(index) - at
        if total < header_size:
            return MALFORMED, None
        source, destination = at + wire.IP_SOURCE_AT, at + wire.IP_DESTINATION_AT
        message = Message(wire.ip_protocol(frame, at), False, at + header_size, total - header_size, source, destination)
        self._source_route(at + wire.IP_SIZE, at + header_size, message)
        for header in self.headers[index + 1 :]:  # AH: RFC 4302 section 3.1
            if header.start != message.at or header.end > at + total or not extends(header.kind):
                break
            message.protocol, message.sealed = self.extension_next(header), True
            message.size, message.at = message.size - (header.end - message.at), header.end
        return FRAGMENT if wire.ip_is_fragment(frame, at) else CORRECTED, message

    def _source_route(self, at: int, end: int, message: Message) -> None:
        """Source routes (RFC 791 3.1, RFC 1122 3.2.1.8): while one is not used up, its last address is the destination."""
        while at < end and self.frame[at] != END_OF_OPTIONS:
            kind = self.frame[at]
            size = 1 if kind == NO_OPERATION else self.get(at + 1, 1)
            if size > end - at or (size < 2 and kind != NO_OPERATION):
                return
            if kind in (LOOSE_ROUTE, STRICT_ROUTE):
                if size >= 7 and self.frame[at + 2] <= size:
                    message.destination = at + 3 + ((size - 3) // 4 - 1) * 4
                return
            at += size

    def _option_data(self, at: int, end: int, wanted: int, size: int) -> int:
        """Where the data of an IPv6 option of `size` bytes stand, in the extension header from `at` to `end` (RFC 8200 4.2)."""
        at += 2
        while at + 2 <= end:
            if self.frame[at] == wanted and self.frame[at + 1] == size <= end - at - 2:
                return at + 2
            at += 1 if self.frame[at] == PAD1 else 2 + self.frame[at + 1]
        return 0

    def jumbo_place(self, at: int) -> int:
        """Where the IPv6 header at `at` has the payload size of a jumbogram, in four bytes (RFC 2675 2); 0: it has none."""
        if wire.ipv6_payload(self.frame, at) or wire.ipv6_next(self.frame, at) != wire.PROTO_HOPOPT:
            return 0
        start = at + wire.IPV6_SIZE
        end = start + (wire.extension_length(self.frame, start) + 1) * 8
        return self._option_data(start, end, JUMBO_PAYLOAD, 4) if end <= len(self.frame) else 0

    def _message_of_ip6(self, index: int) -> tuple[int, Message | None]:
        frame, at = self.frame, self.headers[index].start
        payload, behind = wire.ipv6_payload(frame, at), at + wire.IPV6_SIZE
        end = behind + payload if payload else self.wire_end(index)  # 0: a jumbogram, or segmentation offload
        source, destination = at + wire.IPV6_SOURCE_AT, at + wire.IPV6_DESTINATION_AT
        message = Message(wire.ipv6_next(frame, at), True, behind, 0, source, destination, head=destination)
        fragment = last = deeper = False
        for header in self.headers[index + 1 :]:
            kind, start = header.kind, header.start
            if last or not extends(kind):
                break
            if kind == IPV6_ROUTING and not self._route_end(header, message):
                return MALFORMED, None
            options = message.protocol == wire.PROTO_IPV6_OPTS
            message.source = (self._option_data(start, header.end, HOME_ADDRESS, 16) if options else 0) or message.source
            fragment |= kind == IPV6_FRAGMENT and wire.ipv6_is_fragment(frame, start)
            message.sealed |= kind == IPV6_AH
            following = self.extension_next(header)
            last = has_rule(kind) and following == wire.PROTO_IPV6_NONXT  # with a checksum it is a message itself
            if not last:
                message.protocol, message.at = following, header.end
        else:
            deeper = not (fragment or last) and is_extension(message.protocol)  # than the walk, which ended there
        if message.at > end or deeper:
            return self.missing(), None
        message.size = end - message.at
        return FRAGMENT if fragment else CORRECTED, message

    def _route_end(self, header: Header, message: Message) -> bool:
        """Lets the pseudo-header have the last address of a route; False when there is none.

        RFC 8200 section 8.1: with segments left it is the destination. Of type 0 it is the last one of the list (RFC 2460
        4.4), of type 2 the only one (RFC 6275 6.4), of type 3 the last one, which leaves out what it has in common with the
        header's destination (RFC 6554 section 3), of type 4 the first one (RFC 8754 section 2).
        """
        start, kind = header.start, wire.route_type(self.frame, header.start)
        size, addresses = wire.extension_length(self.frame, start) * 8, start + wire.EXTENSION_SIZE
        if wire.route_left(self.frame, start) == 0:  # whatever its type: RFC 8200 section 4.4
            return True
        message.obscure = kind not in (SOURCE_ROUTE, HOME_ROUTE, RPL_ROUTE, SEGMENT_ROUTE)
        if message.obscure:
            return True
        shared, tail = 0, size % 16 if kind == SOURCE_ROUTE else 0
        if kind == RPL_ROUTE:
            shared, tail = self.frame[start + 4] & 15, self.frame[start + 5] >> 4
        if size < tail + 16 - shared or addresses + size > header.end:
            return False
        message.shared = shared
        message.destination = addresses + (0 if kind in (HOME_ROUTE, SEGMENT_ROUTE) else size - tail - (16 - shared))
        return True

    def pseudo(self, message: Message) -> bytes:
        """The pseudo-header: RFC 9293 3.1, RFC 8200 8.1; empty where there is none."""
        size = 16 if message.v6 else 4
        apart = size - message.shared
        if not (message.pseudo and self.within(message.source, size) and self.within(message.destination, apart)):
            return b""
        destination = self.frame[message.head : message.head + message.shared]
        destination += self.frame[message.destination : message.destination + apart]
        source = self.frame[message.source : message.source + size]
        return bytes(source + destination) + message.length.to_bytes(4, "big") + message.protocol.to_bytes(4, "big")
