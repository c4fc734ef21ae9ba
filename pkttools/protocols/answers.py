"""What answers what, by the descriptions: rules that a packet's headers are asked for, and what its ends are.

ANSWERS: rules, and the kinds of headers behind which a packet is quoted. A rule: kind of header, number (what asks and what answers
have the same), whether it asks, tests as in lining.py, all of which hold, and the parts of its key: first bit and width, what is
added to that number, and terms of the header's size (bit, width, bias, scale), where the bytes that it carries are added, too.
"""

from __future__ import annotations

from struct import iter_unpack

from . import FORMS, IPV4, IPV6, MAC, _answers, _lines
from .kinds import remembered
from .lining import KINDS, LINK, NETWORK, TRANSPORT

Test = tuple[int, int, int, int, int]
Part = tuple[int, int, int, tuple[tuple[int, int, int, int], ...]]
Rule = tuple[int, bool, tuple[Test, ...], tuple[Part, ...]]  # number, asks, tests, parts
Ends = tuple[int, int, int, int, bool]  # level, first bit of either end, width, whether they are IPv4's

LEVELS = {LINK: (MAC,), NETWORK: (IPV4, IPV6), TRANSPORT: ("int",)}


@remembered
def rules() -> dict[int, list[Rule]]:
    """The rules of each kind of header that has any."""
    found: dict[int, list[Rule]] = {}
    for kind, *rule in _answers.ANSWERS[0]:
        found.setdefault(kind, []).append(tuple(rule))  # type: ignore[arg-type]  # of four
    return found


@remembered
def ends() -> dict[int, Ends]:
    """Between whom kinds of headers are: stations, addresses or ports; those that say it."""
    found = {}
    for kind, row in enumerate(iter_unpack(f"{len(KINDS)}q", _lines.LINES[0])):
        category, bit, width, form, other, *_ = row
        if width and FORMS[form] in LEVELS.get(category, ()):
            found[kind] = category, bit, other, width, FORMS[form] == IPV4
    return found


@remembered
def quoting() -> frozenset[int]:
    """The kinds of headers behind which a packet is quoted."""
    return frozenset(_answers.ANSWERS[1])
