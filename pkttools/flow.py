"""How packets flow through a command, the same for all: source, filter, work, assignments, sink."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator

from . import codec
from .batch import COLUMNS, LINKTYPE, Batch, Program
from .errors import UsageError, counted
from .formats import packets
from .formats.files import Input, Output, Sink
from .options import Values
from .progress import reading
from .signals import install

Work = Callable[[Batch], Batch]


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
    """The sink that the options ask for. linktype: of a stream without packets. big_endian: the order of a pcap file."""
    if (values.format or default) == "pcap":
        from .formats.pcap import PcapSink

        linktype = linktype if values.link_type is None else values.link_type
        return PcapSink(output, linktype, big_endian, True if values.nano else None)
    from .formats.text import TextSink

    return TextSink(output, values.width, values.data_only, 2 if values.all_fields else int(values.fields))


def filter_stream(values: Values, work: Iterable[Work] = (), default: str = "text", *, guard: Program | None = None,
                  swapped: tuple[tuple[str, str], ...] = (), big_endian: bool = False) -> tuple[list[str], int]:  # fmt: skip
    """Runs a filter from one stream to another: what all commands but pkt-recv and pkt-send are.

    work: what the command itself does to a batch. guard: the assignments are only for packets that it accepts.
    swapped: pairs of fields to exchange first. big_endian: the order of a pcap file. Gives what there is to say on
    standard error, and the exit code. Raises PktError and UsageError.
    """
    program = arguments(values, swapped)
    source = Input(values.input)
    install(drain=not source.is_file and not os.isatty(source.fd))
    output = Output(values.output, source)
    sink = sink_of(values, output, default, big_endian=big_endian)
    said = run(reading(packets(source), source, output.fd), sink, values, program, work, guard)
    said += source.said + sink.close()
    return said, int(sink.failed)


def run(source: Iterator[Batch], sink: Sink, values: Values, program: tuple[Program | None, Program | None],
        work: Iterable[Work] = (), guard: Program | None = None) -> list[str]:  # fmt: skip
    """The flow itself. Every batch is written before the next one is read. Gives what -v says."""
    keep, assignments = program
    skip, left = values.skip or 0, values.limit or None  # 0 is no limit, as in 1.16
    came = passed = 0
    for batch in source:
        came += len(batch)
        if values.link_type is not None:
            batch.columns()[LINKTYPE::COLUMNS] = memoryview(array("q", [values.link_type]) * len(batch))
        if keep is not None:
            batch.rows = codec.select(batch.data, batch.rows, keep)
        if skip:
            skipped = min(skip, len(batch))
            skip -= skipped
            batch = batch.part(skipped, len(batch))
        if left is not None:
            batch = batch.part(0, left)
        for stage in work:
            batch = stage(batch)
        if assignments is not None:
            codec.assign(batch.data, batch.rows, assignments, guard)
        if len(batch):
            sink.write(batch)
            passed += len(batch)
        if left is not None:
            left -= len(batch)
            if left <= 0:
                break
    said = f"{counted(came, 'packet')} read, {passed} passed on; codec in {codec.BACKEND}"
    return [said] if values.verbose else []


def need(condition: bool, message: str) -> None:
    """Raises UsageError with `message` unless the condition holds."""
    if not condition:
        raise UsageError(message)
