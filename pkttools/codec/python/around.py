"""What is around an IP datagram that becomes longer or shorter: the lengths and checksums of the headers in front of it follow.

Which of their fields are lengths, and where they end, is what the tables of protocols say. Twin of ../c/around.c.
"""

from __future__ import annotations

from ...batch import MAX_FRAME
from ...protocols.reading import Read, Reading
from ...protocols.walking import END_BEHIND, HIDDEN, LINK_LAYER, OWN_END, TAG, TO_KIND
from .. import ALL
from .checksum import View
from .correction import correct_frame
from .protocols import Kind, known


class Frame(Reading):
    """The bytes of a packet."""

    def __init__(self, frame: bytes | bytearray) -> None:
        self.frame = frame

    def end(self, kind: Kind, start: int, given: int = -1) -> int | None:
        """Where a header of a kind says that it ends, which begins at `start`; None: it does not.

        One of less than 16 bits that is 0 says the end that is given; -1: none is.
        """
        if not kind.end:
            return None
        said = self.number(kind.end, start)
        if said == 0 and short(kind.end) and given >= 0:
            return given
        holds = said >= kind.end_least and self.hold(kind.end_tests, start, start)
        return start + said * kind.end_scale + kind.end_bias if holds else None


def short(read: Read) -> bool:
    """Whether a number has less than 16 bits: such a length says nothing of packets that are long."""
    return read[3] < 0xFFFF


def put(frame: bytearray, read: Read, at: int, value: int) -> bool:
    """Writes a number into a frame; whether its bytes are there."""
    first, stop, shift, mask, _, order = read
    if at + first < 0 or at + stop > len(frame):
        return False
    around = int.from_bytes(frame[at + first : at + stop], order) & ~(mask << shift)
    frame[at + first : at + stop] = (around | value << shift).to_bytes(stop - first, order)
    return True


class Around:
    """What is around the datagram of a frame: the headers in front of it, and a trailer behind it, such as MACsec's check value.

    What is behind the datagram and no trailer is padding.
    """

    def __init__(self, view: View, index: int) -> None:
        """index: of the datagram's header."""
        read, kinds = Frame(view.frame), known().kinds
        headers = view.headers[:index]
        self.count = index
        self.plain = all(kinds[header.kind].flags & (LINK_LAYER | TAG) for header in headers)  # no checksums are there
        self.lengths: list[tuple[Kind, int, int]] = []  # of a kind of header that says where it ends: where it begins, and that end
        self.tail_at = limit = len(view.frame)
        ways: list[Kind] = []  # that may be in front of a header, and say how long it is, as IEEE 802.3 does
        for header in headers:
            kind = kinds[header.kind]
            end = header.end + kind.trailer
            says = next((one for one in (kind, *ways) if read.end(one, header.start, end) == end), None)
            if says:
                self.lengths.append((says, header.start, end))
            if not kind.flags & (OWN_END | END_BEHIND):
                if kind.trailer or (not says and header.end < limit):
                    self.tail_at = min(self.tail_at, header.end)
                limit = header.end
            ways = [to for how, to, *_ in kind.rules if how == TO_KIND and to and to.flags & HIDDEN]
        self.tail = bytes(view.frame[self.tail_at :])

    def fit(self, frame: bytes, linktype: int) -> bytes | None:
        """The same with checksums in front of the datagram that are right."""
        made = self.lengthened(frame)
        if made is not None and not self.plain:
            correct_frame(made, len(made), linktype, ALL, self.count)
        return None if made is None else bytes(made)

    def lengthened(self, frame: bytes) -> bytearray | None:
        """A frame in which the datagram ends where `frame` does. None: that is too long, or a length for its field."""
        made = bytearray(frame + self.tail)
        if len(made) > MAX_FRAME:
            return None
        for kind, start, end in self.lengths:
            read: Read = kind.end  # type: ignore[assignment]  # it says where it ends
            if not kind.end_scale:
                continue
            value = (len(frame) + max(0, end - self.tail_at) - start - kind.end_bias) // kind.end_scale
            large = not 0 <= value <= read[3]
            if (large and not short(read)) or not put(made, read, start, 0 if large else value):
                return None
            if short(read) and Frame(made).end(kind, start) is None:
                put(made, read, start, 0)
        return made
