"""Figures as tables of text, for people: of 80 columns where that is possible."""

from __future__ import annotations

import time

from .. import codec
from ..errors import counted
from ..protocols.shown import format_fraction, format_seconds
from .figures import SECOND, Column, Counts, Interval, Snapshot, Value, rate_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conversations import Connection, Conversation

LABEL = 12  # columns
MOST_OCTETS = 32  # of a value; characters


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Rows under a head; so many columns begin at the left, the others end at the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, *rows):
        cells = zip(row, widths, strict=True)
        aligned = (cell.ljust(width) if i < left else cell.rjust(width) for i, (cell, width) in enumerate(cells))
        lines.append("  ".join(aligned).rstrip())
    return lines


def part(count: int, of: int) -> str:
    """A part in percent."""
    return f"{(1000 * count + of // 2) // of / 10:.1f} %" if of else ""


def parts(counts: Counts, s: Snapshot) -> list[str]:
    """Packets and bytes, each with what part of the stream they are."""
    return [f"{counts.packets:,}", part(counts.packets, s.packets), f"{counts.bytes:,}", part(counts.bytes, s.bytes)]


def date(nanoseconds: int) -> str:
    """A time as a date, here or in UTC, see --utc; also one before 1970."""
    whole, rest = divmod(nanoseconds, SECOND)
    parts = time.localtime(whole)
    return time.strftime(f"%Y-%m-%d %H:%M:%S{format_fraction(rest)} ", parts) + (time.strftime("%Z", parts) or "UTC")


def short(nanoseconds: int) -> str:
    """A duration in a few characters: three digits, or whole seconds, rounded."""
    for unit, name in ((SECOND, "s"), (1_000_000, "ms"), (1000, "us")):
        if abs(nanoseconds) * 2000 >= 1999 * unit:  # less is shown as that much of the smaller unit
            size = nanoseconds / unit
            return f"{size:.3g} {name}" if abs(size) < 999.5 else f"{size:,.0f} {name}"
    return f"{nanoseconds} ns"


def labelled(label: str, text: str) -> str:
    """A line of what there is one of."""
    return f"{label:<{LABEL}}{text}"


def size_text(size: int) -> str:
    """A size, as far as it is told apart."""
    return f"{size:,}" if size < codec.SIZES else f"{codec.SIZES:,} or more"


def totals(s: Snapshot) -> list[str]:
    """The stream as a whole."""
    cut = f", {counted(s.cut, 'packet')} cut short" if s.cut else ""
    lines = [labelled("packets", f"{s.packets:,}"), labelled("bytes", f"{s.bytes:,} on the wire, {s.captured:,} captured{cut}")]
    if not s.packets:
        return lines
    lines += [labelled("earliest", f"{date(s.earliest)}  ({format_seconds(s.earliest)})"),
              labelled("latest", f"{date(s.latest)}  ({format_seconds(s.latest)})")]  # fmt: skip
    backwards = f", {s.backwards:,} times backwards" if s.backwards else ""
    lines.append(labelled("duration", f"{format_seconds(s.duration)} s{backwards}"))
    lines.append(labelled("rates", rates(s.packets, s.bytes, s.duration) or "none: all packets have the same time"))
    if s.gaps.count:
        least, half, most, worst = (short(gap) for gap in (s.gaps.least, s.gaps.quantile(0.5), s.gaps.quantile(0.99), s.gaps.worst))
        lines.append(labelled("gaps", f"{least} to {worst}, half of them up to {half}, 99 % up to {most}"))
    return lines


def rate(number: tuple[int, int]) -> str:
    """So often a second: with its fraction, rounded, where that says something; in thousandths what is less than a tenth."""
    whole, thousandths = number
    if whole >= 1000 or not thousandths:
        return f"{whole + (thousandths >= 500):,}"
    tenths = (1000 * whole + thousandths + 50) // 100
    return f"{tenths // 10:,}.{tenths % 10}" if whole or thousandths >= 100 else f"0.{thousandths:03}"


def rates(packets: int, size: int, duration: int) -> str:
    """What there is to say of packets and bytes in a time of so many nanoseconds; nothing where there is no rate."""
    units = (("packets/s", packets), ("bytes/s", size), ("bit/s", 8 * size))
    return ", ".join(f"{rate(found)} {unit}" for unit, count in units if (found := rate_of(count, duration)))


def interval(i: Interval) -> list[str]:
    """What came since figures were written last."""
    came = f"{counted(i.packets, 'packet')}, {rates(i.packets, i.bytes, i.duration)}"
    return [f"-- {date(i.end // SECOND * SECOND).replace('.000000', '')}, the last {short(i.duration)}: {came} --"]


def sizes(s: Snapshot) -> list[str]:
    """Packets by size."""
    mean = (10 * s.bytes + s.packets // 2) // s.packets if s.packets else 0
    rows = [[f"{least:,} - {most:,}", f"{count:,}", part(count, s.packets)] for least, most, count in s.classes()]
    lines = table(("sizes", "packets", ""), rows)
    if s.packets:
        lines.append(f"{s.shortest:,} to {s.longest:,} bytes; mean {mean // 10:,}.{mean % 10}, "
                     f"median {size_text(s.size(1, 2))}, 95 % up to {size_text(s.size(95, 100))}")  # fmt: skip
    return lines


def protocols(s: Snapshot) -> list[str]:
    """Headers as a tree."""
    rows = [["  " * (len(p.path) - 1) + p.path[-1], *parts(p, s)] for p in s.protocols()]
    return table(("protocols", "packets", "", "bytes", ""), rows)


def talkers(s: Snapshot, top: int) -> list[str]:
    """Addresses, and what came from each, and went to it."""
    found, count, others = s.talkers(top)
    rows = [["> " * t.level + t.address, *(f"{n:,}" for c in (t.sent, t.received) for n in (c.packets, c.bytes))] for t in found]
    lines = table(("talkers", "packets sent", "bytes", "received", "bytes"), rows)
    inner = "; > is inside of a tunnel: the same packets once more" if any(t.level for t in found) else ""
    if any(others):
        lines.append("others, for which there was no room: "
                     f"{others[0]:,} packets sent, {others[1]:,} bytes; {others[2]:,} received, {others[3]:,} bytes")  # fmt: skip
    if len(found) < count or inner:
        lines.append(f"{len(found):,} of {count:,}{inner}")
    return lines


def end(address: str, port: int | None) -> str:
    """An address and a port."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def speakers(c: Conversation) -> str:
    """Who speaks to whom, and within what."""
    pair = f"{end(c.source, c.source_port)} <> {end(c.destination, c.destination_port)}"
    return " ".join(filter(None, (c.protocol, pair, c.around and f"in {c.around}")))


def connection_cells(c: Connection | None) -> list[str]:
    """Of TCP: the time that the handshake took, segments with octets that were seen before, octets that never came."""
    if c is None:
        return ["", "", ""]
    least, most = c.handshake or (None, None)
    took = "" if least is None or most is None else short(most) if least == most else f"{short(least)} to {short(most)}"
    return [took, f"{sum(c.repeated):,}", f"{sum(c.missing):,}"]


def conversations(s: Snapshot, top: int) -> list[str]:
    """Who spoke to whom: two lines each."""
    found, totals = s.conversations(top)
    rows = [["", *(f"{n:,}" for way in (0, 1) for n in (c.packets[way], c.octets[way])), short(c.last - c.first),
             *connection_cells(c.connection)] for c in found]  # fmt: skip
    head, *lines = table(("conversations", "there", "bytes", "back", "bytes", "time", "handshake", "again", "missing"), rows)
    lines = [line for c, numbers in zip(found, lines, strict=True) for line in (speakers(c), numbers)]
    if totals.other_packets:
        lines.append(f"others, for which there was no room: {totals.other_packets:,} packets, {totals.other_octets:,} bytes")
    if len(found) < totals.conversations:
        lines.append(f"{len(found):,} of {totals.conversations:,}")
    return [head, *lines]


def value_text(column: Column, value: Value) -> str:
    """A field's value for people: addresses, numbers with their names, characters that are safe for a terminal."""
    from ..protocols.fields import DATA, IPV4, IPV6, MAC
    from ..protocols.shown import format_text, format_value

    if value is None:
        return "-"
    if isinstance(value, bytes):
        shown = value[:MOST_OCTETS].hex() if column.row and column.row.kind == DATA else format_text(value[:MOST_OCTETS])
        return shown + ("..." if len(value) > MOST_OCTETS else "")
    if column.row and column.row.kind in (MAC, IPV4, IPV6):
        return format_value(column.row, value)
    name = column.row and (column.row.names or {}).get(value)
    return f"{value} ({name})" if name else f"{value}"


def groups(s: Snapshot, top: int) -> list[str]:
    """Groups by fields."""
    columns = s.figures.columns
    found, count, others = s.groups(top)
    rows = [[*(value_text(column, value) for column, value in zip(columns, group.values, strict=True)), *parts(group, s)]
            for group in found]  # fmt: skip
    if others.packets:
        rows.append(["others", *("" for _ in columns[1:]), *parts(others, s)])
    lines = table((*(column.name for column in columns), "packets", "", "bytes", ""), rows, len(columns))
    if len(found) < count:
        lines.append(f"{len(found):,} of {count:,}")
    return lines


def report(s: Snapshot, shown: set[str], top: int, bars: bool = False) -> list[str]:
    """All that is asked for, with an empty line between two of them. bars: over time, sizes, gaps."""
    parts = [interval(s.interval)] if s.interval else []
    parts += [totals(s)] if "totals" in shown else []
    if s.figures.columns:
        parts.append(groups(s, top))
    if s.packets:
        parts += [protocols(s)] if "protocols" in shown else []
        parts += [sizes(s)] if "sizes" in shown else []
        parts += [talkers(s, top)] if "talkers" in shown else []
        parts += [conversations(s, top)] if "conversations" in shown else []
    if bars:
        from .charts import plot

        parts.append(plot(s))
    return [line for i, lines in enumerate(filter(None, parts)) for line in ([""] if i else []) + lines]
