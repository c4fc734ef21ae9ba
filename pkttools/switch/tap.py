"""A port that is a TAP device: the switch is its other end. See Documentation/networking/tuntap.rst of the kernel."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import time
from mmap import mmap

from ..batch import Batch
from ..errors import PktError
from ..live.linux import tap
from ..live.linux.interface import NO_ROOM, counters
from .ports import LARGEST, TURN, VIRTIO, Gone, Port

TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454D0, 0x400454D8
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
ROOM = 1 << 20  # bytes of frames taken at once


class TapPort(Port):
    """A TAP device, made if it is not there; it goes with the switch."""

    def __init__(self, device: str) -> None:
        """Raises PktError."""
        super().__init__(tap.PREFIX + device)
        self.fd, _ = tap.attach(device, tap.IFF_VNET_HDR)
        try:
            fcntl.ioctl(self.fd, TUNSETVNETHDRSZ, struct.pack("i", VIRTIO.size))
            fcntl.ioctl(self.fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
            tap.set_up(device)
            self.index = socket.if_nametoindex(device)
        except (OSError, PktError) as error:
            os.close(self.fd)
            raise PktError(f"{self.name}: {error.strerror}" if isinstance(error, OSError) else str(error)) from None
        self.buffer = bytearray(ROOM)
        self.device = device
        self.dropped = self.drops()

    def take(self) -> Batch | None:
        """The next frames that the system sent to the device; a read each."""
        rows: list[int] = []
        at, now = 0, time.time_ns()
        with memoryview(self.buffer) as view:
            try:
                while at + VIRTIO.size + LARGEST <= ROOM and len(rows) < 7 * TURN:
                    with view[at:] as free:
                        size = os.readv(self.fd, [free]) - VIRTIO.size
                    if size >= 0:
                        rows += (at + VIRTIO.size, size, size, now, 1, 0, 0)
                        at += VIRTIO.size + size
            except BlockingIOError:
                pass
            except OSError:
                if not rows:  # or else the next time
                    raise Gone("interface is gone") from None
        return Batch(self.buffer, bytearray(struct.pack(f"{len(rows)}q", *rows))) if rows else None

    def send(self, data: bytearray | mmap, rows: bytearray) -> None:
        """Writes frames to the device; a write each."""
        columns = memoryview(rows).cast("q").tolist()
        with memoryview(data) as view:
            for offset, size in zip(columns[::7], columns[1::7], strict=True):
                try:
                    os.write(self.fd, view[offset - VIRTIO.size : offset + size])
                except OSError as error:
                    if error.errno == errno.EBADFD:
                        raise Gone("interface is gone") from None
                    self.fail(error.errno or 0)
                else:
                    self.sent += 1
                    self.sent_bytes += size

    def drops(self) -> int:
        """Frames that the kernel had no room for, since the device was made."""
        found = counters(self.device)
        return found[NO_ROOM] if found else 0

    def count(self) -> None:
        """Asks the kernel how many frames found no room in the device's queue."""
        found = max(self.drops(), self.dropped)  # none, once the device is gone or called otherwise
        self.overrun += found - self.dropped
        self.dropped = found

    def close(self) -> None:
        """Closes the device, which is then gone."""
        os.close(self.fd)
