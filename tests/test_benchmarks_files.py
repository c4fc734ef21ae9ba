"""The benchmark of captures as files works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import pytest
from benchmarks import files
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert files.main(["--packets", "200", "--runs", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Files of 200 packets")
    for peer in files.EDITCAP, files.TRACEMERGE:
        assert (f"pkt-dedupe --window 5, c ÷ {peer.name}" in out) == peer.installed


def test_other_packets_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "DEDUPE", ["pkt-txt2txt", "-F", "pcap"])
    with pytest.raises(Failed, match="is wrong"):
        files.files(["python"], 60, 1, tmp_path)
