"""Captures merged by time, beside mergecap and tcpslice; for files.py.

The reference capture, of which each file has every second packet, and every sixteenth; beside our own plain copy of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .capture import FILE_HEADER, records, write_capture
from .processes import Failed, run
from .timing import Contestant

NUMBERS = (2, 16)  # files
PEERS = {"mergecap": ["mergecap", "-F", "pcap", "-w"], "tcpslice": ["tcpslice", "-w"]}
OURS = ["pkt-merge", "-F", "pcap"]


def parts(source: Path, number: int) -> list[Path]:
    """Writes so many captures with the packets of one in turns."""
    paths = [source.with_name(f"part-{number}-{i}.pcap") for i in range(number)]
    files = [path.open("wb") for path in paths]
    head = source.read_bytes()[: FILE_HEADER.size]
    for file in files:
        file.write(head)
    for i, (header, frame) in enumerate(records(source)):
        files[i % number].write(header + frame)
    for file in files:
        file.close()
    return paths


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed where merging does not give what there was."""
    source, theirs, target = folder / "whole.pcap", folder / "theirs.pcap", folder / "merged.pcap"
    write_capture(source, count)
    whole, pairs = [*records(source)], []
    copy = Contestant(f"pkt-txt2txt -F pcap, {codec}", [["pkt-txt2txt", "-F", "pcap"]], count, source, target, codec=codec)
    for number in NUMBERS:
        paths, made = [*map(str, parts(source, number))], folder / f"merged-{number}-{codec}.pcap"
        run([[*OURS, *paths]], source, made, codec=codec)
        if [*records(made)] != whole:
            raise Failed(f"pkt-merge, {number} files, {codec}: what it writes is wrong")
        ours = Contestant(f"pkt-merge, {number} files, {codec}", [[*OURS, *paths]], count, source, target, made, codec)
        pairs.append((ours, copy))
        for name, words in PEERS.items():
            if shutil.which(name):
                peer = [*words, str(theirs), *paths]
                run([peer])
                if [*records(theirs)] != whole:
                    raise Failed(f"{name}, {number} files: what it writes is not the same")
                pairs.append((ours, Contestant(f"{name}, {number} files", [peer], count, source, theirs, opens=True)))
    return pairs
