"""Parts of a stream: packets by number, every so many, a sample, by time."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, shell
from netns import frames_of, pcap
from sections import block, enhanced, interface, section

from pkttools import filter as filtered
from pkttools import read
from pkttools.batch import ROW_BYTES
from pkttools.codec import program
from pkttools.commands import find
from pkttools.commands import read as command_values
from pkttools.errors import UsageError
from pkttools.language.expression import any_of, compiled, joined
from pkttools.language.part import Part, ranges_of
from pkttools.language.program import ALL_BITS

FRAMES = [bytes(12) + b"\x08\x00" + bytes([i]) * 46 for i in range(100)]


def part(words: str) -> Part:
    """What options of pkt-filter ask for. Raises UsageError."""
    return Part(command_values(find("pkt-filter"), words.split()))


def numbers(codec: ModuleType, words: str, count: int = 60, first: int = 1, filters: tuple[str, ...] = ()) -> list[int]:
    """The numbers of the packets that pass, of `count`; the first has number `first` and time 1 s."""
    rows = b"".join(struct.pack("7q", 0, 1, 1, i * 10**9, 1, 0, 0) for i in range(1, count + 1))
    trees = [*part(words).trees(), *map(any_of, [list(filters)] if filters else [])]
    kept = codec.select(bytearray(1), rows, compiled(joined("and", trees)), first)
    return [row[3] // 10**9 + first - 1 for row in struct.iter_unpack("7q", kept)]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--numbers 1-3,5", [1, 2, 3, 5]), ("--numbers 58-", [58, 59, 60]), ("--numbers 9,1,2-2", [1, 2, 9]),
        ("--numbers " + ",".join(map(str, range(1, 60, 3))), [*range(1, 60, 3)]), ("--numbers 61-99999999999999999999999", []),
        ("--numbers " + ",".join(f"{i}-{i + 1}" for i in range(50, 0, -5)), [i + j for i in range(5, 55, 5) for j in (0, 1)]),
        ("--every 20", [20, 40, 60]), ("--every 1 --numbers 4", [4]), ("--every 61", []), ("--every 4611686018427387904", []),
        ("--from 5 --until 8", [5, 6, 7]), ("--from 60", [60]), ("--until 1.000000001", [1]),
        ("--from 1970-01-01T00:00:59Z", [59, 60]),
        ("--sample 100%", [*range(1, 61)]), ("--sample 0", []), ("--from 9 --until 9", []),
    ],
)  # fmt: skip
def test_which_packets(codec: ModuleType, words: str, wanted: list[int]) -> None:
    assert numbers(codec, words) == wanted


def test_numbers_go_on_from_batch_to_batch(codec: ModuleType) -> None:
    assert numbers(codec, "--every 50 --numbers 90-", first=81) == [100]
    assert numbers(codec, "--numbers 3-6", filters=("NUMBER!=4", "SIZE>1")) == [3, 5, 6]


def test_a_sample_is_the_same_for_the_same_seed(codec: ModuleType) -> None:
    """And as large as it should be, whatever the seed: 10 % of 20,000, give or take five times the deviation."""
    few = numbers(codec, "--sample 1/10 --seed 1")
    assert few == numbers(codec, "--sample 10% --seed 1") == [21, 22, 26, 29, 56]
    assert numbers(codec, "--sample 1/10 --seed 1", count=35, first=26) == few[2:]
    sizes = [len(numbers(codec, f"--sample 10% --seed {seed}", 20_000)) for seed in (0, 1 << 62)]
    assert all(1788 <= size <= 2212 for size in sizes), sizes


def test_both_draw_the_same(codec: ModuleType) -> None:
    from pkttools.codec.python.program import drawn

    half = 1 << 63
    assert numbers(codec, "--sample 50% --seed 77", 500) == [n for n in range(1, 501) if drawn(77, n) < half]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1-9,10", [(1, 10)]), ("5,1-6,20-30,25-", [(1, 6), (20, (1 << 63) - 1)]), (" 7 , 9-9", [(7, 7), (9, 9)])],
)
def test_ranges(text: str, wanted: list[tuple[int, int]]) -> None:
    assert ranges_of(text) == wanted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--numbers 0-3", "--numbers: packets are counted from 1"), ("--numbers 9-8", "--numbers: 9-8: the range is empty"),
        ("--numbers 1,,2", "--numbers: '' is no packet's number and no range, such as 20, 1-9 or 30-"),
        ("--numbers -3", "--numbers: '-3' is no"), ("--numbers 1x", "--numbers: '1x' is no"),
        ("--numbers 1-2-3", "--numbers: '1-2-3' is"),
        ("--every 0", "--every: 0 is out of range"), ("--sample 0.5", "--sample: '0.5' is not a share"),
        ("--sample 1/0", "--sample: '1/0' is not a share"), ("--sample x%", "--sample: 'x%' is not a share"),
        ("--sample 110%", "--sample: 110% is more than all"), ("--from soon", "--from: 'soon' is not a time"),
        ("--until +5x", "--until: '+5x' is not a time"), ("--from -5", "--from: '-5' is not a time"),
        ("--from 9 --until 3", "--from 9 --until 3: the range is empty"),
        ("--until +8s --from +9s", "--from +9s --until +8s: the range is empty"),
    ],
)  # fmt: skip
def test_what_they_cannot_say(words: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        part(words)
    assert str(raised.value).startswith(said)


def test_unsound_programs(codec: ModuleType) -> None:
    """A seed has eight bytes; what is no number is in no sample, and a field of 0 divides nothing."""
    sample = compiled(("test", program.OF_NUMBER, 1, program.SAMPLE, (1, 2), ALL_BITS))
    with pytest.raises(ValueError, match="program is not valid"):
        codec.select(bytearray(1), bytes(ROW_BYTES), (sample[0], sample[1], sample[2][:-1]))
    row = struct.pack("7q", 0, 1, 1, 0, 1, 0, 0)
    for fact, value in ((program.OF_NUMBER, 0), (program.OF_WAY, 1)):
        assert not codec.select(bytearray(1), row, compiled(("test", fact, 0, program.EVERY, value, ALL_BITS)))


def test_commands(backend: str, tmp_path: Path) -> None:
    """With filters, reversed, in a pipe, over several inputs, and what is said."""
    (tmp_path / "a").write_bytes(pcap(FRAMES[:60], gap=1))
    (tmp_path / "b").write_bytes(pcap(FRAMES[60:], gap=1))
    for words, wanted in (
        ("pkt-filter a b --numbers 59-62 -F pcap", [58, 59, 60, 61]),
        ("pkt-filter a --numbers 2-59 -r -F pcap", [0, 59]),
        ("pkt-filter a --every 30 -F pcap --limit 1", [29]),
        ("pkt-filter a b --every 20 'NUMBER > 50 and ETHERNET' -F pcap", [59, 79, 99]),
        ("pkt-filter --from +3s --until +4.000001s -F pcap < a", [3, 4]),
        ("pkt-pipe 'filter --numbers 3-8 | filter --every 2 | filter --from +2s' < a", [5, 7]),
        ("cat a | pkt-pipe 'filter ETHERNET.TYPE==ip --numbers 3 | correct' 2> /dev/null", [2]),
    ):  # fmt: skip
        done = shell(f"cd {tmp_path}; {words}", backend=backend)
        assert (done.returncode, frames_of(done.stdout)) == (0, [FRAMES[i] for i in wanted]), words
    done = shell(f"pkt-filter {tmp_path}/a --sample 10% --seed 7 -v -F pcap | wc -c", backend=backend)
    assert b"pkt-filter: --sample: seed 7\n" in done.stderr


def test_no_more_is_read_behind_the_last_number(tmp_path: Path) -> None:
    """Not even what is wrong there; where -r lets what follows through, it is."""
    done = shell("pkt-filter --numbers 2,4 -F pcap", pcap(FRAMES)[:-1])
    assert (done.returncode, frames_of(done.stdout)) == (0, [FRAMES[1], FRAMES[3]])
    (tmp_path / "cut").write_bytes(pcap(FRAMES)[:-1])
    done = shell(f"pkt-filter {tmp_path}/cut --numbers 1-60 -r -F pcap")
    assert (done.returncode, len(frames_of(done.stdout))) == (1, 39)


def test_listing() -> None:
    times = "--from 1970-01-02T00:00Z --until 2026-11-01T00:00Z"
    done = shell(f"pkt-filter -d --numbers 2-3,5- --every 10 --sample 2.5% --seed 9 {times} UDP")
    tests = [line[6:47].rstrip() for line in done.stdout.decode().splitlines()]
    assert tests == [
        "NUMBER in 2..3", "NUMBER >= 5", "NUMBER every 10", "NUMBER sample 2.5% seed 9", "TIME >= 1970-01-02T00:00:00Z",
        "TIME < 2026-11-01T00:00:00Z", "UDP",
    ]  # fmt: skip
    done = shell("pkt-filter -d --from +5s")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"pkt-filter: --from +5s: that is after the first packet, which comes later\n")


def test_custom_blocks_are_no_packets(backend: str) -> None:
    custom = block(0xBAD, struct.pack("<I", 32473) + b"abcd")
    data = section() + interface() + custom + enhanced(FRAMES[0]) + custom * 2 + enhanced(FRAMES[1]) + enhanced(FRAMES[2])
    done = shell("pkt-filter --numbers 2 -F pcap", data, backend=backend)
    assert frames_of(done.stdout) == [FRAMES[1]]


def test_editcap_takes_the_same(tmp_path: Path) -> None:
    """Packets by number, kept or dropped, and by time: in from the beginning, out from the end on."""
    if not shutil.which("editcap"):
        pytest.skip("editcap is not installed")
    (tmp_path / "a").write_bytes(pcap(FRAMES, gap=1))
    start = 1_000_000_000
    for theirs, ours in (
        ("-r a o 1-9 20 90-0", "--numbers 1-9,20,90-"), ("a o 1-9 20", "-r --numbers 1-9,20"),
        (f"-A {start + 5} -B {start + 9} a o", f"--from {start + 5} --until {start + 9}"),
    ):  # fmt: skip
        subprocess.run(["editcap", "-F", "pcap", *theirs.split()], cwd=tmp_path, check=True, capture_output=True)
        wanted = frames_of((tmp_path / "o").read_bytes())
        assert wanted
        done = shell(f"cd {tmp_path}; pkt-filter a {ours} -F pcap")
        assert frames_of(done.stdout) == wanted


def test_library() -> None:
    packets = read(ROOT / "examples" / "vlan-tcp.txt")
    for words in ({"numbers": "2-3"}, {"every": 2}, {"from_": "+8.3ms"}):
        assert len(list(filtered(packets, **words))) == 2
