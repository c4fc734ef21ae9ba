"""Makes zeros of what packets carry, or counts it; and drops what captures say of them."""

from __future__ import annotations

from .. import codec
from ..batch import COLUMNS, NOTES, NOTES_SIZE, ROW_BYTES, Batch, gathered
from ..errors import checksum_left, checksum_unknown, counted
from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.layouts import LAYOUT
from ..protocols.payloads import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = (b"WAY:", b"LOST:")  # lines that name nobody


def titled(kind: int) -> str:
    """What a kind of header is called: an element that has no name of its own as its protocol is."""
    protocol = BY_HEADER[kind][0].name.partition(".")[0] if BY_HEADER[kind] else ""
    return LAYOUT[kind].title or (protocol in HEADERS and LAYOUT[HEADERS.index(protocol)].title) or "others"


class Payloads:
    """A stage of a flow, of packets that a guard accepts, if one was asked before.

    wiping: what packets carry becomes zeros; else it is counted. keep: checksums stay as they are. stale, unknown: packets with a
    checksum that could not follow, and with one that is not known. noted: packets with lines that were dropped: comments, and
    names of interfaces.
    """

    def __init__(self, wiping: bool, keep: bool = False) -> None:
        self.wiping, self.kept = wiping, kept()
        self.how = codec.LOOK if not wiping else codec.KEEP if keep else codec.FOLLOW
        self.stale = self.unknown = self.noted = 0
        self.carrying: list[int] = []  # packets, of each kind of header behind which something is
        self.beyond: dict[int, int] = {}  # what authenticates what became zeros

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets."""
        for batch in stream:
            yield batch if batch.chosen is False else self.without_names(self.without_payloads(batch))

    def without_payloads(self, batch: Batch) -> Batch:
        """Makes zeros of them, or counts them."""
        carrying, stale, unknown = codec.wipe(batch.data, batch.rows, *self.kept, self.how, self.beyond)
        self.stale, self.unknown = self.stale + stale, self.unknown + unknown
        before = self.carrying or [0] * len(carrying)
        self.carrying = [count + more for count, more in zip(before, carrying, strict=True)]
        return batch

    def without_names(self, batch: Batch) -> Batch:
        """Drops the lines of packets that name something."""
        if not batch.noted():
            return batch
        columns, whole = batch.columns(), True
        found: dict[bytes, tuple[int, int, bytes] | None] = {}  # what stays of lines: where it begins, and its bytes
        for i in range(0, len(columns), COLUMNS):
            at, size = columns[i + NOTES], columns[i + NOTES_SIZE]
            lines = bytes(memoryview(batch.data)[at : at + size])
            if lines not in found:
                stays = b"".join(line for line in lines.splitlines(True) if line.startswith(PLAIN))
                found[lines] = (max(lines.find(stays), 0), len(stays), stays) if stays in lines else None
            self.noted += (place := found[lines]) is None or place[1] < size
            if place is None:
                whole = False
            else:
                columns[i + NOTES], columns[i + NOTES_SIZE] = at + place[0], place[1]
        return batch if whole else self.apart(batch)

    def apart(self, batch: Batch) -> Batch:
        """The same where what stays of lines does not stand together: a copy."""
        packets = [batch.packet(i) for i in range(len(batch.rows) // ROW_BYTES)]
        for packet in packets:
            packet.notes = b"".join(line for line in packet.notes.splitlines(True) if line.startswith(PLAIN))
        made = gathered(packets)
        made.chosen = batch.chosen
        return made

    def said(self) -> list[str]:
        """What there is to say at the end."""
        names: dict[str, int] = {}
        for kind, count in enumerate(self.carrying):
            if count:
                name = titled(kind)
                names[name] = names.get(name, 0) + count
        parts = ", ".join(f"{name} ({count})" for name, count in sorted(names.items(), key=lambda one: (-one[1], one[0])))
        said = []
        if parts:
            done = "became zeros" if self.wiping else "stayed, with all that may stand in them (--wipe makes zeros of them)"
            said.append(f"payloads of {counted(sum(names.values()), 'packet')} {done}: {parts}")
        if self.noted:
            said.append(f"comments and names of interfaces were dropped from {counted(self.noted, 'packet')}")
        if self.stale:
            said.append(checksum_left(self.stale))
        if self.unknown:
            said.append(checksum_unknown(self.unknown))
        return said
