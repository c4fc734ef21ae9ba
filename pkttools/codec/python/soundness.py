"""Whether packets are sound: lengths that fit, headers that are whole, checksums that are right; twin of ../c/soundness.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL, ROW_BYTES
from .. import BAD, CORRECTED, LEFT, MALFORMED, NONE, OBSCURE, TRUNCATED, UNCERTAIN, UNFINISHED, WRONG
from .checksum import Checksum, View
from .exceptions import datagram_sound
from .headers import UNKNOWN, Header, known_link, need_dict, note
from .protocols import carries_message, known
from .rows import checked, without_fcs
from .sums import has_sum, sum_said, sum_verdict


def verify(data: bytearray, row: bytes) -> list[int]:
    """What each header of one packet says of itself, in the order of `walk`.

    NONE: it carries no checksum; RIGHT; BAD; UNCERTAIN: what it should be cannot be told, because the packet was truncated,
    is malformed, or takes an unknown route; LEFT: it was left to the network card, and holds the sum of the pseudo-header.
    """
    values = without_fcs(checked(data, row))
    if len(values) != COLUMNS:
        raise ValueError("one row is verified at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    return verdicts_of(View(frame, values[ORIGINAL], values[LINKTYPE], True))


def verdicts_of(view: View) -> list[int]:
    """The same of a packet, with all of its headers."""
    verdicts = [UNCERTAIN if sum_said(view, i) else NONE for i in range(len(view.headers))]
    left: Checksum | None = None
    for i in reversed(range(len(view.headers))):  # the innermost first: outer sums cover inner ones
        if not has_sum(view, i):
            continue
        checksum = view.header_checksum(i)
        if checksum:
            verdicts[i] = view.judged(checksum)
        outcome, message, verdict, left = sum_verdict(view, i, left)
        if message is None or not message.summed or not (outcome == CORRECTED or view.was_not_sent(message)):
            continue
        for k in range(i, len(view.headers)):
            if view.headers[k].start == message.at:
                verdicts[k] = verdict
    return verdicts[: view.quote] + [NONE] * view.quoted + verdicts[view.quote :]  # what is quoted says nothing of this packet


def _header_sound(view: View, header: Header) -> bool:
    """Whether a header says what can be: of IP; and the size of one that has a checksum."""
    if carries_message(header.kind):
        return datagram_sound(view, header)
    kind = known().kinds[header.kind]
    return not kind.terms or kind.sum is None or kind.fixed <= view.size(kind, header.start) <= header.end - header.start


def check_view(view: View) -> int:
    """The outcome of one packet: see `check`."""
    if view.wire > len(view.frame):
        return TRUNCATED
    last = view.headers[-1]
    if view.partial or (last.kind == UNKNOWN and known_link(view.linktype)) or view.link_announces(last):
        return MALFORMED
    verdicts, obscure, left = set(), False, None
    for i, header in reversed([*enumerate(view.headers)]):
        if not _header_sound(view, header):
            return MALFORMED
        if not has_sum(view, i):
            continue
        verdicts.add(view.judged(view.header_checksum(i)))
        outcome, message, verdict, left = sum_verdict(view, i, left)
        if outcome in (TRUNCATED, MALFORMED) or message is None or not view.within(message.at, message.size):
            return MALFORMED
        verdicts.add(verdict)
        obscure |= outcome == OBSCURE
    return WRONG if BAD in verdicts else UNFINISHED if LEFT in verdicts else OBSCURE if obscure else CORRECTED


def check(data: bytearray, rows: bytes, counts: dict[int, int] | None = None) -> bytes:
    """Whether each packet is sound, a byte a packet.

    CORRECTED (0): it is; TRUNCATED: a part of it was not captured; MALFORMED: its sizes contradict each other, or a header
    is not whole; WRONG: a checksum is wrong; UNFINISHED: one was left to the network card, and holds the sum of the
    pseudo-header; OBSCURE: one cannot be known, since it covers the last address of a route of an unknown type. Adds to
    `counts` what packets carry that is not followed.
    """
    values = without_fcs(checked(data, rows))
    need_dict(counts)
    out = bytearray()
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        view = View(frame, values[i + ORIGINAL], values[i + LINKTYPE])
        note(counts, view.beyond)
        out.append(check_view(view))
    return bytes(out)


def pick(rows: bytes, outcomes: bytes, passes: bytes) -> bytearray:
    """The rows of packets whose outcome has a 1, and not a 0, in `passes`, 256 bytes. outcomes: a byte each. Raises ValueError."""
    if len(rows) != len(outcomes) * ROW_BYTES or len(passes) != 256:
        raise ValueError("outcomes are not one a packet, or passes not 256")
    wanted, picked, stop = outcomes.translate(passes), bytearray(), 0
    while (start := wanted.find(1, stop)) >= 0:  # runs of them
        stop = wanted.find(0, start)
        stop = len(wanted) if stop < 0 else stop
        picked += rows[start * ROW_BYTES : stop * ROW_BYTES]
    return picked
