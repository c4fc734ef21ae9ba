"""pkt-check -cs beside tshark with its checksum checks, in MPLS, PPPoE, Geneve and GTP-U: python -m tests.benchmarks.checking

Both let the packets with a wrong checksum through, from pcap to pcap. One in FEW is wrong, inside, of every kind in every stack.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import checks
from .capture import checksum, frames, write_frames
from .processes import run
from .report import Row
from .sending import alone
from .timing import Contestant, ratio, rounds, row
from .work import Peer, same_frame

FEW = 49  # odd, so that all combinations come
PART = 4  # tshark is slow: this part of the packets
LEAST = 200  # packets at least
MACS = bytes.fromhex("00112233445566778899aabb")
OURS = ["pkt-check", "-cs", "-rc", "-F", "pcap"]
WRONG = " or ".join(f'{name}.checksum.status == "Bad"' for name in ("ip", "udp", "tcp", "icmp"))
ASKED = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]
TSHARK = Peer("tshark", ("tshark", "-n", *ASKED, "-r", "{source}", "-Y", WRONG, "-F", "pcap", "-w", "{target}"), same_frame)


def mpls(frame: bytes) -> bytes:
    """A packet behind two labels (RFC 3032)."""
    return MACS + bytes.fromhex("8847 00010040 00011140") + frame[14:]


def pppoe(frame: bytes) -> bytes:
    """A packet in a PPP session over Ethernet (RFC 2516)."""
    return MACS + struct.pack("!HBBHHH", 0x8864, 0x11, 0, 1, len(frame) - 12, 0x0021) + frame[14:]


def over_udp(port: int, carried: bytes) -> bytes:
    """What goes to a port, without a checksum of UDP: tunnels over IPv4 have none, as a rule."""
    size = 28 + len(carried)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 17, 0, bytes([10, 2, 0, 1]), bytes([10, 2, 0, 2]))
    ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
    return MACS + b"\x08\x00" + ip + struct.pack("!HHHH", 50000, port, size - 20, 0) + carried


def geneve(frame: bytes) -> bytes:
    """A frame in Geneve, without options (RFC 8926)."""
    return over_udp(6081, bytes.fromhex("0000655800000100") + frame)


def gtp_u(frame: bytes) -> bytes:
    """A packet in GTP-U (3GPP TS 29.281)."""
    return over_udp(2152, struct.pack("!BBHI", 0x30, 0xFF, len(frame) - 14, 1) + frame[14:])


STACKS: tuple[Callable[[bytes], bytes], ...] = (mpls, pppoe, geneve, gtp_u)


def stacked(count: int) -> Iterator[tuple[bytes, bool]]:
    """Packets of the reference capture, every kind in every stack, and whether a checksum is wrong: the last byte is another."""
    for number, frame in enumerate(frames(count)):
        wrong = number % FEW == 0
        yield STACKS[(number + number // len(STACKS)) % len(STACKS)](frame[:-1] + bytes([frame[-1] ^ wrong])), wrong


def contestants(codec: str, count: int, folder: Path) -> list[Contestant]:
    """pkt-check, and last tshark where it is installed; both let through what they should, or Failed is raised."""
    every, wrong = folder / "stacks.pcap", folder / "wrong.pcap"
    write_frames(every, (frame for frame, _ in stacked(count)))
    write_frames(wrong, (frame for frame, is_wrong in stacked(count) if is_wrong), FEW)
    expected = folder / f"stacks-{codec}.expected"
    run([OURS], every, expected, codec=codec)
    checks.edited(wrong, expected, same_frame, f"{' '.join(OURS)}, {codec}")
    chosen = [Contestant(f"pkt-check -cs, tunnels, {codec}", [OURS], count, every, folder / "checked.pcap", expected, codec)]
    if TSHARK.installed:
        expected, target = folder / "tshark.expected", folder / "tshark.pcap"
        theirs = TSHARK.command(every, target)
        run([TSHARK.command(every, expected)])
        checks.edited(wrong, expected, same_frame, TSHARK.name)
        chosen.append(Contestant("tshark, tunnels", [theirs], count, every, target, expected, opens=True))
    return chosen


def checking(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed when other packets are let through."""
    for codec in codecs[1:]:
        contestants(codec, LEAST, folder)
    count = max(packets // PART, LEAST)
    everyone = contestants(codecs[0], count, folder)
    results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone] + [ratio(one, everyone[-1], results) for one in everyone[:-1]]
    return rows, f"Checked {count:,} packets in tunnels" + ("." if TSHARK.installed else "; tshark is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures checking alone; gives the exit code."""
    return alone(checking, argv)


if __name__ == "__main__":
    sys.exit(main())
