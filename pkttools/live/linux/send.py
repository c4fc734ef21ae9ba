"""Packets to an interface: AF_PACKET, see packet(7)."""

from __future__ import annotations

import _socket as socket  # as in interface.py
import struct

from ...batch import Batch
from ...command_line.signals import waker
from ...kernel import send_burst, send_paced
from .. import sending
from ..pace import Pace
from .interface import SOL_PACKET, bind, linktype_of, mac_address, mtu, open_socket
from .leaving import leave
from .link import Carrier

PACKET_QDISC_BYPASS = 20  # linux/if_packet.h; Linux 3.14


class Sender(sending.Sender):
    """An interface to send to; a sink."""

    plain = True

    def __init__(self, interface: str | None, pace: Pace, direct: bool = False) -> None:
        """direct: to the driver, past the queueing discipline and those who capture at the interface.

        Raises PktError, and UsageError without an interface.
        """
        self.sock, name = open_socket(interface, "send"), interface or ""
        super().__init__(name, linktype_of(name, bind(self.sock, name, 0)), pace)  # protocol 0: nothing is received
        if direct:
            self.sock.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.fd = self.sock.fileno()
        try:
            self.carrier = Carrier(socket.if_nametoindex(self.sock.getsockname()[0]))
        except OSError:
            pass  # a sandbox without rtnetlink, or it is gone already

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        """Sends packets of a batch, up to the first that fails."""
        return send_burst(self.fd, batch.data, batch.rows, first, count)

    def send_due(self, batch: Batch, first: int, due: memoryview, previous: int) -> sending.Due:
        """Sends packets of a batch when they are due, up to the first that fails, or to a signal."""
        if self.about_to_send:
            return super().send_due(batch, first, due, previous)
        return send_paced(struct.pack("i", self.fd), b"", waker(), self.pace.busy, batch.data, batch.rows, first, due, previous)

    @property
    def mtu(self) -> int:
        """The largest payload of a frame, in bytes. Raises PktError."""
        return mtu(self.sock, self.name)

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address. Raises PktError."""
        return mac_address(self.sock, self.name).hex(":")

    def close(self) -> list[str]:
        """Ends; gives the account."""
        said = super().close()
        leave(self.sock)
        return said


def by_way(interface: str | None, pace: Pace, way: str) -> sending.Sender:
    """What sends, by a way into the kernel: one of XMIT in command_line/options.py. Raises UsageError, PktError."""
    if way != "receive":
        return Sender(interface, pace, direct=way == "direct")
    from .bpf import to_go_on
    from .inject import injector

    sink = injector(interface, pace)
    sink.needs = to_go_on()
    return sink
