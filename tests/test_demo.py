"""`make demo`'s script: the main job for real, and what it does where namespaces are forbidden."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from conftest import ROOT, shell

DEMO = f"sh '{ROOT}/examples/demo.sh'"


def namespaces() -> bool:
    """Whether network namespaces can be made here, and the tools are there."""
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip", "ping"))
    return tools and subprocess.run(["unshare", "-Urn", "true"], capture_output=True, check=False).returncode == 0


def test_with_a_wire(backend: str) -> None:
    if not namespaces():
        pytest.skip("unshare -Urn is not allowed here, or unshare, nsenter, ip or ping is missing")
    done = shell(DEMO, backend=backend)
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "Proof: alice answered the forged request, and the checksum of her reply is right." in said
    assert "1 attempted = 1 sent + 0 failed" in said
    assert said.count("ICMP type 8 (echo request)") >= 3
    assert not done.stderr


def test_without_namespaces(backend: str, tmp_path) -> None:
    """An unshare that is not allowed to: the demo says so, and shows the same from a file."""
    forbidden = tmp_path / "unshare"
    forbidden.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    forbidden.chmod(0o755)
    done = shell(f"PATH='{tmp_path}':$PATH {DEMO}", backend=backend)
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert "namespaces are forbidden here (unshare failed: Operation not permitted)" in said
    assert "The forged request is ready; its checksum is right." in said


def test_a_capture_that_is_slow_to_begin(backend: str, tmp_path) -> None:
    """A socket is in the kernel's list before it is bound, and gets nothing until then: the ping has to wait for that."""
    if not namespaces():
        pytest.skip("unshare -Urn is not allowed here, or unshare, nsenter, ip or ping is missing")
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace is not installed, or not allowed to trace")
    slow = f"strace -f -qq -o '{tmp_path}/calls' -e trace=bind -e inject=bind:delay_enter=200000"
    done = shell(f"{slow} {DEMO}", backend=backend)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert "(DELAYED)" in (tmp_path / "calls").read_text()
