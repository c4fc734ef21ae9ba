"""The example files: in their usual form, and right."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, shell

EXAMPLES = sorted((ROOT / "examples").glob("*.txt"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("command", ["pkt-txt2txt", "pkt-correct", "pkt-correct -L"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_passes_unchanged(path: Path, command: str):
    done = shell(command, path.read_bytes())
    assert (done.stdout, done.stderr, done.returncode) == (path.read_bytes(), b"", 0)
