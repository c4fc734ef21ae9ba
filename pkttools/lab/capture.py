"""Captures in a host while something else is done: from before its first packet to behind its last one.

pkt-recv does it, in the host's network and with our files. It says by a pipe when it receives; then the rest begins. When that
has ended it goes on for a moment, for what is still on its way, and reads what the kernel holds.
"""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from ..errors import PktError, say
from ..live.linux.namespaces import end_with_parent, fork
from . import foreground, running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Process = TypeVar("Process")

RECEIVES = "pkt-recv"


def begun(start: Callable[[int], Process]) -> tuple[Process, bool]:
    """A capture once it receives, and whether it does; else it has ended.

    start: starts it, which says to the descriptor that it is given when it is ready, and gives what it has started.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        try:
            process = start(writing)
        finally:
            os.close(writing)
        return process, bool(pipe.readline())


def end(pid: int, linger: float) -> None:
    """Ends a capture after so many seconds, unless it has ended by itself; whoever started it waits for it then."""
    process = os.pidfd_open(pid)
    if not select.select([process], [], [], linger)[0]:
        signal.pidfd_send_signal(process, signal.SIGINT)
    os.close(process)


def during(command: list[str], lab: str, place: str, words: list[str], *, shown: bool, linger: float) -> int:
    """Captures while a command runs; gives the command's exit code, or 1 where it is 0 and the capture failed.

    place: HOST:INTERFACE. words: more of pkt-recv's command line. shown: the packets go
    to standard output: what the command writes there goes to standard error. linger: seconds after its end, in which
    packets may still be on their way: a busy machine takes its time. Raises PktError.
    """
    host, _, interface = place.partition(":")
    keys = running.keys(lab, host)

    def start(ready: int) -> int:
        child = fork()
        if not child:
            receive(["-i", interface, "--ready", str(ready), *words], keys, ready)
        return child

    child, receives = begun(start)
    for fd in keys.values():
        os.close(fd)
    if not receives:
        return max(1, ended(child))
    if shown:
        os.dup2(2, 1)
    status = foreground.run(command, {**os.environ, running.ENVIRONMENT: lab})
    end(child, linger)
    captured = ended(child)
    if captured:
        say(f"pkt-lab: the capture of {place} failed")
    return foreground.end_as(status) or int(captured != 0)


def receive(words: list[str], keys: dict[str, int], ready: int) -> None:
    """Becomes pkt-recv in a host. Does not return. A terminal's signals are for the command."""
    parent = os.getppid()
    code = foreground.NOT_RUNNABLE
    try:
        os.setsid()
        running.enter({kind: keys[kind] for kind in running.NETWORK if kind in keys})
        end_with_parent(signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        os.set_inheritable(ready, True)
        os.execv(str(Path(foreground.tools()) / RECEIVES), [RECEIVES, *words])
    except (OSError, PktError) as error:
        say(f"pkt-lab: {RECEIVES}: {error}")
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """The exit code of a process that ends."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
