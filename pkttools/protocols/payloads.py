"""What of packets is headers, and not what they carry, by the descriptions."""

from __future__ import annotations

from array import array

from . import DATA, _lines, _rows
from .fields import TABLE
from .kinds import remembered, rows
from .lining import APPLICATION, KINDS
from .walking import BY_SPACE, FIRST_ITEM, KIND, TO_KIND

LOST = -1


def categories() -> list[int]:
    """The category of each kind of header, as lining.py numbers them."""
    return memoryview(_lines.LINES[0]).cast("q").tolist()[KINDS.index("category") :: len(KINDS)]


def messages(of: list[int]) -> set[int]:
    """Kinds of applications, by their category, that are control messages: what is in those has a meaning for networks.

    They belong to a protocol which is no application, as the messages of ICMP do; or stand behind one that is none, and not in
    it, as extensions do; or in one of these.
    """
    kinds, spaces, entries, rules = rows("kinds"), rows("spaces"), rows("entries"), rows("rules")
    layers = [layer for layer in _rows.LAYERS.values() if any(of[kind] != APPLICATION for kind in layer)]
    then = KIND.index("then")
    found: set[int] = set()
    new = {kind for layer in layers for kind in layer} | {kinds[kind][then] for kind, is_ in enumerate(of) if is_ != APPLICATION}
    while new := {kind for kind in new - found if kind >= len(of) or (kind >= 0 and of[kind] == APPLICATION)}:  # or a hidden one
        found |= new
        first, count = KIND.index("rule"), KIND.index("rule") + 1
        following = [rule for kind in new for rule in rules[kinds[kind][first] :][: kinds[kind][count]]]
        new = {kinds[kind][then] for kind in new} | {rule[1] for rule in following if rule[0] == TO_KIND}
        for space in (spaces[rule[1]] for rule in following if rule[0] == BY_SPACE):
            new |= {entry[1] for entry in entries[space[2] :][: space[3]]}
    return found


def elements(of: list[int]) -> set[int]:
    """Kinds of headers that are elements of a list, such as those of LLDP and the tags of PPPoE: one of them comes next to another.

    Their size is that of a value, too, which is what they say and no header.
    """
    kinds, rules = rows("kinds"), rows("rules")
    first, count = KIND.index("rule"), KIND.index("rule") + 1

    def following(kind: int) -> set[int]:
        return {rule[1] for rule in rules[kinds[kind][first] :][: kinds[kind][count]] if rule[0] == TO_KIND}

    found = set()
    for kind in range(len(of)):
        new, seen = following(kind), set[int]()
        while hidden := {one for one in new if one >= len(of)} - seen:  # which only tell what comes
            seen |= hidden
            new |= {one for between in hidden for one in following(between)}
        if kind in new:
            found.add(kind)
    return found


@remembered
def kept() -> tuple[bytes, bytes]:
    """For `codec.wipe`: what is kept of each kind of header, and of each kind of item; two bits' worth a number, see there.

    Headers of applications are payload, from their first byte on. Of all others their fields are kept, and what they say to be
    their size, but for control messages and elements of lists: of those the fields alone, for others may stand in them, such as
    names.
    """
    of = categories()
    control = messages(of)
    apart = control | elements(of)
    headers = array("i", [LOST if is_ == APPLICATION and kind not in control else 0 for kind, is_ in enumerate(of)])
    items = array("i", [0]) * (1 + max((row.header - FIRST_ITEM for row in TABLE), default=-1))
    for row in TABLE:
        if row.kind == DATA:
            continue
        table, kind = (items, row.header - FIRST_ITEM) if row.header >= FIRST_ITEM else (headers, row.header)
        if table[kind] >= 0:
            table[kind] = max(table[kind], (row.bit + row.width + 7) // 8)
    for kind, size in enumerate(headers):
        if size >= 0:
            headers[kind] = 2 * size + (kind not in apart)
    return headers.tobytes(), items.tobytes()
