"""A compressed stream is decompressed by a thread while the packets in front are worked on."""

from __future__ import annotations

import _thread
import os
from _queue import SimpleQueue

from ...command_line.signals import elsewhere, wait
from ...errors import PktError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = 4  # pieces that may wait


class Beside:
    """The pieces that an iterator gives, made by a thread of its own.

    Which one is there next says a pipe, so that who waits hears signals, and does what is to be done in time.
    """

    def __init__(self, pieces: Iterator[bytes], fd: int) -> None:
        """fd: what they are read from, closed behind the last one. Raises RuntimeError where there can be no thread."""
        self.over = False  # whether nobody wants more
        self.fd = fd
        self.made: SimpleQueue[bytes | BaseException | None] = SimpleQueue()
        self.wanted: SimpleQueue[bool] = SimpleQueue()
        self.ready, self.told = os.pipe()
        for _ in range(AHEAD):
            self.wanted.put(True)
        _thread.start_new_thread(self.work, (pieces,))

    def work(self, pieces: Iterator[bytes]) -> None:
        """What the thread does, until the stream ends or nobody wants more."""
        elsewhere()
        end: BaseException | None = None
        try:
            while self.wanted.get() and not self.over and (piece := next(pieces, None)) is not None:
                self.made.put(piece)
                os.write(self.told, b"\0")
        except BaseException as error:  # for the one who waits
            end = error
        self.made.put(end)
        os.close(self.fd)
        os.close(self.told)  # what can be read from then on is the end

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next piece. Raises what the iterator does, and Interrupted."""
        wait([self.ready])
        os.read(self.ready, 1)
        piece = self.made.get()
        if isinstance(piece, bytes):
            self.wanted.put(True)
            return piece
        self.made.put(piece)  # who asks once more gets the same
        if piece is None:
            raise StopIteration
        raise piece if isinstance(piece, PktError) else PktError(f"decompressing failed: {piece!r}")

    def close(self, wait: bool) -> None:
        """Ends the thread, as soon as it has read what it reads. wait: until it has, so that another one may read the same."""
        self.over = True
        self.wanted.put(False)
        while wait and isinstance(self.made.get(), bytes):
            pass
        os.close(self.ready)
