"""Captures in a host while a command runs: from before its first packet to behind its last one.

pkt-recv does it, in the host's network and with our files. It says by a pipe when it receives; then the command begins. When that
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

RECEIVES = "pkt-recv"


def during(command: list[str], lab: str, place: str, words: list[str], *, shown: bool, linger: float) -> int:
    """Captures while a command runs; gives the command's exit code, or 1 where it is 0 and the capture failed.

    place: HOST:INTERFACE. words: more of pkt-recv's command line. shown: the packets go
    to standard output: what the command writes there goes to standard error. linger: seconds after its end, in which
    packets may still be on their way: a busy machine takes its time. Raises PktError.
    """
    host, _, interface = place.partition(":")
    keys = running.keys(lab, host)
    reading, writing = os.pipe()
    child = fork()
    if not child:
        receive(["-i", interface, "--ready", str(writing), *words], keys, writing)
    for fd in (*keys.values(), writing):
        os.close(fd)
    with os.fdopen(reading, "rb") as pipe:
        receives = pipe.readline()
    if not receives:
        return max(1, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if shown:
        os.dup2(2, 1)
    status = foreground.run(command, {**os.environ, running.ENVIRONMENT: lab})
    captured = end(child, linger)
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


def end(child: int, linger: float) -> int:
    """Ends a capture after so many seconds, unless it has ended by itself; gives its exit code."""
    pid = os.pidfd_open(child)
    if not select.select([pid], [], [], linger)[0]:
        signal.pidfd_send_signal(pid, signal.SIGINT)
    os.close(pid)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
