"""How packets flow, the same for a command alone and for several in one process: source, stages, sink.

A stage is a generator from batches to batches: the sink asks the last one for a batch, that one the stage before it, and so
on to the source, so that every batch is handed to the sink before the next one is read: its memory is good until then.

stage.py: what a command does between its ends, and the usual ones. capture.py: an interface. Here: how they run.
"""

from __future__ import annotations

import sys
from itertools import chain

from ..batch import TIME, Batch
from ..command_line.signals import ALARM, Interrupted
from ..errors import OutputError, PktError, Unread, counted, need
from ..formats import refuse_terminal
from ..formats.files import TOGETHER
from .stage import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..formats.files import Input, Output, Sink
    from .stage import Source, Stage
    from .workers import Workers


def run(stages: list[Stage], jobs: int = 1, opened: Callable[[], None] | None = None) -> tuple[list[str], int]:
    """Runs stages joined to a pipe, from the source of the first to the sink of the last.

    What stands before a bad place is written. jobs: processes that work on the packets of a file. opened: called once both ends
    are open, before the first packet. Returns what there is to say on standard error, in the order of the stages, and the exit
    code. Raises PktError where something cannot be opened.
    """
    end = ended(stages, jobs, opened)
    said = end.notes + end.errors + accounts(stages, end.read, end.written)
    return said, int(end.failed or any(stage.failed for stage in stages))


class End:
    """What became of a run: what works otherwise than asked for, what went wrong, what the source and the sink say, whether they
    failed.

    whole: whether what was written is ended as it should be, wherever the input broke off.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.errors: list[str] = []
        self.read: list[str] = []
        self.written: list[str] = []
        self.failed = self.whole = False


def accounts(stages: list[Stage], read: list[str], written: list[str]) -> list[str]:
    """What stages have to say in the end, with what the source says of what was read, and the sink of what was written."""
    first, last = stages[0], stages[-1]
    return [line for stage in stages for line in stage.said(read * (stage is first), written * (stage is last))]


def ended(stages: list[Stage], jobs: int = 1, opened: Callable[[], None] | None = None) -> End:
    """Runs stages to their end. Raises PktError where something cannot be opened, Interrupted."""
    first, last = stages[0], stages[-1]
    if isinstance(last.sink, Written):
        refuse_terminal(last.sink.form, last.values.output)
    user = new_user(stages)
    source = first.source()
    if source.file and len(stages) > 1:
        source.file.at_once = TOGETHER
    sink = last.sink(source)
    for stage in stages:
        sink = stage.hold(source, sink) if stage.hold else sink
    if source.file and source.file.sections:
        source.file.sections.passes = not source.file.sections.one and all(stage.passes for stage in stages)
    give_up((source, sink), user)
    if source.file and source.file.is_pipe and sink.output and len(stages) == 1 and jobs == 1 and sys.platform == "linux":
        source.file.relay = relay_for(first, source.file, sink)
    end, before = End(), last.passed  # of another file, with --each
    first.ahead = source.ahead
    parts: Sequence[Stage | Workers] = stages
    if jobs > 1:
        from .workers import divided  # late: few ask for it

        parts, end.notes = divided(stages, source, sink, jobs)
    if opened:
        opened()
    try:
        flow(source, stages, parts, sink)
        end.written, end.whole = sink.close(), True
    except PktError as error:  # the account goes on
        if isinstance(error, OutputError) and source.received and not sink.accounts:
            end.errors.append(unwritten(error, last.passed - before, sink.output))
        else:
            end.errors.append(str(error))
        if source.file and source.file.left:
            end.errors.append(f"not read: {counted(source.file.left, 'file')} behind {source.file.name}")
        if not isinstance(error, OutputError) and (last.passed > before or not sink.output):  # else no empty capture instead
            try:
                end.written, end.whole = sink.close(), True
            except OutputError as late:
                end.errors.append(str(late))
    except Interrupted as interrupted:
        if sink.stopped is None:
            raise
        sink.hurried = interrupted.args[0] != ALARM
        end.written, end.whole = sink.close(), True
        end.errors += [sink.stopped] if sink.stopped and sink.hurried else []
    finally:
        if sink.output:
            sink.output.finish()
    end.read, end.failed = source.close(), bool(end.errors) or sink.failed
    return end


def relay_for(stage: Stage, file: Input, sink: Sink) -> Callable[[bytearray, int, int], tuple[int, int]]:
    """What goes on in place of a reader whose packets come one by one, where there is such for the stage; see relay.py."""

    def relay(buffer: bytearray, linktype: int, line: int) -> tuple[int, int]:
        from .relay import relay_of  # late: most packets come in large numbers, or few at all

        file.relay = relay_of(stage, file, sink)
        return file.relay(buffer, linktype, line) if file.relay else (0, line)

    return relay


def new_user(stages: list[Stage]) -> str | None:
    """Whom to change to, once all is open, where that is said. Raises UsageError."""
    named = {getattr(stage.values, "user", None) for stage in stages} - {None}
    need(len(named) < 2, "only one -Z")
    need(not named or sys.platform == "linux", "-Z is for Linux")
    if named:
        from ..live.linux.privileges import user_of

        user_of(*named)
    return named.pop() if named else None


def give_up(ends: tuple[Source, Sink], user: str | None) -> None:
    """Gives up the privileges that it took to open both ends; files take none. Raises PktError."""
    needs = [end.needs for end in ends if end.needs is not None]
    if needs and sys.platform == "linux":
        from ..live.linux.privileges import drop

        source = ends[0]
        if source.file:
            source.file.hold()
        drop(user, [capability for several in needs for capability in several])


class Got:
    """Whether nothing more is to come of the source."""

    over = False


def unwritten(error: OutputError, came: int, output: Output | None) -> str:
    """What is said of an output that takes nothing more, and of the packets that were received for it.

    came: how many these are. Where none is missing, and where the output is told of none, as that of a report in the end, the error
    is all there is to say.
    """
    if not output or not output.counting or output.there == came:
        return str(error)
    if output.there is None:
        return f"{error}; it is compressed: how many of {counted(came, 'packet')} received are there is not known"
    said = f"{counted(came - output.there, 'packet')} received could not be written: {error}"
    return f"{said}; the last one there is truncated" if output.cut else said


def flow(source: Source, stages: list[Stage], parts: Sequence[Stage | Workers], sink: Sink) -> None:
    """Lets packets flow. Where the source breaks off, what the stages have kept back is written before the reason is raised.

    parts: the stages, or what does the work of some of them.
    """
    ended: list[Exception] = []
    got = Got()
    write = getattr(parts[-1], "write", sink.write)
    for stream in source.streams(sink.output):
        stream = announced(until_error(stream, ended, got), sink)
        for part in parts:
            stream = part.through(stream)
        for batch in stream:
            try:
                write(batch)
            except PktError as error:  # of what it cannot hold
                if isinstance(error, OutputError) and source.received:
                    got.over = not isinstance(error, Unread)
                    for _ in stream:
                        pass  # what else was received is counted, as far as it would have been written
                if isinstance(error, OutputError) or not source.file or len(source.file.paths) < 2:
                    raise
                raise PktError(f"{error}; it comes from {source.file.name}") from None
        if source.file and source.file.link is not None and all(stage.values.link_type is None for stage in stages):
            sink.without_packets(source.file.link)
        if ended:
            raise ended[0]


def announced(stream: Iterator[Batch], sink: Sink) -> Iterator[Batch]:
    """The batches of a round; the sink learns when the first one begins, and when it is through."""
    return chain(begun(stream, sink), stream)


def begun(stream: Iterator[Batch], sink: Sink) -> Iterator[Batch]:
    """The first one of these."""
    for batch in stream:
        if not len(batch):  # nothing stood in front of a bad place
            continue
        sink.origin(batch.columns()[TIME])
        yield batch
        sink.begin()
        return


def until_error(source: Iterator[Batch], ended: list[Exception], got: Got) -> Iterator[Batch]:
    """The batches of a source, up to its end or to what broke it off, which is put into `ended`."""
    try:
        for batch in source:
            yield batch
            del batch  # its memory is good for the next one
            if got.over:
                return
    except (PktError, Interrupted) as error:
        ended.append(error)
