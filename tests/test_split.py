"""pkt-split: what goes into which file, how files are named, and what becomes of all that when something is in the way."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from backends import use
from conftest import ROOT, shell
from peak import peak
from sections import block, blocks_of, enhanced, interface, section
from segments import A, B, framed, ip, pieces, segment, udp
from test_pcapng_kept import everything, secrets, statistics
from test_pcapng_kept import names as names_block
from waits import until, wants_more

from pkttools.batch import Batch, Packet, gathered, link_of
from pkttools.command_line.options import Values
from pkttools.commands import split
from pkttools.errors import OutputError, PktError, UsageError
from pkttools.formats import packets, sink_of
from pkttools.formats.files import Input, Output
from pkttools.split import beside, names

T = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
SECOND = 10**9
ENVIRONMENT = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
needs_editcap = pytest.mark.skipif(not shutil.which("editcap"), reason="editcap is not installed")


def stream(frames: list[bytes], times: list[int] | None = None, notes: bytes = b"", linktype: int = 1) -> Batch:
    """Frames, a millisecond apart unless times say otherwise."""
    at = times or [T + i * 1_000_000 for i in range(len(frames))]
    return gathered(Packet(frame, len(frame), time, linktype, notes) for frame, time in zip(frames, at, strict=True))


def capture(path: Path, batch: Batch, form: str = "pcap") -> Path:
    """A file of packets."""
    values = Values(split.OPTIONS)
    values.format = form
    sink = sink_of(values, Output(str(path)), form)
    sink.write(batch)
    sink.close()
    return path


def read(path: Path) -> list[tuple[int, bytes]]:
    """Times and frames of a file."""
    return [(batch.packet(i).time, batch.packet(i).frame) for batch in packets(Input([str(path)])) for i in range(len(batch))]


def ports(folder: Path) -> dict[str, list[int]]:
    """The source ports of the packets of each file, by its name."""
    return {path.name: [int.from_bytes(frame[34:36]) for _, frame in read(path)] for path in sorted(folder.iterdir())}


def made(words: str, source: Input | None = None, form: str | None = "pcap") -> tuple[split.Parts, object]:
    """The sink of a command line, in this process."""
    from pkttools.commands import find, read

    values = read(find("pkt-split"), words.split())
    parts = split.Parts(values)

    class Source:
        file, linktype = source, 1

    Source.form = form
    return parts, parts(Source)


def run(folder: Path, words: str, *batches: Batch, form: str = "pcap") -> tuple[dict[str, list[int]], list[str]]:
    """What is in each file, and what is said."""
    folder.mkdir(exist_ok=True)
    _, sink = made(words.replace("OUT", f"--out {folder}"), form=form)
    for batch in batches:
        sink.write(batch)
    said = [line.replace(f"{folder}/", "") for line in sink.close()]
    return ports(folder), said


def many(count: int) -> Batch:
    """Packets of UDP, each of another port."""
    return stream([framed(udp((A[0], 1000 + i), B)) for i in range(count)])


# ---- one file after the other ----


def test_by_count(tmp_path):
    """Whatever the batches are; numbers from 1 on, of five digits."""
    batch = many(7)
    for turn, parts in enumerate(([batch], [batch.part(i, i + 1) for i in range(7)], [batch.part(0, 4), batch.part(4, 7)])):
        found, said = run(tmp_path / str(turn), "--count 3 OUT/x.pcap", *parts)
        assert found == {"x-00001.pcap": [1000, 1001, 1002], "x-00002.pcap": [1003, 1004, 1005], "x-00003.pcap": [1006]}
        assert said == ["7 packets in 3 files: x-00001.pcap to x-00003.pcap"]


def test_by_span(tmp_path):
    """From the first packet on; what begins with a span's end is in the next one; a gap makes no file, what is late stays."""
    seconds = [0, 1, 2, 3, 2.5, 4, 60, 61.999, 59]
    batch = stream([framed(udp((A[0], i), B)) for i in range(9)], [T + int(s * SECOND) for s in seconds])
    for turn, span in enumerate(("2", "2s", "2000ms")):
        found, said = run(tmp_path / str(turn), f"--span {span} OUT/{{time}}-{{n:2}}.pcap", batch)
        assert found == {
            "20231114T221320Z-01.pcap": [0, 1], "20231114T221322Z-02.pcap": [2, 3, 4], "20231114T221324Z-03.pcap": [5],
            "20231114T221420Z-04.pcap": [6, 7, 8]}  # fmt: skip
        assert said[0].startswith("9 packets in 4 files: ")


def test_one_instant_and_one_packet(tmp_path):
    """Files 10."""
    batch = stream([framed(udp((A[0], i), B)) for i in range(4)], [T] * 4)
    assert run(tmp_path / "1", "--span 1ns OUT/x.pcap", batch)[0] == {"x-00001.pcap": [0, 1, 2, 3]}
    assert run(tmp_path / "2", "--span 1ns OUT/x.pcap", batch.part(0, 1))[0] == {"x-00001.pcap": [0]}


@pytest.mark.parametrize("form", ["pcap", "pcapng", "text"])
def test_by_size(tmp_path, form):
    """Each file ends with the packet that makes it large enough."""
    found, _ = run(tmp_path, "--size 1k OUT/x", many(60), form=form)
    assert [port for of in found.values() for port in of] == [*range(1000, 1060)]
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    one = max(sizes) // min(len(of) for of in [*found.values()][:-1]) * 2
    assert len(sizes) > 3 and all(1024 <= size < 1024 + one for size in sizes[:-1])


@needs_editcap
def test_files_are_those_of_editcap(tmp_path):
    """By count and by time, of a capture with gaps; but for files without packets, and that a span has its end in it there."""
    times = [T + (i // 10) * 3 * SECOND + i * 51_000_000 for i in range(95)]
    source = capture(tmp_path / "in.pcap", stream([framed(udp((A[0], i), B)) for i in range(95)], times))
    for ours, theirs in (("--count 7", "-c 7"), ("--span 1", "-i 1"), ("--span 4", "-i 4")):
        for folder in (tmp_path / "a", tmp_path / "b"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        subprocess.run(f"editcap -F pcap {theirs} in.pcap b/x.pcap", shell=True, cwd=tmp_path, check=True)
        done = shell(f"cd '{tmp_path}' && pkt-split {ours} --out a/x.pcap < in.pcap")
        assert done.returncode == 0, done.stderr
        found, wanted = ([read(path) for path in sorted((tmp_path / name).iterdir())] for name in "ab")
        assert found == [each for each in wanted if each]
    assert source.exists()


# ---- a file a key ----


def flows() -> list[bytes]:
    """Two of UDP, one of TCP, in turn and both ways; fragments of the first; what has no addresses; a VLAN by itself."""
    first, *later = pieces()
    tagged = framed(udp(A, B))
    return [
        framed(udp(A, B)), framed(segment(A, B, "S", 1)), framed(udp(("10.0.0.3", 7), B)), bytes(9), framed(udp(B, A)),
        first, *later,
        framed(segment(B, A, "S.", 1)), tagged[:12] + bytes.fromhex("81000005") + tagged[12:], framed(udp(B, ("10.0.0.3", 7))),
    ]  # fmt: skip


@pytest.mark.parametrize(("between", "wanted"), [("ports", [1, 5, 2, 2, 1]), ("network", [1, 7, 2, 1]), ("link", [1, 9, 1])])
def test_by_flow(codec, monkeypatch, tmp_path, between, wanted):
    use(codec, monkeypatch, "conversation_table", "conversation_numbers", "conversation_totals", "group_rows", "gather_rows",
        "columns_encode", "pcap_encode")  # fmt: skip
    frames = flows()
    _, sink = made(f"--by flow --between {between} --out {tmp_path}/{{n}}-{{IP.SRC_ADDR}}.pcap")
    batch = stream(frames)
    for part in (batch.part(0, 6), batch.part(6, len(frames))):
        sink.write(part)
        sink.flush()
    said = sink.close()
    files = sorted(tmp_path.iterdir())
    assert [len(read(path)) for path in files] == wanted
    assert [path.name[:5] for path in files] == [f"{i:05}" for i in range(len(wanted))]
    assert files[0].name == "00000-none.pcap" and files[1].name == "00001-10.0.0.1.pcap"
    assert said[0] == "1 packet of no flow, in a file together: number 0"
    order = {frame: i for i, frame in enumerate(frames)}
    for path in files:
        inside = [order[frame] for _, frame in read(path)]
        assert inside == sorted(inside)
    assert Counter(frame for path in files for _, frame in read(path)) == Counter(frames)


def test_flows_in_other_tunnels_are_others(codec, monkeypatch, tmp_path):
    """Small keys of GRE around frames are those of a tunnel each, no flows of network 0."""
    use(codec, monkeypatch, "conversation_table", "conversation_numbers", "conversation_totals", "group_rows", "gather_rows",
        "columns_encode", "pcap_encode")  # fmt: skip
    inner = framed(udp(A, B))
    keyed = [framed(ip(A[0], B[0], 47, struct.pack("!HHI", 0x2000, 0x6558, key) + inner)) for key in (7, 8, 7)]
    found, _ = run(tmp_path, "--by flow OUT/{n:1}.pcap", stream(keyed))
    assert {name: len(of) for name, of in found.items()} == {"1.pcap": 2, "2.pcap": 1}


def test_by_fields(codec, monkeypatch, tmp_path):
    """In the order of their first packets; what is missing is a value of its own."""
    use(codec, monkeypatch, "group_rows", "gather_rows", "columns_encode", "pcap_encode")
    ends = [("10.0.0.1", 9), ("10.0.0.2", 9), ("10.0.0.1", 9), ("10.0.0.1", 8), ("10.0.0.2", 9)]
    batch = stream([*(framed(udp(one, B)) for one in ends), framed(ip(A[0], B[0], 1, bytes(8)))])
    found, said = run(tmp_path, "--by IP.SRC_ADDR,UDP.SRC_PORT OUT/{n:1}-{IP.SRC_ADDR}-{UDP.SRC_PORT}.pcap", batch)
    assert {name: len(of) for name, of in found.items()} == {
        "1-10.0.0.1-9.pcap": 2, "2-10.0.0.2-9.pcap": 2, "3-10.0.0.1-8.pcap": 1, "4-10.0.0.1-none.pcap": 1}  # fmt: skip
    assert said == ["6 packets in 4 files: 1-10.0.0.1-9.pcap to 4-10.0.0.1-none.pcap"]


@pytest.mark.parametrize("form", ["pcap", "pcapng", "text"])
@pytest.mark.parametrize("words", ["", "--memory 1048576"])
def test_files_go_on_where_they_were_left(tmp_path, form, words):
    """More than memory holds, so that each file is opened often; all is there once, in order, and reads as one capture."""
    frames = [framed(udp((A[0], 1000 + i % 7), B, bytes([i % 251]) * 900)) for i in range(2500)]
    batch = stream(frames, notes=b"IFACE: eth7\nNOTE: x\n" if form != "pcap" else b"")
    found, said = run(tmp_path, f"--by UDP.SRC_PORT {words} OUT/{{UDP.SRC_PORT}}", batch, form=form)
    assert {name: len(of) for name, of in found.items()} == {str(1000 + i): 358 if i == 0 else 357 for i in range(7)}
    for i in range(7):
        assert [frame for _, frame in read(tmp_path / str(1000 + i))] == frames[i::7]
    kept = [one.packet(0).notes for one in packets(Input([str(tmp_path / "1003")]))]
    assert all((b"IFACE: eth7\n" in notes) == (form != "pcap") for notes in kept)
    assert said == ["2500 packets in 7 files: 1000 to 1006"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what else a process takes is another matter elsewhere")
def test_memory_is_what_is_asked_for(memory):
    """Of 250,000 small packets in 7 files, whose rows, and copies in the order of files, take twice what the packets do."""
    batch = stream([framed(udp((A[0], 1000 + i % 7), B)) for i in range(7)])
    capture(memory / "in.pcap", batch)
    data = (memory / "in.pcap").read_bytes()
    (memory / "in.pcap").write_bytes(data[:24] + data[24:] * 36_000)
    words = [ROOT / "bin/pkt-split", "--by", "UDP.SRC_PORT", "--out", memory / "{n}.pcap", "--in", memory / "in.pcap", "--memory"]
    least, more = (peak([*words, str(size << 20)]) for size in (1, 32))
    assert 20 << 20 < more - least < 37 << 20
    assert [path.stat().st_size for path in memory.glob("0*.pcap")] == [24 + (len(data) - 24) // 7 * 36_000] * 7


def test_a_packet_larger_than_memory(tmp_path):
    """Its lines count, and may be long: it is written at once."""
    big = gathered([Packet(framed(udp(A, B)), 60, T, 1, b"NOTE: " + b"x" * 1_200_000 + b"\n"), Packet(bytes(20), 20, T, 1)])
    _, sink = made(f"--by flow --memory 1048576 --out {tmp_path}/{{n}}.txt", form="text")
    sink.write(big)
    assert sink.close()[-1].startswith("2 packets in 2 files")
    assert [len(read(path)) for path in sorted(tmp_path.iterdir())] == [1, 1]


def test_times_and_types_are_each_files_own(tmp_path):
    """Nanoseconds where a file has them; link types apart, where pcap can have one only."""
    times = [T, T + 1, T + 2000, T + 3]
    batch = stream([framed(udp((A[0], i % 2), B)) for i in range(4)], times)
    run(tmp_path / "a", "--by UDP.SRC_PORT OUT/{UDP.SRC_PORT}.pcap", batch)
    assert [(tmp_path / "a" / f"{i}.pcap").read_bytes()[:4].hex() for i in (0, 1)] == ["d4c3b2a1", "4d3cb2a1"]
    mixed = gathered([*(Packet(bytes(20), 20, T, type_) for type_ in (1, 101, 1))])
    found, _ = run(tmp_path / "b", "--by LINKTYPE OUT/{LINKTYPE}.pcap", mixed)
    assert {name: len(of) for name, of in found.items()} == {"1.pcap": 2, "101.pcap": 1}


def test_a_file_that_cannot_hold_its_packets(tmp_path):
    """The others get theirs before that is said."""
    frames = [(framed(udp((A[0], 1), B)), 1), (ip(A[0], B[0], 1, bytes(8)), 101), (framed(udp((A[0], 2), B)), 1)]
    _, sink = made(f"--by CAPTURED --out {tmp_path}/{{CAPTURED}}.pcap")
    sink.write(gathered(Packet(frame[:20], 20 + (i == 2), T, linktype) for i, (frame, linktype) in enumerate(frames)))
    sink.write(gathered([Packet(bytes(30), 30, T, 1)]))
    with pytest.raises(PktError, match=r"20\.pcap: a pcap file has one link type"):
        sink.flush()
    sink.close()
    assert [len(read(tmp_path / f"{size}.pcap")) for size in (20, 30)] == [1, 1]


@pytest.mark.parametrize(("form", "link", "message"), [
    ("pcap", 101, "a pcap file has one link type, 1, and here is a packet of type 101: write pcapng, or one file a type"),
    ("pcap", link_of(1, 0), "a pcap file has one link type, 1, and here is a packet of type 1 with an FCS of 0 octets: "
                            "write pcapng, which says that of each packet"),
    ("pcapng", 1 << 20, "link type 1048576 does not fit in a pcapng file"),
])  # fmt: skip
@pytest.mark.parametrize("how", ["--count 9", "--by CAPTURED"])
def test_what_stands_before_is_counted(tmp_path, form, link, message, how):
    _, sink = made(f"{how} --out {tmp_path}/{{n}}.{form}")
    with pytest.raises(PktError, match=message):
        sink.write(gathered(Packet(bytes(60), 60, T, linktype) for linktype in (1, 1, link, 1)))
        sink.flush()
    assert sink.close() == [f"2 packets in 1 file: {tmp_path}/00001.{form}"]
    assert len(read(tmp_path / f"00001.{form}")) == 2


@pytest.mark.parametrize("how", ["--count 1", "--by IP.SRC_ADDR"])
@pytest.mark.parametrize("form", ["", "pcapng"])
def test_each_file_has_its_section(tmp_path, codec, monkeypatch, how, form):
    """Files 18: names and secrets are in each; statistics, which are true of none, are said; what else there is in one of them."""
    use(codec, monkeypatch, "pcapng_decode", "pcapng_encode", "group_rows", "gather_rows", "columns_encode")
    begins = section(given=((1, b"said"),)) + names_block() + interface(1, ((2, b"eth0"),))
    frames = [framed(udp((f"10.0.0.{i}", 9), B)) for i in (1, 2)]
    last = block(0xBAD, b"\0\0\x7e\xd9abcd")
    data = begins + secrets() + b"".join(map(enhanced, frames)) + statistics(2) + last
    (tmp_path / "in").write_bytes(data)
    source = Input([str(tmp_path / "in")])
    _, sink = made(f"{how} --out {tmp_path}/{{n}}{form and '.pcapng'}", source, form="pcapng")
    for batch in packets(source):
        sink.write(batch)
    said = sink.close()
    files = [path.read_bytes() for path in sorted(tmp_path.glob("0*"))]
    assert [file.replace(last, b"") for file in files] == [begins + secrets() + enhanced(frame) for frame in frames]
    assert b"".join(files).count(last) == 1
    assert said[0] == "not kept, since packets were changed, added or left out: 1 interface statistics"


def test_splitting_is_no_passing_on(tmp_path):
    """Files 12: what is for this file alone, or of a kind that nobody knows, is in none of several, though no packet changes."""
    (tmp_path / "in.pcapng").write_bytes(b"".join(everything("<")))
    done = shell(f"cd '{tmp_path}' && pkt-split --count 2 --out '{{n}}.pcapng' --in in.pcapng")
    files = [path.read_bytes() for path in sorted(tmp_path.glob("0*"))]
    assert [[block[:4] for block in blocks_of(file, "<")].count(b"\6\0\0\0") for file in files] == [2, 1]
    assert not any(only in file for file in files for only in (b"only here", b"what\x10", struct.pack("<HHI", 0x4BAD, 5, 32473)))
    assert done.stderr.splitlines()[0] == (
        b"pkt-split: not kept, since packets were changed, added or left out: 1 packet option, 1 custom block, 1 type 0x777 block, "
        b"1 interface statistics"
    )


# ---- names ----


@pytest.mark.parametrize(("template", "wanted"), [
    ("x.pcap", "x-00007.pcap"), ("{n}", "00007"), ("{n:1}.txt", "7.txt"), ("{{{n}}}", "{00007}"), ("a{{b.pcap", "a{b-00007.pcap"),
    ("{time}", "20231114T221320Z"), ("{time:3}x", "20231114T221320.000Zx"), ("{time:9}", "20231114T221320.000000001Z"),
    ("{IP.SRC_ADDR}:{ip.ttl}", "10.0.0.1:64"), ("{ETHERNET.DST_ADDR}", "02_00_00_00_00_02"), ("{IPV6.SRC_ADDR}.pcap", "none.pcap"),
    ("{IP.TTL[2]}-{LINKTYPE}", "none-1"), ("{TIME_UTC}", "2023-11-14T22_13_20.000000001Z"), ("ü{n:1}", "ü7"), ("aux{n:1}", "aux7"),
])  # fmt: skip
def test_templates(template, wanted):
    one, batch = names.Template(template), stream([framed(udp(A, B))], [T + 1])
    assert one.stem(7, T + 1, one.values(batch)[0]) + one.ending == wanted


def test_files_of_interfaces(codec, monkeypatch, tmp_path):
    """What lines say is in a name as safely as what packets hold; what comes from none has a file of its own."""
    use(codec, monkeypatch, "group_rows", "gather_rows", "columns_encode", "pcap_encode")
    said = [b"IFACE: ../eth0\nWAY: in\n", b"IFACE: wlan0\nNOTE: a\nNOTE: b\n", b"", b"IFACE: ../eth0\nWAY: out\n"]
    made = gathered(Packet(framed(udp(A, B)), 42, T, 1, notes) for notes in said)
    found, _ = run(tmp_path, "--by IFACE OUT/{IFACE}-{WAY}-{NOTE}.pcap", made)
    assert {name: len(of) for name, of in found.items()} == {
        "_.._eth0-in-none.pcap": 2, "wlan0-none-a.pcap": 1, "none-none-none.pcap": 1}  # fmt: skip


@pytest.mark.parametrize(("value", "stem"), [
    (b"", "none"), (b"../../etc/passwd", "_.._.._etc_passwd"), (b"a b;c|d", "a_b_c_d"), (b"-rf", "_-rf"), (b"..", "_.."),
    (b"\\x00\\xff", "_x00_xff"), (b"nul", "_nul"), (b"COM1.x", "_COM1.x"), (b"common", "common"), (b"ok-1,2=3@x", "ok-1,2=3@x"),
])  # fmt: skip
def test_values_in_names_are_safe(value, stem):
    assert names.Template("{UDP.DATA}.pcap").stem(1, T, value) == stem


def test_no_time_is_none():
    """Files 9: a packet that has no time, which is 0 here, gives none to a name."""
    assert names.Template("{time}").stem(1, 0, b"") == "none"


def test_long_names_are_shortened_and_kept_apart(tmp_path):
    """To what file systems take, in whole characters, with the ending."""
    frames = [framed(udp(A, B, bytes([i]) * 200)) for i in (1, 1, 2)]
    frames.append(framed(udp(A, B, bytes([1]) * 199 + bytes([9]))))
    for turn, stem in enumerate(("{UDP.DATA}", "ü" * 90 + "{UDP.DATA}")):
        found, said = run(tmp_path / str(turn), f"--by UDP.DATA OUT/{stem}.pcap", stream(frames))
        assert sorted(map(len, found.values())) == [1, 1, 2] and all(250 <= len(name.encode()) <= 255 for name in found)
        assert sum(name.endswith("-2.pcap") for name in found) == 1
        assert said[1] == "1 file with a number behind the name, which another one has"


def test_two_keys_are_never_in_one_file(tmp_path):
    """Values that look alike once they are safe; a template that says nothing of the key; a link to another one's file."""
    frames = [framed(udp((A[0], 1000 + i), B, text)) for i, text in enumerate((b"a/b", b"a?b", b"a/b", b"a_b"))]
    found, said = run(tmp_path / "1", "--by TIME OUT/x.pcap", stream(frames))
    assert [*found.values()] == [[1000], [1001], [1002], [1003]]
    found, said = run(tmp_path / "2", "--by UDP.SRC_PORT OUT/{IP.SRC_ADDR}.pcap", stream(frames))
    assert found == {f"10.0.0.1{tail}.pcap": [port] for tail, port in (("", 1000), ("-2", 1001), ("-3", 1002), ("-4", 1003))}
    assert said[1] == "3 files with a number behind the name, which another one has"
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "1001.pcap").symlink_to("1000.pcap")
    found, _ = run(tmp_path / "3", "--by UDP.SRC_PORT OUT/{UDP.SRC_PORT}.pcap", stream(frames))
    assert found["1000.pcap"] == [1000] and found["1001-2.pcap"] == [1001]


@pytest.mark.parametrize("how", ["--by UDP.SRC_PORT", "--count 1"])
def test_files_that_exist(tmp_path, how):
    """Overwritten, as with --out, which is said; not what is read, nor what is no file."""
    (tmp_path / "1000.pcap").write_bytes(b"x" * 5000)
    found, said = run(tmp_path, f"{how} OUT/{{UDP.SRC_PORT}}.pcap", many(2))
    assert found == {"1000.pcap": [1000], "1001.pcap": [1001]} and said[1:] == ["1 file that existed overwritten"]
    before = (tmp_path / "1000.pcap").read_bytes()
    done = shell(f"cd '{tmp_path}' && pkt-split {how} --out '{{UDP.SRC_PORT}}.pcap' --in 1000.pcap")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"pkt-split: 1000.pcap: input and output are the same file\n"
    assert (tmp_path / "1000.pcap").read_bytes() == before
    os.mkfifo(tmp_path / "1002.pcap")
    reader = os.open(tmp_path / "1002.pcap", os.O_RDONLY | os.O_NONBLOCK)
    _, sink = made(f"{how} --out {tmp_path}/{{UDP.SRC_PORT}}.pcap")
    with pytest.raises(PktError, match=r"1002\.pcap: is there, and no regular file"):
        sink.write(many(3).part(2, 3))
        sink.close()
    os.close(reader)


@pytest.mark.parametrize("how", ["--by UDP.SRC_PORT", "--count 1"])
def test_a_compression_that_is_missing(tmp_path, monkeypatch, how):
    """It is said before anything is read, and what is there stays."""
    monkeypatch.setitem(sys.modules, "bz2", None)
    (tmp_path / "1000.pcap.bz2").write_bytes(b"kept")
    with pytest.raises(PktError, match="bzip2 is not in this Python"):
        made(f"{how} --out {tmp_path}/{{UDP.SRC_PORT}}.pcap.bz2")[1].write(many(1))
    assert (tmp_path / "1000.pcap.bz2").read_bytes() == b"kept"


# ---- usage ----


@pytest.mark.parametrize(("words", "says"), [
    ("--out x", "one of --count, --size, --span and --by"),
    ("--count 1 --by flow --out x", "not --count and --by"),
    ("--count 1", "--out TEMPLATE says"),
    ("--count 1 --out -", "--out TEMPLATE says"),
    ("--count 1 --out d/", "a name is missing"),
    ("--count 1 --out /dev/full", "files are written"),
    ("--count 1 --out {n}/x", "not of its directory"),
    ("--count 1 --out x{", "a place in braces is"),
    ("--count 1 --out x{}", "a place"),
    ("--count 1 --out {m}", "no field 'M'"),
    ("--count 1 --out {n:x}", "DIGITS"),
    ("--count 1 --out {time:10}", "DIGITS"),
    ("--count 1 --out {NUMBER}", "another one for each packet"),
    ("--by NUMBER --out x", "another one for each packet"),
    ("--by IP.X --out x", "no field 'IP.X'"),
    ("--by flow --between x --out x", "not one of"),
    ("--count 0 --out x", "out of range"),
    ("--count 1 --between link --out x", "--between is for --by flow"),
    ("--by IP.TTL --between link --out x", "--between is for"),
    ("--count 1 --memory 2000000 --out x", "--memory is for --by"),
    ("--span 0 --out x", "more than nothing"),
    ("--span x --out x", "--span"),
    ("--size 1x --out x", "not a number of bytes, such as 2M (k, M, G)"),
    ("--size 0 --out x", "out of range: at least 1"),
    ("--by flow --memory 9 --out x", "out of range"),
])  # fmt: skip
def test_wrong_usage(words, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        made(words)


# ---- as users meet it ----


def test_formats_and_compression_by_name(tmp_path):
    """What is read is what is written, unless a name, -F or an option of text says otherwise; -F wins."""
    capture(tmp_path / "in.pcapng", many(3), "pcapng")
    for out, more, begins in (
        ("{n}", "", b"\n\r\r\n"), ("{n}.pcap", "", b"\xd4\xc3\xb2\xa1"),
        ("{n}.txt", "", b"LINKTYPE"), ("{n}.pcap", "-F text", b"LINKTYPE"),
        ("a{n}", "-n 8", b"LINKTYPE"), ("{n}.pcap.gz", "", b"\x1f\x8b"), ("b{n}", "--compress gzip", b"\x1f\x8b"),
    ):  # fmt: skip
        for how in ("--count 2", "--by IP.TTL"):
            folder = tmp_path / "out"
            folder.mkdir()
            done = shell(f"pkt-split {how} --out '{folder}/{out}' {more} --in '{tmp_path}/in.pcapng'")
            assert done.returncode == 0, done.stderr
            files = sorted(folder.iterdir())
            assert [len(read(path)) for path in files] == ([2, 1] if "count" in how else [3])
            assert all(path.read_bytes().startswith(begins) for path in files)
            shutil.rmtree(folder)


def test_members_of_compressed_files_follow_each_other(tmp_path):
    """A file that is opened again gets one more."""
    _, sink = made(f"--by UDP.SRC_PORT --out {tmp_path}/{{UDP.SRC_PORT}}.pcap.gz")
    for _ in range(3):
        sink.write(many(2))
        sink.flush()
    sink.close()
    assert {name: len(of) for name, of in ports(tmp_path).items()} == {"1000.pcap.gz": 3, "1001.pcap.gz": 3}
    assert len(gzip.decompress((tmp_path / "1000.pcap.gz").read_bytes())) == 24 + 3 * (16 + len(framed(udp(A, B))))


def test_the_last_of_a_pipe(tmp_path, backend):
    """With filters and assignments before it and its own; the format that is read; and what it lists."""
    capture(tmp_path / "in.pcap", many(6))
    words = "--by UDP.SRC_PORT UDP IP.TTL=9 --out {n:1} --list"
    done = shell(f"cd '{tmp_path}' && pkt-pipe 'filter UDP.SRC_PORT!=1001 | split {words}' "
                 "< in.pcap",
                 backend=backend)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"".join(b"1\t%d\n" % i for i in range(1, 6))
    assert done.stderr.endswith(b"pkt-pipe: split: 5 packets in 5 files: 1 to 5\n")
    assert (tmp_path / "5").read_bytes()[:4].hex() == "d4c3b2a1" and read(tmp_path / "5")[0][1][22] == 9
    assert shell("pkt-pipe 'split --count 1 --out x | correct'", b"").returncode == 2


def test_without_packets(tmp_path):
    """Files 9 and 20: no file, whatever the input is; a name that stays is not overwritten."""
    capture(tmp_path / "in.pcapng", gathered([]), "pcapng")
    for how in ("--count 3", "--by flow"):
        for data in ("/dev/null", "in.pcapng"):
            done = shell(f"cd '{tmp_path}' && pkt-split {how} --out out --list < {data}")
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"pkt-split: no packets: no file is written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["in.pcapng"]


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder where files cost little."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("how", ["--count 1", "--by UDP.SRC_PORT"])
def test_more_files_than_may_be_open(memory, how):
    """Ten thousand; the whole is what mergecap makes of the parts, in our own reading."""
    tmp_path, batch = memory, many(10_000)
    capture(tmp_path / "in.pcap", batch)
    (tmp_path / "out").mkdir()
    done = shell(f"cd '{tmp_path}' && ulimit -n 20 && pkt-split {how} --out 'out/{{n}}.pcap' < in.pcap")
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in files] == [f"{i:05}.pcap" for i in range(1, 10_001)]
    assert {path.stat().st_size for path in files} == {40 + len(batch.frame(0))}
    if shutil.which("mergecap"):
        subprocess.run(["mergecap", "-F", "pcap", "-w", tmp_path / "whole", *files[:300]], check=True)
        assert read(tmp_path / "whole") == read(tmp_path / "in.pcap")[:300]
    assert read(files[-1]) == read(tmp_path / "in.pcap")[-1:]


@pytest.mark.parametrize("how", ["--count 50", "--by UDP.SRC_PORT"])
def test_a_full_disk(tmp_path, how):
    """What it is about, how much did not get there, exit code 1; no file is empty. The disk is really full."""
    capture(tmp_path / "in.pcap", many(3000))
    (tmp_path / "small").mkdir()
    command = f"pkt-split {how} --out {{n}}.pcap < ../in.pcap; echo $?; stat -c %s *"
    inside = f"mount -t tmpfs -o size=100k x small && cd small && {command}"
    try:
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", inside], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if b"unshare" in done.stderr or b"mount" in done.stderr:
        pytest.skip("no file system can be mounted here")
    code, *sizes = map(int, done.stdout.split())
    each = 16 + len(many(1).frame(0))
    lost = 3000 - sum((size - 24) // each for size in sizes)
    where = "not written" if "by" in how else "in no file that is whole"
    assert (code, set(sizes)) == (1, {24 + each * (1 if "by" in how else 50)})
    what = f"{where}: {lost} of 3000 packets that came"
    assert re.fullmatch(rf"pkt-split: \d+\.pcap: No space left on device; {what}\n", done.stderr.decode())


def test_how_much_is_not_written(tmp_path):
    _, sink = made(f"--by UDP.SRC_PORT --out {tmp_path}/{{n}}.pcap")
    sink.write(many(5))
    tmp_path.rmdir()
    with pytest.raises(OutputError, match=r"00001\.pcap: No such file or directory; not written: 5 of 5 packets that came"):
        sink.flush()


@pytest.mark.parametrize("waits", [False, True])
def test_a_second_signal_ends_it_and_what_is_lost_is_said(tmp_path, waits):
    """All was read, and lies in memory when the first file is made; also where more is waited for when the first one comes."""
    count = 5_000
    path = capture(tmp_path / "in", many(count))
    words = ["pkt-split", "--by", "UDP.SRC_PORT", "--out", f"{tmp_path}/{{n}}.pcap", "-" if waits else str(path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    if waits:
        process.stdin.write(path.read_bytes())
        process.stdin.flush()
        until(lambda: wants_more(process), "wait for more")
        process.send_signal(signal.SIGTERM)
    until(lambda: (tmp_path / "00050.pcap").exists(), "write")
    for number in (signal.SIGTERM, signal.SIGINT)[waits:]:
        process.send_signal(number)
    said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 1
    lost, written = map(int, re.findall("([0-9]+) packets", said))
    assert lost + written == count and lost, said
    assert all(file.stat().st_size for file in tmp_path.iterdir())


def test_a_second_signal_leaves_no_file_half_done(tmp_path, monkeypatch):
    """It comes as soon as the third file is made, and is empty; one more ends even that."""
    signals = beside.signals
    for name, value in (("_pending", signal.SIGTERM), ("since", 1.0), ("_waiting", False), ("_later", 0)):
        monkeypatch.setattr(signals, name, value)
    for times in (1, 2):
        _, sink = made(f"--by UDP.SRC_PORT --out {tmp_path}/{times}-{{n}}.pcap")
        create = sink.names.create

        def third(file, *what, create=create, times=times):
            for _ in range(times if file == 3 else 0):
                signals._handle(signal.SIGTERM, None)
            return create(file, *what)

        monkeypatch.setattr(sink.names, "create", third)
        sink.write(many(5))
        with pytest.raises(signals.Interrupted):
            sink.flush()
        done = 4 - times
        assert [path.stat().st_size > 24 for path in sorted(tmp_path.glob(f"{times}-*"))] == [True] * done
        assert sum(sink.listing.counts) == done and sink.stopped == f"stopped by a signal: {5 - done} packets not written"


def test_who_wants_it_to_end_is_told_what_it_still_does(tmp_path, monkeypatch, capsys):
    """Once, and not where that is soon done."""
    for patience, said in ((0, 1), (60, 0)):
        monkeypatch.setattr(beside, "PATIENCE", patience)
        _, sink = made(f"--by UDP.SRC_PORT --out {tmp_path}/{patience}-{{n}}.pcap")
        sink.write(many(5))
        monkeypatch.setattr(beside.signals, "since", 1.0)
        sink.flush()
        sink.write(many(5))
        assert sink.close()[-1].startswith("10 packets in 5 files")
        told = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
        assert told == ["5 packets in memory still go to 5 files; another signal ends that"] * said


@pytest.mark.parametrize(("how", "files"), [("--by UDP.SRC_PORT", 9), ("--count 4", 3)])
def test_a_signal_loses_nothing_that_came(tmp_path, how, files):
    """What is gathered is written, in both ways; exit code 1 says that there was more."""
    words = ["pkt-split", *how.split(), "--out", f"{tmp_path}/{{n}}.pcap"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    process.stdin.write(capture(tmp_path / "in", many(9)).read_bytes())
    process.stdin.flush()
    until(lambda: wants_more(process), "wait for more")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 1 and sum(len(read(path)) for path in tmp_path.glob("*.pcap")) == 9
    assert said.startswith(b"pkt-split: stopped by a signal: what came until then is written\n")
    assert f"\npkt-split: 9 packets in {files} files" in said.decode()


def test_who_waits_sees_what_came(tmp_path):
    """Where packets come now and then, they are written soon."""
    words = ["pkt-split", "--by", "flow", "--out", f"{tmp_path}/{{n}}.pcap"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    process.stdin.write(capture(tmp_path / "in", many(2)).read_bytes())
    process.stdin.flush()
    until(lambda: len([*tmp_path.glob("*.pcap")]) == 2, "write", 4 * beside.PROMPT)
    assert [len(read(path)) for path in sorted(tmp_path.glob("*.pcap"))] == [1, 1]
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_input_that_breaks_off(tmp_path):
    """What stood in front is in files, in both ways."""
    whole = capture(tmp_path / "in.pcap", many(5)).read_bytes()
    for how in ("--count 2", "--by flow"):
        (tmp_path / how[2:4]).mkdir()
        done = shell(f"pkt-split {how} --out '{tmp_path}/{how[2:4]}/{{n}}.pcap'", whole[:-3])
        assert done.returncode == 1 and b"file is truncated" in done.stderr and b"4 packets in" in done.stderr
        assert sum(len(read(path)) for path in (tmp_path / how[2:4]).iterdir()) == 4
