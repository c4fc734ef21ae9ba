"""Several processes that do the work of stages: each gets a batch, and what they make of them comes in the order of the batches.

Packets are read and written by one process, as without them, so that the same octets come out of any format. Both sides see the
memory that packets lie in: nothing is copied that is changed where it lies. Forked, they know all that the command line said.
"""

from __future__ import annotations

import os
from itertools import chain

from ..batch import Batch, gathered
from ..errors import PktError, limit
from .forked import Forked
from .ring import Ring, fits
from .tallies import added
from .worker import ENDED, ERRORS, GIVEN, MORE, ROOM, SENT, Piece, know, serve, state_of, worked_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap
    from typing import Any

    from ..formats.files import Sink
    from .stage import Source, Stage
    from .worker import State

DEPTH = 2  # pieces of memory of a process: it works on one while what it made of the other one is written


def divided(stages: list[Stage], source: Source, sink: Sink, count: int) -> tuple[list[Stage | Workers], list[str]]:
    """The parts of a flow where so many processes work: instead of the longest run of stages that can be worked on apart.

    And what there is to say of the others.
    """
    if not hasattr(os, "fork"):
        return [*stages], ["--jobs: one process works: this system has no fork"]
    if source.file is None or not source.file.are_files:
        name = source.file.name if source.file else f"what {stages[0].name} reads"
        return [*stages], [f"--jobs: one process works: {name} is no file"]
    if fits(stages, source, sink):
        ring = Ring(stages, source, sink, count)
        source.file.elsewhere = ring.share
        return [*stages], ring.notes
    reasons = [stage.alone for stage in stages]
    notes = [f"--jobs: {stage.name} works in one process: {why}" for stage, why in zip(stages, reasons, strict=True) if why]
    first = stop = start = 0
    for at, why in enumerate([*reasons, "there are no more"]):
        if why:
            if at - start > stop - first:
                first, stop = start, at
            start = at + 1
    if first == stop:
        return [*stages], notes
    workers = Workers(stages[first:stop], source, sink, count, first == 0, stop == len(stages), notes)
    return [*stages[:first], workers, *stages[stop:]], notes


class Worker:
    """A process, seen from the one that reads and writes, and the memory that both see."""

    def __init__(self, stages: list[Stage], sink: Sink, others: list[Worker]) -> None:
        """others: those that were started before. Raises OSError where there can be no more processes."""
        self.pieces = [Piece() for _ in range(DEPTH)]
        self.process: Forked = Forked(
            lambda orders, results: serve(stages, sink, self.pieces, orders, results), [one.process for one in others]
        )

    def give(self, which: int, batch: Batch, state: State | None) -> None:
        """Hands a batch over, in a piece that is free. Nobody waits here: so small a message has room."""
        piece = self.pieces[which]
        if batch.data is not piece.given:
            piece.given[: len(batch.data)] = memoryview(batch.data)
        piece.rows[: len(batch.rows)] = batch.rows
        self.process.tell((which, len(batch.rows), state))


class Workers:
    """Processes that do what some stages do; a part of a flow in place of these, which get what was counted.

    reads: whether what they get comes from the source as it lies, so that it can be read into their memory; a stage between could
    give something else first, which would go there. writes: whether what they make goes to the sink. Then they also make the
    octets of a sink that says by STATE what these depend on. What that will be is guessed, as if no packet were dropped; where it
    was not so, this side makes the octets. notes: gets what there is to say, in the end, of stages that one process works on.
    """

    def __init__(
        self, stages: list[Stage], source: Source, sink: Sink, count: int, reads: bool, writes: bool, notes: list[str]
    ) -> None:
        self.stages, self.source, self.sink, self.count = stages, source, sink, count
        self.reads, self.writes, self.notes = reads, writes, notes
        self.encodes = False
        self.workers: list[Worker] = []
        self.given = self.taken = 0  # batches
        self.waiting: list[int] = []  # packets of those that were given and not taken
        self.written: tuple[Any, ...] | None = None  # what was made of the last one that was taken: where, and what was guessed

    def through(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """What becomes of the batches of a stream. Raises PktError where a process ends, or cannot be had."""
        for batch in stream:  # the first one is worked on here: what it takes is ready then, and its link type and format known
            yield from worked_on(self.stages, iter([batch]))
            break
        try:
            for batch in stream:
                if not self.workers and not self.starts():
                    yield from worked_on(self.stages, chain([batch], stream))
                    return
                for part in fitting(batch, self.next()[1].given):
                    yield from self.made(self.count * DEPTH)
                    self.give(part)
                yield from self.made(self.count * DEPTH)  # so that there is memory to read into
            yield from self.made(1)
        finally:
            while self.workers:
                self.workers.pop().process.close()

    def starts(self) -> bool:
        """Starts the processes; or not, where what is read beside packets goes to the sink by itself. Raises PktError."""
        sections = self.source.file.sections if self.source.file else None
        if sections and self.source.form == "pcapng" and not self.writes:
            why = "works in one process: what pcapng says beside packets passes by a later stage"
            self.notes += dict.fromkeys(f"--jobs: {stage.name} {why}" for stage in self.stages)
            return False
        if sections:
            sections.settle = self.settle
        try:
            for _ in range(self.count):
                self.workers.append(Worker(self.stages, self.sink, self.workers))
        except OSError as error:
            raise PktError(f"--jobs {self.count}: {limit(error)}") from None
        output = self.sink.written_by.output
        self.encodes = self.writes and bool(self.sink.written_by.STATE and output and not output.lane)
        if self.source.file and self.source.hands_on and self.reads:
            self.source.file.onward = self  # type: ignore[assignment]  # what reads captures asks it for memory alone
        return True

    def settle(self) -> None:
        """Writes all that was read."""
        for batch in self.made(1):
            self.write(batch)

    def next(self) -> tuple[Worker, Piece]:
        """Who gets the next batch, in which memory."""
        worker = self.workers[self.given % self.count]
        return worker, worker.pieces[self.given // self.count % DEPTH]

    def give(self, batch: Batch) -> None:
        """Gives the next process a batch."""
        state = None
        if self.encodes:
            state = state_of(self.sink.written_by)
            if "count" in state:
                state["count"] += sum(self.waiting)
        self.next()[0].give(self.given // self.count % DEPTH, batch, state)
        self.waiting.append(len(batch))
        self.given += 1

    def made(self, most: int) -> Iterator[Batch]:
        """What was made of the oldest batches, until fewer than `most` are waited for. Raises what their process raised."""
        while self.given - self.taken >= most:
            worker, piece = self.workers[self.taken % self.count], self.taken // self.count % DEPTH
            memory = worker.pieces[piece]
            while True:
                counts, where, start, stop, octets, written, failure = self.received(worker)
                added(self.stages, counts)
                if failure:
                    self.taken = self.given  # nothing is waited for any more: who reads may be the one that hears of it
                    raise ERRORS.get(failure[0], RuntimeError)(failure[1])
                if where is None:
                    break
                if where == SENT:
                    yield Batch(bytearray(octets[0]), bytearray(octets[1]))
                    continue
                self.written = written and (memory.written[written[0] : written[1]], *written[2:])
                yield Batch(memory.given if where == GIVEN else memory.made, bytearray(memory.rows[start:stop]))
            self.taken += 1
            self.waiting.pop(0)

    def received(self, worker: Worker) -> tuple[Any, ...]:
        """The next message of a process. Raises PktError where it has ended, Interrupted."""
        message: tuple[Any, ...] | None = worker.process.heard()
        if message is None:
            self.workers.remove(worker)
            self.taken = self.given  # the same
            how = worker.process.close()
            raise PktError(ENDED.format(how))
        return message

    def write(self, batch: Batch) -> None:
        """Writes a batch that has just come: what a process has made of it, where that is what the sink would make."""
        if self.written:
            text, before, after, counts = self.written
            self.written, sink = None, self.sink.written_by
            if before == state_of(sink) and sink.output:
                sink.output.write(text)
                added(sink, counts)
                know(sink, after)
                return
            self.encodes = False  # some are dropped here: no number would be right from now on
        self.sink.write(batch)

    def ahead(self, _rows: int, _data: int, kept: int) -> tuple[mmap, int] | None:
        """Memory to read into, as Lane of formats/lane.py gives it: then nothing is copied."""
        return (self.next()[1].given, 0) if kept < ROOM // 2 else None


def fitting(batch: Batch, given: mmap) -> Iterator[Batch]:
    """The packets of a batch in such as fit into a piece. given: memory that they may be in already."""
    if (batch.data is given or len(batch.data) <= ROOM) and len(batch.rows) <= MORE:
        yield batch
    elif len(batch) == 1:
        yield gathered([batch.packet(0)])
    else:
        half = len(batch) // 2
        for part in (batch.part(0, half), batch.part(half, len(batch))):
            yield from fitting(gathered(map(part.packet, range(len(part)))), given)
