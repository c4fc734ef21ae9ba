"""Blocks of a TPACKET_V3 ring (linux/if_packet.h); twin of ../c/ring.c. What stands in them is checked like any input.

That a block's bytes are seen once its status is, is left to the system call before, and to processors that keep loads in
order; C has barriers.
"""

from __future__ import annotations

import errno
import os
import struct
from array import array
from mmap import mmap

HEAD = 48  # bytes that a block begins with: struct tpacket_block_desc
STATUS = 8  # where in it
USED = 20  # and the number of its bytes that are used
COUNT_FIRST = struct.Struct("=12xII")  # number of packets, where the first one is
# struct tpacket3_hdr: next, seconds, nanoseconds, captured size, size on the wire, status, where its bytes are, tag, tag's
# EtherType; then struct sockaddr_ll: protocol as on the wire, hardware type, the packet's type, the sender's address and its length
PACKET = struct.Struct("=6IH6xIH12x2s4xHBB8s")
USER, CSUMNOTREADY, VLAN_VALID, VLAN_TPID_VALID = 1, 0x08, 0x10, 0x40
BY_CARD = 31  # the bit of a packet's status that says that its time is the card's
OUTGOING = 4
ADDRESSES, TAG = 12, 4  # bytes of Ethernet's two addresses; of the tag, which stands behind them
HEADER = struct.Struct("!HHH8s2s")  # of a cooked packet: LINKTYPE_LINUX_SLL; its protocol is last, and the tag in front of that


def ring_read(ring: bytearray | mmap, at: int, size: int, wanted: tuple[bool, bool], linktype: int, cooked: bool, limit: int,
              nano: bool, notes: tuple[int, int, int, int]) -> tuple[bytearray, bytearray, int, int]:  # fmt: skip
    """The packets of the block of `size` bytes at `at`, without copying them. Tags that the kernel kept apart are put back.

    wanted: whether packets that came in are, and those that went out. cooked: whether the socket takes link headers off:
    packets get one of LINKTYPE_LINUX_SLL, of what the kernel says of them, in the 16 bytes that it leaves there. limit: bytes
    to show of each. nano: times with all digits, else microseconds. notes: offset and size in the block of the extension lines
    of packets that came in, and of those that went out. Returns the rows of those wanted, once more the rows of those whose
    checksum was left to the card, how many packets the block has, and how many of the rows have the time of the card. Raises
    BlockingIOError when the kernel has not handed the block over, OSError (EBADMSG) when a packet lies outside of it.
    """
    _check(ring, at, size)
    _handed_over(ring, at)
    count, start = COUNT_FIRST.unpack_from(ring, at)
    if count > (size - HEAD) // PACKET.size:
        raise _bad()
    rows, unfinished, by_card = array("q"), array("q"), 0
    end = at + size
    start += at
    for left in range(count - 1, -1, -1):
        if start + PACKET.size > end:
            raise _bad()
        (after, seconds, nanoseconds, captured, original, status, mac, tag, ethertype,
         protocol, hardware, kind, length, address) = PACKET.unpack_from(ring, start)  # fmt: skip
        tagged = TAG if status & VLAN_VALID else 0
        headed = HEADER.size if cooked else 0
        frame = start + mac - headed
        if mac < PACKET.size + headed + tagged or start + mac + captured > end:
            raise _bad()
        way = kind == OUTGOING
        if wanted[way]:
            if cooked:
                HEADER.pack_into(ring, frame, kind, hardware, length, address[:length], protocol)
            if tagged:  # what is in front moves down, into the room that PACKET_RESERVE made
                ethertype = ethertype if status & VLAN_TPID_VALID else 0x8100
                moved = headed - 2 if cooked else min(captured, ADDRESSES)
                ring[frame - TAG : frame + moved] = ring[frame : frame + moved] + struct.pack("!HH", ethertype, tag & 0xFFFF)
            captured, original = min(captured + headed + tagged, limit), original + headed + tagged
            time = seconds * 1_000_000_000 + nanoseconds
            row = (
                frame - tagged, captured, max(original, captured), time if nano else time - time % 1000, linktype,
                at + notes[2 * way], notes[2 * way + 1],
            )  # fmt: skip
            rows.extend(row)
            by_card += status >> BY_CARD & 1
            if status & CSUMNOTREADY:
                unfinished.extend(row)
        if left and after < PACKET.size:
            raise _bad()
        start += after
    return bytearray(rows.tobytes()), bytearray(unfinished.tobytes()), count, by_card


def ring_give(ring: bytearray | mmap, at: int) -> None:
    """Gives the block at `at` back to the kernel: what lies in it is no longer ours."""
    _check(ring, at, HEAD + 1)
    struct.pack_into("=I", ring, at + STATUS, 0)


def ring_take(ring: bytearray | mmap, at: int, size: int) -> bytearray:
    """A copy of what is used of the block of `size` bytes at `at`, which the kernel gets back; to be read as a ring of its own.

    Raises as `ring_read`.
    """
    _check(ring, at, size)
    _handed_over(ring, at)
    (used,) = struct.unpack_from("=I", ring, at + USED)
    if not HEAD < used <= size:
        raise _bad()
    taken = bytearray(ring[at : at + used])
    ring_give(ring, at)
    return taken


def _handed_over(ring: bytearray | mmap, at: int) -> None:
    """Raises BlockingIOError while the block at `at` is the kernel's."""
    if not struct.unpack_from("=I", ring, at + STATUS)[0] & USER:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _check(ring: bytearray | mmap, at: int, size: int) -> None:
    """Raises ValueError unless a block of `size` bytes is there."""
    if not 0 <= at <= len(ring) - size or size <= HEAD or at % 8:
        raise ValueError("block lies outside of the ring")


def _bad() -> OSError:
    """What a block that cannot be right raises."""
    return OSError(errno.EBADMSG, os.strerror(errno.EBADMSG))
