"""Packets become shorter, or are filled up: what pkt-cut does, in its order."""

from __future__ import annotations

from struct import iter_unpack
from zlib import crc32

from .. import codec
from ..batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, OFFSET, ORIGINAL, fcs_of, link_of, linktype_of
from ..errors import UsageError, need
from .splicing import Passed, Pieces, chosen_parts, spliced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..batch import Batch
    from ..command_line.options import Values
    from ..language.filters import Filter

    Range = tuple[int, int]  # the first byte and the last one; negative ones count from the end
    Step = Callable[[Batch], Iterator[Batch]]

ETHERNET, LEAST_FRAME, FCS = 1, 60, 4  # IEEE 802.3 clauses 3.2.7, 3.2.9: without its check sequence


def ranges_of(texts: list[str]) -> list[Range]:
    """The ranges `A..B`, `A..`, `..B`, `A` of bytes, from 0 on, both with them; -1 is the last one. Raises UsageError."""
    found = []
    for text in texts:
        first, dots, last = text.partition("..")
        try:
            need(bool(first or last) and "_" not in text, "")
            a = int(first or 0)
            b = int(last) if last else -1 if dots else a
            need((a < 0) != (b < 0) or a <= b, "")
        except (ValueError, UsageError):
            raise UsageError(f"--bytes: '{text[:40]}' is no range of bytes: 14..17, 60.., -4..-1") from None
        found.append((a, b))
    return found


class Cutter:
    """Cuts packets, or fills them up; a stage of a flow. Counts what could not be done, by reason."""

    TALLIES = ("passed",)  # see flow/tallies.py

    def __init__(self, values: Values, ranges: list[Range], guard: Filter | None) -> None:
        self.ranges, self.guard, self.keep = ranges, guard, bool(values.keep)
        self.snap, self.size = values.snap, values.fix_length
        self.passed = Passed()
        self.beyond: dict[int, int] = {}
        wanted: list[tuple[object, Step]] = [
            (values.strip_fcs, self.without_fcs), (values.strip_trailer, self.without_trailer), (ranges, self.without_bytes),
            (values.pad, self.padded), (self.size is not None, self.shortened), (self.size is not None, self.lengthened),
            (values.add_fcs, self.with_fcs), (self.snap is not None, self.snapped),
        ]  # fmt: skip
        self.steps = [step for asked, step in wanted if asked]

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, cut or not."""
        for batch in stream:
            for part, chosen in chosen_parts(batch, self.guard):
                yield from self.all_steps(part) if chosen else (part,)

    def all_steps(self, batch: Batch) -> Iterator[Batch]:
        """What becomes of a batch, one step after the other."""
        batches = [batch]
        for step in self.steps:
            batches = [made for one in batches for made in step(one)]
        yield from batches

    def without_fcs(self, batch: Batch) -> Iterator[Batch]:
        """Without a check sequence that is known to be there, as far as it was captured; or that is right."""
        columns, data = batch.columns(), memoryview(batch.data)
        for i in range(0, len(columns), COLUMNS):
            link, size = columns[i + LINKTYPE], columns[i + CAPTURED]
            frame = data[columns[i + OFFSET] : columns[i + OFFSET] + size]
            if fcs_of(link) is None and columns[i + ORIGINAL] <= size and fits(frame):
                columns[i + LINKTYPE] = link_of(link, FCS)
            elif not fcs_of(link):
                self.passed.add("without a check sequence that is known, or right")
        yield batch.without_fcs()

    def without_trailer(self, batch: Batch) -> Iterator[Batch]:
        """Without all that stands behind the packet in its frame, as far as a header says where that ends."""
        batch.without_fcs()
        columns = batch.columns()
        for i, (end,) in zip(range(0, len(columns), COLUMNS), iter_unpack("=q", codec.ends(batch.data, batch.rows)), strict=True):
            if end < max(columns[i + CAPTURED], columns[i + ORIGINAL]):
                columns[i + CAPTURED], columns[i + ORIGINAL] = min(columns[i + CAPTURED], end), end
        yield batch

    def without_bytes(self, batch: Batch) -> Iterator[Batch]:
        """Without the ranges that were asked for: of packets as they are now, none moves another."""
        pieces = Pieces()
        for i, size in enumerate(batch.without_fcs().column(CAPTURED)):
            at = 0
            for first, stop in sorted((max(0, a + size * (a < 0)), min(size, b + size * (b < 0) + 1)) for a, b in self.ranges):
                if stop > max(first, at):
                    pieces.add(i, max(first, at), stop - max(first, at), b"")
                    at = stop
        yield from spliced(batch, pieces, self.keep, self.beyond, self.passed)

    def padded(self, batch: Batch) -> Iterator[Batch]:
        """With zeros for what was not captured, and up to the least size of Ethernet."""
        columns, wanted = batch.columns(), []
        for i in range(0, len(columns), COLUMNS):
            captured, original, link = columns[i + CAPTURED], columns[i + ORIGINAL], columns[i + LINKTYPE]
            size = max(captured, original, LEAST_FRAME if link == ETHERNET else 0)
            if size > MAX_FRAME:
                self.passed.add(f"longer than {MAX_FRAME} bytes")
                size = captured
            elif original != captured:
                columns[i + ORIGINAL] = captured
            wanted.append(size - captured)
        yield from self.filled(batch, wanted)

    def filled(self, batch: Batch, wanted: list[int]) -> Iterator[Batch]:
        """With so many zeros behind each packet, which no length counts."""
        pieces = Pieces()
        for i, (size, more) in enumerate(zip(batch.column(CAPTURED), wanted, strict=True)):
            if more > 0:
                pieces.add(i, size, 0, bytes(more))
        yield from spliced(batch, pieces, True, self.beyond, self.passed)

    def shortened(self, batch: Batch) -> Iterator[Batch]:
        """Without what is beyond the size that is asked for, where all of a packet is there."""
        pieces, columns = Pieces(), batch.without_fcs().columns()
        for i in range(len(batch)):
            captured, original = columns[i * COLUMNS + CAPTURED], columns[i * COLUMNS + ORIGINAL]
            if original > captured and not self.keep:
                self.passed.add("not captured as a whole: --pad fills them up")
            elif captured > self.size:
                columns[i * COLUMNS + ORIGINAL] = captured
                pieces.add(i, self.size, captured - self.size, b"")
        yield from spliced(batch, pieces, self.keep, self.beyond, self.passed)

    def lengthened(self, batch: Batch) -> Iterator[Batch]:
        """With zeros up to that size."""
        columns, wanted = batch.columns(), []
        for i in range(0, len(columns), COLUMNS):
            whole = self.keep or columns[i + ORIGINAL] <= columns[i + CAPTURED]
            if whole:
                columns[i + ORIGINAL] = columns[i + CAPTURED]
            wanted.append(self.size - columns[i + CAPTURED] if whole else 0)
        yield from self.filled(batch, wanted)

    def with_fcs(self, batch: Batch) -> Iterator[Batch]:
        """With a check sequence behind each frame of Ethernet that is there as a whole."""
        pieces, columns, data = Pieces(), batch.columns(), memoryview(batch.data)
        ending = []
        for i in range(len(batch)):
            offset, captured, original, _, link, *_ = columns[i * COLUMNS : (i + 1) * COLUMNS]
            frame, reason = data[offset : offset + captured], ""
            if linktype_of(link) != ETHERNET:
                reason = "not of Ethernet"
            elif original > captured:
                reason = "not captured as a whole"
            elif fcs_of(link):
                reason = "" if fits(frame) else "with a wrong check sequence"
            elif not fits(frame):
                pieces.add(i, captured, 0, crc32(frame).to_bytes(FCS, "little"))
            if reason:
                self.passed.add(reason)
            ending.append(not reason and not fcs_of(link))
        at = 0
        for made in spliced(batch, pieces, True, self.beyond, self.passed):
            columns = made.columns()
            for i in range(LINKTYPE, len(columns), COLUMNS):
                if ending[at]:
                    columns[i] = link_of(linktype_of(columns[i]), FCS)
                at += 1
            yield made

    def snapped(self, batch: Batch) -> Iterator[Batch]:
        """The first bytes, as a capture with that snap length would have them: the size on the wire stays."""
        columns = batch.columns()
        for i in range(0, len(columns), COLUMNS):
            if columns[i + CAPTURED] > self.snap:
                columns[i + ORIGINAL] = max(columns[i + ORIGINAL], columns[i + CAPTURED])
                columns[i + CAPTURED] = self.snap
        yield batch


def fits(frame: memoryview) -> bool:
    """Whether a frame ends with its check sequence: CRC-32, least significant byte first (IEEE 802.3 clause 3.2.9)."""
    return len(frame) > FCS and crc32(frame[:-FCS]) == int.from_bytes(frame[-FCS:], "little")
