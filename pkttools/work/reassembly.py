"""Reassembles fragments of datagrams: those of the outermost IP header, or of one that is asked for.

How it is done, and what passes as it came, is the codec's: see codec/python/reassembly.py.
"""

from __future__ import annotations

import struct

from .. import codec
from ..batch import Batch
from ..protocols.fields import HEADERS, TABLE
from .ethernet import LEAST_TYPE
from .fragments import OUTERMOST, Layer, count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = 4 << 20  # bytes, as in Linux (net.ipv4.ipfrag_high_thresh)
REASONS = ("incomplete", "without memory to wait for the rest", "overlapping", "malformed")  # in the codec's order
ETHERNET = HEADERS.index("ETHERNET")  # its type may be a length, which says nothing of where a frame belongs


class Reassembler:
    """Reassembles datagrams; a stage of a flow.

    memory: bytes that may be held. layer: which IP header of a packet. Counts: reassembled datagrams;
    fragments that came twice; and by reason fragments that passed as they came. held: bytes that wait.
    """

    TALLIES = ("passed", "reassembled", "repeated")  # see flow/tallies.py

    def __init__(self, memory: int = MEMORY, layer: Layer = OUTERMOST) -> None:
        self.memory, self.layer = memory, layer
        self.reasons = (*REASONS, "inside tunnels" if layer == OUTERMOST else "of another header")
        self.reassembled = self.repeated = self.held = 0
        self.passed: dict[str, int] = {}
        self.beyond: dict[int, int] = {}  # what packets carry that is not followed
        self.table: object = None

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes everything else, and a datagram when its last fragment has come."""
        self.table = self.table or codec.datagrams(self.memory, self.layer, apart())
        for batch in stream:
            stop = 0
            while stop < len(batch):
                first = stop
                stop, data, rows, totals = codec.reassemble(self.table, batch.data, batch.rows, first, self.beyond)
                self.note(totals)
                yield batch.made(first, stop, data, rows)
        while True:
            data, rows, totals = codec.reassemble_rest(self.table)
            self.note(totals)
            if not rows:
                return
            yield Batch(data, rows)

    def note(self, totals: tuple[int, ...]) -> None:
        """Takes over what the table says of all that came."""
        self.reassembled, self.repeated, self.held, *left = totals
        self.passed = {}
        count(self.passed, self.reasons, tuple(left))


def apart() -> bytes:
    """The fields by which networks are told apart, for the codec: fragments of one datagram have the same.

    They are those that descriptions call so. Others may differ from one to the next: a tag's priority and drop eligibility (IEEE
    802.1Q clause 9.6: Linux looks at the id alone), what counts packets, MAC addresses, and the port that a tunnel comes
    from, which is made of what is in it, and of fragments of something else (RFC 7348 section 5).
    """
    found = [
        (row.header, row.bit, row.width, LEAST_TYPE if row.header == ETHERNET else 0) for row in TABLE if row.apart and row.width
    ]
    return b"".join(struct.pack("4q", *row) for row in found)
