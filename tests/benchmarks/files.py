"""Captures as files, beside the programs that do the same: python -m tests.benchmarks.files

Doubles: every fourth packet of the reference capture comes again behind the next one; windows of the same size.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import compressing, merging, ordering, slicing, splitting, working_on_each, working_together
from .capture import frames, records, write_frames
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, beside
from .work import Peer, same_frame

LEAST = 200  # packets at least
DEDUPE = ["pkt-dedupe", "-F", "pcap"]
WINDOWS = (5, 1_000, 100_000)  # packets: a larger one takes hardly more time
EDITCAP = Peer("editcap -D 6", ("editcap", "-F", "pcap", "-D", "6", "{source}", "{target}"), same_frame)
TRACEMERGE = Peer("tracemerge -u", ("tracemerge", "-u", "pcapfile:{target}", "pcapfile:{source}"), same_frame)


def doubled(count: int) -> Iterator[bytes]:
    """Frames of which every fourth comes again."""
    before = b""
    for i, frame in enumerate(frames(count)):
        yield frame
        if i % 4 == 1:
            yield before
        before = frame


def deduping(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed where anything else is written than what came once."""
    source, made = folder / "doubled.pcap", folder / f"deduped-{codec}.pcap"
    write_frames(source, doubled(count))
    run([DEDUPE], source, made, codec=codec)
    if [frame for _, frame in records(made)] != list(frames(count)):
        raise Failed(f"pkt-dedupe, {codec}: what it writes is wrong")
    target, theirs, packets = folder / "deduped.pcap", folder / "theirs.pcap", sum(1 for _ in records(source))
    ours = []
    for window in WINDOWS:
        words = [*DEDUPE, "--window", str(window)]
        ours.append(Contestant(f"pkt-dedupe --window {window}, {codec}", [words], packets, source, target, made, codec))
    pairs = [(other, ours[0]) for other in ours[1:]]
    for peer in EDITCAP, TRACEMERGE:
        if peer.installed:
            pairs.append((ours[0], Contestant(peer.name, [peer.command(source, theirs)], packets, source, theirs, opens=True)))
    return pairs


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom, of all but what is split. Raises Failed."""
    parts = deduping, slicing.contestants, merging.contestants, compressing.contestants, ordering.contestants
    return [pair for part in parts for pair in part(codec, count, folder)]


def files(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    rows = beside(contestants, codecs, packets, LEAST, runs, folder)
    rows += splitting.measured(codecs[0], max(packets, LEAST), runs, folder)
    rows += working_on_each.measured(runs, folder)
    rows += working_together.measured(codecs[0], max(packets, LEAST), runs, folder)
    missing = [peer.name for peer in (EDITCAP, TRACEMERGE) if not peer.installed]
    return rows, f"Files of {packets:,} packets" + (f"; not installed: {', '.join(missing)}." if missing else ".")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures files alone; gives the exit code."""
    return alone(files, argv)


if __name__ == "__main__":
    sys.exit(main())
