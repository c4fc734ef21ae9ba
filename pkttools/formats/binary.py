"""Bare bytes: all of a stream as one packet, or packets one behind the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import accumulate

from ..batch import CAPTURED, MAX_FRAME, Batch, Packet, gathered
from ..command_line.options import Values
from ..errors import PktError, counted
from .files import Input, Output, Sink


def packets(source: Input) -> Iterator[Batch]:
    """One packet, of link type 1, that has come now; none when there is nothing. Raises PktError when it is too long."""
    buffer, used = bytearray(MAX_FRAME + 1), 0
    while used <= MAX_FRAME and (now := source.fill(buffer, used)) > used:
        used = now
    if used > MAX_FRAME:
        raise PktError(f"{source.name}: more than {MAX_FRAME} bytes: that is no packet")
    if used:
        yield gathered([Packet(bytes(buffer[:used]), used, time.time_ns() // 1000 * 1000, 1)])


class BinarySink(Sink):
    """Writes the bytes of packets, and nothing else."""

    output: Output
    STATE = ()
    TALLIES = ("notes",)

    def __init__(self, output: Output) -> None:
        self.output = output
        self.notes = 0

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes as the options ask for it."""
        return cls(output)

    def write(self, batch: Batch) -> None:
        """Writes a batch at once."""
        octets = b"".join([batch.frame(i) for i in range(len(batch))])
        sizes = batch.column(CAPTURED)
        self.output.write(octets, len(batch), lambda _: list(accumulate(sizes)))
        self.notes += batch.noted()

    def close(self) -> list[str]:
        """Ends the stream."""
        self.output.close()
        return [f"{counted(self.notes, 'packet')} lost the lines IFACE, WAY, NOTE, LOST"] if self.notes else []
