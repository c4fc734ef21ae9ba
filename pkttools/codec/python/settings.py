"""Field lines of text, `NAME.FIELD: value`, that are set in their packet, in their order; twin of ../c/settings.c.

A name that comes several times is that of its first, second... occurrence; lines of DATA that follow each other continue
each other.
"""

from __future__ import annotations

from functools import lru_cache

from ...errors import UsageError
from ...protocols import _rows
from ...protocols.fields import DATA, TABLE
from ...protocols.values import check_assignable, field, parse_value, rows_of
from ..program import SET
from .headers import Walk
from .program import SHAPES, _change, _fields, _is_cut, _locate

Line = tuple[int, bytes, bytes]  # its number, name and value


class WrongLineError(Exception):
    """Nothing can be set by a line: its number, name and value."""


@lru_cache(4096)
def read_line(name: bytes, value: bytes) -> tuple[int, int | None, int | bytes]:
    """What a line says: the first row of its field, the occurrence that it names, its value. Raises UsageError."""
    found, indexes, occurrence = field(name.decode("ascii"))
    rows = rows_of(indexes)
    said = parse_value(found, rows, value.decode("latin-1"))
    if isinstance(said, int):
        check_assignable(found, rows, said)
    return indexes[0], occurrence, said


def set_fields(frame: bytearray, linktype: int, lines: list[Line]) -> tuple[int, int]:
    """Sets what the lines of a packet say. Returns how many have no place there, and how many no room. Raises WrongLineError."""
    said: list[tuple[int, int | None, int | bytes]] = []
    before = b""
    for line in lines:
        try:
            index, occurrence, value = read_line(*line[1:])
        except UsageError:
            raise WrongLineError(*line) from None
        if line[1] == before and isinstance(value, bytes) and TABLE[index].kind == DATA:
            value = said.pop()[2] + value  # type: ignore[operator]  # it is of the same field
        said.append((index, occurrence, value))
        before = line[1]
    fields, _ = _fields(_rows.ROWS)
    headers = Walk(bytes(frame), linktype, True).headers
    seen: dict[int, int] = {}
    unplaced = cut = 0
    for index, occurrence, value in said:
        seen[index] = seen.get(index, 0) + 1
        place = _locate(fields, index, occurrence or seen[index], occurrence is not None, frame, headers)
        old = bytes(frame)
        if not place or not _change(SET, frame, place, value):
            unplaced += 1
            continue
        cut += _is_cut(place, value)
        if place.field.shapes & SHAPES and frame != old:
            headers = Walk(bytes(frame), linktype, True).headers
    return unplaced, cut
