"""`make demo`: the first laboratory, where captures are slow to begin, and where no network can be built."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell

DEMO = "pkt-lab demo forged-ping"


def namespaces() -> bool:
    """Whether network namespaces can be made here, and the tools are there."""
    tools = all(shutil.which(tool) for tool in ("unshare", "ip", "ping"))
    return tools and subprocess.run(["unshare", "-Urnp", "true"], capture_output=True, check=False).returncode == 0


def test_make_demo_is_the_first_laboratory():
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-n", "demo"], cwd=ROOT, env=outer, capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == f"bin/{DEMO}"


def test_with_a_wire(backend: str):
    if not namespaces():
        pytest.skip("unshare -Urn is not allowed here, or unshare, ip or ping is missing")
    done = shell(DEMO, backend=backend)
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "Proof: alice answered the forged request, and the checksum of her reply is right." in said
    assert said.count("1 attempted = 1 sent + 0 failed") == 2
    assert said.count("ICMP 64 echo request, id ") >= 3
    assert not done.stderr


def test_without_namespaces(backend: str):
    """Where none may be made the demo says so, and shows the same from a file."""
    if not namespaces():
        pytest.skip("a namespace is needed to forbid some in it")
    forbid = "echo 0 > /proc/sys/user/max_user_namespaces"  # in the user namespace that this is in, and in no other
    done = shell(f"unshare -Ur sh -c '{forbid} && {DEMO}'", backend=backend)
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "namespaces are forbidden here: user.max_user_namespaces is 0" in said
    assert "the forged request is ready, its checksum is right" in said


def test_a_capture_that_is_slow_to_begin(backend: str, tmp_path: Path):
    """A socket is in the kernel's list before it is bound, and gets nothing until then: the ping has to wait for that."""
    if not namespaces():
        pytest.skip("unshare -Urn is not allowed here, or unshare, ip or ping is missing")
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed, or not allowed to trace")
    slow = f"strace -f -qq -o '{tmp_path}/calls' -e trace=bind -e inject=bind:delay_enter=200000"
    done = shell(f"{slow} {DEMO}", backend=backend)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert "(DELAYED)" in (tmp_path / "calls").read_text()
