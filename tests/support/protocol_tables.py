"""Tables of protocols: ours, with kinds and spaces of tests behind them, written in few words."""

from __future__ import annotations

from functools import cache
from typing import Any

from pkttools.protocols.compile import codes_of, descriptions, kinds, our_files
from pkttools.protocols.model import Descriptions, Header, Space
from pkttools.protocols.tabulate import MOST, Tables
from pkttools.protocols.walking import BY_SPACE, COUNTED, FROM_BEHIND, FROM_START, LEAF, TO_KIND

Read = tuple[int, int, int, int]
Test = tuple[Read, int, int, int, int]
Term = tuple[Read | None, int, int, tuple[Test, ...]]
End = tuple[Read | None, int, int, int, tuple[Test, ...]]
Rule = tuple[int, str | int, Read | None, int, tuple[Test, ...]]


def bits(bit: int, width: int) -> Read:
    """A number of the header."""
    return FROM_START, bit, width, 0


def little(bit: int, width: int) -> Read:
    """A little-endian number of the header."""
    return FROM_START, bit, width, 1


def behind(bit: int, width: int) -> Read:
    """A number of what follows; with a negative bit, of the end of the header."""
    return FROM_BEHIND, bit, width, 0


def within(read: Read, low: int, high: int = MOST, mask: int = MOST) -> Test:
    """Whether the bits of `mask` are in a range."""
    return read, mask, low, high, 0


def equal(read: Read, value: int, mask: int = MOST) -> Test:
    """Whether the bits of `mask` are a value."""
    return read, mask, value, value, 0


def unequal(read: Read, value: int, mask: int = MOST) -> Test:
    """Whether they are another one."""
    return read, mask, value, value, 1


class Kind:
    """A row of kinds, with names in place of numbers."""

    def __init__(self, fixed: int, *rules: Rule, flags: int = 0, data: int = -1, claims: int = 0, gives: int = 0,
                 terms: tuple[Term, ...] = (), align: int = 1, end: End = (None, 1, 0, 0, ()), trailer: int = 0,
                 whole: tuple[Test, ...] = (), exception: int = 0, then: str = "") -> None:  # fmt: skip
        self.fixed, self.rules, self.flags, self.data, self.claims, self.gives = fixed, rules, flags, data, claims, gives
        self.terms, self.align, self.end, self.trailer, self.whole, self.exception = terms, align, end, trailer, whole, exception
        self.then = then


def to(kind: str, *tests: Test, flags: int = 0) -> Rule:
    """A rule: a kind."""
    return TO_KIND, kind, None, flags, tests


def by(space: str, read: Read, *tests: Test, flags: int = 0) -> Rule:
    """A rule: what a number announces."""
    return BY_SPACE, space, read, flags, tests


def counted(number: int, *tests: Test) -> Rule:
    """A rule: nothing that is followed."""
    return COUNTED, number, None, 0, tests


def term(read: Read | None, scale: int, bias: int, *tests: Test) -> Term:
    """A part of a size."""
    return read, scale, bias, tests


def ends(read: Read, bias: int = 0, least: int = 0, *tests: Test) -> End:
    """An end."""
    return read, 1, bias, least, tests


@cache
def ours() -> Descriptions:
    """What our files describe."""
    return descriptions(our_files())


def names() -> list[str]:
    """Our kinds, by number."""
    found = ours()
    return [*kinds(found), *(header.name for header in found.headers.values() if header.hidden or header.unfollowed)]


class More(Tables):
    """Our tables and more: kinds, and entries of spaces; a space that is not ours has its code and least value in front."""

    def __init__(self, more: dict[str, Kind], entries: dict[str, dict[int, Any]], spaces: dict[str, tuple[int, int]]) -> None:
        found, nowhere = Descriptions(), ours().headers["IP"].line
        found.headers = {**ours().headers, **{name: Header(name, name, name, nowhere) for name in more}}
        found.spaces = {**ours().spaces, **{name: Space(name, "", "", nowhere) for name in spaces}}
        found.lists = ours().lists
        super().__init__(found, [*names(), *more], codes_of(found))
        self.more, self.entries, self.new = more, entries, spaces

    def kind(self, header: Header) -> None:
        """A row of kinds."""
        kind = self.more.get(header.name)
        if kind is None:
            super().kind(header)
            return
        end, scale, bias, least, end_tests = kind.end
        terms, rules = self.count("terms"), self.count("rules")
        for number, unit, added, only in kind.terms:
            self.rows["terms"] += (self.read(number), unit, added, *self.run(*only))
        for how, what, of, flags, only in kind.rules:
            where = self.kinds[what] if how == TO_KIND else self.spaces[what] if how == BY_SPACE else what
            self.rows["rules"] += (how, where, self.read(of), flags, *self.run(*only))
        self.rows["kinds"] += (
            kind.fixed, kind.flags, kind.data, kind.claims, kind.gives, terms, len(kind.terms), kind.align, self.read(end),
            scale, bias, least, *self.run(*end_tests), kind.trailer, *self.run(*kind.whole), rules, len(kind.rules),
            kind.exception, self.kinds[kind.then] if kind.then else -1, -1,
        )  # fmt: skip

    def space(self, space: Space) -> None:
        """A row of spaces; entries that are not ours come behind ours in the order of values, which are greater."""
        super().space(space)
        count = 0
        for value, ways in sorted(self.entries.get(space.name, {}).items()):
            for way in ways if isinstance(ways, list) else [ways]:
                name, *only = way if isinstance(way, tuple) else (way,)
                self.rows["entries"] += (value, LEAF if name is None else self.kinds[name], *self.run(*only))
                count += 1
        self.rows["spaces"][-1] += count
        if space.name in self.new:
            self.rows["spaces"][-4:-2] = self.new[space.name]
