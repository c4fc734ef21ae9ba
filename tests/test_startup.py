"""What a command imports before it does anything: most of the time that it takes to start."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest
from conftest import ROOT, shell

# Each of these takes a tenth of a command's start or more, and none of the commands of a pipe needs it.
DEAR = {"argparse", "ast", "collections", "dataclasses", "dpkt", "enum", "functools", "importlib", "inspect", "pathlib", "re",
        "signal", "site", "socket", "subprocess", "tempfile", "threading", "typer", "typing"}  # fmt: skip

# The modules of Python itself, those of ours, and some to spare; bare Python without site has about 25.
MOST = {
    "pkt-txt2txt": 60,
    "pkt-pcap2txt": 60,
    "pkt-txt2pcap": 60,
    "pkt-change --icmp-type 8": 70,
    "pkt-correct": 60,
    "pkt-filter UDP.DST_PORT==53": 70,
    "pkt-pipe 'change --icmp-type 8 | correct'": 75,
}


@pytest.mark.parametrize("command", MOST)
def test_modules(command: str) -> None:
    done = shell(f"{command} < /dev/null", PYTHONPROFILEIMPORTTIME="1", backend="c")
    assert done.returncode == 0, done.stderr
    lines = [line.rsplit("|", 1)[1].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")]
    modules = set(lines[1:])
    assert "pkttools.flow" in modules, "nothing was counted"
    assert not modules & DEAR
    assert "pkttools.protocols._words" not in modules  # names of values, and layouts
    assert "pkttools.command_line.progress" not in modules
    assert ("pkttools.protocols._rows" in modules) == ("icmp" in command or "UDP" in command)  # fields
    assert len(modules) <= MOST[command], sorted(modules)


def test_the_language_of_descriptions_is_loaded_only_where_it_is_asked_for() -> None:
    loaded = {}
    for words in ("", "--decode UDP.DST_PORT==1=GRE"):
        done = shell(f"pkt-txt2txt {words} < /dev/null", PYTHONPROFILEIMPORTTIME="1", XDG_RUNTIME_DIR="")
        loaded[words] = b"pkttools.protocols.own" in done.stderr, b"pkttools.protocols.statements" in done.stderr
    assert loaded == {"": (False, False), "--decode UDP.DST_PORT==1=GRE": (True, True)}


@pytest.mark.parametrize("command", ["pkt-recv -i nothere", "pkt-send -i nothere", "pkt-ask -i nothere"])
def test_libpcap_is_loaded_only_where_it_is_asked_for(command: str) -> None:
    done = shell(f"{command} < /dev/null", PYTHONPROFILEIMPORTTIME="1")
    assert b"pkttools.live.linux." in done.stderr, "nothing was counted"
    modules = {line.rsplit("|", 1)[1].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")}
    assert not modules & {"array", "collections", "ctypes", "enum", "importlib", "re", "selectors", "socket"}
    assert "pkttools.libpcap" not in modules


KEPT = """
import ctypes, os, sys
class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def kept():  # whether a large buffer comes from the heap, which stays; else it has a mapping of its own
    before = libc.mallinfo2().hblks
    buffer = bytearray(8 << 20)
    return libc.mallinfo2().hblks == before
{}
print(kept(), file=sys.stderr)  # a command closes standard output
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("import pkttools, pkttools.codec, pkttools.flow, pkttools.main", b"False\n"),
        ("from pkttools.main import start; start('pkt-txt2txt', ['--in', os.devnull])", b"True\n"),
    ],
)
def test_settings_of_the_process_are_for_programs_to_change(words: str, expected: bytes) -> None:
    """A library leaves malloc as it is; a command lets it keep memory."""
    if not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "mallinfo2"):
        pytest.skip("mallinfo2 is glibc's, since 2.33")
    done = subprocess.run(
        [sys.executable, "-c", KEPT.format(words)],
        capture_output=True, cwd=ROOT, env={**os.environ, "PKTTOOLS_CODEC": "c"}, check=True,
    )  # fmt: skip
    assert done.stderr == expected


GARBAGE = """
import gc, os, sys
import pkttools.main
gc.disable()  # as the launcher does
before = gc.isenabled(), gc.get_freeze_count()
pkttools.main.start('pkt-txt2txt', ['--in', os.devnull])
print(before, gc.isenabled(), gc.get_freeze_count() > 1000, file=sys.stderr)
"""


def test_garbage_is_collected_once_all_is_imported_and_what_was_imported_is_left_alone() -> None:
    done = subprocess.run([sys.executable, "-c", GARBAGE], capture_output=True, cwd=ROOT, check=True)
    assert done.stderr == b"(False, 0) True True\n"
    assert "gc.disable()" in (ROOT / "bin/pkt").read_text()
