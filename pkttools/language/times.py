"""Times and shares as users write them: `1.5ms`, `2026-11-01T10:00Z`, `5%`. Integers throughout: nothing is rounded in silence."""

from __future__ import annotations

import time

from ..batch import MAX_SECONDS
from ..errors import UsageError

SECOND = 1_000_000_000  # nanoseconds
UNITS = {"ns": 1, "us": 1000, "ms": 1_000_000, "s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}
MOST_TIME = MAX_SECONDS * SECOND + SECOND - 1  # nanoseconds since 1970, the last time that a packet can have
MOST_DIGITS = 30  # of a number: a mistake, beyond


def decimal(text: str) -> tuple[int, int] | None:
    """A number without a sign, such as `1`, `.5` or `2.25`, as a fraction: what is above and below its line; None: it is none."""
    whole, _, part = text.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        return None
    return int(digits), 10 ** len(part)


def duration(what: str, text: str) -> int:
    """Nanoseconds of a time such as `20ms`, `-1.5s` or `2h`; without a unit it is in seconds.

    what: the option, for messages. Raises UsageError, also where it is no whole number of nanoseconds.
    """
    number = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    digits = number.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit, found = UNITS.get(number[len(digits) :] or "s"), decimal(digits)
    if found is None or unit is None:
        raise UsageError(f"{what}: '{text[:40]}' is not a time: a number and {', '.join(UNITS)}, such as 20ms; without, seconds")
    nanoseconds, rest = divmod(found[0] * unit, found[1])
    if rest:
        raise UsageError(f"{what}: '{text[:40]}' is no whole number of nanoseconds")
    if nanoseconds > MOST_TIME:
        raise UsageError(f"{what}: {text[:40]} is longer than times go, {MAX_SECONDS} s")
    return -nanoseconds if text.startswith("-") else nanoseconds


def span(what: str, text: str) -> int:
    """The same, for one that cannot be negative. Raises UsageError."""
    found = duration(what, text)
    if found < 0:
        raise UsageError(f"{what}: {text[:40]} goes back: it is no time between two packets")
    return found


def ratio(what: str, text: str) -> tuple[int, int]:
    """A factor, such as `2`, `0.5`, `1/3` or `150%`, as what is above and below a fraction's line. Raises UsageError."""
    found = fraction(text)
    if found is None:
        raise UsageError(f"{what}: '{text[:40]}' is not a factor, such as 2, 0.5, 1/3 or 150%")
    return found


def fraction(text: str) -> tuple[int, int] | None:
    """The same of what may be none: None."""
    above, slash, below = text.removesuffix("%").partition("/")
    first, second = decimal(above), decimal(below) if slash else (1, 1)
    if first is None or second is None or not second[0]:
        return None
    return first[0] * second[1], first[1] * second[0] * (100 if text.endswith("%") else 1)


def share(what: str, text: str) -> tuple[int, int]:
    """A share of all, such as `5%`, `0.1%` or `1/20`. Raises UsageError: a bare number could be meant either way."""
    found = fraction(text) if text.endswith("%") or "/" in text or text in ("0", "1") else None
    if found is None:
        raise UsageError(f"{what}: '{text[:40]}' is not a share: it is written 5% or 1/20")
    above, below = found
    if above > below:
        raise UsageError(f"{what}: {text[:40]} is more than all")
    return above, below


def moment(what: str, text: str) -> int:
    """Nanoseconds since 1970 of `now`, of seconds since then such as `1700000000.25`, or of a date.

    A date is `2026-11-01`, with or without a time as in `2026-11-01T10:00` or `2026-11-01 10:00:05.25`, and `Z` or `+01:00`
    behind; without it is local, as the dates of TIME lines are. `now` has microseconds, as times of packets mostly do.
    Raises UsageError.
    """
    if text == "now":
        return time.time_ns() // 1000 * 1000
    found = decimal(text)
    nanoseconds, rest = divmod(found[0] * SECOND, found[1]) if found else (of_date(what, text), 0)
    if rest or not 0 <= nanoseconds <= MOST_TIME:
        reason = "is finer than nanoseconds" if rest else f"is not within 1970 and {MAX_SECONDS} s after"
        raise UsageError(f"{what}: {text[:40]} {reason}")
    return nanoseconds


def of_date(what: str, text: str) -> int:
    """Nanoseconds since 1970 of a date, and a time; before 1970 they are negative. Raises UsageError."""
    from datetime import UTC, datetime, timedelta  # late: it is slow to import

    day, rest = text[:10], text[10:]
    head, point, tail = rest.partition(".")
    fraction = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    try:
        if len(day) != 10 or day[4] + day[7] != "--" or not text.isascii() or (point and not 0 < len(fraction) <= 9):
            raise ValueError
        date = datetime.fromisoformat(day + head.replace("z", "Z") + tail[len(fraction) :].replace("z", "Z"))
        date = date.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        said = "is not a time: now, seconds since 1970, or a date such as 2026-11-01T10:00Z"
        raise UsageError(f"{what}: '{text[:40]}' {said}") from None
    seconds = (date - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds * SECOND + int(fraction.ljust(9, "0"))


def show_moment(nanoseconds: int, *, whole: bool = False) -> str:
    """A time as `moment` reads it, in UTC. whole: with all nine digits, for columns."""
    seconds, rest = divmod(nanoseconds, SECOND)
    fraction = f".{rest:09}" if whole else f".{rest:09}".rstrip("0") if rest else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"
