"""The benchmark of views prints no number when a packet is missing in what it measures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks import viewing
from benchmarks.processes import Failed

pytestmark = pytest.mark.skipif(
    not (viewing.CAPTURES.is_dir() and shutil.which("tcpdump")), reason="the collection of captures, or tcpdump, is not there"
)


def test_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert viewing.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "real captures" in lines[0] and sum("÷ tcpdump" in line for line in lines) == len(viewing.VIEWS)


def test_another_view_is_not_measured_as_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "VIEWS", {"-lv 3": viewing.VIEWS["--line --relative"]})
    monkeypatch.setattr(viewing, "MARKS", {"-lv 3": viewing.MARKS["--line --relative"]})
    with pytest.raises(Failed, match=r"\d+ of \d+ packets"):
        viewing.contestants("c", 200, tmp_path)
