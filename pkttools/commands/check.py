"""Lets valid packets through: whole, with sizes that fit.

pkt-check -cs < packets.txt

What it drops is counted on standard error, by reason. Fragments are valid by themselves.
With --quiet or --list the exit code says whether all are valid.
"""

from __future__ import annotations

from .. import codec
from ..batch import ROW_BYTES, Batch, marked
from ..codec import CORRECTED, MALFORMED, OBSCURE, TRUNCATED, UNFINISHED, WRONG
from ..command_line.options import FLAG, OUTPUT, Option, Values, filter_briefly
from ..errors import counted, judged, need
from ..flow.stage import Source, Stage, each
from ..formats.files import Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = [
    Option("-cs --checksums", FLAG, "checksums must be right, too"),
    Option("-rc --reverse-check", FLAG, "let the invalid ones through instead"),
    Option("-q --quiet", FLAG, "write no packets: exit code 1 when one is not valid"),
    Option("--list", FLAG, "write what is wrong, and where, a line each; exit code 1"),
    *filter_briefly(),
]
REASONS = {
    TRUNCATED: "truncated",
    MALFORMED: "malformed",
    WRONG: "with a wrong checksum",
}
UNKNOWN = "whose checksum is not known: it covers the end of an unknown route"


def place(values: Values) -> str:
    """Where it writes no packets, nothing can come behind it."""
    return "last" if values.quiet or values.list else ""


def stage(values: Values) -> Stage:
    """Checks, and says what was found. Raises UsageError."""
    judging = values.quiet or values.list
    need(not (values.quiet and values.list), "--quiet and --list: one of them")
    need(not (judging and values.reverse_check), "-rc says which packets are written: --quiet and --list write none")
    for option in values.given(OUTPUT) if judging else ():
        fits = values.list and option.attribute in ("output", "compress")
        need(fits, f"{option.names[-1]} is for packets: --quiet and --list write none")
    beyond: dict[int, int] = {}
    counts = dict.fromkeys((*REASONS, UNFINISHED, OBSCURE), 0)
    invalid = {*REASONS, UNFINISHED} if values.checksums else {TRUNCATED, MALFORMED}
    valid = bytes(outcome not in invalid for outcome in range(256))
    passes = bytes(one ^ bool(values.reverse_check or values.list) for one in valid)

    def checked(batch: Batch) -> Batch:
        outcomes = codec.check(batch.data, batch.rows, beyond)
        if outcomes.count(CORRECTED) < len(outcomes):
            for outcome in counts:
                counts[outcome] += outcomes.count(outcome)
        if values.list and (made.wants_some or made.failing):
            made.valid(Batch(batch.data, codec.pick(batch.rows, outcomes, valid)))
        rows = codec.pick(batch.rows, outcomes, passes)
        return batch if len(rows) == len(batch.rows) else Batch(batch.data, rows, batch.chosen)

    def account() -> list[str]:
        reasons = {outcome: f"{counts[outcome]} {reason}" for outcome, reason in REASONS.items()}
        if counts[UNFINISHED]:
            reasons[WRONG] = judged(counts[WRONG], counts[UNFINISHED])
        parts, passed = ([reason for outcome, reason in reasons.items()
                          if (counts[outcome] or (outcome == WRONG and counts[UNFINISHED])) and (outcome in invalid) == dropped]
                         for dropped in (True, False))  # fmt: skip
        said = [f"{counted(sum(counts[outcome] for outcome in invalid), 'packet')} not valid: {', '.join(parts)}"] if parts else []
        if passed and values.verbose:
            said.append(f"valid without -cs: {', '.join(passed)}")
        if counts[OBSCURE] and values.checksums:
            said.append(f"{counted(counts[OBSCURE], 'packet')} {UNKNOWN}")
        return said

    def fails() -> bool:
        return bool(judging) and any(counts[outcome] for outcome in invalid)

    def sink(source: Source) -> Sink:
        if values.quiet:
            return Nothing()
        from ..views.unsound import UnsoundSink  # late: seldom

        made.origin = source
        return UnsoundSink(Output(values.output, source.file, compress=values.compress), made.places, bool(values.checksums))

    made = Judging(values, [each(checked)], account=account, beyond=beyond, slip=True, fails=fails, sink=sink if judging else None,
                    apart=not judging, tallies=[counts])  # fmt: skip
    need(not (judging and made.assignments), "an assignment is for packets that are written: --quiet and --list write none")
    made.writes_nothing = bool(values.quiet)
    return made


class Nothing(Sink):
    """Writes nothing."""

    def write(self, batch: Batch) -> None:
        """Takes a batch."""

    def close(self) -> list[str]:
        """Ends."""
        return []


class Judging(Stage):
    """A stage that knows which packets of its input are in hand, and hands on those that are not valid to be listed.

    last: the rows that came last, before any were picked. good: valid packets, where others are listed.
    """

    origin: Source | None = None  # where packets come from, once that is known
    last = bytearray()
    good = 0
    at = before = 0  # which of the files is read, and packets that came from those before it

    def wanted(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """The batches that the stage works on."""

        def seen() -> Iterator[Batch]:
            for batch in stream:
                self.last = batch.rows
                if self.origin and self.origin.file and self.origin.file.at != self.at:
                    self.at, self.before = self.origin.file.at, self.came
                yield batch

        return super().wanted(seen())

    def ask(self, batch: Batch) -> None:
        """Asks --fail-if of packets that pass, which those do not that are listed."""
        if not self.values.list:
            super().ask(batch)

    def valid(self, batch: Batch) -> None:
        """Takes note of valid packets, where others are listed."""
        super().ask(batch)
        self.good += len(batch)

    @property
    def some(self) -> bool:
        """Whether a packet has passed, by itself or as a valid one."""
        return bool(self.good if self.values.list else self.passed)

    def places(self, batch: Batch) -> list[str]:
        """Where packets are that were picked of those that came last: `FILE:NUMBER`; `packet NUMBER` behind other stages."""
        count = len(self.last) // ROW_BYTES
        if self.place > 1 or not self.origin:
            name, first = "packet ", self.came - count + 1
        else:
            file = self.origin.file
            name, first = f"{file.name}:" if file else "packet ", self.came - self.before - count + 1
        return [f"{name}{first + i}" for i, picked in enumerate(marked(self.last, batch.rows)) if picked]
