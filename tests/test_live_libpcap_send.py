"""pkt-send --libpcap on a real wire, judged by a plain socket at the other end and by the kernel's counters."""

import signal
import subprocess
import time

import pytest
from netns import UNPRIVILEGED, finish, frame, frames_of, pcap, records
from netns import lab as _lab
from netns import labs as _labs
from test_live_send import account, drift, lost_by_the_kernel, made, slow
from waits import until

from pkttools.errors import PktError
from pkttools.libpcap.system import library

lab, labs = _lab, _labs
SEND = "pkt-send --libpcap -i eth0"

try:
    library()
except PktError as error:
    pytest.skip(str(error), allow_module_level=True)


def test_bytes_arrive_as_they_are(labs):
    sent = [bytes(i * j & 255 for j in range(size)) for i, size in enumerate([14, 15, 59, 60, 61, 64, 128, 999, 1513, 1514] * 20)]
    watch = labs.watch("b", len(sent))
    before = labs.counters("b")
    done = labs.run("a", f"{SEND} -f", pcap(sent))
    assert done.returncode == 0
    assert account(done.stderr.decode().splitlines())[:4] == (200, 200, 0, sum(map(len, sent)))
    assert frames_of(finish(watch)[1]) == sent
    assert labs.counters("b")["rx"] - before["rx"] == 200


def test_pace_and_lateness(labs):
    watch = labs.watch("b", 50)
    done = labs.run("a", SEND, pcap(made(50), 0.01))
    assert done.returncode == 0
    assert b"; late by " in done.stderr
    found = records(finish(watch)[1])
    times = [(when - found[0][0]) / 1e9 for when, _, _ in found]
    assert abs(drift(times, 0.01)) < 0.004
    assert times[-1] == pytest.approx(0.49, abs=0.05)


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_loop_and_own_address(lab, way, tmp_path):
    tmp_path.chmod(0o777)
    foreign = [data[:6] + b"\x06" * 6 + data[12:] for data in made(3)]
    (tmp_path / "in.pcap").write_bytes(pcap(foreign))
    watch = lab.watch("b", 9)
    command = f"cat {{0}} | {SEND} -f -c --loop 3" if way == "pipe" else f"{SEND} -f -c --loop 3 --in {{0}}"
    done = lab.run("a", command.format(tmp_path / "in.pcap"))
    assert account(done.stderr.decode().splitlines())[:3] == (9, 9, 0)
    assert frames_of(finish(watch)[1]) == made(3) * 3


def test_failures_in_the_middle_are_counted_and_the_rest_is_sent(labs):
    wrong = {0: 10, 1: 2000, 62: 13, 63: 1515, 64: 0, 65: 0, 126: 2000, 128: 9, 129: 2000, 200: 2000, 201: 1, 299: 1515}
    mixed = [bytes(wrong[i]) if i in wrong else data for i, data in enumerate(made(300))]
    good = [data for i, data in enumerate(made(300)) if i not in wrong]
    watch = labs.watch("b", len(good))
    done = labs.run("a", f"{SEND} -f", pcap(mixed))
    line, _ = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert account([line])[:4] == (300, 288, 12, 288 * 60)
    assert "12 failed (6 shorter than a link-layer header, 6 too long for the MTU);" in line
    assert frames_of(finish(watch)[1]) == good


def test_other_link_types_do_not_fit(lab):
    text = b"LINKTYPE: 101\n-- 1 --\n45 00 00 14\n==\nLINKTYPE: 1\n" + f"-- 2 --\n{made(1)[0].hex(' ')}\n==\n".encode()
    done = lab.run("a", f"{SEND} -f", text)
    assert done.returncode == 1
    assert b"2 attempted = 1 sent + 1 failed (1 link type 101 does not fit the interface);" in done.stderr


def test_raw_ip_into_a_tunnel(lab):
    if lab.run("a", "ip tuntap add dev tun0 mode tun").returncode:
        pytest.skip("no TUN interfaces here: /dev/net/tun is missing or closed to this user")
    lab.must("a", "ip link set tun0 up")
    lab.read_tun("a", "tun0", 1)
    packet = bytes.fromhex("450000140000000040010000c0000201c0000202")
    done = lab.run("a", "pkt-send --libpcap -i tun0", pcap([packet], linktype=101))
    assert (done.returncode, done.stderr.split(b";")[0]) == (0, b"pkt-send: tun0: 1 attempted = 1 sent + 0 failed")


def test_nothing_is_received_meanwhile(lab):
    """Its socket could, and all that is on the wire would be copied for nobody: a filter lets nothing through."""
    lab.need("ss")
    sender = lab.start("a", f"exec {SEND}", stdin=subprocess.PIPE)
    sender.stdin.write(pcap(made(1)))
    sender.stdin.flush()
    until(lambda: lab.counters("b")["rx"] >= 1, "first frame")
    assert b"bpf filter (1):  0x06 0 0 0" in lab.must("a", "ss -0 -b")
    code, _, err = finish(sender)
    assert (code, account(err)[:3]) == (0, (1, 1, 0))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_in_the_middle(labs, number, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap(made(1000)))
    sender = labs.start("a", f"exec {SEND} -f --loop 2000 --in {tmp_path / 'in.pcap'}")
    until(lambda: labs.counters("b")["rx"] >= 20_000, "frame 20,000")
    begun = time.monotonic()
    code, _, err = finish(sender, number)
    assert time.monotonic() - begun < 1
    assert (code, err[0]) == (1, "pkt-send: stopped by a signal: the rest was not attempted")
    attempted, sent, failed, size, _ = account(err)
    assert 20_000 <= attempted == sent < 2_000_000
    assert (failed, labs.counters("b")["rx"], labs.counters("b")["rx_bytes"]) == (0, sent, size)


@pytest.mark.parametrize("room", [3000, 1_000_000], ids=["queue full", "socket full"])
def test_signal_stops_a_sender_that_waits_for_the_wire(lab, room):
    slow(lab, room)
    sender = lab.start("a", f"exec {SEND} -f", stdin=subprocess.PIPE)
    sender.stdin.write(pcap(made(400, 500)))
    sender.stdin.close()
    sender.stdin = None
    until(lambda: lab.counters("b")["rx"] >= 10, "tenth frame")
    code, _, err = finish(sender, signal.SIGINT, timeout=6)  # all of it would take 8 s
    assert code == 1
    assert 10 <= account(err)[0] < 400


def test_a_full_queue_loses_nothing(lab):
    slow(lab, 3000)
    watch = lab.watch("b", 40)
    done = lab.run("a", f"{SEND} -f", pcap(made(40, 500)))
    assert done.returncode == 0
    assert account(done.stderr.decode().splitlines())[:3] == (40, 40, 0)
    assert b"; a full queue was tried again " in done.stderr
    assert frames_of(finish(watch)[1]) == made(40, 500)


@pytest.mark.parametrize(("how", "reason"), [("set eth0 down", "interface is down"), ("del eth0", "interface is gone")])
def test_interface_goes_away(lab, how, reason, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap(made(1000)))
    sender = lab.start("a", f"exec {SEND} -f --loop 300 --in {tmp_path / 'in.pcap'}")
    until(lambda: lab.counters("b")["rx"] >= 20_000, "frame 20,000")
    lab.must("a", f"ip link {how}")
    code, _, err = finish(sender, timeout=60)
    attempted, sent, failed, _, _ = account(err)
    assert (code, attempted, sent + failed) == (1, 300_000, 300_000)
    assert failed > 0
    assert reason in err[-1]
    if "down" in how:
        assert lost_by_the_kernel(sent, lab.counters("b")["rx"])


FAILURES = {
    "no such interface": ("pkt-send --libpcap -i nothere", 1, "nothere: no such interface; there are "),
    "no such interface to rehearse with": ("pkt-send --libpcap --dry-run -i nothere", 1, "nothere: no such interface; there are "),
    "no interface": ("pkt-send --libpcap", 2, "no interface given: -i IFACE, one of "),
    "interface down": (f"ip link set eth0 down; {SEND}", 1, "eth0: interface is down"),
    "no privilege": (f"{UNPRIVILEGED} {SEND}", 1, "eth0: not allowed to send: run it as root, with CAP_NET_RAW"),
    "no address": ("pkt-send --libpcap -i any -c", 1, "any: libpcap knows no MAC address of it"),
}


@pytest.mark.parametrize(("command", "code", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_is_one_line(lab, command, code, message):
    done = lab.run("a", command, pcap(made(1)))
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (code, b"")
    assert lines[0].startswith("pkt-send: ")
    assert message in lines[0]
    assert len(lines) == (2 if code == 2 else 1)


def test_dry_run_needs_no_privilege(lab):
    done = lab.run("a", f"{UNPRIVILEGED} {SEND} --dry-run", pcap(made(3, 77), 0.25))
    assert done.returncode == 0
    assert done.stdout.count(b"\t77 bytes\tlink type 1\n") == 3
    assert lab.counters("a")["tx"] == 0


@pytest.mark.parametrize(("first", "last"), [("--libpcap", "--libpcap"), ("--libpcap", ""), ("", "--libpcap")])
def test_both_ends_of_a_pipe(labs, first, last):
    """What comes in at host a goes back to host b, changed; the ring's memory and ours both."""
    watch = labs.watch("b", 500)
    router = labs.capture("a", f"pkt-pipe 'recv {first} -i eth0 -ro -l 500 | change --swap | send {last} -i eth0 -f'")
    sent = [frame(i, 60 + i) for i in range(500)]
    labs.inject("b", sent)
    code, _, err = finish(router)
    assert code == 0
    assert err[0] == "pkt-pipe: recv: eth0: 500 packets received, 0 dropped by the kernel"
    assert err[1].startswith("pkt-pipe: send: eth0: 500 attempted = 500 sent + 0 failed; ")
    assert frames_of(finish(watch)[1]) == [data[6:12] + data[:6] + data[12:] for data in sent]


def test_a_packet_without_bytes(lab):
    """It fails, alone in its batch as among others, and the rest is sent."""
    none, some = b"-- 1 --\nSIZE: 0\n==\n", b"-- 1 --\nSIZE: 60\n==\n"
    for data in (none, some + none + some, none + none):
        done = lab.run("a", "pkt-send -f -i eth0 --libpcap", data)
        good = data.count(some)
        assert done.returncode == 1
        assert f"{data.count(b'SIZE')} attempted = {good} sent + ".encode() in done.stderr, done.stderr
