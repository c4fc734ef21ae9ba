"""Captures of programs that are seldom met, record by record, in Python.

A format says what a record is, and this reads the stream of them.
"""

from __future__ import annotations

from array import array

from ..batch import MAX_BATCH, Batch
from ..errors import HEADER_CUT, RECORD_CUT, PktError, pcap_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .files import Input

    # A packet of a record: where its octets begin there, captured and original size, time in nanoseconds, link type, notes.
    Found = tuple[int, int, int, int, int, bytes]
    # Of a buffer and where a record begins: the size of the record, and what it holds. Raises ValueError with what is wrong.
    Read = Callable[[bytearray, int], tuple[int, Found | None]]


def batches(source: Input, buffer: bytearray, used: int, start: int, offset: int, header: int,
            read: Read) -> Generator[Batch, None, tuple[int, int]]:  # fmt: skip
    """The packets of records from buffer[start] on, of which each begins with a header of so many bytes.

    offset: what stands in front of the buffer in the whole stream, in bytes. Returns 0 and where the stream ends. Raises PktError
    with the offset of what is wrong, after the packets before it.
    """
    at = start
    while True:
        data, rows, size, error = bytearray(), array("q"), header, ""
        while used - at >= header and len(data) < MAX_BATCH:
            try:
                size, found = read(buffer, at)
            except ValueError as wrong:
                error = str(wrong)
                break
            if size > used - at:
                break
            if found:
                front, captured, original, time, link, notes = found
                front += at
                rows.extend((len(data), captured, original, time, link, len(data) + captured, len(notes)))
                data += buffer[front : front + captured]
                data += notes
            at, size = at + size, header
        if rows:
            yield Batch(data, bytearray(rows.tobytes()))
        if error:
            raise PktError(f"{source.name}: at {source.byte(offset + at)}: {error}")
        if used - at >= max(size, header):
            continue
        have = used - at
        buffer[:have] = buffer[at:used]
        if have == len(buffer):
            buffer.extend(bytes(have))
        offset, at, used = offset + at, 0, source.fill(buffer, have)
        if used == have:
            if have:
                kind = (HEADER_CUT, have, header) if have < header else (RECORD_CUT, have - header, size - header)
                raise PktError(f"{source.name}: at {source.byte(offset)}: {pcap_message(*kind)}")
            return 0, offset
