"""Puts packets of other link types under an Ethernet header, so that they can be sent."""

from __future__ import annotations

from .. import codec
from ..batch import Batch, Packet, Program, gathered
from ..fields import FIELDS, HEADERS, TABLE
from ..values import Header, read_field

TYPE_CHECKING = False  # typing's own is dear at start-up, as collections is
if TYPE_CHECKING:
    from collections.abc import Iterator

ETHERNET = 1  # the link type
TYPES = {"IP": 0x0800, "IPV6": 0x86DD}
LEAST_TYPE = 0x0600  # below it is a length, IEEE 802.3 clause 3.2.6
ARPHRD_ETHER = 1


class Converter:
    """Converts packets of raw IP, loopback and Linux cooked captures; a stage of a flow.

    guard: only packets that it accepts. The addresses are 0 where the packet does not know them. Counts those that could
    not be converted.
    """

    def __init__(self, guard: Program | None) -> None:
        self.guard = guard
        self.failed = 0

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, converted or not."""
        for batch in stream:
            yield gathered(self.converted(batch, i) for i in range(len(batch)))

    def converted(self, batch: Batch, i: int) -> Packet:
        """Packet `i` under an Ethernet header, or as it is."""
        packet, row = batch.packet(i), batch.part(i, i + 1).rows
        if packet.linktype == ETHERNET or (self.guard is not None and not codec.select(batch.data, row, self.guard)):
            return packet
        found = link_layer(packet.frame, codec.walk(batch.data, row))
        if found is None:
            self.failed += 1
            return packet
        size, source, kind = found
        frame = bytes(6) + source + kind.to_bytes(2, "big") + packet.frame[size:]
        return Packet(frame, packet.original + 14 - size, packet.time, ETHERNET, packet.notes)


def link_layer(frame: bytes, headers: list[Header]) -> tuple[int, bytes, int] | None:
    """The size of the link layer's header, the sender's MAC address, the EtherType of what follows; None: not known."""
    name, following = HEADERS[headers[0][0]], HEADERS[headers[1][0]] if len(headers) > 1 else ""
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


def field(frame: bytes, header: Header, name: str) -> int:
    """The number in a field of a header that was captured in full."""
    return read_field(TABLE[FIELDS[name][0]], frame, *header[1:])  # type: ignore[return-value]
