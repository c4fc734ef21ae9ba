"""Times of packets that the network card itself took: packet(7), Documentation/networking/timestamping.rst."""

from __future__ import annotations

import _socket as socket  # as in interface.py
import errno
import os
import struct

from ...errors import PktError
from .interface import SOL_PACKET

PACKET_TIMESTAMP = 17  # linux/if_packet.h
SIOCETHTOOL, SIOCSHWTSTAMP = 0x8946, 0x89B0  # linux/sockios.h
GET_TS_INFO = 0x41  # linux/ethtool.h
INFO = struct.Struct("=IIiI12xI12x")  # struct ethtool_ts_info: command, flags, number of a clock, ways to send, filters
RX_SOFTWARE, RX_HARDWARE, RAW_HARDWARE = 1 << 3, 1 << 2, 1 << 6  # flags, linux/net_tstamp.h
EVERY_PACKET = 1  # a filter: HWTSTAMP_FILTER_ALL


def request(sock: socket.socket, name: str, number: int, data: bytearray) -> None:
    """Asks an interface for something, with data that the kernel reads and writes. Raises OSError."""
    import ctypes
    import fcntl

    there = (ctypes.c_char * len(data)).from_buffer(data)
    fcntl.ioctl(sock, number, struct.pack("16sP16x", os.fsencode(name), ctypes.addressof(there)))


def flags(sock: socket.socket, name: str) -> tuple[int, int]:
    """What kinds of times an interface has for packets, and for which of those that come in. Raises OSError."""
    info = bytearray(INFO.pack(GET_TS_INFO, 0, 0, 0, 0))
    request(sock, name, SIOCETHTOOL, info)
    _, kinds, _, _, filters = INFO.unpack(info)
    return kinds, filters


def take_from_card(sock: socket.socket, name: str) -> None:
    """Lets packets that a socket receives have the card's times, where it has any. Raises PktError where it has none.

    What the card was told stays when the socket is closed: others may go by it.
    """
    try:
        kinds, filters = flags(sock, name)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL):
            raise PktError(f"{name}: {error.strerror}") from None
        kinds = filters = 0
    if not (kinds & RX_HARDWARE and kinds & RAW_HARDWARE and filters >> EVERY_PACKET & 1):
        raise PktError(f"{name}: its card takes no times of packets, or not of all: only the kernel's are to be had")
    try:
        request(sock, name, SIOCSHWTSTAMP, bytearray(struct.pack("=3i", 0, 0, EVERY_PACKET)))
        sock.setsockopt(SOL_PACKET, PACKET_TIMESTAMP, RAW_HARDWARE)
    except PermissionError:
        raise PktError(f"{name}: not allowed to let the card take times: that is for CAP_NET_ADMIN") from None
    except OSError as error:
        raise PktError(f"{name}: the card takes no times: {error.strerror}") from None
