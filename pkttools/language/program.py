"""Flat programs of integers, which a backend runs over a batch: what they are made of, and what they ask for by name.

A program is three byte strings: the field table, the code, and constants (the bytes of DATA and TEXT values). Codes are
records of native 64-bit integers, fields of 16 bits; their columns are `struct field`, `struct test` and `struct assignment` in
codec/c/codec.h.
A test names the test to go on with when it holds and when not, or ACCEPT or REJECT; jumps only go forward.
"""

from __future__ import annotations

from ..batch import Program
from ..codec.program import OF_CAPTURED, OF_IFACE, OF_NOTE, OF_NUMBER, OF_SIZE, OF_TIME, OF_WAY
from ..protocols import _rows
from ..protocols.fields import FIELDS, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Constant: TypeAlias = "int | bytes | tuple[int, int] | Operand"

ROWS = _rows.ROWS  # what all programs bring
# Facts of a packet, which are asked for in the place of a field.
NUMBERS = {"SIZE": OF_SIZE, "CAPTURED": OF_CAPTURED, "NUMBER": OF_NUMBER}
NOTES = {"IFACE": OF_IFACE, "WAY": OF_WAY, "NOTE": OF_NOTE}
FACTS = {"TIME": OF_TIME, **NUMBERS, **NOTES}
ENDS = ("ADDR", "PORT")  # SRC_ and DST_ stand in front of them
MATCHES = -1  # as a comparison: a test that no codec runs; see patterns.py
ALL_BITS = (1 << 128) - 1


def name_of(index: int) -> str:
    """The name of a field, or of a fact of the packet, that a test asks for."""
    return next(name for name, fact in FACTS.items() if fact == index) if index < 0 else TABLE[index].name


def ends(name: str) -> list[str]:
    """The fields that a name of either end stands for; none where it is no such name."""
    protocol, _, end = name.rpartition(".")
    if end not in ENDS or name in FIELDS:
        return []
    if name == "PORT":
        protocols = [known.removesuffix(".SRC_PORT") for known in FIELDS if known.endswith(".SRC_PORT")]
        return [found for other in protocols for found in ends(f"{other}.PORT")]
    both = [f"{protocol}.SRC_{end}", f"{protocol}.DST_{end}"]
    return both if protocol and all(known in FIELDS for known in both) else []


def is_asked(text: str, octets: bool) -> bool:
    """Whether a word behind an operator names something to compare with. octets: what it is compared with are such.

    A single word is a text there, and never a fact.
    """
    name = text.upper().partition("[")[0]
    if "." in name:
        return name in FIELDS or bool(ends(name))
    return not octets and (name in NUMBERS or name in ("TIME", "PORT"))


def packed(numbers: list[int]) -> bytes:
    """Numbers as the backends read them; struct and array take longer to import than all of this."""
    packed = memoryview(bytearray(8 * len(numbers))).cast("q")
    for at, number in enumerate(numbers):
        packed[at] = number
    return bytes(packed)


def halves(value: int) -> tuple[int, int]:
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


def assignments_program(assignments: list[tuple[int, int, int, bool, int | bytes | Operand]]) -> Program:
    """Compiles assignments: operation, field, occurrence, exact, value; of SWAP and COPY that is the other field."""
    code: list[int] = []
    constants = bytearray()
    for operation, field, occurrence, exact, value in assignments:
        data = value if isinstance(value, bytes) else b""
        number = value if isinstance(value, int) else 0
        other = (value.field, value.occurrence) if isinstance(value, Operand) else (0, 0)
        code += [operation, field, occurrence, exact, *halves(number), len(constants), len(data), *other]
        constants += data
    return ROWS, packed(code), bytes(constants)
