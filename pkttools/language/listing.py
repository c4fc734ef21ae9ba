"""Compiled filters for people, a line a test: what `pkt-filter -d` shows of our own programs."""

from __future__ import annotations

import struct

from ..codec import program
from ..protocols.fields import DATA, IPV4, IPV6, LAYERS, MAC, TABLE, TEXT, Row
from ..protocols.shown import format_value
from .program import ALL_BITS, kinds_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..batch import Program

OPERATORS = {program.EQUAL: "==", program.UNEQUAL: "!=", program.LESS: "<", program.AT_MOST: "<=", program.MORE: ">",
             program.AT_LEAST: ">="}  # fmt: skip
ENDS = {program.ACCEPT: "pass", program.REJECT: "drop"}
ADDRESSES = (MAC, IPV4, IPV6)


def listing(compiled: Program) -> list[str]:
    """The lines of a filter: number, test, and where it goes on when the test holds (jt) and when not (jf)."""
    _, code, constants = compiled
    lines = []
    for i, columns in enumerate(struct.iter_unpack(f"{program.TEST_COLUMNS}q", code)):
        *test, yes, no = columns
        lines.append(f"({i:03}) {shown(test, constants):<40} jt {ENDS.get(yes, yes)}\tjf {ENDS.get(no, no)}")
    return lines


def shown(test: list[int], constants: bytes) -> str:
    """A test, as the language writes it."""
    index, occurrence, compare, high, low, mask_high, mask_low, at, size = test
    if compare == program.BPF:
        return f"bpf, {size // 8} instructions"
    if compare == program.LAYER:
        return next(name for name, kinds in LAYERS.items() if kinds_set(kinds) == constants[at : at + size])
    row = TABLE[index]
    name = row.name if occurrence == 1 else f"{row.name}[{occurrence}]"
    if compare == program.PRESENT:
        return name
    if row.kind in (DATA, TEXT):
        data = constants[at : at + size]
        return f"{name} {OPERATORS[compare]} {data.hex(' ') if row.kind == DATA else format_value(row, data)}"
    value, mask = joined(high, low), joined(mask_high, mask_low)
    written = value_of(row, value)
    if mask != ALL_BITS:
        whole = (1 << row.width) - 1
        if mask | (mask - 1) == whole and row.kind != MAC:  # ones, then zeros: a prefix
            written += f"/{mask.bit_count()}"
        else:
            name += f" & {value_of(row, mask)}"
    return f"{name} {OPERATORS[compare]} {written}"


def value_of(row: Row, value: int) -> str:
    """A value: a number with its name, if it has one, or an address."""
    if row.kind not in ADDRESSES:
        word = (row.names or {}).get(value)
        return f"{value} ({word})" if word else str(value)
    return format_value(row, value)


def joined(high: int, low: int) -> int:
    """A 128-bit number from its halves."""
    return (high & (1 << 64) - 1) << 64 | low & (1 << 64) - 1
