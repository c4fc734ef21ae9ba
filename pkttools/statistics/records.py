"""Figures as JSON: an object a line. Times are in nanoseconds since 1970, and as ISO 8601 in UTC."""

from __future__ import annotations

import json
import time

from .figures import SECOND, Column, Interval, Snapshot, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .conversations import Connection, Conversation

    Record = dict[str, Any]


def iso(nanoseconds: int) -> str:
    """A time in ISO 8601."""
    whole, rest = divmod(nanoseconds, SECOND)
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{rest:09}Z", time.gmtime(whole))


def counts(packets: int, size: int) -> Record:
    """Packets and bytes."""
    return {"packets": packets, "bytes": size}


def totals(s: Snapshot) -> Record:
    """The stream as a whole; what there is only of packets is null where there are none, rates also where there is no duration."""
    record: Record = {**counts(s.packets, s.bytes), "captured_bytes": s.captured, "cut_short": s.cut, "backwards": s.backwards}
    some = s.packets > 0
    record |= {
        "earliest": s.earliest if some else None, "earliest_utc": iso(s.earliest) if some else None,
        "latest": s.latest if some else None, "latest_utc": iso(s.latest) if some else None,
        "duration": s.duration if some else None,
    }  # fmt: skip
    rates = {"packets": s.rate(s.packets), "bytes": s.rate(s.bytes), "bits": s.rate(8 * s.bytes)}
    record["rates"] = {name: rate[0] + rate[1] / 1000 for name, rate in rates.items() if rate} or None
    g = s.gaps
    record["gaps"] = {"least": g.least, "median": g.quantile(0.5), "p99": g.quantile(0.99), "most": g.worst} if g.count else None
    return record


def interval(i: Interval) -> Record:
    """What came since figures were written last."""
    return {"end": i.end, "end_utc": iso(i.end), "duration": i.duration, **counts(i.packets, i.bytes)}


def sizes(s: Snapshot) -> Record:
    """Packets by size."""
    return {
        "least": s.shortest, "most": s.longest, "median": s.size(1, 2), "p95": s.size(95, 100),
        "classes": [{"from": least, "to": most, "packets": count} for least, most, count in s.classes()],
    }  # fmt: skip


def protocols(s: Snapshot) -> list[Record]:
    """Headers as a tree: each has those in it."""
    roots: list[Record] = []
    inside: dict[tuple[str, ...], list[Record]] = {(): roots}
    for protocol in s.protocols():
        inside[protocol.path] = []
        inside[protocol.path[:-1]].append(
            {"name": protocol.path[-1], **counts(protocol.packets, protocol.bytes), "inside": inside[protocol.path]}
        )
    return roots


def talkers(s: Snapshot, top: int) -> Record:
    """Addresses. level: how many IP headers are around it."""
    found, count, others = s.talkers(top)
    rows = [{"address": t.address, "level": t.level, "sent": counts(t.sent.packets, t.sent.bytes),
             "received": counts(t.received.packets, t.received.bytes)} for t in found]  # fmt: skip
    return {"count": count, "rows": rows, "others": {"sent": counts(*others[:2]), "received": counts(*others[2:])}}


def both(there: int, back: int) -> Record:
    """A number for each way."""
    return {"there": there, "back": back}


def connection(c: Connection | None) -> Record | None:
    """What was seen of connections of TCP; their handshakes took between two times, which are one where there was one, and no SYN
    came again."""
    if c is None:
        return None
    pairs = ("begun", "ended", "repeated", "filled", "gaps", "needless", "duplicates", "kept_alive", "probes", "repeated_octets",
             "filled_octets", "missing", "unseen")  # fmt: skip
    handshake = {"least": c.handshake[0], "most": c.handshake[1]} if c.handshake else None
    return {"connections": c.connections, "handshake": handshake, "resets": c.resets, "open": c.open,
            **{name: both(*getattr(c, name)) for name in pairs}}  # fmt: skip


def conversation(c: Conversation) -> Record:
    """Who spoke to whom; times and durations in nanoseconds."""
    return {
        "source": c.source, "source_port": c.source_port, "destination": c.destination, "destination_port": c.destination_port,
        "protocol": c.protocol, "around": c.around, "there": counts(c.packets[0], c.octets[0]),
        "back": counts(c.packets[1], c.octets[1]), "first": c.first, "first_utc": iso(c.first), "last": c.last,
        "last_utc": iso(c.last), "duration": c.last - c.first, "tcp": connection(c.connection),
    }  # fmt: skip


def conversations(s: Snapshot, top: int) -> Record:
    """Those with the most; of packets without addresses there is none."""
    found, totals = s.conversations(top)
    return {"count": totals.conversations, "rows": [conversation(c) for c in found],
            "others": counts(totals.other_packets, totals.other_octets),
            "without_addresses": counts(totals.without_packets, totals.without_octets)}  # fmt: skip


def value(column: Column, found: Value) -> int | str | None:
    """A field's value: a number, an address, characters as all JSON has them, or bytes in hex."""
    from ..protocols.fields import DATA, IPV4, IPV6, MAC
    from ..protocols.shown import escaped, format_value

    if isinstance(found, bytes):
        return found.hex() if column.row and column.row.kind == DATA else escaped(found)
    if found is None or column.row is None or column.row.kind not in (MAC, IPV4, IPV6):
        return found
    return format_value(column.row, found)


def groups(s: Snapshot, top: int) -> Record:
    """Groups by fields."""
    found, count, others = s.groups(top)
    columns = s.figures.columns
    rows = [{**{column.name: value(column, one) for column, one in zip(columns, group.values, strict=True)},
             **counts(group.packets, group.bytes)} for group in found]  # fmt: skip
    names = [column.name for column in columns]
    return {"fields": names, "count": count, "rows": rows, "others": counts(others.packets, others.bytes)}


def record(s: Snapshot, shown: set[str], top: int) -> str:
    """All that is asked for, in a line."""
    found: Record = {"interval": interval(s.interval)} if s.interval else {}
    found |= totals(s) if "totals" in shown else counts(s.packets, s.bytes)
    if s.figures.columns:
        found["groups"] = groups(s, top)
    if "protocols" in shown:
        found["protocols"] = protocols(s)
    if "sizes" in shown:
        found["sizes"] = sizes(s) if s.packets else None
    if "talkers" in shown:
        found["talkers"] = talkers(s, top)
    if "conversations" in shown:
        found["conversations"] = conversations(s, top)
    return json.dumps(found) + "\n"
