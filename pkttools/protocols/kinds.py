"""What descriptions say of a kind of header, for whoever means a kind and no protocol by name."""

from __future__ import annotations

from struct import unpack, unpack_from

from . import walk
from .walking import BY_SPACE, COLUMNS, DATAGRAM_4, KIND, NAMES, PADDED

WALK = walk()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def remembered(function: Callable[..., T]) -> Callable[..., T]:
    """A function that is asked once for each of its arguments; functools.cache takes longer to import than all of them."""
    known: dict[tuple[object, ...], T] = {}

    def asked(*arguments: object) -> T:
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]

    return asked


def column(kind: int, name: str) -> int:
    """A column of a kind's row in the tables, see walking.py."""
    table = NAMES.index("kinds")
    value: int = unpack_from("q", WALK[table], 8 * (kind * COLUMNS[table] + KIND.index(name)))[0]
    return value


def has(kind: int, flags: int) -> bool:
    """Whether it is any of these."""
    return bool(column(kind, "flags") & flags)


def carries_message(kind: int) -> bool:
    """Whether it carries a message with a pseudo-header: IP, of both versions."""
    return column(kind, "exception") >= DATAGRAM_4


def rows(table: str) -> list[tuple[int, ...]]:
    """The rows of one of the tables."""
    number = NAMES.index(table)
    columns = COLUMNS[number]
    values = unpack(f"{len(WALK[number]) // 8}q", WALK[number])
    return [values[i : i + columns] for i in range(0, len(values), columns)]


@remembered
def ethertypes() -> dict[int, int]:
    """The EtherType of each kind that has one, the least of several: what a header of Ethernet asks first."""
    ethernet = next(row for row in rows("kinds") if row[KIND.index("exception")] == PADDED)
    how, space, *_ = rows("rules")[ethernet[KIND.index("rule")]]
    if how != BY_SPACE:
        return {}
    _, _, first, count = rows("spaces")[space]
    entries = rows("entries")[first : first + count]
    return {kind: value for value, kind, _, tests in reversed(entries) if kind > 0 and not tests}
