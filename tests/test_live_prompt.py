"""Packets as soon as they come: out of the socket's queue, or out of a ring where the queue may not be as long as is wanted."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from netns import IP, MAC
from netns import lab as _lab
from samples import ethernet, ipv4, udp

from pkttools.live.linux.leaving import leave

lab = _lab
# Which way packets went, their bytes, and whether they have the kernel's time. Words: whether there is a ring, how many packets.
TAKE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pkttools.batch import TIME
from pkttools.live.linux import prompt
if sys.argv[2] == "ring":
    prompt.grow = lambda *_: None
    prompt.MEMORY = 8 << 20
wire = prompt.Prompt("eth0")
assert wire.queued == (sys.argv[2] != "ring")
print("ready", file=sys.stderr, flush=True)
left, before, end = int(sys.argv[3]), time.time_ns(), time.monotonic() + 20
while left > 0 and time.monotonic() < end:
    batch = wire.take()
    if batch is None:
        time.sleep(0.01)
        continue
    wire.finish(batch)
    for i, leaves in enumerate(wire.outgoing(batch)):
        left -= 1
        stamp = batch.packet(i).time
        assert before <= stamp <= time.time_ns() or leaves and not stamp, stamp
        print("out" if leaves else "in", bytes(batch.frame(i)).hex())
    wire.give()
assert wire.close() == 0
"""


def test_both_ways_and_tags(lab):
    """The same from either place, in either language; tags, also two, that the kernel keeps apart, are where they were.

    No kernel answers: the packets are for neither.
    """
    ends = [f"--src {IP[of]} --dst {IP[to]} --src-mac {MAC[of]} --dst-mac 02:00:00:00:00:99 --size 60" for of, to in ("ba", "ab")]
    tagged = f"pkt-gen udp {ends[0]} | pkt-wrap vlan ETHERNET.VLAN_ID=42 ETHERNET.VLAN_PRIORITY=3"
    gave = f"{{ pkt-gen udp {ends[0]}; {tagged}; {tagged} | pkt-wrap vlan ETHERNET.VLAN_ID=7; }} | pkt-send -i eth0 -f"
    asked = f"pkt-gen udp {ends[1]} --dport 9 | pkt-send -i eth0"
    python = f"{sys.executable} -c '{TAKE}' {ROOT}"
    seen = []
    for where, codec in (("queue", "c"), ("queue", "python"), ("ring", "python")):
        taker = lab.start("a", f"PKTTOOLS_CODEC={codec} {python} {where} 4")
        assert taker.stderr.readline() == b"ready\n"
        lab.run("b", gave)
        lab.run("a", asked)
        out, err = taker.communicate(timeout=30)
        assert taker.returncode == 0, err.decode()
        seen.append(out.decode().split("\n"))
    assert seen[0] == seen[1] == seen[2]
    assert [line[:3].strip() for line in seen[0][:4]] == ["in", "in", "in", "out"]
    assert "8100602a" in seen[0][1]
    assert "81000007" in seen[0][2]
    assert "8100602a" in seen[0][2]


@pytest.mark.parametrize("full", [False, True])
def test_a_socket_that_is_left_is_closed(monkeypatch, full):
    """By the kernel, soon; or at once, where none may be left."""

    def refused():
        raise OSError(errno.EMFILE, "Too many open files")

    here, there = socket.socketpair()
    if full:
        monkeypatch.setattr("pkttools.live.linux.leaving.socket.socketpair", refused)
    with there:
        there.settimeout(20)
        leave(here)
        assert here.fileno() == -1
        assert there.recv(1) == b""


LEAVE = """
import socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pkttools.live.linux.leaving import leave
most = 0
for _ in range(80):
    leave(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    most = max(most, len(Path("/proc/net/packet").read_text().splitlines()) - 1)
print(most)
"""


def test_no_more_sockets_are_left_than_the_kernel_closes_soon(lab):
    """Each receives until it is closed, and keeps an interface promiscuous."""
    assert int(lab.must("a", f"{sys.executable} -c '{LEAVE}' {ROOT}")) <= 40  # 80 would be there


RECEIVED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from pkttools.live.capture import CaptureOptions
from pkttools.live.linux.receive import Receiver
options = CaptureOptions()
options.prompt, options.seconds = True, 0.01
receiver = Receiver("lo", options)
list(receiver)
receiver.waiting = False
there = lambda: len(Path("/proc/net/packet").read_text().splitlines()) - 1
before, end = there(), time.monotonic() + 20
receiver.close()
while there() and time.monotonic() < end:
    time.sleep(0.01)
time.sleep(0.3)  # what takes packets beside would be heard of, if it still did
print(before, there())
"""


def test_what_has_received_keeps_no_socket_by_its_ring(lab):
    """Else the end of the process would wait for it."""
    done = lab.run("a", f"{sys.executable} -c '{RECEIVED}' {ROOT}")
    assert (done.stdout, done.stderr) == (b"1 0\n", b"")


PROMISCUOUS = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from pkttools.live.capture import CaptureOptions
from pkttools.live.linux import prompt, receive
prompt.leave = receive.leave = lambda *left: None  # the kernel takes its time
def said():
    return subprocess.run(["ip", "-d", "link", "show", "lo"], capture_output=True, text=True).stdout.split("promiscuity ")[1][0]
options = CaptureOptions()
options.promiscuous = True
for open_one in (lambda: receive.Receiver("lo", options), lambda: prompt.Prompt("lo")):
    one = open_one()
    before = said()
    one.close()
    print(before, said())
"""


def test_promiscuity_ends_before_a_socket_is_left(lab):
    """The kernel may close it later."""
    done = lab.run("a", f"{sys.executable} -c '{PROMISCUOUS}' {ROOT}")
    assert (done.stdout, done.stderr) == (b"1 0\n" * 2, b"")


THROWN = """
import os, struct, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from pkttools.live.linux.prompt import Prompt
from pkttools.live.linux.tap import IFF_VNET_HDR, attach
tap, _ = attach("tap9", IFF_VNET_HDR)
subprocess.run(["ip", "link", "set", "tap9", "up"], check=True)
wire, rest = Prompt("tap9"), bytes.fromhex(sys.argv[2])
assert wire.queued
for virtio in (bytes(10), struct.pack("=BBHHHH", 1, 3, 42, 1400, 34, 6), bytes(10)):  # 3: UDP that is to be made fragments
    os.write(tap, virtio + rest)
seen, end = [], time.monotonic() + 20
while len(seen) < 2 and time.monotonic() < end:
    batch = wire.take()
    if batch is not None:
        seen += [size for size in map(len, map(batch.frame, range(len(batch)))) if size == len(rest)]
        wire.give()
print(seen == [len(rest)] * 2, wire.close())
"""


def test_a_packet_that_the_kernel_throws_away_is_counted_and_others_are_seen(lab):
    """It has no virtio header for UDP of a guest that leaves fragments to its host."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("there are no TAP devices here")
    frame = ethernet(0x0800, ipv4(17, udp(bytes(1900)))).hex()
    for codec in ("c", "python"):
        assert lab.must("a", f"PKTTOOLS_CODEC={codec} {sys.executable} -c '{THROWN}' {ROOT} {frame}") == b"True 1\n", codec


ROOM = """
import sys
sys.path.insert(0, sys.argv[1])
from pkttools.live.linux.prompt import Prompt
print([Prompt("lo", packets).queued for packets in (1, 1 << 18)])
"""


def test_room_for_the_most_questions_is_no_more_than_a_queue_can_have(lab):
    """Of the largest packets of a loopback interface those are 32 GiB."""
    assert lab.must("a", f"{sys.executable} -c '{ROOM}' {ROOT}") == b"[True, True]\n"
