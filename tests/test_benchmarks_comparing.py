"""The benchmark of pkt-diff works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import comparing
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert comparing.main(["--packets", "1600", "--runs", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Compared 1,600 packets")
    assert "÷ cmp, equal texts" in out
    assert ("÷ tshark twice, diff" in out) == bool(shutil.which("tshark"))


def test_what_does_not_differ_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "EDITED", "correct")
    with pytest.raises(Failed):
        comparing.contestants("python", 400, tmp_path)
