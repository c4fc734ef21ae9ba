"""A trickle: a packet a millisecond through a pipe of ours, beside cat: python -m tests.benchmarks.trickling

What a packet costs each process of the pipe, without what it costs to start: the CPU of a run is taken less that of one with the
first packet alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .capture import write_capture
from .processes import Commands, Failed, run
from .report import Row, spread
from .sending import alone

PART = 200  # packets take their time: this part of them
LEAST = 40  # packets at least
STAGES = 3
PIPES = {
    "cat": ["cat"],
    "pkt-txt2txt": ["pkt-txt2txt"],
    "pkt-change --icmp-type 8": ["pkt-change", "--icmp-type", "8"],
    "pkt-correct": ["pkt-correct"],
}
# The first packet; half a second later, when all have started, the others, each a millisecond after the one before.
FEEDER = """
import os, sys, time
packets = [packet + b"==\\n" for packet in open(sys.argv[1], "rb").read().split(b"==\\n")[:-1]]
os.write(1, packets[0])
due = time.monotonic() + 0.5
for packet in packets[1 : int(sys.argv[2])]:
    due += 0.001
    time.sleep(max(0, due - time.monotonic()))
    os.write(1, packet)
"""


def used(command: list[str], text: Path, count: int, codec: str, target: Path | None = None, **more: str) -> float:
    """CPU seconds of the pipe's processes, with so many packets."""
    feeder = [sys.executable, "-c", FEEDER, str(text), str(count)]
    pipe: Commands = [feeder, *[command] * STAGES]
    return sum(run(pipe, target=target, codec=codec, more=more).cpus[1:])


def trickling(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    count, codec = max(packets // PART, LEAST), codecs[0]
    pcap, text, out = folder / "trickle.pcap", folder / "trickle.txt", folder / "trickle.out"
    write_capture(pcap, count)
    run([["pkt-pcap2txt"]], pcap, text, codec=codec)
    contestants = [(name, command, {}) for name, command in PIPES.items()]
    contestants.append(("pkt-txt2txt, as text", ["pkt-txt2txt"], {"PKTTOOLS_LANE": "text"}))
    for name, command, more in contestants:
        used(command, text, count, codec, out, **more)
        if out.read_bytes().count(b"\n==\n") != count:
            raise Failed(f"a trickle through {name}: packets are missing")
    costs: dict[str, list[float]] = {name: [] for name, *_ in contestants}
    for _ in range(runs):
        for name, command, more in contestants:
            more_of = used(command, text, count, codec, **more) - used(command, text, 1, codec, **more)
            costs[name].append(more_of / (count - 1) / STAGES)
    rows = []
    for name, found in costs.items():
        rows.append(Row(f"a trickle, {name}", f"{count:,}", remark=f"{1e6 * median(found):.1f} us of CPU a packet and process"))
    for name in [*costs][1:]:
        pairs = zip(costs[name], costs["cat"], strict=True)
        rows.append(Row(f"a trickle, {name} ÷ cat", cpu=spread([one / max(other, 1e-7) for one, other in pairs])))
    return rows, f"A trickle of {count:,} packets, one a millisecond, through {STAGES} processes."


def main(argv: Sequence[str] | None = None) -> int:
    """Measures a trickle alone; gives the exit code."""
    return alone(trickling, argv)


if __name__ == "__main__":
    sys.exit(main())
