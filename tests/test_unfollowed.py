"""What packets carry that is not followed is said once at the end, where a command acts; but not of what carries nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import shell
from samples import ARP, batch, ethernet, frames, gre, icmp, ipv4, ipv6, over_udp, sctp, tags, tcp, udp

from pkttools.protocols.names import beyond_name

INNER = ipv4(17, udp())


NOT_FOLLOWED = {
    "FabricPath": (1, ethernet(0x8903, INNER)), "VN-Tag": (1, ethernet(0x8100, tags([0x8100], 0x8926, bytes(4) + INNER))),
    "TRILL": (1, ethernet(0x8864, b"\x11\0\0\1\0\x2a\0\x21" + ipv4(47, gre(0x22F3, INNER[:18])))),
    "EtherType 0x1234": (1, ethernet(0x8847, b"\0\1\1\x40" + ipv4(47, gre(0x1234, INNER)))),
    "LLC/SNAP": (1, ethernet(60, b"\xaa\xaa\3\0\x80\xc2\0\7" + INNER)),
    "IP protocol 253": (101, ipv4(253, INNER)), "minimal encapsulation": (101, ipv4(51, bytes([55, 4]) + bytes(22) + INNER)),
    "GRE version 1": (101, ipv4(47, gre(0x880C, b"ppp" * 9, 1))), "GRE with a route": (101, ipv6(47, gre(0x0800, INNER, 0x4000))),
    "LISP": (101, ipv4(17, over_udp(4341, bytes(8) + INNER))), "CAPWAP": (101, ipv6(17, over_udp(5247, bytes(8) + INNER))),
    "GUE": (101, ipv4(4, ipv4(17, over_udp(6080, b"\0\4\0\0" + INNER)))),
    "TZSP": (101, ipv4(17, over_udp(37008, b"\1\0\0\1\1" + ethernet(0x0800, INNER)))),
    "Frame Relay (link type 107)": (107, b"\x18\x41\3\xcc" + INNER), "link type 147": (147, b"user0"),
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
PACKETS = [*[NOT_FOLLOWED["LISP"]] * 3, (101, INNER), *(NOT_FOLLOWED[name] for name in ("link type 147", "VN-Tag", "GUE", "LISP"))]
SAID = "7 packets with headers that are not followed: 4 LISP"


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some packets, of which one is followed."""
    lines = []
    for linktype, frame in PACKETS:
        lines += [f"LINKTYPE: {linktype}", "-- 1 --", f"000000: {frame.hex(' ')}", "=="]
    path = tmp_path_factory.mktemp("packets") / "some.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_act_say_so(backend, capture, command):
    """Once, the most frequent first, also in pkt-pipe; those that only look say nothing."""
    said = shell(f"{command} --in {capture} --out /dev/null", backend=backend).stderr.decode()
    assert said.count("not followed") == 1
    assert f"{command.split()[0]}: {SAID}" in said
    inner = command.removeprefix("pkt-")
    said = shell(f"pkt-pipe '{inner}' --in {capture} --out /dev/null", backend=backend).stderr.decode()
    assert f"{inner.split()[0]}: {SAID}" in said
    assert shell(f"pkt-filter not IP.TTL==99 --in {capture} --out /dev/null", backend=backend).stderr == b""


def test_only_of_packets_that_are_changed(backend, capture):
    """Where --if does not hold, nothing was to be done."""
    done = shell(f"pkt-change --if UDP IP.TTL=9 --in {capture} --out /dev/null", backend=backend)
    assert b"5 packets with headers that are not followed" in done.stderr


@pytest.mark.parametrize("name", ["encapsulations.pcap", "linktypes.pcapng"])
def test_encapsulations_in_common_use_are_followed(backend, shared, name):
    done = shell(f"pkt-correct --in {shared / 'cases' / name} --out /dev/null", backend=backend)
    assert done.stderr == b""
