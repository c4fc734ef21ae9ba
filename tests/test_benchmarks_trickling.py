"""The benchmark of a trickle works on few packets, and prints no number when packets are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import trickling
from benchmarks.processes import Failed


def test_prints_one_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trickling, "STAGES", 1)
    monkeypatch.setattr(trickling, "LEAST", 20)
    assert trickling.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("A trickle of 20 packets")
    assert sum("÷ cat" in line for line in lines) == 4


def test_a_pipe_that_loses_packets_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trickling, "PIPES", {"pkt-filter UDP": ["pkt-filter", "UDP"]})
    with pytest.raises(Failed, match="packets are missing"):
        trickling.trickling(["python"], 200, 1, tmp_path)
