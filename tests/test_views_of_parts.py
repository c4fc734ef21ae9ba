"""Views of few packets, to their last bit: golden files at 80 columns, colours, and hostile packets, on both codecs."""

from __future__ import annotations

import os
import pty
import re
from importlib import import_module

import pytest
from conftest import ROOT, shell
from support.captured import captured

from pkttools.views.parts import Packet

DATA = ROOT / "tests/data/views"
PACKETS = DATA / "parts.txt"
VIEWS = ("tree", "explain")
ESCAPE = re.compile(rb"\033\[[0-9;]*m")


def shown(view: str, backend: str, words: str = "", **env: str) -> bytes:
    done = shell(f"pkt-analyze --{view} {words} --in {PACKETS}", backend=backend, **env)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.mark.parametrize("view", VIEWS)
def test_golden_files(view: str, backend: str) -> None:
    """Written by `pkt-analyze --VIEW --utc --in tests/data/views/parts.txt`, and read by a person."""
    out = shown(view, backend)
    assert out == (DATA / f"{view}.txt").read_bytes()
    assert max(map(len, out.decode("ascii").splitlines())) <= 80
    assert all(0x20 <= c <= 0x7E or c == 0x0A for c in out)


@pytest.mark.parametrize("view", VIEWS)
def test_colours_are_all_that_a_terminal_adds(view: str) -> None:
    coloured = shown(view, "c", "--color always")
    assert b"\033[" in coloured
    assert ESCAPE.sub(b"", coloured) == shown(view, "c", "--color never")


@pytest.mark.parametrize(
    ("words", "env", "coloured"),
    [
        ("", {}, False),  # no terminal
        ("--color auto", {"FORCE_COLOR": "1"}, True),
        ("", {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("", {"FORCE_COLOR": ""}, False),
        ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("--color never", {"FORCE_COLOR": "1"}, False),
        ("--color always", {"NO_COLOR": "1"}, True),
    ],
)
def test_when_there_are_colours(words: str, env: dict[str, str], coloured: bool) -> None:
    assert (b"\033[" in shown("tree", "c", f"-l 1 {words}", **{"TERM": "xterm", "NO_COLOR": "", **env})) == coloured


@pytest.mark.parametrize(
    ("env", "coloured"), [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_terminals(env: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        done = shell(f"pkt-analyze --tree -l 1 --in {PACKETS} > {os.ttyname(theirs)}", **{"NO_COLOR": "", "FORCE_COLOR": "", **env})
        assert (done.returncode, b"\033[" in os.read(ours, 65536)) == (0, coloured)
    finally:
        os.close(theirs)
        os.close(ours)


def test_captures() -> None:
    """The first packets of real captures, many of them malformed: no traceback, and nothing that is not to be printed."""
    sinks = [vars(import_module(f"pkttools.views.{view}"))[f"{view.title()}Sink"](None, False) for view in VIEWS]
    for name, b in captured(2):
        for packet in (Packet(b, i) for i in range(min(2, len(b)))):
            for line in (line for sink in sinks for line in sink.packet_lines(packet)):
                assert len(line) <= 80, (name, line)
                assert line.isascii(), (name, line)
                assert line.isprintable(), (name, line)


def test_protocols_of_a_user(backend: str) -> None:
    """Their titles, sources and meanings are his."""
    folder = ROOT / "examples/protocols"
    done = shell(f"pkt-analyze --explain --protocols {folder}/chat.protocol --in {folder}/chat.txt", backend=backend)
    assert b"\nChat, exercise 3, page 2\n" in done.stdout
    assert re.search(rb"TYPE  +1 \(hello\)  what it says", done.stdout)
