"""The eBPF assembler: codes as the instruction set has them, labels, and what is left out."""

from __future__ import annotations

import struct

import pytest

from pkttools.bpf.assembler import (
    AND,
    JEQ,
    JGT,
    LSH,
    NEG,
    R0,
    R1,
    R2,
    R10,
    add,
    alu,
    assemble,
    big_endian,
    call,
    jump,
    jump_if,
    leave,
    load,
    map_fd,
    mov,
    store,
)


def words(code) -> list[tuple[int, int, int, int, int]]:
    """Code, destination, source, offset and constant of each eight bytes."""
    found = struct.iter_unpack("=BBhi", assemble(code))
    return [(number, registers & 15, registers >> 4, offset, imm) for number, registers, offset, imm in found]


# Each one alone, as clang's assembler has it.
SINGLE = {
    "r1 = r2": (mov(R1, R2), (0xBF, 1, 2, 0, 0)),
    "r1 = -5": (mov(R1, -5), (0xB7, 1, 0, 0, -5)),
    "r1 += 4": (add(R1, 4), (0x07, 1, 0, 0, 4)),
    "w1 &= 0xffffffff": (alu(AND, R1, 0xFFFFFFFF, 32), (0x54, 1, 0, 0, -1)),
    "w1 <<= w2": (alu(LSH, R1, R2, 32), (0x6C, 1, 2, 0, 0)),
    "w0 = -w0": (alu(NEG, R0, 0, 32), (0x84, 0, 0, 0, 0)),
    "r0 = be16 r0": (big_endian(R0, 16), (0xDC, 0, 0, 0, 16)),
    "r0 = *(u8 *)(r1 + 12)": (load(1, R0, R1, 12), (0x71, 0, 1, 12, 0)),
    "r0 = *(u16 *)(r1 + 12)": (load(2, R0, R1, 12), (0x69, 0, 1, 12, 0)),
    "r0 = *(u32 *)(r10 - 8)": (load(4, R0, R10, -8), (0x61, 0, 10, -8, 0)),
    "r0 = *(u64 *)(r1 + 0)": (load(8, R0, R1), (0x79, 0, 1, 0, 0)),
    "*(u64 *)(r10 - 8) = r1": (store(8, R10, -8, R1), (0x7B, 10, 1, -8, 0)),
    "*(u32 *)(r10 - 4) = 7": (store(4, R10, -4, 7), (0x62, 10, 0, -4, 7)),
    "call 5": (call(5), (0x85, 0, 0, 0, 5)),
    "exit": (leave(), (0x95, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("instruction, wanted", SINGLE.values(), ids=SINGLE)
def test_an_instruction(instruction, wanted):
    assert words([instruction]) == [wanted]


def test_a_map():
    assert words([map_fd(R1, 7)]) == [(0x18, 1, 1, 0, 7), (0, 0, 0, 0, 0)]


def test_jumps_count_slots():
    code = [jump_if(JEQ, R1, 3, "end"), map_fd(R1, 7), jump_if(JGT, R1, R2, "end", 32), mov(R0, 1), "end", leave()]
    made = words(code)
    assert made[0] == (0x15, 1, 0, 4, 3)
    assert made[3] == (0x2E, 1, 2, 1, 0)
    assert len(made) == 6


def test_what_cannot_be_reached_is_left_out():
    code = [jump("there"), mov(R0, 1), "never", mov(R0, 2), jump("there"), "there", mov(R0, 3), leave(), "other", leave()]
    assert words(code) == [(0x05, 0, 0, 0, 0), (0xB7, 0, 0, 0, 3), (0x95, 0, 0, 0, 0)]


def test_a_label_that_is_not_there():
    with pytest.raises(KeyError):
        assemble([jump("nowhere"), leave()])
