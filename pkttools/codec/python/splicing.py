"""Bytes of a packet that become others, more of them or fewer; twin of ../c/splicing.c.

The lengths of all headers around them follow by as much, and so do their checksums (following.py): what was right is right again,
what was wrong stays wrong. Padding that fills an Ethernet frame up is as long as it has to be; a frame check sequence that was
right is right again.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import iter_unpack
from zlib import crc32

from ...batch import COLUMNS, MAX_BATCH, MAX_FRAME, MAX_LINKTYPE, Packet
from ...protocols.reading import Read
from ...protocols.walking import BY_SPACE, END_BEHIND, HIDDEN, LINK_LAYER, OWN_END, PADDED, TAG, TO_KIND
from .. import FRAGMENT
from .around import Frame, put, short
from .checksum import FCS, View, has_fcs
from .exceptions import set_jumbo, size_apart, size_apart_legal
from .following import MADE, STRANGE, Origin, judge, settle
from .fragments import made_of, packet_of
from .headers import Header, Walk, is_tag, need_dict, note
from .protocols import Kind, carries_message, exception, known
from .rows import checked, without_fcs
from .signatures import Changed, signature_of

# Why a packet was left as it is; NOT_FOLLOWED: it was not, but a checksum could not follow.
SPLICED, NOT_THERE, OF_FRAGMENT, NO_LENGTH, NOT_FOLLOWED = range(5)
DONE = (SPLICED, NOT_FOLLOWED)
MOST_ORIGINAL = 0xFFFFFFFF  # bytes on the wire: what captures have room for
LEAST_FRAME = 60  # IEEE 802.3 clause 3.2.7: without its check sequence
PIECE = 5  # columns of a piece


@dataclass(slots=True)
class Piece:
    """Bytes of a frame, and what they become."""

    at: int
    removed: int
    octets: bytes

    @property
    def more(self) -> int:
        """By how much they become more."""
        return len(self.octets) - self.removed


@dataclass(slots=True)
class Splice:
    """What becomes of a packet.

    pieces: in order, none in another. linktype: of what is made. keep: nothing follows. anew: lengths and checksums of headers that
    were put in are computed.
    """

    pieces: list[Piece]
    linktype: int
    keep: bool
    anew: bool

    def moved(self, at: int) -> int:
        """Where a byte is now that is still there; what is put in in front of it moves it."""
        return at + sum(piece.more for piece in self.pieces if piece.at + piece.removed <= at)

    def touched(self, start: int, end: int) -> bool:
        """Whether any of these bytes is no more what it was."""
        return any(piece.removed and piece.at < end and piece.at + piece.removed > start for piece in self.pieces)

    def grown(self, start: int, end: int, open_: bool) -> int:
        """How many bytes more there are between two places; what is put in at the end counts where that is open."""
        inside = (piece for piece in self.pieces if piece.at > start and (piece.at < end or (open_ and piece.at == end)))
        return sum(len(piece.octets) - min(piece.removed, end - piece.at) for piece in inside)

    def sound(self, size: int) -> bool:
        """Whether the pieces are in order, of a frame of so many bytes."""
        at = 0
        for piece in self.pieces:
            if piece.at < at or piece.at + piece.removed > size:
                return False
            at = piece.at + piece.removed
        return True

    def put_in(self, at: int) -> bool:
        """Whether a byte of what was made was put in."""
        shift = 0
        for piece in self.pieces:
            if 0 <= at - piece.at - shift < len(piece.octets):
                return True
            shift += piece.more
        return False

    def made(self, frame: bytes, end: int) -> bytearray:
        """What becomes of a frame up to a place."""
        made, at = bytearray(), 0
        for piece in self.pieces:
            made += frame[at : piece.at] + piece.octets
            at = piece.at + piece.removed
        return made + frame[at:end]


@dataclass(slots=True)
class Filling:
    """What stands behind the packet in a frame: padding, and then a check sequence that is right.

    start: where the frame begins. least: the bytes that it shall have.
    """

    at: int
    start: int
    fcs: bool
    size: int = 0
    least: int = 0


def all_headers(frame: bytes | bytearray, original: int, linktype: int) -> View:
    """A packet, and all of its headers in one list, those of a packet that is quoted among them."""
    view = View(frame, original, linktype, True)
    view.headers, view.quoted = view.walked.headers, 0
    return view


def _way_to(view: View, index: int) -> Kind | None:
    """The way to a header that says where it ends, as IEEE 802.3 does in front of it: by the first rule that holds."""
    if not index:
        return None
    front, behind = view.headers[index - 1], view.headers[index].start
    for how, to, space, read, _, tests, _ in known().kinds[front.kind].rules:
        if not view.hold(tests, front.start, behind, front.end):
            continue
        if how == TO_KIND:
            return to if to and to.flags & HIDDEN else None
        if how == BY_SPACE and space and read and view.number(read, behind if read[4] else front.start) in space.entries:
            return None
    return None


def _says_packet_end(view: View, index: int) -> int | None:
    """Where the packet in a frame ends, whose header is at `index`; None: it does not say."""
    header, read = view.headers[index], Frame(view.frame)
    kind, way = known().kinds[header.kind], _way_to(view, index)
    for one in (kind, way):
        said = read.end(one, header.start) if one else None
        if said is not None:
            return said if said > header.start else None
    return header.end if kind.flags & OWN_END and index + 1 == len(view.headers) else None


def packet_end(view: View) -> int:
    """Where the packet in a frame ends, on the wire, by the first header that says so."""
    for i, header in enumerate(view.headers):
        end = _says_packet_end(view, i)
        if end is not None:
            return min(end, view.wire)
        if not known().kinds[header.kind].flags & (LINK_LAYER | TAG):
            break
    return view.wire


def _filling(view: View, s: Splice, end: int) -> Filling | None:
    """What fills up the outermost frame of Ethernet, whose packet ends at `end`.

    None: nothing does, or what is changed is part of that.
    """
    headers, size, last = view.headers, len(view.frame), s.pieces[-1]
    link = next((i for i, h in enumerate(headers) if exception(h.kind) == PADDED or carries_message(h.kind)), None)
    if (link is None or exception(headers[link].kind) != PADDED or headers[link].end != size or view.wire > size or end >= size
            or last.at + last.removed > end):  # fmt: skip
        return None
    index, start, head = link + 1, headers[link].start, known().kinds[headers[link].kind].fixed
    while index < len(headers) and is_tag(headers[index].kind):
        index += 1
    if index == len(headers) or end < headers[index].start:
        return None
    frame = bytes(view.frame[start:])
    fcs = size - end >= FCS and len(frame) > head + FCS and has_fcs(frame)
    fill = Filling(end, start, fcs)
    size -= FCS if fcs else 0
    if size - start <= LEAST_FRAME + headers[index].start - start - head:
        fill.size = size - end
    else:
        fill.at = size
    link_grows = s.grown(start, headers[index].start, True) != 0 or s.touched(start, start + 1)
    fill.least = min(size - start, LEAST_FRAME) if link_grows else size - start
    return fill if fill.size or fill.fcs else None


def _put_length(made: bytearray, kind: Kind, start: int, value: int) -> bool:
    read: Read = kind.end  # type: ignore[assignment]  # it says where it ends
    large = value > read[3]
    if value < 0 or (large and not short(read)) or not put(made, read, start, 0 if large else value):
        return False
    if Frame(made).end(kind, start) is not None:
        return True
    return short(read) and put(made, read, start, 0)  # such a length says nothing of packets that are long


def _follow_number(view: View, s: Splice, made: bytearray, header: Header, kind: Kind) -> bool:
    """Lets a number follow that says where a header ends, or would if that could be said."""
    read, scale, open_ = kind.end, kind.end_scale, not kind.flags & OWN_END
    if not read or not scale or header.start + read[0] < 0:
        return True
    place, width = header.start + read[0], read[1] - read[0]
    start = s.moved(place) - read[0]
    if not view.within(place, width) or s.touched(place, place + width):
        return True  # somebody has set it
    said, end = view.number(read, header.start), Frame(view.frame).end(kind, header.start)
    if end is not None:
        more = s.grown(header.start, end, open_) if end > header.start else 0
        if not more or (more % scale == 0 and _put_length(made, kind, start, said + more // scale)):
            return True
        gone = s.touched(header.start, header.start + kind.fixed)  # of the header itself a part
        return gone and put(made, read, start, said)
    if said or not short(read):
        return True
    end = header.end + kind.trailer  # as long as there is: it stays so unless that can be said now, and could not be before
    size, more = end - header.start - kind.end_bias, s.grown(header.start, end, open_)
    if not more or (size >= 0 and size // scale > read[3]):
        return not more or _put_length(made, kind, start, (size + more) // scale)
    if size < 0 or size % scale or (size + more) % scale:
        return True
    put(made, read, start, size // scale)
    could = Frame(made).end(kind, start) is not None
    put(made, read, start, 0)
    return could or _put_length(made, kind, start, (size + more) // scale)


def _follow_apart(view: View, s: Splice, now: View, header: Header) -> bool:
    """The same for a datagram that says its size in an option."""
    said = size_apart(view, header)
    if not said:
        return True
    size = said + s.grown(header.start, header.start + said, True)
    there = Header(header.kind, s.moved(header.start), header.data, header.end)
    if size == said or not size_apart(now, there):
        return True
    set_jumbo(now, there, size)
    return size_apart_legal(size)


def _resizes_fragment(view: View, s: Splice, index: int) -> bool:
    """Whether the payload of a fragment would have another size: those of the others say where they belong."""
    if not carries_message(view.headers[index].kind):
        return False
    outcome, m = view.message(index)
    return outcome == FRAGMENT and m is not None and s.grown(m.at - 1, m.at + m.size, True) != 0


def _follow_lengths(view: View, s: Splice, made: bytearray) -> int:
    now = View.__new__(View)
    now.frame = made
    for i, header in enumerate(view.headers):
        if s.touched(header.start, header.start + 1):
            continue
        if _resizes_fragment(view, s, i):
            return OF_FRAGMENT
        ways = (known().kinds[header.kind], _way_to(view, i))
        if not all(_follow_number(view, s, made, header, kind) for kind in ways if kind):
            return NO_LENGTH
        if carries_message(header.kind) and not _follow_apart(view, s, now, header):
            return NO_LENGTH
    return SPLICED


def _origin(view: View, s: Splice, now: Header) -> Origin:
    """Which header of a packet the one is that was made of it."""
    for i, header in enumerate(view.headers):
        to = s.moved(header.start)
        if to == now.start and header.kind == now.kind and not s.touched(header.start, header.start + 1):
            size = len(view.frame)
            return i, (s.moved(size) - size - (to - header.start)) % 2 != 0
    return (MADE if s.put_in(now.start) else STRANGE), False


def _length_anew(s: Splice, made: bytearray, start: int, kind: Kind, limit: int) -> bool:
    """Sets the number that says where a header ends, if it was put in; False: it does not go that far."""
    read, scale = kind.end, kind.end_scale
    if not read or not scale or start + read[0] < 0 or not s.put_in(start + read[0]) or start + read[1] > len(made):
        return True
    size, before = limit - start - kind.end_bias, Frame(made).number(read, start)
    fits = size >= 0 and size // scale <= read[3]
    put(made, read, start, size // scale if fits else read[3])
    says = Frame(made).end(kind, start) is not None
    if not says or (not fits and short(read)):
        put(made, read, start, 0 if short(read) else before)  # it is no length; or one that says nothing
    return not says or short(read) or (fits and size % scale == 0)


def _lengths_anew(s: Splice, made: bytearray, limit: int) -> bool:
    """The same of all headers, the outermost first. limit: where the packet ends, on the wire."""
    i, view = 0, all_headers(made, len(made), s.linktype)
    while i < len(view.headers) and view.headers[i].start < limit:
        header = view.headers[i]
        start, kind, way = header.start, known().kinds[header.kind], _way_to(view, i)
        if not all(_length_anew(s, made, start, one, limit) for one in (kind, way) if one):
            return False
        view = all_headers(made, len(made), s.linktype)  # with another length there may be more to see
        if i >= len(view.headers) or view.headers[i].start != start or view.headers[i].kind != header.kind:
            return True
        for one, trailer in ((way, 0), (kind, kind.trailer)):
            end = Frame(made).end(one, start) if one and (one is way or not one.flags & (OWN_END | END_BEHIND)) else None
            if end is not None and end - trailer > start:
                limit = min(limit, end - trailer)
        i += 1
    return True


def _sums_around(view: View, s: Splice) -> bool:
    """Whether a header in front of what is changed has a checksum, which may cover it."""
    end = s.pieces[-1].at + s.pieces[-1].removed
    return any(h.start < end and (known().kinds[h.kind].sum is not None or carries_message(h.kind)) for h in view.headers)


def splice_frame(frame: bytes, original: int, linktype: int, s: Splice) -> tuple[int, bytes, int]:
    """Why a packet is left as it is, else SPLICED or NOT_FOLLOWED; its bytes, captured and as many as there were on the wire."""
    if not s.sound(len(frame)):
        return NOT_THERE, frame, original
    view = all_headers(frame, original, linktype)
    end = packet_end(view)
    fill = _filling(view, s, end) if s.pieces and not s.keep else None
    made = s.made(frame, fill.at if fill else len(frame))
    fill = fill if s.linktype == linktype else None
    if fill:
        more = max(0, fill.start + fill.least - len(made)) if fill.size else 0
        made += (frame[fill.at : fill.at + min(more, fill.size)]).ljust(more + (FCS if fill.fcs else 0), b"\0")
    wire = min(max(original + len(made) - len(frame), 0), MOST_ORIGINAL)
    if len(made) > MAX_FRAME:
        return NO_LENGTH, frame, original
    why = SPLICED
    if s.pieces:
        why = _follow_all(view, s, made, wire, s.moved(end))
        if why not in DONE:
            return why, frame, original
    if fill and fill.fcs:
        made[-FCS:] = crc32(made[fill.start : -FCS]).to_bytes(FCS, "little")
    return why, bytes(made), wire


def _follow_all(view: View, s: Splice, made: bytearray, wire: int, end: int) -> int:
    """Lets all follow that is around what was changed. end: where the packet ends in what was made, on the wire."""
    sums = not s.keep and _sums_around(view, s)
    why = SPLICED if s.keep else _follow_lengths(view, s, made)
    if why != SPLICED or not (sums or s.anew):
        return why
    if s.anew and not _lengths_anew(s, made, end):
        return NO_LENGTH
    now = all_headers(made, wire, s.linktype)
    origins = [_origin(view, s, header) for header in now.headers]
    judged = judge(View(view.frame, view.wire, view.linktype, True)) if sums else {}
    return SPLICED if settle(View(made, wire, s.linktype, True), judged, origins, s.anew) else NOT_FOLLOWED


def _pieces(pieces: bytes, octets: bytes, packets: int) -> dict[int, list[Piece]] | None:
    """The pieces of each packet; None: they are not in order, or what is put in does not lie in `octets`."""
    found: dict[int, list[Piece]] = {}
    before = 0
    if len(pieces) % (8 * PIECE):
        return None
    for packet, at, removed, start, size in iter_unpack(f"={PIECE}q", pieces):
        in_range = before <= packet < packets and all(0 <= value <= MAX_FRAME for value in (at, removed, size))
        if not in_range or not 0 <= start <= len(octets) - size:
            return None
        before = packet
        found.setdefault(packet, []).append(Piece(at, removed, bytes(octets[start : start + size])))
    return found


def splice(
    data: bytearray, rows: bytes, first: int, pieces: bytes, octets: bytes, linktype: int, keep: bool, anew: bool,
    counts: dict[int, int] | None,
) -> tuple[int, bytearray, bytearray, bytes]:  # fmt: skip
    """Lets pieces of packets become others, from the first packet on.

    pieces: five integers of 64 bits each: the number of the packet, the first byte, how many are taken out, and where in `octets`
    those begin that are put in, and how many; in order. linktype: of these packets, then; -1: what it was. keep: nothing follows.
    anew: lengths and checksums of headers that are put in are computed. Adds to `counts` what packets carry that is not
    followed, and signatures that do not follow.

    Returns how far it came, which may not be the end where they become many; data and rows of all packets up to there; and a
    byte for each: SPLICED, or why it is as it came: bytes are not there, it is a fragment, a length cannot be said; or
    NOT_FOLLOWED: it is another, but a checksum could not follow.
    """
    packed = checked(data, rows)
    values = without_fcs([*packed])
    found = _pieces(pieces, octets, len(values) // COLUMNS)
    if not 0 <= first <= len(values) // COLUMNS or found is None or not -1 <= linktype <= MAX_LINKTYPE:
        raise ValueError("first packet, pieces or link type out of range")
    need_dict(counts)
    made: list[Packet] = []
    stop, size, outcomes = first, 0, bytearray()
    while stop < len(values) // COLUMNS and size < MAX_BATCH:
        at, own, why = stop * COLUMNS, found.get(stop), SPLICED
        packet = packet_of(data, packed[at : at + COLUMNS])
        if own:
            bare = packet_of(data, values[at : at + COLUMNS])
            s = Splice(own, bare.linktype if linktype < 0 else linktype, keep, anew)
            why, frame, original = splice_frame(bare.frame, bare.original, bare.linktype, s)
            if why in DONE:
                walked = Walk(bare.frame, bare.linktype)
                note(counts, walked.beyond)
                note(counts, signature_of(bare.frame, walked, Changed(own[-1].at + own[-1].removed)))
                packet = Packet(frame, original, bare.time, s.linktype, bare.notes)
        made.append(packet)
        outcomes.append(why)
        size += len(packet.frame) + len(packet.notes)
        stop += 1
    new_data, new_rows = made_of(made)
    return stop, new_data or bytearray(), new_rows or bytearray(), bytes(outcomes)
