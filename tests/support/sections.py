"""Blocks of pcapng for tests, built field by field, and a reader of its own: neither uses the codec's means."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest

ORDERS = pytest.mark.parametrize("order", [">", "<"], ids=["big", "little"])
SECOND = 10**9
LAST = 9_223_372_035 * SECOND + SECOND - 1  # the last time that text holds
ESCAPES = {chr(c): f"\\x{c:02x}" for c in [*range(32), 127]} | {"\n": "\\n", "\r": "\\r"}
ESCAPES |= {chr(0xDC00 + c): f"\\x{c:02x}" for c in range(0x80, 0xA0)} | {chr(c): f"\\xc2\\x{c:02x}" for c in range(0x80, 0xA0)}
ESCAPES |= {chr(c): f"\\u{c:04x}" for c in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]}

Options = tuple[tuple[int, bytes], ...]


def options(given: Options, order: str = "<", end: bool = True) -> bytes:
    out = b"".join(struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in given)
    return out + bytes(4) if given and end else out


def block(kind: int, body: bytes, order: str = "<", size: int | None = None, trailer: int | None = None) -> bytes:
    size = len(body) + 12 if size is None else size
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size if trailer is None else trailer)


def section(order: str = "<", major: int = 1, minor: int = 0, given: Options = (), length: int = -1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, minor, length) + options(given, order), order)


def interface(linktype: int = 1, given: Options = (), order: str = "<", snaplen: int = 262144) -> bytes:
    return block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options(given, order), order)


def enhanced(frame: bytes, ticks: int = 0, number: int = 0, given: Options = (), order: str = "<", original: int | None = None,
             captured: int | None = None) -> bytes:  # fmt: skip
    captured, original = len(frame) if captured is None else captured, len(frame) if original is None else original
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, captured, original)
    return block(6, head + frame + bytes(-len(frame) % 4) + options(given, order), order)


def obsolete(frame: bytes, ticks: int = 0, number: int = 0, drops: int = 0xFFFF, given: Options = (), order: str = "<") -> bytes:
    head = struct.pack(order + "HHIIII", number, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(2, head + frame + bytes(-len(frame) % 4) + options(given, order), order)


def simple(frame: bytes, original: int | None = None, order: str = "<") -> bytes:
    original = len(frame) if original is None else original
    return block(3, struct.pack(order + "I", original) + frame + bytes(-len(frame) % 4), order)


def interface_of(data: bytes, rows: bytes, number: int = 0, nano: bool = False, snaplen: int = 262144, flags: int = 0,
                 keeps: int = 0, *, first: int = 0) -> list[tuple[bytes, int, int, bool, int, int, int]]:  # fmt: skip
    """The interface of one of a batch's packets, alone, as the codec takes it; none where there is no such packet."""
    row = struct.unpack("=7q", rows[first * 56 : (first + 1) * 56]) if 0 <= first < len(rows) // 56 else (0,) * 7
    return [(bytes(data[row[5] : row[5] + row[6]]), row[4], number, nano, snaplen, flags, keeps)]


def blocks_of(raw: bytes, order: str = "<") -> list[bytes]:
    """The blocks that there are."""
    found, at = [], 0
    while at < len(raw):
        size = struct.unpack_from(order + "I", raw, at + 4)[0]
        found.append(raw[at : at + size])
        at += size
    return found


def flags(value: int, order: str = "<") -> tuple[int, bytes]:
    return 2, struct.pack(order + "I", value)


def drops(value: int, order: str = "<") -> tuple[int, bytes]:
    return 4, struct.pack(order + "Q", value)


class Record(NamedTuple):
    """A packet; its time in nanoseconds, its extension lines as text."""

    data: bytes
    original: int
    time: int
    linktype: int
    notes: str = ""


def batch_of(*packets: Record) -> tuple[bytearray, bytes]:
    data, rows = bytearray(b"in front"), bytearray()
    for p in packets:
        notes = p.notes.encode("latin-1")
        rows += struct.pack("=7q", len(data), len(p.data), p.original, p.time, p.linktype, len(data) + len(p.data), len(notes))
        data += p.data + notes
    return data, bytes(rows)


def packet(data: bytes = b"abc", time: int = 0, linktype: int = 1, notes: str = "", original: int | None = None) -> Record:
    return Record(data, len(data) if original is None else original, time, linktype, notes)


def packets_of(data: bytearray, rows: bytes) -> list[Record]:
    found = []
    for offset, captured, original, time, linktype, notes, size in struct.iter_unpack("=7q", rows):
        text = bytes(data[notes : notes + size]).decode("latin-1")
        found.append(Record(bytes(data[offset : offset + captured]), original, time, linktype, text))
    return found


def _options(raw: bytes, order: str) -> list[tuple[int, bytes]]:
    found = []
    while len(raw) >= 4:
        code, size = struct.unpack_from(order + "HH", raw)
        if code == 0:
            break
        if size > len(raw) - 4:
            return []
        found.append((code, raw[4 : 4 + size]))
        raw = raw[4 + size + -size % 4 :]
    return found


def _line(word: str, value: bytes) -> str:
    """The line of text for a value: backslashes are doubled where a form follows them, or what would be taken for one."""
    text, at = "", 0
    left = value.decode(errors="surrogateescape")
    while at < len(left):
        run = len(left[at:]) - len(left[at:].lstrip("\\"))
        at += run
        rest = left[at:]
        form = ESCAPES.get(rest[:1])
        like = any(rest.startswith(escape[1:]) for escape in ESCAPES.values() if "xc2" not in escape)
        doubled = form is not None or like or (rest.startswith("xc2") and "\udc80" <= rest[3:4] <= "\udc9f")
        text += "\\" * run * (2 if doubled else 1) + (form or rest[:1])
        at += 1
    return f"{word}:{' ' if value else ''}{text}\n".encode(errors="surrogateescape").decode("latin-1")


def records(raw: bytes) -> list[Record]:
    """The packets of a pcapng file as far as it is sound."""
    found: list[Record] = []
    at, order, interfaces = 0, "<", []
    while len(raw) - at >= 12:
        if raw[at : at + 4] == b"\n\r\r\n":
            if len(raw) - at < 28:
                return found
            order = {0x1A2B3C4D: ">", 0x4D3C2B1A: "<"}.get(int.from_bytes(raw[at + 8 : at + 12], "big"), "")
            interfaces = []
            if not order or struct.unpack_from(order + "H", raw, at + 12) != (1,):
                return found
        kind, size = struct.unpack_from(order + "II", raw, at)
        if size < 12 or size % 4 or size > len(raw) - at or struct.unpack_from(order + "I", raw, at + size - 4) != (size,):
            return found
        body = raw[at + 8 : at + size - 4]
        at += size
        if kind == 1:
            known = dict(reversed(_options(body[8:], order)))
            interfaces.append((*struct.unpack_from(order + "HxxI", body), known))
        elif kind in (2, 3, 6):
            drops, ticks, given = 0, None, []
            if kind == 3:
                number, original, rest = 0, *struct.unpack_from(order + "I", body), body[4:]
                captured = min(original, interfaces[0][1] or original) if interfaces else 0
            else:
                number, high, low, captured, original = struct.unpack_from(order + "IIIII", body)
                if kind == 2:
                    number, drops = struct.unpack_from(order + "HH", body)
                ticks, rest = high << 32 | low, body[20:]
                given = _options(rest[captured + -captured % 4 :], order)
            if number >= len(interfaces) or captured > len(rest) or captured > 262144:
                return found
            linktype, _, known = interfaces[number]
            notes = _notes(kind, known, drops, given, order)
            found.append(Record(rest[:captured], original, _time(ticks, known, order), linktype, notes))
    return found


def _time(ticks: int | None, known: dict[int, bytes], order: str) -> int:
    if ticks is None:
        return 0
    resolution = known.get(9) or b"\6"
    units = 2 ** (resolution[0] & 127) if resolution[0] & 128 else 10 ** resolution[0]
    time = ticks * SECOND // units + struct.unpack(order + "q", known.get(14, bytes(8)))[0] * SECOND
    return min(max(time, 0), LAST)


def _notes(kind: int, known: dict[int, bytes], drops: int, given: list[tuple[int, bytes]], order: str) -> str:
    first = dict(reversed([(code, value) for code, value in given if code != 1]))
    notes = _line("IFACE", known[2]) if 2 in known else ""
    flags = struct.unpack(order + "I", first[2])[0] if len(first.get(2, b"")) == 4 else 0
    notes += {1: "WAY: in\n", 2: "WAY: out\n"}.get(flags & 3, "")
    if kind == 2 and drops not in (0, 0xFFFF):
        notes += f"LOST: {drops}\n"
    if kind == 6 and len(first.get(4, b"")) == 8:
        notes += f"LOST: {struct.unpack(order + 'Q', first[4])[0]}\n"
    return notes + "".join(_line("NOTE", value) for code, value in given if code == 1)
