"""Frames that an XDP program has handed over, in a BPF ring buffer or a perf buffer; twin of ../c/samples.c.

What stands in the memory is checked like any input. That bytes are seen once the position behind them is, is left to
processors that keep loads in order; C has barriers.
"""

from __future__ import annotations

import errno
import os
import struct
from array import array
from mmap import mmap

POSITION = struct.Struct("L")  # of a ring buffer: as wide as the kernel's long
HEADER = struct.Struct("=II")  # of a record: its size, and what only the kernel needs
BUSY, DISCARDED = 1 << 31, 1 << 30  # in the size
SAMPLE = struct.Struct("=QQ")  # in front of a frame: time in nanoseconds, bytes on the wire

HEAD, TAIL = 1024, 1032  # where the positions of a perf buffer are, struct perf_event_mmap_page
PERF_POSITION = struct.Struct("=Q")
PERF_HEADER = struct.Struct("=I2xH")  # of a record: type, size
PERF_SAMPLE = struct.Struct("=QIHH")  # behind it: time, bytes of what follows, cookie, bytes on the wire
SAMPLE_TYPE, COOKIE = 9, 0xDEAD


def ringbuf_read(consumer: bytearray | mmap, producer: bytes | mmap, linktype: int, clock: int, nano: bool, room: int,
                 notes: bytes) -> tuple[bytearray, bytearray]:  # fmt: skip
    """Copies frames out of a BPF ring buffer, which the kernel gets back: as many as `room` bytes have room for.

    consumer: the page with our position. producer: as the kernel maps it, the page with its own and the ring, twice. clock: what
    is added to times, nanoseconds. nano: times with all digits, else microseconds. notes: the extension lines of all packets.
    Returns the bytes, with the notes first, and the rows; both are empty when there is nothing. Raises OSError (EBADMSG) when
    something in the memory cannot be.
    """
    page = len(consumer)
    size = (len(producer) - page) // 2
    if page < POSITION.size or page % 8 or size < 8 or size & (size - 1) or len(producer) != page + 2 * size or room < 0:
        raise ValueError("no ring buffer")
    (at,), (end,) = POSITION.unpack_from(consumer), POSITION.unpack_from(producer)
    if at % 8 or (end - at) & MASK > size:
        raise _bad()
    data, rows = bytearray(notes), array("q")
    while at != end:
        (length, _), start = HEADER.unpack_from(producer, page + at % size), page + at % size + HEADER.size
        if length & BUSY:
            break
        captured = (length & ~DISCARDED) - SAMPLE.size
        total = (captured + SAMPLE.size + HEADER.size + 7) & ~7
        if total > (end - at) & MASK:
            raise _bad()
        if not length & DISCARDED:
            if captured < 0 or (total > room and not rows):
                raise _bad()
            if total > room:
                break
            room -= total
            time, original = SAMPLE.unpack_from(producer, start)
            _row(rows, len(data), captured, original, time + clock, nano, linktype, len(notes))
            data += producer[start + SAMPLE.size : start + SAMPLE.size + captured]
        at = (at + total) & MASK
    POSITION.pack_into(consumer, 0, at)
    return (data, bytearray(rows.tobytes())) if rows else (bytearray(), bytearray())


def perf_read(buffer: bytearray | mmap, page: int, limit: int, linktype: int, clock: int, nano: bool, room: int,
              notes: bytes) -> tuple[bytearray, bytearray]:  # fmt: skip
    """Copies frames out of a perf buffer, as `ringbuf_read`. page: bytes before the ring. limit: bytes of a frame."""
    size = len(buffer) - page
    if page < TAIL + 8 or page % 8 or size < 8 or size & (size - 1) or room < 0 or limit < 0:
        raise ValueError("no perf buffer")
    (end,), (at,) = PERF_POSITION.unpack_from(buffer, HEAD), PERF_POSITION.unpack_from(buffer, TAIL)
    if at % 8 or (end - at) & (1 << 64) - 1 > size:
        raise _bad()

    def taken(at: int, count: int) -> bytes | bytearray:
        at %= size
        first = min(count, size - at)
        return buffer[page + at : page + at + first] + buffer[page : page + count - first]

    data, rows = bytearray(notes), array("q")
    while at != end:
        kind, total = PERF_HEADER.unpack_from(buffer, page + at % size)
        if total < PERF_HEADER.size or total % 8 or total > (end - at) & (1 << 64) - 1:
            raise _bad()
        if kind == SAMPLE_TYPE:
            head = PERF_HEADER.size + PERF_SAMPLE.size
            if total < head or (total > room and not rows):
                raise _bad()
            if total > room:
                break
            room -= total
            time, raw, cookie, original = PERF_SAMPLE.unpack(taken(at + PERF_HEADER.size, PERF_SAMPLE.size))
            if cookie != COOKIE or raw < 4 or raw - 4 > total - head:
                raise _bad()
            captured = min(raw - 4, original, limit)
            _row(rows, len(data), captured, original, time + clock, nano, linktype, len(notes))
            data += taken(at + head, captured)
        at = (at + total) & (1 << 64) - 1
    PERF_POSITION.pack_into(buffer, TAIL, at)
    return (data, bytearray(rows.tobytes())) if rows else (bytearray(), bytearray())


MASK = (1 << 8 * POSITION.size) - 1  # positions start again when they are used up


def _row(rows: array[int], at: int, captured: int, original: int, time: int, nano: bool, linktype: int, notes: int) -> None:
    """Adds a row; what is too large for its column is cut to 64 bits, as in C."""
    time = _signed(time if nano else time - _signed(time) % 1000)
    rows.extend((at, captured, max(_signed(original), captured), time, linktype, 0, notes))


def _signed(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _bad() -> OSError:
    """What memory that cannot be right raises."""
    return OSError(errno.EBADMSG, os.strerror(errno.EBADMSG))
