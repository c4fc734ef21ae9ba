"""Segments of TCP and other packets, by who sends them, for tests of conversations."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

from samples import ethernet, over_udp

from pkttools import codec
from pkttools.batch import Batch, Packet, gathered
from pkttools.protocols.ends import PORTS, ends, keeping_apart

MEMORY = 1 << 30
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16}
WHAT = ("SEGMENT", "FROM_SYN", "ACK_FROM_SYN", "NEW_CONNECTION", "REPEATED", "FILLS", "GAP", "UNSEEN", "KEEP_ALIVE", "PROBE",
        "D_SACK", "DUPLICATE_ACK", "EARLIER", "OUTSIDE", "FAST_OPEN", "SIMULTANEOUS", "SCALED")  # fmt: skip
A, B = ("10.0.0.1", 1000), ("10.0.0.2", 80)
MS = 1_000_000


def ip(source: str, destination: str, protocol: int, payload: bytes, fragment: int = 0, number: int = 1) -> bytes:
    """A datagram of IPv4 or IPv6; of the latter only whole ones."""
    one, other = ip_address(source), ip_address(destination)
    if one.version == 6:
        return pack("!IHBB", 6 << 28, len(payload), protocol, 64) + one.packed + other.packed + payload
    return pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0, one.packed, other.packed) + payload


def framed(datagram: bytes) -> bytes:
    """The same in Ethernet."""
    return ethernet(0x86DD if datagram[0] >> 4 == 6 else 0x0800, datagram)


def segment(source: tuple[str, int], destination: tuple[str, int], flags: str, sequence: int, ack: int = 0, size: int = 0,
            window: int = 1000, options: bytes = b"") -> bytes:  # fmt: skip
    """A segment of TCP in a datagram; flags as tcpdump writes them. An acknowledgement is one where `.` is among them."""
    options += b"\0" * (-len(options) % 4)
    bits = sum(FLAGS[flag] for flag in flags)
    head = pack("!HHIIBBHHH", source[1], destination[1], sequence % 2**32, ack % 2**32, 80 + 4 * len(options), bits, window, 0, 0)
    return ip(source[0], destination[0], 6, head + options + bytes(size))


def udp(source: tuple[str, int], destination: tuple[str, int], payload: bytes = b"") -> bytes:
    """A datagram of UDP."""
    return ip(source[0], destination[0], 17, pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload)


def in_gtp(
    tunnel: int, datagram: bytes, source: str = "192.0.2.1", destination: str = "192.0.2.2", sequence: bool = False
) -> bytes:
    """GTP-U in UDP."""
    more = bytes(4) if sequence else b""
    head = pack("!BBHI", 0x32 if sequence else 0x30, 255, len(more) + len(datagram), tunnel) + more
    return framed(ip(source, destination, 17, over_udp(2152, head + datagram, 2152)))


def pieces(number: int = 7, source: str = A[0], destination: str = B[0]) -> list[bytes]:
    """The fragments of a datagram of UDP."""
    whole = pack("!HHHH", 1000, 80, 40, 0) + bytes(32)
    return [
        framed(ip(source, destination, 17, whole[at : at + 16], at // 8 | (0x2000 if at < 32 else 0), number)) for at in (0, 16, 32)
    ]


def batch_of(packets: list[tuple[int, bytes]], linktype: int = 1) -> Batch:
    """Frames with times in milliseconds."""
    return gathered([Packet(frame, len(frame), time * MS, linktype) for time, frame in packets])


def table(level: int = PORTS, most: int = 1 << 20, memory: int = MEMORY, forget: bool = False, of: object = codec) -> object:
    """A table of conversations."""
    return of.conversation_table(level, most, memory, forget, 12345, ends(), keeping_apart())  # type: ignore[attr-defined]


def words(what: int) -> set[str]:
    """What is said of a segment."""
    return {word for bit, word in enumerate(WHAT) if what >> bit & 1}
