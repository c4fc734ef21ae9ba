"""A file is written by a thread of its own while the next packets are read and worked on."""

from __future__ import annotations

import _thread  # threading takes longer to import than this to run
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class WriteBehind:
    """One piece is written at a time; whoever hands over the next one waits for it.

    An error shows when the next piece is handed over, or in the end. A signal's exception may come between any two lines:
    what counts is counted, so that nobody ever waits for what is not coming. taken: bytes of a piece in front of an error.
    """

    def __init__(self, fd: int, change: Callable[[memoryview], bytes] | None = None) -> None:
        """change: gives what is written of a piece. Raises RuntimeError where there can be no thread."""
        self.fd, self.change = fd, change
        self.piece = memoryview(b"")
        self.given = self.finished = 0  # pieces
        self.taken = 0
        self.error: Exception | None = None
        self.closed = False
        self.ready, self.done = _thread.allocate_lock(), _thread.allocate_lock()
        self.ready.acquire()
        self.done.acquire()
        _thread.start_new_thread(self.work, ())

    def write(self, piece: bytes | bytearray) -> None:
        """Hands over a piece, which never changes again. Raises OSError if the one before was not written."""
        self.wait()
        self.piece = memoryview(piece)
        self.ready.release()
        self.given += 1

    def wait(self) -> None:
        """Waits until everything is written. Raises OSError, once."""
        while self.finished < self.given:
            self.done.acquire()
        error, self.error = self.error, None
        if error:
            raise error

    def close(self) -> None:
        """Waits for the same, and ends the thread: who writes many files has one for each. Raises OSError."""
        try:
            self.wait()
        finally:
            self.closed = True
            if self.ready.locked():  # else a signal came while a piece was handed over: that is written first
                self.ready.release()

    def work(self) -> None:
        """What the thread does until there is nothing more to write, or the process ends."""
        while True:
            self.ready.acquire()
            if self.closed and not self.piece:
                return
            whole = len(self.piece)
            try:
                if self.change:
                    self.piece = memoryview(self.change(self.piece))
                whole = len(self.piece)
                while self.piece:
                    self.piece = self.piece[os.write(self.fd, self.piece) :]
            except Exception as error:  # for the one who waits
                self.error = error
                self.taken = whole - len(self.piece)
                self.piece = memoryview(b"")
            self.finished += 1
            if self.done.locked():  # else nobody waits yet
                self.done.release()
