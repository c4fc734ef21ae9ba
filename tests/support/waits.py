"""What tests wait for instead of a while: that a pipe is full or read, that a process sleeps, that it connects."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO


def until(happened: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Waits for something; fails when it does not happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"no {what} within {seconds} s"
        time.sleep(0.005)


def is_full(reader: IO[bytes] | int | None) -> bool:
    """Whether a pipe that we read takes no more: who writes to it waits. The other end is opened once more, to ask that."""
    assert reader is not None
    number = reader if isinstance(reader, int) else reader.fileno()
    fd = os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        return not select.select([], [fd], [], 0)[1]
    finally:
        os.close(fd)


def unread(pipe: IO[bytes] | None) -> int:
    """The bytes that lie in a pipe of which we have an end."""
    assert pipe
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


def exactly(fd: int, size: int) -> bytes:
    """So many bytes of a pipe, in however many pieces they come."""
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        assert part, f"it ends after {data!r}"
        data += part
    return data


def read_to(fd: int, end: bytes) -> bytes:
    """What a pipe or a terminal gives until that has come: a line may come in pieces."""
    data = b""
    while end not in data:
        part = os.read(fd, 4096)
        assert part, f"it ends after {data!r}"
        data += part
    return data


def shown(terminal: int) -> bytes:
    """What a terminal shows until nobody has it open any more."""
    data = b""
    while True:
        try:
            data += os.read(terminal, 4096)
        except OSError:  # EIO: that was the end
            return data


def status(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """What the kernel says of a process, proc_pid_status(5)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def sleeps(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has taken every signal that it was sent, and waits for something."""
    said = status(process)
    return int(said["SigPnd"], 16) == int(said["ShdPnd"], 16) == 0 and said["State"].startswith("S")


def children(process: int) -> list[int]:
    """The processes that one has started and that are there, by the number of theirs and its."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def until_gone(processes: list[int]) -> None:
    """Waits until none of these processes is there any more."""
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in processes), f"end of {processes}", 10)


def catches(process: subprocess.Popen[bytes], number: int) -> bool:
    """Whether a process has a handler for a signal."""
    return bool(int(status(process)["SigCgt"], 16) >> number - 1 & 1)


def wants_more(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has read all that we wrote to its standard input, a pipe, and waits."""
    return not unread(process.stdin) and sleeps(process)


def on_their_way(port: int) -> int:
    """The bytes in the buffers of TCP connections of IPv4 from and to a port of ours: sent, and not read by anybody."""
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, own, peer, state, queues, *_ = line.split()
        if state != "0A" and port in (int(own.partition(":")[2], 16), int(peer.partition(":")[2], 16)):  # 0A: it listens
            count += sum(int(queue, 16) for queue in queues.split(":"))
    return count


def connects(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether a process has asked for a connection to a TCP port of IPv4 that nobody has answered yet."""
    sockets = set()
    for fd in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            sockets.add(str(fd.readlink()))
        except FileNotFoundError:
            pass  # it was closed meanwhile
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, peer, state, *rest = line.split()
        if state == "02" and int(peer.partition(":")[2], 16) == port and f"socket:[{rest[5]}]" in sockets:  # SYN_SENT
            return True
    return False
