"""Divides datagrams that are larger than an MTU: IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5).

It is the outermost IP header that counts, or one that is asked for. How it is done is the codec's.
"""

from __future__ import annotations

from .. import codec
from ..batch import Batch
from ..errors import need
from ..protocols.fields import HEADERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Layer = tuple[int, int]  # a kind of header, and its occurrence in a packet: 1 is the first, -1 the last

OUTERMOST: Layer = (0, 1)
MTU4, MTU6 = 1500, 1280  # of Ethernet, and the least of IPv6 (RFC 8200 section 5)
REASONS = (
    "truncated or malformed",
    "without such a header",
    "Don't Fragment",
    "header too large for the MTU",
)  # in the codec's order


def layer_of(text: str) -> Layer:
    """Which IP header `IP[2]`, `IPV6[-1]`, `ip` is. Raises UsageError."""
    from ..protocols.values import occurring  # late: only with --layer

    name, occurrence = occurring(text)
    need(name in ("IP", "IPV6"), f"'{text}': fragments are of IP or IPV6, such as IP[2]")
    return HEADERS.index(name), occurrence or 1


class Fragmenter:
    """Fragments datagrams that are larger than an MTU; a stage of a flow.

    mtu: bytes of an IP packet, None for what is usual. force: Don't Fragment is overridden. first_id: of the first IPv6
    datagram that is fragmented; each has the next one. layer: which IP header of a packet. Counts what should have been and was
    not, by reason.
    """

    TALLIES = ("passed",)  # see flow/tallies.py

    def __init__(self, mtu: int | None, force: bool, first_id: int, layer: Layer = OUTERMOST) -> None:
        self.mtus, self.force, self.id, self.layer = (mtu or MTU4, mtu or MTU6), force, first_id, layer
        self.passed: dict[str, int] = {}
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes packets that fit, and the fragments of those that do not."""
        for batch in stream:
            stop = 0
            while stop < len(batch):
                first = stop
                stop, data, rows, (self.id, left) = codec.fragment(
                    batch.data, batch.rows, first, self.mtus, self.force, self.id, self.layer, self.beyond
                )
                count(self.passed, REASONS, left)
                yield batch.made(first, stop, data, rows)


def count(counts: dict[str, int], reasons: tuple[str, ...], found: tuple[int, ...]) -> None:
    """Adds to counts by reason."""
    for reason, more in zip(reasons, found, strict=True):
        if more:
            counts[reason] = counts.get(reason, 0) + more
