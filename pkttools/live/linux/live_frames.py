"""Copies of one frame, made and sent by the kernel at the rate of the driver: BPF_PROG_RUN in its mode of live frames.

See Documentation/bpf/bpf_prog_run.rst; Linux 5.18.
"""

from __future__ import annotations

import errno
import signal
import time

from ...batch import Batch
from ...bpf.assembler import R0, assemble, leave, mov
from ...command_line.account import Account
from ...command_line.progress import Progress
from ...command_line.signals import check
from ...errors import PktError, warn
from ...formats.files import Sink
from ..sending import ETHERNET, NO_CARRIER, STOPPED, refuse_misfits
from . import bpf
from .interface import REFUSED, SENT, asking, counters, ethernet, mac_address, mtu
from .link import Link

LEAST = 14  # bytes of a frame
TAG = 4  # bytes that a frame may have beyond the MTU, behind its Ethernet header
AT_ONCE = 64  # frames that the kernel hands on together
FEW, MANY = 1 << 12, 1 << 20  # frames of one call: the first, and at most
PROMPT = 0.01  # seconds that a call should take: signals wait meanwhile
STEP, SETTLE = 0.01, 0.1  # seconds: counters may lag behind as long as they move, at most so long


class LiveFrames(Sink):
    """An interface to send copies of a frame to, or to let it receive them; a sink for a single packet."""

    stopped = STOPPED

    def __init__(self, interface: str | None, count: int, receive: bool) -> None:
        """count: how many copies. Raises UsageError, PktError."""
        self.name, self.ifindex = ethernet(interface)
        self.count, self.receive, self.needs = count, receive, bpf.to_go_on()
        self.program = bpf.XdpProgram(assemble([mov(R0, bpf.XDP_PASS if receive else bpf.XDP_TX), leave()]), "pkt_send")
        self.progress = Progress()
        self.attempted = self.done = self.size = 0
        self.took = 0.0
        try:
            self.link: Link | None = Link(self.ifindex)
        except OSError:
            self.link = None  # a sandbox without rtnetlink

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address."""
        with asking() as sock:
            return mac_address(sock, self.name).hex(":")

    @property
    def failed(self) -> bool:
        """Whether any copy did not arrive."""
        return self.done < self.attempted

    def write(self, batch: Batch) -> None:
        """Sends the copies. Raises PktError, and Interrupted when a signal comes."""
        packet = batch.without_fcs().packet(0)
        self.size = len(packet.frame)
        refuse_misfits(batch, self.name, ETHERNET)
        if packet.original > self.size:
            raise PktError(f"the packet had been truncated when captured: {self.size} of {packet.original} bytes")
        if self.size < LEAST:
            raise PktError("shorter than a link-layer header")
        if not self.receive:
            with asking() as sock:
                most = mtu(sock, self.name)
            if self.size > most + LEAST + TAG:
                raise PktError(f"too long for the MTU of {most}")
            if self.without_carrier():
                warn(f"{self.name}: {NO_CARRIER}: packets will be lost")
        column = REFUSED if self.receive else SENT
        before, began = counter(self.name, column), time.monotonic()
        try:
            self.run(packet.frame)
        finally:
            self.took = time.monotonic() - began
            self.progress.clear()
            self.compare(before, column)

    def run(self, frame: bytes) -> None:
        """Lets the kernel run the program, in calls short enough for signals between them."""
        share = FEW
        while self.attempted < self.count:
            check()
            share = min(share, self.count - self.attempted)
            began = time.monotonic()
            waiting = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # else it cannot say how far it came
            try:
                self.program.run_live(frame, share, self.ifindex, AT_ONCE)
            except OSError as error:
                reason = f"no copies of a frame of {self.size} bytes can be made" if error.errno == errno.EINVAL else error.strerror
                raise PktError(f"{self.name}: {reason}") from None
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            self.attempted += share
            if time.monotonic() - began < PROMPT:
                share = min(2 * share, MANY)
            if self.progress.due:
                self.progress.show(f"{self.attempted} packets sent")

    def compare(self, before: int, column: int) -> None:
        """Finds out how many arrived: the kernel drops silently what the driver does not take."""
        deadline = time.monotonic() + SETTLE
        moved, last = counter(self.name, column) - before, -1
        while not self.receive and last < moved < self.attempted and time.monotonic() < deadline:
            time.sleep(STEP)
            last, moved = moved, counter(self.name, column) - before
        moved = min(max(moved, 0), self.attempted)  # others may send too
        self.done = self.attempted - moved if self.receive else moved

    def without_carrier(self) -> bool:
        """Whether the interface has none now."""
        try:
            if self.link:
                self.link.look()
        except OSError:
            return False  # it is gone
        return bool(self.link and self.link.up and not self.link.carrier)

    def close(self) -> list[str]:
        """Ends; gives the account: attempted is sent and failed."""
        self.program.close()
        what, why = "sent", "not taken by the driver, as by veth without GRO or a native XDP program at its other end"
        if self.receive:
            what, why = "received", "dropped by the stack: nobody took them"
        elif self.failed and self.without_carrier():
            why = NO_CARRIER
        failed = self.attempted - self.done
        said = f"{self.name}: {self.attempted} attempted = {self.done} {what} + {failed} failed"
        said += f" ({failed} {why})" if failed else ""
        size = self.done * self.size
        return [Account(
            f"{said}; {size} bytes in {self.took:.3f} s", interface=self.name, attempted=self.attempted, **{what: self.done},
            failed=failed, reasons={why: failed} if failed else {}, bytes=size, seconds=self.took,
        )]  # fmt: skip


def counter(interface: str, column: int) -> int:
    """What an interface has counted. Raises PktError when it is gone."""
    found = counters(interface)
    if found is None:
        raise PktError(f"{interface}: interface is gone")
    return found[column]
