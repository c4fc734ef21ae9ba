"""The number that views show of a packet is the one by which NUMBER== finds it, whatever stands in front of it."""

from __future__ import annotations

import copy
import json
import re
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import shell
from samples import batch, ethernet, icmp, ipv4, udp

from pkttools import Packet, filter, read
from pkttools.batch import ROW_BYTES, marked
from pkttools.views import line
from pkttools.views.fields import PLAIN, Column

FRAMES = [ethernet(0x0800, ipv4(17, udp(bytes(i))) if i % 3 else ipv4(1, icmp(8, bytes(4)))) for i in range(12)]
TEXT = "".join(f"-- {i} --\nTIME: {i}.5\n{frame.hex()}\n==\n" for i, frame in enumerate(FRAMES)).encode()
ICMP = [1, 4, 7, 10]  # of these


def numbers_of(view: str, written: str) -> list[int]:
    """Those that a view shows."""
    if view == "--json":
        return [json.loads(text)["number"] for text in written.splitlines()]
    of_page = r'<details class="packet"><summary>.*?<span class="number">(\d+)'
    return [int(number) for number in re.findall(of_page if view == "--html -" else r"(?m)^ *(\d+)(?=[\s,]|$)", written)]


@pytest.mark.parametrize("view", ["--line", "--json", "--fields NUMBER", "--fields NUMBER,TIME -F csv", "--ladder", "--html -"])
def test_they_are_those_of_what_is_read(view: str) -> None:
    """Behind a filter, -s and --and; another command of a pipe has read what it gets."""
    for words, expected in (
        ("ICMP", ICMP), ("-r ICMP -l 3", [2, 3, 5]), ("-s 9", [10, 11, 12]), ("-s 1 ICMP -l 2", [4, 7]), ("NUMBER==11", [11]),
        ("UDP.SIZE==99", []), ("", list(range(1, 13))),
    ):  # fmt: skip
        done = shell(f"pkt-analyze {view} {words}", TEXT)
        assert (numbers_of(view.split(" -F")[0], done.stdout.decode()), done.returncode) == (expected, 0), (words, done.stderr)
    assert numbers_of(view, shell(f"pkt-pipe 'filter ICMP | analyze {view} -s 1'", TEXT).stdout.decode()) == [2, 3, 4]


def test_they_go_on_from_file_to_file_and_a_listing_counts_itself(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(TEXT)
    assert shell(f"cd {tmp_path} && pkt-analyze --fields NUMBER ICMP a b").stdout.split()[1:] == [
        b"%d" % n for n in (*ICMP, 13, 16, 19, 22)
    ]
    for view in ("-lv 1", "--tree"):  # `-- n --` is the text format's: writers count from 1
        assert re.findall(rb"^-- (\d+) --", shell(f"pkt-analyze {view} ICMP", TEXT).stdout, re.MULTILINE) == [
            b"1",
            b"2",
            b"3",
            b"4",
        ]


def test_several_processes_show_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(TEXT * 4000)
    for view in ("--json", "--line", "--fields NUMBER"):
        commands = [f"pkt-pipe {jobs} -v --in {tmp_path}/a --out - 'analyze {view} ICMP' | tail -n 2" for jobs in ("", "--jobs 2")]
        one, two = (shell(command) for command in commands)
        assert one.stdout == two.stdout and b"47998" in one.stdout and b"works in one process: NUMBER counts packets" in two.stderr


def test_the_codec_takes_them(codec: ModuleType) -> None:
    made = batch([(1, frame) for frame in FRAMES[:3]])
    data, rows, given = made.data, bytes(made.rows), array("q", [7, 1 << 40, 9])
    for first in (0, 1):
        state = bytearray(line.STATE_SIZE)
        shown = [
            codec.json_encode(data, rows, first, given)[0].replace(b'{"number":', b""),
            codec.columns_encode(data, rows, first, given, Column("NUMBER").code(), b"\0\n\0", PLAIN)[0],
            codec.line_encode(data, rows, first, state, 0, (), None, None, given)[0],
        ]
        for text in shown:
            assert [int(re.split(rb"\D", part)[0]) for part in text.splitlines()] == [7, 1 << 40, 9][first:]
    for wrong in (array("q", [1, 2]), b"", b"1234567"):
        with pytest.raises(ValueError, match="not a number a packet"):
            codec.json_encode(data, rows, 0, wrong)
        with pytest.raises(ValueError, match="not a number a packet"):
            codec.columns_encode(data, rows, 0, wrong, Column("NUMBER").code(), b"\0\n\0", PLAIN)
        with pytest.raises(ValueError, match="not a number a packet"):
            codec.line_encode(data, rows, 0, bytearray(line.STATE_SIZE), 0, (), None, None, wrong)


def test_which_were_kept() -> None:
    """Also where packets without octets lie at the same place."""
    rows = bytes(batch([(1, frame) for frame in (b"a", b"", b"", b"b")]).rows)
    each = [rows[i : i + ROW_BYTES] for i in range(0, len(rows), ROW_BYTES)]
    for wanted in ([1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]):
        for some in (each, each[:2]):
            asked = wanted[: len(some)]
            assert list(marked(b"".join(some), b"".join(row for row, one in zip(some, asked, strict=True) if one))) == asked


@pytest.mark.filterwarnings("ignore::pkttools.PktWarning")
def test_programs_are_told_them(tmp_path: Path) -> None:
    """Where it was read, as far as that is known: what a program makes is the first of its kind."""
    (tmp_path / "a").write_bytes(TEXT)

    def both(packets: Iterable[Packet]) -> list[int]:
        found = [packet.to_dict()["number"] for packet in packets]
        assert [int(packet.line().split()[0]) for packet in packets] == found
        return found

    stream = read(tmp_path / "a")
    held = [*stream]
    assert both(stream) == both(held) == [*range(1, 13)]
    assert both([held[6].copy(), copy.copy(held[7]), Packet(FRAMES[0])]) == [7, 8, 1]
    assert (
        both(stream.filter("ICMP"))
        == both(stream.filter("ICMP").correct().change("IP.TTL=9"))
        == both(filter(held, "ICMP"))
        == ICMP
    )
    assert both(stream.filter("ICMP", skip=1).pipe("dedupe | txt2txt -l 1")) == [4]
    assert both(filter(stream.filter("ICMP"), "NUMBER==2")) == [4]
    assert both(stream.pipe("fragment -fm 28 -l 2")) == [1, 1]
