"""The benchmark of edits works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks import editing
from benchmarks.processes import Failed

pytest.importorskip("cryptography", reason="cryptography is not installed")


def test_prints_one_table(capsys):
    assert editing.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Changed 200 packets in each of 4 ways")
    for name, change in editing.CHANGES.items():
        assert any(name in line and f"÷ {change.theirs[0]}" in line for line in lines) == change.installed


@pytest.mark.parametrize("name", editing.CHANGES)
def test_other_packets_are_not_measured(tmp_path, name):
    other = replace(editing.CHANGES[name], ours=("pkt-txt2txt", "-F", "pcap"))
    with pytest.raises(Failed, match="is wrong"):
        other.checked(name, "c", 60, tmp_path)
