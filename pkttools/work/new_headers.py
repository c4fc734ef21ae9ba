"""Headers that are put in: their octets, by what descriptions say that stands there, and by what is wanted."""

from __future__ import annotations

from ..protocols import _meanings
from ..protocols.fields import BY_HEADER, HEADERS, Row
from ..protocols.kinds import column, remembered
from . import announcing
from .announcing import Bits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# As the kernel has it for tunnels; NSH: RFC 8300 section 2.2 and 2.3.
DEFAULTS = {"IP.TTL": 64, "IPV6.HOP_LIMIT": 64, "MPLS.TTL": 64, "ETHERNET.VLAN_ID": 1, "NSH.TTL": 63, "NSH.SI": 255}


@remembered
def constants(kind: int) -> list[tuple[Row, int]]:
    """Fields of a kind that have a value in every such header, and what we write in others."""
    rows = BY_HEADER[kind]
    said = zip(rows, _meanings.MEANINGS.get(kind, ()), strict=False)
    found = [(row, int(meaning)) for row, meaning in said if meaning.isdigit()]
    return found + [(row, DEFAULTS[row.name]) for row in rows if row.name in DEFAULTS]


def put(octets: bytearray, bit: int, width: int, mask: int, value: int) -> None:
    """Writes the bits of a mask; of what lies outside of the octets nothing."""
    first, stop = bit // 8, (bit + width + 7) // 8
    if bit < 0 or stop > len(octets):
        return
    shift = 8 * stop - bit - width
    around = int.from_bytes(octets[first:stop], "big") & ~(mask << shift)
    octets[first:stop] = (around | (value & mask) << shift).to_bytes(stop - first, "big")


def number(octets: bytes | bytearray, read: int) -> int:
    """A number in a header."""
    _, bit, width, order = announcing.table("reads")[read]
    stop = (bit + width + 7) // 8
    value = int.from_bytes(octets[bit // 8 : stop], "big") >> 8 * stop - bit - width & (1 << width) - 1
    return int.from_bytes(value.to_bytes(width // 8, "big"), "little") if order else value


class New:
    """A header that is put in: its octets, and the bits of it that the user has set."""

    def __init__(self, kind: int, own: Sequence[Bits], values: Iterable[tuple[str, int]] = ()) -> None:
        """own: what makes it one of this kind. values: of fields, by their names; others have none of its kind."""
        self.kind, self.name, self.own = kind, HEADERS[kind], own
        self.octets = bytearray(column(kind, "fixed"))
        self.set: list[tuple[int, int]] = []
        for row, value in constants(kind):
            self.put(row, value // row.scale - row.bias)
        self.say(own)
        self.assign(values)
        self.fit()

    def put(self, row: Row, value: int) -> None:
        """Writes a field, as it stands in packets."""
        put(self.octets, row.bit, row.width, (1 << row.width) - 1, value)

    def say(self, bits: Iterable[Bits]) -> None:
        """Writes what has to stand there."""
        for one in bits:
            put(self.octets, one.bit + 8 * len(self.octets) * one.behind, one.width, one.mask, one.value)

    def want(self, bits: Iterable[Bits]) -> None:
        """The same, and makes it as long as it says then."""
        self.say(bits)
        self.fit()

    @property
    def least(self) -> int:
        """Its octets, whatever it says of them: fields that stand there where others say so are there."""
        fixed = column(self.kind, "fixed")
        if not self.own or not all(one.behind or self.says(one) for one in self.own):
            return fixed
        return max(fixed, *((row.bit + row.width) // 8 for row in BY_HEADER[self.kind]))

    def says(self, one: Bits) -> bool:
        """Whether bits in it are those."""
        stop = (one.bit + one.width + 7) // 8
        value = int.from_bytes(self.octets[one.bit // 8 : stop], "big") >> 8 * stop - one.bit - one.width
        return value & one.mask == one.value & one.mask

    def fit(self) -> None:
        """Makes it as long as it says; where that is too short, it says how long it is."""
        terms = [term for term in announcing.terms(self.kind) if self.holds(*term[3:5])]
        if not terms:
            return
        size = sum(bias + (scale * number(self.octets, read) if read >= 0 else 0) for read, scale, bias, *_ in terms)
        said = next(((read, scale) for read, scale, *_ in terms if read >= 0 and scale), None)
        if said and size < self.least:
            one = announcing.bits_of(said[0], 0xFFFFFFFF, number(self.octets, said[0]) - (size - self.least) // said[1])
            put(self.octets, one.bit, one.width, one.mask, one.value)
        self.octets += bytes(max(0, size - len(self.octets)))

    def holds(self, first: int, count: int) -> bool:
        """Whether tests hold of it."""
        return all((low <= number(self.octets, read) & mask <= high) != bool(how)
                   for read, mask, low, high, how in announcing.tests(first, count))  # fmt: skip

    def assign(self, values: Iterable[tuple[str, int]]) -> None:
        """Writes what the user has set."""
        for name, value in values:
            for row in BY_HEADER[self.kind]:
                if row.name == name:
                    self.put(row, value)
                    self.set.append((row.bit, row.bit + row.width))

    def free(self, bit: int, width: int) -> bool:
        """Whether the user has not set these bits."""
        return all(stop <= bit or bit + width <= start for start, stop in self.set)
