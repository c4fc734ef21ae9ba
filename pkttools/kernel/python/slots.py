"""Slots of a TPACKET_V2 ring (linux/if_packet.h) of a socket with PACKET_VNET_HDR; twin of ../c/slots.c.

That a slot's bytes are seen once its status is, is left to the system call before, and to processors that keep loads in
order; C has barriers.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from array import array
from mmap import mmap

# struct tpacket2_hdr: status, size on the wire, captured size, where the bytes are, seconds, nanoseconds, tag, its EtherType
HEADER = struct.Struct("=IIIH2xIIHH4x")
HEAD = 52  # bytes that a slot begins with: that, and struct sockaddr_ll
FRAME, MOST = 80, 128  # where the frame begins in a slot that is filled, and how many are at once
KIND = 42  # where in a slot struct sockaddr_ll has its sll_pkttype
USER, COPY, VLAN_VALID, VLAN_TPID_VALID = 1, 2, 0x10, 0x40
VIRTIO = struct.Struct("=BBHHHH")  # struct virtio_net_hdr: flags, kind of segments, size of headers and segments, checksum
NEEDS_CSUM = 1
AUXDATA, SOL_PACKET, PACKET_AUXDATA, SO_TIMESTAMPING = struct.Struct("=IIIHHHH"), 263, 8, 37
ADDRESSES, TAG = 12, 4  # bytes of Ethernet's two addresses; of the tag, which stands behind them


def slots_read(ring: bytearray | mmap, size: int, first: int, most: int, linktype: int) -> tuple[bytearray, int, int, bool]:
    """The frames in up to `most` slots of `size` bytes from number `first` on, without copying them; never past the ring's end.

    In front of each stands its virtio header, 10 bytes. Tags that the kernel took off are put back. It stops at a slot that
    is the kernel's, and behind one whose frame is larger: that one waits in the socket's queue, and its row shows what there
    is of it. Returns rows, slots met, how many frames were larger and are not even there, and whether the last one waits.
    Raises ValueError for slots that are not in the ring, OSError (EBADMSG) when a frame lies outside of its slot.
    """
    most = min(most, _check(ring, size, first, most))
    rows = array("q")
    met = cut = 0
    aside = False
    while met < most and not aside:
        at = (first + met) * size
        status, original, captured, mac, seconds, nanoseconds, tag, ethertype = HEADER.unpack_from(ring, at)
        if not status & USER:
            break
        met += 1
        aside = bool(status & COPY)
        if not aside and captured < original:
            cut += 1
            continue
        tagged = TAG if status & VLAN_VALID and not aside else 0
        if mac < HEAD + VIRTIO.size + tagged or mac + captured > size:
            raise OSError(errno.EBADMSG, os.strerror(errno.EBADMSG))
        if tagged:
            _put_tag(ring, at + mac, min(captured, ADDRESSES), ethertype if status & VLAN_TPID_VALID else 0x8100, tag)
        time = seconds * 1_000_000_000 + nanoseconds
        rows.extend((at + mac - tagged, captured + tagged, original + tagged, time, linktype, 0, 0))
    return bytearray(rows.tobytes()), met, cut, aside


def _put_tag(ring: bytearray | mmap, frame: int, moved: int, ethertype: int, tag: int) -> None:
    """Virtio header and addresses move down, into the room that PACKET_RESERVE made."""
    flags, kind, headers, segment, start, offset = VIRTIO.unpack_from(ring, frame - VIRTIO.size)
    headers += TAG if headers else 0
    start += TAG if flags & NEEDS_CSUM else 0
    virtio = VIRTIO.pack(flags, kind, headers & 0xFFFF, segment, start & 0xFFFF, offset)
    ring[frame - TAG - VIRTIO.size : frame + moved] = virtio + ring[frame : frame + moved] + struct.pack("!HH", ethertype, tag)


def slots_give(ring: bytearray | mmap, size: int, first: int, count: int) -> None:
    """Gives slots back to the kernel: what lies in them is no longer ours. Raises ValueError for some that are not there."""
    if _check(ring, size, first, count) < count:
        raise ValueError("slots lie outside of the ring")
    for at in range(first * size, (first + count) * size, size):
        struct.pack_into("=I", ring, at, 0)


def slots_fill(fd: int, ring: bytearray | mmap, size: int) -> int:
    """Fills slots of `size` bytes, from the first one on, with what waits in a socket's queue, as the kernel fills those of a ring.

    Of where a packet came from only its way is said. Tags are those of PACKET_AUXDATA, times those of SO_TIMESTAMPING, else 0.
    Of a packet that no virtio header can tell of, which the kernel throws away (EINVAL of packet_recvmsg), nothing is there: a slot
    that was cut. Never waits. Returns how many slots were filled: 128 at most. Raises ValueError for slots without room, OSError.
    """
    there = min(_check(ring, size, 0, 0), MOST)
    if size <= FRAME:
        raise ValueError("slots have no room for a frame")
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, fileno=fd)
    except ValueError:  # Python's word for a negative one
        raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None
    done, waiting = 0, select.poll()
    waiting.register(fd, select.POLLIN)
    try:
        with memoryview(ring) as view:
            while done < there:
                at = done * size
                with view[at + FRAME - VIRTIO.size : at + size] as room:
                    if done and (waiting.poll(0) or [(fd, select.POLLIN)])[0][1] != select.POLLIN:
                        break  # an error, which is said the next time
                    got, kept, beside, whence = _received(sock, room)
                view[at : at + HEAD] = bytes(HEAD)
                view[at + KIND] = whence[2] if isinstance(whence, tuple) and len(whence) > 4 else 0
                status, seconds, nanoseconds, tag, ethertype = _heed(beside)
                HEADER.pack_into(view, at, status, max(got - VIRTIO.size, 0), kept, FRAME, seconds, nanoseconds, tag, ethertype)
                done += 1
    except BlockingIOError:
        pass
    finally:
        sock.detach()  # it is not ours to close
    return done


def _received(sock: socket.socket, room: memoryview) -> tuple[int, int, list[tuple[int, int, bytes]], object]:
    """How large a message was, how much of its frame is there, what is said beside it, and from where it came."""
    try:
        got, beside, _, whence = sock.recvmsg_into([room], 256, socket.MSG_DONTWAIT | socket.MSG_TRUNC)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return VIRTIO.size + 1, 0, [], None
    return got, max(min(got, len(room)) - VIRTIO.size, 0), beside, whence


def _heed(beside: list[tuple[int, int, bytes]]) -> tuple[int, int, int, int, int]:
    """What is said beside a message: status, seconds, nanoseconds, tag, its EtherType."""
    status, seconds, nanoseconds, tag, ethertype = USER, 0, 0, 0, 0
    for level, kind, octets in beside:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(octets) >= AUXDATA.size:
            said, _, _, _, _, tag, ethertype = AUXDATA.unpack_from(octets)
            status |= said & (VLAN_VALID | VLAN_TPID_VALID)
        elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING):
            seconds, nanoseconds = struct.unpack_from("@ll", octets)
    return status, seconds & 0xFFFFFFFF, nanoseconds, tag, ethertype


def _check(ring: bytearray | mmap, size: int, first: int, count: int) -> int:
    """How many slots there are from `first` on. Raises ValueError for what are no slots of a ring."""
    if size <= HEAD or size % 16 or first < 0 or count < 0 or first > len(ring) // size:
        raise ValueError("slots lie outside of the ring")
    return len(ring) // size - first
