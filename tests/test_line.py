"""pkt-analyze --line: a line a packet."""

from __future__ import annotations

import re
import struct
from types import ModuleType

import pytest
from conftest import shell
from samples import batch, ethernet, extension, gre, icmp, ipv4, ipv6, tags, tcp, udp, vxlan
from test_every_kind import COUNT, PACKETS

import pkttools.codec
from pkttools.batch import TIME
from pkttools.views import line

ABSOLUTE, RELATIVE, DELTA = range(3)
WHEN = "2023-11-14T22:13:20.000000Z"


def told(
    codec: ModuleType, packets: list[tuple[int, bytes]], times: list[int] | None = None, how: int = ABSOLUTE, *,
    colours: tuple[bytes, ...] = (), offset: object = None, original: int | None = None,
) -> list[str]:  # fmt: skip
    """The lines of packets, at times in nanoseconds."""
    made = batch(packets, original)
    columns = made.columns()
    for i, time in enumerate(times or []):
        columns[7 * i + TIME] = time
    columns.release()
    state, text, stop = bytearray(line.STATE_SIZE), b"", 0
    while stop < len(made):
        part, stop = codec.line_encode(made.data, bytes(made.rows), stop, state, how, colours, offset)
        text += part
    return text.decode("ascii").splitlines()


def one(codec: ModuleType, frame: bytes, linktype: int = 1) -> str:
    """The line of a packet whose checksums are right, behind its time."""
    made = batch([(linktype, frame)])
    pkttools.codec.correct(made.data, made.rows, pkttools.codec.ALL)
    return told(codec, [(linktype, made.frame(0))])[0].partition(f"1 {WHEN} ")[2]


# ---- times ----

SECOND = 1_000_000_000
TIMES = [  # corners of views 40 to 45
    (0, "1970-01-01T00:00:00.000000Z"),
    (-9_500_000_000, "1969-12-31T23:59:50.500000Z"),  # ten seconds before, and a half after that
    (-1, "1969-12-31T23:59:59.999999999Z"),
    ((1 << 31) * SECOND, "2038-01-19T03:14:08.000000Z"),
    ((1 << 32) * SECOND + 123_456_789, "2106-02-07T06:28:16.123456789Z"),
    (951782400 * SECOND, "2000-02-29T00:00:00.000000Z"),
    (4107542400 * SECOND, "2100-03-01T00:00:00.000000Z"),
    ((1 << 63) - 1, "2262-04-11T23:47:16.854775807Z"),
    (-(1 << 63), "1677-09-21T00:12:43.145224192Z"),
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
    lines = [codec.line_encode(made.data, bytes(made.rows), 1, state, RELATIVE, (), None) for _ in range(2)]
    assert [text.split(b" ")[0] for text, _ in lines] == [b"1", b"3"] and [stop for _, stop in lines] == [3, 3]


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
