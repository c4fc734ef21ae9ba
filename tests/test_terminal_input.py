"""A command that reads what is typed says so: once, and only at a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell

PACKET = b"-- 1 --\n02 00\n==\n"
NOTE = "reads from the terminal: ^D at the beginning of a line ends it\n"
ENVIRONMENT = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}


def typed(command: str, text: bytes) -> tuple[int, bytes, str]:
    """Runs a command whose standard input is a terminal, at which text and ^D are typed: exit code, output, what it said."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, text + b"\x04")
        done = subprocess.run(["bash", "-c", command], stdin=theirs, capture_output=True, env=ENVIRONMENT, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr.decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("command", "written"),
    [("pkt-txt2txt -do", b"02 00"), ("pkt-analyze --ladder", b"Unknown"), ("pkt-pipe 'correct | txt2txt -do'", b"02 00"),
     ("pkt correct -do", b"02 00"), ("pkt-gen raw -do", b"02 00"), ("pkt-txt2txt -do --in PACKET --in - ", b"-- 2 --")],
)  # fmt: skip
def test_it_is_said_once(tmp_path: Path, command: str, written: bytes) -> None:
    (tmp_path / "packet").write_bytes(PACKET)
    code, output, said = typed(command.replace("PACKET", f"{tmp_path}/packet"), PACKET)
    name = "pkt-correct" if command.startswith("pkt correct") else command.split()[0]
    assert (code, said) == (0, f"{name}: {NOTE}")
    assert written in output


def test_nobody_else_is_told(tmp_path: Path) -> None:
    """Neither who reads a file or a pipe, nor who reads nothing."""
    (tmp_path / "packet").write_bytes(PACKET)
    for command in (f"pkt-txt2txt --in {tmp_path}/packet", "pkt-txt2txt --version", "pkt-txt2txt < /dev/null", "pkt-gen udp"):
        assert typed(command, b"")[2] == ""
    assert shell("pkt-txt2txt", PACKET).stderr == b""
    assert "reads from" not in typed("pkt-txt2txt --nothing", b"")[2]
