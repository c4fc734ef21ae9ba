"""Fields of packets as lines, `NAME: value`; twin of ../c/lines.c."""

from __future__ import annotations

from collections import Counter

from ...protocols.fields import BY_HEADER, DATA, FAMILY, FIELDS, INT, LITTLE, TABLE, TEXT, Row
from ...protocols.shown import data_rows, format_value, label, read_field
from ...protocols.walking import PADDED
from .. import DECIMAL
from .headers import Header, Walk
from .lists import Items
from .protocols import carries_message, exception

OF_1_16, ALL = 1, 2  # which fields


def field_lines(frame: bytes, linktype: int, fields: int) -> bytes:
    """The lines of the fields of a packet: OF_1_16, or ALL; with DECIMAL their numbers are decimal.

    In the order of 1.16: fields of a header in wire order; then the data, the innermost first. What a tunnel carries is data
    for 1.16; all fields show the headers in it instead. Items of lists, such as options, come last: they may lie in data, and of
    lines that are read again the last one wins.
    """
    everything, decimal = fields & ALL == ALL, bool(fields & DECIMAL)
    found = Walk(frame, linktype).headers
    headers = found if everything else known_to_1_16(found)
    lines: list[str] = []
    tail: list[str] = []
    for i, header in enumerate(headers):
        inner: list[str] = []
        for row in sorted(BY_HEADER[header.kind], key=lambda row: row.last):
            if row.new and not everything:
                continue
            value = read_field(row, frame, header.start, header.data, header.end)
            if row.kind == DATA and isinstance(value, bytes):
                if shown_inside(headers[i + 1 :], header):
                    continue
                rows = [label(row.name + which_of_many(row, headers, i)) + text for text in data_rows(value)]
                (lines if row.in_place else inner).extend(rows)
            elif value is not None:
                lines.append(label(row.name) + written(row, value, decimal))
        tail[:0] = inner
    if everything:
        tail += item_lines([item for _, item in Items(frame, found).all()], frame, decimal)
    return "".join(line + "\n" for line in lines + tail).encode()


def known_to_1_16(headers: list[Header]) -> list[Header]:
    """The headers up to the first that 1.16 did not know: one of SCTP, or what a tunnel carries."""
    for i, header in enumerate(headers):
        known = exception(header.kind) == PADDED or carries_message(header.kind)
        nested = known and any(carries_message(outer.kind) for outer in headers[:i])
        if nested or (i > 0 and all(row.new for row in BY_HEADER[header.kind])):
            return headers[:i]
    return headers


def shown_inside(inner: list[Header], header: Header) -> bool:
    """Whether headers inside show data. The words of those that have a line of text do not: it is they by which it is found."""
    first = next((later for later in inner if header.data <= later.start < header.end), None)
    return first is not None and not any(row.kind == TEXT and row.width == 0 for row in BY_HEADER[first.kind])


def which_of_many(row: Row, headers: list[Header], i: int) -> str:
    """`[2]` for the data of an inner header, where an outer one has data of the same name."""
    kinds = {TABLE[index].header for index in FIELDS[row.name]}
    places = [k for k, header in enumerate(headers) if header.kind in kinds and header.data < header.end]
    return f"[{places.index(i) + 1}]" if len(places) > 1 and not row.in_place else ""


def written(row: Row, value: int | bytes, decimal: bool) -> str:
    """A value; numbers, which addresses are not, decimal if that is asked for."""
    return str(value) if decimal and row.kind in (INT, FAMILY, LITTLE) else format_value(row, value)


def item_lines(items: list[Header], frame: bytes, decimal: bool) -> list[str]:
    """Those of items of lists, in the order of the packet."""
    rows = [(row, item) for item in items for row in BY_HEADER[item.kind]]
    values = [(row, value) for row, of in rows if (value := read_field(row, frame, of.start, of.data, of.end)) is not None]
    names = [row.name for row, _ in values]
    totals, counts = Counter(names), dict.fromkeys(names, 0)
    lines: list[str] = []
    for row, value in values:
        counts[row.name] += 1
        if row.kind == DATA and isinstance(value, bytes):
            name = f"{row.name}[{counts[row.name]}]" if totals[row.name] > 1 else row.name
            lines += [label(name) + text for text in data_rows(value)]
        else:
            lines.append(label(row.name) + written(row, value, decimal))
    return lines
