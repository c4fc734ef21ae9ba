"""Figures as bars, in a terminal and as a picture: packets and bytes over time, sizes, gaps."""

from __future__ import annotations

import os

from ..codec import BELOW, STEPS
from ..views.svg import COLUMN, ROW, Picture
from .figures import SECOND, Snapshot
from .tables import date, short

MOST_ROWS, MOST_BARS = 20, 100  # of time: in a terminal, in a picture
WIDE = 16  # columns of a bar in a terminal
EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDTH, HEIGHT, LEFT, PLOT = 800, 170, 96, 110  # pixels: of the picture, of a chart, in front of its bars, of the highest one

Bar = tuple[str, int]  # what it is of, and how much


def over_time(s: Snapshot, most: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Packets and bytes over time, in no more than so many parts: nanoseconds a part; of each when it begins, packets, bytes."""
    lowest = s.first // s.width
    steps = (step * 10**power for power in range(5) for step in (1, 2, 5))
    each = next(step for step in steps if parts(lowest, len(s.bins), step) <= most)
    found: list[tuple[int, int, int]] = []
    for i, (packets, size) in enumerate(s.bins):
        begin = (lowest + i) // each * each * s.width
        if found and found[-1][0] == begin:
            found[-1] = begin, found[-1][1] + packets, found[-1][2] + size
        else:
            found.append((begin, packets, size))
    return each * s.width, found


def parts(lowest: int, count: int, each: int) -> int:
    """In how many parts of so many bins these lie; each begins at a multiple."""
    return (lowest + count - 1) // each - lowest // each + 1 if count else 0


def gaps(s: Snapshot, most: int) -> list[Bar]:
    """How many gaps there are by their length, each bar of twice as long ones as the one before, or four times... for no more bars
    than so many. Those below zero, of packets that are not in order, are together."""
    steps = s.gaps.numbers[:STEPS].tolist()
    doublings = [sum(steps[bits * 16 : bits * 16 + 16]) for bits in range(1, STEPS // 16)]
    used = [bits for bits, count in enumerate(doublings) if count]
    below = s.gaps.numbers[BELOW]
    bars = [("< 0", below)] if below else []
    if used:
        each = next(each for each in range(1, STEPS) if used[-1] // each - used[0] // each < most)
        for first in range(used[0] // each * each, used[-1] + 1, each):
            bars.append((short(1 << first) if first else "0", sum(doublings[first : first + each])))
    return bars


def sizes(s: Snapshot) -> list[Bar]:
    """Packets by size."""
    return [(f"{least:,}", count) for least, _, count in s.classes()]


# ---- in a terminal ----


def unicode_bars() -> bool:
    """Whether the terminal shows more than ASCII, by the locale."""
    named = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    return named.upper().replace("-", "").endswith("UTF8")


def bar(count: int, most: int, blocks: bool, wide: int = WIDE) -> str:
    """A bar; what is there at all is seen."""
    if not blocks:
        return "#" * (-(-count * wide // most) if most else 0)
    whole, rest = divmod(-(-count * wide * 8 // most) if most else 0, 8)
    return "█" * whole + (EIGHTHS[rest] if rest else "")


def elapsed(nanoseconds: int, each: int) -> str:
    """Seconds, with as many digits behind the point as tell parts of so many nanoseconds apart."""
    digits = next((n for n in range(10) if each % (SECOND // 10**n) == 0), 9)
    whole, rest = divmod(nanoseconds, SECOND)
    return f"{whole}.{rest:09}"[: len(str(whole)) + 1 + digits] if digits else f"{whole}"


def plot(s: Snapshot) -> list[str]:
    """Bars over time, and of sizes and gaps."""
    if not s.packets:
        return []
    blocks = unicode_bars()
    each, time = over_time(s, MOST_ROWS)
    most = [max(part[i] for part in time) for i in (1, 2)]
    labels = [elapsed(begin - time[0][0], each) for begin, _, _ in time]
    wide = max(map(len, labels))
    counts = [max(len(f"{n:,}") for n in column) for column in zip(*((p, b) for _, p, b in time), strict=True)]
    lines = [f"seconds from {date(time[0][0])} on, {short(each)} a line; packets, bytes"]
    for label, (_, packets, size) in zip(labels, time, strict=True):
        first, second = bar(packets, most[0], blocks), bar(size, most[1], blocks)
        lines.append(f"{label:>{wide}}  {packets:>{counts[0]},} {first:<{WIDE}}  {size:>{counts[1]},} {second}".rstrip())
    for title, bars in (("sizes, from so many bytes on", sizes(s)), ("gaps, from so long on", gaps(s, MOST_ROWS))):
        if bars:
            lines += ["", title, *plain_bars(bars, blocks)]
    return lines


def plain_bars(bars: list[Bar], blocks: bool) -> list[str]:
    """A line a bar."""
    wide, most = max(len(label) for label, _ in bars), max(count for _, count in bars)
    digits = max(len(f"{count:,}") for _, count in bars)
    return [f"{label:>{wide}}  {count:>{digits},} {bar(count, most, blocks, 2 * WIDE)}".rstrip() for label, count in bars]


# ---- as a picture ----


def chart(picture: Picture, top: int, title: str, bars: list[Bar], style: str) -> None:
    """Bars beside each other, the highest count in front of them, and labels below as far as there is room."""
    most = max((count for _, count in bars), default=0)
    picture.text(COLUMN, top + ROW / 2, title, WIDTH // COLUMN - 2, "strong")
    bottom = top + ROW + PLOT
    picture.text(LEFT - COLUMN, top + ROW + ROW / 2, f"{most:,}", LEFT // COLUMN - 1, "faint", "end")
    picture.text(LEFT - COLUMN, bottom - ROW / 2, "0", 1, "faint", "end")
    each = (WIDTH - LEFT - COLUMN) / max(len(bars), 8)
    free = 0.0  # from where on there is room for a label
    for i, (label, count) in enumerate(bars):
        left = LEFT + i * each
        high = PLOT * count / most if most else 0
        if count:
            picture.bar(round(left + each * 0.1, 1), round(bottom - high, 1), round(each * 0.8, 1), round(high, 1), style)
        if left >= free and left + COLUMN * len(label) <= WIDTH:
            picture.text(round(left, 1), bottom + ROW / 2, label, len(label), "faint")
            free = left + COLUMN * (len(label) + 2)
    picture.line([(LEFT, bottom), (WIDTH - COLUMN, bottom)])


def picture(s: Snapshot) -> bytes:
    """Packets and bytes over time, sizes, gaps, one below the other."""
    charts: list[tuple[str, list[Bar], str]] = []
    if s.packets:
        each, time = over_time(s, MOST_BARS)
        labels = [elapsed(begin - time[0][0], each) for begin, _, _ in time]
        since = f"seconds from {date(time[0][0])} on, {short(each)} each"
        charts = [
            (f"packets: {since}", [(label, packets) for label, (_, packets, _) in zip(labels, time, strict=True)], "network"),
            (f"bytes: {since}", [(label, size) for label, (_, _, size) in zip(labels, time, strict=True)], "transport"),
            ("packets by size: from so many bytes on", sizes(s), "link"),
            ("gaps between packets: from so long on", gaps(s, MOST_BARS), "application"),
        ]
    drawn = Picture(WIDTH, HEIGHT * max(len(charts), 1), f"{s.packets:,} packets, {s.bytes:,} bytes")
    for i, (title, bars, style) in enumerate(charts):
        chart(drawn, i * HEIGHT + ROW // 2, title, bars, style)
    if not charts:
        drawn.text(COLUMN, ROW, "no packets", WIDTH // COLUMN - 2)
    return drawn.document()
