"""Headers with fields that are there or not: each combination of them is a kind of header.

What announces such a header announces a way instead, which leads to the combination whose conditions hold. All kinds have the
title, the fields and the lines of the header; a rule or a line that asks for a field which a kind lacks is none of its.
"""

from __future__ import annotations

import re
from itertools import combinations

from .model import Header, Next, Rule, Size, Test
from .statements import STATEMENTS, Reader, Words

IN_PART = ("field", "part", "flag", "source")  # statements that belong to an optional part where they stand below it
APART = ("optional", "always", "after", "order", "fixed")  # what is said of the way to it, or of all kinds
MOST = 5  # optional parts of a header: 32 kinds


def expand(reader: Reader) -> None:
    """Puts kinds and ways to them in place of headers with optional fields."""
    found = reader.found
    ways = {header.name: _kinds(reader, header) for header in list(found.headers.values()) if header.optional}
    found.ways = {name: way.name for name, way in ways.items()}
    for header in found.headers.values():
        for rule in header.next:
            if rule.header in ways and header is not ways[rule.header]:
                rule.header = ways[rule.header].name


def _kinds(reader: Reader, header: Header) -> Header:
    """Puts the kinds of a header in its place, and gives the way to them."""
    found, parts = reader.found, header.optional
    if len(parts) > MOST:
        raise header.line.wrong(f"{header.name} has {len(parts)} optional parts: at most {MOST} can be")
    place = next(i for i, (owner, _) in enumerate(found.rows) if owner is header)
    later = [pair for pair in found.rows[place:] if pair[0] is not header]
    del found.rows[place:]
    names = list(found.headers)
    behind = {name: found.headers.pop(name) for name in names[names.index(header.name) :]}
    del behind[header.name]
    way = Header(f"{header.name} ...", header.protocol, header.title, header.line)
    way.hidden, way.after, way.category, way.rank = True, header.after, header.category, header.rank
    way.fixed = 0
    way.rows = [row for row in header.rows if getattr(row, "end", header.sure + 1) <= header.sure]
    found.headers[way.name] = way
    for chosen in _combinations(parts):
        kind = _kind(reader, header, chosen)
        rule = Next(header.line)
        rule.header, rule.tests = kind.name, [test for part in chosen for test in parts[part]]
        way.next.append(rule)
    base = found.headers[header.name]
    for rule in way.next:
        kind = found.headers[rule.header]
        if kind.size[0].fixed:
            kind.size[0].fixed, kind.size[0].number = False, kind.bits // 8
        kind.fixed = base.bits // 8 if header.fixed is None else header.fixed
    found.rows += later
    found.headers.update(behind)
    return way


def _combinations(parts: list[list[Test]]) -> list[tuple[int, ...]]:
    """The combinations of parts that can be, the largest first: so the first one whose conditions hold is the one that is there."""
    said = [{(test.field, test.mask, test.comparison, test.value) for test in part} for part in parts]

    def can_be(chosen: tuple[int, ...]) -> bool:
        return all(other in chosen for one in chosen for other in range(len(parts)) if said[other] <= said[one])

    every = [chosen for count in range(len(parts), -1, -1) for chosen in combinations(range(len(parts)), count)]
    return [chosen for chosen in every if can_be(chosen)]


def _kind(reader: Reader, header: Header, chosen: tuple[int, ...]) -> Header:
    """The kind of header that has the chosen parts: what is said of the header is said of it, without the others."""
    names = _names(header)
    kind = Header("+".join((header.name, *(names[part] for part in chosen))), header.protocol, header.title, header.line)
    kind.little, kind.kind_of, kind.source = header.little, header.name, header.source
    reader.add_header(kind)
    kind.rank = header.rank
    part, inside = -1, False
    for line in header.statements:
        word = line.words[0]
        part += word == "optional"
        inside = word == "optional" or (inside and word in IN_PART)
        if word not in APART and (not inside or part in chosen):
            STATEMENTS[word](reader, line, Words(line))
    if not kind.size:
        kind.size.append(Size(header.line))
        kind.size[0].fixed = True
    _without(kind, {row.name for row in header.rows} - {row.name for row in kind.rows})
    return kind


def _names(header: Header) -> list[str]:
    """The first field of each optional part."""
    names: list[str] = []
    for line in header.statements:
        if line.words[0] == "optional":
            names.append("")
        elif line.words[0] == "field" and line.words[1] != "-" and names and not names[-1]:
            names[-1] = line.words[1]
    return names


def _without(kind: Header, absent: set[str]) -> None:
    """Takes away what asks for fields that a kind lacks."""

    def can(rule: Rule) -> bool:
        return rule.field not in absent and not any(absent & {test.field, test.other} for test in rule.tests)

    def shown(template: str) -> bool:
        return not absent & set(re.findall(r"[A-Z][A-Z0-9_]*", template))

    kind.size = [size for size in kind.size if can(size)]
    kind.next = [rule for rule in kind.next if can(rule)]
    kind.holds = [rule for rule in kind.holds if can(rule)]
    kind.signature = kind.signature if kind.signature and can(kind.signature) else None
    kind.end = kind.end if kind.end and can(kind.end) else None
    kind.answers = [rule for rule in kind.answers if can(rule) and not absent & {field for field, *_ in rule.by}]
    kind.show = [line for line in kind.show if shown(line[1])]
    kind.brief = kind.brief if kind.brief and shown(kind.brief[1]) else None
    kind.lines = [said for said in kind.lines if can(said) and shown(said.template)]
    if kind.between and absent & {*kind.between[:2]}:
        kind.between = None
    if kind.checksum and absent & {kind.checksum.field, kind.checksum.said, *(test.field for test in kind.checksum.tests)}:
        kind.checksum = None
