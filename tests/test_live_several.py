"""pkt-send by two interfaces: what arrives at each and when, judged by plain sockets at the other ends."""

from __future__ import annotations

import sys
import time
from ipaddress import ip_address
from itertools import pairwise

import pytest
from netns import MAC, WATCH, Lab, finish, frame, frames_of, lab_of_two, labs_of_two, pcap, records
from samples import ethernet, ipv4, ipv6, tcp, udp
from waits import until

lab, labs = lab_of_two, labs_of_two
HOSTS4, HOSTS6 = {"a": "192.0.2.1", "b": "192.0.2.2"}, {"a": "2001:db8::1", "b": "2001:db8::2"}  # of nobody on the wires
BY_B = f"--via eth1=ETHERNET.SRC_ADDR=={MAC['b']}"


def talk(count: int) -> list[bytes]:
    """What two hosts say, not always in turns."""
    return [frame(i, 60 + i, source="b" if i % 3 == 1 or i % 7 == 2 else "a") for i in range(count)]


def said_by(host: str, frames: list[bytes]) -> list[bytes]:
    return [each for each in frames if each[6:12] == bytes.fromhex(MAC[host].replace(":", ""))]


def replayed(lab: Lab, options: str, capture: bytes, counts: tuple[int, int]) -> tuple[list[bytes], list[str]]:
    """Sends a capture by both wires; gives what came in by each, as captures, and what pkt-send said."""
    watches = [lab.capture("b", f"exec {sys.executable} -c '{WATCH}' eth{i} {count}") for i, count in enumerate(counts) if count]
    done = lab.run("a", f"pkt-send -i eth0 {options}", capture)
    return [finish(watch)[1] for watch in watches], done.stderr.decode().splitlines()


def test_two_hosts_are_replayed(labs):
    """Each end gets what its host said, byte for byte; all of it in the order and at the distances of the capture."""
    sent = talk(60)
    a, b = said_by("a", sent), said_by("b", sent)
    came, said = replayed(labs, BY_B, pcap(sent, 0.005), (len(a), len(b)))
    assert [frames_of(each) for each in came] == [a, b]
    assert [line.partition(";")[0] for line in said] == [
        f"pkt-send: eth0: {len(a)} attempted = {len(a)} sent + 0 failed",
        f"pkt-send: eth1: {len(b)} attempted = {len(b)} sent + 0 failed",
    ]
    assert all("late by" in line for line in said)
    arrived = sorted(stamp for each in came for stamp in records(each))
    assert [data for _, _, data in arrived] == sent
    late = sorted(when - i * 5_000_000 for i, (when, _, _) in enumerate(arrived))
    middle = late[len(late) // 2]
    assert sum(abs(each - middle) < 10_000_000 for each in late) > len(late) // 2


def test_two_hosts_are_told_apart_by_ip(lab):
    """Of either version: both ways of a conversation, to the microsecond in one order."""
    sent = []
    for i in range(40):
        v4, (a, b) = i % 2 == 0, (("b", "a") if i % 3 else ("a", "b"))
        packet = bytearray(ipv4(6, tcp(bytes([i]) * 9)) if v4 else ipv6(17, udp(bytes([i]) * 9)))
        packet[slice(12, 20) if v4 else slice(8, 40)] = b"".join(
            ip_address((HOSTS4 if v4 else HOSTS6)[host]).packed for host in (a, b)
        )
        sent.append((a, ethernet(0x0800 if v4 else 0x86DD, bytes(packet))))
    expected = [[frame for host, frame in sent if host == wanted] for wanted in "ab"]
    via = f"--via 'eth1=IP.SRC_ADDR=={HOSTS4['b']} || IPV6.SRC_ADDR=={HOSTS6['b']}'"
    came, _ = replayed(lab, f"--pps 4000 {via}", pcap([frame for _, frame in sent]), (len(expected[0]), len(expected[1])))
    assert [frames_of(each) for each in came] == expected and min(map(len, expected)) > 10
    assert [data for _, _, data in sorted(stamp for each in came for stamp in records(each))] == [frame for _, frame in sent]


@pytest.mark.parametrize("options", ["-f", "--pps 20000", "-f --loop 3", "--preload --loop 3 --pps 20000", "-f --xmit direct"])
def test_each_way_of_sending(lab, options):
    sent = talk(50)
    expected = sent * (3 if "--loop 3" in options else 1)
    a, b = said_by("a", expected), said_by("b", expected)
    came, said = replayed(lab, f"{options} {BY_B}", pcap(sent), (len(a), len(b)))
    assert [frames_of(each) for each in came] == [a, b]
    assert [line.partition(" sent")[0] for line in said] == [
        f"pkt-send: eth0: {len(a)} attempted = {len(a)}", f"pkt-send: eth1: {len(b)} attempted = {len(b)}"
    ]  # fmt: skip
    assert all(("late by" in line) == ("--pps" in options) for line in said)
    order = [data for _, _, data in sorted(stamp for each in came for stamp in records(each))]
    assert order == expected


def test_what_would_be_sent_by_which(lab):
    sent = talk(5)
    done = lab.run("a", f"pkt-send --dry-run -i eth0 {BY_B}", pcap(sent, 0.5))
    names = ["eth1" if each[11] == 0x0B else "eth0" for each in sent]
    assert [line.split("\t")[-1] for line in done.stdout.decode().splitlines()] == names
    assert (done.returncode, done.stderr) == (0, b"pkt-send: would send 5 packets, 310 bytes, in 2.000 s\n")


@pytest.mark.parametrize(("words", "said"), [
    ("--via eth1", "--via 'eth1': wanted is IFACE=EXPR, such as eth1=IP.SRC_ADDR==192.0.2.1"),
    ("-i eth0 --via eth0=IP", "--via: eth0 is given twice"), ("--via eth1=IP", "--via needs -i, for what it does not match"),
    ("-i eth0 --via eth1=IP --xdp", "--via is not for --xdp"),
    ("-i eth0 --loop-delay 1", "--loop-delay is between the rounds of --loop"),
    ("-i eth0 --one-at-a-time --pps 5", "--one-at-a-time goes by keys alone"),
    ("-i eth0 --libpcap --xmit direct", "--xmit is for Linux's own way of sending"),
])  # fmt: skip
def test_wrong_usage(lab, words, said):
    done = lab.run("a", f"pkt-send {words}")
    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (2, f"pkt-send: {said}")


def test_by_libpcap(lab):
    sent = talk(20)
    came, _ = replayed(lab, f"--libpcap --pps 1000 {BY_B}", pcap(sent), (len(said_by("a", sent)), len(said_by("b", sent))))
    assert [frames_of(each) for each in came] == [said_by("a", sent), said_by("b", sent)]


def test_what_fails_at_one_of_them(labs):
    """It is that one's, and does not stop the other."""
    sent = talk(30)
    a, b = said_by("a", sent), said_by("b", sent)
    labs.must("a", "ip link set eth1 mtu 100")
    long = [*sent, frame(99, 400, source="b"), frame(100, 400, source="a")]
    came, said = replayed(labs, f"--pps 5000 {BY_B}", pcap(long), (len(a) + 1, len(b)))
    assert [len(frames_of(each)) for each in came] == [len(a) + 1, len(b)]
    assert f"eth0: {len(a) + 1} attempted = {len(a) + 1} sent + 0 failed" in said[0]
    assert f"eth1: {len(b) + 1} attempted = {len(b)} sent + 1 failed (1 too long for the MTU of 100)" in said[1]


def test_each_has_its_own_address(lab):
    macs = [lab.must("a", f"ip -o link show eth{i}").decode().partition("link/ether ")[2][:17] for i in range(2)]
    assert macs[0] != macs[1]
    sent = talk(10)
    came, _ = replayed(lab, f"-f -c {BY_B}", pcap(sent), (len(said_by("a", sent)), len(said_by("b", sent))))
    assert [{each[6:12].hex(":") for each in frames_of(capture)} for capture in came] == [{macs[0]}, {macs[1]}]


def test_link_types_that_do_not_fit(lab):
    """Whatever goes by an interface is judged by it alone; such packets keep their time."""
    sent = [frame(i, source="a") for i in range(4)]
    text = lab.must("a", "pkt-pcap2txt", pcap(sent, 0.02)).decode()
    head, *packets = text.split("-- ")
    changed = head + "-- ".join(["", packets[0], packets[1], "3 --\n" + packets[2].partition("\n")[2], packets[3]])
    mixed = changed.replace("-- 3 --", "LINKTYPE: 101\n-- 3 --").replace("-- 4 --", "LINKTYPE: 1\n-- 4 --").encode()
    came, said = replayed(lab, "--via eth1=ETHERNET.SRC_ADDR==02:00:00:00:00:99", mixed, (3, 0))
    assert frames_of(came[0]) == [sent[0], sent[1], sent[3]]
    assert "4 attempted = 3 sent + 1 failed (1 link type 101 does not fit the interface)" in said[0]
    assert said[1].startswith("pkt-send: eth1: 0 attempted")
    gaps = [(b - a) / 1e9 for (a, *_), (b, *_) in pairwise(records(came[0]))]
    assert gaps[1] > 0.035


def test_a_rate_is_not_kept_where_all_interfaces_are_gone(lab):
    sender = lab.start("a", f"exec pkt-send -i eth0 {BY_B} --pps 10", stdin=-1)
    sender.stdin.write(pcap(talk(100)))
    sender.stdin.close()
    sender.stdin = None
    until(lambda: lab.counters("b")["rx"] >= 2, "second frame")
    begun = time.monotonic()
    lab.must("a", "ip link del eth0; ip link del eth1")
    code, _, said = finish(sender, timeout=10)
    assert (code, time.monotonic() - begun < 4) == (1, True)
    assert sum(int(line.split(": ")[2].split()[0]) for line in said if " attempted = " in line) == 100, said


def test_without_end_it_ends_when_all_interfaces_are_gone(lab):
    via = "--via eth1=ETHERNET.SRC_ADDR==02:00:00:00:00:0b"
    sender = lab.start("a", f"exec pkt-send -i eth0 {via} --pps 1000 --loop 0", stdin=-1)
    sender.stdin.write(pcap([frame(i, source="ab"[i % 2]) for i in range(40)]))
    sender.stdin.close()
    sender.stdin = None
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    lab.must("a", "ip link del eth0")
    assert sender.stderr.readline() == b"pkt-send: eth0: interface is gone: nothing more can be sent\n"
    assert sender.poll() is None
    lab.must("a", "ip link del eth1")
    code, _, said = finish(sender, timeout=10)
    assert code == 1
    assert said[0] == "pkt-send: eth1: interface is gone: nothing more can be sent"
