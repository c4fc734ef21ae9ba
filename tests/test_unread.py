"""A reader that does not read: a signal, --duration and -l end what is received within a second, with an account. Full disks."""

from __future__ import annotations

import _thread
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import Lab, finish, frame, pcap
from netns import lab as _lab
from waits import catches, is_full, sleeps, until

from pkttools.formats import packets
from pkttools.formats.files import Input
from pkttools.formats.lending import promised
from pkttools.live.linux.receive import Receiver

lab = _lab
PROMPT = 2.0  # seconds in which a command has ended that should within one; the machine may be busy
MANY = [frame(i, 1000) for i in range(3000)]  # more than a pipe holds, and as text several times that
RECEIVERS = {
    "kernel": "pkt-recv -i eth0 -ro", "libpcap": "pkt-recv --libpcap -i eth0 -ro", "xdp": "pkt-xdp -i eth0 --mode generic",
    "pipe": "pkt-pipe 'recv -i eth0 -ro | change ETHERNET.SRC_ADDR=2:0:0:0:0:9'",
}  # fmt: skip


def received(said: list[str]) -> int:
    """How many packets a receiver says it has met."""
    return int(re.search(r"(\d+) (?:packets received|frames), ", " ".join(said[-2:]))[1])


def unwritten(said: list[str]) -> int:
    """How many of them could not be written."""
    (found,) = [line for line in said if "could not be written" in line]
    assert "received could not be written: reader does not read" in found
    return int(re.search(r"(\d+) packets? received", found)[1])


def ends(lab: Lab, command: str, number: int = 0) -> tuple[bytes, list[str]]:
    """Lets a receiver run into a full pipe, and end by a signal or by itself; gives what was in the pipe, and what it said."""
    process = lab.start("a", f"exec {command}")
    if "xdp" in command:
        until(lambda: "xdp" in lab.must("a", "ip link show eth0").decode() or process.poll() is not None, "program")
        if process.poll() is not None:
            pytest.skip(process.stderr.read().decode())
    else:
        until(lambda: lab.listeners("a") or process.poll() is not None, "packet socket")
    lab.inject("b", MANY)
    if number:
        until(lambda: is_full(process.stdout) and sleeps(process), "wait for room")
        process.send_signal(number)
    begun = time.monotonic()
    process.wait(20)
    took = time.monotonic() - begun
    assert took < PROMPT + 2 * (not number), took
    code, out, said = finish(process)
    assert code == 1, said
    return out, said


def whole(out: bytes, form: str) -> int:
    """How many packets are there as a whole."""
    return held(out, form)[0]


def held(out: bytes, form: str) -> tuple[int, bool]:
    """The same, and whether a part of another one is behind them. form: text, pcap, pcapng or lines."""
    if form in ("text", "lines"):
        end = b"\n==\n" if form == "text" else b"\n"
        return out.count(end), bool(out) and not out.endswith(end)
    found, at = 0, 24 if form == "pcap" and out else 0
    while at + 16 <= len(out):
        kind, size = struct.unpack_from("<II", out, at)
        size = struct.unpack_from("<I", out, at + 8)[0] + 16 if form == "pcap" else size
        at += size
        found += at <= len(out) and (form == "pcap" or kind == 6)
    return found, at != len(out)


@pytest.mark.parametrize("form", ["text", "pcap", "pcapng"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["TERM", "INT", "HUP"])
@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_a_signal(lab, command, number, form):
    if number != signal.SIGTERM and form != "text":
        pytest.skip("the same as with text")
    words = f"{command} -F {form}"
    out, said = ends(lab, words, number)
    assert whole(out, form) + unwritten(said) == received(said) == len(MANY)


@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_the_time_is_over(lab, command):
    command = command.replace("recv", "recv --duration 2").replace("xdp ", "xdp --duration 2 ")
    command = command.replace("pkt-recv --duration 2 --duration 2", "pkt-recv --duration 2")
    out, said = ends(lab, command)
    assert whole(out, "text") + unwritten(said) == received(said) == len(MANY)


@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_as_many_as_were_wanted(lab, command):
    command = command.replace("-i eth0", "-i eth0 -l 1000")
    out, said = ends(lab, command)
    assert whole(out, "text") + unwritten(said) == 1000


FULL = {
    "text": ("pkt-recv -i eth0 -ro", "text"), "pcap": ("pkt-recv -i eth0 -ro -F pcap", "pcap"),
    "pcapng": ("pkt-recv -i eth0 -ro -F pcapng -v", "pcapng"), "libpcap": ("pkt-recv --libpcap -i eth0 -ro -F pcap", "pcap"),
    "pipe": ("pkt-pipe 'recv -i eth0 -ro | change ETHERNET.SRC_ADDR=2:0:0:0:0:9' -F pcap", "pcap"),
    "held": ("pkt-pipe 'recv -i eth0 -ro | impair --delay 10ms' -F pcap", "pcap"),
    "listing": ("pkt-pipe 'recv -i eth0 -ro | analyze -x'", "text"),
    "line": ("pkt-pipe 'recv -i eth0 -ro | analyze --line'", "lines"),
    "fields": ("pkt-pipe 'recv -i eth0 -ro | analyze --fields NUMBER,FRAME -F csv'", "lines"),
}  # fmt: skip


def fills(lab: Lab, command: str, folder: Path, blocks: int) -> tuple[list[str], int]:
    """Lets a receiver write more than a file may have, of so many KiB; gives what it says, and how many packets it has received.

    It caches no modules: a cut one would be in everybody's way.
    """
    process = lab.start("a", f"cd {folder}; export PYTHONDONTWRITEBYTECODE=1; ulimit -f {blocks}; exec {command}")
    until(lambda: lab.listeners("a") or process.poll() is not None, "packet socket")
    for first in range(0, len(MANY), 500):  # it ends meanwhile
        lab.inject("b", MANY[first : first + 500])
    process.wait(20)
    code, _, said = finish(process)
    assert code == 1, said
    return said, received(said)


def missing(said: list[str], why: str, cut: bool) -> int:
    """How many packets could not be written, by what was said."""
    (found,) = [line for line in said if "could not be written" in line]
    assert f" received could not be written: {why}" in found
    assert found.endswith("; the last one there is truncated") == cut, found
    return int(re.search(r"(\d+) packets? received", found)[1])


@pytest.mark.parametrize("blocks", [0, 8, 600])
@pytest.mark.parametrize("command", FULL)
def test_a_full_disk(lab, tmp_path, command, blocks):
    """Nothing fits, a piece does not, or one that a thread writes."""
    words, form = FULL[command]
    if form == "lines" and blocks == 600:
        pytest.skip("lines are not as much")
    said, came = fills(lab, f"{words} > out", tmp_path, blocks)
    out = (tmp_path / "out").read_bytes()
    there, cut = held(out, form)
    there -= "csv" in words and blocks > 0  # the line of names
    lost = missing(said, "<stdout>: File too large", cut)
    assert there + lost == came and lost, said
    assert len(out) == blocks << 10


@pytest.mark.parametrize("last", ["stat", "expect IP", "analyze --ladder", "analyze --ladder --svg -", "analyze --html -"])
def test_a_full_disk_that_gets_no_packets(lab, last):
    """A report of them is written in the end, a page is of no use in parts: how many are missing there is nothing that says."""
    process = lab.start("a", f"exec pkt-pipe 'recv -i eth0 -ro -l 6 | {last}' > /dev/full")
    until(lambda: lab.listeners("a") or process.poll() is not None, "packet socket")
    lab.inject("b", MANY[:6])
    process.wait(20)
    code, _, said = finish(process)
    assert (code, said[0]) == (1, "pkt-pipe: <stdout>: No space left on device")
    assert not any("written" in line for line in said)
    assert received(said)


def test_a_full_disk_and_files_one_after_the_other(lab, tmp_path):
    """Those that are whole count, too. The disk is really full."""
    (tmp_path / "small").mkdir()
    command = "mount -t tmpfs -o size=900k x small && cd small && pkt-recv -i eth0 -ro --rotate 200k --out x.pcap; stat -c %s *"
    process = lab.start("a", f"cd {tmp_path}; exec unshare -m sh -c '{command}'")
    until(lambda: lab.listeners("a") or process.poll() is not None, "packet socket")
    for first in range(0, len(MANY), 500):
        lab.inject("b", MANY[first : first + 500])
    process.wait(20)
    _, out, said = finish(process)
    if any("mount" in line or "unshare" in line for line in said):
        pytest.skip("no file system can be mounted here")
    sizes = [int(size) for size in out.split()]
    assert len(sizes) == 5
    lost = missing(said, "x-00005.pcap: No space left on device", (sizes[-1] - 24) % 1016 != 0)
    assert sum((size - 24) // 1016 for size in sizes) + lost == received(said)


@pytest.mark.parametrize("ending", ["pcap", "pcapng", "txt", "pcap.gz"])
@pytest.mark.parametrize("why", ["No such file or directory", "Is a directory"])
def test_a_next_file_that_cannot_be_opened(lab, tmp_path, ending, why):
    """What is in the files before it counts; these are whole."""
    (tmp_path / "in").mkdir()
    process = lab.start("a", f"cd {tmp_path}; exec pkt-recv -i eth0 -ro -Z root --rotate 20k --out in/x.{ending}")
    until(lambda: lab.listeners("a") or process.poll() is not None, "packet socket")
    folder = tmp_path / "in"
    if why == "Is a directory":
        (folder / f"x-00003.{ending}").mkdir()
    else:
        lab.inject("b", MANY[:30])
        until(lambda: (folder / f"x-00002.{ending}").exists() or process.poll() is not None, "second file")
        folder = folder.rename(tmp_path / "elsewhere")
    for first in range(0, len(MANY), 500):
        lab.inject("b", MANY[first : first + 500])
    process.wait(20)
    code, _, said = finish(process)
    assert (code, len(said)) == (1, 2), said
    files = [str(path) for path in folder.iterdir() if path.is_file()]
    there = sum(len(batch) for path in files for batch in packets(Input([path])))
    lost = missing(said, f"in/x-{len(files) + 1:05}.{ending}: {why}", False)
    assert there + lost == received(said)
    assert len(files) > 1 and lost


def test_a_full_disk_that_gets_what_is_compressed(lab, tmp_path):
    """What is in the last blocks of it nobody can know."""
    said, came = fills(lab, "pkt-recv -i eth0 -ro -F pcap --out x.pcap.gz", tmp_path, 4)
    assert (
        f"pkt-recv: x.pcap.gz: File too large; it is compressed: how many of {came} packets received are there is not known" in said
    )


def test_what_fits_is_written(lab):
    process = lab.capture("a", "exec pkt-recv -i eth0")
    lab.inject("b", MANY[:10])
    out = b""
    while out.count(b"\n==\n") < 10:
        out += os.read(process.stdout.fileno(), 1 << 16)
    code, rest, said = finish(process, signal.SIGTERM)
    assert (code, rest, len(said)) == (0, b"", 1)


def test_a_slow_reader_gets_all(lab):
    """It reads a little now and then, and is behind for longer than somebody who does not read at all is waited for."""
    process = lab.capture("a", "exec pkt-recv -i eth0 -ro --duration 1.5")
    over = time.monotonic() + 1.5
    lab.inject("b", MANY)
    out, pipe = b"", process.stdout.fileno()
    time.sleep(max(0, over - time.monotonic()))  # its time is over, and it has most of it still to write
    while part := os.read(pipe, 1 << 20):
        out += part
        time.sleep(0.2)  # the pace of the reader: it comes back before it is given up
    assert out.count(b"\n==\n") == len(MANY)
    assert finish(process)[0] == 0


def test_a_second_signal_ends_it_at_once(lab):
    process = lab.capture("a", "exec pkt-recv -i eth0 -ro")
    lab.inject("b", MANY)
    until(lambda: is_full(process.stdout) and sleeps(process), "wait for room")
    process.send_signal(signal.SIGTERM)
    until(lambda: sleeps(process), "wait after the first one")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PROMPT) == -signal.SIGTERM


SMALL = pcap([frame(i, 100) for i in range(20_000)])  # one read of them fills a pipe's pages so that it is not full at a border
TEXT = shell("pkt-pcap2txt", SMALL).stdout
FILTERS = [
    "pkt-txt2txt", "pkt-txt2pcap", "pkt-correct -F pcapng", "pkt-txt2bin", "pkt-analyze -x", "pkt-pipe 'txt2txt | correct'",
    "pkt-gen udp --size 1000 --count 0", "pkt-send --dry-run -f --loop 1000000",
]  # fmt: skip


def ends_by(words: str, number: int, path: Path, reader: str, backend: str = "") -> tuple[int, bytes]:
    """Lets a command fill a pipe whose reader is stopped, and end by a signal; gives its exit code and what it said."""
    reading, writing = os.pipe()
    lane = {"PKTTOOLS_LANE": "text"}  # what is there of batches: test_lane.py
    environment = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "PKTTOOLS_CODEC": backend, **lane}
    stopped = subprocess.Popen(["bash", "-c", f"exec {reader} > /dev/null"], stdin=reading, env=environment)
    if reader != "sleep 1000":
        until(lambda: promised(reading), "promise to copy what it reads")
        stopped.send_signal(signal.SIGSTOP)
    try:
        with path.open("rb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {words}"], stdin=file, stdout=writing, stderr=subprocess.PIPE, env=environment
            )
        os.close(writing)
        until(lambda: is_full(reading) and sleeps(process), "wait for room")
        process.send_signal(number)
        begun = time.monotonic()
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - begun < PROMPT
        return process.returncode, said
    finally:
        stopped.kill()
        stopped.wait()
        os.close(reading)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=["TERM", "HUP", "INT"])
@pytest.mark.parametrize("reader", ["sleep 1000", "pkt-txt2txt"])
@pytest.mark.parametrize("words", FILTERS)
def test_filters(words, reader, number, tmp_path, backend):
    """Also where memory is lent to a reader of ours."""
    if number != signal.SIGTERM and words != "pkt-txt2txt":
        pytest.skip("the same as with SIGTERM")
    (tmp_path / "in").write_bytes(TEXT)
    code, said = ends_by(words, number, tmp_path / "in", reader, backend)
    if "--dry-run" in words:
        assert code in (-number, 1)
    else:
        assert (code, said) == (-number, f"{words.split()[0]}: <stdout>: truncated: its reader does not read\n".encode())


def test_a_socket(tmp_path):
    """As some shells and sshd have it."""
    ours, theirs = socket.socketpair()
    (tmp_path / "in").write_bytes(TEXT)
    with (tmp_path / "in").open("rb") as file:
        words = [ROOT / "bin" / "pkt-txt2txt"]
        process = subprocess.Popen(words, stdin=file, stdout=theirs, stderr=subprocess.PIPE)
        until(lambda: not select.select([], [theirs], [], 0)[1] and sleeps(process), "wait for room")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PROMPT)
        assert (process.returncode, said) == (-signal.SIGTERM, b"pkt-txt2txt: <stdout>: truncated: its reader does not read\n")
    theirs.close()
    ours.close()
    ours, theirs = socket.socketpair()
    with (tmp_path / "in").open("rb") as file:
        process = subprocess.Popen(words, stdin=file, stdout=theirs)
    theirs.close()
    parts = []
    while part := ours.recv(1 << 16):
        parts.append(part)
    ours.close()
    assert (process.wait(10), b"".join(parts)) == (0, TEXT)


def test_a_pipe_of_another_user(tmp_path):
    """It cannot be opened once more: little by little is written there."""
    if os.getuid():
        pytest.skip("only root can be another user")
    if shell("command -v setpriv").returncode:
        pytest.skip("setpriv is not installed")
    (tmp_path / "in").write_bytes(TEXT)
    tmp_path.chmod(0o755)
    expected = TEXT
    done = shell(f"setpriv --reuid 65534 --clear-groups pkt-txt2txt < {tmp_path / 'in'}")
    assert (done.returncode, done.stdout) == (0, expected)
    words = "setpriv --reuid 65534 --clear-groups pkt-txt2txt"
    code, said = ends_by(words, signal.SIGTERM, tmp_path / "in", "sleep 1000")
    assert (code, said.split(b":")[-2:]) == (-signal.SIGTERM, [b" truncated", b" its reader does not read\n"])


@pytest.mark.parametrize(("ignored", "number", "ends"), [
    ("HUP", signal.SIGHUP, False), ("INT", signal.SIGINT, False), ("INT", signal.SIGHUP, True), ("HUP", signal.SIGINT, True),
])  # fmt: skip
@pytest.mark.parametrize(
    "words", ["pkt-recv -i eth0", "pkt-switch run eth0", "pkt-gen udp --count 0 -i eth0", "pkt-sock recv - 7000"]
)
def test_what_is_ignored_stays_so(lab, words, ignored, number, ends):
    """As nohup has it of SIGHUP, and shells have it of what they start in the background."""
    process = lab.start("a", f"trap '' {ignored}; exec {words}")
    until(lambda: catches(process, signal.SIGTERM), "handler")
    until(lambda: sleeps(process) or lab.counters("b")["rx"] > 100, "work")  # it waits for packets, or sends
    assert catches(process, signal.SIGHUP) == (ignored != "HUP")
    assert catches(process, signal.SIGINT) == (ignored != "INT")
    process.send_signal(number)
    if ends:
        process.wait(PROMPT)
    else:
        time.sleep(0.3)  # nothing may happen
        assert process.poll() is None
        finish(process, signal.SIGTERM)


def test_the_dump_of_a_switch(lab):
    switch = lab.start("a", "exec pkt-switch run eth0 tap:t0 --dump -")
    until(lambda: lab.listeners("a"), "port")
    lab.inject("b", MANY)
    until(lambda: is_full(switch.stdout) and sleeps(switch), "wait for room")
    switch.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    switch.wait(20)
    assert time.monotonic() - begun < PROMPT
    code, _, said = finish(switch)
    assert (code, said[-2]) == (1, "pkt-switch: --dump: <stdout>: nobody reads it")
    assert re.fullmatch(r"pkt-switch: --dump: \d+ frames not written, or not in whole", said[-1])


def test_blocks_that_are_read_give_their_room_back():
    """What is kept while nobody reads has a limit; a reader that stops again finds as much room as before."""
    receiver = object.__new__(Receiver)  # no interface is needed
    receiver.kept, receiver.room, receiver.lock = [bytearray(3), bytearray(5)], 0, _thread.allocate_lock()
    assert [len(receiver.oldest()), len(receiver.oldest()), receiver.room] == [3, 5, 8]


class Counts:
    """What a packet socket says it has met: with those that it dropped."""

    def getsockopt(self, *_: int) -> bytes:
        return struct.pack("III", 7, 2, 0)


def test_packets_that_were_dropped_are_not_waited_for():
    """They are nowhere in the ring: a second would be lost at each end."""
    receiver = object.__new__(Receiver)
    receiver.sock, receiver.placed, receiver.dropped = Counts(), 0, 0
    receiver.count()
    assert (receiver.placed, receiver.dropped) == (5, 2)
