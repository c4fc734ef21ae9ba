"""Values of fields: what the user writes to what the packet holds, and back."""

from __future__ import annotations

from ..batch import MAX_FRAME
from ..errors import UsageError, counted
from ..protocols.fields import BY_HEADER, DATA, FAMILY, FIELDS, HEADERS, IPV4, IPV6, LITTLE, MAC, TABLE, TEXT, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEX = frozenset("0123456789abcdefABCDEF")
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+:/@\\")  # a filter takes them without quotes

Header = tuple[int, int, int, int]  # what the codec's `walk` finds: kind, start, where its data begin, end
Item = tuple[int, int, int, int, int]  # what its `items` finds: in which header, and the same


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


def format_text(value: bytes) -> str:
    """Characters as a filter takes them: in double quotes where they are no single word, other bytes as `\\x` and digits."""
    shown = "".join(chr(c) if 0x20 <= c <= 0x7E and c not in b'"\\' else f"\\x{c:02x}" for c in value)
    return shown if shown and BARE.issuperset(shown) else f'"{shown}"'


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
    if row.kind == IPV4:
        return ".".join(map(str, value.to_bytes(4, "big")))
    if row.kind == IPV6:
        from socket import AF_INET6, inet_ntop

        return inet_ntop(AF_INET6, value.to_bytes(16, "big"))
    return f"{value:#x}"


def data_rows(data: bytes) -> list[str]:
    """Bytes in upper-case hex, 16 a line, a wider gap before every 4th, as the text format prints DATA."""
    return [
        "  ".join(data[at : min(at + 4, line + 16)].hex(" ").upper() for at in range(line, min(line + 16, len(data)), 4))
        for line in range(0, len(data), 16)
    ]


def known_to_1_16(headers: list[Header]) -> list[Header]:
    """The headers up to the first that 1.16 did not know: one of SCTP, or what a tunnel carries."""
    for i, (kind, *_) in enumerate(headers):
        nested = HEADERS[kind] in ("ETHERNET", "IP", "IPV6") and any(HEADERS[outer[0]] in ("IP", "IPV6") for outer in headers[:i])
        if nested or (i > 0 and all(row.new for row in BY_HEADER[kind])):
            return headers[:i]
    return headers


def field_lines(headers: list[Header], frame: bytes, everything: bool, items: Sequence[Item] = ()) -> bytes:
    """The lines that `-a` prints for one packet, or `-aa` with `everything`.

    headers, items: what the codec's `walk` and `items` give. In the order of 1.16: fields of a header in wire
    order, but the next header behind the addresses; then the data, the innermost first. What a tunnel carries is data
    for `-a`; `-aa` shows the headers in it instead. Items of lists, such as options, come last: they may lie in data, and of
    lines that are read again the last one wins.
    """
    if not everything:
        headers = known_to_1_16(headers)
    lines: list[str] = []
    tail: list[str] = []
    for i, (kind, start, data, end) in enumerate(headers):
        inner: list[str] = []
        for row in sorted(BY_HEADER[kind], key=_is_next_header):
            if row.new and not everything:
                continue
            value = read_field(row, frame, start, data, end)
            if row.kind == DATA and isinstance(value, bytes):
                if _shown_inside(headers[i + 1 :], data, end):
                    continue
                rows = [label(row.name + which_of_many(row, headers, i)) + text for text in data_rows(value)]
                (lines if row.name == "IPV6.EXT_DATA" else inner).extend(rows)
            elif value is not None:
                lines.append(label(row.name) + format_value(row, value))
        tail[:0] = inner
    tail += item_lines(items, frame)
    return "".join(line + "\n" for line in lines + tail).encode()


def item_lines(items: Sequence[Item], frame: bytes) -> list[str]:
    """Those of items of lists, in the order of the packet."""
    places = [(row, place) for _, kind, *place in items for row in BY_HEADER[kind]]
    values = [(row, value) for row, place in places if (value := read_field(row, frame, *place)) is not None]
    names = [row.name for row, _ in values]
    counts: dict[str, int] = {}
    lines: list[str] = []
    for row, value in values:
        counts[row.name] = counts.get(row.name, 0) + 1
        if row.kind == DATA and isinstance(value, bytes):
            name = f"{row.name}[{counts[row.name]}]" if names.count(row.name) > 1 else row.name
            lines += [label(name) + text for text in data_rows(value)]
        else:
            lines.append(label(row.name) + format_value(row, value))
    return lines


def _shown_inside(inner: list[Header], data: int, end: int) -> bool:
    """Whether headers inside show data. The words of those that have a line of text do not: it is they by which it is found."""
    first = next((kind for kind, start, *_ in inner if data <= start < end), None)
    return first is not None and not any(row.kind == TEXT and row.width == 0 for row in BY_HEADER[first])


def which_of_many(row: Row, headers: list[Header], i: int) -> str:
    """`[2]` for the data of an inner header, where an outer one has data of the same name."""
    kinds = {TABLE[index].header for index in FIELDS[row.name]}
    places = [k for k, (kind, _, data, end) in enumerate(headers) if kind in kinds and data < end]
    return f"[{places.index(i) + 1}]" if len(places) > 1 and row.name != "IPV6.EXT_DATA" else ""


def keys() -> None:
    """Writes the list of fields: name, size, and what its values may be called."""
    seen = set()
    for row in TABLE:
        if row.name not in seen:
            seen.add(row.name)
            size = "bytes" if row.kind == DATA else counted(row.width, "bit") + (f" x {row.scale} bytes" if row.scale > 1 else "")
            if row.kind == TEXT:
                size = f"{row.width // 8} bytes" if row.width else "bytes"
            kind = {MAC: "MAC address", IPV4: "IPv4 address", IPV6: "IPv6 address", TEXT: "text"}.get(row.kind)
            words = kind or ", ".join((row.names or {}).values())
            print(f"{row.name:<24}{size:<19}{words}".rstrip())


def label(name: str) -> str:
    """A field's name with the colon and tabs behind it: one to three, so that values line up at column 24."""
    return f"{name}:" + "\t" * max(1, 3 - (len(name) + 1) // 8)


def _is_next_header(row: Row) -> bool:
    return row.name == "IPV6.NEXT_HEADER"
