"""What filters compare: fields and facts of a packet with values, with each other, and with sets.

words: of the expression that a test stands in, from what comes next on; what belongs to the test is taken.
"""

from __future__ import annotations

from ..codec import program
from ..errors import UnknownName, UsageError
from ..protocols.fields import DATA, FIELDS, IPV4, IPV6, LAYERS
from ..protocols.values import HEX, unknown_name
from .asked import COUNTED, Asked, asked
from .expression import COMPARE, OPERATORS, WORDS, joined
from .program import ALL_BITS, FACTS, is_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .expression import Parser, Tree
    from .program import Constant


def comparison(words: Parser, every: bool) -> Tree:
    """The tree of a test. every: any of the occurrences of what is asked for. Raises UsageError."""
    name, amp, bits = words.value().partition("&")
    known = name.upper()
    if "." not in name and known.partition("[")[0] not in (*FACTS, "PORT"):
        raise UnknownName(unknown_name(known, [*LAYERS, *FACTS, "PORT", *FIELDS], "layer"), known)
    found = asked(name, every)
    mask = mask_of(words, found, amp + bits)
    operator = operator_of(words)
    if operator in COMPARE:
        return compared_with(words, found, operator, mask)
    if words.peek() == "=":
        raise UsageError(f"filter '{words.text}': to compare, write {found[0].name}==...")
    if mask is not None and operator:
        raise UsageError(f"{found[0].name}: a mask goes with comparisons")
    if operator == "in":
        return membership(words, found)
    if operator == "contains":
        return containing(words, found)
    if operator == "matches":
        return matching(words, found)
    if mask is not None:
        return joined("or", [leaf(end, program.UNEQUAL, 0, mask) for end in found])
    return joined("or", [leaf(end, program.PRESENT, 0) for end in found])


def operator_of(words: Parser) -> str:
    """The operator that is next, which is taken; or nothing."""
    word = words.peek().lower()
    if word not in OPERATORS or word == "&":
        return ""
    words.at += 1
    return WORDS.get(word, word)


def mask_of(words: Parser, found: list[Asked], text: str) -> int | None:
    """The bits behind a `&`; None without. text: what stands directly behind the field, with the `&`."""
    if not text:
        if not words.peek().startswith("&"):
            return None
        text = words.value()
    bits = text[1:] or words.value()
    if found[0].octets or found[0].kind == "TIME":
        raise UsageError(f"{found[0].name}: a mask goes with numbers")
    return found[0].value(bits)  # type: ignore[return-value]  # of a number, by the kinds above


def octets_of(words: Parser, found: Asked) -> str:
    """The next token as a value, and what follows it of bytes in hex."""
    text = words.value()
    while found.kind == DATA and not text.startswith('"') and words.peek() and HEX.issuperset(words.peek()):
        text += " " + words.value()
    return text


def others_of(words: Parser, found: list[Asked], text: str) -> list[Asked]:
    """What a field is compared with that is none of its values: other fields, facts; nothing where it is a value."""
    if text.lower() == "any" and words.peek() and is_asked(words.peek(), found[0].octets):
        raise UsageError(f"filter '{words.text}': any stands in front of what is compared, at the left")
    if not is_asked(text, found[0].octets) or text.lower() in found[0].words:
        return []
    others = asked(text)
    if not found[0].goes_with(others[0]):
        kinds = f"{found[0].name} is {found[0].kind_said}, and {others[0].name} is {others[0].kind_said}"
        raise UsageError(f"{found[0].name} and {others[0].name} cannot be compared: {kinds}")
    return others


def compared_with(words: Parser, found: list[Asked], operator: str, mask: int | None) -> Tree:
    """A field, an operator, and a value or another field."""
    text = octets_of(words, found[0])
    others = others_of(words, found, text)

    def compared(how: int) -> list[Tree]:
        if others:
            return [leaf(end, how, other.operand, ALL_BITS if mask is None else mask) for end in found for other in others]
        return [leaf(end, how, *against(end, operator, text, mask)) for end in found]

    several = len(found) > 1 or len(others) > 1 or found[0].operand.occurrence == program.ANY
    if operator == "!=" and several:  # none of them is equal
        there = [leaf(end, program.PRESENT, 0) for end in found]
        return ("and", [joined("or", there), ("not", joined("or", compared(program.EQUAL)))])
    return joined("or", compared(COMPARE[operator]))


def against(end: Asked, operator: str, text: str, mask: int | None) -> tuple[int | bytes, int]:
    """The value that is compared with, and the bits that count."""
    value, prefix = end.masked(text)
    if prefix != ALL_BITS and operator not in ("==", "!="):
        raise UsageError(f"{end.name}: an address with /bits goes with == and !=")
    if prefix != ALL_BITS and mask is not None:
        raise UsageError(f"{end.name}: a mask, or /bits")
    return value, prefix if mask is None else mask


def membership(words: Parser, found: list[Asked]) -> Tree:
    """A field in a set."""
    text = words.value()
    while text.endswith(",") or words.peek().startswith(","):
        text += words.value()
    if found[0].kind == DATA:
        raise UsageError(f"{found[0].name}: data can be compared, not looked up in a set")
    return joined("or", [item_of(end, item, text) for end in found for item in set_items(text)])


def item_of(end: Asked, item: str, text: str) -> Tree:
    """An item of a set."""
    if not item:
        raise UsageError(f"{end.name}: an item is missing in '{text}'")
    low, dash, high = item.partition("..")
    if not dash and end.kind in (*COUNTED, IPV4, IPV6) and item.lower() not in end.words:
        low, dash, high = item.partition("-")
        if dash and end.name.endswith("_PORT") and not low[:1].isdigit():  # services have dashes
            low, dash, high = item, "", ""
    if not dash or end.octets:
        return leaf(end, program.EQUAL, *end.masked(item))
    first, last = end.value(low), end.value(high)
    if first > last:  # type: ignore[operator]  # numbers, by the kinds above
        raise UsageError(f"{end.name}: {item}: the range is empty")
    if end.operand.occurrence == program.ANY:  # of one and the same
        return leaf(end, program.WITHIN, (first, last))  # type: ignore[arg-type]  # the same
    return ("and", [leaf(end, program.AT_LEAST, first), leaf(end, program.AT_MOST, last)])


def containing(words: Parser, found: list[Asked]) -> Tree:
    """A field with octets in it."""
    if not found[0].octets:
        raise UsageError(f"{found[0].name}: contains is for data and text")
    text = octets_of(words, found[0])
    others = others_of(words, found, text)
    if found[0].kind == DATA and not others and not text.startswith('"') and not HEX.issuperset(text.replace(" ", "")):
        raise UsageError(f"{found[0].name}: '{text[:40]}' is not in hex; text stands in double quotes")
    values: list[Constant] = [other.operand for other in others] or [found[0].value(text)]
    return joined("or", [leaf(end, program.CONTAINS, value) for end in found for value in values])


def matching(words: Parser, found: list[Asked]) -> Tree:
    """A field that a regular expression matches."""
    from .patterns import checked  # late: seldom

    if not found[0].octets:
        raise UsageError(f"{found[0].name}: matches is for data and text")
    pattern = checked(found[0].name, words.value())
    return joined("or", [("matches", end.operand.field, end.operand.occurrence, pattern) for end in found])


def leaf(end: Asked, compare: int, value: Constant, mask: int = ALL_BITS) -> Tree:
    """A test of one field, or fact."""
    return ("test", end.operand.field, end.operand.occurrence, compare, value, mask)


def set_items(text: str) -> list[str]:
    """The items of a set: cut at commas, but not at those in quotes."""
    parts = text.split('"')
    parts[::2] = [part.replace(",", "\0") for part in parts[::2]]
    return '"'.join(parts).split("\0")
