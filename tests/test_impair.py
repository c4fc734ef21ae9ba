"""pkt-impair: chances as the models have them, the same for the same seed; what it does to each packet, and its account."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import ROOT, shell
from waits import sleeps, until

from pkttools.batch import Batch, Packet, gathered
from pkttools.work.impairments import Bursts, Impairment, Independent, States

PING = (ROOT / "examples" / "ping.txt").read_bytes()
START = 1_700_000_000 * 10**9
MILLI = 1_000_000


def packets(count: int, size: int = 20) -> list[Packet]:
    """Packets a millisecond apart, each with a number, of which some have a note."""
    return [
        Packet(i.to_bytes(4, "big") * (size // 4), size + 5, START + i * MILLI, 1, b"NOTE: %d\n" % i if i % 3 == 0 else b"")
        for i in range(count)
    ]


def written(stamps: list[int]) -> bytes:
    """Text of packets that are their numbers, with times in nanoseconds."""
    return b"".join(b"--\nTIME: %d.%09d\n%08x\n==\n" % (*divmod(stamp, 10**9), i) for i, stamp in enumerate(stamps))


def read(text: bytes) -> list[tuple[int, int]]:
    """Time and number of each packet of such a text."""
    found = re.findall(rb"TIME: (\d+)\.(\d+) .*\nSIZE.*\n000000: (\S\S) (\S\S) (\S\S) (\S\S)", text)
    return [(int(s) * 10**9 + int(part.ljust(9, b"0")), int(b"".join(octets), 16)) for s, part, *octets in found]


def done(impairment: Impairment, given: list[Packet], size: int = 100) -> list[Packet]:
    """What comes out of a stage that gets batches of a size."""
    batches = (gathered(given[i : i + size]) for i in range(0, len(given), size))
    return [batch.packet(i) for batch in impairment(batches) for i in range(len(batch))]


def fact(packet: Packet) -> tuple[object, ...]:
    return packet.frame, packet.original, packet.time, packet.linktype, packet.notes


def number(packet: Packet) -> int:
    """The number of a packet that has at most one octet that is wrong."""
    words = [packet.frame[i : i + 4] for i in range(0, len(packet.frame), 4)]
    return int.from_bytes(max(words, key=words.count), "big")


# ---- chances ----


def test_loss_is_by_chance_and_the_same_for_the_same_seed():
    given = packets(20_000, 4)
    first, again = (done(Impairment(7, loss=Independent(7, (5, 100))), given, size) for size in (100, 7777))
    assert list(map(fact, first)) == list(map(fact, again))
    assert abs(20_000 - len(first) - 1000) < 5 * 31  # five standard deviations
    assert len(done(Impairment(8, loss=Independent(8, (5, 100))), given)) != len(first)
    assert [number(p) for p in first] == sorted(number(p) for p in first)


def test_all_and_none():
    given = packets(50)
    assert done(Impairment(1, loss=Independent(1, (1, 1))), given) == []
    assert len(done(Impairment(1, loss=Independent(1, (0, 1)), double=(1, 1)), given)) == 100


def runs(lost: list[bool]) -> list[int]:
    return [len(list(run)) for gone, run in itertools.groupby(lost) if gone]


def test_bursts_are_as_gilbert_has_them():
    """Of a net that is bad p / (p + r) of the time, 1 / r packets long; what is not chance of it is exact."""
    lost = Bursts(3, [(1, 50), (1, 4), (1, 1), (0, 1)]).lost(100_000)
    assert abs(sum(lost) / 100_000 - 0.02 / 0.27) < 0.008
    assert abs(sum(runs(lost)) / len(runs(lost)) - 4) < 0.4
    assert sum(Bursts(3, [(0, 1), (1, 4), (1, 1), (0, 1)]).lost(1000)) == 0  # never bad
    assert Bursts(3, [(1, 1), (0, 1), (1, 1), (0, 1)]).lost(1000) == [False] + [True] * 999  # the first packet finds it good
    assert Bursts(3, [(1, 1), (1, 1), (1, 1), (0, 1)]).lost(6) == [False, True] * 3


def test_bursts_of_elliott_lose_in_both_states():
    bursts = Bursts(5, [(1, 10), (3, 10), (1, 2), (1, 100)])
    lost = [gone for size in (1, 999, 99_000) for gone in bursts.lost(size)]  # the state stays from batch to batch
    assert lost == Bursts(5, [(1, 10), (3, 10), (1, 2), (1, 100)]).lost(100_000)
    assert abs(sum(lost) / 100_000 - (0.25 * 0.5 + 0.75 * 0.01)) < 0.01


def test_p_alone_is_independent_loss():
    """r is 1 - p, as netem has it: what was lost before says nothing."""
    said = [
        shell(f"pkt-impair --seed 4 {words} -do", written([START + i * MILLI for i in range(3000)]))
        for words in ("--loss-bursts 20%", "--loss 20%")
    ]
    for one in said:
        assert one.returncode == 0
        lost, _, longest = map(int, re.search(rb"(\d+) lost in (\d+) bursts? of up to (\d+)", one.stderr).groups())
        assert abs(lost - 600) < 110
        assert 2 <= longest <= 9
    lost = Bursts(9, [(1, 5), (4, 5), (1, 1), (0, 1)]).lost(100_000)
    assert abs(sum(runs(lost)) / len(runs(lost)) - 1.25) < 0.03


def test_states_as_netem_has_them():
    """Each way between two alone, and how often the chain is where, over batches of any size; P13 alone is independent loss."""
    none, whole = (0, 1), (1, 1)
    assert States(1, [none, whole, none, whole, none]).lost(9) == [False] * 9
    assert States(1, [whole, none, none, whole, none]).lost(9) == [True] * 9  # it stays in a burst
    assert States(1, [whole, none, whole, whole, none]).lost(6) == [True, False] * 3  # 3, 2, 3: within one
    assert States(1, [whole, whole, none, whole, none]).lost(6) == [True, False] * 3  # 3, 1, 3
    assert States(1, [none, whole, none, whole, whole]).lost(6) == [True, False] * 3  # 4, 1, 4
    assert States(1, [whole, none, whole, none, none]).lost(6) == [True] + [False] * 5  # 2 for ever
    shares = [(1, 50), (1, 5), (1, 10), (3, 10), (1, 100)]
    chain = States(3, shares)
    lost = [gone for size in (1, 999, 199_000) for gone in chain.lost(size)]
    assert lost == States(3, shares).lost(200_000)
    p13, p31, p32, p23, p14 = (a / b for a, b in shares)
    gap = 1 / (1 + p13 / p31 * (1 + p32 / p23) + p14)  # 1 and 3 balance each other, and so do 3 and 2
    assert abs(sum(lost) / 200_000 - gap * (p13 / p31 + p14)) < 0.006
    alone = States(4, [(1, 5), (4, 5), none, whole, none]).lost(100_000)
    assert abs(sum(alone) / 100_000 - 0.2) < 0.01
    assert abs(sum(runs(alone)) / len(runs(alone)) - 1.25) < 0.03


def test_one_kind_changes_nothing_about_the_others():
    """Each has numbers of its own: with more loss the same packets that remain are corrupted, at the same bits, and as late."""
    given = packets(2000)
    few = done(Impairment(2, damage=(1, 10), delay=5 * MILLI, jitter=MILLI), given)
    more = done(Impairment(2, loss=Independent(2, (1, 2)), double=(1, 9), damage=(1, 10), delay=5 * MILLI, jitter=MILLI), given)
    delays = {number(p): p.time for p in few}
    damaged = {number(p) for p in few if p.frame != given[number(p)].frame}
    seen: set[int] = set()
    for p in more:
        i = number(p)
        if i not in seen:
            assert p.time == delays[i]
            assert (p.frame != given[i].frame) == (i in damaged)
        seen.add(i)
    assert 700 < len(seen) < 1300


# ---- what it does to packets ----


def test_a_bit_is_turned_over():
    """One in each packet that is hit; all bits alike likely, in all octets; nothing else of it changes."""
    given = packets(4000)
    bits = dict.fromkeys(range(160), 0)
    for before, after in zip(given, done(Impairment(6, damage=(1, 1)), given), strict=True):
        turned = int.from_bytes(before.frame, "big") ^ int.from_bytes(after.frame, "big")
        assert turned.bit_count() == 1
        bits[turned.bit_length() - 1] += 1
        assert fact(after)[1:] == fact(before)[1:]
    assert min(bits.values()) > 4
    assert max(bits.values()) < 60
    impairment = Impairment(6, damage=(1, 1))
    assert done(impairment, [Packet(b"", 60, START, 1)])[0].frame == b""
    assert impairment.said(0) == ["1 packet: 0 corrupted, 1 without a byte to corrupt"]


def test_the_batch_that_came_is_left_alone():
    """What was read may be the kernel's, or be written once more."""
    batch = gathered(packets(30))
    before = bytes(batch.data), bytes(batch.rows)
    for impairment in (Impairment(6, damage=(1, 1)), Impairment(6, double=(1, 1)), Impairment(6, loss=Independent(6, (1, 2)))):
        made = impairment.impaired(Batch(batch.data, batch.rows))
        assert (bytes(batch.data), bytes(batch.rows)) == before
        assert made.rows is not batch.rows


def test_copies_have_bytes_of_their_own(backend):
    """A change behind changes each of them once; they come directly behind, with the same time and lines."""
    given = PING.replace(b"SIZE:", b"NOTE: once\nSIZE:", 1)
    made = shell("pkt-impair --duplicate 1 --seed 1 | pkt-change -u IP.TTL-=1 | pkt-txt2txt -a", given, backend=backend).stdout
    assert re.findall(rb"IP.TTL:\t*(\w+)", made) == [b"0x3f"] * 4
    assert made.count(b"NOTE: once") == 2
    piped = shell("pkt-pipe 'impair --duplicate 1 --seed 1 | change -u IP.TTL-=1 | check -cs'", given, backend=backend).stdout
    assert re.findall(rb"\nTIME: (\S+)", piped) == [b"1700000000.250131"] * 2 + [b"1700000000.250394"] * 2
    given = packets(40)
    made = done(Impairment(1, double=(1, 3)), given, 9)
    assert 45 < len(made) < 65
    assert list(dict.fromkeys(map(fact, made))) == list(map(fact, given))


def test_delays_are_within_their_bounds():
    given = packets(3000)
    impairment = Impairment(4, delay=20 * MILLI, jitter=5 * MILLI)
    late = [after.time - before.time for before, after in zip(given, done(impairment, given), strict=True)]
    assert (impairment.least, impairment.most) == (min(late), max(late))
    assert 15 * MILLI <= min(late) < 15.1 * MILLI
    assert 24.9 * MILLI < max(late) <= 25 * MILLI
    assert abs(sum(late) / 3000 - 20 * MILLI) < 0.3 * MILLI
    late = [after.time - before.time for before, after in zip(given, done(Impairment(4, jitter=MILLI), given), strict=True)]
    assert min(late) == 0  # no packet comes before it was sent
    assert 1300 < late.count(0) < 1700


@pytest.mark.parametrize("words", ["--delay 30ms --jitter 20ms", "--delay 30ms --reorder 10%", "--delay 30ms --if 'IP.TTL==9'"])
def test_packets_come_out_in_the_order_of_their_times(words, tmp_path, backend):
    """From a file or a pipe; how many were overtaken is what the order says."""
    given = written([START + i * MILLI for i in range(300)]) if "--if" not in words else PING * 9
    (tmp_path / "in.txt").write_bytes(given)
    said = shell(f"pkt-impair {words} --seed 5 --in {tmp_path}/in.txt", backend=backend)
    piped = shell(f"cat | pkt-impair {words} --seed 5 | cat", given, backend=backend)
    assert (said.stdout, said.stderr) == (piped.stdout, piped.stderr)
    if "--if" in words:
        assert not said.stderr  # it was about none of them
        return
    made = read(said.stdout)
    assert [stamp for stamp, _ in made] == sorted(stamp for stamp, _ in made)
    assert sorted(n for _, n in made) == list(range(300))
    behind = sum(n < max((m for _, m in made[:at]), default=0) for at, (_, n) in enumerate(made))
    assert int(re.search(rb"(\d+) overtaken", said.stderr)[1]) == behind > 50
    if "reorder" in words:
        early = sum(stamp == START + n * MILLI for stamp, n in made)
        assert int(re.search(rb"(\d+) not delayed", said.stderr)[1]) == early
        assert 10 < early < 60


def test_only_what_if_says_is_impaired(backend):
    done_ = shell("pkt-impair --loss 1 --if 'ICMP.TYPE==8' --seed 1", PING * 5, backend=backend)
    assert done_.stdout.count(b"SIZE:") == 5
    assert done_.stderr == b"pkt-impair: 5 packets: 5 lost in 1 burst of up to 5; seed 1\n"
    made = shell(
        "pkt-impair --corrupt 1 --delay 1s --if 'ICMP.TYPE==0' --seed 1 | pkt-filter ICMP.TYPE==8 IP.TTL==64", PING, backend=backend
    )
    assert b"1700000000.250131" in made.stdout


def test_the_account_is_of_what_was_done():
    """In, less what was lost, with what came twice, is out; the seed that was drawn does it again."""
    given = written([START + i * MILLI for i in range(2000)])
    words = "pkt-impair --loss-bursts 5%,50% --duplicate 5% --corrupt 5% --delay 5ms --jitter 2ms --reorder 5%"
    first = shell(words, given)
    kinds = "lost in|duplicated|corrupted|not delayed|delayed by|bursts? of up"
    lost, bursts, double, damaged, early, delayed = (int(n) for n, _ in re.findall(rf"(\d+) ({kinds})", first.stderr.decode()))
    assert 0 < bursts < lost
    out = 2000 - lost + double
    assert len(read(first.stdout)) == early + delayed == out
    assert 0 < damaged < out
    seed = re.search(rb"seed (\d+)", first.stderr)[1].decode()
    again = shell(f"{words} --seed {seed}", given)
    assert (again.stdout, again.stderr) == (first.stdout, first.stderr)


def test_a_time_beyond_what_there_is():
    said = shell("pkt-impair --delay 2s --seed 1", written([START, 9223372035 * 10**9]))
    assert read(said.stdout) == [(START + 2 * 10**9, 0), (9223372035 * 10**9, 1)]
    assert said.stderr.splitlines()[1] == b"pkt-impair: 1 packet passed as they came: their times would be later than times go"


@pytest.mark.parametrize(
    "words",
    ["--loss 1% --loss-states 1%", "--loss-states 1%,1%,1%,1%,1%,1%", "--loss-states 60%,1%,0%,1%,50%", "--loss-states 1%,60%,50%",
     "", "--loss 5", "--loss 0.05", "--loss 101%", "--loss 5% --loss-bursts 5%", "--loss-bursts 1%,1%,1%,1%,1%", "--jitter 5ms",
     "--reorder 5%", "--delay -1s", "--delay 1s --jitter x", "--corrupt", "--seed -1 --loss 1%"],
)  # fmt: skip
def test_usage(words):
    said = shell(f"pkt-impair {words}", PING)
    assert (said.returncode, said.stdout) == (2, b"")
    assert said.stderr.startswith(b"pkt-impair: ")


# ---- what comes just now ----


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of it that reads a pipe, and does not outlive the test."""
    pipe = subprocess.PIPE
    with subprocess.Popen([ROOT / "bin/pkt-impair", *words, "--seed", "1"], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def put(process: subprocess.Popen[bytes], stamps: list[int]) -> None:
    process.stdin.write(written(stamps))
    process.stdin.flush()


def test_a_packet_is_held_as_long_as_it_is_delayed():
    """By the clock, also while nothing more comes; then it goes, and the pipe stays open."""
    with started("--delay", "0.4s") as process:
        for _ in range(2):
            now = time.time_ns()
            put(process, [now])
            text = b"".join(itertools.takewhile(lambda line: line != b"==\n", process.stdout))
            passed = time.time_ns() - now
            assert passed >= 400 * MILLI
            assert f"TIME: {(now + 400 * MILLI) / 1e9:.6f}".encode()[:-4] in text
        assert process.poll() is None
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(10) == 0


def test_those_that_are_delayed_less_overtake_others():
    """In the order of their new times; the rest comes when it is due, also behind the end of the input."""
    with started("--delay", "300ms", "--jitter", "300ms") as process:
        now = time.time_ns()
        put(process, [now + (i - 40) * MILLI for i in range(40)])  # nothing is held for longer than 600 ms, whatever it says
        process.stdin.close()
        made = read(process.stdout.read())
        passed = time.time_ns() - now
    assert [stamp for stamp, _ in made] == sorted(stamp for stamp, _ in made)
    assert sorted(n for _, n in made) == list(range(40))
    assert [n for _, n in made] != list(range(40))
    assert passed >= max(stamp for stamp, _ in made) - now - MILLI


@pytest.mark.parametrize("stamp", [START, 4_000_000_000 * 10**9], ids=["long-ago", "to-come"])
def test_packets_of_another_time_are_not_held(stamp):
    with started("--delay", "100d") as process:
        put(process, [stamp])
        assert process.stdout.readline() == b"LINKTYPE: 1 (Ethernet)\n"
        process.stdin.close()
        assert process.wait(20) == 0


def test_nobody_waits_for_a_file(tmp_path):
    out = tmp_path / "out.txt"
    assert shell(f"pkt-impair --delay 100d --out {out}", written([time.time_ns()])).returncode == 0
    assert len(read(out.read_bytes())) == 1


def test_a_signal_lets_what_is_held_go_at_once():
    with started("--delay", "100d") as process:
        put(process, [time.time_ns()])
        until(lambda: sleeps(process), "hold the packet")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert out.count(b"SIZE:") == 1
    assert b"1 delayed" in err
    assert process.returncode == 0


def test_what_is_held_goes_through_the_rest_of_a_pipe():
    """As batches, to another command of ours, and in one process; what is not delayed does not wait for what is."""
    now = time.time_ns()
    given = written([now] * 200)
    for command in (
        "pkt-impair --delay 0.3s --reorder 1/2 --seed 3 | pkt-txt2txt",
        "pkt-pipe 'impair --delay 0.3s --reorder 1/2 --seed 3 | txt2txt'",
    ):
        said = shell(f"cat | {command} | cat", given)
        assert sorted(n for _, n in read(said.stdout)) == list(range(200))
        stamps = [stamp for stamp, _ in read(said.stdout)]
        assert stamps == sorted(stamps)
        assert 60 < stamps.count(stamps[0]) < 140
