"""pkt-pipe --each: the same for each of many files, and one account."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT, shell
from segments import A, B, framed, udp
from waits import children, until, until_gone

from pkttools.flow.outputs import named

EXAMPLES = {path.stem: path.read_bytes() for path in sorted((ROOT / "examples").glob("*.txt")) if path.stem != "pktap"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Captures of all formats, named after their formats or not."""
    for number, (stem, data) in enumerate(EXAMPLES.items()):
        form = ("text", "pcap", "pcapng")[number % 3]
        (tmp_path / f"{stem}.{form.replace('text', 'txt')}").write_bytes(shell(f"pkt-txt2txt -F {form}", data).stdout)
    return tmp_path


def each(folder: Path, pipe: str, options: str = "", files: str = "*.*", **how: str) -> subprocess.CompletedProcess[bytes]:
    return shell(f"cd '{folder}' && pkt-pipe --each {files} --out-dir out {options} {shlex.quote(pipe)}", **how)


@pytest.mark.parametrize("pipe", ["change IP.TTL=9 | correct", "fragment -fm 60 -fc | defragment | correct", "analyze -lv 2",
                                  "analyze --fields NUMBER,IP.TTL -F csv",
                                  "change IP.ID=1..9 --seed 5 -F pcapng", "stat", "txt2txt -l 1", "txt2pcap"])  # fmt: skip
def test_same_as_one_by_one(folder: Path, pipe: str) -> None:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    done = each(folder, pipe, "--jobs 3")
    assert done.returncode == 0, done.stderr
    written = sorted((folder / "out").iterdir())
    assert len(written) == len(files)
    for file, made in zip(files, written, strict=True):
        assert file.stem == made.stem
        assert made.read_bytes() == shell(f"pkt-pipe --in '{file}' {shlex.quote(pipe)}").stdout, file
    ending = next((end for end in (".pcapng", ".csv") if end[1:] in pipe), {"a": ".txt", "s": ".txt"}.get(pipe[0]))
    if ending:
        assert {path.suffix for path in written} == {ending}


def test_there_is_one_account(folder: Path) -> None:
    """As of all packets in one stream, whichever of the processes has counted them."""
    joined = shell("pkt-cut --snap 60 -F pcap", b"".join(EXAMPLES.values())).stdout
    for path in folder.glob("*.*"):
        path.unlink()
    for number in range(60):
        (folder / f"{number}.pcap").write_bytes(joined)
    (folder / "large.pcap").write_bytes(joined[:24] + joined[24:] * 30)
    pipe = "change IP.TTL=9 TCP.FLAGS=2 | check -cs -v | correct -v | fragment -fm 60"
    wanted = shell(f"pkt-pipe -v {shlex.quote(pipe)}", joined * 90)
    done = each(folder, pipe, "-v --jobs 2")
    assert done.returncode == wanted.returncode == 0
    assert done.stderr.splitlines() == [line for line in wanted.stderr.splitlines() if b"captures behind the first" not in line]


@pytest.mark.parametrize(("pipe", "said", "failed"), [
    ("filter UDP --fail-empty -F text", ["ping.txt: filter: stage 1: --fail-empty: no packet passed, of 2",
                                         "wrong.txt: filter: stage 1: --fail-empty: no packet passed, of 2"], 2),
    ("change IP.TTL=9 --fail-if ICMP.TYPE==0 -F text",
     ["ping.txt: change: stage 1: --fail-if: 1 of 2 packets match 'ICMP.TYPE==0': number 2",
      "wrong.txt: change: stage 1: --fail-if: 1 of 2 packets match 'ICMP.TYPE==0': number 2"], 2),
    ("check -cs --list", ["wrong.txt: check: 2 packets not valid: 2 with a wrong checksum",
                          "check: 2 packets not valid: 2 with a wrong checksum"], 1),
    ("check -cs --quiet", ["wrong.txt: check: 2 packets not valid: 2 with a wrong checksum",
                           "check: 2 packets not valid: 2 with a wrong checksum"], 1),
    ("check -q", [], 0),
    ("expect UDP ICMP.TYPE==8 --only",
     ["dns.txt: FAILED: ICMP.TYPE==8: no packet; wanted: at least 1", "dns.txt:     4 packets came, all expected by others"], 3),
    ("expect 1..:IP", [], 0),
])  # fmt: skip
def test_each_is_judged_by_itself(tmp_path: Path, pipe: str, said: list[str], failed: int) -> None:
    """What makes a failure is asked of each file, whatever its process did before; what writes nothing has no file."""
    wrong = shell("pkt-change -u IP.CHECKSUM=1", EXAMPLES["ping"]).stdout
    for name, data in ("dns", EXAMPLES["dns"]), ("ping", EXAMPLES["ping"]), ("wrong", wrong):
        (tmp_path / f"{name}.txt").write_bytes(data)
    silent = pipe.startswith("expect") or "-q" in pipe
    where = "" if silent else "--out-dir out "
    done = shell(f"cd {tmp_path} && pkt-pipe --each dns.txt ping.txt wrong.txt {where}--jobs 1 '{pipe}'")
    assert (done.returncode, done.stdout) == (int(failed > 0), b"")
    lines = done.stderr.decode().splitlines()
    assert lines[: len(said)] == [f"pkt-pipe: {line}" for line in said], lines
    assert lines[-1:] == ([f"pkt-pipe: {failed} of 3 files failed"] if failed else [])
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == (3 if silent else 6)


def test_one_that_fails_does_not_stop_the_rest(folder: Path) -> None:
    (folder / "h.pcap").write_bytes(next(folder.glob("*.pcap")).read_bytes()[:-3])
    (folder / "a.pcap").write_bytes(b"no capture\0")
    (folder / "b.txt").symlink_to("nothing")
    (folder / "c.txt").mkdir()
    done = each(folder, "change IP.TTL=9", "--jobs 2")
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()
    assert [line.split()[1].split(":")[0] for line in said[:-1]] == ["a.pcap", "b.txt", "c.txt", "h.pcap"]
    assert said[0] == "pkt-pipe: a.pcap: neither packet text nor a capture file"
    assert "No such file or directory" in said[1]
    assert "Is a directory" in said[2]
    assert "file is truncated" in said[3]
    assert said[4].startswith("pkt-pipe: 4 of ")
    assert len([*(folder / "out").iterdir()]) >= len(EXAMPLES) + 1  # what stands before a bad place is written


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_gets_nothing(tmp_path: Path, there: bool) -> None:
    """It is taken away again where that is because something is wrong, as a file of --out is, unless it was there before."""
    if there:
        (tmp_path / "out").mkdir()
    done = each(tmp_path, "change IP.TTL=9", "", "missing")
    assert (done.returncode, (tmp_path / "out").exists()) == (1, there)


def test_what_becomes_of_a_file_is_its_own(tmp_path: Path) -> None:
    """Of one without packets comes nothing, whatever the process has worked on before; and each is named, whatever its name."""
    dns = EXAMPLES["dns"]
    for name, data in ("a", dns), ("b", b"--\n1g\n"), ("1", dns.replace(b"\nTIME:", b"\nNOTE: x\nTIME:", 1)):
        (tmp_path / name).write_bytes(data)
    done = each(tmp_path, "change IP.TTL=9 -F pcap", "--jobs 1", "a b 1")
    assert done.stderr.splitlines() == [
        b"pkt-pipe: b:2: bad hex digit '1g'",
        b"pkt-pipe: 1: 1 packet lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them",
        b"pkt-pipe: 1 of 3 files failed",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.pcap", "a.pcap"]


def test_names(folder: Path) -> None:
    assert [named(name, form) for name, form in (
        ("a.pcap", None), ("a.pcap.gz", None), ("a", None), ("a.b.cap", "pcapng"), ("a.PCAP.xz", "text"), ("a.b", "text"),
        (".txt", "text"), ("a.pcap", "bin"), ("a.log", None), ("a.pcap", "csv"),
    )] == ["a.pcap", "a.pcap", "a", "a.b.pcapng", "a.txt", "a.b.txt", ".txt.txt", "a.bin", "a.log", "a.csv"]  # fmt: skip
    (folder / "d").mkdir()
    shutil.copy(folder / "dns.txt" if (folder / "dns.txt").exists() else next(folder.glob("*.*")), folder / "d/x.txt")
    shutil.copy(folder / "d/x.txt", folder / "x.txt")
    shutil.copy(folder / "d/x.txt", folder / "x.pcap")
    refused = [
        ("x.txt d/x.txt", "", "--each: what becomes of x.txt and of d/x.txt would both be out/x.txt"),
        ("x.txt x.pcap", "-F pcapng", "--each: what becomes of x.txt and of x.pcap would both be out/x.pcapng"),
        ("x.txt x.txt", "", "--each: what becomes of x.txt and of x.txt would both be out/x.txt"),
        ("d/../x.txt", "--out-dir .", "--out-dir .: ./x.txt is one of the files that are read"),
        ("''", "", "--each: '' is the name of no file"),
        ("x.txt", "--out-dir ''", "--out-dir: '' is the name of no file"),
        ("", "", "--each FILE... --out-dir DIR 'COMMAND | COMMAND...': which files?"),
        ("x.txt", "--in x.pcap", "--each reads its files, and writes into --out-dir: no --in, no --out"),
        ("x.txt", "--out y", "--each reads its files, and writes into --out-dir: no --in, no --out"),
    ]
    for files, options, message in refused:
        into = "" if "--out-dir" in options else "--out-dir out"
        done = shell(f"cd '{folder}' && pkt-pipe --each {files} {into} {options} 'change IP.TTL=9'")
        assert (done.returncode, done.stderr.decode().splitlines()[0]) == (2, f"pkt-pipe: {message}")
    assert not (folder / "out").exists()
    for words, message in (
        ("--each x.txt 'change IP.TTL=9'", b"--each: where to? --out-dir DIR"),
        ("--out-dir out --in x.txt 'change IP.TTL=9'", b"--out-dir goes with --each"),
        ("--each x.txt --out-dir out 'check -q'", b"--out-dir is for what is written: check writes nothing here"),
        ("--each x.txt 'expect --tap UDP'", b"--tap is one report, and --each reads many files"),
        (
            "--each x.txt --out-dir out merge",
            b"--each works on each file by itself, and merge makes one of several: give these to it",
        ),
        (
            "--each x.txt --out-dir out 'impair --loss 1/2'",
            b"--each: what impair counts cannot be added up: run it for one file after the other",
        ),
    ):
        done = shell(f"cd '{folder}' && pkt-pipe {words}")
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-pipe: " + message)
    for pipe in (
        "gen ICMP -c 1",
        "change IP.TTL=9 --out y",
        "analyze --html y",
        "change --in y IP.TTL=9",
        "correct | send -i lo",
        "split -c 1 --out y",
    ):
        assert each(folder, pipe, files="x.txt").returncode == 2, pipe


def test_compressed(folder: Path) -> None:
    subprocess.run(["gzip", "-9", *(str(path) for path in folder.glob("*.pcap"))], check=True)
    assert each(folder, "change IP.TTL=9 --compress gzip -F pcap", files="*.pcap.gz").returncode == 0
    names = sorted(path.name for path in folder.glob("*.pcap.gz"))
    assert sorted(path.name for path in (folder / "out").iterdir()) == names
    assert all((folder / "out" / name).read_bytes()[:2] == b"\x1f\x8b" for name in names)


def test_ten_thousand_files(tmp_path: Path) -> None:
    """More than descriptors, and than are handed out at a time; each becomes what it would alone."""
    count = 10_000
    for number in range(count):
        (tmp_path / f"{number:05}.pcap").write_bytes(captured([number]))
    (tmp_path / "05000.pcap").write_bytes(captured([7])[:-1])
    done = shell(f"ulimit -n 30; cd '{tmp_path}' && pkt-pipe -v --each *.pcap --out-dir out --jobs 2 'change IP.TTL=9 -F pcap'")
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()
    assert said[0].startswith("pkt-pipe: 05000.pcap: at byte 24: ")
    assert said[1].startswith(f"pkt-pipe: change: {count - 1} packets read, {count - 1} passed on")
    assert said[-1] == f"pkt-pipe: 1 of {count} files failed"
    assert len([*(tmp_path / "out").iterdir()]) == count - 1  # of one that has no packet comes nothing
    for number in (0, 1, 31, 32, 4999, 5001, 7777, count - 1):
        assert (tmp_path / "out" / f"{number:05}.pcap").read_bytes() == captured([number], ttl=9)


def captured(seconds: list[int], ttl: int = 64) -> bytes:
    """A pcap of packets that came at these times, each with its own in it."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for second in seconds:
        frame = bytearray(framed(udp(A, B, second.to_bytes(4, "big"))))
        frame[22] = ttl
        parts.append(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
    return b"".join(parts)


def test_parts_of_sorted_files(tmp_path: Path) -> None:
    """Each from its own first packet on; times that go backwards are added up, and the first is said."""
    files = {"a.pcap": [100, 101, 102, 103], "b.pcap": [200, 202, 201, 203, 202, 209], "c.pcap": [300, 302, 301], "d.pcap": [400]}
    for name, seconds in files.items():
        (tmp_path / name).write_bytes(captured(seconds))
    done = each(tmp_path, "filter --sorted --from +1s --until +4s -F pcap", files="*.pcap", options="--jobs 2")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "pkt-pipe: b.pcap: filter: --sorted: 2 packets before the one in front, the first in b.pcap: 1970-01-01T00:03:21Z behind "
        "1970-01-01T00:03:22Z: without --sorted all of the file is read",
        "pkt-pipe: c.pcap: filter: --sorted: 1 packet before the one in front, the first in c.pcap: 1970-01-01T00:05:01Z behind "
        "1970-01-01T00:05:02Z: without --sorted all of the file is read",
        "pkt-pipe: filter: --sorted: 3 packets before the one in front, the first in b.pcap: 1970-01-01T00:03:21Z behind "
        "1970-01-01T00:03:22Z: without --sorted all of the file is read",
        "pkt-pipe: 2 of 4 files failed"]  # fmt: skip
    for name, seconds in files.items():
        wanted = [second for second in seconds if 1 <= second - seconds[0] < 4]
        assert (tmp_path / "out" / name).read_bytes() == captured(wanted), name


def test_nothing_is_left_that_is_not_whole(folder: Path) -> None:
    """Of a disk that is full, or here a file that may be no longer; what was there before stays."""
    (folder / "large.txt").write_bytes(EXAMPLES["dns"] * 999)
    (folder / "out").mkdir()
    (folder / "out/large.txt").write_bytes(b"before")
    done = shell(f"cd '{folder}' && ulimit -f 100 && pkt-pipe --each *.* --out-dir out --jobs 2 'change IP.TTL=9'")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "pkt-pipe: large.txt: out/large.txt: File too large", f"pkt-pipe: 1 of {len(EXAMPLES) + 1} files failed",
    ]  # fmt: skip
    assert (folder / "out/large.txt").read_bytes() == b"before"
    assert len([*(folder / "out").iterdir()]) == len(EXAMPLES) + 1


held: list[int] = []  # the writing end of what has no end


def running(folder: Path, pipe: str, endless: str = "z") -> tuple[subprocess.Popen[bytes], list[int]]:
    """A run that does not end by itself, since one that it reads of has no end, the last one or another; and its processes."""
    os.mkfifo(folder / endless)
    held.append(os.open(folder / endless, os.O_RDWR))
    run = subprocess.Popen(
        [str(ROOT / "bin/pkt-pipe"), "--each", *sorted(str(path) for path in folder.iterdir()), "--out-dir", str(folder / "out"),
         "--jobs", "2", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until(lambda: len([*folder.glob("out/*")]) >= len(EXAMPLES), "outputs", 20)
    time.sleep(0.3)
    return run, children(run.pid)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
@pytest.mark.parametrize(("end", "endless"), [(signal.SIGTERM, "z"), (signal.SIGINT, "0")])
def test_signals(folder: Path, end: int, endless: str) -> None:
    """What is done is counted, also what is behind a file that is not."""
    run, processes = running(folder, "change IP.TTL=9", endless)
    run.send_signal(end)
    _, said = run.communicate(timeout=20)
    os.close(held.pop())
    assert run.returncode == -end
    assert said.endswith(f"{len(EXAMPLES)} of {len(EXAMPLES) + 1} files done\n".encode())
    until_gone(processes)
    assert len([*(folder / "out").iterdir()]) == len(EXAMPLES)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
def test_a_process_that_dies_is_the_failure_of_its_file(folder: Path) -> None:
    run, processes = running(folder, "fragment -fm 60 -fc | defragment -v")
    for one in processes:
        os.kill(one, signal.SIGKILL)
    os.close(held.pop())  # then the process that it has left behind ends, too
    _, said = run.communicate(timeout=20)
    assert run.returncode == 1
    assert b"z: the process that worked on it ended by signal 9\n" in said
    assert said.endswith(f"1 of {len(EXAMPLES) + 1} files failed\n".encode())
    wanted = shell("pkt-pipe 'fragment -fm 60 -fc | defragment -v'", b"".join(EXAMPLES.values())).stderr.splitlines()
    assert wanted[-1] in said.splitlines()
