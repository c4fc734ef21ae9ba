"""Large pieces go from one of our commands to the next without being copied into the pipe: vmsplice(2).

Such a piece must not change until it has been read, and whoever reads must copy it out: splice(2) and tee(2), as pv and
some cats use them, would pass the memory itself on, and nobody could say when it is free again. So a reader that only
copies says so, by a lock on the pipe, which ends with its process; a writer that finds the lock lends, any other writes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from .sharing import Owner

LEAST = 64 << 10  # bytes from which lending is less work than copying; less also shares a page of the pipe with what follows
PIECE = 960 << 10  # bytes of one piece: what one read of a stream brings, some of it become longer
AGAIN = 1 << 20  # bytes that are written, while nobody has promised to copy, before it is looked again: a pipe full
PIECES = 4  # a pipe of 1 MiB holds parts of up to three of them, and one is written to
FIONREAD = 0x541B  # ioctl_pipe(2), asm-generic/ioctls.h: bytes in a pipe; termios has it, but takes its time to import
REFUSED = (errno.ENOSYS, errno.EPERM, errno.EINVAL)  # by a sandbox, or by what is like a pipe and is none
LOCK = struct.Struct("hhqqi")  # struct flock of fcntl(2): type, whence, start, length, process
PLACE = 0x706B74  # where the lock lies: nowhere, for a pipe has no places; other locks lie elsewhere


def promise(fd: int, place: int = PLACE) -> None:
    """Says to whoever writes into this pipe that what comes out of it is copied, and nothing else; or what another place says."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETLK, LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, place, 1, 0))
    except OSError:
        pass  # then everything is copied twice


def promised(fd: int, place: int = PLACE) -> int:
    """The process that reads a pipe and has promised to copy, or what another place says; 0: none."""
    try:
        kind, _, _, _, process = LOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)))
    except OSError:
        return 0
    return process if kind == fcntl.F_RDLCK else 0


class Lender:
    """The writing end of a pipe, with memory to lend: PIECES pieces of PIECE bytes.

    The memory is mapped, not allocated: when the process ends, or this object does, what is in the pipe stays as it is.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.reader = 0  # the process that memory is lent to; 0: none yet, -1: never again
        self.given = 0  # bytes that went into the pipe, lent or written
        self.later = 0  # of these, from how many on it is asked again whether there is a reader that has promised
        self.pieces: list[mmap] = []
        self.using: mmap | None = None  # the piece that was read into last: of what is there more may still be written
        self.taken = -1  # the piece that something else is kept in until it is lent, or another one is taken
        self.pipe_lend: Callable[[int, memoryview], int] | None = None
        self.ends = [0] * PIECES  # `given` behind each piece: so much has to be read until it is free again
        self.rest = memoryview(b"")  # of the last piece, what is not in the pipe yet
        self.shares = False  # whether its memory may go to the reader, which gives it back: see sharing.py
        self.owner: Owner | None = None  # of the memory, if so

    def lend(self, data: memoryview) -> int:
        """Lends a copy of the first bytes of `data` to the reader, PIECE at most; gives how many.

        0: it is too little, there is nobody to lend to, or all pieces are out. Raises BlockingIOError when the pipe is full, and
        is to be called with the same data again; OSError.
        """
        if not self.rest and (len(data) < LEAST or not self.copy(data)):
            return 0
        try:
            done = self.pipe_lend(self.fd, self.rest)  # type: ignore[misc]  # copy has found it
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno not in REFUSED:
                raise
            self.reader = -1
            self.rest = memoryview(b"")
            return 0
        self.rest = self.rest[done:]
        self.given += done
        return done

    def copy(self, data: memoryview) -> bool:
        """Copies the first bytes of `data` into a piece, which is then to be lent; whether there is one for them.

        What is in the piece that was taken is there already.
        """
        if self.reader < 0:
            return False
        if self.has_taken(data.obj):  # type: ignore[arg-type]  # any object
            piece, self.taken = self.taken, -1  # should its reader be gone since, it will never be free
            self.rest = data
        else:
            piece = self.free()
            if piece < 0:
                return False
            self.rest = memoryview(self.pieces[piece])[: min(len(data), PIECE)]
            self.rest[:] = data[: len(self.rest)]
        self.ends[piece] = self.given + len(self.rest)
        return True

    def take(self) -> mmap | None:
        """A piece that is free, to be filled and then lent, by `lend`; what was taken before is free again. None: there is none."""
        self.taken = -1
        self.taken = self.free()
        return self.pieces[self.taken] if self.taken >= 0 else None

    def has_taken(self, memory: bytearray | mmap) -> bool:
        """Whether that is the piece that was taken."""
        return self.taken >= 0 and memory is self.pieces[self.taken]

    def hand_over(self) -> int:
        """Hands the piece that was taken over to the reader, until it comes back; gives its number."""
        piece, self.taken = self.taken, -1
        self.owner.out.add(piece)  # type: ignore[union-attr]  # who calls this has looked
        return piece

    def free(self) -> int:
        """The number of a piece that is free, and not the one that is taken, nor `using`; or -1.

        Waits a moment where one may come back.
        """
        found = self.look()
        owner = self.owner
        if owner and owner.out and self.reader > 0 and (owner.came() or (found < 0 and owner.wait(self.fd))):
            found = self.look()
        return found

    def look(self) -> int:
        """The same, as far as it is known."""
        if self.reader < 0 or (not self.pieces and not self.start()):
            return -1
        try:
            (unread,) = struct.unpack("i", fcntl.ioctl(self.fd, FIONREAD, bytes(4)))
        except OSError:
            self.reader = -1  # a sandbox, or a processor where the number means something else
        if self.reader < 0 or promised(self.fd) != self.reader:
            self.reader = -1  # it is gone, and what it left in the pipe may be anywhere: nothing is ever free
            return -1
        read = self.given - unread  # at least so much of what was lent: `unread` may also count what was just written
        out = self.owner.out if self.owner else ()
        free = (i for i, end in enumerate(self.ends) if end <= read and i != self.taken and self.pieces[i] is not self.using)
        return next((i for i in free if i not in out), -1)

    def start(self) -> bool:
        """Gets the memory, once there is somebody to lend it to."""
        if self.given < self.later:
            return False
        self.reader, self.later = promised(self.fd), self.given + AGAIN
        if self.reader:
            import mmap  # late, as the kernel's functions: most outputs are no pipes to a reader of ours

            from ..kernel import pipe_lend

            if not pipe_lend:
                self.reader = -1
                return False
            self.pipe_lend = pipe_lend
            if self.shares:
                from .sharing import Owner

                try:
                    self.owner = Owner(PIECES, PIECE)
                except (OSError, AttributeError):
                    pass  # by a sandbox, or an old system: then all is copied
            self.pieces = self.owner.pieces if self.owner else [mmap.mmap(-1, PIECE) for _ in range(PIECES)]
        return bool(self.pieces)

    def close(self) -> None:
        """Closes what its memory was found by."""
        if self.owner:
            self.owner.close()
