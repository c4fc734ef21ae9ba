"""No packet ends a stream: every command over frames that were damaged, with checksums mended, so that they get far."""

from __future__ import annotations

import random

import pytest
from conftest import shell
from samples import ARP, ethernet, frames, icmp, ipv4, ipv6

from pkttools import codec
from pkttools.batch import ROW_BYTES, Batch, Packet, gathered

COUNT = 1500
CHANGES = "--swap --unwrap --to-ethernet -u IP.TTL-=1 IPV6.HOP_LIMIT=1 UDP.SIZE=9 IP.HEADER_SIZE=24 ETHERNET.TYPE[-1]=0x86dd"
COMMANDS = (
    "pkt-pingrep", "pkt-pingrep --addr 0.0.0.0/0,::/0", "pkt-fragment -fm 60 -fc", "pkt-defragment",
    "pkt-fragment -fc -fm 68 | pkt-defragment", "pkt-analyze -lv 2", "pkt-analyze -lv 5 -x", "pkt-check -cs", "pkt-correct -L",
    "pkt-txt2txt -aa", "pkt-gen check", f"pkt-change {CHANGES}",
)  # fmt: skip


def damaged(random_: random.Random, frame: bytes) -> bytes:
    """A frame of which some bytes are others, more, fewer, or missing at the end."""
    out = bytearray(frame)
    for _ in range(random_.choice((0, 1, 1, 2, 4))):
        at = random_.randrange(len(out) + 1)
        match random_.randrange(4):
            case 0:
                out[at : at + 1] = [
                    random_.choice((0, 1, 2, 4, 6, 8, 17, 41, 44, 47, 58, 60, 0x45, 0x81, 0x87, random_.randrange(256)))
                ]
            case 1:
                del out[at:]
            case 2:
                out[at:at] = random_.randbytes(random_.randrange(9))
            case 3:
                del out[at : at + random_.randrange(1, 9)]
    return bytes(out)


def mutated(seed: int) -> Batch:
    """Packets of all kinds, damaged; requests that pkt-pingrep answers are many among them."""
    random_ = random.Random(seed)
    requests = [(1, ethernet(0x0806, ARP)), (1, ethernet(0x0800, ipv4(1, icmp(8))))]
    requests += [(1, ethernet(0x86DD, ipv6(58, icmp(kind)))) for kind in (128, 135)]
    packets = []
    for _ in range(COUNT):
        linktype, frame = random_.choice(random_.choice((frames(), requests)))
        frame = damaged(random_, frame)
        packets.append(Packet(frame, len(frame) + random_.choice((0, 0, 0, 9)), random_.randrange(10**12), linktype))
    batch = gathered(packets)
    rows = bytes(batch.rows)
    codec.correct(batch.data, rows[: len(rows) // ROW_BYTES // 2 * ROW_BYTES], codec.LENGTHS)
    codec.correct(batch.data, rows, codec.ALL)
    return batch


@pytest.fixture(scope="module")
def stream() -> bytes:
    """The same packets for all commands, as text."""
    batch = mutated(11)
    lines = []
    for i in range(len(batch)):
        p = batch.packet(i)
        lines.append(f"LINKTYPE: {p.linktype}\n-- {i} --\nTIME: {p.time / 1e9:.6f}\nSIZE: {len(p.frame)}/{p.original}")
        lines += [p.frame[at : at + 16].hex(" ") for at in range(0, len(p.frame), 16)] + ["=="]
    return "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_packet_ends_a_stream(backend, stream, command):
    done = shell(command, stream, backend=backend)
    assert b"internal error" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == (command == "pkt-gen check")
    if "analyze" in command or "change" in command or "2txt" in command:
        assert done.stdout.count(b"-- ") >= COUNT
