"""What a process of a ring does: it reads pieces of a file, works on them, and writes what comes of it. See ring.py for the others.

In turn with the others it reads, and says what its packets change for those behind, and from where on these write; all else is
done side by side. Who waited until others have written would lose time: the kernel lets one write to a file at a time, and that is
what limits all. What is not as usual it leaves to the process that all are copies of, with all that comes behind.
"""

from __future__ import annotations

import os

from ..batch import Batch
from ..errors import PktError
from .forked import NOTHING, keep_only, number, received, send, send_number
from .tallies import taken
from .worker import know, state_of, worked_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..formats.files import Output, Sink
    from ..formats.stretch import Stretch
    from .stage import Stage
    from .worker import State

PIECE = 896 << 10  # bytes that are read at once
AT_ONCE = 16  # pieces of which is told in one message
BROKEN = NOTHING - 1  # less a place, instead of where to read: what is to be there could not be written


class Kept:
    """In place of a sink's output: keeps what is written until it is its turn."""

    lane = lender = None

    def __init__(self, output: Output) -> None:
        self.name, self.fd, self.stale = output.name, output.fd, output.stale
        self.had = 0 if output.stale else os.fstat(output.fd).st_size  # bytes that stay behind what is written
        self.data: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview, *_: object) -> None:
        """Keeps it: nothing changes before the next piece is read."""
        self.data.append(data)

    def end(self, place: int) -> int:
        """Where it will end that is written from a place of the file on. What was in that before goes. Raises OSError."""
        self.data = [memoryview(piece) for piece in self.data]
        size = sum(map(len, self.data))
        if self.stale and size:
            self.stale = False
            if not place:  # else another one has done it
                os.ftruncate(self.fd, 0)
        return place + size

    def cut(self, place: int) -> None:
        """Takes away what was written from there on, if anything is: who was to write before it may have had no room, either."""
        whole = max(place, self.had)
        try:
            if os.fstat(self.fd).st_size > whole:  # not of a device
                os.ftruncate(self.fd, whole)
        except OSError:
            pass  # a file that may not be shorter

    def put(self, place: int) -> None:
        """Writes it there. Raises OSError."""
        data, self.data = self.data, []
        for rest in data:
            while rest:
                done = os.pwrite(self.fd, rest, place)
                rest, place = rest[done:], place + done


class Member:
    """A process. fd: of the file that is read. before, behind: pipes from whom it gets the word, and to whom it gives it."""

    def __init__(self, stages: list[Stage], sink: Sink, stretch: Stretch, fd: int, before: int, behind: int) -> None:
        self.stages, self.sink, self.stretch, self.fd, self.before, self.behind = stages, sink, stretch, fd, before, behind
        self.several = False  # whether a piece may become several batches
        self.parent = os.getpid()  # here it is not forked yet
        self.kept = Kept(sink.output)  # type: ignore[arg-type]  # ring.py asks for one

    def serve(self, _orders: int, results: int) -> None:
        """Works until there is nothing more, or the other side ends.

        Says of each piece where it ends, in what is read and what is written, what was counted, and what is to be known behind it;
        None of the one that is left to the other side.
        """
        self.sink.output = self.kept  # type: ignore[assignment]  # it has what a sink asks of one of which processes write pieces
        self.counting = [self.stages, self.sink, self.stretch]
        self.settled, self.buffer = self.sink.settled(), bytearray(PIECE)
        keep_only(results, self.fd, self.kept.fd, self.before, self.behind)
        taken(self.counting)  # that is the other side's
        said: list[tuple[Any, ...] | None] = []
        while (start := number(self.before)) >= 0:
            size, after = self.piece(start)
            place = number(self.before)
            if place < 0 or os.getppid() != self.parent:
                break
            if not size:
                said.append(None)
                break
            try:
                written = self.kept.end(place)
                self.pass_on(send_number, written)  # the next one need not wait until it is written
                self.kept.put(place)
            except OSError:
                said.append(None)
                start = BROKEN - place
                break
            said.append((start + size, written, taken(self.counting), after))
            if len(said) == AT_ONCE:
                send(results, said)
                said = []
        if start <= BROKEN:
            self.broken(BROKEN - start)
        send(results, said)

    def broken(self, place: int) -> None:
        """Takes away what was written behind a place where others could not write, and lets those behind do so, each after what it
        has written last: no hole stays, not even where the other side, which would see to it, has been killed.
        """
        self.kept.cut(place)
        self.pass_on(send_number, BROKEN - place)

    def pass_on(self, how: Callable[[int, Any], None], what: Any) -> None:  # noqa: ANN401  what can be sent
        """Tells the one behind, if it is there still."""
        try:
            how(self.behind, what)
        except BrokenPipeError:
            pass

    def piece(self, start: int) -> tuple[int, State | None]:
        """Reads a piece, and makes what is to be written of it: gives its size, and the state behind it. Size 0: it did not."""
        size = self.read(start)
        self.pass_on(send_number, start + size if size else NOTHING)
        batches: list[Batch] = []
        after = None
        try:
            batches = self.made(start, size) if size else []
        except Exception:  # whoever does it once more has the message
            size = 0
        if self.sink.STATE:
            state = received(self.before)
            if not state or not size:
                self.pass_on(send, None)
                return 0, None
            after = self.foreseen(state, batches)
            self.pass_on(send, after)
            know(self.sink, state)
        try:
            for batch in batches:
                self.sink.write(batch)
        except Exception:
            return 0, None
        return (size, after) if self.sink.settled() == self.settled else (0, None)

    def read(self, start: int) -> int:
        """Reads a piece; gives its size."""
        try:
            used = os.preadv(self.fd, [self.buffer], start)
        except OSError:
            return 0
        return self.stretch.cut(self.buffer, used) if used else 0

    def made(self, start: int, size: int) -> list[Batch]:
        """What stages make of the piece that was read, all of it at once. More than one batch has to be copied.

        Raises PktError where it is no more what was read, and what stages and the stretch raise.
        """
        batches: list[Batch] = []
        for batch in worked_on(self.stages, self.stretch.batches(self.buffer, size)):
            if batches and not self.several:
                self.several = True  # and the first one may be overwritten now
                taken(self.counting)
                if self.read(start) != size:
                    raise PktError("the file has changed")
                return self.made(start, size)
            batches.append(Batch(bytearray(batch.data), bytearray(batch.rows)) if self.several else batch)
        return batches

    def foreseen(self, state: State, batches: list[Batch]) -> State:
        """What the sink will know, once it has written these."""
        know(self.sink, state)
        for batch in batches:
            self.sink.pass_by(batch)
        return state_of(self.sink)
