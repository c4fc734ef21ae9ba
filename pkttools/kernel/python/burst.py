"""Bursts of frames, with what Python's socket has: a system call a frame."""

from __future__ import annotations

import socket

ROW_COLUMNS, OFFSET, CAPTURED = 7, 0, 1  # a row of a batch, see pkttools/batch.py: only where the bytes lie counts here
ROW_BYTES = ROW_COLUMNS * 8


def columns_of(rows: bytearray, first: int, count: int) -> list[int]:
    """The columns of so many rows, which are there."""
    with memoryview(rows) as view, view[first * ROW_BYTES : (first + count) * ROW_BYTES] as wanted:
        return wanted.cast("B").cast("q").tolist()


def spans_of(values: list[int], first: int, size: int, headroom: int = 0) -> list[tuple[int, int]]:
    """Where packets lie in so many bytes of data, and how many bytes they have. Raises ValueError for one that does not."""
    spans = list(zip(values[OFFSET::ROW_COLUMNS], values[CAPTURED::ROW_COLUMNS], strict=True))
    for i, (offset, captured) in enumerate(spans, first):
        if offset < headroom or captured < 0 or offset + captured > size:
            raise ValueError(f"packet {i} lies outside of its batch")
    return spans


def send_burst(fd: int, data: bytearray, rows: bytearray, first: int, count: int, headroom: int = 0) -> tuple[int, int, int]:
    """Sends `count` packets of a batch from number `first` on through a socket, up to the first that fails. Never waits.

    Returns how many were sent, their bytes, and the errno of the next one: 0 when all were sent, or when a signal stopped
    it between two. headroom: bytes in front of each frame that are sent with it, and not counted. Raises ValueError, before
    anything is sent, when a packet does not lie within `data`.
    """
    if len(rows) % ROW_BYTES:
        raise ValueError("rows are not whole packets")
    if fd < 0 or first < 0 or count < 0 or headroom < 0 or first + count > len(rows) // ROW_BYTES:
        raise ValueError("descriptor, first packet, count or headroom out of range")
    spans = spans_of(columns_of(rows, first, count), first, len(data), headroom)
    if not spans:
        return 0, 0, 0
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, fileno=fd)
    except OSError as error:
        return 0, 0, error.errno or 0
    send, sent, total = sock.send, 0, 0
    try:
        with memoryview(data) as frames:
            for offset, captured in spans:
                send(frames[offset - headroom : offset + captured], socket.MSG_DONTWAIT)
                sent += 1
                total += captured
    except OSError as error:
        return sent, total, error.errno or 0
    finally:
        sock.detach()  # it is not ours to close
    return sent, total, 0
