"""Rings of packet sockets, packet(7), which the kernel fills and we read in place; and what else who receives asks of a socket."""

from __future__ import annotations

import mmap
import struct

from .interface import SOL_PACKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP = 1, 2  # linux/if_packet.h
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION, PACKET_RESERVE = 5, 6, 10, 12
PACKET_MR_PROMISC = 1
TPACKET_V2, TPACKET_V3 = 1, 2  # rings of slots, a packet each; of blocks of packets
TAG = 4  # bytes that a VLAN tag needs in front of the packet, where the kernel took it off
SLOT, SLOT_HEAD = 2048, 128  # bytes of a slot at least; beside an MTU: the kernel's, virtio's, Ethernet's and tags' headers


def slot_size(mtu: int) -> int:
    """Bytes of a slot: a power of two, as many fit into a page, or pages into it."""
    return max(SLOT, 1 << (mtu + SLOT_HEAD - 1).bit_length())


def slots(size: int, memory: int) -> tuple[int, int, int, int]:
    """The shape of a ring of slots: bytes of a block, how many, bytes of a slot, how many. memory: bytes of all, about."""
    block = max(mmap.PAGESIZE, size)
    blocks = max(4, memory // block)
    return block, blocks, size, blocks * (block // size)


def mapped(sock: socket, version: int, *shape: int) -> mmap.mmap:
    """A ring, before the socket is bound: nothing comes in yet. shape: struct tpacket_req, or tpacket_req3. Raises OSError."""
    sock.setsockopt(SOL_PACKET, PACKET_VERSION, version)
    sock.setsockopt(SOL_PACKET, PACKET_RESERVE, TAG)
    sock.setsockopt(SOL_PACKET, PACKET_RX_RING, struct.pack(f"{len(shape)}I", *shape))
    return mmap.mmap(sock.fileno(), shape[0] * shape[1])


def promiscuous(sock: socket, index: int) -> None:
    """Lets an interface, by its number, hand over what is for others, until the socket is closed. Raises OSError."""
    sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))


def no_longer_promiscuous(sock: socket, index: int) -> None:
    """Ends that before the socket is closed, if it was so: who leaves a socket does not know when."""
    try:
        sock.setsockopt(SOL_PACKET, PACKET_DROP_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
    except OSError:
        pass  # it was not, or the interface is gone


def counts(sock: socket) -> tuple[int, int]:
    """What the kernel has counted since it was asked last: packets, and how many of them it dropped, for want of room."""
    packets, dropped = struct.unpack_from("2I", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    return packets, dropped
