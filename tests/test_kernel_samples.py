"""BPF ring buffers and perf buffers, built here byte by byte: what is read in them, and that nothing in them is believed."""

from __future__ import annotations

import errno
import random
import struct
from importlib import import_module

import pytest
from test_kernel_ring import table

from pkttools.batch import CAPTURED, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME

PAGE, SIZE = 4096, 8192
BUSY, DISCARDED = 1 << 31, 1 << 30
HEAD, TAIL = 1024, 1032
NOTES_HERE = b"IFACE: eth0\n"


class Ring:
    """A ring buffer: two pages with the positions, and the ring as the kernel maps it, twice."""

    def __init__(self, *records: bytes, start: int = 0, end: int | None = None, size: int = SIZE) -> None:
        data = b"".join(records)
        self.consumer = bytearray(struct.pack("L", start).ljust(PAGE, b"\0"))
        ring = bytearray(size)
        for i, byte in enumerate(data):
            ring[(start + i) % size] = byte
        stop = (start + len(data)) % (1 << 64) if end is None else end
        self.producer = bytearray(struct.pack("L", stop).ljust(PAGE, b"\0")) + ring + ring

    def read(self, kernel, linktype=1, clock=0, nano=True, room=1 << 20, notes=NOTES_HERE):
        data, rows = kernel.ringbuf_read(self.consumer, self.producer, linktype, clock, nano, room, notes)
        return data, table(rows)

    @property
    def at(self) -> int:
        return struct.unpack_from("L", self.consumer)[0]


class Perf:
    """A perf buffer: the page with both positions, and the ring."""

    def __init__(self, *records: bytes, start: int = 0, end: int | None = None, size: int = SIZE) -> None:
        data = b"".join(records)
        ring = bytearray(size)
        for i, byte in enumerate(data):
            ring[(start + i) % size] = byte
        self.buffer = bytearray(PAGE) + ring
        stop = (start + len(data)) % (1 << 64) if end is None else end
        struct.pack_into("=QQ", self.buffer, HEAD, stop, start)

    def read(self, kernel, linktype=1, clock=0, nano=True, room=1 << 20, notes=NOTES_HERE, limit=1024):
        data, rows = kernel.perf_read(self.buffer, PAGE, limit, linktype, clock, nano, room, notes)
        return data, table(rows)

    @property
    def at(self) -> int:
        return struct.unpack_from("=Q", self.buffer, TAIL)[0]


def ring_record(frame: bytes, time: int = 5, original: int | None = None, flags: int = 0, length: int | None = None) -> bytes:
    """A record as our program makes it."""
    body = struct.pack("=QQ", time, len(frame) if original is None else original) + frame
    made = struct.pack("=II", (len(body) if length is None else length) | flags, 0) + body
    return made + bytes(-len(made) % 8)


def perf_record(frame: bytes, time: int = 5, original: int | None = None, cookie: int = 0xDEAD, kind: int = 9,
                raw: int | None = None, total: int | None = None) -> bytes:  # fmt: skip
    """A record as the kernel makes it of our program's data."""
    padded = frame + bytes(-len(frame) % 8)
    head = struct.pack("=QIHH", time, 4 + len(padded) if raw is None else raw, cookie, len(frame) if original is None else original)
    return struct.pack("=IHH", kind, 0, 8 + len(head + padded) if total is None else total) + head + padded


KINDS = {"ring": (Ring, ring_record), "perf": (Perf, perf_record)}
each_kind = pytest.mark.parametrize(("kind", "record"), KINDS.values(), ids=KINDS)
FRAME = bytes(range(60))


def frames(found) -> list[bytes]:
    data, rows = found
    return [bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]) for row in rows]


@each_kind
def test_frames(kernel, kind, record):
    sent = [bytes([i]) * (16 + 8 * i) for i in range(40)]
    buffer = kind(*(record(frame, time=1000 + i, original=900 + i) for i, frame in enumerate(sent)))
    data, rows = buffer.read(kernel, linktype=1, clock=1_700_000_000_000_000_000)
    assert frames((data, rows)) == sent
    assert isinstance(data, bytearray)
    assert [row[TIME] for row in rows] == [1_700_000_000_000_001_000 + i for i in range(40)]
    assert [row[ORIGINAL] for row in rows] == [900 + i for i in range(40)]
    assert {row[LINKTYPE] for row in rows} == {1}
    assert {bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]) for row in rows} == {NOTES_HERE}
    assert buffer.read(kernel) == (b"", [])


@each_kind
def test_nothing(kernel, kind, record):
    buffer = kind(start=800)
    assert buffer.read(kernel) == (b"", [])
    assert buffer.at == 800


@each_kind
def test_microseconds(kernel, kind, record):
    (row,) = kind(record(FRAME, time=1999)).read(kernel, clock=1_000_000, nano=False)[1]
    assert row[TIME] == 1_001_000


@each_kind
@pytest.mark.parametrize("start", [SIZE - 8, SIZE - 16, SIZE - 24, SIZE - 48, 5 * SIZE - 40, (1 << 64) - 8, (1 << 64) - 64])
def test_the_ring_begins_again(kernel, kind, record, start):
    sent = [FRAME, FRAME[::-1], FRAME * 3]
    buffer = kind(*map(record, sent), start=start)
    assert frames(buffer.read(kernel)) == sent
    assert buffer.at == (start + sum(map(len, map(record, sent)))) % (1 << 64)


@each_kind
def test_a_full_ring(kernel, kind, record):
    one = record(FRAME[:40])
    assert SIZE % len(one) == 0
    buffer = kind(*[one] * (SIZE // len(one)), start=len(one) * 3)
    assert frames(buffer.read(kernel)) == [FRAME[:40]] * (SIZE // len(one))


@each_kind
def test_no_more_than_there_is_room_for(kernel, kind, record):
    sent = [bytes([i]) * 40 for i in range(7)]
    one = len(record(sent[0]))
    buffer = kind(*map(record, sent))
    assert frames(buffer.read(kernel, room=3 * one)) == sent[:3]
    assert frames(buffer.read(kernel, room=4 * one - 1)) == sent[3:6]
    assert frames(buffer.read(kernel)) == sent[6:]


def test_a_record_that_is_still_written(kernel):
    buffer = Ring(ring_record(FRAME), ring_record(FRAME, flags=BUSY), ring_record(FRAME))
    assert frames(buffer.read(kernel)) == [FRAME]
    assert buffer.read(kernel) == (b"", [])
    assert buffer.at == len(ring_record(FRAME))


def test_a_record_that_was_given_up(kernel):
    buffer = Ring(ring_record(FRAME, flags=DISCARDED), ring_record(FRAME[1:]), struct.pack("=II", DISCARDED, 0))
    assert frames(buffer.read(kernel)) == [FRAME[1:]]
    assert buffer.read(kernel) == (b"", [])


def test_other_records_of_perf(kernel):
    lost = struct.pack("=IHHQQ", 2, 0, 24, 1, 17)
    buffer = Perf(lost, perf_record(FRAME), lost, lost)
    assert frames(buffer.read(kernel)) == [FRAME]
    assert buffer.at == 3 * len(lost) + len(perf_record(FRAME))


def test_padding_of_perf_is_no_part_of_the_frame(kernel):
    assert frames(Perf(perf_record(FRAME[:17])).read(kernel)) == [FRAME[:17]]
    data, rows = Perf(perf_record(FRAME, original=1500)).read(kernel, limit=33)
    assert frames((data, rows)) == [FRAME[:33]]
    assert rows[0][ORIGINAL] == 1500


MALFORMED = {
    "ring: more than there is room for": Ring(ring_record(FRAME), end=SIZE + 8),
    "ring: the end before the start": Ring(ring_record(FRAME), start=4096, end=4088),
    "ring: position enormous": Ring(ring_record(FRAME), end=(1 << 64) - 8),
    "ring: our own position is crooked": Ring(ring_record(FRAME), start=4),
    "ring: a record longer than what is there": Ring(ring_record(FRAME, length=81)),
    "ring: a record enormous": Ring(ring_record(FRAME, length=(1 << 30) - 1)),
    "ring: a record given up, enormous": Ring(ring_record(FRAME, length=(1 << 30) - 1, flags=DISCARDED)),
    "ring: a record without its head": Ring(ring_record(FRAME, length=15)),
    "ring: the end in the middle of a header": Ring(ring_record(FRAME), end=4),
    "ring: the second one": Ring(ring_record(FRAME), ring_record(FRAME, length=1000)),
    "perf: more than there is room for": Perf(perf_record(FRAME), end=SIZE + 8),
    "perf: the end before the start": Perf(perf_record(FRAME), start=4096, end=4088),
    "perf: our own position is crooked": Perf(perf_record(FRAME), start=4),
    "perf: a record without a size": Perf(perf_record(FRAME, total=0)),
    "perf: a crooked size": Perf(perf_record(FRAME, total=60)),
    "perf: a record longer than what is there": Perf(perf_record(FRAME, total=96)),
    "perf: a record enormous": Perf(perf_record(FRAME, total=65528)),
    "perf: a sample without its head": Perf(perf_record(FRAME, total=16), perf_record(FRAME)),
    "perf: bytes behind the record": Perf(perf_record(FRAME, raw=69)),
    "perf: bytes far behind the record": Perf(perf_record(FRAME, raw=0xFFFFFFFF)),
    "perf: bytes without our head": Perf(perf_record(FRAME, raw=3)),
    "perf: another cookie": Perf(perf_record(FRAME, cookie=0xBEEF)),
    "perf: the second one": Perf(perf_record(FRAME), perf_record(FRAME, cookie=0)),
}


@pytest.mark.parametrize("buffer", MALFORMED.values(), ids=MALFORMED)
def test_malformed(kernel, buffer):
    before = buffer.at
    with pytest.raises(OSError) as caught:
        buffer.read(kernel)
    assert (caught.value.errno, buffer.at) == (errno.EBADMSG, before)


@each_kind
def test_a_record_that_never_has_room(kernel, kind, record):
    with pytest.raises(OSError) as caught:
        kind(record(FRAME)).read(kernel, room=80)
    assert caught.value.errno == errno.EBADMSG


@pytest.mark.parametrize(
    ("consumer", "producer"), [(PAGE, PAGE), (PAGE, PAGE + 24), (PAGE, PAGE + 48), (0, 16), (4, 20), (PAGE, 0)]
)
def test_no_ring_buffer(kernel, consumer, producer):
    with pytest.raises(ValueError, match="no ring buffer"):
        kernel.ringbuf_read(bytearray(consumer), bytearray(producer), 1, 0, True, 100, b"")


@pytest.mark.parametrize(("size", "page"), [(PAGE, PAGE), (PAGE + 24, PAGE), (1040, 1032), (100, -8), (0, 0)])
def test_no_perf_buffer(kernel, size, page):
    with pytest.raises(ValueError, match="no perf buffer"):
        kernel.perf_read(bytearray(size), page, 100, 1, 0, True, 100, b"")


def outcome(kernel, buffer, **rules):
    """What comes of reading, and where the next one begins."""
    try:
        return buffer.read(kernel, **rules), buffer.at
    except OSError as error:
        return error.errno, str(error), buffer.at


@each_kind
def test_both_do_the_same_with_any_bytes(kind, record):
    fast = pytest.importorskip("pkttools.kernel._c", reason="the C code was not built")
    slow = import_module("pkttools.kernel.python")
    chance = random.Random(11)
    fine = 0
    for _ in range(4000):
        size = chance.choice((512, SIZE))
        records = [record(chance.randbytes(chance.randrange(60)), time=chance.getrandbits(64), original=chance.getrandbits(16))
                   for _ in range(chance.randrange(6))]  # fmt: skip
        start = chance.choice((0, size - 8, size - 40, 8 * chance.randrange(1000), (1 << 64) - 8))
        rules = {"room": chance.choice((1 << 20, 200, 1000)), "nano": chance.random() < 0.5, "clock": chance.getrandbits(60)}
        found = []
        spoilt = [(chance.randrange(200), chance.choice((0, 1, 0x40, 0x80, 0xFF))) for _ in range(chance.choice((0, 2, 6)))]
        for backend in (fast, slow):
            buffer = kind(*records, start=start, size=size)
            memory, base = (buffer.producer, 2) if kind is Ring else (buffer.buffer, 1)
            ring = bytearray(memory[PAGE : PAGE + size])
            for at, byte in spoilt:
                ring[(start + at) % size] = byte
            memory[PAGE:] = ring * base
            found.append(outcome(backend, buffer, **rules))
        assert found[0] == found[1]
        fine += len(found[0]) == 2
    assert 1000 < fine < 3900  # both kinds were met
