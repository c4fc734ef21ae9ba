"""Checksums that the kernel left to the network card: pkt-recv makes of them what the kernel computes where no card does."""

from __future__ import annotations

import signal
import sys

import pytest
from netns import finish, frames_of
from netns import lab as _lab

lab = _lab

# Sends datagrams to port 7000: address, options of the socket as `level,option,hex`, sizes.
SENDER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 6000))
    if sys.argv[2]:
        level, option, value = sys.argv[2].split(",")
        sock.setsockopt(int(level), int(option), bytes.fromhex(value))
    for size in map(int, sys.argv[3:]):
        sock.sendto(bytes(range(1, size + 1)), (sys.argv[1], 7000))
"""
ROUTE = "0,4," + "018307040a000002"  # IP_OPTIONS: a loose source route, by way of 10.0.0.2
SEGMENTS = "41,57," + "0004040101000000" + "20010db8000000000000000000000099" + "fd000000000000000000000000000002"  # IPV6_RTHDR
HOME = "41,59," + "000201020000c910" + "20010db8000000000000000000000077"  # IPV6_DSTOPTS
CASES = {
    "ipv4": ("10.0.0.2", ""),
    "ipv6": ("fd00::2", ""),
    "a source route": ("203.0.113.9", ROUTE),
    "a segment routing header": ("fd00::2", SEGMENTS),
    "a home address": ("fd00::2", HOME),
}


def sent(lab, address: str, options: str, *flags: str) -> list[bytes]:
    """What pkt-recv says of some datagrams, from their UDP header on."""
    capture = lab.capture("a", f"pkt-recv -i eth0 -so -F pcap UDP.DST_PORT==7000 {' '.join(flags)}")
    lab.must("a", f"{sys.executable} -c '{SENDER}' {address} '{options}' 9 10 200")
    _, out, _ = finish(capture, signal.SIGINT)
    port = (6000).to_bytes(2, "big") + (7000).to_bytes(2, "big")
    found = [frame[frame.index(port) :] for frame in frames_of(out)]
    assert len(found) == 3
    return found


@pytest.mark.parametrize("name", CASES)
def test_as_the_kernel_computes_them(lab, name):
    lab.need("ethtool")
    lab.ipv6()
    address, options = CASES[name]
    finished, left = sent(lab, address, options), sent(lab, address, options, "--raw-checksums")
    assert finished != left or options in (SEGMENTS, HOME)  # behind extension headers UDP computes its own
    lab.must("a", "ethtool -K eth0 tx off")
    assert sent(lab, address, options, "--raw-checksums") == finished


CONNECTOR = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family) as sock:
    sock.settimeout(0.2)
    if sys.argv[2]:
        level, option, value = sys.argv[2].split(",")
        sock.setsockopt(int(level), int(option), bytes.fromhex(value))
    try:
        sock.connect((sys.argv[1], 7000))
    except OSError:
        pass
"""


@pytest.mark.parametrize("name", [name for name in CASES if name != "a home address"])
def test_segments_of_tcp(lab, name):
    """Linux's TCP knows where a route ends: what it leaves is the sum of the right pseudo-header, and what comes out is right."""
    lab.ipv6()
    address, options = CASES[name]
    finished, left = (
        lab.capture("a", f"pkt-recv -i eth0 -so -F pcap TCP.DST_PORT==7000 {flag}") for flag in ("", "--raw-checksums")
    )
    lab.must("a", f"{sys.executable} -c '{CONNECTOR}' {address} '{options}'")
    finished, left = finish(finished, signal.SIGINT)[1], finish(left, signal.SIGINT)[1]
    count = len(frames_of(finished))
    assert count
    assert frames_of(lab.must("a", "pkt-check -cs -F pcap", finished)) == frames_of(finished)
    said = lab.run("a", "pkt-check -cs -F pcap", left).stderr.decode()
    assert said.endswith(f"not valid: {count} unfinished (left to the network card), 0 wrong\n")
    assert frames_of(lab.run("a", "pkt-correct -F pcap", left).stdout) == frames_of(finished)


@pytest.mark.parametrize("outer", ["udpcsum", "noudpcsum", "gre", "ipip"])
def test_inside_of_tunnels(lab, outer):
    """The kernel leaves the inner sum to the card, and computes the outer one as if that were done; or leaves the outer one."""
    kind = f"vxlan id 42 dstport 4789 {outer}" if "udp" in outer else "gre csum" if outer == "gre" else "ipip"
    for host, near, far in (("a", "10.0.0.1", "10.0.0.2"), ("b", "10.0.0.2", "10.0.0.1")):
        number = near[-1]
        made = lab.run(host, f"ip link add tunnel type {kind} local {near} remote {far} dev eth0 && ip link set tunnel up")
        if made.returncode:
            pytest.skip(f"this kernel or its ip has no {kind}: {made.stderr.decode().strip()}")
        lab.must(host, f"ip addr add 172.16.0.{number}/24 dev tunnel")
    capture = lab.capture("a", "pkt-recv -i eth0 -F pcap")
    lab.run("a", f"{sys.executable} -c '{CONNECTOR}' 172.16.0.2 ''")
    lab.run("a", f"{sys.executable} -c '{SENDER}' 172.16.0.2 '' 100 101")
    out = finish(capture, signal.SIGINT)[1]
    done = lab.run("a", "pkt-check -cs -F pcap TCP UDP.SRC_PORT[-1]==6000", out)
    assert done.stderr == b""
    assert len(frames_of(done.stdout)) >= 3
