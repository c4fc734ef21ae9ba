"""Measures everything and prints one table: python -m tests.benchmarks [--packets 400000] [--runs 5]"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import (
    asking,
    checking,
    checks,
    comparing,
    counting,
    dumping,
    editing,
    exporting,
    fielding,
    files,
    fragmenting,
    generating,
    live,
    pacing,
    processes,
    programs,
    segmenting,
    sending,
    switching,
    timing,
    trickling,
    viewing,
    work,
)
from .capture import write_capture
from .processes import ROOT, Failed, run
from .report import table
from .work import PCAP2TXT, PEERS, Material, Peer

ORIGINAL = ROOT.parent / "shared" / "bench" / "make_capture.py"
CODECS = ("c", "python")  # the faster one first
SLOWER = 8  # the Python codec gets this part of the packets
LEAST = 200  # packets that even the Python codec gets
PARTS = {  # of what is measured beside pipes and commands alone
    "what is sent": sending.sending,
    "what is sent at a rate": pacing.pacing,
    "what is generated": generating.generating,
    "what is checked in tunnels": checking.checking,
    "what is asked": asking.asking,
    "what is compared": comparing.comparing,
    "what is counted": counting.counting,
    "fields as text": fielding.fielding,
    "captures as files": files.files,
    "JSON and tables": exporting.exporting,
    "hex dumps": dumping.dumping,
    "loops of programs": programs.programs,
    "fragments and answers": fragmenting.fragmenting,
    "edits of packets": editing.editing,
    "super-frames": segmenting.segmenting,
    "what is shown": viewing.viewing,
    "a trickle": trickling.trickling,
}
STARTS = 4  # start-up is short and noisy: this many times the runs


def options(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures the commands beside other programs.")
    parser.add_argument("--packets", type=int, default=400_000, help="packets of the capture (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each, of which medians are shown (default: %(default)s)")
    values = parser.parse_args(argv)
    if values.packets < LEAST or values.runs < 1:
        parser.error(f"at least {LEAST} packets and one run")
    return values


def say(text: str) -> None:
    """Says on standard error what is done now."""
    print(text, file=sys.stderr, flush=True)


def codecs() -> list[str]:
    """The codecs that there are, the faster one first."""
    found = []
    for codec in CODECS:
        try:
            run([["pkt-txt2txt", "--version"]], codec=codec)
            found.append(codec)
        except Failed:
            say(f"no codec: {codec}")
    if not found:
        raise Failed("pkt-txt2txt starts with no codec")
    return found


def prepare(codec: str, packets: int, folder: Path) -> Material:
    """Writes the capture for a codec. Its text is written later, when the commands are checked."""
    count = packets if codec == "c" else max(packets // SLOWER, LEAST)
    material = Material(codec, count, folder / f"{codec}.pcap", folder / f"{codec}.txt")
    write_capture(material.pcap, count)
    return material


def as_text(material: Material) -> None:
    """Writes the capture as text, and makes sure that it can be read again."""
    back = material.text.with_suffix(".back")
    run([PCAP2TXT.words], material.pcap, material.text, codec=material.codec)
    run([work.TXT2PCAP.words], material.text, back, codec=material.codec)
    checks.edited(material.pcap, back, work.same_frame, f"capture to text and back, {material.codec}")
    back.unlink()


def original(material: Material) -> str:
    """Compares our capture with that of the program it is like, where that is there. Raises Failed when they differ."""
    if not ORIGINAL.is_file():
        return f"{ORIGINAL.name} is not there to compare with"
    other = material.pcap.with_suffix(".other")
    run([[sys.executable, str(ORIGINAL), str(material.packets), str(other)]])
    checks.same(other, material.pcap, f"our capture and that of {ORIGINAL.name}")
    other.unlink()
    return f"byte-identical to {ORIGINAL.name}'s"


def measure(packets: int, runs: int, folder: Path) -> str:
    """Everything in its order: material, checks, measurements, table. Raises Failed."""
    say("writing captures")
    names = codecs()
    materials = [prepare(name, packets, folder) for name in names]
    likeness = original(materials[0])
    say("checking")
    for material in materials:
        as_text(material)
    checks.stages(materials[-1], names, folder)
    checks.pipes(materials[-1], names, folder)
    peers, said = [peer for peer in PEERS if peer.installed], []
    say("measuring the pipe beside other programs")
    rows = timing.pipes(materials, peers, runs, folder)
    say("measuring commands alone")
    rows += timing.stages(materials, runs)
    say("measuring many small captures")
    rows += timing.several(runs, folder)
    for what, measured in PARTS.items():
        say(f"measuring {what}")
        more, remark = measured(names, packets, runs, folder)
        rows += more
        said.append(remark)
    say("measuring start-up and memory")
    rows += timing.startup(names, runs * STARTS) + timing.memory(materials)
    say("measuring what receives from a wire")
    rows += live.live(runs, packets, folder)
    say("measuring what is forwarded")
    rows += switching.switching(runs, packets)
    remarks = f"Capture {likeness}. Peaks are at least {timing.floor():.1f} MiB. {' '.join(said)}"
    return f"{heading(materials[0], runs, names, peers)}\n{remarks}\n\n{table(rows)}"


def heading(material: Material, runs: int, names: Sequence[str], peers: Sequence[Peer]) -> str:
    """When and on what it was measured, and what was missing."""
    missing = [f"codec {name}" for name in CODECS if name not in names] + [peer.name for peer in PEERS if peer not in peers]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; {material.packets:,} packets, {material.pcap.stat().st_size / 1e6:.0f} MB, "
        f"{material.text.stat().st_size / 1e6:.0f} MB as text; {runs} runs.\nMissing: {', '.join(missing) or 'nothing'}."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; gives the exit code: 1 when a command fails or what it wrote is wrong, never for a time."""
    values = options(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="pkttools-bench-") as folder:
            processes.bytecode = Path(folder) / "bytecode"
            print(measure(values.packets, values.runs, Path(folder)))
    except Failed as error:
        say(f"nothing measured: {error}")
        return 1
    finally:
        processes.bytecode = None  # the folder is gone
    return 0


if __name__ == "__main__":
    sys.exit(main())
