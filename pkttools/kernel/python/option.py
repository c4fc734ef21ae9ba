"""Options of sockets."""

from __future__ import annotations

import errno
import os
import socket


def set_option(fd: int, level: int, option: int, value: bytes) -> None:
    """Sets an option of a socket: setsockopt(2). In C other threads run meanwhile. Raises OSError."""
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, fileno=fd)
    except ValueError:  # Python's word for a negative one
        raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None
    try:
        sock.setsockopt(level, option, memoryview(value))  # no number, as in C
    finally:
        sock.detach()  # it is not ours to close
