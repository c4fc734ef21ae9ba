"""The hosts of the live tests go with the test run, even if that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from conftest import ROOT
from test_live_lab import inhabitants
from waits import until

RUN = """
import sys
sys.path[:0] = ["tests/support", "tests", "."]
from netns import Lab
lab = Lab()
lab.open()
nets = [lab.must(host, "readlink /proc/self/ns/net").decode().strip() for host in "ab"]
lab.start("a", "sleep 1000 | sleep 1000")
lab.start("b", "exec sleep 1000")
print(*nets, flush=True)
sys.stdin.read()
"""


def test_a_killed_test_run():
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        nets = process.stdout.readline().decode().split()
        if not nets:
            pytest.skip("no network namespaces here")
        assert all(map(inhabitants, nets))
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(map(inhabitants, nets)), "end of all of them", 20)
