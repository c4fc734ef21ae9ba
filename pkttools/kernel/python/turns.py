"""Turns of reading and writing between which nothing else is done. Twin of ../c/turns.c."""

from __future__ import annotations

import errno
import os
import select
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOCK = struct.Struct("hhqqi")  # struct flock of fcntl(2), as in formats/lending.py, which is above


def take_turns(step: Callable[[memoryview, int], bytes | None], buffer: bytearray, most: int, reading: int, writing: int, wake: int,
               lock: int, now: int) -> tuple[int, int, bytes]:  # fmt: skip
    """Reads into `buffer`, lets `step` make what is to be written, and writes that, again and again.

    Until the input ends, or brings what is not for the step, more than `most` bytes at once among it; until the output takes less
    than there is; until a signal comes, or `wake` can be read, unless it is -1. What is wrong with an end shows when it is read or
    written again. lock: of the output, the place that is locked while it is written, and stays so where only a part was; 0: none.
    now: the time of packets that say none; 0: when they are read. Returns how many bytes stand in `buffer` that are not for the
    step, how many were written, and what is still to be. Raises ValueError where there is no room to read into.
    """
    if most < 0 or not buffer:
        raise ValueError("no room, or no such size")
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    if wake >= 0:
        poll.register(wake, select.POLLIN)
    written = 0
    with memoryview(buffer) as view:
        while all(fd != wake for fd, _ in poll.poll()):
            try:
                came = os.readv(reading, [view])
            except OSError:
                came = 0
            if not came:
                break
            out = step(view[:came], now or time.time_ns() // 1000 * 1000) if came <= most else None
            if out is None:
                return came, written, b""
            done = _written(writing, out, lock) if out else 0
            written += done
            if done < len(out):
                return 0, written, out[done:]
    return 0, written, b""


def _written(fd: int, out: bytes, lock: int) -> int:
    """Writes what the output takes at once; gives how much. Where that is only a part, the lock stays until the rest is written:
    nobody is to write in between."""
    if lock and not _locked(fd, lock, True):
        return 0
    done = 0
    try:
        done = os.write(fd, out)
    except OSError:
        pass
    if lock and done in (0, len(out)):
        _locked(fd, lock, False)
    return done


def _locked(fd: int, place: int, wanted: bool) -> bool:
    """Sets a lock at a place, or takes it away; False where somebody else has it."""
    import fcntl  # late: Windows has none

    kind = fcntl.F_WRLCK if wanted else fcntl.F_UNLCK
    try:
        fcntl.fcntl(fd, fcntl.F_SETLK, _LOCK.pack(kind, os.SEEK_SET, place, 1, 0))
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES)
    return True
