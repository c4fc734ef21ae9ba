"""A batch of packets: what one read brought, in one buffer, with a row of integers a packet."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator
    from mmap import mmap

# The columns of a row; eight bytes each, native order. `struct packet` in codec/c/codec.h is the same row.
OFFSET, CAPTURED, ORIGINAL, TIME, LINKTYPE, NOTES, NOTES_SIZE = range(7)
COLUMNS = 7
ROW_BYTES = COLUMNS * 8

Program = tuple[bytes, bytes, bytes]  # a filter or assignments, compiled: see program.py

MAX_LINKTYPE = 0xFFFFFFFF
ETHERNET, ETHERNET_FCS = 1, 4  # its link type, and octets of its frame check sequence
MAX_FCS = 31  # octets of a frame check sequence: what captures have room for
WIDTH = 16  # bytes of a line of text, where nothing else is asked for
MAX_FRAME = 262_144  # bytes of one packet: libpcap's largest snap length
MAX_SECONDS = 9_223_372_035  # the last whole second that int64 nanoseconds hold
MAX_LANE = (960 << 10) - 64  # bytes of rows and packets that are handed on at once: with a header, a piece that is lent
LANE_MARK = b"\0packet batches\n"  # what stands in front of them; no line of text begins with its first byte
MAX_BATCH = 2 << 20  # bytes a decoder gathers before it hands a batch on


def link_of(linktype: int, fcs: int | None = None, count: int | None = None) -> int:
    """What stands in the column LINKTYPE: the type, and what is known of the frame check sequence that each packet ends in.

    fcs: its octets, MAX_FCS at most. count: what a pcap header says of it, which is half of that unless its writer erred. In
    32 bits stands the type, above them eight for one more than the octets, then five for one more than an unusual count.
    """
    if fcs is None:
        return linktype
    return linktype | fcs + 1 << 32 | (0 if count is None or 2 * count == fcs else count + 1) << 40


def linktype_of(link: int) -> int:
    """The link type in that column."""
    return link & MAX_LINKTYPE


def fcs_of(link: int) -> int | None:
    """The octets of the frame check sequence in that column; None where they are not known."""
    return (link >> 32 & 0xFF) - 1 if link > MAX_LINKTYPE else None


def crc_of(frame: bytes | bytearray, link: int) -> bytes | None:
    """The frame check sequence that belongs behind a frame; None where it is not known how it is computed.

    That of Ethernet is a CRC of 32 bits, its least significant byte first, IEEE 802.3 clause 3.2.9.
    """
    if linktype_of(link) != ETHERNET or fcs_of(link) != ETHERNET_FCS:
        return None
    from zlib import crc32  # late: seldom

    return crc32(frame).to_bytes(ETHERNET_FCS, "little")


def count_of(link: int) -> int | None:
    """What a pcap header was wrong to say of the frame check sequence; None: nothing."""
    return (link >> 40) - 1 if link >> 40 > 0 else None


class Batch:
    """Packets on their way from one stage to the next.

    data: the bytes of all packets; stages that change packets write into it. Of packets from an interface it may be the
        kernel's ring, an mmap: as all batches it is good until the next one is asked for.
    rows: `ROW_BYTES` a packet: offset of its bytes in `data`, captured size and original size in bytes, time in
        nanoseconds since 1970, link type (see link_of), and offset and size of its extension lines (`IFACE:` ...) in `data`.
    chosen: whether a guard has accepted all its packets, or none of them; None where none was asked yet.
    numbers: what each packet counts as in what was read; None: nobody asks, or it is not known.
    """

    __slots__ = ("chosen", "data", "numbers", "rows")

    def __init__(self, data: bytearray | mmap, rows: bytearray, chosen: bool | None = None) -> None:
        self.data = data
        self.rows = rows
        self.chosen = chosen
        self.numbers: array[int] | range | None = None

    def __len__(self) -> int:
        return len(self.rows) // ROW_BYTES

    def part(self, start: int, stop: int) -> Batch:
        """The packets from `start` up to `stop`, sharing the bytes."""
        some = Batch(self.data, self.rows[start * ROW_BYTES : stop * ROW_BYTES], self.chosen)
        if self.numbers is not None:
            some.numbers = self.numbers[start:stop]
        return some

    def counted_as(self) -> array[int] | None:
        """`numbers`, as the codec takes them."""
        if isinstance(self.numbers, range):
            from array import array  # late: seldom

            return array("q", self.numbers)
        return self.numbers

    def keep(self, rows: bytearray) -> None:
        """Drops all its packets but those of some of its rows, in their order."""
        if self.numbers is not None:
            from array import array  # late: seldom
            from itertools import compress

            self.numbers = array("q", compress(self.numbers, marked(self.rows, rows)))
        self.rows = rows

    def made(self, start: int, stop: int, data: bytearray | None, rows: bytearray | None) -> Batch:
        """What became of the packets from `start` up to `stop`: others, or, where there are no data, these, as they are.

        All of them are the batch itself: it may lie where it can be handed on as a whole, see formats/sharing.py.
        """
        if data is not None and rows is not None:
            return Batch(data, rows)
        return self if stop - start == len(self) else self.part(start, stop)

    def columns(self) -> memoryview:
        """All columns of all rows as integers, `COLUMNS` a packet; writing into it changes the rows."""
        return memoryview(self.rows).cast("q")

    def column(self, which: int) -> list[int]:
        """One column of all rows, such as `batch.column(TIME)`."""
        return self.columns()[which::COLUMNS].tolist()

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Runs of packets of one link type, and FCS: first, behind the last, link type."""
        types = self.columns()[LINKTYPE::COLUMNS]
        if types[1:] == types[:-1]:  # nearly always, and found without a step of Python's a packet
            if len(types):
                yield 0, len(types), linktype_of(types[0])
            return
        from itertools import groupby  # late: seldom

        start = 0
        for link, run in groupby(types.tolist()):
            stop = start + sum(1 for _ in run)
            yield start, stop, linktype_of(link)
            start = stop

    def noted(self) -> int:
        """How many packets have extension lines."""
        sizes = self.columns()[NOTES_SIZE::COLUMNS]
        if not len(sizes) or (sizes[0] == 0 and sizes[1:] == sizes[:-1]):  # nearly always, and found like that of `runs`
            return 0
        return len(sizes) - sizes.tolist().count(0)

    def set_linktype(self, linktype: int) -> None:
        """Gives all packets a link type. What they have of a frame check sequence stays."""
        columns = self.columns()
        for i in range(LINKTYPE, len(columns), COLUMNS):
            columns[i] = columns[i] - linktype_of(columns[i]) + linktype

    def without_fcs(self) -> Batch:
        """The same batch, its packets without their frame check sequences, as far as these were captured."""
        columns = self.columns()
        types = columns[LINKTYPE::COLUMNS]
        alike = types[1:] == types[:-1]  # nearly always, as in `runs`
        if max(types[:1] if alike else types.tolist(), default=0) > MAX_LINKTYPE:
            for i in range(0, len(columns), COLUMNS):
                row = columns[i : i + COLUMNS]
                wire = max(row[ORIGINAL], row[CAPTURED]) - (fcs_of(row[LINKTYPE]) or 0)
                row[CAPTURED], row[ORIGINAL] = min(row[CAPTURED], max(wire, 0)), min(row[ORIGINAL], max(wire, 0))
                row[LINKTYPE] = linktype_of(row[LINKTYPE])
        return self

    def frame(self, i: int) -> memoryview:
        """The captured bytes of packet `i`."""
        offset, captured = self.columns()[i * COLUMNS : i * COLUMNS + 2]
        return memoryview(self.data)[offset : offset + captured]

    def packet(self, i: int) -> Packet:
        """Packet `i`, with bytes of its own: it stays when the batch is gone."""
        offset, captured, original, time, linktype, notes, size = self.columns()[i * COLUMNS : (i + 1) * COLUMNS]
        data = memoryview(self.data)
        return Packet(bytes(data[offset : offset + captured]), original, time, linktype, bytes(data[notes : notes + size]))

    def packets(self, first: int = 0, stop: int | None = None) -> list[Packet]:
        """The packets from `first` up to `stop`, as `packet` gives them."""
        values, data = self.columns()[first * COLUMNS : None if stop is None else stop * COLUMNS].tolist(), memoryview(self.data)
        each = zip(*[values[which::COLUMNS] for which in range(COLUMNS)], strict=True)
        return [
            Packet(bytes(data[at : at + size]), original, time, link, bytes(data[notes : notes + more]) if more else b"")
            for at, size, original, time, link, notes, more in each
        ]


def marked(rows: bytes | bytearray, kept: bytes | bytearray) -> bytearray:
    """Which of some rows were kept: a byte for each, 1 or 0. kept: those that were, in their order."""
    count = len(rows) // ROW_BYTES
    if len(kept) in (0, len(rows)):
        return bytearray([len(kept) > 0]) * count
    places, those = (memoryview(some).cast("q")[OFFSET::COLUMNS].tolist() for some in (rows, kept))
    marks = bytearray(map({*those}.__contains__, places))
    if marks.count(1) == len(those):  # nearly always: only packets without octets lie at the same place
        return marks
    found, at = bytearray(count), 0
    for i in range(count):
        if rows[i * ROW_BYTES : (i + 1) * ROW_BYTES] == kept[at : at + ROW_BYTES]:
            found[i] = 1
            at += ROW_BYTES
    return found


class Packet:
    """One packet by itself: for stages that keep packets or make new ones.

    frame: its captured bytes. original: bytes on the wire. time: nanoseconds since 1970. notes: extension lines.
    """

    __slots__ = ("frame", "linktype", "notes", "original", "time")

    def __init__(self, frame: bytes, original: int, time: int, linktype: int, notes: bytes = b"") -> None:
        self.frame, self.original, self.time, self.linktype, self.notes = frame, original, time, linktype, notes

    def remade(self, frame: bytes) -> Packet:
        """A whole packet with other bytes, from the same place and time."""
        return Packet(frame, len(frame), self.time, self.linktype, self.notes)


def gathered(packets: Iterable[Packet]) -> Batch:
    """A batch of packets, their bytes copied."""
    from struct import pack  # late: most commands make no packets

    data: bytearray = bytearray()
    columns: list[int] = []
    for p in packets:
        at, size = len(data), len(p.frame)
        columns += at, size, p.original, p.time, p.linktype, at + size, len(p.notes)
        data += p.frame
        data += p.notes
    return Batch(data, bytearray(pack(f"={len(columns)}q", *columns)))
