"""TAP devices: interfaces whose other end is a program. See Documentation/networking/tuntap.rst of the kernel."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from ...errors import PktError
from .interface import IFF_UP, SIOCGIFFLAGS, ask, asking, names

DEVICE = "/dev/net/tun"
PREFIX = "tap:"  # in front of a device's name, where one that is not there shall be made
TUNSETIFF, SIOCSIFFLAGS = 0x400454CA, 0x8914
IFNAMSIZ = 16  # linux/if.h: with the zero at its end
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000  # linux/if_tun.h

_reserved: list[int] = []  # descriptors of DEVICE that are none of a TAP device yet


class NoTap(PktError):
    """The interface is of another kind, or there are no TAP devices here."""


def attach(name: str, flags: int = 0) -> tuple[int, bool]:
    """A descriptor of a TAP device that does not block, and whether the device was made for it: then it goes with the descriptor.

    flags: such as IFF_VNET_HDR. Raises PktError, NoTap.
    """
    new = name not in names()
    if new and (not 0 < len(os.fsencode(name)) < IFNAMSIZ or set(name) & set("/:% \t\n") or name in (".", "..")):
        raise PktError(f"'{name[:40]}' is no name for an interface: up to {IFNAMSIZ - 1} bytes, without /, :, % and blanks")
    fd, own = opened(name)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", os.fsencode(name), IFF_TAP | IFF_NO_PI | flags))
    except OSError as error:
        if own:
            os.close(fd)
        else:
            _reserved.append(fd)
        if error.errno == errno.EINVAL:
            raise NoTap(f"{name}: is no TAP device") from None
        reasons = {
            errno.EPERM: "not allowed to attach to the TAP device: run it as its owner, as root, or with CAP_NET_ADMIN",
            errno.EBUSY: "another program is attached to the TAP device",
        }
        raise PktError(f"{name}: {reasons.get(error.errno or 0, error.strerror)}") from None
    return fd, new


def opened(name: str) -> tuple[int, bool]:
    """A descriptor for a TAP device of that name, and whether it was opened for it, not long before. Raises NoTap."""
    try:
        return os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK), True
    except OSError as error:
        if error.errno == errno.EACCES and _reserved:
            return _reserved.pop(), False
        raise NoTap(f"{name}: {DEVICE}: {error.strerror}") from None


def reserve(count: int) -> None:
    """Opens the device for so many TAP devices to come, for when we are somebody who may not; none where all may, or there is none.

    Where so many descriptors are not to be had, there are none either.
    """
    try:
        if os.stat(DEVICE).st_mode & 0o006 != 0o006:  # noqa: PTH116  pathlib is slow to import
            for _ in range(count):
                _reserved.append(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError:
        while _reserved:
            os.close(_reserved.pop())


def set_up(name: str) -> None:
    """Sets an interface up. Raises PktError."""
    with asking() as sock:
        (flags,) = struct.unpack_from("H", ask(sock, name, SIOCGIFFLAGS))
        try:
            fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", os.fsencode(name), flags | IFF_UP))
        except OSError as error:
            raise PktError(f"{name}: {error.strerror}") from None
