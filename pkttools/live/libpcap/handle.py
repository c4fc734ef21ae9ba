"""An interface opened by libpcap: pcap_create(3PCAP), what is set before pcap_activate(3PCAP), and what both say."""

from __future__ import annotations

import ctypes
import os
import sys

from ...batch import MAX_FRAME
from ...errors import PktError, UsageError
from ...libpcap import filetype
from ...libpcap.system import MESSAGE, capturing
from .interfaces import names

NO_SUCH_DEVICE, PERMISSION, NOT_UP, NO_PROMISCUOUS_PERMISSION = -5, -8, -9, -11  # what pcap_activate gives, <pcap/pcap.h>
NANOSECONDS = 1  # PCAP_TSTAMP_PRECISION_NANO
ALLOWED = {
    "linux": "run it as root, with CAP_NET_RAW, or under 'unshare -Urn'",
    "win32": "run it as administrator",
}


class Handle:
    """An interface, open.

    pcap: the library. address: its pcap_t. said: warnings. nano: whether times have nanoseconds.
    """

    def __init__(self, interface: str | None, what: str, *, promiscuous: bool = False, buffer: int = 0, timeout: int = 1000,
                 immediate: bool = False, nano: bool = False) -> None:  # fmt: skip
        """what: what it is opened for. buffer: bytes that the kernel may keep, 0 for libpcap's usual. timeout: milliseconds after
        which the kernel hands over what it has; immediate: at once. Raises PktError, and UsageError without an interface.
        """
        if not interface:
            raise UsageError(f"no interface given: -i IFACE, one of {', '.join(names())}")
        self.pcap, self.name, self.said = capturing(), interface, []
        reason = ctypes.create_string_buffer(MESSAGE)
        self.address = self.pcap.pcap_create(os.fsencode(interface), reason)
        if not self.address:
            raise PktError(f"{interface}: {reason.value.decode(errors='replace')}")
        self.set("snaplen", MAX_FRAME)
        self.set("promisc", promiscuous)
        self.set("timeout", timeout)
        self.set("immediate_mode", immediate)
        if buffer:
            self.set("buffer_size", buffer)
        if interface.startswith("pktap"):  # Apple's own: without, its frames come with no word of their process
            self.set("want_pktap", True)
        self.nano = nano and self.set("tstamp_precision", NANOSECONDS)
        if nano and not self.nano:
            self.said.append(f"{interface}: times are in microseconds: this libpcap has no others")
        self.activate(what)
        self.linktype = filetype(self.pcap.pcap_datalink(self.address))

    def set(self, name: str, value: int) -> bool:
        """Sets something before the activation; whether this libpcap can."""
        function = getattr(self.pcap, f"pcap_set_{name}", None)
        return function is not None and function(self.address, value) == 0

    def activate(self, what: str) -> None:
        """Opens the interface; keeps warnings. Raises PktError."""
        status = self.pcap.pcap_activate(self.address)
        if status == 0:
            return
        general = self.pcap.pcap_statustostr(status).decode(errors="replace")
        reason = self.error() or general
        if status > 0:
            self.said.append(f"{self.name}: {reason}")
            return
        self.close()
        if status == NO_SUCH_DEVICE:
            reason = f"no such interface; there are {', '.join(names())}"
        elif status in (PERMISSION, NO_PROMISCUOUS_PERMISSION):
            reason = f"not allowed to {what}: {ALLOWED.get(sys.platform, 'run it as root, or with access to /dev/bpf*')}"
        elif status == NOT_UP:
            reason = "interface is down"
        raise PktError(f"{self.name}: {reason}")

    def error(self) -> str:
        """What libpcap has to say about what went wrong last."""
        return self.pcap.pcap_geterr(self.address).decode(errors="replace")

    def must(self, status: int) -> None:
        """Raises PktError where a function has failed."""
        if status < 0:
            raise PktError(f"{self.name}: {self.error() or self.pcap.pcap_statustostr(status).decode(errors='replace')}")

    def close(self) -> None:
        """Closes it, once."""
        if self.address:
            self.pcap.pcap_close(self.address)
            self.address = None
