"""Which packets came before, within a window of packets or of time; twin of ../c/doubles.c."""

from __future__ import annotations

from collections import deque

from ...batch import CAPTURED, COLUMNS, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME
from .. import A_DOUBLE, FORGOTTEN, MOST_WITHIN, NO_DOUBLE, OUT_OF_ORDER
from ..program import OF_IFACE, said_by
from .alike import Tolerance
from .rows import checked, without_fcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .alike import Told

    Key = tuple[int, int, int, bytes, bytes]
FRONT, COST = 32, 80  # bytes that a packet counts for besides those that are compared: of what is compared, too; and all else


class _Gone:
    """Packets that are not known any more: the number of the latest, the last time of any, and the first."""

    def __init__(self) -> None:
        self.number, self.time, self.since = -1, -(1 << 64), 1 << 64

    def add(self, number: int, time: int) -> None:
        """One more."""
        self.number, self.time, self.since = number, max(self.time, time), min(self.since, time)


class Doubles:
    """Packets that came last. Of those that are the same the latest one counts: a packet is its double, or of none.

    What is in the window of a packet and not known any more makes it doubtful: it had no room in the memory, or times went back
    by more than the window. So does a packet that is the same, in the window or later, behind which one came that is not.
    """

    def __init__(self, window: int, within: int, memory: int, told: Told, padding: bool, interfaces: bool) -> None:
        """window: packets before each that count, below 0: all. within: nanoseconds, below 0: any. memory: bytes of packets that
        are known. told: see `unlike`; its times and notes say nothing here. padding: what is behind all headers may differ.
        interfaces: packets of several interfaces are no doubles. Raises ValueError.
        """
        if memory < 0 or within > MOST_WITHIN:
            raise ValueError("memory or time out of range")
        self.window, self.within, self.memory, self.padding, self.interfaces = window, within, memory, padding, interfaces
        self.tolerance = Tolerance(told)
        self.seen: deque[tuple[int, int, Key]] = deque()  # time, size, and what is compared
        self.latest: dict[Key, tuple[int, int, int]] = {}  # number, time, and the last time of those that were the same
        self.next = self.held = 0
        self.short, self.far, self.early = _Gone(), _Gone(), _Gone()  # early: a packet came that was earlier by too much

    def forget(self, why: _Gone | None) -> None:
        """Forgets the one that came first."""
        time, size, key = self.seen.popleft()
        number = self.next - len(self.seen) - 1
        if why:
            why.add(number, time)
        if self.latest.get(key, (-1,))[0] == number:
            del self.latest[key]
        self.held -= size + COST

    def is_within(self, then: int, now: int) -> bool:
        """Whether one time is near enough to another one."""
        return self.within < 0 or abs(then - now) <= self.within

    def missed(self, gone: _Gone, time: int) -> bool:
        """Whether what is not known any more may have been the same as a packet of this time."""
        return (gone.number >= 0 and (self.window < 0 or self.next - gone.number <= self.window)
                and (self.within < 0 or gone.since - self.within <= time <= gone.time + self.within))  # fmt: skip

    def key(self, data: bytearray, row: list[int]) -> tuple[Key, int]:
        """What is compared of a packet, and how many bytes that is."""
        bare = without_fcs(list(row)) if self.tolerance.any or self.padding else row
        octets, follow = bytes(data[bare[OFFSET] : bare[OFFSET] + bare[CAPTURED]]), 0
        if self.tolerance.any or self.padding:
            octets, follow = self.tolerance.reduced(octets, bare[ORIGINAL], bare[LINKTYPE], self.padding)
        notes = bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]) if self.interfaces else b""
        interface = b"".join(said_by(notes, OF_IFACE)[:1])
        original = bare[ORIGINAL] if self.tolerance.sizes else 0
        return (bare[LINKTYPE], original, follow, octets, interface), FRONT + len(octets) + len(interface)

    def add(self, data: bytearray, row: list[int]) -> int:
        """What is found of a packet, which is known from now on."""
        time = row[TIME]
        while self.window >= 0 and len(self.seen) > self.window:
            self.forget(None)
        while self.within >= 0 and self.seen and abs(self.seen[0][0] - time) > 2 * self.within:
            self.forget(self.far if self.seen[0][0] < time else self.early)
        key, size = self.key(data, row)
        while self.seen and self.held + size + COST > self.memory:
            self.forget(self.short)
        before = self.latest.pop(key, None)
        last = max(before[2], time) if before else time
        if before and self.is_within(before[1], time):
            found = A_DOUBLE
        elif self.missed(self.short, time):
            found = FORGOTTEN
        elif self.missed(self.far, time) or self.missed(self.early, time):
            found = OUT_OF_ORDER
        else:
            found = OUT_OF_ORDER if before and before[2] >= time - self.within else NO_DOUBLE
        self.latest[key] = self.next, time, last
        self.seen.append((time, size, key))
        self.next += 1
        self.held += size + COST
        return found


def find_doubles(table: object, data: bytearray, rows: bytes) -> bytearray:
    """What is found of each packet: A_DOUBLE, NO_DOUBLE, or that one may have been there that was not known any more."""
    if not isinstance(table, Doubles):
        raise TypeError("no table of doubles")
    values = checked(data, rows)
    return bytearray(table.add(data, values[i : i + COLUMNS]) for i in range(0, len(values), COLUMNS))
