"""How packets flow, the same for a command alone and for several in one process: source, stages, sink.

Each stage filters, skips, does its command's own work, assigns, and ends at its limit, in this order. A stage is a
generator from batches to batches: the sink asks the last one for a batch, that one the stage before it, and so on to the
source, so that every batch is handed to the sink before the next one is read: its memory is good until then.
"""

from __future__ import annotations

import os
import sys

from . import codec
from .batch import ROW_BYTES, TIME, Batch, Program
from .command_line.options import FORMATS, USUAL, Values
from .command_line.progress import reading
from .command_line.signals import Interrupted, end_now, expect, hold, install
from .errors import OutputError, PktError, Unread, UsageError, counted, say, warn
from .formats import packets, sink_of
from .formats.files import Input, Output, Sink, format_of, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .language.assignments import Assignments
    from .language.filters import Filter
    from .live.libpcap.receive import Receiver as ByLibpcap
    from .live.linux.receive import Receiver
    from .live.linux.xdp import Xdp

    Work = Callable[[Iterator[Batch]], Iterator[Batch]]  # it may keep packets back until the stream ends


STDERR = 2

# Words that only tcpdump's filters have.
PCAP_WORDS = frozenset(("host", "port", "portrange", "net", "src", "dst", "ether", "proto", "less", "greater", "gateway"))


def arguments(values: Values, swapped: tuple[tuple[str, str], ...] = ()) -> tuple[Filter | None, Assignments | None]:
    """The filter and the assignments that a command line asks for, compiled; None where it asks for none.

    swapped: pairs of fields to exchange before anything is assigned. Raises UsageError, PktError for a file of --bpf-file.
    """
    bpf = values.bpf is not None or values.bpf_file is not None
    if not (values.arguments or values.no_broadcast or values.no_multicast or swapped or bpf):
        return None, None
    from .language.assignments import Assignments  # late: most commands of a pipe have none
    from .language.expression import split_assignment

    expressions, items = [], []
    for word in values.arguments:
        item = split_assignment(word)
        if item:
            items.append(item)
        else:
            expressions.append(word)
    keep = None
    if expressions or values.no_broadcast or values.no_multicast or bpf:
        keep = filter_of(values, expressions)
    return keep, Assignments(items, swapped) if items or swapped else None


def filter_of(values: Values, expressions: list[str]) -> Filter:
    """The filter of a command line with these expressions. Raises UsageError, PktError."""
    from .language.filters import Filter, bpf_of

    bpf = bpf_of(values)
    try:
        keep = Filter(
            expressions, every=bool(values.every), reverse=bool(values.reverse), bpf=bpf,
            no_broadcast=bool(values.no_broadcast), no_multicast=bool(values.no_multicast),
        )  # fmt: skip
    except UsageError as error:
        files = [word for word in " ".join(expressions).split() if os.path.exists(word)]  # noqa: PTH110  pathlib is slow to import
        hint = f"; to read a file: --in {files[0]}" if files else ""
        if PCAP_WORDS.intersection(" ".join(expressions).lower().split()):
            hint = "; an expression of tcpdump's goes with --bpf"
        raise UsageError(f"{error}{hint}") from None
    tell_beside(values, expressions)
    return keep


def tell_beside(values: Values, expressions: list[str]) -> None:
    """Says on a terminal that of expressions beside each other one is enough: most people read `and` there."""
    if values.every or not os.isatty(STDERR):
        return
    from .language.expression import beside

    if beside(expressions):
        name = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib is slow to import
        say(f"{name}: '{' '.join(expressions)}': one of these is enough, as in 1.16; --and wants all")


def named_format(values: Values, writes: str | None) -> str | None:
    """The format that --format says, or else the ending of --out's FILE; None: neither says one.

    writes: what the command's name says. Text is only what is usual. Raises UsageError where a name says another capture.
    """
    named = values.format or format_of(values.output)
    if not values.format and named and writes not in (None, USUAL, named):
        nouns = FORMATS[named].noun, FORMATS[writes].noun
        raise UsageError(f"--out {values.output}: that is the name of {nouns[0]}, and {nouns[1]} is written; -F says which")
    return named


def refuse_terminal(form: str, path: str | None) -> None:
    """Raises UsageError where binary data would be written to a terminal."""
    if FORMATS[form].binary and is_terminal(path):
        noun = FORMATS[form].noun
        raise UsageError(f"{noun} is binary, and not written to a terminal: --out FILE, or a pipe; -F text shows packets")


class Source:
    """Where packets come from: a file or standard input, in whatever format; pkt-recv has another.

    linktype: of a stream without packets. file: what is read, if it is a file or a stream.
    """

    linktype = 1
    file: Input | None

    def __init__(self, values: Values, read: Callable[[Input], Iterator[Batch]] = packets) -> None:
        """read: what reads the input. Raises PktError where it cannot be opened."""
        self.file, self.read = Input(values.input), read
        install(drain=not self.file.is_file and not os.isatty(self.file.fd))

    @property
    def form(self) -> str:
        """The format that was read, once something was: text, pcap or pcapng."""
        return self.file.form if self.file else "text"

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """The packets, in as many rounds as there are. output: what is written meanwhile."""
        stream = self.read(self.file)  # type: ignore[arg-type]  # those without a file have streams of their own
        yield reading(stream, self.file, output.fd) if output else stream  # type: ignore[arg-type]  # the same

    def close(self) -> list[str]:
        """Gives what there is to say in the end, on standard error."""
        return self.file.said  # type: ignore[union-attr]  # the same


class Capture(Source):
    """Packets from an interface. receiver: gives batches until it has to end; what it receives is of its `linktype`."""

    file = None
    receiver: Receiver | ByLibpcap | Xdp

    def __init__(self) -> None:
        """What makes the receiver comes after this: signals that end it are waited for."""
        install(drain=False)

    def tell(self, verbose: bool) -> None:
        """Says that from now on everything is received: to who asked for more, or waits at a terminal."""
        if verbose or (sys.stderr is not None and sys.stderr.isatty()):
            warn(f"{self.receiver.name}: receiving")

    @property
    def linktype(self) -> int:  # type: ignore[override]  # nobody sets it
        """Of a stream without packets."""
        return self.receiver.linktype

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """One round, until a signal comes or the time is over."""
        yield self.batches()

    def batches(self) -> Iterator[Batch]:
        """The batches; a signal ends the receiving and nothing else: what was received goes all the way."""
        for batch in self.receiver:
            hold(True)
            yield batch
            hold(False)
        hold(True)


UNFOLLOWED = 20  # kinds of headers that are not followed which are named


class Stage:
    """What a command does, in a process of its own or as one of several in a pipe.

    values: its command line. work: what the command itself does to the packets. program: filter and assignments, where they are
    not those of `arguments`. slip: it only picks or shows packets: who assigns may have meant to compare. guard: the
    assignments are only for packets that it accepts. swapped: pairs of fields to exchange first. follow: checksums follow the
    assignments. source, sink: what makes them, where they are not the usual ones. writes: the format that the command's name
    says. big_endian: the order of a capture. account: gives what there is to say at the end. beyond: counts what packets carry
    that is not followed. stopped: what to say when a signal ends it; without, the process ends by the signal; empty where that
    is how it is meant to end. needs: capabilities(7) without which it cannot go on; None: it takes no privilege, and gives none up.
    """

    name = ""  # of the command, where there are several

    def __init__(self, values: Values, work: Sequence[Work] = (), *,
                 program: tuple[Filter | None, Assignments | None] | None = None, slip: bool = False,
                 guard: Program | None = None, swapped: tuple[tuple[str, str], ...] = (), follow: bool = False,
                 source: Callable[[], Source] | None = None, sink: Callable[[Source], Sink] | None = None,
                 writes: str | None = None, big_endian: bool = False,
                 account: Callable[[], list[str]] = list, beyond: dict[int, int] | None = None, stopped: str | None = None,
                 needs: Sequence[int] | None = None) -> None:  # fmt: skip
        """Raises UsageError where the arguments are wrong."""
        self.values, self.work, self.slip = values, work, slip
        self.keep, self.assignments = program or arguments(values, swapped)
        if self.assignments:
            self.assignments.guard, self.assignments.follow = guard, follow
        self.writes, self.account, self.stopped, self.needs = writes, account, stopped, needs
        self.source = source or (lambda: Source(values))
        self.form = self.named = None  # what is written, and what is asked for, where that is known
        if sink is None:
            self.named = named_format(values, writes)
            self.form = self.named or writes or USUAL
            if self.named != USUAL:
                values.format = self.named  # what receives packets asks what they have a place for
        self.sink = sink or (
            lambda source: sink_of(values, Output(values.output, source.file), self.form or "text", source.linktype, big_endian)
        )
        self.beyond = {} if beyond is None else beyond
        self.came = self.passed = 0
        self.ahead: Callable[[Callable[[Batch], int]], Iterator[int | None]] | None = None  # of an interface: what waits there
        self.left: int | None = None  # packets that it may still pass on; None: any number

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
                self.passed += count
                if self.left is not None:
                    self.expect(self.left - count)
                yield batch
            if self.left is not None:
                self.left -= count
                if self.left <= 0:
                    return

    def expect(self, more: int) -> None:
        """Says that the limit is met, or how many packets are missing, where a reader that does not read may be in the way."""
        if more <= 0:
            end_now()
        elif ahead := self.ahead:
            expect(more, lambda: ahead(lambda batch: len(self.keep.select(batch)) // ROW_BYTES if self.keep else len(batch)))

    def wanted(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """The batches that the stage works on."""
        skip = self.values.skip or 0
        for batch in stream:
            self.came += len(batch)
            if self.values.link_type is not None:
                batch.set_linktype(self.values.link_type)
            if self.keep is not None:
                batch.rows = self.keep.select(batch)
            if skip:
                skipped = min(skip, len(batch))
                skip -= skipped
                batch = batch.part(skipped, len(batch))
            while self.left is not None and len(batch) > self.left:  # work sees no packet in vain: it may count what it meets
                part, batch = batch.part(0, self.left), batch.part(self.left, len(batch))
                yield part
            yield batch

    def said(self, before: list[str], behind: list[str]) -> list[str]:
        """What there is to say at the end, with what its source and its sink say; behind the command's name, in a pipe."""
        said = []
        if self.values.verbose:
            why = f" ({codec.REASON})" if codec.REASON else ""
            said.append(f"{counted(self.came, 'packet')} read, {self.passed} passed on; codec in {codec.BACKEND}{why}")
            kernel = sys.modules.get("pkttools.kernel")  # where it was of use
            if kernel and kernel.REASON:
                said.append(f"the kernel's functions in python: those in C {kernel.REASON}")
        if self.assignments:
            said += self.assignments.said(self.slip)
        said += before + self.account() + self.unfollowed() + behind
        return [f"{self.name}: {line}" for line in said] if self.name else said

    def unfollowed(self) -> list[str]:
        """Of how many packets what they carry is not followed, where the command acts."""
        counts = self.beyond or (self.assignments.beyond if self.assignments else {})
        if not counts:
            return []
        from .protocols.names import beyond_name  # late: seldom

        parts = sorted(((count, beyond_name(code)) for code, count in counts.items()), key=lambda part: (-part[0], part[1]))
        shown = [f"{count} {name}" for count, name in parts[:UNFOLLOWED]]
        rest = sum(count for count, _ in parts[UNFOLLOWED:])
        if rest:
            shown.append(f"{rest} others")
        return [f"{counted(sum(counts.values()), 'packet')} with headers that are not followed: {', '.join(shown)}"]


def run(stages: list[Stage]) -> tuple[list[str], int]:
    """Runs stages joined to a pipe, from the source of the first to the sink of the last.

    What stands before a bad place is written. Gives what there is to say on standard error, in the order of the stages, and
    the exit code. Raises PktError where something cannot be opened.
    """
    first, last = stages[0], stages[-1]
    if last.form:
        refuse_terminal(last.form, last.values.output)
    user = new_user(stages)
    source = first.source()
    sink = last.sink(source)
    give_up(stages, user)
    errors: list[str] = []
    ending: list[str] = []
    if isinstance(source, Capture):
        first.ahead = source.receiver.ahead
    try:
        flow(source, stages, sink)
        ending = sink.close()
    except PktError as error:  # the account goes on
        errors.append(str(error))
        if not isinstance(error, OutputError) and (last.passed or not sink.output):  # else no empty capture instead
            try:
                ending = sink.close()
            except OutputError as late:
                errors.append(str(late))
    except Interrupted:
        if last.stopped is None:
            raise
        errors += [last.stopped] if last.stopped else []
        ending = sink.close()
    finally:
        if sink.output:
            sink.output.finish()
    said = list(errors)
    for stage in stages:
        said += stage.said(source.close() if stage is first else [], ending if stage is last else [])
    return said, int(bool(errors) or sink.failed)


def new_user(stages: list[Stage]) -> str | None:
    """Whom to change to, once all is open, where that is said. Raises UsageError."""
    named = {stage.values.user for stage in stages if stage.needs is not None} - {None}
    need(len(named) < 2, "only one -Z")
    need(not named or sys.platform == "linux", "-Z is for Linux")
    if named:
        from .live.linux.privileges import user_of

        user_of(*named)
    return named.pop() if named else None


def give_up(stages: list[Stage], user: str | None) -> None:
    """Gives up the privileges that it took to open what is open; filters alone take none. Raises PktError."""
    needs = [stage.needs for stage in stages if stage.needs is not None]
    if needs and sys.platform == "linux":
        from .live.linux.privileges import drop

        drop(user, [capability for several in needs for capability in several])


def flow(source: Source, stages: list[Stage], sink: Sink) -> None:
    """Lets packets flow. Where the source breaks off, what the stages have kept back is written before the reason is raised."""
    ended: list[Exception] = []
    for stream in source.streams(sink.output):
        stream = announced(until_error(stream, ended), sink)
        for stage in stages:
            stream = stage.through(stream)
        for batch in stream:
            try:
                sink.write(batch)
            except Unread as unread:  # what else was received is counted, as far as it would have been written
                unread.left = (len(batch) if unread.left is None else unread.left) + sum(map(len, stream))
                raise
        if source.file and source.file.link is not None and all(stage.values.link_type is None for stage in stages):
            sink.without_packets(source.file.link)
        if ended:
            raise ended[0]


def announced(stream: Iterator[Batch], sink: Sink) -> Iterator[Batch]:
    """The batches of a round; the sink learns when the first one begins, and when it is through."""
    for batch in stream:
        if not len(batch):  # nothing stood in front of a bad place
            continue
        sink.origin(batch.columns()[TIME])
        yield batch
        sink.begin()
        break
    yield from stream


def each(change: Callable[[Batch], Batch]) -> Work:
    """The work that does something to every batch and keeps none of it back."""
    return lambda stream: map(change, stream)


without_fcs: Work = each(Batch.without_fcs)  # for work that makes other frames: what those end in is not known any more


def until_error(source: Iterator[Batch], ended: list[Exception]) -> Iterator[Batch]:
    """The batches of a source, up to its end or to what broke it off, which is put into `ended`."""
    try:
        yield from source
    except (PktError, Interrupted) as error:
        ended.append(error)


def need(condition: bool, message: str) -> None:
    """Raises UsageError with `message` unless the condition holds."""
    if not condition:
        raise UsageError(message)
