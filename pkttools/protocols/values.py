"""Fields as the user writes them: their names, and their values as packets hold them; the way back is shown.py."""

from __future__ import annotations

from ..batch import MAX_FRAME
from ..errors import UnknownName, UsageError, counted
from .fields import DATA, FIELDS, IPV4, IPV6, MAC, TABLE, TEXT, Row, current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEX = frozenset("0123456789abcdefABCDEF")

Header = tuple[int, int, int, int]  # what the codec's `walk` finds: kind, start, where its data begin, end

# ---- names ----


def field(text: str) -> tuple[str, list[int], int | None]:
    """Finds a field by its name: the name that it has now, its rows, and the occurrence that was asked for.

    Raises UsageError with the nearest known name.
    """
    name, occurrence = occurring(text)
    if name not in FIELDS:
        raise UnknownName(unknown_name(name, list(FIELDS), "field"), name)
    return current(name), FIELDS[name], occurrence


def occurring(text: str) -> tuple[str, int | None]:
    """Takes `NAME[2]` apart: the name in capitals, and the occurrence if there is one. Raises UsageError."""
    name, bracket, index = text.upper().partition("[")
    if not bracket:
        return name, None
    digits = index[:-1].removeprefix("-")
    if not index.endswith("]") or not digits.isdigit() or int(digits[:9]) == 0:
        raise UsageError(f"'{text}': an occurrence is [1], [2] ... or [-1] for the last")
    return name, int(index[:-1][:10])


def unknown_name(name: str, known: list[str], what: str, listed: str = " (-k lists the fields)") -> str:
    """`no field 'IP.TLL': did you mean IP.TTL?` listed: what is said where none is near."""
    from difflib import get_close_matches  # late: only for those who slipped

    layer, _, behind = name.rpartition(".")
    begun = [other for other in known if other.startswith(name)]
    ended = [other for other in known if layer and other.endswith(("." + behind, "_" + behind))]
    near = begun or sorted(ended, key=lambda other: not other.startswith(layer + ".")) or get_close_matches(name, known, 1)
    return f"no {what} '{name[:40]}'" + (f": did you mean {near[0]}?" if near else listed)


def rows_of(indexes: list[int]) -> list[Row]:
    """The rows behind indexes into the table."""
    return [TABLE[i] for i in indexes]


# ---- values ----


def parse_value(name: str, rows: list[Row], text: str) -> int | bytes:
    """Reads a value for the field `name`: an integer (addresses too), or bytes for a DATA or TEXT field.

    Raises UsageError when it is not of the field's kind or does not fit in it.
    """
    text = text.strip()
    kind = rows[0].kind
    if kind == DATA:
        return parse_data(name, text)
    if kind == TEXT:
        return parse_text(name, text, rows[0].width // 8 or MAX_FRAME)
    value = {MAC: parse_mac, IPV4: parse_ipv4, IPV6: parse_ipv6}.get(kind, parse_number)(text)
    if value is None and rows[0].names:
        value = next((number for number, word in rows[0].names.items() if word == text.lower()), None)
        if value is None:
            raise UsageError(f"{name}: '{text}' is neither a number nor one of {', '.join(rows[0].names.values())}")
    if value is None:
        what = {MAC: "a MAC address", IPV4: "an IPv4 address", IPV6: "an IPv6 address"}.get(kind, "a number")
        raise UsageError(f"{name}: '{text}' is not {what}")
    limit = max(largest(row) for row in rows)
    if value > limit:
        raise UsageError(f"{name}: {text} does not fit: at most {limit}")
    return value


def parse_step(name: str, rows: list[Row], text: str) -> int:
    """Reads what `+=` or `-=` adds or takes: a number, for addresses too. Raises UsageError."""
    if rows[0].kind in (DATA, TEXT):
        raise UsageError(f"{name}: {rows[0].kind} can be set, not counted")
    value = parse_number(text.strip())
    if value is None:
        raise UsageError(f"{name}: '{text}' is not a number to count by")
    unit = min(row.scale for row in rows)
    if value > largest(rows[0]) or value % unit:
        raise UsageError(f"{name}: {text} does not fit, or is not a multiple of {unit}")
    return value


def check_assignable(name: str, rows: list[Row], value: int) -> None:
    """Raises UsageError when no row can hold `value` exactly, such as an IP header of 21 bytes."""
    if not any(value % row.scale == 0 and row.bias * row.scale <= value <= largest(row) for row in rows):
        raise UsageError(f"{name}: {value} is not a multiple of {min(row.scale for row in rows)} bytes that fits")


def largest(row: Row) -> int:
    """The largest value that a row can hold."""
    return ((1 << row.width) - 1 + row.bias) * row.scale


def parse_number(text: str) -> int | None:
    """A decimal number, or a hexadecimal one with `0x`; None when it is neither."""
    if len(text) > 40:  # nothing here has more digits, and int() of a huge one takes for ever (CVE-2020-10735)
        return None
    if text[:2] in ("0x", "0X"):
        return int(text, 16) if len(text) > 2 and HEX.issuperset(text[2:]) else None
    return int(text) if text.isascii() and text.isdigit() else None


def parse_mac(text: str) -> int | None:
    """Six groups of one or two hex digits; None when it is something else."""
    groups = text.replace("-", ":").split(":")
    if len(groups) != 6 or not all(0 < len(group) <= 2 and HEX.issuperset(group) for group in groups):
        return None
    return int.from_bytes(bytes(int(group, 16) for group in groups), "big")


def parse_ipv4(text: str) -> int | None:
    """Four decimal numbers up to 255; None when it is something else."""
    parts = text.split(".")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) <= 3 and int(p) <= 255 for p in parts):
        return None
    return int.from_bytes(bytes(map(int, parts)), "big")


def parse_ipv6(text: str) -> int | None:
    """An address in any form of RFC 4291 section 2.2; None when it is something else."""
    from socket import AF_INET6, inet_pton  # late: half of the time a command takes to start

    try:
        return int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, ValueError):
        return None


def parse_data(name: str, text: str) -> bytes:
    """Bytes in hex, apart (`61 62 63`, one or two digits each) or together (`616263`)."""
    data = bytearray()
    for word in text.split():
        if not HEX.issuperset(word):
            raise UsageError(f"{name}: bad hex digit '{word[:40]}'")
        if len(word) > 2 and len(word) % 2:
            raise UsageError(f"{name}: '{word[:40]}' has an odd number of hex digits")
        data += bytes.fromhex(word if len(word) > 1 else "0" + word)
    return bytes(data)


def parse_text(name: str, text: str, room: int) -> bytes:
    """Characters, as they are or in double quotes; `\\x` and two hex digits is a byte of any value but zero.

    Raises UsageError when they are more than `room` bytes, or no ASCII.
    """
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise UsageError(f"{name}: {text[:40]}: a quote is missing")
        text = text[1:-1]
        if '"' in text:
            raise UsageError(f"{name}: '{text[:40]}': a quote in quotes is written as \\x22")
    first, *escaped = text.split("\\x")
    for part in escaped:
        if len(part) < 2 or not HEX.issuperset(part[:2]) or part[:2] == "00":
            raise UsageError(f"{name}: '\\x{part[:2]}': two hex digits follow, of a byte that is not zero")
    if not text.isascii() or not text.isprintable():
        raise UsageError(f"{name}: '{text[:40]}' is not printable ASCII; other bytes are written as \\x and two hex digits")
    value = first.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in escaped)
    if len(value) > room:
        raise UsageError(f"{name}: '{text[:40]}' does not fit: at most {room} bytes")
    return value


def keys() -> Iterator[str]:
    """The list of fields, a line each: name, size, and what its values may be called."""
    seen = set()
    for row in TABLE:
        if row.name not in seen:
            seen.add(row.name)
            size = "bytes" if row.kind == DATA else counted(row.width, "bit") + (f" x {row.scale} bytes" if row.scale > 1 else "")
            if row.kind == TEXT:
                size = f"{row.width // 8} bytes" if row.width else "bytes"
            kind = {MAC: "MAC address", IPV4: "IPv4 address", IPV6: "IPv6 address", TEXT: "text"}.get(row.kind)
            words = kind or ", ".join((row.names or {}).values())
            yield f"{row.name:<22}  {size:<17}  {words}".rstrip()
