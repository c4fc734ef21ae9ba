"""The pytest plugin: what a run with it shows, and that a run without any of it is as before."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT
from suites import suite

SUITE = """
import pytest
from pkttools.pytest_plugin import assert_packets
WIRE = "wire a 10.0.0.1/24 b 10.0.0.2/24"

@pytest.mark.lab(WIRE, "host z")
def test_marker(lab):
    assert lab.hosts == ["a", "b", "z"]

@pytest.mark.parametrize("lab", [WIRE], indirect=True)
def test_parameter(lab, capture, packets):
    with capture("b:eth0", "UDP") as got:
        lab.send("a:eth0", packets("sent.txt"))
    assert_packets(got, packets(open(__file__.replace("test_it.py", "sent.txt")).read()), ignore=["MAC"])

def test_call(lab, capture):
    with pytest.raises(pytest.UsageError, match="no lab was built before"):
        capture("b:eth0")
    first, second = lab("host x"), lab(WIRE)
    assert (first.hosts, second.hosts) == (["x"], ["a", "b"])
    with capture("b:eth0", "ICMP") as got:
        second.run("a", "ping -c 1 b")
    assert [packet["ICMP.TYPE"] for packet in got] == [8, 0]

def test_differs(packets):
    sent = packets("sent.txt")
    got = [sent[0].copy()]
    got[0]["IP.TTL"] = 3
    got[0].correct()
    assert_packets(got, sent)

@pytest.fixture
def forbidden(monkeypatch):
    from pkttools.lab import holder
    from pkttools.live.linux.namespaces import Forbidden
    def start(*_, **__):
        raise Forbidden("user namespaces are forbidden here: kernel.it is 0")
    monkeypatch.setattr(holder, "start", start)

@pytest.mark.lab("host a")
def test_skipped(forbidden, lab):
    assert False
"""
COMPARED = """
import pytest
from pkttools import parse, read

def two():
    return list(read("sent.txt")) + list(read("sent.txt"))

def test_lists():
    got = two()
    got[1]["IP.TTL"] = 3
    assert got == two()

def test_one_missing():
    assert two() == two()[:1]

def test_nothing_came():
    assert [] == two()

def test_single():
    got, sent = two()
    got["IP.TTL"] = 5
    assert got == sent

def test_time():
    got, sent = two()
    got.time += 1
    assert (got,) == (sent,)

def test_many():
    assert two() * 15 == []

def test_others():
    assert [1, 2] == [1, 3]

def test_mixed():
    assert [two()[0]] == ["text"]

def test_same():
    assert two() == two()
"""
ALONE = "import sys\ndef test_it():\n    assert not [name for name in sys.modules if name.startswith('pkttools.')][1:]\n"


def run(folder: Path, tests: str) -> str:
    """What pytest says of a suite, with nothing but the plugin."""
    (folder / "test_it.py").write_text(tests)
    done = suite(folder, "-rs")
    return done.stdout + done.stderr


def test_fixtures_do_what_they_say(tmp_path: Path, lab) -> None:
    lab("host a")  # else this is skipped, with the reason
    made = subprocess.run(
        [ROOT / "bin/pkt-gen", "udp", "--count", "2", "--payload", "x"], capture_output=True, text=True, check=True
    )
    (tmp_path / "sent.txt").write_text(made.stdout)
    said = run(tmp_path, SUITE)
    assert "1 failed, 3 passed, 1 skipped" in said, said
    assert re.search(r"SKIPPED \[1\] .*: user namespaces are forbidden here: kernel.it is 0", said)
    assert "packets differ (A: expected, B: got)" in said
    assert re.search(r"packet 1: .*\n(E +)?  IP.TTL +64 -> 3\n", said)
    assert "packet 2 only in A: " in said


def test_packets_that_are_compared(tmp_path: Path) -> None:
    """Fields that differ are said of them, and of all else what pytest says."""
    words = [ROOT / "bin/pkt-gen", "udp", "--count", "1", "--payload", "x"]
    (tmp_path / "sent.txt").write_text(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    (tmp_path / "test_it.py").write_text(COMPARED)
    done = suite(tmp_path, "-vvv")  # its -q takes one away
    said = dict(re.findall(r"^_+ (test_\w+) _+$\n(.*?)(?=^_+ test_|^=+ short)", done.stdout, re.M | re.S))
    assert "8 failed, 1 passed" in done.stdout
    for name in ("lists", "one_missing", "nothing_came", "single", "time", "many"):
        assert "packets differ (A: left, B: right)" in said[f"test_{name}"], done.stdout
    assert re.search(r"packet 2: .*\nE +IP.TTL +3 -> 64\n", said["test_lists"])
    assert re.search(r"packet 2 only in A: ", said["test_one_missing"])
    assert said["test_nothing_came"].count("only in B: ") == 2
    assert re.search(r"IP.TTL +5 -> 64\n", said["test_single"]) and "TIME" in said["test_time"]
    assert said["test_many"].count("only in A: ") == 20 and "and 10 packets more" in said["test_many"]
    assert "packets differ" not in said["test_others"] + said["test_mixed"]


def test_a_run_without_it_has_nothing_of_it(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, ALONE)


def test_it_is_found_by_the_name_of_its_module() -> None:
    """So that who names it in pytest_plugins as well has it once."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert points == {"pkttools.pytest_plugin": "pkttools.pytest_plugin"}
    assert pytest.__version__ >= "8"
