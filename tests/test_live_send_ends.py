"""pkt-send: what makes it end, or wait: a time, a key, what is read first; and its ways into the kernel."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time

import pytest
from conftest import ROOT
from netns import finish, frame, frames_of, pcap
from netns import lab as _lab
from waits import until
from xdp import need_xdp

lab = _lab


def made(count: int) -> list[bytes]:
    return [frame(i, source="a") for i in range(count)]


@pytest.mark.parametrize("options", ["", "-f --loop 0", "--pps 50 --loop 0", "--preload", "--libpcap"])
def test_it_ends_when_its_time_is_over(lab, options):
    """That is no failure, whatever it waits for then; and what it sent is accounted for."""
    began = time.monotonic()
    done = lab.run("a", f"pkt-send -i eth0 --duration 0.5 {options}", pcap(made(3), 3600 if options != "" else 0.2))
    took = time.monotonic() - began
    said = done.stderr.decode()
    assert (done.returncode, "stopped" in said) == (0, False)
    assert 0.4 < took < 20
    sent = int(said.split("attempted = ")[1].split()[0])
    assert sent == lab.counters("a")["tx"]
    assert sent == {"": 3, "--preload": 1, "--libpcap": 1}.get(options, sent)
    assert sent > 0


def test_a_pipe_that_brings_nothing(lab):
    """The time is over for it, too."""
    process = lab.start("a", "exec pkt-send -i eth0 --duration 0.3", stdin=subprocess.PIPE)
    code = process.wait(20)
    assert code == 0
    assert b"eth0: 0 attempted" in process.stderr.read()


def test_a_pipe_in_one_process(lab):
    """What was received until then is sent."""
    process = lab.start("a", "exec pkt-pipe 'recv -i lo | send -i eth0 --duration 1'")
    until(lambda: lab.listeners("a"), "packet socket")
    lab.inject("a", [frame(1)], "lo")
    assert process.wait(20) == 0
    assert b"eth0: 1 attempted = 1 sent" in process.stderr.read()


def test_copies_without_end(lab):
    need_xdp(lab)
    done = lab.run("a", "pkt-send -i eth0 --xdp --receive --loop 0 --duration 0.3", pcap(made(1)))
    said = done.stderr.decode()  # that nobody takes these is no matter
    assert int(said.partition("eth0: ")[2].partition(" attempted")[0]) > 1
    assert "stopped" not in said


def test_without_end_until_a_signal(lab):
    """Which is how it is meant to end."""
    before = lab.counters("b")["rx"]
    process = lab.start("a", "exec pkt-send -i eth0 --pps 500 --loop 0", stdin=subprocess.PIPE)
    process.stdin.write(pcap(made(2)))
    process.stdin.close()
    process.stdin = None
    until(lambda: lab.counters("b")["rx"] > before + 20, "packets")
    code, _, said = finish(process, signal.SIGINT)
    assert code == 0
    assert len(said) == 1


def test_rounds_apart(lab):
    watch = lab.watch("b", 6)
    began = time.monotonic()
    lab.must("a", "pkt-send -i eth0 -f --loop 3 --loop-delay 0.2", pcap(made(2)))
    assert time.monotonic() - began > 0.4
    assert frames_of(finish(watch)[1]) == made(2) * 3


def test_all_is_read_first(lab):
    """Nothing is sent of an input that cannot be read to its end."""
    text = lab.must("a", "pkt-pcap2txt", pcap(made(2))) + b"-- 3 --\n0: zz\n==\n"
    for options, count in (("--preload", 0), ("", 2)):
        before = lab.counters("a")["tx"]
        done = lab.run("a", f"pkt-send -i eth0 -f {options}", text)
        assert done.returncode == 1
        assert lab.counters("a")["tx"] - before == count, options


@pytest.mark.parametrize("way", ["direct", "receive"])
def test_ways_into_the_kernel(lab, way):
    """The same as of pkt-gen, at the times of the capture."""
    if way == "receive":
        need_xdp(lab)
    host = "b" if way == "direct" else "a"
    watch = lab.watch(host, 3)
    began = time.monotonic()
    done = lab.run("a", f"pkt-send -i eth0 --xmit {way}", pcap(made(3), 0.1))
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began > 0.2
    assert frames_of(finish(watch)[1]) == made(3)


def test_one_at_a_time():
    """Keys come from the terminal, whatever is read; each packet is shown before its key, and q ends without a failure."""
    words = ["pkt-send", "--dry-run", "--one-at-a-time", "--in", str(ROOT / "examples" / "ping.txt")]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(ROOT / "bin" / "pkt-send", words)
    seen = b""

    def shown(text: bytes) -> bool:
        nonlocal seen
        if select.select([terminal], [], [], 0)[0]:
            seen += os.read(terminal, 4096)
        return text in seen

    try:
        until(lambda: shown(b"echo request"), "packet", 10)
        assert b"link type" not in seen
        os.write(terminal, b" ")
        until(lambda: shown(b"1\t0.000000 s") and shown(b"echo reply"), "next packet", 10)
        os.write(terminal, b"q")
        until(lambda: shown(b"would send 1 packet,"), "account", 10)
        assert os.waitpid(pid, 0)[1] == 0
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)


def test_nobody_to_press_a_key(tmp_path):
    done = subprocess.run([ROOT / "bin" / "pkt-send", "--dry-run", "--one-at-a-time"], input=b"", capture_output=True, check=False,
                          start_new_session=True)  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"pkt-send: no terminal: nobody is there to press a key\n")
