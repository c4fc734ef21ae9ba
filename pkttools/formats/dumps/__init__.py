"""Hex dumps that other programs write and people paste: which kind it is, is seen from its lines; all are streams.

lines.py: lines, without quotes of mail. rows.py, plain.py, literals.py, base64.py: families of dumps, each with what recognises and
what reads one. times.py: what the text between them tells. link.py: what link type bytes look like. Here: their table, and how
packets become batches.
"""

from __future__ import annotations

import re
import time

from ...batch import Batch, Packet, gathered
from ...errors import PktError, counted
from ...protocols.names import linktype_name
from .. import begun, by_content, capture_format
from ..files import BUFFER
from . import link
from .base64 import Base64
from .lines import Lines
from .literals import Literals
from .plain import Plain
from .reading import Asked, Malformed
from .rows import LAYOUTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..files import Input
    from .reading import Found, Kind, Reader

KINDS: tuple[Kind, ...] = (*LAYOUTS, Literals, Plain, Base64)  # in the order in which they are tried
NAMES = {kind.name: kind for kind in KINDS}
TRIED = 10_000  # lines in which a dump has to begin
OCTAL = re.compile(r"\s*0{6,7}(?:\s+[0-7]{6})+\s*$")
OWN = re.compile(rb"(?:\xef\xbb\xbf)?(?:LINKTYPE:|TRAILER:|-- \d+ --)")  # of our text
ENOUGH = 12  # bytes by which that is known


def recognised(lines: list[str]) -> Kind | None:
    """The kind of dump that begins in the first of these lines in which one begins; None: in none of them."""
    return next((kind for line in lines for kind in KINDS if kind.suits(line)), None)


def packets(source: Input, asked: Asked) -> Iterator[Batch]:
    """The packets of an input of dumps, of whatever kind, or of what others read.

    Raises PktError with the line, after the packets before it.
    """
    buffer = bytearray(BUFFER)
    used = begun(source, buffer, ENOUGH)
    if not asked.dump and (capture_format(buffer, used) or OWN.match(buffer, 0, used)):
        yield from by_content(source, buffer, used)
        return
    dump = Dump(source, asked)
    failed: PktError | None = None
    for lines in Lines(source, buffer, used):
        failed = dump.read(lines)
        if len(batch := dump.batch()):
            yield batch
        if failed:
            break
    if not failed:
        failed = dump.end()
        if len(batch := dump.batch()):
            yield batch
    source.said += dump.said()
    if failed:
        raise failed


class Dump:
    """An input: what reads it, and what is to be said of it."""

    def __init__(self, source: Input, asked: Asked) -> None:
        self.source, self.asked = source, asked
        self.kind: Kind | None = NAMES[asked.dump] if asked.dump else None
        self.reader: Reader | None = self.kind.reader(asked) if self.kind else None
        self.front: list[str] = []  # lines in which no dump begins
        self.link: int | None = None  # of packets that look like none
        self.links: dict[int, int] = {}  # packets by link type
        self.timeless = 0  # those that tell no time

    def read(self, lines: list[str]) -> PktError | None:
        """Reads lines; gives what is wrong with one."""
        if self.reader is None:
            self.front += lines
            self.kind = recognised(self.front)
            if self.kind is None and len(self.front) > TRIED:
                self.kind = self.payloads()
            if self.kind is None:
                return self.unknown() if len(self.front) > TRIED else None
            self.reader, lines, self.front = self.kind.reader(self.asked), self.front, []
        try:
            self.reader.read(lines)
        except Malformed as wrong:
            return self.malformed(wrong, self.reader)
        return None

    def end(self) -> PktError | None:
        """The input has ended; gives what is wrong with that."""
        if self.reader is None and (kind := self.payloads()):
            self.kind, self.reader = kind, kind.reader(self.asked)
            if wrong := self.read(self.front):
                return wrong
        if self.reader is None:
            return self.unknown() if any(line.strip() for line in self.front) else None
        try:
            self.reader.end()
        except Malformed as wrong:
            return self.malformed(wrong, self.reader)
        if not sum(self.links.values()) and not self.reader.found and self.reader.text:
            return PktError(f"{self.source.name}: no dump, read as {self.reader_name()}")
        return None

    def payloads(self) -> Kind | None:
        """The kind of lines in which no dump begins: of payloads a few bytes are enough, where nothing else is there."""
        lines = [line for line in self.front if line.strip()] if self.asked.bare else []
        return Plain if lines and all(map(Plain.is_of_bytes, lines)) else None

    def reader_name(self) -> str:
        """What the dump is read as."""
        return f"{self.kind.name} ({self.kind.what})" if self.kind else ""

    def malformed(self, wrong: Malformed, reader: Reader) -> PktError:
        """What is wrong, with its line."""
        return PktError(f"{self.source.name}:{reader.number}: {wrong} (read as {self.reader_name()})")

    def unknown(self) -> PktError:
        """No dump begins anywhere."""
        from ..foreign import looks_like  # late: seldom

        if any(OCTAL.match(line) for line in self.front):
            return PktError(f"{self.source.name}: words in octal, as od writes them by default: od -t x1 writes bytes")
        head = "\n".join(self.front[:20]).encode("latin-1")
        what = looks_like(head).partition(" but ")[2]
        also = f", but {what}" if what and "hex2txt" not in what else ""
        return PktError(f"{self.source.name}: no dump of a known kind{also}; --dump says which: {', '.join(NAMES)}")

    def batch(self) -> Batch:
        """The packets that were found since the last one."""
        if self.reader is None or not self.reader.found:
            return gathered([])
        found, self.reader.found = self.reader.found, []
        if self.link is None:
            self.link = self.usual(found)
            capture = capture_format(found[0].data, len(found[0].data))
            if capture and self.asked.linktype is None and not self.asked.bare:
                whole = f"{self.source.name}: this is the dump of a whole {capture} file, and no packet"
                raise PktError(f"{whole}: xxd -r makes the file of one that xxd wrote; -lt takes it for a packet")
            self.source.link = self.link if self.source.link is None else self.source.link
        now = time.time_ns() // 1000 * 1000
        made = []
        for one in found:
            linktype = self.link_of(one)
            self.links[linktype] = self.links.get(linktype, 0) + 1
            self.timeless += one.time is None
            made.append(Packet(one.data, one.original, now if one.time is None else one.time, linktype))
        return gathered(made)

    def usual(self, found: list[Found]) -> int:
        """The link type that most of the first packets look like."""
        if self.asked.linktype is not None:
            return self.asked.linktype
        votes: dict[int, int] = {}
        for one in found[:100]:
            linktype, sure = link.looks(one.data)
            votes[linktype] = votes.get(linktype, 0) + sure
        return max(votes, key=lambda linktype: votes[linktype]) if any(votes.values()) else link.ETHERNET

    def link_of(self, found: Found) -> int:
        """The link type of a packet: that of the others, unless it is certain that it has another one."""
        if self.asked.linktype is not None or self.asked.bare:
            return self.link or 0
        linktype, sure = link.looks(found.data)
        return linktype if sure == link.CERTAIN else self.link or 0

    def said(self) -> list[str]:
        """What was recognised, and what was not read as packets."""
        name, reader = self.source.name, self.reader
        if reader is None:
            return []
        links = "; ".join(f"link type {linktype} ({linktype_name(linktype)})" for linktype in self.links)
        if len(self.links) > 1:
            links = "; ".join(f"{count} of link type {one} ({linktype_name(one)})" for one, count in self.links.items())
        what = "bare payloads" if self.asked.bare else links
        said = [f"{name}: read as {self.reader_name()}: {counted(sum(self.links.values()), 'packet')}" + f", {what}" * bool(what)]
        said += [f"{name}: {guess}" for guess in reader.guessed]
        if reader.clock.dateless and self.asked.day is None:
            said.append(f"{name}: times without a date are taken for today: --date says which day")
        if reader.clock.relative and self.asked.day is None:
            said.append(f"{name}: times that count from some beginning count from 1970: --date")
        if 0 < self.timeless < sum(self.links.values()):
            said.append(f"{name}: {counted(self.timeless, 'packet')} without a readable time, as others have, got that of now")
        if reader.asides:
            said.append(f"{name}: {counted(reader.asides, 'dump')} of what is no packet left out")
        if reader.text:
            said.append(f"{name}: {counted(reader.text, 'line')} of text between dumps")
        return said
