"""What the Linux kernel offers beyond Python's os and socket modules: in C, or in Python where C is missing.

A leaf: it imports nothing of the project but how to tell whether C is older than its sources. `PKTTOOLS_CODEC=c` or `python`
chooses, as for the codec; on systems other than Linux there is no C for this.

    pipe_lend(fd, data) -> bytes that the pipe took, without copying them: they must stay as they are until they were read;
        never waits: raises BlockingIOError where the pipe is full. None in Python, which has os.write for that
    take_turns(step, buffer, most, reading, writing, wake, lock, now)
        -> (bytes in the buffer that are not for the step, bytes written, what is still to be)
    ring_read(ring, at, size, wanted, linktype, cooked, limit, nano, notes) -> (rows, rows of unfinished checksums,
        packets met, rows with the time of the card)
    ring_give(ring, at): gives a block of a ring back to the kernel
    ring_take(ring, at, size) -> a copy of what is used of a block, which the kernel gets back at once
    ringbuf_read(consumer, producer, linktype, clock, nano, room, notes) -> (data, rows): frames out of a BPF ring buffer
    perf_read(buffer, page, limit, linktype, clock, nano, room, notes) -> (data, rows): frames out of a perf buffer
    slots_read(ring, size, first, most, linktype) -> (rows, slots met, frames that were cut, whether the last one waits aside)
    slots_give(ring, size, first, count): gives slots of a ring back to the kernel
    slots_fill(fd, ring, size) -> slots filled with what waits in a socket's queue, as the kernel fills those of a ring
    send_burst(fd, data, rows, first, count, headroom=0) -> (frames sent, their bytes, errno of the one behind them or 0)
    deadlines(rows, first, count, (speed, pps, mbps, fast, after_previous, wait), state) -> when packets are due, 8 bytes each
    send_paced(fds, ways, wake, busy, data, rows, first, due, previous)
        -> (frames sent when they were due, how many by each socket and their bytes, errno of the one behind them or 0, how late
            each was, when the last was)
    prctl(option, second=0, third=0) -> what prctl(2) gives, which takes numbers alone
    death_signal() -> the signal that comes when the parent ends; 0: none, or the system does not say
    capabilities() -> (effective, permitted, inheritable) of this thread, a bit each
    keep_capabilities(kept): leaves this thread these, effective and permitted, and no others
"""

import os
import sys

from ..errors import outdated

_choice = os.environ.get("PKTTOOLS_CODEC", "")
REASON = ""  # why it is not C, where C was built
try:
    if _choice == "python":
        raise ImportError
    from . import _c as _backend

    if outdated(_backend.__file__):
        REASON = "are older than their sources: make ready builds them anew"
        raise ImportError
    BACKEND = "c"
except ImportError:
    if _choice == "c" and sys.platform == "linux":
        raise ImportError(f"PKTTOOLS_CODEC is 'c', but the kernel's C functions {REASON or 'were not built'}") from None
    from . import python as _backend  # type: ignore[no-redef]  # the same functions

    BACKEND = "python"

pipe_lend = getattr(_backend, "pipe_lend", None)
take_turns = _backend.take_turns
ring_give, ring_read, ring_take = _backend.ring_give, _backend.ring_read, _backend.ring_take
perf_read, ringbuf_read = _backend.perf_read, _backend.ringbuf_read
deadlines, send_burst, send_paced = _backend.deadlines, _backend.send_burst, _backend.send_paced
slots_fill, slots_give, slots_read = _backend.slots_fill, _backend.slots_give, _backend.slots_read
prctl, death_signal = _backend.prctl, _backend.death_signal
capabilities, keep_capabilities = _backend.capabilities, _backend.keep_capabilities
