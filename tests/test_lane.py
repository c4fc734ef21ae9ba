"""The fast lane: what goes to the next of our commands as batches is what would have gone as text, and nobody else gets any."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import ROOT, SHARED, shell
from lanes import Done, batches_of, fed, forked, handed, text_of
from samples import TEXT, frames
from samples import batch as batch_of
from test_golden import INPUTS, cases
from waits import is_full, sleeps, until

from pkttools.batch import LANE_MARK, LINKTYPE, MAX_LANE, ROW_BYTES, Batch
from pkttools.codec import text_encode
from pkttools.errors import PktError
from pkttools.formats import joined, packets
from pkttools.formats.files import Input
from pkttools.formats.lane import HEADER, UNDERSTOOD
from pkttools.formats.lending import promise, promised
from pkttools.formats.pcap import RECORD

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks on pipes are Linux's")
FRONT = HEADER.size
ALL = batch_of(list(frames())[:300])


def text_with(packets: int, size: int = 200, first: int = 0) -> bytes:
    """The text of packets that all differ."""
    found = [(1, struct.pack("!Q", first + i) * (size // 8)) for i in range(packets)]
    out, at = b"", 0
    batch = batch_of(found)
    while at < packets:
        text, at = text_encode(batch.data, batch.rows, at, at + 1, 16, False, 0)
        out += bytes(text)
    return b"LINKTYPE: 1 (Ethernet)\n" + out


# ---- the codec ----


def rows_of(*packets: tuple[int, int, int, int]) -> bytearray:
    """Rows as they are handed on: captured, original, time, bytes of notes."""
    return bytearray().join(struct.pack("=7q", 0, c, o, t, 0, 0, n) for c, o, t, n in packets)


def test_there_and_back(codec) -> None:
    room, back = bytearray(FRONT + MAX_LANE), []
    first = 0
    while first < len(ALL):
        start, size, stop = codec.lane_encode(ALL.data, bytes(ALL.rows), first, room, FRONT)
        assert start == 0
        assert stop > first
        rows = bytearray(room[FRONT : FRONT + (stop - first) * ROW_BYTES])
        link = ALL.columns()[first * 7 + 4]
        sound, lines = codec.lane_decode(room, FRONT + len(rows), size, rows, link)
        text, end = text_encode(ALL.data, ALL.rows[: stop * ROW_BYTES], first, 1, 16, False, 0)
        assert (sound, lines, end) == (stop - first, text.count(b"\n"), stop)
        got = Batch(room, rows)
        back += [got.packet(i) for i in range(len(got))]
        # Where they are, they can stay.
        assert codec.lane_encode(room, bytes(rows), 0, room, FRONT) == (0, size, stop - first)
        first = stop
    assert [(p.frame, p.original, p.time, p.linktype) for p in back] == [
        (p.frame, p.original, p.time, p.linktype) for p in map(ALL.packet, range(len(ALL)))
    ]


def test_packets_that_do_not_lie_one_behind_the_other_do_not_stay(codec) -> None:
    room = bytearray(FRONT + MAX_LANE)
    batch = batch_of([(1, bytes([i]) * 50) for i in range(4)])
    _, size, _ = codec.lane_encode(batch.data, bytes(batch.rows), 0, room, FRONT)
    rows = bytearray(room[FRONT : FRONT + 4 * ROW_BYTES])
    codec.lane_decode(room, FRONT + len(rows), size, rows, 1)
    before = bytes(room)
    assert codec.lane_encode(room, bytes(rows[:ROW_BYTES] + rows[2 * ROW_BYTES :]), 0, room, FRONT) == (0, 0, 0)
    assert bytes(room) == before
    assert codec.lane_encode(room, bytes(rows[ROW_BYTES:]), 0, room, FRONT) == (ROW_BYTES + 66, size - ROW_BYTES - 66, 3)
    rows[:8] = struct.pack("=q", 20)  # no room in front
    assert codec.lane_encode(room, bytes(rows[:ROW_BYTES]), 0, room, FRONT) == (0, 0, 0)


def test_in_front_of_each_packet_is_its_record(codec) -> None:
    """So that whoever writes a capture need not make one; where it was another, that is no matter: it says nothing."""
    batch = batch_of([(1, bytes([i]) * 50) for i in range(4)])
    room = bytearray(FRONT + MAX_LANE)
    _, size, _ = codec.lane_encode(batch.data, bytes(batch.rows), 0, room, FRONT)
    start = FRONT + 4 * ROW_BYTES
    records, _, _ = codec.pcap_encode(batch.data, bytes(batch.rows), 0, False, False)
    assert room[start:size] == records
    rows = bytearray(room[FRONT:start])
    assert codec.lane_decode(room, start, size, rows, 1)[0] == 4
    assert type(codec.pcap_encode(room, bytes(rows), 0, False, False)[0]) is memoryview
    room[start : start + RECORD] = b"\xff" * RECORD
    assert codec.pcap_encode(room, bytes(rows), 0, False, False)[0] == records
    assert codec.lane_decode(room, start, start + RECORD - 1, rows, 1) == (0, 0), "its record is cut"


NOTES = [b"NOTE: a\n", b"IFACE: eth0\nWAY: in\nLOST: 3\n", b"NOTE:\n"]
NO_NOTES = [b"NOTE: a", b"note: a\n", b"\n", b"NOTE: a\r\n", b"==\n", b"NOTE: a\n-- 2 --\n", b"A: 1\nNOTE: a\n"]
LATEST = 9_223_372_035_999_999_999
UNSAYABLE = [(9, -1, 0, b""), (9, 1 << 32, 0, b""), (9, 9, -1, b""), (9, 9, LATEST + 1, b""), *((9, 9, 0, n) for n in NO_NOTES)]
SAYABLE = [(9, 0, 0, b""), (0, (1 << 32) - 1, LATEST, b""), *((9, 9, 0, n) for n in NOTES)]


@pytest.mark.parametrize(("good", "packets"), [(True, SAYABLE), (False, UNSAYABLE)])
def test_what_text_cannot_say_is_not_handed_on_nor_read(codec, good: bool, packets: list[tuple[int, int, int, bytes]]) -> None:
    for captured, original, time, notes in packets:
        data, room = bytes(captured) + notes, bytearray(FRONT + MAX_LANE)
        row = struct.pack("=7q", 0, captured, original, time, 1, captured, len(notes))
        assert codec.lane_encode(data, row * 2, 0, room, FRONT)[2] == 2 * good, (original, time, notes)
        told = rows_of((captured, original, time, len(notes)))
        lines = 4 + (captured > 0) + notes.count(b"\n")
        assert codec.lane_decode(bytearray(RECORD) + data, 0, RECORD + len(data), told, 1) == ((1, lines) if good else (0, 0)), (
            original,
            time,
            notes,
        )


def test_sizes_are_not_to_be_trusted(codec) -> None:
    most = (1 << 63) - 1
    for captured, notes in ((-1, 0), (0, -1), (10, 1), (11, 0), (most, most), (most, 1), (-most, most), (262145, 0), (8, most)):
        data = bytearray((300_000 if captured == 262145 else 10) + 2 * RECORD)
        rows = rows_of((2, 2, 0, 0), (captured, 9, 0, notes))
        assert codec.lane_decode(data, 0, len(data), rows, 1)[0] == 1, (captured, notes)
    with pytest.raises(ValueError, match="whole packets"):
        codec.lane_decode(bytearray(9), 0, 9, bytearray(57), 1)
    with pytest.raises(ValueError, match="outside of the buffer"):
        codec.lane_decode(bytearray(9), 0, 10, bytearray(56), 1)
    with pytest.raises(ValueError, match="out of range"):
        codec.lane_encode(bytes(9), b"", 0, bytearray(MAX_LANE), 1)


def test_both_codecs_read_any_rows_alike() -> None:
    from conftest import load

    dice, both = random.Random(3), [load("c"), load("python")]
    values = [0, 1, 7, 60, 9000, -1, 1 << 40, (1 << 63) - 1, -(1 << 63)]
    for _ in range(2000):
        packets = [(dice.choice(values[:5]), 60, 7, 0) for _ in range(dice.randrange(6))]
        rows = rows_of(*packets)
        if rows:
            struct.pack_into("=q", rows, dice.randrange(len(rows) // 8) * 8, dice.choice(values))
        data = bytearray(dice.choice(NOTES + NO_NOTES) * 30)
        start = dice.randrange(len(data))
        got = []
        for codec in both:
            mine = bytearray(rows)
            got.append(
                (
                    codec.lane_decode(data, start, len(data), mine, 113),
                    mine[: codec.lane_decode(data, start, len(data), bytearray(rows), 1)[0] * 56],
                )
            )
        assert got[0] == got[1]


# ---- streams: the same results as with text ----


def by_lane(command: str, stream: bytes) -> list[Done]:
    """What each command of a pipe does, one after the other, where all hand batches on that can."""
    done: list[Done] = []
    for words in map(shlex.split, command.split(" | ")):
        done.append(forked(words, stream, reads=True))
        stream = done[-1].out
    return done


def both(command: str, text: bytes) -> None:
    """Runs a pipe of commands in both lanes, one after the other, and compares what comes out and is said."""
    for words, other in zip(map(shlex.split, command.split(" | ")), by_lane(command, batches_of(text) or text), strict=True):
        one = forked(words, text, reads=False)
        assert (other.code, shown(other.out), other.said) == one, f"{command}: {words}"
        text = one.out


def shown(out: bytes) -> bytes:
    """What a command wrote, as text where it was batches."""
    return text_of(out) if LANE_MARK in out else out


@pytest.mark.skipif(not INPUTS, reason=f"{SHARED.name}/golden is not there")
@pytest.mark.parametrize("infile", INPUTS)
def test_every_case_of_1_16(infile: str) -> None:
    """What 1.16 wrote, or else what comes by text."""
    text = (SHARED / "golden" / "in" / infile).read_bytes()
    stream = batches_of(text) or text
    for _, command, expected in cases(infile):
        if shown(by_lane(command, stream)[-1].out) != expected.read_bytes():
            both(command, text)


README = [
    "pkt-filter ICMP.TYPE==8 | pkt-change --swap --icmp-type 0 | pkt-correct",
    "pkt-txt2txt -a | pkt-correct | pkt-txt2txt -a",
    "pkt-change -u 'IP.SRC_ADDR[2]=192.0.2.99' | pkt-check -cs | pkt-analyze -lv 2",
    "pkt-fragment -fm 60 -fc | pkt-defragment | pkt-change UDP.DST_PORT=5353 | pkt-correct | pkt-fragment -fm 60 -fc",
    "pkt-txt2pcapng | pkt-pcapng2txt | pkt-txt2pcap -l 1",
    "pkt-pipe 'change IP.TTL=9|correct' | pkt-filter IP.TTL==9 -s 3 -l 5 | pkt-txt2bin",
    "pkt-send --dry-run -f",
    "pkt-gen raw --seed 7",
    "pkt-txt2txt -do | pkt-txt2txt -n 9 | pkt-pingrep",
    "pkt-change -lt 101 | pkt-txt2txt -lt 1 --utc",
]
SAMPLES = b"".join(
    b"LINKTYPE: %d\n%s" % (link, text_encode(ALL.data, ALL.rows[56 * i : 56 * i + 56], 0, i, 16, False, 0)[0])
    for i, link in enumerate(ALL.column(LINKTYPE))
)
TEXTS = {
    "samples": SAMPLES,
    "everything": TEXT,
    "empty": b"",
    "none": b"LINKTYPE: 101 (Raw IP)\n",
    "notes": b"LINKTYPE: 1 (Ethernet)\nTRAILER: 4 (FCS)\n-- 1 --\nTIME: 1.000000001 x\nSIZE: 70/90\nIFACE: eth0\nNOTE: \xc3\xa4\n"
    + b"00 " * 70
    + b"\n==\n-- 2 --\nSIZE: 0/0\nWAY: in\n==\n",
    "error": text_with(5) + b"-- 6 --\nNOTE: 1\nzz\n00 0g\n==\n",
    "open": text_with(3) + b"-- 4 --\n00\n",
}


@pytest.mark.parametrize("command", README)
def test_pipes_of_the_readme(command: str) -> None:
    for text in TEXTS.values():
        both(command, text)


@pytest.mark.parametrize("backend_of", ["c", "python"])
def test_real_pipes(backend_of: str, tmp_path: Path) -> None:
    """Long enough that every command finds a reader; in both lanes, and both codecs."""
    (tmp_path / "in").write_bytes(text_with(12_000 if backend_of == "c" else 6000, 400))
    words = [f"pkt-txt2txt -v --in {tmp_path}/in", "pkt-filter -v 'not IP'", "pkt-correct -v", "pkt-txt2pcap -v"]
    outs, said = [], []
    for lane in ("text", ""):
        done = shell(
            " | ".join(f"{part} 2> {tmp_path}/{i}" for i, part in enumerate(words)), backend=backend_of, PKTTOOLS_LANE=lane
        )
        assert done.returncode == 0
        outs.append(done.stdout)
        said.append([(tmp_path / str(i)).read_text().splitlines() for i in range(len(words))])
    assert outs[0] == outs[1]
    assert [[line for line in lines if "as batches" not in line] for lines in said[1]] == said[0]
    for ways, lines in zip((["went"], ["came", "went"], ["came", "went"], ["came"]), said[1], strict=True):
        assert re.findall(r"packets (\w+) as batches", "\n".join(lines)) == ways


@pytest.mark.parametrize(
    "between",
    [
        "cat",
        "tee /dev/null",
        "pkt-txt2txt -n 8",
        "pkt-txt2txt -a",
        "pkt-txt2txt -do",
        "grep -v nothing",
        "PKTTOOLS_LANE=text pkt-txt2txt",
        "pkt-txt2txt | cat",
    ],
)
def test_others_get_text(between: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(text := text_with(3000, 400))
    done = shell(f"cat {tmp_path}/in | pkt-txt2txt -v | {between} > {tmp_path}/out; exit ${{PIPESTATUS[1]}}")
    assert done.returncode == 0
    if between.startswith(("cat", "tee", "grep", "PKTTOOLS", "pkt-txt2txt | cat")):
        assert (tmp_path / "out").read_bytes() == text
    if not between.startswith("pkt"):
        assert b"batches" not in done.stderr
    written = shell(f"pkt-txt2txt -v {between.removeprefix('pkt-txt2txt ')} --in {tmp_path}/in | pkt-txt2txt -v > /dev/null")
    if between.startswith("pkt-txt2txt -"):
        assert b"batches" not in written.stderr
        assert written.returncode == 0


def test_what_the_environment_says(backend: str) -> None:
    done = shell("cat | pkt-txt2txt | cat", text_with(1), backend=backend, PKTTOOLS_LANE="fast")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-txt2txt: PKTTOOLS_LANE is 'fast': it is text, or not set")


def test_what_is_kept_to_be_read_again(tmp_path: Path) -> None:
    """As pkt-send --loop does it with what comes from a pipe."""
    os.mkfifo(tmp_path / "pipe")
    writing = os.open(tmp_path / "pipe", os.O_RDWR)
    stream = batches_of(text_with(5))
    assert os.write(writing, stream) == len(stream)
    file = Input([str(tmp_path / "pipe")], lane=True)
    os.close(writing)
    file.keep()
    for _ in range(2):
        assert [len(batch) for batch in joined(file, packets)] == [5]
        file.rewind()
    file.close()


def test_whoever_pretends_reads_no_more_than_text() -> None:
    """Bytes of packets that were not passed on, or behind the end of one, are nowhere in what is written."""
    secret, shown = b"do not tell", b"what is told"
    packets = [(1, (secret if i % 3 else shown) * 20) for i in range(200)]
    batch = batch_of(packets)
    text = b"LINKTYPE: 1 (Ethernet)\n" + bytes(text_encode(batch.data, batch.rows, 0, 1, 16, False, 0)[0])
    keep = "ETHERNET.DST_ADDR==" + ":".join(f"{c:02x}" for c in shown[:6])
    for source in (text, batches_of(text)):
        for words in (["pkt-filter", keep], ["pkt-filter", "-l", "60", keep], ["pkt-txt2txt", "-l", "1"]):
            done = forked(words, source, reads=True)
            assert done.out.count(LANE_MARK) >= 1
            assert secret not in done.out or "txt2txt" in words[0]
            plain = forked(words, text, reads=False).out
            assert text_of(done.out) == plain
            rows = done.out[done.out.index(LANE_MARK) + FRONT :]
            packets_in = plain.count(b"\n==\n")
            for i in range(packets_in):
                offset, _, _, _, linktype, notes, _ = struct.unpack_from("=7q", rows, 56 * i)
                assert (offset, linktype, notes) == (0, 0, 0)


def capture(sizes: list[int], order: str = "<", magic: int = 0xA1B2C3D4, extra: int = 0) -> bytes:
    """A pcap file of packets that all differ."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)]
    for i, size in enumerate(sizes):
        out.append(struct.pack(order + "IIII", i, 7, size, size + 1) + bytes(extra) + struct.pack("<I", i)[:size] + bytes(size)[4:])
    return b"".join(out)


SIZES = {"none": [0] * 60_000, "small": [40] * 30_000, "usual": [60, 1500, 283] * 3000, "large": [262_144, 9, 262_143, 262_144] * 6,
         "small, then large": [0] * 40_000 + [200_000] * 15, "large, then small": [200_000] * 15 + [50] * 40_000}  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES)
def test_records_that_are_handed_on_as_they_lie(tmp_path: Path, sizes: str) -> None:
    """Of a pcap file they go into the memory that is lent, with room for rows in front as the batch before had it."""
    (tmp_path / "in").write_bytes(whole := capture(SIZES[sizes]))
    done = shell(f"pkt-pcap2txt -v --in {tmp_path}/in | (sleep 0.3; pkt-txt2txt) | pkt-txt2pcap -v")
    assert done.returncode == 0 and b"went as batches" in done.stderr and b"came as batches" in done.stderr
    assert done.stdout == whole, "the same file"


@pytest.mark.parametrize(("order", "magic", "extra"), [("<", 0xA1B23C4D, 0), (">", 0xA1B2C3D4, 0), ("<", 0xA1B2CD34, 8)])
def test_records_of_other_captures(tmp_path: Path, order: str, magic: int, extra: int, backend: str) -> None:
    """Nanoseconds, the other byte order, longer records; behind them another capture, or a cut one."""
    sizes = [60, 1500, 283] * 800
    for behind in (b"", capture([99] * 9000), capture([99] * 9000)[:-1]):
        (tmp_path / "in").write_bytes(capture(sizes, order, magic, extra) + behind)
        lines = (f"pkt-pcap2txt --in {tmp_path}/in | {middle} pkt-txt2pcap -be" for middle in ("pkt-txt2txt |", "cat |"))
        fast, plain = (shell(line, backend=backend) for line in lines)
        assert (fast.returncode, fast.stdout, fast.stderr) == (plain.returncode, plain.stdout, plain.stderr)


# ---- what is wrong, and where streams meet ----


def read(stream: bytes) -> Done:
    return forked(["pkt-txt2txt"], stream, reads=False)


GOOD = rows_of((10, 10, 1000, 0), (20, 25, 2000, 8)), bytes(RECORD + 10 + RECORD + 20) + b"NOTE: x\n"
BAD = {
    "version": handed(*GOOD, version=1),
    "no packets": handed(b"", b""),
    "too many": handed(*GOOD, count=1 << 30),
    "negative": handed(*GOOD, count=-1),
    "size": handed(*GOOD, size=-1),
    "large": handed(*GOOD, size=MAX_LANE),
    "huge": handed(*GOOD, size=1 << 62),
}
UNSOUND = {
    "captured": rows_of((10, 10, 0, 0), (-1, 25, 0, 8)),
    "beyond": rows_of((10, 10, 0, 0), (29, 25, 0, 0)),
    "long": rows_of((10, 10, 0, 0), (262145, 1, 0, 0)),
    "original": rows_of((10, 10, 0, 0), (20, 1 << 32, 0, 8)),
    "time": rows_of((10, 10, 0, 0), (20, 20, -5, 8)),
    "notes": rows_of((10, 10, 0, 0), (21, 25, 0, 7)),
}
SAID = "pkt-txt2txt: <stdin>:{}: a batch of packets that is not sound: PKTTOOLS_LANE=text lets text be written instead\n"


@pytest.mark.parametrize("name", [*BAD, *UNSOUND])
def test_what_is_not_sound_is_an_error(name: str) -> None:
    stream = text_with(2) + (BAD[name] if name in BAD else handed(UNSOUND[name], GOOD[1]))
    lines = text_with(2).count(b"\n")
    done = read(stream + handed(*GOOD))
    packets = 2 + (name in UNSOUND)  # what stands before the bad place
    assert (done.code, done.out.count(b"\n==\n")) == (1, packets)
    assert done.said == SAID.format(lines + 1 + (5 if name in UNSOUND else 0))


@pytest.mark.parametrize(
    "cut", [1, 10, FRONT - 1, FRONT, FRONT + 55, FRONT + 112, FRONT + 137, FRONT + 138, FRONT + 160, FRONT + 181]
)
def test_a_batch_that_is_cut(cut: int) -> None:
    """Whole packets count, and the line is that of the packet that is not there, as if all were text."""
    done = read(text_with(2) + handed(*GOOD)[:cut])
    whole = cut >= FRONT + 138
    assert (done.code, done.out.count(b"\n==\n")) == (1, 2 + whole)
    line = text_with(2).count(b"\n") + 1 + 5 * whole
    assert done.said == f"pkt-txt2txt: <stdin>:{line}: the packet that begins here never ends: '==' is missing\n"


@pytest.mark.parametrize("most", [1, 3, 31, 57, 4129])
def test_however_little_comes_at_once(most: int) -> None:
    notes = text_of(batches_of(TEXTS["notes"]))
    text = text_with(30, 400) + text_with(2) + notes
    stream = batches_of(text_with(30, 400), 7) + text_with(2) + batches_of(notes)
    assert text_of(stream, most) == text_of(text) == text_of(stream)


def test_lines_are_counted_as_if_all_were_text() -> None:
    """Errors behind batches, before them, and where they come into an open packet."""
    text, many = text_with(40), text_with(40) + text_with(7, first=40)
    for wrong in (b"-- 9 --\nSIZE: x\n==\n", b"-- 9 --\n00\n", b"LINKTYPE: ?\n", b"-- 9 --\n  00 11 22\n==\n", b"a\0b\n"):
        for parts in ((text, text, wrong), (text, wrong, text), (wrong, text), (text, b"a comment", text, wrong)):
            fast = b"".join(batches_of(part, 11) if part is text else part for part in parts)
            one, other = read(b"".join(parts)), read(fast)
            assert one == other, parts
    assert read(batches_of(many, 3)) == read(many)


def test_a_pipe_says_nothing_of_what_a_file_would_be(tmp_path: Path) -> None:
    """Batches are for pipes: nobody writes them into a file, and there they are no text."""
    (tmp_path / "x").write_bytes(batches_of(text_with(3)))
    done = shell(f"pkt-txt2txt --in {tmp_path}/x")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"<stdin>" not in done.stderr
    assert b"neither packet text nor a capture file" in done.stderr


@pytest.mark.parametrize("where", [0, 1, 40, 700, 2000])
def test_who_comes_in_the_middle_is_told(where: int) -> None:
    """A second reader finds the rest of what the first one had begun to read: that is no text, and it does not wait for ever."""
    stream = batches_of(text_with(50), 10)[23:]  # from where a batch begins
    done = read(stream[where:])
    if where == 0:
        assert (done.code, done.out.count(b"\n==\n")) == (0, 50)
    else:
        assert (done.code, done.out) == (1, b"")


def test_back_to_text_when_the_reader_is_gone(tmp_path: Path) -> None:
    """The reader that ends early, and cat behind it on the same pipe."""
    (tmp_path / "in").write_bytes(text := text_with(20_000, 400))
    done = shell(f"pkt-txt2txt --in {tmp_path}/in | (pkt-txt2txt -l 1 > {tmp_path}/first; cat > {tmp_path}/rest)")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "first").read_bytes() == text[: text.index(b"-- 2 --")]
    rest = (tmp_path / "rest").read_bytes()
    end = rest[rest.rindex(b"\0") :] if b"\0" in rest else rest
    assert len(end) > len(text) // 2
    assert text.endswith(end[end.index(b"\n==\n") :])
    done = shell(
        f"pkt-txt2txt --in {tmp_path}/in | (pkt-txt2txt -l 1 > {tmp_path}/first; pkt-txt2txt > {tmp_path}/rest)", timeout=20
    )
    assert done.returncode in (0, 1, 128 + signal.SIGPIPE)
    known = set(re.findall(rb"^TIME.*\n(?:[^=].*\n)*==$", text, re.MULTILINE))
    got = re.findall(rb"^TIME.*\n(?:[^=].*\n)*==$", (tmp_path / "rest").read_bytes(), re.MULTILINE)
    assert not set(got) - known, "a packet that nobody sent"


def test_a_reader_that_ends_early_ends_the_writer(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(text_with(20_000, 400))
    done = shell(f"pkt-txt2txt --in {tmp_path}/in | pkt-correct | pkt-txt2txt -l 1 | cat; echo ${{PIPESTATUS[@]}}")
    assert done.stdout.splitlines()[-1] == b"141 141 0 0"


def test_writers_do_not_mix() -> None:
    """Several write into one pipe at the same time, more than it holds, and wait for each other: whole batches come."""
    reading, writing = os.pipe()
    writers = [subprocess.Popen([ROOT / "bin" / "pkt-txt2txt"], stdin=subprocess.PIPE, stdout=writing) for _ in range(3)]
    os.close(writing)
    promise(reading, UNDERSTOOD)
    count = 3000
    streams = [batches_of(text_with(count, first=i * count), 700) for i in range(len(writers))]
    for writer, stream in zip(writers, streams, strict=True):
        threading.Thread(target=fed, args=(os.dup(writer.stdin.fileno()), stream)).start()
        writer.stdin.close()
    with os.fdopen(reading, "rb") as end:
        stream = end.read()
    assert [writer.wait(20) for writer in writers] == [0, 0, 0]
    assert stream.count(LANE_MARK) >= 3 * count // 700
    text = text_of(stream)
    numbers = [int(row.replace(b" ", b""), 16) for row in re.findall(rb"^000000: ((?:[0-9A-F]{2} +){8})", text, re.MULTILINE)]
    assert sorted(numbers) == list(range(3 * count))


@pytest.mark.parametrize("repeat", range(3))
def test_a_signal_while_the_reader_does_not_read(repeat: int, tmp_path: Path) -> None:
    """It ends within a moment, and says so where a batch is there in part."""
    (tmp_path / "in").write_bytes(text_with(20_000, 300 + 80 * repeat))
    reading, writing = os.pipe()
    environment = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    stopped = subprocess.Popen(["bash", "-c", "exec pkt-txt2txt > /dev/null"], stdin=reading, env=environment)
    until(lambda: promised(reading, UNDERSTOOD), "promise")
    stopped.send_signal(signal.SIGSTOP)
    try:
        process = subprocess.Popen(
            ["bash", "-c", f"exec pkt-correct --in {tmp_path}/in"], stdout=writing, stderr=subprocess.PIPE, env=environment
        )
        os.close(writing)
        until(lambda: is_full(reading) and sleeps(process), "wait for room")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGTERM
    finally:
        stopped.kill()
        stopped.wait()
    with os.fdopen(reading, "rb") as rest:
        stream = rest.read()
    assert LANE_MARK in stream
    try:
        text_of(stream)
        cut = False
    except PktError as error:
        assert "never ends" in str(error)
        cut = True
    assert said == (b"pkt-correct: <stdout>: truncated: its reader does not read\n" if cut else b"")
