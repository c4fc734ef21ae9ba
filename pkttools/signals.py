"""SIGINT and SIGTERM: a command stops between two packets, never in the middle of one."""

from __future__ import annotations

import _signal as signal  # Python's signal without its enums: they are a fifth of the time that a command takes to start
import os
import select
import sys
import time

TYPE_CHECKING = False  # typing's own is dear at start-up, too
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Interrupted(Exception):
    """A signal asked the command to stop; `args[0]` is its number."""


SELECTS = sys.platform != "win32"  # where select(2) is for sockets alone; what is read or written there is taken to be ready
STEP = 0.05  # seconds

_pending = 0  # a signal that came while something was being written
_waiting = False  # whether input is being waited for
_drain = False
_held = False
_first: list[Callable[[], None]] = []  # what is done at the first signal, whatever is being done then
_wake: list[int] = []  # a pipe's end that can be read once a signal has come


def install(drain: bool) -> None:
    """Lets SIGINT and SIGTERM end the command at the next packet border, a second one at once.

    drain: the first SIGINT is let pass. So a terminal's ^C, which reaches every command of a pipe, ends the first one
    and the others write out what it still had to say; they end when their input does.
    """
    global _drain
    _drain = drain
    if SELECTS:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        _wake[:] = [reading]
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


def drain(wanted: bool) -> None:
    """Lets the next SIGINT pass, as `install` does, or no longer: what is in front of us in a pipe may have ended."""
    global _drain
    _drain = wanted


def hold(wanted: bool) -> None:
    """Holds the first signal back, or no longer: what came from an interface is still to go through the rest of a pipe."""
    global _held
    _held = wanted


def at_first(action: Callable[[], None]) -> None:
    """Does something as soon as the first signal comes, even while the process is blocked in writing."""
    _first.append(action)


def _handle(number: int, _frame: FrameType | None) -> None:
    global _pending, _drain
    if _drain and number == signal.SIGINT:
        _drain = False
        return
    for action in _first:
        action()
    if (_waiting and not _held) or _pending:
        raise Interrupted(number)
    _pending = number


def check() -> None:
    """Raises Interrupted when a signal has come, and is not held."""
    if _pending and not _held:
        raise Interrupted(_pending)


def wait(fds: list[int], seconds: float | None = None) -> bool:
    """Waits until one of `fds` can be read, or for so many seconds; whether one can. Raises Interrupted."""
    return bool(ready(fds, [], seconds)[0])


def ready(reading: list[int], writing: list[int], seconds: float | None = None) -> tuple[list[int], list[int]]:
    """Waits until a descriptor can be read or written; gives those that can, none after so many seconds. Raises Interrupted.

    A signal that comes just before the wait begins would be slept over: it also writes into a pipe that is waited for.
    """
    global _waiting
    _waiting = True
    try:
        while True:
            check()
            if not SELECTS:
                if not reading and not writing:
                    asleep(seconds)
                return reading, writing
            readable, writable, _ = select.select([*reading, *_wake], writing, [], seconds)
            woken = set(readable).intersection(_wake)
            for fd in woken:
                os.read(fd, 4096)
            if len(readable) > len(woken) or writable or not woken or _held:
                return [fd for fd in readable if fd not in woken], writable
    finally:
        _waiting = False


def asleep(seconds: float | None) -> None:
    """Waits for nothing but a signal, without select(2). Raises Interrupted."""
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        check()
        time.sleep(STEP if end is None else max(0, min(STEP, end - time.monotonic())))


def die(number: int) -> int:
    """Ends the process by a signal, as shells expect it; the exit code is for those who block the signal."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
