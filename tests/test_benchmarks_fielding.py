"""The benchmark of fields works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import fielding
from benchmarks.processes import Failed


def test_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert fielding.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Fields of 200 packets")
    assert sum("÷ pkt-txt2pcap" in line for line in lines) == 2
    assert sum("÷ tshark" in line for line in lines) == (2 if fielding.tshark("-a").installed else 0)


def test_text_without_fields_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fielding, "OPTIONS", ("-v",))
    with pytest.raises(Failed, match="there are no fields"):
        fielding.contestants("python", 200, tmp_path)
