"""The loop of a switch: waits for frames, requests and signals."""

from __future__ import annotations

import socket
import time

from ..linux import control
from ..signals import Interrupted, ready
from .bridge import Bridge
from .remote import CALLERS, Caller

TICK = 1.0  # seconds


def run(bridge: Bridge, listener: socket.socket, seconds: float | None) -> bool:
    """Lets frames through until a signal comes or the time is over. False: its last port has gone by itself."""
    end = None if seconds is None else time.monotonic() + seconds
    due = time.monotonic()
    callers: list[Caller] = []
    try:
        while True:
            now = time.monotonic()
            if now >= due:
                bridge.tick()
                due = now + TICK
            if end is not None and now >= end:
                return True
            ports = {port.fd: port for port in bridge.taking()}
            fds = [listener.fileno(), *(caller.fd for caller in callers if not caller.left), *ports]
            writing = [caller.fd for caller in callers if caller.left]
            readable, writable = ready(fds, writing, min(due, due if end is None else end) - now)
            had = len(bridge.ports)
            for fd in readable:
                if fd in ports and ports[fd] in bridge.taking():  # another one's turn may have ended it
                    bridge.turn(ports[fd])
            if had and not bridge.ports:
                return False
            for caller in list(callers):
                able = caller.fd in readable or caller.fd in writable
                if now > caller.end or (able and not caller.turn(bridge)):
                    callers.remove(caller)
                    caller.sock.close()
            if listener.fileno() in readable:
                sock = control.accept(listener)
                if sock:
                    callers.append(Caller(sock))
                if len(callers) > CALLERS:
                    callers.pop(0).sock.close()
    except Interrupted:
        return True
    finally:
        for caller in callers:
            caller.sock.close()
