"""Streams: TCP, RFC 9293."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import termios
import time
from collections.abc import Callable

from ..errors import PktError
from ..formats.files import Input
from ..signals import drain, ready
from . import BUFFER, Peer, Write, endpoint, failure

GRACE = 1  # seconds that a peer has to close, and standard input to end, when nothing else is left to wait for
STEP = 0.02  # seconds; the kernel does not tell when data is acknowledged, it has to be asked


def talk(peer: Peer, source: Input, write: Write | None, timeout: float | None, answered: bool) -> None:
    """Sends standard input, and hands what comes to `write`, both at once; then sees that nothing of it is lost.

    write: None where it is not wanted. timeout: seconds in which something has to move. answered: whether it goes on
    until the peer has closed. Raises PktError.
    """
    buffer, data = bytearray(BUFFER), memoryview(b"")
    more, answering, finished = True, True, False  # more: of standard input; answering: the peer has not closed
    drain(not source.is_file and not os.isatty(source.fd))
    while not finished or (answered and answering):
        fds = [peer.fd] * answering + [source.fd] * (more and not data)
        last = answered and not answering and not data  # the answer is over: input is sent while it comes, not waited for
        readable, writable = ready(fds, [peer.fd] * bool(data), GRACE if last else timeout)
        if last and not readable:
            raise PktError(f"{peer.name}: the peer closed before standard input ended")
        if not readable and not writable:
            raise peer.silent(timeout)
        if peer.fd in readable:
            answering = take(peer, write) != b""
        if writable:
            try:
                data = data[peer.send(data) or 0 :]
            except PktError:
                while answering and take(peer, write):  # it may have said why it refuses
                    pass
                raise
        if source.fd in readable:
            data = memoryview(buffer)[: source.fill(buffer, 0)]
            more = bool(data)
        if not more and not data and not finished:
            drain(False)
            finish(peer)
            finished = True
    settle(peer, write, timeout, answering)


def take(peer: Peer, write: Write | None) -> bytes | None:
    """Hands what has come to `write`, and gives it: empty when the peer has closed, None when there is nothing after all."""
    came = peer.receive()
    if came is None:
        return None
    if write:
        write(came[0])
    return came[0]


def finish(peer: Peer) -> None:
    """Says that no more will be sent. Raises PktError."""
    try:
        peer.sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        raise failure(peer.name, error) from None


def settle(peer: Peer, write: Write | None, timeout: float | None, answering: bool) -> None:
    """Waits until all that was sent has been acknowledged, and, if it is `answering`, until the peer closes.

    To close before the peer has done so would reset the connection if it still had something to say, and it might lose
    what it has not read yet. But some never close: without traffic it is waited for `timeout` seconds, or GRACE.
    Raises PktError when the peer resets the connection, or acknowledges nothing for `timeout` seconds.
    """
    left, moved = unacknowledged(peer), time.monotonic()
    while left or answering:
        readable, _ = ready([peer.fd] * answering, [], STEP)
        if readable:
            answering = take(peer, write) != b""
        peer.check()
        before, left, now = left, unacknowledged(peer), time.monotonic()
        if readable or left != before:
            moved = now
        elif left and timeout is not None and now - moved >= timeout:
            raise peer.silent(timeout)
        elif not left and now - moved >= (timeout or GRACE):
            break


def unacknowledged(peer: Peer) -> int:
    """The bytes that were sent and not acknowledged, the end of the stream among them: SIOCOUTQ, see tcp(7)."""
    return struct.unpack("i", fcntl.ioctl(peer.fd, termios.TIOCOUTQ, bytes(4)))[0]


def accept(listener: Peer, timeout: float | None) -> Peer | None:
    """The next connection, None when there is none within `timeout` seconds. Raises PktError."""
    while ready([listener.fd], [], timeout)[0]:
        try:
            sock, address = listener.sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            continue
        except OSError as error:
            raise failure(listener.name, error) from None
        return Peer(sock, endpoint(address), listener.account)
    return None


def receive(listener: Peer, write: Write, timeout: float | None) -> None:
    """Takes one connection, and hands what comes to `write` until the peer has closed. Raises PktError."""
    peer = accept(listener, timeout)
    if peer is None:
        raise listener.vain(timeout, "connection")
    listener.sock.close()
    while ready([peer.fd], [], timeout)[0]:
        if take(peer, write) == b"":
            return
    raise peer.silent(timeout)


def echo(listener: Peer, timeout: float | None, count: int | None, tell: Callable[[str], None]) -> None:
    """Takes one connection after another, and sends back what comes; ends after `count`, or `timeout` seconds without one.

    What goes wrong with a connection ends that one; `tell` is told. Raises PktError when fewer came than were asked for.
    """
    account = listener.account
    while count is None or account.served + account.failed < count:
        peer = accept(listener, timeout)
        if peer is None:
            came = account.served + account.failed
            if not came or count:
                raise listener.vain(timeout, "connection", came, count)
            return
        try:
            reflect(peer, timeout)
            account.served += 1
        except PktError as error:
            account.failed += 1
            tell(str(error))
        finally:
            peer.sock.close()


def reflect(peer: Peer, timeout: float | None) -> None:
    """Sends back what comes, until the peer has closed and acknowledged everything. Raises PktError."""
    data = b""
    while True:
        if not any(ready([peer.fd] * (not data), [peer.fd] * bool(data), timeout)):
            raise peer.silent(timeout)
        if data:
            data = data[peer.send(data) or 0 :]
        elif came := peer.receive():
            data = came[0]
            if not data:
                break
    finish(peer)
    settle(peer, None, timeout, answering=False)
