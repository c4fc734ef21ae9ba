"""Tables of protocols: what their columns do, on both codecs; unsound ones are refused, all others are safe, and alike."""

from __future__ import annotations

import random
import re
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import c_tables
import pytest
from conftest import ROOT, load
from protocol_tables import (
    Kind,
    More,
    behind,
    bits,
    by,
    counted,
    ends,
    equal,
    little,
    names,
    term,
    to,
    unequal,
    within,
)
from samples import ethernet, frames, gre, ipv4, ipv6, over_udp, row_of, udp

from pkttools import protocols
from pkttools.language import assigning
from pkttools.protocols import _walk, walking
from pkttools.protocols.tabulate import packed
from pkttools.protocols.walking import (
    CUT,
    END_BEHIND,
    EXTENSION,
    HIDDEN,
    IDLE,
    LITTLE_ENDIAN,
    MISSIZED,
    NEEDS_SIZE,
    OWN_END,
    PASSES,
    PROMISED,
    QUOTED,
    TUNNEL,
    UNFOLLOWED,
)

WALK = c_tables.walk()
TABLES = tuple(tuple(memoryview(table).cast("q")) for table in WALK)
C = "\n".join((ROOT / "pkttools/codec/c" / name).read_text() for name in ("codec.h", "protocols.h", "protocols.c"))


@pytest.fixture(autouse=True)
def ours() -> Iterator[None]:
    """Both codecs go by our tables again, whatever a test gave them."""
    yield
    for backend in ("c", "python"):
        try:
            load(backend).set_protocols(_walk.WALK)
        except pytest.skip.Exception:
            continue


# ---- the numbers in C are those of the tables ----


def test_flags_and_numbers() -> None:
    names = dict(re.findall(r"\b([A-Z_]+) = (-?\d+)", C))
    flags = ["HIDDEN", "UNFOLLOWED", "PASSES", "OWN_END", "NEEDS_SIZE", "LONG_DATA", "CUT", "CUT_INSIDE", "DEEP", "MISSIZED",
             "END_BEHIND", "TUNNEL", "LINK_LAYER", "TAG", "EXTENSION", "IDLE", "QUOTED", "PROMISED", "LEAF",
             "TUNNEL_LEAF"]  # fmt: skip
    for name in flags:
        assert int(names[name]) == getattr(walking, name), name
    for first in ("FROM_START", "TO_KIND", "NO_EXCEPTION", "SIZED", "TO_SIZE"):
        found = re.search(rf"enum [a-z]*\s*\{{\s*({first}, [^}}]*?)\s*\}}", re.sub(r"/\*.*?\*/", "", C))[1].split(", ")
        found = [name for name in found if name != "EXCEPTIONS"]  # how many there are
        assert [getattr(walking, name) for name in found] == list(range(len(found)))


@pytest.mark.parametrize(("name", "columns"), [*zip(walking.NAMES, walking.COLUMNS, strict=True)])
def test_columns(name: str, columns: int) -> None:
    row = {"entries": "entry"}.get(name, name[:-1])
    members = re.search(rf"struct {row}_row \{{\s*int64_t ([^;]*);\s*\}}", C)[1]
    assert len(members.split(",")) == columns
    assert len(TABLES[walking.NAMES.index(name)]) % columns == 0


# ---- what columns do: a link type of its own, 1000, with headers of its own ----


def tables(kinds: dict[str, Kind], announced: object = "A", entries: dict | None = None, spaces: dict | None = None) -> tuple:
    """Our kinds with others behind them, the first of which link type 1000 announces."""
    return packed(More(kinds, {"linktype": {1000: announced}, **(entries or {})}, spaces or {}).all())


FIRST = len(names())  # the number of kind A


def found(codec: ModuleType, frame: bytes, linktype: int = 1000) -> list[tuple[int, ...]]:
    """Kinds by number, from A on; ours are what they are."""
    row = row_of(frame, linktype)
    return [("ABCDE"[kind - FIRST] if kind >= FIRST else names()[kind], *at) for kind, *at in codec.walk(bytearray(frame), row)]


def beyond(codec: ModuleType, frame: bytes) -> dict[int, int]:
    counts: dict[int, int] = {}
    codec.beyond(bytearray(frame), row_of(frame, 1000), counts)
    return counts


def partial(codec: ModuleType, frame: bytes) -> bool:
    """pkt-check calls a packet malformed that is not all there."""
    return codec.check(bytearray(frame), row_of(frame, 1000)) == bytes([3])


WALKS = {
    # name: (kinds, what announces, frame, headers)
    "a size of several terms": (
        {"A": Kind(2, terms=(term(None, 0, 2), term(bits(0, 4), 4, 0), term(None, 0, 3, equal(bits(7, 1), 1))))}, "A",
        bytes([0x11]) + bytes(11), [("A", 0, 9, 12)],
    ),
    "rounded up": ({"A": Kind(2, terms=(term(bits(0, 8), 1, 0),), align=8)}, "A", bytes([9]) + bytes(19), [("A", 0, 16, 20)]),
    "a fixed size is not rounded up": ({"A": Kind(3, align=2)}, "A", bytes(9), [("A", 0, 3, 9)]),
    "less than its fixed bytes": ({"A": Kind(4, to("B"), terms=(term(bits(0, 8), 1, 0),)), "B": Kind(1)}, "A", bytes([3] * 9),
        [("A", 0, 4, 9)]),
    "a size below nothing": ({"A": Kind(4, to("B"), terms=(term(bits(0, 8), 1, -9),), align=4), "B": Kind(1)}, "A", bytes([3] * 9),
        [("A", 0, 4, 9)]),
    "little-endian size": ({"A": Kind(4, terms=(term(little(16, 16), 1, 0),))}, "A", bytes([0, 0, 6, 0, 0, 0, 9]),
        [("A", 0, 6, 7)]),
    "a number over five bytes": ({"A": Kind(5, terms=(term(bits(4, 32), 1, 0),))}, "A", bytes([0, 0, 0, 0, 0x60]) + bytes(4),
        [("A", 0, 6, 9)]),
    "needs its size": ({"A": Kind(2, terms=(term(bits(0, 8), 1, 0),), flags=NEEDS_SIZE)}, "A", bytes([9] * 8),
        [("UNKNOWN", 0, 0, 8)]),
    "an end with a scale": ({"A": Kind(2, to("B"), end=(bits(0, 8), 4, 1, 0, ())), "B": Kind(1)}, "A", bytes([1] * 9),
        [("A", 0, 2, 5), ("B", 2, 3, 5)]),
    "an end in its fixed bytes": ({"A": Kind(4, to("B"), end=ends(bits(0, 8))), "B": Kind(1)}, "A", bytes([1] * 9),
        [("A", 0, 4, 4)]),
    "an end that does not count": ({"A": Kind(2, end=(bits(0, 8), 1, 0, 0, (equal(bits(8, 8), 9),)))}, "A", bytes([3] * 9),
        [("A", 0, 2, 9)]),
    "a trailer": ({"A": Kind(2, to("B"), trailer=3), "B": Kind(1)}, "A", bytes(9), [("A", 0, 2, 6), ("B", 2, 3, 6)]),
    "a trailer that is not there": ({"A": Kind(2, trailer=9)}, "A", bytes(9), [("A", 0, 2, 2)]),
    "the end of what follows": (
        {"A": Kind(2, to("B"), end=ends(bits(0, 8), 2), flags=END_BEHIND), "B": Kind(1)}, "A", bytes([3] * 9),
        [("A", 0, 2, 9), ("B", 2, 3, 5)],
    ),
    "a stack up to a bit": (
        {"A": Kind(4, to("A", equal(bits(23, 1), 0)), by("version", behind(0, 4)))}, "A",
        bytes(4) + bytes([0, 0, 1, 0]) + ipv4(17, udp()),
        [("A", 0, 4, 41), ("A", 4, 8, 41), ("IP", 8, 41, 41), ("UDP", 28, 36, 41)],
    ),
    "the last byte says what follows": (
        {"A": Kind(4, by("version", behind(-8, 8)), terms=(term(bits(0, 8), 4, 0),)), "B": Kind(1)}, "A",
        bytes([2, 0, 0, 0, 0, 0, 0, 6]) + ipv6(59, b""), [("A", 0, 8, 48), ("IPV6", 8, 48, 48)],
    ),
    "what follows says what it is": (
        {"A": Kind(1, to("B", equal(behind(7, 1), 1)), to("C")), "B": Kind(1), "C": Kind(2)}, "A", bytes([0, 2, 0]),
        [("A", 0, 1, 3), ("C", 1, 3, 3)],
    ),
    "a header that is none": ({"A": Kind(3, by("version", behind(0, 4)), flags=HIDDEN)}, "A", bytes(3) + ipv4(17, udp()),
        [("IP", 3, 36, 36), ("UDP", 23, 31, 36)]),
    "hidden ones do not go round for ever": ({"A": Kind(0, to("A"), flags=HIDDEN)}, "A", b"xyz", [("UNKNOWN", 0, 0, 3)]),
    "of two the first that fits": (
        {"A": Kind(1), "B": Kind(1)}, [("A", equal(bits(0, 8), 1)), ("B", within(bits(0, 8), 2, 3)), None], b"\3", [("B", 0, 1, 1)],
    ),
    "of two none": ({"A": Kind(1)}, [("A", unequal(bits(0, 8), 7)), None], b"\7", [("UNKNOWN", 0, 0, 1)]),
    "data in front of what it claims": (
        {"A": Kind(2, to("B"), gives=1, data=0), "B": Kind(2, to("C"), flags=PASSES | OWN_END),
         "C": Kind(1, claims=2, end=ends(bits(0, 8)))},
        "A", bytes([0, 0, 0, 0, 2, 0, 0]), [("A", 0, 6, 7), ("B", 2, 4, 4), ("C", 4, 5, 6)],
    ),
    "whole only": ({"A": Kind(2, to("B"), whole=(equal(bits(0, 8), 0),)), "B": Kind(1)}, "A", b"\1\0\0", [("A", 0, 2, 3)]),
    "a quoted packet": ({"A": Kind(8, by("version", behind(0, 4), flags=QUOTED))}, "A", bytes(8) + ipv4(17, udp())[:28],
        [("A", 0, 8, 36), ("IP", 8, 36, 36), ("UDP", 28, 36, 36)]),
    "a quoted packet, of which a part is there": ({"A": Kind(8, by("version", behind(0, 4), flags=QUOTED))}, "A",
        bytes(8) + ipv4(6, bytes(20))[:28], [("A", 0, 8, 36), ("IP", 8, 36, 36), ("TCP", 28, 36, 36)]),
    "what stands behind an end": ({"A": Kind(2, to("B"), end=ends(bits(0, 8)), then="C"), "B": Kind(2), "C": Kind(3)}, "A",
        bytes([5] * 9), [("A", 0, 2, 5), ("B", 2, 4, 5), ("C", 5, 8, 9)]),
    "what stands behind the end of the frame": ({"A": Kind(2, to("B"), end=ends(bits(0, 8)), then="C"), "B": Kind(2), "C": Kind(3)},
        "A", bytes([9] * 9), [("A", 0, 2, 9), ("B", 2, 4, 9)]),
    "one behind the other": ({"A": Kind(2, end=ends(bits(0, 8)), then="A")}, "A", bytes([2, 0, 3, 0, 0, 0, 0]),
        [("A", 0, 2, 2), ("A", 2, 4, 5), ("A", 5, 7, 7)]),
    "an end with nothing in front of it": ({"A": Kind(0, end=(bits(0, 8), 0, 0, 0, ()), then="A", flags=HIDDEN)}, "A", bytes(9),
        [("UNKNOWN", 0, 0, 9)]),
    "of two ends, one in the other, the outer one": (
        {"A": Kind(2, to("B"), end=ends(bits(0, 8)), then="C"), "B": Kind(2, end=ends(bits(0, 8)), then="D"),
         "C": Kind(3), "D": Kind(1)},
        "A", bytes([8, 0, 3, 0, 0, 0, 0, 0, 9, 9, 9]), [("A", 0, 2, 8), ("B", 2, 4, 5), ("C", 8, 11, 11)],
    ),
    "behind a quoted packet": (
        {"A": Kind(4, by("version", behind(0, 4), flags=QUOTED), end=ends(bits(0, 8)), then="B"), "B": Kind(3)}, "A",
        bytes([32, 0, 0, 0]) + ipv4(17, udp())[:28] + bytes(9),
        [("A", 0, 4, 32), ("IP", 4, 32, 32), ("UDP", 24, 32, 32), ("B", 32, 35, 41)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
def test_walks(codec: ModuleType, name: str) -> None:
    kinds, announced, frame, headers = WALKS[name]
    codec.set_protocols(tables(kinds, announced))
    assert found(codec, frame) == headers


def test_what_is_partial(codec: ModuleType) -> None:
    codec.set_protocols(tables({"A": Kind(4, to("B"), terms=(term(bits(0, 8), 1, 0),), flags=MISSIZED), "B": Kind(4, flags=CUT)}))
    assert [partial(codec, frame) for frame in (b"\4\0\0\0abcd", b"\4\0\0\0abc", b"\3\0\0\0abcd", b"\11\0\0\0abcd")] == [
        False, True, True, True,
    ]  # fmt: skip
    codec.set_protocols(tables({"A": Kind(1, by("version", bits(0, 4), flags=PROMISED)), "B": Kind(4)}))
    assert partial(codec, b"\x40") and not partial(codec, b"\x10")


def test_what_is_counted(codec: ModuleType) -> None:
    entries = {"mine": {1: None, 2: "B", 3: [("B", equal(bits(0, 8), 7)), None], 9: None}}
    kinds = {"A": Kind(1, counted(6, unequal(bits(0, 4), 0)), by("mine", bits(4, 4))), "B": Kind(2, flags=UNFOLLOWED)}
    codec.set_protocols(tables(kinds, "A", entries, {"mine": (3, 8)}))
    told = {b"\1xx": {}, b"\2xx": {3 << 32 | 2: 1}, b"\2x": {}, b"\3\7x": {3 << 32 | 3: 1}, b"\3xx": {}, b"\5x": {},
            b"\10x": {3 << 32 | 8: 1},
            b"\10": {}, b"\11x": {}, b"\x21x": {6 << 32: 1}, b"\x20": {}}  # fmt: skip
    for frame, counts in told.items():
        assert beyond(codec, frame) == counts, frame


@pytest.mark.parametrize(("frame", "headers", "cut", "count"), [
    (b"\1\5xx\7yyyy", "AB", False, None), (b"\1\5xx\11yyyy", "AC", False, None), (b"\1\5xx\7", "AB", False, None),
    (b"\1\5xx\11", "A", True, None), (b"\1\5xx\3y", "AE", False, None), (b"\1\5xx", "A", True, None),
    (b"\1\4xx\3y", "A", False, 4), (b"\1\4xx", "A", False, None),
    (b"\2\5xx\7yyyy", "AB", False, None), (b"\2\5xx\3yyyy", "A", False, None),
    (b"\3\5xx\7yyyy", "A", False, 3), (b"\3\5xx\7", "AE", False, None), (b"\3\5xx\3yyyy", "AE", False, None),
])  # fmt: skip
def test_entries_whose_tests_hold(codec: ModuleType, frame: bytes, headers: str, cut: bool, count: int | None) -> None:
    """They ask what stands behind the header; where none of a value holds, the next rule is asked."""
    kinds = {"A": Kind(4, by("first", bits(0, 8)), by("second", bits(8, 8))), "B": Kind(1), "C": Kind(2, flags=CUT),
             "D": Kind(2, flags=UNFOLLOWED), "E": Kind(1, flags=CUT)}  # fmt: skip
    seven, nine = equal(bits(0, 8), 7), equal(bits(0, 8), 9)
    first = {1: [("B", seven), ("C", nine)], 2: [("B", seven), None], 3: [("D", seven)]}
    codec.set_protocols(tables(kinds, "A", {"first": first, "second": {5: "E"}}, {"first": (3, 200), "second": (3, 0)}))
    assert "".join(name for name, *_ in found(codec, frame)) == headers
    assert partial(codec, frame) == cut
    assert beyond(codec, frame) == ({3 << 32 | count: 1} if count else {})


def test_idle_headers_are_left_out_where_nobody_asks(codec: ModuleType) -> None:
    """With all that is behind them, which is why descriptions are compiled so that there is nothing to be found."""
    kinds = {"A": Kind(1, by("mine", bits(0, 8))), "B": Kind(1, counted(6), flags=IDLE), "C": Kind(2, flags=CUT)}
    codec.set_protocols(tables(kinds, "A", {"mine": {1: "B", 2: "C"}}, {"mine": (3, -1)}))
    assert [name for name, *_ in found(codec, b"\1\2xx")] == ["A", "B"]
    assert beyond(codec, b"\1\2xx") == {}
    assert not partial(codec, b"\1\2xx") and partial(codec, b"\2x")


def test_extensions_are_what_tables_say(codec: ModuleType) -> None:
    """Where one is announced that lies too deep, or that was cut, nobody knows the message behind it."""
    kinds = {"A": Kind(4, by("protocol6", bits(0, 8)), flags=PASSES | OWN_END | EXTENSION, terms=(term(bits(8, 8), 4, 4),))}
    codec.set_protocols(tables(kinds, "IPV6", {"protocol6": {253: "A"}}))
    assert found(codec, ipv6(253, b"\x11\0\0\0" + udp())) == [("IPV6", 0, 57, 57), ("A", 40, 44, 44), ("UDP", 44, 52, 57)]


@pytest.mark.parametrize("flags", [TUNNEL, TUNNEL | UNFOLLOWED, 0])
def test_a_tunnel_is_what_is_said_to_be_one(codec: ModuleType, flags: int) -> None:
    """Its UDP checksum of 0 stays, over IPv6 too; and where addresses are exchanged, its port stays, and what it carries."""
    followed = not flags & UNFOLLOWED
    rules = [to("IP")] if followed else []
    codec.set_protocols(tables({"A": Kind(4, *rules, flags=flags)}, None, {"udp": {60000: "A"}}))
    program = assigning.assignments([], (("IPV6.SRC_ADDR", "IPV6.DST_ADDR"), ("UDP.SRC_PORT", "UDP.DST_PORT")))
    frame = ipv6(17, over_udp(60000, b"abcd" + ipv4(17, udp())))
    row = row_of(frame, 101)
    corrected, swapped = bytearray(frame), bytearray(frame)
    codec.correct(corrected, row, 0)
    assert (corrected[46:48] == b"\0\0") == bool(flags & TUNNEL)
    codec.assign(swapped, row, program, None, False)
    assert swapped[:40] == frame[:8] + frame[24:40] + frame[8:24]
    assert swapped[40:44] == (frame[40:44] if followed else frame[42:44] + frame[40:42])  # a packet in it: a tunnel in any case
    assert swapped[48:] == frame[48:]


def test_a_quoted_packet_is_nobodys_to_correct(codec: ModuleType) -> None:
    """Its headers are found; its lengths go beyond what is there, its checksums are those of the time when it was sent."""
    codec.set_protocols(tables({"A": Kind(8, to("IP", flags=QUOTED))}, None, {"protocol4": {253: "A"}}))
    inner = ipv4(17, udp(bytes(100)))
    wrong = bytearray(inner[:28])
    wrong[10] ^= 0xFF
    quotations = {bytes(wrong): ["IP", "UDP"], bytes(wrong[:12]): ["IP"], ipv4(200, b"of a protocol that is not known"): ["IP"]}
    for quoted, names_in_it in quotations.items():
        frame = ipv4(253, b"an error" + quoted)
        row = row_of(frame, 101)
        data, counts = bytearray(frame), {}
        assert codec.correct(data, row, 1, counts)[0] == 1
        assert counts == {}
        assert data[20:] == frame[20:]
        assert codec.check(data, row) == b"\0"
        headers = found(codec, bytes(data), 101)
        assert [name for name, *_ in headers] == ["IP", "A", *names_in_it]
        assert codec.verify(data, row) == [1, *[0] * (len(headers) - 1)]
        program = assigning.assignments([("IP.TTL[2]", "=", "9")])
        changed = bytearray(data)
        codec.assign(changed, row, program, None, True)
        assert changed[10:12] == data[10:12]
        assert (len(changed) > 36 and changed[36] == 9) == ("IP" in names_in_it)
        assert changed[40:] == data[40:]  # in front of that is the checksum, which follows what was changed


# ---- soundness ----


def said(codec: ModuleType, given: object) -> str:
    try:
        codec.set_protocols(given)
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def changed(table: str, row: int, column: int, value: int) -> tuple[bytes, ...]:
    at = walking.NAMES.index(table)
    rows = list(TABLES[at])
    rows[row * walking.COLUMNS[at] + column] = value
    return packed((*TABLES[:at], tuple(rows), *TABLES[at + 1 :]))


BAD = {
    "reads": [(0, 2), (1, -600_000), (1, 600_000), (2, 0), (2, 33), (3, 2)],
    "tests": [(0, 9999), (0, -1), (1, 0), (2, -1), (3, 1 << 32), (4, -1), (4, 3)],
    "terms": [(0, 9999), (0, -2), (1, -1), (2, 70_000), (3, -1), (4, 9999), (4, 33)],
    "kinds": [(0, 70_000), (0, -1), (1, 1 << 16), (1, HIDDEN | UNFOLLOWED), (2, -2), (3, 10), (4, -1), (5, 9999), (6, -1), (7, 0),
              (8, 9999),
              (9, -1), (10, 1 << 20), (11, -1), (12, -1), (13, 9999), (14, -1), (15, 999), (16, -1), (17, 1), (18, 999), (19, 9),
              (20, 0), (20, -2), (20, 9999), (21, -2), (21, 1 << 32)],
    "rules": [(0, 3), (1, 9999), (2, 9999), (2, -1), (3, 4), (4, -5), (5, 9999)],
    "spaces": [(0, 256), (1, -2), (2, 1), (3, 999)],
    "entries": [(0, -1), (0, 1 << 32), (1, -3), (1, 0), (1, 9999), (2, 9999), (3, -1)],
    "sums": [(0, 0), (0, 9999), (1, -2), (1, 1), (1, 254), (2, 3), (2, 1), (3, -1), (3, 4), (4, 0), (4, -2), (5, -1),
             (5, 70_000), (6, 1 << 20), (7, -1), (7, 1), (8, -1), (8, 2), (9, -2), (9, 3), (9, 254), (10, -1), (10, 4), (11, -1),
             (11, 5), (12, 2), (13, -1), (13, 5), (14, 4), (15, -1), (16, 9999)],
    "lists": [(0, -1), (0, 9999), (1, -1), (1, 9999), (2, -1), (2, 257), (3, -1), (3, 257), (4, 0), (4, 65), (5, 0), (5, 70_000),
              (6, 1), (7, 9999)],
    "items": [(0, -3), (0, 1 << 32), (1, -2), (1, 0), (1, 9999), (1, 40_000), (2, -1), (2, 3), (3, -1), (3, 70_000), (4, -1),
              (4, 70_000), (5, -1), (5, 70_000), (6, -1), (6, 70_000), (7, -2), (7, 999), (8, -2), (8, 9999),
              (9, -2), (9, 9999), (10, -1), (11, 9999)],
    "holds": [(0, -1), (0, 9999), (1, -1), (1, 999), (2, -1), (2, 21), (3, -1), (3, 3), (4, -1), (4, 9999), (5, -1), (5, 70_000),
              (6, 1 << 20), (7, -2), (7, 0), (7, 40_000), (8, -1), (9, 9999)],
    "signatures": [(0, -1), (0, 0), (0, 40_000), (1, 0), (1, 256), (2, -1), (2, 3), (3, -1), (4, 9999)],
}  # fmt: skip


# Of what kinds hold, the row of TCP's options, which go as far as a field says.
HELD_BY_TCP = TABLES[walking.NAMES.index("holds")][:: walking.COLUMNS[walking.NAMES.index("holds")]].index(names().index("TCP"))


@pytest.mark.parametrize(("table", "column", "value"), [(table, *bad) for table, bads in BAD.items() for bad in bads])
def test_unsound_columns(codec: ModuleType, table: str, column: int, value: int) -> None:
    """What is wrong with how many there are in a run is said of where the run begins."""
    row = {"reads": 0, "kinds": 1, "sums": 0, "lists": 0, "holds": HELD_BY_TCP}.get(table, 3)
    counts = {"kinds": (6, 13, 16, 18), "terms": (4,), "rules": (5,), "spaces": (3,), "entries": (3,), "sums": (16,), "lists": (7,),
              "items": (11,), "holds": (9,), "signatures": (4,)}  # fmt: skip
    reported = column - (column in counts.get(table, ()))
    expected = f"ValueError: protocols are not sound: table {walking.NAMES.index(table)}, row {row}, column {reported}"
    assert said(codec, changed(table, row, column, value)) == expected


def test_what_is_left_is_asked_of_what_comes_next_alone(codec: ModuleType) -> None:
    """Elsewhere it is not known in what a header lies: here where a datagram is whole."""
    kinds, ip = TABLES[walking.NAMES.index("kinds")], names().index("IP")
    test = kinds[ip * len(walking.KIND) + walking.KIND.index("whole")]
    assert "are not sound: table 3, row 10, column 15" in said(codec, changed("tests", test, 4, walking.LEAVES))


def test_unsound_tables(codec: ModuleType) -> None:
    given = WALK
    last = len(given) - 1
    assert said(codec, given[:last]) == f"TypeError: protocols are a tuple of {last + 1} tables"
    assert said(codec, [*given]) == f"TypeError: protocols are a tuple of {last + 1} tables"
    assert said(codec, (*given[:last], (1, 2))) == "TypeError: a table is bytes: integers of 64 bits"
    assert said(codec, (*given[:last], given[last][:-1])) == "TypeError: a table is bytes: integers of 64 bits"
    assert said(codec, (*given[:last], given[last][:-8])) == f"ValueError: protocols are not sound: table {last}, row -1, column 0"
    assert said(codec, (*given[:3], b"", *given[4:])) == "ValueError: protocols are not sound: table 3, row -1, column 0"
    assert said(codec, (*given[:5], b"", *given[6:])) == "ValueError: protocols are not sound: table 5, row -1, column 0"
    assert said(codec, (given[0] * 1000, *given[1:])) == "ValueError: protocols are not sound: table 0, row -1, column 0"
    assert said(codec, tables({"A": Kind(0)})) == f"ValueError: protocols are not sound: table 3, row {FIRST}, column 0"
    assert said(codec, changed("kinds", 0, 1, HIDDEN)) == "ValueError: protocols are not sound: table 3, row 0, column 1"
    far = tables({"A": Kind(2, by("version", behind(-17, 8)))})
    assert said(codec, far).startswith("ValueError: protocols are not sound: table 4, row ")
    assert said(codec, tables({"A": Kind(2, terms=(term((0, 4, 8, LITTLE_ENDIAN), 1, 0),))})).startswith(
        "ValueError: protocols are not sound: table 0"
    )


def test_refused_tables_change_nothing(codec: ModuleType) -> None:
    codec.set_protocols(tables({"A": Kind(1)}))
    assert said(codec, changed("kinds", 1, 0, -1))
    assert found(codec, b"x") == [("A", 0, 1, 1)]


def test_many_values_in_a_space(codec: ModuleType) -> None:
    """More than slots that each have one value; and values that are alike in many bits."""
    values = [*range(3000), *(value << 16 for value in range(1, 700))]
    entries = {"many": {value: "IP" if value % 3 == 0 else "B" for value in values}}
    codec.set_protocols(tables({"A": Kind(4, by("many", bits(0, 32))), "B": Kind(1)}, "A", entries, {"many": (0, -1)}))
    for value in (0, 1, 2, 299, 300, 2999, 3000, 1 << 16, 699 << 16, 700 << 16, (5 << 16) + 1, 0xFFFFFFFF):
        last = found(codec, struct.pack("!I", value) + ipv4(17, b"") + b"pad")[-1][0]
        assert last == ("A" if value not in values else "IP" if value % 3 == 0 else "B"), value


# ---- random tables ----

SUMMED = ethernet(0x0800, ipv4(17, struct.pack("!4H", 1024, 9000, 19, 0) + b"\x12\1\0\0\0\0\0\7odd"))
SAMPLES = [*frames(), (1, SUMMED), (1, ethernet(0x0800, ipv4(47, gre(0x6558, ethernet(0x86DD, ipv6(17, udp())), 0xB000))))]


def randomly_changed(dice: random.Random) -> tuple[bytes, ...]:
    """Our tables with a few numbers changed, mostly to what stands elsewhere in their columns."""
    rows = [list(table) for table in TABLES]
    for _ in range(dice.choice((1, 1, 2, 4, 12))):
        table = dice.choice((0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 6, 7, 7))
        columns = walking.COLUMNS[table]
        at = dice.randrange(len(rows[table]))
        elsewhere = rows[table][dice.randrange(len(rows[table]) // columns) * columns + at % columns]
        value = rows[table][at]
        rows[table][at] = dice.choice(
            (elsewhere, elsewhere, value + 1, value - 1, value ^ 1 << dice.randrange(16), 0, -1, dice.randrange(40))
        )
    return packed(tuple(map(tuple, rows)))


@pytest.mark.parametrize("seed", range(12))
def test_random_tables_are_the_same_to_both(seed: int) -> None:
    dice, sound = random.Random(seed), 0
    c, python = load("c"), load("python")
    for _ in range(150):
        given = randomly_changed(dice)
        words = said(c, given)
        assert words == said(python, given)
        if words:
            continue
        sound += 1
        for linktype, frame in dice.choices(SAMPLES, k=25):
            size = dice.choice((len(frame), dice.randrange(len(frame) + 1)))
            row = struct.pack("=7q", 0, size, size, 0, linktype, 0, 0)
            seen, counts = [], []
            for codec in (c, python):
                counts.append({})
                mended = bytearray(frame)
                seen.append(
                    (codec.walk(bytearray(frame), row), codec.correct(mended, row, 0), bytes(mended), codec.verify(mended, row))
                )
                codec.beyond(bytearray(frame), row, counts[-1])
            assert (seen[0], counts[0]) == (seen[1], counts[1]), (seed, linktype, frame[:size].hex(), given)
    assert sound > 30


def test_threads_may_ask_for_the_tables_at_once():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: protocols.walk() == _walk.WALK, range(1000))) == {True}
    finally:
        sys.setswitchinterval(usual)
