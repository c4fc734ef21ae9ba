"""pkt-recv from interfaces of all kinds, beside tcpdump: link types, and headers of a kind that is not known.

The kernel has a TUN device say that it is of any kind, and its packets stay as they are.
"""

import signal
import struct
import sys

import pytest
from netns import finish, pcap, records
from netns import lab as _lab
from netns import labs as _labs

lab, labs = _lab, _labs
PACKETS = {  # an ICMP packet from each side
    4: bytes.fromhex("4500001c00010000400100000a0000010a0000020800f7ff00000000"),
    6: bytes.fromhex("6000000000083aff") + bytes(15) + b"\1" + bytes(15) + b"\2" + bytes.fromhex("8000000000000000"),
}
# Makes a TUN device of a hardware type, up, and hands in what it reads in hex.
KIND = """
import fcntl, os, struct, subprocess, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"t0", 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
fcntl.ioctl(fd, 0x400454CD, int(sys.argv[1]))  # TUNSETLINK
subprocess.run(["ip", "link", "set", "t0", "up"], check=True)
print("up", flush=True)
for line in sys.stdin:
    os.write(fd, bytes.fromhex(line))
    print("in", flush=True)
"""
COOKED, IRDA, NETLINK, RAW_IP = 113, 144, 253, 101
KINDS = {
    1: 1, 65534: RAW_IP, 776: RAW_IP, 518: RAW_IP, 801: 105, 803: 127, 804: 230, 826: 271, 770: 107, 7: 129, 787: 224,
    778: COOKED, 769: COOKED, 823: COOKED, 32: COOKED, 65535: COOKED, 783: IRDA, 824: NETLINK,
}  # fmt: skip
OURS = {512: RAW_IP, 519: RAW_IP}  # of PPP and modems, where libpcap 1.10 has cooked ones


def of_kind(lab, hardware: int):
    """A TUN device t0 of a hardware type."""
    process = lab.start("a", f"exec {sys.executable} -c '{KIND}' {hardware}", stdin=-1)
    if process.stdout.readline() != b"up\n":
        pytest.skip(f"no TUN device of this kind here: {process.communicate()[1].decode()[-200:]}")
    return process


def both_ways(lab, device) -> None:
    """Packets that come in and go out."""
    for data in PACKETS.values():
        device.stdin.write(data.hex().encode() + b"\n")
        device.stdin.flush()
        assert device.stdout.readline() == b"in\n"
        lab.inject("a", [data], "t0")


def cooked(hardware: int, way: int, data: bytes) -> bytes:
    return struct.pack("!HHHQH", way, hardware, 0, 0, 0x0800 if data[0] == 0x45 else 0x86DD) + data


def linktype(capture: bytes) -> int:
    return struct.unpack_from("<I", capture, 20)[0]


def told(capture: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    return linktype(capture), [(original, data) for _, original, data in records(capture)]


@pytest.mark.parametrize("hardware", KINDS | OURS)
def test_link_types_are_libpcaps(lab, hardware):
    device = of_kind(lab, hardware)
    theirs = None
    if hardware in KINDS and not lab.rootless and lab.run("a", "command -v tcpdump").returncode == 0:
        theirs = lab.capture("a", "exec tcpdump -i t0 -U -w - --immediate-mode")
    ours = lab.capture("a", "exec pkt-recv -i t0 -F pcap")
    both_ways(lab, device)
    code, out, said = finish(ours, signal.SIGINT)
    assert code == 0, said
    wanted = (KINDS | OURS)[hardware]
    packets = [(way, data) for data in PACKETS.values() for way in (0, 4)]
    if wanted in (COOKED, IRDA, NETLINK):
        packets = [(way, cooked(hardware, way, data)) for way, data in packets]
    assert told(out) == (wanted, [(len(data), data) for _, data in packets])
    if theirs:
        assert told(finish(theirs, signal.SIGINT)[1]) == told(out)


def test_both_codecs_and_the_way(labs):
    device = of_kind(labs, 778)
    ours = labs.capture("a", "exec pkt-recv -i t0 -v -so -F pcapng --snaplen 30")
    both_ways(labs, device)
    code, out, _ = finish(ours, signal.SIGINT)
    assert code == 0
    shown = labs.must("a", "pkt-pcapng2txt", out).decode()
    assert shown.count("LINKTYPE: 113") == 1
    assert sorted(line for line in shown.splitlines() if line.startswith(("SIZE:", "WAY:"))) == [
        "SIZE: 30/44", "SIZE: 30/64", "WAY: out", "WAY: out",
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "count"), [("ip6", 2), ("icmp", 2), ("link[0:2] = 4", 2), ("tcp", 0)])
def test_filters_see_the_header(lab, text, count):
    device = of_kind(lab, 823)
    ours = lab.capture("a", f"exec pkt-recv -i t0 -v -F pcap --bpf '{text}'")
    both_ways(lab, device)
    code, out, said = finish(ours, signal.SIGINT)
    assert code == 0
    assert len(records(out)) == count
    assert "pkt-recv: t0: --bpf in user space, the kernel does not run it: it has taken the link header off" in said


def test_two_kinds_at_once(lab):
    device = of_kind(lab, 769)
    ours = lab.start("a", "exec pkt-recv -i eth0 -i t0 -l 4 -F pcapng --duration 20 -v")
    assert b"receiv" in ours.stderr.readline()
    both_ways(lab, device)
    code, out, _ = finish(ours)
    assert code == 0
    assert lab.must("a", "pkt-pcapng2txt", out).count(b"LINKTYPE: 113") == 1


def test_the_list_of_interfaces_says_what_comes(lab):
    of_kind(lab, 778)
    assert b"113 (Linux SLL)" in lab.must("a", "pkt-recv -D")


def test_what_nothing_is_sent_to(lab):
    of_kind(lab, 778)
    done = lab.run("a", "pkt-send -i t0", pcap([PACKETS[4]], linktype=RAW_IP))
    assert (done.returncode, done.stderr) == (1, b"pkt-send: t0: nothing can be sent to interfaces of hardware type 778\n")


def test_can_is_left_to_libpcap(lab):
    of_kind(lab, 280)
    done = lab.run("a", "pkt-recv -i t0")
    assert done.returncode == 1
    assert done.stderr == b"pkt-recv: t0: interfaces of hardware type 280 are not supported, but by --libpcap\n"


def test_a_modem_takes_ip(lab):
    device = of_kind(lab, 519)
    ours = lab.capture("a", "exec pkt-recv -i t0 -so -l 1 -F pcap")
    assert device.poll() is None
    lab.must("a", "pkt-send -i t0 -f", pcap([PACKETS[6]], linktype=RAW_IP))
    assert told(finish(ours)[1]) == (RAW_IP, [(len(PACKETS[6]), PACKETS[6])])
