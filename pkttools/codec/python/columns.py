"""Packets as rows of a table, a line each: what was asked for of them, in columns; twin of ../c/columns.c."""

from __future__ import annotations

from struct import iter_unpack

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, linktype_of
from ...protocols.fields import BY_HEADER, TABLE, TEXT, Row
from ...protocols.shown import read_field
from ..program import OF_IFACE, OF_NOTE, OF_WAY, said_by
from .headers import Walk
from .json import json_value, string, utc
from .lists import Items
from .rows import checked, numbering, without_fcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from .rows import Buffer

    T = TypeVar("T")
    Found = tuple[Row | None, int | bytes]  # a value, and the row of its field; None: it is what a line says
NUMBER_OF, TIME_OF, UTC_OF, CAPTURED_OF, ORIGINAL_OF, LINK_OF, FRAME_OF, IFACE_OF, WAY_OF, NOTE_OF = range(-1, -11, -1)
LINES = {IFACE_OF: OF_IFACE, WAY_OF: OF_WAY, NOTE_OF: OF_NOTE}  # what lines say that a packet comes with
PLAIN, CSV, JSON = range(3)
MOST = 32767

Column = tuple[int, int, int]


def columns_encode(data: bytearray, rows: bytes, first: int, number: int | Buffer, columns: bytes, before: bytes,
                   style: int) -> tuple[bytes, int]:  # fmt: skip
    """Writes packets from row `first` on as lines of a table, up to a megabyte. number: see `numbering`.

    columns: three integers each: the index of the first row of a field's name, or one of the numbers above; which occurrence of
    the field, or of the line, -1 is the last one, 0: all; and whether these are a list in JSON, also when there is only one.
    before: what stands in front of each cell, and behind the last one, each with a zero at its end. style: PLAIN and CSV: several
    are joined by commas, and a comma in one of them is `\\x2c`; what is not there is empty. In CSV such cells, and characters,
    stand in quotes. JSON: several are a list, what is not there is null. Returns the text and the row it stopped before.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count:
        raise ValueError("first packet out of range")
    if not sound(columns, before, style):
        raise ValueError("columns are not sound")
    asked = list(iter_unpack("=3q", columns))
    texts = [text.decode("latin-1") for text in bytes(before).split(b"\0")[:-1]]
    numbers = numbering(number, first, count)
    out: list[str] = []
    size, stop = 0, first
    while stop < count and size < MAX_BATCH // 2:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        cells = _cells(data, row, numbers[stop], asked, style)
        out.append("".join(text + cell for text, cell in zip(texts, [*cells, ""], strict=True)))
        size += len(out[-1])
        stop += 1
    return "".join(out).encode("latin-1"), stop


def sound(columns: bytes, before: bytes, style: int) -> bool:
    """Whether a call is one that the codec follows."""
    if len(columns) % 24 or not PLAIN <= style <= JSON or len(columns) // 24 >= MOST:
        return False
    whats = [what for what, _, _ in iter_unpack("=3q", columns)]
    marked = bytes(before).count(b"\0") == len(whats) + 1 and bytes(before).endswith(b"\0")
    return marked and all(NOTE_OF <= what < len(TABLE) for what in whats)


def _cells(data: bytearray, row: list[int], number: int, columns: list[Column], style: int) -> list[str]:
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    bare = without_fcs(list(row))
    notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
    found = found_of(frame[: bare[CAPTURED]], bare[LINKTYPE], notes, {what for what, _, _ in columns})
    quote = '"' if style == JSON else ""
    facts = {
        NUMBER_OF: str(number),
        TIME_OF: str(row[TIME]),
        UTC_OF: f"{quote}{utc(row[TIME])}{quote}",
        CAPTURED_OF: str(row[CAPTURED]),
        ORIGINAL_OF: str(row[ORIGINAL]),
        LINK_OF: str(linktype_of(row[LINKTYPE])),
        FRAME_OF: f"{quote}{frame.hex()}{quote}",
    }
    return [facts[c[0]] if c[0] in facts else _cell(chosen(found[c[0]], c[1]), c, style) for c in columns]


def found_of(frame: bytes, linktype: int, notes: bytes, whats: set[int]) -> dict[int, list[Found]]:
    """What a packet has of each field, and of lines, that columns ask for, in its order."""
    found: dict[int, list[Found]] = {what: [(None, said) for said in said_by(notes, LINES[what])] for what in whats & LINES.keys()}
    names: dict[str, list[Found]] = {}
    for what in whats:
        if what >= 0:
            found[what] = names.setdefault(TABLE.names[what], [])
    headers = Walk(frame, linktype).headers if names else []
    for place in [*headers, *(item for _, item in Items(frame, headers).all())]:
        for row in BY_HEADER[place.kind]:
            if row.name in names:
                value = read_field(row, frame, place.start, place.data, place.end)
                if value is not None:
                    names[row.name].append((row, value))
    return found


def chosen(found: list[T], occurrence: int) -> list[T]:
    """One of what was found, -1 is the last one; 0: all of it. Empty where that is not there."""
    which = occurrence + len(found) + 1 if occurrence < 0 else occurrence
    return found[which - 1 : which] if which > 0 else [] if occurrence else found


def _cell(found: list[Found], column: Column, style: int) -> str:
    _, occurrence, is_list = column
    if not found:
        return "null" if style == JSON else ""
    shown = [string(bytes(value)) if row is None else json_value(row, value) for row, value in found]
    if style == JSON:
        text = ",".join(shown)
        return f"[{text}]" if not occurrence and (is_list or len(found) > 1) else text
    row, text = found[0][0], ",".join(_plain(value, occurrence == 0) for value in shown)
    return f'"{text}"' if style == CSV and (row is None or row.kind == TEXT or len(found) > 1) else text


def _plain(shown: str, several: bool) -> str:
    """A value without quotes around it: only text has backslashes, and commas."""
    shown = shown.strip('"').replace("\\\\", "\\")
    return shown.replace(",", "\\x2c") if several else shown
