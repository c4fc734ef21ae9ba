"""Runs filters and assignments: flat programs over the fields of a table; twin of ../c/program.c.

The columns of fields, tests and assignments are those of `struct field`, `struct test`, `struct assignment` in ../c/codec.h.
"""

from __future__ import annotations

import dataclasses
import operator
import struct
from dataclasses import dataclass
from functools import lru_cache

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, ROW_BYTES, TIME, Program
from ...protocols import MUTABLE, ROW
from ...protocols.walking import FIRST_ITEM
from ..program import (
    ACCEPT,
    ADD,
    ANY,
    ASSIGNMENT_COLUMNS,
    AT_LEAST,
    AT_MOST,
    BPF,
    CONTAINS,
    COPY,
    DATA,
    EQUAL,
    EVERY,
    FAMILY,
    LAYER,
    LESS,
    LITTLE,
    MORE,
    NEXT,
    NOTHING,
    OF_CAPTURED,
    OF_IFACE,
    OF_NUMBER,
    OF_SIZE,
    OF_TIME,
    PRESENT,
    REJECT,
    SAMPLE,
    SUBTRACT,
    SWAP,
    TEST_COLUMNS,
    TEXT,
    UNEQUAL,
    WITHIN,
    said_by,
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
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ...bpf.classic import Instruction

COMPARISONS: dict[int, Callable[[Any, Any], bool]] = {  # of two numbers, or of bytes with bytes
    EQUAL: operator.eq, UNEQUAL: operator.ne, LESS: operator.lt, AT_MOST: operator.le, MORE: operator.gt, AT_LEAST: operator.ge,
}  # fmt: skip
MASK64 = (1 << 64) - 1
VALUE = struct.Struct("=QQ")  # 128 bits: the upper ones, and the lower ones
SEED = struct.Struct("=Q")


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
    other: int
    other_occurrence: int
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
    other_occurrence: int


Tests = tuple[list[_Field], list[_Test], bytes]
Assignments = tuple[list[_Field], list[_Assignment], bytes]


def _cut(code: bytes, form: str) -> list[tuple[int, ...]]:
    """The whole rows of a table."""
    row = struct.Struct(form)
    return [*row.iter_unpack(code[: len(code) // row.size * row.size])]


def _width_sound(kind: int, bit: int, width: int) -> bool:
    whole = width % 8 == bit % 8 == 0
    if kind == FAMILY:
        return width == 32
    if kind == LITTLE:
        return width <= 64 and whole
    if kind == TEXT:
        return whole
    return bit % 8 + width <= 64 or (width == 128 and bit % 8 == 0)


@lru_cache(4)
def _fields(table: bytes) -> tuple[list[_Field], bool]:
    """The fields of a table, and whether they are sound. All programs bring the same, with what all protocols have."""
    fields = [_Field(*columns) for columns in _cut(table, ROW)]
    sound = True
    for i, field in enumerate(fields):
        sound &= field.next == 0 or i < field.next < len(fields)  # forward: no circles
        sound &= field.scale >= 1 and _width_sound(field.kind, field.bit, field.width)
    return fields, sound


def _operand_sound(fields: list[_Field], index: int) -> bool:
    """Whether there is a field, or a fact of the packet."""
    return 0 <= index < len(fields) or OF_TIME <= index < NOTHING


@lru_cache(16)
def load_tests(program: Program) -> Tests:
    """The tests of a program. Raises ValueError when it is not valid: it is checked once and then trusted."""
    fields, sound = _fields(program[0])
    tests, constants = [_Test(*columns) for columns in _cut(program[1], f"{TEST_COLUMNS}q")], program[2]
    sound &= len(program[1]) // 8 % TEST_COLUMNS == 0 and len(tests) > 0
    for i, t in enumerate(tests if sound else []):
        sound &= all(target in (ACCEPT, REJECT) or i < target < len(tests) for target in (t.yes, t.no))
        of_field = t.compare not in (LAYER, BPF)
        sound &= not of_field or _operand_sound(fields, t.field)
        sound &= t.other == NOTHING or (of_field and _operand_sound(fields, t.other) and t.other_occurrence != ANY)
        sound &= 0 <= t.constant <= len(constants) and 0 <= t.size <= len(constants) - t.constant
        sound &= t.compare != WITHIN or t.size == VALUE.size
        sound &= t.compare != SAMPLE or t.size == SEED.size
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
    assignments, constants = [_Assignment(*columns) for columns in _cut(program[1], f"{ASSIGNMENT_COLUMNS}q")], program[2]
    sound &= len(program[1]) // 8 % ASSIGNMENT_COLUMNS == 0
    for a in assignments if sound else []:
        sound &= 0 <= a.field < len(fields) and (a.operation not in (SWAP, COPY) or 0 <= a.other < len(fields))
        sound &= 0 <= a.constant <= len(constants) and 0 <= a.size <= len(constants) - a.constant
    if not sound:
        raise ValueError("program is not valid")
    return fields, assignments, constants


def _asks_all(fields: list[_Field], index: int) -> bool:
    """Whether a field is one of idle headers, or of items, which may lie in such."""
    while index >= 0:
        if fields[index].header >= FIRST_ITEM or is_idle(fields[index].header):
            return True
        index = fields[index].next or -1
    return False


def tests_ask_all(loaded: Tests) -> bool:
    """Whether tests ask for any such."""
    fields, tests, _ = loaded
    kinds = {kind for test in tests for kind in range(test.kinds.bit_length()) if test.kinds >> kind & 1}
    asked = [index for test in tests if test.compare not in (LAYER, BPF) for index in (test.field, test.other)]
    return any(_asks_all(fields, index) for index in asked) or any(map(is_idle, kinds))


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
        index = field.next or -1
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


class _Subject:
    """What tests are asked of. whole: the packet's row, with its frame check sequence; number: which one of all it is."""

    def __init__(self, frame: bytes, data: bytearray, whole: list[int], number: int) -> None:
        self.frame, self.whole, self.number = frame, whole, number
        self.headers: list[Header] = []  # they are looked for where a test asks for them
        self.notes = bytes(data[whole[NOTES] : whole[NOTES] + whole[NOTES_SIZE]])

    def fact(self, which: int) -> list[int | bytes]:
        """A number of the packet, or what each line of its notes says that begins with a word."""
        if which >= OF_IFACE:
            return [*said_by(self.notes, which)]
        columns = {OF_TIME: TIME, OF_SIZE: ORIGINAL, OF_CAPTURED: CAPTURED}
        return [(self.number if which == OF_NUMBER else self.whole[columns[which]]) & MASK64]


def _operand_at(frame: bytes | bytearray, place: _Place) -> int | bytes:
    """The number, or the octets, that are compared and assigned."""
    if place.field.kind in (DATA, TEXT):
        return _read_bytes(frame, place)
    value = _read_raw(frame, place)
    return value if place.field.width == 128 else (value + place.field.bias) * place.field.scale


def _operand(fields: list[_Field], index: int, occurrence: int, subject: _Subject) -> int | bytes | None:
    """What a field holds, or a fact of the packet is; None: it is not there."""
    if index < 0:
        found = subject.fact(index)
        if occurrence < 0:
            return found[occurrence] if -occurrence <= len(found) else None
        return found[occurrence - 1] if 1 <= occurrence <= len(found) else None
    place = _locate(fields, index, occurrence, True, subject.frame, subject.headers)
    return None if place is None else _operand_at(subject.frame, place)


def _all_operands(fields: list[_Field], index: int, subject: _Subject) -> Iterator[int | bytes]:
    """The same of all occurrences."""
    if index < 0:
        yield from subject.fact(index)
        return
    headers: Iterable[Header] = subject.headers
    if fields[index].header >= FIRST_ITEM:
        headers = (item for _, item in Items(subject.frame, subject.headers).all())
    for header in headers:
        if place := _place_in(fields, index, header):
            yield _operand_at(subject.frame, place)


def drawn(seed: int, number: int) -> int:
    """What is drawn for a number, the same for the same seed: its place in a SplitMix64 sequence (Steele, Lea, Flood 2014)."""
    x = seed + number * 0x9E3779B97F4A7C15 & MASK64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK64
    return x ^ x >> 31


def _passes(test: _Test, constants: bytes, value: int | bytes, wanted: int | bytes | None) -> bool:
    """wanted: what it is compared with; None: a constant, which is either."""
    if test.compare == PRESENT:
        return True
    constant = constants[test.constant : test.constant + test.size]
    if wanted is None:
        wanted = constant if isinstance(value, bytes) else _number(test.high, test.low)
    if isinstance(value, bytes) and isinstance(wanted, bytes):
        if test.compare == CONTAINS:
            return wanted in value
    elif isinstance(value, int) and isinstance(wanted, int):
        value &= _number(test.mask_high, test.mask_low)
        if test.compare == WITHIN:
            high, low = VALUE.unpack(constant)
            return bool(wanted <= value <= (high << 64 | low))
        if test.compare == EVERY:
            return wanted & MASK64 != 0 and (value & MASK64) % (wanted & MASK64) == 0
        if test.compare == SAMPLE:
            return drawn(SEED.unpack(constant)[0], value & MASK64) < wanted
    else:
        return False
    compare = COMPARISONS.get(test.compare)
    return compare is not None and compare(value, wanted)


def _holds(fields: list[_Field], test: _Test, constants: bytes, subject: _Subject) -> bool:
    if test.compare == LAYER:
        return any(test.kinds >> header.kind & 1 for header in subject.headers)
    wanted = None
    if test.other != NOTHING:
        wanted = _operand(fields, test.other, test.other_occurrence, subject)
        if wanted is None:
            return False
    if test.occurrence == ANY:
        return any(_passes(test, constants, value, wanted) for value in _all_operands(fields, test.field, subject))
    value = _operand(fields, test.field, test.occurrence, subject)
    return value is not None and _passes(test, constants, value, wanted)


def matches(loaded: Tests, asks_all: bool, data: bytearray, row: list[int], whole: list[int], number: int) -> bool:
    """row: the packet without its frame check sequence; whole: with it: BPF sees all, as tcpdump does. number: which one it is."""
    fields, tests, constants = loaded
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    subject = _Subject(frame, data, whole, number)
    walked = False
    following = 0
    while following >= 0:
        test = tests[following]
        if test.instructions is not None:  # BPF: knows no headers: none are looked for in vain
            all_of_it = frame if row == whole else bytes(data[whole[OFFSET] : whole[OFFSET] + whole[CAPTURED]])
            held = bpf.run(test.instructions, all_of_it, whole[ORIGINAL]) != 0
        else:
            if not walked and (test.field >= 0 or test.other >= 0 or test.compare == LAYER):
                subject.headers = Walk(frame, row[LINKTYPE], asks_all).headers
                walked = True
            held = _holds(fields, test, constants, subject)
        following = test.yes if held else test.no
    return following == ACCEPT


def select(data: bytearray, rows: bytes, tests: Program, first: int = 1, counts: dict[int, int] | None = None) -> bytearray:
    """The rows of the packets for which the tests end in ACCEPT. first: the number of the first one.

    Adds to `counts` what packets carry that is not followed, of those that are left out, too.
    """
    values = checked(data, rows)
    loaded = load_tests(tests)
    asks_all = tests_ask_all(loaded)
    need_dict(counts)
    kept = bytearray()
    for i in range(len(values) // COLUMNS):
        row = values[i * COLUMNS : (i + 1) * COLUMNS]
        bare = without_fcs(row[:])
        if counts is not None:
            frame = bytes(data[bare[OFFSET] : bare[OFFSET] + bare[CAPTURED]])
            note(counts, Walk(frame, bare[LINKTYPE], False).beyond)
        if matches(loaded, asks_all, data, bare, row, first + i):
            kept += rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
    return kept


# ---- assignments ----


def _change(operation: int, frame: bytearray, place: _Place, value: int | bytes) -> bool:
    """Whether it is done: a value that this field cannot hold is left alone."""
    width, bias, scale = place.field.width, place.field.bias, place.field.scale
    if isinstance(value, bytes):
        if place.field.kind == DATA:
            at, size = place.at // 8, min(len(value), place.size)
            frame[at : at + size] = value[:size]
            return True
        if width == 0 and len(value) != place.size:
            return False  # its header says how long it is
        at, text = place.at // 8, value[: place.size]  # what is there already stays with what stands behind its end
        if text != _read_bytes(frame, place):  # behind another one all is zero
            frame[at : at + place.size] = text.ljust(place.size, b"\0")
        return True
    if width < 128:
        if value > MASK64:
            return False
        if operation not in (ADD, SUBTRACT):
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


def _is_cut(place: _Place, value: int | bytes) -> bool:
    """Whether the field has no room for all of a value."""
    return isinstance(value, bytes) and len(value) > place.size


def _assigned(loaded: Assignments, a: _Assignment, following: int, frame: bytearray, headers: list[Header],
              octets: bool) -> int | bytes | None:  # fmt: skip
    """The value that an assignment assigns; None: that of a field which is not there, or of another kind."""
    fields, _, constants = loaded
    if a.operation == NEXT:
        return None if octets else following
    if a.operation != COPY:
        return constants[a.constant : a.constant + a.size] if octets else _number(a.high, a.low)
    other = _locate(fields, a.other, a.other_occurrence, True, frame, headers)
    value = None if other is None else _operand_at(frame, other)
    return value if isinstance(value, bytes) == octets else None


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


Located = dict[tuple[Walk, int], _Place | None]  # by walk and assignment: it follows from headers, unless of an item


def _assign(loaded: Assignments, asks_all: bool, frame: bytearray, linktype: int, walked: Walk, located: Located,
            placed: list[int], cut: list[int], series: list[list[int]]) -> int:  # fmt: skip
    """placed: a counter an assignment, of the packets in which it was done. cut: of those whose field has no room for all of
    it: of octets what fits was set, all else was left alone.

    Returns what does not follow.
    """
    fields, assignments, _ = loaded
    headers, changed = walked.headers, Changed()
    columns = iter(series)
    for i, a in enumerate(assignments):
        following = next(columns)[placed[i]] if a.operation == NEXT else 0
        if a.operation == SWAP:
            placed[i] += _swap(fields, a, frame, headers, changed)
            continue
        key = walked, i
        if key in located:
            place = located[key]
        else:
            place = _locate(fields, a.field, a.occurrence, bool(a.exact), frame, headers)
            if fields[a.field].header < FIRST_ITEM:
                located[key] = place
        if place is None:
            continue
        value = _assigned(loaded, a, following, frame, headers, place.field.kind in (DATA, TEXT))
        if value is not None and not _change(a.operation, frame, place, value):
            cut[i] += 1
        elif value is not None:
            placed[i] += 1
            cut[i] += _is_cut(place, value)
            _note(changed, place)
            if place.field.shapes & SHAPES and a is not assignments[-1]:  # later assignments meet the headers as they are now
                walked = Walk(bytes(frame), linktype, asks_all)
                headers = walked.headers
    return signature_of(frame, walked, changed) if changed.end or changed.mutable_end else 0


def _series(values: bytes | None, columns: int, count: int) -> list[list[int]]:
    """The values of each assignment that takes another one in each packet. Raises ValueError."""
    size = 0 if values is None else memoryview(values).nbytes
    if size != columns * count * VALUE.size:
        raise ValueError("values are not one a packet of each that takes some")
    numbers = [high << 64 | low for high, low in VALUE.iter_unpack(values or b"")]
    return [numbers[at : at + count] for at in range(0, columns * count, count or 1)]


def assign(data: bytearray, rows: bytes, assignments: Program, values: bytes | None, follow: bool,
           counts: dict[int, int] | None = None) -> tuple[int, tuple[int, ...], tuple[int, ...], int, int]:  # fmt: skip
    """Runs assignments over all packets; changes `data`.

    values: of each assignment that takes another value in each packet, as many as there are packets, 16 bytes each in native
    halves, the upper one first; packet after packet in which it is done takes the next one. None: none does.
    follow: checksums follow what is changed, see update.py. Returns over how many packets they ran, in how many of them each
    was done, having a place there, in how many a value had no room there (octets were cut, all else was left), in how many a
    checksum could not follow, and in how many it is not known. Adds to `counts` what packets carry that is not followed.
    """
    columns = without_fcs(checked(data, rows))
    loaded = _load_assignments(assignments)
    series = _series(values, sum(a.operation == NEXT for a in loaded[1]), len(columns) // COLUMNS)
    asked = [a.field for a in loaded[1]] + [a.other for a in loaded[1] if a.operation in (SWAP, COPY)]
    asks_all = any(_asks_all(loaded[0], index) for index in asked)
    need_dict(counts)
    met = stale = unknown = 0
    octets = memoryview(data)
    located: Located = {}
    placed, cut = [0] * len(loaded[1]), [0] * len(loaded[1])
    for i in range(0, len(columns), COLUMNS):
        offset, captured, linktype = columns[i + OFFSET], columns[i + CAPTURED], columns[i + LINKTYPE]
        before = bytes(octets[offset : offset + captured])
        frame, walked = bytearray(before), Walk(before, linktype, asks_all)
        met += 1
        note(counts, walked.beyond)
        note(counts, _assign(loaded, asks_all, frame, linktype, walked, located, placed, cut, series))
        if follow:
            left = update(before, frame, columns[i + ORIGINAL], linktype)
            stale, unknown = stale + left[0], unknown + left[1]
        if frame != before:
            octets[offset : offset + captured] = frame
    return met, tuple(placed), tuple(cut), stale, unknown


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
