"""The Internet checksum (RFC 1071) and who carries one: the rules, once; twin of ../c/checksum.c."""

from __future__ import annotations

from dpkt.dpkt import in_cksum_add, in_cksum_done

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from .headers import EXTENSIONS, IP, IPV6, IPV6_AH, IPV6_FRAGMENT, IPV6_OPTIONS, IPV6_ROUTING, MAX_HEADERS, UNKNOWN, VLAN, Walk
from .rows import checked

CORRECTED, CUT_SHORT, FRAGMENT, MALFORMED = range(4)
ALL, LENGTHS, TRANSPORT = range(3)

# (protocol, in IPv6): where the checksum stands in the message, and the message's least size.
MESSAGES = {
    (1, False): (2, 4),  # ICMP, RFC 792
    (2, False): (2, 8),  # IGMP, RFC 2236 section 2.3: the whole message
    (6, False): (16, 20), (6, True): (16, 20),  # TCP, RFC 9293 section 3.1
    (17, False): (6, 8), (17, True): (6, 8),  # UDP, RFC 768
    (58, True): (2, 4),  # ICMPv6, RFC 4443 section 2.3
}  # fmt: skip


def _checksum(data: bytes) -> int:
    """The checksum of bytes; dpkt's own folding is right up to 64 KB only."""
    total = in_cksum_add(0, data)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return in_cksum_done(total)


class _Frame:
    """One packet's captured bytes, and what is known of the rest."""

    def __init__(self, frame: bytearray, original: int, linktype: int, what: int) -> None:
        self.frame, self.linktype, self.what = frame, linktype, what
        self.wire = max(original, len(frame))  # bytes on the wire
        self.walk()

    def walk(self) -> None:
        found = Walk(bytes(self.frame), self.linktype)
        self.headers, self.type = found.headers, found.type

    def get16(self, at: int) -> int:
        return int.from_bytes(self.frame[at : at + 2], "big")

    def put16(self, at: int, value: int) -> None:
        self.frame[at : at + 2] = value.to_bytes(2, "big")

    def captured(self, at: int, declared: int) -> int:
        """Whether `declared` bytes from `at` were captured; if not, whose fault it is."""
        if at + declared <= len(self.frame):
            return CORRECTED
        return self.missing()

    def missing(self) -> int:
        return CUT_SHORT if self.wire > len(self.frame) else MALFORMED

    def wire_size(self, at: int, declared: int, least: int) -> int:
        """Bytes from `at` to the end of the frame as it was on the wire.

        What follows the datagram in a frame of Ethernet's least size is padding when it is all zero; `declared` is then
        right as it is.
        """
        if self.linktype == 1 and self.wire <= 60 and least <= declared <= self.wire - at and not any(self.frame[at + declared :]):
            return declared
        return self.wire - at

    def correct(self) -> int:
        # A tag as the last header that the walk follows: what lies behind it was not looked at.
        worst = MALFORMED if len(self.headers) == MAX_HEADERS and self.headers[-1][0] == VLAN else CORRECTED
        for i in reversed(range(len(self.headers))):  # the innermost first: outer sums cover inner ones
            kind, start = self.headers[i][:2]
            outcome = self.correct_ip(start) if kind == IP else self.correct_ip6(i) if kind == IPV6 else CORRECTED
            worst = outcome or worst
        last = self.headers[-1][0]
        if self.type in (0x0800, 0x86DD) and (last == UNKNOWN or last <= VLAN):  # announced, but not in full
            return self.missing()
        return worst

    def correct_ip(self, at: int) -> int:
        frame = self.frame
        header_size, total = (frame[at] & 15) * 4, self.get16(at + 2)
        if header_size < 20:
            return MALFORMED
        if outcome := self.captured(at, header_size):
            return outcome
        if self.what == LENGTHS:
            total = self.wire_size(at, total, header_size)
            if total > 0xFFFF:
                return MALFORMED
            self.put16(at + 2, total)
        if self.what != TRANSPORT:
            self.put16(at + 10, 0)
            self.put16(at + 10, _checksum(bytes(frame[at : at + header_size])))
        if total == 0:  # segmentation offload, see headers.py
            total = self.wire - at
        if not header_size <= total <= 0xFFFF:
            return MALFORMED
        if (frame[at + 9], False) not in MESSAGES:
            return CORRECTED
        if self.get16(at + 6) & 0x3FFF:
            return FRAGMENT
        return self.correct_message(frame[at + 9], False, at + header_size, total - header_size, at + 12, at + 16)

    def correct_ip6(self, i: int) -> int:
        frame = self.frame
        at = self.headers[i][1]
        payload = self.get16(at + 4)
        if self.what == LENGTHS:
            payload = self.wire_size(at, payload + 40, 40) - 40
            if payload > 0xFFFF:
                return MALFORMED
            self.put16(at + 4, payload)
            self.walk()  # with the right length there may be more to see
        if payload == 0:  # a jumbogram, or segmentation offload
            payload = self.wire - at - 40
        end = at + 40 + payload
        protocol, message, destination = frame[at + 6], at + 40, at + 24
        for kind, start, _, stop in self.headers[i + 1 :]:
            if not IPV6_OPTIONS <= kind <= IPV6_AH:
                break
            if kind == IPV6_ROUTING:
                destination = self.route_end(start, stop, destination)
                if destination is None:
                    return MALFORMED
            if kind == IPV6_FRAGMENT and self.get16(start + 2) & 0xFFF9:
                return FRAGMENT
            protocol, message = frame[start], stop
        if message > end or protocol in EXTENSIONS:  # it goes past the end, or deeper than the walk
            return self.missing()
        if (protocol, True) not in MESSAGES:
            return CORRECTED
        return self.correct_message(protocol, True, message, end - message, at + 8, destination)

    def route_end(self, start: int, stop: int, destination: int) -> int | None:
        """Where the last address of a route stands; `destination` without segments left; None when it is not known.

        RFC 8200 section 8.1: it is the pseudo-header's destination. Of type 0 it is the last one of the list (RFC 2460
        4.4), of type 2 the only one (RFC 6275 6.4), of type 4 the first one (RFC 8754 section 2).
        """
        addresses, kind, left = self.frame[start + 1] // 2, self.frame[start + 2], self.frame[start + 3]
        if left == 0:
            return destination
        if addresses == 0 or kind not in (0, 2, 4):
            return None
        last = start + 8 + (16 * (addresses - 1) if kind == 0 else 0)
        return last if last + 16 <= stop else None

    def correct_message(self, protocol: int, v6: bool, at: int, size: int, source: int, destination: int) -> int:
        place, least = MESSAGES[protocol, v6]
        if self.what == LENGTHS and protocol == 17 and 8 <= size <= 0xFFFF and at + 6 <= len(self.frame):
            self.put16(at + 4, size)
        if outcome := self.captured(at, size):
            return outcome
        if size < least:
            return MALFORMED
        if protocol == 17:
            length = self.get16(at + 4) or (size if v6 else 0)  # 0 in IPv6: a jumbogram, RFC 2675 section 4
            if not 8 <= length <= size:
                return MALFORMED
            size = length
        pseudo = b""
        if protocol in (6, 17) or v6:  # the pseudo-header: RFC 9293 3.1, RFC 8200 8.1
            address = 16 if v6 else 4
            ends = bytes(self.frame[source : source + address] + self.frame[destination : destination + address])
            pseudo = ends + size.to_bytes(4, "big") + protocol.to_bytes(4, "big")
        self.put16(at + place, 0)
        value = _checksum(pseudo + self.frame[at : at + size])
        if value == 0 and protocol == 17:  # 0 says that there is none: RFC 768
            value = 0xFFFF
        self.put16(at + place, value)
        return CORRECTED


def correct(data: bytearray, rows: bytes, what: int) -> tuple[int, int, int, int]:
    """Mends the checksums of all packets; changes `data`.

    what: ALL checksums; LENGTHS too (IP total, IPv6 payload, UDP); or only TRANSPORT, which the kernel leaves to the
    card. Gives how many packets are as they should be, and how many could not be mended in full because they are cut
    short, a fragment, or malformed.
    """
    values = checked(data, rows)
    if what not in (ALL, LENGTHS, TRANSPORT):
        raise ValueError("no such correction")
    outcomes = [0, 0, 0, 0]
    for i in range(0, len(values), COLUMNS):
        offset, captured = values[i + OFFSET], values[i + CAPTURED]
        frame = bytearray(data[offset : offset + captured])
        outcomes[_Frame(frame, values[i + ORIGINAL], values[i + LINKTYPE], what).correct()] += 1
        data[offset : offset + captured] = frame
    return tuple(outcomes)
