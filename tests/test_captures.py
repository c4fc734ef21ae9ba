"""Real and malformed files through every command, on both codecs: no traceback, no hang, nothing lost."""

from __future__ import annotations

import ast
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import sections
from conftest import ROOT, SHARED

from pkttools.formats.pcap import KUZNETZOV, MAGICS, NANO

CAPTURES = SHARED / "captures"
FOLDERS = ["handmade/pcap", "handmade/pcapng", "handmade/txt", "tcpdump"]
COMMANDS = [
    "pkt-pcap2txt", "pkt-txt2txt -a", "pkt-txt2txt -aa -n 7", "pkt-txt2pcap", "pkt-change --ip-ttl 9 --swap --if IP",
    "pkt-correct", "pkt-correct -L -F pcap", "pkt-filter 'not IP.TTL==1'", "pkt-send --dry-run",
    "pkt-pcapng2txt", "pkt-txt2pcapng -be --nano",
    "pkt-analyze -lv 5", "pkt-analyze -lv 2 -ll 3", "pkt-check -cs", "pkt-fragment -fm 200 -fc", "pkt-defragment", "pkt-pingrep",
    "pkt-change -u --to-ethernet IP.TTL-=1 IPV6.HOP_LIMIT-=1 UDP.DST_PORT[-1]+=1", "pkt-txt2bin", "pkt-bin2txt",
]  # fmt: skip

Record = tuple[int, int, bytes]  # time in nanoseconds, original size, bytes


def files(folder: str) -> list[str]:
    if not CAPTURES.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    return sorted(str(path) for path in (CAPTURES / folder).iterdir() if path.is_file())


def many(backend: str, words: list[str], paths: list[str]) -> list[str]:
    """What many.py prints, of two that share the files."""
    env = {**os.environ, "PKTTOOLS_CODEC": backend}
    halves = [[sys.executable, str(ROOT / "tests" / "support" / "many.py"), *words, *paths[half::2]] for half in (0, 1)]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) for words in halves]
    said = [process.communicate(timeout=600)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return said


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_file(command: str, folder: str, backend: str) -> None:
    assert not "".join(many(backend, [command], files(folder)))


def records(raw: bytes) -> list[Record]:
    """The records of a pcap file, read here once more and by other means than the codec's, as far as they go."""
    if raw[:4] not in MAGICS or len(raw) < 24 or raw[4:6] not in (b"\2\0", b"\0\2"):
        return []
    big_endian, magic = MAGICS[raw[:4]]
    order, unit, header = (">" if big_endian else "<"), 1 if magic == NANO else 1000, 24 if magic == KUZNETZOV else 16
    found, at = [], 24
    while len(raw) - at >= header:
        seconds, fraction, captured, original = struct.unpack_from(order + "IIII", raw, at)
        if captured > 262144 or len(raw) - at - header < captured:
            break
        found.append((seconds * 10**9 + fraction * unit, original, raw[at + header : at + header + captured]))
        at += header + captured
    return found


@pytest.mark.parametrize("folder", ["handmade/pcap", "tcpdump"])
def test_round_trip(folder: str, backend: str) -> None:
    """Every record comes through pcap, text, pcap with bytes, time and sizes as they were."""
    paths = [path for path in files(folder) if not path.endswith(".pcapng")]
    wrong = [
        path
        for said in many(backend, ["--pipe", "pkt-pcap2txt | pkt-txt2pcap --nano"], paths)
        for path, _, raw, _ in ast.literal_eval(said)
        if records(raw) != records(Path(path).read_bytes()) or not raw
    ]
    assert not wrong


def read(raw: bytes) -> list[sections.Record]:
    """The packets of a capture, pcap or pcapng, read by other means than the codec's."""
    if raw.startswith(b"\n\r\r\n"):
        return sections.records(raw)
    found = records(raw)
    linktype = int.from_bytes(raw[20:24], "big" if found and MAGICS[raw[:4]][0] else "little") & 0x03FFFFFF
    return [sections.Record(data, original, time, linktype) for time, original, data in found]


@pytest.mark.parametrize("folder", ["handmade/pcap", "handmade/pcapng", "tcpdump"])
def test_round_trip_through_pcapng(folder: str, backend: str) -> None:
    """Every packet comes through text and pcapng with all that there was: also its interface, its way and its comments."""
    trips = many(backend, ["--pipe", "pkt-pcap2txt | pkt-txt2pcapng"], files(folder))
    wrong = [
        path
        for said in trips
        for path, _, raw, _ in ast.literal_eval(said)
        if read(raw) != read(Path(path).read_bytes()) or not raw
    ]
    assert not wrong


def test_counts_of_capinfos() -> None:
    """Our own reading of records, to which the round trip compares, finds what Wireshark's capinfos counts."""
    if not CAPTURES.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    rows = [line.split("\t") for line in (CAPTURES / "MANIFEST.tsv").read_text().splitlines()[1:]]
    counts = {CAPTURES / row[0]: int(row[4]) for row in rows if row[2].startswith(("pcap-", "pcapng-")) and row[4]}
    assert len(counts) > 740
    assert not [path.name for path, count in counts.items() if len(read(path.read_bytes())) != count]
