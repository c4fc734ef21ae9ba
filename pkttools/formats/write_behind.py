"""A file is written by a thread of its own while the next packets are read and worked on."""

from __future__ import annotations

import _thread  # threading takes longer to import than this to run
import os


class WriteBehind:
    """One piece is written at a time; whoever hands over the next one waits for it.

    An error shows when the next piece is handed over, or in the end.
    """

    def __init__(self, fd: int) -> None:
        """Raises RuntimeError where there can be no thread."""
        self.fd = fd
        self.piece = memoryview(b"")
        self.error: OSError | None = None
        self.idle, self.ready = _thread.allocate_lock(), _thread.allocate_lock()
        self.ready.acquire()
        _thread.start_new_thread(self.work, ())

    def write(self, piece: memoryview) -> None:
        """Hands over a piece, which stays as it is until the next call. Raises OSError if the one before was not written."""
        self.wait()
        self.piece = piece
        self.idle.acquire()
        self.ready.release()

    def wait(self) -> None:
        """Waits until everything is written. Raises OSError, once."""
        with self.idle:
            error, self.error = self.error, None
        if error:
            raise error

    def work(self) -> None:
        """What the thread does until the process ends."""
        while True:
            self.ready.acquire()
            try:
                while self.piece:
                    self.piece = self.piece[os.write(self.fd, self.piece) :]
            except OSError as error:
                self.error = error
                self.piece = memoryview(b"")
            self.idle.release()
