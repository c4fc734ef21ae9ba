"""Where a capture can be cut: at the borders of records and blocks, each part with what stands in front of its packets.

For those who read parts of a large capture in several places at once. A part is read as a capture of its own behind its front: the
file's header, or the section's and the descriptions of its interfaces.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .. import blocks, codec
from ..errors import ANOTHER_CAPTURE
from . import KUZNETZOV, MAGICS, PCAPNG, capture_format
from .pcap import HEADER, KUZNETZOV_RECORD, RECORD, order_of_lengths
from .pcapng import ORDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

CHUNK, LEAST_CHUNK = 4 << 20, 1 << 12  # bytes that are read at once
LEAST_BLOCK, LENGTH_AT = 12, 16  # bytes of a block; where a section's header says how long the section is


class Part(NamedTuple):
    """A part of a capture: the bytes from `start` up to `stop`, None: the end, and what is to be read in front of them."""

    front: bytes
    start: int
    stop: int | None


def parts(file: IO[bytes], size: int) -> list[Part]:
    """The parts of a capture, of about so many bytes, or a little more. Of what is none, as text, or what is compressed, one.

    What is damaged is in the last part, from the border before it on: who reads it meets it.
    """
    beginning = file.read(4)
    file.seek(0)
    form = capture_format(beginning, len(beginning))
    if not form:
        return [Part(b"", 0, None)]
    found: list[Part] = []
    chunk = max(min(CHUNK, size), LEAST_CHUNK)
    for front, border in pcap_borders(file, chunk) if form == "pcap" else pcapng_borders(file, chunk):
        if not found or border - found[-1].start >= size:
            if found:
                found[-1] = found[-1]._replace(stop=border)
            found.append(Part(front, border, None))
    if len(found) > 1 and found[-1].start >= file.seek(0, 2):  # a border where all ends
        found.pop()
        found[-1] = found[-1]._replace(stop=None)
    return found or [Part(b"", 0, None)]


def pcap_borders(file: IO[bytes], chunk: int) -> Iterator[tuple[bytes, int]]:
    """Where records of a pcap file begin, every now and then, and the file's header; in front of the first one it stands itself.

    Behind another capture, as `cat` joins them, there are none: it is one part with what follows.
    """
    yield b"", 0
    front = file.read(HEADER)
    if len(front) < HEADER:
        return
    big_endian, magic = MAGICS[front[:4]]
    major, minor = struct.unpack_from((">" if big_endian else "<") + "HH", front, 4)
    header, lengths = KUZNETZOV_RECORD if magic == KUZNETZOV else RECORD, order_of_lengths(major, minor)
    rest, at = b"", HEADER
    while data := file.read(chunk):
        buffer = bytearray(rest + data)
        start = 0
        while True:  # the decoder stops every now and then
            consumed, _, error = codec.pcap_decode(buffer, start, len(buffer), False, big_endian, True, header, lengths, 1)
            at += consumed - start
            if error:
                if error[0] == ANOTHER_CAPTURE:
                    yield b"", at
                return
            if consumed == start:
                break
            yield front, at
            start = consumed
        rest = bytes(buffer[start:])


def pcapng_borders(file: IO[bytes], chunk: int) -> Iterator[tuple[bytes, int]]:
    """Where blocks begin, and what is in front of them: the header of their section, of no given length, and its interfaces."""
    order, front, at, rest = "<", b"", 0, b""
    while data := file.read(chunk):
        rest += data
        offset = 0
        while len(rest) - offset >= LEAST_BLOCK:
            if rest.startswith(PCAPNG, offset):
                order = ORDERS.get(rest[offset + 8 : offset + 12], "<")
            kind, size = struct.unpack_from(order + "II", rest, offset)
            if size < LEAST_BLOCK or size % 4:
                return
            if len(rest) - offset < size:
                break
            block = rest[offset : offset + size] if kind in (blocks.SECTION, blocks.INTERFACE) else b""
            if kind == blocks.SECTION:
                yield b"", at + offset
                front = block[:LENGTH_AT] + b"\xff" * 8 + block[LENGTH_AT + 8 :]
            else:
                yield front, at + offset
                front += block
            offset += size
        at += offset
        rest = rest[offset:]
