"""--bpf on every command, its dumps, and what goes wrong with it: with tcpdump and libpcap as the judges."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import struct
import subprocess
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from bpf import EXPRESSIONS, any_program, frames_of, judged
from captured import opened
from conftest import ROOT, SHARED, shell
from samples import batch, frames

from pkttools import codec
from pkttools.batch import LINKTYPE, ROW_BYTES, Batch, Program, linktype_of
from pkttools.bpf.classic import Instruction, braces, for_socket, numbers, packed, parsed, unsound
from pkttools.commands import commands, find, read
from pkttools.errors import PktError, UsageError, installs
from pkttools.formats import packets
from pkttools.language.expression import compiled
from pkttools.language.filters import Filter
from pkttools.language.pcap_filters import Expression
from pkttools.libpcap import compile_filter, image
from pkttools.live.linux.socket_filter import SO_ATTACH_FILTER

PING, TAGGED = (ROOT / "examples" / name for name in ("ping.txt", "vlan-tcp.txt"))
SOME = (
    "tcp",
    "udp port 53 or arp",
    "ip[2:2] >> ip[8] = 0",
    "vlan",
    "ip6 and not icmp6",
    "ip[2:2] > 100",
    "ether[len - 4:4] & 0xff != 0",
    "less 100",
)
WITH_BPF = [name for name in commands() if any("--bpf" in option.names for option in find(name).OPTIONS)]


@pytest.fixture(params=["cypcap", "system"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to libpcap, one after the other."""
    if request.param == "cypcap":
        pytest.importorskip("cypcap", reason="cypcap is not installed")
    monkeypatch.setenv("PKTTOOLS_LIBPCAP", request.param)
    return request.param


def dumped(*words: str) -> str:
    """What tcpdump prints of a program; its warning that it assumes Ethernet aside."""
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    return subprocess.run(["tcpdump", *words], capture_output=True, text=True, check=True).stdout


def printed(*words: str) -> str:
    """What pkt-filter prints, in this process: hundreds of them would take long."""
    command = find("pkt-filter")
    lines = command.instead(read(command, list(words)))
    assert lines is not None
    return "".join(f"{line}\n" for line in lines)


# ---- dumps ----


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_dumps_are_those_of_tcpdump(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKTTOOLS_LIBPCAP", "system")  # the one that tcpdump has
    for form in ("-d", "-dd", "-ddd"):
        assert printed(form, "--bpf", text) == dumped(form, text)


@pytest.mark.parametrize(("number", "name"), [(101, "RAW"), (113, "LINUX_SLL"), (276, "LINUX_SLL2"), (105, "IEEE802_11")])
def test_dumps_of_other_link_types(number: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PKTTOOLS_LIBPCAP", "system")
    for text in ("tcp port 80", "ip6", "host 10.0.0.1 and not icmp"):
        for form in ("-d", "-dd", "-ddd"):
            assert printed(form, "--bpf", text, "-lt", str(number)) == dumped("-y", name, form, text)


def test_dumps_by_both_libraries(library: str) -> None:
    program = compile_filter("tcp port 80 and not vlan", 1)
    lines = image(program)
    assert len(lines) == len(program)
    assert lines[0].split() == ["(000)", "ldh", "[12]"]
    assert parsed("\n".join(numbers(program)), "x") == program


def test_our_own_programs_are_printed(backend: str) -> None:
    done = shell("pkt-filter -d 'not (UDP.DST_PORT in 53,5353-5360 and IP.SRC_ADDR==10.0.0.0/8)' or VLAN[2]", backend=backend)
    assert done.returncode == 2  # a layer has no occurrences: nothing is printed
    expression = "not (UDP.DST_PORT in 53,5353-5360 and IP.SRC_ADDR==10.0.0.0/8) or VLAN or IP.PROTOCOL[-1]==udp or TCP.DATA==0102"
    done = shell(f"pkt-filter -nm -d '{expression}'", backend=backend)
    assert done.stdout.decode().splitlines() == [
        "(000) UDP.DST_PORT == 53                       jt 3\tjf 1",
        "(001) UDP.DST_PORT >= 5353                     jt 2\tjf 7",
        "(002) UDP.DST_PORT <= 5360                     jt 3\tjf 7",
        "(003) IP.SRC_ADDR == 10.0.0.0/8                jt 4\tjf 7",
        "(004) VLAN                                     jt 7\tjf 5",
        "(005) IP.PROTOCOL[-1] == 17 (udp)              jt 7\tjf 6",
        "(006) TCP.DATA == 01 02                        jt 7\tjf drop",
        "(007) ETHERNET.DST_ADDR & 01:00:00:00:00:00 == 01:00:00:00:00:00 jt 8\tjf pass",
        "(008) ETHERNET.DST_ADDR == ff:ff:ff:ff:ff:ff   jt pass\tjf drop",
    ]


def test_text_is_printed_as_it_is_written() -> None:
    lines = printed("-d", """PKTAP.COMM=="Google Chrome" and PKTAP.PID in 7,12-13 and PKTAP.IFNAME!=en0""").splitlines()
    assert [line[6:46].strip() for line in lines] == [
        'PKTAP.COMM == "Google Chrome"', "PKTAP.PID == 7", "PKTAP.PID >= 12", "PKTAP.PID <= 13", "PKTAP.IFNAME != en0",
    ]  # fmt: skip


def test_both_kinds_are_printed_together() -> None:
    done = shell("pkt-filter -d --bpf icmp -r IP.TTL '(' IPV6.SRC_ADDR '!=' ::1 ')'")
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == [
        "(000) bpf, 6 instructions                      jt 1\tjf pass",
        "(001) IP.TTL                                   jt drop\tjf 2",
        "(002) IPV6.SRC_ADDR != ::1                     jt drop\tjf pass",
    ]
    assert len(lines) == 3 + 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-d", "an expression is missing"),
        ("-dd ARP", "-dd and -ddd are for --bpf"),
        ("-ddd IP.TTL==1", "-dd and -ddd are for --bpf"),
        ("--bpf 'tcp and'", "--bpf 'tcp and': "),
        ("--bpf 'wlan type mgt' -lt 1", "--bpf 'wlan type mgt': 802.11 link-layer types supported only on 802.11"),
        ("--bpf tcp -lt 258", "PKTAP link-layer type filtering not implemented"),
        ("-dd --bpf icmp -r", "-dd and -ddd are for --bpf alone"),
        ("-ddd --bpf icmp IP", "-dd and -ddd are for --bpf alone"),
        ("udp port 53", "no layer '53' (-k lists the fields); an expression of tcpdump's goes with --bpf"),
        ("--bpf icmp --bpf-file x", "only one of --bpf and --bpf-file"),
        ("-d IP.TTL=1", "an expression is missing"),
        ("--bpf 'tcp prot 80'", "--bpf 'tcp prot 80': "),
        ("--bpf 'port nosuchport'", "--bpf 'port nosuchport': unknown port 'nosuchport'"),
        ("--bpf 'inbound' -lt 1", "not supported on Ethernet: packets alone have no answer; pkt-recv has -ro and -so"),
    ],
)
def test_wrong_usage(words: str, said: str) -> None:
    done = shell(f"pkt-filter {words} < /dev/null")
    assert done.returncode == 2
    assert not done.stdout
    assert said in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 2


def test_in_a_pipe_nothing_is_dumped() -> None:
    done = shell("pkt-pipe 'filter -d ARP | correct' < /dev/null")
    assert done.returncode == 2
    assert b"filter: -d, -dd and -ddd end before anything is filtered" in done.stderr


# ---- filters ----


@pytest.mark.parametrize("text", ["inbound", "not outbound", "ifindex 2"])
def test_what_only_the_kernel_knows(text: str, backend: str) -> None:
    """libpcap compiles it, but a packet alone has no answer: nothing would match, without a word."""
    done = shell(f"pkt-filter --bpf '{text}' -lt 1 < {PING}", backend=backend)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"packets alone have no answer; pkt-recv has -ro and -so" in done.stderr


@pytest.mark.parametrize("name", WITH_BPF)
def test_every_command_has_it(name: str, tmp_path: Path) -> None:
    """All that have filters: pkt-diff and pkt-expect ask all, pkt-gen makes what is wanted, pkt-lab has networks,
    pkt-pipe commands, pkt-sock moves bytes."""
    assert {"pkt-filter", "pkt-recv", "pkt-send", "pkt-txt2txt", "pkt-analyze"} <= set(WITH_BPF)
    assert set(commands()) - set(WITH_BPF) == {"pkt-diff", "pkt-expect", "pkt-gen", "pkt-lab", "pkt-pipe", "pkt-sock", "pkt-switch"}
    if name in ("pkt-recv", "pkt-xdp", "pkt-ask"):
        return  # live: test_live_bpf, test_live_xdp, test_ask
    needed = {
        "pkt-answer": f"{ROOT}/examples/answers/dns.rules",
        "pkt-send": "--dry-run", "pkt-txt2pcap": "-F text", "pkt-txt2pcapng": "-F text", "pkt-filter": "IP",
        "pkt-map": "--port 1=2", "pkt-time": "--shift 1s", "pkt-impair": "--loss 0", "pkt-wrap": "VLAN", "pkt-unwrap": "ETHERNET",
        "pkt-split": f"--count 1 --list --out {tmp_path}/{{n}}",
    }  # fmt: skip
    words = needed.get(name, "")
    source = f"cat {PING}"
    if name in ("pkt-pcap2txt", "pkt-pcapng2txt"):
        source += f" | pkt-txt2{name[4:-4]}"
    if name == "pkt-bin2txt":
        source = f"pkt-txt2bin -l 1 < {PING}"
    few, none = (shell(f"{source} | {name} {words} --bpf '{text}'") for text in ("icmp[0] = 8", "udp"))
    assert few.returncode == none.returncode == 0
    assert few.stdout != none.stdout, few.stderr


def test_it_is_one_filter_of_several(backend: str) -> None:
    def count(words: str) -> int:
        return shell(f"pkt-filter {words} < {PING}", backend=backend).stdout.count(b"==\n")

    assert count("--bpf icmp") == 2
    assert count("--bpf 'icmp[0] = 8'") == 1
    assert count("--bpf icmp ICMP.TYPE==0") == 1
    assert count("--bpf 'icmp[0] = 8' ICMP.TYPE==0") == 0
    assert count("-r --bpf 'icmp[0] = 8' ICMP.TYPE==0") == 2
    assert count("-r --bpf icmp ICMP.TYPE==0") == 1
    assert count("-r --bpf icmp") == 0
    assert count("--bpf icmp -l 1") == 1
    assert count("--bpf ''") == 2


def test_assignments_go_with_it(backend: str) -> None:
    done = shell(f"pkt-change --bpf 'icmp[0] = 8' IP.TTL=9 < {PING} | pkt-filter IP.TTL==9", backend=backend)
    assert done.stdout.count(b"==\n") == 1


def test_each_link_type_has_its_program(backend: str) -> None:
    """A stream of several link types, mixed."""
    own = [packet for packet in frames() if packet[0] in (0, 1, 101, 108, 113, 276)]
    b = batch([packet for pair in zip(own, reversed(own), strict=True) for packet in pair])
    linktypes = b.column(LINKTYPE)
    wanted = [
        judged(compile_filter("udp", linktype), *packet) != 0 for linktype, packet in zip(linktypes, frames_of(b), strict=True)
    ]
    assert len(set(linktypes)) > 4
    done = shell("pkt-filter --bpf udp", b"".join(text_of(b)), backend=backend)
    assert done.returncode == 0
    assert done.stdout.count(b"==\n") == sum(wanted) > 10


def text_of(b: Batch) -> Iterator[bytes]:
    """The text of packets, their link types between them."""
    for i, linktype in enumerate(b.column(LINKTYPE)):
        text, _ = codec.text_encode(b.data, bytes(b.part(i, i + 1).rows), 0, 1, 16, False, 0)
        yield f"LINKTYPE: {linktype}\n".encode() + bytes(text)


def test_a_link_type_that_it_means_nothing_for(backend: str) -> None:
    """What comes before is written; then the reason, with the link type."""
    text = PING.read_bytes() + b"LINKTYPE: 258\n-- 3 --\n00 01\n==\n"
    done = shell("pkt-filter --bpf icmp", text, backend=backend)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith(b"pkt-filter: packets of link type 258 (PKTAP): --bpf 'icmp': ")


def test_an_expression_of_another_link_type(backend: str) -> None:
    """It is no error by itself: what comes may be of that link type."""
    done = shell(
        "pkt-txt2txt --bpf 'wlan type mgt'", b"LINKTYPE: 105\n-- 1 --\n80 00 00 00\n==\n-- 2 --\n08 00\n==\n", backend=backend
    )
    assert (done.returncode, done.stdout.count(b"==\n")) == (0, 1)


def test_what_link_types_have_alone_waits_for_their_packets(library: str) -> None:
    """Nothing is tried: an expression is refused when packets come that do not have what it asks for."""
    for text in ("wlan type mgt", "inbound", "ifindex 3", "vpi 3", "fisu", "on eth0"):
        assert shell(f"pkt-filter --bpf '{text}' < /dev/null").returncode == 0
        done = shell(f"pkt-filter --bpf '{text}' < {PING}")
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(f"pkt-filter: packets of link type 1 (Ethernet): --bpf '{text}': ".encode())


@pytest.mark.parametrize("number", [113, 276])
def test_directions_are_asked_of_link_types_that_have_them(library: str, number: int) -> None:
    head = {
        113: "00 0%d 00 01 00 06 02 00 00 00 00 01 00 00 08 00",
        276: "08 00 00 00 00 00 00 07 00 01 0%d 06 02 00 00 00 00 01 00 00",
    }
    text = f"LINKTYPE: {number}\n" + "".join(f"-- 1 --\n{head[number] % way} 45\n==\n" for way in (0, 4, 0, 4, 4))
    text = text.encode()
    assert shell("pkt-filter --bpf inbound", text).stdout.count(b"==\n") == 2
    assert shell("pkt-filter --bpf outbound", text).stdout.count(b"==\n") == 3
    done = shell("pkt-filter --bpf 'ifindex 7'", text)
    assert (done.returncode, done.stdout.count(b"==\n")) == ((0, 5) if number == 276 else (1, 0))


def test_blanks_of_all_kinds_are_alike(library: str) -> None:
    text = "icmp\tand\n\ticmp[0]\r\n= 8\n"
    assert shell(f"pkt-filter --bpf '{text}' < {PING}").stdout == shell(f"pkt-filter --bpf 'icmp and icmp[0] = 8' < {PING}").stdout
    assert shell(f"pkt-filter -ddd --bpf '{text}'").stdout == shell("pkt-filter -ddd --bpf 'icmp and icmp[0] = 8'").stdout


def test_link_types_that_have_nothing_of_it_do_not_end_the_stream(library: str) -> None:
    """There is no ARP over raw IP; libpcap has no program for it, and the answer is no."""
    arp = "LINKTYPE: 1\n-- 1 --\n" + "00 " * 12 + "08 06 00 01\n==\n"
    raw = "LINKTYPE: 101\n-- 2 --\n45 00\n==\n"
    assert shell("pkt-filter --bpf arp", (arp + raw + arp).encode()).stdout.count(b"==\n") == 2
    assert shell("pkt-filter --bpf arp -r", (arp + raw + arp).encode()).stdout.count(b"==\n") == 1
    assert shell("pkt-filter --bpf arp -lt 101 < /dev/null").returncode == 2


# ---- loopback: families of IPv6 are as many as there were systems, in their byte order ----

IPV6 = b"\x60\0\0\0\0\x14\x06\x40" + bytes(15) + b"\1" + bytes(15) + b"\2" + b"\x30\0\0\x50" + bytes(8) + b"\x50\2" + bytes(6)
IPV4 = b"\x45\0\0\x28\0\0\0\0\x40\x11\0\0\x7f\0\0\1\x7f\0\0\2" + b"\x30\0\0\x50\0\x14" + bytes(14)
FAMILIES = [(24, IPV6), (28, IPV6), (30, IPV6), (10, IPV6), (2, IPV4), (7, b"\0\1"), (30, b"")]
LOOPBACK = (
    "ip6",
    "ip",
    "tcp port 80",
    "ip6 and udp",
    "not ip6",
    "not ip",
    "port 80",
    "less 30",
    "link[0] = 0 or ip6",
    "arp or ip6",
)


def loopback(number: int, order: str) -> tuple[bytes, list[bytes]]:
    """A capture of loopback packets as a machine of that byte order has it, and its packets."""
    packets = [struct.pack(">I" if number == 108 else order + "I", family) + rest for family, rest in FAMILIES] + [b"\0\0"]
    head = struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, number)
    return head + b"".join(struct.pack(order + "4I", 1, i, len(p), len(p)) + p for i, p in enumerate(packets)), packets


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("number", [0, 108, 109])
def test_saved_loopback_means_what_tcpdump_says(number: int, order: str, library: str, codec: ModuleType, tmp_path: Path) -> None:
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    capture, packets = loopback(number, order)
    (tmp_path / "in.pcap").write_bytes(capture)
    b = batch([(number, packet) for packet in packets])
    for text in LOOPBACK:
        judge = ["tcpdump", "-r", tmp_path / "in.pcap", "-w", "-", text]
        done = subprocess.run(judge, capture_output=True, check=False)
        assert done.returncode == 0 or b"rejects all packets" in done.stderr
        passed = Batch(b.data, bytearray(codec.select(b.data, bytes(b.rows), program_of(text, number))))
        records = b"".join(struct.pack("=2I", len(frame), wire) + frame for frame, wire in frames_of(passed))
        assert records == without_times(done.stdout[24:]), text


def program_of(text: str, linktype: int) -> Program:
    """The program of a filter for packets of a link type."""
    return compiled(Filter([], bpf=Expression(text, None)).tree_for_packets(linktype))


def without_times(records: bytes) -> bytes:
    """The records of a capture file of this machine's order: sizes and bytes."""
    out, at = b"", 0
    while at < len(records):
        size = int.from_bytes(records[at + 8 : at + 12], sys.byteorder)
        out += records[at + 8 : at + 16 + size]
        at += 16 + size
    return out


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("form", ["txt2txt", "txt2pcap", "txt2pcap -be", "txt2pcapng", "txt2pcapng -be"])
def test_saved_loopback_in_every_format(form: str, order: str, backend: str, tmp_path: Path) -> None:
    (tmp_path / "in.pcap").write_bytes(loopback(0, order)[0])
    source = f"pkt-pcap2txt < {tmp_path}/in.pcap | pkt-{form}"
    for text, count in (("ip6", 4), ("not ip6", 3), ("ip6 and tcp port 80", 3), ("ip and udp port 80", 1)):
        done = shell(f"{source} | pkt-txt2txt --bpf '{text}'", backend=backend)
        assert (done.returncode, done.stdout.count(b"==\n")) == (0, count), text


def test_saved_loopback_of_both_orders_in_one_stream(library: str) -> None:
    texts = [f"-- 1 --\n{(struct.pack(order + 'I', 24) + IPV6).hex(' ')}\n==\n" for order in "<><>"]
    assert shell("pkt-filter --bpf 'ip6 and tcp port 80'", ("LINKTYPE: 0\n" + "".join(texts)).encode()).stdout.count(b"==\n") == 4


# ---- files ----


def test_a_file(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "echo.bpf"
    path.write_bytes(shell("pkt-filter -ddd --bpf 'icmp[0] = 8'").stdout)
    assert shell(f"pkt-filter --bpf-file {path} < {PING}", backend=backend).stdout.count(b"==\n") == 1
    assert shell(f"pkt-filter -dd --bpf-file {path}").stdout.decode().splitlines() == braces(compile_filter("icmp[0] = 8", 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the BPF program is empty"),
        ("0\n", "it has 0 instructions"),
        ("1\n6 0 0\n", "line 2: an instruction is four numbers"),
        ("1\n\n6 0 0 0 0\n", "line 3: an instruction is four numbers"),
        ("1\n6 0 0 4294967296\n", "line 2: an instruction is four numbers"),
        ("1\n6 0 0 -1\n", "line 2: not a number: '6 0 0 -1'"),
        ("1\n6 0 0 0x10\n", "line 2: not a number"),
        ("6 0 0 1\n", "line 1: a BPF program begins with the number of its instructions"),
        ("2\n6 0 0 1\n", "says 2 instructions and has 1"),
        ("1\n6 0 0 1\n6 0 0 1\n", "says 1 instructions and has 2"),
        ("1\n0 0 0 1\n", "its last instruction is no return"),
        ("2\n52 0 0 0\n6 0 0 1\n", "instruction 0: divides by zero"),
        ("2\n5 0 0 7\n6 0 0 1\n", "instruction 0: jumps out of the program"),
        ("2\n2 0 0 16\n6 0 0 1\n", "instruction 0: there are 16 words of memory, no word 16"),
        ("2\n255 0 0 0\n6 0 0 1\n", "instruction 0: no code 0xff"),
        ("2\n48 0 0 4294963248\n6 0 0 1\n", "instruction 0 asks the kernel (0xfffff030)"),
        ("LINKTYPE: 1", "line 1: not a number: 'LINKTYPE: 1'"),
    ],
)
def test_a_file_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_text(text)
    done = shell(f"pkt-txt2txt --bpf-file {path} < {PING}")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"pkt-txt2txt: {path}: ")
    assert said in done.stderr.decode()


def test_no_file(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        done = shell(f"pkt-txt2txt --bpf-file {path} < {PING}")
        assert (done.returncode, done.stdout) == (1, b"")
        assert said in done.stderr.decode()


# ---- libpcap ----

WITHOUT = """
import ctypes, sys
sys.modules["cypcap"] = None
whole = ctypes.CDLL
def none(name, *rest, **more):
    if "pcap" in str(name):
        raise OSError("no such library")
    return whole(name, *rest, **more)
ctypes.CDLL = none
from pkttools.main import main
sys.argv = sys.argv[1:]
main()
"""


def test_without_libpcap(tmp_path: Path) -> None:
    """Only --bpf is missing, and says how to get it; a program from a file needs none."""

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        with PING.open() as file:
            return subprocess.run([sys.executable, "-c", WITHOUT, *words], stdin=file, capture_output=True, cwd=ROOT, check=False)

    done = run("pkt-filter", "--bpf", "icmp")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == f"pkt-filter: libpcap is missing: apt-get install libpcap0.8, or {installs('cypcap')}\n".encode()
    assert run("pkt-filter", "ICMP").returncode == 0
    path = tmp_path / "all"
    path.write_text("1\n6 0 0 1\n")
    assert run("pkt-filter", "--bpf-file", str(path)).stdout.count(b"==\n") == 2


def test_the_choice_of_a_library() -> None:
    done = shell("pkt-filter --bpf icmp < /dev/null", PKTTOOLS_LIBPCAP="mine")
    assert (done.returncode, done.stderr) == (1, b"pkt-filter: PKTTOOLS_LIBPCAP is 'mine': it is cypcap or system\n")


def test_reasons_are_the_same(library: str) -> None:
    for text in ("icmp and and", "host"):
        with pytest.raises(UsageError, match="syntax error"):
            compile_filter(text, 1)
    with pytest.raises(UsageError, match="rejects all"):
        compile_filter("1 = 2", 1)
    with pytest.raises(UsageError, match="printable characters"):
        compile_filter("icmp\0", 1)


# ---- real packets ----


def captured() -> Iterator[tuple[str, Batch]]:
    """All real captures, each as batches of one link type, as far as they can be read."""
    folder = SHARED / "captures" / "tcpdump"
    if not folder.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    for path in sorted(folder.iterdir()):
        with opened(path) as source:
            try:
                for b in packets(source):
                    linktypes = [linktype_of(link) for link in b.column(LINKTYPE)]
                    for linktype in set(linktypes):
                        chosen = [b.part(i, i + 1).rows for i, other in enumerate(linktypes) if other == linktype]
                        yield path.name, Batch(b.data, bytearray(b"".join(chosen)))
            except PktError:
                continue  # a malformed file: what stands before the bad place counts


@pytest.mark.parametrize("text", SOME)
def test_captures(text: str, codec: ModuleType) -> None:
    """Over all real captures: as libpcap's interpreter decides."""
    met = passed = 0
    for name, b in captured():
        try:
            program = compile_filter(text, linktype_of(b.column(LINKTYPE)[0]))
        except UsageError:
            continue
        wanted = [judged(program, *packet) != 0 for packet in frames_of(b)]
        kept = codec.select(b.data, bytes(b.rows), compiled(("bpf", packed(program))))
        assert len(kept) // ROW_BYTES == sum(wanted), name
        met, passed = met + len(wanted), passed + sum(wanted)
    assert met > 4000
    assert 0 < passed < met


@pytest.mark.parametrize("text", SOME)
def test_the_kernel_decides_the_same(text: str) -> None:
    """Over all real captures: a socket that has the program attached gets what our interpreter lets through, whole."""
    if sys.platform != "linux":
        pytest.skip("SO_ATTACH_FILTER is Linux's")
    programs: dict[int, list[Instruction]] = {}
    met = passed = 0
    for name, b in captured():
        linktype = linktype_of(b.column(LINKTYPE)[0])
        if linktype not in programs:
            try:
                programs[linktype] = compile_filter(text, linktype)
            except UsageError:
                continue
        frames_here = [(frame, wire) for frame, wire in frames_of(b) if frame and len(frame) == wire]  # cut ones: len is another
        kept = [frame for frame, wire in frames_here if judged(programs[linktype], frame, wire)]
        came = through_kernel(for_socket(programs[linktype]), [frame for frame, _ in frames_here])
        if ">>" in text:  # by a number of the packet's: decided in user space
            came = [frame for frame in came if judged(programs[linktype], frame, len(frame))]
        assert came == kept, name
        met, passed = met + len(frames_here), passed + len(kept)
    assert met > 4000
    assert 0 < passed < met


def through_kernel(program: list[Instruction] | None, sent: list[bytes]) -> list[bytes]:
    """What comes out of a socket with a program attached: of datagrams between two of our own."""
    assert program is not None
    held = array("B", packed(program))
    there, here = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with there, here:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        here.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), held.buffer_info()[0]))
        here.setblocking(False)
        found = []
        for frame in sent:
            there.send(frame)
            with contextlib.suppress(BlockingIOError):
                found.append(here.recv(1 << 18))
        return found


def test_the_kernel_drops_nothing_that_would_pass() -> None:
    """Programs of chance: whatever the interpreter lets through comes through the kernel."""
    dice = random.Random(9)
    met = 0
    for _ in range(1000):
        whole = [(0x02, 0, 0, i) for i in range(16)] + any_program(dice)  # libpcap's memory is not cleared, the kernel wants it
        program = for_socket(whole)
        frame = dice.randbytes(dice.choice((1, 20, 59, 60, 64)))
        try:
            came = through_kernel(program, [frame])
        except OSError:
            continue  # the kernel refuses it: it is run in user space
        met += 1
        assert bool(came) >= bool(judged(whole, frame, len(frame))), whole
    assert met > 300


def test_what_the_kernel_is_given() -> None:
    """A return of any number becomes one of all bytes; jumps back and what is too long stay with us."""
    assert for_socket([(0x05, 0, 0, 0xFFFFFFFF), (6, 0, 0, 1)]) is None
    assert for_socket([(0x04, 0, 0, 1)] * 4095 + [(6, 0, 0, 1)]) is None
    longest = for_socket([(0x04, 0, 0, 1)] * 4089 + [(0x16, 0, 0, 0)])
    assert longest is not None
    assert len(longest) == 4096
    frame = bytes(range(100))
    for program, kept in (
        (longest, [frame]),
        (for_socket([(6, 0, 0, 10)]), [frame]),
        (for_socket([(6, 0, 0, 0)]), []),
        (for_socket([(0x30, 0, 0, 5), (0x16, 0, 0, 0)]), [frame]),
        (for_socket([(0x30, 0, 0, 0), (0x16, 0, 0, 0)]), []),
        (for_socket([(0x30, 0, 0, 0), (0x15, 0, 1, 0), (0x16, 0, 0, 0), (6, 0, 0, 1)]), []),
        (for_socket([(0x30, 0, 0, 0), (0x15, 1, 0, 0), (0x16, 0, 0, 0), (6, 0, 0, 1)]), [frame]),
    ):
        assert through_kernel(program, [frame]) == kept
        assert unsound(program or []) is None
