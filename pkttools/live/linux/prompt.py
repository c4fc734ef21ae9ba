"""Packets from an interface as soon as they come, both ways: AF_PACKET, see packet(7), with a TPACKET_V2 ring.

pkt-recv's ring hands over blocks of packets, after a millisecond at least: too late for who waits for the answer to a question.
"""

from __future__ import annotations

import _socket as socket  # as in interface.py
import errno
import mmap
import os
import struct

from ... import codec
from ...batch import COLUMNS, OFFSET, ROW_BYTES, Batch
from ...errors import PktError
from ...kernel import set_option, slots_give, slots_read
from .interface import ETH_P_ALL, SOL_PACKET, bind, mtu, open_socket
from .meanwhile import Meanwhile
from .receive import PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_RESERVE, PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION

PACKET_VNET_HDR, TPACKET_V2 = 15, 1  # linux/if_packet.h
TAG, VIRTIO, NEEDS_CSUM = 4, 10, 1  # bytes of a tag, and of struct virtio_net_hdr in front of each packet; its flag
SLOT, SLOT_HEAD = 2048, 128  # bytes of a slot at least; those that one needs beside the MTU
TURN = 1024  # packets at once
MEMORY = 2 << 20  # bytes of the ring at least
PACKET_TYPE, OUTGOING = 42, 4  # where in a slot the way is said (struct sockaddr_ll behind struct tpacket2_hdr), and out


class Prompt:
    """What comes to an interface and leaves it. cut: packets that were too long for the ring: their bytes are not all there."""

    def __init__(self, name: str | None, packets: int = 0) -> None:
        """Receives all from here on. packets: how many there is room for, at least. Raises UsageError, PktError."""
        self.sock = open_socket(name, "capture")
        self.name = name or ""
        self.at = self.met = self.cut = 0
        try:
            self.slot = max(SLOT, 1 << (mtu(self.sock, self.name) + SLOT_HEAD - 1).bit_length())
            for option, value in ((PACKET_VERSION, TPACKET_V2), (PACKET_VNET_HDR, 1), (PACKET_RESERVE, TAG)):
                self.sock.setsockopt(SOL_PACKET, option, value)
            block = max(mmap.PAGESIZE, self.slot)
            blocks = max(MEMORY, packets * self.slot) // block
            shape = struct.pack("4I", block, blocks, self.slot, blocks * (block // self.slot))
            set_option(self.sock.fileno(), SOL_PACKET, PACKET_RX_RING, shape)
            self.ring = mmap.mmap(self.sock.fileno(), block * blocks)
            request = struct.pack("iHH8s", socket.if_nametoindex(self.name), PACKET_MR_PROMISC, 0, b"")
            self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
            self.linktype = bind(self.sock, self.name, ETH_P_ALL)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.fd = self.sock.fileno()

    def take(self) -> Batch | None:
        """The next packets, which stay until `give`; None: there are none. Raises PktError."""
        try:
            rows, self.met, cut, _ = slots_read(self.ring, self.slot, self.at, TURN, self.linktype)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.cut += cut
        if not self.met:
            self.check()
            return None
        return Batch(self.ring, rows)

    def give(self) -> None:
        """Gives slots back to the kernel."""
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

    def check(self) -> None:
        """Asks the socket for what went wrong. Raises PktError."""
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise PktError(f"{self.name}: {'interface went down' if number == errno.ENETDOWN else os.strerror(number)}")

    def close(self) -> int:
        """Ends it, while others go on; gives how many packets the kernel dropped, for want of room, or were too long."""
        (dropped,) = struct.unpack_from("I", self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8), 4)
        Meanwhile(self.give_back)
        return dropped + self.cut

    def give_back(self) -> None:
        """Gives ring and socket back."""
        try:
            self.ring.close()
        except BufferError:
            pass  # somebody still looks at it; it goes with the process
        self.sock.close()
