"""Numbers of TCP that follow where octets of a connection became more or fewer.

Those of later segments, of what the other side acknowledges (RFC 9293 section 3.4), and that out of order (RFC 2018).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from struct import pack, unpack_from

from .. import codec
from ..batch import CAPTURED, COLUMNS, OFFSET
from ..protocols.fields import HEADERS
from ..protocols.kinds import carries_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch

    Piece = tuple[int, int, bytes]  # where it is in the frame, octets that are taken out, and put in

TCP = HEADERS.index("TCP")
SEQ, ACK, OPTIONS = 4, 8, 20  # bytes of the header, up to there
SYN, ACKS = 2, 16  # flags
SACK = 5
ROUND = 1 << 32


class Way:
    """What was changed in one direction of a connection: octets by their numbers as they came, which may go on beyond 32 bits."""

    def __init__(self, number: int) -> None:
        self.last = number
        self.edits: list[tuple[int, int, int]] = []  # where one ends and begins, and how many octets are there then

    def counted_on(self, number: int) -> int:
        """A number of 32 bits, near those that came before."""
        return self.last + (number - self.last + ROUND // 2) % ROUND - ROUND // 2

    def add(self, start: int, removed: int, size: int) -> None:
        """Notes a change, once: a segment that comes again is changed again."""
        start = self.counted_on(start)
        edit = start + removed, start, size
        if edit not in self.edits or removed == 0:
            insort(self.edits, edit)

    def now(self, number: int) -> int:
        """What a number is now."""
        at = self.counted_on(number)
        self.last = max(self.last, at)
        before = bisect_right(self.edits, (at, at, ROUND))
        more = sum(size - (end - start) for end, start, size in self.edits[:before])
        if before < len(self.edits) and self.edits[before][1] < at:  # within what became another
            more += min(0, self.edits[before][2] - (at - self.edits[before][1]))
        return (number + more) % ROUND


class Numbers:
    """The connections whose octets were changed."""

    def __init__(self) -> None:
        self.ways: dict[bytes, Way] = {}

    def of(self, batch: Batch) -> Packets:
        """The packets of a batch."""
        return Packets(self.ways, batch)


class Packets:
    """The packets of a batch, one after the other."""

    def __init__(self, ways: dict[bytes, Way], batch: Batch) -> None:
        self.ways, self.batch = ways, batch

    def packet(self, i: int, piece: Piece | None) -> Iterator[Piece]:
        """The numbers in a packet that become others. piece: what becomes another of its payload."""
        if not self.ways and piece is None:
            return
        columns = self.batch.columns()
        offset, captured = columns[i * COLUMNS + OFFSET], columns[i * COLUMNS + CAPTURED]
        headers = codec.walk(self.batch.data, self.batch.part(i, i + 1).rows)
        index = max((k for k, header in enumerate(headers) if header[0] == TCP), default=-1)
        carrier = next((k for k in reversed(range(max(index, 0))) if carries_message(headers[k][0])), -1)
        if index < 0 or carrier < 0 or headers[index][1] + OPTIONS > captured:
            return
        start = headers[index][1]
        frame = bytes(memoryview(self.batch.data)[offset : offset + captured])
        here, there = ends(frame, headers[carrier][1], start)
        seq, ack, size, flags = unpack_from(">IIBB", frame, start + SEQ)
        if flags & SYN and not flags & ACKS and self.ways:  # another connection
            self.ways.pop(here, None)
            self.ways.pop(there, None)
        way, back = self.ways.get(here), self.ways.get(there)
        if way:
            yield from changed(frame, start + SEQ, way.now(seq), seq)
        if back:
            if flags & ACKS:
                yield from changed(frame, start + ACK, back.now(ack), ack)
            for at in blocks(frame, start + OPTIONS, min(start + (size >> 4) * 4, captured)):
                edge = unpack_from(">I", frame, at)[0]
                yield from changed(frame, at, back.now(edge), edge)
        if piece is not None and len(piece[2]) != piece[1]:
            self.note(here, way, seq + (flags & SYN > 0), piece, start + (size >> 4) * 4, headers[index][3])

    def note(self, here: bytes, way: Way | None, first: int, piece: Piece, begin: int, end: int) -> None:
        """Notes what becomes another, with an octet that stays beside it where nothing is taken out: it goes with that one."""
        at, removed, put_in = piece
        if at < begin:
            return  # it is no payload
        size, number = len(put_in), first + at - begin
        if not removed and at < end:
            removed, size = 1, size + 1
        elif not removed and at > begin:
            number, removed, size = number - 1, 1, size + 1
        if way is None:
            way = self.ways[here] = Way(first)
        way.add(number % ROUND, removed, size)


def ends(frame: bytes, carrier: int, start: int) -> tuple[bytes, bytes]:
    """What tells the two directions of a connection apart: this one, and the other."""
    size, at = (16, carrier + 8) if frame[carrier] >> 4 == 6 else (4, carrier + 12)
    source, destination = frame[at : at + size], frame[at + size : at + 2 * size]
    here, there = frame[start : start + 2], frame[start + 2 : start + 4]
    return source + destination + here + there, destination + source + there + here


def blocks(frame: bytes, at: int, end: int) -> Iterator[int]:
    """Where the numbers of selective acknowledgements stand in options from `at` to `end` (RFC 2018 section 3)."""
    while at < end and frame[at] != 0:
        size = 1 if frame[at] == 1 else frame[at + 1] if at + 1 < end else 0
        if size < (1 if frame[at] == 1 else 2) or at + size > end:
            return
        if frame[at] == SACK:
            yield from range(at + 2, at + size - 3, 4)
        at += size


def changed(frame: bytes, at: int, now: int, was: int) -> Iterator[Piece]:
    """The piece that a number is, if it became another."""
    if now != was:
        yield at, 4, pack(">I", now)
