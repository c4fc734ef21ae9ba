"""pkt-time: times in nanoseconds, to the last one; editcap and reordercap as judges."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from conftest import ROOT, shell
from netns import pcap, records

from pkttools.batch import Packet, gathered
from pkttools.errors import UsageError
from pkttools.language.times import MOST_TIME, decimal, duration, moment, ratio, share, span
from pkttools.work.ordering import Ordered
from pkttools.work.times import Retimer

PING = (ROOT / "examples" / "ping.txt").read_bytes()
FIRST, SECOND = 1700000000_250131000, 1700000000_250394000
FRAME = bytes(60)


def times(words: str, given: bytes = PING, backend: str = "", said: str = "") -> list[int]:
    """The nanoseconds of what a command writes."""
    done = shell(f"pkt-time {words}", given, backend=backend)
    assert (done.returncode, done.stderr.decode()) == (0, said), done.stderr
    found = [line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith("TIME:")]
    return [int(second) * 10**9 + int(part.ljust(9, "0")) for second, _, part in (word.partition(".") for word in found)]


def text(stamps: list[int]) -> bytes:
    return b"".join(b"--\nTIME: %d.%09d\n00\n==\n" % divmod(stamp, 10**9) for stamp in stamps)


# ---- what is written on a command line ----


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [("1", 10**9), ("20ms", 20_000_000), ("-1.5s", -1_500_000_000), ("+2h", 7200 * 10**9), (".5us", 500), ("0.000000001", 1),
     ("3min", 180 * 10**9), ("1d", 86400 * 10**9), ("0.1", 10**8), ("9223372035", 9223372035 * 10**9)],
)  # fmt: skip
def test_durations(written, nanoseconds):
    assert duration("X", written) == nanoseconds


@pytest.mark.parametrize(
    "written", ["", "-", "ms", "1x", "1e3", "1.5ns", "1.0000000001", "--1", "1 s", "1_000", "9223372037", "inf", "٣"]
)
def test_what_is_no_duration(written):
    with pytest.raises(UsageError, match=r"^--x: "):
        duration("--x", written)


def test_spans_do_not_go_back():
    assert span("X", "1ms") == 1_000_000
    with pytest.raises(UsageError):
        span("X", "-1ms")


def test_factors_and_shares():
    assert [ratio("X", word) for word in ("2", "0.5", "1/3", "150%", "0")] == [(2, 1), (5, 10), (1, 3), (150, 100), (0, 1)]
    assert [share("X", word) for word in ("5%", "1/20", "0", "1", "0.1%")] == [(5, 100), (1, 20), (0, 1), (1, 1), (1, 1000)]
    for read, word in (
        (ratio, "1/0"),
        (ratio, "-1"),
        (ratio, "x"),
        (ratio, "1/"),
        (share, "0.05"),
        (share, "5"),
        (share, "101%"),
        (share, "3/2"),
    ):
        with pytest.raises(UsageError):
            read("X", word)


@pytest.mark.parametrize(
    ("written", "seconds", "rest"),
    [
        ("1700000000.25", 1700000000, 250_000_000),
        ("2026-11-01T10:00Z", 1793527200, 0),
        ("2026-11-01 10:00:05.5+01:00", 1793523605, 500_000_000),
        ("2026-11-01T10:00:05.123456789z", 1793527205, 123456789),
        ("1970-01-01T00:00Z", 0, 0),
        ("2262-04-11T23:47:15Z", 9223372035, 0),
    ],
)
def test_moments(written, seconds, rest):
    assert moment("X", written) == seconds * 10**9 + rest


def test_a_date_without_a_zone_is_local():
    """As the dates of TIME lines are: a daylight saving time where there is one."""
    for zone, words, stamp in (
        ("Europe/Berlin", "2026-07-01T12:00", 1782900000),
        ("UTC", "2026-07-01", 1782864000),
        ("Europe/Berlin", "2026-07-01T12:00 --utc", 1782907200),
    ):
        done = shell(f"pkt-time --start {words}", PING, TZ=zone)
        assert f"\nTIME: {stamp}.000000 ".encode() in done.stdout, done.stderr


@pytest.mark.parametrize(
    "written",
    [
        "",
        "yesterday",
        "1969-12-31T23:59Z",
        "2026-13-01",
        "2026-11-01T",
        "2026-11-01T10:00:05.1234567891Z",
        "-1",
        "9223372036",
        "1.0000000001",
        "2026-W01-1",
    ],
)
def test_what_is_no_moment(written):
    with pytest.raises(UsageError):
        moment("X", written)


def test_numbers_have_an_end():
    assert decimal("1" * 31) is None


# ---- what becomes of times ----


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--shift 1ns", [FIRST + 1, SECOND + 1]),
        ("--shift -1000.25s", [FIRST - 1000_250_000_000, SECOND - 1000_250_000_000]),
        ("--start 5", [5 * 10**9, 5 * 10**9 + 263000]),
        ("--scale 1/3", [FIRST, FIRST + 87666]),
        ("--start 0 --scale 200%", [0, 526000]),
        ("--every 1ms", [FIRST, FIRST + 10**6]),
        ("--every 0 --start 7", [7 * 10**9] * 2),
        ("--least-gap 1ms", [FIRST, FIRST + 10**6]),
        ("--least-gap 1us", [FIRST, SECOND]),
        ("--shift 1s ICMP.TYPE==0", [SECOND + 10**9]),
    ],
)
def test_times(words, expected):
    assert times(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--start 9 --if ICMP.TYPE==0", [FIRST, 9 * 10**9]),
        ("--shift -1s --if ICMP.TYPE==0 --sort-window 5s", [SECOND - 10**9, FIRST]),
    ],
)
def test_times_of_some(words, expected, backend):
    assert times(words, backend=backend) == expected


def test_assignments_are_for_those_that_are_chosen():
    done = shell("pkt-time --shift 1s --if ICMP.TYPE==0 IP.TTL=9 | pkt-txt2txt -a | grep IP.TTL", PING)
    assert [line.split()[-1] for line in done.stdout.splitlines()] == [b"0x40", b"0x9"]


def test_never_before_1970_and_never_beyond_what_there_is():
    """What cannot be done passes as it came, and is counted."""
    said = "pkt-time: 1 packet passed as they came: their times would be before 1970\n"
    assert times("--shift -1700000000.2502", said=said) == [FIRST, SECOND - 1700000000_250200000]
    late = MOST_TIME - FIRST - 1
    said = "pkt-time: 1 packet passed as they came: their times would be later than 9223372035 s after 1970\n"
    assert times(f"--shift {late}ns", said=said) == [MOST_TIME - 1, SECOND]


def test_a_pcap_file_ends_in_2106():
    done = shell("pkt-time --start 4294967295.9999 -F pcap", PING)
    assert done.returncode == 1
    assert b"holds times up to 2106" in done.stderr
    assert len(records(done.stdout)) == 1
    assert shell("pkt-time --start 4294967295.9 -F pcap | pkt-time --shift 0 | grep -c 'TIME: 4294967295'", PING).stdout == b"2\n"


def test_scales_are_exact_over_batches():
    """Distances are counted from the first packet of all, with 64 bits and more: no float is in between."""
    stamps = [10**18 + i * 1_000_003 for i in range(50)]
    retimer = Retimer(scale=(1, 7))
    made = [stamp for i in range(0, 50, 7) for stamp in retimer.changed(stamps[i : i + 7])]
    assert made == [10**18 + i * 1_000_003 // 7 for i in range(50)]
    assert Retimer(scale=(10**20, 3)).changed([5, 8, 2]) == [5, 8, 2]  # far beyond: as they came


def test_the_least_gap_reaches_over_batches():
    retimer = Retimer(gap=10)
    assert retimer.changed([100, 105]) + retimer.changed([90, 200]) == [100, 110, 120, 200]


@pytest.mark.parametrize(
    "words",
    ["", "--shift 1 --start 2", "--every 1 --scale 2", "--every -1", "--sort-window -1s", "--shift x", "--start x", "--scale x"],
)
def test_usage(words):
    done = shell(f"pkt-time {words}", PING)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"pkt-time: ")


# ---- the order ----


def sorted_by(window: int, stamps: list[int], size: int) -> tuple[list[tuple[int, int]], int]:
    """Times and numbers of packets as they come out, in batches of `size`; and how many were too late."""
    ordered = Ordered(window)
    packets = [Packet(i.to_bytes(2, "big"), 2, stamp, 1) for i, stamp in enumerate(stamps)]
    batches = (gathered(packets[i : i + size]) for i in range(0, len(packets), size))
    made = [(b.packet(i).time, int.from_bytes(b.packet(i).frame, "big")) for b in ordered(batches) for i in range(len(b))]
    return made, ordered.late


def test_a_window_sorts_as_far_as_it_reaches():
    random.seed(16)
    stamps = [1000 * i + random.randrange(5000) for i in range(300)]
    expected = sorted((stamp, i) for i, stamp in enumerate(stamps))
    for size in (1, 7, 300):  # it does not matter how packets come
        assert sorted_by(5000, stamps, size) == (expected, 0)


def test_who_comes_too_late_for_the_window_is_counted():
    assert sorted_by(10, [100, 111, 99, 105, 200], 2) == ([(100, 0), (99, 2), (105, 3), (111, 1), (200, 4)], 1)
    assert sorted_by(10, [5, 5, 5], 2) == ([(5, 0), (5, 1), (5, 2)], 0)
    said = "pkt-time: 1 packet out of order by more than 1ms\n"
    assert times("--sort-window 1ms", text([10**9, 2 * 10**9, 10**9 - 1, 3 * 10**9]), said=said)[-1] == 3 * 10**9


def test_a_live_pipe_gets_what_is_sorted_as_soon_as_it_is_known():
    with subprocess.Popen(
        [ROOT / "bin" / "pkt-time", "--sort-window", "1s", "-do"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(text([10 * 10**9, 12 * 10**9]))
        process.stdin.flush()
        assert process.stdout.readline() == b"-- 1 --\n"
        process.stdin.close()
        assert process.stdout.read().count(b"==") == 2


# ---- judges ----


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        ("editcap -F pcap -t 1.5", "--shift 1.5"),
        ("editcap -F pcap -t -3600", "--shift -1h"),
        ("editcap -F pcap -S 0", "--least-gap 0"),
        ("editcap -F pcap -S -0.001", "--every 1ms"),
        ("reordercap", "--sort-window 1d"),
    ],
)
def test_as_wireshark_s_tools(judge, words, tmp_path):
    if not shutil.which(judge.split()[0]):
        pytest.skip(f"{judge.split()[0]} is not installed")
    random.seed(39)
    frames = [bytes([i]) * 60 for i in range(40)]
    stamps = [1700000000 + i * 0.25 + random.random() for i in range(40)]
    given = b"".join(pcap([frame])[24 * (i > 0) :] for i, frame in enumerate(frames))
    data = bytearray(given)
    for i, stamp in enumerate(stamps):
        at = 24 + i * 76
        data[at : at + 8] = int(stamp).to_bytes(4, "little") + int(stamp % 1 * 10**6).to_bytes(4, "little")
    (tmp_path / "in.pcap").write_bytes(data)
    subprocess.run([*judge.split(), tmp_path / "in.pcap", tmp_path / "out"], check=True, capture_output=True)
    theirs = shell("pkt-txt2pcap", (tmp_path / "out").read_bytes()).stdout
    assert shell(f"pkt-time {words} -F pcap", bytes(data)).stdout == theirs
