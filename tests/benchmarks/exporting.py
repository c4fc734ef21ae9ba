"""JSON and tables of fields beside tshark's, and JSON read again: python -m tests.benchmarks.exporting"""

from __future__ import annotations

import json
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
LEAST = 200  # packets at least, and those whose JSON is compared with tshark's
FIELDS = {  # ours, and what tshark calls them
    "IP.SRC_ADDR": "ip.src",
    "IP.DST_ADDR": "ip.dst",
    "IP.TTL": "ip.ttl",
    "IP.PROTOCOL": "ip.proto",
    "TCP.SRC_PORT": "tcp.srcport",
    "TCP.DST_PORT": "tcp.dstport",
    "UDP.SRC_PORT": "udp.srcport",
    "UDP.DST_PORT": "udp.dstport",
}
JSON = ["pkt-analyze", "--json"]
TABLE = ["pkt-analyze", "--fields", ",".join(FIELDS)]


def tshark(words: Sequence[str]) -> Peer:
    """tshark, with what it writes."""
    return Peer(f"tshark {' '.join(words[:2])}", ("tshark", "-n", "-r", "{source}", *words), same_frame)


JSON_OF_TSHARK = tshark(["-T", "json"])
TABLE_OF_TSHARK = tshark(["-T", "fields", *(word for name in FIELDS.values() for word in ("-e", name))])


def layers_of(packet: dict) -> dict[str, str]:
    """What tshark's JSON says of the fields."""
    found: dict[str, str] = {}
    for layer in packet["_source"]["layers"].values():
        if isinstance(layer, dict):
            found |= {name: value for name, value in layer.items() if isinstance(value, str)}
    return found


def compare(codec: str, folder: Path) -> None:
    """Raises Failed when a table or JSON is not what tshark makes of the same packets."""
    pcap, ours, theirs = folder / "few.pcap", folder / f"few-{codec}", folder / "few.tshark"
    write_capture(pcap, LEAST)
    run([JSON], pcap, ours, codec=codec)
    objects = [json.loads(line) for line in ours.read_text().splitlines()]
    if JSON_OF_TSHARK.installed:
        run([JSON_OF_TSHARK.command(pcap, Path())], None, theirs)
        for one, other in zip(objects, json.loads(theirs.read_text()), strict=True):
            known = layers_of(other)
            for name, called in FIELDS.items():
                layer, _, field = name.partition(".")
                if str(one.get(layer, {}).get(field)) != str(known.get(called)):
                    raise Failed(f"--json, {codec}: {name} of packet {one['number']} is not what tshark says")


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed when what was written is wrong."""
    compare(codec, folder)
    pcap, told, back = folder / "export.pcap", folder / f"export-{codec}.json", folder / f"export-{codec}.back"
    write_capture(pcap, count)
    run([JSON], pcap, told, codec=codec)
    run([["pkt-json2txt", "-F", "pcap"]], told, back, codec=codec)
    checks.edited(pcap, back, same_frame, f"JSON and back, {codec}")
    table, theirs = folder / f"export-{codec}.tsv", folder / "export.tsv"
    run([TABLE], pcap, table, codec=codec)
    head, _, rest = table.read_bytes().partition(b"\n")
    if head != "\t".join(FIELDS).encode():
        raise Failed(f"--fields, {codec}: there are no names")
    reading = Contestant(f"pkt-json2txt -F pcap, {codec}", [["pkt-json2txt", "-F", "pcap"]], count, told, codec=codec)
    text = folder / f"export-{codec}.txt"
    run([["pkt-pcap2txt", "-aa"]], pcap, text, codec=codec)
    pairs = [(reading, Contestant(f"pkt-txt2pcap < text with -aa, {codec}", [["pkt-txt2pcap"]], count, text, codec=codec))]
    for name, words, peer in (("--json", JSON, JSON_OF_TSHARK), ("--fields", TABLE, TABLE_OF_TSHARK)):
        if peer.installed:
            command = peer.command(pcap, Path())
            if name == "--fields":
                run([command], None, theirs)
                if theirs.read_bytes() != rest:
                    raise Failed(f"--fields, {codec}: the table is not tshark's")
            ours = Contestant(f"pkt-analyze {name}, {codec}", [words], count, pcap, codec=codec)
            pairs.append((ours, Contestant(peer.name, [command], count)))
    return pairs


def exporting(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    count = max(packets // PART, LEAST)
    rows = beside(contestants, codecs, count, LEAST, runs, folder)
    return rows, f"JSON and tables of {count:,} packets" + ("." if JSON_OF_TSHARK.installed else "; tshark is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures JSON and tables alone; gives the exit code."""
    return alone(exporting, argv)


if __name__ == "__main__":
    sys.exit(main())
