"""Where addresses, ports and VLAN numbers stand, by descriptions: all fields that are such, of headers and items."""

from __future__ import annotations

from struct import pack

from . import IPV4, IPV6, MAC
from .fields import HEADERS, TABLE

ADDRESS4, ADDRESS6, STATION, PORT, VLAN = range(5)  # sorts of numbers
WIDTHS = (32, 128, 48, 16, 12)  # bits
SOURCE, DESTINATION, NEITHER, ANYWHERE = 1, 2, 4, 7  # sides: bits

FORMS = {IPV4: ADDRESS4, IPV6: ADDRESS6, MAC: STATION}
VLANS = ("ETHERNET.VLAN_ID", "ERSPAN.VLAN")
INVERTED = ("TEREDO.ADDR", "TEREDO.PORT")  # RFC 4380 section 5.1.1: every bit is
BEGINNINGS = (
    "ICMPV6.ROUTE_PREFIX",
    "ICMPV6.PREF64",
)  # RFC 4191 section 2.3, RFC 8781 section 4: the first bits, as many as there are
# Those that have the form of an address and are none: masks, and areas of OSPF, which are numbers with dots.
NONE = ("ICMP.MASK", "DHCP.OPT_NETMASK", "OSPF.AREA")
PORTS = ("SRC_PORT", "DST_PORT", "UDP_PORT", "TEREDO.PORT")
# On which side a field stands, by what its name says; what says neither of them is of both, or of others.
SIDES = {"SRC": SOURCE, "SENDER": SOURCE, "DST": DESTINATION, "TARGET": DESTINATION, "RECEIVER": DESTINATION}
# 802.11: the receiver's and the transmitter's; a neighbour advertises itself, with its own address (RFC 4861 section 4.4).
SIDE = {"WLAN.ADDR1": DESTINATION, "WLAN.ADDR2": SOURCE, "ICMPV6.OPT_ADDR": SOURCE}
ADVERTISEMENT = "ICMPV6_NA"


def sort_of(name: str, form: str) -> int | None:
    """The sort of number that a field is; None: it is none of these."""
    if name in NONE:
        return None
    if name in VLANS:
        return VLAN
    if name in BEGINNINGS:
        return ADDRESS6
    if name.endswith(PORTS):
        return PORT
    return FORMS.get(form)


def side_of(name: str, header: int) -> int:
    """On which side it stands."""
    if name == "ICMPV6.TARGET" and header < len(HEADERS) and HEADERS[header] == ADVERTISEMENT:
        return SOURCE
    return SIDE.get(name) or SIDES.get(name.partition(".")[2].partition("_")[0]) or SIDES.get(name.partition(".")[2], NEITHER)


def how_written(name: str) -> int:
    """Whether all of its bits, their inverse, or its first ones stand there: `enum written` of codec/c/addresses.h."""
    return 1 if name in INVERTED else 2 if name in BEGINNINGS else 0


def named_places() -> set[str]:
    """The names of the fields."""
    return {row.name for row in TABLE if sort_of(row.name, row.kind) is not None}


def places(counted: dict[int, int] | None = None) -> bytes:
    """All of them, six integers each, as `struct address_place` of codec/c/addresses.h.

    counted: kinds of headers that are only counted, and the number under which.
    """
    found = {
        (row.header, row.bit): (sort, side_of(row.name, row.header), row.bit, WIDTHS[sort], how_written(row.name))
        for row in TABLE
        if (sort := sort_of(row.name, row.kind)) is not None and (row.width == WIDTHS[sort] or row.name in BEGINNINGS)
    }
    rows = [(header, *rest) for (header, _), rest in sorted(found.items())]
    rows += [(header, 0, number, 0, 0, 0) for header, number in sorted((counted or {}).items())]
    return b"".join(pack("6q", *row) for row in rows)
