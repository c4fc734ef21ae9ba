"""Forwarding by pkt-switch beside the kernel's bridge, in the same run: python -m tests.benchmarks.switching

Frames go from far's eth0 over near, where the switch is, to far's eth1; what the kernel counts there has arrived.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from . import processes
from .flood import PING
from .live import ROUNDS, SECONDS, SIZES, Search, Trial
from .processes import Failed
from .report import Row, spread, table
from .wire import PATIENCE, Wire, cores, finish, missing

PORTS = ("eth0", "eth1")
STATION = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
wire.bind(("eth1", 0))
wire.send(bytes.fromhex(sys.argv[1]))
"""


@contextmanager
def bridge(wire: Wire) -> Iterator[None]:
    """The kernel's bridge between the ports."""
    wire.must("near", ["ip", "link", "add", "br0", "type", "bridge"])
    for words in (*(["set", port, "master", "br0"] for port in PORTS), ["set", "br0", "up"]):
        wire.must("near", ["ip", "link", *words])
    try:
        yield
    finally:
        wire.must("near", ["ip", "link", "delete", "br0"])


@contextmanager
def switch(wire: Wire) -> Iterator[None]:
    """pkt-switch between the ports."""
    before = wire.listeners("near")
    process = wire.start("near", ["pkt-switch", "run", *PORTS], cores()[1])
    deadline = time.monotonic() + PATIENCE
    try:
        while len(wire.listeners("near") - before) < len(PORTS):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"pkt-switch: {finish(process, signal.SIGKILL)[1]}")
            time.sleep(0.005)
        yield
    finally:
        if process.poll() is None:
            finish(process, signal.SIGINT)


WAYS = {"kernel bridge": bridge, "pkt-switch": switch}


def received(wire: Wire, interface: str) -> int:
    """Frames that the kernel counted at an interface of the far host."""
    (line,) = [line for line in wire.must("far", ["cat", "/proc/net/dev"]).splitlines() if line.strip().startswith(f"{interface}:")]
    return int(line.split(":")[1].split()[1])


def arrived(wire: Wire) -> int:
    """Frames that the kernel counted at the far end, once no more come."""
    found = -1
    while True:
        now = received(wire, "eth1")
        if now == found:
            return now
        found = now
        time.sleep(0.05)


class Forwarding(Search):
    """The search for the highest rate without loss, and what arrives when more is sent than can be."""

    def __init__(self, wire: Wire, way: str, size: int, seconds: float) -> None:
        super().__init__(wire, None, size, seconds, Path())  # type: ignore[arg-type]
        self.way = way
        self.most = 0.0

    def once(self, rate: float) -> Trial:
        """One flood."""
        with WAYS[self.way](self.wire):
            learn(self.wire, self.way)
            before = arrived(self.wire)
            sent, took = self.wire.flood(self.size, rate, self.seconds)
            trial = Trial(sent, took, min(sent, arrived(self.wire) - before))  # a bridge may ask for multicast groups, too
        if not rate:
            self.most = max(self.most, trial.caught / took)
        return trial


def learn(wire: Wire, way: str) -> None:
    """Shows the switch where the station is that all frames are for; it has seen it once the frame is back at eth0."""
    frame = (PING[6:12] + PING[:6] + b"\x88\xb5").ljust(60, b"\0").hex()
    before, deadline = received(wire, "eth0"), time.monotonic() + PATIENCE
    while received(wire, "eth0") == before:
        if time.monotonic() > deadline:
            raise Failed(f"{way}: nothing comes through")
        wire.must("far", [sys.executable, "-c", STATION, frame])
        time.sleep(0.01)


def switching(runs: int, packets: int) -> list[Row]:
    """Both, in turns, or a line that says why not. packets: fewer than usual shorten it."""
    reason = missing()
    if reason:
        return [Row("forwarding", remark=f"not measured: {reason}")]
    seconds = min(SECONDS, packets / 400_000 * SECONDS)
    rows = []
    with Wire() as wire:
        for size in SIZES:
            found: dict[str, list[Forwarding]] = {way: [] for way in WAYS}
            for _ in range(min(runs, ROUNDS)):
                searches = [Forwarding(wire, way, size, seconds) for way in WAYS]
                for _ in range(runs + 2):
                    for search in searches:
                        search.step()
                for search in searches:
                    found[search.way].append(search)
            for way, searches in found.items():
                most = f"{median(s.most for s in searches):,.0f}/s arrive when more are sent"
                remark = f"{most}; sent no faster" if any(s.unbounded for s in searches) else most
                rows.append(Row(f"{way}, {size} bytes, none lost", rate=f"{median(s.good for s in searches):,.0f}", remark=remark))
            theirs, ours = found.values()
            for what, ratios in (
                ("none lost", [a.good / b.good for a, b in zip(ours, theirs, strict=True) if b.good]),
                ("arriving", [a.most / b.most for a, b in zip(ours, theirs, strict=True) if b.most]),
            ):
                if ratios:
                    rows.append(Row(f"pkt-switch ÷ kernel bridge, {size} bytes, {what}", rate=spread(ratios)))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Measures forwarding alone; gives the exit code."""
    from .__main__ import options

    values = options(argv)
    try:
        print(table(switching(values.runs, values.packets)))
    except (Failed, subprocess.SubprocessError) as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    finally:
        processes.bytecode = None
    return 0


if __name__ == "__main__":
    sys.exit(main())
