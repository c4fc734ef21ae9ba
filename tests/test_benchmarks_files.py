"""The benchmark of captures as files works on few packets, and prints no number when what it measures is wrong."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import files, merging, ordering, slicing, splitting
from benchmarks.processes import Failed


def test_prints_one_table(capsys):
    assert files.main(["--packets", "200", "--runs", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Files of 200 packets")
    for peer in files.EDITCAP, files.TRACEMERGE:
        assert (f"pkt-dedupe --window 5, c ÷ {peer.name}" in out) == peer.installed
    for number in merging.NUMBERS:
        for name in merging.PEERS:
            assert (f"pkt-merge, {number} files, c ÷ {name}" in out) == bool(shutil.which(name))
    assert "pkt-filter --compress, c ÷ zstd -dc and zstd -T1 around it, c" in out or not shutil.which("zstd")
    assert ("pkt-filter --sorted, 200 packets, c ÷ tcpslice, 200 packets" in out) == bool(shutil.which(slicing.PEER))
    for ours, theirs in ("--count", "-c, 40"), ("--span", "-i, 40"), ("--by flow", "-c, 50"):
        assert (f"pkt-split {ours}, c ÷ editcap {theirs} files" in out) == bool(shutil.which(splitting.PEER))
    for name in "nearly in order", "in any order":
        assert (f"pkt-sort, {name}, c ÷ reordercap, {name}" in out) == bool(shutil.which(ordering.PEER))


def test_another_order_is_not_measured(tmp_path, monkeypatch):
    if not shutil.which(ordering.PEER):
        pytest.skip(f"{ordering.PEER} is not installed")
    monkeypatch.setattr(ordering, "OURS", [*ordering.OURS, "--by=-TIME"])
    with pytest.raises(Failed, match="nearly in order, python: what it writes is wrong"):
        ordering.contestants("python", 60, tmp_path)


def test_what_is_not_merged_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(merging, "OURS", [*merging.OURS, "--append"])
    with pytest.raises(Failed, match="2 files, python: what it writes is wrong"):
        merging.contestants("python", 60, tmp_path)


def test_another_part_is_not_measured(tmp_path, monkeypatch):
    if not shutil.which(slicing.PEER):
        pytest.skip(f"{slicing.PEER} is not installed")
    monkeypatch.setattr(slicing, "OURS", ["pkt-filter", "-F", "pcap", "IP.TTL!=64"])
    with pytest.raises(Failed, match="is wrong"):
        slicing.contestants("python", 100, tmp_path)


def test_other_packets_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "DEDUPE", ["pkt-txt2txt", "-F", "pcap"])
    with pytest.raises(Failed, match="is wrong"):
        files.files(["python"], 60, 1, tmp_path)


def test_fewer_files_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(splitting, "OURS", [*splitting.OURS, "--limit", "40"])
    with pytest.raises(Failed, match="pkt-split --count, python: 20 files instead of 30"):
        splitting.contestants("python", 60, tmp_path)
