"""Packets that are not sound as lines for people and grep: which packet, then which field is wrong, and what would be right."""

from __future__ import annotations

from .. import codec
from ..batch import TIME, Batch
from ..formats.files import Output, Sink
from ..language.times import show_moment
from ..protocols.layouts import LAYOUT
from .parts import Header, Packet, Problem
from .problems import examined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MALFORMED = "the packet is malformed"


class UnsoundSink(Sink):
    """Writes a line for each thing that is wrong with packets, of which each is not sound.

    places: gives for each packet of a batch the beginning of its lines, such as `capture.pcap:3`. checksums: whether they count.
    """

    output: Output

    def __init__(self, output: Output, places: Callable[[Batch], list[str]], checksums: bool) -> None:
        self.output, self.places, self.checksums = output, places, checksums

    def write(self, batch: Batch) -> None:
        """Writes the lines of a batch."""
        times = batch.column(TIME)
        for i, place in enumerate(self.places(batch)):
            packet = examined(batch, i)
            interfaces = [note.partition(":")[2].strip() for note in packet.notes if note.startswith("IFACE:")]
            start = " ".join([f"{place}:", *interfaces, f"{show_moment(times[i], whole=True)}:"])
            lines = list(wrong_places(packet, self.checksums)) or [MALFORMED]
            self.output.write("".join(f"{start} {line}\n" for line in lines).encode(errors="surrogateescape"))

    def close(self) -> list[str]:
        """Ends the stream."""
        self.output.close()
        return []


def wrong_places(packet: Packet, checksums: bool) -> Iterator[str]:
    """What makes a packet unsound, header by header."""
    if packet.captured < packet.original:
        yield f"truncated: {packet.captured} of {packet.original} bytes were captured"
    for problem in packet.problems:
        if problem.wrong:
            yield problem.text
    for header, number in numbered(packet):
        for problem in header.problems:
            judged = checksums and header.verdict in (codec.BAD, codec.LEFT)
            if judged if of_checksum(header, problem) else problem.wrong:
                yield said(header, number, problem)


def of_checksum(header: Header, problem: Problem) -> bool:
    """Whether it is about the checksum of the header."""
    return problem.field is not None and header.kind >= 0 and problem.field.short == LAYOUT[header.kind].checksum


def numbered(packet: Packet) -> Iterator[tuple[Header, int]]:
    """The headers, each with which of those of its protocol it is, counted from 1."""
    met: dict[str, int] = {}
    for header in packet.headers:
        met[header.protocol] = met.get(header.protocol, 0) + 1
        yield header, met[header.protocol]


def said(header: Header, number: int, problem: Problem) -> str:
    """A problem behind the name of its field, as a filter has it: `IP.CHECKSUM[2] is wrong`; or behind that of its header."""
    which = f"[{number}]" if number > 1 else ""
    if problem.field is None:
        return f"{header.name}{which}: {problem.text}"
    short, name = problem.field.short, problem.field.name + which
    return name + problem.text[len(short) :] if problem.text.startswith(short) else f"{name}: {problem.text}"
