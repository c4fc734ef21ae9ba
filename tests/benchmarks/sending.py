"""pkt-send -f beside tcpreplay --topspeed -K, over a wire of our own: python -m tests.benchmarks.sending

The wire is one of a laboratory's: when we are gone, however that came, so is the wire. Nobody listens at its other end.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from pkttools.lab import holder, running, topology
from pkttools.live.linux.namespaces import Forbidden

from . import processes
from .capture import FILE_HEADER, RECORD
from .processes import Failed, Used, environment
from .report import Row, table
from .timing import Contestant, ratio, rounds, row

SIZES = (64, 1500)  # bytes of a frame
FRAMES = 1000  # in a file, which is sent again and again
TIMES = 5  # packets sent, as a multiple of what others get: start-up is part of the time and should be a small one
FEW = 70  # frames that are captured and compared, two rounds of them; they fit into a socket's buffer
NUMBERS = itertools.count(1)
WIRES = ["wire here:near here:far", "wire here:near2 here:far2"]
CAPTURE = """
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
try:
    wire.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
except PermissionError:
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
wire.bind(("far", 3))
wire.settimeout(10)
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    print(wire.recv(65536).hex())
"""


class Missing(Exception):
    """What is needed is not there: nothing is measured, and nothing is wrong."""


@dataclass(frozen=True)
class Wire:
    """A veth pair, `near` and `far`, and a second one, of one host; within: the words that run a command there."""

    within: tuple[str, ...]

    def arrived(self) -> tuple[int, int]:
        """Packets and bytes that the kernel counted at the far ends."""
        said = subprocess.run([*self.within, "cat", "/proc/net/dev"], capture_output=True, check=True, text=True, timeout=20)
        lines = said.stdout.splitlines()
        ends = [line.split(":")[1].split() for line in lines if line.strip().startswith("far")]
        return sum(int(words[1]) for words in ends), sum(int(words[0]) for words in ends)

    def capture(self, count: int, send: Callable[[], object]) -> list[str]:
        """The first frames that arrive while something is sent, in hex. Raises Failed where fewer than `count` do."""
        words = [*self.within, sys.executable, "-c", CAPTURE, str(count)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment("")) as process:
            assert process.stdout
            process.stdout.readline()
            try:
                send()
                said, error = process.communicate(timeout=20)
            finally:
                process.kill()
        if process.returncode:
            raise Failed(f"capture at the other end: {error.strip()[-200:]}")
        return said.split()


@contextmanager
def wire() -> Iterator[Wire]:
    """Makes the wire, and takes it away. Raises Missing where that is not possible."""
    absent = [tool for tool in ("ip", "nsenter") if not shutil.which(tool, path=environment("")["PATH"])]
    if absent:
        raise Missing(f"{', '.join(absent)} not installed")
    name, statements = f"sending-{os.getpid()}-{next(NUMBERS)}", topology.lines(WIRES)
    for root in (True, False):
        try:
            made = holder.start(topology.read(statements), name, root=root, stays=False)
            break
        except Forbidden as error:
            said = str(error)
    else:
        raise Missing(f"no network namespace here: {said}")
    try:
        keys = running.keys(name, "here")
        kinds = ("net",) if root else ("user", "net")
        entrance = [f"--{kind}=/proc/{os.getpid()}/fd/{keys[kind]}" for kind in kinds]
        yield Wire(("nsenter", *entrance, *(() if root else ("--preserve-credentials",))))
    finally:
        made.end()
        for fd in keys.values():
            os.close(fd)


@dataclass(frozen=True)
class Sending(Contestant):
    """Something that sends. over: the wire. size: bytes of a frame."""

    over: Wire | None = None
    size: int = 0

    def once(self) -> Used:
        """One run, and whether everything arrived, which takes no part of the time."""
        assert self.over
        before = self.over.arrived()
        used = super().once()
        after = self.over.arrived()
        if (after[0] - before[0], after[1] - before[1]) != (self.packets, self.packets * self.size):
            raise Failed(f"{self.name}: {after[0] - before[0]} of {self.packets} packets arrived, {after[1] - before[1]} bytes")
        return used

    def shown(self, results: dict[str, list[Used]]) -> Row:
        """Its line of the table."""
        wall = median(used.wall for used in results[self.name])
        return replace(row(self, results), volume=f"{self.packets * self.size / wall / 1e6:,.0f}")


def frames(size: int) -> list[bytes]:
    """Frames for stations that are not there, of an EtherType for experiments; each has its number."""
    head = bytes.fromhex("02000000000b02000000000a88b5")
    return [(head + number.to_bytes(4, "big")).ljust(size, b"\x5a") for number in range(FRAMES)]


def write(path: Path, packets: Sequence[bytes]) -> None:
    """Writes a capture."""
    records = b"".join(
        RECORD.pack(number // 1000, number % 1000, len(data), len(data)) + data for number, data in enumerate(packets)
    )
    path.write_bytes(FILE_HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)


def contestants(over: Wire, codecs: Sequence[str], path: Path, size: int, loops: int, count: int = FRAMES) -> list[Sending]:
    """Who sends a file so many times: pkt-send with each codec, and last tcpreplay where it is installed."""
    loop = ["--loop", str(loops)]
    ours = ["pkt-send", "-f", "-i", "near", "--in", str(path), *loop]
    theirs = ["tcpreplay", "--topspeed", "-K", "-q", "-i", "near", *loop, str(path)]
    chosen = [(f"pkt-send -f, {size} bytes, {codec}", ours, codec) for codec in codecs]
    if shutil.which("tcpreplay"):
        chosen.append((f"tcpreplay --topspeed -K, {size} bytes", theirs, ""))
    return [
        Sending(name, [[*over.within, *words]], loops * count, codec=codec, over=over, size=size) for name, words, codec in chosen
    ]


def check(over: Wire, codecs: Sequence[str], folder: Path, size: int) -> None:
    """Raises Failed unless everyone sends the frames of a file, twice, in their order and with all their bytes."""
    path, few = folder / "few.pcap", frames(size)[:FEW]
    write(path, few)
    for one in contestants(over, codecs, path, size, 2, FEW):
        if over.capture(2 * FEW, one.once) != [data.hex() for data in few * 2]:
            raise Failed(f"{one.name}: what arrived is not what the file holds")


def sending(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, and what there is to say about them. Raises Failed when something does not send what it should."""
    loops = max(packets * TIMES // FRAMES, 1)
    rows = []
    try:
        with wire() as over:
            for size in SIZES:
                check(over, codecs, folder, size)
                path = folder / f"sent-{size}.pcap"
                write(path, frames(size))
                everyone = contestants(over, codecs, path, size, loops)
                results = rounds(everyone, runs)
                rows += [one.shown(results) for one in everyone]
                *ours, last = everyone
                rows += [ratio(one, last, results) for one in ours if not last.codec]
    except Missing as error:
        return [], f"Sending was not measured: {error}."
    said = f"Sent {loops} times {FRAMES} frames from a file over veth, start-up included"
    return rows, said + ("." if shutil.which("tcpreplay") else "; tcpreplay is not installed.")


Measure = Callable[[Sequence[str], int, int, Path], tuple[list[Row], str]]


def alone(measure: Measure, argv: Sequence[str] | None) -> int:
    """Measures one thing; gives the exit code. measure: as `sending` is."""
    from .__main__ import codecs, options

    values = options(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="pkttools-bench-") as folder:
            processes.bytecode = Path(folder) / "bytecode"
            rows, said = measure(codecs(), values.packets, values.runs, Path(folder))
    except Failed as error:
        print(f"nothing measured: {error}", file=sys.stderr)
        return 1
    finally:
        processes.bytecode = None
    print(f"{said}\n\n{table(rows)}" if rows else said)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Measures sending alone; gives the exit code."""
    return alone(sending, argv)


if __name__ == "__main__":
    sys.exit(main())
