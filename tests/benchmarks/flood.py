"""Sends numbered frames: python -m tests.benchmarks.flood INTERFACE SIZE RATE SECONDS

SIZE bytes each, RATE a second, 0 for as many as can be. Says how many frames it sent, and in how many seconds.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
import time

from .capture import mend

DIFFERENT = 4096  # frames; then they come again
BURST = 64  # frames of one call at most
SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
NUMBER_AT = 42  # behind Ethernet, IPv4 and ICMP
# struct mmsghdr: name, its size, pieces, their number, control, its size, flags, bytes sent; and a piece: struct iovec
MESSAGE, PIECE = struct.Struct("PI4xPNPNi4xI4x"), struct.Struct("PN")
PING = bytes.fromhex("02000000000b 02000000000a 0800")


def frame(number: int, size: int) -> bytes:
    """An echo reply with a number in it, and its checksums."""
    head = struct.pack("!BBHHHBBHII", 0x45, 0, size - 14, 0, 0, 64, 1, 0, 0x0A000001, 0x0A000002)
    body = struct.pack("!BBHHHI", 0, 0, 0, 1, number & 0xFFFF, number)
    return mend((PING + head + body).ljust(size, b"p"))


def number(data: bytes) -> int:
    """The number in a frame."""
    return struct.unpack_from("!I", data, NUMBER_AT)[0]


class Messages:
    """Frames as sendmmsg(2) takes them."""

    def __init__(self, size: int) -> None:
        self.frames = ctypes.create_string_buffer(b"".join(frame(i, size) for i in range(DIFFERENT)))
        at = ctypes.addressof(self.frames)
        self.pieces = ctypes.create_string_buffer(b"".join(PIECE.pack(at + i * size, size) for i in range(DIFFERENT)))
        at = ctypes.addressof(self.pieces)
        messages = b"".join(MESSAGE.pack(0, 0, at + i * PIECE.size, 1, 0, 0, 0, 0) for i in range(DIFFERENT))
        self.messages = ctypes.create_string_buffer(messages)
        self.at = ctypes.addressof(self.messages)
        self.call = ctypes.CDLL(None, use_errno=True).sendmmsg
        self.call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)

    def send(self, fd: int, first: int, count: int) -> int:
        """Sends up to `count` frames from number `first` on; gives how many."""
        first %= DIFFERENT
        sent = self.call(fd, self.at + first * MESSAGE.size, min(count, BURST, DIFFERENT - first), 0)
        if sent < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        return sent


def flood(interface: str, size: int, rate: float, seconds: float) -> tuple[int, float]:
    """Sends; gives the number of frames and the seconds it took."""
    messages = Messages(size)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        sock.bind((interface, 0))
        fd, clock, sent = sock.fileno(), time.perf_counter, 0
        begin = clock()
        while (elapsed := clock() - begin) < seconds:
            due = int(elapsed * rate) + 1 - sent if rate else BURST
            if due > 0:
                sent += messages.send(fd, sent, due)
            elif rate < 1000:
                time.sleep(0.0002)
        return sent, clock() - begin


if __name__ == "__main__":
    print(*flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
