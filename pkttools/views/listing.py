"""Packets for people, header by header: what pkt-analyze prints where no other view is asked for.

How headers look is said by their descriptions; the codec puts the lines together.
"""

from __future__ import annotations

from .. import codec
from ..batch import LINKTYPE, Batch
from ..command_line.colour import BY_LAYER, coloured
from ..formats.files import Output, Sink
from ..protocols.names import link_lines
from ..protocols.showing import TRANSPORT
from . import checksums_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values

NAMES, BRIEF, FULL, SOME_DATA, ALL_DATA = range(1, 6)  # levels: what is printed of a packet; each adds to the one before


def ends(text: bytes) -> list[int]:
    """Where packets end in a listing: where the next one begins, with its link type, and at the end."""
    found, at, head = [], 0, -1  # head: where lines of a link type begin, behind which a packet does
    for line in text.splitlines(keepends=True):
        begins, number, behind = (*line.split(b" ", 2), b"", b"")[:3]
        if begins == b"--" and number.isdigit() and behind.startswith(b"--"):
            found.append(at if head < 0 else head)
            head = -1
        elif line.startswith(b"LINKTYPE: "):
            head = at
        elif not line.startswith(b"TRAILER: "):
            head = -1
        at += len(line)
    return [*found[1:], at]


class ListingSink(Sink):
    """Writes packets for people to read.

    level: NAMES to ALL_DATA, 0 is ALL_DATA. lowest, highest: the layers that are shown, 0 is no bound, but applications are
    shown only where one of the two says so: 1.16 knew none. dump: whether the bytes of the frame follow. told: whether checksums
    left to the network card are called so where they stand. painted: whether there are colours.
    """

    output: Output
    STATE = ("count", "linktype")
    TALLIES = ("wrong", "unfinished")

    def __init__(self, output: Output, level: int, lowest: int, highest: int, dump: bool = False, told: bool = False,
                 painted: bool = False) -> None:  # fmt: skip
        self.output, self.level, self.dump, self.told = output, level or ALL_DATA, dump, told
        self.wrong = self.unfinished = 0  # checksums that were shown
        self.lowest, self.highest = lowest, highest or max(lowest, TRANSPORT)
        self.colours = BY_LAYER[1:] if painted else None
        self.count = 0
        self.linktype: int | None = None

    def write(self, batch: Batch) -> None:
        """Writes a batch at once. A LINKTYPE line comes first, and again whenever the type, or the FCS, changes."""
        first, links = 0, batch.column(LINKTYPE) if self.level > NAMES else []
        parts: list[bytes] = []
        while first < len(batch):
            if links and links[first] != self.linktype:
                self.linktype = links[first]
                parts.append("".join(f"{line}\n" for line in link_lines(self.linktype)).encode())
            asked = self.level, self.lowest, self.highest, self.dump, self.told, self.colours
            text, stop, wrong, unfinished = codec.listing_encode(batch.data, batch.rows, first, self.count + 1, *asked)
            parts.append(text)
            self.count += stop - first
            self.wrong, self.unfinished, first = self.wrong + wrong, self.unfinished + unfinished, stop
        self.output.write(b"".join(parts), len(batch), ends)

    def close(self) -> list[str]:
        """Ends the stream; gives what there is to say of checksums that look wrong, and are not."""
        self.output.close()
        return checksums_shown(self.wrong, self.unfinished)


def view(values: Values, output: Output) -> Sink:
    """The listing that the options ask for."""
    layers, painted = (values.lowest_layer, values.highest_layer), coloured(values.color, output.fd)
    return ListingSink(output, values.level, *layers, bool(values.hex_dump), bool(values.verbose), painted)
