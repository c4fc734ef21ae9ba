"""The benchmark of super-frames works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import pytest
from benchmarks import segmenting
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert segmenting.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Cut 20 super-frames")
    assert any("÷ cat" in line for line in lines)


def test_other_packets_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(segmenting, "SEGMENT", ["pkt-txt2txt", "-F", "pcap"])
    with pytest.raises(Failed, match="is wrong"):
        segmenting.segmenting(["python"], 60, 1, tmp_path)
