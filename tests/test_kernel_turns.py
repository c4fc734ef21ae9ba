"""Turns of reading, a step and writing: where they end, and that nothing is lost there."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest
from conftest import ROOT, load
from relays import NOW, ONE, relay, usual
from waits import is_full

from pkttools.formats.lane import WRITING
from pkttools.formats.lending import LOCK

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="poll(2), and locks on pipes, as Linux has them")


def turns(kernel, codec, source: bytes, *, most: int = 1 << 16, lock: int = 0, wake: int = -1, out: int | None = None):
    """What turns give of a pipe with such bytes, and what they have written."""
    reading, feed = os.pipe()
    end, writing = os.pipe()
    os.write(feed, source)
    os.close(feed)
    buffer = bytearray(1 << 16)
    try:
        used, written, rest = kernel.take_turns(relay(codec), buffer, most, reading, out or writing, wake, lock, NOW)
    finally:
        os.close(writing)
        os.close(reading)
    with os.fdopen(end, "rb") as pipe:
        return bytes(buffer[:used]), written, rest, pipe.read()


@pytest.fixture
def matching(kernel):
    """The codec of the same backend as the kernel's functions."""
    return kernel, load("c" if kernel.__name__.endswith("_c") else "python")


def test_turns_end_with_the_input(matching):
    kernel, codec = matching
    expected = usual(codec, ONE)
    assert turns(kernel, codec, ONE) == (b"", len(expected), b"", expected)
    assert turns(kernel, codec, b"") == (b"", 0, b"", b"")
    assert turns(kernel, codec, ONE, lock=WRITING)[3] == expected


def test_turns_end_where_something_is_not_for_the_step(matching):
    kernel, codec = matching
    assert turns(kernel, codec, ONE[:-1]) == (ONE[:-1], 0, b"", b"")
    assert turns(kernel, codec, ONE, most=len(ONE) - 1) == (ONE, 0, b"", b"")


def test_turns_end_with_a_signal_before_anything_is_read(matching):
    kernel, codec = matching
    waking, wake = os.pipe()
    os.write(wake, b"x")
    assert turns(kernel, codec, ONE, wake=waking) == (b"", 0, b"", b"")
    os.close(wake)
    os.close(waking)


def test_what_the_output_does_not_take_is_given(matching):
    kernel, codec = matching
    expected = usual(codec, ONE)
    reading, full = os.pipe()
    os.set_blocking(full, False)
    while not is_full(reading):
        os.write(full, bytes(4096))
    assert turns(kernel, codec, ONE, out=full) == (b"", 0, expected, b"")
    os.close(reading)
    assert turns(kernel, codec, ONE, out=full) == (b"", 0, expected, b""), "why is said when it is written again"
    os.close(full)


def test_nobody_is_interrupted_who_writes(matching):
    """Another process that has locked the pipe."""
    kernel, codec = matching
    reading, writing = os.pipe()
    told, tell = os.pipe()
    done, leave = os.pipe()
    pid = os.fork()
    if not pid:
        fcntl.fcntl(writing, fcntl.F_SETLK, LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, WRITING, 1, 0))
        os.write(tell, b"x")
        os.close(leave)
        os.read(done, 1)
        os._exit(0)
    os.read(told, 1)
    expected = usual(codec, ONE)
    assert turns(kernel, codec, ONE, out=writing, lock=WRITING) == (b"", 0, expected, b"")
    assert turns(kernel, codec, ONE, out=writing)[1:3] == (len(expected), b"")
    os.close(leave)
    os.waitpid(pid, 0)
    assert turns(kernel, codec, ONE, out=writing, lock=WRITING)[1:3] == (len(expected), b"")
    for fd in reading, writing, told, tell, done:
        os.close(fd)


def test_nobody_writes_in_between(matching):
    """Where only a part is taken the pipe stays locked, until whoever has the rest lets go of it."""
    kernel, codec = matching
    packet = b"-- 1 --\n" + b"00 " * 4000 + b"\n==\n"
    expected = usual(codec, packet)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while not is_full(reading):
        os.write(writing, bytes(4096))
    os.read(reading, 3 * 4096)
    used, written, rest, _ = turns(kernel, codec, packet, out=writing, lock=WRITING)
    assert (used, written + len(rest)) == (b"", len(expected))
    assert 0 < written < len(expected)
    pid = os.fork()
    if not pid:
        try:
            fcntl.fcntl(writing, fcntl.F_SETLK, LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, WRITING, 1, 0))
        except OSError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    os.close(reading)
    os.close(writing)


def test_where_there_are_no_locks():
    """On Windows, which has no fcntl: whatever else there is for sending is imported."""
    code = "import sys; sys.modules['fcntl'] = None; import pkttools.kernel.python"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_turns_without_room(matching):
    kernel, codec = matching
    for buffer, most in ((bytearray(), 9), (bytearray(9), -1)):
        with pytest.raises(ValueError, match="no room"):
            kernel.take_turns(relay(codec), buffer, most, 0, 1, -1, 0, 0)
    reading, writing = os.pipe()
    os.write(writing, ONE)
    with pytest.raises(TypeError):
        kernel.take_turns(None, bytearray(99), 99, reading, 1, -1, 0, 0)
    os.close(reading)
    os.close(writing)
