"""Filters beside each other: one is enough, as in 1.16, and a terminal is told; --and wants all."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell
from waits import shown

from pkttools.commands import commands, find

PING, TAGGED = (ROOT / "examples" / name for name in ("ping.txt", "vlan-tcp.txt"))
BOTH = PING.read_bytes() + TAGGED.read_bytes()
FILTERS = [name for name in commands() if any(option.attribute == "every" for option in find(name).OPTIONS)]
ENOUGH = "one of these is enough, as in 1.16; --and wants all"


def count(words: str) -> int:
    done = shell(words, BOTH)
    assert done.returncode == 0
    return done.stdout.count(b"==\n")


def told(command: str) -> str:
    """What a command says where standard error is a terminal."""
    master, slave = pty.openpty()
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    try:
        subprocess.run(
            ["bash", "-c", command], input=BOTH, stdout=subprocess.DEVNULL, stderr=slave, env=env, check=False, timeout=60
        )
    finally:
        os.close(slave)
    try:
        return shown(master).decode().replace("\r", "")
    finally:
        os.close(master)


@pytest.mark.parametrize(
    ("words", "either", "both"),
    [
        ("ICMP ICMP.TYPE==8", 2, 1), ("TCP ICMP", 7, 0), ("'TCP ICMP'", 7, 0), ("ICMP ICMP.TYPE == 8", 2, 1),
        ("'(ICMP TCP) and ETHERNET'", 7, 0), ("'ICMP.TYPE==0 or ICMP.TYPE==8' ICMP", 2, 2), ("ICMP '! ICMP.TYPE==8' IP", 7, 1),
        ("ICMP", 2, 2), ("-r ICMP ICMP.TYPE==8", 5, 6), ("--bpf 'icmp[0] = 8' ICMP TCP", 1, 0),
    ],
)  # fmt: skip
def test_one_or_all(words: str, either: int, both: int) -> None:
    for command in ("pkt-filter", "pkt-txt2txt"):
        if "== 8" in words and command != "pkt-filter":
            continue  # of other commands each word is a filter
        assert count(f"{command} {words}") == either
        assert count(f"{command} --and {words}") == both
        assert count(f'pkt-pipe "{command[4:]} --and {words}"') == both


def test_a_guard_goes_by_it_too() -> None:
    change = "pkt-change --if 'ICMP ICMP.TYPE==8' IP.TTL=77"
    assert count(f"{change} | pkt-filter IP.TTL==77") == 2
    assert count(f"{change} --and | pkt-filter IP.TTL==77") == 1


def test_a_terminal_is_told_once() -> None:
    assert told("pkt-filter ICMP IP.TTL==1") == f"pkt-filter: 'ICMP IP.TTL==1': {ENOUGH}\n"
    assert told("pkt-change --if '(ICMP UDP)' IP.TTL=9") == f"pkt-change: '(ICMP UDP)': {ENOUGH}\n"
    assert told("pkt-pipe 'filter ICMP UDP IP | correct'") == f"pkt-pipe: 'ICMP UDP IP': {ENOUGH}\n"


@pytest.mark.parametrize(
    "words", ["ICMP", "'ICMP or UDP'", "ICMP and UDP", "'not (ICMP || UDP)'", "--and ICMP UDP", "--bpf icmp IP"]
)
def test_nothing_is_told_where_it_is_clear(words: str) -> None:
    assert told(f"pkt-filter {words}") == ""


def test_a_filter_that_is_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "icmp").touch()
    said = "pkt-filter: icmp is taken for a filter; there is a file of this name, too: --in icmp reads it\n"
    assert told(f"cd {tmp_path}; pkt-filter icmp") == said


def test_no_one_is_told_but_a_terminal() -> None:
    assert shell("pkt-filter ICMP IP.TTL==1", BOTH).stderr == b""


@pytest.mark.parametrize("name", FILTERS)
def test_every_help_says_it_in_its_first_lines(name: str) -> None:
    lines = shell(f"{name} --help", COLUMNS="80").stdout.decode().splitlines()
    head = " ".join(lines[: lines.index("Options:")])
    assert "two are OR" in head or "is ICMP or IP.TTL==1" in head
    assert len(FILTERS) > 15
