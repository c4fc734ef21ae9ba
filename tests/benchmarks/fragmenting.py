"""pkt-fragment, pkt-defragment and pkt-pingrep, a packet that they read: python -m tests.benchmarks.fragmenting

Beside `tcprewrite --ttl=65 -C` over the same packets. Datagrams are those of the reference capture above MTU, so that
all are divided, into two or three; fragments are what becomes of them; requests are its echo requests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from .capture import ICMP, ICMP_TYPE_AT, PROTOCOL_AT, TTL_AT, checksum, frames, mend, records, with_byte, write_frames
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row
from .work import PEERS

MTU = 576
PART = 4  # of the packets of other benchmarks: those that are looked for are few
LEAST = 60  # packets at least
FRAGMENT = ["pkt-fragment", "--mtu", str(MTU), "-F", "pcap"]
DEFRAGMENT = ["pkt-defragment", "-F", "pcap"]
PINGREP = ["pkt-pingrep", "-F", "pcap"]
TCPREWRITE = PEERS[0]


def large() -> Iterator[bytes]:
    """Datagrams to be divided."""
    return (frame for frame in frames(1 << 30) if len(frame) > MTU + 14)


def requests() -> Iterator[bytes]:
    """Echo requests."""
    return (frame for frame in frames(1 << 30) if frame[PROTOCOL_AT] == ICMP and frame[ICMP_TYPE_AT] == 8)


def pieces(frame: bytes) -> Iterator[bytes]:
    """The fragments of a datagram without options (RFC 791 section 3.2)."""
    room, payload = (MTU - 20) // 8 * 8, frame[34:]
    for at in range(0, len(payload), room):
        data = payload[at : at + room]
        word = at // 8 | 0x2000 * (at + room < len(payload))
        head = frame[14:16] + (20 + len(data)).to_bytes(2, "big") + frame[18:20] + word.to_bytes(2, "big") + frame[22:24]
        value = checksum(head + frame[26:34])
        yield frame[:14] + head + value.to_bytes(2, "big") + frame[26:34] + data


def answered(frame: bytes) -> bytes:
    """The answer to an echo request."""
    reply = frame[6:12] + b"\0\x11" + frame[30:34] + frame[12:26] + frame[30:34] + frame[26:30] + frame[34:]
    return mend(with_byte(with_byte(reply, TTL_AT, 255), ICMP_TYPE_AT, 0))


def checked(codec: str, count: int, folder: Path) -> list[tuple[list[str], Path, Path]]:
    """The commands, what they read, and what they must write. Raises Failed where they write anything else."""
    whole, asked = folder / "whole.pcap", folder / "asked.pcap"
    write_frames(whole, islice(large(), count))
    write_frames(asked, islice(requests(), count))
    divided, joined, replies = (folder / f"{name}-{codec}.pcap" for name in ("divided", "joined", "replies"))
    for words, source, target in ((FRAGMENT, whole, divided), (DEFRAGMENT, divided, joined), (PINGREP, asked, replies)):
        run([words], source, target, codec=codec)
    frames_of = {path: [frame for _, frame in records(path)] for path in (whole, asked, divided, joined, replies)}
    for words, target, wanted in (
        (FRAGMENT, divided, [piece for frame in frames_of[whole] for piece in pieces(frame)]),
        (DEFRAGMENT, joined, frames_of[whole]),
        (PINGREP, replies, [answered(frame) for frame in frames_of[asked]]),
    ):
        if frames_of[target] != wanted:
            raise Failed(f"{' '.join(words)}, {codec}: what it writes is wrong")
    return [(FRAGMENT, whole, divided), (DEFRAGMENT, divided, joined), (PINGREP, asked, replies)]


def fragmenting(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed when anything else is written."""
    written = [[target.read_bytes() for *_, target in checked(codec, LEAST, folder)] for codec in codecs]
    if any(other != written[0] for other in written):
        raise Failed("fragments, datagrams or answers: codecs differ")
    count = max(packets // PART, LEAST)
    everyone: list[Contestant] = []
    for words, source, target in checked(codecs[0], count, folder):
        read = sum(1 for _ in records(source))
        everyone.append(Contestant(f"{words[0]}, {codecs[0]}", [words], read, source, folder / "made.pcap", target, codecs[0]))
        if TCPREWRITE.installed:
            theirs = folder / "theirs.pcap"
            command = TCPREWRITE.command(source, theirs)
            everyone.append(Contestant(f"tcprewrite, what {words[0]} reads", [command], read, source, theirs, opens=True))
    results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone]
    if TCPREWRITE.installed:
        rows += [ratio(one, other, results) for one, other in zip(everyone[::2], everyone[1::2], strict=True)]
    said = "." if TCPREWRITE.installed else "; tcprewrite is not installed."
    return rows, f"Divided {count:,} datagrams, and answered as many requests{said}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measures fragments and answers alone; gives the exit code."""
    return alone(fragmenting, argv)


if __name__ == "__main__":
    sys.exit(main())
