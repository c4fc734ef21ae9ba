"""pkt-send --loop: what is kept in memory from one round to the next, and how much that may be."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from conftest import ROOT
from netns import pcap
from peak import measured
from waits import catches, until

from pkttools.batch import Batch, Packet, gathered
from pkttools.formats.files import Sink
from pkttools.live import relays


class Seen(Sink):
    """Copies of the frames that came."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def write(self, batch: Batch) -> None:
        self.frames += [bytes(batch.frame(i)) for i in range(len(batch))]

    def close(self) -> list[str]:
        return []


def made(frames: list[bytes]) -> Batch:
    return gathered(Packet(data, len(data), 0, 1) for data in frames)


def test_what_is_kept_is_a_copy():
    seen = Seen()
    kept = relays.Kept(seen)
    batch = made([b"one", b"two"])
    kept.write(batch)
    batch.data[:] = b"\0" * len(batch.data)  # the next read
    batch.rows[:] = b"\0" * len(batch.rows)
    assert kept.batches
    for again in kept.batches:
        seen.write(again)
    assert seen.frames == [b"one", b"two"] * 2


def test_nothing_is_kept_once_it_is_too_much(monkeypatch):
    first, second = made([b"x" * 100]), made([b"y"])
    monkeypatch.setattr(relays, "KEPT", len(first.data) + len(first.rows))
    seen = Seen()
    kept = relays.Kept(seen)
    kept.write(first)
    assert kept.batches is not None
    kept.write(second)
    assert kept.batches is None
    kept.write(made([]))
    assert kept.batches is None
    assert seen.frames == [b"x" * 100, b"y"]


@pytest.mark.parametrize("size", [64, 1500])
@pytest.mark.parametrize("mebibytes", [30, 45], ids=["kept", "read again"])
def test_memory_is_bounded(tmp_path, size, mebibytes):
    count = (mebibytes << 20) // (size + 16 + 56)
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap([bytes(size)] * count))
    words = [ROOT / "bin/pkt-send", "--dry-run", "-f", "--loop", "2", "--in", path]
    with (tmp_path / "out").open("wb") as out:
        memory, said = measured(words, subprocess.DEVNULL, out)
    assert len(said) == 1 and said[0].startswith(f"pkt-send: would send {2 * count} packets, {2 * count * size} bytes")
    assert memory < 64 << 20


def test_rounds_begin_where_standard_input_stood(tmp_path):
    """Where packets are not kept, but read again: what somebody has read of the file before is not ours."""
    (tmp_path / "in.pcap").write_bytes(pcap([b"others" * 10]) + pcap([b"o" * 70, b"u" * 80]))
    run = "import sys; from pkttools import main; from pkttools.live import relays; relays.KEPT = 0; "
    run += "sys.exit(main.guarded('pkt-send', sys.argv[1:]))"
    words = [sys.executable, "-c", run, "--dry-run", "-f", "--loop", "3"]
    with (tmp_path / "in.pcap").open("rb") as file:
        file.seek(len(pcap([b"others" * 10])))
        done = subprocess.run(words, cwd=ROOT, stdin=file, capture_output=True, timeout=60, check=True)
    assert [line.split()[3] for line in done.stdout.splitlines()] == [b"70", b"80"] * 3


@pytest.mark.parametrize("frames", [0, 1])
def test_a_signal_ends_rounds(tmp_path, frames):
    """Also where nothing is sent in them, and where nothing is written."""
    path = tmp_path / "in.pcap"
    path.write_bytes(pcap([bytes(60)] * frames))
    words = [ROOT / "bin" / "pkt-send", "--dry-run", "-f", "--loop", "1000000000", "--in", path]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            if not frames:  # there is nothing to do again
                assert process.wait(10) == 0
                return
            until(lambda: catches(process, signal.SIGTERM), "handler")
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 1
    assert b"stopped by a signal" in said
    assert b"would send" in said
