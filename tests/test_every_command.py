"""What every filter has to stand: full disks, readers that leave, wrong kinds of files, signals, input that breaks off."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess

import pytest
from conftest import ROOT, shell
from waits import sleeps, until, wants_more

from pkttools.main import commands

PING = (ROOT / "examples" / "ping.txt").read_bytes()
ARGUMENTS = {
    "pkt-filter": "IP", "pkt-change": "IP.TTL=9", "pkt-check": "-cs", "pkt-fragment": "-fm 60 -fc",
    "pkt-answer": f"'{ROOT}/examples/answers/dns.rules'", "pkt-map": "--map 192.0.2.1=192.0.2.2", "pkt-cut": "--snap 90",
    "pkt-time": "--shift 1s", "pkt-impair": "--loss 50% --if ARP",
    "pkt-wrap": "VLAN", "pkt-unwrap": "ETHERNET",
    "pkt-pipe": "'change IP.TTL=9 | correct'",
}  # fmt: skip
OTHERS = {
    "pkt-ask",
    "pkt-diff",
    "pkt-expect",
    "pkt-gen",
    "pkt-lab",
    "pkt-recv",
    "pkt-send",
    "pkt-sock",
    "pkt-split",
    "pkt-switch",
    "pkt-xdp",
}
FILTERS = [name for name in commands() if name not in OTHERS]
each_filter = pytest.mark.parametrize("command", [f"{name} {ARGUMENTS.get(name, '')}".strip() for name in FILTERS])


@each_filter
def test_a_full_disk(command):
    done = shell(f"{command} > /dev/full", PING)
    assert (done.returncode, done.stderr) == (1, f"{command.split()[0]}: <stdout>: No space left on device\n".encode())


@each_filter
def test_a_reader_that_has_had_enough(command):
    """Quiet, by SIGPIPE; the signal of a process that wrote into a pipe without a reader."""
    count = 20 if "bin2txt" in command else 3000  # which reads one packet
    done = shell(f"{command} | true; echo ${{PIPESTATUS[0]}} >&2", PING * count)
    assert done.stderr in (b"141\n", b"0\n")


@each_filter
def test_wrong_kinds_of_files(command, tmp_path):
    name = command.split()[0]
    for words, said in (
        ("--in missing", "missing: No such file or directory"), ("--in .", ".: Is a directory"),
        ("--out missing/file", "missing/file: No such file or directory"), ("<&-", "<stdin>: Bad file descriptor"),
    ):  # fmt: skip
        done = shell(f"cd '{tmp_path}' && {command} {words}", PING)
        assert (done.returncode, done.stdout, done.stderr) == (1, b"", f"{name}: {said}\n".encode())


@each_filter
def test_input_that_breaks_off(command):
    """What came before is written, then the message; bytes that are taken as they are cannot break off."""
    name = command.split()[0]
    if name == "pkt-bin2txt":
        return
    done = shell(command, PING + b"-- 3 --\n1g\n")
    assert done.returncode == 1
    assert done.stdout
    assert done.stderr.decode().endswith(f"{name}: <stdin>:{PING.count(10) + 2}: bad hex digit '1g'\n")


@each_filter
def test_no_input(command):
    done = shell(command, b"")
    assert (done.returncode, done.stderr) == (0, b"")


@each_filter
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_waits(command, number):
    """It dies of it, and has written what it had. ^C is let pass once where a pipe is read: its end comes from the pipe."""
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    process = subprocess.Popen(
        shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, preexec_fn=os.setsid
    )
    try:
        process.stdin.write(PING)
        process.stdin.flush()
        if any(word in command for word in ("bin2txt", "stat", "sort")):
            until(lambda: wants_more(process), "wait for more")  # one packet, figures, an order: nothing is written before the end
            first = b""
        else:
            first = process.stdout.read(1)
        process.send_signal(number)
        if number == signal.SIGINT:
            until(lambda: sleeps(process), "wait after the signal")
            process.stdin.close()
        out = first + process.stdout.read()
        assert process.wait(10) == (0 if number == signal.SIGINT or "stat" in command else -signal.SIGTERM)
        assert process.stderr.read() == b""
        assert out or (number == signal.SIGTERM and "bin2txt" in command)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def test_fragments_are_written_before_a_signal_ends_it():
    """What waits for the rest is not lost."""
    pieces = shell("pkt-fragment -fm 60 -fc | pkt-filter 'IP.OFFSET==0'", PING).stdout
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    process = subprocess.Popen(["pkt-defragment"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    process.stdin.write(pieces)
    process.stdin.flush()
    until(lambda: wants_more(process), "wait for more")
    process.terminate()
    out, _ = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM
    assert out.count(b"\n==") == pieces.count(b"\n==") == 2


def test_an_account_of_input_that_breaks_off():
    """What was found before the broken place is said too."""
    cut = PING.replace(b"SIZE: 98/98", b"SIZE: 60/98")
    done = shell("pkt-correct", cut + b"-- 3 --\n1g\n")
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert lines[0].endswith("bad hex digit '1g'")
    assert lines[-1] == "pkt-correct: 2 packets not corrected in full: 2 truncated"
