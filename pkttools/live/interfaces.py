"""The list of interfaces for people: one line each, whatever told us of them. Addresses are as <sys/socket.h> lays them out."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

from ..errors import visible
from ..protocols.names import linktype_name
from .linux.interface import received

LINUX = sys.platform == "linux"
LENGTH_FIRST = not LINUX and sys.platform != "win32"  # struct sockaddr of the BSDs begins with its length
AF_LINK, AF_PACKET = 18, 17
# Interface types of the BSDs (net/if_types.h): Ethernet, loopback.
IFT = {6: 1, 24: 108 if sys.platform.startswith("openbsd") else 0}


class Interface:
    """An interface.

    state: "up", "down" or "no-carrier" (up, but nothing is connected). linktype: of its frames; None where that is not known
    without opening it. mac: its own address, or "". addresses: with prefix lengths. remark: what else is known about it.
    """

    def __init__(self, name: str, state: str, remark: str = "") -> None:
        self.name, self.state, self.remark = name, state, remark
        self.linktype: int | None = None
        self.mac = ""
        self.addresses: list[str] = []

    def learn(self, address: int | None, mask: int | None) -> None:
        """Takes in one of its addresses, which lies in memory as struct sockaddr, with its netmask."""
        if not address:
            return
        kind = family(address)
        if kind == socket.AF_INET:
            self.addresses.append(socket.inet_ntop(kind, ctypes.string_at(address + 4, 4)) + prefix(mask, 4, 4))
        elif kind == socket.AF_INET6:
            self.addresses.append(socket.inet_ntop(kind, scopeless(ctypes.string_at(address + 8, 16))) + prefix(mask, 8, 16))
        elif LINUX and kind == AF_PACKET:  # struct sockaddr_ll: hardware type, packet type, length of the address, address
            hardware, size = struct.unpack("H1xB", ctypes.string_at(address + 8, 4))
            self.linktype = received(hardware)[0]
            self.mac = mac(ctypes.string_at(address + 12, size))
        elif LENGTH_FIRST and kind == AF_LINK:  # struct sockaddr_dl: interface type, lengths of name and address; then both
            hardware, name, size = ctypes.string_at(address + 4, 3)
            self.linktype = IFT.get(hardware)
            self.mac = mac(ctypes.string_at(address + 8 + name, size))

    def columns(self) -> list[str]:
        """What its line says."""
        linktype = "-" if self.linktype is None else f"{self.linktype} ({linktype_name(self.linktype)})"
        rest = [*self.addresses, *([f"({visible(self.remark)})"] if self.remark else [])]
        return [visible(self.name), self.state, linktype, self.mac or "-", " ".join(rest) or "-"]


def family(address: int) -> int:
    """The family of an address in memory."""
    if LENGTH_FIRST:
        return ctypes.string_at(address + 1, 1)[0]
    return struct.unpack("H", ctypes.string_at(address, 2))[0]


def mac(address: bytes) -> str:
    """A hardware address in hexadecimal; that of a tunnel, an IP address, is none."""
    return address.hex(":") if len(address) in (6, 8, 20) else ""  # Ethernet, IEEE 1394 and 802.15.4, InfiniBand


def prefix(mask: int | None, offset: int, size: int) -> str:
    """The length of a prefix, such as /24, of a netmask in memory whose `size` bytes are at `offset`."""
    if not mask:
        return ""
    if LENGTH_FIRST:  # trailing zeros may be left out
        size = min(size, max(0, ctypes.string_at(mask, 1)[0] - offset))
    return f"/{int.from_bytes(ctypes.string_at(mask + offset, size)).bit_count()}"


def scopeless(address: bytes) -> bytes:
    """An IPv6 address without the interface's number, which KAME's kernels keep in a link-local one's third and fourth byte."""
    return address[:2] + bytes(2) + address[4:] if LENGTH_FIRST and address[0] == 0xFE and address[1] >> 6 == 2 else address


def lines(interfaces: list[Interface]) -> list[str]:
    """The list, in columns."""
    rows = [interface.columns() for interface in interfaces]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return ["  ".join([*(word.ljust(width) for word, width in zip(row, widths, strict=False)), row[-1]]) for row in rows]
