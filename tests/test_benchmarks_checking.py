"""The benchmark of pkt-check works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import pytest
from benchmarks import checking
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert checking.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Checked 200 packets in tunnels")
    assert any(line.startswith("| pkt-check -cs, tunnels, ") for line in lines)
    assert any("÷ tshark" in line for line in lines) == checking.TSHARK.installed


def test_every_kind_is_wrong_in_every_stack():
    made = [(number, frame) for number, (frame, wrong) in enumerate(checking.stacked(49 * 16)) if wrong]
    kinds = {(number % 4, frame[12:14], frame[12:14] == b"\x08\x00" and frame[36:38]) for number, frame in made}
    assert (len(made), len(kinds)) == (16, 16)


def test_other_packets_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(checking, "OURS", ["pkt-check", "-rc", "-F", "pcap"])
    with pytest.raises(Failed, match="packet 1 is missing"):
        checking.checking(["python"], 200, 1, tmp_path)
