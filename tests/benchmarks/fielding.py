"""Fields as lines, beside tshark with the same fields; and text with such lines read, beside the same packets without:
python -m tests.benchmarks.fielding
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from . import checks
from .capture import write_capture
from .processes import Failed, run
from .report import Row
from .sending import alone
from .timing import Contestant, beside
from .work import Peer, same_frame

PART = 4  # tshark is slow: this part of the packets
LEAST = 200  # packets at least
OPTIONS = ("-a", "-aa")
# What the lines of each option say of the reference capture's packets, by tshark's names.
OLD = (
    "eth.dst eth.src eth.type ip.version ip.hdr_len ip.dsfield ip.len ip.id ip.flags ip.ttl ip.proto ip.checksum ip.src ip.dst "
    "udp.srcport udp.dstport udp.length udp.checksum tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.hdr_len tcp.flags "
    "tcp.window_size_value tcp.checksum tcp.urgent_pointer icmp.type icmp.code icmp.checksum data.data"
)
MORE = (
    "ip.dsfield.dscp ip.dsfield.ecn ip.flags.df ip.flags.mf ip.frag_offset icmp.ident icmp.seq tcp.flags.ae tcp.flags.cwr "
    "tcp.flags.ece tcp.flags.urg tcp.flags.ack tcp.flags.push tcp.flags.reset tcp.flags.syn tcp.flags.fin"
)


def tshark(option: str) -> Peer:
    """tshark with the fields of an option."""
    names = OLD if option == "-a" else f"{OLD} {MORE}"
    asked = [word for name in names.split() for word in ("-e", name)]
    return Peer(f"tshark, fields of {option}", ("tshark", "-n", "-r", "{source}", "-T", "fields", *asked), same_frame)


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed when what was written with fields is not read as what it was."""
    pcap, plain = folder / "fields.pcap", folder / f"fields-{codec}.txt"
    write_capture(pcap, count)
    run([["pkt-pcap2txt"]], pcap, plain, codec=codec)
    reading = Contestant(f"pkt-txt2pcap, {codec}", [["pkt-txt2pcap"]], count, plain, codec=codec)
    pairs = []
    for option in OPTIONS:
        text, back = folder / f"fields{option}-{codec}.txt", folder / f"fields-{codec}.back"
        run([["pkt-pcap2txt", option]], pcap, text, codec=codec)
        run([["pkt-txt2pcap"]], text, back, codec=codec)
        checks.edited(pcap, back, same_frame, f"text with {option} and back, {codec}")
        if not text.stat().st_size > 1.3 * plain.stat().st_size:
            raise Failed(f"pkt-pcap2txt {option}, {codec}: there are no fields")
        again = Contestant(f"pkt-txt2pcap < text with {option}, {codec}", [["pkt-txt2pcap"]], count, text, codec=codec)
        pairs.append((again, reading))
        if tshark(option).installed:
            words = tshark(option).command(pcap, Path())
            ours = Contestant(f"pkt-pcap2txt {option}, {codec}", [["pkt-pcap2txt", option]], count, pcap, codec=codec)
            pairs.append((ours, Contestant(tshark(option).name, [words], count)))
    return pairs


def fielding(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    count = max(packets // PART, LEAST)
    rows = beside(contestants, codecs, count, LEAST, runs, folder)
    return rows, f"Fields of {count:,} packets" + ("." if tshark("-a").installed else "; tshark is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures fields alone; gives the exit code."""
    return alone(fielding, argv)


if __name__ == "__main__":
    sys.exit(main())
