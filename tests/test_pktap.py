"""PKTAP in commands: text and back, for people, and tshark as a judge of what we read."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import load, shell
from samples import ethernet, ipv4, pktap, udp
from test_codec_pktap import INNER, KIND, VALUES, sample, walked

from pkttools.protocols.fields import FIELDS, HEADERS, TABLE
from pkttools.protocols.layouts import LAYOUT
from pkttools.protocols.names import PROCESS, SERVICE_CLASS
from pkttools.protocols.shown import read_field
from pkttools.protocols.values import parse_value


def test_usage(backend):
    for words, said in (
        ("PKTAP.IFNAME=" + "e" * 25, f"PKTAP.IFNAME: '{'e' * 25}' does not fit: at most 24 bytes"),
        ("PKTAP.COMM+=1", "PKTAP.COMM: text can be set, not counted"),
        ("PKTAP.PID=-1", "PKTAP.PID: '-1' is neither a number nor one of none"),
        ("PKTAP.IFNAM=en0", "no field 'PKTAP.IFNAM': did you mean PKTAP.IFNAME?"),
    ):
        done = shell(f"pkt-txt2txt {words}", b"", backend=backend)
        assert (done.returncode, done.stderr.decode()) == (2, f"pkt-txt2txt: {said}\nTry 'pkt-txt2txt --help'.\n")
    keys = shell("pkt-filter -k", b"", backend=backend).stdout.decode().splitlines()
    assert "PKTAP.IFNAME            24 bytes           text" in keys
    assert f"PKTAP.SVC               32 bits            {', '.join(SERVICE_CLASS.values())}" in keys
    assert sum(line.startswith("PKTAP.") for line in keys) == len(VALUES) + 1
    assert parse_value("PKTAP.PID", [TABLE[FIELDS["PKTAP.PID"][0]]], PROCESS[0xFFFFFFFF]) == 0xFFFFFFFF


# ---- text ----


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", INNER)
def test_all_fields_come_back(name, order, backend, tmp_path):
    """-aa text gives the same packets, also where only the field lines say so."""
    dlt, frame, _ = INNER[name]
    odd = {"comm": b'\xff "\\\x01', "ifname": b"x" * 24, "ecomm": b"end\0rest", "svc": 0xFFFFFFFF}
    packets = [(258, pktap(dlt, frame, order, **other)) for other in ({}, odd, {"length": 5}, {"next": 0})]
    path = tmp_path / "capture.pcap"
    write_pcap(path, packets)
    text = shell(f"pkt-txt2txt -aa < {path}", b"", backend=backend)
    assert (text.returncode, text.stderr) == (0, b"")
    assert b"LINKTYPE: 258 (PKTAP)\n" in text.stdout
    assert b"PKTAP.IFNAME:\t\ten0\n" in text.stdout
    assert b'PKTAP.COMM:\t\t"Google Chrome"\n' in text.stdout
    assert b"PKTAP.EPID:\t\t0xffffffff\n" in text.stdout
    back = shell("pkt-txt2pcap", text.stdout, backend=backend)
    assert (back.returncode, back.stderr, back.stdout) == (0, b"", path.read_bytes())
    assert b"PKTAP" not in shell(f"pkt-txt2txt -a < {path}", b"", backend=backend).stdout.replace(b"(PKTAP)", b"")


def test_a_packet_of_field_lines_alone(backend):
    text = b"""LINKTYPE: 258
-- 1 --
SIZE: 203
PKTAP.LENGTH: 156
PKTAP.NEXT_TYPE: packet
PKTAP.DLT: en10mb
PKTAP.IFNAME: en0
PKTAP.OUT: 1
PKTAP.COMM: Google Chrome
PKTAP.PID: 512
ETHERNET.TYPE: ip
==
"""
    done = shell("pkt-txt2bin", text, backend=backend)
    wanted = bytearray(pktap(1, bytes(47), flags=2, family=0, pre=0, svc=0, iftype=0, epid=0))
    wanted[108:156] = bytes(48)
    wanted[156 + 12] = 8
    assert (done.stderr, done.stdout) == (b"", bytes(wanted))
    bad = shell("pkt-txt2bin", text.replace(b"en0", b"en0\xff"), backend=backend)
    assert (bad.returncode, b":7: PKTAP.IFNAME:" in bad.stderr) == (1, True)


# ---- for people ----

SHOWN = """PKTAP	length/next	: 156 bytes / packet
	DLT/family	: en10mb / inet6
	interface	: en0 (type: ether) (unit: 258)
	flags		: 0x00018002 ( OUT REXMIT KEEP_ALIVE )
	pre/post size	: 14 / 4 bytes
	process		: 70000 / "Google Chrome"
	effective	: none / ""
	service class	: vi
"""
ARP_LINES = """ARP	operation	: 1
	hrd/prt (size)	: 1 / 0x0800 (6 / 4)
	sender MAC/IP	: 02:00:00:00:00:01    	/ 192.0.2.1
	target MAC/IP	: 00:00:00:00:00:00    	/ 192.0.2.2
"""
LINK = "Ethernet\t02:00:00:00:00:01 -> 02:00:00:00:00:02  (type: 0x0806)\n"


@pytest.mark.parametrize("order", "<>")
def test_analyze(order, backend, tmp_path):
    """The link is shown from level 3 on, whatever it is; then the inner frame as usual."""
    path = tmp_path / "one.pcap"
    write_pcap(path, [(258, sample(order))])

    def show(words: str) -> str:
        done = shell(f"pkt-analyze {words} < {path}", b"", backend=backend)
        assert (done.returncode, done.stderr) == (0, b"")
        lines = done.stdout.decode().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(("LINKTYPE", "-- 1 --\n", "received", "==")))

    assert show("") == SHOWN + LINK + ARP_LINES
    assert show("-lv 5") == SHOWN + LINK + ARP_LINES
    assert show("-lv 1") == "-- 1 -- ARP:\n"
    assert show("-lv 2") == "ARP\toperation\t: 1 (192.0.2.1 -> 192.0.2.2)\n"
    assert show("-ll 2 -lh 2") == SHOWN + LINK
    assert show("-ll 3") == ARP_LINES
    assert all(LAYOUT[HEADERS.index(kind)].layer == 2 for kind in KIND.values())


def test_analyze_shows_what_is_not_followed(tmp_path):
    path = tmp_path / "one.pcap"
    write_pcap(path, [(258, pktap(1, b"tail", size=108, length=999, pid=-1, svc=123, comm=b"\x1b[2J", family=77, ifunit=3))])
    lines = shell(f"pkt-analyze -lv 5 < {path}", b"").stdout.decode().splitlines()
    assert lines[3:-1] == [
        "PKTAP\tlength/next\t: 999 bytes / packet", "\tDLT/family\t: en10mb / 77", "\tinterface\t: en0 (type: ether) (unit: 3)",
        "\tflags\t\t: 0x00000002 ( OUT )", "\tpre/post size\t: 14 / 0 bytes", '\tprocess\t\t: none / "\\x1b[2J"',
        '\teffective\t: none / ""', "\tservice class\t: 123", "DATA\tPKTAP\t\t: 74 61 69 6C              : tail     ",
    ]  # fmt: skip


# ---- the judge ----


def write_pcap(path: Path, packets: list[tuple[int, bytes]]) -> None:
    records = [struct.pack("<IIII", 1_700_000_000, i, len(frame), len(frame)) + frame for i, (_, frame) in enumerate(packets)]
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, packets[0][0]) + b"".join(records))


JUDGED = {
    "pktap.hdrlen": "LENGTH", "pktap.rectype": "NEXT_TYPE", "pktap.dlt": "DLT", "pktap.ifname": "IFNAME", "pktap.flags": "FLAGS",
    "pktap.pfamily": "FAMILY", "pktap.llhdrlen": "PRE_SIZE", "pktap.lltrlrlen": "POST_SIZE", "pktap.pid": "PID",
    "pktap.cmdname": "COMM", "pktap.svc_class": "SVC", "pktap.iftype": "IFTYPE", "pktap.ifunit": "IFUNIT", "pktap.epid": "EPID",
    "pktap.ecmdname": "ECOMM",
}  # fmt: skip


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not there")
def test_tshark_reads_the_same(tmp_path):
    """Little-endian headers alone: tshark knows no others."""
    packets = [(258, sample("<"))]
    for i, (dlt, frame, _) in enumerate(INNER.values()):
        other = {"flags": 1 << i, "pid": i * 1000, "epid": 0x01020304 * i, "svc": 100 * i, "iftype": 0x0102 * i, "ifunit": i,
                 "pre": i, "post": 2 * i, "family": 0x0A0B0C * i, "ifname": b"en%d" % i}  # fmt: skip
        packets.append((258, pktap(dlt, frame, size=(108, 156)[i % 2], **other)))
    path = tmp_path / "pktap.pcap"
    write_pcap(path, packets)
    words = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|", *(word for name in JUDGED for word in ("-e", name))]
    lines = subprocess.run([*words, "-e", "ip.src"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(packets)
    for (_, frame), line in zip(packets, lines, strict=True):
        *theirs, source = line.split("|")
        ours = [read_field(TABLE[FIELDS["PKTAP." + name][0]], frame, 0, 0, len(frame)) for name in JUDGED.values()]
        assert [int(text, 0) if isinstance(value, int) else text.encode() for text, value in zip(theirs, ours, strict=True)] == ours
        assert (source != "") == any(kind == "IP" for kind, *_ in walked(load("python"), frame))


def test_real_captures(shared, backend):
    """Those of tcpdump's own tests: with both link types, and one made to crash readers."""
    for name in ("LINKTYPE_PKTAP", "LINKTYPE_USER2_PKTAP"):
        path = shared / "captures" / "tcpdump" / f"{name}.pcap"
        done = shell(f"pkt-analyze < {path}", b"", backend=backend)
        assert b"UDP\ttotal size\t: 40 bytes" in done.stdout
        assert b"(Valid)" in done.stdout
        assert shell(f"pkt-txt2txt -aa < {path} | pkt-txt2pcap", b"", backend=backend).stdout == path.read_bytes()
        kept = shell(f"pkt-filter -F pcap 'PKTAP.IFNAME==en0 and PKTAP.OUT==1' < {path}", b"", backend=backend)
        assert kept.stdout == path.read_bytes()
    bad = shared / "captures" / "tcpdump" / "pktap-heap-overflow.pcap"
    assert shell(f"pkt-analyze -lv 5 < {bad}", b"", backend=backend).stdout.count(b"\n==\n") == 2


@pytest.mark.parametrize("linktype", [258, 149])
def test_fields_of_1_16_are_those_of_the_inner_frame(backend: str, linktype: int) -> None:
    """`-a` has the fields that 1.16 knew: none of PKTAP, which 1.16 called unknown as a whole."""
    wrapped = pktap(1, ethernet(0x0800, ipv4(17, udp())))
    done = shell("pkt-txt2txt -a", f"LINKTYPE: {linktype}\n-- 1 --\n{wrapped.hex(' ')}\n==\n".encode(), backend=backend)
    names = {line.partition(b":")[0] for line in done.stdout.splitlines() if b"." in line.partition(b":")[0]}
    assert {b"ETHERNET.TYPE", b"IP.TTL", b"UDP.DST_PORT"} <= names
    assert not {name for name in names if name.startswith((b"PKTAP", b"UNKNOWN"))}
