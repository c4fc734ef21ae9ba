"""Signals: a command stops between two packets, never in the middle of one, and says nothing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
from conftest import ROOT
from waits import is_full, sleeps, until

PACKET = b"-- 1 --\nTIME: 1400167480.561500 Thu May 15 15:24:40 2014\nSIZE: 32/32\n" + (
    b"000000: 00 11 22 33  44 55 00 AA  BB CC DD EE  08 00 45 00 : ..\"3DU.. ......E.\n" * 2
) + b"==\n"  # fmt: skip


class Command:
    """A command with pipes at its ends, of which the first packet has come out: it is running."""

    def __init__(self, backend: str, *words: str, stdin: int = subprocess.PIPE) -> None:
        environment = {**os.environ, "TZ": "UTC", "PKTTOOLS_CODEC": backend}
        self.process = subprocess.Popen(
            [ROOT / "bin" / words[0], *words[1:]], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        self.out = b""
        if stdin == subprocess.PIPE:
            self.write(PACKET)
        self.read_until(b"==\n")

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read_until(self, wanted: bytes, count: int = 1, seconds: float = 10) -> None:
        """Reads until `wanted` came so many times."""
        assert self.process.stdout
        end = time.monotonic() + seconds
        while self.out.count(wanted) < count:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], f"nothing came: {self.out[-200:]!r}"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "it ended"
            self.out += chunk

    def end(self) -> tuple[int, bytes]:
        """Exit code and standard error; `out` has everything."""
        rest, said = self.process.communicate(timeout=20)
        self.out += rest
        return self.process.returncode, said


@pytest.fixture
def started() -> Iterator[list[Command]]:
    """Commands that a test started; what is left of them is ended."""
    commands: list[Command] = []
    yield commands
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


def test_sigint_lets_a_filter_finish_what_comes(backend, started):
    """A terminal's ^C reaches every command of a pipe: the first one ends, the others still write what it said."""
    command = Command(backend, "pkt-txt2txt")
    started.append(command)
    command.process.send_signal(signal.SIGINT)
    until(lambda: sleeps(command.process), "sleep")
    command.write(PACKET * 2)
    command.read_until(b"==\n", 3)
    assert command.end() == (0, b"")
    assert command.out.count(b"==\n") == 3


def test_a_second_sigint_ends_it(backend, started):
    command = Command(backend, "pkt-txt2txt")
    started.append(command)
    command.process.send_signal(signal.SIGINT)
    until(lambda: sleeps(command.process), "sleep")
    command.process.send_signal(signal.SIGINT)
    assert command.process.wait(10) == -signal.SIGINT
    assert command.end()[1] == b""


@pytest.mark.parametrize("words", [["pkt-txt2txt"], ["pkt-correct", "IP.TTL=5"], ["pkt-txt2pcap", "-F", "text"]])
def test_sigterm_while_waiting(backend, started, words):
    command = Command(backend, *words)
    started.append(command)
    command.write(PACKET[:-2])  # half a packet stays half a packet
    command.process.send_signal(signal.SIGTERM)
    assert command.process.wait(10) == -signal.SIGTERM
    assert command.end()[1] == b""
    assert command.out.count(b"==\n") == 1
    assert command.out.endswith(b"==\n")


def test_sigterm_in_the_middle_of_a_stream(backend, started):
    command = Command(backend, "pkt-txt2txt", "-n", "7")
    started.append(command)
    stop = threading.Event()

    def feed() -> None:
        try:
            while not stop.is_set():
                command.write(PACKET * 1000)
        except (BrokenPipeError, ValueError):
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    command.read_until(b"==\n", 5000)
    command.process.send_signal(signal.SIGTERM)
    assert command.process.stdout
    while chunk := os.read(command.process.stdout.fileno(), 1 << 16):
        command.out += chunk
    stop.set()
    feeder.join(10)
    assert command.process.wait(10) == -signal.SIGTERM
    assert command.out.endswith(b"\n==\n")
    assert command.out.count(b"==\n") == command.out.count(b"-- ")
    assert command.process.stderr and command.process.stderr.read() == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("redirected", [True, False])
def test_a_signal_while_a_file_is_read(backend, started, tmp_path, number, code, redirected):
    """From a file there is nothing to wait for: the first SIGINT ends it."""
    path = tmp_path / "packets.txt"
    path.write_bytes(PACKET * 60_000)
    with path.open("rb") as file:
        words = [] if redirected else ["--in", str(path)]
        command = Command(backend, "pkt-txt2txt", *words, stdin=file.fileno() if redirected else subprocess.DEVNULL)
    started.append(command)
    until(lambda: is_full(command.process.stdout) and sleeps(command.process), "wait for room")  # nobody reads
    command.process.send_signal(number)
    until(lambda: sleeps(command.process), "sleep")
    got, said = command.end()
    assert (128 - got, said) == (code, b"")
    assert command.out.endswith(b"\n==\n")
    assert 0 < command.out.count(b"==\n") < 60_000


def test_a_signal_while_a_command_starts() -> None:
    """It ends the command, whatever is being imported then: never a traceback, and never lost."""
    for i in range(40):
        process = subprocess.Popen([ROOT / "bin" / "pkt-txt2txt"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.012 + i * 0.0005)  # another moment of its start each time
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=5)  # the end of the input, too: what lets the first ^C pass ends by that
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        not_up = b"Fatal Python error" in said or b"init_sys_streams" in said  # Python itself: a busy machine is that slow
        assert not_up or process.returncode in (0, -signal.SIGINT), said
        if b"Traceback" in said:
            assert b"pkttools" not in said, said
