"""The kernel's own devices beside pkt-wrap and pkt-unwrap: what these make is what the kernel sends, octet for octet.

What the kernel chooses freely is taken from what it sent: addresses of stations, identifications, flow labels, source ports.
"""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import NamedTuple

import pytest
from netns import IP, IP6, MAC, WATCH, Lab, finish, frames_of
from netns import lab as _lab
from samples import ARP, ethernet, ipv4, ipv6, tcp, udp
from test_wrap import made, right

lab = _lab


class Device(NamedTuple):
    """A device of the kernel, and what does the same.

    words: of `ip`, with the addresses of both ends. wrap: of pkt-wrap, from the inside out. shown: a filter for what it sends.
    carries: "frames", or the versions of IP. more: what pkt-wrap is told to do as the kernel does.
    """

    words: str
    wrap: list[str]
    shown: str
    carries: str = "frames"
    more: str = ""
    v6: bool = False


ENDS, ENDS6 = "local {own} remote {peer}", "local {own6} remote {peer6}"
DF = "IP.DF=1"  # unless the kernel is told that it may not find out the MTU of the path, which goes with no TTL of its own
DEVICES = {
    "VLAN": Device("ip link add link eth0 name d0 type vlan id 5", ["VLAN VLAN.ID=5"], "VLAN"),
    "priorities": Device("ip link add link eth0 name d0 type vlan id 0 egress-qos-map 0:3", ["VLAN VLAN.ID=0 VLAN.PRIORITY=3"],
                         "VLAN"),
    "QinQ": Device("ip link add link eth0 name s0 type vlan proto 802.1ad id 7 && ip link set s0 up"
                   " && ip link add link s0 name d0 type vlan id 5", ["VLAN VLAN.ID=5", "qinq VLAN.ID=7"], "VLAN"),
    "VXLAN": Device(f"ip link add d0 type vxlan id 7 {ENDS} dstport 4789", ["vxlan VXLAN.VNI=7"], "VXLAN"),
    "VXLAN over IPv6": Device(f"ip link add d0 type vxlan id 7 {ENDS6} dstport 4789", ["vxlan VXLAN.VNI=7"], "VXLAN", v6=True),
    "Geneve": Device("ip link add d0 type geneve id 7 remote {peer} ttl 64 udpcsum", ["geneve GENEVE.VNI=7"], "GENEVE"),
    "GRETAP": Device(f"ip link add d0 type gretap {ENDS} ttl 64 key 9", ["gretap GRE.KEY=9"], "GRE", more=DF),
    "GRE": Device(f"ip link add d0 type gre {ENDS} ttl 64", ["gre"], "GRE", "46", DF),
    "IPIP": Device(f"ip link add d0 type ipip {ENDS} ttl 64", ["ipip"], "IP.PROTOCOL==ipip", "4", DF),
    "6in4": Device(f"ip link add d0 type sit {ENDS} ttl 64", ["ipip"], "IP.PROTOCOL==ipv6", "6", DF),
    "4in6": Device(f"ip link add d0 type ip6tnl mode any {ENDS6} encaplimit none", ["ipip"], "IPV6", "46", v6=True),
}  # fmt: skip


def opened(lab: Lab, device: Device) -> None:
    """Makes the device d0 at both hosts; skips the test where the kernel has none of its kind."""
    if device.v6:
        lab.ipv6()
    for own, peer in ("ab", "ba"):
        ends = {"own": IP[own], "peer": IP[peer], "own6": IP6[own], "peer6": IP6[peer]}
        done = lab.run(own, f"{device.words.format(**ends)} && ip link set d0 up")
        if done.returncode:
            pytest.skip(f"the kernel has no such device: {done.stderr.decode().strip()}")


def marked(frame: bytes, ecn: int) -> bytes:
    """The same, with another value of congestion."""
    at = frame[12:14] == b"\x86\xdd"
    value = bytes([frame[15] | ecn << 4, frame[14]][::-1]) if at else bytes([frame[14], frame[15] | ecn])
    return right(frame[:14] + value + frame[16:])


def inside(device: Device) -> list[bytes]:
    """Frames that need no padding, with each value of congestion; or packets of the versions of IP that it carries."""
    frames = [marked(ethernet(0x0800, ipv4(6, tcp(b"some data"))), ecn) for ecn in range(4)]
    frames += [marked(ethernet(0x86DD, ipv6(17, udp(b"some data"))), ecn) for ecn in range(4)]
    if device.carries == "frames":
        return frames if device.shown == "VLAN" else [*frames, ethernet(0x0806, ARP)]
    return [frame[14:] for frame in frames if str(frame[14] >> 4) in device.carries]


def around(outer: bytes, device: Device) -> str:
    """What the kernel chose, of what is around, as assignments."""
    chosen = [f"IP.ID={outer[18] << 8 | outer[19]}"] if outer[12:14] == b"\x08\0" else []
    chosen += [f"IPV6.FLOWID={int.from_bytes(outer[15:18]) & 0xFFFFF}"] if outer[12:14] == b"\x86\xdd" else []
    if device.shown in ("VXLAN", "GENEVE"):
        at = 54 if device.v6 else 34
        chosen.append(f"UDP.SRC_PORT={outer[at] << 8 | outer[at + 1]}")
    if device.carries == "frames":
        chosen += [f"ETHERNET.{end}_ADDR={outer[at : at + 6].hex(':')}" for end, at in (("DST", 0), ("SRC", 6))]
    return " ".join(chosen)


def wrapped(device: Device, inner: bytes, more: str) -> bytes:
    """What pkt-wrap makes."""
    ends = f"--src {IP6['a']} --dst {IP6['b']}" if device.v6 else f"--src {IP['a']} --dst {IP['b']}"
    for words in device.wrap[:-1]:
        inner, said = made(f"pkt-wrap {words}", inner)
        assert said == ""
    frames = device.carries == "frames"
    tag = device.shown == "VLAN"
    command = (
        f"pkt-wrap {device.wrap[-1]} " + (more if not tag else "") + (f" --ecn kernel {ends} {device.more}" if not tag else "")
    )
    outer, said = made(command, inner, linktype=1 if frames else 101)
    assert said == ""
    return outer


def unwrapped(device: Device, outer: bytes) -> bytes:
    """What pkt-unwrap gives back."""
    frames = device.carries == "frames"
    for words in reversed(device.wrap):
        outer, said = made(f"pkt-unwrap {words.split()[0]}", outer, linktype=1 if frames else 101)
        assert "passed" not in said
    return outer


@pytest.mark.parametrize("name", DEVICES)
def test_as_the_kernel_does(lab, name):
    """What a device sends is what pkt-wrap makes, and pkt-unwrap undoes.

    It takes what pkt-wrap makes, whatever congestion is told outside, and hands out what pkt-unwrap does, or drops it, too.
    """
    device = DEVICES[name]
    opened(lab, device)
    given = inside(device)
    judge = lab.capture("b", f"pkt-recv -i eth0 -l {len(given)} -F pcap '{device.shown}'")
    lab.inject("a", given, "d0")
    code, out, said = finish(judge, timeout=20)
    assert code == 0, said
    macs = bytes.fromhex((MAC["b"] + MAC["a"]).replace(":", ""))
    head = b"" if device.carries == "frames" else macs + (b"\x86\xdd" if device.v6 else b"\x08\0")
    for inner, outer in zip(given, frames_of(out), strict=True):
        assert wrapped(device, inner, around(outer, device))[: len(outer) - len(head)] == outer[len(head) :]
        assert unwrapped(device, outer[len(head) :])[: len(inner)] == inner
    tag = device.shown == "VLAN"
    ecn = "IPV6.TRAFFIC_CLASS" if device.v6 else "IP.ECN"
    outside = [[wrapped(device, inner, "" if tag else f"{ecn}={value}") for value in range(1 if tag else 4)] for inner in given]
    sent = [head + outer if head or tag else macs + outer[12:] for each in outside for outer in each]
    wanted = [inner for outer in sent if (inner := unwrapped(device, outer[len(head) :]))]
    assert tag or len(wanted) < len(sent)  # where congestion could not be told inside
    judge = lab.capture("b", f"exec {sys.executable} -c '{WATCH}' d0 {len(wanted)}")
    lab.inject("a", sent)
    assert frames_of(finish(judge, timeout=20)[1]) == wanted


TAGS = ["VLAN VLAN.ID=0 VLAN.PRIORITY=7", "qinq VLAN.ID=0", "VLAN VLAN.ID=5"]


def test_priority_tags(lab):
    """IEEE 802.1Q clause 9.6: of a network of number 0 says nothing but a priority; the kernel answers as if it was not there."""
    macs = bytes.fromhex((MAC["b"] + MAC["a"]).replace(":", "")) + b"\x08\0"
    ends = ip_address(IP["a"]).packed + ip_address(IP["b"]).packed
    tagged = [[], *([one] for one in TAGS), TAGS[:2], [TAGS[0]] * 3]
    sent = []
    for i, tags in enumerate(tagged):
        frame = macs + ipv4(1, bytes([8, 0, 0, 0, 0, i, 0, 0]) + bytes(32))
        frame = right(frame[:26] + ends + frame[34:])
        for tag in tags:
            frame, _ = made(f"pkt-wrap {tag}", frame)
        sent.append(frame)
    answered = [i for i, tags in enumerate(tagged) if TAGS[2] not in tags]
    judge = lab.capture("a", f"exec {sys.executable} -c '{WATCH}' eth0 {len(answered)}")
    lab.inject("a", sent)
    answers = frames_of(finish(judge, timeout=20)[1])
    assert [frame[39] for frame in answers] == answered
    assert made("pkt-filter IP ICMP.TYPE==8 --and", *sent)[0] == b"".join(sent)  # of whichever network
    assert made("pkt-filter --and IP ETHERNET.VLAN_ID==0", *sent)[0] == b"".join(sent[i] for i in answered if i)


def test_ip_in_ipv6(lab):
    """Segment routing to one segment, reduced, is IP in IPv6 without more: RFC 8986 section 5.2."""
    lab.ipv6()
    routed = "encap seg6 mode encap.red segs {} dev eth0".format(IP6["b"])
    lab.must("a", f"ip sr tunsrc set {IP6['a']}")
    done = lab.run("a", f"ip route add 10.7.0.0/16 {routed} && ip route add fd07::/16 {routed}")
    if done.returncode:
        pytest.skip(f"the kernel has no segment routing: {done.stderr.decode().strip()}")
    judge = lab.capture("b", "pkt-recv -i eth0 -l 2 -F pcap IPV6.NEXT_HEADER==ipip IPV6.NEXT_HEADER==ipv6")
    lab.must("a", "for to in 10.7.0.1 fd07::1; do echo some data > /dev/udp/$to/9; done")
    device, sent = DEVICES["4in6"], frames_of(finish(judge, timeout=20)[1])
    assert [outer[20] for outer in sent] == [4, 41]
    for outer in sent:
        inner = unwrapped(device, outer[14:])
        assert inner == outer[54:]
        assert wrapped(device, inner, around(outer, device)) == outer[14:]
