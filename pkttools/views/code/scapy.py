"""Packets as expressions of scapy: headers that it has and we trust to come back to the bit, and bytes for all else.

All fields are given, lengths and checksums too: nothing is left for scapy to compute.
"""

from __future__ import annotations

from struct import unpack

from ...protocols.shown import format_address
from .target import ETHERNET, RAW_IP, Target, literal, mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..parts import Packet

    Writer = Callable[[bytes], str]

NAMES = "ARP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, Raw"


def ether(data: bytes) -> str:
    """Ethernet."""
    return f'Ether(dst="{mac(data[:6])}", src="{mac(data[6:12])}", type={int.from_bytes(data[12:14], "big"):#06x})'


def vlan(data: bytes) -> str:
    """A tag; of DEI, whose name has changed in scapy, nothing is said unless it is 0."""
    tag, kind = unpack(">HH", data)
    if tag & 0x1000:
        return f"Dot1Q({literal(data)})"
    return f"Dot1Q(prio={tag >> 13}, vlan={tag & 0xFFF}, type={kind:#06x})"


def arp(data: bytes) -> str:
    """ARP of Ethernet and IPv4; of other sizes it stays bytes."""
    hardware, protocol, size, other, operation = unpack(">HHBBH", data[:8])
    if (size, other, len(data)) != (6, 4, 28) or (hardware, protocol) != (1, 0x0800):
        return ""
    addresses = [mac(data[8:14]), format_address(data[14:18]), mac(data[18:24]), format_address(data[24:28])]
    said = ", ".join(f'{name}="{text}"' for name, text in zip(("hwsrc", "psrc", "hwdst", "pdst"), addresses, strict=True))
    return f"ARP(hwtype=1, ptype=0x0800, hwlen=6, plen=4, op={operation}, {said})"


def ip(data: bytes) -> str:
    """IPv4; with options as bytes."""
    if len(data) != 20 or data[0] != 0x45:
        return f"IP({literal(data)})" if data[0] >> 4 == 4 and len(data) == 4 * (data[0] & 15) else ""
    _, tos, size, number, fragment, ttl, protocol, checksum = unpack(">BBHHHBBH", data[:12])
    return (
        f'IP(src="{format_address(data[12:16])}", dst="{format_address(data[16:20])}", '
        f"ihl=5, tos={tos:#x}, len={size}, id={number}, "
        f"flags={fragment >> 13}, frag={fragment & 0x1FFF}, ttl={ttl}, proto={protocol}, chksum={checksum:#06x})"
    )


def ipv6(data: bytes) -> str:
    """IPv6."""
    word, size, following, hops = unpack(">IHBB", data[:8])
    if len(data) != 40 or word >> 28 != 6:
        return ""
    return (
        f'IPv6(src="{format_address(data[8:24])}", dst="{format_address(data[24:40])}", tc={word >> 20 & 0xFF:#x}, '
        f"fl={word & 0xFFFFF:#x}, plen={size}, nh={following}, hlim={hops})"
    )


def udp(data: bytes) -> str:
    """UDP."""
    return "UDP(sport={}, dport={}, len={}, chksum={:#06x})".format(*unpack(">HHHH", data))


def tcp(data: bytes) -> str:
    """TCP; with options that it would not write so, as bytes."""
    source, destination, sequence, acknowledged, bits, window, checksum, urgent = unpack(">HHIIHHHH", data[:20])
    options = tcp_options(data[20:])
    if options is None:
        return f"TCP({literal(data)})"
    said = f", options=[{', '.join(options)}]" if options else ""
    return (
        f"TCP(sport={source}, dport={destination}, seq={sequence}, ack={acknowledged}, dataofs={bits >> 12}, "
        f"reserved={bits >> 9 & 7}, flags={bits & 0x1FF:#x}, window={window}, chksum={checksum:#06x}, urgptr={urgent}{said})"
    )


SIZED = {2: ("MSS", 4, ">H"), 3: ("WScale", 3, ">B"), 8: ("Timestamp", 10, ">II")}


def tcp_options(data: bytes) -> list[str] | None:
    """Options as scapy has them; None: it has not."""
    found, at = [], 0
    while at < len(data):
        kind = data[at]
        size = data[at + 1] if at + 1 < len(data) else 0
        if kind == 1:
            found.append('("NOP", None)')
            size = 1
        elif kind == 4 and size == 2:
            found.append('("SAckOK", b"")')
        elif kind in SIZED and size == SIZED[kind][1] and at + size <= len(data):
            name, _, form = SIZED[kind]
            values = unpack(form, data[at + 2 : at + size])
            found.append(f'("{name}", {values[0] if len(values) == 1 else values})')
        else:
            return None
        at += size
    return found


def icmp(data: bytes) -> str:
    """An echo; others stay bytes."""
    kind, code, checksum, number, sequence = unpack(">BBHHH", data)
    return f"ICMP(type={kind}, code={code}, chksum={checksum:#06x}, id={number}, seq={sequence})" if kind in (0, 8) else ""


def icmpv6(data: bytes) -> str:
    """The same of ICMPv6."""
    kind, code, checksum, number, sequence = unpack(">BBHHH", data)
    name = {128: "ICMPv6EchoRequest", 129: "ICMPv6EchoReply"}.get(kind)
    return f"{name}(type={kind}, code={code}, cksum={checksum:#06x}, id={number}, seq={sequence})" if name else ""


# By name of the header: how many bytes it has at least, and what writes it.
WRITERS: dict[str, tuple[int, Writer]] = {
    "ETHERNET": (14, ether), "VLAN": (4, vlan), "ARP": (28, arp), "IP": (20, ip), "IPV6": (40, ipv6), "UDP": (8, udp),
    "TCP": (20, tcp), "ICMP": (8, icmp), "ICMPV6": (8, icmpv6),
}  # fmt: skip


def size_of(name: str, data: bytes) -> int:
    """Bytes of a header that begins some bytes; more than there are where it is not whole."""
    least = WRITERS[name][0]
    if len(data) < least:
        return least
    return max(least, 4 * (data[0] & 15) if name == "IP" else 4 * (data[12] >> 4) if name == "TCP" else 0)


class Scapy(Target):
    """Expressions of scapy, in a list."""

    name, what = "scapy", "expressions of scapy, in a list"

    def head(self) -> list[str]:
        """What they need."""
        return [f"from scapy.all import {NAMES}", "", "packets = []"]

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its expression, a header a line; from the first one that is not known on, bytes."""
        frame, at, words = bytes(packet.frame), 0, []
        headers = packet.headers if packet.linktype in (ETHERNET, RAW_IP) else []
        self.lose(f"that it is of link type {packet.linktype}: it is written as bytes", not headers and bool(frame))
        for header in headers:
            if header.name not in WRITERS or header.start != at or header.quoted:
                break
            end = at + size_of(header.name, frame[at:])
            word = WRITERS[header.name][1](frame[at:end]) if end <= len(frame) else ""
            if not word:
                break
            words.append(word)
            at = end
        if at < len(frame) or not words:
            words.append(f"Raw({literal(frame[at:])})")
        return ["packets.append(", *(f"    {'/ ' if i else ''}{word}" for i, word in enumerate(words)), ")"]

    def tail(self) -> list[str]:
        """What may be done with them."""
        return ['# sendp(packets, iface="eth0"); wrpcap("packets.pcap", packets)']
