"""Where messages end, and their pseudo-headers; what they are says exceptions.py. Twin of ../c/message.c."""

from __future__ import annotations

from .. import MALFORMED, TRUNCATED
from .exceptions import Message, datagram_said, message_of
from .headers import ByTables, Walk
from .protocols import carries_message


class Packet(ByTables):
    """A packet and its headers; idle ones only if all of them are asked for."""

    def __init__(self, frame: bytes | bytearray, original: int, linktype: int, all_of_them: bool = False) -> None:
        self.frame, self.linktype, self.all = frame, linktype, all_of_them
        self.wire = max(original, len(frame))  # bytes on the wire
        self.resized = False  # whether a length is another one than it was
        self.walk()

    def walk(self) -> None:
        """Finds the headers, anew."""
        self.walked = found = Walk(bytes(self.frame), self.linktype, self.all)
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
        for header in reversed(self.headers[:index]):
            if header.end <= self.headers[index].start:
                continue  # it stands beside it, as the frames of an A-MSDU do
            said = datagram_said(self.frame, header) if carries_message(header.kind) else 0
            if said:  # 0 is segmentation offload, see ip.protocol, ipv6.protocol
                return header.start + said
            if not carries_message(header.kind) and header.end < len(self.frame):
                return header.end
        return self.wire

    def message(self, index: int) -> tuple[int, Message | None]:
        """What the IP header at `index` carries; of fragments too: what a first one begins with."""
        return message_of(self, index)

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
