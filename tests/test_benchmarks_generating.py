"""The benchmark of pkt-gen works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks import generating
from benchmarks.processes import Failed
from test_benchmarks_sending import wire as _wire

wire = _wire


def test_prints_one_table(wire, capsys):
    assert generating.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Made 1,000 packets of 64 bytes")
    for what in generating.KINDS:
        (row,) = [line for line in lines if line.startswith(f"| pkt-gen --xmit direct, {what}, python ") and "÷" not in line]
        assert row.split("|")[2].strip() == "1,000"
    assert any("÷ trafgen" in line for line in lines) == bool(shutil.which("trafgen"))


def test_other_frames_are_not_measured(wire, tmp_path, monkeypatch):
    if not shutil.which("trafgen"):
        pytest.skip("trafgen is not installed")
    other = generating.configuration

    def wrong(words: list[str], path: Path) -> Path | None:
        made = other(words, path)
        path.write_text(path.read_text().replace("0x40", "0x41", 1))
        return made

    monkeypatch.setattr(generating, "configuration", wrong)
    with pytest.raises(Failed, match="do not send the same"):
        generating.generating(["python"], 200, 1, tmp_path)
