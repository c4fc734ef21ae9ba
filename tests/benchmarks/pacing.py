"""pkt-send --pps beside tcpreplay --pps, over a wire of our own: python -m tests.benchmarks.pacing

How long a rate beyond reach takes, and how far gaps between frames are from what a rate asks for, by the times at which the
kernel met them at the other end. Those are read when all is sent, so that it takes no part of it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from .processes import Failed, environment
from .report import Row, spread
from .sending import FRAMES, Missing, Sending, Wire, alone, check, frames, wire, write
from .timing import ratio, rounds

BEYOND = 100_000_000  # packets a second: more than any of them sends
RATES = {1_000: 1_000, 50_000: 20_000, 200_000: 40_000}  # packets a second, and how many are sent
PAIR = 10_000  # packets a second, by two interfaces and by one
SIZE = 64  # bytes of a frame
PARTS = {"median": 0.5, "99 %": 0.99}
TIMES = """
import socket, struct, sys
wires = []
for name in ("far", "far2"):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        wire.setsockopt(socket.SOL_SOCKET, 33, 1 << 28)  # SO_RCVBUFFORCE
    except PermissionError:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 28)
    wire.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    wire.bind((name, 3))
    wire.setblocking(False)
    wires.append(wire)
print("ready", flush=True)
sys.stdin.readline()
for wire in wires:
    try:
        while True:
            data, said, _, _ = wire.recvmsg(64, 64)
            if data[12:14] == b"\\x88\\xb5":
                print("%d.%09d" % struct.unpack("qq", said[0][2]))
    except BlockingIOError:
        pass
"""


def contestants(over: Wire, codecs: Sequence[str], path: Path, rate: int, count: int, loops: int) -> list[Sending]:
    """Who sends a file so many times at a rate: pkt-send with each codec, and last tcpreplay where it is installed."""
    words, loop = ["--pps", str(rate)], ["--loop", str(loops)]
    ours = ["pkt-send", *words, "-i", "near", "--in", str(path), *loop]
    theirs = ["tcpreplay", *words, "-K", "-q", "-i", "near", *loop, str(path)]
    chosen = [(f"pkt-send --pps {rate}, {codec}", ours, codec) for codec in codecs]
    if shutil.which("tcpreplay"):
        chosen.append((f"tcpreplay --pps {rate}", theirs, ""))
    return [
        Sending(name, [[*over.within, *line]], loops * count, codec=codec, over=over, size=SIZE) for name, line, codec in chosen
    ]


def errors(one: Sending, rate: int) -> list[float]:
    """How far each gap between frames was from what the rate asks for, in microseconds, sorted. Raises Failed."""
    assert one.over
    words = [*one.over.within, sys.executable, "-c", TIMES]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, text=True, env=environment(""), **pipes) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            one.once()
            said, error = process.communicate("\n", timeout=60)
        finally:
            process.kill()
    stamps = sorted(int(line.replace(".", "")) for line in said.split())
    if process.returncode or len(stamps) != one.packets:
        raise Failed(f"{one.name}: {len(stamps)} of {one.packets} times at the other end: {error.strip()[-200:]}")
    return sorted(abs(after - before - 1e9 / rate) / 1000 for before, after in pairwise(stamps))


def pair(over: Wire, codec: str, path: Path, loops: int) -> list[Sending]:
    """Who sends the same frames in turns by two interfaces, and by one, at PAIR packets a second."""
    other = "02000000000c"
    write(path, [data[:6] + bytes.fromhex(other) + data[12:] if i % 2 else data for i, data in enumerate(frames(SIZE))])
    words = ["pkt-send", "--pps", str(PAIR), "--in", str(path), "--loop", str(loops), "-i", "near"]
    via = ["--via", "near2=ETHERNET.SRC_ADDR==" + bytes.fromhex(other).hex(":")]
    return [
        Sending(f"pkt-send --pps {PAIR}, {name}", [[*over.within, *line]], loops * FRAMES, codec=codec, over=over, size=SIZE)
        for name, line in (("two interfaces", [*words, *via]), ("one", words))
    ]


def gaps(everyone: Sequence[Sending], rate: int, runs: int) -> list[Row]:
    """The rows of one rate: errors of gaps as medians of all runs, and ours beside theirs, pair by pair."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(runs):
        for one in everyone:
            sorted_errors = errors(one, rate)
            for part, share in PARTS.items():
                found.setdefault((one.name, part), []).append(sorted_errors[int(share * (len(sorted_errors) - 1))])
    rows = []
    for one in everyone:
        said = ", ".join(f"{median(found[one.name, part]):.2f} us ({part})" for part in PARTS)
        rows.append(Row(f"gaps of {one.name}", f"{one.packets:,}", remark=f"wrong by {said}"))
    *ours, last = everyone
    for one in ours:
        pairs = {part: zip(found[one.name, part], found[last.name, part], strict=True) for part in PARTS}
        said = ", ".join(f"{spread([a / max(b, 1e-3) for a, b in pair])} ({part})" for part, pair in pairs.items())
        rows.append(Row(f"gaps of {one.name} ÷ {last.name}", remark=f"errors {said}"))
    return rows


def pacing(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, and what there is to say about them. Raises Failed when something does not send what it should."""
    rows, loops = [], max(packets * 5 // FRAMES, 1)
    try:
        with wire() as over:
            check(over, codecs, folder, SIZE)
            path = folder / "paced.pcap"
            write(path, frames(SIZE))
            everyone = contestants(over, codecs, path, BEYOND, FRAMES, loops)
            results = rounds(everyone, runs)
            rows += [replace(one.shown(results), remark="a rate beyond reach") for one in everyone]
            *ours, last = everyone
            rows += [ratio(one, last, results) for one in ours if not last.codec]
            for rate, count in RATES.items():
                few = max(min(count, packets) // FRAMES, 1)
                rows += gaps(contestants(over, codecs[:1], path, rate, FRAMES, few), rate, runs)
            rows += gaps(pair(over, codecs[0], folder / "pair.pcap", max(min(PAIR, packets) // FRAMES, 1)), PAIR, runs)
    except Missing as error:
        return [], f"Sending at a rate was not measured: {error}."
    said = f"Sent {loops} times {FRAMES} frames of {SIZE} bytes over veth at a rate beyond reach, and some at others"
    return rows, said + ("." if shutil.which("tcpreplay") else "; tcpreplay is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures sending at a rate alone; gives the exit code."""
    return alone(pacing, argv)


if __name__ == "__main__":
    sys.exit(main())
