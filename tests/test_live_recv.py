"""pkt-recv on a real wire: what it writes, judged by tcpdump, by what was sent, and by the kernel's counters."""

import errno
import mmap
import re
import signal
import struct
import subprocess
import sys
import threading
import time

import pytest
import sections
from conftest import shell
from netns import MAC, PEER, TEST_TYPE, UNPRIVILEGED, finish, frame, frames_of, pcap, records
from netns import lab as _lab
from netns import labs as _labs
from waits import until

from pkttools.errors import PktError
from pkttools.live.linux.receive import Receiver, geometry

lab, labs = _lab, _labs
SUMMARY = "pkt-recv: {}: {} packets received, 0 dropped by the kernel"

# A transfer by the kernel's own stack: the receiver's side, then the sender's. Argument: "tcp" or "udp", addresses, size.
SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
with socket.socket(family, kind) as sock:
    sock.settimeout(10)
    sock.bind((sys.argv[2], 7000))
    if sys.argv[1] == "tcp":
        sock.listen()
        print("ready", flush=True)
        peer, _ = sock.accept()
        peer.settimeout(10)
        total = 0
        while data := peer.recv(1 << 20):
            total += len(data)
        peer.sendall(str(total).encode())
        peer.close()
    else:
        print("ready", flush=True)
        data, address = sock.recvfrom(65536)
        sock.sendto(str(len(data)).encode(), address)
"""
CLIENT = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
data = bytes(i * 7 + (i >> 8) & 255 for i in range(int(sys.argv[3])))
with socket.socket(family, kind) as sock:
    sock.settimeout(10)
    sock.connect((sys.argv[2], 7000))
    sock.sendall(data)
    if sys.argv[1] == "tcp":
        sock.shutdown(socket.SHUT_WR)
    assert int(sock.recv(100)) == len(data)
"""

TAGS = {
    "802.1Q": "8100602a",
    "802.1ad": "88a80064",
    "802.1ad and 802.1Q": "88a80064810000c8",
    "802.1Q twice": "81000007810000c8",
    "three": "88a8006481000007810000c8",
    "vid 0": "81000000",
    "vid 0, priority 5": "8100a000",
    "802.1ad vid 0": "88a80000",
}


def transfer(lab, kind: str, size: int, address: str = "10.0.0.2") -> None:
    """Sends `size` bytes from host a to host b, and waits for b's word that they came."""
    server = lab.start("b", f"exec {sys.executable} -c '{SERVER}' {kind} {address}")
    assert server.stdout.readline() == b"ready\n"
    lab.must("a", f"{sys.executable} -c '{CLIENT}' {kind} {address} {size}")
    assert server.wait(10) == 0


def test_ping_in_both_directions_with_way_and_interface(labs):
    capture = labs.capture("a", "pkt-recv -i eth0 -v -l 6")
    labs.must("a", "ping -c 3 -i 0.1 10.0.0.2")
    code, out, err = finish(capture)
    text = out.decode()
    assert code == 0
    assert err[-1] == SUMMARY.format("eth0", 6)
    assert re.findall("^IFACE: (.*)$", text, re.M) == ["eth0"] * 6
    assert re.findall("^WAY: (.*)$", text, re.M) == ["out", "in"] * 3
    assert re.findall("^SIZE: (.*)$", text, re.M) == ["98/98"] * 6
    assert text.count("\n==\n") == 6
    assert text.count("LINKTYPE") == 1


def test_without_v_there_are_no_way_and_interface_lines(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -l 2")
    lab.must("a", "ping -c 1 10.0.0.2")
    code, out, err = finish(capture)
    assert (code, err) == (0, [SUMMARY.format("eth0", 2)])
    assert b"WAY" not in out and b"IFACE" not in out


def test_pcapng_has_way_and_interface(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -v -l 2 -F pcapng")
    lab.must("a", "ping -c 1 10.0.0.2")
    code, out, _ = finish(capture)
    found = sections.records(out)
    assert (code, [packet.notes for packet in found]) == (0, ["IFACE: eth0\nWAY: out\n", "IFACE: eth0\nWAY: in\n"])
    assert [packet.data[14:15] + packet.data[34:35] for packet in found] == [b"\x45\x08", b"\x45\x00"]


def test_same_packets_and_times_as_tcpdump(lab):
    lab.need_tcpdump()
    judge = lab.capture("a", "tcpdump -i eth0 --immediate-mode -s 2000 -c 6 -w -")
    capture = lab.capture("a", "pkt-recv -i eth0 -l 6 -F pcap")
    lab.must("a", "ping -c 3 -i 0.05 -s 700 10.0.0.2")
    ours, theirs = records(finish(capture)[1]), records(finish(judge)[1])
    assert [found[1:] for found in ours] == [found[1:] for found in theirs]
    for (mine, *_), (other, *_) in zip(ours, theirs, strict=True):
        assert abs(mine - other) < 20_000_000
        assert abs(mine - time.time_ns()) < 30_000_000_000


def test_same_frames_as_tcpdump(labs):
    # All sizes and tags, in both directions, many to a block.
    labs.need_tcpdump()
    sent = [frame(i, 60 + i * 7 % 1400, source, bytes.fromhex(tags)) for i, tags in enumerate([*TAGS.values(), ""] * 5)
            for source in "ab"]  # fmt: skip
    judge = labs.capture("a", f"tcpdump -i eth0 --immediate-mode -s 2000 -B 4096 -c {len(sent)} -w -")
    capture = labs.capture("a", f"pkt-recv -i eth0 -l {len(sent)} -F pcapng")
    for source in "ba":
        labs.inject(source, [data for data in sent if data[6:12].hex(":") == MAC[source]])
    found, theirs = sections.records(finish(capture)[1]), records(finish(judge)[1])
    assert [packet.data for packet in found] == [data for _, _, data in theirs]
    assert sorted(packet.data for packet in found) == sorted(sent)
    for packet in found:
        assert packet.notes == f"IFACE: eth0\nWAY: {'in' if packet.data[11] == 11 else 'out'}\n"


@pytest.mark.parametrize("size", [60, 1514])
@pytest.mark.parametrize("target", ["", "--out {}/out"], ids=["pipe", "file"])
def test_more_than_many_blocks(labs, tmp_path, size, target):
    tmp_path.chmod(0o777)
    capture = labs.capture("a", f"pkt-recv -i eth0 -F pcap {target.format(tmp_path)}")
    sent = [frame(i, size) for i in range(9000)]
    labs.inject("b", sent)
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 9000)])
    assert frames_of(out or (tmp_path / "out").read_bytes()) == sent


def test_many_short_captures(labs):
    for i in range(8):
        capture = labs.capture("a", "pkt-recv -i eth0 -F pcap" + (" -l 3" if i % 2 else ""))
        sent = [frame(10 * i + j) for j in range(3)]
        labs.inject("b", sent)
        code, out, err = finish(capture, 0 if i % 2 else signal.SIGTERM)
        assert (code, frames_of(out), err) == (0, sent, [SUMMARY.format("eth0", 3)])


def test_a_file_that_stalls_for_a_moment(lab, tmp_path):
    # A packet a millisecond: each of the kernel's blocks has few.
    tmp_path.chmod(0o777)
    capture = lab.capture("a", f"pkt-recv -i eth0 -F pcap --out {tmp_path}/out")
    capture.send_signal(signal.SIGSTOP)
    sent = [frame(i) for i in range(600)]
    lab.must("b", "pkt-send -i eth0 --pps 1000", pcap(sent))
    capture.send_signal(signal.SIGINT)
    code, _, err = finish(capture, signal.SIGCONT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 600)])
    assert frames_of((tmp_path / "out").read_bytes()) == sent


def test_a_pipe_that_stalls_for_a_moment(labs):
    # The pipe is soon full. A packet a millisecond, as above, for longer than the ring has blocks.
    capture = labs.capture("a", "pkt-recv -i eth0 --duration 3 | (sleep 2; exec cat)")
    sent = [frame(i, 1400) for i in range(1200)]
    labs.must("b", "pkt-send -i eth0 --pps 1000", pcap(sent))
    code, out, err = finish(capture)
    assert (code, err) == (0, [SUMMARY.format("eth0", 1200)])
    assert frames_of(labs.must("a", "pkt-txt2pcap", out)) == sent


def test_a_user_namespace_is_enough():
    done = shell("unshare -Urn true")
    if done.returncode:
        pytest.skip(f"no user namespaces here: {done.stderr.decode().strip()}")
    done = shell("unshare -Urn sh -c 'ip link set lo up; (sleep 0.7; ping -c 1 127.0.0.1) > /dev/null & exec pkt-recv -i lo -l 2'")
    assert (done.returncode, done.stderr.decode()) == (0, SUMMARY.format("lo", 2) + "\n")
    assert done.stdout.count(b"SIZE: 98/98\n") == 2


@pytest.mark.parametrize("asked", [1, 4096, 100_000, 1 << 20, 2 << 20, 32 << 20, 1 << 30])
def test_sizes_of_rings(asked):
    block, blocks = geometry(asked)
    assert block % mmap.PAGESIZE == 0
    assert blocks >= 8
    assert block * blocks <= max(asked, 8 * mmap.PAGESIZE)
    if asked > 4 << 20:
        assert block > 262144 + 48 + 128  # the largest frame, behind what the kernel writes before it
        assert block * blocks > asked * 0.95


def test_a_small_buffer_cuts_large_frames(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -so -b 131072 -F pcap TCP")
    transfer(lab, "tcp", 300_000)
    code, out, err = finish(capture, signal.SIGINT)
    assert code == 0, err
    cut = [(original, len(data)) for _, original, data in records(out) if original > len(data)]
    assert cut
    assert all(original > 16384 > size > 16000 for original, size in cut), cut


@pytest.mark.parametrize(("option", "types"), [("-ro", [0, 0, 0]), ("-so", [8, 8, 8])])
def test_one_direction(lab, option, types):
    capture = lab.capture("a", f"pkt-recv -i eth0 {option} -F pcap")
    lab.must("a", "ping -c 3 -i 0.05 10.0.0.2")
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 3)])
    assert [data[34] for data in frames_of(out)] == types


def test_filter_skip_limit_and_assignment(labs):
    capture = labs.capture("a", "pkt-recv -i eth0 -s 1 -l 2 ICMP.TYPE==8 IP.TTL=9 -F pcap")
    labs.must("a", "ping -c 4 -i 0.05 10.0.0.2")
    code, out, _ = finish(capture)
    assert code == 0
    # Byte 22: the TTL. 34: the type. 40 and 41: the number that ping counts up.
    assert [(data[22], data[34], data[41]) for data in frames_of(out)] == [(9, 8, 2), (9, 8, 3)]


def test_duration_ends_a_capture_without_packets(lab):
    begun = time.monotonic()
    done = lab.run("a", "pkt-recv -i eth0 --duration 0.4 -F pcap")
    assert 0.4 <= time.monotonic() - begun < 3
    assert done.returncode == 0
    assert len(done.stdout) == 24  # a pcap file's header
    assert done.stderr.decode() == SUMMARY.format("eth0", 0) + "\n"


def test_duration_ends_a_capture_with_packets(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 --duration 0.5 -F pcap")
    lab.inject("b", [frame(i) for i in range(100)])
    code, out, err = finish(capture)
    assert (code, err) == (0, [SUMMARY.format("eth0", 100)])
    assert len(frames_of(out)) == 100


@pytest.mark.parametrize("form", ["text", "pcap"])
def test_signal_right_after_a_burst_loses_nothing(labs, form):
    capture = labs.capture("a", f"pkt-recv -i eth0 -F {form}")
    sent = [frame(i, 60 + i % 1000) for i in range(2000)]
    labs.inject("b", sent)
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 2000)])
    if form == "text":
        assert out.endswith(b"==\n")
        out = labs.run("a", "pkt-txt2pcap", out).stdout
    assert frames_of(out) == sent


# Sends frames, and a signal to a process right behind them: process, frame.
BURST = """
import os, signal, socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
wire.bind(("eth0", 0))
for _ in range(10):
    wire.send(bytes.fromhex(sys.argv[2]))
os.kill(int(sys.argv[1]), signal.SIGTERM)
"""


def test_signal_while_the_kernel_fills_a_block(lab, tmp_path):
    """Of what goes to a file the kernel hands a block over 20 ms after its first packet: it has to be waited for."""
    tmp_path.chmod(0o777)
    for _ in range(5):
        capture = lab.capture("a", f"exec pkt-recv -i eth0 -F pcap --out {tmp_path}/out")
        lab.must("b", f"{sys.executable} -c '{BURST}' {capture.pid} {frame(1).hex()}")
        code, _, err = finish(capture)
        assert (code, err) == (0, [SUMMARY.format("eth0", 10)])
        assert frames_of((tmp_path / "out").read_bytes()) == [frame(1)] * 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_while_the_kernel_holds_everything(lab, number):
    capture = lab.capture("a", "pkt-recv -i eth0 -F pcap")
    capture.send_signal(signal.SIGSTOP)  # now all frames are the kernel's, none was read
    sent = [frame(i) for i in range(2000)]
    lab.inject("b", sent)
    capture.send_signal(number)
    code, out, err = finish(capture, signal.SIGCONT)
    assert (code, err) == (0, [SUMMARY.format("eth0", 2000)])
    assert frames_of(out) == sent


def test_many_unwanted_packets_do_not_hide_wanted_ones_at_the_end(lab):
    # More packets of the other direction in a row than a batch has: what follows them is still held by the kernel.
    capture = lab.capture("a", "pkt-recv -i eth0 -ro -F pcap")
    capture.send_signal(signal.SIGSTOP)
    lab.inject("a", [frame(i, source="a") for i in range(1500)])
    lab.inject("b", [frame(i) for i in range(5)])
    capture.send_signal(signal.SIGINT)
    code, out, err = finish(capture, signal.SIGCONT)
    assert code == 0
    assert frames_of(out) == [frame(i) for i in range(5)]
    assert err == [SUMMARY.format("eth0", 5)]


def test_a_busy_wire_does_not_keep_it_from_ending(lab, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "in.pcap").write_bytes(pcap([frame(i) for i in range(1000)]))
    flood = lab.start("b", f"exec pkt-send -i eth0 -f --loop 10000 --in {tmp_path}/in.pcap")
    until(lambda: lab.counters("a")["rx"] > 1000, "flood")
    begun = time.monotonic()
    done = lab.run("a", "pkt-recv -i eth0 --duration 0.3 > /dev/null", timeout=15)
    assert done.returncode == 0
    assert time.monotonic() - begun < 8
    assert flood.poll() is None


def test_what_the_kernel_dropped_is_said(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -b 4096 -F pcap")
    capture.send_signal(signal.SIGSTOP)
    lab.inject("b", [frame(i) for i in range(500)])
    capture.send_signal(signal.SIGINT)
    code, out, err = finish(capture, signal.SIGCONT)
    (said,) = err
    received, dropped = map(int, re.findall(r"(\d+) (?:packets received|dropped)", said))
    assert code == 0
    assert dropped > 0
    assert received + dropped == 500
    assert received == len(frames_of(out))


def test_what_the_kernel_dropped_is_not_waited_for(lab):
    """A second is waited for what is still on its way into the ring. A busy machine may be as slow as that, but not each time."""
    took = []
    while not took or (min(took) > 0.9 and len(took) < 5):
        capture = lab.capture("a", "pkt-recv -i eth0 -b 4096 -F pcap")
        capture.send_signal(signal.SIGSTOP)
        lab.inject("b", [frame(i) for i in range(500)])
        capture.send_signal(signal.SIGINT)
        begun = time.monotonic()
        code, _, err = finish(capture, signal.SIGCONT)
        took.append(time.monotonic() - begun)
        assert code == 0 and " 0 dropped" not in err[0]
    assert min(took) < 0.9


@pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS)
def test_vlan_tags_come_back(labs, tags):
    # The kernel takes the outer tag out of frames that come in, and keeps it apart; those that go out still have it.
    came, went = (labs.capture(host, f"pkt-recv -i eth0 -v -l 1 {option}") for host, option in (("a", "-ro"), ("b", "-so")))
    sent = frame(1, 100, tags=bytes.fromhex(tags))
    labs.inject("b", [sent])
    for process in (came, went):
        code, out, _ = finish(process)
        assert code == 0
        assert b"SIZE: 100/100\n" in out
        assert frames_of(labs.run("a", "pkt-txt2pcap", out).stdout) == [sent]


@pytest.mark.parametrize(("snaplen", "size"), [(14, 60), (16, 100), (1, 60), (99, 100), (100, 100), (2000, 100)])
def test_snaplen_cuts_also_tagged_frames(lab, snaplen, size):
    capture = lab.capture("a", f"pkt-recv -i eth0 -l 2 --snaplen {snaplen} -F pcap")
    sent = [frame(1, size), frame(2, size, tags=bytes.fromhex("8100602a"))]
    lab.inject("b", sent)
    code, out, _ = finish(capture)
    assert code == 0
    assert [found[1:] for found in records(out)] == [(size, data[:snaplen]) for data in sent]


def test_snaplen_in_text(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -l 2 --snaplen 30")
    lab.must("a", "ping -c 1 10.0.0.2")
    assert finish(capture)[1].count(b"SIZE: 30/98\n") == 2


def test_filters_see_what_snaplen_cuts_off(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -l 2 --snaplen 14 ICMP.TYPE==8")
    lab.must("a", "ping -c 2 -i 0.05 10.0.0.2")
    assert finish(capture)[1].count(b"SIZE: 14/98\n") == 2


@pytest.mark.parametrize("host", ["a", "b"])
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("kind", "size"), [("udp", 999), ("tcp", 100)])
def test_checksums_left_to_the_card_are_finished(lab, host, version, kind, size):
    lab.need("tcpdump")
    if version == 6:
        lab.ipv6()
    captures = [lab.capture(host, f"pkt-recv -i eth0 -F pcap {layer} {option}")
                for layer in [kind.upper()] for option in ("", "--raw-checksums")]  # fmt: skip
    transfer(lab, kind, size, "fd00::2" if version == 6 else "10.0.0.2")
    finished, raw = (finish(capture, signal.SIGINT)[1] for capture in captures)
    assert len(frames_of(finished)) >= 2
    assert lab.must("a", "pkt-correct -F pcap", finished) == finished
    good, bad = (shell("tcpdump -vvnr -", capture).stdout.decode() for capture in (finished, raw))
    wrong, right = {"udp": ("bad udp cksum", "udp sum ok"), "tcp": ("(incorrect", "(correct)")}[kind]
    assert wrong not in good
    assert good.count(right) == len(frames_of(finished))
    assert wrong in bad
    # Nothing else was touched: with the checksum's two bytes left out they are the same.
    at = (34 if version == 4 else 54) + {"udp": 6, "tcp": 16}[kind]
    assert [data[:at] + data[at + 2 :] for data in frames_of(finished)] == [data[:at] + data[at + 2 :] for data in frames_of(raw)]


def test_super_frames_arrive_whole(labs):
    capture = labs.capture("a", "pkt-recv -i eth0 -so -F pcap TCP")
    transfer(labs, "tcp", 1_000_000)
    code, out, err = finish(capture, signal.SIGINT)
    assert code == 0
    assert err[0].endswith("packets received, 0 dropped by the kernel")
    found = records(out)
    assert max(len(data) for _, _, data in found) > 1514
    assert all(original == len(data) for _, original, data in found)
    assert labs.must("a", "pkt-correct -F pcap", out) == out
    wanted = bytes(i * 7 + (i >> 8) & 255 for i in range(1_000_000))
    stream, first = bytearray(), None
    for _, _, data in found:
        start = 34 + (data[46] >> 4) * 4
        (sequence,) = struct.unpack_from("!I", data, 38)
        (total,) = struct.unpack_from("!H", data, 16)
        if len(data) > start:
            first = sequence if first is None else first
            at = (sequence - first) % (1 << 32)  # what was sent again may be cut otherwise
            assert at <= len(stream)
            stream[at : 14 + total - start + at] = data[start : 14 + total]
    assert stream == wanted


# Lets an interface have datagrams of 185,000 bytes: IFLA_GSO_MAX_SIZE, IFLA_GRO_MAX_SIZE, and those of IPv4, which iproute2 has
# since 6.3 only; linux/if_link.h.
BIG = """
import errno, socket, struct
attributes = b"".join(struct.pack("HHI", 8, kind, 185000) for kind in (41, 58, 63, 64))
body = struct.pack("BxHiII", 0, 0, socket.if_nametoindex("eth0"), 0, 0) + attributes
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
    sock.send(struct.pack("IHHII", 16 + len(body), 16, 5, 1, 0) + body)
    (code,) = struct.unpack_from("i", sock.recv(4096), 16)
    raise SystemExit(errno.errorcode[-code] if code else 0)
"""


@pytest.mark.parametrize("version", [4, 6])
def test_frames_above_64_kb(lab, version):
    # BIG TCP: in IPv4 the length is 0, in IPv6 it is in an option or 0, and no buffer of 65,536 bytes is enough.
    lab.ipv6()
    for host in "ab":
        made = lab.run(host, f"{sys.executable} -c '{BIG}'")
        if made.returncode:
            pytest.skip(f"this kernel has no BIG TCP: {made.stderr.decode().strip()}")
    capture = lab.capture("a", "pkt-recv -i eth0 -so -F pcap TCP")
    transfer(lab, "tcp", 3_000_000, "fd00::2" if version == 6 else "10.0.0.2")
    _, out, err = finish(capture, signal.SIGINT)
    assert not any("could not be completed" in line for line in err)
    found = records(out)
    assert max(len(data) for _, _, data in found) > 70_000
    assert all(original == len(data) for _, original, data in found)
    assert lab.must("a", "pkt-correct -F pcap", out) == out
    assert lab.must("a", "pkt-check -cs -F pcap", out) == out
    edit = "IPV6.SRC_ADDR=fd00::77" if version == 6 else "IP.SRC_ADDR=10.0.0.77"
    assert len(frames_of(lab.must("a", f"pkt-change -u -F pcap {edit} | pkt-check -cs -F pcap", out))) == len(found)


def test_nano_gives_all_digits(labs):
    plain, nano = (labs.capture("a", f"pkt-recv -i eth0 -l 10 {option}") for option in ("", "--nano"))
    labs.inject("b", [frame(i) for i in range(10)])
    digits = [re.findall(rb"^TIME: (\d+)\.(\d+) ", finish(process)[1], re.M) for process in (plain, nano)]
    assert [len(part) for _, part in digits[0]] == [6] * 10
    lengths = [len(part) for _, part in digits[1]]
    assert len(lengths) == 10 and lengths.count(9) >= 8, "one time in a thousand has whole microseconds"
    assert any(part[-3:] != b"000" for _, part in digits[1])


def test_nano_in_pcap(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -l 1 --nano -F pcap")
    lab.inject("b", [frame(1)])
    assert finish(capture)[1][:4] == bytes.fromhex("4d3cb2a1")


def test_pcap_is_read_by_tcpdump_live(lab):
    lab.need("tcpdump")
    capture = lab.capture("a", "pkt-recv -i eth0 -l 2 -F pcap")
    # Outside: as root of a user namespace tcpdump would try to become another user.
    reader = subprocess.Popen(["tcpdump", "-nr", "-"], stdin=capture.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lab.must("a", "ping -c 1 10.0.0.2")
    out, _ = reader.communicate(timeout=10)
    assert reader.returncode == 0
    assert re.findall("10.0.0.. > 10.0.0..: ICMP echo (request|reply)", out.decode()) == ["request", "reply"]


@pytest.mark.parametrize("option", ["", "-ro", "-so"])
def test_loopback_shows_each_packet_once(lab, option):
    capture = lab.capture("a", f"pkt-recv -i lo {option} -F pcap")
    lab.must("a", "ping -c 2 -i 0.05 127.0.0.1")
    code, out, err = finish(capture, signal.SIGINT)
    assert (code, err) == (0, [SUMMARY.format("lo", 4)])
    assert [data[34] for data in frames_of(out)] == [8, 0, 8, 0]


@pytest.mark.parametrize(("option", "count"), [("", 1), ("-np", 0)])
def test_promiscuous_while_it_runs(lab, option, count):
    def state() -> bytes:
        return lab.must("a", "ip -d link show eth0")

    capture = lab.capture("a", f"pkt-recv -i eth0 {option}")
    until(lambda: f" promiscuity {count} ".encode() in state(), f"promiscuity {count}", 3)
    finish(capture, signal.SIGINT)
    assert b" promiscuity 0 " in state()


def test_out_file(lab, tmp_path):
    tmp_path.chmod(0o777)
    capture = lab.capture("a", f"pkt-recv -i eth0 -l 3 -F pcap --out {tmp_path}/out.pcap")
    lab.inject("b", [frame(i) for i in range(3)])
    code, out, _ = finish(capture)
    assert (code, out) == (0, b"")
    assert frames_of((tmp_path / "out.pcap").read_bytes()) == [frame(i) for i in range(3)]


def test_link_type_of_a_tunnel_is_raw_ip(lab):
    # A TUN interface has no Ethernet header: what ping sends there starts with the IP header.
    if lab.run("a", "ip tuntap add dev tun0 mode tun").returncode:
        pytest.skip("no TUN interfaces here: /dev/net/tun is missing or closed to this user")
    lab.must("a", "ip addr add 10.9.0.1/24 dev tun0 && ip link set tun0 up")
    done = lab.run("a", "pkt-recv -i tun0 --duration 0.2")
    assert done.returncode == 0
    assert done.stderr.decode() == SUMMARY.format("tun0", 0) + "\n"
    assert lab.run("a", "pkt-recv -i tun0 --duration 0.1 -F pcap").stdout[20:24] == bytes([101, 0, 0, 0])


FAILURES = {
    "no such interface": ("pkt-recv -i nothere", "nothere: no such interface; there are lo, eth0"),
    "name too long": ("pkt-recv -i averyveryverylongname", "no such interface"),
    "interface down": ("ip link set eth0 down; pkt-recv -i eth0", "eth0: interface is down"),
    "no privilege": (f"{UNPRIVILEGED} pkt-recv -i eth0", "eth0: not allowed to capture: run it as root, with CAP_NET_RAW"),
    "full disk": ("timeout 4 ping -i 0.1 10.0.0.2 > /dev/null & pkt-recv -i eth0 > /dev/full", "No space left on device"),
    "no folder": ("pkt-recv -i eth0 --out nowhere/file", "nowhere/file: No such file or directory"),
}


@pytest.mark.parametrize(("command", "message"), FAILURES.values(), ids=FAILURES)
def test_failure_is_one_line_and_code_1(lab, command, message):
    done = lab.run("a", command)
    assert done.returncode == 1
    assert done.stdout == b""
    said, *account = done.stderr.decode().splitlines()
    assert said.startswith("pkt-recv: ")
    assert message in said
    assert len(account) == ("full" in command)  # whoever had begun to receive says how much
    assert all("received" in line for line in account)


def test_interface_goes_away_while_capturing(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 -F pcap")
    lab.must("a", "ip link del eth0")
    code, _, err = finish(capture)
    assert code == 1
    assert err[:2] == ["pkt-recv: eth0: interface went down", "pkt-recv: eth0: interface is gone"]
    assert "Traceback" not in "".join(err)


@pytest.mark.parametrize("how", ["ip link set eth0 down && ip link del eth0", "ip link del eth0"])
def test_what_came_before_the_interface_went_away_is_written(lab, how):
    capture = lab.capture("a", "pkt-recv -i eth0 -F pcap")
    capture.send_signal(signal.SIGSTOP)
    sent = [frame(i) for i in range(700)]
    lab.inject("b", sent)
    lab.must("a", how)
    code, out, err = finish(capture, signal.SIGCONT)
    assert code == 1
    assert any("interface went down" in line for line in err), err
    assert frames_of(out) == sent


WRONG = ["-ro -so", "--nonsense", "-l many", "--snaplen 0", "NO.FIELD==1", "--duration", "--duration -1", "-F erf"]


@pytest.mark.parametrize("options", [*(f"-i eth0 {wrong}" for wrong in WRONG), "", "-i"])
def test_wrong_usage_is_code_2(lab, options):
    done = lab.run("a", f"pkt-recv {options}")
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_closed_pipe_is_quiet(lab):
    capture = lab.capture("a", "pkt-recv -i eth0 | head -3; echo ${PIPESTATUS[@]}")
    lab.start("a", "ping -c 100 -i 0.05 10.0.0.2")
    code, out, err = finish(capture)
    assert (code, err) == (0, [])
    lines = out.decode().splitlines()
    assert lines[:2] == ["LINKTYPE: 1 (Ethernet)", "-- 1 --"]
    assert lines[3:] == ["141 0"]  # 128 + SIGPIPE, as every command of the system


def test_closed_standard_output_is_an_error(lab):
    # The next descriptor that is opened gets its number: what was captured must not be sent as frames.
    capture = lab.start("a", "exec pkt-recv -i eth0 -l 3 >&-")
    until(lambda: lab.listeners("a") or capture.poll() is not None, "packet socket")
    lab.inject("b", [frame(i) for i in range(3)])
    code, _, err = finish(capture)
    assert lab.counters("a")["tx"] == 0
    assert code == 1
    said = "3 packets received could not be written: <stdout>: Bad file descriptor"
    assert [line.split(": ", 1)[1] for line in err][:1] == [said]
    assert len(err) == 2  # and the account


def test_unknown_packets_pass_as_they_are(lab):
    # Nothing here is a header: what no layer knows is captured like everything else.
    capture = lab.capture("a", "pkt-recv -i eth0 -l 3 -F pcap")
    sent = [bytes(14), b"\xff" * 1514, bytes.fromhex((MAC["a"] + MAC[PEER["a"]]).replace(":", "")) + TEST_TYPE.to_bytes(2) + b"x"]
    lab.inject("b", sent)
    assert frames_of(finish(capture)[1]) == sent


def test_what_is_written_goes_to_no_packet_socket(lab):
    """With standard output closed the socket would get its number, and the text of packets would go out as frames."""
    before = lab.counters("a")["tx"]
    process = lab.capture("a", "pkt-recv -i eth0 -l 1 >&-")
    lab.inject("b", [frame(1)])
    code, _, err = finish(process)
    assert (code, lab.counters("a")["tx"]) == (1, before)
    assert "Bad file descriptor" in err[0]


def test_what_is_wrong_with_the_socket_is_said():
    """ENETDOWN is waited for; anything else is an end with a word. No interface fails like that on demand."""

    class Failed:
        def getsockopt(self, *_: int) -> int:
            return errno.EIO

    receiver = object.__new__(Receiver)
    receiver.name, receiver.sock = "eth0", Failed()
    with pytest.raises(PktError, match=r"^eth0: Input/output error$"):
        receiver.check()


def test_the_room_for_kept_blocks_grows_again():
    """A reader may stop twice: what was read makes room for as much."""
    receiver = object.__new__(Receiver)
    receiver.kept, receiver.room, receiver.lock = [bytearray(100), bytearray(50)], 0, threading.Lock()
    assert (receiver.oldest(), receiver.room, len(receiver.kept)) == (bytearray(100), 100, 1)
    assert (receiver.oldest(), receiver.room, len(receiver.kept)) == (bytearray(50), 150, 0)
