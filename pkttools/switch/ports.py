"""Ports of a switch: interfaces, by packet(7) with a TPACKET_V2 ring, which hands each frame over as soon as it has come.

A TPACKET_V3 ring hands over blocks of frames, after a millisecond at least: too late for frames that are only passing through.
"""

from __future__ import annotations

import errno
import mmap
import os
import socket
import struct

from ..batch import COLUMNS, ORIGINAL, ROW_BYTES, TIME, Batch
from ..errors import PktError
from ..kernel import send_burst, slots_give, slots_read
from ..live.linux.interface import (
    ARPHRD_ETHER,
    ETH_P_ALL,
    PACKET_AUXDATA,
    PACKET_VNET_HDR,
    SOL_PACKET,
    bind,
    grow,
    hardware_type,
    mtu,
    open_socket,
)
from ..live.linux.link import Carrier
from ..live.linux.ring import TAG, TPACKET_V2, counts, mapped, promiscuous, slot_size, slots
from .claim import Taken, claim

# Options of SOL_PACKET, linux/if_packet.h, and SO_SNDBUFFORCE, asm-generic/socket.h; Python's socket module has none of them.
PACKET_COPY_THRESH, PACKET_IGNORE_OUTGOING = 7, 23
SO_SNDBUFFORCE = 32
VLAN_VALID, VLAN_TPID_VALID = 0x10, 0x40
AUXILIARY = struct.Struct("=I12xHH")  # struct tpacket_auxdata: status, and the tag that was taken off with its EtherType

MOST = 24  # ports
VIRTIO = struct.Struct("=BBHHHH")  # struct virtio_net_hdr: in front of every frame, both ways, so that offloads pass
NEEDS_CSUM = 1
LARGEST = 1 << 18  # bytes of a frame: IPv6 segments offloaded as one have up to 185,000 (BIG TCP)
TURN = 512  # frames of one port in one turn, before other ports have theirs
QUEUE = 8 << 20  # bytes of frames larger than a slot that may wait, and of frames that wait for the wire
GONE = (errno.ENETDOWN, errno.ENXIO, errno.ENODEV)
FULL = (errno.ENOBUFS, errno.EAGAIN, errno.ENOMEM)


class Gone(Exception):
    """The interface of a port is down or no longer there; `args[0]` says which."""


COUNTERS = ("received", "received_bytes", "sent", "sent_bytes", "flooded", "filtered", "reserved", "short", "unmatched", "overrun",
            "full", "too_long", "failed")  # fmt: skip


class Port:
    """A port. Its counters are of frames and their bytes, as they are on the wire.

    number: below 24, its place in the forwarding database. index: the interface's, whatever it is called; 0: unknown.
    Frames go through as batches, whose data have a virtio header in front of each frame.
    """

    fd: int
    index = 0

    def __init__(self, name: str) -> None:
        self.name, self.number = name, -1
        self.received = self.received_bytes = self.sent = self.sent_bytes = 0
        self.flooded = self.filtered = self.reserved = self.short = self.unmatched = 0
        self.overrun = 0  # frames that came and found no room
        self.full = self.too_long = self.failed = 0  # frames that did not go out

    def take(self) -> Batch | None:
        """The next frames that came, which stay until `give`; None when there are none. Raises Gone."""
        raise NotImplementedError

    def give(self) -> None:
        """Ends the use of what was taken."""

    def send(self, data: bytearray | mmap.mmap, rows: bytearray) -> None:
        """Sends frames of a batch. What fails is counted; nothing is waited for. Raises Gone."""
        raise NotImplementedError

    def fail(self, number: int) -> None:
        """Counts a frame that did not go out, by its errno. Raises Gone."""
        if number in GONE:
            raise Gone(reason(number))
        if number in FULL:
            self.full += 1
        elif number == errno.EMSGSIZE:
            self.too_long += 1
        else:
            self.failed += 1

    def count(self) -> None:
        """Brings the counters up to date."""

    def counters(self) -> dict[str, int]:
        """All of them, by name."""
        return {name: getattr(self, name) for name in COUNTERS}

    def close(self) -> None:
        """Gives the interface back as it was."""
        raise NotImplementedError


def reason(number: int) -> str:
    """Why a port is gone."""
    if number == errno.ENETDOWN:
        return "interface went down"
    return "interface is gone" if number in GONE else os.strerror(number)


class PacketPort(Port):
    """An interface that is there."""

    def __init__(self, name: str, memory: int) -> None:
        """memory: bytes of frames that may wait for us in the kernel. Raises PktError."""
        super().__init__(name)
        self.sock = open_socket(name, "capture")
        self.claimed: socket.socket | None = None
        try:
            hardware = hardware_type(self.sock, name)
            if hardware != ARPHRD_ETHER:
                raise PktError(f"{name}: a switch is for Ethernet, and this interface is of hardware type {hardware}")
            self.slot = slot_size(mtu(self.sock, name))
            self.ring = self.ring_of(memory)
            bind(self.sock, name, ETH_P_ALL)
            self.index = socket.if_nametoindex(name)
            self.claimed = claim(self.index, self.sock)
            promiscuous(self.sock, self.index)
        except Taken:
            self.release()
            raise PktError(f"{name}: it is a port of another switch") from None
        except OSError as error:
            self.release()
            raise PktError(f"{name}: {error.strerror}") from None
        except PktError:
            self.release()
            raise
        self.fd = self.sock.fileno()
        try:
            self.carrier: Carrier | None = Carrier(self.index)
        except OSError:
            self.carrier = None  # a sandbox without rtnetlink
        self.at = self.met = 0
        self.large: bytearray | None = None  # the row of a frame that was larger than its slot, and is next
        self.buffer = bytearray()

    def ring_of(self, memory: int) -> mmap.mmap:
        """Sets the socket up and gives its ring, before it is bound: nothing comes in yet. Raises OSError, PktError."""
        set_option = self.sock.setsockopt
        for option in (PACKET_VNET_HDR, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING, PACKET_COPY_THRESH):
            set_option(SOL_PACKET, option, 1)
        grow(self.sock, QUEUE)
        try:
            set_option(socket.SOL_SOCKET, SO_SNDBUFFORCE, QUEUE)
        except PermissionError:
            set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUE)
        shape = slots(self.slot, memory)
        try:
            return mapped(self.sock, TPACKET_V2, *shape)
        except OSError as error:
            raise PktError(f"{self.name}: no ring of {shape[0] * shape[1]} bytes for frames: {error.strerror}") from None

    def take(self) -> Batch | None:
        """The next frames: some in the ring, or one that was too large for it."""
        if self.large:
            return self.waiting()
        try:
            rows, self.met, cut, aside = slots_read(self.ring, self.slot, self.at, TURN, 1)
        except OSError as error:
            raise Gone(error.strerror) from None
        self.overrun += cut
        if aside:
            rows, self.large = rows[:-ROW_BYTES], rows[-ROW_BYTES:]
            return Batch(self.ring, rows) if rows else self.take()
        if rows:
            return Batch(self.ring, rows)
        if self.met:
            self.give()
        else:
            self.check()
        return None

    def give(self) -> None:
        """Gives slots back to the kernel."""
        slots_give(self.ring, self.slot, self.at, self.met)
        self.at = (self.at + self.met) % (len(self.ring) // self.slot)
        self.met = 0

    def waiting(self) -> Batch | None:
        """The frame that waits in the socket's queue, with the time of its row."""
        row, self.large = self.large, None
        if not self.buffer:
            self.buffer = bytearray(TAG + VIRTIO.size + LARGEST)
        head = TAG + VIRTIO.size
        with memoryview(self.buffer) as view:
            try:
                size, about, flags, _ = self.sock.recvmsg_into([view[TAG:]], 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                size, about, flags = 0, [], 0
            except OSError as error:  # the socket's own, which is said once: what waits stays where it is
                self.overrun += 1
                raise Gone(reason(error.errno or 0)) from None
        if size < VIRTIO.size or flags & socket.MSG_TRUNC:
            self.overrun += 1
            self.give()
            return None
        size -= VIRTIO.size
        for level, kind, data in about:
            if level == SOL_PACKET and kind == PACKET_AUXDATA and len(data) >= AUXILIARY.size:
                status, tag, ethertype = AUXILIARY.unpack_from(data)
                if status & VLAN_VALID:
                    put_tag(self.buffer, ethertype if status & VLAN_TPID_VALID else 0x8100, tag)
                    head, size = head - TAG, size + TAG
        time = memoryview(row).cast("q")[TIME]  # type: ignore[arg-type]  # `take` has seen one
        return Batch(self.buffer, bytearray(struct.pack("7q", head, size, size, time, 1, 0, 0)))

    def check(self) -> None:
        """Asks the socket for what went wrong. Raises Gone."""
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise Gone(reason(number))

    def send(self, data: bytearray | mmap.mmap, rows: bytearray) -> None:
        """Sends frames, in bursts."""
        first, count = 0, len(rows) // ROW_BYTES
        while first < count:
            sent, size, error = send_burst(self.fd, data, rows, first, count - first, VIRTIO.size)
            self.sent += sent
            self.sent_bytes += size
            first += sent
            if self.carrier:
                self.lose(*self.carrier.handed(sent, size, bool(error)))
            if error:
                self.fail(error)
                first += 1

    def lose(self, frames: int, size: int) -> None:
        """Counts frames that were handed over and got lost for want of a carrier."""
        self.sent -= frames
        self.sent_bytes -= size
        self.failed += frames

    def count(self) -> None:
        """Asks the kernel how many frames found no room in the ring, and how many went nowhere."""
        if self.carrier:
            self.lose(*self.carrier.settled())
        self.overrun += counts(self.sock)[1]

    def close(self) -> None:
        """Closes the socket; promiscuous mode goes with it."""
        self.release()
        self.ring.close()
        if self.carrier:
            self.carrier.close()

    def release(self) -> None:
        """Closes the socket, and lets others have the interface."""
        self.sock.close()
        if self.claimed:
            self.claimed.close()


def put_tag(buffer: bytearray, ethertype: int, tag: int) -> None:
    """Puts a tag into a frame whose virtio header stands TAG bytes from the buffer's start: it and the addresses move down."""
    flags, kind, headers, segment, start, offset = VIRTIO.unpack_from(buffer, TAG)
    addresses = buffer[TAG + VIRTIO.size : TAG + VIRTIO.size + 12]
    VIRTIO.pack_into(
        buffer, 0, flags, kind, headers + TAG if headers else 0, segment, start + TAG if flags & NEEDS_CSUM else start, offset
    )
    buffer[VIRTIO.size : VIRTIO.size + 12 + TAG] = addresses + struct.pack("!HH", ethertype, tag)


def wire_bytes(rows: bytearray) -> int:
    """The bytes of the frames of rows."""
    return sum(memoryview(rows).cast("q")[ORIGINAL::COLUMNS].tolist())
