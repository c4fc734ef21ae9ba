"""How packets flow through a command, the same for all: source, filter, work, assignments, sink."""

from __future__ import annotations

import os

from . import codec
from .batch import Batch, Program
from .errors import OutputError, PktError, UsageError, counted
from .formats import packets
from .formats.files import Input, Output, Sink
from .options import Values
from .progress import reading
from .signals import Interrupted, install

TYPE_CHECKING = False  # typing's own is dear at start-up, as collections is
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Work = Callable[[Iterator[Batch]], Iterator[Batch]]  # a stage may keep packets back until the stream ends


def arguments(values: Values, swapped: tuple[tuple[str, str], ...] = ()) -> tuple[Program | None, Program | None]:
    """The filter and the assignments that a command line's arguments ask for, compiled; None where it asks for none.

    swapped: pairs of fields to exchange before anything is assigned.
    """
    if not (values.arguments or values.no_broadcast or values.no_multicast or swapped):
        return None, None
    from . import expression  # late: most commands of a pipe have none

    expressions, items = [], []
    for word in values.arguments:
        item = expression.split_assignment(word)
        if item:
            items.append(item)
        else:
            expressions.append(word)
    try:
        keep = expression.packet_filter(expressions, bool(values.reverse), bool(values.no_broadcast), bool(values.no_multicast))
    except UsageError as error:
        files = [word for word in " ".join(expressions).split() if os.path.exists(word)]  # noqa: PTH110  pathlib is slow to import
        raise UsageError(f"{error}; to read a file: --in {files[0]}" if files else str(error)) from None
    return keep, expression.assignments(items, swapped) if items or swapped else None


def sink_of(values: Values, output: Output, default: str = "text", linktype: int = 1, big_endian: bool = False) -> Sink:
    """The sink that the options ask for. linktype: of a stream without packets. big_endian: the order of a capture."""
    form, linktype = values.format or default, linktype if values.link_type is None else values.link_type
    if form == "pcap":
        from .formats.pcap import PcapSink

        return PcapSink(output, linktype, big_endian, True if values.nano else None)
    if form == "pcapng":
        from .formats.pcapng import PcapngSink

        return PcapngSink(output, linktype, big_endian, bool(values.nano))
    if form == "bin":
        from .formats.binary import BinarySink

        return BinarySink(output)
    from .formats.text import TextSink

    return TextSink(output, values.width, values.data_only, 2 if values.all_fields else int(values.fields))


def filter_stream(values: Values, work: Iterable[Work] = (), default: str = "text", *, guard: Program | None = None,
                  swapped: tuple[tuple[str, str], ...] = (), big_endian: bool = False,
                  follow: bool = False, read: Callable[[Input], Iterator[Batch]] = packets,
                  sink: Callable[[Output], Sink] | None = None) -> tuple[list[str], int]:  # fmt: skip
    """Runs a filter from one stream to another: what all commands but pkt-recv and pkt-send are.

    work: what the command itself does to the packets. guard: the assignments are only for packets that it accepts.
    swapped: pairs of fields to exchange first. big_endian: the order of a capture. follow: checksums follow the assignments.
    read: what reads the input. sink: makes the sink, if it is not the one that the options ask for. Gives what there is to
    say on standard error, and the exit code. Raises OutputError, PktError where a file
    cannot be opened, and UsageError.
    """
    program = arguments(values, swapped)
    source = Input(values.input)
    install(drain=not source.is_file and not os.isatty(source.fd))
    output = Output(values.output, source)
    end = sink(output) if sink else sink_of(values, output, default, big_endian=big_endian)
    try:
        said = run(reading(read(source), source, output.fd), end, values, program, work, guard, follow)
    except OutputError:
        raise
    except PktError as error:  # the account goes on: what came before it is written
        return [str(error), *source.said], 1
    said += source.said + end.close()
    return said, int(end.failed)


def each(change: Callable[[Batch], Batch]) -> Work:
    """The stage that does something to every batch and keeps none of it back."""
    return lambda stream: map(change, stream)


def run(source: Iterable[Batch], sink: Sink, values: Values, program: tuple[Program | None, Program | None],
        work: Iterable[Work] = (), guard: Program | None = None, follow: bool = False) -> list[str]:  # fmt: skip
    """The flow itself. Every batch is written before the next one is read. Gives what there is to say.

    Where the source breaks off, what the stages have kept back is written before the reason is raised.
    """
    keep, assignments = program
    came = passed = stale = 0
    left = values.limit or None  # 0 is no limit, as in 1.16
    ended: list[Exception] = []

    def wanted() -> Iterator[Batch]:
        nonlocal came
        skip = values.skip or 0
        for batch in until_error(source, ended):
            came += len(batch)
            if values.link_type is not None:
                batch.set_linktype(values.link_type)
            if keep is not None:
                batch.rows = codec.select(batch.data, batch.rows, keep)
            if skip:
                skipped = min(skip, len(batch))
                skip -= skipped
                batch = batch.part(skipped, len(batch))
            while left is not None and len(batch) > left:  # stages see no packet in vain: they may count what they meet
                part, batch = batch.part(0, left), batch.part(left, len(batch))
                yield part
            yield batch

    stream = wanted()
    for stage in work:
        stream = stage(stream)
    for batch in stream:
        if left is not None and len(batch) > left:
            batch = batch.part(0, left)
        if assignments is not None:
            stale += codec.assign(batch.data, batch.rows, assignments, guard, follow)[1]
        if len(batch):
            sink.write(batch)
            passed += len(batch)
        if left is not None:
            left -= len(batch)
            if left <= 0:
                break
    if ended:
        raise ended[0]
    said = [f"{counted(came, 'packet')} read, {passed} passed on; codec in {codec.BACKEND}"] if values.verbose else []
    if stale:
        said.append(f"{counted(stale, 'packet')} with a checksum that could not follow: it needs bytes that are not there")
    return said


def until_error(source: Iterable[Batch], ended: list[Exception]) -> Iterator[Batch]:
    """The batches of a source, up to its end or to what broke it off, which is put into `ended`."""
    try:
        yield from source
    except (PktError, Interrupted) as error:
        ended.append(error)


def need(condition: bool, message: str) -> None:
    """Raises UsageError with `message` unless the condition holds."""
    if not condition:
        raise UsageError(message)
