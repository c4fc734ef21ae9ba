"""pkt-analyze --line: a line a packet."""

from __future__ import annotations

import re
import struct
from array import array
from types import ModuleType

import pytest
from conftest import ROOT, shell
from samples import batch, ethernet, extension, gre, icmp, ipv4, ipv6, over_udp, packets_of, tags, tcp, udp, vxlan
from segments import framed, ip, segment, table
from test_every_kind import COUNT, PACKETS

import pkttools.codec
from pkttools.batch import TIME
from pkttools.views import line

ABSOLUTE, RELATIVE, DELTA = range(3)
HOSTILE = [ROOT / f"tests/data/protocols/{name}.txt" for name in ("dns-response", "http", "sip", "dhcp", "tls", "lldp", "mqtt")] + [
    ROOT / "examples/pktap.txt"]  # fmt: skip
WHEN = "2023-11-14T22:13:20.000000Z"


def told(
    codec: ModuleType, packets: list[tuple[int, bytes]], times: list[int] | None = None, how: int = ABSOLUTE, *,
    colours: tuple[bytes, ...] = (), offset: object = None, original: int | None = None, table: object = None,
) -> list[str]:  # fmt: skip
    """The lines of packets, at times in nanoseconds."""
    made = batch(packets, original)
    columns = made.columns()
    for i, time in enumerate(times or []):
        columns[7 * i + TIME] = time
    columns.release()
    state, text, stop = bytearray(line.STATE_SIZE), b"", 0
    while stop < len(made):
        part, stop = codec.line_encode(made.data, bytes(made.rows), stop, state, how, colours, offset, table)
        text += part
    return text.decode("ascii").splitlines()


def one(codec: ModuleType, frame: bytes, linktype: int = 1) -> str:
    """The line of a packet whose checksums are right, behind its time."""
    made = batch([(linktype, frame)])
    pkttools.codec.correct(made.data, made.rows, pkttools.codec.ALL)
    return told(codec, [(linktype, made.frame(0))])[0].partition(f"1 {WHEN} ")[2]


# ---- times ----

SECOND = 1_000_000_000
TIMES = [
    (0, "1970-01-01T00:00:00.000000Z"),
    (-9_500_000_000, "1969-12-31T23:59:50.500000Z"),  # ten seconds before, and a half after that
    (-1, "1969-12-31T23:59:59.999999999Z"),
    ((1 << 31) * SECOND, "2038-01-19T03:14:08.000000Z"),
    ((1 << 32) * SECOND + 123_456_789, "2106-02-07T06:28:16.123456789Z"),
    (951782400 * SECOND, "2000-02-29T00:00:00.000000Z"),
    (4107542400 * SECOND, "2100-03-01T00:00:00.000000Z"),
    ((1 << 63) - 1, "2262-04-11T23:47:16.854775807Z"),
    (-1 << 63, "1677-09-21T00:12:43.145224192Z"),
]


@pytest.mark.parametrize(("time", "text"), TIMES)
def test_absolute_time(codec, time, text):
    assert told(codec, [(1, b"")], [time])[0].split()[1] == text


def test_the_date_stands_where_it_changes(codec):
    times = [86398 * SECOND, 86399 * SECOND, 86400 * SECOND, 86399 * SECOND]
    said = [line.split()[1] for line in told(codec, [(1, b"")] * 4, times)]
    assert said == ["1970-01-01T23:59:58.000000Z", "23:59:59.000000", "1970-01-02T00:00:00.000000Z", "1970-01-01T23:59:59.000000Z"]


def test_local_time_and_a_zone_that_changes(codec):
    """As it does when summer ends: an hour comes twice."""
    said = [line.split()[1] for line in told(codec, [(1, b"")] * 3, [5000 * SECOND, 7199 * SECOND, 7200 * SECOND],
                                             offset=lambda seconds: 7200 if seconds < 7200 else 3600)]  # fmt: skip
    assert said == ["1970-01-01T03:23:20.000000+02:00", "03:59:59.000000", "1970-01-01T03:00:00.000000+01:00"]
    assert told(codec, [(1, b"")], [0], offset=lambda seconds: -12600)[0].split()[1] == "1969-12-31T20:30:00.000000-03:30"


def test_the_zone_of_the_environment(backend):
    text = shell("pkt-analyze --line --limit 1", b"LINKTYPE: 1\n-- 1 --\nTIME: 1700000000.25\nSIZE: 0/0\n==\n", backend=backend,
                 TZ="Asia/Kolkata").stdout  # fmt: skip
    assert text.split()[1] == b"2023-11-15T03:43:20.250000+05:30"
    text = shell("pkt-analyze -1 --utc", b"LINKTYPE: 1\n-- 1 --\nTIME: 1700000000.25\nSIZE: 0/0\n==\n", backend=backend).stdout
    assert text.split()[1] == b"2023-11-14T22:13:20.250000Z"


def test_differences_may_be_negative(codec):
    times = [10 * SECOND, 10 * SECOND + 1, 9_500_000_000, (1 << 63) - 1, -(1 << 63)]
    assert [line.split()[1] for line in told(codec, [(1, b"")] * 5, times, RELATIVE)] == [
        "0.000000", "0.000000001", "-0.500000", "9223372026.854775807", "-9223372046.854775808"]  # fmt: skip
    assert [line.split()[1] for line in told(codec, [(1, b"")] * 5, times, DELTA)] == [
        "0.000000", "0.000000001", "-0.500000001", "9223372027.354775807", "-18446744073.709551615"]  # fmt: skip


# ---- addresses, ports, sizes ----

A, B = "192.0.2.1", "192.0.2.2"


def test_addresses_and_ports(codec):
    assert one(codec, ethernet(0x0800, ipv4(17, udp()))).startswith(f"{A}.1024 > {B}.53 UDP 5")
    assert one(codec, ethernet(0x86DD, ipv6(6, tcp()))).startswith("2001:db8::1.40000 > 2001:db8::2.80 TCP 5")


def test_numbers_go_on_from_batch_to_batch(codec):
    state = bytearray(line.STATE_SIZE)
    made = batch([(1, ethernet(0x0800, ipv4(17, udp())))] * 3)
    lines = [codec.line_encode(made.data, bytes(made.rows), 1, state, RELATIVE, (), None, None) for _ in range(2)]
    assert [text.split(b" ")[0] for text, _ in lines] == [b"1", b"3"] and [stop for _, stop in lines] == [3, 3]


NUMBERS = [n + step for size in range(19) for n in [10**size] for step in (-1, 0, 1)] + [9_999_999_912_345_678, (1 << 63) - 2]


def test_numbers_of_every_length(codec):
    made = batch([(1, b"")])
    for number in NUMBERS:
        state = bytearray(struct.pack("=7q", number, *[0] * 6))
        text, _ = codec.line_encode(made.data, bytes(made.rows), 0, state, RELATIVE, (), None, None)
        assert text.startswith(b"%d 0.000000 " % (number + 1))


def test_numbers_at_the_end_of_what_64_bits_hold(codec):
    """Nobody counts so far, and memory that is shared may say anything: they wrap around."""
    made = batch([(1, b"")] * 3)
    far = [-(1 << 63), (1 << 63) - 1, -1]
    state = bytearray(line.STATE_SIZE)
    text, _ = codec.line_encode(made.data, bytes(made.rows), 0, state, RELATIVE, (), None, None, array("q", far))
    assert [row.split(b" ")[0] for row in text.splitlines()] == [b"%d" % (number % (1 << 64)) for number in far]
    state = bytearray(struct.pack("=Q6q", (1 << 64) - 1, *[0] * 6))
    text, _ = codec.line_encode(made.data, bytes(made.rows), 0, state, RELATIVE, (), None, None)
    assert [row.split(b" ")[0] for row in text.splitlines()] == [b"0", b"1", b"2"]


def test_octets_and_ports_of_every_length(codec):
    ports = [0, 9, 10, 99, 100, 999, 1000, 9999, 10000, 65535]
    ends = [(bytes(range(at, at + 4)), ports[at // 4 % 10]) for at in range(0, 256, 4)]
    packets = []
    for octets, port in ends:
        datagram = over_udp(port, b"", source=port)
        packets.append((1, ethernet(0x0800, ipv4(17, datagram)[:12] + 2 * octets + datagram)))
    for said, (octets, port) in zip(told(codec, packets), ends, strict=True):
        end = ".".join(map(str, (*octets, port)))
        assert f" {end} > {end} " in said


def test_a_size_that_was_not_captured(codec):
    """It is that on the wire, and what is there is told."""
    frame = ethernet(0x0800, ipv4(17, udp(bytes(100))))
    said = told(codec, [(1, frame[:60])], original=len(frame))[0]
    assert f"{A}.1024 > {B}.53 DNS 100" in said and said.endswith(" (60 of 142 captured)")


def test_tunnels_are_outer_and_inner(codec):
    inner = ethernet(0x0800, ipv4(1, icmp(8)))
    said = one(codec, ethernet(0x0800, ipv4(17, vxlan(inner))))
    assert re.match(rf"{A}\.\d+ > {B}\.4789 VXLAN \d+.* > {A} > {B} ICMP 56", said)
    assert re.match(
        rf"{A} > {B} GRE \d+.* > {A}\.1024 > {B}\.53 UDP 5", one(codec, ethernet(0x0800, ipv4(47, gre(0x0800, ipv4(17, udp())))))
    )


def test_frames_in_gre_with_a_key(codec):
    """VSIDs up to 0xFFF are reserved (RFC 7637 3.2): then it is a key, as of Linux's gretap."""
    for key, words in (
        (7, "key 0x7"),
        (0xFFFFF, "key 0xfffff"),
        (0x100000, "vsid 4096, flow 0"),
        (0x12345609, "vsid 1193046, flow 9"),
    ):
        header = struct.pack("!HHI", 0x2000, 0x6558, key)
        said = one(codec, ethernet(0x0800, ipv4(47, header + ethernet(0x0800, ipv4(1, icmp(8))))))
        assert re.match(rf"{A} > {B} GRE \d+ {words} > {A} > {B} ICMP 56", said), said


def test_checksums_that_are_wrong_and_that_are_unfinished(codec):
    frame = bytearray(ethernet(0x0800, ipv4(6, tcp())))
    made = batch([(1, bytes(frame))])
    pkttools.codec.correct(made.data, made.rows, pkttools.codec.ALL)
    frame[:] = made.frame(0)
    assert "checksum" not in told(codec, [(1, bytes(frame))])[0]
    frame[50] ^= 1
    frame[24] ^= 1
    assert told(codec, [(1, bytes(frame))])[0].endswith(" (wrong IP checksum) (wrong TCP checksum)")
    frame[24] ^= 1
    words = sum(struct.unpack("!4H", frame[26:34])) + 6 + len(frame) - 34
    frame[50:52] = ((words & 0xFFFF) + (words >> 16)).to_bytes(2, "big")
    assert told(codec, [(1, bytes(frame))])[0].endswith(" (unfinished TCP checksum)")


FIRST = {  # and how many checksums of the fragment itself are wrong
    "ipv4": (ethernet(0x0800, ipv4(4, ipv4(17, udp()), fragment=0x2000)), 1),
    "ipv6": (ethernet(0x86DD, ipv6(44, struct.pack("!BBHI", 4, 0, 1, 7) + ipv4(17, udp()))), 0),
}


@pytest.mark.parametrize(("frame", "own"), FIRST.values(), ids=FIRST)
def test_checksums_inside_a_fragment_are_not_judged(codec, frame, own):
    """What is told of headers behind that of a first fragment is a guess, whatever the packet before was like."""
    wrong = ethernet(0x0800, ipv4(4, ipv4(4, ipv4(4, ipv4(6, tcp())))))
    before, line = told(codec, [(1, wrong), (1, frame)])
    assert before.count("(wrong") == 5
    assert line.rpartition(" > ")[2].startswith(f"{B}.53 UDP 5")
    assert line.count("(wrong") == own


# ---- what packets say ----


def fragment6(word: int) -> bytes:
    """A fragment header in front of UDP. word: offset and flag."""
    return struct.pack("!BBHI", 17, 0, word, 7)


WORDS = [
    (ethernet(0x0800, ipv4(6, tcp())), f"{A}.40000 > {B}.80 TCP 5 [S.] seq 1 ack 2 win 512, mss 1460"),
    (ethernet(0x0800, ipv4(1, icmp(8))), f"{A} > {B} ICMP 56 echo request, id 77, seq 1"),
    (ethernet(0x86DD, ipv6(58, icmp(129))), "2001:db8::1 > 2001:db8::2 ICMPv6 56 echo reply, id 77, seq 1"),
    (ethernet(0x0800, ipv4(253, b"1234")), f"{A} > {B} IP 4 proto 253"),
    (ethernet(0x0800, ipv4(17, udp(), fragment=0x2000)), f"{A}.1024 > {B}.53 UDP 5 (frag 7@0+)"),
    (ethernet(0x0800, ipv4(17, bytes(8), fragment=185)), f"{A} > {B} IP 8 proto udp (frag 7@1480)"),
    (ethernet(0x86DD, ipv6(44, fragment6(1) + udp())), "2001:db8::1.1024 > 2001:db8::2.53 UDP 5 (frag 7@0+)"),
    (ethernet(0x86DD, ipv6(44, fragment6(185 * 8) + bytes(8))), "2001:db8::1 > 2001:db8::2 IPv6 8 proto udp (frag 7@1480)"),
    (ethernet(0x86DD, ipv6(44, fragment6(0) + udp())), "2001:db8::1.1024 > 2001:db8::2.53 UDP 5"),
    (ethernet(0x86DD, ipv6(60, bytes([44, 0, 1, 4, 0, 0, 0, 0]) + fragment6(17) + bytes(8))),
     "2001:db8::1 > 2001:db8::2 IPv6 8 proto udp (frag 7@16+)"),
    (ethernet(0x0800, ipv4(50, struct.pack("!II", 5, 6))), f"{A} > {B} ESP 8 spi 0x00000005, seq 6"),
    (ethernet(0x88B5, b"local"), "02:00:00:00:00:01 > 02:00:00:00:00:02 Ethernet 5 type 0x88b5"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "words"), WORDS)
def test_what_packets_say(codec, frame, words):
    assert one(codec, frame) == words


def arp(operation: int, sender: str, target: str, to: bytes = bytes(6)) -> bytes:
    first, second = (bytes(map(int, text.split("."))) for text in (sender, target))
    return ethernet(0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + bytes.fromhex("020000000001") + first + to + second)


ARPS = [  # RFC 5227 sections 1.1, 2.1.1 and 3
    (1, A, B, f"who-has {B} tell {A}"),
    (2, A, B, f"{A} is-at 02:00:00:00:00:01"),
    (1, "0.0.0.0", B, f"probe who-has {B} tell 02:00:00:00:00:01"),
    (1, A, A, f"announcement {A} is-at 02:00:00:00:00:01"),
    (2, A, A, f"{A} is-at 02:00:00:00:00:01, gratuitous"),
    (7, A, B, "operation 7"),
]


@pytest.mark.parametrize(("operation", "sender", "target", "words"), ARPS)
def test_arp(codec, operation, sender, target, words):
    assert one(codec, arp(operation, sender, target)) == f"{sender} > {target} ARP 28 {words}"


@pytest.mark.parametrize(
    ("flags", "letters"), [(0, ""), (2, "S"), (0x12, "S."), (0x11, "F."), (0x14, "R."), (0x18, "P."), (0xFF, "FSRP.UEW")]
)
def test_flags_by_letters(codec, flags, letters):
    segment = bytearray(tcp(b"", b""))
    segment[13] = flags
    assert f" TCP 0 [{letters}] seq 1 " in one(codec, ethernet(0x0800, ipv4(6, bytes(segment))))


def test_what_an_error_quotes(codec):
    """In brackets, and its checksums are not this packet's."""
    quoted = ipv4(17, over_udp(9, b"hello"))
    said = one(codec, ethernet(0x0800, ipv4(1, struct.pack("!BBHI", 3, 3, 0, 0) + quoted)))
    assert said == f"{A} > {B} ICMP 41 port unreachable [{A}.50000 > {B}.9 UDP 5]"
    quoted = ipv6(17, over_udp(9, b"hello"))
    said = one(codec, ethernet(0x86DD, ipv6(58, struct.pack("!BBHI", 2, 0, 0, 1280) + quoted)))
    assert said == "2001:db8::1 > 2001:db8::2 ICMPv6 61 packet too big, mtu 1280 [2001:db8::1.50000 > 2001:db8::2.9 UDP 5]"


def test_tags_are_told_aside(codec):
    frame = ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, ipv4(17, udp())))
    assert one(codec, frame) == f"{A}.1024 > {B}.53 UDP 5 (vlan 1) (vlan 2)"


def test_frames_in_a_tunnel_without_a_network(codec):
    said = one(codec, ethernet(0x0800, ipv4(17, vxlan(arp(1, A, B)))))
    assert said.endswith(f"VXLAN 50 vni 42 > {A} > {B} ARP 28 who-has {B} tell {A}")


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_nothing_of_a_packet_reaches_a_terminal_as_it_is(codec, path):
    """Control characters, escape sequences and bidirectional marks, wherever text may stand."""
    known = [*packets_of(path)]
    for mark in (b"\033[31m", b"\x9b31m", b"\r\n\b\x7f", "\u202e\u2066\u200f\u061c".encode(), b"\xff\xfe"):
        packets = [(link, frame[: len(frame) // 2] + (mark * len(frame))[: len(frame) - len(frame) // 2]) for link, frame in known]
        packets += [(link, re.sub(rb"[a-z]{4}", (mark * 4)[:4].replace(b"\\", b"/"), frame)) for link, frame in known]
        for said in told(codec, packets):
            assert re.fullmatch(r"[ -~]+", said)


# ---- connections ----


def followed(codec: ModuleType, *segments: bytes) -> list[str]:
    """What stands behind TCP in the lines of segments."""
    lines = told(codec, [(1, framed(one)) for one in segments], table=table(of=codec, forget=True))
    return [re.sub(r" \(wrong \w+ checksum\)", "", line.partition(" TCP ")[2]) for line in lines]


def test_numbers_count_from_where_a_connection_began(codec):
    """Modulo 2^32, RFC 9293 section 3.4; and what comes with them."""
    C, D, base = ("10.0.0.1", 1000), ("10.0.0.2", 80), 2**32 - 10
    assert followed(
        codec, segment(C, D, "S", base), segment(D, C, "S.", 700, base + 1), segment(C, D, "P.", base + 1, 701, 20),
        segment(C, D, "P.", base + 1, 701, 20), segment(C, D, ".", base + 31, 701, 10), segment(D, C, ".", 701, base + 61),
        segment(C, D, ".", base + 21, 701, 10), segment(C, D, "S", 5),
    ) == [
        "0 [S] seq 0 win 1000", "0 [S.] seq 0 ack 1 win 1000", "20 [P.] seq 1:21 ack 1 win 1000",
        "20 [P.] seq 1:21 ack 1 win 1000 (seen before: 20)", "10 [.] seq 31:41 ack 1 win 1000 (not seen before it: 10)",
        "0 [.] seq 1 ack 61 win 1000 (acknowledged, not seen: 30)", "10 [.] seq 21:31 ack 1 win 1000 (fills a gap: 10)",
        "0 [S] seq 0 win 1000",
    ]  # fmt: skip


def test_numbers_without_a_beginning_say_so(codec):
    C, D = ("2001:db8::1", 1000), ("2001:db8::2", 80)
    said = followed(codec, segment(C, D, "P.", 5000, 900, 10), segment(D, C, ".", 900, 5010))
    assert all(re.match(r"\d+ \[P?\.\] seq ~\d+(:\d+)? ack ~\d+ win 1000$", one) for one in said)


def test_numbers_in_an_error_stay_as_they_are(codec):
    """It quotes a segment that travelled elsewhere: it is no part of the connection."""
    C, D = ("10.0.0.1", 1000), ("10.0.0.2", 80)
    quoted = ip("10.0.0.2", "10.0.0.1", 1, struct.pack("!BBHI", 3, 1, 0, 0) + segment(C, D, "P.", 5000, 900, 10))
    lines = told(codec, [(1, framed(segment(C, D, "S", 4999))), (1, framed(quoted))], table=table(of=codec, forget=True))
    assert "host unreachable [10.0.0.1.1000 > 10.0.0.2.80 TCP 10 [P.] seq 5000 ack 900 win 1000]" in lines[1]


# ---- all packets ----


def test_every_packet_is_a_line(backend):
    """None is without one, of whatever kind; and the codecs say the same."""
    done = shell("pkt-analyze --line --utc", PACKETS, backend=backend)
    lines = done.stdout.decode("ascii").splitlines()
    assert (done.returncode, done.stderr, len(lines)) == (0, b"", COUNT)
    assert [int(line.split()[0]) for line in lines] == list(range(1, COUNT + 1))
    assert all(re.search(r" [A-Z\d][\w. ()/-]* \d+", line) for line in lines)
    assert done.stdout == shell("pkt-analyze --line --utc", PACKETS, backend="python").stdout


def test_colours_are_all_that_colours_add(codec):
    colours = tuple(str(i).encode() for i in range(8))
    packets = [(1, ethernet(0x0800, ipv4(6, tcp()))), (1, tags([0x8100], 0x86DD, ipv6(0, extension(17, bytes(6)) + udp())))]
    plain, painted = told(codec, packets), told(codec, packets, colours=colours)
    assert plain == [re.sub(r"\033\[\d*m", "", line) for line in painted] and plain != painted
    assert all(line.count("m") >= 6 and line.startswith("\033[1m") for line in painted)


def test_colours_are_for_terminals(backend):
    plain, painted = (
        shell(f"pkt-analyze --line --color {when} --limit 1", PACKETS, backend=backend).stdout for when in ("auto", "always")
    )
    assert b"\033" not in plain and plain == re.sub(rb"\033\[[\d;]*m", b"", painted) and b"\033" in painted


@pytest.mark.parametrize(
    ("options", "words"), [("--line --relative --delta", "one of them"), ("--delta", "--line"), ("--relative", "--line")]
)
def test_options_that_do_not_go_together(options, words):
    done = shell(f"pkt-analyze {options}", b"")
    assert done.returncode == 2 and words in done.stderr.decode()


# ---- golden ----

GOLDEN = ROOT / "tests/data/views/line.txt"
SHOWN = [
    *(f"{ROOT}/examples/{name}.txt" for name in ("ping", "dns", "vlan-tcp", "tunnel", "pktap")),
    *(
        f"{ROOT}/tests/data/protocols/{name}.txt"
        for name in (
            "arp", "dns-response", "dhcp", "http", "sip", "ntp", "tls", "icmp", "icmp-error", "icmpv6", "icmpv6-error",
            "nd-solicitation", "nd-advertisement", "igmp", "ospf", "vrrp", "pim", "bfd", "stp", "lldp", "wlan", "rtp", "rtcp",
            "quic", "ipip", "vxlan", "geneve", "gre", "gtp", "mpls", "pppoe", "esp", "sctp-udp",
        )
    ),
]  # fmt: skip


def test_golden(backend):
    """Packets of all sorts, as they are shown: those of the examples, and of protocols that have much to say."""
    done = shell(f"cat {' '.join(SHOWN)} | grep -v '^#' | pkt-analyze --line --utc", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == GOLDEN.read_bytes()


def test_common_packets_fit_80_columns():
    """Behind the first line, which has the date: pings, queries, segments, ARP, what routers say, of IPv4."""
    lines = GOLDEN.read_text().splitlines()[1:]
    common = re.compile(
        r"\d+ \S+ [\d.]+ > [\d.]+ (ICMP \d+ echo|DNS \d+ \d+\+ |TCP \d+ \[\.\]|ARP|OSPF|VRRP|PIM|IGMP|UDP|RTCP)[^(\[]*$"
    )
    short = [len(line) for line in lines if common.match(line)]
    assert sum(size <= 80 for size in short) > 10


def test_what_a_user_describes_is_said(backend):
    folder = ROOT / "examples/protocols"
    done = shell(f"pkt-analyze --line --protocols {folder}/chat.protocol --in {folder}/chat.txt --limit 1", backend=backend)
    assert re.search(rb"\.9000 Chat \d+ hello, room \d+\n$", done.stdout)
