"""Packets that come one by one: what a stage does then without a step of Python's is what it does otherwise."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from conftest import ROOT
from relays import LINK, PING, packets_of
from test_lane import text_with
from waits import is_full, read_to, sleeps, until

from pkttools.batch import LANE_MARK
from pkttools.formats.files import F_SETPIPE_SZ
from pkttools.formats.lane import UNDERSTOOD
from pkttools.formats.lending import promise
from pkttools.formats.text import FEW

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="poll(2), and locks on pipes, as Linux has them")


class Trickle:
    """A command whose packets come one by one: each is written once what came of the one before was read."""

    def __init__(self, words: list[str], backend: str, *, ours: bool = False) -> None:
        """ours: what it writes is read as batches, too."""
        environment = {**os.environ, "PKTTOOLS_CODEC": backend, "TZ": "UTC"}
        end, out = os.pipe()
        self.process = subprocess.Popen(
            [ROOT / "bin" / words[0], *words[1:]], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE, env=environment
        )
        os.close(out)  # before the promise: whoever closes one end takes back what was said of the other
        if ours:
            promise(end)
            promise(end, UNDERSTOOD)
        self.end, self.out = end, b""

    def give(self, text: bytes) -> None:
        """Writes something."""
        assert self.process.stdin
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def goes(self, packets: list[bytes]) -> None:
        """Writes packets, each of which has to come out at once."""
        for packet in packets:
            self.give(packet)
            self.out += read_to(self.end, b"\n==\n")

    def ended(self) -> tuple[int, bytes, str]:
        """Ends it; gives the exit code, what it wrote, what it said."""
        assert self.process.stdin
        assert self.process.stderr
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        with os.fdopen(self.end, "rb") as pipe:
            self.out += pipe.read()
        with self.process.stderr as said:
            text = said.read().decode()
        return self.process.wait(30), self.out, text


@contextmanager
def trickle(words: list[str], backend: str, **more) -> Iterator[Trickle]:
    """Such a command, gone in the end."""
    found = Trickle(words, backend, **more)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()


def at_once(words: list[str], text: bytes, backend: str) -> tuple[int, bytes, str]:
    """The same command over the same text from a file."""
    environment = {**os.environ, "PKTTOOLS_CODEC": backend, "TZ": "UTC"}
    done = subprocess.run([ROOT / "bin" / words[0], *words[1:]], input=text, capture_output=True, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


MANY = 3 * FEW
COMMANDS = [
    ["pkt-txt2txt", "-v"], ["pkt-txt2txt", "-n", "8"], ["pkt-txt2txt", "-do"], ["pkt-change", "-v", "--icmp-type", "8"],
    ["pkt-change", "--ip-ttl", "9", "--if", "ICMP.TYPE==0", "-v"], ["pkt-change", "-u", "--ip-ttl", "9"],
    ["pkt-filter", "-v", "IP.TTL==64"], ["pkt-filter", "NUMBER<99", "IP"], ["pkt-change", "UDP.DST_PORT=53"],
    ["pkt-change", "--ip-id", "1..99"], ["pkt-txt2txt", "-l", "20"], ["pkt-txt2txt", "-s", "3"], ["pkt-correct"],
    ["pkt-correct", "-L", "IP.TTL=9"], ["pkt-correct", "-v", "ICMP"],
    ["pkt-txt2txt", "-aa"], ["pkt-txt2txt", "--fail-if", "UDP"], ["pkt-filter", "IP.DATA~=abc", "ICMP"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_what_comes_one_by_one_is_what_comes_at_once(backend, words):
    packets = packets_of(PING)
    text = [LINK + packets[0], *(packets[i % len(packets)] for i in range(1, MANY))]
    with trickle(words, backend) as command:
        with suppress(BrokenPipeError):  # a limit is met, or it takes no packets at all
            for packet in text:
                command.give(packet)
                time.sleep(0.002)
        code, out, said = command.ended()
    assert (code, out, said) == at_once(words, b"".join(text), backend)


def handed(said: str) -> int:
    """How many packets went as batches."""
    return int(re.search(r"(\d+) packets went as batches", said)[1])


@pytest.mark.parametrize("ours", [False, True])
def test_nothing_waits(backend, ours):
    """Text comes out as soon as it is there, also where the first packets went as batches."""
    packets = [text_with(1, first=i).removeprefix(LINK) for i in range(MANY)]
    with trickle(["pkt-txt2txt", "-v"], backend, ours=ours) as command:
        for i, packet in enumerate(packets):
            command.give(packet)
            command.out += read_to(command.end, b"\n==\n") if i > FEW or not ours else os.read(command.end, 4096)
        code, out, said = command.ended()
    assert code == 0
    assert f"{MANY} packets read, {MANY} passed on" in said
    if ours:
        assert FEW <= handed(said) < FEW + 3
        assert out.count(LANE_MARK) == FEW
    else:
        assert out == at_once(["pkt-txt2txt"], b"".join(packets), backend)[1]


def test_many_at_once_go_as_batches_again(backend):
    one = [text_with(1, first=i).removeprefix(LINK) for i in range(MANY)]
    with trickle(["pkt-txt2txt", "-v"], backend, ours=True) as command:
        for packet in one:
            command.give(packet)
            command.out += os.read(command.end, 4096)
        command.give(text_with(200).removeprefix(LINK))
        code, out, said = command.ended()
    assert code == 0
    assert FEW + 200 <= handed(said) < FEW + 203
    assert out.count(LANE_MARK) > FEW


@pytest.mark.parametrize(("text", "said"), [
    (b"-- 9 --\n00 111\n==\n", "ERR"), (b"-- 9 --\n00 11\nICMP.TYPE: x\n==\n", "ERR"), (b"-- 9 --\n00 11\n", "ERR"),
    (b"-- 9 --\nTIME: 5\nSIZE: 1/1\n00 11\n==\n", ""), (b"LINKTYPE: 113\n-- 1 --\nTIME: 5\n00 11\n==\n", ""),
    (b"-- 9 --\nTIME: 5\n00 11\nIP.TTL: 3\n==\n", ""),
])  # fmt: skip
def test_what_is_wrong_behind_is_said_with_its_line(backend, text, said):
    packets = packets_of(PING)
    stream = [LINK + packets[0], *(packets[i % len(packets)] for i in range(1, MANY)), text]
    with trickle(["pkt-change", "-v", "--icmp-type", "8"], backend) as command:
        command.goes(stream[:-1])
        command.give(text)
        found = command.ended()
    assert found == at_once(["pkt-change", "-v", "--icmp-type", "8"], b"".join(stream), backend)
    assert found[0] == (1 if said else 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(backend, number):
    packets = packets_of(PING)
    with trickle(["pkt-txt2txt"], backend) as command:
        command.goes([packets[0]] * MANY)
        until(lambda: sleeps(command.process), "sleep")
        command.process.send_signal(number)
        assert command.process.wait(30) == -number


def test_the_first_interrupt_is_let_pass(backend):
    """As everywhere: what is in front of it in the pipe ends by it."""
    packets = packets_of(PING)
    with trickle(["pkt-txt2txt"], backend) as command:
        command.goes([packets[0]] * MANY)
        until(lambda: sleeps(command.process), "sleep")
        command.process.send_signal(signal.SIGINT)
        command.goes([packets[0]] * MANY)
        command.process.send_signal(signal.SIGINT)
        assert command.process.wait(30) == -signal.SIGINT


def test_a_reader_that_goes(backend):
    packets = packets_of(PING)
    with trickle(["pkt-txt2txt"], backend) as command:
        command.goes([packets[0]] * MANY)
        os.close(command.end)
        command.give(packets[0])
        assert command.process.wait(30) == -signal.SIGPIPE


def test_a_reader_that_does_not_read_gets_all(backend):
    packets = packets_of(PING)
    with trickle(["pkt-txt2txt"], backend) as command:
        fcntl.fcntl(command.end, F_SETPIPE_SZ, 4096)  # the command has asked for more
        command.goes([packets[0]] * MANY)
        fcntl.fcntl(command.end, F_SETPIPE_SZ, 4096)
        given = 0
        while not is_full(command.end):
            command.give(packets[0])
            given += 1
            time.sleep(0.002)
        before = len(command.out)
        for _ in range(9):
            command.give(packets[0])
            time.sleep(0.002)
        code, out, said = command.ended()
    assert (code, said, out[before:].count(b"\n==\n")) == (0, "", given + 9)
    assert out == at_once(["pkt-txt2txt"], packets[0] * (MANY + given + 9), backend)[1]
