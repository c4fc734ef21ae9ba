"""Puts headers in front of others, or takes them off, by shapes: what is to be done to packets that begin with the same headers.

Twin of ../c/wrapping.c.
"""

from __future__ import annotations

from struct import unpack
from zlib import crc32

from ...batch import COLUMNS, LINKTYPE, MAX_BATCH, Packet, gathered
from ...protocols.walking import DATAGRAM_6, OWN_END
from .. import BAD, CORRECTED, FRAGMENT
from .checksum import View
from .exceptions import datagram_said, message_of, named_by
from .fragments import packet_of
from .headers import Header
from .protocols import carries_message, exception, known
from .rows import checked, without_fcs
from .splicing import DONE, NO_LENGTH, NOT_FOLLOWED, NOT_THERE, OF_FRAGMENT, Piece, Splice, packet_end, splice_frame
from .sums import has_sum, sum_verdict

HEAD, PIECE, STEP = 13, 5, 5  # integers of a shape, see wrapping.h
MOVE, SET, COUNT, FLOW, ECN_LOWERED, ECN_JOINED, SIZE, STEP_KINDS = range(8)
WRAPPED, NO_HEADER, NO_WAY, CUT_OFF, IN_FRAGMENT, TOO_LONG_FOR_IT, UNSOUND, CONGESTED, NOT_SUMMED, LEFT_UNWRAPPED = range(10)
AS_SPLICED = {NOT_THERE: CUT_OFF, OF_FRAGMENT: IN_FRAGMENT, NO_LENGTH: TOO_LONG_FOR_IT}
MAX_HEADERS, MOST_PIECES, MOST_STEPS, MOST_OCTETS, MOST_BYTES = 32, 8, 64, 1024, 65536
FIRST_PORT, PORTS, LINK_OCTETS = 49152, 16384, 14  # RFC 7348 section 5
MOST_LENGTH = 1500  # IEEE 802.3 clause 3.2.6
CAPABLE_1, CAPABLE_0, MARKED = 1, 2, 3  # RFC 3168 section 5


class Shape:
    """What becomes of packets that begin with the same headers: a row of integers, see ../c/wrapping.h."""

    def __init__(self, row: tuple[int, ...], octets: bytes) -> None:
        """Raises ValueError for one that is not sound."""
        size, self.linktype, count, self.whole, self.why, self.made, self.first, self.behind = row[:8]
        pieces, steps, at, length, plain = row[8:HEAD]
        fits = (1 <= count <= MAX_HEADERS and 0 <= pieces <= MOST_PIECES and 0 <= steps <= MOST_STEPS
                and size == HEAD + count + PIECE * pieces + STEP * steps and WRAPPED <= self.why <= UNSOUND
                and 0 <= plain < count and 0 <= self.first <= self.behind <= count and 0 <= self.made <= 0xFFFFFFFF
                and 0 <= length <= MOST_OCTETS and 0 <= at <= len(octets) - length)  # fmt: skip
        if not fits:
            raise ValueError
        self.octets = octets[at : at + length]
        self.kinds, rest = row[HEAD : HEAD + count], row[HEAD + count :]
        self.pieces = [rest[i : i + PIECE] for i in range(0, PIECE * pieces, PIECE)]
        self.steps = [rest[i : i + STEP] for i in range(PIECE * pieces, len(rest), STEP)]
        last, used = count - (self.whole == 0), 0
        for header, start, to_header, stop, more in self.pieces:
            if not (0 <= header <= to_header <= last and max(abs(start), abs(stop)) <= MOST_BYTES and 0 <= more <= length - used):
                raise ValueError
            used += more
        for what, header, bit, width, to in self.steps:
            if not (MOVE <= what < STEP_KINDS and 0 <= header <= last and 1 <= width <= 64 and 0 <= to <= 8 * length - width
                    and (what == SET or abs(bit) <= 8 * MOST_BYTES)):  # fmt: skip
                raise ValueError
        if used != length:
            raise ValueError

    def fits(self, view: View, linktype: int) -> bool:
        """Whether a packet begins so."""
        kinds = tuple(header.kind for header in own(view))
        return self.linktype == linktype and (kinds == self.kinds if self.whole else kinds[: len(self.kinds)] == self.kinds)


def shapes_of(shapes: bytes, octets: bytes) -> list[Shape]:
    """The shapes in rows that lie one behind the other. Raises ValueError where they are not sound."""
    if len(shapes) % 8:
        raise ValueError
    numbers, found, at = unpack(f"{len(shapes) // 8}q", shapes), [], 0
    while at < len(numbers):
        size = numbers[at]
        if not HEAD <= size <= len(numbers) - at:
            raise ValueError
        found.append(Shape(numbers[at : at + size], octets))
        at += size
    return found


def own(view: View) -> list[Header]:
    """Headers of the packet itself, in front of what an error message quotes."""
    return view.headers[: view.quote]


class _Left(Exception):
    """Why a packet is left: a number."""


def place(view: View, header: int, offset: int) -> int:
    """A place in a frame. Raises _Left where it is not there."""
    headers = own(view)
    at: int = (headers[header].start if header < len(headers) else headers[-1].data) + offset
    if not 0 <= at <= len(view.frame):
        raise _Left(CUT_OFF)
    return at


def read_bits(frame: bytes | bytearray, bit: int, width: int) -> int:
    """Bits of a frame. Raises _Left where they are not there."""
    stop = (bit + width + 7) // 8
    if bit < 0 or stop > len(frame):
        raise _Left(CUT_OFF)
    return int.from_bytes(frame[bit // 8 : stop], "big") >> 8 * stop - bit - width & (1 << width) - 1


def write_bits(octets: bytearray, bit: int, width: int, value: int) -> None:
    """Writes bits."""
    first, stop = bit // 8, (bit + width + 7) // 8
    shift, mask = 8 * stop - bit - width, (1 << width) - 1
    around = int.from_bytes(octets[first:stop], "big") & ~(mask << shift)
    octets[first:stop] = (around | (value & mask) << shift).to_bytes(stop - first, "big")


def flow_of(view: View, first: int, ports: tuple[int, ...]) -> int:
    """Who sends what to whom: of IP the addresses, the protocol, and ports where all have them; else how a frame begins."""
    headers, frame = own(view), view.frame
    index = next((i for i in range(first, len(headers)) if carries_message(headers[i].kind)), None)
    if index is None:
        return FIRST_PORT + crc32(frame[:LINK_OCTETS]) % PORTS
    carried, ends = named_by(headers[index])
    outcome, m = message_of(view, index)
    size = 32 if exception(headers[index].kind) == DATAGRAM_6 else 8
    protocol = m.protocol if m and outcome in (CORRECTED, FRAGMENT) else view.get(carried, 1)
    key = b"".join(view.get(at, 1).to_bytes(1, "big") for at in range(ends, ends + size)) + bytes((protocol,))
    if m and outcome == CORRECTED and any(h.start == m.at and h.kind in ports for h in headers[index + 1 :]):
        key += b"".join(view.get(at, 1).to_bytes(1, "big") for at in range(m.at, m.at + 4))
    return FIRST_PORT + crc32(key) % PORTS


def size_of(view: View, index: int, more: int) -> int:
    """Bytes from a header up to where what it begins ends, and so many more. Raises _Left: more than IEEE 802.3 has room for."""
    headers, start = own(view), place(view, index, 0)
    index = min(index, len(headers) - 1)
    header, end = headers[index], view.wire_end(index)
    said = datagram_said(view.frame, header) if carries_message(header.kind) else 0
    if header.start == start and said:
        end = start + said
    elif header.start == start and known().kinds[header.kind].flags & OWN_END:
        end = header.end
    size = max(0, end - start) + more
    if not 0 <= size <= MOST_LENGTH:
        raise _Left(TOO_LONG_FOR_IT)
    return size


class _Wrapping:
    """How packets are changed: see `wrap`."""

    def __init__(self, shapes: list[Shape], ports: tuple[int, ...], number: int, keep: bool) -> None:
        self.shapes, self.ports, self.number, self.keep = shapes, ports, number, keep
        self.counts = [0] * LEFT_UNWRAPPED
        self.last: tuple[Shape, ...] = ()

    def shape_of(self, view: View, linktype: int) -> Shape | None:
        """What a packet is like; None: like none. Where that is several, it is what the packet before was like."""
        for shape in (*self.last, *self.shapes):
            if shape.fits(view, linktype):
                self.last = (shape,)
                return shape
        return None

    def step(self, view: View, octets: bytearray, step: tuple[int, ...]) -> None:
        """Writes what a step says. Raises _Left."""
        what, header, bit, width, to = step
        if what == SET:
            value = bit
        elif what == COUNT:
            value, self.number = self.number, self.number + 1 & 0xFFFF
        elif what == SIZE:
            value = size_of(view, header, bit)
        elif what == FLOW:
            value = flow_of(view, header, self.ports)
        else:
            value = read_bits(view.frame, place(view, header, 0) * 8 + bit, width)
        if what == ECN_LOWERED and value == MARKED:
            value = CAPABLE_0
        if what == ECN_JOINED:
            inner = read_bits(octets, to, width)
            if value == MARKED and inner == 0:
                raise _Left(CONGESTED)
            if inner == 0 or (value != MARKED and not (value == CAPABLE_1 and inner == CAPABLE_0)):
                value = inner
        write_bits(octets, to, width, value)

    def made(self, shape: Shape, view: View, packet: Packet) -> Packet:
        """What becomes of a packet. Raises _Left."""
        if shape.why != WRAPPED:
            raise _Left(shape.why)
        if unsound(view, shape):
            raise _Left(UNSOUND)
        octets, used, before = bytearray(shape.octets), 0, 0
        for step in shape.steps:
            self.step(view, octets, step)
        pieces = []
        for header, start, to_header, stop, size in shape.pieces:
            at, end = place(view, header, start), place(view, to_header, stop)
            if at < before or end < at:
                raise _Left(CUT_OFF)
            pieces.append(Piece(at, end - at, bytes(octets[used : used + size])))
            used, before = used + size, end
        how = Splice(without_frame(view, pieces), shape.made, self.keep, True)
        why, frame, original = splice_frame(packet.frame, packet.original, packet.linktype, how)
        if why not in DONE:
            raise _Left(AS_SPLICED[why])
        self.counts[NOT_SUMMED] += why == NOT_FOLLOWED
        return Packet(frame, original, packet.time, shape.made, packet.notes)

    def wrap(self, shape: Shape, view: View, packet: Packet, as_came: Packet) -> list[Packet]:
        """What becomes of a packet; itself where it is left."""
        number = self.number
        try:
            made = self.made(shape, view, packet)
        except _Left as left:
            self.number = number
            self.counts[left.args[0]] += 1
            return [] if left.args[0] == CONGESTED else [as_came]
        self.counts[WRAPPED] += 1
        return [made]


def without_frame(view: View, pieces: list[Piece]) -> list[Piece]:
    """Where the outermost header goes and none takes its place, nothing is behind the packet: what was is the frame's."""
    if not pieces or pieces[0].at or not pieces[0].removed or pieces[0].octets:
        return pieces
    end, size, last = packet_end(view), len(view.frame), pieces[-1]
    return [*pieces, Piece(end, size - end, b"")] if last.at + last.removed <= end < size else pieces


def unsound(view: View, shape: Shape) -> bool:
    """Whether a checksum of a header that goes away is wrong: then it is not what it looks like."""
    headers, left = own(view), None
    for i in range(shape.first, shape.behind):
        if not has_sum(view, i):
            continue
        if view.judged(view.header_checksum(i)) == BAD:
            return True
        outcome, m, verdict, left = sum_verdict(view, i, left)
        if outcome != CORRECTED or not m or not m.summed or verdict != BAD:
            continue
        if m.at < (headers[shape.behind].start if shape.behind < len(headers) else len(view.frame)):
            return True
    return False


def wrap(
    data: bytearray, rows: bytes, first: int, shapes: bytes, octets: bytes, ports: bytes, number: int, keep: bool
) -> tuple[int, bytearray, bytearray, tuple[int, tuple[int, ...], int]]:
    """Puts headers into packets, or takes some off, from the first packet on.

    shapes: what is to be done to packets that begin with the same headers, see ../c/wrapping.h; octets: those that they put in.
    ports: kinds of headers that begin with the ports of a flow. number: that of the next packet that gets one. keep: what is
    around stays as it is.

    Returns how far it came: to the first packet that no shape is of, to the end, or until there are many bytes; data and rows of
    what there is instead of the packets; and the next number, how many were changed, and left, by reason, and how many headers the
    packet has that no shape is of; 0: all had one.
    """
    packed = checked(data, rows)
    values = without_fcs([*packed])
    try:
        found = shapes_of(bytes(shapes), bytes(octets))
        sound = 0 <= first <= len(values) // COLUMNS and 0 <= number <= 0xFFFF and len(ports) % 8 == 0
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("first packet, shapes or number out of range")
    how, stop, size, unknown = _Wrapping(found, unpack(f"{len(ports) // 8}q", ports), number, keep), first, 0, 0
    made: list[Packet] = []
    while stop < len(values) // COLUMNS and size < MAX_BATCH:
        at = stop * COLUMNS
        packet = packet_of(data, values[at : at + COLUMNS])
        view = View(packet.frame, packet.original, packet.linktype, True)
        shape = how.shape_of(view, values[at + LINKTYPE])
        if shape is None:
            unknown = len(own(view))
            break
        new = how.wrap(shape, view, packet, packet_of(data, packed[at : at + COLUMNS]))
        made += new
        size += sum(len(p.frame) + len(p.notes) for p in new)
        stop += 1
    batch = gathered(made)
    return stop, batch.data, batch.rows, (how.number, tuple(how.counts), unknown)  # type: ignore[return-value]  # no mmap
