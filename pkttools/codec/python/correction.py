"""Corrects checksums, and lengths when asked; twin of ../c/correction.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from ...protocols.walking import CARD
from .. import ALL, BAD, CORRECTED, LEFT, LENGTHS, MALFORMED, OBSCURE, TRANSPORT
from .checksum import Checksum, View
from .exceptions import Message, plain_sums
from .headers import MAX_HEADERS, Walk, need_dict, note
from .lengths import LONGER, SHORTER, SURE, correct_lengths
from .rows import checked, without_fcs
from .signatures import Changed, signature_of
from .sums import has_sum, sum_of


class _Correction:
    """A packet whose checksums are corrected, and what was found in it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.wrong = self.unfinished = False
        self.changed = Changed()
        self.left: Checksum | None = None  # what the card would make of the innermost message, until one is finished

    def correct_checksum(self, message: Message | None, checksum: Checksum | None) -> None:
        """Writes a checksum, if it is another one; and remembers what was there."""
        if checksum is None or self.view.read(checksum) == checksum.value:
            return
        if message and self.view.message_judged(message, checksum) == LEFT:
            self.unfinished = True
        else:
            self.wrong = True
        self.view.write(checksum)
        self.changed.mutable_end = max(self.changed.mutable_end, checksum.at + checksum.size)

    def correct_sum(self, index: int) -> int:
        """Corrects what a header has, and what it carries; gives the outcome."""
        self.correct_checksum(None, self.view.header_checksum(index))
        outcome, message, checksum = sum_of(self.view, index)
        self.correct_checksum(message, checksum)
        return outcome

    def finish(self, index: int) -> int:
        """Finishes what the kernel left to the card.

        Of the messages of a packet, the innermost first, those whose fields hold what it leaves there, the sum of a pseudo-header;
        a CRC, which has no such thing; or a 0 where there is no pseudo-header. If there is none such, what the innermost one holds
        is taken for it: the kernel knows better than the packet what is in the sum (RFC 791: an IPv4 route).
        """
        view = self.view
        outcome, message, checksum = sum_of(view, index)
        if message is None or (outcome != OBSCURE and checksum is None):
            return outcome
        at, verdict = message.at + message.place, view.message_judged(message, checksum) if checksum else BAD
        card = verdict == BAD and message.rule is not None and message.rule.card & CARD
        if verdict == LEFT or (card and (message.bytes == 4 or not (message.pseudo or view.get(at, 2)))):
            view.write(checksum)
            self.unfinished = True
        elif card and message.pseudo and not view.is_missing(message) and not self.left:
            value = view.card_value(message)
            self.left = Checksum(at, 2, value, value)
        return CORRECTED


def correct_frame(frame: bytearray, original: int, linktype: int, what: int, outer: int) -> tuple[int, bool, bool, int, int, int]:
    """Returns the outcome, whether a checksum was wrong, or left to the card, the doubt about lengths, what is not followed, and
    the signature that does not follow.
    """
    view = View(frame, original, linktype)
    correction, beyond = _Correction(view), view.beyond
    fits, doubt = correct_lengths(view) if what == LENGTHS else (True, SURE)
    if not fits:
        return MALFORMED, False, False, doubt, beyond, 0
    worst = view.missing() if view.partial else CORRECTED
    for index in reversed(range(min(len(view.headers), outer))):  # the innermost first: outer sums cover inner ones
        if has_sum(view, index):
            worst = (correction.finish(index) if what == TRANSPORT else correction.correct_sum(index)) or worst
    if correction.left and not correction.unfinished:
        view.write(correction.left)
        correction.unfinished = True
    changed = correction.changed
    if view.resized:
        changed.end = len(frame)
    signature = signature_of(frame, view.walked, changed) if changed.end or changed.mutable_end else 0
    return worst, correction.wrong, correction.unfinished, doubt, beyond, signature


def correct(
    data: bytearray, rows: bytes, what: int, counts: dict[int, int] | None = None, outer: int = MAX_HEADERS
) -> tuple[int, ...]:
    """Corrects the checksums of all packets; changes `data`.

    what: ALL checksums; LENGTHS too (IP total, IPv6 payload, UDP); or only what the kernel leaves to the card, by completing what
    stands there (TRANSPORT). Returns how many packets are as they should be, and how many could not be corrected in full because
    they are truncated, a fragment, malformed, or on a route whose end is not known; then in how many a checksum was wrong, and
    in how many it had been left to the card; and in how many the bytes behind a datagram may be payload or not, and were not
    taken for it, or were. Adds to `counts` what packets carry that is not followed. outer: checksums are
    corrected of that many headers of a packet, the outermost ones.
    """
    values = without_fcs(checked(data, rows))
    if what not in (ALL, LENGTHS, TRANSPORT):
        raise ValueError("no such correction")
    if outer < 0:
        raise ValueError("no such number of headers")
    need_dict(counts)
    octets_of = memoryview(data)
    outcomes, doubts = [0, 0, 0, 0, 0, 0, 0], [0, 0, 0]
    for i in range(0, len(values), COLUMNS):
        offset, captured = values[i + OFFSET], values[i + CAPTURED]
        octets = bytes(octets_of[offset : offset + captured])
        walked = Walk(octets, values[i + LINKTYPE], False)
        plain = None if what == LENGTHS or outer < len(walked.headers) else plain_sums(octets, walked)
        if plain is not None and (what == ALL or not plain):
            outcomes[CORRECTED] += 1
            outcomes[5] += bool(plain)
            doubts[SURE] += 1
            note(counts, walked.beyond)
            for at, value in plain:
                data[offset + at : offset + at + 2] = value.to_bytes(2, "big")
            continue
        frame = bytearray(octets)
        outcome, wrong, unfinished, doubt, *codes = correct_frame(frame, values[i + ORIGINAL], values[i + LINKTYPE], what, outer)
        outcomes[outcome] += 1
        for code in codes:
            note(counts, code)
        outcomes[5] += wrong
        outcomes[6] += unfinished
        doubts[doubt] += 1
        data[offset : offset + captured] = frame
    return *outcomes, doubts[SHORTER], doubts[LONGER]
