"""Reassembly of fragments: IPv4 (RFC 791 section 3.2, RFC 815) and IPv6 (RFC 8200 section 4.5).

Policy, the same for both: a fragment whose bytes are all there already counts once, such as one that comes twice. Fragments
that overlap in any other way, or disagree about the end, make no datagram (RFC 5722; as Linux does for IPv4 too): all of that
datagram pass as they came. So does what is not complete after 30 seconds of packet time, when memory runs out, or at the
end. Nothing is lost.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator

from .. import codec
from ..batch import Batch, Packet, Program, gathered
from ..codec.program import ACCEPT, EQUAL, LAYER, MORE, REJECT
from ..language.program import ALL_BITS, Tests, kinds_set
from ..language.values import Header
from ..protocols.fields import FIELDS
from .around import Around, network
from .fragments import FRAGMENT, IP, Datagram, Layer, chosen, outermost, with_header_checksum

TIMEOUT = 30_000_000_000  # nanoseconds of packet time, as in Linux (net.ipv4.ipfrag_time)
MEMORY = 4 << 20  # bytes, as in Linux (net.ipv4.ipfrag_high_thresh)
OVERHEAD = 512  # bytes that a fragment takes besides its own, by measuring

Key = tuple[object, ...]


def fragments_only() -> Program:
    """The filter that finds fragments, for the codec, in the outermost and in the innermost headers: most packets are none, and
    pass untouched.
    """
    tests = Tests()
    for occurrence in (1, -1):
        for name, compare in (("IP.MF", EQUAL), ("IP.OFFSET", MORE)):
            further = tests.label()
            tests.add(FIELDS[name][0], occurrence, compare, int(compare == EQUAL), ALL_BITS, ACCEPT, further)
            tests.bind(further)
    tests.add(0, 1, LAYER, kinds_set([FRAGMENT]), ALL_BITS, ACCEPT, REJECT)
    return tests.program()


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
        self.first: tuple[Packet, Datagram] | None = None
        self.end: int | None = None
        self.spoilt = False

    def add(self, packet: Packet, d: Datagram) -> None:
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
            self.first = packet, d

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


class Reassembler:
    """Reassembles datagrams; a stage of a flow.

    memory: bytes that may be held. layer: which IP header of a packet; None: the outermost. Counts: reassembled datagrams;
    fragments that came twice; and by reason fragments that passed as they came.
    """

    def __init__(self, memory: int = MEMORY, layer: Layer | None = None) -> None:
        self.memory, self.layer, self.held, self.clock = memory, layer, 0, 0
        self.open: OrderedDict[Key, Open] = OrderedDict()
        self.reassembled = self.repeated = 0
        self.passed: dict[str, int] = {}
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.wanted = fragments_only()

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes everything else, and a datagram when its last fragment has come."""
        for batch in stream:
            codec.beyond(batch.data, batch.rows, self.beyond)
            pieces = codec.select(batch.data, batch.rows, self.wanted)
            if not pieces and not self.open:
                yield batch
                continue
            for first in range(0, len(batch), 512):
                numbers = range(first, min(first + 512, len(batch)))
                yield gathered(p for i in numbers for p in self.packets(batch, i, bool(pieces)))
        while self.open:
            yield gathered(self.give_up(next(iter(self.open)), "incomplete"))

    def packets(self, batch: Batch, i: int, some: bool) -> list[Packet]:
        """What passes now that packet `i` has come."""
        packet = batch.packet(i)
        self.clock = max(self.clock, packet.time)
        out = self.expired() if self.open else []
        row = batch.part(i, i + 1).rows
        headers = codec.walk(batch.data, row, True) if some else []  # a fragment that is quoted is none that waits for others
        index = chosen(headers, self.layer)
        if index is None and (self.layer is None or outermost(headers) is None):
            return [*out, packet]
        reason = "inside tunnels" if self.layer is None else "of another header"
        try:
            datagram = None if index is None else Datagram(packet.frame, headers, index)
        except ValueError:
            datagram, reason = None, "malformed"
        if datagram and datagram.is_fragment:
            return [*out, *self.fragment(packet, datagram)]
        return [*out, *(self.unused([packet], reason) if in_pieces(packet.frame, headers) else [packet])]

    def fragment(self, packet: Packet, d: Datagram) -> list[Packet]:
        """Takes a fragment; gives what passes: the datagram when it is whole, or fragments that cannot be used."""
        size = d.end - d.payload
        if (d.more and (size == 0 or size % 8)) or d.offset + size > 65535:
            return self.unused([packet], "malformed")
        key = self.key(packet, d)
        found = self.open.get(key)
        if found is None:
            found = self.open[key] = Open(packet.time)
        if found.spoilt:
            return self.unused([packet], "overlapping")
        self.held -= found.held
        found.add(packet, d)
        self.held += found.held
        if found.spoilt or found.ready:
            return self.finish(key)
        out: list[Packet] = []
        while self.held > self.memory and self.open:
            out += self.give_up(next(iter(self.open)), "without memory to wait for the rest")
        return out

    def key(self, packet: Packet, d: Datagram) -> Key:
        """What fragments of one datagram have in common; in IPv6 the protocol is the first one's (RFC 8200 section 4.5)."""
        frame, at, around = packet.frame, d.start, network(packet.frame, d.front)
        if d.v6:
            return packet.linktype, around, frame[at + 8 : at + 40], d.id
        return packet.linktype, around, frame[at + 12 : at + 20], d.id, d.protocol

    def finish(self, key: Key) -> list[Packet]:
        """The datagram of fragments that are all there; themselves if they do not fit together."""
        found = self.open[key]
        payload, whole = None if found.spoilt else found.payload(), None
        if payload is not None and found.first:
            whole = reassembled(*found.first, payload)
        if whole is None:  # it stays in the table: what still comes of it passes at once
            self.held -= found.held
            given = self.unused(found.spoil(), "overlapping")
            self.held += found.held
            return given
        self.forget(key)
        self.reassembled += 1
        self.repeated += found.repeated
        return [whole]

    def give_up(self, key: Key, reason: str) -> list[Packet]:
        """The fragments of a datagram, as they came."""
        return self.unused(self.forget(key).packets, reason)

    def forget(self, key: Key) -> Open:
        """Takes a datagram out of the table."""
        found = self.open.pop(key)
        self.held -= found.held
        return found

    def expired(self) -> list[Packet]:
        """The fragments of datagrams that have waited for too long."""
        out: list[Packet] = []
        while self.open:
            key = next(iter(self.open))
            if self.clock - self.open[key].time <= TIMEOUT:
                break
            out += self.give_up(key, "incomplete")
        return out

    def unused(self, packets: list[Packet], reason: str) -> list[Packet]:
        """Counts fragments that pass as they came."""
        if packets:
            self.passed[reason] = self.passed.get(reason, 0) + len(packets)
        return packets


def in_pieces(frame: bytes, headers: list[Header]) -> bool:
    """Whether one of the headers is that of a fragment."""
    words = [int.from_bytes(frame[start + 6 : start + 8], "big") & 0x3FFF for kind, start, *_ in headers if kind == IP]
    return any(words) or any(kind == FRAGMENT for kind, *_ in headers)


def reassembled(first: Packet, d: Datagram, payload: bytes) -> Packet | None:
    """The datagram: time and headers of its first fragment; None when it is longer than its header can say."""
    head = bytearray(first.frame[: d.head])
    size = d.head - d.start + len(payload)
    if size - (40 if d.v6 else 0) > 65535:
        return None
    around = Around(first.frame, d.front)
    if d.v6:
        head[d.before] = d.protocol
        struct.pack_into("!H", head, d.start + 4, size - 40)
        return around.fit(first, bytes(head) + payload)
    struct.pack_into("!H", head, d.start + 2, size)
    struct.pack_into("!H", head, d.start + 6, struct.unpack_from("!H", head, d.start + 6)[0] & 0xC000)
    return around.fit(first, with_header_checksum(bytes(head), d) + payload)
