"""Two hosts for all that is there: every packet goes from one of them to the other, by which side it came from."""

from __future__ import annotations

import re
from struct import iter_unpack

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..errors import UsageError, need
from ..protocols.places import ADDRESS4, ADDRESS6, DESTINATION, PORT, SOURCE, STATION, WIDTHS
from .addresses import rule, stays, table
from .mappings import Prefix, prefix

ENDS = "2q4Q"
NETWORK = 1 << ADDRESS4 | 1 << ADDRESS6
# What is no host of either side: groups, everybody, nobody.
NO_HOST = (
    (ADDRESS4, 4, 0xE0000000), (ADDRESS4, 32, 0xFFFFFFFF), (ADDRESS4, 32, 0), (ADDRESS6, 8, 0xFF << 120), (ADDRESS6, 128, 0),
    (STATION, 48, 0xFFFFFFFFFFFF), (STATION, 48, 0), (STATION, 24, 0x01005E << 24), (STATION, 16, 0x3333 << 32),
    (STATION, 24, 0x0180C2 << 24), (STATION, 24, 0x01000C << 24),
)  # fmt: skip


def pair(text: str) -> tuple[Prefix, Prefix]:
    """`192.0.2.1:192.0.2.2`, `[2001:db8::1]:[2001:db8::2]`, or two MAC addresses. Raises UsageError."""
    found = re.fullmatch(r"\[(.+)\]:\[(.+)\]", text) or re.fullmatch(r"([^:]+):([^:]+)", text)
    stations = re.fullmatch("((?:[^:]{1,2}:){5}[^:]{1,2}):((?:[^:]{1,2}:){5}[^:]{1,2})", text)
    if not (found or stations):
        raise UsageError(f"--endpoints: '{text}' is not A:B, such as 192.0.2.1:192.0.2.2 or [2001:db8::1]:[2001:db8::2]")
    option = "mac" if stations else "endpoints"
    one, other = (prefix(option, word) for word in (stations or found).groups())  # type: ignore[union-attr]  # one of them is there
    whole = one[0] == other[0] and one[2] == other[2] == WIDTHS[one[0]]
    need(whole, f"--endpoints: '{text}': two addresses of the same length")
    return one, other


def rules_of(pairs: list[tuple[Prefix, Prefix]], turned: bool) -> bytes:
    """The rules of one way: all sources are one host, all destinations the other."""
    made = b"".join(stays(*one) for one in NO_HOST)
    for (sort, one, _), (_, other, _) in pairs:
        source, destination = (other, one) if turned else (one, other)
        made += rule(sort, 0, 0, source, sides=SOURCE) + rule(sort, 0, 0, destination, sides=DESTINATION)
    return made


class Sides:
    """Which way each packet goes: 0 from the first host to the second, 1 back.

    by: `first`: whoever sent the first packet between two addresses is the first host; `port`: whoever has the higher port; a
    prefix or a MAC address: what is the first host's. Where these do not say it, the first packet does.
    """

    def __init__(self, by: str) -> None:
        """Raises UsageError."""
        self.by: Prefix | None = None
        self.ports = by == "port"
        if by not in ("first", "port"):
            station = re.fullmatch("(?:[^:]{1,2}:){5}[^:]{1,2}", by)
            try:
                self.by = prefix("mac" if station else "sides", by)
            except UsageError:
                raise UsageError(f"--sides: '{by}' is neither first nor port, nor an address or some first bits of one") from None
        self.table = table(b"")
        self.first: dict[tuple[int, int, int], int] = {}

    def split(self, batch: Batch) -> tuple[bytearray, bytearray]:
        """The rows of the packets of each way."""
        rows = bytearray(), bytearray()
        for i, (ends, said) in enumerate(zip(self.ends(batch, NETWORK), self.said(batch), strict=True)):
            rows[self.way(ends, said)].extend(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])
        return rows

    def said(self, batch: Batch) -> list[int | None]:
        """What is said by the port, the prefix or the MAC address; None: nothing."""
        if self.ports:
            return [None if source == destination or sides != SOURCE | DESTINATION else int(source < destination)
                    for _, sides, source, destination in self.ends(batch, 1 << PORT)]  # fmt: skip
        if not self.by:
            return [None] * len(batch)
        sort, number, length = self.by
        off = WIDTHS[sort] - length
        said: list[int | None] = []
        for own, sides, source, destination in self.ends(batch, 1 << sort):
            here = own == sort and bool(sides & SOURCE) and source >> off == number >> off
            there = own == sort and bool(sides & DESTINATION) and destination >> off == number >> off
            said.append(None if here == there else int(there))
        return said

    def ends(self, batch: Batch, sorts: int) -> list[tuple[int, int, int, int]]:
        """Sort, sides, source and destination of each packet."""
        found = iter_unpack(ENDS, codec.address_ends(batch.data, batch.rows, self.table, sorts))
        return [(sort, sides, high << 64 | low, high2 << 64 | low2) for sort, sides, high, low, high2, low2 in found]

    def way(self, ends: tuple[int, int, int, int], said: int | None) -> int:
        """That of a packet; what is said of one is remembered for those between the same two."""
        sort, _, source, destination = ends
        key = sort, min(source, destination), max(source, destination)
        if said is not None:
            self.first.setdefault(key, destination if said else source)
            return said
        return int(self.first.setdefault(key, source) != source)
