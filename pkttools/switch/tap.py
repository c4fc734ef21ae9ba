"""A port that is a TAP device: the switch is its other end. See Documentation/networking/tuntap.rst of the kernel."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import time

from ..batch import Batch
from ..errors import PktError
from ..linux.interface import IFF_UP, NO_ROOM, SIOCGIFFLAGS, ask, asking, counters
from .ports import LARGEST, TURN, VIRTIO, Gone, Port

DEVICE = "/dev/net/tun"
TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ, SIOCSIFFLAGS = 0x400454CA, 0x400454D0, 0x400454D8, 0x8914
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
ROOM = 1 << 20  # bytes of frames taken at once


class TapPort(Port):
    """A TAP device, made if it is not there; it goes with the switch."""

    def __init__(self, device: str) -> None:
        """Raises PktError."""
        super().__init__(f"tap:{device}")
        if not 0 < len(os.fsencode(device)) < 16:
            raise PktError(f"{self.name}: an interface's name has 1 to 15 bytes")
        try:
            self.fd = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise PktError(f"{self.name}: {DEVICE}: {error.strerror}") from None
        try:
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", os.fsencode(device), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
            fcntl.ioctl(self.fd, TUNSETVNETHDRSZ, struct.pack("i", VIRTIO.size))
            fcntl.ioctl(self.fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
            with asking() as sock:
                (flags,) = struct.unpack_from("H", ask(sock, device, SIOCGIFFLAGS))
                self.index = socket.if_nametoindex(device)
                fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", os.fsencode(device), flags | IFF_UP))
        except OSError as error:
            os.close(self.fd)
            what = {errno.EPERM: "not allowed to make it: run it as root, with CAP_NET_ADMIN, or under 'unshare -Urn'",
                    errno.EINVAL: "it is there, and no TAP device", errno.EBUSY: "somebody else has it"}  # fmt: skip
            raise PktError(f"{self.name}: {what.get(error.errno or 0, error.strerror)}") from None
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

    def send(self, data: bytearray, rows: bytearray) -> None:
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
