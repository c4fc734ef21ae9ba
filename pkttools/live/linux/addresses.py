"""The interfaces of this network namespace with their addresses: getifaddrs(3). It needs no privilege."""

from __future__ import annotations

import ctypes
import os
import socket
import struct

from ...errors import PktError
from ..interfaces import Interface
from .interface import SIOCGIFHWADDR, ask, received

IFF_UP, IFF_RUNNING = 0x1, 0x40


class Entry(ctypes.Structure):
    """struct ifaddrs: one address of one interface."""


Entry._fields_ = (
    ("next", ctypes.POINTER(Entry)), ("name", ctypes.c_char_p), ("flags", ctypes.c_uint), ("address", ctypes.c_void_p),
    ("mask", ctypes.c_void_p), ("peer", ctypes.c_void_p), ("data", ctypes.c_void_p),
)  # fmt: skip


def interfaces() -> list[Interface]:
    """All of them. Raises PktError."""
    system, entry = ctypes.CDLL(None, use_errno=True), ctypes.POINTER(Entry)()
    if system.getifaddrs(ctypes.byref(entry)):
        raise PktError(f"no list of interfaces: {os.strerror(ctypes.get_errno())}")
    first = entry
    found: dict[str, Interface] = {}
    while entry:
        it = entry.contents
        name = os.fsdecode(it.name).partition(":")[0]  # an IPv4 address may have a label, such as eth0:1
        found.setdefault(name, Interface(name, state(it.flags))).learn(it.address, it.mask)
        entry = it.next
    system.freeifaddrs(first)
    for interface in found.values():
        if interface.linktype is None:  # without a hardware address there is no sockaddr_ll
            interface.linktype = linktype(interface.name)
    return list(found.values())


def linktype(name: str) -> int | None:
    """The link type of an interface's frames; None where it is unknown, or the interface gone."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            return received(struct.unpack_from("H", ask(sock, name, SIOCGIFHWADDR))[0])[0]
    except (PktError, OSError):
        return None


def state(flags: int) -> str:
    """Whether an interface is up, and connected to something."""
    return "down" if not flags & IFF_UP else "up" if flags & IFF_RUNNING else "no-carrier"
