"""Lists in headers: items with a type and a length, such as options, which are looked for when a field of them is asked for.

Twin of ../c/lists.c.
"""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET
from ...protocols.reading import Read, Tests
from ...protocols.walking import LAST, SIZED, TO_END, TO_SAID
from .headers import ByTables, Header, Walk
from .protocols import ANY_TYPE, OTHER_TYPE, Hold, List, known
from .rows import checked, without_fcs

MAX_INSIDE = 4  # items in items that are looked into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Items(ByTables):
    """The items in the headers of a frame."""

    def __init__(self, frame: bytes | bytearray, headers: list[Header]) -> None:
        self.frame, self.headers = frame, headers

    def all(self) -> Iterator[tuple[int, Header]]:
        """Each item as a header, start <= data <= end <= that of the header it is in; with the index of that one."""
        for index, header in enumerate(self.headers):
            for hold in known().holds.get(header.kind, ()):
                if self.said(hold, header):
                    yield from ((index, item) for item in self.of(hold, header))

    def said(self, hold: Hold, header: Header) -> bool:
        """Whether the tests of what holds a list hold: of the header, or of an item in another list of it."""
        if hold.by < 0:
            return self.hold(hold.tests, header.start, header.start)
        others = [other for other in known().holds[header.kind] if other.by < 0 and self.said(other, header)]
        items = (item for other in others for item in self.of(other, header))
        return any(item.kind == hold.by and self.hold_in(hold.tests, item.start, item.end) for item in items)

    def hold_in(self, tests: Tests, at: int, end: int) -> bool:
        """Whether tests hold of an item, and all that they ask of is in it."""
        return all(at + test[0][1] <= end for test in tests) and self.hold(tests, at, at)

    def taken(self, of: List, at: int, limit: int) -> tuple[int, int, int] | None:
        """The next item of a list: its type, how it ends, and its bytes. None: there is none, or it is not there wholly."""
        if at >= limit or limit - at < of.alone:
            return None
        type_ = self.number(of.type, at)
        how, size = of.hows.get(type_, SIZED), of.alone
        if how == SIZED:
            if limit - at < of.head:
                return None
            size = self.number(of.length, at) * of.scale + of.bias
            if size < of.head or size > limit - at:
                return None
        return type_, how, size

    def said_in(self, number: Read | None, at: int, end: int, without: int) -> int:
        """A number in an item, as far as that has it."""
        return self.number(number, at) if number and at + number[1] <= end else without

    def room(self, hold: Hold, header: Header) -> tuple[int, int]:
        """Where a list that a header holds begins, and where it ends; no byte, where it cannot be."""
        at, limit = header.start + hold.first, header.end
        if hold.to != TO_END:
            said = self.number(hold.read, header.start) * hold.scale + hold.bias if hold.read else 0
            size = said if hold.to == TO_SAID else self.size(hold.kind, header.start)
            if size < (hold.first if hold.to == TO_SAID else hold.kind.fixed):
                return at, at
            limit = min(limit, header.start + size)
        return at, limit

    def of(self, hold: Hold, header: Header) -> Iterator[Header]:
        """Those of a list that a header holds."""
        (at, limit), of, how = self.room(hold, header), hold.list, SIZED
        outer: list[tuple[List, int, int]] = []  # where the next one begins, and the end, of what the one in hand lies in
        while True:
            while outer and at >= limit:
                of, at, limit = outer.pop()
            item = None if how == LAST else self.taken(of, at, limit)
            if item is None:  # where a list ends before its time, the one that it lies in goes on
                ended = of
                while outer and of is ended:
                    of, at, limit = outer.pop()
                if of is ended:
                    return
                how = SIZED
                continue
            type_, how, size = item
            for wanted, kind, first, data, each, passed, most, only in of.items:
                right = wanted in (type_, ANY_TYPE) or (wanted == OTHER_TYPE and type_ not in of.known)
                if right and self.hold_in(only, at, at + size):
                    begin = at + first + self.said_in(passed, at, at + size, 0) * each
                    yield from pieces(kind, begin, at + size, data, each, self.said_in(most, at, at + size, size))
            (inside, inner), following = of.inside.get(type_, (0, -1)), at + -(-size // of.align) * of.align
            if 0 < inside < size and len(outer) < MAX_INSIDE:
                outer.append((of, following, limit))
                at, limit = at + inside, at + size
                of = of if inner < 0 else known().of_items[inner]
            else:
                at = following


def pieces(kind: int, start: int, end: int, data: int, each: int, most: int) -> Iterator[Header]:
    """An item, or the pieces of so many bytes that it is a row of, at most so many."""
    if each:
        for at in range(start, min(end, start + most * each) - each + 1, each):
            yield Header(kind, at, min(at + data, at + each), at + each)
    elif start <= end:
        yield Header(kind, start, min(start + data, end), end)


def items(data: bytearray, row: bytes) -> list[tuple[int, int, int, int, int]]:
    """The items of one packet: the index of a header, the kind of the item, start, where its data begin, and where it ends."""
    values = without_fcs(checked(data, row))
    if len(values) != COLUMNS:
        raise ValueError("one row is walked at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    found = Items(frame, Walk(frame, values[LINKTYPE]).headers).all()
    return [(index, item.kind, item.start, item.data, item.end) for index, item in found]
