"""Makes tables of the descriptions: all literals, which are loaded without being computed.

`make ready` and the build of a wheel write them as modules, see MODULES; where these are missing they are made anew whenever a
command starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any

from .. import protocols
from . import APART, CODEC_FORMS, FORMS, HEX, IN_PLACE, LAST, MODULES, MUTABLE, NEW, ONEWAY, ROW, TRAITS, tabulate, templates
from .checks import FALLBACK, check, following, kinds_of
from .lining import CATEGORIES, KINDS, LINES, TESTS
from .model import MOST_BYTES, OWN, READERS, Data, Descriptions, Entry, Field, Header, Item, Next, Rule, Test
from .optional import expand
from .statements import COMPARISONS, Reader, add_entry, read_content, read_file
from .walking import FIRST_ITEM

FOLDER = Path(__file__).parent
# The kinds of headers that come first where fields are listed, as 1.16 had them; others follow, file by file. The very first is
# what a frame is of which nothing is known.
FIRST = (
    "UNKNOWN", "LOOPBACK", "LOOP", "SLL", "SLL2", "PKTAP", "PKTAP_BE", "ETHERNET", "VLAN", "ARP", "IP", "IPV6", "IPV6_OPTIONS",
    "IPV6_ROUTING", "IPV6_FRAGMENT", "IPV6_AH", "ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP", "GRE", "VXLAN",
)  # fmt: skip


def our_files() -> list[Path]:
    """The files of our own descriptions."""
    return sorted(FOLDER.glob("*.protocol"))


def tables() -> SimpleNamespace:
    """The tables of our own descriptions. Raises PktError, with file and line, for what is wrong in one."""
    return made(descriptions(our_files()))


def descriptions(
    paths: Iterable[Path], own: Iterable[Path | tuple[str, bytes]] = (), decode: Callable[[Descriptions], None] | None = None
) -> Descriptions:
    """What files describe, read and checked; `own` are those of a user, or their names and what was read of them; `decode` adds
    what else is decoded as what. Raises PktError.
    """
    reader = Reader()
    for path in paths:
        read_file(reader, path)
    reader.rank = OWN
    for one in own:
        if isinstance(one, Path):
            read_file(reader, one)
        else:
            read_content(reader, *one)
    expand(reader)
    announce(reader.found)
    if decode:
        decode(reader.found)
    check(reader.found)
    return reader.found


def announce(found: Descriptions) -> None:
    """Enters in the spaces what announces headers."""
    for header in found.headers.values():
        for after in header.after:
            space = found.spaces.get(after.space)
            if space is None:
                raise after.line.wrong(f"no space {after.space}; there are {', '.join(found.spaces)}")
            title = after.title or (header.title if header.unfollowed else "")
            tunnel, tests = header.category == "tunnel", tuple(after.tests)
            entry = Entry(after.word, title, False, tunnel, after.line, header.name, tests, header.rank)
            add_entry(space, after.number, entry)


def kinds(found: Descriptions) -> list[str]:
    """The names of headers, in the order of their numbers: those that are none come last."""
    shown = [header.name for header in found.headers.values() if not (header.hidden or header.unfollowed)]
    return [*(name for name in FIRST if name in shown), *(name for name in shown if name not in FIRST)]


def words_of(found: Descriptions) -> dict[str, dict[int, str]]:
    """Names of values, by table; a space is one, with those of the spaces that are part of it."""
    made: dict[str, dict[int, str]] = {name: dict(names.values) for name, names in found.names.items()}
    for space in found.spaces.values():
        words = made.setdefault((space.of or space.name).upper(), {})
        words.update({number: entry.word for number, entries in space.entries.items() for entry in reversed(entries) if entry.word})
    return {name: dict(sorted(words.items())) for name, words in made.items() if words}


def titles_of(found: Descriptions, name: str) -> dict[int, str]:
    """What a space's numbers are called for people."""
    spaces = [space for space in found.spaces.values() if name in (space.name, space.of)]
    entries = [(number, entry) for space in spaces for number, known in space.entries.items() for entry in known]
    return dict(sorted((number, entry.title) for number, entry in entries if entry.title))


def codes_of(found: Descriptions) -> dict[str, int]:
    """The numbers, from 1 on, by which the codec counts what is not followed: of spaces and of headers; 0: a limit.

    Behind them are those of signatures, by their titles.
    """
    spaces = [space.name for space in found.spaces.values() if space.counted_as == space.name]
    headers = [header.name for header in found.headers.values() if header.unfollowed]
    return {name: number for number, name in enumerate([*spaces, *headers, *signatures_of(found)], 1)}


def signatures_of(found: Descriptions) -> list[str]:
    """The titles of signatures, in quotes: they are no names."""
    headers = [*found.headers.values(), *(item for one in found.lists.values() for item in one.items)]
    return [*dict.fromkeys(header.signature.code for header in headers if header.signature)]


def counted_of(found: Descriptions, name: str) -> tuple[str, dict[int, str]]:
    """How what is not followed is called: the numbers of a space, and those with a title; or a header or a signature."""
    if name not in found.spaces:
        title = found.headers[name].title if name in found.headers else name.strip('"')
        return title.replace("{", "{{").replace("}", "}}"), {}
    form, titles = found.spaces[name].form or f"{name} {{}}", titles_of(found, name)
    if name == "linktype":  # people know these by number
        titles = {number: f"{title} ({form.format(number)})" for number, title in titles.items()}
    return form, titles


def finds(found: Descriptions, rule: Next) -> bool:
    """Whether a rule leads to a header that is followed."""
    return any(not found.headers[name].unfollowed for name in following(found, rule))


def bits_of(header: Header, asked: Iterable[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """The bits of fields that are asked for, with a mask or -1: from, and up to."""
    for name, mask in asked:
        row = header.field(name)
        assert row is not None
        if mask < 0 or row.form != "int":
            yield row.bit, row.end
        else:
            yield from ((row.end - 1 - bit, row.end - bit) for bit in range(row.width) if mask >> bit & 1)


def consulted(found: Descriptions, header: Header) -> set[tuple[int, int]]:
    """The bits of a header that the walk goes by, once it is there: from, and up to.

    Rules behind the last one that leads to a header that is followed say no more than what is not.
    """
    ways = len(header.next)
    while ways and not (header.hidden or finds(found, header.next[ways - 1])):
        ways -= 1
    rules: list[Rule] = [*header.sizes(), *header.next[:ways]]
    tests = [test for one in (*header.after, *rules) for test in one.tests] + header.whole
    fields = [(one.field, -1) for one in rules if one.field]
    return set(bits_of(header, fields + [(test.field, test.mask) for test in tests]))


def told_by(found: Descriptions) -> dict[str, set[tuple[int, int]]]:
    """The bits by which a header is told from what else may stand in its place, of all headers."""
    told: dict[str, set[tuple[int, int]]] = {name: set() for name in found.headers}
    for space in found.spaces.values():
        for entries in space.entries.values():
            ways = [found.headers[entry.header] for entry in entries if entry.header and not found.headers[entry.header].unfollowed]
            asked = [bits_of(way, [(test.field, test.mask) for after in way.after for test in after.tests]) for way in ways]
            ranges = {bits for one in asked for bits in one}
            for way in ways:
                told[way.name] |= ranges
    peeks = [rule for header in found.headers.values() for rule in header.next if rule.behind]
    for header in found.headers.values():
        spaces = {after.space for after in header.after}
        told[header.name] |= {(0, rule.behind) for rule in peeks if rule.space in spaces}
    pending = [header for header in found.headers.values() if header.hidden and header.fixed_size == 0]
    while pending:  # what is asked on the way to a header is asked of it
        way = pending.pop()
        here = told[way.name] | {bits for bits in consulted(found, way) if bits[0] >= 0}
        for name in {name for rule in way.next for name in following(found, rule) if not here <= told[name]}:
            told[name] |= here
            pending += [found.headers[name]] if found.headers[name].hidden and found.headers[name].fixed_size == 0 else []
    return told


def walked(found: Descriptions) -> set[str]:
    """The names of lists that the walk goes through, too: it looks at what is behind a header that holds one."""
    return {rule.list for header in found.headers.values() if any(rule.behind for rule in header.next) for rule in header.holds}


def shapes(header: Header, row: Field | Data, ranges: set[tuple[int, int]]) -> bool:
    """Whether the walk depends on a field."""
    if isinstance(header, Item):
        return bool(ranges)
    if isinstance(row, Data):
        return bool(header.next) or header.name == FALLBACK  # of which nothing is known
    if row.width == 0:
        return any(size.field == row.name for size in header.size)
    return any(first < row.end and row.bit < last for first, last in ranges)


def row_of(found: Descriptions, header: Header, kind: int, row: Field | Data, ranges: set[tuple[int, int]]) -> tuple[Any, ...]:
    """What there is to say of a field: what Row in fields.py has, what holds of it as bits, the name of its values' names."""
    name, shape = f"{getattr(row, 'protocol', '') or header.protocol}.{row.name}", int(shapes(header, row, ranges))
    if isinstance(row, Data):
        holds = NEW * (not row.old) | IN_PLACE * row.in_place
        return name, kind, row.bit, 0, "text" if row.text else "data", 0, 1, shape, holds, None
    space = found.spaces.get(row.names)
    summed = header.checksum is not None and header.checksum.field == row.name
    hexadecimal = summed or row.name in ("FLAGS", "CHECKSUM") or any(getattr(part, "within", None) is row for part in header.rows)
    hexadecimal |= space is not None and "X" in space.form
    holds = NEW * (not row.old) | HEX * hexadecimal | LAST * row.last | APART * row.apart | ONEWAY * row.oneway
    shape |= (summed or row.mutable or (row.within is not None and row.within.mutable)) * MUTABLE
    return name, kind, row.bit, row.width, row.form, row.bias, row.scale, shape, holds, row.names.upper() or None


def layout_of(header: Header) -> tuple[str, str, str]:
    """What layouts.py knows of a header: title, category, and its checksum."""
    return header.title, templates.category_of(header), templates.checksum_of(header)


def rows_of(found: Descriptions, names: list[str]) -> tuple[tuple[Any, ...], ...]:
    """What there is to say of all fields, protocol by protocol; `names` are those of the kinds of headers."""
    told = told_by(found)
    ranges = {found.headers[name]: consulted(found, found.headers[name]) | told[name] for name in names}
    through = walked(found)
    ranges |= {item: {(0, MOST_BYTES * 8)} for item in found.items if item.list.name in through}
    numbers = numbers_of(found, names)
    return tuple(row_of(found, header, numbers[header], row, ranges.get(header, set())) for header, row in in_order(found, names))


def numbers_of(found: Descriptions, names: list[str]) -> dict[Header, int]:
    """The numbers of kinds of headers, whose names these are, and of items."""
    numbers = {found.headers[name]: number for number, name in enumerate(names)}
    return numbers | {item: number for number, item in enumerate(found.items, FIRST_ITEM)}


def in_order(found: Descriptions, names: list[str]) -> list[tuple[Header, Field | Data]]:
    """All fields in the order of the table: protocol by protocol."""
    first = {found.headers[name].protocol: number for number, name in reversed([*enumerate(names)])}
    return sorted(found.rows, key=lambda pair: first[pair[0].protocol])


def meanings_of(found: Descriptions, names: list[str]) -> dict[int, tuple[str, ...]]:
    """A few words of each field, by kinds of headers and items."""
    made: dict[int, tuple[str, ...]] = {}
    numbers = numbers_of(found, names)
    for header, row in in_order(found, names):
        made[numbers[header]] = (*made.get(numbers[header], ()), row.meaning)
    return made


def sources_of(found: Descriptions, names: list[str]) -> dict[int, str]:
    """Where kinds of headers and items are specified; without what reads them, which is no specification."""
    made: dict[int, str] = {}
    for header, number in numbers_of(found, names).items():
        source = header.source
        if isinstance(header, Item):
            alike = (item.source for item in header.list.items if set(item.types) & set(header.types))
            source = source or next(filter(None, alike), header.list.source)
        source = source or (found.headers[header.protocol].source if header.protocol in found.headers else "")
        made[number] = "; ".join(part for part in source.split("; ") if not part.startswith("dpkt "))
    return made


def lines_of(found: Descriptions, names: list[str]) -> tuple[bytes, bytes, bytes, bytes]:
    """What headers, and items, say as lines: see lining.py."""
    kinds: list[int] = []
    lines: list[int] = []
    tests: list[int] = []
    for header in [*(found.headers[name] for name in names), *found.items]:
        ends = [field for name in (header.between or ())[:2] if (field := header.field(str(name)))]
        places = [(field.bit, field.width, FORMS.index(field.form)) for field in ends] or [(0, 0, 0)] * 2
        listed = any(item.lines for rule in header.holds for item in found.lists[rule.list].items)
        kinds += [CATEGORIES.index(header.category), *places[0], *places[1], listed, len(lines) // len(LINES), len(header.lines)]
        for said in header.lines:
            lines += [said.aside, READERS.index(said.reader) if said.reader else -1, len(tests) // len(TESTS), len(said.tests)]
            for test in said.tests:
                other = header.field(test.other)
                tests += [*compared(header, test), other.bit if other else -1]
    items_at = len(names) * len(KINDS)
    of_headers, of_items, told, tested = (
        pack(f"{len(values)}q", *values) for values in (kinds[:items_at], kinds[items_at:], lines, tests)
    )
    return of_headers, of_items, told, tested


def compared(header: Header, test: Test) -> tuple[int, int, int, int, int]:
    """A test of a field: its first bit and width, the mask of its bits, how it is compared, and with which."""
    field = header.field(test.field)
    assert field
    value = test.value if test.other else test.value // field.scale - field.bias
    mask = (1 << field.width) - 1 if test.mask < 0 else test.mask
    return field.bit, field.width, mask, COMPARISONS.index(test.comparison), value


def answers_of(found: Descriptions, names: list[str]) -> tuple[Any, ...]:
    """What answers what: see answers.py."""
    rules: list[tuple[Any, ...]] = []
    places: dict[str, int] = {}
    for header in (found.headers[name] for name in names):
        for rule in header.answers:
            number = places.setdefault(rule.line.place, len(places))
            by = tuple((field.bit, field.width, 0, ()) for name, *_ in rule.by if (field := header.field(name)))
            rules.append((names.index(header.name), number, False, tuple(compared(header, test) for test in rule.tests), by))
            for asking in kinds_of(found, rule.header):
                of = [(asking.field(name), more, size_of(asking) if data else ()) for _, name, more, data in rule.by]
                asked = tuple((field.bit, field.width, more, terms) for field, more, terms in of if field)
                if len(asked) == len(by) and all(asking.field(test.field) for test in rule.asked):
                    tests = tuple(compared(asking, test) for test in rule.asked)
                    rules.append((names.index(asking.name), number, True, tests, asked))
    quoting = tuple(names.index(name) for name in names if any(rule.quoted for rule in quotes_of(found, found.headers[name])))
    return tuple(dict.fromkeys(rules)), quoting


def size_of(header: Header) -> tuple[tuple[int, int, int, int], ...]:
    """The terms of the bytes in front of what a header carries: first bit, width, bias and scale of a number."""
    fields = [(header.field(size.field) if size.field else None, size) for size in header.size]
    terms = [(field.bit, field.width, field.bias, field.scale * size.unit) for field, size in fields if field]
    number = sum(header.fixed_size if size.fixed else size.number for size in header.size) if header.size else header.fixed_size
    return (*terms, (0, 0, number, 1))


def quotes_of(found: Descriptions, header: Header) -> list[Next]:
    """What may come behind a header, also on hidden ways."""
    ways = [found.headers[rule.header] for rule in header.next if rule.header and found.headers[rule.header].hidden]
    return [*header.next, *(rule for way in ways for rule in way.next)]


def renamed(found: Descriptions) -> dict[str, str]:
    """Names that fields had, and which they have now."""
    rows = ((header.protocol, row) for header, row in found.rows if isinstance(row, Field) and row.was)
    return {f"{protocol}.{row.was}": f"{protocol}.{row.name}" for protocol, row in rows}


def packed(rows: tuple[tuple[Any, ...], ...], names: list[str]) -> tuple[bytes, bytes]:
    """The same as bytes, see ROW and TRAITS in __init__.py; in the byte order of this machine, which will run them."""
    following: dict[str, int] = {}  # name to the next row of that name
    columns: list[bytes] = []
    traits: list[bytes] = []
    for index, (name, kind, bit, width, form, bias, scale, shape, holds, of) in reversed([*enumerate(rows)]):
        number = FORMS.index(form)
        codec = number if number < CODEC_FORMS else 0
        columns.append(pack(ROW, kind, bit, width, bias, scale, codec, shape, following.get(name, 0)))
        traits.append(pack(TRAITS, number, holds, names.index(of) + 1 if of else 0))
        following[name] = index
    return b"".join(reversed(columns)), b"".join(reversed(traits))


def made(found: Descriptions) -> SimpleNamespace:
    """The tables of descriptions that were checked."""
    names = kinds(found)
    rows, words = rows_of(found, names), words_of(found)
    columns, traits = packed(rows, [*words])
    layers: dict[str, list[int]] = {header.layer: [names.index(header.name)] for header in found.headers.values() if header.layer}
    for row in rows:
        kinds_of = layers.setdefault(row[0].partition(".")[0], [])
        if row[1] not in kinds_of and row[1] < FIRST_ITEM:
            kinds_of.append(row[1])
    codes = codes_of(found)
    return SimpleNamespace(
        HEADERS=tuple(found.headers[name].kind_of or name for name in names),
        ROWS=columns,
        TRAITS=traits,
        FIELDS="\n".join(["", *(row[0] for row in rows), ""]),
        RENAMED=renamed(found),
        LAYERS={name: tuple(kinds) for name, kinds in layers.items()},
        LETTERS={header.protocol: dict(header.letters[0]) for header in found.headers.values() if header.letters},
        LAYOUTS=tuple(layout_of(found.headers[name]) for name in names),
        NAMES=words,
        LINES=lines_of(found, names),
        ANSWERS=answers_of(found, names),
        LINKTYPE=titles_of(found, "linktype"),
        MEANINGS=meanings_of(found, names),
        SOURCES=sources_of(found, names),
        SPACES={code: counted_of(found, name) for name, code in codes.items()},
        SIGNED=len(codes) - len(signatures_of(found)) + 1,
        WALK=tabulate.tables(found, names, codes),
        TEMPLATES=templates.tables(found, names, rows, words),
    )


def write(folder: str) -> None:
    """Writes the tables as modules."""
    known = vars(protocols)["_tables"]  # where there were none, they were made when this was imported
    found = known if isinstance(known, SimpleNamespace) else tables()
    texts = {name: f"{name} = {value!r}\n" for name, value in vars(found).items()}
    for module, names in MODULES.items():
        text = "".join(texts.pop(name) for name in names)
        Path(folder, f"{module}.py").write_text(
            f'"""Made of the descriptions by compile.py; not to be edited."""\n\n{text}', "utf-8"
        )
    assert not texts, f"in no module: {', '.join(texts)}"
