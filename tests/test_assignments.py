"""What is said of assignments at the end: that one met no packet with its field, and that one was made where none was meant."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from conftest import ROOT, shell
from samples import batch, ethernet, ipv4, over_udp, udp

from pkttools.language import assigning, expression

PING, TAGGED, TUNNEL = (ROOT / "examples" / name for name in ("ping.txt", "vlan-tcp.txt", "tunnel.txt"))
PICKING = ["pkt-filter ICMP", "pkt-analyze", "pkt-check", "pkt-check -rc", "pkt-defragment"]
each_command = pytest.mark.parametrize("command", ["pkt-txt2txt", "pkt-change", "pkt-correct", "pkt-fragment", "pkt-txt2pcap"])


def said(command: str, data: bytes | None = None, backend: str = "") -> list[str]:
    """What a command says of the example, or of this input."""
    done = shell(command, PING.read_bytes() if data is None else data, backend=backend)
    assert done.returncode == 0
    return done.stderr.decode().splitlines()


def many(count: int) -> bytes:
    """A longer stream: several batches."""
    return PING.read_bytes() * (count // 2)


# ---- no packet with its field ----


def test_an_assignment_without_a_packet_that_has_its_field(backend: str) -> None:
    words = "IP.TTL=9 TCP.DST_PORT=5 ipv6.hop_limit-=1 UDP.DATA=6162 IP.TTL[2]=3"
    assert said(f"pkt-change {words}", backend=backend) == [
        "pkt-change: TCP.DST_PORT=5 met no packet with that field, of 2",
        "pkt-change: ipv6.hop_limit-=1 met no packet with that field, of 2",
        "pkt-change: UDP.DATA=6162 met no packet with that field, of 2",
        "pkt-change: IP.TTL[2]=3 met no packet with that field, of 2",
    ]
    assert said(f"pkt-change IP.TTL[2]=3 < {TUNNEL}", backend=backend) == []


@each_command
def test_every_command_says_it(command: str) -> None:
    assert said(f"{command} SCTP.SRC_PORT=9 | cat > /dev/null") == [
        f"{command.split()[0]}: SCTP.SRC_PORT=9 met no packet with that field, of 2"
    ]


def test_an_option_for_a_field_is_an_assignment() -> None:
    assert said("pkt-change --udp-dst-port 7 --ip-ttl 9") == ["pkt-change: UDP.DST_PORT=7 met no packet with that field, of 2"]


def test_one_packet_of_many_is_enough(backend: str) -> None:
    assert said("pkt-change TCP.DST_PORT=5", many(3000) + TAGGED.read_bytes(), backend) == []
    assert said("pkt-change TCP.DST_PORT=5", many(30000), backend) == [
        "pkt-change: TCP.DST_PORT=5 met no packet with that field, of 30000"
    ]


def test_only_packets_that_the_guard_accepts_count(backend: str) -> None:
    data = PING.read_bytes() + TAGGED.read_bytes()
    assert said("pkt-change --if TCP TCP.DST_PORT=5", data, backend) == []
    assert said("pkt-change --if ICMP.TYPE==8 TCP.DST_PORT=5 IP.TTL=9", data, backend) == [
        "pkt-change: TCP.DST_PORT=5 met no packet with that field, of 1 that --if accepts"
    ]
    assert said("pkt-change --if SCTP TCP.DST_PORT=5", data, backend) == []
    assert said("pkt-change ICMP UDP.DST_PORT=5", data, backend) == [
        "pkt-change: UDP.DST_PORT=5 met no packet with that field, of 2"
    ]


def test_without_packets_there_is_nothing_to_say(backend: str) -> None:
    assert said("pkt-change TCP.DST_PORT=5 --swap", b"", backend) == []
    assert said("pkt-change UDP TCP.DST_PORT=5", None, backend) == []


def test_swap(backend: str) -> None:
    assert said("pkt-change --swap", None, backend) == []
    raw = b"-- 1 --\n01 02 03\n==\n"
    assert said("pkt-change --swap", raw, backend) == ["pkt-change: --swap met no packet with a source and a destination, of 1"]
    assert said("pkt-change --swap --if IP", raw + PING.read_bytes(), backend) == []
    assert said("pkt-change --swap --if 'not IP'", raw + PING.read_bytes(), backend) == [
        "pkt-change: --swap met no packet with a source and a destination, of 1 that --if accepts"
    ]


def test_a_value_that_the_field_cannot_hold_there(backend: str) -> None:
    """Units of 4 bytes are AH's, of 8 others'."""
    ext = b"-- 1 --\n" + b"00 " * 12 + b"86 DD 60 00 00 00 00 08 00 40 " + b"00 " * 32 + b"3B 00 01 04 00 00 00 00\n==\n"
    assert said("pkt-change IPV6.EXT_SIZE=12", ext, backend) == [
        "pkt-change: IPV6.EXT_SIZE=12 does not fit into the field in 1 packet: left as it was"
    ]
    assert said("pkt-change IPV6.EXT_SIZE=8", ext, backend) == []


def test_in_a_pipe_each_stage_says_it() -> None:
    assert said("pkt-pipe 'change UDP.DST_PORT=5 | filter ICMP IP.TTL=9 | correct IP.TTL=8'") == [
        "pkt-pipe: change: UDP.DST_PORT=5 met no packet with that field, of 2",
        "pkt-pipe: filter: IP.TTL=9 was assigned in 2 packets; == compares",
    ]


# ---- assigned where a comparison was meant ----


@pytest.mark.parametrize("command", PICKING)
def test_commands_that_pick_say_what_they_changed(command: str, backend: str) -> None:
    name = command.split()[0]
    count = 0 if command.endswith("-rc") else 1
    lines = said(f"{command} IP.TTL=64 -s 1 -nb", None, backend)
    assert lines == [f"{name}: IP.TTL=64 was assigned in 1 packet; == compares"] * count
    lines = said(f"{command} UDP.DST_PORT=53 -s 1", None, backend)
    assert lines == [f"{name}: UDP.DST_PORT=53 met no packet with that field, of 1"] * count
    assert said(f"{command} IP.TTL-=1", None, backend) == []  # nobody compares like that
    assert said(f"{command} IP.TTL=64", b"", backend) == []


@each_command
def test_commands_that_change_do_not(command: str) -> None:
    assert said(f"{command} IP.TTL=64") == []


# ---- the codec's counts ----


@pytest.mark.parametrize("follow", [False, True])
def test_counts(codec: ModuleType, follow: bool) -> None:
    frames = [
        bytes(12) + b"\x08\x00\x45" + bytes(7) + b"\x40\x11" + bytes(10) + bytes(8),
        bytes(12) + b"\x86\xdd\x60" + bytes(39),
        b"\0",
    ]
    data, rows = bytearray(), b""
    for frame in frames:
        rows += struct.pack("=7q", len(data), len(frame), len(frame), 0, 1, 0, 0)
        data += frame
    items = [("IP.TTL", "=", "9"), ("IPV6.HOP_LIMIT", "=", "9"), ("ETHERNET.TYPE", "+=", "0"), ("TCP.SEQ_NUMBER", "=", "1")]
    swapped = (("IP.SRC_ADDR", "IP.DST_ADDR"), ("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"))
    program = assigning.assignments(items, swapped)
    met, placed, *_ = codec.assign(data, rows, program, None, follow)
    assert (met, placed) == (3, (1, 2, 1, 1, 2, 0))
    chosen = codec.select(data, rows, expression.compiled(expression.any_of(["IPV6"])))
    assert codec.assign(data, chosen, program, None, follow)[:2] == (1, (0, 1, 0, 1, 1, 0))
    assert codec.assign(data, b"", program, None, follow) == (0, (0,) * 6, (0,) * 6, 0, 0)
    assert codec.assign(data, rows, assigning.assignments([]), None, follow)[:2] == (3, ())


def test_values_without_room_are_counted(codec: ModuleType) -> None:
    b = batch([(1, ethernet(0x0800, ipv4(17, udp(data)))) for data in (b"long", b"ab", b"")])
    items = [("UDP.DATA", "=", "6162"), ("UDP.DATA", "=", "616263"), ("IP.TTL", "=", "9"), ("UDP.DATA", "=", "UDP.DATA")]
    assert codec.assign(b.data, bytes(b.rows), assigning.assignments(items), None, False)[1:3] == ((2, 2, 3, 2), (0, 1, 0, 0))


def test_values_that_do_not_fit_are_counted(codec: ModuleType) -> None:
    answers = [over_udp(5060, b"SIP/2.0 200 OK", 9), over_udp(5060, b"SIP/2.0 4040 OK", 300)]
    b = batch([(1, ethernet(0x0800, ipv4(17, answer))) for answer in answers])
    given = {"IP.TTL": "UDP.SRC_PORT", "IP.HEADER_SIZE": "IP.TTL", "IP.ID": "UDP.SRC_PORT", "SIP.STATUS": "404"}
    items = [(field, "=", value) for field, value in given.items()]
    assert codec.assign(b.data, bytes(b.rows), assigning.assignments(items), None, False)[1:3] == ((1, 0, 2, 1), (1, 2, 0, 1))


def test_a_value_that_does_not_fit_is_said(backend: str) -> None:
    assert said("pkt-change IP.TTL=IP.ID IP.ID=9 IP.TOS=IP.ID", backend=backend) == [
        "pkt-change: IP.TTL=IP.ID does not fit into the field in 2 packets: left as it was"
    ]


def test_a_value_without_room_is_said(backend: str) -> None:
    ping = 'ICMP.DATA="longer than the thirty-six octets it has"'
    assert said(f"pkt-change IP.TTL=9 {ping!r} ICMP.DATA=00", backend=backend) == [
        f"pkt-change: {ping} is longer than the field in 2 packets: only what fits was assigned"
    ]
    assert said(f"pkt-change --grow {ping!r}", backend=backend) == []
