"""Which numbers in a header announce which header behind it: what the tables of protocols say, read the other way round.

The walk goes from numbers to headers; who puts a header in front of another one asks which numbers lead there.
"""

from __future__ import annotations

from itertools import islice

from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.kinds import carries_message, column, has, remembered, rows
from ..protocols.walking import BY_SPACE, FROM_BEHIND, HIDDEN, IS, IS_NOT, LITTLE_ENDIAN, TO_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Number = tuple[bool, int, int]  # where one stands in a header: whether counted from where that ends, bit, and width

DEEPEST = 4  # ways to a header that lead through others that are none themselves
CONDITION, LENGTH = -1, -2
SEARCHED = 400  # chains that are looked at, the shortest first


class Bits:
    """What has to stand in some bits of a header. behind: they count from where it ends; else from its start.

    space: of a number that announces: which one; CONDITION; LENGTH: it says how long what follows is, but for `value` bytes.
    """

    __slots__ = ("behind", "bit", "mask", "space", "value", "width")

    def __init__(self, behind: bool, bit: int, width: int, mask: int, value: int, space: int = CONDITION) -> None:
        self.behind, self.bit, self.width, self.mask, self.value, self.space = behind, bit, width, mask, value, space

    def whole(self) -> bool:
        """Whether it says all of the bits."""
        return self.mask == (1 << self.width) - 1


class Way:
    """A header that may follow: its kind, what has to stand in the header in front, and in itself.

    likely: what is sorted by: how roundabout it is, whether its number has no name, and the bytes of the header.
    """

    __slots__ = ("front", "kind", "likely", "own")

    def __init__(self, kind: int, front: tuple[Bits, ...], own: tuple[Bits, ...], likely: tuple[int, bool, int]) -> None:
        self.kind, self.front, self.own, self.likely = kind, front, own, likely

    @property
    def number(self) -> Bits | None:
        """The number in front that announces it; None: it takes none."""
        return next((one for one in self.front if one.space >= 0), None)


@remembered
def table(name: str) -> list[tuple[int, ...]]:
    """One of the tables, as rows."""
    return rows(name)


def rules(kind: int) -> list[tuple[int, ...]]:
    """By which a header of a kind says what follows."""
    first, count = column(kind, "rule"), column(kind, "rules")
    return table("rules")[first : first + count]


def terms(kind: int) -> list[tuple[int, ...]]:
    """Of which the length of such a header is the sum."""
    first, count = column(kind, "term"), column(kind, "terms")
    return table("terms")[first : first + count]


def tests(first: int, count: int) -> list[tuple[int, ...]]:
    """What is asked of numbers in a header."""
    return table("tests")[first : first + count]


def bits_of(read: int, mask: int, value: int, space: int = CONDITION) -> Bits:
    """Bits of a number; of one that is little-endian as they stand there."""
    base, bit, width, order = table("reads")[read]
    mask &= (1 << width) - 1
    if order == LITTLE_ENDIAN:
        mask, value = (int.from_bytes(number.to_bytes(width // 8, "little"), "big") for number in (mask, value))
    return Bits(base == FROM_BEHIND, bit, width, mask, value, space)


def single(mask: int) -> bool:
    """Whether it is of one bit."""
    return mask.bit_count() == 1


def asked(first: int, count: int) -> tuple[Bits, ...]:
    """What tests want to stand there; where they only want something not to, of more than a bit, it is left to the walk."""
    found = []
    for read, mask, low, high, how in tests(first, count):
        if how == IS:
            found.append(bits_of(read, mask, low))
        elif how == IS_NOT and single(mask) and low == high:
            found.append(bits_of(read, mask, mask ^ low))
    return tuple(found)


def others(rule: tuple[int, ...]) -> tuple[Bits, ...]:
    """What keeps a rule from holding, that asks a single bit; else nothing does."""
    *_, first, count = rule
    found = asked(first, count)
    if count != 1 or len(found) != 1 or not single(found[0].mask):
        return ()
    one = found[0]
    return (Bits(one.behind, one.bit, one.width, one.mask, one.value ^ one.mask),)


@remembered
def ways(kind: int, depth: int = 0) -> tuple[Way, ...]:
    """All that may follow a header of a kind."""
    found: list[Way] = []
    before: tuple[Bits, ...] = ()
    for rule in rules(kind):
        how, what, read, _, *wanted = rule
        front = (*before, *asked(*wanted))
        if how == TO_KIND:
            found += onward(what, front, (), depth)
            before += others(rule)
        elif how == BY_SPACE:
            names = (
                next((row.names or {} for row in BY_HEADER[kind] if place(read) == (row.bit, row.width)), {})
                if kind < len(HEADERS)
                else {}
            )
            for value, to, *wanted in entries(what):
                said = bits_of(read, 0xFFFFFFFF, value, what)
                found += onward(to, (*front, said), asked(*wanted), depth, value not in names)
    return tuple(sorted(found, key=lambda way: way.likely))


def place(read: int) -> tuple[int, int]:
    """Where a number stands."""
    _, bit, width, _ = table("reads")[read]
    return bit, width


def entries(space: int) -> Iterator[tuple[int, ...]]:
    """Numbers of a space that announce a header, the least first."""
    _, _, first, count = table("spaces")[space]
    return (row for row in table("entries")[first : first + count] if row[1] > 0)


def size(kind: int) -> int:
    """Bytes of a header, without what it says of it."""
    return max(column(kind, "fixed"), sum(bias for read, _, bias, *_ in terms(kind) if read < 0))


def onward(kind: int, front: tuple[Bits, ...], own: tuple[Bits, ...], depth: int, unnamed: bool = False) -> list[Way]:
    """The ways that begin with one to a header: itself; if it is only a way itself, those that it is to."""
    if not has(kind, HIDDEN):
        return [Way(kind, front, own, (depth, unnamed, size(kind)))] if kind < len(HEADERS) else []
    if depth >= DEEPEST:
        return []
    end, found = column(kind, "end"), []
    length: tuple[Bits, ...] = ()
    if end >= 0 and column(kind, "scale") == 1:
        said = bits_of(end, 0xFFFFFFFF, column(kind, "bias"), LENGTH)
        length = (Bits(True, said.bit, said.width, said.mask, said.value, LENGTH),) if said.bit < 0 else ()
    for way in ways(kind, depth + 1):
        # It has no bytes: what it asks stands in what follows, or, before that, at the end of what is in front.
        behind = tuple(Bits(True, one.bit, one.width, one.mask, one.value, one.space) for one in way.front if one.bit < 0)
        inside = tuple(one for one in way.front if one.bit >= 0)
        steps, *_ = way.likely
        found.append(Way(way.kind, front + behind + length, (*own, *inside, *way.own), (steps, unnamed, size(way.kind))))
    return found


@remembered
def links() -> dict[int, list[int]]:
    """Link types of each kind that has one, the least first."""
    found: dict[int, list[int]] = {}
    for linktype, kind, *_ in entries(0):
        for way in onward(kind, (), (), 0):
            found.setdefault(way.kind, []).append(linktype)
    return found


def linked(linktype: int) -> list[Way]:
    """What a link type announces."""
    return [way for value, kind, *_ in entries(0) if value == linktype for way in onward(kind, (), (), 0)]


def contradict(bits: Iterable[Bits]) -> bool:
    """Whether one of them says otherwise than another one."""
    known: dict[tuple[bool, int], int] = {}
    for one in bits:
        for i in range(one.width):
            shift = one.width - 1 - i
            if (
                one.mask >> shift & 1
                and known.setdefault((one.behind, one.bit + i), one.value >> shift & 1) != one.value >> shift & 1
            ):
                return True
    return False


def chains(start: Iterable[Way], goal: set[int], through: set[int]) -> Iterator[tuple[Way, ...]]:
    """Headers that may follow each other, up to one of those that are wanted, the shortest first; others are only of `through`."""

    def search() -> Iterator[tuple[Way, ...]]:
        waiting: list[tuple[Way, ...]] = [(way,) for way in start]
        while waiting:
            longer: list[tuple[Way, ...]] = []
            for chain in waiting:
                if chain[-1].kind in goal:
                    yield chain
                elif chain[-1].kind in through and len(chain) < DEEPEST:
                    longer += ((*chain, way) for way in ways(chain[-1].kind) if not contradict((*chain[-1].own, *way.front)))
            waiting = longer

    return islice(search(), SEARCHED)


def announcer(kind: int, space: int) -> Number | None:
    """Where a header has the number that announces by a space: whether counted from behind it, bit and width."""
    for how, what, read, *_ in rules(kind):
        if how == BY_SPACE and what == space:
            base, bit, width, _ = table("reads")[read]
            return base == FROM_BEHIND, bit, width
    return None


def spaces(kind: int) -> list[int]:
    """The spaces by which a header announces what follows."""
    return [what for how, what, *_ in rules(kind) if how == BY_SPACE]


def has_sum(kind: int) -> bool:
    """Whether it has a checksum, of its own or of the message that it begins; or carries one that has."""
    return carries_message(kind) or any(row[0] == kind for row in table("sums"))
