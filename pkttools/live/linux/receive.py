"""Packets from an interface: AF_PACKET, see packet(7), with a TPACKET_V3 ring that the kernel fills and we read in place."""

from __future__ import annotations

import _socket as socket  # as in interface.py
import _thread  # threading takes as long to import as all of this
import errno
import mmap
import os
import time

from ... import codec
from ...batch import MAX_FRAME, ROW_BYTES, Batch
from ...command_line.account import Account
from ...command_line.signals import Interrupted, elsewhere, end_at, wait
from ...errors import PktError, counted
from ...kernel import ring_give, ring_read, ring_take
from .interface import ARPHRD_LOOPBACK, ETH_P_ALL, bind, hardware_type, open_socket, received
from .leaving import leave
from .link import AGAIN, Watch
from .ring import TAG, TPACKET_V3, counts, mapped, no_longer_promiscuous, promiscuous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..capture import CaptureOptions
    from .socket_filter import SocketFilter

    Read = tuple[bytearray, bytearray, int, int]  # what kernel.ring_read gives

BUFFER = 32 << 20  # bytes of the ring: some 20 ms of the fastest wire that can be followed
BLOCKS = 8  # at least: one is read while others are filled, and with two packets are lost at each change
PAGE = mmap.PAGESIZE
BLOCK_HEAD, PACKET_HEAD = 48, 128  # bytes that a block begins with; that a packet needs before its own, at most
LINES = 160  # bytes in front of a block's packets that are ours: room for the longest lines IFACE and WAY, both ways
# Milliseconds after which the kernel hands over a block that is not full, if there is any packet in it; kernels before 6.18
# round them up to their timer's tick, 1 to 10 ms. Every packet of a quiet wire waits that long. But as each such block is one
# that is taken, the time times the number of blocks, 126, is how long the ring lasts while nobody reads, however little comes.
PROMPT, PATIENT = 1, 20
STILL = 0.02  # seconds after which blocks are taken out of the ring while a pipe is full
KEPT = 12 << 20  # bytes of them: little is in each, a block full of packets needs no other place


def geometry(size: int) -> tuple[int, int]:
    """Bytes of a block, and how many of them make a ring of `size` bytes; never less than BLOCKS pages.

    A block holds the largest frame. Where that would leave fewer than BLOCKS the blocks are smaller, and cut what is larger.
    Blocks of a power of two would waste nothing in the kernel, which likes to allot such sizes; more of them lasts longer.
    """
    largest = BLOCK_HEAD + LINES + PACKET_HEAD + TAG + MAX_FRAME
    block = min(-(-largest // PAGE), max(1, size // BLOCKS // PAGE)) * PAGE
    return block, max(BLOCKS, size // block)


class Receiver:
    """An interface to receive from."""

    def __init__(self, interface: str | None, options: CaptureOptions) -> None:
        """Receives all from here on. Raises UsageError, PktError."""
        self.sock, self.name = open_socket(interface, "capture"), interface or ""
        hardware = hardware_type(self.sock, self.name)
        linktype, self.cooked = received(hardware)
        if linktype is None:
            raise PktError(f"{self.name}: interfaces of hardware type {hardware} are not supported, but by --libpcap")
        if self.cooked:
            self.sock.close()
            self.sock = open_socket(interface, "capture", socket.SOCK_DGRAM)
        self.linktype = linktype
        self.finish, self.nano, self.seconds = options.finish, options.nano, options.seconds
        self.received = self.unfinished = self.met = self.placed = self.dropped = self.by_card = 0
        self.card = options.card
        self.gone = False
        self.at = 0  # where in the ring the next block is
        self.retire = PROMPT if options.prompt else PATIENT
        self.lends = not options.prompt  # whether blocks are read in the ring: while a pipe is full they are in the kernel's way
        self.kept: list[bytearray] = []  # blocks that are no longer in the ring, the oldest one first
        self.room = KEPT
        self.waiting, self.lock, self.closed = True, _thread.allocate_lock(), False
        self.filter: SocketFilter | None = None
        if options.program:
            from .socket_filter import SocketFilter

            program = options.program(linktype)
            self.filter = SocketFilter(self.sock, self.name, program, linktype, cooked=self.cooked, finish=self.finish)
        try:
            self.block, blocks = geometry(options.buffer or BUFFER)
            self.ring = self.ring_of(blocks)
            if options.card:
                from .stamps import take_from_card

                take_from_card(self.sock, self.name)
            if options.promiscuous:
                promiscuous(self.sock, socket.if_nametoindex(self.name))
            self.watch = Watch(self.name, socket.if_nametoindex(self.name))
            bind(self.sock, self.name, ETH_P_ALL)  # last: from here on everything is received
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.notes = self.lines() if options.notes else (0, 0, 0, 0)
        once = hardware == ARPHRD_LOOPBACK  # which shows each packet going out and coming in: once is enough
        self.wanted = {"in": (True, False), "out": (False, True), None: (True, not once)}[options.direction]

    def ring_of(self, blocks: int) -> mmap.mmap:
        """A ring of so many blocks. Raises PktError."""
        block = self.block
        try:
            # Bytes of a block, blocks, bytes of a frame (no matter, but all must fit), frames, time, our bytes, features
            return mapped(self.sock, TPACKET_V3, block, blocks, block, blocks, self.retire, LINES, 0)
        except OSError as error:
            size = block * blocks
            raise PktError(f"{self.name}: no ring of {size} bytes for packets: {error.strerror}; -b asks for another") from None

    def lines(self) -> tuple[int, int, int, int]:
        """Writes the extension lines into every block, where it is ours.

        Returns offset in a block and size of those for packets that came in, then of those that went out.
        """
        from ...blocks import iface  # late: only with -v

        came, went = (iface(self.name) + f"WAY: {way}\n".encode() for way in ("in", "out"))
        for at in range(BLOCK_HEAD, len(self.ring), self.block):
            self.ring[at : at + len(came + went)] = came + went
        return BLOCK_HEAD, len(came), BLOCK_HEAD + len(came), len(went)

    def __iter__(self) -> Iterator[Batch]:
        """Batches as they come, until the time is over or a signal comes; then what the kernel still holds."""
        deadline = None if self.seconds is None else time.monotonic() + self.seconds
        if deadline is not None:
            end_at(deadline)
        self.keep_beside()
        try:
            while not self.gone and (deadline is None or time.monotonic() < deadline):
                with self.lock:
                    self.waiting = not self.kept
                wait([self.sock.fileno()], self.patience(deadline) if self.waiting else 0)
                self.waiting = False
                yield from self.batches()
        except Interrupted:
            pass
        yield from self.rest()
        if self.gone:
            raise PktError(f"{self.name}: interface is gone")

    def patience(self, deadline: float | None) -> float | None:
        """Seconds to wait for a packet, at most a day: select(2) does not take any number."""
        most = 86400 if self.watch.up else AGAIN  # nothing tells that an interface is up again, or gone while it was down
        if deadline is None:
            return None if self.watch.up else most
        return min(max(0, deadline - time.monotonic()), most)

    def batches(self) -> Iterator[Batch]:
        """The next block as a batch, if the kernel has handed it over, and some of its packets are wanted."""
        try:
            if not self.lends:  # a copy
                block = self.oldest()
                yield from self.batch(block, 0, len(block))
            else:  # in place: the kernel gets it back when the next batch is asked for
                yield from self.batch(self.ring, self.at, self.block)
                ring_give(self.ring, self.at)
                self.at = (self.at + self.block) % len(self.ring)
        except BlockingIOError:
            self.check()
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None

    def batch(self, ring: mmap.mmap | bytearray, at: int, size: int) -> Iterator[Batch]:
        """The packets of a block that are wanted, if any are. Raises OSError."""
        rows, unfinished, count, by_card = self.read(ring, at, size, self.notes)
        self.met += count
        self.by_card += by_card
        self.received += len(rows) // ROW_BYTES
        if self.finish and unfinished:
            done = codec.correct(ring, unfinished, codec.TRANSPORT)[codec.CORRECTED]
            self.unfinished += len(unfinished) // ROW_BYTES - done
        if rows:
            yield Batch(ring, rows)

    def read(self, ring: mmap.mmap | bytearray, at: int, size: int, notes: tuple[int, int, int, int]) -> Read:
        """The packets of a block, see kernel.ring_read. Raises OSError."""
        return ring_read(ring, at, size, self.wanted, self.linktype, self.cooked, MAX_FRAME, self.nano, notes)

    def oldest(self) -> bytearray:
        """The block that came first of those that were not read yet. Raises BlockingIOError when there is none, OSError."""
        with self.lock:
            if not self.kept:
                return self.take()
            block = self.kept.pop(0)
            self.room += len(block)
            return block

    def take(self) -> bytearray:
        """Takes a block out of the ring. Raises BlockingIOError when there is none, OSError."""
        taken = ring_take(self.ring, self.at, self.block)
        self.at = (self.at + self.block) % len(self.ring)
        return taken

    def keep_beside(self) -> None:
        """Starts `keep`, where each packet is waited for: blocks hold little then, and the ring lasts shortest."""
        if self.retire == PROMPT:
            try:
                _thread.start_new_thread(self.keep, ())
            except RuntimeError:
                pass  # none is to be had: the ring alone has to last while nobody reads

    def keep(self) -> None:
        """Runs beside the rest, and takes blocks out of the ring while nobody reads it, such as before a full pipe."""
        elsewhere()
        while True:
            time.sleep(STILL)
            with self.lock:
                if self.closed:
                    return
                try:
                    while not self.waiting and self.room > 0:
                        self.kept.append(self.take())
                        self.room -= len(self.kept[-1])
                except OSError:
                    pass  # no block more, or what is wrong with it is said when it is read

    def ahead(self, passing: Callable[[Batch], int]) -> Iterator[int | None]:
        """How many of the packets that wait behind those which nobody reads are passed on, a block at a time; None: no more yet."""
        seen = 0
        while True:
            with self.lock:
                blocks = self.kept[seen:]
            for block in blocks:
                copy = bytearray(block)
                rows, *_ = self.read(copy, 0, len(copy), (0, 0, 0, 0))
                yield passing(Batch(copy, rows)) if rows else 0
            seen += len(blocks)
            yield None

    def rest(self) -> Iterator[Batch]:
        """What came until now. What comes later is not ours any more: a busy interface would never end."""
        self.count()
        wanted, waited = self.placed, 0
        while self.met < wanted and waited < 1000:
            met = self.met
            yield from self.batches()
            if self.met == met:  # the block that is being filled: the kernel hands it over when its time has come
                time.sleep(self.retire / 1000)
                waited += self.retire

    def check(self) -> None:
        """Asks the socket for what went wrong. Raises PktError.

        An interface that went down is waited for: the socket is bound by number, and receives again once it is up, whatever it
        is called then. One that is gone is the end.
        """
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == errno.ENETDOWN:
            self.watch.went_down()
        elif number:
            raise PktError(f"{self.name}: {os.strerror(number)}")
        if not self.watch.up:
            self.gone = not self.watch.look()

    def count(self) -> None:
        """Adds up what the kernel has counted since it was asked last: packets put in the ring, packets dropped."""
        packets, dropped = counts(self.sock)
        self.placed += packets - dropped
        self.dropped += dropped

    def close(self) -> list[str]:
        """Ends the capture; gives what there is to say: received, dropped by the kernel."""
        self.count()
        with self.lock:  # nobody takes anything meanwhile
            self.closed = True
            no_longer_promiscuous(self.sock, self.watch.link.index)
            leave(self.sock, self.ring)
        self.watch.close()
        said = f"{self.name}: {counted(self.received, 'packet')} received, {self.dropped} dropped by the kernel"
        if self.unfinished:
            said += f", {self.unfinished} with a partial checksum that could not be completed"
        by_kernel = self.received - self.by_card if self.card else None
        if by_kernel:
            said += f", {by_kernel} with the kernel's time, as the card had none"
        facts = {"received": self.received, "dropped": self.dropped, "unfinished": self.unfinished, "kernel_times": by_kernel}
        return [Account(said, interface=self.name, **facts)]
