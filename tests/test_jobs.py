"""pkt-pipe --jobs: several processes make of a file what one does, to the octet, and say the same."""

from __future__ import annotations

import gzip
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from conftest import ROOT, shell
from waits import children, until, until_gone

from pkttools import codec
from pkttools.batch import Batch
from pkttools.flow.forked import received
from pkttools.flow.member import PIECE, Kept, Member
from pkttools.flow.ring import Ring, has_places
from pkttools.flow.tallies import added, taken
from pkttools.formats.files import Output
from pkttools.formats.pcap import PcapSink
from pkttools.formats.pcap_stretch import Records
from pkttools.formats.text_stretch import Lines

EXAMPLES = b"".join(path.read_bytes() for path in sorted((ROOT / "examples").glob("*.txt")) if path.stem != "pktap")
CUT = EXAMPLES.replace(b"SIZE: 98/98", b"SIZE: 60/98")
IFACES = b"".join(b"-- 1 --\nIFACE: %s\n00 11\n==\n" % name for name in (b"a", b"b", b"a"))
PLAIN = "change IP.TTL=9 | correct"
PIPES = [  # all that several can work on, and what they have to say
    "change IP.TTL=9 | correct -v",
    "correct -F pcapng | check -cs -v -F pcap",
    "filter --fail-if UDP.DST_PORT==53 IP | change -u --if UDP IP.TTL=3 | txt2txt -aa",
    "change --replace s/a/bcd/g --payload hello | check -cs --fail-empty",
    "cut --snap 60 | change --to-ethernet | unwrap VLAN | analyze -lv 3",
    "map --map 192.0.2.0/24=10.1.2.0/24 --port 53=5353 -v | analyze --json",
    "pingrep | txt2pcap | correct",
    "change IP.TTL=9 | fragment -fm 60 -fc -v | filter IP.OFFSET==0 | txt2txt -l 99",
    "defragment -v | change IP.TTL=9 | analyze --fields IP.TTL,NUMBER,UDP.DST_PORT -F csv",
]


@pytest.fixture(scope="module", params=["text", "pcap", "pcapng"])
def capture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of several reads, some of its packets cut off, some with names of interfaces."""
    path = tmp_path_factory.mktemp("jobs") / "in"
    data = CUT * (300 if request.param == "text" else 1100) + EXAMPLES + CUT
    path.write_bytes(data if request.param == "text" else shell(f"pkt-txt2txt -F {request.param} --nano", data).stdout)
    assert path.stat().st_size > 3 << 19
    return path


def outcome(capture: Path, pipe: str, jobs: int, verbose: str = "-v", **how: Any) -> tuple[int, bytes, list[bytes]]:
    done = shell(f"pkt-pipe {verbose} --jobs {jobs} --in '{capture}' {shlex.quote(pipe)}", **how)
    return done.returncode, done.stdout, [line for line in done.stderr.splitlines() if b"--jobs: " not in line]


def into_file(capture: Path, pipe: str, jobs: int, before: str = "", **how: Any) -> tuple[int, bytes, list[bytes]]:
    """The same, written to a file. before: what the shell is told first."""
    out = capture.with_suffix(".out")
    out.unlink(missing_ok=True)
    done = shell(f"{before} pkt-pipe -v --jobs {jobs} --in '{capture}' {shlex.quote(pipe)} > '{out}'", **how)
    assert b" processes read and wrote " in done.stderr or jobs == 1 or pipe != PLAIN
    return done.returncode, out.read_bytes(), [line for line in done.stderr.splitlines() if b"--jobs: " not in line]


@pytest.mark.parametrize("pipe", PIPES)
def test_same_as_one(capture: Path, pipe: str) -> None:
    """Into a pipe one process reads and writes, into a file each does."""
    wanted = outcome(capture, pipe, 1)
    assert outcome(capture, pipe, 2) == wanted
    assert into_file(capture, pipe, 3) == wanted


def swapped(records: bytes) -> bytes:
    """Records of pcap in which the two lengths have changed places."""
    at, found = 0, []
    while at < len(records):
        behind = at + 16 + int.from_bytes(records[at + 8 : at + 12], "little")
        found += [records[at : at + 8], records[at + 12 : at + 16], records[at + 8 : at + 12], records[at + 16 : behind]]
        at = behind
    return b"".join(found)


HARD: dict[str, Callable[[bytes, bytes, bytes], bytes]] = {  # what is not plain, made of text, pcap, and pcapng
    "pcap, broken off": lambda text, pcap, pcapng: pcap[:-7],
    "pcap, a bad record": lambda text, pcap, pcapng: pcap + b"\xff" * 16 + pcap[24:],
    "pcap of AIX, either order of lengths": lambda text, pcap, pcapng: (
        pcap[:4] + b"\2\0\2\0" + pcap[8:20] + b"\6\0\0\0" + swapped(pcap[24:]) + pcap[24:]
    ),
    "pcap, other captures behind": lambda text, pcap, pcapng: pcap + pcap[:4] + b"\2\0\4\0" + pcap[8:] + pcapng + pcap,
    "text, a wrong line": lambda text, pcap, pcapng: text + b"-- 99 --\n1g\n==\n" + text,
    "text, never ended": lambda text, pcap, pcapng: text + b"-- 99 --\n00\n",
    "text, lines outside of packets": lambda text, pcap, pcapng: text + b"# a\nTIME: 7\n" + text + b"# b\n" + text,
    "text, another link type": lambda text, pcap, pcapng: text + b"LINKTYPE: 101 RAW\n" + text + b"LINKTYPE: 1\n" + text,
    "pcapng, sections and interfaces": lambda text, pcap, pcapng: 2 * pcapng + 50 * shell("pkt-txt2pcapng", IFACES).stdout + pcapng,
    "pcapng, a bad block": lambda text, pcap, pcapng: pcapng + b"\6\0\0\0\x21\0\0\0" + bytes(64) + pcapng,
    "pcapng, an interface that comes late": lambda text, pcap, pcapng: shell("pkt-txt2pcapng", 4 * text + IFACES + 4 * text).stdout,
}


@pytest.fixture(scope="module")
def large() -> tuple[bytes, bytes, bytes]:
    """Text, pcap and pcapng, of some pieces each."""
    text = CUT * 1800
    return text[: len(CUT) * 270], shell("pkt-txt2pcap", text).stdout, shell("pkt-txt2pcapng", text).stdout


@pytest.mark.parametrize("hard", HARD)
def test_what_is_not_plain(hard: str, large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(HARD[hard](*large))
    for pipe in (PLAIN, "filter TCP | analyze"):
        assert into_file(tmp_path / "in", pipe, 2) == into_file(tmp_path / "in", pipe, 1)


def test_a_disk_that_is_full_in_the_middle(large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    """What has room is written; here the room is 2,000 KiB of a file."""
    (tmp_path / "in").write_bytes(large[1])
    wanted = into_file(tmp_path / "in", "change IP.TTL=9", 1, "ulimit -f 2000;")
    assert (wanted[0], len(wanted[1]), wanted[2][0]) == (1, 2000 << 10, b"pkt-pipe: <stdout>: File too large")
    assert into_file(tmp_path / "in", "change IP.TTL=9", 2, "ulimit -f 2000;")[:2] == wanted[:2]


@pytest.mark.parametrize("out", ["1<> '{}'", "--out '{}'"], ids=["beginning", "file"])
@pytest.mark.parametrize("cut", [0, 1])
def test_what_was_in_a_file(out: str, cut: int, large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    """It stays behind what is written where the shell opened it so, and else goes, also where something fails."""
    (tmp_path / "in").write_bytes(large[1][: len(large[1]) - cut])
    written = []
    for jobs in (1, 2):
        path = tmp_path / f"{jobs}.pcap"
        path.write_bytes(bytes(2 * len(large[1])))
        done = shell(f"pkt-pipe --jobs {jobs} --in '{tmp_path}/in' 'change IP.TTL=9' {out.format(path)}")
        assert done.returncode == cut
        written.append(path.read_bytes())
    assert written[0] == written[1] and len(written[0]) > len(large[1]) - 2000


def test_same_in_python(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(shell("pkt-txt2pcap", CUT * 500).stdout)
    pipe = "change IP.TTL=9 | txt2txt -l 5000"
    assert outcome(tmp_path / "in", pipe, 3, "", backend="python") == outcome(tmp_path / "in", pipe, 1, "", backend="c")


def test_who_works_alone_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(EXAMPLES)
    done = shell(f"pkt-pipe --jobs 2 --in '{tmp_path}/in' 'defragment | change IP.TTL=9 | filter -l 2 IP'")
    assert done.stderr.splitlines()[:2] == [
        b"pkt-pipe: --jobs: defragment works in one process: it keeps state from packet to packet",
        b"pkt-pipe: --jobs: filter works in one process: -s and -l count packets",
    ]
    done = shell("pkt-pipe --jobs 2 'change IP.TTL=9'", EXAMPLES)
    assert (done.returncode, done.stderr) == (0, b"pkt-pipe: --jobs: one process works: <stdin> is no file\n")
    assert done.stdout == shell("pkt-pipe 'change IP.TTL=9'", EXAMPLES).stdout


def test_what_pcapng_says_beside_packets_keeps_stages_together(capture: Path) -> None:
    """It goes to the sink by itself, and would be there before packets that a later stage of this process has still to see."""
    done = shell(f"pkt-pipe --jobs 2 --in '{capture}' -F pcapng 'change IP.TTL=9 | change IP.ID=1 | dedupe'")
    kept = capture.read_bytes().startswith(b"\n\r\r\n")
    why = b"pkt-pipe: --jobs: change works in one process: what pcapng says beside packets passes by a later stage"
    assert (done.returncode, done.stderr.splitlines().count(why)) == (0, kept)


def test_input_that_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(CUT * 300 + b"-- 99 --\n1g\n")
    wanted = outcome(tmp_path / "in", "change IP.TTL=9 | correct", 1)
    assert wanted[0] == 1
    assert outcome(tmp_path / "in", "change IP.TTL=9 | correct", 2) == wanted


def test_packets_that_cannot_be_written(tmp_path: Path) -> None:
    """The link type of a pcap file changes in the middle."""
    raw = shell("pkt-txt2txt -lt 101", EXAMPLES).stdout
    (tmp_path / "in").write_bytes(EXAMPLES * 200 + raw + EXAMPLES * 100)
    wanted = outcome(tmp_path / "in", "change IP.TTL=9 | correct -F pcap", 1)
    assert wanted[0] == 1
    assert outcome(tmp_path / "in", "change IP.TTL=9 | correct -F pcap", 2) == wanted


def test_compressed(capture: Path) -> None:
    """A thread decompresses into a pipe, of which the processes must not hold an end."""
    packed = capture.with_suffix(".gz")
    packed.write_bytes(gzip.compress(capture.read_bytes(), 1))
    pipe = "change IP.TTL=9 | correct"
    assert outcome(packed, pipe, 2, timeout=60)[:2] == outcome(capture, pipe, 1)[:2]


def test_disk_full(capture: Path) -> None:
    for pipe in ("change IP.TTL=9", "analyze"):
        codes = [shell(f"pkt-pipe --jobs {jobs} --in '{capture}' --out /dev/full '{pipe}'") for jobs in (1, 2)]
        assert [done.returncode for done in codes] == [1, 1]
        assert all(b"No space left on device" in done.stderr for done in codes)


def test_reader_that_has_enough(tmp_path: Path) -> None:
    run, processes = working(tmp_path)
    run.stdout.close()
    assert run.wait(10) == -signal.SIGPIPE
    assert run.stderr.read() == b""
    until_gone(processes)


def working(tmp_path: Path, form: str = "pcap") -> tuple[subprocess.Popen[bytes], list[int]]:
    """A run that its reader holds up, and its processes. form: pcap, or pcapng of many sections."""
    one = shell(f"pkt-txt2{form}", EXAMPLES).stdout
    (tmp_path / "in").write_bytes(one[:24] + one[24:] * 9000 if form == "pcap" else one * 900)
    run = subprocess.Popen(
        [str(ROOT / "bin/pkt-pipe"), "--jobs", "2", "--in", str(tmp_path / "in"), "change IP.TTL=9"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    until(lambda: len(children(run.pid)) == 2, "two processes", 10)
    return run, children(run.pid)


def slowly(tmp_path: Path, pcap: bytes, pipe: str = "change IP.TTL=9") -> tuple[subprocess.Popen[bytes], list[int]]:
    """A run from a file to a file that takes some seconds, and its processes, which begin."""
    (tmp_path / "in").write_bytes(pcap)
    (tmp_path / "out").unlink(missing_ok=True)
    command = [str(ROOT / "bin/pkt-pipe"), "--jobs", "2", "--in", "in", "--out", "out", pipe]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path, env={**os.environ, "PKTTOOLS_CODEC": "python"})
    until(lambda: len(children(run.pid)) == 2, "two processes", 60)
    return run, children(run.pid)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
def test_lines_that_one_process_writes(large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    """What they say of connections depends on all before: others work for it."""
    run, _ = slowly(tmp_path, large[1], "change IP.TTL=9 | analyze --line")
    run.kill()
    _, said = run.communicate()
    assert said == b""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
def test_a_file_that_grows_or_shrinks_meanwhile(large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    pcap = large[1]
    whole = shell("pkt-pipe 'change IP.TTL=9'", pcap).stdout
    for more in (True, False):
        run, _ = slowly(tmp_path, pcap)
        with (tmp_path / "in").open("r+b") as file:
            if more:
                file.seek(0, 2)
                file.write(pcap[24:])
            else:
                file.truncate(len(pcap) - 9)
        _, said = run.communicate(timeout=100)
        written = (tmp_path / "out").read_bytes()
        if more:
            assert (run.returncode, said, written) == (0, b"", whole + whole[24:])
        else:
            assert run.returncode == 1
            assert b"in: at byte" in said
            assert whole.startswith(written)
            assert len(written) > len(whole) - 500


def test_a_file_that_shrinks_before_it_is_read_once_more(tmp_path: Path) -> None:
    """Where one batch becomes several the first time. The piece is not taken for empty, but left to the other side."""
    path = tmp_path / "in"
    path.write_bytes(2 * EXAMPLES)

    class Twice:
        TALLIES = ()

        def through(self, stream: Iterator[Batch]) -> Iterator[Batch]:
            for batch in stream:
                yield batch
                os.truncate(path, self.size)
                yield batch

    fd, null = os.open(path, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    stage, lines = Twice(), Lines(1, 0)
    member = Member([stage], mock.Mock(STATE=()), lines, fd, null, null)
    member.buffer, member.counting = bytearray(PIECE), [lines]
    member.settled, stage.size = member.sink.settled(), len(EXAMPLES)
    assert member.piece(0) == (0, None)
    os.close(fd)
    os.close(null)


def by_themselves(pcap: bytes, folder: Path, **instead: Callable[[Kept, int], None]) -> bytes:
    """What two processes write of a capture, where the other side does nothing. instead: of functions of Kept."""
    (folder / "in").write_bytes(pcap)
    out = Output(str(folder / "out"))
    sink = PcapSink(out, 1, False, False)
    sink.start(1, 0)
    fd = os.open(folder / "in", os.O_RDONLY)
    ring = Ring([], mock.Mock(), sink, 2)
    with mock.patch.multiple(Kept, **instead):
        ring.start(sink, Records(False, False, 16, codec.IN_ORDER, 1), fd, 24, 24)
    told = [list(iter(partial(received, member.results), None)) for member in ring.members]
    ring.end()
    os.close(fd)
    out.close()
    assert [len(one) for one in told] == [1, 1]
    return (folder / "out").read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_full_disk_leaves_no_hole(large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    """Also where the other side does nothing about it: the third piece has no room, the fourth one was written before."""
    pcap, put = large[1] + 3 * large[1][24:], Kept.put

    def full(self: Kept, place: int) -> None:
        if 24 + PIECE < place < 2 * PIECE:
            until(lambda: os.fstat(self.fd).st_size > place, "that it is written behind", 10)
            raise OSError(28, "full")
        put(self, place)

    written = by_themselves(pcap, tmp_path, put=full)
    assert 24 + PIECE < len(written) < 2 * PIECE and pcap.startswith(written)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_full_disk_that_two_meet_leaves_no_hole(large: tuple[bytes, bytes, bytes], tmp_path: Path) -> None:
    """The second piece has no room, and then the third: who could not write that one makes nothing longer."""
    pcap, put, cut, done = large[1] + 3 * large[1][24:], Kept.put, Kept.cut, tmp_path / "done"

    def full(self: Kept, place: int) -> None:
        if place > 24:
            if place > 24 + PIECE:
                until(done.exists, "that the one before has cut off its own", 10)
            raise OSError(28, "full")
        put(self, place)

    def and_done(self: Kept, place: int) -> None:
        cut(self, place)
        done.touch()

    written = by_themselves(pcap, tmp_path, put=full, cut=and_done)
    assert PIECE // 2 < len(written) <= 24 + PIECE and pcap.startswith(written)


def test_devices_without_places(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    one, other = os.openpty()
    fds = os.open(tmp_path, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY), reading, writing, one, other
    assert [has_places(fd) for fd in fds] == [True, True, False, False, False, False]
    for fd in fds:
        os.close(fd)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
@pytest.mark.parametrize("who", [0, 1, 2])
def test_ends_that_leave_whole_packets(large: tuple[bytes, bytes, bytes], who: int, tmp_path: Path) -> None:
    """Whoever is killed, one of those that read and write, or who has started them, which also a signal of the keyboard ends."""
    run, processes = slowly(tmp_path, large[1])
    until(lambda: (tmp_path / "out").stat().st_size > 1 << 20, "that pieces are written", 60)
    os.kill([*processes, run.pid][who], signal.SIGINT if who == 2 else signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    until_gone(processes)
    ended = b"pkt-pipe: a process that worked on packets ended by signal 9: from there on nothing is written\n"
    assert (run.returncode, said) == ((-signal.SIGINT, b"") if who == 2 else (1, ended))
    written = (tmp_path / "out").read_bytes()
    assert shell("pkt-pipe 'change IP.TTL=9'", large[1]).stdout.startswith(written)
    assert shell("pkt-pcap2txt", written).returncode == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_signals_end_all(tmp_path: Path, end: int) -> None:
    run, processes = working(tmp_path)
    run.send_signal(end)
    run.stdout.read()
    assert run.wait(10) == -end
    until_gone(processes)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc")
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_process_that_dies_is_an_error(form: str, tmp_path: Path) -> None:
    """Also where it is heard of in between two sections, by what reads them."""
    run, processes = working(tmp_path, form)
    os.kill(processes[0], signal.SIGKILL)
    _, said = run.communicate(timeout=10)
    assert run.returncode == 1
    assert b"a process that worked on packets ended by signal 9: from there on nothing is written" in said
    until_gone(processes)


class Counts:
    TALLIES = ("count", "reasons", "parts", "none")

    def __init__(self) -> None:
        self.count, self.reasons, self.parts, self.none = 0, {"a": 0}, [0, {1: 2}], None


class Firsts:
    TALLIES = ("first", "met")

    def __init__(self, first: int, met: int) -> None:
        self.first, self.met = first, met


def test_tallies() -> None:
    here, there = Counts(), Counts()
    there.count, there.reasons = 3, {"a": 2, "b": 1}
    found = taken(there)
    assert (there.count, there.reasons) == (0, {"a": 0, "b": 0})
    added(here, found)
    added(here, found)
    assert (here.count, here.reasons, here.parts) == (6, {"a": 4, "b": 2}, [0, {1: 6}])
    assert taken(there) == {"parts": [0, {}]}


def test_the_first_packet_that_matches() -> None:
    here = Firsts(0, 10)
    added(here, taken(Firsts(0, 5)))
    added(here, taken(Firsts(3, 5)))
    added(here, taken(Firsts(1, 5)))
    assert (here.first, here.met) == (18, 25)
