"""What the tests share: both codecs, the commands in a shell, and the material beside the project."""

from __future__ import annotations

import gc
import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

import pkttools.codec.python as python_codec
import pkttools.kernel.python as python_kernel

pytest_plugins = ["pkttools.pytest_plugin"]  # installed it is found by itself

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("PKTTOOLS_SHARED", ROOT.parent / "shared"))
BACKENDS = ("c", "python")

# How long an example takes says how busy the machine is.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """What is collected, tens of thousands of tests, stays: nothing of it is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """No search for garbage goes through it later, either, here and in what is forked."""
    gc.freeze()
    gc.enable()


def load(backend: str) -> ModuleType:
    """A codec, or a visible skip where the C one was not built."""
    if backend == "python":
        return python_codec
    return pytest.importorskip("pkttools.codec._c", reason="the C codec was not built")


@pytest.fixture
def both() -> tuple[ModuleType, ModuleType]:
    """Both codecs, to be compared with each other."""
    return load("c"), load("python")


@pytest.fixture(params=BACKENDS)
def codec(request: pytest.FixtureRequest) -> ModuleType:
    """Both backends, one after the other: the test's id says which one failed."""
    return load(request.param)


@pytest.fixture(params=BACKENDS)
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    """Both backends of what reaches the kernel, one after the other."""
    if request.param == "python":
        return python_kernel
    return pytest.importorskip("pkttools.kernel._c", reason="the C functions were not built")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of both backends, one after the other, for tests that run commands."""
    load(request.param)
    return request.param


def shell(
    command: str, data: bytes = b"", *, backend: str = "", timeout: float = 60, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Runs a shell pipeline that finds our commands; dates in UTC, a failure anywhere in it is a failure of it."""
    environment = {
        **os.environ,
        "TZ": "UTC",
        "LC_ALL": "C",
        "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}",
        "PKTTOOLS_CODEC": backend,
        "XDG_CACHE_HOME": "/nowhere",  # that of whoever runs the tests stays as it is
        **env,
    }
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], input=data, capture_output=True, env=environment, timeout=timeout, check=False
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of captures and comparisons beside the project; what needs it is skipped where it is missing."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED.name} is not there")
    return SHARED
