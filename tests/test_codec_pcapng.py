"""Packets in blocks of pcapng, on both codecs."""

from __future__ import annotations

import struct
from array import array
from time import process_time
from types import ModuleType

import pytest
from sections import (
    LAST,
    ORDERS,
    SECOND,
    Record,
    batch_of,
    block,
    blocks_of,
    drops,
    enhanced,
    flags,
    interface,
    interface_of,
    obsolete,
    options,
    packet,
    packets_of,
    records,
    section,
    simple,
)

from pkttools import blocks
from pkttools.batch import MAX_BATCH, MAX_FRAME
from pkttools.errors import BLOCK_LONG, BLOCK_SHORT, BLOCK_TRAILER, BLOCK_UNALIGNED, NO_INTERFACE, PAST_BLOCK, RECORD_TOO_LONG

MAX_BLOCK = 16 << 20
FRAMES = [b"", b"a", b"twelve bytes", bytes(range(256)) * 3]
NOTHING = (0, 0, 0, 0, 0)


def described(*interfaces: tuple[int, ...], line: bytes = b"") -> array:
    """What the codec is told of interfaces: link type, snap length, resolution, offset; all have the same line."""
    return array("q", [value for known in interfaces for value in (*known, 0, len(line))])


MICRO = described((1, 0, 6, 0))


def decode(codec: ModuleType, raw: bytes, order: str = "<", interfaces: array = MICRO, names: bytes = b"") -> tuple:
    """(consumed, packets, error, counts)"""
    consumed, data, rows, error, counts = codec.pcapng_decode(bytearray(raw), 0, len(raw), order == ">", interfaces, names)
    return consumed, packets_of(data, rows), error, counts


# ---- packets ----


@ORDERS
@pytest.mark.parametrize("build", [enhanced, obsolete], ids=["enhanced", "obsolete"])
def test_decode(codec, order, build):
    time = 1_700_000_000_123_456
    raw = b"".join(build(frame, time + i, order=order) for i, frame in enumerate(FRAMES))
    consumed, packets, error, counts = decode(codec, b"in front"[:8] + raw, order)
    assert (consumed, packets) == (0, [])  # what is in front is no block
    consumed, packets, error, counts = decode(codec, raw, order)
    assert (consumed, error, counts) == (len(raw), None, NOTHING)
    assert packets == [Record(frame, len(frame), (time + i) * 1000, 1) for i, frame in enumerate(FRAMES)]


@ORDERS
def test_where_it_begins_and_stops(codec, order):
    raw = bytearray(b"#" * 40 + enhanced(b"abc", 7, order=order) + b"#" * 40)
    consumed, data, rows, error, _ = codec.pcapng_decode(raw, 40, len(raw) - 40, order == ">", MICRO, b"")
    assert (consumed, error) == (len(raw) - 40, None)
    assert packets_of(data, rows) == [Record(b"abc", 3, 7000, 1)]


@ORDERS
def test_simple_packets(codec, order):
    """They have no time, and are cut to the snap length of interface 0."""
    raw = simple(b"abcde", order=order) + simple(b"abcd", 1500, order=order) + simple(b"", order=order)
    assert decode(codec, raw, order, described((113, 4, 9, 5), (1, 0, 6, 0))) == (
        len(raw), [Record(b"abcd", 5, 0, 113), Record(b"abcd", 1500, 0, 113), Record(b"", 0, 0, 113)], None, (0, 0, 3, 0, 0),
    )  # fmt: skip
    whole = simple(b"abcdefgh", order=order)
    for snaplen in (0, 8, 9, 2**32 - 1):
        assert decode(codec, whole, order, described((1, snaplen, 6, 0)))[1] == [Record(b"abcdefgh", 8, 0, 1)]


@ORDERS
def test_interfaces_are_told_apart(codec, order):
    interfaces = described((1, 0, 6, 0), (113, 0, 9, 0), (101, 0, 0x8A, -5))
    raw = b"".join(enhanced(b"x", 10_240, number, order=order) for number in (2, 1, 0)) + obsolete(b"x", 1, 1, order=order)
    found = [(packet.linktype, packet.time) for packet in decode(codec, raw, order, interfaces)[1]]
    assert found == [(101, 5 * SECOND), (113, 10_240), (1, 10_240_000), (113, 1)]


def test_more_on_the_wire_than_captured(codec):
    raw = enhanced(b"abc", original=2**32 - 1) + enhanced(b"abc", original=0)
    assert [packet.original for packet in decode(codec, raw)[1]] == [2**32 - 1, 0]


# ---- times ----


def judged(ticks: int, resolution: int, offset: int) -> tuple[int, tuple[int, ...]]:
    """The time, and what is counted, by arithmetic without limits."""
    units = 2 ** (resolution & 127) if resolution & 128 else 10**resolution
    time, rest = divmod(ticks * SECOND, units)
    time += offset * SECOND
    if not 0 <= time <= LAST:
        return min(max(time, 0), LAST), (1, 0, 0, 0, 0)
    return time, (0, int(rest > 0), 0, 0, 0)


TICKS = [0, 1, 9, 10**9 - 1, 10**9, 10**12 + 1, 2**32 - 1, 2**32, 1_700_000_000_123_456, LAST - 1, LAST, LAST + 1, 10**19, 2**63,
         2**64 - 1]  # fmt: skip


@pytest.mark.parametrize("resolution", range(256))
def test_every_resolution(codec, resolution):
    """No division by zero, no shift too far, and the same to the nanosecond as with unlimited integers."""
    for ticks in TICKS:
        for offset in (0, 1, -1, 1_700_000_000, -(2**63), 2**63 - 1, 9_223_372_036):
            time, counts = judged(ticks, resolution, offset)
            _, [packet], _, found = decode(codec, enhanced(b"", ticks), interfaces=described((1, 0, resolution, offset)))
            assert (packet.time, found) == (time, counts), (ticks, offset)


def test_some_times(codec):
    """The arithmetic of the test above is right."""
    known = [
        (6, 1, 1000), (0, 5, 5 * SECOND), (9, 123, 123), (3, 7, 7_000_000), (12, 1999, 1), (0x80, 3, 3 * SECOND),
        (0x81, 3, 1_500_000_000), (0x9E, 2**30, SECOND), (0xBF, 2**63, SECOND), (19, 2**64 - 1, 1_844_674_407),
        (20, 2**64 - 1, 184_467_440), (127, 2**64 - 1, 0), (0xFF, 2**64 - 1, 0),
    ]  # fmt: skip
    for resolution, ticks, time in known:
        assert decode(codec, enhanced(b"", ticks), interfaces=described((1, 0, resolution, 0)))[1][0].time == time


# ---- notes ----


@ORDERS
def test_notes(codec, order):
    """In their order, whatever the order of the options."""
    given = ((1, b"first"), drops(2**64 - 1, order), (1, b""), flags(2, order), (1, b"two words"))
    raw = enhanced(b"abc", given=given, order=order)
    raw += enhanced(b"", order=order) + obsolete(b"d", drops=7, given=(flags(1, order),), order=order)
    name = b"IFACE: eth0\n"
    found = [p.notes for p in decode(codec, raw, order, described((1, 0, 6, 0), line=name), name)[1]]
    assert found == [
        "IFACE: eth0\nWAY: out\nLOST: 18446744073709551615\nNOTE: first\nNOTE:\nNOTE: two words\n",
        "IFACE: eth0\n",
        "IFACE: eth0\nWAY: in\nLOST: 7\n",
    ]
    assert decode(codec, simple(b"a", order=order), order, described((1, 0, 6, 0), line=name), name)[1][0].notes == "IFACE: eth0\n"


@pytest.mark.parametrize(("drops", "notes"), [(0, ""), (0xFFFF, ""), (1, "LOST: 1\n"), (0xFFFE, "LOST: 65534\n")])
def test_drops_of_obsolete_packets(codec, drops, notes):
    assert decode(codec, obsolete(b"", drops=drops))[1][0].notes == notes


def test_every_byte_of_a_comment(codec):
    [packet] = decode(codec, enhanced(b"", given=((1, bytes(range(256))),)))[1]
    controls = "".join({10: "\\n", 13: "\\r"}.get(c, f"\\x{c:02x}") for c in range(32))
    plain = "".join(f"\\x{c:02x}" if 0x7F <= c < 0xA0 else chr(c) for c in range(32, 256))
    assert packet.notes == f"NOTE: {controls}{plain}\n"


HOSTILE = [  # bytes of a comment, and how they stand in text
    (b"a\x9bb", "a\\x9bb"), (b"\xc2\x9b31m", "\\xc2\\x9b31m"), ("\u00e9\u0085\u00e9".encode(), "\u00e9\\xc2\\x85\u00e9"),
    ("\u00c0\u4e80\U0001f600".encode(), "\u00c0\u4e80\U0001f600"), (b"\xc2\xa0\xc2", "\u00a0\udcc2"),
    (b"\xe4\xba\x80\x80", "\u4e80\\x80"),
    (b"\xe4\xba", "\udce4\udcba"), (b"\xe4\x80a", "\udce4\\x80a"), (b"\xc0\x9b", "\udcc0\\x9b"),
    (b"\xed\xa0\x9b", "\udced\udca0\\x9b"),
    (b"\xf0\x8f\xbf\xbf", "\udcf0\\x8f\udcbf\udcbf"), (b"\xf4\x90\x80\x80", "\udcf4\\x90\\x80\\x80"),
    ("\u202e\u2066\u202a\u2069\u202f\u2065\u206a\u200e".encode(), "\\u202e\\u2066\\u202a\\u2069\u202f\u2065\u206a\u200e"),
    (rb"\x9b", r"\\x9b"), (rb"\u202e", r"\\u202e"), (rb"\xc2", r"\xc2"), (rb"\xc2\x85", r"\xc2\\x85"),
    (b"\\xc2\x85", r"\\xc2\x85"),
    (b"\\xc2\xc2\x85", r"\xc2\xc2\x85"), (b"\\\xc2\x85", r"\\\xc2\x85"), (b"\\\x85", r"\\\x85"),
    (rb"\u202f\xa0\xff\x9B", r"\u202f\xa0\xff\x9B"),
    ("\\\u00e9".encode(), "\\\u00e9"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), HOSTILE)
def test_what_must_not_reach_a_terminal(codec, value, text):
    """It has a form, and comes back exactly; of a text that has none the same holds the other way around."""
    line = f"NOTE: {text}\n".encode("utf-8", "surrogateescape")
    [packet] = decode(codec, enhanced(b"abc", given=((1, value),)))[1]
    assert packet.notes.encode("latin-1") == line
    data, rows = batch_of(packet)
    assert codec.pcapng_encode(data, rows, 0, False, interface_of(data, rows))[0] == enhanced(b"abc", given=((1, value),))
    assert blocks.note(b"NOTE:", value) == line
    assert blocks.value_of(line[:-1]) == value


@pytest.mark.parametrize("value", [b"\\", b"\x9b", b"\xc2\x9b", b"\xe2\x80\xae", b"\\n", b"\xe2", b"\x1b", "\u00e9".encode()])
def test_long_names_take_no_time(codec, value):
    value *= 65_532 // len(value)
    start = process_time()
    line = blocks.note(b"IFACE:", value)
    assert blocks.value_of(line[:-1]) == value
    [packet] = decode(codec, enhanced(b"", given=((1, value),)))[1]
    assert packet.notes.encode("latin-1") == line.replace(b"IFACE", b"NOTE")
    assert process_time() - start < 2


OTHERS = {
    "another option": ((3, b"hash"),), "a custom option": ((2988, b"\0\0\0\1x"),), "flags of another size": ((2, b"\1\0"),),
    "no flags": ((2, b""),), "a count of another size": ((4, b"\1\0\0\0"),), "flags that say more": (flags(0x204),),
    "no such way": (flags(3),),
}  # fmt: skip


@pytest.mark.parametrize("given", OTHERS.values(), ids=OTHERS)
def test_other_options_are_counted(codec, given):
    assert decode(codec, enhanced(b"a", given=given))[1:] == ([Record(b"a", 1, 0, 1)], None, (0, 0, 0, 0, 1))


def test_options_that_come_twice(codec):
    """The first of them counts, as for the other codec; obsolete packets have their own count of drops."""
    given = (flags(1), flags(2), drops(0), drops(5))
    assert decode(codec, enhanced(b"", given=given))[1::2] == ([Record(b"", 0, 0, 1, "WAY: in\nLOST: 0\n")], (0, 0, 0, 0, 2))
    assert decode(codec, obsolete(b"", drops=9, given=(drops(5),)))[1::2] == ([Record(b"", 0, 0, 1, "LOST: 9\n")], (0, 0, 0, 0, 1))
    assert decode(codec, enhanced(b"", given=(flags(0x205),)))[1::2] == ([Record(b"", 0, 0, 1, "WAY: in\n")], (0, 0, 0, 0, 1))


@ORDERS
def test_options_that_run_past_the_block(codec, order):
    """They cost the packet nothing but its options: also those before."""
    known = options((flags(1, order), drops(3, order), (3, b"x"), (1, b"seen")), order, end=False)
    for rest in (b"\0\1\xff\xff" if order == ">" else b"\1\0\xff\xff", struct.pack(order + "HH", 1, 5) + b"four"):
        head = struct.pack(order + "IIIII", 0, 0, 5, 3, 3) + b"abc\0"
        raw = block(6, head + known + rest, order)
        assert decode(codec, raw, order) == (len(raw), [Record(b"abc", 3, 5000, 1)], None, (0, 0, 0, 1, 0))
        old = block(2, struct.pack(order + "HHIIII", 0, 8, 0, 5, 3, 3) + b"abc\0" + known + rest, order)
        assert decode(codec, old, order)[1:] == ([Record(b"abc", 3, 5000, 1, "LOST: 8\n")], None, (0, 0, 0, 1, 0))


def test_options_without_an_end(codec):
    raw = block(6, struct.pack("<IIIII", 0, 0, 0, 0, 0) + options((flags(1), (1, b"last")), end=False))
    assert decode(codec, raw)[1:] == ([Record(b"", 0, 0, 1, "WAY: in\nNOTE: last\n")], None, NOTHING)
    raw = block(6, struct.pack("<IIIII", 0, 0, 0, 0, 0) + options((flags(1),)) + options((flags(2), (3, b""))))
    assert decode(codec, raw)[1:] == ([Record(b"", 0, 0, 1, "WAY: in\n")], None, (0, 0, 0, 0, 1))  # behind the end is none of it


# ---- where it stops, and what is wrong ----


@ORDERS
def test_every_split(codec, order):
    """What is not there in full is left for the next call."""
    raw, ends = b"", [0]
    old = obsolete(b"efgh", 2, given=((1, b"x"),), order=order)
    for more in (enhanced(b"abc", 1, order=order), simple(b"d", order=order), old):
        raw += more
        ends.append(len(raw))
    for cut in range(len(raw) + 1):
        begin = max(end for end in ends if end <= cut)
        consumed, packets, error, _ = decode(codec, raw[:cut], order)
        assert (consumed, len(packets), error) == (begin, ends.index(begin), None)


@ORDERS
@pytest.mark.parametrize("kind", [0, 1, 4, 5, 10, 0xBAD, 0x0A0D0D0A, 0x80000001, 0xFFFFFFFF])
def test_other_blocks_are_left_to_the_caller(codec, order, kind):
    good = enhanced(b"abc", order=order)
    raw = good + block(kind, bytes(24), order) + good
    assert decode(codec, raw, order)[::2] == (len(good), None)
    assert decode(codec, raw[len(good) :], order)[:3] == (0, [], None)


WRONG = {
    "of 0 bytes": (block(6, b"", size=0), (BLOCK_SHORT, 0, 32)),
    "without room": (block(6, bytes(16)), (BLOCK_SHORT, 28, 32)),
    "obsolete without room": (block(2, bytes(16)), (BLOCK_SHORT, 28, 32)),
    "simple without room": (block(3, b""), (BLOCK_SHORT, 12, 16)),
    "interface without room": (block(1, bytes(4)), (BLOCK_SHORT, 16, 20)),
    "unknown of 8 bytes": (block(99, b"", size=8), (BLOCK_SHORT, 8, 12)),
    "of 33 bytes": (block(6, bytes(80), size=33), (BLOCK_UNALIGNED, 33, 4)),
    "unknown of 4 GiB": (block(99, bytes(80), size=2**32 - 4), (BLOCK_LONG, 2**32 - 4, MAX_BLOCK)),
    "of 2 GiB": (block(6, bytes(80), size=2**31), (BLOCK_LONG, 2**31, MAX_BLOCK)),
    "of 16 MiB and a bit": (block(6, bytes(80), size=MAX_BLOCK + 4), (BLOCK_LONG, MAX_BLOCK + 4, MAX_BLOCK)),
    "another trailer": (block(6, bytes(20), trailer=28), (BLOCK_TRAILER, 28, 32)),
    "unknown, another trailer": (block(99, bytes(20), trailer=0), (BLOCK_TRAILER, 0, 32)),
    "packet past its block": (enhanced(b"abc", captured=5), (PAST_BLOCK, 5, 4)),
    "packet of 4 GiB": (enhanced(b"abc", captured=2**32 - 16), (PAST_BLOCK, 2**32 - 16, 4)),
    "simple packet past its block": (simple(b"abc", 5), (PAST_BLOCK, 5, 4)),
    "packet that is too long": (enhanced(bytes(MAX_FRAME + 1)), (RECORD_TOO_LONG, MAX_FRAME + 1, MAX_FRAME)),
    "simple packet that is too long": (simple(bytes(MAX_FRAME + 1)), (RECORD_TOO_LONG, MAX_FRAME + 1, MAX_FRAME)),
    "interface 1": (enhanced(b"", number=1), (NO_INTERFACE, 1, 1)),
    "interface 65536": (enhanced(b"", number=65536), (NO_INTERFACE, 65536, 1)),
    "obsolete, interface 7": (obsolete(b"", number=7), (NO_INTERFACE, 7, 1)),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "wanted"), WRONG.values(), ids=WRONG)
@ORDERS
def test_what_is_wrong(codec, order, bad, wanted):
    """After all packets before it; known from the head alone where the head says it."""
    if order == ">":  # turn every field of it around
        at = 28 if bad[0] in (2, 6) else 12
        fields = [bad[i : i + 4][::-1] for i in range(0, len(bad), 4)]
        bad = b"".join(fields[: at // 4]) + bad[at:-4] + fields[-1]
        if bad[3] == 2 and len(bad) >= 32:
            bad = bad[:8] + bad[10:12] + bad[8:10] + bad[12:]
    good = enhanced(b"good", order=order)
    consumed, packets, error, _ = decode(codec, good + bad + good, order)
    assert (consumed, len(packets), error) == (len(good), 1, wanted)
    if wanted[0] in (BLOCK_SHORT, BLOCK_UNALIGNED, BLOCK_LONG):
        assert decode(codec, bad[:8], order)[::2] == (0, wanted)


def test_no_interface_at_all(codec):
    for raw in (enhanced(b""), simple(b""), obsolete(b"")):
        assert decode(codec, raw, interfaces=array("q"))[2] == (NO_INTERFACE, 0, 0)


def test_longest(codec):
    raw = enhanced(bytes(MAX_FRAME), original=2**32 - 1, given=tuple((1, bytes(65535)) for _ in range(200)))
    consumed, [packet], error, _ = decode(codec, raw)
    assert (consumed, error, len(packet.data), len(packet.notes)) == (len(raw), None, MAX_FRAME, 200 * (4 * 65535 + 7))
    raw = block(99, bytes(MAX_BLOCK - 12))
    assert decode(codec, raw)[:3] == (0, [], None)


def test_a_call_reads_some_megabytes(codec):
    raw = enhanced(bytes(60_000)) * 200
    at, calls = 0, 0
    while at < len(raw):
        at, data, rows, error, _ = codec.pcapng_decode(bytearray(raw), at, len(raw), False, MICRO, b"")
        assert error is None
        assert rows
        assert len(data) < 2 * MAX_BATCH
        calls += 1
    assert calls > 1
    small = bytearray(enhanced(b"") * 100_000)
    assert len(codec.pcapng_decode(small, 0, len(small), False, MICRO, b"")[2]) < 2 * MAX_BATCH


# ---- writing ----


def with_notes(codec: ModuleType, notes: str) -> tuple[bytes, int, int, int, int]:
    """What is written of a packet."""
    batch = batch_of(packet(notes=notes))
    return codec.pcapng_encode(*batch, 0, False, interface_of(*batch))


@ORDERS
@pytest.mark.parametrize("nano", [True, False], ids=["nano", "micro"])
def test_encode(codec, order, nano):
    time = 1_700_000_000 * SECOND + 123_456_000
    batch = batch_of(*(packet(frame, time, original=1514) for frame in FRAMES))
    written, stop, lost, _, _ = codec.pcapng_encode(*batch, 0, order == ">", interface_of(*batch, 7, nano))
    ticks = time if nano else time // 1000
    assert written == b"".join(enhanced(frame, ticks, 7, original=1514, order=order) for frame in FRAMES)
    assert (stop, lost) == (4, 0)


@ORDERS
def test_notes_become_options(codec, order):
    notes = "NOTE: one\nLOST: 18446744073709551615\nIFACE: eth0\nNOTE:\nWAY: out\nNOTE:  \xe9\n"
    batch = batch_of(packet(notes=notes), packet(notes="IFACE: eth0\n"))
    written, _, lost, _, _ = codec.pcapng_encode(*batch, 0, order == ">", interface_of(*batch))
    given = (flags(2, order), drops(2**64 - 1, order), (1, b"one"), (1, b""), (1, b" \xe9"))
    assert written == enhanced(b"abc", given=given, order=order) + enhanced(b"abc", order=order)
    assert lost == 0


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NOTE: a\\nb\\rc", b"a\nb\rc"), ("NOTE: \\x00\\x1f\\x7f\\x09", b"\0\x1f\x7f\t"), ("NOTE:close", b"close"),
        ("NOTE:  two", b" two"),
        ("NOTE: ", b""), ("NOTE: \\", b"\\"), ("NOTE: \\\\n", b"\\n"), ("NOTE: \\\\\\n", b"\\\n"),
        ("NOTE: \\\\\\\\x1b \\\\a", b"\\\\x1b \\\\a"), ("NOTE: \\x", b"\\x"), ("NOTE: \\x0", b"\\x0"),
        # Only what our reader writes is turned back.
        ("NOTE: \\x41\\x20\\xa0\\xff", b"\\x41\\x20\\xa0\\xff"), ("NOTE: \\x80\\x9f\\u2069", b"\x80\x9f\xe2\x81\xa9"),
        ("NOTE: \\xc2\\x80\\xc2\\xa0\\xc2\\\\x80", b"\xc2\x80\\xc2\\xa0\\xc2\\x80"), ("NOTE: \\\\xc2\\x80", b"\\xc2\x80"),
        ("NOTE: \\x0a\\x0d", b"\\x0a\\x0d"),
        ("NOTE: \\x1B\\x7F", b"\\x1B\\x7F"),
        ("NOTE: \\t\\N\\X00", b"\\t\\N\\X00"), ("NOTE: \\x\\x00", b"\\x\0"), ("NOTE: tab\there", b"tab\there"),
    ],
)  # fmt: skip
def test_how_text_stands_for_bytes(codec, line, value):
    written, _, lost, _, _ = with_notes(codec, line + "\n")
    assert (written, lost) == (enhanced(b"abc", given=((1, value),)), 0)


@pytest.mark.parametrize(
    "line",
    ["WAY: up", "WAY:", "WAY: In", "WAY: in out", "LOST: many", "LOST:", "LOST: -1", "LOST: 1.5", "LOST: 18446744073709551616",
     "LOST: " + "9" * 100_000, "NOTE: " + "x" * 65536, "WAY: in\nWAY: in", "LOST: 1\nLOST: 1", "IFACE: a\nIFACE: a",
     "OTHER: x", "NOTE", "", "IFACE: " + "x" * 65536],
    ids=lambda line: line[:20],
)  # fmt: skip
def test_lines_that_cannot_be_written_are_counted(codec, line):
    written, stop, lost, _, _ = with_notes(codec, line + "\n" + "NOTE: kept\n")
    assert (stop, lost) == (1, 1)
    [found] = records(section() + interface() + written)
    assert found.notes in ("NOTE: kept\n", "WAY: in\nNOTE: kept\n", "LOST: 1\nNOTE: kept\n")
    assert found.data == b"abc"


@pytest.mark.parametrize("line", ["WAY:in", "WAY:  in \t", "LOST:7", "LOST: 007", "LOST: " + "0" * 99 + "7"])
def test_lines_that_an_editor_left_otherwise(codec, line):
    written, _, lost, _, _ = with_notes(codec, line + "\n")
    assert (written, lost) == (enhanced(b"abc", given=((flags(1) if "WAY" in line else drops(7)),)), 0)


def test_the_longest_texts(codec):
    for text, size in (("x" * 65535, 65535), ("\\n" * 65535, 65535), ("\\x00" * 65535, 65535)):
        written, _, lost, _, _ = with_notes(codec, f"NOTE: {text}\n")
        assert (lost, len(written)) == (0, 32 + 4 + 4 + 65536 + 4)
        assert struct.unpack_from("<HH", written, 32) == (1, size)


def test_no_block_is_too_long(codec):
    """Comments that would make it so are counted instead."""
    notes = f"NOTE: {'x' * 65532}\n" * 300
    written, _, lost, _, _ = with_notes(codec, notes)
    assert (len(written), lost) == (32 + 4 + 255 * 65536 + 4, 45)
    written, _, lost, _, _ = with_notes(codec, notes + "NOTE: " + "x" * 65492 + "\n")
    assert (len(written), lost) == (MAX_BLOCK, 45)
    written, _, lost, _, _ = with_notes(codec, notes + "NOTE: " + "x" * 65493 + "\n")
    assert lost == 46


def runs(codec: ModuleType, packets: list[Record], nano: bool = False) -> list[int]:
    """Where the calls stop that begin at each packet."""
    batch = batch_of(*packets)
    starts = range(len(packets) + 1)
    return [codec.pcapng_encode(*batch, first, True, interface_of(*batch, nano=nano, first=first))[1] for first in starts]


def test_a_call_writes_packets_of_one_interface(codec):
    a, b, c = packet(), packet(linktype=113), packet(notes="IFACE: a\n")
    assert runs(codec, [a, a, b, a]) == [2, 2, 3, 4, 4]
    assert runs(codec, [a, c, c, packet(notes="IFACE: b\n"), packet(notes="IFACE:\n")]) == [1, 3, 3, 4, 5, 5]
    assert runs(codec, [c, packet(notes="NOTE: x\nIFACE: a\nIFACE: b\n"), packet(notes="NOTE: IFACE: a\n")]) == [2, 2, 3, 3]
    assert runs(codec, [a, packet(time=1), packet(time=1000)]) == [1, 1, 3, 3]
    assert runs(codec, [a, packet(time=1), packet(time=1000)], nano=True) == [3, 3, 3, 3]


def test_a_call_writes_packets_of_several_interfaces(codec):
    """Which are told by the notes of one of their packets: by all lines, or by those that count."""
    a, b, c, d = packet(notes="IFACE: a\n"), packet(notes="IFACE: b\nWAY: in\n"), packet(linktype=113), packet(notes="IFACE: c\n")
    interfaces = [(b"IFACE: a\n", 1, 3, False, MAX_FRAME, 0, 0), (b"IFACE: b\n", 1, 7, False, MAX_FRAME, 0, 0),
                  (b"", 113, 8, True, 4, 0x40, 0)]  # fmt: skip
    batch = batch_of(a, b, packet(time=1, linktype=113), a, d, a)
    written, stop, *_ = codec.pcapng_encode(*batch, 0, False, interfaces)
    assert stop == 4 and [struct.unpack_from("<I", one, 8)[0] for one in blocks_of(written)] == [3, 7, 8, 3]
    for bad in (packet(b"12345", linktype=113), packet(time=1, notes="IFACE: b\n")):
        assert codec.pcapng_encode(*batch_of(a, bad), 0, False, interfaces)[1] == 1
    for batch, some in ((batch_of(), interfaces), (batch_of(c), interfaces[:2]), (batch_of(c), [])):
        assert codec.pcapng_encode(*batch, 0, False, some) == (b"", 0, 0, 0, 0)
    assert codec.pcapng_encode(*batch_of(c), 0, False, [*interfaces[:2] * 32, interfaces[2]])[1] == 1
    for wrong in (interfaces * 22, [(b"", 1, 1 << 32, False, 9, 0, 0)], [(b"", 1, -1, False, 9, 0, 0)]):
        with pytest.raises(ValueError, match="interface"):
            codec.pcapng_encode(*batch_of(c), 0, False, wrong)


def test_what_no_block_can_hold_is_not_written(codec):
    for bad in (packet(time=-1), packet(original=-1), packet(original=2**32)):
        assert runs(codec, [packet(), bad, packet()], nano=True) == [1, 1, 3, 3]


def test_the_last_time(codec):
    batch = batch_of(packet(b"", LAST))
    assert codec.pcapng_encode(*batch, 0, False, interface_of(*batch, nano=True))[0] == enhanced(b"", LAST)
    assert codec.pcapng_encode(*batch, 0, False, interface_of(*batch)) == (b"", 0, 0, 0, 0)


def test_a_call_writes_some_megabytes(codec):
    data, rows = batch_of(packet(bytes(60_000), notes="NOTE: " + "x" * 60_000 + "\n"))
    rows *= 200
    first, calls = 0, 0
    while first < 200:
        written, first, *_ = codec.pcapng_encode(data, rows, first, True, interface_of(data, rows))
        assert len(written) < 3 * MAX_BATCH
        calls += 1
    assert calls > 1
