"""Nothing is lost silently: what a command does not take, or cannot do, it says on standard error."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from conftest import ROOT, shell

PING = (ROOT / "examples" / "ping.txt").read_bytes()

CASES = {
    "a packet without its first line": (
        PING.replace(b"-- 1 --\n", b""),
        "3 lines of packets outside of packets: is a '--' missing?",
        1,
    ),
    "lines that say something of a packet, in front of all and between two": (
        b"IFACE: eth0\nWAY: in\n# NOTE: a comment\n" + PING.replace(b"==\n", b"==\nNOTE: of which?\nLOST: 3\n", 1),
        "4 lines of packets outside of packets: is a '--' missing?",
        2,
    ),
    "bytes inserted, SIZE as before": (
        PING.replace(b"000000: 02", b"000000: AA 02", 1),
        "1 packet truncated to what SIZE says: without SIZE all bytes count",
        2,
    ),
    "a line of bytes deleted, SIZE as before": (
        b"".join(line for line in PING.splitlines(keepends=True) if not line.startswith(b"000020:")),
        "2 packets filled with zeros to what SIZE says: bytes are missing",
        2,
    ),
    "fields of headers that are not there": (
        PING.replace(b"==\n", b"UDP.DST_PORT: 53\nTCP.DST_PORT: 80\nIP.TTL: 9\n==\n", 1),
        "2 field lines without a place: no such header there, or no bytes",
        2,
    ),
    "fields without bytes": (b"-- 1 --\nIP.TTL: 9\n==\n", "1 field line without a place: no such header there, or no bytes", 1),
    "a value longer than its field": (
        PING.replace(b"==\n", b"ICMP.DATA: " + b"61" * 65 + b"\n==\n", 1),
        "1 value longer than the field: only what fits was set",
        2,
    ),
    "no packet at all": (b"some notes\nLINKTYPE: 1\n", "no packets in 2 lines", 0),
}


@pytest.mark.parametrize(("data", "said", "count"), CASES.values(), ids=CASES)
def test_input(data: bytes, said: str, count: int, backend: str) -> None:
    done = shell("pkt-txt2txt", data, backend=backend)
    assert (done.returncode, done.stdout.count(b"==\n")) == (0, count)
    assert done.stderr.decode() == f"pkt-txt2txt: <stdin>: {said}\n"


def test_all_is_well() -> None:
    for data in (PING, b"", b"\n# a comment\n\n" + PING):
        assert shell("pkt-txt2txt | pkt-txt2txt", data).stderr == b""


@pytest.mark.parametrize("words", ["ICMP.TYPE = 8", "ICMP.TYPE=8", "'ICMP.TYPE = 8'"])
def test_filter_never_assigns_by_a_slip(words: str) -> None:
    done = shell(f"pkt-filter {words}", PING)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"compare" in done.stderr
    assert b"write ==" in done.stderr


def test_change_that_changes_nothing() -> None:
    done = shell("pkt-change IP.TTL==9", PING)
    assert done.stderr == b"pkt-change: nothing was changed: FIELD=value assigns, FIELD==value filters\n"


@pytest.mark.parametrize("backend", ["c", "python"])
def test_cut_inside_the_ip_header(backend: str) -> None:
    """Announced by the EtherType, but not there in full: not corrected, and counted."""
    cut = PING.replace(b"SIZE: 98/98", b"SIZE: 33/98")
    done = shell("pkt-correct -do", cut, backend=backend)
    assert done.stderr.decode().splitlines()[-1] == "pkt-correct: 2 packets not corrected in full: 2 truncated"


def test_long_durations() -> None:
    """select(2) does not take any number of seconds."""
    from pkttools.live.linux.receive import Receiver

    receiver = object.__new__(Receiver)
    receiver.watch = SimpleNamespace(up=True)
    assert receiver.patience(float("1e300")) == 86400
    assert receiver.patience(None) is None
    assert receiver.patience(0) == 0
    receiver.watch.up = False  # nothing tells when it is up again
    assert receiver.patience(None) == receiver.patience(float("1e300")) < 1


def test_standard_input_that_is_a_folder(tmp_path) -> None:
    done = shell(f"pkt-txt2txt < '{tmp_path}'")
    assert (done.returncode, done.stderr) == (1, b"pkt-txt2txt: <stdin>: Is a directory\n")
