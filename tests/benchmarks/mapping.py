"""pkt-map of two prefixes, from pcap to pcap, beside `tcprewrite --pnat`: python -m tests.benchmarks.mapping"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .capture import frames, records, write_frames
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row
from .work import PEERS

LEAST = 60  # packets at least
PREFIXES = (("10.0.0.0/8", "192.168.0.0/16"), ("192.168.0.0/16", "172.16.0.0/16"))
MAP = ["pkt-map", *(word for before, after in PREFIXES for word in ("--map", f"{before}={after}")), "-F", "pcap"]
PNAT = f"--pnat={','.join(f'{before}:{after}' for before, after in PREFIXES)}"
TCPREWRITE = PEERS[0]


def theirs(source: Path, target: Path) -> list[str]:
    """The same by tcprewrite."""
    return ["tcprewrite", PNAT, "-i", str(source), "-o", str(target)]


def alike(ours: bytes, other: bytes) -> bool:
    """Whether two frames are the same, but for a sum of UDP that tcprewrite took for none: of 65,535 about one."""
    return ours == other or (other[40:42] == b"\0\0" and (ours[:40], ours[42:]) == (other[:40], other[42:]))


def checked(codec: str, count: int, folder: Path) -> tuple[Path, Path]:
    """What is read, and what is made of it. Raises Failed where that is wrong, or not what tcprewrite makes."""
    source, made, other = folder / "source.pcap", folder / f"mapped-{codec}.pcap", folder / "rewritten.pcap"
    write_frames(source, frames(count))
    run([MAP], source, made, codec=codec)
    found = [frame for _, frame in records(made)]
    if len(found) != count or any(frame[26] == 10 or frame[30] == 10 for frame in found):
        raise Failed(f"pkt-map, {codec}: what it writes is wrong")
    if TCPREWRITE.installed:
        run([theirs(source, other)])
        if not all(alike(ours, frame) for ours, (_, frame) in zip(found, records(other), strict=True)):
            raise Failed(f"pkt-map, {codec}: what it writes is not what tcprewrite does")
    return source, made


def mapping(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed when anything else is written."""
    for codec in codecs:
        checked(codec, LEAST, folder)
    count = max(packets, LEAST)
    source, made = checked(codecs[0], count, folder)
    everyone = [Contestant(f"pkt-map, two prefixes, {codecs[0]}", [MAP], count, source, folder / "made.pcap", made, codecs[0])]
    if TCPREWRITE.installed:
        everyone.append(Contestant("tcprewrite --pnat", [theirs(source, folder / "theirs.pcap")], count, source, opens=True))
    results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone]
    if TCPREWRITE.installed:
        rows.append(ratio(everyone[0], everyone[1], results))
    said = "." if TCPREWRITE.installed else "; tcprewrite is not installed."
    return rows, f"Mapped two prefixes in {count:,} packets{said}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measures maps alone; gives the exit code."""
    return alone(mapping, argv)


if __name__ == "__main__":
    sys.exit(main())
