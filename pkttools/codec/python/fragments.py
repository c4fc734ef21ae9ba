"""Divides IP datagrams that are larger than an MTU; twin of ../c/fragments.c."""

from __future__ import annotations

from io import BytesIO

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_BATCH, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Packet, gathered
from .around import Around
from .checksum import View
from .datagram import LENGTH_END, Datagram, Layer, chosen, layer_sound, outermost
from .headers import Walk, need_dict, note
from .rows import checked, without_fcs
from .signatures import Changed, signature_of

UNUSABLE, NO_SUCH_HEADER, MUST_NOT, NO_ROOM, LEFT_WHOLE = range(5)  # why a packet above the MTU was not divided


class Fragmentation:
    """How datagrams are divided: see `fragment`. left: packets that were not, by reason."""

    def __init__(self, mtus: tuple[int, int], force: bool, number: int, layer: Layer) -> None:
        self.mtus, self.force, self.id, self.layer = mtus, force, number, layer
        self.left = [0] * LEFT_WHOLE

    def mtu(self, d: Datagram) -> int:
        """Bytes that a datagram may have."""
        return self.mtus[d.v6]

    def divisible(self, view: View) -> Datagram | None:
        """The datagram of a packet that is to be divided; what should have been and cannot be is counted."""
        index, absent = chosen(view, self.layer), False
        if index is None:
            index, absent = outermost(view), True
        if index is None:
            return None
        try:
            d = Datagram(view, index)
        except ValueError:
            self.left[UNUSABLE] += 1
            return None
        if d.end - d.start <= self.mtu(d):
            return None
        reason = LEFT_WHOLE
        if absent:
            reason = NO_SUCH_HEADER
        elif d.dont and not self.force:
            reason = MUST_NOT
        elif not d.room(self.mtu(d)):
            reason = NO_ROOM
        elif d.offset + d.end - d.payload > 0xFFFF:
            reason = UNUSABLE
        if reason == LEFT_WHOLE:
            return d
        self.left[reason] += 1
        return None

    def divide(self, view: View, d: Datagram, packet: Packet) -> list[Packet]:
        """The fragments of a datagram; or the packet as it is, where a length in front of it has no room for what it should be."""
        around, room, number, more = Around(view, d.index), d.room(self.mtu(d)), d.id, True
        if d.v6 and not d.is_fragment:
            number, self.id = self.id, (self.id + 1) & 0xFFFFFFFF
        made, at = [], d.payload
        while more:
            more = d.end - at > room
            size = room // 8 * 8 if more else d.end - at
            head = d.fragment_head(view, at, size, more or d.more, number)
            frame = around.fit(bytes(head) + view.frame[at : at + size], packet.linktype)
            if frame is None:
                self.left[UNUSABLE] += 1
                return [packet]
            made.append(packet.remade(frame))
            at += size
        without_lost(made[1:])
        return made


def without_lost(packets: list[Packet]) -> None:
    """Takes the count of lost packets from all but the first of several packets that were made of one: it is counted once."""
    for packet in packets:
        packet.notes = b"".join(line for line in BytesIO(packet.notes) if not line.startswith(b"LOST:"))


def packet_of(data: bytearray, row: list[int]) -> Packet:
    """A packet by its row."""
    at, size, notes, notes_size = row[OFFSET], row[CAPTURED], row[NOTES], row[NOTES_SIZE]
    lines = bytes(data[notes : notes + notes_size])
    return Packet(bytes(data[at : at + size]), row[ORIGINAL], row[TIME], row[LINKTYPE], lines)


def made_of(made: list[Packet] | None) -> tuple[bytearray, bytearray] | tuple[None, None]:
    """Data and rows of packets."""
    if made is None:
        return None, None
    batch = gathered(made)
    return batch.data, batch.rows  # type: ignore[return-value]  # no mmap


def note_signature(counts: dict[int, int] | None, packet: Packet, changed: Changed) -> None:
    """Counts a packet whose signature does not follow what was changed."""
    note(counts, signature_of(packet.frame, Walk(packet.frame, packet.linktype, False), changed))


def fragment(
    data: bytearray,
    rows: bytes,
    first: int,
    mtus: tuple[int, int],
    force: bool,
    number: int,
    layer: Layer,
    counts: dict[int, int] | None,
) -> tuple[int, bytearray | None, bytearray | None, tuple[int, tuple[int, ...]]]:
    """Divides the datagrams of packets, from the first one on.

    mtus: bytes of an IPv4 and of an IPv6 packet. force: those that say Don't Fragment, too. number: the id of the next datagram of
    IPv6 that is divided; each has the next one. layer: which IP header of a packet; UNKNOWN: the outermost. Adds to `counts` what
    packets carry that is not followed, and signatures that do not follow.

    Returns how far it came, which may not be the end where they become many; data and rows of what there is instead of them,
    or None twice where they pass as they are; the next id; and how many were not divided that should have been: truncated or
    malformed, without such a header, for Don't Fragment, and with a header too large for the MTU.
    """
    packed = checked(data, rows)
    values = without_fcs([*packed])
    if not (0 <= first <= len(values) // COLUMNS and min(mtus) > 0 and 0 <= number <= 0xFFFFFFFF and layer_sound(layer)):
        raise ValueError("first packet, MTU, id or layer out of range")
    need_dict(counts)
    how, stop, size = Fragmentation(mtus, force, number, layer), first, 0
    made: list[Packet] | None = None
    while stop < len(values) // COLUMNS and size < MAX_BATCH:
        at = stop * COLUMNS
        row = values[at : at + COLUMNS]
        packet, stop = packet_of(data, row), stop + 1
        view = View(packet.frame, packet.original, packet.linktype)
        note(counts, view.beyond)
        d = how.divisible(view) if len(packet.frame) > min(mtus) else None
        if d and made is None:
            made = [packet_of(data, packed[i : i + COLUMNS]) for i in range(first * COLUMNS, at, COLUMNS)]
            size = sum(len(p.frame) + len(p.notes) for p in made)
        if made is not None:
            new = how.divide(view, d, packet) if d else [packet_of(data, packed[at : at + COLUMNS])]
            if d and len(new) > 1:
                note_signature(counts, packet, Changed(0, d.start + LENGTH_END))
            made += new
            size += sum(len(p.frame) for p in new) + sum(len(p.notes) for p in new[:2])  # others share theirs, in C
    return stop, *made_of(made), (how.id, tuple(how.left))
