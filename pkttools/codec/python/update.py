"""Checksums that follow an edit without being computed anew (RFC 1624); twin of ../c/update.c.

What was right stays right, what was wrong stays wrong, also where the packet was truncated or is a fragment.
"""

from __future__ import annotations

from .. import CORRECTED, FRAGMENT
from .checksum import SCTP, UDP, Checksum, View, internet, other_reading
from .headers import IP, IPV6, IPV6_FRAGMENT
from .message import Message


def _followed(stored: int, before: bytes, after: bytes) -> int:
    """RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for all words m at once."""
    words = (stored ^ 0xFFFF, internet(before), internet(after) ^ 0xFFFF)
    return internet(b"".join(word.to_bytes(2, "big") for word in words))


class _Sides:
    """The packet before and after the edit."""

    def __init__(self, before: bytes, after: bytearray, original: int, linktype: int) -> None:
        self.before, self.after = View(before, original, linktype), View(after, original, linktype)
        self.left: Checksum | None = None  # what was left to the card in it, before
        self.kept: Checksum | None = None  # and after
        self.stale = False  # a checksum could not follow: it needs bytes that are not there
        self.unknown = False  # it is not known

    def same(self, at: int, size: int) -> bool:
        return self.before.within(at, size) and self.before.frame[at : at + size] == self.after.frame[at : at + size]

    def follow_header(self, index: int) -> bool:
        old, new = self.before.frame, self.after.frame
        at = self.before.headers[index][1]
        size, later = (old[at] & 15) * 4, (new[at] & 15) * 4
        if not self.same(at + 10, 2):  # the user has set it
            return True
        if size < 20 or later < 20 or not self.before.within(at, size) or not self.after.within(at, later):
            return self.same(at, 20)
        was, now = bytes(old[at : at + size]), bytes(new[at : at + later])
        if internet(was) != internet(now):
            self.after.put(at + 10, 2, _followed(self.before.get(at + 10, 2), was, now))
        return True

    def piece_offset(self, index: int) -> int:
        """Where in its datagram a fragment stands, in the units of its header; 0: it is the first one."""
        kind, at = self.before.headers[index][:2]
        if kind == IP:
            return self.before.get(at + 6, 2) & 0x1FFF
        pieces = [start for kind, start, *_ in self.before.headers[index:] if kind == IPV6_FRAGMENT]
        return self.before.get(pieces[0] + 2, 2) & 0xFFF8 if pieces else 0

    def follow_crc(self, index: int) -> bool:
        outcome, _, before = self.before.message_checksum(index)
        later, _, after = self.after.message_checksum(index)
        whole = outcome == later == CORRECTED and before is not None and after is not None and before[1] == after[1] == 4
        if whole and self.before.read(before) == before[2]:  # type: ignore[arg-type,index]  # `whole` says that it is there
            self.after.write(after)
        return whole

    def touched(self, index: int) -> bool:
        """Whether anything of a message differs, or of what names its ends: addresses, options, routes."""
        kind, start, _, end = self.before.headers[index]
        names, protocol = (start + 12, start + 9) if kind == IP else (start + 8, start + 6)
        return not self.same(protocol, 1) or (names < end and not self.same(names, end - names))

    def follow_message(self, index: int) -> None:
        """Lets the checksum of what the IP header at `index` carries follow."""
        outcome, before = self.before.message(index)
        later, after = self.after.message(index)
        if outcome not in (CORRECTED, FRAGMENT) or before is None:
            self.unknown |= self.touched(index)  # nobody could say what its checksum is
            return
        self.unknown |= (before.unknown or before.sealed) and self.touched(index)
        place, size = before.place, before.bytes
        if not place:
            return
        rest = max(0, min(before.size, len(self.before.frame) - before.at))
        if outcome == FRAGMENT and self.piece_offset(index) > 0:
            self.stale |= not self.same(before.at, rest)  # it stands in another packet, and follows there
            return
        if not self.before.within(before.at + place, size):  # it was not captured
            same = after is not None and outcome == later and self.same(before.at, rest)
            pseudo = internet(self.before.pseudo(before))
            self.stale |= not same or pseudo != internet(self.after.pseudo(after))  # type: ignore[arg-type]  # `same`: it is there
            return
        if not self.same(before.at + place, size):
            return  # the user has set it
        known = after is not None and outcome == later and before.protocol == after.protocol and before.at == after.at
        if after is None or not known or place != after.place:
            self.stale = True
        elif before.protocol == SCTP:
            self.stale |= not self.same(before.at, rest) and not self.follow_crc(index)
        elif min(before.covered, after.covered) < place + 2:
            self.stale |= not self.same(before.at, rest)
        else:
            self.follow_sum(index, before, after)

    def follow_sum(self, index: int, before: Message, after: Message) -> None:
        """Lets a checksum that was captured follow."""
        at, start = before.at + before.place, self.before.headers[index][1] + 24
        stored = self.before.get(at, 2)
        if before.protocol == UDP and stored == 0:
            return  # it has none
        if (before.obscure or after.obscure) and before.pseudo and not self.same(start, before.at - start):
            self.unknown = True  # the last address of its route may be among these
            return
        if _made_otherwise(self.before, before):
            before, after = other_reading(before), other_reading(after)
        was, now = _covered(self.before, before), _covered(self.after, after)
        if self.before.left_to_card(before) and stored != internet(was):
            if stored != self.before.card_seed(before):
                before.length = after.length = 0
            self.after.put(at, 2, self.after.card_seed(after))  # left to the card, before and after
            self.left = at, 2, self.before.card_value(before), 0
            self.kept = at, 2, self.after.card_value(after), 0
            return
        was = _even(was) + self.before.finishing(before, self.left)
        now = _even(now) + self.after.finishing(after, self.kept)
        if internet(was) != internet(now):
            value = _followed(stored, was, now)
            self.after.put(at, 2, 0xFFFF if value == 0 and before.never_zero else value)


def _even(data: bytes) -> bytes:
    """The same with an even number of bytes, for more to be added."""
    return data + bytes(len(data) % 2)


def _covered(view: View, message: Message) -> bytes:
    """What a message's checksum covers, as far as it was captured, without the checksum itself."""
    return view.pseudo(message) + view.covered(message)


def _made_otherwise(view: View, message: Message) -> bool:
    """Which of two readings of its checksum a message was made by, if not the first one."""
    if not message.other or not view.within(message.at, message.size):
        return False
    stored = view.get(message.at + message.place, 2)
    return stored != internet(_covered(view, message)) and stored == internet(_covered(view, other_reading(message)))


def update(before: bytes, after: bytearray, original: int, linktype: int) -> tuple[bool, bool]:
    """Lets the checksums of a packet follow what was changed in it; changes `after`.

    Gives whether one could not follow because it needs bytes that are not there, and whether one is not known.
    """
    sides = _Sides(before, after, original, linktype)
    for i in reversed(range(len(sides.before.headers))):  # the innermost first: outer sums cover inner ones
        header = sides.before.headers[i]
        if header[0] not in (IP, IPV6):
            continue
        if i >= len(sides.after.headers) or header[:2] != sides.after.headers[i][:2]:
            sides.stale |= not sides.same(header[1], header[3] - header[1])  # nobody looks there any more; it is as it was
        else:
            sides.follow_message(i)
            sides.stale |= header[0] == IP and not sides.follow_header(i)
    return sides.stale, sides.unknown
