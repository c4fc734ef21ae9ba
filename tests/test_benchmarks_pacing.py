"""The benchmark of sending at a rate works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from benchmarks import pacing, sending
from benchmarks.processes import Failed
from test_benchmarks_sending import wire as _wire

wire = _wire


def test_prints_one_table(wire, capsys, monkeypatch):
    monkeypatch.setattr(pacing, "RATES", {50_000: 1000})
    assert pacing.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Sent 1 times 1000 frames of 64 bytes over veth at a rate beyond reach")
    assert any(line.startswith("| pkt-send --pps 100000000, python ") and "| 1,000 |" in line.replace("  ", "") for line in lines)
    (said,) = [line for line in lines if line.startswith("| gaps of pkt-send --pps 50000, ") and "÷" not in line]
    assert "wrong by " in said
    assert any("÷ tcpreplay" in line for line in lines) == bool(shutil.which("tcpreplay"))


def test_times_that_are_missing_are_not_measured(wire, tmp_path, monkeypatch):
    path = tmp_path / "in.pcap"
    sending.write(path, sending.frames(64))
    (one, *_) = pacing.contestants(wire, ["python"], path, pacing.BEYOND, 1000, 1)
    assert len(pacing.errors(one, 1_000_000)) == 999
    monkeypatch.setattr(pacing.Sending, "once", lambda self: None)  # nothing is sent
    with pytest.raises(Failed, match="0 of 1000 times at the other end"):
        pacing.errors(replace(one), 1_000_000)
