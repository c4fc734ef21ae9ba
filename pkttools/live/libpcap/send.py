"""Packets to an interface, by libpcap: pcap_sendpacket(3PCAP)."""

from __future__ import annotations

import ctypes
import errno
import socket
import sys

from ...batch import CAPTURED, COLUMNS, OFFSET, Batch
from ...errors import PktError
from ...libpcap.system import BpfInstruction, BpfProgram
from .. import sending
from ..pace import Pace
from .handle import Handle
from .interfaces import interfaces

REJECT = BpfInstruction(0x06, 0, 0, 0)  # `ret #0`


class Sender(sending.Sender):
    """An interface to send to; a sink."""

    def __init__(self, interface: str | None, pace: Pace) -> None:
        """Raises PktError, and UsageError without an interface."""
        self.handle = Handle(interface, "send")
        super().__init__(self.handle.name, self.handle.linktype, pace)
        self.pcap = self.handle.pcap
        nothing = BpfProgram(1, ctypes.pointer(REJECT))  # is received: it would all have to be copied for us
        self.handle.must(self.pcap.pcap_setfilter(self.handle.address, ctypes.byref(nothing)))
        self.fd = self.pcap.pcap_fileno(self.handle.address)
        if sys.platform == "linux":
            from ..linux.link import Carrier

            try:
                self.carrier = Carrier(socket.if_nametoindex(self.name))
            except OSError:
                pass  # a pseudo-device, or a sandbox without rtnetlink

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        """Sends packets of a batch, up to the first that fails; what stopped it is an errno, EIO where libpcap gives none."""
        columns = batch.columns()
        offsets, sizes = (columns[which::COLUMNS][first : first + count].tolist() for which in (OFFSET, CAPTURED))
        data = (ctypes.c_char * len(batch.data)).from_buffer(batch.data)  # holds the memory, also of no bytes
        start, send, handle, total = ctypes.addressof(data), self.pcap.pcap_sendpacket, self.handle.address, 0
        ctypes.set_errno(0)
        for done, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
            if not size:  # which libpcap refuses in words of its own
                return done, total, errno.EINVAL
            if send(handle, start + offset, size):
                error = ctypes.get_errno()
                return done, total, 0 if error == errno.EINTR else error or errno.EIO
            total += size
        return len(offsets), total, 0

    def reason(self, error: int) -> str:
        """Why a packet was not sent: in libpcap's words, unless we have some."""
        return sending.REASONS.get(error) or self.handle.error()

    @property
    def mtu(self) -> int:
        """libpcap does not tell. Raises PktError."""
        raise PktError(f"{self.name}: libpcap does not tell the MTU")

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address. Raises PktError where libpcap does not tell."""
        for interface in interfaces():
            if interface.name == self.name and interface.mac:
                return interface.mac
        raise PktError(f"{self.name}: libpcap knows no MAC address of it: assign ETHERNET.SRC_ADDR instead of -c")

    def close(self) -> list[str]:
        """Ends; gives warnings and the account."""
        said = [*self.handle.said, *super().close()]
        self.handle.close()
        return said
