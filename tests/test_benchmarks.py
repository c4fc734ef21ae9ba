"""The benchmark program works on a small capture, and prints no number when what it measures is wrong."""

from __future__ import annotations

import hashlib

import pytest
from benchmarks import __main__ as program
from benchmarks import capture, checks, live, wire, work
from benchmarks.processes import Failed, run
from benchmarks.timing import Contestant

PACKETS = 200
# Of a capture of PACKETS packets: the program that all earlier numbers were measured with writes the same bytes.
DIGEST = "9ef141a1758dda9dd3230b4da0d20da134bdd808d9074c17e03b6de3f67ec6eb"


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.pcap"
    capture.write_capture(path, PACKETS)
    return path


def changed(path, at, value):
    """A copy of a file with one byte replaced."""
    other = path.with_suffix(".changed")
    data = bytearray(path.read_bytes())
    data[at] = value
    other.write_bytes(data)
    return other


def test_prints_one_table(capsys):
    assert program.main(["--packets", str(PACKETS), "--runs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert f"{PACKETS:,} packets" in lines[0]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert any("pkt-correct" in line for line in table)
    assert any("÷ cat" in line for line in table)
    assert any("pkt-recv, 64 bytes" in line or "receiving from a wire" in line for line in table)


def test_pipe_with_wrong_result_is_not_measured(capsys, monkeypatch):
    monkeypatch.setattr(work, "PIPE", (work.PCAP2TXT, work.CHANGE, work.TXT2PCAP))  # checksums stay wrong
    assert program.main(["--packets", str(PACKETS), "--runs", "1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "packet 4 is wrong" in err  # the first echo reply


def test_peer_with_wrong_result_is_not_measured(capsys, monkeypatch):
    monkeypatch.setattr(program, "PEERS", (work.Peer("copy", ("cp", "{source}", "{target}"), work.ttl_65),))
    assert program.main(["--packets", str(PACKETS), "--runs", "1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "copy: packet 1 is wrong" in err


@pytest.mark.parametrize("bound", [20_000, 123_456, 700_000])
def test_the_highest_rate_without_loss_is_found(monkeypatch, bound):
    def attempt(wire, catcher, size, rate, seconds, target):
        return live.Trial(sent := int(min(rate or 500_000, 500_000)), 1, min(sent, bound))

    monkeypatch.setattr(live, "attempt", attempt)
    search = live.Search(None, None, 64, 1, None)
    for _ in range(9):
        search.step()
    assert search.good == pytest.approx(min(bound, 500_000), rel=0.05)
    assert search.unbounded == (bound > 500_000)


def test_frames_that_are_not_those_sent_are_not_measured(monkeypatch, tmp_path):
    if reason := wire.missing():
        pytest.skip(f"no wire of our own here: {reason}")
    with wire.Wire() as made:
        live.check(made, live.CATCHERS[1], 64, tmp_path / "caught")
        monkeypatch.setattr(live, "frame", lambda number, size: bytes(size))
        with pytest.raises(Failed, match=r"pkt-recv -F pcap: \d+ frames are not the \d+ that were sent"):
            live.check(made, live.CATCHERS[1], 64, tmp_path / "caught")
        deaf = live.Catcher("deaf", "pkt-recv -i eth1 -F pcap > {target}")
        with pytest.raises(Failed, match="deaf: 0 frames"):
            live.check(made, deaf, 64, tmp_path / "caught")


def test_capture_is_the_known_one(small):
    assert hashlib.sha256(small.read_bytes()).hexdigest() == DIGEST


def test_checksums_of_a_known_header():
    assert capture.checksum(bytes.fromhex("4500003044224000800600008c7c19acae241e2b")) == 0x442E  # the textbooks' header


@pytest.mark.parametrize("at", [0, 20, 24, 32, 24 + 16 + 36, -1])
def test_every_byte_counts(small, at):
    data = small.read_bytes()
    other = changed(small, at, data[at] ^ 1)
    with pytest.raises(Failed):
        checks.edited(small, other, work.same_frame, "test")
    with pytest.raises(Failed, match="test: outputs differ"):
        checks.same(small, other, "test")


def test_every_record_counts(small, tmp_path):
    shorter, udp = tmp_path / "shorter.pcap", tmp_path / "udp.pcap"
    capture.write_capture(shorter, PACKETS - 1)
    with pytest.raises(Failed, match=f"packet {PACKETS} is missing"):
        checks.edited(small, shorter, work.same_frame, "test")
    with pytest.raises(Failed, match=f"packet {PACKETS} is one too many"):
        checks.edited(shorter, small, work.same_frame, "test")
    with pytest.raises(Failed, match="packet 1 is wrong"):
        checks.edited(small, small, work.only_udp, "test")
    run([["pkt-filter", "UDP", "-F", "pcap"]], small, udp)
    checks.edited(small, udp, work.only_udp, "test")


@pytest.mark.parametrize("size", [0, 23, 24 + 7, 24 + 16, -1])
def test_output_that_was_cut_short(small, size):
    other = small.with_suffix(".cut")
    other.write_bytes(small.read_bytes()[:size])
    with pytest.raises(Failed, match=r"differs|wrong|missing"):
        checks.edited(small, other, work.same_frame, "test")


def test_commands_that_fail():
    with pytest.raises(Failed, match="false: exit code 1"):
        run([["cat"], ["false"], ["cat"]])
    with pytest.raises(Failed, match="no-such-command: No such file"):
        run([["sleep", "9"], ["no-such-command"]])
    with pytest.raises(Failed, match="no such file said so"):
        run([["sh", "-c", "echo no such file said so >&2; exit 3"]])


def test_what_another_program_wrote_is_gone_before_it_is_timed_again(tmp_path):
    """To empty a file of a hundred megabytes takes longer than to write a hundred packets."""
    target = tmp_path / "theirs"
    target.write_text("before")
    one = Contestant("sh", [["sh", "-c", f"set -C; echo > '{target}'"]], 1, target=target, opens=True)
    one.once()
    one.once()
    with pytest.raises(ValueError, match="nobody says what it writes"):
        Contestant("sh", [["true"]], 1, opens=True)
