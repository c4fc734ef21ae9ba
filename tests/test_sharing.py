"""Batches in memory of another process are what they would be in the pipe; whoever has it gives it back, and nobody is fooled."""

from __future__ import annotations

import errno
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from conftest import shell
from lanes import Done, forked, handed
from test_lane import capture, rows_of

from pkttools.batch import LANE_MARK, ROW_BYTES
from pkttools.formats.lane import HEADER, IN_PIPE, VERSION
from pkttools.formats.lending import PIECE, PIECES
from pkttools.formats.pcap import RECORD
from pkttools.formats.sharing import FIRST, NOTE, Known, Owner
from pkttools.kernel import pipe_lend

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="such memory is Linux's"),
    pytest.mark.skipif(pipe_lend is None, reason="the C code was not built: everything is written"),
]
ROWS = rows_of((10, 10, 1000, 0), (20, 25, 2000, 8))
DATA = bytes(RECORD) + b"0123456789" + bytes(RECORD) + bytes(range(20)) + b"NOTE: x\n"
TEXT = forked(["pkt-txt2txt"], handed(ROWS, DATA), reads=False)
UNSOUND = "a batch of packets that is not sound"


@pytest.fixture
def owner() -> Iterator[Owner]:
    """Memory with a batch in its second piece, which is out."""
    made = Owner(PIECES, PIECE)
    made.pieces[1][100 : 100 + len(ROWS) + len(DATA)] = ROWS + DATA
    made.out = {1, 2}
    yield made
    made.close()


def told(owner: Owner, place: int = PIECE + 100, **other: int) -> bytes:
    """What is written of it; other: what is not so."""
    said = {"pid": owner.pid, "fd": owner.fd, "token": owner.token, "count": 2, "size": len(DATA), "place": place} | other
    return HEADER.pack(LANE_MARK, VERSION, said["count"], said["size"], said["pid"], said["fd"], said["token"], said["place"])


def read(stream: bytes) -> Done:
    return forked(["pkt-txt2txt"], stream, reads=False)


def test_it_is_read_where_it_lies_and_given_back(owner: Owner) -> None:
    for stream in (told(owner), handed(ROWS, DATA).replace(HEADER.pack(LANE_MARK, VERSION, 2, len(DATA), 0, 0, 0, IN_PIPE),
                                                           told(owner, IN_PIPE))):  # fmt: skip
        assert read(stream) == TEXT
    assert owner.came() and owner.out == {2}, "a piece, and of what came through the pipe none"
    assert not owner.came()


def test_where_it_has_no_room(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that is said, and not that the batch is not sound."""
    full = mock.Mock(side_effect=OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)))
    monkeypatch.setattr(Known, "piece", full)
    assert read(told(owner)) == (1, b"", f"pkt-txt2txt: {os.strerror(errno.ENOMEM)}\n")


def test_what_cannot_be_believed(owner: Owner, tmp_path: Path) -> None:
    """Offers of what is no such memory are passed over; batches there are none."""
    (tmp_path / "file").write_bytes(bytes(PIECES * PIECE) + NOTE.pack(owner.token, 0, owner.giving))
    plain, null = os.open(tmp_path / "file", os.O_RDWR), os.open("/dev/null", os.O_RDWR)
    loose = os.memfd_create("loose", os.MFD_ALLOW_SEALING)
    os.write(loose, (tmp_path / "file").read_bytes())
    short = os.memfd_create("short")
    elsewhere = Owner(PIECES, PIECE)
    os.dup2(null, elsewhere.giving)
    wrong = [
        {"pid": 1 << 30},
        {"pid": -1},
        {"fd": 9999},
        {"fd": -1},
        {"token": owner.token ^ 1},
        {"token": FIRST - 1},
        {"token": -1},
    ]
    wrong += [{"fd": fd} for fd in (plain, null, loose, short, owner.back)]
    wrong += [{"fd": elsewhere.fd, "token": elsewhere.token}]
    for other in wrong:
        done = read(told(owner, **other))
        assert (done.code, done.out, UNSOUND in done.said) == (1, b"", True), other
        assert read(told(owner, IN_PIPE, **other) + ROWS + DATA) == TEXT, other
    most = (1 << 63) - 1
    for place in (-2, -PIECE, PIECE * PIECES, most, -most, 2 * PIECE - len(ROWS) - len(DATA) + 1):
        done = read(told(owner, place))
        assert (done.code, done.out, UNSOUND in done.said) == (1, b"", True), place
    for other in ({"count": 3}, {"size": len(DATA) - 1}, {"place": PIECE + 101}):
        assert read(told(owner, **other)).code == 1, other
    for fd in plain, null, loose, short:
        os.close(fd)
    elsewhere.close()


READER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pkttools.formats.lane import UNDERSTOOD
from pkttools.formats.lending import promise
for place in (0x706B74, UNDERSTOOD, int(sys.argv[2])):
    promise(0, place)
print("promised", file=sys.stderr, flush=True)
while data := os.read(0, 1 << 20):
    os.write(1, data)
"""


def test_who_has_it_hands_it_on_as_it_has_become(owner: Owner, tmp_path: Path) -> None:
    """Then it is the next one who gives it back; but not where packets went that stood in between.

    Of a batch that is written in parts, the others are still to be read when the first one is written: it goes as a copy.
    """
    root = str(Path(__file__).resolve().parents[1])
    for command, count in (
        ("pkt-change UNKNOWN.DATA=41 -lt 147", 2),
        ("pkt-fragment -lt 147", 2),
        ("pkt-defragment -lt 147", 2),
        ("pkt-segment -lt 147", 2),
        ("pkt-filter NUMBER==1 -lt 147", 1),
        ("pkt-filter NUMBER==2 -lt 147", 1),
        ("pkt-cut --bytes 0..1 --if NUMBER==2 -lt 147", 0),
    ):
        owner.out = {1}
        owner.pieces[1][100 : 100 + len(ROWS)] = ROWS
        reading, writing = os.pipe()
        target = tmp_path / "out"
        with target.open("wb") as out:
            end = subprocess.Popen(
                [sys.executable, "-c", READER, root, str(owner.token)], stdin=reading, stdout=out, stderr=subprocess.PIPE
            )
            assert end.stderr.readline() == b"promised\n"
            environment = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
            words = ["bash", "-c", f"exec {command} >&{writing}"]
            done = subprocess.run(words, input=told(owner), pass_fds=[writing], capture_output=True, env=environment, check=False)
            os.close(writing)
            os.close(reading)
            end.communicate()
        assert done.returncode == 0, done.stderr
        if not count:
            assert HEADER.unpack_from(target.read_bytes(), target.read_bytes().index(LANE_MARK))[-1] == IN_PIPE
            assert owner.came(), "all was copied"
            continue
        *_, got, size, pid, fd, token, place = HEADER.unpack(target.read_bytes()[-HEADER.size :])
        assert (got, pid, fd, token) == (count, owner.pid, owner.fd, owner.token), command
        at = place - PIECE + got * ROW_BYTES
        assert 0 < place - PIECE < 400
        assert not owner.came(), "it went on"
        captured = struct.unpack_from("=q", owner.pieces[1], place - PIECE + 8)[0]
        assert size == len(owner.pieces[1][at : at + size]) and captured == (20 if "==2" in command else 10)


def test_what_is_still_to_be_written_stays_as_it_is() -> None:
    """Where a batch was read into memory that may be lent, what becomes longer does not go there before all of it is written."""
    sizes = [61] * 2000 + [60] * 20
    packets = [struct.pack("<I57x", i) for i in range(len(sizes))]
    rows = rows_of(*((size, size, 0, 0) for size in sizes))
    stream = handed(rows, b"".join(bytes(RECORD) + packet[:size] for packet, size in zip(packets, sizes, strict=True)))
    lent, written = (forked(["pkt-wrap", "VLAN", "--if", "SIZE==61"], stream, reads=reads).out for reads in (True, False))
    assert LANE_MARK in lent
    assert forked(["pkt-txt2txt"], lent, reads=False).out == written


def test_nobody_waits_for_what_does_not_come_back() -> None:
    one = Owner(PIECES, PIECE)
    reading, writing = os.pipe()
    begin = time.monotonic()
    assert not one.wait(writing)
    assert 0.19 < time.monotonic() - begin < 5
    assert not one.patient
    os.write(one.giving, b"\2")
    assert one.came() and one.patient
    os.close(reading)
    begin = time.monotonic()
    assert not one.wait(writing), "nobody reads any more"
    one.close()
    os.close(writing)


@pytest.mark.parametrize("backend_of", ["c", "python"])
def test_pipes(tmp_path: Path, backend_of: str) -> None:
    """Filters that drop packets, and change their sizes, between others; each reads what came."""
    sizes = [60, 1500, 283] * (6000 if backend_of == "c" else 500)
    (tmp_path / "in").write_bytes(capture(sizes))
    for middle in ("pkt-correct", "pkt-filter SIZE!=61", "pkt-filter 'SIZE>61' | pkt-correct", "pkt-cut --bytes 0..40 | pkt-sort",
                   "pkt-pipe 'change ETHERNET.TYPE=5 | dedupe'", "pkt-correct -l 5000"):  # fmt: skip
        line = f"pkt-pcap2txt -v --in {tmp_path}/in | {middle} | pkt-txt2pcap -v"
        fast, plain = (shell(line, backend=backend_of, PKTTOOLS_LANE=lane) for lane in ("", "text"))
        assert fast.stdout == plain.stdout, middle
        assert {fast.returncode, plain.returncode} <= ({0, 141} if "-l" in middle else {0}), fast.stderr
        if middle == "pkt-correct" and backend_of == "c":
            assert len(re.findall(rb"as batches, \d+ of them where they lie", fast.stderr)) == 2, fast.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, and setpriv")
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("contained", [False, True])
def test_others_than_ones_like_get_copies(tmp_path: Path, which: int, contained: bool) -> None:
    """Who may do more than the reader, and who may do less: of both nothing is mapped. Nor of one in another user namespace."""
    (tmp_path / "in").write_bytes(whole := capture([60, 1500, 283] * 5000))
    less = "setpriv --inh-caps=-all --bounding-set=-all"
    parts = [f"pkt-pcap2txt -v --in {tmp_path}/in", "pkt-txt2pcap -v"]
    if contained:
        parts[1 - which] = f"{less} $(command -v {parts[1 - which].split()[0]}) {parts[1 - which].partition(' ')[2]}"
        less = f"unshare --user --map-root-user {less}"
        if subprocess.run(f"{less} true", shell=True, capture_output=True, check=False).returncode:
            pytest.skip("no user namespace is to be had here")
    parts[which] = f"{less} $(command -v {parts[which].split()[0]}) {parts[which].partition(' ')[2]}"
    done = shell(" | ".join(parts))
    assert (done.returncode, done.stdout) == (0, whole), done.stderr
    assert b"came as batches\n" in done.stderr and b"where they lie" not in done.stderr
