"""Live pipes: packets captured, edited and sent again while everything runs, with the kernel of the other host as judge."""

import os
import re
import select
import signal
import sys
import time
from itertools import pairwise

import pytest
from netns import MAC, finish, frame, frames_of, pcap
from netns import lab as _lab
from netns import labs as _labs
from waits import until

lab, labs = _lab, _labs


def snmp(lab, host: str, name: str) -> int:
    """A counter of the kernel's ICMP."""
    names, values = [line.split()[1:] for line in lab.proc(host, "snmp").splitlines() if line.startswith("Icmp:")]
    return int(values[names.index(name)])


def wait_for(stream, wanted: bytes, seconds: float) -> float:
    """Reads from a pipe until `wanted` was in it; gives how long that took."""
    begun, text = time.monotonic(), b""
    while wanted not in text:
        left = begun + seconds - time.monotonic()
        assert left > 0 and select.select([stream], [], [], left)[0], f"{wanted!r} not within {seconds} s, but {text[-500:]!r}"
        chunk = os.read(stream.fileno(), 65536)
        assert chunk, f"the pipe ended: {text[-500:]!r}"
        text += chunk
    return time.monotonic() - begun


def test_replies_become_requests_that_the_other_kernel_answers(labs):
    # b turns its replies to a's ping into requests to a: with the checksum right, a answers them.
    answers = labs.capture("b", "pkt-recv -i eth0 -ro -l 3 ICMP.TYPE==0 -F pcap")
    forge = labs.capture(
        "b",
        "pkt-recv -i eth0 -so -l 6 | pkt-filter ICMP.TYPE==0 | pkt-change --icmp-type 8 | pkt-correct | pkt-send -i eth0",
    )
    labs.must("a", "ping -c 3 -i 0.1 -p c0ffee 10.0.0.2")
    code, out, _ = finish(answers)
    assert code == 0
    replies = frames_of(out)
    assert [int.from_bytes(data[40:42], "big") for data in replies] == [1, 2, 3]  # the numbers of the ping
    assert all(b"\xc0\xff\xee" * 8 in data for data in replies)
    assert labs.must("b", "pkt-correct -F pcap", out) == out
    assert snmp(labs, "a", "OutEchoReps") == 3
    assert snmp(labs, "a", "InCsumErrors") == 0
    code, out, err = finish(forge)
    assert (code, out) == (0, b"")
    assert "pkt-send: eth0: 3 attempted = 3 sent + 0 failed" in "\n".join(err)


def test_without_correct_the_other_kernel_refuses(lab):
    # The judge of the test above is not blind.
    forge = lab.capture("b", "pkt-recv -i eth0 -so -l 2 | pkt-filter ICMP.TYPE==0 | pkt-change --icmp-type 8 | pkt-send -i eth0")
    lab.must("a", "ping -c 1 10.0.0.2")
    lab.inject("b", [frame(1)])  # the second packet of the capture: it ends
    finish(forge)
    until(lambda: snmp(lab, "a", "InCsumErrors") == 1, "checksum error")
    assert snmp(lab, "a", "OutEchoReps") == 0


def test_swapped_replies_are_a_ping_that_goes_on_by_itself(lab):
    # Each reply that comes in goes back as the next request; the filter before -l bounds it.
    forge = lab.capture(
        "a", "pkt-recv -i eth0 -ro -l 5 ICMP.TYPE==0 | pkt-change --icmp-type 8 --swap | pkt-correct | pkt-send -i eth0 -f"
    )
    lab.must("a", "ping -c 1 10.0.0.2")
    code, _, err = finish(forge)
    assert code == 0
    assert "5 attempted = 5 sent + 0 failed" in "\n".join(err)
    until(lambda: snmp(lab, "b", "OutEchoReps") == 6, "sixth reply")
    assert snmp(lab, "b", "InCsumErrors") == 0


def test_tcpdump_at_both_ends(lab):
    lab.need_tcpdump()
    # -s 2000: with its default, immediate mode has room for few frames.
    pipe = lab.capture(
        "a", "tcpdump -i eth0 --immediate-mode -s 2000 -U -w - | pkt-change --ip-ttl 5 -F pcap | tcpdump -l -vnr - 2>/dev/null"
    )
    lab.must("a", "ping -c 2 -i 0.1 10.0.0.2")
    # tcpdump of the capture goes on: what appears now went through the pipe alone.
    wait_for(pipe.stdout, b"ICMP echo reply, id", 5)
    pings = lab.start("a", "ping -c 2 -i 0.1 10.0.0.2")
    wait_for(pipe.stdout, b"ttl 5,", 5)
    finish(pings)


def delays(lab, pipe):
    """Seconds until each of four frames, sent one by one, is shown."""
    took = []
    for i in range(4):
        lab.inject("b", [frame(0x41424300 + i)])
        took.append(wait_for(pipe.stdout, f"88 B5 41 42  43 {i:02X}".encode(), 10))
    return took


def test_a_live_pipe_shows_a_packet_within_a_second(labs):
    pipe = labs.capture("a", "pkt-recv -i eth0 | pkt-change --ip-ttl 5 | pkt-correct | pkt-txt2txt -n 60")
    assert max(delays(labs, pipe)[1:]) < 1  # the first one may find commands that have not started yet


def test_batches_are_handed_on_packet_by_packet(lab):
    pipe = lab.capture("a", "pkt-recv -i eth0 -l 4 | pkt-change -v --ip-ttl 5 | pkt-correct -v | pkt-txt2txt -v -n 60")
    took = delays(lab, pipe)
    code, _, err = finish(pipe)
    assert code == 0
    assert max(took[1:]) < 1
    for said in ("pkt-change: {} packets went as", "pkt-correct: {} packets came as", "pkt-txt2txt: {} packets came as"):
        assert {f"{said.format(count)} batches" for count in (3, 4)} & set(err), err  # the first one may find nobody yet


def test_end_of_a_capture_ends_the_pipe_and_nothing_is_lost(labs):
    # As a terminal's ^C: all commands of the pipe get the signal.
    pipe = labs.capture(
        "a", "pkt-recv -i eth0 | pkt-change ETHERNET.TYPE=0x88b6 | pkt-correct | pkt-txt2pcap; echo ${PIPESTATUS[@]} >&2"
    )
    labs.inject("b", [frame(0)])
    assert select.select([pipe.stdout], [], [], 10)[0]  # something came out at the end, so all of them run
    sent = [frame(i, 60 + i % 900) for i in range(1, 2000)]
    labs.inject("b", sent)
    os.killpg(pipe.pid, signal.SIGINT)
    code, out, err = finish(pipe)
    found = frames_of(out)
    assert found == [data[:12] + b"\x88\xb6" + data[14:] for data in [frame(0), *sent]]
    assert err == ["pkt-recv: eth0: 2000 packets received, 0 dropped by the kernel", "0 0 0 0"]
    assert code == 0


def test_captured_and_replayed_with_its_gaps(lab):
    # A capture sent again at once keeps its timing, from pipe to pipe.
    capture = lab.capture("a", "pkt-recv -i eth0 --nano -l 4")
    lab.must("b", "pkt-send -i eth0", pcap([frame(i) for i in range(4)], 0.1))
    text = finish(capture)[1]
    again = lab.capture("b", "pkt-recv -i eth0 -ro --nano -l 4")
    lab.must("a", "pkt-send -i eth0", text)
    stamps = [[float(stamp) for stamp in re.findall(rb"^TIME: (\S+)", part, re.M)] for part in (text, finish(again)[1])]
    gaps = [[b - a for a, b in pairwise(part)] for part in stamps]
    assert gaps[1] == pytest.approx(gaps[0], abs=0.03)


def test_forged_udp_reaches_a_socket(lab):
    # From a ping to a datagram, by fields alone: the kernel delivers it only if lengths and checksums are right.
    receiver = lab.start(
        "b", f"exec {sys.executable} -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10); "
        's.bind(("10.0.0.2", 4000)); print("ready", flush=True); print(s.recvfrom(99))\'',
    )  # fmt: skip
    assert receiver.stdout.readline() == b"ready\n"
    packet = f"""-- 1 --
SIZE: 50/50
ETHERNET.DST_ADDR: {MAC["b"]}
ETHERNET.SRC_ADDR: {MAC["a"]}
ETHERNET.TYPE: 0x800
IP.VERSION: 4
IP.HEADER_SIZE: 20
IP.TTL: 64
IP.PROTOCOL: 17
IP.SRC_ADDR: 10.0.0.1
IP.DST_ADDR: 10.0.0.2
UDP.SRC_PORT: 5000
UDP.DST_PORT: 4000
UDP.DATA: 66 6f 72 67 65 64 21 21
==
"""
    lab.must("a", "pkt-correct -L | pkt-send -i eth0", packet.encode())
    assert finish(receiver)[1] == b"(b'forged!!', ('10.0.0.1', 5000))\n"
