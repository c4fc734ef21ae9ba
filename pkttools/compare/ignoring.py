"""What may differ between packets that count as the same: fields, headers, facts of the packet, and sets of these by name."""

from __future__ import annotations

from array import array
from functools import cache

from ..errors import UsageError, unknown
from ..protocols.fields import BY_HEADER, FIELDS, HEADERS, LAYERS, MAC, TABLE, current
from ..protocols.kinds import has, rows
from ..protocols.walking import LINK_LAYER

FACTS = ("LINKTYPE", "TIME", "CAPTURED", "SIZE", "NOTES", "PADDING", "FCS", "ORDER")  # of a packet, and of all, besides fields
ALL_BITS = 0xFFFFFFFF
NAMED = {
    "checksums": "the checksums of all headers, and frame check sequences",
    "mac": "the addresses of link layers; not those that ARP carries",
    "routing": "what a router changes: mac, VLAN, TTL, IPv6's hop limit, IP's checksum, padding and with it SIZE, FCS, TIME",
    "nat": "what a translator changes: routing, IP addresses, ports, the ID of ICMP, checksums",
    "capture": "how it was captured: TIME, and CAPTURED: only bytes that both have are compared",
}


class Ignored:
    """What may differ.

    fields: names of fields. kinds: of headers, by the tables, which may differ, or be missing, as a whole. facts: those of FACTS
    that are not compared. within: nanoseconds by which times may differ. unsaid: the time of packets that say none, as in
    texts without TIME: it is not compared.
    """

    __slots__ = ("_places", "facts", "fields", "kinds", "unsaid", "within")

    def __init__(self, fields: frozenset[str] = frozenset(), kinds: frozenset[int] = frozenset(),
                 facts: frozenset[str] = frozenset(("NOTES",)), within: int = 0, unsaid: int | None = None) -> None:  # fmt: skip
        self.fields, self.kinds, self.facts, self.within, self.unsaid = fields, kinds, facts, within, unsaid
        self._places: dict[int, list[tuple[int, int]]] = {}

    @classmethod
    def named(cls, name: str) -> Ignored:
        """What one of NAMED stands for. Raises UsageError."""
        if name.lower() not in NAMED:
            raise UsageError(unknown("set", name, [*NAMED]))
        return cls.of(name)

    @classmethod
    def of(cls, text: str, *, notes: bool = False, within: int = 0, unsaid: int | None = None) -> Ignored:
        """What a list names: `routing,TTL,IP.ID,UDP,TIME`. notes: lines such as IFACE are compared, too. Raises UsageError."""
        fields: set[str] = set()
        kinds: set[int] = set()
        facts = set() if notes else {"NOTES"}
        for word in filter(None, (part.strip() for part in text.split(","))):
            if word.upper() in FACTS:
                facts.add(word.upper())
            elif word.lower() in NAMED:
                names, headers, more = _meant(word.lower())
                fields |= names
                kinds |= headers
                facts |= more
            elif named := _fields_of(word.upper()):
                fields |= named
            elif word.upper() in LAYERS or word.upper() in HEADERS:
                kinds |= _kinds_of(word.upper())
            else:
                short = {name.partition(".")[2] for name in FIELDS}
                raise UsageError(f"--ignore: {unknown('field', word, [*NAMED, *FACTS, *LAYERS, *short, *FIELDS])}")
        return cls(frozenset(fields), frozenset(kinds), frozenset(facts), within, unsaid)

    def places(self, kind: int) -> list[tuple[int, int]]:
        """Where fields that may differ lie in headers of a kind: the first bit, and how many."""
        if kind not in self._places:
            self._places[kind] = [(row.bit, row.width) for row in BY_HEADER[kind] if row.width and row.name in self.fields]
        return self._places[kind]

    def told(self) -> tuple[int, bool, bool, bytes, bytes]:
        """The same, as far as `codec.unlike` and `codec.blank` know it."""
        within = -1 if "TIME" in self.facts else self.within
        first, places = array("q", (0,)), array("q")
        for kind in range(len(HEADERS) if self.fields or self.kinds else 0):
            if kind in self.kinds:
                places.extend((0, ALL_BITS, 0))
            for bit, width in self.places(kind):
                places.extend((bit, width, 0))
            for row in BY_HEADER[kind]:
                if row.width and row.name in checksums() and kind not in self.kinds and row.name not in self.fields:
                    places.extend((row.bit, row.width, 1))
            first.append(len(places) // 3)
        return within, "SIZE" not in self.facts, "NOTES" not in self.facts, first.tobytes(), places.tobytes()


@cache
def checksums() -> frozenset[str]:
    """The fields that are checksums."""
    found: set[str] = set()
    for kind, at, size, *_ in rows("sums"):
        found.update(row.name for row in BY_HEADER[kind] if (row.bit, row.width) == (at * 8, size * 8))
    return frozenset(found)


def _fields_of(name: str) -> frozenset[str]:
    """The fields of a name: `IP.TTL`, `TTL` of whatever header, `IP.ADDR` and `TCP.PORT` for both; none: it is no field."""
    if "." in name and name in FIELDS:
        return frozenset((current(name),))
    protocol, _, short = name.rpartition(".")
    if short in ("ADDR", "PORT") and name not in FIELDS:
        both = {field for field in FIELDS if field.endswith((f".SRC_{short}", f".DST_{short}"))}
        return frozenset(field for field in both if not protocol or field.startswith(f"{protocol}."))
    return frozenset(field for field in FIELDS if field.partition(".")[2] == name) if not protocol else frozenset()


def _kinds_of(name: str) -> set[int]:
    """The kinds of headers of a protocol, or of one kind's name."""
    return set(LAYERS.get(name, ())) | {kind for kind, header in enumerate(HEADERS) if header == name}


def _meant(name: str) -> tuple[frozenset[str], set[int], frozenset[str]]:
    """The fields, the kinds of headers and the facts that a name of NAMED stands for."""
    nothing: frozenset[str] = frozenset()
    if name == "checksums":
        return checksums(), set(), frozenset(("FCS",))
    if name == "mac":
        links = {kind for kind in range(len(HEADERS)) if has(kind, LINK_LAYER)}
        return frozenset(row.name for row in TABLE if row.kind == MAC and row.header in links), set(), nothing
    if name == "capture":
        return nothing, set(), frozenset(("TIME", "CAPTURED"))
    macs, *_ = _meant("mac")
    routing = macs | {"IP.TTL", "IPV6.HOP_LIMIT", "IP.CHECKSUM"}
    facts = frozenset(("TIME", "PADDING", "SIZE", "FCS"))
    if name == "routing":
        return routing, _kinds_of("VLAN"), facts
    addresses = {f"{version}.{end}_ADDR" for version in ("IP", "IPV6") for end in ("SRC", "DST")}
    ports = {field for field in FIELDS if field.endswith((".SRC_PORT", ".DST_PORT"))}
    return routing | addresses | ports | {"ICMP.ID", "ICMPV6.ID"} | checksums(), _kinds_of("VLAN"), facts
