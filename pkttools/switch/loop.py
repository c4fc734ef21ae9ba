"""The loop of a switch: waits for frames, requests and signals."""

from __future__ import annotations

import socket
import time

from ..linux import control
from ..signals import Interrupted, ready
from .bridge import Bridge
from .remote import answer

TICK = 1.0  # seconds


def run(bridge: Bridge, listener: socket.socket, seconds: float | None) -> bool:
    """Lets frames through until a signal comes or the time is over. False: its last port has gone by itself."""
    end = None if seconds is None else time.monotonic() + seconds
    due = time.monotonic()
    callers: list[socket.socket] = []
    try:
        while True:
            now = time.monotonic()
            if now >= due:
                bridge.tick()
                due = now + TICK
            if end is not None and now >= end:
                return True
            ports = {port.fd: port for port in bridge.taking()}
            fds = [listener.fileno(), *(caller.fileno() for caller in callers), *ports]
            readable, _ = ready(fds, [], min(due, due if end is None else end) - now)
            had = len(bridge.ports)
            for fd in readable:
                if fd in ports:
                    if ports[fd] in bridge.taking():  # another one's turn may have ended it
                        bridge.turn(ports[fd])
                elif fd == listener.fileno():
                    caller = control.accept(listener)
                    if caller:
                        callers.append(caller)
            if had and not bridge.ports:
                return False
            for caller in [caller for caller in callers if caller.fileno() in readable]:
                callers.remove(caller)
                answer(bridge, caller)
    except Interrupted:
        return True
    finally:
        for caller in callers:
            caller.close()
