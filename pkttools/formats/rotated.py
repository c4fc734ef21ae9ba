"""A stream as files, one after the other, of a size or of a time; the oldest ones may be taken away again."""

from __future__ import annotations

import os

from ..batch import Batch
from ..errors import OutputError, PktError, counted
from . import sink_of
from .files import Sink, endings_of
from .pieces import Measured, size_or_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values


class Rotated(Sink):
    """Writes NAME-00001.ENDING, NAME-00002.ENDING and so on, each of them whole; a sink."""

    output: Measured

    def __init__(self, values: Values, form: str, linktype: int) -> None:
        """form: in which it is written. linktype: of a stream without packets. Raises UsageError, PktError."""
        self.cut = size_or_span("--rotate", values.rotate, values, form)
        self.values, self.keep = values, values.keep
        folder, slash, name = values.output.rpartition("/")
        self.folder = folder + slash
        self.ending = "".join(endings_of(name))
        self.name = name.removesuffix(self.ending)
        self.number, self.removed = 1, 0
        self.output = self.opened()
        self.sink = sink_of(values, self.output, form, linktype)

    def path(self, number: int) -> str:
        """The name of a file."""
        return f"{self.folder}{self.name}-{number:05}{self.ending}"

    def opened(self) -> Measured:
        """The next file. Raises PktError."""
        output = Measured(self.path(self.number), None, compress=self.values.compress)
        self.cut.begin(output)
        return output

    def next_file(self) -> None:
        """Ends the file, takes the oldest one away where there are too many, and begins the next. Raises OutputError.

        Where that cannot be, the output is still the one that was ended, which knows how many packets there are.
        """
        self.sink.end_output()
        old = self.number + 1 - (self.keep or 0)
        if self.keep and old > 0:
            try:
                os.unlink(self.path(old))  # noqa: PTH108  pathlib is slow to import
                self.removed += 1
            except FileNotFoundError:
                pass  # somebody else did it
            except OSError as error:
                raise OutputError(f"{self.path(old)}: cannot be taken away: {error.strerror}") from None
        self.number += 1
        try:
            output = self.opened()
        except PktError as error:
            raise OutputError(str(error)) from None
        there, self.output = self.output.there, output
        self.output.there, self.output.counting = there, True  # of all files
        self.sink.enter(self.output)

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.sink.failed

    def without_packets(self, link: int) -> None:
        """Learns of what link type the stream is that was read, for when it gets no packet."""
        self.sink.without_packets(link)

    def write(self, batch: Batch) -> None:
        """Writes a batch, into as many files as it takes. Raises PktError, OutputError."""
        while len(batch):
            if count := self.cut.fitting(batch):
                self.sink.write(batch.part(0, count))
                batch = batch.part(count, len(batch))
            else:
                self.next_file()

    def close(self) -> list[str]:
        """Ends the last file; gives what there is to say."""
        said = self.sink.close()
        kept = self.number - self.removed
        line = f"{counted(self.number, 'file')} written, the last one {self.path(self.number)}"
        return [*said, f"{line}; {kept} kept" if self.removed else line]
