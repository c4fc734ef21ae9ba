"""Progress: on a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from conftest import ROOT
from waits import shown


def test_on_a_terminal() -> None:
    """The line comes, is renewed after a second, and is taken away."""
    script = (
        "import time; from pkttools.command_line.progress import Progress; p = Progress(); p.next = 0\n"
        "while p.due: p.show('3 packets, 50 %')\n"
        "time.sleep(1.1); assert p.due; p.show('5 packets, 99 %'); p.clear()"
    )
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", script], stderr=theirs, cwd=ROOT, timeout=20, check=False)
    os.close(theirs)
    said = shown(ours)
    os.close(ours)
    assert done.returncode == 0
    assert said == b"\r3 packets, 50 %\x1b[K\r5 packets, 99 %\x1b[K\r\x1b[K"


def test_not_in_a_file() -> None:
    """Standard error that is no terminal has messages only, however long it takes."""
    script = "from pkttools.command_line.progress import Progress; p = Progress(); assert p.next == float('inf') and not p.due"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
