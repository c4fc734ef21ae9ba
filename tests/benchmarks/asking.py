"""pkt-ask beside fping, in the same run: python -m tests.benchmarks.asking

A thousand pings, 64 in flight, from near over a wire to far: whose kernel answers at once, or pkt-pingrep 10 ms later, so that
there is a round-trip time to agree on. fping has one ping for each of 64 addresses in flight, without a pause between any two, and
the least period between those to one address that lets all of them come back. To one host it has one in flight, in the least period
it knows, and pkt-ask again 64. Whose round-trip times are right is told by tcpdump,
which captures at near while each asks once more: what lies between its times of a question and of the answer.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from pkttools import read

from .processes import Failed, Used, run
from .report import Row, seconds, spread
from .sending import alone
from .wire import Wire, cores, finish, missing

TARGETS = 64
PINGS = TARGETS * 16
DELAY = 10  # milliseconds
NEAR, FAR = "10.9.0.1", [f"10.9.0.{number}" for number in range(2, 2 + TARGETS)]
FPING = ["fping", "-q", "-i", "0", "-t", "1000"]
LATER = f"after {DELAY} ms"
CASES = {"at once": (TARGETS, 1), LATER: (TARGETS, 15), "at once, one host": (1, 1)}  # addresses; ms between fping's pings to each
LATE = f"recv -i eth0 -ro 'ICMP or ARP' | impair --delay {DELAY}ms | pingrep | send -i eth0 -f"


def prepared(wire: Wire, folder: Path) -> Path:
    """Gives near its address; gives the packet to begin with."""
    wire.must("near", ["ip", "address", "add", f"{NEAR}/24", "dev", "eth0"])
    macs = [json.loads(wire.must(host, ["ip", "-j", "link", "show", "eth0"]))[0]["address"] for host in ("near", "far")]
    for address in FAR:  # nobody has to be asked for them
        wire.must("near", ["ip", "neighbour", "add", address, "lladdr", macs[1], "dev", "eth0"])
    text = folder / "ping.txt"
    ends = ["--src", NEAR, "--dst", FAR[0], "--src-mac", macs[0], "--dst-mac", macs[1], "--size", "98"]
    run([["pkt-gen", "icmp", *ends]], target=text)
    return text


@contextmanager
def answers(wire: Wire, when: str) -> Iterator[None]:
    """Lets far answer."""
    if when != LATER:
        for address in FAR:
            wire.must("far", ["ip", "address", "add", f"{address}/24", "dev", "eth0"])
        yield
        wire.must("far", ["ip", "address", "flush", "dev", "eth0"])
        return
    process = wire.capture("far", ["pkt-pipe", LATE], cores()[1])
    try:
        yield
    finally:
        finish(process, signal.SIGINT)


def questions(when: str, text: Path, output: Path) -> list[str]:
    """What asks the same as fping."""
    values = [f"IP.DST_ADDR={FAR[0]}..{FAR[CASES[when][0] - 1]}", "ICMP.SEQ=1.."]
    words = ["--in", str(text), "--out", str(output), "--count", str(PINGS), "--in-flight", str(TARGETS)]
    return ["pkt-ask", "-Z", "root", "-i", "eth0", *words, *values]


def fping(when: str) -> list[str]:
    """The same of fping."""
    addresses, period = CASES[when]
    return [*FPING, "-C", str(PINGS // addresses), "-p", str(period), *FAR[:addresses]]


def of_ask(used: Used) -> tuple[int, float]:
    """How many were answered, and the median of the round-trip times in milliseconds."""
    found = re.search(r"(\d+) answered.* min/avg/median/max = [\d.]+/[\d.]+/([\d.]+)/", used.said)
    return (int(found[1]), float(found[2])) if found else (0, 0.0)


def times_of_fping(used: Used) -> list[float]:
    """Round-trip times in milliseconds, of all that were answered."""
    return [float(word) for line in used.said.splitlines() for word in re.findall(r"\d+\.\d+", line.partition(" : ")[2])]


def asking(codecs: Sequence[str], _packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    reason = missing() or ("" if shutil.which("fping") else "fping is not installed")
    if reason:
        return [Row("pkt-ask", remark=f"not measured: {reason}")], f"Asking was not measured: {reason}."
    rows = []
    with Wire() as wire:
        text = prepared(wire, folder)
        for when in CASES:
            with answers(wire, when):
                command = questions(when, text, folder / "answers")
                rows += compared(wire, when, command, codecs[0], runs)
                if shutil.which("tcpdump"):
                    took, used = by_tcpdump(wire, folder, command)
                    rows.append(judged(f"pkt-ask, {when}", took, of_ask(used)[1]))
                    took, used = by_tcpdump(wire, folder, fping(when))
                    rows.append(judged(f"fping, {when}", took, median(times_of_fping(used))))
    return rows, f"{PINGS:,} pings, {TARGETS} in flight."


def by_tcpdump(wire: Wire, folder: Path, command: list[str]) -> tuple[float, Used]:
    """Asks while tcpdump captures; gives the median of the milliseconds between questions and answers there, and the run.

    Raises Failed.
    """
    capture = folder / "asked.pcap"
    words = ["-Z", "root", "-i", "eth0", "-w", str(capture), "--time-stamp-precision=nano", "--immediate-mode", "-s", "128", "icmp"]
    process = wire.start("near", ["tcpdump", *words], cores()[1])
    try:
        while b"listening on" not in (said := process.stderr.readline()):
            if not said:
                raise Failed("tcpdump does not capture")
        used = run([wire.inside("near", command)])
        time.sleep(0.3)  # it has its turn, too
    finally:
        finish(process, signal.SIGINT)
    sent, took = {}, []
    for packet in read(capture):
        ends, number = (packet["IP.SRC_ADDR"], packet["IP.DST_ADDR"]), (packet["ICMP.ID"], packet["ICMP.SEQ"])
        if packet["ICMP.TYPE"] == 8:
            sent[ends, number] = packet.time
        elif (ends[::-1], number) in sent:
            took.append((packet.time - sent[ends[::-1], number]) / 1e6)
    if len(took) < PINGS / 2:  # on a busy machine it may miss some
        raise Failed(f"of {PINGS} pings tcpdump saw {len(took)} answered")
    return median(took), used


def judged(name: str, took: float, said: float) -> Row:
    """What tcpdump's times say, and what the program itself says of the same pings."""
    return Row(f"{name}, with tcpdump", f"{PINGS:,}", remark=f"rtt median {took:.4f} ms by tcpdump, {said:.4f} by itself")


def compared(wire: Wire, when: str, command: list[str], codec: str, runs: int) -> list[Row]:
    """Both, in turns. Raises Failed."""
    used: dict[str, list[Used]] = {"pkt-ask": [], "fping": []}
    medians: dict[str, list[float]] = {"pkt-ask": [], "fping": []}
    for number in range(runs + 1):
        ours = run([wire.inside("near", command)], codec=codec)
        answered, rtt = of_ask(ours)
        theirs = run([wire.inside("near", fping(when))])
        times = times_of_fping(theirs)
        if answered != PINGS or len(times) != PINGS:
            raise Failed(f"of {PINGS} pings {answered} of pkt-ask's were answered, and {len(times)} of fping's")
        if number:  # the first round fills caches
            used["pkt-ask"].append(ours)
            used["fping"].append(theirs)
            medians["pkt-ask"].append(rtt)
            medians["fping"].append(median(times))
    rows = [
        Row(f"{name}, {when}", f"{PINGS:,}", seconds([one.wall for one in of]), seconds([one.cpu for one in of]),
            remark=f"rtt median {median(medians[name]):.4f} ms")
        for name, of in used.items()
    ]  # fmt: skip
    pairs = list(zip(used["pkt-ask"], used["fping"], strict=True))
    walls, cpus = [a.wall / b.wall for a, b in pairs], [a.cpu / b.cpu for a, b in pairs]
    ratios = [a / b for a, b in zip(medians["pkt-ask"], medians["fping"], strict=True)]
    return [*rows, Row(f"pkt-ask ÷ fping, {when}", wall=spread(walls), cpu=spread(cpus), remark=f"rtt median {spread(ratios)}")]


def main(argv: Sequence[str] | None = None) -> int:
    """Measures asking alone; gives the exit code."""
    return alone(asking, argv)


if __name__ == "__main__":
    sys.exit(main())
