"""pkt-pipe --jobs 2 beside one process, of a large capture in memory: wall clock time is what counts, on two idle cores."""

from __future__ import annotations

from pathlib import Path

from .capture import FILE_HEADER, write_capture
from .report import Row
from .splitting import memory
from .timing import Contestant, compared

TIMES = 4  # the reference capture
PIPES = "change --replace s/a/bcd/g | correct", "change IP.TTL-=1 | correct | analyze"


def measured(codec: str, count: int, runs: int, folder: Path) -> list[Row]:
    """The rows. What is written is compared in tests/test_jobs.py."""
    with memory(folder) as place:
        source = place / "large.pcap"
        write_capture(source, count)
        packets = source.read_bytes()[FILE_HEADER.size :]
        with source.open("ab") as file:
            for _ in range(TIMES - 1):
                file.write(packets)

        def piped(jobs: int, pipe: str) -> Contestant:
            words = ["pkt-pipe", "--jobs", str(jobs), "--in", str(source), pipe]
            return Contestant(f"pkt-pipe --jobs {jobs} '{pipe}', {codec}", [words], TIMES * count, source, codec=codec)

        return compared([(piped(2, pipe), piped(1, pipe)) for pipe in PIPES], runs)
