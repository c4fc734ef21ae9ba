"""Replaces addresses, ports, and MAC and VLAN numbers in every place where such stand, by rules.

How it is done is the codec's: see codec/python/addresses.py; where they stand: protocols/places.py.
"""

from __future__ import annotations

from struct import pack

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..errors import checksum_left, checksum_unknown, passed
from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.layouts import LAYOUT
from ..protocols.places import ADDRESS4, ADDRESS6, ANYWHERE, STATION, WIDTHS, named_places, places
from ..protocols.showing import APPLICATION
from .splicing import chosen_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..language.filters import Filter
    from .endpoints import Sides

REPLACE, ASK, REFUSE = range(3)  # what a rule does
RULE = "4q6Q"
HALF = (1 << 64) - 1
# Headers, not of applications, with records behind them in which addresses stand.
CLOSED = ("ARP_SIZED", "EIGRP", "PIM", "RSVP")
ALL_CLOSED = "OSPF"  # a protocol whose headers all are: with a password, in front of link-local signalling...
# Extension headers with such, which no --wipe makes zeros of. Of routes those whose addresses are not fields: RPL, unknown types.
OPEN = {"IPV6_ROUTING": "IPv6 route", "IPV6_MOBILITY": "Mobility", "IPV6_HIP": "HIP", "IPV6_SHIM6": "Shim6"}
ROUTE = HEADERS.index("IPV6_ROUTING")
ROUTES = ["any IPV6.ROUTE_TYPE == 1", "any IPV6.ROUTE_TYPE == 3", "any IPV6.ROUTE_TYPE > 4"]


def rule(sort: int, length: int, number: int, to: int = 0, keep: int = 0, *, treatment: int = REPLACE,
         sides: int = ANYWHERE) -> bytes:  # fmt: skip
    """A rule for numbers that begin with the first `length` bits of one: they become `to`, with those bits that are kept."""
    numbers = (part for value in (number, to, keep) for part in (value >> 64, value & HALF))
    return pack(RULE, sort, sides, length, treatment, *numbers)


class Mapper:
    """Replaces by rules; a stage of a flow.

    rules: see `rule`. answer: gives the rules for what they ask for, QUESTION of codec/python/addresses.py each, of its full
    length. keep: checksums stay as they are. guard: only packets that it accepts. sides: which way each packet goes; turned: the
    rules for those that go back. Counts what became of the packets.
    """

    TALLIES = ("mapped", "refused", "stale", "unknown", "headers")  # see flow/tallies.py

    def __init__(self, rules: bytes, *, answer: Callable[[bytes], bytes] | None = None, keep: bool = False,
                 guard: Filter | None = None, sides: Sides | None = None, turned: bytes = b"") -> None:  # fmt: skip
        self.answer, self.keep, self.guard, self.sides = answer, keep, guard, sides
        self.closed = closed()
        numbers = {kind: number for number, kind in enumerate(self.closed)}
        self.route = numbers[ROUTE]
        self.tables = [table(of, numbers) for of in ((rules, turned) if sides else (rules,))]
        self.mapped = self.refused = self.stale = self.unknown = 0
        self.headers = [0] * len(self.closed)  # that are not looked into
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, in batches that the guard accepts, or does not."""
        for batch in stream:
            for part, chosen in chosen_parts(batch, self.guard):
                if chosen:
                    ways = self.sides.split(part) if self.sides else (part.rows,)
                    routes = self.headers[self.route]
                    for number, rows in enumerate(ways):
                        self.map(part, rows, self.tables[number])
                    if self.headers[self.route] > routes:
                        self.headers[self.route] = routes + self.strange(part)
                yield part

    def strange(self, batch: Batch) -> int:
        """In how many packets of a batch are routes whose addresses are not fields."""
        from ..language.filters import Filter  # late: few packets have any route

        return len(Filter(ROUTES).select(batch)) // ROW_BYTES

    def map(self, batch: Batch, rows: bytearray, table: object) -> None:
        """Replaces in the packets of these rows; those with numbers that are asked for, when the answer is there."""
        while rows:
            mapped, refused, stale, unknown, headers, asked, rows = codec.map_addresses(
                batch.data, rows, table, self.keep, self.beyond
            )
            self.mapped, self.refused = self.mapped + mapped, self.refused + refused
            self.stale, self.unknown = self.stale + stale, self.unknown + unknown
            self.headers = [count + more for count, more in zip(self.headers, headers, strict=True)]
            if asked and self.answer:
                codec.address_rules(table, self.answer(asked))

    def said(self) -> list[str]:
        """What there is to say at the end."""
        said = []
        if self.refused:
            said.append(passed(self.refused, "an address has no other one"))
        if self.stale:
            said.append(checksum_left(self.stale))
        if self.unknown:
            said.append(checksum_unknown(self.unknown))
        names: dict[str, int] = {}
        for kind, count in zip(self.closed, self.headers, strict=True):
            if count:
                name = OPEN.get(HEADERS[kind], LAYOUT[kind].title)
                names[name] = names.get(name, 0) + count
        if names:
            parts = ", ".join(f"{name} ({count})" for name, count in names.items())
            said.append(f"not looked into, though addresses may stand there: {parts}")
        return said


def table(rules: bytes, only_counted: dict[int, int] | None = None) -> object:
    """A table of the codec with these rules."""
    made = codec.address_table(places(only_counted))
    codec.address_rules(made, rules)
    return made


def closed() -> list[int]:
    """Kinds of headers in which addresses may stand that no field holds: names, texts, packed records."""
    fields = {name.partition(".")[0] for name in named_places()}
    kinds = []
    for kind in range(1, len(HEADERS)):
        protocol = BY_HEADER[kind][0].name.partition(".")[0] if BY_HEADER[kind] else ""
        told = HEADERS[kind] in CLOSED or protocol == ALL_CLOSED or (LAYOUT[kind].layer == APPLICATION and protocol not in fields)
        if HEADERS[kind] in OPEN or (LAYOUT[kind].title and told):
            kinds.append(kind)
    return kinds


def ask_for(*sorts: int) -> bytes:
    """Rules that ask for all numbers of some sorts."""
    return b"".join(rule(sort, 0, 0, treatment=ASK) for sort in sorts)


ADDRESSES = (ADDRESS4, ADDRESS6, STATION)


def stays(sort: int, length: int, number: int) -> bytes:
    """The rule by which numbers stay that begin so."""
    return rule(sort, length, number, 0, (1 << WIDTHS[sort]) - 1)
