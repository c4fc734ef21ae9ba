"""The project's README runs as it is written. The table of tests in README.md: each file is in it, and what is in it is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import ROOT, shell

HERE = Path(__file__).parent


def blocks(title: str) -> list[str]:
    """What a section of the project's README shows, block by block."""
    section = (ROOT / "README.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", section, re.MULTILINE)
    return [dedent(block).strip("\n") + "\n" for block in found if block.strip()]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the folder in which it runs."""
    return shutil.copytree(ROOT / "examples", tmp_path / "examples")


def test_pipes_run(examples: Path):
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    (block,) = blocks("Pipes")
    lines = [line for line in block.splitlines() if line and line[0] != "#"]
    assert len(lines) > 20
    for line in lines:
        before = set(examples.iterdir())
        done = shell(f"cd '{examples}' && {line}")
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout or set(examples.iterdir()) - before, f"{line}: shows nothing"


def test_programs_run(examples: Path):
    program, _ = blocks("In Python, and in tests")  # the other one is a test with a lab: test_live_library.py
    before = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run([sys.executable, "-W", "error", "-c", before + program], cwd=examples, capture_output=True, text=True)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)
    assert (examples / "ping.pcapng").exists()


def test_every_file_is_in_the_table():
    patterns = re.findall(r"`(test_[\w*]+\.py|conftest\.py|support/\w+\.py)`", (HERE / "README.md").read_text())
    named = [set(HERE.glob(pattern)) for pattern in patterns]
    assert all(named), [pattern for pattern, files in zip(patterns, named, strict=True) if not files]
    assert set().union(*named) == {*HERE.glob("*.py"), *HERE.glob("support/*.py")}
