"""Packets as lines, one each: what pkt-analyze prints with --line. How a line looks is told in codec/python/line.py."""

from __future__ import annotations

import os
import time

from .. import codec
from ..batch import Batch
from ..command_line.colour import BY_LAYER, UNFINISHED, WRONG, coloured
from ..formats.files import Output, Sink
from ..protocols.ends import PORTS, ends, keeping_apart
from .records import ends as line_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values

ABSOLUTE, SINCE_FIRST, SINCE_BEFORE = range(3)  # times, as codec.line_encode takes them
STATE_SIZE = 7 * 8
MOST, MEMORY = 65536, 24 << 20  # conversations that are known at once, and bytes that they take


def ahead(seconds: int) -> int:
    """By how many seconds local time is ahead of UTC at a time, in seconds since 1970."""
    try:
        return time.localtime(seconds).tm_gmtoff
    except (OverflowError, OSError):
        return 0  # no calendar of this system goes so far


class LineSink(Sink):
    """Writes a line a packet. how: which times. colours: by layer, then of what is wrong and unfinished; empty: none."""

    output: Output

    def __init__(self, output: Output, how: int = ABSOLUTE, utc: bool = False, colours: tuple[bytes, ...] = ()) -> None:
        self.output, self.how, self.colours = output, how, colours
        self.offset = None if utc else ahead
        self.state = bytearray(STATE_SIZE)
        self.table: object = None  # of conversations

    def write(self, batch: Batch) -> None:
        """Writes a batch at once."""
        stop = 0
        if self.table is None:
            seed = int.from_bytes(os.urandom(8), "big")
            self.table = codec.conversation_table(PORTS, MOST, MEMORY, True, seed, ends(), keeping_apart())
        rows, numbers = bytes(batch.rows), batch.counted_as()
        while stop < len(batch):
            first = stop
            text, stop = codec.line_encode(
                batch.data, rows, stop, self.state, self.how, self.colours, self.offset, self.table, numbers
            )
            self.output.write(text, stop - first, line_ends)

    def close(self) -> list[str]:
        """Ends the stream."""
        self.output.close()
        return []


def view(values: Values, output: Output) -> Sink:
    """The lines that the options ask for."""
    how = SINCE_BEFORE if values.delta else SINCE_FIRST if values.relative else ABSOLUTE
    colours = tuple(colour.encode() for colour in (*BY_LAYER, WRONG, UNFINISHED)) if coloured(values.color, output.fd) else ()
    return LineSink(output, how, bool(values.utc), colours)
