"""pkt-recv --bpf on a real wire: the kernel filters, and passes what the same filter passes in user space."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from bpf import judged
from netns import PEER, finish, frame, frames_of
from netns import labs as _labs
from samples import ethernet, frames, icmp, ipv4, ipv6, tags, tcp, udp
from waits import until

from pkttools.libpcap import compile_filter

labs = _labs

# Tags and what is behind them, in several depths; the kernel takes the outermost off.
TAGGED = [
    ethernet(outer, tags([outer, *inner], 0x0800, ipv4(17, udp(bytes(20)))))
    for outer in (0x8100, 0x88A8)
    for inner in ((), (0x8100,), (0x88A8, 0x8100))
] + [ethernet(0x8100, tags([0x8100], 0x88B5, bytes(50))), ethernet(0x8100, tags([0x8100], 0x86DD, ipv6(58, icmp(128))))]
ALL = [
    *TAGGED,
    *(data for linktype, data in frames() if linktype == 1 and 14 <= len(data) <= 1514),
    ethernet(0x0800, ipv4(6, tcp())),
]
LAST = frame(77)  # shows that everything before it has come
TUN = """
import fcntl, struct, time
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
print("ready", flush=True)
time.sleep(30)
"""
IN_KERNEL = re.compile(rb"pkt-recv: eth0: --bpf in the kernel: (\d+) packets of (\d+), as the interface counts, came through; ")


@pytest.mark.parametrize(
    "text",
    ["udp", "ip", "vlan", "not vlan", "vlan and udp", "vlan and vlan", "ether proto 0x88b5", "ether[12:2] = 0x88b5", "less 70",
     "len > 60", "ip[9] = 17", "ip6", "ether[14] = 0x45 or arp", "ip6 protochain 58", "1 = 1",
     "ip[2:2] >> ip[8] = 0", "(1 << ip[8]) = 0", "ip[8] << 1 = 128"],
)  # fmt: skip
@pytest.mark.parametrize("direction", ["in", "out"])
def test_the_kernel_passes_what_the_interpreter_does(labs, text: str, direction: str) -> None:
    """Whatever tags do to offsets, on the way in, where the kernel takes them off, and on the way out, where it does not."""
    end = f"({text}) or ether[14:4] = 77" if "protochain" not in text else f"{text} or (ether[12:2] = 0x88b5 and ether[14:4] = 77)"
    host = "a" if direction == "in" else "b"
    capture = labs.capture(host, f"exec pkt-recv -i eth0 -F pcap -v --duration 10 --bpf '{end}'")
    program = compile_filter(end, 1)
    wanted = [data for data in [*ALL, LAST] if judged(program, data, len(data))]
    labs.inject("b", [*ALL, LAST])
    until(lambda: labs.counters(PEER["b"])["rx"] >= len(ALL) + 1, "last frame")
    code, out, said = finish(capture, 2)
    assert code == 0
    assert frames_of(out) == wanted
    account = [line for line in said if "--bpf" in line]
    assert len(account) == 1
    if "protochain" in text:
        assert account == ["pkt-recv: eth0: --bpf in user space, the kernel does not run it: it jumps back, or is too long for it"]
    else:
        passed, seen = map(int, IN_KERNEL.match(account[0].encode()).groups())  # type: ignore[union-attr]
        tagged = [data for data in ALL if data[12:14] in (b"\x81\x00", b"\x88\xa8")]
        more = sum(data not in wanted for data in tagged) if direction == "in" else 0
        assert passed == len(wanted) + more or ("ip[8])" in text and passed > len(wanted))  # shifts by X are decided here
        assert seen == len(ALL) + 1


def test_the_kernel_copies_nothing_that_it_drops(labs) -> None:
    """1,000 frames that the filter does not want, and one that it does: one is received."""
    capture = labs.capture("a", "exec pkt-recv -i eth0 --duration 10 -l 1 --bpf 'ether[14:4] = 1000'")
    labs.inject("b", [frame(i) for i in range(1001)])
    code, out, said = finish(capture)
    assert (code, out.count(b"==\n")) == (0, 1)
    assert said == ["pkt-recv: eth0: 1 packet received, 0 dropped by the kernel"]


def test_turned_around(labs) -> None:
    capture = labs.capture("a", "exec pkt-recv -i eth0 -v -r --duration 10 -l 2 -F pcap --bpf 'ether[14:4] = 1'")
    labs.inject("b", [frame(i) for i in range(3)])
    code, out, said = finish(capture)
    assert code == 0
    assert frames_of(out) == [frame(0), frame(2)]
    assert "pkt-recv: eth0: --bpf in user space: -r turns it around" in said


def test_with_our_own_filter(labs) -> None:
    capture = labs.capture("a", "exec pkt-recv -i eth0 --duration 10 -l 1 -F pcap --bpf udp UDP.DST_PORT==9")
    labs.inject("b", [ethernet(0x0800, ipv4(17, udp())), ethernet(0x0800, ipv4(17, bytes([0, 7, 0, 9, 0, 8, 0, 0])))])
    code, out, _ = finish(capture)
    assert (code, len(frames_of(out))) == (0, 1)


def test_programs_from_files(labs, tmp_path) -> None:
    """One that returns a number of its own, which is no snap length here; and one that only the interpreter takes."""
    (tmp_path / "number").write_text("2\n48 0 0 17\n22 0 0 0\n")
    (tmp_path / "memory").write_text("3\n96 0 0 3\n4 0 0 1\n22 0 0 0\n")  # memory that nothing was stored in
    for name, refused in (("number", None), ("memory", "Invalid argument")):
        capture = labs.capture("a", f"exec pkt-recv -i eth0 -v --duration 10 -l 1 -F pcap --bpf-file {tmp_path}/{name}")
        labs.inject("b", [frame(200, 1000)])
        code, out, said = finish(capture)
        assert (code, frames_of(out)) == (0, [frame(200, 1000)])
        line = f"pkt-recv: eth0: --bpf in user space, the kernel does not run it: {refused}"
        assert (line in said) == (refused is not None)


def test_another_kind_of_interface(labs) -> None:
    """Raw IP: the program is for the link type of the interface."""
    holder = labs.start("a", f"exec {sys.executable} -c '{TUN}'")
    if holder.stdout.readline() != b"ready\n":
        pytest.skip("no TUN interfaces here: /dev/net/tun is missing or closed to this user")
    labs.must("a", "ip addr add 10.9.0.1/24 dev tun0 && ip link set tun0 up")
    capture = labs.capture("a", "exec pkt-recv -i tun0 -v --duration 10 -l 1 --bpf 'icmp and dst 10.9.0.7'")
    labs.run("a", "ping -c 1 -W 1 10.9.0.8; ping -c 1 -W 1 10.9.0.7")
    code, out, said = finish(capture)
    assert (code, out.count(b"==\n")) == (0, 1)
    assert b"LINKTYPE: 101" in out
    assert any(re.match(r"pkt-recv: tun0: --bpf in the kernel: 1 packets of \d,", line) for line in said), said


@pytest.mark.parametrize(("words", "where"), [("", "user space"), ("--raw-checksums", "the kernel")])
def test_checksums_that_are_finished_here(labs, words: str, where: str) -> None:
    """A sender on this machine leaves the checksum to the network card; the filter sees what pkt-recv would show."""
    talk = f'{sys.executable} -c \'import socket; socket.socket(2, 2).sendto(b"12345", ("10.0.0.1", 9))\''
    shown = labs.capture("a", f"exec pkt-recv -i eth0 -l 1 --duration 10 -F pcap --bpf 'udp port 9' {words}")
    labs.must("b", talk)
    (seen,) = frames_of(finish(shown)[1])
    number = int.from_bytes(seen[40:42], "big")
    ports = (int.from_bytes(seen[34:36], "big") + number) % 0xFFFF  # the port is another one each time
    text = "udp[4:2] = 13 and udp[6:2] + udp[0:2] != 0"
    capture = labs.capture("a", f"exec pkt-recv -i eth0 -v --duration 10 -l 1 -F pcap {words} --bpf '{text}'")
    labs.must("b", talk)
    code, out, said = finish(capture)
    (again,) = frames_of(out)
    if not words:
        assert (int.from_bytes(again[34:36], "big") + int.from_bytes(again[40:42], "big")) % 0xFFFF == ports
    assert code == 0
    assert any(f"--bpf in {where}" in line for line in said), said


def test_a_finished_checksum_is_found(labs) -> None:
    """Asked for by its number: the kernel has another one there."""
    talk = (f"{sys.executable} -c 'import socket; s = socket.socket(2, 2); s.bind((\"10.0.0.2\", 7777)); "
            "s.sendto(b\"12345\", (\"10.0.0.1\", 9))'")  # fmt: skip
    shown = labs.capture("a", "exec pkt-recv -i eth0 -l 1 --duration 10 -F pcap --bpf 'udp port 9'")
    labs.must("b", talk)
    (seen,) = frames_of(finish(shown)[1])
    capture = labs.capture("a", f"exec pkt-recv -i eth0 -l 1 --duration 5 -F pcap --bpf 'udp[6:2] = {int.from_bytes(seen[40:42])}'")
    labs.must("b", talk)
    assert [frame[34:] for frame in frames_of(finish(capture)[1])] == [seen[34:]]


def test_an_interface_that_is_gone(labs) -> None:
    labs.must("a", "ip link add x0 type veth peer name x1 && ip link set x0 up && ip link set x1 up")
    capture = labs.capture("a", "exec pkt-recv -i x0 -v --duration 10 --bpf 'ether proto 0x88b5'")
    labs.inject("a", [frame(1)], "x1")
    until(lambda: b"==" in capture.stdout.readline(), "frame")
    labs.must("a", "ip link del x0")
    code, _, said = finish(capture)
    assert code == 1
    assert any("--bpf in the kernel: 1 packets came through" in line for line in said), said


def test_the_filter_is_there_before_the_interface(labs, tmp_path) -> None:
    """Nothing foreign slips in: the socket has its filter before it is bound."""
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed, or not allowed to trace")
    trace = f"strace -f -qq -o {tmp_path}/calls -e trace=setsockopt,bind"
    labs.run("a", f"{trace} pkt-recv -i eth0 --duration 0.01 --bpf icmp")
    calls = (tmp_path / "calls").read_text()
    assert 0 <= calls.find("SO_ATTACH_FILTER") < calls.find("sa_family=AF_PACKET")


def test_an_expression_that_the_link_type_does_not_have(labs) -> None:
    done = labs.run("a", "pkt-recv -i eth0 --duration 1 --bpf 'wlan type mgt'")
    assert done.returncode == 2
    assert done.stderr.startswith(b"pkt-recv: --bpf 'wlan type mgt': 802.11 link-layer types supported only on 802.11")
