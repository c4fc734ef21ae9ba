"""The Internet checksum (RFC 1071), the CRC of SCTP, and who carries one: the rules, once; twin of ../c/checksum.c.

correction.py, soundness.py and update.py go by them.
"""

from __future__ import annotations

from dataclasses import replace

from dpkt.dpkt import in_cksum_add, in_cksum_done

from ...protocols.walking import A_SUM, NEVER, NO_SUM
from .. import BAD, CORRECTED, FRAGMENT, LEFT, MALFORMED, NONE, OBSCURE, RIGHT
from . import wire
from .headers import IP, IPV6, is_tunnel_port
from .message import Message, Packet

# What a checksum covers, if it is not the whole message; FLAGGED and CONTROL: whether there is one at all.
WHOLE, FLAGGED, CONTROL, UDP_LENGTH, LITE_COVERAGE, DCCP_COVERAGE, OSPF_LENGTH, PIM_HEADER, VRRP_VERSION, OWN_LENGTH = range(10)
V4, V6, BOTH = (False,), (True,), (False, True)

# Who carries a checksum: protocol, in which versions of IP, where in the message it stands, its bytes, the message's least size, in
# which versions there is a pseudo-header, what 0 says, and what is covered.
RULES: tuple[tuple[int, tuple[bool, ...], int, int, int, tuple[bool, ...], int, int], ...] = (
    (wire.PROTO_TCP, BOTH, 16, 2, 20, BOTH, A_SUM, WHOLE),  # RFC 9293 section 3.1
    (wire.PROTO_UDP, BOTH, 6, 2, 8, BOTH, NEVER, UDP_LENGTH),  # RFC 768
    (wire.PROTO_ICMP, V4, 2, 2, 4, (), A_SUM, WHOLE),  # RFC 792
    (wire.PROTO_IPV6_ICMP, V6, 2, 2, 4, V6, A_SUM, WHOLE),  # RFC 4443 section 2.3
    (wire.PROTO_IGMP, V4, 2, 2, 8, (), A_SUM, WHOLE),  # RFC 3376 section 4.1.2: the whole payload of IP
    (wire.PROTO_SCTP, BOTH, 8, 4, 12, (), A_SUM, WHOLE),  # RFC 9260 section 6.8: a CRC
    (wire.PROTO_GRE, BOTH, 4, 2, 8, (), A_SUM, FLAGGED),  # RFC 2784 section 2.3: where a flag says so
    (wire.PROTO_OSPF, BOTH, 12, 2, 16, V6, A_SUM, OSPF_LENGTH),  # RFC 2328 section D.4, RFC 5340 section A.3.1, RFC 7949
    (wire.PROTO_PIM, BOTH, 2, 2, 4, V6, A_SUM, PIM_HEADER),  # RFC 7761 section 4.9
    (wire.PROTO_VRRP, BOTH, 6, 2, 8, V6, A_SUM, VRRP_VERSION),  # RFC 9568 section 5.2.8, RFC 3768 section 5.3.8
    (wire.PROTO_UDPLITE, BOTH, 6, 2, 8, BOTH, NEVER, LITE_COVERAGE),  # RFC 3828 section 3.1
    (wire.PROTO_DCCP, BOTH, 6, 2, 12, BOTH, A_SUM, DCCP_COVERAGE),  # RFC 4340 section 9
    (wire.PROTO_MOBILITY, V6, 4, 2, 8, V6, A_SUM, OWN_LENGTH),  # RFC 6275 section 6.1.1
    (wire.PROTO_HIP, BOTH, 4, 2, 8, BOTH, A_SUM, OWN_LENGTH),  # RFC 7401 section 5.1
    (wire.PROTO_SHIM6, V6, 4, 2, 8, (), A_SUM, CONTROL),  # RFC 5533 section 5.3
    (wire.PROTO_EIGRP, BOTH, 2, 2, 20, (), A_SUM, WHOLE),  # RFC 7868 section 6.2
    (wire.PROTO_RSVP, BOTH, 2, 2, 8, (), NO_SUM, WHOLE),  # RFC 2205 section 3.1.1
    (wire.PROTO_PGM, BOTH, 6, 2, 16, (), NO_SUM, WHOLE),  # RFC 3208 section 8
)
OF = {(rule[0], v6): rule[2:] for rule in RULES for v6 in rule[1]}
# Those that carry none of their own: IP in IP, IPv6, no next header, KA9Q's IP in IP, Ethernet, L2TPv3, MPLS. Of all others it
# is not known: ESP, AH, what is encrypted, what we have not heard of.
NONE_OF_ITS_OWN = {
    wire.PROTO_IPV4, wire.PROTO_IPV6, wire.PROTO_IPV6_NONXT, wire.PROTO_IPIP, wire.PROTO_ETHERIP, wire.PROTO_L2TP, wire.PROTO_MPLS,
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
    result: int = in_cksum_done(total)
    return result


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

    def message(self, index: int) -> tuple[int, Message | None]:
        """What the IP header at `index` carries, and what its checksum covers; of fragments too: what a first one begins with."""
        outcome, message = super().message(index)
        if outcome in (CORRECTED, FRAGMENT) and message is not None:
            self._cover(message)
        return outcome, message

    def _cover(self, m: Message) -> None:
        """Finds the rule for a message, and fills in what its checksum covers; `place` is 0 where it has none.

        `sound` is False where its own sizes contradict each other; it is filled in all the same, as far as it can be.
        """
        rule = OF.get((m.protocol, m.v6))
        if rule is None:
            m.unknown = m.protocol not in NONE_OF_ITS_OWN
            return
        m.place, m.bytes, least, pseudo, zero, extent = rule
        first, own = self.get(m.at, 1), self.get(m.at + 2, 2)
        m.covered = m.length = m.size
        m.pseudo, m.never_zero = m.v6 in pseudo, zero == NEVER
        absent = zero == NO_SUM and self.get(m.at + m.place, 2) == 0
        sound = True
        if extent == FLAGGED:
            absent = not wire.gre_has_checksum(self.frame, m.at)
        elif extent == CONTROL:
            absent = bool(own & 0x8000)  # it carries a payload instead
            m.covered = (self.get(m.at + 1, 1) + 1) * 8
        elif extent == OWN_LENGTH:
            m.covered = m.length = (self.get(m.at + 1, 1) + 1) * 8
        elif extent == UDP_LENGTH:
            length = wire.udp_length(self.frame, m.at)
            if length == 0 and (m.v6 or m.size > 0xFFFF):  # a jumbogram, RFC 2675 section 4
                length = m.size
            sound = length >= wire.UDP_SIZE
            if sound:
                m.covered = m.length = length
        elif extent == LITE_COVERAGE:
            length = wire.udp_length(self.frame, m.at)  # it stands where UDP has that
            sound = length == 0 or length >= wire.UDP_SIZE
            if length >= wire.UDP_SIZE:
                m.covered = length
        elif extent == DCCP_COVERAGE:
            length, coverage = self.get(m.at + 4, 1) * 4, self.get(m.at + 5, 1) & 15
            sound = 12 <= length <= m.size
            if sound and coverage:
                m.covered = length + (coverage - 1) * 4
        elif extent == OSPF_LENGTH:
            m.unknown = first != 3 and (first != 2 or m.v6)
            absent = m.unknown or (first == 2 and self.get(m.at + 14, 2) == 2)  # cryptographic authentication has no sum
            m.gap = 8 if first == 2 else 0  # its authentication is left out
            m.pseudo = first == 3
            least = 24 if first == 2 else 16
            sound = own >= least
            m.covered = m.length = own
        elif extent == PIM_HEADER:
            absent = m.unknown = first >> 4 != 2
            m.other = first & 15 == 1  # Register; some senders have the whole message
            if m.other:
                least = m.covered = m.length = 8
        elif extent == VRRP_VERSION:
            absent = m.unknown = first >> 4 != 3 and (first >> 4 != 2 or m.v6)
            m.other = m.kept = first >> 4 == 3 and not m.v6  # RFC 5798: older senders have a pseudo-header in IPv4, too
        if absent:
            m.place = 0
        m.sound = sound and m.size >= least and m.covered <= m.size

    def covered(self, m: Message) -> bytes:
        """What a checksum covers without itself and the pseudo-header, as far as it was captured; of even size up to the end."""
        data = bytes(self.frame[m.at : m.at + m.covered])
        head, behind = data[: m.place], data[m.place + 2 :]
        return head + (data[m.place + 2 : 16] + data[16 + m.gap :] if m.gap else behind)

    def header_checksum(self, index: int) -> Checksum | None:
        """The checksum of the IPv4 header at `index`; None when it was not captured in full, or is none."""
        at = self.headers[index].start
        size = wire.ip_header_size(self.frame, at) if self.headers[index].kind == IP else 0
        if size < wire.IP_SIZE or not self.within(at, size):
            return None
        header = bytes(self.frame[at : at + size])
        value = internet(header[: wire.IP_CHECKSUM_AT] + header[wire.IP_CHECKSUM_AT + 2 :])
        return Checksum(at + wire.IP_CHECKSUM_AT, 2, value, value)

    def message_checksum(self, index: int) -> tuple[int, Message | None, Checksum | None]:
        """The message behind the IP header at `index` and the checksum it should carry."""
        outcome, m = self.message(index)
        if m is None or outcome not in (CORRECTED, FRAGMENT):
            return outcome, m, None
        if not m.place:
            return CORRECTED, m, None
        if outcome == FRAGMENT:
            return FRAGMENT, m, None
        if not self.within(m.at, m.size):
            return self.missing(), m, None
        if not m.sound:
            return MALFORMED, m, None
        if self.zero_stays(index, m):
            return CORRECTED, m, None
        if m.obscure and m.pseudo:
            return OBSCURE, m, None
        checksum = self.message_value(m)
        if m.other:
            checksum.also = self._value(other_reading(m))
            if m.kept and self.read(checksum) == checksum.also:
                checksum.value = checksum.also
        return CORRECTED, m, checksum

    def message_value(self, m: Message) -> Checksum:
        """Where the checksum of a message stands that was captured, and what it should be."""
        if m.bytes == 4:
            data = bytes(self.frame[m.at : m.at + m.covered])
            value = crc32c(data[: m.place] + bytes(4) + data[m.place + 4 :])
        else:
            value = self._value(m)
        return Checksum(m.at + m.place, m.bytes, value, value)

    def _value(self, m: Message) -> int:
        return internet(self.pseudo(m) + self.covered(m)) or (0xFFFF if m.never_zero else 0)

    def zero_stays(self, index: int, m: Message) -> bool:
        """Whether 0 means that there is no checksum (RFC 768), and stays.

        In UDP that carries a tunnel, over IPv6 too (RFC 6935), and over IPv4 in a tunnel, where nobody needs two.
        """
        if m.protocol != wire.PROTO_UDP or wire.udp_checksum(self.frame, m.at):
            return False
        inside = not m.v6 and any(header.kind in (IP, IPV6) for header in self.headers[:index])
        return inside or is_tunnel_port(wire.udp_destination(self.frame, m.at))

    def card_seed(self, m: Message) -> int:
        """What the field of a checksum holds that was left to the network card: the sum of the pseudo-header, not inverted."""
        return internet(self.pseudo(m)) ^ 0xFFFF if m.pseudo else 0

    def left_to_card(self, m: Message) -> bool:
        """Whether a checksum was left to the card.

        Windows leaves out the length where the card is to cut a segment (large send offload).
        """
        stored, tcp = self.get(m.at + m.place, 2), m.protocol == wire.PROTO_TCP
        return m.pseudo and (stored == self.card_seed(m) or (tcp and stored == self.card_seed(replace(m, length=0))))

    def card_value(self, m: Message) -> int:
        """What the card would make of a seed: it adds what it was given from the start of the message on."""
        seed = bytes(self.frame[m.at + m.place : m.at + m.place + 2])
        return internet(seed + self.covered(m)) or (0xFFFF if m.never_zero else 0)

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

        In one's complement 0 and 0xFFFF are the same number: receivers that add everything up accept both.
        """
        if checksum is None:
            return NONE
        stored, value = self.read(checksum), checksum.value
        same = stored in (value, checksum.also) or (checksum.size == 2 and stored % 0xFFFF == value % 0xFFFF == 0)
        return RIGHT if same else BAD

    def message_judged(self, m: Message, checksum: Checksum | None) -> int:
        """The same for a message.

        UDP over IPv4 may say that it has none, over IPv6 it must not (RFC 768, RFC 8200 8.1); UDP-Lite never does (RFC 3828 3.1).
        """
        if checksum and m.never_zero and self.read(checksum) == 0:
            return BAD if m.v6 or m.protocol != wire.PROTO_UDP else NONE
        verdict = self.judged(checksum)
        return LEFT if verdict == BAD and self.left_to_card(m) else verdict

    def read(self, checksum: Checksum) -> int:
        """What stands where a checksum should."""
        return self.get(checksum.at, checksum.size)

    def write(self, checksum: Checksum | None) -> None:
        """Writes a checksum, if there is one."""
        if checksum:
            self.put(checksum.at, checksum.size, checksum.value)


def other_reading(m: Message) -> Message:
    """The same message with the other way in which its checksum is computed by some, where `other` is set."""
    return replace(m, pseudo=not m.pseudo) if m.kept else replace(m, covered=m.size, length=m.size)
