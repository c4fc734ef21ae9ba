"""Parts by time of sorted files: where they begin is found without reading what is in front, for certain or not at all."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from types import ModuleType

import pytest
from conftest import shell
from netns import pcap, records
from sections import interface, section

from pkttools.commands import find
from pkttools.commands import read as command_values
from pkttools.errors import PktError, UsageError
from pkttools.formats.by_time import NEAR, WINDOW, ByTime
from pkttools.formats.files import Input
from pkttools.language.part import Part

START = 1_700_000_000
MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D
FRAME = bytes(12) + b"\x08\x00"


def capture(packets: list[tuple[int, bytes]], order: str = "<", magic: int = MICRO) -> bytes:
    """A capture of packets, each with its time in the file's unit since START."""
    second = 10**9 if magic == NANO else 10**6
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)]
    for time, data in packets:
        out += [struct.pack(order + "IIII", START + time // second, time % second, len(data), len(data)), data]
    return b"".join(out)


def frames(count: int, seed: int = 1, most: int = 1500) -> list[bytes]:
    """Frames of many sizes; many octets of them are small numbers, as those of lengths are."""
    dice = random.Random(seed)
    some = [dice.choices((0, 1, 2, 60, 101, 255), k=most) for _ in range(20)]
    return [FRAME + bytes(dice.choice(some)[: dice.randrange(most)]) for _ in range(count)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several times as large as what is read at once: a packet a millisecond."""
    path = tmp_path_factory.mktemp("sorted") / "large"
    path.write_bytes(capture([(i * 1000, data) for i, data in enumerate(frames(20_000))]))
    assert path.stat().st_size > 3 * NEAR * WINDOW
    return path


def read_part(path: Path, words: str) -> tuple[list[int], int, list[str]]:
    """The times of the packets of a part, in microseconds from START; how many bytes were read; what is said."""
    values = command_values(find("pkt-filter"), f"--sorted {words}".split())
    part = Part(values)
    reader = ByTime(part)
    times, size = [], 0
    for batch in reader.packets(Input([str(path)])):
        rows = list(struct.iter_unpack("7q", batch.rows))
        size += sum(row[1] + 16 for row in rows)
        since, until = part.moments()
        times += [(row[3] - START * 10**9) // 1000 for row in rows if since <= row[3] < until]
    return times, size, reader.said()


def test_borders_are_found_for_certain_or_not(codec: ModuleType) -> None:
    """From wherever one begins to look: what is given is a border. Of both byte orders, units, and Kuznetzov's records."""
    dice = random.Random(5)
    found = 0
    for order, magic, header in (("<", MICRO, 16), (">", NANO, 16), ("<", MICRO, 24)):
        data = bytearray(capture([(i * 999, frame) for i, frame in enumerate(frames(60, most=90))], order, magic)[24:])
        borders, at = set(), 0
        while at < len(data):
            borders.add(at)
            size = struct.unpack_from(order + "I", data, at + 8)[0]
            if header == 24:
                data[at + 16 : at + 16] = bytes(8)
            at += header + size
        borders.add(len(data))
        for start in (dice.randrange(2000) for _ in range(60)):
            stop = dice.randrange(start + 500, len(data))
            border = codec.pcap_border(data, start, stop, order == ">", magic == NANO, header, 0, 130, START * 10**9)
            assert border == -1 or (border in borders and border > stop - header)
            found += border >= 0
    assert found > 160
    assert codec.pcap_border(data, 0, 129, False, False, 16, 0, 130, 0) == -1
    assert codec.pcap_border(data, 0, len(data), False, False, 24, 0, 130, (START + 9) * 10**9) == -1


def test_what_looks_like_records_makes_it_uncertain(codec: ModuleType) -> None:
    """Packets that carry records, which lead from one packet into the next one and never to a border: two ways to the end."""
    inner = struct.pack("<IIII", START, 0, 84, 84)  # in each packet one, 100 bytes behind the one before
    data = capture([(i, bytes(40) + inner + bytes(28)) for i in range(40)])[24:]
    assert codec.pcap_border(data, 7, len(data), False, False, 16, 0, 100, START * 10**9) == -1
    plain = capture([(i, bytes(84)) for i in range(40)])[24:]
    assert codec.pcap_border(plain, 7, len(plain), False, False, 16, 0, 100, START * 10**9) == len(plain)
    nested = [(i, struct.pack("<IIII", START, i, 0, 0)) for i in range(1500)]  # each packet a record, from which it goes on
    for count, most, wanted in ((200, 100, 200 * 32), (1500, 40_000, -1)):  # the second takes too long to find out
        data = capture(nested[:count])[24:]
        assert codec.pcap_border(data, 0, len(data), False, False, 16, 0, most, START * 10**9) == wanted
    joined = capture([(i, bytes(84)) for i in range(20)])[24:] + capture([(i, bytes(84)) for i in range(20)])
    assert codec.pcap_border(joined, 7, len(joined), False, False, 16, 0, 100, START * 10**9) == -1


@pytest.mark.parametrize(
    ("words", "first", "behind"),
    [
        ("--from +12.3456s --until +12.4s", 12_346, 12_400), ("--until +0.003s", 0, 3), ("--from +19.99s", 19_990, 20_000),
        (f"--from {START + 5}.001 --until {START + 5}.002", 5001, 5002), (f"--from {START + 60}", 0, 0), ("--until 5", 0, 0),
        (f"--from {START - 60} --until {START}.000001", 0, 1), ("--from +0 --until +20s", 0, 20_000),
        (f"--from +9s --until {START + 8}", 0, 0),
    ],
)  # fmt: skip
def test_a_part_is_read_and_not_much_more(large: Path, words: str, first: int, behind: int) -> None:
    """From the beginning on, up to the end and without it."""
    times, size, said = read_part(large, words)
    assert times == [i * 1000 for i in range(first, behind)]
    assert said == []
    assert size <= 3 * WINDOW + (behind - first) * 800 or behind - first > 9999


def test_both_codecs_and_tools(large: Path, backend: str) -> None:
    """Commands write the same with and without; in a pipe, from standard input, of several files, into whatever format."""
    wanted = shell(f"pkt-filter {large} --from +7.5s --until +7.6s -F pcap").stdout
    assert len(records(wanted)) == 100
    for command in (
        f"pkt-filter --sorted {large} --from +7.5s --until +7.6s -F pcap",
        f"pkt-pipe 'filter --sorted --from +7.5s --until +7.6s ETHERNET | filter IP or not IP' < {large}",
    ):
        done = shell(command, backend=backend)
        assert (done.returncode, done.stdout, done.stderr) == (0, wanted, b"")
    done = shell(f"pkt-filter --sorted {large} {large} --from +7.5s --until +7.6s -F pcap", backend=backend)
    assert done.stdout == wanted + wanted[24:]


@pytest.mark.parametrize(("order", "magic"), [("<", MICRO), (">", NANO)])
def test_one_packet_and_one_time(tmp_path: Path, order: str, magic: int) -> None:
    """One packet; none; all at one time, so that nothing is to be divided: those of the time are in, behind it none is."""
    for count in (0, 1, 2, 9000):
        (tmp_path / "x").write_bytes(capture([(5 * 10**8, data) for data in frames(count)], order, magic))
        second = (5 * 10**8) / (10**9 if magic == NANO else 10**6) + START
        assert len(read_part(tmp_path / "x", f"--from {second}")[0]) == count
        assert read_part(tmp_path / "x", f"--from {second}1")[0] == []
        assert read_part(tmp_path / "x", f"--until {second}")[0] == []
        assert len(read_part(tmp_path / "x", f"--until {second}00001")[0]) == count
        assert len(read_part(tmp_path / "x", "--from +0")[0]) == count


@pytest.mark.parametrize("inner", [None, 0, 5, 15, 30])
def test_guesses_of_large_packets_are_made_certain(tmp_path: Path, inner: int | None) -> None:
    """Packets of which few bytes show no border, also where each carries a capture, whose times are others."""
    data = bytes(45_000) if inner is None else capture([(inner * 10**6 + i, bytes(84)) for i in range(450)])[24:]
    path = tmp_path / "x"
    path.write_bytes(capture([(i * 100_000, data) for i in range(200)]))
    times, size, said = read_part(path, "--from +11.7s --until +11.9s")
    assert (times, said) == ([11_700_000, 11_800_000], [])
    assert size <= (NEAR + 1) * WINDOW < path.stat().st_size / 3


def test_it_is_right_where_nothing_is_certain(tmp_path: Path) -> None:
    """All packets carry records of the same time that lead from each to the next: then it is read from the beginning on."""
    inner = struct.pack("<IIII", START + 8, 0, 1016 - 16, 1000)
    path = tmp_path / "x"
    path.write_bytes(capture([(i * 1000, bytes(40) + inner + bytes(1000 - 56)) for i in range(10_000)]))
    times, size, _ = read_part(path, "--from +9s")
    assert times == [i * 1000 for i in range(9000, 10_000)]
    assert size > path.stat().st_size - 100
    times, size, _ = read_part(path, "--from +8s --until +8.2s")
    assert times == [i * 1000 for i in range(8000, 8200)]


def test_times_that_go_backwards_are_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(capture([(time * 10**6, FRAME) for time in (0, 5, 3, 4, 2, 9)]))
    done = shell(f"pkt-filter {tmp_path}/x --sorted --from +2s --until +5s -F pcap")
    assert (done.returncode, [time // 10**9 - START for time, _, _ in records(done.stdout)]) == (1, [3, 4, 2])
    said = "--sorted: 2 packets before the one in front, the first in {}: {} behind {}: without --sorted all of the file is read"
    times = (f"2023-11-14T22:13:2{i}Z" for i in (3, 5))
    assert done.stderr.decode() == f"pkt-filter: {said.format(tmp_path / 'x', *times)}\n"


def test_what_it_is_not_for(tmp_path: Path) -> None:
    names = {"gz": b"\x1f\x8b\x08" + bytes(40), "ng": section() + interface(), "text": b"-- 1 --\n00\n==\n" * 3, "empty": b""}
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    for name, reason in (
        ("gz", "for files of pcap: what is compressed is read from its beginning on"),
        ("ng", "for files of pcap: what pcapng says of interfaces and sections may stand anywhere"),
        ("text", "for files of pcap: this is none"), ("empty", "for files of pcap: this is none"),
        ("/dev/null", "for files: what comes from elsewhere is read from its beginning on"),
    ):  # fmt: skip
        with pytest.raises(PktError) as raised:
            read_part(tmp_path / name, "--from 1")
        assert str(raised.value) == f"{tmp_path / name}: --sorted is {reason}"
    done = shell("cat | pkt-filter --sorted --from 1", pcap([FRAME]))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"pkt-filter: <stdin>: --sorted is for files: what comes from elsewhere is read from its beginning on\n"
    (tmp_path / "cut").write_bytes(pcap([FRAME])[:30])
    with pytest.raises(PktError, match="at byte 24: "):
        read_part(tmp_path / "cut", "--from 1")


@pytest.mark.parametrize(
    "words", ["--numbers 3", "--from 1 --every 2", "--until 9 --sample 5%", "--until 9 NUMBER>3", "-r --from 9", "ETHERNET"]
)
def test_what_it_does_not_go_with(words: str) -> None:
    command = find("pkt-filter")
    with pytest.raises(UsageError, match=r"^--sorted"):
        command.stage(command_values(command, f"--sorted {words}".split()))
