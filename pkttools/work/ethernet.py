"""Puts packets of other link types under an Ethernet header, so that they can be sent."""

from __future__ import annotations

from ..batch import Packet
from ..protocols.fields import HEADERS
from ..protocols.kinds import ethertypes
from ..protocols.values import Header
from .link import field

ETHERNET = 1  # the link type
LEAST_TYPE = 0x0600  # below it is a length, IEEE 802.3 clause 3.2.6
MOST_LENGTH = 1500
ARPHRD_ETHER, ARPHRD_FRAD, ARPHRD_NETLINK = 1, 770, 824
WIRELESS = ("RADIOTAP", "WLAN")
TAG, TAGS = 0x8100, (0x8100, 0x88A8, 0x9100, 0x9200)  # EtherTypes of VLAN tags
PPPOE_DISCOVERY, PPPOE_SESSION = 0x8863, 0x8864
ENCAPSULATED = (0, 0xF8)  # who numbers protocols by EtherTypes in SNAP: RFC 1042, IEEE 802.1H
# By FromDS and ToDS of 802.11, which addresses are destination and source: IEEE 802.11 clause 9.3.2.1.
WLAN_ADDRESSES = {(0, 0): ("ADDR1", "ADDR2"), (0, 1): ("ADDR3", "ADDR2"), (1, 0): ("ADDR1", "ADDR3"), (1, 1): ("ADDR3", "ADDR4")}
HARDWARE_ADDRESS, HARDWARE_TYPE, HARDWARE_HEADER = 8, 15, 16  # attributes of NFLOG

NOBODY = bytes(6)
NOT_CONVERTED = "not converted: nothing is known of what they carry"
Link = tuple[int, int, bytes, int]  # where what is carried begins and ends, both addresses, its EtherType; 0: LLC has none


def to_ethernet(packet: Packet, headers: list[Header]) -> Packet | None:
    """A packet as Ethernet; itself when it is; None: nothing is known of what it carries, or it is not one frame.

    Of raw IP, loopback, Linux cooked captures, PPP, PPPoE, HDLC, data of 802.11, and NFLOG. The addresses are 0 where the packet
    does not know them.
    """
    if packet.linktype == ETHERNET:
        return packet
    found = link_layer(packet.frame, headers)
    if found is None:
        return None
    start, end, addresses, kind = found
    behind = len(packet.frame) - end  # a check sequence, or padding; of a truncated packet it is the first to be missing
    size = max(packet.original - behind - start, 0)
    if not kind:
        if size > MOST_LENGTH:
            return None
        kind = size
    missing = max(packet.original - len(packet.frame), 0)
    carried = packet.frame[start : len(packet.frame) - max(behind - missing, 0)]
    frame = bytearray(addresses + kind.to_bytes(2, "big") + carried)
    for inner, at, _, _ in headers[1:]:
        if HEADERS[inner] == "VLAN" and (at := at - start + 12) >= 12 and int.from_bytes(frame[at : at + 2], "big") not in TAGS:
            frame[at : at + 2] = TAG.to_bytes(2, "big")  # an inner one that a cooked socket did not announce
    return Packet(bytes(frame), max(packet.original - behind + 14 - start, 0), packet.time, ETHERNET, packet.notes)


def link_layer(frame: bytes, headers: list[Header]) -> Link | None:
    """What the headers in front say; None: not enough for Ethernet."""
    names, types = [base(header) for header in headers], [ethertypes().get(header[0]) for header in headers]
    name, following = names[0], types[1] if len(types) > 1 else None
    if name == "PPPOE":
        session = field(frame, headers[0], "PPPOE.CODE") == 0
        return 0, len(frame), NOBODY * 2, PPPOE_SESSION if session else PPPOE_DISCOVERY
    if types[0]:
        return 0, len(frame), NOBODY * 2, types[0]
    if name in ("LOOPBACK", "LOOP") and following:
        return 4, len(frame), NOBODY * 2, following
    if name in ("SLL", "SLL2"):
        return wireless(frame, headers, names) if "".join(names[1:2]).startswith(WIRELESS) else cooked(frame, headers[0], name)
    if name == "HDLC" and len(headers) > 1:
        return headers[1][1], len(frame), NOBODY * 2, field(frame, headers[0], "HDLC.PROTOCOL")
    if name.startswith("PPP"):
        return point_to_point(frame, headers, names, types)
    if name.startswith(WIRELESS):
        return wireless(frame, headers, names)
    return logged(frame, headers, names, types) if name == "NFLOG" else None


def base(header: Header) -> str:
    """The name of a header, without the optional fields that it has."""
    return HEADERS[header[0]].partition("+")[0]


def address(value: int) -> bytes:
    """A MAC address as bytes."""
    return value.to_bytes(6, "big")


def cooked(frame: bytes, header: Header, name: str) -> Link | None:
    """Of Linux cooked captures; none where no EtherType says what follows."""
    kind, hardware, source = (field(frame, header, f"{name}.{what}") for what in ("PROTOCOL", "HARDWARE", "SRC_ADDR"))
    if kind < LEAST_TYPE or hardware in (ARPHRD_FRAD, ARPHRD_NETLINK):
        return None
    return 16 if name == "SLL" else 20, len(frame), NOBODY + address(source if hardware == ARPHRD_ETHER else 0), kind


def point_to_point(frame: bytes, headers: list[Header], names: list[str], types: list[int | None]) -> Link | None:
    """Of PPP, in whatever form; none of what has no EtherType: what PPP itself says, or what is compressed."""
    carried = next((i for i, name in enumerate(names) if not name.startswith("PPP")), 0)
    kind = types[carried]
    return (headers[carried][1], len(frame), NOBODY * 2, kind) if carried and kind else None


def wireless(frame: bytes, headers: list[Header], names: list[str]) -> Link | None:
    """Of a whole frame of 802.11 with data that can be read; none of several in one (A-MSDU)."""
    at = next((i for i, name in enumerate(names) if name in ("WLAN", "WLAN_PADDED")), None)
    if at is None or names[at + 1 : at + 2] != ["LLC"]:
        return None
    data, start = headers[at], headers[at + 1][1]
    ends = WLAN_ADDRESSES[field(frame, data, "WLAN.FROM_DS"), field(frame, data, "WLAN.TO_DS")]
    addresses = b"".join(address(field(frame, data, f"WLAN.{end}")) for end in ends)
    if names[at + 2 : at + 3] == ["SNAP"]:
        snap = headers[at + 2]
        kind = field(frame, snap, "SNAP.PROTOCOL")
        if field(frame, snap, "SNAP.OUI") in ENCAPSULATED and kind >= LEAST_TYPE:
            return snap[1] + 5, data[3], addresses, kind
    return start, data[3], addresses, 0


def logged(frame: bytes, headers: list[Header], names: list[str], types: list[int | None]) -> Link | None:
    """Of a packet that Linux's netfilter logged, with the addresses that it had when it was received."""
    at = next((i for i, kind in enumerate(types) if kind), 0)
    kind = types[at]
    if not kind or not names[at - 1].startswith("NFLOG_PACKET"):
        return None
    said = {field(frame, header, "NFLOG.ATTR_TYPE"): frame[header[1] + 4 : header[3]] for header in headers[1 : at - 1]}
    addresses, hardware = NOBODY * 2, said.get(HARDWARE_ADDRESS, b"")
    if hardware[:2] == b"\0\6" and len(hardware) >= 10:
        addresses = NOBODY + hardware[4:10]
    ether = said.get(HARDWARE_TYPE, b"")[:2] == ARPHRD_ETHER.to_bytes(2, "big")
    if ether and len(said.get(HARDWARE_HEADER, b"")) >= 14:
        addresses = said[HARDWARE_HEADER][:12]
    return headers[at][1], headers[at - 1][3], addresses, kind
