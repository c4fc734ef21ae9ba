"""Runs programs joined by pipes, and says what each of them used."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
bytecode: Path | None = None  # where Python keeps the bytecode of what is run; set once there is a temporary folder
NOWHERE = Path(os.devnull)
Commands = Sequence[Sequence[str]]


class Failed(Exception):
    """A command failed, or wrote something wrong: there is nothing to measure."""


@dataclass(frozen=True)
class Used:
    """What one run of a pipe took: seconds from the first start to the last end, CPU seconds and peak bytes of each process."""

    wall: float
    cpus: tuple[float, ...]
    peaks: tuple[int, ...]
    said: str

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes, user and system."""
        return sum(self.cpus)


def environment(codec: str, more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of what is run: our commands first in PATH, dates in UTC, Python as it is without settings.

    Bytecode is kept, as it is for installed commands, but in a folder of ours.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept = {"PYTHONPYCACHEPREFIX": str(bytecode)} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}
    path = f"{ROOT / 'bin'}:{os.environ['PATH']}"
    return {**plain, **kept, "PATH": path, "TZ": "UTC", "LC_ALL": "C", "PKTTOOLS_CODEC": codec, **(more or {})}


def run(commands: Commands, source: Path | None = None, target: Path | None = None, *, codec: str = "",
        more: dict[str, str] | None = None) -> Used:  # fmt: skip
    """Runs commands joined by pipes, from a file to a file, by default /dev/null. Raises Failed when one of them fails."""
    with (source or NOWHERE).open("rb") as first, (target or NOWHERE).open("wb") as last, tempfile.TemporaryFile() as messages:
        begin = time.perf_counter()
        started = _start(commands, first, last, messages, environment(codec, more))
        used = _wait(started)
        wall = time.perf_counter() - begin
        messages.seek(0)
        said = messages.read().decode(errors="replace")
    _complain(commands, [process.returncode for process in started], said)
    return Used(wall, tuple(u.ru_utime + u.ru_stime for u in used), tuple(u.ru_maxrss << 10 for u in used), said)


def _start(commands: Commands, first: IO, last: IO, messages: IO, env: dict[str, str]) -> list[subprocess.Popen]:
    """Starts all of them, each reading what the one before writes."""
    started: list[subprocess.Popen] = []
    before: IO = first
    for number, command in enumerate(commands, 1):
        after = last if number == len(commands) else subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=before, stdout=after, stderr=messages, env=env)
        except OSError as error:
            _end(started)
            raise Failed(f"{command[0]}: {error.strerror}") from None
        if started:
            before.close()  # else the one before would not notice that this one has ended
        before = process.stdout or last
        started.append(process)
    return started


def _wait(started: list[subprocess.Popen]) -> list:
    """Waits for all of them; gives the resources that each used, with those of its own children."""
    used = []
    try:
        for process in started:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used.append(usage)
    finally:
        _end(started)
    return used


def _end(started: list[subprocess.Popen]) -> None:
    """Ends what still runs."""
    for process in started:
        if process.returncode is None:
            process.kill()
            process.wait()


def _complain(commands: Commands, codes: list[int], said: str) -> None:
    """Raises Failed when a code is not 0. Who exited by itself is named rather than who a signal ended: that followed from it."""
    failed = sorted((code < 0, number) for number, code in enumerate(codes) if code)
    if failed:
        number = failed[0][1]
        raise Failed(f"{' '.join(commands[number])}: exit code {codes[number]}\n{said[:2000]}".rstrip())
