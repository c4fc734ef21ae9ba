"""Packets as code: of languages, and as command lines of other programs, a module a target or a few that are alike.

What a target cannot say stands in a comment of the code, and is counted: never is a packet another one in silence.
"""

from __future__ import annotations

from ...errors import counted
from ...formats.files import Output, Sink
from ..parts import Packet
from .octets import C, Hex, Python, Trafgen
from .packetdrill import Packetdrill
from .scapy import Scapy
from .shell import Hping, Nemesis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...batch import Batch
    from .target import Target

TARGETS: dict[str, type[Target]] = {target.name: target for target in (Scapy, C, Python, Trafgen, Nemesis, Hping, Packetdrill, Hex)}


class CodeSink(Sink):
    """Writes packets as a target has them."""

    output: Output

    def __init__(self, output: Output, target: Target) -> None:
        self.output, self.target = output, target
        self.count = 0
        self.lost: dict[str, int] = {}
        self.headed = False

    def write(self, batch: Batch) -> None:
        """Writes a batch, packet by packet."""
        if not self.headed:
            self.headed = True
            self.emit(self.target.head())
        for i in range(len(batch)):
            self.count += 1
            packet = Packet(batch, i)
            self.target.lost = []
            missing = packet.original - packet.captured
            self.target.lose(f"what was not captured, {counted(missing, 'byte')}", missing > 0)
            lines = self.target.packet(packet, self.count)
            for what in self.target.lost:
                key = what.partition(",")[0] if what.startswith("what was not captured") else what
                self.lost[key] = self.lost.get(key, 0) + 1
            if self.target.comment and self.target.lost:
                lines = [f"{self.target.comment} packet {self.count}, not said: {'; '.join(self.target.lost)}", *lines]
            self.emit(lines)

    def emit(self, lines: list[str]) -> None:
        """Writes lines."""
        if lines:
            self.output.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> list[str]:
        """Ends the code; gives what could not be said."""
        if self.headed:
            self.emit(self.target.tail())
        self.output.close()
        return [f"{counted(count, 'packet')} as {self.target.name}, not said: {what}" for what, count in self.lost.items()]
