"""Runs filters and assignments: flat programs over the fields of a table; twin of ../c/program.c.

The columns of fields, tests and assignments are those of `struct field`, `struct test`, `struct assignment` in ../c/codec.h.
"""

from __future__ import annotations

import operator
from functools import lru_cache

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, OFFSET, ORIGINAL, ROW_BYTES, Program
from ..program import (
    ACCEPT,
    ADD,
    ASSIGNMENT_COLUMNS,
    AT_LEAST,
    AT_MOST,
    BPF,
    DATA,
    EQUAL,
    FAMILY,
    FIELD_COLUMNS,
    LAYER,
    LESS,
    LITTLE,
    MORE,
    PRESENT,
    REJECT,
    SET,
    SUBTRACT,
    SWAP,
    TEST_COLUMNS,
    TEXT,
    UNEQUAL,
)
from . import bpf
from .headers import GRE, IP, IPV6, VXLAN, Walk, note
from .rows import checked, without_fcs
from .update import update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COMPARISONS: dict[int, Callable[[Any, Any], bool]] = {  # of two numbers, or of bytes with bytes
    EQUAL: operator.eq, UNEQUAL: operator.ne, LESS: operator.lt, AT_MOST: operator.le, MORE: operator.gt, AT_LEAST: operator.ge,
    PRESENT: lambda _value, _wanted: True,
}  # fmt: skip
MASK64 = (1 << 64) - 1

Rows = list[tuple[int, ...]]


def _cut(code: bytes, columns: int) -> Rows:
    values = memoryview(code).cast("B")[: len(code) // 8 * 8].cast("q").tolist()
    return [tuple(values[i : i + columns]) for i in range(0, len(values), columns)]


def _width_sound(kind: int, bit: int, width: int) -> bool:
    whole = width % 8 == bit % 8 == 0
    if kind == FAMILY:
        return width == 32
    if kind == LITTLE:
        return 0 <= width <= 56 and whole
    if kind == TEXT:
        return 0 <= width <= 8 * MAX_FRAME and whole
    return 0 <= width <= 56 or (width == 128 and bit % 8 == 0)


@lru_cache(16)
def _load(program: Program, columns: int) -> tuple[Rows, Rows, bytes]:
    """Rows and code of a program. Raises ValueError when it is not sound: it is checked once and then trusted."""
    rows, code, constants = _cut(program[0][: len(program[0]) // 64 * 64], FIELD_COLUMNS), _cut(program[1], columns), program[2]
    sound = len(program[1]) // 8 % columns == 0
    for i, (_, bit, width, _, scale, kind, _, following) in enumerate(rows):
        sound &= following == -1 or i < following < len(rows)  # forward: no circles
        sound &= 0 <= bit <= 8 * MAX_FRAME and scale >= 1 and _width_sound(kind, bit, width)
    if columns == TEST_COLUMNS:
        sound &= len(code) > 0
        for i, test in enumerate(code if sound else []):
            sound &= all(target in (ACCEPT, REJECT) or i < target < len(code) for target in test[9:11])
            sound &= test[2] in (LAYER, BPF) or 0 <= test[0] < len(rows)
            sound &= 0 <= test[7] <= len(constants) and 0 <= test[8] <= len(constants) - test[7]
            if sound and test[2] == BPF:  # its last column: the instructions
                code[i] = (*test, bpf.load(constants[test[7] : test[7] + test[8]]))  # type: ignore[arg-type]  # one column more
                sound &= code[i][-1] is not None
    else:
        for a in code if sound else []:
            sound &= 0 <= a[1] < len(rows) and (a[0] != SWAP or 0 <= a[8] < len(rows))
            sound &= 0 <= a[6] <= len(constants) and 0 <= a[7] <= len(constants) - a[6]
    if not sound:
        raise ValueError("program is not valid")
    return rows, code, constants


def _number(high: int, low: int) -> int:
    return (high & MASK64) << 64 | low & MASK64


class _Place:
    """An occurrence of a field in a frame."""

    __slots__ = ("row", "at", "size")

    def __init__(self, row: tuple[int, ...], at: int, size: int) -> None:
        self.row, self.at, self.size = row, at, size  # `at` in bits, `size` (of DATA and TEXT) in bytes


def _place_in(rows: Rows, row: int, header: list[int]) -> _Place | None:
    kind, start, data, end = header
    while row >= 0:
        found = rows[row]
        if found[0] == kind:
            if found[5] == DATA:
                return _Place(found, data * 8, end - data) if data < end else None
            at = start * 8 + found[1]
            size = found[2] // 8 if found[5] == TEXT else 0
            return _Place(found, at, size) if at + found[2] <= end * 8 else None
        row = found[7]
    return None


def _locate(rows: Rows, row: int, occurrence: int, exact: bool, headers: list[list[int]]) -> _Place | None:
    """The k-th occurrence, or from the end when negative. Where fewer come, `exact` finds none, otherwise the last."""
    places = [place for header in headers if (place := _place_in(rows, row, header))]
    if not places:
        return None
    if occurrence < 0:
        return places[occurrence] if -occurrence <= len(places) else None
    if 1 <= occurrence <= len(places):
        return places[occurrence - 1]
    return None if exact else places[-1]


def _read_bits(frame: bytes | bytearray, at: int, width: int) -> int:
    last = (at + width + 7) // 8
    return int.from_bytes(frame[at // 8 : last], "big") >> (last * 8 - at - width) & ((1 << width) - 1)


def _write_bits(frame: bytearray, at: int, width: int, value: int) -> None:
    first, last = at // 8, (at + width + 7) // 8
    shift, mask = last * 8 - at - width, (1 << width) - 1
    old = int.from_bytes(frame[first:last], "big")
    frame[first:last] = (old & ~(mask << shift) | (value & mask) << shift).to_bytes(last - first, "big")


def _turned(value: int, width: int) -> int:
    """A number of `width` bits, its bytes the other way round."""
    return int.from_bytes((value & ((1 << width) - 1)).to_bytes(width // 8, "big"), "little")


def _read_bytes(frame: bytes | bytearray, place: _Place) -> bytes:
    """The bytes of DATA, or of TEXT, which ends at the first zero or with its field."""
    found = bytes(frame[place.at // 8 : place.at // 8 + place.size])
    return found.partition(b"\0")[0] if place.row[5] == TEXT else found


def _read_raw(frame: bytes | bytearray, place: _Place) -> int:
    """The number as it stands in the packet, before bias and scale."""
    raw = _read_bits(frame, place.at, place.row[2])
    if place.row[5] == FAMILY and raw > 0xFFFF:  # in the byte order of the machine that wrote it
        raw = int.from_bytes(raw.to_bytes(4, "big"), "little")
    elif place.row[5] == LITTLE:
        raw = _turned(raw, place.row[2])
    return raw


def _write_raw(frame: bytearray, place: _Place, value: int) -> None:
    width = place.row[2]
    if place.row[5] == FAMILY:
        old = _read_bits(frame, place.at, 32)
        if old == 0 or old > 0xFFFF:
            value = int.from_bytes((value & 0xFFFFFFFF).to_bytes(4, "big"), "little")
    elif place.row[5] == LITTLE:
        value = _turned(value, width)
    _write_bits(frame, place.at, width, value)


# ---- filters ----


def _holds(rows: Rows, test: tuple[int, ...], constants: bytes, frame: bytes, headers: list[list[int]]) -> bool:
    row, occurrence, compare, high, low, mask_high, mask_low, constant, size = test[:9]
    if compare == LAYER:  # `row` is a set of header kinds
        return any(row >> header[0] & 1 for header in headers)
    place = _locate(rows, row, occurrence, True, headers)
    if place is None:
        return False
    value: int | bytes
    wanted: int | bytes
    if place.row[5] in (DATA, TEXT):
        value, wanted = _read_bytes(frame, place), constants[constant : constant + size]
    else:
        value = _read_raw(frame, place)
        if place.row[2] < 128:
            value = (value + place.row[3]) * place.row[4]
        value, wanted = value & _number(mask_high, mask_low), _number(high, low)
    return COMPARISONS.get(compare, COMPARISONS[PRESENT])(value, wanted)


def _matches(loaded: tuple[Rows, Rows, bytes], data: bytearray, row: list[int], whole: list[int]) -> bool:
    """row: the packet without its frame check sequence; whole: with it: BPF sees all, as tcpdump does."""
    rows, tests, constants = loaded
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    headers = None
    following = 0
    while following >= 0:
        test = tests[following]
        if test[2] == BPF:  # knows no headers: none are looked for in vain
            all_of_it = frame if row == whole else bytes(data[whole[OFFSET] : whole[OFFSET] + whole[CAPTURED]])
            held = bpf.run(test[11], all_of_it, whole[ORIGINAL]) != 0  # type: ignore[arg-type]  # see _load
        else:
            if headers is None:
                headers = Walk(frame, row[LINKTYPE]).headers
            held = _holds(rows, test, constants, frame, headers)
        following = test[9] if held else test[10]
    return following == ACCEPT


def select(data: bytearray, rows: bytes, tests: Program) -> bytearray:
    """The rows of the packets for which the tests end in ACCEPT."""
    values = checked(data, rows)
    loaded = _load(tests, TEST_COLUMNS)
    kept = bytearray()
    for i in range(len(values) // COLUMNS):
        row = values[i * COLUMNS : (i + 1) * COLUMNS]
        if _matches(loaded, data, without_fcs(row[:]), row):
            kept += rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
    return kept


# ---- assignments ----


def _change(a: tuple[int, ...], frame: bytearray, place: _Place, constants: bytes) -> bool:
    """Whether it is done: a value that this row cannot hold is left alone."""
    operation, _, _, _, high, low, constant, size, _ = a
    _, _, width, bias, scale, kind, _, _ = place.row
    if kind == DATA:
        at, size = place.at // 8, min(size, place.size)
        frame[at : at + size] = constants[constant : constant + size]
        return True
    if kind == TEXT:  # one that is there already stays with what stands behind its end; behind another one all is zero
        at, text = place.at // 8, constants[constant : constant + min(size, place.size)]
        if text != _read_bytes(frame, place):
            frame[at : at + place.size] = text.ljust(place.size, b"\0")
        return True
    value = _number(high, low)
    if width < 128:
        value &= MASK64
        if operation == SET:
            if value % scale or value // scale < bias or (value // scale - bias) >> width:
                return False
            value = value // scale - bias
        else:
            value //= scale
    if operation == ADD:
        value = _read_raw(frame, place) + value
    elif operation == SUBTRACT:
        value = _read_raw(frame, place) - value
    _write_raw(frame, place, value)  # what does not fit is cut: arithmetic wraps around
    return True


def _outer_headers(headers: list[list[int]]) -> list[list[int]]:
    """The headers in front of what a tunnel carries, without UDP that carries VXLAN: there is who talks to whom."""
    network = False
    for i, (kind, *_) in enumerate(headers):
        if kind in (GRE, VXLAN) or (network and kind in (IP, IPV6)):
            return headers[: i - 1] if kind == VXLAN else headers[:i]
        network |= kind in (IP, IPV6)
    return headers


def _swap(rows: Rows, a: tuple[int, ...], frame: bytearray, headers: list[list[int]]) -> bool:
    """Exchanges two fields of outer headers; whether both are there."""
    outer = _outer_headers(headers)
    place, other = (_locate(rows, row, a[2], bool(a[3]), outer) for row in (a[1], a[8]))
    if not place or not other or other.row[2] != place.row[2] or TEXT in (place.row[5], other.row[5]):
        return False
    value = _read_raw(frame, place)
    _write_raw(frame, place, _read_raw(frame, other))
    _write_raw(frame, other, value)
    return True


def _assign(loaded: tuple[Rows, Rows, bytes], frame: bytearray, linktype: int, placed: list[int]) -> int:
    """placed: a counter an assignment, of the packets in which it was done. Gives what is not followed."""
    rows, code, constants = loaded
    walked = Walk(bytes(frame), linktype)
    headers = walked.headers
    for i, a in enumerate(code):
        if a[0] == SWAP:
            placed[i] += _swap(rows, a, frame, headers)
            continue
        place = _locate(rows, a[1], a[2], bool(a[3]), headers)
        if place and _change(a, frame, place, constants):
            placed[i] += 1
            if place.row[6]:  # later assignments meet the headers as they are now
                headers = Walk(bytes(frame), linktype).headers
    return walked.beyond


def assign(data: bytearray, rows: bytes, assignments: Program, guard: Program | None,
           follow: bool, counts: dict[int, int] | None = None) -> tuple[int, tuple[int, ...], int, int]:  # fmt: skip
    """Runs assignments over all packets, or over those for which the tests of `guard` hold; changes `data`.

    follow: checksums follow what is changed, see update.py. Gives over how many packets they ran, in how many of them each
    was done, having a place there, in how many a checksum could not follow, and in how many it is not known. Adds to
    `counts` what packets carry that is not followed.
    """
    values = checked(data, rows)
    loaded = _load(assignments, ASSIGNMENT_COLUMNS)
    if guard is not None and not isinstance(guard, tuple):
        raise TypeError("guard is a program or None")
    tests = _load(guard, TEST_COLUMNS) if guard is not None else None
    met = stale = unknown = 0
    placed = [0] * len(loaded[1])
    for i in range(0, len(values), COLUMNS):
        row = without_fcs(values[i : i + COLUMNS])
        offset, captured, linktype = row[OFFSET], row[CAPTURED], row[LINKTYPE]
        if tests is None or _matches(tests, data, row, values[i : i + COLUMNS]):
            before = bytes(data[offset : offset + captured])
            frame = bytearray(before)
            met += 1
            note(counts, _assign(loaded, frame, linktype, placed))
            if follow:
                left = update(before, frame, row[ORIGINAL], linktype)
                stale, unknown = stale + left[0], unknown + left[1]
            data[offset : offset + captured] = frame
    return met, tuple(placed), stale, unknown


def spread(data: bytearray, rows: bytes, first: int, step: int, bit: int, width: int, values: bytes) -> int:
    """Writes a column of values into a batch: packet `first`, and every `step`-th behind it, gets its value.

    bit, width: where it goes in the frame, up to 64 bits. values: eight bytes in native order for each packet of the batch; what
    does not fit into the width is cut. Gives how many packets were too short to have the field, and stay as they are.
    """
    columns = checked(data, rows)
    count = len(columns) // COLUMNS
    if memoryview(values).nbytes != count * 8:
        raise ValueError("values are not one a packet")
    if first < 0 or step < 1 or not 0 <= bit <= 8 * MAX_FRAME or not 0 <= width <= 64:
        raise ValueError("first packet, step or field out of range")
    numbers = memoryview(values).cast("B").cast("Q").tolist()
    unplaced = 0
    for i in range(first, count, step):
        offset, captured = columns[i * COLUMNS + OFFSET], columns[i * COLUMNS + CAPTURED]
        if bit + width > captured * 8:
            unplaced += 1
        else:
            _write_bits(data, offset * 8 + bit, width, numbers[i])
    return unplaced
