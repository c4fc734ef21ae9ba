"""What packets carry that is not followed is said once at the end, where a command acts; but not of what carries nothing."""

from __future__ import annotations

import struct

import pytest
from conftest import shell
from samples import ARP, batch, ethernet, frames, gre, icmp, ipv4, ipv6, sctp, tags, tcp, udp, vxlan

from pkttools.protocols.names import beyond_name

INNER = ipv4(17, udp())


def over_udp(port: int, payload: bytes, source: int = 50000) -> bytes:
    return struct.pack("!HHHH", source, port, 8 + len(payload), 0) + payload


NOT_FOLLOWED = {
    "MPLS": (1, ethernet(0x8847, b"\0\1\1\x40" + INNER)), "PPPoE": (1, ethernet(0x8864, b"\x11\0\0\1\0\x23\0\x21" + INNER)),
    "MACsec": (1, ethernet(0x8100, tags([0x8100], 0x88E5, bytes(30)))), "NSH": (1, ethernet(0x894F, bytes(8) + INNER)),
    "EtherType 0x1234": (1, ethernet(0x1234, INNER)), "LLC/SNAP": (1, ethernet(60, b"\xaa\xaa\3\0\0\0\x08\0" + INNER)),
    "LLC (IP)": (1, ethernet(60, b"\6\6\3" + INNER)), "AH": (1, ethernet(0x0800, ipv4(51, bytes([17, 4]) + bytes(22) + udp()))),
    "EtherIP": (101, ipv6(97, b"\x30\0" + ethernet(0x0800, INNER))),
    "ERSPAN": (101, ipv4(47, gre(0x88BE, bytes(8) + ethernet(0x0800, INNER), 0x1000))), "IP protocol 253": (101, ipv4(253, INNER)),
    "GRE version 1": (101, ipv4(47, gre(0x880B, b"ppp" * 9, 1))), "PPP": (101, ipv6(47, gre(0x880B, b"\xff\3\0\x21" + INNER))),
    "GTP-U": (101, ipv4(17, over_udp(2152, b"\x30\xff\0\x20" + bytes(4) + INNER))),
    "Geneve": (101, ipv6(17, over_udp(6081, b"\0\0\x65\x58\0\0\5\0" + ethernet(0x0800, INNER)))),
    "L2TP": (101, ipv4(17, over_udp(50000, b"\0\2\0\1\0\1\xff\3\0\x21" + INNER, 1701))),
    "VXLAN (port 8472)": (101, ipv4(17, over_udp(8472, vxlan(ethernet(0x0800, INNER))[8:]))),
    "Teredo": (101, ipv4(4, ipv4(17, over_udp(3544, ipv6(17, udp()))))),
    "PPP (link type 9)": (9, b"\xff\3\0\x21" + INNER), "link type 147": (147, b"user0"),
}  # fmt: skip

FOLLOWED = [
    *((linktype, frame) for linktype, frame in frames() if linktype != 147 and b"ppp" not in frame),
    (1, ethernet(38, b"\x42\x42\3" + bytes(35))),  # spanning tree
    (1, ethernet(40, b"\xaa\xaa\3\0\0\x0c\x20\0" + bytes(32))),  # CDP
    (1, ethernet(0x8809, bytes(46))), (1, ethernet(0x888E, bytes(46))), (1, ethernet(0x0806, ARP[:20])),
    (1, ethernet(0x8863, bytes(46))),
    *((101, ipv4(protocol, bytes(range(40)))) for protocol in (50, 88, 89, 112, 103, 46)), (101, ipv6(59, b"what")),
    (101, ipv4(17, over_udp(53, bytes(40), 6081))), (101, ipv4(17, over_udp(2152, b"\x32\1" + bytes(40)))),
    (101, ipv4(17, over_udp(8472, b"reply" * 9, 53))), (101, ipv4(17, over_udp(1701, b"\xc8\2" + bytes(40), 1701))),
    (101, ipv4(6, tcp(b"x" * 40))), (101, ipv4(132, sctp())), (101, ipv4(1, icmp(3, INNER))), (189, b"usb" * 20),
    (1, ethernet(0, b"")),
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_what_is_not_followed(codec, name):
    """The same wherever it is asked; once a packet."""
    b = batch([NOT_FOLLOWED[name]] * 3)
    rows = bytes(b.rows)
    found = [{}, {}, {}]
    codec.beyond(b.data, rows, found[0])
    codec.check(b.data, rows, found[1])
    codec.correct(b.data, rows, 0, found[2])
    assert [{beyond_name(code): count for code, count in counts.items()} for counts in found] == [{name: 3}] * 3


@pytest.mark.parametrize("number", range(len(FOLLOWED)))
def test_what_carries_nothing_is_no_such_thing(codec, number):
    b = batch([FOLLOWED[number]])
    counts: dict[int, int] = {}
    codec.beyond(b.data, bytes(b.rows), counts)
    assert {beyond_name(code): count for code, count in counts.items()} == {}


COMMANDS = ("pkt-change IP.TTL=9", "pkt-txt2txt IP.TTL=9", "pkt-correct", "pkt-check", "pkt-fragment", "pkt-defragment")


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_act_say_so(backend, shared, command):
    """Once, the most frequent first, also in pkt-pipe; those that only look say nothing."""
    for name, count in (("encapsulations.pcap", 16), ("linktypes.pcapng", 8)):
        path = shared / "cases" / name
        said = shell(f"{command} --in {path} --out /dev/null", backend=backend).stderr.decode()
        assert said.count("not followed") == 1
        assert f"{command.split()[0]}: {count} packets with headers that are not followed: 3 PPP" in said
        inner = command.removeprefix("pkt-")
        said = shell(f"pkt-pipe '{inner}' --in {path} --out /dev/null", backend=backend).stderr.decode()
        assert f"{inner.split()[0]}: {count} packets with headers that are not followed: 3 PPP" in said
    assert shell(f"pkt-filter not IP.TTL==99 --in {path} --out /dev/null", backend=backend).stderr == b""


def test_only_of_packets_that_are_changed(backend, shared):
    """Where --if does not hold, nothing was to be done."""
    path = shared / "cases" / "encapsulations.pcap"
    done = shell(f"pkt-change --if UDP ETHERNET.SRC_ADDR=2:0:0:0:0:1 --in {path} --out /dev/null", backend=backend)
    assert b"5 packets with headers that are not followed" in done.stderr
