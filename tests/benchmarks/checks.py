"""Whether what the commands write is right. What is wrong is not timed."""

from __future__ import annotations

import filecmp
from itertools import zip_longest
from pathlib import Path

from . import work
from .capture import file_header, records
from .processes import Failed, run
from .work import FORMATS, STAGES, TXT2PCAP, Edit, Material, Peer, Stage

MISSING = (b"", b"")


def same(one: Path, other: Path, what: str) -> None:
    """Raises Failed unless two files are equal, byte for byte."""
    if not filecmp.cmp(one, other, shallow=False):
        raise Failed(f"{what}: outputs differ")


def edited(before: Path, after: Path, edit: Edit, what: str) -> None:
    """Raises Failed unless the capture `after` is `before` with every frame edited: times, lengths, bytes, number of records."""
    if file_header(before) != file_header(after):
        raise Failed(f"{what}: the file's header differs")
    wanted = ((header, frame) for header, old in records(before) if (frame := edit(old)) is not None)
    for number, (want, got) in enumerate(zip_longest(wanted, records(after), fillvalue=MISSING), 1):
        if want != got:
            how = "is missing" if got == MISSING else "is one too many" if want == MISSING else "is wrong"
            raise Failed(f"{what}: packet {number} {how}")


def stage(material: Material, chosen: Stage, form: str, codec: str, folder: Path) -> Path:
    """Checks one command on one codec against our own computation; gives the file that it wrote."""
    what = f"{' '.join(chosen.command(form))}, {codec}"
    written, as_pcap = folder / f"{chosen.words[0]}-{form}-{codec}", folder / "stage.pcap"
    run([chosen.command(form)], material.stream(chosen.reads if form == "text" else "pcap"), written, codec=codec)
    if chosen.writes(form) == "pcap":
        edited(material.pcap, written, chosen.edit, what)
    else:
        run([TXT2PCAP.command("text")], written, as_pcap, codec=codec)
        edited(material.pcap, as_pcap, chosen.edit, what)
    return written


def stages(material: Material, codecs: list[str], folder: Path) -> None:
    """Checks every command, in both formats, on all codecs, and that the codecs agree."""
    for chosen in STAGES:
        for form in FORMATS:
            first, *others = [stage(material, chosen, form, codec, folder) for codec in codecs]
            for other in others:
                same(first, other, f"{' '.join(chosen.command(form))}: codecs")
                other.unlink()
            first.unlink()


def pipe(material: Material, codec: str, target: Path) -> None:
    """Checks the pipe of four commands against our own computation, and with it the others. Leaves its output.

    The others: with text and with pcap between them, and in one process.
    """
    other = target.with_suffix(".other")
    run(work.pipe("text"), material.pcap, target, codec=codec)
    edited(material.pcap, target, work.type_8_mended, f"the pipe, {codec}")
    run(work.pipe("text"), material.pcap, other, codec=codec, more=work.TEXT_LANE)
    same(target, other, f"the pipe, {codec}, with batches and with text between its commands")
    run(work.pipe("pcap"), material.pcap, other, codec=codec)
    same(target, other, f"the pipe, {codec}, with batches and with pcap between its commands")
    run(work.ONE, material.pcap, other, codec=codec)
    same(target, other, f"the pipe, {codec}, of four processes and of one")
    other.unlink()


def pipes(material: Material, codecs: list[str], folder: Path) -> None:
    """Checks the pipe on all codecs, and that they agree."""
    for codec in codecs:
        pipe(material, codec, folder / f"pipe-{codec}")
        same(folder / f"pipe-{codecs[0]}", folder / f"pipe-{codec}", "the pipe: codecs")
    for codec in codecs:
        (folder / f"pipe-{codec}").unlink()


def peer(material: Material, other: Peer, target: Path) -> None:
    """Checks that another program does the work that it is compared with. Leaves its output."""
    run([other.command(material.pcap, target)])
    edited(material.pcap, target, other.edit, other.name)
