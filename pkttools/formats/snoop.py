"""Captures of snoop, Solaris's program (RFC 1761)."""

from __future__ import annotations

import struct

from ..batch import MAX_FRAME, Batch
from ..errors import RECORD_TOO_LONG, PktError, pcap_message
from . import SNOOP
from .records import batches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from .files import Input
    from .records import Found

HEADER, RECORD = 16, 24  # bytes of a file's header, and of what is in front of a packet
VERSION = 2
LINKTYPES = {0: 1, 2: 6, 4: 1}  # 802.3, Token Ring and Ethernet, by the numbers of the RFC


def packets(source: Input, buffer: bytearray, used: int, offset: int) -> Generator[Batch, None, tuple[int, int]]:
    """The packets of a stream of records, of which `buffer` holds the first `used` bytes.

    offset: what stands in front of it in the whole stream, in bytes. Returns 0 and where the stream ends. Raises PktError with the
    offset of what is wrong, after the packets before it.
    """
    while used < HEADER:
        known, used = used, source.fill(buffer, used)
        if used == known:
            raise PktError(f"{source.name}: file is truncated: {used} of the file header's {HEADER} bytes")
    version, number = struct.unpack_from(">II", buffer, len(SNOOP))
    if version != VERSION or number not in LINKTYPES:
        what = f"version {version}" if version != VERSION else f"datalink type {number}"
        raise PktError(f"{source.name}: {what} of snoop is not supported: editcap -F pcapng may convert it")
    link = LINKTYPES[number]
    source.link = link if source.link is None else source.link
    before = 0  # packets that were dropped before the record

    def read(buffer: bytearray, at: int) -> tuple[int, Found]:
        """A record. What was dropped is counted from the file's first packet on, a line LOST says it of one packet."""
        nonlocal before
        original, captured, size, drops, seconds, micros = struct.unpack_from(">6I", buffer, at)
        if captured > MAX_FRAME:
            raise ValueError(pcap_message(RECORD_TOO_LONG, captured, MAX_FRAME))
        if not captured <= size - RECORD <= MAX_FRAME:
            raise ValueError(f"record of {size} bytes: it holds a packet of {captured} and {RECORD} in front of it")
        lost, before = (drops - before) & 0xFFFFFFFF, drops
        notes = b"LOST: %d\n" % lost if lost else b""
        return size, (RECORD, captured, original, seconds * 10**9 + micros * 1000, link, notes)

    return (yield from batches(source, buffer, used, HEADER, offset, RECORD, read))
