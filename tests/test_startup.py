"""What a command imports before it does anything: most of the time that it takes to start."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shell
from peak import peak
from samples import TEXT, ethernet, ipv4, udp

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
    assert "pkttools.protocols._walk" not in modules  # nor is it kept where packets are looked into
    assert "pkttools.command_line.progress" not in modules
    assert ("pkttools.protocols._rows" in modules) == ("icmp" in command or "UDP" in command)  # fields
    assert len(modules) <= MOST[command], sorted(modules)


def test_the_language_of_descriptions_is_loaded_only_where_it_is_asked_for() -> None:
    loaded = {}
    for words in ("", "--decode UDP.DST_PORT==1=GRE"):
        done = shell(f"pkt-txt2txt {words} < /dev/null", PYTHONPROFILEIMPORTTIME="1", XDG_RUNTIME_DIR="")
        loaded[words] = b"pkttools.protocols.own" in done.stderr, b"pkttools.protocols.statements" in done.stderr
    assert loaded == {"": (False, False), "--decode UDP.DST_PORT==1=GRE": (True, True)}


def test_who_writes_code_looks_for_no_problems() -> None:
    """Those are found by the codec in Python, with dpkt: three times what all else of it takes."""
    done = shell("pkt-code", TEXT, PYTHONPROFILEIMPORTTIME="1", backend="c")
    assert done.returncode == 0
    modules = {line.rsplit("|", 1)[1].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")}
    assert "pkttools.views.parts" in modules, "nothing was counted"
    assert not modules & {"dpkt", "enum", "functools", "ipaddress", "pkttools.codec.python", "re", "socket"}


@pytest.mark.parametrize(
    "command", ["pkt-recv -i nothere", "pkt-send -i nothere", "pkt-ask -i nothere", "pkt-send --dry-run -Z root"]
)
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


# What a filter has in memory at most beside bare Python, in KiB: for a capture, which becomes text, and for text.
ABOVE = {
    "pkt-filter UDP": (5000, 3600),
    "pkt-change --icmp-type 8": (4900, 3600),
    "pkt-correct": (4100, 2900),
    "pkt-pcap2txt": (3800, None),
}


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same packets as a capture and as text, many times what is read at once."""
    folder = tmp_path_factory.mktemp("captures")
    frame = ethernet(0x0800, ipv4(17, udp(bytes(range(256)))))
    record = struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame
    paths = folder / "a.pcap", folder / "a.txt"
    paths[0].write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1) + record * 10_000)
    shell(f"pkt-pcap2txt --in {paths[0]} --out {paths[1]}", backend="c")
    return paths


@pytest.mark.parametrize("words", ["UDP.DST_PORT==53", "--sorted --from 0 --until 1"])
def test_who_reads_and_writes_files_loads_nothing_for_pipes(captures: tuple[Path, Path], words: str) -> None:
    done = shell(f"pkt-filter {words} -F pcap --in {captures[0]} --out /dev/null", PYTHONPROFILEIMPORTTIME="1", backend="c")
    assert done.returncode == 0, done.stderr
    modules = {line.rsplit("|", 1)[1].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")}
    assert "pkttools.formats.pcap" in modules, "nothing was counted"
    assert not modules & {"_struct", "errno", "fcntl", "select", "struct"}
    assert len(modules) <= 65, sorted(modules)


@pytest.mark.parametrize("command", ABOVE)
def test_memory(captures: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Commands of a pipe are many processes; with tables that are kept, or larger buffers, each takes a megabyte more."""
    monkeypatch.setenv("PKTTOOLS_CODEC", "c")
    name, *words = command.split()
    bare = peak([sys.executable, "-P", "-S", "-c", ""])
    for path, most in zip(captures, ABOVE[command], strict=True):
        if most is not None:
            assert peak([ROOT / "bin" / name, *words, "--in", path]) - bare < most << 10, path.suffix
