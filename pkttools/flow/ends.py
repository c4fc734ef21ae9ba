"""Where packets come from and where they go, unless it is an interface: files, pipes, in whatever format."""

from __future__ import annotations

import os

from ..batch import Batch
from ..command_line.options import USUAL, Values
from ..command_line.signals import install
from ..errors import counted
from ..formats import named_format, packets, sink_of
from ..formats.files import Input, Output, Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Source:
    """Where packets come from: a file or standard input, in whatever format; pkt-recv has another.

    linktype: of a stream without packets. file: what is read, if it is a file or a stream. needs: capabilities(7) without
    which it cannot go on once it is open; None: it took no privilege, and gives none up. ahead: of an interface, counts what
    waits there, by a function that says how many packets of a batch count.
    """

    linktype = 1
    file: Input | None
    needs: Sequence[int] | None = None
    ahead: Callable[[Callable[[Batch], int]], Iterator[int | None]] | None = None

    def __init__(self, values: Values, read: Callable[[Input], Iterator[Batch]] = packets) -> None:
        """read: what reads the input. Raises PktError where it cannot be opened."""
        self.values, self.read = values, read
        self.file = Input(values.input, lane=read is packets)
        install(drain=not self.file.is_file and not os.isatty(self.file.fd))

    @property
    def form(self) -> str:
        """The format that was read, once something was: text, pcap or pcapng."""
        return self.file.form if self.file else "text"

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """The packets, in as many rounds as there are. output: what is written meanwhile."""
        self.file.onward = output.lane if output else None  # type: ignore[union-attr]  # the same
        stream = self.read(self.file)  # type: ignore[arg-type]  # those without a file have streams of their own
        if self.file.is_file and output:  # type: ignore[union-attr]  # the same
            from ..command_line.progress import reading  # late: who reads a pipe shows nothing, the first of the pipe does

            stream = reading(stream, self.file, output.fd)  # type: ignore[arg-type]  # the same
        yield stream

    def close(self) -> list[str]:
        """Returns what there is to say in the end, on standard error."""
        file: Input = self.file  # type: ignore[assignment]  # the same
        handed = [f"{counted(file.handed, 'packet')} came as batches"] if self.values.verbose and file.handed else []
        return file.said + handed


class Written:
    """What makes the usual sink, once the source is there: a file or standard output, in the format that is asked for.

    named: the format that --format or the name of --out says; None: neither does. writes: what the command's name says.
    form: the one that is written.
    """

    def __init__(self, values: Values, writes: str | None) -> None:
        """Raises UsageError."""
        self.values, self.writes, self.named = values, writes, named_format(values, writes)
        self.form = self.named or writes or USUAL
        if self.named != USUAL:
            values.format = self.named  # what receives packets asks what they have a place for

    def __call__(self, source: Source) -> Sink:
        """The sink. Raises PktError."""
        return sink_of(self.values, Output(self.values.output, source.file), self.form, source.linktype)
