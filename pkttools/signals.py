"""SIGINT and SIGTERM: a command stops between two packets, never in the middle of one."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Interrupted(Exception):
    """A signal asked the command to stop; `args[0]` is its number."""


_pending = 0  # a signal that came while something was being written
_waiting = False  # whether input is being waited for
_drain = False


def install(drain: bool) -> None:
    """Lets SIGINT and SIGTERM end the command at the next packet border, a second one at once.

    drain: the first SIGINT is let pass. So a terminal's ^C, which reaches every command of a pipe, ends the first one
    and the others write out what it still had to say; they end when their input does.
    """
    global _drain
    _drain = drain
    signal.signal(signal.SIGINT, _handle)
    signal.signal(signal.SIGTERM, _handle)


def _handle(number: int, _frame: FrameType | None) -> None:
    global _pending, _drain
    if _drain and number == signal.SIGINT:
        _drain = False
        return
    if _waiting or _pending:
        raise Interrupted(number)
    _pending = number


def check() -> None:
    """Raises Interrupted when a signal has come."""
    if _pending:
        raise Interrupted(_pending)


class Waiting:
    """`with Waiting():` around a wait for input; raises Interrupted when a signal came or comes."""

    def __enter__(self) -> None:
        global _waiting
        _waiting = True
        if _pending:
            raise Interrupted(_pending)

    def __exit__(self, *_exc: object) -> None:
        global _waiting
        _waiting = False


def die(number: int) -> int:
    """Ends the process by a signal, as shells expect it; the exit code is for those who block the signal."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
