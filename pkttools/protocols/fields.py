"""The field table: where fields lie, as the descriptions say it.

A row is a field in one kind of header. A field whose header comes in several kinds (a type behind a VLAN tag, the next
header of an IPv6 extension) has a row in each. Names are those of pkttools 1.16; rows marked `new` are ours and are
printed by `-aa` only. Offsets and widths are in bits from the start of the header, in wire order.

DATA of a layer is what no deeper header that 1.16 knew claims of it: a payload, or the padding behind one. A tunnel is a
payload as a whole, whatever is found in it.

There are many rows, and a command needs few of them: they are bytes, and become objects when they are asked for.
"""

from __future__ import annotations

import sys

from . import APART, DATA, FAMILY, FORMS, HEX, IN_PLACE, INT, IPV4, IPV6, LAST, LITTLE, MAC, MUTABLE, NEW, ROW_SIZE, TEXT, _rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = _rows.HEADERS  # kinds that the walk finds
TRAITS_SIZE = 4  # bytes of the traits of a row
ROWS = memoryview(_rows.ROWS).cast("H")  # as numbers; struct takes longer to import than to read those of a command


class Row:
    """A row of the table.

    header: index into HEADERS. bit, width: place and size in bits; DATA has no width of its own.
    kind: how the value is written: INT, MAC, IPV4, IPV6, DATA, FAMILY (an integer in its writer's byte order), LITTLE (a
    little-endian integer), or TEXT (characters up to a zero, or to the end of the field).
    bias, scale: the field's value is (the bits + bias) * scale, so that sizes are in bytes.
    shapes: whether the walk depends on it. new, hex, last, in_place, apart, mutable: see NEW, HEX, LAST... words: the place
    of the names of its values in NAMES, from 1 on; 0: it has none. names: these, number to name.
    """

    header: int
    bit: int
    width: int
    bias: int
    scale: int
    __slots__ = ("name", "header", "bit", "width", "kind", "bias", "scale", "shapes", "new", "hex", "last",
                 "in_place", "apart", "mutable", "words")  # fmt: skip

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        columns = ROWS[index * ROW_SIZE : (index + 1) * ROW_SIZE]
        self.header, self.bit, self.width, self.bias, self.scale, _, shapes, _ = columns
        form, traits, *words = _rows.TRAITS[index * TRAITS_SIZE : (index + 1) * TRAITS_SIZE]
        self.words = int.from_bytes(words, sys.byteorder)
        self.kind, self.shapes, self.new, self.hex = FORMS[form], bool(shapes & 1), bool(traits & NEW), bool(traits & HEX)
        self.last, self.in_place = bool(traits & LAST), bool(traits & IN_PLACE)
        self.apart, self.mutable = bool(traits & APART), bool(shapes & MUTABLE)

    @property
    def names(self) -> dict[int, str] | None:
        """Names of values; None: it has none."""
        if not self.words:
            return None
        from . import _words  # late: who writes numbers needs none

        return _words.NAMES[[*_words.NAMES][self.words - 1]]


def current(name: str) -> str:
    """The name that a field has now: one that it had is still read."""
    return _rows.RENAMED.get(name, name)


class Fields:
    """Name of a field to the indexes of its rows, in table order."""

    def __getitem__(self, name: str) -> list[int]:
        """Raises KeyError when there is no such field."""
        name = current(name)
        at = _rows.FIELDS.find(f"\n{name}\n")
        if at < 0 or "\n" in name:
            raise KeyError(name)
        found = [_rows.FIELDS.count("\n", 0, at)]
        while (following := ROWS[found[-1] * ROW_SIZE + ROW_SIZE - 1]) > 0:
            found.append(following)
        TABLE.known.update(dict.fromkeys(found, name))
        return found

    def __contains__(self, name: str) -> bool:
        return "\n" not in name and f"\n{current(name)}\n" in _rows.FIELDS

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(TABLE.names))

    def __len__(self) -> int:
        return len(set(TABLE.names))

    def items(self) -> Iterator[tuple[str, list[int]]]:
        """The names with their rows."""
        return ((name, self[name]) for name in self)


class Table:
    """The rows, each made when it is asked for.

    known: of rows that were looked for by name, that name: to tell all of them apart takes longer.
    """

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self.known: dict[int, str] = {}
        self._names: list[str] = []

    @property
    def names(self) -> list[str]:
        """The name of each row."""
        if not self._names:
            self._names = _rows.FIELDS[1:-1].split("\n")
        return self._names

    def __len__(self) -> int:
        return len(ROWS) // ROW_SIZE

    def __getitem__(self, index: int) -> Row:
        row = self._rows.get(index)
        if row is None:
            row = self._rows[index] = Row(self.known.get(index) or self.names[index], index)
        return row

    def __iter__(self) -> Iterator[Row]:
        return (self[index] for index in range(len(self)))


class ByHeader(dict[int, list[Row]]):
    """Kind of header to its rows, in table order."""

    def __init__(self) -> None:
        super().__init__()
        self.indexes: dict[int, list[int]] = {}

    def __missing__(self, kind: int) -> list[Row]:
        if not self.indexes:
            for index, header in enumerate(ROWS[::ROW_SIZE].tolist()):
                self.indexes.setdefault(header, []).append(index)
        self[kind] = [TABLE[index] for index in self.indexes.get(kind, ())]
        return self[kind]


__all__ = [
    "BY_HEADER", "DATA", "FAMILY", "FIELDS", "HEADERS", "INT", "IPV4", "IPV6", "LAYERS", "LITTLE", "MAC", "TABLE", "TEXT", "Row",
    "current",
]  # fmt: skip
FIELDS = Fields()
TABLE = Table()
BY_HEADER = ByHeader()
# Layer name to the kinds of headers that show it is there. VLAN is a name of its own: is there a tag?
LAYERS = _rows.LAYERS
