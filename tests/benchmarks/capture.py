"""The reference capture, written here, and checksums computed in another way than the codec does."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

ICMP, TCP, UDP = 1, 6, 17
CHECKSUM_AT = {ICMP: 36, TCP: 50, UDP: 40}  # offset in the frame: Ethernet 14 bytes, IPv4 20, then the header's own
TTL_AT, PROTOCOL_AT, ICMP_TYPE_AT = 22, 23, 34
FILE_HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")  # seconds, microseconds, bytes in the file, bytes on the wire


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071). `data` is not all zeros: the ones' complement sum is then the rest by 65535."""
    rest = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    return (0xFFFF - rest) % 0xFFFF


def mend(frame: bytes) -> bytes:
    """The frame with right checksums. Only for frames of the capture: no VLAN tag, no IP options, no padding."""
    mended = bytearray(frame)
    protocol, transport = frame[PROTOCOL_AT], CHECKSUM_AT[frame[PROTOCOL_AT]]
    mended[24:26] = mended[transport : transport + 2] = b"\0\0"
    mended[24:26] = checksum(mended[14:34]).to_bytes(2, "big")
    pseudo = b"" if protocol == ICMP else mended[26:34] + struct.pack("!HH", protocol, len(frame) - 34)
    value = checksum(pseudo + mended[34:])
    if protocol == UDP:
        value = value or 0xFFFF  # zero says that there is none
    mended[transport : transport + 2] = value.to_bytes(2, "big")
    return bytes(mended)


def with_byte(frame: bytes, at: int, value: int) -> bytes:
    """The frame with one byte replaced."""
    return frame[:at] + bytes([value]) + frame[at + 1 :]


def _transport(number: int, udp_size: int, tcp_size: int, pattern: bytes) -> tuple[int, bytes]:
    """Protocol and bytes of what packet `number` carries in IP; sizes of payloads in bytes."""
    kind, port = number % 4, 1000 + number % 60000
    if kind == 1:
        header = struct.pack("!HHHH", port, 53, 8 + udp_size, 0)
    elif kind == 2:
        header = struct.pack("!HHIIBBHHH", port, 443, number, 0, 0x50, 0x10, 65535, 0, 0)
    else:
        header = struct.pack("!BBHHH", 0 if kind else 8, 0, 0, number & 0xFFFF, number >> 16)
    size = (56, udp_size, tcp_size, 56)[kind]
    return (ICMP, UDP, TCP, ICMP)[kind], header + (pattern * (size // 8 + 1))[:size]


def frames(count: int) -> Iterator[bytes]:
    """The frames: echo requests, UDP to port 53, TCP, echo replies in turn; the same ones every time."""
    chance = random.Random(1)
    for number in range(count):
        # All of them for every packet, in this order: it is what makes the file the known one.
        host, udp_size, tcp_size = chance.randrange(256), chance.choice((18, 200, 512)), chance.choice((0, 0, 1000, 1400))
        protocol, carried = _transport(number, udp_size, tcp_size, bytes(chance.getrandbits(8) for _ in range(8)))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(carried), number & 0xFFFF, 0, 64, protocol, 0)
        addresses = bytes([10, 0, number >> 8 & 255, number & 255, 10, 1, 0, host])
        yield mend(bytes.fromhex("00112233445566778899aabb0800") + ip + addresses + carried)


def write_capture(path: Path, count: int) -> None:
    """Writes `count` packets, 283 bytes each on average."""
    write_frames(path, frames(count))


def write_frames(path: Path, written: Iterable[bytes], step: int = 1) -> None:
    """Writes frames, 10 microseconds apart; or so many times that, if they are every `step`-th of others."""
    with path.open("wb") as file:
        file.write(FILE_HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(written):
            seconds, tens = divmod(number * step, 100000)
            file.write(RECORD.pack(1700000000 + seconds, tens * 10, len(frame), len(frame)) + frame)


def file_header(path: Path) -> tuple[int, ...]:
    """Magic, version and link type of a little-endian capture. Text does not carry the snap length: it may differ."""
    with path.open("rb") as file:
        magic, major, minor, _, _, _, linktype = FILE_HEADER.unpack(file.read(FILE_HEADER.size).ljust(FILE_HEADER.size, b"\0"))
    return magic, major, minor, linktype


def records(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The records of a little-endian capture, as header and frame, one at a time: files are larger than what we may keep.

    What was truncated is given as it is.
    """
    with path.open("rb") as file:
        file.seek(FILE_HEADER.size)
        while header := file.read(RECORD.size):
            yield header, file.read(RECORD.unpack(header)[2]) if len(header) == RECORD.size else b""
