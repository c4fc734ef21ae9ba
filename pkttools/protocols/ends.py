"""Between whom packets go, by descriptions: fields of addresses and ports, and what tells networks apart."""

from __future__ import annotations

from struct import iter_unpack, pack

from . import APART, IPV4, IPV6, MAC, ONEWAY, ROW_SIZE, TRAITS, _rows
from .fields import FIELDS, ROWS, TABLE
from .kinds import has
from .walking import TAG, TUNNEL

LINK, NETWORK, PORTS = 1, 2, 3  # levels: as `enum level` of codec/c/conversations.h
FIRST_GROUP = 65536  # of fields that tell networks apart: more than kinds can be


def pairs() -> tuple[tuple[str, str], ...]:
    """Fields that say from whom and to whom, of whatever header has both."""
    both = ((name, name.replace(".SRC_", ".DST_")) for name in FIELDS if ".SRC_" in name)
    return tuple(pair for pair in both if pair[1] in FIELDS)


def ends() -> bytes:
    """Kinds of headers that say between whom they go, six integers each, as `struct ends` of codec/c/conversations.h.

    They are those with fields SRC_ADDR and DST_ADDR, or SRC_PORT and DST_PORT. Variants of a header, such as those with and
    without an optional part, are one group.
    """
    found: dict[int, tuple[int, ...]] = {}
    groups: dict[str, int] = {}
    names = TABLE.names
    places = {(ROWS[i * ROW_SIZE], name): i for i, name in enumerate(names) if name.endswith(("_ADDR", "_PORT"))}
    for (header, name), index in places.items():
        protocol, _, field = name.rpartition(".")
        other = places.get((header, f"{protocol}.DST_{field[4:]}")) if field in ("SRC_ADDR", "SRC_PORT") else None
        if other is not None:
            source, destination = TABLE[index], TABLE[other]
            level = PORTS if field == "SRC_PORT" else {MAC: LINK, IPV4: NETWORK, IPV6: NETWORK}.get(source.kind, 0)
            if level and source.kind == destination.kind:
                group = groups.setdefault(name, header)
                found[header] = header, level, group, source.bit, destination.bit, source.width
    return b"".join(pack("6q", *found[header]) for header in sorted(found))


def keeping_apart() -> bytes:
    """The fields by which networks are told apart, six integers each, as `struct keeping_apart` of codec/c/conversations.h.

    They are those that descriptions call `apart`, without addresses, which are ends, and without what only announces what follows:
    what the walk asks for. Of tunnels it may ask for the number of a network, such as a key of GRE. A tag of VLAN 0 is
    of no VLAN (IEEE 802.1Q table 9-2).
    """
    found = []
    groups: dict[str, int] = {}
    for index, (_, holds, _) in enumerate(iter_unpack(TRAITS, _rows.TRAITS)):
        if holds & APART:
            row = TABLE[index]
            announces = row.shapes and not has(row.header, TUNNEL)
            if row.width and row.width < 64 and not announces and not row.name.endswith("_ADDR"):
                group = groups.setdefault(row.name, FIRST_GROUP + index)
                least = int(has(row.header, TAG))
                found.append((row.header, group, row.bit, row.width, least, int(bool(holds & ONEWAY))))
    return b"".join(pack("6q", *one) for one in sorted(found))
