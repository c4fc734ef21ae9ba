"""The table of tests in README.md: each file is in it, and what is in it is there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_file_is_in_the_table():
    patterns = re.findall(r"`(test_[\w*]+\.py|conftest\.py|support/\w+\.py)`", (HERE / "README.md").read_text())
    named = [set(HERE.glob(pattern)) for pattern in patterns]
    assert all(named), [pattern for pattern, files in zip(patterns, named, strict=True) if not files]
    assert set().union(*named) == {*HERE.glob("*.py"), *HERE.glob("support/*.py")}
