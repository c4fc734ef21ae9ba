"""What a field holds in packet after packet: the values of pkt-gen, and those of assignments that vary.

    values  list | `random` | `random:`list
    list    one or more items, apart by commas; they take turns, or one of them is drawn
    item    a | a..b | a..b/step | a.. | a../step | address/bits
    a, b    a value as the field has it: a number, an address, a name

`a..b` counts up, or down where b is less, and starts over; `a..` counts up to the largest value that there is.
"""

from __future__ import annotations

from struct import pack, unpack

from ..errors import UsageError
from ..protocols.fields import DATA, IPV4, IPV6, TEXT, Row
from ..protocols.values import check_assignable, largest, parse_number
from .constants import constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_ITEMS = 1 << 16  # of a list
LOW = (1 << 64) - 1


def length(steps: range) -> int:
    """How many values a range has; len() of one of addresses does not fit where Python keeps it."""
    return max(0, (steps.stop - steps.start + steps.step - (1 if steps.step > 0 else -1)) // steps.step)


def least(values: Turns | Drawn) -> int:
    """The least of all values."""
    return min(min(steps[0], steps[-1]) for steps in values.ranges)


def most(values: Turns | Drawn) -> int:
    """The largest of all values."""
    return max(max(steps[0], steps[-1]) for steps in values.ranges)


class Turns:
    """Values that take turns: ranges, one behind the other, again and again.

    period: after how many packets they start over. each: how many packets one after the other get a value.
    """

    def __init__(self, ranges: list[range]) -> None:
        self.ranges, self.each = ranges, 1
        self.sizes = [length(steps) for steps in ranges]

    @property
    def period(self) -> int:
        """After how many packets everything starts over."""
        return sum(self.sizes) * self.each

    def take(self, first: int, count: int) -> Sequence[int]:
        """The values of `count` packets from number `first` on, counted from 0."""
        if self.each == 1:
            return self.row(first, count)
        begin, end = first // self.each, (first + count - 1) // self.each
        row = self.row(begin, end + 1 - begin)
        return [row[n // self.each - begin] for n in range(first, first + count)]

    def row(self, first: int, count: int) -> Sequence[int]:
        """As `take`, where every packet gets the next value."""
        if self.sizes == [1]:
            return [self.ranges[0].start] * count
        at = first % sum(self.sizes)
        which = 0
        while at >= self.sizes[which]:
            at -= self.sizes[which]
            which += 1
        found: list[int] = []
        while len(found) < count:
            steps = self.ranges[which]
            found += steps[at : at + count - len(found)]
            at, which = 0, (which + 1) % len(self.ranges)
        return found


class Drawn:
    """Values that are drawn, each from all there are, as likely as the others: the same seed, the same values.

    The Mersenne Twister of Python, whose bits are the same in all versions and on all machines.
    """

    period = 0  # they never start over

    def __init__(self, ranges: list[range], seed: int) -> None:
        from _random import Random as Twister  # Python's random without its distributions: it imports hashlib

        self.ranges = ranges
        self.sizes = [length(steps) for steps in ranges]
        self.total = sum(self.sizes)
        self.random = Twister(seed)

    def take(self, _first: int, count: int) -> Sequence[int]:
        """The next `count` values."""
        bits = 64 if self.total <= 1 << 64 else 128
        words: Sequence[int] = unpack(
            f"<{count * bits // 64}Q", self.random.getrandbits(count * bits).to_bytes(count * bits // 8, "little")
        )
        if bits == 128:
            words = [low | high << 64 for low, high in zip(words[::2], words[1::2], strict=True)]
        if len(self.ranges) == 1:
            total, start, step = self.total, self.ranges[0].start, self.ranges[0].step
            return [start + (word * total >> bits) * step for word in words]
        return [self.nth(word * self.total >> bits) for word in words]

    def nth(self, at: int) -> int:
        """One of all values, by its number."""
        for steps, size in zip(self.ranges, self.sizes, strict=True):
            if at < size:
                return steps[at]
            at -= size
        raise IndexError(at)


class Upcoming:
    """Values that packets take, one each, of those that have a place for it."""

    def __init__(self, values: Turns | Drawn) -> None:
        self.values, self.drawn = values, isinstance(values, Drawn)
        self.given = 0
        self.waiting: list[int] = []

    def next(self, count: int) -> bytes:
        """The next values, 16 bytes each: the upper half of each, and the lower one."""
        missing = count - len(self.waiting)
        if missing > 0:
            self.waiting += self.values.take(self.given, missing)
            self.given += missing
        halves = [half for value in self.waiting[:count] for half in (value >> 64, value & LOW)]
        return pack(f"={len(halves)}Q", *halves)

    def take(self, count: int) -> None:
        """So many of them were taken."""
        del self.waiting[:count]


def seed_for(seed: int, name: str) -> int:
    """A seed of one field, of that of all."""
    return int.from_bytes(f"{seed} {name.upper()}".encode(), "big")


def field_values(name: str, rows: list[Row], text: str, seed: int) -> Turns | Drawn:
    """What the user wrote for a field. Raises UsageError."""
    if rows[0].kind in (DATA, TEXT):
        raise UsageError(f"{name}: {rows[0].kind} does not count; --payload gives it")

    def read(word: str) -> int:
        value: int = constant(name, rows, word)  # type: ignore[assignment]  # those of bytes are refused above
        check_assignable(name, rows, value)
        return value

    bits = rows[0].width if rows[0].kind in (IPV4, IPV6) else 0
    unit = rows[-1].scale
    names = frozenset((rows[0].names or {}).values())
    least = min(row.bias * row.scale for row in rows)
    return parse(name, text, seed, read, least, max(largest(row) for row in rows), unit, bits, names)


def parse(name: str, text: str, seed: int, read: Callable[[str], int], least: int, most: int, unit: int = 1, bits: int = 0,
          names: frozenset[str] = frozenset()) -> Turns | Drawn:  # fmt: skip
    """Reads values. read: one of them. least, most: the whole range. unit: the least step. bits: of an address with prefixes.

    Raises UsageError.
    """
    drawn, colon, items = text.partition(":")
    if drawn.strip().lower() == "random" and "random" not in names:
        if not colon:
            return Drawn([range(least, most + 1, unit)], seed)
        text = items
    else:
        colon = ""
    words = text.split(",")
    if len(words) > MOST_ITEMS:
        raise UsageError(f"{name}: a list has at most {MOST_ITEMS} items")
    ranges = [item(name, word.strip(), read, most, unit, bits) for word in words]
    return Drawn(ranges, seed) if colon else Turns(ranges)


def item(name: str, word: str, read: Callable[[str], int], most: int, unit: int, bits: int) -> range:
    """Reads an item of a list. Raises UsageError."""
    low, dots, high = word.partition("..")
    if not word:
        raise UsageError(f"{name}: a value is missing")
    if not dots:
        address, slash, prefix = word.partition("/")
        if not (slash and bits):
            value = read(word)
            return range(value, value + 1)
        length = parse_number(prefix)
        if length is None or length > bits:
            raise UsageError(f"{name}: '/{prefix[:40]}' is not a prefix length up to {bits}")
        first = read(address) >> (bits - length) << (bits - length)
        return range(first, first + (1 << bits - length))
    high, slash, by = high.partition("/")
    step = unit
    if slash:
        number = parse_number(by.strip())
        if not number or number % unit:
            raise UsageError(f"{name}: '/{by[:40]}' is not a step" + (f": a multiple of {unit}" if unit > 1 else ""))
        step = number
    first = read(low)
    last = read(high) if high.strip() else most
    return range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
