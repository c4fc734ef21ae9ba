"""What chunks of SCTP carry is payload: their size, and the padding behind them, follow where it becomes longer or shorter.

RFC 9260 section 3.2: the size is without padding, which fills up to four octets.
"""

from __future__ import annotations

from .. import codec
from ..batch import ROW_BYTES
from ..protocols.fields import BY_HEADER, FIELDS, HEADERS, TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..batch import Batch

    Piece = tuple[int, int, bytes]  # where it is in the frame, octets that are taken out, and put in

_SIZE = TABLE[FIELDS["SCTP.CHUNK_SIZE"][0]].bit // 8
_DATA = frozenset(TABLE[row].header for row in FIELDS["SCTP.USER_DATA"])
CHUNKED = frozenset(kind for kind in range(1, len(HEADERS)) if any(row.name == "SCTP.TAG" for row in BY_HEADER[kind]))
ALIGN, MOST = 4, 0xFFFF


class Chunk:
    """One with user data: where it begins, where these do, and its end; octets of padding behind it, up to `limit`."""

    def __init__(self, start: int, data: int, end: int, limit: int) -> None:
        self.start, self.data, self.end = start, data, end
        self.padding = min(-(end - start) % ALIGN, limit - end)

    def around(self, more: int) -> tuple[Piece, Piece] | None:
        """The size in front and the padding behind, of data that are longer by so much; None: no chunk is that long."""
        size = self.end - self.start + more
        if size > MOST:
            return None
        whole = self.padding == -(size - more) % ALIGN  # where it was left out it stays so
        padding = bytes(-size % ALIGN) if whole else bytes(self.padding)
        return (self.start + _SIZE, 2, size.to_bytes(2, "big")), (self.end, self.padding, padding)


def chunks(batch: Batch, i: int, offset: int, limit: int) -> list[Chunk]:
    """The chunks of a packet that carry user data and are all there. offset: of its frame. limit: where chunks end in that."""
    found = []
    for _, kind, start, data, end in codec.items(batch.data, bytes(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES])):
        at = offset + start + _SIZE
        if kind in _DATA and int.from_bytes(batch.data[at : at + 2], "big") == end - start:
            found.append(Chunk(start, data, end, limit))
    return found
