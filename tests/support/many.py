"""Runs a command over many files, each in a process of its own that is forked and not started: a hundred times faster. What one
imports only when it is at work is imported here for those after it.

many.py COMMAND FILE...     prints a line for each file with which the command did what it must not do
many.py --pipe PIPE FILE...  prints, for each file, its path and what `piped` says of it, as a Python literal
many.py --pipes FILE PIPE...  prints the same for each pipe

The commands are run as ever, from their command line to their exit code, under limits of CPU and memory.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import shlex
import sys
import tempfile
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pkttools import main
from pkttools.codec import BACKEND

CPU, MEMORY = 10, 256 << 20  # seconds, bytes beyond what the interpreter has mapped already
TELL = 255  # a descriptor that commands inherit


def start(words: list[str], stdin: int, stdout: int, stderr: int) -> tuple[int, int]:
    """Forks a command; gives its process id, and where it will have said what it imported."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        return pid, told
    for fd, target in ((stdin, 0), (stdout, 1), (stderr, 2), (tell, TELL)):
        os.dup2(fd, target)
    os.closerange(3, TELL)
    known = set(sys.modules)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    code = main.guarded(words[0], words[1:])
    sys.stdout and sys.stdout.flush()
    sys.stderr.flush()
    os.write(TELL, " ".join(sys.modules.keys() - known).encode())
    os._exit(code)


def end(pid: int, told: int) -> int:
    """Waits for a command; gives its exit code, negative for a signal."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with os.fdopen(told) as file:
        modules = file.read().split()
    for name in modules:
        with contextlib.suppress(ImportError):  # what only looks like a module, as typing.io
            import_module(name)
    if modules:
        gc.freeze()
    return code


def complaint(words: list[str], path: str) -> str | None:
    """What a command did with a file that it must not do."""
    with Path(path).open("rb") as source, Path(os.devnull).open("wb") as sink, tempfile.TemporaryFile() as errors:
        code = end(*start(words, source.fileno(), sink.fileno(), errors.fileno()))
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    wrong = code not in (0, 1) or "Traceback" in said or "internal error" in said or "out of memory" in said
    wrong |= code == 1 and (not said.startswith("pkt-") or len(said.splitlines()) > 3)
    return f"{shlex.join(words)} < {path}: exit {code}: {said[-300:]!r}" if wrong else None


def piped(line: str, path: str) -> tuple[list[int], bytes, str]:
    """What the commands of a pipe make of a file: their exit codes, what the last one writes, and what they say."""
    running = []
    with Path(path).open("rb") as source, tempfile.TemporaryFile() as sink, tempfile.TemporaryFile() as errors:
        *front, last = map(shlex.split, line.split(" | "))
        reading = os.dup(source.fileno())
        for words in front:
            following, writing = os.pipe()
            running.append(start(words, reading, writing, errors.fileno()))
            os.close(reading)
            os.close(writing)
            reading = following
        running.append(start(last, reading, sink.fileno(), errors.fileno()))
        os.close(reading)
        codes = [end(*one) for one in running]
        for file in (sink, errors):
            file.seek(0)
        return codes, sink.read(), errors.read().decode(errors="replace")


if __name__ == "__main__":
    assert os.environ["PKTTOOLS_CODEC"] == BACKEND
    gc.freeze()
    if sys.argv[1] == "--pipe":
        print([(path, *piped(sys.argv[2], path)) for path in sys.argv[3:]])
    elif sys.argv[1] == "--pipes":
        print([piped(line, sys.argv[2]) for line in sys.argv[3:]])
    else:
        command = shlex.split(sys.argv[1])
        for path in sys.argv[2:]:
            if found := complaint(command, path):
                print(found)
