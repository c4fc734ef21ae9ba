"""Packets to an interface: AF_PACKET, see packet(7)."""

from __future__ import annotations

import errno
import time

from ..batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL, TIME, Batch
from ..errors import PktError, counted
from ..formats.files import Output, Sink
from ..pace import Lateness, Pace, wait_until
from ..progress import Progress
from ..signals import check, wait
from .interface import bind, check_name, mac_address, mtu, open_socket

REASONS = {
    errno.EMSGSIZE: "too long for the MTU",
    errno.ENETDOWN: "interface is down",
    errno.EINVAL: "shorter than a link-layer header",
    errno.ENXIO: "interface is gone",
    errno.ENODEV: "interface is gone",
    errno.ENOBUFS: "no buffers",
}
RAW_IP = (101, 12, 14, 228, 229)  # link types of bare IP packets
TRIES, PAUSE = 200, 0.005  # how often, and after how many seconds, a full queue is tried again


class Sender(Sink):
    """An interface to send to; a sink."""

    def __init__(self, interface: str | None, pace: Pace) -> None:
        self.sock = open_socket(interface, "send")
        self.name = interface or ""
        self.linktype = bind(self.sock, self.name, 0)  # protocol 0: nothing is received
        self.pace, self.lateness, self.progress = pace, Lateness(), Progress()
        self.sent = self.bytes = self.cut = self.retried = 0
        self.failures: dict[str, int] = {}
        self.begun = self.ended = time.monotonic_ns()

    @property
    def failed(self) -> bool:
        """Whether any packet was not sent."""
        return bool(self.failures)

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address."""
        return mac_address(self.sock, self.name).hex(":")

    def write(self, batch: Batch) -> None:
        """Sends a batch, each packet at its time. Raises Interrupted when a signal comes."""
        columns = batch.columns().tolist()
        data = memoryview(batch.data)
        try:
            for i in range(0, len(columns), COLUMNS):
                check()
                offset, captured = columns[i + OFFSET], columns[i + CAPTURED]
                if self.pace.paced:
                    due = self.pace.deadline(columns[i + TIME], captured, time.monotonic_ns())
                    now = wait_until(due)
                    self.pace.sent(now)
                    if self.pace.count > 1:
                        self.lateness.add(now - due)
                linktype = columns[i + LINKTYPE]
                if linktype != self.linktype and not (linktype in RAW_IP and self.linktype in RAW_IP):
                    self.fail(f"link type {linktype} does not fit the interface")
                else:
                    self.send(data[offset : offset + captured])
                self.cut += captured < columns[i + ORIGINAL]
                if self.progress.due:
                    self.progress.show(f"{self.sent} packets sent")
        finally:
            self.ended = time.monotonic_ns()

    def send(self, frame: memoryview) -> None:
        """Sends one packet. A full queue is tried again for a second; every other failure is counted."""
        for _ in range(TRIES):
            try:
                self.sock.send(frame)
            except OSError as error:
                if error.errno in (errno.ENOBUFS, errno.EAGAIN):
                    self.retried += 1
                    wait([], PAUSE)
                    continue
                self.fail(REASONS.get(error.errno, error.strerror))
                return
            self.sent += 1
            self.bytes += len(frame)
            return
        self.fail(REASONS[errno.ENOBUFS])

    def fail(self, reason: str) -> None:
        """Counts a packet that was not sent."""
        self.failures[reason] = self.failures.get(reason, 0) + 1

    def close(self) -> list[str]:
        """Ends; gives the account: attempted is sent and failed."""
        self.progress.clear()
        failed = sum(self.failures.values())
        seconds = (self.ended - self.begun) / 1e9
        said = f"{self.name}: {self.sent + failed} attempted = {self.sent} sent + {failed} failed"
        if self.failures:
            reasons = [f"{n} {reason}" for reason, n in self.failures.items()]
            try:
                reasons = [r + f" of {mtu(self.sock, self.name)}" if r.endswith("MTU") else r for r in reasons]
            except PktError:
                pass  # it is gone: the MTU with it
            said += f" ({', '.join(reasons)})"
        said += f"; {self.bytes} bytes in {seconds:.3f} s"
        if self.lateness.count:
            said += f"; {self.lateness}"
        if self.retried:
            said += f"; a full queue was tried again {self.retried} times"
        if self.cut:
            said += f"; {self.cut} had been cut short when captured"
        self.sock.close()
        return [said]


class Rehearsal(Sink):
    """A sink that says what would be sent, without an interface: number, seconds from the start, bytes, link type."""

    def __init__(self, interface: str | None, pace: Pace) -> None:
        if interface:
            check_name(interface)
        self.pace, self.output = pace, Output(None, None)
        self.count = self.bytes = self.end = 0

    def write(self, batch: Batch) -> None:
        """Says it for a batch."""
        columns = batch.columns().tolist()
        lines = []
        for i in range(0, len(columns), COLUMNS):
            due = self.pace.deadline(columns[i + TIME], columns[i + CAPTURED], self.end)
            self.end = max(self.end, due)
            self.pace.sent(self.end)
            self.count += 1
            self.bytes += columns[i + CAPTURED]
            lines.append(f"{self.count}\t{self.end / 1e9:.6f} s\t{columns[i + CAPTURED]} bytes\tlink type {columns[i + LINKTYPE]}")
        self.output.write(("\n".join(lines) + "\n").encode())

    def close(self) -> list[str]:
        """Ends; gives the sum."""
        return [f"would send {counted(self.count, 'packet')}, {self.bytes} bytes, in {self.end / 1e9:.3f} s"]
