"""pkt-code: packets as code of other programs. Where such a program is here, it makes the packets again."""

from __future__ import annotations

import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from captured import captured, opened
from conftest import ROOT, shell
from samples import ethernet, frames, ipv4, udp

from pkttools.batch import Batch, Packet, gathered
from pkttools.formats import packets as read_capture
from pkttools.formats.dumps import packets as dumps
from pkttools.formats.dumps.reading import Asked
from pkttools.formats.files import Input
from pkttools.views.code import TARGETS
from pkttools.views.code.shell import printed
from pkttools.views.parts import Packet as Parts

EVERY = [Packet(frame, len(frame), 0, linktype) for linktype, frame in frames() if frame]
BYTES = ("c", "python", "trafgen", "hex", "scapy")


def code(name: str, batch: Batch) -> tuple[str, list[list[str]]]:
    """The code of packets, and what of each was not said."""
    target = TARGETS[name]()
    lines, lost = target.head(), []
    for i in range(len(batch)):
        target.lost = []
        lines += target.packet(Parts(batch, i), i + 1)
        lost.append(target.lost)
    return "\n".join([*lines, *target.tail()]) + "\n", lost


def run(text: str) -> list[bytes]:
    """What Python makes of code."""
    names: dict[str, list] = {}
    exec(text, names)
    return [bytes(packet) for packet in names["packets"]]


def test_python_makes_the_same_packets():
    text, lost = code("python", gathered(EVERY))
    assert run(text) == [p.frame for p in EVERY]
    assert not any(lost)


def test_scapy_makes_the_same_packets():
    """Of every kind of ours, and of real captures: malformed headers, options, tunnels, what it does not know."""
    pytest.importorskip("scapy.all", reason="scapy is not installed")
    text, _ = code("scapy", gathered(EVERY))
    assert run(text) == [p.frame for p in EVERY]
    count = 0
    for name, batch in captured(6):
        batch = batch.part(0, 20)
        wanted = [bytes(batch.frame(i)) for i in range(len(batch))]
        text, _ = code("scapy", batch)
        assert run(text) == wanted, name
        count += text.count("IP(") + text.count("TCP(")
    assert count > 200


@pytest.mark.skipif(shutil.which("cc") is None, reason="cc is not installed")
def test_the_compiler_makes_the_same_packets(tmp_path: Path):
    text, lost = code("c", gathered(EVERY))
    writes = "".join(f"fwrite(packet{i + 1}, 1, sizeof packet{i + 1}, stdout);" for i in range(len(EVERY)))
    (tmp_path / "a.c").write_text(f"#include <stdio.h>\n{text}int main(void) {{ {writes} return 0; }}\n")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / "a", tmp_path / "a.c"], check=True)
    assert subprocess.run([tmp_path / "a"], capture_output=True, check=True).stdout == b"".join(p.frame for p in EVERY)
    assert not any(lost)


@pytest.mark.parametrize("name", BYTES[:-1])
def test_pkt_hex2txt_reads_them_again(name: str, tmp_path: Path):
    long = [p for p in EVERY if len(p.frame) >= 14]
    (tmp_path / "code").write_text(code(name, gathered(long))[0])
    dump = "plain" if name == "hex" else "literals"
    found = [b.packet(i) for b in dumps(Input([str(tmp_path / "code")]), Asked(dump=dump, lines="packet")) for i in range(len(b))]
    assert [p.frame for p in found] == [p.frame for p in long]


@pytest.mark.skipif(shutil.which("text2pcap") is None, reason="text2pcap is not installed")
def test_text2pcap_makes_the_same_packets_of_digits(tmp_path: Path):
    ethernet_ones = [p for p in EVERY if p.linktype == 1]
    (tmp_path / "hex").write_text(code("hex", gathered(ethernet_ones))[0])
    words = ["text2pcap", "-q", "-r", "(?<data>[0-9a-f]+)", "-F", "pcap", tmp_path / "hex", tmp_path / "a.pcap"]
    subprocess.run(words, check=True, capture_output=True)
    with opened(tmp_path / "a.pcap") as source:
        assert [b.packet(i).frame for b in read_capture(source) for i in range(len(b))] == [p.frame for p in ethernet_ones]


def test_scapy_without_scapy():
    """As it is written: headers by name, options, and bytes for the rest."""
    done = shell(f"pkt-code -l 1 --in {ROOT}/examples/vlan-tcp.txt")
    assert done.stdout.decode().splitlines()[2:9] == [
        "packets = []",
        "packets.append(",
        '    Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01", type=0x8100)',
        "    / Dot1Q(prio=0, vlan=100, type=0x0800)",
        '    / IP(src="192.0.2.1", dst="198.51.100.80", ihl=5, tos=0x0, len=44, id=19969, flags=2, frag=0, ttl=64, proto=6, '
        "chksum=0x0046)",
        "    / TCP(sport=40963, dport=80, seq=1797204480, ack=0, dataofs=6, reserved=0, flags=0x2, window=64240, chksum=0x7b3d, "
        'urgptr=0, options=[("MSS", 1460)])',
        ")",
    ]
    assert not done.stderr


# ---- command lines ----


def test_the_shell_writes_every_byte():
    octets = bytes(range(256)) + b"%d%s\\n'\"$`"
    for name in ("sh", "bash"):
        if shutil.which(name):
            assert subprocess.run([name, "-c", printed(octets)], capture_output=True, check=True).stdout == octets


LINES = {
    "nemesis": {
        "udp --dst 192.0.2.2 --sport 1000 --dport 53 --payload hi IP.ID=7 -F pcap | pkt-correct":
            "printf 'hi' | nemesis udp -S 192.0.2.1 -D 192.0.2.2 -I 7 -T 64 -t 0 -F D -x 1000 -y 53 -d \"${1:-eth0}\" "
            "-M ff:ff:ff:ff:ff:ff -H 02:00:00:00:00:01 -P -",
        "tcp --flags SA TCP.SEQ_NUMBER=5 TCP.ACK_NUMBER=6 TCP.WINDOW=77 IP.FRAGMENT=0":
            "nemesis tcp -S 192.0.2.1 -D 192.0.2.2 -I 0 -T 64 -t 0 -x 9 -y 9 -fSA -s 5 -a 6 -w 77 -u 0 -d \"${1:-eth0}\" "
            "-M ff:ff:ff:ff:ff:ff -H 02:00:00:00:00:01",
        "icmp --size 42 IP.TTL=9 | pkt-change -u --unwrap ICMP.ID=3":
            "nemesis icmp -S 192.0.2.1 -D 192.0.2.2 -I 0 -T 9 -t 0 -F D -i 8 -c 0 -e 3 -s 1 -d \"${1:-eth0}\" "
            "-M ff:ff:ff:ff:ff:ff -H 02:00:00:00:00:01",
        "icmp --size 42 ICMP.TYPE=3 ICMP.CODE=4 IP.ID=7 ICMP.ID=1 ICMP.SEQ=1400 | pkt-unwrap ethernet":
            "nemesis icmp -S 192.0.2.1 -D 192.0.2.2 -I 7 -T 64 -t 0 -F D -i 3 -c 4 -e 1 -s 1400",
        "tcp TCP.FLAGS=0 TCP.WINDOW=7 TCP.SEQ_NUMBER=5 TCP.ACK_NUMBER=6 IP.ID=7":
            "nemesis tcp -S 192.0.2.1 -D 192.0.2.2 -I 7 -T 64 -t 0 -F D -x 9 -y 9 -f- -s 5 -a 6 -w 7 -u 0 -d \"${1:-eth0}\" "
            "-M ff:ff:ff:ff:ff:ff -H 02:00:00:00:00:01",
        "arp": "nemesis arp -S 192.0.2.1 -D 192.0.2.2 -h 02:00:00:00:00:01 -m 00:00:00:00:00:00 -d \"${1:-eth0}\" "
            "-M ff:ff:ff:ff:ff:ff -H 02:00:00:00:00:01",
    },
    "hping3": {
        "udp --size 44 --payload hi":
            "printf 'hi' | hping3 -c 1 -2 -a 192.0.2.1 -s 9 -k -p 9 -t 64 -N 0 -y -d 2 -E /dev/stdin 192.0.2.2",
        "tcp --flags SE IP.TOS=16 IP.FRAGMENT=0":
            "hping3 -c 1 -a 192.0.2.1 -s 9 -k -p 9 -S -X -M 0 -L 0 -w 65535 -t 64 -N 0 -o 10 192.0.2.2",
        "icmp --size 42": "hping3 -c 1 -1 -a 192.0.2.1 -C 8 -K 0 -t 64 -N 0 -y 192.0.2.2",
    },
}  # fmt: skip


def test_command_lines_say_what_is_in_the_packet():
    """Of which what follows the `!` of a shell would run: so each is read as the shell reads it."""
    for name, lines in LINES.items():
        for made, wanted in lines.items():
            payload = "--size 44 " if made.startswith("udp --dst") else ""
            done = shell(f"pkt-gen {payload}{made} | pkt-code --as {name}")
            found = [line for line in done.stdout.decode().splitlines() if line and line[0] != "#"]
            assert found == [wanted], (name, made, done.stderr)
            shlex.split(found[0])


UNSAID = [  # what is wrong with a packet, or beyond; whom to write for; what is said of it
    ("udp UDP.CHECKSUM=1 --raw-checksums", "nemesis", "UDP.CHECKSUM, which is wrong"),
    ("udp UDP.SIZE=9 --raw-checksums", "nemesis", "UDP.SIZE"),
    ("udp IP.TOTAL_SIZE=90 --raw-checksums", "hping3", "IP.TOTAL_SIZE"),
    ("udp --src 2001:db8::1 --dst 2001:db8::2", "hping3", "the packet: it makes no IPV6"),
    ("udp IP.TOTAL_SIZE=24", "nemesis", "the packet: it makes no header other than UDP, TCP and ICMP"),
    ("tcp IP.TOTAL_SIZE=24", "nemesis", "the packet: it makes no header other than UDP, TCP and ICMP"),
    *((f"{kind} IP.TOTAL_SIZE=0", name, "IP.TOTAL_SIZE") for kind in ("udp", "tcp", "icmp") for name in ("nemesis", "hping3")),
    ("udp --vlan 5", "nemesis", "the packet: it makes no VLAN"),
    ("tcp TCP.AE=1", "nemesis", "reserved bits of TCP, or AE"),
    ("udp IP.FRAGMENT=0 | pkt-unwrap ethernet", "nemesis", "IP.ID of 0, which the kernel replaces"),
    ("udp --src 0.0.0.0", "nemesis", "the packet: it makes no packet from or to 0.0.0.0"),
    ("arp --src 0.0.0.0", "nemesis", "the packet: it makes no ARP"),
    *(
        (f"{kind} --src-mac 00:00:00:00:00:00", "nemesis", "ETHERNET.SRC_ADDR of 0, for which nemesis takes the interface's own")
        for kind in ("udp", "arp")
    ),
    ("tcp TCP.URGENT=1", "hping3", "TCP.URGENT"),
    ("icmp", "hping3", "ICMP.ID and ICMP.SEQ, which hping3 chooses"),
    ("udp IP.FRAGMENT=0", "hping3", "IP.ID of 0, which the kernel replaces"),
    ("icmp ICMP.TYPE=13", "hping3", "what ICMP of type 13 carries, which hping3 makes itself"),
    ("icmp ICMP.TYPE=42", "hping3", "the packet: it makes no ICMP of type 42"),
    ("icmp", "packetdrill", "the packet: it makes no ICMP in IP in ETHERNET"),
    ("tcp TCP.URGENT=1", "packetdrill", "TCP.URGENT without the flag"),
    ("udp | pkt-cut --snap 50", "scapy", "what was not captured, 10 bytes"),
    ("udp | pkt-txt2txt -lt 113", "trafgen", "that it is of link type 113: trafgen sends frames of the interface"),
    ("udp | pkt-txt2txt -lt 113", "scapy", "that it is of link type 113: it is written as bytes"),
    ("udp | pkt-cut --snap 0", "c", "an array without bytes"),
    ("arp ARP.OPERATION=9", "nemesis", "the packet: it makes no ARP"),
]


def test_what_cannot_be_said_is_said():
    for made, name, said in UNSAID:
        done = shell(f"pkt-gen {made} | pkt-code --as {name}")
        comment = re.search(r"^(?:#|//) packet 1, not said: (.*)$", done.stdout.decode(), re.MULTILINE)
        assert comment and said in comment[1].split("; "), (made, name, done.stdout, done.stderr)
        counted = said.partition(",")[0] if said.startswith("what was not") else said
        assert f"pkt-code: 1 packet as {name}, not said: {counted}" in done.stderr.decode().splitlines()
        assert done.returncode == 0


def test_packetdrill_has_a_handshake():
    done = shell(f"pkt-code --as packetdrill -l 5 --in {ROOT}/examples/vlan-tcp.txt")
    lines = done.stdout.decode().splitlines()
    assert lines[1:3] == ["+0.000000 < S 0:0(0) win 64240 <mss 1460>", "+0.008231 > S. 0:0(0) ack 1 win 65160 <mss 1460>"]
    assert re.fullmatch(r"\+0\.\d{6} < \. 1:1\(0\) ack 1 win \d+", lines[3])
    frame = ethernet(0x0800, ipv4(17, udp(b"12345")))
    text, lost = code("packetdrill", gathered([Packet(frame, len(frame), 0, 1)]))
    assert (text.splitlines()[1:], lost) == (["+0.000000 < udp (5)"], [[]])
    short = frame[:38] + b"\0\7" + frame[40:]  # it makes no line: the time of the next one counts from the last one that is there
    times = [Packet(of, len(of), i * 1_000_000, 1) for i, of in enumerate((frame, short, frame))]
    lines = [line for line in code("packetdrill", gathered(times))[0].splitlines() if line.startswith("+")]
    assert lines == ["+0.000000 < udp (5)", "+0.002000 < udp (5)"]


NUMBERS = r"(?P<start>\d+):(?P<end>\d+)\((?P<size>\d+)\)"
OPTION = r"(?:eol|nop|mss \d+|wscale \d+|sackOK|sack \d+:\d+(?: \d+:\d+)*|TS val \d+ ecr \d+|md5 [0-9a-f]{32}|FO(?: [0-9a-f]+)?)"
SCRIPT_LINE = re.compile(  # what parser.y and lexer.l of packetdrill take, of what we write
    r"\+\d+\.\d{6} [<>] (?:udp \(\d+\)|"
    rf"(?:[FSRPUEWA]+\.?|[.-]) {NUMBERS}(?: ack \d+)? win \d+(?: urg \d+)?(?: <(?P<options>{OPTION}(?:,{OPTION})*)>)?)"
)


def option_size(option: str) -> int:
    """Of how many bytes packetdrill makes an option."""
    word, *values = option.split()
    sizes = {"eol": 1, "nop": 1, "mss": 4, "wscale": 3, "sackOK": 2, "TS": 10, "md5": 18}
    return sizes.get(word) or 2 + 8 * len(values) if word != "FO" else 2 + len("".join(values)) // 2


def test_packetdrill_takes_every_line():
    """Of every kind of ours and of real captures: words in its order, numbers that fit each other, options that end at a word."""
    lines = 0
    for batch in [*(gathered([packet]) for packet in EVERY), *(batch for _, batch in captured(6))]:
        for line in code("packetdrill", batch)[0].splitlines():
            if not line.startswith("//"):
                found = SCRIPT_LINE.fullmatch(line)
                assert found, line
                lines += 1
                if found["start"]:
                    assert int(found["start"]) + int(found["size"]) == int(found["end"]) < 1 << 32, line
                if found["options"]:
                    assert sum(map(option_size, found["options"].split(","))) % 4 == 0, line
    assert lines > 200


def test_packetdrill_has_words_for_flags_and_options():
    """The dot of ACK is behind the other letters; an option without a word has nops in its place."""
    for flags, said in ((0x10, "."), (0x12, "S."), (0xC2, "SEW"), (0x52, "SE."), (0x1D1, "FEWA."), (0x38, "PU."), (0, "-")):
        line = segment_line(flags, b"")
        assert line.split()[2] == said, (flags, line)
    sack = b"\1\1\5\x12" + struct.pack(">4I", 1501, 2001, 3001, 4001)
    for options, said in (
        (sack, "nop,nop,sack 501:1001 2001:3001"),
        (b"\x22\6\x01\x23\x45\x67\1\1", "FO 01234567,nop,nop"),
        (b"\x22\2\1\1", "FO,nop,nop"),
        (b"\x13\x12" + bytes(range(16)) + b"\1\1", "md5 000102030405060708090a0b0c0d0e0f,nop,nop"),
        (b"\xfd\4\1\2\2\4\5\xb4", "nop,nop,nop,nop,mss 1460"),
        (b"\2\4\5\xb4\xfd\x20\0\0", "mss 1460,nop,nop,nop,nop"),
    ):
        assert segment_line(0x10, options).partition("<")[2].rpartition(" <")[2] == f"{said}>", options


def segment_line(flags: int, options: bytes) -> str:
    """The line of a segment with number 5000, which acknowledges 1001."""
    header = struct.pack(">HHIIHHHH", 1000, 80, 5000, 1001, (5 + len(options) // 4) << 12 | flags, 100, 0, 0) + options
    frame = ethernet(0x0800, ipv4(6, header))
    return code("packetdrill", gathered([Packet(frame, len(frame), 0, 1)]))[0].splitlines()[1]


def test_the_command():
    ping = (ROOT / "examples/ping.txt").read_bytes()
    done = shell("pkt-code --as hex -l 1", ping)
    assert bytes.fromhex(done.stdout.decode()) == shell("pkt-txt2bin -l 1", ping).stdout != b""
    listed = shell("pkt-code --as '?'").stdout.decode().splitlines()
    assert [line.split()[0] for line in listed] == list(TARGETS)
    for options, said, status in (
        ("--as perl", "--as: 'perl' is not one of scapy, c, python", 2),
        ("--out x.pcap", "code is written", 2),
    ):
        done = shell(f"pkt-code {options}", ping)
        assert (said in done.stderr.decode(), done.returncode) == (True, status), done.stderr
    assert shell("pkt-code", b"").stdout == b""
