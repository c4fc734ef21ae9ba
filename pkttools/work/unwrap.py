"""Takes packets out of what a capture put around them: PKTAP, and the headers of Linux cooked captures."""

from __future__ import annotations

from ..batch import Packet
from ..libpcap import filetype
from ..protocols.fields import HEADERS
from ..protocols.kinds import carries_message
from ..protocols.values import Header
from .link import field

RAW_IP = 101  # the link type
RAW_DLT = (12, 14)  # as some systems number it among their DLTs
PACKET = 1  # of PKTAP.NEXT_TYPE
NOT_UNWRAPPED = "not unwrapped: no PKTAP with a frame in it, no Linux cooked packet with IP"
MAX_LINKTYPE = 0xFFFF  # what all captures have room for


def unwrap(packet: Packet, headers: list[Header]) -> Packet | None:
    """The frame behind a PKTAP header, with its own link type, or the IP datagram of a cooked capture.

    None when there is no such header in front, or no frame behind it: one that announces none, lies about its length, or
    carries no IP.
    """
    found = inner(packet.frame, headers)
    if found is None:
        return None
    size, linktype = found
    return Packet(packet.frame[size:], max(packet.original - size, 0), packet.time, linktype, packet.notes)


def inner(frame: bytes, headers: list[Header]) -> tuple[int, int] | None:
    """Where what is wrapped begins, and its link type; None: there is nothing."""
    kind, _, data, _ = outer = headers[0]
    name = HEADERS[kind]
    if name in ("PKTAP", "PKTAP_BE"):
        length, following, dlt = (field(frame, outer, f"PKTAP.{what}") for what in ("LENGTH", "NEXT_TYPE", "DLT"))
        valid = following == PACKET and length == data and dlt <= MAX_LINKTYPE
        return (data, RAW_IP if dlt in RAW_DLT else filetype(dlt, "darwin")) if valid else None
    size = {"SLL": 16, "SLL2": 20}.get(name)
    if size is None or len(headers) < 2:
        return None
    kind, start, _, _ = headers[1]
    return (size, RAW_IP) if start == size and carries_message(kind) else None
