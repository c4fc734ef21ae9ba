"""What the README promises of installing: the commands, with and without a C compiler; and that its pipes run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shell


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without what was built in it, as a clone has it."""
    folder = tmp_path / "clone"
    unwanted = shutil.ignore_patterns(".venv", ".git", "build", "*.so", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, folder, ignore=unwanted, symlinks=True)
    return folder


@pytest.mark.parametrize("compiler", ["cc", "false"])
def test_pip_install(copy: Path, tmp_path: Path, compiler: str) -> None:
    """`pip install .` into a fresh environment; a compiler that always fails is no compiler."""
    if compiler == "cc" and not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    env = {**os.environ, "CC": compiler}
    words = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", copy]
    done = subprocess.run(words, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    env = {k: v for k, v in os.environ.items() if k != "PKTTOOLS_CODEC"}
    for command in sorted((ROOT / "bin").glob("pkt-*")):
        said = subprocess.run([python.parent / command.name, "--version"], capture_output=True, text=True, env=env, check=True)
        assert f"codec in {'C' if compiler == 'cc' else 'Python'}" in said.stdout
    source = (ROOT / "examples" / "ping.txt").read_bytes()
    mended = subprocess.run([python.parent / "pkt-correct", "IP.TTL=9"], input=source, capture_output=True, check=True)
    assert mended.stdout.count(b"==\n") == source.count(b"==\n")
    page = subprocess.run([python.parent / "pkt-analyze", "--html", "-"], input=source, capture_output=True, check=True)
    assert page.stdout.endswith(b"</html>\n")
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "pkt-send.1").exists()
    labs = subprocess.run([python.parent / "pkt-lab", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert labs.stdout == shell("pkt-lab demo").stdout.decode()
    (installed,) = (tmp_path / "venv").glob("lib/python*/site-packages/pkttools/labs")
    for path in (ROOT / "examples" / "labs").rglob("*"):
        assert (installed / path.relative_to(ROOT / "examples" / "labs")).exists(), path


def test_pipes_of_the_readme(tmp_path: Path) -> None:
    """The pipes under `Pipes` run as they are written."""
    section = re.search(r"## Pipes\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ") and not line.strip().startswith("#")]
    assert len(lines) >= 10
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
    for line in lines:
        assert " -i " not in line, "no example may name an interface of this machine"
        tool = next((tool for tool in ("tcpdump", "perl", "sed") if tool in line), None)
        if tool and not shutil.which(tool):
            continue
        done = shell(f"cd '{tmp_path}' && {line}")
        assert done.returncode == 0, (line, done.stderr)
        written = re.search(r"(?:--svg|--html|>) (\S+)", line)
        assert done.stdout or (written and (tmp_path / written[1]).stat().st_size), line
    assert shell(f"pkt-filter ICMP.TYPE==0 < '{tmp_path}/answer.txt' | grep -c ==").stdout == b"1\n"
    assert shell(f"pkt-correct < '{tmp_path}/answer.txt' | cmp - '{tmp_path}/answer.txt'").returncode == 0
    assert (tmp_path / "dns.pcap").stat().st_size > 24


@pytest.mark.skipif(not shutil.which("make"), reason="make is not there")
def test_make_says_what_is_missing(copy: Path) -> None:
    """One line, exit code not 0, for a Python that is too old or lacks venv."""
    old = copy / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(["make", "-s", f"PYTHON={old}", "demo"], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "make: Python 3.11 or later is missing" in done.stdout
