"""pkt-recv --libpcap on a real wire, judged by what was sent and by pkt-recv's ring beside it."""

import os
import re
import signal
import struct
import sys
import time

import pytest
import sections
from conftest import ROOT
from netns import MAC, UNPRIVILEGED, finish, frame, frames_of, pcap, records
from netns import lab as _lab
from netns import labs as _labs
from test_live_recv import TAGS, transfer
from waits import until

from pkttools.errors import PktError
from pkttools.libpcap.system import library

lab, labs = _lab, _labs
SUMMARY = "pkt-recv: {}: {} packets received, 0 dropped by the kernel"
RECV = "pkt-recv --libpcap"

try:
    library()
except PktError as error:
    pytest.skip(str(error), allow_module_level=True)


def both(lab, host: str, options: str) -> list:
    """Starts a capture by libpcap and one by the ring."""
    return [lab.capture(host, f"{command} -i eth0 {options}") for command in (RECV, "pkt-recv")]


def test_same_packets_as_the_ring(labs):
    # All sizes and tags, in both directions, many to a block; and the same times, which are the kernel's.
    sent = [frame(i, 60 + i * 7 % 1400, source, bytes.fromhex(tags)) for i, tags in enumerate([*TAGS.values(), ""] * 40)
            for source in "ab"]  # fmt: skip
    captures = both(labs, "a", f"-l {len(sent)} -F pcap --nano")
    for source in "ba":
        labs.inject(source, [data for data in sent if data[6:12].hex(":") == MAC[source]])
    (code, ours, err), (_, rings, _) = map(finish, captures)
    assert (code, err) == (0, [SUMMARY.format("eth0", len(sent))])
    assert sorted(frames_of(ours)) == sorted(sent)
    assert [found[1:] for found in records(ours)] == [found[1:] for found in records(rings)]
    for (mine, *_), (other, *_) in zip(records(ours), records(rings), strict=True):
        assert abs(mine - other) < 20_000_000


def test_text_is_that_of_the_ring(lab):
    captures = both(lab, "a", "-l 6")
    lab.must("a", "ping -c 3 -i 0.05 10.0.0.2")
    texts = [re.sub(rb"TIME: .*", b"", finish(process)[1]) for process in captures]
    assert texts[0] == texts[1]
    assert texts[0].count(b"SIZE: 98/98\n") == 6


@pytest.mark.parametrize(("option", "types", "lines"), [
    ("-ro", [0, 0, 0], "IFACE: eth0\nWAY: in\n"), ("-so", [8, 8, 8], "IFACE: eth0\nWAY: out\n"),
    ("", [8, 0] * 3, "IFACE: eth0\n"),
])  # fmt: skip
def test_directions_and_extension_lines(labs, option, types, lines):
    capture = labs.capture("a", f"{RECV} -i eth0 {option} -v -F pcapng")
    labs.must("a", "ping -c 3 -i 0.05 10.0.0.2")
    code, out, err = finish(capture, signal.SIGINT)
    found = sections.records(out)
    assert (code, err[-1]) == (0, SUMMARY.format("eth0", len(types)))
    assert [packet.data[34] for packet in found] == types
    assert [packet.notes for packet in found] == [lines] * len(types)


def test_without_v_there_are_no_extension_lines(lab):
    capture = lab.capture("a", f"{RECV} -i eth0 -ro -l 1")
    lab.inject("b", [frame(1)])
    out = finish(capture)[1]
    assert b"SIZE: 60/60" in out
    assert b"WAY" not in out and b"IFACE" not in out


@pytest.mark.parametrize("size", [60, 1514])
@pytest.mark.parametrize("target", ["", "--out {}/out"], ids=["pipe", "file"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_many_packets_and_a_signal(labs, tmp_path, size, target, number):
    tmp_path.chmod(0o777)
    capture = labs.capture("a", f"{RECV} -i eth0 -F pcap {target.format(tmp_path)}")
    sent = [frame(i, size) for i in range(9000)]
    labs.inject("b", sent)
    begun = time.monotonic()
    code, out, err = finish(capture, number)
    assert time.monotonic() - begun < 3
    assert (code, err) == (0, [SUMMARY.format("eth0", 9000)])
    assert frames_of(out or (tmp_path / "out").read_bytes()) == sent


@pytest.mark.parametrize("target", ["", "--out {}/out"], ids=["pipe", "file"])
def test_signal_while_the_kernel_holds_everything(lab, tmp_path, target):
    tmp_path.chmod(0o777)
    capture = lab.capture("a", f"{RECV} -i eth0 -F pcap {target.format(tmp_path)}")
    capture.send_signal(signal.SIGSTOP)
    sent = [frame(i) for i in range(5000)]
    lab.inject("b", sent)
    capture.send_signal(signal.SIGINT)
    code, out, err = finish(capture, signal.SIGCONT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 5000)])
    assert frames_of(out or (tmp_path / "out").read_bytes()) == sent


def test_a_pipe_that_stalls_for_a_moment(labs):
    # The pipe is soon full. A packet a millisecond, for longer than the ring has blocks.
    capture = labs.capture("a", f"{RECV} -i eth0 --duration 3 | (sleep 2; exec cat)")
    sent = [frame(i, 1400) for i in range(1200)]
    labs.must("b", "pkt-send -i eth0 --pps 1000", pcap(sent))
    code, out, err = finish(capture)
    assert (code, err) == (0, [SUMMARY.format("eth0", 1200)])
    assert frames_of(labs.must("a", "pkt-txt2pcap", out)) == sent


def test_a_packet_is_there_at_once(lab):
    capture = lab.capture("a", f"{RECV} -i eth0 -F pcap")
    lab.inject("b", [frame(1)])
    begun = time.monotonic()
    out = capture.stdout.read(24 + 16 + 60)
    assert frames_of(out) == [frame(1)]
    assert time.monotonic() - begun < 0.5
    assert finish(capture, signal.SIGINT)[0] == 0


@pytest.mark.parametrize("wait", ["", "with packets"])
def test_duration_ends_it(lab, wait):
    begun = time.monotonic()
    capture = lab.capture("a", f"{RECV} -i eth0 --duration 0.5 -F pcap")
    sent = [frame(i) for i in range(100 if wait else 0)]
    lab.inject("b", sent)
    code, out, err = finish(capture)
    assert 0.5 <= time.monotonic() - begun < 3
    assert (code, err) == (0, [SUMMARY.format("eth0", len(sent))])
    assert frames_of(out) == sent


def test_a_busy_wire_does_not_keep_it_from_ending(lab, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap([frame(i) for i in range(1000)]))
    flood = lab.start("b", f"exec pkt-send -i eth0 -f --loop 10000 --in {tmp_path}/in.pcap")
    until(lambda: lab.counters("a")["rx"] > 1000, "flood")
    begun = time.monotonic()
    done = lab.run("a", f"{RECV} -i eth0 --duration 0.3 > /dev/null", timeout=15)
    assert done.returncode == 0
    assert time.monotonic() - begun < 8
    assert flood.poll() is None


def test_snaplen_filter_skip_limit_and_assignment(labs):
    capture = labs.capture("a", f"{RECV} -i eth0 --snaplen 42 -s 1 -l 2 ICMP.TYPE==8 IP.TTL=9 -F pcap")
    labs.must("a", "ping -c 4 -i 0.05 10.0.0.2")
    code, out, _ = finish(capture)
    assert code == 0
    found = records(out)
    assert [(original, len(data), data[22], data[34], data[41]) for _, original, data in found] == [
        (98, 42, 9, 8, 2),
        (98, 42, 9, 8, 3),
    ]


def test_nano_gives_all_digits(labs):
    plain, nano = (labs.capture("a", f"{RECV} -i eth0 -l 10 {option}") for option in ("", "--nano"))
    labs.inject("b", [frame(i) for i in range(10)])
    digits = [re.findall(rb"^TIME: (\d+)\.(\d+) ", finish(process)[1], re.M) for process in (plain, nano)]
    assert [len(part) for _, part in digits[0]] == [6] * 10
    assert [len(part) for _, part in digits[1]].count(9) >= 8  # a time may end in zeros


@pytest.mark.parametrize(("kind", "size"), [("udp", 999), ("tcp", 1_000_000)])
def test_checksums_stay_as_the_kernel_has_them(lab, kind, size):
    captures = both(lab, "a", f"--raw-checksums -F pcap -so {kind.upper()}")
    transfer(lab, kind, size)
    ours, rings = (finish(capture, signal.SIGINT)[1] for capture in captures)
    assert frames_of(ours) == frames_of(rings) != []
    assert lab.must("a", "pkt-correct -F pcap", ours) != ours
    if kind == "tcp":
        assert max(map(len, frames_of(ours))) > 1514


def test_frames_above_64_kb(lab):
    lab.ipv6()
    for host in "ab":
        if lab.run(host, "ip link set eth0 gso_max_size 185000 && ip link set eth0 gro_max_size 185000").returncode:
            pytest.skip("this kernel or its ip has no BIG TCP")
    capture = lab.capture("a", f"{RECV} -i eth0 -so -F pcap TCP")
    transfer(lab, "tcp", 3_000_000, "fd00::2")
    _, out, _ = finish(capture, signal.SIGINT)
    assert max(len(data) for _, _, data in records(out)) > 70_000
    assert all(original == len(data) for _, original, data in records(out))


@pytest.mark.parametrize(("option", "count"), [("", 1), ("-np", 0)])
def test_promiscuous_while_it_runs(lab, option, count):
    def state() -> bytes:
        return lab.must("a", "ip -d link show eth0")

    capture = lab.capture("a", f"{RECV} -i eth0 {option}")
    until(lambda: f" promiscuity {count} ".encode() in state(), f"promiscuity {count}", 3)
    finish(capture, signal.SIGINT)
    assert b" promiscuity 0 " in state()


def test_what_the_kernel_dropped_is_said(lab):
    capture = lab.capture("a", f"{RECV} -i eth0 -b 524288 -F pcap")
    capture.send_signal(signal.SIGSTOP)
    lab.inject("b", [frame(i, 1400) for i in range(5000)])
    capture.send_signal(signal.SIGINT)
    code, out, err = finish(capture, signal.SIGCONT)
    (said,) = err
    received, dropped = map(int, re.findall(r"(\d+) (?:packets received|dropped)", said))
    assert code == 0
    assert dropped > 0
    assert received + dropped == 5000
    assert received == len(frames_of(out))


# ---- other interfaces ----


@pytest.mark.parametrize("option", ["", "-ro"])
def test_loopback_shows_each_packet_once(lab, option):
    capture = lab.capture("a", f"{RECV} -i lo {option} -F pcap")
    lab.must("a", "ping -c 2 -i 0.05 127.0.0.1")
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [SUMMARY.format("lo", 4)])
    assert [data[34] for data in frames_of(out)] == [8, 0, 8, 0]
    assert out[20:24] == bytes([1, 0, 0, 0])


def test_any_is_cooked(lab):
    capture = lab.capture("a", f"{RECV} -i any -l 4", everywhere=True)
    lab.must("a", "ping -c 1 127.0.0.1 && ping -c 1 10.0.0.2")
    code, out, err = finish(capture)
    text = out.decode()
    linktype, name = re.search(r"^LINKTYPE: (\d+) \((.*)\)$", text, re.M).groups()
    assert (code, err) == (0, [SUMMARY.format("any", 4)])
    assert (linktype, name) in (("113", "Linux SLL"), ("276", "Linux SLL2"))
    assert set(re.findall(r"^SIZE: (.*)$", text, re.M)) == ({"100/100"} if linktype == "113" else {"104/104"})


TUNNELS = {
    "tun": "ip tuntap add dev t0 mode tun",
    "ipip": "ip link add t0 type ipip local 10.0.0.1 remote 10.0.0.2",
    "sit": "ip link add t0 type sit local 10.0.0.1 remote 10.0.0.2",
}


@pytest.mark.parametrize("how", TUNNELS.values(), ids=TUNNELS)
def test_link_type_of_a_tunnel_is_raw_ip(lab, how):
    if lab.run("a", how).returncode:
        pytest.skip(f"not here: {how}")
    lab.must("a", "ip addr add 10.9.0.1/24 dev t0 && ip link set t0 up")
    done = lab.run("a", f"{RECV} -i t0 --duration 0.1 -F pcap")
    assert done.returncode == 0
    assert done.stderr.decode() == SUMMARY.format("t0", 0) + "\n"
    assert done.stdout[20:24] == lab.run("a", "pkt-recv -i t0 --duration 0.1 -F pcap").stdout[20:24] == bytes([101, 0, 0, 0])


# ---- what goes wrong ----


FAILURES = {
    "no such interface": (f"{RECV} -i nothere", 1, "nothere: no such interface; there are "),
    "no interface": (RECV, 2, "no interface given: -i IFACE, one of "),
    "interface down": (f"ip link set eth0 down; {RECV} -i eth0", 1, "eth0: interface is down"),
    "no privilege": (f"{UNPRIVILEGED} {RECV} -i eth0", 1, "eth0: not allowed to capture: run it as root, with CAP_NET_RAW"),
    "both directions": (f"{RECV} -i eth0 -ro -so", 2, "-ro and -so leave nothing"),
    "what goes out of loopback": (f"{RECV} -i lo -so", 2, "only as they come in"),
    "no folder": (f"{RECV} -i eth0 --out nowhere/file", 1, "nowhere/file: No such file or directory"),
}


@pytest.mark.parametrize(("command", "code", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_is_one_line(lab, command, code, message):
    done = lab.run("a", command)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (code, b"")
    assert lines[0].startswith("pkt-recv: ")
    assert message in lines[0]
    if message.endswith(("are ", "of ")):
        assert {"eth0", "any", "lo"} <= set(lines[0].split(message)[1].split(", "))
    assert lines[1:] == (["Try 'pkt-recv --help'."] if code == 2 else [])


def test_interface_that_disappears(lab):
    capture = lab.capture("a", f"{RECV} -i eth0 -np -F pcap")  # libpcap asks for all frames when it receives already
    capture.send_signal(signal.SIGSTOP)
    sent = [frame(i) for i in range(700)]
    lab.inject("b", sent)
    lab.must("a", "ip link del eth0")
    code, out, err = finish(capture, signal.SIGCONT)
    assert code == 1
    assert len(err) == 2
    assert err[0].startswith("pkt-recv: eth0: ")
    assert err[1].startswith("pkt-recv: eth0: 700 packets received")
    assert frames_of(out) == sent


def test_interface_that_goes_down(lab):
    """An older libpcap ends there, 1.10 waits: neither loses what came before."""
    capture = lab.capture("a", f"{RECV} -i eth0 -F pcap")
    lab.inject("b", [frame(1)])
    lab.must("a", "ip link set eth0 down && sleep 0.3 && ip link set eth0 up")
    lab.must("a", "until ip -o link show eth0 | grep -q 'state UP'; do sleep 0.01; done")
    lab.inject("b", [frame(2)])
    code, out, err = finish(capture, 0 if capture.poll() else signal.SIGINT)
    if code:
        assert "went down" in err[0]
        assert frames_of(out) == [frame(1)]
    else:
        assert frames_of(out) == [frame(1), frame(2)]


def test_closed_pipe_is_quiet(lab):
    capture = lab.capture("a", f"{RECV} -i eth0 | head -3; echo ${{PIPESTATUS[@]}}")
    lab.start("a", "ping -c 100 -i 0.05 10.0.0.2")
    code, out, err = finish(capture)
    assert (code, err) == (0, [])
    assert out.decode().splitlines()[3:] == ["141 0"]


# Runs a command where no library can be loaded; the first arguments are its name and its own.
WITHOUT = """
import ctypes, sys
from pkttools.main import guarded
def missing(name, *rest, **more):
    raise OSError(f"{name}: cannot open shared object file")
ctypes.CDLL = missing
sys.exit(guarded(sys.argv[1], sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "command", ["pkt-recv --libpcap -i lo", "pkt-send --libpcap -i lo", "pkt-recv -D --libpcap", "pkt-send --libpcap"]
)
def test_without_libpcap_the_message_says_how_to_get_it(lab, command):
    done = lab.run("a", f"PYTHONPATH={ROOT} exec {sys.executable} -c '{WITHOUT}' {command} < /dev/null")
    assert (done.returncode, done.stdout) == (1, b"")
    (said,) = done.stderr.decode().splitlines()
    assert said.startswith(f"{command.split()[0]}: the system's libpcap is missing: apt-get install libpcap0.8")


# The same with an old libpcap, which cannot do everything, and has a warning.
OLD = """
import sys
from pkttools.live.libpcap import handle
from pkttools.main import guarded
class Old:
    def __init__(self, pcap):
        self.pcap = pcap
    def __getattr__(self, name):
        if name in ("pcap_set_tstamp_precision", "pcap_set_immediate_mode", "pcap_get_selectable_fd"):
            raise AttributeError(name)
        return getattr(self.pcap, name)
    def pcap_activate(self, address):
        return self.pcap.pcap_activate(address) or 1
new = handle.capturing
handle.capturing = lambda: Old(new())
sys.exit(guarded(sys.argv[1], sys.argv[2:]))
"""


def test_warnings_are_said(lab):
    capture = lab.capture("a", f"PYTHONPATH={ROOT} exec {sys.executable} -c '{OLD}' pkt-recv --libpcap -i eth0 --nano -F pcap")
    lab.inject("b", [frame(i) for i in range(100)])
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, frames_of(out)) == (0, [frame(i) for i in range(100)])
    assert err == [
        "pkt-recv: eth0: times are in microseconds: this libpcap has no others", "pkt-recv: eth0: Generic warning",
        "pkt-recv: eth0: 100 packets received, 0 dropped by the kernel",
    ]  # fmt: skip


# The same where select(2) sees nothing of what libpcap holds, as with the buffers of the BSDs.
APPLE = """
import sys
from pkttools.live.libpcap import handle
from pkttools.main import guarded
class Apple:
    called = []
    def __init__(self, pcap):
        self.pcap = pcap
    def __getattr__(self, name):
        return getattr(self.pcap, name)
    def pcap_create(self, name, reason):
        return self.pcap.pcap_create(name.removeprefix(b"pktap,"), reason)
    def pcap_set_want_pktap(self, address, wanted):
        self.called.append(wanted)
        return 0
    def pcap_activate(self, address):
        print("pktap wanted:", self.called, file=sys.stderr)
        return self.pcap.pcap_activate(address)
new = handle.capturing
handle.capturing = lambda: Apple(new())
sys.exit(guarded(sys.argv[1], sys.argv[2:]))
"""


@pytest.mark.parametrize(("interface", "calls"), [("pktap,eth0", "[True]"), ("eth0", "[]")])
def test_apples_pktap_is_asked_for(lab, interface, calls):
    """Without that Apple's libpcap gives frames of the old kind, with no word of their process."""
    done = lab.run("a", f"PYTHONPATH={ROOT} {sys.executable} -c '{APPLE}' pkt-recv --libpcap -i {interface} --duration 0.1")
    assert f"pktap wanted: {calls}" in done.stderr.decode()


BLIND = """
import os, sys
from pkttools.live.libpcap import handle
from pkttools.main import guarded
class Blind:
    def __init__(self, pcap):
        self.pcap = pcap
    def __getattr__(self, name):
        return getattr(self.pcap, name)
    def pcap_get_selectable_fd(self, address):
        return os.pipe()[0]
new = handle.capturing
handle.capturing = lambda: Blind(new())
sys.exit(guarded(sys.argv[1], sys.argv[2:]))
"""


def test_what_libpcap_holds_is_not_waited_for(lab, tmp_path):
    tmp_path.chmod(0o777)
    words = f"pkt-recv --libpcap -i eth0 -l 20000 -F pcap --out {tmp_path}/out"
    command = f"PYTHONPATH={ROOT} exec {sys.executable} -c '{BLIND}' {words}"
    capture = lab.capture("a", command)
    capture.send_signal(signal.SIGSTOP)
    sent = [frame(i) for i in range(20_000)]
    lab.inject("b", sent)
    begun = time.monotonic()
    code, _, _ = finish(capture, signal.SIGCONT)
    assert time.monotonic() - begun < 2  # with a wait for each batch it takes twice as long
    assert (code, frames_of((tmp_path / "out").read_bytes())) == (0, sent)


# ---- the numbers of link types ----


def test_numbers_are_those_that_libpcap_writes():
    """The header of a capture that it writes for each of its numbers has the link type of files."""
    import ctypes

    from bpf import open_dead

    from pkttools import libpcap

    pcap = library()
    known = 0
    for number in range(300):
        handle = open_dead(number, 65535)
        reading, writing = os.pipe()
        dumper = pcap.pcap_dump_open(handle, f"/dev/fd/{writing}".encode())
        if dumper:
            pcap.pcap_dump_close(ctypes.c_void_p(dumper))
            (linktype,) = struct.unpack_from("I", os.read(reading, 24), 20)
            assert libpcap.filetype(number) == linktype, number
            assert number in libpcap.NUMBERS or libpcap.datalink(linktype) == number  # a few have two
            known += 1
        os.close(reading)
        os.close(writing)
        pcap.pcap_close(handle)
    assert known > 100


@pytest.mark.parametrize("system", ["darwin", "freebsd14", "netbsd10", "openbsd7", "dragonfly6", "win32", "linux"])
def test_numbers_of_other_systems_are_there_and_back(system, monkeypatch):
    from pkttools import libpcap

    monkeypatch.setattr(sys, "platform", system)
    for linktype in (0, 1, 9, 50, 100, 101, 102, 103, 105, 106, 108, 109, 113, 117, 246, 258, 276):
        assert libpcap.filetype(libpcap.datalink(linktype)) == linktype
    assert libpcap.datalink(101) == (14 if system == "openbsd7" else 12)
    assert libpcap.filetype(149) == (258 if system == "darwin" else 149)
