"""The benchmark of loops works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import programs
from benchmarks.processes import Failed


def test_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert programs.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Loops over 200 packets")
    assert sum("÷ dpkt" in line for line in lines) == 2


def test_another_sum_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "OURS", programs.OURS.replace("IP.TTL", "IP.VERSION"))
    with pytest.raises(Failed, match="is not the sum of 200 TTLs"):
        programs.contestants("c", 200, tmp_path)
