"""pkt-hex2txt beside text2pcap, in the same run: python -m tests.benchmarks.dumping"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .capture import frames, records
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, beside

PART = 8  # of the packets: a line holds 16 bytes
LEAST = 200  # packets at least
OURS = ["pkt-hex2txt", "-F", "pcap"]
PEER = ["text2pcap", "-a", "-q", "-F", "pcap"]  # -a: characters are no bytes; without, it takes some for such
LAYOUTS = {"tshark -x": (1, "{:04x}  {:47}   {}\n"), "tcpdump -x": (2, "\t0x{:04x}:  {}\n")}  # bytes of a group; a row
SHOWN = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


def dump(frame: bytes, layout: str) -> str:
    """A packet as such a program shows it."""
    group, row_of = LAYOUTS[layout]
    rows = [frame[at : at + 16] for at in range(0, len(frame), 16)]
    return "".join(row_of.format(16 * n, row.hex(" ", -group), row.translate(SHOWN).decode()) for n, row in enumerate(rows))


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom: dumps beside the first one, where text2pcap is not installed.

    Raises Failed where packets that were read are not those that were dumped.
    """
    ours = []
    for layout in LAYOUTS:
        text, read = folder / f"{layout.replace(' ', '')}.txt", folder / f"dumped-{codec}.pcap"
        with text.open("w") as file:
            file.writelines(dump(frame, layout) + "\n" for frame in frames(count))
        run([OURS], text, read, codec=codec)
        check(read, count, f"pkt-hex2txt, {layout}, {codec}")
        ours.append(Contestant(f"pkt-hex2txt < {layout}, {codec}", [OURS], count, text, codec=codec))
    other = ours[0]
    if shutil.which(PEER[0]):
        source, read = str(ours[0].source), folder / "dumped-theirs.pcap"
        run([[*PEER, source, str(read)]])
        check(read, count, PEER[0])
        other = Contestant(PEER[0], [[*PEER, source, "/dev/null"]], count)
    return [(one, other) for one in ours if one is not other]


def check(read: Path, count: int, who: str) -> None:
    """Raises Failed where packets are not those that were dumped; a dump has no times."""
    if [frame for _, frame in records(read)] != list(frames(count)):
        raise Failed(f"{who}: these are other packets")


def dumping(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    count = max(packets // PART, LEAST)
    rows = beside(contestants, codecs, count, LEAST, runs, folder)
    return rows, f"Hex dumps of {count:,} packets" + ("." if shutil.which(PEER[0]) else f"; {PEER[0]} is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures hex dumps alone; gives the exit code."""
    return alone(dumping, argv)


if __name__ == "__main__":
    sys.exit(main())
