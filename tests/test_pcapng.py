"""pcapng as users meet it: every command reads it, `-F pcapng` writes it, and other programs agree with what it says."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT, SHARED, shell
from sections import ORDERS, SECOND, Record, block, enhanced, interface, obsolete, records, section, simple
from waits import read_to

CAPTURES = SHARED / "captures"
TEXT = b"""LINKTYPE: 1 (Ethernet)
-- 1 --
TIME: 1700000000.250000 Tue Nov 14 22:13:20 2023
SIZE: 3/1514
IFACE: eth0
WAY: in
LOST: 0
NOTE: two\\nlines, \\x1b[31mred\\x1b[0m and a back\\\\slash
NOTE:
000000: 00 01 02                                           : ...             \x20
==
-- 2 --
TIME: 1700000000.250000001 Tue Nov 14 22:13:20 2023
SIZE: 0/0
IFACE: eth0
==
LINKTYPE: 113 (Linux SLL)
-- 3 --
TIME: 9223372035.999999999 Fri Apr 11 23:47:15 2262
SIZE: 1/4294967295
WAY: out
000000: FF                                                 : .               \x20
==
LINKTYPE: 1 (Ethernet)
-- 4 --
TIME: 0.000000 Thu Jan  1 00:00:00 1970
SIZE: 1/1
IFACE: \xc3\xa9th \\x410
000000: 41                                                 : A               \x20
==
"""


def run(command: str, data: bytes = b"", code: int = 0, said: str = "", **more: str) -> bytes:
    """Runs a pipeline; its exit code and every byte on standard error are as they should be."""
    done = shell(command, data, **more)
    assert (done.returncode, done.stderr.decode()) == (code, said), done.stdout[-500:]
    return done.stdout


def sound(order: str = "<") -> bytes:
    return section(order) + interface(order=order) + enhanced(b"abc", 1_700_000_000_000_000, order=order)


@pytest.mark.parametrize("words", ["", "-le", "-be", "-ne", "--nano", "-be --nano"])
def test_text_to_pcapng_and_back(backend, words):
    there = run(f"pkt-txt2pcapng {words}", TEXT, backend=backend)
    assert there[8:12] == (b"\x1a\x2b\x3c\x4d" if "-be" in words else b"\x4d\x3c\x2b\x1a")
    assert run("pkt-pcapng2txt", there, backend=backend) == TEXT
    assert len(records(there)) == 4
    assert run("pkt-pcap2txt -F pcapng | pkt-txt2txt", there, backend=backend) == TEXT


@pytest.mark.parametrize("name", ["ping", "dns", "vlan-tcp"])
def test_examples_to_pcapng_and_back(backend, name):
    data = (ROOT / "examples" / f"{name}.txt").read_bytes()
    assert run("pkt-txt2pcapng | pkt-pcapng2txt", data, backend=backend) == run("pkt-txt2txt", data, backend=backend)


@ORDERS
def test_every_command_reads_it(backend, order):
    text = run("pkt-pcapng2txt", sound(order), backend=backend)
    for command in (
        "pkt-pcap2txt",
        "pkt-txt2txt",
        "pkt-change IP.TTL=9",
        "pkt-correct",
        "pkt-filter -r IP",
        "pkt-txt2pcap | pkt-pcap2txt",
    ):
        assert run(f"{command} 2> /dev/null", sound(order), backend=backend) == text, command
    said = shell("pkt-send --dry-run", sound(order), backend=backend).stderr
    assert b"1 packet" in said


def test_every_command_writes_it(backend):
    for command in (
        "pkt-txt2txt",
        "pkt-change IP.TTL=9",
        "pkt-correct",
        "pkt-filter -r IP",
        "pkt-pcap2txt",
        "pkt-txt2pcap",
        "pkt-pcapng2txt",
    ):
        out = run(f"{command} -F pcapng 2> /dev/null", TEXT, backend=backend)
        assert [record.time for record in records(out)] == [record.time for record in records(run("pkt-txt2pcapng", TEXT))], command
    assert run("pkt-txt2pcapng -F text", TEXT, backend=backend) == TEXT
    assert run("pkt-txt2pcapng -F pcap -l 1 2> /dev/null", TEXT, backend=backend)[:4] == b"\xd4\xc3\xb2\xa1"


def test_from_a_file_and_from_a_pipe(backend, tmp_path):
    (tmp_path / "f").write_bytes(sound() * 3)
    text = run(f"pkt-pcapng2txt < '{tmp_path}/f'", backend=backend)
    assert text.count(b"==\n") == 3
    assert run(f"pkt-pcapng2txt --in '{tmp_path}/f'", backend=backend) == text
    assert run(f"cat '{tmp_path}/f' | pkt-pcapng2txt", backend=backend) == text
    assert run(f"(head -c 100; sleep 0.2; cat) < '{tmp_path}/f' | pkt-pcapng2txt", backend=backend) == text


def test_what_is_there_is_not_kept_back(backend):
    """A live pipe: each packet comes out before the next one is waited for, and is written on at once."""
    environment = {**os.environ, "PKTTOOLS_CODEC": backend, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    words = ["bash", "-c", "pkt-pcapng2txt | pkt-txt2pcapng | pkt-pcapng2txt -do"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0) as pipe:
        assert pipe.stdin
        assert pipe.stdout
        half = enhanced(b"no")
        pipe.stdin.write(section() + interface() + enhanced(b"yes") + half[:20])
        assert read_to(pipe.stdout.fileno(), b"==\n").startswith(b"-- 1 --\n79 65 73 ")
        pipe.stdin.write(half[20:])
        pipe.stdin.close()
        assert pipe.stdout.read().startswith(b"-- 2 --\n6E 6F ")
        assert pipe.wait(20) == 0


# ---- what is said ----


def test_what_has_no_place_in_text_is_said_once(backend):
    raw = (
        section(given=((1, b"x"), (4, b"x")))
        + block(5, bytes(8))
        + interface()
        + block(5, bytes(8))
        + block(4, b"")
        + enhanced(b"a")
        + sound()
    )
    said = "pkt-pcapng2txt: <stdin>: not kept: 1 section comment, 2 interface statistics, 1 name resolution\n"
    assert run("pkt-pcapng2txt", raw, said=said, backend=backend).count(b"==\n") == 2
    assert run("pkt-pcapng2txt -l 1", raw, said=said, backend=backend).count(b"==\n") == 1
    raw = section() + interface(given=((9, b"\x0c"),)) + enhanced(b"", 1) + enhanced(b"", 2**64 - 1) + simple(b"")
    said = "pkt-pcapng2txt: <stdin>: times: 2 truncated to nanoseconds; 1 missing, taken for 0\n"
    assert run("pkt-pcapng2txt", raw, said=said, backend=backend).count(b"==\n") == 3


def test_pkt_send_says_it_once_in_all_rounds(tmp_path):
    (tmp_path / "f").write_bytes(sound() + block(4, b""))
    done = shell(f"pkt-send --dry-run -f --loop 3 --in '{tmp_path}/f'")
    assert done.stderr.count(b"not kept: 1 name resolution") == 1


def test_notes_that_pcapng_cannot_hold(backend):
    text = b"-- 1 --\nTIME: 1.0\nWAY: up\nLOST: many\nNOTE: kept\n==\n"
    said = (
        "pkt-txt2pcapng: 2 lines not written: pcapng has one IFACE, one WAY (in or out) and one LOST (a number) for a packet, and "
    )
    out = run("pkt-txt2pcapng", text, said=f"{said}65535 bytes for a text\n", backend=backend)
    assert records(out) == [Record(b"", 0, SECOND, 1, "NOTE: kept\n")]


def test_notes_that_pcap_cannot_hold(backend):
    raw = section() + interface(given=((2, b"eth0"),)) + enhanced(b"a")
    said = "pkt-txt2pcap: 1 packet lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them\n"
    run("pkt-txt2pcap", raw, said=said, backend=backend)


def test_no_control_character_reaches_a_terminal(backend):
    every = bytes(range(256))
    raw = section() + interface(given=((2, every),)) + enhanced(b"", given=((1, every),))
    out = run("pkt-pcapng2txt", raw, backend=backend)
    assert not set(out) & (set(range(32)) - {10} | set(range(127, 160)))
    assert out.count(b"\n") == 7
    assert records(run("pkt-pcapng2txt | pkt-txt2pcapng", raw, backend=backend)) == records(raw)
    said = "pkt-pcapng2txt: <stdin>: at byte 0: byte-order magic 1b5b334a of a section is neither 1a2b3c4d nor 4d3c2b1a\n"
    run("pkt-pcapng2txt", section()[:8] + b"\x1b[3J" + section()[12:], 1, said, backend=backend)


@ORDERS
def test_damaged_tails(backend, order, tmp_path):
    """Everything before comes out; the message has the file's name and the place; exit 1."""
    good = sound(order) + obsolete(b"defgh", order=order)
    for tail, said in (
        (enhanced(b"abc", order=order)[:-1], "file is truncated: 35 of a block's 36 bytes"),
        (b"\0\0\0", "file is truncated: 3 of a block header's 8 bytes"),
        (bytes(64), "block of 0 bytes: one of its type has at least 12"),
        (block(6, bytes(40), order, trailer=4), "block of 52 bytes, but 4 is the length at its end"),
        (enhanced(b"abc", number=1, order=order), "packet of interface 1, which the section does not describe"),
        (enhanced(b"abc", captured=99, order=order), "packet of 99 bytes in a block with room for 4"),
    ):
        (tmp_path / "f").write_bytes(good + tail)
        line = f"at byte {len(good)}: {said}\n"
        out = run(f"cd '{tmp_path}' && pkt-pcapng2txt -do --in f", b"", 1, f"pkt-pcapng2txt: f: {line}", backend=backend)
        assert out.count(b"==\n") == 2
        out = run("pkt-txt2txt -F pcapng", good + tail, 1, f"pkt-txt2txt: <stdin>: {line}", backend=backend)
        assert len(records(out)) == 2


def test_two_link_types(backend):
    raw = section() + interface() + interface(113) + enhanced(b"a") + enhanced(b"b", number=1) + enhanced(b"c")
    assert [r.linktype for r in records(run("pkt-txt2pcapng", raw, backend=backend))] == [1, 113, 1]
    said = "pkt-txt2pcap: <stdout>: a pcap file has one link type, 1, and here is a packet of type 113: "
    said += "write pcapng, or one file a type\n"
    assert len(run("pkt-txt2pcap", raw, 1, said, backend=backend)) == 24 + 17


def test_link_types_that_do_not_fit(backend):
    for words, data in (("-lt 65536", TEXT), ("-lt 65536", b"")):
        said = "pkt-txt2pcapng: <stdout>: link type 65536 does not fit in a pcapng file\n"
        assert run(f"pkt-txt2pcapng {words}", data, 1, said, backend=backend) == b""
    assert {r.linktype for r in records(run("pkt-txt2pcapng -lt 65535", TEXT, backend=backend))} == {65535}


def test_no_packets(backend):
    assert run("pkt-txt2pcapng", backend=backend) == section() + interface()
    assert run("pkt-txt2pcapng -lt 113 -be", backend=backend) == section(">") + interface(113, order=">")
    assert run("pkt-pcapng2txt", section(), backend=backend) == b""
    assert run("pkt-pcapng2txt -F pcapng", section(">") + interface(order=">"), backend=backend) == section(">") + interface(
        order=">"
    )


@pytest.mark.parametrize("words", ["-le -be", "-be -ne", "-le -ne", "-le -be -ne"])
def test_one_byte_order(words):
    said = "pkt-txt2pcapng: only one of -le, -be and -ne\nTry 'pkt-txt2pcapng --help'.\n"
    run(f"pkt-txt2pcapng {words}", TEXT, 2, said)


# ---- what other programs say ----

TSHARK = ["frame.time_epoch", "frame.cap_len", "frame.len", "frame.encap_type", "frame.interface_name", "frame.comment",
          "frame.packet_flags_direction", "frame.drop_count"]  # fmt: skip


def need(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is missing")


@cache  # it takes its time
def tshark(raw: bytes) -> list[list[str]]:
    """What tshark knows of each packet; nothing of a file that it does not read to the end."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(raw)
        file.flush()
        words = ["tshark", "-nr", file.name, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=|"]
        done = subprocess.run([*words, *(f"-e{field}" for field in TSHARK)], capture_output=True, text=True, check=False)
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]] if done.returncode == 0 else []


def epoch(time: int) -> str:
    return f"{time // SECOND}.{time % SECOND:09}"


# What tshark takes for packets though they are none, and what it does not reckon: more than nanoseconds, more than 2262.
OTHERWISE = {"custom_block", "tsresol_19", "tsresol_20", "ts_max", "tsoffset"}


# What it does not read to the end.
UNREAD = {
    "bom_bad", "epb_bad_if", "epb_caplen_80000001_big", "epb_caplen_gt_block", "epb_caplen_neg", "epb_no_idb",
    "garbage", "journal", "len0", "len11", "len13", "len4", "len8", "len_16M1", "len_80000000", "len_ffffffff",
    "no_epb", "opt_huge_in_epb", "opt_len_over", "shb_len_12", "shb_len_neg", "spb_len_neg", "spb_no_idb",
    "trailer_mismatch", "trunc_mid", "trunc_trailer", "ver_2", "empty",
}  # fmt: skip


def captures() -> list[Path]:
    """Those that tshark reads as we do, one behind the other in one file, too: to start it for each would take half a minute."""
    if not CAPTURES.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    found = [*(CAPTURES / "handmade" / "pcapng").iterdir(), *(CAPTURES / "tcpdump").glob("*.pcapng")]
    return sorted(path for path in found if path.stem not in OTHERWISE | UNREAD)


def encap_type(linktype: int) -> str:
    """Wireshark's own number of a link type, from a pcap file that has it in its header."""
    judged = tshark(struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype, 0, 0, 0, 0))
    return judged[0][3] if judged else "0"  # one that it does not know: in pcap an error, in pcapng number 0


def test_tshark_reads_what_we_read(backend):
    """Of all captures that it reads: number of packets, times, lengths, link types; and the same again of what we write."""
    need("tshark")
    raws = [path.read_bytes() for path in captures()]
    assert len(raws) > 60
    with ThreadPoolExecutor(2) as pool:
        outs = list(pool.map(lambda raw: shell("pkt-pcapng2txt | pkt-txt2pcapng", raw, backend=backend).stdout, raws))
    # Simple packets have no time; of obsolete ones that lost nothing before them we do not say so.
    wanted = [[line[0] or epoch(0), *line[1:-1], line[-1].removeprefix("0")] for line in tshark(b"".join(raws))]
    assert len(wanted) > 150
    read = [record for out in outs for record in records(out)]
    found = [[epoch(r.time), str(len(r.data)), str(r.original), encap_type(r.linktype)] for r in read]
    assert found == [line[:4] for line in wanted]
    again = tshark(b"".join(outs))  # a file of many sections; their interfaces' names it mixes up
    assert [line[:4] + line[5:] for line in again] == [line[:4] + line[5:] for line in wanted]


@pytest.mark.parametrize("words", ["", "-be", "--nano"])
def test_tshark_reads_what_we_write(words):
    need("tshark")
    found = tshark(run(f"pkt-txt2pcapng {words} -l 2", TEXT))
    assert [line[0] for line in found] == ["1700000000.250000000", "1700000000.250000001"]
    assert found[0][1:5] == ["3", "1514", "1", "eth0"]
    assert found[0][5].startswith("two\\nlines, ")
    assert found[0][6:] == ["0x00000001", "0"]
    assert found[1][1:] == ["0", "0", "1", "eth0", "", "", ""]


def test_editcap_and_capinfos_read_what_we_write(tmp_path):
    need("editcap", "capinfos")
    for name in ("ping", "dns", "vlan-tcp"):
        data = (ROOT / "examples" / f"{name}.txt").read_bytes()
        for words in ("", "-be", "--nano"):
            path = tmp_path / "ours"
            path.write_bytes(run(f"pkt-txt2pcapng {words}", data))
            subprocess.run(["editcap", "-F", "pcapng", path, tmp_path / "theirs"], check=True, capture_output=True)
            assert records((tmp_path / "theirs").read_bytes()) == records(path.read_bytes())
            subprocess.run(["editcap", "-F", "nsecpcap", path, tmp_path / "pcap"], check=True, capture_output=True)
            assert run("pkt-pcap2txt", (tmp_path / "pcap").read_bytes()) == run("pkt-txt2txt", data)
            said = subprocess.run(["capinfos", "-c", path], check=True, capture_output=True, text=True).stdout
            assert said.split()[-1] == str(data.count(b"\n==\n"))
    path.write_bytes(run("pkt-txt2pcapng"))
    assert subprocess.run(["capinfos", "-c", path], check=True, capture_output=True, text=True).stdout.split()[-1] == "0"


def test_we_read_what_editcap_writes(backend, tmp_path):
    """Our text as pcap, made pcapng by editcap, is our text."""
    need("editcap")
    for name in ("ping", "dns", "vlan-tcp"):
        data = (ROOT / "examples" / f"{name}.txt").read_bytes()
        (tmp_path / "pcap").write_bytes(run("pkt-txt2pcap --nano", data))
        subprocess.run(["editcap", "-F", "pcapng", tmp_path / "pcap", tmp_path / "ng"], check=True, capture_output=True)
        done = shell("pkt-pcapng2txt", (tmp_path / "ng").read_bytes(), backend=backend)
        assert (done.returncode, done.stdout) == (0, run("pkt-txt2txt", data))


def test_tcpdump_reads_what_we_write():
    need("tcpdump")
    for name in ("ping", "dns", "vlan-tcp"):
        data = (ROOT / "examples" / f"{name}.txt").read_bytes()
        lines = [
            shell(f"{command} | tcpdump -tt -nr - 2> /dev/null", data).stdout for command in ("pkt-txt2pcap", "pkt-txt2pcapng -be")
        ]
        assert lines[0] == lines[1] != b""


@pytest.mark.parametrize(
    "command", ["pkt-pcapng2txt", "pkt-analyze -lv 1", "pkt-txt2pcapng", "pkt-pipe 'filter not IP | correct'", "pkt-txt2pcap"]
)
def test_a_long_name_of_an_interface_with_many_packets(backend, command):
    """What a file says once goes with each packet: it has a cap, and what is beyond is counted."""
    count = 10_000 if backend == "c" else 1000
    raw = section() + interface(given=((2, b"\x01" * 65_532),)) + enhanced(b"a") * count
    before = os.times()
    done = shell(command, raw, backend=backend)
    after = os.times()
    said = "<stdin>: not kept: 1 interface name beyond 256 bytes"
    kept = "pcapng" in command.split("2")[-1] or "pipe" in command  # in the description, where that goes along
    assert (said in done.stderr.decode()) != kept
    assert (interface(given=((2, b"\x01" * 65_532),)) in done.stdout) == kept
    assert done.returncode == 0
    assert len(done.stdout) < count * 1400 + 70_000 * kept
    assert after.children_user + after.children_system - before.children_user - before.children_system < 5
    name = b"\x01" * 256
    exact = section() + interface(given=((2, name),)) + enhanced(b"a")
    assert records(run("pkt-pcapng2txt | pkt-txt2pcapng", exact, backend=backend)) == records(exact)


def test_a_signal_is_heard_among_long_names(tmp_path):
    path = tmp_path / "names.pcapng"
    with path.open("wb") as file:
        file.write(section())
        for i in range(40):
            file.write(interface(given=((2, b"%d" % i + b"\x01" * 65_000),)))
        file.write(b"".join(enhanced(b"a", number=i % 40, given=((1, b"\x9b" * 4000),)) for i in range(10_000)))
    with subprocess.Popen(
        [ROOT / "bin" / "pkt-pcapng2txt", "--in", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.read(1_000_000)
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        process.stdout.close()
        assert process.wait(60) in (-signal.SIGTERM, -signal.SIGPIPE)
        assert time.monotonic() - start < 10
