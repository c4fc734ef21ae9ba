"""The loop of a switch: waits for frames, requests and signals."""

from __future__ import annotations

import socket
import time

from ..command_line.signals import Interrupted, ready
from ..live.linux import control
from .bridge import Bridge
from .remote import answer

TICK = 1.0  # seconds


def run(bridge: Bridge, listener: socket.socket, seconds: float | None) -> bool:
    """Lets frames through until a signal comes or the time is over. False: its last port has gone by itself."""
    end = None if seconds is None else time.monotonic() + seconds
    due = time.monotonic()
    callers = control.Callers(listener, lambda line: (answer(bridge, line), []))
    try:
        while True:
            now = time.monotonic()
            if now >= due:
                bridge.tick()
                due = now + TICK
            if end is not None and now >= end:
                return True
            ports = {port.fd: port for port in bridge.taking()}
            reading, writing = callers.waited()
            times = [due - now, None if end is None else end - now, callers.patience()]
            readable, writable = ready([*reading, *ports], writing, min(seconds for seconds in times if seconds is not None))
            had = len(bridge.ports)
            for fd in readable:
                if fd in ports and ports[fd] in bridge.taking():  # another one's turn may have ended it
                    bridge.turn(ports[fd])
            if had and not bridge.ports:
                return False
            callers.turn([*readable, *writable])
    except Interrupted:
        return True
    finally:
        callers.close()
