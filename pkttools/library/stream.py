"""Packets as they come: read from files, made by stages, or any others that there are."""

from __future__ import annotations

import os
from array import array

from ..batch import Batch, gathered
from ..command_line.signals import Interrupted
from ..errors import PktError, need
from ..formats import joined, packets
from ..formats.files import Input
from .given import Given
from .packet import Packet, View, held
from .said import tell
from .sheet import Sheet, kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO, Any

    from ..batch import Packet as Held

    Path = str | os.PathLike[str]
    Several = Packet | Iterable[Packet]  # Packets among them

AT_ONCE = 1024  # packets that go on together at most, where a program gives them one by one


class Packets:
    """Packets, which come when they are asked for. What reads a path begins anew in each loop; what reads else has one.

    said: what there was to say, once they were through: what a command would say on standard error. Where it is a loss there is
    a PktWarning, too.
    """

    def __init__(self, start: Callable[[Packets], Iterator[Batch]], files: Iterable[str] = (), *, once: bool = False) -> None:
        """start: begins to read. files: what is read, by path. once: it can be read only once."""
        self._start, self.files, self.once = start, (*files,), once
        self.begun = self.numbered = False
        self.said: list[str] = []

    def batches(self, numbered: bool = False) -> Iterator[Batch]:
        """The same packets in batches, as stages take them; each is good until the next one is asked for. Raises PktError.

        numbered: they tell what each packet counts as in what is read.
        """
        need(not (self.once and self.begun), "these packets were read before: list(...) keeps them")
        self.begun, self.numbered = True, numbered
        self.said.clear()
        return self._start(self)

    def __iter__(self) -> Iterator[Packet]:
        for batch in self.batches(True):
            if len(batch):
                sheet = Sheet(kept(batch))
                sheet.batch.numbers = batch.numbers
                for row in range(len(batch)):
                    yield View(sheet, row)

    def __repr__(self) -> str:
        of = f" of {', '.join(self.files)}" if self.files else ""
        return f"<Packets{of}{', read already' if self.once and self.begun else ''}: list(...) reads them>"

    def filter(self, *expressions: str, **options: object) -> Packets:
        """Those that match an expression, see pkttools.filter."""
        from .stages import filter  # late: it needs us

        return filter(self, *expressions, **options)

    def change(self, *words: str, **options: object) -> Packets:
        """The same with changed fields, see pkttools.change."""
        from .stages import change

        return change(self, *words, **options)

    def correct(self, **options: object) -> Packets:
        """The same with right checksums, see pkttools.correct."""
        from .stages import correct

        return correct(self, **options)

    def pipe(self, commands: str) -> Packets:
        """What comes out of commands, see pkttools.pipe."""
        from .stages import pipe

        return pipe(commands, self)

    def write(self, to: Path | IO[Any], **options: object) -> int:
        """Writes them, see pkttools.write."""
        from .writing import write

        return write(to, self, **options)


def read(file: Path | IO[Any]) -> Packets:
    """Packets of a file: text, pcap or pcapng, which is seen from its first bytes.

    file: a path, or an object with `read`, such as what gzip.open gives. Raises PktError where there is no such file; what is
    wrong in it is raised behind the packets before it.
    """
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(file)
        try:
            os.stat(path)  # noqa: PTH116  pathlib is slow to import
        except OSError as error:
            raise PktError(f"{path}: {error.strerror}") from None
        return Packets(lambda stream: opened(Input([path]), stream), [path])
    if not hasattr(file, "read"):
        raise TypeError(f"{file!r:.40} is neither a path nor a file that is open, with `read`")
    name = getattr(file, "name", None)
    return Packets(lambda stream: opened(Given(file, name if isinstance(name, str) else "<file>"), stream), once=True)


def parse(text: str | bytes) -> list[Packet]:
    """The packets of a text, or of the bytes of a capture, such as one that stands in a program. Raises PktError."""
    from io import BytesIO  # late: seldom

    data = text.encode() if isinstance(text, str) else text
    stream = Packets(lambda stream: opened(Given(BytesIO(data), "<text>"), stream))
    return list(stream)


def opened(source: Input, stream: Packets) -> Iterator[Batch]:
    """The batches of an input, which is closed behind them."""
    try:
        count = 0
        for batch in joined(source, packets):
            if stream.numbered:
                batch.numbers = range(count + 1, count + 1 + len(batch))
                count += len(batch)
            yield batch
        tell(source.said, stream.said)
    except Interrupted:  # pragma: no cover  only where a program runs commands, too
        raise KeyboardInterrupt from None
    finally:
        source.close()


def batches_of(given: Several, numbered: bool = False) -> Iterator[Batch]:
    """Packets, however they are given, in batches: as they are where they are in some, else copied. numbered: see `batches`."""
    if isinstance(given, Packets):
        yield from given.batches(numbered)
        return
    together: list[Held] = []
    numbers: list[int] = []
    waited_for = not isinstance(given, (Packet, list, tuple))
    for packet in given if hasattr(given, "__iter__") else [given]:
        if not isinstance(packet, Packet):
            raise TypeError(f"{packet!r:.40} is no packet; read(path) gives those of a file")
        together.append(held(packet))
        if numbered:
            numbers.append(packet._number)
        # With the last one of what came together: who reads what is received waits for no other packet.
        if len(together) == AT_ONCE or (waited_for and packet._row + 1 == len(packet._sheet.batch)):
            yield made_of(together, numbers)
            together, numbers = [], []
    if together:
        yield made_of(together, numbers)


def made_of(packets: list[Held], numbers: list[int]) -> Batch:
    """A batch of packets. numbers: theirs; empty: nobody asks."""
    batch = gathered(packets)
    if numbers:
        batch.numbers = array("q", numbers)
    return batch


def files_of(given: Several) -> tuple[str, ...]:
    """What is read of packets that are yet to come."""
    return given.files if isinstance(given, Packets) else ()
