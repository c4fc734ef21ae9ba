"""Long headers of QUIC, in a line; twin of ../c/quic.c.

What they protect is not read: without keys there is no telling what it is. RFC 8999 section 5.1, RFC 9000 sections 12.2 and 17.2,
RFC 9369 section 3.2.
"""

from __future__ import annotations

from .messages import BAD_LENGTH, Sentence
from .wire import get8, get32

LONG, FIXED, INITIAL, RETRY, MOST_ID = 0x80, 0x40, 0, 3, 20
VERSION_2 = 0x6B3343CF
TYPES = ("Initial", "0-RTT", "Handshake", "Retry")


def is_older(version: int) -> bool:
    """Whether its headers are not yet those of RFC 8999: the sizes of both IDs share an octet in drafts before 22, and Google's."""
    draft = version >> 8 == 0xFF0000 and version & 0xFF < 22
    return draft or version >> 16 in (0x5130, 0x5430)  # Q0, T0


def version_name(version: int) -> str:
    """How a version is called."""
    if version >> 8 == 0xFF0000:
        return f"draft-{version & 0xFF}"
    if is_older(version):
        told = Sentence()
        told.octets(version.to_bytes(4, "big"))
        return told.text
    return {1: "v1", VERSION_2: "v2"}.get(version) or f"0x{version:08x}"


def say_id(told: Sentence, word: str, m: bytes, at: int) -> int:
    """A connection ID behind its size; gives where what follows stands; 0: it is not all there."""
    size = get8(m, at)
    there = m[at + 1 : at + 1 + size]
    told.say(word)
    told.say("-" if at < len(m) and size == 0 else there.hex())
    if at < len(m) and len(there) == size:
        return at + 1 + size
    told.mark()
    return 0


def number_at(m: bytes, at: int) -> tuple[int, int]:
    """A number whose first two bits are its size: RFC 9000 section 16. And where what follows stands; 0: it is not there."""
    size = 1 << (get8(m, at) >> 6)
    if at + size > len(m):
        return 0, 0
    return int.from_bytes(m[at : at + size], "big") & (1 << 8 * size - 2) - 1, at + size


def packet_end(m: bytes, behind: int, kind: int) -> int:
    """Where a packet ends whose numbers stand at `behind`; 0: it is not all there."""
    if kind == RETRY:
        return len(m)
    if kind == INITIAL:  # a token
        number, behind = number_at(m, behind)
        if behind == 0 or number > len(m) - behind:
            return 0
        behind += number
    number, behind = number_at(m, behind)
    return 0 if behind == 0 or number > len(m) - behind else behind + number


def tell_quic(told: Sentence, m: bytes, at: int) -> None:
    """The packets of a datagram: RFC 9000 section 12.2."""
    if not m[at] & LONG or at + 6 > len(m):
        return
    version, between = get32(m, at + 1), ""
    if is_older(version):
        told.say(f"version {version_name(version)}")
        return
    known = version in (1, VERSION_2) or version >> 8 == 0xFF0000
    while at < len(m) and not told.full:
        first = m[at]
        if not first & LONG or at + 5 > len(m) or get32(m, at + 1) != version:
            told.say(", 1-RTT" if first & (LONG | FIXED) == FIXED else "")  # else it is no packet of this connection
            return
        kind = (first >> 4 & 3) + (3 if version == VERSION_2 else 0) & 3
        told.say(between)
        between = ", "
        told.say("Version Negotiation" if version == 0 else f"{TYPES[kind] if known else 'version'} {version_name(version)}")
        destination = at + 5
        source = say_id(told, " dcid ", m, destination)
        behind = say_id(told, " scid ", m, source) if source else 0
        if behind == 0:
            return
        if version == 0:  # the versions that there are: RFC 8999 section 6
            for i, place in enumerate(range(behind, len(m) - 3, 4)):
                told.say(f"{',' if i else ' of '}{version_name(get32(m, place))}")
            return
        if not known:
            return
        if m[destination] > MOST_ID or m[source] > MOST_ID:
            told.mark(BAD_LENGTH)
            return
        at = packet_end(m, behind, kind)
        if at == 0:
            told.mark()
            return
