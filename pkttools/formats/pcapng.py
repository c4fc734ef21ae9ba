"""Streams of pcapng blocks (draft-ietf-opsawg-pcapng): sections, interfaces, and what there is beside packets.

What has no place in text is counted: other blocks, options of packets, comments on sections and interfaces. Passed over
without a word is only what describes how a file came to be: the machine, the programs, their settings.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Generator, Iterator

from .. import blocks, codec
from ..batch import COLUMNS, LINKTYPE, MAX_FRAME, NOTES, NOTES_SIZE, ROW_BYTES, TIME, Batch, fcs_of, link_of, linktype_of
from ..command_line.options import Values
from ..errors import ANOTHER_CAPTURE, HEADER_CUT, RECORD_CUT, PktError, Unread, counted, pcapng_message
from .files import Input, Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

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


class _Reader:
    """A stream, block by block.

    The next block begins at buffer[start], and buffer[0] is byte `offset` of the stream.
    """

    def __init__(self, source: Input, buffer: bytearray, used: int, offset: int) -> None:
        self.source, self.buffer, self.used, self.offset = source, buffer, used, offset
        self.start = 0
        self.order = "<"  # of the section, as are these two:
        self.interfaces = array("q")  # INTERFACE_COLUMNS each
        self.names = bytearray()  # their lines IFACE
        self.passed: dict[str, int] = {}  # what text has no place for
        self.capped = self.rounded = self.missing = 0  # times

    def batches(self) -> Iterator[Batch]:
        """Batches of packets, up to the end of the stream, or to where a pcap file begins."""
        while True:
            self.start, data, rows, error, (capped, rounded, missing, damaged, others) = codec.pcapng_decode(
                self.buffer, self.start, self.used, self.order == ">", self.interfaces, self.names
            )
            self.capped, self.rounded, self.missing = self.capped + capped, self.rounded + rounded, self.missing + missing
            self.drop("damaged option list", damaged)
            self.drop("packet option", others)
            if rows:
                yield Batch(data, rows)
            if error and error[0] == ANOTHER_CAPTURE:
                self.forget()
                return
            if error:
                raise self.error(pcapng_message(*error))
            kind, size = self.head()
            if self.used - self.start < size:
                if not self.fill(size):
                    return
            elif kind not in blocks.PACKETS:  # else the batch was full
                self.take(kind, self.start + size - 4)
                self.start += size

    def error(self, message: str) -> PktError:
        """An error at the block that comes next."""
        return PktError(f"{self.source.name}: at byte {self.offset + self.start}: {message}")

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
            self.drop("section comment", sum(code == blocks.COMMENT for code, _ in self.options(self.start + 24, stop)))
        elif kind == blocks.INTERFACE:
            self.describe(stop)
        else:
            self.drop(NAMES.get(kind, f"type {kind:#x} block"))

    def options(self, at: int, stop: int) -> list[tuple[int, bytes]]:
        """The options of a block without packets; none when one of them runs past it."""
        found = blocks.options(self.buffer, at, stop, self.order)
        if found is None:
            self.drop("damaged option list")
        return found or []

    def describe(self, stop: int) -> None:
        """Takes an interface description."""
        if len(self.interfaces) >= MAX_INTERFACES * blocks.INTERFACE_COLUMNS:
            raise self.error(f"more than {MAX_INTERFACES} interfaces in a section")
        linktype, snaplen = struct.unpack_from(self.order + "8xHxxI", self.buffer, self.start)
        known: dict[int, bytes] = {}
        for code, value in self.options(self.start + 16, stop):
            if code == blocks.COMMENT:
                self.drop("interface comment")
            elif code in (blocks.NAME, *SIZES):
                if code in known or len(value) != SIZES.get(code, len(value)):
                    self.drop("interface option")
                else:
                    known[code] = value
        name = known.get(blocks.NAME)
        self.drop(f"interface name beyond {MAX_NAME} bytes", name is not None and len(name) > MAX_NAME)
        line = b"" if name is None else blocks.note(b"IFACE:", name[:MAX_NAME])
        if blocks.FCS in known:
            linktype = link_of(linktype, octets(known[blocks.FCS][0]))
        self.source.link = linktype if self.source.link is None else self.source.link
        resolution = known[blocks.RESOLUTION][0] if blocks.RESOLUTION in known else MICRO
        offset = struct.unpack(self.order + "q", known.get(blocks.TIME_OFFSET, bytes(8)))[0]
        self.interfaces.extend((linktype, snaplen, resolution, offset, len(self.names), len(line)))
        self.names += line

    def said(self) -> list[str]:
        """What there is to say in the end."""
        passed = ", ".join(f"{n} {what}" if what.endswith("s") else counted(n, what) for what, n in self.passed.items())
        times = [
            f"{n} {what}"
            for n, what in (
                (self.capped, "not from 1970 to 2262, put to the nearer end"),
                (self.rounded, "truncated to nanoseconds"),
                (self.missing, "missing, taken for 0"),
            )
            if n
        ]
        lines = [f"not kept: {passed}"] * bool(passed) + [f"times: {'; '.join(times)}"] * bool(times)
        return [f"{self.source.name}: {line}" for line in lines]


def octets(length: int) -> int:
    """What if_fcslen says of a frame check sequence: it is in bits; below eight in octets, as some write and Wireshark reads it."""
    return length if length < BITS else length // BITS


class PcapngSink(Sink):
    """Writes packets as a section of enhanced packet blocks, each batch at once.

    linktype: of a section that stays empty. nano: nanoseconds everywhere, else only where there are any.
    """

    output: Output

    def __init__(self, output: Output, linktype: int, big_endian: bool, nano: bool) -> None:
        self.output, self.linktype, self.big_endian, self.nano = output, linktype, big_endian, nano
        self.order = ">" if big_endian else "<"
        self.interfaces: dict[tuple[int, bytes | None], tuple[int, bool]] = {}  # link type, FCS and name: number, nanoseconds
        self.count = self.lost = 0  # interfaces that were described; lines of notes that could not be written

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes as the options ask for it."""
        return cls(output, linktype, values.big_endian, bool(values.nano))

    def write(self, batch: Batch) -> None:
        """Writes a batch. Raises PktError at a packet that this section cannot hold, after those before it."""
        rows, columns = memoryview(batch.rows), batch.columns()
        out = bytearray()
        first, ahead = 0, 1
        try:
            while first < len(batch):
                row = columns[first * COLUMNS : (first + 1) * COLUMNS]
                name = interface_name(batch.data, row[NOTES], row[NOTES_SIZE])
                number, nano = self.interface(out, row[LINKTYPE], name, row[TIME] % 1000 != 0)
                # All rows of a call are checked: it gets few where interfaces take turns, and more with every full run.
                some = rows[first * ROW_BYTES : (first + ahead) * ROW_BYTES]
                written, stop, lost = codec.pcapng_encode(batch.data, some, 0, self.big_endian, number, nano)
                if not stop:
                    raise PktError(f"{self.output.name}: a pcapng file cannot hold this packet's time or size")
                out += written
                self.lost += lost
                first, ahead = first + stop, 2 * ahead if stop == ahead else 1
        finally:
            try:
                self.output.write(out)
            except Unread as unread:
                unread.account(self.ends(out), len(batch) - first)
                raise

    def ends(self, out: bytearray) -> list[int]:
        """Where packets end in what was written."""
        found, at = [], 0
        while at < len(out):
            kind, size = struct.unpack_from(self.order + "II", out, at)
            at += size
            if kind == blocks.ENHANCED:
                found.append(at)
        return found

    def interface(self, out: bytearray, link: int, name: bytes | None, fine: bool) -> tuple[int, bool]:
        """Number of an interface and whether its times are nanoseconds, as they must be when `fine`.

        Describes it in `out` when it is new, and once more when it was known with microseconds only.
        """
        key = link, name
        known = self.interfaces.get(key)
        if known is None or (fine and not known[1]):
            known = self.interfaces[key] = self.describe(out, link, name, fine or self.nano)
        return known

    def describe(self, out: bytearray, link: int, name: bytes | None, nano: bool) -> tuple[int, bool]:
        """Writes an interface description, and before the first one the section header. See `interface`."""
        linktype, fcs = linktype_of(link), fcs_of(link)
        if linktype > MAX_LINKTYPE:
            raise PktError(f"{self.output.name}: link type {linktype} does not fit in a pcapng file")
        if self.count == MAX_INTERFACES:
            raise PktError(f"{self.output.name}: a pcapng section has at most {MAX_INTERFACES} interfaces")
        if not self.count:
            out += self.block(blocks.SECTION, struct.pack(self.order + "IHHq", ORDER_MAGIC, 1, 0, -1))
        body = struct.pack(self.order + "HHI", linktype, 0, MAX_FRAME)
        known = []
        if name is not None:
            known.append(blocks.option(blocks.NAME, name, self.order))
        if nano:
            known.append(blocks.option(blocks.RESOLUTION, bytes([NANO]), self.order))
        if fcs is not None:
            known.append(blocks.option(blocks.FCS, bytes([fcs * BITS]), self.order))
        if known:
            known.append(blocks.option(blocks.END, b"", self.order))
        out += self.block(blocks.INTERFACE, body + b"".join(known))
        self.count += 1
        return self.count - 1, nano

    def without_packets(self, link: int) -> None:
        """Learns of what link type the section is when it stays empty."""
        self.linktype = link

    def block(self, kind: int, body: bytes) -> bytes:
        """A block as it is written."""
        size = struct.pack(self.order + "I", len(body) + 12)
        return struct.pack(self.order + "I", kind) + size + body + size

    def leave(self) -> tuple[int, tuple[tuple[tuple[int, bytes | None], tuple[int, bool]], ...]]:
        """The interfaces that the section describes."""
        return self.count, tuple(self.interfaces.items())

    def enter(
        self, output: Output, known: tuple[int, tuple[tuple[tuple[int, bytes | None], tuple[int, bool]], ...]] | None = None
    ) -> None:
        """Goes on in another file."""
        self.output = output
        self.count, interfaces = known or (0, ())
        self.interfaces = dict(interfaces)

    def end_output(self) -> None:
        """Ends the section, which describes an interface also where no packet came."""
        if not self.count:
            out = bytearray()
            self.describe(out, self.linktype, None, self.nano)
            self.output.write(out)
        self.output.close()

    def close(self) -> list[str]:
        """Ends the section; gives what there is to say about it, on standard error."""
        self.end_output()
        if not self.lost:
            return []
        return [
            f"{counted(self.lost, 'line')} not written: pcapng has one IFACE, one WAY (in or out) and one LOST (a number) for "
            f"a packet, and {blocks.MAX_OPTION} bytes for a text"
        ]


def interface_name(data: bytearray | mmap, at: int, size: int) -> bytes | None:
    """What the first line IFACE of a packet's notes names; None when there is none, or none that pcapng can hold."""
    if size:
        for line in bytes(data[at : at + size]).split(b"\n"):
            if line.startswith(b"IFACE:"):
                name = blocks.value_of(line)
                return name if len(name) <= blocks.MAX_OPTION else None
    return None
