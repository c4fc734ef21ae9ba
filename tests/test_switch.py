"""Parts of pkt-switch that need no network: assignments on frames that leave checksums to a card, ports of made-up kinds."""

from __future__ import annotations

import os
import random
import socket
import struct

import pytest
from samples import ethernet, ipv4, ipv6

from pkttools import codec
from pkttools.batch import Batch
from pkttools.errors import PktError, UsageError
from pkttools.formats.files import Output
from pkttools.live.linux import control
from pkttools.switch import bridge, remote
from pkttools.switch import dump as dump_module
from pkttools.switch.bridge import Bridge
from pkttools.switch.change import Change, split
from pkttools.switch.dump import Dump
from pkttools.switch.ports import VIRTIO, Gone, Port, put_tag


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("IP.TTL=9", [("IP.TTL", "=", "9")]),
        (" IP.TTL-=1  UDP.DST_PORT=53 ", [("IP.TTL", "-=", "1"), ("UDP.DST_PORT", "=", "53")]),
        ("UDP.DATA=61 62 63 IP.TTL=9", [("UDP.DATA", "=", "61 62 63"), ("IP.TTL", "=", "9")]),
        ('PKTAP.COMM="a b IP.TTL=3" IP.TTL=9', [("PKTAP.COMM", "=", '"a b IP.TTL=3"'), ("IP.TTL", "=", "9")]),
        ('PKTAP.COMM=""', [("PKTAP.COMM", "=", '""')]),
    ],
)
def test_assignments_with_blanks_between(text, items):
    assert split(text) == items


@pytest.mark.parametrize("text", ["", " ", "9", "x IP.TTL=9", "IP.TTL==9", 'PKTAP.COMM="a', "IP.TLL=9"])
def test_what_is_no_assignment(text):
    with pytest.raises(UsageError):
        Change(text, True)


def partial(v6: bool, payload: bytes) -> tuple[bytes, bytes]:
    """A TCP segment as a sender leaves it to its card: virtio header, frame with the sum of the pseudo-header alone."""
    tcp = bytearray(struct.pack("!HHIIBBHHH", 1000, 2000, 1, 2, 0x50, 0x10, 99, 0, 0) + payload)
    packet = ipv6(6, bytes(tcp)) if v6 else ipv4(6, bytes(tcp))
    frame = bytearray(ethernet(0x86DD if v6 else 0x0800, packet))
    codec.correct(frame, row(len(frame), 0), codec.ALL)
    at = 14 + (40 if v6 else 20)
    addresses = frame[22:54] if v6 else frame[26:34]
    sum_ = int.from_bytes(addresses, "big") + 6 + len(tcp)
    frame[at + 16 : at + 18] = (sum_ % 0xFFFF).to_bytes(2, "big")
    return VIRTIO.pack(1, 0, 0, 0, at, 16), bytes(frame)


def finished(virtio: bytes, frame: bytes) -> bytes:
    """The frame as the card sends it."""
    _, _, _, _, start, offset = VIRTIO.unpack(virtio)
    covered = frame[start:] + bytes(len(frame[start:]) % 2)
    value = 0xFFFF - int.from_bytes(covered, "big") % 0xFFFF
    return frame[: start + offset] + (value or 0xFFFF).to_bytes(2, "big") + frame[start + offset + 2 :]


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    "assignments", ["{}.SRC_ADDR+=77", "{}.DST_ADDR-=9 TCP.DST_PORT=53", "TCP.SRC_PORT=7", "ETHERNET.SRC_ADDR+=1", "TCP.DATA=00"]
)
def test_checksums_left_to_a_card_follow(assignments, v6):
    dice = random.Random(3)
    for size in (0, 1, 2, 700):
        virtio, frame = partial(v6, dice.randbytes(size))
        assert codec.verify(bytearray(finished(virtio, frame)), row(len(frame), 0)).count(codec.RIGHT) >= 1
        data = bytearray(virtio + frame)
        batch = Batch(data, bytearray(row(len(frame), len(virtio))))
        Change(assignments.format("IPV6" if v6 else "IP"), True)(batch)
        after = bytes(data[len(virtio) :])
        assert after != frame or (size == 0 and "DATA" in assignments)
        sent = bytearray(finished(bytes(data[: len(virtio)]), after))
        assert codec.BAD not in codec.verify(sent, row(len(frame), 0))


def row(size: int, at: int) -> bytes:
    """The row of a frame."""
    return struct.pack("7q", at, size, size, 0, 1, 0, 0)


def test_a_checksum_outside_of_the_frame_is_left_alone():
    _, frame = partial(False, b"abc")
    for start, offset in ((60000, 16), (len(frame), 0), (len(frame) - 1, 0), (65535, 65535)):
        data = bytearray(VIRTIO.pack(1, 0, 0, 0, start, offset) + frame)
        Change("IP.TTL=9", True)(Batch(data, bytearray(row(len(frame), 10))))
        assert data[10 + 22] == 9


class Made(Port):
    """A port of a test's own: what is to come in, and what went out."""

    fd = -1

    def __init__(self, name: str, _memory: int = 0) -> None:
        super().__init__(name)
        self.coming: list[Batch] = []
        self.went: list[int] = []
        self.gone = self.closed = False

    def take(self):
        return self.coming.pop(0) if self.coming else None

    def send(self, data, rows):
        if self.gone:
            raise Gone("interface is gone")
        self.went += [data[at] for at in memoryview(rows).cast("q")[::7].tolist()]

    def close(self):
        self.closed = True


@pytest.fixture
def made(monkeypatch) -> Bridge:
    """A switch with three ports; what it says is in `said`."""
    monkeypatch.setattr(bridge, "opened", Made)
    said: list[str] = []
    switch = Bridge(said.append, age=300, room=3)
    switch.said = said
    for name in "abc":
        switch.add(name)
    return switch


def come(switch: Bridge, port: str, *frames: bytes) -> None:
    """Lets frames come in by a port."""
    data, rows = bytearray(), bytearray()
    for frame in frames:
        data += bytes(10)
        rows += row(len(frame), len(data))
        data += frame
    found = switch.port(port)
    found.coming.append(Batch(data, rows))
    switch.turn(found)


def between(to: int, by: int) -> bytes:
    """A frame whose first byte says whom it is for."""
    return bytes([to, 0, 0, 0, 0, to, by, 0, 0, 0, 0, by]) + bytes(48)


def test_a_port_that_is_lost_in_the_midst_of_a_flood(made):
    b, c = made.port("b"), made.port("c")
    come(made, "b", between(0xFF, 4))
    b.gone = True
    come(made, "a", between(0xFF, 2), between(0xFE, 2))
    assert c.went == [0xFF, 0xFF, 0xFE] and b.closed and not c.closed  # the last address is no group: it is not known
    assert [port.name for port in made.ports] == ["a", "c"] and made.said == [
        "b: interface is gone: it is no port any more; 1 frame in, 0 out"
    ]
    assert list(made.stations) == [between(0, 2)[6:12]]


def test_numbers_are_used_again_but_not_what_was_learnt_of_them(made):
    come(made, "b", between(0xFF, 4))
    made.delete(made.port("b"))
    assert made.add("d").number == 1
    come(made, "a", between(4, 2))
    assert made.port("d").went == made.port("c").went[-1:] == [4]


def test_what_is_changed_and_not_followed_is_said_at_the_end(made):
    made.change = Change("IP.TTL=9", False)
    come(made, "a", between(2, 1)[:12] + b"\x43\x05" + bytes(46), between(2, 1)[:12] + b"\x43\x05" + bytes(46))
    assert made.close()[-1] == "2 frames with headers that are not followed: 2 BATMAN"


def test_ageing(made):
    made.age = 10
    made.tick()
    made.stations = {b"abcdef": made.now - 10 << 8, b"ghijkl": made.now - 5 << 8}
    made.tick()
    assert list(made.stations) == [b"ghijkl"]


def test_names_of_ports(made):
    with pytest.raises(PktError, match="a: it is a port already"):
        made.add("a")
    with pytest.raises(PktError, match="x: no such port; there are a, b, c"):
        made.port("x")
    for i in range(21):
        made.add(f"more{i}")
    with pytest.raises(PktError, match="at most 24 ports"):
        made.add("y")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"do": "delete", "port": "x"}\n', "x: no such port"),
        (b'{"do": ["add"]}\n', "no such request"),
        (b'{"do": "add", "port": 7}\n', "no such request"),
        (b'{"do": "add", "port": "tap:\\ud800"}\n', "cannot be written"),
        (b"[" * 4000 + b"\n", "something else"),
        (b"[]\n", "something else"),
        (b"\xff\n", "something else"),
    ],
)
def test_requests_that_cannot_be_met_are_answered(line, error):
    assert error in control.decode(remote.answer(Bridge(print, age=300, room=8), line))["error"]


def test_a_long_answer_waits_for_who_asked():
    """The switch goes on meanwhile; what was not taken is sent when there is room."""
    here, there = socket.socketpair()
    switch = Bridge(print, age=300, room=8)
    switch.ports = [Made("p")]
    switch.ports[0].number = 0
    switch.stations = {number.to_bytes(6, "big"): switch.now << 8 for number in range(50_000)}
    with here, there:
        caller = control.Caller(here)
        turn = lambda: caller.turn(lambda line: (remote.answer(switch, line), []))  # noqa: E731
        there.sendall(b'{"do": ')
        assert turn() and not caller.left
        there.sendall(b'"fdb"}\n')
        assert turn() and caller.left
        taken, more = b"", True
        while more:
            taken += there.recv(1 << 20)
            more = turn()
        here.close()
        while part := there.recv(1 << 20):
            taken += part
    assert len(control.decode(taken)["stations"]) == 50_000


def test_what_was_written_makes_room_for_as_much_and_no_more(tmp_path):
    dump = Dump(Output(str(tmp_path / "dump.txt"), None))
    for _ in range(50):
        dump.write("p1", bytearray(10) + between(4, 2), bytearray(row(60, 10)))
    assert dump.close() == [] and dump.used == 0
    assert (tmp_path / "dump.txt").read_text().count("\n==\n") == 50


def test_a_partial_checksum_whose_sum_carries():
    """In one's complement a carry comes back at the other end: RFC 1071 section 2 (2)."""
    for low in range(0x80, 0x100):  # with 192.0.2.2 the addresses add up to just below and just above 0xFFFF
        virtio, frame = partial(False, b"12345678")
        data = bytearray(virtio + frame)
        Change(f"IP.SRC_ADDR=61.{low}.0.0", True)(Batch(data, bytearray(row(len(frame), len(virtio)))))
        sent = bytearray(finished(bytes(data[: len(virtio)]), bytes(data[len(virtio) :])))
        assert codec.BAD not in codec.verify(sent, row(len(frame), 0)), low


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_checksum_that_ends_with_the_frame(beyond):
    """It is left to the card when its last byte is the frame's, and no checksum of this frame one byte later."""
    _, frame = partial(False, b"")
    start = len(frame) - 18 + beyond
    data = bytearray(VIRTIO.pack(1, 0, 0, 0, start, 16) + frame)
    change = Change("IP.TTL=9", True)
    assert change.unfinished(Batch(data, bytearray(row(len(frame), 10)))) == ([] if beyond else [0])


def test_a_tag_that_is_put_back_moves_what_the_virtio_header_counts():
    head = VIRTIO.pack(1, 1, 54, 1448, 34, 16)
    buffer = bytearray(4) + head + bytes(range(12)) + b"rest"
    put_tag(buffer, 0x8100, 7)
    assert VIRTIO.unpack_from(buffer) == (1, 1, 58, 1448, 38, 16)
    assert buffer[10:] == bytes(range(12)) + b"\x81\0\0\7rest"
    buffer = bytearray(4) + VIRTIO.pack(0, 0, 0, 0, 0, 0) + bytes(range(12))
    put_tag(buffer, 0x8100, 7)
    assert VIRTIO.unpack_from(buffer) == (0, 0, 0, 0, 0, 0)


def test_what_waits_for_a_slow_reader_counts_against_the_room(monkeypatch):
    """Two writes that only together exceed it: the second is dropped, and counted."""
    reading, writing = os.pipe()
    try:
        monkeypatch.setattr(dump_module, "ROOM", 150_000)
        frames_ = bytearray(10) + between(4, 2) * 1500  # 90,000 bytes, more than the pipe takes as text
        dump = Dump(Output(f"/dev/fd/{writing}", None))
        for _ in range(2):
            dump.write("p1", frames_, bytearray(row(90_000, 10)))
        assert dump.dropped == 1 and dump.failed
        while b"==\n" not in os.read(reading, 1 << 20):
            pass
        assert "1 frame not written" in " ".join(dump.close())
    finally:
        os.close(reading)
        os.close(writing)
