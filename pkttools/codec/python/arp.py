"""Messages of ARP, with addresses of any size, in a line; twin of ../c/arp.c.

It says what the lines of ../../protocols/arp.protocol do where sizes are the usual ones.

RFC 826, RFC 903 (reverse), RFC 2390 (inverse); what sender and target say together: RFC 5227 sections 1.1, 2.1.1 and 3.
"""

from __future__ import annotations

from .messages import Sentence
from .wire import get8, get16

FIXED = 8
REQUEST, REPLY, REVERSE_REQUEST, REVERSE_REPLY, INVERSE_REQUEST, INVERSE_REPLY = 1, 2, 3, 4, 8, 9


def say_parties(told: Sentence, operation: int, senders: tuple[bytes, bytes], targets: tuple[bytes, bytes]) -> None:
    """Who asks for whom. What the target's hardware address of a request is has no meaning."""
    (sender, source), (target, destination) = senders, targets
    none, same = not any(source), len(source) > 0 and source == destination
    if operation == REQUEST and same and not none:
        told.say("announcement ")
        told.address(source)
        told.say(" is-at ")
        told.dump(sender, ":")
    elif operation == REQUEST:
        told.say("probe who-has " if none else "who-has ")
        told.address(destination)
        told.say(" tell ")
        if none:
            told.dump(sender, ":")
        else:
            told.address(source)
    elif operation == REPLY:
        told.address(source)
        told.say(" is-at ")
        told.dump(sender, ":")
        told.say(", gratuitous" if same else "")
    elif operation in (REVERSE_REQUEST, INVERSE_REQUEST):
        told.say("who-is ")
        told.dump(target, ":")
        told.say(" tell ")
        told.dump(sender, ":")
    else:
        told.dump(target if operation == REVERSE_REPLY else sender, ":")
        told.say(" at ")
        told.address(destination if operation == REVERSE_REPLY else source)


def tell_arp(told: Sentence, m: bytes, at: int) -> None:
    """Where addresses stand is said by their sizes."""
    if at + FIXED > len(m):
        return
    operation, hardware, protocol = get16(m, at + 6), get8(m, at + 4), get8(m, at + 5)
    second = at + FIXED + hardware + protocol
    there = second + hardware + protocol <= len(m)
    if there and operation in (REQUEST, REPLY, REVERSE_REQUEST, REVERSE_REPLY, INVERSE_REQUEST, INVERSE_REPLY):
        senders, targets = (
            (m[first : first + hardware], m[first + hardware : first + hardware + protocol]) for first in (at + FIXED, second)
        )
        say_parties(told, operation, senders, targets)
        return
    told.say(f"operation {operation}")
    if not there:
        told.mark()
