"""Of what link type bytes look like they are: dumps hardly say it, and what a header is says it by its numbers."""

from __future__ import annotations

NULL, ETHERNET, RAW, SLL, SLL2 = 0, 1, 101, 113, 276
TAGS = (0x8100, 0x88A8, 0x9100)  # EtherTypes of VLAN tags
OTHERS = (0x0806, 0x8035, 0x8847, 0x8848, 0x8863, 0x8864, 0x888E, 0x88CC, 0x88E5, 0x88F7, 0x8902, 0x9000, 0x88B5, 0x88B6)
FAMILIES = {family.to_bytes(4, order) for family in (2, 10, 24, 28, 30) for order in ("little", "big")}  # AF_INET, AF_INET6
NOTHING, MAYBE, LIKELY, CERTAIN = range(4)  # CERTAIN: a checksum or a length is right


def internet(data: bytes, at: int = 0) -> int:
    """How much a place looks like an IP header."""
    left = len(data) - at
    if left < 1:
        return NOTHING
    version = data[at] >> 4
    if version == 4 and left >= 20:
        size = 4 * (data[at] & 15)
        total = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 20 or size > left:
            return NOTHING
        right = int.from_bytes(data[at : at + size], "big") % 0xFFFF == 0
        return CERTAIN if right or total == left else LIKELY if size <= total <= left else MAYBE if data[at + 8] else NOTHING
    if version == 6 and left >= 40:
        size = 40 + int.from_bytes(data[at + 4 : at + 6], "big")
        return CERTAIN if size == left else LIKELY if size < left else MAYBE
    return NOTHING


def under(data: bytes, at: int) -> int:
    """How much a place looks like an EtherType, with what it announces behind it."""
    if len(data) < at + 2:
        return NOTHING
    kind = int.from_bytes(data[at : at + 2], "big")
    while kind in TAGS and len(data) >= at + 6:
        at += 4
        kind = int.from_bytes(data[at : at + 2], "big")
    if kind in (0x0800, 0x86DD):
        fits = at + 2 < len(data) and data[at + 2] >> 4 == (4 if kind == 0x0800 else 6)
        return max(internet(data, at + 2), LIKELY) if fits else MAYBE
    if kind == 0x0806:
        return CERTAIN if data[at + 2 : at + 6] == b"\0\1\x08\0" else MAYBE
    return LIKELY if kind in OTHERS else NOTHING


def looks(data: bytes) -> tuple[int, int]:
    """The link type that bytes look like, and how much; of several the first one that a dump is likely to be of."""
    found = {ETHERNET: under(data, 12), RAW: internet(data)}
    if found[ETHERNET] == NOTHING and len(data) >= 17 and int.from_bytes(data[12:14], "big") == len(data) - 14:
        found[ETHERNET] = LIKELY  # IEEE 802.3: a length
    if len(data) >= 16 and data[0] == 0 and data[1] <= 4 and data[4] == 0 and data[5] <= 8:
        found[SLL] = under(data, 14)
    if len(data) >= 20 and data[2:4] == b"\0\0" and data[10] <= 4:
        found[SLL2] = min(under(data, 0), internet(data, 20))
    if data[:4] in FAMILIES:
        found[NULL] = internet(data, 4)
    best = max(found, key=lambda link: found[link])
    return best, found[best]
