"""Lengths of datagrams, corrected; twin of ../c/lengths.c.

What follows a datagram in its frame may be padding, a frame check sequence, a trailer, or payload that somebody added. A length
stays where the bytes behind it are known to be none of it: zeros that fill a frame up to Ethernet's least payload, or a right
FCS; or where the checksum of what is carried is right by that length. Where that checksum is wrong, bytes were changed, and what
there is counts. What is decided by neither of these is the smaller of the readings that agree with the lengths inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...protocols.walking import DATAGRAM_6, JUMBO_FOR_0, PADDED
from .. import CORRECTED, FRAGMENT, LEFT, NONE, OBSCURE, RIGHT, TRUNCATED
from .checksum import FCS, View, has_fcs
from .exceptions import datagram_head, datagram_size, set_jumbo
from .headers import Header, is_tag
from .protocols import Length, carries_message, exception, extends, known
from .sums import message_checksum

NOTHING, GOOD, BROKEN, ELSEWHERE, CONTRADICTED = range(5)  # what checksums say of lengths
SURE, SHORTER, LONGER = range(3)  # whether bytes behind a datagram, not known to be any, were taken for payload
LEAST_PAYLOAD = 46  # IEEE 802.3 clause 4A.4.2


@dataclass(slots=True)
class Room:
    """What a datagram lies in.

    size: bytes from its start to the end of that, without an FCS that is right. frame: that is an Ethernet frame. outer: no
    other datagram is around it. intact: it had an FCS that is right: nothing was changed since it was sent.
    """

    size: int
    frame: bool
    outer: bool
    intact: bool = False


def _link(view: View, index: int) -> int:
    """Which header is in front of the tags in front of a datagram."""
    index -= 1
    while index >= 0 and is_tag(view.headers[index].kind):
        index -= 1
    return index


def _room(view: View, index: int) -> Room:
    start, link = view.headers[index].start, _link(view, index)
    outer = not any(carries_message(header.kind) for header in view.headers[:index])
    return Room(max(0, view.wire_end(index) - start), link >= 0 and exception(view.headers[link].kind) == PADDED, outer)


def _take_off_fcs(view: View, index: int, room: Room) -> None:
    if not room.frame or room.size <= FCS:
        return
    link, end = view.headers[_link(view, index)], view.headers[index].start + room.size
    frame = bytes(view.frame[link.start : end])
    if len(frame) == end - link.start > known().kinds[link.kind].fixed + FCS and has_fcs(frame):
        room.size, room.intact = room.size - FCS, True


def _zeros(view: View, at: int, end: int) -> bool:
    return at >= end or (end <= len(view.frame) and not any(view.frame[at:end]))


def _padding(view: View, start: int, declared: int, room: Room) -> bool:
    """Whether bytes behind a datagram fill an Ethernet frame up, with zeros, before an FCS also.

    Tags that were put in later do not count, and nor does a link layer that Ethernet's was exchanged for.
    """
    if room.size <= LEAST_PAYLOAD:
        return _zeros(view, start + declared, start + room.size)
    return room.size == LEAST_PAYLOAD + FCS and declared < LEAST_PAYLOAD and _zeros(view, start + declared, start + LEAST_PAYLOAD)


def _length(header: Header) -> Length:
    """Where a header says how long what it begins is, from its start; and how many bytes that number does not count."""
    return known().kinds[header.kind].length or (0, 0)


def _measures(header: Header) -> bool:
    """Whether a header says how long the message is that it begins: a length that its checksum goes by, as that of UDP."""
    return known().kinds[header.kind].length is not None and not carries_message(header.kind)


def _most(view: View, index: int) -> int:
    """Bytes of the largest datagram that an IP header can say."""
    return 0xFFFF + _length(view.headers[index])[1]


def _declare(view: View, index: int, size: int) -> None:
    header = view.headers[index]
    place, uncounted = _length(header)
    view.put(header.start + place, 2, size - uncounted)
    view.walk()  # with another length there may be more to see


def _measured(view: View, index: int) -> Header | None:
    """The header of the message that an IP header carries, if it says its length."""
    index += 1
    while index < len(view.headers) and extends(view.headers[index].kind):
        index += 1
    return view.headers[index] if index < len(view.headers) and _measures(view.headers[index]) else None


def _vouched(view: View, index: int) -> int:
    """What the checksums of what an IP header carries say about the lengths.

    NOTHING: there are none. ELSEWHERE: some bytes are in other packets, or were not captured.
    """
    for i in range(index, len(view.headers)):
        header = view.headers[i]
        if not carries_message(header.kind):
            continue
        outcome, m, c = message_checksum(view, i)
        if outcome in (FRAGMENT, TRUNCATED, OBSCURE):
            return ELSEWHERE
        if outcome != CORRECTED or m is None:
            return CONTRADICTED
        if m.at + m.size > header.end:  # past what holds it, or past what was captured
            return CONTRADICTED if view.within(m.at, m.size) or view.missing() != TRUNCATED else ELSEWHERE
        verdict = view.message_judged(m, c)
        if c is not None and verdict != NONE:
            return GOOD if verdict in (RIGHT, LEFT) else BROKEN
    cut = view.headers[index].end == len(view.frame) and view.missing() == TRUNCATED
    return NOTHING if not view.partial else ELSEWHERE if cut else CONTRADICTED


def _vouched_with(view: View, index: int, size: int, inner: bool) -> int:
    """What they say when a datagram has `size` bytes; and, with `inner`, when all that it carries goes to its end."""
    if size > _most(view, index):
        return CONTRADICTED
    before = []
    i = index
    while i < len(view.headers) and (i == index or inner):
        header = view.headers[i]
        kind = known().kinds[header.kind]
        if kind.length:
            end = header.start + size if i == index else view.wire_end(i)
            value = end - header.start - kind.length[1]
            if end < header.start + kind.fixed or value > 0xFFFF:
                break
            place = header.start + kind.length[0]
            before.append((place, 2, view.get(place, 2)))
            view.put(place, 2, value)
            view.walk()
        i += 1
    word = _vouched(view, index)
    for was in reversed(before):
        view.put(*was)
    view.walk()
    return word


def _right_with(view: View, index: int, size: int, inner: bool) -> bool:
    return _vouched_with(view, index, size, inner) == GOOD


def _said_inside(view: View, index: int, room: int) -> int:
    """The size that follows from the lengths inside of a datagram, where it ends at the end of its room; 0: none is there."""
    if room > _most(view, index):
        return 0
    start, size = view.headers[index].start, 0
    field = start + _length(view.headers[index])[0]
    before = view.get(field, 2)
    _declare(view, index, room)
    header = _measured(view, index)
    place, uncounted = _length(header) if header else (0, 0)
    said = view.get(header.start + place, 2) + uncounted if header else 0
    if header and said >= known().kinds[header.kind].fixed:
        size = header.start - start + said
    else:
        outcome, m = view.message(index)
        for other in view.headers[index + 1 :]:
            another = outcome == CORRECTED and m is not None and other.start == m.at and carries_message(other.kind)
            if another and (inner := datagram_size(view.frame, other)) >= known().kinds[other.kind].fixed:
                size = other.start - start + inner
    view.put(field, 2, before)
    view.walk()
    return size if size <= room else 0


def _size_in_zeros(view: View, index: int, least: int, room: int) -> int:
    """The size with which the checksum of a datagram is right that was filled up with zeros; 0: there is none."""
    start, end = view.headers[index].start, min(room, LEAST_PAYLOAD)
    size = end
    while size > least and view.get(start + size - 1, 1) == 0:
        size -= 1
    if room > LEAST_PAYLOAD + FCS:
        return 0
    return next((size for size in range(size, end) if _right_with(view, index, size, True)), 0)


def _size_in(view: View, index: int, declared: int, least: int, space: Room) -> tuple[int, int]:
    """Bytes of a datagram that does not end where its room ends, and the doubt."""
    start, room = view.headers[index].start, space.size
    possible = least <= declared < room
    if possible and _padding(view, start, declared, space):
        return declared, SURE
    word = _vouched(view, index) if possible else CONTRADICTED
    own = view.header_checksum(index)
    if word == NOTHING and own and view.read(own) != own.value:
        word = BROKEN  # then its own, of IPv4, covers the length
    written = possible and room < LEAST_PAYLOAD  # a frame that is too short for any wire has no trailer: somebody wrote it
    inside = _said_inside(view, index, room)
    if word == GOOD:
        return declared, SURE if space.intact else SHORTER
    inside_doubt = SHORTER if inside < room and not _padding(view, start, inside, space) else SURE
    if word == NOTHING and written:
        return room, SURE
    if word in (NOTHING, ELSEWHERE) and (inside == 0 or inside >= declared):  # nothing vouches for either
        size = max(inside, declared)
        return size, SHORTER if size < room and not space.intact else SURE
    if inside not in (0, declared) and _right_with(view, index, inside, False):
        return inside, inside_doubt
    zero_behind = room <= LEAST_PAYLOAD and _zeros(view, start + room - 1, start + room)
    if _right_with(view, index, room, True):
        return room, LONGER if zero_behind and not possible else SURE
    if possible and _right_with(view, index, declared, True):
        return declared, SHORTER
    found = _size_in_zeros(view, index, least, room)
    if found:
        return found, SURE
    if inside and not possible and _vouched_with(view, index, inside, False) != CONTRADICTED:
        return inside, inside_doubt
    if possible:
        declared = max(declared, inside)
    fcs = space.frame and space.outer and room > least + FCS  # of a frame that was changed since
    if not possible:
        if fcs and _right_with(view, index, room - FCS, True):
            return room - FCS, SHORTER
        return room, LONGER if zero_behind else SURE
    if declared == room or written:
        return room, SURE
    if (fcs and room - declared == FCS) or room in (LEAST_PAYLOAD, LEAST_PAYLOAD + FCS):
        return declared, SHORTER
    return room, LONGER


def _set_datagram(view: View, index: int, least: int) -> tuple[bool, int]:
    declared, space = datagram_size(view.frame, view.headers[index]), _room(view, index)
    if declared == space.size >= least:
        return True, SURE
    _take_off_fcs(view, index, space)
    if declared == 0 and space.size > _most(view, index):
        view.resized = True
        set_jumbo(view, view.headers[index], space.size)
        return True, SURE
    if declared == space.size >= least:
        return True, SURE
    size, doubt = _size_in(view, index, declared, least, space)
    if size > _most(view, index) or size < least:
        return size < least, SURE
    view.resized |= size != declared
    _declare(view, index, size)
    return True, doubt


def _set_length(view: View, index: int) -> None:
    """The length of a message, which may say as well that it is a jumbogram."""
    header, outer = view.headers[index], index
    kind, place = known().kinds[header.kind], header.start + _length(header)[0]
    size, declared = max(0, view.wire_end(index) - header.start), view.get(place, 2)
    while outer > 0 and not carries_message(view.headers[outer].kind):
        outer -= 1
    if declared == size or (kind.fixed <= declared < size and _vouched(view, outer) == GOOD):
        return  # a surplus area is no payload, RFC 9868
    no_limit = exception(view.headers[outer].kind) == DATAGRAM_6 and kind.sum and kind.sum.nothing == JUMBO_FOR_0
    if size > 0xFFFF and no_limit:
        size = 0  # RFC 2675 section 4
    elif not kind.fixed <= size <= 0xFFFF:
        return
    view.put(place, 2, size)
    view.resized = True
    view.walk()


def correct_lengths(view: View) -> tuple[bool, int]:
    """Corrects the lengths of a packet. Whether its headers can say them, and whether they are in doubt."""
    index, doubt = 0, SURE
    while index < len(view.headers):  # the outermost first: inner ones go by outer ones
        header = view.headers[index]
        kind = known().kinds[header.kind]
        if _measures(header):
            _set_length(view, index)
        elif kind.length:
            head = datagram_head(view.frame, header)
            if head >= kind.fixed and view.within(header.start, head):  # else it shows when checksums are computed
                fits, found = _set_datagram(view, index, head)
                if not fits:
                    return False, doubt
                doubt = doubt or found
        index += 1
    return True, doubt
