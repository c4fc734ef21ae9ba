"""What is around an IP datagram that becomes longer or shorter: the lengths and checksums of the headers in front of it follow.

Which of their fields are lengths, and where they end, is what the tables of protocols say; see walking.py there.
"""

from __future__ import annotations

from struct import unpack

from .. import codec
from ..batch import Packet, gathered
from ..language.values import Header
from ..protocols import _tables
from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.reading import Read, Reading, read_of, tests_of
from ..protocols.shown import read_field
from ..protocols.walking import COLUMNS, END_BEHIND, HIDDEN, KIND, LINK_LAYER, NAMES, OWN_END, TAG, TO_KIND
from .ethernet import LEAST_TYPE
from .link import field

ETHERNET = HEADERS.index("ETHERNET")  # its type may be a length, which says nothing of where a frame belongs

Length = tuple[Read, int, int, int]  # where it stands: in bytes from a place in the frame; and its scale and bias


class Tables:
    """What is asked of the tables of protocols here, made when it is asked for first."""

    def __init__(self) -> None:
        rows: dict[str, list[tuple[int, ...]]] = {}
        for name in ("reads", "tests", "kinds", "rules"):
            number = NAMES.index(name)
            table = _tables.WALK[number]
            values, columns = unpack(f"{len(table) // 8}q", table), COLUMNS[number]
            rows[name] = [values[i : i + columns] for i in range(0, len(values), columns)]
        self.reads, self.rules = [read_of(*row) for row in rows["reads"]], rows["rules"]
        self.tests = rows["tests"]
        self.kinds = [dict(zip(KIND, row, strict=True)) for row in rows["kinds"]]

    def flags(self, kind: int) -> int:
        """What a kind of header is."""
        return self.kinds[kind]["flags"]

    def trailer(self, kind: int) -> int:
        """Bytes behind a kind of header that its end has and that are none of it."""
        return self.kinds[kind]["trailer"]

    def ways(self, kind: int) -> list[int]:
        """The kinds that what follows a kind of header may begin with, as its rules name them."""
        first, count = self.kinds[kind]["rule"], self.kinds[kind]["rules"]
        return [what for how, what, *_ in self.rules[first : first + count] if how == TO_KIND]

    def length(self, frame: Frame, kind: int, start: int, end: int = -1) -> tuple[Length, int] | None:
        """Where the length of a header stands that begins at `start`, and the end that it says; None: it says none.

        One of less than 16 bits that is 0 says the end that is given: those are of headers whose data are long.
        """
        place, scale, bias, least, first, count = (
            self.kinds[kind][name] for name in ("end", "scale", "bias", "least", "test", "tests")
        )
        if place < 0:
            return None
        read = self.reads[place]
        found, said = (read, start, scale, bias), frame.number(read, start)
        if said == 0 and short(read) and end >= 0:
            return found, end
        holds = said >= least and frame.hold(tests_of(self.reads, self.tests[first : first + count]), start, start)
        return (found, start + said * scale + bias) if holds else None


_made: list[Tables] = []


def tables() -> Tables:
    """The tables, of the protocols that this process knows."""
    if not _made:
        _made.append(Tables())
    return _made[0]


class Frame(Reading):
    """The bytes of a packet."""

    def __init__(self, frame: bytes | bytearray) -> None:
        self.frame = frame


def short(read: Read) -> bool:
    """Whether a number has less than 16 bits: such a length says nothing of packets that are long."""
    return read[3] < 0xFFFF


def put(frame: bytearray, read: Read, at: int, value: int) -> None:
    """Writes a number into a frame."""
    first, stop, shift, mask, _, order = read
    around = int.from_bytes(frame[at + first : at + stop], order) & ~(mask << shift)
    frame[at + first : at + stop] = (around | value << shift).to_bytes(stop - first, order)


def network(frame: bytes, headers: list[Header]) -> tuple[object, ...]:
    """Which network a datagram belongs to, by the headers in front of it: fragments of one datagram have the same.

    It is the fields by which descriptions tell networks `apart`. Others may differ from one to the next: a tag's priority and
    drop eligibility (IEEE 802.1Q clause 9.6: Linux looks at the id alone), what counts packets, MAC addresses, and the port that
    a tunnel comes from, which is made of what is in it, and of fragments of something else (RFC 7348 section 5).
    """
    found: list[object] = []
    for header in headers:
        kind, *place = header
        values = [read_field(row, frame, *place) for row in BY_HEADER[kind] if row.apart]
        if kind == ETHERNET and field(frame, header, "ETHERNET.TYPE") < LEAST_TYPE:
            values = []
        found += [HEADERS[kind], *values]
    return tuple(found)


class Around:
    """What is around the datagram of a frame: the headers in front of it, and a trailer behind it, such as MACsec's check value.

    What is behind the datagram and no trailer is padding.
    """

    def __init__(self, frame: bytes, headers: list[Header]) -> None:
        """headers: those in front of the datagram."""
        known, read = tables(), Frame(frame)
        self.count = len(headers)
        self.plain = all(known.flags(kind) & (LINK_LAYER | TAG) for kind, *_ in headers)  # no checksums are there
        self.lengths: list[tuple[Length, int, int, int]] = []  # where a length stands, of which kind from where on, and its end
        self.tail_at = limit = len(frame)
        ways: list[int] = []  # that may be in front of a header, and say how long it is, as IEEE 802.3 does
        for kind, start, _, stop in headers:
            trailer = known.trailer(kind)
            found = [(one, known.length(read, one, start, stop + trailer)) for one in (kind, *ways)]
            said = next(((one, *length) for one, length in found if length and length[1] == stop + trailer), None)
            if said:
                self.lengths.append((said[1], said[0], start, said[2]))
            if not known.flags(kind) & (OWN_END | END_BEHIND):
                if trailer or (not said and stop < limit):
                    self.tail_at = min(self.tail_at, stop)
                limit = stop
            ways = [way for way in known.ways(kind) if known.flags(way) & HIDDEN]
        self.tail = frame[self.tail_at :]

    def fit(self, packet: Packet, frame: bytes) -> Packet | None:
        """A packet in which the datagram ends where `frame` does. None: a length would be more than its field can say."""
        made = bytearray(frame + self.tail)
        for (read, at, scale, bias), kind, start, end in self.lengths:
            value = (len(frame) + max(0, end - self.tail_at) - start - bias) // scale
            if value > read[3]:
                if not short(read):
                    return None
                value = 0
            put(made, read, at, value)
            if short(read) and not tables().length(Frame(made), kind, start):
                put(made, read, at, 0)
        if self.plain:
            return packet.remade(bytes(made))
        batch = gathered([packet.remade(bytes(made))])
        codec.correct(batch.data, bytes(batch.rows), codec.ALL, None, self.count)
        return batch.packet(0)
