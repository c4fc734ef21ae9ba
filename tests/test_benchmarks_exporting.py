"""The benchmark of JSON and tables works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import exporting
from benchmarks.processes import Failed


def test_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert exporting.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("JSON and tables of 200 packets")
    assert sum("÷ tshark" in line for line in lines) == (2 if exporting.JSON_OF_TSHARK.installed else 0)


def test_another_table_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "TABLE", ["pkt-analyze", "--fields", "IP.TTL"])
    with pytest.raises(Failed, match="there are no names"):
        exporting.contestants("c", 200, tmp_path)
