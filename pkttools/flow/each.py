"""The same stages for each of many files, some at a time; what is said of the files comes in their order.

What is counted is of all of them together; what makes a failure is asked of each.

Files are handed out a few at a time. A process works on many of them, unless stages keep state, which is to begin anew for each
file. What becomes of a file gets its name once it is whole.
"""

from __future__ import annotations

import os
import stat
from collections import deque

from ..command_line.progress import Progress
from ..command_line.signals import Interrupted, install, ready
from ..errors import PktError, UsageError, counted, limit, need, warn
from . import accounts, ended
from .forked import Forked, received, send
from .outputs import outputs
from .tallies import added, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .stage import Stage

    Became = tuple[list[str], bool]  # of a file: what there is to say, and whether it failed

FEW, SMALL = 32, 1 << 20  # files that are handed out at a time, and bytes that these may have together
PAUSE = 0.5  # seconds after which it is looked whether somebody wants to see how far it is


def run_each(stages: list[Stage], files: Sequence[str], folder: str | None, jobs: int) -> tuple[list[str], int]:
    """Runs stages for each of the files, so many at a time. Returns what there is to say in the end, and the exit code.

    folder: for what is written; None, where nothing is. What became of a file is said as soon as all is said of those before it.
    Raises UsageError, PktError, Interrupted.
    """
    need(hasattr(os, "fork"), "--each: this system has no fork")
    for stage in stages:
        need(not stage.joins, f"--each works on each file by itself, and {stage.name} makes one of several: give these to it")
        need(stage.adds_up, f"--each: what {stage.name} counts cannot be added up: run it for one file after the other")
        stage.of_many = True
    new = folder is not None and not os.path.isdir(folder)  # noqa: PTH112  pathlib is slow to import
    queue = Queue(stages, files, outputs(stages, files, folder))
    install(drain=False)
    try:
        queue.run(jobs)
    except Interrupted as interrupted:
        raise Interrupted(interrupted.args[0], f"{queue.finished} of {counted(len(files), 'file')} done") from None
    finally:
        queue.close()
        if folder is not None and new and (queue.failed or queue.said < len(files)):
            take_back(folder)
    lines = accounts(stages, [], [])
    if queue.failed:
        lines.append(f"{queue.failed} of {counted(len(files), 'file')} failed")
    return lines, int(queue.failed > 0)


class Queue:
    """Files, and the processes that work on them. said: files of which all is said; failed: those of them that failed."""

    def __init__(self, stages: list[Stage], files: Sequence[str], paths: Sequence[str]) -> None:
        self.stages, self.files, self.paths = stages, files, paths
        self.keeps_state = any(stage.alone for stage in stages)
        self.given = self.said = self.failed = 0
        self.again: deque[range] = deque()  # files that are handed out once more, each by itself
        self.idle: list[Forked] = []
        self.working: dict[Forked, range] = {}
        self.done: dict[int, tuple[list[Became], list[object]]] = {}  # what became of files, and was counted, by the first one
        self.progress = Progress()
        self.owner = os.getpid()

    @property
    def finished(self) -> int:
        """Files that are done, as far as has been heard, also those that wait until all is said of others."""
        return self.said + sum(len(became) for became, _ in self.done.values())

    def run(self, jobs: int) -> None:
        """Works on all of them. Raises Interrupted, PktError."""
        while self.said < len(self.files):
            while len(self.working) < jobs and (files := self.next()):
                worker = self.idle.pop() if self.idle else self.started()
                self.working[worker] = files
                worker.tell((files.start, files.stop))
            readable, _ = ready([worker.results for worker in self.working], [], PAUSE)
            for worker in [worker for worker in self.working if worker.results in readable]:
                self.take(worker)
            while self.said in self.done:
                self.tell(*self.done.pop(self.said))
            if self.progress.due:
                self.progress.show(f"{self.said} of {len(self.files)} files")

    def next(self) -> range:
        """The files to be handed out next: as many as are small, else one; none: there are no more."""
        if self.again:
            return self.again.popleft()
        first, size = self.given, 0
        while self.given < len(self.files) and self.given - first < (1 if self.keeps_state else FEW):
            size += size_of(self.files[self.given])
            if size > SMALL and self.given > first:
                break
            self.given += 1
        return range(first, self.given)

    def started(self) -> Forked:
        """Another process. Raises PktError where there can be no more."""
        try:
            return Forked(self.serve, (*self.working, *self.idle))
        except OSError as error:
            raise PktError(f"--each: {limit(error)}") from None

    def take(self, worker: Forked) -> None:
        """Takes what a process says of its files. If it has ended instead, each is tried by itself: one of them ended it."""
        files = self.working.pop(worker)
        answer = received(worker.results)
        if answer is None:
            how = worker.close()
            self.clear(files)
            if len(files) > 1:
                self.again += (range(number, number + 1) for number in files)
            else:
                self.done[files.start] = [([f"the process that worked on it ended {how}"], True)], []
            return
        became, counts = answer
        self.done[files.start] = became, counts
        if self.keeps_state or any(failed for _, failed in became):  # what failed may have left something open
            worker.close()
        else:
            self.idle.append(worker)

    def tell(self, became: list[Became], counts: list[object]) -> None:
        """Says what became of the next files, and counts."""
        for lines, failed in became:
            file = self.files[self.said]
            if lines:
                self.progress.clear()
            for line in lines:
                warn(line if line.startswith(f"{file}:") else f"{file}: {line}")
            self.failed += failed
            self.said += 1
        for count in counts:
            added(self.stages, count)

    def serve(self, orders: int, results: int) -> None:
        """What a process does: it works on files as long as it is told to."""
        taken(self.stages)  # that is the other side's
        while order := received(orders):
            became, counts = [], []
            for i in range(*order):
                became.append(work(self.stages, self.files[i], self.paths[i], self.unfinished(i)))
                counts.append(taken(self.stages))  # each file begins at 0
            send(results, (became, counts))

    def unfinished(self, number: int) -> str:
        """Where what becomes of a file stands until it is whole."""
        return os.path.join(os.path.dirname(self.paths[number]), f".pkt-pipe-{self.owner}-{number}")  # noqa: PTH118, PTH120  pathlib is slow to import

    def clear(self, files: range) -> None:
        """Takes away what is not whole."""
        for number in files:
            remove(self.unfinished(number))

    def close(self) -> None:
        """Ends all processes, whatever they are doing, and shows no longer how far they are."""
        self.progress.clear()
        for worker in (*self.working, *self.idle):
            worker.close()
        for files in self.working.values():
            self.clear(files)


def size_of(file: str) -> int:
    """The bytes of a file; many, where that is not known, since it may take long."""
    try:
        found = os.stat(file)  # noqa: PTH116  pathlib is slow to import
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else SMALL + 1


def work(stages: list[Stage], file: str, path: str, unfinished: str) -> Became:
    """Runs stages for a file, and writes what becomes of it elsewhere until it is whole. path: empty where nothing is written."""
    stages[0].values.input, stages[-1].values.output = [file], unfinished
    try:
        end = ended(stages)
        if end.whole and path:
            os.replace(unfinished, path)  # noqa: PTH105  pathlib is slow to import
        judged = [line for stage in stages for line in stage.judged()]
        lines = [str(line) for line in (*end.errors, *end.read, *end.written, *judged)]
        failed = end.failed or any(stage.failed for stage in stages)
    except (PktError, UsageError) as error:
        lines, failed = [str(error)], True
    except MemoryError:
        lines, failed = ["out of memory"], True
    except OSError as error:
        lines, failed = [f"{path}: {limit(error)}"], True
    except Exception as error:
        lines, failed = [f"internal error, please report it: {type(error).__name__}: {error}"], True
    if failed:
        remove(unfinished)
    return [line.replace(unfinished, path) for line in lines], failed


def remove(path: str) -> None:
    """Takes a file away, where it is there."""
    try:
        os.unlink(path)  # noqa: PTH108  pathlib is slow to import
    except OSError:
        pass


def take_back(folder: str) -> None:
    """Takes a folder away that was made, where nothing came into it."""
    try:
        os.rmdir(folder)  # noqa: PTH106  pathlib is slow to import
    except OSError:
        pass
