"""What differs between packets, for programs: packet by packet, field by field, as pkt-diff says it."""

from __future__ import annotations

from itertools import zip_longest

from ..compare.differences import differences
from ..compare.ignoring import Ignored
from .packet import Packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..compare.differences import Difference
    from .stream import Several


class Differing:
    """Two packets that differ, or one that has no other.

    number: which ones of their streams, from 1 on. a, b: the packets; None: there is none. differences: each has `name`, such as
    `IP.TTL`, and the values `a` and `b` as filters take them.
    """

    def __init__(self, number: int, a: Packet | None, b: Packet | None, found: list[Difference]) -> None:
        self.number, self.a, self.b, self.differences = number, a, b, found

    def __str__(self) -> str:
        """`packet 2: IP.TTL: 64, 63`, a line each."""
        only = self.b if self.a is None else self.a if self.b is None else None
        said = map(str, self.differences) if only is None else [f"only in {'B' if self.a is None else 'A'}: {only.line()}"]
        return "\n".join(f"packet {self.number}: {line}" for line in said)

    def __repr__(self) -> str:
        return f"<{self}>"


def ignored(ignore: str | Iterable[str]) -> Ignored:
    """What may differ. Raises UsageError."""
    return Ignored.of(ignore if isinstance(ignore, str) else ",".join(ignore))


def diff(a: Several, b: Several, *, ignore: str | Iterable[str] = "") -> list[Differing]:
    """Which packets of two streams differ, the first with the first and so on; none where all are alike.

    ignore: what may differ, as --ignore of pkt-diff has it: fields, headers, `TIME`, sets such as `routing`. A checksum that is
    right on both sides differs because of what it covers, and is not told. Raises UsageError, PktError.
    """
    may = ignored(ignore)
    found = []
    pairs = zip_longest(*([each] if isinstance(each, Packet) else each for each in (a, b)))
    for number, (one, other) in enumerate(pairs, 1):
        if one is None or other is None:
            found.append(Differing(number, one, other, []))
        elif told := differences(one._sheet.batch.data, one._bytes(), other._sheet.batch.data, other._bytes(), may):
            found.append(Differing(number, one.copy(), other.copy(), told))
    return found
