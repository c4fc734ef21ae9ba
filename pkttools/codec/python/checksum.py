"""The Internet checksum (RFC 1071), the CRC of SCTP, and what is to be said of one; twin of ../c/checksum.c."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from zlib import crc32

from dpkt.dpkt import in_cksum_add, in_cksum_done

from ...protocols.walking import ALSO_MESSAGE, CARD_CUTS, MISSING, NEVER
from .. import BAD, LEFT, NONE, RIGHT
from .exceptions import Message, datagram_head
from .message import Packet
from .protocols import Sum, carries_message, known


def _crc_table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 if crc & 1 else crc >> 1  # CRC32c, its bits reversed: RFC 9260 appendix A
        table.append(crc)
    return table


CRC_TABLE = _crc_table()
FCS = 4  # octets of a frame check sequence: IEEE 802.3 clause 3.2.9


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
    result: int = in_cksum_done(total)
    return result


def has_fcs(frame: bytes) -> bool:
    """Whether a frame ends with its own check sequence: a CRC-32, sent least significant byte first."""
    return len(frame) >= FCS and crc32(frame[:-FCS]) == int.from_bytes(frame[-FCS:], "little")


class Checksum:
    """A checksum as it should be.

    at: where it stands. size: its bytes, 2, or 4 of a CRC. value: what should stand there. also: what some write, which is
    taken for right.
    """

    __slots__ = ("at", "size", "value", "also")

    def __init__(self, at: int, size: int, value: int, also: int) -> None:
        self.at, self.size, self.value, self.also = at, size, value, also


class View(Packet):
    """A packet, its headers, and their checksums."""

    def quoted_packet(self) -> View | None:
        """The packet that an error message quotes, as far as it does, as a copy; None: there is none."""
        if not self.quoted:
            return None
        view, found = copy(self), self.walked
        view.frame, view.headers, view.quoted = self.frame[: found.quote_end], found.headers[found.quoted : found.resumed], 0
        return view

    def other(self, frame: bytearray) -> View:
        """The same with other bytes, its headers where they are."""
        view = copy(self)
        view.frame = frame
        return view

    def covered(self, m: Message) -> bytes:
        """What a checksum covers without itself and the pseudo-header, as far as it was captured; of even size up to the end."""
        data, gap_at, gap = bytes(self.frame[m.at : m.at + m.covered]), _rule(m).gap_at, _rule(m).gap
        if gap:
            data = data[:gap_at] + data[gap_at + gap :]
        return data[: m.place] + data[m.place + 2 :]

    def header_checksum(self, index: int) -> Checksum | None:
        """The checksum that the header at `index` has beside that of what it carries.

        Of IPv4; None when it was not captured in full.
        """
        of = self.headers[index]
        at, rule = of.start, known().kinds[of.kind].sum if carries_message(of.kind) else None
        if rule is None or rule.bytes != 2:
            return None
        size = datagram_head(self.frame, of)
        if size < rule.least or not self.within(at, size):
            return None
        header = bytes(self.frame[at : at + size])
        value = internet(header[: rule.at] + header[rule.at + 2 :])
        return Checksum(at + rule.at, 2, value, value)

    def message_value(self, m: Message) -> Checksum:
        """Where the checksum of a message stands that was captured, and what it should be."""
        if m.bytes == 4:
            data = bytes(self.frame[m.at : m.at + m.covered])
            value = crc32c(data[: m.place] + bytes(4) + data[m.place + 4 :])
        else:
            value = self._value(m)
        checksum = Checksum(m.at + m.place, m.bytes, value, value)
        if m.other:
            checksum.also = self._value(other_reading(m))
            if _rule(m).also != ALSO_MESSAGE and self.read(checksum) == checksum.also:
                checksum.value = checksum.also  # who computes it so may go on
        return checksum

    def _value(self, m: Message) -> int:
        return written(m, internet(self.pseudo(m) + self.covered(m)))

    def made_otherwise(self, m: Message) -> bool:
        """Whether a message was made by the other reading of its checksum."""
        if not m.other or not self.within(m.at, m.size):
            return False
        stored, o = self.get(m.at + m.place, 2), other_reading(m)
        first, other = (internet(self.pseudo(one) + self.covered(one)) for one in (m, o))
        return first != stored == other

    def is_missing(self, m: Message) -> bool:
        """Whether a message says that it has no checksum, where it should have one."""
        return _rule(m).zero >= MISSING and self.get(m.at + m.place, 2) == 0

    def was_not_sent(self, m: Message) -> bool:
        """Whether it has none, and may have none, whatever its length says, and however much of it was captured: UDP over IPv4.

        Over IPv6 it must have one (RFC 768, RFC 8200 section 8.1), and UDP-Lite must, too (RFC 3828 section 3.1).
        """
        may = m.rule is not None and m.rule.zero == MISSING and not m.v6
        return may and self.within(m.at + m.place, 2) and self.is_missing(m)

    def card_seed(self, m: Message) -> int:
        """What the field of a checksum holds that was left to the network card: the sum of the pseudo-header, not inverted."""
        return internet(self.pseudo(m)) ^ 0xFFFF if m.pseudo else 0

    def left_to_card(self, m: Message) -> bool:
        """Whether a checksum was left to the card.

        Windows leaves out the length where the card is to cut a segment (large send offload).
        """
        stored, cuts = self.get(m.at + m.place, 2), _rule(m).card & CARD_CUTS
        return m.pseudo and (stored == self.card_seed(m) or bool(cuts and stored == self.card_seed(replace(m, length=0))))

    def card_value(self, m: Message) -> int:
        """What the card would make of a seed: it adds what it was given from the start of the message on."""
        seed = bytes(self.frame[m.at + m.place : m.at + m.place + 2])
        return written(m, internet(seed + self.covered(m)))

    def finishing(self, m: Message, left: Checksum | None) -> bytes:
        """What has to be added to the sum over a message, so that a checksum inside is finished that was left to the card.

        Outer sums are computed as if that were done (Linux calls it local checksum offload).
        """
        if left is None or not m.at <= left.at < m.at + m.covered:
            return b""
        words = (self.get(left.at, 2) ^ 0xFFFF).to_bytes(2, "big") + left.value.to_bytes(2, "big")
        return words if (left.at - m.at) % 2 == 0 else b"\0" + words + b"\0"

    def judged(self, checksum: Checksum | None) -> int:
        """What is to be said of a checksum.

        In one's complement 0 and 0xFFFF are the same number: receivers that add everything up accept 0xFFFF for 0; not 0 for
        0xFFFF, which is computed of zeros alone: their sum is 0 then.
        """
        if checksum is None:
            return NONE
        stored, value = self.read(checksum), checksum.value
        same = stored in (value, checksum.also) or (checksum.size == 2 and stored == 0xFFFF and value == 0)
        return RIGHT if same else BAD

    def message_judged(self, m: Message, checksum: Checksum | None) -> int:
        """The same for a message."""
        if checksum is None:
            return NONE
        if self.is_missing(m):
            return NONE if self.was_not_sent(m) else BAD
        verdict = self.judged(checksum)
        return LEFT if verdict == BAD and self.left_to_card(m) else verdict

    def read(self, checksum: Checksum) -> int:
        """What stands where a checksum should."""
        return self.get(checksum.at, checksum.size)

    def write(self, checksum: Checksum | None) -> None:
        """Writes a checksum, if there is one."""
        if checksum:
            self.put(checksum.at, checksum.size, checksum.value)


def _rule(m: Message) -> Sum:
    """The rule of a message that has a checksum."""
    assert m.rule is not None
    return m.rule


def written(m: Message, value: int) -> int:
    """The sum as it is written: where 0 would say that there is none, 0xFFFF stands for it."""
    return 0xFFFF if value == 0 and _rule(m).zero >= NEVER else value


def other_reading(m: Message) -> Message:
    """The same message with the other way in which its checksum is computed by some, where `other` is set."""
    if _rule(m).also == ALSO_MESSAGE:
        return replace(m, covered=m.size, length=m.size)
    return replace(m, pseudo=not m.pseudo)
