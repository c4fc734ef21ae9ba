"""Merges segments of TCP, and datagrams of UDP, into super-frames, as the kernel does (GRO); twin of ../c/merging.c.

What is in front of the data of segments has to be the same but for sequence numbers, lengths, checksums, PSH and FIN, and IDs of
IPv4, which go up by one each or are all the same. The data have to follow each other, none longer than the first. Not merged is
what has options of IPv4, padding, a wrong checksum, or none, or SYN, RST, URG or CWR; nothing is behind PSH, FIN or shorter data.
Linux takes 64 packets from a card at a time: so far behind the first may the last one be.
"""

from __future__ import annotations

from itertools import accumulate
from sys import byteorder

from ...batch import CAPTURED, COLUMNS, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, Packet, gathered
from ...protocols.walking import SEGMENTS
from .. import CORRECTED
from .around import Around
from .checksum import View
from .datagram import datagram_id, has_fragment, outermost, renumber
from .exceptions import datagram_head, datagram_said
from .following import LET_BE, judge_whole, settle_piece
from .fragments import packet_of
from .protocols import carries_message, exception, known
from .rows import checked, without_fcs
from .segments import (
    CWR,
    FIN,
    FLAGS_AT,
    PSH,
    SEQUENCE_AT,
    SYN,
    URG,
    Key,
    beginning,
    declare_end,
    flow_key,
    innermost,
    is_datagram,
)
from .sums import sum_of

RST = 4
MOST_FRONT, MOST_OPEN, WINDOW, MOST_SIZE = 512, 64, 64, 0xFFFF
ENDS, REFUSED = FIN | PSH, SYN | RST | URG | CWR


class Segment:
    """A segment, which may be merged if it has a `front`: what is in front of its data, without what differs from one to the next.

    key: of whom it is, and whether it is of TCP. data: bytes. outer: bytes in front of the outermost packet of IP. ids: of the
    headers of IP.
    """

    __slots__ = ("data", "flags", "front", "ids", "key", "outer", "sequence")

    def __init__(self, key: Key, numbered: bool, flags: int) -> None:
        self.key, self.flags = (*key, numbered), flags
        self.front = b""
        self.ids: list[int] = []
        self.data = self.outer = self.sequence = 0


class Group:
    """Segments that are one super-frame, which may grow. place: where the first one stood. steps: by how much IDs differ."""

    __slots__ = ("data", "first", "members", "place", "steps")

    def __init__(self, first: Segment, lead: int, place: int) -> None:
        self.first, self.members, self.place, self.data = first, [lead], place, first.data
        self.steps: list[int] = []

    def joins(self, s: Segment) -> bool:
        """Whether a segment goes on with what is there."""
        first = self.first
        if not s.front or s.front != first.front:
            return False
        *_, numbered = s.key
        if numbered and s.sequence != (first.sequence + self.data) & 0xFFFFFFFF:
            return False
        if s.data > first.data or len(s.front) - s.outer + self.data + s.data > MOST_SIZE:
            return False
        count = len(self.members)
        steps = self.steps if count > 1 else [(b - a) & 0xFFFF for a, b in zip(first.ids, s.ids, strict=True)]
        if any(step > 1 or (a + step * count) & 0xFFFF != b for step, a, b in zip(steps, first.ids, s.ids, strict=True)):
            return False
        self.steps = steps
        return True


def _segment_of(view: View, chosen: bool, datagrams: bool) -> Segment | None:
    """Looks at a packet; None: it is no segment of TCP, nor a datagram of UDP if these count."""
    index, outer = innermost(view), outermost(view)
    if index is None or outer is None:
        return None
    outcome, m = view.message(index)
    transport = beginning(view, index, m) if m and outcome == CORRECTED else None
    if m is None or transport is None:
        return None
    of, headers = view.headers[transport], view.headers[: index + 1]
    numbered = exception(of.kind) == SEGMENTS
    if not numbered and not (datagrams and is_datagram(view, of)):
        return None
    kind = known().kinds[of.kind]
    head, end = view.size(kind, m.at), m.at + m.size
    front = m.at + head
    s = Segment(flow_key(view, m, False), numbered, view.get(m.at + FLAGS_AT, 1) if numbered else 0)
    if not numbered and view.get(of.start + (kind.length[0] if kind.length else 0), 2) != m.size:
        return s
    if not chosen or head < kind.fixed or front >= end or front > MOST_FRONT or end != len(view.frame):
        return s
    if view.wire > len(view.frame) or s.flags & REFUSED or has_fragment(view):
        return s
    carriers = [header for header in headers if carries_message(header.kind)]
    if any(datagram_head(view.frame, header) != known().kinds[header.kind].fixed for header in carriers):
        return s
    around = Around(view, index)
    kept = judge_whole(view, index) if around.tail_at == len(view.frame) else None
    if kept is None or any(one.own.off or one.message.off for one in kept.values()):
        return s
    summed = {i for i, one in kept.items() if one.message.how != LET_BE}
    if not numbered and index not in summed:
        return s
    if any(not datagram_said(view.frame, header) for header in carriers):
        return s
    bare = bytearray(view.frame[:front])
    for i, header in enumerate(headers):
        s.ids.append(datagram_id(view.frame, header))
        renumber(bare, header, -s.ids[-1])
        places = [view.header_checksum(i), sum_of(view, i)[2] if i in summed else None]
        for checksum in places:
            if checksum and checksum.size == 2:
                bare[checksum.at : checksum.at + 2] = bytes(2)
    declare_end(bare, headers[-1].kind, headers[-1].start, front)
    if not numbered:
        declare_end(bare, of.kind, of.start, front)
    lengthened = around.lengthened(bytes(bare))
    if lengthened is None:
        return s
    if numbered:
        s.sequence = view.get(of.start + SEQUENCE_AT, 4)
        lengthened[of.start + SEQUENCE_AT : of.start + SEQUENCE_AT + 4] = bytes(4)
        lengthened[of.start + FLAGS_AT] &= ~ENDS & 0xFF
    s.front, s.data, s.outer = bytes(lengthened), end - front, view.headers[outer].start
    return s


def _joined(packets: list[Packet]) -> Packet:
    """The super-frame of segments."""
    first = packets[0]
    view = View(first.frame, first.original, first.linktype)
    index = innermost(view)
    assert index is not None
    _, m = view.message(index)
    assert m is not None
    of = view.headers[beginning(view, index, m) or 0]
    front = m.at + view.size(known().kinds[of.kind], m.at)
    made = bytearray(b"".join([first.frame[:front], *(p.frame[front:] for p in packets)]))
    if exception(of.kind) == SEGMENTS:
        made[m.at + FLAGS_AT] |= packets[-1].frame[m.at + FLAGS_AT] & ENDS
    else:
        declare_end(made, of.kind, of.start, len(made))
    kept = judge_whole(view, index)
    declare_end(made, view.headers[index].kind, view.headers[index].start, len(made))
    whole = Around(view, index).lengthened(bytes(made))
    assert whole is not None and kept is not None
    settle_piece(View(whole, len(whole), first.linktype), kept)
    return first.remade(bytes(whole))


def merge(
    data: bytearray, rows: bytes, final: bool, chosen: bytes | bytearray | None, gone: bytes | bytearray | None, datagrams: bool
) -> tuple[bytearray, bytearray, bytearray, int]:
    """Merges packets. chosen: a byte a packet, 0 for those that are not; None: all are. datagrams: those of UDP, too.

    gone: a byte a packet, how many stood right in front of it that were merged before; None: none.

    final: nothing comes behind them. Returns data and rows of what there is instead of them; the numbers of packets, 4 bytes each,
    that may be merged with what is to come, or stand behind such; and how many became parts of others.
    """
    packed = checked(data, rows)
    values = without_fcs([*packed])
    count = len(values) // COLUMNS
    if any(one is not None and len(one) != count for one in (chosen, gone)):
        raise ValueError("verdicts are not one a packet")
    stood = [i + before for i, before in enumerate(accumulate(gone))] if gone else range(count)
    groups: list[Group | None] = [None] * count
    growing: list[Group] = []
    for i in range(count):
        row, whole = values[i * COLUMNS : (i + 1) * COLUMNS], packed[i * COLUMNS : (i + 1) * COLUMNS]
        view = View(bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]), row[ORIGINAL], row[LINKTYPE])
        while growing and stood[i] - growing[0].place >= WINDOW:
            del growing[0]
        s = _segment_of(view, chosen is None or chosen[i] != 0, datagrams)
        if s is None:
            continue
        group = next((one for one in growing if one.first.key == s.key), None)
        if group:
            lead = packed[group.members[0] * COLUMNS :][:COLUMNS]
            goes_on = whole[LINKTYPE] == lead[LINKTYPE] and _same_lines(data, lead, whole) and group.joins(s)
            if goes_on:
                group.members.append(i)
                group.data += s.data
                groups[i] = group
            if not goes_on or s.data < group.first.data or s.flags & ENDS:
                growing.remove(group)
            if goes_on:
                continue
        if s.front and not s.flags & ENDS:
            if len(growing) == MOST_OPEN:
                del growing[0]
            groups[i] = Group(s, i, stood[i])
            growing.append(groups[i])  # type: ignore[arg-type]  # it was just made
    stop = growing[0].members[0] if growing and not final else count
    made, rest, merged = [], bytearray(), 0
    for i, group in enumerate(groups):
        if group and group.members[0] < min(i, stop):
            merged += 1
        elif i >= stop:
            rest += i.to_bytes(4, byteorder)
        elif group and len(group.members) > 1:
            made.append(_joined([packet_of(data, values[k * COLUMNS : (k + 1) * COLUMNS]) for k in group.members]))
        else:
            made.append(packet_of(data, packed[i * COLUMNS : (i + 1) * COLUMNS]))
    batch = gathered(made)
    return batch.data, batch.rows, rest, merged  # type: ignore[return-value]  # no mmap


def _same_lines(data: bytearray, a: list[int], b: list[int]) -> bool:
    """Whether the lines of a packet are those of the first one: then they say nothing that would be lost."""
    first, other = (bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]) for row in (a, b))
    return first == other and b"LOST:" not in other
