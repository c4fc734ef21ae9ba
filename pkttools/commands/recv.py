"""Receives packets from an interface and writes them as text.

pkt-recv -i eth0 'UDP.DST_PORT==53'

Ends with ^C, after --duration or -l packets, and says what it received and what the kernel dropped.
"""

import os
import stat

from ..batch import CAPTURED, COLUMNS, MAX_FRAME, Batch, Program
from ..errors import PktError, UsageError
from ..flow import Work, arguments, each, need, sink_of
from ..flow import run as flow
from ..formats.files import Output
from ..linux.interface import names
from ..linux.receive import Receiver
from ..options import FLAG, GENERAL, NUMBER, OUTPUT, PICK, REAL, TEXT, Option, Values
from ..signals import install

OPTIONS = [
    Option("-i --interface", TEXT, "receive from IFACE", "IFACE"),
    Option("--duration", REAL, "end after SECONDS", "SECONDS"),
    Option("--snaplen", NUMBER, "keep at most BYTES of each packet", "BYTES", default=MAX_FRAME, least=1, most=MAX_FRAME),
    Option("-ro --receive-only", FLAG, "only packets that come in"),
    Option("-so --send-only", FLAG, "only packets that go out"),
    Option("-np --no-promiscuous", FLAG, "do not ask for packets to other hosts"),
    Option("--raw-checksums", FLAG, "leave checksums unfinished, as the kernel has them"),
    *(option for option in OUTPUT if "--nano" not in option.names),
    Option("--nano", FLAG, "times in nanoseconds instead of microseconds"),
    *PICK,
    Option("-b --buffer", NUMBER, "let the kernel keep SIZE bytes (default 32 MiB)", "SIZE", most=(1 << 30)),
    *GENERAL,
]


def run(values: Values) -> tuple[list[str], int]:
    """Receives until the end, and says what was received."""
    need(not (values.receive_only and values.send_only), "-ro and -so leave nothing")
    program = checked_arguments(values)
    direction = "in" if values.receive_only else "out" if values.send_only else None
    install(drain=False)
    receiver = Receiver(
        values.interface, promiscuous=not values.no_promiscuous, direction=direction,
        buffer=values.buffer or 0, finish=not values.raw_checksums, nano=bool(values.nano), seconds=values.duration,
        notes=bool(values.verbose) or values.format == "pcapng",  # which has a place for them
        prompt=not to_file(values.output),
    )  # fmt: skip
    sink = sink_of(values, Output(values.output, None), linktype=receiver.linktype)
    work = [cut(values.snaplen)] if values.snaplen < MAX_FRAME else []
    try:
        said = [*flow(iter(receiver), sink, values, program, work), *sink.close()]
    except PktError as error:  # what came before it is still accounted for
        return [str(error), receiver.close()], 1
    return [*said, receiver.close()], int(sink.failed)


def to_file(path: str | None) -> bool:
    """Whether the output is a regular file, or will be one: nobody waits for what is written there."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode if path and path != "-" else os.fstat(1).st_mode)  # noqa: PTH116  as in flow.py
    except OSError:
        return True  # it is not there yet


def checked_arguments(values: Values) -> tuple[Program | None, Program | None]:
    """As for every command; an interface among them was meant for -i."""
    try:
        return arguments(values)
    except UsageError as error:
        meant = [word for word in values.arguments if word in names()]
        raise UsageError(f"{error}; to receive from an interface: -i {meant[0]}" if meant else str(error)) from None


def cut(snaplen: int) -> Work:
    """The stage that keeps at most `snaplen` bytes of each packet; behind the filters, which see it whole."""

    def stage(batch: Batch) -> Batch:
        columns = batch.columns()
        for i in range(CAPTURED, len(columns), COLUMNS):
            columns[i] = min(columns[i], snaplen)
        return batch

    return each(stage)
