"""Assignments to what passes, as pkt-change makes them, where checksums may be left to a network card."""

from __future__ import annotations

from .. import codec
from ..batch import COLUMNS, OFFSET, ROW_BYTES, Batch
from ..errors import UsageError
from ..language.arguments import split_assignment
from ..language.assignments import Assignments
from ..protocols.fields import BY_HEADER
from ..protocols.kinds import carries_message
from ..protocols.shown import read_field
from .ports import NEEDS_CSUM, VIRTIO


class Change:
    """Changes fields.

    follow: checksums follow. One that is left to the card holds the sum of the pseudo-header alone, RFC 9293 section 3.1, and
    the card adds the rest: it is kept so, with other addresses if those changed.
    """

    def __init__(self, text: str, follow: bool) -> None:
        """text: assignments with blanks between them. Raises UsageError."""
        items = split(text)
        self.assignments = Assignments(items)
        self.assignments.follow = follow
        self.addresses = any(name.upper().partition("[")[0].endswith("ADDR") for name, _, _ in items)

    def __call__(self, batch: Batch) -> None:
        """Changes the frames of a batch, where they lie."""
        left = [self.partial(batch, i) for i in self.unfinished(batch)] if self.assignments.follow else []
        self.assignments.run(batch)
        for i, at, value, before in left:
            if before is not None and (after := self.pseudo(batch, i, at)) is not None:
                value = (value + after - before) % 0xFFFF
            batch.data[at : at + 2] = value.to_bytes(2, "big")

    def unfinished(self, batch: Batch) -> list[int]:
        """The frames whose checksum is left to the card, and lies within them."""
        data, head = batch.data, VIRTIO.size
        return [i for i, at in enumerate(batch.column(OFFSET)) if data[at - head] & NEEDS_CSUM and self.place(batch, i) is not None]

    def place(self, batch: Batch, i: int) -> int | None:
        """Where the checksum stands that frame `i` leaves to the card; None: not in it."""
        at, size = batch.columns()[i * COLUMNS : i * COLUMNS + 2]
        _, _, _, _, start, offset = VIRTIO.unpack_from(batch.data, at - VIRTIO.size)
        return at + start + offset if start + offset + 2 <= size else None

    def partial(self, batch: Batch, i: int) -> tuple[int, int, int, int | None]:
        """A frame's number, where its checksum stands, what it holds, and what its addresses add to it."""
        at = self.place(batch, i) or 0
        return i, at, int.from_bytes(batch.data[at : at + 2], "big"), self.pseudo(batch, i, at) if self.addresses else None

    def pseudo(self, batch: Batch, i: int, place: int) -> int | None:
        """The sum of the addresses of the last IP header before a checksum; None: there is none."""
        frame = bytes(batch.frame(i))
        offset = batch.columns()[i * COLUMNS + OFFSET]
        found = None
        for kind, *at in codec.walk(batch.data, batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]):
            if carries_message(kind) and offset + at[0] < place:
                ends = [read_field(row, frame, *at) for row in BY_HEADER[kind] if row.name.endswith("_ADDR")]
                found = sum(end for end in ends if isinstance(end, int)) % 0xFFFF if None not in ends else found
        return found


def split(text: str) -> list[tuple[str, str, str]]:
    """Takes assignments apart: field, operator, value. Blanks in quotes separate nothing; bytes in hex may have some, too.

    Raises UsageError.
    """
    words: list[str] = []
    quoted = False
    for i, part in enumerate(text.split('"')):
        quoted = i % 2 == 1
        if quoted:
            words[-1:] = [(words[-1] if words else "") + f'"{part}"']
            continue
        first, *others = part.split(" ") if part else [""]
        words[-1:] = [(words[-1] if words else "") + first]
        words += others
    if quoted:
        raise UsageError(f"--change '{text}': a quote is missing")
    items: list[tuple[str, str, str]] = []
    for word in filter(None, words):
        item = split_assignment(word)
        if item:
            items.append(item)
        elif items:
            name, operator, value = items[-1]
            items[-1] = name, operator, f"{value} {word}"
        else:
            raise UsageError(f"--change '{text}': '{word}' is no assignment, such as IP.TTL=64")
    if not items:
        raise UsageError("--change: no assignment, such as IP.TTL=64")
    return items
