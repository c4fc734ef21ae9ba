"""Puts packets of other link types under an Ethernet header, so that they can be sent."""

from __future__ import annotations

from ..batch import Packet
from ..language.values import Header
from ..protocols.fields import HEADERS
from .link import field

ETHERNET = 1  # the link type
TYPES = {"IP": 0x0800, "IPV6": 0x86DD}
LEAST_TYPE = 0x0600  # below it is a length, IEEE 802.3 clause 3.2.6
ARPHRD_ETHER = 1
TAG, TAGS = 0x8100, (0x8100, 0x88A8, 0x9100, 0x9200)  # EtherTypes of VLAN tags


def to_ethernet(packet: Packet, headers: list[Header]) -> Packet | None:
    """A packet of raw IP, loopback or a Linux cooked capture as Ethernet; itself when it is; None: it is none of them.

    The addresses are 0 where the packet does not know them.
    """
    if packet.linktype == ETHERNET:
        return packet
    found = link_layer(packet.frame, headers)
    if found is None:
        return None
    size, source, kind = found
    frame = bytearray(bytes(6) + source + kind.to_bytes(2, "big") + packet.frame[size:])
    for inner, start, _, _ in headers[1:]:
        if HEADERS[inner] == "VLAN" and (at := start - size + 12) >= 12 and int.from_bytes(frame[at : at + 2], "big") not in TAGS:
            frame[at : at + 2] = TAG.to_bytes(2, "big")  # an inner one that a cooked socket did not announce
    return Packet(bytes(frame), max(packet.original + 14 - size, 0), packet.time, ETHERNET, packet.notes)


def link_layer(frame: bytes, headers: list[Header]) -> tuple[int, bytes, int] | None:
    """The size of the link layer's header, the sender's MAC address, the EtherType of what follows; None: not known."""
    name, following, *_ = *(HEADERS[kind] for kind, *_ in headers[:2]), ""
    if name in TYPES:
        return 0, bytes(6), TYPES[name]
    if name in ("LOOPBACK", "LOOP") and following in TYPES:
        return 4, bytes(6), TYPES[following]
    if name not in ("SLL", "SLL2"):
        return None
    kind, hardware, source = (field(frame, headers[0], f"{name}.{what}") for what in ("PROTOCOL", "HARDWARE", "SRC_ADDR"))
    if kind < LEAST_TYPE:
        return None
    return 16 if name == "SLL" else 20, (source if hardware == ARPHRD_ETHER else 0).to_bytes(6, "big"), kind
