"""What the suites share: programs that they need, and packets by what is said of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

import pytest

from pkttools import Lab, Packet

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def needs(lab: Lab) -> Callable[..., None]:
    """Skips the test where a program is not installed, or a command does not work in a host."""

    def needed(program: str, host: str, command: str) -> None:
        if not shutil.which(program, path=SYSTEM):
            pytest.skip(f"{program} is not installed")
        done = lab.run(host, command, check=False)
        if done.returncode:
            pytest.skip(f"{program} does not work in a namespace here: {done.stderr.decode().strip()}")

    return needed


@pytest.fixture
def nft(lab: Lab, needs: Callable[..., None], request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """What gives a host rules of nftables: a file beside the test."""

    def given(host: str, file: str) -> None:
        needs("nft", host, "nft list ruleset")
        lab.run(host, "nft -f -", input=(request.path.parent / file).read_bytes())

    return given


@pytest.fixture
def noted() -> Callable[[Iterable[Packet], str], list[Packet]]:
    """What picks packets whose NOTE begins with some words."""

    def picked(packets: Iterable[Packet], words: str) -> list[Packet]:
        return [packet for packet in packets if any(note.startswith(f"NOTE: {words}") for note in packet.notes)]

    return picked
