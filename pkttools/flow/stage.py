"""What a command does to the packets between its ends: it filters, skips, works, assigns, and ends at its limit, in this order.

And these ends, unless one is an interface: files, pipes, in whatever format. In the same module: hardly a command does without.
"""

from __future__ import annotations

import sys

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..command_line.options import USUAL, Values, picks
from ..command_line.signals import end_now, expect, install
from ..errors import Whole, counted, need
from ..formats import joined, named_format, packets, sink_of
from ..formats.files import Input, Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..formats.several import Several
    from ..language.assignments import Assignments
    from ..language.filters import Filter
    from .failing import Failing

    Work = Callable[[Iterator[Batch]], Iterator[Batch]]  # it may keep packets back until the stream ends


class Source:
    """Where packets come from: files or standard input, in whatever format; pkt-recv has another.

    linktype: of a stream without packets. file: what is read, if it is a file or a stream. needs: capabilities(7) without
    which it cannot go on once it is open; None: it took no privilege, and gives none up. ahead: of an interface, counts what
    waits there, by a function that says how many packets of a batch count. received: whether it is an interface, whose packets come
    once.
    """

    linktype = 1
    file: Input | None
    received = False
    hands_on = True  # whether what is read may be lent as it lies, while more is read
    needs: Sequence[int] | None = None
    ahead: Callable[[Callable[[Batch], int]], Iterator[int | None]] | None = None

    def __init__(self, values: Values, read: Callable[[Input], Iterator[Batch]] = packets) -> None:
        """read: what reads the input. Raises PktError where it cannot be opened."""
        self.values, self.read = values, read
        self.file = Input(values.input, lane=read is packets)
        install(drain=self.file.flows)

    @property
    def form(self) -> str:
        """The format that was read, once something was: text, pcap or pcapng."""
        return self.file.form if self.file else "text"

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """The packets, in as many rounds as there are. output: what is written meanwhile."""
        file: Input = self.file  # type: ignore[assignment]  # those without a file have streams of their own
        file.onward = output.lane if output and self.hands_on else None
        yield self.watched(joined(file, self.read), output)

    def watched(self, stream: Iterator[Batch], output: Output | None) -> Iterator[Batch]:
        """The batches of a stream; on a terminal is shown how much of files was read."""
        return watched(stream, self.file, output) if self.file and output else stream

    def close(self) -> list[str]:
        """Closes what was read; returns what there is to say in the end, on standard error."""
        file: Input = self.file  # type: ignore[assignment]  # the same
        file.close()
        return said_of(file, self.values.verbose)


def said_of(file: Input | Several, verbose: bool) -> list[str]:
    """What there is to say in the end of what was read."""
    if not verbose:
        return file.said
    handed = []
    if file.handed:
        from ..formats.lane import said  # late: where there are batches it is there

        handed = said(file.handed, file.shared, "came")
    return file.said + file.joined + handed


def watched(stream: Iterator[Batch], file: Input, output: Output) -> Iterator[Batch]:
    """The batches of a file; on a terminal is shown how much was read, as long as what is written is not."""
    if not file.is_file or sys.stderr is None or not sys.stderr.isatty():
        return stream
    from ..command_line.progress import reading  # late: who reads a pipe shows nothing, the first of the pipe does

    return reading(stream, file, output.fd)


def codec_said() -> str:
    """Which codec is at work, and why where that is not C: to who asked for more."""
    return f"codec in {codec.BACKEND}" + (f" ({codec.REASON})" if codec.REASON else "")


class Written:
    """What makes the usual sink, once the source is there: a file or standard output, in the format that is asked for.

    named: the format that --format or the name of --out says; None: neither does. writes: what the command's name says.
    form: the one that is written.
    """

    def __init__(self, values: Values, writes: str | None) -> None:
        """Raises UsageError."""
        self.values, self.writes, self.named = values, writes, named_format(values, writes)
        self.form = self.named or writes or USUAL
        need(not values.decimal or values.fields or values.all_fields, "--decimal is for numbers that -a or -aa adds")
        if self.named != USUAL:
            values.format = self.named  # what receives packets asks what they have a place for

    def __call__(self, source: Source) -> Sink:
        """The sink. Raises PktError."""
        output = Output(self.values.output, source.file, compress=self.values.compress)
        sink = sink_of(self.values, output, self.form, source.linktype)
        if source.file:
            sink.beside(source.file)
        return sink


def program_of(values: Values) -> tuple[Filter | None, Assignments | None]:
    """The filter and the assignments that a command line asks for. Raises UsageError, PktError for a file of --bpf-file."""
    if not (values.arguments or picks(values)):
        return None, None
    from ..language.arguments import arguments  # late: most commands of a pipe have none

    return arguments(values)


def failing_of(values: Values) -> list[Failing]:
    """The filters of --fail-if. Raises UsageError."""
    expressions = getattr(values, "fail_if", None)
    if not expressions:
        return []
    from .failing import Failing  # late: few ask for it

    return [Failing(expression) for expression in expressions]


class Stage:
    """What a command does, in a process of its own or as one of several in a pipe.

    values: its command line. work: what the command itself does to the packets. program: filter and assignments, where they are
    not those of `program_of`. slip: it only picks or shows packets: who assigns may have meant to compare. source, sink: what
    makes its ends, where they are not the usual ones. writes: the format that the command's name says. account: gives what there
    is to say at the end. fails: whether what it found makes the exit code 1. beyond: counts what packets carry that is not
    followed. last_number: of the packet behind which none passes. hold: makes another sink of a sink, one that keeps packets until
    it is time for them. apart: whether what becomes of a packet, between its ends, does not depend on those before it, but for what
    any command may be asked for: see `alone`. tallies: what counts for its account, see tallies.py; None: that cannot be added up.
    """

    TALLIES = ("came", "passed", "assignments", "failing", "beyond", "unread", "tallies")

    name = ""  # of the command, where there are several
    place = 0  # among these, from 1
    gathers = False  # whether its work takes all packets before it gives one: a limit is of those that it gives
    divides = False  # whether what it passes on goes into several files
    fields = ""  # a list of those that it shows or goes by; what lines say that packets come with may be there, too
    numbers = False  # whether what it shows says which of the packets that it reads each is
    as_read = False  # whether it writes the format that is read
    joins = False  # whether it makes one stream of several files
    corrects: tuple[int, list[int]] | None = None  # what all its work corrects, as codec.correct takes it, and what counts that
    writes_nothing = False  # whether it only says, in the end, what it found
    of_many = False  # whether it works on each of many files: what makes a failure is asked, and said, of each
    hold: Callable[[Source, Sink], Sink] | None = None

    def __init__(self, values: Values, work: Sequence[Work] = (), *,
                 program: tuple[Filter | None, Assignments | None] | None = None, slip: bool = False,
                 source: Callable[[], Source] | None = None, sink: Callable[[Source], Sink] | None = None,
                 writes: str | None = None, account: Callable[[], list[str]] = list, fails: Callable[[], bool] = bool,
                 beyond: dict[int, int] | None = None, last_number: int | None = None, apart: bool = False,
                 tallies: Sequence[object] | None = None) -> None:  # fmt: skip
        """Raises UsageError where the arguments are wrong."""
        self.apart, self.adds_up = apart, tallies is not None or account is list
        self.tallies = [*tallies] if tallies else []
        self.values, self.work, self.slip, self.account = values, work, slip, account
        self.fails, self.failing, self.wants_some = fails, failing_of(values), bool(getattr(values, "fail_empty", False))
        self.beyond = {} if beyond is None else beyond
        self.keep, self.assignments = program or program_of(values)
        if getattr(values, "reverse", False):
            from ..language.arguments import look_at_reverse  # late: seldom

            look_at_reverse(values, self.keep)
        self.source = source or (lambda: Source(values))
        self.sink = sink or Written(values, writes)
        self.came = self.passed = 0
        self.unread: dict[int, int] = {}  # packets of link types that are not followed, where a filter asks for headers
        self.asks_headers = any(one.asks_headers for one in self.filters)
        self.ahead: Callable[[Callable[[Batch], int]], Iterator[int | None]] | None = None  # of its source
        self.left: int | None = None  # packets that it may still pass on; None: any number
        self.last_number = last_number

    @property
    def passes(self) -> bool:
        """Whether it passes on all packets as they are, to one place."""
        values = self.values
        changes = self.work or self.keep or self.assignments or self.hold or self.divides or values.link_type is not None
        return not (changes or values.skip or values.limit)

    def through(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """What becomes of the batches of a stream; none of those that are given is empty."""
        self.left = self.values.limit or None  # 0 is no limit, as in 1.16
        stream = self.wanted(stream)
        for stage in self.work:
            stream = stage(stream)
        for batch in stream:
            if self.left is not None and len(batch) > self.left:
                batch = batch.part(0, self.left)
            if self.assignments:
                self.assignments.run(batch)
            batch.chosen = None  # the next stage has a guard of its own
            count = len(batch)  # the next stage may drop some of them
            if count:
                self.ask(batch)
                self.passed += count
                if self.left is not None:
                    self.expect(self.left - count)
                yield batch
            if self.left is not None:
                self.left -= count
                if self.left <= 0:
                    return

    def ask(self, batch: Batch) -> None:
        """Asks --fail-if of packets that pass."""
        for one in self.failing:
            one.look(batch)

    def expect(self, more: int) -> None:
        """Says that the limit is met, or how many packets are missing, where a reader that does not read may be in the way."""
        if more <= 0:
            end_now()
        elif ahead := self.ahead:
            expect(more, lambda: ahead(lambda batch: len(self.keep.passing(batch)) // ROW_BYTES if self.keep else len(batch)))

    def wanted(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """The batches that the stage works on."""
        skip = self.values.skip or 0
        for batch in stream:
            self.came += len(batch)
            ends = self.last_number is not None and self.came >= self.last_number
            if ends:
                end_now()
            if self.values.link_type is not None:
                batch.set_linktype(self.values.link_type)
            if self.asks_headers:
                beyond = 0 if self.last_number is None else max(self.came - self.last_number, 0)
                self.note_links(batch.part(0, max(len(batch) - beyond, 0)) if beyond else batch)
            if self.numbers:
                batch.numbers = range(self.came - len(batch) + 1, self.came + 1)
            if self.keep is not None:
                batch.keep(self.keep.select(batch))
            if skip:
                skipped = min(skip, len(batch))
                skip -= skipped
                batch = batch.part(skipped, len(batch))
            # Work sees no packet in vain, unless it gathers all: it may count what it meets.
            while self.left is not None and len(batch) > self.left and not self.gathers:
                part, batch = batch.part(0, self.left), batch.part(self.left, len(batch))
                yield part
            yield batch
            if ends:
                return

    def note_links(self, batch: Batch) -> None:
        """Counts packets in which no filter finds a header, since their link type is not followed."""
        from ..language.filters import unread  # late: there is a filter, which has it

        for first, behind, linktype in batch.runs():
            if code := unread(linktype):
                self.unread[code] = self.unread.get(code, 0) + behind - first

    @property
    def filters(self) -> list[Filter | Failing]:
        """All that it asks of packets: the filter, and those of --fail-if and --if."""
        asked: list[Filter | Failing] = [one for one in (self.keep, *self.failing) if one]
        if getattr(self.values, "condition", None) is not None:
            from .guard import compiled  # late: only where somebody asks

            asked.append(compiled(self.values))
        return asked

    @property
    def asks_notes(self) -> bool:
        """Whether it asks for lines that packets come with: IFACE, WAY, NOTE."""
        from ..language.asked import asks_notes  # late: only who receives wants to know

        return asks_notes(self.fields) or any(one.notes() for one in self.filters)

    @property
    def alone(self) -> str:
        """Why parts of a stream cannot be worked on apart, each by itself; empty: they can."""
        if not self.apart:
            return "it keeps state from packet to packet"
        if self.values.skip or self.values.limit:
            return "-s and -l count packets"
        if self.assignments and self.assignments.series:
            return "what it assigns goes on from packet to packet"
        if any(one.asks_number for one in self.filters) or (self.numbers and self.keep):
            return "NUMBER counts packets"
        return ""

    def said(self, before: list[str], behind: list[str]) -> list[str]:
        """What there is to say at the end, with what its source and its sink say; behind the command's name, in a pipe."""
        said = []
        if self.values.verbose:
            said.append(f"{counted(self.came, 'packet')} read, {self.passed} passed on; {codec_said()}")
            kernel = sys.modules.get("pkttools.kernel")  # where it was of use
            if kernel and kernel.REASON:
                said.append(f"the kernel's functions in python: those in C {kernel.REASON}")
        if self.assignments:
            said += [f"seed {self.assignments.seed}"] if self.values.verbose and self.assignments.drawn else []
            said += self.assignments.said(self.slip)
        said += before + self.account() + self.unfollowed() + ([] if self.of_many else self.failures()) + behind
        if getattr(self.values, "report", None) == "json":
            from ..command_line.account import reported  # late: seldom

            said = reported(said, "json", self.name and f"pkt-{self.name}")
        return self.signed(said)

    def signed(self, said: list[str]) -> list[str]:
        """Lines behind the command's name, in a pipe."""
        return [line if isinstance(line, Whole) else f"{self.name}: {line}" for line in said] if self.name else said

    def judged(self) -> list[str]:
        """What it found that makes a failure of one of many files, in words."""
        return self.signed((self.account() if self.fails() else []) + self.failures())

    @property
    def failed(self) -> bool:
        """Whether the exit code is 1 for what it found."""
        return self.fails() or bool(self.failures())

    @property
    def some(self) -> bool:
        """Whether a packet has passed, as --fail-empty asks."""
        return self.passed > 0

    def failures(self) -> list[str]:
        """What --fail-empty and --fail-if have to say; nothing where the packets are as they ask."""
        where = f"stage {self.place}: " if self.place else ""
        empty = [f"{where}--fail-empty: no packet passed, of {self.came}"] if self.wants_some and not self.some else []
        return empty + [line for one in self.failing for line in one.said(where)]

    def unfollowed(self) -> list[str]:
        """Of how many packets what they carry is not followed, where the command acts, or a filter asks for it."""
        counts = self.beyond or (self.assignments.beyond if self.assignments else {})
        if self.left is not None and self.left <= 0:
            self.unread.clear()  # all that was asked for was found; how much more was read is chance
        if not (counts or self.unread):
            return []
        from ..protocols.names import by_name, not_followed  # late: seldom

        return not_followed(counts) + by_name(self.unread, "packet", "link types in which filters find no header")


def each(change: Callable[[Batch], Batch]) -> Work:
    """The work that does something to every batch and keeps none of it back."""
    return lambda stream: map(change, stream)


without_fcs: Work = each(Batch.without_fcs)  # for work that makes other frames: what those end in is not known any more
