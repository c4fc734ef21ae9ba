"""The benchmark of forwarding: both ways carry what is sent, and their rates come out as rows."""

from __future__ import annotations

import pytest
from benchmarks import switching, wire


def test_both_ways_forward():
    reason = wire.missing()
    if reason:
        pytest.skip(f"no wires: {reason}")
    with wire.Wire() as made:
        for way in switching.WAYS:
            trial = switching.Forwarding(made, way, 64, 0.1).once(2000)
            assert trial.caught == trial.sent > 0, way


def test_what_loses_is_slower(monkeypatch):
    """The search on a made-up wire: one way carries 100,000 frames a second, the other one all."""

    class Wire:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def once(self, rate):
        sent = int(min(rate or 300_000, 300_000))
        caught = sent if self.way == "kernel bridge" else min(sent, 100_000)
        self.most = max(self.most, caught)
        return switching.Trial(sent, 1, caught)

    monkeypatch.setattr(switching, "Wire", Wire)
    monkeypatch.setattr(switching, "missing", lambda: "")
    monkeypatch.setattr(switching.Forwarding, "once", once)
    rows = {row.what: row for row in switching.switching(9, 400_000)}
    assert rows["kernel bridge, 64 bytes, none lost"].rate == "300,000"
    assert 90_000 < int(rows["pkt-switch, 64 bytes, none lost"].rate.replace(",", "")) <= 100_000
    assert rows["pkt-switch ÷ kernel bridge, 64 bytes, arriving"].rate == "0.333 / 0.333 / 0.333"
