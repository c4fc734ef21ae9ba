"""Progress: on a terminal, and nowhere else."""

from __future__ import annotations

import gzip
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from netns import pcap
from waits import shown

from pkttools.formats import several


def test_on_a_terminal() -> None:
    """The line comes, is renewed after a second, and is taken away."""
    script = (
        "import time; from pkttools.command_line.progress import Progress; p = Progress(); p.next = 0\n"
        "while p.due: p.show('3 packets, 50 %')\n"
        "time.sleep(1.1); assert p.due; p.show('5 packets, 99 %'); p.clear()"
    )
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", script], stderr=theirs, cwd=ROOT, timeout=20, check=False)
    os.close(theirs)
    said = shown(ours)
    os.close(ours)
    assert done.returncode == 0
    assert said == b"\r3 packets, 50 %\x1b[K\r5 packets, 99 %\x1b[K\r\x1b[K"


def test_not_in_a_file() -> None:
    """Standard error that is no terminal has messages only, however long it takes."""
    script = "from pkttools.command_line.progress import Progress; p = Progress(); assert p.next == float('inf') and not p.due"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("words", "ends"),
    [("pkt-pcap2txt a b", [6000]), ("pkt-merge a b", [6000]), ("pkt-merge --append a b", [6000]),
     ("pkt-merge --unsorted sort a b", [6000]), ("pkt-sort a b", [6000, 6000]), ("pkt-diff a b", [3000])],
)  # fmt: skip
def test_of_files(words: str, ends: list[int], tmp_path: Path) -> None:
    """Whatever reads files, beside each other too, says how much of them was read, each time it reads them."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(pcap([bytes(1000)] * 3000))
    name, *rest = words.split()
    script = (
        "import sys; from pkttools.command_line.progress import Progress; from pkttools.main import start\n"
        f"Progress.due = property(lambda self: self.next < float('inf')); sys.exit(start({name!r}, {[*rest, '--out', 'new']}))"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, stderr=theirs, cwd=tmp_path, env=environment, timeout=20, check=False)
    os.close(theirs)
    said = shown(ours).decode()
    os.close(ours)
    assert done.returncode == 0
    *rounds, rest = said.split("\r\x1b[K")
    assert (len(rounds), rest) == (len(ends), "")
    for count, one in zip(ends, rounds, strict=True):
        found = [(int(count), int(part)) for count, part in re.findall(r"\r(\d+) packets, (\d+) %\x1b\[K", one)]
        assert found == sorted(found)
        assert len(found) > 2
        assert found[0][1] < 60
        assert found[-1] == (count, 100)


def test_of_many_files(tmp_path: Path) -> None:
    """How many are done is taken away before a message, also where a signal ends it."""
    os.mkfifo(tmp_path / "a")
    script = (
        "import os, sys; from pkttools.command_line.progress import Progress; from pkttools.main import guarded\n"
        "Progress.due, show = True, Progress.show\n"
        "Progress.show = lambda self, text: (show(self, text), os.kill(os.getpid(), 2))\n"
        "sys.exit(guarded('pkt-pipe', ['--each', 'a', '--out-dir', 'out', 'txt2txt']))"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], stderr=theirs, cwd=tmp_path, env=environment, timeout=20, check=False)
    os.close(theirs)
    said = shown(ours)
    os.close(ours)
    assert done.returncode == -2
    assert said == b"\r0 of 1 files\x1b[K\r\x1b[Kpkt-pipe: 0 of 1 file done\r\n"


@pytest.mark.parametrize("many", [several.MANY, 1])
def test_of_files_beside_each_other(many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large and small ones, compressed and empty ones, open ones and those that rest between two reads."""
    monkeypatch.setattr(several, "MANY", many)
    octets = pcap([bytes(1000)] * 5000)
    names = [str(tmp_path / name) for name in ("large", "small", "empty", "compressed")]
    for name, content in zip(names, (octets, octets[: 24 + 1016], octets[:24], gzip.compress(octets)), strict=True):
        Path(name).write_bytes(content)
    read = several.Several(names)
    assert read.is_file
    found = [read.percent for stream in read.begin([b""] * 4) for _ in stream]
    assert found == sorted(found)
    assert found[0] < 60
    assert (found[-1], read.percent) == (100, 100)
    assert not several.Several([names[1], "/dev/null"]).is_file
