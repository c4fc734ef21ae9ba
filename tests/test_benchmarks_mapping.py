"""The benchmark of maps works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import pytest
from benchmarks import mapping
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert mapping.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Mapped two prefixes in 200 packets")
    assert any("÷ tcprewrite" in line for line in lines) == mapping.TCPREWRITE.installed


def test_other_packets_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(mapping, "MAP", ["pkt-txt2txt", "-F", "pcap"])
    with pytest.raises(Failed, match="is wrong"):
        mapping.mapping(["python"], 60, 1, tmp_path)
