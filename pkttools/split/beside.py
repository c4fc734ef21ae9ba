"""A stream as files beside each other, one a key: a sink. Packets are gathered in memory, and go to their files by turns.

So there may be more files than a process may have open: one is, for as long as what came for it is written. And few are written
to often: what makes files dear is to open them.
"""

from __future__ import annotations

import os
import time
from itertools import accumulate
from mmap import mmap

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..command_line import signals
from ..errors import OutputError, PktError, Unfit, counted, limit, warn
from ..formats.files import PLAIN as FLAGS
from ..formats.files import Sink, compression_of
from .listing import Listing
from .names import Names, first_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ..command_line.options import Values
    from ..formats.files import Output

    Piece = bytes | bytearray | memoryview
    from .keys import Keys

EACH = 2 * ROW_BYTES + 5 * 8  # bytes that a packet takes besides its own, until it is written: its row, its number, copies in order
PROMPT = 2.0  # seconds after which they are written anyway, where more of them are waited for
PATIENCE = 1.0  # seconds after a signal that nobody is told why it goes on
TOGETHER = 64 << 10  # bytes up to which it pays to copy pieces for one call of the system instead of several


class Held:
    """What a sink writes into: pieces that go into a file as soon as it has written all it has for that."""

    lane = lender = None

    def __init__(self) -> None:
        self.name = ""
        self.pieces: list[Piece] = []

    def write(self, data: Piece, *_: object) -> None:
        """Keeps it."""
        self.pieces.append(data)

    def close(self) -> None:
        """There is nothing to close."""

    def taken(self) -> list[Piece]:
        """What there is, which is there no more."""
        pieces, self.pieces = self.pieces, []
        return pieces


class Beside(Sink):
    """Writes each packet into the file of its key."""

    accounts = True

    def __init__(self, values: Values, make: Callable[[Output], Sink], keys: Keys, names: Names) -> None:
        """make: gives the sink of an output, once a packet has come."""
        self.values, self.make, self.keys, self.names = values, make, keys, names
        self.listing, self.held = Listing(names), Held()
        self.sink: Sink | None = None
        self.known: list[Hashable] = []  # what the sink has to know of files, by number and one more
        self.compress = compression_of(values.output, values.compress)
        self.alike: dict[Hashable, Hashable] = {}  # the same for many: kept once
        self.last = 0  # which file was written last
        self.came = 0  # packets
        self.told = False  # whether somebody who wants it to end was told what it still does
        self.memory: int = values.memory
        self.room, self.used = mmap(-1, self.memory), 0
        self.rows, self.numbers = bytearray(), bytearray()  # of what is gathered
        signals.every(PROMPT, self.flush)

    def write(self, batch: Batch) -> None:
        """Gathers a batch. Raises PktError, OutputError."""
        self.came += len(batch)
        numbers = memoryview(self.keys.numbers(batch)).cast("B")
        first = 0
        while first < len(batch):
            stop, self.used, rows = codec.gather_rows(batch.data, batch.rows, first, self.room, self.used)
            self.rows += rows
            self.numbers += numbers[8 * first : 8 * stop]
            if stop < len(batch) or self.used + len(self.numbers) // 8 * EACH > self.memory:
                if stop == first and not self.rows:  # more than there is room for
                    stop += 1
                    self.put(batch.part(first, stop), numbers[8 * first : 8 * stop])
                self.flush()
            first = stop

    def flush(self) -> None:
        """Writes what is gathered. Raises PktError, OutputError."""
        if self.rows:
            rows, numbers = self.rows, self.numbers
            self.rows, self.numbers, self.used = bytearray(), bytearray(), 0
            self.put(Batch(self.room, rows), numbers)

    def put(self, batch: Batch, numbers: bytearray | memoryview) -> None:
        """Writes packets into their files. Where one cannot hold a packet, the others get theirs before that is said."""
        rows, packed = codec.group_rows(batch.rows, numbers)
        groups = memoryview(packed).cast("q").tolist()
        files = [number + 1 for number in groups[::2]]
        stops = [*accumulate(groups[1::2])]
        new = self.new_files(Batch(batch.data, rows), files, stops)
        failed: PktError | None = None
        first, begun = 0, time.monotonic()
        try:
            for place, (file, stop) in enumerate(zip(files, stops, strict=True)):
                if signals.since is not None and not self.told:
                    self.tell(max(begun, signals.since), len(batch) - first, len(files) - place)
                try:
                    self.turn(file, Batch(batch.data, rows[first * ROW_BYTES : stop * ROW_BYTES]), new)
                except OutputError:
                    raise
                except PktError as error:
                    failed = failed or error
                first = stop
        except OutputError as error:
            self.names.take_back()
            lost = len(batch) - first
            raise OutputError(f"{error}; not written: {lost} of {counted(self.came, 'packet')} that came") from None
        if failed:
            raise failed

    def tell(self, since: float, packets: int, files: int) -> None:
        """Says what is still to be written, and how to end that, if it takes long. since: when somebody wanted it to end."""
        if time.monotonic() - since > PATIENCE:
            from ..command_line.progress import clear_line  # late: seldom

            self.told = True
            clear_line()
            warn(f"{counted(packets, 'packet')} in memory still go to {counted(files, 'file')}; another signal ends that")

    def new_files(self, batch: Batch, files: list[int], stops: list[int]) -> dict[int, tuple[int, bytes]]:
        """Of those files that get their first packet: its time, and what their names take of it."""
        more = files[-1] + 1 - len(self.known)
        self.known += [None] * more
        for _ in range(more):
            self.listing.add()
        starts = zip(files, [0, *stops], strict=False)
        new = {file: start * ROW_BYTES for file, start in starts if self.known[file] is None}
        firsts = Batch(batch.data, bytearray().join(batch.rows[at : at + ROW_BYTES] for at in new.values()))
        return dict(zip(new, zip(first_times(firsts), self.names.template.values(firsts), strict=True), strict=True))

    def turn(self, file: int, batch: Batch, new: dict[int, tuple[int, bytes]]) -> None:
        """Writes packets into a file. Raises PktError, OutputError."""
        sink, known = self.made_sink(), self.known[file]
        signals.whole(True)  # else a file could stay that is empty, or not counted
        try:
            self.append(sink, known, file, batch, new)
        finally:
            signals.whole(False)

    def append(self, sink: Sink, known: Hashable, file: int, batch: Batch, new: dict[int, tuple[int, bytes]]) -> None:
        """Opens a file, writes packets into it and closes it. Raises PktError, OutputError."""
        if known is None:
            path, fd = self.names.create(file, *new[file])
            self.listing.paths[file] = path
        else:
            path = self.listing.paths[file]
            fd = opened(path)
        self.held.name = path
        sink.enter(self.held, known)  # type: ignore[arg-type]  # it writes there, no more
        try:
            sink.write(batch)
            self.listing.count(file, len(batch))
        except Unfit as error:
            self.listing.count(file, error.fitting)
            raise
        finally:
            state = sink.leave()
            self.known[file] = self.alike.setdefault(state, state)
            self.last = file
            self.store(fd, path, self.held.taken())

    def made_sink(self) -> Sink:
        """The sink of all files."""
        if self.sink is None:
            self.sink = self.make(self.held)  # type: ignore[arg-type]  # it writes and closes that, no more
        return self.sink

    def store(self, fd: int, path: str, pieces: list[Piece]) -> None:
        """Writes pieces into a file and closes it; compressed, if they are to be: a member of its own. Raises OutputError."""
        try:
            if self.compress:
                from ..formats.compressed import Packer  # late: seldom

                packer = Packer(self.compress)
                pieces = [*map(packer.pack, pieces), packer.end()]
            write(fd, pieces)
        except OSError as error:
            raise OutputError(f"{path}: {limit(error)}") from None
        finally:
            os.close(fd)

    @property
    def stopped(self) -> str:  # type: ignore[override]  # it is what was written that says it
        """What to say when a signal ends it: a second one ends the writing of what is gathered, too."""
        return self.listing.stopped(self.came - len(self.rows) // ROW_BYTES)

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.sink is not None and self.sink.failed

    def close(self) -> list[str]:
        """Writes what is still gathered, unless a second signal ends that; gives what there is to say. Raises Interrupted."""
        try:
            self.flush()
        except signals.Interrupted:
            if not self.hurried:
                raise
        said = self.end_last() if self.sink and self.listing.paths[self.last] else []  # else no file could be made
        return [*said, *self.keys.said(), *self.listing.said(self.values.list)]

    def end_last(self) -> list[str]:
        """Ends the sink, which may have more to write, behind all packets: into the last file. Gives what it has to say."""
        sink, path = self.made_sink(), self.listing.paths[self.last]
        sink.enter(self.held, self.known[self.last])  # type: ignore[arg-type]  # as ever
        said = sink.close()
        if pieces := self.held.taken():
            self.store(opened(path), path, pieces)
        return said


def opened(path: str) -> int:
    """A file to go on in. Raises OutputError."""
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | FLAGS)
    except OSError as error:
        raise OutputError(f"{path}: {limit(error)}") from None


def write(fd: int, pieces: list[Piece]) -> None:
    """Writes all of them. Raises OSError."""
    if len(pieces) > 1 and sum(map(len, pieces)) <= TOGETHER:
        pieces = [b"".join(pieces)]
    for piece in pieces:
        done = os.write(fd, piece)
        while done < len(piece):  # seldom
            done += os.write(fd, memoryview(piece)[done:])
