"""Whether packets are sound: lengths that fit, headers that are whole, checksums that are right; twin of ../c/soundness.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from .. import BAD, CORRECTED, LEFT, MALFORMED, NONE, OBSCURE, TRUNCATED, UNCERTAIN, UNFINISHED, WRONG
from . import wire
from .checksum import Checksum, View
from .headers import IP, IPV6, TCP, UNKNOWN, Header, known_link, need_dict, note
from .rows import checked, without_fcs
from .sums import has_sum, sum_said, sum_verdict

IP_LEAST_MTU, IPV6_LEAST_MTU = 576, 1280  # RFC 791 section 3.1, RFC 8200 section 5


def verify(data: bytearray, row: bytes) -> list[int]:
    """What each header of one packet says of itself, in the order of `walk`.

    NONE: it carries no checksum; RIGHT; BAD; UNCERTAIN: what it should be cannot be told, because the packet was truncated,
    is malformed, or takes an unknown route; LEFT: it was left to the network card, and holds the sum of the pseudo-header.
    """
    values = without_fcs(checked(data, row))
    if len(values) != COLUMNS:
        raise ValueError("one row is verified at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    view = View(frame, values[ORIGINAL], values[LINKTYPE], True)
    verdicts = [UNCERTAIN if sum_said(view, i) else NONE for i in range(len(view.headers))]
    left: Checksum | None = None
    for i in reversed(range(len(view.headers))):  # the innermost first: outer sums cover inner ones
        if not has_sum(view, i):
            continue
        checksum = view.header_checksum(i)
        if checksum:
            verdicts[i] = view.judged(checksum)
        outcome, message, verdict, left = sum_verdict(view, i, left)
        for k in range(i, len(view.headers)):
            if outcome == CORRECTED and message and message.summed and view.headers[k].start == message.at:
                verdicts[k] = verdict
    return verdicts[: view.quote] + [NONE] * view.quoted + verdicts[view.quote :]  # what is quoted says nothing of this packet


def _zero_sound(view: View, header: Header) -> bool:
    """Whether a size of 0 in an IP header may be.

    It is how segmentation offload shows what is too long to say, or what it has yet to cut: more than the least size that every
    link carries. In IPv6 it may also be a jumbogram that says its size (RFC 2675), or nothing.
    """
    size = header.end - header.start
    if header.kind == IP:
        return size > IP_LEAST_MTU
    jumbo = view.jumbo_place(header.start)
    if jumbo:
        return view.get(jumbo, 4) == size - wire.IPV6_SIZE
    return size > IPV6_LEAST_MTU or wire.ipv6_next(view.frame, header.start) == wire.PROTO_IPV6_NONXT


def _header_sound(view: View, header: Header) -> bool:
    kind, start, frame = header.kind, header.start, view.frame
    if kind == IP:
        return wire.ip_version(frame, start) == 4 and (wire.ip_total(frame, start) != 0 or _zero_sound(view, header))
    if kind == IPV6:
        return wire.ip_version(frame, start) == 6 and (wire.ipv6_payload(frame, start) != 0 or _zero_sound(view, header))
    return kind != TCP or wire.TCP_SIZE <= wire.tcp_header_size(frame, start) <= header.end - start


def _check(view: View) -> int:
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
        out.append(_check(view))
    return bytes(out)
