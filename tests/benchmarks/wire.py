"""Two hosts of our own, joined by two wires: a laboratory, which ends with the process that made it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType

from pkttools.errors import PktError
from pkttools.lab import holder, running, topology

from .processes import ROOT, Failed, environment

WIRES = ("eth0", "eth1")
PATIENCE = 20  # seconds


def missing() -> str:
    """What stands in the way of a wire of our own; nothing, if nothing does."""
    tools = [tool for tool in ("bash", "ip", "nsenter", "setpriv") if not shutil.which(tool)]
    if tools or os.geteuid():
        return f"{', '.join(tools)} missing" if tools else "not root"
    try:
        with Wire():
            return ""
    except Failed as error:
        return str(error)


class Wire:
    """Hosts "near" and "far", each with eth0 and eth1; nothing is on the wires but what is put there."""

    def __enter__(self) -> Wire:
        """Raises Failed."""
        name = f"wire-{os.getpid()}"
        statements = [f"wire near:{wire} far:{wire}" for wire in WIRES]
        try:
            self.lab = holder.start(topology.read(topology.lines(statements)), name, root=True, stays=False)
            self.keys = {host: running.keys(name, host) for host in ("near", "far")}
        except PktError as error:
            raise Failed(str(error)) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Ends the laboratory."""
        for keys in self.keys.values():
            for fd in keys.values():
                os.close(fd)
        self.lab.end()

    def inside(self, host: str, words: Sequence[str]) -> list[str]:
        """A command line that runs another one in a host; it ends with us."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.keys[host]['net']}", "setpriv", "--pdeathsig", "KILL", *words]

    def start(self, host: str, words: Sequence[str], cores: set[int], codec: str = "") -> subprocess.Popen:
        """Starts a command in a host, on some of the cores."""

        def prepare() -> None:
            os.sched_setaffinity(0, cores)

        return subprocess.Popen(
            self.inside(host, words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env=environment(codec), preexec_fn=prepare, start_new_session=True,
        )  # fmt: skip

    def must(self, host: str, words: Sequence[str]) -> str:
        """Runs a command in a host to its end; gives what it writes. Raises Failed."""
        done = subprocess.run(self.inside(host, words), capture_output=True, cwd=ROOT, timeout=PATIENCE, check=False, text=True)
        if done.returncode:
            raise Failed(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def capture(self, host: str, words: Sequence[str], cores: set[int], codec: str = "") -> subprocess.Popen:
        """Starts a command that captures, and waits until the kernel hands packets to it. Raises Failed."""
        before = self.listeners(host)
        process = self.start(host, words, cores, codec)
        deadline = time.monotonic() + PATIENCE
        while not self.listeners(host) - before:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{' '.join(words)}: {finish(process, signal.SIGKILL)[1]}")
            time.sleep(0.005)
        return process

    def listeners(self, host: str) -> set[str]:
        """Packet sockets that receive, protocol ETH_P_ALL, bound to an interface, by their inodes; and XDP programs.

        One that was left is there for some milliseconds more.
        """
        rows = [line.split() for line in self.must(host, ["cat", "/proc/net/packet"]).splitlines()[1:]]
        programs = {line for line in self.must(host, ["ip", "link"]).splitlines() if "prog/xdp" in line}
        return {row[8] for row in rows if row[3] == "0003" and row[4] != "0"} | programs

    def flood(self, size: int, rate: float, seconds: float) -> tuple[int, float]:
        """Sends frames from far to near on eth0; gives how many, and in how many seconds."""
        words = [sys.executable, "-m", "tests.benchmarks.flood", "eth0", str(size), str(rate), str(seconds)]
        out, said = finish(self.start("far", words, {cores()[0]}))
        if not out:
            raise Failed(f"flood: {said}")
        sent, took = out.split()
        return int(sent), float(took)


def cores() -> tuple[int, set[int]]:
    """The core that sends, where the kernel also hands the packets over; and those for what receives them."""
    first, *others = sorted(os.sched_getaffinity(0))
    return first, set(others) or {first}


def finish(process: subprocess.Popen, number: int = 0) -> tuple[str, str]:
    """Waits for the end of a command, after a signal if there is one; gives what it wrote and said."""
    if number:
        os.killpg(process.pid, number)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return out.decode(), err.decode()
