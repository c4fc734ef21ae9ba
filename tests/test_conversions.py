"""The commands that check, convert, and let checksums follow, as commands."""

from __future__ import annotations

import struct

import pytest
from conftest import ROOT, shell
from samples import ARP, ethernet, ipv4, ipv6, pktap, tags, udp

PING = (ROOT / "examples" / "ping.txt").read_bytes()


def text(frame: bytes, linktype: int = 1, size: str = "") -> bytes:
    return b"LINKTYPE: %d\n-- 1 --\nTIME: 5\n%s%s\n==\n" % (linktype, size.encode(), frame.hex(" ").encode())


def raw(frame: bytes, linktype: int, command: str, size: str = "", backend: str = "") -> tuple[bytes, str]:
    """What a command makes of a frame, and what it says."""
    done = shell(f"{command} | pkt-txt2bin", text(frame, linktype, size), backend=backend)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.decode()


# ---- pkt-check ----

UNSOUND = (
    text(ethernet(0x0800, ipv4(17, udp())[:19]))  # half a header
    + text(ethernet(0x0800, ipv4(17, udp())), size="SIZE: 47/100\n")  # truncated
    + text(ethernet(0x0800, ipv4(17, udp())))  # its IP checksum is 0
)


def test_check(backend):
    done = shell("pkt-check", PING + UNSOUND, backend=backend)
    assert (done.returncode, done.stdout.count(b"\n==")) == (0, PING.count(b"\n==") + 1)
    assert done.stderr == b"pkt-check: 2 packets not valid: 1 truncated, 1 malformed\n"
    done = shell("pkt-check -cs", PING + UNSOUND, backend=backend)
    assert (done.returncode, done.stdout) == (0, PING)
    assert done.stderr == b"pkt-check: 3 packets not valid: 1 truncated, 1 malformed, 1 with a wrong checksum\n"


def test_check_the_other_way_around(backend):
    done = shell("pkt-check -cs -rc", PING + UNSOUND, backend=backend)
    assert done.stdout.count(b"\n==") == 3
    assert shell("pkt-check -rc -l 1", PING + UNSOUND, backend=backend).stdout.count(b"\n==") == 1


def test_check_reads_on_until_enough_have_passed(backend):
    """-l counts what is written; what lies behind is not looked at."""
    done = shell("pkt-check -cs -l 1", UNSOUND + PING + UNSOUND, backend=backend)
    assert done.stdout.count(b"\n==") == 1
    assert b"3 packets not valid" in done.stderr


# ---- bare bytes ----


def test_bytes_both_ways(backend):
    made = shell("pkt-txt2bin -l 1", PING, backend=backend)
    assert (len(made.stdout), made.stderr) == (98, b"")
    assert len(shell("pkt-txt2bin", PING, backend=backend).stdout) == 98 * PING.count(b"\n==")
    back = shell("pkt-bin2txt -do", made.stdout, backend=backend)
    assert back.stdout == shell("pkt-txt2txt -do -l 1", PING).stdout
    every = bytes(range(256)) * 4
    assert shell("pkt-bin2txt | pkt-txt2bin", every, backend=backend).stdout == every


def test_bytes_are_taken_as_they_are(backend):
    """Whatever they look like: a capture, or text."""
    capture = shell("pkt-txt2pcap", PING).stdout
    for data in (capture, PING, b"\n", b"=="):
        assert shell("pkt-bin2txt | pkt-txt2bin", data, backend=backend).stdout == data


def test_too_many_bytes(backend):
    done = shell("pkt-bin2txt | pkt-txt2bin", bytes(262144), backend=backend)
    assert (done.returncode, len(done.stdout)) == (0, 262144)
    done = shell("pkt-bin2txt", bytes(262145), backend=backend)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"pkt-bin2txt: <stdin>: more than 262144 bytes: that is no packet\n"


def test_no_bytes(backend):
    assert shell("pkt-bin2txt | pkt-txt2bin", b"", backend=backend).stdout == b""


def test_lines_that_have_no_place_in_bytes():
    done = shell("pkt-txt2bin", b"-- 1 --\nNOTE: x\n00\n==\n")
    assert (done.stdout, done.stderr) == (b"\0", b"pkt-txt2bin: 1 packet lost the lines IFACE, WAY, NOTE, LOST\n")


# ---- pkt-change -u ----


def test_checksums_follow(backend):
    edit = "IP.SRC_ADDR=10.1.1.1 IP.TTL-=1 --icmp-seq 9 --swap"
    done = shell(f"pkt-change -u {edit} | pkt-check -cs", PING, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == shell(f"pkt-change {edit} | pkt-correct", PING).stdout
    assert shell(f"pkt-change {edit} | pkt-check -cs", PING).stdout.count(b"\n==") == 0


def test_checksums_follow_where_the_guard_holds(backend):
    done = shell("pkt-change --update-checksums --if ICMP.TYPE==8 IP.TTL=9", PING, backend=backend)
    assert shell("pkt-filter IP.TTL!=9", done.stdout).stdout == shell("pkt-filter ICMP.TYPE==0", PING).stdout
    assert shell("pkt-check -cs", done.stdout).stdout == done.stdout


def test_a_packet_whose_checksum_cannot_follow_is_counted(backend):
    done = shell("pkt-change -u IP.PROTOCOL=17", PING, backend=backend)
    assert b"2 packets with a checksum that could not follow: it needs bytes that are not there\n" in done.stderr


# ---- pkt-change --to-ethernet ----

V4, V6 = ipv4(17, udp()), ipv6(17, udp())
COOKED = struct.pack("!HHH", 0, 1, 6) + b"\2\4\6\10\12\14\0\0"
COOKED2 = struct.pack("!HHIHBB", 0x86DD, 0, 3, 1, 4, 6) + b"\2\4\6\10\12\14\0\0"


@pytest.mark.parametrize(
    ("linktype", "front", "payload", "source", "kind"),
    [
        (101, b"", V4, bytes(6), 0x0800), (101, b"", V6, bytes(6), 0x86DD), (228, b"", V4, bytes(6), 0x0800),
        (229, b"", V6, bytes(6), 0x86DD), (0, b"\2\0\0\0", V4, bytes(6), 0x0800), (0, b"\0\0\0\x1e", V6, bytes(6), 0x86DD),
        (108, b"\0\0\0\2", V4, bytes(6), 0x0800), (113, COOKED + b"\x08\0", V4, COOKED[6:12], 0x0800),
        (113, COOKED + b"\x08\6", ARP, COOKED[6:12], 0x0806), (276, COOKED2, V6, COOKED[6:12], 0x86DD),
        (113, COOKED + b"\x81\0", tags([0x8100], 0x0800, V4), COOKED[6:12], 0x8100),
        (113, COOKED[:2] + b"\2\1" + COOKED[4:] + b"\x08\0", V4, bytes(6), 0x0800),  # another kind of hardware
    ],
    ids=range(12),
)  # fmt: skip
def test_to_ethernet(linktype, front, payload, source, kind, backend):
    got, said = raw(front + payload, linktype, "pkt-change --to-ethernet", backend=backend)
    assert got == bytes(6) + source + struct.pack("!H", kind) + payload
    assert said == ""


def test_to_ethernet_keeps_what_is_known(backend):
    """Time and notes, and how much of the packet there was; assignments come afterwards."""
    data = b"LINKTYPE: 101\n-- 1 --\nTIME: 5.000000001\nSIZE: 33/133\nNOTE: x\n" + V4.hex(" ").encode() + b"\n==\n" + PING
    done = shell("pkt-change --to-ethernet ETHERNET.DST_ADDR=02:00:00:00:00:09", data, backend=backend)
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "LINKTYPE: 1 (Ethernet)"
    assert lines[2].startswith("TIME: 5.000000001 ")
    assert lines[3:5] == ["SIZE: 47/147", "NOTE: x"]
    assert lines[5].startswith("000000: 02 00 00 00  00 09 00 00  00 00 00 00  08 00 45 00")
    assert done.stdout.count(b"LINKTYPE") == 1 + PING.count(b"LINKTYPE") - 1


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (147, b"what"),
        (101, b"\x50rest"),
        (101, b""),
        (0, b"\7\0\0\0rest"),
        (113, COOKED + b"\0\4" + b"llc"),
        (113, bytes(15)),
        (276, bytes(19)),
    ],
)
def test_what_cannot_be_converted(linktype, frame, backend):
    got, said = raw(frame, linktype, "pkt-change --to-ethernet", backend=backend)
    assert (got, said) == (frame, "pkt-change: 1 packet not converted: nothing is known of what they carry\n")


def test_to_ethernet_where_the_guard_holds(backend):
    data = text(V4, 101) + text(V6, 101)
    done = shell("pkt-change --to-ethernet --if IP", data, backend=backend)
    assert [line for line in done.stdout.decode().splitlines() if "LINKTYPE" in line] == [
        "LINKTYPE: 1 (Ethernet)", "LINKTYPE: 101 (Raw IP)"]  # fmt: skip


# ---- pkt-change --unwrap ----

FRAME = ethernet(0x0800, V4)
NOT_UNWRAPPED = "pkt-change: 1 packet not unwrapped: no PKTAP with a frame in it, no Linux cooked packet with IP\n"


@pytest.mark.parametrize("size", [108, 156])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("linktype", [258, 149])
@pytest.mark.parametrize(
    ("dlt", "frame", "inner"),
    [(1, FRAME, 1), (0, b"\2\0\0\0" + V4, 0), (108, b"\0\0\0\2" + V4, 108), (12, V4, 101), (14, V6, 101), (101, V6, 101),
     (1, b"", 1),
     (1, b"half", 1), (147, b"whatever", 147), (258, pktap(1, FRAME), 258)],
    ids=range(10),
)  # fmt: skip
def test_unwrap_pktap(dlt, frame, inner, linktype, order, size, backend):
    """The frame with its own link type; of one in another, one at a time."""
    done = shell("pkt-change --unwrap", text(pktap(dlt, frame, order, size), linktype), backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == shell("pkt-txt2txt", text(frame, inner)).stdout


@pytest.mark.parametrize(
    ("linktype", "front", "payload"),
    [(113, COOKED + b"\x08\0", V4), (113, COOKED + b"\x86\xdd", V6), (276, COOKED2, V6), (276, b"\x08\0" + COOKED2[2:], V4),
     (113, COOKED + b"\x08\0", V4 + b"padding")],
    ids=range(5),
)  # fmt: skip
def test_unwrap_cooked(linktype, front, payload, backend):
    done = shell("pkt-change --unwrap", text(front + payload, linktype), backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == shell("pkt-txt2txt", text(payload, 101)).stdout


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (113, COOKED + b"\x08\6" + ARP), (113, COOKED + b"\x81\0" + tags([0x8100], 0x0800, V4)), (113, COOKED + b"\0\4llc"),
        (113, COOKED + b"\x08\0" + V4[:19]), (113, COOKED), (276, COOKED2), (1, FRAME), (101, V4), (147, b"what"), (258, b""),
        (258, pktap(1, FRAME)[:107]), (258, pktap(1, FRAME)[:155]), (258, pktap(1, FRAME, length=107)),
        (258, pktap(1, FRAME, length=999)),
        (258, pktap(1, FRAME, next=0)), (258, pktap(1, FRAME, next=2)), (258, pktap(0x10000, FRAME)),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_cannot_be_unwrapped(linktype, frame, backend):
    done = shell("pkt-change --unwrap", text(frame, linktype), backend=backend)
    assert (done.returncode, done.stderr.decode()) == (0, NOT_UNWRAPPED)
    assert done.stdout == shell("pkt-txt2txt", text(frame, linktype)).stdout


def test_unwrap_keeps_what_is_known(backend):
    """Time, notes, and how much there was; what is assigned is assigned to the frame."""
    data = b"LINKTYPE: 258\n-- 1 --\nTIME: 5.000000001\nSIZE: 203/1000\nNOTE: x\n" + pktap(1, FRAME).hex(" ").encode() + b"\n==\n"
    done = shell("pkt-change --unwrap IP.TTL=9", data + data.replace(b"/1000", b"/100"), backend=backend)
    lines = done.stdout.decode().splitlines()
    assert done.stderr == b""
    assert lines[0] == "LINKTYPE: 1 (Ethernet)"
    assert lines[2].startswith("TIME: 5.000000001 ")
    assert lines[3:5] == ["SIZE: 47/844", "NOTE: x"]
    assert [line for line in lines if line.startswith(("SIZE", "LINK"))][1:] == ["SIZE: 47/844", "SIZE: 47/0"]
    assert lines[6].startswith("000010: 00 21 00 07  00 00 09 11")


@pytest.mark.parametrize("original", [0, 1, 15, 16, 40])
@pytest.mark.parametrize("option", ["--to-ethernet", "--unwrap"])
def test_a_frame_that_was_smaller_than_what_is_there(option, original, backend):
    """Of a link layer that is longer than what takes its place: no size falls below 0."""
    cooked = struct.pack("!HHH8sH", 0, 1, 6, b"\x02" * 8, 0x0800) + ipv4(17, udp())
    done = shell(f"pkt-change {option}", text(cooked, 113, f"SIZE: {len(cooked)}/{original}\n"), backend=backend)
    change = -2 if option == "--to-ethernet" else -16
    assert f"\nSIZE: {len(cooked) + change}/{max(original + change, 0)}\n" in done.stdout.decode()


def test_unwrap_then_ethernet(backend):
    """Raw IP out of PKTAP, and what could not be unwrapped, can be put under Ethernet."""
    data = text(pktap(12, V4), 258) + text(pktap(1, FRAME), 258) + text(COOKED + b"\x08\6" + ARP, 113) + text(b"what", 147)
    done = shell("pkt-change --to-ethernet --unwrap -F pcap", data.replace(text(b"what", 147), b""), backend=backend)
    assert done.stderr.decode() == NOT_UNWRAPPED
    assert (
        done.stdout
        == shell("pkt-change --to-ethernet -F pcap", text(V4, 101) + text(FRAME) + text(COOKED + b"\x08\6" + ARP, 113)).stdout
    )
    said = shell("pkt-change --unwrap --to-ethernet", data, backend=backend).stderr.decode().splitlines()
    assert said == [
        NOT_UNWRAPPED.replace("1 packet", "2 packets").strip(),
        "pkt-change: 1 packet not converted: nothing is known of what they carry",
    ]


def test_unwrap_where_the_guard_holds(backend):
    """It is asked once, of packets as they come: for both conversions, and for assignments to what has become of them."""
    data = text(pktap(12, V4, comm=b"ssh"), 258) + text(pktap(12, V4), 258)
    done = shell("pkt-change --unwrap --if PKTAP.COMM==ssh IP.TTL=9", data * 2, backend=backend)
    assert shell("pkt-filter IP.TTL==9", done.stdout).stdout.count(b"LINKTYPE: 101") == 1
    assert shell("pkt-filter IP.TTL==9", done.stdout).stdout.count(b"==\n") == 2
    assert shell("pkt-filter PKTAP IP.TTL==9", done.stdout).stdout.count(b"==\n") == 4
    done = shell("pkt-change --unwrap --to-ethernet --if PKTAP.COMM==ssh IP.TTL=9", data, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line for line in done.stdout.decode().splitlines() if "LINKTYPE" in line] == [
        "LINKTYPE: 1 (Ethernet)", "LINKTYPE: 258 (PKTAP)"]  # fmt: skip
    assert shell("pkt-filter IP.TTL==9", done.stdout).stdout.count(b"==\n") == 1


def test_fragments_in_pktap_come_together(backend):
    """Cut, mended and put together where they are; tags of the inner frame keep datagrams apart, as they do without."""
    tagged = [ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, udp(bytes([i]) * 600)))) for i in range(2)]
    tagged[1] = tagged[1][:15] + b"\2" + tagged[1][16:]
    data = b"".join(text(pktap(1, frame), 258) for frame in tagged)
    whole = shell("pkt-correct", data, backend=backend)
    assert shell("pkt-check -cs", whole.stdout, backend=backend).stdout == whole.stdout
    cut = shell("pkt-fragment -fm 300", whole.stdout, backend=backend).stdout
    assert cut.count(b"\n==") == 6
    packets = cut.split(b"-- ")
    mixed = packets[0] + b"".join(b"-- " + packets[i] for i in (1, 4, 2, 5, 3, 6))
    back = shell("pkt-defragment", mixed, backend=backend)
    assert (back.returncode, back.stderr) == (0, b"")
    assert back.stdout == whole.stdout


# ---- pkt-change --swap in tunnels ----

TUNNELS = (ROOT / "examples" / "tunnel.txt").read_bytes()


def test_swap_exchanges_the_outer_ends_only(backend):
    """What a tunnel carries stays, and so do the ports of UDP that carries VXLAN: it would not be VXLAN any more."""
    done = shell("pkt-change -u --swap | pkt-check -cs", TUNNELS, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = shell("pkt-analyze -lv 2", done.stdout).stdout.decode().splitlines()
    was = shell("pkt-analyze -lv 2", TUNNELS).stdout.decode().splitlines()
    changed = {line for line, before in zip(lines, was, strict=True) if line != before}
    assert changed == {
        "IP\tsrc/dst addr\t: 198.51.100.2 / 198.51.100.1", "IP\tsrc/dst addr\t: 198.51.100.1 / 198.51.100.2"}  # fmt: skip
    assert sum(line != before for line, before in zip(lines, was, strict=True)) == 3


@pytest.mark.parametrize(
    "command",
    ["pkt-txt2txt", "pkt-analyze -ll 1 -lh 1", "pkt-correct", "pkt-pipe 'correct'", "pkt-pipe 'filter IP | analyze'",
     "pkt-txt2pcap -F text",
     "pkt-txt2txt | pkt-txt2pcap | pkt-pcap2txt", "pkt-pingrep", "pkt-gen udp --count 1 --start 1700000000"],
)  # fmt: skip
def test_dates_in_utc(backend, command):
    """By option and by the environment; whatever the zone is."""
    date, zone = (b"Tue Nov 14 22:13:20 2023", "Asia/Tokyo")
    inner = command.removesuffix("'") + " --utc'" if command.endswith("'") else command + " --utc"
    for given, environment, utc in (
        (command, {}, False), (inner, {}, True), (command, {"PKTTOOLS_UTC": "1"}, True), (command, {"PKTTOOLS_UTC": "0"}, False),
        (command, {"PKTTOOLS_UTC": ""}, False), (inner, {"PKTTOOLS_UTC": "0"}, True),
    ):  # fmt: skip
        done = shell(given, PING, backend=backend, TZ=zone, **environment)
        assert (done.returncode, date in done.stdout, b"Wed Nov 15 07:13:20 2023" in done.stdout) == (0, utc, not utc), given


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("source", ["text", "pcap", "pcapng"])
@pytest.mark.parametrize("words", ["pkt-filter SCTP", "pkt-pipe 'filter SCTP | correct'"])
def test_what_a_filter_lets_nothing_through_of_keeps_its_link_type(backend, source, form, words):
    """As tcpdump -w has it; -lt says otherwise."""
    data = shell(f"pkt-txt2txt -lt 101 -F {source}", PING).stdout
    assert linktype_of_empty(shell(f"{words} -F {form}", data, backend=backend).stdout) == 101
    assert linktype_of_empty(shell(f"pkt-filter SCTP -lt 113 -F {form}", data, backend=backend).stdout) == 113


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_capture_without_packets_keeps_its_link_type(backend, form):
    empty = shell("pkt-filter SCTP -F pcap", shell("pkt-txt2pcap -lt 101", PING).stdout).stdout
    assert linktype_of_empty(shell(f"pkt-txt2txt -F {form}", empty, backend=backend).stdout) == 101
    read = shell(f"pkt-txt2txt -F {form}", empty).stdout
    assert linktype_of_empty(shell("pkt-pipe 'filter IP'", read, backend=backend).stdout) == 101  # in the format that is read


def linktype_of_empty(capture: bytes) -> int:
    """The link type of a capture without packets."""
    if capture[:4] == b"\n\r\r\n":
        (size,) = struct.unpack_from("<I", capture, 4)
        assert len(capture) == size + 20
        return struct.unpack_from("<H", capture, size + 8)[0]
    assert len(capture) == 24
    return struct.unpack_from("<I", capture, 20)[0]
