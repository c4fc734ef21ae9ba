"""How commands talk to one that runs in the background: lines of JSON over Unix sockets with abstract names, see unix(7).

Such a name is no file: it is gone with the process that had it, however that ended. It is one of a network namespace, and
anybody may take it, so each side asks the kernel who the other one is.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket
import struct
from pathlib import Path

from ..errors import PktError

LONGEST = 1 << 26  # bytes of a message: a million stations of a switch have half of it
MOST_FDS = 16
SECONDS = 5.0  # to answer; nobody keeps the others waiting longer


def listen(kind: str, name: str) -> socket.socket:
    """Takes a name among those of a kind, such as "switch", and listens. Raises PktError when it is taken, or cannot be one."""
    sock = bind(kind, name)
    sock.listen(16)
    return sock


def bind(kind: str, name: str) -> socket.socket:
    """Takes a name for a process that is to listen later, and will be the peer of those who connect. Raises PktError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.bind(address(kind, name))
    except OSError as error:
        sock.close()
        raise PktError(f"{kind} {name}: {'there is one already' if error.errno == errno.EADDRINUSE else error.strerror}") from None
    return sock


def address(kind: str, name: str) -> bytes:
    """The address of a name. Raises PktError for what cannot be one."""
    if not name or len(name.encode(errors="surrogateescape")) > 64 or not name.isprintable() or set(name) & set("/ @"):
        raise PktError(f"{kind} '{name[:64]}': a name is up to 64 characters without blanks, / and @")
    return f"\0pkttools/{os.getuid()}/{kind}/{name}".encode()


def names(kind: str) -> list[str]:
    """Those that listen, of this user and in this network namespace."""
    prefix = "@" + address(kind, "x")[1:-1].decode()
    with Path("/proc/self/net/unix").open(errors="surrogateescape") as lines:
        found = {line.split(None, 7)[7].rstrip("\n") for line in lines if prefix in line}
    return sorted(name.removeprefix(prefix) for name in found)


def peer(sock: socket.socket) -> tuple[int, int]:
    """Process and user at the other end of a connection; of a listener, those who called listen(2)."""
    process, user, _ = struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return process, user


def connect(kind: str, name: str) -> socket.socket:
    """A connection to one that listens. Raises PktError when there is none, or it is not this user's."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.settimeout(SECONDS)
    try:
        sock.connect(address(kind, name))
    except OSError:
        sock.close()
        others = names(kind)
        raise PktError(f"no {kind} {name} is running" + (f"; there are {', '.join(others)}" if others else "")) from None
    if peer(sock)[1] != os.getuid():
        sock.close()
        raise PktError(f"{kind} {name}: it belongs to another user")
    return sock


def accept(listener: socket.socket) -> socket.socket | None:
    """The next connection, if it is of the same user: others are turned away."""
    sock, _ = listener.accept()
    sock.settimeout(SECONDS)
    if peer(sock)[1] != os.getuid():
        sock.close()
        return None
    return sock


def send(sock: socket.socket, message: dict[str, object], fds: list[int] | None = None) -> None:
    """Sends a message, with descriptors if there are any. Raises OSError."""
    line = encode(message)
    sent = socket.send_fds(sock, [line], fds) if fds else 0
    sock.sendall(line[sent:])


def receive(sock: socket.socket) -> tuple[dict[str, object], list[int]]:
    """Receives a message and its descriptors. Raises PktError when the other one has gone, or says something else."""
    line, fds = bytearray(), array.array("i")
    try:
        while not line.endswith(b"\n"):
            part, more, _, _ = socket.recv_fds(sock, 1 << 16, MOST_FDS)
            fds.extend(more)
            line += part
            if not part or len(line) > LONGEST:
                raise PktError("the other end has gone")
    except OSError:
        raise PktError("the other end does not answer") from None
    return decode(line), list(fds)


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
