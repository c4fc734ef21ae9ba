"""What an IP header carries, how much of it, and between whom: what a pseudo-header says; twin of ../c/message.c."""

from __future__ import annotations

from dataclasses import dataclass

from .. import CORRECTED, CUT_SHORT, FRAGMENT, MALFORMED
from .headers import EXTENSIONS, IP, IPV6, IPV6_AH, IPV6_FRAGMENT, IPV6_OPTIONS, IPV6_ROUTING, Walk


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
    # What its checksum covers, by the rules of checksum.py:
    unknown: bool = False  # whether it has a checksum
    pseudo: bool = False  # whether the sum has a pseudo-header
    never_zero: bool = False  # whether 0xFFFF stands for 0
    other: bool = False  # whether some compute it otherwise
    kept: bool = False  # and whether that is left as it is
    sound: bool = True  # whether its own sizes fit each other
    place: int = 0  # where in the message the checksum stands, 0: it has none
    bytes: int = 0  # its bytes: 2, or 4 of a CRC
    covered: int = 0  # bytes of the message that it covers
    length: int = 0  # what the pseudo-header says
    gap: int = 0  # bytes from 16 on that it leaves out


class Packet:
    """A packet and its headers."""

    def __init__(self, frame: bytes | bytearray, original: int, linktype: int) -> None:
        self.frame, self.linktype = frame, linktype
        self.wire = max(original, len(frame))  # bytes on the wire
        self.walk()

    def walk(self) -> None:
        """Finds the headers, anew."""
        found = Walk(bytes(self.frame), self.linktype)
        self.headers, self.partial, self.beyond = found.headers, found.partial, found.beyond

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
        return CUT_SHORT if self.wire > len(self.frame) else MALFORMED

    def wire_end(self, index: int) -> int:
        """Where the datagram of the IP header before `index`, or else the whole packet, ended on the wire."""
        for kind, start, *_ in reversed(self.headers[:index]):
            size = self.get(start + 2, 2) if kind == IP else self.get(start + 4, 2) if kind == IPV6 else 0
            if size:  # 0 is segmentation offload, see headers.py
                return start + size + (40 if kind == IPV6 else 0)
        return self.wire

    def message(self, index: int) -> tuple[int, Message | None]:
        """What the IP header at `index` carries; of fragments too: what a first one begins with."""
        return self._message_of_ip(index) if self.headers[index][0] == IP else self._message_of_ip6(index)

    def _message_of_ip(self, index: int) -> tuple[int, Message | None]:
        at = self.headers[index][1]
        header_size, total = (self.frame[at] & 15) * 4, self.get(at + 2, 2)
        if header_size < 20:
            return MALFORMED, None
        if not self.within(at, header_size):
            return self.missing(), None
        if total == 0:  # segmentation offload, see headers.py
            total = self.wire_end(index) - at
        if total < header_size:
            return MALFORMED, None
        message = Message(self.frame[at + 9], False, at + header_size, total - header_size, at + 12, at + 16)
        self._source_route(at + 20, at + header_size, message)
        return FRAGMENT if self.get(at + 6, 2) & 0x3FFF else CORRECTED, message

    def _source_route(self, at: int, end: int, message: Message) -> None:
        """Source routes (RFC 791 3.1, RFC 1122 3.2.1.8): while one is not used up, its last address is the destination."""
        while at < end and self.frame[at]:
            kind = self.frame[at]
            size = 1 if kind == 1 else self.get(at + 1, 1)
            if size > end - at or (size < 2 and kind != 1):
                return
            if kind in (131, 137):  # loose, strict
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
            at += 1 if self.frame[at] == 0 else 2 + self.frame[at + 1]
        return 0

    def jumbo_place(self, at: int) -> int:
        """Where the IPv6 header at `at` has the payload size of a jumbogram, in four bytes (RFC 2675 2); 0: it has none."""
        if self.get(at + 4, 2) or self.get(at + 6, 1):
            return 0
        end = at + 40 + (self.get(at + 41, 1) + 1) * 8
        return self._option_data(at + 40, end, 0xC2, 4) if end <= len(self.frame) else 0

    def _message_of_ip6(self, index: int) -> tuple[int, Message | None]:
        at = self.headers[index][1]
        payload = self.get(at + 4, 2)
        end = at + 40 + payload if payload else self.wire_end(index)  # 0: a jumbogram, or segmentation offload
        message = Message(self.frame[at + 6], True, at + 40, 0, at + 8, at + 24, head=at + 24)
        piece = last = False
        for kind, start, _, stop in self.headers[index + 1 :]:
            if last or not IPV6_OPTIONS <= kind <= IPV6_AH:
                break
            if kind == IPV6_ROUTING and not self._route_end(start, stop, message):
                return MALFORMED, None
            home = self._option_data(start, stop, 201, 16) if message.protocol == 60 else 0  # RFC 6275 section 6.3
            message.source = home or message.source
            piece |= kind == IPV6_FRAGMENT and bool(self.get(start + 2, 2) & 0xFFF9)
            message.sealed |= kind == IPV6_AH
            last = 135 <= message.protocol <= 140 and self.frame[start] == 59  # these are messages themselves
            if not last:
                message.protocol, message.at = self.frame[start], stop
        if message.at > end or (message.protocol in EXTENSIONS and not (piece or last)):  # past the end, or deeper than the walk
            return self.missing(), None
        message.size = end - message.at
        return FRAGMENT if piece else CORRECTED, message

    def _route_end(self, start: int, stop: int, message: Message) -> bool:
        """Lets the pseudo-header have the last address of a route; False when there is none.

        RFC 8200 section 8.1: with segments left it is the destination. Of type 0 it is the last one of the list (RFC 2460
        4.4), of type 2 the only one (RFC 6275 6.4), of type 3 the last one, which leaves out what it has in common with the
        header's destination (RFC 6554 section 3), of type 4 the first one (RFC 8754 section 2).
        """
        size, kind, left = self.frame[start + 1] * 8, self.frame[start + 2], self.frame[start + 3]
        if left == 0:  # whatever its type: RFC 8200 section 4.4
            return True
        message.obscure = kind not in (0, 2, 3, 4)
        if message.obscure:
            return True
        shared, tail = 0, size % 16 if kind == 0 else 0
        if kind == 3:
            shared, tail = self.frame[start + 4] & 15, self.frame[start + 5] >> 4
        if size < tail + 16 - shared or start + 8 + size > stop:
            return False
        message.shared = shared
        message.destination = start + 8 + (0 if kind in (2, 4) else size - tail - (16 - shared))
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
