"""An interface is a port of one switch: whoever has it says so by the name of an abstract socket, see unix(7).

Such a name is gone with the process, is one of a network namespace, as the interface's number is, and anybody may take it.
So it counts only where its owner has a packet socket at the interface, too, which takes CAP_NET_RAW.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

BACKLOG = 4096  # how often others may ask: nobody answers


class Taken(Exception):
    """The interface is a port of another switch."""


def claim(index: int, own: _socket.socket) -> socket.socket:
    """Takes an interface, by its number, until what it gives is closed. Raises Taken, OSError.

    own: our packet socket there; it is bound before the name is taken, so that whoever finds the name finds that, too.
    """
    name = f"\0pkttools/port/{index}".encode()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.bind(name)
        sock.listen(BACKLOG)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            sock.close()
            raise
        users = sniffers(index, os.fstat(own.fileno()).st_ino)
        holder = owner(name)
        if users and (holder is None or holder in users):
            sock.close()
            raise Taken from None
    return sock


def owner(name: bytes) -> int | None:
    """The user who listens at a name; -1: nobody does; None: not to be found out, for too many have asked."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
        sock.setblocking(False)
        try:
            sock.connect(name)
        except OSError as error:
            return -1 if error.errno == errno.ECONNREFUSED else None
        return struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]


def sniffers(index: int, own: int) -> set[int]:
    """The users who have packet sockets at an interface; without ours, by its inode."""
    with open("/proc/self/net/packet") as file:  # noqa: PTH123  pathlib is slow to import
        rows = [line.split() for line in file][1:]
    return {int(row[7]) for row in rows if int(row[4]) == index and int(row[8]) != own}
