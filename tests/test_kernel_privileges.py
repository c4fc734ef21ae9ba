"""What a process may do: the C functions and their twins say the same, and do it; each in a process of its own."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

if sys.platform != "linux":
    pytest.skip("capabilities are Linux's", allow_module_level=True)

PR_GET_NO_NEW_PRIVS = 39
DOES = """
import errno
from pkttools import kernel
kernel.prctl(1, 10)
before = kernel.prctl(39)
kernel.prctl(38, 1)
try:
    kernel.prctl(1, 1 << 20)
except OSError as error:
    refused = error.errno
effective, permitted, _ = kernel.capabilities()
kept = 1 << 13 & permitted
kernel.keep_capabilities(kept)
try:
    kernel.keep_capabilities(kept | 1 << 40)
except OSError as error:
    more = error.errno
said = [line.split() for line in open("/proc/thread-self/status")]
seen = [int(word[1], 16) for word in said if word[0] in ("CapInh:", "CapPrm:", "CapEff:")]
print(kernel.BACKEND, before, kernel.prctl(39), kernel.death_signal(), refused, more)
print(seen == [0, kept, kept], kernel.capabilities() == (kept, kept, 0))
"""


def test_they_say_the_same(kernel):
    sets = dict(line.split(":\t") for line in Path("/proc/thread-self/status").read_text().splitlines() if line.startswith("Cap"))
    assert kernel.capabilities() == tuple(int(sets[f"Cap{which}"], 16) for which in ("Eff", "Prm", "Inh"))
    assert kernel.prctl(PR_GET_NO_NEW_PRIVS) in (0, 1)
    assert kernel.death_signal() == 0
    with pytest.raises(OSError, match="Invalid argument"):
        kernel.prctl(-1)


def test_they_do_it(backend):
    environment = {**os.environ, "PKTTOOLS_CODEC": backend}
    done = subprocess.run([sys.executable, "-c", DOES], capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    assert done.stdout == f"{backend} 0 1 {int(signal.SIGUSR1)} {errno.EINVAL} {errno.EPERM}\nTrue True\n"
