"""What differs between packets, for programs: packet by packet, field by field, in pkt-diff's words."""

from __future__ import annotations

from ..compare.ignoring import Ignored
from ..compare.pairing import Aligned, ByKey, Found, InOrder, Pairing
from ..compare.saying import People
from ..errors import need
from ..views.fields import columns_of
from .packet import Packet, view
from .stream import batches_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..batch import Packet as Held
    from .stream import Several

    Names = str | Iterable[str]


class Differing:
    """Two packets that differ, or one that has no other.

    number_a, number_b: which ones of their streams, from 1 on, and a, b: the packets; None: there is none. differences: each has
    `name`, such as `IP.TTL`, and the values `a` and `b` as filters take them. moved: whether they are in another order.
    """

    def __init__(self, found: Found) -> None:
        self._found = found
        self.number_a, self.number_b, self.differences, self.moved = found.number_a, found.number_b, found.differences, found.moved

    @property
    def a(self) -> Packet | None:
        """The packet of the first stream."""
        return of(self._found.a)

    @property
    def b(self) -> Packet | None:
        """The packet of the second one."""
        return of(self._found.b)

    def __str__(self) -> str:
        """Lines for people: the packet, and what differs."""
        said: list[bytes] = []
        people = People(said.append, ("", ""), colours=False)
        people.head = ""  # which names the two files
        people.tell(self._found)
        return b"".join(said).decode().rstrip("\n")

    def __repr__(self) -> str:
        return f"<{self}>"


def of(packet: Held | None) -> Packet | None:
    """A packet that was kept, if there is one."""
    return view(packet) if packet else None


def listed(names: Names) -> str:
    """Names, as an option has them."""
    return names if isinstance(names, str) else ",".join(names)


def diff(a: Several, b: Several, *, ignore: Names = (), key: Names = (), align: bool = False) -> list[Differing]:
    """Which packets of two streams differ, as pkt-diff finds them; none where all are alike.

    ignore: what may differ, as its --ignore has it: fields, headers, `TIME`, sets such as `routing`. The first is compared with the
    first and so on; with `key` those whose fields are the same, with `align` by an edit script. A checksum that is
    right on both sides differs because of what it covers, and is not told. Raises UsageError, PktError.
    """
    need(not (key and align), "key or align: one way of pairing")
    may = Ignored.of(listed(ignore))
    columns = b"".join(column.code() for column in columns_of(listed(key))) if key else b""
    pairing: Pairing = ByKey(may, columns) if key else Aligned(may) if align else InOrder(may)
    return [Differing(found) for found in pairing.found(batches_of(a), batches_of(b))]
