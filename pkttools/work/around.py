"""What is around an IP datagram that becomes longer or shorter: the lengths and checksums of the headers in front of it follow.

Which of their fields are lengths, and where they end, is what the tables of protocols say; see walking.py there.
"""

from __future__ import annotations

from struct import unpack

from .. import codec
from ..batch import Packet, gathered
from ..language.values import Header
from ..protocols import IPV4, IPV6, _tables
from ..protocols.fields import HEADERS, TABLE
from ..protocols.walking import COLUMNS, END_BEHIND, HIDDEN, IS_NOT, KIND, LINK_LAYER, LITTLE_ENDIAN, NAMES, OWN_END, TAG, TO_KIND
from .ethernet import LEAST_TYPE

ETHERNET = HEADERS.index("ETHERNET")
# Fields in front of a datagram by which fragments are of one network. Others may differ from one to the next: a tag's priority and
# drop eligibility (IEEE 802.1Q clause 9.6: Linux looks at the id alone), what counts packets, MAC addresses, and the port that a
# tunnel comes from, which is made of what is in it, and of fragments of something else (RFC 7348 section 5).
SAME = {"TYPE", "PROTOCOL", "NEXT", "VLAN_ID", "VLAN", "SID", "VNI", "KEY", "TEID", "LABEL", "SESSION", "TUNNEL", "CALL_ID",
        "CONNECTION", "SPI", "SYSTEM", "PORT", "DST_PORT"}  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

Length = tuple[int, int, int, int, int]  # place in bits, width, whether little-endian, scale, bias


class Tables:
    """What is asked of the tables of protocols here, made when it is asked for first."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[int, ...]]] = {}
        for name in ("reads", "tests", "kinds", "rules"):
            number = NAMES.index(name)
            table = _tables.WALK[number]
            values, columns = unpack(f"{len(table) // 8}q", table), COLUMNS[number]
            self.rows[name] = [values[i : i + columns] for i in range(0, len(values), columns)]
        self.kinds = [dict(zip(KIND, row, strict=True)) for row in self.rows["kinds"]]
        self.same: dict[int, list[tuple[int, int]]] = {}  # of a kind of header, the fields that say which network it is of
        for i, name in enumerate(TABLE.names):
            short = name.partition(".")[2]
            if short in SAME or (short in ("SRC_ADDR", "DST_ADDR") and TABLE[i].kind in (IPV4, IPV6)):
                self.same.setdefault(TABLE[i].header, []).append((TABLE[i].bit, TABLE[i].width))

    def flags(self, kind: int) -> int:
        """What a kind of header is."""
        return self.kinds[kind]["flags"]

    def trailer(self, kind: int) -> int:
        """Bytes behind a kind of header that its end has and that are none of it."""
        return self.kinds[kind]["trailer"]

    def ways(self, kind: int) -> list[int]:
        """The kinds that what follows a kind of header may begin with, as its rules name them."""
        first, count = self.kinds[kind]["rule"], self.kinds[kind]["rules"]
        return [what for how, what, *_ in self.rows["rules"][first : first + count] if how == TO_KIND]

    def length(self, frame: bytes | bytearray, kind: int, start: int, end: int = -1) -> tuple[Length, int] | None:
        """Where the length of a header stands that begins at `start`, and the end that it says; None: it says none.

        One of less than 16 bits that is 0 says the end that is given: those are of headers whose data are long.
        """
        place, scale, bias, least, first, count = (
            self.kinds[kind][name] for name in ("end", "scale", "bias", "least", "test", "tests")
        )
        if place < 0:
            return None
        _, bit, width, order = self.rows["reads"][place]
        found, said = (start * 8 + bit, width, order, scale, bias), number(frame, start * 8 + bit, width, order)
        if said == 0 and width < 16 and end >= 0:
            return found, end
        holds = said >= least and all(self.holds(frame, start, test) for test in self.rows["tests"][first : first + count])
        return (found, start + said * scale + bias) if holds else None

    def holds(self, frame: bytes | bytearray, start: int, test: tuple[int, ...]) -> bool:
        """Whether a test holds of a header that begins at `start`."""
        read, mask, low, high, how = test
        _, bit, width, order = self.rows["reads"][read]
        return (low <= number(frame, start * 8 + bit, width, order) & mask <= high) != (how == IS_NOT)


_made: list[Tables] = []


def tables() -> Tables:
    """The tables, of the protocols that this process knows."""
    if not _made:
        _made.append(Tables())
    return _made[0]


def number(frame: bytes | bytearray, bit: int, width: int, order: int) -> int:
    """A number in a frame; 0 where it was not captured."""
    first, stop = bit // 8, (bit + width + 7) // 8
    value = int.from_bytes(frame[max(first, 0) : stop], "little" if order == LITTLE_ENDIAN else "big")
    return value >> (-(bit + width) % 8) & (1 << width) - 1 if 0 <= first < stop <= len(frame) else 0


def put(frame: bytearray, bit: int, width: int, order: int, value: int) -> None:
    """Writes a number into a frame."""
    first, stop, shift = bit // 8, (bit + width + 7) // 8, -(bit + width) % 8
    name: Literal["little", "big"] = "little" if order == LITTLE_ENDIAN else "big"
    around = int.from_bytes(frame[first:stop], name) & ~((1 << width) - 1 << shift)
    frame[first:stop] = (around | value << shift).to_bytes(stop - first, name)


def network(frame: bytes, headers: list[Header]) -> tuple[object, ...]:
    """Which network a datagram belongs to, by the headers in front of it: fragments of one datagram have the same."""
    found: list[object] = []
    for kind, start, *_ in headers:
        values = [number(frame, start * 8 + bit, width, 0) for bit, width in tables().same.get(kind, ())]
        if kind == ETHERNET and values[0] < LEAST_TYPE:
            values = []
        found += [HEADERS[kind], *values]
    return tuple(found)


class Around:
    """What is around the datagram of a frame: the headers in front of it, and a trailer behind it, such as MACsec's check value.

    What is behind the datagram and no trailer is padding.
    """

    def __init__(self, frame: bytes, headers: list[Header]) -> None:
        """headers: those in front of the datagram."""
        known = tables()
        self.count = len(headers)
        self.plain = all(known.flags(kind) & (LINK_LAYER | TAG) for kind, *_ in headers)  # no checksums are there
        self.lengths: list[tuple[Length, int, int, int]] = []  # where a length stands, of which kind from where on, and its end
        self.tail_at = limit = len(frame)
        ways: list[int] = []  # that may be in front of a header, and say how long it is, as IEEE 802.3 does
        for kind, start, _, stop in headers:
            trailer = known.trailer(kind)
            found = [(one, known.length(frame, one, start, stop + trailer)) for one in (kind, *ways)]
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
        for (bit, width, order, scale, bias), kind, start, end in self.lengths:
            value = (len(frame) + max(0, end - self.tail_at) - start - bias) // scale
            if value >> width:
                if width >= 16:
                    return None
                value = 0  # those are of packets that are short; else they say nothing
            put(made, bit, width, order, value)
            if width < 16 and not tables().length(made, kind, start):
                put(made, bit, width, order, 0)
        if self.plain:
            return packet.remade(bytes(made))
        batch = gathered([packet.remade(bytes(made))])
        codec.correct(batch.data, bytes(batch.rows), codec.ALL, None, self.count)
        return batch.packet(0)
