"""Packets from an interface as soon as they come, both ways: AF_PACKET, see packet(7), out of the socket's queue.

pkt-recv's ring hands over blocks of packets, after a millisecond at least: too late for who waits for the answer to a question.
And for any ring the kernel waits until no processor looks at the socket any more: that is longer than a thousand answers take.
Where the queue may not be as long as is wanted (net.core.rmem_max, without privileges) there is a ring nevertheless, TPACKET_V2.
"""

from __future__ import annotations

import _socket as socket  # as in interface.py
import errno
import mmap
import os
import time

from ... import codec
from ...batch import COLUMNS, OFFSET, ROW_BYTES, TIME, Batch
from ...errors import PktError
from ...kernel import slots_fill, slots_give, slots_read
from .interface import ETH_P_ALL, PACKET_AUXDATA, PACKET_VNET_HDR, SOL_PACKET, bind, grow, linktype_of, mtu, open_socket
from .leaving import leave
from .link import Watch
from .ring import TPACKET_V2, counts, mapped, no_longer_promiscuous, promiscuous, slot_size, slots

SO_TIMESTAMPING, BY_KERNEL = 37, 1 << 3 | 1 << 4  # asm-generic/socket.h; when a packet came, linux/net_tstamp.h
VIRTIO, NEEDS_CSUM = 10, 1  # bytes of struct virtio_net_hdr in front of each packet; its flag
TURN = 128  # packets at once
MEMORY, MOST = 2 << 20, 1 << 30  # bytes of packets that there is room for, at least; that a queue may have room for
SHARE = 1024  # bytes that the kernel counts for a packet beside its slot
PACKET_TYPE, OUTGOING = 42, 4  # where in a slot the way is said (struct sockaddr_ll behind struct tpacket2_hdr), and out


class Prompt:
    """What comes to an interface and leaves it.

    cut: packets that were too long for the ring: their bytes are not all there, or that the kernel cannot hand over at all.
    """

    def __init__(self, name: str | None, packets: int = 0) -> None:
        """Receives all from here on. packets: how many there is room for, as far as can be. Raises UsageError, PktError."""
        self.sock = open_socket(name, "capture")
        self.name = name or ""
        self.at = self.met = self.cut = 0
        try:
            self.slot = slot_size(mtu(self.sock, self.name))
            self.sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            room = min(max(MEMORY, packets * (self.slot + SHARE)), MOST)
            grow(self.sock, room)
            self.queued = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= room
            memory = max(MEMORY, packets * self.slot)
            self.ring = self.filled() if self.queued else mapped(self.sock, TPACKET_V2, *slots(self.slot, memory))
            self.index = socket.if_nametoindex(self.name)
            promiscuous(self.sock, self.index)
            self.watch = Watch(self.name, self.index)
            self.linktype = linktype_of(self.name, bind(self.sock, self.name, ETH_P_ALL))
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.fd = self.sock.fileno()

    def filled(self) -> mmap.mmap:
        """The slots of a ring of our own, that is filled from the queue. Memory comes with what is written."""
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, BY_KERNEL)
        return mmap.mmap(-1, TURN * self.slot, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def take(self) -> Batch | None:
        """The next packets, which stay until `give`; None: there are none. Raises PktError.

        An interface that went down is waited for; of one that is gone whoever sends there learns. In the first moments the kernel
        may have no time for a packet: 0 is the time of one that left, and one that came has ours.
        """
        try:
            most = slots_fill(self.fd, self.ring, self.slot) if self.queued else TURN
            rows, self.met, cut, _ = slots_read(self.ring, self.slot, self.at, most, self.linktype)
        except OSError as error:
            self.check(error.errno or errno.EIO)
            return None
        self.cut += cut
        if not self.met:
            self.check(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return None
        batch = Batch(self.ring, rows)
        if self.queued and 0 in batch.column(TIME):
            columns = batch.columns()
            for i, leaves in enumerate(self.outgoing(batch)):
                columns[i * COLUMNS + TIME] = columns[i * COLUMNS + TIME] or (0 if leaves else time.time_ns())
        return batch

    def give(self) -> None:
        """Gives slots back to the kernel."""
        if not self.queued:
            slots_give(self.ring, self.slot, self.at, self.met)
            self.at = (self.at + self.met) % (len(self.ring) // self.slot)
        self.met = 0

    def outgoing(self, batch: Batch) -> list[bool]:
        """Whether each packet of what was taken leaves."""
        ring, slot = self.ring, self.slot
        return [ring[at - at % slot + PACKET_TYPE] == OUTGOING for at in batch.columns()[OFFSET::COLUMNS].tolist()]

    def finish(self, batch: Batch) -> None:
        """Computes transport checksums that the kernel left to the card, as the wire would carry them."""
        left = [i for i, at in enumerate(batch.column(OFFSET)) if self.ring[at - VIRTIO] & NEEDS_CSUM]
        if left:
            rows = b"".join(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES] for i in left)
            codec.correct(batch.data, rows, codec.TRANSPORT)

    def check(self, number: int) -> None:
        """number: the errno of what went wrong at the socket, or 0. Raises PktError where it will receive no more."""
        if number == errno.ENETDOWN:
            self.watch.went_down()
        elif number:
            raise PktError(f"{self.name}: {os.strerror(number)}")
        if not self.watch.up:
            self.watch.look()

    def close(self) -> int:
        """Ends it; gives how many packets the kernel dropped, for want of room, or were too long."""
        _, dropped = counts(self.sock)
        self.watch.close()
        no_longer_promiscuous(self.sock, self.index)
        leave(self.sock, self.ring)
        return dropped + self.cut
