"""Captures of Endace's cards, ERF: records of several kinds, without a header of the file (Endace, EDM11-01)."""

from __future__ import annotations

import struct

from ..batch import Batch, link_of
from ..errors import counted
from .records import batches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from .files import Input
    from .records import Found

RECORD = 16  # bytes of a record's header; its extensions have EXTENSION each
EXTENSION, MORE = 8, 0x80  # the bit of a type, and of each extension, says that one follows
TYPE = 0x7F
FCS = 4  # octets that an Ethernet frame ends in, on the wire and in the record
ETHERNETS, HDLCS, CHANNELS = (2, 11, 16, 20), (1, 10, 15, 19), (5, 17)  # types of records
IN_FRONT = dict.fromkeys(ETHERNETS, 2) | dict.fromkeys(CHANNELS, 4)  # bytes between the header and the packet
LINKTYPES = dict.fromkeys(ETHERNETS, link_of(1, FCS)) | {22: 228, 23: 229, 21: 247}  # Ethernet, IPv4, IPv6, InfiniBand
COLOURED = (10, 11, 15, 16, 17, 19, 20)  # have something else where others count losses
PPP, CISCO, PPP_ADDRESS = 50, 104, 0xFF  # link types of HDLC, and the first octet of the one (RFC 1662)
META, PAD = 27, 48  # records without packets
LAST_TYPE = 48
INTERFACES = 3  # the bits of the flags that say which interface
SOME = 16  # records that are looked at to know the format


def is_erf(buffer: bytearray, used: int) -> bool:
    """Whether records of this kind begin a stream, as far as it is there: nothing else says so."""
    at = count = 0
    while used - at >= RECORD and count < SOME:
        kind, size = buffer[at + 8] & TYPE, int.from_bytes(buffer[at + 10 : at + 12], "big")
        if not 0 < kind <= LAST_TYPE or size < RECORD or (kind not in (META, PAD) and not any(buffer[at + 4 : at + 8])):
            return False
        at, count = at + size, count + 1
    return count > 0 and (at == used or count == SOME or used == len(buffer))


def packets(source: Input, buffer: bytearray, used: int, offset: int) -> Generator[Batch, None, tuple[int, int]]:
    """The packets of a stream of records, of which `buffer` holds the first `used` bytes.

    offset: what stands in front of it in the whole stream, in bytes. Returns 0 and where the stream ends. Raises PktError with the
    offset of what is wrong, after the packets before it.
    """
    told = 0

    def read(buffer: bytearray, at: int) -> tuple[int, Found | None]:
        """A record, as far as it is there. Its time has a fraction of 32 bits: it is the nearest nanosecond, as in Wireshark."""
        nonlocal told
        fraction, seconds, kind, flags = struct.unpack_from("<IIBB", buffer, at)
        size, losses, original = struct.unpack_from(">HHH", buffer, at + 10)
        front, more, kind = RECORD, kind & MORE, kind & TYPE
        if size < RECORD:
            raise ValueError(f"record of {size} bytes: its header has {RECORD}")
        if kind in (META, PAD):
            told += kind == META
            return size, None
        while more and front < size and at + front < len(buffer):
            more = buffer[at + front] & MORE
            front += EXTENSION
        front += IN_FRONT.get(kind, 0)
        if front > size:
            raise ValueError(f"record of {size} bytes: {front} are in front of its packet")
        captured = min(original, size - front)
        link = LINKTYPES.get(kind)
        if kind in (*HDLCS, *CHANNELS):
            link = PPP if captured and at + front < len(buffer) and buffer[at + front] == PPP_ADDRESS else CISCO
        if link is None:
            raise ValueError(f"type {kind} of ERF records is not supported: editcap -F pcapng may convert it")
        if source.link is None:
            source.link = link
        notes = b"IFACE: %d\n" % (flags & INTERFACES)
        if losses and kind not in COLOURED:
            notes += b"LOST: %d\n" % losses
        time = seconds * 10**9 + ((fraction * 10**9 + (1 << 31)) >> 32)
        return size, (front, captured, original, time, link, notes)

    try:
        return (yield from batches(source, buffer, used, 0, offset, RECORD, read))
    finally:
        if told:
            source.said.append(f"{source.name}: not kept: {counted(told, 'metadata record')}")
