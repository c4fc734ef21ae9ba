"""Between two of our own commands packets need not become text: they are handed on as batches, as they lie in memory.

The reader of a pipe says by a lock on it that it understands them, as it says that it copies (see lending.py); the lock ends with
its process. A writer looks for it before each batch, and writes text where there is none. A batch stands in a stream of text in
place of its packets' text, between packets, and means the same: the link type is that of the LINKTYPE line before it.

    mark, version, packets, bytes of packets,       56 bytes, integers as the processor has them
      process, descriptor, token, place
    rows                                            see batch.py; where packets lie follows from their sizes
    16 bytes, bytes and notes of each packet        nothing else: whoever reads learns no more than from text

A process is named whose memory the reader may map, see sharing.py. Once it has, which it says by a lock again, what follows need
not be in the pipe: rows and packets stand at that place of the memory. Where they are in the pipe, the place is -1.

The 16 bytes mean nothing. In front of a packet that was read from a pcap file they are its record, so that one that goes to such
a file is written from where it lies.

A writer keeps other writers out of the pipe as long as it writes a batch: several may write into one.
"""

from __future__ import annotations

import os
import struct
import time
from fcntl import F_SETLK, F_UNLCK, F_WRLCK, fcntl

from .. import codec
from ..batch import CAPTURED, COLUMNS, LANE_MARK, MAX_LANE, NOTES_SIZE, ROW_BYTES, Batch
from ..command_line.signals import room
from ..errors import BAD_BATCH, NO_END, PktError, UsageError, counted, text_message
from .lending import LEAST, LOCK, PIECE, PIECES, promise, promised
from .pcap import RECORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from mmap import mmap

    from .files import Input, Output
    from .lending import Lender
    from .sharing import Known, Lent, Owner

VERSION = 3  # of what is handed on: another one, another place, so that those who know another see nothing
UNDERSTOOD = 0x706B7400 + VERSION  # where the reader's lock lies; see PLACE of lending.py
WRITING = 0x706B74FF  # where a writer's lies, while it writes a batch
KEEP_OUT, LET_IN = (LOCK.pack(kind, os.SEEK_SET, WRITING, 1, 0) for kind in (F_WRLCK, F_UNLCK))
HEADER = struct.Struct("=16siiqiiqq")
IN_PIPE = -1  # in place of a place
AHEAD = 4096  # bytes that are read of what is behind a header: small batches are there in one piece
SLACK = 8192  # bytes of rows, should they be more than before
MANY = 64  # packets from which it pays to look for memory to lend
SOME = 4  # batches with which one memory is told of, until it is another's turn
ONES, ONES_BYTES = 16, 4096  # packets, and bytes of them, below which a batch is a small one
FEW = 8  # small batches, one after the other, behind which the next ones are text
PAUSE = 0.001  # seconds after which a pipe is looked at again that another one writes into


def allowed() -> bool:
    """Whether batches are wanted at all. Raises UsageError for what the environment says that means nothing."""
    chosen = os.environ.get("PKTTOOLS_LANE", "")
    if chosen not in ("", "text"):
        raise UsageError(f"PKTTOOLS_LANE is '{chosen[:40]}': it is text, or not set")
    return not chosen


def offer(fd: int) -> bool:
    """Says to whoever writes into this pipe that batches are understood; whether they are."""
    if allowed():
        promise(fd, UNDERSTOOD)
        return True
    return False


def said(handed: int, shared: int, how: str) -> list[str]:
    """What is said of packets that came, or went, as batches."""
    where = f", {shared} of them where they lie" if shared else ""
    return [f"{counted(handed, 'packet')} {how} as batches{where}"] if handed else []


def lane_of(output: Output) -> Lane | None:
    """What hands batches on to a pipe; None: they are not wanted."""
    return Lane(output, output.lender) if output.lender and allowed() else None


# ---- writing ----


class Lane:
    """The writing end of a pipe, for batches. handed: packets that went so. lent: the memory of another process that batches come
    in; known: of whom the last one was. shared: packets that went in memory that the reader has mapped."""

    def __init__(self, output: Output, lender: Lender) -> None:
        self.output, self.lender = output, lender
        self.lender.shares = True
        self.handed = self.shared = self.turn = self.small = 0
        self.lent: Lent | None = None
        self.known: Known | None = None
        self.memory: mmap | None = None  # for what is not lent

    def is_read(self) -> bool:
        """Whether there is somebody now who reads batches."""
        return promised(self.output.fd, UNDERSTOOD) > 0

    def trickles(self, batch: Batch) -> bool:
        """Whether packets come one by one: to write text, and to read it, then takes less than what is around a batch."""
        few = len(batch) < ONES and sum(batch.column(CAPTURED)) < ONES_BYTES
        self.small = self.small + 1 if few else 0
        return self.small > FEW

    def ahead(self, rows: int, data: int, kept: int) -> tuple[mmap, int] | None:
        """Memory to read records of pcap into, and from where on, so that they can be handed on as they lie: with room for rows.

        rows, data: bytes of those that were read before. kept: bytes that go there in any case. None: anywhere.
        """
        front = HEADER.size + SLACK + PIECE * rows // (rows + data)
        if not self.handed or front > PIECE // 2 or front + kept + LEAST > PIECE:
            return None
        memory = self.other()
        return (memory, front) if memory else None

    def memory_for(self, size: int) -> mmap | None:
        """Where packets of so many bytes are to be read into, so that they can be handed on from there; None: anywhere."""
        return self.other() if size >= LEAST else None

    def other(self) -> mmap | None:
        """Memory to read into, once all packets that were read before are written. None: there is none."""
        self.lender.using = None
        self.lender.using = self.lender.take()
        return self.lender.using

    def encode(self, batch: Batch, first: int) -> tuple[memoryview, int]:
        """What is written for packets from `first` on, and which is the first one behind: the same one where only text can be."""
        data, rows, front = batch.data, batch.rows, HEADER.size
        lent = self.lent
        if lent and batch is lent.batch and data is lent.memory and not (first or lent.passed) and self.is_known(lent.owner):
            start, size, stop = codec.lane_encode(data, rows, 0, data, 0)
            if size and stop == len(batch):
                lent.passed = True
                return self.told(stop, size, lent.owner, lent.number * PIECE + start), stop
        out = data
        start, size, stop = codec.lane_encode(data, rows, first, out, front) if self.lender.has_taken(data) else (0, 0, first)
        if not size:
            out = (self.lender.take() if len(batch) - first >= MANY else None) or self.own()
            start, size, stop = codec.lane_encode(data, rows, first, out, front)
        count = stop - first
        if not count:
            return memoryview(b""), stop
        owner = self.lender.owner
        if owner and size >= LEAST and self.lender.has_taken(out) and self.is_known(owner):
            return self.told(count, size - front, owner, self.lender.hand_over() * PIECE + start + front), stop
        others = [one for one in (self.known, owner) if one and not self.is_known(one)]
        offered = others[self.turn // SOME % len(others)] if others else None  # who has ended cannot be found any more
        self.turn += 1
        told = (offered.pid, offered.fd, offered.token) if offered else (0, 0, 0)
        HEADER.pack_into(out, start, LANE_MARK, VERSION, count, size - front - count * ROW_BYTES, *told, IN_PIPE)
        return memoryview(out)[start : start + size], stop

    def told(self, count: int, size: int, owner: Owner | Known, place: int) -> memoryview:
        """What is written of packets that stand in somebody's memory, with their rows so many bytes."""
        size -= count * ROW_BYTES
        self.shared += count
        return memoryview(HEADER.pack(LANE_MARK, VERSION, count, size, owner.pid, owner.fd, owner.token, place))

    def is_known(self, owner: Owner | Known) -> bool:
        """Whether the reader has mapped this memory."""
        return promised(self.output.fd, owner.token) > 0

    def own(self) -> mmap:
        """Memory for a batch that is written, not lent: of most of it no page is ever touched."""
        if not self.memory:
            import mmap  # late, as in lending.py

            self.memory = mmap.mmap(-1, HEADER.size + MAX_LANE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self.memory

    def enter(self) -> None:
        """Keeps other writers of ours out of the pipe, until `leave`; waits where one of them is there. Raises what `room` does."""
        while not self.lock(KEEP_OUT):
            room(self.output.fd)
            time.sleep(PAUSE)

    def leave(self) -> None:
        """Lets others in again."""
        self.lock(LET_IN)

    def lock(self, kind: bytes) -> bool:
        """Sets a lock, or takes it away; whether it could be done."""
        try:
            fcntl(self.output.fd, F_SETLK, kind)
        except BlockingIOError:
            return False
        except OSError:
            pass  # without locks there is no reader who has one, and soon this one is gone
        return True


def ends(data: memoryview) -> list[int]:
    """Where packets end in what was encoded."""
    from itertools import accumulate  # late: seldom

    count, place = HEADER.unpack_from(data)[2], HEADER.unpack_from(data)[-1]
    if place != IN_PIPE:
        return [HEADER.size] * count
    at = HEADER.size + count * ROW_BYTES
    columns = memoryview(bytes(data[HEADER.size : at])).cast("q")
    sizes = zip(columns[CAPTURED::COLUMNS].tolist(), columns[NOTES_SIZE::COLUMNS].tolist(), strict=True)
    return list(accumulate((RECORD + captured + notes for captured, notes in sizes), initial=at))[1:]


# ---- reading ----


def batches(source: Input, buffer: bytearray, used: int, linktype: int, line: int) -> Generator[Batch, None, tuple[int, int]]:
    """The batches that begin a stream, of which `buffer` holds the first `used` bytes, as long as one follows the other.

    linktype: what holds there. line: lines before, counted as if all were text. Returns the bytes of what follows, with which the
    buffer begins, and the lines then. Raises PktError at what is not sound, after the packets before it.
    """
    source.link = linktype if source.link is None else source.link
    own = bytearray(0)  # memory for packets that are not handed on, or not lent
    start = 0
    while True:
        if used - start < HEADER.size:
            buffer[: used - start] = buffer[start:used]
            start, used = 0, used - start
            while used < HEADER.size and LANE_MARK.startswith(buffer[: min(used, len(LANE_MARK))]):
                known, used = used, source.fill(buffer, used, HEADER.size + AHEAD)
                if used == known:
                    break
            if 0 < used < HEADER.size and LANE_MARK.startswith(buffer[: min(used, len(LANE_MARK))]):
                raise PktError(f"{source.name}:{line + 1}: {text_message(NO_END, b'', 0)}")
        if not buffer.startswith(LANE_MARK, start, used):
            buffer[: used - start] = buffer[start:used]
            return used - start, line
        _, version, count, size, pid, fd, token, place = HEADER.unpack_from(buffer, start)
        if version != VERSION or count <= 0 or size < 0 or count * ROW_BYTES + size > MAX_LANE:
            raise PktError(f"{source.name}:{line + 1}: {text_message(BAD_BATCH, b'', 0)}")
        start += HEADER.size
        lent = None
        owner = known_to(source, pid, fd, token) if pid else None
        whole = True
        if place != IN_PIPE:
            lent = lent_at(owner, place, count * ROW_BYTES + size)
            if not lent:
                raise PktError(f"{source.name}:{line + 1}: {text_message(BAD_BATCH, b'', 0)}")
            data: bytearray | mmap = lent.memory
            base = place % PIECE + count * ROW_BYTES
            rows = bytearray(memoryview(data)[base - count * ROW_BYTES : base])
            stop = base + size
        else:
            rows = bytearray(count * ROW_BYTES)
            base = HEADER.size + len(rows)  # where packets are in what was written: they may be handed on as they lie
            memory = source.onward.memory_for(base + size) if source.onward else None
            if not memory and len(own) < base + size:
                own = bytearray(base + size + SLACK)  # room for much more than there is would have to be cleared
            data = memory or own
            there = taken(buffer, start, used, rows, data, base, size)
            start += there
            if there < len(rows) + size:  # then the buffer is empty
                came, used = rest(source, rows, data, base, size, there, buffer)
                start, there = 0, there + came
            whole = there == len(rows) + size
            if not whole:
                rows = rows[: there // ROW_BYTES * ROW_BYTES]
            stop = max(base, HEADER.size + there)
        sound, lines = codec.lane_decode(data, base, stop, rows, linktype)
        line += lines
        source.handed += sound
        source.shared += sound if lent else 0
        batch = Batch(data, rows if sound == count else rows[: sound * ROW_BYTES])
        if lent:
            lent.batch = batch
        if source.onward:
            source.onward.lent = lent
        if sound:
            yield batch
        if lent:
            lent.give_back()
        if not whole or sound < count:
            raise PktError(f"{source.name}:{line + 1}: {text_message(BAD_BATCH if whole else NO_END, b'', 0)}")


def known_to(source: Input, pid: int, fd: int, token: int) -> Known | None:
    """The memory that a writer tells of, mapped; None: it is not to be had. The writer hears of it."""
    if not source.owners:
        from .sharing import Owners  # late: a command that gets few packets is told of none

        source.owners = Owners(PIECES, PIECE)
    owner, new = source.owners.find(pid, fd, token)
    if owner and new:
        promise(source.fd, token)
    if owner and source.onward:
        source.onward.known = owner
    return owner


def lent_at(owner: Known | None, place: int, size: int) -> Lent | None:
    """The piece that so many bytes stand in at a place of somebody's memory; None: none does. Raises OSError: there is no room."""
    from .sharing import Lent

    number, at = divmod(place, PIECE)
    return Lent(owner, number) if owner and 0 <= number < PIECES and at + size <= PIECE else None


def taken(buffer: bytearray, start: int, stop: int, rows: bytearray, data: bytearray | mmap, base: int, size: int) -> int:
    """Takes what is there of rows, and of `size` bytes of packets, which go to data[base:], out of buffer[start:stop]; gives how
    many bytes."""
    front = min(len(rows), stop - start)
    behind = min(size, stop - start - front)
    rows[:front] = buffer[start : start + front]
    data[base : base + behind] = buffer[start + front : start + front + behind]
    return front + behind


def rest(source: Input, rows: bytearray, data: bytearray | mmap, base: int, size: int, there: int,
         buffer: bytearray) -> tuple[int, int]:  # fmt: skip
    """Reads what is missing of rows and packets where so many bytes of them are there; gives how many came.

    And how many bytes of what is behind them came with them, into the buffer: mostly the next header.
    """
    before, whole = there, len(rows) + size
    with memoryview(rows) as row_view, memoryview(data)[base : base + size] as data_view, memoryview(buffer) as ahead:
        while there < whole:
            missing = [data_view[max(0, there - len(rows)) :], ahead[: HEADER.size + AHEAD]]
            more = source.read_into([row_view[there:], *missing] if there < len(rows) else missing)
            if not more:
                break
            there += more
    return min(there, whole) - before, max(0, there - whole)
