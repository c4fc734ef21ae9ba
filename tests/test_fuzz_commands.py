"""The fuzz loop over whole commands: some seconds of it, what its frames reach, and a judge that is not blind."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, load, shell

from pkttools.main import commands
from tests.fuzz import frames
from tests.fuzz.commands import COMMANDS, KEEPING, Outcome, judge

SEEDS = frames.seeds()
LIVE = {"pkt-ask", "pkt-lab", "pkt-recv", "pkt-sock", "pkt-switch", "pkt-xdp"}  # they work on interfaces and sockets
TO_FILES = {"pkt-split"}  # test_split.py


def loop(*words: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "tests.fuzz.commands", *words]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def test_nothing_is_found(tmp_path):
    """All three formats, mended and not."""
    done = loop("--frames", "360", "--batch", "60", "--seed", "4", "--folder", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"frames through {len(COMMANDS)} commands on " in done.stdout
    assert not [*tmp_path.iterdir()]


def test_every_command_is_there():
    tried = {word for line in COMMANDS for word in shlex.split(line)[:1]}
    assert set(commands()) - LIVE - TO_FILES == {name for name in tried if name.startswith("pkt-")}


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("pkt-")])
def test_command_lines_are_right(command, tmp_path):
    """None of them only ends with a usage error, or at the first packet."""
    done = shell(f"pkt-txt2pcap > {tmp_path}/x && {command} < {tmp_path}/x" if "--sorted" in command else command,
                 (ROOT / "examples" / "ping.txt").read_bytes())  # fmt: skip
    assert done.returncode == (1 if command == "pkt-gen check" else 0), done.stderr
    assert b"usage" not in done.stderr.lower()


def made(number: int, count: int = 300, groups: list[list[frames.Frame]] = SEEDS) -> list[frames.Frame]:
    return frames.Maker(groups, number).frames(count)


def test_the_same_seed_makes_the_same_frames():
    assert made(1) == made(1) != made(2)


@pytest.mark.parametrize("form", ["text", "pcap", "pcapng"])
def test_files_are_read_whole(form, backend):
    """What our writers make is what the commands read."""
    found = [frame._replace(linktype=1) for frame in made(3)] if form == "pcap" else made(3)
    done = shell("pkt-txt2txt -do -n 5000", getattr(frames, form)(found), backend=backend)
    lines = [line for line in done.stdout.decode().splitlines() if not line.startswith(("--", "=="))]
    assert [bytes.fromhex(line) for line in lines] == [frame.data for frame in found if frame.data]


def test_mended_frames_get_deep(backend):
    """Changed frames whose checksums were mended are answered, cut and joined: they do not all end at the first check."""
    raw = b"".join(frames.text(made(number)) for number in range(4))
    mended = shell("pkt-correct", raw, backend=backend).stdout
    total = mended.count(b"\n==\n")
    assert total >= 1200
    for command, least, filtered in (
        ("pkt-check -cs", total // 5, ""), ("pkt-pingrep", 20, ""), ("pkt-pingrep", 3, "ICMPV6.TYPE==136"),
        ("pkt-fragment -fm 60 -fc", 100, "IP.MF==1"),
    ):  # fmt: skip
        out = shell(f"{command} | pkt-filter '{filtered}'" if filtered else command, mended, backend=backend).stdout
        assert out.count(b"\n==\n") >= least, (command, filtered)


def test_changed_fragments_come_together(backend):
    """Some of them do, and some do not."""
    pieces = frames.text(made(1, 400, [group for group in SEEDS if len(group) > 1]))
    done = shell(
        "pkt-correct | pkt-defragment | pkt-filter 'UDP.SIZE==98 and (IP.TOTAL_SIZE==118 or IPV6.PAYLOAD_SIZE==98)'",
        pieces,
        backend=backend,
    )
    assert done.stdout.count(b"\n==\n") >= 10
    assert b"incomplete" in done.stderr


FINE = Outcome(0, b"-- 1 --\n==\n-- 2 --\n==\n", "")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Outcome(1, b"", 'Traceback (most recent call last):\n  File "x", line 1, in y\nIndexError: z\n'), "IndexError: z"),
        (Outcome(1, b"", "pkt-correct: internal error, please report it: IndexError: z\n"), "internal error"),
        (Outcome(-11, b"", ""), "exit code -11"), (Outcome(-9, b"", ""), "exit code -9"),
        (Outcome(2, b"", "pkt-x: y\n"), "exit code 2"),
        (Outcome(1, b"", ""), "no word"), (Outcome(0, b"", "what?\n"), "said"),
        (Outcome(0, b"-- 1 --\n==\n", ""), "1 of 2 packets"),
        (FINE._replace(code=1, said="pkt-correct: it broke off\n"), "2 of 2 packets, exit code 1"),
    ],
)  # fmt: skip
def test_the_judge(bad, said):
    assert "pkt-correct" in KEEPING
    assert judge("pkt-correct", {"c": FINE, "python": FINE}, 2) is None
    assert said in judge("pkt-correct", {"c": FINE, "python": bad}, 2)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (FINE._replace(code=1, said="pkt-check: x\n"), "exit codes differ"),
        (FINE._replace(said="pkt-check: x\n"), "say different"),
        (FINE._replace(out=b"1"), "write different"),
    ],
)  # fmt: skip
def test_the_judge_of_two(other, said):
    assert said in judge("pkt-check", {"c": FINE, "python": other}, None)


def test_a_planted_bug_is_found(tmp_path):
    """One that only a solicitation with a right checksum reaches; what is left is a frame, and can be tried again."""
    load("c")
    for folder in ("pkttools", "tests/fuzz", "tests/support"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("corpus", "__pycache__"))
    answers = tmp_path / "pkttools" / "codec" / "python" / "answers.py"
    text, place = answers.read_text(), "        if rule.end:\n"
    assert place in text
    planted = text.replace(place, place + "            self.packet.frame[header.start + 30]\n")
    answers.write_text(planted)
    words = "--batch", "400", "--frames", "4000", "--seed", "1", "--only", "pkt-pingrep"
    done = loop(*words, "--folder", tmp_path / "found", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "IndexError: index out of range" in done.stdout
    file = next((tmp_path / "found").iterdir())
    assert shell("pkt-txt2txt", file.read_bytes()).stdout.count(b"\n==\n") == 1
    again = "--again", file, "--only", "pkt-pingrep", "--folder", tmp_path / "again"
    assert loop(*again, cwd=tmp_path).returncode == 1
    assert loop(*again).returncode == 0
