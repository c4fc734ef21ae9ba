"""pkt-xdp on a real wire: what is shown, what becomes of frames, and what is left when it ends."""

from __future__ import annotations

import re
import signal
import struct
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from conftest import shell
from netns import IP, IP6, finish, frame, frames_of, pcap, records
from netns import lab as _lab
from waits import is_full, until
from xdp import attached, need_bpf

lab = _lab
MODES = pytest.mark.parametrize("mode", ["native", "generic"])
BUFFERS = pytest.mark.parametrize("buffer", ["", "--perf"], ids=["ring", "perf"])
ARP_SAID = "pkt-xdp: ARP passes too, or IPv4 would be cut off; --no-allow-arp takes it like other frames"
LISTEN = """
import socket
sock = socket.socket(socket.AF_INET6)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.bind(("::", 7000))
sock.listen()
print("ready", flush=True)
while True:
    peer, _ = sock.accept()
    peer.sendall(b"hello")
    peer.close()
"""
CONNECT = "import socket, sys; print(socket.create_connection((sys.argv[1], 7000), 0.7).recv(9).decode())"


@pytest.fixture(autouse=True)
def bpf():
    need_bpf()


def attach(lab, words: str, host: str = "a", interface: str = "eth0"):
    """Starts pkt-xdp, and waits until its program is at the interface."""
    process = lab.start(host, f"exec pkt-xdp -i {interface} {words}")
    until(lambda: process.poll() is not None or attached(lab, host, interface), f"XDP program of {words}")
    assert process.poll() is None, process.stderr.read()
    return process


def account(line: str) -> dict[str, int]:
    """The numbers of an account."""
    found = re.fullmatch(
        r"pkt-xdp: \w+: (?:native|generic): (?P<frames>\d+) frames?, (?P<matched>\d+) matched, (?P<passed>\d+) passed"
        r"(?: \((?P<arp>\d+) of them ARP\))?, (?P<dropped>\d+) dropped, (?P<sent>\d+) tx, (?P<lost>\d+) lost",
        line,
    )
    assert found, line
    return {name: int(number or 0) for name, number in found.groupdict().items()}


def connects(lab, address: str) -> bool:
    return lab.run("b", f"{sys.executable} -c '{CONNECT}' {address}").stdout == b"hello\n"


@MODES
@BUFFERS
def test_the_classic_exercise(lab, mode, buffer):
    """Pings are answered and shown, all else is dropped in front of the stack, until the process is killed."""
    lab.ipv6()
    server = lab.start("a", f"exec {sys.executable} -c '{LISTEN}'")
    assert server.stdout.readline() == b"ready\n"
    assert connects(lab, IP["a"]) and connects(lab, IP6["a"])
    process = attach(lab, f"'icmp or icmp6' --match pass --else drop --mode {mode} {buffer} -F pcap")
    lab.must("b", f"ping -c 3 -i 0.05 -W 2 {IP['a']}")
    lab.must("b", f"ping -c 3 -i 0.05 -W 2 -s 1300 {IP6['a']}")
    assert not connects(lab, IP["a"]) and not connects(lab, IP6["a"])
    process.kill()
    until(lambda: not attached(lab), "end of the program")
    assert connects(lab, IP["a"]) and connects(lab, IP6["a"])


@MODES
@BUFFERS
def test_what_is_shown_of_it(lab, mode, buffer):
    lab.need_tcpdump()
    lab.ipv6()
    server = lab.start("a", f"exec {sys.executable} -c '{LISTEN}'")
    assert server.stdout.readline() == b"ready\n"
    process = attach(lab, f"icmp or icmp6 --match pass --else drop --mode {mode} {buffer} --sample 2000 -F pcap")
    judge = lab.capture("a", "tcpdump -i eth0 --immediate-mode -s 2000 -B 4096 -Q in -w -")
    lab.must("b", f"ping -c 3 -i 0.05 -W 2 {IP['a']}")
    lab.must("b", f"ping -c 3 -i 0.05 -W 2 -s 1300 {IP6['a']}")
    assert not connects(lab, IP["a"])
    lab.inject("b", [frame(i) for i in range(50)])
    code, out, err = finish(process, signal.SIGINT)
    assert (code, err[0], len(err)) == (0, ARP_SAID, 2)
    numbers = account(err[1])
    assert numbers["lost"] == numbers["sent"] == 0
    assert numbers["dropped"] >= 51  # and the attempts to connect
    shown = frames_of(out)
    assert numbers["matched"] == numbers["passed"] - numbers["arp"] == len(shown)
    assert sum(data[12:14] == b"\x08\x00" and data[34] == 8 for data in shown) == 3
    assert sum(data[12:14] == b"\x86\xdd" and data[54] == 128 and len(data) == 1362 for data in shown) == 3
    seen = frames_of(finish(judge, signal.SIGINT)[1])
    assert [data for data in seen if data[12:14] != b"\x08\x06"] == shown  # nothing of what was dropped


@MODES
@pytest.mark.parametrize("words, wanted", [
    ("", {"matched": 90, "passed": 90}),
    ("--match drop", {"matched": 90, "dropped": 90}),
    ("'ether[17] < 30' --else drop --no-allow-arp", {"matched": 30, "passed": 30, "dropped": 60}),
    ("'ether[17] < 30' --match drop", {"matched": 30, "dropped": 30, "passed": 60}),
    ("ether[17] '< 30' --match drop --else drop", {"matched": 30, "dropped": 90}),
    ("ip", {"matched": 0, "passed": 90}),
])  # fmt: skip
def test_counters(lab, mode, words, wanted):
    process = attach(lab, f"{words} --mode {mode} -F pcap")
    sent = [frame(i) for i in range(90)]
    lab.inject("b", sent)
    code, out, err = finish(process, signal.SIGINT)
    assert code == 0
    assert account(err[-1]) == {"frames": 90, "passed": 0, "dropped": 0, "sent": 0, "lost": 0, "arp": 0, **wanted}
    assert frames_of(out) == sent[: wanted["matched"]]
    assert len(err) == 1
    assert f": {mode}: " in err[0]


@MODES
def test_frames_go_back(lab, mode):
    if mode == "native":
        attach(lab, "", "b")  # else the other end of a veth pair takes none
    judge = lab.watch("b", 20)
    process = attach(lab, f"'ether[17] & 1 = 1' --match tx --else drop --mode {mode} -F pcap")
    sent = [frame(i) for i in range(40)]
    lab.inject("b", sent)
    assert frames_of(finish(judge)[1]) == sent[1::2]
    code, out, err = finish(process, signal.SIGTERM)
    assert (code, frames_of(out)) == (0, sent[1::2])
    assert account(err[0]) == {"frames": 40, "matched": 20, "passed": 0, "dropped": 20, "sent": 20, "lost": 0, "arp": 0}


def test_frames_of_this_host_come_back_unfinished(lab):
    """Their checksum was left to the card, which veth is not, and nothing of that is known any more: pkt-correct finishes it."""
    attach(lab, "", "b")
    attach(lab, "'udp port 7777' --match tx --else pass --mode native")
    assert arped(lab)
    back = lab.capture("b", "exec pkt-recv -i eth0 -ro -l 1 UDP.DST_PORT==7777")
    lab.must("b", f"echo hello > /dev/udp/{IP['a']}/7777")
    code, out, err = finish(back)
    assert (code, out.count(b"==\n")) == (0, 1), err
    assert b"1 unfinished (left to the network card), 0 wrong" in shell("pkt-analyze", out).stderr
    assert shell("pkt-correct | pkt-check -cs", out).stdout.count(b"==\n") == 1


def arped(lab) -> bool:
    """Whether b finds a's address out, and gets an answer."""
    lab.run("b", f"ip neigh del {IP['a']} dev eth0")
    return lab.run("b", f"ping -c 1 -W 1 {IP['a']}").returncode == 0


@MODES
@pytest.mark.parametrize("words, found, said", [
    ("--else drop", True, True), ("--else drop --allow-arp", True, False), ("--else drop --no-allow-arp", False, False),
    ("--else pass", True, False), ("--else tx --allow-arp", True, False),
])  # fmt: skip
def test_arp(lab, mode, words, found, said):
    process = attach(lab, f"icmp {words} --mode {mode}")
    assert arped(lab) == found
    _, _, err = finish(process, signal.SIGINT)
    assert (err[0] == ARP_SAID) == said
    assert len(err) == 1 + said
    assert (account(err[-1])["arp"] > 0) == (found and "pass" not in words)


@MODES
def test_tags_stay_in_the_frame(lab, mode):
    process = attach(lab, f"vlan 42 --mode {mode} -F pcap")
    tags = ["8100002a", "81000007", "", "8100602a", "88a80064810000c8", "8100002a810000c8"]
    sent = [frame(i, tags=bytes.fromhex(each)) for i, each in enumerate(tags)]
    lab.inject("b", sent)
    code, out, err = finish(process, signal.SIGINT)
    assert (code, frames_of(out)) == (0, [sent[0], sent[3], sent[5]])
    assert account(err[0])["frames"] == 6


@MODES
@BUFFERS
def test_jumbo_frames(lab, mode, buffer):
    for host in "ab":
        lab.must(host, "ip link set eth0 mtu 9000")
    process = attach(lab, f"'len = 9014' --mode {mode} --sample 10000 {buffer} -F pcap")
    sent = [frame(i, 9014) for i in range(30)]
    lab.inject("b", [frame(1, 9013), *sent])
    code, out, err = finish(process, signal.SIGINT)
    assert (code, frames_of(out)) == (0, sent)
    assert account(err[0])["frames"] == 31


@BUFFERS
def test_samples_are_cut(lab, buffer):
    process = attach(lab, f"--sample 100 {buffer}")
    lab.inject("b", [frame(1, 1400), frame(2, 60)])
    _, out, _ = finish(process, signal.SIGINT)
    assert re.findall("^SIZE: (.*)$", out.decode(), re.M) == ["100/1400", "60/60"]
    process = attach(lab, buffer)
    lab.inject("b", [frame(1, 1400)])
    assert re.findall("^SIZE: (.*)$", finish(process, signal.SIGINT)[1].decode(), re.M) == ["1024/1400"]


@BUFFERS
@pytest.mark.parametrize("backend", ["c", "python"])
def test_many_frames(lab, buffer, backend):
    """What is still in the ring at the end is written."""
    lab.environment["PKTTOOLS_CODEC"] = backend
    process = attach(lab, f"{buffer} -F pcap --nano")
    sent = [frame(i, 60 + i % 900) for i in range(9000)]
    process.send_signal(signal.SIGSTOP)
    lab.inject("b", sent)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process, signal.SIGCONT)
    assert code == 0
    found = records(out)
    assert sorted(data for _, _, data in found) == sorted(sent)
    if not buffer:  # processors have a perf buffer each
        assert [data for _, _, data in found] == sent
        stamps = [stamp for stamp, _, _ in found]  # ktime_get_mono_fast_ns in Linux may go back by nanoseconds
        assert all(later - earlier > -1000 for earlier, later in pairwise(stamps))
    assert account(err[0])["matched"] == 9000


@BUFFERS
def test_times_are_those_of_the_day(lab, buffer):
    judge = lab.watch("a", 5)
    process = attach(lab, f"--mode generic -F pcap --nano {buffer}")
    lab.inject("b", [frame(i) for i in range(5)])
    theirs, ours = records(finish(judge)[1]), records(finish(process, signal.SIGINT)[1])
    assert len(ours) == 5
    assert all(abs(one - other) < 20_000_000 for (one, *_), (other, *_) in zip(ours, theirs, strict=True))


def test_accounts_meanwhile(lab):
    process = attach(lab, "--stats 0.2 --duration 1.5 --out /dev/null")
    lab.inject("b", [frame(i) for i in range(10)])
    code, _, err = finish(process)
    assert code == 0
    numbers = [account(line)["frames"] for line in err]
    assert 5 <= len(numbers) <= 8
    assert numbers == sorted(numbers) and numbers[-1] == 10


def test_each_packet_at_once(lab):
    """Somebody waits: it is written when it comes, not at the end."""
    process = attach(lab, "")
    for i in range(3):
        lab.inject("b", [frame(i)])
        while process.stdout.readline() != b"==\n":
            assert process.poll() is None
    assert account(finish(process, signal.SIGINT)[2][0])["matched"] == 3


def test_a_frame_after_a_quiet_time_wakes_us(lab):
    """We would look by ourselves ten times a second."""
    process = attach(lab, "--nano")
    sender = lab.start("b", "exec pkt-send -i eth0 --pps 7", -1)
    sender.stdin.write(pcap([frame(i) for i in range(9)]))
    sender.stdin.close()
    sender.stdin = None
    waited = []
    for _ in range(9):
        stamp = 0.0
        while (line := process.stdout.readline()) != b"==\n":
            if line.startswith(b"TIME: "):
                stamp = float(line.split()[1])
        waited.append(time.time() - stamp)
    assert sorted(waited)[4] < 0.02, waited
    assert finish(process, signal.SIGINT)[0] == 0


def test_it_ends_by_itself(lab):
    process = attach(lab, "-l 3 -F pcap")
    sent = [frame(i) for i in range(5)]
    lab.inject("b", sent)
    code, out, _ = finish(process)
    assert (code, frames_of(out)) == (0, sent[:3])
    assert not attached(lab)


def test_in_a_pipe(lab):
    process = lab.start("a", 'exec pkt-pipe "xdp -i eth0 icmp --else drop -v | change --swap --icmp-type 0 | correct -F pcapng"')
    until(lambda: attached(lab), "the program")
    lab.must("b", f"ping -c 2 -i 0.05 -W 1 {IP['a']}")
    code, out, err = finish(process, signal.SIGINT)
    answers = shell("pkt-pcapng2txt", out).stdout
    assert code == 0
    assert answers.count(b"IFACE: eth0\nWAY: in\n") == 2
    assert answers.count(b"000000: 02 00 00 00  00 0B 02 00  00 00 00 0A  08 00 45 00") == 2
    assert any("2 matched" in line for line in err)


def test_an_interface_that_goes_down(lab):
    process = attach(lab, "-F pcap")
    lab.inject("b", [frame(1)])
    lab.must("a", "ip link set eth0 down")
    assert process.stderr.readline() == b"pkt-xdp: eth0: interface went down\n"
    lab.must("a", "ip link set eth0 up")
    assert process.stderr.readline() == b"pkt-xdp: eth0: interface is up again\n"
    lab.inject("b", [frame(2)])
    until(lambda: lab.counters("a")["rx"] >= 2, "second frame")
    code, out, err = finish(process, signal.SIGINT)
    assert (code, frames_of(out)) == (0, [frame(1), frame(2)])
    assert account(err[0])["matched"] == 2


def test_an_interface_that_vanishes(lab):
    process = attach(lab, "-F pcap")
    lab.must("a", "ip link del eth0")
    code, _, err = finish(process)
    assert (code, err[:2]) == (1, ["pkt-xdp: eth0: interface went down", "pkt-xdp: eth0: interface is gone"])


# ---- what is refused ----


def refused(lab, words: str, code: int = 1) -> str:
    """The one line that is said."""
    done = lab.run("a", words)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (code, b"")
    assert len(lines) == (1 if code == 1 else 2)
    return lines[0]


@pytest.mark.parametrize("first, second, said", [
    ("native", "native", "another XDP program is attached already"), ("native", "auto", "another XDP program is attached already"),
    ("generic", "native", "another XDP program is attached already, in another mode"),
    ("generic", "auto", "another XDP program is attached already, in another mode"),
])  # fmt: skip
def test_a_second_program(lab, first, second, said):
    process = attach(lab, f"--mode {first}")
    assert refused(lab, f"pkt-xdp -i eth0 --mode {second}") == f"pkt-xdp: eth0: {said}"
    assert finish(process, signal.SIGINT)[0] == 0


def test_without_native_mode(lab):
    said = "pkt-xdp: lo: its driver has no native XDP: --mode generic does without the driver"
    assert refused(lab, "pkt-xdp -i lo --mode native") == said
    process = attach(lab, "", interface="lo")
    lab.must("a", "ping -c 1 127.0.0.1")
    assert ": generic: 2 frames" in finish(process, signal.SIGINT)[2][0]


PRIVILEGES = {
    "": "not allowed to make a BPF map without CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF: run it as root",
    "+net_admin,+bpf": "not allowed to load an XDP program without CAP_PERFMON: run it as root",
    "+net_admin,+perfmon": "not allowed to make a BPF map without CAP_BPF: run it as root",
}


@pytest.mark.parametrize("kept, said", PRIVILEGES.items())
def test_without_the_privilege(lab, kept, said):
    bounds = f"-all,{kept}".rstrip(",")
    line = refused(lab, f"setpriv --bounding-set={bounds} --inh-caps={bounds} pkt-xdp -i eth0 tcp port 80")
    assert line == f"pkt-xdp: {said}"


@BUFFERS
def test_three_capabilities_are_enough(lab, buffer):
    bounds = "-all,+net_admin,+bpf,+perfmon"
    words = f"pkt-xdp -i eth0 tcp port 80 --duration 0.3 {buffer} --out /dev/null"
    done = lab.run("a", f"setpriv --bounding-set={bounds} --inh-caps={bounds} {words}")
    assert (done.returncode, account(done.stderr.decode().strip())["frames"]) == (0, 0)


def test_a_user_namespace_is_not_enough(lab):
    if shell("setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn true").returncode:
        pytest.skip("no user namespaces here")
    done = lab.run("a", "setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn sh -c 'ip link set lo up; pkt-xdp -i lo'")
    if b"Permission denied" in done.stderr:
        pytest.skip("another user cannot read this checkout")
    assert done.returncode == 1
    said = "pkt-xdp: not allowed to make a BPF map: run it as the system's root; 'unshare -Urn' is not enough for BPF\n"
    assert done.stderr.decode() == said


@pytest.mark.parametrize("words, code, said", [
    ("-i nothing", 1, "nothing: no such interface; there are lo, eth0"),
    ("", 2, "no interface given: -i IFACE, one of lo, eth0"),
    ("-i eth0 --match fly", 2, "--match: 'fly' is not one of pass, drop, tx"),
    ("-i eth0 --allow-arp --no-allow-arp", 2, "only one of --allow-arp and --no-allow-arp"),
    ("-i eth0 --perf --sample 65001", 2, "--sample: at most 65000 with --perf"),
    ("-i eth0 --sample 0", 2, "--sample: 0 is out of range: from 1 to 262144"),
    ("-i eth0 icmp and", 2, "'icmp and': "),
    ("-i eth0 ip6 protochain 6", 2, "this filter cannot be run by XDP: instruction "),
    ("-i eth0 IP.TTL==64", 2, "'IP.TTL==64': "),
])  # fmt: skip
def test_wrong_words(lab, words, code, said):
    line = refused(lab, f"pkt-xdp {words}", code)
    assert line.startswith(f"pkt-xdp: {said}")


def test_an_interface_that_is_down_or_of_another_kind(lab):
    lab.must("a", "ip link set eth0 down")
    assert refused(lab, "pkt-xdp -i eth0") == "pkt-xdp: eth0: interface is down"
    if lab.run("a", "ip tuntap add tun0 mode tun && ip link set tun0 up").returncode:
        pytest.skip("no tun interfaces here")
    assert refused(lab, "pkt-xdp -i tun0") == "pkt-xdp: tun0: XDP is for Ethernet, and this interface is of hardware type 65534"


@MODES
def test_a_capture_of_nothing_is_one(lab, mode):
    process = attach(lab, f"icmp --mode {mode} -F pcap")
    code, out, _ = finish(process, signal.SIGTERM)
    assert (code, out) == (0, pcap([])[:16] + struct.pack("<II", 262144, 1))


# ---- nobody is cut off longer than wanted ----


def stuck(lab, words: str) -> subprocess.Popen[bytes]:
    """pkt-xdp behind which a pipe is full, because nobody reads it."""
    process = attach(lab, words)
    lab.inject("b", [frame(i, 1000) for i in range(3000)])
    until(lambda: is_full(process.stdout), "full pipe")
    assert process.poll() is None
    return process


def test_time_is_over_while_a_pipe_is_full(lab):
    process = stuck(lab, "--match drop --duration 1.5")
    until(lambda: not attached(lab, "a", "eth0"), "end of the program")
    assert process.poll() is None  # it still has something to write
    code, out, err = finish(process)
    assert code == 0
    assert out.count(b"==\n") == account(err[-1])["matched"] > 100  # all that came until then: more than the pipe holds


def test_a_signal_while_a_pipe_is_full(lab):
    process = stuck(lab, "--match drop")
    process.send_signal(signal.SIGINT)
    until(lambda: not attached(lab, "a", "eth0"), "end of the program", 3)
    code, out, err = finish(process)
    assert (code, out.count(b"==\n"), account(err[-1])["lost"]) == (0, 3000, 0)


def test_nobody_reads_before_there_is_anything_to_write(lab):
    process = attach(lab, "icmp --match drop | true")
    assert process.wait(5) == 128 + signal.SIGPIPE
    assert not attached(lab, "a", "eth0")


def test_a_filter_that_is_too_complex(lab):
    text = "geneve and (" + " or ".join(f"tcp[{i % 20}] = {i}" for i in range(200)) + ")"
    done = lab.run("a", f"pkt-xdp -i eth0 --duration 1 '{text}'")
    assert (done.returncode, done.stderr) == (1, b"pkt-xdp: the filter is too complex for the kernel's verifier\n")


@pytest.mark.parametrize("words", ["--bpf 'ether[14:4] = 1'", "--bpf-file {0}", "'ether[14:4] = 1'"])
def test_every_way_to_give_a_filter(lab, words, tmp_path):
    path = tmp_path / "program"
    path.write_bytes(lab.must("a", "pkt-filter -ddd --bpf 'ether[14:4] = 1'"))
    process = attach(lab, f"-F pcap -l 1 {words.format(path)}")
    lab.inject("b", [frame(0), frame(1), frame(2)])
    code, out, _ = finish(process)
    assert (code, frames_of(out)) == (0, [frame(1)])


@pytest.mark.parametrize(("words", "said"), [
    ("--else drop", "--else is for what does not match: without EXPR all does"),
    ("icmp --bpf icmp", "an expression as arguments, or --bpf, or --bpf-file"),
    ("ICMP.TYPE==8", "EXPR is of pcap-filter(7), tcpdump's language"),
])  # fmt: skip
def test_filters_that_are_none(lab, words, said):
    done = lab.run("a", f"pkt-xdp -i eth0 {words}")
    assert (done.returncode, said in done.stderr.decode().splitlines()[0]) == (2, True)


def test_the_exit_code_is_for_what_was_written(lab):
    """--fail-empty and --fail-if, as filters have them."""
    process = attach(lab, "--fail-empty 'udp port 4' --duration 0.3")
    code, out, err = finish(process)
    assert (code, out) == (1, b"")
    assert "pkt-xdp: --fail-empty: no packet passed, of 0" in err
    process = attach(lab, "icmp -l 2 --fail-empty --fail-if ICMP.SEQ==2")
    lab.must("b", f"ping -c 2 -i 0.05 -W 2 {IP['a']}")
    code, out, err = finish(process)
    assert (code, out.count(b"-- ")) == (1, 2)
    assert "pkt-xdp: --fail-if: 1 of 2 packets match 'ICMP.SEQ==2': number 2" in err
