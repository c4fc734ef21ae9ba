"""Runs filters and assignments: flat programs over the fields of a table; twin of ../c/program.c.

The columns of fields, tests and assignments are those of `struct field`, `struct test`, `struct assignment` in ../c/codec.h.
"""

from __future__ import annotations

import dataclasses
import operator
from dataclasses import dataclass
from functools import lru_cache

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, OFFSET, ORIGINAL, ROW_BYTES, Program
from ...protocols import MUTABLE
from ...protocols.walking import FIRST_ITEM
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
from .headers import Header, Walk, is_idle, is_tunnel, need_dict, note
from .lists import Items
from .protocols import carries_message, extends
from .rows import checked, without_fcs
from .signatures import Changed, signature_of
from .update import update

SHAPES = 1  # of `shapes`: the walk depends on it; else MUTABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...bpf.classic import Instruction

COMPARISONS: dict[int, Callable[[Any, Any], bool]] = {  # of two numbers, or of bytes with bytes
    EQUAL: operator.eq, UNEQUAL: operator.ne, LESS: operator.lt, AT_MOST: operator.le, MORE: operator.gt, AT_LEAST: operator.ge,
    PRESENT: lambda _value, _wanted: True,
}  # fmt: skip
MASK64 = (1 << 64) - 1


@dataclass(slots=True)
class _Field:
    """A field in one kind of header."""

    header: int
    bit: int
    width: int
    bias: int
    scale: int
    kind: int
    shapes: int
    next: int


@dataclass(slots=True)
class _Test:
    """A test of a filter; the constant of LAYER is a set of kinds of headers, a bit each."""

    field: int
    occurrence: int
    compare: int
    high: int
    low: int
    mask_high: int
    mask_low: int
    constant: int
    size: int
    yes: int
    no: int
    kinds: int = dataclasses.field(default=0, init=False)  # of LAYER
    instructions: list[Instruction] | None = dataclasses.field(default=None, init=False)  # of BPF


@dataclass(slots=True)
class _Assignment:
    """An assignment."""

    operation: int
    field: int
    occurrence: int
    exact: int
    high: int
    low: int
    constant: int
    size: int
    other: int


Tests = tuple[list[_Field], list[_Test], bytes]
Assignments = tuple[list[_Field], list[_Assignment], bytes]


def _cut(code: bytes, columns: int) -> list[list[int]]:
    values = memoryview(code).cast("B")[: len(code) // 8 * 8].cast("q").tolist()
    return [values[i : i + columns] for i in range(0, len(values) // columns * columns, columns)]


def _width_sound(kind: int, bit: int, width: int) -> bool:
    whole = width % 8 == bit % 8 == 0
    if kind == FAMILY:
        return width == 32
    if kind == LITTLE:
        return 0 <= width <= 64 and whole
    if kind == TEXT:
        return 0 <= width <= 8 * MAX_FRAME and whole
    return (width >= 0 and bit % 8 + width <= 64) or (width == 128 and bit % 8 == 0)


@lru_cache(4)
def _fields(table: bytes) -> tuple[list[_Field], bool]:
    """The fields of a table, and whether they are sound. All programs bring the same, with what all protocols have."""
    fields = [_Field(*columns) for columns in _cut(table, FIELD_COLUMNS)]
    sound = True
    for i, field in enumerate(fields):
        sound &= field.next == -1 or i < field.next < len(fields)  # forward: no circles
        sound &= 0 <= field.bit <= 8 * MAX_FRAME and field.scale >= 1 and _width_sound(field.kind, field.bit, field.width)
    return fields, sound


@lru_cache(16)
def load_tests(program: Program) -> Tests:
    """The tests of a program. Raises ValueError when it is not valid: it is checked once and then trusted."""
    fields, sound = _fields(program[0])
    tests, constants = [_Test(*columns) for columns in _cut(program[1], TEST_COLUMNS)], program[2]
    sound &= len(program[1]) // 8 % TEST_COLUMNS == 0 and len(tests) > 0
    for i, t in enumerate(tests if sound else []):
        sound &= all(target in (ACCEPT, REJECT) or i < target < len(tests) for target in (t.yes, t.no))
        sound &= t.compare in (LAYER, BPF) or 0 <= t.field < len(fields)
        sound &= 0 <= t.constant <= len(constants) and 0 <= t.size <= len(constants) - t.constant
        if sound and t.compare == LAYER:
            t.kinds = int.from_bytes(constants[t.constant : t.constant + t.size], "little")
        if sound and t.compare == BPF:
            t.instructions = bpf.load(constants[t.constant : t.constant + t.size])
            sound &= t.instructions is not None
    if not sound:
        raise ValueError("program is not valid")
    return fields, tests, constants


@lru_cache(16)
def _load_assignments(program: Program) -> Assignments:
    """The same for assignments."""
    fields, sound = _fields(program[0])
    assignments, constants = [_Assignment(*columns) for columns in _cut(program[1], ASSIGNMENT_COLUMNS)], program[2]
    sound &= len(program[1]) // 8 % ASSIGNMENT_COLUMNS == 0
    for a in assignments if sound else []:
        sound &= 0 <= a.field < len(fields) and (a.operation != SWAP or 0 <= a.other < len(fields))
        sound &= 0 <= a.constant <= len(constants) and 0 <= a.size <= len(constants) - a.constant
    if not sound:
        raise ValueError("program is not valid")
    return fields, assignments, constants


def _asks_all(fields: list[_Field], index: int) -> bool:
    """Whether a field is one of idle headers, or of items, which may lie in such."""
    while index >= 0:
        if fields[index].header >= FIRST_ITEM or is_idle(fields[index].header):
            return True
        index = fields[index].next
    return False


def tests_ask_all(loaded: Tests) -> bool:
    """Whether tests ask for any such."""
    fields, tests, _ = loaded
    kinds = {kind for test in tests for kind in range(test.kinds.bit_length()) if test.kinds >> kind & 1}
    return any(test.compare not in (LAYER, BPF) and _asks_all(fields, test.field) for test in tests) or any(map(is_idle, kinds))


def _number(high: int, low: int) -> int:
    return (high & MASK64) << 64 | low & MASK64


class _Place:
    """An occurrence of a field in a frame."""

    __slots__ = ("field", "at", "size")

    def __init__(self, field: _Field, at: int, size: int) -> None:
        self.field, self.at, self.size = field, at, size  # `at` in bits, `size` (of DATA and TEXT) in bytes


def _place_in(fields: list[_Field], index: int, header: Header) -> _Place | None:
    kind = header.kind
    while index >= 0:
        field = fields[index]
        if field.header == kind:
            if field.kind == DATA or (field.kind == TEXT and field.width == 0):
                return _Place(field, header.data * 8, header.end - header.data) if header.data < header.end else None
            at = header.start * 8 + field.bit
            size = field.width // 8 if field.kind == TEXT else 0
            return _Place(field, at, size) if at + field.width <= header.end * 8 else None
        index = field.next
    return None


def _locate(fields: list[_Field], index: int, occurrence: int, exact: bool, frame: bytes | bytearray,
            headers: list[Header]) -> _Place | None:  # fmt: skip
    """The k-th occurrence, or from the end when negative. Where fewer come, `exact` finds none, otherwise the last."""
    if fields[index].header >= FIRST_ITEM:
        headers = [item for _, item in Items(frame, headers).all()]
    places = [place for header in headers if (place := _place_in(fields, index, header))]
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
    return found.partition(b"\0")[0] if place.field.kind == TEXT else found


def _read_raw(frame: bytes | bytearray, place: _Place) -> int:
    """The number as it stands in the packet, before bias and scale."""
    raw = _read_bits(frame, place.at, place.field.width)
    if place.field.kind == FAMILY and raw > 0xFFFF:  # in the byte order of the machine that wrote it
        raw = int.from_bytes(raw.to_bytes(4, "big"), "little")
    elif place.field.kind == LITTLE:
        raw = _turned(raw, place.field.width)
    return raw


def _write_raw(frame: bytearray, place: _Place, value: int) -> None:
    width = place.field.width
    if place.field.kind == FAMILY:
        old = _read_bits(frame, place.at, 32)
        if old == 0 or old > 0xFFFF:
            value = int.from_bytes((value & 0xFFFFFFFF).to_bytes(4, "big"), "little")
    elif place.field.kind == LITTLE:
        value = _turned(value, width)
    _write_bits(frame, place.at, width, value)


# ---- filters ----


def _holds(fields: list[_Field], test: _Test, constants: bytes, frame: bytes, headers: list[Header]) -> bool:
    if test.compare == LAYER:
        return any(test.kinds >> header.kind & 1 for header in headers)
    place = _locate(fields, test.field, test.occurrence, True, frame, headers)
    if place is None:
        return False
    value: int | bytes
    wanted: int | bytes
    if place.field.kind in (DATA, TEXT):
        value, wanted = _read_bytes(frame, place), constants[test.constant : test.constant + test.size]
    else:
        value = _read_raw(frame, place)
        if place.field.width < 128:
            value = (value + place.field.bias) * place.field.scale
        value, wanted = value & _number(test.mask_high, test.mask_low), _number(test.high, test.low)
    return COMPARISONS.get(test.compare, COMPARISONS[PRESENT])(value, wanted)


def matches(loaded: Tests, asks_all: bool, data: bytearray, row: list[int], whole: list[int]) -> bool:
    """row: the packet without its frame check sequence; whole: with it: BPF sees all, as tcpdump does."""
    fields, tests, constants = loaded
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    headers = None
    following = 0
    while following >= 0:
        test = tests[following]
        if test.instructions is not None:  # BPF: knows no headers: none are looked for in vain
            all_of_it = frame if row == whole else bytes(data[whole[OFFSET] : whole[OFFSET] + whole[CAPTURED]])
            held = bpf.run(test.instructions, all_of_it, whole[ORIGINAL]) != 0
        else:
            if headers is None:
                headers = Walk(frame, row[LINKTYPE], asks_all).headers
            held = _holds(fields, test, constants, frame, headers)
        following = test.yes if held else test.no
    return following == ACCEPT


def select(data: bytearray, rows: bytes, tests: Program) -> bytearray:
    """The rows of the packets for which the tests end in ACCEPT."""
    values = checked(data, rows)
    loaded = load_tests(tests)
    asks_all = tests_ask_all(loaded)
    kept = bytearray()
    for i in range(len(values) // COLUMNS):
        row = values[i * COLUMNS : (i + 1) * COLUMNS]
        if matches(loaded, asks_all, data, without_fcs(row[:]), row):
            kept += rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
    return kept


# ---- assignments ----


def _change(a: _Assignment, frame: bytearray, place: _Place, constants: bytes) -> bool:
    """Whether it is done: a value that this field cannot hold is left alone."""
    operation, width, bias, scale = a.operation, place.field.width, place.field.bias, place.field.scale
    if place.field.kind == DATA:
        at, size = place.at // 8, min(a.size, place.size)
        frame[at : at + size] = constants[a.constant : a.constant + size]
        return True
    if place.field.kind == TEXT and width == 0 and a.size != place.size:
        return False  # its header says how long it is
    if place.field.kind == TEXT:  # one that is there already stays with what stands behind its end; behind another one all is zero
        at, text = place.at // 8, constants[a.constant : a.constant + min(a.size, place.size)]
        if text != _read_bytes(frame, place):
            frame[at : at + place.size] = text.ljust(place.size, b"\0")
        return True
    value = _number(a.high, a.low)
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


def _outer_headers(headers: list[Header]) -> list[Header]:
    """The headers in front of what a tunnel carries, without the transport that carries it: there is who talks to whom."""
    network = 0  # headers up to the last one of IP in front of it
    for i, header in enumerate(headers):
        carrier = carries_message(header.kind)
        if is_tunnel(header.kind) or (network and carrier):
            return headers[: network or i]
        if carrier or extends(header.kind):
            network = i + 1
    return headers


def _note(changed: Changed, place: _Place) -> None:
    """Remembers that a field was changed."""
    end = place.at // 8 + (place.size or -(-(place.at % 8 + place.field.width) // 8))
    if place.field.shapes & MUTABLE:
        changed.mutable_end = max(changed.mutable_end, end)
    else:
        changed.end = max(changed.end, end)


def _swap(fields: list[_Field], a: _Assignment, frame: bytearray, headers: list[Header], changed: Changed) -> bool:
    """Exchanges two fields of outer headers; whether both are there."""
    outer = _outer_headers(headers)
    place, other = (_locate(fields, index, a.occurrence, bool(a.exact), frame, outer) for index in (a.field, a.other))
    if not place or not other or other.field.width != place.field.width or TEXT in (place.field.kind, other.field.kind):
        return False
    value = _read_raw(frame, place)
    _write_raw(frame, place, _read_raw(frame, other))
    _write_raw(frame, other, value)
    _note(changed, place)
    _note(changed, other)
    return True


def _assign(loaded: Assignments, asks_all: bool, frame: bytearray, linktype: int, placed: list[int]) -> tuple[int, int]:
    """placed: a counter an assignment, of the packets in which it was done. Returns what is not followed, and does not follow."""
    fields, assignments, constants = loaded
    walked = Walk(bytes(frame), linktype, asks_all)
    headers, changed, beyond = walked.headers, Changed(), walked.beyond
    for i, a in enumerate(assignments):
        if a.operation == SWAP:
            placed[i] += _swap(fields, a, frame, headers, changed)
            continue
        place = _locate(fields, a.field, a.occurrence, bool(a.exact), frame, headers)
        if place and _change(a, frame, place, constants):
            placed[i] += 1
            _note(changed, place)
            if place.field.shapes & SHAPES and a is not assignments[-1]:  # later assignments meet the headers as they are now
                walked = Walk(bytes(frame), linktype, asks_all)
                headers = walked.headers
    return beyond, signature_of(frame, walked, changed) if changed.end or changed.mutable_end else 0


def assign(data: bytearray, rows: bytes, assignments: Program, guard: Program | None,
           follow: bool, counts: dict[int, int] | None = None) -> tuple[int, tuple[int, ...], int, int]:  # fmt: skip
    """Runs assignments over all packets, or over those for which the tests of `guard` hold; changes `data`.

    follow: checksums follow what is changed, see update.py. Returns over how many packets they ran, in how many of them each
    was done, having a place there, in how many a checksum could not follow, and in how many it is not known. Adds to
    `counts` what packets carry that is not followed.
    """
    values = checked(data, rows)
    loaded = _load_assignments(assignments)
    if guard is not None and not isinstance(guard, tuple):
        raise TypeError("guard is a program or None")
    tests = load_tests(guard) if guard is not None else None
    asked = [a.field for a in loaded[1]] + [a.other for a in loaded[1] if a.operation == SWAP]
    asks_all, guard_asks_all = any(_asks_all(loaded[0], index) for index in asked), tests is not None and tests_ask_all(tests)
    need_dict(counts)
    met = stale = unknown = 0
    placed = [0] * len(loaded[1])
    for i in range(0, len(values), COLUMNS):
        row = without_fcs(values[i : i + COLUMNS])
        offset, captured, linktype = row[OFFSET], row[CAPTURED], row[LINKTYPE]
        if tests is None or matches(tests, guard_asks_all, data, row, values[i : i + COLUMNS]):
            before = bytes(data[offset : offset + captured])
            frame = bytearray(before)
            met += 1
            for code in _assign(loaded, asks_all, frame, linktype, placed):
                note(counts, code)
            if follow:
                left = update(before, frame, row[ORIGINAL], linktype)
                stale, unknown = stale + left[0], unknown + left[1]
            data[offset : offset + captured] = frame
    return met, tuple(placed), stale, unknown


def spread(data: bytearray, rows: bytes, first: int, step: int, bit: int, width: int, values: bytes) -> int:
    """Writes a column of values into a batch: packet `first`, and every `step`-th behind it, gets its value.

    bit, width: where it goes in the frame, up to 64 bits. values: eight bytes in native order for each packet of the batch; what
    does not fit into the width is cut. Returns how many packets were too short to have the field, and stay as they are.
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
