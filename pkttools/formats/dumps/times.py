"""What the text in front of a dump says of its packet: when it came, and how long it was."""

from __future__ import annotations

import re
import time

from ...language.times import MOST_TIME, SECOND, of_date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY = 86400 * SECOND
FRACTION = r"(\d\d):(\d\d):(\d\d)[.,](\d{1,9})"
# Behind a number, as of ASA, scapy's hexraw and tshark, and whatever a log puts in front.
DATED = re.compile(r"(?:\d+:?\s+)?(\d{4}-\d\d-\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?\b")
OF_DAY = re.compile(rf"(?:\d+:?\s+)?\*?{FRACTION}\b")
CISCO = re.compile(rf"\*?{FRACTION}\s+(\w+)\s+([A-Z][a-z][a-z])\s+(\d+)\s+(\d{{4}})\b")
EPOCH = re.compile(r"(?:\d+:?\s+)?(\d{9,10})\.(\d{1,9})\b")
TSHARK = re.compile(r"Epoch (?:Arrival )?Time: (\d{1,10})\.(\d{1,9}) seconds")
RELATIVE = re.compile(r"(?:\d+\s+)?(\d{1,8})\.(\d{6,9})\b")
BOOTED = re.compile(r"(?:<\d+>)?\[ *(\d{1,8})\.(\d{6})\]")
WIRE = re.compile(r"\b(?:pkt_len=|Frame \d+: )(\d{1,6})\b")


def clock(hour: str, minute: str, second: str, fraction: str) -> int:
    """Nanoseconds of a time of day."""
    return (int(hour) * 3600 + int(minute) * 60 + int(second)) * SECOND + int(fraction.ljust(9, "0"))


def from_zero(seconds: str, fraction: str) -> int:
    """Nanoseconds of a number of seconds."""
    return int(seconds) * SECOND + int(fraction.ljust(9, "0"))


class Clock:
    """Times of a text. What has no date is of one day, and of the next one where it goes back for more than half a day.

    day: nanoseconds since 1970 of midnight, None: today, local. dateless: whether a time of day was met. relative: whether one was
    met that counts from some beginning: it counts from 1970, or from that day.
    """

    def __init__(self, day: int | None) -> None:
        self.given, self.last = day, 0
        self.day = midnight() if day is None else day
        self.dateless = self.relative = False

    def read(self, line: str) -> int | None:
        """The time that a line of text begins with, or tells; None: none."""
        line = line.strip()
        if not line or not (line[0].isdigit() or line[0] in "[*<E"):
            return None
        try:
            found = self.found(line)
        except ValueError:
            return None
        return found if found is None or 0 <= found <= MOST_TIME else None

    def found(self, line: str) -> int | None:
        """The same, whatever it is. Raises ValueError where a date is none."""
        if match := DATED.match(line):
            date, zone = match[1], match[6] or ""
            return moment(f"{date}T{match[2]}:{match[3]}:{match[4]}.{match[5] or 0}{zone}")
        if match := CISCO.match(line):
            month = MONTHS.index(match[6]) + 1
            zone = "Z" if match[5] in ("UTC", "GMT") else ""
            return moment(f"{match[8]}-{month:02}-{int(match[7]):02}T{match[1]}:{match[2]}:{match[3]}.{match[4]}{zone}")
        if match := OF_DAY.match(line):
            return self.of_day(clock(match[1], match[2], match[3], match[4]))
        if match := TSHARK.match(line) or EPOCH.match(line):
            return from_zero(match[1], match[2])
        if match := BOOTED.match(line) or RELATIVE.match(line):
            self.relative = True
            return (self.given or 0) + from_zero(match[1], match[2])
        return None

    def of_day(self, time_of_day: int) -> int:
        """A time of day on its day."""
        self.dateless = True
        if self.last - time_of_day > DAY // 2:
            self.day += DAY
        self.last = time_of_day
        return self.day + time_of_day


def moment(text: str) -> int:
    """Nanoseconds since 1970 of a date and a time. Raises ValueError."""
    from ...errors import UsageError

    try:
        return of_date("", text)
    except UsageError:
        raise ValueError from None


def midnight() -> int:
    """When today began, in local time, as nanoseconds since 1970."""
    now = time.localtime()
    return int(time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))) * SECOND


def on_wire(line: str) -> int | None:
    """The bytes that a packet had, where a line tells; None: it does not."""
    match = WIRE.search(line)
    return int(match[1]) if match else None
