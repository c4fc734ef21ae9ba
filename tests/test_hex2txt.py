"""pkt-hex2txt: dumps that real programs write, samples of what others write, traps, and what is malformed."""

from __future__ import annotations

import calendar
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from captured import opened
from conftest import ROOT, shell
from samples import ethernet, ipv4, udp

from pkttools.batch import Batch, Packet
from pkttools.errors import PktError, counted
from pkttools.formats import packets as read_capture
from pkttools.formats.dumps import NAMES, packets
from pkttools.formats.dumps.reading import Asked

FRAME = ethernet(0x0800, ipv4(17, udp(b"payload ab 12 34 ")))
PING = (ROOT / "examples/ping.txt").read_text()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Packet]]:
    """Reads dumps; `said` of it is what there is to say."""

    def function(text: str | bytes, **asked: object) -> list[Packet]:
        path = tmp_path / "dump"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        function.said = []  # type: ignore[attr-defined]
        with opened(path) as source:
            function.packets = []  # type: ignore[attr-defined]
            try:
                for batch in packets(source, Asked(**asked)):  # type: ignore[arg-type]
                    function.packets += each(batch)  # type: ignore[attr-defined]
            finally:
                function.said = [line.partition(": ")[2] for line in source.said]  # type: ignore[attr-defined]
        return function.packets  # type: ignore[attr-defined]

    return function


def each(batch: Batch) -> list[Packet]:
    return [batch.packet(i) for i in range(len(batch))]


def run(command: str, data: bytes = b"") -> bytes:
    """What a real program writes; skipped where it is missing."""
    if shutil.which(command.split()[0]) is None:
        pytest.skip(f"{command.split()[0]} is not installed")
    env = {"TZ": "UTC", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, shell=True, input=data, capture_output=True, check=True, env=env).stdout


# ---- real programs ----

ONE = {  # what dumps one packet, and the kind as which it is read
    "xxd": "xxd", "xxd -u -g 1": "xxd", "xxd -c 8 -g 1": "xxd", "xxd -c 40": "xxd", "xxd -e": "xxd", "xxd -g 8": "xxd",
    "xxd -a -g 4": "xxd", "xxd -p": "plain", "xxd -p -c 256": "plain", "xxd -i": "literals", "xxd -i -c 5": "literals",
    "od -t x1": "od", "od -A x -t x1z -v": "od", "od -A d -t x1": "od", "od -v -A n -t x1": "plain", "od -x": "words",
    "od -A x -x": "words", "od -A d -x -w8": "words", "od -v -A n -x": "plain", "od -x --endian=big": "words",
    "hexdump": "words", "hexdump -C": "hexdump", "hexdump -x": "words", "hexdump -v -e '1/1 \"%02x:\"'": "plain",
    "base64": "base64", "base64 -w 0": "base64", "base64 -w 64": "base64",
}  # fmt: skip


@pytest.mark.parametrize("command", ONE)
def test_what_real_programs_write_of_a_packet(command: str, read: Callable[..., list[Packet]]):
    """Of lengths that end within words, behind rows, at rows; with repeated rows; with characters that look like digits."""
    tools = command.split()[0]
    for payload in (b"payload ab 12 34 ", b"12 34 cafe 56 78 9", bytes(150) + b"x", b"\x11" * 86, b"abcdef0123456789" * 5 + b"4"):
        frame = ethernet(0x0800, ipv4(17, udp(payload)))
        found = read(run(command, frame))
        if command == "od -v -A n -x" and len(frame) % 2:
            frame += b"\0"  # nothing says that the last word was filled up
        assert [p.frame for p in found] == [frame], (tools, payload)
        assert [p.linktype for p in found] == [1]
        assert read.said[0].startswith(f"read as {ONE[command]} ("), read.said


MANY = {  # what dumps a capture; of which link type; whether the times have a date
    "tcpdump -nn -tt -xx -r {}": (1, True), "tcpdump -nn -tttt -XX -v -r {}": (1, True), "tcpdump -nn -tt -x -r {}": (101, True),
    "tcpdump -nn -tttt -X -e -r {}": (101, True), "tcpdump -nn -XX -r {}": (1, False), "tcpdump -nn -t -xx -r {}": (1, None),
    "tshark -n -x -r {}": (1, None), "tshark -n -P -t e -x -r {}": (1, True), "tshark -n -V -x -r {}": (1, True),
    "tshark -n -P -t ad -x -r {}": (1, True),
}  # fmt: skip


@pytest.mark.parametrize("command", MANY)
def test_what_real_programs_write_of_a_capture(command: str, read: Callable[..., list[Packet]], tmp_path: Path):
    path = tmp_path / "ping.pcap"
    done = shell(f"pkt-txt2pcap --in {ROOT}/examples/ping.txt --out {path} && pkt-pcap2txt --in {path} -do > /dev/null")
    assert not done.returncode
    with opened(path) as source:
        wanted = [p for batch in read_capture(source) for p in each(batch)]
    linktype, dated = MANY[command]
    text = run(command.format(path))
    found = read(text)
    front = 14 if linktype == 101 else 0
    assert [(p.frame, p.original, p.linktype) for p in found] == [(p.frame[front:], p.original - front, linktype) for p in wanted]
    if dated:
        assert [p.time for p in found] == [p.time for p in wanted]
    elif dated is False:
        day = wanted[0].time // 10**9 // 86400 * 86400 * 10**9
        assert [p.time for p in read(text, day=day)] == [p.time for p in wanted]
        assert not any("--date" in line for line in read.said)
    quoted = "".join(f"> {line}\r\n" for line in text.decode().splitlines())
    assert [p.frame for p in read(quoted)] == [p.frame for p in found]


def test_real_captures_come_back(read: Callable[..., list[Packet]], shared: Path):
    """Through tcpdump -XX and tshark -x, as pkt-pcap2txt reads them."""
    count = 0
    for path in sorted((shared / "captures" / "tcpdump").glob("*.pcap"))[::40]:
        with opened(path) as source:
            try:
                wanted = [p for batch in read_capture(source) for p in each(batch)]
            except PktError:
                continue
        if not all(p.frame for p in wanted) or sum(len(p.frame) for p in wanted) > 100_000:
            continue
        most = int.from_bytes(path.read_bytes()[16:20], "little")
        if any(len(p.frame) > most for p in wanted):
            continue  # libpcap truncates what its file says it has truncated
        for command in (f"tcpdump -nn -tt -XX -r {path}", f"tshark -n -x -r {path}"):
            try:
                text = run(command)
            except subprocess.CalledProcessError:
                continue  # a link type that it does not know
            assert [p.frame for p in read(text, linktype=wanted[0].linktype)] == [p.frame for p in wanted], command
            count += 1
    assert count > 10


@pytest.mark.parametrize("payload", [b"", b"x" * 33])
def test_scapy_if_it_is_installed(read: Callable[..., list[Packet]], payload: bytes):
    scapy = pytest.importorskip("scapy.all", reason="scapy is not installed")
    frame = ethernet(0x0800, ipv4(17, udp(payload)))
    for text in (scapy.hexdump(frame, dump=True), repr(frame), repr(scapy.bytes_hex(frame))):
        assert [p.frame for p in read(text)] == [frame]


# ---- samples of what is not installed; where their shape is from stands beside each ----

IOS = """22:45:44.700 UTC Nov 27 2021 : IPv4 LES CEF    : Fa4.320 None

0F1A2C00:                   02000000 00020200          ........
0F1A2C10: 00000001 08004500 001E0001 00004011  ......E.......@.
0F1A2C20: 63D0C000 0201C000 02020009 0009000A  cPA...A.........
0F1A2C30: 0A6E6869                             .nhi

22:45:45.001 UTC Nov 27 2021 : IPv4 LES CEF    : Fa4.320 None

0F1A2C00:                   02000000 00020200          ........
0F1A2C10: 00000001 08004500 001E0001 00004011  ......E.......@.
0F1A2C20: 63D0C000 0201C000 02020009 0009000A  cPA...A.........
0F1A2C30: 0A6E68                               .nh
"""
IOS_XE = """0
  0000:  02000000 00020200 00000001 08004500   ..............E.
  0010:  001E0001 00004011 63D0C000 0201C000   ......@.c.......
  0020:  02020009 0009000A 0A6E6869            .........nhi

1
  0000:  02000000 00020200 00000001 08004500   ..............E.
  0010:  001E0001 00004011 63D0C000 0201C000   ......@.c.......
  0020:  02020009 0009000A 0A6E68              .........nh
"""
ASA = """2 packets captured

   1: 20:40:01.108469       192.0.2.1.9 > 192.0.2.2.9:  udp 2
0x0000 0200 0000 0002 0200 0000 0001 0800 4500 ..............E.
0x0010 001e 0001 0000 4011 63d0 c000 0201 c000 ......@.c.......
0x0020 0202 0009 0009 000a 0a6e 6869           .........nhi
   2: 20:40:02.108469       192.0.2.1.9 > 192.0.2.2.9:  udp 2
0x0000 0200 0000 0002 0200 0000 0001 0800 4500 ..............E.
0x0010 001e 0001 0000 4011 63d0 c000 0201 c000 ......@.c.......
0x0020 0202 0009 0009 000a 0a6e 68             .........nh
2 packets shown
"""
FORTIGATE = """interfaces=[any]
filters=[udp]
0.545306 port1 in 192.0.2.1.9 -> 192.0.2.2.9: udp 2
0x0000\t 0200 0000 0002 0200 0000 0001 0800 4500\t..............E.
0x0010\t 001e 0001 0000 4011 63d0 c000 0201 c000\t......@.c.......
0x0020\t 0202 0009 0009 000a 0a6e 6869          \t.........nhi

1.545306 port2 out 192.0.2.1.9 -> 192.0.2.2.9: udp 2
0x0000\t 0200 0000 0002 0200 0000 0001 0800 4500\t..............E.
0x0010\t 001e 0001 0000 4011 63d0 c000 0201 c000\t......@.c.......
0x0020\t 0202 0009 0009 000a 0a6e 68\t.........nh
"""
JUNOS = """verbose output suppressed, use <detail> or <extensive> for full protocol decode
Address resolution is OFF.
Listening on ge-0/0/0, capture size 1514 bytes

10:20:30.000001  In
\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500
\t0x0010:  001e 0001 0000 4011 63d0 c000 0201 c000
\t0x0020:  0202 0009 0009 000a 0a6e 6869
10:20:31.000001 Out
\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500
\t0x0010:  001e 0001 0000 4011 63d0 c000 0201 c000
\t0x0020:  0202 0009 0009 000a 0a6e 68
"""
NESTED = """20:20:30.000001 LACPv1, length 110
\tActor Information TLV (0x01), length 20
\t  System 00:13:c4:12:0f:00, System Priority 32768, Key 13, Port 22, Port Priority 32768
\t  0x0000:  8000 0013 c412 0f00 000d 8000 0016 8500
\t  0x0010:  0000
\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500
\t0x0010:  001e 0001 0000 4011 63d0 c000 0201 c000
\t0x0020:  0202 0009 0009 000a 0a6e 6869
20:20:31.000001 CDPv2, ttl: 180s, checksum: 0x6de8 (unverified), length 370
\t\t0x0000:  0000 000c 0112
\t  0x0000:  0000 0001 0000 0000 ffff ffff, length 370
\t  0x002c:  00
\t0x0000:  3c35 3e53 6570 2031 3220 3139 3a31 363a
\t0x0010:  3231 00
\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500
\t0x0010:  001e 0001 0000 4011 63d0 c000 0201 c000
\t0x0020:  0202 0009 0009 000a 0a6e 68
"""
DPDK = """dump mbuf at 0x17fd463c0, iova=0x17fd46440, buf_len=2048
  pkt_len=44, ol_flags=0, nb_segs=2, port=0, ptype=0
  segment at 0x17fd463c0, data=0x17fd464b2, len=34, off=114, refcnt=1
  Dump data at [0x17fd464b2], len=34
00000000: 02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00 | ..............E.
00000010: 00 1E 00 01 00 00 40 11 63 D0 C0 00 02 01 C0 00 | ......@.c.......
00000020: 02 02                                           | ..
  segment at 0x17fd463c0, data=0x17fd464b2, len=10, off=114, refcnt=1
  Dump data at [0x17fd464b2], len=10
00000000: 00 09 00 09 00 0A 0A 6E 68 69                   | .......nhi
dump mbuf at 0x17fd463c0, iova=0x17fd46440, buf_len=2048
  pkt_len=44, ol_flags=0, nb_segs=1, port=0, ptype=0
  segment at 0x17fd463c0, data=0x17fd464b2, len=44, off=114, refcnt=1
  Dump data at [0x17fd464b2], len=43
00000000: 02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00 | ..............E.
00000010: 00 1E 00 01 00 00 40 11 63 D0 C0 00 02 01 C0 00 | ......@.c.......
00000020: 02 02 00 09 00 09 00 0A 0A 6E 68                | .........nh
"""
KERNEL = """[  101.250000] eth0: received a frame
[  101.500000] frame: 00000000: 02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00  ..............E.
[  101.500001] frame: 00000010: 00 1e 00 01 00 00 40 11 63 d0 c0 00 02 01 c0 00  ......@.c.......
[  101.500002] frame: 00000020: 02 02 00 09 00 09 00 0a 0a 6e 68 69              .........nhi
[  102.500000] skb len=43 headroom=78 headlen=43 tailroom=0
[  102.500000] skb headroom: 00000000: 00 01 02 03
[  102.500000] skb linear:   00000000: 02 00 00 00 00 02 02 00 00 00 00 01 08 00 45 00
[  102.500000] skb linear:   00000010: 00 1e 00 01 00 00 40 11 63 d0 c0 00 02 01 c0 00
[  102.500000] skb frag:     00000000: 02 02 00 09 00 09 00 0a 0a 6e 68
"""
LOG = """09:00:00 ipsec,debug,packet 44 bytes message received
09:00:00 ipsec,debug,packet 02000000 00020200 00000001 08004500 001e0001 00004011 63d0c000 0201c000
09:00:00 ipsec,debug,packet 02020009 0009000a 0a6e6869
09:00:01 ipsec,debug,packet 43 bytes message received
09:00:01 ipsec,debug,packet 02000000 00020200 00000001 08004500 001e0001 00004011 63d0c000 0201c000
09:00:01 ipsec,debug,packet 02020009 0009000a 0a6e68
"""
HEX = "02000000000202000000000108004500001e00010000401163d0c0000201c000020200090009000a0a6e6869"
C_ARRAY = """/* Frame (44 bytes) */
static const unsigned char pkt1[44] = {
0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, /* 0x99, ... */
0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x45, 0x00, /* ......E. */
0x00, 0x1e, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11,
0x63, 0xd0, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0x00,
0x02, 0x02, 0x00, 0x09, 0x00, 0x09, 0x00, 0x0a,
0x0a, 0x6e, 0x68, 0x69
};
const uint8_t pkt2[] = { 0x02, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 30, 0, 1, 0, 0, 64, 17, 99,
  208, 192, 0, 2, 1, 192, 0, 2, 2, 0, 9, 0, 9, 0, 10, 10, 110, 104 };
"""
ESCAPED = r""""\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00" \
"\x00\x1e\x00\x01\x00\x00\x40\x11\x63\xd0\xc0\x00\x02\x01\xc0\x00" \
"\x02\x02\x00\x09\x00\x09\x00\x0a\x0a\x6e\x68\x69"

"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00" \
"\x00\x1e\x00\x01\x00\x00\x40\x11\x63\xd0\xc0\x00\x02\x01\xc0\x00" \
"\x02\x02\x00\x09\x00\x09\x00\x0a\x0anh"
"""
GO = (
    "p := []byte{"
    + ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(HEX))
    + "}\nq := []byte{"
    + ", ".join(f"0x{byte:x}" for byte in bytes.fromhex(HEX)[:-1])
    + "}\n"
)
PYTHON = f"{bytes.fromhex(HEX)!r}\n{bytes.fromhex(HEX)[:-1]!r}\n"
HEX_STRINGS = f'a = bytes.fromhex("{HEX[:40]}"\n                  "{HEX[40:]}")\nb = bytes.fromhex("{HEX[:-2]}")\n'

SAMPLES = (  # of the same two packets, the second one a byte shorter: kind, dumps, lines between them, where that is from
    ("cisco", IOS, 2, "lines of it in Wireshark's ciscodump.c; a line of memory may begin within a row"),
    ("cisco-xe", IOS_XE, 2, "lines of it in Wireshark's ciscodump.c"),
    ("0x", ASA, 4, "lines of it in Wireshark's ciscodump.c: one blank in front of the characters"),
    ("0x", FORTIGATE, 4, "Fortinet's article on the packet sniffer, verbose 6; tabs around the bytes"),
    ("tcpdump", JUNOS, 5, "Junos' monitor traffic is a tcpdump: its lines, without characters"),
    ("tcpdump", NESTED, 9, "tcpdump -v dumps what it does not decode, indented by more, in front of the packet: LACP, CDP, EIGRP"),
    ("dpdk", DPDK, 10, "lib/mbuf/rte_mbuf.c and lib/eal/common/eal_common_hexdump.c; the first one in two segments"),
    ("kernel", KERNEL, 2, "lib/hexdump.c and skb_dump() of net/core/skbuff.c; the second one has a fragment, and headroom"),
    ("plain", LOG, 2, "RouterOS logs what its IKE daemon prints: groups of eight digits"),
    ("literals", C_ARRAY, 1, "Wireshark's 'as a C array', and by hand, in decimal"),
    ("literals", ESCAPED, 0, "Wireshark's 'as escaped string', and with characters"),
    ("literals", GO, 0, "the language Go"),
    ("literals", PYTHON, 0, "Python's repr() of bytes, one a line"),
    ("literals", HEX_STRINGS, 0, "strings of hex in Python"),
    ("plain", f"{HEX}\n{HEX[:-2]}\n", 0, "Wireshark's 'as a hex stream', one a line"),
    ("plain", f"0x{HEX}\n\n{':'.join(HEX[i : i + 2] for i in range(0, 86, 2))}\n", 0, "by hand"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "text", "between"), [sample[:3] for sample in SAMPLES], ids=[sample[0] for sample in SAMPLES])
def test_samples(name: str, text: str, between: int, read: Callable[..., list[Packet]]):
    for given in (text, text.replace("\n", "\r\n"), "".join(f"> {line}\n" for line in text.splitlines())):
        found = read(given)
        assert [p.frame.hex() for p in found] == [HEX, HEX[:-2]]
        assert read.said[0].startswith(f"read as {name} (")
        assert read.said[0].endswith(": 2 packets, link type 1 (Ethernet)")
        skipped = [line for line in read.said if "of text between dumps" in line]
        assert skipped == ([f"{counted(between, 'line')} of text between dumps"] if between else [])
    assert found[1].original == (44 if name == "dpdk" else 43)
    assert [p.frame for p in read(text, dump=name)] == [p.frame for p in found]


def test_numbers_in_sentences_are_no_packets(read: Callable[..., list[Packet]]):
    """In front of arrays, between them and behind them, also with a bracket that nothing closes; what assemblers take is data."""
    prose = "0x0040 is the answer\n(see 0x40 of RFC 791\nint flag = 0x40;\nFlags: 0x4000\n"
    array = "".join(f"p[] = {{{', '.join(f'0x{byte:02x}' for byte in bytes.fromhex(data))}}};\n" for data in (HEX, HEX[:-2]))
    first, second = array.splitlines(keepends=True)
    assert [one.frame.hex() for one in read(prose + first + prose + second + prose)] == [HEX, HEX[:-2]]
    assert "12 lines of text between dumps" in read.said
    rows = "0x45, 0x00, 0x00\n0x1c\nbits 0x40 are set\n.byte 0x46, 0x00\n.byte 0x01 # the last\n db 0x02\n"
    assert [one.frame.hex() for one in read(rows, dump="literals")] == ["4500001c", "46000102"]
    assert "1 line of text between dumps" in read.said


def test_every_kind_is_tried():
    assert {name for name, *_ in SAMPLES} | set(ONE.values()) | {"wireshark"} == set(NAMES)


TIMES = {
    "22:45:44.700 UTC Nov 27 2021 : IPv4 LES CEF    : Fa4 None": (2021, 11, 27, 22, 45, 44, 700_000_000),
    "2026-11-28 22:33:44.123456 IP 192.0.2.1 > 192.0.2.2": (2026, 11, 28, 22, 33, 44, 123_456_000),
    "2026-11-28T22:33:44.123456789Z": (2026, 11, 28, 22, 33, 44, 123_456_789),
    "2026-11-28T23:33:44.5+01:00 port1 in": (2026, 11, 28, 22, 33, 44, 500_000_000),
    "1700000000.25 IP": (2023, 11, 14, 22, 13, 20, 250_000_000),
    "    7 1700000000.250000000 192.0.2.1 -> 192.0.2.2": (2023, 11, 14, 22, 13, 20, 250_000_000),
    "    Epoch Arrival Time: 1700000000.250000000 seconds": (2023, 11, 14, 22, 13, 20, 250_000_000),
    "[    5.250000] eth0:": (1970, 1, 1, 0, 0, 5, 250_000_000),
    "0000 12:34:56.5 Ether / IP / UDP": (1970, 1, 1, 12, 34, 56, 500_000_000),
}  # fmt: skip


def test_times(read: Callable[..., list[Packet]], monkeypatch: pytest.MonkeyPatch):
    rows = "\n0000  45 00 00 14\n"
    found = read("".join(line + rows for line in TIMES), day=0)
    assert [p.time for p in found] == [calendar.timegm(day) * 10**9 + day[6] for day in TIMES.values()]
    # Past midnight the next day begins; what is a bit late is late.
    found = read("".join(f"{time}.0 IP{rows}" for time in ("23:59:59", "23:59:58", "00:00:01", "00:00:00")), day=0)
    assert [p.time // 10**9 for p in found] == [86399, 86398, 86401, 86400]
    assert "times without a date are taken for today: --date says which day" in (read("12:00:00.0 IP" + rows), read.said)[1]


# ---- traps ----

BAD_COLUMNS = """0000  61 62 63 20 31 32 33 20 34 35 36 20 37 38 39 20  abc 123 456 789{0}
0010  61 62                                            ab
"""


def test_characters_that_look_like_digits_are_none(read: Callable[..., list[Packet]]):
    wanted = b"abc 123 456 789 ab"
    assert [p.frame for p in read(BAD_COLUMNS.format(" "))] == [wanted]
    assert [p.frame for p in read(BAD_COLUMNS.format(""))] == [wanted]  # its last blank lost
    one = "".join(" ".join(line.split()) + "\n" for line in BAD_COLUMNS.format("").splitlines())  # as mail sets it
    assert [p.frame for p in read(one)] == [wanted]
    asa = "0x0000 3132 3334 3536 3738 3930 6162 6364 6566 1234567890abcdef\n0x0010 3031 01\n"
    assert [p.frame for p in read(asa)] == [b"1234567890abcdef01"]
    for text in ("00000000: 3132 3334  1234\n", "00000000: 3132 3334  1234\n00000004: 3536       56\n"):
        assert read(text)[0].frame == b"123456"[: 4 if text.count("\n") == 1 else 6]
    # Without blanks in front of the characters of a short row, digits and characters may be as long as a whole row.
    short = "0000  " + " ".join(["30"] * 16) + "  0000000000000000\n0010  61 62 63 64 65 66 61 62 63 64 20  abcdefabcd\n"
    assert read(short)[0].frame == b"0" * 16 + b"abcdefabcd "
    # A half behind a gap, as hexdump -C and some web pages have it, is bytes; unless it is the characters.
    assert read("0000  30 31 32 33 34 35 36 37  38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?\n")[0].frame == b"0123456789:;<=>?"
    assert read("0000  33 33 20 34 34 20 35 35  33 44 55\n")[0].frame == b"33 44 55"


STARS = "2: a '*' stands for rows that repeat; without offsets nobody knows how many: od -v writes them"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0000  45 00 00 1c\n0005  00 01\n", "2: offset 0005: bytes 0x4 to 0x4 are missing"),
        ("0000  45 00 00 1c\n0003  00 01\n", "2: offset 0003: up to 0x4 all was read already"),
        ("0000  45 00\ntext\n\n0010  00 01\n", "4: offset 0010: bytes 0x2 to 0xf are missing"),
        ("text\n0000  45 00\n0000  45\n\n0004  00 01\n", "5: offset 0004: bytes 0x1 to 0x3 are missing"),
        ("\t0x0000:  4500 001c\n\t0x0004:  4g00\n", "2: no row of a dump, though it begins with the next offset, 0004"),
        ("\t0x0000:  4500 001c\n\t0x0004:  450\n", "2: '450' is no byte in hexadecimal, or an odd number of digits"),
        ("\t0x0000:  4500 001c\n\t0x0004: 80000 0001\n", "2: '80000' is no byte in hexadecimal, or an odd number of digits"),
        ("\t0x0000:  4500 001c\n\t0x0004: 80000 00\n", "2: '80000' is no byte in hexadecimal, or an odd number of digits"),
        ("0000  45 00 0 1c\n", "1: '0 1c' is neither bytes in hexadecimal nor the characters of those in front of it"),
        ("00000000: 6162 6364  6566\n", "1: '6566' is neither bytes in hexadecimal nor the characters of those in front of it"),
        ("0000000 4500 1c00\n0000006\n", "2: offset 0000006: bytes 0x4 to 0x5 are missing"),
        ("00000000  45 00  |E.|\n*\n", "2: the '*' of line 2 repeats rows up to an offset, and none comes"),
        ("00000000  45 00  |E.|\n*\n00000003\n", "3: offset 00000003 is no whole number of rows behind the '*' of line 2"),
        ("00000000  45 00  |E.|\n*\nffffff00\n", "3: the packet of line 1 is longer than 262144 bytes"),
        ("450000140001000040\n45000014000100004\n", "2: an odd number of digits: '45000014000100004'"),
        (" 45 00 00 14 00 00 00 00\n*\n", STARS),
        ("x[] = {0x45, 0x00, 0x100};\n", "1: 0x100 is no byte"),
        ("x[] = {0x45, 0x00, fill(0, 5)};\n", "1: 'fill' is no byte: {...} holds numbers"),
        ("x[] = {0x45, 0x00,\n", "1: the input ends in the array of line 1"),
        ("RQAAFAABAABAAQAAwAACAcAAAg=\n", "1: the base64 of line 1 has 27 characters, which is no multiple of 4"),
    ],
)
def test_what_is_malformed_is_an_error_with_its_line(text: str, said: str, read: Callable[..., list[Packet]]):
    with pytest.raises(PktError) as caught:
        read(text)
    message = str(caught.value)
    assert message.partition("dump:")[2].partition(" (read as ")[0] == said
    packets_before = read.packets  # those in front of it are there
    with pytest.raises(PktError):
        read("0000  45 00\n" * (text[:6] == "0000  ") + text)
    assert len(read.packets) == len(packets_before) + (text[:6] == "0000  ")


def test_what_cannot_be_known_is_said_and_can_be_chosen(read: Callable[..., list[Packet]]):
    assert read("0000000 0045 1400\n0000004\n")[0].frame == bytes.fromhex("45000014")
    assert any("words are taken for little-endian" in line and "--words" in line for line in read.said)
    assert read("0000000 0045 1400\n0000004\n", words="big")[0].frame == bytes.fromhex("00451400")
    assert not any("--words" in line for line in read.said)
    zeros = "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000040\n"
    assert [len(read(zeros, offsets=base)[0].frame) for base in (16, 8)] == [64, 32]
    assert len(read(zeros)[0].frame) == 64
    assert any("--offsets says which" in line for line in read.said)
    lines = "000102030405060708090a0b\n000102030405060708090a0b\n"
    assert [len(p.frame) for p in read(lines)] == [24]
    assert any("--lines packet" in line for line in read.said)
    assert [len(p.frame) for p in read(lines, lines="packet")] == [12, 12]
    assert [len(p.frame) for p in read(2 * (FRAME[14:].hex() + "\n"))] == [len(FRAME) - 14] * 2  # each is whole by its length
    assert read("uint16_t x[] = {0x4500, 0x0014};\n", words="little")[0].frame == bytes.fromhex("00451400")


def test_link_types(read: Callable[..., list[Packet]]):
    """By what bytes look like; one that does not is of the same as the others, unless it certainly is not."""
    sll = bytes.fromhex("0000 0001 0006 020000000001 0000 0800")
    sll2 = bytes.fromhex("0800 0000 00000002 0001 00 06 020000000001 0000")
    for front, linktype in ((b"", 101), (FRAME[:14], 1), (sll, 113), (sll2, 276), (b"\2\0\0\0", 0)):
        found = read((front + FRAME[14:]).hex() + "\n\n" + "01" * 20 + "\n")
        assert [p.linktype for p in found] == [linktype, linktype]
        assert read.said[0].partition("2 packets, ")[2].startswith(f"link type {linktype} (")
    found = read(f"{FRAME.hex()}\n\n{FRAME[14:].hex()}\n")
    assert [p.linktype for p in found] == [1, 101]
    assert read.said[0].endswith("2 packets, 1 of link type 1 (Ethernet); 1 of link type 101 (Raw IP)")
    assert {p.linktype for p in read(FRAME.hex(), linktype=147)} == {147}


def test_other_data_of_a_packet_is_left_out(read: Callable[..., list[Packet]]):
    """Of tshark -x of what was reassembled: it says of which data each dump is."""
    text = "Frame (4 bytes):\n\n0000  45 00 00 14\n\nReassembled TCP (2 bytes):\n\n0000  41 42   AB\n\n"
    text += "Frame (2 bytes):\n\n0000  45 00\n"
    assert [p.frame.hex() for p in read(text)] == ["45000014", "4500"]
    assert "1 dump of what is no packet left out" in read.said


def test_what_is_told_of_a_packet_stays_told_behind_dumps_in_its_text(read: Callable[..., list[Packet]]):
    """tcpdump -v -XX writes what it cannot say as a dump of its own, or as several."""
    text = "".join(f"{time}.25 SLARP, (trailing junk)\n{rows}" for time, rows in (
        (1700000000, "\t0x0000:  0000\n\t0x0000:  8f00 8035\n"), (1700000001, "\t0x0000:  8f00 8035\n"),
        (1700000002, "\t0x0000:  01\n\t0x0000:  02\n\t0x0000:  8f00 8035\n")))  # fmt: skip
    found = read(text)
    assert [p.frame.hex() for p in found] == ["8f008035"] * 3
    assert [p.time for p in found] == [(1700000000 + i) * 10**9 + 250_000_000 for i in range(3)]
    assert "without a time" not in str(read.said)
    read(f"{text}[Error converting time] IP\n\t0x0000:  8f00 8035\n")  # as tcpdump 4.99.3 has it behind 2038
    assert "1 packet without a readable time, as others have, got that of now" in read.said


def test_a_long_input_in_bounded_memory(tmp_path: Path):
    """Packets come while it is read, and not at its end."""
    rows = "\n".join(f"{at:04x}  " + " ".join(f"{byte:02x}" for byte in FRAME[at : at + 16]) for at in range(0, len(FRAME), 16))
    path = tmp_path / "dump"
    path.write_text(f"{rows}\n\n" * 20_000)
    with opened(path) as source:
        counts = [len(batch) for batch in packets(source, Asked())]
    assert sum(counts) == 20_000
    assert max(counts) < 3000


# ---- the command ----


def test_headers_around_payloads_are_those_that_text2pcap_makes_and_sound(tmp_path: Path):
    dump = b"000000 68 65 6c 6c 6f 21\n000006\n\n000000 68 65 6c 6c 6f 21 21\n"
    for options in ("-u 1000,53", "-T 50,60 -4 10.0.0.1,10.0.0.2", "-u 1000,69 -6 2001:db8::1,2001:db8::2", "-T 1,2 -6 ::1,::2",
                    "-i 46", "-i 46 -6 2001:db8::1,2001:db8::2", "-e 0x806"):  # fmt: skip
        judge = "pkt-check -cs" if options[:2] in ("-u", "-T") else "cat"  # hello! is no message of protocol 46
        done = shell(f"pkt-hex2txt {options} | {judge} | pkt-txt2pcap > {tmp_path}/ours.pcap", dump)
        assert not done.returncode, done.stderr
        with opened(tmp_path / "ours.pcap") as source:
            ours = [p.frame for batch in read_capture(source) for p in each(batch)]
        assert len(ours) == 2, (options, done.stderr)
        if shutil.which("text2pcap"):
            run(f"text2pcap -q {options} - {tmp_path}/theirs.pcap -F pcap", dump)
            with opened(tmp_path / "theirs.pcap") as source:
                theirs = [p.frame for batch in read_capture(source) for p in each(batch)]
            for own, other in zip(ours, theirs, strict=True):  # which text2pcap fills up to 60 bytes
                assert (own[12:14], own[-6:]) == (other[12:14], other[len(own) - 6 : len(own)]), options
    text = shell("pkt-hex2txt --udp [2001:db8::5]:1-[2001:db8::6]:domain -lt 101", dump)
    assert text.returncode == 2
    done = shell("pkt-hex2txt --udp [2001:db8::5]:1-[2001:db8::6]:53 -lt 101 --and IPV6.DST_ADDR==2001:db8::6 UDP.DST_PORT==53 "
                 "| pkt-check -cs | pkt-txt2bin -l 1 | tail -c 6", dump)  # fmt: skip
    assert done.stdout == b"hello!"
    assert b"2 packets, bare payloads" in done.stderr


def test_of_payloads_a_few_bytes_are_enough(read):
    """Where headers go around them, and nothing else is there: neither words nor times."""
    for text, wanted in (("deadbeef\n", ["deadbeef"]), ("de ad be ef", ["deadbeef"]), ("\n00\n\ncafe\n", ["00", "cafe"])):
        assert [packet.frame.hex() for packet in read(text, bare=True)] == wanted
        with pytest.raises(PktError, match="no dump of a known kind"):
            read(text)
    for text in ("abc\n", "12:30\n", "hello\n", "be\nnice\n"):
        with pytest.raises(PktError, match="no dump of a known kind"):
            read(text, bare=True)


def test_bare_hex_with_tags_and_times(read):
    """Whole packets with VLAN tags are no rows of one, and times between are no bytes; a row may look like one."""
    tagged = [FRAME[:12] + bytes.fromhex("81000064") * n + FRAME[12:] for n in (1, 2, 0)]
    for frame in tagged[:2]:
        assert [one.frame for one in read(f"{frame.hex()}\n" * 2)] == [frame] * 2
    moment = calendar.timegm((2026, 11, 28, 12, 0, 1)) * 10**9
    for text, time in (("2026-11-28 12:00:01Z", moment), ("2026-11-28T12:00:01.5Z", moment + 5 * 10**8),
                       ("2026-11-28 12:00:01", None), ("1700000000.25", 17 * 10**17 + 25 * 10**7),
                       ("12:00:01.5", None), ("12:00:01", None)):  # fmt: skip
        found = read("".join(f"{text}\n{frame.hex()}\n" for frame in tagged))
        assert [one.frame for one in found] == tagged, text
        assert time is None or [one.time for one in found] == [time] * 3, text
    assert [one.frame for one in read(f"{FRAME[:40].hex(':')}\n12:00:01\n")] == [FRAME[:40] + b"\x12\0\1"]


def test_the_command_says_what_it_reads_and_refuses_what_it_cannot():
    dump = f"{FRAME.hex()}\n".encode()
    done = shell("pkt-hex2txt -F pcap | pkt-pcap2txt -do", dump)
    assert done.stdout == shell("pkt-bin2txt -do", FRAME).stdout
    said = "read as plain (bare hex: a stream, xxd -p, od -An): 1 packet, link type 1 (Ethernet)"
    assert done.stderr.decode() == f"pkt-hex2txt: <stdin>: {said}\n"
    kinds = shell("pkt-hex2txt --dump '?'")
    assert [line.split()[0] for line in kinds.stdout.decode().splitlines()] == list(NAMES)
    for options, data, said, code in (
        ("--dump od8", dump, "--dump: 'od8' is not one of tcpdump, ", 2),
        ("--udp 5", dump, "--udp: '5' is not FROM,TO", 2),
        ("--udp 1,2 --tcp 1,2", dump, "--ip, --udp and --tcp: one of them", 2),
        ("--date today", dump, "--date: 'today' is not a time", 2),
        ("--udp 2001:db8::1:5-1", dump, "IPv6 addresses stand in brackets", 2),
        ("--udp 1,2 -lt 113", dump, "-lt 113: headers are", 2),
        ("", b"", "", 0),
        ("", b"\n", "", 0),
        ("", b"nothing of it\n", "no dump of a known kind; --dump says which: tcpdump, ", 1),
        ("", b"<html>\n", "no dump of a known kind, but HTML; ", 1),
        ("", b"0000000 042400 012000\n", "words in octal, as od writes", 1),
        ("--dump xxd", dump, "no dump, read as xxd (xxd)", 1),
        ("", b"d4c3b2a1020004000000\n", "this is the dump of a whole pcap file, and no packet: xxd -r makes", 1),
        ("", b"00000000: 0a0d 0d0a 1c00 0000 4d3c 2b1a\n", "this is the dump of a whole pcapng file, and no packet", 1),
        ("--dump plain", b"a1b23c4d0002000400000000\n", "one that xxd wrote; -lt takes it for a packet", 1),
        ("-lt 1", b"d4c3b2a1020004000000\n", "1 packet, link type 1", 0),
        ("--udp 1,2", b"d4c3b2a1020004000000\n", "1 packet, bare payloads", 0),
        ("--udp 1,2", bytes(70_000).hex().encode(), "payload 1 is too long for the headers around it", 1),
    ):  # fmt: skip
        done = shell(f"pkt-hex2txt {options}", data)
        assert (said in done.stderr.decode(), done.returncode) == (True, code), (options, done.stderr)
