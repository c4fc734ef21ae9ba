"""pkt-send --xdp: copies of a frame that the kernel makes, and an account that is true."""

from __future__ import annotations

import re
import signal
import time

import pytest
from netns import finish, frame, frames_of, pcap
from netns import lab as _lab
from waits import until
from xdp import attached, need_bpf

lab = _lab
FRAME = frame(7, 100, "a")
NOT_TAKEN = "not taken by the driver, as by veth without GRO or a native XDP program at its other end"


@pytest.fixture(autouse=True)
def bpf():
    need_bpf()


def send(lab, words: str, data: bytes = pcap([FRAME]), host: str = "a") -> tuple[int, list[str]]:
    """Exit code and what is said."""
    done = lab.run(host, f"pkt-send -i eth0 --xdp {words}", data)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode().splitlines()


def account(line: str) -> tuple[str, int, int]:
    """`sent` or `received`, how many were, and how many failed."""
    form = r"pkt-send: eth0: (\d+) attempted = (\d+) (sent|received) \+ (\d+) failed(?: \(\4 [^)]*\))?; (\d+) bytes in [\d.]+ s"
    found = re.fullmatch(form, line)
    assert found, line
    attempted, arrived, failed, size = (int(found[i]) for i in (1, 2, 4, 5))
    assert attempted == arrived + failed and size == arrived * 100
    return found[3], arrived, failed


def test_copies_arrive(lab):
    lab.must("b", "ethtool -K eth0 gro on")
    judge = lab.watch("b", 1000)
    code, said = send(lab, "--loop 1000")
    assert (code, len(said), account(said[0])) == (0, 1, ("sent", 1000, 0))
    assert frames_of(finish(judge)[1]) == [FRAME] * 1000
    assert lab.counters("b")["rx"] == 1000


@pytest.mark.parametrize("words", ["", "-f --loop 1"])
def test_a_single_one(lab, words):
    lab.must("b", "ethtool -K eth0 gro on")
    judge = lab.watch("b", 1)
    assert send(lab, words)[0] == 0
    assert frames_of(finish(judge)[1]) == [FRAME]


def test_to_a_program_at_the_other_end(lab):
    process = lab.start("b", "exec pkt-xdp -i eth0 --match drop --mode native --sample 14 --out /dev/null")
    until(lambda: attached(lab, "b"), "the program")
    code, said = send(lab, "--loop 300000")
    assert (code, account(said[0])) == (0, ("sent", 300_000, 0))
    assert " 300000 dropped, " in finish(process, signal.SIGINT)[2][-1]


def test_what_the_driver_does_not_take_is_said(lab):
    code, said = send(lab, "--loop 100000")
    assert (code, account(said[0])) == (1, ("sent", 0, 100_000))
    assert f"(100000 {NOT_TAKEN})" in said[0]
    assert lab.counters("b")["rx"] == 0


def test_the_receive_path(lab):
    judge = lab.watch("a", 1000)
    code, said = send(lab, "--receive --loop 1000", pcap([frame(7, 100, "b")]))
    assert (code, account(said[0])) == (0, ("received", 1000, 0))
    assert frames_of(finish(judge)[1]) == [frame(7, 100, "b")] * 1000
    assert lab.counters("b")["rx"] == 0


def test_nobody_takes_what_is_received(lab):
    code, said = send(lab, "--receive --loop 1000", pcap([frame(7, 100, "b")]))
    assert (code, account(said[0])) == (1, ("received", 0, 1000))
    assert "(1000 dropped by the stack: nobody took them)" in said[0]


def test_a_signal_comes_through(lab):
    lab.must("b", "ethtool -K eth0 gro on")
    process = lab.start("a", "exec pkt-send -i eth0 --xdp --loop 4000000000 --in /dev/stdin", -1)
    process.stdin.write(pcap([FRAME]))
    process.stdin.close()
    process.stdin = None
    until(lambda: lab.counters("a")["tx"] > 100_000, "packet")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, _, said = finish(process)
    assert time.monotonic() - began < 1
    assert (code, said[0]) == (1, "pkt-send: stopped by a signal: the rest was not attempted")
    what, arrived, failed = account(said[1])
    assert (what, arrived, failed) == ("sent", lab.counters("a")["tx"], 0)


def test_changed_on_the_way(lab):
    lab.must("b", "ethtool -K eth0 gro on")
    judge = lab.watch("b", 3)
    assert send(lab, "--loop 3 -c ETHERNET.TYPE=0x9999 -s 1 -l 1", pcap([FRAME, frame(8, 100), FRAME]))[0] == 0
    assert frames_of(finish(judge)[1]) == [frame(8, 100)[:6] + FRAME[6:12] + b"\x99\x99" + frame(8, 100)[14:]] * 3


CUT = b"LINKTYPE: 1\n-- 1 --\nSIZE: 20/30\n000000: " + b"00 " * 20 + b"\n==\n"


@pytest.mark.parametrize("data, said", [
    (pcap([FRAME] * 2), "--xdp sends copies of one packet, and here are more: -l 1 takes the first"),
    (pcap([]), None),
    (CUT, "the packet had been truncated when captured: 20 of 30 bytes"),
    (pcap([FRAME[:13]]), "shorter than a link-layer header"),
    (pcap([FRAME], linktype=101), "eth0: link type 101 (Raw IP) does not fit the interface, which takes 1 (Ethernet): "
     "pkt-change --to-ethernet makes frames of such packets"),
    (pcap([frame(1, 1519)]), "too long for the MTU of 1500"),
], ids=["two", "none", "cut", "short", "link type", "long"])  # fmt: skip
def test_what_cannot_be_copied(lab, data, said):
    code, lines = send(lab, "--loop 10", data)
    assert (code, lines[:-1]) == ((1, [f"pkt-send: {said}"]) if said else (0, []))
    assert lines[-1].startswith("pkt-send: eth0: 0 attempted = 0 sent + 0 failed; ")


def test_frames_that_are_too_long_for_the_kernel(lab):
    assert "1 attempted" in send(lab, "--receive", pcap([frame(1, 3400)]))[1][0]
    code, lines = send(lab, "--receive", pcap([frame(1, 5000)]))
    assert (code, lines[0]) == (1, "pkt-send: eth0: no copies of a frame of 5000 bytes can be made")


@pytest.mark.parametrize("words, said", [
    ("--pps 5", "--pps is not for --xdp"), ("--mbps 5", "--mbps is not for --xdp"), ("--speed 5", "--speed is not for --xdp"),
    ("-w 5", "--wait is not for --xdp"), ("-j", "--just-before is not for --xdp"), ("--dry-run", "--dry-run is not for --xdp"),
])  # fmt: skip
def test_options_that_are_not_for_it(lab, words, said):
    code, lines = send(lab, words)
    assert (code, lines[0]) == (2, f"pkt-send: {said}")


def test_receive_is_for_xdp(lab):
    done = lab.run("a", "pkt-send -i eth0 --receive", pcap([FRAME]))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-send: --receive needs --xdp")


def test_without_the_privilege(lab):
    done = lab.run("a", "setpriv --bounding-set=-all --inh-caps=-all pkt-send -i eth0 --xdp", pcap([FRAME]))
    assert done.returncode == 1
    assert (
        done.stderr.decode()
        == "pkt-send: not allowed to load an XDP program without CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF: run it as root\n"
    )
