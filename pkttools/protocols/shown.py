"""Values of fields as they are printed: what a packet holds for a field, and its text, which values.py reads again."""

from __future__ import annotations

from .fields import DATA, FAMILY, IPV4, IPV6, LITTLE, MAC, TEXT, Row

# What a filter takes without quotes.
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:/@\\")


def read_field(row: Row, frame: bytes | bytearray, start: int, data: int, end: int) -> int | bytes | None:
    """What `frame` holds for a row in a header that lies at `start`, its data from `data` to `end`; None: not there."""
    if row.kind == DATA:
        return bytes(frame[data:end]) or None
    if row.kind == TEXT and row.width == 0:
        return bytes(frame[data:end]).partition(b"\0")[0] if data < end else None
    first = start * 8 + row.bit
    if first + row.width > end * 8:
        return None
    if row.width == 0:
        return row.bias * row.scale
    if row.kind == TEXT:
        return bytes(frame[first // 8 : (first + row.width) // 8]).partition(b"\0")[0]
    last = (first + row.width - 1) // 8
    value = int.from_bytes(frame[first // 8 : last + 1], "big") >> ((last + 1) * 8 - first - row.width)
    value &= (1 << row.width) - 1
    if row.kind == FAMILY and value > 0xFFFF:
        value = int.from_bytes(value.to_bytes(4, "big"), "little")
    elif row.kind == LITTLE:
        value = int.from_bytes(value.to_bytes(row.width // 8, "big"), "little")
    return (value + row.bias) * row.scale


def format_value(row: Row, value: int | bytes) -> str:
    """A number as it is printed: `0x%x`, or an address; or the bytes of TEXT."""
    if isinstance(value, bytes):
        return format_text(value)
    if row.kind == MAC:
        return value.to_bytes(6, "big").hex(":")
    if row.kind in (IPV4, IPV6):
        return format_address(value.to_bytes(4 if row.kind == IPV4 else 16, "big"))
    return f"{value:#x}"


def format_address(octets: bytes) -> str:
    """An address of IP, of four octets or sixteen."""
    return ".".join(map(str, octets)) if len(octets) == 4 else format_ipv6(int.from_bytes(octets, "big"))


def format_ipv6(value: int) -> str:
    """An address as RFC 5952 has it: an IPv4 address in it is written as such where a prefix says that it is one (section 5)."""
    from _socket import AF_INET6, inet_ntop  # socket takes ten times as long to import

    before = {0xFFFF: "::ffff:", 0x64_FF9B << 64: "64:ff9b::"}.get(value >> 32)
    if before is not None:
        return before + ".".join(map(str, (value & 0xFFFFFFFF).to_bytes(4, "big")))
    text = inet_ntop(AF_INET6, value.to_bytes(16, "big"))
    return f"::{value >> 16:x}:{value & 0xFFFF:x}" if "." in text else text  # it takes ::1:2 for ::0.1.0.2


def format_fraction(nanoseconds: int, digits: int = 0) -> str:
    """A part of a second, with so many digits behind the point; else with six, or nine where six do not say it."""
    digits = digits or (9 if nanoseconds % 1000 else 6)
    return f".{nanoseconds // 10 ** (9 - digits):0{digits}}"


def format_seconds(nanoseconds: int, digits: int = 0) -> str:
    """Nanoseconds as seconds, with as many digits; the sign is in front of it all."""
    whole, rest = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{'-' * (nanoseconds < 0)}{whole}{format_fraction(rest, digits)}"


def escaped(value: bytes) -> str:
    """Characters, and other bytes as `\\x` and digits: as JSON and tables of fields have them."""
    return "".join(chr(c) if 0x20 <= c <= 0x7E and c not in b'"\\' else f"\\x{c:02x}" for c in value)


def format_text(value: bytes) -> str:
    """Characters as a filter takes them: in double quotes where they are no single word, other bytes as `\\x` and digits."""
    shown = escaped(value)
    return shown if shown and BARE.issuperset(shown) else f'"{shown}"'


def printable(text: bytes) -> str:
    """Text from the input, made safe for a terminal: what is not to be printed as `?`."""
    return "".join(c if c.isprintable() else "?" for c in text.decode(errors="replace"))


def data_rows(data: bytes) -> list[str]:
    """Bytes in upper-case hex, 16 a line, a wider gap before every 4th, as the text format prints DATA."""
    return [
        "  ".join(data[at : min(at + 4, line + 16)].hex(" ").upper() for at in range(line, min(line + 16, len(data)), 4))
        for line in range(0, len(data), 16)
    ]


def label(name: str) -> str:
    """A field's name with the colon and tabs behind it: one to three, so that values line up at column 24."""
    return f"{name}:" + "\t" * max(1, 3 - (len(name) + 1) // 8)
