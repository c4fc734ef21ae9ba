"""Options of sockets: the C function and its twin, with the same results and the same errors."""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path
from types import ModuleType

import pytest


def test_it_is_set_and_the_socket_stays_open(kernel: ModuleType) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        assert kernel.set_option(sock.fileno(), socket.SOL_SOCKET, socket.SO_KEEPALIVE, struct.pack("i", 1)) is None
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_errors_are_those_of_the_system(kernel: ModuleType) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, Path(os.devnull).open() as file:
        others = ((-1, 1, errno.EBADF), (file.fileno(), 1, errno.ENOTSOCK))
        for fd, option, reason in ((sock.fileno(), 9999, errno.ENOPROTOOPT), *others):
            with pytest.raises(OSError, match=r".") as error:
                kernel.set_option(fd, socket.SOL_SOCKET, option, bytes(4))
            assert error.value.errno == reason
        for wrong in (("fd", 1, 1, b""), *((sock.fileno(), 1, 1, value) for value in ("text", 1, None))):
            with pytest.raises(TypeError):
                kernel.set_option(*wrong)
