"""pkt-gen: packets from nothing, judged by tshark, dpkt and pkt-check, and the check of what arrived."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import termios
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import IO

import dpkt
import pytest
from conftest import ROOT, shell
from netns import frames_of, pcap, records
from waits import until

MAGIC = 0xBE9BE955
PROTOCOLS = ["arp", "icmp", "icmp6", "udp", "udp --src 2001:db8::1", "tcp", "tcp --dst 2001:db8::9"]


def made(words: str, data: bytes = b"", backend: str = "") -> list[bytes]:
    """The frames of a command line."""
    done = shell(f"pkt-gen {words} -F pcap", data, backend=backend)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return frames_of(done.stdout)


def refused(words: str, data: bytes = b"", code: int = 2) -> str:
    """What is said of a command line that is wrong."""
    done = shell(f"pkt-gen {words}", data)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    return done.stderr.decode().splitlines()[0]


def shown(frames: list[bytes], *fields: str) -> list[list[str]]:
    """What tshark finds in frames; it computes checksums, too."""
    return judged(tuple(frames), fields)


@cache  # both codecs make the same frames, and it takes its time
def judged(frames: tuple[bytes, ...], fields: tuple[str, ...]) -> list[list[str]]:
    """The same."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    words = ["tshark", "-n", "-r", "-", "-T", "fields"]
    for layer in ("ip", "udp", "tcp"):
        words += ["-o", f"{layer}.check_checksum:TRUE"]
    for name in fields:
        words += ["-e", name]
    done = subprocess.run(words, input=pcap([*frames]), capture_output=True, check=True)
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


# ---- packets ----


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_is_sound_to_others(protocol: str, backend: str) -> None:
    frames = made(f"{protocol} --size 120 --count 3 --seed 1", backend=backend)
    assert [len(frame) for frame in frames] == [120] * 3
    checked = shell("pkt-check -cs -F pcap", pcap(frames))
    assert (len(frames_of(checked.stdout)), checked.stderr) == (3, b"")
    for protocols, *sums in shown(
        frames, "frame.protocols", "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status",
        "icmpv6.checksum.status", "_ws.malformed",
    ):  # fmt: skip
        assert protocol.split()[0].replace("icmp6", "icmpv6") in protocols.split(":")
        assert set("".join(sums)) <= {"1"}  # good
    assert type(dpkt.ethernet.Ethernet(frames[0]).data).__name__ == {"arp": "ARP"}.get(
        protocol, "IP6" if ":" in protocol or protocol == "icmp6" else "IP"
    )


def test_defaults_are_of_documentation() -> None:
    assert made("udp")[0].hex() == (
        "ffffffffffff0200000000010800" "4500002e0000400040110000c0000201c0000202".replace("40110000", "4011b6bb")
        + "00090009001a7ba4" + 18 * "00"
    )  # fmt: skip
    (row,) = shown(made("tcp --src 2001:db8::1"), "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.flags.str")
    assert row[:4] == ["2001:db8::1", "2001:db8::2", "9", "9"]
    assert row[4].strip("·") == "S"
    (row,) = shown(made("arp --src 10.0.0.1 --dst 10.0.0.2 --src-mac 02:00:00:00:00:07"), "arp.opcode", "arp.src.proto_ipv4",
                   "arp.dst.proto_ipv4", "arp.src.hw_mac", "eth.src", "eth.dst")  # fmt: skip
    assert row == ["1", "10.0.0.1", "10.0.0.2", "02:00:00:00:00:07", "02:00:00:00:00:07", "ff:ff:ff:ff:ff:ff"]


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "udp --vlan 3", "icmp6 --vlan 3"])
def test_sizes(protocol: str, backend: str) -> None:
    """Of the frame; what it says of itself fits, in every size."""
    frames = made(f"{protocol} --size 90..1514/89 --count 17", backend=backend)
    assert [len(frame) for frame in frames] == list(range(90, 1515, 89))
    checked = shell("pkt-check -cs -F pcap", pcap(frames))
    assert (frames_of(checked.stdout), checked.stderr) == (frames, b"")
    rows = shown(frames, "frame.len", "ip.len", "ipv6.plen", "udp.length", "_ws.malformed")
    tag = 4 * ("vlan" in protocol)
    for size, (length, ip, ipv6, udp, malformed) in zip(range(90, 1515, 89), rows, strict=True):
        assert (int(length), malformed) == (size, "")
        assert [int(n) for n in (ip, ipv6, udp) if n] == [size - 14 - tag - less for less, there in (
            (0, ip), (40, ipv6), (40 if ipv6 else 20, udp)) if there]  # fmt: skip


def test_a_syn_has_no_data_unless_it_is_asked_for() -> None:
    assert [len(frame) for frame in made("tcp")] == [54]
    assert [len(frame) for frame in made("tcp --size 60")] == [60]
    assert [len(frame) for frame in made("tcp --payload abc")] == [57]


def test_times_that_are_written_have_the_digits_that_are_kept() -> None:
    """A ramp in microseconds, unless --nano asks for more."""
    done = shell("pkt-gen udp --rate 100..1000 --count 9 --seed 1 -F pcap | pkt-pcap2txt | grep -c ^TIME")
    assert (done.stdout, done.stderr) == (b"9\n", b"")
    assert re.search(rb"^TIME: 0\.\d{9} ", shell("pkt-gen udp --rate 100..1000 --count 9 --seed 1 --nano").stdout, re.MULTILINE)


def test_vlan_flags_payload() -> None:
    (row,) = shown(made("tcp --vlan 5 --flags SAP --payload 'GET /' --dport 80 ETHERNET.VLAN_PRIORITY=6"),
                   "vlan.id", "vlan.priority", "tcp.flags", "tcp.payload")  # fmt: skip
    assert row[:3] == ["5", "6", "0x001a"]
    assert bytes.fromhex(row[3].replace(":", "")).rstrip(b"\0") == b"GET /"
    assert made("udp --payload 0x00ff10")[0][42:45] == b"\x00\xff\x10"
    assert [frame[47] for frame in made("tcp --flags S,SA,A,0x29 --count 4")] == [2, 18, 16, 0x29]


def test_headers_that_fields_announce(backend: str) -> None:
    """A port, a protocol: with the first value that it has, unless it is drawn; the seed draws the same as without."""
    payload = "--payload 0x123401000001000000000000"
    made = [shell(f"pkt-gen {words} --count 3 --seed 5 | pkt-analyze --fields {fields}", backend=backend) for words, fields in (
        (f"udp --dport 53 {payload} DNS.ID=1..3", "DNS.ID"), (f"udp DNS.ID=7 --dport 53,9 {payload}", "DNS.ID"),
        (f"icmp IP.PROTOCOL=17 UDP.DST_PORT=53 DNS.ID=9..1/4 {payload}", "DNS.ID"),
        ("udp --size 64 --dport 53 UDP.SRC_PORT=random", "UDP.SRC_PORT"),
        ("udp --size 64 --dport 53 UDP.SRC_PORT=random DNS.ID=4", "UDP.SRC_PORT"))]  # fmt: skip
    assert [done.returncode for done in made] == [0] * 5, made
    columns = [done.stdout.decode().split()[1:] for done in made]
    assert columns[:3] == [["1", "2", "3"], ["7", "7"], ["9", "5", "1"]]
    assert columns[3] == columns[4]
    assert b"no such field" in shell("pkt-gen udp --dport random DNS.ID=1", backend=backend).stderr


def test_fields_step_independently(backend: str) -> None:
    frames = made("udp --src 10.0.0.1..10.0.0.2 --sport 1..3 --ip-ttl 9,7 IP.ID=5../2 --count 6 --size 70..71", backend=backend)
    rows = shown(frames, "ip.src", "udp.srcport", "ip.ttl", "ip.id", "frame.len", "udp.checksum.status")
    assert rows == [
        [f"10.0.0.{n % 2 + 1}", str(n % 3 + 1), str((9, 7)[n % 2]), f"{5 + 2 * n:#06x}", str(70 + n % 2), "1"] for n in range(6)
    ]


def test_nested(backend: str) -> None:
    frames = made("udp --nested --size 60..61 --dst 10.0.0.1..10.0.0.3 --dport 1..2 --count 13", backend=backend)
    rows = shown(frames, "frame.len", "ip.dst", "udp.dstport")
    assert rows == [[str(60 + n % 2), f"10.0.0.{n // 2 % 3 + 1}", str(n // 6 % 2 + 1)] for n in range(13)]


def test_what_is_set_stays_set(backend: str) -> None:
    (frame,) = made("udp UDP.CHECKSUM=0x1234 IP.CHECKSUM=7", backend=backend)
    assert (frame[40:42], frame[24:26]) == (b"\x12\x34", b"\0\7")
    (frame,) = made("udp IP.TOTAL_SIZE=1000 UDP.SIZE=9", backend=backend)
    assert (frame[16:18], frame[38:40]) == (b"\x03\xe8", b"\0\x09")
    assert [frame[41] for frame in made("udp UDP.CHECKSUM=0..2 --count 3", backend=backend)] == [0, 1, 2]
    (frame,) = made("udp --raw-checksums IP.CHECKSUM=0", backend=backend)
    assert frame[24:26] == b"\0\0"


@pytest.mark.parametrize("words", [
    "udp --src random --dst random:10.0.0.0/8 --size random IP.TTL=random:1,64..66 --count 2500",
    "tcp --src random:2001:db8::/32 --sport random --dport 1..7 --count 2500 TCP.SEQ_NUMBER=random",
    "arp --src-mac random --dst 10.0.0.1.. --count 2500",
    "udp --sport 1..40000 --stamp --count 2500 --rate 10..1000", "icmp ICMP.SEQ=1.. --count 2500 --size 60..69 --vlan 1..4094",
])  # fmt: skip
def test_the_same_seed_the_same_packets(words: str) -> None:
    """With either codec, in parts of whatever length; and another seed gives others."""
    one = shell(f"pkt-gen {words} --seed 3", backend="c")
    assert one.returncode == 0, one.stderr
    for again in (shell(f"pkt-gen {words} --seed 3", backend="c"), shell(f"pkt-gen {words} --seed 3", backend="python")):
        assert again.stdout == one.stdout
    if "random" in words:
        assert shell(f"pkt-gen {words} --seed 4", backend="c").stdout != one.stdout
        said = shell(f"pkt-gen {words} -v").stderr.decode()
        seed = re.search(r"seed (\d+)$", said, re.MULTILINE)
        assert seed, said
    short = shell(f"pkt-gen {words.replace('--count 2500', '--count 1500')} --seed 3").stdout
    if "--rate" not in words:  # a ramp over the count is another one
        assert one.stdout.startswith(short)
    checked = shell("pkt-check -cs", one.stdout)
    assert checked.stdout == one.stdout


def test_other_fields_change_nothing_about_a_random_one() -> None:
    alone = [frame[22] for frame in made("udp IP.TTL=random --count 9 --seed 1")]
    assert [frame[22] for frame in made("udp --dport random IP.TTL=random --count 9 --seed 1")] == alone


@pytest.mark.parametrize(
    ("flags", "first", "all_of"), [("S..R", [2, 3, 4, 2], {2, 3, 4}), ("random:S,SA", [], {2, 18}), ("0x10,random", None, None)]
)
def test_letters_of_flags_stand_wherever_a_number_may(flags: str, first: list[int] | None, all_of: set[int] | None) -> None:
    if all_of is None:
        assert "not a number" in refused(f"tcp --flags {flags}")
        return
    found = [frame[47] for frame in made(f"tcp --flags {flags} --seed 1 --count 40")]
    assert set(found) == all_of
    assert found[: len(first or [])] == (first or [])


@pytest.mark.parametrize(
    ("protocol", "size"), [("udp", 65549), ("tcp --vlan 1", 65553), ("icmp6", 65589), ("udp --src ::1 --vlan 1", 65593)]
)
def test_the_longest_packet_there_is(protocol: str, size: int, backend: str) -> None:
    (frame,) = made(f"{protocol} --size {size}", backend=backend)
    at = (18 if "vlan" in protocol else 14) + (4 if frame.find(b"\x86\xdd") > 0 else 2)
    assert (len(frame), frame[at : at + 2]) == (size, b"\xff\xff")


def test_a_time_beyond_what_there_is() -> None:
    done = shell("pkt-gen udp --rate 0.000001 --count 10000")
    assert done.returncode == 1
    assert b"times that have no room" in done.stderr


def test_times() -> None:
    def times(words: str) -> list[int]:
        return [when for when, _, _ in records(shell(f"pkt-gen udp {words} -F pcap --nano").stdout)]

    assert times("--count 3 --seed 1") == [0, 1_000_000, 2_000_000]
    assert times("--count 3 --start 5.5 --rate 4") == [5_500_000_000, 5_750_000_000, 6_000_000_000]
    assert len(times("--duration 2 --rate 50 --seed 1")) == 100
    assert len(times("--duration 2 --rate 50 --seed 1 --count 7")) == 7
    ramp = times("--rate 100..300 --duration 1 --seed 1")
    assert len(ramp) == 200
    gaps = [after - before for before, after in pairwise(ramp)]
    assert gaps == sorted(gaps, reverse=True)
    assert times("--rate 100..300 --count 200 --seed 1") == ramp


def test_raw_takes_packets_as_they_are(backend: str) -> None:
    ping = (ROOT / "examples" / "ping.txt").read_bytes()
    originals = frames_of(shell("pkt-txt2pcap", ping).stdout)
    frames = made(f"raw --count {2 * len(originals) + 1}", ping, backend)
    assert frames == [*originals, *originals, originals[0]]
    swept = made(f"raw IP.TTL=1..{len(originals) + 1} --count {3 * len(originals)}", ping, backend)
    assert [frame[22] for frame in swept] == [n % (len(originals) + 1) + 1 for n in range(3 * len(originals))]
    assert shell("pkt-check -cs -F pcap", pcap(swept)).stderr == b""
    assert made(f"raw --in {ROOT}/examples/ping.txt", backend=backend) == originals
    assert made(f"raw --in {ROOT}/examples/ping.txt --count 1", backend=backend) == originals[:1]


def test_raw_says_which_packets_have_no_such_field(backend: str) -> None:
    """They have their turn: a value that is theirs comes in no packet, which matters to whoever goes through all of a field."""
    mixed = shell("cat - examples/dns.txt | pkt-txt2txt", (ROOT / "examples" / "ping.txt").read_bytes()).stdout
    pings = mixed.count(b"SIZE") - (ROOT / "examples" / "dns.txt").read_bytes().count(b"SIZE")
    done = shell("pkt-gen raw UDP.DST_PORT=1..99", mixed, backend=backend)
    said = f"UDP.DST_PORT is not in {pings} of {mixed.count(b'SIZE')} packets: the values whose turn it was there come in none"
    assert (done.returncode, done.stderr.decode()) == (0, f"pkt-gen: {said}\n")
    one = shell("pkt-gen raw UDP.DST_PORT=9", mixed, backend=backend).stderr.decode()
    assert one == f"pkt-gen: UDP.DST_PORT is not in {pings} of {mixed.count(b'SIZE')} packets\n"
    assert shell("pkt-gen raw ETHERNET.TYPE=1..9", mixed, backend=backend).stderr == b""


def test_raw_keeps_what_came_with_packets(backend: str) -> None:
    """Time, interface, direction and comment: whatever stands in front of the bytes, also where packets come again."""
    packet = b"TIME: 170000000%d.%s\nSIZE: 42/60\nIFACE: eth%d\nWAY: in\nNOTE: packet %d\nLOST: 7\n"
    packet += b"ETHERNET.TYPE: 0x800\nIP.VERSION: 4\nIP.HEADER_SIZE: 20\nIP.TOTAL_SIZE: 28\n==\n"
    text = b"LINKTYPE: 1\n" + b"".join(b"-- %d --\n" % (i + 1) + packet % (i, b"123456789" if i else b"5", i, i) for i in range(3))
    original = shell("pkt-correct", text).stdout
    assert original.count(b"NOTE: packet") == 3
    assert shell("pkt-gen raw", text, backend=backend).stdout == original
    assert shell("pkt-gen raw --seed 1 | grep -v -e '^--' -e ^LINK", text, backend=backend).stdout == b"".join(
        line + b"\n" for line in original.splitlines() if not line.startswith((b"--", b"LINK"))
    )
    again = shell("pkt-gen raw --count 7", text, backend=backend).stdout
    assert re.findall(rb"NOTE: packet (.)", again) == [b"0", b"1", b"2", b"0", b"1", b"2", b"0"]
    times = re.findall(rb"TIME: (\S+)", original)
    assert times == [b"1700000000.500000", b"1700000001.123456789", b"1700000002.123456789"]
    assert re.findall(rb"TIME: (\S+)", again) == [*times, *times, times[0]]
    changed = shell("pkt-gen raw IP.TTL=9..11 | grep -e ^NOTE -e ^TIME", text, backend=backend).stdout
    assert changed == shell("grep -e ^NOTE -e ^TIME", original).stdout
    ng = shell("pkt-gen raw -F pcapng | pkt-pcapng2txt -v", shell("pkt-txt2pcapng", text).stdout, backend=backend).stdout
    assert re.findall(rb"^(?:IFACE|WAY|NOTE).*$", ng, re.M) == re.findall(rb"^(?:IFACE|WAY|NOTE).*$", original, re.M)


@pytest.mark.parametrize(("words", "times"), [
    ("--rate 2 --start 5", ["5.000000", "5.500000", "6.000000"]), ("--start 5", ["5.000000", "5.001000", "5.002000"]),
    ("--duration 1 --rate 2 --start 1", ["1.000000", "1.500000"]),
])  # fmt: skip
def test_raw_has_other_times_where_they_are_asked_for(words: str, times: list[str]) -> None:
    text = b"TIME: 170000000%d.5\nSIZE: 20\nIP.VERSION: 4\n==\n"
    done = shell(f"pkt-gen raw {words}", b"".join(b"--\n" + text % i for i in range(3)))
    assert re.findall(r"TIME: (\S+)", done.stdout.decode()) == times


def test_raw_keeps_link_types() -> None:
    text = shell("pkt-gen udp | pkt-txt2bin").stdout
    bare = shell("pkt-bin2txt -lt 101", text[14:]).stdout
    done = shell("pkt-gen raw IP.TTL=3 --count 2", bare)
    assert done.stdout.count(b"LINKTYPE: 101") == 1
    assert shell("pkt-check -cs IP.TTL==3", done.stdout).stdout == done.stdout


def test_raw_remembers_what_was_cut_short() -> None:
    (frame,) = made("udp --size 200")
    capture = shell("pkt-gen raw --count 2 -F pcap", pcap([frame])).stdout
    cut = capture[:24] + struct.pack("<IIII", 1, 0, 90, 200) + frame[:90]
    assert shell("pkt-gen raw --count 2 | grep ^SIZE", cut).stdout == b"SIZE: 90/200\n" * 2


def test_without_end_until_a_reader_has_had_enough() -> None:
    done = shell("pkt-gen udp --count 0 --sport random | pkt-txt2txt -l 5000 | grep -c ^SIZE; echo ${PIPESTATUS[0]}")
    assert done.stdout == b"5000\n141\n"


def test_in_one_process() -> None:
    done = shell("pkt-pipe 'gen udp --count 5 --seed 1 | change IP.TTL-=1 | correct'")
    assert (done.returncode, done.stdout.count(b"\n==")) == (0, 5)
    assert shell("pkt-check -cs IP.TTL==63", done.stdout).stdout == done.stdout
    many = shell("pkt-pipe 'gen udp --count 3000 --seed 1 | change IP.TTL-=1 | correct | filter IP.TTL==63'")
    assert many.stdout.count(b"\n==") == 3000
    assert shell("pkt-pipe 'gen udp --stamp --count 5 | gen check --expect 5'").returncode == 0
    for words in ("'correct | gen udp'", "'gen check | correct'", "'gen udp -i lo | correct'", "'gen udp -aa | correct'",
                  "'gen udp --pktgen'", "'gen udp --interface=lo | correct'"):  # fmt: skip
        assert shell(f"pkt-pipe {words}").returncode == 2
    assert shell("pkt-pipe 'gen udp --payload check | correct'").returncode == 0  # a word, not what it does


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "make what?"),
        ("upd", "'upd' is not one of"),
        ("udp 5", "no assignment"),
        ("udp IP.TTL+=1", "set with ="),
        ("udp IP.TTL==1", "no assignment"),
        ("udp IP.TLL=1", "did you mean IP.TTL"),
        ("udp TCP.SRC_PORT=1", "no such field"),
        ("udp IP.TTL=1 --ip-ttl 2", "set twice"),
        ("udp --src ::1 --dst 10.0.0.1", "not an IPv6 address"),
        ("icmp --src ::1", "icmp6 is of IPv6"),
        ("udp --dst ::1 IP.TTL=1", "do not go together"),
        ("udp --size 41", "take 42 bytes"),
        ("udp --size 40..90", "take 42 bytes"),
        ("udp --stamp --size 57", "take 58 bytes"),
        ("udp --size 99999", "number of bytes up to"),
        ("udp --size 60..65550", "room for 65549 bytes"),
        ("tcp --vlan 1 --size 65554", "room for 65553 bytes"),
        ("icmp6 --size 65590", "room for 65589 bytes"),
        (f"udp --payload {'x' * 65508}", "65508 bytes are too many"),
        ("icmp --sport 1", "for udp and tcp"),
        ("udp --flags S", "for tcp"),
        ("tcp --flags X", "not of the letters FSRPAUEC"),
        ("udp --vlan 4096", "does not fit"),
        ("udp --payload 0x1", "hexadecimal"),
        ("udp --rate 0", "out of range"),
        ("udp --rate 1..5 --count 0", "a ramp needs"),
        ("udp --xmit direct", "--xmit needs -i"),
        ("udp --xmit past", "not one of"),
        ("raw --size 9", "not for raw"),
        ("udp --in x", "for raw and check"),
        ("udp --expect 1", "for check"),
        ("check --count 1", "not for check"),
        ("check IP", "takes no 'IP'"),
        ("udp -i lo -F pcap", "for packets that are written"),
        ("udp --pktgen --trafgen", "only one of"),
        ("tcp --pktgen", "makes UDP and nothing else"),
        ("udp --trafgen --stamp", "no --stamp"),
        ("udp --trafgen --sport 1..5000", "more than 4096"),
        ("udp --trafgen IP.TTL=random:1..9", "whole fields"),
        ("udp --stamp UDP.CHECKSUM=1", "--raw-checksums"),
        ("udp UDP.DATA=61", "--payload"),
        ("arp --stamp", "not for arp"),
    ],
)
def test_what_is_refused(words: str, said: str) -> None:
    assert said in refused(words)


def test_raw_needs_a_packet() -> None:
    assert "no packet to begin with" in refused("raw", code=1)
    assert "No such file" in refused("raw --in missing", code=1)
    assert "no such field" in refused("raw TCP.WINDOW=1", (ROOT / "examples" / "ping.txt").read_bytes())


# ---- stamps and their check ----


def stamped(numbers: list[int], delays: list[int], extra: bytes = b"") -> bytes:
    """A capture of packets with these numbers, so many microseconds late, and one packet a millisecond."""
    second = 1_700_000_000
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for i, (number, delay) in enumerate(zip(numbers, delays, strict=True)):
        sent = second * 1_000_000 + i * 1000
        frame = bytes(42) + struct.pack(">IIII", MAGIC, number % (1 << 32), *divmod(sent, 1_000_000))
        out += struct.pack("<IIII", *divmod(sent + delay, 1_000_000), len(frame), len(frame)) + frame
    return out + extra


def report(capture: bytes, words: str = "") -> tuple[int, dict[str, str], str]:
    """What `pkt-gen check` finds: exit code, lines, what is said."""
    done = shell(f"pkt-gen check {words}", capture)
    return done.returncode, dict(line.split(": ", 1) for line in done.stdout.decode().splitlines()), done.stderr.decode()


@pytest.mark.parametrize(("numbers", "lost", "late", "again"), [
    ([1, 2, 3, 4, 5], 0, 0, 0),
    ([1, 2, 4, 5], 1, 0, 0),
    ([1, 3, 2, 4], 0, 1, 0),
    ([1, 4, 3, 2, 5], 0, 2, 0),
    ([3, 1, 2], 0, 2, 0),
    ([1, 2, 2, 3, 1], 0, 0, 2),
    ([1, 5, 3, 3, 7], 3, 1, 1),
    ([2**32 - 2, 2**32 - 1, 0, 1], 0, 0, 0),
    ([2**32 - 2, 0, 2**32 - 1, 2, 2**32 - 2], 1, 1, 1),
    ([1, 1 + (1 << 20), 2], (1 << 20) - 2, 1, 0),
    ([1, 2, 1 + (1 << 20), 2], (1 << 20) - 2, 0, 1),
    ([1, 2 + (1 << 20), 1], (1 << 20) - 1, 1, 0),
    ([7], 0, 0, 0),
])  # fmt: skip
def test_known_streams(numbers: list[int], lost: int, late: int, again: int) -> None:
    code, lines, said = report(stamped(numbers, [50] * len(numbers)))
    came = len(numbers) - again
    assert lines["packets"] == f"{len(numbers)} with a stamp, 0 without"
    assert lines["lost"] == f"{lost} of {came + lost}"
    assert (lines["out of order"], lines["duplicates"]) == (str(late), str(again))
    assert code == int(bool(lost or late or again))
    assert bool(said) == (numbers == [1, 2 + (1 << 20), 1])


def test_what_the_last_ones_were_is_known_only_when_expected() -> None:
    capture = stamped([1, 2, 3], [1] * 3)
    assert report(capture)[0] == 0
    code, lines, _ = report(capture, "--expect 5")
    assert (code, lines["lost"]) == (1, "2 of 5")
    assert report(capture, "--expect 3")[0] == 0


def test_delays() -> None:
    code, lines, said = report(stamped(list(range(1, 1001)), list(range(1, 1001))))
    assert (code, said) == (0, "")
    found = {name: float(value) for name, value in re.findall(r"([\w. %]+?) (-?[\d.]+) us", lines["delay"].replace(", ", ","))}
    assert (found["min"], found["max"]) == (1.0, 1000.0)
    for name, exact in (("median", 500), ("90 %", 900), ("99 %", 990), ("99.9 %", 999)):
        assert exact * 15 / 16 <= found[name] <= exact * 17 / 16, (name, found)
    assert 0.9 < float(lines["jitter"].split()[0]) <= 1.0


@pytest.mark.parametrize("delay", [0, 17, 1000, -17, -1000])
def test_delays_that_are_all_the_same(delay: int) -> None:
    """No percentile is below the least of all, or above the longest."""
    _, lines, _ = report(stamped([1, 2, 3], [delay] * 3))
    assert re.findall(r"(-?[\d.]+) us", lines["delay"]) == [f"{delay}.0"] * 6


def test_delays_below_zero_are_shown() -> None:
    code, lines, said = report(stamped([1, 2, 3, 4], [-100, -50, -10, 20]))
    assert code == 0
    assert "3 packets came before" in said
    assert lines["delay"].startswith("min -100.0 us, median -")
    assert lines["delay"].endswith("max 20.0 us")


@pytest.mark.parametrize("protocol", ["udp", "udp --dst ::1", "tcp", "icmp", "icmp6 --vlan 5", "raw"])
def test_own_stamps_are_found(protocol: str, backend: str) -> None:
    text = shell("pkt-gen udp --payload 0x0102030405060708090a0b0c0d0e0f1011").stdout if protocol == "raw" else b""
    done = shell(f"pkt-gen {protocol} --stamp --count 1500 --rate 100 | pkt-check -cs | pkt-gen check --expect 1500", text,
                 backend=backend)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"packets: 1500 with a stamp, 0 without\nlost: 0 of 1500\n" in done.stdout
    assert b"max 0.0 us\njitter: 0.0 us" in done.stdout


def test_wireshark_reads_them() -> None:
    frames = made("udp --stamp --start 1700000000.25 --count 2 --dport 9")
    rows = shown(frames, "pktgen.magic", "pktgen.seqnum", "pktgen.tvsec", "pktgen.tvusec", "udp.checksum.status")
    assert rows == [["0xbe9be955", str(n), "1700000000", str(249_000 + 1000 * n), "1"] for n in (1, 2)]


def test_a_stream_without_stamps_is_no_success() -> None:
    done = shell("pkt-gen udp --count 3 | pkt-gen check")
    assert done.returncode == 1
    assert b"packets: 0 with a stamp, 3 without" in done.stdout
    assert b"delay" not in done.stdout
    assert shell("pkt-gen check", b"").returncode == 1


def test_a_report_of_input_that_breaks_off() -> None:
    capture = stamped([1, 2, 3], [5] * 3)
    done = shell("pkt-gen check", capture[:-10])
    assert done.returncode == 1
    assert b"packets: 2 with a stamp" in done.stdout
    assert b"truncated" in done.stderr


def test_a_signal_ends_a_check_with_its_report() -> None:
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(["pkt-gen", "check", "--expect", "4"], stdin=pipe, stdout=pipe, stderr=pipe, env=env) as process:
        assert process.stdin
        process.stdin.write(stamped([1, 2, 3], [5] * 3))
        process.stdin.flush()
        until(lambda: not unread(process.stdin), "a capture that was read")
        process.terminate()
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"packets: 3 with a stamp" in out
    assert b"lost: 1 of 4" in out


def unread(pipe: IO[bytes]) -> int:
    """Bytes that wait in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


# ---- other generators ----


PKTGEN = "--src 10.0.0.1..10.0.0.9 --sport random --dport 5..6 --size 64..128 --count 9 --xmit direct --rate 5000"


@pytest.mark.parametrize("words", [PKTGEN, "--dst 2001:db8::5 IPV6.HOP_LIMIT=4", "--vlan 5 --count 0 --src-mac random"])
def test_pktgen_script_is_a_shell_script(words: str, tmp_path: Path) -> None:
    for name in ("kpktgend_0", "pgctrl", "eth7"):
        (tmp_path / name).write_text("")
    script = shell(f"pkt-gen udp -i eth7 {words} --pktgen").stdout
    env = {"PKTGEN": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-ex"], input=script, capture_output=True, env=env, check=True)
    assert (tmp_path / "pgctrl").read_text() == "start\n"
    assert b"add_device eth7" in done.stderr


def test_what_pktgen_is_told() -> None:
    script = shell(f"pkt-gen udp -i eth7 {PKTGEN} --pktgen").stdout.decode()
    told = re.findall(r'^tell "\$device" "(.*)"$', script, re.MULTILINE)
    assert {
        "count 9", "xmit_mode start_xmit", "ratep 5000", "src_min 10.0.0.1", "src_max 10.0.0.9", "udp_src_min 0",
        "udp_src_max 65535", "flag UDPSRC_RND", "udp_dst_min 5", "udp_dst_max 7", "min_pkt_size 64", "max_pkt_size 128",
        "dst_min 192.0.2.2", "dst_max 192.0.2.2", "flag UDPCSUM",
    } <= set(told)  # fmt: skip
    assert "burst" not in script  # copies of one packet
    assert b"# IP.TTL cannot be set" in shell("pkt-gen udp --pktgen IP.TTL=4").stdout
    script = shell("pkt-gen udp --pktgen --nested --payload x --src-mac random --dport 1..2").stdout
    for said in (b"# the payload is ", b"# --nested cannot be said", b"# ETHERNET.SRC_ADDR cannot be set"):
        assert said in script
