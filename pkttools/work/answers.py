"""Answers to ARP requests, neighbour solicitations and echo requests, as if every address were there.

Whoever has an IPv4 address a.b.c.d has the MAC address 00:11:a:b:c:d, as in 1.16; of an IPv6 address the last four bytes
count. An answer is the request with other values in its fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from .. import codec
from ..batch import Batch, Packet, Program, gathered
from ..language.expression import any_of, assignments, compiled
from ..protocols.fields import FIELDS, HEADERS, TABLE
from ..protocols.kinds import carries_message, flags
from ..protocols.shown import read_field
from ..protocols.values import Header
from ..protocols.walking import LINK_LAYER, TAG, TUNNEL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Pairs = tuple[tuple[str, str], ...]

TARGET_LINK_ADDRESS = 2  # the option of neighbour discovery, RFC 4861 section 4.6.1
SOLICITED, OVERRIDE = 0x40000000, 0x20000000  # flags of an advertisement, RFC 4861 section 4.4
ALL_NODES = IPv6Address("ff02::1")


class Responder:
    """Answers requests; a stage of a flow. What is no request is dropped.

    networks: for whom answers are given; empty: for every address. Then no answer is given to those who ask whether an
    address is still free (RFC 5227 section 2.1.1, RFC 4862 section 5.4.2): they could have none.
    """

    def __init__(self, networks: list[Network]) -> None:
        self.networks = networks
        self.answered = self.unanswered = 0
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.requests = compiled(any_of(["ARP.OPERATION==1 or ICMP.TYPE==8 or ICMPV6.TYPE==135 or ICMPV6.TYPE==128"]))

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes the answers."""
        for batch in stream:
            codec.beyond(batch.data, batch.rows, self.beyond)
            asked = Batch(batch.data, codec.select(batch.data, batch.rows, self.requests))
            verdicts = codec.check(asked.data, asked.rows)
            found = [self.answer(asked, i) if verdicts[i] == codec.CORRECTED else None for i in range(len(asked))]
            answers = gathered(packet for packet in found if packet)
            self.answered += len(answers)
            self.unanswered += len(asked) - len(answers)
            codec.correct(answers.data, bytes(answers.rows), codec.ALL)
            yield answers

    def answer(self, batch: Batch, i: int) -> Packet | None:
        """The answer to request `i`; None when there is none."""
        packet = batch.packet(i)
        headers = codec.walk(batch.data, batch.part(i, i + 1).rows)
        names = [HEADERS[kind] for kind, *_ in headers]
        message = next((k for k, name in enumerate(names) if name in ("ARP", "ICMP", "ICMPV6")), None)
        if message is None or in_tunnel(headers[:message]):
            return None  # what a tunnel carries is for its end
        if names[message] == "ARP":
            return self.arp(packet, headers[message])
        index = outermost(headers)
        if index is None or index > message:
            return None
        _, start, _, _ = headers[message]
        if names[message] == "ICMPV6" and packet.frame[start] == 135:
            return self.neighbour(packet, headers[index], headers[message])
        return self.echo(packet, names[index], headers[index])

    def here(self, address: Address) -> bool:
        """Whether an answer is given for an address."""
        if address.is_multicast or address.is_unspecified or int(address) == 0xFFFFFFFF:
            return False
        return not self.networks or any(address in network for network in self.networks)

    def arp(self, packet: Packet, header: Header) -> Packet | None:
        """RFC 826: who has the address tells so. Addresses of other sizes stand elsewhere: such a request is none of ours."""
        if [value(packet, header, f"ARP.{name}") for name in ("PROTOCOL", "HARDWARE_SIZE", "PROTOCOL_SIZE")] != [0x0800, 6, 4]:
            return None
        target = ipv4(packet, header, "ARP.TARGET_IPADDR")
        sender = ipv4(packet, header, "ARP.SENDER_IPADDR")
        probe = int(sender) == 0 or sender == target
        if not self.here(target) or (probe and not self.networks):
            return None
        mac = mac_of(target)
        swapped = (("ARP.SENDER_MACADDR", "ARP.TARGET_MACADDR"), ("ARP.SENDER_IPADDR", "ARP.TARGET_IPADDR"))
        return changed(packet, (*LINK, *swapped), (("ARP.OPERATION", "2"), ("ARP.SENDER_MACADDR", mac), ("ETHERNET.SRC_ADDR", mac)))

    def echo(self, packet: Packet, layer: str, header: Header) -> Packet | None:
        """RFC 792, RFC 4443 section 4.2: the same comes back."""
        v6 = layer == "IPV6"
        target = (ipv6 if v6 else ipv4)(packet, header, f"{layer}.DST_ADDR")
        if not self.here(target):
            return None
        values = (("ICMPV6.TYPE", "129"), ("IPV6.HOP_LIMIT", "255")) if v6 else (("ICMP.TYPE", "0"), ("IP.TTL", "255"))
        ends = (f"{layer}.SRC_ADDR", f"{layer}.DST_ADDR")
        return changed(packet, (*LINK, ends), (*values, ("ETHERNET.SRC_ADDR", mac_of(target))))

    def neighbour(self, packet: Packet, header: Header, message: Header) -> Packet | None:
        """RFC 4861 section 7.2.4: who has the address advertises it."""
        (_, network, _, _), (_, start, _, end) = header, message
        at = start + 8
        if end - at < 16:  # section 7.1.1: without a target it is none
            return None
        target, sender = IPv6Address(packet.frame[at : at + 16]), ipv6(packet, header, "IPV6.SRC_ADDR")
        hop_limit = value(packet, header, "IPV6.HOP_LIMIT")
        if hop_limit != 255 or not self.here(target) or (sender.is_unspecified and not self.networks):
            return None
        mac = mac_of(target)
        option = bytes([TARGET_LINK_ADDRESS, 1]) + bytes.fromhex(mac.replace(":", ""))
        answer = packet.remade(packet.frame[: at + 16] + option)
        flags = OVERRIDE if sender.is_unspecified else SOLICITED | OVERRIDE
        values: Pairs = (
            ("ICMPV6.TYPE", "136"), ("ICMPV6.DATA", str(flags)), ("IPV6.PAYLOAD_SIZE", str(at + 24 - network - 40)),
            ("IPV6.DST_ADDR", str(ALL_NODES if sender.is_unspecified else sender)), ("IPV6.SRC_ADDR", str(target)),
            ("ETHERNET.SRC_ADDR", mac),
        )  # fmt: skip
        if sender.is_unspecified:
            values += (("ETHERNET.DST_ADDR", "33:33:00:00:00:01"),)  # RFC 2464 section 7
        return changed(answer, LINK, values)


def outermost(headers: list[Header]) -> int | None:
    """Which of the headers is the outermost of IP; None: there is none."""
    return next((i for i, (kind, *_) in enumerate(headers) if carries_message(kind)), None)


def in_tunnel(headers: list[Header]) -> bool:
    """Whether what is behind these headers has a tunnel in front of it, a second datagram, or a link layer that is carried."""
    found = [flags(kind) for kind, *_ in headers]
    carrier = next((k for k, of in enumerate(found) if not of & (LINK_LAYER | TAG)), len(found))
    datagrams = sum(carries_message(kind) for kind, *_ in headers)
    return datagrams > 1 or any(of & TUNNEL for of in found) or any(of & LINK_LAYER for of in found[carrier:])


LINK: Pairs = (("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"), ("PKTAP.IN", "PKTAP.OUT"))


def value(packet: Packet, header: Header, name: str) -> int:
    """The number in a field that the header has."""
    kind, *places = header
    row = next(TABLE[i] for i in FIELDS[name] if TABLE[i].header == kind)
    return read_field(row, packet.frame, *places)  # type: ignore[return-value]  # numbers only are asked for


def ipv4(packet: Packet, header: Header, name: str) -> IPv4Address:
    """The address in a field."""
    return IPv4Address(value(packet, header, name))


def ipv6(packet: Packet, header: Header, name: str) -> IPv6Address:
    """The address in a field."""
    return IPv6Address(value(packet, header, name))


def mac_of(address: Address) -> str:
    """The MAC address of whoever has an IP address."""
    return (b"\x00\x11" + address.packed[-4:]).hex(":")


def changed(packet: Packet, swapped: Pairs, values: Pairs) -> Packet:
    """The packet with fields exchanged, then set."""
    batch = gathered([packet])
    codec.assign(batch.data, bytes(batch.rows), program(swapped, values), None, False)
    return batch.packet(0)


@lru_cache(256)
def program(swapped: Pairs, values: Pairs) -> Program:
    """Compiled assignments."""
    return assignments([(name, "=", text) for name, text in values], swapped)


def network(text: str) -> Network:
    """`10.0.0.0/8`, `2001:db8::/32`, or one address. Raises ValueError."""
    address, slash, bits = text.partition("/")
    found = ip_address(address)
    kind = IPv4Network if found.version == 4 else IPv6Network
    return kind((int(found), int(bits) if slash else found.max_prefixlen), strict=False)
