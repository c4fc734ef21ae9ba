"""The tables of protocols, checked when they are given, and laid out for the walk; twin of ../c/protocols.c.

What the columns mean is said in ...protocols.walking.
"""

from __future__ import annotations

from struct import unpack

from ...batch import MAX_FRAME
from ...protocols import walk
from ...protocols.reading import Read, Tests, read_of, tests_of
from ...protocols.walking import (
    A_SUM,
    ALSO_MESSAGE,
    AS_SAID,
    BEHIND,
    BIG_ENDIAN,
    BY_SPACE,
    CARD,
    CARD_CUTS,
    COLUMNS,
    COUNTED,
    DATAGRAM_4,
    DATAGRAM_6,
    EXTENSION,
    FIRST_ITEM,
    FOR_4,
    FOR_6,
    FORBIDDEN,
    FROM_BEHIND,
    FROM_START,
    HEADER,
    HEADER_AND,
    HIDDEN,
    IS,
    JUMBO_FOR_0,
    LAST,
    LEAF,
    LEAVES,
    LITTLE_ENDIAN,
    MESSAGE,
    NAMES,
    NEVER,
    NO_EXCEPTION,
    NO_SUM,
    SAID,
    SIZED,
    TO_KIND,
    TO_SAID,
    TO_SIZE,
    TUNNEL,
    TUNNEL_LEAF,
    UNFOLLOWED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .headers import Trails

MOST = 0xFFFFFFFF
FLAGS = 65536 - 1
RULE_FLAGS = 3
MAX_READ, MAX_ROWS, MAX_RUN, MOST_CLAIMS, MOST_PLACE = 65536, 16384, 32, 9, 252
MOST_UNITS, MOST_ITEMS = 256, 4096
OTHER_TYPE, ANY_TYPE = -2, -1
READS, TESTS, TERMS, KINDS, RULES, SPACES, ENTRIES, SUMS, LISTS, ITEMS, HOLDS, SIGNATURES = range(len(NAMES))

Rows = list[tuple[int, ...]]
Length = tuple[int, int]  # where a number of 16 bits stands, and how many bytes it does not count


class Kind:
    """A kind of header: its row, with what it refers to."""

    __slots__ = ("align", "claims", "data", "end", "end_bias", "end_least", "end_scale", "end_tests", "exception", "fixed", "flags",
                 "gives", "length", "number", "rules", "shown", "sum", "terms", "then", "trailer", "until", "whole")  # fmt: skip

    number: int
    fixed: int
    flags: int
    data: int
    claims: int
    gives: int
    terms: list[tuple[Read | None, int, int, Tests]]
    align: int
    end: Read | None
    end_scale: int
    end_bias: int
    end_least: int
    end_tests: Tests
    trailer: int
    whole: Tests
    rules: list[Rule]
    exception: int
    length: Length | None  # it says where it ends, in a number that may be corrected
    then: Kind | None
    until: bytes | None  # what ends it
    shown: bool  # not HIDDEN
    sum: Sum | None


class Space:
    """Numbers that announce kinds: what is counted of those without entry, and entries, several of a value in order."""

    __slots__ = ("code", "counted", "entries", "tunnels")

    code: int
    counted: int
    entries: dict[int, list[tuple[Kind | None, Tests]]]
    tunnels: set[int]  # values of tunnels


class Sum:
    """The checksum of a header, or of the message that it begins: its row, with what it refers to."""

    __slots__ = ("also", "at", "bias", "bytes", "card", "gap", "gap_at", "kind", "least", "nothing", "over", "pseudo", "read",
                 "scale", "tests", "whole", "zero")  # fmt: skip

    def __init__(self, kind: Kind, read: Read | None, tests: Tests, row: tuple[int, ...]) -> None:
        self.kind, self.read, self.tests = kind, read, tests
        (_, self.at, self.bytes, self.over, _, self.scale, self.bias, self.nothing, self.gap_at, self.gap, self.pseudo, self.also,
         self.whole, self.zero, self.card, *_) = row  # fmt: skip
        self.least = max(kind.fixed, self.at + self.bytes)  # bytes of what has it


def _is_plain(kind: Kind, rule: Sum) -> bool:
    """Whether that is all there is to the checksum of a message of IP that is whole: it stands there, and covers all of it."""
    whole = rule.over == MESSAGE or (rule.over == SAID and (rule.scale, rule.bias) == (1, 0))
    sure = not kind.flags & (HIDDEN | EXTENSION) and kind.exception < DATAGRAM_4 and not rule.tests
    return sure and whole and rule.bytes == 2 and not rule.gap and not rule.also and rule.zero not in (NO_SUM, NEVER)


def plain_of(announced: dict[int, list[tuple[Kind | None, Tests]]]) -> dict[int, Sum]:
    """The rules of messages, by protocol, that are plain."""
    first = ((protocol, *ways[0]) for protocol, ways in announced.items())
    return {protocol: kind.sum for protocol, kind, tests in first if kind and kind.sum and not tests and _is_plain(kind, kind.sum)}


class List:
    """Items with type and length: its row, with what it refers to.

    alone: bytes of an item that is a type alone; hows: the types of such ones, and which of them is the last. inside: by type,
    where further items lie in it, and the number of their list, -1 for the same; known: types that have a kind. items: type, kind,
    where it begins, where its data do from there, bytes of a piece, what says how many are passed over, and are there, and tests.
    """

    __slots__ = ("align", "alone", "bias", "head", "hows", "inside", "items", "known", "length", "scale", "type")

    def __init__(
        self, type_: Read, length: Read, row: tuple[int, ...], items: list[tuple[tuple[int, ...], Read | None, Read | None, Tests]]
    ) -> None:
        self.type, self.length, self.alone = type_, length, type_[1]
        _, _, self.scale, self.bias, self.align, self.head, *_ = row
        self.hows: dict[int, int] = {}
        self.inside: dict[int, tuple[int, int]] = {}
        for (wanted, _, how, _, _, _, inside, of, *_), *_ in items:
            self.hows[wanted] = max(how, self.hows.get(wanted, SIZED))
            if inside > self.inside.get(wanted, (0, -1))[0]:
                self.inside[wanted] = inside, of
        self.known = {wanted for (wanted, kind, *_), *_ in items if kind >= 0}
        self.items = [(wanted, kind, at, data, each, passed, pieces, only)
                      for (wanted, kind, _, at, data, each, *_), passed, pieces, only in items if kind >= 0]  # fmt: skip


class Hold:
    """Where a list lies in a kind of header: its row, with what it refers to."""

    __slots__ = ("bias", "by", "first", "kind", "list", "read", "scale", "tests", "to")

    def __init__(self, kind: Kind, of: List, read: Read | None, tests: Tests, row: tuple[int, ...]) -> None:
        self.kind, self.list, self.read, self.tests = kind, of, read, tests
        _, _, self.first, self.to, _, self.scale, self.bias, self.by, *_ = row


class Signature:
    """What authenticates more than itself: a header, or an item. covers: from where on."""

    __slots__ = ("code", "covers", "tests")

    def __init__(self, code: int, covers: int, tests: Tests) -> None:
        self.code, self.covers, self.tests = code, covers, tests


Rule = tuple[int, Kind | None, Space | None, Read | None, int, Tests, int]  # how, kind, space, read, flags, tests, code


class _Checked:
    """Tables whose soundness is looked at."""

    def __init__(self, tables: tuple[bytes, ...]) -> None:
        if not isinstance(tables, tuple) or len(tables) != len(NAMES):
            raise TypeError(f"protocols are a tuple of {len(NAMES)} tables")
        if not all(isinstance(table, bytes) and len(table) % 8 == 0 for table in tables):
            raise TypeError("a table is bytes: integers of 64 bits")
        self.rows: list[Rows] = []
        for number, (packed, columns) in enumerate(zip(tables, COLUMNS, strict=True)):
            table = unpack(f"{len(packed) // 8}q", packed)
            self.need(number, -1, 0, len(table) % columns == 0)
            self.rows.append([table[i : i + columns] for i in range(0, len(table), columns)])
        for number, rows in enumerate(self.rows):
            self.need(number, -1, 0, len(rows) <= MAX_ROWS and (bool(rows) or number not in (KINDS, SPACES)))

    def need(self, table: int, row: int, column: int, holds: bool) -> None:
        """Refuses tables in which a column of a row is not what it may be."""
        if not holds:
            raise ValueError(f"protocols are not sound: table {table}, row {row}, column {column}")

    def run(self, table: int, first: int, count: int) -> bool:
        """Whether a run is of rows that are there."""
        return 0 <= first <= len(self.rows[table]) and 0 <= count <= len(self.rows[table]) - first

    def read(self, read: int, fixed: int, behind: bool) -> bool:
        """Whether a number may be read where a header of `fixed` bytes is known."""
        if not 0 <= read < len(self.rows[READS]):
            return False
        base, bit, *_ = self.rows[READS][read]
        return base == FROM_START or (behind and bit >= -8 * fixed)

    def tests(self, first: int, count: int, fixed: int, behind: bool) -> bool:
        """Whether tests may be asked there."""
        return self.run(TESTS, first, count) and count <= MAX_RUN and all(
            self.read(row[0], fixed, behind) and (behind or row[4] != LEAVES) for row in self.rows[TESTS][first : first + count]
        )  # fmt: skip

    def numbers(self) -> None:
        """Checks reads and tests."""
        for i, (base, bit, width, order) in enumerate(self.rows[READS]):
            self.need(READS, i, 0, base in (FROM_START, FROM_BEHIND))
            self.need(READS, i, 1, -8 * MAX_READ <= bit <= 8 * MAX_READ)
            self.need(READS, i, 2, 1 <= width <= 32)
            self.need(READS, i, 3, order == BIG_ENDIAN or (order == LITTLE_ENDIAN and bit % 8 == 0 and width % 8 == 0))
        for i, (read, mask, low, high, how) in enumerate(self.rows[TESTS]):
            self.need(TESTS, i, 0, 0 <= read < len(self.rows[READS]))
            self.need(TESTS, i, 1, 1 <= mask <= MOST)
            self.need(TESTS, i, 2, 0 <= low <= MOST)
            self.need(TESTS, i, 3, low <= high <= MOST)
            self.need(TESTS, i, 4, IS <= how <= LEAVES)

    def terms(self, first: int, count: int, fixed: int) -> None:
        """Checks the terms of a kind."""
        for i, (read, scale, bias, test, tests) in enumerate(self.rows[TERMS][first : first + count], first):
            self.need(TERMS, i, 0, read == -1 or self.read(read, fixed, False))
            self.need(TERMS, i, 1, 0 <= scale <= MAX_READ)
            self.need(TERMS, i, 2, -MAX_READ <= bias <= MAX_READ)
            self.need(TERMS, i, 3, self.tests(test, tests, fixed, False))

    def rules(self, first: int, count: int, fixed: int) -> None:
        """Checks the rules of a kind."""
        for i, (how, what, read, flags, test, tests) in enumerate(self.rows[RULES][first : first + count], first):
            self.need(RULES, i, 0, how in (TO_KIND, BY_SPACE, COUNTED))
            most = len(self.rows[KINDS]) - 1 if how == TO_KIND else len(self.rows[SPACES]) - 1 if how == BY_SPACE else 255
            known = (0 if how == BY_SPACE else 1) <= what <= most
            self.need(RULES, i, 1, known and not (how == TO_KIND and self.rows[KINDS][what][1] & UNFOLLOWED))
            self.need(RULES, i, 2, self.read(read, fixed, True) if how == BY_SPACE else read == -1)
            self.need(RULES, i, 3, 0 <= flags <= RULE_FLAGS)
            self.need(RULES, i, 4, self.tests(test, tests, fixed, True))

    def kinds(self) -> None:
        """Checks kinds, with their terms and rules, which stand in the order of what they are of: none is used twice."""
        all_terms = all_rules = 0
        for i, row in enumerate(self.rows[KINDS]):
            (fixed, flags, data, claims, gives, term, terms, align, end, scale, bias, least, test, tests, trailer, whole, wholes,
             rule, rules, exception, then, until) = row  # fmt: skip
            shown = not flags & (HIDDEN | UNFOLLOWED)
            self.need(KINDS, i, 0, (1 if shown and i > 0 else 0) <= fixed <= MAX_READ)
            both = flags & HIDDEN and flags & UNFOLLOWED
            self.need(KINDS, i, 1, 0 <= flags <= FLAGS and not both and (i > 0 or shown))
            self.need(KINDS, i, 2, -1 <= data <= MAX_FRAME)
            self.need(KINDS, i, 3, 0 <= claims <= MOST_CLAIMS)
            self.need(KINDS, i, 4, 0 <= gives <= MOST_CLAIMS)
            self.need(KINDS, i, 5, term == all_terms and self.run(TERMS, term, terms))
            self.need(KINDS, i, 6, terms <= MAX_RUN)
            all_terms += terms
            self.terms(term, terms, fixed)
            self.need(KINDS, i, 7, 1 <= align <= 64)
            self.need(KINDS, i, 8, end == -1 or self.read(end, fixed, False))
            self.need(KINDS, i, 9, 0 <= scale <= MAX_READ)
            self.need(KINDS, i, 10, -MAX_READ <= bias <= MAX_READ)
            self.need(KINDS, i, 11, 0 <= least <= MOST)
            self.need(KINDS, i, 12, self.tests(test, tests, fixed, False))
            self.need(KINDS, i, 14, 0 <= trailer <= MAX_READ)
            self.need(KINDS, i, 15, self.tests(whole, wholes, fixed, False))
            self.need(KINDS, i, 17, rule == all_rules and self.run(RULES, rule, rules))
            self.need(KINDS, i, 18, rules <= MAX_RUN)
            all_rules += rules
            self.rules(rule, rules, fixed)
            self.need(KINDS, i, 19, NO_EXCEPTION <= exception <= DATAGRAM_6)
            known = 1 <= then < len(self.rows[KINDS])
            self.need(KINDS, i, 20, then == -1 or (known and not self.rows[KINDS][then][1] & UNFOLLOWED))
            self.need(KINDS, i, 21, -1 <= until <= MOST)

    def spaces(self) -> None:
        """Checks spaces and their entries."""
        all_entries = 0
        for i, (number, counted, entry, entries) in enumerate(self.rows[SPACES]):
            self.need(SPACES, i, 0, 0 <= number <= 255)
            self.need(SPACES, i, 1, -1 <= counted <= MOST and (counted < 0 or number > 0))
            self.need(SPACES, i, 2, entry == all_entries and self.run(ENTRIES, entry, entries))
            all_entries += entries
            before = 0
            for k, (value, kind, test, tests) in enumerate(self.rows[ENTRIES][entry : entry + entries], entry):
                self.need(ENTRIES, k, 0, before <= value <= MOST)
                before = value
                known = 1 <= kind < len(self.rows[KINDS])
                followed = known and (number > 0 or not self.rows[KINDS][kind][1] & UNFOLLOWED)
                self.need(ENTRIES, k, 1, kind in (LEAF, TUNNEL_LEAF) or followed)
                self.need(ENTRIES, k, 2, self.tests(test, tests, 0, False))

    def sums(self) -> None:
        """Checks the checksums of headers."""
        before = 0
        for i, row in enumerate(self.rows[SUMS]):
            kind, at, size, over, read, scale, bias, nothing, gap_at, gap, pseudo, also, whole, zero, card, test, tests = row
            known = before < kind < len(self.rows[KINDS])
            self.need(SUMS, i, 0, known and not self.rows[KINDS][kind][1] & (HIDDEN | UNFOLLOWED))
            before, fixed = kind, self.rows[KINDS][kind][0]
            words, counts = size == 2, over in (SAID, HEADER_AND)
            self.need(SUMS, i, 2, size in (0, 2, 4))
            self.need(SUMS, i, 1, 0 <= at <= MOST_PLACE and (not words or at % 2 == 0))
            self.need(SUMS, i, 3, MESSAGE <= over <= HEADER_AND)
            self.need(SUMS, i, 4, self.read(read, fixed, False) if counts else read == -1)
            self.need(SUMS, i, 5, 0 <= scale <= MAX_READ)
            self.need(SUMS, i, 6, -MAX_READ <= bias <= MAX_READ)
            self.need(SUMS, i, 7, AS_SAID <= nothing <= (JUMBO_FOR_0 if counts else AS_SAID))
            self.need(SUMS, i, 9, 0 <= gap <= (MOST_PLACE if words else 0) and gap % 2 == 0)
            self.need(SUMS, i, 8, (at + 2 if gap else 0) <= gap_at <= (MOST_PLACE if gap else 0) and gap_at % 2 == 0)
            self.need(SUMS, i, 10, 0 <= pseudo <= (FOR_4 | FOR_6 if words else 0))
            either = 0 <= also <= (FOR_4 | FOR_6 if words else 0) and not also & pseudo
            self.need(SUMS, i, 11, also == (ALSO_MESSAGE if words else 0) or either)
            self.need(SUMS, i, 12, whole in (0, 1))
            self.need(SUMS, i, 13, A_SUM <= zero <= (FORBIDDEN if words else A_SUM))
            self.need(SUMS, i, 14, 0 <= card <= CARD | CARD_CUTS)
            self.need(SUMS, i, 15, self.tests(test, tests, fixed, False))

    def within(self, read: int, size: int) -> bool:
        """Whether a number lies in the first bytes of what it is of."""
        return self.read(read, 0, False) and 0 <= self.rows[READS][read][1] <= 8 * size - self.rows[READS][read][2]

    def lists(self) -> None:
        """Checks lists, their items, and what holds them."""
        all_items = 0
        for i, (type_, length, scale, bias, align, head, item, items) in enumerate(self.rows[LISTS]):
            self.need(LISTS, i, 5, 1 <= head <= MAX_READ)
            self.need(LISTS, i, 0, self.within(type_, head))
            self.need(LISTS, i, 1, self.within(length, head))
            self.need(LISTS, i, 2, 0 <= scale <= MOST_UNITS)
            self.need(LISTS, i, 3, (head if scale == 0 else 0) <= bias <= MOST_UNITS)
            self.need(LISTS, i, 4, 1 <= align <= 64)
            self.need(LISTS, i, 6, item == all_items and self.run(ITEMS, item, items))
            self.need(LISTS, i, 7, items <= MOST_ITEMS)
            all_items += items
        for i, (wanted, kind, how, at, data, each, inside, of, passed, pieces, test, tests) in enumerate(self.rows[ITEMS]):
            self.need(ITEMS, i, 0, OTHER_TYPE <= wanted <= MOST)
            self.need(ITEMS, i, 1, kind == -1 or FIRST_ITEM <= kind <= FIRST_ITEM + MAX_ROWS)
            self.need(ITEMS, i, 2, SIZED <= how <= LAST)
            self.need(ITEMS, i, 3, 0 <= at <= MAX_READ)
            self.need(ITEMS, i, 4, 0 <= data <= MAX_READ)
            self.need(ITEMS, i, 5, 0 <= each <= MAX_READ)
            self.need(ITEMS, i, 6, 0 <= inside <= MAX_READ)
            self.need(ITEMS, i, 7, -1 <= of < len(self.rows[LISTS]))
            self.need(ITEMS, i, 8, passed == -1 or self.within(passed, MAX_READ))
            self.need(ITEMS, i, 9, pieces == -1 or self.within(pieces, MAX_READ))
            self.need(ITEMS, i, 10, self.tests(test, tests, 0, False))
        before = 0
        for i, (kind, of, first, to, read, scale, bias, by, test, tests) in enumerate(self.rows[HOLDS]):
            known = before <= kind < len(self.rows[KINDS])
            self.need(HOLDS, i, 0, known and not self.rows[KINDS][kind][1] & (HIDDEN | UNFOLLOWED))
            before, fixed = kind, self.rows[KINDS][kind][0]
            self.need(HOLDS, i, 1, 0 <= of < len(self.rows[LISTS]))
            self.need(HOLDS, i, 2, 0 <= first <= fixed)
            self.need(HOLDS, i, 3, TO_SIZE <= to <= TO_SAID)
            self.need(HOLDS, i, 4, self.read(read, fixed, False) if to == TO_SAID else read == -1)
            self.need(HOLDS, i, 5, 0 <= scale <= MAX_READ)
            self.need(HOLDS, i, 6, -MAX_READ <= bias <= MAX_READ)
            self.need(HOLDS, i, 7, by == -1 or FIRST_ITEM <= by <= FIRST_ITEM + MAX_ROWS)
            self.need(HOLDS, i, 8, self.tests(test, tests, fixed, False))

    def signatures(self) -> None:
        """Checks signatures."""
        before = -1
        for i, (kind, code, covers, test, tests) in enumerate(self.rows[SIGNATURES]):
            item, kinds = FIRST_ITEM <= kind <= FIRST_ITEM + MAX_ROWS, self.rows[KINDS]
            known = 0 <= kind < len(kinds) and not kinds[kind][1] & (HIDDEN | UNFOLLOWED)
            self.need(SIGNATURES, i, 0, before < kind and (item or known))
            before = kind
            self.need(SIGNATURES, i, 1, 1 <= code <= 255)
            self.need(SIGNATURES, i, 2, HEADER <= covers <= BEHIND)
            self.need(SIGNATURES, i, 3, self.tests(test, tests, 0 if item else kinds[kind][0], False))


class Protocols:
    """Tables laid out. links: the space of link types; holds: by kind of header, the lists in it; signatures: by kind."""

    def __init__(self, tables: tuple[bytes, ...]) -> None:
        checked = _Checked(tables)
        checked.numbers()
        checked.kinds()
        checked.spaces()
        checked.sums()
        checked.lists()
        checked.signatures()
        self.rows = checked.rows
        self.reads = [read_of(*row) for row in self.rows[READS]]
        self.kinds = [Kind() for _ in self.rows[KINDS]]
        spaces = [self.space(*row) for row in self.rows[SPACES]]
        for number, (kind, row) in enumerate(zip(self.kinds, self.rows[KINDS], strict=True)):
            self.lay(kind, number, row, spaces)
        for row in self.rows[SUMS]:
            kind, read, run = self.kinds[row[0]], row[4], row[15:]
            if row[3] == SAID and row[6] == 0 and read == self.rows[KINDS][row[0]][8]:
                kind.length = self.length(kind)
            kind.sum = Sum(kind, None if read == -1 else self.reads[read], self.tests(*run), row)
        self.links = spaces[0]
        passed, pieces = ([None if row[column] < 0 else self.reads[row[column]] for row in self.rows[ITEMS]] for column in (8, 9))
        tests = [self.tests(*row[10:]) for row in self.rows[ITEMS]]
        items = list(zip(self.rows[ITEMS], passed, pieces, tests, strict=True))
        self.of_items = lists = [
            List(self.reads[row[0]], self.reads[row[1]], row, items[row[6] : row[6] + row[7]]) for row in self.rows[LISTS]
        ]
        self.holds: dict[int, list[Hold]] = {}
        for row in self.rows[HOLDS]:
            said = None if row[4] == -1 else self.reads[row[4]]
            self.holds.setdefault(row[0], []).append(Hold(self.kinds[row[0]], lists[row[1]], said, self.tests(*row[8:]), row))
        self.signatures = {
            kind: Signature(code << 32, covers, self.tests(*run)) for kind, code, covers, *run in self.rows[SIGNATURES]
        }
        held = ((kind, item[1]) for kind, holds in self.holds.items() for hold in holds for item in hold.list.items)
        # Kinds of headers in which there may be one.
        self.signing = {*self.signatures, *(kind for kind, item in held if item in self.signatures)}
        self.carried = [self.announced(DATAGRAM_4), self.announced(DATAGRAM_6)]  # by protocols of IPv4, and of IPv6
        self.plain = [plain_of(ways) for ways in self.carried]
        self.trails: dict[tuple[int, int, bool], Trails] = {}  # walks by link type, size, and whether idle headers were asked for
        self.kept = 0  # how many

    def announced(self, exception: int) -> dict[int, list[tuple[Kind | None, Tests]]]:
        """What each number announces that the first rule of a kind of header asks for, which tables cannot say otherwise."""
        spaces = [kind.rules[0][2] if kind.rules else None for kind in self.kinds if kind.exception == exception]
        return spaces[-1].entries if spaces and spaces[-1] else {}

    def length(self, kind: Kind) -> Length | None:
        """Where a header says where it ends, in two whole bytes; and how many bytes these do not count."""
        if not kind.end or kind.end_scale != 1 or not 0 <= kind.end_bias <= kind.fixed:
            return None
        first, stop, shift, mask, from_behind, order = kind.end
        whole = not from_behind and order == "big" and (stop - first, shift, mask) == (2, 0, 0xFFFF)
        return (first, kind.end_bias) if whole and 0 <= first <= kind.fixed - 2 else None

    def tests(self, first: int, count: int) -> Tests:
        """A run of tests."""
        return tests_of(self.reads, self.rows[TESTS][first : first + count])

    def space(self, number: int, counted: int, first: int, count: int) -> Space:
        """A space, its kinds still empty."""
        space = Space()
        space.code, space.counted, space.entries = number << 32, 1 << 64 if counted < 0 else counted, {}
        space.tunnels = set()
        for value, kind, test, tests in self.rows[ENTRIES][first : first + count]:
            way = (None if kind < 0 else self.kinds[kind], self.tests(test, tests))
            space.entries.setdefault(value, []).append(way)
            if kind == TUNNEL_LEAF or (kind >= 0 and self.rows[KINDS][kind][1] & TUNNEL):
                space.tunnels.add(value)
        return space

    def lay(self, kind: Kind, number: int, row: tuple[int, ...], spaces: list[Space]) -> None:
        """Fills in a kind."""
        (kind.fixed, kind.flags, kind.data, kind.claims, kind.gives, term, terms, kind.align, end, kind.end_scale, kind.end_bias,
         kind.end_least, test, tests, kind.trailer, whole, wholes, rule, rules, kind.exception, then, until) = row  # fmt: skip
        kind.sum, kind.then = None, None if then == -1 else self.kinds[then]
        kind.until = None if until < 0 else until.to_bytes(4, "big")
        kind.number, kind.shown = number, not kind.flags & HIDDEN
        kind.end = None if end == -1 else self.reads[end]
        kind.end_tests, kind.whole = self.tests(test, tests), self.tests(whole, wholes)
        kind.length = self.length(kind) if kind.exception >= DATAGRAM_4 else None
        kind.terms = [
            (None if read == -1 else self.reads[read], scale, bias, self.tests(*run))
            for read, scale, bias, *run in self.rows[TERMS][term : term + terms]
        ]
        kind.rules = [
            (how, self.kinds[what] if how == TO_KIND else None, spaces[what] if how == BY_SPACE else None,
             None if read == -1 else self.reads[read], flags, self.tests(*run), what << 32)
            for how, what, read, flags, *run in self.rows[RULES][rule : rule + rules]
        ]  # fmt: skip


_known: list[Protocols] = []


def set_protocols(tables: tuple[bytes, ...]) -> None:
    """Lets the walk go by tables, as ...protocols.walking has them. Raises ValueError when they are not sound."""
    _known[:] = [Protocols(tables)]


def known() -> Protocols:
    """What the walk goes by: ours, unless others were given."""
    if not _known:
        set_protocols(walk())
    return _known[0]


def exception(kind: int) -> int:
    """What tables cannot say of headers of a kind, see exceptions.py."""
    return known().kinds[kind].exception


def carries_message(kind: int) -> bool:
    """Whether headers of a kind carry a message that may have a checksum."""
    return known().kinds[kind].exception >= DATAGRAM_4


def extends(kind: int) -> bool:
    """Whether headers of a kind go on with what the one in front carries: extensions."""
    return bool(known().kinds[kind].flags & EXTENSION)


def is_extension(protocol: int) -> bool:
    """Whether a protocol of IPv6 is an extension header."""
    ways = known().carried[True].get(protocol)
    return bool(ways and ways[0][0] and ways[0][0].flags & EXTENSION)


def has_rule(kind: int) -> bool:
    """Whether headers of a kind have a checksum, or one that cannot be told."""
    return known().kinds[kind].sum is not None
