"""What a process of `pkt-pipe --jobs` does: it works on batches in memory that both sides see, and writes what the sink would.

Nothing is copied that is changed where it lies. See workers.py for the other side.
"""

from __future__ import annotations

from ..batch import MAX_BATCH, Batch
from ..errors import PktError, UsageError
from .forked import keep_only, received, send
from .tallies import taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..formats.files import Output, Sink
    from .stage import Stage

    State = dict[str, Any]

ROOM = 1 << 20  # bytes of packets in a piece: more than most reads bring
MORE = 2 * MAX_BATCH  # of rows, and of packets that were made; those that are not used take no memory
WRITTEN = 8 * MAX_BATCH  # of what was made of these
ERRORS = {error.__name__: error for error in (PktError, UsageError, MemoryError)}  # that are raised again on the other side
ENDED = "a process that worked on packets ended {}: from there on nothing is written"
GIVEN, MADE, SENT = range(3)  # where packets are that were worked on: where they came, in other memory, in the message


class Piece:
    """Memory that both sides see.

    given, rows: packets to work on, and their rows, then those of what was made. made: its packets, where they lie elsewhere.
    written: what the sink would write.
    """

    def __init__(self) -> None:
        from mmap import mmap  # late: the processes of a ring have none

        self.given, self.made = mmap(-1, ROOM), mmap(-1, MORE)
        self.rows, self.written = memoryview(mmap(-1, MORE)), memoryview(mmap(-1, WRITTEN))


def state_of(sink: Sink) -> State:
    """What depends on the packets before, of what a sink writes next."""
    return {name: getattr(sink, name) for name in sink.STATE or ()}


def know(sink: Sink, state: State) -> None:
    """Lets a sink know what it would, had it written all packets before."""
    for name, value in state.items():
        setattr(sink, name, value)


def worked_on(stages: list[Stage], stream: Iterator[Batch]) -> Iterator[Batch]:
    """What stages make of batches."""
    for stage in stages:
        stream = stage.through(stream)
    return stream


class Written:
    """In place of a sink's output: memory that gets what is written. used: how much there is."""

    lane = lender = None

    def __init__(self, output: Output) -> None:
        self.name, self.fd = output.name, output.fd
        self.memory, self.used = memoryview(b""), 0

    def write(self, data: bytes | bytearray | memoryview, *_: object) -> None:
        """Keeps it. Raises ValueError where there is no more room."""
        self.memory[self.used : self.used + len(data)] = data
        self.used += len(data)


def serve(stages: list[Stage], sink: Sink, pieces: list[Piece], orders: int, results: int) -> None:
    """What a process does until the other side ends: it works on batches, and says what became of them."""
    keep_only(orders, results)
    sink = sink.written_by
    output = Written(sink.output) if sink.output else None
    sink.output = output  # type: ignore[assignment]  # it has what a sink that has STATE asks of one
    taken([stages, sink])  # that is the other side's
    while order := received(orders):
        which, size, state = order
        piece, failure = pieces[which], None
        rows_used, has_made = 0, False
        if output:
            output.memory, output.used = piece.written, 0
        try:
            for made in worked_on(stages, iter([Batch(piece.given, bytearray(piece.rows[:size]))])):
                where, start = GIVEN if made.data is piece.given else SENT if has_made or len(made.data) > MORE else MADE, rows_used
                rows_used += len(made.rows)
                counts, written = taken(stages), None
                if where == SENT or rows_used > MORE:
                    send(results, (counts, SENT, 0, 0, (bytes(made.data), bytes(made.rows)), None, None))
                    state, rows_used = None, start
                    continue
                if where == MADE:
                    has_made = True
                    piece.made[: len(made.data)] = made.data
                piece.rows[start:rows_used] = made.rows
                if state is not None and output:
                    written = text_of(made, sink, output, state)
                    state = written and written[3]
                send(results, (counts, where, start, rows_used, None, written, None))
        except Exception as error:
            name = type(error).__name__
            failure = (name, str(error) if name in ERRORS else f"{name}: {error}")
        send(results, (taken(stages), None, 0, 0, None, None, failure))


def text_of(batch: Batch, sink: Sink, output: Written, state: State) -> tuple[Any, ...] | None:
    """Where in memory stands what a sink writes that is in a state; this one, the one behind it, and what it has counted.

    None: the other side has to write it; it has the room, and whoever hears what is wrong.
    """
    know(sink, state)
    start = output.used
    try:
        sink.write(batch)
    except (PktError, ValueError):
        return None
    return start, output.used, state, state_of(sink), taken(sink)
