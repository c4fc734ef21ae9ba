"""pkt-diff: which packets belong to each other, what is said of them, and that patch(1) and tshark see the same."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
from conftest import SHARED, shell

import pkttools
from pkttools.batch import OFFSET, ROW_BYTES, Batch, Packet, gathered
from pkttools.compare.differences import differences
from pkttools.compare.ignoring import Ignored
from pkttools.compare.pairing import Aligned, ByKey, Found, InOrder
from pkttools.errors import PktError
from pkttools.flow.stage import codec_said
from pkttools.formats import joined, packets
from pkttools.formats.files import Input
from pkttools.views.fields import columns_of


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures that differ in known ways, made by one shell."""
    folder = tmp_path_factory.mktemp("diff")
    done = shell(f"""cd '{folder}' && pkt-gen udp --seed 1 --count 9 --sport 1..9 > a.txt
        pkt-txt2pcap < a.txt > a.pcap
        pkt-pipe "filter 'not NUMBER==4' | change --if 'NUMBER==6' IP.TTL=9 | correct" < a.txt > lost.txt
        (pkt-filter 'NUMBER<=3' < a.txt; pkt-filter 'NUMBER==3' < a.txt; pkt-filter 'NUMBER==6' < a.txt
         pkt-filter 'NUMBER==4 || NUMBER==5 || NUMBER>6' < a.txt) > mixed.txt
        pkt-time --shift 3ms < a.txt > late.txt
        printf 'nonsense\\n' > bad.txt; : > empty.txt; sed /^TIME/d a.txt > plain.txt""")
    assert done.returncode == 0, done.stderr
    return folder


CASES = [  # command line; exit code; lines, as far as they are given, in order; what is said on standard error
    ("a.txt a.txt", 0, [], ""),
    ("a.txt a.pcap", 0, [], ""),
    ("-v - a.pcap < a.txt", 0, [], f"{codec_said()}\npkt-diff: 9 packets the same"),
    ("a.txt lost.txt --brief", 1, ["a.txt and lost.txt differ"], ""),
    ("plain.txt late.txt -q", 0, [], ""),  # what says no time has any
    ("empty.txt empty.txt", 0, [], ""),
    ("a.txt empty.txt", 1, ["packet 1 only in A: 1970"], "0 packets the same, 9 only in A"),
    ("a.txt lost.txt --align", 1, ["packet 4 only in A: 1970", "packet 7 of A is packet 6 of B: 1970", "IP.TTL 64 -> 9"],
     "7 packets the same, 1 differ, 1 only in A"),
    ("a.txt lost.txt --key UDP.SRC_PORT", 1, ["packet 7 of A is packet 6 of B: 1970", "IP.TTL 64 -> 9", "packet 4 only in A: 1970"],
     "7 packets the same, 1 differ, 1 only in A"),
    ("a.txt lost.txt --align --ignore routing", 1, ["packet 4 only in A"], "8 packets the same, 1 only in A"),
    ("a.txt mixed.txt --align", 1, ["packet 4 only in B, again: as packet 3: 1970",
     "packet 6 of A is packet 5 of B, in another order: 1970"],
     "8 packets the same, 1 only in B, 1 in another order"),
    ("a.txt mixed.txt --key UDP.SRC_PORT", 1, ["packet 4 of A is packet 6 of B, in another order", "packet 5 of A",
     "packet 4 only in B, again: as packet 3"], "7 packets the same, 1 only in B, 2 in another order"),
    ("a.txt mixed.txt --align --ignore order", 1, ["packet 4 only in B, again"], "9 packets the same, 1 only in B"),
    ("a.txt late.txt", 1, ["packet 1: 1970", "TIME 0.000000 -> 0.003000 (0.003000 s)"], "0 packets the same, 9 differ\n"
     "pkt-diff: those that differ do in TIME alone: --ignore TIME, or --time-within"),
    ("a.txt late.txt --time-within 3ms", 0, [], ""),
    ("a.txt late.txt --time-within 2999us -q", 1, ["a.txt and late.txt differ"], ""),
    ("a.txt late.txt --ignore capture", 0, [], ""),
    ("a.txt lost.txt --key IP.ID --memory 1 -q", 1, ["a.txt and lost.txt differ"], ""),
    ("a.txt bad.txt", 2, [], "bad.txt: no packets: "),
    ("a.txt missing", 2, [], "missing: No such file or directory"),
    ("a.txt", 2, [], "two files to compare: pkt-diff A B"),
    ("- -", 2, [], "standard input is read once"),
    ("a.txt ''", 2, [], "'' is the name of no file"),
    ("a.txt a.txt --ignore IP.TLT", 2, [], "--ignore: no field 'IP.TLT': did you mean IP.TTL?"),
    ("a.txt a.txt --key IP.TLT", 2, [], "--key: no field 'IP.TLT': did you mean IP.TTL?"),
    ("a.txt a.txt --key IP.ID --align", 2, [], "--key or --align: one way of pairing"),
    ("a.txt a.txt --json -q", 2, [], "only one of --brief, --unified and --json"),
    ("a.txt a.txt -u --key IP.ID", 2, [], "--unified follows the order of packets, and --key does not"),
    ("a.txt a.txt --memory 5", 2, [], "--memory is for --key and --align"),
    ("a.txt lost.txt --out a.txt", 2, [], "a.txt: input and output are the same file"),
    ("a.txt lost.txt > /dev/full", 2, [], "<stdout>: No space left on device"),
]  # fmt: skip


def test_what_is_said(files: Path):
    """All cases in one shell: what each writes, says and ends with."""
    script = [f"pkt-diff {case} 2> err; printf '\\0%s\\0' $?; cat err; printf '\\0'" for case, *_ in CASES]
    parts = shell(f"cd '{files}'\n" + "\n".join(script)).stdout.decode().split("\0")
    for i, (case, code, lines, said) in enumerate(CASES):
        out, found, err = parts[3 * i : 3 * i + 3]
        assert int(found) == code, (case, out, err)
        assert err.startswith(f"pkt-diff: {said}") if said else not err, (case, err)
        rows = iter(" ".join(line.split()) for line in out.splitlines())
        assert all(any(row.startswith(line) for row in rows) for line in lines), (case, out)
        assert bool(out) == bool(lines), (case, out)


def test_json_and_colours(files: Path):
    done = shell(f"cd '{files}' && pkt-diff --json --align a.txt lost.txt; pkt-diff --color always --align a.txt lost.txt")
    rows = [json.loads(line) for line in done.stdout.splitlines()[:2]]
    assert rows[0]["a"] == 4
    assert rows[0]["b"] is None
    assert rows[0]["packet"]["UDP"]["SRC_PORT"] == 4
    assert rows[1] == {"a": 7, "b": 6, "differences": [{"field": "IP.TTL", "header": "IP", "occurrence": 1, "a": 64, "b": 9}]}
    assert b"\n  IP.TTL                 \x1b[31m64\x1b[m -> \x1b[32m9\x1b[m\n" in done.stdout


def test_headers_that_only_one_has_are_told_each(tmp_path: Path):
    """Options of neighbours have no title of their own, and are none the less headers: one that may be missing hides no other."""
    frame = "020000000002020000000001 86DD 60000000 {} 3AFF fe800000000000000000000000000001 ff020000000000000000000000000001 {}"
    advertised, mtu = "8600000040000708 0000000000000000 0101020000000001", "05010000000005dc"
    prefix = "030440c0000000010000000100000000 20010db8000000000000000000000000"
    for name, size, payload in ("a", "0040", advertised + mtu + prefix), ("b", "0018", advertised):
        (tmp_path / name).write_text(f"-- 1 --\nTIME: 1.0\n{frame.format(size, payload)}\n==\n")
    said = "SIZE,CAPTURED,checksums,IPV6.PAYLOAD_SIZE"
    for more, names in ("", ["ND_MTU", "ND_PREFIX"]), (",ND_MTU", ["ND_PREFIX"]), (",ND_PREFIX,ND_MTU", []):
        for codec in "c", "python":
            done = shell(f"cd '{tmp_path}' && PKTTOOLS_CODEC={codec} pkt-diff --json --ignore {said}{more} a b")
            assert done.returncode == int(bool(names)), done.stderr
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            assert [one["header"] for row in rows for one in row["differences"]] == names
        a, b = (list(pkttools.read(tmp_path / name)) for name in "ab")
        found = pkttools.diff(a, b, ignore=f"{said}{more}".split(","))
        assert [one.header for packet in found for one in packet.differences] == names


def test_faults_are_found_as_they_were_made(tmp_path: Path):
    """What pkt-impair says it did is what pkt-diff finds: losses, repetitions, corruption; who overtook, who was overtaken."""
    made = shell(f"""cd '{tmp_path}' && pkt-gen udp --seed 4 --count 500 --size 100 --sport random > a.txt
        pkt-impair --seed 3 --loss 3% --duplicate 2% --corrupt 1% < a.txt > b.txt
        pkt-diff --align a.txt b.txt --out found; grep -c again found >&2
        pkt-impair --seed 3 --reorder 2% --delay 5ms < a.txt > c.txt
        pkt-diff --align --ignore TIME a.txt c.txt > found; pkt-diff --key UDP.SRC_PORT --ignore TIME a.txt c.txt > found; true""")
    impaired, found, again, delayed, aligned, keyed = made.stderr.decode().splitlines()
    lost, twice, corrupted = (re.search(rf"(\d+) {word}", impaired)[1] for word in ("lost", "duplicated", "corrupted"))
    same = 500 - int(lost) - int(corrupted)
    assert found == f"pkt-diff: {same} packets the same, {corrupted} differ, {lost} only in A, {twice} only in B"
    assert int(again) >= int(twice)
    ahead, overtaken = (re.search(rf"(\d+) {word}", delayed)[1] for word in ("not delayed", "overtaken"))
    assert aligned == f"pkt-diff: {500 - int(ahead)} packets the same, {ahead} in another order"
    assert keyed == f"pkt-diff: {500 - int(overtaken)} packets the same, {overtaken} in another order"


needs_patch = pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed")


@needs_patch
def test_patch_makes_the_second_of_the_first(tmp_path: Path):
    """Losses, insertions, changes, other link types, at either end: what patch(1) makes of A has no difference from B."""
    draw = random.Random(5)
    made = shell("pkt-gen udp --seed 2 --count 30 --size 60..300 --sport random").stdout
    ours = [text + b"==\n" for text in made.split(b"==\n")[:-1]]
    ours[0] = ours[0].partition(b"\n")[2]
    others = [b"-- 1 --\nTIME: 5.000000\n" + bytes(f"{i:02X} 00 00\n", "ascii") + b"==\n" for i in range(4)]
    for turn, how in product(range(3), ("", "--align")):
        script = []
        for part in range(2):
            texts = []
            for text in ours:
                texts += [b"LINKTYPE: 113\n" + draw.choice(others) + b"LINKTYPE: 1\n"] * (draw.random() < 0.15)
                texts += [text.replace(b"02 00 00", b"02 07 00", draw.random() < 0.2)] * (draw.random() < 0.8)
            text = b"LINKTYPE: 1\n" + b"".join(texts)
            (tmp_path / f"{part}.raw").write_bytes(text)
            script.append(f"pkt-txt2txt < {part}.raw > {part}.txt")
        script.append(
            f"pkt-diff -u {how} 0.txt 1.txt > edits; patch -s -o patched.txt 0.txt edits && "
            "pkt-diff patched.txt 1.txt && wc -l < edits"
        )
        done = shell(f"cd '{tmp_path}' && {' && '.join(script)}")
        assert done.returncode == 0, (turn, done.stdout, done.stderr)
        assert int(done.stdout) > 20


def of(numbers: list[int], first: int = 0) -> list[Batch]:
    """Batches of packets that are told apart by a byte, three at a time."""
    made = [Packet(bytes([n % 256, n // 256]) * 30, 60, 10**9, 1) for n in numbers]
    return [gathered(made[i : i + 3]) for i in range(first, len(made), 3)]


def told(found: list[Found]) -> list[tuple[int | None, int | None, bool, int | None]]:
    return [(one.number_a, one.number_b, one.moved, one.again) for one in found]


def test_batches_of_any_sizes():
    a = list(range(50))
    pairing = InOrder(Ignored())
    assert told(list(pairing.found(iter(of(a)), iter([gathered([b.packet(i) for b in of(a) for i in range(len(b))])])))) == []
    assert pairing.same == 50
    changed = [n + 200 * (n in (7, 49)) for n in a]
    assert told(list(InOrder(Ignored()).found(iter(of(a)), iter(of(changed))))) == [(8, 8, False, None), (50, 50, False, None)]


def test_memory_is_bounded_and_said():
    """A window, or what waits, is a part of the streams: losses are found in each part, and the bound is told."""
    a = list(range(3000))
    b = [n for n in a if n % 100 != 50]
    aligned = Aligned(Ignored(), memory=60_000)
    lost = [(n + 1, None, False, None) for n in a if n % 100 == 50]
    assert told(list(aligned.found(iter(of(a)), iter(of(b))))) == lost
    assert aligned.bound
    columns = b"".join(column.code() for column in columns_of("FRAME"))
    waiting = ByKey(Ignored(), columns, memory=5_000)
    assert told(list(waiting.found(iter(of(a)), iter(of(b))))) == lost
    assert waiting.bound
    free = ByKey(Ignored(), columns)
    assert told(list(free.found(iter(of(a)), iter(of(b))))) == lost
    assert not free.bound


def test_a_capture_is_the_same_as_itself_and_no_bit_is_missed():
    """Every readable file of the captures, in this process; and of its first packets, one bit of each another one."""
    folder = SHARED / "captures"
    if not folder.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    draw, readable, tried = random.Random(4), 0, 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inputs: list[Input] = []
        try:
            inputs += (Input([str(path)]) for _ in range(3))
            for one in inputs:
                one.now = 10**18
            assert list(InOrder(Ignored.of("", notes=True)).found(*(joined(one, packets) for one in inputs[:2]))) == [], path
            readable += 1
            batch = next(joined(inputs[2], packets), None)
        except PktError:
            continue
        finally:
            for one in inputs:
                os.close(one.fd)
        for i in range(min(len(batch), 20) if batch else 0):
            if not len(batch.frame(i)):
                continue
            row, other = bytes(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]), bytearray(batch.data)
            bit = draw.randrange(len(batch.frame(i)) * 8)
            other[batch.column(OFFSET)[i] + bit // 8] ^= 128 >> bit % 8
            assert differences(batch.data, row, other, row), (path, i, bit)
            tried += 1
    assert (readable > 500, tried > 3000) == (True, True), (readable, tried)


JUDGED = {  # of ours which is tshark's
    "ETHERNET.DST_ADDR": "eth.dst", "ETHERNET.SRC_ADDR": "eth.src", "IP.DSCP": "ip.dsfield.dscp", "IP.ECN": "ip.dsfield.ecn",
    "IP.ID": "ip.id", "IP.DF": "ip.flags.df", "IP.TTL": "ip.ttl", "IP.CHECKSUM": "ip.checksum", "IP.SRC_ADDR": "ip.src",
    "IP.DST_ADDR": "ip.dst", "UDP.SRC_PORT": "udp.srcport", "UDP.DST_PORT": "udp.dstport", "UDP.CHECKSUM": "udp.checksum",
    "UDP.DATA": "udp.payload", "TCP.SRC_PORT": "tcp.srcport", "TCP.DST_PORT": "tcp.dstport", "TCP.SEQ_NUMBER": "tcp.seq_raw",
    "TCP.ACK_NUMBER": "tcp.ack_raw", "TCP.SYN": "tcp.flags.syn", "TCP.ACK": "tcp.flags.ack", "TCP.FIN": "tcp.flags.fin",
    "TCP.RST": "tcp.flags.reset", "TCP.PSH": "tcp.flags.push", "TCP.WINDOW": "tcp.window_size_value",
    "TCP.CHECKSUM": "tcp.checksum", "TCP.DATA": "tcp.payload", "ICMP.ID": "icmp.ident", "ICMP.SEQ_NUMBER": "icmp.seq",
}  # fmt: skip


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_sees_the_same_fields_differ(tmp_path: Path):
    """Bits of headers and payloads are other ones: the fields that we tell are those whose values tshark shows otherwise."""
    made = shell("for what in 'udp --payload hello' 'tcp --payload hello' icmp; do pkt-gen $what --seed 3 --count 40 --size 80;"
                 " done | pkt-txt2pcap").stdout  # fmt: skip
    draw, other, at = random.Random(6), bytearray(made), 24
    while at < len(made):
        for _ in range(draw.choice((1, 1, 2))):  # not where the header says what comes next, or how long it is
            place = draw.choice([*range(12), 15, 18, 19, 22, *range(24, 34), 36, 37, *range(48, 50), 51, *range(66, 80)])
            other[at + 16 + place] ^= 1 << draw.randrange(8)
        at += 16 + 80
    (tmp_path / "a.pcap").write_bytes(made)
    (tmp_path / "b.pcap").write_bytes(other)
    names = [word for name in JUDGED.values() for word in ("-e", name)]
    tables = [
        subprocess.run(
            ["tshark", "-n", "-r", tmp_path / name, "-T", "fields", *names], capture_output=True, text=True, check=True
        ).stdout
        for name in ("a.pcap", "b.pcap")
    ]
    rows = [[line.split("\t") for line in table.splitlines()] for table in tables]
    done = shell(f"cd '{tmp_path}' && pkt-diff --json a.pcap b.pcap")
    told = {row["a"]: {one["field"] for one in row["differences"]} for row in map(json.loads, done.stdout.splitlines())}
    agreed = 0
    for number, (a, b) in enumerate(zip(*rows, strict=True), 1):
        theirs = {name for name, x, y in zip(JUDGED, a, b, strict=True) if x != y}
        ours = told.get(number, set())
        if "" not in ours and None not in ours and len(a) == len(b):
            assert ours & JUDGED.keys() == theirs, number
            agreed += bool(theirs)
    assert agreed > 60
