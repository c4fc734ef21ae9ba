"""Headers that are put in: their octets, by what descriptions say that stands there, and by what is wanted."""

from __future__ import annotations

from ..protocols import _meanings
from ..protocols.fields import BY_HEADER, HEADERS, Row
from ..protocols.kinds import column, remembered
from . import announcing
from .announcing import Bits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULTS = {"IP.TTL": 64, "IPV6.HOP_LIMIT": 64, "MPLS.TTL": 64, "ETHERNET.VLAN_ID": 1}  # as the kernel has it for tunnels


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

    def __init__(self, kind: int, own: Iterable[Bits]) -> None:
        self.kind, self.name = kind, HEADERS[kind]
        self.octets = bytearray(column(kind, "fixed"))
        self.set: list[tuple[int, int]] = []
        for row, value in constants(kind):
            self.put(row, value // row.scale - row.bias)
        self.want(own)

    def put(self, row: Row, value: int) -> None:
        """Writes a field, as it stands in packets."""
        put(self.octets, row.bit, row.width, (1 << row.width) - 1, value)

    def want(self, bits: Iterable[Bits]) -> None:
        """Writes what has to stand there, and makes it as long as it says then."""
        for one in bits:
            put(self.octets, one.bit + 8 * len(self.octets) * one.behind, one.width, one.mask, one.value)
        self.fit()

    def fit(self) -> None:
        """Makes it as long as it says; where that is too short, it says how long it is."""
        terms = [term for term in announcing.terms(self.kind) if self.holds(*term[3:5])]
        if not terms:
            return
        size = sum(bias + (scale * number(self.octets, read) if read >= 0 else 0) for read, scale, bias, *_ in terms)
        fixed = column(self.kind, "fixed")
        said = next(((read, scale) for read, scale, *_ in terms if read >= 0 and scale), None)
        if size < fixed and said:
            one = announcing.bits_of(said[0], 0xFFFFFFFF, number(self.octets, said[0]) - (size - fixed) // said[1])
            put(self.octets, one.bit, one.width, one.mask, one.value)
        self.octets += bytes(max(0, size - len(self.octets)))

    def holds(self, first: int, count: int) -> bool:
        """Whether tests hold of it."""
        return all((low <= number(self.octets, read) & mask <= high) != bool(how)
                   for read, mask, low, high, how in announcing.tests(first, count))  # fmt: skip

    def assign(self, row: Row, value: int) -> None:
        """Writes what the user has set."""
        self.put(row, value)
        self.set.append((row.bit, row.bit + row.width))

    def free(self, bit: int, width: int) -> bool:
        """Whether the user has not set these bits."""
        return all(stop <= bit or bit + width <= start for start, stop in self.set)
