"""Classic BPF programs in both codecs, with libpcap's own interpreter as the judge."""

from __future__ import annotations

import operator
import random
import struct
from collections.abc import Callable
from types import ModuleType

import pytest
from bpf import EXPRESSIONS, any_program, judged, libpcap
from samples import batch, ethernet, frames, icmp, ipv4, ipv6, tags, tcp, udp

from pkttools.bpf.classic import LONGEST, Instruction, packed, unsound
from pkttools.language import expression
from pkttools.libpcap import compile_filter

FRAME = bytes(range(1, 61))
RET = (0x06, 0, 0, 7)


def accepted(codec: ModuleType, program: list[Instruction], packets: list[tuple[bytes, int]]) -> list[bool]:
    """Which packets a program lets through, each with its size on the wire. Raises ValueError for an unsound program."""
    b = batch([(1, frame) for frame, _ in packets])
    rows = [list(row) for row in struct.iter_unpack("7q", b.rows)]
    for row, (_, wire) in zip(rows, packets, strict=True):
        row[2] = wire
    given = b"".join(struct.pack("7q", *row) for row in rows)
    kept = codec.select(b.data, given, expression.compiled(("bpf", packed(program))))
    kept_rows = {row[3] for row in struct.iter_unpack("7q", kept)}  # times: each packet has its own
    return [row[3] in kept_rows for row in rows]


def returned(codec: ModuleType, *before: Instruction, frame: bytes = FRAME, wire: int = 1000) -> int:
    """What is in A behind some instructions: found by asking for each bit. 1 << 32 where the program ends with 0 before."""
    value = 0
    for bit in range(32):
        program = [*before, (0x45, 0, 1, 1 << bit), (0x06, 0, 0, 1), (0x06, 0, 0, 0)]
        value |= accepted(codec, program, [(frame, wire)])[0] << bit
    ended = not accepted(codec, [*before, (0x06, 0, 0, 1)], [(frame, wire)])[0]
    return 1 << 32 if ended else value


NOTHING = 1 << 32
UNDEFINED = [(0x60, 0, 0, 3), (0x64, 0, 0, 32)]  # in libpcap: memory that nothing was stored in, shifts of 32 bits; here 0


@pytest.mark.parametrize(
    ("before", "value"),
    [
        ([(0x00, 0, 0, 0xDEADBEEF)], 0xDEADBEEF),  # ld #k
        ([(0x20, 0, 0, 0)], 0x01020304), ([(0x28, 0, 0, 1)], 0x0203), ([(0x30, 0, 0, 59)], 60),  # ld, ldh, ldb [k]
        ([(0x20, 0, 0, 56)], 0x393A3B3C), ([(0x20, 0, 0, 57)], NOTHING), ([(0x28, 0, 0, 59)], NOTHING),
        ([(0x30, 0, 0, 60)], NOTHING), ([(0x30, 0, 0, 0xFFFFFFFF)], NOTHING),
        ([(0x01, 0, 0, 2), (0x40, 0, 0, 3)], 0x06070809), ([(0x01, 0, 0, 2), (0x48, 0, 0, 3)], 0x0607),  # ldx #k; ld [x + k]
        ([(0x01, 0, 0, 2), (0x50, 0, 0, 3)], 6), ([(0x01, 0, 0, 58), (0x48, 0, 0, 1)], NOTHING),
        ([(0x01, 0, 0, 0xFFFFFFFE), (0x50, 0, 0, 3)], NOTHING),  # no wrapping around to [1]
        ([(0x80, 0, 0, 0)], 1000), ([(0x81, 0, 0, 0), (0x87, 0, 0, 0)], 1000),  # ld, ldx len: on the wire
        ([(0xB1, 0, 0, 30), (0x87, 0, 0, 0)], (31 & 15) * 4), ([(0xB1, 0, 0, 60)], NOTHING),  # ldx 4*([k]&0xf)
        ([(0, 0, 0, 9), (0x02, 0, 0, 15), (0, 0, 0, 1), (0x60, 0, 0, 15)], 9),  # st, ld M[k]
        ([(1, 0, 0, 9), (0x03, 0, 0, 0), (0x61, 0, 0, 0), (0x87, 0, 0, 0)], 9), ([(0x60, 0, 0, 3)], 0),  # stx, ldx M[k], txa
        ([(0, 0, 0, 5), (0x07, 0, 0, 0), (0, 0, 0, 1), (0x0C, 0, 0, 0)], 6),  # tax, add x
        ([(0, 0, 0, 5), (0x04, 0, 0, 0xFFFFFFFF)], 4), ([(0, 0, 0, 5), (0x14, 0, 0, 6)], 0xFFFFFFFF),
        ([(0, 0, 0, 0x10001), (0x24, 0, 0, 0x10001)], 0x20001), ([(0, 0, 0, 7), (0x34, 0, 0, 2)], 3),
        ([(0, 0, 0, 7), (0x3C, 0, 0, 0)], NOTHING), ([(0, 0, 0, 7), (0x9C, 0, 0, 0)], NOTHING),  # by X, which is 0
        ([(0, 0, 0, 7), (0x94, 0, 0, 4)], 3), ([(0, 0, 0, 5), (0x44, 0, 0, 2)], 7), ([(0, 0, 0, 5), (0x54, 0, 0, 4)], 4),
        ([(0, 0, 0, 5), (0xA4, 0, 0, 6)], 3), ([(0, 0, 0, 5), (0x84, 0, 0, 0)], 0xFFFFFFFB),
        ([(0, 0, 0, 5), (0x64, 0, 0, 31)], 1 << 31), ([(0, 0, 0, 5), (0x64, 0, 0, 32)], 0), ([(0, 0, 0, 5), (0x74, 0, 0, 1)], 2),
        ([(0, 0, 0, 5), (1, 0, 0, 40), (0x7C, 0, 0, 0)], 0), ([(0x05, 0, 0, 1), (0, 0, 0, 1), (0x04, 0, 0, 2)], 2),  # ja
        ([(0x06, 0, 0, 0)], NOTHING), ([(0x16, 0, 0, 0)], NOTHING),
    ],
)  # fmt: skip
def test_instructions(codec: ModuleType, before: list[Instruction], value: int) -> None:
    assert returned(codec, *before) == value
    if value == NOTHING:
        assert judged([*before, RET], FRAME, 1000) == 0
    elif before[-1] not in UNDEFINED:
        assert judged([*before, (0x16, 0, 0, 0)], FRAME, 1000) == value


@pytest.mark.parametrize(("code", "test"), [(0x15, operator.eq), (0x25, operator.gt), (0x35, operator.ge), (0x45, operator.and_)])
def test_jumps(codec: ModuleType, code: int, test: Callable[[int, int], object]) -> None:
    """Of K and of X; values are unsigned."""
    for a in (0, 1, 2, 5, 6, 7, 8, 0xFFFFFFFF):
        for program in ([(0, 0, 0, a), (code, 0, 1, 5)], [(1, 0, 0, 5), (0, 0, 0, a), (code | 8, 0, 1, 0)]):
            whole = [*program, (6, 0, 0, 1), (6, 0, 0, 0)]
            assert accepted(codec, whole, [(b"", 0)]) == [bool(judged(whole, b"", 0))] == [bool(test(a, 5))]


UNSOUND = {
    "no instruction": [],
    "no return at the end": [(0, 0, 0, 1)],
    "an unknown code": [(0xFF, 0, 0, 0), RET],
    "a code with high bits": [(0x106, 0, 0, 0), RET],
    "ret x": [(0x0E, 0, 0, 0), RET],
    "ldx [k]": [(0x21, 0, 0, 0), RET],
    "scratch 16, loaded": [(0x60, 0, 0, 16), RET],
    "scratch 16, loaded to X": [(0x61, 0, 0, 16), RET],
    "scratch 16, stored": [(0x02, 0, 0, 16), RET],
    "scratch -1": [(0x03, 0, 0, 0xFFFFFFFF), RET],
    "division by zero": [(0x34, 0, 0, 0), RET],
    "modulo zero": [(0x94, 0, 0, 0), RET],
    "a jump behind the end": [(0x15, 0, 1, 0), RET],
    "another": [(0x15, 1, 0, 0), RET],
    "ja behind the end": [(0x05, 0, 0, 1), RET],
    "ja in front of the beginning": [(0x05, 0, 0, 0xFFFFFFFE), RET],
    "too long": [(0, 0, 0, 1)] * LONGEST + [RET],
}


@pytest.mark.parametrize("program", UNSOUND.values(), ids=UNSOUND)
def test_what_is_not_sound_is_not_run(codec: ModuleType, program: list[Instruction]) -> None:
    assert unsound(program)
    with pytest.raises(ValueError, match="valid"):
        accepted(codec, program, [(FRAME, 60)])


def test_half_an_instruction(codec: ModuleType) -> None:
    b = batch([(1, FRAME)])
    with pytest.raises(ValueError, match="valid"):
        codec.select(b.data, bytes(b.rows), expression.compiled(("bpf", packed([RET])[:-1])))


def test_the_longest_program(codec: ModuleType) -> None:
    program = [(0x04, 0, 0, 1)] * (LONGEST - 1) + [(0x16, 0, 0, 0)]
    assert accepted(codec, program, [(FRAME, 60)]) == [True]


def test_jumps_that_go_back_end_once(codec: ModuleType) -> None:
    """`ip6 protochain` jumps back; one that does so for ever lets nothing through."""
    assert accepted(codec, [(0x05, 0, 0, 0xFFFFFFFF), RET], [(FRAME, 60)]) == [False]
    counting = [(0x04, 0, 0, 1), (0x35, 1, 0, 100), (0x05, 0, 0, 0xFFFFFFFD), RET]
    assert not unsound(counting)
    assert accepted(codec, counting, [(FRAME, 60)]) == [True]


def test_it_is_one_test_of_many(codec: ModuleType) -> None:
    """With field expressions, in any place; the walk is made only where one is asked for."""
    packets = [
        (1, ethernet(0x0800, ipv4(17, udp()))),
        (1, ethernet(0x0800, ipv4(1, icmp(8)))),
        (1, ethernet(0x86DD, ipv6(17, udp()))),
    ]
    b = batch(packets)
    bpf = ("bpf", packed([(0x28, 0, 0, 12), (0x15, 0, 1, 0x0800), (6, 0, 0, 9), (6, 0, 0, 0)]))
    own = expression.any_of(["UDP"])

    def kept(tree: tuple) -> list[int]:
        rows = codec.select(b.data, bytes(b.rows), expression.compiled(tree))
        return [(row[3] - 1_700_000_000_000_000_000) // 1000 for row in struct.iter_unpack("=7q", rows)]

    assert kept(("and", [bpf, own])) == [0]
    assert kept(("and", [own, bpf])) == [0]
    assert kept(("or", [own, bpf])) == [0, 1, 2]
    assert kept(("not", bpf)) == [2]
    assert kept(("and", [("not", bpf), own])) == [2]


def some_frames() -> list[tuple[bytes, int]]:
    """Frames of every kind, whole and cut."""
    found = [frame for linktype, frame in frames() if linktype == 1]
    found += [ethernet(0x8100, tags([0x8100, 0x8100], 0x0800, ipv4(6, tcp())))]
    return [(frame[:size], len(frame)) for frame in found for size in (len(frame), 0, 13, 14, 20, 30, 34, 40, len(frame) - 1)]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(codec: ModuleType, text: str) -> None:
    """As libpcap's interpreter decides, for every expression."""
    program = compile_filter(text, 1)
    packets = some_frames()
    assert accepted(codec, program, packets) == [bool(judged(program, *packet)) for packet in packets]


def test_any_program(codec: ModuleType) -> None:
    """Programs of chance end as they do in libpcap."""
    libpcap()
    dice = random.Random(7)
    for _ in range(3000):
        program = any_program(dice)
        assert unsound(program) is None
        # libpcap's memory is not cleared: ours is 0
        whole = [(0x02, 0, 0, i) for i in range(16)] + program
        frame = dice.randbytes(dice.choice((0, 1, 20, 59, 60, 64)))
        wire = len(frame) + dice.choice((0, 0, 1000))
        assert accepted(codec, whole, [(frame, wire)]) == [bool(judged(whole, frame, wire))], (program, frame)


def test_judgements_agree() -> None:
    """What we call sound, libpcap does."""
    library = libpcap()
    dice = random.Random(8)
    for _ in range(2000):
        program = any_program(dice)
        assert library.bpf_validate(packed(program), len(program))
    lenient = ("an unknown code", "a code with high bits", "ret x", "ldx [k]", "too long")  # its interpreter has no such codes
    for name, program in UNSOUND.items():
        assert name in lenient or not library.bpf_validate(packed(program), len(program)), name


def test_soundness_is_the_same(codec: ModuleType) -> None:
    """Programs of chance with one number changed: what one codec runs the other does, and so says `unsound`."""
    dice = random.Random(10)
    refused = 0
    for _ in range(2000):
        program = any_program(dice)
        at, which, value = dice.randrange(len(program)), dice.randrange(4), dice.choice((0, 1, 7, 16, 0x50, 0x60, 0xFF))
        program[at] = tuple(value if i == which else old for i, old in enumerate(program[at]))  # type: ignore[assignment]
        try:
            accepted(codec, program, [(FRAME, 60)])
            assert unsound(program) is None
        except ValueError:
            assert unsound(program)
            refused += 1
    assert 200 < refused < 1800
