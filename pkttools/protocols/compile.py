"""Makes tables of the descriptions: all literals, which are loaded without being computed.

What descriptions say of each other is checked here, over all files. `make ready` and the build of a wheel write the tables to
_tables.py; where that is missing they are made anew whenever a command starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from .describe import Reader, add_entry, read_file
from .model import Data, Descriptions, Entry, Field, Header, Test

FOLDER = Path(__file__).parent
# The kinds of headers that the codec knows by number: `enum header_kind` in codec/c/codec.h. Others follow them.
NUMBERED = (
    "UNKNOWN", "LOOPBACK", "LOOP", "SLL", "SLL2", "PKTAP", "PKTAP_BE", "ETHERNET", "VLAN", "ARP", "IP", "IPV6", "IPV6_OPTIONS",
    "IPV6_ROUTING", "IPV6_FRAGMENT", "IPV6_AH", "ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP", "GRE", "VXLAN",
)  # fmt: skip
# The spaces that it knows by number, from 1 on: `enum space` there.
SPACES = ("ethertype", "protocol", "udp", "llc", "linktype", "greversion")


def tables() -> SimpleNamespace:
    """The tables of our own descriptions. Raises PktError, with file and line, for what is wrong in one."""
    return made(descriptions(sorted(FOLDER.glob("*.protocol"))))


def descriptions(paths: Iterable[Path]) -> Descriptions:
    """What files describe, read and checked."""
    reader = Reader()
    for path in paths:
        read_file(reader, path)
    announce(reader.found)
    return reader.found


def announce(found: Descriptions) -> None:
    """Enters in the spaces what announces headers."""
    for header in found.headers.values():
        for after in header.after:
            space = found.spaces.get(after.space)
            if space is None:
                raise after.line.wrong(f"no space {after.space}; there are {', '.join(found.spaces)}")
            entry = Entry(after.word, after.title, False, header.category == "tunnel", after.line, header.name)
            add_entry(space, after.number, entry)


def kinds(found: Descriptions) -> list[str]:
    """The names of headers, in the order of their numbers."""
    return [*(name for name in NUMBERED if name in found.headers), *(name for name in found.headers if name not in NUMBERED)]


def words_of(found: Descriptions) -> dict[str, dict[int, str]]:
    """Names of values, by table; a space is one, with those of the spaces that are part of it."""
    made: dict[str, dict[int, str]] = {name: dict(names.values) for name, names in found.names.items()}
    for space in found.spaces.values():
        words = made.setdefault((space.of or space.name).upper(), {})
        words.update({number: entry.word for number, entry in space.entries.items() if entry.word})
    return {name: dict(sorted(words.items())) for name, words in made.items() if words}


def titles_of(found: Descriptions, name: str) -> dict[int, str]:
    """What a space's numbers are called for people."""
    spaces = [space for space in found.spaces.values() if name in (space.name, space.of)]
    return dict(sorted((number, entry.title) for space in spaces for number, entry in space.entries.items() if entry.title))


def consulted(header: Header) -> list[tuple[int, int]]:
    """The bits of a header that the walk goes by: from, and up to."""
    ranges: list[tuple[int, int]] = []

    def field(name: str, mask: int = -1) -> None:
        row = header.field(name)
        assert row is not None
        bits = [bit for bit in range(row.width) if mask >> bit & 1] if row.form == "int" and row.scale == 1 else []
        ranges.extend((row.end - 1 - bit, row.end - bit) for bit in bits) if bits else ranges.append((row.bit, row.end))

    for size in [*header.size, *([header.end] if header.end else [])]:
        if size.field:
            field(size.field)
    tests: list[Test] = [*(header.whole[0] if header.whole else [])]
    for size in [*header.size, *([header.end] if header.end else [])]:
        tests += size.tests
    for rule in header.next:
        tests += rule.tests
        if rule.field:
            field(rule.field)
    for test in tests:
        field(test.field, test.mask)
    if any(after.space == "nibble" for after in header.after):
        ranges.append((0, 4))
    return ranges


def shapes(header: Header, row: Field | Data, ranges: list[tuple[int, int]]) -> bool:
    """Whether the walk depends on a field."""
    if isinstance(row, Data):
        return bool(header.next)
    return any(first < row.end and row.bit < last for first, last in ranges) or any(
        size.field == row.name for size in header.size
    )  # also one without bits


def row_of(found: Descriptions, header: Header, kind: int, row: Field | Data, ranges: list[tuple[int, int]]) -> tuple[Any, ...]:
    """A row for fields.py."""
    name, shape = f"{header.protocol}.{row.name}", shapes(header, row, ranges)
    if isinstance(row, Data):
        return name, kind, row.bit, 0, "data", 0, 1, shape, not row.old, False, None
    space = found.spaces.get(row.names)
    hexadecimal = row.name in ("FLAGS", "CHECKSUM") or any(getattr(part, "within", None) is row for part in header.rows)
    hexadecimal |= space is not None and "X" in space.form
    names = row.names.upper() or None
    return name, kind, row.bit, row.width, row.form, row.bias, row.scale, shape, not row.old, hexadecimal, names


def layout_of(header: Header) -> tuple[Any, ...]:
    """What layouts.py knows of a header: title, category, lines (label and template), brief, and names of flags."""
    lines = tuple((label, template) for label, template, _ in header.show)
    brief = header.brief[:2] if header.brief else None
    return header.title, header.category, lines, brief, header.flags[0] if header.flags else ()


def made(found: Descriptions) -> SimpleNamespace:
    """The tables of descriptions that were checked."""
    names = kinds(found)
    ranges = {header.name: consulted(header) for header in found.headers.values()}
    numbers = {name: number for number, name in enumerate(names)}
    first = {header.protocol: numbers[header.name] for header in reversed(found.headers.values())}
    in_order = sorted(found.rows, key=lambda pair: first[pair[0].protocol])
    rows = tuple(row_of(found, header, numbers[header.name], row, ranges[header.name]) for header, row in in_order)
    fields: dict[str, list[int]] = {}
    layers: dict[str, list[int]] = {header.layer: [numbers[header.name]] for header in found.headers.values() if header.layer}
    for index, row in enumerate(rows):
        fields.setdefault(row[0], []).append(index)
        kinds_of = layers.setdefault(row[0].partition(".")[0], [])
        if row[1] not in kinds_of:
            kinds_of.append(row[1])
    return SimpleNamespace(
        HEADERS=tuple(names),
        ROWS=rows,
        FIELDS=fields,
        LAYERS=layers,
        LAYOUTS={name: layout_of(found.headers[name]) for name in names},
        NAMES=words_of(found),
        LINKTYPE=titles_of(found, "linktype"),
        SPACES={number: (found.spaces[name].form, titles_of(found, name)) for number, name in enumerate(SPACES, 1)},
    )


def write(path: str) -> None:
    """Writes the tables as a module."""
    lines = ['"""Made of the descriptions by compile.py; not to be edited."""\n']
    lines += [f"{name} = {value!r}\n" for name, value in vars(tables()).items()]
    Path(path).write_text("".join(lines), "utf-8")
