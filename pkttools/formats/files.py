"""The descriptors that a command reads and writes, what can be wrong with them, and what a sink is."""

from __future__ import annotations

import os
import stat
import sys

from ..batch import COLUMNS, LINKTYPE, Batch
from ..command_line.options import COMPRESSIONS, FORMATS, UNCOMPRESSED, UNWRITTEN
from ..command_line.signals import Interrupted, check, drain, ready, room
from ..errors import OutputError, PktError, Unread, UsageError, limit, need, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from mmap import mmap
    from typing import Any

    from ..command_line.options import Values
    from .compressed import Packer
    from .compressed.beside import Beside
    from .lane import Lane
    from .lending import Lender
    from .sections import Sections
    from .sharing import Owners
    from .stretch import Stretch
    from .write_behind import WriteBehind

BUFFER = 264 << 10  # bytes that a stream is read into at once: small enough for the processor's cache, and a pcap record fits
TOGETHER = 448 << 10  # the same where several commands are one process, of which there is only one to have room for it
RAW = 64 << 10  # bytes of a compressed one that are read at once
BEHIND = 256 << 10  # bytes from which it pays to wake the thread that writes files
SMALL = 4096  # bytes that a pipe or a socket takes at once where there is room for any: PIPE_BUF
PIPE = 1 << 20  # bytes asked for pipes: fewer switches between the commands of a pipe
F_SETPIPE_SZ = 1031  # fcntl(2)
PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)  # not for other programs; bytes as they are, on Windows
LENDS = sys.platform == "linux"  # whether pipes have a size to choose and take memory: only there
READS_INTO = hasattr(os, "readv")  # Windows has none


def _widen(pipe: int) -> None:
    """Raises a pipe's size."""
    import fcntl  # late: Windows has none

    try:
        fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE)
    except OSError:
        pass  # above /proc/sys/fs/pipe-max-size or the user's share: it works with what there is


def unblocked(fd: int) -> int:
    """A pipe or a terminal opened once more, so that writing there does not block: what was opened before is others' too.

    The same descriptor where it cannot be: nobody reads the pipe any more, or it is of another user.
    """
    try:
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{fd}", flags)
    except (OSError, AttributeError):
        return fd


def endings_of(path: str | None) -> tuple[str, str]:
    """How a file's name ends: with `.pcap` and `.gz`, the second of which says that it is compressed; each may be empty."""
    name = (path or "").rpartition("/")[2]
    found = []
    for known in ([ending for endings in COMPRESSIONS.values() for ending in endings], None):
        ending = name[name.rfind(".") :] if "." in name[1:] else ""
        found.append(ending if known is None or ending.lower() in known else "")
        name = name.removesuffix(found[-1])
    return found[1], found[0]


def format_of(path: str | None, otherwise: str = "") -> str | None:
    """The format that a file's name says by its ending, in any case, one of compressed files aside; None: none.

    otherwise: what else says it, for messages. Raises UsageError where the name says one that is not written.
    """
    ending = endings_of(path)[0].lower()
    if ending in UNWRITTEN:
        raise UsageError(f"{path}: that is the name of a file of {UNWRITTEN[ending]}, which is not written{otherwise}")
    return next((name for name, form in FORMATS.items() if ending in form.endings), None)


def compression_of(path: str | None, asked: str | None = None) -> str | None:
    """How a file of that name is compressed: a name of COMPRESSIONS; None: it is not. asked: what --compress says instead."""
    if asked is not None:
        return None if asked == UNCOMPRESSED else asked
    ending = endings_of(path)[1].lower()
    return next((name for name, endings in COMPRESSIONS.items() if ending in endings), None)


def is_terminal(path: str | None) -> bool:
    """Whether an output is a terminal."""
    try:
        if not path or path == "-":
            return os.isatty(1)
        if not stat.S_ISCHR(os.stat(path).st_mode):  # noqa: PTH116  pathlib is slow to import
            return False
        fd = os.open(path, os.O_WRONLY | PLAIN | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return False  # whoever opens it will say so
    try:
        return os.isatty(fd)
    finally:
        os.close(fd)


def to_file(path: str | None) -> bool:
    """Whether an output is a regular file, or will be one: nobody waits for what is written there."""
    try:
        return stat.S_ISREG((os.stat(path) if path and path != "-" else os.fstat(1)).st_mode)  # noqa: PTH116  pathlib is slow to import
    except OSError:
        return True  # it is not there yet


class Input:
    """What is read: a file, or standard input; or several of them, one after the other, of which one is open at a time.

    name, fd: of the one that is open. form: of the first one. lane: whether its packets may come as batches, see lane.py. handed:
    how many did. shared: how many of these in memory of another process. onward: what hands them on from here. compression: of the
    one that is open, once its first bytes were read: a name of COMPRESSIONS, and what is read is what it holds; empty: none.
    at_once: bytes that packets are read into; more where one is larger.
    """

    at_once = BUFFER
    compression = ""
    pieces: Iterator[bytes] | None = None  # of what a compressed one holds
    piece = memoryview(b"")  # what comes before all else: the rest of the last one
    beside: Beside | None = None  # the thread that makes them
    is_file = False  # whether the one that is open is a regular file, which can be read again

    def __init__(self, paths: Sequence[str] = (), *, lane: bool = False) -> None:
        """paths: none is standard input, and so is `-`. lane: packets are read, not bytes; they may be batches where a pipe
        brings them. Raises UsageError, and PktError where one of them cannot be found, or the first one not be opened."""
        self.paths = [None if path == "-" else path for path in paths or "-"]
        if self.paths.count(None) > 1:
            raise UsageError("--in -: standard input is read once")
        self.packets = lane
        self.form = "text"  # or what its first bytes say
        self.unused: Sequence[tuple[int, bytes | None]] = ()  # see Several
        self.link: int | None = None  # of the first packets, or of a stream without any, once it is known; see batch.link_of
        self.nano = False  # whether the header of a capture says that its times may have more than microseconds
        self.fine = False  # whether that is known before anything is read, or that some have
        self.now: int | None = None  # the time of packets that say none, in nanoseconds; None: when they are read
        self.said: list[str] = []  # what there is to say about it in the end, on standard error
        self.joined: list[str] = []  # the same about captures that stand behind others, for those who ask
        self.handed = self.shared = 0
        self.onward: Lane | None = None
        self.owners: Owners | None = None  # whose memory the one that is open brings batches in
        self.elsewhere: Callable[[int, Stretch], int] | None = None  # lets others go on where packets are plain; see flow/ring.py
        self.relay: Callable[[bytearray, int, int], tuple[int, int]] | None = None  # goes on where they are few; see flow/relay.py
        self.shown: Callable[[int], None] | None = None  # learns how many packets these have read
        self.sections: Sections | None = None  # what pcapng says beside packets, where it goes along
        self.at, self.fd = -1, 0
        self.again = False  # whether it is not the first time that they are read
        self.start = 0  # where standard input stood, if it is a file: what somebody has read of it before is not ours
        self.told = False  # whether it was said that a terminal is read
        self.held: dict[int, int] = {}  # descriptors that stay open, by place
        self.mixed: set[int] = set()  # places of what was kept of pipes, where some packets may have come as batches
        self.found: list[os.stat_result] = []
        for path in self.paths:
            try:
                self.found.append(os.stat(path) if path else os.fstat(0))  # noqa: PTH116  pathlib is slow to import
            except OSError as error:
                raise PktError(f"{path or '<stdin>'}: {error.strerror}") from None
            if not path and stat.S_ISREG(self.found[-1].st_mode):
                self.start = os.lseek(0, 0, os.SEEK_CUR)
        self.open(0)

    def open(self, at: int) -> None:
        """Opens one of them, instead of the one before. Raises PktError."""
        self.close()
        path = self.paths[at]
        self.at, self.fd, self.lane = at, 0, at in self.mixed
        self.name = path or "<stdin>"
        try:
            if at in self.held:
                self.fd = os.dup(self.held[at])
            elif path:
                self.fd = os.open(path, os.O_RDONLY | PLAIN)
            self.found[at] = os.fstat(self.fd)
            self.is_file = stat.S_ISREG(self.found[at].st_mode)
            if self.again:
                os.lseek(self.fd, 0 if path else self.start, os.SEEK_SET)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        if not path and not self.told and os.isatty(self.fd):
            self.told = True
            warn("reads from the terminal: ^D at the beginning of a line ends it")
        if LENDS and stat.S_ISFIFO(self.found[at].st_mode):
            from .lending import promise

            _widen(self.fd)
            promise(self.fd)
            if self.packets:
                from .lane import offer

                self.lane = offer(self.fd)

    def close(self) -> None:
        """Closes the one that is open, unless it is standard input."""
        if self.beside:
            self.beside.close(wait=self.is_file)
        self.compression, self.pieces, self.piece, self.beside = "", None, memoryview(b""), None
        if self.owners:
            self.owners.close()
        self.owners = None
        if self.fd > 0:
            os.close(self.fd)
        self.fd = 0

    def hold(self) -> None:
        """Opens all while that is still allowed. Raises PktError."""
        for at, path in enumerate(self.paths):
            try:
                self.held[at] = os.dup(self.fd) if at == self.at else os.open(path, os.O_RDONLY | PLAIN) if path else 0
            except OSError as error:
                raise PktError(f"{path or self.name}: {limit(error)}") from None

    def next(self) -> bool:
        """Goes on to the next of them; whether there is one. Raises PktError."""
        if not self.left:
            return False
        self.open(self.at + 1)
        drain(self.flows)
        return True

    @property
    def left(self) -> int:
        """How many of them have not been opened yet."""
        return len(self.paths) - self.at - 1

    @property
    def is_pipe(self) -> bool:
        """Whether it is a pipe or a socket, where packets come when they come."""
        mode = self.found[self.at].st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    @property
    def are_files(self) -> bool:
        """Whether all of them are."""
        return all(stat.S_ISREG(found.st_mode) for found in self.found)

    @property
    def flows(self) -> bool:
        """Whether another program writes what is read here."""
        return not self.is_file and not os.isatty(self.fd)

    @property
    def percent(self) -> int:
        """How much has been read, by the sizes of files."""
        sizes = [found.st_size for found in self.found]
        read = os.lseek(self.fd, 0, os.SEEK_CUR) if self.is_file else 0
        return 100 * (sum(sizes[: self.at]) + read) // max(sum(sizes), 1)

    def byte(self, offset: int) -> str:
        """A place in what is read, for messages: of compressed data it is one in what that holds."""
        return f"byte {offset}{' of what it holds decompressed' if self.compression else ''}"

    def fill(self, buffer: bytearray | mmap, used: int, most: int | None = None) -> int:
        """Reads what there is into the buffer from `used` on. Returns the bytes used then; as many as before at the end.

        most: up to where it may be filled, if not to its end. Waits when there is nothing yet. One buffer serves a whole stream:
        nothing is allocated while it flows.
        """
        with memoryview(buffer) as view, view[used:most] as free:
            return used + self.read_into([free])

    def unpack(self, compression: str, head: bytes) -> None:
        """Lets what is read from here on be what the one that is open holds, compressed. head: what was read of it."""
        from .compressed.unpacking import Members, reader

        self.compression = compression
        if self.fd >= 0:
            fd = os.dup(self.fd)
            try:
                from .compressed.beside import Beside

                self.pieces = self.beside = Beside(Members(self.name, head, reader(fd, self.name)).pieces(), fd)
            except RuntimeError:  # there can be no thread
                os.close(fd)
        if not self.beside:
            self.pieces = Members(self.name, head, self.raw).pieces()

    def raw(self) -> bytes:
        """Reads some of the octets that are there."""
        octets = bytearray(RAW)
        with memoryview(octets) as view:
            return bytes(view[: self.read_raw([view])])

    def read_into(self, pieces: list[memoryview]) -> int:
        """Reads what there is, into one piece after the other; gives how many bytes. More than one only where there are pipes."""
        if not self.piece:
            if self.pieces is None:
                return self.read_raw(pieces)
            self.piece = memoryview(next(self.pieces, b""))
        done = min(len(self.piece), len(pieces[0]))
        pieces[0][:done] = self.piece[:done]
        self.piece = self.piece[done:]
        return done

    def read_raw(self, pieces: list[memoryview]) -> int:
        """The same of the octets that are there, whatever they hold."""
        try:
            if self.is_file:
                check()
            else:
                ready([self.fd], [])
            if READS_INTO:
                return os.readv(self.fd, pieces)
            data = os.read(self.fd, len(pieces[0]))
            pieces[0][: len(data)] = data
            return len(data)
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None

    def keep(self) -> None:
        """Makes sure that all can be read again: what comes from a pipe goes to a temporary file first."""
        for at in range(len(self.paths)):
            if at != self.at:
                self.open(at)
            if not self.is_file:
                self.held[at] = self.spool()
                self.mixed |= {at} if self.lane else set()
        self.open(0)

    def spool(self) -> int:
        """A temporary file of what is still to be read of the one that is open."""
        from tempfile import TemporaryFile  # late: only for --loop on a pipe

        with TemporaryFile() as spool:
            buffer = bytearray(BUFFER)
            while used := self.fill(buffer, 0):
                spool.write(memoryview(buffer)[:used])
            spool.seek(0)
            return os.dup(spool.fileno())

    def rewind(self) -> None:
        """Starts again at the beginning of the first, standard input where it stood; for regular files, and what was kept."""
        self.again = True
        self.open(0)


def opened(path: str) -> tuple[int, bool]:
    """Opens a file to write, not truncated; and whether there was none before. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | PLAIN
    try:
        return os.open(path, flags | os.O_EXCL, 0o666), True
    except FileExistsError:
        return os.open(path, flags, 0o666), False


def no_ends(_: object) -> list[int]:
    """Where packets end in what is written in front of them."""
    return []


class Output:
    """What is written: a file, or standard output. Never a file that one of `sources` reads.

    made: whether that made the file, and may take it away again. there: packets that it has taken as a whole, of those that it was
    told of; None: of what is compressed and broke off nobody knows. cut: whether it has a part of the next one, too.
    """

    there: int | None = 0
    cut = counting = False  # counting: whether it is told of packets
    piece: tuple[Any, int, Callable[[Any], list[int]]] | None = None  # what is on its way, packets in it, what finds their ends
    taken = 0  # bytes of it, where it broke off

    def __init__(self, path: str | None, *sources: Input | None, compress: str | None = None) -> None:
        """compress: how, a name of COMPRESSIONS, or UNCOMPRESSED; None: as the name's ending says. Raises UsageError, PktError."""
        path = None if path == "-" else path
        self.name = path or "<stdout>"
        self.packer: Packer | None = None
        if how := compression_of(path, compress):
            need(not is_terminal(path), "what is compressed is not written to a terminal: --out FILE, or a pipe")
            from .compressed import Packer

            self.packer = Packer(how)
        try:
            # Not truncated yet: it may turn out to be the input.
            self.fd, self.made = opened(path) if path else (1, False)
            found = os.fstat(self.fd)
            read = (other for source in sources if source for other in source.found)
            if stat.S_ISREG(found.st_mode) and any(os.path.samestat(found, other) for other in read):
                raise PktError(f"{self.name}: input and output are the same file")
        except OSError as error:
            raise PktError(f"{self.name}: {error.strerror}") from None
        self.overlaps = stat.S_ISREG(found.st_mode)  # whether a thread writes large pieces
        self.prompt = not self.overlaps  # whether somebody may wait for what is written
        self.stale = bool(path) and self.overlaps  # whether what was in the file before is there still
        self.behind: WriteBehind | None = None
        self.lender: Lender | None = None
        self.lane: Lane | None = None  # what hands packets on as batches, where that is wanted
        self.shared = self.fd
        self.most: int | None = None  # bytes of one write; None: all there are
        if LENDS and (stat.S_ISFIFO(found.st_mode) or os.isatty(self.fd)):
            self.fd = unblocked(self.shared)
        if LENDS and stat.S_ISFIFO(found.st_mode):
            from .lending import Lender

            _widen(self.fd)
            self.lender = None if self.packer else Lender(self.fd)
        if LENDS and (stat.S_ISSOCK(found.st_mode) or (self.lender and self.fd == self.shared)):
            self.most = SMALL

    def write(self, data: bytes | bytearray | memoryview, count: int = 0, ends: Callable[[Any], list[int]] | None = None) -> None:
        """Writes all of it. Raises OutputError, and BrokenPipeError when nobody reads any more.

        Bytes and bytearrays are the caller's no more: they may still be on their way. What a memoryview shows may change again
        as soon as this returns. count: packets in it. ends: gives where they end in it; asked where not all of it can be written.
        """
        self.counting = self.counting or ends is not None
        try:
            if self.stale:
                self.empty()
            if self.overlaps and not isinstance(data, memoryview) and len(data) >= BEHIND and self.has_thread():
                self.settle()
                self.piece = (data, count, ends) if ends else None
                self.behind.write(data)  # type: ignore[union-attr]  # has_thread says so
                return
        except OSError as error:
            raise OutputError(f"{self.name}: {error.strerror}") from None
        self.settle()
        self.piece, self.taken = (data, count, ends) if ends else None, 0
        try:
            if not self.packer:
                self.put(data)
            elif packed := self.packer.pack(data, self.prompt):
                self.put_packed(packed)
        except OutputError:
            self.broke_off()
            raise
        self.arrived()

    def arrived(self) -> None:
        """Counts the packets of what was on its way."""
        if self.piece and self.there is not None:
            self.there += self.piece[1]
        self.piece = None

    def broke_off(self) -> None:
        """Counts those of them that are there, behind an error."""
        ends = self.piece[2](self.piece[0]) if self.piece else []
        self.piece = None
        if self.there is not None:
            self.there += sum(end <= self.taken for end in ends)
            self.cut = bool(ends) and self.taken not in (0, *ends)

    def put_packed(self, packed: bytes) -> None:
        """Writes what came of compressing; who does not get all of it has nothing of what came last."""
        try:
            self.put(packed)
        except BaseException:
            self.lose_packer()
            raise

    def lose_packer(self) -> None:
        """What is compressed cannot be ended any more. Some of what came before may be missing, too, unless it was written."""
        at_once = self.prompt and self.packer is not None and self.packer.prompts
        self.packer, self.taken, self.there = None, 0, self.there if at_once else None

    def put(self, data: bytes | bytearray | memoryview) -> None:
        """Writes all of it as it is, at once."""
        view = memoryview(data)
        try:
            while view:
                try:
                    if self.most or (self.lender and self.lender.rest):  # it took less than there was: it is full
                        room(self.fd)
                    done = self.lender.lend(view) if self.lender else 0
                    if not done:
                        done = os.write(self.fd, view[: self.most])
                        if self.lender:
                            self.lender.given += done  # it is in front of what is lent next, and unread as long
                    view = view[done:]
                except BlockingIOError:
                    room(self.fd)
        except BrokenPipeError:
            raise
        except Unread:
            self.taken = len(data) - len(view)
            raise
        except Interrupted as interrupted:
            if len(view) < len(data):
                raise Interrupted(interrupted.args[0], f"{self.name}: truncated: its reader does not read") from None
            raise
        except OSError as error:
            self.taken = len(data) - len(view)
            raise OutputError(f"{self.name}: {error.strerror}") from None

    def empty(self) -> None:
        """Takes away what was in the file: when something else is written, or nothing in the end, and not before."""
        os.ftruncate(self.fd, 0)
        self.stale = False

    def has_thread(self) -> bool:
        """Whether there is a thread that writes; the first large piece starts it."""
        if not self.behind:
            from .write_behind import WriteBehind

            try:
                self.behind = WriteBehind(self.fd, self.packer.pack if self.packer else None)
            except RuntimeError:
                self.overlaps = False  # none is to be had
        return self.behind is not None

    def settle(self) -> None:
        """Waits until all is written that was handed over. Raises OutputError."""
        if self.behind:
            self.settled(self.behind.wait)

    def settled(self, wait: Callable[[], None]) -> None:
        """Waits so, and counts packets. Raises OutputError."""
        try:
            wait()
        except OSError as error:
            self.taken = self.behind.taken if self.behind else 0
            if self.packer:
                self.lose_packer()
            self.broke_off()
            raise OutputError(f"{self.name}: {error.strerror}") from None
        self.arrived()

    def finish(self) -> None:
        """Waits for what is on its way, whatever becomes of it; for those who do not get as far as `close`.

        What is compressed is ended there, so that it can be read. A new file that got nothing is taken away.
        """
        try:
            if self.behind:
                self.behind.wait()
            if self.packer and self.packer.begun:
                self.end()
            if self.made and not os.fstat(self.fd).st_size:
                os.unlink(self.name)  # noqa: PTH108  pathlib is slow to import
        except (OSError, OutputError, Interrupted):
            pass  # there is another error already

    def end(self) -> None:
        """Ends what is compressed."""
        if self.packer:
            packed = self.packer.end()
            self.put_packed(packed)
            self.packer = None

    def close(self) -> None:
        """Closes it. Some errors, a full network disk among them, show only now."""
        try:
            if self.stale:
                self.empty()
        except OSError as error:
            raise OutputError(f"{self.name}: {error.strerror}") from None
        if self.behind:
            self.settled(self.behind.close)
        self.end()
        try:
            if self.lender:
                self.lender.close()
            fds = {self.fd, self.shared}
            self.fd = self.shared = -1  # they may be somebody else's next
            for fd in fds:
                os.close(fd)
        except OSError as error:
            raise OutputError(f"{self.name}: {error.strerror}") from None
        self.made = False  # it stays, whatever is in it


def write_lines(lines: Iterable[str], path: str | None = None, compress: str | None = None) -> None:
    """Writes lines to a file, or None: to standard output. Raises PktError where that fails, BrokenPipeError."""
    output = Output(path, None, compress=compress)
    output.write("".join(f"{line}\n" for line in lines).encode(errors="surrogateescape"))
    output.close()


class Sink:
    """Where packets end: a stream, or an interface.

    output: what it writes to, if that is a file or a stream. stopped: what to say when a signal ends it; None: the process ends by
    the signal; empty where that is how it is meant to end. needs: capabilities(7) without which it cannot go on once it is open;
    None: it took no privilege, and gives none up. hurried: whether a signal has ended it, and nothing is waited for any more.
    gone: whether it is no longer there: nothing more gets anywhere.
    """

    output: Output | None = None
    stopped: str | None = None
    hurried = accounts = False  # accounts: whether it says itself how many packets did not get there
    gone = False
    needs: Sequence[int] | None = None

    STATE: Sequence[str] | None = None
    """Its attributes on which depends what it writes next, besides the packets: where other processes can make that for it; None:
    they cannot. A `count` is of packets that were written, a `linktype` of the last one."""

    TALLIES: Sequence[str] = ()
    """Those of them that count; see flow/tallies.py."""

    @property
    def written_by(self) -> Sink:
        """What writes, where this one only chooses it."""
        return self

    @property
    def failed(self) -> bool:
        """Whether something did not reach its end as it should."""
        return False

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes a format as the options ask for it. linktype: of a stream without packets."""
        raise NotImplementedError

    def beside(self, source: Input) -> None:
        """Learns what is read, before it is: what that says beside packets goes along, where there is a place."""

    def forward(self) -> None:
        """Writes what came beside packets, where they are few."""

    def origin(self, stamp: int) -> None:
        """Learns the time of the first packet that was read, of every round; it may be one that is not passed on."""

    def begin(self) -> None:
        """Learns that the packets which were read together with that one are through."""

    def without_packets(self, link: int) -> None:
        """Learns of what link type the stream is that was read, for when it gets no packet."""

    def write(self, batch: Batch) -> None:
        """Takes a batch, at once."""
        raise NotImplementedError

    def pass_by(self, batch: Batch) -> None:
        """Changes its STATE as if a batch had been written."""
        for name in self.STATE or ():
            setattr(self, name, getattr(self, name) + len(batch) if name == "count" else batch.columns()[LINKTYPE - COLUMNS])

    def settled(self) -> Hashable:
        """What else depends on the packets before, and is mostly the same for all of a stream."""
        return None

    def leave(self) -> Hashable:
        """What it has to know of its output to go on there later, where another one comes in between; equal for many."""
        raise NotImplementedError

    def enter(self, output: Output, known: Any = None) -> None:  # noqa: ANN401  what `leave` gives
        """Goes on in another output: a new one, or one that it has left, with what it knew of that."""
        raise NotImplementedError

    def end_output(self) -> None:
        """Ends its output; where there are several, the one in hand. Raises OutputError."""
        raise NotImplementedError

    def close(self) -> list[str]:
        """Ends; gives what there is to say on standard error."""
        raise NotImplementedError
