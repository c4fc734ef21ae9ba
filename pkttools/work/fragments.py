"""Fragments of IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5): what one is, and how a datagram is fragmented.

It is the outermost IP header that counts, or one that is asked for; what is around it is around.py's, reassembly reassembly.py's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .. import codec
from ..batch import CAPTURED, Batch, Packet, gathered
from ..errors import need
from ..language.values import Header
from ..protocols.fields import HEADERS
from .around import Around

Layer = tuple[int, int]  # a kind of header, and its occurrence in a packet: 1 is the first, -1 the last

IP, IPV6, OPTIONS, ROUTING, FRAGMENT = map(HEADERS.index, ("IP", "IPV6", "IPV6_OPTIONS", "IPV6_ROUTING", "IPV6_FRAGMENT"))
FRAGMENT_HEADER = struct.Struct("!BBHI")  # next header, reserved, offset with More, id
FRAGMENT_PROTOCOL = 44
MORE, DONT = 0x2000, 0x4000  # of IP.FRAGMENT, which also has the offset in units of eight bytes
MTU4, MTU6 = 1500, 1280  # of Ethernet, and the least of IPv6 (RFC 8200 section 5)


class Datagram:
    """An IP datagram of a frame, as fragmentation sees it.

    v6: whether it is IPv6. start: where its header begins, head: where the header that all fragments share ends. payload:
    what can be divided, by its place in the frame. is_fragment: whether it is one. offset: of the payload, in bytes. more:
    whether others follow. id: of the fragment. protocol: of the payload. before: the place of the number that announces
    the fragment header, or would. front: the headers in front of it.
    """

    __slots__ = ("before", "dont", "end", "front", "head", "id", "is_fragment", "more", "offset", "payload", "protocol", "start",
                 "v6")  # fmt: skip

    def __init__(self, frame: bytes, headers: list[Header], index: int) -> None:
        """The datagram of the IP header at `index`. Raises ValueError where sizes contradict each other, or bytes are missing."""
        kind, self.start, _, stop = headers[index]
        self.v6 = kind == IPV6
        self.front = headers[:index]
        if self.v6:
            self._read6(frame, headers, index)
        else:
            self._read4(frame)
        if self.payload > self.end or self.end > stop:  # `stop` is where what it lies in ends
            raise ValueError("sizes contradict each other")

    def _read4(self, frame: bytes) -> None:
        at = self.start
        size, total, self.id, word = (frame[at] & 15) * 4, *struct.unpack_from("!HHH", frame, at + 2)
        if size < 20:
            raise ValueError("header is too short")
        self.head = self.payload = at + size
        self.end = at + total
        self.protocol, self.before = frame[at + 9], at + 9
        self.offset, self.more, self.dont = (word & 0x1FFF) * 8, bool(word & MORE), bool(word & DONT)
        self.is_fragment = self.more or self.offset > 0

    def _read6(self, frame: bytes, headers: list[Header], index: int) -> None:
        at = self.start
        self.end = at + 40 + struct.unpack_from("!H", frame, at + 4)[0]
        self.before, self.head, self.protocol = at + 6, at + 40, frame[at + 6]
        self.offset, self.more, self.id, self.dont, self.is_fragment = 0, False, 0, False, False
        before, protocol = self.before, self.protocol
        for kind, start, _, stop in headers[index + 1 :]:
            if kind == FRAGMENT:  # all before it is in every fragment already
                self.protocol, _, word, self.id = FRAGMENT_HEADER.unpack_from(frame, start)
                self.offset, self.more, self.is_fragment = word & 0xFFF8, bool(word & 1), True
                self.before, self.head, self.payload = before, start, stop
                return
            if kind not in (OPTIONS, ROUTING):
                break
            before, protocol, last = start, frame[start], protocol
            if kind == ROUTING or last == 0:  # hop-by-hop options and routes are for those on the way
                self.before, self.head, self.protocol = before, stop, protocol
        self.payload = self.head


def layer_of(text: str) -> Layer:
    """Which IP header `IP[2]`, `IPV6[-1]`, `ip` is. Raises UsageError."""
    from ..language.expression import occurring  # late: only with --layer

    name, occurrence = occurring(text)
    need(name in ("IP", "IPV6"), f"'{text}': fragments are of IP or IPV6, such as IP[2]")
    return HEADERS.index(name), occurrence or 1


def chosen(headers: list[Header], layer: Layer | None) -> int | None:
    """Which of the headers is that of the datagram: the outermost of IP, or what is asked for; None: there is none."""
    if layer is None:
        return outermost(headers)
    kind, occurrence = layer
    places = [i for i, (other, *_) in enumerate(headers) if other == kind]
    place = occurrence - 1 if occurrence > 0 else len(places) + occurrence
    return places[place] if 0 <= place < len(places) else None


def outermost(headers: list[Header]) -> int | None:
    """Which of the headers is the outermost of IP; None: there is none."""
    return next((i for i, (kind, *_) in enumerate(headers) if kind in (IP, IPV6)), None)


class Fragmenter:
    """Fragments datagrams that are larger than an MTU; a stage of a flow.

    mtu: bytes of an IP packet, None for what is usual. force: Don't Fragment is overridden. first_id: of the first IPv6
    datagram that is fragmented; each has the next one. layer: which IP header of a packet; None: the outermost. Counts what should
    have been and was not, by reason.
    """

    def __init__(self, mtu: int | None, force: bool, first_id: int, layer: Layer | None = None) -> None:
        self.mtu, self.force, self.id, self.layer = mtu, force, first_id, layer
        self.passed: dict[str, int] = {}
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes packets that fit, and the fragments of those that do not."""
        least = self.mtu or min(MTU4, MTU6)
        for batch in stream:
            codec.beyond(batch.data, batch.rows, self.beyond)
            sizes = batch.column(CAPTURED)
            if max(sizes, default=0) <= least:
                yield batch
                continue
            for first in range(0, len(batch), 512):  # a few hundred packets at a time: memory stays small
                numbers = range(first, min(first + 512, len(batch)))
                yield gathered(fragment for i in numbers for fragment in self.fragments(batch, i, sizes[i] > least))

    def fragments(self, batch: Batch, i: int, large: bool) -> list[Packet]:
        """What becomes of packet `i`."""
        packet = batch.packet(i)
        headers = codec.walk(batch.data, batch.part(i, i + 1).rows, True) if large else []
        index, absent = chosen(headers, self.layer), False
        if index is None:
            index, absent = outermost(headers), True
        if index is None:
            return [packet]
        try:
            datagram = Datagram(packet.frame, headers, index)
        except ValueError:
            return self.whole(packet, "truncated or malformed")
        mtu = self.mtu or (MTU6 if datagram.v6 else MTU4)
        if datagram.end - datagram.start <= mtu:
            return [packet]
        if absent:
            return self.whole(packet, "without such a header")
        if datagram.dont and not self.force:
            return self.whole(packet, "Don't Fragment")
        shared = datagram.head - datagram.start + (8 if datagram.v6 else 0)
        room = (mtu - shared) // 8 * 8
        if room < 8:
            return self.whole(packet, "header too large for the MTU")
        if datagram.offset + datagram.end - datagram.payload > 65535:
            return self.whole(packet, "truncated or malformed")
        divided = self.fragment6 if datagram.v6 else fragment4
        around = Around(packet.frame, datagram.front)
        fitted = [around.fit(packet, frame) for frame in divided(packet.frame, datagram, mtu - shared)]
        made = [fragment for fragment in fitted if fragment]
        if len(made) < len(fitted):
            return self.whole(packet, "truncated or malformed")
        for fragment in made[1:]:
            fragment.notes = b"".join(line for line in fragment.notes.splitlines(keepends=True) if not line.startswith(b"LOST:"))
        return made

    def whole(self, packet: Packet, reason: str) -> list[Packet]:
        """Lets a packet pass as it is."""
        self.passed[reason] = self.passed.get(reason, 0) + 1
        return [packet]

    def fragment6(self, frame: bytes, d: Datagram, room: int) -> Iterator[bytes]:
        """The fragments of an IPv6 datagram; `room`: bytes of payload that one can have."""
        number = d.id
        if not d.is_fragment:
            number, self.id = self.id, (self.id + 1) & 0xFFFFFFFF
        head = bytearray(frame[: d.head])
        head[d.before] = FRAGMENT_PROTOCOL
        for at, size, more in steps(d, room):
            word = d.offset + at - d.payload | more
            struct.pack_into("!H", head, d.start + 4, d.head - d.start - 40 + 8 + size)
            yield bytes(head) + FRAGMENT_HEADER.pack(d.protocol, 0, word, number) + frame[at : at + size]


def steps(d: Datagram, room: int) -> Iterator[tuple[int, int, bool]]:
    """Where the payload of each fragment begins in the frame, its size, and whether others follow: multiples of eight bytes."""
    at = d.payload
    while d.end - at > room:
        yield at, room // 8 * 8, True
        at += room // 8 * 8
    yield at, d.end - at, d.more


def fragment4(frame: bytes, d: Datagram, room: int) -> Iterator[bytes]:
    """The fragments of an IPv4 datagram; `room`: bytes of payload that one can have. They lose Don't Fragment."""
    for at, size, more in steps(d, room):
        head = bytearray(frame[: d.head])
        if at > d.payload and d.head - d.start > 20:
            head[d.start + 20 :] = later_options(frame[d.start + 20 : d.head])
            head[d.start] = head[d.start] & 0xF0 | (len(head) - d.start) // 4
        struct.pack_into("!H", head, d.start + 2, len(head) - d.start + size)
        struct.pack_into("!H", head, d.start + 6, (d.offset + at - d.payload) // 8 | MORE * more)
        yield with_header_checksum(bytes(head), d) + frame[at : at + size]


def later_options(options: bytes) -> bytes:
    """The options that all fragments carry: those whose copied flag is set (RFC 791 section 3.1), filled up to words."""
    kept, at = b"", 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if size < 1 or (options[at] != 1 and size < 2):
            break
        if options[at] & 0x80:
            kept += options[at : at + size]
        at += size
    return kept + bytes(-len(kept) % 4)


def with_header_checksum(frame: bytes, d: Datagram) -> bytes:
    """The frame, of which the IPv4 header's checksum is right; nothing else is touched."""
    batch = gathered([Packet(frame[d.start : d.start + (frame[d.start] & 15) * 4], 1 << 16, 0, 228)])
    codec.correct(batch.data, bytes(batch.rows), codec.ALL)
    header = bytes(batch.data)
    return frame[: d.start] + header + frame[d.start + len(header) :]
