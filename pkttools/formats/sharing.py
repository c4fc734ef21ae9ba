"""Memory of one of our commands that those behind it in a pipe read and change where it lies: batches go on without a copy.

Who fills a piece of it tells its reader where the batch stands there. That one may tell its own reader the same, and so on; who
needs it last gives the piece back, by its number, through a pipe of its owner's. Who gives none back is waited for a moment; then
batches are copied.

Who maps the memory finds it in /proc, where the kernel lets pass who may read all of that process's memory (ptrace(2),
PTRACE_MODE_READ): nobody sees more than without it. And since what is read there could change meanwhile, only such is mapped as
belongs to a process of the same user with the same capabilities in the same user namespace, who could as well do to the reader
what it likes. It cannot shrink: no signal comes of reading it.
"""

from __future__ import annotations

import os
import stat
import struct
from fcntl import fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from ..batch import Batch

NAME = "pkttools"
NOTE = struct.Struct("=qqi")  # behind the pieces: the token, the inode of the pipe to give back by, and its descriptor
F_ADD_SEALS, F_GET_SEALS, SEALS = 1033, 1034, 0x7  # fcntl(2): F_SEAL_SEAL, F_SEAL_SHRINK and F_SEAL_GROW
FIRST = 1 << 48  # tokens are from here on: places of a pipe where no other lock lies, see lending.py
MOST = 16  # owners that one reader knows
MOMENT = 200  # milliseconds that a piece is waited for


class Owner:
    """Pieces of memory for others, and which of them these have.

    pid, fd: where it is found. token: what it is known by, and where its reader's lock lies on the pipe that led there.
    """

    def __init__(self, count: int, size: int) -> None:
        """Raises OSError, and AttributeError where there is no such memory."""
        import mmap  # late, as in lending.py

        self.pid, self.fd = os.getpid(), os.memfd_create(NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self.out: set[int] = set()
        self.patient = True  # whether pieces came back in time
        self.back = self.giving = -1
        try:
            os.fchmod(self.fd, 0o600)
            os.ftruncate(self.fd, count * size + NOTE.size)
            fcntl(self.fd, F_ADD_SEALS, SEALS)
            self.back, self.giving = os.pipe()
            os.set_blocking(self.back, False)
            self.token = FIRST + int.from_bytes(os.urandom(6), "big")
            os.pwrite(self.fd, NOTE.pack(self.token, os.fstat(self.back).st_ino, self.giving), count * size)
            self.pieces = [mmap.mmap(self.fd, size, offset=i * size) for i in range(count)]
        except OSError:
            self.close()
            raise

    def came(self) -> bool:
        """Learns which pieces came back; whether any did."""
        try:
            self.out.difference_update(os.read(self.back, 64))
        except BlockingIOError:
            return False
        self.patient = True
        return True

    def wait(self, output: int) -> bool:
        """Waits a moment for a piece, where that was of use the last time, and `output` has a reader; whether one came back."""
        if not self.patient:
            return False
        import select  # late: whose reader is slow waits for more than that

        poll = select.poll()
        poll.register(self.back, select.POLLIN)
        poll.register(output, 0)
        poll.poll(MOMENT)
        self.patient = self.came()
        return self.patient

    def close(self) -> None:
        """Closes what it was found by: who knows it goes on with what it has."""
        for fd in self.fd, self.back, self.giving:
            if fd >= 0:
                os.close(fd)
        self.fd = self.back = self.giving = -1


class Known:
    """Another process's memory: what it is told by, pieces of it that came, mapped, and the pipe to give them back."""

    def __init__(self, pid: int, fd: int, token: int, count: int, size: int) -> None:
        """Raises OSError where it is not to be had, or not what it should be, or not of one's like."""
        self.pid, self.fd, self.token, self.size, self.giving = pid, fd, token, size, -1
        self.pieces: dict[int, mmap] = {}
        self.memory = opened(pid, fd, stat.S_ISREG, count * size + NOTE.size)
        try:
            seals = fcntl(self.memory, F_GET_SEALS)
            known, pipe, giving = NOTE.unpack(os.pread(self.memory, NOTE.size, count * size))
            if seals & SEALS != SEALS or known != token or powers(pid) != powers(os.getpid()):
                raise PermissionError
            self.giving = opened(pid, giving, stat.S_ISFIFO)
            if os.fstat(self.giving).st_ino != pipe:
                raise PermissionError
        except OSError:
            self.close()
            raise

    def piece(self, number: int) -> mmap:
        """A piece, mapped with all its pages at once: a fault for each takes longer. Raises OSError."""
        if number not in self.pieces:
            import mmap  # late, as above

            flags = mmap.MAP_SHARED | mmap.MAP_POPULATE
            self.pieces[number] = mmap.mmap(self.memory, self.size, flags=flags, offset=number * self.size)
        return self.pieces[number]

    def close(self) -> None:
        """Gives nothing back any more."""
        for fd in self.memory, self.giving:
            if fd >= 0:
                os.close(fd)
        self.memory = self.giving = -1


class Lent:
    """A piece of another's memory that one has.

    batch: what stands there. It goes on as a whole only: of one that was divided, the rest is still to be read here. passed: it
    went on to the next one, who gives it back.
    """

    def __init__(self, owner: Known, number: int) -> None:
        self.owner, self.number, self.memory, self.passed = owner, number, owner.piece(number), False
        self.batch: Batch | None = None

    def give_back(self) -> None:
        """Gives it back, unless it went on."""
        if not self.passed and self.owner.giving >= 0:
            try:
                os.write(self.owner.giving, bytes([self.number]))
            except BlockingIOError:
                pass  # who does not look what came back has no need of it


class Owners:
    """Those whose memory a reader was told of."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.known: dict[int, Known | None] = {}

    def find(self, pid: int, fd: int, token: int) -> tuple[Known | None, bool]:
        """The memory that this one has, None where it is not to be had; and whether it is a new one."""
        if token in self.known:
            return self.known[token], False
        if len(self.known) >= MOST or token < FIRST:
            return None, False
        try:
            self.known[token] = Known(pid, fd, token, self.count, self.size)
        except OSError:
            self.known[token] = None
        return self.known[token], self.known[token] is not None

    def close(self) -> None:
        """Gives nothing back any more."""
        for owner in self.known.values():
            if owner:
                owner.close()


def opened(pid: int, fd: int, kind: Callable[[int], bool], size: int | None = None) -> int:
    """Opens what is a descriptor of another process's, if it is of a kind, of such a size, and of this process's user.

    Looked at before it is opened: to open some devices does something. Raises OSError.
    """
    path = f"/proc/{pid}/fd/{fd}"
    found = os.stat(path)  # noqa: PTH116  pathlib is slow to import
    if not kind(found.st_mode) or found.st_uid != os.geteuid() or size not in (None, found.st_size):
        raise PermissionError
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe for both: it has a reader then


def powers(pid: int) -> tuple[bytes, str]:
    """The line that says which capabilities a process has in effect, and in which user namespace. Raises OSError."""
    fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.read(fd, 8192)
    finally:
        os.close(fd)
    start = status.find(b"\nCapEff:")
    if start < 0:  # behind very many groups
        raise PermissionError
    try:
        where = os.readlink(f"/proc/{pid}/ns/user")  # noqa: PTH115  pathlib is slow to import
    except FileNotFoundError:
        where = ""  # the kernel has only one
    return status[start : status.find(b"\n", start + 1)], where
