"""How commands talk to one that runs in the background: lines of JSON over Unix sockets with abstract names, see unix(7).

Such a name is no file: it is gone with the process that had it, however that ended. It is one of a network namespace, and
anybody may take it, so each side asks the kernel who the other one is.
"""

from __future__ import annotations

import array
import errno
import json
import os
import select
import socket
import struct
import time
from pathlib import Path

from ...errors import PktError, limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Answer = Callable[[bytes], tuple[bytes, list[int]]]  # what is said to a line, and the descriptors that go with it

LONGEST = 1 << 26  # bytes of a message: a million stations of a switch have half of it
MOST_FDS = 16
SECONDS = 5.0  # that an answer is waited for where there is something else to go on with
PATIENCE = 60.0  # seconds that each side has: a thousand who ask at once take a busy machine some time
LOOK = 1.0  # seconds that all who have a name together have to show whose they are
BACKLOG = 4096  # who may wait to be heard; net.core.somaxconn may allow fewer
CALLERS = 900  # that are heard at the same time: select(2) takes descriptors below 1024
MANNERS = 2.0  # seconds after which one of so many who has not asked yet makes room for another
REQUEST = 1 << 12  # bytes that may be asked with
REST = 0.1  # seconds until the system is asked again for what it has no more of
LISTENS = "00010000"  # __SO_ACCEPTCON, linux/net.h
ACCEPTABLE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # for want of what may be there again


def listen(kind: str, name: str) -> socket.socket:
    """Takes a name among those of a kind, such as "switch", and listens. Raises PktError when it is taken, or cannot be one."""
    sock = bind(kind, name)
    sock.listen(BACKLOG)
    return sock


def bind(kind: str, name: str) -> socket.socket:
    """Takes a name for a process that is to listen later, and will be the peer of those who connect. Raises PktError."""
    wanted = address(kind, name)
    sock = opened(f"{kind} {name}")
    try:
        sock.bind(wanted)
    except OSError as error:
        sock.close()
        raise PktError(f"{kind} {name}: {'there is one already' if error.errno == errno.EADDRINUSE else error.strerror}") from None
    return sock


def opened(what: str) -> socket.socket:
    """A socket of their kind. Raises PktError."""
    try:
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    except OSError as error:
        raise PktError(f"{what}: {limit(error)}") from None


def possible(name: str) -> bool:
    """Whether something can be called so."""
    return 0 < len(name.encode(errors="surrogateescape")) <= 64 and name.isprintable() and not set(name) & set("/ @")


def address(kind: str, name: str) -> bytes:
    """The address of a name. Raises PktError for what cannot be one."""
    if not possible(name):
        shown = "".join(c if c.isprintable() else "?" for c in name[:64])
        raise PktError(f"{kind} '{shown}': a name is up to 64 characters without blanks, / and @")
    return f"\0pkttools/{os.getuid()}/{kind}/{name}".encode()


def names(kind: str) -> list[str]:
    """Those that listen, of this user and in this network namespace.

    Anybody may take such a name, and call it as he likes: what could be none of ours is passed over, and who listens under
    the others is asked of the kernel.
    """
    prefix = "@" + address(kind, "x")[1:-1].decode()
    found = set()
    with Path("/proc/self/net/unix").open(errors="surrogateescape") as lines:
        for line in lines:
            words = line.rstrip("\n").split(None, 7)
            if len(words) == 8 and words[3] == LISTENS and words[7].startswith(prefix):
                found.add(words[7].removeprefix(prefix))
    end = time.monotonic() + LOOK
    return [name for name in sorted(found) if possible(name) and ours(address(kind, name), end)]


def ours(place: bytes, end: float) -> bool:
    """Whether this user listens at an address. Who has no room for those who ask has until `end`, by time.monotonic()."""
    with opened("a control socket") as sock:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(place)
                return peer(sock)[1] == os.getuid()
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(0.005)
            except OSError:  # it has just ended
                return False


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process and user at the other end of a connection; of a listener, and to those who connect, those who called listen(2)."""
    process, user, _ = struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return process, user


def connect(kind: str, name: str, seconds: float = PATIENCE) -> socket.socket:
    """A connection to one that listens; it has so many seconds to answer. Raises PktError when there is none of this user's."""
    wanted = address(kind, name)
    sock = opened(f"{kind} {name}")
    whole, part = divmod(seconds, 1)
    for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):  # the kernel's: it lets those who connect wait for their turn
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(whole), int(part * 1_000_000)))
    try:
        sock.connect(wanted)
    except BlockingIOError:
        sock.close()
        raise PktError(f"{kind} {name}: it does not answer") from None
    except OSError:
        sock.close()
        others = names(kind)
        raise PktError(f"no {kind} {name} is running" + (f"; there are {', '.join(others)}" if others else "")) from None
    if peer(sock)[1] != os.getuid():
        sock.close()
        raise PktError(f"{kind} {name}: it belongs to another user")
    return sock


def there(sock: socket.socket) -> bool:
    """Whether who was connected to, and has not been asked anything, is still there: it may be stopped, but it has not ended."""
    waiting = select.poll()
    waiting.register(sock, select.POLLIN)
    return not waiting.poll(0)


class Caller:
    """Somebody who asks for something. Neither the question nor the answer is waited for.

    since: when it came, end: when it is given up, both by time.monotonic(). left: what there is still to say. fds: what goes
    with it. held: whether the system has no room for these now.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock, self.fd = sock, sock.fileno()
        self.since = time.monotonic()
        self.end = self.since + PATIENCE
        self.asked, self.left = b"", memoryview(b"")
        self.fds: list[int] = []
        self.held = False

    def turn(self, answer: Answer) -> bool:
        """Goes on where something can be read or written; whether there is more to come."""
        self.held = False
        try:
            if not self.left:
                part = self.sock.recv(REQUEST)
                self.asked += part
                if not part or len(self.asked) > REQUEST:
                    return False
                if not self.asked.endswith(b"\n"):
                    return True
                said, self.fds = answer(self.asked)
                self.left = memoryview(said)
            sent = socket.send_fds(self.sock, [self.left], self.fds) if self.fds else self.sock.send(self.left)
            self.left, self.fds = self.left[sent:], []
        except BlockingIOError:
            return True
        except OSError as error:
            self.held = error.errno == errno.ETOOMANYREFS  # others have not taken theirs yet, see unix(7)
            return self.held
        return bool(self.left)


class Callers:
    """Those who ask at a listener, all of them at the same time: who is slow keeps nobody waiting.

    answer: what is said to a line, and the descriptors that go with it.
    """

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        listener.setblocking(False)
        self.listener, self.answer = listener, answer
        self.callers: list[Caller] = []  # the one that came first in front
        self.pause = 0.0  # until when nobody is let in, by time.monotonic()

    def waited(self) -> tuple[list[int], list[int]]:
        """The descriptors that something is to be read from, and written to."""
        now = time.monotonic()
        full = len(self.callers) >= CALLERS and now < self.callers[0].since + MANNERS
        listening = [] if full or now < self.pause else [self.listener.fileno()]
        return (listening + [caller.fd for caller in self.callers if not caller.left],
                [caller.fd for caller in self.callers if caller.left and not caller.held])  # fmt: skip

    def patience(self) -> float | None:
        """Seconds after which there is to be a turn in any case; None: no matter how many."""
        return REST if self.callers or time.monotonic() < self.pause else None

    def turn(self, able: Iterable[int]) -> None:
        """Goes on with those that can be read or written."""
        now, able = time.monotonic(), {*able}
        for caller in list(self.callers):
            if now > caller.end or ((caller.fd in able or caller.held) and not caller.turn(self.answer)):
                self.drop(caller)
        if self.listener.fileno() in able:
            self.admit(now)

    def admit(self, now: float) -> None:
        """Lets those in who wait, as far as there is room."""
        while True:
            if len(self.callers) >= CALLERS:
                if now < self.callers[0].since + MANNERS:
                    return
                self.drop(self.callers[0])
            try:
                sock = accept(self.listener)
            except OSError as error:
                if error.errno in ACCEPTABLE:
                    if self.callers:
                        self.drop(self.callers[0])
                    self.pause = now + REST
                return
            if sock:
                self.callers.append(Caller(sock))

    def drop(self, caller: Caller) -> None:
        """Ends the talk with somebody."""
        self.callers.remove(caller)
        caller.sock.close()

    def close(self) -> None:
        """Ends the talk with all of them."""
        for caller in list(self.callers):
            self.drop(caller)


def accept(listener: socket.socket) -> socket.socket | None:
    """The next connection, if it is of the user who listens: others are turned away. Raises OSError, also when there is none."""
    sock, _ = listener.accept()
    if peer(sock)[1] != peer(listener)[1]:
        sock.close()
        return None
    return sock


def send(sock: socket.socket, message: dict[str, object], fds: list[int] | None = None) -> None:
    """Sends a message, with descriptors if there are any. Raises OSError."""
    line = encode(message)
    left = line[socket.send_fds(sock, [line], fds) :] if fds else line
    if left:
        sock.sendall(left)


def receive(sock: socket.socket) -> tuple[dict[str, object], list[int]]:
    """Receives a message and its descriptors. Raises PktError when the other one has gone, or says something else."""
    line, fds = bytearray(), array.array("i")
    try:
        while not line.endswith(b"\n"):
            part, more, flags, _ = socket.recv_fds(sock, 1 << 16, MOST_FDS)
            fds.extend(more)
            line += part
            if flags & socket.MSG_CTRUNC:
                raise PktError(limit(OSError(errno.EMFILE, os.strerror(errno.EMFILE))))
            if not part or len(line) > LONGEST:
                raise PktError("the other end has gone")
        return decode(line), list(fds)
    except (OSError, PktError) as error:
        for fd in fds:
            os.close(fd)
        if isinstance(error, PktError):
            raise
        raise PktError("the other end does not answer") from None


def encode(message: dict[str, object]) -> bytes:
    """A message as it is sent: a line."""
    return json.dumps(message).encode() + b"\n"


def decode(line: bytes | bytearray) -> dict[str, object]:
    """The message of a line. Raises PktError when it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):  # of brackets in brackets without end
        message = None
    if not isinstance(message, dict):
        raise PktError("the other end says something else")
    return message
