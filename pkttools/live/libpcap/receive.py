"""Packets from an interface, by libpcap.

No step of Python's is made a packet: the function that pcap_dispatch(3PCAP) is to call for each is libpcap's own pcap_dump(3PCAP),
which writes it into a stream in memory, and the codec reads what stands there as it reads capture files.
"""

from __future__ import annotations

import _thread  # threading takes as long to import as all of this
import ctypes
import errno
import signal
import socket
import sys
import time

from ... import codec
from ...batch import COLUMNS, NOTES, NOTES_SIZE, TIME, Batch
from ...command_line.account import Account
from ...command_line.signals import Interrupted, check, elsewhere, end_at, wait
from ...errors import PktError, UsageError, counted
from ...libpcap.system import MESSAGE
from .handle import Handle
from .streams import File, Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..capture import CaptureOptions
    from ..linux.link import Watch

IN, OUT = 1, 2  # PCAP_D_IN, PCAP_D_OUT
BUFFER = 32 << 20  # bytes that the kernel may keep, where it allows so many
RECORD = 16  # bytes of a record's header
AT_ONCE = 512  # packets of a batch at most: 32 MiB of the largest that are met, hardly ever more than one
# Milliseconds after which the kernel hands over what it has. On Linux that is a block of the ring, as in linux/receive.py; the
# immediate mode has a ring of another kind there, whose places are each as large as the largest packet: it has few.
PROMPT, PATIENT = 1, 20
# While a pipe is full what comes is taken out of the ring, as in linux/receive.py: after so many seconds, and so many bytes.
STILL, KEPT = 0.02, 12 << 20
LOOK = 0.1  # seconds after which libpcap is asked in any case: select(2) does not work for all that it opens
BLIND = 0.01  # the same where there is nothing to select


class Receiver:
    """An interface to receive from. Which way a packet went is known only where one way is asked for."""

    def __init__(self, interface: str | None, options: CaptureOptions) -> None:
        """options: without `finish` and `program`, which are the kernel's. Raises UsageError, PktError."""
        direction = options.direction
        if direction == "out" and sys.platform == "linux" and interface == "lo":
            raise UsageError("libpcap shows the packets of the loopback interface only as they come in: without -so")
        self.timeout = PROMPT if options.prompt else PATIENT
        immediate = options.prompt and sys.platform != "linux"
        self.handle = Handle(interface, "capture", promiscuous=options.promiscuous, buffer=options.buffer or BUFFER,
                             timeout=self.timeout, immediate=immediate, nano=options.nano)  # fmt: skip
        self.pcap, self.name, self.linktype = self.handle.pcap, self.handle.name, self.handle.linktype
        self.seconds = options.seconds
        if direction:
            self.handle.must(self.pcap.pcap_setdirection(self.handle.address, IN if direction == "in" else OUT))
        self.handle.must(self.pcap.pcap_setnonblock(self.handle.address, 1, ctypes.create_string_buffer(MESSAGE)))
        fd = self.pcap.pcap_get_selectable_fd(self.handle.address) if hasattr(self.pcap, "pcap_get_selectable_fd") else -1
        self.fds, self.look = ([fd], LOOK) if fd >= 0 else ([], BLIND)
        way = f"WAY: {direction}\n" if direction else ""
        self.notes = b""
        if options.notes:
            from ...blocks import iface  # late: only with -v

            self.notes = iface(self.name) + way.encode()
        self.stream = File(self.handle) if sys.platform == "win32" else Memory(self.handle)
        self.write = ctypes.cast(self.pcap.pcap_dump, ctypes.c_void_p)
        self.received = 0
        self.watch = watch(self.name)
        self.error = ""  # what ended it
        self.kept: list[tuple[int, bytearray]] = []  # what was taken while nobody read, the oldest first
        self.room = KEPT
        self.waiting, self.lock = True, _thread.allocate_lock()

    def __iter__(self) -> Iterator[Batch]:
        """Batches as they come, until the time is over or a signal comes; then what the kernel still holds."""
        deadline = None if self.seconds is None else time.monotonic() + self.seconds
        if deadline is not None:
            end_at(deadline)
        if self.timeout == PROMPT and hasattr(signal, "pthread_sigmask"):
            try:
                _thread.start_new_thread(self.keep, ())
            except RuntimeError:
                pass  # none is to be had: the ring alone has to last while nobody reads
        look = 0.0
        idle = True  # whether nothing came last: libpcap may hold packets that select(2) does not see
        try:
            while not self.error and (deadline is None or time.monotonic() < deadline):
                check()
                with self.lock:
                    self.waiting = idle and not self.kept
                if self.waiting:
                    wait(self.fds, self.look if deadline is None else max(0, min(self.look, deadline - time.monotonic())))
                self.waiting, met = False, self.received
                yield from self.batches()
                idle = self.received == met
                if idle and self.watch and time.monotonic() >= look:
                    self.watch.look()  # libpcap itself says when it is gone
                    look = time.monotonic() + LOOK
        except Interrupted:
            pass
        yield from self.rest()
        if self.error:
            raise PktError(f"{self.name}: {self.error}")

    def batches(self) -> Iterator[Batch]:
        """What came next, or what there is at once; more than one batch only where packets are large."""
        with self.lock:
            count, data = self.kept.pop(0) if self.kept else self.take()
            self.room += len(data)
        size, start, before = len(data), 0, self.received
        data += self.notes
        while start < size:
            start, rows, error = self.decoded(data, start, size)
            if error:  # pcap_dump says nothing when the memory is used up
                raise MemoryError
            batch = Batch(data, rows)
            self.received += len(batch)
            if self.notes:
                note(batch, size, len(self.notes))
            yield batch
        if self.received - before < count:
            raise MemoryError

    def decoded(self, data: bytearray, start: int, size: int) -> tuple[int, bytearray, tuple[int, int, int] | None]:
        """Packets among records: where the next ones begin, rows, and what is wrong, if anything is."""
        big = sys.byteorder == "big"
        return codec.pcap_decode(data, start, size, True, big, self.handle.nano, RECORD, codec.IN_ORDER, self.linktype)

    def take(self) -> tuple[int, bytearray]:
        """Takes what there is at once, up to AT_ONCE packets: their number, and their records as in a capture file."""
        ctypes.set_errno(0)
        count = self.pcap.pcap_dispatch(self.handle.address, AT_ONCE, self.write, self.stream.address)
        if count < 0 and ctypes.get_errno() != errno.EAGAIN:  # so NFLOG says that there is nothing
            self.error = self.error or self.handle.error()
        data = self.stream.taken() if count else bytearray()
        self.room -= len(data)
        return count, data

    def keep(self) -> None:
        """Runs beside the rest, and takes packets out of the ring while nobody reads it, such as before a full pipe."""
        elsewhere()
        while True:
            time.sleep(STILL)
            with self.lock:
                while not self.waiting and self.room > 0 and not self.error:
                    taken = self.take()
                    if not taken[0]:
                        break
                    self.kept.append(taken)

    def ahead(self, passing: Callable[[Batch], int]) -> Iterator[int | None]:
        """As that of linux/receive.py."""
        seen = 0
        while True:
            with self.lock:
                taken = self.kept[seen:]
            for _, records in taken:
                start, data = 0, bytearray(records)
                while start < len(records):
                    start, rows, _ = self.decoded(data, start, len(records))
                    yield passing(Batch(data, rows))
            seen += len(taken)
            yield None

    def rest(self) -> Iterator[Batch]:
        """What came until now. What comes later is not ours any more: a busy interface would never end."""
        with self.lock:
            self.waiting = True  # nobody else takes anything now
        end, last = time.time_ns(), time.monotonic()
        while time.monotonic() - last < 3 * self.timeout / 1000 + BLIND:  # the block that is being filled is handed over, too
            met = self.received
            for batch in self.batches():
                yield batch
                if batch.columns()[TIME - COLUMNS] > end:
                    return
            if self.received > met:
                last = time.monotonic()
            else:
                time.sleep(self.timeout / 1000)

    def close(self) -> list[str]:
        """Ends the capture; gives what there is to say: warnings; received, dropped by the kernel and by the interface."""
        with self.lock:
            self.room = 0  # nothing more is taken
        counts = (ctypes.c_uint * 16)()  # struct pcap_stat has three, on Windows more
        known = self.pcap.pcap_stats(self.handle.address, counts) == 0
        said = f"{self.name}: {counted(self.received, 'packet')} received"
        said += f", {counts[1]} dropped by the kernel" if known else f"; how many were dropped is not known: {self.handle.error()}"
        if known and counts[2]:
            said += f", {counts[2]} by the interface"
        self.stream.close()
        self.handle.close()
        if self.watch:
            self.watch.close()
        dropped, refused = (counts[1], counts[2]) if known else (None, None)
        return [*self.handle.said, Account(said, interface=self.name, received=self.received, dropped=dropped, refused=refused)]


def watch(name: str) -> Watch | None:
    """What says that an interface goes down, which libpcap does not; None: nothing does."""
    if sys.platform != "linux":
        return None
    from ..linux.link import Watch

    try:
        return Watch(name, socket.if_nametoindex(name))
    except OSError:
        return None  # a pseudo-device such as any


def note(batch: Batch, at: int, size: int) -> None:
    """Gives all packets of a batch the same extension lines, which are at `at` in its data."""
    columns = batch.columns()
    for i in range(0, len(columns), COLUMNS):
        columns[i + NOTES], columns[i + NOTES_SIZE] = at, size
