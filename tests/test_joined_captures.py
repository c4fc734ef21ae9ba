"""Captures behind each other in one stream, as `cat a.pcap b.pcap` makes them, and pcap files of all versions: by commands."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import BACKENDS, ROOT, load, shell
from sections import block, enhanced, interface, section

from pkttools import codec
from pkttools.batch import CAPTURED, LINKTYPE, ORIGINAL, TIME
from pkttools.errors import PktError
from pkttools.formats import packets
from pkttools.formats.files import Input

MAGICS = {"micro": 0xA1B2C3D4, "nano": 0xA1B23C4D, "kuznetzov": 0xA1B2CD34}
Packet = tuple[int, int, bytes]  # seconds, original size, bytes
PACKETS: list[Packet] = [(1, 6, b"abc"), (0xA1B2C3D4, 20, b"d"), (3, 0, b"")]  # the second in a second that is a magic


def pcap(packets: list[Packet], magic: str = "micro", order: str = "<", linktype: int = 1, zone: int = 0, accuracy: int = 0,
         version: tuple[int, int] = (2, 4), swapped: bool = False) -> bytes:  # fmt: skip
    """A pcap file."""
    out = struct.pack(order + "IHHiIII", MAGICS[magic], *version, zone, accuracy, 65535, linktype)
    for seconds, original, frame in packets:
        sizes = (original, len(frame)) if swapped else (len(frame), original)
        out += struct.pack(order + "IIII", seconds, 7, *sizes) + bytes(8 * (magic == "kuznetzov")) + frame
    return out


def pcapng(packets: list[Packet], order: str = "<", linktype: int = 1) -> bytes:
    """A section of pcapng."""
    made = [enhanced(frame, time * 1_000_000 + 7, order=order, original=original) for time, original, frame in packets]
    return section(order) + interface(linktype, order=order) + b"".join(made)


def said_of(text: bytes) -> list[tuple[int, float, int, int]]:
    """Link type, time, captured and original size of each packet of a text."""
    found, linktype = [], 1
    for kind, rest in re.findall(rb"^(LINKTYPE|TIME|SIZE): (\S+)", text, re.M):
        if kind == b"LINKTYPE":
            linktype = int(rest)
        elif kind == b"TIME":
            seconds = int(rest.split(b".")[0])
        else:
            captured, original = map(int, rest.split(b"/"))
            found.append((linktype, seconds, captured, original))
    return found


def expected(packets: list[Packet], linktype: int = 1) -> list[tuple[int, int, int, int]]:
    return [(linktype, seconds, len(frame), original) for seconds, original, frame in packets]


FILES = {
    "pcap": pcap(PACKETS), "big": pcap(PACKETS, order=">"), "nano": pcap(PACKETS, "nano"), "bignano": pcap(PACKETS, "nano", ">"),
    "kuznetzov": pcap(PACKETS, "kuznetzov"), "zone": pcap(PACKETS, zone=-3600, accuracy=6), "empty": pcap([]),
    "old": pcap(PACKETS, version=(2, 2), swapped=True), "ng": pcapng(PACKETS), "bigng": pcapng(PACKETS, ">"),
}  # fmt: skip


@pytest.fixture(params=BACKENDS)
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], tuple[list, str]]:
    """Reads a stream with either codec: its packets, as `expected` has them, and the error that it ends with, if it does."""
    backend = load(request.param)
    for name in ("pcap_decode", "pcapng_decode"):
        monkeypatch.setattr(codec, name, getattr(backend, name))

    def packets_of(data: bytes) -> tuple[list, str]:
        found: list[tuple[int, int, int, int]] = []
        try:
            for batch in packets(Chunks(data)):
                seconds = [time // 1_000_000_000 for time in batch.column(TIME)]
                found += zip(batch.column(LINKTYPE), seconds, batch.column(CAPTURED), batch.column(ORIGINAL), strict=True)
        except PktError as error:
            return found, str(error)
        return found, ""

    return packets_of


@pytest.mark.parametrize("first", FILES)
def test_packets_of_both(read, first: str) -> None:
    """Whatever their format, byte order, resolution and version."""
    for second in FILES:
        wanted = [packet for name in (first, second) if name != "empty" for packet in expected(PACKETS)]
        assert read(FILES[first] + FILES[second]) == (wanted, "")


def test_three_of_other_link_types_on_both_codecs(backend: str, tmp_path: Path) -> None:
    """Also from a file, and in pieces that end anywhere."""
    whole = pcap(PACKETS, linktype=113) + pcapng(PACKETS, ">", 101) + pcap(PACKETS, "nano", ">")
    wanted = expected(PACKETS, 113) + expected(PACKETS, 101) + expected(PACKETS)
    (tmp_path / "joined").write_bytes(whole)
    done = shell(f"pkt-txt2txt --in {tmp_path}/joined", backend=backend)
    assert (done.returncode, done.stderr, said_of(done.stdout)) == (0, b"", wanted)
    pieces = f"for ((i = 0; i < {len(whole)}; i += 37)); do head -c 37; sleep 0.01; done < <(cat {tmp_path}/joined)"
    done = shell(f"{{ {pieces}; }} | pkt-txt2txt", backend=backend)
    assert (done.returncode, done.stderr, said_of(done.stdout)) == (0, b"", wanted)


PAIRS = ["pcap pcap", "pcap bignano", "big ng", "ng big", "bigng big", "kuznetzov kuznetzov", "old old", "ng bigng"]


@pytest.mark.parametrize(("first", "second"), [pair.split() for pair in PAIRS])
def test_cut_at_each_byte_of_the_second(read, first: str, second: str) -> None:
    """The packets of the first, no ghost, and an error with the right place, wherever the second one ends."""
    whole, allowed = FILES[second], expected(PACKETS)
    ends = [n for n in range(24, len(whole) + 1) if not read(whole[:n])[1]]  # where it ends with a packet
    for cut in range(1, len(whole)):
        found, error = read(FILES[first] + whole[:cut])
        assert found == (allowed + allowed)[: len(found)]
        assert len(found) >= len(allowed)
        assert bool(error) == (cut not in ends), cut
        assert not error or ": file is truncated: " in error, (cut, error)
        if cut < 24:
            assert f"at byte {len(FILES[first])}: file is truncated: " in error, (cut, error)


class Chunks:
    """A source in memory, for the readers of formats."""

    name, form, is_file, is_pipe, nano, link, onward, sections = "<memory>", "text", False, False, False, None, None, None
    compression, byte, elsewhere, at_once = "", Input.byte, None, Input.at_once

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.said, self.joined = data, 0, [], []

    def fill(self, buffer: bytearray, used: int) -> int:
        piece = self.data[self.at : self.at + len(buffer) - used]
        buffer[used : used + len(piece)] = piece
        self.at += len(piece)
        return used + len(piece)


def test_errors_of_the_second_have_its_place() -> None:
    first, bad = FILES["pcap"], pcap([(1, 3, b"abc")]) + struct.pack("<IIII", 9, 9, 300_000, 300_000)
    done = shell("pkt-pcap2txt", first + bad)
    assert f"at byte {len(first) + 43}: record of 300000 bytes: a packet has at most 262144\n" in done.stderr.decode()
    done = shell("pkt-pcap2txt -v", first + FILES["bigng"] + first)
    assert f"<stdin>: 2 captures behind the first, from byte {len(first)} on\n" in done.stderr.decode()
    done = shell("pkt-pcap2txt", first + pcap(PACKETS, version=(3, 1)))
    assert (done.returncode, len(said_of(done.stdout))) == (1, 3)
    assert f"at byte {len(first)}: version 3.1 of pcap is not supported" in done.stderr.decode()
    ng = FILES["ng"]
    done = shell("pkt-pcap2txt", first + ng + block(6, bytes(8)))
    assert f"at byte {len(first + ng)}: block of 20 bytes" in done.stderr.decode()
    done = shell("pkt-pcap2txt", ng + first + b"\1")
    assert f"at byte {len(first + ng)}: file is truncated: 1 of a record header's 16 bytes" in done.stderr.decode()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x0A0D0D0A])
@pytest.mark.parametrize(("captured", "original"), [(60, 60), (1, 1), (900, 1514), (0, 10), (3600, 3600)])
def test_a_record_at_the_second_of_a_magic(backend: str, order: str, magic: int, captured: int, original: int) -> None:
    """In 2055, 2083 and 1975: only one without any bytes, of a packet of 0 to 9, is taken for a file's header."""
    record = struct.pack(order + "IIII", magic, 0x00040002, captured, original) + bytes(captured)
    done = shell("pkt-pcap2txt", pcap([], order=order) + record + record, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert said_of(done.stdout) == [(1, magic + 0, captured, original)] * 2


def test_rounds_read_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "joined").write_bytes(pcap([(1, 3, b"abc")]) + pcap([(2, 4, b"defg")], "nano"))
    for source in (f"--in {tmp_path}/joined", f"< <(cat {tmp_path}/joined)"):
        done = shell(f"pkt-send --dry-run -f --loop 3 {source}")
        assert (done.returncode, done.stderr) == (0, b"pkt-send: would send 6 packets, 21 bytes, in 0.000 s\n")


def test_to_pcap_with_two_link_types() -> None:
    """A pcap file cannot hold them; pcapng can."""
    joined = pcap(PACKETS) + pcap(PACKETS, linktype=113)
    done = shell("pkt-txt2txt -F pcap", joined)
    assert done.returncode == 1
    assert b"a pcap file has one link type" in done.stderr
    done = shell("pkt-txt2txt -F pcapng | pkt-txt2txt", joined)
    assert said_of(done.stdout) == expected(PACKETS) + expected(PACKETS, 113)


# ---- versions ----

VERSIONS = [(2, 0), (2, 1), (2, 2), (2, 3), (2, 4), (543, 0), (2, 5), (1, 0), (0, 0), (3, 0), (543, 1)]


def by_tcpdump(path: Path) -> list[tuple[int, int, int]] | None:
    """Second, captured and original size of each packet as tcpdump copies the file; None: it refuses it."""
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    done = subprocess.run(["tcpdump", "-r", path, "-w", "-"], capture_output=True, check=False)
    if done.returncode:
        return None
    found, at = [], 24
    while at < len(done.stdout):
        seconds, _, captured, original = struct.unpack_from("=IIII", done.stdout, at)
        found.append((seconds, captured, original))
        at += 16 + captured
    return found


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("magic", ["micro", "kuznetzov"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", VERSIONS)
def test_versions_as_tcpdump_has_them(read, tmp_path, version, order, magic, swapped) -> None:
    """Before 2.3 the lengths stand the other way round, in 2.3 where captured would be more; 543.0 is Digital Unix."""
    records = [(5, 3, b"abc"), (6, 0, b""), (7, 4, b"abcd")]
    if version == (2, 3) or swapped == (version < (2, 3) or version[0] == 543):  # else they would be nonsense to both
        records[1] = 6, 60, b"cut"
    path = tmp_path / "old.pcap"
    path.write_bytes(pcap(records, magic, order, version=version, swapped=swapped))
    judged = by_tcpdump(path)
    found, error = read(path.read_bytes())
    if judged is None:
        assert not found
        assert f"version {version[0]}.{version[1]} of pcap is not supported, only 2.0 to 2.4 and 543.0" in error
        return
    assert not error
    assert [(seconds, captured, original) for _, seconds, captured, original in found] == judged


@pytest.mark.parametrize("order", ["<", ">"])
def test_captures_of_aix(codec, monkeypatch, tmp_path, order) -> None:
    """Version 2.2 with a link type by ifType (RFC 1573): its times are in nanoseconds. With another one it is tcpdump's."""
    monkeypatch.setattr("pkttools.codec.pcap_decode", codec.pcap_decode)
    for iftype, linktype in ((6, 1), (9, 6), (15, 10), (24, 0), (1, 1), (10, 10)):
        head = struct.pack(order + "IHHiIII", MAGICS["micro"], 2, 2, 0, 0, 65535, iftype)
        (tmp_path / "aix.pcap").write_bytes(head + struct.pack(order + "IIII", 5, 123_456, 60, 3) + b"abc")
        (row,) = [(*batch.column(LINKTYPE), *batch.column(TIME), *batch.column(CAPTURED), *batch.column(ORIGINAL))
                  for batch in packets(Input([str(tmp_path / "aix.pcap")])) if len(batch)]  # fmt: skip
        assert row == (linktype, 5 * 10**9 + 123_456 * (1000 if iftype in (1, 10) else 1), 3, 60), iftype


@pytest.mark.parametrize("form", ["pcap", "pcap -be", "pcapng"])
def test_a_capture_behind_text_is_an_error_with_its_line(backend, form):
    """Its packets would be comments: nothing is lost without a word. What stands before passes."""
    text = b"# a comment\n" + (ROOT / "examples" / "ping.txt").read_bytes()
    command, _, order = form.partition(" ")
    capture = shell(f"pkt-txt2{command} {order}", text).stdout
    done = shell("pkt-txt2txt", text + capture, backend=backend)
    assert done.returncode == 1 and done.stdout.count(b"==\n") == text.count(b"==\n")
    line = text.count(b"\n") + 1
    assert re.match(rb"pkt-txt2txt: <stdin>:(\d+): bytes that are no text", done.stderr), done.stderr
    assert int(done.stderr.split(b":")[2]) - line in (0, 1, 2)  # pcapng begins with ends of lines
