"""The benchmark of pkt-stat works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import counting
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert counting.main(["--packets", "200", "--runs", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Counted 200 packets.")
    assert any(line.startswith("| pkt-stat totals, ") for line in out.splitlines())
    for other in ("capinfos", "tracereport"):
        assert (f"÷ {other}" in out) == bool(shutil.which(other))


def test_other_figures_are_not_measured(tmp_path, monkeypatch):
    if not shutil.which("capinfos"):
        pytest.skip("capinfos is not installed")
    monkeypatch.setattr(counting, "check_tracereport", lambda *_: None)
    monkeypatch.setattr(counting, "EVERYTHING", "totals,sizes,protocols,talkers --limit 7")
    with pytest.raises(Failed):
        counting.contestants("python", 200, tmp_path)
