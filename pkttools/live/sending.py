"""Packets to an interface, each at its time, and the account of them; what sends them is in linux/ and libpcap/."""

from __future__ import annotations

import _operator as operator  # as in ask/keys.py
import errno
import os
import time

from ..batch import CAPTURED, COLUMNS, LINKTYPE, ORIGINAL, Batch
from ..command_line.account import Account
from ..command_line.progress import Progress
from ..command_line.signals import ALARM, Interrupted, check, ready, wait, waker
from ..errors import PktError, counted, visible, warn
from ..formats.files import Output, Sink
from ..protocols.names import linktype_name
from .pace import Lateness, Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .linux.link import Carrier
    from .several import Ways

    Due = tuple[int, bytearray, int, bytearray, int]  # what kernel.send_paced gives

STOPPED = "stopped by a signal: the rest was not attempted"
GONE, NO_CARRIER = "interface is gone", "no carrier"
REASONS = {
    errno.EMSGSIZE: "too long for the MTU",
    errno.ENETDOWN: "interface is down",
    errno.EINVAL: "shorter than a link-layer header",
    errno.ENXIO: GONE,
    errno.ENODEV: GONE,
    errno.ENOBUFS: "no buffers",
}
ETHERNET, COOKED = 1, (113, 276)  # link types
RAW_IP = (101, 12, 14, 228, 229)  # those of bare IP packets
TRIES, PAUSE = 200, 0.005  # how often, and after how many seconds, a full queue is tried again
BURST = 1024  # frames that are sent before a signal is looked for: half a millisecond


def fits(linktype: int, takes: int) -> bool:
    """Whether packets of a link type can go to an interface that takes those of another."""
    return linktype == takes or (linktype in RAW_IP and takes in RAW_IP)


def misfit(name: str, linktype: int, takes: int) -> str:
    """What is said of packets that do not fit an interface, before any is sent."""
    came, wanted = f"{linktype} ({linktype_name(linktype)})", f"{takes} ({linktype_name(takes)})"
    said = f"{name}: link type {came} does not fit the interface, which takes {wanted}"
    if takes == ETHERNET:
        return f"{said}: pkt-change --to-ethernet makes frames of such packets"
    return f"{said}: pkt-change --unwrap makes IP packets of these" if takes in RAW_IP and linktype in COOKED else said


def refuse_misfits(batch: Batch, name: str, takes: int) -> None:
    """Raises PktError where no packet of the first batch fits: so it is with captures of another kind of interface."""
    types = [linktype for _, _, linktype in batch.runs()]
    if not any(fits(linktype, takes) for linktype in types):
        raise PktError(misfit(name, types[0], takes))


class Sender(Sink):
    """An interface to send to; a sink."""

    stopped: str | None = STOPPED
    needs: Sequence[int] | None = ()
    fd: int  # what can be waited for until there is room again
    plain = False  # whether that is a socket, which sendmmsg(2) is for
    carrier: Carrier | None = None  # what finds out about packets that are lost without one, where that can be known
    about_to_send: Callable[[Batch, int, int], object] | None = None  # called before `some`: writes into them

    def __init__(self, interface: str, linktype: int, pace: Pace) -> None:
        """linktype: of the frames that the interface takes."""
        self.name, self.linktype = interface, linktype
        self.pace, self.lateness, self.progress = pace, Lateness(), Progress()
        self.burst, self.longest = 1, BURST
        self.warned = False
        self.sent = self.bytes = self.cut = self.retried = 0
        self.failures: dict[str, int] = {}
        self.begun = self.ended = time.monotonic_ns()

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        """Sends packets of a batch up to the first that fails; gives how many, their bytes, and the errno of that one or 0."""
        raise NotImplementedError

    def reason(self, error: int) -> str:
        """Why a packet was not sent, by its errno."""
        return REASONS.get(error, os.strerror(error))

    @property
    def mtu(self) -> int:
        """The largest payload of a frame, in bytes. Raises PktError where it is not known, or no more."""
        raise NotImplementedError

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address. Raises PktError where it has none."""
        raise NotImplementedError

    @property
    def failed(self) -> bool:
        """Whether any packet was not sent."""
        return bool(self.failures)

    @property
    def attempted(self) -> int:
        """Packets sent and failed."""
        return self.sent + sum(self.failures.values())

    def origin(self, stamp: int) -> None:
        """Lets the original timing count from a packet of that time, whether it is sent or not."""
        self.pace.origin = stamp

    def begin(self) -> None:
        """Lets the time run: the first packets were not to be sent."""
        self.pace.begin(time.monotonic_ns())

    def write(self, batch: Batch) -> None:
        """Sends a batch, each packet at its time and without its FCS. Raises Interrupted when a signal comes."""
        before, columns = self.attempted, batch.without_fcs().columns()
        if not before:
            refuse_misfits(batch, self.name, self.linktype)
            self.warn_without_carrier()
        try:
            for start, stop, linktype in batch.runs():
                able = fits(linktype, self.linktype)
                if self.pace.paced:
                    self.on_time(batch, start, stop, able)
                elif able:
                    self.send(batch, start, stop)
                if not able:
                    self.fail(f"link type {linktype} does not fit the interface", stop - start)
        finally:
            self.ended = time.monotonic_ns()
            self.cut += shortened(columns, self.attempted - before)

    def on_time(self, batch: Batch, first: int, stop: int, able: bool) -> None:
        """Sends packets of a batch, each when it is due, and counts how late they were. able: whether the interface takes them."""
        pace = self.pace
        opening = not pace.begun  # the first packet is never late: the others' times count from it
        due = pace.due(batch, first, stop - first, time.monotonic_ns())
        send_due = self.send_due if able else self.let_pass
        while first < stop and not self.gone:
            check()
            previous = pace.last_sent if pace.after_previous else -1
            sent, went, error, late, pace.last_sent = send_due(batch, first, due[first - stop :], previous)
            if late:
                self.lateness.add(memoryview(late).cast("q")[opening:])
                opening = False
            if able:
                self.handed(sent, memoryview(went).cast("q")[1], error)
            first += sent
            if error:
                self.send(batch, first, first + 1)
                first += 1
            elif first < stop:
                wait([], 0)  # what woke it is read
        if able and first < stop:
            self.fail(GONE, stop - first)

    def send_due(self, batch: Batch, first: int, due: memoryview, previous: int) -> Due:
        """Sends packets of a batch when they are due, up to the first that fails, or to a signal; see kernel.send_paced."""
        from ..kernel.python.pace import paced  # late: Linux has its own

        def some(at: int, count: int) -> tuple[int, int, int]:
            if self.about_to_send:
                self.about_to_send(batch, first + at, count)
            return self.some(batch, first + at, count)

        return paced(waker(), self.pace.busy, due, previous, [some])

    def let_pass(self, _batch: Batch, _first: int, due: memoryview, previous: int) -> Due:
        """Waits for packets that cannot be sent."""
        from ..kernel.python.pace import paced

        return paced(waker(), self.pace.busy, due, previous, [lambda _, count: (count, 0, 0)])

    def send(self, batch: Batch, first: int, last: int) -> None:
        """Sends packets of a batch. A full queue is tried again for a second; every other failure is counted."""
        tries = 0
        while first < last and not self.gone:
            check()
            count = min(last - first, self.burst)
            if self.about_to_send:
                self.about_to_send(batch, first, count)
            sent, size, error = self.some(batch, first, count)
            self.burst = 1 if error else min(2 * self.burst, self.longest)  # behind one that fails the next one often fails too
            self.handed(sent, size, error)
            first += sent
            tries = 0 if sent else tries
            if error == errno.ENOBUFS and self.carrier and self.carrier.lost:
                tries = TRIES  # no queue is full: nothing gets better by waiting
            if error == errno.EAGAIN:  # the socket's share of memory is used up by what waits for the wire
                ready([], [self.fd])
            elif error == errno.ENOBUFS and tries < TRIES:
                tries += 1
                self.retried += 1
                wait([], PAUSE)
            elif error:
                self.fail(NO_CARRIER if error == errno.ENOBUFS and self.carrier and self.carrier.lost else self.reason(error))
                first, tries = first + 1, 0
        if first < last:
            self.fail(GONE, last - first)

    def handed(self, sent: int, size: int, error: int) -> None:
        """Counts packets that went, their bytes, and an error behind them; looks whether there is still a carrier."""
        self.sent += sent
        self.bytes += size
        if self.carrier:
            self.lose(*self.carrier.handed(sent, size, bool(error)))
        if self.progress.due:
            self.progress.show(f"{self.sent} packets sent")

    def warn_without_carrier(self) -> None:
        """Says once that there is no carrier, before the first packet or when it is lost."""
        if self.carrier and self.carrier.lost and not self.warned:
            self.warned = True
            self.progress.clear()
            warn(f"{self.name}: no carrier: packets will be lost")

    def lose(self, packets: int, size: int) -> None:
        """Counts packets that were handed over and got lost for want of a carrier."""
        if packets:
            self.sent -= packets
            self.bytes -= size
            self.fail(NO_CARRIER, packets)
        self.warn_without_carrier()

    def fail(self, reason: str, count: int = 1) -> None:
        """Counts packets that were not sent. That the interface is gone is said at once: whoever sends may have no end."""
        if reason == GONE and not self.gone:
            self.gone = True
            self.progress.clear()
            warn(f"{self.name}: {GONE}: nothing more can be sent")
        self.failures[reason] = self.failures.get(reason, 0) + count

    def close(self) -> list[str]:
        """Ends; gives the account: attempted is sent and failed."""
        self.progress.clear()
        if self.carrier:
            self.lose(*self.carrier.settled())
            self.carrier.close()
        seconds = (self.ended - self.begun) / 1e9
        said = f"{self.name}: {self.attempted} attempted = {self.sent} sent + {self.attempted - self.sent} failed"
        if self.failures:
            reasons = [f"{n} {reason}" for reason, n in self.failures.items()]
            try:
                reasons = [r + f" of {self.mtu}" if r.endswith("MTU") else r for r in reasons]
            except PktError:
                pass  # it is gone, and the MTU with it, or nobody tells
            said += f" ({', '.join(reasons)})"
        said += f"; {self.bytes} bytes in {seconds:.3f} s"
        if self.lateness.count:
            said += f"; {self.lateness}"
        if self.retried:
            said += f"; a full queue was tried again {self.retried} times"
        if self.cut:
            said += f"; {self.cut} had been truncated when captured"
        account = Account(
            said, interface=self.name, attempted=self.attempted, sent=self.sent, failed=self.attempted - self.sent,
            reasons=self.failures, bytes=self.bytes, seconds=seconds, late=self.lateness.facts(), retried=self.retried,
            truncated=self.cut,
        )  # fmt: skip
        return [account, *self.hints()]

    def hints(self) -> list[str]:
        """What would help with what failed."""
        if REASONS[errno.EMSGSIZE] not in self.failures:
            return []
        try:
            to = f" --mtu {self.mtu}"
        except PktError:
            to = ""
        return [f"{self.name}: pkt-segment{to} cuts what is too long, TCP and UDP, as a card would have"]


def shortened(columns: memoryview, count: int) -> int:
    """How many of the first `count` packets had been truncated when they were captured."""
    captured, original = columns[CAPTURED : count * COLUMNS : COLUMNS], columns[ORIGINAL : count * COLUMNS : COLUMNS]
    return 0 if captured == original else sum(map(operator.lt, captured, original))


class Rehearsal(Sink):
    """A sink that says what would be sent, without an interface: number, seconds from the start, bytes, link type."""

    output: Output
    stopped = STOPPED
    needs = ()  # it took none, and shows what would be sent: the same goes

    def __init__(self, pace: Pace, ends: Sequence[tuple[str, int | None]], ways: Ways, seconds: float | None) -> None:
        """ends: what it would be sent to, and the link type that each takes, as far as known. seconds: when it would end."""
        self.pace, self.ends, self.ways, self.output = pace, ends, ways, Output(None, None)
        self.most = None if seconds is None else round(seconds * 1e9)
        self.count = self.bytes = self.end = 0
        self.met, self.misfits = [0] * len(ends), [0] * len(ends)

    @property
    def failed(self) -> bool:
        """Whether any packet would not be sent."""
        return any(self.misfits)

    def origin(self, stamp: int) -> None:
        """Lets the original timing count from a packet of that time, whether it is sent or not."""
        self.pace.origin = stamp

    def begin(self) -> None:
        """Lets the time run: the first packets were not to be sent."""
        self.pace.begin(self.end)

    def write(self, batch: Batch) -> None:
        """Says it for a batch. Raises PktError where nothing of the first one could be sent, and OutputError."""
        ways = self.ways.of(batch.without_fcs())
        for (name, takes), part, met in zip(self.ends, self.ways.parts(batch, ways), self.met, strict=False):
            if len(part) and not met and takes is not None:
                refuse_misfits(part, name, takes)
        columns = batch.columns().tolist()
        lines = []
        over = False
        for i, due in enumerate(self.pace.due(batch, 0, len(batch), self.end).tolist() if columns else ()):
            size, linktype = columns[i * COLUMNS + CAPTURED], columns[i * COLUMNS + LINKTYPE]
            end = max(self.end, self.pace.last_sent + due if self.pace.after_previous else due)
            over = self.most is not None and end > self.most
            if over:
                break
            self.end = self.pace.last_sent = end
            self.count += 1
            self.bytes += size
            by = f"\t{visible(self.ends[ways[i]][0])}" if len(self.ends) > 1 else ""
            lines.append(f"{self.count}\t{self.end / 1e9:.6f} s\t{size} bytes\tlink type {linktype}{by}\n")
        self.output.write("".join(lines).encode())
        said = batch.part(0, len(lines))
        for i, ((_, takes), part) in enumerate(zip(self.ends, self.ways.parts(said, ways[: len(lines)]), strict=False)):
            self.met[i] += len(part)
            if takes is not None:
                self.misfits[i] += sum(stop - start for start, stop, linktype in part.runs() if not fits(linktype, takes))
        if over:
            raise Interrupted(ALARM)

    def close(self) -> list[str]:
        """Ends; gives the sum. Raises OutputError."""
        self.output.close()
        line = f"would send {counted(self.count, 'packet')}, {self.bytes} bytes, in {self.end / 1e9:.3f} s"
        said: list[str] = [Account(line, packets=self.count, bytes=self.bytes, seconds=self.end / 1e9)]
        for (name, _), misfits in zip(self.ends, self.misfits, strict=True):
            if misfits:
                said.append(f"{name}: {counted(misfits, 'packet')} of these would fail: their link type does not fit")
        return said
