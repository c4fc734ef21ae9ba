"""What descriptions say of each other, checked over all files: names that exist, sizes that can be, headers that are found."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import PktError
from .model import (
    FITTING,
    LAST_BIT,
    MOST_BYTES,
    MOST_FIELDS,
    MOST_KINDS,
    MOST_TESTED,
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
    Rule,
    Signature,
    Size,
    Space,
    Test,
)
from .templates import ATTRIBUTES, NUMBERS, parts

FALLBACK = "UNKNOWN"  # what a packet is of which nothing is known
MOST_PLACE = 252  # bytes in front of a checksum
MOST_RULES = 32  # of a header, of each sort
MOST_ITEMS = 256  # that are known of a list
MOST_COMPARED = 48  # bits of a number in a line's test: as many as an address of Ethernet
OF_LINES = ("int", "little", "family", "mac", "ipv4")  # forms of what may be compared there
ENDS = ("int", "mac", "ipv4", "ipv6")  # forms of what is between two


def check(found: Descriptions) -> None:
    """Raises the error, with its file and line, of what is wrong."""
    for space in found.spaces.values():
        if space.of and space.of not in found.spaces:
            raise space.line.wrong(f"no space {space.of}; there are {', '.join(found.spaces)}")
        if space.counted_as not in found.spaces:
            raise space.line.wrong(f"no space {space.counted_as}; there are {', '.join(found.spaces)}")
        try:
            space.form.format(0)
        except (ValueError, LookupError, AttributeError) as error:
            raise space.line.wrong(f"'{space.form}' is no form for a number, such as \"{space.name} {{}}\": {error}") from None
        for number, entries in space.entries.items() if space.of else ():
            for other in found.spaces[space.of].entries.get(number, ()):
                if other.rank != entries[0].rank:
                    continue  # a user's comes first
                raise entries[0].line.wrong(f"{space.of} {number} is there already ({other.line.place})")
    first: dict[tuple[str, str], tuple[Header, Field]] = {}
    _holders(found)
    for header in found.headers.values():
        _fields(found, header, first)
        _sizes(header)
        _rules(found, header)
        _shown(found, header)
        _line(header)
        _answers(found, header)
        _limits(header)
    _renamed(found)
    for header, row in found.rows[MOST_FIELDS:]:
        raise header.line.wrong(f"{row.name} is one field more than the {MOST_FIELDS} that there may be")
    for one in (*[*found.headers.values()][MOST_KINDS:], *found.items[MOST_KINDS:]):
        raise one.line.wrong(f"with this, there are more than the {MOST_KINDS} kinds of headers, or of items, that there may be")
    _lists(found, first)
    _reached(found)
    _progress(found)


def announced(found: Descriptions, space: Space) -> list[tuple[int, Entry]]:
    """Number and entry of all that a space announces, with those of the space that it is part of."""
    entries = [*space.entries.items(), *(found.spaces[space.of].entries.items() if space.of else ())]
    pairs = [(number, entry) for number, known in entries for entry in known]
    return sorted(pairs, key=lambda pair: (pair[0], -pair[1].rank))


def following(found: Descriptions, rule: Next) -> list[str]:
    """The names of headers that a rule may find."""
    if rule.header:
        return [rule.header]
    return [entry.header for _, entry in announced(found, found.spaces[rule.space]) if entry.header]


def led_to(found: Descriptions, header: Header) -> set[str]:
    """The names of headers that a header may lead to."""
    return {name for rule in header.next for name in following(found, rule)} | ({header.then} if header.then else set())


def _fields(found: Descriptions, header: Header, first: dict[tuple[str, str], tuple[Header, Field]]) -> None:
    """first: of each name of a protocol's, the header that has it first, and that field."""
    for row in header.rows:
        if (row.end if isinstance(row, Field) else row.bit) > LAST_BIT:
            raise row.line.wrong(f"{row.name} lies more than {LAST_BIT // 8} bytes behind the start of {header.name}")
        if not isinstance(row, Field):
            continue
        if row.names and row.names not in found.spaces and row.names not in found.names:
            raise row.line.wrong(f"no names {row.names}; there are {', '.join([*found.names, *found.spaces])}")
        if header.hidden or header.unfollowed:
            continue
        owner, other = first.setdefault((row.protocol or header.protocol, row.name), (header, row))
        forms = {"int" if one.form in NUMBERS else one.form for one in (row, other)}
        if len(forms) > 1 or row.names != other.names:
            raise row.line.wrong(f"{row.name} is another kind of field in {owner.name} ({other.line.place})")


def _renamed(found: Descriptions) -> None:
    names = {(header.protocol, row.name): row.name for header, row in found.rows}
    for header, row in found.rows:
        if isinstance(row, Field) and row.was and names.setdefault((header.protocol, row.was), row.name) != row.name:
            raise row.line.wrong(f"{header.protocol}.{row.was} is another field")


def _sizes(header: Header) -> None:
    if header.fixed is None and header.bits % 8:
        raise header.line.wrong(f"the fields of {header.name} make {header.bits} bits, and no whole bytes")
    most, line = 0, header.line
    for size in header.size:
        field = header.field(size.field) if size.field else None
        most += header.fixed_size if size.fixed else size.number
        if field:
            most += ((1 << field.width) - 1 + field.bias) * field.scale * size.unit
        elif size.field:
            raise _no_field(header, size.field, size.line)
        line = size.line
    if header.align > 1 and not header.size:
        raise line.wrong(f"`align` of {header.name} rounds a size, and none is said")
    if header.size and most < header.fixed_size:
        raise line.wrong(f"{header.name} has {header.fixed_size} bytes at least: a size of {most} cannot be")


def _limits(header: Header) -> None:
    """What the tables of the walk have room for."""
    nothing = header.hidden or (header.unfollowed and not header.after) or header.name == FALLBACK
    if header.fixed_size == 0 and not nothing:
        raise header.line.wrong(f"{header.name} has no bytes")
    for what, rules in (("sizes", header.size), ("rules", header.next)):
        if len(rules) > MOST_RULES:
            raise rules[MOST_RULES].line.wrong(f"{header.name} has more than {MOST_RULES} {what}")
    for rule in (*header.after, *header.sizes(), *header.next, *header.holds):
        if len(rule.tests) > MOST_RULES:
            raise rule.line.wrong(f"more than {MOST_RULES} tests")
    counted: list[Size | Holds] = [*header.sizes(), *header.holds]
    for size in counted:
        field = header.field(size.field)
        unit = field.scale * size.unit if field else 0
        if unit > MOST_BYTES or abs(unit * (field.bias if field else 0) + size.number) > MOST_BYTES:
            raise size.line.wrong(f"{size.field} counts more than {MOST_BYTES} bytes")


def _no_field(header: Header, name: str, line: Line) -> PktError:
    fields = [row.name for row in header.rows if isinstance(row, Field)]
    return line.wrong(f"{header.name} has no field {name}; there are {', '.join(fields) or 'none'}")


def asked(header: Header) -> Iterator[tuple[str, Line]]:
    """The fields that the walk goes by, and where that is said."""
    rules: list[Rule] = [*header.sizes(), *header.next, *header.holds]
    for one in rules:
        if one.field:
            yield one.field, one.line
    for test in header.tests():
        yield test.field, test.line


def _holders(found: Descriptions) -> None:
    """Which item the tests of what holds a list are of."""
    for header in found.headers.values():
        for rule in header.holds:
            of_items = [test for test in rule.tests if not header.field(test.field)]
            if of_items and rule.list in found.lists:
                rule.by = found.lists[rule.list].item(of_items[0].field)
            if rule.by and not all(rule.by.field(test.field) for test in rule.tests):
                raise rule.line.wrong("the tests are of the header, or of one item")


def _item_tests(found: List) -> None:
    """Tests of items, which are of the fields of another one."""
    for item in found.items:
        for test in item.only:
            other = found.item(test.field)
            if other is None or other is item:
                raise test.line.wrong(f"no other item of {found.name} has a field {test.field} of the whole item")
            _test_of_item(other, test)


def _test_of_item(item: Header, test: Test) -> None:
    """A test of a number in an item, or of a signature."""
    field = item.field(test.field)
    assert field is not None
    if field.form not in NUMBERS or not 0 < field.width <= MOST_TESTED:
        raise test.line.wrong(f"{test.field} is no number of at most {MOST_TESTED} bits")
    if test.comparison in FITTING:
        raise test.line.wrong(f"`{test.comparison}` is asked of what comes next alone")
    _test(item, test)


def _test(header: Header, test: Test) -> None:
    """A test that holds for some values, and for others does not."""
    field = header.field(test.field)
    assert field is not None
    most = (1 << field.width) - 1
    if test.comparison in FITTING:
        if field.scale != 1:
            raise test.line.wrong(f"{field.name} counts no bytes: nothing fits")
        return
    bits = test.value / field.scale - field.bias
    if test.mask >= 0 and (field.scale != 1 or field.bias):
        raise test.line.wrong(f"{field.name} has a unit: no mask")
    if test.mask >= 0 and (test.mask > most or test.mask == 0 or test.value & ~test.mask):
        raise test.line.wrong(f"{field.name} has {field.width} bits: a bit of the mask, or of the value, is never there")
    possible = {"==": bits == int(bits), "!=": bits == int(bits), "<": bits > 0, ">=": bits > 0}[test.comparison]
    if not possible or not 0 <= bits <= most:
        raise test.line.wrong(f"{field.name} cannot be {test.value}, or always is")


def _rules(found: Descriptions, header: Header) -> None:
    for name, line in asked(header):
        field = header.field(name)
        if field is None:
            raise _no_field(header, name, line)
        if field.form not in NUMBERS or field.width > MOST_TESTED:
            raise line.wrong(f"{name} is no number of at most {MOST_TESTED} bits")
        if field.end > (header.bits if header.kind_of else header.fixed_size * 8) and not header.hidden:
            raise line.wrong(f"{name} lies behind the {header.fixed_size} bytes that have to be there")
    for test in header.tests():
        _test(header, test)
    if header.signature:
        _signature(header, header.signature)
    for test in [*header.own_tests(), *(header.checksum.tests if header.checksum else ())]:
        if test.comparison in FITTING:
            raise test.line.wrong(f"`{test.comparison}` is asked of what comes next alone")
    for rule in header.next:
        if rule.header and rule.header not in found.headers:
            raise rule.line.wrong(f"no header {rule.header}; there are {', '.join(found.headers)}")
        if rule.space and rule.space not in found.spaces:
            raise rule.line.wrong(f"no space {rule.space}; there are {', '.join(found.spaces)}")
        if rule.last > header.fixed_size * 8:
            raise rule.line.wrong(f"{header.name} has {header.fixed_size} bytes at least: no last {rule.last} bits")
    if header.then:
        _then(found, header)
    if header.checksum and header.checksum.kind != "unknown":
        _sum(header, header.checksum)


def _then(found: Descriptions, header: Header) -> None:
    """What stands behind an end."""
    if header.then not in found.headers:
        raise header.then_line.wrong(f"no header {header.then}; there are {', '.join(found.headers)}")
    if found.headers[header.then].unfollowed:
        raise header.then_line.wrong(f"{header.then} is not followed: `after` says where it is counted")
    if header.end is None:
        raise header.then_line.wrong(f"no `end` of {header.name} says where {header.then} stands")


def _signature(header: Header, rule: Signature) -> None:
    """The tests of a signature, of numbers that are there."""
    for test in rule.tests:
        if header.field(test.field) is None:
            raise _no_field(header, test.field, test.line)
        _test_of_item(header, test)


def _sum(header: Header, rule: Checksum) -> None:
    """What a checksum goes by, and what its table has room for."""
    there = header.bits if header.kind_of else header.fixed_size * 8
    for name in (rule.field, *([rule.said] if rule.said else ()), *(test.field for test in rule.tests)):
        field = header.field(name)
        if field is None:
            raise _no_field(header, name, rule.line)
        if field.end > there:
            raise rule.line.wrong(f"{name} lies behind the {header.fixed_size} bytes that have to be there")
        if name != rule.field and (field.form not in NUMBERS or field.width > MOST_TESTED):
            raise rule.line.wrong(f"{name} is no number of at most {MOST_TESTED} bits")
    for test in rule.tests:
        _test(header, test)
    field, bits = header.field(rule.field), 16 if rule.kind == "internet" else 32
    assert field is not None
    if field.width != bits or field.bit % 8:
        raise rule.line.wrong(f"{rule.field} is no field of {bits // 8} bytes, as {rule.kind} has")
    if bits == 16 and field.bit % 16:
        raise rule.line.wrong(f"{field.name} lies at an odd byte: no Internet checksum does")
    if bits == 32 and (rule.pseudo or rule.zero != "sum" or rule.without[0] or rule.also):
        raise rule.line.wrong("a CRC has no pseudo-header, covers all, and 0 is a value like any other")
    if field.bit // 8 > MOST_PLACE:
        raise rule.line.wrong(f"{field.name} lies more than {MOST_PLACE} bytes behind the start")
    size, at = rule.without
    if size and (size % 2 or at % 2 or at * 8 < field.end or at > MOST_PLACE or size > MOST_PLACE):
        raise rule.line.wrong(f"what is left out is of even place and size, behind {field.name}, each at most {MOST_PLACE}")
    said = header.field(rule.said)
    unit = said.scale * rule.unit if said else 0
    if unit > MOST_BYTES or abs(unit * (said.bias if said else 0) + rule.number) > MOST_BYTES:
        raise rule.line.wrong(f"{rule.said} counts more than {MOST_BYTES} bytes")


def _shown(found: Descriptions, header: Header) -> None:
    names = {row.name for row in header.rows}
    if header.flags:
        for name in header.flags[0]:
            if name not in names:
                raise _no_field(header, name, header.flags[1])
    lists = [found.lists[rule.list] for rule in header.holds if rule.list in found.lists]
    names |= {row.name for one in lists for item in one.items for row in item.rows}
    lines = [(said.template, said.line) for said in header.lines]
    for template, line in [*((one, line) for _, one, line in [*header.show, *([header.brief] if header.brief else [])]), *lines]:
        for _, part, inner, _ in parts(template, line):
            for one in filter(None, (part, inner)):
                if one not in names and one not in ATTRIBUTES:
                    raise _no_field(header, one, line)
            if part == "flags" and not header.flags:
                raise line.wrong("`flags` says what {flags} names")
            if part == "letters" and not header.letters:
                raise line.wrong("`letters` says what {letters} stands for")


def _line(header: Header) -> None:
    """What it says in a line, and when; and between whom it goes."""
    for name, _ in header.letters[0] if header.letters else ():
        if header.field(name) is None and header.letters:
            raise _no_field(header, name, header.letters[1])
    for said in header.lines:
        for test in said.tests:
            fields = [header.field(name) for name in (test.field, test.other) if name]
            for name, field in zip((test.field, test.other), fields, strict=False):
                if field is None:
                    raise _no_field(header, name, test.line)
                if (
                    field.form not in OF_LINES
                    or not 0 < field.width <= MOST_COMPARED
                    or (field.form == "little" and field.width > 8)
                ):
                    raise test.line.wrong(f"{name} is no number of at most {MOST_COMPARED} bits that a line could ask for")
            if test.comparison in FITTING:
                raise test.line.wrong(f"`{test.comparison}` is asked of what comes next alone")
            if not test.other:
                _test(header, test)
    if not header.between:
        return
    *names, line = header.between
    forms = []
    for name in names:
        field = header.field(str(name))
        if field is None:
            raise _no_field(header, str(name), line)
        if (
            field.form not in ENDS
            or field.width > (16 if field.form == "int" else 128)
            or field.bit % 8
            or (field.bias, field.scale) != (0, 1)
        ):
            raise line.wrong(f"{name} is no address, nor the number of a port")
        forms.append(field.form)
    if forms[0] != forms[1]:
        raise line.wrong(f"{names[0]} and {names[1]} are not of one kind")


def kinds_of(found: Descriptions, name: str) -> list[Header]:
    """The kinds of headers of that name: of one with optional parts there are several."""
    return [header for header in found.headers.values() if name in (header.name, header.kind_of) and not header.hidden]


def _answers(found: Descriptions, header: Header) -> None:
    """What it answers, and by which fields, of it and of that one."""
    for rule in header.answers:
        kinds = kinds_of(found, rule.header)
        if not kinds or header.hidden or header.unfollowed:
            raise rule.line.wrong(f"no header {rule.header} that {header.name} could answer")
        asking = max(kinds, key=lambda kind: len(kind.rows))
        for of, tests in ((header, rule.tests), (asking, rule.asked)):
            for test in tests:
                if of.field(test.field) is None:
                    raise _no_field(of, test.field, test.line)
                _test_of_item(of, test)
        for here, there, number, data in rule.by:
            one, other = header.field(here), asking.field(there)
            if one is None or other is None:
                raise _no_field(asking if one else header, there if one else here, rule.line)
            if one.width != other.width:
                raise rule.line.wrong(f"{here} and {there} are not of one size")
            if (number or data) and other.form != "int":
                raise rule.line.wrong(f"{there} is no number that something could be added to")
            if data and any(size.tests for size in asking.size):
                raise rule.line.wrong(f"nobody can say how many bytes {asking.name} carries: its size depends on more")


def _lists(found: Descriptions, first: dict[tuple[str, str], tuple[Header, Field]]) -> None:
    """first: see _fields."""
    for header in found.headers.values():
        for rule in header.holds:
            if rule.list not in found.lists:
                raise rule.line.wrong(f"no list {rule.list}; there are {', '.join(found.lists) or 'none'}")
            if found.lists[rule.list].protocol != header.protocol:
                raise rule.line.wrong(f"{rule.list} is a list of {found.lists[rule.list].protocol}")
            if header.hidden or header.unfollowed:
                raise rule.line.wrong(f"{header.name} is no header that is found: it holds no list")
            if rule.first > header.fixed_size:
                raise rule.line.wrong(f"byte {rule.first} lies behind the {header.fixed_size} bytes that have to be there")
            if rule.by:
                for test in rule.tests:
                    _test_of_item(rule.by, test)
            if not (rule.to_end or rule.field or rule.number or header.size):
                raise rule.line.wrong(f"{header.name} has no `size` up to which the list goes: `to end`, or `to` a field")
    held = {rule.list for header in found.headers.values() for rule in header.holds}
    held |= {item.inner for one in found.lists.values() for item in one.items}
    of_headers = {(header.protocol, row.name) for header in found.headers.values() for row in header.rows}
    for one in found.lists.values():
        if one.name not in held:
            raise one.line.wrong(f"nothing holds {one.name}")
        if len(one.items) > MOST_ITEMS:
            raise one.items[MOST_ITEMS].line.wrong(f"{one.name} has more than {MOST_ITEMS} items")
        for item in one.items:
            if not item.rows and not item.signature:
                raise item.line.wrong("an item without fields")
            if item.data and item.data.bit % 8:
                raise item.data.line.wrong("data begin at a whole byte")
            if item.each * 8 < item.bits and item.each:
                raise item.line.wrong(f"the fields have more than {item.each} bytes")
            _shown(found, item)
            _line(item)
            for row in item.rows:
                if (item.protocol, row.name) in of_headers:
                    raise row.line.wrong(f"{row.name} is a field of a header, too")
            _fields(found, item, first)
            _inner(found, item)
            if item.signature:
                _signature(item, item.signature)
        _item_tests(one)


def _inner(found: Descriptions, item: Item) -> None:
    """What lies in an item: items of another list, or pieces that are counted."""
    if item.inner and item.inner not in found.lists:
        raise item.line.wrong(f"no list {item.inner}; there are {', '.join(found.lists)}")
    if item.inner and found.lists[item.inner].protocol != item.protocol:
        raise item.line.wrong(f"{item.inner} is a list of {found.lists[item.inner].protocol}")
    if item.inner and any(one.signature for one in found.lists[item.inner].items):
        raise item.line.wrong(f"{item.inner} has signatures: only a header can hold it")
    for name in filter(None, (item.passed, item.pieces)):
        field = item.list.counting(name)
        if field is None or field.scale != 1 or field.bias or not 0 < field.width <= MOST_TESTED:
            raise item.line.wrong(f"no item of {item.list.name} has a field {name} that counts pieces")


def _reached(found: Descriptions) -> None:
    """Raises the error of a header that nothing leads to, from the link types on."""
    for header in found.headers.values():
        for rule in header.next:
            if FALLBACK in following(found, rule):
                raise rule.line.wrong(f"{FALLBACK} is where nothing is known: nothing leads there")
    links = found.spaces.get("linktype")
    pending = [entry.header for _, entry in announced(found, links) if entry.header] if links else []
    if FALLBACK in pending:
        raise found.headers[FALLBACK].line.wrong(f"{FALLBACK} is where nothing is known: nothing leads there")
    pending += [header.name for header in found.headers.values() if header.decoded]
    reached = {FALLBACK, *pending}
    while pending:
        new = led_to(found, found.headers[pending.pop()]) - reached
        reached |= new
        pending += new
    for header in found.headers.values():
        if header.name not in reached:
            raise header.line.wrong(f"nothing leads to {header.name}: `after` says what announces it")


def _progress(found: Descriptions) -> None:
    """Raises the error of headers that lead to themselves without a byte on the way."""
    empty = [name for name, header in found.headers.items() if header.fixed_size == 0]
    leads = {name: {other: rule for rule in found.headers[name].next for other in following(found, rule)} for name in empty}
    for name in empty:
        reached, pending = set(leads[name]), [*leads[name]]
        while pending:
            new = set(leads.get(pending.pop(), ())) - reached
            reached |= new
            pending += new
        if name in reached:
            line = next(iter(leads[name].values())).line
            raise line.wrong(f"{name} leads to itself, and there is no byte on the way")
