"""Views of few packets, to their last bit: golden files at 80 columns, colours, and hostile packets, on both codecs."""

from __future__ import annotations

import os
import pty
import re
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
from captured import captured
from conftest import ROOT, shell
from samples import ARP, batch, ethernet, ipv4, tags, tcp

from pkttools.views.diagram import DiagramSink, headers_of
from pkttools.views.problems import examined

DATA = ROOT / "tests/data/views"
PACKETS = DATA / "parts.txt"
VIEWS = ("tree", "explain", "diagram")
ESCAPE = re.compile(rb"\033\[[0-9;]*m")


def shown(view: str, backend: str, words: str = "", **env: str) -> bytes:
    done = shell(f"pkt-analyze --{view} {words} --in {PACKETS}", backend=backend, **env)
    assert done.returncode == 0
    assert done.stderr == (
        b"" if "-l 1" in words else b"pkt-analyze: checksums shown: 1 unfinished (left to the network card), 4 wrong\n"
    )
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
        for packet in (examined(b, i) for i in range(min(2, len(b)))):
            for line in (line for sink in sinks for line in sink.packet_lines(packet)):
                assert len(line) <= 80, (name, line)
                assert line.isascii(), (name, line)
                assert line.isprintable(), (name, line)


def test_decimal(backend: str) -> None:
    """Read back as they are now; without -a and -aa it would do nothing."""
    text = PACKETS.read_bytes()
    plain = shell("pkt-txt2txt", text, backend=backend).stdout
    done = shell("pkt-txt2txt -aa --decimal", text, backend=backend)
    assert b"\nIP.PROTOCOL:\t\t17\nIP.CHECKSUM:\t\t56043\nIP.SRC_ADDR:\t\t192.0.2.1\n" in done.stdout
    assert shell("sed 's/^IP.TTL:.*/IP.TTL: 9/' | pkt-txt2txt", done.stdout, backend=backend).stdout != plain
    assert shell("pkt-txt2txt", done.stdout, backend=backend).stdout == plain
    assert shell("pkt-pipe 'txt2txt | correct -a --decimal'", text, backend=backend).stdout.count(b"IP.TTL:\t\t\t64\n") == 7
    done = shell("pkt-txt2txt --decimal", text, backend=backend)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-txt2txt: --decimal is for numbers that -a or -aa adds")


def test_pictures_are_xml(tmp_path: Path) -> None:
    """All packets; what is hostile in them stays text. That all text is in its box: test_pages.py."""
    picture = tmp_path / "diagram.svg"
    done = shell(f"pkt-analyze --diagram --svg {picture} --in {PACKETS}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    texts = [node.text or "" for node in ElementTree.parse(picture).getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert {"-- 10 --", "HOP_LIMIT", "0x0102 !", '"/\\x1b[31m\\xe2\\x80\\xae"'} <= set(texts)
    done = shell(f"for i in $(seq 12); do cat {PACKETS}; done | pkt-analyze --diagram --svg -")
    assert (done.returncode, done.stderr) == (0, b"pkt-analyze: drawn: the first 100 of 120 packets\n")


def drawn(frame: bytes, linktype: int = 1) -> list[tuple[str, list[tuple[int, int, list[str], str]]]]:
    """Of each header its cells: bits from the start of a row on, how many, names and value."""
    found = []
    for drawing in headers_of(examined(batch([(linktype, frame)]), 0)):
        cells = [cell for block in drawing.blocks for row in block for cell in row.cells]
        found.append((drawing.header.name, [(cell.at, cell.width, cell.names, cell.value) for cell in cells]))
    return found


def test_cells() -> None:
    """A header of 14 bytes, a tag of four, options, and data that are longer than what is drawn."""
    options = bytes.fromhex("0303 07 01")
    frame = ethernet(0x8100, tags([0x8100], 0x0800, ipv4(6, tcp(b"x" * 17, options))))
    link, tag, _, transport = drawn(frame)
    assert link == ("ETHERNET", [
        (0, 32, ["DST_ADDR"], "02:00:00:00:00:02"), (0, 16, [], ""), (16, 16, [], ""), (0, 32, ["SRC_ADDR"], "02:00:00:00:00:01"),
        (0, 16, ["TYPE"], "0x8100 (vlan)"),
    ])  # fmt: skip
    assert tag[1] == [(0, 3, ["VLAN_", "PRIOR", "ITY"], "0"), (3, 1, ["-"], "0"), (4, 12, ["VLAN_ID"], "1"),
                      (16, 16, ["TYPE"], "0x0800 (ip)")]  # fmt: skip
    assert transport[1][4:8] == [
        (0, 4, ["OFFSET"], "24"),
        (4, 3, ["-"], "000"),
        (7, 1, ["A", "E"], "0"),
        (8, 1, ["C", "W", "R"], "0"),
    ]
    assert transport[1][-5:] == [
        (0, 8, ["OPT_KIND"], "3 (wscale)"), (8, 8, ["OPT_SIZE"], "3"), (16, 8, ["OPT_WSCALE"], "7"),
        (24, 8, ["OPT_KIND"], "1 (nop)"), (0, 32, ["DATA"], "17 bytes"),
    ]  # fmt: skip


def test_what_is_behind_what_a_header_carries_is_drawn_apart() -> None:
    lines = [*DiagramSink(None, False).lines(examined(batch([(1, ethernet(0x0806, ARP + b"abcd"))]), 0))]  # type: ignore[arg-type]
    assert "      ... behind what it carries:" in lines


def test_protocols_of_a_user(backend: str) -> None:
    """Their titles, sources and meanings are his."""
    folder = ROOT / "examples/protocols"
    done = shell(f"pkt-analyze --explain --protocols {folder}/chat.protocol --in {folder}/chat.txt", backend=backend)
    assert b"\nChat, exercise 3, page 2\n" in done.stdout
    assert re.search(rb"TYPE  +1 \(hello\)  what it says", done.stdout)
