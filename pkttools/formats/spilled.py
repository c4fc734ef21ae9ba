"""Packets that wait on disk: in a temporary file without a name, which is gone when the process is, however it ends."""

from __future__ import annotations

import struct

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..errors import PktError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 128 << 10  # bytes of packets that are written, and read again, at once; more only of one packet that is longer
FEWEST = 64  # bytes that a packet takes in a piece, as it is guessed: there are rows for so many
HEAD = struct.Struct("=qq")  # in front of a piece: bytes of its rows, and of its packets


class Spilled:
    """Packets in a temporary file, in runs of pieces. Its methods raise PktError where the file cannot be made, written or read."""

    def __init__(self) -> None:
        from tempfile import TemporaryFile, gettempdir  # late: few streams are longer than memory

        try:
            self.folder = gettempdir()  # as TMPDIR says
            self.file = TemporaryFile(buffering=0)  # noqa: SIM115  it is open as long as this is
        except OSError as error:
            raise PktError(f"no temporary file: {error.strerror or error}; TMPDIR says where they are") from None
        self.end = 0

    def run(self) -> Run:
        """A run that begins where the file ends."""
        return Run(self, self.end)

    def write(self, run: Run, batch: Batch, keyed: bool) -> None:
        """Writes packets as part of the last run. keyed: they have keys, see codec.gather_rows."""
        first, out, most = 0, bytearray(PIECE), PIECE // FEWEST
        while first < len(batch):
            some = memoryview(batch.rows)[first * ROW_BYTES : (first + most) * ROW_BYTES]
            stop, end, rows = codec.gather_rows(batch.data, some, 0, out, 0, keyed)
            if not stop:
                out = bytearray(2 * len(out))
                continue
            self.append([HEAD.pack(len(rows), end), rows, memoryview(out)[:end]])
            first += stop
        run.end = self.end

    def append(self, parts: list[bytes | bytearray | memoryview]) -> None:
        """Writes at the end."""
        try:
            self.file.seek(self.end)
            for part in parts:
                view = memoryview(part)
                while view:
                    done = self.file.write(view)
                    view, self.end = view[done:], self.end + done
        except OSError as error:
            raise PktError(f"{self.folder}: {error.strerror}: no room for what memory does not hold") from None

    def read(self, at: int, into: bytearray | memoryview) -> None:
        """Reads what was written there."""
        view = memoryview(into)
        try:
            self.file.seek(at)
            while view:
                done = self.file.readinto(view)
                if not done:
                    raise PktError(f"{self.folder}: a temporary file is not as it was written")
                view = view[done:]
        except OSError as error:
            raise PktError(f"{self.folder}: {error.strerror}") from None


class Run:
    """Packets that were written one behind the other: from `at` up to `end` of a file."""

    def __init__(self, file: Spilled, at: int) -> None:
        self.file, self.at, self.end = file, at, at

    def batches(self) -> Iterator[Batch]:
        """The packets, in pieces; each is good until the next one is asked for."""
        head, data, at = bytearray(HEAD.size), bytearray(PIECE), self.at
        while at < self.end:
            self.file.read(at, head)
            rows_size, size = HEAD.unpack(head)
            rows = bytearray(rows_size)
            if size > len(data):
                data = bytearray(size)
            self.file.read(at + HEAD.size, rows)
            self.file.read(at + HEAD.size + rows_size, memoryview(data)[:size])
            yield Batch(data, rows)
            at += HEAD.size + rows_size + size
