"""Whether packets are sound: lengths that fit, headers that are whole, checksums that are right; twin of ../c/soundness.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from .checksum import CORRECTED, CUT_SHORT, FRAGMENT, MALFORMED, WRONG, Checksum, Message, View
from .headers import (
    ETHERNET,
    IP,
    IPV6,
    IPV6_AH,
    IPV6_OPTIONS,
    KNOWN,
    SLL,
    SLL2,
    TAGS,
    TCP,
    UNKNOWN,
    VLAN,
    Header,
)
from .rows import checked

NONE, RIGHT, BAD, UNCERTAIN = range(4)  # `enum verdict` in ../c/codec.h
ANNOUNCED_AT = {ETHERNET: 12, VLAN: 2, SLL: 14, SLL2: 0}  # where a link layer's header says what is behind it
ARP_TYPE = 0x0806


def _judged(view: View, checksum: Checksum | None) -> int:
    """In one's complement 0 and 0xFFFF are the same number: receivers that add everything up accept both."""
    if checksum is None:
        return NONE
    stored, (_, size, value) = view.read(checksum), checksum
    return RIGHT if stored == value or (size == 2 and stored % 0xFFFF == value % 0xFFFF == 0) else BAD


def _message_judged(view: View, message: Message, checksum: Checksum | None) -> int:
    """The same for a message; UDP over IPv4 may say that it has none, over IPv6 it must not (RFC 768, RFC 8200 8.1)."""
    if checksum and message.protocol == 17 and view.read(checksum) == 0:
        return BAD if message.v6 else NONE
    return _judged(view, checksum)


def verify(data: bytearray, row: bytes) -> list[int]:
    """What each header of one packet says of itself, in the order of `walk`.

    NONE: it carries no checksum; RIGHT; BAD; UNCERTAIN: what it should be cannot be told, because the packet was cut short
    or is malformed.
    """
    values = checked(data, row)
    if len(values) != COLUMNS:
        raise ValueError("one row is verified at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    view = View(frame, values[ORIGINAL], values[LINKTYPE])
    verdicts = [NONE] * len(view.headers)
    for i, (kind, *_) in enumerate(view.headers):
        if kind not in (IP, IPV6):
            continue
        checksum = view.header_checksum(i)
        verdicts[i] = _judged(view, checksum) if checksum else UNCERTAIN if kind == IP else NONE
        outcome, message, checksum = view.message_checksum(i)
        k = i + 1
        while k < len(view.headers) and IPV6_OPTIONS <= view.headers[k][0] <= IPV6_AH:
            k += 1
        if k == len(view.headers) or message is None or view.headers[k][1] != message.at or outcome == FRAGMENT:
            continue
        if outcome == CORRECTED:
            verdicts[k] = _message_judged(view, message, checksum)
        elif view.place(message):
            verdicts[k] = UNCERTAIN
    return verdicts


def _header_sound(view: View, header: Header) -> bool:
    kind, start, _, end = header
    if kind == IP:  # a total of 0 is how segmentation offload shows what the wire never has
        return view.frame[start] >> 4 == 4 and view.get(start + 2, 2) != 0
    if kind == IPV6:  # 0 may only be a jumbogram, which has options (RFC 2675), or nothing
        return view.frame[start] >> 4 == 6 and (view.get(start + 4, 2) != 0 or view.get(start + 6, 1) in (0, 59))
    return kind != TCP or 20 <= (view.frame[start + 12] >> 4) * 4 <= end - start


def _check(frame: bytes, original: int, linktype: int) -> int:
    if original > len(frame):
        return CUT_SHORT
    view = View(frame, original, linktype)
    kind, start = view.headers[-1][:2]
    announced = view.get(start + ANNOUNCED_AT[kind], 2) if kind in ANNOUNCED_AT else 0
    if view.partial or (kind == UNKNOWN and linktype in KNOWN) or announced == ARP_TYPE or announced in TAGS:
        return MALFORMED
    worst = CORRECTED
    for i, header in enumerate(view.headers):
        if not _header_sound(view, header):
            return MALFORMED
        if header[0] not in (IP, IPV6):
            continue
        if _judged(view, view.header_checksum(i)) == BAD:
            worst = WRONG
        outcome, message, checksum = view.message_checksum(i)
        if outcome in (CUT_SHORT, MALFORMED) or message is None or not view.within(message.at, message.size):
            return MALFORMED
        if _message_judged(view, message, checksum) == BAD:
            worst = WRONG
    return worst


def check(data: bytearray, rows: bytes) -> bytes:
    """Whether each packet is sound, a byte a packet.

    CORRECTED (0): it is; CUT_SHORT: a part of it was not captured; MALFORMED: its sizes contradict each other, or a header
    is not whole; WRONG: a checksum is wrong.
    """
    values = checked(data, rows)
    out = bytearray()
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        out.append(_check(frame, values[i + ORIGINAL], values[i + LINKTYPE]))
    return bytes(out)
