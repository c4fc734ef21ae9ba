"""The field table: where fields lie, as the descriptions say it.

A row is a field in one kind of header. A field whose header comes in several kinds (a type behind a VLAN tag, the next
header of an IPv6 extension) has a row in each. Names are those of pkttools 1.16; rows marked `new` are ours and are
printed by `-aa` only. Offsets and widths are in bits from the start of the header, in wire order.

DATA of a layer is what no deeper header that 1.16 knew claims of it: a payload, or the padding behind one. A tunnel is a
payload as a whole, whatever is found in it.
"""

from __future__ import annotations

from . import _tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = _tables.HEADERS  # kinds that the walk finds; the first are `enum header_kind` in codec/c/codec.h
FIELDS = _tables.FIELDS  # name of a field to the indexes of its rows, in table order
INT, MAC, IPV4, IPV6, DATA, FAMILY, LITTLE, TEXT = "int", "mac", "ipv4", "ipv6", "data", "family", "little", "text"


class Row:
    """A row of the table.

    header: index into HEADERS. bit, width: place and size in bits; DATA has no width of its own.
    kind: how the value is written: INT, MAC, IPV4, IPV6, DATA, FAMILY (an integer in its writer's byte order), LITTLE (a
    little-endian integer), or TEXT (characters up to a zero, or to the end of the field).
    bias, scale: the field's value is (the bits + bias) * scale, so that sizes are in bytes.
    shapes: whether the walk depends on it. new: not in 1.16. hex: people read it in hexadecimal. names: names of values, number
    to name.
    """

    __slots__ = ("name", "header", "bit", "width", "kind", "bias", "scale", "shapes", "new", "hex", "names")

    def __init__(self, name: str, header: int, bit: int, width: int, kind: str, bias: int, scale: int, shapes: bool, new: bool,
                 hexadecimal: bool, names: str | None) -> None:  # fmt: skip
        self.name, self.header, self.bit, self.width, self.kind = name, header, bit, width, kind
        self.bias, self.scale, self.shapes, self.new, self.hex = bias, scale, shapes, new, hexadecimal
        self.names = _tables.NAMES[names] if names else None


class Table:
    """The rows, each made when it is asked for: a command needs few of them."""

    def __init__(self) -> None:
        self.columns = _tables.ROWS  # what each row is made with
        self._rows: list[Row | None] = [None] * len(self.columns)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        row = self._rows[index]
        if row is None:
            row = self._rows[index] = Row(*self.columns[index])
        return row

    def __iter__(self) -> Iterator[Row]:
        return (self[index] for index in range(len(self._rows)))


class ByHeader(dict[int, list[Row]]):
    """Kind of header to its rows, in table order."""

    def __missing__(self, kind: int) -> list[Row]:
        self[kind] = [TABLE[index] for index, columns in enumerate(TABLE.columns) if columns[1] == kind]
        return self[kind]


TABLE = Table()
BY_HEADER = ByHeader()
# Layer name to the kinds of headers that show it is there. VLAN is a name of its own: is there a tag?
LAYERS = {name: set(kinds) for name, kinds in _tables.LAYERS.items()}
