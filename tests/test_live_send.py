"""pkt-send on a real wire: what arrives and when, judged by a plain socket at the other end and by the kernel's counters."""

import re
import signal
import struct
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from conftest import ROOT
from netns import MAC, PEER, UNPRIVILEGED, finish, frame, frames_of, pcap, records
from netns import lab as _lab
from netns import labs as _labs
from waits import until

lab, labs = _lab, _labs


def made(count: int, size: int = 60) -> list[bytes]:
    """Frames from host a to host b."""
    return [frame(i, size, source="a") for i in range(count)]


def begin(lab, options: str, data: bytes) -> subprocess.Popen[bytes]:
    """pkt-send at host a, with `data` as its whole input."""
    process = lab.start("a", f"exec pkt-send -i eth0 {options}", stdin=subprocess.PIPE)
    process.stdin.write(data)
    process.stdin.close()
    process.stdin = None
    return process


def account(lines: list[str]) -> tuple[int, int, int, int, float]:
    """The numbers of the last line: attempted, sent, failed, bytes, seconds."""
    found = re.match(r"pkt-send: eth0: (\d+) attempted = (\d+) sent \+ (\d+) failed[^;]*; (\d+) bytes in (\d+\.\d+) s", lines[-1])
    assert found, lines
    return *map(int, found.groups()[:4]), float(found[5])


def arrivals(lab, options: str, frames: list[bytes], gap: float, count: int = 0) -> list[float]:
    """Sends frames and gives the seconds at which each arrived, counted from the first."""
    watch = lab.watch("b", count or len(frames))
    done = lab.run("a", f"pkt-send -i eth0 {options}", pcap(frames, gap))
    assert done.returncode == 0, done.stderr
    assert account(done.stderr.decode().splitlines())[:3] == (count or len(frames), count or len(frames), 0)
    found = records(finish(watch)[1])
    return [(when - found[0][0]) / 1e9 for when, _, _ in found]


def drift(times: list[float], step: float) -> float:
    """How much later than due the last ones were, compared with the first ones.

    The best of ten counts: a late one may be the machine's doing, ten late ones are ours.
    """
    late = [when - i * step for i, when in enumerate(times)]
    return min(late[-10:]) - min(late[:10])


def test_bytes_arrive_as_they_are(labs):
    sent = [bytes(i * j & 255 for j in range(size)) for i, size in enumerate([14, 15, 59, 60, 61, 64, 128, 999, 1513, 1514] * 20)]
    watch = labs.watch("b", len(sent))
    done = labs.run("a", "pkt-send -i eth0 -f", pcap(sent))
    assert done.returncode == 0
    assert frames_of(finish(watch)[1]) == sent


def test_counters_of_the_kernel_equal_the_account(labs):
    sent = [frame(i, 14 + 4 + i % 1400, source="a") for i in range(3000)]
    text = labs.run("a", "pkt-pcap2txt", pcap(sent)).stdout
    before = {host: labs.counters(host) for host in "ab"}
    done = labs.run("a", "pkt-send -i eth0 -f", text)
    assert done.returncode == 0
    attempted, count, failed, size, _ = account(done.stderr.decode().splitlines())
    assert (attempted, count, failed, size) == (3000, 3000, 0, sum(map(len, sent)))
    after = {host: labs.counters(host) for host in "ab"}
    assert (after["a"]["tx"] - before["a"]["tx"], after["a"]["tx_bytes"] - before["a"]["tx_bytes"]) == (count, size)
    assert (after["b"]["rx"] - before["b"]["rx"], after["b"]["rx_bytes"] - before["b"]["rx_bytes"]) == (count, size)


def test_round_trip_of_a_capture_with_tags(lab):
    # What one side captured, sent again, arrives with the tag that the kernel had taken out.
    sent = [frame(i, tags=bytes.fromhex(tags)) for i, tags in enumerate(["", "8100602a", "88a80064810000c8", "81000000"])]
    capture = lab.capture("a", "pkt-recv -i eth0 -l 4")
    lab.inject("b", sent)
    text = finish(capture)[1]
    again = lab.capture("b", "pkt-recv -i eth0 -ro -l 4 -F pcap")
    lab.must("a", "pkt-send -i eth0 -f", text)
    assert frames_of(finish(again)[1]) == sent


def test_original_gaps(lab):
    for gap in (0.1, 0.2):
        times = arrivals(lab, "", made(4), gap)
        assert times == pytest.approx([i * gap for i in range(4)], abs=0.03)


def test_original_gaps_do_not_drift(labs):
    times = arrivals(labs, "", made(50), 0.01)
    assert abs(drift(times, 0.01)) < 0.004
    assert times[-1] == pytest.approx(0.49, abs=0.05)


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ("--speed 2", 0.005),
        ("--speed 0.5", 0.02),
        ("--pps 200", 0.005),
        ("--mbps 1.6", 0.005),
        ("-f -w 5000", 0.005),
        ("-w 5000", 0.015),
        ("--pps 200 -w 5000", 0.01),
        ("-f -j -w 5000", 0.005),
        ("--pps 200 -j -w 5000", 0.01),
    ],
)
def test_paces(lab, options, step):
    times = arrivals(lab, options, made(30, 1000), 0.01)
    late = 0.3 if "-j" in options else 0.05  # with -j each packet's lateness is the next one's, too
    assert -0.05 < times[-1] - 29 * step < late
    if "-j" not in options:
        assert abs(drift(times, step)) < 0.004


def test_j_keeps_each_gap(lab):
    times = arrivals(lab, "-j", made(20), 0.01)
    gaps = [b - a for a, b in pairwise(times)]
    assert sum(gap > 0.009 for gap in gaps) >= 17  # the wire may hold one back, and the next one then comes closer
    assert 0.17 < times[-1] < 0.4


@pytest.mark.parametrize(("option", "catches_up"), [("", True), ("-j", False)])
def test_after_a_stop_the_original_timing_catches_up_and_j_does_not(lab, option, catches_up):
    watch = lab.watch("b", 20)
    sender = begin(lab, option, pcap(made(20), 0.02))
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    sender.send_signal(signal.SIGSTOP)
    time.sleep(0.4)  # the time it has to catch up with
    code, _, err = finish(sender, signal.SIGCONT)
    assert code == 0
    assert account(err)[:3] == (20, 20, 0)
    found = records(finish(watch)[1])
    seconds = (found[-1][0] - found[0][0]) / 1e9
    assert seconds == pytest.approx(0.5 if catches_up else 0.78, abs=0.09)


def test_lateness_is_said(lab):
    done = lab.run("a", "pkt-send -i eth0", pcap(made(20), 0.005))
    assert re.search(rb"; late by \d+ us \(median\), [\d.]+ [mu]s \(99 %\), [\d.]+ [mu]s \(worst\)\n$", done.stderr)


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_loop(lab, way, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap(made(3)))
    watch = lab.watch("b", 9)
    command = "cat {0} | pkt-send -i eth0 -f --loop 3" if way == "pipe" else "pkt-send -i eth0 -f --loop 3 --in {0}"
    done = lab.run("a", command.format(tmp_path / "in.pcap"))
    assert account(done.stderr.decode().splitlines())[:3] == (9, 9, 0)
    assert frames_of(finish(watch)[1]) == made(3) * 3


def test_limit_and_filter_hold_for_each_round(lab):
    watch = lab.watch("b", 6)
    done = lab.run("a", f"pkt-send -i eth0 -f --loop 3 -s 1 -l 2 ETHERNET.SRC_ADDR=={MAC['a']}", pcap(made(5)))
    assert account(done.stderr.decode().splitlines())[:3] == (6, 6, 0)
    assert frames_of(finish(watch)[1]) == made(5)[1:3] * 3


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_rounds_of_packets_that_are_kept_and_of_such_that_are_read_again(labs, count, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap([frame(i, 100 + i % 1300, source="a") for i in range(count)]))
    before, size = labs.counters("b"), 7 * sum(100 + i % 1300 for i in range(count))
    again = "import sys; from pkttools.commands import send; from pkttools.main import guarded; send.KEPT = 0; "
    again += "guarded('pkt-send', sys.argv[1:])"
    for command in ("pkt-send", f'PYTHONPATH={ROOT} {sys.executable} -c "{again}"'):
        done = labs.run("a", f"{command} -i eth0 -f --loop 7 --in {tmp_path / 'in.pcap'}")
        assert account(done.stderr.decode().splitlines())[:4] == (7 * count, 7 * count, 0, size), done.stderr
    after = labs.counters("b")
    assert (after["rx"] - before["rx"], after["rx_bytes"] - before["rx_bytes"]) == (14 * count, 2 * size)


def test_rounds_keep_their_order(labs):
    text = labs.run("a", "pkt-pcap2txt", pcap(made(40))).stdout
    watch = labs.watch("b", 240)
    labs.must("a", "pkt-send -i eth0 -f --loop 6 -c", text)
    assert frames_of(finish(watch)[1]) == made(40) * 6


def test_each_round_starts_from_what_was_read(labs):
    # The filter sees packets as they came, not what the assignments of the round before had made of them.
    watch = labs.watch("b", 9)
    labs.must("a", f"pkt-send -i eth0 -f --loop 3 ETHERNET.SRC_ADDR=={MAC['a']} ETHERNET.SRC_ADDR={MAC['b']}", pcap(made(3)))
    assert frames_of(finish(watch)[1]) == [data[:6] + data[:6] + data[12:] for data in made(3)] * 3


def test_each_round_says_the_same_once(lab):
    done = lab.run("a", "pkt-send -i eth0 -f --loop 5 -v", b"stray\n00 11\n-- 1 --\n" + made(1)[0].hex(" ").encode() + b"\n==\n")
    assert account(done.stderr.decode().splitlines())[:3] == (5, 5, 0)
    assert done.stderr.count(b"1 packet read, 1 passed on") == 1


def test_each_round_has_the_original_timing(lab):
    times = arrivals(lab, "--loop 3", made(3), 0.05, count=9)
    assert times[2] == pytest.approx(0.1, abs=0.03)
    assert times[8] - times[6] == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(("options", "step"), [("--pps 50", 0.02), ("--mbps 0.4", 0.02), ("-f -w 20000", 0.02), ("-w 20000", 0.02)])
def test_a_rate_holds_from_round_to_round(lab, options, step):
    # One packet again and again: the usual way to make a steady stream.
    times = arrivals(lab, f"{options} --loop 15", made(1, 1000), 0, count=15)
    assert times[-1] == pytest.approx(14 * step, abs=0.08)


def test_limit_leaves_an_endless_pipe(lab):
    text = "-- 1 --\\n02 00 00 00 00 0b 02 00 00 00 00 0a 88 b5 00\\n==\\n"
    done = lab.run("a", f"set +o pipefail; while printf -- '{text}'; do :; done 2>/dev/null | pkt-send -i eth0 -f -l 3")
    assert done.returncode == 0
    assert account(done.stderr.decode().splitlines())[:4] == (3, 3, 0, 45)


def test_complete_sets_the_interface_address(labs):
    watch = labs.watch("b", 2)
    foreign = [data[:6] + b"\x06" * 6 + data[12:] for data in made(2)]
    labs.must("a", "pkt-send -i eth0 -f -c", pcap(foreign))
    assert frames_of(finish(watch)[1]) == made(2)


def test_dry_run_sends_nothing_and_needs_no_privilege(labs):
    done = labs.run("a", f"{UNPRIVILEGED} pkt-send -i eth0 --dry-run", pcap(made(3, 77), 0.25))
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [f"{i + 1}\t{i * 0.25:.6f} s\t77 bytes\tlink type 1" for i in range(3)]
    assert done.stderr.decode() == "pkt-send: would send 3 packets, 231 bytes, in 0.500 s\n"
    assert labs.counters("a")["tx"] == 0


def test_dry_run_takes_no_time(lab):
    begun = time.monotonic()
    done = lab.run("a", "pkt-send --dry-run --loop 2 -l 2", pcap(made(3), 1000))
    assert time.monotonic() - begun < 5
    assert len(done.stdout.splitlines()) == 4


def test_empty_input(lab):
    for data in (b"", pcap([])):
        done = lab.run("a", "pkt-send -i eth0", data)
        assert done.returncode == 0
        assert account(done.stderr.decode().splitlines())[:4] == (0, 0, 0, 0)


COUNTED = {
    "longer than the MTU": (pcap([*made(1), *made(1, 2000), *made(1)]), "1 too long for the MTU of 1500"),
    "10 bytes": (pcap([*made(1), bytes(10), *made(1)]), "1 shorter than a link-layer header"),
    "raw IP": (b"LINKTYPE: 101\n-- 1 --\n45 00 00 14\n==\nLINKTYPE: 1\n" + 2 * f"-- 2 --\n{made(1)[0].hex(' ')}\n==\n".encode(),
               "1 link type 101 does not fit the interface"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), COUNTED.values(), ids=COUNTED)
def test_what_cannot_be_sent_is_counted_and_the_rest_is_sent(lab, data, reason):
    watch = lab.watch("b", 2)
    done = lab.run("a", "pkt-send -i eth0 -f", data)
    assert done.returncode == 1
    line, *hints = done.stderr.decode().splitlines()
    assert account([line])[:4] == (3, 2, 1, 120)
    assert f"1 failed ({reason});" in line
    segment = "pkt-send: eth0: pkt-segment --mtu 1500 cuts what is too long, TCP and UDP, as a card would have"
    assert hints == [segment] * ("MTU" in reason)
    assert frames_of(finish(watch)[1]) == made(1) * 2


ELSEWHERE = {
    "SLL": (113, bytes.fromhex("0000000100060200000000010000") + b"\x08\x00\x45" + bytes(19)),
    "SLL2": (276, bytes.fromhex("0800000000000001000100060200000000010000") + b"\x45" + bytes(19)),
    "raw IP": (101, b"\x45" + bytes(19)), "raw IPv6": (229, b"\x60" + bytes(39)), "loopback": (0, b"\2\0\0\0\x45" + bytes(19)),
    "802.11": (105, bytes(40)),
}  # fmt: skip


@pytest.mark.parametrize("words", [
    "pkt-send -i eth0", "pkt-send -i eth0 -f", "pkt-send -i eth0 --dry-run", "pkt-send --libpcap -i eth0",
    "pkt-send --libpcap -i eth0 --dry-run", "pkt-gen raw -i eth0",
])  # fmt: skip
@pytest.mark.parametrize(("linktype", "data"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_captures_of_another_link_type_fail_before_anything_is_sent(lab, words, linktype, data):
    done = lab.run("a", words, pcap([data] * 3, 3600, linktype))
    assert (done.returncode, done.stdout) == (1, b"")
    first = done.stderr.decode().splitlines()[0]
    assert f"eth0: link type {linktype} (" in first
    assert "does not fit the interface, which takes 1 (Ethernet): pkt-change --to-ethernet" in first
    assert lab.counters("a")["tx"] == 0


def test_what_is_converted_is_sent(lab):
    watch = lab.watch("b", 1)
    lab.must("a", "pkt-pipe 'change --to-ethernet | send -i eth0'", pcap([ELSEWHERE["SLL"][1]], 0, 113))
    assert frames_of(finish(watch)[1])[0][12:15] == b"\x08\x00\x45"


@pytest.mark.parametrize("words", ["pkt-send -i tun0", "pkt-send --libpcap -i tun0", "pkt-send -i tun0 --dry-run"])
def test_frames_do_not_fit_a_tunnel(lab, words):
    if lab.run("a", "ip tuntap add dev tun0 mode tun").returncode:
        pytest.skip("no TUN interfaces here: /dev/net/tun is missing or closed to this user")
    lab.must("a", "ip link set tun0 up")
    done = lab.run("a", words, pcap(made(2)))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"tun0: link type 1 (Ethernet) does not fit the interface, which takes 101 (Raw IP)\n" in done.stderr
    done = lab.run("a", words, pcap([ELSEWHERE["SLL"][1]], 0, 113))
    assert (done.returncode, b"pkt-change --unwrap" in done.stderr) == (1, True)


def test_a_rehearsal_counts_what_would_fail(lab):
    done = lab.run("a", "pkt-send -i eth0 --dry-run", COUNTED["raw IP"][0])
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 3)
    assert done.stderr.endswith(b"pkt-send: eth0: 1 packet of these would fail: their link type does not fit\n")


def test_several_reasons_are_counted_apart(lab):
    done = lab.run("a", "pkt-send -i eth0 -f", pcap([bytes(10), *made(2, 1515), *made(4), bytes(13)]))
    assert done.returncode == 1
    assert b"8 attempted = 4 sent + 4 failed (2 shorter than a link-layer header, 2 too long for the MTU of 1500);" in done.stderr


@pytest.mark.parametrize("options", ["-f", ""], ids=["fast", "paced"])
def test_failures_in_the_middle_of_bursts(labs, options):
    """All are due at once. The frames that fail stand alone and in groups, at the borders of system calls and within."""
    sent = made(300)
    wrong = {0: 10, 1: 2000, 62: 13, 63: 1515, 64: 0, 65: 0, 126: 2000, 128: 9, 129: 2000, 200: 2000, 201: 1, 299: 1515}
    mixed = [bytes(wrong[i]) if i in wrong else data for i, data in enumerate(sent)]
    good = [data for i, data in enumerate(sent) if i not in wrong]
    watch = labs.watch("b", len(good))
    before = labs.counters("b")
    done = labs.run("a", f"pkt-send -i eth0 {options}", pcap(mixed))
    assert done.returncode == 1
    line, _ = done.stderr.decode().splitlines()
    assert account([line])[:4] == (300, 288, 12, 288 * 60)
    assert "12 failed (6 shorter than a link-layer header, 6 too long for the MTU of 1500);" in line
    assert frames_of(finish(watch)[1]) == good
    assert labs.counters("b")["rx"] - before["rx"] == 288


@pytest.mark.parametrize("options", ["-f", ""], ids=["fast", "paced"])
def test_link_types_mixed(labs, options):
    types = [101 if i % 7 in (3, 4) or 100 < i < 180 else 1 for i in range(250)]
    text = "".join(
        f"LINKTYPE: {t}\n-- {i} --\n{data.hex(' ')}\n==\n" for i, (t, data) in enumerate(zip(types, made(250), strict=True))
    )
    good = [data for t, data in zip(types, made(250), strict=True) if t == 1]
    watch = labs.watch("b", len(good))
    done = labs.run("a", f"pkt-send -i eth0 {options}", text.encode())
    assert done.returncode == 1
    failed = 250 - len(good)
    assert account(done.stderr.decode().splitlines())[:3] == (250, len(good), failed)
    assert f"{failed} failed ({failed} link type 101 does not fit the interface);" in done.stderr.decode()
    assert frames_of(finish(watch)[1]) == good


@pytest.mark.parametrize("loop", [1, 3])
def test_what_was_cut_when_captured_is_counted_whether_it_is_sent_or_fails(labs, loop):
    capture = bytearray(pcap([*made(200), bytes(5)]))
    for number in (0, 63, 64, 150, 200):
        struct.pack_into("<I", capture, 24 + number * 76 + 12, 1400)
    done = labs.run("a", f"pkt-send -i eth0 -f --loop {loop}", bytes(capture))
    assert account(done.stderr.decode().splitlines())[:3] == (201 * loop, 200 * loop, loop)
    assert done.stderr.endswith(f"; {5 * loop} had been truncated when captured\n".encode())


MANY = 1_000_000  # frames: most of a second's work


def long_run(lab, tmp_path) -> subprocess.Popen[bytes]:
    """pkt-send -f at host a, at work."""
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap([frame(i, 60 + i, source="a") for i in range(1000)]))
    sender = lab.start("a", f"exec pkt-send -i eth0 -f --loop {MANY // 1000} --in {tmp_path / 'in.pcap'}")
    until(lambda: lab.counters("b")["rx"] >= 20_000, "frame 20,000")
    return sender


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_in_the_middle_of_bursts(labs, number, tmp_path):
    sender = long_run(labs, tmp_path)
    begun = time.monotonic()
    code, _, err = finish(sender, number)
    assert time.monotonic() - begun < 1
    assert code == 1
    assert err[0] == "pkt-send: stopped by a signal: the rest was not attempted"
    attempted, sent, failed, size, _ = account(err)
    assert 20_000 <= attempted == sent < MANY
    assert failed == 0
    for host, way in (("a", "tx"), ("b", "rx")):
        counted = labs.counters(host)
        assert (counted[way], counted[f"{way}_bytes"]) == (sent, size)


@pytest.mark.parametrize(("how", "reason"), [("set eth0 down", "interface is down"), ("del eth0", "interface is gone")])
def test_interface_goes_away_in_the_middle_of_bursts(labs, how, reason, tmp_path):
    sender = long_run(labs, tmp_path)
    labs.must("a", f"ip link {how}")
    code, _, err = finish(sender, timeout=60)
    assert code == 1
    attempted, sent, failed, _, _ = account(err)
    assert attempted == sent + failed == MANY
    assert failed > 0
    assert reason in err[-1]
    if "down" in how:  # else the other end is gone, too
        assert lost_by_the_kernel(sent, labs.counters("b")["rx"])


def lost_by_the_kernel(sent: int, seen: int) -> bool:
    """While an interface goes down, its queue is the kernel's noop_qdisc for a moment: it drops, and says that it did not."""
    return 0 <= sent - seen <= 1000


def test_interface_comes_back(lab, tmp_path):
    sender = long_run(lab, tmp_path)
    lab.must("a", "ip link set eth0 down && ip link set eth0 up")
    code, _, err = finish(sender, timeout=60)
    attempted, sent, failed, _, _ = account(err)
    assert (attempted, sent + failed, code) == (MANY, MANY, int(failed > 0))
    assert lost_by_the_kernel(sent, lab.counters("b")["rx"])


@pytest.mark.parametrize(("how", "reason"), [("set eth0 down", "interface is down"), ("del eth0", "interface is gone")])
def test_interface_goes_away_in_the_middle(lab, how, reason):
    sender = begin(lab, "", pcap(made(40), 0.02))
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    lab.must("a", f"ip link {how}")
    code, _, err = finish(sender)
    assert code == 1
    attempted, sent, failed, _, _ = account(err)
    assert attempted == sent + failed == 40
    assert sent >= 5
    # One that is deleted goes down first.
    assert re.search(rf"failed \(({failed} {reason}|\d+ interface is down, \d+ {reason})\)", err[-1])


@pytest.mark.parametrize("how", ["-f", "--pps 1000", "--pps 1000 --preload"])
def test_without_end_it_ends_when_the_interface_is_gone(lab, how):
    sender = begin(lab, f"{how} --loop 0", pcap(made(40)))
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    lab.must("a", "ip link del eth0")
    code, _, err = finish(sender, timeout=10)
    assert code == 1
    assert "pkt-send: eth0: interface is gone: nothing more can be sent" in err


def test_who_waits_for_more_says_that_the_interface_is_gone(lab):
    sender = lab.start("a", "exec pkt-send -i eth0 -f", stdin=-1)
    sender.stdin.write(pcap(made(5)))
    sender.stdin.flush()
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    lab.must("a", "ip link del eth0")
    sender.stdin.write(pcap(made(7))[24:])
    sender.stdin.flush()
    assert sender.stderr.readline() == b"pkt-send: eth0: interface is gone: nothing more can be sent\n"
    code, _, err = finish(sender)
    assert (code, account(err)[:3]) == (1, (12, 5, 7))


def test_a_rate_is_not_kept_for_what_goes_nowhere(lab):
    sender = begin(lab, "--pps 10", pcap(made(100)))
    until(lambda: lab.counters("b")["rx"] >= 2, "second frame")
    lab.must("a", "ip link del eth0")
    begun = time.monotonic()
    code, _, err = finish(sender)
    assert (code, time.monotonic() - begun < 4) == (1, True)
    attempted, sent, failed, _, _ = account(err)
    assert (attempted, sent + failed) == (100, 100)


FAILURES = {
    "no such interface": ("pkt-send -i nothere", "nothere: no such interface; there are lo, eth0"),
    "interface down": ("ip link set eth0 down; pkt-send -i eth0", "eth0: interface is down"),
    "no privilege": (f"{UNPRIVILEGED} pkt-send -i eth0", "eth0: not allowed to send: run it as root, with CAP_NET_RAW"),
    "no file": ("pkt-send -i eth0 --in nowhere/file", "nowhere/file: No such file or directory"),
}


@pytest.mark.parametrize(("command", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_is_one_line_and_code_1(lab, command, message):
    done = lab.run("a", command, pcap(made(1)))
    assert done.returncode == 1
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith("pkt-send: ")
    assert message in said


WRONG = ["-f --pps 5", "--speed 2 --mbps 1", "--pps 0", "--pps fast", "--loop -1", "-w", "--nonsense", "NO.FIELD==1"]


@pytest.mark.parametrize("options", WRONG)
def test_wrong_usage_is_code_2_and_sends_nothing(lab, options):
    done = lab.run("a", f"pkt-send -i eth0 {options}", pcap(made(1)))
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert lab.counters("a")["tx"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_stops_a_paced_sender_with_its_account(lab, number):
    # Three at once, then one every hundred seconds.
    sender = begin(lab, "-j", pcap(made(3)) + pcap(made(5), 100)[24:])
    until(lambda: lab.counters("b")["rx"] >= 4, "fourth frame")
    begun = time.monotonic()
    code, _, err = finish(sender, number)
    assert time.monotonic() - begun < 1
    assert code == 1
    assert err[0] == "pkt-send: stopped by a signal: the rest was not attempted"
    assert account(err)[:4] == (4, 4, 0, 240)


def test_account_after_a_signal_says_how_long_it_took(lab):
    sender = begin(lab, "", pcap(made(1000), 0.02))
    until(lambda: lab.counters("b")["rx"] >= 20, "twentieth frame")
    _, _, err = finish(sender, signal.SIGINT)
    assert 0.37 < account(err)[4] < 5


def test_account_comes_also_after_bad_input(lab):
    # Packets went out before the bad line: how many must be said.
    done = lab.run("a", "pkt-send -i eth0 -f", pcap(made(3)) + b"\xff" * 16)
    assert done.returncode == 1
    assert lab.counters("b")["rx"] == 3
    assert b"<stdin>: at byte " in done.stderr
    assert b"3 attempted = 3 sent + 0 failed" in done.stderr


def slow(lab, room: int) -> None:
    """Lets host a's interface carry 200 kbit/s, with room for some bytes in its queue; skips where that is not possible."""
    lab.need("tc")
    if lab.run("a", f"tc qdisc add dev eth0 root tbf rate 200kbit burst 2000 limit {room}").returncode:
        pytest.skip("no tbf queue in this kernel")


def test_a_full_queue_loses_nothing(lab):
    slow(lab, 3000)
    watch = lab.watch("b", 40)
    done = lab.run("a", "pkt-send -i eth0 -f", pcap(made(40, 500)))
    assert done.returncode == 0
    assert account(done.stderr.decode().splitlines())[:3] == (40, 40, 0)
    assert re.search(rb"; a full queue was tried again \d+ times", done.stderr)
    assert frames_of(finish(watch)[1]) == made(40, 500)


@pytest.mark.parametrize("room", [3000, 1_000_000], ids=["queue full", "socket full"])
def test_signal_stops_a_sender_that_waits_for_the_wire(lab, room):
    # The queue refuses when it has no room; the kernel lets a sender sleep when its socket's share is used up.
    slow(lab, room)
    sender = begin(lab, "-f", pcap(made(400, 500)))
    until(lambda: lab.counters("b")["rx"] >= 10, "tenth frame")
    code, _, err = finish(sender, signal.SIGINT, timeout=6)  # all of it would take 8 s
    assert code == 1
    assert 10 <= account(err)[0] < 400


def test_closed_standard_input_is_an_error(lab):
    # The next descriptor that is opened gets its number: the packet socket must not become the input.
    done = lab.run("a", "exec pkt-send -i eth0 <&-", timeout=5)
    assert done.returncode == 1
    assert done.stderr.startswith(b"pkt-send: <stdin>: ")


def test_loopback(lab):
    capture = lab.capture("a", "pkt-recv -i lo -l 3 -F pcap")
    lab.must("a", "pkt-send -i lo -f", pcap(made(3)))
    assert frames_of(finish(capture)[1]) == made(3)


def test_foreign_addresses_are_sent(lab):
    watch = lab.watch("b", 1)
    data = bytes.fromhex("ffffffffffff" + MAC[PEER["a"]].replace(":", "") + "88b5") + b"from anyone to all"
    lab.must("a", "pkt-send -i eth0", pcap([data]))
    assert frames_of(finish(watch)[1]) == [data]
