"""pkt-stat beside capinfos, tracereport and tshark: python -m tests.benchmarks.counting

The reference capture. What they say of it is compared first: packets, bytes, times; packets by protocol; packets of each pair
of hosts. capinfos also computes three digests of the file unless it is told what to do: both are measured.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .capture import write_capture
from .processes import Failed, environment
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row

LEAST = 200  # packets at least
PLAIN = ("-r", "-c", "-d", "-u", "-a", "-e", "-y", "-i", "-z", "-x")  # of capinfos, without digests
TSHARK = ["tshark", "-n", "-q", "-z", "conv,ip"]
EVERYTHING = "totals,sizes,protocols,talkers"
PROTOCOLS = ("icmp", "tcp", "udp")


def said(words: Sequence[str], codec: str = "", folder: Path | None = None) -> str:
    """What a command writes. Raises Failed."""
    done = subprocess.run(words, capture_output=True, text=True, env=environment(codec), cwd=folder, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


def must(same: bool, what: str) -> None:
    """Raises Failed where figures differ."""
    if not same:
        raise Failed(f"{what}: other figures")


def found(row: dict[str, Any], *path: str) -> dict[str, Any]:
    """A header in the tree of protocols."""
    for name in path:
        row = next(inner for inner in row["inside"] if inner["name"] == name)
    return row


def check_capinfos(source: Path, ours: dict[str, Any]) -> None:
    """Packets, bytes, times."""
    words = ["capinfos", "-M", "-T", "-r", "-c", "-d", "-a", "-e", "-S", str(source)]
    _, packets, octets, first, last = said(words).split("\t")
    must((ours["packets"], ours["bytes"]) == (int(packets), int(octets)), "capinfos")
    must([ours["earliest"], ours["latest"]] == [round(float(time) * 10**6) * 1000 for time in (first, last)], "capinfos")


def check_tracereport(source: Path, ours: dict[str, Any], folder: Path) -> None:
    """Packets by protocol; bytes of its own, which counts an FCS that is not there."""
    said(["tracereport", "-P", f"pcapfile:{source}"], folder=folder)
    counts = re.findall(r"(\w+)\s+Outbound.*\n.*\n\s+Unknown\s+\d+\s+(\d+)", (folder / "protocol.rpt").read_text())
    tree = {"inside": ours["protocols"]}
    expected = {name: found(tree, "ETHERNET", "IP", name.upper())["packets"] for name in PROTOCOLS}
    must({name: int(count) for name, count in counts} == expected, "tracereport")


def check_tshark(source: Path, ours: dict[str, Any]) -> None:
    """Packets of each pair of hosts, both ways."""
    theirs = {}
    for line in said([*TSHARK, "-r", str(source)]).splitlines():
        words = line.replace("<->", "").split()
        if re.match(r"\d+\.\d+\.\d+\.\d+ +<->", line):
            numbers = [int(word) for word in words[2:] if word.isdigit()]
            theirs[frozenset(words[:2])] = numbers[-2]
    rows = ours["conversations"]["rows"]
    found = {frozenset((row["source"], row["destination"])): row["there"]["packets"] + row["back"]["packets"] for row in rows}
    must(found == theirs, "tshark")


def contestants(codec: str, count: int, folder: Path) -> list[Contestant]:
    """pkt-stat with more and more of its figures; then the others that are installed. Raises Failed where figures differ."""
    source = folder / f"counted-{count}.pcap"
    write_capture(source, count)
    stat = ["pkt-stat", "--show"]
    ours = json.loads(said([*stat, EVERYTHING, "--json", "--in", str(source)], codec))
    chosen = [
        Contestant(f"pkt-stat {what}, {codec}", [[*stat, what, "--in", str(source)]], count, source, codec=codec)
        for what in ("totals", "protocols", EVERYTHING)
    ]
    if shutil.which("capinfos"):
        check_capinfos(source, ours)
        chosen.append(Contestant("capinfos", [["capinfos", "-M", "-T", str(source)]], count, source))
        chosen.append(Contestant("capinfos, no digests", [["capinfos", "-M", "-T", *PLAIN, str(source)]], count, source))
    if shutil.which("tracereport"):
        check_tracereport(source, ours, folder)
        words = ["sh", "-c", f"cd '{folder}' && exec tracereport -P 'pcapfile:{source}'"]
        chosen.append(Contestant("tracereport", [words], count, source))
    if shutil.which("tshark"):
        words = [*stat, "conversations", "--between", "network"]
        few = folder / f"counted-{LEAST}.pcap"
        write_capture(few, LEAST)
        check_tshark(few, json.loads(said([*words, "--top", "0", "--json", "--in", str(few)], codec)))
        chosen.append(Contestant(f"pkt-stat conversations, {codec}", [[*words, "--in", str(source)]], count, source, codec=codec))
        chosen.append(Contestant("tshark", [[*TSHARK, "-r", str(source)]], count, source))
    return chosen


def counting(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed where figures differ."""
    for codec in codecs[1:]:
        contestants(codec, LEAST, folder)
    everyone = contestants(codecs[0], packets, folder)
    results = rounds(everyone, runs)
    by_name = {one.name: one for one in everyone}
    pairs = [
        (EVERYTHING, "capinfos"),
        (EVERYTHING, "capinfos, no digests"),
        ("totals", "capinfos, no digests"),
        ("protocols", "tracereport"),
        ("conversations", "tshark"),
    ]
    rows = [row(one, results) for one in everyone]
    rows += [ratio(by_name[f"pkt-stat {what}, {codecs[0]}"], by_name[other], results) for what, other in pairs if other in by_name]
    missing = [name for name in ("capinfos", "tracereport", "tshark") if name not in by_name]
    return rows, f"Counted {packets:,} packets." + "".join(f" {name} is not installed." for name in missing)


def main(argv: Sequence[str] | None = None) -> int:
    """Measures counting alone; gives the exit code."""
    return alone(counting, argv)


if __name__ == "__main__":
    sys.exit(main())
