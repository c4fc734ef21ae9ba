"""Waits until something is so in a lab: it is up, a link is, a program listens, a command succeeds."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import PktError, UsageError, say
from ..live.linux.interface import SIOCGIFFLAGS, ask, asking
from ..live.linux.namespaces import fork
from . import foreground, running
from .build import IFF_RUNNING

STEP = 0.02  # seconds between two looks
LISTENING, UNCONNECTED = "0A", "07"  # linux/tcp_states.h, in /proc/net/tcp and the like: sockets that take whoever comes
TENTATIVE = 0x40  # linux/if_addr.h, in /proc/net/if_inet6
PLACE = re.compile(r"([^:/]+)(?::(?:(tcp|udp)/(\d{1,5})|([^:/]+)))?")
FORMS = "HOST, HOST:INTERFACE, HOST:tcp/PORT or HOST:udp/PORT"


class Place:
    """What is waited for: a host; an interface of it, that its link is up; or a port, that somebody listens there."""

    def __init__(self, word: str) -> None:
        """Raises UsageError."""
        found = PLACE.fullmatch(word)
        if not found or (found[3] and not 0 < int(found[3]) < 65536):
            raise UsageError(f"'{word}': wanted {FORMS}")
        self.word, self.host, self.transport, self.interface = word, found[1], found[2], found[4]
        self.port = int(found[3] or 0)

    def ready(self) -> bool:
        """Whether it is so, asked in its host."""
        if self.transport:
            return listening(self.transport, self.port)
        return not self.interface or linked(self.interface)

    @property
    def missing(self) -> str:
        """What is to be said where it is not."""
        return "nobody listens there" if self.transport else "the link is not up"


def until(lab: Callable[[], str], places: list[Place], command: list[str], seconds: float) -> int:
    """Waits until all is so; gives the exit code: 0, or 1 after so many seconds, and says what is not.

    lab: its name; raises PktError while it is not there. command: that is to succeed, in the host of the last place or, without
    one, outside. Raises PktError for a host that the lab does not have.
    """
    deadline = time.monotonic() + seconds
    name = there(lab, deadline)
    for place in places:
        keys = running.keys(name, place.host)
        ready = place.ready
        if in_child(keys, running.NETWORK, lambda: holds(ready, deadline)):  # noqa: B023  it is over before the next one
            say(f"pkt-lab: {place.word}: {place.missing} after {seconds:g} s")
            return 1
    if not command:
        return 0
    if not places:
        return succeeds(command, foreground.with_tools({**os.environ, running.ENVIRONMENT: name}), seconds, deadline)
    environment = foreground.with_tools(running.inside(places[-1].host))
    keys = running.keys(name, places[-1].host)
    return in_child(keys, tuple(keys), lambda: succeeds(command, environment, seconds, deadline) == 0)


def there(lab: Callable[[], str], deadline: float) -> str:
    """The name of a lab that is up. Raises PktError with the reason where none is in time."""
    while True:
        try:
            name = lab()
            running.facts(name, max(STEP, deadline - time.monotonic()))
            return name
        except PktError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(STEP)


def in_child(keys: dict[str, int], kinds: tuple[str, ...], holds: Callable[[], bool]) -> int:
    """The exit code of a child that asks in a host: 0 where it is so."""
    child = fork()
    if not child:
        code = 1
        try:
            running.enter({kind: keys[kind] for kind in kinds if kind in keys})
            code = int(not holds())
        except (OSError, PktError) as error:
            say(f"pkt-lab: {error}")
        finally:
            os._exit(code)
    for fd in keys.values():
        os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def holds(ready: Callable[[], bool], deadline: float) -> bool:
    """Whether something is so, or becomes so in time."""
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(STEP)
    return True


def linked(interface: str) -> bool:
    """Whether an interface has its link, and no address of it is still being probed for (RFC 4862 section 5.4)."""
    try:
        with asking() as sock:
            up = struct.unpack_from("H", ask(sock, interface, SIOCGIFFLAGS))[0] & IFF_RUNNING
    except OSError:  # it is not there yet
        return False
    addresses = [line.split() for line in proc("if_inet6")]
    return bool(up) and not any(words[5] == interface and int(words[4], 16) & TENTATIVE for words in addresses)


def listening(transport: str, port: int) -> bool:
    """Whether a socket takes whoever comes to a port, of either version of IP."""
    rows = [line.split() for name in (transport, f"{transport}6") for line in proc(name)[1:]]
    state = LISTENING if transport == "tcp" else UNCONNECTED
    return any(int(words[1].rpartition(":")[2], 16) == port and words[3] == state for words in rows)


def proc(name: str) -> list[str]:
    """The lines of a file of /proc/net, as the host sees it; none where it has no such."""
    try:
        return (Path("/proc/self/net") / name).read_text().splitlines()
    except OSError:
        return []


def succeeds(command: list[str], environment: dict[str, str], seconds: float, deadline: float) -> int:
    """Runs a command until its exit code is 0; gives 0, or 1 where that takes too long, and says what it said last."""
    said, why = b"", "it has not ended"
    while True:
        left = deadline - time.monotonic()
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env=environment, timeout=max(left, STEP), check=False)  # fmt: skip
            if done.returncode == 0:
                return 0
            said, why = done.stdout, f"exit code {done.returncode}"
        except subprocess.TimeoutExpired as expired:
            said = expired.stdout or said
        except (OSError, ValueError) as error:
            say(f"pkt-lab: {command[0]}: {getattr(error, 'strerror', None) or error}")
            return 1
        if time.monotonic() + STEP >= deadline:
            for line in said.decode(errors="surrogateescape").splitlines():
                say(line)
            say(f"pkt-lab: {' '.join(command)}: {why} after {seconds:g} s")
            return 1
        time.sleep(STEP)
