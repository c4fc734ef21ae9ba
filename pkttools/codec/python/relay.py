"""Text through a filter, checksums and assignments, to text, in one step. Twin of ../c/relay.c.

What a stage does that filters, corrects and assigns, for what one read brought: all that asks for more, be it a message, a line or
a number that is to be told, is left to those who do it one by one.
"""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, ROW_BYTES, Program
from .. import CORRECTED, UNFINISHED, WRONG
from .correction import correct
from .program import assign, select
from .text import text_decode, text_encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .rows import Buffer


class Relay:
    """What text goes through, and what became of what has.

    keep: what passes; None: all. guard: where something is assigned; None: everywhere. corrects: what is corrected, as `correct`
    takes it; -1: nothing. width, data_only: how packets are written, from `number` on. linktype: what holds in the text that comes.
    said: what holds in what was written so far; -1: nothing was.
    """

    def __init__(self, keep: Program | None, guard: Program | None, assignments: Program | None, corrects: int, width: int,
                 data_only: bool, linktype: int, said: int, number: int) -> None:  # fmt: skip
        """Raises ValueError for programs that are not sound, and for assignments that take values."""
        if not 1 <= width <= MAX_FRAME:
            raise ValueError("width out of range")
        if corrects >= 0:
            correct(bytearray(), b"", corrects)
        elif corrects != -1:
            raise ValueError("no such correction")
        self.keep, self.guard, self.assignments, self.corrects = keep, guard, assignments, corrects
        self.width, self.data_only, self.linktype, self.said, self.number = width, data_only, linktype, said, number
        self.lines = self.came = self.passed = self.met = self.wrong = 0
        for tests in keep, guard:
            if tests is not None:
                select(bytearray(), b"", tests)
        nothing: tuple[int, ...] = ()
        self.placed = self.cut = nothing
        if assignments is not None:
            _, self.placed, self.cut, _, _ = assign(bytearray(), bytes(ROW_BYTES), assignments, None, False)  # in none of its bytes

    def __call__(self, text: Buffer, now: int) -> bytes | None:
        """One step; see relay_step."""
        size, link = len(memoryview(text)), self.linktype
        consumed, data, decoded, linktype, lines, error, told = text_decode(bytearray(text), 0, size, False, link, 0, now)
        columns, rows = memoryview(decoded).cast("q"), bytes(decoded)
        plain = not error and consumed == size and not any(told) and {linktype, *columns[LINKTYPE::COLUMNS].tolist()} == {link}
        if not rows or not plain or sum(columns[CAPTURED::COLUMNS].tolist()) > size:
            return None
        came = len(rows) // ROW_BYTES
        if self.keep is not None:
            rows = bytes(select(data, rows, self.keep, self.came + 1))
        passed, met = len(rows) // ROW_BYTES, 0
        if passed and self.said != linktype:
            return None
        placed, cut, wrong = self.placed, self.cut, 0
        beyond: dict[int, int] = {}
        if self.corrects >= 0:
            outcomes = correct(data, rows, self.corrects, beyond)
            wrong = outcomes[WRONG]
            if beyond or outcomes[CORRECTED] < passed or any(outcomes[UNFINISHED:]):
                return None
        if self.assignments is not None:
            chosen = rows if self.guard is None else bytes(select(data, rows, self.guard, self.passed + 1))
            met, more, shorter, _, _ = assign(data, chosen, self.assignments, None, False, beyond)
            if beyond:
                return None
            placed, cut = tuple(map(int.__add__, placed, more)), tuple(map(int.__add__, cut, shorter))
        out = text_encode(data, rows, 0, self.number, self.width, self.data_only, 0)[0] if passed else b""
        self.lines, self.came, self.passed, self.met = self.lines + lines, self.came + came, self.passed + passed, self.met + met
        self.number, self.wrong, self.placed, self.cut = self.number + passed, self.wrong + wrong, placed, cut
        return out


def relay_step(relay: Relay, text: Buffer, now: int) -> bytes | None:
    """What becomes of a text; nothing where no packet passes.

    now: the time of packets without TIME, in nanoseconds. None, and nothing changes, where it is not whole packets of the link
    type that holds, or something is to be said: of a line, of bytes, fields or headers; or, of the first packet that passes, of
    what link type it is.
    """
    return relay(text, now)


def relayed(relay: Relay) -> tuple[int, int, int, int, int, tuple[int, ...], tuple[int, ...]]:
    """What went through: lines, packets, those that passed, those that the guard accepted, those with a wrong checksum; in how many
    each assignment was done, and in how many it had no room."""
    return relay.lines, relay.came, relay.passed, relay.met, relay.wrong, relay.placed, relay.cut
