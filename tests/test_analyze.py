"""pkt-analyze: what each level and layer prints, and that nothing in a packet can disturb it."""

from __future__ import annotations

import os
import re
import select
import string
import struct
import subprocess
import time
from collections.abc import Iterator
from types import ModuleType

import pytest
from backends import use
from conftest import ROOT, shell
from samples import ARP, IGMP, batch, ethernet, extension, frames, icmp, ipv4, ipv6, tags, tcp, udp

import pkttools.codec
from pkttools.codec.python import listing, soundness, templates
from pkttools.formats.files import Output
from pkttools.protocols import _words, fields, names
from pkttools.protocols.templates import EXTENSIONS
from pkttools.views.listing import ListingSink

PING = ROOT / "examples" / "ping.txt"
HEAD = "received: {} bytes    1700000000.000000 Tue Nov 14 22:13:20 2023\n"
ETHERNET = "Ethernet\t02:00:00:00:00:01 -> 02:00:00:00:00:02  "


class Kept(Output):
    """An output that keeps what is written."""

    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes | bytearray, *_: object) -> None:
        self.text += data

    def close(self) -> None:
        pass


def show(packets: list[tuple[int, bytes]], level: int = 3, lowest: int = 0, highest: int = 0, original: int | None = None) -> str:
    """What is printed of frames."""
    out = Kept()
    ListingSink(out, level, lowest, highest).write(batch(packets, original))
    return out.text.decode()


def text_of(frame: bytes) -> bytes:
    """A frame as text."""
    return f"-- 1 --\n{frame.hex(' ')}\n==\n".encode()


def one(frame: bytes, level: int = 3, linktype: int = 1, lowest: int = 0, highest: int = 0) -> str:
    """What is printed of one frame, without what stands around its headers."""
    lines = show([(linktype, frame)], level, lowest, highest).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("LINKTYPE", "--", "received", "==")))


def correct(frame: bytes, linktype: int = 1) -> bytes:
    """The frame with right checksums."""
    one_packet = batch([(linktype, frame)])
    pkttools.codec.correct(one_packet.data, one_packet.rows, pkttools.codec.ALL)
    return bytes(one_packet.data)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def each_codec(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs on both backends."""
    use(codec, monkeypatch, "listing_encode", "correct")


# ---- levels ----

PACKET = correct(ethernet(0x8100, tags([0x8100], 0x0800, ipv4(6, tcp(b"0123456789" * 3)))))
LEVELS = {
    1: "-- 1 -- IP:TCP:\n",
    2: "LINKTYPE: 1 (Ethernet)\n-- 1 --\nIP\tsrc/dst addr\t: 192.0.2.1 / 192.0.2.2\nTCP\tsrc/dst port\t: 40000 / 80\n",
    3: "LINKTYPE: 1 (Ethernet)\n-- 1 --\n" + HEAD.format(92) + ETHERNET + "(VLAN tag: 0x0001) (type: 0x0800)\n"
       "IP\thead/total size\t: 20 / 74 bytes\n"
       "\tID/fragment\t: 0x0007 / 0x0000\n"
       "\tTTL/protocol\t: 64 / 6\n"
       "\tchecksum\t: 0xf6a3 (Valid)\n"
       "\tsrc/dst addr\t: 192.0.2.1 / 192.0.2.2\n"
       "TCP\ttotal size\t: 54 bytes\n"
       "\tsrc/dst port\t: 40000 / 80\n"
       "\tseq/ack number\t: 1 / 2\n"
       "\toffset/window\t: 24 / 512\n"
       "\tchecksum/flags\t: 0x6643 (Valid) / 0x12 ( SYN ACK )\n"
       "==\n",
}  # fmt: skip
LEVELS[4] = LEVELS[3].removesuffix("==\n") + (
    "DATA\tTCP\t\t: 02 04 05 B4  30 31 32 33 : .... 0123\n"
    "\t\t\t: 34 35 36 37  38 39 30 31 : 4567 8901\n"
    "\t\t\t: 32 33 34 35  36 37 38 39 : 2345 6789\n"
    "\t\t\t: 30 31 32 33  34 35 36 37 : 0123 4567\n"
    "\t\t\t: ...\n"
    "==\n"
)
LEVELS[5] = LEVELS[4].replace("\t\t\t: ...\n", "\t\t\t: 38 39                    : 89       \n")
LEVELS[0] = LEVELS[5]


@pytest.mark.parametrize("level", LEVELS)
def test_levels(level, each_codec):
    assert show([(1, PACKET)], level) == LEVELS[level]


@pytest.mark.parametrize(("words", "level"), [("", 3), *((f"-lv {level}", level) for level in LEVELS), ("--level 1", 1)])
def test_levels_of_the_command(words, level, backend):
    data = f"-- 7 --\nTIME: 1700000000\n{PACKET.hex(' ')}\n==\n".encode()
    done = shell(f"pkt-analyze {words}", data, backend=backend)
    assert (done.returncode, done.stderr, done.stdout.decode()) == (0, b"", LEVELS[level])


def test_an_excerpt_that_is_all_has_no_ellipsis():
    frame = ethernet(0x0800, ipv4(17, udp(b"x" * 32)))
    assert one(frame, 4) == one(frame, 5)
    assert one(frame + b"y", 4).count("...\n") == 0


def test_data_of_every_layer_the_innermost_first():
    frame = ethernet(0x0800, ipv4(17, udp(b"in") + b"behind") + b"padding")
    assert one(frame, 5).partition("DATA")[2] == (
        "\tUDP\t\t: 69 6E                    : in       \n"
        "DATA\tIP\t\t: 62 65 68 69  6E 64       : behi nd  \n"
        "DATA\tEthernet\t: 70 61 64 64  69 6E 67    : padd ing \n"
    )


# ---- layers ----


@pytest.mark.parametrize(
    ("bounds", "titles"),
    [
        ((0, 0), "received Ethernet IP UDP DATA DATA"), ((1, 0), "received Ethernet IP UDP DATA DATA"),
        ((2, 0), "Ethernet IP UDP DATA DATA"),
        ((3, 0), "IP UDP DATA"), ((4, 0), "UDP DATA"), ((0, 1), "received"), ((0, 2), "received Ethernet DATA"),
        ((0, 3), "received Ethernet IP DATA"), ((0, 4), "received Ethernet IP UDP DATA DATA"), ((3, 3), "IP"),
        ((2, 2), "Ethernet DATA"),
    ],
)  # fmt: skip
def test_layers(bounds, titles, each_codec):
    """The bounds hold for data as for headers."""
    text = show([(1, ethernet(0x0800, ipv4(17, udp())) + bytes(3))], 5, *bounds)
    found = [line.split("\t")[0].split(":")[0] for line in text.splitlines() if line[0] not in "\tL-="]
    assert " ".join(found) == titles


def test_layers_of_the_command():
    for lowest, highest, said in ((0, 0, b"IP:ICMP:"), (4, 0, b"ICMP:"), (0, 3, b"IP:"), (2, 2, b"")):
        done = shell(f"pkt-analyze -lv 1 --lowest-layer {lowest} --highest-layer {highest} -l 1", PING.read_bytes())
        assert (done.stdout, done.stderr) == (b"-- 1 -- " + said + b"\n", b"")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-ll 4 -lh 3", "-ll above -lh leaves nothing"), ("-lv 6", "--level: 6 is out of range: from 0 to 5"),
        ("-lh 6", "--highest-layer: 6 is out of range: from 0 to 5"), ("-lv x", "--level: 'x' is not a number"),
        ("-Y pcap", "no option '-Y'"),
    ],
)  # fmt: skip
def test_usage(words, said):
    done = shell(f"pkt-analyze {words}")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"pkt-analyze: {said}")


# ---- checksums ----


def said(frame: bytes, original: int | None = None) -> list[str]:
    """What is said of the checksums of a frame, the outermost first."""
    return re.findall(r"checksum.*?: (?:\d+ / )?0x[0-9a-f]{4} \((\w+)\)", show([(1, frame)], original=original))


def internet_checksum(data: bytes) -> int:
    """RFC 1071, once more and by other means than the codec's."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    return 0xFFFF - (sum(words) - 1) % 0xFFFF - 1 if any(words) else 0xFFFF


FRAMES = {  # a frame, where its innermost checksum stands, and what that one covers besides the message
    "tcp": (ethernet(0x0800, ipv4(6, tcp())), 16, bytes([192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, 29])),
    "udp": (ethernet(0x0800, ipv4(17, udp())), 6, bytes([192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 13])),
    "icmp": (ethernet(0x0800, ipv4(1, icmp())), 2, b""),
    "igmp": (ethernet(0x0800, ipv4(2, IGMP)), 2, b""),
    "tcp6": (ethernet(0x86DD, ipv6(6, tcp())), 16, ipv6(0, b"")[8:] + bytes([0, 6, 0, 29])),
    "udp6": (ethernet(0x86DD, ipv6(17, udp())), 6, ipv6(0, b"")[8:] + bytes([0, 17, 0, 13])),
    "icmpv6": (ethernet(0x86DD, ipv6(58, icmp(128))), 2, ipv6(0, b"")[8:] + bytes([0, 58, 0, 56])),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_checksums(name, each_codec):
    """A right one is Valid; of a wrong one the right one is shown."""
    frame, place, pseudo = FRAMES[name]
    v6 = frame[12] == 0x86
    start = 54 if v6 else 34
    right = internet_checksum(pseudo + frame[start:])
    ip = [] if v6 else [internet_checksum(frame[14:34])]
    for value, verdict in ((right, "Valid"), (right ^ 0x0100, f"0x{right:04x}")):
        message = bytearray(frame)
        message[start + place : start + place + 2] = value.to_bytes(2, "big")
        assert said(bytes(message)) == [f"0x{sum_:04x}" for sum_ in ip] + [verdict]
        for sum_ in ip:
            message[24:26] = sum_.to_bytes(2, "big")
            assert said(bytes(message)) == ["Valid", verdict]


def test_udp_without_a_checksum(each_codec):
    """RFC 768: 0 says that there is none; in IPv6 there must be one (RFC 8200 section 8.1)."""
    assert said(ethernet(0x0800, ipv4(17, udp())))[1] == "None"
    assert said(ethernet(0x86DD, ipv6(17, udp()))) == ["0x5c58"]


def test_both_zeros_of_ones_complement(each_codec):
    """RFC 1071: 0xFFFF for 0 passes every receiver."""
    ip = bytearray(ipv4(1, icmp()))
    ip[4:6] = struct.pack("!H", 7 + 0xF6A6)  # the id that makes the checksum 0
    frame = bytearray(correct(ethernet(0x0800, bytes(ip))))
    assert frame[24:26] == b"\0\0"
    frame[24:26] = b"\xff\xff"
    assert said(bytes(frame))[0] == "Valid"


WHOLE = ethernet(0x0800, ipv4(6, tcp(b"x" * 40)))


@pytest.mark.parametrize(
    ("frame", "original", "verdicts"),
    [
        (correct(WHOLE)[:-9], len(WHOLE), ["Valid", "Unchecked"]), (correct(WHOLE)[:-9], None, ["Valid", "Unchecked"]),
        (correct(ethernet(0x0800, ipv4(17, udp(), fragment=0x2000))), None, ["Valid"]),
        (correct(ethernet(0x86DD, ipv6(44, extension(6, bytes([0, 1, 0, 0, 0, 5])) + tcp()))), None, []),
        (ethernet(0x0800, b"\x44" + ipv4(6, tcp())[1:]), None, ["Unchecked"]),
        (correct(ethernet(0x0800, ipv4(17, udp(size=4)[:6] + b"\x12\x34hello"))), None, ["Valid", "Unchecked"]),
    ],
    ids=["cut", "longer-than-it-is", "fragment", "fragment6", "header-of-16-bytes", "udp-of-4-bytes"],
)  # fmt: skip
def test_checksums_that_cannot_be_told(frame, original, verdicts, each_codec):
    assert said(frame, original) == verdicts


@pytest.mark.parametrize("place", [0, 5])
def test_verdicts_of_a_packet_anywhere_in_its_batch(place, each_codec):
    """Whatever stands in front of it."""
    text = show([(1, b"x" * i) for i in range(place)] + [(1, PACKET[:-1] + b"~")])
    assert re.findall(r"\((Valid|0x\w{4})\)", text) == ["Valid", "0x65fe"]


# ---- headers ----


def test_arp():
    frame = ethernet(0x0806, ARP)
    assert one(frame, 2) == "ARP\toperation\t: 1 (192.0.2.1 -> 192.0.2.2)\n"
    assert one(frame) == (
        ETHERNET + "(type: 0x0806)\n"
        "ARP\toperation\t: 1\n"
        "\thrd/prt (size)\t: 1 / 0x0800 (6 / 4)\n"
        "\tsender MAC/IP\t: 02:00:00:00:00:01    \t/ 192.0.2.1\n"
        "\ttarget MAC/IP\t: 00:00:00:00:00:00    \t/ 192.0.2.2\n"
    )


def test_extension_headers_stand_under_their_ipv6_header(each_codec):
    chain = extension(43, bytes(6)) + extension(44, bytes([0, 0]) + bytes(20)) + extension(60, bytes.fromhex("00a9 01020304"))
    frame = ethernet(0x86DD, ipv6(0, chain + extension(6, bytes(6)) + b"rest"))
    assert show([(1, frame)], 1) == "-- 1 -- IPv6:\n"
    assert one(frame, 2) == "IPv6\tsrc/dst addr\t: 2001:db8::1 / 2001:db8::2\n"
    assert one(frame, 5) == (
        ETHERNET + "(type: 0x86dd)\n"
        "IPv6\tpayload size\t: 52 bytes\n"
        "\thop limit\t: 64\n"
        "\tsrc/dst addr\t: 2001:db8::1 / 2001:db8::2\n"
        "\tnext header\t: 0 (HOPOPTS)\n"
        "\texthdr size\t: 8 bytes\n"
        "\tnext header\t: 43 (ROUTING)\n"
        "\texthdr size\t: 24 bytes\n"
        "\tnext header\t: 44 (FRAGMENT)\n"
        "\texthdr size\t: 8 bytes\n"
        "\toffset\t\t: 0x00a9\n"
        "\tident\t\t: 0x01020304\n"
        "\tnext header\t: 60 (DSTOPTS)\n"
        "DATA\tIPv6\t\t: 06 00 00 00  00 00 00 00 : .... ....\n"
        "\t\t\t: 72 65 73 74              : rest     \n"
    )


def test_fields_of_the_fragment_header(backend):
    """What is printed can be asked for, too."""
    frame = ethernet(0x86DD, ipv6(44, extension(17, bytes.fromhex("00a9 01020304")) + b"rest"))
    data = f"-- 1 --\n{frame.hex(' ')}\n==\n".encode()
    for words, count in (("IPV6.FRAGMENT==0xa9", 1), ("IPV6.FRAGMENT_ID==0x01020304", 1), ("IPV6.FRAGMENT==0xa8", 0)):
        assert shell(f"pkt-analyze -lv 1 {words}", data, backend=backend).stdout == b"-- 1 -- IPv6:\n" * count
    assert b"ident\t\t: 0x00000005\n" in shell("pkt-analyze IPV6.FRAGMENT_ID=5", data, backend=backend).stdout


def test_flags():
    for byte, named in ((0, "( )"), (0x3F, "( FIN SYN RST PSH ACK URG )"), (0xC2, "( SYN )")):
        frame = bytearray(ethernet(0x0800, ipv4(6, tcp())))
        frame[34 + 13] = byte
        assert one(bytes(frame)).splitlines()[-1].endswith(f" / {byte:#04x} {named}")


@pytest.mark.parametrize(
    ("linktype", "link", "text"),
    [
        (0, struct.pack("<I", 2), "Loopback\tfamily\t\t: 2\n"), (0, struct.pack(">I", 2), "Loopback\tfamily\t\t: 2\n"),
        (108, struct.pack(">I", 2), "Loopback\tfamily\t\t: 2\n"), (101, b"", ""), (228, b"", ""),
        (113, struct.pack("!HHH8sH", 4, 1, 6, b"\2\0\0\0\0\1\0\0", 0x0800),
         "SLL\tpacket type\t: 4\n\thardware\t: 1\n\taddr size\t: 6\n\tsrc addr\t: 02:00:00:00:00:01\n\tprotocol\t: 0x0800\n"),
        (276, struct.pack("!HHIHBB8s", 0x0800, 0, 3, 1, 4, 6, b"\2\0\0\0\0\1\0\0"),
         "SLL2\tprotocol\t: 0x0800\n\tifindex\t\t: 3\n\thardware\t: 1\n\tpacket type\t: 4\n\taddr size\t: 6\n"
         "\tsrc addr\t: 02:00:00:00:00:01\n"),
        (113, struct.pack("!HHH8sHHH", 4, 1, 6, b"\2\0\0\0\0\1\0\0", 0x8100, 0x6007, 0x0800),
         "SLL\tpacket type\t: 4\n\thardware\t: 1\n\taddr size\t: 6\n\tsrc addr\t: 02:00:00:00:00:01\n\tprotocol\t: 0x8100\n"
         "VLAN\tvlan tag\t: 0x6007\n\tvlan priority\t: 3\n\tvlan id\t\t: 7\n\ttype\t\t: 0x0800\n"),
    ],
)  # fmt: skip
def test_link_types(linktype, link, text, each_codec):
    """The link is shown from level 3 on, whatever it is."""
    frame = link + ipv4(1, icmp())
    assert one(frame, linktype=linktype) == text + one(ethernet(0x0800, ipv4(1, icmp()))).partition("\n")[2]
    assert show([(linktype, frame)], 1) == "-- 1 -- IP:ICMP:\n"
    assert one(frame, 2, linktype) == "IP\tsrc/dst addr\t: 192.0.2.1 / 192.0.2.2\nICMP\ttype/code\t: 0 / 0\n"


def test_unknown_link_type():
    assert one(b"user 0", 5, 147) == "DATA\tUnknown\t\t: 75 73 65 72  20 30       : user  0  \n"
    assert one(b"user 0", 3, 147) == ""
    assert show([(147, b"user 0")], 1) == "-- 1 -- \n"


# ---- the box of bytes ----

BOX = """\
+--------+-------------------------+-------------------------+--------+--------+
| 000000 | 02 00 00 00 00 02 02 00 | 00 00 00 01 88 CC 41 42 |........|......AB|
| 000010 | 43 20 7E 7F 80          |                         |C ~..   |        |
+--------+-------------------------+-------------------------+--------+--------+
"""


@pytest.mark.parametrize(
    ("level", "before"), [(0, "DATA"), (1, "-- 1 --"), (2, "-- 1 --"), (3, "Ethernet"), (4, "DATA"), (5, "DATA")]
)
def test_hex_dump(level, before, backend):
    """Behind everything else, at every level; the rest is as without."""
    data = f"-- 1 --\nTIME: 1700000000\n{ethernet(0x88CC, bytes.fromhex('414243207e7f80')).hex(' ')}\n==\n".encode()
    done = shell(f"pkt-analyze -x -lv {level}", data, backend=backend)
    text = done.stdout.decode()
    at = text.index("+")
    assert text[at:] == BOX + ("==\n" if level not in (1, 2) else "")
    assert text[:at].splitlines()[-1].startswith(before)
    assert text.replace(BOX, "") == shell(f"pkt-analyze -lv {level}", data, backend=backend).stdout.decode()
    assert shell(f"pkt-analyze --hex-dump -ll 4 -lv {level}", data, backend=backend).stdout.decode().count(BOX) == 1


@pytest.mark.parametrize("size", range(50))
def test_hex_dump_of_every_size(size):
    """Each line is 80 columns wide, and read back gives the bytes."""
    frame = bytes(range(200, 200 + size))
    lines = listing.box_lines(frame)
    assert {len(line) for line in lines} <= {80}
    assert len(lines) == ((size + 15) // 16 + 2 if size else 0)
    assert bytes.fromhex("".join(line[11:34] + line[37:60] for line in lines[1:-1])) == frame
    assert [line[2:8] for line in lines[1:-1]] == [f"{at:06X}" for at in range(0, size, 16)]
    characters = "".join(line[62:70] + line[71:79] for line in lines[1:-1])
    assert characters == ("." * size).ljust(len(characters))


def test_hex_dump_of_several(each_codec):
    out = Kept()
    ListingSink(out, 1, 0, 0, True).write(batch([(1, b"ab"), (1, b""), (1, b"c")]))
    text = out.text.decode()
    assert [line[62:70] for line in text.splitlines() if line.startswith("| ")] == ["ab      ", "c       "]
    assert text.count("+--------+") == 8
    assert "-- 2 -- \n-- 3 -- \n" in text


# ---- link types and layouts ----


def test_link_type_line_whenever_it_changes():
    text = show([(1, PACKET), (1, PACKET), (147, b""), (1, PACKET)], 2)
    assert [line for line in text.splitlines() if line.startswith("LINKTYPE")] == [
        "LINKTYPE: 1 (Ethernet)", "LINKTYPE: 147 (Unknown)", "LINKTYPE: 1 (Ethernet)"
    ]  # fmt: skip


# ---- what the capture says ----


def test_sizes_times_and_notes(backend):
    """A packet that was truncated shows both sizes; nanoseconds and extension lines are kept, without control characters."""
    notes = "IFACE: eth0\nNOTE: caf\u00e9 \x1b[31m\u009b \u202e!\n"
    data = f"-- 1 --\nTIME: 1.000000001\nSIZE: 3/1514\n{notes}1 2 3\n==\n-- 2 --\nTIME: .5\n==\n"
    done = shell("pkt-analyze", data.encode(), backend=backend)
    assert done.stdout.decode() == (
        "LINKTYPE: 1 (Ethernet)\n-- 1 --\n"
        "received: 3/1514 bytes    1.000000001 Thu Jan  1 00:00:01 1970\n"
        "IFACE: eth0\nNOTE: caf\u00e9 ?[31m? ?!\n"
        "==\n-- 2 --\n"
        "received: 0 bytes    0.500000 Thu Jan  1 00:00:00 1970\n==\n"
    )


# ---- kinds to come ----


@pytest.mark.parametrize("kind", range(len(fields.HEADERS)), ids=fields.HEADERS)
def test_templates_ask_for_what_there_is(kind):
    """Each piece of each line has a place: of the header, or of items of its lists."""
    shown, known = templates.shown_of(kind), templates.known()
    lines = [known.template(number) for number in (*range(shown.first, shown.first + shown.templates), shown.brief) if number >= 0]
    without = (templates.LITERAL, templates.SIZE, templates.TAGS)
    assert all(piece.places for line in lines for piece in line if piece.what not in without)
    assert shown.templates or fields.HEADERS[kind] == "UNKNOWN" or not shown.title


def test_every_layout_is_of_a_header():
    assert len(_words.LAYOUTS) == len(fields.HEADERS) == len(templates.known().shown)
    assert set(EXTENSIONS) <= set(names.PROTOCOL)


@pytest.mark.parametrize(("lowest", "highest", "shown"), [
    (0, 0, "IP UDP"), (0, 4, "IP UDP"), (4, 0, "UDP"), (0, 5, "IP UDP NTP"), (5, 0, "NTP"), (5, 5, "NTP"),
])  # fmt: skip
def test_applications_are_data_unless_they_are_asked_for(lowest, highest, shown, each_codec):
    """1.16 knew none."""
    frame = ethernet(0x0800, ipv4(17, b"\x00\x7b\x00\x7b" + udp(bytes(48))[4:]))
    lines = one(frame, 5, lowest=lowest, highest=highest).splitlines()
    titles = [line.split("\t")[0] for line in lines if not line.startswith(("\t", "DATA", "Ethernet"))]
    assert titles == shown.split()
    data = [line.split("\t")[1] for line in lines if line.startswith("DATA")]
    assert data == (["UDP"] if "UDP" in shown and "NTP" not in shown else [])


BARE = """protocol BARE "B{0}re"
is transport
after protocol 200
field KIND 8
field FLAGS 8
field CHECKSUM 16
checksum CHECKSUM internet
field SEQ_NUMBER 16
part HALF 8
fixed 4
"""


@pytest.mark.parametrize("size", [6, 5])
def test_a_kind_without_lines_shows_all_its_fields(tmp_path, backend, size):
    """A field that was not captured takes its line along, not the packet."""
    path = tmp_path / "bare.protocol"
    path.write_text(BARE)
    frame = ethernet(0x0800, ipv4(200, bytes.fromhex("070900000102")[:size]))
    own = f"--protocols {path}"
    done = shell(f"pkt-correct {own} | pkt-analyze -ll 4 {own}", text_of(frame), backend=backend)
    checksum = f"\tchecksum\t: {'0xf7f4' if size == 6 else '0xf7f6'} (Valid)"
    wanted = [
        "B{0}re\tkind\t\t: 7",
        "\tflags\t\t: 0x09",
        checksum,
        *(["\tseq number\t: 0x0102"] if size == 6 else []),
        "\thalf\t\t: 1",
    ]
    assert [line for line in done.stdout.decode().splitlines() if not line.startswith(("LINKTYPE", "--", "=="))] == wanted


# ---- oddities ----

SAFE = frozenset(string.ascii_letters + string.digits + string.punctuation + " \t\n")


@pytest.mark.parametrize("level", [1, 2, 5])
def test_every_frame_cut_everywhere(level, each_codec):
    """No traceback, nothing but printable characters, and a packet for each."""
    packets = [(linktype, frame[:size]) for linktype, frame in frames() for size in range(min(len(frame), 140) + 1)]
    text = show(packets, level)
    assert SAFE.issuperset(text)
    assert text.count("-- ") == (1 + (level == 1)) * len(packets)
    assert f"\n-- {len(packets)} --" in text


@pytest.mark.parametrize("level", [2, 5])
def test_bytes_turned_around(level, each_codec):
    """Each byte of each header in turn says the opposite."""
    packets = []
    for linktype, frame in frames():
        for i in range(min(len(frame), 80)):
            packets.append((linktype, frame[:i] + bytes([frame[i] ^ 0xFF]) + frame[i + 1 :]))
    assert SAFE.issuperset(show(packets, level))


def test_packets_stay_as_they_are():
    """Looking repairs nothing: what is printed after a look is what was there."""
    packets = batch(frames())
    before = bytes(packets.data), bytes(packets.rows)
    ListingSink(Kept(), 5, 0, 0).write(packets)
    assert (bytes(packets.data), bytes(packets.rows)) == before


def test_low_levels_compute_no_checksum(monkeypatch):
    monkeypatch.setattr(pkttools.codec, "listing_encode", listing.listing_encode)
    monkeypatch.setattr(soundness, "verify", None)
    assert show(frames(), 1)
    assert show(frames(), 2)
    monkeypatch.setattr(templates, "read_field", None)
    assert show(frames(), 1)


# ---- as every command ----


def test_the_manual_shows_what_is_printed():
    page = (ROOT / "man" / "pkt-analyze.1").read_text().replace("\\-", "-")
    printed = shell("pkt-analyze -l 1", PING.read_bytes()).stdout.decode()
    assert f".EX\n{printed}.EE\n" in page


def test_filters_assignments_and_picks(backend):
    """Assigned values show, and so do the checksums that they make wrong; numbers count what is shown."""
    done = shell("pkt-analyze -r ICMP.TYPE==8 IP.TTL=5", PING.read_bytes(), backend=backend)
    assert b"TTL/protocol\t: 5 / 1\n\tchecksum\t: 0x64df (0x9fdf)\n" in done.stdout
    assert b"-- 1 --\n" in done.stdout
    assert b"-- 2 --\n" not in done.stdout
    done = shell("pkt-analyze -lv 1 -s 1 -v", PING.read_bytes(), backend=backend)
    assert done.stdout == b"-- 1 -- IP:ICMP:\n"
    assert b"2 packets read, 1 passed on" in done.stderr


def test_captures_and_out(tmp_path, backend):
    done = shell(f"pkt-txt2pcap | pkt-analyze --out {tmp_path / 'out'}", PING.read_bytes(), backend=backend)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out").read_bytes() == shell("pkt-analyze", PING.read_bytes(), backend=backend).stdout


def test_no_input(backend):
    text = b"pkt-analyze: <stdin>: no packets: not packet text\n"
    for data, code, said in ((b"", 0, b""), (b"no packet\n", 1, text)):
        done = shell("pkt-analyze", data, backend=backend)
        assert (done.returncode, done.stdout, done.stderr) == (code, b"", said)


def test_bad_input_comes_after_what_was_before_it(backend):
    done = shell("pkt-analyze -lv 1", PING.read_bytes() + b"-- 3 --\n0 z\n==\n", backend=backend)
    assert (done.returncode, done.stdout) == (1, b"-- 1 -- IP:ICMP:\n-- 2 -- IP:ICMP:\n")
    assert done.stderr == b"pkt-analyze: <stdin>:25: bad hex digit 'z'\n"


def test_a_reader_that_has_had_enough(backend):
    """Quiet: SIGPIPE ends it, as it ends cat."""
    done = shell("pkt-analyze -lv 5 | head -1; echo ${PIPESTATUS[0]} >&2", PING.read_bytes() * 2000, backend=backend)
    assert (done.stdout, done.stderr) == (b"LINKTYPE: 1 (Ethernet)\n", b"141\n")


def test_a_full_disk():
    done = shell("pkt-analyze > /dev/full", PING.read_bytes())
    assert (done.returncode, done.stderr) == (1, b"pkt-analyze: <stdout>: No space left on device\n")


def test_packets_are_shown_as_they_come(backend):
    """The first one is there before the second one has come."""
    first, end, rest = PING.read_bytes().partition(b"==\n")
    command, environment = [ROOT / "bin" / "pkt-analyze", "-lv", "1"], {**os.environ, "PKTTOOLS_CODEC": backend}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0) as process:
        process.stdin.write(first + end)
        assert select.select([process.stdout], [], [], 30)[0]
        assert process.stdout.read(100) == b"-- 1 -- IP:ICMP:\n"
        process.stdin.write(rest)
        process.stdin.close()
        assert process.stdout.read() == b"-- 2 -- IP:ICMP:\n"


def test_more_packets_than_are_written_at_once():
    done = shell("pkt-analyze -lv 1", PING.read_bytes() * 600)
    assert done.stdout == b"".join(b"-- %d -- IP:ICMP:\n" % (i + 1) for i in range(1200))
