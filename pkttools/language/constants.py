"""What stands behind an operator: values as field lines have them, and letters, services, dates, texts in quotes besides."""

from __future__ import annotations

from ..batch import MAX_SECONDS
from ..errors import UsageError
from ..protocols.fields import DATA, FIELDS, INT, LITTLE, TABLE, Row
from ..protocols.values import parse_number, parse_text, parse_value

SECOND = 1_000_000_000  # nanoseconds
PORTS = ("SRC_PORT", "DST_PORT")


def constant(name: str, rows: list[Row], text: str) -> int | bytes:
    """A value for the field `name`: as `parse_value` reads it; flags by their letters, ports by their services, data in quotes.

    Raises UsageError.
    """
    word = text.strip()
    if rows[0].kind == DATA and word.startswith('"'):
        return parse_text(name, word, len(word))
    if rows[0].kind in (INT, LITTLE) and word and parse_number(word) is None and word.lower() not in (rows[0].names or {}).values():
        value = letters(rows[0], word)
        if value is None and name.endswith(PORTS):
            value = service(name, word)
        if value is not None:
            return value
    return parse_value(name, rows, text)


def letters(row: Row, word: str) -> int | None:
    """The number of a field of flags: `SA` for SYN and ACK. None: it has no such letters.

    A flag's letter is that of its description, or else the first one of its name, where no other flag has that.
    """
    from ..protocols import _words  # late: who writes numbers needs none

    protocol, _, _ = row.name.partition(".")
    bits: dict[str, int] = {}
    initials: dict[str, int] = {}
    for flag, letter in _words.LETTERS.get(protocol, {}).items():
        other = TABLE[FIELDS[f"{protocol}.{flag}"][0]]
        shift = row.bit + row.width - other.bit - other.width
        if other is not row and 0 <= shift < row.width:
            bits[letter] = 1 << shift
            initials.setdefault(flag[0], 1 << shift)
    known = initials | bits
    found = [known.get(letter, known.get(letter.upper())) for letter in word]
    value = 0
    for bit in found:
        if bit is None:
            return None
        value |= bit
    return value


def service(name: str, word: str) -> int:
    """The port of a service: by its name in the descriptions, or in /etc/services. Raises UsageError."""
    from socket import getservbyname

    from ..protocols import _words

    protocol, _, _ = name.partition(".")
    own = _words.NAMES.get(protocol, {})
    found = next((number for number, known in own.items() if known == word.lower()), None)
    if found is not None:
        return found
    for arguments in ((word.lower(), protocol.lower()), (word.lower(),)):
        try:
            return getservbyname(*arguments)
        except (OSError, UnicodeError, ValueError):
            continue
    raise UsageError(f"{name}: '{word[:40]}' is neither a number nor a service that is known (/etc/services)")


def note_text(name: str, text: str) -> bytes:
    """What a line of notes says: ASCII as texts of fields, or else as it is. Raises UsageError."""
    text = text.strip()
    if text.isascii():
        return parse_text(name, text, len(text))
    return text.removeprefix('"').removesuffix('"').encode(errors="surrogateescape")


def moment(name: str, text: str) -> int:
    """A time in nanoseconds since 1970: seconds, with a fraction or without, or a date.

    A date is one of ISO 8601: `2026-11-01`, `2026-11-01T10:00`, `2026-11-01T10:00:00.5`, behind it `Z` for UTC or `+01:00`; else
    it is local time. Raises UsageError.
    """
    word = text.strip()
    found = _seconds(word)
    if found is None:
        found = _date(word)
    if found is None or not 0 <= found <= MAX_SECONDS * SECOND:
        raise UsageError(f"{name}: '{word[:40]}' is no time, such as 2026-11-01T10:00Z, or seconds since 1970")
    return found


def _seconds(word: str) -> int | None:
    whole, point, fraction = word.partition(".")
    if not (whole + fraction).isdecimal() or not (whole + fraction).isascii() or len(word) > 40 or (point and not fraction):
        return None
    return int(whole or "0") * SECOND + int(fraction[:9].ljust(9, "0"))


def _date(word: str) -> int | None:
    """Without the modules that know dates: they are dear to import."""
    from time import mktime

    day, _, clock = word.upper().partition("T")
    clock, zone = _zoned(clock)
    numbers = _numbers(day.split("-"), (4, 2, 2))
    hms, point, fraction = clock.partition(".")
    parts = hms.split(":") if hms else []
    of_day = _numbers(parts, (2,) * len(parts))
    if numbers is None or of_day is None or len(parts) not in (0, 2, 3):
        return None
    if point and (len(parts) < 3 or not fraction.isdecimal()):
        return None
    year, month, date = numbers
    hour, minute, second = (*of_day, 0, 0, 0)[:3]
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= date <= lengths[month - 1]) or hour > 23 or minute > 59 or second > 60:
        return None
    if zone is None:
        seconds = int(mktime((year, month, date, hour, minute, second, 0, 0, -1)))
    else:
        before = year - 1
        days = before * 365 + before // 4 - before // 100 + before // 400 - 719162 + sum(lengths[: month - 1]) + date - 1
        seconds = days * 86400 + hour * 3600 + minute * 60 + second - zone
    return seconds * SECOND + int(fraction[:9].ljust(9, "0"))


def _zoned(clock: str) -> tuple[str, int | None]:
    """A time of the day without its zone, and that in seconds east of UTC; None: local time."""
    if clock.endswith("Z"):
        return clock[:-1], 0
    for sign, factor in (("+", 1), ("-", -1)):
        before, found, zone = clock.partition(sign)
        if found:
            hours = _numbers([zone[:2], zone[2:].removeprefix(":") or "00"], (2, 2))
            return (before, factor * (hours[0] * 3600 + hours[1] * 60)) if hours else ("?", None)
    return clock, None


def _numbers(words: list[str], digits: tuple[int, ...]) -> list[int] | None:
    if len(words) != len(digits) or any(
        len(w) != n or not (w.isascii() and w.isdigit()) for w, n in zip(words, digits, strict=True)
    ):
        return None
    return [int(word) for word in words]


def show_moment(nanoseconds: int) -> str:
    """A time as `moment` reads it, in UTC."""
    from time import gmtime, strftime

    whole, rest = divmod(nanoseconds, SECOND)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole)) + fraction + "Z"
