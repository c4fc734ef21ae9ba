"""Streams of pcapng blocks (draft-ietf-opsawg-pcapng): sections, interfaces, and what there is beside packets.

Where pcapng is written too, what a file says beside its packets goes along; see sections.py. Else what has no place in text is
counted: other blocks, options of packets, comments on sections and interfaces. Passed over without a word is then only what
describes how a file came to be: the machine, the programs, their settings.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Generator, Iterator

from .. import blocks, codec
from ..batch import ROW_BYTES, Batch, link_of
from ..errors import ANOTHER_CAPTURE, HEADER_CUT, RECORD_CUT, PktError, counted, pcapng_message
from .files import Input
from .sections import Options, Section
from .stretch import Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}  # byte-order magic, to the sign of struct
ORDER_MAGIC = 0x1A2B3C4D
MAX_INTERFACES = 65536  # of a section
MAX_NAME = 256  # bytes of an interface's name that are kept: what a file says once goes with each of its packets
MAX_LINKTYPE = 65535
SIZES = {blocks.RESOLUTION: 1, blocks.FCS: 1, blocks.TIME_OFFSET: 8}  # bytes of options that interfaces are read by
MICRO, NANO = 6, 9  # if_tsresol, a power of ten
BITS = 8  # of an octet: if_fcslen counts them
NAMES = {
    4: "name resolution", 5: "interface statistics", 7: "IRIG timestamp", 8: "ARINC 429 description", 9: "journal export",
    10: "decryption secrets", 0xBAD: "custom block", 0x40000BAD: "custom block",
}  # fmt: skip
MAX_KINDS = 20  # kinds of what was not kept that are told apart


def packets(source: Input, buffer: bytearray, used: int, offset: int) -> Generator[Batch, None, tuple[int, int]]:
    """The packets of a pcapng stream, of which `buffer` holds the first `used` bytes.

    offset: what stands in front of it in the whole stream, in bytes. Returns the same two for a pcap file that follows, 0 and
    its end where none does. Raises PktError with the offset of what is wrong, after the packets before it.
    """
    reader = _Reader(source, buffer, used, offset)
    try:
        yield from reader.batches()
        return reader.used, reader.offset
    finally:
        source.said += [line for line in reader.said() if line not in source.said]


class Packets(Stretch):
    """Packets of a section. how: what codec.pcapng_decode knows of it. counts: what that counts, and packets."""

    def __init__(self, *how: Any) -> None:  # noqa: ANN401  that has its types
        super().__init__(6)
        self.how = how
        self.made: Batch | None = None

    def cut(self, buffer: bytearray, used: int) -> int:
        """How many bytes are whole blocks with packets."""
        consumed, data, rows, _, counts = codec.pcapng_decode(buffer, 0, used, *self.how)
        self.made = Batch(data, rows)
        self.counts = [*counts, len(self.made)]
        return consumed

    def batches(self, buffer: bytearray, stop: int) -> Iterator[Batch]:
        """Their packets."""
        if self.made:
            yield self.made


class _Reader:
    """A stream, block by block.

    The next block begins at buffer[start], and buffer[0] is byte `offset` of the stream.
    """

    def __init__(self, source: Input, buffer: bytearray, used: int, offset: int) -> None:
        self.source, self.buffer, self.used, self.offset = source, buffer, used, offset
        self.sections = source.sections if source.sections and source.sections.form in (None, source.form) else None
        self.section = Section("", [])
        self.start = 0
        self.order = "<"  # of the section, as are these two:
        self.interfaces = array("q")  # INTERFACE_COLUMNS each
        self.names = bytearray()  # their lines IFACE
        self.passed: dict[str, int] = {}  # what text has no place for
        self.capped = self.rounded = self.missing = 0  # times

    def batches(self) -> Iterator[Batch]:
        """Batches of packets, up to the end of the stream, or to where a pcap file begins."""
        while True:
            self.start, data, rows, error, counts = codec.pcapng_decode(
                self.buffer, self.start, self.used, self.order == ">", self.interfaces, self.names, self.sections is not None
            )
            self.count(*counts, len(rows) // ROW_BYTES)
            if rows:
                yield Batch(data, rows)
            if error and error[0] == ANOTHER_CAPTURE:
                self.forget()
                return
            if error:
                raise self.error(pcapng_message(*error))
            if rows and self.source.elsewhere and self.shared(self.source.elsewhere):
                continue
            kind, size = self.head()
            if self.used - self.start < size:
                if not self.fill(size):
                    return
            elif kind not in blocks.PACKETS:  # else the batch was full
                self.take(kind, self.start + size - 4)
                self.start += size

    def shared(self, sharing: Callable[[int, Stretch], int]) -> bool:
        """Whether others went on. See Input."""
        packets = Packets(self.order == ">", self.interfaces, self.names, self.sections is not None)
        moved = sharing(self.used - self.start, packets)
        if moved:
            self.offset, self.start, self.used = self.offset + self.start + moved, 0, 0
            self.count(*packets.counts)
        return moved > 0

    def count(self, capped: int, rounded: int, missing: int, damaged: int, others: int, packets: int) -> None:
        """Counts what was read."""
        self.capped, self.rounded = self.capped + capped, self.rounded + rounded
        if self.sections:
            self.sections.came += packets
        else:
            self.missing += missing  # else the sink knows
        self.drop("damaged option list", damaged)
        self.drop("packet option", others)

    def error(self, message: str) -> PktError:
        """An error at the block that comes next."""
        return PktError(f"{self.source.name}: at {self.source.byte(self.offset + self.start)}: {message}")

    def drop(self, what: str, number: int = 1) -> None:
        """Counts what text has no place for."""
        if number:
            what = what if what in self.passed or len(self.passed) < MAX_KINDS else "other block"
            self.passed[what] = self.passed.get(what, 0) + number

    def head(self) -> tuple[int, int]:
        """Type and size of the next block; of one that has hardly begun, the size that it has at least."""
        have = self.used - self.start
        if have < 8:
            return 0, 8
        kind, size = struct.unpack_from(self.order + "II", self.buffer, self.start)
        if kind == blocks.SECTION:
            if have < 12:
                return kind, blocks.LEAST[blocks.SECTION]
            magic = bytes(self.buffer[self.start + 8 : self.start + 12])
            if magic not in ORDERS:
                raise self.error(f"byte-order magic {magic.hex()} of a section is neither 1a2b3c4d nor 4d3c2b1a")
            self.order = ORDERS[magic]
            size = struct.unpack_from(self.order + "I", self.buffer, self.start + 4)[0]
            if error := blocks.misframed(self.buffer, self.start, self.used, kind, size, self.order):
                raise self.error(pcapng_message(*error))
        return kind, size

    def fill(self, size: int) -> bool:
        """Reads more of a block of `size` bytes; False at the end of the stream. Raises PktError where that cuts it."""
        have = self.forget()
        if have == len(self.buffer):
            self.buffer.extend(bytes(have))  # as data comes, whatever the size says
        self.used = self.source.fill(self.buffer, have)
        if self.used == have and have:
            raise self.error(pcapng_message(HEADER_CUT if have < 8 else RECORD_CUT, have, size))
        return self.used > have

    def forget(self) -> int:
        """Brings what is still to be read to the front of the buffer; gives how much that is."""
        have = self.used - self.start
        if self.start:
            self.buffer[:have] = self.buffer[self.start : self.used]
            self.offset += self.start
            self.used, self.start = have, 0
        return have

    def take(self, kind: int, stop: int) -> None:
        """Takes a block without packets; its body ends at buffer[stop]."""
        if kind == blocks.SECTION:
            major, minor = struct.unpack_from(self.order + "HH", self.buffer, self.start + 12)
            if major != 1:
                raise self.error(f"version {major}.{minor} of pcapng is not supported, only 1.0")
            self.interfaces, self.names = array("q"), bytearray()
            options = self.options(self.start + 24, stop, "section option")
            if self.sections:
                self.section = self.sections.begin(self.order, options)
            else:
                self.drop("section comment", sum(code == blocks.COMMENT for code, _ in options))
        elif kind == blocks.INTERFACE:
            self.describe(stop)
        elif self.sections:
            self.sections.pass_on(self.section, kind, bytes(self.buffer[self.start : stop + 4]))
        else:
            self.drop(NAMES.get(kind, f"type {kind:#x} block"))

    def options(self, at: int, stop: int, noun: str) -> list[tuple[int, bytes]]:
        """The options of a block without packets; none when one of them runs past it. What stands behind their end is not kept."""
        found, more = blocks.options_until(self.buffer, at, stop, self.order)
        self.drop(noun, more)
        if found is None:
            self.drop("damaged option list")
        return found or []

    def describe(self, stop: int) -> None:
        """Takes an interface description."""
        if len(self.interfaces) >= MAX_INTERFACES * blocks.INTERFACE_COLUMNS:
            raise self.error(f"more than {MAX_INTERFACES} interfaces in a section")
        linktype, snaplen = struct.unpack_from(self.order + "8xHxxI", self.buffer, self.start)
        known: dict[int, bytes] = {}
        kept: Options = []
        for code, value in self.options(self.start + 16, stop, "interface option"):
            if code in (blocks.NAME, *SIZES):
                if code in known or len(value) != SIZES.get(code, len(value)):
                    self.drop("interface option")
                    continue
                known[code] = value
            elif code == blocks.COMMENT and not self.sections:
                self.drop("interface comment")
            kept.append((code, value))
        name = known.get(blocks.NAME)
        if name is None and self.sections and self.source.name in self.sections.names:
            name = self.sections.names[self.source.name]
            kept.append((blocks.NAME, name))
        self.drop(f"interface name beyond {MAX_NAME} bytes", name is not None and len(name) > MAX_NAME and not self.sections)
        line = b"" if name is None else blocks.note(b"IFACE:", name[:MAX_NAME])
        if blocks.FCS in known:
            linktype = link_of(linktype, octets(known[blocks.FCS][0]))
        self.source.link = linktype if self.source.link is None else self.source.link
        resolution = known[blocks.RESOLUTION][0] if blocks.RESOLUTION in known else MICRO
        offset = struct.unpack(self.order + "q", known.get(blocks.TIME_OFFSET, bytes(8)))[0]
        if self.sections:
            line = self.sections.describe(self.section, linktype, snaplen, resolution, offset, line, kept).tag + line
        self.interfaces.extend((linktype, snaplen, resolution, offset, len(self.names), len(line)))
        self.names += line

    def said(self) -> list[str]:
        """What there is to say in the end."""
        times = [
            f"{n} {what}"
            for n, what in (
                (self.capped, "not from 1970 to 2262, put to the nearer end"),
                (self.rounded, "truncated to nanoseconds"),
                (self.missing, "missing, taken for 0"),
            )
            if n
        ]
        lines = [f"not kept: {several(self.passed)}"] * bool(self.passed) + [f"times: {'; '.join(times)}"] * bool(times)
        return [f"{self.source.name}: {line}" for line in lines]


def octets(length: int) -> int:
    """What if_fcslen says of a frame check sequence: it is in bits; below eight in octets, as some write and Wireshark reads it."""
    return length if length < BITS else length // BITS


def several(kinds: dict[str, int]) -> str:
    """What was not kept, in words."""
    return ", ".join(f"{n} {what}" if what.endswith("s") else counted(n, what) for what, n in kinds.items())
