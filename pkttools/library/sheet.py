"""A batch that stays as long as a packet of it does, and the columns that were read of it.

A field that is asked for is read of all its packets by one call of the codec; the next packets find their value in a list.
"""

from __future__ import annotations

from operator import add
from struct import pack

from .. import codec
from ..batch import CAPTURED, COLUMNS, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES, Batch, gathered, marked
from ..language.filters import Filter
from ..protocols.fields import DATA, TABLE
from ..protocols.values import field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JSON = 2  # how columns_encode writes cells: see codec/python/columns.py
LOOSE = 4  # times as many bytes in front of and between packets as are of them: then these are copied one by one
MOST = 1024  # filters that are known at once
FILTERS: dict[str, Filter] = {}


class Stale:
    """What stands in a column in place of the value of a packet that was changed since."""


STALE = Stale()


class Sheet(dict[str, list["Any"]]):
    """Name of a field, or `?` and a filter, to its value in each packet of a batch; None: it is not there.

    batch: has memory of its own. rows: its columns.
    """

    __slots__ = ("batch", "rows")

    def __init__(self, batch: Batch) -> None:
        self.batch, self.rows = batch, batch.columns()

    def __missing__(self, name: str) -> list[Any]:
        """Reads the column. Raises UsageError where there is no such field, or filter; TypeError for what is no name."""
        if not isinstance(name, str):
            raise TypeError(f"{name!r:.40} is no name of a field, such as 'IP.TTL'")
        column = self[name] = self.column(name, self.batch)
        return column

    def column(self, name: str, batch: Batch) -> list[Any]:
        """The values of some of its packets. Raises UsageError."""
        if name.startswith("?"):
            return [*map(bool, marked(batch.rows, passing(name[1:], batch)))]
        return values(name, batch)

    def one(self, name: str, row: int) -> Any:  # noqa: ANN401  a value
        """The value of one packet, read anew and kept."""
        value = self[name][row] = self.column(name, self.batch.part(row, row + 1))[0]
        return value

    def changed(self, row: int) -> None:
        """Learns that a packet was changed."""
        for column in self.values():
            column[row] = STALE

    def row(self, row: int) -> bytearray:
        """The row of one packet, as the codec takes it; a copy."""
        return self.batch.rows[row * ROW_BYTES : (row + 1) * ROW_BYTES]


def values(name: str, batch: Batch) -> list[Any]:
    """What each packet has of a field, its first occurrence if none is said; None: it is not there. Raises UsageError.

    Numbers are int, addresses and texts str, DATA bytes; of `FIELD[*]` a list of all.
    """
    from json import loads  # late: a pipe of stages needs none

    several = name.endswith("[*]")
    _, indexes, occurrence = field(name.removesuffix("[*]"))
    column = pack("=3q", indexes[0], 0 if several else occurrence or 1, several)
    found: list[Any] = []
    while len(found) < len(batch):
        text, _ = codec.columns_encode(batch.data, batch.rows, len(found), 1, column, b"\0,\0", JSON)
        found += loads(f"[{text[:-1].decode()}]")
    if TABLE[indexes[0]].kind == DATA:
        return [octets(value) for value in found]
    return found


def passing(expression: str, batch: Batch) -> bytearray:
    """The rows of the packets that a filter lets through. Raises UsageError."""
    known = FILTERS.get(expression)
    if known is None:
        if len(FILTERS) >= MOST:
            FILTERS.clear()
        known = FILTERS[expression] = Filter([expression])
    return known.passing(batch)


def octets(value: list[str] | str | None) -> list[bytes] | bytes | None:
    """Bytes of their digits."""
    if isinstance(value, list):
        return [bytes.fromhex(each) for each in value]
    return value if value is None else bytes.fromhex(value)


def kept(batch: Batch) -> Batch:
    """The same packets, with memory of their own: that of a batch of a stream is good until the next one is asked for."""
    columns = batch.columns()
    starts, sizes = columns[OFFSET::COLUMNS].tolist(), columns[CAPTURED::COLUMNS].tolist()
    notes = columns[NOTES::COLUMNS].tolist()
    last, size = max(max(map(add, starts, sizes)), max(notes)), sum(sizes) + ROW_BYTES * len(batch)
    if batch.noted():
        sizes = columns[NOTES_SIZE::COLUMNS].tolist()
        last, size = max(last, max(map(add, notes, sizes))), size + sum(sizes)
    if last > LOOSE * size:
        return gathered(map(batch.packet, range(len(batch))))
    return Batch(bytearray(memoryview(batch.data)[:last]), bytearray(batch.rows))
