"""Loops of programs over packets, a field of each, beside scapy and dpkt: python -m tests.benchmarks.programs"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .capture import write_capture
from .processes import ROOT, Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, beside

LEAST = 200  # packets at least
PART = 10  # scapy is slow: this part of the packets
OURS = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
print(sum(packet["IP.TTL"] for packet in pkttools.read(sys.argv[1])))
"""
CHANGE = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
def changed():
    for packet in pkttools.read(sys.argv[1]):
        packet["IP.TTL"] = 64
        yield packet
print(pkttools.write("/dev/null", changed(), format="pcap") * 64)
"""
STAGES = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
print(pkttools.pipe("change IP.TTL=64 | correct", pkttools.read(sys.argv[1])).write("/dev/null", format="pcap") * 64)
"""
DPKT = """
import sys, dpkt
with open(sys.argv[1], "rb") as file:
    print(sum(dpkt.ethernet.Ethernet(data).ip.ttl for _, data in dpkt.pcap.Reader(file)))
"""
SCAPY = """
import sys
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader
print(sum(packet[IP].ttl for packet in PcapReader(sys.argv[1])))
"""


def has(module: str) -> str:
    """A Python that has a module: ours, or that of the PATH; empty: none."""
    for python in (sys.executable, "python3"):
        if not subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
            return python
    return ""


def loop(name: str, python: str, program: str, pcap: Path, count: int, codec: str = "") -> Contestant:
    """A program over a capture. Raises Failed when it does not say the sum of all TTLs, which are 64."""
    contestant = Contestant(name, [[python, "-c", program, str(pcap)]], count, codec=codec)
    target = pcap.with_suffix(".sum")
    run(contestant.commands, None, target, codec=codec)
    if target.read_text() != f"{64 * count}\n":
        raise Failed(f"{name}: {target.read_text()[:80]!r} is not the sum of {count} TTLs of 64")
    return contestant


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed when what is said is wrong."""
    pcap, part = folder / "programs.pcap", folder / "programs-part.pcap"
    write_capture(pcap, count)
    write_capture(part, few := max(count // PART, LEAST))
    ours = loop(f"import pkttools: a field of each, {codec}", sys.executable, OURS, pcap, count, codec)
    changed = loop(f"import pkttools: a field of each set, {codec}", sys.executable, CHANGE, pcap, count, codec)
    stages = loop(f"import pkttools: a pipe of stages, {codec}", sys.executable, STAGES, pcap, count, codec)
    command = ["pkt-pipe", "change IP.TTL=64 | correct", "-F", "pcap", "--in", str(pcap)]
    pairs = [(stages, Contestant(f"pkt-pipe, the same, {codec}", [command], count, codec=codec))]
    if python := has("dpkt"):
        pairs += [(one, loop("dpkt", python, DPKT, pcap, count)) for one in (ours, changed)]
    if python := has("scapy"):
        pairs.append((ours, loop("scapy", python, SCAPY, part, few)))
    return pairs


def programs(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    rows = beside(contestants, codecs, packets, LEAST, runs, folder)
    missing = [name for name in ("dpkt", "scapy") if not has(name)]
    return rows, f"Loops over {packets:,} packets" + (f"; {' and '.join(missing)} not installed." if missing else ".")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures loops alone; gives the exit code."""
    return alone(programs, argv)


if __name__ == "__main__":
    sys.exit(main())
