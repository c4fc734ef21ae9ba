"""The Internet checksum (RFC 1071), the CRC of SCTP, and who carries one: the rules, once; twin of ../c/checksum.c.

mend.py, soundness.py and update.py go by them.
"""

from __future__ import annotations

from dataclasses import dataclass

from dpkt.dpkt import in_cksum_add, in_cksum_done

from .headers import EXTENSIONS, IP, IPV6, IPV6_AH, IPV6_FRAGMENT, IPV6_OPTIONS, IPV6_ROUTING, VXLAN, Walk

CORRECTED, CUT_SHORT, FRAGMENT, MALFORMED, WRONG = range(5)  # `enum outcome` in ../c/codec.h

SCTP, GRE, UDP, ICMPV6 = 132, 47, 17, 58

# (protocol, in IPv6): where the checksum stands in the message, and the message's least size.
MESSAGES = {
    (1, False): (2, 4),  # ICMP, RFC 792
    (2, False): (2, 8),  # IGMP, RFC 2236 section 2.3: the whole message
    (6, False): (16, 20), (6, True): (16, 20),  # TCP, RFC 9293 section 3.1
    (UDP, False): (6, 8), (UDP, True): (6, 8),  # RFC 768
    (GRE, False): (4, 8), (GRE, True): (4, 8),  # RFC 2784 section 2.3: where a flag says so
    (ICMPV6, True): (2, 4),  # RFC 4443 section 2.3
    (SCTP, False): (8, 12), (SCTP, True): (8, 12),  # RFC 9260 section 3.1
}  # fmt: skip


def _crc_table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 if crc & 1 else crc >> 1  # CRC32c, its bits reversed: RFC 9260 appendix A
        table.append(crc)
    return table


CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The CRC of SCTP, as it stands in the packet read as a big-endian number."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return int.from_bytes((crc ^ 0xFFFFFFFF).to_bytes(4, "little"), "big")


def internet(data: bytes) -> int:
    """The Internet checksum of bytes; dpkt's own folding is right up to 64 KB only."""
    total = in_cksum_add(0, data)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return in_cksum_done(total)


@dataclass(slots=True)
class Message:
    """What an IP header carries: size by the IP header, places of the pseudo-header's addresses."""

    protocol: int
    v6: bool
    at: int
    size: int
    source: int
    destination: int


Checksum = tuple[int, int, int]  # where it stands, its bytes (2, or 4 of a CRC), and what should stand there


class View:
    """A packet and its headers."""

    def __init__(self, frame: bytes | bytearray, original: int, linktype: int) -> None:
        self.frame, self.linktype = frame, linktype
        self.wire = max(original, len(frame))  # bytes on the wire
        self.walk()

    def walk(self) -> None:
        """Finds the headers, anew."""
        found = Walk(bytes(self.frame), self.linktype)
        self.headers, self.partial = found.headers, found.partial

    def get(self, at: int, size: int) -> int:
        """A number in the packet; past its end it is 0."""
        return int.from_bytes(self.frame[at : at + size], "big") if at + size <= len(self.frame) else 0

    def put(self, at: int, size: int, value: int) -> None:
        """Writes a number, if it lies in the packet."""
        if at + size <= len(self.frame):
            self.frame[at : at + size] = value.to_bytes(size, "big")  # type: ignore[index]

    def within(self, at: int, size: int) -> bool:
        """Whether it was captured."""
        return at + size <= len(self.frame)

    def missing(self) -> int:
        """What a packet is when something is missing: cut short, unless it says that nothing was."""
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
        if not header_size <= total <= 0xFFFF:
            return MALFORMED, None
        message = Message(self.frame[at + 9], False, at + header_size, total - header_size, at + 12, at + 16)
        return FRAGMENT if self.get(at + 6, 2) & 0x3FFF else CORRECTED, message

    def _message_of_ip6(self, index: int) -> tuple[int, Message | None]:
        at = self.headers[index][1]
        payload = self.get(at + 4, 2)
        end = at + 40 + payload if payload else self.wire_end(index)  # 0: a jumbogram, or segmentation offload
        message, piece = Message(self.frame[at + 6], True, at + 40, 0, at + 8, at + 24), False
        for kind, start, _, stop in self.headers[index + 1 :]:
            if not IPV6_OPTIONS <= kind <= IPV6_AH:
                break
            if kind == IPV6_ROUTING and not self._route_end(start, stop, message):
                return MALFORMED, None
            piece |= kind == IPV6_FRAGMENT and bool(self.get(start + 2, 2) & 0xFFF9)
            message.protocol, message.at = self.frame[start], stop
        if message.at > end or (message.protocol in EXTENSIONS and not piece):  # past the end, or deeper than the walk
            return self.missing(), None
        message.size = end - message.at
        return FRAGMENT if piece else CORRECTED, message

    def _route_end(self, start: int, stop: int, message: Message) -> bool:
        """Lets the pseudo-header have the last address of a route; False when it is not known.

        RFC 8200 section 8.1: with segments left it is the destination. Of type 0 it is the last one of the list (RFC 2460
        4.4), of type 2 the only one (RFC 6275 6.4), of type 4 the first one (RFC 8754 section 2).
        """
        addresses, kind, left = self.frame[start + 1] // 2, self.frame[start + 2], self.frame[start + 3]
        if left == 0:
            return True
        if addresses == 0 or kind not in (0, 2, 4):
            return False
        message.destination = start + 8 + (16 * (addresses - 1) if kind == 0 else 0)
        return message.destination + 16 <= stop

    def place(self, message: Message) -> int:
        """Where in a message its checksum stands; 0: it has none."""
        if message.protocol == GRE and self.get(message.at, 2) & 0xC007 != 0x8000:
            return 0
        return MESSAGES.get((message.protocol, message.v6), (0, 0))[0]

    def pseudo(self, message: Message) -> bytes:
        """The pseudo-header: RFC 9293 3.1, RFC 8200 8.1."""
        if message.protocol not in (6, UDP) and not (message.v6 and message.protocol == ICMPV6):
            return b""
        size = 16 if message.v6 else 4
        ends = [self.frame[at : at + size] for at in (message.source, message.destination)]
        return b"".join([*ends, message.size.to_bytes(4, "big"), message.protocol.to_bytes(4, "big")])

    def header_checksum(self, index: int) -> Checksum | None:
        """The checksum of the IPv4 header at `index`; None when it was not captured in full, or is none."""
        kind, at = self.headers[index][:2]
        size = (self.frame[at] & 15) * 4 if kind == IP else 0
        if size < 20 or not self.within(at, size):
            return None
        header = bytes(self.frame[at : at + size])
        return at + 10, 2, internet(header[:10] + header[12:])

    def message_checksum(self, index: int) -> tuple[int, Message | None, Checksum | None]:
        """The message behind the IP header at `index` and the checksum it should carry."""
        outcome, message = self.message(index)
        if message is None:
            return outcome, None, None
        place = self.place(message)
        if not place:
            return CORRECTED, message, None
        if outcome == FRAGMENT:
            return FRAGMENT, message, None
        at, size = message.at, message.size
        if not self.within(at, size):
            return self.missing(), message, None
        if size < MESSAGES[message.protocol, message.v6][1]:
            return MALFORMED, message, None
        if message.protocol == UDP:
            length = self.get(at + 4, 2) or (size if message.v6 else 0)  # 0 in IPv6: a jumbogram, RFC 2675 section 4
            if not 8 <= length <= size:
                return MALFORMED, message, None
            message.size = size = length
        if self._zero_stays(index, message):
            return CORRECTED, message, None
        data = bytes(self.frame[at : at + size])
        if message.protocol == SCTP:
            return CORRECTED, message, (at + 8, 4, crc32c(data[:8] + bytes(4) + data[12:]))
        value = internet(self.pseudo(message) + data[:place] + data[place + 2 :])
        if value == 0 and message.protocol == UDP:  # 0 says that there is none: RFC 768
            value = 0xFFFF
        return CORRECTED, message, (at + place, 2, value)

    def _zero_stays(self, index: int, message: Message) -> bool:
        """Whether 0 means that there is no checksum (RFC 768) and stays: in tunnels, where nobody needs two."""
        if message.protocol != UDP or message.v6 or self.get(message.at + 6, 2):
            return False
        inside = any(header[0] in (IP, IPV6) for header in self.headers[:index])
        return inside or (index + 2 < len(self.headers) and self.headers[index + 2][0] == VXLAN)

    def read(self, checksum: Checksum) -> int:
        """What stands where a checksum should."""
        return self.get(checksum[0], checksum[1])

    def write(self, checksum: Checksum | None) -> None:
        """Writes a checksum, if there is one."""
        if checksum:
            self.put(*checksum)
