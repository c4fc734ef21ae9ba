"""Files are written while the next packets are worked on: the same bytes, and no error lost."""

from __future__ import annotations

import _thread
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import pcap
from waits import until

from pkttools.command_line.signals import Interrupted
from pkttools.errors import OutputError
from pkttools.formats.files import BEHIND, Output

MEGABYTE = 1 << 20


def capture(size: int) -> bytes:
    """A capture of so many bytes, of frames that differ."""
    dice = random.Random(3)
    return pcap([dice.randbytes(dice.randrange(60, 1500)) for _ in range(size // 800)])


@pytest.mark.parametrize("command", ["pkt-txt2txt -F pcap", "pkt-txt2txt", "pkt-pipe 'txt2txt | txt2txt'", "pkt-txt2txt -F pcapng"])
def test_the_same_as_through_a_pipe(tmp_path: Path, backend: str, command: str) -> None:
    (tmp_path / "in").write_bytes(capture(5 * MEGABYTE))
    done = shell(f"cd {tmp_path} && {command} < in > out && {command} < in | cat > piped", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "piped").read_bytes()
    assert (tmp_path / "out").stat().st_size > 4 * MEGABYTE


def test_large_and_small_pieces_in_order(tmp_path: Path) -> None:
    dice = random.Random(5)
    pieces = [dice.randbytes(dice.choice((1, 1000, BEHIND - 1, BEHIND, MEGABYTE))) for _ in range(200)]
    output = Output(str(tmp_path / "out"), None)
    for piece in pieces:
        output.write(piece)
    assert output.behind, "no thread was started: this test shows nothing"
    output.close()
    assert (tmp_path / "out").read_bytes() == b"".join(pieces)


def test_no_thread_stays_behind(tmp_path: Path) -> None:
    """Who writes many files, one after the other, has one thread and not one for each."""
    before = _thread._count()
    for number in range(5):
        output = Output(str(tmp_path / str(number)), None)
        output.write(bytes(MEGABYTE))
        assert output.behind
        output.close()
    until(lambda: _thread._count() == before, "end of the threads")


@pytest.mark.parametrize("size", [3, 30])
def test_a_file_that_cannot_grow(tmp_path: Path, size: int) -> None:
    """The limit is met by a piece in the middle, or by the last one."""
    source = capture(size * MEGABYTE)
    (tmp_path / "in").write_bytes(source)
    done = shell(f"cd {tmp_path} && ulimit -f 2048 && pkt-txt2txt -F pcap --in in --out out")
    assert done.returncode == 1
    assert done.stderr == b"pkt-txt2txt: out: File too large\n"
    assert (tmp_path / "out").read_bytes() == source[: 2 * MEGABYTE]


def test_an_error_of_the_last_piece_is_said(tmp_path: Path) -> None:
    output = Output(str(tmp_path / "out"), None)
    output.write(bytes(BEHIND))
    output.behind.wait()
    broken = os.open("/dev/full", os.O_WRONLY)
    os.dup2(broken, output.fd)
    os.close(broken)
    output.write(bytes(BEHIND))
    with pytest.raises(OutputError, match="No space left on device"):
        output.close()


def test_what_was_handed_over_is_written_when_a_signal_ends_it(tmp_path: Path) -> None:
    """All that went through before the signal is there, up to the end of a packet."""
    source = capture(2 * MEGABYTE)
    with (tmp_path / "out").open("wb") as out:
        command = [str(ROOT / "bin" / "pkt-txt2txt"), "-F", "pcap"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out)
        process.stdin.write(source)
        process.stdin.flush()
        until(lambda: (tmp_path / "out").stat().st_size == len(source), "whole file")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM
    assert (tmp_path / "out").read_bytes() == source


@pytest.mark.parametrize(
    "command", ["pkt-filter IP.SRC_ADDR==10.0.0.1 -F pcap", "pkt-pipe 'filter IP.SRC_ADDR==10.0.0.1 | correct'"]
)
def test_what_is_on_its_way_is_not_read_over(tmp_path: Path, backend: str, command: str) -> None:
    """Batches that are dropped as a whole are read while the last one that passed is still being written."""
    ip = bytes.fromhex("0200000000020200000000010800") + bytes.fromhex("450005ce00000000401100000a00000f0a000002")
    runs = []
    for i in range(24):
        frame = ip.replace(b"\x0a\0\0\x0f", bytes([10, 0, 0, 1 + i % 3 % 2]))
        runs += [frame + i.to_bytes(2, "big") * 720] * 700
    (tmp_path / "in").write_bytes(pcap(runs))
    command = command.format("IP.SRC_ADDR==10.0.0.1")
    done = shell(f"cd {tmp_path} && {command} < in > out && {command} < in | cat > piped", backend=backend)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_bytes() == (tmp_path / "piped").read_bytes()
    assert (tmp_path / "out").stat().st_size > 10 * MEGABYTE


def test_a_signal_between_any_two_lines_leaves_nobody_waiting(tmp_path: Path) -> None:
    """Its exception comes where the piece is to be handed over: there is nothing to wait for then."""

    class Broken:
        def __init__(self, lock: object) -> None:
            self.acquire, self.lock = lock.acquire, lock

        def release(self) -> None:
            raise Interrupted(2)

    output = Output(str(tmp_path / "out"), None)
    output.write(bytes(BEHIND))
    output.behind.ready = Broken(output.behind.ready)
    with pytest.raises(Interrupted):
        output.write(b"x" * BEHIND)
    output.finish()
    output.behind.ready = output.behind.ready.lock
    output.write(b"y" * BEHIND)
    output.close()
    assert (tmp_path / "out").read_bytes() == bytes(BEHIND) + b"y" * BEHIND


@pytest.mark.parametrize("loop", [1, 3])
def test_a_rehearsal_that_cannot_be_written_fails(tmp_path: Path, loop: int) -> None:
    (tmp_path / "in").write_bytes(pcap([bytes(60)] * 9000))
    done = shell(f"cd {tmp_path} && ulimit -f 64 && pkt-send --dry-run -f --loop {loop} --in in > out")
    assert (done.returncode, done.stderr) == (1, b"pkt-send: <stdout>: File too large\n")
    done = shell(f"cd {tmp_path} && pkt-send --dry-run -f --loop {loop} --in in > out")
    assert (done.returncode, (tmp_path / "out").read_bytes().count(b"\n")) == (0, 9000 * loop)


def test_the_first_error_is_not_lost_behind_that_of_the_file(tmp_path: Path) -> None:
    """The input breaks off, and what came before it does not fit in the file either."""
    (tmp_path / "in").write_bytes(capture(3 * MEGABYTE)[:-100])
    done = shell(f"cd {tmp_path} && ulimit -f 2048 && pkt-txt2txt -v -F pcap --in in --out out")
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "File too large" in said
    assert "packets read" in said
