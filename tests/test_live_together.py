"""pkt-recv from several interfaces: one order, each packet with its interface; and how it says that it receives."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess

import pytest
import sections
from conftest import shell
from netns import MAC, Lab, finish, frame, frames_of, lab_of_two, labs_of_two, pcap
from waits import until

from pkttools.batch import NOTES, OFFSET, Packet, gathered

lab, labs = lab_of_two, labs_of_two
BY_B = f"--via eth1=ETHERNET.SRC_ADDR=={MAC['b']}"


def talk(count: int) -> list[bytes]:
    return [frame(i, 60 + i % 900, source="ab"[i * i % 3 == 1]) for i in range(count)]


def receiving(lab: Lab, options: str) -> subprocess.Popen[bytes]:
    """pkt-recv at host b, once both interfaces receive."""
    process = lab.start("b", f"exec pkt-recv {options}")
    until(lambda: len(lab.listeners("b")) >= 2 or process.poll() is not None, "two packet sockets")
    return process


@pytest.mark.parametrize("to", ["", "--out FILE"], ids=["pipe", "file"])
def test_in_one_order(labs, tmp_path, to):
    """Whatever the interfaces hand over when: that of the capture which is replayed."""
    sent = talk(400)
    path = tmp_path / "out.pcapng"
    path.touch()
    path.chmod(0o666)
    tmp_path.chmod(0o777)
    capture = receiving(labs, f"-i eth0 -i eth1 -l {len(sent)} -F pcapng --nano {to.replace('FILE', str(path))}")
    labs.must("a", f"pkt-send -i eth0 {BY_B} --pps 4000", pcap(sent))
    code, out, said = finish(capture)
    assert code == 0, said
    found = sections.records(out or path.read_bytes())
    assert [packet.data for packet in found] == sent
    names = ["eth1" if each[11] == 0x0B else "eth0" for each in sent]
    assert [packet.notes for packet in found] == [f"IFACE: {name}\nWAY: in\n" for name in names]
    assert said == [f"pkt-recv: {name}: {names.count(name)} packets received, 0 dropped by the kernel" for name in ("eth0", "eth1")]


def test_a_burst_in_one_order(lab):
    """As many as come at once; times of a link are in order, and so are those of both."""
    sent = talk(6000)
    capture = receiving(lab, "-i eth0 -i eth1 --bpf 'ether proto 0x88b5' -v --nano -l 6000 -F pcapng")
    lab.must("a", f"pkt-send -i eth0 {BY_B} -f", pcap(sent))
    code, out, said = finish(capture)
    assert code == 0, said
    found = sections.records(out)
    assert sorted(packet.data for packet in found) == sorted(sent)
    assert [packet.data for packet in found] == sent
    assert sum("--bpf in the kernel" in line for line in said) == 2, said


def test_without_a_limit(lab):
    """What still waits when a signal comes is written; text says where each came in."""
    capture = receiving(lab, "-i eth0 -i eth1 -ro")
    sent = talk(30)
    lab.must("a", f"pkt-send -i eth0 {BY_B} -f", pcap(sent))
    code, out, _ = finish(capture, signal.SIGINT)
    assert code == 0
    assert re.findall("^IFACE: (.*)$", out.decode(), re.M) == ["eth1" if each[11] == 0x0B else "eth0" for each in sent]
    assert frames_of(lab.must("a", "pkt-txt2pcap", out)) == sent


def test_one_that_is_gone(lab):
    """The others go on, and it is said at once and in the end."""
    capture = lab.start("b", "exec pkt-recv -i eth0 -i eth1 -ro -F pcap --nano")
    until(lambda: len(lab.listeners("b")) >= 2, "two packet sockets")
    lab.must("b", "ip link del eth1")
    assert b"eth1: interface went down" in capture.stderr.readline() + capture.stderr.readline()
    sent = [frame(i, source="a") for i in range(5)]
    lab.must("a", "pkt-send -i eth0 -f", pcap(sent))
    code, out, said = finish(capture, signal.SIGTERM)
    assert frames_of(out) == sent
    assert code == 1
    assert "pkt-recv: eth1: interface is gone" in said


@pytest.mark.parametrize(("words", "said"), [
    ("-i lo -i lo", "-i lo is given twice"),
    ("-i lo --stamps card --libpcap", "--stamps card is of Linux's own way"),
    ("-i lo -i eth7 --stamps card", "--stamps card is for one -i: each card has its own clock"),
    ("-i lo -i eth7 --libpcap", "several -i are for Linux's own way; libpcap has the interface any"),
])  # fmt: skip
def test_wrong_usage(words, said):
    done = shell(f"pkt-recv {words}")
    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (2, f"pkt-recv: {said}")


def test_it_says_when_it_receives(lab, tmp_path):
    """To a descriptor, which is closed then, and into a file; from then on everything is met."""
    reading, writing = os.pipe()
    words = [*lab.inside("b"), "pkt-recv", "-i", "eth0", "-i", "eth1", "-l", "1", "--ready", str(writing)]
    with subprocess.Popen(
        words, env=lab.environment, pass_fds=[writing], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.close(writing)
        with open(reading, "rb") as ready:  # noqa: PTH123  a descriptor
            assert ready.read() == b"eth0, eth1: receiving\n"
        lab.inject("a", [frame(1, source="a")])
        assert process.communicate(timeout=20)[0].count(b"==") == 1
    path = tmp_path / "ready"
    capture = lab.start("b", f"exec pkt-recv -i eth0 -l 1 --ready {path}")
    until(lambda: path.exists() and path.read_text() == "eth0: receiving\n", "line")
    lab.inject("a", [frame(1, source="a")])
    assert finish(capture)[0] == 0
    done = lab.run("b", "pkt-recv -i eth0 --ready 77")
    assert (done.returncode, done.stderr) == (1, b"pkt-recv: --ready 77: Bad file descriptor\n")


def test_a_card_without_times(lab):
    """Refused, where else the kernel's would be taken for them."""
    done = lab.run("b", "pkt-recv -i eth0 --stamps card -l 1")
    said = b"pkt-recv: eth0: its card takes no times of packets, or not of all: only the kernel's are to be had\n"
    assert (done.returncode, done.stderr) == (1, said)
    if shutil.which("ethtool"):
        assert b"hardware-receive" not in lab.must("b", "ethtool -T eth0")


def test_pieces_in_one_order():
    """Those of the same time stay as they came; notes and bytes go along."""
    from pkttools.live.linux.together import merged, parted

    def piece(name: bytes, stamps: list[int]):
        return gathered(Packet(name + bytes([stamp]), 2, stamp, 1, b"IFACE: " + name + b"\n") for stamp in stamps)

    pending = [(1.0, piece(b"a", [1, 5, 9])), (1.0, piece(b"b", [2, 5, 6])), (2.0, piece(b"a", [10, 8]))]
    pieces, left = parted(pending, 8)
    found = merged(pieces)
    assert [found.packet(i).frame for i in range(len(found))] == [b"a\1", b"b\2", b"a\5", b"b\5", b"b\6", b"a\x08"]
    assert [found.packet(i).notes[7:8] for i in range(len(found))] == [b"a", b"b", b"a", b"b", b"b", b"a"]
    assert [(when, batch.packet(0).frame) for when, batch in left] == [(1.0, b"a\x09"), (2.0, b"a\x0a")]
    assert found.column(OFFSET) != found.column(NOTES)
