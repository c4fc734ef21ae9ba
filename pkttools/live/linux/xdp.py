"""Frames in front of the kernel's stack: an XDP program of our own at an interface, attached as long as we run.

See the kernel's Documentation/bpf and Documentation/networking; a driver runs the program before it makes a packet of the
frame ("native"), or the kernel does so just behind the driver ("generic").
"""

from __future__ import annotations

import _thread  # threading takes as long to import as much of this
import errno
import select
import time
from collections.abc import Callable, Iterator

from ...batch import Batch
from ...blocks import iface
from ...bpf import assembler as ebpf
from ...bpf import classic
from ...bpf.assembler import R0, R1, R2, R4, R5, R6, R7, R8, R9, R10, add, call, jump, jump_if, leave, load, map_fd, mov, store
from ...bpf.translate import Place, translate
from ...command_line.account import Account
from ...command_line.signals import Interrupted, at_first, end_at, wait
from ...errors import PktError
from ...errors import counted as plural
from ..capture import CaptureOptions
from . import bpf
from .interface import ethernet
from .link import Watch
from .samples import LOOK, ROOM, PerfBuffers, RingBuffer

VERDICTS = {"pass": bpf.XDP_PASS, "drop": bpf.XDP_DROP, "tx": bpf.XDP_TX}
MATCHED, LOST, ARP = 0, 4, 5  # what is counted, besides the verdicts under their own numbers
COUNTERS = 6
DATA, END = 0, 4  # where in struct xdp_md the frame's begin and end are
KEY, SIZE, MEMORY = -8, -16, -128  # what is on the program's stack: a key of a map, the frame's size, the filter's memory
FULL = ROOM // 2  # bytes of a batch behind which there may be more
NEAR = 10_000  # nanoseconds that the clock may have moved against the kernel's other one before that is heeded
TRIES = 10  # at reading both clocks at once

EVERYTHING: list[classic.Instruction] = [(classic.RET_K, 0, 0, classic.PASS)]
# ARP, also behind a VLAN tag. Load an EtherType, compare, compare, and so on.
IS_ARP: list[classic.Instruction] = [
    (0x28, 0, 0, 12), (0x15, 4, 0, 0x0806), (0x15, 1, 0, 0x8100), (0x15, 0, 3, 0x88A8),
    (0x28, 0, 0, 16), (0x15, 0, 1, 0x0806), (classic.RET_K, 0, 0, classic.PASS), (classic.RET_K, 0, 0, 0),
]  # fmt: skip


def program(instructions: list[classic.Instruction], match: str, other: str, allow_arp: bool, samples: RingBuffer | PerfBuffers,
            counters: bpf.Map) -> ebpf.Code:  # fmt: skip
    """The XDP program. R6: the context, R9: this processor's counters, R7: in the end the verdict. Raises UsageError."""
    return [
        mov(R6, R1),
        store(4, R10, KEY, 0), mov(R2, R10), add(R2, KEY), map_fd(R1, counters.fd), call(bpf.LOOKUP),
        jump_if(ebpf.JEQ, R0, 0, "no counters"), mov(R9, R0),
        mov(R1, R6), call(bpf.LENGTH), store(8, R10, SIZE, R0), mov(R5, R0),
        load(4, R7, R6, DATA), load(4, R8, R6, END),
        *translate(instructions, Place(R7, R8, R5, memory=MEMORY)),
        "match",
        *count(MATCHED),
        *samples.output(R6, SIZE, KEY, "lost"),
        jump("matched"),
        "lost",
        *count(LOST),
        "matched", mov(R7, VERDICTS[match]), jump("verdict"),
        "other", mov(R7, VERDICTS[other]),
        "verdict",
        *(let_arp_pass("done") if allow_arp else ()),
        "done",
        mov(R1, R7), ebpf.alu(ebpf.LSH, R1, 3), add(R1, R9), load(8, R2, R1), add(R2, 1), store(8, R1, 0, R2),
        mov(R0, R7), leave(),
        "no counters", mov(R0, bpf.XDP_PASS), leave(),
    ]  # fmt: skip


def count(which: int) -> ebpf.Code:
    """Adds one to a counter of this processor's; nobody else writes it."""
    return [load(8, R1, R9, 8 * which), add(R1, 1), store(8, R9, 8 * which, R1)]


def let_arp_pass(done: str) -> ebpf.Code:
    """Makes the verdict on ARP to pass, whatever it was; goes to a label otherwise."""
    return [
        jump_if(ebpf.JEQ, R7, bpf.XDP_PASS, done),
        load(4, R4, R6, DATA), load(4, R5, R6, END),
        *translate(IS_ARP, Place(R4, R5, R5, match="arp", other=done, memory=MEMORY, name="arp")),
        "arp", *count(ARP), mov(R7, bpf.XDP_PASS),
    ]  # fmt: skip


class XdpOptions(CaptureOptions):
    """How to receive, and what becomes of frames; of other captures' options there are nano, seconds and notes.

    match, other: what becomes of frames that match and of all others, see VERDICTS. allow_arp: whether ARP passes in any case.
    mode: native, generic, or auto: the first that works. sample: bytes that are kept of a frame. perf: a perf buffer instead of a
    ring buffer. every: seconds after which the account is told, again and again; None: only at the end.
    """

    __slots__ = ("match", "other", "allow_arp", "mode", "sample", "perf", "every")

    def __init__(self) -> None:
        super().__init__()
        self.match = self.other = "pass"
        self.mode, self.sample = "auto", 1024
        self.allow_arp = self.perf = False
        self.every: float | None = None


def between_clocks() -> int:
    """Nanoseconds that the clock of the day is ahead of the kernel's monotonic one, which frames have their times by.

    It is read between two readings of the other one. Who is interrupted there tries again: the difference would be off by as long.
    """
    least, found = 1 << 62, 0
    for _ in range(TRIES):
        before, now, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after - before < least:
            least, found = after - before, now - (before + after) // 2
        if least < NEAR // 2:
            break
    return found


class Xdp:
    """An interface with our program, to receive from."""

    linktype = 1

    def __init__(self, interface: str | None, instructions: list[classic.Instruction], options: XdpOptions,
                 tell: Callable[[str], None]) -> None:  # fmt: skip
        """Attaches the program. tell: where the account is told meanwhile. Raises PktError, UsageError."""
        self.name, self.ifindex = ethernet(interface)
        self.nano, self.seconds, self.every, self.tell = options.nano, options.seconds, options.every, tell
        self.notes = iface(self.name) + b"WAY: in\n" if options.notes else b""
        self.clock = between_clocks()
        self.received = 0
        self.counters = bpf.Map(bpf.PERCPU_ARRAY, 8 * COUNTERS, 1)
        self.samples = (PerfBuffers if options.perf else RingBuffer)(options.sample)
        code = ebpf.assemble(program(instructions, options.match, options.other, options.allow_arp, self.samples, self.counters))
        try:
            self.watch = Watch(self.name, self.ifindex)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        with_program = bpf.XdpProgram(code, "pkt_xdp")
        self.mode, self.link = attached(with_program, self.name, self.ifindex, options.mode)
        with_program.close()  # the link keeps it
        self.reader: int | None = None  # where what we write is read, if it is
        at_first(self.link.close)  # nobody is cut off any longer than wanted because a pipe is full

    def __iter__(self) -> Iterator[Batch]:
        """Batches as they come, until the time is over or a signal comes; then what is left, with the program gone."""
        deadline = None if self.seconds is None else time.monotonic() + self.seconds
        if deadline is not None:
            end_at(deadline)
        due = None if self.every is None else time.monotonic() + self.every
        if self.seconds is not None:
            try:
                _thread.start_new_thread(self.end, ())
            except RuntimeError:
                pass  # none is to be had: it ends when nothing is written
        gone, batch = False, None
        try:
            while not gone and (deadline is None or time.monotonic() < deadline):
                ends = [end - time.monotonic() for end in (deadline, due) if end is not None]
                if batch:
                    wait([], LOOK if len(batch.data) < FULL else 0)  # so that the next one is not of a single frame
                else:
                    wait(self.samples.fds, max(0, min([self.samples.idle, *ends])))
                batch = self.read()
                if batch:
                    yield batch
                else:
                    self.check_reader()
                    gone = not self.watch.look()
                if due is not None and time.monotonic() >= due:
                    self.tell(self.account())
                    due = max(due + (self.every or 0), time.monotonic())  # none is made up for that a full pipe has kept back
        except Interrupted:
            pass
        self.link.close()
        yield from self.rest()
        if gone:
            self.watch.went_down()
            raise PktError(f"{self.name}: interface is gone")

    def end(self) -> None:
        """Runs beside the rest, and detaches the program in time, even while a pipe is full."""
        time.sleep(self.seconds)  # type: ignore[arg-type]  # started where that is said
        self.link.close()

    def check_reader(self) -> None:
        """Raises BrokenPipeError when nobody reads any more, before there is anything to write."""
        if self.reader is not None:
            gone = select.poll()
            gone.register(self.reader, 0)
            if any(events & (select.POLLERR | select.POLLHUP) for _, events in gone.poll(0)):
                raise BrokenPipeError(errno.EPIPE, "nobody reads")

    def read(self) -> Batch | None:
        """The next batch, if anything has come. Raises PktError."""
        clock = between_clocks()
        if abs(clock - self.clock) > NEAR:  # not for each small difference: times would go back
            self.clock = clock
        try:
            batch = self.samples.read(self.clock, self.nano, self.notes)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.received += len(batch) if batch else 0
        return batch

    def ahead(self, _: Callable[[Batch], int]) -> Iterator[int | None]:
        """How many frames more have matched and wait while nobody reads; None: no more yet."""
        seen = self.received
        while True:
            counted = self.counted()
            new = counted[MATCHED] - counted[LOST] - seen
            yield new
            seen += new
            yield None

    def rest(self) -> Iterator[Batch]:
        """What is left; a program that still runs on another processor has a moment to end."""
        patience = 100
        while batch := self.read():
            yield batch
        while patience and self.received + self.counted()[LOST] < self.counted()[MATCHED]:
            time.sleep(0.001)
            patience -= 1
            while batch := self.read():
                yield batch

    def counted(self) -> list[int]:
        """The counters, those of all processors together. Raises OSError."""
        numbers = memoryview(self.counters[0]).cast("Q").tolist()
        return [sum(numbers[i::COUNTERS]) for i in range(COUNTERS)]

    def account(self) -> Account:
        """`eth0: native: 120 frames, 10 matched, 12 passed (2 of them ARP), 108 dropped, 0 tx, 0 lost`."""
        counted = self.counted()
        passed, dropped, sent = (counted[verdict] for verdict in (bpf.XDP_PASS, bpf.XDP_DROP, bpf.XDP_TX))
        arp = f" ({counted[ARP]} of them ARP)" if counted[ARP] else ""
        frames = plural(passed + dropped + sent, "frame")
        said = (
            f"{self.name}: {self.mode}: {frames}, {counted[MATCHED]} matched, {passed} passed{arp}, "
            f"{dropped} dropped, {sent} tx, {counted[LOST]} lost"
        )
        return Account(said, interface=self.name, mode=self.mode, frames=passed + dropped + sent, matched=counted[MATCHED],
                       passed=passed, arp=counted[ARP], dropped=dropped, tx=sent, lost=counted[LOST])  # fmt: skip

    def close(self) -> Account:
        """Detaches the program, if it is not yet; gives the account."""
        self.link.close()
        said = self.account()
        self.samples.close()
        for each in (self.counters, self.watch):
            each.close()
        return said


def attached(made: bpf.XdpProgram, interface: str, ifindex: int, mode: str) -> tuple[str, bpf.XdpLink]:
    """Attaches a program; gives the mode and the link. Raises PktError."""
    if mode != "auto":
        return mode, bpf.XdpLink(made, interface, ifindex, mode)
    try:
        return "native", bpf.XdpLink(made, interface, ifindex, "native")
    except bpf.Unattached as error:
        if error.number in (errno.EBUSY, errno.EEXIST, errno.EPERM, errno.EACCES):
            raise
    return "generic", bpf.XdpLink(made, interface, ifindex, "generic")
