"""The benchmark of pkt-send works on few packets, prints no number when what it measures is wrong, and leaves nothing behind."""

from __future__ import annotations

import os

import pytest
from benchmarks import sending
from benchmarks.processes import Failed

from pkttools.lab import running
from pkttools.live.linux import control
from pkttools.live.linux.namespaces import Forbidden


@pytest.fixture
def wire():
    """A wire; skips where there can be none."""
    try:
        with sending.wire() as made:
            yield made
    except sending.Missing as error:
        pytest.skip(str(error))


def test_prints_one_table(wire, capsys):
    assert sending.main(["--packets", "200", "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Sent 1 times 1000 frames")
    for size in (64, 1500):
        (row,) = [line for line in lines if line.startswith(f"| pkt-send -f, {size} bytes, python ") and "÷" not in line]
        assert row.split("|")[2].strip() == "1,000"


def test_what_did_not_arrive_is_not_measured(wire, tmp_path):
    path = tmp_path / "in.pcap"
    sending.write(path, sending.frames(64))
    for count, size in ((1001, 64), (999, 64), (1000, 65)):
        (one, *_) = sending.contestants(wire, ["python"], path, size, 1, count)
        with pytest.raises(Failed, match=r"1000 of \d+ packets arrived, 64000 bytes"):
            one.once()


def test_wrong_bytes_are_not_measured(wire, tmp_path, monkeypatch):
    whole = sending.write
    monkeypatch.setattr(sending, "write", lambda path, packets: whole(path, [*packets[:-1], packets[-1][:-1] + b"!"]))
    with pytest.raises(Failed, match="what arrived is not what the file holds"):
        sending.check(wire, ["python"], tmp_path, 64)


def test_the_wire_goes_with_its_maker():
    def there() -> list[str]:
        return [name for name in control.names(running.KIND) if name.startswith(f"sending-{os.getpid()}-")]

    with pytest.raises(KeyError), sending.wire() as made:
        assert len(there()) == 1
        assert made.arrived() == (0, 0)
        raise KeyError
    assert not there()


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    def refused(*_: object, **__: object) -> None:
        raise Forbidden("not allowed")

    with monkeypatch.context() as patch:
        patch.setattr(sending.holder, "start", refused)
        assert sending.sending(["python"], 200, 1, tmp_path) == (
            [], "Sending was not measured: no network namespace here: not allowed."
        )  # fmt: skip
    monkeypatch.setattr(sending.shutil, "which", lambda _name, path=None: None)
    assert sending.sending(["python"], 200, 1, tmp_path) == ([], "Sending was not measured: ip, nsenter not installed.")


def test_without_tcpreplay_there_are_no_ratios(wire, monkeypatch, tmp_path):
    which = sending.shutil.which
    monkeypatch.setattr(sending.shutil, "which", lambda name, path=None: None if name == "tcpreplay" else which(name, path=path))
    rows, said = sending.sending(["python"], 200, 1, tmp_path)
    assert [row.what for row in rows] == ["pkt-send -f, 64 bytes, python", "pkt-send -f, 1500 bytes, python"]
    assert said.endswith("; tcpreplay is not installed.")
