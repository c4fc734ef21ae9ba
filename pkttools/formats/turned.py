"""Blocks beside packets in the other byte order (draft-ietf-opsawg-pcapng sections 4.5 to 4.8).

What secrets, names and journals hold are octets whatever the order of their section is: only what frames them has one, and the
numbers of statistics. Whatever nobody here knows cannot be turned.
"""

from __future__ import annotations

import struct

from .. import blocks
from .sections import JOURNAL, LEAST_STATISTICS, NAMES, SECRETS, STATISTICS

NAME_RECORDS = (1, 2, 3, 4)  # of addresses of IPv4, IPv6, EUI-48, EUI-64
NAME_OPTIONS = (2, 3, 4)  # of the server that gave the names: its name and addresses
TIMES, COUNTS = (2, 3), (4, 5, 6, 7, 8)  # options of statistics: two words each, the upper one first; one number


def turned(kind: int, octets: bytes, old: str, new: str) -> tuple[bytes, int, int]:
    """A block in the byte order `new`, and how many records and options of it could not be turned.

    kind: its type. octets: all of it. old, new: the `<` or `>` of struct. What is given is empty where nothing can be turned: what
    the block holds is not known, or is not whole.
    """
    body, stop = octets[8:-4], len(octets) - 12
    lost = 0
    if kind == JOURNAL:
        return blocks.block(kind, body, new), 0, 0
    if kind == SECRETS and stop >= 8:
        what, size = struct.unpack_from(old + "II", body)
        at = 8 + size + -size % 4
        out = struct.pack(new + "II", what, size) + body[8:at]
    elif kind == STATISTICS and len(octets) >= LEAST_STATISTICS:
        at = 12
        out = struct.pack(new + "III", *struct.unpack_from(old + "III", body))
    elif kind == NAMES:
        records = blocks.options(bytearray(body), 0, stop, old)  # they are framed as options are
        if records is None:
            return b"", 0, 0
        kept = [(code, value) for code, value in records if code in NAME_RECORDS]
        lost = len(records) - len(kept)
        at = sum(4 + len(value) + -len(value) % 4 for _, value in records) + 4
        out = b"".join(blocks.option(code, value, new) for code, value in kept) + blocks.option(blocks.END, b"", new)
    else:
        return b"", 0, 0
    options, more = blocks.options_until(bytearray(body), min(at, stop), stop, old)
    if options is None or (kind == SECRETS and at > stop):
        return b"", 0, 0
    done = [(code, value) for code, given in options if (value := _option(kind, code, given, old, new)) is not None]
    return blocks.block(kind, out + blocks.listed(done, new), new), lost, len(options) - len(done) + more


def _option(kind: int, code: int, value: bytes, old: str, new: str) -> bytes | None:
    """The value of an option in the other byte order; None: it is not known."""
    if code == blocks.COMMENT or (kind == NAMES and code in NAME_OPTIONS):
        return value
    if kind == STATISTICS and len(value) == 8 and code in TIMES:
        return struct.pack(new + "II", *struct.unpack(old + "II", value))
    return value[::-1] if kind == STATISTICS and len(value) == 8 and code in COUNTS else None
