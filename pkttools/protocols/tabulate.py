"""The tables of the walk, of descriptions. What their columns mean is said in walking.py."""

from __future__ import annotations

from struct import pack

from . import walking
from .checks import announced, led_to
from .model import (
    FITTING,
    MOST_KINDS,
    Checksum,
    Descriptions,
    Entry,
    Field,
    Header,
    Holds,
    Item,
    Line,
    List,
    Next,
    Size,
    Space,
    Test,
)

MOST = 0xFFFFFFFF  # a number, and a mask
PARTIAL = {"cut": walking.CUT, "inside": walking.CUT_INSIDE, "deep": walking.DEEP, "size": walking.MISSIZED}
CATEGORIES = {
    "link": walking.LINK_LAYER,
    "tag": walking.TAG | walking.PASSES | walking.OWN_END,
    "extension": walking.EXTENSION | walking.PASSES | walking.OWN_END | walking.NEEDS_SIZE,
    "tunnel": walking.TUNNEL,
}
LEVELS = {"link": 1, "network": 2, "transport": 3}  # of those that 1.16 knew: what is inside claims data of what is around it
OVER = {"message": walking.MESSAGE, "header": walking.HEADER_ALONE, "said": walking.SAID, "behind": walking.HEADER_AND}
NOTHING = {"": walking.AS_SAID, "all": walking.ALL_FOR_0, "jumbo": walking.JUMBO_FOR_0}
ZERO = {
    "sum": walking.A_SUM, "none": walking.NO_SUM, "ffff": walking.NEVER, "missing": walking.MISSING, "wrong": walking.FORBIDDEN,
}  # fmt: skip

Read = tuple[int, int, int, int]  # as the columns are
Condition = tuple[Read, int, int, int, int]  # a row of tests


def tables(found: Descriptions, names: list[str], codes: dict[str, int]) -> tuple[bytes, ...]:
    """The tables, as the codec takes them.

    names: the kinds of headers, in order; codes: of spaces and headers, by which the codec counts what is not followed.
    """
    others = [header.name for header in found.headers.values() if header.hidden or header.unfollowed]
    return packed(Tables(found, [*names, *others], codes).all())


def packed(tables: tuple[tuple[int, ...], ...]) -> tuple[bytes, ...]:
    """Tables as bytes."""
    return tuple(pack(f"{len(table)}q", *table) for table in tables)


def read(field: Field) -> Read:
    """The number that a field is."""
    return walking.FROM_START, field.bit, field.width, walking.LITTLE_ENDIAN if field.form == "little" else walking.BIG_ENDIAN


def condition(header: Header, test: Test) -> Condition:
    """A row of tests: the bits themselves are compared, not the value that they stand for."""
    field = header.field(test.field)
    assert field is not None  # checks.py has seen it
    least = -(-test.value // field.scale) - field.bias  # bits that make the value, or the next one above
    mask = test.mask if test.mask >= 0 else MOST
    if test.comparison in FITTING:
        return read(field), mask, field.bias, MOST if test.comparison == "fits" else field.bias, walking.LEAVES
    low, high = (0, least - 1) if test.comparison == "<" else (least, MOST if test.comparison == ">=" else least)
    return read(field), mask, low, high, walking.IS_NOT if test.comparison == "!=" else walking.IS


def held_by(header: Header) -> set[str]:
    """The names of the lists that a header holds."""
    return {rule.list for rule in header.holds}


def leads(entry: Entry) -> bool:
    """Whether something is known of what an entry announces."""
    return entry.leaf or bool(entry.header)


def idle(found: Descriptions) -> set[str]:
    """The names of idle headers: who neither filters, sets nor shows their fields goes without them.

    They are applications, and ways to such, that have no checksum, make no packet partial, and lead to idle ones only and to
    nothing that is counted. None of them stands behind a link layer, of which pkt-check looks what it announces.
    """
    links = [header for header in found.headers.values() if header.category in ("link", "tag")]
    busy = {entry.header for _, entry in announced(found, found.spaces["linktype"])}
    busy = busy.union(*(led_to(found, header) for header in links))
    for name, header in found.headers.items():
        other = header.unfollowed or not (header.hidden or header.category == "application")
        counted = any(rule.space and found.spaces[rule.space].least is not None for rule in header.next)
        needed = any(rule.promised or rule.quoted for rule in header.next)
        if other or counted or needed or header.checksum or header.partial or header.then:
            busy.add(name)
    ways = {name: led_to(found, header) for name, header in found.headers.items()}
    before = -1
    while len(busy) > before:
        before = len(busy)
        busy |= {name for name, to in ways.items() if to & busy}
        busy |= {name for one in busy if one in ways and found.headers[one].hidden for name in ways[one]}
    return set(found.headers) - busy


class Tables:
    """The tables, as they grow: each is a row of integers, and what refers to a row of another does it by number."""

    def __init__(self, found: Descriptions, kinds: list[str], codes: dict[str, int]) -> None:
        self.found, self.codes, self.idle = found, codes, idle(found)
        self.kinds = {name: number for number, name in enumerate(kinds)}
        spaces = [found.spaces["linktype"], *(space for space in found.spaces.values() if space.name != "linktype")]
        self.spaces = {space.name: number for number, space in enumerate(spaces)}
        self.reads: dict[Read, int] = {}
        self.runs: dict[tuple[Condition, ...], tuple[int, int]] = {(): (0, 0)}
        self.rows: dict[str, list[int]] = {name: [] for name in walking.NAMES}
        self.lists: dict[str, int] = {}
        self.kinds_of_items = {item: number for number, item in enumerate(found.items, walking.FIRST_ITEM)}

    def all(self) -> tuple[tuple[int, ...], ...]:
        """The tables, in their order."""
        for name in self.kinds:
            self.kind(self.found.headers[name])
            self.limit(self.found.headers[name].line)
        for name in self.spaces:
            self.space(self.found.spaces[name])
            entries = [entry for _, entry in announced(self.found, self.found.spaces[name])]
            latest = max(entries, key=lambda entry: entry.rank, default=self.found.spaces[name])  # a user's, if there is one
            self.limit(latest.line)
        for number, one in enumerate(self.found.lists.values()):
            self.list(one)
            self.lists[one.name] = number
            self.limit(one.line)
        for name in self.kinds:
            for held in self.found.headers[name].holds:
                self.hold(name, held)
                self.limit(held.line)
        for name in self.kinds:
            self.signature(self.kinds[name], self.found.headers[name])
            self.limit(self.found.headers[name].line)
        for item, number in self.kinds_of_items.items():
            self.signature(number, item)
            self.limit(item.line)
        self.rows["reads"] = [column for of in self.reads for column in of]
        return tuple(tuple(self.rows[name]) for name in walking.NAMES)

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.rows[table]) // walking.COLUMNS[walking.NAMES.index(table)]

    def limit(self, line: Line) -> None:
        """Raises the error of a statement whose rows are more than a table has room for."""
        for table in walking.NAMES:
            if (len(self.reads) if table == "reads" else self.count(table)) > MOST_KINDS:
                raise line.wrong(f"with this, there are more than the {MOST_KINDS} {table} that there may be")

    def read(self, of: Read | None) -> int:
        """The number of a row of reads; -1 for none."""
        return -1 if of is None else self.reads.setdefault(of, len(self.reads))

    def run(self, *of: Condition) -> tuple[int, int]:
        """A run of tests. Those that are there already serve again."""
        if of not in self.runs:
            self.runs[of] = self.count("tests"), len(of)
            for what, *rest in of:
                self.rows["tests"] += (self.read(what), *rest)
        return self.runs[of]

    def kind(self, header: Header) -> None:
        """A row of kinds, with its terms and rules."""
        flags = CATEGORIES.get(header.category, 0) | (walking.IDLE if header.name in self.idle else 0)
        flags |= walking.HIDDEN if header.hidden else walking.UNFOLLOWED if header.unfollowed else 0
        flags |= walking.OWN_END if header.own_end else 0
        flags |= walking.END_BEHIND if header.inside else 0
        flags |= walking.LONG_DATA if any(size.or_all for size in header.size) else 0
        for word in header.partial:
            flags |= PARTIAL[word]
        level, data = LEVELS.get(header.category, 0), header.data
        terms, rules = self.count("terms"), self.count("rules")
        for size in header.size:
            self.term(header, size)
        for rule in header.next:
            self.rule(header, rule)
        self.rows["kinds"] += (
            header.fixed_size,
            flags,
            -1 if data is None or data.at is None else data.at,
            level if level > 1 and any(row.old for row in header.rows) else 0,
            level if data and data.rest else 0,
            *(terms, self.count("terms") - terms),
            header.align,
            *self.end(header),
            header.trailer,
            *self.run(*(condition(header, test) for test in header.whole)),
            *(rules, self.count("rules") - rules),
            getattr(walking, header.exception or "NO_EXCEPTION"),
            self.kinds[header.then] if header.then else -1,
            int.from_bytes(header.until.ljust(4, header.until[-1:])) if header.until else -1,
        )
        if header.checksum:
            self.sum(header, header.checksum)

    def term(self, header: Header, size: Size) -> None:
        """A row of terms."""
        field = header.field(size.field)
        unit = field.scale * size.unit if field else 0
        bias = header.fixed_size if size.fixed else size.number + (field.bias * unit if field else 0)
        counts = field if field and field.width else None
        only = self.run(*(condition(header, test) for test in size.tests))
        self.rows["terms"] += (self.read(read(counts) if counts else None), unit if counts else 0, bias, *only)

    def end(self, header: Header) -> tuple[int, ...]:
        """Where a header ends. What is asked of that number alone is a column of its own: that is faster than tests."""
        size = header.end
        field = header.field(size.field) if size else None
        if size is None:
            return -1, 1, 0, 0, *self.run()
        if field is None:  # a number alone: 0 times one, and itself
            byte = walking.FROM_START, 0, 8, walking.BIG_ENDIAN
            return self.read(byte), 0, size.number, 0, *self.run(*(condition(header, test) for test in size.tests))
        of, unit, least = read(field), field.scale * size.unit, 0
        only = [condition(header, test) for test in size.tests]
        if len(only) == 1 and only[0] in ((of, MOST, 0, 0, 1), (of, MOST, only[0][2], MOST, 0)):
            least, only = only[0][2] or 1, []
        return self.read(of), unit, field.bias * unit + size.number, least, *self.run(*only)

    def rule(self, header: Header, rule: Next) -> None:
        """A row of rules: what comes next. Two of a space whose numbers are in either byte order."""
        flags = (walking.PROMISED if rule.promised else 0) | (walking.QUOTED if rule.quoted else 0)
        only = [condition(header, test) for test in rule.tests]
        if rule.header and self.found.headers[rule.header].unfollowed:
            self.rows["rules"] += (walking.COUNTED, self.codes[rule.header], -1, 0, *self.run(*only))
            return
        if rule.header:
            self.rows["rules"] += (walking.TO_KIND, self.kinds[rule.header], -1, flags, *self.run(*only))
            return
        field, space = header.field(rule.field), self.found.spaces[rule.space]
        bit, width = (0, rule.behind) if rule.behind else (-rule.last, rule.last)
        of = read(field) if field else (walking.FROM_BEHIND, bit, width, walking.BIG_ENDIAN)
        if space.swapped:
            swapped = self.run((of, MOST, 0x10000, MOST, 0), *only)
            self.rows["rules"] += (walking.BY_SPACE, self.spaces[space.name], self.read((*of[:3], 1 - of[3])), flags, *swapped)
        self.rows["rules"] += (walking.BY_SPACE, self.spaces[space.name], self.read(of), flags, *self.run(*only))

    def sum(self, header: Header, rule: Checksum) -> None:
        """A row of sums."""
        stands, said = header.field(rule.field), header.field(rule.said)
        unit, (gap, gap_at) = said.scale * rule.unit if said else 0, rule.without
        versions = {4: walking.FOR_4, 6: walking.FOR_6}
        also = walking.ALSO_MESSAGE if rule.also else sum(versions[version] for version in rule.pseudo_also)
        self.rows["sums"] += (
            self.kinds[header.name],
            stands.bit // 8 if stands else 0,
            {"unknown": 0, "internet": 2, "crc32c": 4}[rule.kind],
            OVER[rule.over],
            self.read(read(said) if said else None),
            unit,
            (said.bias * unit if said else 0) + rule.number,
            NOTHING[rule.nothing],
            gap_at,
            gap,
            sum(versions[version] for version in rule.pseudo),
            also,
            int(rule.whole),
            ZERO[rule.zero],
            (walking.CARD if rule.card else 0) | (walking.CARD_CUTS if rule.cut else 0),
            *self.run(*(condition(header, test) for test in rule.tests)),
        )

    def list(self, of: List) -> None:
        """A row of lists, with its items: first those without length."""
        first = self.count("items")
        hows = {**dict.fromkeys(of.pads, walking.ALONE), **dict.fromkeys(of.ends, walking.LAST)}
        for value, how in hows.items():
            self.rows["items"] += (value, -1, how, 0, 0, 0, 0, -1, -1, -1, *self.run())
        for item in of.items:
            self.item(item, hows)
        places = self.read(read(of.type)), self.read(read(of.length))
        self.rows["lists"] += (*places, of.unit, of.bias, of.align, of.head, first, self.count("items") - first)

    def item(self, item: Item, hows: dict[int, int]) -> None:
        """A row of items for each type that it is known by."""
        data = item.bits // 8 if item.data is None or item.data.at is None else item.data.at
        only = self.run(*(condition(owner, test) for test in item.only if (owner := item.list.item(test.field))))
        counted = [item.list.counting(name) if name else None for name in (item.passed, item.pieces)]
        numbers = [self.read(read(field) if field else None) for field in counted]
        for value in item.types or (walking.OTHER if item.other else walking.ANY,):
            how = hows.get(value, walking.SIZED)
            of = (*self.found.lists,).index(item.inner) if item.inner else -1
            self.rows["items"] += (
                value,
                self.kinds_of_items[item],
                how,
                item.at,
                data,
                item.each,
                item.nested,
                of,
                *numbers,
                *only,
            )

    def hold(self, name: str, held: Holds) -> None:
        """A row of what a kind holds."""
        header = self.found.headers[name]
        field = header.field(held.field)
        unit = field.scale * held.unit if field else 0
        said = self.read(read(field) if field else None), unit, held.number + (field.bias * unit if field else 0)
        to = walking.TO_END if held.to_end else walking.TO_SAID if field or held.number else walking.TO_SIZE
        if to == walking.TO_SAID and field is None:  # a number alone: 0 times one, and itself
            said = self.read((walking.FROM_START, 0, 8, walking.BIG_ENDIAN)), 0, held.number
        by = self.kinds_of_items[held.by] if held.by else -1
        only = self.run(*(condition(held.by or header, test) for test in held.tests))
        self.rows["holds"] += (self.kinds[name], self.lists[held.list], held.first, to, *said, by, *only)

    def signature(self, number: int, header: Header) -> None:
        """A row of signatures, if a header or an item has one."""
        said = header.signature
        if said:
            only = self.run(*(condition(header, test) for test in said.tests))
            holders = [one for one in self.found.headers.values() if isinstance(header, Item) and header.list.name in held_by(one)]
            carried = any(one.category != "application" for one in holders or [header])
            covers = walking.BEHIND if said.behind else walking.CARRIER if carried else walking.HEADER
            self.rows["signatures"] += (number, self.codes[said.code], covers, *only)

    def space(self, space: Space) -> None:
        """A row of spaces, with its entries in the order of their values."""
        first = self.count("entries")
        for value, entry in announced(self.found, space):
            if leads(entry) or entry.tunnel:
                leaf = walking.TUNNEL_LEAF if entry.tunnel else walking.LEAF
                only = [condition(self.found.headers[entry.header], test) for test in entry.tests]
                self.rows["entries"] += (value, self.kinds.get(entry.header, leaf), *self.run(*only))
        counted = -1 if space.least is None else space.least
        self.rows["spaces"] += (self.codes.get(space.counted_as, 0), counted, first, self.count("entries") - first)
