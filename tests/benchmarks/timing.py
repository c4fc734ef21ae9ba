"""The measurements. What is compared runs in turns, A B A B, so that what disturbs the machine disturbs both."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import checks, work
from .capture import FILE_HEADER, records, write_capture
from .processes import ROOT, Commands, Used, run
from .report import Row, seconds, spread
from .work import CATS, FORMATS, STAGES, TXT2TXT, Material, Peer

KNOWN_TXT2TXT = 40_000 / 510_000  # packets/s of 1.16's pkt-txt2txt, as a part of tcprewrite's in the same run
KNOWN_PIPE = 20_000 / 510_000  # the same of 1.16's pipe of four commands
LIMIT = 24 << 20  # bytes that no process of a pipe should exceed
FILES, EACH = 800, 20  # small captures, and packets in each
TEED = "pipe, tee between"  # its name
LONG = 45  # how many times the capture a long stream is, to see that memory does not grow: 18 million packets, 5 GB


@dataclass(frozen=True)
class Contestant:
    """What is timed. `expected`: what it must write to `target`, which it opens itself where `opens`; without one, to /dev/null.

    Who opens it itself says in any case what it is: to empty it is no part of the next run. Raises ValueError.
    """

    name: str
    commands: Commands
    packets: int
    source: Path | None = None
    target: Path | None = None
    expected: Path | None = None
    codec: str = ""
    opens: bool = False
    more: dict[str, str] | None = None  # of the environment

    def __post_init__(self) -> None:
        if self.opens and self.target is None:
            raise ValueError(f"{self.name}: nobody says what it writes")

    def once(self) -> Used:
        """One run, and whether its output is right, which takes no part of the time."""
        if self.target:
            self.target.unlink(missing_ok=True)  # to free its pages is no part of what is timed
        used = run(self.commands, self.source, None if self.opens else self.target, codec=self.codec, more=self.more)
        if self.target and self.expected:
            checks.same(self.expected, self.target, self.name)
        return used


Results = dict[str, list[Used]]
Pair = tuple[Contestant, Contestant]
Pairs = Callable[[str, int, Path], Sequence[Pair]]


def rounds(contestants: Sequence[Contestant], runs: int) -> Results:
    """Lets all of them run in turns, `runs` times. One round before does not count: it fills the page cache."""
    results: Results = {contestant.name: [] for contestant in contestants}
    for number in range(runs + 1):
        for contestant in contestants:
            used = contestant.once()
            if number:
                results[contestant.name].append(used)
    return results


def row(contestant: Contestant, results: Results, remark: str = "") -> Row:
    """The medians of one contestant; MB are 10^6 bytes of what it reads."""
    used = results[contestant.name]
    wall, size = median(u.wall for u in used), contestant.source.stat().st_size if contestant.source else 0
    return Row(
        contestant.name, f"{contestant.packets:,}", seconds([u.wall for u in used]), seconds([u.cpu for u in used]),
        f"{contestant.packets / wall:,.0f}", f"{size / wall / 1e6:,.0f}", remark=remark,
    )  # fmt: skip


def ratio(one: Contestant, other: Contestant, results: Results, known: float = 0) -> Row:
    """One against another, per packet, pair by pair. known: packets/s of 1.16 as a part of tcprewrite's."""
    pairs = list(zip(results[one.name], results[other.name], strict=True))
    scale = other.packets / one.packets if one.packets else 1
    walls = [a.wall / b.wall * scale for a, b in pairs]
    cpus = [a.cpu / b.cpu * scale for a, b in pairs]
    rates = [1 / wall for wall in walls if one.packets]
    remark = f"1.16: {known:.3f} of its packets/s; now {median(rates) / known:.1f} times that" if known else ""
    return Row(f"{one.name} ÷ {other.name}", "", spread(walls), spread(cpus), spread(rates) if rates else "", remark=remark)


def compared(pairs: Sequence[Pair], runs: int) -> list[Row]:
    """The rows of all, then of each pair: the one against the other."""
    everyone = list({one.name: one for pair in pairs for one in pair}.values())
    results = rounds(everyone, runs)
    return [row(one, results) for one in everyone] + [ratio(one, other, results) for one, other in pairs]


def beside(pairs_of: Pairs, codecs: Sequence[str], count: int, least: int, runs: int, folder: Path) -> list[Row]:
    """The same for the fastest codec, of so many packets; what the others write is looked at, of the least number. Raises Failed.

    pairs_of: who is compared, of a codec and a number of packets, in a folder; it looks at what they write.
    """
    for codec in codecs[1:]:
        pairs_of(codec, least, folder)
    return compared(pairs_of(codecs[0], max(count, least), folder), runs)


def stages(materials: Sequence[Material], runs: int) -> list[Row]:
    """Every command alone, from a file to /dev/null."""
    rows = []
    for material in materials:
        for form in FORMATS:
            for stage in STAGES:
                source = material.stream(stage.reads if form == "text" else "pcap")
                name = f"{' '.join(stage.command(form))} < {source.suffix[1:]}, {material.codec}"
                contestant = Contestant(name, [stage.command(form)], material.packets, source, codec=material.codec)
                rows.append(row(contestant, rounds([contestant], runs)))
    return rows


def _pipes(material: Material, folder: Path) -> list[Contestant]:
    """The pipe of four commands with batches, text and pcap between them, and in one process; its output is checked here."""
    expected = folder / f"pipe-{material.codec}.expected"
    checks.pipe(material, material.codec, expected)
    text, pcap = work.pipe("text"), work.pipe("pcap")
    forms = {
        "pipe, batches between": (text, None), "pipe, text between": (text, work.TEXT_LANE), "pipe, pcap between": (pcap, None),
        TEED: (work.teed(text), None), "pkt-pipe": (work.ONE, None),
    }  # fmt: skip
    return [
        Contestant(f"{name}, {material.codec}", commands, material.packets, material.pcap,
                   folder / "pipe.pcap", expected, material.codec, more=more)
        for name, (commands, more) in forms.items()
    ]  # fmt: skip


def _peers(material: Material, peers: Sequence[Peer], folder: Path) -> list[Contestant]:
    """Other programs; their output is checked here."""
    found = []
    for peer in peers:
        expected, target = folder / f"{peer.name}.expected", folder / "peer.pcap"
        checks.peer(material, peer, expected)
        commands = [peer.command(material.pcap, target)]
        found.append(Contestant(peer.name, commands, material.packets, material.pcap, target, expected, opens=True))
    return found


def pipes(materials: Sequence[Material], peers: Sequence[Peer], runs: int, folder: Path) -> list[Row]:
    """The pipe beside other programs and beside a pipe that does nothing; the Python codec's pkt-txt2txt beside them."""
    largest = materials[0]
    ours = [contestant for material in materials for contestant in _pipes(material, folder)]
    texts = [Contestant(f"pkt-txt2txt, {m.codec}", [TXT2TXT.words], m.packets, m.text, codec=m.codec) for m in materials[-1:]]
    others = _peers(largest, peers, folder)
    cats = Contestant("cat | cat | cat | cat", CATS, largest.packets, largest.text)
    tees = Contestant("cat | tee | cat | tee | cat | tee | cat", work.teed(CATS), largest.packets, largest.text)
    pair = Contestant("cat | cat", CATS[:2], largest.packets, largest.text)
    copies = [
        Contestant("pkt-txt2txt", [TXT2TXT.words], largest.packets, largest.text, codec=largest.codec),
        Contestant("cat | pkt-txt2txt", [CATS[0], TXT2TXT.words], largest.packets, largest.text, codec=largest.codec),
    ]
    everyone = [*ours, *others, cats, tees, pair, *copies, *texts]
    results = rounds(everyone, runs)
    rows = [row(contestant, results) for contestant in everyone]
    for other in others:
        if other.name == "tcprewrite":
            rows += [ratio(one, other, results, KNOWN_PIPE) for one in ours]
            rows += [ratio(one, other, results, KNOWN_TXT2TXT) for one in texts]
        else:
            rows += [ratio(one, other, results) for one in ours if one.codec == largest.codec]
    rows += [ratio(one, pair, results) for one in copies]
    fastest = [one for one in ours if one.codec == largest.codec]
    rows += [ratio(one, cats, results) for one in fastest]
    return rows + [ratio(one, tees, results) for one in fastest if one.name.startswith(TEED)] + [ratio(tees, cats, results)]


def several(runs: int, folder: Path) -> list[Row]:
    """Many small captures that one command reads, beside mergecap, which puts one behind the other as well."""
    whole, target, small = folder / "whole.pcap", folder / "several.pcap", folder / "several"
    write_capture(whole, FILES * EACH)
    small.mkdir()
    head, packets = whole.read_bytes()[: FILE_HEADER.size], [header + frame for header, frame in records(whole)]
    paths = [str(small / f"{number}.pcap") for number in range(FILES)]
    for number, path in enumerate(paths):
        Path(path).write_bytes(head + b"".join(packets[number * EACH : (number + 1) * EACH]))
    commands = {f"pkt-txt2pcap --in, {FILES} files": ["pkt-txt2pcap", *(word for path in paths for word in ("--in", path))]}
    if shutil.which("mergecap"):
        commands["mergecap -a"] = ["mergecap", "-a", "-F", "pcap", "-w", str(target), *paths]
    everyone = []
    for name, words in commands.items():
        opens, expected = str(target) in words, folder / f"several-{words[0]}.expected"
        run([words], None, None if opens else target)
        checks.edited(whole, target, work.same_frame, name)
        target.rename(expected)
        everyone.append(Contestant(name, [words], FILES * EACH, target=target, expected=expected, opens=opens))
    results = rounds(everyone, runs)
    rows = [row(one, results) for one in everyone]
    shutil.rmtree(small)
    return rows + [ratio(everyone[0], one, results) for one in everyone[1:]]


def interpreter() -> str:
    """The Python that bin/pkt starts."""
    own = ROOT / ".venv" / "bin" / "python"
    return str(own) if os.access(own, os.X_OK) else "python3"


def _modules(contestant: Contestant) -> int:
    """How many modules are imported: Python says a line for each, after a heading."""
    said = run(contestant.commands, codec=contestant.codec, more={"PYTHONPROFILEIMPORTTIME": "1"}).said
    return sum(line.startswith("import time:") for line in said.splitlines()) - 1


def startup(codecs: Sequence[str], runs: int) -> list[Row]:
    """What it takes to start a command that has nothing to do."""
    bare = Contestant("python3 -c pass", [[interpreter(), "-c", "pass"]], 0)
    launched = [Contestant(f"pkt-txt2txt < /dev/null, {codec}", [["pkt-txt2txt"]], 0, codec=codec) for codec in codecs]
    launched += [Contestant(f"pkt-pipe of two < /dev/null, {codec}", work.ONE, 0, codec=codec) for codec in codecs]
    everyone = [bare, *launched]
    results = rounds(everyone, runs)
    rows = []
    for one in everyone:
        wall, cpu = ([getattr(used, name) for used in results[one.name]] for name in ("wall", "cpu"))
        rows.append(Row(one.name, "", seconds(wall), seconds(cpu), remark=f"{_modules(one)} modules"))
    return rows + [ratio(one, bare, results) for one in everyone[1:]]


def _feeder(pcap: Path, times: int) -> list[str]:
    """A command that writes a capture, and its packets again until they have come `times` times."""
    again = "n=$2; while [ $((n -= 1)) -gt 0 ]; do tail -c +" + f'{FILE_HEADER.size + 1} "$1"; done'
    return ["sh", "-c", f'cat "$1"; {again}', "sh", str(pcap), str(times)]


def memory(materials: Sequence[Material]) -> list[Row]:
    """Peak memory of each process of the pipe, over streams of different lengths."""
    rows = []
    for material in materials:
        lengths = (1, LONG if material.codec == "c" else 4)
        for form in FORMATS:
            peaks = [run([_feeder(material.pcap, n), *work.pipe(form)], codec=material.codec).peaks[1:] for n in lengths]
            growth = max(long / short for short, long in zip(*peaks, strict=True))
            name = f"memory, {form} between, {material.codec}"
            for times, found in zip(lengths, peaks, strict=True):
                below = "all below 24 MiB" if max(found) < LIMIT else "ABOVE 24 MiB"
                remark = below if times == 1 else f"{below}; at most {growth:.2f} times that of 1x"
                rows.append(Row(f"{name}, {times}x", f"{times * material.packets:,}", peak=_mebibytes(found), remark=remark))
    return rows


def floor() -> float:
    """MiB that every peak is at least: a child counts the memory of the process that started it, this one."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _mebibytes(sizes: Sequence[int]) -> str:
    """Sizes in bytes, in MiB."""
    return " ".join(f"{size / (1 << 20):.1f}" for size in sizes)
