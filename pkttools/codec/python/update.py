"""Checksums that follow an edit without being computed anew (RFC 1624); twin of ../c/update.c.

What was right stays right, what was wrong stays wrong, also where the packet was truncated or is a fragment.
"""

from __future__ import annotations

from ...protocols.walking import MISSING
from .. import CORRECTED, FRAGMENT
from .checksum import Checksum, View, internet, other_reading, written
from .exceptions import Message, datagram_head, fragment_offset, named_by
from .protocols import carries_message, known
from .sums import has_sum, message_of, sum_of


def _followed(stored: int, before: bytes, after: bytes) -> int:
    """RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for all words m at once."""
    words = (stored ^ 0xFFFF, internet(before), internet(after) ^ 0xFFFF)
    return internet(b"".join(word.to_bytes(2, "big") for word in words))


class _Sides:
    """The packet before and after the edit."""

    def __init__(self, before: View, after: View, quoted: bool = False) -> None:
        self.before, self.after = before, after
        self.quoted = quoted  # it is one that an error message quotes: what was cut off is nobody's
        self.left: Checksum | None = None  # what was left to the card in it, before
        self.kept: Checksum | None = None  # and after
        self.stale = False  # a checksum could not follow: it needs bytes that are not there
        self.unknown = False  # it is not known

    def same(self, at: int, size: int) -> bool:
        return self.before.within(at, size) and self.before.frame[at : at + size] == self.after.frame[at : at + size]

    def follow_header(self, index: int) -> bool:
        old, new = self.before.frame, self.after.frame
        header = self.before.headers[index]
        at, rule = header.start, known().kinds[header.kind].sum
        place = at + (rule.at if rule else 0)
        if rule is None or rule.bytes != 2 or not self.same(place, 2):  # it has none; or the user has set it
            return True
        size, later = datagram_head(old, header), datagram_head(new, header)
        if min(size, later) < rule.least or not self.before.within(at, size) or not self.after.within(at, later):
            return self.same(at, min(rule.least, len(old) - at) if self.quoted else rule.least)
        was, now = bytes(old[at : at + size]), bytes(new[at : at + later])
        if internet(was) != internet(now):
            self.after.put(place, 2, _followed(self.before.get(place, 2), was, now))
        return True

    def follow_crc(self, index: int) -> bool:
        """Computes a CRC anew, of what was right before. False: not all of it is there."""
        outcome, _, before = sum_of(self.before, index)
        later, _, after = sum_of(self.after, index)
        whole = outcome == later == CORRECTED and before is not None and after is not None and before.size == after.size == 4
        if whole and self.before.read(before) == before.value:  # type: ignore[arg-type,union-attr]  # `whole` says that it is there
            self.after.write(after)
        return whole

    def touched(self, index: int) -> bool:
        """Whether anything of a message differs, or of what names its ends: addresses, options, routes."""
        header = self.before.headers[index]
        carried, ends = named_by(header)
        return not self.same(carried, 1) or (ends < header.end and not self.same(ends, header.end - ends))

    def rest(self, m: Message) -> int:
        """Bytes of a message that were captured."""
        return max(0, min(m.size, len(self.before.frame) - m.at))

    def follow_message(self, index: int) -> None:
        """Lets the checksum of what the IP header at `index` carries follow."""
        outcome, before = message_of(self.before, index)
        later, after = message_of(self.after, index)
        if outcome not in (CORRECTED, FRAGMENT) or before is None:
            header = self.before.headers[index]  # nobody could say what its checksum is, if one is there
            there = not self.quoted or self.before.within(header.start, known().kinds[header.kind].fixed)
            self.unknown |= there and self.touched(index)
            return
        self.unknown |= (before.unknown or before.sealed) and self.touched(index)
        if not before.summed:
            return
        if outcome == FRAGMENT and fragment_offset(self.before, index) > 0:
            edited = not self.same(before.at, self.rest(before))
            self.stale |= edited and not self.quoted  # it stands in another packet, and follows there
            return
        self.follow(index, before, after if outcome == later else None)

    def follow_all(self) -> None:
        """Lets the checksums of all headers follow."""
        for i in reversed(range(len(self.before.headers))):  # the innermost first: outer sums cover inner ones
            header = self.before.headers[i]
            if not has_sum(self.before, i):
                continue
            now = self.after.headers[i] if i < len(self.after.headers) else None
            if now is None or header.kind != now.kind or header.start != now.start:
                self.stale |= not self.same(header.start, header.end - header.start)  # nobody looks there any more; it is as it was
            elif not carries_message(header.kind):
                self.follow_own(i)
            else:
                self.follow_message(i)
                self.stale |= not self.follow_header(i)

    def follow_own(self, index: int) -> None:
        """Lets the checksum follow that a header has of its own."""
        outcome, before, _ = sum_of(self.before, index)
        later, after, _ = sum_of(self.after, index)
        if before is not None:
            self.follow(index, before, after if outcome == later else None)

    def follow(self, index: int, before: Message, after: Message | None) -> None:
        """Lets a checksum follow; after: None where it cannot be told in the same way as before."""
        place, size, edited = before.at + before.place, before.bytes, not self.same(before.at, self.rest(before))
        if not self.before.within(place, size):  # it was not captured
            pseudo = internet(self.before.pseudo(before))
            self.stale |= not self.quoted and (edited or after is None or pseudo != internet(self.after.pseudo(after)))
            return
        if not self.same(place, size):
            return  # the user has set it
        ends = ("protocol", "at", "rule")
        if after is None or any(getattr(before, end) != getattr(after, end) for end in ends) or not after.summed:
            self.stale = True
        elif size == 4:
            self.stale |= edited and not self.follow_crc(index)
        elif min(before.covered, after.covered) < before.place + 2:
            self.stale |= edited
        else:
            self.follow_sum(before, after)

    def follow_sum(self, before: Message, after: Message) -> None:
        """Lets a checksum that was captured follow."""
        at = before.at + before.place
        stored = self.before.get(at, 2)
        if before.rule and before.rule.zero == MISSING and stored == 0:
            return  # it has none
        if (before.obscure or after.obscure) and before.pseudo and not self.same(before.head, before.at - before.head):
            self.unknown = True  # the last address of its route may be among these
            return
        if self.before.made_otherwise(before):
            before, after = other_reading(before), other_reading(after)
        was, now = _covered(self.before, before), _covered(self.after, after)
        if self.before.left_to_card(before) and stored != internet(was):
            if stored != self.before.card_seed(before):
                before.length = after.length = 0
            self.after.put(at, 2, self.after.card_seed(after))  # left to the card, before and after
            self.left = Checksum(at, 2, self.before.card_value(before), 0)
            self.kept = Checksum(at, 2, self.after.card_value(after), 0)
            return
        was = _even(was) + self.before.finishing(before, self.left)
        now = _even(now) + self.after.finishing(after, self.kept)
        if internet(was) != internet(now):
            value = _followed(stored, was, now)
            self.after.put(at, 2, written(before, 0xFFFF if value == 0 and not any(now) else value))  # of zeros alone


def _even(data: bytes) -> bytes:
    """The same with an even number of bytes, for more to be added."""
    return data + bytes(len(data) % 2)


def _covered(view: View, message: Message) -> bytes:
    """What a message's checksum covers, as far as it was captured, without the checksum itself."""
    return view.pseudo(message) + view.covered(message)


def update(before: bytes, after: bytearray, original: int, linktype: int) -> tuple[bool, bool]:
    """Lets the checksums of a packet follow what was changed in it; changes `after`.

    Returns whether one could not follow because it needs bytes that are not there, and whether one is not known.
    """
    sides = _Sides(View(before, original, linktype), View(after, original, linktype))
    was, now = sides.before.quoted_packet(), sides.after.quoted_packet()
    if was and now and len(was.frame) == len(now.frame):  # first what it quotes, which its own checksums cover
        quoted = _Sides(was, now, True)
        quoted.follow_all()
        after[: len(now.frame)] = now.frame
        sides.stale, sides.unknown = quoted.stale, quoted.unknown
    sides.follow_all()
    return sides.stale, sides.unknown
