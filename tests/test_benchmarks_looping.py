"""The benchmark beside a loop in C works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import looping
from benchmarks.processes import Failed

pytestmark = pytest.mark.skipif(not shutil.which("cc") or not looping.MEMORY.is_dir(), reason="needs cc and /dev/shm")


def test_prints_one_table(capsys):
    before = set(looping.MEMORY.iterdir())
    assert looping.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Looped over 2,000 packets."
    assert any(line.startswith("| pkt-pipe, to memory, ") and "÷ the loop in C" in line for line in lines)
    assert {path for path in looping.MEMORY.iterdir() if path.name.startswith("pkttools-bench-")} <= before


def test_another_loop_is_not_measured(tmp_path, monkeypatch):
    other = tmp_path / "loop.c"
    other.write_text(looping.LOOP.read_text().replace("TYPE = 8", "TYPE = 9"))
    monkeypatch.setattr(looping, "LOOP", other)
    with pytest.raises(Failed, match="packet 1 is wrong"):
        looping.looping(["python"], 200, 1, tmp_path)
