"""pkt-diff beside cmp of the same packets as text, and beside tshark twice and diff: python -m tests.benchmarks.comparing

The reference capture: two that are equal; and one that a router has forwarded, with another DSCP in one packet of 64. How many
packets differ is compared first, with what diff finds in the fields that tshark shows of both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .capture import write_capture
from .processes import Failed, environment, run
from .report import Row
from .sending import alone
from .timing import Contestant, beside

PART = 4  # tshark is slow: this part of the packets, of those that a router has forwarded
LEAST = 400  # packets at least
FIELDS = (
    "eth.type ip.version ip.hdr_len ip.dsfield ip.len ip.id ip.flags ip.proto ip.src ip.dst udp.srcport udp.dstport udp.length "
    "tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.hdr_len tcp.flags tcp.window_size_value tcp.urgent_pointer icmp.type "
    "icmp.code icmp.ident icmp.seq data.data"
)
ROUTED = "change IP.TTL-=1 ETHERNET.SRC_ADDR=02:00:00:00:00:09 | correct"
EDITED = "change --if 'IP.ID&0x3f==1' IP.DSCP=9 | correct"


def tshark_twice(one: Path, other: Path) -> str:
    """What a shell runs to find in which of these fields captures differ."""
    asked = " ".join(f"-e {name}" for name in FIELDS.split())
    tables = " ".join(f"tshark -n -r '{path}' -T fields {asked} > '{path}.fields';" for path in (one, other))
    return f"{tables} diff '{one}.fields' '{other}.fields'"


def lines(command: str, sign: str, codec: str = "") -> int:
    """How many lines that begin so a shell command writes, which finds differences. Raises Failed."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment(codec), check=False)
    if done.returncode != 1:
        raise Failed(f"{command}: exit code {done.returncode}\n{done.stderr}")
    return sum(line.startswith(sign) for line in done.stdout.splitlines())


def contestants(codec: str, count: int, folder: Path) -> list[tuple[Contestant, Contestant]]:
    """Who is timed beside whom. Raises Failed where pkt-diff finds something else than there is."""
    one, same, some, other = (folder / f"{name}.pcap" for name in ("one", "same", "some", "routed"))
    write_capture(one, count)
    shutil.copyfile(one, same)
    texts = []
    for path in (one, same):
        texts.append(path.with_suffix(".txt"))
        run([["pkt-pcap2txt"]], path, texts[-1], codec=codec)
    equal = Contestant(f"pkt-diff, equal, {codec}", [["pkt-diff", str(one), str(same)]], count, codec=codec)
    pairs = [(equal, Contestant("cmp, equal texts", [["cmp", *map(str, texts)]], count))]
    run([equal.commands[0]], codec=codec)
    few = max(count // PART, LEAST)
    write_capture(some, few)
    run([["pkt-pipe", ROUTED + " | " + EDITED, "-F", "pcap"]], some, other, codec=codec)
    ours = f"pkt-diff --ignore routing '{some}' '{other}'"
    found = lines(ours, "packet ", codec)
    if not few / 200 < found < few / 50:
        raise Failed(f"pkt-diff, {codec}: {found} packets of {few} differ")
    if shutil.which("tshark"):
        if lines(tshark_twice(some, other), "<") != found:
            raise Failed(f"pkt-diff, {codec}: {found} packets differ, by tshark others do")
        routed = Contestant(f"pkt-diff --ignore routing, {codec}", [["sh", "-c", f"{ours}; [ $? = 1 ]"]], few, codec=codec)
        pairs.append((routed, Contestant("tshark twice, diff", [["sh", "-c", f"{tshark_twice(some, other)}; [ $? = 1 ]"]], few)))
    return pairs


def comparing(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, of the fastest codec, and what there is to say about them. Raises Failed."""
    rows = beside(contestants, codecs, packets, LEAST, runs, folder)
    return rows, f"Compared {packets:,} packets" + ("." if shutil.which("tshark") else "; tshark is not installed.")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures comparisons alone; gives the exit code."""
    return alone(comparing, argv)


if __name__ == "__main__":
    sys.exit(main())
