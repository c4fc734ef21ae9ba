"""Which packet came nearest to one that did not come, and what it misses, field by field."""

from __future__ import annotations

from .. import codec
from ..batch import Batch, gathered
from ..errors import UsageError
from ..language.constants import lettered
from ..language.program import NOTES, ends
from ..protocols.fields import FIELDS, LAYERS, TABLE
from ..views.fields import PLAIN, Column
from ..views.line import SINCE_FIRST, LineSink
from ..views.sequence import Kept
from .expectation import Expectation
from .judging import Judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..compare.differences import Difference

NO_VALUE = 2  # what a condition weighs of which the packet does not even have the field; another one that does not hold: 1


class Miss:
    """What a packet misses. expected: `IP.TTL==64`. value: what it has there; empty: not there; None: that has no value."""

    def __init__(self, expected: str, field: str, value: str | None) -> None:
        self.expected, self.field, self.value = expected, field, value

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.expected}: {'not there' if self.expected.upper() in LAYERS else 'does not hold'}"
        name = self.field.partition("[")[0].upper()
        flags = lettered(TABLE[FIELDS[name][0]], int(self.value)) if name in FIELDS and self.value.isdecimal() else ""
        shown = f"{self.value}, {flags}" if flags else self.value
        return f"{self.expected}: {f'it is {shown}' if shown else 'not there'}"


def nearest(judge: Judge, expectation: Expectation) -> tuple[int, list[Miss]] | None:
    """The number of the packet that misses least, and what; None: none has anything of it.

    Of those that miss as much the first that nobody expects, or else the first.
    """
    if not judge.kept:
        return None
    batch = gathered(packet for _, packet, _ in judge.kept)
    marks = [condition.filter.verdicts(batch) for condition in expectation.conditions]
    best: tuple[tuple[int, bool], int, list[Miss]] | None = None
    most = NO_VALUE * len(marks) + (2 if expectation.whole else 0)
    for i, (number, _, matches) in enumerate(judge.kept):
        found = [miss(condition.text, condition.field, batch, i, number)
                 for condition, mark in zip(expectation.conditions, marks, strict=True) if not mark[i]]  # fmt: skip
        weight = sum(NO_VALUE if not one.value else 1 for one in found)
        if expectation.whole:
            differing = expectation.whole.differences(batch, i)
            found += [Miss(wanted(one), one.name, one.b or "") for one in differing]
            weight += len(differing)
        if found and (weight < most or expectation.whole) and (best is None or (weight, matches) < best[0]):
            best = (weight, matches), number, found
    return best and best[1:]


def nearest_to(judge: Judge, numbers: list[int]) -> tuple[Expectation, int, list[Miss]] | None:
    """Of expectations that wait for packets, the one of which one of these packets misses least; which, and what it misses."""
    found = [(one, *near) for one in judge.expectations if not one.enough and (near := nearest(judge, one)) and near[0] in numbers]
    return min(found, key=lambda one: len(one[2]), default=None)


def wanted(one: Difference) -> str:
    """What a packet was to have there: `IP.TTL==64`; bits that have no name by where they are in their header."""
    if one.a is None:
        return f"no {one.name}"
    return f"{one.name}=={one.a}" if one.field or not one.place else f"{one.name}: {one.a} in {one.place}"


def miss(text: str, field: str, batch: Batch, i: int, number: int) -> Miss:
    """What is to be said of a condition that does not hold for a packet of a batch."""
    if field.startswith("SIZE"):
        field = "ORIGINAL"
    if field in NOTES:
        lines = batch.packet(i).notes.decode(errors="replace").splitlines()
        return Miss(text, field, ", ".join(line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:")))
    values = [value_of(name, batch, i, number) for name in ends(field.partition("[")[0]) or (field,)]
    known = [value for value in values if value is not None]
    return Miss(text, field, " and ".join(filter(None, known)) if known else None)


def value_of(name: str, batch: Batch, i: int, number: int) -> str | None:
    """A field of a packet, or a fact, as text; empty: it has no such; None: there is no such value."""
    try:
        column = Column(name)
    except UsageError:
        return None
    text, _ = codec.columns_encode(batch.data, batch.part(i, i + 1).rows, 0, number, column.code(), b"\0\n\0", PLAIN)
    return bytes(text).decode().strip()


def came(judge: Judge) -> list[str]:
    """The first packets that match nothing, a line each."""
    some = judge.instead
    if not some:
        return []
    lines = Kept()
    LineSink(lines, SINCE_FIRST, True).write(gathered(packet for _, packet in some))  # type: ignore[arg-type]  # as good as an output
    texts = [line.partition(" ")[2] for line in lines.text.decode().splitlines()]  # without its own number
    return [f"{number} {text}" for (number, _), text in zip(some, texts, strict=True)]
