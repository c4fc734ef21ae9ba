"""An expectation: conditions that a packet has to meet, perhaps the packet itself, and how many are to come."""

from __future__ import annotations

import re

from ..batch import CAPTURED, LINKTYPE, OFFSET, ORIGINAL, ROW_BYTES, Batch, marked
from ..compare.differences import Difference, differences
from ..compare.ignoring import Ignored
from ..errors import UsageError
from ..language.expression import COMPARE, any_of, tokens
from ..language.filters import Filter
from ..protocols.fields import FIELDS, TABLE, TEXT

COUNT = re.compile(r"none|\d{1,18}|\d{0,18}\.\.\d{0,18}")


class Count:
    """How many packets: at least `lowest`, at most `highest`; None: any number."""

    def __init__(self, lowest: int = 1, highest: int | None = None) -> None:
        self.lowest, self.highest = lowest, highest

    @classmethod
    def of(cls, text: str) -> Count:
        """`3`: no more and no less; `3..`, `..3`, `1..3`; `none`. Raises UsageError."""
        text = text.strip()
        if not COUNT.fullmatch(text) or text == "..":
            raise UsageError(f"'{text[:40]}' is not a count: 3, 3.., ..3, 1..3 or none")
        if text == "none":
            return cls(0, 0)
        low, dots, high = text.partition("..")
        lowest, highest = int(low or 0), int(high) if high else None if dots else int(low)
        if highest is not None and lowest > highest:
            raise UsageError(f"'{text}': the range is empty")
        return cls(lowest, highest)

    def __str__(self) -> str:
        if self.highest == 0:
            return "none"
        if self.highest is None:
            return f"at least {self.lowest}" if self.lowest else "any number"
        if self.lowest == self.highest:
            return str(self.lowest)
        return f"{self.lowest} to {self.highest}" if self.lowest else f"at most {self.highest}"


class Condition:
    """One of the conditions that all have to hold. text: as filters have it. fields: what it asks for, `IP.TTL`."""

    def __init__(self, text: str) -> None:
        """Raises UsageError."""
        self.text, self.filter = text, Filter([text])
        words = [word.partition("&")[0].upper() for word in tokens(text)]
        self.field = next((word for word in words if word not in ("NOT", "ANY", "(", "!")), "")


class Bytes:
    """A packet as it is to be: what of it may differ is in `ignore`, and, by name and occurrence, in `varying`."""

    def __init__(self, data: bytearray, row: bytes, ignore: Ignored, varying: set[tuple[str, int]]) -> None:
        self.data, self.row, self.ignore, self.varying = data, row, ignore, varying
        columns = memoryview(row).cast("q")
        frame = bytes(data[columns[OFFSET] : columns[OFFSET] + columns[CAPTURED]])
        self.key = (frame, columns[ORIGINAL], columns[LINKTYPE], frozenset(varying), ignore.fields, ignore.kinds, ignore.facts)

    def differences(self, batch: Batch, i: int) -> list[Difference]:
        """What of packet `i` of a batch is not as it is to be."""
        row = bytes(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])
        found = differences(self.data, self.row, batch.data, row, self.ignore)
        return [one for one in found if not {(one.field, one.index), (one.field, 0)} & self.varying]


class Expectation:
    """What is expected. matched: how many packets did; numbers: the first ones. early: the number of one that came before its turn,
    and the name of the expectation whose turn it was.

    taken: the same of one that counted for another, in front of it.

    name: what reports call it. count: how many are to match. packet: it stands in a file, as a packet: one that is there twice is
    to come twice.
    """

    MOST = 10  # numbers that are told

    def __init__(self, name: str, conditions: list[Condition], count: Count, whole: Bytes | None = None,
                 packet: bool = False) -> None:  # fmt: skip
        self.name, self.conditions, self.count, self.whole, self.packet = name, conditions, count, whole, packet
        self.matched = 0
        self.early: tuple[int, str] | None = None
        self.taken: tuple[int, str] | None = None
        self.numbers: list[int] = []

    @property
    def key(self) -> tuple[object, ...]:
        """What two that expect the same have in common."""
        return (*(one.text for one in self.conditions), self.whole and self.whole.key)

    def marks(self, batch: Batch) -> bytearray:
        """Which packets of a batch match: a byte for each, 1 or 0."""
        rows = bytes(batch.rows)
        kept: bytes | bytearray = rows
        for condition in self.conditions:
            kept = condition.filter.select(Batch(batch.data, bytearray(kept))) if len(kept) else kept
        found = marked(rows, kept)
        if self.whole:
            for i, mark in enumerate(found):
                found[i] = mark and not self.whole.differences(batch, i)
        return found

    def meet(self, number: int) -> None:
        """Counts a packet that matches."""
        self.matched += 1
        if len(self.numbers) < self.MOST:
            self.numbers.append(number)

    @property
    def enough(self) -> bool:
        """Whether as many came as there have to be."""
        return self.matched >= self.count.lowest

    @property
    def exceeded(self) -> bool:
        """Whether there are too many."""
        return self.count.highest is not None and self.matched > self.count.highest

    @property
    def passed(self) -> bool:
        """Whether it is met, if nothing more comes."""
        return self.enough and not self.exceeded


def conditions_of(text: str) -> list[Condition]:
    """The conditions of an expression: the parts that `and` joins, where it is made of such. Raises UsageError."""
    tree = any_of([text])
    parts: list[list[str]] = [[]]
    for word in tokens(text):
        if word.lower() == "and":
            parts.append([])
        else:
            parts[-1].append(word)
    texts = [spelt(part) for part in parts]
    try:
        apart = len(texts) > 1 and tree == ("and", [any_of([part]) for part in texts])
    except UsageError:  # an `and` in parentheses
        apart = False
    return [Condition(part) for part in texts] if apart else [Condition(text)]


def spelt(words: list[str]) -> str:
    """The words of an expression as people write them: `IP.TTL==64`."""
    text, before = "", ""
    for word in words:
        text += word if not text or {word, before} & {*COMPARE} else f" {word}"
        before = word
    return text


def condition_of(name: str, value: str) -> Condition:
    """The condition that a line of text stands for: a value, `*`, a list, a range, or a prefix. Raises UsageError."""
    if value == "*":
        return Condition(name)
    base = name.partition("[")[0]
    is_text = base in FIELDS and TABLE[FIELDS[base][0]].kind == TEXT
    if is_text and not value.startswith('"'):
        return Condition(f'{name}=="{value}"')
    return Condition(f"{name} in {value}" if varies(value) else f"{name}=={value}")


def varies(value: str) -> bool:
    """Whether a value of a line is not one value."""
    return value == "*" or "," in value or ".." in value or "/" in value
