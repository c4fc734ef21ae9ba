"""Compiles filters and assignments into flat programs of integers, which a backend runs over a batch.

A program is three byte strings: the field table, the code, and constants (the bytes of DATA and TEXT values). Codes are
records of native 64-bit integers, fields of 32 bits; their columns are `struct field`, `struct test` and `struct assignment` in
codec/c/codec.h.
A test names the test to go on with when it holds and when not, or ACCEPT or REJECT; jumps only go forward.
"""

from __future__ import annotations

import sys

from ..batch import Program
from ..codec.program import NOTHING, OF_CAPTURED, OF_IFACE, OF_NOTE, OF_NUMBER, OF_SIZE, OF_TIME, OF_WAY, SAMPLE
from ..protocols import _rows
from ..protocols.fields import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Constant: TypeAlias = "int | bytes | tuple[int, int] | Operand"

FIELDS = _rows.ROWS
# Facts of a packet, which are asked for in the place of a field.
NUMBERS = {"SIZE": OF_SIZE, "CAPTURED": OF_CAPTURED, "NUMBER": OF_NUMBER}
NOTES = {"IFACE": OF_IFACE, "WAY": OF_WAY, "NOTE": OF_NOTE}
FACTS = {"TIME": OF_TIME, **NUMBERS, **NOTES}
MATCHES = -1  # as a comparison: a test that no codec runs; see patterns.py
ALL_BITS = (1 << 128) - 1


def name_of(index: int) -> str:
    """The name of a field, or of a fact of the packet, that a test asks for."""
    return next(name for name, fact in FACTS.items() if fact == index) if index < 0 else TABLE[index].name


def _packed(numbers: list[int]) -> bytes:
    """Numbers as the backends read them; struct and array take longer to import than all of this."""
    packed = memoryview(bytearray(8 * len(numbers))).cast("q")
    for at, number in enumerate(numbers):
        packed[at] = number
    return bytes(packed)


def _halves(value: int) -> tuple[int, int]:
    """A 128-bit number as two signed 64-bit ones, the form in which it goes through an array."""
    halves = value >> 64 & (1 << 64) - 1, value & (1 << 64) - 1
    return tuple(half - (1 << 64) if half >> 63 else half for half in halves)  # type: ignore[return-value]  # two


def kinds_set(kinds: Iterable[int]) -> bytes:
    """Kinds of headers as the value of a LAYER test: a bit each, the first in the least significant one of the first byte."""
    bits = sum(1 << kind for kind in kinds)
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


class Operand:
    """What is compared or assigned: a field, by its place in the table, or a fact of the packet; and which occurrence of it."""

    __slots__ = ("field", "occurrence")

    def __init__(self, field: int, occurrence: int = 1) -> None:
        self.field, self.occurrence = field, occurrence


class Tests:
    """A filter under construction: tests are added in order, jumps may go to labels that come later."""

    def __init__(self) -> None:
        self.code: list[list[list[int] | int]] = []
        self.constants = bytearray()

    def add(self, field: int, occurrence: int, compare: int, value: Constant, mask: int, yes: list[int] | int,
            no: list[int] | int) -> None:  # fmt: skip
        """A test: a field, by its place in the table, or a fact of the packet, against `value` under `mask`.

        Of LAYER and BPF there is the value alone; of WITHIN there are two, the first and the last one, of SAMPLE of 1 << 64 so many
        and the seed; an Operand is another field, with its occurrence.
        """
        number, data, other = 0, b"", (NOTHING, 0)
        if isinstance(value, bytes):
            data = value
        elif isinstance(value, int):
            number = value
        elif isinstance(value, Operand):
            other = value.field, value.occurrence
        else:
            number, last = value
            data = last.to_bytes(8, sys.byteorder) if compare == SAMPLE else _packed([*_halves(last)])
        columns = [*_halves(number), *_halves(mask), len(self.constants), len(data), *other]
        self.code.append([field, occurrence, compare, *columns, yes, no])
        self.constants += data

    def label(self) -> list[int]:
        """A place to jump to, not known yet."""
        return []

    def bind(self, label: list[int]) -> None:
        """Lets `label` mean the next test."""
        label.append(len(self.code))

    def program(self) -> Program:
        """The finished program."""
        code = [c[0] if isinstance(c, list) else c for test in self.code for c in test]
        return FIELDS, _packed(code), bytes(self.constants)


def assignments_program(assignments: list[tuple[int, int, int, bool, int | bytes | Operand]]) -> Program:
    """Compiles assignments: operation, field, occurrence, exact, value; of SWAP and COPY that is the other field."""
    code: list[int] = []
    constants = bytearray()
    for operation, field, occurrence, exact, value in assignments:
        data = value if isinstance(value, bytes) else b""
        number = value if isinstance(value, int) else 0
        other = (value.field, value.occurrence) if isinstance(value, Operand) else (0, 0)
        code += [operation, field, occurrence, exact, *_halves(number), len(constants), len(data), *other]
        constants += data
    return FIELDS, _packed(code), bytes(constants)
