"""Mends checksums, and lengths when asked; twin of ../c/mend.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from .checksum import BAD, GRE, LEFT, SCTP, Checksum, View
from .headers import ETHERNET, IP, IPV6, UDP, VLAN
from .message import CORRECTED, MALFORMED, OBSCURE, Message
from .rows import checked

ALL, LENGTHS, TRANSPORT = range(3)


def _wire_size(view: View, index: int, declared: int, least: int) -> int:
    """Bytes of the datagram at `index` as it was on the wire: what there is up to the end of what holds it.

    What follows the datagram in a frame of Ethernet's least size is padding when it is all zero; `declared` is then right
    as it is.
    """
    start, end, outer = view.headers[index][1], view.wire_end(index), index
    if end < start:
        return 0
    while outer > 0 and view.headers[outer - 1][0] == VLAN:
        outer -= 1
    link = view.headers[outer - 1] if outer > 0 else None
    padded = link is not None and link[0] == ETHERNET and end - link[1] <= 60
    if padded and least <= declared <= end - start and not any(view.frame[start + declared : end]):
        return declared
    return end - start


def _declared_ipv6(view: View, at: int) -> int:
    """Bytes that an IPv6 header at `at` declares, itself included; 0: it says nothing.

    A payload of 0 is segmentation offload, see headers.py, unless there is no next header (RFC 8200 section 4.7).
    """
    payload = view.get(at + 4, 2)
    return 40 + payload if payload or view.get(at + 6, 1) == 59 else 0


def _set_length(view: View, index: int) -> bool:
    """Sets the length in the header at `index`, if it has one. False: it cannot say that much."""
    kind, at = view.headers[index][:2]
    if kind == IP:
        header_size = (view.frame[at] & 15) * 4
        if header_size < 20 or not view.within(at, header_size):
            return True  # what is wrong with it shows when its checksum is computed
        size = _wire_size(view, index, view.get(at + 2, 2), header_size)
        if size > 0xFFFF:
            return False
        view.put(at + 2, 2, size)
    elif kind == IPV6:
        size = _wire_size(view, index, _declared_ipv6(view, at), 40)
        if not 40 <= size <= 0xFFFF + 40:
            return False
        view.put(at + 4, 2, size - 40)
    elif kind == UDP:
        size = view.wire_end(index) - at
        if 8 <= size <= 0xFFFF:
            view.put(at + 4, 2, size)
    return True


class _Mending:
    """A packet whose checksums are mended, and what was found in it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.wrong = self.unfinished = False
        self.left: Checksum | None = None  # what the card would make of the innermost message, until one is finished

    def mend(self, message: Message | None, checksum: Checksum | None) -> None:
        """Writes a checksum, if it is another one; and remembers what was there."""
        if checksum is None or self.view.read(checksum) == checksum[2]:
            return
        if message and self.view.message_judged(message, checksum) == LEFT:
            self.unfinished = True
        else:
            self.wrong = True
        self.view.write(checksum)

    def correct(self, index: int) -> int:
        """Mends what the IP header at `index` has, and what it carries; gives the outcome."""
        self.mend(None, self.view.header_checksum(index))
        outcome, message, checksum = self.view.message_checksum(index)
        self.mend(message, checksum)
        return outcome

    def finish(self, index: int) -> int:
        """Finishes what the kernel left to the card.

        Of the messages of a packet, the innermost first, those whose fields hold what it leaves there; and if there is none such,
        what the innermost one holds is taken for it: the kernel knows better than the packet what is in the sum (RFC 791: an
        IPv4 route).
        """
        view = self.view
        outcome, message, checksum = view.message_checksum(index)
        if message is None or (outcome != OBSCURE and checksum is None):
            return outcome
        at, verdict = message.at + message.place, view.message_judged(message, checksum) if checksum else BAD
        stored = view.get(at, 2)
        if verdict == LEFT or (verdict == BAD and (message.protocol == SCTP or (message.protocol == GRE and stored == 0))):
            view.write(checksum)
            self.unfinished = True
        elif verdict == BAD and (message.protocol == 6 or (message.protocol == 17 and stored)) and not self.left:
            value = view.card_value(message)
            self.left = at, 2, value, value
        return CORRECTED


def _correct(frame: bytearray, original: int, linktype: int, what: int) -> tuple[int, bool, bool]:
    """Gives the outcome, and whether a checksum was wrong, or left to the card."""
    view = View(frame, original, linktype)
    mending = _Mending(view)
    index = 0
    while what == LENGTHS and index < len(view.headers):  # the outermost first: inner ones go by outer ones
        if not _set_length(view, index):
            return MALFORMED, False, False
        view.walk()  # with the right length there may be more to see
        index += 1
    worst = view.missing() if view.partial else CORRECTED
    for index in reversed(range(len(view.headers))):  # the innermost first: outer sums cover inner ones
        if view.headers[index][0] in (IP, IPV6):
            worst = (mending.finish(index) if what == TRANSPORT else mending.correct(index)) or worst
    if mending.left and not mending.unfinished:
        view.write(mending.left)
        mending.unfinished = True
    return worst, mending.wrong, mending.unfinished


def correct(data: bytearray, rows: bytes, what: int) -> tuple[int, int, int, int, int, int, int]:
    """Mends the checksums of all packets; changes `data`.

    what: ALL checksums; LENGTHS too (IP total, IPv6 payload, UDP); or only what the kernel leaves to the card, by completing what
    stands there (TRANSPORT). Gives how many packets are as they should be, and how many could not be mended in full because
    they are cut short, a fragment, malformed, or on a route whose end is not known; then in how many a checksum was wrong, and
    in how many it had been left to the card.
    """
    values = checked(data, rows)
    if what not in (ALL, LENGTHS, TRANSPORT):
        raise ValueError("no such correction")
    outcomes = [0, 0, 0, 0, 0, 0, 0]
    for i in range(0, len(values), COLUMNS):
        offset, captured = values[i + OFFSET], values[i + CAPTURED]
        frame = bytearray(data[offset : offset + captured])
        outcome, wrong, unfinished = _correct(frame, values[i + ORIGINAL], values[i + LINKTYPE], what)
        outcomes[outcome] += 1
        outcomes[5] += wrong
        outcomes[6] += unfinished
        data[offset : offset + captured] = frame
    return tuple(outcomes)
