"""What is shown of real captures, beside tcpdump: python -m tests.benchmarks.viewing

The reference capture is none for that: tcpdump prints its payloads in hex.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from .processes import ROOT, Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, compared
from .work import Peer, same_frame

CAPTURES = ROOT.parent / "shared" / "captures" / "tcpdump"
MAGIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}
PART = 2  # this part of the packets
VIEWS = {
    "--line --relative": Peer("tcpdump -nr", ("tcpdump", "-nr", "{source}"), same_frame),
    "-lv 3": Peer("tcpdump -nvvvr", ("tcpdump", "-nvvvr", "{source}"), same_frame),
}
MARKS = {"--line --relative": re.compile(rb"\n"), "-lv 3": re.compile(rb"^-- \d+ --$", re.M)}  # one a packet
ENDS = re.compile(rb" IP6? ([0-9a-f.:]+) > ([0-9a-f.:]+): Flags ", re.M)


def mix(path: Path, packets: int) -> int:
    """Writes the Ethernet captures of the collection, one behind the other, again and again; gives how many packets these are."""
    records = []
    for capture in sorted(CAPTURES.glob("*.pcap")):
        data, at = capture.read_bytes(), 24
        order = MAGIC.get(data[:4], "")
        if not order or len(data) < at or struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF != 1:
            continue
        while at + 16 <= len(data):
            seconds, fraction, captured, original = struct.unpack_from(order + "4I", data, at)
            if captured > 65535 or at + 16 + captured > len(data):
                break
            if fraction < 1_000_000 and original <= 65535:
                records.append(struct.pack("<4I", seconds, fraction, captured, original) + data[at + 16 : at + 16 + captured])
            at += 16 + captured
    if not records:
        raise Failed(f"there are no captures in {CAPTURES}")
    times = max(packets // len(records), 1)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records) * times)
    return len(records) * times


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed when a packet is missing, or segments go from others to others."""
    source = folder / "mix.pcap"
    packets = mix(source, count)
    pairs = []
    for option, peer in VIEWS.items():
        if not peer.installed:
            raise Failed(f"{peer.words[0]} is not installed")
        ours, theirs = folder / f"ours-{codec}.txt", folder / "theirs.txt"
        commands, words = [["pkt-analyze", *option.split(), "--in", str(source)]], [peer.command(source, Path())]
        run(commands, None, ours, codec=codec)
        run(words, None, theirs)
        text = ours.read_bytes()
        if (shown := len(MARKS[option].findall(text))) != packets:
            raise Failed(f"pkt-analyze {option}, {codec}: {shown} of {packets} packets")
        missing = {b" > ".join(ends) for ends in ENDS.findall(theirs.read_bytes())}
        missing -= {found for found in missing if found + b" TCP " in text}
        if missing:
            raise Failed(f"pkt-analyze {option}, {codec}: no segments from {min(missing).decode()}, as tcpdump has it")
        one = Contestant(f"pkt-analyze {option}, {codec}", commands, packets, codec=codec)
        pairs.append((one, Contestant(peer.name, words, packets)))
    return pairs


def viewing(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    if not CAPTURES.is_dir():
        return [], "What is shown was not measured: there is no collection of captures."
    pairs = contestants(codecs[0], packets // PART, folder)
    return compared(pairs, runs), f"{pairs[0][0].packets:,} packets of real captures as lines."


def main(argv: Sequence[str] | None = None) -> int:
    """Measures views alone; gives the exit code."""
    return alone(viewing, argv)


if __name__ == "__main__":
    sys.exit(main())
