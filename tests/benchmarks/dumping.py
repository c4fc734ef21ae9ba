"""pkt-hex2txt beside text2pcap, in the same run: python -m tests.benchmarks.dumping"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .capture import frames, records, write_capture
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row

PART = 8  # of the packets: a line holds 16 bytes
LEAST = 200  # packets at least
OURS = ["pkt-hex2txt", "-F", "pcap"]
LAYOUTS = {"tshark -x": (1, "{:04x}  {:47}   {}\n"), "tcpdump -x": (2, "\t0x{:04x}:  {}\n")}  # bytes of a group; a row
SHOWN = bytes(byte if 0x20 <= byte < 0x7F else ord(".") for byte in range(256))


def dump(frame: bytes, layout: str) -> str:
    """A packet as such a program shows it."""
    group, row_of = LAYOUTS[layout]
    rows = [frame[at : at + 16] for at in range(0, len(frame), 16)]
    return "".join(row_of.format(16 * n, row.hex(" ", -group), row.translate(SHOWN).decode()) for n, row in enumerate(rows))


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed where packets that were read are not those that were dumped.

    text2pcap is told, by -a, that characters are no bytes: without, it takes some for such.
    """
    pcap, read, theirs = folder / "dumped.pcap", folder / f"dumped-{codec}.pcap", folder / "dumped-theirs.pcap"
    write_capture(pcap, count)
    pairs = []
    for layout in LAYOUTS:
        text = folder / f"{layout.replace(' ', '')}.txt"
        with text.open("w") as file:
            file.writelines(dump(frame, layout) + "\n" for frame in frames(count))
        run([OURS], text, read, codec=codec)
        if [frame for _, frame in records(read)] != [frame for _, frame in records(pcap)]:
            raise Failed(f"pkt-hex2txt, {layout}, {codec}: these are other packets")
        ours = Contestant(f"pkt-hex2txt < {layout}, {codec}", [OURS], count, text, codec=codec)
        if layout == "tshark -x" and shutil.which("text2pcap"):
            command = ["text2pcap", "-a", "-q", "-F", "pcap", str(text), str(theirs)]
            run([command])
            if [frame for _, frame in records(theirs)] != [frame for _, frame in records(pcap)]:
                raise Failed("text2pcap: these are other packets")
            beside = Contestant("text2pcap", [[*command[:-1], "/dev/null"]], count)
        pairs.append((ours, beside if shutil.which("text2pcap") else ours))
    return pairs


def dumping(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    for codec in codecs[1:]:
        contestants(codec, LEAST, folder)
    count = max(packets // PART, LEAST)
    pairs = contestants(codecs[0], count, folder)
    everyone = list({one.name: one for pair in pairs for one in pair}.values())
    results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone] + [ratio(one, other, results) for one, other in pairs if one is not other]
    return rows, f"Hex dumps of {count:,} packets" + ("." if shutil.which("text2pcap") else "; text2pcap is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures hex dumps alone; gives the exit code."""
    return alone(dumping, argv)


if __name__ == "__main__":
    sys.exit(main())
