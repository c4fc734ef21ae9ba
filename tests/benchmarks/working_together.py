"""pkt-pipe --jobs 2 beside one process, of a large capture in memory, into a file there: wall clock time counts, on two idle cores.

And two processes beside one that each have half of it, and a file of their own to write: faster no two can be that share the work.
"""

from __future__ import annotations

from pathlib import Path

from .capture import FILE_HEADER, write_capture
from .processes import Used
from .report import Row
from .splitting import memory
from .timing import Contestant, compared

TIMES = 4  # the reference capture
PIPES = "change --replace s/a/bcd/g | correct", "change --icmp-type 8 | correct", "map --map 192.0.2.0/24=10.1.2.0/24"


class Halves(Contestant):
    """Two processes, each with a file of its own beside `target`."""

    def once(self) -> Used:
        """One run; to free what the one before wrote is no part of it."""
        for which in "01":
            Path(f"{self.target}{which}").unlink(missing_ok=True)
        return super().once()


def measured(codec: str, count: int, runs: int, folder: Path) -> list[Row]:
    """The rows. What is written is compared in tests/test_jobs.py."""
    with memory(folder) as place:
        source, half, out = place / "large.pcap", place / "half.pcap", place / "out"
        write_capture(source, count)
        packets = source.read_bytes()[FILE_HEADER.size :]
        for file, times in ((source, TIMES), (half, TIMES // 2)):
            file.write_bytes(source.read_bytes()[: FILE_HEADER.size])
            with file.open("ab") as end:
                for _ in range(times):
                    end.write(packets)

        def piped(jobs: int, pipe: str) -> Contestant:
            words = ["pkt-pipe", "--jobs", str(jobs), "--in", str(source), pipe]
            return Contestant(f"pkt-pipe --jobs {jobs} '{pipe}', {codec}", [words], TIMES * count, source, out, codec=codec)

        def halves(pipe: str) -> Contestant:
            each = " & ".join(f"pkt-pipe --in {half} --out {out}{i} '{pipe}'" for i in range(2))
            words = ["sh", "-c", f"{each} & wait"]
            return Halves(f"two pkt-pipe '{pipe}', each half, {codec}", [words], TIMES * count, source, out, codec=codec)

        pairs = [pair for pipe in PIPES for pair in ((piped(2, pipe), piped(1, pipe)), (halves(pipe), piped(1, pipe)))]
        return compared(pairs, runs)
