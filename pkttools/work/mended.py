"""What pkt-correct mended, by protocol and field: what it says with -v."""

from __future__ import annotations

from .. import codec
from ..batch import CAPTURED, OFFSET, Batch
from ..errors import counted
from ..protocols.fields import BY_HEADER, DATA, Row
from ..protocols.shown import read_field

OTHERS = "others"  # in no header that is known


class Mended:
    """Counts the fields of headers in which packets differ from what they were."""

    TALLIES = ("counts", "packets")  # see flow/tallies.py

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.packets = 0

    def compare(self, before: list[bytes], batch: Batch) -> None:
        """Looks at those packets of a batch, whose bytes were `before`, that are others now."""
        for i, (was, now) in enumerate(zip(before, frames_of(batch), strict=True)):
            if was != now:
                self.packets += 1
                self.add(was, now, batch.part(i, i + 1))

    def add(self, before: bytes, after: bytes, packet: Batch) -> None:
        """Counts what differs in a packet."""
        found = [
            row.name
            for kind, *place in codec.walk(packet.data, packet.rows)
            for row in rows_of(kind)
            if read_field(row, before, *place) != read_field(row, after, *place)
        ]
        for name in found or [OTHERS]:
            self.counts[name] = self.counts.get(name, 0) + 1

    def said(self) -> str:
        """What there is to say."""
        parts = sorted(self.counts.items(), key=lambda part: (-part[1], part[0]))
        return f"mended in {counted(self.packets, 'packet')}: {', '.join(f'{count} {name}' for name, count in parts)}"


def frames_of(batch: Batch) -> list[bytes]:
    """The bytes of the packets of a batch, as they are now."""
    data = memoryview(batch.data)
    return [bytes(data[at : at + size]) for at, size in zip(batch.column(OFFSET), batch.column(CAPTURED), strict=True)]


def rows_of(kind: int) -> list[Row]:
    """The fields of a kind of header, data aside."""
    return [row for row in BY_HEADER[kind] if row.kind != DATA]
