"""What the kernel says of an interface, whatever it is called meanwhile: rtnetlink(7), asked by the interface's number."""

from __future__ import annotations

import _socket as socket  # as in interface.py
import errno
import os
import struct
import time

from ...errors import warn
from .interface import IFF_UP

IFF_LOWER_UP = 1 << 16  # linux/if.h: there is a carrier, and what is sent can leave
RTM_NEWLINK, RTM_GETLINK, REQUEST, ERROR = 16, 18, 1, 2  # linux/rtnetlink.h, linux/netlink.h
IFLA_IFNAME, IFLA_STATS64 = 3, 23  # linux/if_link.h
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: size, type, flags, number, port
ABOUT = struct.Struct("=BxHiII")  # struct ifinfomsg: family, hardware type, number, flags, which of them change
ATTRIBUTE = struct.Struct("=HH")  # struct rtattr: size, type
SENT, DROPPED = 1, 7  # where in struct rtnl_link_stats64 packets sent are, and those dropped instead
STEP = 0.01  # seconds after which a carrier is looked at again, at least
AGAIN = 0.1  # the same of an interface that is down


class Link:
    """An interface. `look` brings up to date: name, up, carrier, sent and dropped, its counters of packets."""

    def __init__(self, index: int) -> None:
        """index: the interface's number. Raises OSError, also where there is none."""
        self.index = index
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self.name = ""
        self.up = self.carrier = False
        self.sent = self.dropped = 0
        self.look()

    def look(self) -> None:
        """Asks the kernel. Raises OSError (ENODEV) where the interface is gone."""
        self.sock.send(HEADER.pack(HEADER.size + ABOUT.size, RTM_GETLINK, REQUEST, 0, 0) + ABOUT.pack(0, 0, self.index, 0, 0))
        answer = self.sock.recv(1 << 16)
        size, kind, *_ = HEADER.unpack_from(answer)
        if kind == ERROR:
            number = -struct.unpack_from("=i", answer, HEADER.size)[0]
            raise OSError(number, os.strerror(number))
        if kind != RTM_NEWLINK:
            raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
        *_, flags, _ = ABOUT.unpack_from(answer, HEADER.size)
        self.up, self.carrier = bool(flags & IFF_UP), bool(flags & IFF_LOWER_UP)
        at = HEADER.size + ABOUT.size
        while at + ATTRIBUTE.size <= size:
            length, kind = ATTRIBUTE.unpack_from(answer, at)
            if kind == IFLA_IFNAME:
                self.name = os.fsdecode(answer[at + ATTRIBUTE.size : at + length].rstrip(b"\0"))
            elif kind == IFLA_STATS64:
                counters = struct.unpack_from("=8Q", answer, at + ATTRIBUTE.size)
                self.sent, self.dropped = counters[SENT], counters[DROPPED]
            at += max(length + 3 & ~3, ATTRIBUTE.size)

    def close(self) -> None:
        """Ends it."""
        self.sock.close()


class Watch:
    """Says on standard error when an interface goes down, and when it is up again.

    up: whether it was, when it was looked last.
    """

    def __init__(self, name: str, index: int) -> None:
        """name, index: what it is called, and its number. Raises OSError."""
        self.name, self.link, self.up = name, Link(index), True

    def went_down(self) -> None:
        """Says that it went down, once."""
        if self.up:
            self.up = False
            warn(f"{self.name}: interface went down")

    def look(self) -> bool:
        """Looks at it again; whether it is there."""
        try:
            self.link.look()
        except OSError:
            return False
        if not self.link.up:
            self.went_down()
        elif not self.up:
            self.up = True
            warn(f"{self.name}: interface is up again")
        return True

    def close(self) -> None:
        """Ends it."""
        self.link.close()


class Carrier:
    """Finds out which of the packets that were handed over got lost for want of a carrier: of that the kernel says nothing else."""

    def __init__(self, index: int) -> None:
        """index: the interface's number. Raises OSError."""
        self.link = Link(index)
        self.packets = self.bytes = self.refused = 0
        self.due = time.monotonic() + STEP

    @property
    def lost(self) -> bool:
        """Whether an interface that is up had no carrier when it was looked last."""
        return self.link.up and not self.link.carrier

    def handed(self, packets: int, size: int, refused: int = 0) -> tuple[int, int]:
        """Counts packets handed over, and calls that were refused; gives how many of late got lost, and their bytes."""
        self.packets += packets
        self.bytes += size
        self.refused += refused
        return self.settled() if time.monotonic() >= self.due else (0, 0)

    def settled(self) -> tuple[int, int]:
        """How many packets handed over since this was asked last got lost, and their bytes."""
        before, sent, dropped = self.link.carrier, self.link.sent, self.link.dropped
        packets, size, refused = self.packets, self.bytes, self.refused
        self.packets = self.bytes = self.refused = 0
        try:
            self.link.look()
        except OSError:
            return 0, 0  # it is gone, and so is what was counted
        self.due = time.monotonic() + STEP
        if not packets or (before and self.link.carrier):
            return 0, 0
        if before or self.link.carrier:  # it came or went in between: others may have sent meanwhile, so this is at most
            lost = self.link.dropped - dropped - refused
            packets, whole = min(packets, max(0, lost or packets - (self.link.sent - sent))), packets
            size = size * packets // whole
        return packets, size

    def close(self) -> None:
        """Ends it."""
        self.link.close()
