"""The kinds of headers that the walk knows, and the numbers that announce them, as tables for it: see walking.py."""

from __future__ import annotations

from .walking import (
    BY_SPACE,
    COOKED_TAGS,
    COUNTED,
    CUT,
    CUT_INSIDE,
    DEEP,
    EXTENSION,
    FROM_BEHIND,
    FROM_START,
    HIDDEN,
    LEAF,
    LINK_LAYER,
    LONG_DATA,
    MISSIZED,
    NEEDS_SIZE,
    OWN_END,
    PASSES,
    PROMISED,
    TAG,
    TO_KIND,
    TUNNEL,
    UNFOLLOWED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Read = tuple[int, int, int, int]
Test = tuple[Read, int, int, int, int]
Term = tuple[Read | None, int, int, tuple[Test, ...]]
End = tuple[Read | None, int, int, int, tuple[Test, ...]]
Rule = tuple[int, str | int, Read | None, int, tuple[Test, ...]]

MOST = 0xFFFFFFFF


def bits(bit: int, width: int) -> Read:
    """A number of the header."""
    return FROM_START, bit, width, 0


def little(bit: int, width: int) -> Read:
    """A little-endian number of the header."""
    return FROM_START, bit, width, 1


def behind(bit: int, width: int) -> Read:
    """A number of what follows; with a negative bit, of the end of the header."""
    return FROM_BEHIND, bit, width, 0


def within(read: Read, low: int, high: int = MOST, mask: int = MOST) -> Test:
    """Whether the bits of `mask` are in a range."""
    return read, mask, low, high, 0


def equal(read: Read, value: int, mask: int = MOST) -> Test:
    """Whether the bits of `mask` are a value."""
    return read, mask, value, value, 0


def unequal(read: Read, value: int, mask: int = MOST) -> Test:
    """Whether they are another one."""
    return read, mask, value, value, 1


class Kind:
    """A row of kinds, with names in place of numbers."""

    def __init__(self, fixed: int, *rules: Rule, flags: int = 0, data: int = -1, claims: int = 0, gives: int = 0,
                 terms: tuple[Term, ...] = (), align: int = 1, end: End = (None, 1, 0, 0, ()), trailer: int = 0,
                 whole: tuple[Test, ...] = (), exception: int = 0) -> None:  # fmt: skip
        self.fixed, self.rules, self.flags, self.data, self.claims, self.gives = fixed, rules, flags, data, claims, gives
        self.terms, self.align, self.end, self.trailer, self.whole, self.exception = terms, align, end, trailer, whole, exception


def to(kind: str, *tests: Test, flags: int = 0) -> Rule:
    """A rule: a kind."""
    return TO_KIND, kind, None, flags, tests


def by(space: str, read: Read, *tests: Test, flags: int = 0) -> Rule:
    """A rule: what a number announces."""
    return BY_SPACE, space, read, flags, tests


def counted(number: int, read: Read, *tests: Test) -> Rule:
    """A rule: nothing that is followed."""
    return COUNTED, number, read, 0, tests


def term(read: Read | None, scale: int, bias: int, *tests: Test) -> Term:
    """A part of a size."""
    return read, scale, bias, tests


def ends(read: Read, bias: int = 0, least: int = 0, *tests: Test) -> End:
    """An end."""
    return read, 1, bias, least, tests


def extension(scale: int, bias: int, whole: tuple[Test, ...] = ()) -> Kind:
    """An extension header of IPv6, RFC 8200 section 4: `scale` times its length and `bias` more."""
    return Kind(
        8, by("next", bits(0, 8)), flags=PASSES | OWN_END | NEEDS_SIZE | EXTENSION, data=2,
        terms=(term(bits(8, 8), scale, bias),), whole=whole,
    )  # fmt: skip


def unfollowed(fixed: int, *terms: Term) -> Kind:
    """What is counted where so many bytes of it are there."""
    return Kind(fixed, flags=UNFOLLOWED, terms=terms)


ETHERTYPES, PROTOCOLS, PORTS, LLC, LINKS, GRE_VERSIONS = range(1, 7)  # SPACES of names.py
TYPE = bits(96, 16)
GRE_FLAGS = bits(0, 16)
GRE_PLAIN = equal(GRE_FLAGS, 0, 0x4007)  # of version 0, without a route


def cooked(fixed: int, protocol: Read) -> Kind:
    """A Linux cooked capture; protocol 4: 802.2."""
    return Kind(
        fixed, by("ethertype", protocol), by("llc", behind(0, 16), equal(protocol, 4)), flags=LINK_LAYER, gives=1,
        exception=COOKED_TAGS,
    )  # fmt: skip


def loopback() -> Kind:
    """The families that systems write: BSD, macOS, Linux; in the byte order of the machine that wrote them."""
    return Kind(
        4, by("family", little(0, 32), within(bits(0, 32), 0x10000)), by("family", bits(0, 32)), gives=1, flags=LINK_LAYER,
    )  # fmt: skip


def pktap(number: Callable[[int, int], Read]) -> Kind:
    """Apple's PKTAP, its numbers in one byte order."""
    return Kind(
        108, by("link", number(64, 32), equal(number(32, 32), 1), flags=PROMISED), terms=(term(number(0, 32), 1, 0),),
        flags=MISSIZED | LINK_LAYER,
    )  # fmt: skip


KINDS = {
    "UNKNOWN": Kind(0),
    "LOOPBACK": loopback(),
    "LOOP": loopback(),
    "SLL": cooked(16, bits(112, 16)),
    "SLL2": cooked(20, bits(0, 16)),
    "PKTAP": pktap(little),
    "PKTAP_BE": pktap(bits),
    "ETHERNET": Kind(
        14, by("ethertype", TYPE), by("llc", behind(0, 16), within(TYPE, 0, 0x5FF)), flags=CUT_INSIDE | DEEP | LINK_LAYER, gives=1,
    ),
    "VLAN": Kind(4, by("ethertype", bits(16, 16)), flags=PASSES | OWN_END | DEEP | TAG),
    "ARP": Kind(28, flags=OWN_END, claims=2),
    # Total size 0 is how segmentation offload shows a datagram beyond 65,535 bytes: it goes on to the end of the frame.
    "IP": Kind(
        20, by("protocol", bits(72, 8)), flags=CUT | DEEP | LONG_DATA, claims=2, gives=2, terms=(term(bits(4, 4), 4, 0),),
        end=ends(bits(16, 16), least=1), whole=(equal(bits(48, 16), 0, 0x3FFF),),
    ),
    "IPV6": Kind(40, by("next", bits(48, 8)), flags=CUT | DEEP, claims=2, gives=2, end=ends(bits(32, 16), 40, 1)),
    "IPV6_OPTIONS": extension(8, 8),
    "IPV6_ROUTING": extension(8, 8),
    "IPV6_FRAGMENT": extension(0, 8, (equal(bits(16, 16), 0, 0xFFF9),)),  # RFC 6946: an atomic fragment is a whole datagram
    "IPV6_AH": extension(4, 8),
    "ICMP": Kind(4, claims=3, data=28),  # 1.16: behind the whole of BSD's struct icmp
    "IGMP": Kind(8, claims=3),
    "TCP": Kind(20, claims=3),
    # 0: a jumbogram (RFC 2675 section 4); 1 to 7: nonsense
    "UDP": Kind(8, by("udp", bits(16, 16)), by("udp source", bits(0, 16)), claims=3, end=ends(bits(32, 16), least=8)),
    "ICMPV6": Kind(4, claims=3, data=0x10000),  # 1.16: ICMPV6.DATA is a field of four bytes
    "SCTP": Kind(12),
    # RFC 2784 and RFC 2890. Version 1 (RFC 2637) and source routes (RFC 1701) are data.
    "GRE": Kind(
        4, counted(GRE_VERSIONS, bits(13, 3), unequal(GRE_FLAGS, 0, 0x4007)), to("ETHERNET", equal(bits(16, 16), 0x6558)),
        by("ethertype", bits(16, 16)), flags=TUNNEL,
        terms=(term(None, 0, 4), *(term(None, 0, 4, equal(GRE_FLAGS, bit, bit), GRE_PLAIN) for bit in (0x8000, 0x2000, 0x1000))),
    ),
    "VXLAN": Kind(8, to("ETHERNET", equal(bits(0, 8), 8, 8)), flags=TUNNEL),  # RFC 7348 section 5

    "raw": Kind(0, by("nibble", bits(0, 4)), flags=HIDDEN),
    # In the byte order of the machine that captured: the little-endian one, unless the length fits only the other way round.
    "pktap": Kind(0, to("PKTAP_BE", within(bits(0, 32), 0, 0xFFFF), within(little(0, 32), 0x10000)), to("PKTAP"), flags=HIDDEN),
    **{f"{size} bytes": unfollowed(size) for size in (1, 2, 4, 5, 6, 8, 12, 28, 40)},
    "geneve": unfollowed(8, term(None, 0, 8), term(bits(2, 6), 4, 0)),
}  # fmt: skip

# What is known to carry nothing, or nothing that can be read, is no headers that are not followed: routing protocols, ESP, LLDP.
LEAF_TYPES = (
    0x8035, 0x0842, 0x9000, 0x8863, 0x88CC, 0x8809, 0x888E, 0x88F5, 0x88F6, 0x88F7, 0x8902, 0x88E1, 0x8892, 0x88A4, 0x88B8,
    0x88B9, 0x88BA, 0x22EA, 0x22F0, 0x6002, 0x6003, 0x8808, 0x88FB,
    0x88B5, 0x88B6, 0x88B7,  # for experiments: who writes these knows what they are
)  # fmt: skip
LEAF_PROTOCOLS = (3, 8, 9, 33, 46, 50, 59, 88, 89, 108, 112, 113, 133, 136, 141, 146)
LEAF_LINKS = (
    186, 187, 189, 190, 191, 195, 201, 209, 215, 220, 227, 230, 249, 251, 253, 254, 255, 256, 264, 270, 271, 272, 278, 283, 288,
)  # fmt: skip
PIM: Any = [("1 bytes", equal(bits(4, 4), 1)), None]  # a datagram is in a Register, RFC 7761 section 4.9.3
CARRIED: dict[int, Any] = {6: "TCP", 17: "UDP", 132: "SCTP", 47: "GRE", 4: "IP", 41: "IPV6", 103: PIM}
FIRST, SECOND, EIGHTH = bits(0, 8), bits(8, 8), bits(56, 8)

# Its number in names.py, the least value that is counted, and what values announce: a kind, several with tests, nothing
SPACES: dict[str, tuple[int, int, dict[int, Any]]] = {
    "link": (LINKS, 0, {
        0: "LOOPBACK", 1: "ETHERNET", 12: "raw", 14: "raw", 101: "raw", 108: "LOOP", 113: "SLL", 149: "pktap", 228: "IP",
        229: "IPV6", 258: "pktap", 276: "SLL2", **dict.fromkeys(LEAF_LINKS),
    }),  # 12, 14: DLT_RAW of some systems; 149: PKTAP as Apple writes it
    "ethertype": (ETHERTYPES, 0x600, {
        0x0800: "IP", 0x0806: "ARP", 0x8100: "VLAN", 0x86DD: "IPV6", 0x88A8: "VLAN", 0x9100: "VLAN", 0x9200: "VLAN",
        **dict.fromkeys(LEAF_TYPES),
    }),
    "protocol": (PROTOCOLS, 0, {**dict.fromkeys((*LEAF_PROTOCOLS, 58, 135, 139, 140)), **CARRIED, 1: "ICMP", 2: "IGMP"}),
    "next": (PROTOCOLS, 0, {
        **dict.fromkeys((*LEAF_PROTOCOLS, 1, 2)), **CARRIED, 0: "IPV6_OPTIONS", 43: "IPV6_ROUTING", 44: "IPV6_FRAGMENT",
        51: "IPV6_AH", 58: "ICMPV6", 60: "IPV6_OPTIONS", 135: "IPV6_OPTIONS", 139: "IPV6_OPTIONS", 140: "IPV6_OPTIONS",
    }),
    # Tunnels over UDP, by their port and by what their first bytes have to be: any number is somebody's port, too.
    "udp": (PORTS, -1, UDP := {
        1701: [("6 bytes", equal(FIRST, 0, 0x80), equal(SECOND, 2, 14))],  # L2TP data, RFC 2661 section 3.1
        2152: [("8 bytes", equal(bits(0, 4), 3), equal(SECOND, 255))],  # GTP-U, 3GPP TS 29.281 section 5.1
        3544: [("40 bytes", equal(bits(0, 4), 6)), ("40 bytes", within(bits(0, 16), 0, 1))],  # Teredo, RFC 4380 section 5.1.1
        4341: [("28 bytes", equal(bits(64, 4), 4, 13))],  # LISP, RFC 9300
        4789: "VXLAN",
        4790: [("8 bytes", equal(FIRST, 8, 8))],  # VXLAN-GPE
        5247: [("8 bytes", equal(FIRST, 0))],  # CAPWAP data, RFC 5415 section 4.3
        6080: [("4 bytes", equal(FIRST, 0, 0x80))],  # GUE
        6081: [("geneve", equal(bits(0, 2), 0), equal(EIGHTH, 0))],  # RFC 8926
        6635: "4 bytes",  # MPLS, RFC 7510
        8472: [("8 bytes", equal(FIRST, 8), equal(EIGHTH, 0))],  # VXLAN, as Linux numbers it
        9899: "12 bytes",  # SCTP, RFC 6951
        37008: [("5 bytes", equal(FIRST, 1))],  # TZSP
    }),
    "udp source": (PORTS, -1, {port: UDP[port] for port in (1701, 3544, 9899)}),  # its answers come from there
    # IEEE 802.2: SNAP with an EtherType or a whole frame in it, and IP
    "llc": (LLC, -1, {
        0xAAAA: [("6 bytes", equal(bits(16, 8), 3), equal(bits(24, 24), organization)) for organization in (0, 0xF8, 0x80C2)],
        0x0606: "2 bytes",
    }),
    "family": (0, -1, {2: "IP", **dict.fromkeys((10, 23, 24, 28, 30), "IPV6")}),
    "nibble": (0, -1, {4: "IP", 6: "IPV6"}),
}  # fmt: skip


def compiled(kinds: dict[str, Kind], spaces: dict[str, tuple[int, int, dict[int, Any]]]) -> tuple[tuple[int, ...], ...]:
    """The tables, each as one row of integers."""
    number, space_number = {name: i for i, name in enumerate(kinds)}, {name: i for i, name in enumerate(spaces)}
    reads: dict[Read, int] = {}
    runs: dict[tuple[Test, ...], int] = {(): 0}
    tests: list[int] = []
    terms: list[int] = []
    rules: list[int] = []
    rows: list[int] = []
    entries: list[int] = []
    space_rows: list[int] = []

    def read(of: Read | None) -> int:
        return -1 if of is None else reads.setdefault(of, len(reads))

    def run(of: tuple[Test, ...]) -> tuple[int, int]:
        if of not in runs:
            runs[of] = len(tests) // 5
            for what, *rest in of:
                tests.extend((read(what), *rest))
        return runs[of], len(of)

    for kind in kinds.values():
        end, scale, bias, least, end_tests = kind.end
        rows += (
            kind.fixed, kind.flags, kind.data, kind.claims, kind.gives, len(terms) // 5, len(kind.terms), kind.align, read(end),
            scale, bias, least, *run(end_tests), kind.trailer, *run(kind.whole), len(rules) // 6, len(kind.rules), kind.exception,
        )  # fmt: skip
        for number_read, scale, bias, only in kind.terms:
            terms += (read(number_read), scale, bias, *run(only))
        for how, what, of, flags, only in kind.rules:
            where = number[what] if how == TO_KIND else space_number[what] if how == BY_SPACE else what  # type: ignore[index]
            rules += (how, int(where), read(of), flags, *run(only))
    for named, counts, announced in spaces.values():
        first = len(entries) // 4
        for value in sorted(announced):
            ways = announced[value]
            for way in ways if isinstance(ways, list) else [ways]:
                name, *tested = way if isinstance(way, tuple) else (way,)
                entries += (value, LEAF if name is None else number[name], *run(tuple(tested)))
        space_rows += (named, counts, first, len(entries) // 4 - first)
    flat = [column for of in reads for column in of]
    return tuple(map(tuple, (flat, tests, terms, rows, rules, space_rows, entries)))


TABLES = compiled(KINDS, SPACES)
