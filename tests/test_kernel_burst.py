"""Bursts of frames through a socket: the C function and its twin, with the same results and the same errors."""

from __future__ import annotations

import errno
import os
import random
import socket
from array import array
from collections.abc import Iterator
from types import ModuleType

import pytest

import pkttools.kernel.python as python_kernel
from pkttools.batch import ROW_BYTES, Batch, Packet, gathered

TOO_LONG = bytes(70_000)  # no datagram of IPv4 is that long: EMSGSIZE
FAR = 2**63 - 1


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Datagrams over the loopback interface: a connected sender and its receiver."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        sender.connect(receiver.getsockname())
        yield sender, receiver


def batch(frames: list[bytes]) -> Batch:
    """Frames with extension lines between them, as decoders make them."""
    return gathered(Packet(data, len(data), 0, 1, b"NOTE: x\n") for data in frames)


def numbered(count: int, size: int = 40) -> list[bytes]:
    """Frames of sizes and bytes of their own."""
    return [i.to_bytes(4, "big") + bytes(i % size) for i in range(count)]


def arrived(receiver: socket.socket) -> list[bytes]:
    """All datagrams that wait."""
    found = []
    try:
        while True:
            found.append(receiver.recv(65536))
    except BlockingIOError:
        return found


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 128, 200])
def test_all_are_sent_in_order(kernel, wire, count):
    sender, receiver = wire
    frames = numbered(count)
    b = batch(frames)
    assert kernel.send_burst(sender.fileno(), b.data, b.rows, 0, count) == (count, sum(map(len, frames)), 0)
    assert arrived(receiver) == frames


@pytest.mark.parametrize(("first", "count"), [(0, 5), (5, 0), (5, 100), (199, 1), (200, 0)])
def test_a_part(kernel, wire, first, count):
    sender, receiver = wire
    frames = numbered(200)
    b = batch(frames)
    wanted = frames[first : first + count]
    assert kernel.send_burst(sender.fileno(), b.data, b.rows, first, count) == (count, sum(map(len, wanted)), 0)
    assert arrived(receiver) == wanted


def test_a_frame_without_bytes_is_a_frame(kernel, wire):
    sender, receiver = wire
    b = batch([b"", b"x", b""])
    assert kernel.send_burst(sender.fileno(), b.data, b.rows, 0, 3) == (3, 1, 0)
    assert arrived(receiver) == [b"", b"x", b""]


@pytest.mark.parametrize("bad", [[0], [1], [63], [64], [65], [127, 128], [0, 1, 2], [149], list(range(0, 150, 2))], ids=str)
def test_it_stops_at_the_first_that_fails_and_goes_on_behind_it(kernel, wire, bad):
    sender, receiver = wire
    frames = numbered(150)
    for i in bad:
        frames[i] = TOO_LONG
    b = batch(frames)
    first, failed = 0, []
    while first < len(frames):
        sent, size, error = kernel.send_burst(sender.fileno(), b.data, b.rows, first, len(frames) - first)
        assert size == sum(map(len, frames[first : first + sent]))
        first += sent
        if error:
            assert error == errno.EMSGSIZE
            failed.append(first)
            first += 1
    assert failed == bad
    assert arrived(receiver) == [data for data in frames if data is not TOO_LONG]


def test_it_does_not_wait_for_room(kernel):
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        frames = [bytes([i % 256]) * 1000 for i in range(5000)]
        b = batch(frames)
        sent, size, error = kernel.send_burst(sender.fileno(), b.data, b.rows, 0, len(frames))
        assert 0 < sent < len(frames)
        assert (size, error) == (sent * 1000, errno.EAGAIN)
        receiver.setblocking(False)
        assert arrived(receiver) == frames[:sent]
        assert kernel.send_burst(sender.fileno(), b.data, b.rows, sent, 1) == (1, 1000, 0)


def test_nobody_there_any_more(kernel):
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.close()
    b = batch([b"x"])
    with sender:
        assert kernel.send_burst(sender.fileno(), b.data, b.rows, 0, 1) == (0, 0, errno.ECONNREFUSED)


def test_descriptors_that_are_no_sockets(kernel):
    b = batch([b"x"])
    reading, writing = os.pipe()
    assert kernel.send_burst(writing, b.data, b.rows, 0, 1) == (0, 0, errno.ENOTSOCK)
    assert kernel.send_burst(writing, b.data, b.rows, 0, 0) == (0, 0, 0)
    os.close(reading)
    os.close(writing)
    assert kernel.send_burst(writing, b.data, b.rows, 0, 1) == (0, 0, errno.EBADF)


def test_the_socket_stays_open(kernel, wire):
    sender, receiver = wire
    b = batch([b"x"])
    for _ in range(3):
        kernel.send_burst(sender.fileno(), b.data, b.rows, 0, 1)
    sender.send(b"y")
    assert arrived(receiver) == [b"x"] * 3 + [b"y"]


@pytest.mark.parametrize(
    "row",
    [(-1, 1), (0, -1), (0, 21), (20, 1), (21, 0), (19, 2), (FAR, 1), (1, FAR), (FAR, FAR), (-FAR - 1, 5), (5, -FAR - 1)],
    ids=str,
)
@pytest.mark.parametrize("place", [0, 1, 99])
def test_a_row_outside_of_the_data_is_an_error_before_anything_is_sent(kernel, wire, row, place):
    sender, receiver = wire
    rows = [(i % 15, 5) for i in range(100)]
    rows[place] = row
    packed = array("q", [n for offset, captured in rows for n in (offset, captured, captured, 0, 1, 0, 0)]).tobytes()
    with pytest.raises(ValueError, match=f"packet {place} lies outside of its batch"):
        kernel.send_burst(sender.fileno(), bytes(20), packed, 0, 100)
    assert arrived(receiver) == []
    if place:  # rows that are not asked for are not looked at
        assert kernel.send_burst(sender.fileno(), bytes(20), packed, 0, place)[0] == place


@pytest.mark.parametrize("row", [(20, 0), (0, 20), (19, 1)], ids=str)
def test_a_row_at_the_end_of_the_data_is_none(kernel, wire, row):
    packed = array("q", [*row, row[1], 0, 1, 0, 0]).tobytes()
    assert kernel.send_burst(wire[0].fileno(), bytes(20), packed, 0, 1) == (1, row[1], 0)


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, -1), (0, 4), (4, 0), (3, 1), (2, 2), (1 << 62, 1 << 62)], ids=str)
def test_wrong_numbers(kernel, wire, first, count):
    b = batch(numbered(3))
    with pytest.raises(ValueError, match="descriptor, first packet, count or headroom out of range"):
        kernel.send_burst(wire[0].fileno(), b.data, b.rows, first, count)
    with pytest.raises(ValueError, match="descriptor, first packet, count or headroom out of range"):
        kernel.send_burst(-1, b.data, b.rows, 0, 1)


@pytest.mark.parametrize("size", [1, ROW_BYTES - 1, ROW_BYTES + 8])
def test_half_rows(kernel, wire, size):
    with pytest.raises(ValueError, match="rows are not whole packets"):
        kernel.send_burst(wire[0].fileno(), bytes(20), bytes(size), 0, 0)


def test_rows_anywhere_in_memory(kernel, wire):
    sender, receiver = wire
    frames = numbered(70)
    b = batch(frames)
    odd = memoryview(b"x" + bytes(b.rows))[1:]
    assert kernel.send_burst(sender.fileno(), bytes(b.data), odd, 0, 70)[0] == 70
    assert arrived(receiver) == frames


def test_no_buffer_is_held_afterwards(kernel, wire):
    b = batch([*numbered(3), TOO_LONG])
    kernel.send_burst(wire[0].fileno(), b.data, b.rows, 0, 4)
    b.data.append(0)  # BufferError if somebody still looked at it
    b.rows.append(0)
    with pytest.raises(ValueError, match="rows are not whole packets"):
        kernel.send_burst(wire[0].fileno(), b.data, b.rows, 0, 1)
    b.data.append(0)
    b.rows.append(0)


def test_backends_do_the_same():
    """Random rows, right and wrong, with failures among them."""
    c_kernel = pytest.importorskip("pkttools.kernel._c", reason="the C functions were not built")
    dice = random.Random(7)
    data = bytearray(dice.randbytes(70_100))

    def outcome(kernel: ModuleType, rows: bytes, first: int, count: int) -> object:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            receiver.bind(("127.0.0.1", 0))
            receiver.setblocking(False)
            sender.connect(receiver.getsockname())
            try:
                return kernel.send_burst(sender.fileno(), data, rows, first, count), arrived(receiver)
            except ValueError as error:
                return str(error), arrived(receiver)

    kinds = set()
    for _ in range(400):
        columns = array("q")
        for _ in range(dice.choice([0, 1, 3, 64, 65, 100])):
            wrong = dice.random() < 0.004
            offset = dice.choice([-1, 70_100, FAR]) if wrong else dice.randrange(100)
            captured = 70_000 if dice.random() < 0.01 else dice.randrange(60)
            columns.extend((offset, captured, *(dice.choice([0, -1, FAR]) for _ in range(5))))
        rows = columns.tobytes() + bytes(dice.choice([0] * 20 + [8]))
        first, count = dice.choice([(0, len(columns) // 7), (dice.randrange(-1, 5), dice.randrange(-1, 102))])
        both = [outcome(kernel, rows, first, count) for kernel in (c_kernel, python_kernel)]
        assert both[0] == both[1]
        kinds.add(both[0][0].split()[0] if isinstance(both[0][0], str) else both[0][0][2])
    assert kinds == {0, errno.EMSGSIZE, "packet", "rows", "descriptor,"}
