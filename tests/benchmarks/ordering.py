"""Captures out of order put in order, beside reordercap; for files.py.

The reference capture, every tenth packet of which has changed places with the seventh behind it; and all of it in any order.
"""

from __future__ import annotations

import random
import shutil
from itertools import chain
from pathlib import Path

from .capture import FILE_HEADER, frames, records, write_frames
from .processes import Failed, run
from .timing import Contestant

PEER = "reordercap"
EACH, FAR = 10, 7  # packets
OURS = ["pkt-sort", "-F", "pcap"]


def nearly(count: int) -> list[int]:
    """Numbers of packets, nearly in order."""
    order = list(range(count))
    for i in range(0, count - FAR, EACH):
        order[i], order[i + FAR] = order[i + FAR], order[i]
    return order


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom; nobody without reordercap. Raises Failed where anything but the reference capture is written."""
    if not shutil.which(PEER):
        return []
    right, target, theirs = folder / "in-order.pcap", folder / "ordered.pcap", folder / "reordered.pcap"
    write_frames(right, frames(count))
    packets = list(records(right))
    pairs = []
    for name, order in ("nearly in order", nearly(count)), ("in any order", random.Random(1).sample(range(count), count)):
        source, made = folder / f"{name.replace(' ', '-')}.pcap", folder / f"ordered-{codec}.pcap"
        source.write_bytes(right.read_bytes()[: FILE_HEADER.size] + b"".join(chain.from_iterable(packets[i] for i in order)))
        peer = [PEER, str(source), str(theirs)]
        run([[*OURS, "--in", str(source)]], source, made, codec=codec)
        run([peer])
        if not packets == [*records(made)] == [*records(theirs)]:
            raise Failed(f"pkt-sort, {name}, {codec}: what it writes is wrong")
        pairs.append((
            Contestant(f"pkt-sort, {name}, {codec}", [[*OURS, "--in", str(source)]], count, source, target, made, codec),
            Contestant(f"{PEER}, {name}", [peer], count, source, theirs, opens=True),
        ))  # fmt: skip
    return pairs
