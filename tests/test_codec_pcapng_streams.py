"""Streams of pcapng: sections, interfaces, what is beside packets, and what is wrong; read and written on both codecs."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from types import ModuleType

import pytest
from conftest import load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sections import (
    LAST,
    ORDERS,
    SECOND,
    Record,
    batch_of,
    block,
    drops,
    enhanced,
    flags,
    interface,
    obsolete,
    options,
    packet,
    packets_of,
    records,
    section,
    simple,
)

from pkttools import formats
from pkttools.batch import ROW_BYTES, Batch
from pkttools.errors import PktError
from pkttools.formats.files import BUFFER, Input, Output
from pkttools.formats.pcapng_sink import PcapngSink

MAX_BLOCK = 16 << 20

# ---- reading ----


class Slow(Input):
    """A file that is read some bytes at a time."""

    step = 1

    def fill(self, buffer: bytearray, used: int) -> int:
        if used == len(buffer):
            return used
        one = bytearray(self.step)
        count = super().fill(one, 0)
        buffer[used : used + count] = one[:count]
        return used + count


Outcome = tuple[list[Record], list[str], str]


def outcome(raw: bytes, path: Path, kind: type[Input] = Input) -> Outcome:
    """What comes of a file: packets, what is said, what went wrong."""
    path.write_bytes(raw)
    source, found, error = kind([str(path)]), [], ""
    try:
        for batch in formats.packets(source):
            found += packets_of(batch.data, batch.rows)
    except PktError as caught:
        error = str(caught).removeprefix(f"{path}: ")
    finally:
        os.close(source.fd)
    return found, [line.removeprefix(f"{path}: ") for line in source.said], error


@pytest.fixture
def stream(codec, monkeypatch, tmp_path):
    """Reads a file with one codec."""
    monkeypatch.setattr("pkttools.formats.pcapng.codec", codec)

    def read(raw: bytes, kind: type[Input] = Input) -> Outcome:
        return outcome(raw, tmp_path / "f.pcapng", kind)

    return read


def everything(order: str) -> bytes:
    """A section with everything in it."""
    wifi = ((2, b"wlan\n0"), (9, b"\x0c"), (14, struct.pack(order + "q", 1000)))
    return (
        section(order, given=((4, b"a test"), (1, b"of everything")))
        + interface(1, ((2, b"eth0"), (9, b"\x09"), (12, b"an OS"), (1, b"of a host")), order)
        + enhanced(b"first", 1_700_000_000_123_456_789, given=(flags(1, order), drops(0, order), (1, b"a\nb")), order=order)
        + block(5, bytes(20), order) + block(4, bytes(4), order) + block(5, bytes(12), order)
        + interface(113, wifi, order)
        + obsolete(b"second", 2_000_000_001_999, 1, drops=3, given=((3, b"\2abcd"),), order=order)
        + simple(b"third", order=order)
        + block(0x0BADBEEF, b"", order)
        + interface(101, order=order)
        + enhanced(b"", 2**64 - 1, 2, order=order)
        + block(10, bytes(8), order)
    )  # fmt: skip


SAID = [
    "not kept: 1 section comment, 1 interface comment, 2 interface statistics, 1 name resolution, 1 packet option, "
    "1 type 0xbadbeef block, 1 decryption secrets",
    "times: 1 not from 1970 to 2262, put to the nearer end; 1 truncated to nanoseconds; 1 missing, taken for 0",
]
FOUND = [
    Record(b"first", 5, 1_700_000_000_123_456_789, 1, "IFACE: eth0\nWAY: in\nLOST: 0\nNOTE: a\\nb\n"),
    Record(b"second", 6, 1002 * SECOND + 1, 113, "IFACE: wlan\\n0\nLOST: 3\n"),
    Record(b"third", 5, 0, 1, "IFACE: eth0\n"),
    Record(b"", 0, LAST, 101),
]


@ORDERS
def test_everything(stream, order):
    assert stream(everything(order)) == (FOUND, SAID, "")
    assert records(everything(order)) == FOUND  # the tests' own reader agrees


@ORDERS
@pytest.mark.parametrize("step", [1, 2, 7])
def test_byte_by_byte(stream, order, step, monkeypatch):
    monkeypatch.setattr(Slow, "step", step)
    assert stream(everything(order), Slow) == (FOUND, SAID, "")


@ORDERS
def test_every_cut(stream, order):
    """All packets before the cut come out; it is named with the place of the block that it cuts."""
    raw = everything(order)
    ends = [0]
    while ends[-1] < len(raw):
        ends.append(ends[-1] + struct.unpack_from(order + "I", raw, ends[-1] + 4)[0])
    for cut in range(4, len(raw)):
        begin = max(end for end in ends if end <= cut)
        found, _, error = stream(raw[:cut])
        assert found == records(raw[:cut]) == FOUND[: len(found)]
        have = cut - begin
        size = struct.unpack_from(order + "I", raw, begin + 4)[0] if begin < len(raw) else 0
        want = f"a block's {28 if begin == 0 and have < 12 else size}" if have >= 8 else "a block header's 8"
        assert error == (f"at byte {begin}: file is truncated: {have} of {want} bytes" if have else ""), cut


def test_sections_follow_each_other(stream):
    """Also of files put one behind the other: in another order, with interfaces of their own."""
    raw = everything("<") + everything(">") + section() + everything("<")
    found, said, error = stream(raw)
    assert (found, error) == (FOUND * 3, "")
    assert said[0].startswith("not kept: 3 section comments, 3 interface comments, 6 interface statistics, 3 name resolutions,")
    raw = section() + interface() + section() + enhanced(b"")
    assert stream(raw)[2] == f"at byte {len(raw) - 32}: packet of interface 0, which the section does not describe"


@ORDERS
def test_the_declared_length_of_a_section_is_not_trusted(stream, order):
    for length in (0, 5, -5, 2**40):
        raw = section(order, length=length) + interface(order=order) + enhanced(b"abc", order=order)
        assert stream(raw) == ([Record(b"abc", 3, 0, 1)], [], "")


BAD = {
    "no magic": (section()[:8] + b"\1\2\3\4" + section()[12:], 0,
                 "byte-order magic 01020304 of a section is neither 1a2b3c4d nor 4d3c2b1a"),
    "version 2": (section(major=2), 0, "version 2.0 of pcapng is not supported, only 1.0"),
    "version 0": (section(">", major=0, minor=9), 0, "version 0.9 of pcapng is not supported, only 1.0"),
    "short": (block(0x0A0D0D0A, struct.pack("<IHHI", 0x1A2B3C4D, 1, 0, 0)), 0,
              "block of 24 bytes: one of its type has at least 28"),
    "trailer": (section()[:-4] + b"\0\0\0\x1c", 0, "block of 28 bytes, but 469762048 is the length at its end"),
    "other order": (section() + interface(order=">"), 28, "block of 335544320 bytes: it has at most 16777216"),
    "long": (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), size=2**32 - 4), 0,
             "block of 4294967292 bytes: it has at most 16777216"),
    "second one": (section() + section(">", major=9), 28, "version 9.0 of pcapng is not supported, only 1.0"),
    "zeros": (section() + bytes(100), 28, "block of 0 bytes: one of its type has at least 12"),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "at", "said"), BAD.values(), ids=BAD)
def test_bad_sections(stream, raw, at, said):
    assert stream(raw) == ([], [], f"at byte {at}: {said}")
    good = everything(">")
    assert stream(good + raw)[::2] == (FOUND, f"at byte {len(good) + at}: {said}")


def test_other_minor_versions_are_read(stream):
    """Some write 1.2; what changed does not change what we read."""
    assert stream(section(minor=2) + interface() + enhanced(b"a")) == ([Record(b"a", 1, 0, 1)], [], "")


def test_options_of_interfaces(stream):
    """Those of a wrong size, and those that come again, are counted and change nothing; so is a list that runs past its block."""
    raw = section() + interface(1, ((9, b""), (9, b"\x09"), (9, b"\x03"), (14, b"\1"), (2, b""), (2, b"again"))) + enhanced(b"", 5)
    assert stream(raw) == ([Record(b"", 0, 5, 1, "IFACE:\n")], ["not kept: 4 interface options"], "")
    cut = block(1, struct.pack("<HHI", 1, 0, 0) + options(((9, b"\x09"),), end=False) + b"\2\0\xff\xffeth0")
    assert stream(section() + cut + enhanced(b"", 5)) == ([Record(b"", 0, 5000, 1)], ["not kept: 1 damaged option list"], "")
    damaged = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + b"\1\0\x08\0four")
    assert stream(damaged) == ([], ["not kept: 1 damaged option list"], "")


def test_a_block_of_16_mebibytes(stream):
    raw = section() + interface() + enhanced(b"a") + block(0x80000000, bytes(MAX_BLOCK - 12)) + enhanced(b"b")
    found, said, error = stream(raw)
    assert ([packet.data for packet in found], said, error) == ([b"a", b"b"], ["not kept: 1 type 0x80000000 block"], "")


def test_blocks_across_the_buffer(stream):
    """Of every size around that which is read at once."""
    for size in (BUFFER - 100, BUFFER - 28 - 20, BUFFER, BUFFER + 4, 2 * BUFFER + 8):
        raw = section() + interface() + block(99, bytes(size)) + enhanced(b"b") * 20_000
        found, _, error = stream(raw)
        assert (found, error) == ([Record(b"b", 1, 0, 1)] * 20_000, "")


def test_as_many_interfaces_as_there_may_be(stream):
    raw = section() + b"".join(interface(i % 7, ((2, b"%d" % i),)) for i in range(65536)) + enhanced(b"", number=65535)
    assert stream(raw) == ([Record(b"", 0, 0, 65535 % 7, "IFACE: 65535\n")], [], "")
    assert stream(raw + interface())[2] == f"at byte {len(raw)}: more than 65536 interfaces in a section"
    assert stream(raw + section() + interface(5) + enhanced(b""))[0][1:] == [Record(b"", 0, 0, 5)]


def test_kinds_of_blocks_are_told_apart_up_to_a_point(stream):
    """Damage can have any number of them; a line on standard error cannot."""
    found, [line], error = stream(section() + b"".join(block(1000 + i, b"") for i in range(500)))
    assert (found, error) == ([], "")
    assert line.startswith("not kept: 1 type 0x3e8 block, 1 type 0x3e9 block")
    assert line.endswith(", 480 other blocks")


@pytest.mark.parametrize("seed", range(6))
def test_mutated_streams(monkeypatch, tmp_path, seed):
    """Both codecs make the same of them, and raise nothing but errors with a place."""
    dice = random.Random(seed)
    for _ in range(150):
        raw = bytearray(everything(dice.choice("<>")) + everything(dice.choice("<>")))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(4, len(raw))
            raw[at] = dice.choice((0, 1, 2, 6, 9, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        if dice.random() < 0.2:
            del raw[dice.randrange(4, len(raw)) :]
        found = []
        for backend in ("c", "python"):
            monkeypatch.setattr("pkttools.formats.pcapng.codec", load(backend))
            found.append(outcome(bytes(raw), tmp_path / "f"))
        assert found[0] == found[1]
        assert not found[0][2] or found[0][2].startswith("at byte ")


# ---- there and back ----

# Any text but control characters; what stands for them comes often.
PARTS = [
    "\\x85",
    "\\xc2",
    "x85",
    "\\u202e",
    "\\xa0",
    "\\n",
    "\\r",
    "\\x00",
    "\\x1b",
    "\\x7f",
    "\\x0a",
    "\\x41",
    "\\",
    "n",
    "x1",
    " ",
    "a",
    "\xc3\xa9",
    "~",
]
TEXT = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)


@st.composite
def some_packets(draw: st.DrawFn) -> list[Record]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        data = draw(st.binary(max_size=9))
        notes = ""
        if draw(st.booleans()):
            notes += "IFACE:" + draw(st.sampled_from(["", " a", " b", " eth0", " \\n", "  two words "])) + "\n"
        notes += draw(st.sampled_from(["", "WAY: in\n", "WAY: out\n"]))
        notes += draw(st.one_of(st.just(""), st.integers(0, 2**64 - 1).map(lambda n: f"LOST: {n}\n")))
        notes += "".join(f"NOTE: {text}\n" if text else "NOTE:\n" for text in draw(st.lists(TEXT, max_size=3)))
        time = draw(st.one_of(st.integers(0, LAST), st.integers(0, LAST // 1000).map(lambda n: n * 1000)))
        original = draw(st.one_of(st.just(len(data)), st.integers(0, 2**32 - 1)))
        found.append(Record(data, original, time, draw(st.sampled_from([1, 1, 1, 0, 113, 65535])), notes))
    return found


@ORDERS
@pytest.mark.parametrize("backend", ["c", "python"])
@given(packets=some_packets(), nano=st.booleans())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(backend, order, packets, nano, tmp_path, monkeypatch):
    """All of it: bytes, sizes, times to the nanosecond, link types, every line. Interfaces in the order they are met in."""
    monkeypatch.setattr("pkttools.formats.pcapng.codec", load(backend))
    monkeypatch.setattr("pkttools.formats.pcapng_sink.codec", load(backend))
    path = tmp_path / "there"
    sink = PcapngSink(Output(str(path), None), 1, order, nano)
    data, rows = batch_of(*packets)
    for first in range(0, len(packets), 5):
        sink.write(Batch(data, bytearray(rows[first * ROW_BYTES : (first + 5) * ROW_BYTES])))
    assert sink.close() == []
    assert records(path.read_bytes()) == packets
    assert outcome(path.read_bytes(), path) == (packets, [], "")


def written(codec: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path, packets: list[Record], nano: bool = False) -> bytes:
    monkeypatch.setattr("pkttools.formats.pcapng_sink.codec", codec)
    sink = PcapngSink(Output(str(path), None), 147, "<", nano)
    data, rows = batch_of(*packets)
    try:
        sink.write(Batch(data, bytearray(rows)))
    except PktError:
        sink.output.close()
        raise
    assert sink.close() == []
    return path.read_bytes()


class Counting:
    """A codec that counts calls of pcapng_encode."""

    def __init__(self, codec: ModuleType) -> None:
        self.codec, self.calls = codec, 0

    def pcapng_encode(self, *args: object) -> tuple:
        self.calls += 1
        return self.codec.pcapng_encode(*args)


@pytest.mark.parametrize(("names", "most"), [(1, 60), (9, 120), (90, 900)])
def test_in_one_go_as_one_by_one(codec, monkeypatch, tmp_path, names, most):
    """What is written is as if each packet came alone; and where interfaces are not too many it takes no step a packet."""
    draw = random.Random(names)
    packets = [
        packet(bytes(draw.randrange(9)), draw.choice((0, 1000, 1001)), draw.choice((1, 1, 113)),
               draw.choice(("", "NOTE: x\n")) + f"IFACE:{' ' * draw.randrange(2)}{draw.randrange(names)}\n"
               + draw.choice(("", "WAY: in\n", f"LOST: {draw.randrange(5)}\n", "IFACE: no\n")))
        for _ in range(900)
    ]  # fmt: skip
    data, rows = batch_of(*packets)
    outcomes, counting = [], Counting(codec)
    monkeypatch.setattr("pkttools.formats.pcapng_sink.codec", counting)
    for step in (1, 7, 900):
        sink, counting.calls = PcapngSink(Output(str(tmp_path / "out"), None), 1, "<", False), 0
        for first in range(0, len(packets), step):
            sink.write(Batch(data, bytearray(rows[first * ROW_BYTES : (first + step) * ROW_BYTES])))
        sink.close()
        outcomes.append((tmp_path / "out").read_bytes())
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert counting.calls <= most


def test_interfaces_are_described_when_they_are_met(codec, monkeypatch, tmp_path):
    """Once more when nanoseconds come, and from then on those."""
    eth = "IFACE: eth0\n"
    packets = [packet(time=1000, notes=eth), packet(time=2000), packet(time=2001, notes=eth), packet(time=3000, notes=eth)]
    packets.append(packet(linktype=9))
    fine = ((2, b"eth0"), (9, b"\x09"))
    assert written(codec, monkeypatch, tmp_path / "f", packets) == (
        section() + interface(1, ((2, b"eth0"),)) + enhanced(b"abc", 1) + interface() + enhanced(b"abc", 2, 1) + interface(1, fine)
        + enhanced(b"abc", 2001, 2) + enhanced(b"abc", 3000, 2) + interface(9) + enhanced(b"abc", 0, 3)
    )  # fmt: skip
    assert written(codec, monkeypatch, tmp_path / "f", packets[:4], nano=True) == (
        section() + interface(1, fine) + enhanced(b"abc", 1000) + interface(1, ((9, b"\x09"),)) + enhanced(b"abc", 2000, 1)
        + enhanced(b"abc", 2001) + enhanced(b"abc", 3000)
    )  # fmt: skip


def test_a_stream_without_packets(codec, monkeypatch, tmp_path):
    assert written(codec, monkeypatch, tmp_path / "f", []) == section() + interface(147)
    assert written(codec, monkeypatch, tmp_path / "f", [], nano=True) == section() + interface(147, ((9, b"\x09"),))


def test_what_a_section_cannot_hold(codec, monkeypatch, tmp_path):
    """After everything before it."""
    for bad, said in (
        (packet(linktype=65536), "link type 65536 does not fit in a pcapng file"),
        (packet(original=-1), "a pcapng file cannot hold this packet's time or size"),
    ):
        with pytest.raises(PktError, match=said):
            written(codec, monkeypatch, tmp_path / "f", [packet(), bad, packet()])
        assert (tmp_path / "f").read_bytes() == section() + interface() + enhanced(b"abc")
    with pytest.raises(PktError, match="at most 65536 interfaces"):
        written(codec, monkeypatch, tmp_path / "f", [packet(notes=f"IFACE: {i}\n") for i in range(65537)])
    assert len(records((tmp_path / "f").read_bytes())) == 65536


def test_interfaces_that_take_turns(codec, monkeypatch, tmp_path):
    """In time that grows with the packets, not with their square."""
    packets = [packet(b"", 1000 * i, notes=f"IFACE: {i % 3}\n") for i in range(30_000)]
    assert records(written(codec, monkeypatch, tmp_path / "f", packets)) == packets
