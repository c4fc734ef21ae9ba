"""Slots of a TPACKET_V2 ring, built here byte by byte: what is read in them, and that nothing in them is believed."""

from __future__ import annotations

import errno
import random
import socket
import struct
import time
from importlib import import_module

import pytest

from pkttools.batch import CAPTURED, LINKTYPE, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Batch

USER, COPY, VLAN_VALID, VLAN_TPID_VALID = 1, 2, 0x10, 0x40
SIZE, MAC, HEAD = 256, 80, 52  # bytes of a slot; where a frame begins in it, as the kernel does it; what stands before it at least
VIRTIO = struct.Struct("=BBHHHH")
NOTHING = bytes(10)
FRAME = bytes(range(60))


def slot(frame: bytes, *, status: int = USER, captured: int | None = None, original: int | None = None, mac: int = MAC,
         seconds: int = 1, nanoseconds: int = 0, tag: int = 0, ethertype: int = 0, virtio: bytes = NOTHING) -> bytes:  # fmt: skip
    """A slot: struct tpacket2_hdr, virtio header, frame."""
    captured = len(frame) if captured is None else captured
    original = captured if original is None else original
    made = bytearray(SIZE)
    struct.pack_into("=IIIHHIIHH", made, 0, status, original, captured, mac, mac & 0xFF, seconds, nanoseconds, tag, ethertype)
    made[MAC - 10 : MAC] = virtio
    made[MAC : MAC + len(frame)] = frame
    return bytes(made[:SIZE])


def read(kernel, ring, first=0, most=100, size=SIZE):
    rows, met, cut, aside = kernel.slots_read(ring, size, first, most, 1)
    assert isinstance(rows, bytearray) and isinstance(aside, bool)
    columns = Batch(bytearray(), rows).columns().tolist()
    return [columns[i : i + 7] for i in range(0, len(columns), 7)], met, cut, aside


def shown(ring, row) -> bytes:
    return bytes(ring[row[OFFSET] : row[OFFSET] + row[CAPTURED]])


def test_frames_of_slots(kernel):
    frames = [bytes([i]) * (20 + 13 * i) for i in range(5)]
    ring = bytearray(b"".join(slot(frame, seconds=1000 + i, nanoseconds=123456789) for i, frame in enumerate(frames)))
    before = bytes(ring)
    rows, met, cut, aside = read(kernel, ring)
    assert (met, cut, aside) == (5, 0, False)
    assert [shown(ring, row) for row in rows] == frames
    assert [row[TIME] for row in rows] == [(1000 + i) * 1_000_000_000 + 123456789 for i in range(5)]
    assert [row[ORIGINAL] for row in rows] == [len(frame) for frame in frames]
    assert {(row[LINKTYPE], row[NOTES_SIZE]) for row in rows} == {(1, 0)}
    assert ring == before


def test_it_stops_at_a_slot_of_the_kernels(kernel):
    ring = bytearray(slot(FRAME) * 2 + slot(FRAME, status=0) + slot(FRAME))
    assert read(kernel, ring)[1] == 2
    assert read(kernel, ring, 2) == ([], 0, 0, False)
    assert read(kernel, ring, 3)[1] == 1
    assert read(kernel, ring, 4) == ([], 0, 0, False)  # the ring's end


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_than_wanted(kernel, most):
    rows, met, _, _ = read(kernel, bytearray(slot(FRAME) * 4), 1, most)
    assert len(rows) == met == most
    assert [row[OFFSET] for row in rows] == [SIZE * (i + 1) + MAC for i in range(most)]


def test_give_back(kernel):
    ring = bytearray(slot(FRAME) * 4)
    kernel.slots_give(ring, SIZE, 1, 2)
    assert ring == slot(FRAME) + 2 * slot(FRAME, status=0) + slot(FRAME)
    kernel.slots_give(ring, SIZE, 4, 0)


@pytest.mark.parametrize(("said", "ethertype"), [(VLAN_VALID | VLAN_TPID_VALID, 0x88A8), (VLAN_VALID, 0x8100)])
def test_a_tag_is_put_back(kernel, said, ethertype):
    virtio = VIRTIO.pack(1, 1, 54, 1448, 34, 16)
    ring = bytearray(slot(FRAME, status=USER | said, tag=0x602A, ethertype=0x88A8, virtio=virtio))
    ((row,), _, _, _) = read(kernel, ring)
    assert shown(ring, row) == FRAME[:12] + struct.pack("!HH", ethertype, 0x602A) + FRAME[12:]
    assert row[ORIGINAL] == len(FRAME) + 4
    assert bytes(ring[row[OFFSET] - 10 : row[OFFSET]]) == VIRTIO.pack(1, 1, 58, 1448, 38, 16)


def test_a_priority_tag_is_a_tag(kernel):
    ring = bytearray(slot(FRAME, status=USER | VLAN_VALID | VLAN_TPID_VALID, ethertype=0x8100))
    ((row,), _, _, _) = read(kernel, ring)
    assert shown(ring, row) == FRAME[:12] + b"\x81\0\0\0" + FRAME[12:]
    assert bytes(ring[row[OFFSET] - 10 : row[OFFSET]]) == NOTHING  # no checksum is left, no headers: nothing moves


@pytest.mark.parametrize("size", [0, 5, 12, 13])
def test_a_tag_in_a_stump(kernel, size):
    ring = bytearray(slot(FRAME[:size], status=USER | VLAN_VALID, tag=5))
    ((row,), _, _, _) = read(kernel, ring)
    assert shown(ring, row) == FRAME[: min(size, 12)] + b"\x81\0\0\x05" + FRAME[12:size]


def test_a_frame_larger_than_its_slot_waits_aside(kernel):
    large = slot(FRAME, status=USER | COPY | VLAN_VALID, original=65000, tag=7, seconds=9)
    ring = bytearray(slot(FRAME) + large + slot(FRAME))
    rows, met, cut, aside = read(kernel, ring)
    assert (len(rows), met, cut, aside) == (2, 2, 0, True)
    assert (rows[1][ORIGINAL], rows[1][TIME]) == (65000, 9_000_000_000)
    assert ring[SIZE : 2 * SIZE] == large  # the tag stays with the one that waits


def test_a_frame_larger_than_its_slot_and_nowhere_else_is_counted(kernel):
    rows, met, cut, aside = read(kernel, bytearray(slot(FRAME) + slot(FRAME, original=65000) + slot(FRAME)))
    assert (len(rows), met, cut, aside) == (2, 3, 1, False)


@pytest.mark.parametrize(
    "said", [
        {"mac": HEAD + 9}, {"mac": 0}, {"mac": 0xFFFF}, {"mac": SIZE + 1, "captured": 0}, {"captured": SIZE - MAC + 1},
        {"captured": 0xFFFFFFFF}, {"mac": HEAD + 13, "status": USER | VLAN_VALID}, {"captured": 0xFFFFFFF0, "status": USER | COPY},
    ], ids=str,
)  # fmt: skip
def test_what_cannot_be(kernel, said):
    with pytest.raises(OSError) as caught:
        read(kernel, bytearray(slot(FRAME) + slot(FRAME, **said)))
    assert caught.value.errno == errno.EBADMSG


def test_edges_that_can_be(kernel):
    for said in (
        {"mac": HEAD + 10},
        {"captured": SIZE - MAC},
        {"mac": HEAD + 14, "status": USER | VLAN_VALID},
        {"mac": SIZE, "captured": 0},
    ):
        assert len(read(kernel, bytearray(slot(FRAME, **said)))[0]) == 1


@pytest.mark.parametrize(
    ("size", "first", "count"), [(SIZE, 5, 0), (SIZE, -1, 1), (SIZE, 0, -1), (48, 0, 1), (0, 0, 1), (SIZE + 8, 0, 1), (-16, 0, 1)]
)
def test_slots_that_are_not_there(kernel, size, first, count):
    for call in (
        lambda ring: kernel.slots_read(ring, size, first, count, 1),
        lambda ring: kernel.slots_give(ring, size, first, count),
    ):
        with pytest.raises(ValueError, match="slots lie outside of the ring"):
            call(bytearray(slot(FRAME) * 4))
    with pytest.raises(ValueError, match="slots lie outside of the ring"):
        kernel.slots_give(bytearray(slot(FRAME) * 4), SIZE, 2, 3)


def test_an_empty_ring_may_stand_anywhere(kernel):
    ring = memoryview(bytearray(9))[1:1]  # as Python 3.13 places an empty bytearray: at an odd address
    assert kernel.slots_read(ring, SIZE, 0, 9, 1) == (bytearray(), 0, 0, False)
    kernel.slots_give(ring, SIZE, 0, 0)


def test_no_buffer_is_held_afterwards(kernel):
    ring = bytearray(slot(FRAME) + slot(FRAME, mac=0))
    kernel.slots_give(ring, SIZE, 0, 0)
    with pytest.raises(OSError):
        read(kernel, ring)
    ring.append(0)  # BufferError if somebody still looked at it


def test_backends_do_the_same():
    """Random slots, right and wrong."""
    c_kernel = pytest.importorskip("pkttools.kernel._c", reason="the C code was not built")
    python_kernel = import_module("pkttools.kernel.python")
    dice = random.Random(7)
    kinds = set()
    for _ in range(1500):
        ring = bytearray()
        for _ in range(dice.randrange(5)):
            frame = dice.randbytes(dice.choice([0, 3, 14, 60, SIZE - MAC]))
            said = {
                "status": dice.choice([0, USER, USER, USER, USER | VLAN_VALID, USER | VLAN_VALID | VLAN_TPID_VALID, USER | COPY]),
                "original": dice.choice([len(frame)] * 9 + [9999]),
                "tag": dice.randrange(65536), "ethertype": dice.randrange(65536),
                "seconds": dice.randrange(1 << 32), "nanoseconds": dice.randrange(1 << 32), "virtio": dice.randbytes(10),
                "mac": dice.choice([MAC] * 20 + [0, 60, 65, 300, 65535]),
            }  # fmt: skip
            ring += slot(frame, **said)
        first, most = dice.choice([(0, 9), (0, 9), (1, 1), (5, 1)])

        def outcome(kernel, ring=ring, first=first, most=most):
            mine = bytearray(ring)
            try:
                return kernel.slots_read(mine, SIZE, first, most, 1), mine
            except (OSError, ValueError) as error:
                return str(error), mine

        both = [outcome(kernel) for kernel in (c_kernel, python_kernel)]
        assert both[0] == both[1]
        kinds.add(both[0][0][3] if isinstance(both[0][0], tuple) else both[0][0][:5])
    assert kinds == {True, False, "[Errn", "slots"}


# ---- slots that are filled from a queue ----

LARGE = 2048


@pytest.fixture
def queue():
    """A socket with a queue, and what sends to it: datagrams begin with what would be a virtio header."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind(("127.0.0.1", 0))
        sender.connect(receiver.getsockname())
        yield receiver, sender


def test_slots_are_filled_as_the_kernel_fills_them(kernel, queue):
    receiver, sender = queue
    sent = [bytes([i]) * (10 + 20 * i) for i in range(9)]
    ring = bytearray(b"\xa5" * LARGE * 12)
    assert kernel.slots_fill(receiver.fileno(), ring, LARGE) == 0  # it does not wait
    for datagram in sent:
        sender.send(datagram)
    assert kernel.slots_fill(receiver.fileno(), ring, LARGE) == len(sent)
    rows, met, cut, aside = read(kernel, ring, most=len(sent), size=LARGE)
    assert (met, cut, aside) == (len(sent), 0, False)
    assert [shown(ring, row) for row in rows] == [datagram[10:] for datagram in sent]
    assert [bytes(ring[row[OFFSET] - 10 : row[OFFSET]]) for row in rows] == [datagram[:10] for datagram in sent]
    assert {row[TIME] for row in rows} == {0}  # none was asked for
    assert ring[len(sent) * LARGE :] == b"\xa5" * LARGE * 3


def test_filled_slots_have_the_kernels_time_and_say_what_was_cut(kernel, queue):
    receiver, sender = queue
    receiver.setsockopt(socket.SOL_SOCKET, 37, 1 << 3 | 1 << 4)  # SO_TIMESTAMPING: by the kernel
    ring = bytearray(256 * 4)
    before = time.time_ns()
    for size in (0, 3, 256, 60):
        sender.send(bytes(size))
    assert kernel.slots_fill(receiver.fileno(), ring, 256) == 4
    rows, met, cut, _ = read(kernel, ring, most=4)
    assert [row[CAPTURED] for row in rows] == [0, 0, 50]
    assert (met, cut) == (4, 1)
    assert all(row[TIME] == 0 or before <= row[TIME] <= time.time_ns() for row in rows)  # 0: it had no time yet


def test_no_more_is_filled_than_there_is_room_for(kernel, queue):
    receiver, sender = queue
    for _ in range(200):
        sender.send(bytes(30))
    filled = [kernel.slots_fill(receiver.fileno(), bytearray(LARGE * slots), LARGE) for slots in (5, 0, 150, 150, 150)]
    assert filled == [5, 0, 128, 67, 0]


def test_a_packet_that_the_kernel_throws_away_was_cut(kernel, tmp_path):
    """What listens has the error of a packet socket for it; see test_live_prompt.py for one."""
    ring = bytearray(b"\xa5" * 256)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "x"))
        listening.listen()
        assert kernel.slots_fill(listening.fileno(), ring, 256) == 1
    assert read(kernel, ring, most=1) == ([], 1, 1, False)
    assert not any(ring[32:52]) and ring[52:] == b"\xa5" * 204


def test_what_cannot_be_filled(kernel, queue):
    for fd, reason in ((-1, errno.EBADF), (10**6, errno.EBADF)):
        with pytest.raises(OSError, match=r".") as caught:
            kernel.slots_fill(fd, bytearray(LARGE), LARGE)
        assert caught.value.errno == reason
    with pytest.raises(ValueError, match="slots have no room for a frame"):
        kernel.slots_fill(queue[0].fileno(), bytearray(80), 80)
    with pytest.raises(ValueError, match="slots lie outside of the ring"):
        kernel.slots_fill(queue[0].fileno(), bytearray(80), 0)


def test_backends_fill_the_same(queue):
    c_kernel = pytest.importorskip("pkttools.kernel._c", reason="the C code was not built")
    python_kernel = import_module("pkttools.kernel.python")
    receiver, sender = queue
    dice = random.Random(9)
    rings = []
    for kernel in (c_kernel, python_kernel):
        dice.seed(9)
        for _ in range(100):
            sender.send(dice.randbytes(dice.choice([0, 9, 10, 11, 60, 185, 186, 187, 1500])))
        rings.append(bytearray(100 * 256))
        assert kernel.slots_fill(receiver.fileno(), rings[-1], 256) == 100
    assert rings[0] == rings[1]
