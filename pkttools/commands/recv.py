"""Receives packets from an interface and writes them as text.

pkt-recv -i eth0 'UDP.DST_PORT==53'

Ends with ^C, after --duration or -l, and says what was received and lost.
"""

from __future__ import annotations

import os
import sys

from ..batch import CAPTURED, COLUMNS, MAX_FRAME, Batch
from ..command_line.options import (
    DURATION,
    FLAG,
    FORMATS,
    NUMBER,
    OCTETS,
    REPORT,
    TEXT,
    USER,
    USUAL,
    Option,
    Values,
    general_briefly,
    pick_briefly,
    received,
)
from ..errors import PktError, UsageError, need
from ..flow.capture import Capture
from ..flow.stage import Source, Stage, Written, each, program_of
from ..formats.files import Sink, to_file
from ..live.capture import CaptureOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bpf.classic import Instruction
    from ..flow.stage import Work
    from ..language.assignments import Assignments
    from ..language.filters import Filter
    from ..live.libpcap.receive import Receiver as ByLibpcap
    from ..live.linux.receive import Receiver
    from ..live.linux.together import Together

PLACE = "first"
OPTIONS = [
    Option("-i --interface", TEXT, "receive from IFACE; several: in one order", "IFACE", several=True),
    Option("-D --list-interfaces", FLAG, "list the interfaces, with addresses, and end", end="alone"),
    Option("--libpcap", FLAG, "receive by libpcap, as systems but Linux always do"),
    DURATION,
    Option("--ready", TEXT, "say to FD or FILE when it receives", "FD|FILE"),
    Option("--snaplen", OCTETS, "keep at most BYTES of each packet", "BYTES", default=MAX_FRAME, least=1, most=MAX_FRAME),
    Option("-ro --receive-only", FLAG, "only packets that come in"),
    Option("-so --send-only", FLAG, "only packets that go out"),
    Option("-np --no-promiscuous", FLAG, "do not ask for packets to other hosts", hidden=True),
    Option("--raw-checksums", FLAG, "leave partial checksums (offload) unfinished", hidden=True),
    *received(),
    Option("--rotate", TEXT, "begin a new file after SIZE (100M) or TIME (1h)", "SIZE|TIME"),
    Option("--keep", NUMBER, "keep the last N of these files", "N", least=1),
    *pick_briefly(),
    Option("--stamps", TEXT, "whose times: kernel (default), card", "WHOSE", default="kernel", choices=("kernel", "card")),
    Option("-b --buffer", OCTETS, "let the kernel keep SIZE bytes (default 32 MiB)", "SIZE", most=(1 << 30)),
    REPORT,
    *USER,
    *general_briefly(),
]


def instead(values: Values) -> list[str] | None:
    """The list of the interfaces, if that is asked for. Raises UsageError, PktError."""
    if not values.list_interfaces:
        return None
    asked = {option.names[-1] for option in values.given(OPTIONS)}
    need(not values.arguments and asked <= {"--list-interfaces", "--libpcap"}, "-D stands alone, or with --libpcap")
    if by_libpcap(values):
        from ..live.libpcap.interfaces import interfaces
    else:
        from ..live.linux.addresses import interfaces
    from ..live.interfaces import lines

    return lines(interfaces())


def by_libpcap(values: Values) -> bool:
    """Whether libpcap does the work."""
    return values.libpcap or sys.platform != "linux"


def stage(values: Values) -> Stage:
    """Receives until the end, and says what was received."""
    need(not (values.receive_only and values.send_only), "-ro and -so leave nothing")
    twice = [name for name in values.interface if values.interface.count(name) > 1]
    need(not twice, f"-i {''.join(twice[:1])} is given twice")
    need(len(values.interface) < 2 or not by_libpcap(values), "several -i are for Linux's own way; libpcap has the interface any")
    card = values.stamps == "card"
    need(not card or not by_libpcap(values), "--stamps card is of Linux's own way")
    need(not card or len(values.interface) < 2, "--stamps card is for one -i: each card has its own clock")
    need(values.keep is None or values.rotate is not None, "--keep is of the files of --rotate")
    to_files = values.output not in (None, "-") and to_file(values.output)
    need(values.rotate is None or to_files, "--rotate is for files: --out FILE")
    work = [cut(values.snaplen)] if values.snaplen < MAX_FRAME else []
    program = checked_arguments(values)
    keep = program[0]
    sink = None if values.rotate is None else Rotating(values, USUAL)  # what is received is no format to go on with

    def source() -> Interface:
        return Interface(values, keep, values.noted or made.asks_notes)

    made = Stage(values, work, program=program, slip=True, source=source, sink=sink)
    return made


class Rotating(Written):
    """What makes the sink that writes one file after another."""

    def __call__(self, source: Source) -> Sink:
        """The sink. Raises UsageError, PktError, also where further files could not be made: before there is the first one."""
        from ..formats.rotated import Rotated

        if sys.platform == "linux":
            from ..live.linux.privileges import makes_files

            folder = os.path.dirname(self.values.output) or "."  # noqa: PTH120  pathlib is slow to import
            if os.path.isdir(folder) and not makes_files(self.values.user, folder):  # noqa: PTH112  the same
                raise PktError(f"{folder}: the user that goes on may make no files there: -Z says who does")
        return Rotated(self.values, self.form, source.linktype)


class Interface(Capture):
    """An interface to receive from, as the source of a flow."""

    receiver: Receiver | ByLibpcap | Together  # type: ignore[assignment]  # of these alone

    def __init__(self, values: Values, keep: Filter | None, noted: bool) -> None:
        """keep: what is filtered; its --bpf by the kernel, too. noted: whether it is asked where packets were captured."""
        bpf = keep.bpf if keep else None
        self.values, self.bpf = values, bpf
        super().__init__()
        options = CaptureOptions()
        options.promiscuous, options.finish = not values.no_promiscuous, not values.raw_checksums
        options.direction = "in" if values.receive_only else "out" if values.send_only else None
        options.buffer, options.nano, options.seconds = values.buffer or 0, bool(values.nano), values.duration
        options.card = values.stamps == "card"
        names = values.interface
        options.notes = bool(values.verbose) or FORMATS[values.format or USUAL].notes or len(names) > 1 or noted
        options.prompt = not to_file(values.output) if values.awaited is None else values.awaited
        options.program = self.program if bpf and not values.reverse else None
        if by_libpcap(values):
            from ..live.libpcap.receive import Receiver

        else:
            from ..live.linux.receive import Receiver  # type: ignore[assignment]  # takes the same
        if len(names) > 1:
            from ..live.linux.together import Together

            self.receiver: Receiver | ByLibpcap | Together = Together(names, options)
        else:
            self.receiver = Receiver(names[0] if names else None, options)
        self.tell(bool(values.verbose))
        if values.ready is not None:
            ready(values.ready, f"{self.receiver.name}: receiving\n")

    def close(self) -> list[str]:
        """Returns what was received and what the kernel dropped; with -v also where --bpf was run."""
        said = self.receiver.close()
        if self.bpf and self.values.verbose:
            said += [f"{each.name}: {self.filtered(each)}" for each in getattr(self.receiver, "receivers", [self.receiver])]
        return said

    def program(self, linktype: int) -> list[Instruction]:
        """What the kernel is to run. Raises UsageError, PktError."""
        wanted = linktype if self.values.link_type is None else self.values.link_type
        return self.bpf.instructions(wanted)  # type: ignore[union-attr]  # the kernel is asked where there is one

    def filtered(self, receiver: Receiver) -> str:
        """Where --bpf was run, and what it passed there."""
        if self.values.reverse:
            return "--bpf in user space: -r turns it around"
        if by_libpcap(self.values):
            return "--bpf in user space, behind libpcap"
        return receiver.filter.said(receiver.placed)  # type: ignore[union-attr]  # with a filter


def checked_arguments(values: Values) -> tuple[Filter | None, Assignments | None]:
    """As for every command; an interface among them was meant for -i."""
    try:
        return program_of(values)
    except UsageError as error:
        from ..live.linux.interface import names

        meant = [word for word in values.arguments if word in names()]
        raise UsageError(f"{error}; to receive from an interface: -i {meant[0]}" if meant else str(error)) from None


def ready(where: str, line: str) -> None:
    """Writes a line to a descriptor, and closes it; or into a file, or a FIFO that somebody reads. Raises PktError."""
    try:
        fd = int(where) if where.isascii() and where.isdigit() else os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.write(fd, line.encode(errors="surrogateescape"))
        if fd > 2:
            os.close(fd)
    except (OSError, OverflowError) as error:
        raise PktError(f"--ready {where}: {getattr(error, 'strerror', None) or 'there is no such descriptor'}") from None


def cut(snaplen: int) -> Work:
    """The work that keeps at most `snaplen` bytes of each packet; behind the filters, which see it whole."""

    def shortened(batch: Batch) -> Batch:
        columns = batch.columns()
        for i in range(CAPTURED, len(columns), COLUMNS):
            columns[i] = min(columns[i], snaplen)
        return batch

    return each(shortened)
