"""Receiving from a wire: the highest rate without loss, beside tcpdump, and how long a packet stays in a live pipe."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median, quantiles

from .capture import FILE_HEADER, RECORD, records
from .flood import DIFFERENT, frame
from .processes import Failed, run
from .report import Row, spread
from .wire import Wire, cores, finish, missing

SIZES = (64, 1500)  # bytes of a frame
SECONDS = 0.5  # of a flood, at most
TRIES = 2  # a moment in which the machine was busy is no loss
LEAST_RATE = 10_000  # frames a second
ROUNDS = 3
SETTLE = 1.3  # seconds: tcpdump's ring hands packets over after one, and what is left at the end is lost
PIPES = ("pkt-send -i eth1 -f", "pkt-send -i eth1")
PROBES, PROBE_RATE = 200, 97  # packets; a second, a rate that does not keep step with a timer of milliseconds


@dataclass(frozen=True)
class Catcher:
    """A program that receives: its words before the file, and whether it writes text."""

    name: str
    words: str
    text: bool = False
    settle: float = 0.1

    @property
    def installed(self) -> bool:
        """Whether it can be run."""
        return self.words.startswith("pkt-") or shutil.which(self.words.split()[0]) is not None


CATCHERS = (
    Catcher("tcpdump -w", "tcpdump -i eth0 -w {target}", settle=SETTLE),
    Catcher("pkt-recv -F pcap", "pkt-recv -i eth0 -F pcap > {target}"),
    Catcher("pkt-recv", "pkt-recv -i eth0 > {target}", text=True),
    Catcher("pkt-recv | pkt-txt2pcap", "pkt-recv -i eth0 | pkt-txt2pcap > {target}"),
    Catcher("pkt-xdp -F pcap", "pkt-xdp -i eth0 --sample 2048 -F pcap > {target}"),
)


@dataclass(frozen=True)
class Trial:
    """One flood: frames and seconds it took, and how many of them were caught."""

    sent: int
    took: float
    caught: int

    @property
    def rate(self) -> float:
        """Frames a second that were sent."""
        return self.sent / self.took


def attempt(wire: Wire, catcher: Catcher, size: int, rate: float, seconds: float, target: Path) -> Trial:
    """Floods a program at a rate. Raises Failed when what it wrote is not what it says it caught."""
    target.unlink(missing_ok=True)
    words = ["bash", "-c", f"exec {catcher.words.format(target=target)}"]
    process = wire.capture("near", words, cores()[1])
    time.sleep(0.02)
    sent, took = wire.flood(size, rate, seconds)
    time.sleep(catcher.settle)
    said = finish(process, signal.SIGINT)[1]
    found = re.search(r"(\d+) (?:packets? (?:captured|received)|matched)", said)
    if not found or process.returncode:
        raise Failed(f"{catcher.name}: exit code {process.returncode}: {said.strip()}")
    lost = re.search(r"(\d+) lost", said)  # of those that matched
    caught, written = int(found[1]) - int(lost[1] if lost else 0), target.stat().st_size
    if not catcher.text and written != FILE_HEADER.size + caught * (RECORD.size + size):
        raise Failed(f"{catcher.name}: {written} bytes are not {caught} packets of {size}")
    return Trial(sent, took, caught)


def check(wire: Wire, catcher: Catcher, size: int, target: Path) -> None:
    """Raises Failed unless a program writes just the frames that were sent, at a rate that none can miss."""
    trial = attempt(wire, catcher, size, 5000, 0.2, target)
    capture = target
    if catcher.text:
        capture = target.with_suffix(".pcap")
        run([["pkt-txt2pcap"]], target, capture)
    frames = [data for _, data in records(capture)]
    if frames != [frame(i % DIFFERENT, size) for i in range(trial.sent)]:
        raise Failed(f"{catcher.name}: {len(frames)} frames are not the {trial.sent} that were sent")
    if catcher.text:
        capture.unlink()


class Search:
    """Bisection for the highest rate without loss."""

    def __init__(self, wire: Wire, catcher: Catcher, size: int, seconds: float, target: Path) -> None:
        self.wire, self.catcher, self.size, self.seconds, self.target = wire, catcher, size, seconds, target
        self.good, self.bad = 0.0, 0.0
        self.wanted = 0.0  # the first flood is as fast as can be

    def step(self) -> None:
        """One rate more. It is good when nothing was lost in one of some tries."""
        if self.unbounded:  # once more as fast as can be: that is not the same every time
            trial = self.once(0)
            self.good = max(self.good, trial.rate if trial.caught == trial.sent else 0)
            return
        for _ in range(TRIES):
            trial = self.once(self.wanted)
            self.bad = self.bad or trial.rate
            if trial.caught == trial.sent:
                self.good = max(self.good, trial.rate)
                break
        else:
            self.bad = min(self.bad, self.wanted or trial.rate)
        self.wanted = sqrt(max(self.good, LEAST_RATE) * self.bad)

    def once(self, rate: float) -> Trial:
        """One flood."""
        return attempt(self.wire, self.catcher, self.size, rate, self.seconds, self.target)

    @property
    def unbounded(self) -> bool:
        """Whether nothing was lost however fast it came."""
        return self.good >= self.bad > 0


def rates(wire: Wire, catchers: list[Catcher], runs: int, seconds: float, target: Path) -> list[Row]:
    """The highest rates of all programs, searched in turns, and their ratios to the first one's."""
    rows = []
    for size in SIZES:
        found: dict[str, list[Search]] = {catcher.name: [] for catcher in catchers}
        for catcher in catchers:
            check(wire, catcher, size, target)
        for _ in range(min(runs, ROUNDS)):
            searches = [Search(wire, catcher, size, seconds, target) for catcher in catchers]
            for _ in range(runs + 2):
                for search in searches:
                    search.step()
            for search in searches:
                found[search.catcher.name].append(search)
        for name, searches in found.items():
            remark = "sent no faster" if any(search.unbounded for search in searches) else ""
            rows.append(Row(f"{name}, {size} bytes, none lost", rate=f"{median(s.good for s in searches):,.0f}", remark=remark))
        first, *others = found
        for name in others if first == CATCHERS[0].name else []:
            values = [ours.good / theirs.good for ours, theirs in zip(found[name], found[first], strict=True)]
            rows.append(Row(f"{name} ÷ {first}, {size} bytes", rate=spread(values)))
    return rows


def latency(wire: Wire, last: str, probes: int) -> Row:
    """How long a packet stays in the pipe of four commands, of which `last` is the last."""
    pipe = f"pkt-recv -i eth0 -ro --duration 15 | pkt-change --icmp-type 8 | pkt-correct | {last}"
    everywhere = {cores()[0], *cores()[1]}
    process = wire.capture("near", ["bash", "-c", pipe], everywhere)
    time.sleep(0.7)  # until all of them wait for packets
    words = [sys.executable, "-m", "tests.benchmarks.probe", str(probes), str(probes / PROBE_RATE + 2)]
    probe = wire.capture("near", words, everywhere)
    time.sleep(0.05)
    sent, _ = wire.flood(98, PROBE_RATE, probes / PROBE_RATE)
    out, said = finish(probe)
    finish(process, signal.SIGINT)
    times = [float(word) / 1000 for word in out.split()]
    if len(times) < sent * 0.9:
        raise Failed(f"{pipe}: {len(times)} of {sent} packets came out {said}")
    tail = f"{quantiles(times, n=10)[-1]:.2f} ms for 90 %, {max(times):.2f} ms at most" if len(times) > 1 else ""
    return Row(f"a packet through the pipe to {last}", f"{len(times)}", remark=f"median {median(times):.2f} ms, {tail}")


def live(runs: int, packets: int, folder: Path) -> list[Row]:
    """All of it, or a line that says why not. packets: fewer than usual shorten it."""
    reason = missing()
    if reason:
        return [Row("receiving from a wire", remark=f"not measured: {reason}")]
    catchers = [catcher for catcher in CATCHERS if catcher.installed]
    shm = Path("/dev/shm")
    target = (shm if shm.is_dir() else folder) / f"{folder.name}.caught"
    seconds = min(SECONDS, packets / 400_000 * SECONDS)
    try:
        with Wire() as wire:
            rows = rates(wire, catchers, runs, seconds, target)
            return rows + [latency(wire, last, min(PROBES, packets)) for last in PIPES]
    finally:
        target.unlink(missing_ok=True)
