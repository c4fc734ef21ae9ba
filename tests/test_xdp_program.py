"""The XDP program of pkt-xdp, run by the kernel over single frames: its verdicts, what it counts, what it hands over."""

from __future__ import annotations

import errno
import os
import struct
import time

import pytest
from xdp import need_bpf

from pkttools.batch import ORIGINAL, TIME
from pkttools.bpf.assembler import assemble
from pkttools.live.linux import bpf, samples
from pkttools.live.linux.xdp import ARP, COUNTERS, EVERYTHING, LOST, MATCHED, between_clocks, program

ETHERNET = bytes.fromhex("02000000000a02000000000b")
FRAME = ETHERNET + b"\x88\xb5" + bytes(range(50))
MARKED = [(0x30, 0, 0, 14), (0x15, 0, 1, 0x77), (0x06, 0, 0, 1), (0x06, 0, 0, 0)]  # byte 14 is 0x77
KINDS = {"ring": samples.RingBuffer, "perf": samples.PerfBuffers}
DROP, PASS, TX = bpf.XDP_DROP, bpf.XDP_PASS, bpf.XDP_TX
ARPS = {
    "bare": ETHERNET + b"\x08\x06" + bytes(46),
    "tagged": ETHERNET + bytes.fromhex("8100002a0806") + bytes(46),
    "tagged by a provider": ETHERNET + bytes.fromhex("88a8002a0806") + bytes(46),
}
NO_ARPS = {
    "IP": ETHERNET + b"\x08\x00" + bytes(46),
    "tagged IP": ETHERNET + bytes.fromhex("8100002a0800") + bytes(46),
    "two tags": ETHERNET + bytes.fromhex("88a8002a8100002a0806") + bytes(46),
    "a tag cut": ETHERNET + bytes.fromhex("8100002a"),
    "two bytes elsewhere": ETHERNET + bytes.fromhex("88b500020806") + bytes(46),
}


class Loaded:
    """The program, on no interface."""

    def __init__(self, kind: str, match: str = "pass", other: str = "drop", allow_arp: bool = False, sample: int = 1024,
                 instructions=MARKED) -> None:  # fmt: skip
        self.samples = KINDS[kind](sample)
        self.counters = bpf.Map(bpf.PERCPU_ARRAY, 8 * COUNTERS, 1)
        self.program = bpf.XdpProgram(assemble(program(instructions, match, other, allow_arp, self.samples, self.counters)), "test")

    def counted(self) -> list[int]:
        numbers = memoryview(self.counters[0]).cast("Q").tolist()
        return [sum(numbers[i::COUNTERS]) for i in range(COUNTERS)]

    def frames(self) -> list[tuple[bytes, int, int]]:
        """Bytes, original size and time of what was handed over."""
        found = []
        while batch := self.samples.read(0, True, b"x"):
            found += [(bytes(batch.frame(i)), batch.column(ORIGINAL)[i], batch.column(TIME)[i]) for i in range(len(batch))]
        return found

    def close(self) -> None:
        for each in (self.program, self.counters, self.samples):
            each.close()


@pytest.fixture(params=KINDS)
def load(request):
    """Loads the program, once a kind of buffer."""
    need_bpf()
    made = []

    def loaded(*words, **rules):
        made.append(Loaded(request.param, *words, **rules))
        return made[-1]

    yield loaded
    for each in made:
        each.close()


@pytest.mark.parametrize("match", ["pass", "drop", "tx"])
@pytest.mark.parametrize("other", ["pass", "drop", "tx"])
def test_verdicts_and_counters(load, match, other):
    loaded = load(match, other)
    verdicts = {"pass": PASS, "drop": DROP, "tx": TX}
    marked = FRAME[:14] + b"\x77" + FRAME[15:]
    assert [loaded.program.run(frame) for frame in (FRAME, marked, marked)] == [verdicts[other], *[verdicts[match]] * 2]
    wanted = [0] * COUNTERS
    wanted[MATCHED] = 2
    wanted[verdicts[other]] += 1
    wanted[verdicts[match]] += 2
    assert loaded.counted() == wanted
    assert [data for data, _, _ in loaded.frames()] == [marked, marked]


@pytest.mark.parametrize("match, other", [("drop", "drop"), ("pass", "drop"), ("tx", "tx")])
def test_arp_passes(load, match, other):
    loaded = load(match, other, allow_arp=True)
    assert [loaded.program.run(frame) for frame in ARPS.values()] == [PASS] * 3
    rest = {"drop": DROP, "tx": TX}[other]
    assert {name: loaded.program.run(frame) for name, frame in NO_ARPS.items()} == dict.fromkeys(NO_ARPS, rest)
    assert loaded.counted()[ARP] == loaded.counted()[PASS] == 3
    assert loaded.counted()[rest] == len(NO_ARPS)
    assert loaded.frames() == []


def test_arp_that_matches_is_handed_over_and_passes(load):
    loaded = load("drop", "drop", allow_arp=True, instructions=EVERYTHING)
    assert [loaded.program.run(frame) for frame in (*ARPS.values(), FRAME)] == [PASS, PASS, PASS, DROP]
    assert [data for data, _, _ in loaded.frames()] == [*ARPS.values(), FRAME]


def test_arp_that_passes_anyway_is_not_counted(load):
    loaded = load("drop", "pass", allow_arp=True)
    assert [loaded.program.run(frame) for frame in ARPS.values()] == [PASS] * 3
    assert loaded.counted()[ARP] == 0


@pytest.mark.parametrize("sample", [1, 14, 63, 64, 65, 1024, 9014, 65_000])
@pytest.mark.parametrize("size", [64, 1500, 9014])
def test_samples(load, sample, size):
    # 9014 bytes lie in several pieces.
    loaded = load(instructions=EVERYTHING, sample=sample)
    sent = (FRAME + bytes(i % 251 for i in range(size)))[:size]
    before = time.monotonic_ns()
    assert loaded.program.run(sent) == PASS
    ((data, original, stamp),) = loaded.frames()
    assert (data, original) == (sent[:sample], size)
    assert before <= stamp <= time.monotonic_ns()


def test_the_length_is_that_of_all_pieces(load):
    loaded = load(instructions=[(0x80, 0, 0, 0), (0x15, 0, 1, 9014), (0x06, 0, 0, 1), (0x06, 0, 0, 0)])
    assert [loaded.program.run(FRAME.ljust(size, b"\0")) for size in (9013, 9014)] == [DROP, PASS]


def test_what_the_filter_keeps_in_memory(load):
    # All 16 words of it, beside what else is on the stack.
    instructions = []
    for k in range(16):
        instructions += [(0x00, 0, 0, 100 + k), (0x02, 0, 0, k)]
    for k in range(16):
        instructions += [(0x60, 0, 0, k), (0x15, 1, 0, 100 + k), (0x06, 0, 0, 0)]
    loaded = load(instructions=[*instructions, (0x06, 0, 0, 1)])
    assert loaded.program.run(FRAME) == PASS
    assert [data for data, _, _ in loaded.frames()] == [FRAME]


def test_a_full_buffer(load, monkeypatch):
    monkeypatch.setattr(samples, "RING", 1 << 20)
    loaded = load(instructions=EVERYTHING, other="pass")
    for _ in range(1500):
        loaded.program.run(FRAME.ljust(1000, b"\0"))
    counted = loaded.counted()
    assert (counted[MATCHED], counted[PASS]) == (1500, 1500)
    assert 400 < counted[LOST] < 1100
    assert len(loaded.frames()) == 1500 - counted[LOST]
    assert loaded.program.run(FRAME) == PASS  # there is room again
    assert len(loaded.frames()) == 1


def test_what_stands_in_a_perf_buffer():
    need_bpf()
    loaded = Loaded("perf", instructions=EVERYTHING, sample=100)
    loaded.program.run(FRAME.ljust(1000, b"\0"))
    (found,) = [buffer for buffer in loaded.samples.buffers if struct.unpack_from("Q", buffer, 1024)[0]]
    kind, _, size, _, raw, cookie, length = struct.unpack_from("=IHHQIHH", found, samples.PAGE)
    assert (kind, cookie, length) == (9, 0xDEAD, 1000)
    assert 104 <= raw <= size
    assert found[samples.PAGE + 24 : samples.PAGE + 124] == FRAME.ljust(1000, b"\0")[:100]
    loaded.close()


def test_a_large_frame_in_a_perf_buffer():
    """Its size does not wrap."""
    need_bpf()
    loaded = Loaded("perf", instructions=EVERYTHING, sample=65_000)
    try:
        loaded.program.run(FRAME.ljust(65_530, b"\0"))
    except OSError as error:
        pytest.skip(f"no frame of this size: {error}")
    ((data, original, _),) = loaded.frames()
    assert (len(data), original) == (65_000, 65_530)
    loaded.close()


def test_a_program_that_is_refused(monkeypatch):
    need_bpf()
    from pkttools.bpf.assembler import R0, R1, leave, load, mov
    from pkttools.errors import PktError

    with pytest.raises(PktError, match="the kernel refuses the XDP program: invalid bpf_context access off=400 size=8"):
        bpf.XdpProgram(assemble([load(8, R0, R1, 400), mov(R0, 2), leave()]), "test")
    monkeypatch.setattr(bpf, "NUMBERS", {})
    with pytest.raises(PktError, match=r"cannot load an XDP program: this system has no bpf\(2\)"):
        bpf.XdpProgram(assemble([mov(R0, 2), leave()]), "test")


@pytest.mark.parametrize("number, said", [
    (errno.ERANGE, "eth0: its MTU is too large for native XDP: --mode generic has no such limit"),
    (errno.EOPNOTSUPP, "eth0: its driver has no native XDP: --mode generic does without the driver"),
    (errno.ENODEV, "cannot attach to eth0: No such device"),
])  # fmt: skip
def test_why_a_program_is_not_attached(monkeypatch, number, said):
    class Program(bpf.Descriptor):
        pass

    def failing(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(bpf, "bpf", failing)
    with pytest.raises(bpf.Unattached) as caught:
        bpf.XdpLink(Program(0), "eth0", 1, "native")
    assert (str(caught.value), caught.value.number) == (said, number)


def test_who_is_interrupted_between_two_clocks_reads_them_again(monkeypatch):
    """Or all times would be off by as long, and go back in the middle of a stream."""
    clock = iter([0, 40_000, 40_100, *range(50_000, 60_000, 100)])  # 40 us pass between the first two
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(clock))
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000 + next(clock))
    assert between_clocks() == 1_000_000
    always = iter(range(0, 10**9, 20_000))  # and who is always interrupted gets some answer
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(always))
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000 + next(always))
    assert abs(between_clocks() - 1_000_000) <= 20_000
