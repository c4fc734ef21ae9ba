"""Stamps in packets, and in what order they come."""

from __future__ import annotations

from struct import pack, pack_into, unpack, unpack_from

from ...batch import CAPTURED, COLUMNS, OFFSET, TIME
from .rows import checked

STAMP = 16  # bytes: a mark, number, seconds, microseconds, 32 bits each, big-endian
SECOND = 1_000_000_000  # nanoseconds
EARLIEST = -(1 << 63)
TURN = 1 << 32  # numbers, then they start over


def read_stamps(data: bytearray, rows: bytes, mark: int, at: int) -> tuple[bytearray, bytearray, int]:
    """Finds the stamps in packets: the first place in each that begins with `mark`, where there is room for it.

    at: where it is likely to stand. Returns the numbers, 32 bits each, and by how much packets came later than their stamps say
    they were sent, 64 bits each, in nanoseconds, both in native order, and where the last stamp stood. Raises ValueError.
    """
    columns = checked(data, rows)
    if at < 0 or not 0 <= mark < TURN:
        raise ValueError("mark or place out of range")
    wanted, numbers, delays = mark.to_bytes(4, "big"), bytearray(), bytearray()
    for i in range(0, len(columns), COLUMNS):
        offset, captured = columns[i + OFFSET], columns[i + CAPTURED]
        here, end = offset + at, offset + captured
        if here + STAMP > end or data[here : here + 4] != wanted:
            here = data.find(wanted, offset, end)  # wherever it is: other headers, or what carries the packet
            if here < 0 or here + STAMP > end:
                continue
            at = here - offset
        number, seconds, micros = unpack_from(">III", data, here + 4)
        numbers += pack("=I", number)
        delays += pack("=q", max(EARLIEST, columns[i + TIME] - seconds * SECOND - micros * 1000))
    return numbers, delays, at


def follow_numbers(numbers: bytes, seen: bytearray, state: bytearray) -> None:
    """Follows the numbers of packets as they come in, 32 bits each, after which they start over.

    seen: a byte for each of the last numbers, whether it came. state: 64 bits each, how many different ones came; of these the late
    ones, with a number below the highest so far (RFC 4737 section 3.3); how many had come already; how many late ones were too late
    to tell; the first number and the highest one. In the beginning all are 0. Raises ValueError.
    """
    window = len(seen)
    if memoryview(numbers).nbytes % 4 or not window or len(state) != 48:
        raise ValueError("numbers, window or state of another size")
    came, late, again, beyond, first, highest = unpack("=6q", state)
    for number in memoryview(numbers).cast("B").cast("I"):
        if not came:
            first = highest = number
            seen[number % window] = came = 1
            continue
        step = (number - highest + TURN // 2) % TURN - TURN // 2  # the shorter way round
        if step > 0:
            forget(seen, highest, step)
            highest += step
            seen[highest % window] = 1
            came += 1
            continue
        at = (highest + step) % window
        if -step >= window:
            beyond += 1
        elif seen[at]:
            again += 1
            continue
        else:
            seen[at] = 1
        came += 1
        late += 1
        first = min(first, highest + step)
    pack_into("=6q", state, 0, came, late, again, beyond, first, highest)


def forget(seen: bytearray, highest: int, step: int) -> None:
    """Makes room for the next `step` numbers."""
    window = len(seen)
    begin, count = (highest + 1) % window, min(step, window)
    behind = min(window - begin, count)
    seen[begin : begin + behind] = bytes(behind)
    seen[: count - behind] = bytes(count - behind)
