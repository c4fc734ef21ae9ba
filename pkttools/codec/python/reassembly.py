"""Reassembly of fragments: IPv4 (RFC 791 section 3.2, RFC 815) and IPv6 (RFC 8200 section 4.5); twin of ../c/reassembly.c.

Policy, the same for both: a fragment whose bytes are all there already counts once, such as one that comes twice. Fragments
that overlap in any other way, or disagree about the end, make no datagram (RFC 5722; as Linux does for IPv4 too): all of that
datagram pass as they came. So does what is not complete after 30 seconds of packet time, when memory runs out, or at the
end. Nothing is lost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict

from ...batch import COLUMNS, MAX_BATCH, MAX_FRAME, Packet
from .around import Around
from .checksum import View
from .datagram import LENGTH_END, TIMEOUT, Datagram, Layer, chosen, has_fragment, layer_sound, outermost
from .fragments import made_of, note_signature, packet_of
from .headers import need_dict, note
from .rows import checked, without_fcs
from .signatures import Changed

OVERHEAD = 512  # bytes that a fragment counts for besides its own
INCOMPLETE, FULL_MEMORY, OVERLAPPING, BAD_FRAGMENT, ELSEWHERE_APART, LEFT_APART = range(6)  # why fragments were left as they came

Key = tuple[object, ...]
Apart = list[
    tuple[int, int, int, int]
]  # fields by which networks are told apart: header, bit, width, least value that says something
Totals = tuple[int, ...]


class Open:
    """A datagram of which some fragments have come.

    pieces: offset of a payload to where it is: in which frame, from where to where. offsets: in order; no two pieces overlap.
    packets: the fragments as they came. end: bytes of the whole payload, None until the last fragment has come. spoilt: they
    do not fit together.
    """

    __slots__ = ("end", "first", "held", "offsets", "packets", "pieces", "repeated", "size", "spoilt", "time")

    def __init__(self, time: int) -> None:
        self.time, self.held, self.size, self.repeated = time, 0, 0, 0
        self.pieces: dict[int, tuple[bytes, int, int]] = {}
        self.offsets: list[int] = []
        self.packets: list[Packet] = []
        self.first: tuple[Packet, Datagram, View] | None = None
        self.end: int | None = None
        self.spoilt = False

    def add(self, packet: Packet, d: Datagram, view: View) -> None:
        """Takes a fragment. It may lie within what is there; another overlap spoils the datagram."""
        size = d.end - d.payload
        self.packets.append(packet)
        self.held += len(packet.frame) + len(packet.notes) + OVERHEAD
        if not d.more:
            self.spoilt |= self.end not in (None, d.offset + size)
            self.end = d.offset + size
        i = bisect_right(self.offsets, d.offset)  # where it belongs among them
        if d.offset in self.pieces or self.starts_before(i, d.offset + size) or (i and self.ends_behind(i - 1, d.offset)):
            self.repeated += 1
            self.spoilt |= self.there(i - 1, d.offset, d.offset + size) != packet.frame[d.payload : d.end]
            return
        self.offsets.insert(i, d.offset)
        self.pieces[d.offset] = packet.frame, d.payload, d.end
        self.size += size
        if d.offset == 0:
            self.first = packet, d, view

    def starts_before(self, i: int, end: int) -> bool:
        """Whether there is a piece `i`, and begins before `end`."""
        return i < len(self.offsets) and self.offsets[i] < end

    def ends_behind(self, i: int, start: int) -> bool:
        """Whether piece `i` goes on behind `start`."""
        _, at, stop = self.pieces[self.offsets[i]]
        return self.offsets[i] + stop - at > start

    def there(self, i: int, start: int, end: int) -> bytes:
        """The bytes of the payload from `start` to `end` in piece `i` and those that follow it without a gap."""
        found = b""
        while i >= 0 and self.starts_before(i, end) and self.offsets[i] <= start < end and self.ends_behind(i, start):
            offset = self.offsets[i]
            frame, at, stop = self.pieces[offset]
            found += frame[at + start - offset : min(stop, at + end - offset)]
            start, i = offset + stop - at, i + 1
        return found

    def spoil(self) -> list[Packet]:
        """Gives its fragments up; what remains is that it is spoilt."""
        given = self.packets
        self.packets, self.pieces, self.offsets, self.first, self.spoilt, self.held = [], {}, [], None, True, OVERHEAD
        return given

    @property
    def ready(self) -> bool:
        """Whether as many bytes have come as the whole has."""
        return self.end is not None and self.size >= self.end

    def payload(self) -> bytes | None:
        """The whole payload; None when the fragments leave a hole or go on behind its end."""
        at, parts = 0, []
        for offset in self.offsets:
            if offset != at:
                return None
            frame, start, stop = self.pieces[offset]
            parts.append(frame[start:stop])
            at += stop - start
        return b"".join(parts) if at == self.end else None


class Datagrams:
    """Those of which some fragments have come, and what became of the others: see `datagrams`. left: fragments, by reason."""

    def __init__(self, memory: int, layer: Layer, apart: Apart) -> None:
        self.memory, self.layer, self.apart, self.held, self.clock = memory, layer, apart, 0, 0
        self.open: OrderedDict[Key, Open] = OrderedDict()
        self.reassembled = self.repeated = 0
        self.left = [0] * LEFT_APART
        self.counts: dict[int, int] | None = None  # of the call in hand: what does not follow

    @property
    def totals(self) -> Totals:
        """What became of all that came."""
        return self.reassembled, self.repeated, self.held, *self.left

    def idle(self, view: View, time: int) -> bool:
        """Whether a packet passes, and nothing else does before it. Then its time is noted, and nothing else is to be done."""
        if self.open or has_fragment(view):
            return False
        self.clock = max(self.clock, time)
        return True

    def packets(self, packet: Packet, view: View) -> list[Packet]:
        """What passes now that a packet has come."""
        self.clock = max(self.clock, packet.time)
        out = self.expired()
        index, sound = chosen(view, self.layer), True
        try:
            d = None if index is None else Datagram(view, index)
        except ValueError:
            d, sound = None, False
        if d and d.is_fragment:
            return [*out, *self.fragment(packet, d, view)]
        there = index is not None or (self.layer[0] and outermost(view) is not None)
        if has_fragment(view) and there:
            return [*out, *self.unused([packet], ELSEWHERE_APART if sound else BAD_FRAGMENT)]
        return [*out, packet]

    def fragment(self, packet: Packet, d: Datagram, view: View) -> list[Packet]:
        """Takes a fragment; gives what passes: the datagram when it is whole, or fragments that cannot be used."""
        size = d.end - d.payload
        if (d.more and (size == 0 or size % 8)) or d.offset + size > 0xFFFF:
            return self.unused([packet], BAD_FRAGMENT)
        key = (packet.linktype, *(self.network(view, i) for i in range(d.index)), d.names(view))
        found = self.open.get(key)
        if found is None:
            found = self.open[key] = Open(packet.time)
        if found.spoilt:
            return self.unused([packet], OVERLAPPING)
        self.held -= found.held
        found.add(packet, d, view)
        self.held += found.held
        if found.spoilt or found.ready:
            return self.finish(key)
        out: list[Packet] = []
        while self.held > self.memory and self.open:
            out += self.give_up(FULL_MEMORY)
        return out

    def network(self, view: View, index: int) -> tuple[int, ...]:
        """The fields of a header by which networks are told apart; what is not there, or below what says something, is left out."""
        header, found = view.headers[index], []
        for kind, bit, width, least in self.apart:
            if kind == header.kind:
                first, last = header.start * 8 + bit, header.start * 8 + bit + width
                there = last <= header.end * 8
                value = view.get(first // 8, -(-last // 8) - first // 8) >> -last % 8 & (1 << width) - 1 if there else 0
                found.append(value if there and value >= least else -1)
        return header.kind, *found

    def finish(self, key: Key) -> list[Packet]:
        """The datagram of fragments that are all there; themselves if they do not fit together."""
        found = self.open[key]
        payload, whole = None if found.spoilt else found.payload(), None
        if payload is not None and found.first:
            whole = reassembled(*found.first, payload)
        if whole is None:  # it stays in the table: what still comes of it passes at once
            self.held -= found.held
            given = self.unused(found.spoil(), OVERLAPPING)
            self.held += found.held
            return given
        del self.open[key]
        self.held -= found.held
        if found.first:
            first, d, _ = found.first
            note_signature(self.counts, first, Changed(0, d.start + LENGTH_END))
        self.reassembled += 1
        self.repeated += found.repeated
        return [whole]

    def give_up(self, reason: int) -> list[Packet]:
        """The fragments of the datagram that has waited longest, as they came."""
        _, found = self.open.popitem(last=False)
        self.held -= found.held
        return self.unused(found.packets, reason)

    def expired(self) -> list[Packet]:
        """The fragments of datagrams that have waited for too long."""
        out: list[Packet] = []
        while self.open and self.clock - next(iter(self.open.values())).time > TIMEOUT:
            out += self.give_up(INCOMPLETE)
        return out

    def unused(self, packets: list[Packet], reason: int) -> list[Packet]:
        """Counts fragments that pass as they came."""
        self.left[reason] += len(packets)
        return packets


def reassembled(first: Packet, d: Datagram, view: View, payload: bytes) -> Packet | None:
    """The datagram: time and headers of its first fragment; None when it is longer than a header can say."""
    head = d.whole_head(view, len(payload))
    frame = None if head is None else Around(view, d.index).fit(bytes(head) + payload, first.linktype)
    return None if frame is None else first.remade(frame)


def datagrams(memory: int, layer: Layer, apart: bytes) -> Datagrams:
    """A table of datagrams, for `reassemble`.

    memory: bytes of fragments that may wait. layer: which IP header of a packet; UNKNOWN: the outermost. apart: fields by which
    networks are told apart, four integers each: kind of header, first bit, width in bits, and the least value that says something.
    """
    if memory < 0 or not layer_sound(layer):
        raise ValueError("memory or layer out of range")
    if len(apart) % 32:
        raise ValueError("fields are not sound")
    numbers = memoryview(apart).cast("B").cast("q").tolist()
    fields = [tuple(numbers[i : i + 4]) for i in range(0, len(numbers), 4)]
    if not all(0 <= bit <= 8 * MAX_FRAME and 1 <= width <= 8 * MAX_FRAME and least >= 0 for _, bit, width, least in fields):
        raise ValueError("fields are not sound")
    return Datagrams(memory, layer, fields)  # type: ignore[arg-type]  # they are of four


def need_table(table: object) -> Datagrams:
    """Raises TypeError where it is none."""
    if not isinstance(table, Datagrams):
        raise TypeError("no table of datagrams")
    return table


def reassemble(
    table: object, data: bytearray, rows: bytes, first: int, counts: dict[int, int] | None
) -> tuple[int, bytearray | None, bytearray | None, Totals]:
    """Reassembles the datagrams of packets, from the first one on; what is not complete is kept in the table.

    Adds to `counts` what packets carry that is not followed, and signatures that do not follow. Returns how far it came, which may
    not be the end where packets become many; data and rows of what passes, or None twice where all that came pass as they are; and
    what became of all that came up to now: datagrams that were reassembled, fragments that came twice, bytes that wait, and
    fragments that passed as they came: incomplete, without memory to wait, overlapping, malformed, and of other headers than those
    that are looked at.
    """
    known, packed = need_table(table), checked(data, rows)
    values = without_fcs([*packed])
    if not 0 <= first <= len(values) // COLUMNS:
        raise ValueError("first packet out of range")
    need_dict(counts)
    known.counts = counts
    stop, size = first, 0
    made: list[Packet] | None = None
    while stop < len(values) // COLUMNS and size < MAX_BATCH:
        at = stop * COLUMNS
        packet, stop = packet_of(data, values[at : at + COLUMNS]), stop + 1
        view = View(packet.frame, packet.original, packet.linktype)
        note(counts, view.beyond)
        if made is None and known.idle(view, packet.time):
            continue
        if made is None:
            made = [packet_of(data, packed[i : i + COLUMNS]) for i in range(first * COLUMNS, at, COLUMNS)]
            size = sum(len(p.frame) + len(p.notes) for p in made)
        new = known.packets(packet, view)
        made += new
        size += sum(len(p.frame) + len(p.notes) for p in new)
    return stop, *made_of(made), known.totals


def reassemble_rest(table: object) -> tuple[bytearray, bytearray, Totals]:
    """Gives up datagrams that are not complete, as at the end.

    Returns data and rows of their fragments, about two megabytes, and the totals.
    """
    known, made, size = need_table(table), list[Packet](), 0
    while known.open and size < MAX_BATCH:
        new = known.give_up(INCOMPLETE)
        made += new
        size += sum(len(p.frame) + len(p.notes) for p in new)
    data, rows = made_of(made)
    return data or bytearray(), rows or bytearray(), known.totals
