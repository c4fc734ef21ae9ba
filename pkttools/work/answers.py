"""Answers to ARP requests, neighbour solicitations and echo requests, as if every address were there: as rules for the codec.

Whoever has an IPv4 address a.b.c.d has the MAC address 00:11:a:b:c:d, as in 1.16; of an IPv6 address the last four bytes
count. An answer is the request with other values in its fields.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from .. import codec
from ..batch import Batch, Program
from ..codec.program import ACCEPT, EQUAL, NUMBER, PRESENT, REJECT, UNEQUAL
from ..language.expression import Tests, any_of, compiled
from ..language.program import ALL_BITS
from ..protocols import ROW
from ..protocols.fields import FIELDS, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Network = IPv4Network | IPv6Network
Place = tuple[int, int, int]  # kind of header, first bit, width
Edit = tuple[int, int, int, int, int]  # see codec.answer
Rule = tuple[int, Program, bytes, bytes, int]

TARGET_LINK_ADDRESS = 0x0201  # the option of neighbour discovery and its length in eights, RFC 4861 section 4.6.1
SOLICITED, OVERRIDE = 0x40000000, 0x20000000  # flags of an advertisement, RFC 4861 section 4.4
TARGET_AT, OPTION_AT = 8, 24  # in a solicitation and an advertisement, RFC 4861 sections 4.3 and 4.4
ALL_NODES = int(IPv6Address("ff02::1"))
OF_ALL_NODES = 0x333300000001  # RFC 2464 section 7
OURS = 0x0011  # what our MAC addresses begin with


class Responder:
    """Answers requests; a stage of a flow. What is no request is dropped.

    networks: for whom answers are given; empty: for every address. Then no answer is given to those who ask whether an
    address is still free (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2): they could have none.
    """

    TALLIES = ("answered", "unanswered")  # see flow/tallies.py

    def __init__(self, networks: list[Network]) -> None:
        self.answered = self.unanswered = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.requests = compiled(any_of(["ARP.OPERATION==1 or ICMP.TYPE==8 or ICMPV6.TYPE==135 or ICMPV6.TYPE==128"]))
        self.rules = (echo(4, networks), arp(networks), echo(6, networks), *neighbour(networks))

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes the answers."""
        for batch in stream:
            asked = codec.select(batch.data, batch.rows, self.requests, 1, self.beyond)
            answers = Batch(*codec.answer(batch.data, asked, self.rules, self.beyond))
            self.answered += len(answers)
            self.unanswered += len(Batch(batch.data, asked)) - len(answers)
            yield answers


def places(name: str) -> list[Place]:
    """Where a field stands, in each kind of header that has it."""
    return [(row.header, row.bit, row.width) for row in map(TABLE.__getitem__, FIELDS[name])]


def place(name: str) -> Place:
    """The same of a field in the first kind of header that has it."""
    return places(name)[0]


def part(of: Place, first: int, width: int) -> Place:
    """Bits of a field."""
    kind, bit, _ = of
    return kind, bit + first, width


class Conditions:
    """Tests of a request under construction, all of which hold."""

    def __init__(self) -> None:
        self.tests, self.fields = Tests(), b""

    def field(self, of: Place) -> int:
        """A field of its own: the table has no other ones."""
        kind, bit, width = of
        self.fields += struct.pack(ROW, kind, bit, width, 0, 1, NUMBER, 0, 0)
        return len(self.fields) // struct.calcsize(ROW) - 1

    def need(self, of: Place, value: int, compare: int = EQUAL, mask: int = ALL_BITS) -> None:
        """The field is there, and holds what it should."""
        further = self.tests.label()
        self.tests.add(self.field(of), 1, compare, value, mask, further, REJECT)
        self.tests.bind(further)

    def here(self, of: Place, networks: list[Network]) -> None:
        """An answer is given for the address in a field."""
        width, field = of[2], self.field(of)
        version, group = (4, (0xE0, 0xF0)) if width == 32 else (6, (0xFF, 0xFF))
        beyond = [(0, ALL_BITS), (0xFFFFFFFF, ALL_BITS), (group[0] << width - 8, group[1] << width - 8)]  # nobody's, all's, groups
        self.need(of, 0, PRESENT)
        for value, mask in beyond:
            further = self.tests.label()
            self.tests.add(field, 1, EQUAL, value, mask, REJECT, further)
            self.tests.bind(further)
        theirs = [one for one in networks if one.version == version]
        found = self.tests.label()
        for i, one in enumerate(theirs):
            following = self.tests.label()
            last = i == len(theirs) - 1
            self.tests.add(field, 1, EQUAL, int(one.network_address), int(one.netmask), found, REJECT if last else following)
            if not last:
                self.tests.bind(following)
        if networks and not theirs:
            self.tests.add(field, 1, PRESENT, 0, ALL_BITS, REJECT, REJECT)
        self.tests.bind(found)

    def program(self) -> Program:
        """The finished program: it ends with a test that accepts, held or not."""
        last = self.field((0, 0, 0))
        self.tests.add(last, 1, PRESENT, 0, ALL_BITS, ACCEPT, ACCEPT)
        _, code, constants = self.tests.program()
        return self.fields, code, constants


def to(goal: Place, source: Place) -> list[Edit]:
    """What another field holds goes into one."""
    kind, bit, width = goal
    return [(kind, bit + at, min(width - at, 64), source[0], source[1] + at) for at in range(0, width, 64)]


def set_to(goal: Place, value: int) -> list[Edit]:
    """A number goes into a field."""
    kind, bit, width = goal
    words = [(at, min(width - at, 64)) for at in range(0, width, 64)]
    return [(kind, bit + at, size, -1, value >> width - at - size & (1 << size) - 1) for at, size in words]


def swapped(*names: str) -> list[Edit]:
    """Two fields are exchanged, in each kind of header that has both."""
    one, other = map(places, names)
    return [edit for a, b in zip(one, other, strict=True) for edit in to(a, b) + to(b, a)]


def mac_of(goal: Place, address: Place) -> list[Edit]:
    """The MAC address of whoever has an IP address goes into a field."""
    return set_to(part(goal, 0, 16), OURS) + to(part(goal, 16, 32), part(address, address[2] - 32, 32))


def packed(edits: list[Edit]) -> bytes:
    """Edits as the codec takes them."""
    return b"".join(struct.pack("5q", *kinds, value - (1 << 64) if value >> 63 else value) for *kinds, value in edits)


def answered(address: Place) -> list[Edit]:
    """What all answers have: back to where the request came from, from the MAC address of who has the address that it is for."""
    ends = [*swapped("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"), *swapped("PKTAP.IN", "PKTAP.OUT")]
    return [*ends, *mac_of(place("ETHERNET.SRC_ADDR"), address)]


def arp(networks: list[Network]) -> Rule:
    """RFC 826: who has the address tells so. Addresses of other sizes stand elsewhere: such a request is none of ours."""
    sender, target, operation = place("ARP.SENDER_IPADDR"), place("ARP.TARGET_IPADDR"), place("ARP.OPERATION")
    asked = Conditions()
    asked.need(operation, 1)
    for name, value in (("PROTOCOL", 0x0800), ("HARDWARE_SIZE", 6), ("PROTOCOL_SIZE", 4)):
        asked.need(place(f"ARP.{name}"), value)
    asked.here(target, networks)
    if not networks:
        asked.need(sender, 0, UNEQUAL)
    edits = [
        *answered(target), *swapped("ARP.SENDER_MACADDR", "ARP.TARGET_MACADDR"), *swapped("ARP.SENDER_IPADDR", "ARP.TARGET_IPADDR"),
        *set_to(operation, 2), *mac_of(place("ARP.SENDER_MACADDR"), target),
    ]  # fmt: skip
    return sender[0], asked.program(), packed(edits), b"" if networks else packed(to(sender, target)), 0


def echo(version: int, networks: list[Network]) -> Rule:
    """RFC 792, RFC 4443 section 4.2: the same comes back."""
    layer, message, request, reply, hops = (
        ("IPV6", "ICMPV6", 128, 129, "IPV6.HOP_LIMIT") if version == 6 else ("IP", "ICMP", 8, 0, "IP.TTL")
    )
    destination, kind = place(f"{layer}.DST_ADDR"), place(f"{message}.TYPE")
    asked = Conditions()
    asked.need(kind, request)
    asked.here(destination, networks)
    ends = swapped(f"{layer}.SRC_ADDR", f"{layer}.DST_ADDR")
    edits = [*answered(destination), *ends, *set_to(kind, reply), *set_to(place(hops), 255)]
    return kind[0], asked.program(), packed(edits), b"", 0


def neighbour(networks: list[Network]) -> list[Rule]:
    """RFC 4861 section 7.2.4: who has the address advertises it; to all where nobody knows yet who asks."""
    kind, flags, source, destination = map(place, ("ICMPV6.TYPE", "ICMPV6.DATA", "IPV6.SRC_ADDR", "IPV6.DST_ADDR"))
    message = kind[0]
    target, option = (message, TARGET_AT * 8, 128), (message, OPTION_AT * 8, 16)
    made = []
    for known in (True, False) if networks else (True,):
        asked = Conditions()
        asked.need(kind, 135)
        asked.need(place("IPV6.HOP_LIMIT"), 255)
        asked.need(source, 0, UNEQUAL if known else EQUAL)
        asked.here(target, networks)
        edits = [
            *answered(target), *set_to(kind, 136), *to(source, target), *set_to(option, TARGET_LINK_ADDRESS),
            *mac_of((message, OPTION_AT * 8 + 16, 48), target),
        ]  # fmt: skip
        if known:
            edits += [*set_to(flags, SOLICITED | OVERRIDE), *to(destination, source)]
        else:
            edits += [*set_to(flags, OVERRIDE), *set_to(destination, ALL_NODES)]
            edits += set_to(place("ETHERNET.DST_ADDR"), OF_ALL_NODES)
        made.append((message, asked.program(), packed(edits), b"", OPTION_AT + 8))
    return made


def network(text: str) -> Network:
    """`10.0.0.0/8`, `2001:db8::/32`, or one address. Raises ValueError."""
    address, slash, bits = text.partition("/")
    found = ip_address(address)
    kind = IPv4Network if found.version == 4 else IPv6Network
    return kind((int(found), int(bits) if slash else found.max_prefixlen), strict=False)
