"""What a command imports before it does anything: most of the time that it takes to start."""

from __future__ import annotations

import pytest
from conftest import shell

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
    assert len(modules) <= MOST[command], sorted(modules)


@pytest.mark.parametrize("command", ["pkt-recv -i nothere", "pkt-send -i nothere"])
def test_libpcap_is_loaded_only_where_it_is_asked_for(command: str) -> None:
    done = shell(f"{command} < /dev/null", PYTHONPROFILEIMPORTTIME="1")
    assert b"pkttools.live.linux." in done.stderr, "nothing was counted"
    assert b"ctypes" not in done.stderr
    assert b"pkttools.libpcap" not in done.stderr
