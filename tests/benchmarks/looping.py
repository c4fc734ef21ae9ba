"""pkt-pipe beside a loop in C that does the same and nothing else, to a file in memory: python -m tests.benchmarks.looping

loop.c, compiled here. It knows one kind of packet, checks nothing, and lets checksums follow; pkt-pipe computes them. Ten times as
many packets as elsewhere: 4 million of the usual ones, so that start-up is small beside them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from . import checks
from .capture import FILE_HEADER, write_capture
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row
from .work import ONE, type_8_mended

TIMES = 10
LEAST = 200  # packets of what is checked packet by packet
MEMORY = Path("/dev/shm")
LOOP = Path(__file__).with_name("loop.c")


def compiled(folder: Path) -> Path | None:
    """The loop; None where there is no compiler. Raises Failed."""
    compiler, program = shutil.which("cc"), folder / "loop"
    if compiler is None:
        return None
    made = subprocess.run([compiler, "-std=gnu11", "-O2", "-o", program, LOOP], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Failed(f"{LOOP.name}: {made.stderr}")
    return program


def check(codec: str, program: Path, folder: Path) -> None:
    """Checks that both do what they should. Raises Failed."""
    few = folder / "few.pcap"
    write_capture(few, LEAST)
    for name, commands in (("pkt-pipe", ONE), (LOOP.name, [[str(program)]])):
        run(commands, few, folder / "few.out", codec=codec)
        checks.edited(few, folder / "few.out", type_8_mended, name)


def long(count: int, folder: Path) -> tuple[Path, int]:
    """TIMES times a capture, and its packets; no longer than what fits into a quarter of the memory there is for files."""
    part, whole = folder / "part.pcap", folder / "long.pcap"
    write_capture(part, count)
    records = part.read_bytes()[FILE_HEADER.size :]
    times = max(1, min(TIMES, shutil.disk_usage(MEMORY).free // 4 // len(records)))
    with whole.open("wb") as file:
        file.write(part.read_bytes()[: FILE_HEADER.size])
        for _ in range(times):
            file.write(records)
    return whole, count * times


def looping(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed where the outputs are not the same."""
    program = compiled(folder)
    if program is None or not MEMORY.is_dir():
        return [], "No loop in C: " + ("no files in memory." if program else "cc is not installed.")
    for codec in codecs:
        check(codec, program, folder)
    source, count = long(packets, folder)
    expected = folder / "long.expected"
    run([[str(program)]], source, expected)
    with TemporaryDirectory(prefix="pkttools-bench-", dir=MEMORY) as memory:
        target = Path(memory) / "out.pcap"  # one for both: there is never more than one
        everyone = [
            Contestant(f"pkt-pipe, to memory, {codecs[0]}", ONE, count, source, target, expected, codecs[0]),
            Contestant("the loop in C", [[str(program)]], count, source, target, expected),
        ]
        results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone] + [ratio(*everyone, results)]
    source.unlink()
    expected.unlink()
    return rows, f"Looped over {count:,} packets."


def main(argv: Sequence[str] | None = None) -> int:
    """Measures it alone; gives the exit code."""
    return alone(looping, argv)


if __name__ == "__main__":
    sys.exit(main())
