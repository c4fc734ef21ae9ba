"""pkt-gen --xmit direct beside trafgen, over a wire of our own; pkt-gen check beside capinfos:
python -m tests.benchmarks.generating

Both are one process, go past the queueing discipline (which trafgen does by itself), and send the same frames, of 64 bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .processes import ROOT, Failed, environment, run
from .report import Row
from .sending import FEW, TIMES, Missing, Sending, Wire, alone, wire
from .timing import Contestant, ratio, rounds, row

SIZE = 64  # bytes of a frame
KINDS = {
    "one packet": ["udp", "--size", str(SIZE)],
    "40 different": ["udp", "--size", str(SIZE), "--src", "10.0.0.1..10.0.0.8", "--dport", "1..5"],
}
ALONE = {
    "random addresses": ["udp", "--size", str(SIZE), "--src", "random"],
    "stamps": ["udp", "--size", str(SIZE), "--stamp"],
}


def contestants(
    over: Wire, codecs: Sequence[str], words: Sequence[str], what: str, count: int, config: Path | None
) -> list[Sending]:
    """Who makes so many packets: pkt-gen with each codec, and last trafgen with its configuration, if there is one."""
    ours = ["pkt-gen", *words, "-i", "near", "--xmit", "direct", "--src-mac", "02:00:00:00:00:01", "--count", str(count)]
    chosen = [(f"pkt-gen --xmit direct, {what}, {codec}", ours, codec) for codec in codecs]
    if config:
        theirs = ["trafgen", "--cpus", "1", "--in", str(config), "--out", "near", "-n", str(count)]
        chosen.append((f"trafgen, {what}", theirs, ""))
    return [Sending(name, [[*over.within, *line]], count, codec=codec, over=over, size=SIZE) for name, line, codec in chosen]


def configuration(words: Sequence[str], path: Path) -> Path | None:
    """Writes what trafgen is to do; None where it is not installed."""
    if not shutil.which("trafgen", path=environment("")["PATH"]):
        return None
    with path.open("wb") as file:
        subprocess.run([ROOT / "bin" / "pkt-gen", *words, "--trafgen"], stdout=file, check=True, env=environment(""))
    return path


def checking(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows of pkt-gen check beside capinfos, of the fastest codec. Raises Failed where it does not find what there is."""
    words, path = ["pkt-gen", "udp", "--size", str(SIZE), "--stamp", "--rate", "1000000", "-F", "pcap"], folder / "stamped.pcap"
    run([[*words, "--count", str(packets)]], None, path)
    for codec in codecs:
        report = folder / "report"
        run([["pkt-gen", "check"]], path, report, codec=codec)
        if not report.read_text().startswith(f"packets: {packets} with a stamp, 0 without\nlost: 0 of {packets}\n"):
            raise Failed(f"pkt-gen check, {codec}, does not find what there is")
    ours = Contestant(f"pkt-gen check, {codecs[0]}", [["pkt-gen", "check"]], packets, path, report, report, codec=codecs[0])
    if not shutil.which("capinfos"):
        return [row(ours, rounds([ours], runs))], "capinfos is not installed."
    theirs = Contestant("capinfos", [["capinfos", str(path)]], packets, path)
    results = rounds([ours, theirs], runs)
    return [row(ours, results), row(theirs, results), ratio(ours, theirs, results)], f"Stamps of {packets:,} packets were read."


def generating(codecs: Sequence[str], packets: int, runs: int, folder: Path) -> tuple[list[Row], str]:
    """The rows, and what there is to say about them. Raises Failed when something does not send what it should."""
    count, config, first = packets * TIMES, None, None
    rows, read = checking(codecs, packets, runs, folder)
    try:
        with wire() as over:
            for number, (what, words) in enumerate(KINDS.items()):
                config = configuration(words, folder / f"trafgen-{number}.cfg")
                first = config if first is None else first
                sent = [over.capture(FEW, one.once) for one in contestants(over, codecs, words, what, FEW, config)]
                if any(other != sent[0] for other in sent):
                    raise Failed(f"pkt-gen and trafgen do not send the same: {what}")
                everyone = contestants(over, codecs, words, what, count, config)
                results = rounds(everyone, runs)
                rows += [one.shown(results) for one in everyone]
                if config:
                    rows += [ratio(one, everyone[-1], results) for one in everyone[:-1]]
            for what, words in ALONE.items():
                plain = contestants(over, [], KINDS["one packet"], "one packet", count, first)
                everyone = contestants(over, codecs[:1], words, what, count, None)
                results = rounds([*everyone, *plain], runs)
                rows += [one.shown(results) for one in everyone]
                rows += [ratio(everyone[0], one, results) for one in plain]
    except Missing as error:
        return rows, f"Generating was not measured: {error}. {read}"
    said = f"Made {count:,} packets of {SIZE} bytes and sent them over veth, start-up included"
    return rows, said + (". " if config else "; trafgen is not installed. ") + read


def main(argv: Sequence[str] | None = None) -> int:
    """Measures generating alone; gives the exit code."""
    return alone(generating, argv)


if __name__ == "__main__":
    sys.exit(main())
