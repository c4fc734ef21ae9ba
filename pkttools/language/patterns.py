"""`FIELD matches RE`: Python's regular expressions, which no codec runs.

The codec says first for which packets it does not matter what they match; for the others the expressions are tried.
"""

from __future__ import annotations

import re
from itertools import compress

from .. import codec
from ..batch import CAPTURED, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES, marked
from ..codec import program
from ..errors import UsageError
from ..protocols.fields import FIELDS, TABLE, Row
from ..protocols.shown import read_field
from ..protocols.walking import FIRST_ITEM
from .expression import compiled, patterns_in
from .program import ALL_BITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from mmap import mmap

    from ..batch import Program
    from .expression import Tree


def checked(name: str, text: str) -> bytes:
    """A pattern, with quotes around it or without. Raises UsageError where it is none."""
    quoted = len(text) > 1 and text.startswith('"') and text.endswith('"')
    pattern = (text[1:-1] if quoted else text).encode(errors="surrogateescape")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"{name}: '{text[:40]}' is no regular expression: {error}") from None
    return pattern


class Patterns:
    """A filter with patterns, for packets."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.leaves = patterns_in(tree)
        self.expressions = [re.compile(pattern) for _, _, _, pattern in self.leaves]
        self.rows = [_following(field) for _, field, _, _ in self.leaves]
        self.known: dict[object, Program | bool] = {}

    def _program(self, verdicts: bool | tuple[bool, ...]) -> Program | bool:
        """What is left to ask where the verdicts on the patterns are known; True or False: nothing.

        verdicts: True: all of them as helps most that a packet passes, False: as helps least.
        """
        if verdicts not in self.known:
            tree = self._folded(self.tree, verdicts, True)
            self.known[verdicts] = compiled(tree) if isinstance(tree, tuple) else tree
        return self.known[verdicts]

    def _folded(self, tree: Tree, verdicts: bool | tuple[bool, ...], straight: bool) -> Tree | bool:
        """The tree without its patterns. straight: whether it stands behind no `not`, or behind two."""
        match tree:
            case ("and" | "or" as how, parts):
                decides = bool(how == "or")
                found = [self._folded(part, verdicts, straight) for part in parts]
                if decides in found:
                    return decides
                left = [part for part in found if isinstance(part, tuple)]
                return (how, left) if len(left) > 1 else left[0] if left else not decides
            case ("not", inner):
                other = self._folded(inner, verdicts, not straight)
                return ("not", other) if isinstance(other, tuple) else not other
            case ("matches", field, occurrence, _):
                if not isinstance(verdicts, bool):
                    decided: bool = verdicts[self.leaves.index(tree)]
                    return decided
                if verdicts == straight:  # it can only match what is there
                    return ("test", field, occurrence, program.PRESENT, 0, ALL_BITS)
                return False
        return tree

    def _passes(self, data: bytearray | mmap, row: bytes | bytearray, number: int, verdicts: bool | tuple[bool, ...]) -> bool:
        found = self._program(verdicts)
        return found if isinstance(found, bool) else bool(codec.select(data, row, found, number))

    def select(self, data: bytearray | mmap, rows: bytes | bytearray, first: int) -> bytearray:
        """The rows of the packets that pass. first: the number of the first one."""
        kept = bytearray()
        for i in self._possible(data, rows, first):
            row = rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
            if self._passes(data, row, first + i, False) or self._passes(data, row, first + i, self._verdicts(data, row)):
                kept += row
        return kept

    def _possible(self, data: bytearray | mmap, rows: bytes | bytearray, first: int) -> Iterable[int]:
        """The packets that may pass, by what stands around the patterns."""
        found = self._program(True)
        some = (rows if found else b"") if isinstance(found, bool) else codec.select(data, rows, found, first)
        return compress(range(len(rows) // ROW_BYTES), marked(rows, some))

    def _verdicts(self, data: bytearray | mmap, row: bytes | bytearray) -> tuple[bool, ...]:
        """Which of the patterns a packet matches."""
        return tuple(
            any(expression.search(value) for value in self._values(data, row, k, occurrence))
            for k, (expression, (_, _, occurrence, _)) in enumerate(zip(self.expressions, self.leaves, strict=True))
        )

    def _values(self, data: bytearray | mmap, row: bytes | bytearray, k: int, occurrence: int) -> list[bytes]:
        """What a packet has to be matched with a pattern."""
        columns = memoryview(row).cast("B").cast("q").tolist()
        if not self.rows[k]:
            found = program.said_by(bytes(data[columns[NOTES] : columns[NOTES] + columns[NOTES_SIZE]]), self.leaves[k][1])
        else:
            frame = bytes(data[columns[OFFSET] : columns[OFFSET] + columns[CAPTURED]])
            headers = codec.walk(data, row)
            if TABLE[self.leaves[k][1]].header >= FIRST_ITEM:
                headers = [item[1:] for item in codec.items(data, row)]
            found = [value for kind, *at in headers for value in [_read(self.rows[k], frame, kind, at)] if value is not None]
        if occurrence == program.ANY:
            return found
        if occurrence < 0:
            return found[occurrence:][:1] if -occurrence <= len(found) else []
        return found[occurrence - 1 : occurrence]


def _following(field: int) -> dict[int, Row]:
    """The rows of a field, by the kind of header; none of a fact."""
    return {TABLE[index].header: TABLE[index] for index in FIELDS[TABLE[field].name]} if field >= 0 else {}


def _read(rows: dict[int, Row], frame: bytes, kind: int, at: list[int]) -> bytes | None:
    value = read_field(rows[kind], frame, *at) if kind in rows else None
    return value if isinstance(value, bytes) else None
