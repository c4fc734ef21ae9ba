"""Streams that go by the fast lane, as batches, and commands that read and write them; see pkttools/formats/lane.py."""

from __future__ import annotations

import fcntl
import os
import resource
import tempfile
import threading
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pkttools import codec
from pkttools.batch import LANE_MARK, LINKTYPE, MAX_LANE, ROW_BYTES, Batch
from pkttools.formats.files import F_SETPIPE_SZ, Input, Output
from pkttools.formats.lane import HEADER, IN_PIPE, UNDERSTOOD, VERSION
from pkttools.formats.lending import promise
from pkttools.formats.text import TextSink, packets
from pkttools.protocols.names import link_lines

NOW = 1_700_000_000_000_000_000  # nanoseconds: the time of packets without TIME
ROOM = 1 << 20  # bytes of a pipe: what is tried here has room in one


def handed(rows: bytes, data: bytes, version: int = VERSION, count: int | None = None, size: int | None = None) -> bytes:
    """What is written of a batch."""
    number = len(rows) // ROW_BYTES if count is None else count
    return HEADER.pack(LANE_MARK, version, number, len(data) if size is None else size, 0, 0, 0, IN_PIPE) + rows + data


def batches_of(text: bytes, many: int = 1000) -> bytes | None:
    """A text as its packets go by the lane, so many at once; None: a field line has no place, or it is wrong somewhere."""
    out, at, link, line = b"", 0, 1, 0
    while at < len(text):
        at, data, rows, _, line, error, passed_over = codec.text_decode(bytearray(text), at, len(text), True, link, line, NOW)
        if error or passed_over[3]:
            return None
        whole, shown, start = Batch(data, rows), 0, 0
        for link, run in groupby(whole.column(LINKTYPE)):
            out += "".join(f"{said}\n" for said in link_lines(link)).encode()
            stop = start + sum(1 for _ in run)
            while start < stop:
                part = whole.part(start, min(stop, start + many))
                start += len(part)
                room = bytearray(HEADER.size + MAX_LANE)
                begin, size, shown = codec.lane_encode(part.data, part.rows, 0, room, HEADER.size)
                assert (begin, shown) == (0, len(part))
                front = HEADER.size + len(part.rows)
                out += handed(bytes(room[HEADER.size : front]), bytes(room[front:size]))
    return out


class Slow(Input):
    """An input that brings so many bytes at once, at most."""

    most = 1 << 30

    def read_into(self, pieces: list[memoryview]) -> int:
        """As much as that, into one piece after the other."""
        left, some = self.most, []
        for piece in pieces:
            some.append(piece[:left])
            left -= len(some[-1])
        return super().read_into(some)


def text_of(stream: bytes, most: int = Slow.most) -> bytes:
    """What a stream of batches would be as text, when it is read so many bytes at once. Raises PktError as its reader does."""
    reading, writing = os.pipe()
    buffer = bytearray(64 << 10)
    with os.fdopen(reading), tempfile.TemporaryDirectory() as folder:
        feeder = threading.Thread(target=fed, args=(writing, stream))
        feeder.start()
        path = str(Path(folder) / "text")
        source, sink = Slow([f"/dev/fd/{reading}"], lane=True), TextSink(Output(path, None), 16, data_only=False, fields=0)
        source.most = most
        try:
            for batch in packets(source, buffer, source.fill(buffer, 0)):
                sink.write(batch)
        finally:
            sink.close()
            while source.read_into([memoryview(buffer)]):
                pass
            os.close(source.fd)
            feeder.join()
        return Path(path).read_bytes()


def fed(fd: int, stream: bytes) -> None:
    """Writes a stream, and closes the pipe."""
    with os.fdopen(fd, "wb") as pipe:
        pipe.write(stream)


class Done(NamedTuple):
    """What a command did: exit code, minus a signal; what it wrote, said."""

    code: int
    out: bytes
    said: str


def forked(words: list[str], stream: bytes, *, reads: bool) -> Done:
    """Runs a command in a process that is forked: ten times faster than starting it.

    reads: it may hand batches on, and lend memory: who reads it has promised before the command has anything to write.
    """
    source, feed = os.pipe()
    reading, writing = os.pipe()
    for pipe in feed, writing:
        fcntl.fcntl(pipe, F_SETPIPE_SZ, ROOM)
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if not pid:
            os._exit(child(words, source, writing, said.fileno()))
        os.close(source)
        os.close(writing)  # before the promise: whoever closes one end takes back what was said of the other
        if reads:
            promise(reading)
            promise(reading, UNDERSTOOD)
        assert os.write(feed, stream) == len(stream)
        os.close(feed)
        with os.fdopen(reading, "rb") as end:
            out = end.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        said.seek(0)
        return Done(code, out, said.read().decode())


def child(words: list[str], source: int, target: int, said: int) -> int:
    """The command, from its command line to its exit code."""
    import sys
    import time

    try:
        for number, fd in enumerate((source, target, said)):
            os.dup2(fd, number)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])  # the pipes' other ends among them
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        time.time_ns = lambda: NOW
        time.tzset()
        from pkttools.main import guarded

        sys.argv[0] = words[0]
        code = guarded(words[0], words[1:])
        sys.stderr.flush()
        return code
    except BaseException:
        import traceback

        traceback.print_exc()
        return 99
