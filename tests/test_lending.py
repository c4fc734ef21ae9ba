"""Memory lent to a pipe: nobody ever reads anything but what was written, whoever reads, and however slowly."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT
from waits import until

from pkttools.batch import Batch
from pkttools.formats.files import F_SETPIPE_SZ, Output
from pkttools.formats.lane import Lane
from pkttools.formats.lending import FIONREAD, PIECE, PIECES, Lender, promised
from pkttools.kernel import pipe_lend

COMMAND = str(ROOT / "bin" / "pkt-txt2txt")
READER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from pkttools.formats.lending import promise
promise(0)
print("promised", file=sys.stderr, flush=True)
left, pause = int(sys.argv[2]), float(sys.argv[3])
while left and (data := os.read(0, min(left, 300_000))):
    left -= len(data)
    os.write(1, data)
    time.sleep(pause)  # the pace of a slow reader
"""


def reader(source: int, target: int, size: int = 1 << 40, pause: float = 0) -> subprocess.Popen:
    """Another process that reads a pipe, and has promised to copy."""
    words = [sys.executable, "-c", READER, str(ROOT), str(size), str(pause)]
    process = subprocess.Popen(words, stdin=source, stdout=target, stderr=subprocess.PIPE)
    assert process.stderr.readline() == b"promised\n"
    return process


def wide_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, 1 << 20)
    return reading, writing


def unread(pipe: int) -> int:
    """Bytes in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, FIONREAD, bytes(4)))[0]


def pieces(size: int) -> list[bytes]:
    """Data of all lengths, no two pieces the same."""
    dice, found, sum_ = random.Random(1), [], 0
    while sum_ < size:
        found.append(bytes([dice.randrange(256)]) * 3 + dice.randbytes(dice.choice((1, 5000, 70_000, 300_000, 2 * PIECE))))
        sum_ += len(found[-1])
    return found


def lent_on_the_way(tmp_path: Path, size: int, pause: float = 0) -> int:
    """Writes so many bytes to a reader that has promised; gives how many were lent, when all have arrived as they were."""
    reading, writing = wide_pipe()
    sent = pieces(size)
    with (tmp_path / "out").open("wb") as target:
        process = reader(reading, target.fileno(), pause=pause)
        os.close(reading)
        output = Output(f"/dev/fd/{writing}", None)
        os.close(writing)
        lend, lent = output.lender.lend, [0]

        def counted(data: memoryview) -> int:
            lent.append(lend(data))
            return lent[-1]

        output.lender.lend = counted
        for piece in sent:
            output.write(piece)
        output.close()
        assert process.wait(30) == 0
    assert (tmp_path / "out").read_bytes() == b"".join(sent)
    return sum(lent)


@pytest.mark.skipif(pipe_lend is None, reason="the C code was not built: everything is written")
@pytest.mark.parametrize("pause", [0, 0.003])
def test_everything_arrives(tmp_path: Path, pause: float) -> None:
    """More than all pieces together, through a reader that is fast, and through one that keeps the pipe full."""
    assert lent_on_the_way(tmp_path, 3 * PIECES * PIECE, pause) > PIECE * PIECES, "nothing was lent: this test shows nothing"


@pytest.mark.skipif(pipe_lend is None, reason="the C code was not built: everything is written")
def test_who_lends_goes_on_though_nothing_was_free() -> None:
    """What is written while all pieces are out is in the pipe behind them, and says nothing of whether they were read."""
    (reading, writing), (result, target) = wide_pipe(), os.pipe()
    process = reader(reading, target)
    process.send_signal(signal.SIGSTOP)
    output = Output(f"/dev/fd/{writing}", None)
    for _ in range(PIECES):
        output.write(bytes(75_000))
    output.write(bytes(500_000))
    assert output.lender.free() == -1
    process.send_signal(signal.SIGCONT)  # it reads what was lent, and waits, since nobody reads what it writes
    until(lambda: unread(reading) == PIECES * 75_000 + 500_000 - 300_000, "read")
    assert output.lender.free() >= 0
    process.kill()
    process.wait()
    for fd in reading, writing, result, target:
        os.close(fd)
    output.close()


@pytest.mark.skipif(pipe_lend is None, reason="the C code was not built: everything is written")
@pytest.mark.parametrize("parts", [1, 2])
def test_memory_that_packets_are_read_from_is_not_lent_for_others(parts: int) -> None:
    """A batch that does not lie as it is handed on, in memory that was taken for it, while all other pieces are out."""
    (reading, writing), (result, target) = wide_pipe(), os.pipe()
    process = reader(reading, target)
    process.send_signal(signal.SIGSTOP)
    output = Output(f"/dev/fd/{writing}", None)
    output.write(bytes(75_000))
    lane = Lane(output, output.lender)
    memory = lane.memory_for(PIECE)
    assert memory
    memory[:] = before = random.Random(1).randbytes(PIECE)
    batch = Batch(memory, bytearray().join(struct.pack("=7q", i * 1000, 1000, 1000, 0, 1, 0, 0) for i in range(100)))
    if parts == 2:
        output.lender.take()  # as when the first of its packets have gone
    while output.lender.free() >= 0 and output.lender.pieces[output.lender.free()] is not memory:
        output.write(bytes(75_000))
    for first in range(parts):
        output.write(lane.encode(batch, first)[0])
        assert memory[:] == before
    process.kill()
    process.wait()
    for fd in reading, writing, result, target:
        os.close(fd)
    output.close()


def test_nothing_is_lent_without_a_promise() -> None:
    reading, writing = wide_pipe()
    lender = Lender(writing)
    assert promised(writing) == 0
    assert lender.lend(memoryview(bytes(PIECE))) == 0
    os.close(reading)
    os.close(writing)


def text_file(tmp_path: Path, size: int) -> bytes:
    """A text of so many bytes or more, in the form that our own writer writes; its packets differ."""
    row = "".join(f"{i:06X}: " + " ".join(f"{i * 4 + g & 0xFF:02X}" for g in range(16)) + "\n" for i in range(0, 1024, 16))
    rest = "".join(f"-- {i} --\nTIME: {i}\n{i % 256:06X}: {i % 251:02X}\n{row}==\n" for i in range(size // 3000))
    (tmp_path / "rough.txt").write_text(rest)
    expected = subprocess.run([COMMAND, "--in", str(tmp_path / "rough.txt")], capture_output=True, check=True).stdout
    (tmp_path / "in.txt").write_bytes(expected)
    return expected


def spliced(source: int) -> bytes:
    """What a program reads that passes the pipe's own memory on, as pv does, and looks at it only much later."""
    reading, writing = wide_pipe()
    os.set_blocking(writing, False)
    data, more = b"", True
    while more:
        try:
            more = os.splice(source, writing, 1 << 20) > 0
            if more:
                continue
        except BlockingIOError:
            pass
        time.sleep(0.05)  # time enough to write over what is there
        os.set_blocking(reading, False)
        try:
            while part := os.read(reading, 1 << 20):
                data += part
        except BlockingIOError:
            pass
    os.close(reading)
    os.close(writing)
    return data


@pytest.mark.skipif(not hasattr(os, "splice"), reason="no splice(2)")
def test_a_reader_that_splices(tmp_path: Path) -> None:
    expected = text_file(tmp_path, 12 << 20)
    reading, writing = wide_pipe()
    process = subprocess.Popen([COMMAND, "--in", str(tmp_path / "in.txt")], stdout=writing)
    os.close(writing)
    assert spliced(reading) == expected
    assert process.wait(30) == 0
    os.close(reading)


@pytest.mark.skipif(not hasattr(os, "splice"), reason="no splice(2)")
def test_another_reader_takes_over(tmp_path: Path) -> None:
    """The one who promised to copy ends; who comes then splices, and finds in the pipe what was lent to the first."""
    expected = text_file(tmp_path, 24 << 20)
    reading, writing = wide_pipe()
    with (tmp_path / "out").open("wb") as target:
        first = reader(reading, target.fileno(), size=6 << 20)
        process = subprocess.Popen([COMMAND, "--in", str(tmp_path / "in.txt")], stdout=writing)
        os.close(writing)
        assert first.wait(30) == 0
    assert (tmp_path / "out").read_bytes() + spliced(reading) == expected
    assert process.wait(30) == 0
    os.close(reading)


def test_a_writer_that_has_ended(tmp_path: Path) -> None:
    """What was lent stays as it was when its process is gone."""
    expected = text_file(tmp_path, 1 << 19)
    reading, writing = wide_pipe()
    first = reader(reading, os.open(tmp_path / "first", os.O_WRONLY | os.O_CREAT), size=1, pause=1)
    process = subprocess.Popen([COMMAND, "--in", str(tmp_path / "in.txt")], stdout=writing)
    os.close(writing)
    assert process.wait(30) == 0  # all of it fits into the pipe
    assert first.wait(30) == 0
    with os.fdopen(reading, "rb") as rest:
        assert (tmp_path / "first").read_bytes() + rest.read() == expected


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_where_lending_is_refused_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(fd: int, data: memoryview) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pkttools.kernel.pipe_lend", refuse)
    assert lent_on_the_way(tmp_path, PIECE) == 0


def test_where_nobody_says_how_much_is_unread_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some processors have another number for this request."""
    monkeypatch.setattr("pkttools.formats.lending.FIONREAD", 0x7FFF)
    assert lent_on_the_way(tmp_path, PIECE) == 0
