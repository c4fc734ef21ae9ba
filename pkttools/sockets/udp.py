"""Datagrams: UDP, RFC 768."""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator

from ..command_line.signals import Interrupted, drain, ready
from ..errors import PktError
from ..formats.files import Input
from ..live.linux.interface import grow
from . import BUFFER, Peer, Write

MAX_DATAGRAM = 65527  # bytes: what is left of 65535 behind a UDP header; in IPv4 its header takes 20 more
PATIENCE = 2  # seconds that answers are waited for where nothing else is said
REPORT = 0.1  # seconds that the report of a closed port has to arrive
KEPT = 32 << 20  # bytes that the kernel may keep for us; a burst overflows the usual 200 KB
SO_MEMINFO, DROPS = 55, 8  # asm-generic/socket.h; the place of SK_MEMINFO_DROPS in it, linux/sock_diag.h


class Cutter:
    """Cuts a stream into datagrams: of `size` bytes each, or one a line, or else the whole stream is one."""

    def __init__(self, size: int | None, lines: bool) -> None:
        self.size, self.lines = size, lines
        self.rest = b""

    def cut(self, data: bytes | memoryview) -> list[bytes]:
        """The datagrams that are complete with this data; no data is the end.

        What no datagram can carry is given as it is: the kernel refuses it, behind those before it.
        """
        stream, pieces = self.rest + data, []
        if self.lines:
            *lines, stream = stream.split(b"\n")
            pieces = [line + b"\n" for line in lines]
        elif self.size:
            whole = len(stream) // self.size * self.size
            pieces = [stream[i : i + self.size] for i in range(0, whole, self.size)]
            stream = stream[whole:]
        if len(stream) > MAX_DATAGRAM or (not data and (stream or (not self.lines and not self.size))):
            pieces.append(stream)  # of an empty stream too: an empty datagram
            stream = b""
        self.rest = stream
        return pieces


def talk(peer: Peer, source: Input, cutter: Cutter, write: Write | None, timeout: float | None,
         count: int | None, answered: bool) -> None:  # fmt: skip
    """Sends standard input, and hands what comes to `write`, both at once.

    write: None where it is not wanted. timeout: seconds in which something has to move. answered: whether answers are
    waited for once all is sent: `count` of them, or until none comes for `timeout` seconds, or PATIENCE. Raises PktError.
    """
    account, queue, buffer = peer.account, deque[bytes](), bytearray(BUFFER)
    grow(peer.sock, KEPT)
    more = True
    drain(source.flows)
    while more or queue or (answered and (count is None or account.units_received < count)):
        patience = timeout if more or queue else timeout or PATIENCE
        fds = [peer.fd] + [source.fd] * (more and not queue)
        readable, writable = ready(fds, [peer.fd] * bool(queue), patience)
        if not readable and not writable:
            if more or queue:
                raise peer.silent(timeout)
            if count or not account.units_received:
                raise peer.vain(patience, "answer", account.units_received, count)
            break
        if peer.fd in readable and (came := peer.receive()):
            account.units_received += 1
            if write:
                write(came[0])
        if writable and peer.send(queue[0]) is not None:
            account.units_sent += 1
            queue.popleft()
        if source.fd in readable:
            used = source.fill(buffer, 0)
            queue += cutter.cut(memoryview(buffer)[:used])
            if not used:
                more = False
                drain(False)
    if not answered:
        peer.check()
        ready([], [], REPORT)
        peer.check()


def datagrams(peer: Peer, timeout: float | None, count: int | None) -> Iterator[tuple[bytes, tuple]]:
    """What comes, and from which address: `count` datagrams, or until none comes for `timeout` seconds, or a signal.

    At a signal, what the kernel still holds is given, for a second at most. Raises PktError when nothing came, or less
    than was asked for.
    """
    account = peer.account
    grow(peer.sock, KEPT)
    try:
        while count is None or account.units_received < count:
            if not ready([peer.fd], [], timeout)[0]:
                if count or not account.units_received:
                    raise peer.vain(timeout, "datagram", account.units_received, count)
                return
            if came := peer.receive():
                account.units_received += 1
                yield came
    except Interrupted:
        end = time.monotonic() + 1
        while (count is None or account.units_received < count) and time.monotonic() < end and (came := peer.receive()):
            account.units_received += 1
            yield came


def echo(peer: Peer, timeout: float | None, count: int | None, tell: Callable[[str], None]) -> None:
    """Sends every datagram back to who sent it, until `datagrams` ends; `tell` is told what could not be sent."""
    for data, address in datagrams(peer, timeout, count):
        try:
            while peer.send(data, address) is None:
                ready([], [peer.fd])
            peer.account.units_sent += 1
        except PktError as error:
            peer.account.failed += 1
            tell(str(error))


def lost(peer: Peer) -> int:
    """How many datagrams the kernel had to drop, because nobody read them in time."""
    try:
        return struct.unpack_from("=I", peer.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36), 4 * DROPS)[0]
    except OSError:
        return 0  # a kernel before 4.12 does not say
