"""The benchmark of fragments and answers works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import pytest
from benchmarks import fragmenting
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert fragmenting.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Divided 60 datagrams")
    for name in ("pkt-fragment", "pkt-defragment", "pkt-pingrep"):
        mine = [line for line in lines if line.startswith(f"| {name}, ")]
        assert mine
        assert any("÷ tcprewrite" in line for line in mine) == fragmenting.TCPREWRITE.installed


@pytest.mark.parametrize("name", ["FRAGMENT", "DEFRAGMENT", "PINGREP"])
def test_other_packets_are_not_measured(tmp_path, monkeypatch, name):
    monkeypatch.setattr(fragmenting, name, ["pkt-txt2txt", "-F", "pcap"])
    with pytest.raises(Failed, match="is wrong"):
        fragmenting.fragmenting(["python"], 60, 1, tmp_path)
