"""SIGINT, SIGTERM and SIGHUP: a command stops between two packets, in the middle of one only where its reader does not read."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # Python's signal without its enums: they are a fifth of the time that a command takes to start
import _thread
import os
import sys
import time

from ..errors import Unread, need

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import TypeVar

    Made = TypeVar("Made")


class Interrupted(Exception):
    """A signal asked the command to stop; `args[0]` is its number, `args[1]` what there is to say about it, if anything."""


SELECTS = sys.platform != "win32"  # where select(2) is for sockets alone; what is read or written there is taken to be ready
STEP = 0.05  # seconds
LOOK = 0.2  # seconds after which what has come meanwhile is looked at, while a reader does not read
PATIENCE = 0.5  # seconds that a reader who takes nothing is waited for, once it has come to an end
ALARM = getattr(signal, "SIGALRM", 14)  # of a time that is over: it ends what was to end then
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

since: float | None = None  # when the first signal came, on time.monotonic()'s clock; also one that is let pass
_pending = 0  # a signal that came while something was being written
_came = False  # whether one has ended something, such as the wait for input
_waiting = False  # whether input is being waited for
_drain = False
_held = False
_whole = False  # whether what is being done is not to be left half done
_later = 0  # a signal that waits for that
_end: float | None = None  # when what is received comes to its end by itself, on time.monotonic()'s clock
_ahead: tuple[int, Callable[[], Iterator[int | None]]] | None = None  # see `expect`
_main = _thread.get_ident()
_timers: dict[Callable[[], None], tuple[float, float]] = {}  # what is done in time: when next, and seconds between; 0: once
_first: list[Callable[[], None]] = []  # what is done at the first signal, whatever is being done then
_wake: list[int] = []  # a pipe's end that can be read once a signal has come
_ours = True  # whether signals are the command's; else those of a program that has imported us


def install(drain: bool) -> None:
    """Lets SIGINT, SIGTERM and SIGHUP end the command at the next packet border, a second one at once.

    Those of them that are ignored stay so, as nohup and shells want it of what runs in the background; but for SIGTERM.

    drain: the first SIGINT is let pass. So a terminal's ^C, which reaches every command of a pipe, ends the first one
    and the others write out what it still had to say; they end when their input does.
    """
    global _drain
    if not _ours:
        return
    _drain = drain
    if SELECTS:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        _wake[:] = [reading]
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in ENDING:
        if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handle)


def left_alone(make: Callable[[], Made]) -> Made:
    """Makes something that else would call `install`, for a program whose signals are its own."""
    global _ours
    before, _ours = _ours, False
    try:
        return make()
    finally:
        _ours = before


def drain(wanted: bool) -> None:
    """Lets the next SIGINT pass, as `install` does, or no longer: what is in front of us in a pipe may have ended."""
    global _drain
    _drain = wanted


def hold(wanted: bool) -> None:
    """Holds the first signal back, or no longer: what came from an interface is still to go through the rest of a pipe."""
    global _held
    _held = wanted


def whole(wanted: bool) -> None:
    """Lets a signal behind the first one wait until something is done as a whole, or no longer. One more ends that, too.
    Raises Interrupted.
    """
    global _whole, _later
    if wanted and _came and _pending:  # it came in between
        raise Interrupted(_pending)
    _whole = wanted
    if _later and not wanted:
        number, _later = _later, 0
        raise Interrupted(number)


def end_at(moment: float) -> None:
    """Says when what is received ends without a signal, on time.monotonic()'s clock: nobody is waited for much longer then."""
    global _end
    _end = moment


def end_now() -> None:
    """Says that it has come to its end, if anything is received."""
    if _held:
        end_at(time.monotonic())


def expect(more: int, look: Callable[[], Iterator[int | None]]) -> None:
    """Says how many packets are still wanted. look: gives how many of what has come meanwhile are, again and again; None: no more.

    So a limit is met also while nobody reads what came before.
    """
    global _ahead
    _ahead = more, look


def alarm(seconds: float) -> None:
    """Ends the command after so many seconds as a signal does: Interrupted has ALARM. Raises UsageError without such a clock."""
    need(hasattr(signal, "setitimer"), "an end by time is not to be had on this system")
    signal.signal(ALARM, _handle)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))


def every(seconds: float, action: Callable[[], None]) -> None:
    """Lets something be done at intervals, from now on: while input is waited for, and whenever `due` is called."""
    _timers[action] = time.monotonic() + seconds, seconds


def at(moment: float, action: Callable[[], None]) -> None:
    """Lets something be done once, in the same way, at a moment on time.monotonic()'s clock; instead of when it was said last."""
    _timers[action] = moment, 0


def due() -> float | None:
    """Does what is to be done, if it is time; gives the seconds until it is again. None: there is nothing to do."""
    global _waiting
    now = time.monotonic()
    for action, (moment, seconds) in list(_timers.items()):
        if now < moment:
            continue
        if seconds:
            _timers[action] = moment + seconds * ((now - moment) // seconds + 1), seconds  # those that were missed are left out
        else:
            del _timers[action]
        waiting, _waiting = _waiting, False  # a signal does not come in the middle of it
        try:
            action()
        finally:
            _waiting = waiting
    return max(0.0, min(moment for moment, _ in _timers.values()) - time.monotonic()) if _timers else None


def elsewhere() -> None:
    """Keeps signals from the thread that calls this: they are for the one that waits and writes."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def left_to_parent() -> None:
    """Leaves signals to the process that this one was forked from, and that ends it."""
    global _ours
    _ours = False
    if SELECTS:
        signal.set_wakeup_fd(-1)
    _wake.clear()
    _timers.clear()
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def at_first(action: Callable[[], None]) -> None:
    """Does something as soon as the first signal comes, even while the process is blocked in writing."""
    _first.append(action)


def _handle(number: int, _frame: FrameType | None) -> None:
    global _pending, _came, _drain, _later, since
    since = time.monotonic() if since is None else since
    if _drain and number == signal.SIGINT and not (_pending or _came):
        _drain = False
        return
    if (_pending or _came) and number == ALARM:  # it ends already
        return
    for action in _first:
        action()
    if (_pending or _came) and _whole and not _later:
        _later = number
        return
    if (_waiting and not _held) or _pending:
        _came = True
        raise Interrupted(number)
    _pending = number


def waker() -> int:
    """What can be read once a signal has come, and is read by `wait`; -1: there is nothing."""
    return _wake[0] if _wake else -1


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
    import select  # late: who reads and writes files waits for nothing

    global _waiting
    _waiting = True
    end = None if seconds is None or not _timers else time.monotonic() + seconds
    try:
        while True:
            pause = None
            if _timers:
                check()
                pause = due()
            if _pending:
                check()
            left = seconds if end is None else max(0.0, end - time.monotonic())
            short = pause is not None and (left is None or pause < left)
            if not SELECTS:
                if not reading and not writing:
                    asleep(seconds)
                return reading, writing
            readable, writable, _ = select.select([*reading, *_wake], writing, [], pause if short else left)
            if readable == reading:  # mostly
                return readable, writable
            woken = set(readable).intersection(_wake)
            for fd in woken:
                os.read(fd, 4096)
            if len(readable) > len(woken) or writable or not (woken or short) or _held:
                return [fd for fd in readable if fd not in woken], writable
    finally:
        _waiting = False


def room(fd: int) -> None:
    """Waits until an output takes more.

    Once a signal has come, or the end of what is received, not for longer than PATIENCE: raises Unread where something was
    received, which is to be accounted for, else Interrupted.
    """
    import select  # late: see `ready`

    if _thread.get_ident() != _main:  # signals are not for other threads
        select.select([], [fd], [])
        return
    ending = None  # when nobody is waited for any longer
    left, look = (_ahead[0], _ahead[1]()) if _ahead else (None, None)
    while True:
        now = time.monotonic()
        if ending is None and (_pending or (_end is not None and now >= _end)):
            ending = now + PATIENCE
        until = _end if ending is None else ending
        if look and ending is None:
            until = min(now + LOOK, now + LOOK if until is None else until)
        readable, writable, _ = select.select(_wake, [fd], [], None if until is None else max(0, until - now))
        for waker in readable:
            os.read(waker, 4096)
        if writable:
            return
        while look and ending is None and (count := next(look)) is not None:
            left -= count  # type: ignore[operator]  # it is there with `look`
            if left <= 0:
                ending = time.monotonic() + PATIENCE
        if ending is not None and time.monotonic() >= ending:
            raise Interrupted(_pending) if _pending and not _held else Unread


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
