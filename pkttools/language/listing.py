"""Compiled filters for people, a line a test: what `pkt-filter -d` shows of our own programs."""

from __future__ import annotations

import struct
import sys

from ..codec import program
from ..protocols.fields import DATA, IPV4, IPV6, LAYERS, MAC, TABLE, TEXT, Row
from ..protocols.shown import format_text, format_value, printable
from .program import ALL_BITS, MATCHES, NOTES, kinds_set, name_of
from .times import show_moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..batch import Program

OPERATORS = {program.EQUAL: "==", program.UNEQUAL: "!=", program.LESS: "<", program.AT_MOST: "<=", program.MORE: ">",
             program.AT_LEAST: ">=", program.WITHIN: "in", program.CONTAINS: "contains",
             program.EVERY: "every", program.SAMPLE: "sample"}  # fmt: skip
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
    index, occurrence, compare, high, low, mask_high, mask_low, at, size, other, other_occurrence = test
    data = constants[at : at + size]
    if compare == program.BPF:
        return f"bpf, {size // 8} instructions"
    if compare == program.LAYER:
        return next(name for name, kinds in LAYERS.items() if kinds_set(kinds) == data)
    name = asked(index, occurrence)
    if compare == program.PRESENT:
        return name
    if compare == MATCHES:
        return f'{name} matches "{printable(data)}"'
    mask = halves(mask_high, mask_low)
    bits = "" if mask == ALL_BITS else f" & {value_of(TABLE[index], mask) if index >= 0 else mask}"
    if other != program.NOTHING:
        return f"{name}{bits} {OPERATORS[compare]} {asked(other, other_occurrence)}"
    if index < 0:
        return f"{name}{bits} {OPERATORS[compare]} {fact_of(index, compare, halves(high, low), data)}"
    row = TABLE[index]
    if row.kind in (DATA, TEXT):
        return f"{name} {OPERATORS[compare]} {data.hex(' ') if row.kind == DATA else format_value(row, data)}"
    written = value_of(row, halves(high, low))
    if compare == program.WITHIN:
        written += f"..{value_of(row, halves(*struct.unpack('=2q', data)))}"
    whole = (1 << row.width) - 1
    if bits and row.kind in (IPV4, IPV6) and mask in (0, whole & ~(whole >> mask.bit_count())):  # ones, then zeros: a prefix
        written, bits = f"{written}/{mask.bit_count()}", ""
    return f"{name}{bits} {OPERATORS[compare]} {written}"


def asked(index: int, occurrence: int) -> str:
    """What is asked for, as the language names it."""
    name = name_of(index)
    return f"any {name}" if occurrence == program.ANY else name if occurrence == 1 else f"{name}[{occurrence}]"


def fact_of(index: int, compare: int, value: int, data: bytes) -> str:
    """What a fact of the packet is compared with."""
    if index in NOTES.values():
        return format_text(data)
    if compare == program.SAMPLE:
        return f"{100 * value / (1 << 64):.6g}% seed {int.from_bytes(data, sys.byteorder)}"
    show = show_moment if index == program.OF_TIME else str
    return f"{show(value)}..{show(halves(*struct.unpack('=2q', data)))}" if compare == program.WITHIN else show(value)


def value_of(row: Row, value: int) -> str:
    """A value: a number with its name, if it has one, or an address."""
    if row.kind not in ADDRESSES:
        word = (row.names or {}).get(value)
        return f"{value} ({word})" if word else str(value)
    return format_value(row, value)


def halves(high: int, low: int) -> int:
    """A 128-bit number from its halves."""
    return (high & (1 << 64) - 1) << 64 | low & (1 << 64) - 1
