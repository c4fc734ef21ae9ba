"""Packets that come one by one: what one read brings is read, changed and written without a step of Python's.

Where a stage only filters, corrects checksums and assigns, from text to text, the codec can do all of that in one step,
`codec.text_relay`, and the kernel's functions take turns of reading, that step and writing. Whatever is not plain is left in the
reader's buffer, and goes the usual way, as if it had just been read: nothing is done here that is not done there.
"""

from __future__ import annotations

from .. import codec
from ..batch import linktype_of
from ..command_line.signals import waker
from ..formats.text import LITTLE, TextSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..formats.files import Input, Sink
    from .stage import Stage


def relay_of(stage: Stage, source: Input, sink: Sink) -> Relay | None:
    """What takes over from the reader of a stage that is alone; None: it does more than a relay can, or writes something else."""
    changes = stage.assignments
    filters = [one for one in (stage.keep, changes.guard if changes else None) if one]
    work = stage.work and not stage.corrects
    more = work or stage.hold or stage.divides or stage.numbers or stage.failing or stage.last_number is not None
    counts = stage.values.skip or stage.values.limit or stage.values.link_type is not None
    if more or counts or type(sink) is not TextSink or sink.fields or (changes and (changes.series or changes.follow)):
        return None
    if any(one.asks_number or one.program_of_all() is None for one in filters):
        return None
    output = sink.output
    return Relay(stage, source, sink) if output.prompt and output.most is None and not output.packer else None


class Relay:
    """What takes over from a reader of text, as long as packets come one by one."""

    def __init__(self, stage: Stage, source: Input, sink: TextSink) -> None:
        self.stage, self.source, self.sink = stage, source, sink
        self.keep, self.assignments = stage.keep, stage.assignments
        self.guard = stage.assignments.guard if stage.assignments else None

    def __call__(self, buffer: bytearray, linktype: int, line: int) -> tuple[int, int]:
        """Reads on where all that came before is written; gives the bytes in `buffer` that the reader goes on with, and the lines
        before these.

        linktype: what holds there. line: lines so far. Raises what writing does.
        """
        from .. import kernel  # late: whose packets come by the thousand has no need of it

        stage, sink, output = self.stage, self.sink, self.sink.output
        if kernel.BACKEND != codec.BACKEND or not self.is_usual(linktype):
            return 0, line
        keep, guard = (one.program_of_all() if one else None for one in (self.keep, self.guard))
        assigned = self.assignments.program if self.assignments else None
        corrects, counts = stage.corrects or (-1, [])
        said = -1 if sink.linktype is None else sink.linktype
        relay = codec.text_relay(keep, guard, assigned, corrects, sink.width, sink.data_only, linktype, said, sink.count + 1)
        place = 0
        if output.lane:
            from ..formats.lane import WRITING as place
        fds = self.source.fd, output.fd, waker()
        used, written, rest = kernel.take_turns(relay, buffer, LITTLE, *fds, place, self.source.now or 0)
        lines, came, passed, met, wrong, placed, cut = codec.relayed(relay)
        stage.came += came
        stage.passed += passed
        sink.count += passed
        if counts:
            counts[codec.CORRECTED] += passed
            counts[codec.WRONG] += wrong
        if self.keep:
            self.keep.met += came
        if self.guard:
            self.guard.met += passed
        if self.assignments:
            self.assignments.add(met, placed, cut)
        if output.lender:
            output.lender.given += written
        if rest:
            sink.put(b"", rest, 0, output.lane)
        return used, line + lines

    def is_usual(self, linktype: int) -> bool:
        """Whether nothing else is to be done: what is compressed to unpack, what is lent to write first, packets to count in which
        filters find no headers, since their link type is not followed; and a signal is seen however early it comes."""
        lender = self.sink.output.lender
        if waker() < 0 or self.source.pieces is not None or not self.source.is_pipe or (lender and lender.rest):
            return False
        if not self.stage.asks_headers:
            return True
        from ..language.filters import unread  # late: there is a filter, which has it

        return not unread(linktype_of(linktype))
