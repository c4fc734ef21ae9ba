"""What packets carry that is not followed is said once at the end, where a command acts; but not of what carries nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import shell
from samples import ARP, batch, ethernet, extension, frames, gre, icmp, ipv4, ipv6, over_udp, pktap, sctp, tags, tcp, udp

from pkttools.protocols.names import beyond_name

INNER = ipv4(17, udp())
SNAP, WLAN = b"\xaa\xaa\3", b"\x08\0" + bytes(22)
RADIOTAP, PPTP = b"\0\0\x08\0" + bytes(4), b"\x30\x01\x88\x0b\0\x30\0\1" + bytes(4)


def deep(count: int) -> bytes:
    """So many headers of IP, one in the other."""
    return ipv4(4, deep(count - 1)) if count > 1 else ipv4(17, b"")


def sll(protocol: int, data: bytes) -> tuple[int, bytes]:
    return 113, bytes(14) + struct.pack("!H", protocol) + data


def sll2(protocol: int, data: bytes) -> tuple[int, bytes]:
    return 276, struct.pack("!H", protocol) + bytes(18) + data


def nflog(data: bytes) -> tuple[int, bytes]:
    return 239, b"\2\0\0\0" + struct.pack("<HH", 4 + len(data), 9) + data


# A hello that says that signals follow, with a digest of nine bytes, and these.
OSPF_9 = (
    struct.pack("!BBH8xHHHBBI", 2, 1, 44, 0, 2, 0, 1, 9, 7) + struct.pack("!IHBBI8x", 0xFFFFFF00, 10, 0x12, 1, 40) + bytes(9 + 12)
)

NOT_FOLLOWED = {
    "FabricPath": [(1, ethernet(0x8903, INNER))], "VN-Tag": [(1, ethernet(0x8100, tags([0x8100], 0x8926, bytes(4) + INNER)))],
    "TRILL": [(1, ethernet(0x8864, b"\x11\0\0\1\0\x2a\0\x21" + ipv4(47, gre(0x22F3, INNER[:18]))))],
    "EtherType 0x1234": [
        (1, ethernet(0x8847, b"\0\1\1\x40" + ipv4(47, gre(0x1234, INNER)))),
        (1, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x1234, INNER))),
        sll(0x1234, INNER), sll2(0x1234, INNER), (104, b"\x0f\0\x12\x34" + INNER), (105, WLAN + SNAP + b"\0\0\0\x12\x34" + INNER),
        (127, RADIOTAP + WLAN + SNAP + b"\0\0\0\x12\x34" + INNER), (1, ethernet(60, SNAP + b"\0\0\xf8\x12\x34" + INNER)),
        (1, ethernet(0x88E5, bytes(6) + b"\x12\x34" + INNER + bytes(16))), (101, ipv4(47, gre(0x1234, INNER, 0xB000))),
        (101, ipv6(17, over_udp(6081, b"\0\0\x12\x34" + bytes(4) + INNER))), (258, pktap(1, ethernet(0x1234, INNER))),
    ],
    "IP protocol 253": [
        (101, ipv4(253, INNER)), (1, ethernet(0x86DD, ipv6(0, extension(253, bytes(6)) + INNER))),
        (0, b"\2\0\0\0" + ipv4(253, INNER)),
        (108, b"\0\0\0\2" + ipv4(253, INNER)), (9, b"\xff\3\0\x21" + ipv4(253, INNER)), nflog(ipv4(253, INNER)),
        (101, ipv4(51, bytes([253, 4]) + bytes(22) + INNER)), (12, ipv6(41, ipv6(253, INNER))),
    ],
    "bridged 0x0003": [(1, ethernet(60, SNAP + b"\0\x80\xc2\0\3" + INNER)), (100, SNAP + b"\0\x80\xc2\0\3" + INNER)],
    "SNAP of 0x00000B": [(1, ethernet(60, SNAP + b"\0\0\x0b\0\1" + INNER))], "LLC 0x0202": [(105, WLAN + b"\2\2\3" + bytes(9))],
    "IPX": [(1, ethernet(60, b"\xe0\xe0\3\xff\xff" + bytes(40))), (1, ethernet(60, b"\xff\xff" + bytes(40))),
            sll(4, b"\xff\xff" + bytes(40)), sll2(1, b"\xff\xff" + bytes(40)), (9, b"\xff\3\0\x2b" + bytes(30))],
    "Prism": [(113, struct.pack("!HHHQH", 0, 802, 0, 0, 4) + INNER), (276, struct.pack("!HHIHBBQ", 4, 0, 1, 802, 0, 0, 0) + INNER)],
    "L2TPv3": [(101, ipv4(115, b"\0\0\0\7" + INNER)), (101, ipv6(17, over_udp(1701, b"\0\3\0\0\0\0\0\7" + INNER)))],
    "OSPF LLS behind an unknown digest": [(101, ipv4(89, OSPF_9))],
    "GTP extension header 9": [
        (101, ipv4(17, over_udp(2152, b"\x34\xff\0\x0c\0\0\0\1\0\0\0\x09" + bytes(8)))),
        (101, ipv4(17, over_udp(2152, b"\x34\x1a\0\x0c\0\0\0\1\0\0\0\x09" + bytes(8))))],
    "Linux protocol 0x0019": [sll(0x19, INNER)], "CAN": [sll2(0x0C, bytes(16))],
    "minimal encapsulation": [(101, ipv4(51, bytes([55, 4]) + bytes(22) + INNER))],
    "GRE version 1": [(101, ipv4(47, gre(0x880C, b"ppp" * 9, 1)))],
    "GRE with a route": [(101, ipv6(47, gre(0x0800, INNER, 0x4000)))],
    "LISP": [(101, ipv4(17, over_udp(4341, bytes(8) + INNER)))], "CAPWAP": [(101, ipv6(17, over_udp(5247, bytes(8) + INNER)))],
    "GUE": [(101, ipv4(4, ipv4(17, over_udp(6080, b"\0\4\0\0" + INNER))))],
    "TZSP": [(101, ipv4(17, over_udp(37008, b"\1\0\0\1\1" + ethernet(0x0800, INNER))))],
    "PPP protocol 0x4001": [(9, b"\xff\3\x40\1" + INNER), (50, b"\x40\1" + INNER)],
    "compressed PPP": [(50, b"\xff\3\xfd" + INNER)],
    "compressed TCP": [(1, ethernet(0x8864, b"\x11\0\0\1\0\x0c\0\x2d" + bytes(10)))],
    "multilink PPP": [(204, b"\1\xff\3\0\x3d" + INNER)], "encrypted PPP": [(101, ipv4(47, PPTP + b"\xff\3\0\x53" + INNER))],
    "NSH next protocol 9": [(1, ethernet(0x894F, b"\0\x42\2\x09\0\0\1\1" + INNER))],
    "NSH next protocol 0": [(101, ipv4(17, over_udp(4790, b"\x0c\0\0\0\0\0\x2a\0" + INNER)))],
    "ESP": [(101, ipv4(50, bytes(40))), (1, ethernet(0x86DD, ipv6(17, over_udp(4500, b"\0\0\1\1" + bytes(40)))))],
    "IPComp": [(101, ipv6(108, b"\6\0\0\2" + bytes(20)))], "WESP": [(101, ipv4(141, bytes(40)))],
    "MACsec": [(1, ethernet(0x88E5, b"\x2c" + bytes(73))), sll(0x88E5, b"\x0c" + bytes(60))],
    "encrypted 802.11": [(105, b"\x08\x40" + bytes(62))], "WireGuard": [(101, ipv4(17, over_udp(51820, b"\4\0\0\0" + bytes(60))))],
    "Cisco (CDP, VTP, UDLD)": [(1, ethernet(40, SNAP + b"\0\0\x0c\x20\0" + bytes(32)))],  # CDP has a checksum
    "CDP": [(104, b"\x8f\0\x20\0" + bytes(20))],
    "address family 22": [(0, b"\x16\0\0\0" + INNER), (0, b"\0\0\0\x16" + INNER)],
    "address family 99": [(108, b"\0\0\0\x63" + INNER)],
    "IP version 5": [(101, b"\x50" + INNER[1:]), nflog(b"\x50" + INNER[1:])],
    "IP version 7": [(101, ipv4(17, over_udp(2152, b"\x30\xff\0\4\0\0\0\1\x70\0\0\0")))],
    "MPLS with data of 0x9": [(1, ethernet(0x8847, b"\0\1\1\x40\x90" + bytes(40)))],
    "more than 32 headers": [(1, ethernet(0x8100, tags([0x8100] * 31, 0x0800, INNER))), (101, deep(33)), (12, deep(60)),
                             sll(0x0800, deep(32))],
    "Frame Relay with an address of one byte or of three": [(107, b"\x18\x40\x41\3\xcc" + INNER), (107, b"\x19\3\xcc" + INNER)],
    "NLPID 0xEE": [(107, b"\x18\x41\3\xee" + INNER)], "ARCNET protocol 0xEE": [(7, b"\1\2\xee" + INNER)],
    "BACnet": [(7, b"\1\2\xcd\2\0\0")],
    "later part of ARCNET": [(7, b"\1\2\xd4\2\0\1" + INNER), (7, b"\1\2\xd4\xff\xff\xff\xd4\2\0\1" + INNER),
                             (129, b"\1\2\0\0\xd4\4\0\1" + INNER)],
    "link type 147": [(147, b"user0")],
    "USB Linux (link type 189)": [(189, b"usb" * 20)], "link type 186": [(186, b"usb")], "CAN (link type 227)": [(227, bytes(16))],
}  # fmt: skip

FOLLOWED = [
    *((linktype, frame) for linktype, frame in frames() if linktype != 147 and b"ppp" not in frame and frame.count(b"\x81\0") < 32),
    (1, ethernet(38, b"\x42\x42\3" + bytes(35))),  # spanning tree
    (1, ethernet(0x8809, bytes(46))), (1, ethernet(0x888E, bytes(46))), (1, ethernet(0x0806, ARP[:20])),
    (1, ethernet(0x8863, bytes(46))), (1, ethernet(46, bytes(46))), (1, ethernet(0x88E5, bytes(22))),
    *((101, ipv4(protocol, bytes(range(40)))) for protocol in (88, 89, 112, 103, 46)), (101, ipv6(59, b"what")),
    (101, ipv4(17, over_udp(53, bytes(40), 6081))), (101, ipv4(17, over_udp(2152, b"\x32\1" + bytes(40)))),
    (101, ipv4(17, over_udp(8472, b"reply" * 9, 53))), (101, ipv4(17, over_udp(1701, b"\xc8\2" + bytes(40), 1701))),
    (101, ipv4(6, tcp(b"x" * 40))), (101, ipv4(132, sctp())), (101, ipv4(1, icmp(3, INNER))), (101, ipv4(50, bytes(8))),
    *((101, ipv4(1, icmp(11, quoted))) for quoted in (ipv4(253, INNER), ipv4(50, bytes(40)), bytes(40), deep(40))),
    (1, ethernet(0, b"")), (101, b""), (101, deep(32)), (9, b"\xff\3\xc0\x21" + bytes(20)), (105, b"\xb4\0" + bytes(14)),
    (101, ipv4(17, over_udp(2152, b"\x34\x1a\0\x0c\0\0\0\1\0\0\0\x40\1\x08\x68\0\x10\0\0\0"))),
    (101, ipv4(115, bytes(12))), (101, ipv4(17, over_udp(1701, b"\xc8\3\0\x0c" + bytes(8)))),
    (1, ethernet(0x8847, b"\0\1\1\x40\x10" + bytes(40))), (101, ipv4(17, over_udp(51820, b"\1\0\0\0" + bytes(60)))),
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_what_is_not_followed(codec, name):
    """The same wherever it is asked, and in whatever it is; once a packet."""
    for packet in NOT_FOLLOWED[name]:
        b = batch([packet] * 3)
        rows = bytes(b.rows)
        found = [{}, {}, {}]
        codec.beyond(b.data, rows, found[0])
        codec.check(b.data, rows, found[1])
        codec.correct(b.data, rows, 0, found[2])
        assert [{beyond_name(code): count for code, count in counts.items()} for counts in found] == [{name: 3}] * 3, packet


@pytest.mark.parametrize("number", range(len(FOLLOWED)))
def test_what_carries_nothing_is_no_such_thing(codec, number):
    b = batch([FOLLOWED[number]])
    counts: dict[int, int] = {}
    codec.beyond(b.data, bytes(b.rows), counts)
    assert {beyond_name(code): count for code, count in counts.items()} == {}


# Every command that acts, and what acts of those that may. One in a pipe says the same.
COMMANDS = ("pkt-change IP.TTL=9", "pkt-change -u --swap", "pkt-txt2txt IP.TTL=9", "pkt-filter not ARP IP.TTL=9", "pkt-correct",
            "pkt-check", "pkt-fragment", "pkt-defragment", "pkt-pingrep", "pkt-gen raw IP.TTL=1..9", "pkt-gen raw")  # fmt: skip
ONES = {name: packets[0] for name, packets in NOT_FOLLOWED.items()}
PACKETS = [*[ONES["LISP"]] * 3, (101, INNER), *(ONES[name] for name in ("link type 147", "VN-Tag", "GUE", "LISP"))]
SAID = "7 packets with headers that are not followed: 4 LISP, 1 GUE, 1 VN-Tag, 1 link type 147"


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
    """Once, the most frequent first."""
    said = shell(f"{command} --in {capture} --out /dev/null", backend=backend).stderr.decode()
    assert said.count("not followed") == 1
    assert f"{command.split()[0]}: {SAID}\n" in said


def test_each_of_a_pipe_says_so_and_those_that_only_look_do_not(backend, capture):
    stages = ["change IP.TTL=9", "correct", "check -rc", "fragment", "defragment"]
    said = shell(f"pkt-pipe '{' | '.join(stages)}' --in {capture} --out /dev/null", backend=backend).stderr.decode()
    assert [line for line in said.splitlines() if "not followed" in line][:3] == [
        f"pkt-pipe: {stage.split()[0]}: {SAID}" for stage in stages[:3]
    ]


# Who asks for headers where none are found is told, and who asks for something else is not.
@pytest.mark.parametrize(("command", "said"), [
    ("pkt-filter not IP.TTL==99", True), ("pkt-filter -r UDP", True), ("pkt-filter SIZE>9 or IP", True), ("pkt-filter -nb", True),
    ("pkt-change --if IP UDP.DATA=1", True), ("pkt-cut --if IP --snap 40", True), ("pkt-txt2txt --fail-if VXLAN", True),
    ("pkt-filter SIZE>9 --numbers 1-99", False), ("pkt-filter -l 3 not ARP", False), ("pkt-filter -l 99 not ARP", True),
    ("pkt-filter --numbers 1-4 not ARP", False), ("pkt-filter --numbers 1-5 not ARP", True),
    ("pkt-filter UNKNOWN.DATA==1", False), ("pkt-analyze", False),
])  # fmt: skip
def test_filters_that_find_nothing(backend, capture, command, said):
    done = shell(f"{command.replace('>', chr(92) + '>')} --in {capture} --out /dev/null", backend=backend)
    line = f"{command.split()[0]}: 1 packet with link types in which filters find no header: 1 link type 147"
    assert done.stderr.decode().splitlines().count(line) == said, done.stderr


def test_only_of_packets_that_are_changed(backend, capture):
    """Where --if does not hold, nothing was to be done; nor where nothing is set, nor computed."""
    done = shell(f"pkt-change --if UDP IP.TTL=9 --in {capture} --out /dev/null", backend=backend)
    assert b"5 packets with headers that are not followed" in done.stderr
    assert shell(f"pkt-gen raw --raw-checksums --in {capture} --out /dev/null", backend=backend).stderr == b""


def test_expectations_that_find_nothing(capture):
    """That none came is no news where none could be found."""
    for expected, said in ("none: IP.TTL==99", 1), ("none: SIZE>9000", 0):
        done = shell(f"pkt-expect '{expected}' --in {capture}")
        assert (done.returncode, done.stderr.count(b"1 packet with link types in which filters find no header")) == (0, said)


@pytest.mark.parametrize("name", ["encapsulations.pcap", "linktypes.pcapng"])
def test_encapsulations_in_common_use_are_followed(backend, shared, name):
    done = shell(f"pkt-correct --in {shared / 'cases' / name} --out /dev/null", backend=backend)
    assert b"not followed" not in done.stderr
