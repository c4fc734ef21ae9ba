"""The benchmark of asking: both get all their answers, and the rows say how long that takes."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import asking, wire
from benchmarks.processes import Used


def test_the_times_of_fping():
    said = "10.9.0.2 : 0.053 10.1 -\n10.9.0.3 : - - 0.040\n"
    assert asking.times_of_fping(Used(1, (1,), (1,), said)) == [0.053, 10.1, 0.040]


@pytest.mark.skipif(not shutil.which("fping"), reason="fping is not installed")
def test_both_are_answered(tmp_path, monkeypatch):
    """At once, later, and by one host; once each."""
    reason = wire.missing()
    if reason:
        pytest.skip(f"no wires: {reason}")
    rows, said = asking.asking(["c"], 0, 1, tmp_path)
    both = [f"{name}, {when}" for when in asking.CASES for name in ("pkt-ask", "fping")]
    timed = [row for row in rows if "tcpdump" not in row.what]
    assert [row.what for row in timed if "÷" not in row.what] == both
    assert all(row.wall and row.cpu and "rtt median" in row.remark for row in timed)
    if shutil.which("tcpdump"):
        assert [row.what for row in rows if row not in timed] == [f"{what}, with tcpdump" for what in both]
    assert "64 in flight" in said


def test_it_says_why_it_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "missing", lambda: "no wires")
    rows, said = asking.asking(["c"], 0, 1, tmp_path)
    assert "no wires" in rows[0].remark
    assert "no wires" in said


def test_what_pkt_ask_says_of_its_times():
    said = "eth0: 1024 sent, 1020 answered, 4 lost (0.391 %), 0 duplicates; rtt min/avg/median/max = 0.051/0.072/0.060/0.141 ms\n"
    assert asking.of_ask(Used(1, (1,), (1,), said)) == (1020, 0.06)
    assert asking.of_ask(Used(1, (1,), (1,), "eth0: 0 sent")) == (0, 0.0)
