"""pkt-segment, super-frames of 64 KiB: python -m tests.benchmarks.segmenting

Beside `cat`, which copies the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from .capture import checksum, records, write_frames
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row

SIZE, EACH = 65_160, 1448  # octets of data of a super-frame, and of each of its 45 segments
LEAST = 20  # super-frames
PART = 200  # packets of other benchmarks that make one of them
SEGMENT = ["pkt-segment", "--size", str(EACH), "-F", "pcap"]
ADDRESSES = bytes([192, 0, 2, 1, 192, 0, 2, 2])


def segment(data: bytes, number: int, sequence: int, last: bool) -> bytes:
    """A frame with a segment: the number is the ID, PSH is in the last one."""
    head = (
        b"\x9c\x40\x00\x50" + (sequence & 0xFFFFFFFF).to_bytes(4, "big") + bytes([0, 0, 0, 1, 0x50, 0x18 if last else 0x10, 2, 0])
    )
    tail = bytes(2) + data
    value = checksum(ADDRESSES + (6).to_bytes(2, "big") + (20 + len(data)).to_bytes(2, "big") + head + bytes(2) + tail)
    front = b"\x45\0" + (40 + len(data)).to_bytes(2, "big") + (number & 0xFFFF).to_bytes(2, "big") + b"\x40\0\x40\x06"
    front += checksum(front + ADDRESSES).to_bytes(2, "big") + ADDRESSES
    return bytes.fromhex("020000000002 020000000001 0800") + front + head + value.to_bytes(2, "big") + tail


def whole(count: int) -> Iterator[bytes]:
    """Super-frames that follow each other."""
    data = bytes(i * 7 % 251 for i in range(SIZE))
    return (segment(data, i * 45, i * SIZE, True) for i in range(count))


def pieces(count: int) -> Iterator[bytes]:
    """What becomes of them."""
    data = bytes(i * 7 % 251 for i in range(SIZE))
    for i in range(count):
        for k, at in enumerate(range(0, SIZE, EACH)):
            yield segment(data[at : at + EACH], i * 45 + k, i * SIZE + at, at + EACH == SIZE)


def segmenting(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed when anything else is written."""
    few, many = folder / "few.pcap", folder / "many.pcap"
    write_frames(few, whole(LEAST))
    wanted = list(pieces(LEAST))
    for codec in codecs:
        target = folder / f"segments-{codec}.pcap"
        run([SEGMENT], few, target, codec=codec)
        if [frame for _, frame in records(target)] != wanted:
            raise Failed(f"pkt-segment, {codec}: what it writes is wrong")
    count = max(packets // PART, LEAST)
    write_frames(many, whole(count))
    ours = Contestant(f"pkt-segment, {codecs[0]}", [SEGMENT], count, many, codec=codecs[0])
    cat = Contestant("cat, the same bytes", [["cat"]], count, many)
    results = rounds([ours, cat], runs)
    rows = [row(ours, results), row(cat, results), ratio(ours, cat, results)]
    return rows, f"Cut {count:,} super-frames of 64 KiB into 45 segments each."


def main(argv: Sequence[str] | None = None) -> int:
    """Measures super-frames alone; gives the exit code."""
    return alone(segmenting, argv)


if __name__ == "__main__":
    sys.exit(main())
