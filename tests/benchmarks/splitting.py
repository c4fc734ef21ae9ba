"""pkt-split beside editcap: by count, by time, and by flow beside as many files by count. See files.py.

Flows have four packets each, both ways, which come one of each flow at a time; of pkt-split no more files are open than FEW.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .capture import FILE_HEADER, mend, records, write_capture, write_frames
from .processes import Failed
from .report import Row
from .timing import Contestant, Used, compared

EACH = 4  # packets of a flow
FILES = 40  # of the reference capture
FEW = 64  # files that may be open
PEER = "editcap"
OURS = ["pkt-split", "--out", "{folder}/{n}.pcap", "--in", "{source}"]


class Splitting(Contestant):
    """What writes files into a folder, of which there has to be this number, with all packets in them."""

    folder: Path
    files: int

    def once(self) -> Used:
        """One run; to make room for it, and to count what it wrote, is no part of the time."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        used = super().once()
        sizes = [path.stat().st_size for path in self.folder.iterdir()]
        packets = self.source.stat().st_size - FILE_HEADER.size if self.source else 0
        if len(sizes) != self.files or sum(sizes) - FILE_HEADER.size * len(sizes) != packets:
            raise Failed(f"{self.name}: {len(sizes)} files instead of {self.files}, {sum(sizes)} bytes")
        return used


@contextmanager
def memory(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: what a disk takes for many files goes by what else it does."""
    if not os.access("/dev/shm", os.W_OK):
        yield otherwise
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="pkttools-bench-") as folder:
        yield Path(folder)


def splitting(name: str, words: Sequence[str], count: int, source: Path, files: int, codec: str = "") -> Splitting:
    """A contestant; in its words are {source} and {folder}."""
    folder = source.with_suffix(f".{''.join(c for c in name if c.isalnum())}")
    made = [word.format(source=source, folder=folder, n="{n}") for word in words]
    one = Splitting(name, [made], count, source, codec=codec)
    one.folder, one.files = folder, files
    return one


def flows(count: int) -> Iterator[bytes]:
    """Packets of so many flows, one of each at a time."""
    for turn in range(EACH):
        for i in range(count):
            ends = struct.pack("!II", 0x0A000000 + i // 50, 0xC0A80000 + i % 1000), struct.pack("!HH", 1024 + i % 60000, 53)
            if turn % 2:
                ends = ends[0][4:] + ends[0][:4], ends[1][2:] + ends[1][:2]
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 88, i & 0xFFFF, 0, 64, 17, 0) + ends[0]
            yield mend(
                bytes.fromhex("00112233445566778899aabb0800") + ip + ends[1] + struct.pack("!HH", 68, 0) + bytes([turn]) * 60
            )


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Splitting, Splitting]]:
    """Who is timed beside whom. Raises Failed where files are wrong."""
    whole, of_flows = folder / "whole.pcap", folder / "flows.pcap"
    write_capture(whole, count)
    write_frames(of_flows, flows(count // EACH))
    each, span = -(-count // FILES), count / FILES / 100_000
    number = -(-count // each)
    theirs = PEER, "-F", "pcap", "{source}", "{folder}/x.pcap"
    few = "sh", "-c", f'ulimit -n {FEW}; exec "$@"', "sh"
    made = []
    for name, more, other, source, files in (
        ("--count", ["--count", str(each)], ["-c", str(each)], whole, number),
        ("--span", ["--span", f"{span:.9f}"], ["-i", f"{span:.9f}"], whole, number),
        ("--by flow", ["--by", "flow"], ["-c", str(EACH)], of_flows, count // EACH),
    ):
        front = few if "flow" in name else ()
        one = splitting(f"pkt-split {name}, {codec}", [*front, *OURS, *more], count, source, files, codec)
        one.once()
        wrong_flows(one)
        words = [*theirs[:1], *other, *theirs[1:]]
        made.append((one, splitting(f"{PEER} {other[0]}, {files} files", words, count, source, files)))
    return made


def measured(codec: str, count: int, runs: int, folder: Path) -> list[Row]:
    """The rows, where editcap is installed. Raises Failed."""
    if not shutil.which(PEER):
        return []
    with memory(folder) as place:
        return compared(contestants(codec, count, place), runs)


def wrong_flows(one: Splitting) -> None:
    """Raises Failed where files by flow have packets of others; of a few of them."""
    for path in sorted(one.folder.iterdir())[:50] if "flow" in one.name else ():
        found = [frame for _, frame in records(path)]
        if (
            len({frozenset((frame[26:30] + frame[34:36], frame[30:34] + frame[36:38])) for frame in found}) != 1
            or len(found) != EACH
        ):
            raise Failed(f"{path}: not the packets of a flow")
