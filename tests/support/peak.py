"""What memory a process takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

SMALL = """import os, sys
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def peak(words: list[str | Path], stdin: int | IO[bytes] = subprocess.DEVNULL, stdout: int | IO[bytes] = subprocess.DEVNULL) -> int:
    """Bytes that the process of these words, which ends with 0, had in memory at most."""
    return measured(words, stdin, stdout)[0]


def piped(words: list[str | Path], *paths: Path) -> int:
    """The same of a process that gets these files by a pipe."""
    with subprocess.Popen(["cat", *paths], stdout=subprocess.PIPE) as cat:
        return peak(words, cat.stdout or subprocess.DEVNULL)


def measured(words: list[str | Path], stdin: int | IO[bytes], stdout: int | IO[bytes]) -> tuple[int, list[str]]:
    """The same, and what the process said on standard error.

    A small one starts it: the kernel counts from what was there before exec(2), and pytest is larger than what is measured.
    """
    process = [sys.executable, "-S", "-c", SMALL, *map(str, words)]
    done = subprocess.run(process, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True, timeout=100)
    *said, last = done.stderr.decode().splitlines()
    code, kilobytes = map(int, last.split())
    assert code == 0, said
    return kilobytes << 10, said
