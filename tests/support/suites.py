"""A run of pytest of its own, with our plugin and no other, and with nobody's configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

OWN = ["-q", "-p", "pkttools.pytest_plugin", "--strict-markers", "-c", "/dev/null", "--rootdir=.", "-p", "no:cacheprovider"]


def suite(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What pytest says of the tests in a folder; words: more of its options."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *OWN, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
