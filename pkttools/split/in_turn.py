"""A stream as files, one after the other: a sink."""

from __future__ import annotations

import os

from ..batch import Batch
from ..errors import OutputError, Unfit, counted
from ..formats.files import Sink
from ..formats.pieces import Measured
from .listing import Listing
from .names import Names, moment_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..command_line.options import Values
    from ..formats.files import Output
    from ..formats.pieces import Cut


class InTurn(Sink):
    """Writes into a file what its cut lets in, then into the next one. A file begins with a packet: none is without."""

    accounts = True

    def __init__(self, values: Values, make: Callable[[Output], Sink], cut: Callable[[], Cut], names: Names) -> None:
        """make, cut: give the sink of an output, and what cuts, once a packet has come."""
        self.values, self.make, self.made_cut, self.names = values, make, cut, names
        self.listing = Listing(names)
        self.sink: Sink | None = None
        self.came = 0

    def begin_file(self, batch: Batch) -> Sink:
        """Begins one, with the first packet of a batch. Raises PktError."""
        values = self.names.template.values(batch.part(0, 1))[0]
        self.listing.add()
        path, fd = self.names.create(len(self.listing.paths), moment_of(batch), values)
        os.close(fd)
        self.listing.paths[-1] = path
        self.output = Measured(path, None, compress=self.values.compress)
        if self.sink is None:
            self.sink, self.cut = self.make(self.output), self.made_cut()
        else:
            self.sink.enter(self.output)
        self.cut.begin(self.output)
        return self.sink

    def write(self, batch: Batch) -> None:
        """Writes a batch, into as many files as it takes. Raises PktError, OutputError."""
        self.came += len(batch)
        try:
            self.put(batch)
        except OutputError as error:
            raise self.failure(error) from None

    def put(self, batch: Batch) -> None:
        """The same. Raises PktError, OutputError."""
        sink = self.sink or self.begin_file(batch)
        while len(batch):
            if count := self.cut.fitting(batch):
                try:
                    sink.write(batch.part(0, count))
                except Unfit as error:
                    self.listing.count(-1, error.fitting)
                    raise
                self.listing.count(-1, count)
                batch = batch.part(count, len(batch))
            else:
                sink.end_output()
                self.begin_file(batch)

    def failure(self, error: OutputError) -> OutputError:
        """What is wrong, with how much of what came is in no file that was ended; the last one is taken away if it has nothing."""
        self.names.take_back()
        lost = self.came - sum(self.listing.counts[:-1])
        return OutputError(f"{error}; in no file that is whole: {lost} of {counted(self.came, 'packet')} that came")

    @property
    def stopped(self) -> str:  # type: ignore[override]  # as that of files beside each other
        """What to say when a signal ends it."""
        return self.listing.stopped(self.came)

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.sink is not None and self.sink.failed

    def close(self) -> list[str]:
        """Ends the last file; gives what there is to say."""
        try:
            said = self.sink.close() if self.sink else []
        except OutputError as error:
            raise self.failure(error) from None
        return [*said, *self.listing.said(self.values.list)]
