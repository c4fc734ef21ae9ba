"""What a checksum covers, and a signature."""

from __future__ import annotations

from ..model import MOST_BYTES, Checksum, Line, Signature
from .reader import Reader, statement
from .words import Words

CHECKSUM = (
    "checksum unknown | FIELD internet|crc32c [over header [or message] | over [header +] FIELD [* N] [+|- N] [or all|jumbo]] "
    "[without BYTES at BYTE] [pseudo [4|6] [or 4|6] [whole]] [zero none|ffff|missing|wrong] [card [cut]] [if TEST [and TEST]...]"
)


@statement(CHECKSUM)
def _checksum(reader: Reader, line: Line, words: Words) -> None:
    """Its checksum: over the whole message, if nothing else is said; `unknown`: whether it has one cannot be told."""
    header = reader.current(line)
    if header.checksum:
        raise line.wrong(f"{header.name} has a checksum already ({header.checksum.line.place})")
    if words.took("unknown"):
        words.done()
        header.checksum = Checksum("", "unknown", line)
        return
    field, kind = words.name("a field"), words.take()
    if kind not in ("internet", "crc32c"):
        raise words.wanted()
    rule = Checksum(field, kind, line)
    if words.took("over"):
        _over(rule, words)
    if words.took("without"):
        size = words.number(MOST_BYTES)
        if not words.took("at"):
            raise words.wanted()
        rule.without = size, words.number(MOST_BYTES)
    if words.took("pseudo"):
        rule.pseudo = _versions(words) or (4, 6)
        if words.took("or"):
            rule.pseudo_also = _versions(words)
            if not rule.pseudo_also or set(rule.pseudo_also) & set(rule.pseudo):
                raise words.wanted()
        rule.whole = words.took("whole")
    if words.took("zero"):
        rule.zero = words.take()
        if rule.zero not in ("none", "ffff", "missing", "wrong"):
            raise words.wanted()
    if words.took("card"):
        rule.card, rule.cut = True, words.took("cut")
    rule.tests = words.tests()
    words.done()
    header.checksum = rule


def _versions(words: Words) -> tuple[int, ...]:
    """4, 6 or neither."""
    return (4,) if words.took("4") else (6,) if words.took("6") else ()


def _over(rule: Checksum, words: Words) -> None:
    """header [or message] | [header +] FIELD [* N] [+|- N] [or all|jumbo]."""
    if words.took("header"):
        rule.over = "header"
        if words.took("or"):
            rule.also = words.take()
            if rule.also != "message":
                raise words.wanted()
        if not words.took("+"):
            return
        rule.over = "behind"
    else:
        rule.over = "said"
    rule.said, rule.unit, rule.number = words.linear()
    if words.took("or"):
        rule.nothing = words.take()
        if rule.nothing not in ("all", "jumbo"):
            raise words.wanted()


@statement('signature "TITLE" [behind] [if TEST [and TEST]...]')
def _signature(reader: Reader, line: Line, words: Words) -> None:
    """It has, or is, what authenticates more than itself and cannot follow a change, which takes a key: that is said, by its title.

    What is behind it is covered, and what carries it, unless it is an application; of that, and of its own, mutable fields are not.
    `behind`: only itself, and what is behind it.
    """
    header, title = reader.current(line), words.text()
    if not title:
        raise words.wanted()
    if header.signature:
        raise line.wrong(f"{header.name} has a signature already ({header.signature.line.place})")
    header.signature = Signature(title, line)
    header.signature.behind = words.took("behind")
    header.signature.tests = words.tests()
    words.done()
