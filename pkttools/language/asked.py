"""What a filter may ask of a packet: fields, either end of a conversation, and facts of the packet itself.

NAME.FIELD, NAME.FIELD[k]                     a field, its k-th occurrence; without [k] the first one
IP.ADDR, IPV6.ADDR, ETHERNET.ADDR, TCP.PORT   the source and the destination of whatever header has both: either of them
PORT                                          either port of whatever header has ports
TIME, SIZE, CAPTURED, NUMBER                  when it came, its size on the wire and as captured, which one of all it is, from 1
IFACE, WAY, NOTE                              what lines of that name say that it came with
"""

from __future__ import annotations

from ..codec import program
from ..errors import UsageError
from ..protocols.fields import DATA, FAMILY, FIELDS, INT, IPV4, IPV6, LITTLE, MAC, TABLE, TEXT, Row
from ..protocols.values import field, occurring, parse_number, rows_of
from .constants import constant, note_text
from .program import ALL_BITS, FACTS, NOTES, Operand, ends

COUNTED = (INT, FAMILY, LITTLE)
KINDS_SAID = {IPV4: "an IPv4 address", IPV6: "an IPv6 address", MAC: "a MAC address", "TIME": "a time"}  # all else is a number
LARGEST = (1 << 64) - 1


class Asked:
    """A field, or a fact of the packet, that a test asks for.

    name: what messages call it. kind: that of the field; of a fact INT, TEXT, or TIME itself. rows: of a field.
    """

    def __init__(self, name: str, kind: str, field: int, occurrence: int, rows: list[Row]) -> None:
        self.name, self.kind, self.rows = name, kind, rows
        self.operand = Operand(field, occurrence)

    @property
    def octets(self) -> bool:
        """Whether it is octets, and not a number."""
        return self.kind in (DATA, TEXT)

    @property
    def words(self) -> frozenset[str]:
        """What its values may be called."""
        return frozenset((self.rows[0].names or {}).values()) if self.rows else frozenset()

    def value(self, text: str) -> int | bytes:
        """A value to compare with. Raises UsageError."""
        if self.rows:
            return constant(self.name, self.rows, text)
        if self.kind == TEXT:
            return note_text(self.name, text)
        if self.kind == "TIME":
            from .times import moment  # late: seldom

            return moment(self.name, text.strip())
        number = parse_number(text.strip())
        if number is None or number > LARGEST:
            raise UsageError(f"{self.name}: '{text[:40]}' is not a number")
        return number

    def masked(self, text: str) -> tuple[int | bytes, int]:
        """A value and the bits that count: all, or those of a prefix such as `10.0.0.0/8`. Raises UsageError."""
        address, slash, bits = text.partition("/")
        if not slash or self.kind not in (IPV4, IPV6):
            return self.value(text), ALL_BITS
        value, prefix, width = self.value(address), parse_number(bits), self.rows[0].width
        if prefix is None or prefix > width:
            raise UsageError(f"{self.name}: '/{bits}' is not a prefix length up to {width}")
        mask = ((1 << width) - 1) ^ ((1 << (width - prefix)) - 1)
        return value & mask, mask  # type: ignore[operator]  # a number, by the kinds above

    @property
    def kind_said(self) -> str:
        """What its values are, in words; two that go with each other have the same."""
        return "octets" if self.octets else KINDS_SAID.get(self.kind, "a number")

    def goes_with(self, other: Asked) -> bool:
        """Whether both can be compared: numbers, or octets, or addresses of one kind."""
        return self.kind_said == other.kind_said


def asked(text: str, every: bool = False) -> list[Asked]:
    """What a name asks for: one field or fact, or several where it is either end. every: any of their occurrences.

    Raises UsageError with the nearest known name.
    """
    name, occurrence = occurring(text)
    if every and occurrence is not None:
        raise UsageError(f"any {text}: one occurrence, or any")
    which = program.ANY if every else occurrence or 1
    if name in FACTS and name not in FIELDS:
        if name not in NOTES and occurrence is not None:
            raise UsageError(f"{text}: there is one of a packet")
        kind = "TIME" if name == "TIME" else TEXT if name in NOTES else INT
        return [Asked(name, kind, FACTS[name], which, [])]
    both = ends(name)
    if both:
        return [Asked(end, rows_of(FIELDS[end])[0].kind, FIELDS[end][0], which, rows_of(FIELDS[end])) for end in both]
    now, indexes, _ = field(text)
    return [Asked(now, TABLE[indexes[0]].kind, indexes[0], which, rows_of(indexes))]


def asks_notes(fields: str) -> bool:
    """Whether a list of fields has what lines say that packets come with."""
    return any(name.strip().lstrip("-").upper().partition("[")[0] in NOTES for name in fields.split(","))
