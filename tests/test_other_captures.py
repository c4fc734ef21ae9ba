"""Captures of other programs: snoop, ERF, pcap of Kuznetzov's kind and of others; what is not read says what converts it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import SHARED, shell
from sections import Record, packets_of

from pkttools.batch import link_of
from pkttools.errors import PktError
from pkttools.formats import CONVERTED, packets
from pkttools.formats.files import Input

SECOND = 10**9
FRAME = bytes.fromhex("0200000000020200000000010800") + b"payload"


def read(raw: bytes, path: Path) -> tuple[list[Record], list[str], str]:
    """The packets of a file, what is said of it, and the error that ends it."""
    path.write_bytes(raw)
    found: list[Record] = []
    error = ""
    source = Input([str(path)])
    try:
        for batch in packets(source):
            found += packets_of(bytearray(batch.data), bytes(batch.rows))
    except PktError as wrong:
        error = str(wrong).removeprefix(f"{path}: ")
    return found, source.said, error


def snoop(*records: bytes, version: int = 2, link: int = 4) -> bytes:
    return b"snoop\0\0\0" + struct.pack(">II", version, link) + b"".join(records)


def record(frame: bytes, original: int | None = None, seconds: int = 1, micros: int = 2, drops: int = 0, pad: int = 0,
           size: int | None = None, captured: int | None = None) -> bytes:  # fmt: skip
    original, captured = len(frame) if original is None else original, len(frame) if captured is None else captured
    size = 24 + len(frame) + pad if size is None else size
    return struct.pack(">6I", original, captured, size, drops, seconds, micros) + frame + bytes(pad)


def test_snoop(tmp_path: Path) -> None:
    """RFC 1761: padding, and what was dropped, which is counted from the first packet on."""
    raw = snoop(record(FRAME, 99, pad=3), record(b"", 7, 2**32 - 1, 999_999), record(b"x", drops=5), record(b"y", drops=7))
    time = SECOND + 2000
    late = (2**32 - 1) * SECOND + 999_999_000
    wanted = [Record(FRAME, 99, time, 1), Record(b"", 7, late, 1), Record(b"x", 1, time, 1, "LOST: 5\n"),
              Record(b"y", 1, time, 1, "LOST: 2\n")]  # fmt: skip
    assert read(raw, tmp_path / "x") == (wanted, [], "")
    assert read(snoop(), tmp_path / "x") == ([], [], "")
    assert read(snoop(record(b"x"), link=2), tmp_path / "x")[0] == [Record(b"x", 1, time, 6)]
    many = read(snoop(*[record(FRAME * 2000, pad=2)] * 40), tmp_path / "x")  # more than is read at once
    assert (len(many[0]), set(many[0])) == (40, {Record(FRAME * 2000, len(FRAME) * 2000, time, 1)})


@pytest.mark.parametrize(
    ("raw", "count", "error"),
    [
        (snoop(version=3), 0, "version 3 of snoop is not supported: editcap -F pcapng may convert it"),
        (snoop(link=5), 0, "datalink type 5 of snoop is not supported: editcap -F pcapng may convert it"),
        (snoop()[:9], 0, "file is truncated: 9 of the file header's 16 bytes"),
        (snoop(record(b"x"), record(b"abc")[:-1]), 1, "at byte 41: file is truncated: 2 of a packet's 3 bytes"),
        (snoop(record(b"x"), record(b"")[:5]), 1, "at byte 41: file is truncated: 5 of a record header's 24 bytes"),
        (snoop(record(b"abc", size=26)), 0, "at byte 16: record of 26 bytes: it holds a packet of 3 and 24 in front of it"),
        (snoop(record(b"", size=8)), 0, "at byte 16: record of 8 bytes: it holds a packet of 0 and 24 in front of it"),
        (snoop(record(b"", size=2**32 - 1)), 0,
         "at byte 16: record of 4294967295 bytes: it holds a packet of 0 and 24 in front of it"),
        (snoop(record(b"", captured=300_000)), 0, "at byte 16: record of 300000 bytes: a packet has at most 262144"),
    ],
)  # fmt: skip
def test_snoop_that_is_wrong(raw: bytes, count: int, error: str, tmp_path: Path) -> None:
    found, said, told = read(raw, tmp_path / "x")
    assert (len(found), said, told) == (count, [], error)


def erf(kind: int, body: bytes, wire: int, *, seconds: int = 1_700_000_000, fraction: int = 1 << 31, flags: int = 4,
        losses: int = 0, size: int | None = None) -> bytes:  # fmt: skip
    size = 16 + len(body) if size is None else size
    return struct.pack("<IIBB", fraction, seconds, kind, flags) + struct.pack(">HHH", size, losses, wire) + body


TIME = 1_700_000_000 * SECOND + SECOND // 2


def test_erf(tmp_path: Path) -> None:
    """Kinds of packets, extension headers, padding, interfaces, losses; a frame check sequence ends frames of Ethernet."""
    ethernet = link_of(1, 4)
    raw = b"".join(
        (
            erf(2, b"\0\0" + FRAME + b"fcs." + bytes(3), len(FRAME) + 4, losses=3, flags=5),
            erf(0x80 | 16, b"\x80" + bytes(7) + b"\0" + bytes(7) + b"\0\0" + FRAME, 99, losses=3, fraction=0xFFFFFFFF),
            erf(48, bytes(8), 0),
            erf(1, b"\xff\x03\0\x21data", 8, fraction=4295),
            erf(5, b"\0\0\0\1" + b"\x0f\0\x08\0data", 8),
            erf(22, b"\x45four", 5, seconds=1),
            erf(23, b"\x60six", 4),
            erf(0x9B, bytes(16), 8, seconds=0, fraction=0),
        )
    )
    at = "IFACE: 0\n"
    wanted = [
        Record(FRAME + b"fcs.", len(FRAME) + 4, TIME, ethernet, "IFACE: 1\nLOST: 3\n"),
        Record(FRAME, 99, TIME + SECOND // 2, ethernet, at),
        Record(b"\xff\x03\0\x21data", 8, TIME - SECOND // 2 + 1000, 50, at), Record(b"\x0f\0\x08\0data", 8, TIME, 104, at),
        Record(b"\x45four", 5, SECOND + SECOND // 2, 228, at), Record(b"\x60six", 4, TIME, 229, at),
    ]  # fmt: skip
    assert read(raw, tmp_path / "x") == (wanted, [f"{tmp_path / 'x'}: not kept: 1 metadata record"], "")


@pytest.mark.parametrize(
    ("raw", "count", "error"),
    [
        (erf(3, bytes(52), 52), 0, "at byte 0: type 3 of ERF records is not supported: editcap -F pcapng may convert it"),
        (erf(22, b"x", 1) + erf(22, b"abc", 3) + erf(25, b"", 0), 2,
         "at byte 36: type 25 of ERF records is not supported: editcap -F pcapng may convert it"),
        (erf(22, b"x", 1) * 16 + erf(22, b"x", 1, size=15), 16, "at byte 272: record of 15 bytes: its header has 16"),
        (erf(22, b"x", 1) * 16 + erf(22, b"abc", 3)[:-1], 16, "at byte 272: file is truncated: 2 of a packet's 3 bytes"),
        (erf(22, b"x", 1) + erf(0x82, b"\x80" + bytes(7), 3), 1, "at byte 17: record of 24 bytes: 26 are in front of its packet"),
    ],
)  # fmt: skip
def test_erf_that_is_wrong(raw: bytes, count: int, error: str, tmp_path: Path) -> None:
    found, _, told = read(raw, tmp_path / "x")
    assert (len(found), told.removeprefix(f"{tmp_path / 'x'}: ")) == (count, error)


def test_what_has_no_magic_is_no_erf(tmp_path: Path) -> None:
    """Files 23: a wrong guess is worse than none."""
    for raw in (bytes(4096), b"\0" * 8 + b"\2\4\0\x10" + bytes(4), erf(49, b"x", 1), erf(22, b"x", 1)[:-1], b"\0packets"):
        found, _, error = read(raw, tmp_path / "x")
        assert (found, error) == ([], "neither packet text nor a capture file"), raw[:32]


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packets of several sizes in a plain capture."""
    path = tmp_path_factory.mktemp("captures") / "plain.pcap"
    frames = [FRAME * n for n in (1, 3, 70, 2, 5, 1, 1, 1, 1, 4)]
    path.write_bytes(
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        + b"".join(struct.pack("<IIII", 1_700_000_000 + i, i, len(f), len(f)) + f for i, f in enumerate(frames))
    )
    return path


@pytest.mark.parametrize("form", ["modpcap", "rh6_1pcap", "suse6_3pcap", "nokiapcap", "snoop"])
@pytest.mark.parametrize("count", [2, 10])
def test_as_wireshark_writes_them(form: str, count: int, capture: Path, tmp_path: Path) -> None:
    if not shutil.which("editcap"):
        pytest.skip("editcap is missing")
    subprocess.run(["editcap", "-r", "-F", form, capture, tmp_path / "x", f"1-{count}"], check=True, capture_output=True)
    wanted = read(capture.read_bytes(), tmp_path / "plain")[0][:count]
    assert read((tmp_path / "x").read_bytes(), tmp_path / "y") == (wanted, [], "")


def test_a_damaged_capture_is_none_of_another_kind(capture: Path, tmp_path: Path) -> None:
    raw = capture.read_bytes()
    assert read(raw[:-1], tmp_path / "x")[2].endswith("file is truncated: 83 of a packet's 84 bytes")
    damaged = raw[:24] + struct.pack("<IIII", 1, 1, 400_000, 400_000) + raw[40:]
    assert read(damaged, tmp_path / "x")[2].endswith("record of 400000 bytes: a packet has at most 262144")


def test_as_libtrace_writes_erf(capture: Path, tmp_path: Path) -> None:
    """It takes frames from pcap to have had a check sequence on the wire, and compresses unless told otherwise."""
    if not shutil.which("traceconvert"):
        pytest.skip("traceconvert is missing")
    subprocess.run(["traceconvert", f"pcapfile:{capture}", f"erf:{tmp_path}/x.erf"], check=True, capture_output=True)
    found, _, error = read((tmp_path / "x.erf").read_bytes(), tmp_path / "y")
    wanted = read(capture.read_bytes(), tmp_path / "plain")[0]
    assert (error, [(p.data, p.original - 4) for p in found]) == ("", [(p.data, p.original) for p in wanted])
    assert all(abs(p.time - q.time) < 1000 for p, q in zip(found, wanted, strict=True))


def test_what_is_read_is_written_as_what_is_like_it(capture: Path, tmp_path: Path) -> None:
    """In a pipe of stages: snoop as pcap, ERF as pcapng, which keeps interfaces."""
    done = shell("pkt-pipe 'change TCP.DST_PORT==1 TCP.DST_PORT=2' 2> /dev/null", snoop(record(FRAME)))
    assert (done.returncode, done.stdout[:4]) == (0, b"\xd4\xc3\xb2\xa1")
    done = shell("pkt-pipe 'change TCP.DST_PORT==1 TCP.DST_PORT=2' 2> /dev/null", erf(22, b"x", 1))
    assert (done.returncode, done.stdout[:4]) == (0, b"\n\r\r\n")


def test_what_is_not_read_says_what_converts_it(capture: Path, tmp_path: Path) -> None:
    for magic, whose in CONVERTED.items():
        assert read(magic + bytes(64), tmp_path / "x") == ([], [], f"this is a capture of {whose}: editcap -F pcapng converts it")
    if shutil.which("editcap"):
        for form in (
            "netmon1",
            "netmon2",
            "ngsniffer",
            "5views",
            "k12text",
            "lanalyzer",
            "nettl",
            "visual",
            "ngwsniffer_2_0",
            "observer",
        ):
            subprocess.run(["editcap", "-F", form, capture, tmp_path / "x"], check=True, capture_output=True)
            assert "editcap -F pcapng converts it" in read((tmp_path / "x").read_bytes(), tmp_path / "y")[2], form


def test_no_part_by_time_of_those(capture: Path, tmp_path: Path) -> None:
    """What a few records say is not known where they are skipped."""
    if not shutil.which("editcap"):
        pytest.skip("editcap is missing")
    subprocess.run(["editcap", "-F", "nokiapcap", capture, tmp_path / "x"], check=True, capture_output=True)
    done = shell(f"pkt-filter --sorted --from 2023-11-14T22:13:22Z --in '{tmp_path}/x'")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(b"--sorted is for files of pcap: the records of this one are of another kind\n")


def test_kuznetzov_by_hand(tmp_path: Path) -> None:
    path = SHARED / "captures" / "handmade" / "pcap" / "magic_kuznetzov.pcap"
    if not path.exists():
        pytest.skip("a folder ../shared is missing")
    assert read(path.read_bytes(), tmp_path / "x")[2] == ""
