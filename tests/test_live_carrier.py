"""No carrier: what is sent then is lost, and the kernel says so in its counters alone. It is counted as failed."""

from __future__ import annotations

import re
import subprocess
import time

import pytest
from netns import Lab, finish, frame, opened, pcap
from netns import lab as _lab
from waits import until

lab = _lab
WARNING = "{}: eth0: no carrier: packets will be lost"
SENDERS = {
    "queue": "pkt-send -i eth0", "fast": "pkt-send -i eth0 -f", "libpcap": "pkt-send --libpcap -i eth0",
    "pipe": "pkt-pipe 'change | send -i eth0'", "gen": "pkt-gen raw -i eth0", "direct": "pkt-gen raw -i eth0 --xmit direct",
    "at a rate": "pkt-gen raw -i eth0 --rate 500", "python": "PKTTOOLS_CODEC=python pkt-send -i eth0 -f",
}  # fmt: skip


def account(said: list[str]) -> tuple[int, int, int]:
    """Attempted, sent, failed."""
    attempted, sent, failed = re.search(r"(\d+) attempted = (\d+) sent \+ (\d+) failed", said[-1]).groups()
    return int(attempted), int(sent), int(failed)


def dropped(lab: Lab, host: str = "a", name: str = "eth0") -> int:
    """What the kernel counted as not sent."""
    (line,) = [line for line in lab.proc(host, "dev").splitlines() if line.strip().startswith(f"{name}:")]
    return int(line.split(":")[1].split()[11])


@pytest.mark.parametrize("words", SENDERS.values(), ids=SENDERS)
def test_the_other_end_is_down(lab, words):
    lab.must("b", "ip link set eth0 down")
    begun = time.monotonic()
    done = lab.run("a", words, pcap([frame(i) for i in range(20)]))
    assert time.monotonic() - begun < 10
    said = done.stderr.decode().splitlines()
    assert (done.returncode, said[0]) == (1, WARNING.format(re.search("pkt-[a-z]*", words)[0]))
    assert account(said) == (20, 0, 20)
    assert "20 failed (20 no carrier); 0 bytes" in said[-1]
    assert lab.counters("b")["rx"] == 0
    assert dropped(lab) >= 20


@pytest.mark.parametrize("words", [SENDERS[how] for how in ("queue", "libpcap", "pipe", "at a rate")])
def test_the_carrier_is_lost_in_the_middle_and_comes_back(lab, words):
    """What has arrived is what was sent."""
    before = lab.counters("b")["rx"]
    sender = lab.start("a", words, subprocess.PIPE)
    sender.stdin.write(pcap([frame(i) for i in range(1000)], 0.002))
    sender.stdin.close()
    sender.stdin = None
    until(lambda: lab.counters("b")["rx"] - before > 100, "hundredth frame")
    lab.must("b", "ip link set eth0 down")
    until(lambda: dropped(lab) > 100, "hundredth frame that is lost")
    lab.must("b", "ip link set eth0 up")
    code, _, said = finish(sender)
    attempted, sent, failed = account(said)
    assert (code, attempted) == (1, 1000)
    assert 50 < failed < 900
    assert f"({failed} no carrier)" in said[-1]
    assert said[0].endswith("eth0: no carrier: packets will be lost")
    assert 0 <= dropped(lab) - failed < 4  # the system may have had something to say, too
    assert 0 <= lab.counters("b")["rx"] - before - sent < 4


def test_nothing_is_said_where_there_is_one(lab):
    done = lab.run("a", "pkt-send -i eth0 -f", pcap([frame(i) for i in range(5000)]))
    said = done.stderr.decode().splitlines()
    assert (done.returncode, len(said), account(said)) == (0, 1, (5000, 5000, 0))
    done = lab.run("a", "pkt-send -i lo -f", pcap([frame(1)]))
    assert (done.returncode, account(done.stderr.decode().splitlines())) == (0, (1, 1, 0))


@pytest.mark.parametrize("mode", ["tun", "tap"])
@pytest.mark.parametrize("words", ["pkt-send -i t0", "pkt-send --libpcap -i t0"])
def test_nobody_is_at_the_other_end_of_a_tunnel(lab, mode, words):
    if lab.run("a", f"ip tuntap add dev t0 mode {mode}").returncode:
        pytest.skip("no TUN interfaces here: /dev/net/tun is missing or closed to this user")
    lab.must("a", "ip link set t0 up")
    data = pcap([bytes.fromhex("450000140000000040010000c0000201c0000202")], linktype=101) if mode == "tun" else pcap([frame(1)])
    done = lab.run("a", words, data)
    assert (done.returncode, account(done.stderr.decode().splitlines())) == (1, (1, 0, 1))
    lab.read_tun("a", "t0", 1 if mode == "tun" else 2)
    done = lab.run("a", words, data)
    assert (done.returncode, account(done.stderr.decode().splitlines())) == (0, (1, 1, 0))


def test_copies_of_a_frame(lab):
    if lab.rootless:
        pytest.skip("XDP takes the system's root")
    lab.must("b", "ip link set eth0 down")
    done = lab.run("a", "pkt-send -i eth0 --xdp --loop 10", pcap([frame(1)]))
    said = done.stderr.decode().splitlines()
    if "not allowed" in said[0]:
        pytest.skip(said[0])
    assert (done.returncode, said[0]) == (1, WARNING.format("pkt-send"))
    assert account(said) == (10, 0, 10)
    assert "(10 no carrier)" in said[-1]


def test_a_port_of_a_switch():
    """A frame that goes to a port without carrier is not sent, and counted."""
    for lab in opened("", ["wire a:p2 c:eth0"]):
        lab.must("c", "ip link set eth0 down")
        switch = lab.start("a", "exec pkt-switch run eth0 p2")
        until(lambda lab=lab: len(lab.listeners("a")) == 2, "ports")
        lab.inject("b", [frame(i) for i in range(30)])
        until(lambda lab=lab: dropped(lab, "a", "p2") >= 30, "frames at the port")
        shown = lab.must("a", "pkt-switch show").decode().splitlines()
        columns = dict(zip(shown[0].split(), shown[2].split(), strict=True))
        assert (columns["port"], columns["out"], columns["out-bytes"], columns["failed"]) == ("p2", "0", "0", "30")
        _, _, said = finish(switch, 15)
        assert "p2: 0 frames in, 0 out (30 not sent)" in said[-1]
