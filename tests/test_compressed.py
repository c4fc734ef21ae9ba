"""Compressed captures and texts: by their first octets in, by a name's ending or --compress out; what is damaged is said."""

from __future__ import annotations

import importlib.util
import io
import os
import pty
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import frames_of, pcap
from samples import ethernet, ipv4, udp
from waits import unread, until

import pkttools
from pkttools.command_line.options import COMPRESSIONS
from pkttools.formats import compressed, packets
from pkttools.formats.compressed.unpacking import PIECE, Members
from pkttools.formats.files import Input, Output

ENDINGS = {name: endings[0] for name, endings in COMPRESSIONS.items()}
LIBRARIES = {"zstd": "backports.zstd" if sys.version_info < (3, 14) else "compression.zstd", "lz4": "lz4"}
DICE = random.Random(4)
FRAMES = [ethernet(0x0800, ipv4(17, udp(DICE.randbytes(DICE.randrange(18, 700))))) for _ in range(700)]
CAPTURE, SOME, FEW = pcap(FRAMES), pcap(FRAMES[:99]), pcap(FRAMES[:2])
TEXT = b"LINKTYPE: 1 (Ethernet)\n-- 1 --\nTIME: 1.000000 Thu Jan  1 00:00:01 1970\nSIZE: 3/3\n000000: 00 01 02\n==\n"
SKIPPED = struct.pack("<II", 0x184D2A5B, 5) + b"hello"
OLD_LZ4 = struct.pack("<II", 0x184C2102, 5) + b"\x40only"


def need(*kinds: str) -> None:
    """Skips where a library, or the program that judges, is missing."""
    for kind in kinds:
        if kind in LIBRARIES and not importlib.util.find_spec(LIBRARIES[kind].partition(".")[0]):
            pytest.skip(f"{LIBRARIES[kind]} is not installed")
        if not shutil.which(kind):
            pytest.skip(f"{kind} is not installed")


@pytest.fixture(params=COMPRESSIONS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every kind of compression, one after the other."""
    need(request.param)
    return request.param


def packed(kind: str, data: bytes, *options: str) -> bytes:
    """What the program of that name makes of data."""
    return subprocess.run([kind, "-c", *options], input=data, capture_output=True, check=True).stdout


def unpacked(kind: str, data: bytes) -> bytes:
    """The way back, which also checks the sums."""
    done = subprocess.run([kind, "-dc"], input=data, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def read(path: Path, data: bytes) -> tuple[list[bytes], str]:
    """The frames of a file that holds this, and what is wrong with it, behind its name."""
    path.write_bytes(data)
    found: list[bytes] = []
    try:
        for packet in pkttools.read(path):
            found.append(packet.frame)
    except pkttools.PktError as error:
        return found, str(error).removeprefix(f"{path}: ")
    return found, ""


# ---- every kind ----


def test_in_and_out(tmp_path: Path, kind: str) -> None:
    """As the program of that name compresses and decompresses; files and pipes, by name and by option, captures and text."""
    (tmp_path / "in").write_bytes(packed(kind, SOME))
    end = ENDINGS[kind]
    done = shell(
        f"cd {tmp_path} && pkt-txt2txt --in in --out t.txt{end} && pkt-correct --in t.txt{end} --out n.pcapng{end.upper()}"
        f" && cat n.pcapng{end.upper()} | pkt-change IP.TTL=3 --compress {kind} -F pcap > out"
        f" && pkt-change IP.TTL=3 -F pcap --compress none --out plain{end} --in n.pcapng{end.upper()}"
        f" && pkt-pipe 'filter UDP' --in in --out x{end}"
        f" && pkt-pipe 'filter UDP' --compress {kind} --in x{end} --out again && cmp again x{end}"
    )
    assert (done.returncode, done.stderr) == (0, b"")
    plain = (tmp_path / f"plain{end}").read_bytes()
    assert len(frames_of(plain)) == 99
    assert unpacked(kind, (tmp_path / "out").read_bytes()) == plain
    assert unpacked(kind, (tmp_path / f"x{end}").read_bytes()) == SOME
    assert unpacked(kind, (tmp_path / f"t.txt{end}").read_bytes()).startswith(TEXT[:22])


def test_by_programs(tmp_path: Path, kind: str) -> None:
    """Paths, and what Python has open; which is compressed by the option alone."""
    path, opened = tmp_path / f"x.pcap{ENDINGS[kind]}", io.BytesIO()
    pkttools.read(io.BytesIO(packed(kind, CAPTURE))).write(path)
    assert unpacked(kind, path.read_bytes()) == CAPTURE
    pkttools.read(path).write(opened, compress=kind, format="pcap")
    assert unpacked(kind, opened.getvalue()) == CAPTURE
    with path.open("wb") as file:
        pkttools.read(io.BytesIO(CAPTURE)).write(file, format="pcap")
    assert path.read_bytes() == CAPTURE
    first = next(iter(pkttools.read(io.BytesIO(packed(kind, CAPTURE)))))
    assert first.frame == FRAMES[0]


def test_a_stream_without_packets(tmp_path: Path, kind: str) -> None:
    """Nothing, compressed, is nothing; what is written of it is a whole stream."""
    assert read(tmp_path / "x", packed(kind, b"")) == ([], "")
    name = f"{tmp_path}/y.txt{ENDINGS[kind]}"
    assert shell(f"pkt-txt2txt --out {name}").returncode == 0
    assert unpacked(kind, Path(name).read_bytes()) == b""


def test_large_and_small_pieces_in_order(tmp_path: Path, kind: str) -> None:
    pieces = [DICE.randbytes(size) for size in (1, 300_000, 1000, 3, 300_000, 300_000, 9, 400_000)]
    path = tmp_path / f"out{ENDINGS[kind]}"
    output = Output(str(path), None)
    for i, piece in enumerate(pieces):
        output.write(memoryview(bytearray(piece)) if i % 4 == 3 else piece)
    assert output.behind, "no thread was started: this test shows less"
    output.close()
    assert unpacked(kind, path.read_bytes()) == b"".join(pieces)


# ---- members, frames, padding: corners 24 to 27 ----


def test_members_and_what_stands_between_them(tmp_path: Path, kind: str) -> None:
    """Empty ones, of another kind, captures that follow each other; zeros behind gzip, zeros in fours behind xz."""
    one, two, none = packed(kind, SOME), packed("gzip", FEW), packed(kind, b"")
    some = FRAMES[:99]
    assert read(tmp_path / "x", none + none + one + two + none) == (some + FRAMES[:2], "")
    assert read(tmp_path / "x", two + one + one) == (FRAMES[:2] + some * 2, "")
    cut = len(FEW) // 2
    assert read(tmp_path / "x", packed(kind, FEW[:cut]) + packed(kind, FEW[cut:])) == (FRAMES[:2], "")
    for zeros in (1, 4, 5, 100_000):
        frames, said = read(tmp_path / "x", one + bytes(zeros))
        assert frames == some, zeros
        expected = {
            "gzip": "",
            "xz": f"xz: padding of {zeros} octets, which is no multiple of 4" if zeros % 4 else "",
        }.get(kind, "what stands behind the compressed data is none: it was not read")
        assert said == expected
    if kind == "xz":
        assert read(tmp_path / "x", one + bytes(8) + two + one + bytes(4)) == (some + FRAMES[:2] + some, "")


def test_frames_to_be_skipped(tmp_path: Path) -> None:
    """In front, as pzstd has them, between and behind others; large ones, and such as are cut."""
    need("zstd", "lz4")
    for kind in ("zstd", "lz4"):
        one, huge = packed(kind, FEW), struct.pack("<II", 0x184D2A50, 1 << 20) + bytes(1 << 20)
        for data in (SKIPPED + one, huge + SKIPPED + one + SKIPPED, one + huge):
            assert read(tmp_path / "x", data) == (FRAMES[:2], "")
        for cut in (SKIPPED[:6], SKIPPED[:9], huge[:-1], one + huge[:-1], one + SKIPPED[:-1]):
            frames, said = read(tmp_path / "x", cut)
            assert (frames, said) == (FRAMES[:2] * cut.startswith(one), "file is truncated: the end of the zstd data is missing")
    if not shutil.which("pzstd"):
        pytest.skip("pzstd is not installed")
    (tmp_path / "y").write_bytes(CAPTURE)
    subprocess.run(["pzstd", "-q", "-p", "2", "y"], cwd=tmp_path, check=True)
    assert (tmp_path / "y.zst").read_bytes()[1:4] == b"\x2a\x4d\x18"
    assert [packet.frame for packet in pkttools.read(tmp_path / "y.zst")] == FRAMES


def test_garbage_behind_the_end(tmp_path: Path, kind: str) -> None:
    """Not even a packet, and not a single octet, is passed over."""
    for garbage in (b"x", b"garbage", FEW, TEXT):
        frames, said = read(tmp_path / "x", packed(kind, SOME) + garbage)
        assert (frames, said) == (FRAMES[:99], "what stands behind the compressed data is none: it was not read")


# ---- what is cut or damaged ----


def test_a_stream_that_ends_early(tmp_path: Path, kind: str) -> None:
    """Wherever it is cut: an error, also with no packet; packets that could be had come first."""
    tiny, large = packed(kind, FEW), packed(kind, CAPTURE)
    for cut in range(1, len(tiny), 1 + len(tiny) // 60):
        frames, said = read(tmp_path / "x", tiny[:cut])
        assert frames == FRAMES[: len(frames)] and said, cut
        assert cut < 6 or said == f"file is truncated: the end of the {kind} data is missing"
    for cut in (len(large) // 2, len(large) - 1):
        frames, said = read(tmp_path / "x", large[:cut])
        assert (frames, said) == (FRAMES[: len(frames)], f"file is truncated: the end of the {kind} data is missing")
    assert len(frames) == len(FRAMES) or kind in ("bzip2",)
    done = shell("pkt-pcap2txt -F pcap", large[:-1])
    assert done.returncode == 1 and frames_of(done.stdout) == frames
    assert done.stderr == f"pkt-pcap2txt: <stdin>: file is truncated: the end of the {kind} data is missing\n".encode()


def test_sums_that_are_wrong(tmp_path: Path, kind: str) -> None:
    """An octet that is another one, or a sum, which stands behind what it is of: an error, whatever packets there are."""
    large = bytearray(packed(kind, CAPTURE))
    for behind in (len(large) // 2, 40 if kind == "xz" else 3):  # its sums are not the last octets
        damaged = bytearray(large)
        damaged[-behind] ^= 0x10
        frames, said = read(tmp_path / "x", bytes(damaged))
        assert said, behind
    assert frames == FRAMES[: len(frames)] and said.startswith(f"{kind} data is damaged")


def test_what_is_refused(tmp_path: Path, kind: str) -> None:
    """Compressed twice; what is no packets; windows that ask for more memory than zstd itself gives."""
    twice = f"compressed twice: what the {kind} data holds is compressed, too"
    assert read(tmp_path / "x", packed(kind, packed("gzip", FEW))) == ([], twice)
    for data in (b"\0" * 100, b"<html>\n" * 9, bytes(range(256))):
        frames, said = read(tmp_path / "x", packed(kind, data))
        assert not frames and ("not packet text" in said or "neither packet text nor a capture" in said)
    if kind == "zstd":
        for window, wrong in ((27, ""), (28, "zstd data is damaged, or asks for too much memory: ")):
            frames, said = read(tmp_path / "x", windowed(window))
            assert (frames, said[: len(wrong)]) == ([] if wrong else FRAMES[:2], wrong)
    if kind == "lz4":
        assert read(tmp_path / "x", OLD_LZ4) == ([], "this is lz4 of the old format: put lz4 -dc in front")


def test_what_is_said_of_what_it_holds(tmp_path: Path) -> None:
    """Places are those of what it holds, which is said; an archive is named as what it is, compressed or not."""
    damaged = FEW[:-3]
    plain, said = (read(tmp_path / "x", data)[1] for data in (damaged, packed("gzip", damaged)))
    place = re.match("at byte [0-9]+", plain)
    assert place and said == plain.replace(place[0], f"{place[0]} of what it holds decompressed", 1)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        (tmp_path / "a.pcap").write_bytes(FEW)
        archive.add(tmp_path / "a.pcap", "a.pcap")
    octets = (tmp_path / "x.tar").read_bytes()
    how = "tar -xOf gives what its files hold"
    assert read(tmp_path / "x", octets) == ([], f"this is a tar archive: {how}")
    assert read(tmp_path / "x", packed("gzip", octets)) == ([], f"this is a tar archive, compressed by gzip: {how}")


def windowed(logarithm: int) -> bytes:
    """A frame of zstd that asks for a window of so many bits: RFC 8878 section 3.1.1.1; the data in one raw block."""
    block = struct.pack("<I", len(FEW) << 3 | 1)[:3] + FEW
    return b"\x28\xb5\x2f\xfd\x00" + bytes(((logarithm - 10) << 3,)) + block


def test_a_small_file_of_much(kind: str) -> None:
    """What it holds comes in pieces, whatever size it has."""
    data = packed(kind, bytes(9 << 20))
    pieces = Members("x", data, lambda: b"").pieces()
    sizes = [len(piece) for piece in pieces]
    assert sum(sizes) == 9 << 20 and max(sizes) <= PIECE


def test_what_cannot_be_imported_is_named(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written: what is there stays."""
    data, names = packed(kind, FEW), {"zstd": ["backports", "compression"], "gzip": ["zlib"], "bzip2": ["bz2"], "xz": ["lzma"]}
    for name in names.get(kind, [kind]):
        monkeypatch.setitem(sys.modules, name, None)
    frames, said = read(tmp_path / "x", data)
    package = {"zstd": "backports.zstd", "lz4": "lz4"}.get(kind)
    expected = f"{kind} takes {package} (" if package else f"{kind} is not in this Python: "
    assert (frames, said[: len(expected)]) == ([], expected)
    assert not package or said.endswith(f"-m pip install {package}")
    (tmp_path / "out").write_bytes(b"kept")
    with pytest.raises(pkttools.PktError, match=f"^{kind} "):
        Output(str(tmp_path / "out"), None, compress=kind)
    assert (tmp_path / "out").read_bytes() == b"kept"


# ---- in every command ----


def test_other_commands_and_formats(tmp_path: Path) -> None:
    """JSON, dumps, two files beside each other, generated packets; bare bytes stay what they are."""
    need("zstd", "gzip", "lz4")
    (tmp_path / "a.gz").write_bytes(packed("gzip", TEXT))
    lines = (
        "pkt-analyze --json --in a.gz --out j.zst", "pkt-json2txt --in j.zst --out b.txt.lz4",
        "pkt-diff a.gz b.txt.lz4 --json --out d.gz",
        "printf '0000 00 01 02\\n' | gzip | pkt-hex2txt --out h.pcap.zst", "pkt-diff --ignore TIME a.gz h.pcap.zst",
        "pkt-gen udp --count 3 --out g.pcap.gz", "pkt-bin2txt -F pcap < g.pcap.gz > bare",
        "pkt-pipe 'filter --in g.pcap.gz UDP | change IP.TTL=9 --out p.pcapng.zst'", "pkt-stat --compress zstd --in p.pcapng.zst",
    )  # fmt: skip
    done = shell(f"cd {tmp_path} && {' && '.join(lines)}")
    assert done.returncode == 0, done.stderr
    assert b"packets" in unpacked("zstd", done.stdout)
    assert unpacked("gzip", (tmp_path / "d.gz").read_bytes()) == b""
    assert frames_of((tmp_path / "bare").read_bytes()) == [(tmp_path / "g.pcap.gz").read_bytes()]
    assert [packet["IP.TTL"] for packet in pkttools.read(tmp_path / "p.pcapng.zst")] == [9, 9, 9]


def test_one_file_after_another(tmp_path: Path) -> None:
    """--rotate counts what it writes before it is compressed; the number stands in front of both endings."""
    need("zstd")
    script = (
        "import sys; from pkttools.commands import find, read; from pkttools.formats.rotated import Rotated; import pkttools\n"
        "values = read(find('pkt-recv'), ['--rotate', '40k', '--out', 'x.y.pcap.zst'])\n"
        "sink = Rotated(values, 'pcap', 1)\n"
        "for batch in pkttools.read(sys.stdin.buffer).batches(): sink.write(batch)\n"
        "print(sink.close()[-1])"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], input=CAPTURE, cwd=tmp_path, env=env, capture_output=True, check=True)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [f"x.y-{i:05}.pcap.zst" for i in range(1, len(files) + 1)]
    sizes = [len(unpacked("zstd", path.read_bytes())) for path in files]
    assert len(files) > 3 and all(35_000 < size < 45_000 for size in sizes[:-1])
    assert [packet.frame for path in files for packet in pkttools.read(path)] == FRAMES
    assert b"files written, the last one x.y-" in done.stdout


def test_it_can_be_read_again(tmp_path: Path, kind: str) -> None:
    """As pkt-send --loop does: from the file, and, where it came from a pipe, from what was kept of it."""
    (tmp_path / "x").write_bytes(packed(kind, CAPTURE))
    reading, writing = os.pipe()
    os.write(writing, packed(kind, FEW))
    os.close(writing)
    source = Input([str(tmp_path / "x"), f"/dev/fd/{reading}"])
    source.keep()
    for _ in range(9):
        assert len(next(iter(packets(source)))) > 0  # and no more: the thread reads on
        source.rewind()
        counts = [sum(map(len, packets(source)))]
        assert source.compression == kind and source.percent > 0
        assert source.next()
        counts.append(sum(map(len, packets(source))))
        assert counts == [len(FRAMES), 2]
        source.rewind()
        assert source.compression == ""
    source.close()
    os.close(reading)


def test_a_reader_that_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    """No descriptor and no thread stays of files that were not read to their end."""
    need("gzip")
    (tmp_path / "x").write_bytes(packed("gzip", CAPTURE * 8))
    threads, fds = (lambda: len([*Path("/proc/self/task").iterdir()])), (lambda: len([*Path("/proc/self/fd").iterdir()]))
    before = threads(), fds()
    for _ in range(5):
        assert next(iter(pkttools.read(tmp_path / "x"))).frame == FRAMES[0]
    until(lambda: (threads(), fds()) == before, "threads to end")


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_what_is_received_and_sent(tmp_path: Path) -> None:
    """Captures of pkt-lab, of pkt-recv, one after another too; sent from a compressed file, twice."""
    need("gzip", "zstd")
    send = "pkt-lab exec alice pkt-gen udp --src 10.0.0.1 --dst 10.0.0.2 --dst-mac 02:00:00:00:02:01 --count 50 -i eth0"
    script = f"""
    pkt-lab capture bob:eth0 -ro --out x.pcap.gz 'UDP and not ICMP' -- {send}; gzip -dc x.pcap.gz | pkt-pcap2txt | grep -c ^==
    pkt-lab capture bob:eth0 -ro --compress zstd -F pcap 'UDP and not ICMP' -- pkt-lab exec alice pkt-send -i eth0 --loop 2 \\
        --in x.pcap.gz | zstd -dc | pkt-pcap2txt | grep -c ^==
    pkt-lab capture bob:eth0 -ro -Z root --rotate 1k --out r.pcapng.zst 'UDP and not ICMP' -- {send}
    ls r-0000[12].pcapng.zst; zstd -dc r-*.zst | pkt-pcapng2txt | grep -c ^==
    """
    done = shell(f"cd {tmp_path}; pkt-lab run 'wire alice 10.0.0.1/24 bob 10.0.0.2/24' -- sh -c {shlex.quote(script)}")
    if b"namespaces are forbidden" in done.stderr:
        pytest.skip(done.stderr.decode())
    assert done.stdout.split() == [b"50", b"100", b"r-00001.pcapng.zst", b"r-00002.pcapng.zst", b"50"], done.stderr


# ---- while it flows ----


@pytest.mark.parametrize("kind", ["gzip", "zstd", "lz4"])
def test_what_is_written_to_a_pipe_comes_at_once(kind: str) -> None:
    """Nobody waits for a block to be full; nor does who reads wait for more than a packet."""
    need(kind)
    line = f"pkt-txt2txt --compress {kind} | pkt-txt2txt -F pcap"
    process = subprocess.Popen(["bash", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                               env={**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"})  # fmt: skip
    for i in range(1, 3):
        process.stdin.write(TEXT)
        until(lambda: unread(process.stdout) == 24 + i * 19, f"packet {i}")  # noqa: B023
    process.stdin.close()
    assert len(process.stdout.read()) == 24 + 38 and process.wait(20) == 0


def test_signals_full_disks_and_readers_that_leave(tmp_path: Path) -> None:
    """^C ends it at a packet border, with a whole stream; the rest is as without compression."""
    need("zstd")
    (tmp_path / "x.zst").write_bytes(packed("zstd", CAPTURE * 10))
    for words in ("-F pcap --compress zstd --in x.zst > /dev/full", "--in x.zst --compress gzip --out /dev/full",
                  "--out /dev/full --compress xz < /dev/null"):  # fmt: skip
        done = shell(f"cd {tmp_path} && pkt-txt2txt {words}")
        assert done.returncode == 1 and b": No space left on device\n" in done.stderr and done.stderr.count(b"\n") == 1
    done = shell(f"ulimit -f 64; pkt-txt2txt -F pcap --in {tmp_path}/x.zst --out {tmp_path}/y.pcap.gz")
    assert (done.returncode, done.stderr) == (1, f"pkt-txt2txt: {tmp_path}/y.pcap.gz: File too large\n".encode())
    for data, kind in ("x.zst", "gzip"), ("few", "bzip2"):  # which is written in the end
        (tmp_path / "few").write_bytes(FEW)
        done = shell(f"cd {tmp_path} && pkt-txt2txt --compress {kind} --in {data} | (exec <&-; sleep 0.3); echo ${{PIPESTATUS[0]}}")
        assert (done.stdout, done.stderr) == (b"141\n", b"")
    with (tmp_path / "out").open("wb") as out:
        command = [str(ROOT / "bin" / "pkt-txt2txt"), "-F", "pcap", "--compress", "zstd"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE)
        source = packed("zstd", CAPTURE)
        process.stdin.write(source[:-20])
        process.stdin.flush()
        until(lambda: unread(process.stdin) == 0, "input to be read")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert (process.wait(20), process.stderr.read()) == (-signal.SIGTERM, b"")
    frames = frames_of(unpacked("zstd", (tmp_path / "out").read_bytes()))
    assert frames == FRAMES[: len(frames)] and len(frames) > 300


def test_not_to_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    for words in (["--compress", "gzip"], ["-F", "pcap", "--compress=zstd"]):
        command = [str(ROOT / "bin/pkt-txt2txt"), *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 2 and b"not written to a terminal: --out FILE, or a pipe" in done.stderr
    os.close(ours)
    os.close(theirs)
    done = shell("pkt-txt2txt --compress rar")
    assert done.returncode == 2 and b"--compress: 'rar'" in done.stderr


def test_without_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is to be had it takes longer, and that is all."""
    need("gzip")

    def none(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", none)
    assert read(tmp_path / "x", packed("gzip", CAPTURE)) == (FRAMES, "")
    assert compressed.Packer("gzip").end()
