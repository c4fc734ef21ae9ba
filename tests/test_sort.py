"""pkt-sort: stable, in little memory, through a file that nobody sees; reordercap as judge."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from backends import use
from conftest import ROOT, shell
from peak import piped
from waits import until

from pkttools.batch import MAX_FRAME, Batch, Packet, gathered, link_of
from pkttools.command_line.options import Values, read
from pkttools.commands.sort import OPTIONS
from pkttools.flow.foreseen import Foreseen, earliest_to_come
from pkttools.formats import joined, packets
from pkttools.formats.files import Input
from pkttools.work.sorting import LEAST, RUN_COST, Sorted, columns_of_keys


@pytest.fixture(autouse=True)
def chosen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that ask for a codec use it."""
    if "codec" in request.fixturenames:
        names = ("gather_rows", "sort_rows", "key_rows", "run_table", "feed", "merge_runs")
        use(request.getfixturevalue("codec"), monkeypatch, *names)


SECOND = 10**9
CHANCE = random.Random(18)
UDP = bytes.fromhex("020000000002 020000000001 0800 4500001d000000004011 0000 c0000201 c0000202 0400003500090000 41")


def batches(packets: list[Packet], size: int = 50) -> Iterator[Batch]:
    """Packets in batches, each of which is gone when the next one comes."""
    for i in range(0, len(packets), size):
        batch = gathered(packets[i : i + size])
        yield batch
        batch.data[:] = bytes(len(batch.data))


Told = tuple[int, bytes, int, int, bytes]


def told(packets: list[Packet]) -> list[Told]:
    return [(p.time, p.frame, p.original, p.linktype, p.notes) for p in packets]


def passed(ordered: Sorted, packets: list[Packet]) -> list[Told]:
    """What comes out of a sort."""
    return told([batch.packet(i) for batch in ordered(batches(packets)) for i in range(len(batch))])


def any_packets(count: int) -> list[Packet]:
    """Of all link types, with and without frame check sequence and notes, at few times."""
    return [
        Packet(
            UDP + CHANCE.randbytes(CHANCE.randrange(4, 300)), CHANCE.choice((0, 70, 9000)), CHANCE.randrange(-40, 40),
            CHANCE.choice((1, 1, 101, link_of(1, 4))), CHANCE.choice((b"", b"", b"NOTE: %d\n" % i, b"IFACE: eth0\nWAY: in\n")),
        )
        for i in range(count)
    ]  # fmt: skip


def small(memory: int, by: str = "") -> Sorted:
    """A sort in less memory than there is to ask for."""
    ordered = Sorted(columns=columns_of_keys(by) if by else b"")
    ordered.memory = memory
    return ordered


# ---- all that packets have stays, in whatever memory ----


@pytest.mark.parametrize(("runs", "memory"), [("none", 64 << 20), ("a few", 10 * RUN_COST), ("joined", 3 * RUN_COST)])
def test_all_stays_and_equal_times_stay_in_order(codec: ModuleType, runs: str, memory: int) -> None:
    packets = any_packets(9000)
    ordered = small(memory)
    assert passed(ordered, packets) == sorted(told(packets), key=lambda one: one[0])
    written = sum(len(p.frame) + len(p.notes) + 72 for p in packets)
    share = ordered.spilled / written
    assert share == 0 if runs == "none" else 0.25 < share < 1 if runs == "a few" else share > 2


@pytest.mark.parametrize("memory", [64 << 20, 3 * RUN_COST])
def test_by_what_packets_hold(codec: ModuleType, memory: int) -> None:
    packets = any_packets(6000)
    found = passed(small(memory, "-LINKTYPE,TIME,-NUMBER"), packets)
    numbered = sorted(enumerate(told(packets)), key=lambda one: (-(one[1][3] & 0xFFFFFFFF), one[1][0], -one[0]))
    assert found == [one for _, one in numbered]
    found = passed(small(memory, "CAPTURED,-UDP.DST_PORT"), packets)
    assert found == sorted(told(packets), key=lambda one: (len(one[1]), one[3] == 101))


def test_what_is_in_order_becomes_one_run(codec: ModuleType) -> None:
    packets = [Packet(bytes(1000), 1000, i // 3, 1) for i in range(4000)]
    ordered = small(4 * RUN_COST)
    assert passed(ordered, packets) == told(packets)
    assert len(ordered.runs) == 1
    assert ordered.spilled > 2_000_000


def test_packets_larger_than_memory(codec: ModuleType) -> None:
    packets = [Packet(bytes([i]) * MAX_FRAME, MAX_FRAME, -i, 1, b"NOTE: x\n" * 60_000) for i in range(6)]
    assert passed(small(2 * RUN_COST), packets) == told(packets[::-1])
    assert passed(Sorted(), []) == []


# ---- files are read twice ----


def capture(times: list[int], size: int = 1000) -> bytes:
    """A pcap file of such packets, each with its number in front."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, MAX_FRAME, 1)
    stamps = [(time // SECOND, time % SECOND // 1000) for time in times]
    filling = bytes(size - 4)
    return head + b"".join(
        struct.pack("<4I", *stamp, size, size) + struct.pack(">I", i) + filling for i, stamp in enumerate(stamps)
    )


def displaced(count: int, far: int) -> list[int]:
    """Times of packets, of which every tenth has changed places with one that is so far behind it, which is no tenth."""
    times = [5 * SECOND + 1000 * i for i in range(count)]
    for i in range(0, count - far, 10):
        times[i], times[i + far] = times[i + far], times[i]
    return times


def named(path: Path) -> Values:
    """A command line that names a file."""
    return read(OPTIONS, ["--in", str(path)])


def sorted_by_us(path: Path, memory: int = 64 << 20) -> tuple[list[Told], Sorted]:
    """What becomes of a file, and what sorted it."""
    ordered = Sorted(memory)
    source = Foreseen(named(path), ordered)
    [stream] = source.streams(None)
    return told([batch.packet(i) for batch in ordered(stream) for i in range(len(batch))]), ordered


@pytest.mark.parametrize(("far", "file"), [(7, False), (807, False), (7983, True)])
def test_files_nearly_in_order_take_no_memory(codec: ModuleType, far: int, file: bool, tmp_path: Path) -> None:
    """And no temporary file; others do, as they do where they come by a pipe."""
    times = displaced(8000, far)
    path = tmp_path / "in.pcap"
    path.write_bytes(capture(times))
    memory = 16 << 20 if not file else LEAST
    found, ordered = sorted_by_us(path, memory)
    assert [time for time, *_ in found] == sorted(times)
    assert (ordered.given is None) == (ordered.spilled > 0) == file
    assert bool(earliest_to_come(joined(Input([str(path)]), packets), memory // 8)) == (not file)


def test_what_is_in_order_is_not_copied(codec: ModuleType, tmp_path: Path) -> None:
    """But for the last batch, behind which nothing is known; it is again, once what was not in order is given."""
    times = displaced(3000, 7) + [6 * SECOND + 1000 * (i // 2) for i in range(4000)]
    path = tmp_path / "in.pcap"
    path.write_bytes(capture(times))
    ordered = Sorted(16 << 20)
    [stream] = Foreseen(named(path), ordered).streams(None)
    packets, copied = [], 0
    for batch in ordered(stream):
        packets += told([batch.packet(i) for i in range(len(batch))])
        copied += len(batch) if any(batch.data is held for held in (ordered.held, ordered.spare)) else 0
    assert [time for time, *_ in packets] == sorted(times)
    assert [int.from_bytes(frame[:4], "big") for _, frame, *_ in packets[3000:]] == list(range(3000, 7000))
    assert 3000 < copied < 6000


@pytest.mark.parametrize("far", [7, 6000], ids=["nearly in order", "in order"])
def test_a_file_that_changes_while_it_is_read_is_noticed(far: int, tmp_path: Path) -> None:
    path = tmp_path / "in.pcap"
    path.write_bytes(capture(displaced(6000, far)))
    ordered = Sorted()
    source = Foreseen(named(path), ordered)
    [stream] = source.streams(None)
    out = ordered(stream)
    next(out)
    with path.open("r+b") as file:
        file.seek(24 + 1016 * 5000)
        file.write(bytes(8))
    assert sum(map(len, out)) > 1000
    assert ordered.said(False) == ["1 packet out of order: the input changed while it was read"]


def test_a_file_that_breaks_off_is_sorted_up_to_there(tmp_path: Path) -> None:
    (tmp_path / "in.pcap").write_bytes(capture(displaced(6000, 7))[:-5])
    done = shell(f"cd '{tmp_path}' && pkt-sort in.pcap --out out.pcap; pkt-txt2pcap out.pcap | wc -c")
    assert done.stdout == b"%d\n" % (24 + 5999 * 1016)
    assert done.stderr.startswith(b"pkt-sort: in.pcap: at byte 6095008: ")
    assert done.stderr.count(b"\n") == 1


def test_standard_input_is_read_from_where_it_stands(tmp_path: Path) -> None:
    """Twice, too, and behind another file: what somebody has read of it before is not ours."""
    later, sooner = capture(displaced(5000, 7)), capture([time - 3 * SECOND for time in displaced(5000, 7)])
    (tmp_path / "1.pcap").write_bytes(later)
    (tmp_path / "2.pcap").write_bytes(sooner)
    (tmp_path / "both.pcap").write_bytes(later + sooner)
    for ours, same in (("", "2.pcap"), ("--in 1.pcap --in -", "1.pcap 2.pcap"), ("--in - --in 1.pcap", "2.pcap 1.pcap")):
        read = f"{{ head -c {len(later)} > /dev/null; pkt-sort {ours} --out ours.pcap; }} < both.pcap"
        done = shell(f"cd '{tmp_path}' && {read} && pkt-sort {same} --out same.pcap && cmp ours.pcap same.pcap")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), ours


# ---- the command ----


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 MiB of packets in any order."""
    path = tmp_path_factory.mktemp("sort") / "in.pcap"
    path.write_bytes(capture(random.Random(1).sample(displaced(16_000, 7), 16_000)))
    return path


@pytest.mark.parametrize("far", [7, 1507, 0], ids=["nearly in order", "less so", "in any order"])
def test_as_reordercap(far: int, tmp_path: Path, shuffled: Path) -> None:
    """To the byte, from a file and from a pipe."""
    if not shutil.which("reordercap"):
        pytest.skip("reordercap is not installed")
    path = tmp_path / "in.pcap"
    path.write_bytes(capture(displaced(8000, far)) if far else shuffled.read_bytes())
    subprocess.run(["reordercap", path, tmp_path / "theirs.pcap"], check=True, capture_output=True)
    for words in ("in.pcap", f"< <(cat in.pcap) --memory {LEAST}", f"in.pcap --memory {LEAST}"):
        done = shell(f"cd '{tmp_path}' && pkt-sort {words} --out ours.pcap && cmp ours.pcap theirs.pcap", backend="c")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


TEXT = """-- 1 --
TIME: 3
IFACE: eth1
01
==
-- 2 --
TIME: 2
NOTE: kept
02
==
LINKTYPE: 101
-- 3 --
TIME: 2
45
==
-- 4 --
TIME: 1.000000001
LOST: 3
45 00
==
"""


@pytest.mark.parametrize("backend", ["c", "python"])
def test_what_stands_beside_packets_stays(backend: str) -> None:
    """In text and in pcapng; pcap has one link type."""
    order = [shell("pkt-filter --numbers " + n, TEXT.encode(), backend=backend).stdout.decode() for n in "4231"]
    done = shell("pkt-sort | pkt-sort | grep -v -e '^--' -e ^LINKTYPE", TEXT.encode(), backend=backend)
    wanted = [line for one in order for line in one.splitlines() if not line.startswith(("--", "LINKTYPE"))]
    assert (done.stdout.decode().splitlines(), done.stderr) == (wanted, b"")
    by_pcapng = shell("pkt-txt2pcapng | pkt-sort -F pcapng | pkt-pcapng2txt | pkt-txt2txt", TEXT.encode(), backend=backend).stdout
    assert by_pcapng == shell("pkt-sort", TEXT.encode(), backend=backend).stdout
    done = shell("pkt-sort -F pcap | wc -c", TEXT.encode(), backend=backend)
    assert done.returncode == 1
    assert b"a pcap file has one link type" in done.stderr


def test_by_fields_and_in_a_pipe() -> None:
    given = (ROOT / "examples" / "dns.txt").read_bytes()
    done = shell("pkt-sort --by -CAPTURED,IP.SRC_ADDR | pkt-analyze --fields CAPTURED,IP.SRC_ADDR", given)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()[1:]]
    assert len(rows) > 2
    assert rows == sorted(rows, key=lambda row: (-int(row[0]), not row[1], [int(octet) for octet in row[1].split(".") if octet]))
    first = shell("pkt-sort --by -CAPTURED -l 1 -v", given)
    assert first.stdout.count(b"==") == 1
    assert first.stderr.startswith(b"pkt-sort: %d packets read, 1 passed on" % len(rows))
    piped = shell("pkt-pipe 'sort --by -CAPTURED -l 2 | sort' | pkt-analyze --fields CAPTURED", given).stdout.split()
    assert sorted(map(int, piped[1:]), reverse=True) == [int(row[0]) for row in rows[:2]]
    assert first.stdout.split(b"\n", 1)[1] == shell("pkt-sort --by -CAPTURED | pkt-txt2txt -l 1", given).stdout.split(b"\n", 1)[1]


@pytest.mark.parametrize(("words", "said"), [
    ("--by NOTHING", "--by: no field 'NOTHING'"), ("--by IP.TTL[*]", "--by: IP.TTL[*]: sorts by one of them, [1] is the first"),
    ("--by TIME,-TIME", "--by: TIME is there twice"), ("--by ,", "--by: no field is named"), ("--by --", "--by: no field"),
    ("--memory 1000", "--memory: 1000 is out of range"),
])  # fmt: skip
def test_wrong_usage(words: str, said: str) -> None:
    done = shell(f"pkt-sort {words}")
    assert (done.returncode, done.stderr.decode()[: len(said) + 10]) == (2, f"pkt-sort: {said}"), done.stderr


# ---- memory and disk ----


def test_memory_is_what_was_asked_for(shuffled: Path, tmp_path: Path) -> None:
    """And that of the process."""
    (tmp_path / "few.pcap").write_bytes(capture([1, 2]))
    bare = piped([ROOT / "bin/pkt-sort", "--out", tmp_path / "a.pcap"], tmp_path / "few.pcap")
    words = [ROOT / "bin/pkt-sort", "--out", tmp_path / "b.pcap", "--memory"]
    taken = [piped([*words, str(n << 20)], shuffled) for n in (4, 8)]
    for megabytes, found in zip((4, 8), taken, strict=True):
        assert -1 << 20 < found - bare - (megabytes << 20) < 6 << 20


def test_a_full_disk_is_said_and_the_old_file_stays(shuffled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    sort = f"pkt-sort --memory {LEAST} --out '{out}' < <(cat '{shuffled}')"
    small = f"mkdir '{tmp_path}/t'; mount -t tmpfs -o size=1m tmpfs '{tmp_path}/t' && TMPDIR='{tmp_path}/t' {sort}"
    for how, why in (
        (f"export TMPDIR='{tmp_path}'; ulimit -f 1000; {sort}", f"{tmp_path}: File too large"),
        (f'unshare -Urm bash -c "{small}"', f"{tmp_path}/t: No space left on device"),
    ):
        out.write_bytes(b"an older one")
        done = shell(how, backend="c")
        if b"unshare" in done.stderr or b"mount" in done.stderr:
            pytest.skip("unshare -Urm and a tmpfs are not allowed here")
        assert (done.returncode, done.stderr.decode()) == (1, f"pkt-sort: {why}: no room for what memory does not hold\n")
        assert out.read_bytes() == b"an older one"
    assert shell(f"{sort} && pkt-sort '{out}' -l 1 --out '{out}.text' IP").returncode == 0
    assert out.stat().st_size == shuffled.stat().st_size
    assert Path(f"{out}.text").read_bytes() == b""


def test_nothing_is_left_of_it_when_it_is_killed(shuffled: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [ROOT / "bin" / "pkt-sort", "--memory", str(LEAST)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as sort:
        sort.stdin.write(shuffled.read_bytes())
        sort.stdin.flush()

        def spilled() -> bool:
            return any(str(tmp_path) in str(link.readlink()) for link in Path(f"/proc/{sort.pid}/fd").iterdir())

        until(spilled, "a temporary file")
        assert list(tmp_path.iterdir()) == []
        sort.send_signal(signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []
