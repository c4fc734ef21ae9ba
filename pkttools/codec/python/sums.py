"""Who has a checksum, and what it covers, by the descriptions; twin of ../c/sums.c.

Headers, and messages of IP, which may be fragments, cut, or too deep for the walk.
"""

from __future__ import annotations

from ...protocols.walking import (
    ALL_FOR_0,
    ALSO_MESSAGE,
    EXTENSION,
    HEADER_ALONE,
    HIDDEN,
    JUMBO_FOR_0,
    MESSAGE,
    MISSING,
    NEVER,
    NO_SUM,
    SAID,
    TO_KIND,
    UNFOLLOWED,
)
from .. import CORRECTED, FRAGMENT, LEFT, MALFORMED, NONE, OBSCURE, TRUNCATED
from .checksum import Checksum, View, internet
from .exceptions import Message, is_nothing
from .headers import MAX_HIDDEN
from .protocols import Kind, Sum, carries_message, extends, known


def _way_of(view: View, kind: Kind | None, at: int) -> Kind | None:
    """The kind of header that leads to it, where one is a way."""
    ways = 0
    while kind and kind.flags & HIDDEN:
        ways += 1
        found = next((to for how, to, _, _, _, tests, _ in kind.rules if how == TO_KIND and view.hold(tests, at, at)), None)
        kind = found if ways <= MAX_HIDDEN else None
    return kind


def _kind_of(view: View, m: Message) -> Kind | None:
    """The kind of header that a message of IP begins with, by its protocol and what it says; None: nothing is known of it."""
    ways = known().carried[m.v6].get(m.protocol, ())
    return _way_of(view, next((kind for kind, tests in ways if view.hold(tests, m.at, m.at)), None), m.at)


def _covered_by(rule: Sum, view: View, m: Message) -> int:
    """How many bytes a checksum covers; fewer than there have to be, or more than there are: the message contradicts itself."""
    if rule.over == MESSAGE:
        return m.size
    head = 0 if rule.over == SAID else view.size(rule.kind, m.at)
    if rule.over != SAID and head < rule.kind.fixed:
        return -1
    if rule.over == HEADER_ALONE:
        return head
    said = view.number(rule.read, m.at) if rule.read else 0
    if said == 0 and (rule.nothing == ALL_FOR_0 or (rule.nothing == JUMBO_FOR_0 and (m.v6 or m.size > 0xFFFF))):
        return max(head, m.size)
    return head + said * rule.scale + rule.bias


def _stands(rule: Sum, view: View, at: int) -> bool:
    """Whether a checksum stands there, as far as that is known."""
    if not rule.bytes or not view.hold(rule.tests, at, at):
        return False
    return rule.zero not in (NO_SUM, NEVER) or not view.within(at + rule.at, 2) or view.get(at + rule.at, 2) != 0


def _cover(rule: Sum, view: View, m: Message) -> None:
    """Fills in what the checksum of a message covers; `sound` is False where its own sizes contradict each other."""
    m.rule, m.summed, m.place, m.bytes = rule, _stands(rule, view, m.at), rule.at, rule.bytes
    m.covered = m.length = m.size
    m.pseudo = bool(rule.pseudo >> m.v6 & 1)
    m.other = rule.also == ALSO_MESSAGE or bool(rule.also >> m.v6 & 1)
    size, least = _covered_by(rule, view, m), rule.gap_at + rule.gap if rule.gap else rule.at + rule.bytes
    m.sound = least <= size <= m.size and m.size >= rule.kind.fixed
    if size >= least:
        m.covered = size
        m.length = m.size if rule.whole else size


def message_of(view: View, index: int) -> tuple[int, Message | None]:
    """What the IP header at `index` carries, and what its checksum covers; of fragments too: what a first one begins with."""
    outcome, m = view.message(index)
    if outcome not in (CORRECTED, FRAGMENT) or m is None:
        return outcome, m
    kind = _kind_of(view, m)
    rule = kind.sum if kind and not carries_message(kind.number) else None
    if rule and rule.bytes:
        _cover(rule, view, m)
    else:
        unknown = kind is None or rule is not None or bool(kind.flags & (UNFOLLOWED | EXTENSION))
        m.unknown = not is_nothing(m) and unknown
    return outcome, m


def _carries_message(view: View, index: int) -> bool:
    return carries_message(view.headers[index].kind)


def sum_said(view: View, index: int) -> bool:
    """Whether a header says that it has a checksum, or begins a message that has one."""
    header = view.headers[index]
    rule = known().kinds[header.kind].sum
    return rule is not None and _stands(rule, view, header.start)


def has_sum(view: View, index: int) -> bool:
    """Whether there is a checksum to be looked at at a header.

    Of the message that it carries, if it is of IP, known or not; or its own, if it is none of these.
    """
    if _carries_message(view, index):
        return True
    if known().kinds[view.headers[index].kind].sum is None:
        return False
    first = index
    while first > 0 and extends(view.headers[first - 1].kind):
        first -= 1
    return (first == 0 or not _carries_message(view, first - 1)) and sum_said(view, index)


def _zero_stays(view: View, index: int, m: Message) -> bool:
    """Whether 0 stays, which means that there is no checksum (RFC 768).

    In UDP that carries a tunnel, over IPv6 too (RFC 6935), and over IPv4 in a tunnel, where nobody needs two.
    """
    if m.rule is None or m.rule.zero != MISSING or not view.is_missing(m):
        return False
    start = view.headers[index].start
    inside = not m.v6 and any(_carries_message(view, i) and view.headers[i].end > start for i in range(index))
    return inside or view.leads_to_tunnel(m.rule.kind, m.at)


def message_checksum(view: View, index: int) -> tuple[int, Message | None, Checksum | None]:
    """The message behind the IP header at `index` and the checksum it should carry."""
    outcome, m = message_of(view, index)
    if m is None or outcome not in (CORRECTED, FRAGMENT):
        return outcome, m, None
    if not m.summed:
        return CORRECTED, m, None
    if outcome == FRAGMENT:
        return FRAGMENT, m, None
    if not view.within(m.at, m.size):
        return view.missing(), m, None
    if not m.sound:
        return MALFORMED, m, None
    if _zero_stays(view, index, m):
        return CORRECTED, m, None
    if m.obscure and m.pseudo:
        return OBSCURE, m, None
    return CORRECTED, m, view.message_value(m)


def _header_sum(view: View, index: int) -> tuple[int, Message | None, Checksum | None]:
    """What the header at `index` covers, and the checksum that it should have."""
    header = view.headers[index]
    rule = known().kinds[header.kind].sum
    if rule is None:
        return CORRECTED, None, None
    outcome, complete, m = CORRECTED, True, None
    carriers = [i for i in range(index) if _carries_message(view, i)]
    if carriers:  # it says how much was sent, and between whom
        outcome, m = view.message(carriers[-1])
        complete = outcome == CORRECTED
        if complete and m and not view.within(m.at, m.size):
            outcome = view.missing()
    elif view.wire > len(view.frame) and header.end == len(view.frame):
        outcome = TRUNCATED
    m = m or Message(0, False, 0, 0, 0, 0)
    m.at, m.size = header.start, header.end - header.start
    _cover(rule, view, m)
    m.pseudo &= bool(carriers)
    m.other &= bool(carriers) or rule.also == ALSO_MESSAGE
    if not complete:
        m.covered = 0
    if outcome == CORRECTED and not m.sound:
        outcome = MALFORMED
    if outcome == CORRECTED and m.obscure and m.pseudo:
        outcome = OBSCURE
    return outcome, m, view.message_value(m) if outcome == CORRECTED else None


def sum_of(view: View, index: int) -> tuple[int, Message | None, Checksum | None]:
    """The message that is covered, at a header, and the checksum that it should have.

    None where it has none, or where that cannot be known: because not all of it was captured, or it contradicts itself. The message
    is filled in as far as it can be.
    """
    return message_checksum(view, index) if _carries_message(view, index) else _header_sum(view, index)


def sum_verdict(view: View, index: int, left: Checksum | None) -> tuple[int, Message | None, int, Checksum | None]:
    """What is to be said of it: outcome, message, verdict, and the checksum that was left to the card.

    left: the one inside of it that was, if there is one.
    """
    outcome, m, checksum = sum_of(view, index)
    if m is None:
        return outcome, None, NONE, left
    more = view.finishing(m, left) if checksum and checksum.size == 2 else b""
    if checksum and more:
        value = internet((checksum.value ^ 0xFFFF).to_bytes(2, "big") + more)
        checksum = Checksum(checksum.at, checksum.size, value, value)
    verdict = view.message_judged(m, checksum)
    return outcome, m, verdict, checksum if verdict == LEFT else left
