"""What tests wait for instead of a while: that a pipe is full, that a process sleeps, that it connects."""

from __future__ import annotations

import os
import select
import subprocess
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


def is_full(reader: IO[bytes] | None) -> bool:
    """Whether a pipe that we read takes no more: who writes to it waits. The other end is opened once more, to ask that."""
    assert reader
    fd = os.open(f"/proc/self/fd/{reader.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        return not select.select([], [fd], [], 0)[1]
    finally:
        os.close(fd)


def sleeps(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has taken every signal that it was sent, and waits for something."""
    said = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":\t" in line)
    return int(said["SigPnd"], 16) == int(said["ShdPnd"], 16) == 0 and said["State"].startswith("S")


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
