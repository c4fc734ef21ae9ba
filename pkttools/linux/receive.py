"""Packets from an interface: AF_PACKET, see packet(7)."""

from __future__ import annotations

import errno
import socket
import struct
import time
from array import array
from collections.abc import Iterator

from .. import codec
from ..batch import COLUMNS, MAX_FRAME, Batch
from ..errors import PktError, counted
from ..signals import Interrupted, wait
from .interface import ARPHRD_LOOPBACK, ETH_P_ALL, SOL_PACKET, bind, grow, open_socket

# Options of SOL_PACKET, linux/if_packet.h; Python's socket module has none of them.
PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_AUXDATA = 1, 6, 8
PACKET_MR_PROMISC = 1
PACKET_OUTGOING = 4
SO_TIMESTAMPNS = 35

# struct tpacket_auxdata: status, length on the wire, captured length, mac, net, tag, tag's EtherType
AUXDATA = struct.Struct("=IIIHHHH")
TP_STATUS_CSUMNOTREADY, TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 0x08, 0x10, 0x40
TIMESPEC = struct.Struct("=qq")

BUFFER = 32 << 20  # bytes that the kernel may keep for us; a scheduling gap of 2 ms overflows the usual 200 KB
BATCH_BYTES, BATCH_PACKETS = 1 << 20, 512
TAG = 4


class Receiver:
    """An interface to receive from.

    direction: None, "in" or "out". buffer: bytes that the kernel may keep for us, 0 for the usual. finish: whether
    transport checksums that the kernel left to the card are computed, as the wire would carry them. nano: times with all
    digits, else microseconds. seconds: how long. notes: whether each packet says where it was captured, and which way it
    went.
    """

    def __init__(self, interface: str | None, *, promiscuous: bool, direction: str | None, buffer: int,
                 finish: bool, nano: bool, seconds: float | None, notes: bool) -> None:  # fmt: skip
        self.sock = open_socket(interface, "capture")
        self.name = interface or ""
        self.finish, self.nano, self.seconds = finish, nano, seconds
        self.frame = memoryview(bytearray(MAX_FRAME))
        self.received = self.unfinished = self.stamp = 0
        self.down = False
        notes_in, notes_out = (f"IFACE: {self.name}\nWAY: {way}\n".encode() for way in ("in", "out"))
        self.notes = {False: notes_in, True: notes_out} if notes else {False: b"", True: b""}
        try:
            self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            grow(self.sock, buffer or BUFFER)
            self.linktype = bind(self.sock, self.name, ETH_P_ALL)
            if promiscuous:
                request = struct.pack("iHH8s", socket.if_nametoindex(self.name), PACKET_MR_PROMISC, 0, b"")
                self.sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.sock.setblocking(False)
        loopback = self.sock.getsockname()[3] == ARPHRD_LOOPBACK  # shows each packet going out and coming in: once is enough
        self.wanted = {"in": {False}, "out": {True}, None: {False} if loopback else {False, True}}[direction]

    def __iter__(self) -> Iterator[Batch]:
        """Batches as they come, until the time is over or a signal comes; then what the kernel still holds."""
        deadline = None if self.seconds is None else time.monotonic() + self.seconds
        try:
            while deadline is None or time.monotonic() < deadline:
                wait([self.sock.fileno()], self.patience(deadline))
                batch = self.batch()
                if batch:
                    yield batch
        except Interrupted:
            pass
        last = time.time_ns()  # what came later is not ours any more: a busy interface would never end
        while (batch := self.batch()) is not None:
            yield batch
            if self.stamp > last:
                break

    def patience(self, deadline: float | None) -> float | None:
        """Seconds to wait for a packet, at most a day: select(2) does not take any number."""
        if self.down:
            return 0
        return None if deadline is None else min(max(0, deadline - time.monotonic()), 86400)

    def batch(self) -> Batch | None:
        """What the kernel holds, up to a batch, empty if none of it is wanted; None when there is nothing."""
        data, rows, unfinished = bytearray(), array("q"), []
        count = 0
        while count < BATCH_PACKETS and len(data) <= BATCH_BYTES and self.packet(data, rows, unfinished):
            count += 1
        if not count:
            if self.down:
                raise PktError(f"{self.name}: interface went down")
            return None
        batch = Batch(data, bytearray(rows.tobytes()))
        for i in unfinished:
            self.unfinished += 1 - codec.correct(data, batch.part(i, i + 1).rows, codec.TRANSPORT)[0]
        return batch

    def packet(self, data: bytearray, rows: array, unfinished: list[int]) -> bool:
        """Appends one packet. False when there is none."""
        try:
            size, controls, _, address = self.sock.recvmsg_into([self.frame], 256)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise PktError(f"{self.name}: {error.strerror}") from None
            self.down = True  # said once, before the packets that came until then
            return self.packet(data, rows, unfinished)
        outgoing = address[2] == PACKET_OUTGOING
        frame = bytes(self.frame[:size])
        original, seconds, nanoseconds = len(frame), 0, 0
        for level, kind, value in controls:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, original, _, _, _, tag, ethertype = AUXDATA.unpack_from(value)
                if status & TP_STATUS_VLAN_VALID:  # the kernel keeps the outer tag apart: put it back
                    if not status & TP_STATUS_VLAN_TPID_VALID:
                        ethertype = 0x8100
                    frame = frame[:12] + struct.pack("!HH", ethertype, tag) + frame[12:]
                    original += TAG
                if status & TP_STATUS_CSUMNOTREADY and self.finish and outgoing in self.wanted:
                    unfinished.append(len(rows) // COLUMNS)
            elif level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = TIMESPEC.unpack_from(value)
        if not seconds:
            seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        self.stamp = seconds * 1_000_000_000 + nanoseconds
        if outgoing not in self.wanted:
            return True
        if not self.nano:
            nanoseconds -= nanoseconds % 1000
        frame = frame[:MAX_FRAME]
        notes = self.notes[outgoing]
        offset = len(data)
        data += frame
        data += notes
        when = seconds * 1_000_000_000 + nanoseconds
        rows.extend((offset, len(frame), max(original, len(frame)), when, self.linktype, offset + len(frame), len(notes)))
        self.received += 1
        return True

    def close(self) -> str:
        """Ends the capture; gives what there is to say: received, dropped by the kernel."""
        _, dropped = struct.unpack("=II", self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.sock.close()
        said = f"{self.name}: {counted(self.received, 'packet')} received, {dropped} dropped by the kernel"
        if self.unfinished:
            said += f", {self.unfinished} with a checksum that could not be finished"
        return said
