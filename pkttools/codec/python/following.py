"""Checksums that are in a packet what they were in the one that it was made of: right, or wrong by as much, or left to the card.

RFC 1624, for packets whose bytes moved. What they cover and nobody sees, in other fragments or not captured, is what is left when
all that is seen was taken away: that goes on as it was. Twin of ../c/following.c.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ...protocols.walking import MISSING
from .. import CORRECTED, FRAGMENT
from .checksum import Checksum, View, internet, other_reading, written
from .exceptions import Message, datagram_head, datagram_said, fragment_offset
from .protocols import Sum, carries_message, known
from .sums import has_sum, message_of, sum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LET_BE, BY_DIFFERENCE, FOR_CARD, FOR_CARD_UNCUT, BY_CRC = range(5)  # what a checksum needs, to be what it was
STRANGE, MADE = -2, -1  # in place of the number of a header that was none before: it was there, or was put in

Origin = tuple[int, bool]  # which header it was; what comes behind it in the packet moved by an odd number of bytes


@dataclass(slots=True)
class JudgedSum:
    """A checksum: what it needs.

    unseen: it covers bytes that are in other packets, or were not captured. other: it was made by the other reading of what it
    covers. off: by how much it is wrong, in one's complement, with what was not seen.
    """

    how: int = LET_BE
    unseen: bool = False
    other: bool = False
    off: int = 0


@dataclass(slots=True)
class Judged:
    """The checksums of a header: its own, and that of the message that it carries, by what rule."""

    own: JudgedSum = field(default_factory=JudgedSum)
    message: JudgedSum = field(default_factory=JudgedSum)
    rule: Sum | None = None


def _even(data: bytes) -> bytes:
    """The same with an even number of bytes, for more to be added."""
    return data + bytes(len(data) % 2)


def _missing_in(stored: int, data: bytes) -> int:
    """What is missing in a sum to what stands there, in one's complement; 0: nothing."""
    off = (stored ^ 0xFFFF) + internet(data)
    return ((off & 0xFFFF) + (off >> 16)) % 0xFFFF


def _own(view: View, index: int) -> tuple[int, bytes] | None:
    """Where the checksum of an IP header stands, and the rest of it; None: it has none, or is not there."""
    header = view.headers[index]
    rule = known().kinds[header.kind].sum
    if rule is None or rule.bytes != 2:
        return None
    size = datagram_head(view.frame, header)
    if size < rule.least or not view.within(header.start, size):
        return None
    data = bytes(view.frame[header.start : header.start + size])
    return header.start + rule.at, data[: rule.at] + data[rule.at + 2 :]


def _summed_message(view: View, index: int) -> tuple[Message | None, bool]:
    """The message with a checksum at a header, None: there is none, or it cannot be told; and whether it is of a fragment."""
    if not carries_message(view.headers[index].kind):
        _, m, _ = sum_of(view, index)
        return (m if m and m.summed else None), False
    outcome, m = message_of(view, index)
    if outcome not in (CORRECTED, FRAGMENT) or m is None or (outcome == FRAGMENT and fragment_offset(view, index) > 0):
        return None, False  # it stands in another packet
    return (m if m.summed else None), outcome == FRAGMENT


def _there(view: View, m: Message) -> bool:
    """Whether a checksum was captured, and is covered."""
    return view.within(m.at + m.place, m.bytes) and m.covered >= m.place + m.bytes


def _judge_message(view: View, index: int, left: Checksum | None, judged: Judged) -> Checksum | None:
    """Returns the checksum that was left to the card: this one, or one inside."""
    m, fragment = _summed_message(view, index)
    if m is None:
        return left
    place, j, judged.rule = m.at + m.place, judged.message, m.rule
    if not _there(view, m):
        return left
    if m.bytes == 4:
        outcome, _, c = sum_of(view, index)
        if outcome == CORRECTED and c and c.size == 4 and view.read(c) == c.value:
            j.how = BY_CRC
        return left
    stored = view.get(place, 2)
    if m.rule and m.rule.zero == MISSING and stored == 0:
        return left
    j.unseen = fragment or m.at + m.covered > len(view.frame)
    j.other = view.made_otherwise(m)
    if j.other:
        m = other_reading(m)
    data = view.pseudo(m) + view.covered(m)
    if view.left_to_card(m) and stored != internet(data):
        j.how = FOR_CARD
        if stored != view.card_seed(m):
            j.how, m = FOR_CARD_UNCUT, replace(m, length=0)
        return Checksum(place, 2, view.card_value(m), 0)
    j.how, j.off = BY_DIFFERENCE, _missing_in(stored, _even(data) + view.finishing(m, left))
    return left


def _parts(view: View) -> Iterator[tuple[View, list[int]]]:
    """The parts of a packet that have checksums of their own, and the numbers of their headers: what it quotes, and all else."""
    first, count = view.quote, view.quoted
    quoted = view.quoted_packet()
    if quoted:
        yield quoted, [*range(first, first + count)]
    yield view, [i + count if quoted and i >= first else i for i in range(len(view.headers))]


def judge(view: View) -> dict[int, Judged]:
    """How right the checksums of a packet are, by the number of the header among all; the view is of all headers."""
    found = {}
    for part, numbers in _parts(view):
        left = None
        for i in reversed(range(len(part.headers))):  # the innermost first: outer sums cover inner ones
            if not has_sum(part, i):
                continue
            judged = found[numbers[i]] = Judged()
            own = _own(part, i) if carries_message(part.headers[i].kind) else None
            if own:
                stored = part.get(own[0], 2)
                judged.own = JudgedSum(BY_DIFFERENCE, off=_missing_in(stored, own[1]))
            left = _judge_message(part, i, left, judged)
    return found


def judge_whole(view: View, index: int) -> dict[int, Judged] | None:
    """Those of a super-frame, up to that of what the header at `index` carries; None: one cannot be told.

    What was left to the card is right in each piece, and in IPv4 a 0 says that it was.
    """
    found: dict[int, Judged] = {}
    left = None
    for i in reversed(range(index + 1)):
        if not has_sum(view, i):
            continue
        judged = found[i] = Judged()
        own = None
        if carries_message(view.headers[i].kind):
            outcome, m = message_of(view, i)
            if outcome != CORRECTED or m is None or not view.within(m.at, m.size):
                return None
            own = _own(view, i)
        if own:
            stored = view.get(own[0], 2)
            told = stored and datagram_said(view.frame, view.headers[i])
            judged.own = JudgedSum(BY_DIFFERENCE, off=_missing_in(stored, own[1]) if told else 0)
        left = _judge_message(view, i, left, judged)
        if judged.message.unseen or (judged.message.how == LET_BE and sum_of(view, i)[0] != CORRECTED):
            return None
        if judged.message.how in (FOR_CARD, FOR_CARD_UNCUT):
            judged.message = JudgedSum(BY_DIFFERENCE)
    return found


def _settle_own(view: View, index: int, j: JudgedSum) -> bool:
    if j.how != BY_DIFFERENCE:
        return True
    own = _own(view, index)
    if own is None:
        return False
    view.put(own[0], 2, internet(own[1] + j.off.to_bytes(2, "big")))
    return True


class _Settling:
    """Sets the checksums of a packet that was made of another one."""

    def __init__(self, judged: dict[int, Judged], origins: Sequence[Origin] | None, anew: bool) -> None:
        self.judged, self.origins, self.anew = judged, origins, anew
        self.kept: Checksum | None = None  # what was left to the card, as it is now
        self.followed = True

    def message(self, view: View, index: int, judged: Judged, odd: bool) -> bool:
        """Sets that of what a header carries; whether it could follow."""
        j = judged.message
        if j.how == LET_BE:
            return True
        m, _ = _summed_message(view, index)
        if m is None or m.rule is not judged.rule or not _there(view, m):
            return False
        if j.how == BY_CRC:
            outcome, _, c = sum_of(view, index)
            whole = outcome == CORRECTED and c is not None and c.size == 4
            view.write(c if whole else None)
            return whole
        place = m.at + m.place
        if j.other:
            m = other_reading(m)
        if j.how != BY_DIFFERENCE:
            if j.how == FOR_CARD_UNCUT:
                m = replace(m, length=0)
            view.put(place, 2, view.card_seed(m))
            self.kept = Checksum(place, 2, view.card_value(m), 0)
            return True
        off = j.off.to_bytes(2, "little" if j.unseen and odd else "big")
        data = _even(view.pseudo(m) + view.covered(m)) + view.finishing(m, self.kept)
        view.put(place, 2, written(m, internet(data + off)))
        return True

    def begins_anew(self, view: View, numbers: list[int], index: int) -> bool:
        """Whether what a header carries begins with one that was put in."""
        if self.origins is None:
            return False
        at = view.headers[index].start
        if carries_message(view.headers[index].kind):
            _, m = view.message(index)
            at = m.at if m else -1
        begins = (self.origins[numbers[i]][0] for i in range(index, len(view.headers)) if view.headers[i].start == at)
        return next(begins, STRANGE) == MADE

    def part(self, view: View, numbers: list[int]) -> None:
        """Sets those of a part of it."""
        self.kept = None
        for i in reversed(range(len(view.headers))):
            was, odd = self.origins[numbers[i]] if self.origins is not None else (numbers[i], False)
            if not has_sum(view, i):
                continue
            made = self.begins_anew(view, numbers, i)
            if self.anew and was == MADE:
                view.write(view.header_checksum(i))
            if self.anew and made:
                _compute(view, i)
            if was < 0:
                continue
            judged = self.judged.get(was, Judged())
            if not made:
                self.followed &= self.message(view, i, judged, odd)
            self.followed &= _settle_own(view, i, judged.own)


def settle_piece(view: View, judged: dict[int, Judged]) -> None:
    """Sets those of a piece of it, or of what it is a piece of."""
    settling = _Settling(judged, None, False)
    for i in sorted(judged, reverse=True):
        settling.message(view, i, judged[i], False)
        _settle_own(view, i, judged[i].own)


def _compute(view: View, index: int) -> None:
    """Computes the checksum of a message, also where a 0 says that there is none."""
    outcome, m, c = sum_of(view, index)
    place = m.at + m.place if m and m.rule and m.rule.zero == MISSING else None
    if outcome == CORRECTED and c is None and place is not None and view.within(place, 2):
        view.put(place, 2, 0xFFFF)
        outcome, _, c = sum_of(view, index)
        if outcome != CORRECTED or c is None:
            view.put(place, 2, 0)
    if outcome == CORRECTED:
        view.write(c)


def settle(view: View, judged: dict[int, Judged], origins: Sequence[Origin] | None, anew: bool) -> bool:
    """Sets the checksums of a packet that was made of another one, whose lengths are set; the view is of all headers.

    origins: of each of its headers; None: they are the same. anew: those of headers that were put in are computed. Returns whether
    all could follow.
    """
    settling = _Settling(judged, origins, anew)
    for part, numbers in _parts(view):
        settling.part(part, numbers)
        if part is not view:
            view.frame[: len(part.frame)] = part.frame  # type: ignore[index]  # who settles has a bytearray
    return settling.followed
