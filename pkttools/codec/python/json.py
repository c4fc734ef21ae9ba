"""Packets as JSON, a line each; twin of ../c/json.c."""

from __future__ import annotations

from time import gmtime, strftime
from zlib import crc32

from ...batch import (
    CAPTURED,
    COLUMNS,
    LINKTYPE,
    MAX_BATCH,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    TIME,
    count_of,
    fcs_of,
    linktype_of,
)
from ...protocols.fields import BY_HEADER, DATA, FAMILY, INT, LITTLE, TEXT, Row
from ...protocols.shown import escaped, format_fraction, format_value, read_field
from .headers import Header, Walk, is_tag
from .lines import shown_inside
from .lists import Items
from .protocols import extends
from .rows import checked, numbering, without_fcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .rows import Buffer


def json_encode(data: bytearray, rows: bytes, first: int, number: int | Buffer) -> tuple[bytes, int]:
    """Writes packets from row `first` on as JSON, a line each, up to a megabyte. number: see `numbering`.

    An object says of a packet: number, time (nanoseconds since 1970) and time_utc, captured and original size, linktype; fcs
    (octets of a frame check sequence) and fcs_count, and notes (extension lines), where it has them; frame, and a check value of
    it; then its fields as `text_encode` has them, by the headers they are in: `IP.TTL` is `.IP.TTL`. Of several headers of a name
    there is a list; but tags and extension headers go on with the header in front, where a field that comes again is a list.
    Returns the text and the row it stopped before.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count:
        raise ValueError("first packet out of range")
    numbers = numbering(number, first, count)
    out: list[str] = []
    size, stop = 0, first
    while stop < count and size < MAX_BATCH // 2:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        out.append(_packet(data, row, numbers[stop]))
        size += len(out[-1])
        stop += 1
    return "".join(out).encode(), stop


def _packet(data: bytearray, row: list[int], number: int) -> str:
    frame = bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    linktype, fcs, fcs_count = linktype_of(row[LINKTYPE]), fcs_of(row[LINKTYPE]), count_of(row[LINKTYPE])
    notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
    parts = [f'{{"number":{number},"time":{row[TIME]},"time_utc":"{utc(row[TIME])}"']
    parts.append(f'"captured":{row[CAPTURED]},"original":{row[ORIGINAL]},"linktype":{linktype}')
    if fcs is not None:
        parts.append(f'"fcs":{fcs}')
    if fcs_count is not None:
        parts.append(f'"fcs_count":{fcs_count}')
    if notes:
        parts.append(f'"notes":[{",".join(map(string, notes.removesuffix(NEWLINE).split(NEWLINE)))}]')
    parts.append(f'"frame":"{frame.hex()}","check":"{crc32(frame, linktype):08x}"')
    bare = without_fcs(list(row))
    objects: dict[str, list[Object]] = {}
    for name, found in _objects(frame[: bare[CAPTURED]], bare[LINKTYPE]):
        objects.setdefault(name, []).append(found)
    for name, several in objects.items():
        texts = [one.text() for one in several]
        parts.append(f'"{name}":{texts[0] if len(texts) == 1 else "[" + ",".join(texts) + "]"}')
    return ",".join(parts) + "}\n"


NEWLINE = b"\n"


class Object:
    """What is told of one or more headers under one name. kind: of the first one. at: the last one, by its index."""

    def __init__(self, kind: int, at: int) -> None:
        self.kind, self.at = kind, at
        self.fields: dict[str, list[str]] = {}

    def text(self) -> str:
        """As JSON."""
        shown = (f'"{name}":{v[0] if len(v) == 1 else "[" + ",".join(v) + "]"}' for name, v in self.fields.items())
        return "{" + ",".join(shown) + "}"


def _objects(frame: bytes, linktype: int) -> list[tuple[str, Object]]:
    """The objects of a packet, with their names, in its order."""
    headers = Walk(frame, linktype).headers
    items: dict[int, list[Header]] = {}
    for index, item in Items(frame, headers).all():
        items.setdefault(index, []).append(item)
    objects: list[tuple[str, Object]] = []
    last: dict[str, Object] = {}

    def add(row: Row, place: Header, index: int, goes_on: bool) -> None:
        value = read_field(row, frame, place.start, place.data, place.end)
        if value is None:
            return
        layer, _, name = row.name.partition(".")
        into = last.get(layer)
        kind = headers[index].kind
        if into is None or not (into.at == index or goes_on or (continues(kind) and kind != into.kind)):
            into = last[layer] = Object(kind, index)
            objects.append((layer, into))
        into.fields.setdefault(name, []).append(json_value(row, value))

    for index, header in enumerate(headers):
        covered = shown_inside(headers[index + 1 :], header)
        for row in sorted(BY_HEADER[header.kind], key=lambda row: row.last):
            if not (row.kind == DATA and covered):
                add(row, header, index, False)
        for item in items.get(index, ()):
            for row in BY_HEADER[item.kind]:
                add(row, item, index, True)
    return objects


def continues(kind: int) -> bool:
    """Whether a header only goes on with the one in front: a tag, an extension header."""
    return extends(kind) or is_tag(kind)


def json_value(row: Row, value: int | bytes) -> str:
    """A value as JSON: a number, or a string."""
    if isinstance(value, bytes):
        return string(value) if row.kind == TEXT else f'"{value.hex()}"'
    return str(value) if row.kind in (INT, FAMILY, LITTLE) else f'"{format_value(row, value)}"'


def string(value: bytes) -> str:
    """A string that gives back every byte: what is no plain character is `\\x` and two digits."""
    shown = escaped(value).replace("\\", "\\\\")
    return f'"{shown}"'


def utc(time: int) -> str:
    """A time in nanoseconds as ISO 8601 has it, in UTC; with nine digits behind the point where six do not do."""
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}{format_fraction(rest)}Z"
