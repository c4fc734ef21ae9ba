"""Checksums of headers by their descriptions: of what IP does not carry, or of protocols that are none of ours.

What messages of IP have by their protocol is in checksum.py. Twin of ../c/sums.c.
"""

from __future__ import annotations

from ...protocols.walking import A_SUM, FOR_4, FOR_6, HEADER_ALONE, NEVER, SAID
from .. import CORRECTED, MALFORMED, NONE, OBSCURE, TRUNCATED
from .checksum import Checksum, View, internet
from .headers import IP, IPV6
from .message import Message, Packet
from .protocols import Sum, known


def _rule_of(view: View, index: int) -> Sum | None:
    return known().kinds[view.headers[index].kind].sum


def has_sum(view: View, index: int) -> bool:
    """Whether a header has a checksum, by what it says."""
    rule, at = _rule_of(view, index), view.headers[index].start
    return bool(rule and view.hold(rule.tests, at, at) and (rule.zero == A_SUM or view.get(at + rule.at, 2)))


def _covered_by(view: View, index: int, rule: Sum) -> int:
    """How many bytes a checksum covers; 0: the header contradicts itself."""
    header = view.headers[index]
    size = header.end - header.start
    if rule.over == HEADER_ALONE:
        size = view.size(known().kinds[header.kind], header.start)
    elif rule.over == SAID and rule.read:
        size = view.number(rule.read, header.start) * rule.scale + rule.bias
    return size if rule.at + rule.bytes <= size <= header.end - header.start else 0


def header_sum(view: View, index: int) -> tuple[int, Message | None, Checksum | None]:
    """The message that the header at `index` begins, and the checksum that it should have.

    None where it has none, or where that cannot be known: because not all of it was captured, or it contradicts itself. The message
    is filled in as far as it can be; place 0 does not say here that there is none.
    """
    header, rule = view.headers[index], _rule_of(view, index)
    if rule is None or not has_sum(view, index):
        return CORRECTED, None, None
    outcome, complete, m = CORRECTED, True, None
    carriers = [i for i in range(index) if view.headers[i].kind in (IP, IPV6)]
    if carriers:  # it says how much was sent, and between whom
        outcome, m = Packet.message(view, carriers[-1])
        complete = outcome == CORRECTED
        if complete and m and not view.within(m.at, m.size):
            outcome = view.missing()
    elif view.wire > len(view.frame) and header.end == len(view.frame):
        outcome = TRUNCATED
    pseudo = m is not None and bool(rule.pseudo & (FOR_6 if m.v6 else FOR_4))
    m = m or Message(0, False, 0, 0, 0, 0)
    m.pseudo, m.never_zero = pseudo, rule.zero == NEVER
    m.at, m.size, m.place, m.bytes = header.start, header.end - header.start, rule.at, rule.bytes
    m.covered = m.length = _covered_by(view, index, rule) if complete else 0
    if outcome == CORRECTED and not m.covered:
        outcome = MALFORMED
    if outcome == CORRECTED and m.obscure and m.pseudo:
        outcome = OBSCURE
    return outcome, m, view.message_value(m) if outcome == CORRECTED else None


def sum_verdict(view: View, index: int, left: Checksum | None) -> tuple[int, int]:
    """The outcome, and what is to be said of the checksum of a header.

    left: of those inside of it, the one that was left to the card.
    """
    outcome, m, checksum = header_sum(view, index)
    if m is None or checksum is None:
        return outcome, NONE
    more = view.finishing(m, left) if checksum.size == 2 else b""
    if more:
        value = internet((checksum.value ^ 0xFFFF).to_bytes(2, "big") + more)
        checksum = Checksum(checksum.at, checksum.size, value, value)
    return outcome, view.judged(checksum)
