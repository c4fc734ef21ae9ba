"""Cuts super-frames into what a card would have sent; twin of ../c/segments.c.

Segments of TCP (TSO, GSO, and what GRO made), and datagrams of UDP (USO), as Linux cuts them. Each piece has all headers of the
super-frame. Of TCP the sequence numbers go on, FIN and PSH are in the last piece, CWR is in the first, all else is the same, the
urgent pointer too. IDs of IPv4 count up, in each header. Lengths follow, and checksums: what was right is right in each piece, and
so is what was left to the card; what was wrong is wrong by the same difference (RFC 1624).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...batch import COLUMNS, LINKTYPE, MAX_BATCH, ORIGINAL, Packet
from ...protocols.walking import MISSING, SEGMENTS
from .. import CORRECTED, FRAGMENT, LEFT
from .around import Around
from .checksum import View
from .datagram import EXTENSION, Datagram, has_fragment, outermost, renumber
from .exceptions import Message, datagram_sound, leave_oversize, oversize_header
from .following import Judged, judge_whole, settle_piece
from .fragments import UNUSABLE, Fragmentation, made_of, note_signature, packet_of, without_lost
from .headers import UNKNOWN, Header, need_dict, note
from .protocols import carries_message, exception, known
from .rows import checked, without_fcs
from .signatures import Changed
from .sums import sum_of

SEQUENCE_AT, FLAGS_AT, FIXED = 4, 13, 20  # RFC 9293 section 3.1
FIN, SYN, PSH, URG, CWR = 1, 2, 8, 32, 128
OPTION_END, OPTION_NOP, OPTION_MSS = 0, 1, 2  # section 3.2
USUAL_4, USUAL_6, LEAST_MSS = 536, 1220, 48  # section 3.7.1; and Linux's net.ipv4.tcp_min_snd_mss
USUAL_MTU, MOST_HANDSHAKES = 1500, 65536

# Why a packet that should have been cut was not.
UNUSABLE_FRAME, A_FRAGMENT, OTHER_MESSAGE, NO_ROOM_FOR_DATA, WITHOUT_SUM, LEFT_UNCUT = range(6)

Key = tuple[bytes, bytes, bool]


class Handshakes(dict[Key, int]):
    """What hosts said of the largest segment that they take, by who may send so much; the oldest are forgotten."""

    def remember(self, key: Key, mss: int) -> None:
        """Takes over what a SYN says."""
        if key not in self and len(self) == MOST_HANDSHAKES:
            del self[next(iter(self))]
        self[key] = mss


def handshakes() -> object:
    """What is kept from one call of `segment` to the next: what hosts said of the largest segment that they take."""
    return Handshakes()


@dataclass(slots=True)
class Super:
    """A super-frame.

    index, transport: which of its headers that of the datagram is, and that of the message in it. payload, end, size: what is cut,
    and the bytes of it in each piece. dropped: bytes of an extension that pieces do not have. numbered: whether it is of TCP.
    """

    index: int
    transport: int
    payload: int
    end: int
    size: int
    dropped: int
    numbered: bool
    around: Around


def flow_key(view: View, m: Message, back: bool) -> Key:
    """Who sends to whom; back: the other way."""
    size = 16 if m.v6 else 4
    ends = [bytes(view.frame[at : at + size]) for at in (m.source, m.destination)]
    if any(len(end) < size for end in ends):
        ends = [bytes(size), bytes(size)]
    ports = [view.get(m.at + at, 2).to_bytes(2, "big") for at in (0, 2)]
    first, second = (address + port for address, port in zip(ends, ports, strict=True))
    return (second, first, m.v6) if back else (first, second, m.v6)


def _mss_said(view: View, m: Message, end: int) -> int:
    """The largest segment that the sender of a SYN takes: what its option says."""
    at = m.at + FIXED
    while at < end and view.get(at, 1) != OPTION_END:
        kind = view.get(at, 1)
        size = 1 if kind == OPTION_NOP else view.get(at + 1, 1)
        if kind == OPTION_MSS and size == 4 and at + 4 <= end:
            return view.get(at + 2, 2)
        if kind != OPTION_NOP and size < 2:
            break
        at += size
    return USUAL_6 if m.v6 else USUAL_4


def innermost(view: View) -> int | None:
    """The innermost header of a datagram; None: there is none."""
    return next((i for i in reversed(range(len(view.headers))) if carries_message(view.headers[i].kind)), None)


def beginning(view: View, index: int, m: Message) -> int | None:
    """The header that a message begins with; None: none is known."""
    return next((i for i in range(index + 1, len(view.headers)) if view.headers[i].start == m.at), None)


def is_datagram(view: View, header: Header) -> bool:
    """Whether a header is of UDP, which carries no tunnel.

    That is of messages that say how long they are, and may say that they have no checksum.
    """
    kind = known().kinds[header.kind]
    says = kind.length and not carries_message(header.kind) and kind.sum is not None and kind.sum.zero == MISSING
    return bool(says) and not view.leads_to_tunnel(kind, header.start)


def declare_end(frame: bytearray, kind: int, start: int, end: int) -> None:
    """Writes where a header ends, if it says that in whole bytes."""
    if length := known().kinds[kind].length:
        place, uncounted = length
        frame[start + place : start + place + 2] = (end - start - uncounted & 0xFFFF).to_bytes(2, "big")


def _number(frame: bytearray, at: int, offset: int, last: bool) -> None:
    """What differs from piece to piece in the header of a segment whose data begins `offset` bytes behind that of the first one."""
    place = at + SEQUENCE_AT
    sequence = int.from_bytes(frame[place : place + 4], "big") + offset
    frame[place : place + 4] = (sequence & 0xFFFFFFFF).to_bytes(4, "big")
    frame[at + FLAGS_AT] &= ~((0 if last else FIN | PSH) | (CWR if offset else 0)) & 0xFF


class Segmentation:
    """How super-frames are cut: see `segment`. left: packets that were not, by reason. urgent: those with an urgent pointer."""

    def __init__(self, seen: Handshakes, how: tuple[int, int, bool, bool, bool], number: int) -> None:
        self.seen, self.id = seen, number
        self.mtu, self.size, self.same_ids, self.keep, self.apart = how
        self.left, self.urgent = [0] * LEFT_UNCUT, 0

    def leave(self, counts: bool, why: int) -> Super | None:
        """Counts a packet that is not cut and should have been; there is nothing to be cut then."""
        self.left[why] += counts
        return None

    def super_of(self, view: View, chosen: bool) -> Super | None:
        """What is to be cut of a packet; what should have been and cannot be is counted. Remembers what handshakes say."""
        outer, index = outermost(view), innermost(view)
        if outer is None or index is None:
            return None
        header, mtu, begins = view.headers[index], self.mtu or USUAL_MTU, view.headers[outer].start
        outcome, m = view.message(index)
        if m is None or outcome not in (CORRECTED, FRAGMENT):
            return self.leave(chosen and view.wire_end(index) - begins > mtu, UNUSABLE_FRAME)
        end = m.at + m.size
        longer = chosen and end - begins > mtu
        if outcome == FRAGMENT:
            return self.leave(longer, A_FRAGMENT)
        transport = beginning(view, index, m)
        if transport is None:
            return self.leave(longer, OTHER_MESSAGE)
        of = view.headers[transport]
        kind, numbered = known().kinds[of.kind], exception(of.kind) == SEGMENTS
        if not numbered and not is_datagram(view, of):
            return self.leave(longer, OTHER_MESSAGE)
        head = view.size(kind, m.at)
        if not kind.fixed <= head <= m.size or not view.within(m.at, head):
            return self.leave(longer, UNUSABLE_FRAME)
        payload, dropped = m.at + head, 0 if self.keep else oversize_header(view, header)
        options = m.at - header.start - known().kinds[header.kind].fixed - dropped
        if numbered and view.get(m.at + FLAGS_AT, 1) & SYN:
            self.seen.remember(flow_key(view, m, True), _mss_said(view, m, payload))
        if not chosen:
            return None
        around, said = Around(view, index), self.size
        if numbered and not said and (mss := self.seen.get(flow_key(view, m, False))) is not None:
            options += payload - m.at - FIXED
            mss = max(mss, LEAST_MSS)
            said = mss - options if mss > options else 1
        trailer = max(0, view.headers[outer].end - around.tail_at)
        room = max(0, mtu - (payload - dropped - begins + trailer))
        size = min(room, said) if said and self.mtu else said or room
        if end - payload <= size:
            return None
        if not size:
            return self.leave(True, NO_ROOM_FOR_DATA)
        if end > header.end or end > len(view.frame) or not datagram_sound(view, header) or has_fragment(view):
            return self.leave(True, UNUSABLE_FRAME)
        if not numbered:
            place, rule = kind.length[0] if kind.length else 0, kind.sum
            length = view.get(of.start + place, 2)
            if length != m.size and not (length == 0 and m.size > 0xFFFF):
                return self.leave(True, UNUSABLE_FRAME)
            if rule and not view.get(m.at + rule.at, 2) and not self.apart:
                return self.leave(True, WITHOUT_SUM)
        return Super(index, transport, payload, end, size, dropped, numbered, around)

    def cut(self, view: View, s: Super, packet: Packet) -> list[Packet]:
        """The pieces of a super-frame; or the packet as it is, where that cannot be."""
        if self.apart and not s.numbered:
            return self.divided(view, s, packet)
        kept = {} if self.keep else judge_whole(view, s.index)
        if kept is None:
            self.leave(True, UNUSABLE_FRAME)
            return [packet]
        of, headers = view.headers[s.transport], view.headers[: s.index + 1]
        front, made = bytearray(view.frame[: s.payload]), []
        if not self.keep:
            leave_oversize(view.other(front), view.headers[s.index])
        for count, at in enumerate(range(s.payload, s.end, s.size)):
            stop = min(at + s.size, s.end)
            head = bytearray(front)
            if s.numbered:
                _number(head, of.start - s.dropped, at - s.payload, stop == s.end)
            for header in headers if not self.same_ids else ():
                renumber(head, header, count)
            frame: bytes | bytearray | None = bytes(head) + view.frame[at:stop] + s.around.tail
            if not self.keep:
                size = len(head) + stop - at
                declare_end(head, headers[-1].kind, headers[-1].start, size)
                if not s.numbered:
                    declare_end(head, of.kind, of.start - s.dropped, size)
                frame = self.finished(view, s, bytes(head) + view.frame[at:stop], kept, packet.linktype)
            if frame is None:
                self.leave(True, UNUSABLE_FRAME)
                return [packet]
            made.append(packet.remade(bytes(frame)))
        without_lost(made[1:])
        self.urgent += s.numbered and view.get(of.start + FLAGS_AT, 1) & URG != 0
        return made

    def finished(self, view: View, s: Super, frame: bytes, kept: dict[int, Judged], linktype: int) -> bytearray | None:
        """A piece that ends with its datagram, with what is around it and its checksums; None: there is no room for a length."""
        whole = s.around.lengthened(frame)
        if whole is None:
            return None
        piece, of = View(whole, len(whole), linktype), view.headers[s.transport]
        transport = s.transport - (s.dropped > 0)
        if len(piece.headers) <= transport or piece.headers[transport].start != of.start - s.dropped:
            return None
        settle_piece(piece, kept)
        return whole

    def divided(self, view: View, s: Super, packet: Packet) -> list[Packet]:
        """The fragments of a datagram of UDP (UFO): its checksum is finished first, and Don't Fragment does not count."""
        whole = view.other(bytearray(view.frame))
        outcome, m, checksum = sum_of(view, s.index)
        if outcome == CORRECTED and m and checksum and view.message_judged(m, checksum) == LEFT:
            whole.write(checksum)
        try:
            d = Datagram(whole, s.index)
        except ValueError:
            self.leave(True, UNUSABLE_FRAME)
            return [packet]
        before = d.start - view.headers[outermost(view) or 0].start
        head = d.head - d.start + (EXTENSION.size if d.v6 else 0)
        mtu = head + self.size if self.size else max(0, (self.mtu or USUAL_MTU) - before)
        if not d.room(mtu):
            self.leave(True, NO_ROOM_FOR_DATA)
            return [packet]
        by = Fragmentation((mtu, mtu), True, self.id, (UNKNOWN, 1))
        made = by.divide(whole, d, packet)
        self.id = by.id
        self.left[UNUSABLE_FRAME] += by.left[UNUSABLE]
        return made


def segment(
    table: object,
    data: bytearray,
    rows: bytes,
    first: int,
    how: tuple[int, int, bool, bool, bool],
    number: int,
    chosen: bytes | bytearray | None,
    counts: dict[int, int] | None,
) -> tuple[int, bytearray | None, bytearray | None, tuple[int, int, tuple[int, ...]]]:
    """Cuts the super-frames of packets, from the first one on.

    table: see `handshakes`. how: bytes of the outermost packet of IP, and of data in a piece, 0 where they are not said: then what
    hosts said to each other counts, or else an MTU of 1500; whether IDs stay the same; whether lengths and checksums stay as they
    are; and whether datagrams of UDP become fragments. number: the id of the next datagram of IPv6 that does. chosen: a byte
    a packet, whether it may be cut; None: all. Adds to `counts` what packets that are cut carry that is not followed, and
    signatures that do not follow.

    Returns how far it came, which may not be the end where they become many; data and rows of what there is instead of them,
    or None twice where they pass as they are; the next id; how many were cut that have an urgent pointer; and how many were not
    cut that should have been: truncated or malformed, fragments, neither TCP nor UDP, without room for data, without a checksum.
    """
    packed = checked(data, rows)
    values = without_fcs([*packed])
    if not isinstance(table, Handshakes):
        raise TypeError("no table of handshakes")
    if not (0 <= first <= len(values) // COLUMNS and min(how[:2]) >= 0 and 0 <= number <= 0xFFFFFFFF):
        raise ValueError("first packet, MTU, size or id out of range")
    if chosen is not None and len(chosen) != len(packed) // COLUMNS:
        raise ValueError("verdicts are not one a packet")
    need_dict(counts)
    segmentation, stop, size = Segmentation(table, how, number), first, 0
    made: list[Packet] | None = None
    while stop < len(values) // COLUMNS and size < MAX_BATCH:
        at = stop * COLUMNS
        row = values[at : at + COLUMNS]
        packet, stop = packet_of(data, row), stop + 1
        view = View(packet.frame, row[ORIGINAL], row[LINKTYPE])
        s = segmentation.super_of(view, chosen is None or chosen[at // COLUMNS] != 0)
        if s:
            note(counts, view.beyond)
        if s and made is None:
            made = [packet_of(data, packed[i : i + COLUMNS]) for i in range(first * COLUMNS, at, COLUMNS)]
            size = sum(len(p.frame) + len(p.notes) for p in made)
        if made is not None:
            new = segmentation.cut(view, s, packet) if s else [packet_of(data, packed[at : at + COLUMNS])]
            if s and len(new) > 1:
                note_signature(counts, packet, Changed(s.end, s.end))
            made += new
            size += sum(len(p.frame) for p in new) + sum(len(p.notes) for p in new[:2])  # others share theirs, in C
    return stop, *made_of(made), (segmentation.id, segmentation.urgent, tuple(segmentation.left))
