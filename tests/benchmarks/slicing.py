"""A part by time of a sorted capture, beside tcpslice, which finds it by dividing, too; for files.py.

The reference capture nine times, one behind the other: one ninth of it is wanted, and a hundred packets, which is start-up.
"""

from __future__ import annotations

import shutil
from itertools import chain, repeat
from pathlib import Path

from .capture import frames, records, write_frames
from .processes import Failed, run
from .timing import Contestant

PEER = "tcpslice"
TIMES = 9
START, STEP = 1_700_000_000_000_000, 10  # microseconds: of the first packet, and from each to the next; see write_frames
FEW = 100  # packets
OURS = ["pkt-filter", "--sorted", "-F", "pcap"]


def time_of(number: int) -> str:
    """When a packet is, by its number from 0, in seconds."""
    seconds, micro = divmod(START + number * STEP, 1_000_000)
    return f"{seconds}.{micro:06}"


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom; nobody without tcpslice. Raises Failed where we write another part than tcpslice."""
    if not shutil.which(PEER):
        return []
    source, theirs, target = folder / "sorted.pcap", folder / "sliced.pcap", folder / "part.pcap"
    some = list(frames(count))
    write_frames(source, chain.from_iterable(repeat(some, TIMES)))
    pairs = []
    for size in (count, FEW):
        first, made = TIMES // 2 * count, folder / f"part-{size}-{codec}.pcap"
        ours = [*OURS, "--from", time_of(first), "--until", time_of(first + size)]
        peer = [PEER, "-w", str(theirs), time_of(first), time_of(first + size - 1), str(source)]
        run([ours], source, made, codec=codec)
        run([peer])
        if [frame for _, frame in records(made)] != some[:size] or [*records(theirs)] != [*records(made)]:
            raise Failed(f"pkt-filter --sorted, {codec}: what it writes is wrong")
        pairs.append((
            Contestant(f"pkt-filter --sorted, {size:,} packets, {codec}", [ours], size, source, target, made, codec),
            Contestant(f"{PEER}, {size:,} packets", [peer], size, source, theirs, opens=True),
        ))  # fmt: skip
    return pairs
