"""When packets are due, and a loop that sends each at its time. All times in nanoseconds."""

from __future__ import annotations

import select
import time
from array import array

from .burst import CAPTURED, ROW_BYTES, ROW_COLUMNS, columns_of, send_burst, spans_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STAMP = 3  # a column of a row
LONGEST = (1 << 31) - 1  # bytes that a packet can have at most, of whatever kind it is
STATE = 7  # of a pace: see `struct pace` of kernel.h
AT_ONCE = 16  # frames that are sent after one look at the clock: the last of them leaves some 10 us after it
CLOSE = 2_000  # nanoseconds between frames that are sent together when both are due: to send one takes as long
APART = 10_000  # nanoseconds at least between others, or half of the gap, where the one before was late
HURRY = 50_000_000  # who is later than that sends what is due as fast as it can
SLICE = 20_000_000  # after that a call ends behind what it has just sent: for signals, progress, carrier
STEP = 0.05  # seconds
INT = array("i").itemsize  # bytes of C's int
LEAST, MOST = -(1 << 63), (1 << 63) - 1


def within(time: int) -> int:
    """As near as 64 bits come to it."""
    return max(LEAST, min(time, MOST))


def deadlines(rows: bytearray, first: int, count: int, rules: tuple[float, float, float, bool, bool, int],
              state: bytearray) -> bytearray:  # fmt: skip
    """When `count` packets of a batch from number `first` on are due, in eight bytes each; see live/pace.py.

    rules: speed, packets and megabits a second or 0, whether there is no gap, whether each gap counts from when the packet
    before was sent, and what is to be waited more. state: 56 bytes, where the pace stands; they change. With such gaps these
    are what is given, else times. What does not fit into 64 bits is the last time there is. Raises ValueError.
    """
    values = rows_there(rows, first, count)
    speed, pps, mbps, fast, after_previous, wait = rules
    if len(state) != 8 * STATE or not speed > 0 or not pps >= 0 or not mbps >= 0 or wait < 0:
        raise ValueError("no such pace")
    sizes = values[CAPTURED::ROW_COLUMNS]
    for i, size in enumerate(sizes, first):
        if not 0 <= size <= LONGEST:
            raise ValueError(f"packet {i} lies outside of its batch")
    stands, found = memoryview(state).cast("q"), memoryview(bytearray(8 * count)).cast("q")
    start, origin, done, bits, last_bits, last_stamp, last_due = stands
    for i, (stamp, size) in enumerate(zip(values[STAMP::ROW_COLUMNS], sizes, strict=True)):
        steps, so_far, since = done, bits, origin
        if after_previous:
            steps, so_far, since = min(steps, 1), last_bits, min(stamp, last_stamp)
        if pps:
            gap = steps * 1e9 / pps
        elif mbps:
            gap = so_far * 1e3 / mbps
        else:
            gap = 0.0 if fast else within(stamp - since) / speed
        due = within((MOST if gap >= MOST else LEAST if gap < LEAST else round(gap)) + min(steps * wait, MOST))
        if not after_previous:
            due = last_due = max(within(start + due), last_due)  # a time that goes back is not late, it is due at once
        found[i] = due
        done += 1
        last_bits = size * 8
        bits = within(bits + last_bits)
        last_stamp = stamp
    for i, value in enumerate((start, origin, done, bits, last_bits, last_stamp, last_due)):
        stands[i] = value
    return bytearray(found)


def rows_there(rows: bytearray, first: int, count: int) -> list[int]:
    """The columns of so many rows. Raises ValueError."""
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    if first < 0 or count < 0 or first + count > len(rows) // ROW_BYTES:
        raise ValueError("first packet or count out of range")
    return columns_of(rows, first, count)


def wait_until(due: int, wake: int, busy: int) -> int | None:
    """Waits; gives the time when it is over, None when `wake` can be read before, or is -1 and a STEP is over.

    For the last `busy` nanoseconds it looks at the clock all the time, since sleep(2) wakes up late.
    """
    while True:
        now = time.monotonic_ns()
        left = due - now
        if left <= 0:
            return now
        if left > busy and wake < 0:  # where select(2) is for sockets alone, who calls looks for signals
            time.sleep(min((left - busy) / 1e9, STEP))
            if (left - busy) / 1e9 > STEP:
                return None
        elif left > busy and select.select([wake], [], [], min((left - busy) / 1e9, 3600))[0]:
            return None


def spaced(due: int, due_before: int, sent_before: int) -> int:
    """When to send a packet: when it is due; or, where the one before was late, not at once behind that one.

    Who was held up makes up for it, but not by a burst: gaps of up to twice APART are wrong by half of what they should be, and
    not by all of it.
    """
    gap = due - due_before
    late = gap > CLOSE and sent_before - due_before < HURRY
    return max(due, sent_before + min(gap // 2, APART)) if late else due


def paced(wake: int, busy: int, due: bytearray | memoryview, previous: int,
          ways: list[Callable[[int, int], tuple[int, int, int]]], by: bytes | bytearray = b"",
          ) -> tuple[int, bytearray, int, bytearray, int]:  # fmt: skip
    """What send_paced does, by any functions that send so many packets from one of them on, as send_burst does.

    by: which of the functions each packet goes by; all by the first, where that is empty.
    """
    times, late = memoryview(due).cast("B").cast("q").tolist(), []
    went = array("q", bytes(16 * len(ways)))
    sent = error = 0
    end, now = time.monotonic_ns() + SLICE, 0
    while sent < len(times) and now < end and not error:
        deadlines = [within(previous + times[sent])] if previous >= 0 else times[sent : sent + AT_ONCE]
        begin = deadlines[0] if previous >= 0 or not sent else spaced(deadlines[0], times[sent - 1], now)
        came = wait_until(begin, wake, busy)
        if came is None:
            break
        now = came
        close = now - deadlines[0] < HURRY
        apart = (i for i in range(1, len(deadlines)) if deadlines[i] > now or (close and deadlines[i] - deadlines[i - 1] > CLOSE))
        together = next(apart, len(deadlines))
        done, error = sent_by(ways, by, sent, together, went)
        sent += done
        late += [now - deadline for deadline in deadlines[: done + bool(error)]]
        if previous >= 0 and (done or error):
            previous = now
        if done < together:  # it failed, or a signal came between two
            break
    return sent, bytearray(went.tobytes()), error, bytearray(array("q", late).tobytes()), previous


def sent_by(ways: list[Callable[[int, int], tuple[int, int, int]]], by: bytes | bytearray, first: int, count: int,
            went: array[int]) -> tuple[int, int]:  # fmt: skip
    """Sends packets, those in a row that go the same way together, up to the first that fails; gives how many, and its errno."""
    sent = error = 0
    while sent < count and not error:
        at = first + sent
        way, run = (by[at], 1) if by else (0, count)
        while sent + run < count and by[at + run] == way:
            run += 1
        done, size, error = ways[way](at, run)
        went[2 * way] += done
        went[2 * way + 1] += size
        sent += done
        if done < run:  # it failed, or a signal came between two
            break
    return sent, error


def send_paced(fds: bytes | array[int], ways: bytes | bytearray, wake: int, busy: int, data: bytearray, rows: bytearray, first: int,
               due: bytearray | memoryview, previous: int) -> tuple[int, bytearray, int, bytearray, int]:  # fmt: skip
    """Sends packets of a batch from number `first` on through sockets, each when it is due: one for each time in `due`.

    fds: the sockets, as C's int; what goes by -1 is not sent, and is done when it is due. ways: a byte a packet, by which of them
    it goes; empty where there is one.

    Up to the first that fails, until `wake` can be read (-1: nothing is watched), or behind what is sent once SLICE is over.
    busy: what is not slept before each packet. previous: when the packet before was sent, on the monotonic clock, and `due`
    are gaps; -1: they are times of that clock. Of those whose time has come AT_ONCE go together.

    Returns how many were sent; how many of them by each socket, and their bytes, eight bytes each; the errno of the next one or
    0; by how much each that was tried was late, in eight bytes; and when the last one was. Raises ValueError before anything is
    sent.
    """
    size = memoryview(due).nbytes
    values = rows_there(rows, first, size // 8)
    if not size or size % 8:
        raise ValueError("times are not one a packet")
    with memoryview(fds) as view:
        whole = view.nbytes % INT == 0
        sockets = view.cast("B").cast("i").tolist() if whole else []
    there = (len(ways) == size // 8 if len(ways) else len(sockets) == 1) and max(ways, default=0) < len(sockets)
    if not there or min(sockets) < -1 or wake < -1 or busy < 0 or previous < -1:
        raise ValueError("descriptor or time out of range")
    spans_of(values, first, len(data))

    def by(fd: int) -> Callable[[int, int], tuple[int, int, int]]:
        return lambda at, count: send_burst(fd, data, rows, first + at, count) if fd >= 0 else (count, 0, 0)

    return paced(wake, busy, due, previous, list(map(by, sockets)), ways)
