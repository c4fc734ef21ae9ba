"""Checksums that follow an edit without being computed anew (RFC 1624); twin of ../c/update.c.

What was right stays right, what was wrong stays wrong, also where the packet was cut short or is a fragment.
"""

from __future__ import annotations

from .checksum import CORRECTED, FRAGMENT, SCTP, UDP, Message, View, internet
from .headers import IP, IPV6, IPV6_FRAGMENT


def _followed(stored: int, before: bytes, after: bytes) -> int:
    """RFC 1624 equation 3: HC' = ~(~HC + ~m + m'), for all words m at once."""
    words = (stored ^ 0xFFFF, internet(before), internet(after) ^ 0xFFFF)
    return internet(b"".join(word.to_bytes(2, "big") for word in words))


class _Sides:
    """The packet before and after the edit."""

    def __init__(self, before: bytes, after: bytearray, original: int, linktype: int) -> None:
        self.before, self.after = View(before, original, linktype), View(after, original, linktype)

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
        if whole and self.before.read(before) == before[2]:  # type: ignore[arg-type,index]
            self.after.write(after)
        return whole

    def follow_message(self, index: int) -> bool:
        outcome, before = self.before.message(index)
        later, after = self.after.message(index)
        if outcome not in (CORRECTED, FRAGMENT) or before is None:
            return True  # nobody could say what its checksum is
        rest = max(0, min(before.size, len(self.before.frame) - before.at))
        place, size = self.before.place(before), 4 if before.protocol == SCTP else 2
        later_piece = outcome == FRAGMENT and self.piece_offset(index) > 0
        if not place or later_piece:
            return not place or self.same(before.at, rest)  # it stands in another packet, and follows there
        if not self.before.within(before.at + place, size):  # it was not captured
            if after is None or outcome != later or not self.same(before.at, rest):
                return False
            return _sum(self.before.pseudo(before)) == _sum(self.after.pseudo(after))
        if not self.same(before.at + place, size):
            return True  # the user has set it
        known = after is not None and outcome == later and before.protocol == after.protocol and before.at == after.at
        if not known or place != self.after.place(after):
            return False
        if before.protocol == SCTP:
            return self.same(before.at, rest) or self.follow_crc(index)
        _own_length(self.before, before)
        _own_length(self.after, after)
        if min(before.size, after.size) < place + 2:
            return self.same(before.at, rest)
        stored = self.before.get(before.at + place, 2)
        if before.protocol == UDP and not before.v6 and stored == 0:
            return True  # it has none
        was, now = _covered(self.before, before, place), _covered(self.after, after, place)
        if internet(was) != internet(now):
            value = _followed(stored, was, now)
            self.after.put(before.at + place, 2, 0xFFFF if value == 0 and before.protocol == UDP else value)
        return True


def _sum(pseudo: bytes) -> int:
    """What a pseudo-header adds to a sum; its order does not count."""
    return internet(pseudo)


def _own_length(view: View, message: Message) -> None:
    """What UDP says of its own length is what its pseudo-header has, RFC 768."""
    length = view.get(message.at + 4, 2)
    if message.protocol == UDP and length >= 8:
        message.size = length


def _covered(view: View, message: Message, place: int) -> bytes:
    """What a message's checksum covers, as far as it was captured, without the checksum itself."""
    data = bytes(view.frame[message.at : message.at + message.size])
    return view.pseudo(message) + data[:place] + data[place + 2 :]


def update(before: bytes, after: bytearray, original: int, linktype: int) -> bool:
    """Lets the checksums of a packet follow what was changed in it; changes `after`. False: one of them could not."""
    sides = _Sides(before, after, original, linktype)
    everything = True
    for i in reversed(range(len(sides.before.headers))):  # the innermost first: outer sums cover inner ones
        header = sides.before.headers[i]
        if header[0] not in (IP, IPV6):
            continue
        if i >= len(sides.after.headers) or header[:2] != sides.after.headers[i][:2]:
            everything &= sides.same(header[1], header[3] - header[1])  # nobody looks there any more; it is as it was
        else:
            everything &= sides.follow_message(i)
            everything &= header[0] != IP or sides.follow_header(i)
    return everything
