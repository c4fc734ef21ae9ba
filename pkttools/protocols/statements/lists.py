"""Lists of items that have a type and a length, such as options."""

from __future__ import annotations

from ..model import MOST_BYTES, MOST_TESTED, Field, Holds, Item, Line, List
from .reader import Reader, statement
from .words import Words


def _numbers(words: Words, most: int) -> list[int]:
    """One number or more."""
    found = [words.number(most)]
    while words.numeric():
        found.append(words.number(most))
    return found


@statement("list NAME each BYTES | type BITS [at BIT] length BITS [at BIT] [* N] [+ N] [align BYTES] [end TYPE...] [pad TYPE...]")
def _list(reader: Reader, line: Line, words: Words) -> None:
    """Items follow that have a type and a length, such as options. An item has length * N + N bytes, with these two.

    `end`, `pad`: types without a length; behind the first ones there is no item. `each`: they have neither, and so many bytes.
    """
    name = words.name("a list")
    known = reader.found.lists.get(name)
    if known:
        raise line.wrong(f"there is a list {name} already ({known.line.place})")
    if not reader.protocol:
        raise line.wrong("`list` belongs below `protocol`")
    found = reader.found.lists[name] = reader.list = List(name, reader.protocol, line)
    reader.header = None
    if words.took("each"):
        found.type = found.length = Field("each", 0, 8, line)
        found.unit, found.bias = 0, words.number(256)
        words.done()
        if found.bias == 0:
            raise line.wrong("bad number '0': at least 1")
        return
    if not words.took("type"):
        raise words.wanted()
    width = words.number(MOST_TESTED)
    found.type = Field("type", words.number(256) if words.took("at") else 0, width, line)
    if not words.took("length"):
        raise words.wanted()
    width = words.number(MOST_TESTED)
    at = words.number(256) if words.took("at") else found.type.end
    found.length = Field("length", at, width, line)
    found.unit = words.number(256) if words.took("*") else 1
    found.bias = words.number(256) if words.took("+") else 0
    found.align = words.number(64) if words.took("align") else 1
    most = (1 << found.type.width) - 1
    found.ends = _numbers(words, most) if words.took("end") else []
    found.pads = _numbers(words, most) if words.took("pad") else []
    words.done()
    if not (found.type.width and width and found.unit and found.align):
        raise line.wrong("bad number '0': at least 1")
    if at < found.type.end and found.type.bit < at + width:
        raise line.wrong(f"the length lies in the type, which has {found.type.width} bits")


@statement(
    "item TYPE...|any|other [each BYTES [at BYTE] [behind FIELD] [count FIELD]] [inside BYTE [of LIST]] "
    '["MEANING"] [if TEST [and TEST]...]'
)
def _item(reader: Reader, line: Line, words: Words) -> None:
    """Items of these types, or all, or those of no other `item`; fields of their values follow, of any those of the whole item.

    `each`: the value, from that byte of the item on, is a row of pieces of so many bytes, and the fields are of each; `behind`
    so many others, and `count` of them, as fields of another `item` say. `inside`: from that byte on it has items, of the same
    list or another one. Tests are of the fields of another `item`, of the item as a whole.
    """
    of = reader.list
    if of is None:
        raise line.wrong("`item` belongs below `list`")
    every, other = words.took("any"), words.took("other")
    if of.unit == 0 and not every:
        raise line.wrong(f"the values of {of.name} have no types: `item any`")
    item = Item(of, [] if every or other else _numbers(words, (1 << of.type.width) - 1), line)
    item.rank, item.other, item.bits = reader.rank, other, 0 if every else 8 * of.head
    if words.took("each"):
        item.each, item.at, item.bits = words.number(MOST_BYTES), of.head, 0
        if item.each == 0:
            raise line.wrong("bad number '0': at least 1")
        if words.took("at"):
            item.at = words.number(MOST_BYTES)
        item.passed = words.name("a field") if words.took("behind") else ""
        item.pieces = words.name("a field") if words.took("count") else ""
    if words.took("inside"):
        item.nested = words.number(MOST_BYTES)
        if item.nested < of.head:
            raise line.wrong(f"byte {item.nested} lies in its type and length, which have {of.head} bytes")
        item.inner = words.name("a list") if words.took("of") else ""
    words.text()
    item.only = words.tests()
    words.done()
    reader.header, reader.parts = item, None
    of.items.append(item)


@statement("holds LIST at BYTE [to end | to BYTE | to FIELD [* N] [+ N]] [if TEST [and TEST]...]")
def _holds(reader: Reader, line: Line, words: Words) -> None:
    """Where a list lies in the header: from that byte on up to its size, the end of its data, or as many bytes as a field says.

    Tests are of the header, or of an item that has to be in a list of the header.
    """
    header, rule = reader.current(line), Holds(words.name("a list"), line)
    if not words.took("at"):
        raise words.wanted()
    rule.first = words.number(MOST_BYTES)
    rule.to_end = words.took("to")
    if rule.to_end and not words.took("end"):
        rule.to_end = False
        if words.numeric():
            rule.number = words.number(MOST_BYTES)
            if rule.number <= rule.first:
                raise line.wrong(f"the list ends at byte {rule.number}, where it has not begun")
        else:
            rule.field = words.name("a field")
    if rule.field:
        rule.unit = words.number(MOST_BYTES) if words.took("*") else 1
        rule.number = words.number(MOST_BYTES) if words.took("+") else 0
    rule.tests = words.tests()
    words.done()
    header.holds.append(rule)
