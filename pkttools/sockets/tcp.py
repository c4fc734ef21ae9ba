"""Streams: TCP, RFC 9293."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable

from ..command_line.signals import drain, ready
from ..errors import PktError
from ..formats.files import Input
from . import BUFFER, Peer, Write, endpoint, failure

GRACE = 1  # seconds that a peer has to close, and standard input to end, when nothing else is left to wait for
MOST = 900  # connections at the same time: select(2) takes descriptors below 1024
STEP = 0.02  # seconds; the kernel does not tell when data is acknowledged, it has to be asked


def talk(peer: Peer, source: Input, write: Write | None, timeout: float | None, answered: bool) -> None:
    """Sends standard input, and hands what comes to `write`, both at once; then sees that nothing of it is lost.

    write: None where it is not wanted. timeout: seconds in which something has to move. answered: whether it goes on
    until the peer has closed. Raises PktError.
    """
    buffer, data = bytearray(BUFFER), memoryview(b"")
    more, answering, finished = True, True, False  # more: of standard input; answering: the peer has not closed
    drain(source.flows)
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


def accept(listener: Peer) -> Peer | None:
    """The next connection, None when there is none after all. Raises PktError."""
    try:
        sock, address = listener.sock.accept()
    except (BlockingIOError, ConnectionAbortedError):
        return None
    except OSError as error:
        raise failure(listener.name, error) from None
    return Peer(sock, endpoint(address), listener.account)


def receive(listener: Peer, write: Write, timeout: float | None) -> None:
    """Takes one connection, and hands what comes to `write` until the peer has closed. Raises PktError."""
    peer = first(listener, timeout)
    listener.sock.close()
    while take(peer, write) != b"":
        if not ready([peer.fd], [], timeout)[0]:
            raise peer.silent(timeout)


def first(listener: Peer, timeout: float | None) -> Peer:
    """The connection of which something comes first: one that is idle keeps nobody out. Raises PktError.

    That one ends without a byte counts, too, unless there are others.
    """
    peers: dict[int, Peer] = {}
    while readable := ready([listener.fd, *peers], [], timeout)[0]:
        for peer in [peers.pop(fd) for fd in readable if fd in peers]:
            if not peers or not peer.is_over():
                for other in peers.values():
                    other.sock.close()
                return peer
            peer.sock.close()
        if listener.fd in readable:
            if len(peers) >= MOST:
                peers.pop(next(iter(peers))).sock.close()
            if accepted := accept(listener):
                peers[accepted.fd] = accepted
    raise next(iter(peers.values())).silent(timeout) if peers else listener.vain(timeout, "connection")


def echo(listener: Peer, timeout: float | None, count: int | None, tell: Callable[[str], None]) -> None:
    """Takes connections, and sends back what comes; ends after `count`, or `timeout` seconds without one.

    What goes wrong with a connection ends that one; `tell` is told. Raises PktError when fewer came than were asked for.
    """
    account, echoes, since = listener.account, dict[int, Echo](), time.monotonic()
    try:
        while count is None or account.served + account.failed < count:
            reading = [fd for fd, one in echoes.items() if one.reads]
            writing = [fd for fd, one in echoes.items() if one.data]
            able = ready([listener.fd, *reading], writing, patience(echoes, since, timeout))
            now = time.monotonic()
            for fd, one in list(echoes.items()):
                if one.over(fd in able[0] or fd in able[1], now, timeout, tell):
                    del echoes[fd]
                    since = now
            if listener.fd in able[0]:
                if len(echoes) >= MOST:
                    quietest = min(echoes.values(), key=lambda one: one.moved)
                    quietest.end(tell, "it was idle, and others waited")
                    del echoes[quietest.peer.fd]
                if peer := accept(listener):
                    echoes[peer.fd] = Echo(peer)
            elif not echoes and timeout is not None and now - since >= timeout:
                came = account.served + account.failed
                if not came or count:
                    raise listener.vain(timeout, "connection", came, count)
                return
    finally:
        for one in echoes.values():
            one.peer.sock.close()


def patience(echoes: dict[int, Echo], since: float, timeout: float | None) -> float | None:
    """Seconds until there is something to do in any case. since: when the last connection ended, by time.monotonic()."""
    if any(one.ended for one in echoes.values()):
        return STEP
    if timeout is None:
        return None
    return max(0, min((one.moved for one in echoes.values()), default=since) + timeout - time.monotonic())


class Echo:
    """A connection that gets back what it sends, beside others.

    data: what is to be sent back. ended: whether the peer has closed. left: bytes that it has not acknowledged, then.
    moved: when something moved last, by time.monotonic().
    """

    def __init__(self, peer: Peer) -> None:
        self.peer, self.data, self.ended, self.left = peer, b"", False, 0
        self.moved = time.monotonic()

    @property
    def reads(self) -> bool:
        """Whether something is to come."""
        return not self.data and not self.ended

    def over(self, able: bool, now: float, timeout: float | None, tell: Callable[[str], None]) -> bool:
        """Goes on, where it is able to be read or written; whether it has ended, and so is closed and counted."""
        try:
            if able:
                self.moved = now
                self.turn()
            if self.ended:
                self.peer.check()
                before, self.left = self.left, unacknowledged(self.peer)
                if self.left != before:
                    self.moved = now
                if not self.left:
                    self.peer.account.served += 1
                    self.peer.sock.close()
                    return True
            if timeout is not None and now - self.moved >= timeout:
                raise self.peer.silent(timeout)
        except PktError as error:
            self.end(tell, str(error))
            return True
        return False

    def turn(self) -> None:
        """Takes what has come, or sends some of it back. Raises PktError."""
        if self.data:
            self.data = self.data[self.peer.send(self.data) or 0 :]
        elif came := self.peer.receive():
            self.data = came[0]
            if not self.data:
                self.ended = True
                finish(self.peer)

    def end(self, tell: Callable[[str], None], reason: str) -> None:
        """Ends it before its time."""
        self.peer.account.failed += 1
        tell(reason if reason.startswith(self.peer.name) else f"{self.peer.name}: {reason}")
        self.peer.sock.close()
