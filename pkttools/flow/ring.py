"""Several processes that read a file, work, and write to a file, where this one has only to hear what became of it.

Each reads a piece and tells the next one where it ends, works on it while that one reads, tells it where what comes of it will end
in the output, and writes it there; so a word goes round for reading, and one for writing, and nothing is read twice or lost. That
goes on as long as all is plain. What is not, be it a bad record, another section, a full disk or the end, is left to this process,
which goes on there as if there were no others, has the message if there is one, and may ask others for what is behind. They are
copies of it, made where they begin.
"""

from __future__ import annotations

import os
import stat
from itertools import cycle

from ..errors import PktError, counted, limit
from ..formats import capture_format, compression_in, packets
from .forked import Forked, send, send_number
from .member import Member
from .stage import Source
from .tallies import added
from .worker import ENDED, know, state_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..formats.files import Input, Sink
    from ..formats.stretch import Stretch
    from .stage import Stage

LEAST = 1 << 20  # bytes from which processes are started for them
FEW = 8  # pieces after which that was not worth it
HEAD = 512  # bytes of a file by which it is known what it holds


def fits(stages: list[Stage], source: Source, sink: Sink) -> bool:
    """Whether processes can do it all: of plain files that are large, as far as is seen, and into a file."""
    from fcntl import F_GETFL, fcntl  # here: Windows has none, and no processes either

    output = sink.output
    if any(stage.alone for stage in stages) or not isinstance(source, Source) or source.read is not packets:
        return False
    if output is None or output.packer or not (stages[-1].as_read or sink.STATE is not None) or not hasattr(os, "preadv"):
        return False
    mode = os.fstat(output.fd).st_mode
    appends = fcntl(output.fd, F_GETFL) & os.O_APPEND  # others may, too, and what is broken off has to be taken away
    whole = (stat.S_ISREG(mode) and not appends) or (stat.S_ISCHR(mode) and has_places(output.fd))
    file: Input = source.file  # type: ignore[assignment]  # workers.py has asked for one
    return whole and all(found.st_size >= LEAST for found in file.found) and all(map(plain, file.paths))


def has_places(fd: int) -> bool:
    """Whether each can write to a place of a device of its own: not of a terminal, nor of others that are streams."""
    try:
        os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return False
    return not os.isatty(fd)


def plain(path: str | None) -> bool:
    """Whether a file has packets that can be read from any on."""
    try:
        fd = os.open(path, os.O_RDONLY) if path else os.dup(0)
    except OSError:
        return False  # whoever reads it will say so
    try:
        head = os.pread(fd, HEAD, os.lseek(fd, 0, os.SEEK_CUR))
    except OSError:
        return False
    finally:
        os.close(fd)
    form = capture_format(head, len(head))
    return form in ("pcap", "pcapng") or not (form or b"\0" in head or compression_in(head))


class Ring:
    """Processes that work for a flow."""

    def __init__(self, stages: list[Stage], source: Source, sink: Sink, count: int) -> None:
        self.stages, self.source, self.sink, self.count = stages, source, sink, count
        self.pause = self.left = 0  # batches that are read here before others are asked for again, and how many of them are left
        self.members: list[Forked] = []
        self.pieces = 0  # that were read and written by these
        self.notes: list[str] = []  # what there is to say, for those who ask
        self.told: list[list[tuple[Any, ...] | None]] = []  # what they have said and was not asked for yet

    def share(self, unused: int, stretch: Stretch) -> int:
        """Lets processes go on where packets are read, all before are written: gives how many bytes were done, of which nothing is
        left to be read then.

        unused: bytes that were read and are of these. Raises PktError where a process ends, or cannot be had, Interrupted.
        """
        file: Input = self.source.file  # type: ignore[assignment]  # the same
        sink, output = self.sink.written_by, self.sink.output
        self.left -= 1
        if self.left >= 0 or sink.STATE is None or output is None:
            return 0
        begin = place = os.lseek(file.fd, 0, os.SEEK_CUR) - unused
        if os.fstat(file.fd).st_size - begin < LEAST:
            return 0
        output.settle()
        written, had = os.lseek(output.fd, 0, os.SEEK_CUR), os.fstat(output.fd).st_size
        pieces = 0
        try:
            self.start(sink, stretch, file.fd, begin, written)
            for member in cycle(self.members):
                piece = self.heard(member)
                if piece is None:
                    break
                place, written, counts, after = piece
                added([self.stages, sink, stretch], counts)
                know(sink, after or {})
                pieces += 1
                if file.shown:
                    os.lseek(file.fd, place, os.SEEK_SET)
                    file.shown(counts[0][0]["came"])
        finally:
            self.end()
            now = os.fstat(output.fd)
            if stat.S_ISREG(now.st_mode):
                emptied = output.stale and (written or now.st_size != had)
                whole = written if emptied else max(written, had)
                if now.st_size > whole:
                    os.ftruncate(output.fd, whole)  # of the pieces behind, what was not told may be broken off
                os.lseek(output.fd, written, os.SEEK_SET)
            output.stale = output.stale and not written
        os.lseek(file.fd, place if pieces else begin + unused, os.SEEK_SET)
        self.pieces += pieces
        if self.stages[0].values.verbose:
            self.notes[:] = [f"--jobs: {self.count} processes read and wrote {counted(self.pieces, 'piece')} of what was read"]
        self.pause = 0 if pieces >= FEW else 2 * self.pause + 1
        self.left = self.pause
        return place - begin

    def start(self, sink: Sink, stretch: Stretch, fd: int, begin: int, place: int) -> None:
        """Starts the processes, and gives the first one the word. Raises PktError where there can be no more."""
        before, first = os.pipe()
        try:
            send_number(first, begin)  # it takes the word while others are made
            if sink.STATE:
                send(first, state_of(sink))
            send_number(first, place)
            for i in range(self.count):
                next_one, behind = os.pipe() if i < self.count - 1 else (-1, first)
                member = Member(self.stages, sink, stretch, fd, before, behind)
                self.members.append(Forked(member.serve, self.members))
                self.told.append([])
                for end in (before, behind):
                    if end != first:
                        os.close(end)
                before = next_one
        except OSError as error:
            raise PktError(f"--jobs {self.count}: {limit(error)}") from None
        finally:
            os.close(first)

    def heard(self, member: Forked) -> tuple[Any, ...] | None:
        """What a process says of its next piece; None: that is left to this one. Raises PktError, Interrupted."""
        told = self.told[self.members.index(member)]
        while not told:
            message = member.heard()
            if message is None:
                self.members.remove(member)
                raise PktError(ENDED.format(member.close()))
            told += message
        return told.pop(0)

    def end(self) -> None:
        """Ends the processes: nothing is written any more."""
        while self.members:
            self.members.pop().close()
        self.told = []
