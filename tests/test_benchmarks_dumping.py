"""The benchmark of hex dumps works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks import dumping
from benchmarks.processes import Failed


def test_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert dumping.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Hex dumps of 200 packets")
    assert sum("÷ text2pcap" in line for line in lines) == (2 if shutil.which("text2pcap") else 0)


def test_other_packets_are_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumping, "OURS", ["pkt-hex2txt", "-F", "pcap", "-l", "9"])
    with pytest.raises(Failed, match="other packets"):
        dumping.contestants("c", 20, tmp_path)
